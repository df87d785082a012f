//! Secrets at rest: what is sealed of a record, and how all of it comes under another key.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::AnyConnection;
use zeroize::Zeroizing;

use super::batch::{Note, Request, Table};
use super::chain::canonical;
use super::sql::{self, Param, text};
use super::{Ledger, LedgerError};
use crate::channel::Retiring;
use crate::crypto::{SealKey, Secret};
use crate::payment::UnixMillis;

/// The tables that hold sealed values.
const SEALED_TABLES: [Table; 4] = [Table::Accounts, Table::Tills, Table::Operators, Table::SessionKeys];
/// What a sealed text begins with where it holds more than the one secret.
const WITH_RETIRING: &str = "with-retiring:";

/// What is sealed of a record: its secret, and the one before it while that still counts.
pub(super) struct Sealed {
    pub(super) secret: Secret<String>,
    pub(super) retiring: Option<Retiring>,
}

/// Both, as they are sealed.
#[derive(Serialize, Deserialize)]
struct Both {
    secret: Secret<String>,
    retiring: Retiring,
}

impl Sealed {
    pub(super) fn to_text(&self) -> Result<Zeroizing<String>, LedgerError> {
        let Some(retiring) = &self.retiring else { return Ok(Zeroizing::new(self.secret.expose().clone())) };
        let both = Both { secret: self.secret.clone(), retiring: retiring.clone() };
        let both = serde_json::to_string(&both).map(Zeroizing::new);
        let both = both.map_err(|error| LedgerError::Database(error.to_string()))?;
        Ok(Zeroizing::new(format!("{WITH_RETIRING}{}", both.as_str())))
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        match text.strip_prefix(WITH_RETIRING) {
            None => Some(Self { secret: Secret::new(text.to_owned()), retiring: None }),
            Some(both) => {
                let both: Both = serde_json::from_str(both).ok()?;
                Some(Self { secret: both.secret, retiring: Some(both.retiring) })
            }
        }
    }
}

/// The key that seals, and while it is being replaced the other that may have sealed.
pub(super) struct SealKeys {
    current: SealKey,
    other: Option<SealKey>,
}

impl SealKeys {
    pub(super) const fn new(current: SealKey) -> Self {
        Self { current, other: None }
    }

    /// Hex of the sealed text.
    pub(super) fn seal(&self, context: &str, text: &str) -> Result<String, LedgerError> {
        seal_under(&self.current, context, text)
    }

    /// The text, where one of the keys sealed it; the empty text was never sealed.
    pub(super) fn open(&self, context: &str, sealed: &str) -> Option<Zeroizing<String>> {
        if sealed.is_empty() {
            return Some(Zeroizing::default());
        }
        let bytes = hex::decode(sealed).ok()?;
        let keys = std::iter::once(&self.current).chain(&self.other);
        let plain = keys.into_iter().find_map(|key| key.open(context, &bytes).ok())?;
        std::str::from_utf8(&plain).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

fn seal_under(key: &SealKey, context: &str, text: &str) -> Result<String, LedgerError> {
    let sealed = key.seal(context, text.as_bytes());
    sealed.map(hex::encode).map_err(|error| LedgerError::Database(error.to_string()))
}

/// What a sealed value is bound to, so that it opens in its own row only.
pub(super) fn context(table: Table, id: &str) -> String {
    format!("{}/{id}", table.name())
}

/// What a person is told whose key is another.
pub(super) fn cannot_open(table: Table, id: &str) -> LedgerError {
    LedgerError::Database(format!(
        "the secret of {} {id} cannot be opened: put back the folder keys/ of the data folder as it was when the secret \
         was entered",
        table.name()
    ))
}

/// A value under its new key.
#[derive(Clone)]
pub(super) struct Resealed {
    table: Table,
    id: String,
    /// What has to be there still.
    before: String,
    after: String,
}

/// Puts the values in the place of the old ones, all or none.
pub(super) async fn write(connection: &mut AnyConnection, resealed: &[Resealed]) -> Result<(), sqlx::Error> {
    for Resealed { table, id, before, after } in resealed {
        let update = format!("UPDATE {} SET sealed = $1 WHERE id = $2 AND sealed = $3", table.name());
        let params = [Param::Text(after), Param::Text(id), Param::Text(before)];
        if sql::execute(connection, &update, params).await? != 1 {
            // Another process has written it meanwhile, under a key that we do not know.
            return Err(sqlx::Error::RowNotFound);
        }
    }
    Ok(())
}

impl Ledger {
    /// Seals every secret anew under `key`, in one transaction, and tells how many there are. From then on `key` seals.
    ///
    /// # Errors
    /// A secret cannot be opened, or the books cannot be written: everything is as it was. After
    /// [`LedgerError::Unreachable`] it may have been done: both keys have to be kept until it was tried again.
    pub async fn reseal(&self, at: UnixMillis, actor: &str, key: [u8; 32]) -> Result<usize, LedgerError> {
        let mut keys = self.books.seal_keys.write().await;
        let fresh = SealKey::new(key);
        let mut resealed = Vec::new();
        for table in SEALED_TABLES {
            let select = format!("SELECT id, sealed FROM {} WHERE sealed <> '' ORDER BY id", table.name());
            let rows = sqlx::query(&select).fetch_all(self.readers()?).await.map_err(|error| self.refused(error))?;
            for row in &rows {
                let column = |index| text(row, index).map_err(|error| self.refused(error));
                let (id, before) = (column(0)?, column(1)?);
                let context = context(table, &id);
                // Twice under the same key is the end of a rotation that was broken off.
                let plain = keys
                    .open(&context, &before)
                    .or_else(|| SealKeys::new(SealKey::new(key)).open(&context, &before))
                    .ok_or_else(|| cannot_open(table, &id))?;
                let after = seal_under(&fresh, &context, &plain)?;
                resealed.push(Resealed { table, id, before, after });
            }
        }
        let count = resealed.len();
        let payload = canonical(&json!({ "secrets": count }));
        let note = Note { at, actor: actor.to_owned(), kind: "seal_key_rotated".to_owned(), payload };
        let asked = self.ask_done(Request::Reseal(resealed, note)).await;
        match asked {
            Ok(_) => {
                *keys = SealKeys::new(fresh);
                Ok(count)
            }
            Err(error) => {
                keys.other = Some(fresh);
                Err(error)
            }
        }
    }
}
