//! What is due about the payment as a whole: the end of the offer, codes to renew, attempts to take back.

use super::super::clock::millis;
use super::{Matter, Numbers, backoff, patience_ends};
use crate::payment::{Attempt, AttemptState, ConfirmedBy, Payment, PaymentEvent, UnixMillis, VoidReason};

/// How long before a shown code ends a fresh one is asked for.
const RENEW_AHEAD_MS: i64 = 10_000;
/// A fresh code is not worth asking for when the sale ends sooner than this.
const RENEW_WORTH_MS: i64 = 15_000;

/// The next thing about the payment as a whole, if it is due.
pub(in crate::engine) fn matter(payment: &Payment, numbers: Numbers<'_>, now: UnixMillis) -> Matter {
    let mut next: Option<UnixMillis> = None;
    let mut later = |at: UnixMillis| next = Some(next.map_or(at, |earlier| earlier.min(at)));
    if let Some(paid_by) = payment.paid_by {
        for attempt in payment.open_attempts() {
            if !matches!(attempt.state, AttemptState::Voiding | AttemptState::SurplusRefunding) {
                return record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::PaidOtherwise });
            }
        }
        if payment.open_attempts().any(|attempt| !attempt.deferred) {
            let paid_at = payment.attempt(paid_by).map_or(now, |attempt| attempt.changed_at);
            let patience =
                payment.open_attempts().filter_map(|attempt| numbers(attempt).map(|c| millis(c.close_patience)));
            let until = paid_at + patience.max().unwrap_or(0);
            if now >= until {
                return record(PaymentEvent::OthersDeferred);
            }
            later(until);
        }
        return Matter::Wait(next);
    }
    // What a sale that is over did not wait for is seen to attempt by attempt.
    if payment.state.is_end() {
        return Matter::Wait(None);
    }
    if !payment.expired && !payment.cancel_requested {
        if now >= payment.collect_until {
            return Matter::Record(expired(payment));
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
        let patient = match attempt.state {
            AttemptState::CustomerConfirming | AttemptState::Unknown => Some(patience_ends(attempt, &capabilities)),
            // Only a person can tell whether it was paid, and may need a while past the offer to look.
            _ if is_for_cashier(attempt) && payment.expired => {
                Some(payment.collect_until + millis(capabilities.confirm_patience))
            }
            _ => None,
        };
        match (ending, patient) {
            // The time to begin is over; a customer who is confirming already may finish.
            (Some(VoidReason::Expired), Some(until)) if now < until => later(until),
            (Some(reason), _) => {
                // A request that is out is not overtaken: its answer, or its time limit, comes first.
                if attempt.state != AttemptState::Prepared {
                    return Matter::Record(void(attempt, reason));
                }
            }
            (None, Some(until)) if now >= until => {
                return record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::StayedUnknown });
            }
            (None, Some(until)) => later(until),
            (None, None) => {}
        }
        // A code that says the same each time need not be renewed.
        let renewed = attempt.state == AttemptState::CodeShown && !is_for_cashier(attempt);
        let Some(expires) = attempt.code_expires_at.filter(|_| renewed) else {
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
                    return record(PaymentEvent::VoidStarted { no: attempt.no, reason: VoidReason::Renewed });
                }
                later(until);
            }
            failed if payment.accepts_attempts() => {
                let pause = backoff(millis(capabilities.query_interval), u32::from(failed.is_some()));
                let at = failed.map_or(expires - RENEW_AHEAD_MS, |failed| failed.changed_at + pause);
                let begin = at.max(now);
                if payment.collect_until - begin > RENEW_WORTH_MS {
                    if begin == now {
                        return Matter::Renew(attempt.channel.clone());
                    }
                    later(at);
                }
            }
            _ => {}
        }
    }
    Matter::Wait(next)
}

fn record(event: PaymentEvent) -> Matter {
    Matter::Record(vec![event])
}

/// Whether a code is shown whose payment only the cashier can see.
fn is_for_cashier(attempt: &Attempt) -> bool {
    attempt.confirmed_by == ConfirmedBy::Cashier && attempt.state == AttemptState::CodeShown
}

/// The offer ends. Where only a person can tell what became of a shown code, the person is told to look.
fn expired(payment: &Payment) -> Vec<PaymentEvent> {
    let look = payment.open_attempts().filter(|attempt| is_for_cashier(attempt)).map(|attempt| {
        PaymentEvent::AttentionRaised {
            detail: format!(
                "The time to pay ran out while a code of {} was shown, and nothing but the shop's account tells whether \
                 it was paid: look there for {} ({}), then confirm the payment or cancel it",
                attempt.channel, payment.amount, attempt.out_trade_no
            ),
        }
    });
    std::iter::once(PaymentEvent::Expired).chain(look).collect()
}

fn void(attempt: &Attempt, reason: VoidReason) -> Vec<PaymentEvent> {
    let mut events = vec![PaymentEvent::VoidStarted { no: attempt.no, reason }];
    if is_for_cashier(attempt) && reason == VoidReason::Expired {
        events.push(PaymentEvent::AttentionRaised {
            detail: format!(
                "Nobody said whether {} ({}) was paid, so it counts as not paid: look at the shop's account. If the \
                 money arrived, confirm it here all the same and pay it back by hand",
                attempt.out_trade_no, attempt.channel
            ),
        });
    }
    events
}
