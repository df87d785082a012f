//! The cashier's word that a shown code was paid, for channels that cannot tell it themselves.

use super::decide;
use super::driver::Order;
use super::{Answered, Engine, EngineError, Idempotency, Seen, uninterrupted};
use crate::payment::{Attempt, AttemptState, ConfirmedBy, Payment, PaymentId};

impl Engine {
    /// Writes down that the cashier saw the money of a shown code arrive. The payment is then paid like any other: the
    /// other codes are closed first, and a second payment is a surplus. Said again of the same code it changes nothing.
    ///
    /// # Errors
    /// No such code was shown, the provider confirms it itself, or it has to be said which.
    pub async fn confirm(
        &self,
        id: &PaymentId,
        actor: &str,
        seen: Seen,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let (engine, id, actor) = (self.clone(), id.clone(), actor.to_owned());
        uninterrupted(async move { engine.begin_confirm(&id, &actor, &seen, idempotency).await }).await
    }

    async fn begin_confirm(
        &self,
        id: &PaymentId,
        actor: &str,
        seen: &Seen,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        // A repeat must not be judged by what its first time left behind.
        if let Some(replayed) = self.replayed(idempotency.as_ref()).await? {
            return Ok(replayed);
        }
        let by = seen.operator.clone().unwrap_or_else(|| actor.to_owned());
        let answered = self
            .write(id, actor, idempotency.as_ref(), |payment| {
                let attempt = which(payment, seen)?;
                // An account that cannot be opened any more returns no money either.
                let numbers = self.inner.accounts().capabilities(&attempt.account);
                let numbers = numbers.ok_or_else(|| EngineError::AccountGone { account: attempt.account.clone() })?;
                Ok(decide::confirmed(payment, attempt, &by, &numbers, self.inner.clock.now()))
            })
            .await?;
        self.inner.order(id, Order::Wake);
        Ok(answered)
    }
}

/// The attempt that is meant: the one that is open, else the one that was confirmed, else the one that was closed.
fn which<'a>(payment: &'a Payment, seen: &Seen) -> Result<&'a Attempt, EngineError> {
    let named = |attempt: &&Attempt| {
        seen.channel.as_ref().is_none_or(|channel| &attempt.channel == channel)
            && seen.attempt.is_none_or(|no| attempt.no == no)
    };
    let of_cashier: Vec<_> = payment
        .attempts
        .iter()
        .filter(named)
        .filter(|attempt| attempt.confirmed_by == ConfirmedBy::Cashier && attempt.code.is_some())
        .collect();
    let ranked: [&dyn Fn(&Attempt) -> bool; 3] =
        [&|one| !one.state.is_end(), &|one| one.seen_by.is_some(), &|one| one.state == AttemptState::Closed];
    for rank in ranked {
        let mut found = of_cashier.iter().copied().filter(|attempt| rank(attempt));
        if let Some(attempt) = found.next() {
            return if found.next().is_none() { Ok(attempt) } else { Err(EngineError::ConfirmWhich) };
        }
    }
    let of_provider = seen.channel.is_some() || seen.attempt.is_some();
    match payment.attempts.iter().find(named) {
        Some(attempt) if of_provider && attempt.confirmed_by == ConfirmedBy::Provider => {
            Err(EngineError::NotConfirmedByCashier(attempt.channel.clone()))
        }
        _ => Err(EngineError::NothingToConfirm),
    }
}
