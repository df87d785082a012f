//! Reading Alipay's bills: a zip of CSV files in GBK, whose `#` lines say what the file is and what it adds up to. Pure.
//!
//! Two kinds, each of a file of lines (明细) and a file of sums (汇总): trades (业务) and movements on the balance
//! (账务). A file is known by its columns, not by its name: people rename what they download.

use jiff::civil::Date;

use super::csv::{Sheet, decode};
use crate::channel::unpack::{is_zip, unzip};
use crate::channel::{Bill, BillError, BillKind, BillLine, BillLineKind, china_time};
use crate::money::{Currency, Money};

/// What a file has to be of, where it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expected<'a> {
    /// The day, China time.
    pub day: Option<Date>,
    /// The merchant, whose number the account's begins with.
    pub seller: Option<&'a str>,
}

fn damaged(why: impl Into<String>) -> BillError {
    BillError::Damaged(why.into())
}

/// `bill_type` on the wire.
pub(super) const fn wire_type(kind: BillKind) -> &'static str {
    match kind {
        BillKind::Trades => "trade",
        BillKind::FundFlow => "signcustomer",
    }
}

/// A day without business.
pub(super) fn empty(name: String) -> Bill {
    Bill { raw: Vec::new(), file_name: name, lines: Vec::new() }
}

/// Reads a zip, or the file of lines alone.
pub(super) fn read(kind: BillKind, file: &[u8], name: &str, expected: Expected<'_>) -> Result<Bill, BillError> {
    let mut raw = file.to_vec();
    let mut file_name = format!("{name}.csv");
    let mut texts = Vec::new();
    if is_zip(file) {
        let mut files = unzip(file).map_err(|error| damaged(error.to_string()))?;
        for unpacked in &files {
            let text = decode(&unpacked.bytes).ok_or_else(|| damaged("a file in it is neither UTF-8 nor GBK"))?;
            texts.push(text.into_owned());
        }
        file_name = format!("{name}.zip");
        if let (1, Some(only)) = (files.len(), files.pop()) {
            (raw, file_name) = (only.bytes, only.name);
        }
    } else {
        let text = decode(file).ok_or_else(|| damaged("it is neither a zip nor text in UTF-8 or GBK"))?;
        texts.push(text.into_owned());
    }
    let mut lines = Vec::new();
    let mut sums = Sums::default();
    let mut found = false;
    let mut summaries = Vec::new();
    for text in &texts {
        let sheet = Sheet::read(text);
        match of(&sheet) {
            Some((is, Part::Lines)) if is == kind => {
                found = true;
                check_head(&sheet, expected)?;
                let own = read_lines(kind, &sheet, &mut lines)?;
                own.check_foot(kind, &sheet)?;
                sums.add(&own)?;
            }
            Some((is, Part::Sums)) if is == kind => summaries.push(sheet),
            _ => {}
        }
    }
    if !found {
        return Err(damaged("it holds no bill of this kind from Alipay"));
    }
    for summary in &summaries {
        sums.check_summary(kind, summary)?;
    }
    Ok(Bill { raw, file_name, lines })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Lines,
    Sums,
}

/// Which file it is, by its columns; by its first words where it has none.
fn of(sheet: &Sheet<'_>) -> Option<(BillKind, Part)> {
    let has = |name: &str| sheet.column(name).is_some();
    let says = |words: &str| sheet.notes.iter().any(|note| note.contains(words));
    if sheet.has_header() {
        match () {
            () if has("支付宝交易号") && has("订单金额") => Some((BillKind::Trades, Part::Lines)),
            () if has("账务流水号") && has("收入金额") => Some((BillKind::FundFlow, Part::Lines)),
            () if has("交易订单总笔数") => Some((BillKind::Trades, Part::Sums)),
            () if has("收入笔数") => Some((BillKind::FundFlow, Part::Sums)),
            () => None,
        }
    } else {
        match () {
            () if says("业务明细") => Some((BillKind::Trades, Part::Lines)),
            () if says("账务明细") => Some((BillKind::FundFlow, Part::Lines)),
            () => None,
        }
    }
}

/// The merchant and the day that the file says it is of.
fn check_head(sheet: &Sheet<'_>, expected: Expected<'_>) -> Result<(), BillError> {
    let bracketed = |label: &str| {
        let note = sheet.notes.iter().find_map(|note| note.split_once(label).map(|(_, rest)| rest))?;
        Some(note.split_once('[')?.1.split_once(']')?.0.trim().to_owned())
    };
    if let (Some(seller), Some(account)) = (expected.seller, bracketed("账号")) {
        let is_number = account.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !account.starts_with(seller) {
            return Err(damaged("it is another merchant's"));
        }
    }
    if let (Some(day), Some(begin)) = (expected.day, bracketed("起始日期")) {
        let digits: String = begin.chars().filter(char::is_ascii_digit).take(8).collect();
        if digits != day.strftime("%Y%m%d").to_string() {
            return Err(damaged("it is of another day"));
        }
    }
    Ok(())
}

/// Yuan with a sign, in fen. An empty field is nothing.
fn fen(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.is_empty() {
        return Some(0);
    }
    Money::parse(digits, Currency::CNY).ok().map(|money| money.minor * sign)
}

/// What the lines add up to. The first of each pair is of money taken, the second of money returned or spent.
#[derive(Debug, Default)]
struct Sums {
    count: [i64; 2],
    /// The orders' amounts, or what moved.
    amount: [i64; 2],
    /// What the merchant received of it; trades only.
    received: [i64; 2],
}

impl Sums {
    fn count_in(&mut self, side: usize, amount: i64, received: i64) -> Result<(), BillError> {
        let add = |pair: &mut [i64; 2], by: i64| {
            let cell = pair.get_mut(side)?;
            *cell = cell.checked_add(by)?;
            Some(())
        };
        add(&mut self.count, 1)
            .and(add(&mut self.amount, amount))
            .and(add(&mut self.received, received))
            .ok_or_else(|| damaged("its amounts are too large"))
    }

    fn add(&mut self, other: &Self) -> Result<(), BillError> {
        for (own, more) in
            [(&mut self.count, other.count), (&mut self.amount, other.amount), (&mut self.received, other.received)]
        {
            for (own, more) in own.iter_mut().zip(more) {
                *own = own.checked_add(more).ok_or_else(|| damaged("its amounts are too large"))?;
            }
        }
        Ok(())
    }

    /// The totals at the foot of the file of lines. A file without them, and without its closing line, breaks off.
    fn check_foot(&self, kind: BillKind, sheet: &Sheet<'_>) -> Result<(), BillError> {
        let labels = match kind {
            BillKind::Trades => ["交易合计", "退款合计"],
            BillKind::FundFlow => ["收入合计", "支出合计"],
        };
        let mut seen = sheet.notes.iter().any(|note| note.contains("列表结束"));
        for (side, label) in labels.into_iter().enumerate() {
            let Some(note) = sheet.notes.iter().find(|note| note.trim_start_matches('#').trim().starts_with(label))
            else {
                continue;
            };
            seen = true;
            let (count, total) = total_of(note).ok_or_else(|| damaged("its totals cannot be read"))?;
            let sums = if note.contains("实收") { self.received } else { self.amount };
            let counted = self.count.get(side).copied().unwrap_or_default();
            let added = sums.get(side).copied().unwrap_or_default();
            if counted != count || added.abs() != total.abs() {
                return Err(damaged(format!(
                    "its lines are {counted} over {}, but its total says {count} over {}",
                    Money::new(added.abs(), Currency::CNY).to_decimal(),
                    Money::new(total.abs(), Currency::CNY).to_decimal(),
                )));
            }
        }
        if seen { Ok(()) } else { Err(damaged("it breaks off before its totals")) }
    }

    /// The line of sums (合计) of the file of sums.
    fn check_summary(&self, kind: BillKind, sheet: &Sheet<'_>) -> Result<(), BillError> {
        let numbers: &[(&str, i64)] = match kind {
            BillKind::Trades => &[("交易订单总笔数", self.count[0]), ("退款订单总笔数", self.count[1])],
            BillKind::FundFlow => &[
                ("收入笔数", self.count[0]),
                ("支出笔数", self.count[1]),
                ("收入金额", self.amount[0]),
                ("支出金额", self.amount[1]),
            ],
        };
        for (number, row) in &sheet.rows {
            let fields = sheet.fields(row, *number)?;
            if fields.first().is_none_or(|first| first.trim() != "合计") {
                continue;
            }
            for (name, own) in numbers {
                let Some(text) = sheet.column(name).and_then(|at| fields.get(at)) else { continue };
                let said = if name.ends_with("笔数") { text.trim().parse().ok() } else { fen(text) };
                if said.is_none_or(|said: i64| said.abs() != own.abs()) {
                    return Err(damaged(format!("its lines do not add up to its summary ({name})")));
                }
            }
        }
        Ok(())
    }
}

/// Count and amount of a total: `#交易合计：6笔，商家实收共0.06元，商家优惠共0.00元`.
fn total_of(note: &str) -> Option<(i64, i64)> {
    let (head, rest) = note.split_once('笔')?;
    let count: String = head.chars().filter(char::is_ascii_digit).collect();
    let amount = rest.split_once('元')?.0;
    let at = amount.find(|c: char| c.is_ascii_digit() || c == '-')?;
    Some((count.parse().ok()?, fen(amount.get(at..)?)?))
}

fn read_lines(kind: BillKind, sheet: &Sheet<'_>, lines: &mut Vec<BillLine>) -> Result<Sums, BillError> {
    let mut sums = Sums::default();
    for (number, row) in &sheet.rows {
        let fields = sheet.fields(row, *number)?;
        let get = |name: &str| sheet.column(name).and_then(|at| fields.get(at)).map_or("", |field| field.trim());
        let amount = |name: &str| fen(get(name)).ok_or_else(|| damaged(format!("line {number}: {name} is no amount")));
        let text = |name: &str| Some(get(name).to_owned()).filter(|text| !text.is_empty());
        let yuan = |fen| Money::new(fen, Currency::CNY);
        let line = match kind {
            BillKind::Trades => {
                let (ordered, received) = (amount("订单金额")?, amount("商家实收")?);
                let what = match get("业务类型") {
                    "交易" if ordered >= 0 => BillLineKind::Payment,
                    "交易" => return Err(damaged(format!("line {number}: a payment of less than nothing"))),
                    "退款" => BillLineKind::Refund,
                    _ => BillLineKind::Other,
                };
                match what {
                    BillLineKind::Payment => sums.count_in(0, ordered, received)?,
                    BillLineKind::Refund => sums.count_in(1, ordered, received)?,
                    BillLineKind::Other => {}
                }
                BillLine {
                    kind: what,
                    out_trade_no: get("商户订单号").to_owned(),
                    provider_trade_no: get("支付宝交易号").to_owned(),
                    out_refund_no: text("退款批次号/请求号").filter(|_| what == BillLineKind::Refund),
                    amount: yuan(ordered.abs()),
                    // What Alipay takes stands with a minus.
                    fee: match get("服务费") {
                        "" => None,
                        _ => Some(yuan(-amount("服务费")?)),
                    },
                    at: china_time::read_plain(get("完成时间")).or_else(|| china_time::read_plain(get("创建时间"))),
                }
            }
            BillKind::FundFlow => {
                let (income, outgo) = (amount("收入金额")?, amount("支出金额")?);
                if income < 0 || (income != 0 && outgo != 0) {
                    return Err(damaged(format!("line {number}: money that comes and goes at once")));
                }
                let moved = if income == 0 { outgo.abs() } else { income };
                sums.count_in(usize::from(income == 0), moved, 0)?;
                let what = match get("业务类型") {
                    kind if kind.contains("退款") && income == 0 => BillLineKind::Refund,
                    "在线支付" | "交易付款" | "交易收款" | "交易" if income > 0 => BillLineKind::Payment,
                    _ => BillLineKind::Other,
                };
                BillLine {
                    kind: what,
                    out_trade_no: get("商户订单号").to_owned(),
                    provider_trade_no: get("业务流水号").to_owned(),
                    out_refund_no: None,
                    amount: yuan(moved),
                    fee: None,
                    at: china_time::read_plain(get("发生时间")),
                }
            }
        };
        lines.push(line);
    }
    Ok(sums)
}
