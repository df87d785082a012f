//! A chain's load on the real program: many tills sell at once, each every two seconds, against the sandbox with faults in
//! one call of a hundred; then the books are compared with the providers'. Prints how long the API's calls took, and what
//! processor time and memory its process needed.
//!
//! `SCANTILL_TILLS` (200), `SCANTILL_SECONDS` (60), and `SCANTILL_POSTGRES=1` for a PostgreSQL of the bench's own.

#[path = "../../tests/support/comparison.rs"]
mod comparison;
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod process;
mod prometheus;
#[path = "../../tests/support/mod.rs"]
mod support;
mod till;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use comparison::{Told, compare, every_payment, is_over};
use scantill::api::wire::{CreateStore, CreateTill, TakingsParams};
use scantill::client::{ApiKey, Client};
use support::{Phones, Running, add_accounts, client_of, scantill};
use till::{Till, Times};

/// Tills in one store: events go to the tills of the payment's store.
const TILLS_PER_STORE: usize = 5;
/// How long everything may take to come to its end after the last sale.
const PATIENCE: Duration = Duration::from_secs(120);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn main() {
    // `cargo test --benches` runs this too: then a few sales show that it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let tills = setting("SCANTILL_TILLS", if is_bench { 200 } else { 3 });
    let seconds = setting("SCANTILL_SECONDS", if is_bench { 60 } else { 3 });
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(measure(usize::try_from(tills).expect("few"), Duration::from_secs(seconds)));
}

async fn measure(tills: usize, time: Duration) {
    let data = tempfile::tempdir_in(".").expect("a folder on the project's disk");
    let out = data.path().join("credentials");
    let database = if setting("SCANTILL_POSTGRES", 0) == 1 {
        postgres::shared().database().await
    } else {
        format!("sqlite:{}", data.path().join("scantill.db").display())
    };
    let mut command = scantill(data.path());
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed-up", "60", "--seed", "5", "--out"]).arg(&out);
    command.args(["--faults", "lose_answer:*.pay:1%,lose_request:*.pay:1%,http_500:*.query:1%,duplicate:*.notify:1%"]);
    let mut sandbox = Running::start(command);
    let sandbox_url = sandbox.json()["base_url"].as_str().expect("an address").to_owned();
    let mut command = scantill(data.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", &database]);
    let mut serve = Running::start(command);
    serve.json();
    let admin = client_of(data.path());
    let reach: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data.path().join("api.json")).expect("api.json")).expect("JSON");
    let base_url = reach["base_url"].as_str().expect("an address").to_owned();
    let key_file = data.path().join("api.json");
    add_accounts(&base_url, key_file.to_str().expect("a path"), &sandbox_url, &out).await;
    let phones = Phones::new(&sandbox_url);
    for wallet in phones.get("/sandbox/wallets").await.as_array().expect("wallets") {
        phones.set_balance(wallet["id"].as_str().expect("an id"), 100_000_000_000).await;
    }
    let clients = open_tills(&admin, &base_url, tills).await;

    let before = process::Usage::of(serve.child.id());
    let started = Instant::now();
    let told = Arc::new(Told::default());
    let selling: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, client)| {
            tokio::spawn(Till::new(client, phones.clone(), told.clone(), number as u64, tills).sell())
        })
        .collect();
    let minute = Duration::from_secs(60);
    while started.elapsed() < time {
        tokio::time::sleep((time - started.elapsed()).min(minute)).await;
        eprintln!("{} s: {} sales", started.elapsed().as_secs(), told.created.lock().expect("no panic").len());
    }
    told.stop.store(true, Ordering::Relaxed);
    let sold_for = started.elapsed();
    let mut times = Times::default();
    for till in selling {
        times.add(till.await.expect("a till does not panic"));
    }
    let (after, ran_for) = (process::Usage::of(serve.child.id()), started.elapsed());
    let metrics = reqwest::get(format!("{base_url}/metrics")).await.expect("an answer").text().await.expect("text");

    let deadline = Instant::now() + PATIENCE;
    let payments = loop {
        let payments = every_payment(&admin).await;
        if payments.iter().all(is_over) {
            break payments;
        }
        assert!(Instant::now() < deadline, "{} do not end", payments.iter().filter(|one| !is_over(one)).count());
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let checked = compare(&payments, &phones.trades().await, &told);
    let takings = admin.takings(&TakingsParams::default()).await.expect("takings").total;
    assert_eq!(takings.net, checked.net, "the running sums are those of the payments");

    println!(
        "{tills} tills, {:.0} s, {}: {} sales ({:.1} a second), {} paid, {} refunds, {} calls unanswered; lost 0, doubled \
         0, stuck 0",
        sold_for.as_secs_f64(),
        database.split(':').next().unwrap_or_default(),
        payments.len(),
        payments.len() as f64 / sold_for.as_secs_f64(),
        checked.paid,
        checked.refunds,
        told.unanswered.load(Ordering::Relaxed)
    );
    times.print();
    prometheus::print(&metrics, "scantill_api_request_seconds", &["method", "route"]);
    println!(
        "the API's process: {:.2} cores, {} MB at the end, {} MB at most",
        (after.processor - before.processor).as_secs_f64() / ran_for.as_secs_f64(),
        after.memory_kb / 1024,
        after.most_memory_kb / 1024
    );
}

/// As many tills as asked for, a few in each store.
async fn open_tills(admin: &Client, base_url: &str, count: usize) -> Vec<Client> {
    let mut clients = Vec::with_capacity(count);
    for number in 0..count {
        let store = format!("branch-{}", number / TILLS_PER_STORE);
        if number % TILLS_PER_STORE == 0 {
            let store = CreateStore { id: Some(store.parse().expect("an id")), name: store.clone() };
            admin.create_store(&store).await.expect("a store");
        }
        let id = format!("counter-{number}");
        let till =
            CreateTill { id: Some(id.parse().expect("an id")), store: store.parse().expect("an id"), name: id.clone() };
        let made = admin.create_till(&till).await.expect("a till");
        let key = ApiKey { id, secret: made.secret.clone().into() };
        clients.push(Client::new(base_url, key).expect("a client"));
    }
    clients
}
