//! Durable payments per second, beside what the same database on the same disk gives at most: one row a transaction.
//!
//! A payment is three durable writes: created, attempt started, attempt succeeded. `cargo bench --bench ledger`.

#[path = "../tests/support/books.rs"]
mod books;
#[path = "../tests/support/postgres.rs"]
mod postgres;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use books::{NOON, config, sell};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use scantill::ledger::Ledger;
use scantill::payment::ChannelId;
use sqlx::{AnyConnection, Connection, Executor};
use tokio::runtime::Runtime;

/// Seconds for one, by name, for the comparison at the end.
static COSTS: Mutex<Vec<(String, f64)>> = Mutex::new(Vec::new());

/// So many payments by so many tills at the same time.
async fn pay(ledger: &Ledger, payments: u64, tills: u64) -> Duration {
    let started = Instant::now();
    let tills: Vec<_> = (0..tills)
        .map(|till| {
            let ledger = ledger.clone();
            let share = payments / tills + u64::from(till < payments % tills);
            tokio::spawn(async move {
                let name = format!("till-{till}");
                for _ in 0..share {
                    sell(&ledger, 1234, &name, ChannelId::ALIPAY, NOON).await;
                }
            })
        })
        .collect();
    for till in tills {
        till.await.expect("a till pays");
    }
    started.elapsed()
}

/// One row a transaction, one after another.
async fn raw(connection: &mut AnyConnection, rows: u64) -> Duration {
    let payload = "x".repeat(200);
    let started = Instant::now();
    for _ in 0..rows {
        let insert = sqlx::query("INSERT INTO raw (payload) VALUES ($1)").bind(payload.as_str());
        insert.execute(&mut *connection).await.expect("a row is written");
    }
    started.elapsed()
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut run: impl FnMut(u64) -> Duration) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let took = run(count);
            COSTS.lock().expect("no one panicked").push((name.to_owned(), took.as_secs_f64() / count as f64));
            took
        });
    });
}

/// The median of a name's costs, as a rate.
fn rate(name: &str) -> f64 {
    let mut costs: Vec<_> =
        COSTS.lock().expect("no one panicked").iter().filter(|(of, _)| of == name).map(|(_, cost)| *cost).collect();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).map_or(f64::NAN, |cost| 1.0 / cost)
}

fn database(criterion: &mut Criterion, name: &str, url: &str, raw_url: &str, pragmas: &str) {
    COSTS.lock().expect("no one panicked").clear();
    let runtime = Runtime::new().expect("a runtime");
    let ledger = runtime.block_on(Ledger::open(config(url))).expect("the books open");
    let mut connection = runtime.block_on(async {
        let mut connection = AnyConnection::connect(raw_url).await.expect("the database answers");
        connection.execute(sqlx::raw_sql(pragmas)).await.expect("the same settings");
        connection.execute("CREATE TABLE raw (payload TEXT)").await.expect("a table");
        connection
    });
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_millis(500));
    measure(&mut group, "raw commits", |count| runtime.block_on(raw(&mut connection, count)));
    measure(&mut group, "payments, 1 till", |count| runtime.block_on(pay(&ledger, count, 1)));
    measure(&mut group, "payments, 64 tills", |count| runtime.block_on(pay(&ledger, count, 64)));
    group.finish();
    let raw = rate("raw commits");
    println!("{name}: {raw:.0} raw commits/s");
    for tills in ["payments, 1 till", "payments, 64 tills"] {
        let payments = rate(tills);
        println!("{name}: {tills}: {payments:.0}/s, {:.2} of the raw commit rate", payments / raw);
    }
    runtime.block_on(ledger.close());
}

fn ledger(criterion: &mut Criterion) {
    sqlx::any::install_default_drivers();
    let folder = tempfile::tempdir_in(".").expect("a folder on the disk that is worked on");
    let at = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";
    database(criterion, "SQLite", &at("books.db"), &format!("{}?mode=rwc", at("raw.db")), pragmas);

    let server = postgres::Server::start_durable();
    let (books, raw) =
        Runtime::new().expect("a runtime").block_on(async { (server.database().await, server.database().await) });
    database(criterion, "PostgreSQL", &books, &raw, "SET synchronous_commit = on");
}

criterion_group!(benches, ledger);
criterion_main!(benches);
