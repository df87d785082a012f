//! Building a request's body. Pure.

use serde_json::{Value, json};

use super::credentials::Credentials;
use crate::channel::text::at_most;
use crate::channel::{RefundRef, TradeDetails, TradeRef, china_time};

/// WeChat Pay's limits for `description`, for `device_id` and `out_id`, and for a refund's `reason`.
const DESCRIPTION_BYTES: usize = 127;
const PLACE_BYTES: usize = 32;
const REASON_BYTES: usize = 80;

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

/// The body of `POST /v3/refund/domestic/refunds`.
pub(super) fn refund(trade: &TradeRef, refund: &RefundRef) -> Value {
    let currency = refund.amount.currency.code();
    let mut body = json!({
        "out_trade_no": trade.out_trade_no,
        "out_refund_no": refund.out_refund_no,
        "amount": { "refund": refund.amount.minor, "total": trade.amount.minor, "currency": currency },
    });
    if let Some(reason) = refund.reason.as_deref().filter(|reason| !reason.is_empty()) {
        body["reason"] = json!(at_most(reason, REASON_BYTES));
    }
    if let Some(url) = &refund.notify_url {
        body["notify_url"] = json!(url);
    }
    body
}
