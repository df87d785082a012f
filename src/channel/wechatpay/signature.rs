//! `WECHATPAY2-SHA256-RSA2048`, both ways. Pure.

use super::credentials::Credentials;
use crate::crypto::{CryptoError, random_bytes};
use crate::payment::UnixMillis;

/// The provider's clock may differ from ours by less than this.
const FRESH_SECONDS: u64 = 300;

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
    /// One of the headers is missing.
    Missing,
    /// The signature does not fit, or it is one of the platform's probes.
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
    let get = |name| header(name).filter(|value| !value.is_empty()).ok_or(Distrust::Missing);
    let (timestamp, nonce) = (get("wechatpay-timestamp")?, get("wechatpay-nonce")?);
    let (serial, signature) = (get("wechatpay-serial")?, get("wechatpay-signature")?);
    let key = credentials.platform_key(serial).ok_or(Distrust::Serial)?;
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    // The platform's probes (WECHATPAY/SIGNTEST/...) fail here as any other signature that is none.
    key.verify_base64(&message, signature).map_err(|_| Distrust::Signature)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Distrust::Signature)?;
    if seconds.abs_diff(now / 1_000) >= FRESH_SECONDS {
        return Err(Distrust::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_each_part_with_a_line_feed_even_without_a_body() {
        let path = "/v3/pay/transactions/out-trade-no/A1?mchid=1900000001";
        assert_eq!(request_message("GET", path, 1_554_208_460, "n", ""), format!("GET\n{path}\n1554208460\nn\n\n"));
    }
}
