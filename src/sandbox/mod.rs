//! Simulated Alipay, WeChat Pay and UnionPay on the provider's side: a second implementation of their wire protocols, over HTTP,
//! with real signatures, wallets, asynchronous notifications and faults. It shares no request code with the channels.

mod alipay;
pub mod book;
mod clock;
mod control;
mod faults;
mod keys;
mod notify;
mod phone;
mod tls;
mod unionpay;
mod wechatpay;
mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, patch, post};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use keys::Credentials;

use self::book::{Book, Millis, Provider};
use self::clock::Clock;
use self::faults::Faults;

/// How long connections may finish when the sandbox stops.
const FAREWELL: Duration = Duration::from_millis(500);

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where to write `credentials.json` and the files it names.
    pub out: Option<PathBuf>,
    /// Where keys are kept from start to start; made anew each time where absent.
    pub keys_dir: Option<PathBuf>,
    /// What random choices follow from.
    pub seed: u64,
    /// What goes wrong: `fault:channel.call:times[:delay ms]`, comma between; `*` for any channel or call, 0 times for
    /// ever, `5%` times by chance from the seed.
    pub faults: Option<String>,
    /// How many times faster than the provider's own schedule notifications are repeated.
    pub speed_up: u32,
    /// The file that wallets and trades are kept in from start to start; in memory only where absent.
    pub books: Option<PathBuf>,
    /// Where to speak TLS as well; there the calls that want the merchant's own certificate demand it.
    pub tls_listen: Option<SocketAddr>,
}

/// A minute of a provider's schedule takes a second, unless said otherwise.
pub const SPEED_UP: u32 = 60;

impl Default for SandboxConfig {
    /// Any free port on loopback, fresh keys, no faults.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            out: None,
            keys_dir: None,
            seed: 1,
            faults: None,
            speed_up: SPEED_UP,
            books: None,
            tls_listen: None,
        }
    }
}

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Somebody else listens there.
    #[error("{address} is taken by another program: stop that one, or choose another port with --listen")]
    PortTaken {
        /// Where.
        address: SocketAddr,
    },
    /// The system refuses.
    #[error("the sandbox cannot listen on {address}: {source}. Choose another address with --listen")]
    CannotListen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file cannot be read or written.
    #[error("{path} cannot be read or written: {problem}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Keys cannot be made.
    #[error("keys could not be made: {0}")]
    Keys(String),
    /// The faults' description is malformed.
    #[error("the faults are not understood: {0}")]
    Faults(String),
}

/// What every handler has.
struct Shared {
    book: Mutex<Book>,
    clock: Clock,
    faults: Mutex<Faults>,
    credentials: Credentials,
    wechatpay: wechatpay::Desk,
    base_url: String,
    books: Option<PathBuf>,
    http: reqwest::Client,
    speed_up: u32,
    /// How many notifications merchants took.
    delivered: tokio::sync::watch::Sender<u64>,
    tasks: Mutex<tokio::task::JoinSet<()>>,
}

impl Shared {
    fn book(&self) -> OpenBook<'_> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        OpenBook { changes: book.changes(), book, file: self.books.as_deref() }
    }

    /// The books' time, as a provider's clock shows it.
    fn now(&self, provider: Provider) -> Millis {
        self.clock.now() + self.faults().skew(provider)
    }

    /// The time that signatures go by, as a provider's clock shows it.
    fn wall(&self, provider: Provider) -> Millis {
        wire::now() + self.faults().skew(provider)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The books while somebody writes in them; what changed is on disk before the answer leaves.
struct OpenBook<'a> {
    book: MutexGuard<'a, Book>,
    changes: u64,
    file: Option<&'a Path>,
}

impl Deref for OpenBook<'_> {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.book
    }
}

impl DerefMut for OpenBook<'_> {
    fn deref_mut(&mut self) -> &mut Book {
        &mut self.book
    }
}

impl Drop for OpenBook<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.file.filter(|_| self.book.changes() != self.changes)
            && let Err(problem) = self.book.save(file)
        {
            tracing::error!(file = %file.display(), problem, "the sandbox's books could not be kept");
        }
    }
}

/// The running sandbox.
pub struct Sandbox {
    shared: Arc<Shared>,
    base_url: String,
    tls_url: Option<String>,
    address: SocketAddr,
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Listens and serves.
    ///
    /// # Errors
    /// [`SandboxError`] says what to do.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let SandboxConfig { listen, out, keys_dir, seed, faults, speed_up, books, tls_listen } = config;
        let faults = match faults.as_deref() {
            Some(spec) => Faults::parse(spec, seed).map_err(SandboxError::Faults)?,
            None => Faults::none(seed),
        };
        let (listener, address) = bind(listen).await?;
        let secure = match tls_listen {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let credentials = tokio::task::spawn_blocking(move || Credentials::load_or_make(keys_dir.as_deref()))
            .await
            .map_err(|error| SandboxError::Keys(error.to_string()))??;
        let base_url = format!("http://{}", reachable(address));
        let book = match &books {
            None => Book::new(seed, wire::now()),
            Some(path) => Book::open(path, seed, wire::now())
                .map_err(|problem| SandboxError::File { path: path.clone(), problem })?,
        };
        let secure = match secure {
            Some((listener, address)) => Some((listener, address, tls::Server::new(address, &credentials)?)),
            None => None,
        };
        let tls_url = secure.as_ref().map(|(_, address, _)| format!("https://{}", reachable(*address)));
        if let Some(out) = out {
            let authority = secure.as_ref().map(|(_, _, server)| server.authority.as_str());
            credentials.write_out(&out, &base_url, tls_url.as_deref().zip(authority))?;
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SandboxError::Keys(error.to_string()))?;
        let shared = Arc::new(Shared {
            book: Mutex::new(book),
            clock: Clock::default(),
            faults: Mutex::new(faults),
            credentials,
            wechatpay: wechatpay::Desk::default(),
            base_url: base_url.clone(),
            books,
            http,
            speed_up: speed_up.max(1),
            delivered: tokio::sync::watch::Sender::new(0),
            tasks: Mutex::default(),
        });
        let app = router(shared.clone());
        let stopping = CancellationToken::new();
        if let Some((listener, address, server)) = secure {
            let serving = server.serve(listener, app.clone(), stopping.clone());
            serving.map_err(|source| SandboxError::CannotListen { address, source })?;
        }
        let stop = stopping.clone();
        let task = tokio::spawn(async move {
            let serve = axum::serve(listener, app).with_graceful_shutdown(async move { stop.cancelled().await });
            if let Err(error) = serve.await {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Self { shared, base_url, tls_url, address, stopping, task })
    }

    /// Where it is, without a slash at its end: every provider's base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The same of the listener that speaks TLS, where there is one.
    #[must_use]
    pub fn tls_url(&self) -> Option<&str> {
        self.tls_url.as_deref()
    }

    /// Where a phone in the same network opens the wallet; on this machine alone where the sandbox listens on loopback.
    #[must_use]
    pub fn phone_url(&self) -> String {
        phone::address(self.address)
            .map_or_else(|| format!("{}/phone", self.base_url), |host| format!("http://{host}/phone"))
    }

    /// What a merchant needs to trade with it.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// Stops serving.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
        let mut tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let cannot = |source| SandboxError::CannotListen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => SandboxError::PortTaken { address: listen },
        _ => cannot(source),
    })?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

/// Where a program on this machine reaches who listens at `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A provider whose clock is off shows it in every answer's `Date`; the sandbox's own calls show the books' time, in
/// milliseconds, for a phone whose clock is wrong.
async fn tell_time(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let provider = Provider::of_path(request.uri().path());
    let mut response = next.run(request).await;
    let (name, value) = match provider {
        Some(provider) if shared.faults().skew(provider) == 0 => return response,
        Some(provider) => (header::DATE, wire::http_date(shared.wall(provider))),
        None => (HeaderName::from_static("sandbox-now"), shared.clock.now().to_string()),
    };
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/gateway.do", get(alipay::gateway).post(alipay::gateway))
        .route("/downloadBillFile.resource", get(alipay::download))
        .merge(wechatpay::routes())
        .route("/gateway/api/backTransReq.do", post(unionpay::back_trans))
        .route("/gateway/api/queryTrans.do", post(unionpay::query_trans))
        .route("/", post(unionpay::file_download))
        .route("/sandbox/wallets", get(control::wallets))
        .route("/sandbox/wallets/{id}", patch(control::change_wallet))
        .route("/sandbox/wallets/{id}/code", post(control::code))
        .route("/sandbox/wallets/{id}/scan", post(control::scan))
        .route("/sandbox/trades", get(control::trades))
        .route("/sandbox/trades/{id}/confirm", post(control::confirm))
        .route("/sandbox/trades/{id}/refuse", post(control::refuse))
        .route("/sandbox/trades/{id}/notify", post(control::notify_falsely))
        .route("/sandbox/faults", get(control::faults).post(control::plan_fault).delete(control::clear_faults))
        .route("/sandbox/clock", post(control::clock))
        .route("/sandbox/openapi.json", get(control::openapi))
        .merge(phone::routes())
        .layer(middleware::from_fn_with_state(shared.clone(), tell_time))
        .with_state(shared)
}
