//! What an outcome comes to: the events to write.

use super::super::clock::millis;
use super::step::owed;
use super::{Memory, Outcome, once};
use crate::channel::{Capabilities, CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, VoidOutcome};
use crate::payment::{
    Attempt, AttemptState, ConfirmedBy, Failure, FailureReason, Payment, PaymentEvent, RefundState, UnixMillis,
    VoidReason, Way,
};

/// The events that an outcome comes to. Empty where it says nothing new.
pub(in crate::engine) fn events(
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
                Outcome::Pay(PayOutcome::Paid(paid)) => succeeded(payment, attempt, paid, numbers),
                _ => Vec::new(),
            }
        }
        Outcome::Code(CodeOutcome::Shown { code }) => vec![PaymentEvent::CodeShown {
            no,
            code: code.clone(),
            code_expires_at: match attempt.confirmed_by {
                ConfirmedBy::Provider => now + millis(numbers.code_lifetime),
                // No provider lets it run out: it is offered as long as the sale.
                ConfirmedBy::Cashier => payment.collect_until,
            },
        }],
        Outcome::Code(CodeOutcome::Failed(failure)) | Outcome::Pay(PayOutcome::Failed(failure)) => {
            vec![PaymentEvent::AttemptFailed { no, failure: failure.clone() }]
        }
        Outcome::Code(CodeOutcome::Unknown(detail)) | Outcome::Pay(PayOutcome::Unknown(detail)) => {
            vec![unknown(detail)]
        }
        Outcome::Pay(PayOutcome::CustomerConfirming) => vec![PaymentEvent::CustomerConfirming { no }],
        Outcome::Pay(PayOutcome::Paid(paid)) => succeeded(payment, attempt, paid, numbers),
        Outcome::Query(outcome) => queried(payment, attempt, outcome, numbers),
        Outcome::Void(outcome) => voided(attempt, outcome, memory),
        Outcome::Refund(outcome) => refunded(attempt, outcome, memory),
    }
}

/// The cashier saw the attempt's money on the shop's account. Empty where that was said before.
pub(in crate::engine) fn confirmed(
    payment: &Payment,
    attempt: &Attempt,
    by: &str,
    numbers: &Capabilities,
    now: UnixMillis,
) -> Vec<PaymentEvent> {
    let mut events = vec![PaymentEvent::CashierConfirmed { no: attempt.no, by: by.to_owned() }];
    match attempt.state {
        _ if attempt.seen_by.is_some() => return Vec::new(),
        AttemptState::Closed => {
            events.push(PaymentEvent::ArrivedLate { no: attempt.no });
            events.extend(once(
                payment,
                format!(
                    "{} of {} ({}) arrived after it was closed. Pay it back by hand, and record that here",
                    payment.amount, attempt.channel, attempt.out_trade_no
                ),
            ));
        }
        _ => {
            // There is no number of a provider's.
            let paid = Paid {
                provider_trade_no: attempt.out_trade_no.to_string(),
                amount: payment.amount,
                payer: None,
                paid_at: now,
            };
            events.extend(succeeded(payment, attempt, &paid, numbers));
        }
    }
    events
}

fn succeeded(payment: &Payment, attempt: &Attempt, paid: &Paid, numbers: &Capabilities) -> Vec<PaymentEvent> {
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
        AttemptState::Succeeded
        | AttemptState::SurplusRefunding
        | AttemptState::SurplusRefunded
        | AttemptState::SurplusOwed => Vec::new(),
        AttemptState::Failed | AttemptState::Closed | AttemptState::Reversed => once(
            payment,
            format!(
                "{} says that {} was paid ({}), but here it had ended unpaid: check with the provider and return the money",
                attempt.channel, attempt.out_trade_no, paid.amount
            ),
        ),
        _ if (payment.paid_by.is_some() || payment.state.is_end()) && numbers.refund.is_none() => {
            let mut events = vec![success];
            events.extend(owed(payment, attempt));
            events
        }
        _ if payment.paid_by.is_none() && payment.state.is_end() => {
            let told = PaymentEvent::AttentionRaised {
                detail: format!(
                    "{} came in by {} ({}) after the sale was over. It is being refunded",
                    paid.amount, attempt.channel, attempt.out_trade_no
                ),
            };
            vec![success, told]
        }
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

fn queried(payment: &Payment, attempt: &Attempt, outcome: &QueryOutcome, numbers: &Capabilities) -> Vec<PaymentEvent> {
    use AttemptState as A;
    let no = attempt.no;
    match outcome {
        QueryOutcome::Paid(paid) => succeeded(payment, attempt, paid, numbers),
        QueryOutcome::Returned => match attempt.state {
            A::Reversed | A::SurplusRefunded | A::SurplusOwed => Vec::new(),
            // A refund of ours: asking about that one tells how it stands.
            A::Succeeded if payment.refunds.iter().any(|refund| refund.state != RefundState::Failed) => Vec::new(),
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
        QueryOutcome::SomeReturned(paid) => partly_returned(payment, attempt, paid, numbers),
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
        QueryOutcome::AwaitingCustomer | QueryOutcome::NotFound if attempt.state == A::Voiding => {
            deferred(payment, attempt, numbers)
        }
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

/// A sale that is being ended does not wait minutes for an unpaid code that cannot be closed.
fn deferred(payment: &Payment, attempt: &Attempt, numbers: &Capabilities) -> Vec<PaymentEvent> {
    let ending = payment.paid_by.is_none() && (payment.cancel_requested || payment.expired);
    let runs_out = attempt.way == Way::MerchantPresented && numbers.close_patience.is_zero();
    if ending && runs_out && !attempt.deferred {
        vec![PaymentEvent::AttemptDeferred { no: attempt.no }]
    } else {
        Vec::new()
    }
}

/// It was paid, and nobody says how much of that went back. A sale is never called unpaid for that: it counts as paid,
/// and a person looks.
fn partly_returned(payment: &Payment, attempt: &Attempt, paid: &Paid, numbers: &Capabilities) -> Vec<PaymentEvent> {
    use AttemptState as A;
    let told = |what: &str| {
        once(
            payment,
            format!(
                "{} says that money of {} was returned, not by this till and not how much: {what}",
                attempt.channel, attempt.out_trade_no
            ),
        )
    };
    match attempt.state {
        // What becomes of our own refund is asked under its number.
        A::Reversed | A::SurplusRefunding | A::SurplusRefunded | A::SurplusOwed => Vec::new(),
        A::Succeeded if payment.refunds.iter().any(|refund| refund.state != RefundState::Failed) => Vec::new(),
        A::Succeeded | A::Failed | A::Closed => told("check with the provider"),
        // An earlier try of ours to reverse it may be what returned it, so what the reversal itself says decides.
        A::Voiding if attempt.way == Way::ConsumerPresented => {
            told("it is reversed as a whole; check with the provider")
        }
        _ => {
            let mut events = succeeded(payment, attempt, paid, numbers);
            events.extend(told("it counts as paid; check with the provider, and record here what went back"));
            events
        }
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
        RefundOutcome::Processing | RefundOutcome::NotFound | RefundOutcome::Unknown(_) => Vec::new(),
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
