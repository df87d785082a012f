//! A provider's gateway played by hand: real HTTP on loopback, every request recorded, every answer as the story wants.

#![allow(dead_code)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scantill::channel::{MerchantAccount, RefundRef, TimingOverrides, TradeDetails, TradeRef};
use scantill::crypto::{AlgorithmPolicy, Secret};
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, Way};
use serde_json::Value;

/// Our number in every story.
pub const NUMBER: &str = "20261124ABCDEF01";
/// The refund's number in every story.
pub const REFUND: &str = "R20261124ABCDEF01";
/// The amount in every story: 12.34 yuan.
pub const FEN: i64 = 1_234;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }
}

/// What the gateway does.
#[derive(Debug, Clone)]
pub enum Does {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The first bytes of an answer, then the connection breaks.
    Break(Vec<u8>),
    /// Nothing for longer than anybody waits.
    Sleep,
    /// Another address.
    Redirect(String),
}

impl Does {
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }
}

type Script = Arc<dyn Fn(&Seen) -> Does + Send + Sync>;

/// The gateway.
pub struct Gateway {
    pub base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

impl Gateway {
    pub async fn open() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(|_| Does::text(500, ""))));
        let (recorded, scripted) = (seen.clone(), script.clone());
        let app = Router::new().fallback(move |request: Request| {
            let (recorded, scripted) = (recorded.clone(), scripted.clone());
            async move {
                let request = read(request).await;
                let script = scripted.lock().unwrap().clone();
                let does = script(&request);
                recorded.lock().unwrap().push(request);
                perform(does).await
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base_url, seen, script }
    }

    /// From now on it does this.
    pub fn does(&self, script: impl Fn(&Seen) -> Does + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// The requests since last asked.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// The one request since last asked.
    pub fn only(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "one request: {seen:?}");
        seen.remove(0)
    }
}

async fn read(request: Request) -> Seen {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().unwrap().to_string();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
        .collect();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap().to_vec();
    Seen { method, path, headers, body }
}

async fn perform(does: Does) -> Response {
    match does {
        Does::Answer { status, headers, body } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Does::Break(beginning) => {
            let parts = [Ok(Bytes::from(beginning)), Err(std::io::Error::other("broken"))];
            let body = Body::from_stream(futures::stream::iter(parts));
            Response::builder().header("content-length", "100000").body(body).unwrap()
        }
        Does::Sleep => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            Response::new(Body::empty())
        }
        Does::Redirect(to) => Response::builder().status(307).header("location", to).body(Body::empty()).unwrap(),
    }
}

/// SHA256withRSA checked with the library itself, past the house's own face over it.
pub fn verifies(spki_pem: &str, message: &[u8], signature_base64: &str) -> bool {
    let der: String = spki_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(der).unwrap();
    let Ok(signature) = STANDARD.decode(signature_base64) else { return false };
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, &signature).is_ok()
}

/// Decodes `application/x-www-form-urlencoded`.
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = text.bytes();
        let mut decoded = Vec::new();
        while let Some(byte) = bytes.next() {
            decoded.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let two = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&two).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(decoded).unwrap()
    };
    let text = std::str::from_utf8(body).unwrap();
    text.split('&').map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// Encodes it, percent signs for all but letters and digits.
pub fn to_form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> = pairs.into_iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
    pairs.join("&").into_bytes()
}

pub fn account(channel: ChannelId, base_url: &str, credentials: &Value, timing: TimingOverrides) -> MerchantAccount {
    MerchantAccount {
        id: "acc_1".parse().unwrap(),
        channel,
        name: "the shop".into(),
        base_url: base_url.to_owned(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing,
        stores: Vec::new(),
        algorithms: AlgorithmPolicy::default(),
        retiring: None,
        credentials: Secret::new(credentials.to_string()),
    }
}

pub fn now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub fn trade(way: Way) -> TradeRef {
    TradeRef {
        out_trade_no: NUMBER.parse().unwrap(),
        amount: Money::new(FEN, Currency::CNY),
        way,
        started_at: now(),
        provider_trade_no: None,
        paid_at: None,
    }
}

/// The refund of all of it.
pub fn refund(out_refund_no: &str) -> RefundRef {
    RefundRef {
        out_refund_no: out_refund_no.to_owned(),
        amount: Money::new(FEN, Currency::CNY),
        reason: None,
        started_at: now(),
        notify_url: None,
    }
}

pub fn details() -> TradeDetails {
    TradeDetails {
        description: "拿铁 large + 1 cookie".into(),
        store: "store_1".into(),
        till: "till_1".into(),
        operator: Some("op_1".into()),
        expires_at: now() + 180_000,
        notify_url: Some("https://pos.example.com/v1/notifications/x/acc_1?a=b&c=d".into()),
    }
}

/// An address where nobody listens.
pub async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
