//! What the platform says of a transaction and of a refund by APIv3. Pure but for the nonces of what is sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::settling::RefundStatus;
use crate::crypto::{random_bytes, seal_aes256_gcm};
use crate::sandbox::book::{Millis, Refund, Trade, TradeState};
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::china;

/// How the platform writes times.
pub(super) const TIME: &str = "%Y-%m-%dT%H:%M:%S+08:00";
/// Where a refund goes: every payer here pays from the wallet's own balance.
pub(super) const RECEIVED_BY: &str = "支付用户零钱";

/// Where a transaction stands, in the platform's words: of both versions of its interface.
pub(super) fn state(trade: &Trade) -> (&'static str, &'static str) {
    match trade.state {
        TradeState::WaitBuyerPay if trade.by_code => ("USERPAYING", "用户支付中，需要输入密码"),
        TradeState::Created | TradeState::WaitBuyerPay => ("NOTPAY", "订单未支付"),
        TradeState::Refunded => ("REFUND", "订单发生过退款，退款详情请查询退款单"),
        TradeState::Success if trade.refunded > 0 => ("REFUND", "订单发生过退款，退款详情请查询退款单"),
        TradeState::Success => ("SUCCESS", "支付成功"),
        TradeState::Closed if trade.by_code && trade.refused => ("PAYERROR", "用户取消支付"),
        TradeState::Closed => ("CLOSED", "订单已关闭"),
        TradeState::Reversed => ("REVOKED", "订单已撤销"),
    }
}

/// How the customer paid.
pub(super) const fn trade_type(trade: &Trade) -> &'static str {
    if trade.by_code { "MICROPAY" } else { "NATIVE" }
}

/// Who paid, as the merchant knows the customer.
pub(super) fn openid(trade: &Trade) -> &'static str {
    match trade.wallet.as_deref() {
        Some("wechatpay-2") => "oSBpoorC8jW2kQ5rT9vXyZ1aBcDe",
        _ => "oSBrichL4nM7pQ2sU6wXzA3bCdEf",
    }
}

/// A transaction as answers and notifications tell it.
pub(super) fn transaction(keys: &WechatpayKeys, trade: &Trade) -> Value {
    let (trade_state, trade_state_desc) = state(trade);
    let mut told = json!({
        "appid": keys.appid,
        "mchid": keys.mchid,
        "out_trade_no": trade.out_trade_no,
        "trade_type": trade_type(trade),
        "trade_state": trade_state,
        "trade_state_desc": trade_state_desc,
        "amount": { "total": trade.amount, "currency": "CNY" },
    });
    if let Some(attach) = &trade.attach {
        told["attach"] = json!(attach);
    }
    if let Some(paid_at) = trade.paid_at {
        told["transaction_id"] = json!(trade.provider_trade_no);
        told["bank_type"] = json!("OTHERS");
        told["success_time"] = json!(china(paid_at, TIME));
        told["payer"] = json!({ "openid": openid(trade) });
        told["amount"] =
            json!({ "total": trade.amount, "payer_total": trade.amount, "currency": "CNY", "payer_currency": "CNY" });
    }
    told
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/reverse`
pub(super) fn reversed(keys: &WechatpayKeys, out_trade_no: &str) -> Value {
    json!({ "appid": keys.appid, "mchid": keys.mchid, "out_trade_no": out_trade_no })
}

/// A refund as its call and its query tell it.
pub(super) fn refund(trade: &Trade, refund: &Refund, now: Millis) -> Value {
    let status = RefundStatus::of(refund, now);
    let mut told = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": trade.provider_trade_no,
        "out_trade_no": trade.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": RECEIVED_BY,
        "create_time": china(refund.at, TIME),
        "status": status.name(),
        "funds_account": "AVAILABLE",
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount, "payer_refund": refund.amount,
            "settlement_refund": refund.amount, "settlement_total": trade.amount, "discount_refund": 0, "currency": "CNY",
            "refund_fee": 0,
        },
    });
    if let RefundStatus::Success { at } = status {
        told["success_time"] = json!(china(at, TIME));
    }
    told
}

/// A refund as its notification tells it.
pub(super) fn refund_told(keys: &WechatpayKeys, trade: &Trade, refund: &Refund, now: Millis) -> Value {
    let status = RefundStatus::of(refund, now);
    let mut told = json!({
        "mchid": keys.mchid,
        "out_trade_no": trade.out_trade_no,
        "transaction_id": trade.provider_trade_no,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": status.name(),
        "user_received_account": RECEIVED_BY,
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount, "payer_refund": refund.amount,
        },
    });
    if let RefundStatus::Success { at } = status {
        told["success_time"] = json!(china(at, TIME));
    }
    told
}

/// Seals a text with the merchant's APIv3 key, as the platform does.
pub(super) fn sealed(api_v3_key: &str, associated: &str, plain: &str) -> Value {
    // Twelve letters: the nonce travels as text.
    let nonce = hex::encode(random_bytes::<6>());
    let sealed = seal_aes256_gcm(api_v3_key.as_bytes(), nonce.as_bytes(), associated.as_bytes(), plain.as_bytes());
    json!({
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": nonce,
        "associated_data": associated,
        "ciphertext": BASE64.encode(sealed.unwrap_or_default()),
    })
}
