//! Takings as an A4 page that looks as the till's takings page does: figures of the day in a row, channels, hours;
//! then tills and sales, over as many pages as they take.

use super::canvas::{Anchor, HEIGHT, Pages, Style, WIDTH, Weight};
use super::{Details, ReportError, SaleRow, TakingsReport, percent};
use crate::ledger::Sums;

const MARGIN: f32 = 48.0;
const RIGHT: f32 = WIDTH - MARGIN;
const CONTENT: f32 = WIDTH - 2.0 * MARGIN;
/// Below this only the foot stands.
const BOTTOM: f32 = HEIGHT - 72.0;
const ROW: f32 = 22.0;

const TEXT: u32 = 0x13_1A_26;
const MUTED: u32 = 0x58_63_75;
const LINE: u32 = 0xDD_E2_EA;
const CARD: u32 = 0xF2_F4_F8;
const ACCENT: u32 = 0x22_35_7A;
const ON_ACCENT: u32 = 0xFF_FF_FF;
const ON_ACCENT_SOFT: u32 = 0xC9_D2_F0;
const AMBER: u32 = 0x85_50_00;
const AMBER_TINT: u32 = 0xFF_F1_D3;

const fn style(size: f32, weight: Weight, color: u32) -> Style {
    Style { size, weight, color }
}
const TITLE: Style = style(22.0, Weight::Bold, TEXT);
const HEADING: Style = style(13.0, Weight::Bold, TEXT);
const BODY: Style = style(10.0, Weight::Regular, TEXT);
const STRONG: Style = style(10.0, Weight::Bold, TEXT);
const SMALL: Style = style(8.5, Weight::Regular, MUTED);

/// The report under way: its pages and how far down the last one is written.
struct Writer<'a> {
    report: &'a TakingsReport,
    details: &'a Details,
    pages: Pages,
    y: f32,
}

pub(super) fn render(report: &TakingsReport, details: &Details) -> Result<Vec<u8>, ReportError> {
    let mut writer = Writer { report, details, pages: Pages::new()?, y: MARGIN };
    writer.head();
    writer.figures();
    if report.takings.total == Sums::default() {
        writer.y += 28.0;
        writer.pages.text(WIDTH / 2.0, writer.y, details.labels.nothing, BODY, Anchor::Middle);
        writer.y += 20.0;
    } else {
        writer.channels();
        writer.hours();
        writer.tills();
    }
    writer.sales();
    writer.feet();
    let title = format!("{} {} {}", report.store_name, details.labels.takings, report.takings.business_day);
    writer.pages.finish(&title, details.labels.language)
}

impl Writer<'_> {
    fn grouped(&self, minor: i64) -> String {
        self.report.money(minor).to_grouped()
    }

    /// Goes on to a new page unless that much room is left.
    fn need(&mut self, height: f32) -> bool {
        let turns = self.y + height > BOTTOM;
        if turns {
            self.pages.begin_page();
            self.y = MARGIN;
        }
        turns
    }

    fn head(&mut self) {
        let labels = &self.details.labels;
        let day = self.report.takings.business_day.to_string();
        let day_width = self.pages.width(&day, TITLE);
        let name = self.pages.fitted(&self.report.store_name, TITLE, CONTENT - day_width - 24.0);
        self.pages.text(MARGIN, self.y + 20.0, &name, TITLE, Anchor::Left);
        self.pages.text(RIGHT, self.y + 20.0, &day, Style { weight: Weight::Regular, ..TITLE }, Anchor::Right);
        let under = format!("{} · {}", labels.takings, self.report.takings.currency.code());
        self.pages.text(MARGIN, self.y + 38.0, &under, Style { color: MUTED, ..BODY }, Anchor::Left);
        self.y += 56.0;
        if self.report.takings.training {
            self.pages.block(MARGIN, self.y, CONTENT, 26.0, 8.0, AMBER_TINT);
            let amber = Style { color: AMBER, ..STRONG };
            self.pages.text(WIDTH / 2.0, self.y + 16.8, labels.training, amber, Anchor::Middle);
            self.y += 38.0;
        }
    }

    /// The figures of the day in a row, the net first.
    fn figures(&mut self) {
        const GAP: f32 = 10.0;
        const HIGH: f32 = 66.0;
        let labels = &self.details.labels;
        let total = self.report.takings.total;
        let figures = [
            (labels.net, self.report.money(total.net).to_string()),
            (labels.count, total.count.to_string()),
            (labels.average, self.report.average().to_string()),
            (labels.refunds, self.report.money(total.refunds).to_string()),
        ];
        // The net is what the page is about: its card is wider.
        let unit = (CONTENT - 3.0 * GAP) / 9.0;
        let mut x = MARGIN;
        for (index, (label, figure)) in figures.into_iter().enumerate() {
            let first = index == 0;
            let width = unit * if first { 3.0 } else { 2.0 };
            let (ground, ink, soft) = if first { (ACCENT, ON_ACCENT, ON_ACCENT_SOFT) } else { (CARD, TEXT, MUTED) };
            self.pages.block(x, self.y, width, HIGH, 10.0, ground);
            self.pages.text(x + 12.0, self.y + 22.0, label, Style { color: soft, ..SMALL }, Anchor::Left);
            let full = style(if first { 24.0 } else { 17.0 }, Weight::Bold, ink);
            let room = width - 24.0;
            let needed = self.pages.width(&figure, full).max(room);
            let fitting = Style { size: full.size * room / needed, ..full };
            self.pages.text(x + 12.0, self.y + 50.0, &figure, fitting, Anchor::Left);
            x += width + GAP;
        }
        self.y += HIGH + 12.0;
    }

    fn heading(&mut self, text: &str, room_below: f32) {
        let _ = self.need(40.0 + room_below);
        self.pages.text(MARGIN, self.y + 26.0, text, HEADING, Anchor::Left);
        self.y += 38.0;
    }

    fn rule(&mut self) {
        self.pages.block(MARGIN, self.y, CONTENT, 0.7, 0.0, LINE);
    }

    /// The columns of sums: count, gross, refunds, net, by their right edges.
    const COLUMNS: [f32; 4] = [MARGIN + 168.0, MARGIN + 258.0, MARGIN + 332.0, MARGIN + 422.0];

    fn sums_head(&mut self, first: &str) {
        let labels = &self.details.labels;
        self.pages.text(MARGIN, self.y + 10.0, first, SMALL, Anchor::Left);
        for (x, text) in Self::COLUMNS.into_iter().zip([labels.count, labels.gross, labels.refunds, labels.net]) {
            self.pages.text(x, self.y + 10.0, text, SMALL, Anchor::Right);
        }
        self.pages.text(RIGHT, self.y + 10.0, labels.share, SMALL, Anchor::Right);
        self.y += 16.0;
        self.rule();
    }

    fn sums_row(&mut self, name: &str, sums: &Sums, style: Style, indent: f32) {
        let baseline = self.y + 14.6;
        let name = self.pages.fitted(name, style, 120.0 - indent);
        self.pages.text(MARGIN + indent, baseline, &name, style, Anchor::Left);
        let cells =
            [sums.count.to_string(), self.grouped(sums.gross), self.grouped(sums.refunds), self.grouped(sums.net)];
        for (x, cell) in Self::COLUMNS.into_iter().zip(cells) {
            self.pages.text(x, baseline, &cell, style, Anchor::Right);
        }
        let share = percent(self.report.permille(sums.gross));
        self.pages.text(RIGHT, baseline, &share, style, Anchor::Right);
        self.y += ROW;
        self.rule();
    }

    fn channels(&mut self) {
        let (labels, takings) = (&self.details.labels, &self.report.takings);
        self.heading(labels.by_channel, 3.0 * ROW);
        self.share_bar();
        self.sums_head(labels.channel);
        for (id, sums) in &takings.by_channel {
            let _ = self.need(ROW);
            self.pages.block(MARGIN, self.y + 7.0, 8.0, 8.0, 4.0, channel_color(id));
            self.sums_row(&labels.channel(id), sums, BODY, 16.0);
        }
        self.sums_row(labels.total, &takings.total, STRONG, 0.0);
    }

    /// One bar, cut by what each channel brought.
    fn share_bar(&mut self) {
        let mut x = MARGIN;
        for (id, sums) in &self.report.takings.by_channel {
            let width = CONTENT * self.report.permille(sums.gross) as f32 / 1000.0;
            let shown = (width - 2.0).min(RIGHT - x);
            if shown > 0.0 {
                self.pages.block(x, self.y, shown, 8.0, 2.0, channel_color(id));
            }
            x += width;
        }
        self.y += 20.0;
    }

    fn hours(&mut self) {
        const HIGH: f32 = 96.0;
        let takings = &self.report.takings;
        let (Some((first, _)), Some((last, _))) = (takings.by_hour.first_key_value(), takings.by_hour.last_key_value())
        else {
            return;
        };
        // A short day still gets columns of a sane width.
        let (first, last) =
            (first.saturating_sub(1).min(15), (*last).saturating_add(1).clamp(first + 8, 23.max(first + 8)));
        let most = takings.by_hour.values().map(|sums| sums.gross).max().unwrap_or(0).max(1);
        self.heading(self.details.labels.by_hour, HIGH + 40.0);
        let slot = CONTENT / f32::from(last - first + 1);
        let width = (slot * 0.62).min(30.0);
        let base = self.y + 14.0 + HIGH;
        for (index, hour) in (first..=last).enumerate() {
            let middle = MARGIN + slot * (index as f32 + 0.5);
            let gross = takings.by_hour.get(&hour).map_or(0, |sums| sums.gross);
            if gross > 0 {
                let high = (HIGH * (gross.saturating_mul(1000) / most) as f32 / 1000.0).max(2.0);
                self.pages.block(middle - width / 2.0, base - high, width, high, 2.5, ACCENT);
                if gross == most {
                    let amount = self.grouped(gross);
                    let strong = Style { color: TEXT, weight: Weight::Bold, ..SMALL };
                    self.pages.text(middle, base - high - 5.0, &amount, strong, Anchor::Middle);
                }
            }
            self.pages.text(middle, base + 13.0, &format!("{:02}", hour % 24), SMALL, Anchor::Middle);
        }
        self.y = base;
        self.rule();
        self.y += 22.0;
    }

    fn tills(&mut self) {
        let (labels, takings) = (&self.details.labels, &self.report.takings);
        if takings.by_till.len() < 2 {
            return;
        }
        self.heading(labels.by_till, 3.0 * ROW);
        self.sums_head(labels.till);
        for (id, sums) in &takings.by_till {
            if self.need(ROW) {
                self.sums_head(labels.till);
            }
            self.sums_row(id, sums, BODY, 0.0);
        }
    }

    fn sales(&mut self) {
        if self.details.payments.is_empty() {
            return;
        }
        self.heading(self.details.labels.sales, 6.0 * ROW);
        self.sales_head();
        for payment in &self.details.payments {
            if self.need(ROW) {
                self.sales_head();
            }
            let sale = SaleRow::of(payment, self.details);
            let ink = if sale.paid { TEXT } else { MUTED };
            let body = Style { color: ink, ..BODY };
            let baseline = self.y + 14.6;
            self.pages.text(MARGIN, baseline, &sale.time, body, Anchor::Left);
            if let Some(channel) = payment.channel() {
                self.pages.block(MARGIN + 44.0, self.y + 7.0, 8.0, 8.0, 4.0, channel_color(channel.as_str()));
            }
            for (x, text, room) in
                [(58.0, &*sale.channel, 78.0), (140.0, sale.state, 82.0), (226.0, &*sale.description, 180.0)]
            {
                let text = self.pages.fitted(text, body, room);
                self.pages.text(MARGIN + x, baseline, &text, body, Anchor::Left);
            }
            self.pages.text(RIGHT, baseline, &sale.amount.to_grouped(), body, Anchor::Right);
            self.y += ROW;
            self.rule();
        }
    }

    fn sales_head(&mut self) {
        let labels = &self.details.labels;
        let heads = [(0.0, labels.time), (44.0, labels.channel), (140.0, labels.state), (226.0, labels.note)];
        for (x, text) in heads {
            self.pages.text(MARGIN + x, self.y + 10.0, text, SMALL, Anchor::Left);
        }
        self.pages.text(RIGHT, self.y + 10.0, labels.amount, SMALL, Anchor::Right);
        self.y += 16.0;
        self.rule();
    }

    fn feet(&mut self) {
        let count = self.pages.count();
        let left = format!("{} · {}", self.report.store_name, self.report.takings.business_day);
        let left = self.pages.fitted(&left, SMALL, CONTENT - 60.0);
        for page in 0..count {
            let baseline = HEIGHT - 40.0;
            self.pages.text_on(page, MARGIN, baseline, &left, SMALL, Anchor::Left);
            self.pages.text_on(page, RIGHT, baseline, &format!("{} / {count}", page + 1), SMALL, Anchor::Right);
        }
    }
}

/// The providers' own colours.
fn channel_color(id: &str) -> u32 {
    match id {
        "alipay" => 0x16_77_FF,
        "wechatpay" => 0x07_C1_60,
        "unionpay" => 0xD8_1E_3B,
        _ => 0x6B_76_87,
    }
}
