//! Refunds that people ask for: the intent is durable before the request leaves; the payment's driver brings it to an
//! end.

use super::decide::{self, RefundWish};
use super::driver::Order;
use super::inner::Announced;
use super::{Answered, Engine, EngineError, Idempotency, NewRefund, uninterrupted};
use crate::payment::{Attempt, PaymentId};

impl Engine {
    /// Asks for money of a payment to be returned: comes back as soon as that is durable; what came of it comes as
    /// events. What was paid back by hand is done with that.
    ///
    /// # Errors
    /// Nothing is left to return, or the channel's table does not allow it. Nothing was sent then.
    pub async fn refund(
        &self,
        id: &PaymentId,
        actor: &str,
        refund: NewRefund,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        let (engine, id, actor) = (self.clone(), id.clone(), actor.to_owned());
        uninterrupted(async move { engine.begin_refund(&id, &actor, refund, idempotency).await }).await
    }

    async fn begin_refund(
        &self,
        id: &PaymentId,
        actor: &str,
        refund: NewRefund,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        // A repeat must not be judged by what its first time left behind.
        if let Some(replayed) = self.replayed(idempotency.as_ref()).await? {
            return Ok(replayed);
        }
        let wish = RefundWish {
            amount: refund.amount,
            reason: refund.reason,
            by: refund.operator.unwrap_or_else(|| actor.to_owned()),
            by_hand: refund.by_hand,
            attempt: refund.attempt,
        };
        let accounts = self.inner.accounts();
        let numbers = |attempt: &Attempt| accounts.capabilities(&attempt.account);
        let mut announced: Option<Announced> = None;
        let answered = self
            .write(id, actor, idempotency.as_ref(), |payment| {
                let events = decide::refund_intent(payment, &wish, &numbers, self.inner.clock.now())?;
                announced = events.first().and_then(|event| self.inner.announce(event));
                Ok(events)
            })
            .await;
        // Two with one key at the same time: the second was judged by what the first left behind.
        if let (Err(error), Some(_)) = (&answered, &idempotency)
            && !matches!(error, EngineError::Ledger(_))
            && let Some(replayed) = self.replayed(idempotency.as_ref()).await?
        {
            return Ok(replayed);
        }
        let answered = answered?;
        let order = match &answered {
            Answered::Fresh(payment) => payment.refunds.last().filter(|refund| !refund.state.is_end()),
            Answered::Replayed(_) => None,
        };
        self.inner.order(id, order.map_or(Order::Wake, |refund| Order::Refund { no: refund.no, announced }));
        Ok(answered)
    }
}
