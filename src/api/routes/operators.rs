//! The people at the tills, and signing in.

use axum::extract::{Path, State as FromState};
use axum::http::StatusCode;
use jiff::Timestamp;

use super::stores::{self, checked_name, new_id};
use crate::api::Shared;
use crate::api::auth::Caller;
use crate::api::extract::{Admin, Json, Owner, Params};
use crate::api::problem::Answer;
use crate::api::wire::{ChangeOperator, CreateOperator, OperatorQuery, OperatorView, Problem, SessionView, SignIn};
use crate::crypto::{PinHash, Secret};
use crate::ledger::Operator;
use crate::payment::OperatorId;

const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;
const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=64;

fn view(operator: &Operator, now: i64) -> OperatorView {
    let until = operator.locked_until.filter(|until| *until > now);
    OperatorView {
        id: operator.id.clone(),
        name: operator.name.clone(),
        role: operator.role,
        store: operator.store.clone(),
        enabled: operator.enabled,
        locked_until: until.and_then(|until| Timestamp::from_millisecond(until).ok()),
    }
}

/// Digits that go up or down by the same step, such as 0000, 1234 or 8642: what a stranger tries first.
fn is_row(digits: &[u8]) -> bool {
    digits
        .windows(3)
        .all(|three| i16::from(three[1]) - i16::from(three[0]) == i16::from(three[2]) - i16::from(three[1]))
}

/// What is kept of a PIN, where it is good enough.
async fn kept_of(pin: Secret<String>) -> Answer<Secret<String>> {
    let text = pin.expose();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let refused = if digits && !PIN_DIGITS.contains(&text.len()) {
        Some("a PIN is 4 to 12 digits")
    } else if digits && is_row(text.as_bytes()) {
        Some("this PIN is too easy: it is a row of digits")
    } else if !digits && (!PASSWORD_CHARACTERS.contains(&text.chars().count()) || text.chars().any(char::is_control)) {
        Some("a PIN is 4 to 12 digits; a password is 8 to 64 characters")
    } else {
        None
    };
    if let Some(detail) = refused {
        return Err(Problem::unprocessable("pin_invalid", detail).field("pin"));
    }
    let kept = tokio::task::spawn_blocking(move || PinHash::of(pin.expose())).await;
    let kept = kept.ok().and_then(Result::ok).and_then(|kept| serde_json::to_string(&kept).ok());
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the PIN could not be stored");
    kept.map(Secret::new).ok_or_else(failed)
}

async fn find(state: &Shared, id: &str) -> Answer<Operator> {
    let operators = state.engine.ledger().operators().await?;
    operators.into_iter().find(|operator| operator.id.as_str() == id).ok_or_else(|| Problem::not_found("operator"))
}

async fn put(state: &Shared, actor: &str, operator: &Operator) -> Answer<()> {
    state.engine.ledger().put_operator(state.engine.now(), actor, "operator_put", operator).await?;
    state.sessions.reload().await?;
    Ok(())
}

/// Add an operator. From the first one on, somebody has to be signed in at a till before money moves there, unless the
/// till's key may manage accounts.
#[utoipa::path(post, path = "/v1/operators", tag = "operators", request_body = CreateOperator,
    responses((status = 201, body = OperatorView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn create(
    FromState(state): FromState<Shared>,
    Owner(caller): Owner,
    Json(new): Json<CreateOperator>,
) -> Answer<(StatusCode, axum::Json<OperatorView>)> {
    if let Some(store) = &new.store {
        stores::of_new(&state, store).await?;
    }
    let now = state.engine.now();
    let operator = Operator {
        id: new_id(new.id, "operator")?,
        name: checked_name(&new.name)?,
        role: new.role,
        store: new.store,
        enabled: true,
        pin: kept_of(new.pin).await?,
        round: 0,
        lockouts: 0,
        locked_until: None,
        sessions_from: now,
    };
    let _turn = state.sessions.turn().await;
    if find(&state, operator.id.as_str()).await.is_ok() {
        let detail = "there is an operator with this id: change them instead";
        return Err(Problem::new(StatusCode::CONFLICT, "exists", detail).field("id"));
    }
    put(&state, &caller.actor(), &operator).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&operator, now))))
}

/// List operators: all of them for a key that manages accounts; else those who may sign in at this till.
#[utoipa::path(get, path = "/v1/operators", tag = "operators", params(OperatorQuery),
    responses((status = 200, body = Vec<OperatorView>)))]
pub(in crate::api) async fn list(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Params(query): Params<OperatorQuery>,
) -> Answer<axum::Json<Vec<OperatorView>>> {
    let now = state.engine.now();
    let operators = state.engine.ledger().operators().await?;
    let seen =
        |operator: &&Operator| (caller.admin && !query.here) || (operator.enabled && operator.works_in(&caller.store));
    Ok(axum::Json(operators.iter().filter(seen).map(|operator| view(operator, now)).collect()))
}

/// Read an operator.
#[utoipa::path(get, path = "/v1/operators/{id}", tag = "operators", params(("id" = String, Path)),
    responses((status = 200, body = OperatorView), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn read(
    FromState(state): FromState<Shared>,
    _: Admin,
    Path(id): Path<String>,
) -> Answer<axum::Json<OperatorView>> {
    Ok(axum::Json(view(&find(&state, &id).await?, state.engine.now())))
}

/// Change an operator: name, role, PIN, whether they may sign in; or unlock them.
#[utoipa::path(patch, path = "/v1/operators/{id}", tag = "operators", params(("id" = String, Path)), request_body = ChangeOperator,
    responses((status = 200, body = OperatorView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn change(
    FromState(state): FromState<Shared>,
    Owner(caller): Owner,
    Path(id): Path<String>,
    Json(change): Json<ChangeOperator>,
) -> Answer<axum::Json<OperatorView>> {
    let pin = match change.pin {
        Some(pin) => Some(kept_of(pin).await?),
        None => None,
    };
    if change.locked == Some(true) {
        let detail = "an operator is locked out by mistyping alone: set enabled to false instead";
        return Err(Problem::unprocessable("locked_invalid", detail).field("locked"));
    }
    let _turn = state.sessions.turn().await;
    let mut operator = find(&state, &id).await?;
    let now = state.engine.now();
    if let Some(name) = &change.name {
        operator.name = checked_name(name)?;
    }
    if change.role.is_some() || change.enabled.is_some() || pin.is_some() {
        operator.sessions_from = now;
    }
    operator.role = change.role.unwrap_or(operator.role);
    operator.enabled = change.enabled.unwrap_or(operator.enabled);
    if pin.is_some() || change.locked.is_some() {
        operator = operator.unlocked();
    }
    if let Some(pin) = pin {
        operator.pin = pin;
    }
    put(&state, &caller.actor(), &operator).await?;
    Ok(axum::Json(view(&operator, now)))
}

/// Sign in at this till. A PIN may be mistyped 5 times; then none is looked at for a minute, then for 5, 15 and 60.
#[utoipa::path(post, path = "/v1/sessions", tag = "operators", request_body = SignIn,
    responses((status = 201, body = SessionView), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(in crate::api) async fn sign_in(
    FromState(state): FromState<Shared>,
    caller: Caller,
    Json(wish): Json<SignIn>,
) -> Answer<(StatusCode, axum::Json<SessionView>)> {
    let now = state.engine.now();
    let operator: OperatorId = wish.operator;
    let session = state.sessions.sign_in(&caller, &operator, wish.pin, now).await?;
    let expires_at = Timestamp::from_millisecond(session.expires_at).unwrap_or(Timestamp::MAX);
    let view = SessionView { token: session.token, expires_at, operator: view(&session.operator, now) };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

#[cfg(test)]
mod tests {
    use super::is_row;

    #[test]
    fn rows_of_digits_are_told_from_pins() {
        for row in ["0000", "1234", "9876", "8642", "111111", "123456789"] {
            assert!(is_row(row.as_bytes()), "{row}");
        }
        for pin in ["4711", "1235", "0001", "1212", "90123"] {
            assert!(!is_row(pin.as_bytes()), "{pin}");
        }
    }
}
