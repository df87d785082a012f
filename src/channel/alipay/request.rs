//! Building and signing a request. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::credentials::Credentials;
use crate::channel::china_time;
use crate::channel::{TradeDetails, TradeRef};
use crate::crypto::CryptoError;
use crate::payment::UnixMillis;

/// Alipay's limit for `subject`.
const SUBJECT_CHARACTERS: usize = 256;

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
        ("biz_content", biz.to_string()),
    ]);
    if let Some(url) = notify_url {
        parameters.insert("notify_url", url.to_owned());
    }
    let sign = credentials.app_private_key.sign_base64(to_sign(&parameters).as_bytes())?;
    parameters.insert("sign", sign);
    serde_urlencoded::to_string(&parameters).map_err(|_| CryptoError::Refused("form encoding"))
}

/// What `pay` and `precreate` have in common.
pub(super) fn order(trade: &TradeRef, details: &TradeDetails) -> Value {
    // Whole minutes, at least one: "1m".."15d".
    let minutes = ((details.expires_at - trade.started_at).max(0) + 59_999) / 60_000;
    let mut order = json!({
        "out_trade_no": trade.out_trade_no,
        "total_amount": trade.amount.to_decimal(),
        "subject": details.description.chars().take(SUBJECT_CHARACTERS).collect::<String>(),
        "product_code": "FACE_TO_FACE_PAYMENT",
        "timeout_express": format!("{}m", minutes.max(1)),
        "store_id": details.store,
        "terminal_id": details.till,
    });
    if let Some(operator) = &details.operator {
        order["operator_id"] = json!(operator);
    }
    order
}
