//! WeChat Pay's bills by APIv3: where they lie, what their digest covers, what they list.

use std::io::Read as _;

use reqwest::header::HeaderMap;
use scantill::crypto::sha1_hex;
use serde_json::{Value, json};

use crate::house::{House, china};
use crate::wechatpay::{Request, call, codepay, native, refused, reverse};

/// Today in China, and so many days later.
fn day(after: i64) -> String {
    china(after * 86_400)[..10].to_owned()
}

async fn ask(house: &House, path: &str) -> (u16, Value) {
    call(house, "GET", path, Value::Null).await
}

/// What lies at the address that a call gave: nobody signs it.
async fn fetch(house: &House, told: &Value) -> (HeaderMap, Vec<u8>) {
    let url = told["download_url"].as_str().unwrap();
    let path = url.strip_prefix(house.sandbox.base_url()).expect("on this host");
    let request = Request::new(house, "GET", path, &Value::Null).with("accept", "application/octet-stream");
    let (status, headers, bytes) = request.send(house).await.unwrap();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    assert!(!headers.contains_key("wechatpay-signature"), "a file is not signed");
    (headers, bytes)
}

/// A line's values, each beside its head.
type Line = Vec<(String, String)>;

/// A bill's lines, and its totals. The digest is checked.
async fn bill(house: &House, path: &str) -> (Vec<Line>, Line) {
    let (status, told) = ask(house, path).await;
    assert_eq!((status, &told["hash_type"]), (200, &json!("SHA1")), "{told}");
    let (_, bytes) = fetch(house, &told).await;
    assert_eq!(told["hash_value"], json!(sha1_hex(&bytes)));
    read(&String::from_utf8(bytes).unwrap())
}

fn read(text: &str) -> (Vec<Line>, Line) {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    let lines: Vec<&str> = text.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    let values = |heads: &str, line: &str| -> Line {
        let values: Vec<_> = line.split(',').map(|value| value.strip_prefix('`').expect("a back-tick")).collect();
        let heads: Vec<_> = heads.split(',').collect();
        assert_eq!(heads.len(), values.len(), "{line}");
        heads.into_iter().map(str::to_owned).zip(values.into_iter().map(str::to_owned)).collect()
    };
    let (rows, totals) = lines.split_at(lines.len() - 2);
    (rows[1..].iter().map(|line| values(rows[0], line)).collect(), values(totals[0], totals[1]))
}

fn of<'a>(line: &'a [(String, String)], head: &str) -> &'a str {
    line.iter().find(|(name, _)| name == head).map_or_else(|| panic!("no {head}"), |(_, value)| value)
}

/// A day's trade: a code payment with a partial refund, another that was taken back, a shown order, one that was never
/// paid.
async fn trade(house: &House) -> Value {
    let code = house.auth_code("wechatpay-1").await;
    let (_, paid) = codepay(house, "billed1", 10_000, &code).await;
    let body = json!({
        "out_trade_no": "billed1", "out_refund_no": "billed1-back",
        "amount": { "refund": 2_500, "total": 10_000, "currency": "CNY" },
    });
    assert_eq!(call(house, "POST", "/v3/refund/domestic/refunds", body).await.0, 200);
    let code = house.auth_code("wechatpay-1").await;
    codepay(house, "billed2", 5_000, &code).await;
    let payload = native(house, "billed3", 1).await;
    house.scan("wechatpay-1", &payload, Some(true)).await;
    native(house, "billed4", 77).await;
    house.advance(15).await;
    assert_eq!(reverse(house, "billed2").await.0, 200);
    paid
}

#[tokio::test]
async fn the_trade_bill_lists_what_happened() {
    let house = House::open().await;
    let paid = trade(&house).await;
    let (rows, totals) = bill(&house, &format!("/v3/bill/tradebill?bill_date={}", day(0))).await;
    let kinds: Vec<_> = rows.iter().map(|row| (of(row, "商户订单号"), of(row, "交易状态"))).collect();
    assert_eq!(
        kinds,
        [
            ("billed1", "SUCCESS"),
            ("billed1", "REFUND"),
            ("billed2", "SUCCESS"),
            ("billed3", "SUCCESS"),
            ("billed2", "REVOKED"),
        ]
    );
    let (payment, refund) = (&rows[0], &rows[1]);
    for row in &rows {
        assert_eq!(of(row, "商户号"), House::text(&house.wechatpay, "mchid"));
        assert_eq!(of(row, "公众账号ID"), House::text(&house.wechatpay, "appid"));
        assert_eq!((of(row, "特约商户号"), of(row, "货币种类"), of(row, "费率")), ("0", "CNY", "0.60%"));
        assert!(of(row, "交易时间").starts_with(&day(0)));
    }
    assert_eq!(of(payment, "微信订单号"), paid["transaction_id"].as_str().unwrap());
    assert_eq!(of(payment, "用户标识"), paid["payer"]["openid"].as_str().unwrap());
    for (head, value) in [
        ("交易类型", "MICROPAY"),
        ("应结订单金额", "100.00"),
        ("订单金额", "100.00"),
        ("手续费", "0.60000"),
        ("微信退款单号", "0"),
        ("商户退款单号", "0"),
        ("退款金额", "0.00"),
        ("退款状态", ""),
        ("商品名称", "一碗面"),
        ("商户数据包", "till 3"),
        ("申请退款金额", "0.00"),
    ] {
        assert_eq!(of(payment, head), value, "{head}");
    }
    for (head, value) in [
        ("应结订单金额", "0.00"),
        ("订单金额", "0.00"),
        ("商户退款单号", "billed1-back"),
        ("退款金额", "25.00"),
        ("退款类型", "ORIGINAL"),
        ("退款状态", "SUCCESS"),
        ("手续费", "-0.15000"),
        ("申请退款金额", "25.00"),
    ] {
        assert_eq!(of(refund, head), value, "{head}");
    }
    assert_eq!((of(&rows[3], "交易类型"), of(&rows[3], "手续费")), ("NATIVE", "0.00000"));
    for (head, value) in [
        ("总交易单数", "5"),
        ("应结订单总金额", "150.01"),
        ("退款总金额", "75.00"),
        ("充值券退款总金额", "0.00"),
        ("手续费总金额", "0.45000"),
        ("订单总金额", "150.01"),
        ("申请退款总金额", "75.00"),
    ] {
        assert_eq!(of(&totals, head), value, "{head}");
    }
}

#[tokio::test]
async fn bills_of_payments_and_of_refunds_have_columns_of_their_own() {
    let house = House::open().await;
    trade(&house).await;
    let path = |kind: &str| format!("/v3/bill/tradebill?bill_date={}&bill_type={kind}", day(0));
    let (rows, totals) = bill(&house, &path("SUCCESS")).await;
    assert!(
        rows.iter().all(|row| of(row, "交易状态") == "SUCCESS" && row.iter().all(|(head, _)| !head.contains("退款")))
    );
    assert_eq!((rows.len(), of(&totals, "总交易单数"), of(&totals, "退款总金额")), (3, "3", "0.00"));
    let (rows, totals) = bill(&house, &path("REFUND")).await;
    assert_eq!((rows.len(), of(&totals, "应结订单总金额"), of(&totals, "申请退款总金额")), (2, "0.00", "75.00"));
    assert!(rows.iter().all(|row| of(row, "退款成功时间").starts_with(&day(0))));
    // Each kind has the same text whether it is fetched compressed or not, and the digest is the text's.
    for kind in ["ALL", "SUCCESS", "REFUND"] {
        let (_, plain) = ask(&house, &path(kind)).await;
        let (_, told) = ask(&house, &format!("{}&tar_type=GZIP", path(kind))).await;
        assert_eq!(plain["hash_value"], told["hash_value"]);
        let (headers, bytes) = fetch(&house, &told).await;
        assert!(!headers.contains_key("content-encoding"), "it is a file, not an encoding");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut text).unwrap();
        assert_eq!(told["hash_value"], json!(sha1_hex(&text)));
    }
}

#[tokio::test]
async fn the_fund_flow_runs_on_from_day_to_day() {
    let house = House::open().await;
    trade(&house).await;
    let path = |after| format!("/v3/bill/fundflowbill?bill_date={}&account_type=BASIC", day(after));
    let (rows, totals) = bill(&house, &path(0)).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (of(row, "业务类型"), of(row, "收支类型"), of(row, "收支金额(元)"), of(row, "账户结余(元)")))
        .collect();
    assert_eq!(
        told,
        [
            ("交易", "收入", "100.00", "100.00"),
            ("扣除交易手续费", "支出", "0.60", "99.40"),
            ("退款", "支出", "24.85", "74.55"),
            ("交易", "收入", "50.00", "124.55"),
            ("扣除交易手续费", "支出", "0.30", "124.25"),
            ("交易", "收入", "0.01", "124.26"),
            ("退款", "支出", "49.70", "74.56"),
        ]
    );
    assert_eq!(of(&rows[2], "业务凭证号"), "billed1-back");
    let totals: Vec<_> = totals.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(totals, ["7", "3", "150.01", "4", "75.45"]);

    house.advance(86_400).await;
    refused(&ask(&house, &path(1)).await, 400, "NO_STATEMENT_EXIST");
    let code = house.auth_code("wechatpay-1").await;
    codepay(&house, "billed9", 1, &code).await;
    let (rows, _) = bill(&house, &path(1)).await;
    assert_eq!((rows.len(), of(&rows[0], "账户结余(元)")), (1, "74.57"));
    for account in ["OPERATION", "FEES"] {
        let path = format!("/v3/bill/fundflowbill?bill_date={}&account_type={account}", day(1));
        refused(&ask(&house, &path).await, 400, "NO_STATEMENT_EXIST");
    }
}

#[tokio::test]
async fn a_bills_address_is_the_merchants_own_and_not_for_long() {
    let house = House::open().await;
    trade(&house).await;
    let path = format!("/v3/bill/tradebill?bill_date={}", day(0));
    let (_, told) = ask(&house, &path).await;
    let url = told["download_url"].as_str().unwrap();
    let answer = house.http.get(url).header("user-agent", "a till").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401, "a browser does not get it");
    let file = |path: String| Request::new(&house, "GET", &path, &Value::Null);
    let path = url.strip_prefix(house.sandbox.base_url()).unwrap().to_owned();
    let authorization = file(path.clone()).authorization(&house);
    let other = file(format!("{path}x")).send_as(&house, &authorization).await.unwrap();
    assert_eq!(other.0, 401, "the signature covers the token");
    let other = file(format!("{path}x")).send(&house).await.unwrap();
    assert_eq!(
        (other.0, &serde_json::from_slice::<Value>(&other.2).unwrap()["code"]),
        (400, &json!("INVALID_REQUEST"))
    );
    assert_eq!(file(path.clone()).send(&house).await.unwrap().0, 200);
    house.advance(300).await;
    assert_eq!(file(path).send(&house).await.unwrap().0, 400, "five minutes are over");
}

#[tokio::test]
async fn days_that_have_no_bill_say_why() {
    let house = House::open().await;
    let ask = async |query: &str| ask(&house, &format!("/v3/bill/tradebill?{query}")).await;
    let today = format!("bill_date={}", day(0));
    refused(&ask(&today).await, 400, "NO_STATEMENT_EXIST");
    for (query, code) in [
        ("", "PARAM_ERROR"),
        ("bill_date=20261125", "PARAM_ERROR"),
        ("bill_date=2026-13-01", "PARAM_ERROR"),
        (&format!("bill_date={}", day(1)), "INVALID_REQUEST"),
        (&format!("bill_date={}", day(-93)), "INVALID_REQUEST"),
        (&format!("{today}&bill_type=SOME"), "PARAM_ERROR"),
        (&format!("{today}&tar_type=ZIP"), "PARAM_ERROR"),
    ] {
        refused(&ask(query).await, 400, code);
    }
    trade(&house).await;
    assert_eq!(ask(&today).await.0, 200);
    // As in reality: not before the next morning.
    house.control("PATCH", "/sandbox/wechatpay", json!({ "bills_next_morning": true })).await;
    refused(&ask(&today).await, 400, "INVALID_REQUEST");
    let midnight: i64 = china(0)[11..].split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap());
    let until_nine = 86_400 - midnight + 9 * 3_600;
    house.advance(until_nine.unsigned_abs()).await;
    refused(&ask(&today).await, 400, "STATEMENT_CREATING");
    house.advance(3_600).await;
    assert_eq!(ask(&today).await.0, 200);
}
