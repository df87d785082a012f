//! Reading an account's credentials: every complaint names the field and never its value.

use serde_json::{Map, Value};

use super::{AccountError, MerchantAccount};
use crate::crypto::{CryptoError, Secret};

/// The fields of an account's credentials.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub fn of(account: &MerchantAccount) -> Result<Self, AccountError> {
        Self::read(&account.credentials)
    }

    /// The fields of a JSON object.
    pub fn read(credentials: &Secret<String>) -> Result<Self, AccountError> {
        match serde_json::from_str(credentials.expose()) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            _ => Err(AccountError::Credential { field: "credentials", problem: "are not a JSON object".into() }),
        }
    }

    /// Fields for the tests of a channel's own rules.
    #[cfg(test)]
    pub fn of_pairs(given: &[(&str, &str)]) -> Self {
        Self(given.iter().map(|(field, value)| ((*field).to_owned(), Value::from(*value))).collect())
    }

    /// A text that has to be there.
    pub fn text(&self, field: &'static str) -> Result<&str, AccountError> {
        self.optional(field)?.ok_or_else(|| wrong(field, "is missing"))
    }

    /// A text that may be absent or empty.
    pub fn optional(&self, field: &'static str) -> Result<Option<&str>, AccountError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim())),
            Some(_) => Err(wrong(field, "is not a text")),
        }
    }
}

/// A complaint about a field.
pub(super) fn wrong(field: &'static str, problem: &str) -> AccountError {
    AccountError::Credential { field, problem: problem.to_owned() }
}

/// A complaint about a key that cannot be read.
pub(super) fn unreadable(field: &'static str) -> impl Fn(CryptoError) -> AccountError {
    move |error| match error {
        CryptoError::Unreadable { hint, .. } => wrong(field, &format!("cannot be read: {hint}")),
        other => wrong(field, &format!("cannot be used: {other}")),
    }
}
