//! The wire's signatures and seals against constants that were not made by this house's code: published by a
//! provider, or made with `openssl` and Python's `cryptography` as the comments say.
//!
//! `K` in the commands is `tests/data/channel/testing.key` with `TESTING` read as `PRIVATE`.

use scantill::channel::{MerchantAccount, NotificationError, QueryOutcome, RawNotification, TimingOverrides, Told};
use scantill::crypto::{RsaPrivateKey, Secret};
use scantill::payment::ChannelId;
use serde_json::{Value, json};

/// 2026-11-24 12:00:01 in China.
const NOW: i64 = 1_795_492_801_000;

/// Over `source`: wechatpay-go, core/auth/signers/sha256withrsa_signer_test.go (Apache-2.0).
const PUBLISHED: &str = "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4j\
    sKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6I\
    EqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+\
    hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg==";
/// `openssl dgst -sha256 -sign K REQUEST | base64 -w0`, the request being the text in the test.
const ALIPAY_REQUEST: &str = "icNBbv2GpSilHa9x67CMG+9Xy5pPIY3tcIFx+qqeHBPJsUPO51WM+PChtgo2tlB6uLwlqwvtvJXQjdXLJ2PIrpuVSNBAZVszxUNg\
    LTOD67Xcq/l0189nPHRGQklk7wVcc94re345Zn1gBIsBDJBzKgv5NcwnlYDQ/fOfl9zxDMGMITCJghxZZEHrSryQJz7pp2WKLGYw\
    sIkRM2EwPTUtngVrfTY36b46kQy3pZZ6YNG0O7VX/oqU6yx0wYohra24UHuGUXTNjKUUUoaGNF5KJAdeUSLDgVsB9ELFYezrTWNe\
    SUFYJf9zSh7Lm+HchEGWGTvgPziaISzxLI/j8AGMhw==";
/// The same over the notification's text.
const ALIPAY_NOTIFICATION: &str = "mkzzaeRJ/J1TMohZK2UWjQrFgVm1Im+LrU5Wu14DkwrDbtwIYzTXE1DBd4tZlQSttFZhjsj84zFtdU+OW6QuQCVtzbVAZsAo8vQT\
    JkU47E6/ouPiwTNQybg/nqNvjWUgUmwtS32UQCAFqkxr6acLDrpBp3uPMBdbyTU3x8svg8BqdgtHW0Q5hUI/ShfmyH8gY/2ACtJa\
    xrpQHYd0YJgbamj3JjSWm9Rh7xr/P0o1ADQDiDDdW9UoAVqlLN3/CNWnt4OVY1cWFKgw+XeXQNp3DjgSCPetNLaj7PVO+DqEquEh\
    5LD6WFTQ1IjDl+n4q/WBKrPVtrM3+SHN4HT7duOuHw==";
/// The same over the five lines of a query.
const WECHATPAY_REQUEST: &str = "ReagbbUJ69rKT3sbXOcIRnAu4ISy6T7n6AMrduv3ygqGlOHbyUtVcE2BGM4YjmIC0ZjI6BfoC2IkcH61UNw+CG3Lf9B9DGCeFRfA\
    qf6H8X2+P0S6ahBjNiYRLBG/QDMQxyu+FzIZA0LmAadZEKi8p/Y/uPAgH6e0BuIV7y7oopQxxhZGLspF8rphRBcvcU8eQ05oqfUz\
    k8fW3YneThmrju4Tcg6cpekdwzFXza5oTxfm1fScIctWRyGV+QELsq9Ymh4NbeVMDI8LwfGmXusIQHk54nF9gb8RdZv6Ctb8Xg04\
    sakxgcEtqNPO4QxzBPSRKnSpbtkCTpAnNelOdxC5lQ==";
/// The same over timestamp, nonce and body of a notification, a line feed after each.
const WECHATPAY_NOTIFICATION: &str = "0ktYh4Zq98H+jHg9/SNUesfCyRSn+hjpX0Ih/2WPTwyfmrXReIk9trzzaGyrmmXprUv696NTJZcyxhoGeBKfDfnbr5kPh5UshqFf\
    Xa2D/15TMxxArjRaGMU001x86PAx+RY8HRWp3RsPxQEl+Cs4SVzHVmtipxMRZogKSMmvAWg+dRgZhMvh1g0dYuv3hfEBq7orbLjw\
    y91wH7o85YFd0s6yIU99O84NllSqf+DK1yina4KOkAk5CTOJehbOeK4H3yRwz2HVEaAscXZbdqEBAEmbZIVSX67p3uWQhdJN9png\
    /j4OjI3RkQUEHkvAy87eGRWkPhjVB/IslcTvIbypcg==";
/// Python: `b64encode(AESGCM(API_V3_KEY).encrypt(b"fdasflkja484", PLAIN, b"transaction"))`.
const WECHATPAY_CIPHERTEXT: &str = "bz1kVndYkCFlgKSe7VZeuBxCb6jr2XsCUhw9dEHzO9M653wGxG2i4fVCms/wOqKZjUsbFiP7HsHKfJhCIMNmvF5niGRdHQi2rgTn\
    +e6UcZFhfoeci3yMn3VcdqMH1MB+fTMYa/3ZMrDJ8bVl2ibx4CUb+9ZtAMJ/M7qHahtyqZbUImFaYZZko7OPEuqALYO1DfvB+/Fm\
    acgm0LPkOXqiLDQrV5THLV3+1SUvGV5RztKkgVQPNspVd8sk7TdYbwTTp7rjbw7nMZVS0tVDN3mXMyxcAv6MH7Oe+58pgOGCMowy\
    /375YhaXiRkZmZlBYuI=";

/// Python: `hmac.new(API_V2_KEY, TEXT, sha256)` in upper-case hex, TEXT being the sorted fields of the message in the test,
/// joined by `&`, and `&key=` with the key.
const WECHATPAY_V2_HMAC: &str = "BE42DF653491D7B1DC133BC57CCFB470723E8DC15EA9DBD989867EEADA7CDBAB";
/// `hashlib.md5` over the same text.
const WECHATPAY_V2_MD5: &str = "01FA12225CF3D0FCEDF55009BCBDD434";
/// `openssl enc -aes-256-ecb -K KEY -in CONTENT | base64 -w0`, KEY being the hex of the letters of the API key's MD5, and
/// CONTENT a refund's fields in CDATA within `<root>`.
const WECHATPAY_V2_REQ_INFO: &str = "WBzGpzQuNpcFxIlFjUUD9BfnwwNUlVAs7bwvgHME4/R0KWRxGn43RBAmmkxdCQ6vj9U3oTIIr1zWhJkg9qPA2hjDVRnbIQy4\
    UZGBndXMZlnIlxw0In3jdHyPudsxqQrPdZb2JX9TsjECDjGxEhDu6k7FkmeqYnQqN4NsStdosvFQ+IGhHUHV8FtwqWf753LXEjAx\
    a5drpRlI/TAvAvAId+LakPjncV15WVCMIHZXLX55V4H/CR3qQbFyJJ+mIncqN5mVWXSUfdJ5v8AKcHP/JocUG7lZcOaAolFls320\
    v6TTdceR7o9tkDzey+jDjsFSr2FxTHH4bjOPsoh63Ul0ljlmIo/rCSlLqAiie8ghUog=";

/// The key of WeChat Pay's published example of a signature.
const API_V2_KEY: &str = "192006250b4c09247ec02edce69f6a2d";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";

fn key() -> RsaPrivateKey {
    RsaPrivateKey::from_pem(include_str!("data/channel/testing.key")).unwrap()
}

fn account(channel: ChannelId, credentials: &Value) -> MerchantAccount {
    MerchantAccount {
        id: "acc_1".parse().unwrap(),
        channel,
        name: "vectors".into(),
        base_url: "https://pay.example.com".into(),
        training: false,
        enabled: true,
        notify_base_url: None,
        timing: TimingOverrides::default(),
        stores: Vec::new(),
        algorithms: scantill::crypto::AlgorithmPolicy::default(),
        retiring: None,
        credentials: Secret::new(credentials.to_string()),
    }
}

#[test]
fn rsa_with_sha256_as_wechatpay_go_signs() {
    assert_eq!(key().sign_base64(b"source").unwrap(), PUBLISHED);
    assert!(key().public_key().verify_base64(b"source", PUBLISHED).is_ok());
    assert!(key().public_key().verify_base64(b"sourcf", PUBLISHED).is_err());
}

#[test]
fn an_alipay_request_as_openssl_signs() {
    let request = concat!(
        "app_id=2021000122671080",
        r#"&biz_content={"out_trade_no":"20261124ABCDEF01","total_amount":"12.34","subject":"拿铁 + cookie"}"#,
        "&charset=utf-8&format=JSON&method=alipay.trade.precreate&sign_type=RSA2",
        "&timestamp=2026-11-24 12:00:00&version=1.0",
    );
    assert_eq!(key().sign_base64(request.as_bytes()).unwrap(), ALIPAY_REQUEST);
}

#[test]
fn a_wechat_pay_request_as_openssl_signs() {
    let request = "GET\n/v3/pay/transactions/out-trade-no/20261124ABCDEF01?mchid=1900000001\n1795492800\n\
        593BEC0C930BF1AFEB40B4A08C8FB242\n\n";
    assert_eq!(key().sign_base64(request.as_bytes()).unwrap(), WECHATPAY_REQUEST);
}

/// Signed: every parameter but `sign` and `sign_type`, sorted, decoded, joined by `&`.
#[test]
fn an_alipay_notification_signed_by_openssl_is_believed() {
    let credentials = json!({
        "app_id": "2021000122671080", "seller_id": "2088721996721370",
        "app_private_key": key().to_pkcs8_pem().unwrap().as_str(),
        "alipay_public_key": key().public_key().to_spki_pem().unwrap(),
    });
    let channel = scantill::channel::open(&account(ChannelId::ALIPAY, &credentials)).unwrap();
    let sign = ALIPAY_NOTIFICATION.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let body = |amount: &str| {
        format!(
            "version=1.0&trade_status=TRADE_SUCCESS&trade_no=2026112422001&total_amount={amount}&\
             subject=%E6%8B%BF%E9%93%81+%26+cookie+%3D+100%25&sign_type=RSA2&sign={sign}&\
             seller_id=2088721996721370&out_trade_no=20261124ABCDEF01&notify_type=trade_status_sync&\
             notify_time=2026-11-24+12%3A00%3A01&notify_id=2026112400222120000001&\
             gmt_payment=2026-11-24+12%3A00%3A00&charset=utf-8&app_id=2021000122671080"
        )
    };
    let read = |amount| {
        let raw = RawNotification { headers: Vec::new(), body: body(amount).into_bytes() };
        channel.read_notification(&raw, NOW)
    };
    let notification = read("12.34").unwrap();
    assert_eq!(notification.out_trade_no.as_str(), "20261124ABCDEF01");
    assert!(matches!(notification.told, Told::Trade(QueryOutcome::Paid(paid)) if paid.amount.minor == 1_234));
    assert_eq!(read("12.35"), Err(NotificationError::BadSignature));
}

#[test]
fn a_wechat_pay_notification_signed_by_openssl_and_sealed_by_python_is_believed() {
    let credentials = json!({
        "appid": "wxd678efh567hg6787", "mchid": "1900000001", "merchant_serial": "5157F09EFDC096DE15EBE81A47057A72",
        "merchant_private_key": key().to_pkcs8_pem().unwrap().as_str(), "api_v3_key": API_V3_KEY,
        "platform_public_key_id": "PUB_KEY_ID_1", "platform_public_key": key().public_key().to_spki_pem().unwrap(),
    });
    let channel = scantill::channel::open(&account(ChannelId::WECHATPAY, &credentials)).unwrap();
    let body = [
        r#"{"id":"EV-1","create_time":"2026-11-24T12:00:01+08:00","resource_type":"encrypt-resource","#,
        r#""event_type":"TRANSACTION.SUCCESS","resource":{"original_type":"transaction","#,
        r#""algorithm":"AEAD_AES_256_GCM","ciphertext":""#,
        WECHATPAY_CIPHERTEXT,
        r#"","associated_data":"transaction","nonce":"fdasflkja484"}}"#,
    ];
    let headers = [
        ("wechatpay-timestamp", "1795492801"),
        ("wechatpay-nonce", "c5ac7061fccab6bf3e254dcf98995b8c"),
        ("wechatpay-serial", "PUB_KEY_ID_1"),
        ("wechatpay-signature", WECHATPAY_NOTIFICATION),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let raw = RawNotification { headers, body: body.concat().into_bytes() };
    let notification = channel.read_notification(&raw, NOW).unwrap();
    assert_eq!((notification.id.as_str(), notification.out_trade_no.as_str()), ("EV-1", "20261124ABCDEF01"));
    let Told::Trade(QueryOutcome::Paid(paid)) = notification.told else { panic!("not paid") };
    assert_eq!((paid.amount.minor, paid.provider_trade_no.as_str()), (1_234, "4200002026"));
    assert_eq!(channel.read_notification(&raw, NOW + 300_000), Err(NotificationError::Stale));
}

fn wechat_pay_v2(sign_type: &str) -> std::sync::Arc<dyn scantill::channel::Channel> {
    let credentials = json!({
        "api_version": "v2", "appid": "wxd678efh567hg6787", "mchid": "1900000001", "api_v2_key": API_V2_KEY,
        "sign_type": sign_type, "merchant_private_key": key().to_pkcs8_pem().unwrap().as_str(),
        "merchant_certificate": include_str!("data/channel/testing.crt"),
    });
    let mut account = account(ChannelId::WECHATPAY, &credentials);
    account.algorithms = account.algorithms.with(scantill::crypto::Algorithm::Md5, true);
    scantill::channel::open(&account).unwrap()
}

#[test]
fn a_wechat_pay_v2_notification_signed_by_python_is_believed() {
    let body = |total: &str, sign: &str| {
        format!(
            "<xml><return_code><![CDATA[SUCCESS]]></return_code><result_code><![CDATA[SUCCESS]]></result_code>\
             <appid><![CDATA[wxd678efh567hg6787]]></appid><mch_id><![CDATA[1900000001]]></mch_id>\
             <attach>茶 &amp; cake &lt;1&gt;</attach><bank_type><![CDATA[OTHERS]]></bank_type>\
             <cash_fee>1234</cash_fee><fee_type><![CDATA[CNY]]></fee_type><device_info><![CDATA[]]></device_info>\
             <nonce_str><![CDATA[5K8264ILTKCH16CQ2502SI8ZNMTM67VS]]></nonce_str>\
             <openid><![CDATA[oUpF8uMuAJO_M2pxb1Q9zNjWeS6o]]></openid>\
             <out_trade_no><![CDATA[20261124ABCDEF01]]></out_trade_no>\
             <time_end><![CDATA[20261124120000]]></time_end><total_fee>{total}</total_fee>\
             <trade_type><![CDATA[NATIVE]]></trade_type><transaction_id><![CDATA[4200002026]]></transaction_id>\
             <sign><![CDATA[{sign}]]></sign></xml>"
        )
    };
    for (sign_type, sign) in [("HMAC-SHA256", WECHATPAY_V2_HMAC), ("MD5", WECHATPAY_V2_MD5)] {
        let channel = wechat_pay_v2(sign_type);
        let read = |total| {
            let raw = RawNotification { headers: Vec::new(), body: body(total, sign).into_bytes() };
            channel.read_notification(&raw, NOW)
        };
        let Told::Trade(QueryOutcome::Paid(paid)) = read("1234").unwrap().told else { panic!("{sign_type}") };
        assert_eq!((paid.amount.minor, paid.paid_at), (1_234, NOW - 1_000));
        assert_eq!(read("1235"), Err(NotificationError::BadSignature));
    }
}

#[test]
fn a_wechat_pay_v2_refund_notification_wrapped_by_openssl_is_opened() {
    let body = format!(
        "<xml><return_code>SUCCESS</return_code><appid><![CDATA[wxd678efh567hg6787]]></appid>\
         <mch_id><![CDATA[1900000001]]></mch_id><nonce_str><![CDATA[TeqClE3i0mvn3DrK]]></nonce_str>\
         <req_info><![CDATA[{WECHATPAY_V2_REQ_INFO}]]></req_info></xml>"
    );
    let raw = RawNotification { headers: Vec::new(), body: body.into_bytes() };
    let told = wechat_pay_v2("HMAC-SHA256").read_notification(&raw, NOW).unwrap();
    assert_eq!((told.id.as_str(), told.out_trade_no.as_str()), ("50300002026/SUCCESS", "20261124ABCDEF01"));
    assert!(matches!(told.told, Told::Refund { out_refund_no: Some(number), .. } if number == "R20261124ABCDEF01"));
}
