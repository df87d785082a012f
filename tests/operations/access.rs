//! Who is kept out, and that whoever is slow, endless or malformed keeps nobody else from being served.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use scantill::api::Limits;
use scantill::api::auth::Covered;
use scantill::client::idempotency_key;
use scantill::crypto::HmacSha256;
use scantill::engine::Clock;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, Off, SECRET, start};

/// A signed request that can be sent more than once.
#[derive(Clone)]
struct Signed {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    header: String,
}

impl Signed {
    fn new(method: &'static str, path: &'static str, body: &'static str) -> Self {
        Self::by("till-1", SECRET, 0, method, path, body)
    }

    fn by(key: &str, secret: &str, off: i64, method: &'static str, path: &'static str, body: &'static str) -> Self {
        let now = jiff::Timestamp::now().as_second() + off;
        let secret = HmacSha256::new(secret.as_bytes());
        let nonce = idempotency_key();
        let covered = Covered { method, path, timestamp: now, nonce: &nonce, body: body.as_bytes(), session: None };
        let header = covered.authorization(key, &secret);
        Self { method, path, body, header }
    }

    /// Status, problem's code and `Retry-After`.
    async fn send(&self, house: &House, to: SocketAddr) -> (u16, String, Option<String>) {
        let url = format!("http://{to}{}", self.path);
        let request = house.http.request(self.method.parse().unwrap(), url).header("Authorization", &self.header);
        let answer = request.body(self.body).send().await.unwrap();
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
        let told: Value = answer.json().await.unwrap_or_default();
        (status, told["code"].as_str().unwrap_or_default().to_owned(), wait)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_is_let_go_and_keeps_nobody_waiting() {
    let limits = Limits {
        head_time: Duration::from_millis(400),
        body_time: Duration::from_millis(400),
        connections: 8,
        ..Limits::default()
    };
    let house = House::open(limits).await;
    // More than there is room for: those who come later are served when these are let go of.
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(house.address()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost").await.unwrap();
        idle.push(stream);
    }
    house.is_well().await;
    for mut stream in idle {
        let mut rest = Vec::new();
        // Closed, with an answer or without.
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    }
    let head = "POST /v1/payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\n{\"amo";
    let told = house.say(head.as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("body_too_slow"), "{told}");
    let head =
        "POST /v1/notifications/alipay/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\na=";
    let told = house.say(head.as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    house.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_or_malformed_is_refused() {
    let house = House::open(Limits { head_time: Duration::from_secs(2), ..Limits::default() }).await;
    let long = "a".repeat(40_000);
    let many: String = (0..100).map(|number| format!("X-{number}: 1\r\n")).collect();
    let body = "x".repeat(100_000);
    for (what, said, statuses) in [
        ("a long header", format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), &["431"][..]),
        ("many headers", format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n"), &["431"]),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), &["414", "431"]),
        (
            "a long body",
            format!(
                "POST /v1/payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n{body}"
            ),
            &["413"],
        ),
        (
            "a long body in chunks",
            format!(
                "POST /v1/notifications/alipay/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 Transfer-Encoding: chunked\r\n\r\n186a0\r\n{body}\r\n0\r\n\r\n"
            ),
            &["413"],
        ),
        (
            "a chunk that is none",
            "POST /v1/payments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n".into(),
            &["400", "413"],
        ),
        (
            "two lengths",
            "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into(),
            &["400"],
        ),
        ("no HTTP", "hello, is this the till?\r\n\r\n".into(), &["400"]),
        ("another version", "GET /healthz HTTP/7.3\r\n\r\n".into(), &["400", "505"]),
        ("a NUL in a header", "GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n".into(), &["400"]),
        ("a TLS handshake", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".into(), &["400"]),
    ] {
        let told = house.say(said.as_bytes()).await;
        let status = told.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{what}: {told}");
        house.is_well().await;
    }
    // A length beside chunks is how requests are smuggled past a proxy: the second must not be seen as a request.
    let smuggled = "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\
                    Connection: close\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let told = house.say(smuggled.as_bytes()).await;
    assert!(!told.contains("\"status\":\"ok\""), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_signatures_lock_a_key_out_where_they_came_from() {
    let house = House::open(Limits { bad_signatures: 5, ..Limits::default() }).await;
    let to = house.address();
    let good = || Signed::new("GET", "/v1/channels", "");
    assert_eq!(good().send(&house, to).await.0, 200);
    for _ in 0..5 {
        let bad = Signed::by("till-1", "guessed", 0, "GET", "/v1/channels", "");
        assert_eq!(bad.send(&house, to).await.1, "bad_signature");
    }
    let (status, code, wait) = good().send(&house, to).await;
    assert_eq!((status, code.as_str()), (429, "locked_out"));
    assert!((1..=60).contains(&wait.unwrap().parse::<u32>().unwrap()));
    // Others are not locked out with it, and keys that nobody has are counted apart.
    let other = || Signed::by("till-2", SECRET, 0, "GET", "/v1/channels", "");
    assert_eq!(other().send(&house, to).await.0, 200);
    for number in 0..5 {
        let stranger = Signed::by(&format!("guess-{number}"), "x", 0, "GET", "/v1/channels", "");
        assert_eq!(stranger.send(&house, to).await.1, "bad_signature");
    }
    let stranger = Signed::by("guess-6", "x", 0, "GET", "/v1/channels", "");
    assert_eq!(stranger.send(&house, to).await.1, "locked_out");
    assert_eq!(other().send(&house, to).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_calls_too_often_waits() {
    let house = House::open(Limits { calls_per_second: 1, ..Limits::default() }).await;
    let mut codes = Vec::new();
    for _ in 0..30 {
        codes.push(Signed::new("GET", "/v1/channels", "").send(&house, house.address()).await);
    }
    assert_eq!(codes[0].0, 200);
    let (status, code, wait) = codes.iter().find(|(status, ..)| *status != 200).expect("thirty at once are too many");
    assert_eq!((*status, code.as_str(), wait.as_deref()), (429, "too_many_requests", Some("1")));
    assert_eq!(Signed::by("till-2", SECRET, 0, "GET", "/v1/channels", "").send(&house, house.address()).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_counts_once_also_after_a_new_start_and_at_another_process() {
    let house = House::open(Limits::default()).await;
    let old = Signed::by("till-1", SECRET, -30, "GET", "/v1/channels", "");
    let (status, code, _) = old.send(&house, house.address()).await;
    assert_eq!((status, code.as_str()), (401, "stale_request"), "signed before the server started");
    for off in [-302, 302] {
        let stale = Signed::by("till-1", SECRET, off, "GET", "/v1/channels", "");
        assert_eq!(stale.send(&house, house.address()).await.1, "stale_request");
    }

    let acting = Signed::new("POST", "/v1/stores", r#"{"id":"store-7","name":"Seven"}"#);
    assert_eq!(acting.send(&house, house.address()).await.0, 201);
    assert_eq!(acting.send(&house, house.address()).await.1, "replayed_request");
    // Another process on the same books has never seen it, and knows of it all the same.
    let other = start(&house.engine, Limits::default()).await;
    let (status, code, _) = acting.send(&house, other.local_addr()).await;
    assert_eq!(status, 401);
    assert!(["replayed_request", "stale_request"].contains(&code.as_str()), "{code}");
    let renamed = Signed::new("PATCH", "/v1/stores/store-7", r#"{"name":"Eight"}"#);
    assert_eq!(renamed.send(&house, other.local_addr()).await.0, 200);
    assert_eq!(renamed.send(&house, house.address()).await.1, "replayed_request", "from the books alone");
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_clock_is_set_back_goes_on_letting_in() {
    let off = Arc::new(Off(AtomicI64::new(3_600_000)));
    let house = House::open_by(Clock::given(off.clone()), Limits::default()).await;
    let now = || Signed::new("GET", "/v1/channels", "");
    assert_eq!(now().send(&house, house.address()).await.1, "stale_request", "an hour off");
    off.0.store(0, Ordering::Relaxed);
    assert_eq!(now().send(&house, house.address()).await.0, 200);
    let earlier = Signed::by("till-1", SECRET, -30, "GET", "/v1/channels", "");
    assert_eq!(earlier.send(&house, house.address()).await.1, "stale_request", "from before it was set back");
}
