//! What the training phone shows.

use iced::widget::{Column, button, column, container, row, scrollable, space};
use iced::{Center, Element, Fill};

use crate::money::{Currency, Money};
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, boxed, floating, press, rail, round, scroll, size, space as distance};
use crate::till::widget::code::code;
use crate::till::widget::{amount, badge, figures, keys, line, strong};

use super::{Message, Said, State, Trade, Wallet};

impl State {
    /// The phone.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let tabs = row(self.wallets.iter().enumerate().map(|(index, wallet)| {
            let chosen = index == self.chosen;
            button(
                container(
                    column![
                        badge::mark(look, &wallet.channel, 24.0),
                        line(first_name(&wallet.name), size::CAPTION, palette.muted)
                            .wrapping(iced::widget::text::Wrapping::None),
                    ]
                    .align_x(Center),
                )
                .center(Fill),
            )
            .height(52)
            .width(Fill)
            .padding(0)
            .on_press(Message::Choose(index))
            .style(press(palette, if chosen { Role::Chosen } else { Role::Quiet }))
            .into()
        }))
        .spacing(distance::TINY);
        let content: Element<'a, Message> = match self.wallet() {
            None => {
                let sentence = match &self.said {
                    Some(Said::Trouble(_)) => look.say("phone-unreachable"),
                    _ => look.say("common-loading"),
                };
                container(line(sentence, size::LABEL, palette.muted).align_x(Center)).center(Fill).into()
            }
            Some(wallet) => self.wallet_view(look, wallet),
        };
        let speaker = container(container(space()).width(64).height(5).style(round(palette.faint, 3.0))).center_x(Fill);
        let screen = container(column![tabs, content].spacing(distance::SMALL))
            .padding(distance::SMALL)
            .height(Fill)
            .style(boxed(palette, palette.background, 20.0));
        let title = row![
            icon::view(Icon::Training, 18.0, palette.muted),
            strong(look.say("phone-title"), size::BODY, palette.text),
            space().width(Fill),
            keys::cap(look, "F8"),
        ]
        .spacing(distance::SMALL)
        .align_y(Center);
        container(column![speaker, container(title).padding([0.0, distance::SMALL]), screen].spacing(distance::SMALL))
            .padding(distance::MEDIUM)
            .height(Fill)
            .style(floating(palette, 28.0))
            .into()
    }

    fn wallet_view<'a>(&'a self, look: Look<'a>, wallet: &'a Wallet) -> Element<'a, Message> {
        let palette = look.palette;
        let tone = palette.channel(&wallet.channel);
        let head = row![
            column![
                line(badge::name(look, &wallet.channel), size::LABEL, tone.text).font(font::LATIN_BOLD),
                line(wallet.name.as_str(), size::CAPTION, palette.muted),
            ],
            space().width(Fill),
            amount::amount(Money::new(wallet.balance, Currency::CNY), size::TITLE, palette.text),
        ]
        .align_y(Center);
        let middle: Element<'a, Message> = match self.asked() {
            Some(trade) => asked(look, trade),
            None => self.code_view(look),
        };
        let action = |glyph, key: &str, cap, message, role| {
            let color = if role == Role::Primary { palette.on_accent } else { palette.text };
            button(
                row![
                    icon::view(glyph, 20.0, color),
                    line(look.say(key), size::LABEL, color).width(Fill),
                    keys::cap(look, cap),
                ]
                .spacing(distance::SMALL)
                .align_y(Center)
                .height(Fill),
            )
            .height(distance::TOUCH)
            .width(Fill)
            .padding([0.0, distance::MEDIUM])
            .on_press(message)
            .style(press(palette, role))
        };
        let actions: Element<'a, Message> = if self.asked().is_some() {
            column![
                action(Icon::Check, "phone-confirm", "Alt Y", Message::Confirm, Role::Primary),
                action(Icon::Close, "phone-refuse", "Alt N", Message::Refuse, Role::Plain),
            ]
            .spacing(distance::SMALL)
            .into()
        } else {
            let hold = if self.held_up { "phone-take-away" } else { "phone-hold-up" };
            column![
                action(Icon::Camera, hold, "Alt H", Message::HoldUp, Role::Primary),
                action(Icon::Qr, "phone-scan", "Alt S", Message::Scan, Role::Plain),
            ]
            .spacing(distance::SMALL)
            .into()
        };
        let said = self.said.as_ref().map(|said| {
            let sentence = match said {
                Said::NothingToScan => {
                    look.say_with("phone-scan-nothing", &[("channel", badge::name(look, &wallet.channel).into())])
                }
                Said::Trouble(why) => why.clone(),
            };
            container(line(sentence, size::BODY, palette.warning.text))
                .padding(distance::SMALL)
                .width(Fill)
                .style(round(palette.warning.tint, distance::CONTROL_RADIUS))
        });
        let mine = self.trades.iter().rev().filter(|trade| trade.wallet.as_deref() == Some(wallet.id.as_str()));
        let rows = mine.take(20).map(|trade| trade_row(look, trade));
        let history = scrollable(Column::with_children(rows).padding(iced::Padding::ZERO.right(distance::GAP)))
            .height(Fill)
            .width(Fill)
            .direction(rail())
            .style(scroll(palette));
        column![
            container(column![head, middle].spacing(distance::SMALL)).padding(distance::MEDIUM).style(boxed(
                palette,
                palette.surface,
                distance::CARD_RADIUS
            )),
            said,
            actions,
            line(look.say("phone-history"), size::CAPTION, palette.muted),
            history,
        ]
        .spacing(distance::SMALL)
        .height(Fill)
        .into()
    }

    fn code_view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        let palette = look.palette;
        let Some((shown, drawing)) = &self.code else {
            return container(line(look.say("common-loading"), size::BODY, palette.muted))
                .center_x(Fill)
                .center_y(216)
                .into();
        };
        let left = ((shown.expires_at.as_millisecond() - look.now).max(0) + 999) / 1000;
        let mut grouped = String::new();
        for (index, digit) in shown.auth_code.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        let picture = container(code(drawing, 160.0, look.scale))
            .padding(distance::TINY)
            .style(round(iced::Color::WHITE, distance::CONTROL_RADIUS));
        column![
            picture,
            figures(grouped, size::BODY, palette.text),
            line(look.say_with("phone-code-renews", &[("seconds", left.into())]), size::CAPTION, palette.muted),
        ]
        .spacing(distance::TINY)
        .align_x(Center)
        .width(Fill)
        .into()
    }
}

/// The first word of a name, for a narrow tab.
fn first_name(name: &str) -> &str {
    name.split(' ').next().unwrap_or_default()
}

fn asked<'a>(look: Look<'a>, trade: &Trade) -> Element<'a, Message> {
    let palette = look.palette;
    column![
        icon::view(Icon::Lock, 36.0, palette.info.mark),
        line(look.say("phone-confirming"), size::LABEL, palette.text),
        amount::amount(Money::new(trade.amount, Currency::CNY), 40.0, palette.text),
    ]
    .spacing(distance::SMALL)
    .align_x(Center)
    .width(Fill)
    .padding([distance::GROUP, 0.0])
    .into()
}

fn trade_row<'a>(look: Look<'a>, trade: &Trade) -> Element<'a, Message> {
    let palette = look.palette;
    let state = if trade.refused { "refused".to_owned() } else { trade.state.to_ascii_lowercase() };
    let state = look.words.named("trade", &state);
    row![
        figures(look.time(trade.created_at), size::BODY, palette.muted),
        line(state, size::BODY, palette.text).width(Fill),
        amount::amount(Money::new(trade.amount, Currency::CNY), size::LABEL, palette.text),
    ]
    .height(28)
    .spacing(distance::SMALL)
    .align_y(Center)
    .into()
}
