//! What requests have to be held against: what to look for, and what was found.

use std::collections::{HashMap, HashSet};

use super::StoredAnswer;
use super::batch::{RecordChange, Request};
use super::chain::Head;
use super::derived::storable;
use crate::payment::{Payment, PaymentEvent, PaymentId, UnixMillis};

/// Who acts on a payment, and until when.
pub(super) type Lease = (String, UnixMillis);

/// The names of everything that the requests touch.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    pub(super) payments: Vec<&'a str>,
    /// Idempotency keys with their scopes.
    pub(super) answers: Vec<(String, String)>,
    pub(super) notifications: Vec<String>,
    /// Numbers of new attempts.
    pub(super) numbers: Vec<&'a str>,
    /// Digests of the codes they send.
    pub(super) codes: Vec<&'a str>,
    /// Payments whose lease is asked for.
    pub(super) leases: Vec<&'a str>,
    /// Accounts that are to be removed.
    pub(super) removed: Vec<&'a str>,
    /// Accounts and digests of the bodies to keep.
    pub(super) kept: Vec<[&'a str; 2]>,
}

impl<'a> Wanted<'a> {
    pub(super) fn by(requests: &'a [Request]) -> Self {
        let mut wanted = Self::default();
        for request in requests {
            match request {
                Request::Commit(commit) => {
                    wanted.payments.push(commit.payment.as_str());
                    let answer = commit.answer.as_ref();
                    wanted.answers.extend(answer.map(|answer| (storable(&answer.scope), storable(&answer.key))));
                    wanted.notifications.extend(commit.notification.as_deref().map(storable));
                    for event in &commit.events {
                        if let PaymentEvent::AttemptStarted { out_trade_no, auth_code_mac, .. } = event {
                            wanted.numbers.push(out_trade_no.as_str());
                            wanted.codes.extend(auth_code_mac.as_deref());
                        }
                    }
                    if commit.lease.is_some() {
                        wanted.leases.push(commit.payment.as_str());
                    }
                }
                Request::Lease { payment, .. } => wanted.leases.push(payment.as_str()),
                Request::Record(RecordChange { id, put: None, .. }) => wanted.removed.push(id),
                Request::Keep(keep) => wanted.kept.push([&keep.account, &keep.digest]),
                Request::Once(id, _) => wanted.notifications.push(storable(id)),
                Request::Note(_)
                | Request::BreakLeases { .. }
                | Request::Record(_)
                | Request::Reseal(..)
                | Request::ForgetNonces(_) => {}
            }
        }
        wanted
    }
}

/// What there is of it, all of one moment under the journal's lock.
pub(super) struct Found {
    pub(super) head: Head,
    pub(super) payments: Vec<Payment>,
    pub(super) answers: Vec<StoredAnswer>,
    pub(super) notifications: HashSet<String>,
    pub(super) numbers: HashSet<String>,
    /// Codes that were sent, and when; the latest counts.
    pub(super) codes: Vec<(String, UnixMillis)>,
    pub(super) leases: HashMap<PaymentId, Lease>,
    pub(super) known_accounts: HashSet<String>,
    /// Those that an unfinished payment uses.
    pub(super) busy_accounts: HashSet<String>,
    /// Account and digest of bodies that were kept before.
    pub(super) kept: HashSet<(String, String)>,
}

impl Found {
    /// Nothing but the journal's end.
    pub(super) fn at(head: Head) -> Self {
        Self {
            head,
            payments: Vec::new(),
            answers: Vec::new(),
            notifications: HashSet::new(),
            numbers: HashSet::new(),
            codes: Vec::new(),
            leases: HashMap::new(),
            known_accounts: HashSet::new(),
            busy_accounts: HashSet::new(),
            kept: HashSet::new(),
        }
    }
}
