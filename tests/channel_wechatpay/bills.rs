//! The files of a day: asked for, fetched, checked, read.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::date;
use proptest::prelude::*;
use scantill::channel::{Bill, BillError, BillKind, BillLineKind};
use scantill::crypto::sha1_hex;
use scantill::money::{Currency, Money};
use serde_json::json;

use super::calls::admitted;
use super::channel_support::*;
use super::*;

const HEAD: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,\
申请退款金额,费率备注";
const TOTALS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

fn paid(name: &str) -> String {
    format!(
        "`2026-11-24 12:00:00,`{APPID},`{MCHID},`0,`till_1,`4200002026,`{NUMBER},`oUpF8uMuAJO,`MICROPAY,`SUCCESS,\
         `OTHERS,`CNY,`12.34,`0.00,`0,`0,`0.00,`0.00,`,`,`{name},`,`0.07404,`0.60%,`12.34,`0.00,`"
    )
}

fn returned() -> String {
    format!(
        "`2026-11-24 13:00:00,`{APPID},`{MCHID},`0,`till_1,`4200002026,`{NUMBER},`oUpF8uMuAJO,`MICROPAY,`REFUND,\
         `OTHERS,`CNY,`0.00,`0.00,`50300002026,`{REFUND},`1.00,`0.00,`ORIGINAL,`SUCCESS,`tea,`,`-0.00600,`0.60%,\
         `0.00,`1.00,`"
    )
}

fn trades(lines: &[String], totals: &str) -> String {
    format!("\u{feff}{HEAD}\r\n{}\r\n{TOTALS}\r\n{totals}\r\n", lines.join("\r\n"))
}

fn good() -> String {
    trades(&[paid("拿铁, large + 1 cookie"), returned()], "`2,`12.34,`1.00,`0.00,`0.06804,`12.34,`1.00")
}

const FLOW: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号\n\
    `2026-11-24 12:00:00,`4200002026,`1900009231,`交易,`交易,`收入,`12.34,`112.34,`system,`,`\n\
    `2026-11-24 13:00:00,`50300002026,`1900009232,`退款,`退款,`支出,`1.00,`111.34,`system,`缺货, sorry,`REF4200002026\n\
    `2026-11-24 14:00:00,`1900009999,`1900009233,`扣除交易手续费,`扣除交易手续费,`支出,`0.07,`111.27,`system,`,`\n\
    资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`3.0,`1.0,`12.34,`2.0,`1.07\n";

pub fn gzipped(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// A platform that announces a file of that hash and gives those bytes.
fn gives(story: &Story, file: Vec<u8>, sha1: String) {
    let base_url = story.gateway.base_url.clone();
    story.gateway.does(move |seen| {
        if seen.path.starts_with("/v3/billdownload") {
            return Does::text(200, file.clone());
        }
        let url = format!("{base_url}/v3/billdownload/file?token=a%2Bb&tartype=gzip");
        let body = json!({ "download_url": url, "hash_type": "SHA1", "hash_value": sha1 }).to_string();
        signed(200, &body, PLATFORM_ID, 0)
    });
}

async fn fetch(story: &Story, kind: BillKind) -> Result<Bill, BillError> {
    story.channel.bill(date(2026, 11, 24), kind).await
}

#[tokio::test]
async fn the_trade_bill_is_asked_for_fetched_with_a_signature_and_read() {
    let story = Story::begin().await;
    let rules = story.channel.capabilities().bill.clone().unwrap();
    assert_eq!((rules.kinds, rules.ready_hour), (vec![BillKind::Trades, BillKind::FundFlow], 10));
    gives(&story, gzipped(&good()), sha1_hex(good().as_bytes()).to_uppercase());
    let bill = fetch(&story, BillKind::Trades).await.unwrap();
    let seen = story.gateway.seen();
    assert_eq!(seen.len(), 2);
    admitted(&seen[0], "GET", "/v3/bill/tradebill?bill_date=2026-11-24&bill_type=ALL&tar_type=GZIP");
    admitted(&seen[1], "GET", "/v3/billdownload/file?token=a%2Bb&tartype=gzip");

    assert_eq!(bill.raw, good().into_bytes());
    assert_eq!(bill.file_name, format!("wechatpay-{MCHID}-2026-11-24-trades.csv"));
    let [payment, refund] = bill.lines.as_slice() else { panic!("{:?}", bill.lines) };
    let yuan = |fen| Money::new(fen, Currency::CNY);
    assert_eq!((payment.kind, payment.out_trade_no.as_str()), (BillLineKind::Payment, NUMBER));
    assert_eq!((payment.provider_trade_no.as_str(), payment.out_refund_no.as_deref()), ("4200002026", None));
    assert_eq!((payment.amount, payment.fee, payment.at), (yuan(FEN), Some(yuan(7)), Some(1_795_492_800_000)));
    assert_eq!((refund.kind, refund.out_refund_no.as_deref()), (BillLineKind::Refund, Some(REFUND)));
    assert_eq!((refund.amount, refund.fee), (yuan(100), Some(yuan(-1))));
    assert_eq!((refund.out_trade_no.as_str(), refund.provider_trade_no.as_str()), (NUMBER, "4200002026"));
}

#[tokio::test]
async fn the_fund_flow_bill_tells_fees_too() {
    let story = Story::begin().await;
    gives(&story, gzipped(FLOW), sha1_hex(FLOW.as_bytes()));
    let bill = fetch(&story, BillKind::FundFlow).await.unwrap();
    let seen = story.gateway.seen();
    admitted(&seen[0], "GET", "/v3/bill/fundflowbill?bill_date=2026-11-24&account_type=BASIC&tar_type=GZIP");
    let lines: Vec<_> =
        bill.lines.iter().map(|line| (line.kind, line.amount.minor, line.provider_trade_no.as_str())).collect();
    assert_eq!(
        lines,
        [
            (BillLineKind::Payment, 1_234, "4200002026"),
            // The refund's voucher names the payment.
            (BillLineKind::Refund, 100, "4200002026"),
            (BillLineKind::Other, 7, "1900009999"),
        ]
    );
}

#[tokio::test]
async fn a_file_that_is_not_what_was_announced_is_not_used() {
    let story = Story::begin().await;
    let hash = || sha1_hex(good().as_bytes());
    let damaged =
        |outcome: Result<Bill, BillError>| assert!(matches!(outcome, Err(BillError::Damaged(_))), "{outcome:?}");
    gives(&story, gzipped(&good().replace("12.34", "12.33")), hash());
    damaged(fetch(&story, BillKind::Trades).await);
    let packed = gzipped(&good());
    gives(&story, packed[..packed.len() - 9].to_vec(), hash());
    damaged(fetch(&story, BillKind::Trades).await);
    gives(&story, b"<html>".to_vec(), sha1_hex(b"<html>"));
    damaged(fetch(&story, BillKind::Trades).await);
    // Not packed, whatever was asked for: the hash tells.
    gives(&story, good().into_bytes(), hash());
    assert_eq!(fetch(&story, BillKind::Trades).await.unwrap().lines.len(), 2);

    for body in [
        json!({ "download_url": "http://127.0.0.1:9/x", "hash_type": "SHA256", "hash_value": "00" }),
        json!({ "download_url": "http://127.0.0.1:9/x", "hash_type": "SHA1" }),
        json!({ "download_url": "file:///etc/passwd", "hash_type": "SHA1", "hash_value": "00" }),
        json!({ "hash_type": "SHA1", "hash_value": "00" }),
    ] {
        story.answers(200, &body);
        damaged(fetch(&story, BillKind::Trades).await);
    }
    // An announcement without a signature leads nowhere.
    let base_url = story.gateway.base_url.clone();
    story.gateway.does(move |_| {
        let url = format!("{base_url}/v3/billdownload/file");
        Does::text(200, json!({ "download_url": url, "hash_type": "SHA1", "hash_value": "00" }).to_string())
    });
    assert!(matches!(fetch(&story, BillKind::Trades).await, Err(BillError::Unreachable(_))));
    assert!(story.gateway.seen().iter().all(|seen| seen.path != "/v3/billdownload/file"));
}

#[tokio::test]
async fn a_bill_that_is_not_there_says_why() {
    let story = Story::begin().await;
    let today = jiff::Zoned::now().date();
    story.answers(400, &error("STATEMENT_CREATING"));
    assert_eq!(fetch(&story, BillKind::Trades).await, Err(BillError::NotReady));
    story.answers(400, &error("NO_STATEMENT_EXIST"));
    // Today's cannot be there yet; a month ago there was no business.
    assert_eq!(story.channel.bill(today, BillKind::Trades).await, Err(BillError::NotReady));
    let long_ago = story.channel.bill(date(2026, 1, 1), BillKind::Trades).await.unwrap();
    assert!(long_ago.lines.is_empty() && long_ago.raw.is_empty());
    story.answers(403, &error("NO_AUTH"));
    assert!(matches!(fetch(&story, BillKind::Trades).await, Err(BillError::Refused(_))));
    story.answers(500, &error("SYSTEM_ERROR"));
    assert!(matches!(fetch(&story, BillKind::Trades).await, Err(BillError::Unreachable(_))));
}

fn read(kind: BillKind, text: &str) -> Result<usize, String> {
    let channel =
        open_with("http://127.0.0.1:9", &credentials(), scantill::channel::TimingOverrides::default()).unwrap();
    match channel.read_bill(kind, text.as_bytes()) {
        Ok(bill) => Ok(bill.lines.len()),
        Err(BillError::Damaged(words)) => Err(words),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_file_fetched_by_hand_is_read_and_held_against_its_totals() {
    assert_eq!(read(BillKind::Trades, &good()), Ok(2));
    assert_eq!(read(BillKind::FundFlow, FLOW), Ok(3));
    assert_eq!(read(BillKind::Trades, &trades(&[], "`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00")), Ok(0));
    // A description may hold even what separates the values.
    let odd = trades(&[paid("a,`b,`c")], "`1,`12.34,`0.00,`0.00,`0.07404,`12.34,`0.00");
    assert_eq!(read(BillKind::Trades, &odd), Ok(1));
    // The layout before 2019, as WeChat Pay's guide to APIv2 shows it.
    let early = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,\
        微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\n\
        `2014-11-10 16：33：45,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,`1415640626,`085e9858,\
        `MICROPAY,`SUCCESS,`OTHERS,`CNY,`0.01,`0.0,`0,`0,`0,`0,`,`,`被扫支付测试,`订单额外描述,`0,`0.60%\n\
        总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\n`1,`0.01,`0.0,`0.0,`0";
    assert_eq!(read(BillKind::Trades, early), Ok(1));

    let spoilt: [(String, &str); 12] = [
        (String::new(), "is empty"),
        (good().replace("`2,`12.34", "`3,`12.34"), "总交易单数"),
        (good().replace("`2,`12.34,`1.00", "`2,`12.35,`1.00"), "应结订单总金额"),
        (good().replace("`12.34,`1.00\r\n", "`12.34,`1.01\r\n"), "申请退款总金额"),
        (good().replace("0.06804", "0.09804"), "手续费总金额"),
        (good().replace("`12.34,`0.00,`\r\n", "`12.345,`0.00,`\r\n"), "line 2"),
        (good().replace("`SUCCESS,`OTHERS", "`,`OTHERS"), "line 2"),
        (good().replace("`0.60%,", ""), "other columns"),
        (good().replace("`2026-11-24 12", "2026-11-24 12"), "other columns"),
        (format!("{}x", good()), "after its totals"),
        (good()[..good().find("总交易单数").unwrap()].to_owned(), "without its totals"),
        (good()[..good().find("`2,`12.34").unwrap()].to_owned(), "without its totals"),
    ];
    for (text, why) in spoilt {
        let words = read(BillKind::Trades, &text).unwrap_err();
        assert!(words.contains(why), "{words} / {why}");
    }
    for (text, why) in [
        (FLOW.replace("`3.0,", "`4.0,"), "资金流水总笔数"),
        (FLOW.replace("`1.0,`12.34,`2.0", "`1.0,`12.35,`2.0"), "收入金额"),
        (FLOW.replace("`1.07", "`1.08"), "支出金额"),
    ] {
        let words = read(BillKind::FundFlow, &text).unwrap_err();
        assert!(words.contains(why), "{words} / {why}");
    }
}

proptest! {
    /// What is written into a bill is read out of it, whatever the shop calls its goods.
    #[test]
    fn lines_survive_the_file(
        sales in proptest::collection::vec((1_i64..10_000_000, "[^\r\n\u{0}-\u{1f}\u{85}\u{2028}\u{2029}]{0,30}"), 0..20),
    ) {
        let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
        let line = |(fen, name): &(i64, String)| {
            paid(name.trim()).replace("12.34", &yuan(*fen)).replace("0.07404", "0.00")
        };
        let total = yuan(sales.iter().map(|(fen, _)| fen).sum());
        let text = trades(
            &sales.iter().map(line).collect::<Vec<_>>(),
            &format!("`{},`{total},`0.00,`0.00,`0.00,`{total},`0.00", sales.len()),
        );
        let channel =
            open_with("http://127.0.0.1:9", &credentials(), scantill::channel::TimingOverrides::default()).unwrap();
        let bill = channel.read_bill(BillKind::Trades, &gzipped(&text)).unwrap();
        let amounts: Vec<i64> = bill.lines.iter().map(|line| line.amount.minor).collect();
        prop_assert_eq!(amounts, sales.iter().map(|(fen, _)| *fen).collect::<Vec<_>>());
    }
}
