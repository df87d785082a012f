//! The WeChat Pay channel against a platform played by hand: what it sends, what it believes, and what it makes of it.

mod account;
mod bills;
mod calls;
mod certificates;
#[path = "../channel_support/mod.rs"]
mod channel_support;
mod notifications;
mod trust;
mod v2;
mod v2_notifications;
mod v2_tls;

use std::sync::{Arc, LazyLock};

use channel_support::*;
use scantill::channel::{
    AccountError, Channel, CodeOutcome, PayOutcome, QueryOutcome, RefundOutcome, TimingOverrides, VoidOutcome,
};
use scantill::crypto::RsaPrivateKey;
use scantill::payment::{ChannelId, Way};
use serde_json::{Value, json};

const APPID: &str = "wxd678efh567hg6787";
const MCHID: &str = "1900000001";
const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const PLATFORM_ID: &str = "PUB_KEY_ID_0119000000012026010100000000000001";
const CODE: &str = "134567890123456789";

static MERCHANT: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
static PLATFORM: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

/// A certificate over the platform's key, and its serial number.
static CERTIFICATE: LazyLock<(String, String)> = LazyLock::new(|| {
    let pem = PLATFORM.to_pkcs8_pem().unwrap();
    let key = rcgen::KeyPair::from_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let serial = [0x8a; 20];
    parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    (parameters.self_signed(&key).unwrap().pem(), hex::encode_upper(serial))
});

fn credentials() -> Value {
    json!({
        "appid": APPID, "mchid": MCHID,
        "merchant_private_key": MERCHANT.to_pkcs8_pem().unwrap().as_str(),
        "merchant_serial": SERIAL, "api_v3_key": API_V3_KEY,
        "platform_public_key_id": PLATFORM_ID,
        "platform_public_key": PLATFORM.public_key().to_spki_pem().unwrap(),
    })
}

fn with_certificate() -> Value {
    with(
        credentials(),
        json!({
            "platform_public_key_id": null, "platform_public_key": null, "platform_certificate": CERTIFICATE.0,
        }),
    )
}

fn open_with(base_url: &str, credentials: &Value, timing: TimingOverrides) -> Result<Arc<dyn Channel>, AccountError> {
    scantill::channel::open(&account(ChannelId::WECHATPAY, base_url, credentials, timing))
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        Self::begin_with(&credentials()).await
    }

    async fn begin_with(credentials: &Value) -> Self {
        let gateway = Gateway::open().await;
        let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
        let channel = open_with(&gateway.base_url, credentials, timing).unwrap();
        Self { gateway, channel }
    }

    /// From now on every call is answered with this, signed.
    fn answers(&self, status: u16, body: &Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.gateway.does(move |_| signed(status, &body, PLATFORM_ID, 0));
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

    async fn close(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::MerchantPresented)).await
    }

    async fn reverse(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::ConsumerPresented)).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }
}

/// The headers that sign a body, with the provider's clock `ahead` seconds before ours.
fn signature(body: &[u8], serial: &str, ahead: i64) -> Vec<(String, String)> {
    signature_by(&PLATFORM, body, serial, ahead)
}

fn signature_by(key: &RsaPrivateKey, body: &[u8], serial: &str, ahead: i64) -> Vec<(String, String)> {
    let timestamp = (now() / 1_000 + ahead).to_string();
    let mut message = format!("{timestamp}\nc5ac7061fccab6bf3e254dcf98995b8c\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let headers = [
        ("wechatpay-timestamp", timestamp),
        ("wechatpay-nonce", "c5ac7061fccab6bf3e254dcf98995b8c".into()),
        ("wechatpay-serial", serial.to_owned()),
        ("wechatpay-signature", key.sign_base64(&message).unwrap()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".into()),
    ];
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn signed(status: u16, body: &str, serial: &str, ahead: i64) -> Does {
    Does::Answer { status, headers: signature(body.as_bytes(), serial, ahead), body: body.into() }
}

fn transaction(state: &str) -> Value {
    json!({
        "appid": APPID, "mchid": MCHID, "out_trade_no": NUMBER, "transaction_id": "4200002026", "trade_type": "MICROPAY",
        "trade_state": state, "trade_state_desc": "说明", "success_time": "2026-11-24T12:00:00+08:00",
        "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
        "amount": { "total": FEN, "payer_total": 1_000, "currency": "CNY", "payer_currency": "CNY" },
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

fn error(code: &str) -> Value {
    json!({ "code": code, "message": "不行" })
}
