//! Whatever happened to a payment and whenever it is looked at: what is decided can be written, comes to an end, and
//! waits for moments that are still to come. A wait for a moment that is over would turn round and round.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::channel::RefundRules;
use crate::money::{Currency, Money};
use crate::payment::{ConfirmedBy, Failure, FailureReason, PaymentId, VoidReason};

const BEGINNING: UnixMillis = 1_795_485_600_000;
/// No turn writes more often than this.
const MOST_WRITES: usize = 60;

fn capabilities(channel: &ChannelId) -> Capabilities {
    let by_cashier = channel.as_str() == "bank_transfer";
    Capabilities {
        channel: channel.clone(),
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        code_rules: Vec::new(),
        currencies: vec![Currency::CNY],
        confirmed_by: if by_cashier { ConfirmedBy::Cashier } else { ConfirmedBy::Provider },
        notifies: true,
        amount: 1..=1_000_000,
        code_lifetime: Duration::from_secs(120),
        code_grace: Duration::from_secs(5),
        confirm_patience: Duration::from_secs(30),
        query_interval: Duration::from_secs(2),
        shown_query_interval: Duration::from_secs(3),
        void_not_before: Duration::from_secs(15),
        void_window: Duration::from_secs(24 * 3_600),
        close_patience: Duration::from_secs(10),
        refund: (!by_cashier).then_some(RefundRules { window: Duration::from_secs(90 * 24 * 3_600), partial: true }),
        bill: None,
        request_timeout: Duration::from_secs(10),
    }
}

/// Something that may happen, if it may: most of what chance makes is refused by the payment itself.
fn event() -> impl Strategy<Value = (i64, u8, u32, bool)> {
    (prop_oneof![Just(0_i64), 1..3_000_i64, 1..90_000_i64], 0..20_u8, 1..4_u32, any::<bool>())
}

fn event_of(payment: &Payment, at: UnixMillis, (_, kind, no, coin): (i64, u8, u32, bool)) -> PaymentEvent {
    let text = |text: &str| text.to_owned();
    let failure = Failure {
        reason: FailureReason::InsufficientFunds,
        provider_code: String::new(),
        provider_message: String::new(),
    };
    match kind {
        0..=2 => {
            let no = u32::try_from(payment.attempts.len()).unwrap() + 1;
            let channel = if no % 3 == 0 { "bank_transfer" } else { "alipay" };
            let way = if coin && no % 3 != 0 { Way::ConsumerPresented } else { Way::MerchantPresented };
            PaymentEvent::AttemptStarted {
                no,
                way,
                channel: channel.parse().unwrap(),
                account: channel.parse().unwrap(),
                out_trade_no: payment.id.out_trade_no(no).unwrap(),
                auth_code_masked: None,
                auth_code_mac: None,
                confirmed_by: capabilities(&channel.parse().unwrap()).confirmed_by,
            }
        }
        3..=5 => PaymentEvent::CodeShown { no, code: text("code"), code_expires_at: at + 120_000 },
        6 => PaymentEvent::CustomerConfirming { no },
        7 => PaymentEvent::ResultUnknown { no, detail: text("no answer") },
        8 => PaymentEvent::VoidStarted { no, reason: VoidReason::StayedUnknown },
        9 | 10 => PaymentEvent::AttemptSucceeded { no, provider_trade_no: text("1"), payer: None, paid_at: at },
        11 => PaymentEvent::AttemptFailed { no, failure },
        12 => PaymentEvent::AttemptClosed { no },
        13 => PaymentEvent::AttemptReversed { no, captured: coin },
        14 => PaymentEvent::CancelRequested { by: text("till") },
        15 => PaymentEvent::Expired,
        16 => PaymentEvent::AttemptDeferred { no },
        17 => PaymentEvent::RefundStarted {
            no: u32::try_from(payment.refunds.len()).unwrap() + 1,
            attempt: no,
            out_refund_no: format!("R{no}{}", payment.refunds.len()),
            amount: Money::new(100, Currency::CNY),
            reason: None,
            by: text("till"),
            by_hand: coin,
        },
        18 => PaymentEvent::RefundFailed { no, failure },
        _ => PaymentEvent::CashierConfirmed { no, by: text("till") },
    }
}

fn memory() -> impl Strategy<Value = Memory> {
    let ago = || proptest::option::of(-5_000..120_000_i64);
    (0..7_u32, 0..5_u32, ago(), ago(), ago(), any::<[bool; 4]>()).prop_map(
        |(tries, not_found, queried, tried, arriving, [since_void, paid, there, complained])| Memory {
            queried_at: queried.map(|ago| BEGINNING - ago),
            tried_at: tried.map(|ago| BEGINNING - ago),
            arriving_until: arriving.map(|ago| BEGINNING - ago),
            queried_since_void: since_void,
            not_found,
            tries,
            known_paid: paid,
            known_there: there,
            complained,
            ..Memory::default()
        },
    )
}

/// The memory as of `now`, where it was made as of the beginning.
fn as_of(memory: &Memory, now: UnixMillis) -> Memory {
    let mut memory = memory.clone();
    memory.shift(now - BEGINNING);
    memory
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_turn_can_be_written_ends_and_waits_for_what_is_to_come(
        happened in proptest::collection::vec(event(), 0..25),
        memories in proptest::collection::vec(memory(), 8),
        later in prop_oneof![Just(0_i64), 1..1_000_i64, 1..400_000_i64],
    ) {
        let created = PaymentEvent::Created {
            amount: Money::new(1_250, Currency::CNY),
            description: "Tea".into(),
            store: "store".parse().unwrap(),
            till: "till".parse().unwrap(),
            operator: None,
            collect_until: BEGINNING + 300_000,
            training: true,
        };
        let id = PaymentId::at(BEGINNING, [7; 10]);
        let mut payment = Payment::create(id, BEGINNING, &created).unwrap();
        let mut now = BEGINNING;
        for one in happened {
            now += one.0;
            let _ = payment.apply(now, &event_of(&payment, now, one));
        }
        now += later;
        let numbers = |attempt: &Attempt| Some(capabilities(&attempt.channel));
        let memory_of = |no: u32| as_of(&memories[no as usize % memories.len()], now);
        for writes in 0.. {
            prop_assert!(writes < MOST_WRITES, "no end of writing: {payment:?}");
            if !payment.is_unfinished() {
                break;
            }
            let mut write = match matter(&payment, &numbers, now) {
                Matter::Record(events) => events,
                Matter::Renew(_) => break,
                Matter::Wait(next) => {
                    prop_assert!(next.is_none_or(|at| at > now), "{next:?} is over at {now}: {payment:?}");
                    Vec::new()
                }
            };
            for attempt in payment.open_attempts() {
                if !write.is_empty() {
                    break;
                }
                match step(&payment, attempt, &capabilities(&attempt.channel), &memory_of(attempt.no), now) {
                    Step::Record(events) => write = events,
                    Step::Wait(at) => prop_assert!(at > now, "{at} is over at {now}: {attempt:?}"),
                    Step::Query | Step::Void | Step::Refund(_) => {}
                }
            }
            if write.is_empty() {
                break;
            }
            for event in write {
                let written = payment.apply(now, &event);
                prop_assert!(written.is_ok(), "{event:?} is refused ({written:?}) by {payment:?}");
            }
        }
        for refund in payment.open_refunds() {
            let attempt = payment.attempt(refund.attempt).unwrap();
            if let RefundStep::Wait(at) = refund_step(&capabilities(&attempt.channel), &memory_of(refund.no), now) {
                prop_assert!(at > now);
            }
        }
    }
}
