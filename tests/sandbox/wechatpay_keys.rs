//! The keys of WeChat Pay's platform as a merchant meets them: certificates that follow one another, the public key,
//! signatures that are none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::HeaderMap;
use scantill::crypto::RsaPublicKey;
use serde_json::{Value, json};

use crate::house::{House, Merchant};
use crate::wechatpay::{NATIVE, Request, call, native, open, order, refused, signed, state};

/// Every certificate that the platform hands out: the serial number and the key.
async fn certificates(house: &House) -> Vec<(String, RsaPublicKey)> {
    let (_, _, body) = Request::new(house, "GET", "/v3/certificates", &Value::Null).send(house).await.unwrap();
    let told: Value = serde_json::from_slice(&body).unwrap();
    let held = told["data"].as_array().unwrap().iter().map(|certificate| {
        let pem = String::from_utf8(open(house, &certificate["encrypt_certificate"])).unwrap();
        let (key, serial) = RsaPublicKey::from_certificate_pem(&pem).unwrap();
        assert_eq!(certificate["serial_no"], json!(serial));
        assert!(certificate["effective_time"].as_str() < certificate["expire_time"].as_str());
        (serial, key)
    });
    held.collect()
}

/// Who signed a call's answer that named `asked` in its header.
async fn signer(house: &House, asked: &str) -> (String, HeaderMap, Vec<u8>) {
    let request = Request::new(house, "GET", "/v3/refund/domestic/refunds/none", &Value::Null);
    let (_, headers, body) = request.with("wechatpay-serial", asked).send(house).await.unwrap();
    (headers["wechatpay-serial"].to_str().unwrap().to_owned(), headers, body)
}

fn is_signed(key: &RsaPublicKey, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers[name].to_str().unwrap();
    let mut message = format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    key.verify_base64(&message, header("wechatpay-signature")).is_ok()
}

#[tokio::test]
async fn certificates_are_sealed_and_are_the_ones_that_sign() {
    let house = House::open().await;
    let held = certificates(&house).await;
    let [(serial, key)] = held.as_slice() else { panic!("one") };
    let own = House::text(&house.wechatpay, "platform_certificate");
    assert_eq!(RsaPublicKey::from_certificate_pem(own).unwrap(), (key.clone(), serial.clone()));
    assert_eq!(serial.len(), 40);

    // The serial in the request says which key the merchant holds.
    let public_key_id = House::text(&house.wechatpay, "platform_public_key_id");
    let public_key = House::public(&house.wechatpay, "platform_public_key");
    assert_ne!(&public_key, key, "the public key is no certificate's");
    for (asked, signs, key) in [
        (public_key_id, public_key_id, &public_key),
        (serial, serial, key),
        (&serial.to_lowercase(), serial, key),
        ("", serial, key),
        ("ABCDEF", serial, key),
    ] {
        let (signed_by, headers, body) = signer(&house, asked).await;
        assert_eq!(signed_by, signs, "asked for {asked:?}");
        assert!(is_signed(key, &headers, &body) && !headers["request-id"].is_empty());
    }
}

#[tokio::test]
async fn a_new_certificate_signs_while_the_old_one_holds_on() {
    let house = House::open().await;
    let merchant = Merchant::open(0).await;
    let old = certificates(&house).await.remove(0);
    // An order that was placed by the old certificate.
    let mut body = order(&house, "rotated1", 100);
    body["notify_url"] = json!(merchant.url);
    let (_, told) = signed(&house, Request::new(&house, "POST", NATIVE, &body).with("wechatpay-serial", &old.0)).await;

    let rotated = house.post("/sandbox/wechatpay/rotate", Value::Null).await;
    assert_eq!(rotated["previous_serial_no"], json!(old.0));
    let held = certificates(&house).await;
    let serials: Vec<_> = held.iter().map(|(serial, _)| serial.as_str()).collect();
    assert_eq!(serials, [rotated["serial_no"].as_str().unwrap(), old.0.as_str()], "the new and the old");
    let new = &held[0];
    for (asked, signs) in [("", new), (new.0.as_str(), new), (old.0.as_str(), &old)] {
        let (signed_by, headers, body) = signer(&house, asked).await;
        assert_eq!(signed_by, signs.0);
        assert!(is_signed(&signs.1, &headers, &body));
    }
    // Its notification is signed by what signs now: a merchant who does not know it yet fetches the list anew.
    house.scan("wechatpay-1", told["code_url"].as_str().unwrap(), Some(true)).await;
    let delivery = merchant.wait(1).await.remove(0);
    assert_eq!(delivery.headers["wechatpay-serial"].to_str().unwrap(), new.0);
    assert!(is_signed(&new.1, &delivery.headers, &delivery.body));

    house.post("/sandbox/wechatpay/rotate", Value::Null).await;
    assert_eq!(certificates(&house).await.len(), 2);
    let (signed_by, ..) = signer(&house, &old.0).await;
    assert!(signed_by != old.0 && signed_by != new.0, "what was withdrawn signs no more");
}

#[tokio::test]
async fn a_merchant_with_the_public_key_alone_has_no_certificates() {
    let house = House::open().await;
    let (status, now) = house.control("PATCH", "/sandbox/wechatpay", json!({ "public_key_only": true })).await;
    assert_eq!((status, &now["public_key_only"], &now["refunds"]), (200, &json!(true), &json!("at_once")));
    refused(&call(&house, "GET", "/v3/certificates", Value::Null).await, 404, "RESOURCE_NOT_EXISTS");
    let (signed_by, headers, body) = signer(&house, "").await;
    assert_eq!(signed_by, House::text(&house.wechatpay, "platform_public_key_id"));
    assert!(is_signed(&House::public(&house.wechatpay, "platform_public_key"), &headers, &body));
    house.control("PATCH", "/sandbox/wechatpay", json!({ "public_key_only": false })).await;
    assert_eq!(certificates(&house).await.len(), 1);
    let (status, problem) = house.control("PATCH", "/sandbox/wechatpay", json!({ "colour": "red" })).await;
    assert_eq!((status, &problem["code"]), (422, &json!("bad_request")));
}

#[tokio::test]
async fn the_control_calls_about_it_are_described() {
    let house = House::open().await;
    let (_, document) = house.control("GET", "/sandbox/openapi.json", Value::Null).await;
    for (path, method) in [("", "patch"), ("/rotate", "post"), ("/probe", "post")] {
        assert!(document["paths"][format!("/sandbox/wechatpay{path}")][method].is_object(), "{method} {path}");
    }
}

#[tokio::test]
async fn probes_are_signed_by_nobody() {
    let house = House::open().await;
    // An answer: carried out, and nothing to believe.
    house.control("PATCH", "/sandbox/wechatpay", json!({ "probes": 1 })).await;
    let mut body = order(&house, "probed1", 100);
    body["notify_url"] = json!("https://example.com/notify");
    let (status, headers, told) = Request::new(&house, "POST", NATIVE, &body).send(&house).await.unwrap();
    assert_eq!(status, 200);
    let signature = headers["wechatpay-signature"].to_str().unwrap();
    assert!(signature.starts_with("WECHATPAY/SIGNTEST/"), "{signature}");
    let (_, key) = certificates(&house).await.remove(0);
    assert!(!is_signed(&key, &headers, &told));
    assert_eq!(state(&house, "probed1").await, "NOTPAY", "the next answer is signed again");
    let payload = native(&house, "probed1", 100).await;
    assert_eq!(serde_json::from_slice::<Value>(&told).unwrap()["code_url"], json!(payload));

    // A notification: a merchant that verifies refuses it, and is told apart from one that does not.
    let merchant = Merchant::open(1).await;
    let probe = async || house.post("/sandbox/wechatpay/probe", json!({ "url": merchant.url })).await;
    assert_eq!(probe().await, json!({ "status": 500, "refused": true }));
    assert_eq!(probe().await, json!({ "status": 200, "refused": false }));
    for delivery in merchant.got() {
        let signature = delivery.headers["wechatpay-signature"].to_str().unwrap();
        let rest = signature.strip_prefix("WECHATPAY/SIGNTEST/").unwrap();
        assert!(BASE64.decode(rest).is_ok() && !is_signed(&key, &delivery.headers, &delivery.body));
        let told: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(told["event_type"], "TRANSACTION.SUCCESS");
    }
    let (status, problem) =
        house.control("POST", "/sandbox/wechatpay/probe", json!({ "url": "http://127.0.0.1:1/" })).await;
    assert_eq!((status, &problem["code"]), (502, &json!("no_answer")));
}
