//! The settlement file: fixed columns with a space between, in a zip of two files. Pure.

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::civil::Date;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::answer::{card, kind, listed, settlement_day, trace};
use crate::sandbox::book::{Entry, Millis, Movement, Refund, Trade};
use crate::sandbox::wire::china;

/// The fee in ten-thousandths of the amount: 0.38 %.
const FEE: i64 = 38;
const LINE_END: &str = "\r\n";
/// Bytes that a code takes at the front of a compressed file's name: the sender.
const SENDER: &str = "00049992";

/// What 76/01 gives: the zip's name, and its content as the answer carries it.
pub(super) fn content(mer_id: &str, day: Date, entries: &[Entry]) -> Option<(String, String)> {
    let text: String = entries.iter().filter_map(|entry| line(mer_id, entry, entries)).collect();
    let short = day.strftime("%y%m%d");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    // Transactions, and disputes, of which there are none.
    for (kind, text) in [("ZM", text.as_str()), ("ZME", "")] {
        zip.start_file(format!("INN{short}88{kind}_{mer_id}"), options).ok()?;
        zip.write_all(text.as_bytes()).ok()?;
    }
    let zip = zip.finish().ok()?.into_inner();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&zip).ok()?;
    let packed = packed.finish().ok()?;
    Some((format!("{mer_id}_{}.zip", day.strftime("%Y%m%d")), BASE64.encode(packed)))
}

/// What a reversal has taken back within the same settlement is in no file, nor is the reversal.
fn is_reversed(trade: &Trade, entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.movement == Movement::Reversed && entry.trade.id == trade.id)
}

/// One line; its columns are those of the platform's file interface (part 3, 6.1).
fn line(mer_id: &str, entry: &Entry, entries: &[Entry]) -> Option<String> {
    let trade = &entry.trade;
    let refund = listed(&entry.movement)?;
    if is_reversed(trade, entries) {
        return None;
    }
    let row = Row::of(trade, refund);
    let fee = (row.amount * FEE + 5_000) / 10_000;
    // From the merchant's side: what a payment brings is credit, what is kept for it or goes back is debit.
    let (comes, goes) = if refund.is_none() { ('C', 'D') } else { ('D', 'C') };
    let detail = |name: &str| row.details.get(name).map_or("", String::as_str);
    let original = |text: String| if refund.is_some() { text } else { String::new() };
    let columns = [
        text(row.code, 3),
        text(SENDER, 11),
        text(SENDER, 11),
        number(trace(row.query_id), 6),
        text(&china(row.at, "%m%d%H%M%S"), 10),
        text(card(trade), 19),
        number(&row.amount.to_string(), 12),
        text("5411", 4),
        text("08", 2),
        text(row.query_id, 21),
        text("", 2),
        text(row.order_id, 32),
        text("01", 2),
        number(&original(trace(&trade.provider_trade_no).to_owned()), 6),
        number(&original(china(trade.paid_at.unwrap_or_default(), "%m%d%H%M%S")), 10),
        signed(goes, fee),
        signed(comes, row.amount),
        text("0201", 4),
        text("", 15),
        text(row.txn_type, 2),
        text(detail("txnSubType"), 2),
        text("000000", 6),
        text("01", 2),
        text("", 4),
        text("", 32),
        text("0", 1),
        text(&original(trade.provider_trade_no.clone()), 21),
        text(mer_id, 15),
        text("0", 1),
        text("", 15),
        text("", 32),
        signed('C', 0),
        signed(comes, row.amount - fee),
        text(detail("termId"), 8),
        text(row.attach.unwrap_or_default(), 32),
        signed('C', 0),
        signed('C', row.amount),
        number("", 12),
        number("", 2),
        text("1", 1),
        text(&original(trade.out_trade_no.clone()), 32),
        text("", 98),
    ];
    Some(columns.join(" ") + LINE_END)
}

struct Row<'a> {
    code: &'a str,
    txn_type: &'a str,
    query_id: &'a str,
    order_id: &'a str,
    amount: i64,
    at: Millis,
    attach: Option<&'a str>,
    details: &'a crate::sandbox::book::Details,
}

impl<'a> Row<'a> {
    fn of(trade: &'a Trade, refund: Option<&'a Refund>) -> Self {
        match refund {
            None => Self {
                code: "S22",
                txn_type: "01",
                query_id: &trade.provider_trade_no,
                order_id: &trade.out_trade_no,
                amount: trade.amount,
                at: trade.paid_at.unwrap_or_default(),
                attach: trade.attach.as_deref(),
                details: &trade.details,
            },
            Some(refund) => Self {
                code: if kind(refund) == "31" { "S35" } else { "S30" },
                txn_type: kind(refund),
                query_id: &refund.refund_id,
                order_id: &refund.out_refund_no,
                amount: refund.amount,
                at: refund.at,
                attach: refund.details.get("reqReserved").map(String::as_str),
                details: &refund.details,
            },
        }
    }
}

/// Left in its column; what is no ASCII would take more bytes than it has places.
fn text(value: &str, width: usize) -> String {
    let plain: String =
        value.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(width).collect();
    format!("{plain:<width$}")
}

/// Right in its column, with zeros before.
fn number(value: &str, width: usize) -> String {
    format!("{value:0>width$}")
}

/// `C` or `D`, and twelve digits of fen.
fn signed(sign: char, fen: i64) -> String {
    format!("{sign}{fen:012}")
}

/// The day that a request means by month and day: the last one that has come, or today.
pub(super) fn day_of(month_day: &str, now: Millis) -> Option<Date> {
    let today: Date = settlement_day(now, "%Y-%m-%d").parse().ok()?;
    let (month, day) = month_day.split_at_checked(2).filter(|_| month_day.len() == 4)?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    // The 29th of February comes in four years at most (eight around a century).
    (0..9).filter_map(|back| Date::new(today.year() - back, month, day).ok()).find(|date| *date <= today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_and_a_day_mean_the_last_such_day() {
        // 2026-11-25 12:00 in China.
        let now = 1_795_579_200_000;
        let day = |text: &str| day_of(text, now).map(|day| day.to_string());
        assert_eq!(day("1125").as_deref(), Some("2026-11-25"));
        assert_eq!(day("1126").as_deref(), Some("2025-11-26"));
        assert_eq!(day("0101").as_deref(), Some("2026-01-01"));
        assert_eq!(day("0229").as_deref(), Some("2024-02-29"));
        // From 23:00 on it is the next day's settlement.
        assert_eq!(day_of("1126", now + 11 * 3_600_000).unwrap().to_string(), "2026-11-26");
        for wrong in ["", "1", "1332", "11250", "ab01", "面面"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn columns_keep_their_width() {
        assert_eq!(text("ab", 4), "ab  ");
        assert_eq!(text("面条abc", 4), "??ab");
        assert_eq!(number("7", 3), "007");
        assert_eq!(signed('C', 1_234), "C000000001234");
    }
}
