//! The settlement file (全渠道平台接入接口规范 第3部分 文件接口): base64 of zlib of a zip with text files of fixed columns.
//! `...ZM_...` lists the day's transactions, `...ZME_...` corrections. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::channel::unpack::{inflate, is_zip, unzip};
use crate::channel::{Bill, BillError, BillLine, BillLineKind, china_time};
use crate::money::{Currency, Money};
use crate::payment::UnixMillis;

/// The widths of a ZM line's columns in bytes (section 6.1), one space between; the last is reserved and grows into
/// further columns from time to time.
const ZM: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];
/// The same of a ZME line (section 6.2).
const ZME: [usize; 22] = [3, 11, 11, 6, 10, 19, 12, 4, 2, 2, 6, 10, 4, 12, 13, 13, 15, 15, 1, 12, 2, 135];

/// Columns, counted from 1 as the specification does.
const TRACE_NO: usize = 4;
const SENT_AT: usize = 5;
const AMOUNT: usize = 7;
const QUERY_ID: usize = 10;
const ORDER_ID: usize = 12;
const FEE: usize = 16;
const TXN_TYPE: usize = 20;
const MER_ID: usize = 28;
const ORIG_ORDER_ID: usize = 41;

fn damaged(why: impl Into<String>) -> BillError {
    BillError::Damaged(why.into())
}

/// Unpacks an answer's `fileContent` to the zip.
pub(super) fn unpack(content: &str) -> Result<Vec<u8>, BillError> {
    let content: String = content.chars().filter(|c| !c.is_whitespace()).collect();
    let packed = BASE64.decode(content).map_err(|_| damaged("fileContent is not base64"))?;
    inflate(&packed).map_err(|error| damaged(error.to_string()))
}

/// Reads a zip, or one ZM file out of it. `day` gives the lines their year; the files' own names do where it is absent.
pub(super) fn read(mer_id: &str, file_name: &str, raw: Vec<u8>, day: Option<Date>) -> Result<Bill, BillError> {
    let mut lines = Vec::new();
    if is_zip(&raw) {
        let files = unzip(&raw).map_err(|error| damaged(error.to_string()))?;
        let mut found = false;
        for file in &files {
            let day = day.or_else(|| day_of_name(&file.name));
            if file.name.contains("ZM_") {
                found = true;
                read_lines(&file.bytes, |line| transaction(line, mer_id, day), &mut lines)?;
            } else if file.name.contains("ZME_") {
                read_lines(&file.bytes, |line| correction(line, day), &mut lines)?;
            }
        }
        if !found {
            return Err(damaged("there is no transaction file (ZM) in it"));
        }
    } else {
        read_lines(&raw, |line| transaction(line, mer_id, day.or_else(|| day_of_name(file_name))), &mut lines)?;
    }
    Ok(Bill { raw, file_name: file_name.to_owned(), lines })
}

fn read_lines(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<BillLine, &'static str>,
    into: &mut Vec<BillLine>,
) -> Result<(), BillError> {
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        into.push(read(line).map_err(|why| damaged(format!("line {}: {why}", index + 1)))?);
    }
    Ok(())
}

/// A line's columns.
struct Columns<'a> {
    line: &'a [u8],
    widths: &'static [usize],
}

impl<'a> Columns<'a> {
    /// Checks that the columns up to `last` are there, and that a space stands between all that are.
    fn of(line: &'a [u8], widths: &'static [usize], last: usize) -> Result<Self, &'static str> {
        let mut end = 0;
        for (index, width) in widths.iter().enumerate() {
            end += width;
            match line.get(end) {
                Some(b' ') => end += 1,
                // Blanks at the end may have been cut off.
                None if index + 1 >= last && line.len() + width >= end => break,
                // The last column is reserved, and may be longer than it says.
                Some(_) if index + 1 == widths.len() => {}
                _ => return Err("it is not made of the columns that the specification names"),
            }
        }
        Ok(Self { line, widths })
    }

    /// A column without its padding; text that is not ASCII reads as empty.
    fn text(&self, column: usize) -> &'a str {
        let before: usize = self.widths.iter().take(column - 1).map(|width| width + 1).sum();
        let width = self.widths.get(column - 1).copied().unwrap_or_default();
        let rest = self.line.get(before..).unwrap_or_default();
        let bytes = rest.get(..width).unwrap_or(rest);
        std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).unwrap_or_default().trim()
    }

    fn fen(&self, column: usize) -> Option<i64> {
        Some(self.text(column)).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
    }

    /// `X` and digits: `C` to the merchant's credit, `D` to its debit.
    fn signed_fen(&self, column: usize) -> Option<i64> {
        let (sign, digits) = self.text(column).split_at_checked(1)?;
        let fen: i64 = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        match sign {
            "C" => Some(fen),
            "D" => Some(-fen),
            _ => None,
        }
    }

    fn at(&self, day: Option<Date>) -> Option<UnixMillis> {
        let text = self.text(SENT_AT);
        let part = |from: usize| text.get(from..from + 2)?.parse::<i8>().ok();
        let (month, date, day) = (part(0)?, part(2)?, day?);
        // The settlement day begins the evening before, so a line is never dated after it by more than a day.
        let this_year = Date::new(day.year(), month, date).ok();
        let sent = match this_year {
            Some(sent) if sent <= day.saturating_add(1.day()) => sent,
            _ => Date::new(day.year() - 1, month, date).ok()?,
        };
        china_time::at(sent, text.get(4..)?)
    }
}

fn transaction(line: &[u8], mer_id: &str, day: Option<Date>) -> Result<BillLine, &'static str> {
    let columns = Columns::of(line, &ZM, MER_ID)?;
    if columns.text(MER_ID) != mer_id {
        return Err("it is another merchant's");
    }
    let number = columns.text(ORDER_ID).to_owned();
    let original = columns.text(ORIG_ORDER_ID).to_owned();
    let (kind, out_trade_no, out_refund_no) = match columns.text(TXN_TYPE) {
        "01" => (BillLineKind::Payment, number, None),
        // A refund, or a payment that was voided on its day.
        "04" | "31" => (BillLineKind::Refund, original, Some(number)),
        _ => (BillLineKind::Other, number, None),
    };
    let fee = match columns.text(FEE) {
        "" => None,
        // What is to the merchant's debit is what the provider keeps.
        _ => Some(-columns.signed_fen(FEE).ok_or("its fee is no amount")?),
    };
    Ok(BillLine {
        kind,
        out_trade_no,
        provider_trade_no: columns.text(QUERY_ID).to_owned(),
        out_refund_no,
        amount: yuan(columns.fen(AMOUNT).ok_or("its amount is no amount")?),
        fee: fee.map(yuan),
        at: columns.at(day),
    })
}

/// A correction (a chargeback, a representment): it names no order.
fn correction(line: &[u8], day: Option<Date>) -> Result<BillLine, &'static str> {
    let columns = Columns::of(line, &ZME, AMOUNT)?;
    Ok(BillLine {
        kind: BillLineKind::Other,
        out_trade_no: String::new(),
        provider_trade_no: columns.text(TRACE_NO).to_owned(),
        out_refund_no: None,
        amount: yuan(columns.fen(AMOUNT).ok_or("its amount is no amount")?),
        fee: None,
        at: columns.at(day),
    })
}

const fn yuan(fen: i64) -> Money {
    Money::new(fen, Currency::CNY)
}

/// `INN15101388ZM_802310048993424`: the day stands after `INN`.
fn day_of_name(name: &str) -> Option<Date> {
    let digits = name.split_once("INN")?.1;
    let part = |from: usize| {
        digits.get(from..from + 2).filter(|two| two.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i8>().ok()
    };
    Date::new(2_000 + i16::from(part(0)?), part(2)?, part(4)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MER: &str = "777290058110048";

    fn line(widths: &[usize], values: &[(usize, &str)]) -> String {
        let columns: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(index, width)| {
                let value = values.iter().find(|(column, _)| column - 1 == index).map_or("", |(_, value)| *value);
                format!("{value:<width$}")
            })
            .collect();
        columns.join(" ")
    }

    fn payment() -> String {
        let values = [
            (1, "S22"),
            (4, "331580"),
            (5, "1124235959"),
            (7, "000000001234"),
            (10, "052611242359590000001"),
            (12, "20261124ABCDEF01"),
            (16, "D000000000007"),
            (17, "C000000001227"),
            (20, "01"),
            (28, MER),
        ];
        line(&ZM, &values)
    }

    #[test]
    fn a_line_says_what_when_and_how_much() {
        let day = jiff::civil::date(2026, 11, 25);
        let refund = payment().replace(" 01 ", " 04 ");
        let text = format!("{}\r\n\r\n{}\n", payment(), refund.trim_end());
        let bill = read(MER, "INN26112588ZM_1", text.into_bytes(), Some(day)).unwrap();
        let paid = &bill.lines[0];
        assert_eq!((paid.kind, paid.amount.minor), (BillLineKind::Payment, 1_234));
        assert_eq!(paid.fee.unwrap().minor, 7);
        assert_eq!(paid.out_trade_no, "20261124ABCDEF01");
        assert_eq!(paid.at, china_time::read_plain("2026-11-24 23:59:59"));
        assert_eq!(bill.lines[1].kind, BillLineKind::Refund);
        assert_eq!(bill.lines[1].out_refund_no.as_deref(), Some("20261124ABCDEF01"));
        let at = |name: &str| read(MER, name, payment().into_bytes(), None).unwrap().lines[0].at;
        assert_eq!(at("INN26112588ZM_1"), paid.at);
        assert_eq!(at("INN27010188ZM_1"), paid.at, "the year before");
        assert_eq!(at("by hand"), None);
        let correction = line(&ZME, &[(4, "000007"), (5, "1124000000"), (7, "000000000100")]);
        assert_eq!(correction_of(&correction), 100);
    }

    fn correction_of(line: &str) -> i64 {
        correction(line.as_bytes(), None).unwrap().amount.minor
    }

    #[test]
    fn a_shifted_or_foreign_line_is_no_line() {
        let why = |text: &str| match read(MER, "x", text.as_bytes().to_vec(), None) {
            Err(BillError::Damaged(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(&payment()[1..]).starts_with("line 1:"));
        assert!(why(&payment()[..300]).starts_with("line 1:"));
        assert!(why(&payment().replace(MER, "777290058110049")).contains("another merchant"));
        assert!(why(&payment().replace("000000001234", "00000000x234")).contains("amount"));
        assert!(why(&payment().replace("D000000000007", "X000000000007")).contains("fee"));
        assert!(why("<html>").contains("columns"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700), content in "\\PC{0,80}") {
            let _ = read(MER, "INN26112588ZM_1", bytes.clone(), None);
            let _ = read(MER, "x", [b"PK\x03\x04".as_slice(), &bytes].concat(), None);
            let _ = correction(&bytes, None);
            let _ = unpack(&content);
            let _ = unpack(&BASE64.encode(&bytes));
            let _ = day_of_name(&content);
        }

        #[test]
        fn no_changed_byte_makes_it_panic(at in 0_usize..600, to: u8) {
            let mut text = payment().into_bytes();
            let at = at % text.len();
            text[at] = to;
            let _ = read(MER, "x", text, Some(jiff::civil::date(2026, 1, 1)));
        }
    }
}
