//! Merchant accounts. Credentials go in and never come out. A change takes effect at once.

use axum::extract::{Path, State as FromState};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::api::Shared;
use crate::api::account_view::{credentials, form, view};
use crate::api::extract::{Admin, Json};
use crate::api::problem::Answer;
use crate::api::wire::{AccountView, ChangeAccount, CreateAccount, Problem, RotateAccount};
use crate::channel::{self, AccountError, MerchantAccount, Retiring};
use crate::crypto::{Algorithm, AlgorithmPolicy, Secret};
use crate::payment::{ChannelId, StoreId};

use super::stores::{checked_name, new_id};

/// How long replaced credentials may count, in seconds: 90 days.
pub(super) const MAX_OVERLAP: u32 = 90 * 24 * 60 * 60;

/// An account's change is taken only if its channel can be built from it.
fn usable(account: &MerchantAccount) -> Answer<()> {
    channel::open(account).map(|_| ()).map_err(|error| {
        let problem = Problem::unprocessable("account_invalid", format!("{error}. Nothing was stored"));
        problem.field(field_of(&error))
    })
}

/// Which field of a request an error is about.
pub(super) const fn field_of(error: &AccountError) -> &'static str {
    match error {
        AccountError::UnknownChannel(_) => "channel",
        AccountError::Credential { field, .. } => field,
        AccountError::BaseUrl => "base_url",
        AccountError::AlgorithmOff(_) => "algorithms",
    }
}

pub(super) async fn find(state: &Shared, id: &str) -> Answer<MerchantAccount> {
    let accounts = state.engine.ledger().accounts().await?;
    accounts.into_iter().find(|account| account.id.as_str() == id).ok_or_else(|| Problem::not_found("account"))
}

/// Writes the account and opens it at once.
pub(super) async fn store(state: &Shared, actor: &str, account: &MerchantAccount) -> Answer<()> {
    if let Some(keeper) = state.keeper.as_ref().filter(|_| !account.training) {
        keeper.before_real_credentials(actor).await;
    }
    state.engine.ledger().put_account(state.engine.now(), actor, account).await?;
    state.engine.reload_accounts().await?;
    Ok(())
}

/// A gateway's address as it is kept; the form's default where none is given.
pub(super) fn base_url(channel: &ChannelId, given: &str) -> String {
    let given = given.trim().trim_end_matches('/');
    if given.is_empty() {
        return form(channel).map(|form| form.default_base_url.to_owned()).unwrap_or_default();
    }
    given.to_owned()
}

fn notify_base_url(given: &str) -> Answer<Option<String>> {
    let given = given.trim().trim_end_matches('/');
    if given.is_empty() {
        return Ok(None);
    }
    let fits = reqwest::Url::parse(given)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
    if !fits {
        let detail = "the address for notifications is not an http or https address. Nothing was stored";
        return Err(Problem::unprocessable("account_invalid", detail).field("notify_base_url"));
    }
    Ok(Some(given.to_owned()))
}

/// An account serves stores that exist.
async fn known_stores(state: &Shared, wanted: Vec<StoreId>) -> Answer<Vec<StoreId>> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let known = state.engine.ledger().stores().await?;
    match wanted.iter().find(|id| !known.iter().any(|store| &store.id == *id)) {
        Some(id) => {
            let detail = format!("there is no store {id}: add it first. Nothing was stored");
            Err(Problem::unprocessable("store_unknown", detail).field("stores"))
        }
        None => Ok(wanted),
    }
}

/// The policy that is asked for. A weak algorithm is turned on only by somebody who says that it is weak.
pub(super) fn policy(now: AlgorithmPolicy, wanted: Vec<Algorithm>, accept_weak: bool) -> Answer<AlgorithmPolicy> {
    let wanted = AlgorithmPolicy::from(wanted);
    let fresh = wanted.weak().into_iter().find(|algorithm| !now.allows(*algorithm));
    match fresh {
        Some(weak) if !accept_weak => {
            let detail = format!(
                "{weak} is broken: messages signed or hidden by it can be forged or read. It is turned on only for an \
                 account whose provider has nothing else, and by saying so with accept_weak. Nothing was changed"
            );
            Err(Problem::unprocessable("weak_algorithm", detail).field("algorithms"))
        }
        _ => Ok(wanted),
    }
}

/// Credentials have to be an object of texts.
pub(super) fn texts(credentials: Value) -> Answer<Map<String, Value>> {
    let wrong = |detail: &str| Problem::unprocessable("body_invalid", detail).field("credentials");
    let Value::Object(fields) = credentials else {
        return Err(wrong("credentials are an object: the names of the fields and their texts"));
    };
    if fields.values().any(|value| !matches!(value, Value::String(_) | Value::Null)) {
        return Err(wrong("every credential is a text"));
    }
    Ok(fields)
}

/// The stored credentials with some of them changed; `null` and the empty text take one away.
pub(super) fn merged(account: &MerchantAccount, changed: Value) -> Answer<Secret<String>> {
    let mut fields = credentials(account);
    for (name, value) in texts(changed)? {
        match value {
            Value::String(text) if !text.trim().is_empty() => {
                fields.insert(name, Value::String(text));
            }
            _ => {
                fields.shift_remove(&name);
            }
        }
    }
    Ok(Secret::new(Value::Object(fields).to_string()))
}

/// Credentials that are given whole.
pub(super) fn whole(given: Value) -> Answer<Secret<String>> {
    let mut fields = texts(given)?;
    fields.retain(|_, value| value.as_str().is_some_and(|text| !text.trim().is_empty()));
    Ok(Secret::new(Value::Object(fields).to_string()))
}

/// Add a merchant account.
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = CreateAccount,
    responses((status = 201, body = AccountView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Json(new): Json<CreateAccount>,
) -> Answer<(StatusCode, axum::Json<AccountView>)> {
    let id = new_id(new.id, new.channel.as_str())?;
    let usual = AlgorithmPolicy::default();
    let account = MerchantAccount {
        id,
        name: checked_name(&new.name)?,
        base_url: base_url(&new.channel, &new.base_url),
        channel: new.channel,
        training: new.training,
        enabled: new.enabled,
        notify_base_url: notify_base_url(new.notify_base_url.as_deref().unwrap_or_default())?,
        timing: new.timing,
        stores: known_stores(&state, new.stores).await?,
        algorithms: new.algorithms.map_or(Ok(usual), |wanted| policy(usual, wanted, new.accept_weak))?,
        retiring: None,
        credentials: whole(new.credentials)?,
    };
    usable(&account)?;
    let _turn = state.accounts_turn.lock().await;
    if find(&state, account.id.as_str()).await.is_ok() {
        let detail = "there is an account with this id: change it instead";
        return Err(Problem::new(StatusCode::CONFLICT, "exists", detail).field("id"));
    }
    store(&state, &caller.actor(), &account).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&state, &account))))
}

/// List merchant accounts.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", responses((status = 200, body = Vec<AccountView>)))]
pub(in crate::api) async fn list(
    FromState(state): FromState<Shared>,
    _: Admin,
) -> Answer<axum::Json<Vec<AccountView>>> {
    let accounts = state.engine.ledger().accounts().await?;
    Ok(axum::Json(accounts.iter().map(|account| view(&state, account)).collect()))
}

/// Read a merchant account.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
) -> Answer<axum::Json<AccountView>> {
    Ok(axum::Json(view(&state, &find(&state, &id).await?)))
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
    let _turn = state.accounts_turn.lock().await;
    let mut account = find(&state, &id).await?;
    // What takes nothing to the provider is possible also with an account that cannot be used.
    let has_to_work = change.base_url.is_some() || change.timing.is_some() || change.credentials.is_some();
    if let Some(name) = &change.name {
        account.name = checked_name(name)?;
    }
    if let Some(url) = &change.base_url {
        account.base_url = base_url(&account.channel, url);
    }
    account.training = change.training.unwrap_or(account.training);
    account.enabled = change.enabled.unwrap_or(account.enabled);
    if let Some(url) = &change.notify_base_url {
        account.notify_base_url = notify_base_url(url)?;
    }
    if let Some(timing) = change.timing {
        account.timing = timing;
    }
    if let Some(stores) = change.stores {
        account.stores = known_stores(&state, stores).await?;
    }
    if let Some(wanted) = change.algorithms {
        account.algorithms = policy(account.algorithms, wanted, change.accept_weak)?;
    }
    if let Some(changed) = change.credentials {
        account.credentials = merged(&account, changed)?;
    }
    if has_to_work {
        usable(&account)?;
    }
    store(&state, &caller.actor(), &account).await?;
    Ok(axum::Json(view(&state, &account)))
}

/// Remove a merchant account and its credentials; not while an unfinished payment needs it.
#[utoipa::path(delete, path = "/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn remove(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let _turn = state.accounts_turn.lock().await;
    let account = find(&state, &id).await?;
    if !state.engine.ledger().remove_account(state.engine.now(), &caller.actor(), &account.id).await? {
        let detail = "an unfinished payment goes through this account, so it stays: disable it, wait until the payment \
                      is over, and remove it then";
        return Err(Problem::new(StatusCode::CONFLICT, "account_in_use", detail));
    }
    state.engine.reload_accounts().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a merchant account new credentials; what the provider still sends under the old ones is believed for a while.
#[utoipa::path(post, path = "/v1/accounts/{id}/rotate", tag = "accounts", params(("id" = String, Path)), request_body = RotateAccount,
    responses((status = 200, body = AccountView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn rotate(
    FromState(state): FromState<Shared>,
    Admin(caller): Admin,
    Path(id): Path<String>,
    Json(rotation): Json<RotateAccount>,
) -> Answer<axum::Json<AccountView>> {
    let until = overlap_end(&state, rotation.overlap_seconds)?;
    let _turn = state.accounts_turn.lock().await;
    let account = find(&state, &id).await?;
    let fresh = merged(&account, rotation.credentials)?;
    if fresh.expose() == account.credentials.expose() {
        let detail = "these are the credentials that the account has already. Nothing was changed";
        return Err(Problem::unprocessable("nothing_new", detail).field("credentials"));
    }
    let old = account.credentials.clone();
    let account = MerchantAccount {
        credentials: fresh,
        retiring: until.map(|until| Retiring { credentials: old, until }),
        ..account
    };
    usable(&account)?;
    store(&state, &caller.actor(), &account).await?;
    state.rotated.notify_one();
    Ok(axum::Json(view(&state, &account)))
}

/// When an overlap that begins now ends; `None` for no overlap.
pub(super) fn overlap_end(state: &Shared, seconds: u32) -> Answer<Option<i64>> {
    if seconds > MAX_OVERLAP {
        let detail = format!("an overlap is 0 to {MAX_OVERLAP} seconds (90 days)");
        return Err(Problem::unprocessable("overlap_invalid", detail).field("overlap_seconds"));
    }
    Ok((seconds > 0).then(|| state.engine.now() + i64::from(seconds) * 1_000))
}
