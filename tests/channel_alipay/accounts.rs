//! Accounts that cannot serve, accounts that are tested, and credentials that are replaced.

use scantill::channel::{AccountError, AccountFault, NotificationError, Retiring};
use scantill::crypto::{Algorithm, Secret};

use super::notifications::{posted_by, told};
use super::*;

#[test]
fn an_account_that_cannot_serve_names_the_field_and_never_its_value() {
    let cases = [
        (json!({ "app_id": null }), "app_id"),
        (json!({ "app_id": 2_021_000_122_671_080_u64 }), "app_id"),
        (json!({ "app_id": "SECRET" }), "app_id"),
        (json!({ "app_private_key": null }), "app_private_key"),
        (json!({ "app_private_key": "" }), "app_private_key"),
        (json!({ "app_private_key": "SECRET" }), "app_private_key"),
        (json!({ "app_private_key": ALIPAY_KEY.public_key().to_spki_pem().unwrap() }), "app_private_key"),
        (json!({ "alipay_public_key": "SECRET" }), "alipay_public_key"),
        (json!({ "alipay_public_key": null }), "alipay_public_key"),
        (json!({ "seller_id": ["SECRET"] }), "seller_id"),
        (json!({ "mode": "SECRET" }), "mode"),
        (json!({ "aes_key": "SECRET" }), "aes_key"),
        (json!({ "aes_key": "U0VDUkVU" }), "aes_key"),
        (json!({ "mode": "certificate" }), "alipay_certificate"),
    ];
    let opened = |base_url: &str, credentials: Value| {
        scantill::channel::open(&account(ChannelId::ALIPAY, base_url, &credentials, TimingOverrides::default()))
            .map(|_| ())
    };
    for (changes, name) in cases {
        let error = opened("http://127.0.0.1:9", with(credentials(), changes.clone())).unwrap_err();
        assert!(matches!(&error, AccountError::Credential { field, .. } if *field == name), "{changes}: {error}");
        let words = format!("{error} {error:?}");
        assert!(words.contains(name) && !words.contains("SECRET"), "{words}");
    }
    assert!(opened("http://127.0.0.1:9", json!("no object")).is_err());
    for base_url in ["", "openapi.alipay.com", "ftp://openapi.alipay.com", "https://u:p@h", "https://h?x=1"] {
        assert_eq!(opened(base_url, credentials()), Err(AccountError::BaseUrl), "{base_url}");
    }
    // Without a seller, as bare base64 and in PKCS#8 it serves as well.
    let bare = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let other_forms = json!({
        "seller_id": null,
        "app_private_key": bare(&APP_KEY.to_pkcs8_pem().unwrap()),
        "alipay_public_key": bare(&ALIPAY_KEY.public_key().to_spki_pem().unwrap()),
    });
    assert_eq!(opened("https://openapi.alipay.com/gateway.do", with(credentials(), other_forms)), Ok(()));
}

#[test]
fn an_accounts_time_limits_take_the_place_of_alipays() {
    let own = open_at("http://127.0.0.1:9", TimingOverrides::default());
    let seconds = |duration: std::time::Duration| duration.as_secs();
    assert_eq!(seconds(own.capabilities().query_interval), 3);
    assert_eq!(seconds(own.capabilities().void_window), 24 * 3_600);
    let timing = TimingOverrides { query_interval_ms: Some(700), ..TimingOverrides::default() };
    let set = open_at("http://127.0.0.1:9", timing);
    assert_eq!(set.capabilities().query_interval.as_millis(), 700);
    assert_eq!(set.capabilities().confirm_patience, own.capabilities().confirm_patience);
}

#[test]
fn what_the_form_asks_for_is_what_an_account_consists_of() {
    let form = scantill::channel::forms().into_iter().find(|form| form.channel == ChannelId::ALIPAY).unwrap();
    let names: Vec<_> = form.fields.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        [
            "app_id",
            "seller_id",
            "app_private_key",
            "mode",
            "alipay_public_key",
            "app_certificate",
            "alipay_certificate",
            "alipay_root_certificate",
            "aes_key",
        ]
    );
    let secrets: Vec<_> = form.fields.iter().filter(|field| field.kind.is_secret()).map(|field| field.name).collect();
    assert_eq!(secrets, ["app_private_key", "aes_key"]);
    let bill = open_at("http://127.0.0.1:9", TimingOverrides::default()).capabilities().bill.clone().unwrap();
    assert_eq!((bill.kinds.len(), bill.ready_hour), (2, 9));
}

#[test]
fn an_algorithm_that_the_policy_forbids_is_not_used() {
    let opened = |credentials: &Value, off: Algorithm| {
        let mut account = account(ChannelId::ALIPAY, "http://127.0.0.1:9", credentials, TimingOverrides::default());
        account.algorithms = account.algorithms.with(off, false);
        scantill::channel::open(&account).map(|_| ())
    };
    let encrypted = with(credentials(), json!({ "aes_key": "AAECAwQFBgcICQoLDA0ODw==" }));
    assert_eq!(opened(&encrypted, Algorithm::AesCbc), Err(AccountError::AlgorithmOff(Algorithm::AesCbc)));
    assert_eq!(opened(&credentials(), Algorithm::AesCbc), Ok(()));
    assert_eq!(opened(&credentials(), Algorithm::RsaSha256), Err(AccountError::AlgorithmOff(Algorithm::RsaSha256)));
}

/// What an account with a working contract is answered.
fn nothing_there() -> Value {
    refused("40004", "ACQ.TRADE_NOT_EXIST")
}

#[tokio::test]
async fn a_test_makes_one_signed_call_that_moves_nothing() {
    let story = Story::begin().await;
    story.answers(&nothing_there());
    let test = story.channel.test().await;
    assert_eq!(test.fault, None, "{test:?}");
    let (_, biz) = admitted(&story.gateway.only(), "alipay.trade.query");
    assert_eq!(biz.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_test_names_the_cause_as_a_new_merchant_meets_it() {
    let story = Story::begin().await;
    let test = |story: &Story| {
        let channel = story.channel.clone();
        async move { channel.test().await }
    };
    for (code, sub_code, fault) in [
        ("40002", "isv.invalid-signature", AccountFault::WrongKey),
        ("40002", "isv.invalid-app-id", AccountFault::WrongAppId),
        ("40002", "isv.app-cert-expired", AccountFault::CertificateExpired),
        ("40002", "isv.app-cert-not-exist", AccountFault::CertificateUnknown),
        ("40006", "isv.insufficient-isv-permissions", AccountFault::NoPermission),
        ("20000", "isp.unknow-error", AccountFault::ProviderDown),
        ("40004", "ACQ.SYSTEM_ERROR", AccountFault::ProviderDown),
    ] {
        story.answers(&refused(code, sub_code));
        let told = test(&story).await;
        assert_eq!((told.fault, told.provider_code.as_str()), (Some(fault), sub_code));
        assert_eq!(told.provider_message, "不行");
        assert!(!fault.cure().is_empty() && !fault.sentence().is_empty());
    }
    // The gateway does not sign for an application that it does not know.
    story
        .gateway
        .does(|seen| Does::text(200, json!({ key_of(seen): refused("40002", "isv.invalid-app-id") }).to_string()));
    assert_eq!(test(&story).await.fault, Some(AccountFault::WrongAppId));

    story.gateway.does(|seen| {
        let value = nothing_there().to_string();
        let sign = APP_KEY.sign_base64(value.as_bytes()).unwrap();
        Does::text(200, format!("{{\"{}\":{value},\"sign\":\"{sign}\"}}", key_of(seen)))
    });
    assert_eq!(test(&story).await.fault, Some(AccountFault::ProviderKeyWrong));

    for (status, fault) in [(500, AccountFault::ProviderDown), (503, AccountFault::ProviderDown)] {
        story.gateway.does(move |_| Does::text(status, "busy"));
        assert_eq!(test(&story).await.fault, Some(fault));
    }
    for page in ["<html>not Alipay</html>", "{}"] {
        story.gateway.does(move |_| Does::text(200, page));
        assert_eq!(test(&story).await.fault, Some(AccountFault::Unreachable));
    }
    story.gateway.does(|_| Does::Sleep);
    assert_eq!(test(&story).await.fault, Some(AccountFault::Timeout));
}

#[tokio::test]
async fn a_clock_that_is_off_by_ten_minutes_is_told_and_by_how_much() {
    let story = Story::begin().await;
    let dated = |value: Value, seconds: i64| {
        story.gateway.does(move |seen| {
            let at = jiff::Timestamp::from_second(now() / 1_000 + seconds).unwrap();
            let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            Does::Answer {
                status: 200,
                headers: vec![("date".into(), date)],
                body: signed(&key_of(seen), &value.to_string()).into_bytes(),
            }
        });
    };
    for (value, ahead) in
        [(nothing_there(), 600_i64), (nothing_there(), -600), (refused("40002", "isv.invalid-timestamp"), 600)]
    {
        dated(value, -ahead);
        let told = story.channel.test().await;
        let Some(AccountFault::ClockSkew { seconds }) = told.fault else { panic!("{told:?}") };
        assert!((seconds - ahead).abs() <= 10, "{seconds}");
    }
    dated(nothing_there(), 60);
    assert_eq!(story.channel.test().await.fault, None);
}

#[tokio::test]
async fn a_way_that_does_not_lead_there_is_told_from_one_that_does() {
    let fault = |base_url: String| async move { open_at(&base_url, TimingOverrides::default()).test().await.fault };
    assert_eq!(fault(nobody().await).await, Some(AccountFault::Unreachable));
    // A name that can never exist (RFC 6761).
    assert_eq!(fault("http://gateway.invalid".into()).await, Some(AccountFault::HostUnknown));
    // Who listens there speaks no TLS.
    let plain = Gateway::open().await;
    assert_eq!(fault(plain.base_url.replace("http:", "https:")).await, Some(AccountFault::Tls));
}

static NEXT_APP_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
static NEXT_ALIPAY_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());

/// The account after both keys were replaced.
fn replaced() -> Value {
    with(
        credentials(),
        json!({
            "app_private_key": NEXT_APP_KEY.to_pkcs8_pem().unwrap().as_str(),
            "alipay_public_key": NEXT_ALIPAY_KEY.public_key().to_spki_pem().unwrap(),
        }),
    )
}

fn retire(until: i64) -> impl Fn(&mut MerchantAccount) {
    move |account| {
        account.retiring = Some(Retiring { credentials: Secret::new(credentials().to_string()), until });
    }
}

#[tokio::test]
async fn replaced_keys_are_believed_until_their_time_is_over_and_sign_nothing() {
    let story = Story::with_account(&replaced(), retire(now() + 60_000)).await;
    for key in [&*ALIPAY_KEY, &*NEXT_ALIPAY_KEY] {
        story.gateway.does(move |seen| {
            let value = paid().to_string();
            let sign = key.sign_base64(value.as_bytes()).unwrap();
            Does::text(200, format!("{{\"{}\":{value},\"sign\":\"{sign}\"}}", key_of(seen)))
        });
        assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
        let parameters = parameters(&story.gateway.only());
        let content: Vec<_> = parameters
            .iter()
            .filter(|(name, _)| *name != "sign")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let public = NEXT_APP_KEY.public_key().to_spki_pem().unwrap();
        assert!(verifies(&public, content.join("&").as_bytes(), &parameters["sign"]));
        assert!(story.channel.read_notification(&posted_by(key, &told()), now()).is_ok());
    }
    // The same notification after the overlap.
    let late = now() + 61_000;
    let old = story.channel.read_notification(&posted_by(&ALIPAY_KEY, &told()), late);
    assert_eq!(old, Err(NotificationError::BadSignature));
    assert!(story.channel.read_notification(&posted_by(&NEXT_ALIPAY_KEY, &told()), late).is_ok());

    let over = Story::with_account(&replaced(), retire(now() - 1)).await;
    over.answers(&paid());
    assert!(matches!(over.pay().await, PayOutcome::Unknown(_)));

    // What was replaced and cannot be read any more is no reason to stop.
    let broken = Story::with_account(&replaced(), |account| {
        account.retiring = Some(Retiring { credentials: Secret::new("{}".into()), until: i64::MAX });
    })
    .await;
    assert!(broken.channel.read_notification(&posted_by(&NEXT_ALIPAY_KEY, &told()), now()).is_ok());
}
