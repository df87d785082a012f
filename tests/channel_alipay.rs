//! The Alipay channel against a gateway played by hand: what it sends, what it believes, and what it makes of it.

mod channel_support;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use channel_support::*;
use proptest::prelude::*;
use scantill::channel::{
    AccountError, Channel, CodeOutcome, NotificationError, PayOutcome, QueryOutcome, RawNotification, RefundOutcome,
    TimingOverrides, Told, VoidOutcome,
};
use scantill::crypto::RsaPrivateKey;
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, FailureReason, Way};
use serde_json::{Value, json};

const APP: &str = "2021000122671080";
const SELLER: &str = "2088721996721370";
const CODE: &str = "283812345678901234";

static APP_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
static ALIPAY_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

fn credentials() -> Value {
    json!({
        "app_id": APP, "seller_id": SELLER,
        "app_private_key": APP_KEY.to_pkcs1_pem().unwrap().as_str(),
        "alipay_public_key": ALIPAY_KEY.public_key().to_spki_pem().unwrap(),
    })
}

fn open_at(base_url: &str, timing: TimingOverrides) -> Arc<dyn Channel> {
    scantill::channel::open(&account(ChannelId::ALIPAY, base_url, &credentials(), timing)).unwrap()
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        let gateway = Gateway::open().await;
        let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
        let channel = open_at(&gateway.base_url, timing);
        Self { gateway, channel }
    }

    /// From now on every call is answered with this value, signed.
    fn answers(&self, value: &Value) {
        let value = value.to_string();
        self.gateway.does(move |seen| Does::text(200, signed(&key_of(seen), &value)));
    }

    async fn pay(&self) -> PayOutcome {
        self.channel.pay(&trade(Way::ConsumerPresented), &details(), CODE).await
    }

    async fn create(&self) -> CodeOutcome {
        self.channel.create_code(&trade(Way::MerchantPresented), &details()).await
    }

    async fn query(&self) -> QueryOutcome {
        self.channel.query(&trade(Way::ConsumerPresented)).await
    }

    async fn void(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::ConsumerPresented)).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }
}

fn parameters(seen: &Seen) -> BTreeMap<String, String> {
    form(&seen.body).into_iter().collect()
}

/// The name under which the answer to this request lies.
fn key_of(seen: &Seen) -> String {
    format!("{}_response", parameters(seen)["method"].replace('.', "_"))
}

fn signed(key: &str, value: &str) -> String {
    let sign = ALIPAY_KEY.sign_base64(value.as_bytes()).unwrap();
    format!("{{\"{key}\":{value},\"sign\":\"{sign}\"}}")
}

fn paid() -> Value {
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": NUMBER, "trade_no": "2026112422001", "total_amount": "12.34",
        "buyer_logon_id": "lin***@example.com", "gmt_payment": "2026-11-24 12:00:00",
    })
}

// The changes are written in place at each call.
#[allow(clippy::needless_pass_by_value)]
fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

fn refused(code: &str, sub_code: &str) -> Value {
    json!({ "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "不行" })
}

/// Checks a request as the gateway would, by the documents and not by the channel's code.
fn admitted(seen: &Seen, method: &str) -> (BTreeMap<String, String>, Value) {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/gateway.do"));
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded;charset=utf-8");
    let pairs = form(&seen.body);
    let parameters: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(parameters.len(), pairs.len(), "no parameter twice");
    let mut content = String::new();
    for (name, value) in parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()) {
        if !content.is_empty() {
            content.push('&');
        }
        content += name;
        content.push('=');
        content += value;
    }
    let public = APP_KEY.public_key().to_spki_pem().unwrap();
    assert!(verifies(&public, content.as_bytes(), &parameters["sign"]), "{content}");
    let fixed = [("app_id", APP), ("method", method), ("charset", "utf-8"), ("sign_type", "RSA2"), ("version", "1.0")];
    for (name, value) in fixed {
        assert_eq!(parameters[name], value, "{name}");
    }
    assert!(parameters["format"].eq_ignore_ascii_case("json"));
    // China time, whatever this machine's zone.
    let stamp: jiff::civil::DateTime = parameters["timestamp"].replace(' ', "T").parse().unwrap();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let stamp = stamp.to_zoned(zone).unwrap().timestamp().as_millisecond();
    assert!((now() - stamp).abs() < 60_000, "{}", parameters["timestamp"]);
    assert_eq!(parameters["timestamp"].len(), 19);
    let biz = serde_json::from_str(&parameters["biz_content"]).unwrap();
    (parameters, biz)
}

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

#[test]
fn an_account_that_cannot_serve_names_the_field_and_never_its_value() {
    let cases = [
        (json!({ "app_id": null }), "app_id"),
        (json!({ "app_id": 2_021_000_122_671_080_u64 }), "app_id"),
        (json!({ "app_id": "SECRET" }), "app_id"),
        (json!({ "app_private_key": null }), "app_private_key"),
        (json!({ "app_private_key": "" }), "app_private_key"),
        (json!({ "app_private_key": "SECRET" }), "app_private_key"),
        (json!({ "app_private_key": ALIPAY_KEY.public_key().to_spki_pem().unwrap() }), "app_private_key"),
        (json!({ "alipay_public_key": "SECRET" }), "alipay_public_key"),
        (json!({ "alipay_public_key": null }), "alipay_public_key"),
        (json!({ "seller_id": ["SECRET"] }), "seller_id"),
    ];
    let opened = |base_url: &str, credentials: Value| {
        scantill::channel::open(&account(ChannelId::ALIPAY, base_url, &credentials, TimingOverrides::default()))
            .map(|_| ())
    };
    for (changes, name) in cases {
        let error = opened("http://127.0.0.1:9", with(credentials(), changes.clone())).unwrap_err();
        assert!(matches!(&error, AccountError::Credential { field, .. } if *field == name), "{changes}: {error}");
        let words = format!("{error} {error:?}");
        assert!(words.contains(name) && !words.contains("SECRET"), "{words}");
    }
    assert!(opened("http://127.0.0.1:9", json!("no object")).is_err());
    for base_url in ["", "openapi.alipay.com", "ftp://openapi.alipay.com", "https://u:p@h", "https://h?x=1"] {
        assert_eq!(opened(base_url, credentials()), Err(AccountError::BaseUrl), "{base_url}");
    }
    // Without a seller, as bare base64 and in PKCS#8 it serves as well.
    let bare = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let other_forms = json!({
        "seller_id": null,
        "app_private_key": bare(&APP_KEY.to_pkcs8_pem().unwrap()),
        "alipay_public_key": bare(&ALIPAY_KEY.public_key().to_spki_pem().unwrap()),
    });
    assert_eq!(opened("https://openapi.alipay.com/gateway.do", with(credentials(), other_forms)), Ok(()));
}

#[test]
fn an_accounts_time_limits_take_the_place_of_alipays() {
    let own = open_at("http://127.0.0.1:9", TimingOverrides::default());
    let seconds = |duration: std::time::Duration| duration.as_secs();
    assert_eq!(seconds(own.capabilities().query_interval), 3);
    assert_eq!(seconds(own.capabilities().void_window), 24 * 3_600);
    let timing = TimingOverrides { query_interval_ms: Some(700), ..TimingOverrides::default() };
    let set = open_at("http://127.0.0.1:9", timing);
    assert_eq!(set.capabilities().query_interval.as_millis(), 700);
    assert_eq!(set.capabilities().confirm_patience, own.capabilities().confirm_patience);
}

fn told() -> BTreeMap<&'static str, String> {
    let fields = [
        ("notify_id", "2026112400222120000001"),
        ("notify_time", "2026-11-24 12:00:01"),
        ("notify_type", "trade_status_sync"),
        ("app_id", APP),
        ("seller_id", SELLER),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("out_trade_no", NUMBER),
        ("trade_no", "2026112422001"),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "12.34"),
        ("subject", "拿铁 & cookie = 100% +"),
        ("buyer_logon_id", "lin***@example.com"),
        ("gmt_payment", "2026-11-24 12:00:00"),
        ("fund_bill_list", r#"[{"amount":"12.34","fundChannel":"ALIPAYACCOUNT"}]"#),
    ];
    fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// As Alipay signs and posts it.
fn posted(fields: &BTreeMap<&'static str, String>) -> RawNotification {
    let content: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = ALIPAY_KEY.sign_base64(content.join("&").as_bytes()).unwrap();
    let mut all: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend([("sign_type", "RSA2"), ("sign", sign.as_str())]);
    RawNotification { headers: Vec::new(), body: to_form(all) }
}

fn changed(changes: &[(&'static str, &str)]) -> RawNotification {
    let mut fields = told();
    for (name, value) in changes {
        fields.insert(name, (*value).to_owned());
    }
    posted(&fields)
}

fn reader() -> Arc<dyn Channel> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| open_at("http://127.0.0.1:9", TimingOverrides::default()));
    READER.clone()
}

#[test]
fn a_notification_counts_only_signed_and_for_this_merchant() {
    let read = |raw: &RawNotification| reader().read_notification(raw, now());
    let notification = read(&posted(&told())).unwrap();
    assert_eq!(notification.id, "2026112400222120000001");
    assert_eq!(notification.out_trade_no.as_str(), NUMBER);
    let Told::Trade(QueryOutcome::Paid(paid)) = notification.told else { panic!("not paid") };
    assert_eq!((paid.amount.minor, paid.paid_at), (FEN, 1_795_492_800_000));

    // A repeat of yesterday's is as good: the signature and the books decide.
    assert!(read(&changed(&[("notify_time", "2026-11-23 12:00:00")])).is_ok());
    // Empty values, whether Alipay counted them or not.
    assert!(read(&changed(&[("body", "")])).is_ok());
    let mut uncounted = posted(&told());
    uncounted.body.extend_from_slice(b"&body=");
    assert!(read(&uncounted).is_ok());

    for (changes, error) in [
        (&[("app_id", "2021000000000000")], NotificationError::OtherMerchant),
        (&[("seller_id", "2088000000000000")], NotificationError::OtherMerchant),
    ] {
        assert_eq!(read(&changed(changes)), Err(error));
    }
    for changes in [("notify_id", ""), ("out_trade_no", "not-ours"), ("out_trade_no", "")] {
        assert!(matches!(read(&changed(&[changes])), Err(NotificationError::Unreadable(_))), "{changes:?}");
    }
    let closed = changed(&[("trade_status", "TRADE_CLOSED"), ("gmt_payment", "")]);
    assert_eq!(read(&closed).unwrap().told, Told::Trade(QueryOutcome::Closed));
    let returned = changed(&[("trade_status", "TRADE_CLOSED"), ("refund_fee", "12.34")]);
    assert_eq!(read(&returned).unwrap().told, Told::Trade(QueryOutcome::Returned));

    let good = String::from_utf8(posted(&told()).body).unwrap();
    for (from, to) in [
        ("12%2E34", "12%2E33"),
        ("TRADE_SUCCESS", "TRADE_CLOSED"),
        ("&sign=", "&sigh="),
        ("sign_type=RSA2", "sign_type=RSA2&extra=1"),
        ("sign_type=RSA2", "sign_type=RSA"),
        ("sign_type=RSA2&", ""),
        (NUMBER, "20261124OTHER001"),
    ] {
        let body = good.replace(from, to);
        assert_ne!(body, good, "{from}");
        let raw = RawNotification { headers: Vec::new(), body: body.into_bytes() };
        assert_eq!(read(&raw), Err(NotificationError::BadSignature), "{from}");
    }
}

#[test]
fn alipay_is_answered_with_the_words_it_waits_for() {
    let yes = reader().acknowledge(true);
    assert_eq!((yes.status, yes.body.as_str()), (200, "success"));
    assert!(yes.content_type.starts_with("text/plain"));
    assert_eq!(reader().acknowledge(false).body, "fail");
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_notification(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let raw = RawNotification { headers: Vec::new(), body };
        prop_assert!(reader().read_notification(&raw, 0).is_err());
    }

    #[test]
    fn no_changed_byte_is_believed(at in 0_usize..1_200, to in any::<u8>()) {
        static GOOD: LazyLock<RawNotification> = LazyLock::new(|| posted(&told()));
        let mut raw = GOOD.clone();
        let at = at % raw.body.len();
        raw.body[at] = to;
        // Some bytes do not matter (the case of a hex digit): what is believed is then the same.
        if let Ok(read) = reader().read_notification(&raw, 0) {
            prop_assert_eq!(read, reader().read_notification(&GOOD, 0).unwrap());
        }
    }

    #[test]
    fn every_amount_survives_the_wire(fen in 1_i64..=10_000_000_000) {
        let yuan = format!("{}.{:02}", fen / 100, fen % 100);
        let read = reader().read_notification(&changed(&[("total_amount", &yuan)]), 0).unwrap();
        let Told::Trade(QueryOutcome::Paid(paid)) = read.told else { panic!("not paid") };
        prop_assert_eq!(paid.amount, Money::new(fen, Currency::CNY));
        prop_assert_eq!(paid.amount.to_decimal(), yuan);
    }
}
