//! The Alipay channel against a gateway played by hand: what it sends, what it believes, and what it makes of it.

mod accounts;
mod bills;
mod calls;
mod certificates;
#[path = "../channel_support/mod.rs"]
mod channel_support;
mod encryption;
mod notifications;
mod sandbox;
mod trust;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use channel_support::*;
use scantill::channel::{
    Channel, CodeOutcome, MerchantAccount, PayOutcome, QueryOutcome, RefundOutcome, TimingOverrides, VoidOutcome,
};
use scantill::crypto::RsaPrivateKey;
use scantill::payment::{ChannelId, Way};
use serde_json::{Value, json};

const APP: &str = "2021000122671080";
const SELLER: &str = "2088721996721370";
const CODE: &str = "283812345678901234";

static APP_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
static ALIPAY_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

fn credentials() -> Value {
    json!({
        "app_id": APP, "seller_id": SELLER,
        "app_private_key": APP_KEY.to_pkcs1_pem().unwrap().as_str(),
        "alipay_public_key": ALIPAY_KEY.public_key().to_spki_pem().unwrap(),
    })
}

fn open_at(base_url: &str, timing: TimingOverrides) -> Arc<dyn Channel> {
    scantill::channel::open(&account(ChannelId::ALIPAY, base_url, &credentials(), timing)).unwrap()
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        Self::with_account(&credentials(), |_| {}).await
    }

    /// With these credentials, and the account changed.
    async fn with_account(credentials: &Value, change: impl Fn(&mut MerchantAccount)) -> Self {
        let gateway = Gateway::open().await;
        let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
        let mut account = account(ChannelId::ALIPAY, &gateway.base_url, credentials, timing);
        change(&mut account);
        let channel = scantill::channel::open(&account).unwrap();
        Self { gateway, channel }
    }

    /// From now on every call is answered with this value, signed.
    fn answers(&self, value: &Value) {
        let value = value.to_string();
        self.gateway.does(move |seen| Does::text(200, signed(&key_of(seen), &value)));
    }

    async fn pay(&self) -> PayOutcome {
        self.channel.pay(&trade(Way::ConsumerPresented), &details(), CODE).await
    }

    async fn create(&self) -> CodeOutcome {
        self.channel.create_code(&trade(Way::MerchantPresented), &details()).await
    }

    async fn query(&self) -> QueryOutcome {
        self.channel.query(&trade(Way::ConsumerPresented)).await
    }

    async fn void(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::ConsumerPresented)).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }
}

fn parameters(seen: &Seen) -> BTreeMap<String, String> {
    form(&seen.body).into_iter().collect()
}

/// The name under which the answer to this request lies.
fn key_of(seen: &Seen) -> String {
    format!("{}_response", parameters(seen)["method"].replace('.', "_"))
}

fn signed(key: &str, value: &str) -> String {
    let sign = ALIPAY_KEY.sign_base64(value.as_bytes()).unwrap();
    format!("{{\"{key}\":{value},\"sign\":\"{sign}\"}}")
}

fn paid() -> Value {
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": NUMBER, "trade_no": "2026112422001", "total_amount": "12.34",
        "buyer_logon_id": "lin***@example.com", "gmt_payment": "2026-11-24 12:00:00",
    })
}

// The changes are written in place at each call.
#[allow(clippy::needless_pass_by_value)]
fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}

fn refused(code: &str, sub_code: &str) -> Value {
    json!({ "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "不行" })
}

/// Checks a request as the gateway would, by the documents and not by the channel's code.
fn admitted(seen: &Seen, method: &str) -> (BTreeMap<String, String>, Value) {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/gateway.do"));
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded;charset=utf-8");
    let pairs = form(&seen.body);
    let parameters: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(parameters.len(), pairs.len(), "no parameter twice");
    let mut content = String::new();
    for (name, value) in parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()) {
        if !content.is_empty() {
            content.push('&');
        }
        content += name;
        content.push('=');
        content += value;
    }
    let public = APP_KEY.public_key().to_spki_pem().unwrap();
    assert!(verifies(&public, content.as_bytes(), &parameters["sign"]), "{content}");
    let fixed = [("app_id", APP), ("method", method), ("charset", "utf-8"), ("sign_type", "RSA2"), ("version", "1.0")];
    for (name, value) in fixed {
        assert_eq!(parameters[name], value, "{name}");
    }
    assert!(parameters["format"].eq_ignore_ascii_case("json"));
    // China time, whatever this machine's zone.
    let stamp: jiff::civil::DateTime = parameters["timestamp"].replace(' ', "T").parse().unwrap();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let stamp = stamp.to_zoned(zone).unwrap().timestamp().as_millisecond();
    assert!((now() - stamp).abs() < 60_000, "{}", parameters["timestamp"]);
    assert_eq!(parameters["timestamp"].len(), 19);
    let biz = serde_json::from_str(&parameters["biz_content"]).unwrap();
    (parameters, biz)
}
