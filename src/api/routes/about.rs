//! Health.

use axum::extract::State as FromState;
use jiff::Timestamp;

use crate::api::Shared;
use crate::api::wire::Health;

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
