//! WeChat Pay's refunds by APIv3: how they are asked for, how they end, how the merchant hears of it.

use serde_json::{Value, json};

use crate::house::{House, Merchant};
use crate::wechatpay::{call, codepay, open, refused, reverse, state, verify};

const REFUNDS: &str = "/v3/refund/domestic/refunds";

#[tokio::test]
async fn refunds_are_partial_count_once_and_never_exceed() {
    let house = House::open().await;
    let code = house.auth_code("wechatpay-1").await;
    let (_, paid) = codepay(&house, "refund1", 1_000, &code).await;
    let refund = async |number: &str, fen: i64, total: i64| {
        let body = json!({
            "transaction_id": paid["transaction_id"], "out_refund_no": number,
            "amount": { "refund": fen, "total": total, "currency": "CNY" },
        });
        call(&house, "POST", REFUNDS, body).await
    };
    let (status, told) = refund("back1", 400, 1_000).await;
    assert_eq!((status, &told["status"], &told["amount"]["refund"]), (200, &json!("SUCCESS"), &json!(400)), "{told}");
    assert_eq!(refund("back1", 400, 1_000).await, (200, told.clone()), "counts once");
    refused(&refund("back1", 401, 1_000).await, 400, "INVALID_REQUEST");
    refused(&refund("back2", 601, 1_000).await, 400, "INVALID_REQUEST");
    refused(&refund("back2", 600, 999).await, 400, "INVALID_REQUEST");
    assert_eq!(state(&house, "refund1").await, "REFUND");
    assert_eq!(refund("back2", 600, 1_000).await.0, 200);
    assert_eq!(house.balance("wechatpay-1").await, 1_000_000);
    assert_eq!(call(&house, "GET", "/v3/refund/domestic/refunds/back1", Value::Null).await, (200, told));
    refused(&call(&house, "GET", "/v3/refund/domestic/refunds/none", Value::Null).await, 404, "RESOURCE_NOT_EXISTS");
    house.advance(15).await;
    refused(&reverse(&house, "refund1").await, 403, "TRADE_ERROR");
    refused(&refund("back3", 1, 1_000).await, 403, "TRADE_ERROR");

    // A merchant's refund number is one refund's, whatever the order.
    let code = house.auth_code("wechatpay-1").await;
    codepay(&house, "refund2", 1_000, &code).await;
    let body = json!({
        "out_trade_no": "refund2", "out_refund_no": "back1",
        "amount": { "refund": 400, "total": 1_000, "currency": "CNY" },
    });
    refused(&call(&house, "POST", REFUNDS, body).await, 400, "INVALID_REQUEST");

    // What was never paid has nothing to give back, and after a year nothing goes back any more.
    crate::wechatpay::native(&house, "refund3", 1_000).await;
    let body = |number: &str| {
        json!({
            "out_trade_no": number, "out_refund_no": "back9", "amount": { "refund": 1, "total": 1_000, "currency": "CNY" },
        })
    };
    refused(&call(&house, "POST", REFUNDS, body("refund3")).await, 404, "RESOURCE_NOT_EXISTS");
    refused(&call(&house, "POST", REFUNDS, body("refund4")).await, 404, "RESOURCE_NOT_EXISTS");
    house.advance(366 * 86_400).await;
    refused(&call(&house, "POST", REFUNDS, body("refund2")).await, 400, "TRADE_OVERDUE");
}

/// A paid order, and a refund of a part of it.
async fn paid_and_returned(house: &House, number: &str, notify_url: Option<&str>) -> (u16, Value) {
    let code = house.auth_code("wechatpay-1").await;
    codepay(house, number, 1_000, &code).await;
    let mut body = json!({
        "out_trade_no": number, "out_refund_no": format!("{number}-back"), "reason": "凉了",
        "amount": { "refund": 300, "total": 1_000, "currency": "CNY" },
    });
    if let Some(url) = notify_url {
        body["notify_url"] = json!(url);
    }
    call(house, "POST", REFUNDS, body).await
}

#[tokio::test]
async fn the_merchant_is_told_of_a_refund_sealed_and_signed() {
    let house = House::open().await;
    let merchant = Merchant::open(1).await;
    let (_, asked) = paid_and_returned(&house, "refund-told1", Some(&merchant.url)).await;
    let (_, quiet) = paid_and_returned(&house, "refund-quiet", None).await;
    assert_eq!(quiet["status"], "SUCCESS");
    let got = merchant.wait(2).await;
    let mut ids = Vec::new();
    for delivery in &got {
        verify(&house, |name| delivery.headers[name].to_str().unwrap().to_owned(), &delivery.body);
        let told: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(
            (&told["event_type"], &told["resource"]["original_type"]),
            (&json!("REFUND.SUCCESS"), &json!("refund"))
        );
        ids.push(told["id"].clone());
        let refund: Value = serde_json::from_slice(&open(&house, &told["resource"])).unwrap();
        assert_eq!((&refund["refund_status"], &refund["amount"]["refund"]), (&json!("SUCCESS"), &json!(300)));
        for field in ["refund_id", "out_refund_no", "transaction_id", "out_trade_no", "user_received_account"] {
            assert_eq!(refund[field], asked[field], "{field}");
        }
        assert_eq!(refund["mchid"], house.wechatpay["mchid"]);
        assert!(refund["success_time"].as_str().unwrap().ends_with("+08:00"));
    }
    assert_eq!(ids[0], ids[1], "a repeat is known by its id");
    assert_eq!(merchant.got().len(), 2, "of the other refund nobody wanted to hear");
}

#[tokio::test]
async fn a_refund_may_take_its_time_or_find_nobody() {
    let house = House::open().await;
    let merchant = Merchant::open(0).await;
    let query = async |number: &str| call(&house, "GET", &format!("{REFUNDS}/{number}-back"), Value::Null).await.1;
    for (refunds, number, ends, event) in
        [("slowly", "slow-one", "SUCCESS", "REFUND.SUCCESS"), ("abnormal", "abnormal1", "ABNORMAL", "REFUND.ABNORMAL")]
    {
        house.control("PATCH", "/sandbox/wechatpay", json!({ "refunds": refunds })).await;
        let before = merchant.got().len();
        let (status, asked) = paid_and_returned(&house, number, Some(&merchant.url)).await;
        assert_eq!((status, &asked["status"]), (200, &json!("PROCESSING")), "accepted, not done");
        assert!(asked["success_time"].is_null() && asked["create_time"].is_string());
        assert_eq!(query(number).await["status"], "PROCESSING");
        assert_eq!(merchant.got().len(), before, "nothing has come to its end");
        house.advance(5).await;
        let told = query(number).await;
        assert_eq!((&told["status"], told["success_time"].is_string()), (&json!(ends), ends == "SUCCESS"));
        let delivery = merchant.wait(before + 1).await.pop().unwrap();
        let told: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(told["event_type"], json!(event));
        let refund: Value = serde_json::from_slice(&open(&house, &told["resource"])).unwrap();
        assert_eq!(refund["refund_status"], json!(ends));
    }
}
