//! The platform's certificates: fetched, opened, renewed, exchanged for others while calls are under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scantill::channel::{AccountFault, NotificationError, PayOutcome, QueryOutcome, RawNotification, TimingOverrides};
use scantill::crypto::{RsaPrivateKey, seal_aes256_gcm};
use scantill::payment::{FailureReason, Way};
use serde_json::{Value, json};

use super::channel_support::*;
use super::notifications::{envelope, posted_by};
use super::*;

/// A certificate of the platform's: its key, PEM, serial number.
pub struct Certified {
    pub key: RsaPrivateKey,
    pub pem: String,
    pub serial: String,
}

/// Makes one, with years from and until.
pub fn certified(first: u8, years: (i32, i32)) -> Certified {
    let key = RsaPrivateKey::generate().unwrap();
    let pair = rcgen::KeyPair::from_pem_and_sign_algo(&key.to_pkcs8_pem().unwrap(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let serial = [first; 20];
    parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    parameters.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    Certified { pem: parameters.self_signed(&pair).unwrap().pem(), serial: hex::encode_upper(serial), key }
}

static OLD: LazyLock<Certified> = LazyLock::new(|| certified(0x5a, (2020, 2090)));
static NEW: LazyLock<Certified> = LazyLock::new(|| certified(0x6b, (2025, 2095)));
static EXPIRED: LazyLock<Certified> = LazyLock::new(|| certified(0x7c, (2015, 2020)));

/// The list as the platform gives it.
fn list(certificates: &[&Certified], api_v3_key: &str) -> Value {
    let sealed = |certificate: &Certified| {
        let plain = certificate.pem.as_bytes();
        let sealed = seal_aes256_gcm(api_v3_key.as_bytes(), b"61f9c719728a", b"certificate", plain).unwrap();
        json!({
            "serial_no": certificate.serial,
            "effective_time": "2020-01-01T00:00:00+08:00", "expire_time": "2090-01-01T00:00:00+08:00",
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM", "nonce": "61f9c719728a", "associated_data": "certificate",
                "ciphertext": STANDARD.encode(sealed),
            },
        })
    };
    json!({ "data": certificates.iter().map(|certificate| sealed(certificate)).collect::<Vec<_>>() })
}

fn signed_with(by: &Certified, status: u16, body: &Value) -> Does {
    let body = body.to_string();
    Does::Answer { status, headers: signature_by(&by.key, body.as_bytes(), &by.serial, 0), body: body.into() }
}

/// Neither public key nor certificate was entered. The platform's certificates are made here: one made while a call
/// waits would take the call's time.
fn bare() -> Value {
    for certified in [&OLD, &NEW, &EXPIRED] {
        LazyLock::force(certified);
    }
    with(credentials(), json!({ "platform_public_key_id": null, "platform_public_key": null }))
}

/// A platform that gives `listed` and signs with `by`.
fn platform(story: &Story, listed: &[&'static Certified], by: &'static Certified) {
    let listed = listed.to_vec();
    story.gateway.does(move |seen| match seen.path.as_str() {
        "/v3/certificates" => signed_with(by, 200, &list(&listed, API_V3_KEY)),
        _ => signed_with(by, 200, &transaction("SUCCESS")),
    });
}

fn looks(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| seen.path == "/v3/certificates").count()
}

#[tokio::test]
async fn a_first_call_fetches_the_certificates_and_later_ones_use_them() {
    let story = Story::begin_with(&bare()).await;
    platform(&story, &[&*OLD], &OLD);
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    let seen = story.gateway.seen();
    assert_eq!(
        seen.iter().map(|seen| seen.path.as_str()).collect::<Vec<_>>(),
        ["/v3/certificates", "/v3/pay/transactions/codepay"]
    );
    // Nothing is held yet, so that nothing can be asked for; then what was fetched.
    assert_eq!((seen[0].method.as_str(), seen[0].header("wechatpay-serial")), ("GET", ""));
    assert_eq!(seen[1].header("wechatpay-serial"), OLD.serial);
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    story.gateway.only();
}

#[tokio::test]
async fn many_first_calls_at_once_fetch_once() {
    let story = Arc::new(Story::begin_with(&bare()).await);
    platform(&story, &[&*OLD], &OLD);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let story = story.clone();
                async move { story.query().await }
            })
        })
        .collect();
    for call in calls {
        assert!(matches!(call.await.unwrap(), QueryOutcome::Paid(_)));
    }
    let seen = story.gateway.seen();
    assert_eq!((looks(&seen), seen.len()), (1, 21));

    // Those who waited for a look that failed do not each look again.
    let story = Arc::new(Story::begin_with(&bare()).await);
    story.gateway.does(|_| signed_with(&OLD, 500, &error("SYSTEM_ERROR")));
    let outcomes = futures::future::join_all((0..20).map(|_| story.query())).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, QueryOutcome::Unknown(_))));
    let seen = story.gateway.seen();
    assert!((1..=2).contains(&seen.len()), "{}", seen.len());
}

#[tokio::test]
async fn while_the_platform_changes_its_certificate_no_call_fails() {
    let story = Arc::new(Story::begin_with(&bare()).await);
    platform(&story, &[&*OLD], &OLD);
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    story.gateway.seen();

    // Both are on the list; each answer is signed with the one or the other.
    static TURN: AtomicUsize = AtomicUsize::new(0);
    story.gateway.does(|seen| {
        let by = if TURN.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { &*NEW } else { &*OLD };
        match seen.path.as_str() {
            "/v3/certificates" => signed_with(by, 200, &list(&[&OLD, &NEW], API_V3_KEY)),
            _ => signed_with(by, 200, &transaction("SUCCESS")),
        }
    });
    let outcomes = futures::future::join_all((0..30).map(|_| story.query())).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, QueryOutcome::Paid(_))), "{outcomes:?}");
    let seen = story.gateway.seen();
    assert_eq!((looks(&seen), seen.len()), (1, 31));
    // The youngest is asked for from now on.
    story.query().await;
    assert_eq!(story.gateway.only().header("wechatpay-serial"), NEW.serial);

    // The old one is gone: what is signed with it is believed no more.
    platform(&story, &[&*NEW], &OLD);
    let query = story.query().await;
    assert!(matches!(query, QueryOutcome::Paid(_)), "it is still held: {query:?}");
    let channel = open_with(&story.gateway.base_url, &bare(), TimingOverrides::default()).unwrap();
    assert!(matches!(channel.query(&trade(Way::ConsumerPresented)).await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn a_notification_with_an_unknown_serial_is_refused_and_believed_when_it_comes_again() {
    let story = Story::begin_with(&bare()).await;
    platform(&story, &[&*OLD], &OLD);
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    story.gateway.seen();
    platform(&story, &[&*OLD, &*NEW], &NEW);
    let body = envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS"));
    let raw = posted_by(&NEW.key, &body, &NEW.serial, 0);
    assert_eq!(story.channel.read_notification(&raw, now()), Err(NotificationError::BadSignature));
    // The look goes on behind: the platform repeats after some seconds.
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            match story.channel.read_notification(&raw, now()) {
                Err(NotificationError::BadSignature) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    });
    assert_eq!(read.await.unwrap().unwrap().out_trade_no.as_str(), NUMBER);
    assert_eq!(looks(&story.gateway.seen()), 1);

    // Serials that nobody knows, posted by anybody, do not turn into as many requests.
    for index in 0..200_u8 {
        let raw = posted_by(&NEW.key, &body, &format!("EE{index:038}"), 0);
        assert!(story.channel.read_notification(&raw, now()).is_err());
        tokio::task::yield_now().await;
    }
    let outcome = story.query().await;
    assert!(matches!(outcome, QueryOutcome::Paid(_)), "{outcome:?}");
    assert!(looks(&story.gateway.seen()) <= 5);
    // A probe is refused and asks for nothing.
    let mut probe: RawNotification = raw;
    probe.headers.iter_mut().find(|(name, _)| name == "wechatpay-signature").unwrap().1 =
        "WECHATPAY/SIGNTEST/AAAA".into();
    assert_eq!(story.channel.read_notification(&probe, now()), Err(NotificationError::BadSignature));
}

#[tokio::test]
async fn a_list_that_cannot_be_believed_is_not_taken_over_and_nothing_is_sent() {
    type Spoilt = (&'static str, fn() -> Does);
    let spoilt: [Spoilt; 9] = [
        ("another APIv3 key", || signed_with(&OLD, 200, &list(&[&OLD], "fedcba9876543210fedcba9876543210"))),
        ("signed with one that is not on it", || signed_with(&NEW, 200, &list(&[&OLD], API_V3_KEY))),
        ("its serial but another key", || {
            let body = list(&[&OLD], API_V3_KEY).to_string();
            let headers = signature_by(&NEW.key, body.as_bytes(), &OLD.serial, 0);
            Does::Answer { status: 200, headers, body: body.into() }
        }),
        ("an old one", || {
            let body = list(&[&OLD], API_V3_KEY).to_string();
            let headers = signature_by(&OLD.key, body.as_bytes(), &OLD.serial, -300);
            Does::Answer { status: 200, headers, body: body.into() }
        }),
        ("unsigned", || Does::text(200, list(&[&OLD], API_V3_KEY).to_string())),
        ("expired", || signed_with(&EXPIRED, 200, &list(&[&EXPIRED], API_V3_KEY))),
        ("another serial than it says", || {
            let mut list = list(&[&OLD], API_V3_KEY);
            list["data"][0]["serial_no"] = json!(NEW.serial);
            signed_with(&OLD, 200, &list)
        }),
        ("empty", || signed_with(&OLD, 200, &json!({ "data": [] }))),
        ("no list", || signed_with(&OLD, 200, &json!({ "data": [{ "serial_no": "1" }] }))),
    ];
    for (what, does) in spoilt {
        let story = Story::begin_with(&bare()).await;
        story.gateway.does(move |_| does());
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{what}") };
        assert_eq!(failure.reason, FailureReason::ProviderUnreachable, "{what}");
        assert!(failure.provider_message.contains("certificates"), "{what}: {}", failure.provider_message);
        assert_eq!(looks(&story.gateway.seen()), 1, "{what}");
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "{what}");
    }
    let story = Story::begin_with(&bare()).await;
    story.gateway.does(|_| Does::text(401, error("SIGN_ERROR").to_string()));
    let PayOutcome::Failed(failure) = story.pay().await else { panic!("SIGN_ERROR") };
    assert_eq!(failure.reason, FailureReason::MerchantAccount);
}

#[tokio::test]
async fn a_public_key_and_certificates_are_believed_side_by_side() {
    // The merchant moves to the public key; what the platform still signs with its certificate is looked up.
    let story = Story::begin().await;
    platform(&story, &[&*OLD], &OLD);
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    let seen = story.gateway.seen();
    assert_eq!(looks(&seen), 1);
    assert!(seen.iter().all(|seen| seen.header("wechatpay-serial") == PLATFORM_ID));
    story.answers(200, &transaction("SUCCESS"));
    assert!(matches!(story.query().await, QueryOutcome::Paid(_)));
    story.gateway.only();
}

#[tokio::test]
async fn an_expired_certificate_that_was_entered_is_not_believed() {
    let story = Story::begin_with(&with(bare(), json!({ "platform_certificate": EXPIRED.pem }))).await;
    platform(&story, &[&*EXPIRED], &EXPIRED);
    assert!(matches!(story.pay().await, PayOutcome::Failed(_)));
    platform(&story, &[&*OLD], &OLD);
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    assert_eq!(story.channel.test().await.fault, None::<AccountFault>);
}
