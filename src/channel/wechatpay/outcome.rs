//! What an answer means, call by call. Pure; the signature was checked before.

use super::answer::{ApiError, Body};
use super::credentials::Credentials;
use crate::channel::china_time;
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, TradeRef, VoidOutcome};
use crate::money::Money;
use crate::payment::{Failure, FailureReason, UnixMillis};

fn failure(error: &ApiError, reason: FailureReason) -> Failure {
    Failure { reason, provider_code: error.code.clone(), provider_message: error.message.clone() }
}

/// Our reason; `None` where the result stays unknown: SYSTEM_ERROR, BANK_ERROR, FREQUENCY_LIMITED, a number that is
/// taken (OUT_TRADE_NO_USED, ORDERPAID, ORDER_CLOSED), and whatever we do not know.
fn reason(error: &ApiError) -> Option<FailureReason> {
    Some(match error.code.as_str() {
        "AUTH_CODE_EXPIRE" | "AUTHCODEEXPIRE" | "AUTH_CODE_USED" => FailureReason::CodeExpired,
        "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" => FailureReason::CodeInvalid,
        "NOT_ENOUGH" | "NOTENOUGH" => FailureReason::InsufficientFunds,
        "TRADE_ERROR" | "USER_ACCOUNT_ABNORMAL" | "ACCOUNT_ERROR" | "ACCOUNTERROR" | "NOTSUPORTCARD" => {
            FailureReason::CustomerAccount
        }
        "PAYMENT_LIMIT" | "RULE_LIMIT" | "RULELIMIT" => FailureReason::LimitExceeded,
        "SIGN_ERROR" | "NO_AUTH" | "NOAUTH" | "APPID_MCHID_NOT_MATCH" | "MCH_NOT_EXISTS" | "APPID_NOT_EXIST" => {
            FailureReason::MerchantAccount
        }
        "PARAM_ERROR" | "INVALID_REQUEST" => FailureReason::RequestRefused,
        _ => return None,
    })
}

fn is_absent(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST")
}

/// Whether the answer is about this trade and this merchant.
fn is_about(credentials: &Credentials, trade: &TradeRef, body: &Body) -> bool {
    body.text("out_trade_no") == trade.out_trade_no.as_str() && is_ours(credentials, body)
}

/// Whether nothing in it names another merchant.
pub(super) fn is_ours(credentials: &Credentials, body: &Body) -> bool {
    let same = |name: &str, own: &str| matches!(body.text(name), "") || body.text(name) == own;
    same("mchid", &credentials.mchid) && same("appid", &credentials.appid)
}

const OTHER_ORDER: &str = "the answer is about another order";

/// `POST /v3/pay/transactions/native`. Its answer names no order: the signature and its time bind it to ours.
pub(super) fn created(body: &Body) -> CodeOutcome {
    match body.text("code_url") {
        "" => CodeOutcome::Unknown("the answer has no code_url".into()),
        code => CodeOutcome::Shown { code: code.to_owned() },
    }
}

pub(super) fn creation_refused(error: &ApiError) -> CodeOutcome {
    match reason(error) {
        Some(reason) => CodeOutcome::Failed(failure(error, reason)),
        None => CodeOutcome::Unknown(error.words()),
    }
}

/// `POST /v3/pay/transactions/codepay`
pub(super) fn paid(credentials: &Credentials, trade: &TradeRef, body: &Body, now: UnixMillis) -> PayOutcome {
    match queried(credentials, trade, body, now) {
        QueryOutcome::Paid(paid) => PayOutcome::Paid(paid),
        QueryOutcome::CustomerConfirming | QueryOutcome::AwaitingCustomer => PayOutcome::CustomerConfirming,
        QueryOutcome::Failed(failure) => PayOutcome::Failed(failure),
        QueryOutcome::Unknown(words) => PayOutcome::Unknown(words),
        QueryOutcome::NotFound | QueryOutcome::Closed | QueryOutcome::Returned => {
            PayOutcome::Unknown(format!("WeChat Pay says {}", body.text("trade_state")))
        }
    }
}

pub(super) fn payment_refused(error: &ApiError) -> PayOutcome {
    match (error.code.as_str(), reason(error)) {
        ("USERPAYING" | "USER_PAYING", _) => PayOutcome::CustomerConfirming,
        (_, Some(reason)) => PayOutcome::Failed(failure(error, reason)),
        _ => PayOutcome::Unknown(error.words()),
    }
}

/// `GET /v3/pay/transactions/out-trade-no/{n}`
pub(super) fn queried(credentials: &Credentials, trade: &TradeRef, body: &Body, now: UnixMillis) -> QueryOutcome {
    if is_about(credentials, trade, body) { of_state(body, now) } else { QueryOutcome::Unknown(OTHER_ORDER.into()) }
}

pub(super) fn query_refused(error: &ApiError) -> QueryOutcome {
    if is_absent(error) { QueryOutcome::NotFound } else { QueryOutcome::Unknown(error.words()) }
}

/// What a `trade_state` means, in a query's answer and in a notification.
pub(super) fn of_state(body: &Body, now: UnixMillis) -> QueryOutcome {
    match body.text("trade_state") {
        "SUCCESS" => payment(body, now).map_or_else(
            || QueryOutcome::Unknown("WeChat Pay says paid, but not which trade or how much".into()),
            QueryOutcome::Paid,
        ),
        "REFUND" => QueryOutcome::Returned,
        "NOTPAY" | "ACCEPT" => QueryOutcome::AwaitingCustomer,
        "USERPAYING" => QueryOutcome::CustomerConfirming,
        "CLOSED" | "REVOKED" => QueryOutcome::Closed,
        "PAYERROR" => QueryOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: "PAYERROR".into(),
            provider_message: body.text("trade_state_desc").to_owned(),
        }),
        other => QueryOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

/// The payment that the answer tells of. `now` stands in where it does not say when.
fn payment(body: &Body, now: UnixMillis) -> Option<Paid> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let currency = text(body.inner_text("amount", "currency")).unwrap_or_else(|| "CNY".into());
    Some(Paid {
        provider_trade_no: text(body.text("transaction_id"))?,
        amount: Money::new(body.fen("total")?, currency.parse().ok()?),
        payer: text(&masked(body.inner_text("payer", "openid"))),
        paid_at: china_time::read_rfc3339(body.text("success_time")).unwrap_or(now),
    })
}

/// An openid names a person for this merchant: its ends are enough to tell two apart.
fn masked(openid: &str) -> String {
    let characters: Vec<char> = openid.chars().collect();
    match characters.as_slice() {
        [head @ .., _, _, _, _] if head.len() > 4 => {
            head[..4].iter().chain(&['*'; 3]).chain(&characters[head.len()..]).collect()
        }
        _ => "*".repeat(characters.len()),
    }
}

/// `close` answers 204; `reverse` names the order, and says not whether there was money to return.
pub(super) fn voided(credentials: &Credentials, trade: &TradeRef, body: &Body) -> VoidOutcome {
    if *body == Body::default() || is_about(credentials, trade, body) {
        VoidOutcome::Closed
    } else {
        VoidOutcome::Unknown(OTHER_ORDER.into())
    }
}

/// `too_soon`: a reversal so shortly after the payment call that it may be refused for that alone.
pub(super) fn void_refused(error: &ApiError, too_soon: bool) -> VoidOutcome {
    match error.code.as_str() {
        "ORDERPAID" | "ORDER_PAID" => VoidOutcome::AlreadyPaid,
        "ORDER_CLOSED" | "ORDERCLOSED" | "ORDER_REVERSED" => VoidOutcome::Closed,
        // Past the time of reversals: the query that follows tells whether there is money to refund.
        "REVERSE_EXPIRE" | "ORDER_REVERSE_EXPIRE" => VoidOutcome::AlreadyPaid,
        // An order that never came to be cannot be paid.
        _ if is_absent(error) => VoidOutcome::Closed,
        "USERPAYING" | "USER_PAYING" => VoidOutcome::NotYet,
        "INVALID_REQUEST" if too_soon => VoidOutcome::NotYet,
        _ => match reason(error) {
            Some(reason) => VoidOutcome::Failed(failure(error, reason)),
            None => VoidOutcome::Unknown(error.words()),
        },
    }
}

/// `POST /v3/refund/domestic/refunds` and its query.
pub(super) fn refunded(trade: &TradeRef, out_refund_no: &str, body: &Body) -> RefundOutcome {
    if body.text("out_trade_no") != trade.out_trade_no.as_str() || body.text("out_refund_no") != out_refund_no {
        return RefundOutcome::Unknown("the answer is about another refund".into());
    }
    match body.text("status") {
        "SUCCESS" => RefundOutcome::Done,
        "PROCESSING" => RefundOutcome::Processing,
        status @ ("CLOSED" | "ABNORMAL") => RefundOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: status.to_owned(),
            provider_message: String::new(),
        }),
        other => RefundOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

pub(super) fn refund_refused(error: &ApiError) -> RefundOutcome {
    match (error.code.as_str(), reason(error)) {
        // Not of the customer: the merchant's own balance cannot pay it back.
        ("NOT_ENOUGH" | "NOTENOUGH", _) => RefundOutcome::Failed(failure(error, FailureReason::MerchantAccount)),
        (_, Some(reason)) => RefundOutcome::Failed(failure(error, reason)),
        _ => RefundOutcome::Unknown(error.words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_openid_never_shows_whole() {
        assert_eq!(masked("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), "oUpF***eS6o");
        assert_eq!(masked("12345678"), "********");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn paid_is_believed_only_with_a_number_and_a_whole_amount() {
        let state = |text: &str| of_state(&Body::parse(text.as_bytes()).unwrap(), 7);
        let paid = state(r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":1234},"payer":null}"#);
        let QueryOutcome::Paid(paid) = paid else { panic!("{paid:?}") };
        assert_eq!((paid.amount.minor, paid.paid_at), (1_234, 7));
        for text in [
            r#"{"trade_state":"SUCCESS","transaction_id":"42"}"#,
            r#"{"trade_state":"SUCCESS","amount":{"total":1234}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":12.34}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":"1234"}}"#,
            r#"{"trade_state":"SUCCESS","transaction_id":"42","amount":{"total":1234,"currency":"XYZ"}}"#,
            r#"{"trade_state":["SUCCESS"]}"#,
            "{}",
        ] {
            assert!(matches!(state(text), QueryOutcome::Unknown(_)), "{text}");
        }
    }
}
