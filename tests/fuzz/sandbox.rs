//! The sandbox's own parsers, which strangers' clients meet: whatever comes, it answers and goes on.

use proptest::prelude::*;

use crate::house::House;
use crate::mutate::damaged;
use crate::run;

const TARGETS: &[(&str, &str, &str)] = &[
    (
        "/gateway.do",
        "application/x-www-form-urlencoded;charset=utf-8",
        "app_id=2021000000000001&method=alipay.trade.query&charset=utf-8&sign_type=RSA2&timestamp=2026-11-25+12%3A00%3A00&version=1.0&biz_content=%7B%22out_trade_no%22%3A%221%22%7D&sign=AAAA",
    ),
    (
        "/v3/pay/transactions/native",
        "application/json",
        r#"{"appid":"wx0000000000000001","mchid":"1900000001","description":"tea","out_trade_no":"A1","notify_url":"http://127.0.0.1:9/n","amount":{"total":1,"currency":"CNY"}}"#,
    ),
    (
        "/pay/micropay",
        "text/xml",
        "<xml><appid>wx0000000000000001</appid><mch_id>1900000001</mch_id><nonce_str>a</nonce_str><body><![CDATA[tea]]></body><out_trade_no>A1</out_trade_no><total_fee>1</total_fee><auth_code>130012345678901234</auth_code><sign>AA</sign></xml>",
    ),
    (
        "/gateway/api/backTransReq.do",
        "application/x-www-form-urlencoded",
        "version=5.1.0&encoding=UTF-8&signMethod=01&txnType=01&txnSubType=06&bizType=000000&channelType=08&accessType=0&merId=777290058110048&orderId=A1234567&txnTime=20261125120000&txnAmt=1&currencyCode=156&qrNo=6212345678901234567&signature=AAAA",
    ),
];

#[test]
fn damaged_requests_are_answered() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let house = runtime.block_on(House::open());
    for (path, kind, sample) in TARGETS {
        let url = format!("{}{path}", house.sandbox.base_url());
        run(&damaged(vec![sample.as_bytes().to_vec()]), |body| {
            let request = house.http.post(&url).header("content-type", *kind).header("user-agent", "fuzz").body(body);
            let answer = runtime.block_on(async { request.send().await });
            let status = answer.unwrap_or_else(|error| panic!("{path} broke off: {error}")).status();
            assert!(status.as_u16() < 500, "{path}: {status}");
        });
        let alive = house.http.get(format!("{}/sandbox/wallets", house.sandbox.base_url()));
        assert!(runtime.block_on(async { alive.send().await }).unwrap().status().is_success());
    }
}

#[test]
fn damaged_authorizations_are_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let house = runtime.block_on(House::open());
    let honest = r#"WECHATPAY2-SHA256-RSA2048 mchid="1900000001",nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",timestamp="1554208460",serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C",signature="AAAA""#;
    let url = format!("{}/v3/certificates", house.sandbox.base_url());
    let headers = damaged(vec![honest.as_bytes().to_vec()])
        .prop_filter_map("no header", |bytes| reqwest::header::HeaderValue::from_bytes(&bytes).ok());
    run(&headers, |value| {
        let request = house.http.get(&url).header("authorization", value).header("user-agent", "fuzz");
        let status = runtime.block_on(async { request.send().await }).unwrap().status().as_u16();
        assert!((400..500).contains(&status), "{status}");
    });
}
