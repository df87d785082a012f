//! APIv3: what is believed.

use scantill::channel::{CodeOutcome, PayOutcome, QueryOutcome, RefundOutcome, TimingOverrides, VoidOutcome};
use scantill::payment::{FailureReason, Way};
use serde_json::json;

use super::channel_support::*;
use super::*;

async fn all_unknown(story: &Story, what: &str) {
    assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "pay: {what}");
    assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "create: {what}");
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "query: {what}");
    assert!(matches!(story.close().await, VoidOutcome::Unknown(_)), "close: {what}");
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)), "reverse: {what}");
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)), "refund: {what}");
}

/// An answer that says yes to whatever was asked.
fn yes() -> String {
    let yes = json!({ "code_url": "weixin://wxpay/x", "out_refund_no": REFUND, "status": "SUCCESS" });
    with(transaction("SUCCESS"), yes).to_string()
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_leaves_everything_unknown() {
    let story = Story::begin().await;
    // First that the answer is good but for what follows.
    story.gateway.does(|_| signed(200, &yes(), PLATFORM_ID, 0));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    assert!(matches!(story.create().await, CodeOutcome::Shown { .. }));
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    assert_eq!(story.close().await, VoidOutcome::Closed);
    assert_eq!(story.reverse().await, VoidOutcome::Closed);
    assert_eq!(story.refund().await, RefundOutcome::Done);

    fn altered(alter: impl Fn(&mut u16, &mut Vec<(String, String)>, &mut Vec<u8>)) -> Does {
        let mut status = 200;
        let mut body = yes().into_bytes();
        let mut headers = signature(&body, PLATFORM_ID, 0);
        alter(&mut status, &mut headers, &mut body);
        Does::Answer { status, headers, body }
    }
    fn without(name: &str) -> Does {
        altered(|_, headers, _| headers.retain(|(key, _)| key != name))
    }
    type Spoilt = (&'static str, fn() -> Does);
    let spoilt: [Spoilt; 15] = [
        ("tampered amount", || altered(|_, _, body| *body = yes().replace("1234", "1233").into())),
        ("truncated", || altered(|_, _, body| body.truncate(body.len() - 5))),
        ("a line feed more", || altered(|_, _, body| body.push(b'\n'))),
        ("nothing", || altered(|_, _, body| body.clear())),
        ("another key", || {
            altered(|_, headers, body| {
                let timestamp = headers[0].1.clone();
                let mut message = format!("{timestamp}\n{}\n", headers[1].1).into_bytes();
                message.extend_from_slice(body);
                message.push(b'\n');
                headers[3].1 = MERCHANT.sign_base64(&message).unwrap();
            })
        }),
        ("a probe", || altered(|_, headers, _| headers[3].1 = format!("WECHATPAY/SIGNTEST/{}", headers[3].1))),
        ("a serial we do not hold", || signed(200, &yes(), "PUB_KEY_ID_0000000000000000000000000000000000", 0)),
        ("a clock behind", || signed(200, &yes(), PLATFORM_ID, -301)),
        ("a clock ahead", || signed(200, &yes(), PLATFORM_ID, 305)),
        ("no signature", || without("wechatpay-signature")),
        ("no timestamp", || without("wechatpay-timestamp")),
        ("no nonce", || without("wechatpay-nonce")),
        ("no serial", || without("wechatpay-serial")),
        ("500 with a signed answer", || altered(|status, _, _| *status = 500)),
        ("over a MiB", || signed(200, &(yes() + &" ".repeat(1 << 20)), PLATFORM_ID, 0)),
    ];
    for (what, does) in spoilt {
        story.gateway.does(move |_| does());
        all_unknown(&story, what).await;
    }
    story.gateway.does(|_| Does::Break(yes().into_bytes()));
    all_unknown(&story, "broken in the middle").await;
    story.gateway.does(|_| Does::text(204, ""));
    all_unknown(&story, "204 without a signature").await;
    // Only a refusal of the merchant's own credentials may come unsigned.
    for (status, code) in [(404, "ORDER_NOT_EXIST"), (400, "ORDERPAID"), (403, "NOT_ENOUGH"), (400, "ORDER_CLOSED")] {
        story.gateway.does(move |_| Does::text(status, error(code).to_string()));
        all_unknown(&story, code).await;
    }
    story.gateway.does(|_| Does::text(401, error("SIGN_ERROR").to_string()));
    let PayOutcome::Failed(failure) = story.pay().await else { panic!("not refused") };
    assert_eq!(failure.reason, FailureReason::MerchantAccount);
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_everything_unknown() {
    let story = Story::begin().await;
    story.gateway.does(|_| Does::Sleep);
    let PayOutcome::Unknown(words) = story.pay().await else { panic!("not unknown") };
    assert_eq!(words, "no answer in time");
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let channel = open_with(&nobody().await, &credentials(), TimingOverrides::default()).unwrap();
    let trade = trade(Way::ConsumerPresented);
    let PayOutcome::Failed(failure) = channel.pay(&trade, &details(), CODE).await else { panic!("pay") };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
    let CodeOutcome::Failed(failure) = channel.create_code(&trade, &details()).await else { panic!("code") };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
    assert!(matches!(channel.query(&trade).await, QueryOutcome::Unknown(_)));
    assert!(matches!(channel.void(&trade).await, VoidOutcome::Unknown(_)));
}

#[tokio::test]
async fn a_platform_certificate_serves_as_well_as_a_public_key() {
    let story = Story::begin_with(&with_certificate()).await;
    let serial = &CERTIFICATE.1;
    story.gateway.does(|_| signed(200, &yes(), &CERTIFICATE.1, 0));
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    assert_eq!(story.gateway.only().header("wechatpay-serial"), serial);
    story.gateway.does(|_| signed(200, &yes(), PLATFORM_ID, 0));
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)));

    // While the platform moves from one to the other, both are believed.
    let both = Story::begin_with(&with(credentials(), json!({ "platform_certificate": CERTIFICATE.0 }))).await;
    for serial in [PLATFORM_ID, serial] {
        both.gateway.does(move |_| signed(200, &yes(), serial, 0));
        assert!(matches!(both.query().await, QueryOutcome::Paid(_)), "{serial}");
    }
}
