//! Health and metrics.

use axum::extract::{Request, State as FromState};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use crate::api::Shared;
use crate::api::extract::{admit, peer};
use crate::api::wire::{Health, Problem};
use crate::metrics::{CONTENT_TYPE, Page};

/// Whether the API is there, its version and its clock.
#[utoipa::path(get, path = "/healthz", tag = "about", responses((status = 200, body = Health)))]
pub(in crate::api) async fn health(FromState(state): FromState<Shared>) -> axum::Json<Health> {
    axum::Json(Health {
        status: "ok".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        time: Timestamp::from_millisecond(state.engine.now()).unwrap_or(Timestamp::UNIX_EPOCH),
        training: state.engine.is_training(),
    })
}

/// What is counted, in Prometheus' text form: for callers on this very machine, and for signed requests of an admin's
/// key. A request that a proxy has passed on is not from this machine.
#[utoipa::path(get, path = "/metrics", tag = "about",
    responses((status = 200, description = "Prometheus' text form, version 0.0.4", content_type = "text/plain", body = String),
              (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn metrics(FromState(state): FromState<Shared>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let passed_on =
        ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| parts.headers.contains_key(*name));
    let is_local = !passed_on && peer(&parts).is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if !is_local {
        match admit(&state, &parts, b"") {
            Err(refused) => return *refused,
            Ok(admitted) if !admitted.caller.admin => {
                let detail = "this till's key may not read the metrics";
                return Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response();
            }
            Ok(_) => {}
        }
    }
    let mut page = Page::default();
    state.metrics.tell(&mut page);
    if let Err(error) = state.engine.tell_metrics(&mut page).await {
        return Problem::from(error).into_response();
    }
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page.into_text()).into_response()
}
