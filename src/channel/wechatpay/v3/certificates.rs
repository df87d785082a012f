//! The platform's certificates: `GET /v3/certificates`, opened with the APIv3 key. Pure.
//!
//! Whoever seals with the APIv3 key is the platform: that is what a first list is believed by, and with it the
//! signature over the list itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::answer::ApiError;
use super::credentials::Credentials;
use super::keys::PlatformKey;
use super::signature::{Distrust, check};
use crate::channel::http::Answer;
use crate::crypto::{Certificate, certificates};
use crate::payment::UnixMillis;

/// Where the list is.
pub(super) const PATH: &str = "/v3/certificates";
/// During a rotation there are two.
const MAX_CERTIFICATES: usize = 16;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListError {
    /// The platform refused, with that status.
    Refused(u16, Option<ApiError>),
    /// The list is sealed with another APIv3 key than the account's.
    Sealed,
    /// Its signature is not to be believed.
    Distrusted(Distrust),
    /// It is no such list.
    Unreadable(&'static str),
}

impl ListError {
    /// What went wrong, for a person.
    pub fn words(&self) -> String {
        let why = match self {
            Self::Refused(_, Some(error)) => return error.words(),
            Self::Refused(status, None) => return format!("WeChat Pay answered HTTP {status}"),
            Self::Sealed => "they cannot be opened with the account's APIv3 key",
            Self::Distrusted(Distrust::Stale) => "their time is 300 s or more from this machine's: set the clock",
            Self::Distrusted(_) => "their signature does not fit",
            Self::Unreadable(why) => why,
        };
        format!("WeChat Pay's platform certificates cannot be used: {why}")
    }
}

#[derive(Deserialize)]
struct List {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    serial_no: String,
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
    ciphertext: String,
}

/// Reads the answer: what is on the list, then whether the list was signed with a key that is held or on it.
pub(super) fn read(credentials: &Credentials, answer: &Answer, now: UnixMillis) -> Result<Vec<PlatformKey>, ListError> {
    if answer.status != 200 {
        return Err(ListError::Refused(answer.status, ApiError::of_bytes(&answer.body)));
    }
    let list: List =
        serde_json::from_slice(&answer.body).map_err(|_| ListError::Unreadable("the answer is of another form"))?;
    let mut keys = Vec::new();
    for item in list.data.iter().take(MAX_CERTIFICATES) {
        let certificate = open(credentials, item, now)?;
        if !certificate.serial_hex().eq_ignore_ascii_case(&item.serial_no) {
            return Err(ListError::Unreadable("a certificate has another serial number than the list says"));
        }
        let key = certificate.key().map_err(|_| ListError::Unreadable("a certificate holds no RSA key"))?;
        keys.push(PlatformKey { serial: item.serial_no.clone(), key, valid: certificate.validity(), present: true });
    }
    keys.retain(|key| now <= key.valid.1);
    if keys.is_empty() {
        return Err(ListError::Unreadable("none of them is valid any more"));
    }
    let find = |serial: &str| {
        let listed = keys.iter().find(|key| key.serial.eq_ignore_ascii_case(serial)).map(|key| key.key.clone());
        credentials.platform_key(serial, now).or(listed)
    };
    check(find, |name| answer.header(name), &answer.body, now).map_err(ListError::Distrusted)?;
    Ok(keys)
}

fn open(credentials: &Credentials, item: &Item, now: UnixMillis) -> Result<Certificate, ListError> {
    let sealed = &item.encrypt_certificate;
    if sealed.algorithm != "AEAD_AES_256_GCM" {
        return Err(ListError::Unreadable("they are sealed in another way than AEAD_AES_256_GCM"));
    }
    let ciphertext =
        BASE64.decode(&sealed.ciphertext).map_err(|_| ListError::Unreadable("a ciphertext is no base64"))?;
    let plain = credentials
        .open(&sealed.nonce, sealed.associated_data.as_deref().unwrap_or(""), &ciphertext, now)
        .ok_or(ListError::Sealed)?;
    let text = String::from_utf8(plain).map_err(|_| ListError::Unreadable("a certificate is no text"))?;
    let found = certificates(&text).map_err(|_| ListError::Unreadable("a certificate cannot be read"))?;
    found.into_iter().next().ok_or(ListError::Unreadable("a certificate cannot be read"))
}
