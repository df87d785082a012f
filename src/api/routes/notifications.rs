//! Notifications of the providers (raw body, the provider's own acknowledgement), and what fits no payment.

use axum::body::Body;
use axum::extract::{Path, State as FromState};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::extract::{Admin, Params, read_body};
use crate::api::problem::Answer;
use crate::api::wire::{NoticeQuery, NoticeView, Problem};
use crate::api::{Shared, view};
use crate::channel::RawNotification;

/// No provider's notification is longer: the longest known are some kilobytes.
const MAX_BODY: usize = 64 * 1024;
const DEFAULT_LIMIT: u32 = 50;
const LIMITS: std::ops::RangeInclusive<u32> = 1..=200;

/// Takes a provider's notification. Its signature is the provider's, not a till's.
#[utoipa::path(post, path = "/v1/notifications/{channel}/{account}", tag = "notices",
    params(("channel" = String, Path), ("account" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "the acknowledgement that the provider documents")))]
pub(in crate::api) async fn notification(
    FromState(state): FromState<Shared>,
    Path((channel, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(channel), Ok(account)) = (channel.parse(), account.parse()) else {
        return Problem::not_found("account").into_response();
    };
    let body = match read_body(body, MAX_BODY, state.limits.body_time).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let raw = RawNotification { headers, body: body.to_vec() };
    let acknowledgement = state.engine.notify(&channel, &account, raw).await;
    let status = StatusCode::from_u16(acknowledgement.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if acknowledgement.body.is_empty() {
        return status.into_response();
    }
    (status, [(header::CONTENT_TYPE, acknowledgement.content_type)], acknowledgement.body).into_response()
}

/// What providers told, with a good signature, that fits no payment: a person has to look. Oldest first.
#[utoipa::path(get, path = "/v1/notices", tag = "notices", params(NoticeQuery),
    responses((status = 200, body = Vec<NoticeView>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn notices(
    FromState(state): FromState<Shared>,
    _: Admin,
    Params(query): Params<NoticeQuery>,
) -> Answer<axum::Json<Vec<NoticeView>>> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !LIMITS.contains(&limit) {
        return Err(Problem::unprocessable("query_invalid", "limit is 1 to 200").field("limit"));
    }
    let rows = state.engine.ledger().notices(query.after.unwrap_or(0), limit).await?;
    Ok(axum::Json(rows.iter().map(view::notice).collect()))
}
