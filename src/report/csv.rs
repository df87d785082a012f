//! Takings as RFC 4180: one table, a row for the day, and one for each channel, hour and till.

use crate::ledger::{Sums, Takings};
use crate::money::Money;

const HEAD: &str = "business_day,currency,training,group,key,count,gross,refund_count,refunds,net\r\n";

pub(super) fn render(takings: &Takings) -> String {
    let mut text = HEAD.to_owned();
    let mut row = |group: &str, key: &str, sums: &Sums| {
        let money = |minor| Money::new(minor, takings.currency).to_decimal();
        let cells = [
            takings.business_day.to_string(),
            takings.currency.code().to_owned(),
            takings.training.to_string(),
            group.to_owned(),
            field(key),
            sums.count.to_string(),
            money(sums.gross),
            sums.refund_count.to_string(),
            money(sums.refunds),
            money(sums.net),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    };
    row("day", "", &takings.total);
    for (channel, sums) in &takings.by_channel {
        row("channel", channel, sums);
    }
    for (hour, sums) in &takings.by_hour {
        row("hour", &format!("{hour:02}"), sums);
    }
    for (till, sums) in &takings.by_till {
        row("till", till, sums);
    }
    text
}

/// A text as a field: quoted where it has to be, and never something that a spreadsheet takes for a formula (a leading
/// apostrophe makes it text).
fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}
