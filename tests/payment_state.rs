//! Whatever happens in whatever order, a payment is paid once, comes to one end, and tells the truth about it.

use proptest::prelude::*;
use scantill::money::{Currency, Money};
use scantill::payment::{
    AttemptState, ChannelId, Failure, FailureReason, IllegalEvent, Payment, PaymentEvent, PaymentId, PaymentState,
    PendingReason, VoidReason, Way,
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
    PaymentEvent::AttemptStarted {
        no,
        way,
        channel: ChannelId::ALIPAY,
        account: "acc".parse().unwrap(),
        out_trade_no: id().out_trade_no(no).unwrap(),
        auth_code_masked: None,
        auth_code_mac: None,
    }
}

fn succeeded(no: u32) -> PaymentEvent {
    PaymentEvent::AttemptSucceeded { no, provider_trade_no: "2026".to_owned(), payer: None, paid_at: 1 }
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
        8 => (no.clone(), way).prop_map(|(no, way)| started(no, way)),
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
        3 => no.prop_map(|no| PaymentEvent::SurplusRefunded { no }),
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
        // No event of this version refunds a payment that is paid once.
        S::Succeeded | S::Failed | S::Closed | S::Reversed | S::PartiallyRefunded | S::Refunded => to == from,
    }
}

fn check_one(payment: &Payment) {
    assert_eq!(payment.pending.is_some(), payment.state == PaymentState::Pending, "{payment:?}");
    let paying: Vec<_> = payment.attempts.iter().filter(|one| one.state == AttemptState::Succeeded).collect();
    assert_eq!(paying.first().map(|attempt| attempt.no), payment.paid_by, "{payment:?}");
    assert!(paying.len() <= 1, "paid twice: {payment:?}");
    if payment.paid_by.is_some() {
        let closing = payment.pending == Some(PendingReason::ClosingOthers);
        assert!(payment.state == PaymentState::Succeeded || closing, "{payment:?}");
    } else {
        assert_ne!(payment.state, PaymentState::Succeeded, "{payment:?}");
        let surplus = |one: AttemptState| matches!(one, AttemptState::SurplusRefunding | AttemptState::SurplusRefunded);
        assert!(!payment.attempts.iter().any(|one| surplus(one.state)), "a surplus of nothing: {payment:?}");
        assert!(!payment.state.is_end() || payment.open_attempts().next().is_none(), "ended too soon: {payment:?}");
    }
    for attempt in &payment.attempts {
        let refunding = attempt.out_refund_no.is_some();
        let surplus = matches!(attempt.state, AttemptState::SurplusRefunding | AttemptState::SurplusRefunded);
        assert!(surplus || !refunding, "a refund of no surplus: {payment:?}");
        assert!(!surplus || attempt.provider_trade_no.is_some(), "a surplus that was never paid: {payment:?}");
    }
    assert!(payment.attempts.iter().enumerate().all(|(index, one)| one.no as usize == index + 1));
    assert_eq!(payment.is_unfinished(), !payment.state.is_end() || payment.open_attempts().next().is_some());
}

fn check_step(before: &Payment, after: &Payment, event: &PaymentEvent) {
    assert!(may_follow(before.state, after.state), "{:?} -> {:?} by {event:?}", before.state, after.state);
    assert!(before.state.may_become(after.state));
    assert_eq!(after.version, before.version + 1);
    assert!(before.paid_by.is_none() || before.paid_by == after.paid_by, "paid by another: {event:?}");
    assert!(after.attempts.len() >= before.attempts.len());
    for (old, new) in before.attempts.iter().zip(&after.attempts) {
        assert_eq!((&old.out_trade_no, old.way, &old.channel), (&new.out_trade_no, new.way, &new.channel));
        assert!(!old.state.is_end() || old == new, "an end that was none: {event:?}");
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
        assert!(matches!(event, PaymentEvent::AttentionRaised { .. }), "{event:?} after the end");
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
fn no_sale_begins_without_an_amount() {
    for minor in [0, -1, i64::MIN, i64::MAX] {
        assert!(Payment::create(id(), 0, &created(minor)).is_err());
    }
    assert!(Payment::create(id(), 0, &PaymentEvent::Expired).is_err());
}
