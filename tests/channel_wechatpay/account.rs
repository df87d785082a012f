//! Accounts: what is refused when they are entered, and what a test call says of them.

use scantill::channel::{AccountError, AccountFault, AccountTest, FieldKind, Required, TimingOverrides};
use scantill::crypto::Algorithm;
use serde_json::json;

use super::channel_support::*;
use super::*;

#[test]
fn an_account_that_cannot_serve_names_the_field_and_never_its_value() {
    let cases = [
        (json!({ "appid": null }), "appid"),
        (json!({ "mchid": null }), "mchid"),
        (json!({ "mchid": "SECRET\"\r\n" }), "mchid"),
        (json!({ "merchant_serial": null }), "merchant_serial"),
        (json!({ "merchant_private_key": "SECRET" }), "merchant_private_key"),
        (json!({ "merchant_private_key": null }), "merchant_private_key"),
        (json!({ "api_v3_key": null }), "api_v3_key"),
        (json!({ "api_v3_key": "SECRET" }), "api_v3_key"),
        (json!({ "platform_public_key": "SECRET" }), "platform_public_key"),
        (json!({ "api_version": "SECRET" }), "api_version"),
        (json!({ "merchant_certificate": "SECRET" }), "merchant_certificate"),
        (json!({ "platform_public_key_id": null }), "platform_public_key_id"),
        (json!({ "platform_certificate": "SECRET" }), "platform_certificate"),
        (json!({ "platform_certificate": PLATFORM.public_key().to_spki_pem().unwrap() }), "platform_certificate"),
    ];
    for (changes, name) in cases {
        let account = with(credentials(), changes.clone());
        let Err(error) = open_with("http://127.0.0.1:9", &account, TimingOverrides::default()) else {
            panic!("{changes}")
        };
        assert!(matches!(&error, AccountError::Credential { field, .. } if *field == name), "{changes}: {error}");
        let words = format!("{error} {error:?}");
        assert!(words.contains(name) && !words.contains("SECRET"), "{words}");
    }
    let unknown = account("unheard_of".parse().unwrap(), "http://127.0.0.1:9", &json!({}), TimingOverrides::default());
    assert!(matches!(scantill::channel::open(&unknown), Err(AccountError::UnknownChannel(_))));
}

#[test]
fn the_form_asks_for_what_the_interface_needs() {
    let forms = scantill::channel::forms();
    let form = forms.iter().find(|form| form.channel == ChannelId::WECHATPAY).unwrap();
    let field = |name: &str| form.fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(field("api_version").kind, FieldKind::Choice(&["v3", "v2"]));
    assert_eq!(field("sign_type").kind, FieldKind::Choice(&["HMAC-SHA256", "MD5"]));
    let when = |is| Required::When { field: "api_version", is };
    for (name, required) in [
        ("appid", Required::Always),
        ("mchid", Required::Always),
        ("merchant_private_key", Required::Always),
        ("merchant_serial", when("v3")),
        ("api_v3_key", when("v3")),
        ("merchant_certificate", when("v2")),
        ("api_v2_key", when("v2")),
        ("platform_public_key", Required::Never),
        ("platform_public_key_id", Required::Never),
        ("platform_certificate", Required::Never),
    ] {
        assert_eq!(field(name).required, required, "{name}");
    }
    for name in ["merchant_private_key", "api_v3_key", "api_v2_key"] {
        assert!(field(name).kind.is_secret(), "{name}");
    }
}

#[test]
fn an_account_needs_the_algorithms_that_the_interface_is_made_of() {
    for algorithm in [Algorithm::RsaSha256, Algorithm::AesGcm] {
        let mut account =
            account(ChannelId::WECHATPAY, "http://127.0.0.1:9", &credentials(), TimingOverrides::default());
        account.algorithms = account.algorithms.with(algorithm, false);
        assert_eq!(scantill::channel::open(&account).err(), Some(AccountError::AlgorithmOff(algorithm)));
    }
}

/// A platform that has no certificates for a merchant with a public key, and no such order.
fn honest(seen: &Seen) -> Does {
    let body = match seen.path.as_str() {
        "/v3/certificates" => json!({ "code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书" }),
        _ => error("ORDER_NOT_EXIST"),
    };
    signed(404, &body.to_string(), PLATFORM_ID, 0)
}

#[tokio::test]
async fn a_good_account_passes_with_two_calls_that_move_nothing() {
    let story = Story::begin().await;
    story.gateway.does(honest);
    assert_eq!(story.channel.test().await, AccountTest::good());
    let seen = story.gateway.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/v3/certificates"));
    assert!(seen[1].path.starts_with("/v3/pay/transactions/out-trade-no/SCANTILLTEST"), "{}", seen[1].path);
    assert!(seen[1].path.ends_with("/reverse"));
    assert_eq!(seen[1].json(), json!({ "appid": APPID, "mchid": MCHID }));
    // Each time another number: nobody can make an order of it beforehand.
    story.channel.test().await;
    assert_ne!(story.gateway.seen()[1].path, seen[1].path);
}

#[tokio::test]
async fn a_new_merchant_is_told_what_is_wrong() {
    let story = Story::begin().await;
    let refusal = |status: u16, code: &str, message: &str| {
        let body = json!({ "code": code, "message": message }).to_string();
        move |_: &Seen| Does::text(status, body.clone())
    };
    use AccountFault as F;
    for (status, code, message, fault) in [
        (401, "SIGN_ERROR", "商户证书序列号有误。请使用签名私钥匹配的证书序列号", F::WrongKey),
        (401, "SIGN_ERROR", "错误的签名，验签失败", F::WrongKey),
        (401, "SIGN_ERROR", "商户证书已过期", F::CertificateExpired),
        (401, "SIGN_ERROR", "商户证书已作废", F::CertificateExpired),
        (401, "SIGN_ERROR", "商户号不存在，请检查Http头Authorization中的mchid", F::WrongMerchant),
        (404, "MCH_NOT_EXISTS", "商户号不存在", F::WrongMerchant),
        (
            401,
            "SIGN_ERROR",
            "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
            F::ClockSkew { seconds: 0 },
        ),
        (403, "NO_AUTH", "商户无权限", F::NoPermission),
        (500, "SYSTEM_ERROR", "系统异常", F::ProviderDown),
        (502, "", "", F::ProviderDown),
    ] {
        story.gateway.does(refusal(status, code, message));
        let told = story.channel.test().await;
        assert_eq!((told.fault, told.provider_code.as_str()), (Some(fault), code), "{status} {message}");
        story.gateway.only();
    }
    for (code, message, fault) in [
        ("APPID_MCHID_NOT_MATCH", "商户号和appid不匹配", F::WrongAppId),
        ("PARAM_ERROR", "参数appid有误", F::WrongAppId),
        ("MCH_NOT_EXISTS", "商户号不存在", F::WrongMerchant),
        ("NO_AUTH", "商户号该产品权限未开通", F::NoPermission),
    ] {
        let body = json!({ "code": code, "message": message }).to_string();
        story.gateway.does(move |seen| match seen.path.as_str() {
            "/v3/certificates" => honest(seen),
            _ => signed(400, &body, PLATFORM_ID, 0),
        });
        let told = story.channel.test().await;
        assert_eq!((told.fault, told.provider_code.as_str()), (Some(fault), code));
    }
}

#[tokio::test]
async fn a_clock_ten_minutes_off_is_told_with_its_seconds() {
    let story = Story::begin().await;
    for (ahead, status) in [(600, 401), (-600, 401), (600, 200)] {
        story.gateway.does(move |_| {
            let date = jiff::Timestamp::from_millisecond(now() + ahead * 1_000).unwrap();
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let headers = vec![("date".to_owned(), date)];
            Does::Answer { status, headers, body: error("SIGN_ERROR").to_string().into() }
        });
        let Some(AccountFault::ClockSkew { seconds }) = story.channel.test().await.fault else { panic!("{ahead}") };
        assert!((seconds + ahead).abs() <= 2, "{seconds}");
    }
}

#[tokio::test]
async fn the_platforms_key_and_the_api_key_are_held_against_what_the_platform_sends() {
    use AccountFault as F;
    // The merchant pasted another public key under the platform's id: say, its own.
    let own = MERCHANT.public_key().to_spki_pem().unwrap();
    let story = Story::begin_with(&with(credentials(), json!({ "platform_public_key": own }))).await;
    story.gateway.does(honest);
    assert_eq!(story.channel.test().await.fault, Some(F::ProviderKeyWrong));
    // Another id than the platform signs with.
    let story = Story::begin_with(&with(credentials(), json!({ "platform_public_key_id": "PUB_KEY_ID_2" }))).await;
    story.gateway.does(honest);
    assert_eq!(story.channel.test().await.fault, Some(F::ProviderKeyWrong));
    // No public key, and the platform has no certificates either.
    let bare = with(credentials(), json!({ "platform_public_key_id": null, "platform_public_key": null }));
    let story = Story::begin_with(&bare).await;
    story.gateway.does(honest);
    let told = story.channel.test().await;
    assert_eq!((told.fault, told.provider_code.as_str()), (Some(F::ProviderKeyWrong), "RESOURCE_NOT_EXISTS"));
    // Certificates that another APIv3 key has sealed.
    let story = Story::begin().await;
    story.gateway.does(|seen| match seen.path.as_str() {
        "/v3/certificates" => {
            let sealed = json!({
                "algorithm": "AEAD_AES_256_GCM", "nonce": "61f9c719728a", "associated_data": "certificate",
                "ciphertext": "c2VhbGVkIHdpdGggYW5vdGhlciBrZXkgdGhhbiBvdXJz",
            });
            let list = json!({ "data": [{ "serial_no": "5A", "encrypt_certificate": sealed }] });
            signed(200, &list.to_string(), PLATFORM_ID, 0)
        }
        _ => honest(seen),
    });
    assert_eq!(story.channel.test().await.fault, Some(F::ApiKeyWrong));
}

#[tokio::test]
async fn the_merchants_own_certificate_is_looked_at_before_anybody_is_asked() {
    let (expired, good) = (certificates::certified(0x11, (2015, 2020)), certificates::certified(0x22, (2020, 2090)));
    let with_own = |certificate: &certificates::Certified, serial: &str| {
        let key = certificate.key.to_pkcs8_pem().unwrap();
        with(
            credentials(),
            json!({
                "merchant_certificate": certificate.pem, "merchant_private_key": key.as_str(), "merchant_serial": serial,
            }),
        )
    };
    for (credentials, fault) in [
        (with_own(&expired, &expired.serial), Some(AccountFault::CertificateExpired)),
        (with_own(&good, SERIAL), Some(AccountFault::WrongKey)),
        (
            with(credentials(), json!({ "merchant_certificate": good.pem, "merchant_serial": good.serial })),
            Some(AccountFault::WrongKey),
        ),
        (with_own(&good, &good.serial), None),
    ] {
        let story = Story::begin_with(&credentials).await;
        story.gateway.does(honest);
        assert_eq!(story.channel.test().await.fault, fault);
        assert_eq!(story.gateway.seen().is_empty(), fault.is_some());
    }
}

#[tokio::test]
async fn a_way_that_leads_nowhere_is_told_as_what_it_is() {
    let test = |base_url: String| async move {
        let timing = TimingOverrides { request_timeout_ms: Some(5_000), ..TimingOverrides::default() };
        open_with(&base_url, &credentials(), timing).unwrap().test().await.fault
    };
    assert_eq!(test(nobody().await).await, Some(AccountFault::Unreachable));
    assert_eq!(test("https://wechatpay.invalid".into()).await, Some(AccountFault::HostUnknown));
    // Somebody listens, but not for TLS.
    let gateway = Gateway::open().await;
    assert_eq!(test(gateway.base_url.replace("http://", "https://")).await, Some(AccountFault::Tls));
    // A page of somebody else's.
    gateway.does(|_| Does::text(200, "<html>please log in</html>"));
    assert_eq!(test(gateway.base_url.clone()).await, Some(AccountFault::Unreachable));
    let story = Story::begin().await;
    story.gateway.does(|_| Does::Sleep);
    assert_eq!(story.channel.test().await.fault, Some(AccountFault::Timeout));
}
