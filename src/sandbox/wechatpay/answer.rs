//! What the platform says of a transaction, and how it refuses. Pure but for the nonces of what is sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::crypto::{random_bytes, seal_aes256_gcm};
use crate::sandbox::book::{self, Refusal, Trade, TradeState};
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::china;

/// How the platform writes times.
pub(super) const TIME: &str = "%Y-%m-%dT%H:%M:%S+08:00";

/// An error in the platform's words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub status: u16,
    code: &'static str,
    message: String,
    pub detail: Option<Value>,
}

impl Refused {
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), detail: None }
    }

    pub fn param(message: &str) -> Self {
        Self::new(400, "PARAM_ERROR", message)
    }

    pub fn no_resource(message: &str) -> Self {
        Self::new(404, "RESOURCE_NOT_EXISTS", message)
    }

    pub fn to_json(&self) -> Value {
        let mut told = json!({ "code": self.code, "message": self.message });
        if let Some(detail) = &self.detail {
            told["detail"] = detail.clone();
        }
        told
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CodeInvalid => Self::new(400, "AUTH_CODE_INVALID", "请扫描微信支付付款码"),
            Refusal::CodeUsed => Self::new(400, "AUTH_CODE_EXPIRE", "每个二维码仅限使用一次，请刷新再试"),
            Refusal::CodeExpired => Self::new(400, "AUTH_CODE_EXPIRE", "付款码已过期，请刷新再试"),
            Refusal::Balance => Self::new(403, "NOT_ENOUGH", "用户的账户余额不足"),
            Refusal::Paid => Self::new(400, "ORDERPAID", "该订单已支付"),
            Refusal::Closed => Self::new(400, "ORDER_CLOSED", "该订单已关闭"),
            Refusal::Inconsistent => Self::new(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
            Refusal::Absent | Refusal::NoSuchCode => Self::new(404, "ORDER_NOT_EXIST", "订单不存在"),
            Refusal::TooMuch => Self::invalid("申请退款金额大于订单可退金额"),
            Refusal::OtherRefund => Self::invalid("商户退款单号已存在，且与之前的请求不一致"),
            Refusal::TooSoon => Self::invalid("请勿在支付后立即撤销，请15秒后再试"),
            Refusal::WrongWay => Self::invalid("订单的支付场景不支持该请求"),
            Refusal::TooLate => Self::new(400, "REVERSE_EXPIRE", "订单无法撤销，已超过撤销有效期"),
            Refusal::WrongState | Refusal::RefundBegun => Self::new(403, "TRADE_ERROR", "订单状态不支持该请求"),
            Refusal::NoWallet | Refusal::OtherPayer | Refusal::OtherProvider(_) => {
                Self::new(403, "TRADE_ERROR", "交易错误")
            }
        }
    }
}

impl Refused {
    fn invalid(message: &str) -> Self {
        Self::new(400, "INVALID_REQUEST", message)
    }
}

fn state(trade: &Trade) -> (&'static str, &'static str) {
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

/// A transaction as answers and notifications tell it.
pub(super) fn transaction(credentials: &WechatpayKeys, trade: &Trade) -> Value {
    let (trade_state, trade_state_desc) = state(trade);
    let mut told = json!({
        "appid": credentials.appid,
        "mchid": credentials.mchid,
        "out_trade_no": trade.out_trade_no,
        "trade_type": if trade.by_code { "MICROPAY" } else { "NATIVE" },
        "trade_state": trade_state,
        "trade_state_desc": trade_state_desc,
        "attach": trade.attach.as_deref().unwrap_or(""),
        "amount": { "total": trade.amount, "currency": "CNY" },
    });
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

fn openid(trade: &Trade) -> &'static str {
    match trade.wallet.as_deref() {
        Some("wechatpay-2") => "oSBpoorC8jW2kQ5rT9vXyZ1aBcDe",
        _ => "oSBrichL4nM7pQ2sU6wXzA3bCdEf",
    }
}

/// `POST /v3/pay/transactions/out-trade-no/{n}/reverse`
pub(super) fn reversed(credentials: &WechatpayKeys, out_trade_no: &str) -> Value {
    json!({ "appid": credentials.appid, "mchid": credentials.mchid, "out_trade_no": out_trade_no })
}

/// A refund as its call and its query tell it.
pub(super) fn refund(trade: &Trade, refund: &book::Refund) -> Value {
    let at = china(refund.at, TIME);
    json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": trade.provider_trade_no,
        "out_trade_no": trade.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "success_time": at,
        "create_time": at,
        "status": "SUCCESS",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount, "payer_refund": refund.amount,
            "settlement_refund": refund.amount, "settlement_total": trade.amount, "discount_refund": 0, "currency": "CNY",
        },
    })
}

/// A refund as its notification tells it.
pub(super) fn refunded(credentials: &WechatpayKeys, trade: &Trade, refund: &book::Refund) -> Value {
    json!({
        "mchid": credentials.mchid,
        "out_trade_no": trade.out_trade_no,
        "transaction_id": trade.provider_trade_no,
        "out_refund_no": refund.out_refund_no,
        "refund_id": refund.refund_id,
        "refund_status": "SUCCESS",
        "success_time": china(refund.at, TIME),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount, "payer_refund": refund.amount,
        },
    })
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
