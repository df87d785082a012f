//! Reading a call: common parameters, signature, encryption, business content. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::answer::{Refused, business, invalid, lacking, missing, senseless};
use super::form::{Charset, Parameters};
use crate::crypto::AesCbc;
use crate::money::{Currency, Money};
use crate::sandbox::book::{Millis, Number};
use crate::sandbox::keys::AlipayKeys;
use crate::sandbox::keys::alipay::serial;
use crate::sandbox::wire::china_zone;

/// From 0.01 to 100,000,000.00 yuan.
const AMOUNTS: std::ops::RangeInclusive<i64> = 1..=10_000_000_000;
const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;
/// How far a merchant's clock may be from the gateway's.
const CLOCK: Millis = 10 * MINUTE;

/// An admitted call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Request {
    pub biz: Map<String, Value>,
    pub notify_url: Option<String>,
}

/// How the answer to a call has to look, whatever it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Manner {
    pub charset: Charset,
    /// The client checks answers with Alipay's certificate: the answer names it.
    pub by_certificate: bool,
    /// The content is encrypted. Only of an admitted call: what is wrong with one is told openly.
    pub encrypted: bool,
}

/// What can be told of the answer's look before the call is admitted.
pub(super) fn manner(parameters: &Parameters) -> Manner {
    Manner {
        charset: Charset::named(parameters.plain("charset")).unwrap_or_default(),
        by_certificate: names_certificates(parameters),
        encrypted: false,
    }
}

fn names_certificates(parameters: &Parameters) -> bool {
    !parameters.plain("app_cert_sn").is_empty() || !parameters.plain("alipay_root_cert_sn").is_empty()
}

/// Checks the common parameters and the signature, in the gateway's order; `now` is the gateway's clock.
pub(super) fn admit(parameters: &Parameters, keys: &AlipayKeys, now: Millis) -> Result<(Request, Manner), Refused> {
    let get = |name: &str| parameters.plain(name);
    let need = |name: &str, code: &str, what: &str| match get(name) {
        "" => Err(lacking(code, &format!("缺少{what}参数"))),
        value => Ok(value),
    };
    need("method", "isv.missing-method", "方法名")?;
    if need("app_id", "isv.missing-app-id", "appId")? != keys.app_id {
        return Err(invalid("isv.invalid-app-id", "无效的AppID参数"));
    }
    if !matches!(get("format").to_ascii_lowercase().as_str(), "" | "json") {
        return Err(invalid("isv.invalid-format", "无效的数据格式"));
    }
    let charset =
        Charset::named(get("charset")).ok_or_else(|| invalid("isv.invalid-charset", "字符集错误，仅支持GBK和UTF-8"))?;
    if need("sign_type", "isv.missing-signature-type", "签名类型")? != "RSA2" {
        return Err(invalid("isv.invalid-signature-type", "无效的签名类型"));
    }
    let sign = need("sign", "isv.missing-signature", "签名")?;
    let by_certificate = names_certificates(parameters);
    if by_certificate {
        check_certificates(get("app_cert_sn"), get("alipay_root_cert_sn"), keys, now)?;
    }
    let content = parameters.signed_content();
    if keys.app.public_key().verify_base64(&content, sign).is_err() {
        let why = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：";
        return Err(invalid("isv.invalid-signature", &format!("{why}{}", charset.decode(&content))));
    }
    let timestamp = need("timestamp", "isv.missing-timestamp", "时间戳")?;
    if timestamp.len() != 19 || civil(timestamp).is_none() {
        return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数，格式应为yyyy-MM-dd HH:mm:ss"));
    }
    if !is_near(timestamp, now) {
        return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数，与网关时间相差超过10分钟"));
    }
    if need("version", "isv.missing-version", "版本")? != "1.0" {
        return Err(invalid("isv.invalid-version", "无效的版本号"));
    }
    let mut content = parameters.text("biz_content", charset);
    let encrypted = match get("encrypt_type") {
        "" => false,
        "AES" => true,
        _ => return Err(invalid("isv.invalid-encrypt-type", "无效的加密类型")),
    };
    if encrypted && !content.is_empty() {
        let plain = open(&keys.aes_key, &content);
        content = plain.ok_or_else(|| Refused::condition("isv.decryption-error-unknown", "解密出错, 未知错误"))?;
    }
    let biz = match content.as_str() {
        "" => Map::new(),
        text => {
            serde_json::from_str(text).map_err(|_| invalid("isv.invalid-parameter", "biz_content不是合法的JSON"))?
        }
    };
    let notify_url = Some(get("notify_url")).filter(|url| !url.is_empty()).map(str::to_owned);
    Ok((Request { biz, notify_url }, Manner { charset, by_certificate, encrypted }))
}

/// Certificate mode: the application's certificate is one that was issued and has not run out, the root is the right one.
fn check_certificates(app: &str, root: &str, keys: &AlipayKeys, now: Millis) -> Result<(), Refused> {
    if app.is_empty() {
        return Err(invalid("isv.missing-app-cert-sn", "缺少应用公钥证书序列号"));
    }
    if root.is_empty() {
        return Err(invalid("isv.missing-alipay-root-cert-sn", "缺少支付宝根证书序列号"));
    }
    let issued = [&keys.app_certificate, &keys.expired_app_certificate];
    let Some(certificate) = issued.into_iter().find(|certificate| serial(certificate) == app) else {
        return Err(invalid("isv.app-cert-not-exist", "应用公钥证书不存在"));
    };
    if certificate.check_time(now).is_err() {
        return Err(invalid("isv.app-cert-expired", "应用公钥证书已过期"));
    }
    if root != serial(&keys.root_certificate) {
        return Err(invalid("isv.invalid-alipay-root-cert-sn", "无效的支付宝根证书序列号"));
    }
    Ok(())
}

/// The content key that was agreed upon, in base64; AES in CBC with an initial vector of noughts.
fn cipher(aes_key: &str) -> Option<AesCbc> {
    AesCbc::new(&BASE64.decode(aes_key).ok()?).ok()
}

fn open(aes_key: &str, content: &str) -> Option<String> {
    let sealed = BASE64.decode(content.trim()).ok()?;
    let plain = cipher(aes_key)?.decrypt([0; 16], &sealed).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// An answer's content, encrypted as the client's own was.
pub(super) fn seal(aes_key: &str, content: &str) -> Option<String> {
    cipher(aes_key)?.encrypt([0; 16], content.as_bytes()).ok().map(|sealed| BASE64.encode(sealed))
}

fn civil(text: &str) -> Option<jiff::civil::DateTime> {
    jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()
}

/// Whether a timestamp is near the gateway's time: China's by the book; but SDKs write what their machine calls the
/// time, and machines stand at UTC or where this one stands as well.
fn is_near(timestamp: &str, now: Millis) -> bool {
    let zones = [china_zone(), jiff::tz::TimeZone::UTC, jiff::tz::TimeZone::system()];
    zones.into_iter().any(|zone| {
        let at = civil(timestamp).and_then(|at| at.to_zoned(zone).ok()).map(|at| at.timestamp().as_millisecond());
        at.is_some_and(|at| (at - now).abs() <= CLOCK)
    })
}

impl Request {
    /// A text of the business content; empty where absent.
    pub fn text(&self, name: &str) -> &str {
        self.biz.get(name).and_then(Value::as_str).unwrap_or("")
    }

    pub fn need(&self, name: &str) -> Result<&str, Refused> {
        match self.text(name) {
            "" => Err(missing(&name.replace('_', "-"))),
            value => Ok(value),
        }
    }

    /// Yuan as text, or as a JSON number as some SDKs send it; in fen.
    pub fn amount(&self, name: &str) -> Result<i64, Refused> {
        let written = match self.biz.get(name) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(missing(&name.replace('_', "-"))),
        };
        let amount = Money::parse(&written, Currency::CNY).map_err(|_| senseless())?.minor;
        if amount > *AMOUNTS.end() {
            return Err(business("ACQ.TOTAL_FEE_EXCEED", "订单总金额不在允许范围内"));
        }
        Some(amount).filter(|amount| AMOUNTS.contains(amount)).ok_or_else(senseless)
    }

    /// Alipay's number where it is given, else the merchant's.
    pub fn number(&self) -> Result<Number<'_>, Refused> {
        match (self.text("trade_no"), self.text("out_trade_no")) {
            ("", "") => Err(missing("out-trade-no")),
            ("", number) => Ok(Number::Merchant(number)),
            (number, _) => Ok(Number::Provider(number)),
        }
    }

    /// When the order can no longer be paid: the earliest of the limits that are given.
    pub fn expires_at(&self, unless_given: Millis, now: Millis) -> Result<Millis, Refused> {
        let mut end = None;
        for name in ["timeout_express", "qr_code_timeout_express"] {
            let text = self.text(name);
            if !text.is_empty() {
                let limit = lifetime(text, now).ok_or_else(senseless)?;
                end = Some(end.map_or(now + limit, |end: Millis| end.min(now + limit)));
            }
        }
        let text = self.text("time_expire");
        if !text.is_empty() {
            let at = civil(text).and_then(|at| at.to_zoned(china_zone()).ok()).ok_or_else(senseless)?;
            let at = at.timestamp().as_millisecond();
            if at <= now {
                return Err(senseless());
            }
            end = Some(end.map_or(at, |end| end.min(at)));
        }
        Ok(end.unwrap_or(now + unless_given))
    }
}

/// `1m` to `15d`; `m` minutes, `h` hours, `d` days, `1c` to the end of the day in China.
fn lifetime(text: &str, now: Millis) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if unit == "c" {
        let since_midnight = (now + 8 * 60 * MINUTE).rem_euclid(DAY);
        return (number == "1").then_some(DAY - since_midnight);
    }
    let number: Millis = Some(number).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
    let unit = match unit {
        "m" => MINUTE,
        "h" => 60 * MINUTE,
        "d" => DAY,
        _ => return None,
    };
    number.checked_mul(unit).filter(|lifetime| (MINUTE..=15 * DAY).contains(lifetime))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn request(biz: Value) -> Request {
        let Value::Object(biz) = biz else { unreachable!("the tests give objects") };
        Request { biz, notify_url: None }
    }

    #[test]
    fn time_limits_are_read_as_documented() {
        // 2026-01-01 20:00:00 in China.
        let now = 1_767_268_800_000;
        for (text, limit) in [
            ("1m", Some(MINUTE)),
            ("90m", Some(90 * MINUTE)),
            ("2h", Some(120 * MINUTE)),
            ("15d", Some(15 * DAY)),
            ("1c", Some(4 * 60 * MINUTE)),
            ("16d", None),
            ("0m", None),
            ("1.5h", None),
            ("+5m", None),
            ("m", None),
            ("", None),
            ("5分", None),
        ] {
            assert_eq!(lifetime(text, now), limit, "{text}");
        }
        let both = request(json!({ "timeout_express": "5m", "qr_code_timeout_express": "2m" }));
        assert_eq!(both.expires_at(7, now), Ok(now + 2 * MINUTE));
        assert_eq!(request(json!({})).expires_at(7, now), Ok(now + 7));
        let absolute = request(json!({ "time_expire": "2026-01-01 20:00:30" }));
        assert_eq!(absolute.expires_at(7, now), Ok(now + 30_000));
        assert!(absolute.expires_at(7, now + 30_000).is_err());
    }

    #[test]
    fn amounts_are_read_from_text_and_from_numbers() {
        for (written, fen) in [
            (json!("12.30"), Some(1230)),
            (json!(12.3), Some(1230)),
            (json!("100000000"), Some(10_000_000_000)),
            (json!("100000000.01"), None),
            (json!("0"), None),
            (json!("-1"), None),
            (json!("1.234"), None),
            (json!("1e3"), None),
            (json!(""), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(
                request(json!({ "total_amount": written.clone() })).amount("total_amount").ok(),
                fen,
                "{written}"
            );
        }
    }

    #[test]
    fn a_clock_may_be_ten_minutes_off_in_china_or_at_utc() {
        // 2026-01-01 20:00:00 in China, noon at UTC.
        let now = 1_767_268_800_000;
        for (timestamp, near) in [
            ("2026-01-01 20:00:00", true),
            ("2026-01-01 20:10:00", true),
            ("2026-01-01 20:10:01", false),
            ("2026-01-01 19:49:59", false),
            ("2026-01-01 12:09:00", true),
            ("2026-01-02 20:00:00", false),
            ("", false),
        ] {
            assert_eq!(is_near(timestamp, now), near, "{timestamp}");
        }
    }

    #[test]
    fn content_opens_with_its_key_only() {
        let sealed = seal("c2FuZGJveC1hZXMta2V5IQ==", "{\"面\":1}").unwrap();
        assert_eq!(open("c2FuZGJveC1hZXMta2V5IQ==", &sealed).as_deref(), Some("{\"面\":1}"));
        assert_ne!(open("MTIzNDU2Nzg5MDEyMzQ1Ng==", &sealed).as_deref(), Some("{\"面\":1}"));
        assert_eq!(open("c2FuZGJveC1hZXMta2V5IQ==", "{}"), None);
        assert_eq!(seal("short", "x"), None);
    }

    #[test]
    fn alipays_number_goes_before_the_merchants() {
        let both = request(json!({ "out_trade_no": "a", "trade_no": "b" }));
        assert!(matches!(both.number(), Ok(Number::Provider("b"))));
        assert!(request(json!({})).number().is_err());
    }

    proptest! {
        /// Foreign bytes are refused or read, never a panic.
        #[test]
        fn any_text_is_read(text in ".{0,12}") {
            let _ = lifetime(&text, 0);
            let order = request(json!({ "total_amount": text, "time_expire": text, "timeout_express": text }));
            let _ = (order.amount("total_amount"), order.expires_at(1, 0), is_near(&text, 0), open(&text, &text));
        }
    }
}
