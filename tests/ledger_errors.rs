//! When the books cannot be opened or written, a sentence says why and what to do, and nothing is lost.

#[path = "support/books.rs"]
mod books;
#[path = "support/postgres.rs"]
mod postgres;

use std::path::Path;
use std::time::{Duration, Instant};

use books::{Home, NOON, commit, config, create, created, sell};
use scantill::ledger::{Ledger, LedgerConfig, LedgerError};
use scantill::payment::{ChannelId, PaymentEvent, PaymentId};
use sqlx::{Connection, Executor};

async fn refused(url: &str) -> LedgerError {
    Ledger::open(config(url)).await.expect_err("it cannot be opened")
}

fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn path(home: &Home) -> &Path {
    Path::new(home.url.strip_prefix("sqlite:").unwrap())
}

/// The sentence names the place and says what to do.
fn check_sentence(error: &LedgerError, place: &str) {
    let sentence = error.to_string();
    assert!(sentence.contains(place), "{sentence}");
    assert!(sentence.contains(": ") && sentence.len() > 40, "{sentence}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_is_told_at_once_and_readers_are_not() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    let started = Instant::now();
    let error = refused(&home.url).await;
    assert!(matches!(error, LedgerError::Locked { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "no waiting for a lock that stays");
    check_sentence(&error, &path(&home).display().to_string());
    // Another name of the same file is the same file.
    let alias = path(&home).parent().unwrap().join("alias");
    std::os::unix::fs::symlink(path(&home), &alias).unwrap();
    assert!(matches!(refused(&sqlite(&alias)).await, LedgerError::Locked { .. }));
    home.open_to_read().await.unwrap();
    ledger.close().await;
    home.open().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_another_program_is_named_and_loses_nothing() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    let sale = create(&ledger, 100, NOON).await;
    let mut stranger = home.stranger().await;
    stranger.execute("BEGIN EXCLUSIVE").await.unwrap();
    let write = || commit(&sale.id, Some(1), NOON, vec![PaymentEvent::Expired]);
    let error = ledger.commit(write()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Locked { .. }), "{error}");
    ledger.close().await;
    assert!(matches!(refused(&home.url).await, LedgerError::Locked { .. }));
    stranger.execute("ROLLBACK").await.unwrap();
    let ledger = home.open().await;
    ledger.commit(write()).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().rows, 2);

    stranger.execute("BEGIN EXCLUSIVE").await.unwrap();
    ledger.commit(commit(&sale.id, Some(2), NOON, vec![])).await.unwrap_err();
    stranger.execute("ROLLBACK").await.unwrap();
    create(&ledger, 1, NOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_book_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is a letter, not a database, and long enough to be read as one".repeat(40)).unwrap();
    let before = std::fs::read(&text).unwrap();
    let foreign = folder.path().join("foreign.db");
    std::fs::write(&foreign, "").unwrap();
    sqlx::any::install_default_drivers();
    let mut stranger = sqlx::AnyConnection::connect(&sqlite(&foreign)).await.unwrap();
    stranger.execute("CREATE TABLE recipes (name TEXT)").await.unwrap();
    stranger.close().await.unwrap();
    for path in [text.as_path(), foreign.as_path(), folder.path()] {
        for read_only in [false, true] {
            let error = Ledger::open(LedgerConfig { read_only, ..config(&sqlite(path)) }).await.unwrap_err();
            assert!(matches!(error, LedgerError::Damaged { .. }), "{}: {error:?}", path.display());
            check_sentence(&error, &path.display().to_string());
        }
    }
    assert_eq!(std::fs::read(&text).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_named() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    for _ in 0..40 {
        sell(&ledger, 1, "front", ChannelId::ALIPAY, NOON).await;
    }
    ledger.close().await;
    let mut bytes = std::fs::read(path(&home)).unwrap();
    let end = bytes.len();
    bytes[100..end].fill(0x5a);
    std::fs::write(path(&home), bytes).unwrap();
    let error = refused(&home.url).await;
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = refused(&sqlite(&file.join("books.db"))).await;
    assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error:?}");
    check_sentence(&error, "books.db");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_that_are_not_there_are_not_made_by_reading() {
    let home = Home::sqlite();
    let error = home.open_to_read().await.unwrap_err();
    assert!(matches!(error, LedgerError::Absent { .. }), "{error:?}");
    check_sentence(&error, "books.db");
    assert!(!path(&home).exists());
    std::fs::write(path(&home), "").unwrap();
    assert!(matches!(home.open_to_read().await, Err(LedgerError::Absent { .. })), "an empty file is no book");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_names_no_database_is_told_without_its_password() {
    for url in ["", "books.db", "sqlite:", "sqlite::memory:", "mysql://a:geheim@b/c", "postgres://a:geheim@b:99999/c"] {
        let error = refused(url).await;
        assert!(matches!(error, LedgerError::BadUrl(_)), "{url}: {error:?}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_is_its_owners_alone_and_any_path_will_do() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder").join("账本 100%?#.db");
    let ledger = Ledger::open(config(&sqlite(&path))).await.unwrap();
    create(&ledger, 1, NOON).await;
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
    assert!(path.is_file());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_durable_and_lets_readers_read() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    create(&ledger, 1, NOON).await;
    let mut stranger = home.stranger().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut stranger).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let error = refused("postgres://till:geheim@127.0.0.1:1/books").await;
    let LedgerError::Unreachable { place, .. } = &error else { panic!("{error:?}") };
    assert_eq!(place, "postgres://till@127.0.0.1:1/books");
    assert!(!error.to_string().contains("geheim"), "{error}");
    let error = refused(&postgres::shared().url("no_such_database")).await;
    assert!(matches!(error, LedgerError::Unreachable { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_and_comes_back_loses_nothing() {
    let mut server = postgres::Server::start();
    let url = server.database().await;
    let ledger = Ledger::open(config(&url)).await.unwrap();
    let paid = sell(&ledger, 100, "front", ChannelId::ALIPAY, NOON).await;
    server.stop();
    let id = PaymentId::generate();
    let write = || commit(&id, None, NOON, vec![created(1, "front")]);
    let error = ledger.commit(write()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unreachable { .. }), "{error:?}");
    let error = ledger.payment(&paid.id).await.unwrap_err();
    assert!(matches!(error, LedgerError::Unreachable { .. }), "{error:?}");
    server.start_again();
    ledger.commit(write()).await.unwrap();
    assert_eq!(ledger.payment(&paid.id).await.unwrap(), Some(paid));
    let found = ledger.verify().await.unwrap();
    assert_eq!((found.rows, found.broken), (4, None));
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_a_server_and_wake_each_other() {
    let home = Home::postgres().await;
    // Both make the tables at the same time.
    let (one, two) = tokio::join!(home.open(), home.open());
    assert!(!one.is_exclusive());
    let mut watch = two.watch();
    watch.borrow_and_update();
    let sale = create(&one, 100, NOON).await;
    tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.expect("the other is woken").unwrap();
    assert_eq!(*watch.borrow_and_update(), 1);
    assert_eq!(two.payment(&sale.id).await.unwrap(), Some(sale.clone()));

    let writing: Vec<_> = (0..40_i64)
        .map(|number| {
            let ledger = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { sell(&ledger, 1, "front", ChannelId::ALIPAY, NOON + number).await })
        })
        .collect();
    for one in writing {
        one.await.unwrap();
    }
    let found = two.verify().await.unwrap();
    assert_eq!((found.rows, found.broken), (121, None));
    assert!(one.lease(&sale.id, "one", NOON, NOON + 1_000).await.unwrap());
    assert!(!two.lease(&sale.id, "two", NOON, NOON + 1_000).await.unwrap());
    let code = one.code_mac("281234567890123456");
    let start = |id: &PaymentId| vec![books::started(id, 1, ChannelId::ALIPAY, Some(&code))];
    one.commit(commit(&sale.id, Some(1), NOON, start(&sale.id))).await.unwrap();
    let other = create(&two, 1, NOON).await;
    let spent = two.commit(commit(&other.id, Some(1), NOON, start(&other.id))).await;
    assert!(matches!(spent, Err(LedgerError::CodeSpent)), "{spent:?}");
}
