//! One HTTP request to a provider, with its limits. No provider's meaning here.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;

use zeroize::Zeroizing;

use super::credentials::wrong;
use super::{AccountError, AccountFault};
use crate::payment::{Failure, FailureReason, UnixMillis};

/// No answer of a provider's to these calls is longer.
const MAX_ANSWER: usize = 1 << 20;
/// No bill of a shop's day is longer.
const MAX_FILE: usize = 256 << 20;
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(120);
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
    /// The certificate that the other side showed, in DER, where the connection was made over TLS.
    pub certificate: Option<Vec<u8>>,
}

impl Answer {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The provider's clock by the `Date` header.
    pub fn date(&self) -> Option<UnixMillis> {
        let at = jiff::fmt::rfc2822::parse(self.header("date")?).ok()?;
        Some(at.timestamp().as_millisecond())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    /// Whether the request may have arrived; if not, no connection was made.
    pub maybe_sent: bool,
    /// What happened.
    pub fault: NetworkFault,
    /// In words, without the address.
    pub words: String,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkFault {
    /// The host's name is not known.
    HostUnknown,
    /// Nobody listens, or no way leads there.
    Unreachable,
    /// TLS: a certificate that is not believed, on either side.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// The answer is longer than any true one.
    TooLong,
}

impl NetworkFault {
    /// What a new merchant is told.
    pub const fn account_fault(self) -> AccountFault {
        match self {
            Self::HostUnknown => AccountFault::HostUnknown,
            Self::Tls => AccountFault::Tls,
            Self::Timeout => AccountFault::Timeout,
            Self::Unreachable | Self::Broken | Self::TooLong => AccountFault::Unreachable,
        }
    }
}

/// The merchant's own certificate, and a root beside the system's, for TLS.
#[derive(Default)]
pub(super) struct TlsIdentity {
    /// Key and certificate (PEM, one after another) for a gateway that asks for them.
    pub identity_pem: Option<Zeroizing<String>>,
    /// A root certificate that is trusted beside the system's.
    pub extra_root_pem: Option<String>,
}

/// A sender for one account.
pub(super) struct Sender {
    client: reqwest::Client,
    base_url: String,
    scheme: String,
    knows_its_peer: bool,
}

impl Sender {
    /// A sender to `base_url`; the whole request has `timeout`.
    pub fn new(base_url: &str, timeout: Duration) -> Result<Self, AccountError> {
        Self::with(base_url, timeout, &TlsIdentity::default())
    }

    /// A sender that shows a certificate of its own.
    pub fn with(base_url: &str, timeout: Duration, tls: &TlsIdentity) -> Result<Self, AccountError> {
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
            .tls_info(true)
            .user_agent(concat!("scantill/", env!("CARGO_PKG_VERSION")));
        if loopback {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &tls.identity_pem {
            let identity = reqwest::Identity::from_pem(pem.as_bytes())
                .map_err(|_| wrong("merchant_certificate", "and its private key cannot be used for TLS"))?;
            builder = builder.identity(identity);
        }
        if let Some(pem) = &tls.extra_root_pem {
            let root = reqwest::Certificate::from_pem(pem.as_bytes())
                .map_err(|_| wrong("root_certificate", "cannot be used for TLS"))?;
            builder = builder.add_root_certificate(root);
        }
        let client = builder.build().map_err(|_| AccountError::BaseUrl)?;
        Ok(Self {
            client,
            base_url: base_url.trim_end_matches('/').to_owned(),
            scheme: url.scheme().to_owned(),
            knows_its_peer: url.scheme() == "https" || loopback,
        })
    }

    /// Whether the connection itself tells who answers (TLS, or this very machine). An answer without a signature is
    /// worth nothing otherwise, whatever it says.
    pub const fn knows_its_peer(&self) -> bool {
        self.knows_its_peer
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// A request to a path of the gateway's.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base_url))
    }

    /// A request to an address that the provider gave, which may be on another host of its.
    pub fn request_to(&self, method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends it and reads the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Lost> {
        Self::exchange(request, MAX_ANSWER).await
    }

    /// Sends it and reads a file, which may be longer than an answer and take longer to come.
    pub async fn download(&self, request: reqwest::RequestBuilder) -> Result<Answer, Lost> {
        Self::exchange(request.timeout(DOWNLOAD_TIMEOUT), MAX_FILE).await
    }

    async fn exchange(request: reqwest::RequestBuilder, limit: usize) -> Result<Answer, Lost> {
        let answer = request.send().await.map_err(|error| {
            let maybe_sent = !(error.is_connect() || error.is_builder());
            lost(&error, maybe_sent)
        })?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let tls = answer.extensions().get::<reqwest::tls::TlsInfo>();
        let certificate = tls.and_then(reqwest::tls::TlsInfo::peer_certificate).map(<[u8]>::to_vec);
        let mut body = Vec::new();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| lost(&error, true))?;
            if body.len() + chunk.len() > limit {
                let words = "the answer is too long".to_owned();
                return Err(Lost { maybe_sent: true, fault: NetworkFault::TooLong, words });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body, certificate })
    }
}

/// What became of a request, in words without the address: it may hold what is no one's business.
fn lost(error: &reqwest::Error, maybe_sent: bool) -> Lost {
    let mut innermost: &dyn std::error::Error = error;
    let mut chain = String::new();
    while let Some(inner) = innermost.source() {
        innermost = inner;
        chain.push_str(&inner.to_string().to_lowercase());
        chain.push('\n');
    }
    // The libraries below tell these apart by their words alone.
    let says = |word: &str| chain.contains(word);
    let fault = if error.is_timeout() {
        NetworkFault::Timeout
    } else if says("dns") || says("lookup address") || says("name or service not known") {
        NetworkFault::HostUnknown
    } else if ["certificate", "tls", "handshake", "received fatal alert", "corrupt message"].into_iter().any(says) {
        NetworkFault::Tls
    } else if error.is_connect() {
        NetworkFault::Unreachable
    } else {
        NetworkFault::Broken
    };
    let words = match fault {
        NetworkFault::Timeout => "no answer in time".to_owned(),
        _ => innermost.to_string().chars().take(200).collect(),
    };
    Lost { maybe_sent, fault, words }
}
