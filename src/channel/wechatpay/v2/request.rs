//! Building a request's fields. Pure.

use super::credentials::Credentials;
use super::sign::{SignType, signature};
use super::xml::Message;
use crate::channel::text::at_most;
use crate::channel::{RefundRef, TradeDetails, TradeRef, china_time};
use crate::crypto::random_bytes;

/// WeChat Pay's limits for `body`, `device_info` and `refund_desc`.
const BODY_BYTES: usize = 127;
const DEVICE_BYTES: usize = 32;
const REASON_BYTES: usize = 80;
/// The platform wants the address of the machine that asks, and takes this one from machines that do not know theirs.
const OWN_ADDRESS: &str = "127.0.0.1";

/// Puts in what every request carries, and the signature.
pub(super) fn signed(credentials: &Credentials, mut message: Message, sign_type: SignType) -> Message {
    message.set("appid", credentials.appid.as_str());
    message.set("mch_id", credentials.mchid.as_str());
    message.set("nonce_str", hex::encode_upper(random_bytes::<16>()));
    message.set("sign_type", sign_type.name());
    let sign = signature(&message, &credentials.key.key, sign_type);
    message.set("sign", sign);
    message
}

/// A message that names an order.
pub(super) fn about(trade: &TradeRef) -> Message {
    let mut message = Message::new();
    message.set("out_trade_no", trade.out_trade_no.as_str());
    message
}

/// What `micropay` and `unifiedorder` have in common.
fn order(trade: &TradeRef, details: &TradeDetails) -> Message {
    let mut message = about(trade);
    message.set("body", at_most(&details.description, BODY_BYTES));
    message.set("device_info", at_most(&details.till, DEVICE_BYTES));
    message.set("total_fee", trade.amount.minor.to_string());
    message.set("fee_type", trade.amount.currency.code());
    message.set("spbill_create_ip", OWN_ADDRESS);
    message
}

/// `/pay/micropay`
pub(super) fn micropay(trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> Message {
    let mut message = order(trade, details);
    message.set("auth_code", auth_code);
    message
}

/// `/pay/unifiedorder` for a code to show.
pub(super) fn unifiedorder(trade: &TradeRef, details: &TradeDetails) -> Message {
    let mut message = order(trade, details);
    message.set("trade_type", "NATIVE");
    message.set("product_id", trade.out_trade_no.as_str());
    message.set("time_expire", china_time::compact(details.expires_at));
    // The real platform refuses an order without one.
    message.set("notify_url", details.notify_url.clone().unwrap_or_default());
    message
}

/// `/secapi/pay/refund`
pub(super) fn refund(trade: &TradeRef, refund: &RefundRef) -> Message {
    let mut message = about(trade);
    message.set("out_refund_no", refund.out_refund_no.as_str());
    message.set("total_fee", trade.amount.minor.to_string());
    message.set("refund_fee", refund.amount.minor.to_string());
    message.set("refund_fee_type", refund.amount.currency.code());
    message.set("refund_desc", at_most(refund.reason.as_deref().unwrap_or(""), REASON_BYTES));
    message.set("notify_url", refund.notify_url.clone().unwrap_or_default());
    message
}
