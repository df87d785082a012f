//! `WECHATPAY2-SHA256-RSA2048`, both ways. Pure.

use super::credentials::Credentials;
use crate::crypto::{CryptoError, random_bytes};
use crate::payment::UnixMillis;

/// How far the provider's clock may be from ours.
const FRESH_SECONDS: i64 = 300;

/// What a request's signature covers: method, path with query, Unix seconds, nonce and body, each ended by a line feed.
pub(super) fn request_message(method: &str, path: &str, timestamp: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n")
}

/// The `Authorization` header of a request.
pub(super) fn authorize(
    credentials: &Credentials,
    method: &str,
    path: &str,
    body: &str,
    timestamp: i64,
) -> Result<String, CryptoError> {
    let nonce = hex::encode_upper(random_bytes::<16>());
    let message = request_message(method, path, timestamp, &nonce, body);
    let signature = credentials.merchant_private_key.sign_base64(message.as_bytes())?;
    Ok(format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",serial_no=\"{}\",signature=\"{signature}\"",
        credentials.mchid, credentials.merchant_serial
    ))
}

/// Why an answer or a notification is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distrust {
    /// A header is missing, the signature does not fit, or it is one of the platform's probes.
    Signature,
    /// We hold no key of that serial.
    Serial,
    /// Its time is too far from ours.
    Stale,
}

/// Checks the `Wechatpay-*` headers over the raw body.
pub(super) fn check<'a>(
    credentials: &Credentials,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: UnixMillis,
) -> Result<(), Distrust> {
    let get = |name| header(name).ok_or(Distrust::Signature);
    let (timestamp, nonce) = (get("wechatpay-timestamp")?, get("wechatpay-nonce")?);
    let (serial, signature) = (get("wechatpay-serial")?, get("wechatpay-signature")?);
    let key = credentials.platform_key(serial).ok_or(Distrust::Serial)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Distrust::Signature)?;
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    key.verify_base64(&message, signature).map_err(|_| Distrust::Signature)?;
    if seconds.abs_diff(now / 1_000) > FRESH_SECONDS.unsigned_abs() {
        return Err(Distrust::Stale);
    }
    Ok(())
}
