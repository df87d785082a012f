//! Errors as `application/problem+json`: a stable code for programs, a sentence for people, the money first.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::auth::Refusal;
use super::sessions::SignInError;
use super::wire::Problem;
use crate::engine::EngineError;
use crate::ledger::LedgerError;

/// A call's result.
pub(super) type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem with a stable code and a sentence.
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            field: None,
            kind_of_code: None,
            retry_after: None,
            tries_left: None,
        }
    }

    pub(super) fn field(mut self, field: &str) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(super) fn unprocessable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut answer = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Unsigned => "unsigned_request",
            Refusal::BadSignature => "bad_signature",
            Refusal::Stale | Refusal::BeforeStart => "stale_request",
            Refusal::Replayed => "replayed_request",
            Refusal::SessionOver => "session_over",
            Refusal::LockedOut { .. } => "locked_out",
            Refusal::TooMany { .. } => "too_many_requests",
        };
        let retry_after = refusal.retry_after();
        let status = if retry_after.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
        Self { retry_after, ..Self::new(status, code, refusal.to_string()) }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let detail = error.to_string();
        match error {
            SignInError::Unknown => Self::unprocessable("operator_unknown", detail).field("operator"),
            SignInError::Wrong { left } => {
                let wrong = Self::new(StatusCode::FORBIDDEN, "pin_wrong", detail).field("pin");
                Self { tries_left: Some(left), ..wrong }
            }
            SignInError::LockedOut { seconds } => {
                let locked = Self::new(StatusCode::TOO_MANY_REQUESTS, "operator_locked_out", detail).field("pin");
                Self { retry_after: Some(seconds), ..locked }
            }
            SignInError::Ledger(error) => error.into(),
            SignInError::Crypto(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail),
        }
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let detail = error.to_string();
        let (status, code) = match &error {
            LedgerError::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            LedgerError::Conflict | LedgerError::LeaseHeld => (StatusCode::CONFLICT, "changed_meanwhile"),
            LedgerError::Illegal(_) => (StatusCode::CONFLICT, "not_possible_now"),
            LedgerError::CodeSpent => (StatusCode::CONFLICT, "auth_code_spent"),
            LedgerError::IdempotencyMismatch => (StatusCode::CONFLICT, "idempotency_mismatch"),
            LedgerError::IdempotencyReplay(_) | LedgerError::NotificationSeen => (StatusCode::CONFLICT, "done_before"),
            LedgerError::DiskFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            LedgerError::Locked { .. }
            | LedgerError::ReadOnly { .. }
            | LedgerError::Newer { .. }
            | LedgerError::Damaged { .. }
            | LedgerError::Absent { .. }
            | LedgerError::BadUrl(_)
            | LedgerError::Unreachable { .. }
            | LedgerError::Database(_) => {
                tracing::error!(%error, "the books failed");
                (StatusCode::SERVICE_UNAVAILABLE, "books_unavailable")
            }
        };
        Self::new(status, code, detail)
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::Ledger(error) => error.into(),
            EngineError::NotAPaymentCode(rejection) => Self {
                kind_of_code: Some(rejection.kind().into()),
                ..Self::unprocessable("auth_code_rejected", format!("Nothing was sent: {detail}")).field("auth_code")
            },
            EngineError::ChannelClosed(_) => Self::unprocessable("channel_not_open", detail),
            EngineError::NoAccount => Self::unprocessable("no_account", detail),
            EngineError::AmountOutOfRange { .. } => Self::unprocessable("amount_out_of_range", detail).field("amount"),
            EngineError::Busy => Self::new(StatusCode::CONFLICT, "busy", detail),
            EngineError::Over { .. } => Self::new(StatusCode::CONFLICT, "payment_over", detail),
            EngineError::TooManyAttempts => Self::new(StatusCode::CONFLICT, "too_many_attempts", detail),
            EngineError::CurrencyNotTaken { .. } => Self::unprocessable("currency_not_taken", detail).field("currency"),
            EngineError::WayNotOffered { .. } => Self::unprocessable("way_not_offered", detail),
            EngineError::NothingToConfirm => Self::new(StatusCode::CONFLICT, "nothing_to_confirm", detail),
            EngineError::NotConfirmedByCashier(_) => Self::new(StatusCode::CONFLICT, "confirmed_by_provider", detail),
            EngineError::ConfirmWhich => Self::new(StatusCode::CONFLICT, "confirm_which", detail).field("channel"),
            EngineError::NothingToRefund { .. } => Self::new(StatusCode::CONFLICT, "nothing_to_refund", detail),
            EngineError::RefundOutOfRange { .. } => {
                Self::unprocessable("refund_out_of_range", format!("{detail}. Nothing was returned")).field("amount")
            }
            EngineError::RefundByHand { .. } => Self::unprocessable("refund_by_hand", detail).field("by_hand"),
            EngineError::RefundByProvider { .. } => Self::unprocessable("refund_by_provider", detail).field("by_hand"),
            EngineError::RefundReason => Self::unprocessable("reason_missing", detail).field("reason"),
            EngineError::RefundTooLate { .. } => Self::unprocessable("refund_too_late", detail),
            EngineError::RefundInPart { .. } => Self::unprocessable("refund_in_part", detail).field("amount"),
            EngineError::AccountGone { .. } => Self::new(StatusCode::CONFLICT, "account_gone", detail),
            EngineError::Id(_) => Self::unprocessable("id_invalid", detail),
        }
    }
}
