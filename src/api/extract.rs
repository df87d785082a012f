//! What handlers take from a request: who sent it, its body, its idempotency key.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Query, Request, State as FromState};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::Shared;
use super::auth::{Admitted, Asked, Caller, Refusal};

use super::problem::Answer;
use super::wire::Problem;
use crate::crypto::sha256;
use crate::engine::{Answered, Idempotency};
use crate::ledger::Role;
use crate::payment::Payment;

/// No request of a till's is longer.
const MAX_BODY: usize = 64 * 1024;

/// Checks the signature and hands the caller on.
pub(super) async fn signed(FromState(state): FromState<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read_body(body, MAX_BODY, state.limits.body_time).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Admitted { mut caller, nonce, session } = match admit(&state, &parts, &body) {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    if let Some(session) = &session {
        caller.operator = state.sessions.signed_in(session, &caller, state.engine.now()).await;
        // Whoever only looks is not kept from it by a session that is over.
        if caller.operator.is_none() && parts.method != Method::GET {
            return refuse(&state, Refusal::SessionOver);
        }
    }
    let repeatable = parts.method == Method::GET || parts.headers.contains_key("idempotency-key");
    if !repeatable {
        // What acts, and has no answer that would be given again, counts once for every process that shares the books,
        // also after a new start.
        match state.engine.ledger().spend_nonce(caller.till.as_str(), &nonce, state.engine.now()).await {
            Ok(true) => {}
            Ok(false) => return refuse(&state, Refusal::Replayed),
            Err(error) => return Problem::from(error).into_response(),
        }
    }
    let digest = sha256(format!("{}\n{path}\n{}", parts.method, hex::encode(sha256(&body))).as_bytes());
    let mut request = Request::from_parts(parts, Body::from(body.clone()));
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(Signed { body, digest });
    next.run(request).await
}

/// Lets a request in by its signature, or gives the answer that refuses it.
pub(super) fn admit(state: &Shared, parts: &Parts, body: &[u8]) -> Result<Admitted, Box<Response>> {
    let asked = Asked {
        header: parts.headers.get("authorization").and_then(|value| value.to_str().ok()),
        method: parts.method.as_str(),
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        body,
        address: peer(parts).map(|peer| peer.ip()),
    };
    state.guard.admit(&asked, state.engine.now()).map_err(|refusal| Box::new(refuse(state, refusal)))
}

/// Who is at the other end of the connection: a proxy, where one is in between.
pub(super) fn peer(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

fn refuse(state: &Shared, refusal: Refusal) -> Response {
    let problem = Problem::from(refusal);
    state.metrics.refused.add([&problem.code]);
    problem.into_response()
}

/// A request's body, within a size and a time.
pub(super) async fn read_body(body: Body, limit: usize, time: Duration) -> Answer<Bytes> {
    match tokio::time::timeout(time, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("a body is at most {} KiB here, and comes whole", limit / 1024);
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail))
        }
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not come in time")),
    }
}

/// A signed request's body and the digest that its idempotency key is bound to.
#[derive(Clone)]
struct Signed {
    body: Bytes,
    digest: [u8; 32],
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Answer<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "unsigned_request", "the request is not signed"))
    }
}

fn forbidden(code: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, detail)
}

/// The caller, where whoever is signed in may do what `role` may.
async fn caller_as(parts: &mut Parts, state: &Shared, role: Role) -> Answer<Caller> {
    let caller = Caller::from_request_parts(parts, state).await?;
    match &caller.operator {
        Some(operator) if operator.role < role => {
            let detail =
                format!("this needs a {}, and a {} is signed in. Nothing was done", role.name(), operator.role.name());
            Err(forbidden("role_too_low", detail))
        }
        None if !caller.admin && state.sessions.needed_in(&caller.store) => {
            let detail = "nobody is signed in at this till: sign in first. Nothing was done";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "sign_in_needed", detail))
        }
        _ => Ok(caller),
    }
}

/// A caller that may take payments.
pub(super) struct Cashier(pub Caller);

impl FromRequestParts<Shared> for Cashier {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        caller_as(parts, state, Role::Cashier).await.map(Self)
    }
}

/// A caller that may return money.
pub(super) struct Supervisor(pub Caller);

impl FromRequestParts<Shared> for Supervisor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        caller_as(parts, state, Role::Supervisor).await.map(Self)
    }
}

/// The caller, where both the till's key and whoever is signed in may manage.
async fn managing(parts: &mut Parts, state: &Shared, role: Role, what: &str) -> Answer<Caller> {
    let caller = caller_as(parts, state, role).await?;
    if caller.admin {
        Ok(caller)
    } else {
        Err(forbidden("forbidden", format!("this till's key may not manage {what}")))
    }
}

/// A caller that may manage accounts, stores and tills.
pub(super) struct Admin(pub Caller);

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        managing(parts, state, Role::Manager, "accounts, stores and tills").await.map(Self)
    }
}

/// A caller that may manage operators, keys and policies as well.
pub(super) struct Owner(pub Caller);

impl FromRequestParts<Shared> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        managing(parts, state, Role::Admin, "operators, keys and policies").await.map(Self)
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Json<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Answer<Self> {
        let body = parts.extensions.get::<Signed>().map(|signed| signed.body.clone()).unwrap_or_default();
        // The parser would take a list for an object, field by field.
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(Problem::unprocessable("body_invalid", "the body does not fit: it is a list, not an object"));
        }
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            if error.is_data() {
                Problem::unprocessable("body_invalid", format!("the body does not fit: {}", without_values(&error)))
            } else {
                Problem::new(StatusCode::BAD_REQUEST, "body_malformed", "the body is not JSON")
            }
        })
    }
}

/// The parser's words without what it quotes: a value may be a secret.
fn without_values(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match words.split_once("string \"") {
        Some((before, after)) => {
            let rest = after.rsplit_once('"').map_or("", |(_, rest)| rest);
            format!("{before}string{rest}")
        }
        None => words,
    }
}

/// The query, with its names checked.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Answer<Self> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(params)| Self(params))
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "query_invalid", error.body_text()))
    }
}

/// The `Idempotency-Key` of a call that creates.
pub(super) struct Key {
    scope: String,
    key: String,
    digest: [u8; 32],
}

impl Key {
    /// What the engine stores with its events.
    pub fn with(self, render: fn(&Payment) -> (u16, String)) -> Idempotency {
        Idempotency { scope: self.scope, key: self.key, digest: self.digest, render }
    }
}

impl FromRequestParts<Shared> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let bad = |detail: &str| {
            Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail).field("Idempotency-Key")
        };
        let key = parts.headers.get("idempotency-key").ok_or_else(|| {
            bad("a call that creates something needs an Idempotency-Key, so that a repeat does not create it twice")
        })?;
        let key =
            key.to_str().ok().filter(|key| (8..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()));
        let key = key.ok_or_else(|| bad("an Idempotency-Key is 8 to 128 visible ASCII characters"))?.to_owned();
        let digest = parts.extensions.get::<Signed>().map(|signed| signed.digest).unwrap_or_default();
        Ok(Self { scope: caller.till.to_string(), key, digest })
    }
}

/// A fresh answer, or the one given before.
pub(super) fn respond(answered: Answered, render: fn(&Payment) -> (u16, String)) -> Response {
    let (status, body, replayed) = match answered {
        Answered::Fresh(payment) => {
            let (status, body) = render(&payment);
            (status, body, false)
        }
        Answered::Replayed(answer) => (answer.status, answer.body, true),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, [("content-type", "application/json")], body).into_response();
    if replayed {
        response.headers_mut().insert("idempotency-replayed", axum::http::HeaderValue::from_static("true"));
    }
    response
}
