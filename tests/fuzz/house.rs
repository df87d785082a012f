//! A sandbox behind a door that can pass requests on, keep the honest answer, or give damaged ones; and what a
//! merchant of it gets: answers, notifications, bills.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::tz::{Offset, TimeZone};
use scantill::channel::{
    self, BillKind, Channel, CodeOutcome, MerchantAccount, QueryOutcome, RawNotification, TimingOverrides,
    TradeDetails, TradeRef,
};
use scantill::crypto::{Algorithm, AlgorithmPolicy, Secret};
use scantill::money::{Currency, Money};
use scantill::payment::Way;
use scantill::sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use tokio::sync::mpsc;

/// What the door does with a request.
#[derive(Clone, Default)]
pub enum Door {
    /// Passes it on, and keeps the answer.
    #[default]
    Open,
    /// Gives this instead.
    Shut(Answer),
}

#[derive(Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

#[derive(Clone)]
struct Shared {
    target: String,
    http: reqwest::Client,
    door: Arc<Mutex<Door>>,
    kept: Arc<Mutex<Answer>>,
}

pub struct House {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    shared: Shared,
    address: String,
    inbox: tokio::sync::Mutex<mpsc::UnboundedReceiver<RawNotification>>,
    inbox_url: String,
}

impl House {
    pub async fn open() -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let shared = Shared {
            target: sandbox.base_url().to_owned(),
            http: http.clone(),
            door: Arc::default(),
            kept: Arc::default(),
        };
        let address = serve(Router::new().fallback(pass).with_state(shared.clone())).await;
        let (sender, inbox) = mpsc::unbounded_channel();
        let inbox_url = serve(Router::new().fallback(take).with_state(sender)).await;
        Self { sandbox, http, shared, address, inbox: inbox.into(), inbox_url }
    }

    pub fn shut(&self, answer: Answer) {
        *self.shared.door.lock().unwrap() = Door::Shut(answer);
    }

    /// Lets days pass for the providers, so that their files of today are there.
    pub async fn wait_for_files(&self) {
        let url = format!("{}/sandbox/clock", self.sandbox.base_url());
        let two_days = json!({ "advance_ms": 2 * 24 * 3_600_000_i64 });
        assert!(self.http.post(url).json(&two_days).send().await.unwrap().status().is_success());
    }

    /// The latest answer that was passed on.
    pub fn kept(&self) -> Answer {
        self.shared.kept.lock().unwrap().clone()
    }

    /// A channel behind the door. WeChat Pay speaks `v2` where that is asked for.
    pub fn channel(&self, name: &str, way: &str) -> Arc<dyn Channel> {
        let credentials = self.sandbox.credentials();
        let json = if way == "v2" { credentials.wechatpay_v2_account_json() } else { credentials.account_json(name) };
        channel::open(&account(name, &self.address, json)).unwrap()
    }

    /// Shows a code, has it scanned and paid, and waits for the notification of it.
    pub async fn sale(&self, channel: &dyn Channel) -> (TradeRef, RawNotification) {
        let name = channel.capabilities().channel.to_string();
        let started_at = jiff::Timestamp::now().as_millisecond();
        let mut trade = TradeRef {
            out_trade_no: format!("FUZZ{started_at}").parse().unwrap(),
            amount: Money::new(1_234, Currency::CNY),
            way: Way::MerchantPresented,
            started_at,
            provider_trade_no: None,
            paid_at: None,
        };
        let details = TradeDetails {
            description: "tea".into(),
            store: "store-1".into(),
            till: "till-1".into(),
            operator: None,
            expires_at: started_at + 300_000,
            notify_url: Some(self.inbox_url.clone()),
        };
        let shown = channel.create_code(&trade, &details).await;
        let CodeOutcome::Shown { code } = shown else { panic!("{name}: {shown:?}") };
        let scan = format!("{}/sandbox/wallets/{name}-1/scan", self.sandbox.base_url());
        let scanned = self.http.post(scan).json(&json!({ "payload": code, "confirm": true })).send().await.unwrap();
        assert!(scanned.status().is_success(), "{name}: {}", scanned.status());
        let mut inbox = self.inbox.lock().await;
        let told = tokio::time::timeout(Duration::from_secs(60), inbox.recv())
            .await
            .unwrap_or_else(|_| panic!("{name}: no notification came"))
            .unwrap();
        if let QueryOutcome::Paid(paid) = channel.query(&trade).await {
            (trade.provider_trade_no, trade.paid_at) = (Some(paid.provider_trade_no), Some(paid.paid_at));
        }
        (trade, told)
    }
}

/// The day in whose file a sale of this moment is: China's, and with UnionPay the one whose settlement ends at 23:00.
pub fn day_of_now(channel: &str) -> jiff::civil::Date {
    let now = jiff::Timestamp::now().to_zoned(TimeZone::fixed(Offset::constant(8)));
    if channel == "unionpay" && now.hour() >= 23 { now.date().tomorrow().unwrap() } else { now.date() }
}

/// Every kind of file there is.
pub const KINDS: [BillKind; 2] = [BillKind::Trades, BillKind::FundFlow];

pub fn account(channel: &str, base_url: &str, credentials: String) -> MerchantAccount {
    MerchantAccount {
        id: channel.parse().unwrap(),
        channel: channel.parse().unwrap(),
        name: channel.into(),
        base_url: base_url.into(),
        training: true,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides { request_timeout_ms: Some(10_000), ..TimingOverrides::default() },
        stores: Vec::new(),
        algorithms: AlgorithmPolicy::default().with(Algorithm::Md5, true),
        retiring: None,
        credentials: Secret::new(credentials),
    }
}

async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn pass(State(shared): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let door = shared.door.lock().unwrap().clone();
    let answer = match door {
        Door::Shut(answer) => answer,
        Door::Open => {
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            let mut request = shared.http.request(method, format!("{}{path}", shared.target)).body(body);
            for (name, value) in headers.iter().filter(|(name, _)| !is_of_the_hop(name.as_str())) {
                request = request.header(name, value);
            }
            let answer = request.send().await.unwrap();
            let (status, mut headers) = (answer.status().as_u16(), answer.headers().clone());
            for name in ["content-length", "transfer-encoding", "connection"] {
                headers.remove(name);
            }
            let answer = Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() };
            *shared.kept.lock().unwrap() = answer.clone();
            answer
        }
    };
    let status = StatusCode::from_u16(answer.status).unwrap();
    (status, answer.headers, answer.body).into_response()
}

fn is_of_the_hop(name: &str) -> bool {
    matches!(name, "host" | "content-length" | "connection" | "transfer-encoding")
}

async fn take(
    State(sender): State<mpsc::UnboundedSender<RawNotification>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    let _ = sender.send(RawNotification { headers, body: body.to_vec() });
    (StatusCode::OK, "success")
}
