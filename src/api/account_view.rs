//! What may be told of a merchant account.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Shared;
use super::wire::{AccountView, AccountWarning, CredentialView};
use crate::channel::{self, AccountForm, FieldKind, MerchantAccount};
use crate::crypto::{KeptIn, sha256_hex};
use crate::payment::{ChannelId, UnixMillis};

/// How much of a fingerprint or a number is shown: enough to compare by eye.
const FINGERPRINT_DIGITS: usize = 16;
const LAST_CHARACTERS: usize = 4;

/// The form of a channel's accounts.
pub(super) fn form(channel: &ChannelId) -> Option<AccountForm> {
    channel::forms().into_iter().find(|form| &form.channel == channel)
}

/// The credentials as they are stored.
pub(super) fn credentials(account: &MerchantAccount) -> Map<String, Value> {
    match serde_json::from_str(account.credentials.expose()) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The account without its credentials.
pub(super) fn view(state: &Shared, account: &MerchantAccount) -> AccountView {
    let form = form(&account.channel);
    let fields = credentials(account);
    let now = state.engine.now();
    AccountView {
        id: account.id.clone(),
        channel: account.channel.clone(),
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        training: account.training,
        enabled: account.enabled,
        notify_base_url: account.notify_base_url.clone(),
        timing: account.timing.clone(),
        stores: account.stores.clone(),
        algorithms: account.algorithms.into(),
        credential_fields: fields.keys().cloned().collect(),
        credentials: fields
            .iter()
            .map(|(name, value)| CredentialView { name: name.clone(), shown: shown(form.as_ref(), name, value) })
            .collect(),
        retiring_until: account.retiring.as_ref().and_then(|retiring| instant(retiring.until, now)),
        warnings: warnings(state, account),
        problem: channel::open(account).err().map(|error| error.to_string()),
    }
}

/// A moment that is still to come.
pub(super) fn instant(until: UnixMillis, now: UnixMillis) -> Option<Timestamp> {
    (until > now).then(|| Timestamp::from_millisecond(until).ok()).flatten()
}

fn warnings(state: &Shared, account: &MerchantAccount) -> Vec<AccountWarning> {
    let mut warnings: Vec<_> = account
        .algorithms
        .weak()
        .into_iter()
        .map(|algorithm| AccountWarning {
            code: "weak_algorithm".into(),
            algorithm: Some(algorithm),
            sentence: format!(
                "{algorithm} is broken and turned on for this account. Turn it off as soon as the provider has another."
            ),
        })
        .collect();
    let mut warn = |code: &str, sentence: &str| {
        warnings.push(AccountWarning { code: code.into(), algorithm: None, sentence: sentence.into() });
    };
    if !account.training {
        if account.base_url.starts_with("http://") {
            warn("not_encrypted", "The gateway's address is not https: whoever is on the way can read what is sent.");
        }
        if state.keeper.as_ref().is_some_and(|keeper| keeper.kept_in() == KeptIn::File) {
            warn(
                "key_in_file",
                "The credentials are sealed under a key that lies in a file of the data folder: whoever reads that \
                 folder reads them. `scantill account rekey` moves the key to the keyring or under a passphrase.",
            );
        }
    }
    warnings
}

/// What may be shown of a credential. Of a field that the form does not know: nothing.
fn shown(form: Option<&AccountForm>, name: &str, value: &Value) -> Option<String> {
    let field = form?.fields.iter().find(|field| field.name == name)?;
    let text = value.as_str()?.trim();
    match field.kind {
        FieldKind::Secret | FieldKind::PrivateKey | FieldKind::Pkcs12 => None,
        FieldKind::Choice(choices) => choices.contains(&text).then(|| text.to_owned()),
        FieldKind::Text => Some(last_characters(text)),
        FieldKind::Pem => fingerprint(text),
    }
}

fn last_characters(text: &str) -> String {
    let count = text.chars().count();
    if count <= 2 * LAST_CHARACTERS {
        return "…".into();
    }
    std::iter::once('…').chain(text.chars().skip(count - LAST_CHARACTERS)).collect()
}

/// The begin of the SHA-256 of the first PEM block's bytes, as `openssl` and consoles tell it.
fn fingerprint(text: &str) -> Option<String> {
    let inner = match text.split_once("-----BEGIN ") {
        Some((_, rest)) => rest.split_once("-----")?.1.split("-----END").next()?,
        None => text,
    };
    let packed: String = inner.split_whitespace().collect();
    let der = STANDARD.decode(packed).ok()?;
    Some(format!("SHA-256 {}…", sha256_hex(&der).get(..FINGERPRINT_DIGITS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_told_by_its_fingerprint_in_whatever_dress_it_comes() {
        let bare = "aGVsbG8gd29ybGQ=";
        let dressed = format!("-----BEGIN PUBLIC KEY-----\naGVsbG8g\nd29ybGQ=\n-----END PUBLIC KEY-----\n{bare}");
        // SHA-256 of "hello world".
        assert_eq!(fingerprint(bare).unwrap(), "SHA-256 b94d27b9934d3e08…");
        assert_eq!(fingerprint(&dressed), fingerprint(bare));
        assert_eq!(fingerprint("-----BEGIN "), None);
        assert_eq!(fingerprint("not base64 at all!"), None);
    }

    #[test]
    fn a_number_is_told_by_its_end_and_a_short_one_not_at_all() {
        assert_eq!(last_characters("2021000000000001"), "…0001");
        assert_eq!(last_characters("12345678"), "…");
        assert_eq!(last_characters("中国银联股份有限公司"), "…有限公司");
    }
}
