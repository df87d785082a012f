//! The bills of a day: where they lie, what they say, and what is no bill. The files are written here by the documents,
//! and not by any code of the channel's.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use encoding_rs::GBK;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use scantill::channel::{Bill, BillError, BillKind, BillLine, BillLineKind};
use scantill::money::{Currency, Money};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const DAY: Date = date(2026, 11, 24);
const BILL_QUERY: &str = "alipay.data.dataservice.bill.downloadurl.query";

/// A line of the bill of trades, as a shop's day has it.
#[derive(Debug, Clone)]
struct Trade {
    refund_no: Option<String>,
    out_trade_no: String,
    fen: i64,
    received: i64,
    fee: i64,
    product: String,
}

fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

fn sale(fen: i64) -> Trade {
    Trade { refund_no: None, out_trade_no: NUMBER.into(), fen, received: fen, fee: 0, product: "拿铁".into() }
}

fn returned(fen: i64) -> Trade {
    Trade { refund_no: Some(REFUND.into()), ..sale(fen) }
}

fn trades(lines: &[Trade]) -> String {
    let mut text = String::from(
        "#支付宝业务明细查询\n#账号：[20887219967213700156]\n\
         #起始日期：[2026年11月24日 00:00:00]   终止日期：[2026年11月25日 00:00:00]\n\
         #-----------------------------------------业务明细列表----------------------------------------\n\
         支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
         订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,\
         券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\n",
    );
    for (index, line) in lines.iter().enumerate() {
        let (kind, sign) = if line.refund_no.is_some() { ("退款", -1) } else { ("交易", 1) };
        writeln!(
            text,
            "20261124220014{index:04}\t,{}\t,{kind}\t,{},2026-11-24 11:59:00,2026-11-24 12:00:00,store_1\t,\t,\t,\t,\
             *三(138****01)\t,{},{},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{}\t,{},0.00,",
            line.out_trade_no,
            line.product,
            yuan(sign * line.fen),
            yuan(sign * line.received),
            line.refund_no.as_deref().unwrap_or(""),
            // What Alipay takes stands with a minus.
            yuan(-line.fee),
        )
        .unwrap();
    }
    let sum = |refunds: bool| {
        let of: Vec<_> = lines.iter().filter(|line| line.refund_no.is_some() == refunds).collect();
        (of.len(), of.iter().map(|line| line.received).sum::<i64>())
    };
    let ((paid, received), (refunds, back)) = (sum(false), sum(true));
    write!(
        text,
        "#-----------------------------------------业务明细列表结束------------------------------------\n\
         #交易合计：{paid}笔，商家实收共{}元，商家优惠共0.00元\n\
         #退款合计：{refunds}笔，商家实收退款共{}元，商家优惠退款共0.00元\n\
         #导出时间：[2026年11月25日 08:46:49]\n",
        yuan(received),
        yuan(-back),
    )
    .unwrap();
    text
}

fn summary(paid: usize, refunds: usize) -> String {
    format!(
        "#支付宝业务汇总查询\n#账号：[20887219967213700156]\n\
         门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,服务费（元）,实收净额（元）\n\
         store_1\t,\t,{paid},{refunds},0.00,0.00,0.00,0.00\n合计\t,\t,{paid},{refunds},0.00,0.00,0.00,0.00\n"
    )
}

fn funds(income: &[(&str, i64)], outgo: &[(&str, i64)]) -> String {
    let mut text = String::from(
        "#支付宝账务明细查询\n#账号：[20887219967213700156]\n\
         #起始日期：[2026年11月24日 00:00:00]   终止日期：[2026年11月25日 00:00:00]\n\
         #-----------------------------------------账务明细列表----------------------------------------\n\
         账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,\
         交易渠道,业务类型,备注\n",
    );
    for (kind, fen) in income {
        writeln!(
            text,
            "1\t,2026112422001\t,{NUMBER}\t,拿铁\t,2026-11-24 12:00:01,*三\t,{},0.00,100.00,支付宝,{kind},",
            yuan(*fen)
        )
        .unwrap();
    }
    for (kind, fen) in outgo {
        writeln!(
            text,
            "2\t,2026112422001\t,{NUMBER}\t,\t,2026-11-24 13:00:00,\t,0.00,{},90.00,支付宝,{kind},",
            yuan(-fen)
        )
        .unwrap();
    }
    let sum = |lines: &[(&str, i64)]| yuan(lines.iter().map(|(_, fen)| fen).sum());
    write!(
        text,
        "#-----------------------------------------账务明细列表结束------------------------------------,,,,\n\
         #支出合计：{}笔，共{}元,,,,\n#收入合计：{}笔，共{}元,,,,\n#导出时间：[2026年11月25日 08:46:49],,,,\n",
        outgo.len(),
        sum(outgo),
        income.len(),
        sum(income),
    )
    .unwrap();
    text
}

fn gbk(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = GBK.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&gbk(text)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn packed(text: &str, paid: usize, refunds: usize) -> Vec<u8> {
    zipped(&[
        ("20887219967213700156_20261124_业务明细(汇总).csv", &summary(paid, refunds)),
        ("20887219967213700156_20261124_业务明细.csv", text),
    ])
}

fn read(kind: BillKind, file: &[u8]) -> Result<Bill, BillError> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| open_at("http://127.0.0.1:9", TimingOverrides::default()));
    READER.read_bill(kind, file)
}

fn damage(kind: BillKind, file: &[u8]) -> String {
    match read(kind, file) {
        Err(BillError::Damaged(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn cny(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

#[test]
fn a_bill_of_trades_is_read_zipped_or_bare_in_either_encoding() {
    let lines = [Trade { fee: 7, ..sale(FEN) }, returned(400)];
    let text = trades(&lines);
    let payment = BillLine {
        kind: BillLineKind::Payment,
        out_trade_no: NUMBER.into(),
        provider_trade_no: "202611242200140000".into(),
        out_refund_no: None,
        amount: cny(FEN),
        fee: Some(cny(7)),
        at: Some(1_795_492_800_000),
    };
    let refund = BillLine {
        kind: BillLineKind::Refund,
        provider_trade_no: "202611242200140001".into(),
        out_refund_no: Some(REFUND.into()),
        amount: cny(400),
        fee: Some(cny(0)),
        ..payment.clone()
    };
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let windows = text.replace('\n', "\r\n");
    let both = packed(&text, 1, 1);
    for file in [gbk(&text), text.clone().into_bytes(), marked, gbk(&windows), both.clone()] {
        assert_eq!(read(BillKind::Trades, &file).unwrap().lines, [payment.clone(), refund.clone()]);
    }
    // Kept as it came; a file that was packed alone, unpacked.
    let kept = read(BillKind::Trades, &both).unwrap();
    assert_eq!((kept.raw, kept.file_name.as_str()), (both, "alipay_trade.zip"));
    let alone = read(BillKind::Trades, &zipped(&[("业务明细.csv", &text)])).unwrap();
    assert_eq!((alone.raw, alone.file_name.as_str()), (gbk(&text), "业务明细.csv"));
    // A day without business.
    assert_eq!(read(BillKind::Trades, &packed(&trades(&[]), 0, 0)).unwrap().lines, []);
}

#[test]
fn a_bill_of_the_balance_is_read() {
    let text = funds(&[("在线支付", FEN), ("转账", 100)], &[("交易退款", 400), ("收费", 7), ("提现", 500)]);
    let bill = read(BillKind::FundFlow, &gbk(&text)).unwrap();
    let told: Vec<_> = bill.lines.iter().map(|line| (line.kind, line.amount.minor)).collect();
    use BillLineKind as K;
    assert_eq!(told, [(K::Payment, FEN), (K::Other, 100), (K::Refund, 400), (K::Other, 7), (K::Other, 500)]);
    assert_eq!((bill.lines[0].out_trade_no.as_str(), bill.lines[0].at), (NUMBER, Some(1_795_492_801_000)));

    let sums = |income: &str| {
        format!(
            "#支付宝账务汇总查询\n类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）\n合计,2,{income},3,-9.07,4.27\n"
        )
    };
    let both = |income: &str| zipped(&[("账务明细(汇总).csv", &sums(income)), ("账务明细.csv", &text)]);
    assert_eq!(read(BillKind::FundFlow, &both("13.34")).unwrap().lines.len(), 5);
    assert!(damage(BillKind::FundFlow, &both("13.35")).contains("收入金额"));
    // One kind is not the other.
    assert!(damage(BillKind::Trades, &gbk(&text)).contains("no bill of this kind"));
    assert_eq!(read(BillKind::FundFlow, &gbk(&funds(&[], &[]))).unwrap().lines, []);
}

#[test]
fn names_with_commas_and_quotation_marks_tear_no_line() {
    for product in ["a,b", "tea, 2 cups, \"hot\"", "\"", "12\" pizza", "\"open"] {
        let text = trades(&[Trade { product: product.into(), ..sale(FEN) }, returned(400)]);
        let bill = read(BillKind::Trades, &gbk(&text)).unwrap_or_else(|error| panic!("{product}: {error}"));
        assert_eq!((bill.lines.len(), bill.lines[0].amount), (2, cny(FEN)), "{product}");
    }
}

#[test]
fn a_bill_that_does_not_agree_with_its_own_totals_is_none() {
    let text = trades(&[sale(FEN), sale(100), returned(400)]);
    assert!(read(BillKind::Trades, &gbk(&text)).is_ok());
    let line = text.lines().find(|line| line.contains("1.00,1.00")).unwrap();
    let cases = [
        (text.replace(&format!("{line}\n"), ""), "total"),
        (text.replace("12.34,12.34", "12.34,12.33"), "total"),
        (text.replace("-4.00,-4.00", "-4.00,-4.01"), "total"),
        (text.replace("交易合计：2笔", "交易合计：3笔"), "total"),
        (text.replace("共13.34元", "共many元"), "cannot be read"),
        (text.replace("12.34,12.34", "12.345,12.34"), "is no amount"),
        (text.replace("12.34,12.34", "-12.34,12.34"), "less than nothing"),
        (text.replace("12.34,12.34", "99999999999999999999,1"), "is no amount"),
        (text.replace("*三(138****01)\t,", ""), "fields"),
        (
            text[..text.find("#-----------------------------------------业务明细列表结束").unwrap()].to_owned(),
            "breaks off",
        ),
        (text.replace("[2088721", "[2088000"), "another merchant"),
        ("<html>".to_owned(), "no bill of this kind"),
        (String::new(), "no bill of this kind"),
    ];
    for (text, why) in cases {
        let said = damage(BillKind::Trades, &gbk(&text));
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(damage(BillKind::Trades, &packed(&text, 3, 1)).contains("交易订单总笔数"));
    assert!(damage(BillKind::Trades, &packed(&text, 2, 2)).contains("退款订单总笔数"));
    let whole = packed(&text, 2, 1);
    assert!(read(BillKind::Trades, &whole).is_ok());
    for at in [4, 30, whole.len() / 2, whole.len() - 1] {
        damage(BillKind::Trades, &whole[..at]);
    }
    damage(BillKind::Trades, b"\xff\xff\xff");
    damage(BillKind::Trades, &zipped(&[("../业务明细.csv", &text)]));
}

/// The gateway says where the bill lies, and there it lies.
fn lies(story: &Story, file: Vec<u8>) {
    let address = format!("{}/downloadBillFile.resource?bizType=trade&fileId=1", story.gateway.base_url);
    story.gateway.does(move |seen| {
        if seen.path.starts_with("/downloadBillFile") {
            return Does::text(200, file.clone());
        }
        let value = json!({ "code": "10000", "msg": "Success", "bill_download_url": address });
        Does::text(200, signed(&key_of(seen), &value.to_string()))
    });
}

#[tokio::test]
async fn a_days_bill_is_asked_for_fetched_and_read() {
    let story = Story::begin().await;
    lies(&story, packed(&trades(&[sale(FEN)]), 1, 0));
    let bill = story.channel.bill(DAY, BillKind::Trades).await.unwrap();
    assert_eq!((bill.lines.len(), bill.file_name.as_str()), (1, "alipay_trade_2026-11-24.zip"));
    let seen = story.gateway.seen();
    let (_, biz) = admitted(&seen[0], BILL_QUERY);
    assert_eq!(biz, json!({ "bill_type": "trade", "bill_date": "2026-11-24" }));
    assert_eq!((seen.len(), seen[1].method.as_str()), (2, "GET"));

    lies(&story, zipped(&[("账务明细.csv", &funds(&[("在线支付", FEN)], &[]))]));
    assert_eq!(story.channel.bill(DAY, BillKind::FundFlow).await.unwrap().lines.len(), 1);
    let (_, biz) = admitted(&story.gateway.seen()[0], BILL_QUERY);
    assert_eq!(biz["bill_type"], "signcustomer");

    // Another day's file, or none at all.
    lies(&story, packed(&trades(&[sale(FEN)]), 1, 0));
    let other = story.channel.bill(date(2026, 11, 23), BillKind::Trades).await;
    assert!(matches!(&other, Err(BillError::Damaged(why)) if why.contains("another day")), "{other:?}");
    lies(&story, b"<html>expired</html>".to_vec());
    assert!(matches!(story.channel.bill(DAY, BillKind::Trades).await, Err(BillError::Damaged(_))));
}

#[tokio::test]
async fn a_bill_that_is_not_there_is_told_from_a_day_without_business() {
    let story = Story::begin().await;
    let (old, zone) = (date(2026, 1, 1), jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8)));
    let yesterday = jiff::Timestamp::now().to_zoned(zone).date().yesterday().unwrap();
    for code in ["isp.bill_not_exist", "BILL_NOT_EXIST"] {
        story.answers(&refused("40004", code));
        assert_eq!(story.channel.bill(yesterday, BillKind::Trades).await, Err(BillError::NotReady));
        assert_eq!(story.channel.bill(old, BillKind::Trades).await.unwrap().lines, []);
    }
    // Alipay says that there was none.
    story.answers(&json!({ "code": "10000", "msg": "Success", "bill_file_code": "EMPTY_DATA_WITH_BILL_FILE" }));
    assert_eq!(story.channel.bill(yesterday, BillKind::Trades).await.unwrap().lines, []);

    story.answers(&refused("40004", "invalid_arguments"));
    let refused_bill = story.channel.bill(DAY, BillKind::Trades).await;
    assert!(matches!(&refused_bill, Err(BillError::Refused(failure)) if failure.provider_code == "invalid_arguments"));
    story.answers(&refused("40006", "isv.insufficient-isv-permissions"));
    assert!(matches!(story.channel.bill(DAY, BillKind::Trades).await, Err(BillError::Refused(_))));
    for answer in [refused("20000", "isp.unknow-error"), json!({ "code": "10000" })] {
        story.answers(&answer);
        assert!(matches!(story.channel.bill(DAY, BillKind::Trades).await, Err(BillError::Unreachable(_))), "{answer}");
    }
    // An answer that is not signed leads nowhere.
    let address = format!("{}/downloadBillFile.resource", story.gateway.base_url);
    story.gateway.seen();
    story.gateway.does(move |seen| {
        Does::text(200, json!({ key_of(seen): { "code": "10000", "bill_download_url": address } }).to_string())
    });
    assert!(matches!(story.channel.bill(DAY, BillKind::Trades).await, Err(BillError::Unreachable(_))));
    assert_eq!(story.gateway.seen().len(), 1);
    // The address says no, and one that is none.
    for (address, status) in [("/downloadBillFile", 404), ("nonsense", 200)] {
        let address = address.replace("/down", &format!("{}/down", story.gateway.base_url));
        story.gateway.does(move |seen| {
            if seen.path.starts_with("/downloadBillFile") {
                return Does::text(status, "");
            }
            let value = json!({ "code": "10000", "bill_download_url": address });
            Does::text(200, signed(&key_of(seen), &value.to_string()))
        });
        assert!(matches!(story.channel.bill(DAY, BillKind::Trades).await, Err(BillError::Unreachable(_))));
    }
}

fn any_trade() -> impl Strategy<Value = Trade> {
    (any::<bool>(), 1_i64..10_000_000_000, 0_i64..1_000, "[A-Z0-9]{1,20}", "[^\\r\\n\"]{0,12}").prop_map(
        |(refund, fen, fee, number, product)| Trade {
            refund_no: refund.then(|| format!("R{number}")),
            out_trade_no: number,
            fen,
            received: fen - fen / 10,
            fee,
            product,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(lines in proptest::collection::vec(any_trade(), 0..20), zip: bool) {
        let text = trades(&lines);
        let refunds = lines.iter().filter(|line| line.refund_no.is_some()).count();
        let file = if zip {
            // Whatever GBK has not is written in UTF-8 alone.
            let (_, _, lossy) = GBK.encode(&text);
            if lossy { text.into_bytes() } else { packed(&text, lines.len() - refunds, refunds) }
        } else {
            text.into_bytes()
        };
        let bill = read(BillKind::Trades, &file).unwrap();
        prop_assert_eq!(bill.lines.len(), lines.len());
        for (read, written) in bill.lines.iter().zip(&lines) {
            prop_assert_eq!(&read.out_trade_no, &written.out_trade_no);
            prop_assert_eq!(&read.out_refund_no, &written.refund_no);
            prop_assert_eq!(read.amount, cny(written.fen));
            prop_assert_eq!(read.fee, Some(cny(written.fee)));
            prop_assert_eq!(read.kind == BillLineKind::Refund, written.refund_no.is_some());
        }
    }

    #[test]
    fn no_file_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "[#,\\t0-9.笔元共（）\"\\n业务明细合计-]{0,200}", at: u16, to: u8,
    ) {
        static GOOD: LazyLock<String> = LazyLock::new(|| trades(&[sale(FEN), returned(400)]));
        static HEAD: LazyLock<String> = LazyLock::new(|| GOOD.lines().take(5).map(|line| format!("{line}\n")).collect());
        for kind in [BillKind::Trades, BillKind::FundFlow] {
            let _ = read(kind, &bytes);
            let _ = read(kind, text.as_bytes());
            let _ = read(kind, format!("{}{text}", *HEAD).as_bytes());
            for mut file in [GOOD.clone().into_bytes(), packed(&GOOD, 1, 1)] {
                let at = usize::from(at) % file.len();
                file[at] = to;
                let _ = read(kind, &file);
            }
        }
    }
}
