//! The payment client: how the till and the commands speak to the Payment API.

mod calls;
mod events;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::api::auth::Covered;
use crate::api::wire::{Health, Problem};
use crate::crypto::{HmacSha256, Secret, random_bytes};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one try of a call may take. A code is asked of the provider within it.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// The server closes a connection that has lain idle for 30 s: it is let go of well before, so that no call is lost on it.
const IDLE_CONNECTION: Duration = Duration::from_secs(10);
/// How often a call is tried, where a repeat does no harm.
const TRIES: u32 = 3;
/// The pause before the second try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The key that requests are signed with.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id (the till's id).
    pub id: String,
    /// The HMAC key.
    pub secret: Secret<String>,
}

/// Why a call did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The API refused, and says why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The API cannot be reached: nothing was done.
    #[error("the Payment API cannot be reached: {0}")]
    Unreachable(String),
    /// The request left, and no answer came, also not to its repeats.
    #[error("the Payment API did not answer in time: look the payment up before asking for money again")]
    NoAnswer,
    /// The answer is not of the API, or the call was malformed.
    #[error("the answer is not one of the Payment API's: {0}")]
    BadAnswer(String),
}

pub use events::StreamEvent;

/// A fresh idempotency key.
#[must_use]
pub fn idempotency_key() -> String {
    hex::encode(random_bytes::<16>())
}

/// The payment client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base_url: String,
    key_id: String,
    secret: HmacSha256,
    /// The token of the operator who is signed in.
    session: RwLock<Option<Secret<String>>>,
    /// How far the server's clock is ahead of ours, in seconds; learnt when it refuses our time.
    ahead: AtomicI64,
}

/// What a call is made of.
struct Call<'a> {
    method: Method,
    path: String,
    body: Vec<u8>,
    idempotency_key: Option<&'a str>,
}

impl Client {
    /// A client of the API at `base_url`.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(base_url: &str, key: ApiKey) -> Result<Self, ClientError> {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let url = reqwest::Url::parse(&base_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(url) = url else {
            return Err(ClientError::Unreachable(format!("{base_url:?} is no http or https address")));
        };
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none());
        if matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ClientError::Unreachable(error.to_string()))?;
        let secret = HmacSha256::new(key.secret.expose().as_bytes());
        let inner =
            Inner { http, base_url, key_id: key.id, secret, session: RwLock::default(), ahead: AtomicI64::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the API is there.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn health(&self) -> Result<Health, ClientError> {
        let request = self.inner.http.get(format!("{}/healthz", self.inner.base_url)).timeout(CALL_TIMEOUT);
        let answer = request.send().await.map_err(|error| lost(&error))?;
        answer.json().await.map_err(|error| ClientError::BadAnswer(error.to_string()))
    }

    fn keep_session(&self, token: Option<Secret<String>>) {
        *self.inner.session.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn sign(&self, call: &Call<'_>) -> reqwest::RequestBuilder {
        let inner = &self.inner;
        let timestamp = unix_seconds() + inner.ahead.load(Ordering::Relaxed);
        let nonce = hex::encode(random_bytes::<16>());
        let session = inner.session.read().unwrap_or_else(PoisonError::into_inner).clone();
        let covered = Covered {
            method: call.method.as_str(),
            path: &call.path,
            timestamp,
            nonce: &nonce,
            body: &call.body,
            session: session.as_ref().map(|session| session.expose().as_str()),
        };
        let header = covered.authorization(&inner.key_id, &inner.secret);
        let mut request = inner
            .http
            .request(call.method.clone(), format!("{}{}", inner.base_url, call.path))
            .header("Authorization", header);
        if let Some(key) = call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if !call.body.is_empty() {
            request = request.header("Content-Type", "application/json").body(call.body.clone());
        }
        request
    }

    /// One call, tried again where nothing can happen twice: reading, or creating under one idempotency key.
    async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        let repeatable = call.method == Method::GET || call.idempotency_key.is_some();
        let mut pause = FIRST_PAUSE;
        let mut clock_set = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.sign(&call).timeout(CALL_TIMEOUT).send().await {
                Ok(answer) => match read(answer).await {
                    Err(ClientError::Refused(problem)) if problem.code == "stale_request" && !clock_set => {
                        clock_set = true;
                        self.learn_clock().await?;
                        continue;
                    }
                    Err(error @ ClientError::NoAnswer) => error,
                    other => return other,
                },
                Err(error) => lost(&error),
            };
            if !repeatable || tried >= TRIES {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn learn_clock(&self) -> Result<(), ClientError> {
        let server = self.health().await?.time.as_second();
        self.inner.ahead.store(server - unix_seconds(), Ordering::Relaxed);
        Ok(())
    }
}

async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, ClientError> {
    let status = answer.status();
    let body = answer.bytes().await.map_err(|_| ClientError::NoAnswer)?;
    if status == reqwest::StatusCode::NO_CONTENT {
        return serde_json::from_str("null").map_err(|error| ClientError::BadAnswer(error.to_string()));
    }
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| ClientError::BadAnswer(error.to_string()));
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(ClientError::Refused(Box::new(problem))),
        Err(_) => Err(ClientError::BadAnswer(format!("HTTP {}", status.as_u16()))),
    }
}

/// Nothing was sent, or nobody knows.
fn lost(error: &reqwest::Error) -> ClientError {
    if !error.is_connect() && !error.is_builder() {
        return ClientError::NoAnswer;
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    ClientError::Unreachable(source.to_string())
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
