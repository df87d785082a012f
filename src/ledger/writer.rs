//! The one task that writes. Requests wait in a queue; the task takes all that wait, up to a bound, into one database
//! transaction, so that many tills share the cost of one durable commit.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Connection};
use tokio::sync::{mpsc, oneshot, watch};

use super::batch::{Batch, Granted, Reply, Request, Rules};
use super::batch_sql::lock_head;
use super::chain::{Walk, read_head};
use super::derived::{load_payments, replay};
use super::found::{Found, Wanted};
use super::place::{Access, Place};
use super::{BrokenRow, LedgerError, sql};

/// How many requests one transaction takes at most.
const BATCH: usize = 64;
/// How many requests may wait before callers wait to ask.
pub(super) const QUEUE: usize = 1_024;
/// How long a server may take over one transaction before the connection is given up.
const SERVER_TIME: Duration = Duration::from_secs(20);

/// What the task is asked.
pub(super) enum Job {
    /// To write.
    Write(Request, Reply),
    /// To make the derived tables anew.
    Rebuild(oneshot::Sender<Result<u64, LedgerError>>),
    /// To finish what is queued and end.
    Close(oneshot::Sender<()>),
}

/// The task's own things.
pub(super) struct Writer {
    pub(super) rules: Arc<Rules>,
    pub(super) connection: Option<AnyConnection>,
    pub(super) last_seq: Arc<watch::Sender<i64>>,
    /// Held as long as the task lives: SQLite's one writer.
    pub(super) lock: Option<File>,
}

impl Writer {
    /// Works until every sender is gone or it is told to close.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let (mut requests, mut replies) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
            for job in std::mem::take(&mut jobs) {
                match job {
                    Job::Write(request, reply) => {
                        requests.push(request);
                        replies.push(reply);
                    }
                    Job::Rebuild(reply) => {
                        self.write(std::mem::take(&mut requests), std::mem::take(&mut replies)).await;
                        // Whoever asked may have gone; then nobody needs the answer.
                        let _ = reply.send(self.rebuild().await);
                    }
                    Job::Close(reply) => {
                        queue.close();
                        closing.push(reply);
                    }
                }
            }
            self.write(requests, replies).await;
        }
        if let Some(connection) = self.connection.take() {
            // Everything is durable already; a connection that does not part well changes nothing.
            let _ = connection.close().await;
        }
        drop(self.lock.take());
        for reply in closing {
            let _ = reply.send(());
        }
    }

    /// Writes the requests together and answers each.
    async fn write(&mut self, requests: Vec<Request>, replies: Vec<Reply>) {
        if requests.is_empty() {
            return;
        }
        match self.transact(&requests).await {
            Ok(outcomes) => {
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    let _ = reply.send(outcome);
                }
            }
            // The database refused something that one of them brought: the others shall not suffer for it.
            Err(LedgerError::Database(_)) if requests.len() > 1 => {
                for (request, reply) in requests.into_iter().zip(replies) {
                    let outcome = self.transact(&[request]).await.map(|mut outcomes| outcomes.pop());
                    let _ = reply.send(match outcome {
                        Ok(Some(outcome)) => outcome,
                        Ok(None) => Err(LedgerError::Database("it was not answered".to_owned())),
                        Err(error) => Err(error),
                    });
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// One transaction.
    pub(super) async fn transact(
        &mut self,
        requests: &[Request],
    ) -> Result<Vec<Result<Granted, LedgerError>>, LedgerError> {
        let rules = Arc::clone(&self.rules);
        let place = &rules.place;
        if let Place::Memory(disk) = place {
            return disk.transact(&rules, requests).await;
        }
        let mut connection = self.ready_connection().await?;
        let work = async {
            let refused = |error| place.refused(error);
            let mut transaction = connection.begin_with(place.begin_write()).await.map_err(refused)?;
            let found = Found::read(&mut transaction, place, Wanted::by(requests)).await?;
            let (batch, outcomes) = Batch::decide(&rules, found, requests);
            if batch.is_empty() {
                transaction.rollback().await.map_err(refused)?;
            } else {
                batch.write(&mut transaction).await.map_err(refused)?;
                transaction.commit().await.map_err(refused)?;
            }
            Ok((batch.last_seq(), outcomes))
        };
        let done = if place.is_postgres() {
            tokio::time::timeout(SERVER_TIME, work)
                .await
                .unwrap_or_else(|_| Err(place.unreachable(format!("no answer within {} s", SERVER_TIME.as_secs()))))
        } else {
            work.await
        };
        if !matches!(done, Err(LedgerError::Unreachable { .. })) {
            self.connection = Some(connection);
        }
        let (last_seq, outcomes) = done?;
        announce(&self.last_seq, last_seq);
        Ok(outcomes)
    }

    /// The connection, made again where it broke since.
    async fn ready_connection(&mut self) -> Result<AnyConnection, LedgerError> {
        let place = &self.rules.place;
        if let Some(mut connection) = self.connection.take() {
            if !place.is_postgres() {
                return Ok(connection);
            }
            if let Ok(Ok(())) = tokio::time::timeout(SERVER_TIME, connection.ping()).await {
                return Ok(connection);
            }
        }
        place.connect(Access::Write).await
    }

    /// Makes the derived tables anew, and tells how many rows of the journal they were made from.
    async fn rebuild(&mut self) -> Result<u64, LedgerError> {
        let rules = Arc::clone(&self.rules);
        if let Place::Memory(disk) = &rules.place {
            return disk.rebuild(&rules).await;
        }
        let mut connection = self.ready_connection().await?;
        let rebuilt = rebuild(&mut connection, &rules).await;
        if !matches!(rebuilt, Err(LedgerError::Unreachable { .. })) {
            self.connection = Some(connection);
        }
        rebuilt
    }
}

/// Tells a new end of the journal, never an older one.
pub(super) fn announce(last_seq: &watch::Sender<i64>, seq: i64) {
    last_seq.send_if_modified(|known| {
        let newer = seq > *known;
        *known = seq.max(*known);
        newer
    });
}

async fn rebuild(connection: &mut AnyConnection, rules: &Rules) -> Result<u64, LedgerError> {
    let place = &rules.place;
    let refused = |error| place.refused(error);
    let mut transaction = connection.begin_with(place.begin_write()).await.map_err(refused)?;
    lock_head(&mut transaction).await.map_err(refused)?;
    for table in ["payments", "attempts", "refunds", "takings"] {
        sql::execute(&mut transaction, &format!("DELETE FROM {table}"), []).await.map_err(refused)?;
    }
    let broken = |broken: BrokenRow| {
        LedgerError::Database(format!(
            "row {} of the journal is damaged: {}. Nothing was changed",
            broken.seq, broken.why
        ))
    };
    let mut walk = Walk::new();
    loop {
        let rows = walk.step(&mut transaction, &rules.chain_key).await.map_err(refused)?.map_err(broken)?;
        if rows.is_empty() {
            break;
        }
        let ids = rows.iter().filter_map(|row| row.payment.as_deref()).collect();
        let payments = load_payments(&mut transaction, place, ids).await?;
        let derived = replay(&rules.calendar, payments, rows)?;
        derived.write(&mut transaction, &rules.calendar).await.map_err(refused)?;
    }
    let (head, seal) = read_head(&mut transaction).await.map_err(refused)?;
    if let Some(found) = walk.end(&head, &seal, &rules.chain_key) {
        return Err(broken(found));
    }
    transaction.commit().await.map_err(refused)?;
    Ok(walk.rows())
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;
    use zeroize::Zeroizing;

    use super::super::batch::Note;
    use super::super::calendar::Calendar;
    use super::super::place::Place;
    use super::super::{BusinessCalendar, Ledger, LedgerConfig, schema};
    use super::*;
    use crate::crypto::HmacSha256;

    fn note(size: usize) -> Request {
        let payload = format!(r#"{{"text":"{}"}}"#, "x".repeat(size));
        Request::Note(Note { at: 1, actor: "test".to_owned(), kind: "kept".to_owned(), payload })
    }

    #[tokio::test]
    async fn a_full_disk_is_named_loses_nothing_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("books.db").display());
        let place = Place::parse(&url).unwrap();
        let lock = place.prepare_to_write().unwrap();
        let mut connection = place.connect(Access::Write).await.unwrap();
        schema::migrate(&mut connection, &place).await.unwrap();
        // SQLite says of a full disk and of a file that may not grow the same: SQLITE_FULL.
        let row = connection.fetch_one("PRAGMA page_count").await.unwrap();
        let pages = sql::int(&row, 0).unwrap();
        connection.execute(format!("PRAGMA max_page_count = {}", pages + 8).as_str()).await.unwrap();
        let calendar = BusinessCalendar { time_zone: Some("UTC".to_owned()), cutover_hour: 0 };
        let rules = Arc::new(Rules {
            place,
            calendar: Calendar::new(&calendar).unwrap(),
            chain_key: HmacSha256::new(&[7; 32]),
        });
        let last_seq = Arc::new(watch::channel(0).0);
        let mut writer = Writer { rules, connection: Some(connection), last_seq, lock };

        writer.transact(&[note(10)]).await.unwrap();
        let error = writer.transact(&[note(10), note(200_000)]).await.unwrap_err();
        assert!(matches!(error, LedgerError::DiskFull { .. }), "{error:?}");
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(*writer.last_seq.borrow(), 1);
        writer.transact(&[note(20)]).await.unwrap();
        let connection = writer.connection.as_mut().unwrap();
        connection.execute("PRAGMA max_page_count = 1000000").await.unwrap();
        writer.transact(&[note(200_000)]).await.unwrap();
        drop(writer);

        let config = LedgerConfig {
            url,
            chain_key: Zeroizing::new([7; 32]),
            seal_key: Zeroizing::new([9; 32]),
            calendar,
            read_only: true,
        };
        let found = Ledger::open(config).await.unwrap().verify().await.unwrap();
        assert_eq!((found.rows, found.broken), (3, None));
    }

    #[tokio::test]
    async fn the_writer_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::parse(&format!("sqlite:{}", folder.path().join("books.db").display())).unwrap();
        let _lock = place.prepare_to_write().unwrap();
        let mut connection = place.connect(Access::Write).await.unwrap();
        let row = connection.fetch_one("PRAGMA synchronous").await.unwrap();
        assert_eq!(sql::int(&row, 0).unwrap(), 2, "FULL");
        let row = connection.fetch_one("PRAGMA foreign_keys").await.unwrap();
        assert_eq!(sql::int(&row, 0).unwrap(), 1);
    }
}
