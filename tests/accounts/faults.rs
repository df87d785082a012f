//! What a new merchant does wrong, and what is wrong around him: the cause and the cure in words.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{stderr, stdout};
use crate::{Shop, another_key, json_of};

/// Tests credentials that are not stored, by `add --test`: nothing may be stored where it fails.
fn tried(shop: &Shop, channel: &str, base_url: &str, spoil: impl FnOnce(&mut Value)) -> Value {
    let mut credentials = shop.credentials(channel);
    spoil(&mut credentials);
    let args = ["add", "--channel", channel, "--base-url", base_url, "--credentials", "-", "--test"];
    let output = shop.account_with(&[&args[..], &["--json"]].concat(), &credentials.to_string());
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert!(stderr(&output).contains("Nothing was stored"), "{}", stderr(&output));
    json_of(&output)
}

fn fails(told: &Value, fault: &str, cause: &str, cure: &str) {
    assert_eq!(told["ok"], false, "{told}");
    assert_eq!(told["fault"], fault, "{told}");
    assert!(told["cause"].as_str().unwrap().contains(cause), "{told}");
    assert!(told["cure"].as_str().unwrap().contains(cure), "{told}");
}

#[test]
fn the_way_to_the_gateway() {
    let shop = Shop::open();
    let tls = shop.sandbox_url.replace("http://", "https://");
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for channel in ["alipay", "wechatpay"] {
        let tried = |base_url: &str| tried(&shop, channel, base_url, |_| {});
        fails(&tried("https://gateway.invalid"), "host_unknown", "cannot be found", "address");
        fails(&tried(&nobody), "unreachable", "cannot be reached", "firewall");
        fails(&tried(&tls), "tls", "secure connection", "certificate");
        fails(&tried("ftp://127.0.0.1"), "base_url", "not an http", "Copy it");
    }
    let none = shop.account(&["list", "--json"]);
    assert!(!stdout(&none).contains("\"training\":false"), "{}", stdout(&none));
}

#[test]
fn a_credential_that_cannot_be_read_is_named_as_the_console_names_it() {
    let shop = Shop::open();
    let told =
        tried(&shop, "alipay", &shop.sandbox_url, |credentials| credentials["app_private_key"] = "nonsense".into());
    fails(&told, "credential", "Application private key", "provider's key tool");
    assert_eq!(told["field"], "app_private_key");
    let told = tried(&shop, "wechatpay", &shop.sandbox_url, |credentials| credentials["api_v3_key"] = "short".into());
    assert_eq!((told["fault"].as_str(), told["field"].as_str()), (Some("credential"), Some("api_v3_key")), "{told}");
}

#[test]
fn a_stored_account_is_tested_with_what_would_change_and_stays_as_it_is() {
    let shop = Shop::open();
    let _serve = crate::serve(shop.data.path());
    shop.add("alipay", "front");
    let key = shop.out.path().join("other.pem");
    std::fs::write(&key, another_key()).unwrap();
    let output = shop.account(&["test", "front", "--file", &format!("app_private_key={}", key.display()), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(json_of(&output)["ok"], false);
    let good = shop.account(&["test", "front"]);
    assert_eq!(good.status.code(), Some(0), "{}", stdout(&good));
    assert!(stdout(&good).contains("good"), "{}", stdout(&good));
}

/// A public key that belongs to nobody here.
fn another_public_key() -> String {
    scantill::crypto::RsaPrivateKey::generate().unwrap().public_key().to_spki_pem().unwrap()
}

#[test]
fn what_a_new_merchant_of_alipay_mixes_up() {
    let shop = Shop::open();
    let tried = |field: &str, value: String| tried(&shop, "alipay", &shop.sandbox_url, |all| all[field] = value.into());
    fails(
        &tried("app_private_key", another_key()),
        "wrong_key",
        "refuses our signature",
        "private key whose public half",
    );
    fails(&tried("app_id", "2021999999999999".into()), "wrong_app_id", "application id", "test and live");
    fails(&tried("alipay_public_key", another_public_key()), "provider_key_wrong", "provider's key", "PROVIDER's");
}

#[test]
fn what_a_new_merchant_of_wechat_pay_mixes_up() {
    let shop = Shop::open();
    let tried =
        |field: &str, value: String| tried(&shop, "wechatpay", &shop.sandbox_url, |all| all[field] = value.into());
    fails(
        &tried("merchant_private_key", another_key()),
        "wrong_key",
        "refuses our signature",
        "certificate and serial",
    );
    fails(&tried("appid", "wx0123456789abcdef".into()), "wrong_app_id", "application id", "test and live");
    fails(&tried("platform_public_key", another_public_key()), "provider_key_wrong", "provider's key", "PROVIDER's");
    let api_key = "0123456789abcdef0123456789abcdef".to_owned();
    fails(&tried("api_v3_key", api_key), "api_key_wrong", "API key", "set a new one");
}

#[test]
fn a_provider_that_is_out_of_order_is_not_the_merchants_fault() {
    let shop = Shop::with_faults("system_error:alipay:0,system_error:wechatpay:0");
    for channel in ["alipay", "wechatpay"] {
        let told = tried(&shop, channel, &shop.sandbox_url, |_| {});
        fails(&told, "provider_down", "out of order", "test again");
    }
    let shop = Shop::with_faults("down:alipay:0,down:wechatpay:0");
    for channel in ["alipay", "wechatpay"] {
        fails(&tried(&shop, channel, &shop.sandbox_url, |_| {}), "unreachable", "cannot be reached", "network");
    }
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much() {
    // The gateway's clock is eleven minutes behind: ours is ahead.
    let shop = Shop::with_faults("clock_skew:alipay:0:-660000,clock_skew:wechatpay:0:660000");
    let told = tried(&shop, "alipay", &shop.sandbox_url, |_| {});
    fails(&told, "clock_skew", "ahead of the provider's", "Set this machine's clock");
    assert!((650..=670).contains(&told["clock_ahead_seconds"].as_i64().unwrap()), "{told}");
    let told = tried(&shop, "wechatpay", &shop.sandbox_url, |_| {});
    fails(&told, "clock_skew", "clock", "Set this machine's clock");
}
