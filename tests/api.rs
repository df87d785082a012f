//! The Payment API over HTTP: who is let in, what is refused and how, and what is answered twice.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use scantill::api::auth::Covered;
use scantill::api::wire::{CreateAccount, CreatePayment, CreateStore, CreateTill, PaymentQuery};
use scantill::api::{Server, ServerConfig};
use scantill::client::{ApiKey, Client, ClientError, StreamEvent, idempotency_key};
use scantill::crypto::{HmacSha256, Secret};
use scantill::engine::{Engine, EngineConfig};
use scantill::ledger::{BusinessCalendar, Ledger, LedgerConfig, Store, Till};
use scantill::money::Currency;
use scantill::payment::PaymentState;
use scantill::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const SECRET: &str = "the till's secret that no answer ever tells";

/// A Payment API on real books, with the sandbox behind it.
struct House {
    folder: tempfile::TempDir,
    server: Option<Server>,
    engine: Engine,
    sandbox: Arc<Sandbox>,
    http: reqwest::Client,
    address: std::net::SocketAddr,
}

async fn books(folder: &std::path::Path) -> Ledger {
    Ledger::open(LedgerConfig {
        url: format!("sqlite:{}", folder.join("books.db").display()),
        chain_key: Zeroizing::new([1; 32]),
        seal_key: Zeroizing::new([2; 32]),
        calendar: BusinessCalendar { time_zone: Some("Asia/Shanghai".into()), cutover_hour: 0 },
        read_only: false,
    })
    .await
    .unwrap()
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = books(folder.path()).await;
        let store = Store { id: "store-1".parse().unwrap(), name: "Riverside Tea".into() };
        ledger.put_store(1, "test", &store).await.unwrap();
        let till = Till {
            id: "till-1".parse().unwrap(),
            store: store.id,
            name: "Till 1".into(),
            secret: Secret::new(SECRET.into()),
            retiring: None,
            enabled: true,
            admin: true,
        };
        ledger.put_till(1, "test", &till).await.unwrap();
        let engine = Engine::start(ledger, EngineConfig::new("test".into())).await.unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(ServerConfig { listen, engine: engine.clone() }).await.unwrap();
        let config = SandboxConfig { listen, seed: 7, ..SandboxConfig::default() };
        let sandbox = Arc::new(Sandbox::start(config).await.unwrap());
        let address = server.local_addr();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { folder, server: Some(server), engine, sandbox, http, address }
    }

    fn client(&self) -> Client {
        let key = ApiKey { id: "till-1".into(), secret: Secret::new(SECRET.into()) };
        Client::new(&format!("http://{}", self.address), key).unwrap()
    }

    async fn with_accounts() -> Self {
        let house = Self::open().await;
        for channel in ["alipay", "wechatpay"] {
            house.client().create_account(&house.account(channel)).await.unwrap();
        }
        house
    }

    fn account(&self, channel: &str) -> CreateAccount {
        let credentials = serde_json::from_str(&self.sandbox.credentials().account_json(channel)).unwrap();
        let base_url = self.sandbox.base_url().into();
        CreateAccount {
            id: Some(channel.parse().unwrap()),
            notify_base_url: Some(format!("http://{}", self.address)),
            ..CreateAccount::new(channel.parse().unwrap(), channel.into(), base_url, credentials)
        }
    }

    /// A signed request with everything open to be spoilt.
    async fn raw(&self, method: &str, path: &str, body: &str, spoil: impl FnOnce(&mut Parts)) -> (u16, Value) {
        let mut parts = Parts {
            method: method.into(),
            path: path.into(),
            body: body.into(),
            key: "till-1".into(),
            secret: SECRET.into(),
            timestamp: now(),
            nonce: idempotency_key(),
            idempotency: Some(idempotency_key()),
            header: None,
        };
        parts.header = Some(parts.sign());
        spoil(&mut parts);
        self.send(&parts).await
    }

    async fn send(&self, parts: &Parts) -> (u16, Value) {
        let url = format!("http://{}{}", self.address, parts.path);
        let mut request = self.http.request(parts.method.parse().unwrap(), url).body(parts.body.clone());
        if let Some(header) = &parts.header {
            request = request.header("Authorization", header);
        }
        if let Some(key) = &parts.idempotency {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        assert!(!text.contains(SECRET), "a secret in an answer");
        if status >= 400 {
            assert_eq!(kind.as_deref(), Some("application/problem+json"), "{status} {text}");
        }
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

#[derive(Clone)]
struct Parts {
    method: String,
    path: String,
    body: String,
    key: String,
    secret: String,
    timestamp: i64,
    nonce: String,
    idempotency: Option<String>,
    header: Option<String>,
}

impl Parts {
    fn sign(&self) -> String {
        let secret = HmacSha256::new(self.secret.as_bytes());
        let covered = Covered {
            method: &self.method,
            path: &self.path,
            timestamp: self.timestamp,
            nonce: &self.nonce,
            body: self.body.as_bytes(),
            session: None,
        };
        covered.authorization(&self.key, &secret)
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn sale(amount: i64) -> CreatePayment {
    CreatePayment {
        amount,
        currency: Currency::CNY,
        description: Some("tea".into()),
        operator: None,
        collect_seconds: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_signed_fresh_unchanged_requests_are_let_in_once() {
    let house = House::with_accounts().await;
    let body = r#"{"amount":100}"#;
    assert_eq!(house.raw("POST", "/v1/payments", body, |_| {}).await.0, 201);
    let refused = async |spoil: fn(&mut Parts)| {
        let (status, problem) = house.raw("POST", "/v1/payments", body, spoil).await;
        assert_eq!(status, 401, "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(|parts| parts.header = None).await, "unsigned_request");
    assert_eq!(refused(|parts| parts.header = Some("Bearer x".into())).await, "unsigned_request");
    assert_eq!(refused(|parts| parts.body = r#"{"amount":1}"#.into()).await, "bad_signature");
    assert_eq!(refused(|parts| parts.path = "/v1/payments?x=1".into()).await, "bad_signature");
    assert_eq!(
        refused(|parts| {
            parts.secret = "another".into();
            parts.header = Some(parts.sign());
        })
        .await,
        "bad_signature"
    );
    assert_eq!(
        refused(|parts| {
            parts.key = "till-9".into();
            parts.header = Some(parts.sign());
        })
        .await,
        "bad_signature",
        "an unknown key is told no differently"
    );
    for off in [-302, 302] {
        let (status, problem) = house
            .raw("GET", "/v1/channels", "", |parts| {
                parts.timestamp += off;
                parts.header = Some(parts.sign());
            })
            .await;
        assert_eq!((status, problem["code"].as_str()), (401, Some("stale_request")));
    }
    let mut kept = None;
    house.raw("GET", "/v1/channels", "", |parts| kept = Some(parts.clone())).await;
    let (status, problem) = house.send(&kept.unwrap()).await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("replayed_request")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_answer_and_no_second_sale() {
    let house = House::with_accounts().await;
    let key = idempotency_key();
    let client = house.client();
    let first = client.create_payment(&sale(100), &key).await.unwrap();
    let again = client.create_payment(&sale(100), &key).await.unwrap();
    assert_eq!(first, again);
    let other = client.create_payment(&sale(101), &key).await.unwrap_err();
    assert!(
        matches!(&other, ClientError::Refused(problem) if problem.status == 409 && problem.code == "idempotency_mismatch"),
        "{other}"
    );
    // Many at once.
    let key = idempotency_key();
    let tries = (0..8).map(|_| {
        let (client, key) = (client.clone(), key.clone());
        tokio::spawn(async move { client.create_payment(&sale(7), &key).await.unwrap().id })
    });
    let ids: std::collections::HashSet<_> =
        futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(client.payments(&PaymentQuery::default()).await.unwrap().payments.len(), 2);
    let (status, problem) =
        house.raw("POST", "/v1/payments", r#"{"amount":1}"#, |parts| parts.idempotency = None).await;
    assert_eq!((status, problem["code"].as_str()), (400, Some("idempotency_key_missing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_sentence_and_begins_nothing() {
    let house = House::with_accounts().await;
    for (body, status, code) in [
        (r#"{"amount":0}"#, 422, "amount_invalid"),
        (r#"{"amount":-1}"#, 422, "amount_invalid"),
        (r#"{"amount":99999999999}"#, 422, "amount_invalid"),
        (r#"{"amount":1.5}"#, 422, "body_invalid"),
        (r#"{"amount":"12"}"#, 422, "body_invalid"),
        (r#"{"amount":99999999999999999999}"#, 422, "body_invalid"),
        (r#"{"amount":1,"currency":"XXX"}"#, 422, "body_invalid"),
        (r#"{"amount":1,"amuont":2}"#, 422, "body_invalid"),
        (r#"{"amount":1,"description":""}"#, 422, "description_invalid"),
        (r#"{"amount":1,"description":"a\u0007b"}"#, 422, "description_invalid"),
        (r#"{"amount":1,"collect_seconds":1}"#, 422, "collect_seconds_invalid"),
        (r"{}", 422, "body_invalid"),
        ("", 400, "body_malformed"),
        ("{", 400, "body_malformed"),
        ("[1]", 422, "body_invalid"),
    ] {
        let (got, problem) = house.raw("POST", "/v1/payments", body, |_| {}).await;
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().len() > 10);
    }
    let client = house.client();
    assert_eq!(client.payments(&PaymentQuery::default()).await.unwrap().payments.len(), 0);
    for (path, status) in [
        ("/v1/payments?limit=0", 422),
        ("/v1/payments?limit=abc", 400),
        ("/v1/payments?colour=red", 400),
        ("/v1/payments?date=yesterday", 422),
        ("/v1/payments/none", 404),
        ("/v1/payments/..%2f..%2fetc", 404),
        ("/v1/takings?date=2026-13-01", 422),
        ("/v1/nothing", 404),
        ("/nothing", 404),
    ] {
        assert_eq!(house.raw("GET", path, "", |_| {}).await.0, status, "{path}");
    }
    assert_eq!(house.raw("DELETE", "/v1/payments", "", |_| {}).await.0, 405);
    let payment = client.create_payment(&sale(100), &idempotency_key()).await.unwrap();
    for (code, kind) in
        [("https://a.example", "web_address"), ("28", "too_short"), ("99123456789012345678", "unknown_prefix")]
    {
        let refused = client.scan(&payment.id, code).await.unwrap_err();
        let ClientError::Refused(problem) = &refused else { panic!("{refused}") };
        assert_eq!((problem.status, problem.kind_of_code.as_deref()), (422, Some(kind)));
    }
    let long = format!(r#"{{"amount":1,"description":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(house.raw("POST", "/v1/payments", &long, |_| {}).await.0, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_paid_both_ways_and_its_story_told() {
    let house = House::with_accounts().await;
    let client = house.client();
    let phones = |path: String, body: Value| {
        let request = house.http.post(format!("{}{path}", house.sandbox.base_url())).json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let mut events = client.events(None);
    assert_eq!(events.next().await, Some(StreamEvent::Connected));

    let shown = client.create_payment(&sale(1_234), &idempotency_key()).await.unwrap();
    let shown = client.show_code(&shown.id, &"wechatpay".parse().unwrap()).await.unwrap();
    let payload = shown.attempts[0].code.clone().unwrap();
    phones("/sandbox/wallets/wechatpay-1/scan".into(), json!({ "payload": payload, "confirm": true })).await;
    let scanned = client.create_payment(&sale(500), &idempotency_key()).await.unwrap();
    let code =
        phones("/sandbox/wallets/alipay-1/code".into(), json!({})).await["auth_code"].as_str().unwrap().to_owned();
    client.scan(&scanned.id, &code).await.unwrap();

    let mut paid = std::collections::HashSet::new();
    let mut last = 0;
    while paid.len() < 2 {
        let Some(StreamEvent::Event(event)) = events.next().await else { panic!("the stream ended") };
        assert!(event.seq > last, "in order");
        last = event.seq;
        if event.payment.state == PaymentState::Succeeded {
            paid.insert(event.payment.id.clone());
        }
    }
    let takings = client.takings(&Default::default()).await.unwrap();
    assert_eq!((takings.total.gross, takings.total.count), (1_734, 2));
    let story = client.history(&scanned.id).await.unwrap();
    let kinds: Vec<_> = story.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds, ["created", "attempt_started", "attempt_succeeded"]);
    let told = serde_json::to_string(&(story, client.payment(&scanned.id).await.unwrap())).unwrap();
    assert!(!told.contains(&code) && !told.contains("auth_code_mac"), "{told}");
    assert_eq!(house.raw("GET", "/v1/accounts/alipay", "", |_| {}).await.1["problem"], Value::Null);
    let accounts = serde_json::to_string(&client.accounts().await.unwrap()).unwrap();
    assert!(!accounts.contains("PRIVATE KEY"), "credentials are never told");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_resumed_across_a_restart_with_nothing_missed() {
    let mut house = House::with_accounts().await;
    let client = house.client();
    let mut events = client.events(None);
    assert_eq!(events.next().await, Some(StreamEvent::Connected));
    let before = client.create_payment(&sale(1), &idempotency_key()).await.unwrap();
    let next = async |events: &mut futures::stream::BoxStream<'static, StreamEvent>| loop {
        match tokio::time::timeout(Duration::from_secs(30), events.next()).await.unwrap() {
            Some(StreamEvent::Event(event)) => return *event,
            Some(_) => {}
            None => panic!("the stream ended"),
        }
    };
    assert_eq!(next(&mut events).await.payment.id, before.id);
    house.server.take().unwrap().stop().await;
    house.engine.stop().await;
    house.engine.ledger().close().await;
    // Something happens while nobody serves.
    let ledger = books(house.folder.path()).await;
    house.engine = Engine::start(ledger, EngineConfig::new("again".into())).await.unwrap();
    house.engine.cancel(&before.id, "test", None).await.unwrap();
    house.server =
        Some(Server::start(ServerConfig { listen: house.address, engine: house.engine.clone() }).await.unwrap());
    let missed = next(&mut events).await;
    assert_eq!((missed.kind.as_str(), missed.payment.state), ("cancel_requested", PaymentState::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_have_keys_of_their_own_and_see_their_own_store() {
    let house = House::with_accounts().await;
    let admin = house.client();
    let store = admin.create_store(&CreateStore { id: None, name: "Hilltop Tea".into() }).await.unwrap();
    let till = CreateTill { id: Some("till-2".parse().unwrap()), store: store.id.clone(), name: "Till 2".into() };
    let made = admin.create_till(&till).await.unwrap();
    let key = ApiKey { id: "till-2".into(), secret: Secret::new(made.secret.clone()) };
    let client = Client::new(&format!("http://{}", house.address), key).unwrap();
    let own = client.create_payment(&sale(100), &idempotency_key()).await.unwrap();
    assert_eq!((own.store, own.till.as_str()), (store.id, "till-2"));
    let others = admin.create_payment(&sale(100), &idempotency_key()).await.unwrap();
    assert!(matches!(client.payment(&others.id).await, Err(ClientError::Refused(problem)) if problem.status == 404));
    assert_eq!(client.payments(&PaymentQuery::default()).await.unwrap().payments.len(), 1);
    assert_eq!(admin.payments(&PaymentQuery::default()).await.unwrap().payments.len(), 2);
    assert!(matches!(client.accounts().await, Err(ClientError::Refused(problem)) if problem.status == 403));
    admin
        .change_till(&till.id.unwrap(), &scantill::api::wire::ChangeTill { name: None, enabled: Some(false) })
        .await
        .unwrap();
    assert!(matches!(client.channels().await, Err(ClientError::Refused(problem)) if problem.code == "bad_signature"));
    let listed = serde_json::to_string(&admin.tills().await.unwrap()).unwrap();
    assert!(!listed.contains(&made.secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_work_is_refused_by_the_field() {
    let house = House::open().await;
    let client = house.client();
    assert!(
        matches!(client.create_payment(&sale(1), &idempotency_key()).await, Err(ClientError::Refused(p)) if p.code == "no_account")
    );
    let spoil = async |field: &str, change: fn(&mut CreateAccount)| {
        let mut account = house.account("wechatpay");
        change(&mut account);
        let refused = client.create_account(&account).await.unwrap_err();
        let ClientError::Refused(problem) = &refused else { panic!("{refused}") };
        assert_eq!((problem.status, problem.field.as_deref()), (422, Some(field)), "{problem:?}");
        assert!(!problem.detail.contains("BEGIN"), "a credential is never told");
    };
    spoil("api_v3_key", |account| account.credentials["api_v3_key"] = json!("short")).await;
    spoil("merchant_private_key", |account| account.credentials["merchant_private_key"] = json!("-----BEGIN x")).await;
    spoil("merchant_serial", |account| drop(account.credentials.as_object_mut().unwrap().remove("merchant_serial")))
        .await;
    spoil("base_url", |account| account.base_url = "ftp://x".into()).await;
    spoil("channel", |account| account.channel = "cowries".parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_every_call() {
    let house = House::open().await;
    let (status, document) = house.raw("GET", "/openapi.json", "", |_| {}).await;
    assert_eq!(status, 200);
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in [
        ("/v1/payments", &["get", "post"][..]),
        ("/v1/payments/{id}", &["get", "patch"]),
        ("/v1/payments/{id}/history", &["get"]),
        ("/v1/payments/{id}/code", &["post"]),
        ("/v1/payments/{id}/scan", &["post"]),
        ("/v1/payments/{id}/cancel", &["post"]),
        ("/v1/accounts", &["get", "post"]),
        ("/v1/accounts/{id}", &["get", "patch", "delete"]),
        ("/v1/accounts/{id}/rotate", &["post"]),
        ("/v1/accounts/{id}/test", &["post"]),
        ("/v1/accounts/test", &["post"]),
        ("/v1/account-forms", &["get"]),
        ("/v1/policy", &["get", "put"]),
        ("/v1/keys", &["get"]),
        ("/v1/keys/rotate", &["post"]),
        ("/v1/stores", &["get", "post"]),
        ("/v1/stores/{id}", &["get", "patch"]),
        ("/v1/tills", &["get", "post"]),
        ("/v1/tills/{id}", &["get", "patch"]),
        ("/v1/channels", &["get"]),
        ("/v1/takings", &["get"]),
        ("/v1/events", &["get"]),
        ("/v1/notifications/{channel}/{account}", &["post"]),
        ("/healthz", &["get"]),
        ("/metrics", &["get"]),
    ] {
        for method in methods {
            assert!(paths[path][*method].is_object(), "{method} {path}");
        }
    }
    assert!(document["components"]["schemas"]["PaymentView"].is_object());
    let sandbox = house.http.get(format!("{}/sandbox/openapi.json", house.sandbox.base_url())).send().await.unwrap();
    let sandbox: Value = sandbox.json().await.unwrap();
    assert!(sandbox["paths"]["/sandbox/wallets/{id}/scan"]["post"].is_object());
}
