//! What providers tell by themselves: signature first, kept as it came, counted once, and only if it fits the books.

use scantill::channel::RawNotification;
use scantill::ledger::{KeptNotification, Verdict};
use scantill::payment::{AttemptState, ChannelId, PaymentState, RefundState};

use crate::shop::{ALIPAY_CODE, Plan, Shop};

async fn tell(shop: &Shop, body: impl Into<Vec<u8>>) -> u16 {
    let headers = vec![("x-signature".into(), "abc".into()), ("authorization".into(), "Bearer secret".into())];
    let raw = RawNotification { headers, body: body.into() };
    shop.engine.notify(&ChannelId::ALIPAY, &"alipay".parse().unwrap(), raw).await.status
}

async fn kept(shop: &Shop) -> Vec<KeptNotification> {
    shop.engine.ledger().kept_notifications(&"alipay".parse().unwrap(), 2_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_counts_once_and_only_if_it_fits() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    shop.alipay.plan("query", &[Plan::AnswerLost; 200]);
    let number = shown.attempts[0].out_trade_no.clone();
    assert_eq!(tell(&shop, format!("forged n1 {number} 1250")).await, 400);
    assert_eq!(tell(&shop, format!("sealed n2 {number} 9999")).await, 200, "kept, and told to a person");
    let doubted = shop.payment(&id).await;
    assert!(doubted.paid_by.is_none() && doubted.attention.len() == 1, "{:?}", doubted.attention);

    let id = shop.sale(60).await;
    let number = shop.show(&id, &ChannelId::ALIPAY).await.attempts[0].out_trade_no.clone();
    shop.alipay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250);
    for _ in 0..3 {
        assert_eq!(tell(&shop, format!("sealed n3 {number} 1250")).await, 200);
    }
    assert_eq!(tell(&shop, format!("sealed n4 {number} 1250")).await, 200, "another of the same payment");
    assert_eq!(shop.until(&id, |payment| !payment.is_unfinished()).await.state, PaymentState::Succeeded);
    let told = shop.engine.ledger().history(&id).await.unwrap();
    assert_eq!(told.iter().filter(|row| row.kind == "attempt_succeeded").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_is_kept_as_it_came_and_what_fits_nothing_is_raised() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    let number = shop.show(&id, &ChannelId::ALIPAY).await.attempts[0].out_trade_no.clone();
    let believed = format!("sealed n1 {number} 1250");
    let unmatched = "sealed n2 0123456789ABCDEF 1250";
    let strange = "sealed but of another shape".to_owned();
    let binary = b"forged \xff\x00\xfe".to_vec();
    let mut heard = shop.engine.ledger().watch();
    let before = *heard.borrow_and_update();
    assert_eq!(tell(&shop, unmatched).await, 200, "the provider need not say it again");
    assert_eq!(tell(&shop, unmatched).await, 200);
    assert_eq!(tell(&shop, strange.clone()).await, 400);
    assert_eq!(tell(&shop, binary.clone()).await, 400);
    assert_eq!(tell(&shop, "forged".repeat(2_000)).await, 400);
    assert_eq!(tell(&shop, believed.clone()).await, 200);

    let kept = kept(&shop).await;
    let of = |body: &[u8]| kept.iter().find(|one| one.body == body).unwrap_or_else(|| panic!("{kept:?}"));
    assert_eq!(
        (of(believed.as_bytes()).verdict, of(believed.as_bytes()).id.as_deref()),
        (Verdict::Believed, Some("n1"))
    );
    assert_eq!(of(unmatched.as_bytes()).out_trade_no.as_deref(), Some("0123456789ABCDEF"));
    assert_eq!(of(strange.as_bytes()).verdict, Verdict::Unmatched);
    assert_eq!(of(&binary).verdict, Verdict::Refused, "byte for byte");
    assert_eq!(kept.len(), 5, "a repeat is the same body");
    assert!(kept.iter().all(|one| one.body.len() <= 4_096), "of what nobody signed only a part");
    assert!(kept.iter().all(|one| one.headers == [("x-signature".to_owned(), "abc".to_owned())]), "and no secret");

    let notices = shop.engine.ledger().notices(0, 10).await.unwrap();
    let told: Vec<_> = notices.iter().map(|row| row.payload["detail"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 2, "once each: {told:?}");
    assert!(told[0].contains("0123456789ABCDEF") && told[1].contains("not understood"), "{told:?}");
    let stream = shop.engine.ledger().rows_after(before, 100).await.unwrap();
    assert!(notices.iter().all(|notice| stream.contains(notice)), "the event stream tells them");
    assert_eq!(shop.engine.ledger().verify().await.unwrap().broken, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_fill_the_disk() {
    let shop = Shop::open().await;
    tell(&shop, "sealed n1 0123456789ABCDEF 1250").await;
    for number in 0..1_020 {
        assert_eq!(tell(&shop, format!("forged {number}")).await, 400);
    }
    let kept = kept(&shop).await;
    let refused = kept.iter().filter(|one| one.verdict == Verdict::Refused).count();
    assert!((900..=1_001).contains(&refused), "{refused}");
    assert_eq!(kept.iter().filter(|one| one.verdict == Verdict::Unmatched).count(), 1, "what was signed stays");
    assert_eq!(shop.engine.ledger().notices(0, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_moves_a_refund() {
    let shop = Shop::open().await;
    // The provider takes it and says nothing more, but for the notification.
    shop.alipay.plan("refund", &[Plan::Ask, Plan::RequestLost, Plan::RequestLost, Plan::RequestLost]);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 200]);
    let paid = shop.paid(ALIPAY_CODE).await;
    let number = paid.attempts[0].out_trade_no.clone();
    for name_it in [true, false] {
        let asked = shop.refund(&paid.id, Some(100)).await.unwrap();
        let refund = asked.refunds.last().unwrap().clone();
        shop.until(&paid.id, |_| shop.alipay.provider.lock().unwrap().refunds.contains_key(&refund.out_refund_no))
            .await;
        let name = if name_it { refund.out_refund_no.as_str() } else { "-" };
        for _ in 0..2 {
            assert_eq!(tell(&shop, format!("sealed r{} {number} refund {name}", refund.no)).await, 200);
        }
        let told = shop.payment(&paid.id).await;
        if name_it {
            assert_eq!(told.refund(refund.no).unwrap().state, RefundState::Succeeded);
        } else {
            // It may be somebody else's: the provider is asked about ours.
            assert_eq!(told.refund(refund.no).unwrap().state, RefundState::Pending);
            shop.alipay.plan("query_refund", &[]);
            let told = shop.finished(&paid.id).await;
            assert_eq!(told.refund(refund.no).unwrap().state, RefundState::Succeeded);
            shop.alipay.plan("query_refund", &[Plan::AnswerLost; 200]);
        }
        shop.alipay.plan("refund", &[Plan::Ask, Plan::RequestLost, Plan::RequestLost, Plan::RequestLost]);
    }
    // Some providers tell of a refund under its own number alone.
    let asked = shop.refund(&paid.id, Some(50)).await.unwrap();
    let own = asked.refunds.last().unwrap().out_refund_no.clone();
    shop.until(&paid.id, |_| shop.alipay.provider.lock().unwrap().refunds.contains_key(&own)).await;
    assert_eq!(tell(&shop, format!("sealed own {own} refund -")).await, 200);
    let end = shop.finished(&paid.id).await;
    assert_eq!((end.state, end.refunded()), (PaymentState::PartiallyRefunded, 250));
    assert!(end.attention.is_empty(), "{:?}", end.attention);
    let story = shop.engine.ledger().history(&paid.id).await.unwrap();
    assert_eq!(story.iter().filter(|row| row.kind == "refund_succeeded").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_nobody_here_asked_for_is_raised() {
    let shop = Shop::open().await;
    let paid = shop.paid(ALIPAY_CODE).await;
    let number = paid.attempts[0].out_trade_no.clone();
    assert_eq!(tell(&shop, format!("sealed r1 {number} refund SOMEBODYELSES")).await, 200);
    let told = shop.payment(&paid.id).await;
    assert_eq!((told.state, told.attempts[0].state), (PaymentState::Succeeded, AttemptState::Succeeded));
    assert!(told.attention[0].contains("not asked for here"), "{:?}", told.attention);

    // Beside a refund of ours too, which stands as it stood.
    shop.alipay.plan("refund", &[Plan::RequestLost; 200]);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 200]);
    let paid = shop.paid("281234567890123457").await;
    let number = paid.attempts[0].out_trade_no.clone();
    shop.refund(&paid.id, Some(100)).await.unwrap();
    assert_eq!(tell(&shop, format!("sealed r2 {number} refund -")).await, 200);
    assert_eq!(tell(&shop, format!("sealed r3 {number} refund SOMEBODYELSES")).await, 200);
    let told = shop.payment(&paid.id).await;
    assert_eq!((told.refunded(), told.refunds[0].state), (0, RefundState::Pending));
    assert!(told.attention.iter().any(|one| one.contains("not asked for here")), "{:?}", told.attention);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_another_account_is_not_believed() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    let number = shop.show(&id, &ChannelId::WECHATPAY).await.attempts[0].out_trade_no.clone();
    assert_eq!(tell(&shop, format!("sealed n1 {number} 1250")).await, 200);
    let told = shop.payment(&id).await;
    assert!(told.paid_by.is_none());
    assert!(told.attention[0].contains("went through wechatpay"), "{:?}", told.attention);
}
