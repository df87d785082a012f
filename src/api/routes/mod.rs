//! The calls, a file for each group.

mod about;
mod account_tests;
mod accounts;
mod keys;
mod notifications;
mod operators;
mod payments;
mod refunds;
mod stores;
mod takings;
mod tills;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::Shared;
use super::events::events;
use super::extract::signed;
use super::watch::watched;
use super::wire::Problem;

pub(super) use self::{
    about::{__path_health, __path_metrics, health, metrics},
    account_tests::{__path_forms, __path_test_new, __path_test_stored},
    accounts::{
        __path_change as __path_change_account, __path_create as __path_create_account,
        __path_list as __path_list_accounts, __path_read as __path_read_account,
        __path_remove as __path_remove_account, __path_rotate as __path_rotate_account,
    },
    keys::{
        __path_list as __path_list_keys, __path_read_policy, __path_rotate as __path_rotate_key, __path_set_policy,
    },
    notifications::{__path_notices, __path_notification},
    operators::{
        __path_change as __path_change_operator, __path_create as __path_create_operator,
        __path_list as __path_list_operators, __path_read as __path_read_operator, __path_sign_in,
    },
    payments::{
        __path_cancel, __path_change as __path_change_payment, __path_code, __path_create as __path_create_payment,
        __path_history, __path_list as __path_list_payments, __path_read as __path_read_payment, __path_scan,
    },
    refunds::{__path_confirm, __path_refund},
    stores::{
        __path_change as __path_change_store, __path_create as __path_create_store, __path_list as __path_list_stores,
        __path_read as __path_read_store,
    },
    takings::{__path_channels, __path_takings},
    tills::{
        __path_change as __path_change_till, __path_create as __path_create_till, __path_list as __path_list_tills,
        __path_read as __path_read_till,
    },
};

/// Every call.
pub(super) fn router(state: Shared) -> Router {
    let signed_calls = Router::new()
        .route("/v1/payments", post(payments::create).get(payments::list))
        .route("/v1/payments/{id}", get(payments::read).patch(payments::change))
        .route("/v1/payments/{id}/history", get(payments::history))
        .route("/v1/payments/{id}/code", post(payments::code))
        .route("/v1/payments/{id}/scan", post(payments::scan))
        .route("/v1/payments/{id}/cancel", post(payments::cancel))
        .route("/v1/payments/{id}/confirm", post(refunds::confirm))
        .route("/v1/payments/{id}/refunds", post(refunds::refund))
        .route("/v1/notices", get(notifications::notices))
        .route("/v1/channels", get(takings::channels))
        .route("/v1/takings", get(takings::takings))
        .route("/v1/events", get(events))
        .route("/v1/accounts", post(accounts::create).get(accounts::list))
        .route("/v1/accounts/{id}", get(accounts::read).patch(accounts::change).delete(accounts::remove))
        .route("/v1/accounts/{id}/rotate", post(accounts::rotate))
        .route("/v1/accounts/{id}/test", post(account_tests::test_stored))
        .route("/v1/accounts/test", post(account_tests::test_new))
        .route("/v1/account-forms", get(account_tests::forms))
        .route("/v1/policy", get(keys::read_policy).put(keys::set_policy))
        .route("/v1/keys", get(keys::list))
        .route("/v1/keys/rotate", post(keys::rotate))
        .route("/v1/operators", post(operators::create).get(operators::list))
        .route("/v1/operators/{id}", get(operators::read).patch(operators::change))
        .route("/v1/sessions", post(operators::sign_in))
        .route("/v1/stores", post(stores::create).get(stores::list))
        .route("/v1/stores/{id}", get(stores::read).patch(stores::change))
        .route("/v1/tills", post(tills::create).get(tills::list))
        .route("/v1/tills/{id}", get(tills::read).patch(tills::change))
        .route_layer(from_fn_with_state(state.clone(), signed));
    Router::new()
        .merge(signed_calls)
        .route("/v1/notifications/{channel}/{account}", post(notifications::notification))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(super::openapi::document))
        .fallback(|| async { Problem::not_found("call") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this call does not take this method")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), watched))
        .with_state(state)
}

#[allow(clippy::needless_pass_by_value)] // The layer's signature.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a call panicked");
    let detail = "something went wrong on our side: look the payment up before asking for money again";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
}
