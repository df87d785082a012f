//! One database transaction's worth of writes. What is asked for is first decided in memory, one request after
//! another over what was read under the journal's lock, so that a refused request leaves no trace and hurts no other;
//! then all that was granted is written with one statement for each table.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::AnyConnection;
use tokio::sync::oneshot;

use super::calendar::Calendar;
use super::chain::{Head, StoredRow, canonical};
use super::derived::{Derived, Effects, number_taken, storable};
use super::notifications::{self, Keep};
use super::place::Place;
use super::seal::{self, Resealed};
use super::sql::{self, Param};
use super::{Commit, LedgerError, StoredAnswer};
use crate::crypto::HmacSha256;
use crate::payment::{Payment, PaymentEvent, PaymentId, UnixMillis};

/// For how long a payment code that was sent is known again: longer than any provider's code lives.
const CODE_MEMORY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Something to be written.
pub(super) enum Request {
    /// Events of a payment.
    Commit(Box<Commit>),
    /// A row about no payment.
    Note(Note),
    /// A lease taken or renewed.
    Lease { payment: PaymentId, owner: String, now: UnixMillis, until: UnixMillis },
    /// Every other owner's lease freed.
    BreakLeases { owner: String },
    /// An account, a store or a till.
    Record(RecordChange),
    /// Every secret under another key.
    Reseal(Vec<Resealed>, Note),
    /// A provider's notification as it came.
    Keep(Box<Keep>),
}

/// A row about no payment.
#[derive(Clone)]
pub(super) struct Note {
    pub(super) at: UnixMillis,
    pub(super) actor: String,
    pub(super) kind: String,
    /// Canonical JSON.
    pub(super) payload: String,
}

/// Which table of people's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Accounts,
    Stores,
    Tills,
}

impl Table {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Stores => "stores",
            Self::Tills => "tills",
        }
    }
}

/// A record's document and its sealed part, in hex.
type SealedRecord = (String, String);

/// A record put or removed.
pub(super) struct RecordChange {
    pub(super) table: Table,
    pub(super) id: String,
    /// What to put. `None` removes, unless an unfinished payment uses it.
    pub(super) put: Option<SealedRecord>,
    pub(super) note: Note,
}

/// What a request came to.
#[derive(Debug)]
pub(super) enum Granted {
    /// The payment as it now stands.
    Payment(Box<Payment>),
    /// The row's sequence.
    Seq(i64),
    /// Whether it was done.
    Done(bool),
}

/// Where the answer goes.
pub(super) type Reply = oneshot::Sender<Result<Granted, LedgerError>>;

/// The keys and rules that a batch works by.
pub(super) struct Rules {
    pub(super) place: Place,
    pub(super) calendar: Calendar,
    pub(super) chain_key: HmacSha256,
}

/// Decides and writes. The transaction is the caller's.
pub(super) struct Batch<'a> {
    rules: &'a Rules,
    head: Head,
    rows: Vec<StoredRow>,
    derived: Derived,
    answers: HashMap<(String, String), StoredAnswer>,
    new_answers: Vec<(StoredAnswer, UnixMillis)>,
    notifications: HashSet<String>,
    new_notifications: Vec<(String, UnixMillis)>,
    numbers: HashSet<String>,
    codes: HashMap<String, UnixMillis>,
    leases: HashMap<PaymentId, (String, UnixMillis)>,
    leased: BTreeSet<PaymentId>,
    freed: BTreeSet<PaymentId>,
    sole_owners: Vec<String>,
    records: Vec<(Table, String, Option<SealedRecord>)>,
    resealed: Vec<Resealed>,
    busy_accounts: HashSet<String>,
    known_accounts: HashSet<String>,
    kept_before: HashSet<(String, String)>,
    kept: Vec<&'a Keep>,
}

impl<'a> Batch<'a> {
    /// Takes the journal's lock and decides every request. On an error the whole transaction must be rolled back.
    pub(super) async fn decide(
        connection: &mut AnyConnection,
        rules: &'a Rules,
        requests: &'a [Request],
    ) -> Result<(Self, Vec<Result<Granted, LedgerError>>), LedgerError> {
        let head = lock_head(connection).await.map_err(|error| rules.place.refused(error))?;
        let mut batch = Self {
            rules,
            head,
            rows: Vec::new(),
            derived: Derived::default(),
            answers: HashMap::new(),
            new_answers: Vec::new(),
            notifications: HashSet::new(),
            new_notifications: Vec::new(),
            numbers: HashSet::new(),
            codes: HashMap::new(),
            leases: HashMap::new(),
            leased: BTreeSet::new(),
            freed: BTreeSet::new(),
            sole_owners: Vec::new(),
            records: Vec::new(),
            resealed: Vec::new(),
            busy_accounts: HashSet::new(),
            known_accounts: HashSet::new(),
            kept_before: HashSet::new(),
            kept: Vec::new(),
        };
        let commits: Vec<_> = requests
            .iter()
            .filter_map(|request| if let Request::Commit(commit) = request { Some(commit.as_ref()) } else { None })
            .collect();
        let ids = commits.iter().map(|commit| commit.payment.as_str()).collect();
        batch.derived.load(connection, &rules.place, ids).await?;
        batch.load(connection, &commits, requests).await.map_err(|error| rules.place.refused(error))?;
        let mut granted = Vec::with_capacity(requests.len());
        for request in requests {
            granted.push(batch.grant(request));
        }
        Ok((batch, granted))
    }

    /// Reads what the requests have to be held against.
    async fn load(
        &mut self,
        connection: &mut AnyConnection,
        commits: &[&Commit],
        requests: &[Request],
    ) -> Result<(), sqlx::Error> {
        let keys: Vec<_> =
            commits.iter().filter_map(|commit| commit.answer.as_ref()).map(|answer| storable(&answer.key)).collect();
        let select = "SELECT scope, answer_key, digest, status, body FROM answers WHERE answer_key";
        for row in sql::query_in(connection, select, keys.iter().map(String::as_str).collect()).await? {
            let answer = read_answer(&row)?;
            self.answers.insert((answer.scope.clone(), answer.key.clone()), answer);
        }
        let heard: Vec<_> = commits.iter().filter_map(|commit| commit.notification.as_deref()).map(storable).collect();
        let select = "SELECT id FROM notifications WHERE id";
        for row in sql::query_in(connection, select, heard.iter().map(String::as_str).collect()).await? {
            self.notifications.insert(sql::text(&row, 0)?);
        }
        let (mut numbers, mut macs) = (Vec::new(), Vec::new());
        for event in commits.iter().flat_map(|commit| &commit.events) {
            if let PaymentEvent::AttemptStarted { out_trade_no, auth_code_mac, .. } = event {
                numbers.push(out_trade_no.as_str());
                macs.extend(auth_code_mac.as_deref());
            }
        }
        let select = "SELECT out_trade_no FROM attempts WHERE out_trade_no";
        for row in sql::query_in(connection, select, numbers).await? {
            self.numbers.insert(sql::text(&row, 0)?);
        }
        let select = "SELECT auth_code_mac, started_at FROM attempts WHERE auth_code_mac";
        for row in sql::query_in(connection, select, macs).await? {
            self.remember_code(sql::text(&row, 0)?, sql::int(&row, 1)?);
        }
        let leased = requests
            .iter()
            .filter_map(|request| match request {
                Request::Commit(commit) if commit.lease.is_some() => Some(commit.payment.as_str()),
                Request::Lease { payment, .. } => Some(payment.as_str()),
                _ => None,
            })
            .collect();
        let select = "SELECT payment, owner, until_at FROM leases WHERE payment";
        for row in sql::query_in(connection, select, leased).await? {
            if let Ok(payment) = sql::text(&row, 0)?.parse() {
                self.leases.insert(payment, (sql::text(&row, 1)?, sql::int(&row, 2)?));
            }
        }
        self.kept_before = notifications::load(connection, requests).await?;
        self.load_accounts(connection, requests).await
    }

    /// Which accounts that are to be removed exist, and which an unfinished payment uses.
    async fn load_accounts(&mut self, connection: &mut AnyConnection, requests: &[Request]) -> Result<(), sqlx::Error> {
        let removed: Vec<_> = requests
            .iter()
            .filter_map(|request| match request {
                Request::Record(RecordChange { id, put: None, .. }) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        for row in sql::query_in(connection, "SELECT id FROM accounts WHERE id", removed.clone()).await? {
            self.known_accounts.insert(sql::text(&row, 0)?);
        }
        let select = "SELECT DISTINCT attempts.account FROM attempts JOIN payments ON payments.id = attempts.payment \
                      WHERE payments.unfinished = 1 AND attempts.account";
        for row in sql::query_in(connection, select, removed).await? {
            self.busy_accounts.insert(sql::text(&row, 0)?);
        }
        Ok(())
    }

    fn remember_code(&mut self, mac: String, started_at: UnixMillis) {
        let latest = self.codes.entry(mac).or_insert(started_at);
        *latest = started_at.max(*latest);
    }

    fn grant(&mut self, request: &'a Request) -> Result<Granted, LedgerError> {
        match request {
            Request::Commit(commit) => self.grant_commit(commit),
            Request::Note(note) => Ok(Granted::Seq(self.note(note))),
            Request::Lease { payment, owner, now, until } => {
                let owner = storable(owner);
                if self.is_held(payment, &owner, *now) {
                    return Ok(Granted::Done(false));
                }
                self.lease(payment, owner, *until);
                Ok(Granted::Done(true))
            }
            Request::BreakLeases { owner } => {
                let owner = storable(owner);
                self.leases.retain(|_, (holder, _)| *holder == owner);
                self.sole_owners.push(owner);
                Ok(Granted::Done(true))
            }
            Request::Record(change) => Ok(Granted::Done(self.change_record(change))),
            Request::Reseal(resealed, note) => {
                self.resealed.extend_from_slice(resealed);
                self.note(note);
                Ok(Granted::Done(true))
            }
            Request::Keep(keep) => Ok(Granted::Done(self.keep(keep))),
        }
    }

    fn grant_commit(&mut self, commit: &Commit) -> Result<Granted, LedgerError> {
        if let Some(answer) = &commit.answer
            && let Some(stored) = self.answers.get(&(storable(&answer.scope), storable(&answer.key)))
        {
            return Err(if stored.digest == answer.digest {
                LedgerError::IdempotencyReplay(Box::new(stored.clone()))
            } else {
                LedgerError::IdempotencyMismatch
            });
        }
        let notification = commit.notification.as_deref().map(storable);
        if notification.as_ref().is_some_and(|id| self.notifications.contains(id)) {
            return Err(LedgerError::NotificationSeen);
        }
        if let Some((owner, _)) = &commit.lease
            && self.is_held(&commit.payment, &storable(owner), commit.at)
        {
            return Err(LedgerError::LeaseHeld);
        }
        let before = self.derived.payment(&commit.payment);
        match (before.map(|payment| payment.version), commit.expect) {
            (None, Some(_)) => return Err(LedgerError::NotFound),
            (found, expected) if found != expected => return Err(LedgerError::Conflict),
            _ => {}
        }
        let effects = Effects::of(&self.rules.calendar, before.cloned(), &commit.payment, commit.at, &commit.events)?;
        self.check_attempts(&effects, commit.at)?;
        let mut rows = Vec::with_capacity(commit.events.len());
        for event in &commit.events {
            let payload = serde_json::to_value(event).map_err(|error| LedgerError::Database(error.to_string()))?;
            rows.push((event.kind(), canonical(&payload)));
        }

        // From here on nothing is refused.
        for (kind, payload) in rows {
            self.append(commit.at, &commit.actor, kind, Some(&commit.payment), payload);
        }
        for attempt in &effects.attempts {
            self.numbers.insert(attempt.out_trade_no.to_string());
            if let Some(mac) = &attempt.auth_code_mac {
                self.remember_code(mac.clone(), commit.at);
            }
        }
        if let Some(answer) = &commit.answer {
            let answer = StoredAnswer { scope: storable(&answer.scope), key: storable(&answer.key), ..answer.clone() };
            self.answers.insert((answer.scope.clone(), answer.key.clone()), answer.clone());
            self.new_answers.push((answer, commit.at));
        }
        if let Some(id) = notification {
            self.notifications.insert(id.clone());
            self.new_notifications.push((id, commit.at));
        }
        if !effects.payment.is_unfinished() {
            self.leases.remove(&commit.payment);
            self.freed.insert(commit.payment.clone());
        } else if let Some((owner, until)) = &commit.lease {
            self.lease(&commit.payment, storable(owner), *until);
        }
        let payment = effects.payment.clone();
        self.derived.absorb(effects);
        Ok(Granted::Payment(Box::new(payment)))
    }

    fn check_attempts(&self, effects: &Effects, at: UnixMillis) -> Result<(), LedgerError> {
        let mut codes = HashSet::new();
        for attempt in &effects.attempts {
            if self.numbers.contains(attempt.out_trade_no.as_str()) {
                return Err(number_taken(effects));
            }
            if let Some(mac) = &attempt.auth_code_mac {
                let spent = self.codes.get(mac).is_some_and(|sent| *sent > at.saturating_sub(CODE_MEMORY_MS));
                if spent || !codes.insert(mac) {
                    return Err(LedgerError::CodeSpent);
                }
            }
        }
        Ok(())
    }

    fn is_held(&self, payment: &PaymentId, owner: &str, now: UnixMillis) -> bool {
        self.leases.get(payment).is_some_and(|(holder, until)| holder != owner && *until > now)
    }

    fn lease(&mut self, payment: &PaymentId, owner: String, until: UnixMillis) {
        self.leases.insert(payment.clone(), (owner, until));
        self.leased.insert(payment.clone());
    }

    fn change_record(&mut self, change: &RecordChange) -> bool {
        if change.put.is_none() {
            let in_use = self.busy_accounts.contains(&change.id)
                || self.derived.payments().any(|payment| {
                    payment.is_unfinished() && payment.attempts.iter().any(|one| one.account.as_str() == change.id)
                });
            if in_use || !self.known_accounts.remove(&change.id) {
                return false;
            }
        } else if change.table == Table::Accounts {
            self.known_accounts.insert(change.id.clone());
        }
        self.note(&change.note);
        self.records.push((change.table, change.id.clone(), change.put.clone()));
        true
    }

    fn keep(&mut self, keep: &'a Keep) -> bool {
        let new = self.kept_before.insert((keep.account.clone(), keep.digest.clone()));
        if let Some(notice) = keep.notice.as_ref().filter(|_| new) {
            self.note(notice);
        }
        self.kept.push(keep);
        new
    }

    fn note(&mut self, note: &Note) -> i64 {
        self.append(note.at, &note.actor, &note.kind, None, note.payload.clone())
    }

    fn append(&mut self, at: UnixMillis, actor: &str, kind: &str, payment: Option<&PaymentId>, payload: String) -> i64 {
        let mut row = StoredRow {
            seq: self.head.seq + 1,
            at,
            actor: storable(actor),
            kind: storable(kind),
            payment: payment.map(ToString::to_string),
            payload,
            prev: std::mem::take(&mut self.head.mac),
            mac: String::new(),
        };
        row.mac = row.mac(&self.rules.chain_key);
        self.head = Head { seq: row.seq, mac: row.mac.clone() };
        self.rows.push(row);
        self.head.seq
    }

    /// The journal's last sequence after this batch.
    pub(super) const fn last_seq(&self) -> i64 {
        self.head.seq
    }

    /// Whether nothing was granted that has to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.new_answers.is_empty()
            && self.new_notifications.is_empty()
            && self.leased.is_empty()
            && self.sole_owners.is_empty()
            && self.kept.is_empty()
    }

    /// Writes all that was granted.
    pub(super) async fn write(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                [
                    Param::Int(row.seq),
                    Param::Int(row.at),
                    Param::Text(&row.actor),
                    Param::Text(&row.kind),
                    Param::Maybe(row.payment.as_deref()),
                    Param::Text(&row.payload),
                    Param::Text(&row.prev),
                    Param::Text(&row.mac),
                ]
            })
            .collect();
        sql::insert(connection, &format!("journal ({})", StoredRow::COLUMNS), rows, "").await?;
        self.derived.write(connection, &self.rules.calendar).await?;
        self.write_heard(connection).await?;
        self.write_leases(connection).await?;
        notifications::write(connection, &self.kept).await?;
        for (table, id, put) in &self.records {
            let table = table.name();
            match put {
                Some((doc, sealed)) => {
                    let row = [Param::Text(id), Param::Text(doc), Param::Text(sealed)];
                    let then = "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, sealed = excluded.sealed";
                    sql::insert(connection, &format!("{table} (id, doc, sealed)"), vec![row], then).await?;
                }
                None => {
                    let delete = format!("DELETE FROM {table} WHERE id = $1");
                    sql::execute(connection, &delete, [Param::Text(id)]).await?;
                }
            }
        }
        seal::write(connection, &self.resealed).await?;
        if self.rows.is_empty() {
            return Ok(());
        }
        let seal = self.head.seal(&self.rules.chain_key);
        let head = [Param::Int(self.head.seq), Param::Text(&self.head.mac), Param::Text(&seal)];
        sql::execute(connection, "UPDATE journal_head SET seq = $1, mac = $2, seal = $3 WHERE id = 1", head).await?;
        Ok(())
    }

    async fn write_heard(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let digests: Vec<_> = self.new_answers.iter().map(|(answer, _)| hex::encode(answer.digest)).collect();
        let answers: Vec<_> = self
            .new_answers
            .iter()
            .zip(&digests)
            .map(|((answer, at), digest)| {
                [
                    Param::Text(&answer.scope),
                    Param::Text(&answer.key),
                    Param::Text(digest),
                    Param::Int(answer.status.into()),
                    Param::Text(&answer.body),
                    Param::Int(*at),
                ]
            })
            .collect();
        sql::insert(connection, "answers (scope, answer_key, digest, status, body, at)", answers, "").await?;
        let heard = self.new_notifications.iter().map(|(id, at)| [Param::Text(id), Param::Int(*at)]).collect();
        sql::insert(connection, "notifications (id, at)", heard, "").await
    }

    async fn write_leases(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for owner in &self.sole_owners {
            sql::execute(connection, "DELETE FROM leases WHERE owner <> $1", [Param::Text(owner)]).await?;
        }
        let freed = self.freed.iter().map(PaymentId::as_str).collect();
        sql::query_in(connection, "DELETE FROM leases WHERE payment", freed).await?;
        let leases = self
            .leased
            .iter()
            .filter_map(|payment| self.leases.get(payment).map(|lease| (payment, lease)))
            .map(|(payment, (owner, until))| [Param::Text(payment.as_str()), Param::Text(owner), Param::Int(*until)])
            .collect();
        let then = "ON CONFLICT (payment) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at";
        sql::insert(connection, "leases (payment, owner, until_at)", leases, then).await
    }
}

/// Takes the journal's lock until the transaction ends (PostgreSQL locks the row, SQLite is locked already) and tells
/// where the journal ends.
pub(super) async fn lock_head(connection: &mut AnyConnection) -> Result<Head, sqlx::Error> {
    let row =
        sqlx::query("UPDATE journal_head SET seq = seq WHERE id = 1 RETURNING seq, mac").fetch_one(connection).await?;
    Ok(Head { seq: sql::int(&row, 0)?, mac: sql::text(&row, 1)? })
}

/// An answer from `scope, answer_key, digest, status, body`.
pub(super) fn read_answer(row: &sqlx::any::AnyRow) -> Result<StoredAnswer, sqlx::Error> {
    let mut digest = [0; 32];
    hex::decode_to_slice(sql::text(row, 2)?, &mut digest).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(StoredAnswer {
        scope: sql::text(row, 0)?,
        key: sql::text(row, 1)?,
        digest,
        status: u16::try_from(sql::int(row, 3)?).map_err(|error| sqlx::Error::Decode(error.into()))?,
        body: sql::text(row, 4)?,
    })
}
