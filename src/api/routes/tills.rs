//! Tills and their keys. A secret is told once, when the till is added.

use axum::extract::{Path, State as FromState};
use axum::http::StatusCode;

use super::stores::{self, checked_name, new_id};
use crate::api::Shared;
use crate::api::extract::{Admin, Json};
use crate::api::problem::Answer;
use crate::api::wire::{ChangeTill, CreateTill, NewTill, Problem, TillView};
use crate::crypto::{Secret, random_token};
use crate::ledger::Till;

fn view(till: &Till) -> TillView {
    TillView {
        id: till.id.clone(),
        store: till.store.clone(),
        name: till.name.clone(),
        enabled: till.enabled,
        admin: till.admin,
    }
}

async fn find(state: &Shared, id: &str) -> Answer<Till> {
    let tills = state.engine.ledger().tills().await?;
    tills.into_iter().find(|till| till.id.as_str() == id).ok_or_else(|| Problem::not_found("till"))
}

async fn put(state: &Shared, actor: &str, till: &Till) -> Answer<()> {
    state.engine.ledger().put_till(state.engine.now(), actor, till).await?;
    state.guard.reload().await?;
    Ok(())
}

/// Add a till; the answer tells its secret, once.
#[utoipa::path(post, path = "/v1/tills", tag = "accounts", request_body = CreateTill,
    responses((status = 201, body = NewTill), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Json(new): Json<CreateTill>,
) -> Answer<(StatusCode, axum::Json<NewTill>)> {
    let store = stores::of_new(&state, &new.store).await?;
    let secret = random_token();
    let till = Till {
        id: new_id(new.id, "till")?,
        store: store.id,
        name: checked_name(&new.name)?,
        secret: Secret::new(secret.clone()),
        retiring: None,
        enabled: true,
        admin: false,
    };
    if find(&state, till.id.as_str()).await.is_ok() {
        return Err(
            Problem::new(StatusCode::CONFLICT, "exists", "there is a till with this id: change it instead").field("id")
        );
    }
    put(&state, &caller.actor(), &till).await?;
    Ok((StatusCode::CREATED, axum::Json(NewTill { till: view(&till), secret })))
}

/// List tills.
#[utoipa::path(get, path = "/v1/tills", tag = "accounts", responses((status = 200, body = Vec<TillView>)))]
pub(in crate::api) async fn list(FromState(state): FromState<Shared>, _: Admin) -> Answer<axum::Json<Vec<TillView>>> {
    Ok(axum::Json(state.engine.ledger().tills().await?.iter().map(view).collect()))
}

/// Read a till.
#[utoipa::path(get, path = "/v1/tills/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = TillView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
) -> Answer<axum::Json<TillView>> {
    Ok(axum::Json(view(&find(&state, &id).await?)))
}

/// Rename a till, or take its right to act.
#[utoipa::path(patch, path = "/v1/tills/{id}", tag = "accounts", params(("id" = String, Path)), request_body = ChangeTill,
    responses((status = 200, body = TillView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn change(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(change): Json<ChangeTill>,
) -> Answer<axum::Json<TillView>> {
    let mut till = find(&state, &id).await?;
    if let Some(name) = &change.name {
        till.name = checked_name(name)?;
    }
    if let Some(enabled) = change.enabled {
        if !enabled && till.id == caller.till {
            return Err(Problem::new(StatusCode::CONFLICT, "own_key", "a till cannot take its own right to act")
                .field("enabled"));
        }
        till.enabled = enabled;
    }
    put(&state, &caller.actor(), &till).await?;
    Ok(axum::Json(view(&till)))
}
