//! What handlers take from a request: who sent it, its body, its idempotency key.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Query, Request, State as FromState};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use super::Shared;
use super::auth::Caller;
use super::problem::Answer;
use super::wire::Problem;
use crate::crypto::sha256;
use crate::engine::{Answered, Idempotency};
use crate::payment::Payment;

/// No request of a till's is longer.
const MAX_BODY: usize = 64 * 1024;

/// Checks the signature and hands the caller on.
pub(super) async fn signed(FromState(state): FromState<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "a request's body is at most 64 KiB")
            .into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    match state.guard.admit(header, parts.method.as_str(), path, &body, state.engine.now() / 1_000) {
        Ok(caller) => {
            let digest = sha256(format!("{}\n{path}\n{}", parts.method, hex::encode(sha256(&body))).as_bytes());
            let mut request = Request::from_parts(parts, Body::from(body.clone()));
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(Signed { body, digest });
            next.run(request).await
        }
        Err(refusal) => Problem::from(refusal).into_response(),
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

/// A caller that may manage accounts, stores and tills.
pub(super) struct Admin(pub Caller);

impl FromRequestParts<Shared> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Answer<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.admin {
            Ok(Self(caller))
        } else {
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "this till's key may not manage accounts, stores and tills",
            ))
        }
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
