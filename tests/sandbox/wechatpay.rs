//! WeChat Pay APIv3 as a merchant meets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::HeaderMap;
use scantill::crypto::{RsaPublicKey, open_aes256_gcm};
use serde_json::{Value, json};

use crate::house::{House, Merchant, seconds};

pub const CODEPAY: &str = "/v3/pay/transactions/codepay";
pub const NATIVE: &str = "/v3/pay/transactions/native";

/// A request that can be spoiled before it leaves.
pub struct Request {
    method: &'static str,
    pub path: String,
    body: String,
    timestamp: i64,
    mchid: String,
    serial: String,
    headers: Vec<(&'static str, String)>,
}

impl Request {
    pub fn new(house: &House, method: &'static str, path: &str, body: &Value) -> Self {
        Self {
            method,
            path: path.to_owned(),
            body: if body.is_null() { String::new() } else { body.to_string() },
            timestamp: seconds(),
            mchid: House::text(&house.wechatpay, "mchid").to_owned(),
            serial: House::text(&house.wechatpay, "merchant_serial").to_owned(),
            headers: [("accept", "application/json"), ("user-agent", "a till"), ("content-type", "application/json")]
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub fn authorization(&self, house: &House) -> String {
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let message = format!("{}\n{}\n{}\n{nonce}\n{}\n", self.method, self.path, self.timestamp, self.body);
        let signature = House::private(&house.wechatpay, "merchant_private_key").sign_base64(message.as_bytes());
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",signature=\"{}\",timestamp=\"{}\",serial_no=\"{}\"",
            self.mchid,
            signature.unwrap(),
            self.timestamp,
            self.serial
        )
    }

    pub async fn send(self, house: &House) -> Result<(u16, HeaderMap, Vec<u8>), reqwest::Error> {
        let authorization = self.authorization(house);
        self.send_as(house, &authorization).await
    }

    pub async fn send_as(
        self,
        house: &House,
        authorization: &str,
    ) -> Result<(u16, HeaderMap, Vec<u8>), reqwest::Error> {
        let request = house.http.request(self.method.parse().unwrap(), house.url(&self.path));
        let request = request.header("authorization", authorization).body(self.body);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.headers().clone(), answer.bytes().await?.to_vec()))
    }
}

/// Which of the platform's keys a merchant holds.
fn platform(house: &House, serial: &str) -> RsaPublicKey {
    if serial == House::text(&house.wechatpay, "platform_public_key_id") {
        return House::public(&house.wechatpay, "platform_public_key");
    }
    let certificate = House::text(&house.wechatpay, "platform_certificate");
    let (key, own) = RsaPublicKey::from_certificate_pem(certificate).unwrap();
    assert_eq!(serial, own, "signed with a key that nobody was given");
    key
}

pub fn verify(house: &House, header: impl Fn(&str) -> String, body: &[u8]) {
    assert_eq!(header("wechatpay-signature-type"), "WECHATPAY2-SHA256-RSA2048");
    let timestamp = header("wechatpay-timestamp");
    assert!(timestamp.parse::<i64>().unwrap().abs_diff(seconds()) < 300);
    let mut message = format!("{timestamp}\n{}\n", header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let key = platform(house, &header("wechatpay-serial"));
    key.verify_base64(&message, &header("wechatpay-signature")).unwrap();
}

/// A call whose answer has to be signed.
pub async fn call(house: &House, method: &'static str, path: &str, body: Value) -> (u16, Value) {
    signed(house, Request::new(house, method, path, &body)).await
}

pub async fn signed(house: &House, request: Request) -> (u16, Value) {
    let (status, headers, body) = request.send(house).await.unwrap();
    verify(house, |name| headers[name].to_str().unwrap().to_owned(), &body);
    (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

pub fn order(house: &House, number: &str, fen: i64) -> Value {
    json!({
        "appid": house.wechatpay["appid"], "mchid": house.wechatpay["mchid"], "description": "一碗面",
        "out_trade_no": number, "attach": "till 3", "amount": { "total": fen, "currency": "CNY" },
    })
}

pub async fn codepay(house: &House, number: &str, fen: i64, auth_code: &str) -> (u16, Value) {
    let mut body = order(house, number, fen);
    body["payer"] = json!({ "auth_code": auth_code });
    body["scene_info"] = json!({ "store_info": { "out_id": "1" } });
    call(house, "POST", CODEPAY, body).await
}

pub async fn native(house: &House, number: &str, fen: i64) -> String {
    let mut body = order(house, number, fen);
    body["notify_url"] = json!("https://example.com/notify");
    let (status, told) = call(house, "POST", NATIVE, body).await;
    assert_eq!(status, 200, "{told}");
    told["code_url"].as_str().unwrap().to_owned()
}

pub async fn query(house: &House, number: &str) -> (u16, Value) {
    let mchid = House::text(&house.wechatpay, "mchid");
    call(house, "GET", &format!("/v3/pay/transactions/out-trade-no/{number}?mchid={mchid}"), Value::Null).await
}

pub async fn state(house: &House, number: &str) -> String {
    let (status, told) = query(house, number).await;
    assert_eq!(status, 200, "{told}");
    told["trade_state"].as_str().unwrap().to_owned()
}

pub async fn reverse(house: &House, number: &str) -> (u16, Value) {
    let body = json!({ "appid": house.wechatpay["appid"], "mchid": house.wechatpay["mchid"] });
    call(house, "POST", &format!("/v3/pay/transactions/out-trade-no/{number}/reverse"), body).await
}

pub async fn close(house: &House, number: &str) -> (u16, Value) {
    let body = json!({ "mchid": house.wechatpay["mchid"] });
    call(house, "POST", &format!("/v3/pay/transactions/out-trade-no/{number}/close"), body).await
}

pub fn refused((status, told): &(u16, Value), wanted: u16, code: &str) {
    assert_eq!((*status, &told["code"]), (wanted, &json!(code)), "{told}");
    assert!(told["message"].as_str().is_some_and(|words| !words.is_ascii()), "in Chinese: {told}");
}

#[tokio::test]
async fn a_payment_code_pays_once() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let (status, told) = codepay(&house, "number1", 1_234, &code).await;
    assert_eq!((status, &told["trade_state"]), (200, &json!("SUCCESS")), "{told}");
    assert_eq!((&told["trade_type"], &told["attach"]), (&json!("MICROPAY"), &json!("till 3")));
    assert_eq!((&told["amount"]["total"], &told["amount"]["payer_total"]), (&json!(1_234), &json!(1_234)));
    assert_eq!((&told["appid"], &told["mchid"]), (&house.wechatpay["appid"], &house.wechatpay["mchid"]));
    assert!(told["success_time"].as_str().unwrap().ends_with("+08:00") && told["payer"]["openid"].is_string());
    assert_eq!(house.balance("wechatpay-1").await, 1_000_000 - 1_234);

    assert_eq!(query(&house, "number1").await.1, told, "the query tells the same");
    let id = told["transaction_id"].as_str().unwrap();
    let mchid = House::text(&house.wechatpay, "mchid");
    let by_id = |id: &str| format!("/v3/pay/transactions/id/{id}?mchid={mchid}");
    assert_eq!(call(&house, "GET", &by_id(id), Value::Null).await, (200, told.clone()));
    refused(&call(&house, "GET", &by_id("number1"), Value::Null).await, 404, "ORDER_NOT_EXIST");
    let without = "/v3/pay/transactions/out-trade-no/number1";
    refused(&call(&house, "GET", without, Value::Null).await, 400, "PARAM_ERROR");

    refused(&codepay(&house, "number1", 1_234, &code).await, 400, "ORDERPAID");
    refused(&codepay(&house, "number2", 1_234, &code).await, 400, "AUTH_CODE_EXPIRE");
    let fresh = house.auth_code("wechatpay-1").await;
    refused(&codepay(&house, "number1", 1_235, &fresh).await, 403, "OUT_TRADE_NO_USED");
    refused(&query(&house, "number2").await, 404, "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn codes_that_are_none_ran_out_or_have_no_money_are_refused() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    house.advance(60).await;
    refused(&codepay(&house, "expired", 100, &code).await, 400, "AUTH_CODE_EXPIRE");
    refused(&codepay(&house, "unknown", 100, "131111222233334444").await, 400, "AUTH_CODE_INVALID");
    for code in ["13", "abc", "281111222233334444", "1311112222333344445"] {
        refused(&codepay(&house, "malformed", 100, code).await, 400, "AUTH_CODE_INVALID");
    }
    let poor = house.auth_code("wechatpay-2").await;
    refused(&codepay(&house, "poorly", 51, &poor).await, 403, "NOT_ENOUGH");
}

#[tokio::test]
async fn over_a_thousand_the_customer_confirms_refuses_or_lets_it_run_out() {
    let house = House::open().await;
    let wait = async |number: &str| {
        let code = house.auth_code("wechatpay-1").await;
        let (status, told) = codepay(&house, number, 100_001, &code).await;
        assert_eq!((status, &told["trade_state"]), (202, &json!("USERPAYING")), "accepted, not done: {told}");
        assert!(told["transaction_id"].is_null() && told["success_time"].is_null());
        assert_eq!(state(&house, number).await, "USERPAYING");
        house.trade(number).await["id"].as_str().unwrap().to_owned()
    };
    let id = wait("confirmed").await;
    house.post(&format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!(state(&house, "confirmed").await, "SUCCESS");
    let id = wait("refused").await;
    house.post(&format!("/sandbox/trades/{id}/refuse"), Value::Null).await;
    assert_eq!(state(&house, "refused").await, "PAYERROR");
    let id = wait("run-out").await;
    house.advance(60).await;
    assert_eq!(state(&house, "run-out").await, "CLOSED");
    let (status, problem) = house.control("POST", &format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (409, &json!("closed")));
    assert_eq!(house.balance("wechatpay-1").await, 1_000_000 - 100_001);

    let (status, wallet) = house.control("PATCH", "/sandbox/wallets/wechatpay-1", json!({ "ask_always": true })).await;
    assert_eq!((status, &wallet["ask_always"]), (200, &json!(true)));
    let code = house.auth_code("wechatpay-1").await;
    assert_eq!(codepay(&house, "always-asked", 1, &code).await.0, 202);
}

#[tokio::test]
async fn reversing_waits_a_quarter_minute_returns_the_money_and_is_for_codes_only() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    codepay(&house, "reverse1", 5_000, &code).await;
    refused(&reverse(&house, "reverse1").await, 400, "INVALID_REQUEST");
    assert_eq!(state(&house, "reverse1").await, "SUCCESS");
    house.advance(15).await;
    for _ in 0..2 {
        let (status, told) = reverse(&house, "reverse1").await;
        assert_eq!(
            (status, &told["out_trade_no"], &told["mchid"]),
            (200, &json!("reverse1"), &house.wechatpay["mchid"])
        );
        assert_eq!(house.balance("wechatpay-1").await, 1_000_000, "once");
    }
    assert_eq!(state(&house, "reverse1").await, "REVOKED");
    refused(&codepay(&house, "reverse1", 5_000, &code).await, 400, "ORDER_CLOSED");

    let code = house.auth_code("wechatpay-1").await;
    codepay(&house, "reverse2", 100_001, &code).await;
    let id = house.trade("reverse2").await["id"].as_str().unwrap().to_owned();
    house.advance(15).await;
    assert_eq!(reverse(&house, "reverse2").await.0, 200);
    let (status, _) = house.control("POST", &format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!(status, 409, "a reversed order cannot be paid");

    native(&house, "reverse3", 100).await;
    house.advance(15).await;
    refused(&reverse(&house, "reverse3").await, 400, "INVALID_REQUEST");
    refused(&reverse(&house, "reverse4").await, 404, "ORDER_NOT_EXIST");
    let code = house.auth_code("wechatpay-1").await;
    codepay(&house, "reverse5", 100, &code).await;
    house.advance(7 * 86_400).await;
    refused(&reverse(&house, "reverse5").await, 400, "REVERSE_EXPIRE");
}

#[tokio::test]
async fn a_shown_order_is_scanned_paid_or_closed() {
    let house = House::open().await;
    let payload = native(&house, "native1", 880).await;
    assert!(payload.starts_with("weixin://wxpay/bizpayurl?pr="), "{payload}");
    assert_eq!(state(&house, "native1").await, "NOTPAY");
    assert_eq!(native(&house, "native1", 880).await, payload, "the same order, the same code");
    assert_eq!(house.scan("wechatpay-1", &payload, None).await.1["state"], "WAIT_BUYER_PAY");
    assert_eq!(state(&house, "native1").await, "NOTPAY", "the platform tells nothing of a scan");
    assert_eq!(house.scan("wechatpay-1", &payload, Some(true)).await.1["state"], "SUCCESS");
    assert_eq!(query(&house, "native1").await.1["trade_type"], "NATIVE");
    refused(&close(&house, "native1").await, 400, "ORDERPAID");
    let (status, problem) = house.scan("wechatpay-1", &payload, Some(true)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("paid")));

    let payload = native(&house, "native2", 880).await;
    for _ in 0..2 {
        assert_eq!(close(&house, "native2").await, (204, Value::Null), "signed over an empty body");
    }
    assert_eq!(state(&house, "native2").await, "CLOSED");
    assert_eq!(house.scan("wechatpay-1", &payload, Some(true)).await.0, 409);
    refused(&close(&house, "native3").await, 404, "ORDER_NOT_EXIST");

    let mut body = order(&house, "native4", 100);
    body["time_expire"] = json!(format!("{}+08:00", crate::house::china(60).replace(' ', "T")));
    body["notify_url"] = json!("https://example.com/notify");
    let (_, told) = call(&house, "POST", NATIVE, body.clone()).await;
    house.advance(60).await;
    assert_eq!(house.scan("wechatpay-1", told["code_url"].as_str().unwrap(), Some(true)).await.0, 409);
    assert_eq!(state(&house, "native4").await, "CLOSED");
    body["out_trade_no"] = json!("native5");
    refused(&call(&house, "POST", NATIVE, body).await, 400, "PARAM_ERROR");
    let payload = native(&house, "native6", 100).await;
    house.advance(7_200).await;
    assert_eq!(house.scan("wechatpay-1", &payload, Some(true)).await.0, 409, "two hours unless said");
}

#[tokio::test]
async fn the_merchant_is_told_sealed_and_signed_and_again_until_it_acknowledges() {
    let house = House::open().await;
    let merchant = Merchant::open(2).await;
    let ask = async |number: &str, serial: &str| {
        let mut body = order(&house, number, 666);
        body["notify_url"] = json!(merchant.url);
        let request = Request::new(&house, "POST", NATIVE, &body).with("wechatpay-serial", serial);
        let (_, told) = signed(&house, request).await;
        house.scan("wechatpay-1", told["code_url"].as_str().unwrap(), Some(true)).await;
    };
    let public_key_id = House::text(&house.wechatpay, "platform_public_key_id");
    ask("told-of1", public_key_id).await;
    let got = merchant.wait(3).await;
    let mut ids = Vec::new();
    for delivery in &got {
        let header = |name: &str| delivery.headers[name].to_str().unwrap().to_owned();
        verify(&house, header, &delivery.body);
        assert_eq!(header("wechatpay-serial"), public_key_id, "the key that the merchant holds");
        let told: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(
            (&told["event_type"], &told["resource_type"]),
            (&json!("TRANSACTION.SUCCESS"), &json!("encrypt-resource"))
        );
        ids.push(told["id"].as_str().unwrap().to_owned());
        assert_eq!(told["resource"]["original_type"], "transaction");
        let plain = open(&house, &told["resource"]);
        let transaction: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(transaction, query(&house, "told-of1").await.1);
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "a repeat is known by its id");

    // One that names no key, or a certificate, is told by the certificate. A code payment is not told of at all.
    let mut body = order(&house, "told-of2", 1);
    body["notify_url"] = json!(merchant.url);
    body["payer"] = json!({ "auth_code": house.auth_code("wechatpay-1").await });
    assert_eq!(call(&house, "POST", CODEPAY, body).await.0, 200);
    ask("told-of3", "").await;
    let got = merchant.wait(4).await;
    let last = got.last().unwrap();
    let header = |name: &str| last.headers[name].to_str().unwrap().to_owned();
    verify(&house, header, &last.body);
    assert_ne!(header("wechatpay-serial"), public_key_id);
    let told: Value = serde_json::from_slice(&last.body).unwrap();
    let transaction: Value = serde_json::from_slice(&open(&house, &told["resource"])).unwrap();
    assert_eq!(transaction["out_trade_no"], "told-of3");
}

pub fn open(house: &House, sealed: &Value) -> Vec<u8> {
    assert_eq!(sealed["algorithm"], "AEAD_AES_256_GCM");
    let text = |field: &str| sealed[field].as_str().unwrap();
    let key = House::text(&house.wechatpay, "api_v3_key");
    let cipher = BASE64.decode(text("ciphertext")).unwrap();
    open_aes256_gcm(key.as_bytes(), text("nonce").as_bytes(), text("associated_data").as_bytes(), &cipher).unwrap()
}

#[tokio::test]
async fn what_is_not_signed_by_the_merchant_is_refused_before_anything_is_done() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let mut body = order(&house, "stranger", 100);
    body["payer"] = json!({ "auth_code": code });
    let good = || Request::new(&house, "POST", CODEPAY, &body);
    let told = |(status, headers, body): (u16, HeaderMap, Vec<u8>)| {
        assert!(!headers.contains_key("wechatpay-signature"), "a stranger gets no signature");
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let authorization = good().authorization(&house);
    let mut changed = good();
    changed.body = changed.body.replace("100", "999");
    let answer = told(changed.send_as(&house, &authorization).await.unwrap());
    refused(&answer, 401, "SIGN_ERROR");
    let detail = &answer.1["detail"];
    assert_eq!((&detail["location"], &detail["detail"]["issue"]), (&json!("authorization"), &json!("sign not match")));
    let mut other_path = good();
    other_path.path = format!("{CODEPAY}?x=1");
    refused(&told(other_path.send_as(&house, &authorization).await.unwrap()), 401, "SIGN_ERROR");

    for after in [-301, 301] {
        let mut stale = good();
        stale.timestamp += after;
        refused(&told(stale.send(&house).await.unwrap()), 401, "SIGN_ERROR");
    }
    let mut serial = good();
    serial.serial = "7".repeat(40);
    refused(&told(serial.send(&house).await.unwrap()), 401, "SIGN_ERROR");
    let mut mchid = good();
    mchid.mchid = "1900009999".into();
    refused(&told(mchid.send(&house).await.unwrap()), 401, "SIGN_ERROR");
    for authorization in ["", "Bearer x", "WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SHA256-RSA2048 ,,=\",", "面"] {
        refused(&told(good().send_as(&house, authorization).await.unwrap()), 401, "SIGN_ERROR");
    }
    refused(&told(good().with("user-agent", "").send(&house).await.unwrap()), 400, "INVALID_REQUEST");
    refused(&told(good().with("accept", "text/html").send(&house).await.unwrap()), 400, "INVALID_REQUEST");

    // None of it used the code up or made a trade.
    let (status, told) = signed(&house, good()).await;
    assert_eq!(status, 200, "{told}");
}

#[tokio::test]
async fn orders_that_are_none_are_refused() {
    let house = House::open().await;
    for (field, value, code) in [
        ("out_trade_no", json!("short"), "PARAM_ERROR"),
        ("out_trade_no", json!("x".repeat(33)), "PARAM_ERROR"),
        ("out_trade_no", json!("面面面面面面"), "PARAM_ERROR"),
        ("description", json!(""), "PARAM_ERROR"),
        ("description", json!("x".repeat(128)), "PARAM_ERROR"),
        ("amount", json!({ "total": 0 }), "PARAM_ERROR"),
        ("amount", json!({ "total": 1.5 }), "PARAM_ERROR"),
        ("amount", json!({ "total": "100" }), "PARAM_ERROR"),
        ("amount", json!({ "total": 1, "currency": "USD" }), "PARAM_ERROR"),
        ("notify_url", json!("example.com"), "PARAM_ERROR"),
        ("mchid", json!("1900009999"), "PARAM_ERROR"),
        ("mchid", Value::Null, "PARAM_ERROR"),
        ("appid", json!("wx9999999999999999"), "APPID_MCHID_NOT_MATCH"),
    ] {
        let mut body = order(&house, "order-ok", 100);
        body[field] = value.clone();
        let answer = call(&house, "POST", NATIVE, body).await;
        assert_eq!((answer.0, &answer.1["code"]), (400, &json!(code)), "{field} {value}: {}", answer.1);
    }
    let mut not_json = Request::new(&house, "POST", NATIVE, &Value::Null);
    not_json.body = "amount=1".into();
    assert_eq!(signed(&house, not_json).await.0, 400);
}

#[tokio::test]
async fn faults_break_the_calls_that_they_name() {
    let house = House::open().await;
    let fault = async |fault: Value| house.post("/sandbox/faults", fault).await;
    let mut body = order(&house, "faulty1", 200);
    body["payer"] = json!({ "auth_code": house.auth_code("wechatpay-1").await });
    let attempt = async || Request::new(&house, "POST", CODEPAY, &body).send(&house).await;
    fault(json!({ "fault": "lose_request", "channel": "wechatpay", "call": "pay" })).await;
    assert!(attempt().await.is_err());
    fault(json!({ "fault": "system_error", "channel": "wechatpay", "call": "codepay" })).await;
    let (status, told) = signed(&house, Request::new(&house, "POST", CODEPAY, &body)).await;
    refused(&(status, told), 500, "SYSTEM_ERROR");
    refused(&query(&house, "faulty1").await, 404, "ORDER_NOT_EXIST");
    fault(json!({ "fault": "lose_answer", "channel": null, "call": "pay", "times": 1, "delay_ms": 0 })).await;
    assert!(attempt().await.is_err());
    assert_eq!(state(&house, "faulty1").await, "SUCCESS", "it was carried out");
    fault(json!({ "fault": "down", "channel": "wechatpay", "times": 0 })).await;
    for _ in 0..3 {
        assert!(Request::new(&house, "GET", "/v3/certificates", &Value::Null).send(&house).await.is_err());
    }
    assert_eq!(house.control("DELETE", "/sandbox/faults", Value::Null).await.0, 204);
    assert_eq!(state(&house, "faulty1").await, "SUCCESS");
}
