//! `WECHATPAY2-SHA256-RSA2048`, both ways. Pure.

use super::credentials::Credentials;
use crate::crypto::{CryptoError, RsaPublicKey, random_bytes};
use crate::payment::UnixMillis;

/// The provider's clock may differ from ours by less than this.
pub(super) const FRESH_SECONDS: u64 = 300;
/// How a probe's signature begins: the platform sends some to see whether a merchant looks at signatures at all.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Distrust {
    /// One of the headers is missing.
    Missing,
    /// The signature does not fit, or it is one of the platform's probes.
    Signature,
    /// We hold no key of that serial.
    Serial(String),
    /// Its time is too far from ours.
    Stale,
}

/// Checks the `Wechatpay-*` headers over the raw body with the platform's key that `key` finds for a serial.
pub(super) fn check<'a>(
    key: impl FnOnce(&str) -> Option<RsaPublicKey>,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: UnixMillis,
) -> Result<(), Distrust> {
    let get = |name| header(name).filter(|value| !value.is_empty()).ok_or(Distrust::Missing);
    let (timestamp, nonce) = (get("wechatpay-timestamp")?, get("wechatpay-nonce")?);
    let (serial, signature) = (get("wechatpay-serial")?, get("wechatpay-signature")?);
    if signature.starts_with(PROBE) {
        return Err(Distrust::Signature);
    }
    let key = key(serial).ok_or_else(|| Distrust::Serial(serial.to_owned()))?;
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    key.verify_base64(&message, signature).map_err(|_| Distrust::Signature)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Distrust::Signature)?;
    if seconds.abs_diff(now / 1_000) >= FRESH_SECONDS {
        return Err(Distrust::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_ends_each_part_with_a_line_feed_even_without_a_body() {
        let path = "/v3/pay/transactions/out-trade-no/A1?mchid=1900000001";
        assert_eq!(request_message("GET", path, 1_554_208_460, "n", ""), format!("GET\n{path}\n1554208460\nn\n\n"));
    }

    proptest! {
        /// Whoever takes the message apart finds each part again, whatever the body holds.
        #[test]
        fn a_message_comes_apart_into_what_was_put_in(
            path in "/v3/[a-zA-Z0-9/?=&_-]{0,60}",
            timestamp in 0_i64..4_000_000_000,
            nonce in "[A-Z0-9]{16,32}",
            body in any::<String>(),
        ) {
            let message = request_message("POST", &path, timestamp, &nonce, &body);
            let mut parts = message.splitn(5, '\n');
            prop_assert_eq!(parts.next(), Some("POST"));
            prop_assert_eq!(parts.next(), Some(path.as_str()));
            prop_assert_eq!(parts.next().and_then(|text| text.parse().ok()), Some(timestamp));
            prop_assert_eq!(parts.next(), Some(nonce.as_str()));
            prop_assert_eq!(parts.next().and_then(|text| text.strip_suffix('\n')), Some(body.as_str()));
        }
    }
}
