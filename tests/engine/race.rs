//! One payment, many ways to pay it, and whatever is lost on the way.

use std::time::Duration;

use proptest::prelude::*;
use scantill::engine::EngineError;
use scantill::payment::{AttemptState, ChannelId, FailureReason, PaymentState};

use crate::shop::{ALIPAY_CODE, Plan, Shop, WECHAT_CODE};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_code_is_paid_once_and_spent() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let paid = shop.finished(&id).await;
    assert_eq!((paid.state, paid.attempts.len()), (PaymentState::Succeeded, 1));
    assert!(matches!(shop.scan(&id, WECHAT_CODE).await, Err(EngineError::Over { .. })));
    let next = shop.sale(60).await;
    let spent = shop.scan(&next, ALIPAY_CODE).await.unwrap_err();
    assert!(spent.to_string().contains("used already"), "{spent}");
    assert_eq!(shop.calls("pay"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::AnswerLost]);
    shop.alipay.plan("query", &[Plan::RequestLost, Plan::AnswerLost]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
    assert_eq!((shop.calls("query"), shop.calls("void")), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_lost_is_taken_back_so_that_it_cannot_charge_late() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::RequestLost]);
    shop.alipay.plan("void", &[Plan::AnswerLost, Plan::RequestLost]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Reversed);
    // The second void's request was lost, the third got through.
    assert_eq!(shop.calls("void"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_never_confirms_is_not_charged_and_one_who_does_is() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::Ask, Plan::Ask]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let busy = shop.scan(&id, WECHAT_CODE).await.unwrap_err();
    assert!(matches!(busy, EngineError::Busy), "{busy}");
    assert_eq!(shop.finished(&id).await.state, PaymentState::Reversed);

    let id = shop.sale(60).await;
    shop.scan(&id, "281234567890123457").await.unwrap();
    let waiting = shop.until(&id, |payment| payment.attempts[0].state == AttemptState::CustomerConfirming).await;
    assert!(shop.alipay.provider.lock().unwrap().customer_pays(waiting.attempts[0].out_trade_no.as_str(), 1_250));
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_the_payment_unless_a_code_can_still_be_paid() {
    let shop = Shop::open().await;
    shop.alipay.plan("pay", &[Plan::Refuse, Plan::Refuse]);
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Failed);
    assert_eq!(end.failure().unwrap().reason, FailureReason::InsufficientFunds);

    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, "281234567890123457").await.unwrap();
    let open = shop.until(&id, |payment| payment.attempts[1].state == AttemptState::Failed).await;
    assert_eq!(open.state, PaymentState::Pending);
    shop.wechatpay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250);
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_cannot_be_shown_leaves_the_other_ways_open() {
    let shop = Shop::open().await;
    shop.alipay.plan("create", &[Plan::Refuse]);
    let id = shop.sale(60).await;
    assert_eq!(shop.show(&id, &ChannelId::ALIPAY).await.state, PaymentState::Pending);
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, WECHAT_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_way_wins_and_the_others_are_closed_before_it_is_called_paid() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.scan(&id, WECHAT_CODE).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    let states: Vec<_> = paid.attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(states, [AttemptState::Closed, AttemptState::Closed, AttemptState::Succeeded]);
    let provider = shop.alipay.provider.lock().unwrap().trades.values().all(|trade| trade.closed);
    assert!(provider, "the shown code can no longer be paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_both_ways_in_one_moment_the_second_is_returned() {
    for returns in [false, true] {
        let shop = Shop::open().await;
        shop.wechatpay.provider.lock().unwrap().void_returns = returns;
        shop.wechatpay.plan("refund", &[Plan::AnswerLost]);
        let id = shop.sale(60).await;
        let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
        // The till's queries are deaf for a while, so that both payments happen before it knows of either.
        shop.wechatpay.plan("query", &[Plan::AnswerLost; 8]);
        assert!(shop.wechatpay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250));
        shop.scan(&id, ALIPAY_CODE).await.unwrap();
        let end = shop.finished(&id).await;
        assert_eq!(end.state, PaymentState::Succeeded);
        assert_eq!(end.paid_by, Some(2));
        let expected = if returns { AttemptState::Reversed } else { AttemptState::SurplusRefunded };
        assert_eq!(end.attempts[0].state, expected);
        assert_eq!(shop.wechatpay.provider.lock().unwrap().taken(), 0);
        assert_eq!(end.attention.is_empty(), returns, "the cashier is told of a surplus: {:?}", end.attention);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_is_asked_about_where_repeats_only_say_that_it_is_under_way() {
    let shop = Shop::open().await;
    shop.wechatpay.plan("refund", &[Plan::Ask; 1_000]);
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.wechatpay.plan("query", &[Plan::AnswerLost; 8]);
    assert!(shop.wechatpay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250));
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!((end.state, end.attempts[0].state), (PaymentState::Succeeded, AttemptState::SurplusRefunded));
    assert_eq!(shop.wechatpay.provider.lock().unwrap().taken(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_told_to_close_does_not_hold_up_the_queue() {
    let shop = Shop::open().await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::WECHATPAY).await;
    shop.wechatpay.plan("void", &[Plan::RequestLost; 6]);
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let paid = shop.until(&id, |payment| payment.state == PaymentState::Succeeded).await;
    assert!(paid.attempts[0].deferred && !paid.attempts[0].state.is_end(), "it goes on behind");
    assert_eq!(shop.finished(&id).await.attempts[0].state, AttemptState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_asks_the_provider_first() {
    let shop = Shop::open().await;
    let nothing = shop.sale(60).await;
    shop.engine.cancel(&nothing, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&nothing).await.state, PaymentState::Closed);

    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Closed);
    assert!(matches!(shop.scan(&id, ALIPAY_CODE).await, Err(EngineError::Over { .. })));

    // The customer was faster: the payment counts.
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    shop.alipay.plan("query", &[Plan::AnswerLost; 4]);
    shop.alipay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250);
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Succeeded, "paid and not taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_over_does_not_wait_for_a_code_that_cannot_be_closed() {
    for (cancelled, refundable, voidable) in
        [(true, true, false), (false, true, false), (true, false, false), (true, true, true)]
    {
        let shop = Shop::with(|alipay, _| {
            alipay.capabilities.close_patience = Duration::ZERO;
            if !refundable {
                alipay.capabilities.refund = None;
            }
        })
        .await;
        shop.alipay.provider.lock().unwrap().runs_out = true;
        shop.alipay.provider.lock().unwrap().void_returns = voidable;
        let id = shop.sale(if cancelled { 60 } else { 1 }).await;
        let shown = shop.show(&id, &ChannelId::ALIPAY).await;
        if cancelled {
            shop.engine.cancel(&id, "till:test", None).await.unwrap();
        }
        let over = shop.until(&id, |payment| payment.state.is_end()).await;
        assert_eq!(over.state, PaymentState::Closed);
        assert_eq!(over.attempts[0].state, AttemptState::Voiding, "it is watched until it has run out");

        // The customer was slow, and pays after all: the money goes back, and the sale stays what it was called.
        assert!(shop.alipay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250));
        let end = shop.finished(&id).await;
        assert_eq!((end.state, end.paid_by), (PaymentState::Closed, None));
        let became = match (refundable, voidable) {
            (_, true) => AttemptState::Reversed,
            (true, false) => AttemptState::SurplusRefunded,
            (false, false) => AttemptState::SurplusOwed,
        };
        assert_eq!(end.attempts[0].state, became);
        assert_eq!(shop.alipay.provider.lock().unwrap().taken(), if refundable { 0 } else { 1_250 });
        assert!(voidable || end.attention[0].contains("after the sale was over"), "{:?}", end.attention);
        let sums = shop.takings().await;
        assert_eq!((sums.count, sums.net), (0, if refundable { 0 } else { 1_250 }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_before_the_cancellation_counts_though_the_code_cannot_be_closed() {
    let shop = Shop::with(|alipay, _| alipay.capabilities.close_patience = Duration::ZERO).await;
    shop.alipay.provider.lock().unwrap().runs_out = true;
    let id = shop.sale(60).await;
    let shown = shop.show(&id, &ChannelId::ALIPAY).await;
    shop.alipay.plan("query", &[Plan::AnswerLost; 4]);
    assert!(shop.alipay.provider.lock().unwrap().customer_pays(shown.attempts[0].out_trade_no.as_str(), 1_250));
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offer_to_pay_ends_by_itself() {
    let shop = Shop::open().await;
    let id = shop.sale(1).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    tokio::time::sleep(SECOND).await;
    let end = shop.finished(&id).await;
    assert_eq!(end.state, PaymentState::Closed);
    assert!(end.expired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_code_is_renewed_before_it_ends_and_the_old_one_closed() {
    let shop = Shop::with(|alipay, _| alipay.capabilities.code_lifetime = Duration::from_millis(10_400)).await;
    let id = shop.sale(60).await;
    shop.show(&id, &ChannelId::ALIPAY).await;
    let renewed = shop.until(&id, |payment| payment.attempts.get(1).is_some_and(|fresh| fresh.code.is_some())).await;
    assert_eq!(renewed.attempts[0].state, AttemptState::CodeShown, "somebody may be scanning the old one");
    assert_ne!(renewed.attempts[0].code, renewed.attempts[1].code);
    shop.engine.cancel(&id, "till:test", None).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_every_payment_goes_on() {
    let mut shop = Shop::open().await;
    // One whose customer confirms while nothing runs, one whose answer was lost, one shown and paid meanwhile.
    shop.alipay.plan("pay", &[Plan::Ask, Plan::AnswerLost]);
    shop.alipay.plan("query", &[Plan::AnswerLost; 40]);
    let asked = shop.sale(60).await;
    shop.scan(&asked, ALIPAY_CODE).await.unwrap();
    shop.until(&asked, |payment| payment.attempts[0].state == AttemptState::CustomerConfirming).await;
    let unheard = shop.sale(60).await;
    shop.scan(&unheard, "281234567890123457").await.unwrap();
    shop.until(&unheard, |payment| payment.attempts[0].state == AttemptState::Unknown).await;
    let shown = shop.sale(60).await;
    let code = shop.show(&shown, &ChannelId::WECHATPAY).await;
    shop.engine.stop().await;
    let number = shop.payment(&asked).await.attempts[0].out_trade_no.clone();
    assert!(shop.alipay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250));
    assert!(shop.wechatpay.provider.lock().unwrap().customer_pays(code.attempts[0].out_trade_no.as_str(), 1_250));
    shop.alipay.plan("query", &[]);
    shop.restart().await;
    for id in [&asked, &unheard, &shown] {
        let end = shop.until(id, |payment| !payment.is_unfinished()).await;
        assert_eq!(end.state, PaymentState::Succeeded);
    }
    shop.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_is_never_taken_for_ours() {
    let shop = Shop::open().await;
    shop.alipay.provider.lock().unwrap().wrong_amount = true;
    let id = shop.sale(60).await;
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    let end = shop.until(&id, |payment| !payment.is_unfinished()).await;
    assert_eq!(end.state, PaymentState::Reversed);
    assert!(end.attention[0].contains("12.51") && end.attention[0].contains("12.50"), "{:?}", end.attention);
    assert_eq!(shop.alipay.provider.lock().unwrap().taken(), 0, "the customer has the money back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_begun_is_refused_before_anything_is_sent() {
    let shop = Shop::with(|alipay, _| alipay.capabilities.amount = 1..=100).await;
    let id = shop.sale(60).await;
    let over = shop.scan(&id, ALIPAY_CODE).await.unwrap_err();
    assert!(matches!(over, EngineError::AmountOutOfRange { .. }), "{over}");
    let closed = shop.scan(&id, "6212345678901234567").await.unwrap_err();
    assert!(matches!(closed, EngineError::ChannelClosed(_)), "{closed}");
    let address = shop.scan(&id, "https://example.com").await.unwrap_err();
    assert!(address.to_string().contains("web address"), "{address}");
    assert_eq!(shop.payment(&id).await.state, PaymentState::Created);
    let changed = shop.engine.change(&id, "till:test", Some(100), None).await.unwrap();
    assert_eq!(changed.amount.minor, 100);
    shop.scan(&id, ALIPAY_CODE).await.unwrap();
    assert_eq!(shop.finished(&id).await.state, PaymentState::Succeeded);
    assert!(shop.engine.change(&id, "till:test", Some(1), None).await.is_err());
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        4 => Just(Plan::Fine), 2 => Just(Plan::RequestLost), 3 => Just(Plan::AnswerLost), 1 => Just(Plan::Ask), 1 => Just(Plan::Refuse)
    ]
}

fn losses() -> impl Strategy<Value = Vec<Plan>> {
    prop::collection::vec(prop_oneof![Just(Plan::Fine), Just(Plan::RequestLost), Just(Plan::AnswerLost)], 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 8, ..ProptestConfig::default() })]
    /// Whatever is lost, refused, cancelled, restarted: the payment ends, paid at most once, and the books agree.
    #[test]
    fn whatever_happens_the_books_agree(
        pay in plan(), create in plan(), queries in losses(), voids in losses(), refunds in losses(),
        scans_shown: bool, cancels: bool, restarts: bool, returns: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = Shop::open().await;
            for fake in [&shop.alipay, &shop.wechatpay] {
                fake.plan("query", &queries);
                fake.plan("void", &voids);
                fake.plan("refund", &refunds);
                fake.provider.lock().unwrap().void_returns = returns;
            }
            shop.alipay.plan("pay", &[pay]);
            shop.wechatpay.plan("create", &[create]);
            let id = shop.sale(2).await;
            let shown = shop.show(&id, &ChannelId::WECHATPAY).await;
            let _ = shop.scan(&id, ALIPAY_CODE).await;
            if scans_shown {
                let number = shown.attempts[0].out_trade_no.clone();
                shop.wechatpay.provider.lock().unwrap().customer_pays(number.as_str(), 1_250);
            }
            if cancels {
                let _ = shop.engine.cancel(&id, "till:test", None).await;
            }
            if restarts {
                shop.restart().await;
            }
            let end = shop.finished(&id).await;
            let taken = shop.alipay.provider.lock().unwrap().taken() + shop.wechatpay.provider.lock().unwrap().taken();
            assert_eq!(taken, if end.state == PaymentState::Succeeded { 1_250 } else { 0 }, "{end:#?}");
        });
    }
}
