//! What an answer means, call by call. Pure; the signature was checked before.

use super::answer::Body;
use crate::channel::china_time;
use crate::channel::{
    BillError, CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeRef, VoidOutcome,
};
use crate::money::{Currency, Money};
use crate::payment::{Failure, FailureReason, UnixMillis};

fn failure(body: &Body, reason: FailureReason) -> Failure {
    Failure { reason, provider_code: body.code().to_owned(), provider_message: body.message() }
}

/// A refusal by the gateway itself, before it looked at any order.
pub(super) fn refusal(body: &Body) -> Failure {
    let reason = match body.get("sub_code") {
        // Our request or our clock, not the merchant's contract.
        "isv.invalid-parameter"
        | "isv.invalid-timestamp"
        | "isv.missing-timestamp"
        | "isv.invalid-encoding"
        | "isv.invalid-format"
        | "isv.invalid-charset" => FailureReason::RequestRefused,
        _ => FailureReason::MerchantAccount,
    };
    failure(body, reason)
}

/// Our reason for a business refusal (`40004`); `None` where it leaves the result unknown.
fn reason(body: &Body) -> Option<FailureReason> {
    if body.get("code") != "40004" {
        return None;
    }
    let sub_code = body.get("sub_code");
    // ACQ.SYSTEM_ERROR, aop.ACQ.SYSTEM_ERROR, AQC.SYSTEM_ERROR (so spelt by some calls), isp.unknow-error.
    if sub_code.is_empty() || sub_code.ends_with("SYSTEM_ERROR") || sub_code.ends_with("unknow-error") {
        return None;
    }
    Some(match sub_code {
        // The number is taken: what became of it, a query tells.
        "ACQ.TRADE_HAS_SUCCESS" | "ACQ.TRADE_HAS_CLOSE" | "ACQ.TRADE_HAS_FINISHED" | "ACQ.CONTEXT_INCONSISTENT" => {
            return None;
        }
        "ACQ.PAYMENT_AUTH_CODE_INVALID" => FailureReason::CodeExpired,
        "ACQ.BUYER_BALANCE_NOT_ENOUGH"
        | "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH"
        | "ACQ.ERROR_BALANCE_PAYMENT_DISABLE" => FailureReason::InsufficientFunds,
        "ACQ.PULL_MOBILE_CASHIER_FAIL" | "ACQ.PAYMENT_FAIL" | "ACQ.USER_REFUSED" => FailureReason::CustomerRefused,
        "ACQ.TOTAL_FEE_EXCEED"
        | "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR"
        | "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR"
        | "ACQ.BEYOND_PAY_RESTRICTION"
        | "ACQ.BEYOND_PER_RECEIPT_RESTRICTION"
        | "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT"
        | "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR" => FailureReason::LimitExceeded,
        "ACQ.BUYER_SELLER_EQUAL"
        | "ACQ.TRADE_BUYER_NOT_MATCH"
        | "ACQ.BUYER_ENABLE_STATUS_FORBID"
        | "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE"
        | "ACQ.USER_FACE_PAYMENT_SWITCH_OFF"
        | "ACQ.MOBILE_PAYMENT_SWITCH_OFF" => FailureReason::CustomerAccount,
        "ACQ.INVALID_PARAMETER" | "ACQ.EXIST_FORBIDDEN_WORD" => FailureReason::RequestRefused,
        "ACQ.ACCESS_FORBIDDEN"
        | "ACQ.PARTNER_ERROR"
        | "ACQ.SELLER_NOT_EXIST"
        | "ACQ.SELLER_BEEN_BLOCKED"
        | "ACQ.ERROR_SELLER_CERTIFY_LEVEL_LIMIT"
        | "ACQ.MERCHANT_AGREEMENT_NOT_EXIST"
        | "ACQ.SELLER_BALANCE_NOT_ENOUGH" => FailureReason::MerchantAccount,
        _ => FailureReason::ProviderRefused,
    })
}

/// Whether the answer is about this trade.
fn is_about(trade: &TradeRef, body: &Body) -> bool {
    body.get("out_trade_no") == trade.out_trade_no.as_str()
}

fn of_another_order<T>(unknown: impl Fn(String) -> T) -> T {
    unknown("the answer is about another order".into())
}

fn when(body: &Body) -> Option<UnixMillis> {
    ["gmt_payment", "send_pay_date"].iter().find_map(|name| china_time::read_plain(body.get(name)))
}

/// The payment that the answer tells of. `now` stands in where it does not say when.
fn payment(body: &Body, now: UnixMillis) -> Option<Paid> {
    let text = |name: &str| Some(body.get(name).to_owned()).filter(|text| !text.is_empty());
    Some(Paid {
        provider_trade_no: text("trade_no")?,
        amount: Money::parse(body.get("total_amount"), Currency::CNY).ok()?,
        payer: text("buyer_logon_id"),
        paid_at: when(body).unwrap_or(now),
    })
}

const INCOMPLETE: &str = "Alipay says paid, but not which trade or how much";

/// `alipay.trade.precreate`
pub(super) fn created(trade: &TradeRef, body: &Body) -> CodeOutcome {
    match (body.get("code"), reason(body)) {
        ("10000", _) if !is_about(trade, body) => of_another_order(CodeOutcome::Unknown),
        ("10000", _) if !body.get("qr_code").is_empty() => CodeOutcome::Shown { code: body.get("qr_code").to_owned() },
        (_, Some(reason)) => CodeOutcome::Failed(failure(body, reason)),
        _ => CodeOutcome::Unknown(body.words()),
    }
}

/// `alipay.trade.pay`
pub(super) fn paid(trade: &TradeRef, body: &Body, now: UnixMillis) -> PayOutcome {
    match (body.get("code"), reason(body)) {
        ("10000" | "10003", _) if !is_about(trade, body) => of_another_order(PayOutcome::Unknown),
        ("10000", _) => payment(body, now).map_or_else(|| PayOutcome::Unknown(INCOMPLETE.to_owned()), PayOutcome::Paid),
        ("10003", _) => PayOutcome::CustomerConfirming,
        (_, Some(reason)) => PayOutcome::Failed(failure(body, reason)),
        _ => PayOutcome::Unknown(body.words()),
    }
}

/// `alipay.trade.query`
pub(super) fn queried(trade: &TradeRef, body: &Body, now: UnixMillis) -> QueryOutcome {
    match body.get("code") {
        "10000" if is_about(trade, body) => of_status(body, now),
        "10000" => of_another_order(QueryOutcome::Unknown),
        // A precreated order does not exist until somebody has scanned it.
        "40004" if body.get("sub_code") == "ACQ.TRADE_NOT_EXIST" => QueryOutcome::NotFound,
        _ => QueryOutcome::Unknown(body.words()),
    }
}

/// What a `trade_status` means, in a query's answer and in a notification.
pub(super) fn of_status(body: &Body, now: UnixMillis) -> QueryOutcome {
    match body.get("trade_status") {
        "TRADE_SUCCESS" | "TRADE_FINISHED" => {
            payment(body, now).map_or_else(|| QueryOutcome::Unknown(INCOMPLETE.to_owned()), QueryOutcome::Paid)
        }
        // Somebody has scanned: the customer is at it.
        "WAIT_BUYER_PAY" => QueryOutcome::CustomerConfirming,
        // Closed although it was paid once means that all of it went back.
        "TRADE_CLOSED" if when(body).is_some() => QueryOutcome::Returned,
        "TRADE_CLOSED" => QueryOutcome::Closed,
        other => QueryOutcome::Unknown(format!("Alipay says {other}")),
    }
}

/// `alipay.trade.cancel` and, past cancel's time, `alipay.trade.close`.
pub(super) fn voided(trade: &TradeRef, body: &Body) -> VoidOutcome {
    // Nothing was there to take back: Alipay then leaves out the action, and some answers the number.
    let about = is_about(trade, body) || (body.get("out_trade_no").is_empty() && body.get("action").is_empty());
    match (body.get("code"), body.get("retry_flag"), body.get("action"), body.get("sub_code")) {
        (_, "Y", ..) => VoidOutcome::Unknown(format!("{}, and asks to cancel again", body.words())),
        ("10000", ..) if !about => of_another_order(VoidOutcome::Unknown),
        ("10000", _, "refund", _) => VoidOutcome::Returned,
        ("10000", _, "close" | "", _) => VoidOutcome::Closed,
        ("40004", .., "ACQ.TRADE_NOT_EXIST") => VoidOutcome::Closed,
        // Paid, and it can only be refunded; or it ended otherwise, and the query that follows says so.
        (
            "40004",
            ..,
            "ACQ.TRADE_CANCEL_TIME_OUT"
            | "ACQ.CANCEL_NOT_ALLOWED"
            | "ACQ.TRADE_HAS_FINISHED"
            | "ACQ.TRADE_STATUS_ERROR"
            | "ACQ.REASON_TRADE_STATUS_INVALID"
            | "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        ) => VoidOutcome::AlreadyPaid,
        _ => match reason(body) {
            Some(reason) => VoidOutcome::Failed(failure(body, reason)),
            None => VoidOutcome::Unknown(body.words()),
        },
    }
}

/// `alipay.trade.refund`. `None` where only `alipay.trade.fastpay.refund.query` tells: the call moved nothing, or the
/// trade is at an end, which an earlier request of ours may have done.
pub(super) fn refunded(trade: &TradeRef, body: &Body) -> Option<RefundOutcome> {
    Some(match (body.get("code"), body.get("sub_code")) {
        ("10000", _) if !is_about(trade, body) => of_another_order(RefundOutcome::Unknown),
        ("10000", _) if body.get("fund_change") == "Y" => RefundOutcome::Done,
        ("10000", _) => return None,
        ("40004", "ACQ.TRADE_HAS_FINISHED" | "ACQ.TRADE_HAS_CLOSE" | "ACQ.TRADE_STATUS_ERROR") => return None,
        _ => match reason(body) {
            Some(reason) => RefundOutcome::Failed(failure(body, reason)),
            None => RefundOutcome::Unknown(body.words()),
        },
    })
}

/// What a refund has come to that was refused because of the trade's state, after the query that `queried` came of.
pub(super) fn refused_or(refused: &Body, queried: RefundOutcome) -> RefundOutcome {
    match queried {
        RefundOutcome::NotFound if refused.get("code") != "10000" => {
            RefundOutcome::Failed(failure(refused, FailureReason::ProviderRefused))
        }
        // Neither done nor refused: it is asked for again.
        RefundOutcome::NotFound => RefundOutcome::Processing,
        other => other,
    }
}

/// `alipay.trade.fastpay.refund.query`. Without a status the refund was not received or has failed: the same refund
/// may be asked for again.
pub(super) fn refund_queried(trade: &TradeRef, refund: &RefundRef, body: &Body) -> RefundOutcome {
    let about = is_about(trade, body) && body.get("out_request_no") == refund.out_refund_no;
    let amount = Money::parse(body.get("refund_amount"), Currency::CNY);
    match (body.get("code"), body.get("refund_status")) {
        ("10000", "REFUND_SUCCESS") if !about => of_another_order(RefundOutcome::Unknown),
        ("10000", "REFUND_SUCCESS") if amount.is_ok_and(|amount| amount != refund.amount) => {
            RefundOutcome::Unknown("Alipay has a refund of that number over another amount".into())
        }
        ("10000", "REFUND_SUCCESS") => RefundOutcome::Done,
        ("10000", "") => RefundOutcome::NotFound,
        ("10000", _) => RefundOutcome::Processing,
        _ => RefundOutcome::Unknown(body.words()),
    }
}

/// `alipay.data.dataservice.bill.downloadurl.query`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BillAnswer {
    /// It lies here for half a minute.
    At(String),
    /// There is none: it is not made yet, or there was no business.
    None,
    /// There was no business.
    Empty,
}

/// Where a bill lies.
pub(super) fn bill(body: &Body) -> Result<BillAnswer, BillError> {
    let address = body.get("bill_download_url");
    match (body.get("code"), body.get("sub_code").to_ascii_lowercase().replace('-', "_").as_str()) {
        ("10000", _) if !address.is_empty() => Ok(BillAnswer::At(address.to_owned())),
        ("10000", _) if body.get("bill_file_code") == "EMPTY_DATA_WITH_BILL_FILE" => Ok(BillAnswer::Empty),
        ("10000", _) => Err(BillError::Unreachable("Alipay names no address for it".into())),
        // `isp.bill_not_exist` as the gateway writes it, `BILL_NOT_EXIST` as its documents do.
        ("40004", code) if code.ends_with("bill_not_exist") => Ok(BillAnswer::None),
        _ => match reason(body) {
            Some(reason) => Err(BillError::Refused(failure(body, reason))),
            None => Err(BillError::Unreachable(body.words())),
        },
    }
}
