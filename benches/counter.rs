//! From the arrival of a code's frame to its request leaving for the provider: camera frame, decoder, till's client,
//! Payment API over loopback, durable intent, engine, provider's gateway. Prints the distribution.
//!
//! The request's leaving is taken as its arrival at a gateway on loopback, so the figure is an upper bound.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use scantill::api::wire::{CreateAccount, CreatePayment};
use scantill::api::{Server, ServerConfig};
use scantill::client::{ApiKey, Client, idempotency_key};
use scantill::crypto::{RsaPrivateKey, Secret};
use scantill::engine::{Engine, EngineConfig};
use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig, Store, Till};
use scantill::money::Currency;
use scantill::scan::{ScanEvent, Scanner, Scene, render_phone};
use serde_json::json;
use zeroize::Zeroizing;

const SALES: u32 = 300;

fn main() {
    // `cargo test --benches` runs this too: then a few sales show that it works.
    let sales = if std::env::args().any(|argument| argument == "--bench") { SALES } else { 3 };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let mut times = runtime.block_on(measure(sales));
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "frame to request leaving, {sales} sales: median {:.1} ms, p95 {:.1} ms, p99 {:.1} ms",
        at(50),
        at(95),
        at(99)
    );
}

async fn measure(sales: u32) -> Vec<Duration> {
    let folder = tempfile::tempdir_in(".").expect("a folder on the project's disk");
    let arrived: Arc<Mutex<Option<Instant>>> = Arc::default();
    let seen = arrived.clone();
    let gateway = Router::new().fallback(any(move || {
        let seen = seen.clone();
        async move {
            seen.lock().expect("no panic").get_or_insert_with(Instant::now);
            axum::http::StatusCode::INTERNAL_SERVER_ERROR
        }
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let gateway_url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, gateway).await });

    let ledger = Ledger::open(LedgerConfig {
        url: format!("sqlite:{}", folder.path().join("books.db").display()),
        chain_key: Zeroizing::new([1; 32]),
        seal_key: Zeroizing::new([2; 32]),
        calendar: BusinessCalendar { time_zone: None, cutover_hour: 0 },
        read_only: false,
    })
    .await
    .expect("books");
    let store = Store { id: "store-1".parse().expect("an id"), name: "Tea".into() };
    ledger.put_store(1, "bench", &store).await.expect("a store");
    let secret = "secret";
    let till = Till {
        id: "till-1".parse().expect("an id"),
        store: store.id,
        name: "Till".into(),
        secret: Secret::new(secret.into()),
        retiring: None,
        enabled: true,
        admin: true,
    };
    ledger.put_till(1, "bench", &till).await.expect("a till");
    let engine = Engine::start(ledger, EngineConfig::new("bench".into())).await.expect("an engine");
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(ServerConfig { listen, engine }).await.expect("a server");
    let key = ApiKey { id: "till-1".into(), secret: Secret::new(secret.into()) };
    let client = Client::new(&format!("http://{}", server.local_addr()), key).expect("a client");
    let app_key = RsaPrivateKey::generate().expect("a key");
    let credentials = json!({
        "app_id": "2021000000000001",
        "app_private_key": app_key.to_pkcs8_pem().expect("PEM").as_str(),
        "alipay_public_key": app_key.public_key().to_spki_pem().expect("PEM"),
    });
    let channel = "alipay".parse().expect("a channel");
    let account = CreateAccount::new(channel, "bench".into(), gateway_url, credentials);
    client.create_account(&account).await.expect("an account");

    let (scanner, mut events) = Scanner::start(None);
    let feed = scanner.feed();
    let mut times = Vec::new();
    for sale in 0..sales {
        let new = CreatePayment {
            amount: 100,
            currency: Currency::CNY,
            description: None,
            operator: None,
            collect_seconds: None,
        };
        let payment = client.create_payment(&new, &idempotency_key()).await.expect("a payment");
        let code = format!("28{:016}", 1_000_000 + u64::from(sale) * 7_919);
        let frame = render_phone(&code, &Scene { noise: 2.0, seed: sale.into(), ..Scene::default() }).expect("a phone");
        *arrived.lock().expect("no panic") = None;
        let started = Instant::now();
        feed.push(frame);
        while let Some(event) = events.recv().await {
            if matches!(&event, ScanEvent::Seen(reading) if reading.symbol.text == code) {
                break;
            }
        }
        client.scan(&payment.id, &code).await.expect("a scan");
        let left = loop {
            if let Some(at) = *arrived.lock().expect("no panic") {
                break at;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        };
        times.push(left - started);
        while events.try_recv().is_ok() {}
    }
    server.stop().await;
    times
}
