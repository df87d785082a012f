//! Stores.

use axum::extract::{Path, State as FromState};
use axum::http::StatusCode;

use crate::api::Shared;
use crate::api::extract::{Admin, Json};
use crate::api::problem::Answer;
use crate::api::wire::{ChangeStore, CreateStore, Problem, Store};
use crate::crypto::random_token;
use crate::payment::{IdError, StoreId};

const NAME_CHARACTERS: usize = 40;

/// A name that fits on a sign and in a journal.
pub(super) fn checked_name(name: &str) -> Answer<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARACTERS || name.chars().any(char::is_control) {
        return Err(Problem::unprocessable("name_invalid", "a name is 1 to 40 characters").field("name"));
    }
    Ok(name.to_owned())
}

/// An id that was given, or a new one.
pub(super) fn new_id<T: std::str::FromStr<Err = IdError>>(given: Option<T>, kind: &str) -> Answer<T> {
    given.map_or_else(
        || {
            format!("{kind}-{}", &random_token()[..8])
                .parse()
                .map_err(|error: IdError| Problem::unprocessable("id_invalid", error.to_string()))
        },
        Ok,
    )
}

pub(super) async fn find(state: &Shared, id: &str) -> Answer<Store> {
    let stores = state.engine.ledger().stores().await?;
    stores.into_iter().find(|store| store.id.as_str() == id).ok_or_else(|| Problem::not_found("store"))
}

/// The store that something new is to belong to.
pub(super) async fn of_new(state: &Shared, id: &StoreId) -> Answer<Store> {
    find(state, id.as_str())
        .await
        .map_err(|_| Problem::unprocessable("store_unknown", "there is no such store: add it first").field("store"))
}

/// Add a store.
#[utoipa::path(post, path = "/v1/stores", tag = "accounts", request_body = CreateStore,
    responses((status = 201, body = Store), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Json(new): Json<CreateStore>,
) -> Answer<(StatusCode, axum::Json<Store>)> {
    let store = Store { id: new_id(new.id, "store")?, name: checked_name(&new.name)? };
    if find(&state, store.id.as_str()).await.is_ok() {
        return Err(Problem::new(StatusCode::CONFLICT, "exists", "there is a store with this id: change it instead")
            .field("id"));
    }
    state.engine.ledger().put_store(state.engine.now(), &caller.actor(), &store).await?;
    Ok((StatusCode::CREATED, axum::Json(store)))
}

/// List stores.
#[utoipa::path(get, path = "/v1/stores", tag = "accounts", responses((status = 200, body = Vec<Store>)))]
pub(in crate::api) async fn list(FromState(state): FromState<Shared>, _: Admin) -> Answer<axum::Json<Vec<Store>>> {
    Ok(axum::Json(state.engine.ledger().stores().await?))
}

/// Read a store.
#[utoipa::path(get, path = "/v1/stores/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = Store), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
) -> Answer<axum::Json<Store>> {
    Ok(axum::Json(find(&state, &id).await?))
}

/// Rename a store.
#[utoipa::path(patch, path = "/v1/stores/{id}", tag = "accounts", params(("id" = String, Path)), request_body = ChangeStore,
    responses((status = 200, body = Store), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn change(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(change): Json<ChangeStore>,
) -> Answer<axum::Json<Store>> {
    let store = Store { name: checked_name(&change.name)?, ..find(&state, &id).await? };
    state.engine.ledger().put_store(state.engine.now(), &caller.actor(), &store).await?;
    Ok(axum::Json(store))
}
