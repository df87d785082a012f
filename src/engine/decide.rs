//! What to do next, and what an outcome means. Pure: payment, numbers of the channel, what this driver remembers, and
//! the time come in; a step or events go out.

use super::clock::millis;
use crate::channel::{Capabilities, CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, VoidOutcome};
use crate::payment::{
    Attempt, AttemptState, ChannelId, Failure, FailureReason, Payment, PaymentEvent, UnixMillis, VoidReason, Way,
};

/// How long before a shown code ends a fresh one is asked for.
const RENEW_AHEAD_MS: i64 = 10_000;
/// A fresh code is not worth asking for when the sale ends sooner than this.
const RENEW_WORTH_MS: i64 = 15_000;
/// The longest pause between tries to take an attempt back or to refund it.
const MAX_BACKOFF_MS: i64 = 60_000;
/// So many answers in a row that there is no such order, after the request's time limit, mean that it never arrived.
const NOT_FOUND_ENOUGH: u32 = 2;

/// What a driver remembers of an attempt beside the books. It may be lost: everything is asked again then.
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
    /// A person was told that it cannot be taken back or refunded.
    pub complained: bool,
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
    Record(PaymentEvent),
    /// Nothing before then.
    Wait(UnixMillis),
}

/// What to do about the payment as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matter {
    /// Write this down.
    Record(PaymentEvent),
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
pub(super) fn patience_ends(attempt: &Attempt, capabilities: &Capabilities) -> UnixMillis {
    let from = match attempt.way {
        Way::ConsumerPresented => attempt.started_at,
        // A shown code may be scanned long after it was made.
        Way::MerchantPresented => attempt.changed_at,
    };
    from + millis(capabilities.confirm_patience)
}

/// The next thing about the payment as a whole, if it is due.
pub(super) fn matter(payment: &Payment, numbers: Numbers<'_>, now: UnixMillis) -> Matter {
    let mut next: Option<UnixMillis> = None;
    let mut later = |at: UnixMillis| next = Some(next.map_or(at, |earlier| earlier.min(at)));
    if let Some(paid_by) = payment.paid_by {
        for attempt in payment.open_attempts() {
            if !matches!(attempt.state, AttemptState::Voiding | AttemptState::SurplusRefunding) {
                return Matter::Record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::PaidOtherwise });
            }
        }
        if payment.open_attempts().any(|attempt| !attempt.deferred) {
            let paid_at = payment.attempt(paid_by).map_or(now, |attempt| attempt.changed_at);
            let patience =
                payment.open_attempts().filter_map(|attempt| numbers(attempt).map(|c| millis(c.close_patience)));
            let until = paid_at + patience.max().unwrap_or(0);
            if now >= until {
                return Matter::Record(PaymentEvent::OthersDeferred);
            }
            later(until);
        }
        return Matter::Wait(next);
    }
    if !payment.state.is_end() && !payment.expired && !payment.cancel_requested {
        if now >= payment.collect_until {
            return Matter::Record(PaymentEvent::Expired);
        }
        later(payment.collect_until);
    }
    let ending = match (payment.cancel_requested, payment.expired) {
        (true, _) => Some(VoidReason::Cancelled),
        (false, true) => Some(VoidReason::Expired),
        (false, false) => None,
    };
    for attempt in payment.open_attempts().filter(|attempt| attempt.state != AttemptState::Voiding) {
        let Some(capabilities) = numbers(attempt) else { continue };
        let patient = matches!(attempt.state, AttemptState::CustomerConfirming | AttemptState::Unknown)
            .then(|| patience_ends(attempt, &capabilities));
        match (ending, patient) {
            // The time to begin is over; a customer who is confirming already may finish.
            (Some(VoidReason::Expired), Some(until)) if now < until => later(until),
            (Some(reason), _) => {
                // A request that is out is not overtaken: its answer, or its time limit, comes first.
                if attempt.state != AttemptState::Prepared {
                    return Matter::Record(PaymentEvent::VoidStarted { no: attempt.no, reason });
                }
            }
            (None, Some(until)) if now >= until => {
                return Matter::Record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown });
            }
            (None, Some(until)) => later(until),
            (None, None) => {}
        }
        let Some(expires) = attempt.code_expires_at.filter(|_| attempt.state == AttemptState::CodeShown) else {
            continue;
        };
        let successor = payment
            .attempts
            .iter()
            .rfind(|other| other.no > attempt.no && other.channel == attempt.channel && other.way == attempt.way);
        match successor {
            Some(fresh) if !fresh.state.is_end() || fresh.code.is_some() => {
                let until = expires + millis(capabilities.code_grace);
                if now >= until {
                    return Matter::Record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::Renewed });
                }
                later(until);
            }
            failed if payment.accepts_attempts() => {
                let pause = backoff(millis(capabilities.query_interval), u32::from(failed.is_some()));
                let at = failed.map_or(expires - RENEW_AHEAD_MS, |failed| failed.changed_at + pause);
                if payment.collect_until - now > RENEW_WORTH_MS && now >= at {
                    return Matter::Renew(attempt.channel.clone());
                }
                if payment.collect_until - at > RENEW_WORTH_MS {
                    later(at);
                }
            }
            _ => {}
        }
    }
    Matter::Wait(next)
}

/// The next thing about one open attempt.
pub(super) fn step(
    payment: &Payment,
    attempt: &Attempt,
    numbers: &Capabilities,
    memory: &Memory,
    now: UnixMillis,
) -> Step {
    let interval = millis(numbers.query_interval);
    let query_at = |pause: i64| match due(memory.queried_at, pause) {
        at if now >= at => Step::Query,
        at => Step::Wait(at),
    };
    match attempt.state {
        // No call is under way, so nobody waits for its answer: the program was stopped, or the call was given up.
        AttemptState::Prepared => Step::Record(PaymentEvent::ResultUnknown {
            no: attempt.no,
            detail: "the program ended before the answer came".into(),
        }),
        AttemptState::CodeShown => query_at(millis(numbers.shown_query_interval)),
        AttemptState::Unknown if attempt.way == Way::MerchantPresented && attempt.code.is_none() => {
            // Nobody can see that code, so nobody can be paying it.
            Step::Record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown })
        }
        AttemptState::CustomerConfirming | AttemptState::Unknown => {
            let arrived_at_the_latest = attempt.started_at + millis(numbers.request_timeout);
            if attempt.way == Way::ConsumerPresented
                && memory.not_found >= NOT_FOUND_ENOUGH
                && now >= arrived_at_the_latest
            {
                return Step::Record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown });
            }
            query_at(interval)
        }
        AttemptState::Voiding => {
            if memory.known_paid || (!memory.queried_since_void && payment.paid_by.is_none()) {
                return query_at(if memory.queried_since_void { interval } else { 0 });
            }
            let earliest = match attempt.way {
                Way::ConsumerPresented => attempt.started_at + millis(numbers.void_not_before),
                Way::MerchantPresented => UnixMillis::MIN,
            };
            let pause = if memory.tries == 0 { 0 } else { backoff(interval, memory.tries - 1) };
            let at = due(memory.tried_at, pause).max(earliest).max(memory.not_before.unwrap_or(UnixMillis::MIN));
            if now >= at { Step::Void } else { Step::Wait(at) }
        }
        AttemptState::SurplusRefunding => match &attempt.out_refund_no {
            None => Step::Record(PaymentEvent::SurplusRefundStarted {
                no: attempt.no,
                // One refund for each attempt, so its number follows from the attempt's.
                out_refund_no: format!("{}R", &attempt.out_trade_no.as_str()[1..]),
            }),
            Some(number) => {
                let pause = if memory.tries == 0 { 0 } else { backoff(interval, memory.tries - 1) };
                let at = due(memory.tried_at, pause);
                if now >= at { Step::Refund(number.clone()) } else { Step::Wait(at) }
            }
        },
        AttemptState::Succeeded
        | AttemptState::Failed
        | AttemptState::Closed
        | AttemptState::Reversed
        | AttemptState::SurplusRefunded => Step::Wait(UnixMillis::MAX),
    }
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
                _ => memory.not_found = 0,
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
        Outcome::Code(_) | Outcome::Pay(_) => {}
    }
}

/// The events that an outcome comes to. Empty where it says nothing new.
pub(super) fn events(
    payment: &Payment,
    no: u32,
    outcome: &Outcome,
    numbers: &Capabilities,
    memory: &mut Memory,
    now: UnixMillis,
) -> Vec<PaymentEvent> {
    let Some(attempt) = payment.attempt(no) else { return Vec::new() };
    let unknown = |detail: &str| PaymentEvent::ResultUnknown { no, detail: detail.to_owned() };
    match outcome {
        Outcome::Code(_) | Outcome::Pay(_) if attempt.state != AttemptState::Prepared => {
            // The world went on meanwhile (a notification, a cancellation). What still counts is whether money moved.
            match outcome {
                Outcome::Pay(PayOutcome::Paid(paid)) => succeeded(payment, attempt, paid),
                _ => Vec::new(),
            }
        }
        Outcome::Code(CodeOutcome::Shown { code }) => vec![PaymentEvent::CodeShown {
            no,
            code: code.clone(),
            code_expires_at: now + millis(numbers.code_lifetime),
        }],
        Outcome::Code(CodeOutcome::Failed(failure)) | Outcome::Pay(PayOutcome::Failed(failure)) => {
            vec![PaymentEvent::AttemptFailed { no, failure: failure.clone() }]
        }
        Outcome::Code(CodeOutcome::Unknown(detail)) | Outcome::Pay(PayOutcome::Unknown(detail)) => {
            vec![unknown(detail)]
        }
        Outcome::Pay(PayOutcome::CustomerConfirming) => vec![PaymentEvent::CustomerConfirming { no }],
        Outcome::Pay(PayOutcome::Paid(paid)) => succeeded(payment, attempt, paid),
        Outcome::Query(outcome) => queried(payment, attempt, outcome),
        Outcome::Void(outcome) => voided(attempt, outcome, memory),
        Outcome::Refund(outcome) => refunded(attempt, outcome, memory),
    }
}

fn succeeded(payment: &Payment, attempt: &Attempt, paid: &Paid) -> Vec<PaymentEvent> {
    if paid.amount != payment.amount {
        return wrong_amount(payment, attempt, paid);
    }
    let success = PaymentEvent::AttemptSucceeded {
        no: attempt.no,
        provider_trade_no: paid.provider_trade_no.clone(),
        payer: paid.payer.clone(),
        paid_at: paid.paid_at,
    };
    match attempt.state {
        AttemptState::Succeeded | AttemptState::SurplusRefunding | AttemptState::SurplusRefunded => Vec::new(),
        AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => once(
            payment,
            format!(
                "{} says that {} was paid ({}), but here it had ended unpaid: check with the provider and return the money",
                attempt.channel, attempt.out_trade_no, paid.amount
            ),
        ),
        _ if payment.paid_by.is_some() => {
            let told = PaymentEvent::AttentionRaised {
                detail: format!(
                    "Paid twice: {} by {} as well ({}). The second payment is being refunded",
                    paid.amount, attempt.channel, attempt.out_trade_no
                ),
            };
            vec![success, told]
        }
        _ => vec![success],
    }
}

/// A payment of another amount is never taken for ours: it is told to a person and taken back.
fn wrong_amount(payment: &Payment, attempt: &Attempt, paid: &Paid) -> Vec<PaymentEvent> {
    let detail = format!(
        "{} says that {} was paid with {}, but {} is due: it is not taken for paid",
        attempt.channel, attempt.out_trade_no, paid.amount, payment.amount
    );
    let mut events = once(payment, detail);
    if !attempt.state.is_end() && !matches!(attempt.state, AttemptState::Voiding | AttemptState::SurplusRefunding) {
        events.push(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown });
    }
    events
}

fn once(payment: &Payment, detail: String) -> Vec<PaymentEvent> {
    if payment.attention.contains(&detail) { Vec::new() } else { vec![PaymentEvent::AttentionRaised { detail }] }
}

fn queried(payment: &Payment, attempt: &Attempt, outcome: &QueryOutcome) -> Vec<PaymentEvent> {
    use AttemptState as A;
    let no = attempt.no;
    match outcome {
        QueryOutcome::Paid(paid) => succeeded(payment, attempt, paid),
        QueryOutcome::Returned => match attempt.state {
            A::Reversed | A::SurplusRefunded => Vec::new(),
            A::SurplusRefunding => vec![PaymentEvent::SurplusRefunded { no }],
            A::Succeeded | A::Failed | A::Closed => once(
                payment,
                format!(
                    "{} says that the money of {} was returned, not by this till",
                    attempt.channel, attempt.out_trade_no
                ),
            ),
            _ => vec![PaymentEvent::AttemptReversed { no, captured: true }],
        },
        _ if attempt.state.is_end() || attempt.state == A::SurplusRefunding => Vec::new(),
        QueryOutcome::Closed if attempt.state == A::Voiding => vec![PaymentEvent::AttemptClosed { no }],
        QueryOutcome::Closed => match attempt.way {
            Way::MerchantPresented => vec![PaymentEvent::AttemptClosed { no }],
            // The provider gave up on the customer.
            Way::ConsumerPresented => {
                vec![PaymentEvent::AttemptFailed { no, failure: Failure::new(FailureReason::TimedOut) }]
            }
        },
        QueryOutcome::Failed(failure) => vec![PaymentEvent::AttemptFailed { no, failure: failure.clone() }],
        _ if attempt.state == A::Voiding => Vec::new(),
        QueryOutcome::CustomerConfirming => confirming(attempt),
        QueryOutcome::AwaitingCustomer => match (attempt.way, attempt.state, &attempt.code, attempt.code_expires_at) {
            (Way::ConsumerPresented, ..) => confirming(attempt),
            (Way::MerchantPresented, A::Unknown, Some(code), Some(code_expires_at)) => {
                vec![PaymentEvent::CodeShown { no, code: code.clone(), code_expires_at }]
            }
            _ => Vec::new(),
        },
        QueryOutcome::NotFound | QueryOutcome::Unknown(_) => Vec::new(),
    }
}

fn confirming(attempt: &Attempt) -> Vec<PaymentEvent> {
    if attempt.state == AttemptState::CustomerConfirming {
        Vec::new()
    } else {
        vec![PaymentEvent::CustomerConfirming { no: attempt.no }]
    }
}

fn voided(attempt: &Attempt, outcome: &VoidOutcome, memory: &mut Memory) -> Vec<PaymentEvent> {
    let no = attempt.no;
    if attempt.state != AttemptState::Voiding {
        return Vec::new();
    }
    match outcome {
        VoidOutcome::Closed => match attempt.way {
            Way::MerchantPresented => vec![PaymentEvent::AttemptClosed { no }],
            Way::ConsumerPresented => vec![PaymentEvent::AttemptReversed { no, captured: false }],
        },
        VoidOutcome::Returned => vec![PaymentEvent::AttemptReversed { no, captured: true }],
        VoidOutcome::Failed(failure) => complain(attempt, failure, memory, "taken back"),
        VoidOutcome::AlreadyPaid | VoidOutcome::NotYet | VoidOutcome::Unknown(_) => Vec::new(),
    }
}

fn refunded(attempt: &Attempt, outcome: &RefundOutcome, memory: &mut Memory) -> Vec<PaymentEvent> {
    match outcome {
        _ if attempt.state != AttemptState::SurplusRefunding => Vec::new(),
        RefundOutcome::Done => vec![PaymentEvent::SurplusRefunded { no: attempt.no }],
        RefundOutcome::Failed(failure) => complain(attempt, failure, memory, "refunded"),
        RefundOutcome::Processing | RefundOutcome::Unknown(_) => Vec::new(),
    }
}

/// Tells a person once; the tries go on.
fn complain(attempt: &Attempt, failure: &Failure, memory: &mut Memory, what: &str) -> Vec<PaymentEvent> {
    if std::mem::replace(&mut memory.complained, true) {
        return Vec::new();
    }
    vec![PaymentEvent::AttentionRaised {
        detail: format!(
            "{} cannot be {what} yet: {} says {} {}. It is tried again",
            attempt.out_trade_no, attempt.channel, failure.provider_code, failure.provider_message
        ),
    }]
}
