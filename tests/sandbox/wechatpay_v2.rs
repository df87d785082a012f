//! WeChat Pay APIv2 as a merchant meets it: flat XML, signed with MD5 or HMAC-SHA256.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use scantill::crypto::{HmacSha256, md5_hex, sha1_hex, unwrap_aes256_ecb};
use serde_json::{Value, json};

use crate::house::{Delivery, House, Merchant, china};
use crate::wechatpay;

type Fields = BTreeMap<String, String>;

const HMAC: &str = "HMAC-SHA256";
const KINDS: [&str; 2] = ["MD5", HMAC];

/// The merchant's key of this interface; the same for every sandbox.
const KEY: &str = "sandbox-api-v2-key-0123456789abc";

fn sign(fields: &Fields, kind: &str) -> String {
    let signed: Vec<_> = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    let text: String = signed.into_iter().map(|(name, value)| format!("{name}={value}&")).collect();
    let text = format!("{text}key={KEY}");
    match kind {
        HMAC => hex::encode_upper(HmacSha256::new(KEY.as_bytes()).sign(&[text.as_bytes()])),
        _ => md5_hex(text.as_bytes()).to_uppercase(),
    }
}

/// Reads what the platform writes: `<name><![CDATA[value]]></name>`, one after another.
fn read(xml: &str, root: &str) -> Fields {
    let inner = xml.trim().strip_prefix(&format!("<{root}>")).and_then(|rest| rest.strip_suffix(&format!("</{root}>")));
    let mut rest = inner.unwrap_or_else(|| panic!("no {root}: {xml}")).trim();
    let mut fields = Fields::new();
    while let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once("><![CDATA[")) {
        let (value, after) = after.split_once(&format!("]]></{name}>")).unwrap();
        assert!(fields.insert(name.to_owned(), value.to_owned()).is_none(), "{name} twice");
        rest = after.trim();
    }
    assert_eq!(rest, "", "{xml}");
    fields
}

pub fn message(house: &House, kind: &str, fields: &[(&str, &str)]) -> String {
    let common = [
        ("appid", House::text(&house.wechatpay, "appid")),
        ("mch_id", House::text(&house.wechatpay, "mchid")),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        // One who says nothing signs with MD5.
        ("sign_type", if kind == HMAC { HMAC } else { "" }),
    ];
    let mut fields: Fields =
        common.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    fields.retain(|_, value| !value.is_empty());
    let signature = sign(&fields, kind);
    fields.insert("sign".to_owned(), signature);
    let inner: String = fields.iter().map(|(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>")).collect();
    format!("<xml>{inner}</xml>")
}

async fn post(house: &House, path: &str, body: impl Into<reqwest::Body>) -> Vec<u8> {
    let answer = house.http.post(house.url(path)).header("content-type", "text/xml").body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "whatever comes of it");
    answer.bytes().await.unwrap().to_vec()
}

/// A call whose answer has to be signed in the same way.
async fn call_as(house: &House, kind: &str, path: &str, fields: &[(&str, &str)]) -> Fields {
    let body = post(house, path, message(house, kind, fields)).await;
    let told = read(&String::from_utf8(body).unwrap(), "xml");
    assert_eq!(told["return_code"], "SUCCESS", "{told:?}");
    assert_eq!(told["sign"], sign(&told, kind), "{told:?}");
    assert_eq!(told["mch_id"], House::text(&house.wechatpay, "mchid"));
    assert!(!told["nonce_str"].is_empty());
    told
}

async fn call(house: &House, path: &str, fields: &[(&str, &str)]) -> Fields {
    call_as(house, "MD5", path, fields).await
}

/// A call that is refused before its wish is looked at: unsigned.
async fn failed(house: &House, path: &str, body: impl Into<reqwest::Body>) -> Fields {
    let told = read(&String::from_utf8(post(house, path, body).await).unwrap(), "xml");
    assert_eq!((told["return_code"].as_str(), told.contains_key("sign")), ("FAIL", false), "{told:?}");
    told
}

fn refused(told: &Fields, code: &str) {
    assert_eq!((told["result_code"].as_str(), told["err_code"].as_str()), ("FAIL", code), "{told:?}");
    assert!(!told["err_code_des"].is_empty());
}

fn all<'a>(told: &'a Fields, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|name| told.get(*name).map_or("", String::as_str)).collect()
}

async fn micropay_as(house: &House, kind: &str, number: &str, fen: &str, code: &str) -> Fields {
    let fields = [
        ("body", "一碗面 <&]]"),
        ("out_trade_no", number),
        ("total_fee", fen),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", code),
        ("attach", "till 3"),
        ("device_info", "till-3"),
    ];
    call_as(house, kind, "/pay/micropay", &fields).await
}

async fn micropay(house: &House, number: &str, fen: &str, code: &str) -> Fields {
    micropay_as(house, "MD5", number, fen, code).await
}

async fn query(house: &House, number: &str) -> Fields {
    call(house, "/pay/orderquery", &[("out_trade_no", number)]).await
}

async fn unified(house: &House, kind: &str, number: &str, notify_url: &str) -> Fields {
    let fields = [
        ("body", "一碗面"),
        ("out_trade_no", number),
        ("total_fee", "880"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", notify_url),
        ("trade_type", "NATIVE"),
        ("product_id", "1"),
    ];
    call_as(house, kind, "/pay/unifiedorder", &fields).await
}

#[tokio::test]
async fn a_payment_code_pays_once_whichever_way_it_is_signed() {
    let house = House::open().await;
    for kind in KINDS {
        let number = format!("v2-{}", kind.to_lowercase());
        let code = house.auth_code("wechatpay-1").await;
        let paid = micropay_as(&house, kind, &number, "1234", &code).await;
        let names = ["result_code", "trade_type", "total_fee", "cash_fee", "fee_type", "attach", "device_info"];
        assert_eq!(all(&paid, &names), ["SUCCESS", "MICROPAY", "1234", "1234", "CNY", "till 3", "till-3"]);
        assert_eq!(paid["time_end"].len(), 14);
        let told = call_as(&house, kind, "/pay/orderquery", &[("transaction_id", &paid["transaction_id"])]).await;
        assert_eq!((told["trade_state"].as_str(), told["out_trade_no"].as_str()), ("SUCCESS", number.as_str()));
        assert_eq!(told["openid"], paid["openid"]);
        refused(&micropay_as(&house, kind, &number, "1234", &code).await, "ORDERPAID");
        let used = micropay_as(&house, kind, &format!("{number}-b"), "1", &code).await;
        refused(&used, "AUTH_CODE_INVALID");
        refused(
            &micropay_as(&house, kind, &number, "1", &house.auth_code("wechatpay-1").await).await,
            "OUT_TRADE_NO_USED",
        );
    }
    assert_eq!(house.balance("wechatpay-1").await, 1_000_000 - 2 * 1_234);
}

#[tokio::test]
async fn payments_are_refused_in_this_interfaces_words() {
    let house = House::open().await;
    let poor = house.auth_code("wechatpay-2").await;
    refused(&micropay(&house, "v2-poor", "51", &poor).await, "NOTENOUGH");
    refused(&micropay(&house, "v2-strange", "51", "131111222233334444").await, "AUTH_CODE_INVALID");
    refused(&micropay(&house, "v2-short", "51", "13").await, "AUTH_CODE_INVALID");
    let code = house.auth_code("wechatpay-1").await;
    house.advance(60).await;
    refused(&micropay(&house, "v2-late", "51", &code).await, "AUTHCODEEXPIRE");
    refused(&query(&house, "v2-late").await, "ORDERNOTEXIST");

    let code = house.auth_code("wechatpay-1").await;
    refused(&micropay(&house, "v2-dear", "100001", &code).await, "USERPAYING");
    refused(&micropay(&house, "v2-dear", "100001", &code).await, "USERPAYING");
    let told = query(&house, "v2-dear").await;
    assert_eq!((told["trade_state"].as_str(), told.get("transaction_id")), ("USERPAYING", None));
    let id = house.trade("v2-dear").await["id"].as_str().unwrap().to_owned();
    house.post(&format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!(query(&house, "v2-dear").await["trade_state"], "SUCCESS");

    house.post("/sandbox/faults", json!({ "fault": "system_error", "channel": "wechatpay", "call": "micropay" })).await;
    refused(&micropay(&house, "v2-broken", "1", &code).await, "SYSTEMERROR");
    house.post("/sandbox/faults", json!({ "fault": "refuse", "call": "pay", "code": "BANKERROR" })).await;
    refused(&micropay(&house, "v2-broken", "1", &code).await, "BANKERROR");
    refused(&query(&house, "v2-broken").await, "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_reversal_needs_a_moment_and_counts_once() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    micropay(&house, "v2-reverse", "5000", &code).await;
    let reverse = async || call(&house, "/secapi/pay/reverse", &[("out_trade_no", "v2-reverse")]).await;
    let told = reverse().await;
    refused(&told, "INVALID_REQUEST");
    assert_eq!(told["recall"], "Y", "ask again");
    house.advance(15).await;
    for _ in 0..2 {
        assert_eq!(all(&reverse().await, &["result_code", "recall"]), ["SUCCESS", "N"]);
        assert_eq!(house.balance("wechatpay-1").await, 1_000_000);
    }
    assert_eq!(query(&house, "v2-reverse").await["trade_state"], "REVOKED");
    refused(&micropay(&house, "v2-reverse", "5000", &code).await, "ORDERREVERSED");
    let told = call(&house, "/secapi/pay/reverse", &[("out_trade_no", "v2-nothing")]).await;
    refused(&told, "ORDERNOTEXIST");
    assert_eq!(told["recall"], "N");
}

/// A merchant who acknowledges in this interface's way, after a first refusal.
struct Desk {
    url: String,
    got: std::sync::Arc<std::sync::Mutex<Vec<Delivery>>>,
}

impl Desk {
    async fn open() -> Self {
        use axum::extract::State;
        type Got = std::sync::Arc<std::sync::Mutex<Vec<Delivery>>>;
        async fn receive(
            State(got): State<Got>,
            headers: axum::http::HeaderMap,
            body: axum::body::Bytes,
        ) -> &'static str {
            let mut got = got.lock().unwrap();
            got.push(Delivery { headers, body, at: std::time::Instant::now() });
            match got.len() {
                1 => "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg>not now</return_msg></xml>",
                _ => "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>",
            }
        }
        let got = Got::default();
        let app = axum::Router::new().route("/", axum::routing::post(receive)).with_state(got.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, got }
    }

    async fn wait(&self, count: usize) -> Vec<Delivery> {
        let deadline = std::time::Instant::now() + crate::house::PATIENCE;
        while self.got.lock().unwrap().len() < count {
            assert!(std::time::Instant::now() < deadline, "not told");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.got.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_shown_order_is_paid_and_the_merchant_is_told_in_xml() {
    let house = House::open().await;
    for kind in KINDS {
        let desk = Desk::open().await;
        let number = format!("v2-shown-{}", kind.to_lowercase());
        let told = unified(&house, kind, &number, &desk.url).await;
        assert_eq!(told["trade_type"], "NATIVE");
        assert!(told["prepay_id"].starts_with("wx") && told["code_url"].starts_with("weixin://wxpay/bizpayurl?pr="));
        assert_eq!(unified(&house, kind, &number, &desk.url).await["code_url"], told["code_url"]);
        assert_eq!(query(&house, &number).await["trade_state"], "NOTPAY");
        assert_eq!(house.scan("wechatpay-1", &told["code_url"], Some(true)).await.1["state"], "SUCCESS");
        refused(&unified(&house, kind, &number, &desk.url).await, "ORDERPAID");
        let got = desk.wait(2).await;
        for delivery in &got {
            assert!(delivery.headers["content-type"].to_str().unwrap().contains("xml"));
            let told = read(std::str::from_utf8(&delivery.body).unwrap(), "xml");
            assert_eq!(told["sign"], sign(&told, kind), "{told:?}");
            let names = ["return_code", "result_code", "out_trade_no", "total_fee", "trade_type"];
            assert_eq!(all(&told, &names), ["SUCCESS", "SUCCESS", &number, "880", "NATIVE"]);
            assert_eq!(told["transaction_id"], query(&house, &number).await["transaction_id"]);
        }
    }
    // Only a message that says so ends the repeats, not a status.
    let deaf = Merchant::open(0).await;
    let told = unified(&house, "MD5", "v2-deaf", &deaf.url).await;
    house.scan("wechatpay-1", &told["code_url"], Some(true)).await;
    deaf.wait(2).await;
}

#[tokio::test]
async fn orders_are_closed_once() {
    let house = House::open().await;
    let close = async |number: &str| call(&house, "/pay/closeorder", &[("out_trade_no", number)]).await;
    let told = unified(&house, "MD5", "v2-close", "https://example.com/notify").await;
    assert_eq!(close("v2-close").await["result_code"], "SUCCESS");
    refused(&close("v2-close").await, "ORDERCLOSED");
    refused(&close("v2-absent").await, "ORDERNOTEXIST");
    assert_eq!(house.scan("wechatpay-1", &told["code_url"], Some(true)).await.0, 409);
    assert_eq!(query(&house, "v2-close").await["trade_state"], "CLOSED");
    let told = unified(&house, "MD5", "v2-paid-one", "https://example.com/notify").await;
    house.scan("wechatpay-1", &told["code_url"], Some(true)).await;
    refused(&close("v2-paid-one").await, "ORDERPAID");
}

#[tokio::test]
async fn refunds_are_told_of_wrapped_under_the_key() {
    let house = House::open().await;
    let desk = Desk::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let paid = micropay(&house, "v2-refund", "1000", &code).await;
    let refund = async |own: &str, fen: &str, total: &str| {
        let number = ("transaction_id", paid["transaction_id"].as_str());
        let fields =
            [number, ("out_refund_no", own), ("refund_fee", fen), ("total_fee", total), ("notify_url", &desk.url)];
        call(&house, "/secapi/pay/refund", &fields).await
    };
    let told = refund("v2-back1", "400", "1000").await;
    let names = ["result_code", "refund_fee", "total_fee", "cash_refund_fee", "out_trade_no"];
    assert_eq!(all(&told, &names), ["SUCCESS", "400", "1000", "400", "v2-refund"]);
    assert_eq!(refund("v2-back1", "400", "1000").await["refund_id"], told["refund_id"], "counts once");
    refused(&refund("v2-back1", "401", "1000").await, "REFUND_FEE_MISMATCH");
    refused(&refund("v2-back2", "100", "999").await, "REFUND_FEE_MISMATCH");
    refused(&refund("v2-back2", "601", "1000").await, "INVALID_REQUEST");
    for delivery in desk.wait(2).await {
        let told = read(std::str::from_utf8(&delivery.body).unwrap(), "xml");
        assert_eq!((told["return_code"].as_str(), told.contains_key("sign")), ("SUCCESS", false));
        let wrapped = BASE64.decode(&told["req_info"]).unwrap();
        let plain = unwrap_aes256_ecb(md5_hex(KEY.as_bytes()).as_bytes(), &wrapped).unwrap();
        let refund = read(std::str::from_utf8(&plain).unwrap(), "root");
        let names = ["out_refund_no", "refund_status", "refund_fee", "total_fee", "out_trade_no"];
        assert_eq!(all(&refund, &names), ["v2-back1", "SUCCESS", "400", "1000", "v2-refund"]);
    }

    assert_eq!(refund("v2-back2", "600", "1000").await["result_code"], "SUCCESS");
    let query = async |by: (&str, &str)| call(&house, "/pay/refundquery", &[by]).await;
    let whole = query(("out_trade_no", "v2-refund")).await;
    let names = ["total_refund_count", "refund_count", "out_refund_no_0", "refund_fee_1", "refund_status_1"];
    assert_eq!(all(&whole, &names), ["2", "2", "v2-back1", "600", "SUCCESS"]);
    for by in [("refund_id", told["refund_id"].as_str()), ("out_refund_no", "v2-back1")] {
        let one = query(by).await;
        assert_eq!(all(&one, &["refund_count", "refund_id_0", "refund_fee_0"]), ["1", &told["refund_id"], "400"]);
    }
    refused(&query(("out_refund_no", "v2-back9")).await, "REFUNDNOTEXIST");
    refused(&query(("out_trade_no", "v2-nothing")).await, "REFUNDNOTEXIST");
    assert_eq!(house.balance("wechatpay-1").await, 1_000_000);
}

#[tokio::test]
async fn both_interfaces_see_the_same_trades() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let paid = micropay(&house, "v2-in-v3", "100", &code).await;
    let told = wechatpay::query(&house, "v2-in-v3").await.1;
    assert_eq!((&told["trade_state"], &told["transaction_id"]), (&json!("SUCCESS"), &json!(paid["transaction_id"])));
    wechatpay::native(&house, "v3-in-v2", 100).await;
    assert_eq!(query(&house, "v3-in-v2").await["trade_state"], "NOTPAY");
    assert_eq!(wechatpay::close(&house, "v3-in-v2").await.0, 204);
    assert_eq!(query(&house, "v3-in-v2").await["trade_state"], "CLOSED");
}

#[tokio::test]
async fn bills_are_the_same_text() {
    let house = House::open().await;
    let today = china(0)[..10].replace('-', "");
    let path = "/pay/downloadbill";
    let none = failed(&house, path, message(&house, "MD5", &[("bill_date", &today)])).await;
    assert_eq!(all(&none, &["return_msg", "error_code"]), ["No Bill Exist", "20002"]);
    let code = house.auth_code("wechatpay-1").await;
    micropay(&house, "v2-billed", "1000", &code).await;
    let plain = post(&house, path, message(&house, HMAC, &[("bill_date", &today), ("bill_type", "ALL")])).await;
    let text = String::from_utf8(plain.clone()).unwrap();
    assert!(text.starts_with("\u{feff}交易时间,") && text.contains(",`v2-billed,") && text.contains(",`till-3,"));
    let fields = [("bill_date", today.as_str()), ("bill_type", "ALL"), ("tar_type", "GZIP")];
    let packed = post(&house, path, message(&house, "MD5", &fields)).await;
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    for (field, value) in [("bill_date", "2026-11-25"), ("bill_date", ""), ("bill_type", "SOME"), ("tar_type", "ZIP")] {
        let mut fields = vec![("bill_date", today.as_str())];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        assert_eq!(failed(&house, path, message(&house, "MD5", &fields)).await["error_code"], "20001", "{field}");
    }

    // The fund flow is for HMAC-SHA256 alone, and has its digest in a header.
    let fields = [("bill_date", today.as_str()), ("account_type", "Basic")];
    failed(&house, "/pay/downloadfundflow", message(&house, "MD5", &fields)).await;
    let request = house.http.post(house.url("/pay/downloadfundflow")).body(message(&house, HMAC, &fields));
    let answer = request.send().await.unwrap();
    let digest = answer.headers()["digest"].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    assert!(text.contains("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`2,`1,`10.00,`1,`0.06\r\n"), "{text}");
    assert_eq!(digest, format!("SHA={}", sha1_hex(text.as_bytes())));
}

#[tokio::test]
async fn what_is_no_signed_message_is_refused_before_anything_is_done() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let fields = [
        ("body", "noodles"),
        ("out_trade_no", "v2-hostile"),
        ("total_fee", "100"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", code.as_str()),
    ];
    let good = message(&house, "MD5", &fields);
    let path = "/pay/micropay";
    let said = async |body: String| failed(&house, path, body).await["return_msg"].clone();
    let expanded = format!("<!DOCTYPE xml [<!ENTITY e \"100\">]>{}", good.replace("<![CDATA[100]]>", "&e;"));
    assert_eq!(said(expanded).await, "XML格式错误");
    assert_eq!(said(good.replace("</xml>", "")).await, "XML格式错误");
    assert_eq!(said(format!("<xml><a>{}</a></xml>", "<b>".repeat(10_000))).await, "XML格式错误");
    assert_eq!(said(String::new()).await, "post数据为空");
    assert_eq!(said("x".repeat(2 << 20)).await, "XML格式错误");
    assert_eq!(said(good.replace("<![CDATA[100]]>", "<![CDATA[1]]>")).await, "签名错误");
    assert_eq!(said(good.replace("</xml>", "<sign_type>HMAC-SHA256</sign_type></xml>")).await, "签名错误");
    assert_eq!(said(message(&house, "MD5", &[("mch_id", "1900009999")])).await, "签名错误");
    assert_eq!(said(message(&house, "MD5", &[("appid", "wx9999999999999999")])).await, "appid和mch_id不匹配");
    assert_eq!(said(good.replace("<appid>", "<app_id>").replace("</appid>", "</app_id>")).await, "缺少参数appid");
    let answer = house.http.get(house.url(path)).send().await.unwrap().text().await.unwrap();
    assert_eq!(read(&answer, "xml")["return_msg"], "请使用post方法");
    for (name, value, word) in [
        ("total_fee", "0", "值低于最小值 1"),
        ("total_fee", "1.5", "64 位有符号整数"),
        ("total_fee", "+1", "64 位有符号整数"),
        ("total_fee", "99999999999999999999", "64 位有符号整数"),
        ("out_trade_no", "short", "小于最小值 6"),
        ("out_trade_no", "面面", "正则表达式"),
        ("body", "", "小于最小值 1"),
        ("fee_type", "USD", "fee_type"),
        ("time_expire", "tomorrow", "time_expire"),
    ] {
        let mut fields = fields.to_vec();
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        let told = said(message(&house, "MD5", &fields)).await;
        assert!(told.contains(word), "{name} {value}: {told}");
    }

    // None of it used the code up or made a trade.
    assert_eq!(micropay(&house, "v2-hostile", "100", &code).await["result_code"], "SUCCESS");
}
