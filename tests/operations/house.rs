//! The Payment API in the test's own process: its clock and its limits are the test's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use scantill::api::{Limits, Server, ServerConfig};
use scantill::client::{ApiKey, Client};
use scantill::crypto::Secret;
use scantill::engine::{Clock, Engine, EngineConfig, Time};
use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig, Store, Till};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

pub const SECRET: &str = "the till's secret";

/// A Payment API within limits that a test can reach.
pub struct House {
    _folder: tempfile::TempDir,
    pub engine: Engine,
    pub server: Server,
    pub http: reqwest::Client,
}

impl House {
    pub async fn open(limits: Limits) -> Self {
        Self::open_by(Clock::system(), limits).await
    }

    pub async fn open_by(clock: Clock, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(LedgerConfig {
            url: format!("sqlite:{}", folder.path().join("books.db").display()),
            chain_key: Zeroizing::new([1; 32]),
            seal_key: Zeroizing::new([2; 32]),
            calendar: BusinessCalendar { time_zone: Some("UTC".into()), cutover_hour: 0 },
            read_only: false,
        })
        .await
        .unwrap();
        let store = Store { id: "store-1".parse().unwrap(), name: "Tea".into() };
        ledger.put_store(1, "test", &store).await.unwrap();
        for (id, admin) in [("till-1", true), ("till-2", true), ("till-3", false), ("till-4", false)] {
            let till = Till {
                id: id.parse().unwrap(),
                store: store.id.clone(),
                name: id.into(),
                secret: Secret::new(SECRET.into()),
                retiring: None,
                enabled: true,
                admin,
            };
            ledger.put_till(1, "test", &till).await.unwrap();
        }
        let engine = Engine::start(ledger, EngineConfig { clock, ..EngineConfig::new("test".into()) }).await.unwrap();
        let server = start(&engine, limits).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { _folder: folder, engine, server, http }
    }

    /// A client with that till's key.
    pub fn client(&self, till: &str) -> Client {
        client_of(&self.server, till)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// What the server says to these bytes, to the end of the connection.
    pub async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        // Whoever is refused early may find the connection closed while still talking.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection stays open after {:?}", String::from_utf8_lossy(&answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub async fn is_well(&self) {
        let answer = self.http.get(format!("http://{}/healthz", self.address())).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
}

/// A client of that server with that till's key.
pub fn client_of(server: &Server, till: &str) -> Client {
    let key = ApiKey { id: till.into(), secret: Secret::new(SECRET.into()) };
    Client::new(&format!("http://{}", server.local_addr()), key).unwrap()
}

pub async fn start(engine: &Engine, limits: Limits) -> Server {
    let config = ServerConfig { listen: "127.0.0.1:0".parse().unwrap(), engine: engine.clone() };
    Server::start_within(config, None, limits).await.unwrap()
}

/// A clock that is off by so many milliseconds.
pub struct Off(pub AtomicI64);

impl Time for Off {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.0.load(Ordering::Relaxed)
    }

    fn pass(&self, duration: Duration) -> futures::future::BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
