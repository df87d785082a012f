//! What people say about a payment's money: that it arrived, and that it has to go back.

use axum::extract::{Path, State as FromState};
use axum::response::Response;

use super::payments::{checked_description, checked_operator, own};
use crate::api::extract::{Cashier, Json, Key, Supervisor, respond};
use crate::api::problem::Answer;
use crate::api::wire::{ConfirmPayment, PaymentView, Problem, RefundPayment};
use crate::api::{Shared, view};
use crate::engine::{NewRefund, Seen};

fn checked_reason(reason: Option<&str>) -> Answer<Option<String>> {
    reason.map(checked_description).transpose().map_err(|_| {
        let detail = "a reason is 1 to 128 characters, none of them control characters. Nothing was returned";
        Problem::unprocessable("reason_invalid", detail).field("reason")
    })
}

/// Say that the cashier saw the money of a shown code arrive, for channels whose `confirmed_by` is the cashier.
#[utoipa::path(post, path = "/v1/payments/{id}/confirm", tag = "payments", request_body = ConfirmPayment,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn confirm(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    key: Key,
    Path(id): Path<String>,
    Json(seen): Json<ConfirmPayment>,
) -> Answer<Response> {
    let payment = own(&state, &caller, &id).await?;
    let operator = checked_operator(&caller, seen.operator.as_deref(), "Nothing was done")?;
    let seen = Seen { channel: seen.channel, attempt: seen.attempt, operator };
    let key = Some(key.with(view::as_it_stands));
    let answered = state.engine.confirm(&payment.id, &caller.actor(), seen, key).await?;
    Ok(respond(answered, view::as_it_stands))
}

/// Return money of a payment, in part or in whole. What comes of it comes as events, and stands in `refunds`.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", tag = "payments", request_body = RefundPayment,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn refund(
    FromState(state): FromState<Shared>,
    Supervisor(caller): Supervisor,
    key: Key,
    Path(id): Path<String>,
    Json(refund): Json<RefundPayment>,
) -> Answer<Response> {
    let payment = own(&state, &caller, &id).await?;
    let new = NewRefund {
        amount: refund.amount,
        reason: checked_reason(refund.reason.as_deref())?,
        operator: checked_operator(&caller, refund.operator.as_deref(), "Nothing was returned")?,
        by_hand: refund.by_hand,
        attempt: refund.attempt,
    };
    let key = Some(key.with(view::created));
    let answered = state.engine.refund(&payment.id, &caller.actor(), new, key).await?;
    Ok(respond(answered, view::created))
}
