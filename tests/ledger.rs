//! The books keep what they promise, on SQLite and on PostgreSQL alike.

#[macro_use]
#[path = "support/books.rs"]
mod books;
#[path = "support/postgres.rs"]
mod postgres;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use books::{HOUR, Home, MINUTE, NOON, commit, create, created, sell, started, succeeded};
use jiff::civil::date;
use scantill::channel::{MerchantAccount, TimingOverrides};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::ledger::{
    BusinessCalendar, Commit, Ledger, LedgerConfig, LedgerError, PaymentFilter, SCHEMA_VERSION, Store, StoredAnswer,
    TakingsQuery, Till,
};
use scantill::money::Currency;
use scantill::payment::{ChannelId, Failure, FailureReason, PaymentEvent, PaymentId, PaymentState, UnixMillis};
use serde_json::json;

on_both_databases! {
    a_sale_is_told_as_it_was_written
    what_was_written_is_there_after_reopening
    a_refused_write_leaves_no_trace
    the_same_key_gets_the_same_answer_and_no_second_sale
    a_notification_counts_once
    a_nonce_counts_once_until_it_is_forgotten
    a_payment_code_is_spent_for_a_day
    an_out_trade_no_is_unique_for_ever
    one_owner_at_a_time_acts_on_a_payment
    who_begins_an_attempt_takes_the_payment_over
    payments_are_listed_by_what_they_are_page_by_page
    takings_are_sums_of_what_money_did
    takings_are_read_from_sums_alone
    takings_are_apart_by_day_till_currency_and_training
    every_touched_row_is_named
    an_untouched_journal_verifies_while_it_is_written
    derived_tables_come_back_from_the_journal_alone
    a_journal_that_does_not_verify_rebuilds_nothing
    a_hundred_tills_at_once_leave_right_books
    a_refused_write_does_not_hurt_those_beside_it
    secrets_are_sealed_and_never_told
    an_account_in_use_stays
    whoever_watches_is_woken
    readers_read_and_cannot_write
    strange_text_is_kept
    books_of_a_newer_version_are_left_alone
    closing_finishes_what_is_queued
}

in_memory! {
    a_sale_is_told_as_it_was_written
    what_was_written_is_there_after_reopening
    the_same_key_gets_the_same_answer_and_no_second_sale
    a_notification_counts_once
    a_nonce_counts_once_until_it_is_forgotten
    a_payment_code_is_spent_for_a_day
    an_out_trade_no_is_unique_for_ever
    who_begins_an_attempt_takes_the_payment_over
    payments_are_listed_by_what_they_are_page_by_page
    takings_are_sums_of_what_money_did
    takings_are_apart_by_day_till_currency_and_training
    an_untouched_journal_verifies_while_it_is_written
    a_hundred_tills_at_once_leave_right_books
    strange_text_is_kept
    closing_finishes_what_is_queued
}

fn failed() -> Failure {
    Failure::new(FailureReason::InsufficientFunds)
}

fn query(day: jiff::civil::Date) -> TakingsQuery {
    TakingsQuery { day, store: None, till: None, training: false, currency: Currency::CNY }
}

async fn a_sale_is_told_as_it_was_written(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 1234, "front", ChannelId::ALIPAY, NOON).await;
    assert_eq!((paid.state, paid.version, paid.paid_by), (PaymentState::Succeeded, 3, Some(1)));
    assert_eq!(ledger.payment(&paid.id).await.unwrap().as_ref(), Some(&paid));
    let number = &paid.attempts[0].out_trade_no;
    assert_eq!(ledger.payment_by_out_trade_no(number).await.unwrap().as_ref(), Some(&paid));
    assert_eq!(ledger.payment(&PaymentId::generate()).await.unwrap(), None);
    assert_eq!(ledger.payment_by_out_trade_no(&"NOSUCHNUMBER".parse().unwrap()).await.unwrap(), None);

    let story = ledger.history(&paid.id).await.unwrap();
    let kinds: Vec<_> = story.iter().map(|row| (row.seq, row.kind.as_str(), row.actor.as_str())).collect();
    let actor = "till:front";
    assert_eq!(kinds, [(1, "created", actor), (2, "attempt_started", actor), (3, "attempt_succeeded", actor)]);
    let event: PaymentEvent = serde_json::from_value(story[0].payload.clone()).unwrap();
    assert_eq!(event, created(1234, "front"));

    assert_eq!(ledger.note(NOON, "engine", "notification_kept", json!({"b": 1, "a": null})).await.unwrap(), 4);
    let other = create(&ledger, 1, NOON).await;
    let rows = ledger.rows_after(2, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [3, 5], "a note is no row about a payment");
    assert_eq!(rows[1].payment.as_ref(), Some(&other.id));
    assert_eq!(ledger.rows_after(0, 2).await.unwrap().len(), 2);
    assert_eq!(ledger.verify().await.unwrap().rows, 5);
}

async fn what_was_written_is_there_after_reopening(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 500, "front", ChannelId::WECHATPAY, NOON).await;
    ledger.close().await;
    assert!(matches!(ledger.note(NOON, "a", "k", json!({})).await, Err(LedgerError::Database(_))));
    let ledger = home.open().await;
    assert_eq!(ledger.payment(&paid.id).await.unwrap(), Some(paid));
    assert_eq!(*ledger.watch().borrow(), 3);
    create(&ledger, 1, NOON).await;
    let checked = ledger.verify().await.unwrap();
    assert_eq!((checked.rows, checked.broken), (4, None));
}

async fn a_refused_write_leaves_no_trace(home: &Home) {
    let ledger = home.open().await;
    let sale = create(&ledger, 100, NOON).await;
    let start = started(&sale.id, 1, ChannelId::ALIPAY, Some("aa"));
    let absent = PaymentId::generate();
    let refused = [
        ("an old version", commit(&sale.id, Some(7), NOON, vec![start.clone()])),
        ("a second creation", commit(&sale.id, None, NOON, vec![created(1, "front")])),
        ("a payment that is not there", commit(&absent, Some(1), NOON, vec![PaymentEvent::Expired])),
        ("a payment that was not created", commit(&absent, None, NOON, vec![PaymentEvent::Expired])),
        ("nothing at all", commit(&absent, None, NOON, vec![])),
        ("an illegal event after a legal one", commit(&sale.id, Some(1), NOON, vec![start, succeeded(2, NOON)])),
        ("no amount", commit(&absent, None, NOON, vec![created(0, "front")])),
    ];
    for (what, write) in refused {
        // Nothing that goes with a refused event may stay either.
        let answer =
            StoredAnswer { scope: "k".into(), key: what.into(), digest: [1; 32], status: 201, body: "{}".into() };
        let write = Commit {
            answer: Some(answer),
            notification: Some(what.to_owned()),
            lease: Some(("someone".to_owned(), NOON + HOUR)),
            ..write
        };
        let error = ledger.commit(write).await.expect_err(what);
        let right = match what {
            "an old version" | "a second creation" => matches!(error, LedgerError::Conflict),
            "a payment that is not there" | "nothing at all" => matches!(error, LedgerError::NotFound),
            _ => matches!(error, LedgerError::Illegal(_)),
        };
        assert!(right, "{what}: {error:?}");
        assert_eq!(ledger.idempotent("k", what).await.unwrap(), None);
    }
    assert_eq!(ledger.payment(&sale.id).await.unwrap(), Some(sale));
    assert_eq!(ledger.payment(&absent).await.unwrap(), None);
    for table in ["answers", "notifications", "leases", "attempts", "takings"] {
        assert_eq!(home.table(table).await, Vec::<Vec<String>>::new(), "{table}");
    }
    assert_eq!(ledger.verify().await.unwrap().rows, 1);
}

async fn the_same_key_gets_the_same_answer_and_no_second_sale(home: &Home) {
    let ledger = home.open().await;
    let answer = StoredAnswer {
        scope: "till-1".to_owned(),
        key: "abc".to_owned(),
        digest: [3; 32],
        status: 201,
        body: r#"{"id":"x"}"#.to_owned(),
    };
    let write = |answer: &StoredAnswer| Commit {
        answer: Some(answer.clone()),
        ..commit(&PaymentId::generate(), None, NOON, vec![created(100, "front")])
    };
    ledger.commit(write(&answer)).await.unwrap();
    let again = StoredAnswer { status: 500, body: "another".to_owned(), ..answer.clone() };
    let Err(LedgerError::IdempotencyReplay(stored)) = ledger.commit(write(&again)).await else {
        panic!("the same request is answered again")
    };
    assert_eq!(*stored, answer);
    let other = StoredAnswer { digest: [4; 32], ..answer.clone() };
    assert!(matches!(ledger.commit(write(&other)).await, Err(LedgerError::IdempotencyMismatch)));
    assert_eq!(ledger.idempotent("till-1", "abc").await.unwrap(), Some(answer.clone()));
    assert_eq!(ledger.idempotent("till-2", "abc").await.unwrap(), None);
    ledger.commit(write(&StoredAnswer { scope: "till-2".to_owned(), ..answer.clone() })).await.unwrap();

    // Also where both come at once, into one transaction.
    let twin = StoredAnswer { key: "twin".to_owned(), ..answer };
    let (one, two) = tokio::join!(ledger.commit(write(&twin)), ledger.commit(write(&twin)));
    assert_eq!([&one, &two].iter().filter(|done| done.is_ok()).count(), 1);
    assert!([one, two].iter().any(|done| matches!(done, Err(LedgerError::IdempotencyReplay(_)))));
    assert_eq!(ledger.payments(&PaymentFilter { limit: 10, ..PaymentFilter::default() }).await.unwrap().len(), 3);
}

async fn a_notification_counts_once(home: &Home) {
    let ledger = home.open().await;
    let sale = create(&ledger, 100, NOON).await;
    let raised = |expect| Commit {
        notification: Some("acc-alipay/n1".to_owned()),
        ..commit(&sale.id, Some(expect), NOON, vec![PaymentEvent::AttentionRaised { detail: "paid late".to_owned() }])
    };
    ledger.commit(raised(1)).await.unwrap();
    assert!(matches!(ledger.commit(raised(2)).await, Err(LedgerError::NotificationSeen)));
    let other = Commit { notification: Some("acc-wechat/n1".to_owned()), ..raised(2) };
    ledger.commit(other).await.unwrap();
}

async fn a_nonce_counts_once_until_it_is_forgotten(home: &Home) {
    let ledger = home.open().await;
    let spend = |key: &'static str, at| {
        let ledger = ledger.clone();
        async move { ledger.spend_nonce(key, "0123456789abcdef", at).await.unwrap() }
    };
    assert!(spend("till-1", NOON).await);
    assert!(!spend("till-1", NOON + MINUTE).await, "spent");
    assert!(spend("till-2", NOON + HOUR).await, "another key's");
    ledger.forget_nonces(NOON).await.unwrap();
    assert!(!spend("till-1", NOON + HOUR).await, "not before that time");
    ledger.forget_nonces(NOON + 1).await.unwrap();
    assert!(spend("till-1", NOON + HOUR).await, "forgotten");
    assert!(!spend("till-2", NOON + HOUR).await, "younger");
}

async fn a_payment_code_is_spent_for_a_day(home: &Home) {
    let ledger = home.open().await;
    let mac = ledger.code_mac("281234567890123456");
    assert_eq!((mac.len(), mac == ledger.code_mac("281234567890123457")), (64, false));
    let attempt = async |at: UnixMillis| {
        let sale = create(&ledger, 100, at).await;
        ledger.commit(commit(&sale.id, Some(1), at, vec![started(&sale.id, 1, ChannelId::ALIPAY, Some(&mac))])).await
    };
    attempt(NOON).await.unwrap();
    for later in [0, 1, MINUTE, 24 * HOUR - 1, -HOUR] {
        assert!(matches!(attempt(NOON + later).await, Err(LedgerError::CodeSpent)), "{later} ms later");
    }
    attempt(NOON + 24 * HOUR).await.unwrap();

    // Also where both come at once, into one transaction.
    let fresh = ledger.code_mac("281111111111111111");
    let (one, two) = (create(&ledger, 1, NOON).await, create(&ledger, 2, NOON).await);
    let start = |id: &PaymentId| commit(id, Some(1), NOON, vec![started(id, 1, ChannelId::ALIPAY, Some(&fresh))]);
    let (first, second) = tokio::join!(ledger.commit(start(&one.id)), ledger.commit(start(&two.id)));
    assert!(first.is_ok() != second.is_ok());
    assert!([first, second].iter().any(|done| matches!(done, Err(LedgerError::CodeSpent))));
}

async fn an_out_trade_no_is_unique_for_ever(home: &Home) {
    let ledger = home.open().await;
    let (one, two) = (create(&ledger, 1, NOON).await, create(&ledger, 2, NOON).await);
    let start = started(&one.id, 1, ChannelId::ALIPAY, None);
    ledger.commit(commit(&one.id, Some(1), NOON, vec![start.clone()])).await.unwrap();
    assert!(matches!(ledger.commit(commit(&two.id, Some(1), NOON, vec![start])).await, Err(LedgerError::Illegal(_))));
    assert_eq!(ledger.payment(&two.id).await.unwrap().unwrap().attempts.len(), 0);
}

async fn one_owner_at_a_time_acts_on_a_payment(home: &Home) {
    let ledger = home.open().await;
    let sale = create(&ledger, 100, NOON).await;
    let id = &sale.id;
    assert!(ledger.lease(id, "a", NOON, NOON + MINUTE).await.unwrap());
    assert!(ledger.lease(id, "a", NOON, NOON + 2 * MINUTE).await.unwrap(), "an owner renews");
    assert!(!ledger.lease(id, "b", NOON + MINUTE, NOON + HOUR).await.unwrap());
    assert_eq!(ledger.unfinished("a", NOON).await.unwrap(), std::slice::from_ref(id));
    assert_eq!(ledger.unfinished("b", NOON).await.unwrap(), []);
    assert_eq!(ledger.unfinished("b", NOON + 2 * MINUTE).await.unwrap(), std::slice::from_ref(id), "a lease runs out");

    let taken = |owner: &str, at, expect| Commit {
        lease: Some((owner.to_owned(), at + MINUTE)),
        ..commit(id, Some(expect), at, vec![PaymentEvent::AttentionRaised { detail: owner.to_owned() }])
    };
    assert!(matches!(ledger.commit(taken("b", NOON, 1)).await, Err(LedgerError::LeaseHeld)));
    ledger.commit(taken("b", NOON + 2 * MINUTE, 1)).await.unwrap();
    assert!(matches!(ledger.commit(taken("a", NOON + 2 * MINUTE, 2)).await, Err(LedgerError::LeaseHeld)));
    // Whoever does not act for the engine (a cashier who cancels) needs no lease.
    let cancel = PaymentEvent::CancelRequested { by: "Li".to_owned() };
    let open = create(&ledger, 1, NOON).await;
    assert!(ledger.lease(&open.id, "a", NOON, NOON + HOUR).await.unwrap());
    let closed = ledger.commit(commit(&open.id, Some(1), NOON, vec![cancel])).await.unwrap();
    assert_eq!(closed.state, PaymentState::Closed);
    assert_eq!(home.table("leases").await.len(), 1, "a lease ends with its payment");

    ledger.break_leases("a").await.unwrap();
    assert_eq!(ledger.unfinished("a", NOON + 2 * MINUTE).await.unwrap(), std::slice::from_ref(id));
    assert!(ledger.lease(id, "a", NOON + 2 * MINUTE, NOON + HOUR).await.unwrap());
    ledger.break_leases("a").await.unwrap();
    assert!(!ledger.lease(id, "b", NOON + 2 * MINUTE, NOON + HOUR).await.unwrap(), "one's own are kept");
}

async fn who_begins_an_attempt_takes_the_payment_over(home: &Home) {
    let ledger = home.open().await;
    let sale = create(&ledger, 100, NOON).await;
    assert!(ledger.lease(&sale.id, "a", NOON, NOON + HOUR).await.unwrap());
    let begin = Commit {
        lease: Some(("b".to_owned(), NOON + MINUTE)),
        takes_over: true,
        ..commit(&sale.id, Some(1), NOON, vec![started(&sale.id, 1, ChannelId::ALIPAY, None)])
    };
    ledger.commit(begin).await.unwrap();
    assert!(!ledger.lease(&sale.id, "a", NOON, NOON + HOUR).await.unwrap(), "the owner before finds out");
    assert!(ledger.lease(&sale.id, "b", NOON, NOON + HOUR).await.unwrap());
}

async fn payments_are_listed_by_what_they_are_page_by_page(home: &Home) {
    let ledger = home.open().await;
    let mut ids = Vec::new();
    for number in 0..9_i64 {
        let till = if number % 2 == 0 { "front" } else { "back" };
        let channel = if number % 3 == 0 { ChannelId::ALIPAY } else { ChannelId::WECHATPAY };
        ids.push(sell(&ledger, 100 + number, till, channel, NOON + number * MINUTE).await.id);
    }
    let yesterday = create(&ledger, 5, NOON - 9 * HOUR).await;
    let list = async |filter: PaymentFilter| {
        let filter = PaymentFilter { limit: if filter.limit == 0 { 50 } else { filter.limit }, ..filter };
        ledger.payments(&filter).await.unwrap().into_iter().map(|payment| payment.id).collect::<Vec<_>>()
    };
    let mut newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    newest_first.insert(0, yesterday.id.clone());
    assert_eq!(list(PaymentFilter::default()).await, newest_first);

    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = list(PaymentFilter { before: before.clone(), limit: 4, ..PaymentFilter::default() }).await;
        assert!(page.len() <= 4);
        let Some(last) = page.last().cloned() else { break };
        before = Some(last);
        paged.extend(page);
    }
    assert_eq!(paged, newest_first);

    let count = async |filter| list(filter).await.len();
    let of = PaymentFilter::default;
    assert_eq!(count(PaymentFilter { till: Some("back".parse().unwrap()), ..of() }).await, 4);
    assert_eq!(count(PaymentFilter { store: Some("other".parse().unwrap()), ..of() }).await, 0);
    assert_eq!(count(PaymentFilter { channel: Some(ChannelId::ALIPAY), ..of() }).await, 3);
    assert_eq!(count(PaymentFilter { state: Some(PaymentState::Created), ..of() }).await, 1);
    assert_eq!(count(PaymentFilter { training: Some(true), ..of() }).await, 0);
    assert_eq!(count(PaymentFilter { training: Some(false), ..of() }).await, 10);
    let day = Some(date(2026, 11, 23));
    assert_eq!(list(PaymentFilter { business_day: day, ..of() }).await, [yesterday.id]);
}

/// A day with everything that money can do.
async fn busy_day(ledger: &Ledger) {
    sell(ledger, 1000, "front", ChannelId::ALIPAY, NOON).await;
    sell(ledger, 500, "front", ChannelId::ALIPAY, NOON + HOUR).await;
    sell(ledger, 70, "back", ChannelId::WECHATPAY, NOON).await;

    // Paid both ways in the same moment: the surplus is taken, and refunded, and is no sale.
    let twice = create(ledger, 300, NOON).await;
    let id = &twice.id;
    let events = vec![
        started(id, 1, ChannelId::ALIPAY, None),
        started(id, 2, ChannelId::WECHATPAY, None),
        succeeded(1, NOON),
        succeeded(2, NOON),
        PaymentEvent::SurplusRefundStarted { no: 2, out_refund_no: "R1".to_owned() },
    ];
    let twice = ledger.commit(commit(id, Some(1), NOON, events)).await.unwrap();
    let before = ledger.takings(&query(date(2026, 11, 24))).await.unwrap();
    assert_eq!((before.total.gross, before.total.refunds, before.total.count), (2170, 0, 4));
    ledger.commit(commit(id, Some(twice.version), NOON, vec![PaymentEvent::SurplusRefunded { no: 2 }])).await.unwrap();

    // Taken back after money had moved both ways, after it may have, and refused.
    for event in [
        PaymentEvent::AttemptReversed { no: 1, captured: true },
        PaymentEvent::AttemptReversed { no: 1, captured: false },
        PaymentEvent::AttemptFailed { no: 1, failure: failed() },
        PaymentEvent::AttemptClosed { no: 1 },
    ] {
        let sale = create(ledger, 40, NOON).await;
        let start = started(&sale.id, 1, ChannelId::ALIPAY, None);
        ledger.commit(commit(&sale.id, Some(1), NOON, vec![start, event])).await.unwrap();
    }
}

async fn takings_are_sums_of_what_money_did(home: &Home) {
    let ledger = home.open().await;
    busy_day(&ledger).await;
    let takings = ledger.takings(&query(date(2026, 11, 24))).await.unwrap();
    let sums = |sums: scantill::ledger::Sums| (sums.gross, sums.refunds, sums.net, sums.count, sums.refund_count);
    assert_eq!(sums(takings.total), (2210, 340, 1870, 4, 2));
    let named = |map: &BTreeMap<String, scantill::ledger::Sums>| {
        map.iter().map(|(name, one)| (name.clone(), sums(*one))).collect::<Vec<_>>()
    };
    assert_eq!(
        named(&takings.by_channel),
        [("alipay".to_owned(), (1840, 40, 1800, 3, 1)), ("wechatpay".to_owned(), (370, 300, 70, 1, 1))]
    );
    assert_eq!(
        named(&takings.by_till),
        [("back".to_owned(), (70, 0, 70, 1, 0)), ("front".to_owned(), (2140, 340, 1800, 3, 2))]
    );
    let hours: Vec<_> = takings.by_hour.iter().map(|(hour, one)| (*hour, sums(*one))).collect();
    assert_eq!(hours, [(12, (1710, 340, 1370, 3, 2)), (13, (500, 0, 500, 1, 0))]);
}

async fn takings_are_read_from_sums_alone(home: &Home) {
    let ledger = home.open().await;
    for number in 0..20 {
        sell(&ledger, 100, "front", ChannelId::ALIPAY, NOON + number).await;
    }
    let takings = ledger.takings(&query(date(2026, 11, 24))).await.unwrap();
    assert_eq!((takings.total.gross, takings.total.count), (2000, 20));
    // Twenty sales of one hour are one row, and the rows of sales are not needed at all.
    assert_eq!(home.table("takings").await.len(), 1);
    for table in ["payments", "attempts", "journal"] {
        home.meddle(&format!("DELETE FROM {table}")).await;
    }
    assert_eq!(ledger.takings(&query(date(2026, 11, 24))).await.unwrap(), takings);
}

async fn takings_are_apart_by_day_till_currency_and_training(home: &Home) {
    let ledger = home.open().await;
    // The business day begins at 4 in the morning: eight hours before noon.
    sell(&ledger, 1, "front", ChannelId::ALIPAY, NOON - 8 * HOUR - 1).await;
    sell(&ledger, 10, "front", ChannelId::ALIPAY, NOON - 8 * HOUR).await;
    sell(&ledger, 100, "back", ChannelId::ALIPAY, NOON).await;
    let special = async |training: bool, currency: Currency| {
        let id = PaymentId::generate();
        let PaymentEvent::Created { description, store, till, operator, collect_until, .. } = created(1, "front")
        else {
            unreachable!()
        };
        let amount = scantill::money::Money::new(5, currency);
        let event = PaymentEvent::Created { amount, description, store, till, operator, collect_until, training };
        let events = vec![event, started(&id, 1, ChannelId::ALIPAY, None), succeeded(1, NOON)];
        ledger.commit(commit(&id, None, NOON, events)).await.unwrap();
    };
    special(true, Currency::CNY).await;
    special(false, Currency::EUR).await;

    let gross = async |query: TakingsQuery| ledger.takings(&query).await.unwrap().total.gross;
    let today = query(date(2026, 11, 24));
    assert_eq!(gross(today.clone()).await, 110);
    assert_eq!(gross(query(date(2026, 11, 23))).await, 1);
    assert_eq!(gross(query(date(2026, 11, 25))).await, 0);
    assert_eq!(gross(TakingsQuery { till: Some("back".parse().unwrap()), ..today.clone() }).await, 100);
    assert_eq!(gross(TakingsQuery { store: Some("none".parse().unwrap()), ..today.clone() }).await, 0);
    assert_eq!(gross(TakingsQuery { training: true, ..today.clone() }).await, 5);
    assert_eq!(gross(TakingsQuery { currency: Currency::EUR, ..today }).await, 5);
    assert_eq!(ledger.business_day(NOON - 8 * HOUR - 1), date(2026, 11, 23));
    assert_eq!(ledger.business_day(NOON - 8 * HOUR), date(2026, 11, 24));
}

async fn every_touched_row_is_named(home: &Home) {
    let ledger = home.open().await;
    for _ in 0..3 {
        sell(&ledger, 100, "front", ChannelId::ALIPAY, NOON).await;
    }
    ledger.note(NOON, "engine", "kept", json!({"text": "x"})).await.unwrap();
    let whole = ledger.verify().await.unwrap();
    assert_eq!((whole.rows, whole.broken), (10, None));
    for table in ["journal", "journal_head"] {
        home.meddle(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }
    let other_seq = "UPDATE journal SET seq = CASE seq WHEN 4 THEN -5 WHEN 5 THEN -4 ELSE seq END WHERE seq IN (4, 5); \
                     UPDATE journal SET seq = -seq WHERE seq < 0";
    let copied =
        "INSERT INTO journal SELECT 11, at, actor, kind, payment, payload, prev, mac FROM journal WHERE seq = 10";
    let squeezed_in = "UPDATE journal SET seq = seq + 101 WHERE seq >= 5; UPDATE journal SET seq = seq - 100 WHERE seq > 100; \
                       INSERT INTO journal SELECT 5, at, actor, kind, payment, payload, prev, mac FROM journal WHERE seq = 4";
    let closed_up = "DELETE FROM journal WHERE seq = 5; UPDATE journal SET seq = seq + 99 WHERE seq > 5; \
                     UPDATE journal SET seq = seq - 100 WHERE seq > 100; UPDATE journal_head SET seq = 9";
    let shortened = "DELETE FROM journal WHERE seq > 8; \
                     UPDATE journal_head SET seq = 8, mac = (SELECT mac FROM journal WHERE seq = 8)";
    let touches = [
        ("its time", "UPDATE journal SET at = at + 1 WHERE seq = 4", 4),
        ("its actor", "UPDATE journal SET actor = 'x' WHERE seq = 4", 4),
        ("its kind", "UPDATE journal SET kind = 'x' WHERE seq = 4", 4),
        ("its payment", "UPDATE journal SET payment = NULL WHERE seq = 4", 4),
        ("its payload", "UPDATE journal SET payload = REPLACE(payload, '100', '900') WHERE seq = 4", 4),
        ("its MAC", "UPDATE journal SET mac = prev WHERE seq = 4", 4),
        ("its predecessor", "UPDATE journal SET prev = mac WHERE seq = 4", 4),
        ("no hex", "UPDATE journal SET prev = 'zz', mac = 'zz' WHERE seq = 4", 4),
        ("two rows, the first counts", "UPDATE journal SET at = 0 WHERE seq IN (9, 6)", 6),
        ("the first row", "UPDATE journal SET at = 0 WHERE seq = 1", 1),
        ("the last row", "UPDATE journal SET payload = '{}' WHERE seq = 10", 10),
        ("a row removed", "DELETE FROM journal WHERE seq = 5", 5),
        ("the first row removed", "DELETE FROM journal WHERE seq = 1", 1),
        ("a row removed and the rest moved up", closed_up, 5),
        ("the tail removed", "DELETE FROM journal WHERE seq > 8", 9),
        ("the tail removed and the end noted anew", shortened, 9),
        ("everything removed", "DELETE FROM journal", 1),
        ("two rows in each other's place", other_seq, 4),
        ("a row copied to the end", copied, 11),
        ("a row put in between", squeezed_in, 5),
        (
            "a row put before the first",
            "INSERT INTO journal SELECT 0, at, actor, kind, payment, payload, prev, mac FROM journal WHERE seq = 1",
            0,
        ),
    ];
    for (what, touch, named) in touches {
        for statement in touch.split("; ") {
            home.meddle(statement).await;
        }
        let found = ledger.verify().await.unwrap();
        let broken = found.broken.unwrap_or_else(|| panic!("{what}: not noticed"));
        assert_eq!(broken.seq, named, "{what}: {}", broken.why);
        assert_eq!(found.rows, u64::try_from(named - 1).unwrap_or_default(), "{what}");
        assert!(!broken.why.is_empty());
        for table in ["journal", "journal_head"] {
            home.meddle(&format!("DELETE FROM {table}")).await;
            home.meddle(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
        assert_eq!(ledger.verify().await.unwrap().broken, None);
    }
    ledger.close().await;
    let other_key = LedgerConfig { chain_key: [8; 32].into(), ..home.config() };
    let stranger = Ledger::open(other_key).await.unwrap();
    assert_eq!(stranger.verify().await.unwrap().broken.unwrap().seq, 1, "another key made none of it");
}

async fn an_untouched_journal_verifies_while_it_is_written(home: &Home) {
    let ledger = home.open().await;
    // More rows than one step of the walk takes.
    let sale = create(&ledger, 1, NOON).await;
    let attention = |n: u64| PaymentEvent::AttentionRaised { detail: n.to_string() };
    for round in 0..3 {
        let events = (0..500).map(attention).collect();
        ledger.commit(commit(&sale.id, Some(1 + round * 500), NOON, events)).await.unwrap();
    }
    let writing = {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for number in 0..40 {
                sell(&ledger, 1 + number, "front", ChannelId::ALIPAY, NOON).await;
            }
        })
    };
    for _ in 0..5 {
        let found = ledger.verify().await.unwrap();
        assert_eq!(found.broken, None);
        assert!(found.rows >= 1501);
    }
    writing.await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().rows, 1621);
}

async fn derived_tables_come_back_from_the_journal_alone(home: &Home) {
    let ledger = home.open().await;
    busy_day(&ledger).await;
    let sale = create(&ledger, 1, NOON).await;
    ledger.lease(&sale.id, "engine", NOON, NOON + HOUR).await.unwrap();
    let attention = |n: u64| PaymentEvent::AttentionRaised { detail: n.to_string() };
    for round in 0..3 {
        let events = (0..400).map(attention).collect();
        ledger.commit(commit(&sale.id, Some(1 + round * 400), NOON, events)).await.unwrap();
    }
    let dump = async || {
        let mut tables = Vec::new();
        for table in ["payments", "attempts", "refunds", "takings", "leases", "journal", "journal_head"] {
            tables.push((table, home.table(table).await));
        }
        tables
    };
    let original = dump().await;
    assert!(original.iter().all(|(_, table)| !table.is_empty()));
    home.meddle("UPDATE payments SET state = 'refunded', doc = 'no JSON'").await;
    home.meddle("DELETE FROM attempts").await;
    home.meddle("UPDATE takings SET gross = gross + 1").await;
    let rows = ledger.verify().await.unwrap().rows;
    assert_eq!(ledger.rebuild().await.unwrap(), rows);
    assert_eq!(dump().await, original);
    create(&ledger, 1, NOON).await;
}

async fn a_journal_that_does_not_verify_rebuilds_nothing(home: &Home) {
    let ledger = home.open().await;
    busy_day(&ledger).await;
    let before = home.table("takings").await;
    home.meddle("UPDATE journal SET payload = REPLACE(payload, '1000', '9000') WHERE seq = 1").await;
    let error = ledger.rebuild().await.unwrap_err();
    assert!(error.to_string().contains("row 1 of the journal"), "{error}");
    assert_eq!(home.table("takings").await, before);
    create(&ledger, 1, NOON).await;
}

async fn a_hundred_tills_at_once_leave_right_books(home: &Home) {
    let ledger = home.open().await;
    let shared = create(&ledger, 1, NOON).await;
    let tills: Vec<_> = (0..100_i64)
        .map(|number| {
            let (ledger, shared) = (ledger.clone(), shared.id.clone());
            tokio::spawn(async move {
                let channel = if number % 2 == 0 { ChannelId::ALIPAY } else { ChannelId::WECHATPAY };
                sell(&ledger, 100 + number, &format!("till-{}", number % 7), channel, NOON + number * MINUTE).await;
                // All of them write on one payment too: one wins, the rest read it again.
                loop {
                    let seen = ledger.payment(&shared).await.unwrap().unwrap();
                    let event = PaymentEvent::AttentionRaised { detail: number.to_string() };
                    match ledger.commit(commit(&shared, Some(seen.version), NOON, vec![event])).await {
                        Ok(_) => return,
                        Err(LedgerError::Conflict) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    for till in tills {
        till.await.unwrap();
    }
    let rows = ledger.rows_after(0, 10_000).await.unwrap();
    assert!(rows.iter().map(|row| row.seq).eq(1..=401), "no gap and no double");
    let found = ledger.verify().await.unwrap();
    assert_eq!((found.rows, found.broken), (401, None));
    let shared = ledger.payment(&shared.id).await.unwrap().unwrap();
    let marks: HashSet<_> = shared.attention.iter().collect();
    assert_eq!((shared.version, marks.len()), (101, 100));

    let mut amounts = BTreeMap::new();
    let mut paid = 0;
    for row in rows {
        match serde_json::from_value(row.payload).unwrap() {
            PaymentEvent::Created { amount, .. } => drop(amounts.insert(row.payment.unwrap(), amount.minor)),
            PaymentEvent::AttemptSucceeded { .. } => paid += amounts[&row.payment.unwrap()],
            _ => {}
        }
    }
    let takings = ledger.takings(&query(date(2026, 11, 24))).await.unwrap();
    assert_eq!((takings.total.gross, takings.total.count), (paid, 100));
    assert_eq!(paid, (100..200).sum::<i64>());
}

async fn a_refused_write_does_not_hurt_those_beside_it(home: &Home) {
    let ledger = home.open().await;
    let sale = create(&ledger, 1, NOON).await;
    let writes: Vec<_> = (0..60)
        .map(|number| {
            let id = PaymentId::generate();
            match number % 3 {
                0 => commit(&id, None, NOON, vec![created(1, "front")]),
                1 => commit(&sale.id, Some(99), NOON, vec![PaymentEvent::Expired]),
                _ => commit(&id, None, NOON, vec![created(1, "front"), succeeded(1, NOON)]),
            }
        })
        .collect();
    let done = futures::future::join_all(writes.into_iter().map(|write| ledger.commit(write))).await;
    for (number, done) in done.into_iter().enumerate() {
        let right = match number % 3 {
            0 => done.is_ok(),
            1 => matches!(done, Err(LedgerError::Conflict)),
            _ => matches!(done, Err(LedgerError::Illegal(_))),
        };
        assert!(right, "{number}");
    }
    assert_eq!(ledger.verify().await.unwrap().rows, 21);
    // What only the database notices (a row that a stranger put in the way) is refused for its own writer alone.
    let (blocked, free) = (PaymentId::generate(), PaymentId::generate());
    home.meddle(
        "INSERT INTO journal SELECT seq + 1, at, actor, kind, payment, payload, prev, mac FROM journal WHERE seq = 21",
    )
    .await;
    let refused = ledger.commit(commit(&blocked, None, NOON, vec![created(1, "front")])).await;
    assert!(matches!(refused, Err(LedgerError::Database(_))), "{refused:?}");
    home.meddle("DELETE FROM journal WHERE seq = 22").await;
    ledger.commit(commit(&free, None, NOON, vec![created(1, "front")])).await.unwrap();
    assert_eq!(ledger.verify().await.unwrap().broken, None);
}

fn account(id: &str, credentials: &str) -> MerchantAccount {
    MerchantAccount {
        id: id.parse().unwrap(),
        channel: ChannelId::ALIPAY,
        name: "Tea house".to_owned(),
        base_url: "https://openapi.alipay.com".to_owned(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides { request_timeout_ms: Some(10), ..TimingOverrides::default() },
        stores: Vec::new(),
        algorithms: AlgorithmPolicy::default(),
        retiring: None,
        credentials: Secret::new(credentials.to_owned()),
    }
}

fn till(id: &str, secret: &str) -> Till {
    Till {
        id: id.parse().unwrap(),
        store: "main".parse().unwrap(),
        name: "Front".to_owned(),
        secret: Secret::new(secret.to_owned()),
        retiring: None,
        enabled: true,
        admin: false,
    }
}

async fn secrets_are_sealed_and_never_told(home: &Home) {
    let ledger = home.open().await;
    let secret = r#"{"key":"MIIEvgIBADANBg"}"#;
    ledger.put_account(NOON, "operator:Li", &account("a", secret)).await.unwrap();
    ledger.put_account(NOON, "operator:Li", &account("b", "another")).await.unwrap();
    ledger.put_account(NOON, "operator:Li", &account("b", "geheim")).await.unwrap();
    ledger.put_till(NOON, "operator:Li", &till("front", "tillkey")).await.unwrap();
    let store = Store { id: "main".parse().unwrap(), name: "茶馆".to_owned() };
    ledger.put_store(NOON, "operator:Li", &store).await.unwrap();

    let accounts = ledger.accounts().await.unwrap();
    let told: Vec<_> = accounts.iter().map(|one| (one.id.as_str(), one.credentials.expose().as_str())).collect();
    assert_eq!(told, [("a", secret), ("b", "geheim")]);
    assert_eq!(accounts[0].timing.request_timeout_ms, Some(10));
    let tills = ledger.tills().await.unwrap();
    assert_eq!((tills.len(), tills[0].secret.expose().as_str()), (1, "tillkey"));
    assert_eq!(ledger.stores().await.unwrap(), [store]);

    for table in ["accounts", "tills", "stores", "journal"] {
        let told = format!("{:?}", home.table(table).await);
        for word in ["MIIE", "geheim", "tillkey", "another"] {
            assert!(!told.contains(word), "{table} tells {word}");
            assert!(!told.contains(&hex::encode(word)), "{table} tells {word} in hex");
        }
    }
    let journal = home.table("journal").await;
    assert_eq!(journal.iter().filter(|row| row[3] == "account_put" && row[2] == "operator:Li").count(), 3);
    assert!(journal.iter().any(|row| row[3] == "till_put") && journal.iter().any(|row| row[3] == "store_put"));

    // A sealed value opens in its own row only, and with its own key only.
    home.meddle("UPDATE accounts SET sealed = (SELECT sealed FROM accounts WHERE id = 'a') WHERE id = 'b'").await;
    let error = ledger.accounts().await.unwrap_err().to_string();
    assert!(error.contains("accounts b"), "{error}");
    ledger.close().await;
    let other_key = LedgerConfig { seal_key: [1; 32].into(), ..home.config() };
    let error = Ledger::open(other_key).await.unwrap().tills().await.unwrap_err().to_string();
    assert!(error.contains("front") && error.contains("key"), "{error}");
}

async fn an_account_in_use_stays(home: &Home) {
    let ledger = home.open().await;
    let id = "acc-alipay".parse().unwrap();
    ledger.put_account(NOON, "operator:Li", &account("acc-alipay", "x")).await.unwrap();
    let sale = create(&ledger, 1, NOON).await;
    let start = started(&sale.id, 1, ChannelId::ALIPAY, None);
    let sale = ledger.commit(commit(&sale.id, Some(1), NOON, vec![start])).await.unwrap();
    assert!(!ledger.remove_account(NOON, "operator:Li", &id).await.unwrap());
    ledger.commit(commit(&sale.id, Some(sale.version), NOON, vec![succeeded(1, NOON)])).await.unwrap();
    assert!(ledger.remove_account(NOON, "operator:Li", &id).await.unwrap());
    assert!(!ledger.remove_account(NOON, "operator:Li", &id).await.unwrap(), "it is gone");
    assert_eq!(ledger.accounts().await.unwrap().len(), 0);
    let kinds: Vec<_> = home.table("journal").await.into_iter().map(|row| row[3].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "account_removed").count(), 1);
}

async fn whoever_watches_is_woken(home: &Home) {
    let ledger = home.open().await;
    let mut watch = ledger.watch();
    assert_eq!(*watch.borrow_and_update(), 0);
    create(&ledger, 1, NOON).await;
    tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.expect("woken").unwrap();
    assert_eq!(*watch.borrow_and_update(), 1);
    // What was refused, and a lease, are no rows.
    let absent = PaymentId::generate();
    ledger.commit(commit(&absent, Some(1), NOON, vec![])).await.unwrap_err();
    ledger.lease(&absent, "a", NOON, NOON + HOUR).await.unwrap();
    assert!(!watch.has_changed().unwrap());
}

async fn readers_read_and_cannot_write(home: &Home) {
    assert!(matches!(home.open_to_read().await, Err(LedgerError::Absent { .. })));
    let ledger = home.open().await;
    let paid = sell(&ledger, 100, "front", ChannelId::ALIPAY, NOON).await;
    let reader = home.open_to_read().await.unwrap();
    assert_eq!(reader.payment(&paid.id).await.unwrap().as_ref(), Some(&paid));
    sell(&ledger, 11, "front", ChannelId::ALIPAY, NOON).await;
    assert_eq!(reader.takings(&query(date(2026, 11, 24))).await.unwrap().total.gross, 111);
    assert_eq!(reader.verify().await.unwrap().rows, 6);
    let refused = reader.commit(commit(&paid.id, Some(3), NOON, vec![])).await.unwrap_err();
    assert!(refused.to_string().contains("reading only"), "{refused}");
    assert!(reader.rebuild().await.is_err());
    reader.close().await;
    ledger.close().await;
    let reader = home.open_to_read().await.unwrap();
    assert_eq!(reader.verify().await.unwrap().rows, 6);
}

async fn strange_text_is_kept(home: &Home) {
    let ledger = home.open().await;
    let id = PaymentId::generate();
    let PaymentEvent::Created { amount, store, till, collect_until, training, .. } = created(1, "front") else {
        unreachable!()
    };
    let description = "a\0b\u{1}\"'; DROP TABLE journal; -- \u{10ffff}".to_owned();
    let operator = Some("O'\0Hara".to_owned());
    let event = PaymentEvent::Created {
        amount,
        description: description.clone(),
        store,
        till,
        operator,
        collect_until,
        training,
    };
    let events = vec![event, started(&id, 1, ChannelId::ALIPAY, None), succeeded(1, NOON)];
    let write = Commit {
        actor: "till:\0\"".to_owned(),
        notification: Some("n\0".to_owned()),
        answer: Some(StoredAnswer {
            scope: "s".to_owned(),
            key: "k'".to_owned(),
            digest: [0; 32],
            status: 200,
            body: "\n".to_owned(),
        }),
        ..commit(&id, None, NOON, events)
    };
    let paid = ledger.commit(write).await.unwrap();
    assert_eq!(paid.description, description);
    assert_eq!(ledger.payment(&id).await.unwrap(), Some(paid));
    assert_eq!(ledger.verify().await.unwrap().broken, None);
    assert_eq!(ledger.idempotent("s", "k'").await.unwrap().unwrap().body, "\n");
    assert_eq!(ledger.rebuild().await.unwrap(), 3);
}

async fn books_of_a_newer_version_are_left_alone(home: &Home) {
    let ledger = home.open().await;
    create(&ledger, 1, NOON).await;
    ledger.close().await;
    home.meddle(&format!("UPDATE schema_version SET version = {}", SCHEMA_VERSION + 1)).await;
    let before = home.table("journal").await;
    let refused = Ledger::open(home.config()).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Newer { .. }), "{refused}");
    assert!(matches!(home.open_to_read().await, Err(LedgerError::Newer { .. })));
    assert_eq!(home.table("journal").await, before);
}

async fn closing_finishes_what_is_queued(home: &Home) {
    let ledger = home.open().await;
    let ids: Vec<_> = (0..200).map(|_| PaymentId::generate()).collect();
    let writes = ids.iter().map(|id| ledger.commit(commit(id, None, NOON, vec![created(1, "front")])));
    let writes = futures::future::join_all(writes);
    let (done, ()) = tokio::join!(writes, async {
        tokio::task::yield_now().await;
        ledger.close().await;
    });
    let written = done.iter().filter(|done| done.is_ok()).count();
    assert_eq!(written, 200, "all were asked before the close");
    let ledger = home.open().await;
    assert_eq!(ledger.verify().await.unwrap().rows, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calendar_settings_that_are_none_are_refused() {
    let home = Home::sqlite();
    let calendar = BusinessCalendar { time_zone: Some("Mars/Base".to_owned()), cutover_hour: 0 };
    let refused = Ledger::open(LedgerConfig { calendar, ..home.config() }).await.unwrap_err();
    assert!(refused.to_string().contains("Mars/Base"), "{refused}");
}
