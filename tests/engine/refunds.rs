//! Money goes back once for each refund that was asked for, and never more than was paid.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use proptest::prelude::*;
use scantill::engine::{EngineError, NewRefund};
use scantill::payment::{ChannelId, Payment, PaymentState, RefundState};

use crate::shop::{ALIPAY_CODE, Plan, Shop, fresh};

fn states(payment: &Payment) -> Vec<RefundState> {
    payment.refunds.iter().map(|refund| refund.state).collect()
}

fn by_hand(reason: Option<&str>) -> NewRefund {
    NewRefund { by_hand: true, reason: reason.map(str::to_owned), operator: Some("Li".into()), ..NewRefund::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_goes_back_and_then_the_rest() {
    let shop = Shop::open().await;
    let paid = shop.paid(ALIPAY_CODE).await;
    assert_eq!((paid.refunded(), paid.refundable()), (0, 1_250));
    let asked = shop.refund(&paid.id, Some(400)).await.unwrap();
    assert_eq!(
        (asked.state, asked.refundable()),
        (PaymentState::Succeeded, 850),
        "what is on its way is not asked twice"
    );
    let part = shop.finished(&paid.id).await;
    assert_eq!((part.state, part.refunded()), (PaymentState::PartiallyRefunded, 400));
    shop.refund(&paid.id, None).await.unwrap();
    let whole = shop.finished(&paid.id).await;
    assert_eq!((whole.state, whole.refunded(), whole.refundable()), (PaymentState::Refunded, 1_250, 0));
    let again = shop.refund(&paid.id, None).await.unwrap_err();
    assert!(matches!(again, EngineError::NothingToRefund { state: "refunded" }), "{again}");

    let numbers: Vec<_> =
        whole.refunds.iter().map(|refund| (refund.out_refund_no.clone(), refund.amount.minor)).collect();
    assert_ne!(numbers[0].0, numbers[1].0);
    assert_eq!(shop.alipay.provider.lock().unwrap().refunds, numbers.into_iter().collect());
    let takings = shop.takings().await;
    assert_eq!((takings.gross, takings.refunds, takings.count, takings.refund_count), (1_250, 1_250, 1, 2));
    let story = shop.engine.ledger().history(&paid.id).await.unwrap();
    let kinds: Vec<_> = story.iter().map(|row| (row.kind.as_str(), row.actor.as_str())).skip(3).collect();
    let once = [("refund_started", "till:test"), ("refund_succeeded", "provider:alipay")];
    assert_eq!(kinds, [once, once].concat());
    assert_eq!(story[3].payload["reason"], "cold");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_table_does_not_allow_is_refused_before_anything_is_sent() {
    let shop = Shop::with(|alipay, wechatpay| {
        alipay.capabilities.refund.as_mut().unwrap().partial = false;
        wechatpay.capabilities.refund.as_mut().unwrap().window = Duration::ZERO;
    })
    .await;
    let unpaid = shop.sale(60).await;
    let nothing = shop.refund(&unpaid, None).await.unwrap_err();
    assert!(matches!(nothing, EngineError::NothingToRefund { state: "created" }), "{nothing}");
    let paid = shop.paid(ALIPAY_CODE).await;
    for amount in [0, -1, 1_251, i64::MAX, i64::MIN] {
        let refused = shop.refund(&paid.id, Some(amount)).await.unwrap_err();
        assert!(matches!(refused, EngineError::RefundOutOfRange { .. }), "{amount}: {refused}");
    }
    let part = shop.refund(&paid.id, Some(1_249)).await.unwrap_err();
    assert!(part.to_string().contains("whole payments only"), "{part}");
    let hand = shop.engine.refund(&paid.id, "till:test", by_hand(Some("cash")), None).await.unwrap_err();
    assert!(matches!(hand, EngineError::RefundByProvider { .. }), "it can return it itself: {hand}");

    let old = shop.paid(crate::shop::WECHAT_CODE).await;
    // The window is no time at all, so the next millisecond is past it.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let late = shop.refund(&old.id, None).await.unwrap_err();
    assert!(matches!(late, EngineError::RefundTooLate { .. }), "{late}");
    let why = shop.engine.refund(&old.id, "till:test", by_hand(None), None).await.unwrap_err();
    assert!(matches!(why, EngineError::RefundReason), "{why}");
    assert_eq!(shop.calls("refund"), 0);
    assert!(shop.payment(&paid.id).await.refunds.is_empty());

    let done = fresh(shop.engine.refund(&old.id, "till:test", by_hand(Some("cash")), None).await.unwrap());
    assert_eq!((done.state, done.is_unfinished()), (PaymentState::Refunded, false));
    assert_eq!((done.refunds[0].by.as_str(), done.refunds[0].by_hand), ("Li", true));
    assert_eq!(shop.calls("refund"), 0, "nobody is asked for what a person did");
    assert_eq!(shop.takings().await.refunds, 1_250);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for_under_the_same_number() {
    for lost in [Plan::RequestLost, Plan::AnswerLost, Plan::Ask] {
        let shop = Shop::open().await;
        shop.alipay.plan("refund", &[lost, Plan::RequestLost]);
        shop.alipay.plan("query_refund", &[Plan::AnswerLost, Plan::RequestLost]);
        let paid = shop.paid(ALIPAY_CODE).await;
        shop.refund(&paid.id, Some(100)).await.unwrap();
        let end = shop.finished(&paid.id).await;
        assert_eq!(states(&end), [RefundState::Succeeded], "{lost:?}");
        let provider = shop.alipay.provider.lock().unwrap();
        assert_eq!(provider.refunds.len(), 1);
        assert_eq!(provider.taken(), 1_150);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_payment_as_it_was_and_is_told() {
    let shop = Shop::open().await;
    shop.alipay.plan("refund", &[Plan::Refuse]);
    let paid = shop.paid(ALIPAY_CODE).await;
    shop.refund(&paid.id, Some(100)).await.unwrap();
    let end = shop.finished(&paid.id).await;
    assert_eq!((end.state, end.refundable()), (PaymentState::Succeeded, 1_250));
    assert_eq!(states(&end), [RefundState::Failed]);
    assert!(end.refunds[0].failure.is_some());
    assert!(end.attention[0].contains("still with the shop"), "{:?}", end.attention);
    // The provider would not; a person may.
    let hand =
        shop.engine.refund(&paid.id, "till:test", NewRefund { amount: Some(100), ..by_hand(Some("cash")) }, None);
    assert_eq!(fresh(hand.await.unwrap()).state, PaymentState::PartiallyRefunded);
    shop.refund(&paid.id, Some(50)).await.unwrap();
    let end = shop.until(&paid.id, |payment| !payment.is_unfinished()).await;
    assert_eq!(states(&end), [RefundState::Failed, RefundState::Succeeded, RefundState::Succeeded]);
    assert_eq!(end.refunded(), 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_a_repeat_says_nothing_of_the_request_before_it() {
    // The first is carried out and its answer lost; each repeat is refused, and at first nobody can be asked.
    let refused = [Plan::AnswerLost, Plan::Refuse, Plan::Refuse, Plan::Refuse];
    let shop = Shop::open().await;
    shop.alipay.plan("refund", &refused);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 4]);
    let paid = shop.paid(ALIPAY_CODE).await;
    shop.refund(&paid.id, Some(100)).await.unwrap();
    let end = shop.finished(&paid.id).await;
    assert_eq!(states(&end), [RefundState::Succeeded], "else it would be asked for again under another number");
    assert!(shop.calls("refund") >= 2, "a repeat was refused on the way");

    // The same where the one who sent the first has died.
    let mut shop = Shop::open().await;
    shop.alipay.plan("refund", &refused);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 4]);
    let paid = shop.paid(ALIPAY_CODE).await;
    let asked = shop.refund(&paid.id, Some(100)).await.unwrap();
    let number = asked.refunds[0].out_refund_no.clone();
    shop.until(&paid.id, |_| shop.alipay.provider.lock().unwrap().refunds.contains_key(&number)).await;
    shop.restart().await;
    let end = shop.finished(&paid.id).await;
    assert_eq!((states(&end), end.refunded()), (vec![RefundState::Succeeded], 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_leaves_no_refund_behind_that_nobody_acts_on() {
    let shop = Shop::open().await;
    let paid = shop.paid(ALIPAY_CODE).await;
    let refund = NewRefund { reason: Some("cold".into()), ..NewRefund::default() };
    assert!(shop.engine.refund(&paid.id, "till:test", refund, None).now_or_never().is_none(), "it hangs up at once");
    let end = shop.until(&paid.id, |payment| payment.state == PaymentState::Refunded).await;
    assert_eq!(states(&end), [RefundState::Succeeded]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_request_that_is_refused_is_over_though_nobody_can_be_asked() {
    let shop = Shop::open().await;
    shop.alipay.plan("refund", &[Plan::Refuse]);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 200]);
    let paid = shop.paid(ALIPAY_CODE).await;
    shop.refund(&paid.id, Some(100)).await.unwrap();
    let end = shop.finished(&paid.id).await;
    assert_eq!((states(&end), shop.calls("refund")), (vec![RefundState::Failed], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_of_which_somebody_returned_a_part_is_never_called_unpaid() {
    // The engine learns of the payment only after somebody returned a part of it at the provider's own desk.
    for (scanned, cancelled) in [(true, false), (false, false), (false, true)] {
        let shop = Shop::with(|alipay, _| alipay.capabilities.confirm_patience = Duration::from_secs(60)).await;
        shop.alipay.provider.lock().unwrap().vague = true;
        shop.alipay.plan("pay", &[Plan::AnswerLost]);
        shop.alipay.plan("query", &[Plan::AnswerLost; 2_000]);
        let id = shop.sale(60).await;
        if scanned {
            shop.scan(&id, ALIPAY_CODE).await.unwrap();
        } else {
            shop.show(&id, &ChannelId::ALIPAY).await;
        }
        let number = shop.payment(&id).await.attempts[0].out_trade_no.to_string();
        shop.until(&id, |_| shop.alipay.provider.lock().unwrap().trades.contains_key(&number)).await;
        shop.alipay.provider.lock().unwrap().customer_pays(&number, 1_250);
        shop.alipay.provider.lock().unwrap().trades.get_mut(&number).unwrap().returned = 400;
        if cancelled {
            shop.engine.cancel(&id, "till:test", None).await.unwrap();
        }
        shop.alipay.plan("query", &[]);
        let end = shop.until(&id, |payment| !payment.is_unfinished()).await;
        assert_eq!((end.state, end.paid_by), (PaymentState::Succeeded, Some(1)), "{scanned} {cancelled}");
        assert!(end.attention.iter().any(|told| told.contains("money of")), "{:?}", end.attention);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_refund_goes_on() {
    let mut shop = Shop::open().await;
    shop.alipay.plan("refund", &[Plan::AnswerLost, Plan::RequestLost, Plan::RequestLost]);
    shop.alipay.plan("query_refund", &[Plan::AnswerLost; 3]);
    let paid = shop.paid(ALIPAY_CODE).await;
    shop.refund(&paid.id, None).await.unwrap();
    shop.restart().await;
    let end = shop.finished(&paid.id).await;
    assert_eq!(end.state, PaymentState::Refunded);
    assert_eq!(shop.alipay.provider.lock().unwrap().refunds.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_never_return_more_than_was_paid() {
    let shop = Arc::new(Shop::open().await);
    let paid = shop.paid(ALIPAY_CODE).await;
    let tries = (0..12).map(|_| {
        let (shop, id) = (shop.clone(), paid.id.clone());
        tokio::spawn(async move { shop.refund(&id, Some(300)).await.is_ok() })
    });
    let granted = futures::future::join_all(tries).await.into_iter().filter(|done| *done.as_ref().unwrap()).count();
    assert_eq!(granted, 4);
    let end = shop.finished(&paid.id).await;
    assert_eq!((end.refunded(), end.refundable()), (1_200, 50));
    assert!(!shop.alipay.provider.lock().unwrap().overdrawn);
}

/// One thing that happens in a random story of refunds.
#[derive(Debug, Clone, Copy)]
enum Act {
    Refund(i64),
    Rest,
    Restart,
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_i64..700).prop_map(Act::Refund),
        1 => Just(Act::Rest),
        1 => Just(Act::Restart),
        2 => Just(Act::Wait),
    ]
}

fn answers() -> impl Strategy<Value = Vec<Plan>> {
    let plan = prop_oneof![
        2 => Just(Plan::Fine), 2 => Just(Plan::RequestLost), 2 => Just(Plan::AnswerLost), 1 => Just(Plan::Ask), 1 => Just(Plan::Refuse)
    ];
    prop::collection::vec(plan, 0..8)
}

fn losses() -> impl Strategy<Value = Vec<Plan>> {
    prop::collection::vec(prop_oneof![Just(Plan::Fine), Just(Plan::RequestLost)], 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 8, ..ProptestConfig::default() })]
    /// Whatever is lost, refused, asked twice or cut off by a restart: no more goes back than was paid, and the books
    /// and the provider agree on each refund.
    #[test]
    fn no_story_of_refunds_returns_too_much(
        acts in prop::collection::vec(act(), 1..9), answers in answers(), queries in losses(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::open().await;
            shop.alipay.plan("refund", &answers);
            shop.alipay.plan("query_refund", &queries);
            let paid = shop.paid(ALIPAY_CODE).await;
            for act in acts {
                match act {
                    // Asked at the same time as whatever is under way; what does not fit is refused.
                    Act::Refund(amount) => drop(shop.refund(&paid.id, Some(amount)).await),
                    Act::Rest => drop(shop.refund(&paid.id, None).await),
                    Act::Restart => shop.restart().await,
                    Act::Wait => drop(shop.finished(&paid.id).await),
                }
            }
            let end = shop.finished(&paid.id).await;
            let provider = shop.alipay.provider.lock().unwrap();
            assert!(!provider.overdrawn, "{end:#?}");
            let returned: std::collections::HashMap<_, _> = end
                .refunds
                .iter()
                .filter(|refund| refund.state == RefundState::Succeeded)
                .map(|refund| (refund.out_refund_no.clone(), refund.amount.minor))
                .collect();
            assert_eq!(returned, provider.refunds, "{end:#?}");
            assert_eq!(end.refunded(), returned.values().sum::<i64>());
            assert!(end.refunded() <= 1_250);
        });
    }
}
