//! Writing down what a driver decided: never dropped, whatever the database says and whoever was first.

use std::time::Duration;

use super::super::inner::Inner;
use super::super::{Answered, EngineError, Idempotency};
use super::{Desk, LEASE_MS, Stop};
use crate::ledger::{Commit, LedgerError, StoredAnswer};
use crate::payment::{Payment, PaymentEvent, PaymentId, UnixMillis};

/// How long to wait before a write that the database refused is tried again.
pub(super) const WRITE_AGAIN: Duration = Duration::from_millis(500);
/// A payment changes under a writer's hands only so often before something is wrong.
const MAX_CONFLICTS: u32 = 100;

/// What is known of a call's key.
enum Key {
    /// Not answered yet.
    Open(Idempotency),
    /// Answered meanwhile, to another call with the same key.
    Answered(Box<StoredAnswer>),
    /// Used for something else.
    OfAnother,
}

impl Desk {
    /// Writes what `decide` makes of the payment, and decides anew where another writer was first. An outcome is never
    /// dropped: where the database fails, the write is tried until it is durable.
    pub(super) async fn record(
        &mut self,
        payment: Payment,
        actor: &str,
        decide: impl FnMut(&Payment, UnixMillis) -> Vec<PaymentEvent>,
    ) -> Result<Payment, Stop> {
        self.write(payment, actor, &mut None, decide).await
    }

    /// The same, for somebody who waits for an answer under a key. Where that was answered meanwhile, the outcome is
    /// written all the same, and the earlier answer stands.
    pub(super) async fn record_answering(
        &mut self,
        payment: Payment,
        actor: &str,
        idempotency: Option<Idempotency>,
        decide: impl FnMut(&Payment, UnixMillis) -> Vec<PaymentEvent>,
    ) -> Result<Result<Answered, EngineError>, Stop> {
        let mut key = idempotency.map(Key::Open);
        let payment = self.write(payment, actor, &mut key, decide).await?;
        Ok(match key {
            None | Some(Key::Open(_)) => Ok(Answered::Fresh(Box::new(payment))),
            Some(Key::Answered(answer)) => Ok(Answered::Replayed(answer)),
            Some(Key::OfAnother) => Err(LedgerError::IdempotencyMismatch.into()),
        })
    }

    async fn write(
        &mut self,
        mut payment: Payment,
        actor: &str,
        key: &mut Option<Key>,
        mut decide: impl FnMut(&Payment, UnixMillis) -> Vec<PaymentEvent>,
    ) -> Result<Payment, Stop> {
        let mut conflicts = 0;
        loop {
            let now = self.now();
            let events = decide(&payment, now);
            let idempotency = if let Some(Key::Open(idempotency)) = key { Some(&*idempotency) } else { None };
            if events.is_empty() && idempotency.is_none() {
                return Ok(payment);
            }
            let answer = idempotency.and_then(|idempotency| answer(idempotency, &payment, &events, now));
            let commit = Commit {
                payment: self.id.clone(),
                expect: Some(payment.version),
                actor: actor.to_owned(),
                at: now,
                events,
                answer,
                notification: None,
                lease: Some((self.engine.instance.clone(), now + LEASE_MS)),
                takes_over: false,
            };
            match self.engine.commit(Some(&payment), commit).await {
                Ok(payment) => {
                    self.lease_until = now + LEASE_MS;
                    return Ok(payment);
                }
                Err(LedgerError::LeaseHeld) => {
                    self.lease_until = 0;
                    return Err(Stop::LeaseHeld);
                }
                Err(LedgerError::Conflict) if conflicts < MAX_CONFLICTS => conflicts += 1,
                Err(LedgerError::IdempotencyReplay(answer)) => *key = Some(Key::Answered(answer)),
                Err(LedgerError::IdempotencyMismatch) => *key = Some(Key::OfAnother),
                Err(LedgerError::Illegal(error)) => {
                    // Decided on this very version, so it is a fault of ours; the payment is asked about again.
                    tracing::error!(payment = %self.id, %error, "a decision that the books refuse");
                    return Ok(payment);
                }
                Err(error) => {
                    tracing::error!(payment = %self.id, %error, "the books cannot be written; trying again");
                    self.engine.clock.sleep(WRITE_AGAIN).await;
                }
            }
            payment = load(&self.engine, &self.id).await?;
        }
    }
}

/// The answer to store with `events`, rendered from the payment as they leave it.
pub(in crate::engine) fn answer(
    idempotency: &Idempotency,
    payment: &Payment,
    events: &[PaymentEvent],
    at: UnixMillis,
) -> Option<StoredAnswer> {
    let mut after = payment.clone();
    for event in events {
        after.apply(at, event).ok()?;
    }
    let (status, body) = (idempotency.render)(&after);
    Some(StoredAnswer {
        scope: idempotency.scope.clone(),
        key: idempotency.key.clone(),
        digest: idempotency.digest,
        status,
        body,
    })
}

/// The payment as it stands. A database that fails is asked again: the driver has nothing better to do.
pub(super) async fn load(engine: &Inner, id: &PaymentId) -> Result<Payment, Stop> {
    loop {
        match engine.ledger.payment(id).await {
            Ok(Some(payment)) => return Ok(payment),
            Ok(None) => return Err(Stop::Absent),
            Err(error) => {
                tracing::error!(payment = %id, %error, "the books cannot be read; trying again");
                engine.clock.sleep(WRITE_AGAIN).await;
            }
        }
    }
}
