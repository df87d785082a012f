//! Alipay as a merchant meets it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{House, Merchant, china};

pub type Parameters = BTreeMap<String, String>;

/// The common parameters, unsigned.
pub fn common(house: &House, method: &str, biz: &Value) -> Parameters {
    let app_id = House::text(&house.alipay, "app_id");
    [
        ("app_id", app_id),
        ("method", method),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", &china(0)),
        ("version", "1.0"),
        ("biz_content", &biz.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

pub fn sign(house: &House, parameters: &mut Parameters) {
    let content: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = House::private(&house.alipay, "app_private_key");
    parameters.insert("sign".into(), key.sign_base64(content.join("&").as_bytes()).unwrap());
}

pub async fn send(house: &House, parameters: &Parameters) -> String {
    let body = serde_urlencoded::to_string(parameters).unwrap();
    let request = house.http.post(house.url("/gateway.do"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded;charset=utf-8").body(body);
    request.send().await.unwrap().text().await.unwrap()
}

/// Takes the answer apart by its bytes and checks the signature over the raw value.
pub fn verified(house: &House, key: &str, body: &str) -> Value {
    let rest = body.strip_prefix(&format!("{{\"{key}\":")).unwrap_or_else(|| panic!("no {key}: {body}"));
    let (value, sign) = rest.rsplit_once(",\"sign\":\"").unwrap_or_else(|| panic!("unsigned: {body}"));
    let sign = sign.strip_suffix("\"}").unwrap();
    House::public(&house.alipay, "alipay_public_key").verify_base64(value.as_bytes(), sign).unwrap();
    serde_json::from_str(value).unwrap()
}

pub async fn call_with(house: &House, method: &str, biz: Value, more: &[(&str, &str)]) -> Value {
    let mut parameters = common(house, method, &biz);
    for (name, value) in more {
        parameters.insert((*name).to_owned(), (*value).to_owned());
    }
    sign(house, &mut parameters);
    let key = format!("{}_response", method.replace('.', "_"));
    verified(house, &key, &send(house, &parameters).await)
}

pub async fn call(house: &House, method: &str, biz: Value) -> Value {
    call_with(house, method, biz, &[]).await
}

pub fn order(number: &str, amount: &str) -> Value {
    json!({
        "out_trade_no": number, "total_amount": amount, "subject": "一碗面 noodles & tea/水",
        "product_code": "FACE_TO_FACE_PAYMENT",
    })
}

pub async fn pay(house: &House, number: &str, amount: &str, auth_code: &str) -> Value {
    let mut biz = order(number, amount);
    biz["scene"] = json!("bar_code");
    biz["auth_code"] = json!(auth_code);
    call(house, "alipay.trade.pay", biz).await
}

pub async fn shown(house: &House, number: &str, amount: &str) -> String {
    let told = call(house, "alipay.trade.precreate", order(number, amount)).await;
    assert_eq!((&told["code"], &told["out_trade_no"]), (&json!("10000"), &json!(number)), "{told}");
    told["qr_code"].as_str().unwrap().to_owned()
}

pub async fn query(house: &House, number: &str) -> Value {
    call(house, "alipay.trade.query", json!({ "out_trade_no": number })).await
}

pub async fn cancel(house: &House, number: &str) -> Value {
    call(house, "alipay.trade.cancel", json!({ "out_trade_no": number })).await
}

pub fn refused(told: &Value, sub_code: &str) {
    assert_eq!((&told["code"], &told["sub_code"]), (&json!("40004"), &json!(sub_code)), "{told}");
    assert!(told["sub_msg"].as_str().is_some_and(|words| !words.is_ascii()), "in Chinese: {told}");
}

#[tokio::test]
async fn a_payment_code_pays_once() {
    let house = House::open().await;
    let code = house.auth_code("alipay-1").await;
    let told = pay(&house, "p1", "12.34", &code).await;
    assert_eq!((&told["code"], &told["msg"]), (&json!("10000"), &json!("Success")));
    assert_eq!(told["out_trade_no"], "p1");
    for (field, value) in [("total_amount", "12.34"), ("receipt_amount", "12.34"), ("buyer_pay_amount", "12.34")] {
        assert_eq!(told[field], value);
    }
    assert!(told["trade_no"].as_str().unwrap().len() == 28 && told["buyer_logon_id"].as_str().unwrap().contains("***"));
    assert_eq!(told["gmt_payment"].as_str().unwrap().len(), 19);
    assert_eq!(told["fund_bill_list"][0]["amount"], "12.34");
    assert_eq!(house.balance("alipay-1").await, 1_000_000 - 1_234);

    let found = query(&house, "p1").await;
    assert_eq!((&found["trade_status"], &found["trade_no"]), (&json!("TRADE_SUCCESS"), &told["trade_no"]));
    assert_eq!(found["send_pay_date"], told["gmt_payment"]);
    let by_trade_no = json!({ "trade_no": told["trade_no"], "out_trade_no": "another" });
    assert_eq!(call(&house, "alipay.trade.query", by_trade_no).await["out_trade_no"], "p1", "trade_no goes first");

    refused(&pay(&house, "p1", "12.34", &code).await, "ACQ.TRADE_HAS_SUCCESS");
    refused(&pay(&house, "p2", "12.34", &code).await, "ACQ.PAYMENT_AUTH_CODE_INVALID");
    let fresh = house.auth_code("alipay-1").await;
    refused(&pay(&house, "p1", "12.35", &fresh).await, "ACQ.CONTEXT_INCONSISTENT");
    let mut other = order("p1", "12.34");
    other["subject"] = json!("another thing");
    other["auth_code"] = json!(fresh);
    refused(&call(&house, "alipay.trade.pay", other).await, "ACQ.CONTEXT_INCONSISTENT");
    assert_eq!(house.balance("alipay-1").await, 1_000_000 - 1_234);
}

#[tokio::test]
async fn a_code_that_ran_out_is_unknown_or_anothers_is_refused_and_so_is_a_poor_wallet() {
    let house = House::open().await;
    let code = house.auth_code("alipay-1").await;
    house.advance(60).await;
    for code in [code.as_str(), "281111222233334444", &house.auth_code("wechatpay-1").await] {
        refused(&pay(&house, "late", "1.00", code).await, "ACQ.PAYMENT_AUTH_CODE_INVALID");
    }
    let poor = house.auth_code("alipay-2").await;
    refused(&pay(&house, "poor", "0.51", &poor).await, "ACQ.BUYER_BALANCE_NOT_ENOUGH");
    refused(&query(&house, "poor").await, "ACQ.TRADE_NOT_EXIST");
    let poor = house.auth_code("alipay-2").await;
    assert_eq!(pay(&house, "exact", "0.50", &poor).await["code"], "10000");
}

#[tokio::test]
async fn over_a_thousand_the_customer_confirms_refuses_or_lets_it_run_out() {
    let house = House::open().await;
    let wait = async |number: &str, more: Value| {
        let mut biz = order(number, "1000.01");
        biz["auth_code"] = json!(house.auth_code("alipay-1").await);
        if let Some(limit) = more.as_str() {
            biz["timeout_express"] = json!(limit);
        }
        let told = call(&house, "alipay.trade.pay", biz.clone()).await;
        assert_eq!((&told["code"], &told["msg"]), (&json!("10003"), &json!("order success pay inprocess")));
        assert_eq!(query(&house, number).await["trade_status"], "WAIT_BUYER_PAY");
        let again = call(&house, "alipay.trade.pay", biz).await;
        assert_eq!(again["code"], "10003", "the same call again tells the same");
        house.trade(number).await["id"].as_str().unwrap().to_owned()
    };
    let id = wait("yes", Value::Null).await;
    let (status, trade) = house.control("POST", &format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!((status, &trade["state"]), (200, &json!("SUCCESS")));
    assert_eq!(query(&house, "yes").await["trade_status"], "TRADE_SUCCESS");

    let id = wait("no", Value::Null).await;
    house.post(&format!("/sandbox/trades/{id}/refuse"), Value::Null).await;
    let found = query(&house, "no").await;
    assert_eq!(found["trade_status"], "TRADE_CLOSED");
    assert!(found["send_pay_date"].is_null(), "never paid");
    let (status, _) = house.control("POST", &format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!(status, 409);

    let id = wait("late", json!("2m")).await;
    house.advance(90).await;
    assert_eq!(query(&house, "late").await["trade_status"], "WAIT_BUYER_PAY");
    house.advance(30).await;
    assert_eq!(query(&house, "late").await["trade_status"], "TRADE_CLOSED");
    let (status, problem) = house.control("POST", &format!("/sandbox/trades/{id}/confirm"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (409, &json!("closed")));
    assert_eq!(house.balance("alipay-1").await, 1_000_000 - 100_001);
}

#[tokio::test]
async fn a_shown_order_is_no_trade_until_it_is_scanned() {
    let house = House::open().await;
    let payload = shown(&house, "s1", "8.80").await;
    assert!(payload.starts_with("https://qr.alipay.com/bax"), "{payload}");
    refused(&query(&house, "s1").await, "ACQ.TRADE_NOT_EXIST");
    let close = json!({ "out_trade_no": "s1" });
    refused(&call(&house, "alipay.trade.close", close.clone()).await, "ACQ.TRADE_NOT_EXIST");
    assert_eq!(shown(&house, "s1", "8.80").await, payload, "the same order, the same code");
    refused(&call(&house, "alipay.trade.precreate", order("s1", "8.81")).await, "ACQ.CONTEXT_INCONSISTENT");

    let (status, trade) = house.scan("alipay-1", &payload, None).await;
    assert_eq!((status, &trade["state"], &trade["amount"]), (200, &json!("WAIT_BUYER_PAY"), &json!(880)), "{trade}");
    assert_eq!(query(&house, "s1").await["trade_status"], "WAIT_BUYER_PAY");
    assert_eq!(call(&house, "alipay.trade.close", close.clone()).await["code"], "10000");
    assert_eq!(query(&house, "s1").await["trade_status"], "TRADE_CLOSED");
    refused(&call(&house, "alipay.trade.close", close).await, "ACQ.TRADE_STATUS_ERROR");
    let (status, problem) = house.scan("alipay-1", &payload, Some(true)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("closed")));
    refused(&call(&house, "alipay.trade.precreate", order("s1", "8.80")).await, "ACQ.TRADE_HAS_CLOSE");
}

#[tokio::test]
async fn a_shown_code_runs_out_when_the_merchant_said() {
    let house = House::open().await;
    for (number, limits, lasts) in [
        ("t1", json!({ "timeout_express": "5m" }), 300),
        ("t2", json!({ "timeout_express": "5m", "qr_code_timeout_express": "1m" }), 60),
        ("t3", json!({}), 7_200),
    ] {
        let mut biz = order(number, "1.00");
        biz.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        let payload = call(&house, "alipay.trade.precreate", biz).await["qr_code"].as_str().unwrap().to_owned();
        // The rest is for the story's own pace.
        house.advance(lasts - 30).await;
        assert_eq!(house.scan("alipay-1", &payload, None).await.0, 200, "{number}");
        house.advance(30).await;
        assert_eq!(house.scan("alipay-1", &payload, Some(true)).await.0, 409, "{number}");
        assert_eq!(query(&house, number).await["trade_status"], "TRADE_CLOSED");
    }
    let mut wrong = order("t4", "1.00");
    wrong["timeout_express"] = json!("soon");
    refused(&call(&house, "alipay.trade.precreate", wrong).await, "ACQ.INVALID_PARAMETER");
}

#[tokio::test]
async fn cancelling_closes_what_is_unpaid_and_returns_what_is_paid() {
    let house = House::open().await;
    let told = cancel(&house, "never").await;
    assert_eq!((&told["code"], &told["retry_flag"], &told["action"]), (&json!("10000"), &json!("N"), &Value::Null));

    let code = house.auth_code("alipay-1").await;
    pay(&house, "c1", "100.00", &code).await;
    for _ in 0..2 {
        let told = cancel(&house, "c1").await;
        assert_eq!((&told["action"], &told["retry_flag"]), (&json!("refund"), &json!("N")), "again tells the same");
        assert_eq!(house.balance("alipay-1").await, 1_000_000, "and moves nothing");
    }
    let found = query(&house, "c1").await;
    assert_eq!(found["trade_status"], "TRADE_CLOSED");
    assert!(found["send_pay_date"].is_string(), "it was paid once");
    let code = house.auth_code("alipay-1").await;
    refused(&pay(&house, "c1", "100.00", &code).await, "ACQ.TRADE_HAS_CLOSE");

    let payload = shown(&house, "c2", "5.00").await;
    assert_eq!(cancel(&house, "c2").await["action"], "close");
    assert_eq!(house.scan("alipay-1", &payload, Some(true)).await.0, 409, "the code is dead");

    let code = house.auth_code("alipay-1").await;
    pay(&house, "c3", "1.00", &code).await;
    house.advance(86_400).await;
    refused(&cancel(&house, "c3").await, "ACQ.TRADE_CANCEL_TIME_OUT");
}

#[tokio::test]
async fn refunds_are_partial_count_once_and_never_exceed() {
    let house = House::open().await;
    let code = house.auth_code("alipay-1").await;
    pay(&house, "r1", "10.00", &code).await;
    let refund = async |request: &str, amount: &str| {
        let biz = json!({ "out_trade_no": "r1", "refund_amount": amount, "out_request_no": request });
        call(&house, "alipay.trade.refund", biz).await
    };
    let told = refund("a", "4.00").await;
    assert_eq!((&told["fund_change"], &told["refund_fee"]), (&json!("Y"), &json!("4.00")));
    let told = refund("a", "4.00").await;
    assert_eq!((&told["fund_change"], &told["refund_fee"]), (&json!("N"), &json!("4.00")), "counts once");
    refused(&refund("a", "4.01").await, "ACQ.DISCORDANT_REPEAT_REQUEST");
    refused(&refund("b", "6.01").await, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
    refused(&refund("", "1.00").await, "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    refused(&cancel(&house, "r1").await, "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    assert_eq!(query(&house, "r1").await["trade_status"], "TRADE_SUCCESS", "a part is left");
    let told = refund("b", "6.00").await;
    assert_eq!((&told["fund_change"], &told["refund_fee"]), (&json!("Y"), &json!("10.00")), "cumulative");
    assert_eq!(query(&house, "r1").await["trade_status"], "TRADE_CLOSED");
    assert_eq!(house.balance("alipay-1").await, 1_000_000);

    let ask = async |request: &str| {
        let biz = json!({ "out_trade_no": "r1", "out_request_no": request });
        call(&house, "alipay.trade.fastpay.refund.query", biz).await
    };
    let told = ask("b").await;
    assert_eq!((&told["refund_status"], &told["refund_amount"]), (&json!("REFUND_SUCCESS"), &json!("6.00")));
    let told = ask("z").await;
    assert_eq!((&told["code"], &told["refund_status"]), (&json!("10000"), &Value::Null));

    let code = house.auth_code("alipay-1").await;
    pay(&house, "r2", "3.00", &code).await;
    let whole = json!({ "out_trade_no": "r2", "refund_amount": "3.00" });
    assert_eq!(call(&house, "alipay.trade.refund", whole).await["fund_change"], "Y", "the whole needs no number");
    let none = json!({ "out_trade_no": "nothing", "refund_amount": "3.00" });
    refused(&call(&house, "alipay.trade.refund", none).await, "ACQ.TRADE_NOT_EXIST");
}

#[tokio::test]
async fn what_is_not_signed_by_the_application_is_refused_before_anything_is_done() {
    let house = House::open().await;
    let code = house.auth_code("alipay-1").await;
    let mut biz = order("x1", "1.00");
    biz["auth_code"] = json!(code);
    let mut good = common(&house, "alipay.trade.pay", &biz);
    sign(&house, &mut good);
    let gateway = |told: &Value, code: &str, sub_code: &str| {
        assert_eq!((&told["code"], &told["sub_code"]), (&json!(code), &json!(sub_code)), "{told}");
    };
    let key = "alipay_trade_pay_response";

    // Changed after signing: a known application's refusal is signed.
    for (name, value) in [("biz_content", biz.to_string().replace("1.00", "0.01")), ("timestamp", china(1))] {
        let mut changed = good.clone();
        changed.insert(name.into(), value);
        let told = verified(&house, key, &send(&house, &changed).await);
        gateway(&told, "40002", "isv.invalid-signature");
        assert!(told["sub_msg"].as_str().unwrap().contains("app_id="), "what the gateway verified is told: {told}");
    }
    let mut added = good.clone();
    added.insert("notify_url".into(), "http://127.0.0.1/".into());
    gateway(&verified(&house, key, &send(&house, &added).await), "40002", "isv.invalid-signature");

    for (name, sub_code) in [
        ("sign", "isv.missing-signature"),
        ("sign_type", "isv.missing-signature-type"),
        ("timestamp", "isv.missing-timestamp"),
        ("version", "isv.missing-version"),
    ] {
        let mut without = common(&house, "alipay.trade.pay", &biz);
        without.remove(name);
        sign(&house, &mut without);
        if name == "sign" {
            without.remove(name);
        }
        gateway(&verified(&house, key, &send(&house, &without).await), "40001", sub_code);
    }
    for (name, value, sub_code) in [
        ("timestamp", "24/11/2026", "isv.invalid-timestamp"),
        ("sign_type", "RSA", "isv.invalid-signature-type"),
        ("charset", "latin-1", "isv.invalid-charset"),
        ("biz_content", "{", "isv.invalid-parameter"),
    ] {
        let mut wrong = common(&house, "alipay.trade.pay", &biz);
        wrong.insert(name.into(), value.into());
        sign(&house, &mut wrong);
        gateway(&verified(&house, key, &send(&house, &wrong).await), "40002", sub_code);
    }

    // A stranger's is not: the gateway could not say with which key.
    let mut stranger = good.clone();
    stranger.insert("app_id".into(), "2021000000009999".into());
    let told: Value = serde_json::from_str(&send(&house, &stranger).await).unwrap();
    assert!(told["sign"].is_null());
    gateway(&told[key], "40002", "isv.invalid-app-id");

    let mut unknown = common(&house, "alipay.trade.sing", &biz);
    sign(&house, &mut unknown);
    gateway(&verified(&house, "error_response", &send(&house, &unknown).await), "40002", "isv.invalid-method");
    let garbage = house.http.post(house.url("/gateway.do")).body(vec![0xff; 300]).send().await.unwrap();
    let told: Value = serde_json::from_str(&garbage.text().await.unwrap()).unwrap();
    gateway(&told["error_response"], "40001", "isv.missing-method");

    // None of it used the code up or made a trade.
    assert_eq!(verified(&house, key, &send(&house, &good).await)["code"], "10000");
}

#[tokio::test]
async fn parameters_may_come_in_the_query_the_form_or_both_and_in_local_time() {
    let house = House::open().await;
    let biz = json!({ "out_trade_no": "nothing" });
    let mut parameters = common(&house, "alipay.trade.query", &biz);
    // An SDK on a machine in UTC writes another hour.
    parameters.insert("timestamp".into(), china(-8 * 3_600));
    sign(&house, &mut parameters);
    let all = serde_urlencoded::to_string(&parameters).unwrap();
    let biz_content = parameters.remove("biz_content").unwrap();
    let common = serde_urlencoded::to_string(&parameters).unwrap();
    let form = serde_urlencoded::to_string([("biz_content", &biz_content)]).unwrap();
    let url = |query: &str| house.url(&format!("/gateway.do?{query}"));
    let kind = "application/x-www-form-urlencoded";
    for request in [
        house.http.get(url(&all)),
        house.http.post(url(&all)),
        house.http.post(url(&common)).header("Content-Type", kind).body(form),
    ] {
        let body = request.send().await.unwrap().text().await.unwrap();
        refused(&verified(&house, "alipay_trade_query_response", &body), "ACQ.TRADE_NOT_EXIST");
    }
}

#[tokio::test]
async fn amounts_and_numbers_that_are_none_are_refused() {
    let house = House::open().await;
    for (amount, sub_code) in [
        (json!("0"), "ACQ.INVALID_PARAMETER"),
        (json!("-1"), "ACQ.INVALID_PARAMETER"),
        (json!("1.234"), "ACQ.INVALID_PARAMETER"),
        (json!("100000000.01"), "ACQ.TOTAL_FEE_EXCEED"),
        (json!("abc"), "ACQ.INVALID_PARAMETER"),
    ] {
        let mut biz = order("n1", "1.00");
        biz["total_amount"] = amount;
        refused(&call(&house, "alipay.trade.precreate", biz).await, sub_code);
    }
    for number in ["面", "a b", &"x".repeat(65)] {
        refused(&call(&house, "alipay.trade.precreate", order(number, "1.00")).await, "ACQ.INVALID_PARAMETER");
    }
    let mut number = order("n2", "1.00");
    number["total_amount"] = json!(1.5);
    assert_eq!(call(&house, "alipay.trade.precreate", number).await["code"], "10000", "a JSON number is taken too");
    for field in ["out_trade_no", "subject", "total_amount"] {
        let mut biz = order("n3", "1.00");
        biz.as_object_mut().unwrap().remove(field);
        let told = call(&house, "alipay.trade.precreate", biz).await;
        let missing = format!("isv.missing-{}", field.replace('_', "-"));
        assert_eq!((&told["code"], &told["sub_code"]), (&json!("40001"), &json!(missing)));
    }
}

#[tokio::test]
async fn the_merchant_is_told_signed_and_again_until_it_says_success() {
    let house = House::open().await;
    let merchant = Merchant::open(1).await;
    let more = [("notify_url", merchant.url.as_str())];
    let told = call_with(&house, "alipay.trade.precreate", order("note1", "6.66"), &more).await;
    let payload = told["qr_code"].as_str().unwrap().to_owned();
    let (_, trade) = house.scan("alipay-1", &payload, None).await;
    assert!(merchant.got().is_empty(), "nothing is told before the payment");
    house.post(&format!("/sandbox/trades/{}/confirm", trade["id"].as_str().unwrap()), Value::Null).await;

    let got = merchant.wait(2).await;
    let forms: Vec<Parameters> = got
        .iter()
        .map(|delivery| {
            assert!(
                delivery.headers["content-type"].to_str().unwrap().starts_with("application/x-www-form-urlencoded")
            );
            let mut form: Parameters = serde_urlencoded::from_bytes(&delivery.body).unwrap();
            let sign = form.remove("sign").unwrap();
            assert_eq!(form.remove("sign_type").as_deref(), Some("RSA2"));
            let content: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let key = House::public(&house.alipay, "alipay_public_key");
            key.verify_base64(content.join("&").as_bytes(), &sign).unwrap();
            form
        })
        .collect();
    for form in &forms {
        for (name, value) in [
            ("out_trade_no", "note1"),
            ("trade_status", "TRADE_SUCCESS"),
            ("total_amount", "6.66"),
            ("notify_type", "trade_status_sync"),
            ("app_id", House::text(&house.alipay, "app_id")),
            ("seller_id", House::text(&house.alipay, "seller_id")),
        ] {
            assert_eq!(form[name], value);
        }
    }
    assert_eq!(forms[0]["notify_id"], forms[1]["notify_id"], "a repeat is known by its id");
    let found = query(&house, "note1").await;
    assert_eq!(found["trade_no"], forms[0]["trade_no"].as_str());

    // A code payment is told of as well; after `success` nothing comes any more.
    let mut biz = order("note2", "0.01");
    biz["auth_code"] = json!(house.auth_code("alipay-1").await);
    call_with(&house, "alipay.trade.pay", biz, &more).await;
    assert_eq!(merchant.wait(3).await.len(), 3);
}

#[tokio::test]
async fn faults_break_the_calls_that_they_name() {
    let house = House::open().await;
    let fault = async |fault: Value| house.post("/sandbox/faults", fault).await;
    let code = house.auth_code("alipay-1").await;
    let mut biz = order("f1", "2.00");
    biz["auth_code"] = json!(code);
    let mut parameters = common(&house, "alipay.trade.pay", &biz);
    sign(&house, &mut parameters);
    let body = serde_urlencoded::to_string(&parameters).unwrap();
    let attempt = async || -> Result<(u16, String), reqwest::Error> {
        let request = house.http.post(house.url("/gateway.do"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body.clone());
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await?))
    };
    fault(json!({ "fault": "lose_request", "channel": "alipay", "call": "pay" })).await;
    assert!(attempt().await.is_err());
    refused(&query(&house, "f1").await, "ACQ.TRADE_NOT_EXIST");

    fault(json!({ "fault": "http_500", "call": "pay" })).await;
    assert_eq!(attempt().await.unwrap().0, 500);
    fault(json!({ "fault": "system_error", "call": "pay" })).await;
    let told = verified(&house, "alipay_trade_pay_response", &attempt().await.unwrap().1);
    refused(&told, "ACQ.SYSTEM_ERROR");
    refused(&query(&house, "f1").await, "ACQ.TRADE_NOT_EXIST");

    fault(json!({ "fault": "lose_answer", "channel": "alipay", "call": "pay" })).await;
    assert!(attempt().await.is_err());
    assert_eq!(query(&house, "f1").await["trade_status"], "TRADE_SUCCESS", "it was carried out");

    fault(json!({ "fault": "system_error", "call": "cancel" })).await;
    let told = cancel(&house, "f1").await;
    assert_eq!((&told["sub_code"], &told["retry_flag"]), (&json!("ACQ.SYSTEM_ERROR"), &json!("Y")));
    assert_eq!(cancel(&house, "f1").await["action"], "refund");
}

#[tokio::test]
async fn many_tills_at_once_take_from_one_wallet_what_it_has() {
    let house = House::open().await;
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(house.auth_code("alipay-1").await);
    }
    // Twelve payments of 1,000.00 from 10,000.00, each sent twice.
    let attempts = codes.iter().enumerate().flat_map(|(index, code)| [(index, code), (index, code)]);
    let house = &house;
    let told = futures::future::join_all(
        attempts.map(|(index, code)| async move { pay(house, &format!("m{index}"), "1000.00", code).await }),
    )
    .await;
    let paid = told.iter().filter(|told| told["code"] == "10000").count();
    assert_eq!(paid, 10, "{told:?}");
    assert_eq!(house.balance("alipay-1").await, 0);
}
