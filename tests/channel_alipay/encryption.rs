//! Content encryption: AES-128 in CBC, PKCS#7, an initial vector of zeros, base64; by hand with the library below the
//! house's own face.

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scantill::channel::{AccountFault, Retiring};
use scantill::crypto::Secret;

use super::*;

const KEY: [u8; 16] = *b"0123456789abcdef";
const OTHER: [u8; 16] = *b"fedcba9876543210";

fn encrypt(key: &[u8; 16], plain: &str) -> String {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_128, key).unwrap()).unwrap();
    let mut buffer = plain.as_bytes().to_vec();
    key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(FixedLength::from([0; 16]))).unwrap();
    STANDARD.encode(buffer)
}

fn decrypt(key: &[u8; 16], sealed: &str) -> String {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_128, key).unwrap()).unwrap();
    let mut buffer = STANDARD.decode(sealed).unwrap();
    let plain = key.decrypt(&mut buffer, DecryptionContext::Iv128(FixedLength::from([0; 16]))).unwrap();
    String::from_utf8(plain.to_vec()).unwrap()
}

fn encrypted(key: &[u8; 16]) -> Value {
    with(credentials(), json!({ "aes_key": STANDARD.encode(key) }))
}

/// Answers with the value encrypted; the signature covers the quotation marks.
fn answer(seen: &Seen, key: &[u8; 16], value: &Value) -> String {
    signed(&key_of(seen), &format!("\"{}\"", encrypt(key, &value.to_string())))
}

#[tokio::test]
async fn content_goes_and_comes_encrypted() {
    let story = Story::with_account(&encrypted(&KEY), |_| {}).await;
    story.gateway.does(|seen| Does::text(200, answer(seen, &KEY, &paid())));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert_eq!((told.amount.minor, told.provider_trade_no.as_str()), (FEN, "2026112422001"));
    let parameters = parameters(&story.gateway.only());
    assert_eq!(parameters["encrypt_type"], "AES");
    let biz: Value = serde_json::from_str(&decrypt(&KEY, &parameters["biz_content"])).unwrap();
    assert_eq!((&biz["out_trade_no"], &biz["auth_code"]), (&json!(NUMBER), &json!(CODE)));
    // What is signed is what is sent.
    let content: Vec<_> =
        parameters.iter().filter(|(name, _)| *name != "sign").map(|(name, value)| format!("{name}={value}")).collect();
    let public = APP_KEY.public_key().to_spki_pem().unwrap();
    assert!(verifies(&public, content.join("&").as_bytes(), &parameters["sign"]));

    // Base64 has slashes, and they may be escaped after signing.
    story.gateway.does(|seen| {
        let value = format!("\"{}\"", encrypt(&KEY, &with(paid(), json!({ "x": "?".repeat(200) })).to_string()));
        let good = signed(&key_of(seen), &value);
        let escaped = value.replace('/', "\\/");
        assert_ne!(value, escaped, "the story needs a slash");
        Does::text(200, good.replace(&value, &escaped))
    });
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    // A refusal by the gateway itself is not encrypted.
    story.answers(&refused("40002", "isv.invalid-signature"));
    assert!(matches!(story.pay().await, PayOutcome::Failed(_)));
}

#[tokio::test]
async fn nothing_unsigned_is_opened() {
    let story = Story::with_account(&encrypted(&KEY), |_| {}).await;
    let sealed = encrypt(&KEY, &paid().to_string());
    let spoilt: [fn(&str, &str) -> String; 3] = [
        // The signature over what the quotation marks enclose is another one.
        |key, sealed| {
            let sign = ALIPAY_KEY.sign_base64(sealed.as_bytes()).unwrap();
            format!("{{\"{key}\":\"{sealed}\",\"sign\":\"{sign}\"}}")
        },
        |key, sealed| format!("{{\"{key}\":\"{sealed}\"}}"),
        |key, sealed| signed(key, &format!("\"{sealed}\"")).replace(&sealed[..8], "AAAAAAAA"),
    ];
    for spoil in spoilt {
        let sealed = sealed.clone();
        story.gateway.does(move |seen| Does::text(200, spoil(&key_of(seen), &sealed)));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
    }
}

#[tokio::test]
async fn a_key_that_is_another_is_named() {
    let story = Story::with_account(&encrypted(&OTHER), |_| {}).await;
    story.gateway.does(|seen| Does::text(200, answer(seen, &KEY, &refused("40004", "ACQ.TRADE_NOT_EXIST"))));
    assert_eq!(story.channel.test().await.fault, Some(AccountFault::ApiKeyWrong));
    assert!(matches!(story.pay().await, PayOutcome::Unknown(_)));
    // The gateway cannot open what was encrypted with another key, and says so in the open.
    story.answers(&refused("40003", "isv.decryption-error-unknown"));
    assert_eq!(story.channel.test().await.fault, Some(AccountFault::ApiKeyWrong));
    // Without any key an encrypted answer says nothing.
    let without = Story::begin().await;
    without.gateway.does(|seen| Does::text(200, answer(seen, &KEY, &paid())));
    assert!(matches!(without.pay().await, PayOutcome::Unknown(_)));

    // A key that was replaced opens for a while yet.
    let story = Story::with_account(&encrypted(&OTHER), |account| {
        account.retiring =
            Some(Retiring { credentials: Secret::new(encrypted(&KEY).to_string()), until: now() + 60_000 });
    })
    .await;
    for key in [KEY, OTHER] {
        story.gateway.does(move |seen| Does::text(200, answer(seen, &key, &paid())));
        assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
        let sent = parameters(&story.gateway.only());
        assert!(decrypt(&OTHER, &sent["biz_content"]).contains(NUMBER));
    }
}
