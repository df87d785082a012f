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
