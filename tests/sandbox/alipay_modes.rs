//! Alipay's gateway in certificate mode, with encrypted content, in GBK, and with clocks that differ.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use scantill::crypto::{AesCbc, Certificate, certificates};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::alipay::{Parameters, common, order, send, sign, verified};
use crate::house::{House, china};

/// A certificate's number, by the test's own reading of it.
fn number(certificate: &Certificate) -> String {
    let (_, parsed) = X509Certificate::from_der(certificate.der()).unwrap();
    let issuer = parsed.issuer();
    let one = |what: &x509_parser::der_parser::oid::Oid<'_>| -> String {
        issuer.iter_by_oid(what).next().unwrap().as_str().unwrap().to_owned()
    };
    use x509_parser::oid_registry::{
        OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME, OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT,
    };
    // As a Python client writes it: these four, in this order.
    let name = format!(
        "CN={},OU={},O={},C={}",
        one(&OID_X509_COMMON_NAME),
        one(&OID_X509_ORGANIZATIONAL_UNIT),
        one(&OID_X509_ORGANIZATION_NAME),
        one(&OID_X509_COUNTRY_NAME)
    );
    let digest = <md5::Md5 as md5::Digest>::digest(format!("{name}{}", parsed.tbs_certificate.serial));
    hex::encode(digest)
}

/// A merchant in certificate mode.
struct Certified {
    app_cert_sn: String,
    root_cert_sn: String,
    alipay: Vec<Certificate>,
    roots: Vec<Certificate>,
}

impl Certified {
    fn of(house: &House) -> Self {
        let account: Value =
            serde_json::from_str(&house.sandbox.credentials().alipay_certificate_account_json()).unwrap();
        let read = |field: &str| certificates(House::text(&account, field)).unwrap();
        assert_eq!(account["mode"], "certificate");
        let roots = read("alipay_root_certificate");
        let rsa: Vec<_> = roots.iter().filter(|root| root.is_signed_with_rsa()).map(number).collect();
        assert!(rsa.len() < roots.len(), "the bundle has one that is no RSA certificate");
        Self {
            app_cert_sn: number(&read("app_certificate")[0]),
            root_cert_sn: rsa.join("_"),
            alipay: read("alipay_certificate"),
            roots,
        }
    }

    fn sign(&self, house: &House, mut parameters: Parameters) -> Parameters {
        for (name, value) in [("app_cert_sn", &self.app_cert_sn), ("alipay_root_cert_sn", &self.root_cert_sn)] {
            parameters.entry(name.to_owned()).or_insert_with(|| value.clone());
        }
        parameters.retain(|_, value| !value.is_empty());
        sign(house, &mut parameters);
        parameters
    }
}

fn now_ms() -> i64 {
    crate::house::seconds() * 1_000
}

#[tokio::test]
async fn in_certificate_mode_the_answer_names_the_certificate_that_checks_it() {
    let house = House::open().await;
    let certified = Certified::of(&house);
    let unknown = json!({ "out_trade_no": "nothing" });
    let body = send(&house, &certified.sign(&house, common(&house, "alipay.trade.query", &unknown))).await;
    let (rest, named) = body.split_once(",\"alipay_cert_sn\":\"").unwrap_or_else(|| panic!("no number: {body}"));
    let (named, sign) = named.split_once("\",\"sign\":\"").unwrap();
    assert_eq!(named, number(&certified.alipay[0]));
    let value = rest.strip_prefix("{\"alipay_trade_query_response\":").unwrap();
    let key = certified.alipay[0].key().unwrap();
    key.verify_base64(value.as_bytes(), sign.strip_suffix("\"}").unwrap()).unwrap();
    certified.alipay[0].check_chain(&certified.alipay[1..], &certified.roots, now_ms()).unwrap();

    // A client that does not know the number fetches the certificate, and believes its chain.
    let method = "alipay.open.app.alipaycert.download";
    let parameters = common(&house, method, &json!({ "alipay_cert_sn": named }));
    let body = send(&house, &certified.sign(&house, parameters)).await;
    let told: Value = serde_json::from_str(&body).unwrap();
    let told = &told["alipay_open_app_alipaycert_download_response"];
    assert_eq!(told["code"], "10000", "{body}");
    let content = BASE64.decode(told["alipay_cert_content"].as_str().unwrap()).unwrap();
    let fetched = certificates(std::str::from_utf8(&content).unwrap()).unwrap();
    assert_eq!(fetched, certified.alipay);
    let parameters = common(&house, method, &json!({ "alipay_cert_sn": "0123456789abcdef0123456789abcdef" }));
    let body = send(&house, &certified.sign(&house, parameters)).await;
    assert!(body.contains("isv.alipay-cert-not-exist"), "{body}");
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("credentials");
    let house =
        House::with(scantill::sandbox::SandboxConfig { out: Some(out.clone()), ..crate::house::config() }).await;
    let certified = Certified::of(&house);
    let told: Value = serde_json::from_slice(&std::fs::read(out.join("credentials.json")).unwrap()).unwrap();
    let file = |field: &str| std::fs::read_to_string(out.join(told["alipay"][field].as_str().unwrap())).unwrap();
    assert_eq!(told["alipay"]["app_cert_sn"], certified.app_cert_sn.as_str());
    assert_eq!(told["alipay"]["alipay_root_cert_sn"], certified.root_cert_sn.as_str());
    assert_eq!(certificates(&file("alipay_certificate")).unwrap(), certified.alipay);
    assert_eq!(certificates(&file("alipay_root_certificate")).unwrap(), certified.roots);
    let expired = &certificates(&file("expired_app_certificate")).unwrap()[0];
    assert!(expired.check_time(now_ms()).is_err());

    for (name, value, sub_code) in [
        ("app_cert_sn", String::new(), "isv.missing-app-cert-sn"),
        ("alipay_root_cert_sn", String::new(), "isv.missing-alipay-root-cert-sn"),
        ("app_cert_sn", "0123456789abcdef0123456789abcdef".to_owned(), "isv.app-cert-not-exist"),
        ("app_cert_sn", number(expired), "isv.app-cert-expired"),
        ("alipay_root_cert_sn", certified.app_cert_sn.clone(), "isv.invalid-alipay-root-cert-sn"),
    ] {
        let mut parameters = common(&house, "alipay.trade.query", &json!({ "out_trade_no": "x" }));
        parameters.insert(name.to_owned(), value);
        let body = send(&house, &certified.sign(&house, parameters)).await;
        let told: Value = serde_json::from_str(&body).unwrap();
        let told = &told["alipay_trade_query_response"];
        assert_eq!((&told["code"], &told["sub_code"]), (&json!("40002"), &json!(sub_code)), "{body}");
    }
}

#[tokio::test]
async fn encrypted_content_is_read_and_answered_encrypted() {
    let house = House::open().await;
    let key = BASE64.decode("c2FuZGJveC1hZXMta2V5IQ==").unwrap();
    let aes = AesCbc::new(&key).unwrap();
    let mut biz = order("sealed1", "3.21");
    biz["auth_code"] = json!(house.auth_code("alipay-1").await);
    let mut parameters = common(&house, "alipay.trade.pay", &Value::Null);
    let sealed = BASE64.encode(aes.encrypt([0; 16], biz.to_string().as_bytes()).unwrap());
    parameters.insert("biz_content".into(), sealed);
    parameters.insert("encrypt_type".into(), "AES".into());
    sign(&house, &mut parameters);
    let body = send(&house, &parameters).await;
    // The value is a text, and the signature covers it with its quotation marks.
    let told = verified(&house, "alipay_trade_pay_response", &body);
    let open = |told: &Value| -> Value {
        let bytes = BASE64.decode(told.as_str().unwrap_or_else(|| panic!("open: {told}"))).unwrap();
        serde_json::from_slice(&aes.decrypt([0; 16], &bytes).unwrap()).unwrap()
    };
    let told = open(&told);
    assert_eq!((&told["code"], &told["total_amount"]), (&json!("10000"), &json!("3.21")), "{told}");

    // A refusal is encrypted as well.
    sign(&house, &mut {
        parameters.remove("sign");
        parameters.clone()
    });
    parameters.remove("sign");
    parameters.insert("method".into(), "alipay.trade.query".into());
    let sealed = BASE64.encode(aes.encrypt([0; 16], b"{\"out_trade_no\":\"nothing\"}").unwrap());
    parameters.insert("biz_content".into(), sealed);
    sign(&house, &mut parameters);
    let told = open(&verified(&house, "alipay_trade_query_response", &send(&house, &parameters).await));
    assert_eq!(told["sub_code"], "ACQ.TRADE_NOT_EXIST");

    // What cannot be opened is told openly.
    for (content, kind, code, sub_code) in [
        ("{\"out_trade_no\":\"nothing\"}", "AES", "40003", "isv.decryption-error-unknown"),
        ("c2FuZGJveC1hZXMta2V5IQ==", "AES", "40003", "isv.decryption-error-unknown"),
        ("{}", "DES", "40002", "isv.invalid-encrypt-type"),
    ] {
        parameters.remove("sign");
        parameters.insert("biz_content".into(), content.into());
        parameters.insert("encrypt_type".into(), kind.into());
        sign(&house, &mut parameters);
        let told = verified(&house, "alipay_trade_query_response", &send(&house, &parameters).await);
        assert_eq!((&told["code"], &told["sub_code"]), (&json!(code), &json!(sub_code)), "{told}");
    }
}

/// Percent-encodes bytes.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_client_may_speak_gbk_and_is_answered_in_it() {
    let house = House::open().await;
    let mut biz = order("gbk1", "1.00");
    biz["subject"] = json!("牛肉面");
    let mut parameters = common(&house, "alipay.trade.precreate", &biz);
    parameters.insert("charset".into(), "GBK".into());
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let content: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = House::private(&house.alipay, "app_private_key");
    parameters.insert("sign".into(), key.sign_base64(&gbk(&content.join("&"))).unwrap());
    let form: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(&gbk(value)))).collect();
    let request = house.http.post(house.url("/gateway.do"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded;charset=GBK").body(form.join("&"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html;charset=GBK");
    let told = verified(&house, "alipay_trade_precreate_response", &answer.text().await.unwrap());
    assert_eq!(told["code"], "10000", "{told}");
    assert_eq!(house.trade("gbk1").await["subject"], "牛肉面");

    // A refusal has Chinese in it: GBK as well, and signed as it stands.
    parameters.insert("sign".into(), "AAAA".into());
    let form: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(&gbk(value)))).collect();
    let request = house.http.post(house.url("/gateway.do"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded;charset=GBK").body(form.join("&"));
    let bytes = request.send().await.unwrap().bytes().await.unwrap();
    let (text, _, wrong) = encoding_rs::GBK.decode(&bytes);
    assert!(!wrong && text.contains("验签出错"), "{text}");
    let value = text.strip_prefix("{\"alipay_trade_precreate_response\":").unwrap();
    let (value, signature) = value.rsplit_once(",\"sign\":\"").unwrap();
    let public = House::public(&house.alipay, "alipay_public_key");
    public.verify_base64(&gbk(value), signature.strip_suffix("\"}").unwrap()).unwrap();
}

#[tokio::test]
async fn a_multipart_form_is_read_as_well() {
    let house = House::open().await;
    let mut parameters = common(&house, "alipay.trade.query", &json!({ "out_trade_no": "nothing" }));
    sign(&house, &mut parameters);
    let biz = parameters.remove("biz_content").unwrap();
    let body = format!("--line\r\nContent-Disposition: form-data; name=\"biz_content\"\r\n\r\n{biz}\r\n--line--\r\n");
    let query = serde_urlencoded::to_string(&parameters).unwrap();
    let request = house.http.post(house.url(&format!("/gateway.do?{query}")));
    let request = request.header("Content-Type", "multipart/form-data; boundary=line").body(body);
    let body = request.send().await.unwrap().text().await.unwrap();
    let told = verified(&house, "alipay_trade_query_response", &body);
    assert_eq!(told["sub_code"], "ACQ.TRADE_NOT_EXIST");
}

#[tokio::test]
async fn clocks_may_differ_by_ten_minutes_and_the_gateways_own_can_be_put_wrong() {
    let house = House::open().await;
    let query = json!({ "out_trade_no": "nothing" });
    let sub_code = async |timestamp: String| -> Value {
        let mut parameters = common(&house, "alipay.trade.query", &query);
        parameters.insert("timestamp".into(), timestamp);
        sign(&house, &mut parameters);
        verified(&house, "alipay_trade_query_response", &send(&house, &parameters).await)["sub_code"].clone()
    };
    for (after, told) in [
        (0, "ACQ.TRADE_NOT_EXIST"),
        (9 * 60, "ACQ.TRADE_NOT_EXIST"),
        (-9 * 60, "ACQ.TRADE_NOT_EXIST"),
        (11 * 60, "isv.invalid-timestamp"),
        (-11 * 60, "isv.invalid-timestamp"),
        (86_400, "isv.invalid-timestamp"),
    ] {
        assert_eq!(sub_code(china(after)).await, told, "{after} s");
    }
    house.post("/sandbox/faults", json!({ "fault": "clock_skew", "channel": "alipay", "delay_ms": 660_000 })).await;
    assert_eq!(sub_code(china(0)).await, "isv.invalid-timestamp");
    assert_eq!(sub_code(china(660)).await, "ACQ.TRADE_NOT_EXIST");
    let shows = async |path: &str| -> i64 {
        let answer = house.http.get(house.url(path)).send().await.unwrap();
        let date = answer.headers()["date"].to_str().unwrap();
        let at = jiff::fmt::rfc2822::parse(date).unwrap().timestamp().as_second();
        at - crate::house::seconds()
    };
    assert!((650..670).contains(&shows("/gateway.do").await), "the gateway's answers show its clock");
    assert!(shows("/sandbox/wallets").await.abs() < 10);
    house.control("DELETE", "/sandbox/faults", Value::Null).await;
    assert_eq!(sub_code(china(0)).await, "ACQ.TRADE_NOT_EXIST");
}
