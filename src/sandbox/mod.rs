//! Simulated Alipay and WeChat Pay on the provider's side: a second implementation of their wire protocols, over HTTP,
//! with real signatures, wallets, asynchronous notifications and faults. It shares no request code with the channels.

mod alipay;
mod book;
mod clock;
mod control;
mod faults;
mod keys;
mod notify;
mod phone;
mod wechatpay;
mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, patch, post};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use keys::Credentials;

use self::book::Book;
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
    /// ever.
    pub faults: Option<String>,
}

impl Default for SandboxConfig {
    /// Any free port on loopback, fresh keys, no faults.
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), out: None, keys_dir: None, seed: 1, faults: None }
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
    http: reqwest::Client,
    tasks: Mutex<tokio::task::JoinSet<()>>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running sandbox.
pub struct Sandbox {
    shared: Arc<Shared>,
    base_url: String,
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
        let SandboxConfig { listen, out, keys_dir, seed, faults } = config;
        let faults =
            faults.as_deref().map(Faults::parse).transpose().map_err(SandboxError::Faults)?.unwrap_or_default();
        let listener = TcpListener::bind(listen).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => SandboxError::PortTaken { address: listen },
            _ => SandboxError::CannotListen { address: listen, source },
        })?;
        let address = listener.local_addr().map_err(|source| SandboxError::CannotListen { address: listen, source })?;
        let credentials = tokio::task::spawn_blocking(move || Credentials::load_or_make(keys_dir.as_deref()))
            .await
            .map_err(|error| SandboxError::Keys(error.to_string()))??;
        let base_url = format!("http://{}", reachable(address));
        if let Some(out) = out {
            credentials.write_out(&out, &base_url)?;
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SandboxError::Keys(error.to_string()))?;
        let shared = Arc::new(Shared {
            book: Mutex::new(Book::new(seed, wire::now())),
            clock: Clock::default(),
            faults: Mutex::new(faults),
            credentials,
            http,
            tasks: Mutex::default(),
        });
        let app = router(shared.clone());
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let task = tokio::spawn(async move {
            let serve = axum::serve(listener, app).with_graceful_shutdown(async move { stop.cancelled().await });
            if let Err(error) = serve.await {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Self { shared, base_url, address, stopping, task })
    }

    /// Where it is, without a slash at its end: every provider's base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
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

/// Where a program on this machine reaches who listens at `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/gateway.do", get(alipay::gateway).post(alipay::gateway))
        .route("/v3/pay/transactions/native", post(wechatpay::native))
        .route("/v3/pay/transactions/codepay", post(wechatpay::codepay))
        .route("/v3/pay/transactions/out-trade-no/{number}", get(wechatpay::query))
        .route("/v3/pay/transactions/id/{number}", get(wechatpay::query_by_id))
        .route("/v3/pay/transactions/out-trade-no/{number}/close", post(wechatpay::close))
        .route("/v3/pay/transactions/out-trade-no/{number}/reverse", post(wechatpay::reverse))
        .route("/v3/refund/domestic/refunds", post(wechatpay::refund))
        .route("/v3/refund/domestic/refunds/{number}", get(wechatpay::query_refund))
        .route("/v3/certificates", get(wechatpay::certificates))
        .route("/sandbox/wallets", get(control::wallets))
        .route("/sandbox/wallets/{id}", patch(control::change_wallet))
        .route("/sandbox/wallets/{id}/code", post(control::code))
        .route("/sandbox/wallets/{id}/scan", post(control::scan))
        .route("/sandbox/trades", get(control::trades))
        .route("/sandbox/trades/{id}/confirm", post(control::confirm))
        .route("/sandbox/trades/{id}/refuse", post(control::refuse))
        .route("/sandbox/faults", get(control::faults).post(control::plan_fault).delete(control::clear_faults))
        .route("/sandbox/clock", post(control::clock))
        .route("/sandbox/openapi.json", get(control::openapi))
        .merge(phone::routes())
        .with_state(shared)
}
