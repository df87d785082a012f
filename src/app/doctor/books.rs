//! Key store, database, journal, anchor, and what is in flight.

use super::super::anchor::{AnchorFile, Held};
use super::super::config::Config;
use super::super::data::DataDir;
use super::super::embedded::now;
use super::super::keys;
use super::time::span;
use super::{Check, Verdict};
use crate::channel::MerchantAccount;
use crate::crypto::{KeptIn, KeyStore};
use crate::ledger::{Ledger, LedgerConfig, LedgerError, PaymentFilter, SCHEMA_VERSION};
use crate::payment::UnixMillis;

/// A payment that is unfinished for longer needs a person.
const STUCK_MS: i64 = 60 * 60 * 1_000;
const RECENT: u32 = 200;

/// What the books told.
#[derive(Default)]
pub(super) struct Books {
    pub checks: Vec<Check>,
    pub newest_row: Option<UnixMillis>,
    /// `None` where they could not be opened.
    pub accounts: Option<Vec<MerchantAccount>>,
}

pub(super) async fn examine(data: &DataDir, config: &Config, database: Option<String>) -> Books {
    let mut books = Books::default();
    let (check, store) = open_keys(data, config).await;
    books.checks.push(check);
    // The chain's key is made with the first books: where it is missing, reading must not make another.
    let new = !data.keys().join("chain.key").exists();
    let config = if new {
        Err(None)
    } else {
        let read = data.ledger_config(database, config.calendar(), true).map_err(|error| Some(format!("{error:#}")));
        read.map(|usual| match &store {
            Some(store) => LedgerConfig { seal_key: store.current().clone(), ..usual },
            None => usual,
        })
    };
    let config = match config {
        Ok(config) => config,
        Err(None) => {
            let found = "There are no books in this data folder yet; the first start makes them.";
            books.checks.push(Check::ok("database", found));
            books.accounts = Some(Vec::new());
            return books;
        }
        Err(Some(error)) => {
            books.checks.push(Check::failure("database", error, "Restore the folder keys/ from a backup."));
            return books;
        }
    };
    match Ledger::open(config).await {
        Ok(ledger) => {
            opened(data, &ledger, store.is_some(), &mut books).await;
            ledger.close().await;
        }
        Err(error @ LedgerError::Absent { .. }) => {
            books.checks.push(Check::ok("database", sentence(&error)));
            books.accounts = Some(Vec::new());
        }
        Err(error) => books.checks.push(Check::failure(
            "database",
            sentence(&error),
            "Do what it says; until then no payment can be taken.",
        )),
    }
    books
}

async fn open_keys(data: &DataDir, config: &Config) -> (Check, Option<KeyStore>) {
    const KEYS: &str = "key_store";
    let (folder, wanted) = (data.clone(), config.key_store);
    let opened = tokio::task::spawn_blocking(move || match KeyStore::kept(&folder.keys()) {
        Ok(None) => Ok(None),
        Ok(Some(_)) => keys::open(&folder, wanted).map(Some),
        Err(error) => Err(error.into()),
    });
    match opened.await.unwrap_or_else(|error| Err(error.into())) {
        Ok(None) => (Check::ok(KEYS, "There are no keys in this data folder yet; the first start makes them."), None),
        Ok(Some(store)) => {
            let told = keys::sentence(store.kept_in(), data);
            // In training there is nothing to protect; that real accounts are there is told with them.
            let verdict = if store.kept_in() == KeptIn::File { Verdict::Warning } else { Verdict::Ok };
            let cure = (verdict == Verdict::Warning).then(|| "scantill account rekey --to keyring".to_owned());
            (Check::new(KEYS, verdict, told, cure), Some(store))
        }
        Err(error) => {
            let cure = "Give the passphrase (SCANTILL_PASSPHRASE, or at a terminal), unlock the keyring, or restore the \
                        folder keys/ from a backup.";
            (Check::failure(KEYS, format!("{error:#}."), cure), None)
        }
    }
}

async fn opened(data: &DataDir, ledger: &Ledger, with_keys: bool, books: &mut Books) {
    let found = format!("{} opens; its tables are of version {SCHEMA_VERSION}, this program's.", ledger.place());
    books.checks.push(Check::ok("database", found));
    // The anchor is read before the journal, which may grow meanwhile.
    let held = AnchorFile::of(data, ledger).held(ledger).await;
    let restore = "Do not take payments on these books. Restore the newest backup (`scantill ledger restore`), and find \
                   out who could write to the database.";
    books.checks.push(match ledger.verify().await {
        Ok(found) => match found.broken {
            None => Check::ok("journal", format!("{} rows, each as it was written.", found.rows)),
            Some(broken) => Check::failure(
                "journal",
                format!("The journal is broken at row {}: {}.", broken.seq, broken.why),
                restore,
            ),
        },
        Err(error) => Check::failure("journal", sentence(&error), "Do what it says."),
    });
    books.checks.push(match held {
        Ok(Held::Nothing) => {
            Check::ok("anchor", "The journal's end was not anchored here yet; the next start does it.")
        }
        Ok(Held::Whole(anchor)) => Check::ok(
            "anchor",
            format!("The journal holds row {}, the last that was anchored outside of it.", anchor.seq),
        ),
        Ok(Held::Broken(broken)) => {
            Check::failure("anchor", format!("From row {} on: {}.", broken.seq, broken.why), restore)
        }
        Err(error) => Check::warning(
            "anchor",
            format!("{error:#}."),
            "Hold the journal's end against a backup, then remove the file; the next start writes it anew.",
        ),
    });
    if let Ok(rows) = ledger.rows_after(*ledger.watch().borrow() - 1, 1).await {
        books.newest_row = rows.first().map(|row| row.at);
    }
    books.checks.extend(in_flight(ledger).await);
    if with_keys {
        match ledger.accounts().await {
            Ok(accounts) => books.accounts = Some(accounts),
            Err(error) => books.checks.push(Check::failure(
                "accounts",
                sentence(&error),
                "Restore the folder keys/ that belongs to these books from a backup.",
            )),
        }
    }
}

/// Payments that are not at an end.
async fn in_flight(ledger: &Ledger) -> Option<Check> {
    const IN_FLIGHT: &str = "in_flight";
    let unfinished = ledger.unfinished("", UnixMillis::MAX).await.ok()?;
    if unfinished.is_empty() {
        return Some(Check::ok(IN_FLIGHT, "No payment is unfinished."));
    }
    let recent = ledger.payments(&PaymentFilter { limit: RECENT, ..PaymentFilter::default() }).await.ok()?;
    let first = unfinished.first()?;
    let oldest = match recent.iter().find(|payment| &payment.id == first) {
        Some(payment) => payment.created_at,
        None => ledger.payment(first).await.ok()??.created_at,
    };
    let age = now() - oldest;
    let found = format!("{} payments are unfinished, the oldest for {}: {first}.", unfinished.len(), span(age));
    Some(if age > STUCK_MS {
        Check::warning(IN_FLIGHT, found, "Start the till or `scantill serve`, which finishes them; look the oldest up.")
    } else {
        Check::ok(IN_FLIGHT, found)
    })
}

fn sentence(error: &LedgerError) -> String {
    format!("{error}.")
}
