//! Alipay's bill: what happened, in the files that the provider makes.

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use crate::alipay::{call, cancel, order, pay, query, refused};
use crate::house::{House, china};

const METHOD: &str = "alipay.data.dataservice.bill.downloadurl.query";

fn today() -> String {
    china(0)[..10].to_owned()
}

async fn address(house: &House, bill_type: &str, bill_date: &str) -> String {
    let told = call(house, METHOD, json!({ "bill_type": bill_type, "bill_date": bill_date })).await;
    assert_eq!(told["code"], "10000", "{told}");
    told["bill_download_url"].as_str().unwrap().to_owned()
}

/// Every file of the archive: name and text, both read as GBK.
async fn files(house: &House, address: &str) -> Vec<(String, String)> {
    let answer = house.http.get(address).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains(".csv.zip"));
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    let gbk = |bytes: &[u8]| {
        let (text, _, wrong) = encoding_rs::GBK.decode(bytes);
        assert!(!wrong, "it is GBK");
        text.into_owned()
    };
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let name = gbk(file.name_raw());
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (name, gbk(&bytes))
        })
        .collect()
}

/// The fields of a table's rows, tabs taken off.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.split("\r\n").filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1);
    lines.map(|line| line.split(',').map(|field| field.trim_end_matches('\t').to_owned()).collect()).collect()
}

/// Two sales in one store, one of them returned in part, and a third sale that was cancelled.
async fn trade(house: &House) -> (String, String) {
    let mut first = order("bill1", "10.00");
    first["auth_code"] = json!(house.auth_code("alipay-1").await);
    first["store_id"] = json!("SH-1");
    first["operator_id"] = json!("yang");
    first["terminal_id"] = json!("T1");
    first["body"] = json!("a, b");
    let told = call(house, "alipay.trade.pay", first).await;
    let number = told["trade_no"].as_str().unwrap().to_owned();
    pay(house, "bill2", "2.50", &house.auth_code("alipay-1").await).await;
    let back = json!({ "out_trade_no": "bill1", "refund_amount": "4.00", "out_request_no": "back1" });
    call(house, "alipay.trade.refund", back).await;
    pay(house, "bill3", "7.00", &house.auth_code("alipay-1").await).await;
    cancel(house, "bill3").await;
    let paid = query(house, "bill1").await["send_pay_date"].as_str().unwrap().to_owned();
    (number, paid)
}

#[tokio::test]
async fn the_bill_lists_what_really_happened_as_the_provider_lays_it_out() {
    let house = House::open().await;
    let (number, paid) = trade(&house).await;
    // Refused, unpaid and never scanned: no money moved, nothing is listed.
    pay(&house, "poor", "99.00", &house.auth_code("alipay-2").await).await;
    call(&house, "alipay.trade.precreate", order("shown", "1.00")).await;

    let address = address(&house, "trade", &today()).await;
    let account = format!("{}0156", House::text(&house.alipay, "seller_id"));
    let date = today().replace('-', "");
    assert!(address.contains(&format!("downloadFileName={account}_{date}.csv.zip")), "{address}");
    let files = files(&house, &address).await;
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [format!("{account}_{date}_业务明细.csv"), format!("{account}_{date}_业务明细(汇总).csv")]);
    let (details, sums) = (&files[0].1, &files[1].1);
    let lines: Vec<_> = details.split("\r\n").collect();
    assert_eq!((lines[0], lines[1]), ("#支付宝业务明细查询", format!("#账号：[{account}]").as_str()));
    assert!(lines[2].starts_with("#起始日期：[") && lines[2].contains("00:00:00]   终止日期：["), "{}", lines[2]);
    assert_eq!(
        lines[3],
        "#-----------------------------------------业务明细列表----------------------------------------"
    );
    assert_eq!(lines[4].split(',').count(), 25);
    assert!(lines[4].starts_with("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,"));
    assert!(details.contains("#交易合计：3笔，商家实收共19.50元，商家优惠共0.00元\r\n"), "{details}");
    assert!(details.contains("#退款合计：2笔，商家实收退款共-11.00元，商家优惠退款共0.00元\r\n"));
    assert!(details.contains("#导出时间：["));

    let rows_of = rows(details);
    let told: Vec<_> = rows_of.iter().map(|row| [1, 2, 11, 12, 21].map(|at| row[at].as_str())).collect();
    assert_eq!(
        told,
        [
            ["bill1", "交易", "10.00", "10.00", ""],
            ["bill2", "交易", "2.50", "2.50", ""],
            ["bill1", "退款", "-4.00", "-4.00", "back1"],
            ["bill3", "交易", "7.00", "7.00", ""],
            ["bill3", "退款", "-7.00", "-7.00", "bill3"],
        ]
    );
    let first = &rows_of[0];
    assert_eq!(
        [0, 3, 5, 6, 8, 9, 24].map(|at| first[at].as_str()),
        [number.as_str(), "一碗面 noodles & tea/水", paid.as_str(), "SH-1", "yang", "T1", "a  b"]
    );
    assert!(rows_of.iter().all(|row| row.len() == 25));
    let stores = rows(sums);
    let told: Vec<_> = stores.iter().map(|row| [0, 2, 3, 5, 11].map(|at| row[at].as_str())).collect();
    assert_eq!(
        told,
        [["", "2", "1", "2.50", "2.50"], ["SH-1", "1", "1", "6.00", "6.00"], ["合计", "3", "2", "8.50", "8.50"]]
    );
}

#[tokio::test]
async fn a_month_and_the_account_have_bills_as_well() {
    let house = House::open().await;
    trade(&house).await;
    let month = today()[..7].to_owned();
    let monthly = files(&house, &address(&house, "trade", &month).await).await;
    assert!(monthly[0].0.contains(&format!("_{}_业务明细", month.replace('-', ""))));
    assert_eq!(rows(&monthly[0].1).len(), 5);
    let account = files(&house, &address(&house, "signcustomer", &today()).await).await;
    assert!(account[0].0.ends_with("_账务明细.csv") && account[1].0.ends_with("_账务明细(汇总).csv"));
    let rows = rows(&account[0].1);
    assert_eq!(rows.len(), 5);
    assert_eq!((rows[4][6].as_str(), rows[4][7].as_str(), rows[4][8].as_str()), ("0.00", "-7.00", "8.50"));
}

#[tokio::test]
async fn an_address_is_good_for_thirty_seconds_and_for_its_own_file() {
    let house = House::open().await;
    trade(&house).await;
    let address = address(&house, "trade", &today()).await;
    let forbidden = async |address: &str| house.http.get(address).send().await.unwrap().status() == 403;
    assert!(forbidden(&address.replace("bizType=trade", "bizType=signcustomer")).await);
    assert!(forbidden(&address.replace("timestamp=1", "timestamp=2")).await);
    assert!(forbidden(address.split('?').next().unwrap()).await);
    assert!(!forbidden(&address).await);
    house.advance(31).await;
    assert!(forbidden(&address).await);

    let ask = async |bill_type: &str, bill_date: &str| -> Value {
        call(&house, METHOD, json!({ "bill_type": bill_type, "bill_date": bill_date })).await
    };
    refused(&ask("trade", "2020-01-01").await, "isp.bill_not_exist");
    refused(&ask("trade", "2099-01-01").await, "INVAILID_ARGUMENTS");
    refused(&ask("trade", "yesterday").await, "INVAILID_ARGUMENTS");
    refused(&ask("everything", &today()).await, "INVAILID_ARGUMENTS");
    let told = call(&house, METHOD, json!({ "bill_type": "trade" })).await;
    assert_eq!((&told["code"], &told["sub_code"]), (&json!("40001"), &json!("isv.missing-bill-date")));
}
