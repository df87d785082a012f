//! The takings of a day: figures first, bars by hour, shares by channel, a table with totals.

use iced::widget::{Column, button, column, container, row, space};
use iced::{Center, Element, Fill, Right};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::api::wire::{PaymentView, Sums, Takings};
use crate::money::Money;
use crate::payment::ChannelId;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, card, press, round, size, space as distance};
use crate::till::widget::chart::{Bars, Shares, bars, shares};
use crate::till::widget::shape::{Standing, shape};
use crate::till::widget::{amount, badge, figures, line, rule, strong};

/// The page's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The day chosen; today where none is.
    pub day: Option<Date>,
    /// Its takings, or why they cannot be had.
    pub takings: Option<Result<Takings, String>>,
    /// Sales of any day that are under way: no takings count them before they come to an end.
    pub in_flight: Vec<PaymentView>,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// So many days on or back.
    Days(i32),
    /// To today.
    Today,
}

/// What the page asks of the program.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Fetch the takings of the day chosen.
    Fetch,
}

impl State {
    /// The day chosen, as the API wants it.
    #[must_use]
    pub fn date(&self) -> Option<String> {
        self.day.map(|day| day.to_string())
    }

    /// Something happened.
    pub fn update(&mut self, message: &Message, today: Date) -> Action {
        let before = self.day;
        match message {
            Message::Days(days) => {
                let shown = self.day.or_else(|| self.shown_day()).unwrap_or(today);
                if let Ok(day) = shown.checked_add(i64::from(*days).days()) {
                    self.day = (day < today).then_some(day);
                }
            }
            Message::Today => self.day = None,
        }
        if before == self.day {
            Action::None
        } else {
            self.takings = None;
            Action::Fetch
        }
    }

    fn shown_day(&self) -> Option<Date> {
        self.takings.as_ref()?.as_ref().ok().map(|takings| takings.business_day)
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>, today: Date) -> Element<'a, Message> {
        let palette = look.palette;
        let day = self.day.or_else(|| self.shown_day()).unwrap_or(today);
        let is_today = self.day.is_none();
        let step = |glyph, days, enabled: bool| {
            button(container(icon::view(glyph, 22.0, if enabled { palette.text } else { palette.faint })).center(Fill))
                .width(distance::TOUCH)
                .height(distance::TOUCH)
                .padding(0)
                .on_press_maybe(enabled.then_some(Message::Days(days)))
                .style(press(palette, Role::Plain))
        };
        let word = if is_today { look.say("common-today") } else { String::new() };
        let picker = row![
            step(Icon::ArrowLeft, -1, true),
            container(
                row![figures(day.to_string(), size::TITLE, palette.text), line(word, size::BODY, palette.muted)]
                    .spacing(distance::SMALL)
                    .align_y(Center)
            )
            .center_x(190),
            step(Icon::ArrowRight, 1, !is_today),
        ]
        .spacing(distance::SMALL)
        .align_y(Center);
        let training = self.takings.as_ref().and_then(|takings| takings.as_ref().ok()).is_some_and(|t| t.training);
        let note = training.then(|| {
            container(line(look.say("takings-training"), size::BODY, palette.warning.text))
                .padding([6.0, distance::GAP])
                .style(round(palette.warning.tint, 16.0))
        });
        let title =
            row![strong(look.say("takings-title"), size::HEADING, palette.text), note, space().width(Fill), picker]
                .spacing(distance::GAP)
                .align_y(Center);
        let content: Element<'a, Message> = match &self.takings {
            None => said(look, Icon::Takings, look.say("common-loading"), String::new()),
            Some(Err(why)) => said(look, Icon::Warning, look.say("takings-unavailable"), why.clone()),
            Some(Ok(takings)) if takings.total.count == 0 && takings.total.refund_count == 0 => {
                said(look, Icon::Takings, look.say("takings-empty"), look.say("takings-empty-hint"))
            }
            Some(Ok(takings)) => full(look, takings, is_today),
        };
        column![title, in_flight(look, &self.in_flight), content].spacing(distance::GAP).into()
    }
}

/// What is not in the takings yet, and may still come to be.
fn in_flight<'a>(look: Look<'a>, sales: &[PaymentView]) -> Option<Element<'a, Message>> {
    let oldest = sales.iter().map(|sale| sale.created_at).min()?;
    let palette = look.palette;
    let said = look.say_with(
        "takings-in-flight",
        &[("count", (sales.len() as i64).into()), ("time", look.time_exact(oldest.as_millisecond()).into())],
    );
    let sum: i64 = sales.iter().map(|sale| sale.amount).sum();
    let money = Money::new(sum, sales[0].currency);
    let content = row![
        shape(palette, Standing::UnderWay, 28.0),
        column![
            strong(said, size::LABEL, palette.text),
            line(look.say("takings-in-flight-hint"), size::BODY, palette.muted)
        ]
        .spacing(distance::TINY)
        .width(Fill),
        amount::amount(money, size::HEADING, palette.text),
    ]
    .spacing(distance::GAP)
    .align_y(Center);
    Some(container(content).padding([distance::MEDIUM, distance::GROUP]).width(Fill).style(card(palette)).into())
}

fn said<'a>(look: Look<'a>, glyph: Icon, title: String, body: String) -> Element<'a, Message> {
    let palette = look.palette;
    container(
        column![
            icon::view(glyph, 64.0, palette.faint),
            line(title, size::TITLE, palette.text).font(font::LATIN_BOLD),
            line(body, size::LABEL, palette.muted),
        ]
        .spacing(distance::SMALL)
        .align_x(Center),
    )
    .center(Fill)
    .style(card(palette))
    .into()
}

fn full<'a>(look: Look<'a>, takings: &'a Takings, is_today: bool) -> Element<'a, Message> {
    let palette = look.palette;
    let money = |minor| Money::new(minor, takings.currency);
    let total = &takings.total;
    let average = if total.count > 0 { total.gross / total.count } else { 0 };
    let figure = |key: &str, content: Element<'a, Message>| {
        container(column![line(look.say(key), size::BODY, palette.muted), content].spacing(distance::TINY))
            .padding([distance::MEDIUM, distance::GROUP])
            .height(96)
            .style(card(palette))
    };
    let small_figure = |minor| amount::amount::<Message>(money(minor), 32.0, palette.text);
    let figures_row = row![
        figure("takings-net", amount::amount(money(total.net), 40.0, palette.text)).width(iced::FillPortion(3)),
        figure("takings-count", figures(total.count.to_string(), 32.0, palette.text).into())
            .width(iced::FillPortion(2)),
        figure("takings-average", small_figure(average)).width(iced::FillPortion(2)),
        figure("takings-refunds", small_figure(total.refunds)).width(iced::FillPortion(2)),
    ]
    .spacing(distance::GAP);

    let hours: Vec<u8> = takings.by_hour.keys().copied().collect();
    let first = hours.first().copied().unwrap_or(8).min(8);
    let last = hours.last().copied().unwrap_or(21).max(21);
    let chart = Bars {
        hours: (first..=last)
            .map(|hour| {
                let net = takings.by_hour.get(&hour).map_or(0, |sums| sums.net);
                (hour, net, if net > 0 { short(money(net)) } else { String::new() })
            })
            .collect(),
        now: is_today
            .then(|| jiff::Timestamp::from_millisecond(look.now).ok())
            .flatten()
            .map(|at| at.to_zoned(look.zone.clone()).hour() as u8),
        palette,
    };
    let by_hour = container(
        column![strong(look.say("takings-by-hour"), size::LABEL, palette.text), bars(chart)].spacing(distance::SMALL),
    )
    .padding([distance::GAP, distance::GROUP])
    .width(Fill)
    .height(Fill)
    .style(card(palette));

    let channels: Vec<(ChannelId, &Sums)> =
        takings.by_channel.iter().filter_map(|(name, sums)| name.parse().ok().map(|channel| (channel, sums))).collect();
    let share_bar = Shares {
        parts: channels.iter().map(|(channel, sums)| (sums.net, palette.channel(channel).mark)).collect(),
        track: palette.line,
    };
    let head = |key: &str| line(look.say(key), size::BODY, palette.muted).align_x(Right);
    let heads = row![
        line(look.say("common-channel"), size::BODY, palette.muted).width(Fill),
        head("takings-share").width(90),
        head("takings-count").width(90),
        head("takings-gross").width(160),
        head("takings-refunds").width(140),
        head("takings-net").width(160),
    ]
    .spacing(distance::SMALL)
    .height(32)
    .align_y(Center);
    let table_row = |name: Element<'a, Message>, sums: &Sums, share: String| {
        let cell = |minor: i64| figures(money(minor).to_grouped(), size::LABEL, palette.text).align_x(Right);
        row![
            container(name).width(Fill),
            figures(share, size::LABEL, palette.muted).align_x(Right).width(90),
            figures(sums.count.to_string(), size::LABEL, palette.text).align_x(Right).width(90),
            cell(sums.gross).width(160),
            cell(sums.refunds).width(140),
            cell(sums.net).width(160),
        ]
        .spacing(distance::SMALL)
        .height(40)
        .align_y(Center)
        .into()
    };
    let mut rows: Vec<Element<'a, Message>> = Vec::new();
    for (channel, sums) in &channels {
        rows.push(table_row(badge::badge(look, channel), sums, percent(sums.net, total.net)));
        rows.push(rule(look));
    }
    rows.push(table_row(strong(look.say("common-total"), size::LABEL, palette.text), total, String::new()));
    let by_channel = container(
        column![
            row![
                strong(look.say("takings-by-channel"), size::LABEL, palette.text),
                container(shares(share_bar, 12.0)).center_y(24).width(Fill),
            ]
            .spacing(distance::GROUP)
            .align_y(Center),
            heads,
            rule(look),
            Column::with_children(rows),
        ]
        .spacing(distance::TINY),
    )
    .padding([distance::GAP, distance::GROUP])
    .width(Fill)
    .style(card(palette));
    column![figures_row, by_hour, by_channel].spacing(distance::GAP).into()
}

/// An amount short enough to stand over a bar: no fen from a hundred on.
fn short(money: Money) -> String {
    let full = money.to_grouped();
    match full.split_once('.') {
        Some((whole, _)) if money.minor >= 10_000 => whole.to_owned(),
        _ => full,
    }
}

/// A share in whole percent, rounded half up.
fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 { String::new() } else { format!("{} %", (part.max(0) * 200 + whole) / (whole * 2)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_whole_percent() {
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(2, 3), "67 %");
        assert_eq!(percent(5, 0), "");
    }

    #[test]
    fn the_day_after_today_cannot_be_chosen() {
        let today = jiff::civil::date(2026, 11, 24);
        let mut state = State::default();
        assert_eq!(state.update(&Message::Days(1), today), Action::None);
        assert_eq!(state.update(&Message::Days(-1), today), Action::Fetch);
        assert_eq!(state.date().as_deref(), Some("2026-11-23"));
        assert_eq!(state.update(&Message::Days(1), today), Action::Fetch);
        assert_eq!(state.date(), None);
    }
}
