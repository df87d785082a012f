//! What the books promise, whatever happens in whatever order.

use proptest::prelude::*;

use super::*;

const OPENED: Millis = 1_790_000_000_000;
const FAR: Millis = OPENED + 3_600_000;

fn order(channel: Provider, number: impl std::fmt::Display, amount: i64) -> Order {
    Order {
        channel,
        out_trade_no: format!("order{number}"),
        subject: "tea".into(),
        amount,
        expires_at: FAR,
        attach: None,
        notify_url: None,
        notify_serial: None,
        details: Details::new(),
    }
}

fn alipay(number: u8, amount: i64) -> Order {
    order(Provider::Alipay, number, amount)
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: prop::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// What wallets lost is what trades hold; no wallet owes; an end stays an end.
    #[test]
    fn money_is_neither_made_nor_lost(
        steps in prop::collection::vec((0_u8..9, 0_u8..12, 1_i64..600_000, 0_i64..40_000), 1..120),
        wechat: bool,
    ) {
        let (channel, wallet) =
            if wechat { (Provider::Wechatpay, "wechatpay-1") } else { (Provider::Alipay, "alipay-1") };
        let mut book = Book::new(1, OPENED);
        let before: i64 = book.wallets().iter().map(|wallet| wallet.balance).sum();
        let mut now = OPENED;
        let mut ended: HashMap<String, TradeState> = HashMap::new();
        for (what, number, amount, pause) in steps {
            now += pause;
            let name = format!("order{number}");
            let number = Number::Merchant(&name);
            match what {
                0 => {
                    let (code, _) = book.issue_code(wallet, now).unwrap();
                    let _ = book.pay_by_code(order(channel, &name[5..], amount), &code, now);
                }
                1 => {
                    if let Ok(trade) = book.create_order(order(channel, &name[5..], amount), now) {
                        let confirm = [None, Some(true), Some(false)][usize::try_from(amount % 3).unwrap()];
                        let _ = book.scan(wallet, trade.payload.as_deref().unwrap_or(""), confirm, now);
                    }
                }
                2 => drop(book.take_back(channel, number, now)),
                3 => drop(book.close(channel, number, now)),
                4 => {
                    let out_refund_no = format!("r{amount}");
                    let wanted = Refunding { out_refund_no, amount, ..Refunding::default() };
                    drop(book.refund(channel, number, &wanted, now));
                }
                5 | 6 => drop(book.confirm(&format!("trade-{}", amount % 13), now)),
                7 => drop(book.refuse(&format!("trade-{}", amount % 13), now)),
                _ => drop(book.query(channel, number, now)),
            }
            for trade in book.trades(now).to_vec() {
                if let Some(end) = ended.get(&trade.id) {
                    // Closed may still be taken back (nothing moves); the others are final.
                    prop_assert!(
                        *end == trade.state || (*end == TradeState::Closed && trade.state == TradeState::Reversed),
                        "{end:?} became {trade:?}"
                    );
                }
                if matches!(trade.state, TradeState::Closed | TradeState::Reversed | TradeState::Refunded) {
                    ended.insert(trade.id.clone(), trade.state);
                }
                prop_assert!(trade.paid_at.is_some() || trade.refunded == 0);
                prop_assert!(trade.paid_at.is_none() || trade.refunded <= trade.amount);
            }
        }
        let after: i64 = book.wallets().iter().map(|wallet| wallet.balance).sum();
        let held: i64 = book.trades(now).iter().filter(|t| t.paid_at.is_some()).map(|t| t.amount - t.refunded).sum();
        prop_assert_eq!(before - after, held);
        prop_assert!(book.wallets().iter().all(|wallet| wallet.balance >= 0));
    }
}

#[test]
fn a_code_counts_once_and_for_a_minute() {
    let mut book = Book::new(1, OPENED);
    let (code, expires_at) = book.issue_code("alipay-1", OPENED).unwrap();
    assert_eq!((code.len(), &code[..2], expires_at), (18, "28", OPENED + 60_000));
    assert_eq!(book.pay_by_code(alipay(1, 100), &code, OPENED + 1).unwrap().state, TradeState::Success);
    assert_eq!(book.pay_by_code(alipay(2, 100), &code, OPENED + 2), Err(Refusal::CodeUsed));
    let (code, _) = book.issue_code("alipay-1", OPENED).unwrap();
    assert_eq!(book.pay_by_code(alipay(3, 100), &code, OPENED + 60_000), Err(Refusal::CodeExpired));
    let (code, _) = book.issue_code("wechatpay-1", OPENED).unwrap();
    assert_eq!((code.len(), &code[..2]), (18, "13"));
    assert_eq!(book.pay_by_code(alipay(4, 100), &code, OPENED), Err(Refusal::CodeInvalid));
    assert_eq!(book.issue_code("nobody", OPENED), Err(Refusal::NoWallet));
}

#[test]
fn training_codes_say_by_their_last_digits_what_comes_of_them() {
    let mut book = Book::new(1, OPENED);
    for (number, code, came) in [
        (1, "280000001234567890", Ok(TradeState::Success)),
        (2, "280000001234567890", Ok(TradeState::Success)),
        (3, "280000001234567891", Err(Refusal::Balance)),
        (4, "280000001234567892", Ok(TradeState::WaitBuyerPay)),
        (5, "280000001234567893", Err(Refusal::CodeExpired)),
        (6, "130000001234567890", Err(Refusal::CodeInvalid)),
        (7, "28000000", Err(Refusal::CodeInvalid)),
    ] {
        assert_eq!(book.pay_by_code(alipay(number, 100), code, OPENED).map(|trade| trade.state), came, "{code}");
    }
}

#[test]
fn a_password_is_asked_for_over_a_thousand_or_always() {
    let mut book = Book::new(1, OPENED);
    let pay = |book: &mut Book, number, amount| {
        let (code, _) = book.issue_code("alipay-1", OPENED).unwrap();
        book.pay_by_code(alipay(number, amount), &code, OPENED).unwrap().state
    };
    assert_eq!(pay(&mut book, 1, 100_000), TradeState::Success);
    assert_eq!(pay(&mut book, 2, 100_001), TradeState::WaitBuyerPay);
    book.set_ask_always("alipay-1", true).unwrap();
    assert_eq!(pay(&mut book, 3, 1), TradeState::WaitBuyerPay);
}

#[test]
fn codes_and_numbers_are_not_met_again_after_a_restart() {
    let first = |opened| {
        let mut book = Book::new(1, opened);
        let (code, _) = book.issue_code("alipay-1", opened).unwrap();
        let trade = book.create_order(alipay(1, 100), opened).unwrap();
        (code, trade.provider_trade_no, trade.payload)
    };
    assert_eq!(first(OPENED), first(OPENED), "the same seed and time give the same numbers");
    let (one, other) = (first(OPENED), first(OPENED + 5_000));
    assert!(one.0 != other.0 && one.1 != other.1 && one.2 != other.2, "{one:?} {other:?}");
}

#[test]
fn each_provider_has_its_own_time_for_taking_back() {
    let mut book = Book::new(1, OPENED);
    let paid = |book: &mut Book, channel, wallet, number| {
        let (code, _) = book.issue_code(wallet, OPENED).unwrap();
        book.pay_by_code(order(channel, number, 100), &code, OPENED).unwrap();
    };
    for number in 1..=2 {
        paid(&mut book, Provider::Alipay, "alipay-1", number);
        paid(&mut book, Provider::Wechatpay, "wechatpay-1", number);
    }
    let mut back = |channel, number: &str, after| {
        book.take_back(channel, Number::Merchant(number), OPENED + after).map(|(_, done)| done)
    };
    let day = 86_400_000;
    assert_eq!(back(Provider::Alipay, "order1", 0), Ok(TakenBack::Returned));
    assert_eq!(back(Provider::Alipay, "order1", 2 * day), Ok(TakenBack::Returned), "done stays done");
    assert_eq!(back(Provider::Alipay, "order2", day), Err(Refusal::TooLate));
    assert_eq!(back(Provider::Wechatpay, "order1", 14_999), Err(Refusal::TooSoon));
    assert_eq!(back(Provider::Wechatpay, "order1", 15_000), Ok(TakenBack::Returned));
    assert_eq!(back(Provider::Wechatpay, "order2", 7 * day), Err(Refusal::TooLate));
    assert_eq!(back(Provider::Wechatpay, "order3", 0), Err(Refusal::Absent));
}

#[test]
fn a_shown_order_is_the_first_scanners_with_alipay_and_anyones_with_wechat_pay() {
    let mut book = Book::new(1, OPENED);
    let shown = book.create_order(alipay(1, 40), OPENED).unwrap().payload.unwrap();
    assert_eq!(book.scan("wechatpay-1", &shown, Some(true), OPENED), Err(Refusal::OtherProvider(Provider::Alipay)));
    assert_eq!(book.scan("alipay-1", &shown, None, OPENED).unwrap().state, TradeState::WaitBuyerPay);
    assert_eq!(book.scan("alipay-2", &shown, Some(true), OPENED), Err(Refusal::OtherPayer));
    let shown = book.create_order(order(Provider::Wechatpay, 1, 40), OPENED).unwrap().payload.unwrap();
    assert_eq!(book.scan("wechatpay-1", &shown, None, OPENED).unwrap().state, TradeState::WaitBuyerPay);
    assert_eq!(book.scan("wechatpay-2", &shown, Some(true), OPENED).unwrap().state, TradeState::Success);
    assert_eq!(book.scan("wechatpay-1", &shown, Some(true), OPENED), Err(Refusal::Paid));
    let dear = book.create_order(alipay(2, 51), OPENED).unwrap().payload.unwrap();
    assert_eq!(book.scan("alipay-2", &dear, Some(true), OPENED), Err(Refusal::Balance));
    assert_eq!(book.scan("alipay-1", &dear, Some(true), FAR), Err(Refusal::Closed), "it ran out");
    assert_eq!(book.scan("alipay-1", "https://example.com", None, OPENED), Err(Refusal::NoSuchCode));
}

#[test]
fn a_bill_lists_what_moved_money_on_its_day() {
    // 2026-09-21 21:33:20 in China.
    let mut book = Book::new(1, OPENED);
    let midnight = OPENED - OPENED.rem_euclid(86_400_000) + 16 * 3_600_000;
    let pay = |book: &mut Book, number, now| {
        let (code, _) = book.issue_code("alipay-1", now).unwrap();
        book.pay_by_code(Order { expires_at: now + 1_000, ..alipay(number, 500) }, &code, now).unwrap();
    };
    pay(&mut book, 1, midnight - 1);
    pay(&mut book, 2, midnight);
    book.create_order(Order { expires_at: midnight + 9, ..alipay(3, 500) }, midnight).unwrap();
    let wanted = Refunding { out_refund_no: "r".into(), amount: 200, ..Refunding::default() };
    book.refund(Provider::Alipay, Number::Merchant("order1"), &wanted, midnight + 2).unwrap();
    book.take_back(Provider::Alipay, Number::Merchant("order2"), midnight + 3).unwrap();
    let of = |date: &str, channel| -> Vec<(String, Millis, bool)> {
        let entries = book.day(channel, date.parse().unwrap());
        entries
            .into_iter()
            .map(|entry| (entry.trade.out_trade_no, entry.at, entry.movement == Movement::Paid))
            .collect()
    };
    assert_eq!(of("2026-09-21", Provider::Alipay), [("order1".into(), midnight - 1, true)]);
    assert_eq!(
        of("2026-09-22", Provider::Alipay),
        [
            ("order2".into(), midnight, true),
            ("order1".into(), midnight + 2, false),
            ("order2".into(), midnight + 3, false)
        ]
    );
    assert!(of("2026-09-21", Provider::Wechatpay).is_empty() && of("9999-12-31", Provider::Alipay).is_empty());
}

#[test]
fn the_file_keeps_the_latest_trades_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.json");
    let mut book = Book::new(1, OPENED);
    for number in 0..2_005 {
        book.create_order(order(Provider::Alipay, number, 100), OPENED).unwrap();
    }
    book.save(&path).unwrap();
    let mut again = Book::open(&path, 2, OPENED).unwrap();
    assert_eq!(again.trades(OPENED), &book.trades(OPENED)[5..]);
    assert_eq!(again.find("trade-5", OPENED), Err(Refusal::Absent));
    assert_eq!(again.find("trade-6", OPENED).unwrap().out_trade_no, "order5");
    assert_eq!(again.create_order(order(Provider::Alipay, "new", 100), OPENED).unwrap().id, "trade-2006");
    assert!(!folder.path().join("books.new").exists(), "nothing is left beside it");
}
