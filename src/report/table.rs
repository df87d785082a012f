//! Takings as aligned text. Chinese characters take two columns.

use unicode_width::UnicodeWidthStr;

use super::{Details, SaleRow, TakingsReport, hour, percent};
use crate::ledger::Sums;

/// Wider notes are cut.
const NOTE_COLUMNS: usize = 24;
const GAP: &str = "  ";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

pub(super) fn render(report: &TakingsReport, details: &Details) -> String {
    let labels = &details.labels;
    let takings = &report.takings;
    let mut text = format!(
        "{} · {} {} · {}\n",
        plain(&report.store_name),
        labels.takings,
        takings.business_day,
        takings.currency.code()
    );
    if takings.training {
        text.push_str(labels.training);
        text.push('\n');
    }
    if takings.total == Sums::default() && details.payments.is_empty() {
        return text + "\n" + labels.nothing + "\n";
    }

    let sums = |name: String, sums: &Sums| {
        let money = |minor| report.money(minor).to_grouped();
        let share = percent(report.permille(sums.gross));
        vec![name, sums.count.to_string(), money(sums.gross), money(sums.refunds), money(sums.net), share]
    };
    let head = |first: &str| {
        [first, labels.count, labels.gross, labels.refunds, labels.net, labels.share].map(str::to_owned).to_vec()
    };
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right];
    let mut sections = vec![
        (labels.channel, takings.by_channel.iter().map(|(id, of)| sums(labels.channel(id), of)).collect::<Vec<_>>()),
        (labels.hour, takings.by_hour.iter().map(|(at, of)| sums(hour(*at), of)).collect()),
    ];
    if takings.by_till.len() > 1 {
        sections.push((labels.till, takings.by_till.iter().map(|(id, of)| sums(id.clone(), of)).collect()));
    }
    for (index, (first, mut rows)) in sections.into_iter().enumerate() {
        let rule_above_last = index == 0;
        if rule_above_last {
            rows.push(sums(labels.total.to_owned(), &takings.total));
        }
        rows.insert(0, head(first));
        text.push('\n');
        text.push_str(&align(&rows, &aligns, rule_above_last));
    }
    if !details.payments.is_empty() {
        let mut rows =
            vec![[labels.time, labels.channel, labels.state, labels.note, labels.amount].map(str::to_owned).to_vec()];
        rows.extend(details.payments.iter().map(|payment| {
            let row = SaleRow::of(payment, details);
            let note = cut(&plain(&row.description), NOTE_COLUMNS);
            vec![row.time, row.channel, row.state.to_owned(), note, row.amount.to_grouped()]
        }));
        text.push('\n');
        text.push_str(&align(&rows, &[Align::Left, Align::Left, Align::Left, Align::Left, Align::Right], false));
    }
    text
}

/// Rows in columns, a rule below the first and, on request, above the last.
fn align(rows: &[Vec<String>], aligns: &[Align], rule_above_last: bool) -> String {
    let widths: Vec<usize> = (0..aligns.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        if rule_above_last && index + 1 == rows.len() && index > 1 {
            text.push_str(&rule);
            text.push('\n');
        }
        let cells: Vec<String> = row
            .iter()
            .zip(aligns)
            .zip(&widths)
            .map(|((cell, align), width)| {
                let pad = " ".repeat(width.saturating_sub(cell.width()));
                if *align == Align::Left { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
            })
            .collect();
        text.push_str(cells.join(GAP).trim_end());
        text.push('\n');
        if index == 0 {
            text.push_str(&rule);
            text.push('\n');
        }
    }
    text
}

/// Without control characters, which could move a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + c.to_string().width() >= columns {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}
