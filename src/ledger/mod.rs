//! The books: an append-only journal chained with HMAC-SHA256, and the tables derived from it. The same SQL runs on
//! SQLite (one machine) and PostgreSQL (a chain).
//!
//! What happens to a payment is written by [`Ledger::commit`], which is durable when it returns. Concurrent commits
//! share one database transaction, so many tills cost few disk writes.

mod journal;
mod registry;
mod store;
mod takings;
mod types;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use sqlx::{AnyPool, Row};
use tokio::sync::{mpsc, oneshot, watch};

pub use types::*;

use self::journal::row_of;
use self::store::Place;
use self::takings::Calendar;
use self::writer::{Job, Note, Writer};
use crate::crypto::{HmacSha256, SealKey};
use crate::payment::{OutTradeNo, Payment, PaymentId, UnixMillis};

/// How often rows that other processes wrote to a shared server are looked for.
const LOOK_FOR_ROWS: Duration = Duration::from_millis(200);
/// The most payments one page lists.
const MAX_PAGE: u32 = 500;

/// The books, open. Cheap to clone; every clone is the same books.
#[derive(Clone)]
pub struct Ledger {
    pool: AnyPool,
    place: Place,
    jobs: mpsc::Sender<Job>,
    watch: watch::Sender<i64>,
    key: Arc<HmacSha256>,
    code_key: Arc<HmacSha256>,
    seal: Arc<SealKey>,
    calendar: Calendar,
}

impl Ledger {
    /// Opens the books at `config.url`, creating or migrating them. SQLite's file is made if absent (mode 0600), WAL
    /// mode, `synchronous=FULL`; one program at a time may have it open for writing.
    ///
    /// # Errors
    /// [`LedgerError`] says in a sentence what is wrong and what to do: locked by another program, read-only, written
    /// by a newer version, damaged, server not reachable.
    pub async fn open(config: LedgerConfig) -> Result<Self, LedgerError> {
        let place = Place::parse(&config.url, config.read_only)?;
        let calendar = Calendar::new(&config.calendar)?;
        let lock = place.claim()?;
        let mut connection = place.connect().await?;
        place.migrate(&mut connection).await?;
        let key = Arc::new(HmacSha256::new(config.chain_key.as_slice()));
        let row = sqlx::query("SELECT seq FROM journal_head WHERE id = 1").fetch_one(&mut connection).await;
        let seq: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| place.error(&error))?;
        let (watch, _) = watch::channel(seq);
        let (jobs, queue) = mpsc::channel(writer::QUEUE);
        let writer = Writer {
            place: place.clone(),
            key: key.clone(),
            calendar: calendar.clone(),
            watch: watch.clone(),
            connection: Some(connection),
            lock,
        };
        tokio::spawn(writer.run(queue));
        let ledger = Self {
            pool: place.pool(),
            jobs,
            watch,
            code_key: Arc::new(HmacSha256::new(&key.sign(&[b"payment codes"]))),
            key,
            seal: Arc::new(SealKey::new(*config.seal_key)),
            calendar,
            place,
        };
        if !ledger.is_exclusive() {
            ledger.look_for_rows();
        }
        Ok(ledger)
    }

    /// Whether no other process can be writing these books.
    #[must_use]
    pub const fn is_exclusive(&self) -> bool {
        self.place.is_sqlite()
    }

    /// Hex of the keyed digest under which a spent payment code is remembered.
    #[must_use]
    pub fn code_mac(&self, auth_code: &str) -> String {
        hex::encode(self.code_key.sign(&[auth_code.as_bytes()]))
    }

    /// Writes events of one payment, all or none, and is durable when it returns. The idempotent answer, the spent
    /// payment code, the seen notification and the lease are written in the same transaction.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where the payment is no longer at `expect`, [`LedgerError::Illegal`],
    /// [`LedgerError::CodeSpent`], [`LedgerError::IdempotencyMismatch`], [`LedgerError::IdempotencyReplay`],
    /// [`LedgerError::NotificationSeen`], [`LedgerError::LeaseHeld`]: nothing was written.
    pub async fn commit(&self, commit: Commit) -> Result<Payment, LedgerError> {
        self.ask(|reply| Job::Commit(Box::new(commit), reply)).await
    }

    /// Writes a row about no payment (a kept notification, a changed account, ...) and gives its sequence.
    ///
    /// # Errors
    /// The database fails.
    pub async fn note(
        &self,
        at: UnixMillis,
        actor: &str,
        kind: &str,
        payload: serde_json::Value,
    ) -> Result<i64, LedgerError> {
        let note = Note { at, actor: actor.to_owned(), kind: kind.to_owned(), payload };
        self.ask(|reply| Job::Note(note, reply)).await
    }

    /// A payment as it stands.
    ///
    /// # Errors
    /// The database fails.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, LedgerError> {
        self.one("SELECT doc FROM payments WHERE id = $1", id.as_str()).await
    }

    /// The payment that has an attempt with that number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn payment_by_out_trade_no(&self, out_trade_no: &OutTradeNo) -> Result<Option<Payment>, LedgerError> {
        let find = "SELECT payments.doc FROM payments JOIN attempts ON attempts.payment = payments.id WHERE attempts.out_trade_no = $1";
        self.one(find, out_trade_no.as_str()).await
    }

    /// Payments, the latest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<Payment>, LedgerError> {
        let rows = sqlx::query(
            "SELECT doc FROM payments WHERE ($1 = '' OR business_day = $1) AND ($2 = '' OR store = $2) \
             AND ($3 = '' OR till = $3) AND ($4 = '' OR state = $4) AND ($5 = '' OR channel = $5) \
             AND ($6 < 0 OR training = $6) AND ($7 = '' OR id < $7) ORDER BY id DESC LIMIT $8",
        )
        .bind(filter.business_day.map(|day| day.to_string()).unwrap_or_default())
        .bind(filter.store.as_ref().map_or("", |store| store.as_str()))
        .bind(filter.till.as_ref().map_or("", |till| till.as_str()))
        .bind(filter.state.map_or("", |state| state.name()))
        .bind(filter.channel.as_ref().map_or("", |channel| channel.as_str()))
        .bind(filter.training.map_or(-1, i64::from))
        .bind(filter.before.as_ref().map_or("", |before| before.as_str()))
        .bind(i64::from(filter.limit.min(MAX_PAGE)))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.place.error(&error))?;
        rows.iter().map(|row| self.doc(row)).collect()
    }

    /// The stored answer to an idempotency key, with the digest of the request it was given for.
    ///
    /// # Errors
    /// The database fails.
    pub async fn idempotent(&self, scope: &str, key: &str) -> Result<Option<StoredAnswer>, LedgerError> {
        let read = async {
            let row = sqlx::query("SELECT digest, status, body FROM answers WHERE scope = $1 AND idempotency_key = $2")
                .bind(scope)
                .bind(key)
                .fetch_optional(&self.pool)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let mut digest = [0; 32];
            let text: String = row.try_get("digest")?;
            hex::decode_to_slice(text, &mut digest).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            let status: i64 = row.try_get("status")?;
            Ok(Some(StoredAnswer {
                scope: scope.to_owned(),
                key: key.to_owned(),
                digest,
                status: u16::try_from(status).unwrap_or(200),
                body: row.try_get("body")?,
            }))
        };
        read.await.map_err(|error: sqlx::Error| self.place.error(&error))
    }

    /// Takes or renews the lease on a payment for `owner` until `until`; false where another owner's still runs at
    /// `now`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn lease(
        &self,
        id: &PaymentId,
        owner: &str,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<bool, LedgerError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        self.ask(|reply| Job::Lease { id, owner, now, until, reply }).await
    }

    /// Payments that are unfinished and on which no other owner's lease runs at `now`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn unfinished(&self, owner: &str, now: UnixMillis) -> Result<Vec<PaymentId>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id FROM payments WHERE unfinished = 1 AND (lease_owner IS NULL OR lease_owner = $1 OR lease_until <= $2) ORDER BY id",
        )
        .bind(owner)
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.place.error(&error))?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0).map_err(|error| self.place.error(&error))?;
                id.parse().map_err(|_| LedgerError::Database(format!("{id:?} is no payment id")))
            })
            .collect()
    }

    /// Frees every lease that other owners hold: for books that have one owner at a time.
    ///
    /// # Errors
    /// The database fails.
    pub async fn break_leases(&self, owner: &str) -> Result<(), LedgerError> {
        let owner = owner.to_owned();
        self.ask(|reply| Job::BreakLeases { owner, reply }).await
    }

    /// The whole story of a payment, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<JournalRow>, LedgerError> {
        let read = async {
            let rows = sqlx::query(
                "SELECT seq, at, actor, kind, payment, payload FROM journal WHERE payment = $1 ORDER BY seq",
            )
            .bind(id.as_str())
            .fetch_all(&self.pool)
            .await?;
            rows.iter().map(row_of).collect::<Result<Vec<_>, _>>()
        };
        read.await.map_err(|error| self.place.error(&error))
    }

    /// Journal rows about payments with a sequence over `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rows_after(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
        let read = async {
            let rows = sqlx::query(
                "SELECT seq, at, actor, kind, payment, payload FROM journal WHERE seq > $1 AND payment IS NOT NULL ORDER BY seq LIMIT $2",
            )
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
            rows.iter().map(row_of).collect::<Result<Vec<_>, _>>()
        };
        read.await.map_err(|error| self.place.error(&error))
    }

    /// Tells the highest durable sequence, and wakes at each new one.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.watch.subscribe()
    }

    /// The takings of a business day, from running sums.
    ///
    /// # Errors
    /// The database fails.
    pub async fn takings(&self, query: &TakingsQuery) -> Result<Takings, LedgerError> {
        takings::read(&self.pool, query).await.map_err(|error| self.place.error(&error))
    }

    /// The business day that `at` belongs to.
    #[must_use]
    pub fn business_day(&self, at: UnixMillis) -> Date {
        self.calendar.place(at).0
    }

    /// Walks the chain from its start.
    ///
    /// # Errors
    /// The database fails; a broken chain is no error but the answer.
    pub async fn verify(&self) -> Result<Verification, LedgerError> {
        journal::verify(&self.pool, &self.key).await.map_err(|error| self.place.error(&error))
    }

    /// Makes the derived tables anew from the journal alone, and gives the number of rows read.
    ///
    /// # Errors
    /// The database fails, or the journal holds a row that cannot happen; the tables are then as they were.
    pub async fn rebuild(&self) -> Result<u64, LedgerError> {
        self.ask(Job::Rebuild).await
    }

    /// Finishes what is queued and closes the database.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).await.is_ok() {
            let _ = closed.await;
        }
        self.pool.close().await;
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, LedgerError>>) -> Job) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let closed = || LedgerError::Database("they are closed".into());
        self.jobs.send(job(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    async fn one(&self, query: &'static str, id: &str) -> Result<Option<Payment>, LedgerError> {
        let row =
            sqlx::query(query).bind(id).fetch_optional(&self.pool).await.map_err(|error| self.place.error(&error))?;
        row.as_ref().map(|row| self.doc(row)).transpose()
    }

    fn doc(&self, row: &sqlx::any::AnyRow) -> Result<Payment, LedgerError> {
        let doc: String = row.try_get(0).map_err(|error| self.place.error(&error))?;
        serde_json::from_str(&doc).map_err(|error| LedgerError::Database(error.to_string()))
    }

    /// Other processes write to a shared server too: their rows have to wake our subscribers.
    fn look_for_rows(&self) {
        let (pool, watch) = (self.pool.clone(), self.watch.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = pool.close_event() => return,
                    () = tokio::time::sleep(LOOK_FOR_ROWS) => {}
                }
                let row = sqlx::query("SELECT seq FROM journal_head WHERE id = 1").fetch_one(&pool).await;
                if let Ok(seq) = row.and_then(|row| row.try_get::<i64, _>(0)) {
                    watch.send_if_modified(|last| {
                        let moved = seq > *last;
                        *last = seq.max(*last);
                        moved
                    });
                }
            }
        });
    }
}
