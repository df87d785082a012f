//! A merchant's `Authorization` header. Pure.

use serde_json::json;

use super::SCHEME;
use super::refused::Refused;
use crate::crypto::RsaPublicKey;
use crate::sandbox::book::Millis;

/// How far a merchant's clock may be from the platform's, in seconds.
const CLOCK: u64 = 300;
/// So much of the body the platform repeats when it shows which message it checked.
const SHOWN_OF_BODY: usize = 8;

/// What the platform knows of the merchant who should have signed.
#[derive(Debug)]
pub(super) struct Signatory<'a> {
    pub mchid: &'a str,
    pub serial: &'a str,
    pub key: &'a RsaPublicKey,
}

/// What was signed, as it arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub method: &'a str,
    /// Path and query as they stood on the request's first line.
    pub target: &'a str,
    pub body: &'a str,
    pub authorization: &'a str,
}

/// The fields of the header, in whatever order and with whatever spaces between them.
#[derive(Debug)]
struct Fields<'a> {
    mchid: &'a str,
    nonce: &'a str,
    timestamp: &'a str,
    serial: &'a str,
    signature: &'a str,
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let field = |name: &str| {
            text.split(',')
                .filter_map(|part| part.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().trim_matches('"'))
                .filter(|value| !value.is_empty())
        };
        Some(Self {
            mchid: field("mchid")?,
            nonce: field("nonce_str")?,
            timestamp: field("timestamp")?,
            serial: field("serial_no")?,
            signature: field("signature")?,
        })
    }
}

/// Checks who signs. The calls about transactions word two of the refusals in another way than the rest.
pub(super) fn check(by: &Signatory<'_>, signed: Signed<'_>, now: Millis) -> Result<(), Refused> {
    let transactions = signed.target.starts_with("/v3/pay/transactions/");
    let malformed = || match transactions {
        true => Refused::sign("签名信息错误，验签失败"),
        false => Refused::sign("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"),
    };
    let (scheme, rest) = signed.authorization.trim().split_once(' ').ok_or_else(malformed)?;
    if scheme != SCHEME {
        return Err(if transactions {
            malformed()
        } else {
            Refused::sign("Http头Authorization认证类型不正确")
        });
    }
    let fields = Fields::read(rest).ok_or_else(malformed)?;
    let seconds: i64 = fields.timestamp.parse().map_err(|_| malformed())?;
    if seconds.abs_diff(now / 1_000) > CLOCK {
        return Err(Refused::sign("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
    }
    if fields.mchid != by.mchid {
        return Err(Refused::sign("商户未申请过证书。请到商户平台上申请证书授权机构颁发的证书"));
    }
    if !fields.serial.eq_ignore_ascii_case(by.serial) {
        return Err(Refused::sign("商户证书序列号有误。请使用签名私钥匹配的证书序列号"));
    }
    let Signed { method, target, body, .. } = signed;
    let message = |body: &str| format!("{method}\n{target}\n{}\n{}\n{body}\n", fields.timestamp, fields.nonce);
    let whole = message(body);
    by.key.verify_base64(whole.as_bytes(), fields.signature).map_err(|_| {
        let begin: String = body.chars().take(SHOWN_OF_BODY).collect();
        Refused::sign(if transactions { "签名错误" } else { "错误的签名，验签失败" }).with(json!({
            "detail": { "issue": "sign not match" },
            "field": "signature",
            "location": "authorization",
            "sign_information": {
                "method": method,
                "sign_message_length": whole.len(),
                "truncated_sign_message": message(&begin),
                "url": target,
            },
        }))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::RsaPrivateKey;

    const NOW: Millis = 1_790_000_000_000;

    fn checked(key: &RsaPrivateKey, authorization: &str) -> Result<(), Refused> {
        let public = key.public_key();
        let by = Signatory { mchid: "1900000001", serial: "5A", key: &public };
        check(&by, Signed { method: "GET", target: "/v3/certificates", body: "", authorization }, NOW)
    }

    #[test]
    fn the_fields_come_in_any_order_and_with_spaces() {
        let key = RsaPrivateKey::generate().unwrap();
        let signature = key.sign_base64(b"GET\n/v3/certificates\n1790000000\nn\n\n").unwrap();
        let mut fields = [
            "mchid=\"1900000001\"".to_owned(),
            "nonce_str=\"n\"".to_owned(),
            "timestamp=\"1790000000\"".to_owned(),
            "serial_no=\"5a\"".to_owned(),
            format!("signature=\"{signature}\""),
        ];
        for between in [",", ", ", " ,\t"] {
            fields.rotate_left(2);
            checked(&key, &format!("{SCHEME}  {}", fields.join(between))).unwrap();
        }
        assert!(checked(&key, &format!("{SCHEME} {}", fields[..4].join(","))).is_err());
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in ".*", tail in ".*") {
            static KEY: std::sync::OnceLock<RsaPrivateKey> = std::sync::OnceLock::new();
            let key = KEY.get_or_init(|| RsaPrivateKey::generate().unwrap());
            let begun = format!("{SCHEME} mchid=\"1900000001\",timestamp=\"1790000000\",{tail}");
            prop_assert!(checked(key, &header).is_err() && checked(key, &begun).is_err());
        }
    }
}
