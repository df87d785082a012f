//! Building and signing a request. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::credentials::Credentials;
use crate::channel::text::at_most;
use crate::channel::{RefundRef, TradeDetails, TradeRef, china_time};
use crate::crypto::CryptoError;
use crate::payment::UnixMillis;

/// Fetches a certificate of Alipay's by its number. Never encrypted: it serves to read the other answers.
pub(super) const CERTIFICATE_DOWNLOAD: &str = "alipay.open.app.alipaycert.download";

/// Alipay's limits for `subject`, for `store_id` and `terminal_id`, and for `operator_id`.
const SUBJECT_BYTES: usize = 256;
const PLACE_BYTES: usize = 32;
const OPERATOR_BYTES: usize = 28;
/// The limit for `refund_reason`.
const REASON_BYTES: usize = 256;
/// The longest `timeout_express`: 15 days.
const LONGEST_MINUTES: i64 = 15 * 24 * 60;

/// What RSA2 signs: every parameter but `sign` that has a value, sorted by name, `k=v` joined by `&`, values as they
/// are. (A notification leaves out `sign_type` too; see [`super::notification`].)
pub(super) fn to_sign(parameters: &BTreeMap<&str, String>) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .filter(|(name, value)| **name != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The signed form of one call.
pub(super) fn form(
    credentials: &Credentials,
    method: &str,
    biz: &Value,
    notify_url: Option<&str>,
    now: UnixMillis,
) -> Result<String, CryptoError> {
    let mut parameters = BTreeMap::from([
        ("app_id", credentials.app_id.clone()),
        ("method", method.to_owned()),
        ("format", "JSON".to_owned()),
        ("charset", "utf-8".to_owned()),
        ("sign_type", "RSA2".to_owned()),
        ("timestamp", china_time::plain(now)),
        ("version", "1.0".to_owned()),
    ]);
    let content = match &credentials.content {
        Some(keys) if method != CERTIFICATE_DOWNLOAD => {
            parameters.insert("encrypt_type", "AES".to_owned());
            keys.encrypt(&biz.to_string())?
        }
        _ => biz.to_string(),
    };
    parameters.insert("biz_content", content);
    if let Some(numbers) = &credentials.numbers {
        parameters.insert("app_cert_sn", numbers.app.clone());
        parameters.insert("alipay_root_cert_sn", numbers.roots.clone());
    }
    if let Some(url) = notify_url {
        parameters.insert("notify_url", url.to_owned());
    }
    let sign = credentials.app_private_key.sign_base64(to_sign(&parameters).as_bytes())?;
    parameters.insert("sign", sign);
    serde_urlencoded::to_string(&parameters).map_err(|_| CryptoError::Refused("form encoding"))
}

/// What `pay` and `precreate` have in common.
pub(super) fn order(trade: &TradeRef, details: &TradeDetails) -> Value {
    let minutes = details.expires_at.saturating_sub(trade.started_at).saturating_add(59_999) / 60_000;
    let mut order = json!({
        "out_trade_no": trade.out_trade_no,
        "total_amount": trade.amount.to_decimal(),
        "subject": at_most(&subject(&details.description), SUBJECT_BYTES),
        "product_code": "FACE_TO_FACE_PAYMENT",
        "timeout_express": format!("{}m", minutes.clamp(1, LONGEST_MINUTES)),
        "store_id": at_most(&details.store, PLACE_BYTES),
        "terminal_id": at_most(&details.till, PLACE_BYTES),
    });
    if let Some(operator) = &details.operator {
        order["operator_id"] = json!(at_most(operator, OPERATOR_BYTES));
    }
    order
}

/// A refund's content.
pub(super) fn refund(trade: &TradeRef, refund: &RefundRef) -> Value {
    let mut content = json!({
        "out_trade_no": trade.out_trade_no,
        "refund_amount": refund.amount.to_decimal(),
        "out_request_no": refund.out_refund_no,
    });
    if let Some(reason) = refund.reason.as_deref().filter(|reason| !reason.trim().is_empty()) {
        content["refund_reason"] = json!(at_most(&subject(reason), REASON_BYTES));
    }
    content
}

/// Alipay refuses a subject with `/`, `=` or `&`; their full-width forms read the same. So do those of the comma and
/// the quotation mark, which would tear the lines of its bills.
fn subject(description: &str) -> String {
    description
        .chars()
        .map(|c| match c {
            '/' => '／',
            '=' => '＝',
            '&' => '＆',
            ',' => '，',
            '"' => '＂',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};
    use crate::payment::Way;

    fn sale(description: &str, seconds: i64) -> Value {
        let trade = TradeRef {
            out_trade_no: "20261124000001".parse().unwrap(),
            amount: Money::new(1_234, Currency::CNY),
            way: Way::ConsumerPresented,
            started_at: 1_000,
            provider_trade_no: None,
            paid_at: None,
        };
        let details = TradeDetails {
            description: description.into(),
            store: "s".repeat(64),
            till: "till-1".into(),
            operator: Some("o".repeat(64)),
            expires_at: 1_000 + seconds * 1_000,
            notify_url: None,
        };
        order(&trade, &details)
    }

    #[test]
    fn an_order_keeps_alipays_limits() {
        let order = sale("咖啡 & tea\n", 121);
        assert_eq!(order["total_amount"], "12.34");
        assert_eq!(order["subject"], "咖啡 ＆ tea ");
        assert_eq!(order["timeout_express"], "3m");
        assert_eq!(order["store_id"].as_str().unwrap().len(), 32);
        assert_eq!(order["operator_id"].as_str().unwrap().len(), 28);
        assert_eq!(sale("x", -5)["timeout_express"], "1m");
        assert_eq!(sale("x", i64::from(u32::MAX))["timeout_express"], "21600m");
        assert_eq!(sale(&"茶".repeat(200), 60)["subject"].as_str().unwrap().chars().count(), 85);
    }

    #[test]
    fn empty_values_and_the_signature_itself_are_not_signed() {
        let parameters = BTreeMap::from([
            ("version", "1.0".to_owned()),
            ("app_id", "1".to_owned()),
            ("notify_url", String::new()),
            ("sign", "x".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("biz_content", "{\"a\":\"中 文&=\"}".to_owned()),
        ]);
        assert_eq!(to_sign(&parameters), "app_id=1&biz_content={\"a\":\"中 文&=\"}&sign_type=RSA2&version=1.0");
    }
}
