//! The WeChat Pay channel against a platform played by hand: what it sends, what it believes, and what it makes of it.

mod channel_support;

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channel_support::*;
use proptest::prelude::*;
use scantill::channel::{
    AccountError, Channel, CodeOutcome, NotificationError, PayOutcome, QueryOutcome, RawNotification, RefundOutcome,
    TimingOverrides, Told, VoidOutcome,
};
use scantill::crypto::{RsaPrivateKey, seal_aes256_gcm};
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, FailureReason, Way};
use serde_json::{Value, json};

const APPID: &str = "wxd678efh567hg6787";
const MCHID: &str = "1900000001";
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const PLATFORM_ID: &str = "PUB_KEY_ID_0119000000012026010100000000000001";
const CODE: &str = "134567890123456789";

static MERCHANT: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
static PLATFORM: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

/// A certificate over the platform's key, and its serial number.
static CERTIFICATE: LazyLock<(String, String)> = LazyLock::new(|| {
    let pem = PLATFORM.to_pkcs8_pem().unwrap();
    let key = rcgen::KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let serial = [0x8a; 20];
    parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    (parameters.self_signed(&key).unwrap().pem(), hex::encode_upper(serial))
});

fn credentials() -> Value {
    json!({
        "appid": APPID, "mchid": MCHID,
        "merchant_private_key": MERCHANT.to_pkcs8_pem().unwrap().as_str(),
        "merchant_serial": SERIAL, "api_v3_key": API_V3_KEY,
        "platform_public_key_id": PLATFORM_ID,
        "platform_public_key": PLATFORM.public_key().to_spki_pem().unwrap(),
    })
}

fn with_certificate() -> Value {
    with(
        credentials(),
        json!({
            "platform_public_key_id": null, "platform_public_key": null, "platform_certificate": CERTIFICATE.0,
        }),
    )
}

fn open_with(base_url: &str, credentials: &Value, timing: TimingOverrides) -> Result<Arc<dyn Channel>, AccountError> {
    scantill::channel::open(&account(ChannelId::WECHATPAY, base_url, credentials, timing))
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        Self::begin_with(&credentials()).await
    }

    async fn begin_with(credentials: &Value) -> Self {
        let gateway = Gateway::open().await;
        let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
        let channel = open_with(&gateway.base_url, credentials, timing).unwrap();
        Self { gateway, channel }
    }

    /// From now on every call is answered with this, signed.
    fn answers(&self, status: u16, body: &Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.gateway.does(move |_| signed(status, &body, PLATFORM_ID, 0));
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

    async fn close(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::MerchantPresented)).await
    }

    async fn reverse(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::ConsumerPresented)).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }
}

/// The headers that sign a body, with the provider's clock `ahead` seconds before ours.
fn signature(body: &[u8], serial: &str, ahead: i64) -> Vec<(String, String)> {
    let timestamp = (now() / 1_000 + ahead).to_string();
    let mut message = format!("{timestamp}\nc5ac7061fccab6bf3e254dcf98995b8c\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let headers = [
        ("wechatpay-timestamp", timestamp),
        ("wechatpay-nonce", "c5ac7061fccab6bf3e254dcf98995b8c".into()),
        ("wechatpay-serial", serial.to_owned()),
        ("wechatpay-signature", PLATFORM.sign_base64(&message).unwrap()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".into()),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn signed(status: u16, body: &str, serial: &str, ahead: i64) -> Does {
    Does::Answer { status, headers: signature(body.as_bytes(), serial, ahead), body: body.into() }
}

fn transaction(state: &str) -> Value {
    json!({
        "appid": APPID, "mchid": MCHID, "out_trade_no": NUMBER, "transaction_id": "4200002026", "trade_type": "MICROPAY",
        "trade_state": state, "trade_state_desc": "说明", "success_time": "2026-11-24T12:00:00+08:00",
        "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
        "amount": { "total": FEN, "payer_total": 1_000, "currency": "CNY", "payer_currency": "CNY" },
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

fn error(code: &str) -> Value {
    json!({ "code": code, "message": "不行" })
}

/// Checks a request as the platform would, by the documents and not by the channel's code.
fn admitted(seen: &Seen, method: &str, path: &str) {
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

    story.channel.query_refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await;
    admitted(&story.gateway.only(), "GET", &format!("/v3/refund/domestic/refunds/{REFUND}"));
}

#[tokio::test]
async fn long_names_are_cut_to_what_the_platform_takes() {
    let story = Story::begin().await;
    story.answers(200, &transaction("SUCCESS"));
    let details = scantill::channel::TradeDetails {
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
        ("REFUND", QueryOutcome::Returned),
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
    story.answers(403, &error("NOT_ENOUGH"));
    let RefundOutcome::Failed(failure) = story.refund().await else { panic!("not refused") };
    assert_eq!(failure.reason, FailureReason::MerchantAccount);
    story.answers(500, &error("SYSTEM_ERROR"));
    assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
}

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

#[test]
fn an_account_that_cannot_serve_names_the_field_and_never_its_value() {
    let cases = [
        (json!({ "appid": null }), "appid"),
        (json!({ "mchid": null }), "mchid"),
        (json!({ "mchid": "SECRET\"\r\n" }), "mchid"),
        (json!({ "merchant_serial": null }), "merchant_serial"),
        (json!({ "merchant_private_key": "SECRET" }), "merchant_private_key"),
        (json!({ "merchant_private_key": null }), "merchant_private_key"),
        (json!({ "api_v3_key": null }), "api_v3_key"),
        (json!({ "api_v3_key": "SECRET" }), "api_v3_key"),
        (json!({ "platform_public_key": "SECRET" }), "platform_public_key"),
        (json!({ "platform_public_key": null, "platform_public_key_id": null }), "platform_public_key"),
        (json!({ "platform_public_key_id": null }), "platform_public_key_id"),
        (json!({ "platform_certificate": "SECRET" }), "platform_certificate"),
        (json!({ "platform_certificate": PLATFORM.public_key().to_spki_pem().unwrap() }), "platform_certificate"),
    ];
    for (changes, name) in cases {
        let account = with(credentials(), changes.clone());
        let Err(error) = open_with("http://127.0.0.1:9", &account, TimingOverrides::default()) else {
            panic!("{changes}")
        };
        assert!(matches!(&error, AccountError::Credential { field, .. } if *field == name), "{changes}: {error}");
        let words = format!("{error} {error:?}");
        assert!(words.contains(name) && !words.contains("SECRET"), "{words}");
    }
    let unknown = account("unheard_of".parse().unwrap(), "http://127.0.0.1:9", &json!({}), TimingOverrides::default());
    assert!(matches!(scantill::channel::open(&unknown), Err(AccountError::UnknownChannel(_))));
}

fn sealed(content: &Value) -> Value {
    let (nonce, associated) = ("fdasflkja484", "transaction");
    let plain = content.to_string();
    let sealed =
        seal_aes256_gcm(API_V3_KEY.as_bytes(), nonce.as_bytes(), associated.as_bytes(), plain.as_bytes()).unwrap();
    json!({
        "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(sealed),
        "associated_data": associated, "nonce": nonce,
    })
}

fn envelope(event: &str, content: &Value) -> Value {
    json!({
        "id": "EV-2026112412000000001", "create_time": "2026-11-24T12:00:01+08:00", "resource_type": "encrypt-resource",
        "event_type": event, "summary": "支付成功", "resource": sealed(content),
    })
}

fn posted(body: &Value, serial: &str, ahead: i64) -> RawNotification {
    let body = body.to_string().into_bytes();
    RawNotification { headers: signature(&body, serial, ahead), body }
}

fn reader() -> Arc<dyn Channel> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| open_with("http://127.0.0.1:9", &credentials(), TimingOverrides::default()).unwrap());
    READER.clone()
}

#[test]
fn a_notification_counts_only_signed_fresh_and_for_this_merchant() {
    let read = |raw: &RawNotification| reader().read_notification(raw, now());
    let of = |content: Value| posted(&envelope("TRANSACTION.SUCCESS", &content), PLATFORM_ID, 0);
    let notification = read(&of(transaction("SUCCESS"))).unwrap();
    assert_eq!(notification.id, "EV-2026112412000000001");
    assert_eq!(notification.out_trade_no.as_str(), NUMBER);
    assert!(matches!(notification.told, Told::Trade(QueryOutcome::Paid(paid)) if paid.amount.minor == FEN));

    let good = envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS"));
    for (serial, ahead, refusal) in [
        (PLATFORM_ID, -300, NotificationError::Stale),
        (PLATFORM_ID, 305, NotificationError::Stale),
        (CERTIFICATE.1.as_str(), 0, NotificationError::BadSignature),
    ] {
        assert_eq!(read(&posted(&good, serial, ahead)), Err(refusal), "{serial} {ahead}");
    }
    for (index, value) in [(0, "1"), (1, "other"), (3, "AAAA"), (3, "WECHATPAY/SIGNTEST/AAAA"), (3, "")] {
        let mut raw = posted(&good, PLATFORM_ID, 0);
        raw.headers[index].1 = value.into();
        assert_eq!(read(&raw), Err(NotificationError::BadSignature), "{value}");
    }
    let mut raw = posted(&good, PLATFORM_ID, 0);
    raw.headers.clear();
    assert_eq!(read(&raw), Err(NotificationError::BadSignature));

    for other in [json!({ "mchid": "1900000002" }), json!({ "mchid": null }), json!({ "appid": "wx1" })] {
        assert_eq!(read(&of(with(transaction("SUCCESS"), other))), Err(NotificationError::OtherMerchant));
    }
    let resealed = |name: &str, value: Value| {
        let mut body = good.clone();
        body["resource"][name] = value;
        posted(&body, PLATFORM_ID, 0)
    };
    for raw in [
        resealed("ciphertext", json!("AAAA")),
        resealed("ciphertext", json!("no base64!")),
        resealed("nonce", json!("fdasflkja485")),
        resealed("nonce", json!("")),
        resealed("associated_data", json!("")),
        resealed("algorithm", json!("AEAD_AES_128_GCM")),
        posted(&json!({ "id": "1" }), PLATFORM_ID, 0),
        posted(&with(good.clone(), json!({ "id": "" })), PLATFORM_ID, 0),
        of(with(transaction("SUCCESS"), json!({ "out_trade_no": "not-ours" }))),
        posted(&envelope("PAYSCORE.USER_PAID", &transaction("SUCCESS")), PLATFORM_ID, 0),
    ] {
        assert!(matches!(read(&raw), Err(NotificationError::Unreadable(_))), "{raw:?}");
    }
}

#[test]
fn a_notification_of_a_whole_refund_says_returned() {
    let refund = |fen: i64| {
        json!({
            "mchid": MCHID, "out_trade_no": NUMBER, "out_refund_no": REFUND, "refund_status": "SUCCESS",
            "amount": { "total": FEN, "refund": fen, "payer_total": FEN, "payer_refund": fen },
        })
    };
    let read =
        |event: &str, fen| reader().read_notification(&posted(&envelope(event, &refund(fen)), PLATFORM_ID, 0), now());
    assert_eq!(read("REFUND.SUCCESS", FEN).unwrap().told, Told::Trade(QueryOutcome::Returned));
    for (event, fen) in [("REFUND.SUCCESS", 1), ("REFUND.ABNORMAL", FEN), ("REFUND.CLOSED", FEN)] {
        assert!(matches!(read(event, fen), Err(NotificationError::Unreadable(_))), "{event}");
    }
}

#[test]
fn wechat_pay_is_answered_as_it_documents() {
    let yes = reader().acknowledge(true);
    assert!(matches!(yes.status, 200 | 204));
    assert_eq!(yes.body, "");
    let no = reader().acknowledge(false);
    assert!((400..600).contains(&no.status));
    let body: Value = serde_json::from_str(&no.body).unwrap();
    assert_eq!(body["code"], "FAIL");
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_notification(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let unsigned = RawNotification { headers: Vec::new(), body: body.clone() };
        prop_assert_eq!(reader().read_notification(&unsigned, 0), Err(NotificationError::BadSignature));
        let signed = RawNotification { headers: signature(&body, PLATFORM_ID, 0), body };
        prop_assert!(reader().read_notification(&signed, now()).is_err());
    }

    #[test]
    fn no_changed_byte_is_believed(at in 0_usize..1_200, to in any::<u8>()) {
        static GOOD: LazyLock<RawNotification> =
            LazyLock::new(|| posted(&envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS")), PLATFORM_ID, 0));
        let mut raw = GOOD.clone();
        let at = at % raw.body.len();
        raw.body[at] = to;
        let read = reader().read_notification(&raw, now());
        prop_assert!(raw.body == GOOD.body || read == Err(NotificationError::BadSignature));
    }

    #[test]
    fn whatever_the_platform_seals_is_read_without_panic(plain in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sealed = seal_aes256_gcm(API_V3_KEY.as_bytes(), b"fdasflkja484", b"", &plain).unwrap();
        let mut body = envelope("TRANSACTION.SUCCESS", &json!({}));
        body["resource"]["ciphertext"] = json!(STANDARD.encode(sealed));
        body["resource"]["associated_data"] = Value::Null;
        prop_assert!(reader().read_notification(&posted(&body, PLATFORM_ID, 0), now()).is_err());
    }
}
