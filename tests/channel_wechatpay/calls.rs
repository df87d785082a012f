//! APIv3: what each call carries, and what each answer means.

use scantill::channel::{
    CodeOutcome, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::money::{Currency, Money};
use scantill::payment::{FailureReason, Way};
use serde_json::json;

use super::channel_support::*;
use super::*;

/// Checks a request as the platform would, by the documents and not by the channel's code.
pub(super) fn admitted(seen: &Seen, method: &str, path: &str) {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), (method, path));
    let header = seen.header("authorization").strip_prefix("WECHATPAY2-SHA256-RSA2048 ").expect("the scheme");
    let field = |name: &str| {
        let start = header.find(&format!("{name}=\"")).unwrap_or_else(|| panic!("{name} in {header}")) + name.len() + 2;
        &header[start..start + header[start..].find('"').unwrap()]
    };
    assert_eq!(field("mchid"), MCHID);
    assert_eq!(field("serial_no"), SERIAL);
    let timestamp: i64 = field("timestamp").parse().unwrap();
    assert!((timestamp - now() / 1_000).abs() < 60);
    let nonce = field("nonce_str");
    assert!((16..=32).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let body = std::str::from_utf8(&seen.body).unwrap();
    let message = [method, path, field("timestamp"), nonce, body, ""].join("\n");
    let public = MERCHANT.public_key().to_spki_pem().unwrap();
    assert!(verifies(&public, message.as_bytes(), field("signature")), "{message}");
    assert!(seen.header("user-agent").starts_with("scantill/"));
    assert_eq!(seen.header("accept"), "application/json");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("wechatpay-serial"), PLATFORM_ID);
}

#[tokio::test]
async fn every_call_is_signed_and_carries_what_wechat_pay_asks_for() {
    let story = Story::begin().await;
    let path = |rest: &str| format!("/v3/pay/transactions/out-trade-no/{NUMBER}{rest}");

    story.answers(200, &transaction("SUCCESS"));
    story.pay().await;
    let seen = story.gateway.only();
    admitted(&seen, "POST", "/v3/pay/transactions/codepay");
    let body = seen.json();
    assert_eq!(body["appid"], APPID);
    assert_eq!(body["mchid"], MCHID);
    assert_eq!(body["out_trade_no"], NUMBER);
    assert_eq!(body["description"], "拿铁 large + 1 cookie");
    assert_eq!(body["amount"], json!({ "total": FEN, "currency": "CNY" }));
    assert_eq!(body["payer"], json!({ "auth_code": CODE }));
    assert_eq!(body["scene_info"], json!({ "device_id": "till_1", "store_info": { "out_id": "store_1" } }));

    story.answers(200, &json!({ "code_url": "weixin://wxpay/bizpayurl?pr=1" }));
    assert_eq!(story.create().await, CodeOutcome::Shown { code: "weixin://wxpay/bizpayurl?pr=1".into() });
    let seen = story.gateway.only();
    admitted(&seen, "POST", "/v3/pay/transactions/native");
    let body = seen.json();
    assert_eq!(body["notify_url"], details().notify_url.unwrap());
    let expires: jiff::Timestamp = body["time_expire"].as_str().unwrap().parse().unwrap();
    assert!((expires.as_millisecond() - now() - 180_000).abs() < 60_000);
    assert!(body["time_expire"].as_str().unwrap().ends_with("+08:00"));

    story.query().await;
    let seen = story.gateway.only();
    admitted(&seen, "GET", &path(&format!("?mchid={MCHID}")));
    assert!(seen.body.is_empty());

    story.close().await;
    let seen = story.gateway.only();
    admitted(&seen, "POST", &path("/close"));
    assert_eq!(seen.json(), json!({ "mchid": MCHID }));

    story.reverse().await;
    let seen = story.gateway.only();
    admitted(&seen, "POST", &path("/reverse"));
    assert_eq!(seen.json(), json!({ "appid": APPID, "mchid": MCHID }));

    story.refund().await;
    let seen = story.gateway.only();
    admitted(&seen, "POST", "/v3/refund/domestic/refunds");
    let amount = json!({ "refund": FEN, "total": FEN, "currency": "CNY" });
    assert_eq!(seen.json(), json!({ "out_trade_no": NUMBER, "out_refund_no": REFUND, "amount": amount }));

    let full = RefundRef {
        reason: Some("茶".repeat(60)),
        notify_url: Some("https://pos.example.com/v1/notifications/wechatpay/acc_1".into()),
        ..refund(REFUND)
    };
    story.channel.refund(&trade(Way::ConsumerPresented), &full).await;
    let body = story.gateway.only().json();
    assert_eq!(body["reason"], "茶".repeat(26));
    assert_eq!(body["notify_url"], full.notify_url.unwrap());

    story.channel.query_refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await;
    admitted(&story.gateway.only(), "GET", &format!("/v3/refund/domestic/refunds/{REFUND}"));
}

#[tokio::test]
async fn an_order_that_is_not_found_by_our_number_is_asked_for_by_the_platforms() {
    let story = Story::begin().await;
    let known = TradeRef { provider_trade_no: Some("4200002026".into()), ..trade(Way::ConsumerPresented) };
    story.gateway.does(|seen| {
        if seen.path.contains("/id/") {
            signed(200, &transaction("SUCCESS").to_string(), PLATFORM_ID, 0)
        } else {
            signed(404, &error("ORDER_NOT_EXIST").to_string(), PLATFORM_ID, 0)
        }
    });
    assert!(matches!(story.channel.query(&known).await, QueryOutcome::Paid(paid) if paid.amount.minor == FEN));
    let seen = story.gateway.seen();
    let mchid = format!("?mchid={MCHID}");
    assert_eq!(seen.len(), 2);
    admitted(&seen[0], "GET", &format!("/v3/pay/transactions/out-trade-no/{NUMBER}{mchid}"));
    admitted(&seen[1], "GET", &format!("/v3/pay/transactions/id/4200002026{mchid}"));

    // Nothing else is asked twice, and no number that could turn the address.
    assert_eq!(story.query().await, QueryOutcome::NotFound);
    story.gateway.only();
    let odd = TradeRef { provider_trade_no: Some("42/../x?".into()), ..known.clone() };
    assert_eq!(story.channel.query(&odd).await, QueryOutcome::NotFound);
    story.gateway.only();
    story.answers(500, &error("SYSTEM_ERROR"));
    assert!(matches!(story.channel.query(&known).await, QueryOutcome::Unknown(_)));
    story.gateway.only();
    // The platform's number leads to another order: that is not this one.
    story.gateway.does(|seen| {
        if seen.path.contains("/id/") {
            let other = with(transaction("SUCCESS"), json!({ "out_trade_no": "20261124OTHER001" }));
            signed(200, &other.to_string(), PLATFORM_ID, 0)
        } else {
            signed(404, &error("ORDER_NOT_EXIST").to_string(), PLATFORM_ID, 0)
        }
    });
    assert!(matches!(story.channel.query(&known).await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn long_names_are_cut_to_what_the_platform_takes() {
    let story = Story::begin().await;
    story.answers(200, &transaction("SUCCESS"));
    let details = TradeDetails {
        description: "茶".repeat(60),
        store: "s".repeat(64),
        till: "t".repeat(64),
        notify_url: None,
        ..details()
    };
    story.channel.pay(&trade(Way::ConsumerPresented), &details, CODE).await;
    let body = story.gateway.only().json();
    assert_eq!(body["description"], "茶".repeat(42));
    assert_eq!(body["scene_info"]["device_id"], "t".repeat(32));
    assert_eq!(body["scene_info"]["store_info"]["out_id"], "s".repeat(32));
    assert!(body.get("notify_url").is_none());
}

#[tokio::test]
async fn a_payment_is_told_as_wechat_pay_has_it() {
    let story = Story::begin().await;
    story.answers(200, &transaction("SUCCESS"));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    // The order's amount, not what the customer paid after coupons.
    assert_eq!(told.amount, Money::new(FEN, Currency::CNY));
    assert_eq!(told.provider_trade_no, "4200002026");
    assert_eq!(told.payer.as_deref(), Some("oUpF***eS6o"));
    assert_eq!(told.paid_at, 1_795_492_800_000);

    story.answers(200, &with(transaction("SUCCESS"), json!({ "amount": { "total": 1, "currency": "CNY" } })));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert_eq!(told.amount.minor, 1);
    story.answers(200, &with(transaction("SUCCESS"), json!({ "success_time": null })));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert!((told.paid_at - now()).abs() < 60_000);

    for wrong in [
        json!({ "out_trade_no": "20261124OTHER001" }),
        json!({ "out_trade_no": null }),
        json!({ "mchid": "1900000002" }),
        json!({ "appid": "wx0000000000000000" }),
        json!({ "amount": null }),
        json!({ "amount": { "total": 12.34 } }),
        json!({ "transaction_id": null }),
    ] {
        story.answers(200, &with(transaction("SUCCESS"), wrong.clone()));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{wrong}");
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "{wrong}");
    }
}

#[tokio::test]
async fn each_answer_to_a_scanned_code_has_its_meaning() {
    let story = Story::begin().await;
    story.answers(200, &transaction("USERPAYING"));
    assert_eq!(story.pay().await, PayOutcome::CustomerConfirming);
    for status in [202, 400, 403] {
        story.answers(status, &error("USERPAYING"));
        assert_eq!(story.pay().await, PayOutcome::CustomerConfirming, "{status}");
    }
    use FailureReason as F;
    for (status, code, reason) in [
        (400, "AUTH_CODE_EXPIRE", F::CodeExpired),
        (400, "AUTHCODEEXPIRE", F::CodeExpired),
        (400, "AUTH_CODE_ERROR", F::CodeInvalid),
        (400, "AUTH_CODE_INVALID", F::CodeInvalid),
        (403, "NOT_ENOUGH", F::InsufficientFunds),
        (403, "NOTENOUGH", F::InsufficientFunds),
        (403, "TRADE_ERROR", F::CustomerAccount),
        (403, "ACCOUNT_ERROR", F::CustomerAccount),
        (403, "OPENID_MISMATCH", F::CustomerAccount),
        (403, "RULE_LIMIT", F::LimitExceeded),
        (400, "PARAM_ERROR", F::RequestRefused),
        (401, "SIGN_ERROR", F::MerchantAccount),
        (403, "NO_AUTH", F::MerchantAccount),
        (400, "APPID_MCHID_NOT_MATCH", F::MerchantAccount),
    ] {
        story.answers(status, &error(code));
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{code}") };
        assert_eq!((failure.reason, failure.provider_code.as_str()), (reason, code));
        assert_eq!(failure.provider_message, "不行");
        let CodeOutcome::Failed(failure) = story.create().await else { panic!("{code}") };
        assert_eq!(failure.reason, reason, "{code}");
    }
    // One word for a part and for the whole: a sale is not called unpaid for it.
    story.answers(200, &transaction("REFUND"));
    assert!(matches!(story.query().await, QueryOutcome::SomeReturned(paid) if paid.amount.minor == FEN));
    story.answers(200, &with(transaction("REFUND"), json!({ "amount": null })));
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)));
    story.answers(200, &transaction("PAYERROR"));
    let PayOutcome::Failed(failure) = story.pay().await else { panic!("PAYERROR") };
    assert_eq!((failure.reason, failure.provider_message.as_str()), (F::ProviderRefused, "说明"));

    for (status, code) in [
        (500, "SYSTEM_ERROR"),
        (500, "BANK_ERROR"),
        (502, "BANKERROR"),
        (429, "FREQUENCY_LIMITED"),
        (429, "RATELIMIT_EXCEEDED"),
        (403, "OUT_TRADE_NO_USED"),
        (400, "ORDERPAID"),
        (400, "ORDER_CLOSED"),
        (400, "SOMETHING_NEW"),
        // What would be decisive below 500 is not at 500.
        (500, "NOT_ENOUGH"),
    ] {
        story.answers(status, &error(code));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{status} {code}");
        assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "{status} {code}");
    }
    story.answers(200, &json!({ "prepay_id": "1" }));
    assert!(matches!(story.create().await, CodeOutcome::Unknown(_)));
}

#[tokio::test]
async fn each_answer_to_a_query_has_its_meaning() {
    let story = Story::begin().await;
    for (state, outcome) in [
        ("NOTPAY", QueryOutcome::AwaitingCustomer),
        ("CLOSED", QueryOutcome::Closed),
        ("REVOKED", QueryOutcome::Closed),
        ("USERPAYING", QueryOutcome::CustomerConfirming),
    ] {
        story.answers(200, &transaction(state));
        assert_eq!(story.query().await, outcome, "{state}");
    }
    story.answers(200, &transaction("SUCCESS"));
    assert!(matches!(story.query().await, QueryOutcome::Paid(paid) if paid.amount.minor == FEN));
    story.answers(200, &transaction("PAYERROR"));
    assert!(matches!(story.query().await, QueryOutcome::Failed(_)));
    story.answers(404, &error("ORDER_NOT_EXIST"));
    assert_eq!(story.query().await, QueryOutcome::NotFound);
    for (status, code) in [(500, "SYSTEM_ERROR"), (401, "SIGN_ERROR"), (429, "FREQUENCY_LIMITED"), (404, "NOT_FOUND")] {
        story.answers(status, &error(code));
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "{code}");
    }
    story.answers(200, &transaction("SOMETHING_NEW"));
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn a_shown_order_is_closed_and_a_scanned_one_reversed() {
    let story = Story::begin().await;
    story.answers(204, &Value::Null);
    assert_eq!(story.close().await, VoidOutcome::Closed);
    for (status, code, outcome) in [
        (400, "ORDERPAID", VoidOutcome::AlreadyPaid),
        (400, "ORDER_CLOSED", VoidOutcome::Closed),
        (404, "ORDER_NOT_EXIST", VoidOutcome::Closed),
    ] {
        story.answers(status, &error(code));
        assert_eq!(story.close().await, outcome, "{code}");
    }
    story.answers(400, &error("INVALID_REQUEST"));
    assert!(matches!(story.close().await, VoidOutcome::Failed(_)));

    story.answers(200, &json!({ "appid": APPID, "mchid": MCHID, "out_trade_no": NUMBER }));
    assert_eq!(story.reverse().await, VoidOutcome::Closed);
    story.answers(200, &json!({ "appid": APPID, "mchid": MCHID, "out_trade_no": "20261124OTHER001" }));
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
    story.answers(500, &error("SYSTEM_ERROR"));
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
    // Refused shortly after the payment call it is too soon; a minute later it is something else.
    story.answers(400, &error("INVALID_REQUEST"));
    assert_eq!(story.reverse().await, VoidOutcome::NotYet);
    let mut old = trade(Way::ConsumerPresented);
    old.started_at -= 60_000;
    assert!(matches!(story.channel.void(&old).await, VoidOutcome::Failed(_)));
}

#[tokio::test]
async fn each_answer_to_a_refund_has_its_meaning() {
    let story = Story::begin().await;
    let told = |status: &str| json!({ "out_trade_no": NUMBER, "out_refund_no": REFUND, "status": status });
    let cases = [("SUCCESS", RefundOutcome::Done), ("PROCESSING", RefundOutcome::Processing)];
    for (status, outcome) in cases {
        story.answers(200, &told(status));
        assert_eq!(story.refund().await, outcome);
        assert_eq!(story.channel.query_refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await, outcome);
    }
    for status in ["CLOSED", "ABNORMAL"] {
        story.answers(200, &told(status));
        assert!(matches!(story.refund().await, RefundOutcome::Failed(_)), "{status}");
    }
    for wrong in [json!({ "out_refund_no": "R2" }), json!({ "out_trade_no": "20261124OTHER001" })] {
        story.answers(200, &with(told("SUCCESS"), wrong));
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    }
    let amount = json!({ "amount": { "refund": FEN - 1, "total": FEN } });
    story.answers(200, &with(told("SUCCESS"), amount));
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    for code in ["RESOURCE_NOT_EXISTS", "INVALID_REQUEST", "USER_ACCOUNT_ABNORMAL", "SIGN_ERROR"] {
        story.answers(403, &error(code));
        assert!(matches!(story.refund().await, RefundOutcome::Failed(_)), "{code}");
    }
    let asked = async || story.channel.query_refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await;
    story.answers(404, &error("RESOURCE_NOT_EXISTS"));
    assert_eq!(asked().await, RefundOutcome::NotFound);
    for code in ["SIGN_ERROR", "PARAM_ERROR", "NEW"] {
        story.answers(403, &error(code));
        assert!(matches!(asked().await, RefundOutcome::Unknown(_)), "{code}");
    }
    story.answers(429, &error("FREQUENCY_LIMITED"));
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    story.answers(403, &error("NOT_ENOUGH"));
    let RefundOutcome::Failed(failure) = story.refund().await else { panic!("not refused") };
    assert_eq!(failure.reason, FailureReason::MerchantAccount);
    story.answers(500, &error("SYSTEM_ERROR"));
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
}
