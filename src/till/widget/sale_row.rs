//! One sale in a list.

use iced::widget::{button, column, row, space};
use iced::{Center, Element, Fill};

use super::shape::{Standing, channel_of, shape};
use super::{amount, badge, figures, line};
use crate::api::wire::PaymentView;
use crate::money::Money;
use crate::till::theme::{Look, Role, press, size, space as distance};

/// A sale in the narrow list beside the keypad: shape, time, channel, amount.
pub fn sale_row<'a, Message: Clone + 'a>(look: Look<'a>, view: &PaymentView, open: Message) -> Element<'a, Message> {
    let palette = look.palette;
    let standing = Standing::of(view);
    let money = Money::new(view.amount, view.currency);
    let color = if standing == Standing::Paid { palette.text } else { palette.muted };
    let channel = match (&view.channel, standing) {
        (_, Standing::Paid) => None,
        _ => Some(line(look.say(standing.key()), size::CAPTION, standing.tone(palette).text)),
    };
    let who = column![
        channel_of(view).map(|channel| line(badge::name(look, channel), size::BODY, palette.text)
            .wrapping(iced::widget::text::Wrapping::None)),
        channel,
    ];
    button(
        row![
            shape(palette, standing, 24.0),
            figures(look.time(view.created_at.as_millisecond()), size::BODY, palette.muted),
            who,
            space().width(Fill),
            amount::amount(money, size::TITLE, color),
        ]
        .spacing(distance::MEDIUM)
        .height(Fill)
        .align_y(Center),
    )
    .on_press(open)
    .padding([0.0, distance::MEDIUM])
    .width(Fill)
    .height(distance::TOUCH)
    .style(press(palette, Role::Quiet))
    .into()
}
