//! What is due about one open attempt.

use super::super::clock::millis;
use super::{Memory, Step, backoff, due, once};
use crate::channel::Capabilities;
use crate::payment::{Attempt, AttemptState, ConfirmedBy, Payment, PaymentEvent, UnixMillis, VoidReason, Way};

/// So many answers in a row that there is no such order, after the request's time limit, mean that it never arrived.
const NOT_FOUND_ENOUGH: u32 = 2;

/// The next thing about one open attempt.
pub(in crate::engine) fn step(
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
        AttemptState::Prepared => record(PaymentEvent::ResultUnknown {
            no: attempt.no,
            detail: "the program ended before the answer came".into(),
        }),
        // There is nobody to ask but the cashier.
        AttemptState::CodeShown if attempt.confirmed_by == ConfirmedBy::Cashier => Step::Wait(UnixMillis::MAX),
        AttemptState::Voiding if attempt.confirmed_by == ConfirmedBy::Cashier => {
            record(PaymentEvent::AttemptClosed { no: attempt.no })
        }
        AttemptState::CodeShown => query_at(millis(numbers.shown_query_interval)),
        AttemptState::Unknown if attempt.way == Way::MerchantPresented && attempt.code.is_none() => {
            // Nobody can see that code, so nobody can be paying it.
            record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown })
        }
        AttemptState::CustomerConfirming | AttemptState::Unknown => {
            if attempt.way == Way::ConsumerPresented
                && memory.not_found >= NOT_FOUND_ENOUGH
                && now >= arrived_at_the_latest(attempt, memory, numbers)
            {
                return record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown });
            }
            query_at(interval)
        }
        AttemptState::Voiding => {
            if let Some(until) = memory.others_until.filter(|until| now < *until) {
                return Step::Wait(until);
            }
            if memory.known_paid || (!memory.queried_since_void && payment.paid_by.is_none()) {
                return query_at(if memory.queried_since_void { interval } else { 0 });
            }
            if now > attempt.started_at + millis(numbers.void_window) {
                return past_window(payment, attempt, memory, interval, now);
            }
            let earliest = match attempt.way {
                // Taken back before it arrives, it would be charged all the same when it does.
                Way::ConsumerPresented if !memory.known_there => (attempt.started_at + millis(numbers.void_not_before))
                    .max(arrived_at_the_latest(attempt, memory, numbers)),
                Way::ConsumerPresented => attempt.started_at + millis(numbers.void_not_before),
                // Nobody can pay a code that nobody has seen.
                Way::MerchantPresented => UnixMillis::MIN,
            };
            let pause = if memory.tries == 0 { 0 } else { backoff(interval, memory.tries - 1) };
            let at = due(memory.tried_at, pause).max(earliest).max(memory.not_before.unwrap_or(UnixMillis::MIN));
            if now >= at { Step::Void } else { Step::Wait(at) }
        }
        AttemptState::SurplusRefunding if numbers.refund.is_none() => Step::Record(owed(payment, attempt)),
        AttemptState::SurplusRefunding => match &attempt.out_refund_no {
            None => record(PaymentEvent::SurplusRefundStarted {
                no: attempt.no,
                // One refund for each attempt, so its number follows from the attempt's.
                out_refund_no: format!("{}R", &attempt.out_trade_no.as_str()[1..]),
            }),
            // A refusal may mean that it went back in another way.
            Some(_) if memory.complained && memory.queried_at < memory.tried_at => Step::Query,
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
        | AttemptState::SurplusRefunded
        | AttemptState::SurplusOwed => Step::Wait(UnixMillis::MAX),
    }
}

/// When a request to pay has arrived, or never does.
fn arrived_at_the_latest(attempt: &Attempt, memory: &Memory, numbers: &Capabilities) -> UnixMillis {
    (attempt.started_at + millis(numbers.request_timeout)).max(memory.arriving_until.unwrap_or(UnixMillis::MIN))
}

fn record(event: PaymentEvent) -> Step {
    Step::Record(vec![event])
}

/// The provider no longer takes it back. What became of it is still asked, and a person is told.
fn past_window(payment: &Payment, attempt: &Attempt, memory: &Memory, interval: i64, now: UnixMillis) -> Step {
    let told = once(
        payment,
        format!(
            "{} can no longer be taken back with {}: ask the provider whether it was paid, and return the money if so",
            attempt.out_trade_no, attempt.channel
        ),
    );
    if !told.is_empty() {
        return Step::Record(told);
    }
    match due(memory.queried_at, backoff(interval, 10)) {
        at if now >= at => Step::Query,
        at => Step::Wait(at),
    }
}

/// A surplus that the channel cannot return.
pub(super) fn owed(payment: &Payment, attempt: &Attempt) -> Vec<PaymentEvent> {
    let (amount, channel, number) = (payment.amount, &attempt.channel, &attempt.out_trade_no);
    let what = if payment.paid_by.is_some() {
        format!("Paid twice: {amount} by {channel} as well ({number})")
    } else {
        format!("{amount} came in by {channel} ({number}) after the sale was over")
    };
    let detail = format!("{what}, which cannot return money. Pay it back by hand, and record that here");
    let mut events = vec![PaymentEvent::SurplusOwed { no: attempt.no }];
    events.extend(once(payment, detail));
    events
}
