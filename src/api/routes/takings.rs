//! Takings of a day, and what can be paid through.

use axum::extract::State as FromState;
use jiff::civil::Date;

use crate::api::auth::Caller;
use crate::api::extract::Params;
use crate::api::problem::Answer;
use crate::api::wire::{ChannelView, Problem, Takings, TakingsParams};
use crate::api::{Shared, view};
use crate::ledger::TakingsQuery;
use crate::money::Currency;

/// The takings of a business day.
#[utoipa::path(get, path = "/v1/takings", tag = "takings", params(TakingsParams),
    responses((status = 200, body = Takings), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn takings(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Params(params): Params<TakingsParams>,
) -> Answer<axum::Json<Takings>> {
    let ledger = state.engine.ledger();
    let day = match params.date.as_deref().map(str::parse::<Date>).transpose() {
        Ok(day) => day.unwrap_or_else(|| ledger.business_day(state.engine.now())),
        Err(_) => {
            return Err(
                Problem::unprocessable("query_invalid", "a date is YYYY-MM-DD, such as 2026-11-24").field("date")
            );
        }
    };
    let query = TakingsQuery {
        day,
        store: (!caller.admin).then_some(caller.store),
        till: params.till,
        training: params.training.unwrap_or_else(|| state.engine.is_training()),
        currency: params.currency.unwrap_or(Currency::CNY),
    };
    Ok(axum::Json(ledger.takings(&query).await?))
}

/// The channels that the caller's store can be paid through.
#[utoipa::path(get, path = "/v1/channels", tag = "payments", responses((status = 200, body = Vec<ChannelView>)))]
pub(in crate::api) async fn channels(
    FromState(state): FromState<Shared>,
    caller: Caller,
) -> axum::Json<Vec<ChannelView>> {
    axum::Json(state.engine.channels(&caller.store).into_iter().map(view::channel).collect())
}
