//! Whatever happens in whatever order, a payment is paid once, comes to one end, and tells the truth about it.

use proptest::prelude::*;
use scantill::money::{Currency, Money};
use scantill::payment::{
    Attempt, AttemptState, ChannelId, ConfirmedBy, Failure, FailureReason, IllegalEvent, Payment, PaymentEvent,
    PaymentId, PaymentState, PendingReason, RefundState, VoidReason, Way,
};

fn created(minor: i64) -> PaymentEvent {
    PaymentEvent::Created {
        amount: Money::new(minor, Currency::CNY),
        description: "Tea".to_owned(),
        store: "main".parse().unwrap(),
        till: "front".parse().unwrap(),
        operator: None,
        collect_until: 60_000,
        training: true,
    }
}

fn sale() -> Payment {
    Payment::create(id(), 0, &created(100)).unwrap()
}

fn id() -> PaymentId {
    "pay_019a0000000070008000000000000001".parse().unwrap()
}

fn started(no: u32, way: Way) -> PaymentEvent {
    by(no, way, ConfirmedBy::Provider)
}

fn by(no: u32, way: Way, confirmed_by: ConfirmedBy) -> PaymentEvent {
    PaymentEvent::AttemptStarted {
        no,
        way,
        channel: ChannelId::ALIPAY,
        account: "acc".parse().unwrap(),
        out_trade_no: id().out_trade_no(no).unwrap(),
        auth_code_masked: None,
        auth_code_mac: None,
        confirmed_by,
    }
}

fn succeeded(no: u32) -> PaymentEvent {
    PaymentEvent::AttemptSucceeded { no, provider_trade_no: "2026".to_owned(), payer: None, paid_at: 1 }
}

fn refund_started(no: u32, attempt: u32, minor: i64, by_hand: bool) -> PaymentEvent {
    PaymentEvent::RefundStarted {
        no,
        attempt,
        out_refund_no: id().out_refund_no(no).unwrap(),
        amount: Money::new(minor, Currency::CNY),
        reason: None,
        by: "Li".to_owned(),
        by_hand,
    }
}

/// An event that may or may not fit. Numbers are small so that they often name an attempt that exists.
fn event() -> impl Strategy<Value = PaymentEvent> {
    let no = 1_u32..5;
    let way = prop::sample::select(vec![Way::MerchantPresented, Way::ConsumerPresented]);
    let reason = prop::sample::select(vec![
        VoidReason::Cancelled,
        VoidReason::Expired,
        VoidReason::PaidOtherwise,
        VoidReason::Renewed,
        VoidReason::StayedUnknown,
    ]);
    prop_oneof![
        1 => (-1_i64..200).prop_map(created),
        1 => (-1_i64..200).prop_map(|minor| PaymentEvent::Changed {
            amount: Money::new(minor, Currency::CNY),
            description: "Coffee".to_owned(),
        }),
        7 => (no.clone(), way).prop_map(|(no, way)| started(no, way)),
        3 => no.clone().prop_map(|no| by(no, Way::MerchantPresented, ConfirmedBy::Cashier)),
        3 => no.clone().prop_map(|no| PaymentEvent::CashierConfirmed { no, by: "Li".to_owned() }),
        1 => no.clone().prop_map(|no| PaymentEvent::ArrivedLate { no }),
        1 => no.clone().prop_map(|no| PaymentEvent::SurplusOwed { no }),
        6 => (no.clone(), no.clone(), -1_i64..120, any::<bool>())
            .prop_map(|(no, attempt, minor, by_hand)| refund_started(no, attempt, minor, by_hand)),
        3 => no.clone().prop_map(|no| PaymentEvent::RefundSucceeded { no }),
        1 => no.clone().prop_map(|no| PaymentEvent::RefundFailed {
            no,
            failure: Failure::new(FailureReason::ProviderRefused),
        }),
        4 => no.clone().prop_map(|no| PaymentEvent::CodeShown { no, code: "https".to_owned(), code_expires_at: 9 }),
        3 => no.clone().prop_map(|no| PaymentEvent::CustomerConfirming { no }),
        3 => no.clone().prop_map(|no| PaymentEvent::ResultUnknown { no, detail: "timeout".to_owned() }),
        3 => (no.clone(), reason).prop_map(|(no, reason)| PaymentEvent::VoidStarted { no, reason }),
        4 => no.clone().prop_map(succeeded),
        3 => no.clone().prop_map(|no| PaymentEvent::AttemptFailed {
            no,
            failure: Failure::new(FailureReason::InsufficientFunds),
        }),
        3 => no.clone().prop_map(|no| PaymentEvent::AttemptClosed { no }),
        2 => (no.clone(), any::<bool>()).prop_map(|(no, captured)| PaymentEvent::AttemptReversed { no, captured }),
        3 => no.clone().prop_map(|no| PaymentEvent::SurplusRefundStarted { no, out_refund_no: "R1".to_owned() }),
        3 => no.clone().prop_map(|no| PaymentEvent::SurplusRefunded { no }),
        3 => no.prop_map(|no| PaymentEvent::AttemptDeferred { no }),
        1 => Just(PaymentEvent::OthersDeferred),
        1 => Just(PaymentEvent::CancelRequested { by: "Li".to_owned() }),
        1 => Just(PaymentEvent::Expired),
        1 => Just(PaymentEvent::AttentionRaised { detail: "look".to_owned() }),
    ]
}

/// The diagram, written down a second time.
fn may_follow(from: PaymentState, to: PaymentState) -> bool {
    use PaymentState as S;
    match from {
        S::Created => matches!(to, S::Created | S::Pending | S::Closed),
        S::Pending => matches!(to, S::Pending | S::Succeeded | S::Failed | S::Closed | S::Reversed),
        S::Succeeded | S::PartiallyRefunded => matches!(to, S::PartiallyRefunded | S::Refunded) || to == from,
        S::Failed | S::Closed | S::Reversed | S::Refunded => to == from,
    }
}

fn check_one(payment: &Payment) {
    assert_eq!(payment.pending.is_some(), payment.state == PaymentState::Pending, "{payment:?}");
    let paying: Vec<_> = payment.attempts.iter().filter(|one| one.state == AttemptState::Succeeded).collect();
    assert_eq!(paying.first().map(|attempt| attempt.no), payment.paid_by, "{payment:?}");
    assert!(paying.len() <= 1, "paid twice: {payment:?}");
    if payment.paid_by.is_some() {
        let closing = payment.pending == Some(PendingReason::ClosingOthers);
        let refunded = payment.refunded();
        let state = match refunded {
            0 if closing => PaymentState::Pending,
            0 => PaymentState::Succeeded,
            refunded if refunded < payment.amount.minor => PaymentState::PartiallyRefunded,
            _ => PaymentState::Refunded,
        };
        assert_eq!(payment.state, state, "{payment:?}");
    } else {
        assert!(!payment.state.is_paid() && payment.state != PaymentState::Refunded, "{payment:?}");
        let surplus = |one: AttemptState| matches!(one, AttemptState::SurplusRefunding | AttemptState::SurplusRefunded);
        let late = |one: &Attempt| one.deferred && payment.state.is_end();
        assert!(
            !payment.attempts.iter().any(|one| surplus(one.state) && !late(one)),
            "a surplus of nothing: {payment:?}"
        );
        assert!(!payment.state.is_end() || payment.open_attempts().all(late), "ended too soon: {payment:?}");
    }
    check_refunds(payment);
    for attempt in &payment.attempts {
        let refunding = attempt.out_refund_no.is_some();
        let surplus = matches!(
            attempt.state,
            AttemptState::SurplusRefunding | AttemptState::SurplusRefunded | AttemptState::SurplusOwed
        );
        assert!(surplus || !refunding, "a refund of no surplus: {payment:?}");
        assert!(!surplus || attempt.paid_at.is_some(), "a surplus that was never paid: {payment:?}");
        let said =
            attempt.confirmed_by == ConfirmedBy::Provider || attempt.paid_at.is_none() || attempt.seen_by.is_some();
        assert!(said, "paid without the cashier's word: {payment:?}");
    }
    assert!(payment.attempts.iter().enumerate().all(|(index, one)| one.no as usize == index + 1));
    let open = payment.open_attempts().next().is_some() || payment.open_refunds().next().is_some();
    assert_eq!(payment.is_unfinished(), !payment.state.is_end() || open);
}

/// Whatever is asked back and whatever comes of it, no attempt's money goes back twice.
fn check_refunds(payment: &Payment) {
    for attempt in &payment.attempts {
        let of_attempt =
            payment.refunds.iter().filter(|one| one.attempt == attempt.no && one.state != RefundState::Failed);
        let sum: i64 = of_attempt.map(|refund| refund.amount.minor).sum();
        assert!((0..=payment.amount.minor).contains(&sum), "more than was paid: {payment:?}");
        let paid = Some(attempt.no) == payment.paid_by
            || matches!(attempt.state, AttemptState::SurplusOwed | AttemptState::SurplusRefunded);
        assert!(sum == 0 || paid, "a refund of nothing: {payment:?}");
        if Some(attempt.no) == payment.paid_by && payment.state.is_paid() {
            assert_eq!(payment.refundable(), payment.amount.minor - sum);
        }
    }
    assert!(payment.refunds.iter().all(|refund| refund.amount.minor > 0));
    assert!(payment.refunds.iter().enumerate().all(|(index, one)| one.no as usize == index + 1));
}

fn check_step(before: &Payment, after: &Payment, event: &PaymentEvent) {
    assert!(may_follow(before.state, after.state), "{:?} -> {:?} by {event:?}", before.state, after.state);
    assert!(before.state.may_become(after.state));
    assert_eq!(after.version, before.version + 1);
    assert!(before.paid_by.is_none() || before.paid_by == after.paid_by, "paid by another: {event:?}");
    assert!(after.attempts.len() >= before.attempts.len());
    for (old, new) in before.attempts.iter().zip(&after.attempts) {
        assert_eq!((&old.out_trade_no, old.way, &old.channel), (&new.out_trade_no, new.way, &new.channel));
        let by_a_person = matches!(
            (old.state, new.state),
            (AttemptState::Closed, AttemptState::SurplusOwed)
                | (AttemptState::SurplusOwed, AttemptState::SurplusRefunded)
        );
        let only_seen = old.state == new.state && matches!(event, PaymentEvent::CashierConfirmed { .. });
        assert!(!old.state.is_end() || old == new || by_a_person || only_seen, "an end that was none: {event:?}");
        assert!(!old.deferred || new.deferred);
    }
    if before.amount != after.amount {
        assert_eq!(before.state, PaymentState::Created, "the amount changed after something was shown");
        assert!(after.amount.check_sale().is_ok());
    }
    if after.attempts.len() > before.attempts.len() {
        assert!(before.accepts_attempts() && before.paid_by.is_none());
        assert!(!before.cancel_requested && !before.expired && !before.state.is_end());
    }
    if !before.is_unfinished() {
        let by_a_person = matches!(
            event,
            PaymentEvent::AttentionRaised { .. }
                | PaymentEvent::CashierConfirmed { .. }
                | PaymentEvent::ArrivedLate { .. }
                | PaymentEvent::RefundStarted { .. }
        );
        assert!(by_a_person, "{event:?} after the end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_breaks_a_rule(events in prop::collection::vec(event(), 0..60)) {
        let mut payment = sale();
        let mut happened = Vec::new();
        for (at, event) in (1..).zip(&events) {
            let before = payment.clone();
            match payment.apply(at, event) {
                Ok(()) => {
                    check_step(&before, &payment, event);
                    happened.push((at, event));
                }
                Err(IllegalEvent { event: kind, .. }) => {
                    prop_assert_eq!(&payment, &before, "a refused event left a trace");
                    prop_assert_eq!(kind, event.kind());
                }
            }
            check_one(&payment);
        }
        let mut rebuilt = sale();
        for (at, event) in happened {
            let told: PaymentEvent = serde_json::from_value(serde_json::to_value(event).unwrap()).unwrap();
            prop_assert_eq!(&told, event);
            rebuilt.apply(at, &told).unwrap();
        }
        prop_assert_eq!(&rebuilt, &payment);
        let kept: Payment = serde_json::from_str(&serde_json::to_string(&payment).unwrap()).unwrap();
        prop_assert_eq!(kept, payment);
    }

    #[test]
    fn a_payment_that_is_cancelled_or_runs_out_always_comes_to_an_end(
        events in prop::collection::vec(event(), 0..40),
        expired in any::<bool>(),
    ) {
        let mut payment = sale();
        for event in &events {
            let _ = payment.apply(1, event);
        }
        let ending = if expired { PaymentEvent::Expired } else { PaymentEvent::CancelRequested { by: "Li".to_owned() } };
        if !payment.state.is_end() && payment.paid_by.is_none() {
            payment.apply(2, &ending).unwrap();
        }
        // Whatever is open can always be closed with its provider, or refunded where it is a surplus.
        let open: Vec<_> = payment.open_attempts().map(|attempt| (attempt.no, attempt.state)).collect();
        let refunds: Vec<_> = payment.open_refunds().map(|refund| refund.no).collect();
        for no in refunds {
            payment.apply(3, &PaymentEvent::RefundSucceeded { no }).unwrap();
        }
        for (no, state) in open {
            let end = match state {
                AttemptState::SurplusRefunding => PaymentEvent::SurplusRefunded { no },
                _ => PaymentEvent::AttemptClosed { no },
            };
            payment.apply(3, &end).unwrap();
        }
        prop_assert!(!payment.is_unfinished(), "{:?}", payment);
    }
}

#[test]
fn a_surplus_is_what_was_paid_a_second_time_and_nothing_else() {
    let mut payment = sale();
    payment.apply(1, &started(1, Way::MerchantPresented)).unwrap();
    payment.apply(2, &started(2, Way::ConsumerPresented)).unwrap();
    let refund = PaymentEvent::SurplusRefundStarted { no: 1, out_refund_no: "R".to_owned() };
    assert!(payment.apply(3, &refund).is_err(), "nothing was paid");
    payment.apply(3, &succeeded(2)).unwrap();
    assert_eq!(payment.pending, Some(PendingReason::ClosingOthers));
    assert!(payment.apply(4, &refund).is_err(), "it is open, not paid");
    payment.apply(4, &succeeded(1)).unwrap();
    assert_eq!((payment.state, payment.paid_by), (PaymentState::Succeeded, Some(2)));
    payment.apply(5, &refund).unwrap();
    payment.apply(6, &PaymentEvent::SurplusRefunded { no: 1 }).unwrap();
    assert!(!payment.is_unfinished());
}

#[test]
fn no_more_goes_back_than_was_paid() {
    let mut payment = sale();
    assert!(payment.apply(1, &refund_started(1, 1, 1, false)).is_err(), "nothing was paid");
    payment.apply(1, &started(1, Way::ConsumerPresented)).unwrap();
    payment.apply(2, &succeeded(1)).unwrap();
    payment.apply(3, &refund_started(1, 1, 60, false)).unwrap();
    assert_eq!((payment.state, payment.refundable()), (PaymentState::Succeeded, 40));
    assert!(payment.apply(4, &refund_started(2, 1, 41, false)).is_err(), "60 of 100 are on their way");
    payment.apply(4, &refund_started(2, 1, 40, false)).unwrap();
    payment.apply(5, &PaymentEvent::RefundSucceeded { no: 2 }).unwrap();
    assert_eq!(payment.state, PaymentState::PartiallyRefunded);
    let failure = Failure::new(FailureReason::ProviderRefused);
    payment.apply(6, &PaymentEvent::RefundFailed { no: 1, failure: failure.clone() }).unwrap();
    assert_eq!((payment.state, payment.refundable()), (PaymentState::PartiallyRefunded, 60));
    assert!(payment.apply(7, &PaymentEvent::RefundSucceeded { no: 1 }).is_err(), "an end is an end");
    payment.apply(7, &refund_started(3, 1, 60, false)).unwrap();
    payment.apply(8, &PaymentEvent::RefundSucceeded { no: 3 }).unwrap();
    assert_eq!((payment.state, payment.refundable(), payment.is_unfinished()), (PaymentState::Refunded, 0, false));
    assert!(payment.apply(9, &refund_started(4, 1, 1, true)).is_err(), "not by hand either");
}

#[test]
fn only_the_cashiers_word_pays_what_no_provider_tells_of() {
    let mut payment = sale();
    payment.apply(1, &by(1, Way::MerchantPresented, ConfirmedBy::Cashier)).unwrap();
    let seen = PaymentEvent::CashierConfirmed { no: 1, by: "Li".to_owned() };
    assert!(payment.apply(2, &seen).is_err(), "no code was shown");
    let shown = PaymentEvent::CodeShown { no: 1, code: "0002".to_owned(), code_expires_at: 9 };
    payment.apply(2, &shown).unwrap();
    assert!(payment.apply(3, &succeeded(1)).is_err(), "nobody saw the money");
    payment.apply(3, &PaymentEvent::Expired).unwrap();
    assert_eq!(payment.pending, Some(PendingReason::AwaitingCashier));
    payment.apply(4, &seen).unwrap();
    payment.apply(4, &succeeded(1)).unwrap();
    assert_eq!((payment.state, payment.attempts[0].seen_by.as_deref()), (PaymentState::Succeeded, Some("Li")));
    assert!(payment.apply(5, &seen).is_err(), "once");
}

#[test]
fn rows_of_books_made_before_are_still_read() {
    // As the first version wrote them.
    let row = r#"{"kind":"attempt_started","no":1,"way":"merchant_presented","channel":"alipay","account":"a",
        "out_trade_no":"019A00000000000800000000000001","auth_code_masked":null,"auth_code_mac":null}"#;
    let event: PaymentEvent = serde_json::from_str(row).unwrap();
    let mut payment = sale();
    payment.apply(1, &event).unwrap();
    assert_eq!(payment.attempts[0].confirmed_by, ConfirmedBy::Provider);
    // And what it did not tell is still not told, so that a row's text stays what it was.
    assert!(!serde_json::to_string(&event).unwrap().contains("confirmed_by"));
    let mut doc = serde_json::to_value(&payment).unwrap();
    doc.as_object_mut().unwrap().remove("refunds").unwrap();
    let attempt = doc["attempts"][0].as_object_mut().unwrap();
    attempt.remove("confirmed_by").unwrap();
    attempt.remove("seen_by").unwrap();
    assert_eq!(serde_json::from_value::<Payment>(doc).unwrap(), payment);
}

#[test]
fn no_sale_begins_without_an_amount() {
    for minor in [0, -1, i64::MIN, i64::MAX] {
        assert!(Payment::create(id(), 0, &created(minor)).is_err());
    }
    assert!(Payment::create(id(), 0, &PaymentEvent::Expired).is_err());
}
