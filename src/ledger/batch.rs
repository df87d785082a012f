//! One transaction's worth of writes. What is asked for is decided in memory, one request after another over what was
//! [found](Found) under the journal's lock, so that a refused request leaves no trace and hurts no other; then all that
//! was granted is written at once. Pure: reading and writing are the business of whoever keeps the books.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio::sync::oneshot;

use super::calendar::Calendar;
use super::chain::{Head, StoredRow, canonical};
use super::derived::{Derived, Effects, number_taken, storable};
use super::found::{Found, Lease};
use super::notifications::Keep;
use super::place::Place;
use super::seal::Resealed;
use super::{Commit, LedgerError, StoredAnswer};
use crate::crypto::HmacSha256;
use crate::payment::{Payment, PaymentId, UnixMillis};

/// For how long a payment code that was sent is known again: longer than any provider's code lives.
const CODE_MEMORY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What ids of spent nonces begin with. No account's notification has such an id: theirs begin with the account's own.
pub(super) const NONCE: &str = "nonce:";

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
    /// An account, a store, a till, an operator or a key.
    Record(RecordChange),
    /// Every secret under another key.
    Reseal(Vec<Resealed>, Note),
    /// A provider's notification as it came.
    Keep(Box<Keep>),
    /// Something that counts once: its id, and when it came.
    Once(String, UnixMillis),
    /// Nonces spent before a time forgotten.
    ForgetNonces(UnixMillis),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Accounts,
    Stores,
    Tills,
    Operators,
    SessionKeys,
}

impl Table {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Stores => "stores",
            Self::Tills => "tills",
            Self::Operators => "operators",
            Self::SessionKeys => "session_keys",
        }
    }
}

/// A record's document and its sealed part, in hex.
pub(super) type SealedRecord = (String, String);

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

/// What was decided, and what has to be written of it.
pub(super) struct Batch<'a> {
    rules: &'a Rules,
    pub(super) head: Head,
    pub(super) rows: Vec<StoredRow>,
    pub(super) derived: Derived,
    answers: HashMap<(String, String), StoredAnswer>,
    pub(super) new_answers: Vec<(StoredAnswer, UnixMillis)>,
    notifications: HashSet<String>,
    pub(super) new_notifications: Vec<(String, UnixMillis)>,
    /// Nonces spent before are forgotten.
    pub(super) nonces_until: Option<UnixMillis>,
    numbers: HashSet<String>,
    codes: HashMap<String, UnixMillis>,
    leases: HashMap<PaymentId, Lease>,
    leased: BTreeSet<PaymentId>,
    pub(super) freed: BTreeSet<PaymentId>,
    pub(super) sole_owners: Vec<String>,
    pub(super) records: Vec<(Table, String, Option<SealedRecord>)>,
    pub(super) resealed: Vec<Resealed>,
    busy_accounts: HashSet<String>,
    known_accounts: HashSet<String>,
    kept_before: HashSet<(String, String)>,
    pub(super) kept: Vec<&'a Keep>,
}

impl<'a> Batch<'a> {
    /// Decides every request over what was found. Where writing fails the whole batch must be dropped.
    pub(super) fn decide(
        rules: &'a Rules,
        found: Found,
        requests: &'a [Request],
    ) -> (Self, Vec<Result<Granted, LedgerError>>) {
        let mut batch = Self {
            rules,
            head: found.head,
            rows: Vec::new(),
            derived: Derived::over(found.payments),
            answers: found
                .answers
                .into_iter()
                .map(|answer| ((answer.scope.clone(), answer.key.clone()), answer))
                .collect(),
            new_answers: Vec::new(),
            notifications: found.notifications,
            new_notifications: Vec::new(),
            nonces_until: None,
            numbers: found.numbers,
            codes: HashMap::new(),
            leases: found.leases,
            leased: BTreeSet::new(),
            freed: BTreeSet::new(),
            sole_owners: Vec::new(),
            records: Vec::new(),
            resealed: Vec::new(),
            busy_accounts: found.busy_accounts,
            known_accounts: found.known_accounts,
            kept_before: found.kept,
            kept: Vec::new(),
        };
        for (mac, started_at) in found.codes {
            batch.remember_code(mac, started_at);
        }
        let granted = requests.iter().map(|request| batch.grant(request)).collect();
        (batch, granted)
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
            Request::ForgetNonces(before) => {
                self.nonces_until = self.nonces_until.max(Some(*before));
                Ok(Granted::Done(true))
            }
            Request::Once(id, at) => {
                let id = storable(id);
                let first = self.notifications.insert(id.clone());
                if first {
                    self.new_notifications.push((id, *at));
                }
                Ok(Granted::Done(first))
            }
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
            && !commit.takes_over
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
            && self.nonces_until.is_none()
            && self.leased.is_empty()
            && self.sole_owners.is_empty()
            && self.kept.is_empty()
    }

    /// The rules that it was decided by.
    pub(super) const fn rules(&self) -> &Rules {
        self.rules
    }

    /// The leases that were taken or renewed.
    pub(super) fn new_leases(&self) -> impl Iterator<Item = (&PaymentId, &Lease)> {
        self.leased.iter().filter_map(|payment| self.leases.get(payment).map(|lease| (payment, lease)))
    }
}
