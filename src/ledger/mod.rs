//! The books: an append-only journal chained with HMAC-SHA256, and the tables derived from it. The same SQL runs on
//! SQLite (one machine) and PostgreSQL (a chain).
//!
//! What happens to a payment is written by [`Ledger::commit`], which is durable when it returns. Concurrent commits
//! share one database transaction, so many tills cost few disk writes.

mod anchor;
mod backup;
mod batch;
mod batch_sql;
mod calendar;
mod chain;
mod derived;
mod disk;
mod found;
mod notifications;
mod operators;
mod place;
mod read;
mod records;
mod schema;
mod seal;
mod sql;
mod types;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyPool, Connection};
use tokio::sync::{RwLock, mpsc, oneshot, watch};

pub use anchor::Anchor;
pub use disk::{Disk, Medium};
pub use operators::{Operator, PIN_TRIES, Role};
pub use schema::SCHEMA_VERSION;
pub use types::*;

use batch::{Granted, NONCE, Note, Request, Rules};
use calendar::Calendar;
use place::{Access, Place};
use seal::SealKeys;
use writer::{Job, Writer};

use crate::crypto::{HmacSha256, SealKey};
use crate::payment::{Payment, PaymentId, UnixMillis};

/// How often a server is asked whether another process wrote.
const POLL: Duration = Duration::from_millis(200);

/// The books, open. Cheap to clone; every clone is the same books.
#[derive(Clone)]
pub struct Ledger {
    books: Arc<Books>,
}

struct Books {
    rules: Arc<Rules>,
    /// Whoever seals holds it until the sealed value is written, so that nothing is written under a key that was replaced.
    seal_keys: RwLock<SealKeys>,
    code_key: HmacSha256,
    /// `None` where the books are in memory.
    readers: Option<AnyPool>,
    /// `None` where the books are open for reading only.
    queue: Option<mpsc::Sender<Job>>,
    last_seq: watch::Receiver<i64>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.books.rules.place.shown())
    }
}

impl Ledger {
    /// Opens the books at `config.url`, creating or migrating them. SQLite's file is made if absent (mode 0600), WAL
    /// mode, `synchronous=FULL`. One process at a time writes to a SQLite file, and has it until [`Ledger::close`];
    /// any number may read it, and any number may write to a PostgreSQL database.
    ///
    /// # Errors
    /// [`LedgerError`] says in a sentence what is wrong and what to do: locked by another program, read-only, written
    /// by a newer version, damaged, server not reachable.
    pub async fn open(config: LedgerConfig) -> Result<Self, LedgerError> {
        let place = Place::parse(&config.url)?;
        let rules = Arc::new(Rules {
            calendar: Calendar::new(&config.calendar)?,
            chain_key: HmacSha256::new(config.chain_key.as_slice()),
            place: place.clone(),
        });
        let seal_key = SealKey::new(*config.seal_key);
        if config.read_only {
            return Self::open_to_read(place, rules, seal_key).await;
        }
        let lock = place.prepare_to_write()?;
        let mut connection = place.connect(Access::Write).await?;
        schema::migrate(&mut connection, &place).await?;
        let (head, _) = chain::read_head(&mut connection).await.map_err(|error| place.refused(error))?;
        let (sender, last_seq) = watch::channel(head.seq);
        let sender = Arc::new(sender);
        let readers = place.readers(Access::Read)?;
        if place.is_postgres() {
            tokio::spawn(follow(readers.clone(), Arc::clone(&sender)));
        }
        let (queue, jobs) = mpsc::channel(writer::QUEUE);
        let writer = Writer { rules: Arc::clone(&rules), connection: Some(connection), last_seq: sender, lock };
        tokio::spawn(writer.run(jobs));
        Ok(Self::new(rules, seal_key, Some(readers), Some(queue), last_seq))
    }

    /// Books in memory, for simulations; `config.url` and `config.read_only` mean nothing then.
    ///
    /// # Errors
    /// The calendar is none.
    pub fn on(disk: Disk, config: &LedgerConfig) -> Result<Self, LedgerError> {
        let last_seq = disk.watch();
        let rules = Arc::new(Rules {
            calendar: Calendar::new(&config.calendar)?,
            chain_key: HmacSha256::new(config.chain_key.as_slice()),
            place: Place::Memory(disk),
        });
        let (queue, jobs) = mpsc::channel(writer::QUEUE);
        // Nobody listens to this one: the disk itself tells of every row.
        let unheard = Arc::new(watch::channel(0).0);
        let writer = Writer { rules: Arc::clone(&rules), connection: None, last_seq: unheard, lock: None };
        tokio::spawn(writer.run(jobs));
        Ok(Self::new(rules, SealKey::new(*config.seal_key), None, Some(queue), last_seq))
    }

    async fn open_to_read(place: Place, rules: Arc<Rules>, seal_key: SealKey) -> Result<Self, LedgerError> {
        place.check_present()?;
        let mut access = Access::Read;
        let mut found = read_end(&place, access).await;
        // In a folder that cannot be written SQLite cannot share the file with a writer; with no log there is none.
        if matches!(found, Err(LedgerError::ReadOnly { .. })) && place.has_no_log() {
            access = Access::ReadAlone;
            found = read_end(&place, access).await;
        }
        let (sender, last_seq) = watch::channel(found?);
        let readers = place.readers(access)?;
        if place.is_postgres() {
            tokio::spawn(follow(readers.clone(), Arc::new(sender)));
        }
        Ok(Self::new(rules, seal_key, Some(readers), None, last_seq))
    }

    fn new(
        rules: Arc<Rules>,
        seal_key: SealKey,
        readers: Option<AnyPool>,
        queue: Option<mpsc::Sender<Job>>,
        last_seq: watch::Receiver<i64>,
    ) -> Self {
        let code_key = HmacSha256::new(&rules.chain_key.sign(&[b"payment codes"]));
        let seal_keys = RwLock::new(SealKeys::new(seal_key));
        Self { books: Arc::new(Books { rules, seal_keys, code_key, readers, queue, last_seq }) }
    }

    /// Whether no other process can be writing these books.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        match &self.books.rules.place {
            Place::Sqlite(_) => true,
            Place::Postgres { .. } => false,
            Place::Memory(disk) => !disk.is_shared(),
        }
    }

    /// Hex of the keyed digest under which a spent payment code is remembered.
    #[must_use]
    pub fn code_mac(&self, auth_code: &str) -> String {
        hex::encode(self.books.code_key.sign(&[auth_code.as_bytes()]))
    }

    /// Writes events of one payment, all or none, and is durable when it returns. The idempotent answer, the spent
    /// payment code, the seen notification and the lease are written in the same transaction. A lease ends with its
    /// payment: none is kept once nothing is left to do.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where the payment is no longer at `expect`, [`LedgerError::Illegal`],
    /// [`LedgerError::CodeSpent`], [`LedgerError::IdempotencyMismatch`], [`LedgerError::IdempotencyReplay`],
    /// [`LedgerError::NotificationSeen`], [`LedgerError::LeaseHeld`]: nothing was written. After
    /// [`LedgerError::Unreachable`] it may have been: read the payment again.
    pub async fn commit(&self, commit: Commit) -> Result<Payment, LedgerError> {
        match self.ask(Request::Commit(Box::new(commit))).await? {
            Granted::Payment(payment) => Ok(*payment),
            Granted::Seq(_) | Granted::Done(_) => Err(unanswered()),
        }
    }

    /// Writes a row about no payment (a kept notification, a changed account, ...) and tells its sequence.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn note(
        &self,
        at: UnixMillis,
        actor: &str,
        kind: &str,
        payload: serde_json::Value,
    ) -> Result<i64, LedgerError> {
        let note = Note { at, actor: actor.to_owned(), kind: kind.to_owned(), payload: chain::canonical(&payload) };
        match self.ask(Request::Note(note)).await? {
            Granted::Seq(seq) => Ok(seq),
            Granted::Payment(_) | Granted::Done(_) => Err(unanswered()),
        }
    }

    /// Takes or renews the lease on a payment for `owner` until `until`; false where another owner's still runs at `now`.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn lease(
        &self,
        id: &PaymentId,
        owner: &str,
        now: UnixMillis,
        until: UnixMillis,
    ) -> Result<bool, LedgerError> {
        let request = Request::Lease { payment: id.clone(), owner: owner.to_owned(), now, until };
        self.ask_done(request).await
    }

    /// Spends a nonce of a key's, once for ever and for every process that shares the books; false where it was spent.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn spend_nonce(&self, key: &str, nonce: &str, at: UnixMillis) -> Result<bool, LedgerError> {
        self.ask_done(Request::Once(format!("{NONCE}{key}/{nonce}"), at)).await
    }

    /// Forgets nonces that were spent before `before`, when their requests' times alone refuse them.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn forget_nonces(&self, before: UnixMillis) -> Result<(), LedgerError> {
        self.ask_done(Request::ForgetNonces(before)).await.map(|_| ())
    }

    /// Frees every lease that other owners hold: for the embedded database, which has one owner at a time.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn break_leases(&self, owner: &str) -> Result<(), LedgerError> {
        self.ask_done(Request::BreakLeases { owner: owner.to_owned() }).await.map(|_| ())
    }

    /// Tells the highest durable sequence, and wakes at each new one, also at another process's on PostgreSQL.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        match &self.books.rules.place {
            Place::Memory(disk) => disk.watch(),
            Place::Sqlite(_) | Place::Postgres { .. } => self.books.last_seq.clone(),
        }
    }

    /// The business day that `at` belongs to.
    #[must_use]
    pub fn business_day(&self, at: UnixMillis) -> jiff::civil::Date {
        self.books.rules.calendar.day_and_hour(at).0
    }

    /// Makes the derived tables anew from the journal alone, and tells how many rows it has.
    ///
    /// # Errors
    /// The journal does not verify, or the books cannot be written: nothing was changed.
    pub async fn rebuild(&self) -> Result<u64, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Rebuild(reply)).await?;
        answer.await.map_err(|_| closed())?
    }

    /// Finishes what is queued and closes the database. Whoever writes after that is refused.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.send(Job::Close(reply)).await.is_ok() {
            // The writer's end is all that is waited for, however it came.
            let _ = closed.await;
        }
        if let Some(readers) = &self.books.readers {
            readers.close().await;
        }
    }

    fn readers(&self) -> Result<&AnyPool, LedgerError> {
        self.books.readers.as_ref().ok_or_else(|| LedgerError::Database("they are in memory only".to_owned()))
    }

    async fn ask_done(&self, request: Request) -> Result<bool, LedgerError> {
        match self.ask(request).await? {
            Granted::Done(done) => Ok(done),
            Granted::Payment(_) | Granted::Seq(_) => Err(unanswered()),
        }
    }

    async fn ask(&self, request: Request) -> Result<Granted, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Write(request, reply)).await?;
        answer.await.map_err(|_| closed())?
    }

    async fn send(&self, job: Job) -> Result<(), LedgerError> {
        let Some(queue) = &self.books.queue else {
            return Err(LedgerError::Database("they are open for reading only".to_owned()));
        };
        queue.send(job).await.map_err(|_| closed())
    }
}

fn closed() -> LedgerError {
    LedgerError::Database("they were closed".to_owned())
}

fn unanswered() -> LedgerError {
    LedgerError::Database("the writer gave no answer".to_owned())
}

/// Checks that there are books to read, and tells where their journal ends.
async fn read_end(place: &Place, access: Access) -> Result<i64, LedgerError> {
    let mut connection = place.connect(access).await?;
    schema::check_readable(&mut connection, place).await?;
    let (head, _) = chain::read_head(&mut connection).await.map_err(|error| place.refused(error))?;
    // It was only a look; the readers' connections are the pool's.
    let _ = connection.close().await;
    Ok(head.seq)
}

/// Asks a server now and then whether another process wrote, as long as anybody wants to know.
async fn follow(readers: AnyPool, last_seq: Arc<watch::Sender<i64>>) {
    loop {
        tokio::select! {
            () = last_seq.closed() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        if readers.is_closed() {
            return;
        }
        // A server that does not answer is noticed by whoever needs it; the next look may find it again.
        let seq = sqlx::query_scalar("SELECT seq FROM journal_head WHERE id = 1").fetch_one(&readers).await;
        if let Ok(seq) = seq {
            writer::announce(&last_seq, seq);
        }
    }
}
