//! Notifications of the providers: raw body, the provider's own acknowledgement.

use axum::body::Bytes;
use axum::extract::{Path, State as FromState};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::Shared;
use crate::api::wire::Problem;
use crate::channel::RawNotification;

/// Takes a provider's notification. Its signature is the provider's, not a till's.
#[utoipa::path(post, path = "/v1/notifications/{channel}/{account}", tag = "notices",
    params(("channel" = String, Path), ("account" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "the acknowledgement that the provider documents")))]
pub(in crate::api) async fn notification(
    FromState(state): FromState<Shared>,
    Path((channel, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (Ok(channel), Ok(account)) = (channel.parse(), account.parse()) else {
        return Problem::not_found("account").into_response();
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
