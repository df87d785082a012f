//! Payments: create, read, list, modify, show a code, submit a customer's code, cancel.

use axum::extract::{Path, State as FromState};
use axum::response::Response;
use jiff::civil::Date;

use crate::api::auth::Caller;
use crate::api::extract::{Cashier, Json, Key, Params, respond};
use crate::api::problem::Answer;
use crate::api::wire::{
    ChangePayment, CreatePayment, PaymentPage, PaymentQuery, PaymentView, Problem, ShowCode, StoryStep, SubmitScan,
};
use crate::api::{Shared, view};
use crate::engine::NewPayment;
use crate::ledger::PaymentFilter;
use crate::money::{Money, MoneyError};
use crate::payment::{Payment, PaymentId};

const DESCRIPTION_CHARACTERS: usize = 128;
const DEFAULT_COLLECT_SECONDS: u32 = 300;
const COLLECT_SECONDS: std::ops::RangeInclusive<u32> = 15..=3_600;
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

fn checked_amount(minor: i64, currency: crate::money::Currency) -> Answer<Money> {
    Money::new(minor, currency).check_sale().map_err(|error: MoneyError| {
        Problem::unprocessable("amount_invalid", format!("{error}. No payment was begun")).field("amount")
    })
}

pub(super) fn checked_description(description: &str) -> Answer<String> {
    let description = description.trim();
    let fits = !description.is_empty()
        && description.chars().count() <= DESCRIPTION_CHARACTERS
        && !description.chars().any(char::is_control);
    if fits {
        Ok(description.to_owned())
    } else {
        let detail = "a description is 1 to 128 characters, none of them control characters";
        Err(Problem::unprocessable("description_invalid", detail).field("description"))
    }
}

/// Who did it: whoever is signed in, else whom the call names.
pub(super) fn checked_operator(caller: &Caller, named: Option<&str>, money: &str) -> Answer<Option<String>> {
    if let Some(operator) = &caller.operator {
        return Ok(Some(operator.id.to_string()));
    }
    named.map(checked_description).transpose().map_err(|_| {
        let detail = format!("an operator is 1 to 128 characters, none of them control characters. {money}");
        Problem::unprocessable("operator_invalid", detail).field("operator")
    })
}

/// The payment, if the caller may see it.
pub(super) async fn own(state: &Shared, caller: &Caller, id: &str) -> Answer<Payment> {
    let id: PaymentId = id.parse().map_err(|_| Problem::not_found("payment"))?;
    let payment = state.engine.ledger().payment(&id).await?.ok_or_else(|| Problem::not_found("payment"))?;
    if caller.admin || payment.store == caller.store { Ok(payment) } else { Err(Problem::not_found("payment")) }
}

/// Begin a sale.
#[utoipa::path(post, path = "/v1/payments", tag = "payments", request_body = CreatePayment,
    params(("Idempotency-Key" = String, Header, description = "8 to 128 visible ASCII characters")),
    responses((status = 201, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    key: Key,
    Json(new): Json<CreatePayment>,
) -> Answer<Response> {
    let amount = checked_amount(new.amount, new.currency)?;
    let description = new.description.as_deref().map(checked_description).transpose()?;
    let operator = checked_operator(&caller, new.operator.as_deref(), "No payment was begun")?;
    let collect_seconds = new.collect_seconds.unwrap_or(DEFAULT_COLLECT_SECONDS);
    if !COLLECT_SECONDS.contains(&collect_seconds) {
        return Err(
            Problem::unprocessable("collect_seconds_invalid", "collect_seconds is 15 to 3600").field("collect_seconds")
        );
    }
    let new = NewPayment { amount, description, store: caller.store, till: caller.till, operator, collect_seconds };
    let answered = state.engine.create(new, Some(key.with(view::created))).await?;
    Ok(respond(answered, view::created))
}

/// List payments, the latest first.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(PaymentQuery),
    responses((status = 200, body = PaymentPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn list(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Params(query): Params<PaymentQuery>,
) -> Answer<axum::Json<PaymentPage>> {
    let bad = |field: &str, detail: &str| Problem::unprocessable("query_invalid", detail).field(field);
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(bad("limit", "limit is 1 to 200"));
    }
    let business_day = query
        .date
        .as_deref()
        .map(|date| date.parse::<Date>().map_err(|_| bad("date", "a date is YYYY-MM-DD, such as 2026-11-24")))
        .transpose()?;
    let before = query
        .cursor
        .as_deref()
        .map(|cursor| cursor.parse::<PaymentId>().map_err(|_| bad("cursor", "a cursor is the next_cursor of a page")))
        .transpose()?;
    let filter = PaymentFilter {
        business_day,
        store: (!caller.admin).then_some(caller.store),
        till: query.till,
        state: query.state,
        channel: query.channel,
        training: None,
        before,
        // One more tells whether there is another page.
        limit: limit + 1,
    };
    let mut payments = state.engine.ledger().payments(&filter).await?;
    let more = payments.len() > limit as usize;
    payments.truncate(limit as usize);
    let next_cursor = payments.last().filter(|_| more).map(|payment| payment.id.to_string());
    Ok(axum::Json(PaymentPage { payments: payments.iter().map(view::payment).collect(), next_cursor }))
}

/// Read a payment.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = PaymentView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<axum::Json<PaymentView>> {
    Ok(axum::Json(view::payment(&own(&state, &caller, &id).await?)))
}

/// Change amount or description, while nothing was shown or submitted.
#[utoipa::path(patch, path = "/v1/payments/{id}", tag = "payments", params(("id" = String, Path)), request_body = ChangePayment,
    responses((status = 200, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn change(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    Path(id): Path<String>,
    Json(change): Json<ChangePayment>,
) -> Answer<axum::Json<PaymentView>> {
    let payment = own(&state, &caller, &id).await?;
    if let Some(amount) = change.amount {
        checked_amount(amount, payment.amount.currency)?;
    }
    let description = change.description.as_deref().map(checked_description).transpose()?;
    let payment = state.engine.change(&payment.id, &caller.actor(), change.amount, description).await?;
    Ok(axum::Json(view::payment(&payment)))
}

/// The whole story of a payment, oldest first.
#[utoipa::path(get, path = "/v1/payments/{id}/history", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = Vec<StoryStep>), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn history(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<axum::Json<Vec<StoryStep>>> {
    let payment = own(&state, &caller, &id).await?;
    let rows = state.engine.ledger().history(&payment.id).await?;
    Ok(axum::Json(rows.into_iter().map(view::step).collect()))
}

/// Ask for a code to show (merchant-presented).
#[utoipa::path(post, path = "/v1/payments/{id}/code", tag = "payments", request_body = ShowCode,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn code(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    key: Key,
    Path(id): Path<String>,
    Json(show): Json<ShowCode>,
) -> Answer<Response> {
    let payment = own(&state, &caller, &id).await?;
    let key = Some(key.with(view::as_it_stands));
    let answered = state.engine.show_code(&payment.id, &caller.actor(), &show.channel, key).await?;
    Ok(respond(answered, view::as_it_stands))
}

/// Submit the customer's payment code (consumer-presented). The outcome comes as events.
#[utoipa::path(post, path = "/v1/payments/{id}/scan", tag = "payments", request_body = SubmitScan,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn scan(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    key: Key,
    Path(id): Path<String>,
    Json(scan): Json<SubmitScan>,
) -> Answer<Response> {
    let payment = own(&state, &caller, &id).await?;
    let key = Some(key.with(view::as_it_stands));
    let answered = state.engine.scan(&payment.id, &caller.actor(), &scan.auth_code, key).await?;
    Ok(respond(answered, view::as_it_stands))
}

/// Ask to cancel. The provider is asked first; what came of it comes as events.
#[utoipa::path(post, path = "/v1/payments/{id}/cancel", tag = "payments",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = PaymentView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn cancel(
    FromState(state): FromState<Shared>,
    Cashier(caller): Cashier,
    key: Key,
    Path(id): Path<String>,
) -> Answer<Response> {
    let payment = own(&state, &caller, &id).await?;
    let key = Some(key.with(view::as_it_stands));
    let answered = state.engine.cancel(&payment.id, &caller.actor(), key).await?;
    Ok(respond(answered, view::as_it_stands))
}
