//! The other way: what our channels send, recorded on its way to the sandbox, before verifiers that others wrote.

use std::fs;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use scantill::channel::{
    self, BillKind, Channel, CodeOutcome, MerchantAccount, PayOutcome, QueryOutcome, RefundOutcome, RefundRef,
    TimingOverrides, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::{Algorithm, AlgorithmPolicy, Secret};
use scantill::money::{Currency, Money};
use scantill::payment::Way;
use serde_json::{Value, json};

use crate::clients::{self, Language};
use crate::support::Phones;
use crate::{Sandbox, support};

/// Passes requests on and keeps them as they came.
#[derive(Clone)]
struct Recorder {
    seen: Arc<Mutex<Vec<Value>>>,
    target: String,
    http: reqwest::Client,
}

impl Recorder {
    /// Listens; the address to send to.
    async fn start(target: &str) -> (Self, String) {
        let http = reqwest::Client::builder().no_proxy().timeout(support::PATIENCE).build().unwrap();
        let recorder = Self { seen: Arc::default(), target: target.to_owned(), http };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(record).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (recorder, address)
    }
}

async fn record(
    State(recorder): State<Recorder>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let named: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default()))).collect();
    recorder.seen.lock().unwrap().push(json!({
        "method": method.as_str(), "path": path, "headers": named, "body": String::from_utf8_lossy(&body),
    }));
    let mut request = recorder.http.request(method, format!("{}{path}", recorder.target)).body(body);
    for (name, value) in &headers {
        if !matches!(name.as_str(), "host" | "content-length" | "connection") {
            request = request.header(name, value);
        }
    }
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = (status, answer.bytes().await.unwrap_or_default()).into_response();
    for (name, value) in
        headers.iter().filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding"))
    {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// The credentials of an account, from what the sandbox wrote out.
struct Written<'a> {
    sandbox: &'a Sandbox,
    told: Value,
}

impl<'a> Written<'a> {
    fn of(sandbox: &'a Sandbox) -> Self {
        let told = fs::read(sandbox.out().join("credentials.json")).unwrap();
        Self { sandbox, told: serde_json::from_slice(&told).unwrap() }
    }

    fn text(&self, channel: &str, field: &str) -> &str {
        self.told[channel][field].as_str().unwrap_or_else(|| panic!("credentials.json has no {channel}.{field}"))
    }

    fn file(&self, channel: &str, field: &str) -> String {
        fs::read_to_string(self.sandbox.out().join(self.text(channel, field))).unwrap()
    }
}

fn open(channel: &str, base_url: &str, credentials: &Value, algorithms: AlgorithmPolicy) -> Arc<dyn Channel> {
    channel::open(&MerchantAccount {
        id: channel.parse().unwrap(),
        channel: channel.parse().unwrap(),
        name: channel.into(),
        base_url: base_url.into(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides { request_timeout_ms: Some(30_000), ..TimingOverrides::default() },
        stores: Vec::new(),
        algorithms,
        retiring: None,
        credentials: Secret::new(credentials.to_string()),
    })
    .unwrap()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// One sale by each way, queried, refunded, and taken back: every call that a till makes.
async fn a_day(channel: &dyn Channel, phones: &Phones) {
    let name = channel.capabilities().channel.to_string();
    let serial = std::cell::Cell::new(0);
    let trade = |way| {
        serial.set(serial.get() + 1);
        TradeRef {
            out_trade_no: format!("OURS{}{:03}", now(), serial.get()).parse().unwrap(),
            amount: Money::new(1_234, Currency::CNY),
            way,
            started_at: now(),
            provider_trade_no: None,
            paid_at: None,
        }
    };
    let details = |trade: &TradeRef| TradeDetails {
        description: "咖啡 & tea".into(),
        store: "store-1".into(),
        till: "till-1".into(),
        operator: Some("op-7".into()),
        expires_at: trade.started_at + 300_000,
        notify_url: Some("https://pay.example/v1/notifications".into()),
    };

    let mut paid = trade(Way::ConsumerPresented);
    let code = phones.auth_code(&name).await;
    let PayOutcome::Paid(told) = channel.pay(&paid, &details(&paid), &code).await else { panic!("{name}: not paid") };
    (paid.provider_trade_no, paid.paid_at) = (Some(told.provider_trade_no), Some(told.paid_at));
    assert!(matches!(channel.query(&paid).await, QueryOutcome::Paid(_)), "{name}: query");
    let refund = RefundRef {
        out_refund_no: format!("{}R", paid.out_trade_no),
        amount: Money::new(234, Currency::CNY),
        reason: Some("cold & late".into()),
        started_at: now(),
        notify_url: None,
    };
    let refunded = channel.refund(&paid, &refund).await;
    assert!(matches!(refunded, RefundOutcome::Done | RefundOutcome::Processing), "{name}: {refunded:?}");
    assert_eq!(channel.query_refund(&paid, &refund).await, RefundOutcome::Done, "{name}: refund query");

    let shown = trade(Way::MerchantPresented);
    let CodeOutcome::Shown { code } = channel.create_code(&shown, &details(&shown)).await else {
        panic!("{name}: no code")
    };
    phones.pay_shown(&name, &code).await;
    assert!(matches!(channel.query(&shown).await, QueryOutcome::Paid(_)), "{name}: query of a shown code");

    let left = trade(Way::MerchantPresented);
    assert!(matches!(channel.create_code(&left, &details(&left)).await, CodeOutcome::Shown { .. }), "{name}: code");
    assert_eq!(channel.void(&left).await, VoidOutcome::Closed, "{name}: void");

    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8))).date();
    let bill = channel.bill(day, BillKind::Trades).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(bill.lines.iter().any(|line| line.out_trade_no == paid.out_trade_no.as_str()), "{name}: {:?}", bill.lines);
}

/// Trades for a day through a recorder, and gives what was sent to verifiers that others wrote.
async fn verified(
    channel: &str,
    algorithms: AlgorithmPolicy,
    kind: &str,
    credentials: impl FnOnce(&Written<'_>) -> Value,
) {
    let sandbox = tokio::task::spawn_blocking(Sandbox::start).await.unwrap();
    let written = Written::of(&sandbox);
    let (recorder, address) = Recorder::start(&sandbox.base_url).await;
    let opened = open(channel, &address, &credentials(&written), algorithms);
    a_day(opened.as_ref(), &Phones::new(&sandbox.base_url)).await;
    let seen = recorder.seen.lock().unwrap().clone();
    assert!(seen.len() >= 8, "{channel}: only {} requests were recorded", seen.len());
    let file = sandbox.out().join("recorded.json");
    fs::write(&file, Value::Array(seen).to_string()).unwrap();
    let (out, file) = (sandbox.out().to_str().unwrap().to_owned(), file.to_str().unwrap().to_owned());
    let kind = kind.to_owned();
    tokio::task::spawn_blocking(move || {
        clients::run(Language::Python, "verify_ours.py", &[&out, &file, &kind]);
        clients::run(Language::Node, "verify_ours.mjs", &[&out, &file, &kind]);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn others_verify_what_alipays_channel_sends() {
    verified("alipay", AlgorithmPolicy::default(), "alipay", |written| {
        json!({
            "app_id": written.text("alipay", "app_id"), "seller_id": written.text("alipay", "seller_id"),
            "app_private_key": written.file("alipay", "app_private_key_pkcs8"),
            "alipay_public_key": written.file("alipay", "alipay_public_key"),
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_verify_what_alipays_channel_sends_by_certificate() {
    verified("alipay", AlgorithmPolicy::default(), "alipay_certificate", |written| {
        json!({
            "app_id": written.text("alipay", "app_id"), "seller_id": written.text("alipay", "seller_id"),
            "mode": "certificate",
            "app_private_key": written.file("alipay", "app_private_key_pkcs8"),
            "app_certificate": written.file("alipay", "app_certificate"),
            "alipay_certificate": written.file("alipay", "alipay_certificate"),
            "alipay_root_certificate": written.file("alipay", "alipay_root_certificate"),
        })
    })
    .await;
}

fn wechatpay(written: &Written<'_>, version: &str, sign_type: &str) -> Value {
    json!({
        "api_version": version, "sign_type": sign_type,
        "appid": written.text("wechatpay", "appid"), "mchid": written.text("wechatpay", "mchid"),
        "merchant_private_key": written.file("wechatpay", "merchant_private_key"),
        "merchant_certificate": written.file("wechatpay", "merchant_certificate"),
        "merchant_serial": written.text("wechatpay", "merchant_serial"),
        "api_v3_key": written.text("wechatpay", "api_v3_key"), "api_v2_key": written.text("wechatpay", "api_v2_key"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn others_verify_what_wechat_pays_channel_sends_on_v3() {
    verified("wechatpay", AlgorithmPolicy::default(), "wechatpay_v3", |written| {
        wechatpay(written, "v3", "HMAC-SHA256")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_verify_what_wechat_pays_channel_sends_on_v2_with_hmac() {
    verified("wechatpay", AlgorithmPolicy::default(), "wechatpay_v2", |written| {
        wechatpay(written, "v2", "HMAC-SHA256")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_verify_what_wechat_pays_channel_sends_on_v2_with_md5() {
    let policy = AlgorithmPolicy::default().with(Algorithm::Md5, true);
    verified("wechatpay", policy, "wechatpay_v2", |written| wechatpay(written, "v2", "MD5")).await;
}
