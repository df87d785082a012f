//! Building a request. Pure.

use serde_json::{Value, json};

use super::credentials::Credentials;
use crate::channel::text::at_most;
use crate::channel::{TradeDetails, TradeRef, china_time};

/// WeChat Pay's limits for `description`, and for `device_id` and `out_id`.
const DESCRIPTION_BYTES: usize = 127;
const PLACE_BYTES: usize = 32;

/// What Native and codepay have in common.
fn order(credentials: &Credentials, trade: &TradeRef, details: &TradeDetails) -> Value {
    json!({
        "appid": credentials.appid,
        "mchid": credentials.mchid,
        "description": at_most(&details.description, DESCRIPTION_BYTES),
        "out_trade_no": trade.out_trade_no,
        "amount": { "total": trade.amount.minor, "currency": trade.amount.currency.code() },
    })
}

/// The body of `POST /v3/pay/transactions/native`.
pub(super) fn native(credentials: &Credentials, trade: &TradeRef, details: &TradeDetails) -> Value {
    let mut order = order(credentials, trade, details);
    order["time_expire"] = json!(china_time::rfc3339(details.expires_at));
    // The real platform refuses an order without one, or with one that is not https.
    if let Some(url) = &details.notify_url {
        order["notify_url"] = json!(url);
    }
    order
}

/// The body of `POST /v3/pay/transactions/codepay`, which knows no expiry and sends no notification.
pub(super) fn codepay(credentials: &Credentials, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> Value {
    let mut order = order(credentials, trade, details);
    order["payer"] = json!({ "auth_code": auth_code });
    order["scene_info"] = json!({
        "device_id": at_most(&details.till, PLACE_BYTES),
        "store_info": { "out_id": at_most(&details.store, PLACE_BYTES) },
    });
    order
}
