//! What people give: accounts' credentials, key files, images.

use proptest::prelude::*;
use scantill::channel;
use scantill::crypto::{RsaPrivateKey, RsaPublicKey, certificates, read_pkcs12};

use crate::house::account;
use crate::mutate::{damaged, damaged_text};
use crate::run;

const KEY: &str = include_str!("../data/wire/key.pem");
const PUBLIC: &str = include_str!("../data/wire/key.pub.pem");

#[test]
fn damaged_credentials_are_told_without_their_values() {
    let secret = "0123456789abcdef0123456789abcdef";
    let samples = [
        serde_json::json!({ "app_id": "2021000000000001", "app_private_key": KEY, "alipay_public_key": PUBLIC }),
        serde_json::json!({
            "appid": "wx1", "mchid": "1900000001", "merchant_serial": "5A", "merchant_private_key": KEY,
            "api_v3_key": secret, "platform_public_key": PUBLIC, "platform_public_key_id": "PUB_KEY_ID_1",
        }),
    ]
    .map(|sample| sample.to_string());
    let samples: Vec<_> = samples.iter().map(String::as_str).collect();
    let channels = prop::sample::select(vec!["alipay", "wechatpay", "unionpay", "bank_transfer", "none"]);
    run(&(channels, damaged_text(&samples)), |(channel, credentials)| {
        if let Err(error) = channel::open(&account(channel, "https://gateway.example", credentials)) {
            let words = error.to_string();
            assert!(!words.contains(secret) && !words.contains("PRIVATE KEY"), "{words}");
        }
    });
}

#[test]
fn damaged_keys_and_certificates_are_errors() {
    let certificate = rcgen::generate_simple_self_signed(["sandbox.example".to_owned()]).unwrap().cert.pem();
    let samples = [KEY, PUBLIC, certificate.as_str()];
    run(&damaged_text(&samples), |text| {
        let _ = RsaPrivateKey::from_pem(&text).map(|key| key.sign(b"a message"));
        let _ = RsaPublicKey::from_pem(&text).map(|key| key.verify(b"a message", b"no signature").unwrap_err());
        let _ = certificates(&text).map(|all| all.iter().filter(|one| one.check_time(0).is_ok()).count());
    });
    run(&damaged(vec![KEY.as_bytes().to_vec()]), |bytes| assert!(read_pkcs12(&bytes, "password").is_err()));
}
