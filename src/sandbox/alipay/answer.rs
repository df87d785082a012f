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

pub(super) fn lacking(sub_code: &str, sub_msg: &str) -> Refused {
    let (code, msg) = ("40001", "Missing Required Arguments");
    Refused { code, msg, sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

/// A parameter of the business content is missing; `what` as it stands in the sub-code, with hyphens.
pub(super) fn missing(what: &str) -> Refused {
    lacking(&format!("isv.missing-{what}"), &format!("缺少{what}参数"))
}

pub(super) fn business(sub_code: &str, sub_msg: &str) -> Refused {
    Refused { code: "40004", msg: "Business Failed", sub_code: sub_code.into(), sub_msg: sub_msg.into() }
}

impl Refused {
    /// Something that had to be set up before is not.
    pub fn condition(sub_code: &str, sub_msg: &str) -> Self {
        let (code, msg) = ("40003", "Insufficient Conditions");
        Self { code, msg, sub_code: sub_code.into(), sub_msg: sub_msg.into() }
    }

    /// Any of the gateway's errors by its sub-code, as a planned fault names it.
    pub fn named(sub_code: &str) -> Self {
        let words =
            WORDS.iter().find(|(known, _)| *known == sub_code).map_or("业务处理失败", |(_, words)| *words);
        let (code, msg) = match sub_code.split_once('.') {
            Some(("isp" | "aop", _)) => ("20000", "Service Currently Unavailable"),
            Some(("isv", rest)) if rest.starts_with("insufficient-") => ("40006", "Insufficient Permissions"),
            Some(("isv", rest)) if rest.ends_with("-call-limited") => ("40005", "Call Limited"),
            Some(("isv", rest)) if rest.starts_with("missing-") => return lacking(sub_code, words),
            Some(("isv", _)) => return invalid(sub_code, words),
            _ => return business(sub_code, words),
        };
        Self { code, msg, sub_code: sub_code.into(), sub_msg: words.into() }
    }
}

/// What the gateway says with those sub-codes that the books never come to by themselves.
const WORDS: [(&str, &str); 24] = [
    ("isp.unknow-error", "服务暂不可用（业务系统不可用）"),
    ("aop.unknow-error", "服务暂不可用（网关自身的未知错误）"),
    ("aop.ACQ.SYSTEM_ERROR", "系统异常"),
    ("isv.insufficient-isv-permissions", "ISV权限不足"),
    ("isv.app-call-limited", "应用调用次数超限"),
    ("isv.method-call-limited", "接口调用次数超限"),
    ("ACQ.SYSTEM_ERROR", "接口返回错误"),
    ("ACQ.ACCESS_FORBIDDEN", "无权限使用接口"),
    ("ACQ.PAYMENT_FAIL", "支付失败"),
    ("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效"),
    ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
    ("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", "用户银行卡余额不足"),
    ("ACQ.ERROR_BALANCE_PAYMENT_DISABLE", "余额支付功能关闭"),
    ("ACQ.BUYER_SELLER_EQUAL", "买卖家不能相同"),
    ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限"),
    ("ACQ.BUYER_ENABLE_STATUS_FORBID", "买家状态非法"),
    ("ACQ.PULL_MOBILE_CASHIER_FAIL", "唤起移动收银台失败"),
    ("ACQ.MOBILE_PAYMENT_SWITCH_OFF", "用户的无线支付开关关闭"),
    ("ACQ.PAYMENT_REQUEST_HAS_RISK", "支付有风险"),
    ("ACQ.EXIST_FORBIDDEN_WORD", "订单信息中包含违禁词"),
    ("ACQ.PARTNER_ERROR", "合作伙伴信息有误"),
    ("ACQ.BEYOND_PAY_RESTRICTION", "商户收款额度超限"),
    ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "商户的支付宝账户中无足够的资金进行撤销或退款"),
    ("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款"),
];

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

/// A paid trade is finished a year later: it can be returned no more.
const FINISHED_AFTER: Millis = 365 * 86_400_000;

pub(super) fn is_finished(trade: &Trade, now: Millis) -> bool {
    trade.state == TradeState::Success && trade.paid_at.is_some_and(|paid_at| now >= paid_at + FINISHED_AFTER)
}

pub(super) fn status(trade: &Trade, now: Millis) -> &'static str {
    match trade.state {
        TradeState::Created | TradeState::WaitBuyerPay => "WAIT_BUYER_PAY",
        TradeState::Success if is_finished(trade, now) => "TRADE_FINISHED",
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
