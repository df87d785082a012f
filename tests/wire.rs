//! The providers' wire protocols: signatures against vectors that others made, answers that must not be believed, and
//! both providers' whole stories between our channels and the sandbox, which share no protocol code.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use proptest::prelude::*;
use scantill::channel::{
    self, Channel, CodeOutcome, MerchantAccount, NotificationError, PayOutcome, QueryOutcome, RawNotification,
    RefundOutcome, RefundRef, TimingOverrides, Told, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::{HmacSha256, RsaPrivateKey, RsaPublicKey, Secret, open_aes256_gcm, seal_aes256_gcm};
use scantill::money::{Currency, Money};
use scantill::payment::{FailureReason, Way};
use scantill::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

const KEY: &str = include_str!("data/wire/key.pem");
const PUBLIC: &str = include_str!("data/wire/key.pub.pem");

#[test]
fn signatures_are_those_that_openssl_makes() {
    let (key, public) = (RsaPrivateKey::from_pem(KEY).unwrap(), RsaPublicKey::from_pem(PUBLIC).unwrap());
    for (message, signature) in [
        (&include_bytes!("data/wire/alipay.txt")[..], include_str!("data/wire/alipay.sig")),
        (include_bytes!("data/wire/wechatpay.txt"), include_str!("data/wire/wechatpay.sig")),
    ] {
        assert_eq!(key.sign_base64(message).unwrap(), signature);
        assert_eq!(public.verify_base64(message, signature), Ok(()));
    }
}

#[test]
fn the_published_hmac_vector_holds() {
    // WeChat Pay APIv2's example of signing, HMAC-SHA256 form.
    let key = "192006250b4c09247ec02edce69f6a2d";
    let message = format!(
        "appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA&key={key}"
    );
    let code = HmacSha256::new(key.as_bytes()).sign(&[message.as_bytes()]);
    assert_eq!(hex::encode_upper(code), "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6");
}

#[test]
fn aead_is_nist_s() {
    // NIST GCM test case 16 (AES-256, 96-bit IV, associated data).
    let bytes = |text: &str| hex::decode(text).unwrap();
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let nonce = bytes("cafebabefacedbaddecaf888");
    let associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let plain = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    let sealed = seal_aes256_gcm(&key, &nonce, &associated, &plain).unwrap();
    let expected = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
                    76fc6ece0f4e1768cddf8853bb2d551b";
    assert_eq!(hex::encode(&sealed), expected);
    assert_eq!(open_aes256_gcm(&key, &nonce, &associated, &sealed).unwrap(), plain);
}

fn account(channel: &str, base_url: &str, credentials: String, timeout_ms: u64) -> MerchantAccount {
    MerchantAccount {
        id: channel.parse().unwrap(),
        channel: channel.parse().unwrap(),
        name: channel.into(),
        base_url: base_url.into(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides { request_timeout_ms: Some(timeout_ms), ..TimingOverrides::default() },
        stores: Vec::new(),
        algorithms: scantill::crypto::AlgorithmPolicy::default(),
        retiring: None,
        credentials: Secret::new(credentials),
    }
}

fn trade(number: &str, way: Way) -> TradeRef {
    TradeRef {
        out_trade_no: number.parse().unwrap(),
        amount: Money::new(1_234, Currency::CNY),
        way,
        started_at: now(),
        provider_trade_no: None,
        paid_at: None,
    }
}

fn refund(trade: &TradeRef) -> RefundRef {
    RefundRef {
        out_refund_no: "REFUND1".into(),
        amount: trade.amount,
        reason: None,
        started_at: now(),
        notify_url: None,
    }
}

fn details(notify_url: Option<String>) -> TradeDetails {
    TradeDetails {
        description: "茶 & cake = 12.34".into(),
        store: "store-1".into(),
        till: "till-1".into(),
        operator: None,
        expires_at: now() + 120_000,
        notify_url,
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

async fn post(url: String, body: Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

/// Both ways, all calls, both providers, against the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_s_day_at_the_sandbox() {
    for (name, wallet, poor) in [("alipay", "alipay-1", "alipay-2"), ("wechatpay", "wechatpay-1", "wechatpay-2")] {
        let listen = "127.0.0.1:0".parse().unwrap();
        let sandbox = Sandbox::start(SandboxConfig { listen, seed: 3, ..SandboxConfig::default() }).await.unwrap();
        let url = sandbox.base_url().to_owned();
        let account = account(name, &url, sandbox.credentials().account_json(name), 3_000);
        let channel = channel::open(&account).unwrap();
        let code = async |wallet: &str| {
            let code = post(format!("{url}/sandbox/wallets/{wallet}/code"), json!({})).await;
            code["auth_code"].as_str().unwrap().to_owned()
        };

        // The customer's code.
        let scanned = trade("SCAN0000001", Way::ConsumerPresented);
        assert_eq!(channel.query(&scanned).await, QueryOutcome::NotFound);
        let fresh = code(wallet).await;
        let PayOutcome::Paid(paid) = channel.pay(&scanned, &details(None), &fresh).await else {
            panic!("{name}: not paid")
        };
        assert_eq!(paid.amount, scanned.amount);
        assert!((paid.paid_at - now()).abs() < 5_000, "the provider's clock is read right");
        assert!(matches!(channel.query(&scanned).await, QueryOutcome::Paid(again) if again == paid));
        let used = channel.pay(&trade("SCAN0000002", Way::ConsumerPresented), &details(None), &fresh).await;
        assert!(
            matches!(&used, PayOutcome::Failed(failure) if failure.reason == FailureReason::CodeExpired),
            "{used:?}"
        );
        let empty = channel.pay(&trade("SCAN0000003", Way::ConsumerPresented), &details(None), &code(poor).await).await;
        assert!(
            matches!(&empty, PayOutcome::Failed(failure) if failure.reason == FailureReason::InsufficientFunds),
            "{empty:?}"
        );
        assert_eq!(channel.refund(&scanned, &refund(&scanned)).await, RefundOutcome::Done);
        assert_eq!(channel.refund(&scanned, &refund(&scanned)).await, RefundOutcome::Done, "once, however often");
        assert_eq!(channel.query_refund(&scanned, &refund(&scanned)).await, RefundOutcome::Done);
        let returned = channel.query(&scanned).await;
        match name {
            // One word for a part and for the whole.
            "wechatpay" => assert_eq!(returned, QueryOutcome::SomeReturned(paid)),
            _ => assert_eq!(returned, QueryOutcome::Returned),
        }

        // Over the threshold the customer has to confirm, and does not.
        let mut large = trade("SCAN0000004", Way::ConsumerPresented);
        large.amount = Money::new(200_000, Currency::CNY);
        assert_eq!(channel.pay(&large, &details(None), &code(wallet).await).await, PayOutcome::CustomerConfirming);
        assert_eq!(channel.query(&large).await, QueryOutcome::CustomerConfirming);
        let voided = channel.void(&large).await;
        // WeChat Pay takes nothing back in the first 15 s.
        assert_eq!(voided, if name == "alipay" { VoidOutcome::Closed } else { VoidOutcome::NotYet });

        // The shown code.
        let shown = trade("SHOWN000001", Way::MerchantPresented);
        let CodeOutcome::Shown { code: payload } = channel.create_code(&shown, &details(None)).await else {
            panic!("no code")
        };
        let unseen = channel.query(&shown).await;
        assert!(matches!(unseen, QueryOutcome::NotFound | QueryOutcome::AwaitingCustomer), "{unseen:?}");
        post(format!("{url}/sandbox/wallets/{wallet}/scan"), json!({ "payload": payload, "confirm": true })).await;
        assert!(matches!(channel.query(&shown).await, QueryOutcome::Paid(_)));
        let late = channel.void(&shown).await;
        assert_eq!(late, if name == "alipay" { VoidOutcome::Returned } else { VoidOutcome::AlreadyPaid });
        let closed = trade("SHOWN000002", Way::MerchantPresented);
        let CodeOutcome::Shown { code: payload } = channel.create_code(&closed, &details(None)).await else {
            panic!("no code")
        };
        assert_eq!(channel.void(&closed).await, VoidOutcome::Closed);
        let refused =
            post(format!("{url}/sandbox/wallets/{wallet}/scan"), json!({ "payload": payload, "confirm": true })).await;
        assert_eq!(refused["status"], 409, "a closed order cannot be paid: {refused}");
        sandbox.stop().await;
    }
}

/// UnionPay takes a payment first and settles it behind: what came of it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_bank_cards_at_the_sandbox() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let sandbox = Sandbox::start(SandboxConfig { listen, seed: 3, ..SandboxConfig::default() }).await.unwrap();
    let url = sandbox.base_url().to_owned();
    let account = account("unionpay", &url, sandbox.credentials().account_json("unionpay"), 3_000);
    let channel = channel::open(&account).unwrap();
    let code = async || {
        let code = post(format!("{url}/sandbox/wallets/unionpay-1/code"), json!({})).await;
        code["auth_code"].as_str().unwrap().to_owned()
    };
    let paid = async |trade: &TradeRef| loop {
        match channel.query(trade).await {
            QueryOutcome::Paid(paid) => break paid,
            QueryOutcome::CustomerConfirming | QueryOutcome::AwaitingCustomer | QueryOutcome::Unknown(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            other => panic!("{other:?}"),
        }
    };
    let taken_back = async |trade: &TradeRef| loop {
        match channel.void(trade).await {
            VoidOutcome::Returned => break,
            VoidOutcome::Unknown(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            other => panic!("{other:?}"),
        }
    };

    // The customer's code, and the money back in two ways: the void of the same day, and a refund in part.
    let mut scanned = trade("CARD0000001", Way::ConsumerPresented);
    assert_eq!(channel.query(&scanned).await, QueryOutcome::NotFound);
    let submitted = channel.pay(&scanned, &details(None), &code().await).await;
    assert!(!matches!(submitted, PayOutcome::Failed(_)), "{submitted:?}");
    let first = paid(&scanned).await;
    assert_eq!(first.amount, scanned.amount);
    assert!((first.paid_at - now()).abs() < 5_000, "the provider's clock is read right");
    taken_back(&scanned).await;
    assert_eq!(channel.query(&scanned).await, QueryOutcome::Returned);

    scanned = trade("CARD0000002", Way::ConsumerPresented);
    let spent = code().await;
    assert!(!matches!(channel.pay(&scanned, &details(None), &spent).await, PayOutcome::Failed(_)));
    let second = paid(&scanned).await;
    (scanned.provider_trade_no, scanned.paid_at) = (Some(second.provider_trade_no), Some(second.paid_at));
    let part =
        RefundRef { out_refund_no: "REFUND000001".into(), amount: Money::new(234, Currency::CNY), ..refund(&scanned) };
    let mut returned = channel.refund(&scanned, &part).await;
    while !matches!(returned, RefundOutcome::Done) {
        assert!(!matches!(returned, RefundOutcome::Failed(_)), "{returned:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        returned = channel.query_refund(&scanned, &part).await;
    }
    let used = trade("CARD0000003", Way::ConsumerPresented);
    if !matches!(channel.pay(&used, &details(None), &spent).await, PayOutcome::Failed(_)) {
        // Taken at first, and refused behind.
        while channel.query(&used).await == QueryOutcome::CustomerConfirming {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let refused = channel.query(&used).await;
        assert!(matches!(refused, QueryOutcome::Failed(_)), "{refused:?}");
    }

    // The shown code cannot be closed, only run out; paid, its money goes back.
    let shown = trade("CARD0000004", Way::MerchantPresented);
    let CodeOutcome::Shown { code: payload } = channel.create_code(&shown, &details(None)).await else {
        panic!("no code")
    };
    assert_eq!(channel.void(&shown).await, VoidOutcome::NotYet);
    assert!(matches!(channel.query(&shown).await, QueryOutcome::AwaitingCustomer | QueryOutcome::NotFound));
    post(format!("{url}/sandbox/wallets/unionpay-1/scan"), json!({ "payload": payload, "confirm": true })).await;
    assert_eq!(paid(&shown).await.amount, shown.amount);
    taken_back(&shown).await;
    let trades: Value = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("{url}/sandbox/trades"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let left: i64 = trades
        .as_array()
        .unwrap()
        .iter()
        .filter(|trade| !trade["paid_at"].is_null())
        .map(|trade| trade["amount"].as_i64().unwrap() - trade["refunded"].as_i64().unwrap())
        .sum();
    assert_eq!(left, 1_000, "{trades}");
    sandbox.stop().await;
}

/// Keeps what was posted to it.
async fn inbox() -> (String, Arc<Mutex<Vec<RawNotification>>>) {
    let kept: Arc<Mutex<Vec<RawNotification>>> = Arc::default();
    let keep = kept.clone();
    let take = move |headers: HeaderMap, body: Bytes| async move {
        let headers =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let mut kept = keep.lock().unwrap();
        kept.push(RawNotification { headers, body: body.to_vec() });
        // The first delivery is not acknowledged, so that it is repeated.
        if kept.len() == 1 { (StatusCode::INTERNAL_SERVER_ERROR, "busy") } else { (StatusCode::OK, "success") }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
    (url, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_signed_repeated_and_believed_only_as_they_came() {
    for (name, wallet) in [("alipay", "alipay-1"), ("wechatpay", "wechatpay-1")] {
        let listen = "127.0.0.1:0".parse().unwrap();
        let sandbox = Sandbox::start(SandboxConfig { listen, seed: 3, ..SandboxConfig::default() }).await.unwrap();
        let url = sandbox.base_url().to_owned();
        let credentials = sandbox.credentials().account_json(name);
        let channel = channel::open(&account(name, &url, credentials.clone(), 3_000)).unwrap();
        let (notify_url, kept) = inbox().await;
        let shown = trade("NOTIFY000001", Way::MerchantPresented);
        let CodeOutcome::Shown { code } = channel.create_code(&shown, &details(Some(notify_url))).await else {
            panic!("no code")
        };
        post(format!("{url}/sandbox/wallets/{wallet}/scan"), json!({ "payload": code, "confirm": true })).await;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while kept.lock().unwrap().len() < 2 {
            assert!(std::time::Instant::now() < deadline, "never repeated");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let raw = kept.lock().unwrap()[1].clone();
        let told = channel.read_notification(&raw, now()).unwrap();
        assert_eq!(told.out_trade_no, shown.out_trade_no);
        assert!(matches!(&told.told, Told::Trade(QueryOutcome::Paid(paid)) if paid.amount == shown.amount));
        let first = channel.read_notification(&kept.lock().unwrap()[0], now()).unwrap();
        assert_eq!(first.id, told.id, "a repeat is the same notification");

        for place in (0..raw.body.len()).step_by(7) {
            let mut changed = raw.clone();
            changed.body[place] ^= 1;
            assert!(channel.read_notification(&changed, now()).is_err(), "{name}: byte {place}");
        }
        let mut bare = raw.clone();
        bare.headers.clear();
        if name == "wechatpay" {
            assert_eq!(channel.read_notification(&bare, now()), Err(NotificationError::BadSignature));
            assert_eq!(channel.read_notification(&raw, now() + 301_000), Err(NotificationError::Stale));
            let mut probe = raw.clone();
            for header in probe.headers.iter_mut().filter(|(name, _)| name == "wechatpay-signature") {
                header.1 = format!("WECHATPAY/SIGNTEST/{}", header.1);
            }
            assert_eq!(channel.read_notification(&probe, now()), Err(NotificationError::BadSignature));
        }
        let field = if name == "alipay" { "app_id" } else { "mchid" };
        let mut other: Value = serde_json::from_str(&credentials).unwrap();
        other[field] = json!("1234567890");
        let stranger = channel::open(&account(name, &url, other.to_string(), 3_000)).unwrap();
        assert_eq!(stranger.read_notification(&raw, now()), Err(NotificationError::OtherMerchant));
        sandbox.stop().await;
    }
}

/// A gateway that answers what it is told, whatever it is asked.
#[derive(Clone)]
enum Say {
    Body(StatusCode, Vec<(&'static str, String)>, String),
    Cut(String),
    Nothing,
}

async fn gateway(say: Say) -> String {
    async fn answer(State(say): State<Say>, _: Method, _: Uri) -> Response {
        match say {
            Say::Body(status, headers, body) => {
                let mut response = (status, body).into_response();
                for (name, value) in headers {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                response
            }
            Say::Cut(head) => {
                let parts = [Ok(head), Err(std::io::Error::other("cut"))];
                Response::new(axum::body::Body::from_stream(futures::stream::iter(parts)))
            }
            Say::Nothing => {
                tokio::time::sleep(std::time::Duration::from_secs(30)).await;
                StatusCode::OK.into_response()
            }
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(say);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn alipay_at(url: &str) -> Arc<dyn Channel> {
    let credentials = json!({ "app_id": "2021000000000001", "app_private_key": KEY, "alipay_public_key": PUBLIC });
    channel::open(&account("alipay", url, credentials.to_string(), 400)).unwrap()
}

fn wechatpay_at(url: &str) -> Arc<dyn Channel> {
    let credentials = json!({
        "appid": "wx1", "mchid": "19", "merchant_private_key": KEY, "merchant_serial": "AA",
        "api_v3_key": "0123456789abcdef0123456789abcdef", "platform_public_key_id": "PUB_KEY_ID_1", "platform_public_key": PUBLIC,
    });
    channel::open(&account("wechatpay", url, credentials.to_string(), 400)).unwrap()
}

/// An Alipay answer to `alipay.trade.pay`, signed by the test's own hand.
fn alipay_says(response: &str) -> String {
    let sign = RsaPrivateKey::from_pem(KEY).unwrap().sign_base64(response.as_bytes()).unwrap();
    format!("{{\"alipay_trade_pay_response\":{response},\"sign\":\"{sign}\"}}")
}

fn wechatpay_says(status: u16, body: &str, seconds: i64, serial: &str) -> Say {
    let message = format!("{seconds}\nnonce\n{body}\n");
    let signature = RsaPrivateKey::from_pem(KEY).unwrap().sign_base64(message.as_bytes()).unwrap();
    let headers = vec![
        ("wechatpay-timestamp", seconds.to_string()),
        ("wechatpay-nonce", "nonce".into()),
        ("wechatpay-serial", serial.into()),
        ("wechatpay-signature", signature),
    ];
    Say::Body(StatusCode::from_u16(status).unwrap(), headers, body.into())
}

const PAID: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"NUMBER0001","trade_no":"T1","total_amount":"12.34","buyer_logon_id":"a}\"{*","gmt_payment":"2026-11-24 12:00:00"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn alipay_s_answers_mean_what_they_mean_and_only_if_signed() {
    let pay = async |say: Say| {
        let channel = alipay_at(&gateway(say).await);
        channel.pay(&trade("NUMBER0001", Way::ConsumerPresented), &details(None), "281234567890123456").await
    };
    let ok = |body: String| Say::Body(StatusCode::OK, Vec::new(), body);
    let refusal = |code: &str, sub: &str| format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub}","sub_msg":"s"}}"#);
    assert!(matches!(pay(ok(alipay_says(PAID))).await, PayOutcome::Paid(paid) if paid.amount.minor == 1_234));
    // Byte for byte: spaces within the value are signed too.
    let spaced = PAID.replace(":\"10000\"", " : \"10000\"");
    assert!(matches!(pay(ok(alipay_says(&spaced))).await, PayOutcome::Paid(_)));
    for unbelievable in [
        alipay_says(PAID).replace("12.34", "12.35"),
        format!("{{\"alipay_trade_pay_response\":{PAID}}}"),
        format!("{{\"alipay_trade_pay_response\":{PAID},\"sign\":\"\"}}"),
        alipay_says(&PAID.replace("NUMBER0001", "NUMBER0002")),
        alipay_says(PAID).replace("alipay_trade_pay_response", "alipay_trade_query_response"),
        alipay_says(PAID)[..60].to_owned(),
        "<html>".into(),
        String::new(),
    ] {
        assert!(matches!(pay(ok(unbelievable.clone())).await, PayOutcome::Unknown(_)), "{unbelievable}");
    }
    for (code, sub, reason) in [
        ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", Some(FailureReason::CodeExpired)),
        ("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH", Some(FailureReason::InsufficientFunds)),
        ("40004", "ACQ.TOTAL_FEE_EXCEED", Some(FailureReason::LimitExceeded)),
        ("40004", "ACQ.BUYER_SELLER_EQUAL", Some(FailureReason::CustomerAccount)),
        ("40004", "ACQ.SYSTEM_ERROR", None),
        ("40004", "aop.ACQ.SYSTEM_ERROR", None),
        ("40004", "ACQ.TRADE_HAS_SUCCESS", None),
        ("20000", "isp.unknow-error", None),
    ] {
        match (pay(ok(alipay_says(&refusal(code, sub)))).await, reason) {
            (PayOutcome::Failed(failure), Some(reason)) => {
                assert_eq!((failure.reason, failure.provider_code.as_str()), (reason, sub));
            }
            (PayOutcome::Unknown(_), None) => {}
            (other, _) => panic!("{sub}: {other:?}"),
        }
    }
    assert_eq!(
        pay(ok(alipay_says(r#"{"code":"10003","msg":"m","out_trade_no":"NUMBER0001"}"#))).await,
        PayOutcome::CustomerConfirming
    );
    let stranger = format!(r#"{{"error_response":{}}}"#, refusal("40002", "isv.invalid-app-id"));
    assert!(matches!(pay(ok(stranger)).await, PayOutcome::Failed(f) if f.reason == FailureReason::MerchantAccount));
    assert!(matches!(pay(Say::Cut(alipay_says(PAID)[..40].into())).await, PayOutcome::Unknown(_)));
    assert!(matches!(pay(Say::Nothing).await, PayOutcome::Unknown(_)));
    assert!(matches!(
        pay(Say::Body(StatusCode::BAD_GATEWAY, Vec::new(), alipay_says(PAID))).await,
        PayOutcome::Unknown(_)
    ));
    // Nobody listens: nothing was sent.
    let nobody = alipay_at("http://127.0.0.1:1");
    let refused = nobody.pay(&trade("NUMBER0001", Way::ConsumerPresented), &details(None), "281234567890123456").await;
    assert!(matches!(refused, PayOutcome::Failed(f) if f.reason == FailureReason::ProviderUnreachable));
}

#[tokio::test(flavor = "multi_thread")]
async fn wechat_pay_s_answers_mean_what_they_mean_and_only_if_signed() {
    let pay = async |say: Say| {
        let channel = wechatpay_at(&gateway(say).await);
        channel.pay(&trade("NUMBER0001", Way::ConsumerPresented), &details(None), "131234567890123456").await
    };
    let seconds = now() / 1_000;
    let body = r#"{"out_trade_no":"NUMBER0001","transaction_id":"T1","trade_state":"SUCCESS","success_time":"2026-11-24T12:00:00+08:00","amount":{"total":1234,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}"#;
    let good = |body: &str| wechatpay_says(200, body, seconds, "PUB_KEY_ID_1");
    let PayOutcome::Paid(paid) = pay(good(body)).await else { panic!("not paid") };
    assert_eq!((paid.amount.minor, paid.payer.as_deref()), (1_234, Some("oUpF***eS6o")));
    for unbelievable in [
        wechatpay_says(200, body, seconds, "ANOTHER"),
        wechatpay_says(200, body, seconds - 302, "PUB_KEY_ID_1"),
        wechatpay_says(200, body, seconds + 302, "PUB_KEY_ID_1"),
        good(&body.replace("NUMBER0001", "NUMBER0002")),
        Say::Body(StatusCode::OK, Vec::new(), body.into()),
        match good(body) {
            Say::Body(status, headers, body) => Say::Body(status, headers, body.replace("1234", "1235")),
            other => other,
        },
        wechatpay_says(500, r#"{"code":"SYSTEM_ERROR","message":"m"}"#, seconds, "PUB_KEY_ID_1"),
        wechatpay_says(429, r#"{"code":"FREQUENCY_LIMITED","message":"m"}"#, seconds, "PUB_KEY_ID_1"),
        Say::Cut(body[..30].into()),
        Say::Nothing,
    ] {
        let outcome = pay(unbelievable).await;
        assert!(matches!(outcome, PayOutcome::Unknown(_)), "{outcome:?}");
    }
    for (status, code, reason) in [
        (400, "AUTH_CODE_EXPIRE", FailureReason::CodeExpired),
        (400, "AUTH_CODE_INVALID", FailureReason::CodeInvalid),
        (403, "NOT_ENOUGH", FailureReason::InsufficientFunds),
        (400, "PARAM_ERROR", FailureReason::RequestRefused),
    ] {
        let error = format!(r#"{{"code":"{code}","message":"m"}}"#);
        let outcome = pay(wechatpay_says(status, &error, seconds, "PUB_KEY_ID_1")).await;
        assert!(matches!(&outcome, PayOutcome::Failed(failure) if failure.reason == reason), "{code}: {outcome:?}");
    }
    let waiting = wechatpay_says(400, r#"{"code":"USERPAYING","message":"m"}"#, seconds, "PUB_KEY_ID_1");
    assert_eq!(pay(waiting).await, PayOutcome::CustomerConfirming);
    let stranger = Say::Body(StatusCode::UNAUTHORIZED, Vec::new(), r#"{"code":"SIGN_ERROR","message":"m"}"#.into());
    assert!(matches!(pay(stranger).await, PayOutcome::Failed(f) if f.reason == FailureReason::MerchantAccount));
    // 204 is signed over an empty body.
    let closed = wechatpay_at(&gateway(wechatpay_says(204, "", seconds, "PUB_KEY_ID_1")).await);
    assert_eq!(closed.void(&trade("NUMBER0001", Way::MerchantPresented)).await, VoidOutcome::Closed);
    let paid = wechatpay_says(400, r#"{"code":"ORDERPAID","message":"m"}"#, seconds, "PUB_KEY_ID_1");
    let paid = wechatpay_at(&gateway(paid).await);
    assert_eq!(paid.void(&trade("NUMBER0001", Way::MerchantPresented)).await, VoidOutcome::AlreadyPaid);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// No notification, whatever its bytes, is believed or makes a reader fall over.
    #[test]
    fn no_bytes_are_a_notification(body: Vec<u8>, text in "[ -~]{0,200}", signature in "[A-Za-z0-9+/=]{0,80}") {
        let headers = ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"];
        let values = [(now() / 1_000).to_string(), "n".into(), "PUB_KEY_ID_1".into(), signature.clone()];
        let headers: Vec<_> = headers.iter().map(|name| (*name).to_owned()).zip(values).collect();
        for channel in [alipay_at("http://127.0.0.1:1"), wechatpay_at("http://127.0.0.1:1")] {
            for body in [body.clone(), text.clone().into_bytes(), format!("sign={signature}&{text}").into_bytes()] {
                let told = channel.read_notification(&RawNotification { headers: headers.clone(), body }, now());
                prop_assert!(told.is_err(), "{:?}", told);
            }
        }
    }
}
