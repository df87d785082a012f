//! Merchant accounts. Credentials go in and never come out.

use axum::extract::{Path, State as FromState};
use axum::http::StatusCode;
use serde_json::Value;

use crate::api::Shared;
use crate::api::extract::{Admin, Json};
use crate::api::problem::Answer;
use crate::api::wire::{AccountView, ChangeAccount, CreateAccount, Problem};
use crate::channel::{self, AccountError, MerchantAccount};
use crate::crypto::{AlgorithmPolicy, Secret, random_token};

use super::stores::checked_name;

fn view(account: &MerchantAccount) -> AccountView {
    let credential_fields = match serde_json::from_str(account.credentials.expose()) {
        Ok(Value::Object(fields)) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    AccountView {
        id: account.id.clone(),
        channel: account.channel.clone(),
        name: account.name.clone(),
        base_url: account.base_url.clone(),
        training: account.training,
        enabled: account.enabled,
        notify_base_url: account.notify_base_url.clone(),
        timing: account.timing.clone(),
        credential_fields,
        problem: channel::open(account).err().map(|error| error.to_string()),
    }
}

/// An account is taken only if its channel can be built from it.
fn usable(account: &MerchantAccount) -> Answer<()> {
    channel::open(account).map(|_| ()).map_err(|error| {
        let field = match &error {
            AccountError::UnknownChannel(_) => "channel",
            AccountError::Credential { field, .. } => field,
            AccountError::BaseUrl => "base_url",
            AccountError::AlgorithmOff(_) => "algorithms",
        };
        Problem::unprocessable("account_invalid", format!("{error}. Nothing was stored")).field(field)
    })
}

async fn find(state: &Shared, id: &str) -> Answer<MerchantAccount> {
    let accounts = state.engine.ledger().accounts().await?;
    accounts.into_iter().find(|account| account.id.as_str() == id).ok_or_else(|| Problem::not_found("account"))
}

async fn store(state: &Shared, actor: &str, account: &MerchantAccount) -> Answer<()> {
    state.engine.ledger().put_account(state.engine.now(), actor, account).await?;
    state.engine.reload_accounts().await?;
    Ok(())
}

/// Add a merchant account.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = CreateAccount,
    responses((status = 201, body = AccountView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Json(new): Json<CreateAccount>,
) -> Answer<(StatusCode, axum::Json<AccountView>)> {
    let id = match new.id {
        Some(id) => id,
        None => format!("{}-{}", new.channel, &random_token()[..8])
            .parse()
            .map_err(|_| Problem::unprocessable("id_invalid", "the channel's name is too long").field("channel"))?,
    };
    if find(&state, id.as_str()).await.is_ok() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "exists",
            "there is an account with this id: change it instead",
        )
        .field("id"));
    }
    let account = MerchantAccount {
        id,
        channel: new.channel,
        name: checked_name(&new.name)?,
        base_url: new.base_url.trim_end_matches('/').to_owned(),
        training: new.training,
        enabled: true,
        notify_base_url: new.notify_base_url.map(|url| url.trim_end_matches('/').to_owned()),
        timing: new.timing,
        stores: Vec::new(),
        algorithms: AlgorithmPolicy::default(),
        retiring: None,
        credentials: Secret::new(new.credentials.to_string()),
    };
    usable(&account)?;
    store(&state, &caller.actor(), &account).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&account))))
}

/// List merchant accounts.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", responses((status = 200, body = Vec<AccountView>)))]
pub(in crate::api) async fn list(
    FromState(state): FromState<Shared>,
    _: Admin,
) -> Answer<axum::Json<Vec<AccountView>>> {
    Ok(axum::Json(state.engine.ledger().accounts().await?.iter().map(view).collect()))
}

/// Read a merchant account.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
) -> Answer<axum::Json<AccountView>> {
    Ok(axum::Json(view(&find(&state, &id).await?)))
}

/// Change a merchant account.
#[utoipa::path(patch, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)), request_body = ChangeAccount,
    responses((status = 200, body = AccountView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn change(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(change): Json<ChangeAccount>,
) -> Answer<axum::Json<AccountView>> {
    let mut account = find(&state, &id).await?;
    if let Some(name) = &change.name {
        account.name = checked_name(name)?;
    }
    if let Some(url) = change.base_url {
        account.base_url = url.trim_end_matches('/').to_owned();
    }
    if let Some(enabled) = change.enabled {
        account.enabled = enabled;
    }
    if let Some(url) = change.notify_base_url {
        account.notify_base_url = Some(url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
    }
    if let Some(timing) = change.timing {
        account.timing = timing;
    }
    if let Some(credentials) = change.credentials {
        account.credentials = Secret::new(credentials.to_string());
    }
    usable(&account)?;
    store(&state, &caller.actor(), &account).await?;
    Ok(axum::Json(view(&account)))
}
