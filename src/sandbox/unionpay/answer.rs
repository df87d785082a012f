//! What the gateway answers: codes and their words, and the fields of a transaction. Pure.

use super::message::Fields;
use crate::sandbox::book::{Millis, Movement, Refund, Refusal, Trade, TradeState};
use crate::sandbox::wire::china;

/// A refusal by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub String);

impl Refused {
    pub fn new(code: &str) -> Self {
        Self(code.to_owned())
    }

    /// A field that has to be there is not.
    pub fn missing() -> Self {
        Self::new("13")
    }

    /// A field is not of its form.
    pub fn malformed() -> Self {
        Self::new("10")
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::new(match refusal {
            Refusal::CodeInvalid | Refusal::NoSuchCode => "88",
            Refusal::CodeUsed | Refusal::CodeExpired => "86",
            Refusal::Balance => "64",
            Refusal::Paid | Refusal::Inconsistent | Refusal::OtherRefund => "12",
            Refusal::Absent => "34",
            Refusal::RefundBegun => "45",
            Refusal::TooMuch => "36",
            Refusal::TooLate | Refusal::TooSoon => "39",
            Refusal::Closed
            | Refusal::WrongState
            | Refusal::WrongWay
            | Refusal::NoWallet
            | Refusal::OtherProvider(_)
            | Refusal::OtherPayer => "35",
        })
    }
}

/// The gateway's words for a code.
pub(super) fn words(code: &str) -> &'static str {
    match code {
        "00" => "成功[0000000]",
        "A6" => "有缺陷的成功",
        "01" => "交易失败。详情请咨询95516",
        "02" => "系统未开放或暂时关闭，请稍后再试",
        "03" => "交易通讯超时，请发起查询交易",
        "04" => "交易状态未明，请查询对账结果",
        "05" => "交易已受理，请稍后查询交易结果[6154037]",
        "06" => "系统繁忙，请稍后再试",
        "10" => "报文格式错误",
        "11" => "验证签名失败",
        "12" => "重复交易",
        "13" => "报文交易要素缺失",
        "31" => "商户状态不正确",
        "32" => "无此交易权限",
        "33" => "交易金额超限",
        "34" => "查无此交易",
        "35" => "原交易不存在或状态不正确",
        "36" => "与原交易信息不符",
        "39" => "交易不在受理时间范围内",
        "45" => "原交易已被成功退货或已被成功撤销",
        "46" => "交易已被成功冲正",
        "64" => "卡上的余额不足",
        "69" => "您的输入超时，交易失败",
        "86" => "二维码状态错误",
        "88" => "无此二维码",
        "98" => "文件不存在",
        _ => "通用错误",
    }
}

/// What every answer repeats of its request.
pub(super) fn repeated(request: &Fields) -> Fields {
    const NAMES: [&str; 17] = [
        "accessType",
        "bizType",
        "currencyCode",
        "encoding",
        "fileType",
        "merId",
        "orderId",
        "origQryId",
        "reqReserved",
        "reserved",
        "settleDate",
        "signMethod",
        "txnAmt",
        "txnSubType",
        "txnTime",
        "txnType",
        "version",
    ];
    NAMES
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), request.get(name).filter(|value| !value.is_empty())?.clone())))
        .collect()
}

pub(super) fn with_code(mut fields: Fields, code: &str) -> Fields {
    fields.insert("respCode".into(), code.to_owned());
    fields.insert("respMsg".into(), words(code).to_owned());
    fields
}

/// The six digits of a transaction's number (`queryId`) that count it within the system.
pub(super) fn trace(query_id: &str) -> &str {
    query_id.get(14..20).unwrap_or_default()
}

/// The payer's card, masked.
pub(super) fn card(trade: &Trade) -> &'static str {
    match trade.wallet.as_deref() {
        Some("unionpay-2") => "621626*********0026",
        _ => "621626*********0018",
    }
}

/// How a payment stands; `None` where the gateway knows nothing of it, because nobody has scanned the shown code.
pub(super) fn state(trade: &Trade) -> Option<&str> {
    if let Some(code) = trade.details.get("failed") {
        return Some(code);
    }
    if !trade.is_begun() && trade.state != TradeState::Reversed {
        return None;
    }
    Some(match trade.state {
        TradeState::Success | TradeState::Refunded => "00",
        TradeState::Created | TradeState::WaitBuyerPay => "05",
        TradeState::Reversed => "46",
        TradeState::Closed if trade.refused => "01",
        TradeState::Closed => "69",
    })
}

/// The day in whose settlement something falls: a day ends at 23:00 in China.
pub(super) fn settlement_day(at: Millis, form: &str) -> String {
    china(at + 3_600_000, form)
}

fn money(fields: &mut Fields, query_id: &str, amount: i64, at: Millis) {
    let put = |(name, value): (&str, String)| fields.insert(name.to_owned(), value);
    [
        ("queryId", query_id.to_owned()),
        ("traceNo", trace(query_id).to_owned()),
        ("traceTime", china(at, "%m%d%H%M%S")),
        ("txnAmt", amount.to_string()),
        ("currencyCode", "156".to_owned()),
        ("settleAmt", amount.to_string()),
        ("settleCurrencyCode", "156".to_owned()),
        ("settleDate", settlement_day(at, "%m%d")),
    ]
    .into_iter()
    .map(put)
    .for_each(drop);
}

/// What a query or a notification says of a payment.
pub(super) fn payment(mut fields: Fields, trade: &Trade) -> Fields {
    let at = trade.paid_at.unwrap_or(trade.created_at);
    money(&mut fields, &trade.provider_trade_no, trade.amount, at);
    if trade.paid_at.is_some() {
        fields.insert("accNo".into(), card(trade).into());
        fields.insert("payCardType".into(), "01".into());
        fields.insert("payType".into(), "0201".into());
    } else {
        fields.insert("settleAmt".into(), "0".into());
    }
    repeat(fields, &trade.out_trade_no, "01", trade.attach.as_deref(), &trade.details)
}

/// The same of a refund or a void.
pub(super) fn return_of(mut fields: Fields, trade: &Trade, refund: &Refund) -> Fields {
    money(&mut fields, &refund.refund_id, refund.amount, refund.at);
    fields.insert("accNo".into(), card(trade).into());
    fields.insert("origQryId".into(), trade.provider_trade_no.clone());
    fields.insert("origOrderId".into(), trade.out_trade_no.clone());
    fields.insert("origTxnTime".into(), trade.details.get("txnTime").cloned().unwrap_or_default());
    let attach = refund.details.get("reqReserved").map(String::as_str);
    repeat(fields, &refund.out_refund_no, kind(refund), attach, &refund.details)
}

/// `04` a refund, `31` a void.
pub(super) fn kind(refund: &Refund) -> &str {
    refund.details.get("txnType").map_or("04", String::as_str)
}

/// The transaction's own identity, as its request had it.
fn repeat(
    mut fields: Fields,
    order_id: &str,
    txn_type: &str,
    attach: Option<&str>,
    details: &crate::sandbox::book::Details,
) -> Fields {
    let detail = |name: &str| details.get(name).cloned().unwrap_or_default();
    fields.insert("orderId".into(), order_id.to_owned());
    fields.insert("txnTime".into(), detail("txnTime"));
    fields.insert("txnType".into(), txn_type.to_owned());
    fields.insert("txnSubType".into(), detail("txnSubType"));
    fields.insert("termId".into(), detail("termId"));
    fields.insert("reqReserved".into(), attach.unwrap_or_default().to_owned());
    fields
}

/// What a line of the settlement file is about; `None` for what cancels itself.
pub(super) fn listed(movement: &Movement) -> Option<Option<&Refund>> {
    match movement {
        Movement::Paid => Some(None),
        Movement::Refunded(refund) => Some(Some(refund)),
        Movement::Reversed => None,
    }
}
