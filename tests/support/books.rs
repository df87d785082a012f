//! Books to test with: on SQLite in a temporary folder or on the tests' own PostgreSQL, and sales to write into them.

// Each test program uses a part of it.
#![allow(dead_code)]

use scantill::ledger::{BusinessCalendar, Commit, Disk, Ledger, LedgerConfig, LedgerError};
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, ConfirmedBy, Payment, PaymentEvent, PaymentId, UnixMillis, Way};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Executor, Row};
use zeroize::Zeroizing;

use crate::postgres;

/// Runs each story on both databases.
#[allow(unused_macros)]
macro_rules! on_both_databases {
    ($($story:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(&super::Home::sqlite()).await;
            })*
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(&super::Home::postgres().await).await;
            })*
        }
    };
}

/// Runs stories on books in memory as well: those in which no stranger meddles with a database.
#[allow(unused_macros)]
macro_rules! in_memory {
    ($($story:ident)*) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(&super::Home::memory()).await;
            })*
        }
    };
}

/// 2026-11-24 12:00:00 in Shanghai.
pub const NOON: UnixMillis = 1_795_492_800_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// Where books are.
pub struct Home {
    pub url: String,
    /// Where the books are in memory.
    disk: Option<Disk>,
    _folder: Option<tempfile::TempDir>,
}

impl Home {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("books.db").display());
        Self { url, disk: None, _folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        Self { url: postgres::shared().database().await, disk: None, _folder: None }
    }

    pub fn memory() -> Self {
        Self { url: "memory".to_owned(), disk: Some(Disk::new(false)), _folder: None }
    }

    pub fn config(&self) -> LedgerConfig {
        config(&self.url)
    }

    pub async fn open(&self) -> Ledger {
        match &self.disk {
            Some(disk) => Ledger::on(disk.clone(), &self.config()).expect("a calendar"),
            None => Ledger::open(self.config()).await.expect("the books open"),
        }
    }

    pub async fn open_to_read(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(LedgerConfig { read_only: true, ..self.config() }).await
    }

    /// A connection past the ledger, as a stranger with the database's password has it.
    pub async fn stranger(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.expect("the database answers")
    }

    /// Runs a statement as a stranger.
    pub async fn meddle(&self, sql: &str) -> u64 {
        let mut stranger = self.stranger().await;
        let done = stranger.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        stranger.close().await.expect("it closes");
        done.rows_affected()
    }

    /// A whole table as text, in the order of its columns.
    pub async fn table(&self, name: &str) -> Vec<Vec<String>> {
        let mut stranger = self.stranger().await;
        let rows = stranger.fetch_all(format!("SELECT * FROM {name}").as_str()).await.expect("a table");
        stranger.close().await.expect("it closes");
        let mut rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
        rows.sort();
        rows
    }
}

fn cells(row: &AnyRow) -> Vec<String> {
    (0..row.len())
        .map(|column| {
            row.try_get::<Option<String>, _>(column).map_or_else(
                |_| row.try_get::<i64, _>(column).map_or_else(|_| "?".to_owned(), |number| number.to_string()),
                |text| text.unwrap_or_else(|| "NULL".to_owned()),
            )
        })
        .collect()
}

pub fn config(url: &str) -> LedgerConfig {
    LedgerConfig {
        url: url.to_owned(),
        chain_key: Zeroizing::new([7; 32]),
        seal_key: Zeroizing::new([9; 32]),
        calendar: BusinessCalendar { time_zone: Some("Asia/Shanghai".to_owned()), cutover_hour: 4 },
        read_only: false,
    }
}

pub fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

pub fn created(minor: i64, till: &str) -> PaymentEvent {
    PaymentEvent::Created {
        amount: fen(minor),
        description: "Tea \"oolong\" 茶".to_owned(),
        store: "main".parse().expect("an id"),
        till: till.parse().expect("an id"),
        operator: Some("Li".to_owned()),
        collect_until: NOON + 5 * MINUTE,
        training: false,
    }
}

pub fn started(id: &PaymentId, no: u32, channel: ChannelId, auth_code_mac: Option<&str>) -> PaymentEvent {
    PaymentEvent::AttemptStarted {
        no,
        way: if auth_code_mac.is_some() { Way::ConsumerPresented } else { Way::MerchantPresented },
        account: format!("acc-{channel}").parse().expect("an id"),
        channel,
        out_trade_no: id.out_trade_no(no).expect("a number"),
        auth_code_masked: auth_code_mac.map(|_| "28**************91".to_owned()),
        auth_code_mac: auth_code_mac.map(str::to_owned),
        confirmed_by: ConfirmedBy::Provider,
    }
}

pub fn succeeded(no: u32, at: UnixMillis) -> PaymentEvent {
    PaymentEvent::AttemptSucceeded { no, provider_trade_no: format!("2026{no}"), payer: None, paid_at: at }
}

pub fn commit(id: &PaymentId, expect: Option<u64>, at: UnixMillis, events: Vec<PaymentEvent>) -> Commit {
    Commit {
        payment: id.clone(),
        expect,
        actor: "till:front".to_owned(),
        at,
        events,
        answer: None,
        notification: None,
        lease: None,
        takes_over: false,
    }
}

/// A sale that exists.
pub async fn create(ledger: &Ledger, minor: i64, at: UnixMillis) -> Payment {
    let id = PaymentId::generate();
    ledger.commit(commit(&id, None, at, vec![created(minor, "front")])).await.expect("a sale is created")
}

/// A sale that was paid through `channel`.
pub async fn sell(ledger: &Ledger, minor: i64, till: &str, channel: ChannelId, at: UnixMillis) -> Payment {
    let id = PaymentId::generate();
    let payment = ledger.commit(commit(&id, None, at, vec![created(minor, till)])).await.expect("created");
    let payment = ledger
        .commit(commit(&id, Some(payment.version), at, vec![started(&id, 1, channel, None)]))
        .await
        .expect("started");
    ledger.commit(commit(&id, Some(payment.version), at, vec![succeeded(1, at)])).await.expect("paid")
}
