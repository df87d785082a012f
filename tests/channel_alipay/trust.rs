//! Which answers are believed.

use scantill::payment::FailureReason;

use super::*;

/// What came of all five calls.
async fn all_unknown(story: &Story, what: &str) {
    assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "pay: {what}");
    assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "create: {what}");
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "query: {what}");
    assert!(matches!(story.void().await, VoidOutcome::Unknown(_)), "void: {what}");
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)), "refund: {what}");
}

/// An answer that says yes to whatever was asked.
fn yes() -> String {
    let yes = json!({
        "trade_status": "TRADE_SUCCESS", "qr_code": "https://qr.alipay.com/bax1", "retry_flag": "N", "action": "close",
        "fund_change": "Y",
    });
    with(paid(), yes).to_string()
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_leaves_everything_unknown() {
    let story = Story::begin().await;
    // First that the answer is good but for what follows.
    story.gateway.does(|seen| Does::text(200, signed(&key_of(seen), &yes())));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    assert!(matches!(story.create().await, CodeOutcome::Shown { .. }));
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    assert_eq!(story.void().await, VoidOutcome::Closed);
    assert_eq!(story.refund().await, RefundOutcome::Done);

    type Spoil = fn(String, &str) -> Does;
    let spoilt: [(&str, Spoil); 12] = [
        ("tampered amount", |good, _| Does::text(200, good.replace("12.34", "12.33"))),
        ("another's signature", |_, key| {
            let sign = APP_KEY.sign_base64(yes().as_bytes()).unwrap();
            Does::text(200, format!("{{\"{key}\":{},\"sign\":\"{sign}\"}}", yes()))
        }),
        ("no signature", |_, key| Does::text(200, format!("{{\"{key}\":{}}}", yes()))),
        ("empty signature", |_, key| Does::text(200, format!("{{\"{key}\":{},\"sign\":\"\"}}", yes()))),
        ("answer to another call", |good, _| Does::text(200, good.replace("alipay_trade_", "alipay_other_"))),
        ("re-serialised", |good, _| Does::text(200, good.replace("\",\"", "\", \""))),
        ("truncated", |good, _| Does::text(200, good[..good.len() - 20].to_owned())),
        ("nothing", |_, _| Does::text(200, "")),
        ("a page", |_, _| Does::text(200, "<html>busy</html>")),
        ("500 with a signed answer", |good, _| Does::text(500, good)),
        ("404 with a signed answer", |good, _| Does::text(404, good)),
        ("over a MiB", |good, _| Does::text(200, good + &" ".repeat(1 << 20))),
    ];
    for (what, spoil) in spoilt {
        story.gateway.does(move |seen| {
            let key = key_of(seen);
            spoil(signed(&key, &yes()), &key)
        });
        all_unknown(&story, what).await;
    }
    story.gateway.does(|seen| Does::Break(signed(&key_of(seen), &yes()).into_bytes()));
    all_unknown(&story, "broken in the middle").await;
    let elsewhere = format!("{}/elsewhere", story.gateway.base_url);
    story.gateway.seen();
    story.gateway.does(move |_| Does::Redirect(elsewhere.clone()));
    all_unknown(&story, "sent elsewhere").await;
    assert!(story.gateway.seen().iter().all(|seen| seen.path == "/gateway.do"), "no redirect is followed");
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_everything_unknown() {
    let story = Story::begin().await;
    story.gateway.does(|_| Does::Sleep);
    let PayOutcome::Unknown(words) = story.pay().await else { panic!("not unknown") };
    assert_eq!(words, "no answer in time");
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn an_unsigned_refusal_of_the_application_is_named() {
    let story = Story::begin().await;
    for key in ["alipay_trade_pay_response", "error_response"] {
        let body = json!({ key: refused("40002", "isv.invalid-app-id") }).to_string();
        story.gateway.does(move |_| Does::text(200, body.clone()));
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{key}") };
        assert_eq!(failure.reason, FailureReason::MerchantAccount);
        assert_eq!(failure.provider_code, "isv.invalid-app-id");
    }
    // A refusal by the trade system has to be signed.
    let body = json!({ "alipay_trade_pay_response": refused("40004", "ACQ.PAYMENT_FAIL") }).to_string();
    story.gateway.does(move |_| Does::text(200, body.clone()));
    assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
}

/// The gateway repeats what it saw signed.
#[tokio::test]
async fn a_payment_code_that_the_gateway_repeats_goes_no_further() {
    let story = Story::begin().await;
    story.gateway.does(|seen| {
        let echo = format!(
            "验签出错，建议检查签名字符串，网关生成的验签字符串为：app_id={APP}&biz_content={}",
            parameters(seen)["biz_content"]
        );
        let value = with(refused("40002", "isv.invalid-signature"), json!({ "sub_msg": echo }));
        Does::text(200, signed(&key_of(seen), &value.to_string()))
    });
    let PayOutcome::Failed(failure) = story.pay().await else { panic!("not refused") };
    assert!(failure.provider_message.starts_with("验签出错"), "{failure:?}");
    assert!(!format!("{failure:?}").contains(CODE), "{failure:?}");
    let outcomes = [format!("{:?}", story.query().await), format!("{:?}", story.channel.test().await)];
    assert!(outcomes.iter().all(|outcome| !outcome.contains(NUMBER)), "{outcomes:?}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let channel = open_at(&nobody().await, TimingOverrides::default());
    let trade = trade(Way::ConsumerPresented);
    let PayOutcome::Failed(failure) = channel.pay(&trade, &details(), CODE).await else { panic!("pay") };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
    let CodeOutcome::Failed(failure) = channel.create_code(&trade, &details()).await else { panic!("code") };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
    assert!(!failure.provider_message.contains(CODE));
    // These ask about a request that may have arrived earlier.
    assert!(matches!(channel.query(&trade).await, QueryOutcome::Unknown(_)));
    assert!(matches!(channel.void(&trade).await, VoidOutcome::Unknown(_)));
}
