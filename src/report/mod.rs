//! Takings as a table, JSON, CSV, spreadsheet or page. Pure.
//!
//! Of the ledger it knows only the types. All amounts are integers in minor units; the one place where an amount
//! becomes a float is a spreadsheet's cell, because the format has no other numbers (see `xlsx`).

mod canvas;
mod csv;
pub mod font;
mod labels;
mod pdf;
mod table;
mod xlsx;

pub use labels::Labels;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ledger::{Sums, Takings};
use crate::money::Money;
use crate::payment::{Payment, PaymentState};

/// What a report can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Aligned text for a terminal.
    Table,
    /// One JSON object, amounts in minor units.
    Json,
    /// RFC 4180, amounts in major units.
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// An A4 page.
    Pdf,
}

/// The takings of a day and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakingsReport {
    /// The day's sums.
    pub takings: Takings,
    /// What the shop's sign says.
    pub store_name: String,
}

/// What a report says beyond the sums. The default is English, with no list of sales.
#[derive(Debug, Clone)]
pub struct Details {
    /// The words.
    pub labels: Labels,
    /// The sales to list, in the order given; not in JSON and CSV, which hold the sums alone.
    pub payments: Vec<Payment>,
    /// Where times of day are told.
    pub time_zone: TimeZone,
}

impl Default for Details {
    fn default() -> Self {
        Self { labels: Labels::ENGLISH, payments: Vec::new(), time_zone: TimeZone::UTC }
    }
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The JSON could not be written.
    #[error("the report could not be written as JSON: {0}")]
    Json(String),
    /// The workbook could not be written.
    #[error("the report could not be written as a spreadsheet: {0}")]
    Xlsx(String),
    /// The page could not be written.
    #[error("the report could not be written as a PDF: {0}")]
    Pdf(String),
}

/// The report as a file of that format, in English and without a list of sales.
///
/// # Errors
/// [`ReportError`] where the format's writer fails.
pub fn render(report: &TakingsReport, format: Format) -> Result<Vec<u8>, ReportError> {
    render_with(report, &Details::default(), format)
}

/// The report as a file of that format. The same input gives the same bytes.
///
/// # Errors
/// [`ReportError`] where the format's writer fails.
pub fn render_with(report: &TakingsReport, details: &Details, format: Format) -> Result<Vec<u8>, ReportError> {
    match format {
        Format::Table => Ok(table::render(report, details).into_bytes()),
        Format::Json => json(&report.takings),
        Format::Csv => Ok(csv::render(&report.takings).into_bytes()),
        Format::Xlsx => xlsx::render(report, details),
        Format::Pdf => pdf::render(report, details),
    }
}

fn json(takings: &Takings) -> Result<Vec<u8>, ReportError> {
    let mut text = serde_json::to_vec_pretty(takings).map_err(|error| ReportError::Json(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

impl TakingsReport {
    /// An amount of this report.
    const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.takings.currency)
    }

    /// What one sale brought on average, rounded to the nearest minor unit; nothing where nothing was sold.
    fn average(&self) -> Money {
        let Sums { gross, count, .. } = self.takings.total;
        self.money(if count > 0 { gross.saturating_add(count / 2) / count } else { 0 })
    }

    /// How many thousandths of the day's gross that is.
    fn permille(&self, gross: i64) -> i64 {
        let whole = self.takings.total.gross;
        if whole > 0 { (gross.saturating_mul(1000).saturating_add(whole / 2) / whole).clamp(0, 1000) } else { 0 }
    }
}

/// A sale as a row of a list.
struct SaleRow {
    /// Time of day, `14:31`.
    time: String,
    channel: String,
    state: &'static str,
    out_trade_no: String,
    description: String,
    amount: Money,
    /// Whether the shop has the money, or had it: refunds are told apart by the state.
    paid: bool,
}

impl SaleRow {
    fn of(payment: &Payment, details: &Details) -> Self {
        let attempt = payment.leading_attempt();
        let moment = Timestamp::from_millisecond(payment.created_at).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            time: moment.to_zoned(details.time_zone.clone()).strftime("%H:%M").to_string(),
            channel: payment.channel().map_or_else(String::new, |channel| details.labels.channel(channel.as_str())),
            state: details.labels.state(payment.state),
            out_trade_no: attempt.map_or_else(String::new, |attempt| attempt.out_trade_no.to_string()),
            description: payment.description.clone(),
            amount: payment.amount,
            paid: payment.state.is_paid() || payment.state == PaymentState::Refunded,
        }
    }
}

/// `9` -> `09:00`.
fn hour(hour: u8) -> String {
    format!("{hour:02}:00")
}

/// `432` -> `43.2 %`.
fn percent(permille: i64) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}
