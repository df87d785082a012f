//! Refunds of a sale that was paid: whether one may be asked for, what to do about one that is under way, and what an
//! answer comes to.

use super::super::EngineError;
use super::super::clock::millis;
use super::{Memory, backoff, due, once};
use crate::channel::{Capabilities, RefundOutcome};
use crate::money::Money;
use crate::payment::{Attempt, AttemptState, Payment, PaymentEvent, Refund, RefundState, UnixMillis};

/// The longest pause before a provider is asked again: a bank may take days.
const MAX_PAUSE_MS: i64 = 300_000;
/// After so many calls without a clear answer a person is told.
const CALLS_BEFORE_COMPLAINT: u32 = 12;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct RefundWish {
    /// In minor units; all that is left where absent.
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub by: String,
    pub by_hand: bool,
    /// The attempt; the one that paid where absent.
    pub attempt: Option<u32>,
}

/// What to do about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum RefundStep {
    /// Ask for it, under its number.
    Ask,
    /// Ask how it stands.
    Query,
    /// Nothing before then.
    Wait(UnixMillis),
}

/// The intent of a refund, checked against the channel's table (`None` where its account cannot be opened any more)
/// and what is left of the payment. What was paid back by hand is over with its intent.
pub(in crate::engine) fn refund_intent(
    payment: &Payment,
    wish: &RefundWish,
    numbers: &dyn Fn(&Attempt) -> Option<Capabilities>,
    now: UnixMillis,
) -> Result<Vec<PaymentEvent>, EngineError> {
    let attempt = wish.attempt.or(payment.paid_by).and_then(|no| payment.attempt(no));
    let attempt = attempt.ok_or(EngineError::NothingToRefund { state: payment.state.name() })?;
    let of_sale = Some(attempt.no) == payment.paid_by;
    let left = if of_sale {
        payment.refundable()
    } else if attempt.state == AttemptState::SurplusOwed {
        payment.amount.minor
    } else {
        0
    };
    if left == 0 {
        return Err(EngineError::NothingToRefund { state: payment.state.name() });
    }
    let amount = Money::new(wish.amount.unwrap_or(left), payment.amount.currency);
    if !(1..=left).contains(&amount.minor) {
        return Err(EngineError::RefundOutOfRange { left: Money::new(left, payment.amount.currency) });
    }
    if wish.by_hand {
        by_hand(payment, attempt, wish, numbers(attempt).as_ref(), now)?;
    } else {
        by_provider(payment, attempt, amount, numbers(attempt).as_ref(), now)?;
    }
    let no = u32::try_from(payment.refunds.len() + 1).map_err(|_| EngineError::TooManyAttempts)?;
    let mut events = vec![PaymentEvent::RefundStarted {
        no,
        attempt: attempt.no,
        out_refund_no: payment.id.out_refund_no(no).ok_or(EngineError::TooManyAttempts)?,
        amount,
        reason: wish.reason.clone(),
        by: wish.by.clone(),
        by_hand: wish.by_hand,
    }];
    if wish.by_hand {
        events.push(PaymentEvent::RefundSucceeded { no });
    }
    Ok(events)
}

fn by_provider(
    payment: &Payment,
    attempt: &Attempt,
    amount: Money,
    numbers: Option<&Capabilities>,
    now: UnixMillis,
) -> Result<(), EngineError> {
    let channel = attempt.channel.clone();
    let Some(numbers) = numbers else { return Err(EngineError::AccountGone { account: attempt.account.clone() }) };
    let Some(rules) = numbers.refund else { return Err(EngineError::RefundByHand { channel }) };
    if attempt.state == AttemptState::SurplusOwed {
        return Err(EngineError::RefundByHand { channel });
    }
    if window_is_over(attempt, numbers, now) {
        return Err(EngineError::RefundTooLate { channel, days: rules.window.as_secs() / 86_400 });
    }
    if !rules.partial && amount != payment.amount {
        return Err(EngineError::RefundInPart { channel, amount: payment.amount });
    }
    Ok(())
}

/// Only what the provider cannot return is paid back by hand: money out of the drawer is easily taken.
fn by_hand(
    payment: &Payment,
    attempt: &Attempt,
    wish: &RefundWish,
    numbers: Option<&Capabilities>,
    now: UnixMillis,
) -> Result<(), EngineError> {
    if wish.reason.is_none() {
        return Err(EngineError::RefundReason);
    }
    let refused = payment.refunds.iter().any(|one| one.attempt == attempt.no && one.state == RefundState::Failed);
    let can = numbers.is_some_and(|numbers| numbers.refund.is_some() && !window_is_over(attempt, numbers, now));
    if can && !refused && attempt.state != AttemptState::SurplusOwed {
        return Err(EngineError::RefundByProvider { channel: attempt.channel.clone() });
    }
    Ok(())
}

fn window_is_over(attempt: &Attempt, numbers: &Capabilities, now: UnixMillis) -> bool {
    let Some(rules) = numbers.refund else { return true };
    now > attempt.paid_at.unwrap_or(attempt.changed_at) + millis(rules.window)
}

/// The next thing about a refund that is under way. Asking for it and asking about it take turns: a provider that
/// knows nothing of it never got the request, and one that has it does it once under one number.
pub(in crate::engine) fn refund_step(numbers: &Capabilities, memory: &Memory, now: UnixMillis) -> RefundStep {
    let base = millis(numbers.query_interval);
    let pause = if memory.tries == 0 { 0 } else { backoff_long(base, memory.tries - 1) };
    match due(memory.tried_at, pause) {
        at if now < at => RefundStep::Wait(at),
        _ if memory.tries.is_multiple_of(2) => RefundStep::Ask,
        _ => RefundStep::Query,
    }
}

fn backoff_long(base: i64, tries: u32) -> i64 {
    // Quick at first, as most refunds are known within seconds.
    if tries < 5 {
        backoff(base, tries)
    } else {
        base.saturating_mul(1_i64 << tries.min(10)).min(MAX_PAUSE_MS.max(base))
    }
}

/// The events that an answer about a refund comes to. Empty where it says nothing new.
pub(in crate::engine) fn refund_events(
    payment: &Payment,
    refund: &Refund,
    outcome: &RefundOutcome,
    memory: &mut Memory,
) -> Vec<PaymentEvent> {
    let no = refund.no;
    let channel = payment.attempt(refund.attempt).map_or("", |attempt| attempt.channel.as_str());
    let told = |detail: String| once(payment, detail);
    match (refund.state, outcome) {
        (RefundState::Pending, RefundOutcome::Done) => vec![PaymentEvent::RefundSucceeded { no }],
        (RefundState::Pending, RefundOutcome::Failed(failure)) => {
            let mut events = vec![PaymentEvent::RefundFailed { no, failure: failure.clone() }];
            events.extend(told(format!(
                "{} ({}) was not returned: {channel} says {} {}. The money is still with the shop",
                refund.amount, refund.out_refund_no, failure.provider_code, failure.provider_message
            )));
            events
        }
        (RefundState::Pending, RefundOutcome::Processing | RefundOutcome::NotFound | RefundOutcome::Unknown(_)) => {
            if memory.tries < CALLS_BEFORE_COMPLAINT || std::mem::replace(&mut memory.complained, true) {
                return Vec::new();
            }
            told(format!(
                "{channel} has not said yet whether {} ({}) was returned. It is asked again",
                refund.amount, refund.out_refund_no
            ))
        }
        (RefundState::Failed, RefundOutcome::Done) if !refund.by_hand => told(format!(
            "{channel} says that {} ({}) was returned, but here the refund had failed: check with the provider",
            refund.amount, refund.out_refund_no
        )),
        (RefundState::Succeeded, RefundOutcome::Failed(failure)) if !refund.by_hand => told(format!(
            "{channel} says that {} ({}) was not returned ({} {}), but here it counts as returned: check with the \
             provider and pay it back by hand if so",
            refund.amount, refund.out_refund_no, failure.provider_code, failure.provider_message
        )),
        _ => Vec::new(),
    }
}
