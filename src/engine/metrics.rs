//! What the engine counts, for whoever watches over a running shop.

use std::time::{Duration, Instant};

use super::Engine;
use super::inner::Inner;
use crate::ledger::{Commit, LedgerError};
use crate::metrics::{Counters, Durations, Page};
use crate::payment::{ChannelId, Payment, PaymentEvent, UnixMillis};

/// Counted since the process started.
pub(super) struct EngineMetrics {
    payments: Counters<2>,
    refunds: Counters<2>,
    pub calls: Durations<3>,
    pub notifications: Counters<2>,
    commits: Durations<1>,
}

impl Default for EngineMetrics {
    fn default() -> Self {
        Self {
            payments: Counters::new(["channel", "state"]),
            refunds: Counters::new(["channel", "state"]),
            calls: Durations::new(["channel", "call", "outcome"]),
            notifications: Counters::new(["channel", "verdict"]),
            commits: Durations::new(["outcome"]),
        }
    }
}

impl EngineMetrics {
    /// A payment has become another: counts ends that were reached.
    fn became(&self, before: Option<&Payment>, after: &Payment) {
        let channel = after.channel().map_or("none", ChannelId::as_str);
        let ended = |payment: &Payment| payment.state.is_end();
        if ended(after) && !before.is_some_and(ended) {
            self.payments.add([channel, after.state.name()]);
        }
        for refund in after.refunds.iter().filter(|refund| refund.state.is_end()) {
            let known = before.and_then(|payment| payment.refund(refund.no));
            if known.is_none_or(|known| !known.state.is_end()) {
                self.refunds.add([channel, refund.state.name()]);
            }
        }
    }
}

impl Inner {
    /// Writes to the books, and tells of it. `before` is the payment as the events were decided on; `None` where it is
    /// new.
    pub(super) async fn commit(&self, before: Option<&Payment>, commit: Commit) -> Result<Payment, LedgerError> {
        let (id, actor) = (commit.payment.clone(), commit.actor.clone());
        let kinds: Vec<_> = commit.events.iter().map(PaymentEvent::kind).collect();
        let started = Instant::now();
        let written = self.ledger.commit(commit).await;
        let took = started.elapsed();
        match &written {
            Ok(after) => {
                self.metrics.commits.add(["written"], took);
                self.metrics.became(before, after);
                if !kinds.is_empty() {
                    let (events, state) = (kinds.join(","), after.state.name());
                    tracing::info!(payment = %id, actor, events, state, version = after.version, "written");
                }
            }
            Err(error) => {
                let outcome = if is_refusal(error) { "refused" } else { "failed" };
                self.metrics.commits.add([outcome], took);
                tracing::debug!(payment = %id, actor, events = kinds.join(","), %error, "not written");
            }
        }
        written
    }
}

/// Whether the books are well and only this write was not to be.
const fn is_refusal(error: &LedgerError) -> bool {
    matches!(
        error,
        LedgerError::Conflict
            | LedgerError::NotFound
            | LedgerError::Illegal(_)
            | LedgerError::CodeSpent
            | LedgerError::IdempotencyMismatch
            | LedgerError::IdempotencyReplay(_)
            | LedgerError::NotificationSeen
            | LedgerError::LeaseHeld
    )
}

impl Engine {
    /// Writes what the engine counts, and how the books stand.
    ///
    /// # Errors
    /// The books cannot be read; what was counted is on the page all the same.
    pub async fn tell_metrics(&self, page: &mut Page) -> Result<(), LedgerError> {
        let metrics = &self.inner.metrics;
        page.counters(
            "scantill_payments_total",
            "Payments that came to their end, by the state they then had.",
            &metrics.payments,
        );
        page.counters("scantill_refunds_total", "Refunds that came to their end.", &metrics.refunds);
        page.durations("scantill_provider_call_seconds", "Calls to providers, by what came of them.", &metrics.calls);
        page.counters(
            "scantill_notifications_total",
            "Notifications of providers, by what was made of them.",
            &metrics.notifications,
        );
        page.durations(
            "scantill_commit_seconds",
            "Writes to the books as their callers wait for them.",
            &metrics.commits,
        );
        let ledger = self.ledger();
        page.gauge("scantill_journal_sequence", "The journal's last row.", *ledger.watch().borrow());
        page.gauge("scantill_drivers", "Payments that this process is at work on.", self.inner.drivers().len());
        let unfinished = ledger.unfinished("", UnixMillis::MAX).await?;
        page.gauge(
            "scantill_payments_unfinished",
            "Payments that are not at an end, with every process that shares the books.",
            unfinished.len(),
        );
        let oldest = match unfinished.first() {
            Some(first) => ledger.payment(first).await?.map_or(0, |payment| self.now() - payment.created_at),
            None => 0,
        };
        let oldest = Duration::from_millis(oldest.max(0).unsigned_abs()).as_secs();
        page.gauge(
            "scantill_payments_unfinished_oldest_seconds",
            "Age of the oldest of them; 0 where there is none.",
            oldest,
        );
        Ok(())
    }
}
