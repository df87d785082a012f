//! The sandbox itself: its start, its files, its control calls.

use std::fs;

use scantill::crypto::{RsaPrivateKey, RsaPublicKey};
use scantill::sandbox::{Sandbox, SandboxConfig, SandboxError};
use serde_json::{Value, json};

use crate::house::{House, config};

#[tokio::test]
async fn wallets_are_listed_and_give_fresh_codes() {
    let house = House::open().await;
    let (_, wallets) = house.control("GET", "/sandbox/wallets", Value::Null).await;
    for (channel, prefix) in [("alipay", "28"), ("wechatpay", "13")] {
        let of: Vec<_> = wallets.as_array().unwrap().iter().filter(|wallet| wallet["channel"] == channel).collect();
        assert!(of.iter().any(|wallet| wallet["balance"] == 1_000_000));
        assert!(of.iter().any(|wallet| wallet["balance"] == 50));
        assert!(of.iter().all(|wallet| wallet["currency"] == "CNY" && wallet["ask_always"] == false));
        assert!(of.iter().all(|wallet| wallet["name"].as_str().is_some_and(|name| !name.is_empty())));
        let path = format!("/sandbox/wallets/{}/code", of[0]["id"].as_str().unwrap());
        let (one, other) = (house.post(&path, json!({})).await, house.post(&path, Value::Null).await);
        assert_ne!(one["auth_code"], other["auth_code"]);
        let code = one["auth_code"].as_str().unwrap();
        assert!(code.len() == 18 && code.starts_with(prefix) && code.bytes().all(|byte| byte.is_ascii_digit()));
        let ends: jiff::Timestamp = one["expires_at"].as_str().unwrap().parse().unwrap();
        let lasts = ends.as_second() - crate::house::seconds();
        assert!((50..=60).contains(&lasts), "{lasts}");
    }
}

#[tokio::test]
async fn what_a_phone_cannot_do_is_told_in_a_sentence() {
    let house = House::open().await;
    for (method, path, body, status, code) in [
        ("POST", "/sandbox/wallets/nobody/code", json!({}), 404, "not_found"),
        ("POST", "/sandbox/wallets/nobody/scan", json!({ "payload": "x" }), 404, "not_found"),
        ("POST", "/sandbox/wallets/alipay-1/scan", json!({ "payload": "https://example.com" }), 404, "not_found"),
        ("POST", "/sandbox/wallets/alipay-1/scan", json!({ "text": "x" }), 422, "bad_request"),
        ("POST", "/sandbox/wallets/alipay-1/scan", Value::Null, 415, "bad_request"),
        ("POST", "/sandbox/trades/trade-1/confirm", json!({}), 404, "not_found"),
        ("POST", "/sandbox/trades/trade-0/refuse", json!({}), 404, "not_found"),
        ("POST", "/sandbox/trades/x/refuse", json!({}), 404, "not_found"),
        ("POST", "/sandbox/faults", json!({ "fault": "explode" }), 422, "bad_request"),
        ("POST", "/sandbox/faults", json!({ "fault": "delay", "call": "sing" }), 400, "bad_request"),
        ("PATCH", "/sandbox/wallets/nobody", json!({ "ask_always": true }), 404, "not_found"),
    ] {
        let (got, problem) = house.control(method, path, body).await;
        assert_eq!((got, &problem["status"], &problem["code"]), (status, &json!(status), &json!(code)), "{path}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(' ')), "{problem}");
    }
}

#[tokio::test]
async fn the_control_calls_are_described() {
    let house = House::open().await;
    let (_, document) = house.control("GET", "/sandbox/openapi.json", Value::Null).await;
    for (path, method) in [
        ("/sandbox/wallets", "get"),
        ("/sandbox/wallets/{id}/code", "post"),
        ("/sandbox/wallets/{id}/scan", "post"),
        ("/sandbox/trades", "get"),
        ("/sandbox/trades/{id}/confirm", "post"),
        ("/sandbox/trades/{id}/refuse", "post"),
        ("/sandbox/trades/{id}/notify", "post"),
        ("/sandbox/faults", "post"),
        ("/sandbox/clock", "post"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    let told = document.to_string();
    for kind in
        ["lose", "late", "reorder", "duplicate", "forge", "replay", "wrong_amount", "clock_skew", "refuse", "down"]
    {
        assert!(told.contains(&format!("\"{kind}\"")), "{kind}");
    }
    assert!(document["info"]["description"].as_str().unwrap().contains("--faults"));
}

#[tokio::test]
async fn credentials_are_written_for_other_peoples_sdks() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("credentials");
    let house = House::with(SandboxConfig { out: Some(out.clone()), ..config() }).await;
    let told: Value = serde_json::from_slice(&fs::read(out.join("credentials.json")).unwrap()).unwrap();
    assert_eq!(told["base_url"], house.sandbox.base_url());
    let text =
        |channel: &str, field: &str| told[channel][field].as_str().unwrap_or_else(|| panic!("{field}")).to_owned();
    let file = |channel: &str, field: &str| {
        let name = text(channel, field);
        assert!(!name.contains('/'), "a relative path beside it: {name}");
        fs::read_to_string(out.join(name)).unwrap()
    };
    for field in ["app_id", "seller_id"] {
        assert_eq!(told["alipay"][field], house.alipay[field]);
    }
    let signs = |pem: &str| RsaPrivateKey::from_pem(pem).unwrap().sign_base64(b"x").unwrap();
    let (pkcs8, pkcs1) = (file("alipay", "app_private_key_pkcs8"), file("alipay", "app_private_key_pkcs1"));
    assert!(pkcs8.starts_with("-----BEGIN PRIVATE KEY-----") && pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!(signs(&pkcs8), signs(&pkcs1));
    assert_eq!(signs(&pkcs8), signs(House::text(&house.alipay, "app_private_key")));
    assert_eq!(file("alipay", "alipay_public_key"), House::text(&house.alipay, "alipay_public_key"));

    for field in ["appid", "mchid", "merchant_serial", "api_v3_key", "platform_public_key_id"] {
        assert_eq!(told["wechatpay"][field], house.wechatpay[field]);
    }
    assert_eq!(text("wechatpay", "api_v3_key").len(), 32);
    assert_eq!(text("wechatpay", "api_v2_key").len(), 32);
    let private = RsaPrivateKey::from_pem(&file("wechatpay", "merchant_private_key")).unwrap();
    let (merchant, serial) = RsaPublicKey::from_certificate_pem(&file("wechatpay", "merchant_certificate")).unwrap();
    merchant.verify_base64(b"x", &private.sign_base64(b"x").unwrap()).unwrap();
    assert_eq!(serial, text("wechatpay", "merchant_serial"));
    let (platform, serial) = RsaPublicKey::from_certificate_pem(&file("wechatpay", "platform_certificate")).unwrap();
    assert_eq!(serial, text("wechatpay", "platform_serial"));
    let public_key = RsaPublicKey::from_pem(&file("wechatpay", "platform_public_key")).unwrap();
    assert_ne!(public_key, platform, "the public key is no certificate's");
    assert!(text("wechatpay", "merchant_p12").ends_with(".p12"));

    #[cfg(unix)]
    for entry in fs::read_dir(&out).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn keys_stay_over_a_restart_and_codes_are_not_met_again() {
    let house = House::open().await;
    let first = (house.alipay.clone(), house.wechatpay.clone());
    let code = house.auth_code("alipay-1").await;
    house.sandbox.stop().await;
    let again = House::open().await;
    assert_eq!((again.alipay.clone(), again.wechatpay.clone()), first);
    assert_ne!(again.auth_code("alipay-1").await, code);
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_told_with_what_to_do() {
    let house = House::open().await;
    let taken = house.sandbox.base_url().trim_start_matches("http://").parse().unwrap();
    let error = Sandbox::start(SandboxConfig { listen: taken, ..config() }).await.err().unwrap();
    assert!(matches!(error, SandboxError::PortTaken { .. }));
    assert!(error.to_string().contains("--listen") && error.to_string().contains(&taken.to_string()), "{error}");

    let faults = Some("explode:alipay".to_owned());
    let error = Sandbox::start(SandboxConfig { faults, ..config() }).await.err().unwrap();
    assert!(error.to_string().contains("lose_answer"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("alipay.pem"), "not a key").unwrap();
    let keys_dir = Some(folder.path().to_owned());
    let error = Sandbox::start(SandboxConfig { keys_dir, ..config() }).await.err().unwrap();
    assert!(error.to_string().contains("alipay.pem"), "{error}");

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Sandbox::start(SandboxConfig { out: Some(file.join("out")), ..config() }).await.err().unwrap();
    assert!(matches!(error, SandboxError::File { .. }), "{error}");
}

#[tokio::test]
async fn it_is_reached_on_this_machine_wherever_it_listens() {
    for (listen, host) in [("0.0.0.0:0", "http://127.0.0.1:"), ("[::]:0", "http://[::1]:")] {
        let config = SandboxConfig { listen: listen.parse().unwrap(), ..config() };
        // A machine may have no IPv6.
        let Ok(sandbox) = Sandbox::start(config).await else { continue };
        assert!(sandbox.base_url().starts_with(host), "{}", sandbox.base_url());
        let answer = reqwest::get(format!("{}/sandbox/wallets", sandbox.base_url())).await.unwrap();
        assert!(answer.status().is_success());
    }
}
