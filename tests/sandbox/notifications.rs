//! Notifications: of payments and refunds, on the provider's schedule, and everything that can go wrong with them.

use std::time::Duration;

use scantill::sandbox::SandboxConfig;
use serde_json::{Value, json};

use crate::alipay::{Parameters, call, call_with, order};
use crate::house::{Delivery, House, Merchant, config};

/// A notification's form, and whether Alipay signed it.
fn read(house: &House, delivery: &Delivery) -> (Parameters, bool) {
    let mut form: Parameters = serde_urlencoded::from_bytes(&delivery.body).unwrap();
    let sign = form.remove("sign").unwrap();
    form.remove("sign_type").unwrap();
    let content: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let key = House::public(&house.alipay, "alipay_public_key");
    let signed = key.verify_base64(content.join("&").as_bytes(), &sign).is_ok();
    (form, signed)
}

async fn pay(house: &House, merchant: &Merchant, number: &str) {
    let mut biz = order(number, "5.00");
    biz["auth_code"] = json!(house.auth_code("alipay-1").await);
    let told = call_with(house, "alipay.trade.pay", biz, &[("notify_url", &merchant.url)]).await;
    assert_eq!(told["code"], "10000", "{told}");
}

async fn with(speed_up: u32, faults: &str) -> House {
    let faults = (!faults.is_empty()).then(|| faults.to_owned());
    House::with(SandboxConfig { speed_up, faults, ..config() }).await
}

#[tokio::test]
async fn refunds_are_told_of_as_well() {
    let house = House::open().await;
    let merchant = Merchant::open(0).await;
    pay(&house, &merchant, "told1").await;
    merchant.wait(1).await;
    let refund = async |request: &str, amount: &str| {
        let biz = json!({ "out_trade_no": "told1", "refund_amount": amount, "out_request_no": request });
        call(&house, "alipay.trade.refund", biz).await
    };
    refund("a", "2.00").await;
    merchant.wait(2).await;
    // The same again moves nothing, and nothing is told.
    refund("a", "2.00").await;
    refund("b", "3.00").await;
    let got = merchant.wait(3).await;
    assert_eq!(got.len(), 3);
    let [paid, part, rest] = [0, 1, 2].map(|at| read(&house, &got[at]));
    assert!(paid.1 && part.1 && rest.1);
    assert_eq!((paid.0["trade_status"].as_str(), paid.0.get("refund_fee")), ("TRADE_SUCCESS", None));
    for (form, status, fee, request) in
        [(&part.0, "TRADE_SUCCESS", "2.00", "a"), (&rest.0, "TRADE_CLOSED", "5.00", "b")]
    {
        assert_eq!((form["trade_status"].as_str(), form["refund_fee"].as_str()), (status, fee));
        assert_eq!((form["out_biz_no"].as_str(), form["total_amount"].as_str()), (request, "5.00"));
        assert!(form["gmt_refund"].len() >= 19 && form["out_trade_no"] == "told1");
    }
    assert_ne!(part.0["notify_id"], rest.0["notify_id"]);
}

#[tokio::test]
async fn the_schedule_is_the_providers_own_sped_up_and_ends() {
    // Four minutes take 40 ms, ten take 100.
    let house = with(6_000, "").await;
    let stubborn = Merchant::open(usize::MAX).await;
    pay(&house, &stubborn, "slow1").await;
    let got = stubborn.wait(4).await;
    for (index, at_least) in [(1, 40), (2, 100), (3, 100)] {
        let gap = got[index].at - got[index - 1].at;
        assert!(gap >= Duration::from_millis(at_least), "{index}: {gap:?}");
    }
    let id = &read(&house, &got[0]).0["notify_id"];
    assert!(got.iter().all(|delivery| read(&house, delivery).0["notify_id"] == *id));

    // The first and seven repeats, then no more: whatever is told after that is of another trade.
    let house = with(1_000_000, "").await;
    let stubborn = Merchant::open(8).await;
    pay(&house, &stubborn, "end1").await;
    stubborn.wait(8).await;
    pay(&house, &stubborn, "end2").await;
    let got = stubborn.wait(9).await;
    let of = |number: &str| got.iter().filter(|got| read(&house, got).0["out_trade_no"] == number).count();
    assert_eq!((of("end1"), of("end2")), (8, 1));
}

#[tokio::test]
async fn a_lost_delivery_comes_again_by_the_schedule_and_a_late_one_waits() {
    let house = with(6_000, "lose:alipay.notify:2,late:alipay:1:300").await;
    let merchant = Merchant::open(0).await;
    let began = std::time::Instant::now();
    pay(&house, &merchant, "lost1").await;
    let got = merchant.wait(1).await;
    // Two are lost (40 ms and 100 ms to the next), the third is late.
    assert!(got[0].at - began >= Duration::from_millis(440));
    assert_eq!(house.control("GET", "/sandbox/faults", Value::Null).await.1, json!([]), "used up");
}

#[tokio::test]
async fn a_duplicate_has_the_same_id_and_a_replay_the_same_bytes() {
    let house = with(60, "duplicate:*.notify:1,replay:alipay.notify:1:20").await;
    let merchant = Merchant::open(0).await;
    pay(&house, &merchant, "twice1").await;
    let got = merchant.wait(2).await;
    let (one, other) = (read(&house, &got[0]), read(&house, &got[1]));
    assert!(one.1 && other.1 && one.0["notify_id"] == other.0["notify_id"]);
    pay(&house, &merchant, "twice2").await;
    let got = merchant.wait(4).await;
    assert_eq!(got[2].body, got[3].body);
    assert_eq!(read(&house, &got[2]).0["out_trade_no"], "twice2");
}

#[tokio::test]
async fn a_forged_one_comes_before_the_true_one_and_a_wrong_amount_is_rightly_signed() {
    let house = with(6_000, "forge:alipay:1").await;
    let merchant = Merchant::open(0).await;
    pay(&house, &merchant, "false1").await;
    let got = merchant.wait(2).await;
    let (forged, true_one) = (read(&house, &got[0]), read(&house, &got[1]));
    assert!(!forged.1 && true_one.1);
    assert_eq!(forged.0["total_amount"], "5.00");

    house.post("/sandbox/faults", json!({ "fault": "wrong_amount", "channel": "alipay", "call": "notify" })).await;
    let careful = Merchant::open(1).await;
    pay(&house, &careful, "wrong1").await;
    let got = careful.wait(2).await;
    let (wrong, right) = (read(&house, &got[0]), read(&house, &got[1]));
    assert!(wrong.1 && right.1);
    assert_eq!((wrong.0["total_amount"].as_str(), right.0["total_amount"].as_str()), ("5.01", "5.00"));
}

#[tokio::test]
async fn reordered_ones_come_the_other_way_round() {
    let house = with(60, "reorder:alipay:1:60000").await;
    let merchant = Merchant::open(0).await;
    pay(&house, &merchant, "first1").await;
    // The first waits for a second: it must have begun to.
    while house.control("GET", "/sandbox/faults", Value::Null).await.1 != json!([]) {
        tokio::task::yield_now().await;
    }
    pay(&house, &merchant, "second1").await;
    let got = merchant.wait(2).await;
    let numbers: Vec<_> = got.iter().map(|got| read(&house, got).0["out_trade_no"].clone()).collect();
    assert_eq!(numbers, ["second1", "first1"]);
}

#[tokio::test]
async fn any_of_the_providers_errors_can_be_asked_for_and_chance_is_repeatable() {
    let house = with(60, "refuse:alipay.pay:1:ACQ.BUYER_SELLER_EQUAL,refuse:alipay.query:1:isp.unknow-error").await;
    let merchant = Merchant::open(0).await;
    let mut biz = order("asked1", "5.00");
    biz["auth_code"] = json!(house.auth_code("alipay-1").await);
    let told = call(&house, "alipay.trade.pay", biz).await;
    assert_eq!((&told["code"], &told["sub_code"]), (&json!("40004"), &json!("ACQ.BUYER_SELLER_EQUAL")));
    let ask = json!({ "out_trade_no": "asked1" });
    let told = call(&house, "alipay.trade.query", ask.clone()).await;
    assert_eq!((&told["code"], &told["sub_code"]), (&json!("20000"), &json!("isp.unknow-error")));
    pay(&house, &merchant, "asked1").await;

    let draw = async || -> Vec<bool> {
        let house = with(60, "system_error:alipay.query:30%").await;
        let mut drawn = Vec::new();
        for _ in 0..40 {
            let told = call(&house, "alipay.trade.query", json!({ "out_trade_no": "x" })).await;
            drawn.push(told["sub_code"] == "ACQ.SYSTEM_ERROR");
        }
        drawn
    };
    let (one, other) = (draw().await, draw().await);
    assert_eq!(one, other, "the same seed, the same faults");
    assert!(one.contains(&true) && one.contains(&false));
}

#[tokio::test]
async fn a_merchant_can_be_lied_to() {
    let house = House::open().await;
    let merchant = Merchant::open(0).await;
    call_with(&house, "alipay.trade.precreate", order("lie1", "8.00"), &[("notify_url", &merchant.url)]).await;
    let id = house.trade("lie1").await["id"].as_str().unwrap().to_owned();
    let path = format!("/sandbox/trades/{id}/notify");
    let lie = |body: Value| house.control("POST", &path, body);
    assert_eq!(lie(json!({ "forged": true })).await, (200, json!({ "taken": true })));
    assert_eq!(lie(json!({ "amount": 1 })).await.0, 200);
    let got = merchant.wait(2).await;
    let (forged, wrong) = (read(&house, &got[0]), read(&house, &got[1]));
    assert_eq!((forged.1, forged.0["trade_status"].as_str()), (false, "TRADE_SUCCESS"));
    assert_eq!((wrong.1, wrong.0["total_amount"].as_str()), (true, "0.01"));
    assert_eq!(house.trade("lie1").await["state"], "CREATED", "the books know better");
    call(&house, "alipay.trade.precreate", order("lie2", "8.00")).await;
    let id = house.trade("lie2").await["id"].as_str().unwrap().to_owned();
    let (status, problem) = house.control("POST", &format!("/sandbox/trades/{id}/notify"), json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("no_address")));
}
