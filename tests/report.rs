//! A day's takings say the same in every format, to the fen.
//!
//! With `REPORT_OUT` set to a folder, the pages and the workbook are left there to be looked at.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use jiff::tz::TimeZone;
use scantill::ledger::{Sums, Takings};
use scantill::money::{Currency, Money};
use scantill::payment::{ChannelId, ConfirmedBy, Payment, PaymentEvent, PaymentId, Way};
use scantill::report::{Details, Format, Labels, TakingsReport, render, render_with};

const fn sums(gross: i64, refunds: i64, count: i64, refund_count: i64) -> Sums {
    Sums { gross, refunds, net: gross - refunds, count, refund_count }
}

fn takings() -> Takings {
    Takings {
        business_day: "2026-11-24".parse().unwrap(),
        currency: Currency::CNY,
        training: false,
        total: sums(421_850, 1_250, 137, 1),
        by_channel: BTreeMap::from([
            ("alipay".to_owned(), sums(240_010, 1_250, 80, 1)),
            ("wechatpay".to_owned(), sums(181_840, 0, 57, 0)),
        ]),
        by_hour: BTreeMap::from([
            (9, sums(60_000, 0, 20, 0)),
            (12, sums(250_000, 0, 80, 0)),
            (13, sums(90_850, 1_250, 30, 1)),
            (18, sums(21_000, 0, 7, 0)),
        ]),
        by_till: BTreeMap::from([
            ("front".to_owned(), sums(400_000, 1_250, 130, 1)),
            ("-2+3".to_owned(), sums(21_850, 0, 7, 0)),
        ]),
    }
}

fn report() -> TakingsReport {
    TakingsReport { takings: takings(), store_name: "Riverside Tea 河畔茶馆".into() }
}

fn empty() -> TakingsReport {
    let mut report = report();
    report.takings.total = Sums::default();
    report.takings.by_channel.clear();
    report.takings.by_hour.clear();
    report.takings.by_till.clear();
    report
}

/// A sale of `minor` at 06:31 UTC, paid by `channel`.
fn sale(no: u32, minor: i64, channel: ChannelId, note: &str) -> Payment {
    let at = "2026-11-24T06:31:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond() + i64::from(no) * 60_000;
    let id: PaymentId = format!("pay_{no:032x}").parse().unwrap();
    let created = PaymentEvent::Created {
        amount: Money::new(minor, Currency::CNY),
        description: note.into(),
        store: "main".parse().unwrap(),
        till: "front".parse().unwrap(),
        operator: None,
        collect_until: at + 180_000,
        training: false,
    };
    let mut payment = Payment::create(id.clone(), at, &created).unwrap();
    let events = [
        PaymentEvent::AttemptStarted {
            no: 1,
            way: Way::ConsumerPresented,
            channel,
            account: "a".parse().unwrap(),
            out_trade_no: id.out_trade_no(1).unwrap(),
            auth_code_masked: None,
            auth_code_mac: None,
            confirmed_by: ConfirmedBy::Provider,
        },
        PaymentEvent::AttemptSucceeded { no: 1, provider_trade_no: "4200001".into(), payer: None, paid_at: at + 900 },
    ];
    for event in &events {
        payment.apply(at + 900, event).unwrap();
    }
    payment
}

fn details(labels: Labels) -> Details {
    let notes = ["午市套餐", "=HYPERLINK(\"http://x\")", "Jasmine tea\u{1b}[2J, large", ""];
    let payments = (0..60)
        .map(|no| {
            let channel = if no % 3 == 0 { ChannelId::WECHATPAY } else { ChannelId::ALIPAY };
            sale(no, i64::from(no) * 37 + 1, channel, notes[no as usize % notes.len()])
        })
        .collect();
    Details { labels, payments, time_zone: TimeZone::fixed(jiff::tz::offset(8)) }
}

fn text(report: &TakingsReport, format: Format) -> String {
    String::from_utf8(render(report, format).unwrap()).unwrap()
}

/// A file inside a workbook.
fn entry(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn json_holds_what_other_programs_count_on_in_minor_units() {
    let json: serde_json::Value = serde_json::from_str(&text(&report(), Format::Json)).unwrap();
    assert_eq!(json["business_day"], "2026-11-24");
    assert_eq!(json["currency"], "CNY");
    assert_eq!((&json["gross"], &json["refunds"], &json["net"]), (&421_850.into(), &1_250.into(), &420_600.into()));
    assert_eq!(json["count"], 137);
    assert_eq!(json["by_channel"]["alipay"]["gross"], 240_010);
}

#[test]
fn csv_is_rectangular_ends_lines_with_crlf_and_holds_no_formula() {
    let csv = text(&report(), Format::Csv);
    assert!(csv.ends_with("\r\n") && csv.matches('\n').count() == csv.matches("\r\n").count());
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == 10), "{csv}");
    assert_eq!(rows[1], ["2026-11-24", "CNY", "false", "day", "", "137", "4218.50", "1", "12.50", "4206.00"]);
    assert_eq!(rows[2][3..7], ["channel", "alipay", "80", "2400.10"]);
    assert_eq!(rows[4][3..5], ["hour", "09"]);
    assert!(rows.iter().any(|row| row[4] == "'-2+3"), "a key that begins as a formula does is text");
}

#[test]
fn the_table_stands_in_columns_with_chinese_too() {
    use unicode_width::UnicodeWidthStr;
    let table = String::from_utf8(render_with(&report(), &details(Labels::CHINESE), Format::Table).unwrap()).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.ends_with('%')).collect();
    assert_eq!(rows.len(), 2 + 1 + 4 + 2, "{table}");
    // Within a section, every amount ends in the same column.
    assert_eq!(rows[0].width(), rows[1].width());
    assert_eq!(rows[0].width(), rows[2].width());
    assert!(table.contains("支付宝") && table.contains("4,218.50") && table.contains("14:31"));
    assert!(!table.contains('\u{1b}'), "a note cannot steer the terminal");
    assert!(text(&empty(), Format::Table).contains("No takings on this day yet."));
}

#[test]
fn the_workbook_has_numbers_for_amounts_and_text_for_notes() {
    let file = render_with(&report(), &details(Labels::ENGLISH), Format::Xlsx).unwrap();
    assert_eq!(file, render_with(&report(), &details(Labels::ENGLISH), Format::Xlsx).unwrap(), "same bytes each time");
    let sums = entry(&file, "xl/worksheets/sheet1.xml");
    for amount in ["4218.5", "12.5", "4206", "2400.1"] {
        assert!(sums.contains(&format!("<v>{amount}</v>")), "{amount}");
    }
    let sales = entry(&file, "xl/worksheets/sheet2.xml");
    // The 60th sale is of 21.84. A cell without a type holds a number; nothing is a formula.
    assert!(sales.contains(r#"<c r="F61" s="6"><v>21.84</v></c>"#));
    assert!(!sales.contains("<f>") && entry(&file, "xl/sharedStrings.xml").contains("=HYPERLINK("));
    assert!(entry(&file, "xl/styles.xml").contains(r##"formatCode="#,##0.00""##));
    let nothing_sold = render(&empty(), Format::Xlsx).unwrap();
    assert!(entry(&nothing_sold, "xl/worksheets/sheet1.xml").contains("<v>0</v>"));
}

#[test]
fn the_page_is_a_pdf_of_as_many_pages_as_the_sales_take() {
    for (name, labels) in [("en", Labels::ENGLISH), ("zh", Labels::CHINESE)] {
        let file = render_with(&report(), &details(labels), Format::Pdf).unwrap();
        assert!(file.starts_with(b"%PDF-1.") && file.len() < 400_000, "fonts are cut to what is used");
        let pages = String::from_utf8_lossy(&file).matches("/Type/Page/").count();
        // Five of the 60 sales fit below the day's sums, then 32 to a page.
        assert_eq!(pages, 3);
        if let Ok(folder) = std::env::var("REPORT_OUT") {
            std::fs::write(format!("{folder}/takings-{name}.pdf"), &file).unwrap();
        }
    }
    let mut training = empty();
    training.takings.training = true;
    let small = render(&training, Format::Pdf).unwrap();
    assert!(small.len() < 60_000);
    if let Ok(folder) = std::env::var("REPORT_OUT") {
        std::fs::write(format!("{folder}/takings-empty.pdf"), &small).unwrap();
        let day = render_with(&report(), &details(Labels::ENGLISH), Format::Xlsx).unwrap();
        std::fs::write(format!("{folder}/takings.xlsx"), day).unwrap();
    }
}

#[test]
fn extremes_do_not_break_any_format() {
    let mut report = report();
    report.store_name = "河".repeat(300) + "\n\u{0}";
    report.takings.total = sums(i64::MAX, i64::MAX, i64::MAX, 1);
    report.takings.by_channel = (0..80).map(|no| (format!("channel_{no}"), sums(i64::MAX / 90, 0, 1, 0))).collect();
    report.takings.by_till = (0..80).map(|no| (format!("till-{no}"), sums(-5, 7, 1, 0))).collect();
    report.takings.by_hour = (0..24).map(|hour| (hour, sums(i64::MAX / 24, 0, 1, 0))).collect();
    report.takings.training = true;
    for format in [Format::Table, Format::Json, Format::Csv, Format::Xlsx, Format::Pdf] {
        assert!(!render(&report, format).unwrap().is_empty());
    }
}

#[cfg(feature = "till")]
#[test]
fn a_report_uses_the_words_of_the_till() {
    use scantill::payment::PaymentState;
    use scantill::till::text::{Language, Text};
    for (language, labels) in [(Language::En, Labels::ENGLISH), (Language::ZhCn, Labels::CHINESE)] {
        let text = Text::new(language);
        assert_eq!(labels.language, language.tag());
        for (key, word) in [
            ("takings-title", labels.takings),
            ("takings-training", labels.training),
            ("takings-empty", labels.nothing),
            ("takings-net", labels.net),
            ("takings-gross", labels.gross),
            ("takings-refunds", labels.refunds),
            ("takings-count", labels.count),
            ("takings-average", labels.average),
            ("takings-by-channel", labels.by_channel),
            ("takings-by-hour", labels.by_hour),
            ("takings-by-till", labels.by_till),
            ("takings-hour", labels.hour),
            ("takings-share", labels.share),
            ("common-channel", labels.channel),
            ("common-total", labels.total),
            ("common-amount", labels.amount),
            ("sale-out-trade-no", labels.out_trade_no),
        ] {
            assert_eq!(text.t(key), word, "{key}");
        }
        for id in ["alipay", "wechatpay", "unionpay", "paynow"] {
            assert_eq!(text.named("channel", id), labels.channel(id));
        }
        for state in [PaymentState::Succeeded, PaymentState::Closed, PaymentState::PartiallyRefunded] {
            assert_eq!(text.named("state", state.name()), labels.state(state));
        }
    }
}
