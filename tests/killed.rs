//! The real program killed with SIGKILL at random moments under load, on both databases, against the sandbox over HTTP;
//! then its books are held against the providers' own.
//!
//! `SCANTILL_KILLS` says how often each database's process is killed (a few times where absent), `SCANTILL_KILL_SEED`
//! what random choices follow from.

#[path = "support/comparison.rs"]
mod comparison;
#[path = "support/postgres.rs"]
mod postgres;
mod support;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use comparison::{Told, compare, every_payment, is_over};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use scantill::api::wire::{ChangeAccount, CreatePayment, PaymentView, RefundPayment, TakingsParams};
use scantill::channel::TimingOverrides;
use scantill::client::{Client, ClientError, idempotency_key};
use scantill::money::Currency;
use scantill::payment::{ChannelId, PaymentId};
use serde_json::Value;
use support::{Phones, Running, add_accounts, client_of, run, scantill, stderr, stdout};
use tempfile::TempDir;

/// How often the process is killed where nobody says.
const KILLS: u32 = 4;
/// Tills that sell at the same time.
const TILLS: u64 = 6;
/// How long everything may take to come to its end after the last kill: on a server a dead process's lease runs out
/// first.
const PATIENCE: Duration = Duration::from_secs(300);

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

struct Shop {
    data: TempDir,
    _sandbox: Running,
    phones: Phones,
    serve: Running,
    client: Client,
    port: u16,
    database: String,
}

fn serve(data: &Path, port: u16, database: &str) -> Running {
    let mut command = scantill(data);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--database", database]);
    let mut serve = Running::start(command);
    serve.json();
    serve
}

impl Shop {
    async fn open(data: TempDir, database: String, seed: u64) -> Self {
        let out = data.path().join("credentials");
        let mut command = scantill(data.path());
        let seed = seed.to_string();
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed-up", "3600", "--seed", &seed, "--out"]).arg(&out);
        // Now and then a provider fails as well.
        command.args(["--faults", "lose_answer:*.pay:2%,http_500:*.query:2%,duplicate:*.notify:5%"]);
        let mut sandbox = Running::start(command);
        let sandbox_url = sandbox.json()["base_url"].as_str().unwrap().to_owned();
        // The address stays the same from start to start, as a shop's does.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let serve = serve(data.path(), port, &database);
        let client = client_of(data.path());
        let key_file = data.path().join("api.json");
        add_accounts(&format!("http://127.0.0.1:{port}"), key_file.to_str().unwrap(), &sandbox_url, &out).await;
        for account in client.accounts().await.unwrap() {
            let timing = TimingOverrides {
                request_timeout_ms: Some(2_000),
                code_lifetime_ms: Some(20_000),
                query_interval_ms: Some(300),
                shown_query_interval_ms: Some(500),
                confirm_patience_ms: Some(4_000),
                ..TimingOverrides::default()
            };
            let change = ChangeAccount { timing: Some(timing), ..ChangeAccount::default() };
            client.change_account(&account.id, &change).await.unwrap();
        }
        let phones = Phones::new(&sandbox_url);
        for wallet in phones.get("/sandbox/wallets").await.as_array().unwrap() {
            phones.set_balance(wallet["id"].as_str().unwrap(), 1_000_000_000).await;
        }
        Self { data, _sandbox: sandbox, phones, serve, client, port, database }
    }

    fn kill_and_restart(&mut self) {
        self.serve.kill();
        self.serve = serve(self.data.path(), self.port, &self.database);
    }
}

/// One till: sells until told to stop, and never minds that the API is away now and then.
struct Counter {
    client: Client,
    phones: Phones,
    told: Arc<Told>,
    chance: StdRng,
}

impl Counter {
    async fn work(mut self) {
        while !self.told.stop.load(Ordering::Relaxed) {
            self.sale().await;
        }
    }

    /// Asks again until there is an answer: the same call with the same key.
    async fn insist<T, F: Future<Output = Result<T, ClientError>>>(&self, call: impl Fn(Client) -> F) -> Option<T> {
        loop {
            match call(self.client.clone()).await {
                Ok(answer) => return Some(answer),
                Err(ClientError::Refused(problem)) if problem.status < 500 && problem.code != "stale_request" => {
                    return None;
                }
                Err(_) => {
                    self.told.unanswered.fetch_add(1, Ordering::Relaxed);
                    if self.told.stop.load(Ordering::Relaxed) {
                        return None;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn sale(&mut self) {
        let amount = self.chance.random_range(1..500);
        let new = CreatePayment {
            amount,
            currency: Currency::CNY,
            description: Some("tea".into()),
            operator: None,
            collect_seconds: Some(20),
        };
        let key = idempotency_key();
        let create = |client: Client| {
            let (new, key) = (new.clone(), key.clone());
            async move { client.create_payment(&new, &key).await }
        };
        let Some(payment) = self.insist(create).await else { return };
        self.told.created.lock().unwrap().insert(payment.id.clone(), amount);
        let channel: ChannelId = if self.chance.random_bool(0.5) { ChannelId::ALIPAY } else { ChannelId::WECHATPAY };
        match self.chance.random_range(0..10) {
            0..6 => self.scanned(&payment, &channel).await,
            6..9 => self.shown(&payment, &channel).await,
            _ => {}
        }
        if self.chance.random_bool(0.15) {
            let _ = self.client.cancel(&payment.id).await;
        }
        let Some(end) = self.end(&payment.id).await else { return };
        if end.state.is_paid() {
            self.told.paid.lock().unwrap().insert(payment.id.clone(), amount);
            if self.chance.random_bool(0.25) {
                let part = self.chance.random_range(1..=amount);
                let refund = RefundPayment { amount: Some(part), ..RefundPayment::default() };
                let key = idempotency_key();
                let ask = |client: Client| {
                    let (id, refund, key) = (payment.id.clone(), refund.clone(), key.clone());
                    async move { client.refund(&id, &refund, &key).await }
                };
                self.insist(ask).await;
            }
        }
    }

    async fn scanned(&mut self, payment: &PaymentView, channel: &ChannelId) {
        let code = self.phones.auth_code(channel.as_str()).await;
        let _ = self.client.scan(&payment.id, &code).await;
    }

    async fn shown(&mut self, payment: &PaymentView, channel: &ChannelId) {
        let Ok(shown) = self.client.show_code(&payment.id, channel).await else { return };
        let Some(code) = shown.attempts.iter().find_map(|attempt| attempt.code.clone()) else { return };
        if self.chance.random_bool(0.8) {
            let wallet = self.phones.wallet(channel.as_str()).await;
            self.phones.try_scan(&wallet, &code).await;
        }
    }

    /// The payment at its end; none where it takes longer than a till waits.
    async fn end(&self, id: &PaymentId) -> Option<PaymentView> {
        for _ in 0..30 {
            if let Ok(payment) = self.client.payment(id).await
                && payment.state.is_end()
            {
                return Some(payment);
            }
            if self.told.stop.load(Ordering::Relaxed) {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }
}

async fn kill_again_and_again(data: TempDir, database: String, on: &str) {
    let kills = setting("SCANTILL_KILLS").map_or(KILLS, |kills| u32::try_from(kills).unwrap());
    let seed = setting("SCANTILL_KILL_SEED").unwrap_or(7);
    let mut chance = StdRng::seed_from_u64(seed);
    let mut shop = Shop::open(data, database, seed).await;
    let told = Arc::new(Told::default());
    let tills: Vec<_> = (0..TILLS)
        .map(|number| {
            let counter = Counter {
                client: shop.client.clone(),
                phones: shop.phones.clone(),
                told: told.clone(),
                chance: StdRng::seed_from_u64(seed * 1_000 + number),
            };
            tokio::spawn(counter.work())
        })
        .collect();
    for kill in 1..=kills {
        // Some sales on, whatever the machine's pace, and then at any moment.
        let begun = || told.created.lock().unwrap().len();
        let wanted = begun() + chance.random_range(1..=12);
        let patience = Instant::now() + Duration::from_secs(10);
        while begun() < wanted && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..150))).await;
        shop.kill_and_restart();
        if kill % 25 == 0 {
            eprintln!("{on}: killed {kill} times, {} sales begun", begun());
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    told.stop.store(true, Ordering::Relaxed);
    for till in tills {
        till.await.unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    let payments = loop {
        let payments = every_payment(&shop.client).await;
        let open: Vec<_> = payments.iter().filter(|payment| !is_over(payment)).collect();
        if open.is_empty() {
            break payments;
        }
        assert!(Instant::now() < deadline, "{} payments do not come to an end, such as {:#?}", open.len(), open[0]);
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let trades = shop.phones.trades().await;
    let checked = compare(&payments, &trades, &told);
    // No payment is wanted back that the takings do not tell.
    let takings = shop.client.takings(&TakingsParams::default()).await.unwrap().total;
    assert_eq!(takings.net, checked.net, "the running sums are those of the payments");
    shop.serve.kill();
    let verified = run(shop.data.path(), &["ledger", "verify", "--json", "--database", &shop.database]);
    assert!(verified.status.success(), "{}{}", stdout(&verified), stderr(&verified));
    let verified: Value = serde_json::from_str(&stdout(&verified)).unwrap();
    assert_eq!(verified["anchor"], "held");
    eprintln!(
        "{on}: kills={kills} seed={seed} payments={} paid={} refunds={} trades={} unanswered={} rows={} lost=0 doubled=0 \
         stuck=0",
        payments.len(),
        checked.paid,
        checked.refunds,
        trades.len(),
        told.unanswered.load(Ordering::Relaxed),
        verified["rows"]
    );
    assert!(checked.paid > 0, "nothing was sold: nothing was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_on_sqlite() {
    let data = TempDir::new().unwrap();
    let database = format!("sqlite:{}", data.path().join("scantill.db").display());
    kill_again_and_again(data, database, "SQLite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_on_postgresql() {
    let database = postgres::shared().database().await;
    kill_again_and_again(TempDir::new().unwrap(), database, "PostgreSQL").await;
}
