//! The Payment API over HTTP.
//!
//! Requests of tills are signed: see [`auth`]. Errors are `application/problem+json` with a stable `code`. Whatever
//! creates something carries an `Idempotency-Key`: the same key with the same request gives the same answer.

mod account_view;
pub mod auth;
mod events;
mod extract;
mod feed;
mod keys;
mod limits;
mod openapi;
mod problem;
mod routes;
mod serve;
mod sessions;
mod view;
mod watch;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use keys::KeyKeeper;
pub use limits::Limits;

use crate::engine::Engine;

/// How long connections may finish when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a server is set up.
pub struct ServerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// What it serves.
    pub engine: Engine,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("{address} is taken by another program: stop that one, or choose another port with --listen")]
    PortTaken {
        /// Where.
        address: SocketAddr,
    },
    /// The system refuses.
    #[error("the Payment API cannot listen on {address}: {source}. Choose another address with --listen")]
    CannotListen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The tills' keys cannot be read.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
}

/// What every handler has.
struct State {
    engine: Engine,
    guard: auth::Guard,
    sessions: sessions::Sessions,
    stopping: CancellationToken,
    keeper: Option<Arc<dyn KeyKeeper>>,
    limits: Limits,
    metrics: Arc<watch::ApiMetrics>,
    feed: feed::Feed,
    /// Accounts and keys are changed one at a time: each change is decided on what is stored.
    accounts_turn: Mutex<()>,
    /// Something was replaced that runs out.
    rotated: Notify,
}

type Shared = Arc<State>;

impl State {
    async fn of(
        engine: Engine,
        stopping: CancellationToken,
        keeper: Option<Arc<dyn KeyKeeper>>,
        limits: Limits,
    ) -> Result<Shared, crate::ledger::LedgerError> {
        let guard = auth::Guard::new(engine.ledger().clone(), limits, engine.now());
        guard.reload().await?;
        let sessions = sessions::Sessions::new(engine.ledger().clone());
        sessions.reload().await?;
        Ok(Arc::new(Self {
            engine,
            guard,
            sessions,
            stopping,
            keeper,
            limits,
            metrics: Arc::default(),
            feed: feed::Feed::default(),
            accounts_turn: Mutex::default(),
            rotated: Notify::new(),
        }))
    }
}

/// The API's calls without a listener, for whoever brings the requests along.
///
/// # Errors
/// The tills' keys cannot be read.
pub async fn service(engine: Engine) -> Result<axum::Router, crate::ledger::LedgerError> {
    State::of(engine, CancellationToken::new(), None, Limits::default()).await.map(routes::router)
}

/// The running Payment API.
pub struct Server {
    address: SocketAddr,
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens and serves.
    ///
    /// # Errors
    /// [`ServeError`] says what to do.
    pub async fn start(config: ServerConfig) -> Result<Self, ServeError> {
        Self::start_with(config, None).await
    }

    /// Listens and serves, with somebody who keeps the keys.
    ///
    /// # Errors
    /// [`ServeError`] says what to do.
    pub async fn start_with(config: ServerConfig, keeper: Option<Arc<dyn KeyKeeper>>) -> Result<Self, ServeError> {
        Self::start_within(config, keeper, Limits::default()).await
    }

    /// Listens and serves within limits of one's own.
    ///
    /// # Errors
    /// [`ServeError`] says what to do.
    pub async fn start_within(
        config: ServerConfig,
        keeper: Option<Arc<dyn KeyKeeper>>,
        limits: Limits,
    ) -> Result<Self, ServeError> {
        let ServerConfig { listen, engine } = config;
        let listener = TcpListener::bind(listen).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => ServeError::PortTaken { address: listen },
            _ => ServeError::CannotListen { address: listen, source },
        })?;
        let address = listener.local_addr().map_err(|source| ServeError::CannotListen { address: listen, source })?;
        let stopping = CancellationToken::new();
        let state = State::of(engine, stopping.clone(), keeper, limits).await?;
        tokio::spawn(keys::forget_retired(state.clone(), stopping.clone()));
        tokio::spawn(sessions::keep_fresh(state.clone(), stopping.clone()));
        tokio::spawn(keys::forget_nonces(state.clone(), stopping.clone()));
        let app = routes::router(state);
        let task = tokio::spawn(serve::serve(listener, app, limits, stopping.clone()));
        Ok(Self { address, stopping, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Ends the event streams, lets other calls finish, and stops.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
