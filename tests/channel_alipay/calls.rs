//! What each call carries, and what each answer means.

use scantill::channel::RefundRef;
use scantill::money::{Currency, Money};
use scantill::payment::FailureReason;

use super::*;

#[tokio::test]
async fn every_call_is_signed_and_carries_what_alipay_asks_for() {
    let story = Story::begin().await;
    story.answers(&paid());
    story.pay().await;
    let (parameters, biz) = admitted(&story.gateway.only(), "alipay.trade.pay");
    assert_eq!(parameters["notify_url"], details().notify_url.unwrap());
    assert_eq!(biz["out_trade_no"], NUMBER);
    assert_eq!(biz["total_amount"], "12.34");
    assert_eq!(biz["auth_code"], CODE);
    assert_eq!(biz["scene"], "bar_code");
    assert_eq!(biz["subject"], "拿铁 large + 1 cookie");
    assert_eq!(biz["store_id"], "store_1");

    story.answers(&json!({ "code": "10000", "out_trade_no": NUMBER, "qr_code": "https://qr.alipay.com/bax1" }));
    assert_eq!(story.create().await, CodeOutcome::Shown { code: "https://qr.alipay.com/bax1".into() });
    let (_, biz) = admitted(&story.gateway.only(), "alipay.trade.precreate");
    assert_eq!(biz["qr_code_timeout_express"], "3m");
    assert!(biz.get("auth_code").is_none());

    story.query().await;
    let (parameters, biz) = admitted(&story.gateway.only(), "alipay.trade.query");
    assert_eq!(biz, json!({ "out_trade_no": NUMBER }));
    assert!(!parameters.contains_key("notify_url"));

    story.void().await;
    admitted(&story.gateway.only(), "alipay.trade.cancel");

    story.answers(&json!({ "code": "10000", "out_trade_no": NUMBER, "fund_change": "Y" }));
    assert_eq!(story.refund().await, RefundOutcome::Done);
    let (_, biz) = admitted(&story.gateway.only(), "alipay.trade.refund");
    assert_eq!(biz, json!({ "out_trade_no": NUMBER, "refund_amount": "12.34", "out_request_no": REFUND }));

    let part =
        RefundRef { amount: Money::new(5, Currency::CNY), reason: Some("坏了 & back".into()), ..refund(REFUND) };
    story.channel.refund(&trade(Way::ConsumerPresented), &part).await;
    let (_, biz) = admitted(&story.gateway.only(), "alipay.trade.refund");
    assert_eq!((&biz["refund_amount"], &biz["refund_reason"]), (&json!("0.05"), &json!("坏了 ＆ back")));
}

#[tokio::test]
async fn without_a_way_to_be_notified_no_address_is_sent() {
    let story = Story::begin().await;
    story.answers(&paid());
    let details = scantill::channel::TradeDetails { notify_url: None, operator: None, ..details() };
    story.channel.pay(&trade(Way::ConsumerPresented), &details, CODE).await;
    let (parameters, biz) = admitted(&story.gateway.only(), "alipay.trade.pay");
    assert!(!parameters.contains_key("notify_url"));
    assert!(biz.get("operator_id").is_none());
}

#[tokio::test]
async fn a_payment_is_told_as_alipay_has_it() {
    let story = Story::begin().await;
    story.answers(&paid());
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert_eq!(told.amount, Money::new(FEN, Currency::CNY));
    assert_eq!(told.provider_trade_no, "2026112422001");
    assert_eq!(told.payer.as_deref(), Some("lin***@example.com"));
    // 12:00 in China is 04:00 UTC.
    assert_eq!(told.paid_at, 1_795_492_800_000);

    // Another amount is told as it is: the engine compares.
    story.answers(&with(paid(), json!({ "total_amount": "0.01" })));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert_eq!(told.amount.minor, 1);

    for wrong in [
        json!({ "out_trade_no": "20261124OTHER001" }),
        json!({ "out_trade_no": null }),
        json!({ "total_amount": "12.345" }),
        json!({ "total_amount": "-12.34" }),
        json!({ "total_amount": null }),
        json!({ "trade_no": null }),
    ] {
        story.answers(&with(paid(), wrong.clone()));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{wrong}");
    }
}

#[tokio::test]
async fn each_answer_to_a_scanned_code_has_its_meaning() {
    let story = Story::begin().await;
    story.answers(&with(paid(), json!({ "code": "10003", "msg": "order success pay inprocess" })));
    assert_eq!(story.pay().await, PayOutcome::CustomerConfirming);

    use FailureReason as F;
    let decisive = [
        ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", F::CodeExpired),
        ("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH", F::InsufficientFunds),
        ("40004", "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", F::InsufficientFunds),
        ("40004", "ACQ.ERROR_BALANCE_PAYMENT_DISABLE", F::InsufficientFunds),
        ("40004", "ACQ.PULL_MOBILE_CASHIER_FAIL", F::CustomerRefused),
        ("40004", "ACQ.PAYMENT_FAIL", F::CustomerRefused),
        ("40004", "ACQ.TOTAL_FEE_EXCEED", F::LimitExceeded),
        ("40004", "ACQ.BUYER_SELLER_EQUAL", F::CustomerAccount),
        ("40004", "ACQ.INVALID_PARAMETER", F::RequestRefused),
        ("40004", "ACQ.ACCESS_FORBIDDEN", F::MerchantAccount),
        ("40004", "ACQ.SOMETHING_NEW", F::ProviderRefused),
        ("40002", "isv.invalid-signature", F::MerchantAccount),
        ("40002", "isv.invalid-app-id", F::MerchantAccount),
        ("40002", "isv.invalid-timestamp", F::RequestRefused),
        ("40001", "isv.missing-app-id", F::MerchantAccount),
        ("40003", "isv.missing-signature-config", F::MerchantAccount),
        ("40006", "isv.insufficient-isv-permissions", F::MerchantAccount),
        ("20001", "aop.invalid-auth-token", F::MerchantAccount),
    ];
    for (code, sub_code, reason) in decisive {
        story.answers(&refused(code, sub_code));
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{sub_code}") };
        assert_eq!((failure.reason, failure.provider_code.as_str()), (reason, sub_code));
        assert_eq!(failure.provider_message, "不行");
        let CodeOutcome::Failed(failure) = story.create().await else { panic!("{sub_code}") };
        assert_eq!(failure.reason, reason, "{sub_code}");
    }
    for (code, sub_code) in [
        ("20000", "isp.unknow-error"),
        ("20000", "aop.unknow-error"),
        ("40004", "ACQ.SYSTEM_ERROR"),
        ("40004", "aop.ACQ.SYSTEM_ERROR"),
        ("40004", "AQC.SYSTEM_ERROR"),
        ("40004", "ACQ.TRADE_HAS_SUCCESS"),
        ("40004", "ACQ.TRADE_HAS_CLOSE"),
        ("40004", "ACQ.CONTEXT_INCONSISTENT"),
        ("40004", ""),
        ("12345", "x"),
    ] {
        story.answers(&refused(code, sub_code));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{code} {sub_code}");
        assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "{code} {sub_code}");
    }
}

#[tokio::test]
async fn each_answer_to_a_query_has_its_meaning() {
    let story = Story::begin().await;
    let status = |status: &str| with(paid(), json!({ "trade_status": status, "gmt_payment": null }));
    let when = json!({ "send_pay_date": "2026-11-24 12:00:00" });
    for name in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
        story.answers(&with(status(name), when.clone()));
        let QueryOutcome::Paid(told) = story.query().await else { panic!("{name}") };
        assert_eq!((told.amount.minor, told.paid_at), (FEN, 1_795_492_800_000));
        // A payment stays one where its time is missing.
        story.answers(&status(name));
        let QueryOutcome::Paid(told) = story.query().await else { panic!("{name}") };
        assert!((told.paid_at - now()).abs() < 60_000);
    }
    let cases = [
        (status("WAIT_BUYER_PAY"), QueryOutcome::CustomerConfirming),
        (status("TRADE_CLOSED"), QueryOutcome::Closed),
        (with(status("TRADE_CLOSED"), when), QueryOutcome::Returned),
        (refused("40004", "ACQ.TRADE_NOT_EXIST"), QueryOutcome::NotFound),
    ];
    for (answer, outcome) in cases {
        story.answers(&answer);
        assert_eq!(story.query().await, outcome, "{answer}");
    }
    for answer in [
        status("SOMETHING_NEW"),
        with(status("TRADE_SUCCESS"), json!({ "out_trade_no": "20261124OTHER001" })),
        with(status("TRADE_CLOSED"), json!({ "out_trade_no": "20261124OTHER001" })),
        refused("40004", "ACQ.SYSTEM_ERROR"),
        refused("40004", "ACQ.INVALID_PARAMETER"),
        refused("40002", "isv.invalid-signature"),
        refused("20000", "isp.unknow-error"),
    ] {
        story.answers(&answer);
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "{answer}");
    }
}

#[tokio::test]
async fn each_answer_to_a_cancellation_has_its_meaning() {
    let story = Story::begin().await;
    let done = |changes: Value| {
        with(json!({ "code": "10000", "out_trade_no": NUMBER, "retry_flag": "N", "trade_no": "1" }), changes)
    };
    let cases = [
        (done(json!({ "action": "close" })), VoidOutcome::Closed),
        (done(json!({ "action": "refund" })), VoidOutcome::Returned),
        (done(json!({})), VoidOutcome::Closed),
        (done(json!({ "out_trade_no": null })), VoidOutcome::Closed),
        (refused("40004", "ACQ.TRADE_NOT_EXIST"), VoidOutcome::Closed),
        (refused("40004", "ACQ.TRADE_CANCEL_TIME_OUT"), VoidOutcome::AlreadyPaid),
        (refused("40004", "ACQ.TRADE_HAS_FINISHED"), VoidOutcome::AlreadyPaid),
        (refused("40004", "ACQ.TRADE_STATUS_ERROR"), VoidOutcome::AlreadyPaid),
    ];
    for (answer, outcome) in cases {
        story.answers(&answer);
        assert_eq!(story.void().await, outcome, "{answer}");
    }
    for answer in [
        done(json!({ "action": "refund", "retry_flag": "Y" })),
        with(refused("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), json!({ "retry_flag": "Y" })),
        done(json!({ "action": "refund", "out_trade_no": "20261124OTHER001" })),
        done(json!({ "action": "refund", "out_trade_no": null })),
        done(json!({ "action": "something new" })),
        refused("40004", "ACQ.SYSTEM_ERROR"),
        refused("20000", "isp.unknow-error"),
    ] {
        story.answers(&answer);
        assert!(matches!(story.void().await, VoidOutcome::Unknown(_)), "{answer}");
    }
    for answer in [
        refused("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
        refused("40004", "ACQ.REASON_TRADE_BEEN_FREEZEN"),
        refused("40002", "isv.invalid-app-id"),
    ] {
        story.answers(&answer);
        assert!(matches!(story.void().await, VoidOutcome::Failed(_)), "{answer}");
    }
}

#[tokio::test]
async fn past_the_time_of_cancellations_the_order_is_closed() {
    let story = Story::begin().await;
    let mut old = trade(Way::MerchantPresented);
    old.started_at -= 24 * 3_600_000 + 1;
    story.answers(&json!({ "code": "10000", "out_trade_no": NUMBER, "trade_no": "1" }));
    assert_eq!(story.channel.void(&old).await, VoidOutcome::Closed);
    admitted(&story.gateway.only(), "alipay.trade.close");
    story.answers(&refused("40004", "ACQ.TRADE_STATUS_ERROR"));
    assert_eq!(story.channel.void(&old).await, VoidOutcome::AlreadyPaid);
}

#[tokio::test]
async fn a_refund_that_moved_nothing_is_asked_about() {
    let story = Story::begin().await;
    let known = json!({
        "code": "10000", "out_trade_no": NUMBER, "out_request_no": REFUND, "refund_status": "REFUND_SUCCESS",
    });
    let cases = [
        (known.clone(), RefundOutcome::Done),
        (with(known.clone(), json!({ "refund_status": null })), RefundOutcome::Processing),
    ];
    let answer_both = |told: Value| {
        story.gateway.does(move |seen| {
            let value = match parameters(seen)["method"].as_str() {
                "alipay.trade.refund" => json!({ "code": "10000", "out_trade_no": NUMBER, "fund_change": "N" }),
                _ => told.clone(),
            };
            Does::text(200, signed(&key_of(seen), &value.to_string()))
        });
    };
    for (told, outcome) in cases {
        answer_both(told);
        assert_eq!(story.refund().await, outcome);
        let seen = story.gateway.seen();
        assert_eq!(seen.len(), 2);
        let (_, biz) = admitted(&seen[1], "alipay.trade.fastpay.refund.query");
        assert_eq!(biz, json!({ "out_trade_no": NUMBER, "out_request_no": REFUND }));
    }
    for other in [json!({ "out_trade_no": "20261124OTHER001" }), json!({ "out_request_no": "R2" })] {
        answer_both(with(known.clone(), other));
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    }
    // The same number over another amount was never ours.
    answer_both(with(known.clone(), json!({ "refund_amount": "12.34" })));
    assert_eq!(story.refund().await, RefundOutcome::Done);
    answer_both(with(known.clone(), json!({ "refund_amount": "1.00" })));
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    // A trade at an end refuses: unless an earlier request of this refund was what ended it.
    for sub_code in ["ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_STATUS_ERROR"] {
        for (told, done) in [(known.clone(), true), (json!({ "code": "10000", "msg": "Success" }), false)] {
            story.gateway.does(move |seen| {
                let value = match parameters(seen)["method"].as_str() {
                    "alipay.trade.refund" => refused("40004", sub_code),
                    _ => told.clone(),
                };
                Does::text(200, signed(&key_of(seen), &value.to_string()))
            });
            match story.refund().await {
                RefundOutcome::Done => assert!(done, "{sub_code}"),
                RefundOutcome::Failed(failure) => assert!(!done && failure.provider_code == sub_code, "{failure:?}"),
                other => panic!("{sub_code}: {other:?}"),
            }
        }
    }
    for (sub_code, reason) in [
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", FailureReason::MerchantAccount),
        ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", FailureReason::ProviderRefused),
        ("ACQ.DISCORDANT_REPEAT_REQUEST", FailureReason::ProviderRefused),
    ] {
        story.answers(&refused("40004", sub_code));
        let RefundOutcome::Failed(failure) = story.refund().await else { panic!("{sub_code}") };
        assert_eq!(failure.reason, reason, "{sub_code}");
    }
}
