//! Takings as an Excel workbook: the day's sums, and a sheet with the sales where there is a list.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Details, ReportError, SaleRow, TakingsReport, hour};
use crate::ledger::Sums;
use crate::money::Money;

const INK: Color = Color::RGB(0x13_1A_26);
const MUTED: Color = Color::RGB(0x58_63_75);
const LINE: Color = Color::RGB(0xDD_E2_EA);
/// A4, in the file format's own list of paper sizes.
const A4: u8 = 9;

struct Styles {
    title: Format,
    small: Format,
    head: Format,
    head_right: Format,
    amount: Format,
    amount_total: Format,
    count: Format,
    count_total: Format,
    text: Format,
    text_total: Format,
}

impl Styles {
    fn new(exponent: u32) -> Self {
        let number = if exponent == 0 { "#,##0" } else { "#,##0.00" };
        let head = Format::new().set_bold().set_font_color(MUTED).set_border_bottom(FormatBorder::Thin);
        let head = head.set_border_bottom_color(LINE);
        let amount = Format::new().set_num_format(number);
        let count = Format::new().set_num_format("#,##0");
        let total = |format: &Format| format.clone().set_bold().set_border_top(FormatBorder::Thin);
        Self {
            title: Format::new().set_bold().set_font_size(16).set_font_color(INK),
            small: Format::new().set_font_color(MUTED),
            head_right: head.clone().set_align(FormatAlign::Right),
            head,
            amount_total: total(&amount),
            amount,
            count_total: total(&count),
            count,
            text: Format::new(),
            text_total: total(&Format::new()),
        }
    }
}

pub(super) fn render(report: &TakingsReport, details: &Details) -> Result<Vec<u8>, ReportError> {
    workbook(report, details).map_err(|error| ReportError::Xlsx(error.to_string()))
}

fn workbook(report: &TakingsReport, details: &Details) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let day = report.takings.business_day;
    // The day stands for the moment of writing, so that the same takings give the same file.
    let written =
        ExcelDateTime::from_ymd(day.year().unsigned_abs(), day.month().unsigned_abs(), day.day().unsigned_abs())?;
    let title = format!("{} {}", details.labels.takings, day);
    book.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&written));
    let styles = Styles::new(report.takings.currency.exponent());
    sums_sheet(book.add_worksheet(), report, details, &styles)?;
    if !details.payments.is_empty() {
        sales_sheet(book.add_worksheet(), details, &styles)?;
    }
    book.save_to_buffer()
}

fn sums_sheet(
    sheet: &mut Worksheet,
    report: &TakingsReport,
    details: &Details,
    styles: &Styles,
) -> Result<(), XlsxError> {
    let labels = &details.labels;
    let takings = &report.takings;
    sheet.set_name(labels.takings)?.set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_column_width(0, 22)?;
    for column in 1..=4 {
        sheet.set_column_width(column, 14)?;
    }
    sheet.write_string_with_format(0, 0, &report.store_name, &styles.title)?;
    let under = format!("{} {} · {}", labels.takings, takings.business_day, takings.currency.code());
    sheet.write_string_with_format(1, 0, under, &styles.small)?;
    if takings.training {
        sheet.write_string_with_format(2, 0, labels.training, &styles.small)?;
    }
    let mut row = 4;
    let by_channel: Vec<_> = takings.by_channel.iter().map(|(id, sums)| (labels.channel(id), sums)).collect();
    let by_hour: Vec<_> = takings.by_hour.iter().map(|(at, sums)| (hour(*at), sums)).collect();
    let by_till: Vec<_> = takings.by_till.iter().map(|(id, sums)| (id.clone(), sums)).collect();
    for (first, rows) in [(labels.channel, by_channel), (labels.hour, by_hour), (labels.till, by_till)] {
        sheet.write_string_with_format(row, 0, first, &styles.head)?;
        for (column, text) in (1..).zip([labels.count, labels.gross, labels.refunds, labels.net]) {
            sheet.write_string_with_format(row, column, text, &styles.head_right)?;
        }
        for (name, sums) in rows {
            row += 1;
            write_sums(sheet, row, &name, sums, report, [&styles.text, &styles.count, &styles.amount])?;
        }
        row += 1;
        let total = [&styles.text_total, &styles.count_total, &styles.amount_total];
        write_sums(sheet, row, labels.total, &takings.total, report, total)?;
        row += 2;
    }
    Ok(())
}

fn write_sums(
    sheet: &mut Worksheet,
    row: u32,
    name: &str,
    sums: &Sums,
    report: &TakingsReport,
    [text, count, amount]: [&Format; 3],
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(row, 0, name, text)?;
    // Counts of one day are far below what a double holds exactly.
    sheet.write_number_with_format(row, 1, sums.count as f64, count)?;
    for (column, minor) in (2..).zip([sums.gross, sums.refunds, sums.net]) {
        sheet.write_number_with_format(row, column, cell(report.money(minor)), amount)?;
    }
    Ok(())
}

fn sales_sheet(sheet: &mut Worksheet, details: &Details, styles: &Styles) -> Result<(), XlsxError> {
    let labels = &details.labels;
    sheet.set_name(labels.sales)?.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0);
    let heads = [labels.time, labels.channel, labels.state, labels.note, labels.out_trade_no];
    for (column, (text, width)) in (0..).zip(heads.into_iter().zip([8.0, 14.0, 16.0, 30.0, 36.0])) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, text, &styles.head)?;
    }
    sheet.set_column_width(5, 14)?;
    sheet.write_string_with_format(0, 5, labels.amount, &styles.head_right)?;
    sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
    for (row, payment) in (1..).zip(&details.payments) {
        let sale = SaleRow::of(payment, details);
        let texts = [&*sale.time, &*sale.channel, sale.state, &*sale.description, &*sale.out_trade_no];
        for (column, text) in (0..).zip(texts) {
            sheet.write_string(row, column, text)?;
        }
        sheet.write_number_with_format(row, 5, cell(sale.amount), &styles.amount)?;
    }
    Ok(())
}

/// The amount as a cell's number. A cell holds a double and nothing else: it gets the double nearest to the exact
/// decimal, which shows the same digits up to 15 of them. No sum is ever made of these.
fn cell(amount: Money) -> f64 {
    amount.to_decimal().parse().unwrap_or(f64::NAN)
}
