//! Books in memory, under the same rules as those in a database: for simulations, whose disk has to outlive the process
//! that uses it, and to fail as they say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::batch::{Batch, Granted, NONCE, Request, Rules, SealedRecord, Table};
use super::chain::{GENESIS, Head, StoredRow, Walk};
use super::derived::{AttemptRow, Derived, Growth, SumKey, replay};
use super::found::{Found, Lease, Wanted};
use super::{LedgerError, StoredAnswer, Verification};
use crate::payment::{Payment, PaymentId, UnixMillis};

/// What stands between books in memory and a process that uses them; of itself it hinders nothing. A process that is to
/// be dead is never let through.
#[async_trait]
pub trait Medium: Send + Sync {
    /// Before anything is read.
    ///
    /// # Errors
    /// The books cannot be read.
    async fn read(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Before a transaction is decided and written.
    ///
    /// # Errors
    /// It is not written.
    async fn write(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// After a transaction was written, before anyone hears of it.
    ///
    /// # Errors
    /// It is written, and the answer is lost: [`LedgerError::Unreachable`], as nothing else leaves that open.
    async fn written(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// Nothing stands there.
impl Medium for () {}

/// Books in memory. Cheap to clone; every clone is the same books.
#[derive(Clone)]
pub struct Disk {
    tables: Arc<Mutex<Tables>>,
    /// One for each who watches, so that they wake in the order in which they came.
    watchers: Arc<Mutex<Vec<watch::Sender<i64>>>>,
    medium: Arc<dyn Medium>,
    shared: bool,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("memory")
    }
}

impl Disk {
    /// An empty disk; `shared` where several processes may write to it, as to a server.
    #[must_use]
    pub fn new(shared: bool) -> Self {
        Self { tables: Arc::default(), watchers: Arc::default(), medium: Arc::new(()), shared }
    }

    /// The same disk as a process reaches it.
    #[must_use]
    pub fn through(&self, medium: Arc<dyn Medium>) -> Self {
        Self { medium, ..self.clone() }
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.shared
    }

    pub(super) fn watch(&self) -> watch::Receiver<i64> {
        let (sender, receiver) = watch::channel(self.tables().head.seq);
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// What is on it, once the medium lets the reader through.
    pub(super) async fn read<T>(&self, read: impl FnOnce(&Tables) -> T + Send) -> Result<T, LedgerError> {
        self.medium.read().await?;
        Ok(read(&self.tables()))
    }

    /// One transaction.
    pub(super) async fn transact(
        &self,
        rules: &Rules,
        requests: &[Request],
    ) -> Result<Vec<Result<Granted, LedgerError>>, LedgerError> {
        self.medium.write().await?;
        let (outcomes, written) = {
            let mut tables = self.tables();
            let found = tables.find(&Wanted::by(requests));
            let (batch, outcomes) = Batch::decide(rules, found, requests);
            let written = !batch.is_empty();
            tables.take(&batch);
            self.announce(tables.head.seq);
            (outcomes, written)
        };
        if written {
            self.medium.written().await?;
        }
        Ok(outcomes)
    }

    /// Makes the derived tables anew.
    pub(super) async fn rebuild(&self, rules: &Rules) -> Result<u64, LedgerError> {
        self.medium.write().await?;
        let mut tables = self.tables();
        let damaged = |why: String| LedgerError::Database(format!("{why}. Nothing was changed"));
        if let Some(broken) = tables.verify(rules).broken {
            return Err(damaged(format!("row {} of the journal is damaged: {}", broken.seq, broken.why)));
        }
        let derived = replay(&rules.calendar, Vec::new(), tables.journal.clone())?;
        tables.payments.clear();
        tables.unfinished.clear();
        tables.attempts.clear();
        tables.codes.clear();
        tables.refunds.clear();
        tables.takings.clear();
        tables.derive(&derived);
        Ok(tables.journal.len() as u64)
    }

    fn announce(&self, seq: i64) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.receiver_count() > 0);
        for watcher in watchers.iter() {
            watcher.send_replace(seq);
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables of `assets/migrations/`, as far as a simulation needs them.
pub(super) struct Tables {
    pub(super) journal: Vec<StoredRow>,
    head: Head,
    seal: String,
    pub(super) payments: BTreeMap<PaymentId, Payment>,
    unfinished: BTreeSet<PaymentId>,
    /// Which payment an attempt's number belongs to.
    pub(super) attempts: BTreeMap<String, AttemptRow>,
    /// When a code was last sent, by its digest.
    codes: BTreeMap<String, UnixMillis>,
    pub(super) refunds: BTreeMap<String, PaymentId>,
    pub(super) takings: BTreeMap<SumKey, Growth>,
    /// By key; each scope has its own.
    answers: BTreeMap<String, Vec<StoredAnswer>>,
    notifications: BTreeMap<String, UnixMillis>,
    leases: BTreeMap<PaymentId, Lease>,
    records: BTreeMap<(Table, String), SealedRecord>,
    kept: BTreeSet<(String, String)>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            journal: Vec::new(),
            head: Head { seq: 0, mac: GENESIS.to_owned() },
            seal: String::new(),
            payments: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            attempts: BTreeMap::new(),
            codes: BTreeMap::new(),
            refunds: BTreeMap::new(),
            takings: BTreeMap::new(),
            answers: BTreeMap::new(),
            notifications: BTreeMap::new(),
            leases: BTreeMap::new(),
            records: BTreeMap::new(),
            kept: BTreeSet::new(),
        }
    }
}

impl Tables {
    fn find(&self, wanted: &Wanted<'_>) -> Found {
        let id = |text: &&str| text.parse::<PaymentId>().ok();
        let mut found = Found::at(self.head.clone());
        let payments: BTreeSet<_> = wanted.payments.iter().filter_map(id).collect();
        found.payments = payments.iter().filter_map(|id| self.payments.get(id)).cloned().collect();
        let answers = wanted.answers.iter().filter_map(|(_, key)| self.answers.get(key));
        found.answers = answers.flatten().cloned().collect();
        found.notifications =
            wanted.notifications.iter().filter(|id| self.notifications.contains_key(*id)).cloned().collect();
        let numbers = wanted.numbers.iter().filter(|number| self.attempts.contains_key(**number));
        found.numbers = numbers.map(|number| (*number).to_owned()).collect();
        let codes = wanted.codes.iter().filter_map(|mac| self.codes.get_key_value(*mac));
        found.codes = codes.map(|(mac, at)| (mac.clone(), *at)).collect();
        let leases = wanted.leases.iter().filter_map(id).filter_map(|id| Some((id.clone(), self.leases.get(&id)?)));
        found.leases = leases.map(|(id, lease)| (id, lease.clone())).collect();
        let of_account = |id: &&&str| self.records.contains_key(&(Table::Accounts, (**id).to_owned()));
        found.known_accounts = wanted.removed.iter().filter(of_account).map(|id| (*id).to_owned()).collect();
        let of_unfinished = |id: &&&str| {
            let mut attempts = self.attempts.values();
            attempts.any(|attempt| attempt.account == **id && self.unfinished.contains(&attempt.payment))
        };
        found.busy_accounts = wanted.removed.iter().filter(of_unfinished).map(|id| (*id).to_owned()).collect();
        let kept = wanted.kept.iter().map(|[account, digest]| ((*account).to_owned(), (*digest).to_owned()));
        found.kept = kept.filter(|body| self.kept.contains(body)).collect();
        found
    }

    fn take(&mut self, batch: &Batch<'_>) {
        if !batch.rows.is_empty() {
            self.journal.extend_from_slice(&batch.rows);
            self.head = batch.head.clone();
            self.seal = batch.head.seal(&batch.rules().chain_key);
        }
        self.derive(&batch.derived);
        for (answer, _) in &batch.new_answers {
            self.answers.entry(answer.key.clone()).or_default().push(answer.clone());
        }
        self.notifications.extend(batch.new_notifications.iter().cloned());
        if let Some(before) = batch.nonces_until {
            self.notifications.retain(|id, at| *at >= before || !id.starts_with(NONCE));
        }
        for owner in &batch.sole_owners {
            self.leases.retain(|_, (holder, _)| holder == owner);
        }
        for payment in &batch.freed {
            self.leases.remove(payment);
        }
        self.leases.extend(batch.new_leases().map(|(payment, lease)| (payment.clone(), lease.clone())));
        for (table, id, put) in &batch.records {
            match put {
                Some(record) => self.records.insert((*table, id.clone()), record.clone()),
                None => self.records.remove(&(*table, id.clone())),
            };
        }
        self.kept.extend(batch.kept.iter().map(|keep| (keep.account.clone(), keep.digest.clone())));
    }

    fn derive(&mut self, derived: &Derived) {
        for payment in derived.changed() {
            if payment.is_unfinished() {
                self.unfinished.insert(payment.id.clone());
            } else {
                self.unfinished.remove(&payment.id);
            }
            self.payments.insert(payment.id.clone(), payment.clone());
        }
        for attempt in &derived.attempts {
            if let Some(mac) = &attempt.auth_code_mac {
                let latest = self.codes.entry(mac.clone()).or_insert(attempt.started_at);
                *latest = attempt.started_at.max(*latest);
            }
            self.attempts.insert(attempt.out_trade_no.to_string(), attempt.clone());
        }
        for (number, payment) in &derived.refunds {
            self.refunds.entry(number.clone()).or_insert_with(|| payment.clone());
        }
        for (key, growth) in &derived.sums {
            self.takings.entry(key.clone()).or_default().add(growth);
        }
    }

    /// The journal's end and its seal.
    pub(super) fn end(&self) -> (Head, String) {
        (self.head.clone(), self.seal.clone())
    }

    pub(super) fn answer(&self, scope: &str, key: &str) -> Option<StoredAnswer> {
        self.answers.get(key)?.iter().find(|answer| answer.scope == scope).cloned()
    }

    pub(super) fn unfinished(&self, owner: &str, now: UnixMillis) -> Vec<PaymentId> {
        let held = |id: &&PaymentId| self.leases.get(id).is_some_and(|(holder, until)| holder != owner && *until > now);
        self.unfinished.iter().filter(|id| !held(id)).cloned().collect()
    }

    pub(super) fn records(&self, table: Table) -> Vec<(String, SealedRecord)> {
        let of_table = self.records.iter().filter(|((of, _), _)| *of == table);
        of_table.map(|((_, id), record)| (id.clone(), record.clone())).collect()
    }

    pub(super) fn verify(&self, rules: &Rules) -> Verification {
        let mut walk = Walk::new();
        let broken = self.journal.iter().find_map(|row| walk.take(row, &rules.chain_key).err());
        let broken = broken.or_else(|| walk.end(&self.head, &self.seal, &rules.chain_key));
        Verification { rows: walk.rows(), broken }
    }
}
