//! What WeChat Pay's words mean in ours, where both of its interfaces use the same. Pure.

use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, VoidOutcome};
use crate::payment::{Failure, FailureReason};

/// A refusal: `code` and `message` of APIv3, `err_code` and `err_code_des` of APIv2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub code: String,
    pub message: String,
}

impl ApiError {
    /// What WeChat Pay said, for a person.
    pub fn words(&self) -> String {
        format!("WeChat Pay answered {} {}", self.code, self.message)
    }

    pub fn failure(&self, reason: FailureReason) -> Failure {
        Failure { reason, provider_code: self.code.clone(), provider_message: self.message.clone() }
    }

    /// Our reason; `None` where the result stays unknown: SYSTEM_ERROR, BANK_ERROR, FREQUENCY_LIMITED, a number that
    /// is taken (OUT_TRADE_NO_USED, ORDERPAID, ORDER_CLOSED), and whatever we do not know.
    pub fn reason(&self) -> Option<FailureReason> {
        Some(match self.code.as_str() {
            "AUTH_CODE_EXPIRE" | "AUTHCODEEXPIRE" | "AUTH_CODE_USED" => FailureReason::CodeExpired,
            "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" => FailureReason::CodeInvalid,
            "NOT_ENOUGH" | "NOTENOUGH" => FailureReason::InsufficientFunds,
            "TRADE_ERROR"
            | "USER_ACCOUNT_ABNORMAL"
            | "ACCOUNT_ERROR"
            | "ACCOUNTERROR"
            | "NOTSUPORTCARD"
            | "NOT_SUPPORT_CARD"
            | "BUYER_MISMATCH"
            | "OPENID_MISMATCH" => FailureReason::CustomerAccount,
            "PAYMENT_LIMIT" | "RULE_LIMIT" | "RULELIMIT" => FailureReason::LimitExceeded,
            "SIGN_ERROR"
            | "SIGNERROR"
            | "NO_AUTH"
            | "NOAUTH"
            | "APPID_MCHID_NOT_MATCH"
            | "MCH_NOT_EXISTS"
            | "MCHID_NOT_EXIST"
            | "APPID_NOT_EXIST"
            | "CERT_ERROR" => FailureReason::MerchantAccount,
            "PARAM_ERROR"
            | "INVALID_REQUEST"
            | "LACK_PARAMS"
            | "XML_FORMAT_ERROR"
            | "REQUIRE_POST_METHOD"
            | "NOT_UTF8"
            | "POST_DATA_EMPTY" => FailureReason::RequestRefused,
            _ => return None,
        })
    }

    /// Whether there is no such order.
    pub fn is_absent(&self) -> bool {
        matches!(self.code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST")
    }
}

/// Refused to make a code.
pub(super) fn creation_refused(error: &ApiError) -> CodeOutcome {
    match error.reason() {
        Some(reason) => CodeOutcome::Failed(error.failure(reason)),
        None => CodeOutcome::Unknown(error.words()),
    }
}

/// What an order's state after submitting a customer's code means.
pub(super) fn submitted(state: &str, outcome: QueryOutcome) -> PayOutcome {
    match outcome {
        QueryOutcome::Paid(paid) => PayOutcome::Paid(paid),
        QueryOutcome::CustomerConfirming | QueryOutcome::AwaitingCustomer => PayOutcome::CustomerConfirming,
        QueryOutcome::Failed(failure) => PayOutcome::Failed(failure),
        QueryOutcome::Unknown(words) => PayOutcome::Unknown(words),
        QueryOutcome::NotFound | QueryOutcome::Closed | QueryOutcome::Returned | QueryOutcome::SomeReturned(_) => {
            PayOutcome::Unknown(format!("WeChat Pay says {state}"))
        }
    }
}

/// Refused a customer's code.
pub(super) fn payment_refused(error: &ApiError) -> PayOutcome {
    match (error.code.as_str(), error.reason()) {
        ("USERPAYING" | "USER_PAYING", _) => PayOutcome::CustomerConfirming,
        (_, Some(reason)) => PayOutcome::Failed(error.failure(reason)),
        _ => PayOutcome::Unknown(error.words()),
    }
}

/// Refused a query.
pub(super) fn query_refused(error: &ApiError) -> QueryOutcome {
    if error.is_absent() { QueryOutcome::NotFound } else { QueryOutcome::Unknown(error.words()) }
}

/// What a `trade_state` means; `payment` is what was paid, where the message tells all of it.
pub(super) fn of_state(state: &str, description: &str, payment: impl FnOnce() -> Option<Paid>) -> QueryOutcome {
    match state {
        "SUCCESS" => payment().map_or_else(
            || QueryOutcome::Unknown("WeChat Pay says paid, but not which trade or how much".into()),
            QueryOutcome::Paid,
        ),
        // The same word for a part and for the whole.
        "REFUND" => payment().map_or_else(
            || QueryOutcome::Unknown("WeChat Pay says refunded, but not which trade or how much was paid".into()),
            QueryOutcome::SomeReturned,
        ),
        "NOTPAY" | "ACCEPT" => QueryOutcome::AwaitingCustomer,
        "USERPAYING" => QueryOutcome::CustomerConfirming,
        "CLOSED" | "REVOKED" => QueryOutcome::Closed,
        "PAYERROR" => QueryOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: "PAYERROR".into(),
            provider_message: description.to_owned(),
        }),
        other => QueryOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

/// Refused to close or reverse. `too_soon`: a reversal so shortly after the payment call that it may be refused for
/// that alone.
pub(super) fn void_refused(error: &ApiError, too_soon: bool) -> VoidOutcome {
    match error.code.as_str() {
        "ORDERPAID" | "ORDER_PAID" => VoidOutcome::AlreadyPaid,
        "ORDER_CLOSED" | "ORDERCLOSED" | "ORDER_REVERSED" | "ORDERREVERSED" => VoidOutcome::Closed,
        // Past the time of reversals: the query that follows tells whether there is money to refund.
        "REVERSE_EXPIRE" | "ORDER_REVERSE_EXPIRE" => VoidOutcome::AlreadyPaid,
        // An order that never came to be cannot be paid.
        _ if error.is_absent() => VoidOutcome::Closed,
        "USERPAYING" | "USER_PAYING" => VoidOutcome::NotYet,
        "INVALID_REQUEST" if too_soon => VoidOutcome::NotYet,
        _ => match error.reason() {
            Some(reason) => VoidOutcome::Failed(error.failure(reason)),
            None => VoidOutcome::Unknown(error.words()),
        },
    }
}

/// What a refund's state means, in the words of either interface.
pub(super) fn of_refund_state(state: &str) -> RefundOutcome {
    match state {
        "SUCCESS" => RefundOutcome::Done,
        "PROCESSING" => RefundOutcome::Processing,
        // ABNORMAL and CHANGE: the customer's card or account does not take it, the merchant has to act.
        "CLOSED" | "REFUNDCLOSE" | "ABNORMAL" | "CHANGE" => RefundOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: state.to_owned(),
            provider_message: String::new(),
        }),
        other => RefundOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

/// Refused to tell of a refund.
pub(super) fn refund_query_refused(error: &ApiError) -> RefundOutcome {
    match error.code.as_str() {
        "RESOURCE_NOT_EXISTS" | "REFUNDNOTEXIST" => RefundOutcome::NotFound,
        _ => RefundOutcome::Unknown(error.words()),
    }
}

/// Refused a refund.
pub(super) fn refund_refused(error: &ApiError) -> RefundOutcome {
    let reason = match error.code.as_str() {
        // Not of the customer: the merchant's own balance cannot pay it back.
        "NOT_ENOUGH" | "NOTENOUGH" => Some(FailureReason::MerchantAccount),
        "TRADE_OVERDUE" => Some(FailureReason::LimitExceeded),
        "REFUND_FEE_MISMATCH" | "INVALID_TRANSACTIONID" | "RESOURCE_NOT_EXISTS" => Some(FailureReason::RequestRefused),
        _ if error.is_absent() => Some(FailureReason::RequestRefused),
        _ => error.reason(),
    };
    match reason {
        Some(reason) => RefundOutcome::Failed(error.failure(reason)),
        None => RefundOutcome::Unknown(error.words()),
    }
}

/// An openid names a person for this merchant: its ends are enough to tell two apart.
pub(super) fn masked(openid: &str) -> Option<String> {
    let characters: Vec<char> = openid.chars().collect();
    match characters.as_slice() {
        [] => None,
        [a, b, c, d, _, .., w, x, y, z] => Some([a, b, c, d, &'*', &'*', &'*', w, x, y, z].into_iter().collect()),
        _ => Some("*".repeat(characters.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_openid_never_shows_whole() {
        assert_eq!(masked("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").unwrap(), "oUpF***eS6o");
        assert_eq!(masked("12345678").unwrap(), "********");
        assert_eq!(masked("123456789").unwrap(), "1234***6789");
        assert_eq!(masked(""), None);
    }
}
