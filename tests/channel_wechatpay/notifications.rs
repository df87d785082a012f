//! APIv3's notifications.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use scantill::channel::{
    Channel, NotificationError, QueryOutcome, RawNotification, RefundOutcome, Retiring, TimingOverrides, Told,
};
use scantill::crypto::{RsaPrivateKey, Secret, seal_aes256_gcm};
use serde_json::{Value, json};

use super::channel_support::*;
use super::*;

fn sealed(content: &Value) -> Value {
    let (nonce, associated) = ("fdasflkja484", "transaction");
    let plain = content.to_string();
    let sealed =
        seal_aes256_gcm(API_V3_KEY.as_bytes(), nonce.as_bytes(), associated.as_bytes(), plain.as_bytes()).unwrap();
    json!({
        "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(sealed),
        "associated_data": associated, "nonce": nonce,
    })
}

pub(super) fn envelope(event: &str, content: &Value) -> Value {
    json!({
        "id": "EV-2026112412000000001", "create_time": "2026-11-24T12:00:01+08:00", "resource_type": "encrypt-resource",
        "event_type": event, "summary": "支付成功", "resource": sealed(content),
    })
}

fn posted(body: &Value, serial: &str, ahead: i64) -> RawNotification {
    posted_by(&PLATFORM, body, serial, ahead)
}

pub(super) fn posted_by(key: &RsaPrivateKey, body: &Value, serial: &str, ahead: i64) -> RawNotification {
    let body = body.to_string().into_bytes();
    RawNotification { headers: signature_by(key, &body, serial, ahead), body }
}

fn reader() -> Arc<dyn Channel> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| open_with("http://127.0.0.1:9", &credentials(), TimingOverrides::default()).unwrap());
    READER.clone()
}

#[test]
fn a_notification_counts_only_signed_fresh_and_for_this_merchant() {
    let read = |raw: &RawNotification| reader().read_notification(raw, now());
    let of = |content: Value| posted(&envelope("TRANSACTION.SUCCESS", &content), PLATFORM_ID, 0);
    let notification = read(&of(transaction("SUCCESS"))).unwrap();
    assert_eq!(notification.id, "EV-2026112412000000001");
    assert_eq!(notification.out_trade_no.as_str(), NUMBER);
    assert!(matches!(notification.told, Told::Trade(QueryOutcome::Paid(paid)) if paid.amount.minor == FEN));

    let good = envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS"));
    for (serial, ahead, refusal) in [
        (PLATFORM_ID, -300, NotificationError::Stale),
        (PLATFORM_ID, 305, NotificationError::Stale),
        (CERTIFICATE.1.as_str(), 0, NotificationError::BadSignature),
    ] {
        assert_eq!(read(&posted(&good, serial, ahead)), Err(refusal), "{serial} {ahead}");
    }
    for (index, value) in [(0, "1"), (1, "other"), (3, "AAAA"), (3, "WECHATPAY/SIGNTEST/AAAA"), (3, "")] {
        let mut raw = posted(&good, PLATFORM_ID, 0);
        raw.headers[index].1 = value.into();
        assert_eq!(read(&raw), Err(NotificationError::BadSignature), "{value}");
    }
    let mut raw = posted(&good, PLATFORM_ID, 0);
    raw.headers.clear();
    assert_eq!(read(&raw), Err(NotificationError::BadSignature));

    for other in [json!({ "mchid": "1900000002" }), json!({ "mchid": null }), json!({ "appid": "wx1" })] {
        assert_eq!(read(&of(with(transaction("SUCCESS"), other))), Err(NotificationError::OtherMerchant));
    }
    let resealed = |name: &str, value: Value| {
        let mut body = good.clone();
        body["resource"][name] = value;
        posted(&body, PLATFORM_ID, 0)
    };
    for raw in [
        resealed("ciphertext", json!("AAAA")),
        resealed("ciphertext", json!("no base64!")),
        resealed("nonce", json!("fdasflkja485")),
        resealed("nonce", json!("")),
        resealed("associated_data", json!("")),
        resealed("algorithm", json!("AEAD_AES_128_GCM")),
        posted(&json!({ "id": "1" }), PLATFORM_ID, 0),
        posted(&with(good.clone(), json!({ "id": "" })), PLATFORM_ID, 0),
        of(with(transaction("SUCCESS"), json!({ "out_trade_no": "not-ours" }))),
        posted(&envelope("PAYSCORE.USER_PAID", &transaction("SUCCESS")), PLATFORM_ID, 0),
    ] {
        assert!(matches!(read(&raw), Err(NotificationError::Unreadable(_))), "{raw:?}");
    }
}

#[test]
fn a_notification_of_a_refund_says_which_and_how_it_stands() {
    let refund = |status: &str| {
        json!({
            "mchid": MCHID, "out_trade_no": NUMBER, "out_refund_no": REFUND, "refund_status": status,
            "transaction_id": "4200002026", "refund_id": "50300002026", "user_received_account": "支付用户零钱",
            "amount": { "total": FEN, "refund": 1, "payer_total": FEN, "payer_refund": 1 },
        })
    };
    let read = |event: &str, content: &Value| {
        reader().read_notification(&posted(&envelope(event, content), PLATFORM_ID, 0), now())
    };
    let told = |status: &str| {
        let notification = read(&format!("REFUND.{status}"), &refund(status)).unwrap();
        assert_eq!(notification.out_trade_no.as_str(), NUMBER);
        let Told::Refund { out_refund_no, outcome } = notification.told else { panic!("{status}") };
        assert_eq!(out_refund_no.as_deref(), Some(REFUND));
        outcome
    };
    assert_eq!(told("SUCCESS"), RefundOutcome::Done);
    for status in ["ABNORMAL", "CLOSED"] {
        assert!(matches!(told(status), RefundOutcome::Failed(failure) if failure.provider_code == status));
    }
    let unreadable = |event: &str, content: Value| {
        assert!(matches!(read(event, &content), Err(NotificationError::Unreadable(_))), "{event} {content}");
    };
    // The envelope says one thing and what is sealed in it another.
    unreadable("REFUND.SUCCESS", refund("ABNORMAL"));
    unreadable("REFUND.SOMETHING", refund("SOMETHING"));
    unreadable("REFUND.SUCCESS", with(refund("SUCCESS"), json!({ "out_refund_no": null })));
    unreadable("REFUND", refund("SUCCESS"));
    assert_eq!(
        read("REFUND.SUCCESS", &with(refund("SUCCESS"), json!({ "mchid": "1900000002" }))),
        Err(NotificationError::OtherMerchant)
    );
}

#[test]
fn what_was_sealed_and_signed_before_a_rotation_is_believed_until_its_time_is_over() {
    let fresh = with(
        credentials(),
        json!({
            "api_v3_key": "fedcba9876543210fedcba9876543210", "platform_public_key_id": "PUB_KEY_ID_2",
            "platform_public_key": MERCHANT.public_key().to_spki_pem().unwrap(),
        }),
    );
    let until = now() + 60_000;
    let mut account = account(ChannelId::WECHATPAY, "http://127.0.0.1:9", &fresh, TimingOverrides::default());
    account.retiring = Some(Retiring { credentials: Secret::new(credentials().to_string()), until });
    let channel = scantill::channel::open(&account).unwrap();
    let raw = posted(&envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS")), PLATFORM_ID, 0);
    assert!(matches!(channel.read_notification(&raw, until).unwrap().told, Told::Trade(QueryOutcome::Paid(_))));
    assert_eq!(channel.read_notification(&raw, until + 1), Err(NotificationError::BadSignature));
    account.retiring = None;
    let channel = scantill::channel::open(&account).unwrap();
    assert_eq!(channel.read_notification(&raw, until), Err(NotificationError::BadSignature));

    // Only the APIv3 key was exchanged: the platform's key is the same, the seal is not.
    let fresh = with(credentials(), json!({ "api_v3_key": "fedcba9876543210fedcba9876543210" }));
    account.credentials = Secret::new(fresh.to_string());
    let channel = scantill::channel::open(&account).unwrap();
    assert!(matches!(channel.read_notification(&raw, now()), Err(NotificationError::Unreadable(_))));
    account.retiring = Some(Retiring { credentials: Secret::new(credentials().to_string()), until });
    let channel = scantill::channel::open(&account).unwrap();
    assert!(channel.read_notification(&raw, now()).is_ok());
}

#[test]
fn wechat_pay_is_answered_as_it_documents() {
    let yes = reader().acknowledge(true);
    assert!(matches!(yes.status, 200 | 204));
    assert_eq!(yes.body, "");
    let no = reader().acknowledge(false);
    assert!((400..600).contains(&no.status));
    let body: Value = serde_json::from_str(&no.body).unwrap();
    assert_eq!(body["code"], "FAIL");
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_notification(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let unsigned = RawNotification { headers: Vec::new(), body: body.clone() };
        prop_assert_eq!(reader().read_notification(&unsigned, 0), Err(NotificationError::BadSignature));
        let signed = RawNotification { headers: signature(&body, PLATFORM_ID, 0), body };
        prop_assert!(reader().read_notification(&signed, now()).is_err());
    }

    #[test]
    fn no_changed_byte_is_believed(at in 0_usize..1_200, to in any::<u8>()) {
        static GOOD: LazyLock<RawNotification> =
            LazyLock::new(|| posted(&envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS")), PLATFORM_ID, 0));
        let mut raw = GOOD.clone();
        let at = at % raw.body.len();
        raw.body[at] = to;
        let read = reader().read_notification(&raw, now());
        prop_assert!(raw.body == GOOD.body || read == Err(NotificationError::BadSignature));
    }

    #[test]
    fn whatever_the_platform_seals_is_read_without_panic(plain in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sealed = seal_aes256_gcm(API_V3_KEY.as_bytes(), b"fdasflkja484", b"", &plain).unwrap();
        let mut body = envelope("TRANSACTION.SUCCESS", &json!({}));
        body["resource"]["ciphertext"] = json!(STANDARD.encode(sealed));
        body["resource"]["associated_data"] = Value::Null;
        prop_assert!(reader().read_notification(&posted(&body, PLATFORM_ID, 0), now()).is_err());
    }
}
