//! The day's or the month's bill: `alipay.data.dataservice.bill.downloadurl.query`, and the file behind the address that
//! it gives, a zip of comma-separated tables in GBK.
//!
//! The gateway itself has a day's bill from the next morning on. This one has today's as well, as far as it has gone: who
//! tries a client out wants to see the trade of a minute ago.

use std::io::{Cursor, Write};
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::HERE;
use super::answer::{Refused, TIME, business, payer};
use super::request::Request;
use crate::crypto::{HmacSha256, constant_time_eq};
use crate::sandbox::Shared;
use crate::sandbox::book::{Entry, Millis, Movement};
use crate::sandbox::wire::{china, china_zone, yuan};

/// How long an address is good.
const ADDRESS_LIFETIME: Millis = 30_000;
/// What the provider's files are named after, behind the merchant's number.
const ACCOUNT_SUFFIX: &str = "0156";

/// What is listed, and of which days: the first, and the first that counts no more.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Period {
    trades: bool,
    from: Date,
    until: Date,
    /// As it stands in file names: `yyyyMMdd` or `yyyyMM`.
    name: String,
}

impl Period {
    /// Of a bill's type and date, `yyyy-MM-dd` or `yyyy-MM`.
    fn read(bill_type: &str, bill_date: &str) -> Option<Self> {
        let trades = match bill_type {
            "trade" => true,
            "signcustomer" => false,
            _ => return None,
        };
        let exact = |form: &str, length: usize, text: &str| {
            (bill_date.len() == length).then(|| Date::strptime(form, text).ok()).flatten()
        };
        if let Some(from) = exact("%Y-%m-%d", 10, bill_date) {
            let until = from.tomorrow().ok()?;
            return Some(Self { trades, from, until, name: from.strftime("%Y%m%d").to_string() });
        }
        let from = exact("%Y-%m-%d", 7, &format!("{bill_date}-01"))?;
        let until = from.checked_add(1.month()).ok()?;
        Some(Self { trades, from, until, name: from.strftime("%Y%m").to_string() })
    }

    fn bounds(&self) -> Option<(Millis, Millis)> {
        let start = |day: Date| day.to_zoned(china_zone()).ok().map(|zoned| zoned.timestamp().as_millisecond());
        Some((start(self.from)?, start(self.until)?))
    }

    const fn kind(&self) -> &'static str {
        if self.trades { "trade" } else { "signcustomer" }
    }
}

fn account(shared: &Shared) -> String {
    format!("{}{ACCOUNT_SUFFIX}", shared.credentials.alipay.seller_id)
}

fn entries(shared: &Shared, period: &Period) -> Vec<Entry> {
    period.bounds().map(|(from, until)| shared.book().between(HERE, from, until)).unwrap_or_default()
}

/// Answers with the address of the file; `host` is where the client found the gateway.
pub(super) fn url(shared: &Shared, request: &Request, host: &str, now: Millis) -> Result<Value, Refused> {
    let wrong = || business("INVAILID_ARGUMENTS", "入参不合法");
    let period = Period::read(request.need("bill_type")?, request.need("bill_date")?).ok_or_else(wrong)?;
    let (from, _) = period.bounds().ok_or_else(wrong)?;
    if from > now {
        return Err(wrong());
    }
    if entries(shared, &period).is_empty() {
        return Err(business("isp.bill_not_exist", "查询的账单不存在"));
    }
    let account = account(shared);
    let base = if host.is_empty() { shared.base_url.clone() } else { format!("http://{host}") };
    let timestamp = now.to_string();
    let (kind, name) = (period.kind(), &period.name);
    let query = serde_urlencoded::to_string([
        ("bizType", kind),
        ("userId", &account),
        ("fileType", "csv.zip"),
        ("bizDates", name),
        ("downloadFileName", &format!("{account}_{name}.csv.zip")),
        ("fileId", &format!("/{kind}/{account}/{name}.csv.zip")),
        ("timestamp", &timestamp),
        ("token", &token(shared, kind, name, &timestamp)),
    ])
    .unwrap_or_default();
    Ok(json!({
        "code": "10000", "msg": "Success",
        "bill_download_url": format!("{base}/downloadBillFile.resource?{query}"),
    }))
}

fn token(shared: &Shared, kind: &str, name: &str, timestamp: &str) -> String {
    let key = HmacSha256::new(shared.credentials.alipay.aes_key.as_bytes());
    hex::encode(key.sign(&[kind.as_bytes(), b"|", name.as_bytes(), b"|", timestamp.as_bytes()]))
}

/// `GET /downloadBillFile.resource`
pub(in crate::sandbox) async fn download(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let refuse =
        |why: &'static str| (StatusCode::FORBIDDEN, [("content-type", "text/html;charset=utf-8")], why).into_response();
    let (kind, name, timestamp) = (get("bizType"), get("bizDates"), get("timestamp"));
    if !constant_time_eq(token(&shared, kind, name, timestamp).as_bytes(), get("token").as_bytes()) {
        return refuse("非法的下载链接");
    }
    let now = shared.now(HERE);
    let age = timestamp.parse::<Millis>().map(|at| now - at);
    if !age.is_ok_and(|age| (0..ADDRESS_LIFETIME).contains(&age)) {
        return refuse("下载链接已过期");
    }
    let date = match (name.get(..4), name.get(4..6), name.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        (Some(year), Some(month), None) => format!("{year}-{month}"),
        _ => String::new(),
    };
    let Some(period) = Period::read(kind, &date) else { return refuse("非法的下载链接") };
    let account = account(&shared);
    let entries = entries(&shared, &period);
    let tables = if period.trades {
        [
            ("业务明细", trades(&account, &period, &entries, now)),
            ("业务明细(汇总)", stores(&account, &period, &entries, now)),
        ]
    } else {
        [
            ("账务明细", funds(&account, &period, &entries, now)),
            ("账务明细(汇总)", sums(&account, &period, &entries, now)),
        ]
    };
    let files = tables.map(|(what, text)| (format!("{account}_{name}_{what}.csv"), text));
    match archive(&files) {
        Ok(bytes) => {
            let disposition = format!("attachment; filename={account}_{name}.csv.zip");
            let headers =
                [("content-type", "application/octet-stream".to_owned()), ("content-disposition", disposition)];
            (headers, bytes).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The tables as the provider packs them: names and contents in GBK, and no mark that says so.
fn archive(files: &[(String, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut names = Vec::new();
    for (index, (name, text)) in files.iter().enumerate() {
        // The library writes names in UTF-8 only: a name of the same length keeps the place.
        let name = gbk(name);
        let place = format!("{index:~>width$}", width = name.len());
        zip.start_file(place.as_str(), options)?;
        zip.write_all(&gbk(text))?;
        names.push((place.into_bytes(), name));
    }
    let mut bytes = zip.finish()?.into_inner();
    for (place, name) in names {
        let mut at = 0;
        while let Some(found) =
            bytes.get(at..).and_then(|rest| rest.windows(place.len()).position(|part| part == place))
        {
            at += found;
            if let Some(part) = bytes.get_mut(at..at + name.len()) {
                part.copy_from_slice(&name);
            }
        }
    }
    Ok(bytes)
}

fn dash(count: usize) -> String {
    "-".repeat(count)
}

/// A table with its head and foot, lines ended as the provider ends them.
fn table(
    title: &str,
    account: &str,
    period: &Period,
    list: (&str, usize, usize),
    lines: &[String],
    foot: &[String],
) -> String {
    let day = |day: Date| day.strftime("%Y年%m月%d日 00:00:00").to_string();
    let (name, before, after) = list;
    let mut text = vec![
        format!("#支付宝{title}查询"),
        format!("#账号：[{account}]"),
        format!("#起始日期：[{}]   终止日期：[{}]", day(period.from), day(period.until)),
        format!("#{}{name}列表{}", dash(41), dash(40)),
    ];
    text.extend_from_slice(lines);
    text.push(format!("#{}{name}列表结束{}", dash(before), dash(after)));
    text.extend_from_slice(foot);
    text.join("\r\n") + "\r\n"
}

fn exported(now: Millis) -> String {
    format!("#导出时间：[{}]", china(now, "%Y年%m月%d日 %H:%M:%S"))
}

/// A field that was a merchant's or a customer's words: no comma, no line's end.
fn plain(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ',' | '"' | '\r' | '\n' | '\t') { ' ' } else { c }).collect()
}

/// What moved: towards the merchant, or back; and the merchant's own number of a return.
fn moved(entry: &Entry) -> (i64, &str) {
    match &entry.movement {
        Movement::Paid => (entry.trade.amount, ""),
        Movement::Refunded(refund) => (-refund.amount, &refund.out_refund_no),
        Movement::Reversed => (-entry.trade.amount, &entry.trade.out_trade_no),
    }
}

const TRADE_COLUMNS: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,\
    对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,\
    券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

fn trades(account: &str, period: &Period, entries: &[Entry], now: Millis) -> String {
    let mut lines = vec![TRADE_COLUMNS.to_owned()];
    let (mut paid, mut returned) = ((0, 0), (0, 0));
    for entry in entries {
        let trade = &entry.trade;
        let (amount, number) = moved(entry);
        let sums = if amount < 0 { &mut returned } else { &mut paid };
        *sums = (sums.0 + 1, sums.1 + amount);
        let kept = |name: &str| plain(trade.details.get(name).map_or("", String::as_str));
        let began = if amount < 0 { entry.at } else { trade.created_at };
        let [(_, logon), _] = payer(trade);
        let amount = yuan(amount);
        lines.push(
            [
                format!("{}\t", trade.provider_trade_no),
                format!("{}\t", trade.out_trade_no),
                (if number.is_empty() { "交易\t" } else { "退款\t" }).to_owned(),
                plain(&trade.subject),
                china(began, TIME),
                china(entry.at, TIME),
                format!("{}\t", kept("store_id")),
                "\t".to_owned(),
                format!("{}\t", kept("operator_id")),
                format!("{}\t", kept("terminal_id")),
                format!("{logon}\t"),
                amount.clone(),
                amount,
                "0.00".to_owned(),
                "0.00".to_owned(),
                "0.00".to_owned(),
                "0.00".to_owned(),
                "0.00".to_owned(),
                String::new(),
                "0.00\t".to_owned(),
                "0.00".to_owned(),
                format!("{number}\t"),
                "0.00".to_owned(),
                "0.00".to_owned(),
                kept("body"),
            ]
            .join(","),
        );
    }
    let foot = [
        format!("#交易合计：{}笔，商家实收共{}元，商家优惠共0.00元", paid.0, yuan(paid.1)),
        format!("#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元", returned.0, yuan(returned.1)),
        exported(now),
    ];
    table("业务明细", account, period, ("业务明细", 41, 36), &lines, &foot)
}

fn stores(account: &str, period: &Period, entries: &[Entry], now: Millis) -> String {
    let mut lines = vec![
        "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,\
         卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
            .to_owned(),
    ];
    let mut stores = std::collections::BTreeMap::<&str, (i64, i64, i64)>::new();
    let mut all = (0, 0, 0);
    for entry in entries {
        let (amount, _) = moved(entry);
        let store = entry.trade.details.get("store_id").map_or("", String::as_str);
        for sums in [stores.entry(store).or_default(), &mut all] {
            let (paid, returned) = if amount < 0 { (0, 1) } else { (1, 0) };
            *sums = (sums.0 + paid, sums.1 + returned, sums.2 + amount);
        }
    }
    let line = |store: &str, (paid, returned, net): (i64, i64, i64)| {
        let net = yuan(net);
        format!("{store}\t,\t,{paid},{returned},{net},{net},0.00,0.00,0.00,0.00,0.00,{net}")
    };
    lines.extend(stores.into_iter().map(|(store, sums)| line(&plain(store), sums)));
    lines.push(line("合计", all));
    table("业务汇总", account, period, ("业务汇总", 40, 37), &lines, &[exported(now)])
}

fn funds(account: &str, period: &Period, entries: &[Entry], now: Millis) -> String {
    let mut lines = vec![
        "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,\
         业务类型,备注"
            .to_owned(),
    ];
    let (mut balance, mut income, mut spent) = (0, (0, 0), (0, 0));
    for (index, entry) in entries.iter().enumerate() {
        let trade = &entry.trade;
        let (amount, number) = moved(entry);
        balance += amount;
        let sums = if amount < 0 { &mut spent } else { &mut income };
        *sums = (sums.0 + 1, sums.1 + amount);
        let [(_, logon), _] = payer(trade);
        let (plus, minus) = if amount < 0 { (0, amount) } else { (amount, 0) };
        lines.push(format!(
            "{}{index:08}\t,{}\t,{}\t,{},{},{logon}\t,{},{},{},支付宝,{},{number}\t",
            china(entry.at, "%Y%m%d%H%M%S"),
            trade.provider_trade_no,
            trade.out_trade_no,
            plain(&trade.subject),
            china(entry.at, TIME),
            yuan(plus),
            yuan(minus),
            yuan(balance),
            if amount < 0 { "交易退款" } else { "在线支付" },
        ));
    }
    let foot = [
        format!("#支出合计：{}笔，共{}元", spent.0, yuan(spent.1)),
        format!("#收入合计：{}笔，共{}元", income.0, yuan(income.1)),
        exported(now),
    ];
    table("账务明细", account, period, ("账务明细", 41, 36), &lines, &foot)
}

fn sums(account: &str, period: &Period, entries: &[Entry], now: Millis) -> String {
    let of = |wanted: fn(i64) -> bool| {
        let amounts = entries.iter().map(|entry| moved(entry).0).filter(|amount| wanted(*amount));
        amounts.fold((0, 0), |(count, sum), amount| (count + 1, sum + amount))
    };
    let (income, spent) = (of(|amount| amount > 0), of(|amount| amount < 0));
    let net = yuan(income.1 + spent.1);
    let lines = [
        "业务类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）".to_owned(),
        format!("在线支付,{},{},0,0.00,{}", income.0, yuan(income.1), yuan(income.1)),
        format!("交易退款,0,0.00,{},{},{}", spent.0, yuan(spent.1), yuan(spent.1)),
        format!("合计,{},{},{},{},{net}", income.0, yuan(income.1), spent.0, yuan(spent.1)),
    ];
    table("账务汇总", account, period, ("账务汇总", 40, 37), &lines, &[exported(now)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_day_or_a_month_of_a_known_bill() {
        let day = Period::read("trade", "2026-11-25").unwrap();
        assert_eq!((day.name.as_str(), day.until), ("20261125", jiff::civil::date(2026, 11, 26)));
        let month = Period::read("signcustomer", "2026-12").unwrap();
        assert_eq!((month.name.as_str(), month.until, month.trades), ("202612", jiff::civil::date(2027, 1, 1), false));
        for (kind, date) in
            [("trade", "2026-02-30"), ("trade", "20261125"), ("trade", "2026-1"), ("trade", ""), ("all", "2026-11-25")]
        {
            assert_eq!(Period::read(kind, date), None, "{kind} {date}");
        }
    }

    #[test]
    fn names_in_the_archive_are_gbk_without_a_mark() {
        let bytes =
            archive(&[("a_业务明细.csv".into(), "面".into()), ("a_业务明细(汇总).csv".into(), "水".into())]).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (index, (name, text)) in [("a_业务明细.csv", "面"), ("a_业务明细(汇总).csv", "水")].into_iter().enumerate()
        {
            let mut file = zip.by_index(index).unwrap();
            assert_eq!(file.name_raw(), encoding_rs::GBK.encode(name).0.as_ref());
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut content).unwrap();
            assert_eq!(content, encoding_rs::GBK.encode(text).0.as_ref());
        }
    }
}
