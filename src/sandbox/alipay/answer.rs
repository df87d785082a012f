//! What the gateway says of a trade, and how it refuses. Pure.

use serde_json::{Value, json};

use crate::sandbox::book::{Millis, Refusal, Trade, TradeState};
use crate::sandbox::wire::{china, yuan};

/// How the gateway writes times.
pub(super) const TIME: &str = "%Y-%m-%d %H:%M:%S";

/// A refusal in the gateway's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    code: &'static str,
    msg: &'static str,
    sub_code: String,
    sub_msg: String,
}

impl Refused {
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code, "msg": self.msg, "sub_code": self.sub_code, "sub_msg": self.sub_msg })
    }
}

pub(super) fn invalid(sub_code: &str, sub_msg: &str) -> Refused {
    Refused { code: "40002", msg: "Invalid Arguments", sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

/// `what` as it stands in the sub-code, with hyphens.
pub(super) fn missing(what: &str) -> Refused {
    Refused {
        code: "40001",
        msg: "Missing Required Arguments",
        sub_code: format!("isv.missing-{what}"),
        sub_msg: format!("缺少{what}参数"),
    }
}

pub(super) fn business(sub_code: &str, sub_msg: &str) -> Refused {
    Refused { code: "40004", msg: "Business Failed", sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

/// A parameter of the business content that makes no sense.
pub(super) fn senseless() -> Refused {
    business("ACQ.INVALID_PARAMETER", "参数无效")
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::CodeInvalid | Refusal::CodeUsed | Refusal::CodeExpired => {
                business("ACQ.PAYMENT_AUTH_CODE_INVALID", "获取顾客账户信息失败，请顾客刷新付款码后重新收款。")
            }
            Refusal::Balance => business("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
            Refusal::Paid => business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
            Refusal::Closed => business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
            Refusal::Inconsistent => business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
            Refusal::Absent | Refusal::NoSuchCode => business("ACQ.TRADE_NOT_EXIST", "交易不存在"),
            Refusal::OtherPayer => business("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配"),
            Refusal::TooMuch => business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
            Refusal::RefundBegun => business("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"),
            Refusal::OtherRefund => business("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
            Refusal::TooLate => business("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围"),
            Refusal::WrongWay => business("ACQ.CANCEL_NOT_ALLOWED", "交易不允许撤销"),
            Refusal::WrongState | Refusal::TooSoon | Refusal::NoWallet | Refusal::OtherProvider(_) => {
                business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            }
        }
    }
}

pub(super) const fn status(trade: &Trade) -> &'static str {
    match trade.state {
        TradeState::Created | TradeState::WaitBuyerPay => "WAIT_BUYER_PAY",
        TradeState::Success => "TRADE_SUCCESS",
        TradeState::Closed | TradeState::Reversed | TradeState::Refunded => "TRADE_CLOSED",
    }
}

/// What every answer about a trade begins with.
pub(super) fn about(trade: &Trade, code: &str, msg: &str) -> Value {
    let mut told = json!({ "code": code, "msg": msg, "out_trade_no": trade.out_trade_no });
    if trade.is_begun() {
        told["trade_no"] = json!(trade.provider_trade_no);
    }
    told
}

/// The payer, as a merchant may know them.
pub(super) fn payer(trade: &Trade) -> [(&'static str, &'static str); 2] {
    match trade.wallet.as_deref() {
        Some("alipay-2") => [("buyer_logon_id", "zha***@sandbox.com"), ("buyer_user_id", "2088102100000002")],
        _ => [("buyer_logon_id", "lin***@sandbox.com"), ("buyer_user_id", "2088102100000001")],
    }
}

pub(super) fn with_payer(mut told: Value, trade: &Trade) -> Value {
    for (name, value) in payer(trade) {
        told[name] = json!(value);
    }
    told
}

/// A trade in full; `when` names the time of payment, which calls name differently.
pub(super) fn in_full(trade: &Trade, when: &str) -> Value {
    let mut told = with_payer(about(trade, "10000", "Success"), trade);
    told["total_amount"] = json!(yuan(trade.amount));
    let paid = if trade.paid_at.is_some() { trade.amount } else { 0 };
    told["receipt_amount"] = json!(yuan(paid));
    told["buyer_pay_amount"] = json!(yuan(paid));
    told["invoice_amount"] = json!(yuan(paid));
    told["point_amount"] = json!("0.00");
    if let Some(paid_at) = trade.paid_at {
        told[when] = json!(china(paid_at, TIME));
        told["fund_bill_list"] = json!([{ "amount": yuan(trade.amount), "fund_channel": "ALIPAYACCOUNT" }]);
    }
    told
}

/// `alipay.trade.refund`: `refund_fee` is all that went back so far.
pub(super) fn refunded(trade: &Trade, moved: bool, at: Millis) -> Value {
    let mut told = with_payer(about(trade, "10000", "Success"), trade);
    told["fund_change"] = json!(if moved { "Y" } else { "N" });
    told["refund_fee"] = json!(yuan(trade.refunded));
    told["gmt_refund_pay"] = json!(china(at, TIME));
    told["refund_detail_item_list"] = json!([{ "amount": yuan(trade.refunded), "fund_channel": "ALIPAYACCOUNT" }]);
    told["send_back_fee"] = json!(yuan(if moved { trade.refunds.last().map_or(0, |refund| refund.amount) } else { 0 }));
    told
}
