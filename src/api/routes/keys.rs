//! Which algorithms accounts may use, and the keys of the house.

use axum::extract::State as FromState;
use axum::http::StatusCode;

use crate::api::Shared;
use crate::api::account_view::instant;
use crate::api::extract::{Admin, Json, Owner};
use crate::api::problem::Answer;
use crate::api::wire::{
    AccountPolicy, Algorithm, AlgorithmView, KeyKind, KeyView, PolicyView, Problem, RotateKey, RotatedKey, SetPolicy,
};
use crate::channel::Retiring;
use crate::crypto::{Secret, random_token};
use crate::ledger::Till;

use super::accounts::{overlap_end, policy};

/// Which algorithms each account may use.
#[utoipa::path(get, path = "/v1/policy", tag = "security", responses((status = 200, body = PolicyView)))]
pub(in crate::api) async fn read_policy(
    FromState(state): FromState<Shared>,
    _: Admin,
) -> Answer<axum::Json<PolicyView>> {
    let algorithms = Algorithm::ALL
        .into_iter()
        .map(|name| AlgorithmView { name, title: name.to_string(), weak: name.is_weak() })
        .collect();
    let accounts = state.engine.ledger().accounts().await?;
    let accounts = accounts
        .into_iter()
        .map(|account| AccountPolicy { account: account.id, algorithms: account.algorithms.into() })
        .collect();
    Ok(axum::Json(PolicyView { algorithms, accounts }))
}

/// Set which algorithms accounts may use: for every account that is named, or for none.
#[utoipa::path(put, path = "/v1/policy", tag = "security", request_body = SetPolicy,
    responses((status = 200, body = PolicyView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn set_policy(
    FromState(state): FromState<Shared>,
    Owner(caller): Owner,
    Json(wanted): Json<SetPolicy>,
) -> Answer<axum::Json<PolicyView>> {
    let turn = state.accounts_turn.lock().await;
    let accounts = state.engine.ledger().accounts().await?;
    let mut changed = Vec::with_capacity(wanted.accounts.len());
    for AccountPolicy { account: id, algorithms } in wanted.accounts {
        let mut account = accounts.iter().find(|account| account.id == id).cloned().ok_or_else(|| {
            let detail = format!("there is no account {id}. Nothing was changed");
            Problem::unprocessable("account_unknown", detail).field("accounts")
        })?;
        account.algorithms = policy(account.algorithms, algorithms, wanted.accept_weak)?;
        changed.push(account);
    }
    for account in &changed {
        state.engine.ledger().put_account(state.engine.now(), &caller.actor(), account).await?;
    }
    state.engine.reload_accounts().await?;
    drop(turn);
    read_policy(FromState(state), Admin(caller)).await
}

fn till_key(state: &Shared, till: &Till) -> KeyView {
    KeyView {
        kind: KeyKind::Till,
        id: till.id.to_string(),
        enabled: till.enabled,
        admin: till.admin,
        kept_in: None,
        retiring_until: till.retiring.as_ref().and_then(|retiring| instant(retiring.until, state.engine.now())),
    }
}

fn seal_key(state: &Shared) -> KeyView {
    KeyView {
        kind: KeyKind::Seal,
        id: "seal".into(),
        enabled: true,
        admin: false,
        kept_in: state.keeper.as_ref().map(|keeper| keeper.kept_in().name().to_owned()),
        retiring_until: None,
    }
}

/// The keys of the house: the tills' keys to this API, and the key that credentials are sealed under.
#[utoipa::path(get, path = "/v1/keys", tag = "security", responses((status = 200, body = Vec<KeyView>)))]
pub(in crate::api) async fn list(FromState(state): FromState<Shared>, _: Admin) -> Answer<axum::Json<Vec<KeyView>>> {
    let tills = state.engine.ledger().tills().await?;
    let mut keys: Vec<_> = tills.iter().map(|till| till_key(&state, till)).collect();
    keys.push(seal_key(&state));
    Ok(axum::Json(keys))
}

/// Give a till a new key to this API (the answer tells its secret, once), or seal all credentials under a new key.
#[utoipa::path(post, path = "/v1/keys/rotate", tag = "security", request_body = RotateKey,
    responses((status = 200, body = RotatedKey), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn rotate(
    FromState(state): FromState<Shared>,
    Owner(caller): Owner,
    Json(wanted): Json<RotateKey>,
) -> Answer<axum::Json<RotatedKey>> {
    let _turn = state.accounts_turn.lock().await;
    match (wanted.kind, wanted.till) {
        (KeyKind::Seal, None) => {
            let keeper = state.keeper.as_ref().ok_or_else(|| {
                Problem::new(StatusCode::CONFLICT, "not_possible_now", "this process does not keep the seal key")
            })?;
            keeper
                .rotate_seal_key(&caller.actor())
                .await
                .map_err(|detail| Problem::new(StatusCode::CONFLICT, "seal_key_stays", detail))?;
            Ok(axum::Json(RotatedKey { key: seal_key(&state), secret: None }))
        }
        (KeyKind::Seal, Some(_)) => {
            Err(Problem::unprocessable("key_invalid", "the seal key belongs to no till").field("till"))
        }
        (KeyKind::Till, id) => {
            let until = overlap_end(&state, wanted.overlap_seconds)?;
            let tills = state.engine.ledger().tills().await?;
            let till = tills
                .into_iter()
                .find(|till| Some(&till.id) == id.as_ref())
                .ok_or_else(|| Problem::unprocessable("till_unknown", "there is no such till").field("till"))?;
            let secret = random_token();
            let old = till.secret.clone();
            let till = Till {
                secret: Secret::new(secret.clone()),
                retiring: until.map(|until| Retiring { credentials: old, until }),
                ..till
            };
            state.engine.ledger().put_till(state.engine.now(), &caller.actor(), &till).await?;
            state.guard.reload().await?;
            state.rotated.notify_one();
            if let Some(keeper) = &state.keeper {
                keeper.till_rotated(&till);
            }
            Ok(axum::Json(RotatedKey { key: till_key(&state, &till), secret: Some(secret) }))
        }
    }
}
