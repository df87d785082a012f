//! Reading a call: common parameters, signature, business content. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answer::{Refused, business, invalid, missing, senseless};
use crate::crypto::RsaPublicKey;
use crate::money::{Currency, Money};
use crate::sandbox::book::{Millis, Number};
use crate::sandbox::wire::china_zone;

/// From 0.01 to 100,000,000.00 yuan.
const AMOUNTS: std::ops::RangeInclusive<i64> = 1..=10_000_000_000;
const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

pub(super) type Parameters = BTreeMap<String, String>;

/// An admitted call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Request {
    pub biz: Map<String, Value>,
    pub notify_url: Option<String>,
}

/// The parameters of the query and of the form together.
pub(super) fn parameters(query: &str, form: &[u8]) -> Parameters {
    let mut parameters = Parameters::new();
    for text in [query.as_bytes(), form] {
        // Any bytes are some form; what was not meant as one does not pass the signature.
        parameters.extend(serde_urlencoded::from_bytes::<Vec<(String, String)>>(text).unwrap_or_default());
    }
    parameters
}

/// What a request's signature covers: every parameter but `sign` that has a value, sorted by name, values as they are.
pub(super) fn signed_content(parameters: &Parameters) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// Checks the common parameters and the signature, in the gateway's order.
pub(super) fn admit(parameters: &Parameters, app_id: &str, key: &RsaPublicKey) -> Result<Request, Refused> {
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let need = |name: &str, what: &str| if get(name).is_empty() { Err(missing(what)) } else { Ok(get(name)) };
    need("method", "method")?;
    if need("app_id", "app-id")? != app_id {
        return Err(invalid("isv.invalid-app-id", "无效的AppID参数"));
    }
    if !matches!(get("format").to_ascii_lowercase().as_str(), "" | "json") {
        return Err(invalid("isv.invalid-format", "无效的数据格式"));
    }
    if !matches!(get("charset").to_ascii_lowercase().as_str(), "" | "utf-8" | "utf8") {
        return Err(invalid("isv.invalid-charset", "字符集错误"));
    }
    if need("sign_type", "signature-type")? != "RSA2" {
        return Err(invalid("isv.invalid-signature-type", "无效的签名类型"));
    }
    let sign = need("sign", "signature")?;
    let content = signed_content(parameters);
    if key.verify_base64(content.as_bytes(), sign).is_err() {
        let why = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：";
        return Err(invalid("isv.invalid-signature", &format!("{why}{content}")));
    }
    // Only the form is looked at: merchants' servers stand in every time zone, and their SDKs write local time.
    let timestamp = need("timestamp", "timestamp")?;
    if timestamp.len() != 19 || civil(timestamp).is_none() {
        return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
    }
    if need("version", "version")? != "1.0" {
        return Err(invalid("isv.invalid-version", "无效的版本号"));
    }
    let biz = match get("biz_content") {
        "" => Map::new(),
        text => {
            serde_json::from_str(text).map_err(|_| invalid("isv.invalid-parameter", "biz_content不是合法的JSON"))?
        }
    };
    let notify_url = Some(get("notify_url")).filter(|url| !url.is_empty()).map(str::to_owned);
    Ok(Request { biz, notify_url })
}

fn civil(text: &str) -> Option<jiff::civil::DateTime> {
    jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()
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
    fn alipays_number_goes_before_the_merchants() {
        let both = request(json!({ "out_trade_no": "a", "trade_no": "b" }));
        assert!(matches!(both.number(), Ok(Number::Provider("b"))));
        assert!(request(json!({})).number().is_err());
    }

    proptest! {
        /// Foreign bytes are refused or read, never a panic.
        #[test]
        fn any_bytes_are_read(query in ".{0,80}", form in prop::collection::vec(any::<u8>(), 0..80), text in ".{0,12}") {
            let parameters = parameters(&query, &form);
            let _ = signed_content(&parameters);
            let _ = lifetime(&text, 0);
            let order = request(json!({ "total_amount": text, "time_expire": text, "timeout_express": text }));
            let _ = (order.amount("total_amount"), order.expires_at(1, 0));
        }
    }
}
