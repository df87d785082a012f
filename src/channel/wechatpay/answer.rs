//! Reading an answer: signature over the raw bytes first, then meaning. Pure.

use serde::Deserialize;

use super::credentials::Credentials;
use super::signature::{Distrust, check};
use crate::channel::china_time;
use crate::channel::http::Answer;
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, TradeRef, VoidOutcome};
use crate::money::Money;
use crate::payment::{Failure, FailureReason, UnixMillis, Way};

/// An answer after its signature was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// HTTP 2xx, signed by the platform.
    Signed { status: u16, body: Box<Body> },
    /// HTTP 4xx with an error, signed; or unsigned where the platform could not tell who asks.
    Refused(ApiError),
    /// No connection was made.
    NotSent(String),
    /// Nobody knows.
    Unknown(String),
}

/// `{"code", "message"}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ApiError {
    pub code: String,
    #[serde(default)]
    pub message: String,
}

impl ApiError {
    pub fn words(&self) -> String {
        format!("WeChat Pay answered {} {}", self.code, self.message)
    }

    fn failure(&self, reason: FailureReason) -> Failure {
        Failure { reason, provider_code: self.code.clone(), provider_message: self.message.clone() }
    }

    /// Our reason; `None` where the result stays unknown.
    fn reason(&self) -> Option<FailureReason> {
        Some(match self.code.as_str() {
            "AUTH_CODE_EXPIRE" | "AUTHCODEEXPIRE" | "AUTH_CODE_USED" => FailureReason::CodeExpired,
            "AUTH_CODE_ERROR" | "AUTH_CODE_INVALID" => FailureReason::CodeInvalid,
            "NOT_ENOUGH" | "NOTENOUGH" => FailureReason::InsufficientFunds,
            "TRADE_ERROR" | "USER_ACCOUNT_ABNORMAL" | "ACCOUNT_ERROR" | "ACCOUNTERROR" => {
                FailureReason::CustomerAccount
            }
            "PAYMENT_LIMIT" | "RULE_LIMIT" => FailureReason::LimitExceeded,
            "SIGN_ERROR" | "NO_AUTH" | "APPID_MCHID_NOT_MATCH" | "MCH_NOT_EXISTS" | "APPID_NOT_EXIST" => {
                FailureReason::MerchantAccount
            }
            "PARAM_ERROR" | "INVALID_REQUEST" => FailureReason::RequestRefused,
            _ => return None,
        })
    }
}

/// The fields of all answers together; each call has some.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    pub code_url: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub trade_state: String,
    pub trade_state_desc: String,
    pub success_time: String,
    pub mchid: String,
    pub amount: Option<Amount>,
    pub payer: Option<Payer>,
    pub status: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Amount {
    pub total: i64,
    pub currency: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Payer {
    pub openid: String,
}

/// Refusals that the platform gives before it knows who asks, and therefore unsigned.
const STRANGER: [&str; 2] = ["SIGN_ERROR", "NO_AUTH"];

/// Checks the signature over the raw body and reads it.
pub(super) fn read(credentials: &Credentials, answer: &Answer, now: UnixMillis) -> Reply {
    let error = || serde_json::from_slice::<ApiError>(&answer.body).ok();
    match check(credentials, |name| answer.header(name), &answer.body, now) {
        Ok(()) => {}
        Err(Distrust::Signature) if answer.header("wechatpay-signature").is_none() => {
            let stranger = matches!(answer.status, 401 | 403)
                .then(error)
                .flatten()
                .filter(|error| STRANGER.contains(&error.code.as_str()));
            return stranger
                .map_or_else(|| Reply::Unknown(format!("HTTP {} without a signature", answer.status)), Reply::Refused);
        }
        Err(Distrust::Signature) => {
            return Reply::Unknown("the answer's signature does not fit the platform's key".into());
        }
        Err(Distrust::Serial) => {
            return Reply::Unknown("the answer is signed with a platform key that the account does not hold".into());
        }
        Err(Distrust::Stale) => {
            return Reply::Unknown("the answer's time is over 300 s from this machine's: set the clock".into());
        }
    }
    match answer.status {
        200..=299 if answer.body.is_empty() => Reply::Signed { status: answer.status, body: Box::default() },
        200..=299 => match serde_json::from_slice(&answer.body) {
            Ok(body) => Reply::Signed { status: answer.status, body: Box::new(body) },
            Err(_) => Reply::Unknown("the answer has fields of another kind than documented".into()),
        },
        400..=499 => error().map_or_else(|| Reply::Unknown(format!("HTTP {}", answer.status)), Reply::Refused),
        _ => Reply::Unknown(error().map_or_else(|| format!("HTTP {}", answer.status), |error| error.words())),
    }
}

/// `POST /v3/pay/transactions/native`
pub(super) fn created(_status: u16, body: &Body) -> CodeOutcome {
    if body.code_url.is_empty() {
        CodeOutcome::Unknown("the answer has no code_url".into())
    } else {
        CodeOutcome::Shown { code: body.code_url.clone() }
    }
}

pub(super) fn creation_refused(error: &ApiError) -> CodeOutcome {
    match error.reason() {
        Some(reason) => CodeOutcome::Failed(error.failure(reason)),
        // The number is fresh, so a refusal leaves no order, but who knows what a code of tomorrow means.
        None => CodeOutcome::Unknown(error.words()),
    }
}

/// `POST /v3/pay/transactions/codepay`
pub(super) fn paid(trade: &TradeRef, body: &Body) -> PayOutcome {
    match queried(trade, body) {
        QueryOutcome::Paid(paid) => PayOutcome::Paid(paid),
        QueryOutcome::CustomerConfirming | QueryOutcome::AwaitingCustomer => PayOutcome::CustomerConfirming,
        QueryOutcome::Failed(failure) => PayOutcome::Failed(failure),
        QueryOutcome::Unknown(words) => PayOutcome::Unknown(words),
        QueryOutcome::NotFound | QueryOutcome::Closed | QueryOutcome::Returned => {
            PayOutcome::Unknown(format!("WeChat Pay says {}", body.trade_state))
        }
    }
}

pub(super) fn payment_refused(error: &ApiError) -> PayOutcome {
    match (error.code.as_str(), error.reason()) {
        ("USERPAYING" | "USER_PAYING", _) => PayOutcome::CustomerConfirming,
        (_, Some(reason)) => PayOutcome::Failed(error.failure(reason)),
        _ => PayOutcome::Unknown(error.words()),
    }
}

/// `GET /v3/pay/transactions/out-trade-no/{n}`, and a notification's transaction.
pub(super) fn queried(trade: &TradeRef, body: &Body) -> QueryOutcome {
    if body.out_trade_no != trade.out_trade_no.as_str() {
        return QueryOutcome::Unknown("the answer is about another order".into());
    }
    of_state(body)
}

/// What a `trade_state` means.
pub(super) fn of_state(body: &Body) -> QueryOutcome {
    match body.trade_state.as_str() {
        "SUCCESS" => payment(body).map_or_else(
            || QueryOutcome::Unknown("WeChat Pay says paid, but not how much or when".into()),
            QueryOutcome::Paid,
        ),
        "REFUND" => QueryOutcome::Returned,
        "NOTPAY" | "ACCEPT" => QueryOutcome::AwaitingCustomer,
        "USERPAYING" => QueryOutcome::CustomerConfirming,
        "CLOSED" | "REVOKED" => QueryOutcome::Closed,
        "PAYERROR" => QueryOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: body.trade_state.clone(),
            provider_message: body.trade_state_desc.clone(),
        }),
        other => QueryOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

fn payment(body: &Body) -> Option<Paid> {
    let amount = body.amount.as_ref()?;
    let currency = if amount.currency.is_empty() { "CNY" } else { &amount.currency };
    Some(Paid {
        provider_trade_no: body.transaction_id.clone(),
        amount: Money::new(amount.total, currency.parse().ok()?),
        payer: body.payer.as_ref().map(|payer| mask(&payer.openid)).filter(|payer| !payer.is_empty()),
        paid_at: china_time::read_rfc3339(&body.success_time)?,
    })
}

/// An openid names a person for this merchant: its ends are enough to tell two apart.
fn mask(openid: &str) -> String {
    let characters: Vec<char> = openid.chars().collect();
    match characters.len() {
        0..=8 => characters.into_iter().collect(),
        length => characters[..4].iter().chain(['*', '*', '*'].iter()).chain(characters[length - 4..].iter()).collect(),
    }
}

pub(super) fn void_refused(way: Way, error: &ApiError) -> VoidOutcome {
    match error.code.as_str() {
        "ORDERPAID" | "ORDER_PAID" => VoidOutcome::AlreadyPaid,
        "ORDER_CLOSED" | "ORDERCLOSED" | "ORDER_REVERSED" => VoidOutcome::Closed,
        // An order that never came to be cannot be paid.
        "ORDER_NOT_EXIST" | "ORDERNOTEXIST" => VoidOutcome::Closed,
        "REVERSE_TOO_SOON" | "INVALID_REQUEST" if way == Way::ConsumerPresented => VoidOutcome::NotYet,
        _ => match error.reason() {
            Some(reason) => VoidOutcome::Failed(error.failure(reason)),
            None => VoidOutcome::Unknown(error.words()),
        },
    }
}

/// `POST /v3/refund/domestic/refunds` and its query.
pub(super) fn refunded(body: &Body) -> RefundOutcome {
    match body.status.as_str() {
        "SUCCESS" => RefundOutcome::Done,
        "PROCESSING" => RefundOutcome::Processing,
        "CLOSED" | "ABNORMAL" => RefundOutcome::Failed(Failure {
            reason: FailureReason::ProviderRefused,
            provider_code: body.status.clone(),
            provider_message: String::new(),
        }),
        other => RefundOutcome::Unknown(format!("WeChat Pay says {other}")),
    }
}

pub(super) fn refund_refused(error: &ApiError) -> RefundOutcome {
    match error.reason() {
        Some(reason) => RefundOutcome::Failed(error.failure(reason)),
        None => RefundOutcome::Unknown(error.words()),
    }
}
