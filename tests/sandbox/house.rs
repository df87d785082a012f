//! A sandbox, a merchant of it, and a place where notifications arrive.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use scantill::crypto::{RsaPrivateKey, RsaPublicKey};
use scantill::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

/// How long a story waits for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Making keys takes a while: all stories share them.
pub fn keys() -> &'static std::path::Path {
    static KEYS: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    KEYS.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

pub fn config() -> SandboxConfig {
    SandboxConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        keys_dir: Some(keys().to_owned()),
        seed: 7,
        ..SandboxConfig::default()
    }
}

/// Seconds since 1970.
pub fn seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// `yyyy-MM-dd HH:mm:ss` in China, so many seconds from now.
pub fn china(after: i64) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let at = jiff::Timestamp::from_second(seconds() + after).unwrap().to_zoned(zone);
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub struct House {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    pub alipay: Value,
    pub wechatpay: Value,
}

impl House {
    pub async fn open() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: SandboxConfig) -> Self {
        // Two stories that make the same keys at once would each keep others.
        static FIRST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let sandbox = {
            let _one = FIRST.lock().await;
            Sandbox::start(config).await.unwrap()
        };
        let account = |channel| serde_json::from_str(&sandbox.credentials().account_json(channel)).unwrap();
        let (alipay, wechatpay) = (account("alipay"), account("wechatpay"));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { sandbox, http, alipay, wechatpay }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    /// A control call: status and body.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method: reqwest::Method = method.parse().unwrap();
        let mut request = self.http.request(method, self.url(path));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        if !status.is_success() {
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        }
        (status.as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.control("POST", path, body).await;
        assert!(status < 300, "{path}: {status} {body}");
        body
    }

    pub async fn auth_code(&self, wallet: &str) -> String {
        let code = self.post(&format!("/sandbox/wallets/{wallet}/code"), json!({})).await;
        code["auth_code"].as_str().unwrap().to_owned()
    }

    pub async fn scan(&self, wallet: &str, payload: &str, confirm: Option<bool>) -> (u16, Value) {
        let body = json!({ "payload": payload, "confirm": confirm });
        self.control("POST", &format!("/sandbox/wallets/{wallet}/scan"), body).await
    }

    pub async fn advance(&self, seconds: u64) {
        self.post("/sandbox/clock", json!({ "advance_ms": seconds * 1_000 })).await;
    }

    pub async fn balance(&self, wallet: &str) -> i64 {
        let (_, wallets) = self.control("GET", "/sandbox/wallets", Value::Null).await;
        let found = wallets.as_array().unwrap().iter().find(|known| known["id"] == wallet).unwrap().clone();
        found["balance"].as_i64().unwrap()
    }

    pub async fn trade(&self, out_trade_no: &str) -> Value {
        let (_, trades) = self.control("GET", "/sandbox/trades", Value::Null).await;
        trades.as_array().unwrap().iter().find(|trade| trade["out_trade_no"] == out_trade_no).unwrap().clone()
    }

    pub fn text<'a>(account: &'a Value, field: &str) -> &'a str {
        account[field].as_str().unwrap_or_else(|| panic!("no {field}"))
    }

    pub fn private(account: &Value, field: &str) -> RsaPrivateKey {
        RsaPrivateKey::from_pem(Self::text(account, field)).unwrap()
    }

    pub fn public(account: &Value, field: &str) -> RsaPublicKey {
        RsaPublicKey::from_pem(Self::text(account, field)).unwrap()
    }
}

/// One delivery of a notification.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub at: Instant,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Where notifications arrive. It refuses as often as it was told to, then acknowledges.
pub struct Merchant {
    pub url: String,
    got: Arc<Mutex<Vec<Delivery>>>,
}

#[derive(Clone)]
struct Desk {
    got: Arc<Mutex<Vec<Delivery>>>,
    refuse: usize,
}

impl Merchant {
    pub async fn open(refuse: usize) -> Self {
        let got = Arc::<Mutex<Vec<Delivery>>>::default();
        let desk = Desk { got: got.clone(), refuse };
        let app = Router::new().route("/notify", axum::routing::post(receive)).with_state(desk);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, got }
    }

    pub fn got(&self) -> Vec<Delivery> {
        self.got.lock().unwrap().clone()
    }

    /// Waits for so many deliveries.
    pub async fn wait(&self, count: usize) -> Vec<Delivery> {
        let deadline = Instant::now() + PATIENCE;
        while self.got().len() < count {
            assert!(Instant::now() < deadline, "only {} deliveries", self.got().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.got()
    }
}

async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut got = desk.got.lock().unwrap();
    got.push(Delivery { at: Instant::now(), headers, body });
    if got.len() <= desk.refuse {
        (StatusCode::INTERNAL_SERVER_ERROR, r#"{"code":"FAIL","message":"not now"}"#)
    } else {
        (StatusCode::OK, "success")
    }
}
