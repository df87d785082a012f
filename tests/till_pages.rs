//! The till's pages where a slip costs: the cashier's word that money arrived, refunds, and merchant accounts. Their
//! machines alone, without a window.
#![cfg(feature = "till")]

use std::time::Duration;

use scantill::api::wire::{
    AccountFormView, AccountTestView, AttemptView, ChannelView, PaymentView, RefundRulesView, RefundView,
};
use scantill::channel;
use scantill::money::{Currency, Money};
use scantill::payment::{AttemptState, ChannelId, ConfirmedBy, PaymentState, PendingReason, RefundState, Way};
use scantill::till::sale::{Awaited, Counter, Effect, Press};
use scantill::till::screen::{accounts, refund};

const BANK: &str = "bank_transfer";

fn channel_view(name: &str, confirmed_by: ConfirmedBy, refund: Option<RefundRulesView>) -> ChannelView {
    ChannelView {
        account: format!("{name}-1").parse().unwrap(),
        channel: name.parse().unwrap(),
        ways: vec![Way::MerchantPresented],
        min_amount: 1,
        max_amount: 5_000_000,
        code_lifetime_seconds: 120,
        closes_codes: true,
        training: false,
        currencies: vec![Currency::CNY],
        confirmed_by,
        code_rules: Vec::new(),
        refund,
    }
}

fn sale(channel: &str, state: PaymentState, attempt_state: AttemptState) -> PaymentView {
    let now = jiff::Timestamp::now();
    let channel: ChannelId = channel.parse().unwrap();
    let attempt = AttemptView {
        no: 1,
        way: Way::MerchantPresented,
        channel: channel.clone(),
        account: format!("{channel}-1").parse().unwrap(),
        out_trade_no: "0192D7B72E0558BBC12F781A87CBC601".parse().unwrap(),
        confirmed_by: ConfirmedBy::Cashier,
        seen_by: None,
        state: attempt_state,
        started_at: now,
        code: Some("BCD\n002".into()),
        code_expires_at: Some(now + Duration::from_secs(300)),
        auth_code: None,
        provider_trade_no: None,
        payer: None,
        paid_at: None,
        reason: None,
        reason_code: None,
        reason_message: None,
        surplus: false,
        deferred: false,
    };
    PaymentView {
        id: "pay_0192d7b72e0558bbc12f781a87cbc601".parse().unwrap(),
        state,
        pending: (state == PaymentState::Pending).then_some(PendingReason::AwaitingScan),
        amount: 1_250,
        currency: Currency::CNY,
        description: "Riverside Tea".into(),
        store: "store-1".parse().unwrap(),
        till: "till-1".parse().unwrap(),
        operator: None,
        training: false,
        created_at: now,
        changed_at: now,
        collect_until: now + Duration::from_secs(300),
        channel: Some(channel),
        out_trade_no: None,
        provider_trade_no: None,
        payer: None,
        paid_at: None,
        reason: None,
        reason_code: None,
        reason_message: None,
        attempts: vec![attempt],
        refunds: Vec::new(),
        refunded: 0,
        refundable: if state == PaymentState::Succeeded { 1_250 } else { 0 },
        attention: Vec::new(),
        version: 2,
    }
}

#[test]
fn money_that_the_cashier_sees_is_asked_about_twice() {
    let channels = vec![channel_view(BANK, ConfirmedBy::Cashier, None)];
    let mut counter = Counter { channels, ..Counter::default() };
    assert!(counter.press(Press::Text("12.5".into())).is_empty());
    assert!(counter.press(Press::Text("+".into())).is_empty(), "nothing to confirm while an amount is typed");
    assert!(matches!(counter.press(Press::Enter)[..], [Effect::Create { .. }]));
    let shown = sale(BANK, PaymentState::Pending, AttemptState::CodeShown);
    let _ = counter.created(Ok(shown.clone()), 0);
    assert_eq!(counter.rows()[0].awaited, Awaited::CashierWatches);

    let sure = |counter: &Counter| counter.collecting().unwrap().sure.is_some();
    assert!(counter.press(Press::Enter).is_empty() && !sure(&counter), "Enter alone says nothing about money");
    assert!(counter.press(Press::Text("+".into())).is_empty() && sure(&counter));
    assert!(counter.press(Press::Text("7".into())).is_empty() && sure(&counter), "a stray key is no answer");
    assert!(counter.press(Press::Escape).is_empty() && !sure(&counter));
    assert!(!counter.collecting().unwrap().cancelling, "Esc took back the question, not the sale");
    assert!(counter.press(Press::Arrived).is_empty() && sure(&counter));
    assert_eq!(counter.press(Press::Enter), vec![Effect::Confirm(shown.id, BANK.parse().unwrap())]);
}

#[test]
fn a_provider_s_payment_cannot_be_confirmed_by_hand() {
    let channels = vec![channel_view("alipay", ConfirmedBy::Provider, None)];
    let mut counter = Counter { channels, ..Counter::default() };
    let _ = counter.press(Press::Text("12.5".into()));
    let _ = counter.press(Press::Enter);
    let _ = counter.created(Ok(sale("alipay", PaymentState::Pending, AttemptState::CodeShown)), 0);
    for press in [Press::Text("+".into()), Press::Arrived, Press::Enter] {
        assert!(counter.press(press).is_empty());
    }
    assert_eq!(counter.collecting().unwrap().sure, None);
}

#[test]
fn a_code_that_cannot_be_closed_is_shown_only_when_it_is_asked_for() {
    let unionpay = ChannelView { closes_codes: false, ..channel_view("unionpay", ConfirmedBy::Provider, None) };
    let channels = vec![channel_view("alipay", ConfirmedBy::Provider, None), unionpay];
    let mut counter = Counter { channels, ..Counter::default() };
    let _ = counter.press(Press::Text("12.5".into()));
    let _ = counter.press(Press::Enter);
    let view = PaymentView { attempts: Vec::new(), ..sale("alipay", PaymentState::Created, AttemptState::Prepared) };
    let shows = |effects: &[Effect]| -> Vec<String> {
        let channel = |effect: &Effect| match effect {
            Effect::ShowCode(_, channel) => Some(channel.to_string()),
            _ => None,
        };
        effects.iter().filter_map(channel).collect()
    };
    assert_eq!(shows(&counter.created(Ok(view), 0)), ["alipay"]);
    assert_eq!(counter.rows()[1].awaited, Awaited::OnRequest);
    assert_eq!(shows(&counter.press(Press::Text("*".into()))), ["unionpay"]);
}

fn say(key: &str, amount: Option<Money>) -> String {
    format!("{key} {}", amount.map(|amount| amount.to_string()).unwrap_or_default())
}

fn typed(page: &mut refund::State, text: &str) {
    assert!(matches!(page.update(refund::Message::Clear, &say), refund::Action::None));
    assert!(matches!(page.update(refund::Message::Text(text.into()), &say), refund::Action::None));
}

/// Enter twice: the amount, and yes.
fn ask(page: &mut refund::State) -> refund::Action {
    match page.update(refund::Message::Enter, &say) {
        refund::Action::None => page.update(refund::Message::Enter, &say),
        other => other,
    }
}

#[test]
fn a_refund_is_said_again_before_it_goes_and_is_never_too_much() {
    let rules = RefundRulesView { window_seconds: 86_400, partial: true };
    let channels = [channel_view("alipay", ConfirmedBy::Provider, Some(rules))];
    let paid = sale("alipay", PaymentState::Succeeded, AttemptState::Succeeded);
    let mut page = refund::State::new(paid.clone(), &channels);
    for wrong in ["12.51", "0", ""] {
        typed(&mut page, wrong);
        assert!(matches!(ask(&mut page), refund::Action::None), "{wrong:?} was asked for");
    }
    typed(&mut page, "2.50");
    let refund::Action::Refund(id, asked, key) = ask(&mut page) else { panic!("it was not asked for") };
    assert_eq!((id, asked.amount, asked.by_hand, asked.reason), (paid.id.clone(), Some(250), false, None));
    assert!(!key.is_empty());

    // Nothing more goes out, whatever is pressed, until the answer is there; then Enter leaves.
    assert!(matches!(page.update(refund::Message::Text("9".into()), &say), refund::Action::None));
    let returned = RefundView {
        no: 1,
        attempt: 1,
        out_refund_no: "0192D7B72E0558BBC12F781A87CBCR01".into(),
        amount: 250,
        reason: None,
        by: "till:till-1".into(),
        by_hand: false,
        state: RefundState::Succeeded,
        started_at: paid.created_at,
        changed_at: paid.created_at,
        failure: None,
        failure_code: None,
        failure_message: None,
    };
    let after = PaymentView { refunds: vec![returned], refunded: 250, refundable: 1_000, version: 5, ..paid };
    let answer = refund::Message::Answered(Box::new(Ok(after)));
    assert!(matches!(page.update(answer, &say), refund::Action::None));
    assert!(matches!(page.update(refund::Message::Enter, &say), refund::Action::Leave));
}

#[test]
fn a_repeat_after_no_answer_is_the_same_refund() {
    let rules = RefundRulesView { window_seconds: 86_400, partial: true };
    let channels = [channel_view("alipay", ConfirmedBy::Provider, Some(rules))];
    let mut page = refund::State::new(sale("alipay", PaymentState::Succeeded, AttemptState::Succeeded), &channels);
    let refund::Action::Refund(_, _, first) = ask(&mut page) else { panic!("it was not asked for") };
    let lost = refund::Message::Answered(Box::new(Err("no answer".into())));
    assert!(matches!(page.update(lost, &say), refund::Action::None));
    let refund::Action::Refund(_, _, second) = ask(&mut page) else { panic!("it was not asked for again") };
    assert_eq!(first, second, "another key would be another refund");
}

#[test]
fn what_no_provider_returns_is_paid_back_by_hand_with_a_reason() {
    let channels = [channel_view(BANK, ConfirmedBy::Cashier, None)];
    let mut page = refund::State::new(sale(BANK, PaymentState::Succeeded, AttemptState::Succeeded), &channels);
    assert!(matches!(page.update(refund::Message::Enter, &say), refund::Action::None));
    assert!(page.takes_text(), "the reason is asked for");
    assert!(matches!(page.update(refund::Message::Text("cold tea".into()), &say), refund::Action::None));
    let refund::Action::Refund(_, asked, _) = ask(&mut page) else { panic!("it was not written down") };
    assert_eq!((asked.by_hand, asked.reason.as_deref(), asked.amount), (true, Some("cold tea"), Some(1_250)));
}

fn assistant(channel: &str) -> accounts::State {
    let forms: Vec<_> = channel::forms().iter().map(AccountFormView::from).collect();
    let index = forms.iter().position(|form| form.channel.as_str() == channel).unwrap();
    let mut page = accounts::State::default();
    assert!(matches!(page.open(), accounts::Action::Load));
    act(&mut page, accounts::Message::Loaded(Box::new(Ok((forms, Vec::new())))));
    act(&mut page, accounts::Message::Add);
    act(&mut page, accounts::Message::Choose(index));
    assert!(page.takes_text(), "the form is open");
    page
}

/// Something that asks for nothing.
fn act(page: &mut accounts::State, message: accounts::Message) {
    assert!(matches!(page.update(message), accounts::Action::None));
}

const KEY: &str = include_str!("data/wire/key.pem");
const PUBLIC: &str = include_str!("data/wire/key.pub.pem");

#[test]
fn the_assistant_takes_an_account_in_and_shows_no_secret() {
    let mut page = assistant("alipay");
    // Nothing is asked before what has to be there is there.
    act(&mut page, accounts::Message::Test);
    act(&mut page, accounts::Message::Text("2021000000000001".into()));
    for _ in 0..2 {
        act(&mut page, accounts::Message::Move(1));
    }
    let paste = accounts::Message::Pasted(Some(KEY.into()));
    assert!(!format!("{paste:?}").contains("PRIVATE"), "a message is never printed whole");
    act(&mut page, paste);
    for _ in 0..2 {
        act(&mut page, accounts::Message::Move(1));
    }
    act(&mut page, accounts::Message::Pasted(Some(PUBLIC.into())));
    let accounts::Action::Test(test) = page.update(accounts::Message::Test) else { panic!("nothing was tested") };
    assert_eq!(test.credentials["app_id"], "2021000000000001");
    assert_eq!(test.credentials["app_private_key"], KEY.trim());
    assert_eq!(test.base_url, "https://openapi.alipay.com");
    assert!(!format!("{test:?}").contains("PRIVATE"));

    let wrong = AccountTestView {
        ok: false,
        fault: Some("wrong_key".into()),
        cause: "The provider refuses our signature.".into(),
        cure: "Paste the other key.".into(),
        field: Some("app_private_key".into()),
        clock_ahead_seconds: None,
        provider_code: "isv.invalid-signature".into(),
        provider_message: String::new(),
    };
    act(&mut page, accounts::Message::Tested(Box::new(Ok(wrong))));
    let accounts::Action::Create(account) = page.update(accounts::Message::Keep) else { panic!("nothing was kept") };
    assert_eq!((account.channel.as_str(), account.training, account.enabled), ("alipay", false, true));
    act(&mut page, accounts::Message::Kept(Box::new(Err("the name is taken".into()))));
    assert!(page.takes_text(), "what was entered is still there");
}

#[test]
fn the_form_asks_for_what_the_chosen_way_needs() {
    let mut page = assistant("alipay");
    act(&mut page, accounts::Message::Move(1));
    act(&mut page, accounts::Message::Text("2021000000000001".into()));
    for _ in 0..2 {
        act(&mut page, accounts::Message::Move(1));
    }
    act(&mut page, accounts::Message::Pasted(Some(KEY.into())));
    act(&mut page, accounts::Message::Move(1));
    act(&mut page, accounts::Message::Alter);
    // By certificate: three files in place of one key.
    for name in ["app.crt", "alipay.crt", "root.crt"] {
        act(&mut page, accounts::Message::Move(1));
        assert!(matches!(page.update(accounts::Message::Pick), accounts::Action::ReadFolder(None)));
        let file = Box::new(Ok(format!("content of {name}").into()));
        act(&mut page, accounts::Message::File(name.into(), file));
    }
    let accounts::Action::Test(test) = page.update(accounts::Message::Test) else { panic!("nothing was tested") };
    assert_eq!(test.credentials["mode"], "certificate");
    assert_eq!(test.credentials["alipay_root_certificate"], "content of root.crt");
    assert!(test.credentials.get("alipay_public_key").is_none());
}

#[test]
fn key_files_are_found_and_read_whatever_they_are_made_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.docx"), "x").unwrap();
    std::fs::write(folder.path().join("apiclient_key.pem"), KEY).unwrap();
    std::fs::write(folder.path().join("sign.p12"), [0x30, 0x82, 0xff, 0x00]).unwrap();
    std::fs::write(folder.path().join("film.pem"), vec![b'x'; 300 * 1024]).unwrap();
    std::fs::write(folder.path().join(".hidden.pem"), KEY).unwrap();
    std::fs::create_dir(folder.path().join("older")).unwrap();
    let entries = accounts::read_folder(folder.path()).unwrap();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["..", "older", "apiclient_key.pem", "film.pem", "sign.p12", "notes.docx"]);
    let read = |name: &str| accounts::read_credential(&folder.path().join(name));
    assert_eq!(read("apiclient_key.pem").unwrap().as_str(), KEY.trim());
    assert_eq!(read("sign.p12").unwrap().as_str(), "MIL/AA==");
    assert!(read("film.pem").unwrap_err().contains("too long"));
    assert!(read("gone.pem").is_err());
}
