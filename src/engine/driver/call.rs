//! The calls to a provider that a driver begins, and what they come to.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::super::clock::millis;
use super::super::decide::{Outcome, Step};
use super::super::inner::notify_url;
use crate::channel::{Channel, MerchantAccount, RefundOutcome, RefundRef, TradeRef};
use crate::payment::{Attempt, Refund, UnixMillis};

/// What a call came to, and about what it was.
pub(super) enum Came {
    Attempt(u32, Outcome),
    Refund(u32, RefundOutcome),
}
pub(super) type Call = BoxFuture<'static, Came>;

/// The call that a step asks for.
pub(super) fn call(
    step: Step,
    attempt: &Attempt,
    trade: TradeRef,
    notify_url: Option<String>,
    channel: Arc<dyn Channel>,
) -> Call {
    // A surplus's refund is the last thing that happened to it.
    let (no, changed_at) = (attempt.no, attempt.changed_at);
    Box::pin(async move {
        let outcome = match step {
            Step::Void => Outcome::Void(channel.void(&trade).await),
            Step::Refund(number) => {
                let refund = RefundRef {
                    out_refund_no: number,
                    amount: trade.amount,
                    reason: None,
                    started_at: changed_at,
                    notify_url,
                };
                Outcome::Refund(return_surplus(channel.as_ref(), &trade, &refund).await)
            }
            Step::Query | Step::Record(_) | Step::Wait(_) => Outcome::Query(channel.query(&trade).await),
        };
        Came::Attempt(no, outcome)
    })
}

/// Asks for a refund. That this request was refused says nothing of an earlier one under its number, whose answer may
/// have been lost: unless it is the first, only the provider's word on the number itself makes it a refusal.
pub(super) async fn ask_for_refund(
    channel: &dyn Channel,
    trade: &TradeRef,
    refund: &RefundRef,
    first: bool,
) -> RefundOutcome {
    match channel.refund(trade, refund).await {
        RefundOutcome::Failed(failure) if !first => match channel.query_refund(trade, refund).await {
            RefundOutcome::NotFound => RefundOutcome::Failed(failure),
            outcome => outcome,
        },
        outcome => outcome,
    }
}

/// Asks for a surplus to go back, and where the provider is still at work on it, what became of it: some say so to every
/// repeat, whatever came of the first.
async fn return_surplus(channel: &dyn Channel, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
    match channel.refund(trade, refund).await {
        RefundOutcome::Processing => match channel.query_refund(trade, refund).await {
            RefundOutcome::NotFound => RefundOutcome::Processing,
            outcome => outcome,
        },
        outcome => outcome,
    }
}

/// What the provider sees of a refund.
pub(super) fn refund_ref(refund: &Refund, account: &MerchantAccount) -> RefundRef {
    RefundRef {
        out_refund_no: refund.out_refund_no.clone(),
        amount: refund.amount,
        reason: refund.reason.clone(),
        started_at: refund.started_at,
        notify_url: notify_url(account),
    }
}

/// How long past its offer a provider may let a shown code be paid.
pub(in crate::engine) fn code_expires_at(now: UnixMillis, channel: &dyn Channel) -> UnixMillis {
    let numbers = channel.capabilities();
    now + millis(numbers.code_lifetime) + millis(numbers.code_grace)
}
