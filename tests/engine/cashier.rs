//! Where no provider tells whether a shown code was paid, the cashier does, and the books say who and when.

use std::time::Duration;

use scantill::channel::ConfirmedBy;
use scantill::engine::{EngineError, NewRefund, Seen};
use scantill::payment::{AttemptState, ChannelId, Payment, PaymentId, PaymentState, PendingReason};

use crate::shop::{ALIPAY_CODE, Fake, Shop, fresh};

const BANK: &str = "bank_transfer";

fn bank() -> ChannelId {
    BANK.parse().unwrap()
}

async fn shop() -> Shop {
    Shop::also(vec![Fake::by_cashier(BANK)]).await
}

async fn confirm(shop: &Shop, id: &PaymentId, channel: Option<&ChannelId>) -> Result<Payment, EngineError> {
    let seen = Seen { channel: channel.cloned(), operator: Some("Li".into()), ..Seen::default() };
    shop.engine.confirm(id, "till:test", seen, None).await.map(fresh)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cashiers_word_pays_the_sale_after_the_other_codes_are_closed() {
    let shop = shop().await;
    let id = shop.sale(60).await;
    let nothing = confirm(&shop, &id, None).await.unwrap_err();
    assert!(matches!(nothing, EngineError::NothingToConfirm), "{nothing}");
    shop.show(&id, &ChannelId::WECHATPAY).await;
    let shown = shop.show(&id, &bank()).await;
    assert_eq!(shown.attempts[1].confirmed_by, ConfirmedBy::Cashier);
    assert_eq!(shown.attempts[1].code_expires_at, Some(shown.collect_until), "nobody lets it run out");
    let provider = confirm(&shop, &id, Some(&ChannelId::WECHATPAY)).await.unwrap_err();
    assert!(matches!(provider, EngineError::NotConfirmedByCashier(_)), "{provider}");

    confirm(&shop, &id, None).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    assert_eq!((paid.paid_by, paid.attempts[1].seen_by.as_deref()), (Some(2), Some("Li")));
    assert_eq!(paid.attempts[0].state, AttemptState::Closed, "the other code is closed first");
    let again = confirm(&shop, &id, None).await.unwrap();
    assert_eq!(again.version, paid.version, "said again it changes nothing");
    let story = shop.engine.ledger().history(&id).await.unwrap();
    let said: Vec<_> = story.iter().filter(|row| row.kind == "cashier_confirmed").collect();
    assert_eq!((said.len(), said[0].actor.as_str(), said[0].payload["by"].as_str()), (1, "till:test", Some("Li")));
    assert_eq!((shop.takings().await.gross, shop.takings().await.count), (1_250, 1));
    let calls = shop.others[0].provider.lock().unwrap().calls.clone();
    assert!(calls.iter().all(|(name, _)| *name == "create"), "nobody is asked who cannot tell: {calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_is_no_way_to_pay_what_can_only_be_shown() {
    let mut other = Fake::by_cashier("alipay");
    other.account = "alipay-shown".parse().unwrap();
    other.capabilities.code_rules = Fake::new(&ChannelId::ALIPAY).capabilities.code_rules;
    let mut shop = shop().await;
    shop.alipay = other;
    shop.restart().await;
    let id = shop.sale(60).await;
    let refused = shop.scan(&id, ALIPAY_CODE).await.unwrap_err();
    assert!(matches!(refused, EngineError::WayNotOffered { .. }), "{refused}");
    assert_eq!(shop.payment(&id).await.state, PaymentState::Created);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_ran_out_waits_for_the_cashier_to_look() {
    let shop = shop().await;
    let id = shop.sale(1).await;
    shop.show(&id, &bank()).await;
    let waiting = shop.until(&id, |payment| payment.expired).await;
    assert_eq!(waiting.pending, Some(PendingReason::AwaitingCashier));
    assert!(waiting.attention[0].contains("look there"), "{:?}", waiting.attention);
    assert!(matches!(shop.scan(&id, ALIPAY_CODE).await, Err(EngineError::Over { .. })));
    confirm(&shop, &id, None).await.unwrap();
    assert_eq!(shop.until(&id, |payment| payment.state.is_end()).await.state, PaymentState::Succeeded);

    // Nobody looks: it is closed, and says so.
    let id = shop.sale(1).await;
    shop.show(&id, &bank()).await;
    let closed = shop.until(&id, |payment| payment.state.is_end()).await;
    assert_eq!((closed.state, closed.attempts[0].state), (PaymentState::Closed, AttemptState::Closed));
    assert_eq!(closed.attention.len(), 2);
    assert!(closed.attention[1].contains("counts as not paid"), "{:?}", closed.attention);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_arrives_late_or_twice_is_paid_back_by_hand_and_the_books_say_so() {
    let shop = shop().await;
    // Cancelled, and the money arrives all the same.
    let late = shop.sale(60).await;
    shop.show(&late, &bank()).await;
    shop.engine.cancel(&late, "till:test", None).await.unwrap();
    shop.until(&late, |payment| payment.state == PaymentState::Closed).await;
    // Paid by Alipay, and the bank's code as well.
    let twice = shop.sale(60).await;
    shop.show(&twice, &bank()).await;
    shop.scan(&twice, ALIPAY_CODE).await.unwrap();
    shop.until(&twice, |payment| payment.state == PaymentState::Succeeded).await;
    for (id, state) in [(&late, PaymentState::Closed), (&twice, PaymentState::Succeeded)] {
        let owed = confirm(&shop, id, Some(&bank())).await.unwrap();
        assert_eq!((owed.state, owed.attempts[0].state), (state, AttemptState::SurplusOwed));
        assert!(owed.attention.last().unwrap().contains("back by hand"), "{:?}", owed.attention);
        assert!(!owed.is_unfinished(), "a person has to do it");
    }
    assert_eq!(shop.takings().await.gross, 3 * 1_250);

    let back = |attempt| NewRefund {
        by_hand: true,
        reason: Some("sent back".into()),
        attempt: Some(attempt),
        ..NewRefund::default()
    };
    let asked = NewRefund { by_hand: false, ..back(1) };
    let refused = shop.engine.refund(&twice, "till:test", asked, None).await.unwrap_err();
    assert!(matches!(refused, EngineError::RefundByHand { .. }), "{refused}");
    for (id, state) in [(&late, PaymentState::Closed), (&twice, PaymentState::Succeeded)] {
        let done = fresh(shop.engine.refund(id, "till:test", back(1), None).await.unwrap());
        assert_eq!((done.state, done.attempts[0].state), (state, AttemptState::SurplusRefunded));
        assert!(shop.engine.refund(id, "till:test", back(1), None).await.is_err(), "once");
    }
    let takings = shop.takings().await;
    assert_eq!((takings.net, takings.count), (1_250, 1));
    assert_eq!(shop.payment(&twice).await.refundable(), 1_250, "the sale itself can still be returned");
    assert_eq!(shop.engine.ledger().verify().await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_codes_it_has_to_be_said_which() {
    let shop = Shop::also(vec![Fake::by_cashier(BANK), Fake::by_cashier("other_bank")]).await;
    let id = shop.sale(60).await;
    shop.show(&id, &bank()).await;
    shop.show(&id, &"other_bank".parse().unwrap()).await;
    let which = confirm(&shop, &id, None).await.unwrap_err();
    assert!(matches!(which, EngineError::ConfirmWhich), "{which}");
    confirm(&shop, &id, Some(&bank())).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    assert_eq!((paid.paid_by, paid.attempts[1].state), (Some(1), AttemptState::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_it_still_waits_for_the_cashier() {
    let mut shop = shop().await;
    let id = shop.sale(60).await;
    shop.show(&id, &bank()).await;
    shop.restart().await;
    tokio::time::timeout(Duration::from_secs(10), confirm(&shop, &id, None)).await.unwrap().unwrap();
    let paid = shop.until(&id, |payment| payment.state.is_end()).await;
    assert_eq!(paid.state, PaymentState::Succeeded);
    let refund = shop.refund(&id, None).await.unwrap_err();
    assert!(matches!(refund, EngineError::RefundByHand { .. }), "{refund}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cashiers_word_is_never_lost_to_what_happens_in_the_same_moment() {
    let shop = std::sync::Arc::new(shop().await);
    let mut money = 0;
    for round in 0..24_u32 {
        let id = shop.sale(60).await;
        shop.show(&id, &bank()).await;
        let act = |what: u32| {
            let (shop, id) = (shop.clone(), id.clone());
            tokio::spawn(async move {
                // Another moment in each round.
                for _ in 0..(round * what) % 7 {
                    tokio::task::yield_now().await;
                }
                match what {
                    1 => drop(confirm(&shop, &id, None).await.unwrap()),
                    2 => drop(shop.engine.cancel(&id, "till:test", None).await.unwrap()),
                    _ => drop(shop.scan(&id, &format!("2812345678901234{round:02}")).await),
                }
            })
        };
        for done in futures::future::join_all([act(1), act(2 + round % 2)]).await {
            done.unwrap();
        }
        let end = shop.until(&id, |payment| !payment.is_unfinished()).await;
        let bank = end.attempts.iter().find(|one| one.confirmed_by == ConfirmedBy::Cashier).unwrap();
        assert_eq!(bank.seen_by.as_deref(), Some("Li"), "{end:#?}");
        let owed = match (bank.state, end.state) {
            (AttemptState::Succeeded, PaymentState::Succeeded) => false,
            (AttemptState::SurplusOwed, PaymentState::Succeeded | PaymentState::Closed) => true,
            _ => panic!("{end:#?}"),
        };
        assert_eq!(owed, end.attention.iter().any(|told| told.contains("back by hand")), "{end:#?}");
        // What arrived at the bank, and what the provider kept.
        money += 1_250;
    }
    money += shop.alipay.provider.lock().unwrap().taken();
    assert_eq!(shop.takings().await.net, money);
    assert_eq!(shop.engine.ledger().verify().await.unwrap().broken, None);
}
