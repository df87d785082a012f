//! What to do next, and what an outcome means. Pure: payment, numbers of the channel, what this driver remembers, and
//! the time come in; a step or events go out.

mod events;
mod matter;
mod refund;
mod step;
#[cfg(test)]
mod tests;

pub(super) use events::{confirmed, events};
pub(super) use matter::matter;
pub(super) use refund::{RefundStep, RefundWish, refund_events, refund_intent, refund_step};
pub(super) use step::step;

use super::clock::millis;
use crate::channel::{Capabilities, CodeOutcome, PayOutcome, QueryOutcome, RefundOutcome, VoidOutcome};
use crate::payment::{Attempt, AttemptState, ChannelId, Payment, PaymentEvent, UnixMillis, Way};

/// The longest pause between tries to take an attempt back or to refund it.
const MAX_BACKOFF_MS: i64 = 60_000;

/// What a driver remembers of an attempt or a refund beside the books. It may be lost: everything is asked again then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// A call about it is under way.
    pub in_flight: bool,
    /// When it was last asked about.
    pub queried_at: Option<UnixMillis>,
    /// Whether it was asked about since it is being taken back.
    pub queried_since_void: bool,
    /// Answers in a row that there is no such order.
    pub not_found: u32,
    /// Tries to take it back or to refund it.
    pub tries: u32,
    /// When it was last tried to take it back or to refund it.
    pub tried_at: Option<UnixMillis>,
    /// The provider says that it is paid and cannot be taken back: ask, to know all of it.
    pub known_paid: bool,
    /// The provider does not allow it before then.
    pub not_before: Option<UnixMillis>,
    /// Until then a call of another owner may still arrive that takes it back.
    pub others_until: Option<UnixMillis>,
    /// The provider has it: it has said something of it.
    pub known_there: bool,
    /// Until then another owner's request to pay may still arrive.
    pub arriving_until: Option<UnixMillis>,
    /// Of a refund: its intent was written a moment ago, so nobody can have asked for it before.
    pub fresh: bool,
    /// A person was told that it cannot be taken back or refunded.
    pub complained: bool,
}

impl Memory {
    /// The clock was set by so many milliseconds: what was so long ago still is.
    pub(super) fn shift(&mut self, by: i64) {
        let Self { queried_at, tried_at, not_before, others_until, arriving_until, .. } = self;
        for moment in [queried_at, tried_at, not_before, others_until, arriving_until] {
            *moment = moment.map(|at| at.saturating_add(by));
        }
    }
}

/// What to do about one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask how it stands.
    Query,
    /// Take it back.
    Void,
    /// Return its money, under this number.
    Refund(String),
    /// Write this down first.
    Record(Vec<PaymentEvent>),
    /// Nothing before then.
    Wait(UnixMillis),
}

/// What to do about the payment as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matter {
    /// Write this down.
    Record(Vec<PaymentEvent>),
    /// Ask this channel for a fresh code.
    Renew(ChannelId),
    /// Nothing before then; `None`: nothing by the clock.
    Wait(Option<UnixMillis>),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Code(CodeOutcome),
    Pay(PayOutcome),
    Query(QueryOutcome),
    Void(VoidOutcome),
    Refund(RefundOutcome),
}

/// The numbers of an attempt's channel; `None` where its account cannot be opened any more.
pub(super) type Numbers<'a> = &'a dyn Fn(&Attempt) -> Option<Capabilities>;

fn due(last: Option<UnixMillis>, pause: i64) -> UnixMillis {
    last.map_or(UnixMillis::MIN, |last| last + pause)
}

fn backoff(base: i64, tries: u32) -> i64 {
    base.saturating_mul(1_i64 << tries.min(10)).min(MAX_BACKOFF_MS.max(base))
}

/// When the patience with a customer who is confirming, or with a provider that does not know, ends.
fn patience_ends(attempt: &Attempt, capabilities: &Capabilities) -> UnixMillis {
    let from = match attempt.way {
        Way::ConsumerPresented => attempt.started_at,
        // A shown code may be scanned long after it was made.
        Way::MerchantPresented => attempt.changed_at,
    };
    from + millis(capabilities.confirm_patience)
}

/// Tells a person, unless it was told before in the same words.
pub(super) fn once(payment: &Payment, detail: String) -> Vec<PaymentEvent> {
    if payment.attention.contains(&detail) { Vec::new() } else { vec![PaymentEvent::AttentionRaised { detail }] }
}

/// What an outcome adds to what the driver remembers.
pub(super) fn remember(
    memory: &mut Memory,
    attempt: &Attempt,
    outcome: &Outcome,
    numbers: &Capabilities,
    now: UnixMillis,
) {
    match outcome {
        Outcome::Query(outcome) => {
            memory.queried_at = Some(now);
            match outcome {
                QueryOutcome::NotFound => memory.not_found += 1,
                QueryOutcome::Unknown(_) => {}
                _ => {
                    memory.not_found = 0;
                    memory.known_there = true;
                }
            }
            if attempt.state == AttemptState::Voiding && !matches!(outcome, QueryOutcome::Unknown(_)) {
                memory.queried_since_void = true;
                memory.known_paid = false;
            }
            // A provider that cannot be asked can still be told to close.
            if attempt.state == AttemptState::Voiding && matches!(outcome, QueryOutcome::Unknown(_)) {
                memory.queried_since_void = true;
            }
        }
        Outcome::Void(outcome) => {
            memory.tried_at = Some(now);
            memory.tries += 1;
            match outcome {
                VoidOutcome::AlreadyPaid => memory.known_paid = true,
                VoidOutcome::NotYet => {
                    memory.not_before = Some(
                        (attempt.started_at + millis(numbers.void_not_before))
                            .max(now + millis(numbers.query_interval)),
                    );
                }
                _ => {}
            }
        }
        Outcome::Refund(_) => {
            memory.tried_at = Some(now);
            memory.tries += 1;
        }
        Outcome::Pay(outcome) => memory.known_there |= !matches!(outcome, PayOutcome::Unknown(_)),
        Outcome::Code(_) => {}
    }
}
