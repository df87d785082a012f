//! Reading an answer: signature over the raw bytes first, then meaning. Pure.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::china_time;
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, TradeRef, VoidOutcome};
use crate::crypto::RsaPublicKey;
use crate::money::{Currency, Money};
use crate::payment::{Failure, FailureReason};

/// An answer after its signature was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// Signed by Alipay.
    Signed(Box<Body>),
    /// The gateway refused the request before it looked at any order. Such answers come unsigned where it does not know
    /// the application; they say nothing that could be mistaken for a payment.
    Refused(Failure),
    /// No connection was made.
    NotSent(String),
    /// Nobody knows.
    Unknown(String),
}

/// The fields of all answers together; each call has some.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    pub code: String,
    pub msg: String,
    pub sub_code: String,
    pub sub_msg: String,
    pub out_trade_no: String,
    pub trade_no: String,
    pub trade_status: String,
    pub total_amount: String,
    pub buyer_logon_id: String,
    pub gmt_payment: String,
    pub send_pay_date: String,
    pub qr_code: String,
    pub retry_flag: String,
    pub action: String,
    pub fund_change: String,
    pub refund_status: String,
}

/// Refusals of the gateway itself: authorisation, a missing or invalid parameter, permission.
const GATEWAY_REFUSALS: [&str; 4] = ["20001", "40001", "40002", "40006"];

/// Checks the signature over the raw text of the response value and reads it.
pub(super) fn read(key: &RsaPublicKey, method: &str, raw: &[u8]) -> Reply {
    let unknown = |why: &str| Reply::Unknown(why.to_owned());
    let Ok(text) = std::str::from_utf8(raw) else { return unknown("the answer is not UTF-8") };
    // Raw values keep the text byte for byte: only where it lies is found out before the signature is checked.
    let Ok(parts) = serde_json::from_str::<HashMap<String, &RawValue>>(text) else {
        return unknown("the answer is not the JSON of the gateway");
    };
    let own = format!("{}_response", method.replace('.', "_"));
    let Some(value) = parts.get(&own).or_else(|| parts.get("error_response")) else {
        return unknown("the answer is not to this call");
    };
    let sign: Option<String> = parts.get("sign").and_then(|sign| serde_json::from_str(sign.get()).ok());
    let body = || serde_json::from_str::<Body>(value.get());
    match sign.filter(|sign| !sign.is_empty()) {
        Some(sign) if key.verify_base64(value.get().as_bytes(), &sign).is_ok() => match body() {
            Ok(body) if GATEWAY_REFUSALS.contains(&body.code.as_str()) => Reply::Refused(refusal(&body)),
            Ok(body) => Reply::Signed(Box::new(body)),
            Err(_) => unknown("the answer has fields of another kind than documented"),
        },
        Some(_) => unknown("the answer's signature does not fit Alipay's public key: check the account's keys"),
        None => match body() {
            Ok(body) if GATEWAY_REFUSALS.contains(&body.code.as_str()) => Reply::Refused(refusal(&body)),
            _ => unknown("the answer is not signed"),
        },
    }
}

fn refusal(body: &Body) -> Failure {
    let reason = match body.sub_code.as_str() {
        "isv.invalid-parameter" => FailureReason::RequestRefused,
        code if body.code == "40001" && !code.contains("app") && !code.contains("sign") => {
            FailureReason::RequestRefused
        }
        _ => FailureReason::MerchantAccount,
    };
    failure(body, reason)
}

fn failure(body: &Body, reason: FailureReason) -> Failure {
    let pick = |fine: &str, coarse: &str| if fine.is_empty() { coarse.to_owned() } else { fine.to_owned() };
    Failure {
        reason,
        provider_code: pick(&body.sub_code, &body.code),
        provider_message: pick(&body.sub_msg, &body.msg),
    }
}

fn unknown_words(body: &Body) -> String {
    format!("Alipay answered {} {} {}", body.code, body.sub_code, body.sub_msg)
}

/// Our reason for a business refusal; `None` where it leaves the result unknown.
fn reason(body: &Body) -> Option<FailureReason> {
    if body.code != "40004" {
        return None;
    }
    Some(match body.sub_code.as_str() {
        "ACQ.SYSTEM_ERROR" | "aop.ACQ.SYSTEM_ERROR" | "aop.unknow-error" | "isp.unknow-error" => return None,
        // This number is paid, or was: a query tells.
        "ACQ.TRADE_HAS_SUCCESS" | "ACQ.TRADE_HAS_CLOSE" | "ACQ.CONTEXT_INCONSISTENT" => return None,
        "ACQ.PAYMENT_AUTH_CODE_INVALID" => FailureReason::CodeExpired,
        "ACQ.BUYER_BALANCE_NOT_ENOUGH"
        | "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH"
        | "ACQ.ERROR_BALANCE_PAYMENT_DISABLE" => FailureReason::InsufficientFunds,
        "ACQ.PULL_MOBILE_CASHIER_FAIL" | "ACQ.PAYMENT_FAIL" | "ACQ.USER_REFUSED" => FailureReason::CustomerRefused,
        "ACQ.TOTAL_FEE_EXCEED"
        | "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR"
        | "ACQ.BEYOND_PAY_RESTRICTION"
        | "ACQ.BEYOND_PER_RECEIPT_RESTRICTION" => FailureReason::LimitExceeded,
        "ACQ.BUYER_SELLER_EQUAL" | "ACQ.TRADE_BUYER_NOT_MATCH" | "ACQ.BUYER_ENABLE_STATUS_FORBID" => {
            FailureReason::CustomerAccount
        }
        "ACQ.INVALID_PARAMETER" => FailureReason::RequestRefused,
        "ACQ.ACCESS_FORBIDDEN" | "ACQ.PARTNER_ERROR" | "ACQ.SELLER_NOT_EXIST" | "ACQ.EXIST_FORBIDDEN_WORD" => {
            FailureReason::MerchantAccount
        }
        _ => FailureReason::ProviderRefused,
    })
}

/// Whether the answer is about this trade.
fn is_about(trade: &TradeRef, body: &Body) -> bool {
    body.out_trade_no == trade.out_trade_no.as_str()
}

fn payment(body: &Body) -> Option<Paid> {
    let paid_at = [&body.gmt_payment, &body.send_pay_date].into_iter().find_map(|text| china_time::read_plain(text))?;
    Some(Paid {
        provider_trade_no: body.trade_no.clone(),
        amount: Money::parse(&body.total_amount, Currency::CNY).ok()?,
        payer: Some(body.buyer_logon_id.clone()).filter(|payer| !payer.is_empty()),
        paid_at,
    })
}

/// `alipay.trade.precreate`
pub(super) fn created(trade: &TradeRef, body: &Body) -> CodeOutcome {
    match (body.code.as_str(), reason(body)) {
        ("10000", _) if is_about(trade, body) && !body.qr_code.is_empty() => {
            CodeOutcome::Shown { code: body.qr_code.clone() }
        }
        (_, Some(reason)) => CodeOutcome::Failed(failure(body, reason)),
        _ => CodeOutcome::Unknown(unknown_words(body)),
    }
}

/// `alipay.trade.pay`
pub(super) fn paid(trade: &TradeRef, body: &Body) -> PayOutcome {
    match (body.code.as_str(), reason(body)) {
        ("10000", _) if is_about(trade, body) => match payment(body) {
            Some(paid) => PayOutcome::Paid(paid),
            None => PayOutcome::Unknown("the answer says paid, but not how much or when".into()),
        },
        ("10003", _) if is_about(trade, body) || body.out_trade_no.is_empty() => PayOutcome::CustomerConfirming,
        (_, Some(reason)) => PayOutcome::Failed(failure(body, reason)),
        _ => PayOutcome::Unknown(unknown_words(body)),
    }
}

/// `alipay.trade.query`
pub(super) fn queried(trade: &TradeRef, body: &Body) -> QueryOutcome {
    match body.code.as_str() {
        "10000" if is_about(trade, body) => of_status(body),
        // A precreated order does not exist until somebody has scanned it.
        "40004" if body.sub_code == "ACQ.TRADE_NOT_EXIST" => QueryOutcome::NotFound,
        _ => QueryOutcome::Unknown(unknown_words(body)),
    }
}

/// What a `trade_status` means, in a query's answer and in a notification.
pub(super) fn of_status(body: &Body) -> QueryOutcome {
    match body.trade_status.as_str() {
        "TRADE_SUCCESS" | "TRADE_FINISHED" => match payment(body) {
            Some(paid) => QueryOutcome::Paid(paid),
            None => QueryOutcome::Unknown("Alipay says paid, but not how much or when".into()),
        },
        // Somebody has scanned: the customer is at it.
        "WAIT_BUYER_PAY" => QueryOutcome::CustomerConfirming,
        // Closed after a payment means that all of it went back.
        "TRADE_CLOSED" if payment(body).is_some() => QueryOutcome::Returned,
        "TRADE_CLOSED" => QueryOutcome::Closed,
        other => QueryOutcome::Unknown(format!("Alipay says {other}")),
    }
}

/// `alipay.trade.cancel`
pub(super) fn cancelled(trade: &TradeRef, body: &Body) -> VoidOutcome {
    let about = is_about(trade, body) || body.out_trade_no.is_empty();
    match (body.code.as_str(), body.retry_flag.as_str(), body.action.as_str()) {
        ("10000", "Y", _) => VoidOutcome::Unknown("Alipay asks to cancel again".into()),
        ("10000", _, "refund") if about => VoidOutcome::Returned,
        ("10000", _, "close" | "") if about => VoidOutcome::Closed,
        _ if body.sub_code == "ACQ.TRADE_NOT_EXIST" => VoidOutcome::Closed,
        _ => match reason(body) {
            Some(reason) if body.retry_flag != "Y" => VoidOutcome::Failed(failure(body, reason)),
            _ => VoidOutcome::Unknown(unknown_words(body)),
        },
    }
}

/// `alipay.trade.refund`
pub(super) fn refunded(trade: &TradeRef, body: &Body) -> RefundOutcome {
    match (body.code.as_str(), reason(body)) {
        ("10000", _) if is_about(trade, body) && body.fund_change == "Y" => RefundOutcome::Done,
        ("10000", _) => RefundOutcome::Processing,
        (_, Some(reason)) => RefundOutcome::Failed(failure(body, reason)),
        _ => RefundOutcome::Unknown(unknown_words(body)),
    }
}

/// `alipay.trade.fastpay.refund.query`
pub(super) fn refund_queried(body: &Body) -> RefundOutcome {
    match body.code.as_str() {
        "10000" if body.refund_status == "REFUND_SUCCESS" => RefundOutcome::Done,
        "10000" => RefundOutcome::Processing,
        _ => RefundOutcome::Unknown(unknown_words(body)),
    }
}
