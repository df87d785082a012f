//! One HTTP request to a provider, with its limits. No provider's meaning here.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;

use super::AccountError;
use crate::payment::{Failure, FailureReason, UnixMillis};

/// No answer of a provider's to these calls is longer.
const MAX_ANSWER: usize = 1 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that has lain idle for longer may be half dead, and a request lost on it leaves a payment unknown:
/// a fresh handshake is the lesser wait.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// The clock that requests are stamped with and answers are checked against.
pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::try_from(since.as_millis()).unwrap_or_default()
}

/// The failure of a request that never left.
pub(super) fn unreachable(words: String) -> Failure {
    Failure { reason: FailureReason::ProviderUnreachable, provider_code: String::new(), provider_message: words }
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// No connection was made: the request surely did not leave.
    NotSent(String),
    /// The request may have arrived.
    MaybeSent(String),
}

/// A sender for one account.
pub(super) struct Sender {
    client: reqwest::Client,
    base_url: String,
    knows_its_peer: bool,
}

impl Sender {
    /// A sender to `base_url`; the whole request has `timeout`.
    pub fn new(base_url: &str, timeout: Duration) -> Result<Self, AccountError> {
        let url = reqwest::Url::parse(base_url).map_err(|_| AccountError::BaseUrl)?;
        let host = url.host_str().ok_or(AccountError::BaseUrl)?;
        let plain = url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(AccountError::BaseUrl);
        }
        let loopback = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let mut builder = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("scantill/", env!("CARGO_PKG_VERSION")));
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|_| AccountError::BaseUrl)?;
        Ok(Self {
            client,
            base_url: base_url.trim_end_matches('/').to_owned(),
            knows_its_peer: url.scheme() == "https" || loopback,
        })
    }

    /// Whether the connection itself tells who answers (TLS, or this very machine). An answer without a signature is
    /// worth nothing otherwise, whatever it says.
    pub const fn knows_its_peer(&self) -> bool {
        self.knows_its_peer
    }

    /// A request to a path of the gateway's.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base_url))
    }

    /// Sends it and reads the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Lost> {
        let answer = request.send().await.map_err(|error| {
            // The URL may hold what is no one's business; the cause says enough.
            let words = cause(&error);
            if error.is_connect() || error.is_builder() { Lost::NotSent(words) } else { Lost::MaybeSent(words) }
        })?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| Lost::MaybeSent(cause(&error)))?;
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(Lost::MaybeSent("the answer is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

/// The innermost cause, without the URL.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    source.to_string().chars().take(200).collect()
}
