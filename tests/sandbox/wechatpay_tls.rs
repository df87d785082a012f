//! The listener that speaks TLS: what wants the merchant's own certificate, and what it makes of others'.

use std::fs;

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use reqwest::{Certificate, Client, Identity};
use scantill::crypto::{RsaPrivateKey, read_pkcs12};
use scantill::sandbox::SandboxConfig;
use serde_json::Value;

use crate::house::{House, config};
use crate::wechatpay_v2::message;

#[tokio::test]
async fn reversals_and_refunds_want_the_merchants_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let house =
        House::with(SandboxConfig { tls_listen: listen, out: Some(folder.path().to_owned()), ..config() }).await;
    let told: Value = serde_json::from_slice(&fs::read(folder.path().join("credentials.json")).unwrap()).unwrap();
    let file = |value: &Value| fs::read(folder.path().join(value.as_str().unwrap())).unwrap();
    let url = told["tls_base_url"].as_str().unwrap();
    assert_eq!(Some(url), house.sandbox.tls_url());
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    let client = |identity: Option<Vec<u8>>| {
        let authority = Certificate::from_pem(&file(&told["tls_ca_certificate"])).unwrap();
        let builder = Client::builder().no_proxy().tls_certs_only([authority]);
        identity
            .map(|pem| Identity::from_pem(&pem).unwrap())
            .into_iter()
            .fold(builder, reqwest::ClientBuilder::identity)
            .build()
    };
    let send = async |client: &Client, path: &str| {
        let body = message(&house, "HMAC-SHA256", &[("out_trade_no", "nothing-here")]);
        let answer = client.post(format!("{url}{path}")).body(body).send().await?;
        Ok::<_, reqwest::Error>((answer.status().as_u16(), answer.text().await?))
    };

    let nobody = client(None).unwrap();
    let (status, told_of) = send(&nobody, "/pay/orderquery").await.unwrap();
    assert!(status == 200 && told_of.contains("ORDERNOTEXIST"), "{told_of}");
    for path in ["/secapi/pay/reverse", "/secapi/pay/refund", "/pay/downloadfundflow"] {
        let (status, told) = send(&nobody, path).await.unwrap();
        assert!(status == 400 && told.contains("No required SSL certificate was sent"), "{path}: {told}");
    }

    // As an SDK takes it: key and certificate in PEM, or both in a container under the merchant's number.
    let wechatpay = &told["wechatpay"];
    let (key, certificate) = (file(&wechatpay["merchant_private_key"]), file(&wechatpay["merchant_certificate"]));
    let merchant = client(Some([key.clone(), certificate].concat())).unwrap();
    let (status, answer) = send(&merchant, "/secapi/pay/reverse").await.unwrap();
    assert!(status == 200 && answer.contains("ORDERNOTEXIST"), "{answer}");
    let password = wechatpay["merchant_p12_password"].as_str().unwrap();
    assert_eq!(password, wechatpay["mchid"].as_str().unwrap());
    let container = read_pkcs12(&file(&wechatpay["merchant_p12"]), password).unwrap();
    let key = RsaPrivateKey::from_pem(std::str::from_utf8(&key).unwrap()).unwrap();
    assert_eq!(container.key.sign(b"x").unwrap(), key.sign(b"x").unwrap());
    assert_eq!(Value::from(container.chain[0].serial_hex()), wechatpay["merchant_serial"]);

    // Another's certificate does not pass the handshake.
    let other = RsaPrivateKey::generate().unwrap().to_pkcs8_pem().unwrap();
    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&other, &PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&pair).unwrap().pem();
    let stranger = client(Some([other.as_bytes(), certificate.as_bytes()].concat())).unwrap();
    assert!(send(&stranger, "/secapi/pay/reverse").await.is_err());
    house.sandbox.stop().await;
}
