//! Refunds and providers' notifications in the books, on SQLite and on PostgreSQL alike, also in books made before.

#[macro_use]
#[path = "support/books.rs"]
mod books;
#[path = "support/postgres.rs"]
mod postgres;

use books::{HOUR, Home, NOON, commit, fen, sell};
use jiff::civil::date;
use scantill::ledger::{KeptNotification, Ledger, LedgerError, NOTICE_KIND, Sums, TakingsQuery, Verdict};
use scantill::money::Currency;
use scantill::payment::{ChannelId, Payment, PaymentEvent, PaymentState, UnixMillis};

on_both_databases! {
    a_refund_is_found_by_its_number_and_counts_on_its_own_day
    two_refunds_decided_on_one_version_are_not_both_written
    derived_tables_of_refunds_come_back_from_the_journal_alone
    books_made_before_are_brought_up_to_date
    a_notification_is_kept_as_it_came
}

fn refund(payment: &Payment, minor: i64) -> PaymentEvent {
    let no = u32::try_from(payment.refunds.len()).unwrap() + 1;
    PaymentEvent::RefundStarted {
        no,
        attempt: 1,
        out_refund_no: payment.id.out_refund_no(no).unwrap(),
        amount: fen(minor),
        reason: Some("cold".into()),
        by: "Li".into(),
        by_hand: false,
    }
}

async fn refunded(ledger: &Ledger, payment: &Payment, minor: i64, at: UnixMillis) -> Payment {
    let asked = commit(&payment.id, Some(payment.version), at, vec![refund(payment, minor)]);
    let asked = ledger.commit(asked).await.unwrap();
    let no = asked.refunds.last().unwrap().no;
    let done = commit(&payment.id, Some(asked.version), at, vec![PaymentEvent::RefundSucceeded { no }]);
    ledger.commit(done).await.unwrap()
}

async fn sums(ledger: &Ledger, day: i8) -> Sums {
    let day = date(2026, 11, day);
    let query = TakingsQuery { day, store: None, till: None, training: false, currency: Currency::CNY };
    let takings = ledger.takings(&query).await.unwrap();
    assert_eq!(takings.by_channel.values().map(|sums| sums.net).sum::<i64>(), takings.total.net);
    takings.total
}

async fn a_refund_is_found_by_its_number_and_counts_on_its_own_day(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 1_000, "front", ChannelId::ALIPAY, NOON).await;
    let part = refunded(&ledger, &paid, 300, NOON + HOUR).await;
    assert_eq!((part.state, part.refunded()), (PaymentState::PartiallyRefunded, 300));
    let whole = refunded(&ledger, &part, 700, NOON + 24 * HOUR).await;
    assert_eq!(whole.state, PaymentState::Refunded);
    for number in whole.refunds.iter().map(|refund| &refund.out_refund_no) {
        assert_eq!(ledger.payment_by_out_refund_no(number).await.unwrap().as_ref(), Some(&whole));
    }
    assert_eq!(ledger.payment_by_out_refund_no("NOSUCHREFUND").await.unwrap(), None);
    let first = Sums { gross: 1_000, refunds: 300, net: 700, count: 1, refund_count: 1 };
    let second = Sums { gross: 0, refunds: 700, net: -700, count: 0, refund_count: 1 };
    assert_eq!((sums(&ledger, 24).await, sums(&ledger, 25).await), (first, second));
}

async fn two_refunds_decided_on_one_version_are_not_both_written(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 1_000, "front", ChannelId::ALIPAY, NOON).await;
    let tries = (0..8).map(|_| ledger.commit(commit(&paid.id, Some(paid.version), NOON, vec![refund(&paid, 600)])));
    let done = futures::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(done.iter().all(|one| matches!(one, Ok(_) | Err(LedgerError::Conflict))), "{done:?}");
    let now = ledger.payment(&paid.id).await.unwrap().unwrap();
    let more = ledger.commit(commit(&paid.id, Some(now.version), NOON, vec![refund(&now, 401)])).await;
    assert!(matches!(more, Err(LedgerError::Illegal(_))), "{more:?}");
    assert_eq!(ledger.unfinished("me", NOON).await.unwrap(), [paid.id], "it has to be brought to an end");
}

async fn derived_tables_of_refunds_come_back_from_the_journal_alone(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 1_000, "front", ChannelId::ALIPAY, NOON).await;
    let part = refunded(&ledger, &paid, 300, NOON).await;
    let tables = ["payments", "refunds", "takings"];
    let mut before = Vec::new();
    for table in tables {
        before.push(home.table(table).await);
        home.meddle(&format!("DELETE FROM {table}")).await;
    }
    ledger.rebuild().await.unwrap();
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(home.table(table).await, before, "{table}");
    }
    assert_eq!(ledger.payment(&paid.id).await.unwrap(), Some(part));
}

async fn books_made_before_are_brought_up_to_date(home: &Home) {
    let ledger = home.open().await;
    let paid = sell(&ledger, 1_000, "front", ChannelId::ALIPAY, NOON).await;
    ledger.close().await;
    // The tables as the first version left them.
    for sql in [
        "DROP TABLE operators",
        "DROP TABLE session_keys",
        "DROP TABLE refunds",
        "DROP TABLE notification_bodies",
        "DROP INDEX journal_notices",
        "UPDATE schema_version SET version = 1",
        "UPDATE payments SET doc = REPLACE(doc, '\"refunds\":[],', '')",
        "UPDATE payments SET doc = REPLACE(doc, '\"confirmed_by\":\"provider\",\"seen_by\":null,', '')",
    ] {
        home.meddle(sql).await;
    }
    let doc = home.table("payments").await.concat().concat();
    assert!(!doc.contains("refunds") && !doc.contains("seen_by"), "{doc}");
    let older = home.open_to_read().await.unwrap_err();
    assert!(older.to_string().contains("older version"), "{older}");
    let ledger = home.open().await;
    assert_eq!(ledger.payment(&paid.id).await.unwrap().as_ref(), Some(&paid));
    assert_eq!(ledger.verify().await.unwrap().broken, None);
    assert_eq!(refunded(&ledger, &paid, 1_000, NOON).await.state, PaymentState::Refunded);
    assert_eq!(ledger.rebuild().await.unwrap(), 5);
}

async fn a_notification_is_kept_as_it_came(home: &Home) {
    let ledger = home.open().await;
    let account = "acc".parse().unwrap();
    let keep = |verdict, body: &[u8]| KeptNotification {
        at: NOON,
        channel: ChannelId::WECHATPAY,
        account: "acc".parse().unwrap(),
        id: Some("EV-1".into()),
        out_trade_no: Some("NOSUCHNUMBER".into()),
        verdict,
        detail: "look it up".into(),
        headers: vec![("wechatpay-signature".into(), "a\"b\\c".into())],
        body: body.to_vec(),
    };
    let strange = "{\"a\": \"茶\u{0}\"}\r\n".as_bytes();
    for (body, new) in [(strange, true), (b"\xff\xfe", true), (b"", true), (strange, false)] {
        assert_eq!(ledger.keep_notification(&keep(Verdict::Refused, body)).await.unwrap(), new);
    }
    // The key was put right, and the provider said it again: believed, and a later refusal does not change that.
    assert!(!ledger.keep_notification(&keep(Verdict::Believed, strange)).await.unwrap());
    assert!(!ledger.keep_notification(&keep(Verdict::Refused, strange)).await.unwrap());
    assert!(ledger.keep_notification(&keep(Verdict::Unmatched, b"signed")).await.unwrap());
    assert!(!ledger.keep_notification(&keep(Verdict::Unmatched, b"signed")).await.unwrap());

    let kept = ledger.kept_notifications(&account, 10).await.unwrap();
    assert_eq!(kept.len(), 4);
    let of = |body: &[u8]| kept.iter().find(|one| one.body == body).unwrap();
    assert_eq!(of(strange), &KeptNotification { detail: String::new(), ..keep(Verdict::Believed, strange) });
    assert_eq!(of(b"\xff\xfe").verdict, Verdict::Refused);
    assert!(ledger.kept_notifications(&"other".parse().unwrap(), 10).await.unwrap().is_empty());
    let notices = ledger.notices(0, 10).await.unwrap();
    assert_eq!((notices.len(), notices[0].kind.as_str()), (1, NOTICE_KIND));
    assert_eq!(notices[0].payload["detail"], "look it up");
    assert!(!notices[0].payload.to_string().contains("signed"), "the journal has its digest and not its words");
    assert_eq!(ledger.rows_after(0, 10).await.unwrap(), notices);
    assert_eq!(ledger.notices(notices[0].seq, 10).await.unwrap(), []);
    assert_eq!(ledger.verify().await.unwrap().rows, 1);
}
