//! Building a request. Pure.

use serde_json::{Value, json};

use super::credentials::Credentials;
use crate::channel::{TradeDetails, TradeRef};

/// WeChat Pay's limit for `description`.
const DESCRIPTION_CHARACTERS: usize = 127;

/// What Native and codepay have in common.
pub(super) fn order(credentials: &Credentials, trade: &TradeRef, details: &TradeDetails) -> Value {
    let mut order = json!({
        "appid": credentials.appid,
        "mchid": credentials.mchid,
        "description": details.description.chars().take(DESCRIPTION_CHARACTERS).collect::<String>(),
        "out_trade_no": trade.out_trade_no,
        "amount": { "total": trade.amount.minor, "currency": trade.amount.currency.code() },
    });
    if let Some(url) = &details.notify_url {
        order["notify_url"] = json!(url);
    }
    order
}
