//! The till's windows without a display: what is typed, pressed, scanned and told shows on the screen, in both
//! languages, and a scanner's burst never leaves a digit anywhere.
#![cfg(feature = "till")]

use std::time::{Duration, Instant};

use iced::keyboard::key::Named;
use iced::keyboard::{Key, Modifiers};
use iced::{Size, Theme};
use iced_test::Simulator;
use scantill::api::wire::{AttemptView, ChannelView, EventView, PaymentPage, PaymentView};
use scantill::client::{ApiKey, Client, ClientError, StreamEvent};
use scantill::crypto::Secret;
use scantill::money::Currency;
use scantill::payment::{AttemptState, ChannelId, ConfirmedBy, FailureReason, PaymentState, PendingReason, Way};
use scantill::till::keys::Stroke;
use scantill::till::program::{Message, Till};
use scantill::till::sale::{Awaited, Counter, Cue, Effect, EndKind, Hint, Notice, Phase, Press, THANKS_MS};
use scantill::till::screen::customer;
use scantill::till::text::Language;
use scantill::till::{Connection, Launch, font};

/// A payment code of an Alipay wallet: 18 digits that begin with 28.
const ALIPAY_CODE: &str = "281234567890123456";

fn till(language: Language) -> Till {
    let mut till = Till::new(&Launch { language: Some(language), ..Launch::nowhere() });
    let key = ApiKey { id: "till-1".into(), secret: Secret::new("0".repeat(64)) };
    let connection = Connection {
        client: Client::new("http://127.0.0.1:9", key).unwrap(),
        sandbox_url: None,
        store_name: "Riverside Tea".into(),
        till_name: "Till 2".into(),
    };
    tell(&mut till, Message::Connected(Box::new(Ok(connection))));
    tell(&mut till, Message::Stream(StreamEvent::Connected));
    tell(&mut till, Message::Channels(Ok(vec![channel(ChannelId::ALIPAY), channel(ChannelId::WECHATPAY)])));
    tell(&mut till, Message::Recent(Ok(PaymentPage { payments: Vec::new(), next_cursor: None })));
    till
}

/// Tells the till something and leaves its errands alone: what the API would answer, each test tells itself.
fn tell(till: &mut Till, message: Message) {
    let _errands = till.update(message);
}

fn channel(channel: ChannelId) -> ChannelView {
    ChannelView {
        account: format!("{channel}-1").parse().unwrap(),
        channel,
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        min_amount: 1,
        max_amount: 5_000_000,
        code_lifetime_seconds: 120,
        closes_codes: true,
        training: true,
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        code_rules: Vec::new(),
        refund: None,
    }
}

fn payment(amount: i64) -> PaymentView {
    let now = jiff::Timestamp::now();
    PaymentView {
        id: "pay_0192d7b72e0558bbc12f781a87cbc601".parse().unwrap(),
        state: PaymentState::Created,
        pending: None,
        amount,
        currency: Currency::CNY,
        description: "Riverside Tea".into(),
        store: "store-1".parse().unwrap(),
        till: "till-1".parse().unwrap(),
        operator: None,
        training: true,
        created_at: now,
        changed_at: now,
        collect_until: now + Duration::from_secs(300),
        channel: None,
        out_trade_no: None,
        provider_trade_no: None,
        payer: None,
        paid_at: None,
        reason: None,
        reason_code: None,
        reason_message: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
        refunded: 0,
        refundable: 0,
        attention: Vec::new(),
        version: 1,
    }
}

fn attempt(no: u32, channel: ChannelId, way: Way, state: AttemptState) -> AttemptView {
    let now = jiff::Timestamp::now();
    AttemptView {
        no,
        way,
        account: format!("{channel}-1").parse().unwrap(),
        channel,
        out_trade_no: format!("0192D7B72E0558BBC12F781A87CBC{no:03}").parse().unwrap(),
        confirmed_by: ConfirmedBy::Provider,
        seen_by: None,
        state,
        started_at: now,
        code: (state == AttemptState::CodeShown).then(|| format!("https://qr.alipay.com/bax0{no}")),
        code_expires_at: (state == AttemptState::CodeShown).then(|| now + Duration::from_secs(120)),
        auth_code: None,
        provider_trade_no: None,
        payer: None,
        paid_at: None,
        reason: None,
        reason_code: None,
        reason_message: None,
        surplus: false,
        deferred: false,
    }
}

/// Codes of both channels are shown.
fn awaiting(amount: i64) -> PaymentView {
    PaymentView {
        state: PaymentState::Pending,
        pending: Some(PendingReason::AwaitingScan),
        attempts: vec![
            attempt(1, ChannelId::ALIPAY, Way::MerchantPresented, AttemptState::CodeShown),
            attempt(2, ChannelId::WECHATPAY, Way::MerchantPresented, AttemptState::CodeShown),
        ],
        version: 4,
        ..payment(amount)
    }
}

fn event(till: &mut Till, payment: PaymentView) {
    let event = EventView { seq: 1, at: payment.changed_at, kind: "changed".into(), payment };
    tell(till, Message::Stream(StreamEvent::Event(Box::new(event))));
}

/// Keys that go down one after another, so many milliseconds apart.
fn keys(till: &mut Till, keys: &[Key], gap: u64) {
    let mut at = Instant::now();
    for key in keys {
        at += Duration::from_millis(gap);
        tell(till, Message::KeysSettleAt(at));
        let text = match key {
            Key::Character(text) => Some(text.to_string()),
            _ => None,
        };
        let window = till.cashier_window();
        let stroke = Stroke { window, key: key.clone(), text, modifiers: Modifiers::empty(), repeat: false, at };
        tell(till, Message::Key(stroke));
    }
    tell(till, Message::KeysSettleAt(at + Duration::from_secs(1)));
}

fn characters(text: &str) -> Vec<Key> {
    text.chars().map(|character| Key::Character(character.to_string().into())).collect()
}

fn type_slowly(till: &mut Till, text: &str) {
    keys(till, &characters(text), 120);
}

/// A scanner's burst: a key each 8 ms, ended by Enter.
fn scan(till: &mut Till, text: &str) {
    let mut burst = characters(text);
    burst.push(Key::Named(Named::Enter));
    keys(till, &burst, 8);
}

fn enter(till: &mut Till) {
    keys(till, &[Key::Named(Named::Enter)], 200);
}

fn typed(till: &Till) -> String {
    let (typed, rest) = till.counter().entry.shown();
    format!("{typed}|{rest}")
}

fn settings() -> iced::Settings {
    let fonts = font::bytes().into_iter().map(Into::into).collect();
    iced::Settings { fonts, default_font: font::LATIN, ..iced::Settings::default() }
}

fn window(till: &Till) -> Simulator<'_, Message> {
    Simulator::with_size(settings(), Size::new(1280.0, 800.0), till.view(till.cashier_window()))
}

fn shows(till: &Till, text: &str) -> bool {
    window(till).find(text).is_ok()
}

/// A till with a sale of 12.50 open and both codes shown.
fn collecting(language: Language) -> Till {
    let mut till = till(language);
    type_slowly(&mut till, "12.5");
    enter(&mut till);
    tell(&mut till, Message::Created(Box::new(Ok(payment(1250)))));
    event(&mut till, awaiting(1250));
    till
}

#[test]
fn pressed_keys_become_the_amount_and_collect_begins_the_sale() {
    let mut till = till(Language::En);
    for label in ["1", "2", ".", "5", "Collect"] {
        let mut ui = window(&till);
        let _ = ui.click(label).unwrap_or_else(|_| panic!("{label} is not on the screen"));
        let messages: Vec<_> = ui.into_messages().collect();
        messages.into_iter().for_each(|message| tell(&mut till, message));
    }
    let collecting = till.counter().collecting().expect("a sale is open");
    assert_eq!(collecting.amount.minor, 1250);
}

#[test]
fn the_screen_speaks_both_languages_and_changes_while_running() {
    let mut till = till(Language::En);
    assert!(shows(&till, "Collect"));
    assert!(shows(&till, "TRAINING: no real money"));
    keys(&mut till, &[Key::Named(Named::F10)], 100);
    assert!(shows(&till, "收款"));
    assert!(!shows(&till, "Collect"));
    keys(&mut till, &[Key::Named(Named::F10)], 100);
    assert!(shows(&till, "Collect"));
}

#[test]
fn a_scan_leaves_no_digit_in_the_amount_and_says_what_to_do_first() {
    let mut till = till(Language::En);
    scan(&mut till, ALIPAY_CODE);
    assert_eq!(typed(&till), "|0.00");
    assert_eq!(till.counter().hint, Some(Hint::AmountFirst));
    type_slowly(&mut till, "8");
    scan(&mut till, ALIPAY_CODE);
    assert_eq!(typed(&till), "8|.00");
    assert_eq!(till.counter().hint, Some(Hint::EnterFirst));
    assert_eq!(till.counter().phase, Phase::Entry);
}

#[test]
fn a_scan_leaves_no_digit_in_the_note_or_the_typed_code() {
    let mut till = till(Language::En);
    keys(&mut till, &[Key::Named(Named::F6)], 100);
    type_slowly(&mut till, "tea 2");
    scan(&mut till, ALIPAY_CODE);
    assert_eq!(till.counter().note, "tea 2");
    let mut till = collecting(Language::En);
    keys(&mut till, &[Key::Named(Named::F7)], 100);
    type_slowly(&mut till, "28");
    scan(&mut till, "690123456789");
    assert_eq!(till.counter().typed_code, "28");
}

#[test]
fn slow_typing_is_never_taken_for_a_scan() {
    let mut till = till(Language::En);
    type_slowly(&mut till, "12345678");
    enter(&mut till);
    assert_eq!(till.counter().collecting().map(|sale| sale.amount.minor), Some(1_234_567_800));
}

#[test]
fn while_collecting_a_scan_is_submitted_and_a_web_address_is_named() {
    let mut till = collecting(Language::En);
    scan(&mut till, "https://example.com/menu");
    assert!(shows(
        &till,
        "This is a web address, not a payment code. Ask for the code that the wallet shows under Pay."
    ));
    scan(&mut till, ALIPAY_CODE);
    let sale = till.counter().collecting().unwrap();
    assert_eq!(sale.submitting, Some(ChannelId::ALIPAY));
    assert_eq!(till.counter().hint, None);
}

#[test]
fn a_refused_code_is_told_and_the_next_one_is_taken() {
    let mut till = collecting(Language::ZhCn);
    scan(&mut till, ALIPAY_CODE);
    let mut refused = awaiting(1250);
    let mut failed = attempt(3, ChannelId::ALIPAY, Way::ConsumerPresented, AttemptState::Failed);
    failed.reason = Some(FailureReason::CodeExpired);
    refused.attempts.push(failed);
    refused.version = 6;
    event(&mut till, refused.clone());
    tell(&mut till, Message::Submitted(refused.id.clone(), Box::new(Ok(refused))));
    assert!(matches!(&till.counter().hint, Some(Hint::TryFailed { reason: FailureReason::CodeExpired, .. })));
    assert!(shows(&till, "没有收款。付款码已过期或已使用，请顾客刷新后再试。"), "the sentence in Chinese");
    scan(&mut till, "289999999999999999");
    assert_eq!(till.counter().collecting().unwrap().submitting, Some(ChannelId::ALIPAY));
}

#[test]
fn unknown_is_told_as_unknown() {
    let mut till = collecting(Language::En);
    let mut unknown = awaiting(1250);
    unknown.pending = Some(PendingReason::ResultUnknown);
    unknown.attempts.push(attempt(3, ChannelId::WECHATPAY, Way::ConsumerPresented, AttemptState::Unknown));
    unknown.version = 7;
    event(&mut till, unknown);
    assert!(shows(&till, "Not certain yet"));
    assert!(!shows(&till, "Not paid"));
    assert!(till.counter().collecting().unwrap().unknown_since.is_some());
}

#[test]
fn after_success_a_key_types_the_next_amount() {
    let mut till = collecting(Language::En);
    let mut paid = awaiting(1250);
    paid.state = PaymentState::Succeeded;
    paid.pending = None;
    paid.channel = Some(ChannelId::WECHATPAY);
    paid.payer = Some("*明".into());
    paid.paid_at = Some(jiff::Timestamp::now());
    paid.version = 9;
    event(&mut till, paid);
    assert!(shows(&till, "Paid"));
    assert!(shows(&till, "WeChat Pay"));
    type_slowly(&mut till, "3");
    assert_eq!(typed(&till), "3|.00");
}

#[test]
fn cancelling_a_sale_that_was_paid_says_so() {
    let mut till = collecting(Language::En);
    keys(&mut till, &[Key::Named(Named::Escape)], 100);
    assert!(till.counter().collecting().unwrap().cancelling);
    let mut paid = awaiting(1250);
    paid.state = PaymentState::Succeeded;
    paid.pending = None;
    paid.version = 9;
    event(&mut till, paid);
    assert!(shows(&till, "The customer had already paid when you cancelled. The sale stands."));
}

#[test]
fn a_failed_sale_is_offered_again_by_enter() {
    let mut till = collecting(Language::En);
    let mut failed = payment(1250);
    failed.state = PaymentState::Failed;
    failed.reason = Some(FailureReason::InsufficientFunds);
    failed.version = 9;
    event(&mut till, failed);
    assert!(shows(&till, "Not paid. The customer's balance is not enough. Ask for another way to pay."));
    enter(&mut till);
    assert_eq!(till.counter().collecting().map(|sale| sale.amount.minor), Some(1250));
}

#[test]
fn without_the_api_nothing_begins_and_the_amount_stays() {
    let mut till = till(Language::En);
    tell(&mut till, Message::Stream(StreamEvent::Lost("connection reset".into())));
    type_slowly(&mut till, "5");
    enter(&mut till);
    assert_eq!(till.counter().phase, Phase::Entry);
    assert_eq!(typed(&till), "5|.00");
    assert!(shows(&till, "offline"));
    tell(&mut till, Message::Stream(StreamEvent::Connected));
    assert!(shows(&till, "online"));
    enter(&mut till);
    assert!(till.counter().is_busy());
    tell(&mut till, Message::Created(Box::new(Err(ClientError::Unreachable("refused".into())))));
    assert_eq!(till.counter().phase, Phase::Entry);
    assert_eq!(typed(&till), "5.00|");
    assert_eq!(till.counter().hint, Some(Hint::Offline));
}

#[test]
fn what_is_under_way_stays_on_the_screen_while_the_api_is_away_and_no_code_is_offered() {
    let mut till = collecting(Language::En);
    event(&mut till, awaiting(1250));
    assert!(matches!(till.customer_page(), customer::Page::Due(..)));
    tell(&mut till, Message::Stream(StreamEvent::Lost("connection reset".into())));
    assert!(shows(&till, "offline"));
    let due = till.counter().collecting().map(|sale| sale.amount.minor);
    assert_eq!(due, Some(1250), "what is known is shown on");
    assert!(matches!(till.customer_page(), customer::Page::Preparing(_)), "nobody here would see that it was paid");
    // A code read meanwhile is told as not sent, and not kept for later.
    let id = payment(1250).id;
    scan(&mut till, ALIPAY_CODE);
    tell(&mut till, Message::Submitted(id.clone(), Box::new(Err(ClientError::Unreachable("refused".into())))));
    assert_eq!(till.counter().hint, Some(Hint::Offline));
    assert_eq!(till.counter().collecting().unwrap().submitting, None);
    // So is a cancellation: the sale is still open, and says so.
    keys(&mut till, &[Key::Named(Named::Escape)], 100);
    assert!(till.counter().collecting().unwrap().cancelling);
    tell(&mut till, Message::Cancelled(id, Box::new(Err(ClientError::NoAnswer))));
    assert!(!till.counter().collecting().unwrap().cancelling);
    assert_eq!(till.counter().hint, Some(Hint::CancelNotSent));
    tell(&mut till, Message::Stream(StreamEvent::Connected));
    assert!(matches!(till.customer_page(), customer::Page::Due(..)), "it goes on by itself");
    assert_eq!(till.counter().collecting().unwrap().submitting, None, "nothing was waiting to be sent");
    let mut paid = awaiting(1250);
    paid.state = PaymentState::Succeeded;
    paid.pending = None;
    paid.version = 9;
    tell(&mut till, Message::Looked(Box::new(Ok(paid))));
    assert!(matches!(&till.counter().phase, Phase::Result(ending) if ending.kind == EndKind::Paid));
}

#[test]
fn a_zero_amount_is_refused_with_a_sentence() {
    let mut till = till(Language::En);
    enter(&mut till);
    assert!(shows(&till, "Enter an amount first."));
    type_slowly(&mut till, "1.234");
    assert_eq!(typed(&till), "1.23|");
    assert!(shows(&till, "An amount has two decimals at most. The last key was not taken."));
}

#[test]
fn a_late_answer_of_another_sale_changes_nothing() {
    let mut till = collecting(Language::En);
    let mut other = payment(99_900);
    other.id = "pay_0192d7b72e0558bbc12f781a87cbc6ff".parse().unwrap();
    other.state = PaymentState::Succeeded;
    other.version = 9;
    event(&mut till, other);
    assert!(till.counter().is_busy());
    let mut older = payment(1250);
    older.version = 2;
    event(&mut till, older);
    assert_eq!(till.counter().collecting().unwrap().view.as_ref().unwrap().version, 4);
}

#[test]
fn every_page_is_drawn_in_both_languages_and_themes() {
    for language in Language::ALL {
        let mut till = collecting(language);
        for key in [Named::F1, Named::F2, Named::F3, Named::F5, Named::F11, Named::F2] {
            keys(&mut till, &[Key::Named(key)], 100);
            let snapshot = window(&till).snapshot(&Theme::Light);
            assert!(snapshot.is_ok(), "{key:?}");
        }
    }
}

fn counter() -> Counter {
    let mut counter =
        Counter { channels: vec![channel(ChannelId::ALIPAY), channel(ChannelId::WECHATPAY)], ..Counter::default() };
    let _ = counter.press(Press::Text("12.50".into()));
    counter
}

#[test]
fn a_code_scanned_before_the_sale_exists_is_submitted_once_it_does() {
    let mut counter = counter();
    assert!(matches!(counter.press(Press::Enter)[..], [Effect::Create { .. }]));
    assert_eq!(counter.scanned(ALIPAY_CODE), [Effect::Sound(Cue::Read)]);
    let effects = counter.created(Ok(payment(1250)), 0);
    let codes = effects.iter().filter(|effect| matches!(effect, Effect::ShowCode(..))).count();
    let submitted = effects.iter().filter(|effect| matches!(effect, Effect::Submit(..))).count();
    assert_eq!((codes, submitted), (2, 1));
    assert_eq!(counter.scanned("289999999999999999"), [], "one code at a time");
}

#[test]
fn a_sale_cancelled_before_it_exists_is_cancelled_once_it_does() {
    let mut counter = counter();
    let _ = counter.press(Press::Enter);
    assert_eq!(counter.press(Press::Escape), []);
    let sale = payment(1250);
    assert_eq!(counter.created(Ok(sale.clone()), 0), [Effect::Cancel(sale.id)]);
}

#[test]
fn a_channel_that_does_not_take_the_amount_is_not_asked_for_a_code() {
    let mut counter = counter();
    counter.channels[0].max_amount = 1000;
    let _ = counter.press(Press::Enter);
    let effects = counter.created(Ok(payment(1250)), 0);
    let sale = payment(1250).id;
    assert_eq!(effects, [Effect::ShowCode(sale.clone(), ChannelId::WECHATPAY)]);
    let refused = ClientError::Unreachable("down".into());
    let _ = counter.code_shown(&sale, &ChannelId::WECHATPAY, Err(refused), 0);
    let rows = counter.rows();
    assert_eq!(rows[0].awaited, Awaited::OutsideLimits);
    assert!(matches!(rows[1].awaited, Awaited::NoCode(_)));
}

#[test]
fn a_surplus_payment_is_told_and_followed_until_it_is_back() {
    let mut counter = counter();
    let _ = counter.press(Press::Enter);
    let _ = counter.created(Ok(payment(1250)), 0);
    let mut paid = awaiting(1250);
    paid.state = PaymentState::Succeeded;
    paid.pending = None;
    paid.attempts[1].surplus = true;
    paid.attempts[1].state = AttemptState::SurplusRefunding;
    paid.version = 9;
    let _ = counter.moved(paid.clone(), 0);
    let told = |counter: &Counter| match &counter.phase {
        Phase::Result(ending) => ending.notices.clone(),
        phase => panic!("{phase:?}"),
    };
    let twice = |returned| Notice::PaidTwice { channel: ChannelId::WECHATPAY, returned };
    assert_eq!(told(&counter), [twice(false)]);
    paid.attempts[1].state = AttemptState::SurplusRefunded;
    paid.version = 10;
    let _ = counter.moved(paid, 0);
    assert_eq!(told(&counter), [twice(true)]);
}

#[test]
fn a_cancelled_sale_whose_code_only_runs_out_says_so() {
    let mut counter = counter();
    let _ = counter.press(Press::Enter);
    let _ = counter.created(Ok(payment(1250)), 0);
    let mut over = awaiting(1250);
    over.state = PaymentState::Closed;
    over.pending = None;
    over.attempts[0].state = AttemptState::Voiding;
    over.attempts[0].deferred = true;
    over.version = 9;
    let _ = counter.moved(over.clone(), 0);
    let Phase::Result(ending) = &counter.phase else { panic!("{:?}", counter.phase) };
    assert_eq!(ending.notices, [Notice::CodeRunsOut { channel: over.attempts[0].channel.clone() }]);
}

#[test]
fn the_customer_sees_codes_then_thanks_then_the_idle_page_again() {
    let mut counter = counter();
    assert_eq!(customer::page(&counter, 0), customer::Page::Idle);
    let _ = counter.press(Press::Enter);
    let _ = counter.created(Ok(payment(1250)), 0);
    assert!(matches!(customer::page(&counter, 0), customer::Page::Preparing(_)));
    let _ = counter.moved(awaiting(1250), 0);
    match customer::page(&counter, 0) {
        customer::Page::Due(due, codes, None) => {
            assert_eq!((due.minor, codes.len()), (1250, 2));
            assert_ne!(codes[0].text, codes[1].text);
        }
        page => panic!("{page:?}"),
    }
    let mut paid = awaiting(1250);
    paid.state = PaymentState::Succeeded;
    paid.pending = None;
    paid.version = 9;
    let _ = counter.moved(paid, 1_000);
    assert!(matches!(customer::page(&counter, 2_000), customer::Page::Paid(..)));
    assert_eq!(customer::page(&counter, 1_001 + THANKS_MS), customer::Page::Idle);
}
