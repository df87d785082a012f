//! Certificate mode: numbers on every request, the certificate that an answer names, and one that is not known yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
    SerialNumber,
};
use scantill::channel::{AccountError, AccountFault, NotificationError, Retiring};
use scantill::crypto::Secret;

use super::notifications::told;
use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

static NEXT_ALIPAY_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

fn pair(key: &RsaPrivateKey) -> KeyPair {
    KeyPair::from_pkcs8_pem_and_sign_algo(&key.to_pkcs8_pem().unwrap(), &PKCS_RSA_SHA256).unwrap()
}

fn params(name: &str, serial: &[u8], until: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "CN");
    params.distinguished_name.push(DnType::OrganizationName, "Story");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "Certification Authority");
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(until, 1, 1));
    params
}

fn authority(name: &str, by: Option<&Authority>) -> Authority {
    let mut params = params(name, &[7], 2040);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = pair(&RsaPrivateKey::generate().unwrap());
    match by {
        Some(by) => CertifiedIssuer::signed_by(params, key, by).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

/// A root, one issuer for applications and one for Alipay's own certificates under it, and a stranger's root.
struct World {
    root: Authority,
    apps: Authority,
    signers: Authority,
    stranger: Authority,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = authority("R1", None);
    let (apps, signers) = (authority("Class 1 R1", Some(&root)), authority("Class 2 R1", Some(&root)));
    World { root, apps, signers, stranger: authority("Class 2 R1", None) }
});

/// One certificate, without its issuer's.
fn issued(by: &Authority, name: &str, serial: &[u8], key: &RsaPrivateKey, until: i32) -> String {
    params(name, serial, until).signed_by(&pair(key), by).unwrap().pem()
}

/// The number by the documents: MD5 of the issuer's name, its last part first, and the serial number in decimal.
fn number(issuer: &str, serial: u64) -> String {
    let text = format!("CN={issuer},OU=Certification Authority,O=Story,C=CN{serial}");
    hex::encode(Md5::digest(text.as_bytes()))
}

/// Alipay's certificate as the console gives it out: with its issuer's.
fn alipay_certificate(serial: &[u8], key: &RsaPrivateKey, until: i32) -> String {
    issued(&WORLD.signers, "Alipay 2088", serial, key, until) + &WORLD.signers.pem()
}

const APP_SERIAL: [u8; 3] = [0x01, 0x00, 0xff];
const OWN_SERIAL: [u8; 2] = [0x12, 0x34];
const NEXT_SERIAL: [u8; 2] = [0x56, 0x78];

fn app_certificate(key: &RsaPrivateKey, until: i32) -> String {
    issued(&WORLD.apps, "2088-app", &APP_SERIAL, key, until)
}

/// Makes the world whole: a key made while a call waits would take the call's time.
fn certified() -> Value {
    LazyLock::force(&NEXT_ALIPAY_KEY);
    with(
        credentials(),
        json!({
            "mode": "certificate", "alipay_public_key": null,
            "app_certificate": app_certificate(&APP_KEY, 2035),
            "alipay_certificate": alipay_certificate(&OWN_SERIAL, &ALIPAY_KEY, 2035),
            "alipay_root_certificate": WORLD.root.pem(),
        }),
    )
}

fn own_number() -> String {
    number("Class 2 R1", 0x1234)
}

fn next_number() -> String {
    number("Class 2 R1", 0x5678)
}

/// An answer that names the certificate it is signed with.
fn named(seen: &Seen, key: &RsaPrivateKey, number: &str, value: &Value) -> String {
    let value = value.to_string();
    let sign = key.sign_base64(value.as_bytes()).unwrap();
    format!("{{\"{}\":{value},\"alipay_cert_sn\":\"{number}\",\"sign\":\"{sign}\"}}", key_of(seen))
}

/// The answer that brings a certificate; the gateway does not sign it.
fn brought(pem: &str) -> String {
    let content = STANDARD.encode(pem);
    let value = json!({ "code": "10000", "msg": "Success", "alipay_cert_content": content });
    json!({ "alipay_open_app_alipaycert_download_response": value }).to_string()
}

/// Alipay has changed to its next key: every answer is signed with it, and this is what it brings when asked.
fn changed(story: &Story, answer: impl Fn() -> String + Send + Sync + 'static) {
    story.gateway.does(move |seen| {
        Does::text(
            200,
            match parameters(seen)["method"].as_str() {
                "alipay.open.app.alipaycert.download" => answer(),
                _ => named(seen, &NEXT_ALIPAY_KEY, &next_number(), &paid()),
            },
        )
    });
}

#[tokio::test]
async fn every_request_names_both_certificates_and_the_answer_its_own() {
    let story = Story::with_account(&certified(), |_| {}).await;
    story.gateway.does(|seen| Does::text(200, named(seen, &ALIPAY_KEY, &own_number(), &paid())));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    let (parameters, _) = admitted(&story.gateway.only(), "alipay.trade.pay");
    assert_eq!(parameters["app_cert_sn"], number("Class 1 R1", 65_791));
    assert_eq!(parameters["alipay_root_cert_sn"], number("R1", 7));

    // An answer that names none is tried with the one that is known; a wrong name does not help a right signature.
    story.answers(&paid());
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    story.gateway.seen();
    for (key, number) in [(&*APP_KEY, own_number()), (&*ALIPAY_KEY, next_number())] {
        story.gateway.does(move |seen| Does::text(200, named(seen, key, &number, &paid())));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
    }
}

#[tokio::test]
async fn an_unknown_certificate_is_fetched_once_and_then_kept() {
    let story = Story::with_account(&certified(), |_| {}).await;
    changed(&story, || brought(&alipay_certificate(&NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2035)));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    let seen = story.gateway.seen();
    assert_eq!(seen.len(), 2);
    let (_, biz) = admitted(&seen[1], "alipay.open.app.alipaycert.download");
    assert_eq!(biz, json!({ "alipay_cert_sn": next_number() }));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    assert_eq!(story.gateway.seen().len(), 1, "it is kept");
    // The one that was entered counts beside it.
    story.gateway.does(|seen| Does::text(200, named(seen, &ALIPAY_KEY, &own_number(), &paid())));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    assert_eq!(story.gateway.seen().len(), 1);
}

#[tokio::test]
async fn a_certificate_that_does_not_lead_to_the_root_is_not_believed() {
    type Answer = fn() -> String;
    let answers: [(&str, Answer); 9] = [
        ("a stranger's", || {
            brought(
                &(issued(&WORLD.stranger, "Alipay 2088", &NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2035) + &WORLD.stranger.pem()),
            )
        }),
        ("an application's, under the same root", || {
            brought(&(issued(&WORLD.apps, "2088-other", &NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2035) + &WORLD.apps.pem()))
        }),
        ("another number's", || brought(&alipay_certificate(&[0x56, 0x79], &NEXT_ALIPAY_KEY, 2035))),
        ("one that has expired", || brought(&alipay_certificate(&NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2021))),
        ("another key's", || brought(&alipay_certificate(&NEXT_SERIAL, &APP_KEY, 2035))),
        ("no certificate", || brought("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")),
        ("no base64", || brought("").replace("\"\"", "\"???\"")),
        ("a refusal", || {
            json!({ "alipay_open_app_alipaycert_download_response": refused("40004", "CERT_NOT_EXIST") }).to_string()
        }),
        ("nothing", String::new),
    ];
    for (what, answer) in answers {
        let story = Story::with_account(&certified(), |_| {}).await;
        changed(&story, answer);
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{what}");
        assert_eq!(story.gateway.seen().len(), 2, "{what}");
        let fault = story.channel.test().await.fault;
        let forged = what == "another key's";
        let expected = if forged { AccountFault::ProviderKeyWrong } else { AccountFault::CertificateUnknown };
        assert_eq!(fault, Some(expected), "{what}");
    }
}

#[tokio::test]
async fn a_certificate_of_alipays_that_has_expired_is_not_believed() {
    let expired =
        with(certified(), json!({ "alipay_certificate": alipay_certificate(&OWN_SERIAL, &ALIPAY_KEY, 2021) }));
    let story = Story::with_account(&expired, |_| {}).await;
    story.gateway.does(|seen| Does::text(200, named(seen, &ALIPAY_KEY, &own_number(), &paid())));
    assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
    assert_eq!(story.channel.test().await.fault, Some(AccountFault::CertificateExpired));
    // Alipay has long changed to its next: the account works.
    changed(&story, || brought(&alipay_certificate(&NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2035)));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
}

#[test]
fn certificates_that_cannot_serve_are_named() {
    let opened = |changes: Value| {
        let credentials = with(certified(), changes);
        let account = account(ChannelId::ALIPAY, "http://127.0.0.1:9", &credentials, TimingOverrides::default());
        scantill::channel::open(&account).map(|_| ())
    };
    assert_eq!(opened(json!({})), Ok(()));
    // A lone certificate is believed as it was entered.
    let lone = issued(&WORLD.signers, "Alipay 2088", &OWN_SERIAL, &ALIPAY_KEY, 2035);
    assert_eq!(opened(json!({ "alipay_certificate": lone })), Ok(()));
    let strangers = issued(&WORLD.stranger, "Alipay 2088", &OWN_SERIAL, &ALIPAY_KEY, 2035) + &WORLD.stranger.pem();
    for (changes, name, why) in [
        (json!({ "app_certificate": app_certificate(&APP_KEY, 2021) }), "app_certificate", "has expired on 2021-01-01"),
        (
            json!({ "app_certificate": app_certificate(&ALIPAY_KEY, 2035) }),
            "app_certificate",
            "is not for app_private_key",
        ),
        (json!({ "app_certificate": null }), "app_certificate", "is missing"),
        (json!({ "app_certificate": "SECRET" }), "app_certificate", "cannot be read"),
        (json!({ "alipay_certificate": strangers }), "alipay_certificate", "was not issued under"),
        (json!({ "alipay_certificate": null }), "alipay_certificate", "is missing"),
        (json!({ "alipay_root_certificate": null }), "alipay_root_certificate", "is missing"),
        (json!({ "alipay_root_certificate": "AAAA" }), "alipay_root_certificate", "cannot be read"),
    ] {
        match opened(changes) {
            Err(AccountError::Credential { field, problem }) => {
                assert!(field == name && problem.contains(why), "{field} {problem}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn notifications_are_checked_with_the_certificate_that_is_known() {
    let channel = Story::with_account(&certified(), |_| {}).await.channel;
    let post = |key: &RsaPrivateKey, number: Option<&str>| {
        let mut raw = super::notifications::posted_by(key, &told());
        if let Some(number) = number {
            raw.body.extend_from_slice(format!("&alipay_cert_sn={number}").as_bytes());
        }
        channel.read_notification(&raw, now()).map(|_| ())
    };
    assert_eq!(post(&ALIPAY_KEY, None), Ok(()));
    assert_eq!(post(&ALIPAY_KEY, Some(&own_number())), Ok(()));
    assert_eq!(post(&NEXT_ALIPAY_KEY, Some(&next_number())), Err(NotificationError::BadSignature));
    assert_eq!(post(&NEXT_ALIPAY_KEY, None), Err(NotificationError::BadSignature));
    // One whose number is signed too.
    let number = own_number();
    let mut fields = told();
    fields.insert("alipay_cert_sn", number.clone());
    assert!(channel.read_notification(&super::notifications::posted_by(&ALIPAY_KEY, &fields), now()).is_ok());
}

#[tokio::test]
async fn from_a_public_key_to_certificates_nothing_is_lost_on_the_way() {
    let next =
        with(certified(), json!({ "alipay_certificate": alipay_certificate(&NEXT_SERIAL, &NEXT_ALIPAY_KEY, 2035) }));
    for old in [credentials(), certified()] {
        let channel = Story::with_account(&next, |account| {
            account.retiring = Some(Retiring { credentials: Secret::new(old.to_string()), until: now() + 60_000 });
        })
        .await
        .channel;
        let read = |key: &RsaPrivateKey, at: i64| {
            channel.read_notification(&super::notifications::posted_by(key, &told()), at).map(|_| ())
        };
        assert_eq!(read(&ALIPAY_KEY, now()), Ok(()));
        assert_eq!(read(&NEXT_ALIPAY_KEY, now()), Ok(()));
        assert_eq!(read(&ALIPAY_KEY, now() + 61_000), Err(NotificationError::BadSignature));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_in_the_place_of_a_certificate_makes_it_panic(text in ".{0,200}", at in 0_usize..2_000, to in any::<char>()) {
        static GOOD: LazyLock<Value> = LazyLock::new(certified);
        for field in ["app_certificate", "alipay_certificate", "alipay_root_certificate"] {
            let mut changed: Vec<char> = GOOD[field].as_str().unwrap().chars().collect();
            let at = at % changed.len();
            changed[at] = to;
            for text in [text.clone(), changed.into_iter().collect()] {
                let credentials = with(GOOD.clone(), json!({ field: text }));
                let account = account(ChannelId::ALIPAY, "http://127.0.0.1:9", &credentials, TimingOverrides::default());
                let _ = scantill::channel::open(&account);
            }
        }
    }
}
