//! The one writer: takes every waiting write into one database transaction, so that many tills share one disk write.

use std::sync::Arc;

use sqlx::{AnyConnection, Connection, Executor, Row};
use tokio::sync::{mpsc, oneshot, watch};

use super::journal::{self, Entry, Head, canonical, row_of};
use super::store::{FileLock, Place};
use super::takings::{self, Calendar};
use super::{Commit, LedgerError, StoredAnswer};
use crate::crypto::HmacSha256;
use crate::payment::{Payment, PaymentEvent, PaymentId, UnixMillis};

/// Writes that share a transaction at the most.
const BATCH: usize = 64;
/// Writes that may wait; callers past that wait to be let in.
pub(super) const QUEUE: usize = 1024;
/// How long a spent payment code is known again. Providers renew theirs each minute, and digits come back in time.
const SPENT_FOR_MS: i64 = 24 * 3_600 * 1_000;

/// A row of a registry, to be written or removed with a note about it.
pub(super) struct Registry {
    pub table: Table,
    pub id: String,
    /// Sealed, or a name; `None` removes.
    pub value: Option<String>,
    pub note: Note,
}

#[derive(Clone, Copy)]
pub(super) enum Table {
    Accounts,
    Stores,
    Tills,
}

pub(super) struct Note {
    pub at: UnixMillis,
    pub actor: String,
    pub kind: String,
    pub payload: serde_json::Value,
}

pub(super) enum Job {
    Commit(Box<Commit>, oneshot::Sender<Result<Payment, LedgerError>>),
    Note(Note, oneshot::Sender<Result<i64, LedgerError>>),
    Registry(Registry, oneshot::Sender<Result<bool, LedgerError>>),
    Lease {
        id: PaymentId,
        owner: String,
        now: UnixMillis,
        until: UnixMillis,
        reply: oneshot::Sender<Result<bool, LedgerError>>,
    },
    BreakLeases {
        owner: String,
        reply: oneshot::Sender<Result<(), LedgerError>>,
    },
    Rebuild(oneshot::Sender<Result<u64, LedgerError>>),
    Close(oneshot::Sender<()>),
}

/// What a job came to, kept back until the transaction is durable.
enum Done {
    Payment(Result<Payment, LedgerError>),
    Seq(i64),
    Flag(bool),
    Nothing,
    Rows(u64),
}

/// Why a job was not written.
enum Stop {
    /// It is refused; the rest of the batch goes on.
    Refused(LedgerError),
    /// The database failed; the whole batch is undone.
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Refused(error)
    }
}

pub(super) struct Writer {
    pub place: Place,
    pub key: Arc<HmacSha256>,
    pub calendar: Calendar,
    pub watch: watch::Sender<i64>,
    pub connection: Option<AnyConnection>,
    pub lock: FileLock,
}

impl Writer {
    /// Works until [`Job::Close`] or until every [`super::Ledger`] is gone.
    pub async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(next) = jobs.try_recv()
            {
                batch.push(next);
            }
            let mut closing = Vec::new();
            let mut work = Vec::with_capacity(batch.len());
            for job in batch {
                match job {
                    Job::Close(reply) => closing.push(reply),
                    other => work.push(other),
                }
            }
            if !work.is_empty() {
                self.write(work).await;
            }
            if !closing.is_empty() {
                if let Some(connection) = self.connection.take() {
                    let _ = connection.close().await;
                }
                drop(self.lock.take());
                for reply in closing {
                    let _ = reply.send(());
                }
                return;
            }
        }
    }

    async fn write(&mut self, jobs: Vec<Job>) {
        match self.transact(&jobs).await {
            Ok((done, seq)) => {
                self.watch.send_if_modified(|last| {
                    let moved = seq > *last;
                    *last = seq.max(*last);
                    moved
                });
                for (job, done) in jobs.into_iter().zip(done) {
                    reply(job, Ok(done));
                }
            }
            Err(error) => {
                // The connection may be what failed; the next write gets a new one.
                if let Some(mut connection) = self.connection.take() {
                    let _ = connection.execute("ROLLBACK").await;
                    let _ = connection.close().await;
                }
                for job in jobs {
                    reply(job, Err(self.place.error(&error)));
                }
            }
        }
    }

    /// All of the batch in one transaction. Durable when it returns.
    async fn transact(&mut self, jobs: &[Job]) -> Result<(Vec<Done>, i64), sqlx::Error> {
        if self.connection.is_none() {
            let fresh = self.place.connect().await;
            self.connection = Some(fresh.map_err(|error| sqlx::Error::Protocol(error.to_string()))?);
        }
        let Some(connection) = self.connection.as_mut() else { return Err(sqlx::Error::PoolClosed) };
        connection.execute(self.place.begin()).await?;
        // Takes the head's row lock, so that processes that share a PostgreSQL server write one after another.
        connection.execute("UPDATE journal_head SET seq = seq WHERE id = 1").await?;
        let row = sqlx::query("SELECT seq, mac FROM journal_head WHERE id = 1").fetch_one(&mut *connection).await?;
        let first = Head { seq: row.try_get("seq")?, mac: row.try_get("mac")? };
        let mut head = first.clone();
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            let before = head.clone();
            connection.execute("SAVEPOINT job").await?;
            let mut desk =
                Desk { connection: &mut *connection, key: &self.key, calendar: &self.calendar, head: &mut head };
            match desk.work(job).await {
                Ok(outcome) => {
                    connection.execute("RELEASE SAVEPOINT job").await?;
                    done.push(outcome);
                }
                Err(Stop::Refused(error)) => {
                    connection.execute("ROLLBACK TO SAVEPOINT job").await?;
                    connection.execute("RELEASE SAVEPOINT job").await?;
                    head = before;
                    done.push(Done::Payment(Err(error)));
                }
                Err(Stop::Broken(error)) => return Err(error),
            }
        }
        if head != first {
            sqlx::query("UPDATE journal_head SET seq = $1, mac = $2 WHERE id = 1")
                .bind(head.seq)
                .bind(head.mac.as_str())
                .execute(&mut *connection)
                .await?;
        }
        connection.execute("COMMIT").await?;
        Ok((done, head.seq))
    }
}

fn reply(job: Job, outcome: Result<Done, LedgerError>) {
    // A caller that no longer waits is no matter: what was written is written.
    match (job, outcome) {
        (Job::Commit(_, reply), Ok(Done::Payment(result))) => drop(reply.send(result)),
        (Job::Commit(_, reply), Err(error)) => drop(reply.send(Err(error))),
        (Job::Note(_, reply), Ok(Done::Seq(seq))) => drop(reply.send(Ok(seq))),
        (Job::Note(_, reply), Err(error) | Ok(Done::Payment(Err(error)))) => drop(reply.send(Err(error))),
        (Job::Registry(_, reply) | Job::Lease { reply, .. }, Ok(Done::Flag(flag))) => drop(reply.send(Ok(flag))),
        (Job::Registry(_, reply) | Job::Lease { reply, .. }, Err(error) | Ok(Done::Payment(Err(error)))) => {
            drop(reply.send(Err(error)));
        }
        (Job::BreakLeases { reply, .. }, Err(error) | Ok(Done::Payment(Err(error)))) => drop(reply.send(Err(error))),
        (Job::BreakLeases { reply, .. }, Ok(_)) => drop(reply.send(Ok(()))),
        (Job::Rebuild(reply), Ok(Done::Rows(rows))) => drop(reply.send(Ok(rows))),
        (Job::Rebuild(reply), Err(error) | Ok(Done::Payment(Err(error)))) => drop(reply.send(Err(error))),
        // A caller whose sender is dropped is told that the books are closed.
        (_, Ok(_)) | (Job::Close(_), Err(_)) => {}
    }
}

/// One job inside the transaction.
struct Desk<'a> {
    connection: &'a mut AnyConnection,
    key: &'a HmacSha256,
    calendar: &'a Calendar,
    head: &'a mut Head,
}

impl Desk<'_> {
    async fn work(&mut self, job: &Job) -> Result<Done, Stop> {
        match job {
            Job::Commit(commit, _) => Ok(Done::Payment(Ok(self.commit(commit).await?))),
            Job::Note(note, _) => Ok(Done::Seq(self.note(note).await?)),
            Job::Registry(change, _) => Ok(Done::Flag(self.registry(change).await?)),
            Job::Lease { id, owner, now, until, .. } => Ok(Done::Flag(self.lease(id, owner, *now, *until).await?)),
            Job::BreakLeases { owner, .. } => {
                sqlx::query("UPDATE payments SET lease_owner = NULL, lease_until = 0 WHERE lease_owner <> $1")
                    .bind(owner.as_str())
                    .execute(&mut *self.connection)
                    .await?;
                Ok(Done::Nothing)
            }
            Job::Rebuild(_) => Ok(Done::Rows(self.rebuild().await?)),
            Job::Close(_) => Ok(Done::Nothing),
        }
    }

    async fn commit(&mut self, commit: &Commit) -> Result<Payment, Stop> {
        if let Some(answer) = &commit.answer {
            self.answer(answer).await?;
        }
        if let Some(id) = &commit.notification {
            let seen = sqlx::query("INSERT INTO notifications (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
                .bind(id.as_str())
                .bind(commit.at)
                .execute(&mut *self.connection)
                .await?;
            if seen.rows_affected() == 0 {
                return Err(LedgerError::NotificationSeen.into());
            }
        }
        let mut payment = self.load(&commit.payment).await?;
        let mut lease = None;
        match (&payment, commit.expect) {
            (None, None) => {}
            (None, Some(_)) => return Err(LedgerError::NotFound.into()),
            (Some((held, owner, until)), Some(expected)) if held.version == expected => {
                if let (Some((wanted, _)), Some(owner)) = (&commit.lease, owner)
                    && owner != wanted
                    && *until > commit.at
                {
                    return Err(LedgerError::LeaseHeld.into());
                }
                lease = owner.clone().map(|owner| (owner, *until));
            }
            (Some(_), _) => return Err(LedgerError::Conflict.into()),
        }
        let mut now = payment.take().map(|(payment, ..)| payment);
        for event in &commit.events {
            self.spent(commit.at, event).await?;
            let after = match now.take() {
                None => Payment::create(commit.payment.clone(), commit.at, event).map_err(LedgerError::from)?,
                Some(mut held) => {
                    held.apply(commit.at, event).map_err(LedgerError::from)?;
                    held
                }
            };
            let payload = serde_json::to_value(event).map_err(|error| LedgerError::Database(error.to_string()))?;
            let entry = Entry {
                at: commit.at,
                actor: &commit.actor,
                kind: event.kind(),
                payment: Some(&commit.payment),
                payload: canonical(&payload),
            };
            journal::append(self.connection, self.key, self.head, &entry).await?;
            self.derive(commit.at, &after, event).await?;
            now = Some(after);
        }
        let Some(now) = now else { return Err(LedgerError::NotFound.into()) };
        let lease = commit.lease.clone().or(lease);
        self.put_payment(&now, lease.as_ref()).await?;
        Ok(now)
    }

    async fn answer(&mut self, answer: &StoredAnswer) -> Result<(), Stop> {
        let row = sqlx::query("SELECT digest, status, body FROM answers WHERE scope = $1 AND idempotency_key = $2")
            .bind(answer.scope.as_str())
            .bind(answer.key.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        if let Some(row) = row {
            let digest: String = row.try_get("digest")?;
            if digest != hex::encode(answer.digest) {
                return Err(LedgerError::IdempotencyMismatch.into());
            }
            let status: i64 = row.try_get("status")?;
            let stored = StoredAnswer {
                status: u16::try_from(status).unwrap_or(200),
                body: row.try_get("body")?,
                ..answer.clone()
            };
            return Err(LedgerError::IdempotencyReplay(Box::new(stored)).into());
        }
        sqlx::query("INSERT INTO answers (scope, idempotency_key, digest, status, body) VALUES ($1, $2, $3, $4, $5)")
            .bind(answer.scope.as_str())
            .bind(answer.key.as_str())
            .bind(hex::encode(answer.digest))
            .bind(i64::from(answer.status))
            .bind(answer.body.as_str())
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn load(&mut self, id: &PaymentId) -> Result<Option<(Payment, Option<String>, i64)>, Stop> {
        let row = sqlx::query("SELECT doc, lease_owner, lease_until FROM payments WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&mut *self.connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let doc: String = row.try_get("doc")?;
        let payment = serde_json::from_str(&doc).map_err(|error| LedgerError::Database(error.to_string()))?;
        Ok(Some((payment, row.try_get("lease_owner")?, row.try_get("lease_until")?)))
    }

    /// Refuses an attempt with a payment code that was sent before.
    async fn spent(&mut self, at: UnixMillis, event: &PaymentEvent) -> Result<(), Stop> {
        let PaymentEvent::AttemptStarted { auth_code_mac: Some(mac), .. } = event else { return Ok(()) };
        let row = sqlx::query("SELECT COUNT(*) FROM attempts WHERE auth_code_mac = $1 AND started_at > $2")
            .bind(mac.as_str())
            .bind(at - SPENT_FOR_MS)
            .fetch_one(&mut *self.connection)
            .await?;
        let count: i64 = row.try_get(0)?;
        if count > 0 { Err(LedgerError::CodeSpent.into()) } else { Ok(()) }
    }

    /// What an event adds to the derived tables beside the payment itself.
    async fn derive(&mut self, at: UnixMillis, payment: &Payment, event: &PaymentEvent) -> Result<(), sqlx::Error> {
        if let PaymentEvent::AttemptStarted { out_trade_no, auth_code_mac, .. } = event {
            sqlx::query(
                "INSERT INTO attempts (out_trade_no, payment, started_at, auth_code_mac) VALUES ($1, $2, $3, $4)",
            )
            .bind(out_trade_no.as_str())
            .bind(payment.id.as_str())
            .bind(at)
            .bind(auth_code_mac.as_deref())
            .execute(&mut *self.connection)
            .await?;
        }
        takings::add(self.connection, self.calendar, at, payment, event).await
    }

    async fn put_payment(&mut self, payment: &Payment, lease: Option<&(String, UnixMillis)>) -> Result<(), Stop> {
        let doc = serde_json::to_string(payment).map_err(|error| LedgerError::Database(error.to_string()))?;
        sqlx::query(
            "INSERT INTO payments (id, version, state, store, till, channel, training, business_day, unfinished, lease_owner, lease_until, doc) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, state = excluded.state, channel = excluded.channel, \
             unfinished = excluded.unfinished, lease_owner = excluded.lease_owner, lease_until = excluded.lease_until, doc = excluded.doc",
        )
        .bind(payment.id.as_str())
        .bind(i64::try_from(payment.version).unwrap_or(i64::MAX))
        .bind(payment.state.name())
        .bind(payment.store.as_str())
        .bind(payment.till.as_str())
        .bind(payment.channel().map(|channel| channel.as_str()))
        .bind(i64::from(payment.training))
        .bind(self.calendar.place(payment.created_at).0.to_string())
        .bind(i64::from(payment.is_unfinished()))
        .bind(lease.map(|(owner, _)| owner.as_str()))
        .bind(lease.map_or(0, |(_, until)| *until))
        .bind(doc)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn note(&mut self, note: &Note) -> Result<i64, sqlx::Error> {
        let entry = Entry {
            at: note.at,
            actor: &note.actor,
            kind: &note.kind,
            payment: None,
            payload: canonical(&note.payload),
        };
        journal::append(self.connection, self.key, self.head, &entry).await
    }

    async fn registry(&mut self, change: &Registry) -> Result<bool, Stop> {
        let statement = match (change.table, &change.value) {
            (Table::Accounts, Some(_)) => {
                "INSERT INTO accounts (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed"
            }
            (Table::Tills, Some(_)) => {
                "INSERT INTO tills (id, sealed) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed"
            }
            (Table::Stores, Some(_)) => {
                "INSERT INTO stores (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name"
            }
            (Table::Accounts, None) => "DELETE FROM accounts WHERE id = $1",
            (Table::Tills, None) => "DELETE FROM tills WHERE id = $1",
            (Table::Stores, None) => "DELETE FROM stores WHERE id = $1",
        };
        let mut query = sqlx::query(statement).bind(change.id.as_str());
        if let Some(value) = &change.value {
            query = query.bind(value.as_str());
        }
        let moved = query.execute(&mut *self.connection).await?.rows_affected() > 0;
        if moved {
            self.note(&change.note).await?;
        }
        Ok(moved)
    }

    async fn lease(&mut self, id: &PaymentId, owner: &str, now: UnixMillis, until: UnixMillis) -> Result<bool, Stop> {
        let taken = sqlx::query(
            "UPDATE payments SET lease_owner = $1, lease_until = $2 \
             WHERE id = $3 AND (lease_owner IS NULL OR lease_owner = $1 OR lease_until <= $4)",
        )
        .bind(owner)
        .bind(until)
        .bind(id.as_str())
        .bind(now)
        .execute(&mut *self.connection)
        .await?;
        Ok(taken.rows_affected() > 0)
    }

    /// The derived tables anew, from the journal alone. Leases are dropped: whoever acts takes them again.
    async fn rebuild(&mut self) -> Result<u64, Stop> {
        for table in ["DELETE FROM takings", "DELETE FROM attempts", "DELETE FROM payments"] {
            self.connection.execute(table).await?;
        }
        let mut rows = 0_u64;
        let mut after = 0_i64;
        loop {
            let page = sqlx::query(
                "SELECT seq, at, actor, kind, payment, payload FROM journal WHERE seq > $1 ORDER BY seq LIMIT 500",
            )
            .bind(after)
            .fetch_all(&mut *self.connection)
            .await?;
            if page.is_empty() {
                return Ok(rows);
            }
            for row in &page {
                let row = row_of(row)?;
                after = row.seq;
                rows += 1;
                let Some(id) = &row.payment else { continue };
                let event: PaymentEvent =
                    serde_json::from_value(row.payload).map_err(|error| LedgerError::Database(error.to_string()))?;
                let payment = match self.load(id).await? {
                    None => Payment::create(id.clone(), row.at, &event).map_err(LedgerError::from)?,
                    Some((mut payment, ..)) => {
                        payment.apply(row.at, &event).map_err(LedgerError::from)?;
                        payment
                    }
                };
                self.derive(row.at, &payment, &event).await?;
                self.put_payment(&payment, None).await?;
            }
        }
    }
}
