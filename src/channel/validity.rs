//! Until when the certificates among an account's credentials are valid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{FieldKind, MerchantAccount, forms};
use crate::crypto::{Certificate, certificates, read_pkcs12};

/// Of these fields the newest certificate counts: they hold a provider's roots, or keys that follow one another.
const NEWEST_COUNTS: [&str; 4] =
    ["alipay_root_certificate", "root_certificate", "platform_certificate", "gateway_root_certificate"];

/// A certificate among an account's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedCertificate {
    /// The credential's name in the account's form.
    pub field: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// The certificate.
    pub certificate: Certificate,
}

/// The certificates that an account works with, one for each credential that holds any. What cannot be read is left
/// out: the account's own test tells of it.
#[must_use]
pub fn dated_certificates(account: &MerchantAccount) -> Vec<DatedCertificate> {
    let Some(form) = forms().into_iter().find(|form| form.channel == account.channel) else { return Vec::new() };
    let Ok(Value::Object(given)) = serde_json::from_str(account.credentials.expose()) else { return Vec::new() };
    let found = form.fields.iter().filter_map(|field| {
        let text = text_of(&given, field.name)?;
        let all = match field.kind {
            FieldKind::Pem => certificates(text).ok()?,
            FieldKind::Pkcs12 => {
                let file = STANDARD.decode(text.split_whitespace().collect::<String>()).ok()?;
                let password = text_of(&given, &format!("{}_password", field.name)).unwrap_or_default();
                read_pkcs12(&file, password).ok()?.chain
            }
            FieldKind::Text | FieldKind::Secret | FieldKind::PrivateKey | FieldKind::Choice(_) => return None,
        };
        let certificate = if NEWEST_COUNTS.contains(&field.name) {
            all.into_iter().max_by_key(|certificate| certificate.validity().1)
        } else {
            all.into_iter().next()
        };
        Some(DatedCertificate { field: field.name, label: field.label, certificate: certificate? })
    });
    found.collect()
}

fn text_of<'a>(given: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    given.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}
