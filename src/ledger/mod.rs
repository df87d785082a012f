//! The books: an append-only journal chained with HMAC-SHA256, and the tables derived from it. The same SQL runs on
//! SQLite (one machine) and PostgreSQL (a chain).
//!
//! What happens to a payment is written by [`Ledger::commit`], which is durable when it returns. Concurrent commits
//! share one database transaction, so many tills cost few disk writes.

mod types;

pub use types::*;

use crate::channel::MerchantAccount;
use crate::payment::{AccountId, OutTradeNo, Payment, PaymentId, UnixMillis};

/// The books, open. Cheap to clone; every clone is the same books.
#[derive(Clone)]
pub struct Ledger {}

impl Ledger {
    /// Opens the books at `config.url`, creating or migrating them. SQLite's file is made if absent, WAL mode,
    /// `synchronous=FULL`.
    ///
    /// # Errors
    /// [`LedgerError`] says in a sentence what is wrong and what to do: locked by another program, read-only, written
    /// by a newer version, damaged, server not reachable.
    pub async fn open(config: LedgerConfig) -> Result<Self, LedgerError> {
        todo!()
    }

    /// Writes events of one payment, all or none, and is durable when it returns. The idempotent answer, the spent
    /// payment code, the seen notification and the lease are written in the same transaction.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where the payment is no longer at `expect`, [`LedgerError::Illegal`],
    /// [`LedgerError::CodeSpent`], [`LedgerError::IdempotencyMismatch`], [`LedgerError::IdempotencyReplay`],
    /// [`LedgerError::NotificationSeen`], [`LedgerError::LeaseHeld`]: nothing was written.
    pub async fn commit(&self, commit: Commit) -> Result<Payment, LedgerError> {
        todo!()
    }

    /// Writes a row about no payment (a kept notification, a changed account, ...).
    pub async fn note(
        &self,
        at: UnixMillis,
        actor: &str,
        kind: &str,
        payload: serde_json::Value,
    ) -> Result<i64, LedgerError> {
        todo!()
    }

    /// A payment as it stands.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, LedgerError> {
        todo!()
    }

    /// The payment that has an attempt with that number.
    pub async fn payment_by_out_trade_no(&self, out_trade_no: &OutTradeNo) -> Result<Option<Payment>, LedgerError> {
        todo!()
    }

    /// Payments, the latest first.
    pub async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<Payment>, LedgerError> {
        todo!()
    }

    /// The stored answer to an idempotency key, with the digest of the body it was given for.
    pub async fn idempotent(&self, scope: &str, key: &str) -> Result<Option<StoredAnswer>, LedgerError> {
        todo!()
    }

    /// Takes or renews the lease on a payment for `owner` until `until`; false where another owner's still runs at `now`.
    pub async fn lease(
        &self,
        id: &PaymentId,
        owner: &str,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<bool, LedgerError> {
        todo!()
    }

    /// Payments that are unfinished and on which no other owner's lease runs at `now`.
    pub async fn unfinished(&self, owner: &str, now: UnixMillis) -> Result<Vec<PaymentId>, LedgerError> {
        todo!()
    }

    /// Frees every lease that other owners hold: for the embedded database, which has one owner at a time.
    pub async fn break_leases(&self, owner: &str) -> Result<(), LedgerError> {
        todo!()
    }

    /// The whole story of a payment, oldest first.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<JournalRow>, LedgerError> {
        todo!()
    }

    /// Journal rows about payments with a sequence over `after`, oldest first, at most `limit`.
    pub async fn rows_after(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
        todo!()
    }

    /// Tells the highest durable sequence, and wakes at each new one.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<i64> {
        todo!()
    }

    /// The takings of a business day, from running sums.
    pub async fn takings(&self, query: &TakingsQuery) -> Result<Takings, LedgerError> {
        todo!()
    }

    /// The business day that `at` belongs to.
    pub fn business_day(&self, at: UnixMillis) -> jiff::civil::Date {
        todo!()
    }

    /// Walks the chain from its start.
    pub async fn verify(&self) -> Result<Verification, LedgerError> {
        todo!()
    }

    /// Makes the derived tables anew from the journal alone.
    pub async fn rebuild(&self) -> Result<u64, LedgerError> {
        todo!()
    }

    /// Every merchant account, credentials opened.
    pub async fn accounts(&self) -> Result<Vec<MerchantAccount>, LedgerError> {
        todo!()
    }

    /// Writes an account, new or changed; its credentials are sealed. The journal tells who and when, and no credential.
    pub async fn put_account(&self, at: UnixMillis, actor: &str, account: &MerchantAccount) -> Result<(), LedgerError> {
        todo!()
    }

    /// Removes an account that no payment uses any more.
    pub async fn remove_account(&self, at: UnixMillis, actor: &str, id: &AccountId) -> Result<bool, LedgerError> {
        todo!()
    }

    /// Every store.
    pub async fn stores(&self) -> Result<Vec<Store>, LedgerError> {
        todo!()
    }

    /// Writes a store, new or changed.
    pub async fn put_store(&self, at: UnixMillis, actor: &str, store: &Store) -> Result<(), LedgerError> {
        todo!()
    }

    /// Every till.
    pub async fn tills(&self) -> Result<Vec<Till>, LedgerError> {
        todo!()
    }

    /// Writes a till, new or changed; its API secret is sealed.
    pub async fn put_till(&self, at: UnixMillis, actor: &str, till: &Till) -> Result<(), LedgerError> {
        todo!()
    }

    /// Finishes what is queued and closes the database.
    pub async fn close(&self) {
        todo!()
    }
}
