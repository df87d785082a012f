//! The list of sales: arrows choose, Enter opens.

use iced::widget::{Column, button, column, container, row, scrollable};
use iced::{Center, Element, Fill, Task};

use crate::api::wire::PaymentView;
use crate::money::Money;
use crate::payment::{PaymentId, Way};
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, Role, card, press, rail, scroll, size, space as distance};
use crate::till::widget::shape::{Standing, channel_of, shape};
use crate::till::widget::{amount, badge, figures, line, rule, strong};

const ROW: f32 = distance::TOUCH;
const LIST: &str = "sales";

/// The list's state.
#[derive(Debug, Clone, Default)]
pub struct State {
    chosen: usize,
}

/// What happens in the list.
#[derive(Debug, Clone)]
pub enum Message {
    /// To the sale above or below, or by a page.
    Move(isize),
    /// Open the chosen sale.
    Enter,
    /// Open this one.
    Open(usize),
}

/// What the list asks of the program.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Keep the chosen row in sight.
    Scroll(Task<()>),
    /// Show a sale's story.
    Open(PaymentId),
}

impl State {
    /// Which row is chosen.
    #[must_use]
    pub const fn chosen(&self) -> usize {
        self.chosen
    }

    /// Something happened.
    pub fn update(&mut self, message: &Message, sales: &[PaymentView]) -> Action {
        match message {
            Message::Move(by) => {
                self.chosen = self.chosen.saturating_add_signed(*by).min(sales.len().saturating_sub(1));
                let above = self.chosen.saturating_sub(4) as f32 * ROW;
                Action::Scroll(iced::widget::operation::scroll_to(
                    LIST,
                    scrollable::AbsoluteOffset { x: None, y: Some(above) },
                ))
            }
            Message::Enter => sales.get(self.chosen).map_or(Action::None, |sale| Action::Open(sale.id.clone())),
            Message::Open(index) => {
                self.chosen = *index;
                sales.get(*index).map_or(Action::None, |sale| Action::Open(sale.id.clone()))
            }
        }
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>, sales: &'a [PaymentView], store: &str) -> Element<'a, Message> {
        let palette = look.palette;
        let title = row![
            strong(look.say("sales-title"), size::HEADING, palette.text),
            line(look.say_with("sales-count", &[("count", (sales.len() as i64).into())]), size::LABEL, palette.muted),
        ]
        .spacing(distance::GAP)
        .align_y(Center);
        let list: Element<'a, Message> = if sales.is_empty() {
            container(
                column![
                    icon::view(Icon::Receipt, 56.0, palette.faint),
                    line(look.say("cashier-recent-empty"), size::LABEL, palette.muted)
                ]
                .spacing(distance::GAP)
                .align_x(Center),
            )
            .center(Fill)
            .into()
        } else {
            let rows = sales.iter().enumerate().map(|(index, sale)| self.row(look, index, sale, store));
            scrollable(Column::with_children(rows))
                .id(LIST)
                .height(Fill)
                .width(Fill)
                .direction(rail())
                .style(scroll(palette))
                .into()
        };
        let head = |key: &str| line(look.say(key), size::BODY, palette.muted);
        let heads = row![
            head("common-state").width(190),
            head("common-time").width(96),
            head("common-channel").width(190),
            head("sale-way").width(150),
            head("sale-note").width(Fill),
            head("common-amount").width(180).align_x(iced::Right),
        ]
        .padding([distance::SMALL, distance::GAP])
        .spacing(distance::SMALL);
        column![
            title,
            container(column![heads, rule(look), list]).padding(distance::TINY).height(Fill).style(card(palette))
        ]
        .spacing(distance::GAP)
        .into()
    }

    fn row<'a>(&self, look: Look<'a>, index: usize, sale: &'a PaymentView, store: &str) -> Element<'a, Message> {
        // Without a note the wallet shows the shop's name, which tells the cashier nothing.
        let note = Some(sale.description.as_str()).filter(|note| *note != store).unwrap_or_default();
        let palette = look.palette;
        let standing = Standing::of(sale);
        let tone = standing.tone(palette);
        let way =
            sale.attempts.iter().rev().find(|attempt| Some(&attempt.out_trade_no) == sale.out_trade_no.as_ref()).map(
                |attempt| match attempt.way {
                    Way::MerchantPresented => "way-merchant-presented-short",
                    Way::ConsumerPresented => "way-consumer-presented-short",
                },
            );
        let channel: Element<'a, Message> = match channel_of(sale) {
            Some(channel) => {
                row![badge::mark(look, channel, 22.0), line(badge::name(look, channel), size::LABEL, palette.text)]
                    .spacing(distance::SMALL)
                    .align_y(Center)
                    .into()
            }
            None => line("–", size::LABEL, palette.muted).into(),
        };
        let amount_color = if standing == Standing::Paid { palette.text } else { palette.muted };
        let cells = row![
            container(
                row![shape(palette, standing, 22.0), line(look.say(standing.key()), size::LABEL, tone.text)]
                    .spacing(distance::SMALL)
                    .align_y(Center)
            )
            .width(190),
            figures(look.time_exact(sale.created_at.as_millisecond()), size::LABEL, palette.text).width(96),
            container(channel).width(190),
            line(way.map(|key| look.say(key)).unwrap_or_default(), size::LABEL, palette.muted).width(150),
            container(line(note, size::LABEL, palette.muted).wrapping(iced::widget::text::Wrapping::None))
                .clip(true)
                .width(Fill),
            container(amount::amount(Money::new(sale.amount, sale.currency), size::TITLE, amount_color))
                .width(180)
                .align_x(iced::Right),
        ]
        .spacing(distance::SMALL)
        .align_y(Center)
        .height(Fill);
        button(cells)
            .on_press(Message::Open(index))
            .padding([0.0, distance::GAP])
            .height(ROW)
            .width(Fill)
            .style(press(palette, if index == self.chosen { Role::Chosen } else { Role::Quiet }))
            .into()
    }
}
