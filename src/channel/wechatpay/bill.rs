//! WeChat Pay's files of a day, the same from both interfaces: a line of names, lines of values with a back-tick before
//! each, a line of names of totals and their values. Pure.
//!
//! No value is quoted, so that a comma may stand in a description: values end at the next comma with a back-tick.

use jiff::civil::Date;

use super::meaning::ApiError;
use crate::channel::unpack::{gunzip, is_gzip, is_zip, unzip};
use crate::channel::{Bill, BillError, BillKind, BillLine, BillLineKind, BillRules, china_time};
use crate::money::{Currency, Money};
use crate::payment::UnixMillis;

/// From which hour of the next day the files are there. The platform begins at nine.
const READY_HOUR: i8 = 10;
const DAY: UnixMillis = 24 * 3_600_000;
/// Amounts are yuan with up to five decimals: a fee is often a fraction of a fen.
const DECIMALS: usize = 5;
/// Units of [`DECIMALS`] in one fen.
const FEN: i64 = 1_000;

/// Which files there are, and when.
pub(super) fn rules() -> BillRules {
    BillRules { kinds: vec![BillKind::Trades, BillKind::FundFlow], ready_hour: READY_HOUR }
}

/// A name for the file.
pub(super) fn file_name(mchid: &str, day: Date, kind: BillKind) -> String {
    let what = match kind {
        BillKind::Trades => "trades",
        BillKind::FundFlow => "fundflow",
    };
    format!("wechatpay-{mchid}-{day}-{what}.csv")
}

/// The bill of a day without business, for which the platform makes no file.
pub(super) fn without_lines(mchid: &str, day: Date, kind: BillKind) -> Bill {
    Bill { raw: Vec::new(), file_name: file_name(mchid, day, kind), lines: Vec::new() }
}

/// What a refusal means; `Ok` where there was no business on that day. The platform says so too before it has made the
/// file.
pub(super) fn refused(error: &ApiError, day: Date, now: UnixMillis) -> Result<(), BillError> {
    let midnight = china_time::read_plain(&format!("{day} 00:00:00")).unwrap_or(UnixMillis::MAX);
    let ready_at = midnight.saturating_add(DAY + i64::from(READY_HOUR) * 3_600_000);
    match error.code.as_str() {
        "NO_STATEMENT_EXIST" if now >= ready_at => Ok(()),
        "NO_STATEMENT_EXIST" | "STATEMENT_CREATING" => Err(BillError::NotReady),
        _ => match error.reason() {
            Some(reason) => Err(BillError::Refused(error.failure(reason))),
            None => Err(BillError::Unreachable(error.words())),
        },
    }
}

/// The text within: packed with gzip, as the interfaces give it, or in a zip with nothing else, or not packed.
pub(super) fn unpacked(file: Vec<u8>) -> Result<Vec<u8>, BillError> {
    let damaged = |error: crate::channel::unpack::UnpackError| BillError::Damaged(error.to_string());
    if is_gzip(&file) {
        return gunzip(&file).map_err(damaged);
    }
    if is_zip(&file) {
        let mut files = unzip(&file).map_err(damaged)?;
        return match (files.pop(), files.is_empty()) {
            (Some(only), true) => Ok(only.bytes),
            _ => Err(BillError::Damaged("the zip file has to hold one file".into())),
        };
    }
    Ok(file)
}

/// Reads the text of a file and holds its lines against its totals.
pub(super) fn read(kind: BillKind, raw: Vec<u8>, file_name: String) -> Result<Bill, BillError> {
    let lines = lines(kind, &raw).map_err(BillError::Damaged)?;
    Ok(Bill { raw, file_name, lines })
}

/// The names of one kind's columns and totals.
struct Layout {
    /// The only column whose values may hold anything.
    free_text: &'static str,
    /// How the line of the totals' names begins.
    totals: &'static str,
    /// Totals that are sums of a column, and the column; earlier files call some by other names.
    sums: &'static [(&'static str, &'static str)],
}

const TRADES: Layout = Layout {
    free_text: "商品名称",
    totals: "总交易单数",
    sums: &[
        ("应结订单总金额", "应结订单金额"),
        ("总交易额", "总金额"),
        ("退款总金额", "退款金额"),
        ("总退款金额", "退款金额"),
        ("充值券退款总金额", "充值券退款金额"),
        ("总企业红包退款金额", "企业红包退款金额"),
        ("手续费总金额", FEE),
        ("订单总金额", "订单金额"),
        ("申请退款总金额", "申请退款金额"),
    ],
};
const FUND_FLOW: Layout = Layout { free_text: "备注", totals: "资金流水总笔数", sums: &[] };
const FEE: &str = "手续费";

fn lines(kind: BillKind, raw: &[u8]) -> Result<Vec<BillLine>, String> {
    let layout = match kind {
        BillKind::Trades => &TRADES,
        BillKind::FundFlow => &FUND_FLOW,
    };
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let text = std::str::from_utf8(raw).map_err(|_| "it is no text in UTF-8")?;
    let mut rows = text.lines().map(str::trim).enumerate().filter(|(_, row)| !row.is_empty());
    let (_, names) = rows.next().ok_or("it is empty")?;
    let table = Table { columns: names.split(',').map(plain_name).collect(), free_text: layout.free_text };
    let mut values = Vec::new();
    let totals = loop {
        let (at, row) = rows.next().ok_or("it ends without its totals")?;
        if row.starts_with(layout.totals) {
            let (_, figures) = rows.next().ok_or("it ends without its totals")?;
            break Totals::read(row, figures).ok_or("its totals cannot be read")?;
        }
        let row = table.row(row).ok_or_else(|| format!("line {} has other columns than its head", at + 1))?;
        values.push((at + 1, row));
    };
    if rows.next().is_some() {
        return Err("it goes on after its totals".into());
    }
    let read = |(at, row): &(usize, Row<'_>)| {
        let line = match kind {
            BillKind::Trades => trade(row),
            BillKind::FundFlow => movement(row),
        };
        line.ok_or_else(|| format!("line {at} cannot be read"))
    };
    let lines: Vec<BillLine> = values.iter().map(read).collect::<Result<_, _>>()?;
    let rows: Vec<&Row<'_>> = values.iter().map(|(_, row)| row).collect();
    let agreed = match kind {
        BillKind::Trades => totals.agree_with_trades(layout, &rows, &lines),
        BillKind::FundFlow => totals.agree_with_movements(&rows),
    };
    agreed.map_err(|total| format!("its lines do not add up to its total {total}"))?;
    Ok(lines)
}

/// A column's name without its unit.
fn plain_name(name: &str) -> &str {
    name.split(['(', '（']).next().unwrap_or("").trim().trim_start_matches('`')
}

/// The values of a line: a back-tick before each.
fn split(row: &str) -> Option<Vec<&str>> {
    Some(row.strip_prefix('`')?.split(",`").map(str::trim).collect())
}

struct Table<'a> {
    columns: Vec<&'a str>,
    free_text: &'static str,
}

/// One line's values by their columns.
struct Row<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Table<'a> {
    fn row(&self, row: &'a str) -> Option<Row<'a>> {
        let mut values = split(row)?;
        // A description that itself holds a comma and a back-tick: what is too much belongs to it.
        let extra = values.len().checked_sub(self.columns.len())?;
        if extra > 0 {
            let free = self.columns.iter().position(|column| *column == self.free_text)?;
            values.drain(free + 1..=free + extra);
        }
        Some(Row(self.columns.iter().copied().zip(values).collect()))
    }
}

impl<'a> Row<'a> {
    fn optional(&self, column: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, value)| *value)
    }

    fn text(&self, column: &str) -> Option<&'a str> {
        self.optional(column).filter(|value| !value.is_empty() && *value != "0")
    }

    /// An amount in units of [`DECIMALS`]; an empty one is nothing.
    fn units(&self, column: &str) -> Option<i64> {
        match self.optional(column)? {
            "" => Some(0),
            value => units(value),
        }
    }

    /// The first of these columns that there is, in fen.
    fn fen(&self, columns: &[&str]) -> Option<i64> {
        let units =
            columns.iter().find(|column| self.optional(column).is_some()).map(|column| self.units(column))??;
        (units % FEN == 0).then_some(units / FEN)
    }
}

/// Reads `12.34`, up to [`DECIMALS`] decimals. No float touches money.
fn units(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || decimals.len() > DECIMALS || !all_digits(whole) || !all_digits(decimals)
    {
        return None;
    }
    let units: i64 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    Some(if negative { -units } else { units })
}

/// To whole fen, half away from nothing.
fn rounded(units: i64) -> i64 {
    (units.abs() + FEN / 2) / FEN * units.signum()
}

fn at(row: &Row<'_>, column: &str) -> Option<UnixMillis> {
    // The platform's own example has full-width colons.
    china_time::read_plain(&row.text(column)?.replace('：', ":"))
}

/// A line of the trade bill.
fn trade(row: &Row<'_>) -> Option<BillLine> {
    let currency: Currency = row.text("货币种类").unwrap_or("CNY").parse().ok()?;
    let state = row.text("交易状态")?;
    let (kind, fen) = match state {
        "SUCCESS" => (BillLineKind::Payment, row.fen(&["订单金额", "应结订单金额", "总金额"])?),
        // A payment that was reversed goes back as a refund does.
        "REFUND" | "REVOKED" => (BillLineKind::Refund, row.fen(&["申请退款金额", "退款金额"])?),
        _ => (BillLineKind::Other, row.fen(&["订单金额", "应结订单金额", "总金额"])?),
    };
    let money = |minor| Money::new(minor, currency);
    Some(BillLine {
        kind,
        out_trade_no: row.text("商户订单号")?.to_owned(),
        provider_trade_no: row.text("微信订单号")?.to_owned(),
        out_refund_no: row.text("商户退款单号").filter(|_| kind == BillLineKind::Refund).map(str::to_owned),
        amount: money(fen.checked_abs()?),
        fee: match row.optional(FEE) {
            Some(_) => Some(money(rounded(row.units(FEE)?))),
            None => None,
        },
        at: Some(at(row, "交易时间")?),
    })
}

/// A line of the fund-flow bill.
fn movement(row: &Row<'_>) -> Option<BillLine> {
    let number = row.text("微信支付业务单号").unwrap_or("");
    let kind = match row.text("业务类型")? {
        "交易" => BillLineKind::Payment,
        "退款" => BillLineKind::Refund,
        _ => BillLineKind::Other,
    };
    // A refund's voucher names the payment that it belongs to.
    let of_refund = row.text("业务凭证号").and_then(|voucher| voucher.strip_prefix("REF"));
    Some(BillLine {
        kind,
        out_trade_no: String::new(),
        provider_trade_no: of_refund.filter(|_| kind == BillLineKind::Refund).unwrap_or(number).to_owned(),
        out_refund_no: None,
        amount: Money::new(row.fen(&["收支金额"])?.checked_abs()?, Currency::CNY),
        fee: None,
        at: Some(at(row, "记账时间")?),
    })
}

/// The figures at the end.
struct Totals<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Totals<'a> {
    fn read(names: &'a str, figures: &'a str) -> Option<Self> {
        let names: Vec<&str> = names.split(',').map(plain_name).collect();
        let figures = split(figures)?;
        (names.len() == figures.len()).then(|| Self(names.into_iter().zip(figures).collect()))
    }

    fn units(&self, name: &str) -> Option<Option<i64>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, figure)| units(figure))
    }

    /// Whether a total is there and says something else.
    fn differs(&self, name: &str, from: Option<i64>, by_more_than: u64) -> bool {
        match (self.units(name), from) {
            (None, _) => false,
            (Some(Some(total)), Some(sum)) => total.abs_diff(sum) > by_more_than,
            _ => true,
        }
    }

    fn agree_with_trades(&self, layout: &Layout, rows: &[&Row<'_>], lines: &[BillLine]) -> Result<(), &'static str> {
        let payments = lines.iter().filter(|line| line.kind == BillLineKind::Payment).count();
        // Whether refunds count as trades is not said.
        if [lines.len(), payments].into_iter().all(|count| self.differs(layout.totals, count_units(count), 0)) {
            return Err(layout.totals);
        }
        for &(total, column) in layout.sums {
            if rows.iter().any(|row| row.optional(column).is_none()) {
                continue;
            }
            let sum = sum(rows.iter().map(|row| row.units(column)));
            // The fees' total may be rounded where the lines are not.
            let tolerance = if column == FEE { FEN.unsigned_abs() } else { 0 };
            if self.differs(total, sum, tolerance) {
                return Err(total);
            }
        }
        Ok(())
    }

    fn agree_with_movements(&self, rows: &[&Row<'_>]) -> Result<(), &'static str> {
        let of = |direction: &'static str| rows.iter().filter(move |row| row.optional("收支类型") == Some(direction));
        let amount = |direction| sum(of(direction).map(|row| row.units("收支金额").and_then(i64::checked_abs)));
        for (total, figure) in [
            ("资金流水总笔数", count_units(rows.len())),
            ("收入笔数", count_units(of("收入").count())),
            ("收入金额", amount("收入")),
            ("支出笔数", count_units(of("支出").count())),
            ("支出金额", amount("支出")),
        ] {
            if self.differs(total, figure, 0) {
                return Err(total);
            }
        }
        Ok(())
    }
}

/// A count in the units that totals are read in: the platform writes it as `20.0`.
fn count_units(count: usize) -> Option<i64> {
    i64::try_from(count).ok()?.checked_mul(FEN * 100)
}

fn sum(mut parts: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    parts.try_fold(0_i64, |sum, part| sum.checked_add(part?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_without_a_float() {
        assert_eq!(units("12.34"), Some(1_234_000));
        assert_eq!(units("-0.00600"), Some(-600));
        assert_eq!(units("2"), Some(200_000));
        assert_eq!(units("20.0"), count_units(20));
        for text in ["", "-", ".5", "1.234567", "1e3", "+1", "1,000", "１", "9999999999999"] {
            assert_eq!(units(text), None, "{text}");
        }
        assert_eq!([600, 400, -600, -400, 500].map(rounded), [1, 0, -1, 0, 1]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), text: String) {
            for kind in [BillKind::Trades, BillKind::FundFlow] {
                let _ = read(kind, bytes.clone(), String::new());
                let _ = read(kind, text.clone().into_bytes(), String::new());
                let _ = read(kind, format!("交易时间,商品名称\n`{text}\n总交易单数\n`1").into_bytes(), String::new());
            }
            let _ = unpacked(bytes);
        }
    }
}
