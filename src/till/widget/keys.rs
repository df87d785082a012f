//! Function keys that can also be clicked.

use iced::widget::{button, container, row};
use iced::{Center, Element};

use super::{line, words};
use crate::till::font;
use crate::till::theme::{Look, Role, boxed, press, size, space};

/// A key's cap.
pub fn cap<'a, Message: 'a>(look: Look<'_>, name: &'static str) -> Element<'a, Message> {
    container(line(name, size::CAPTION, look.palette.muted).font(font::LATIN_BOLD))
        .padding([1.0, 6.0])
        .style(boxed(look.palette, look.palette.raised, 4.0))
        .into()
}

/// A function key with what it does.
pub fn key<'a, Message: Clone + 'a>(
    look: Look<'_>,
    name: &'static str,
    label: String,
    message: Message,
) -> Element<'a, Message> {
    button(
        row![cap(look, name), words(label, size::BODY, look.palette.text)]
            .spacing(space::SMALL)
            .height(iced::Fill)
            .align_y(Center),
    )
    .on_press(message)
    .padding([0.0, space::SMALL])
    .height(space::TOUCH)
    .style(press(look.palette, Role::Quiet))
    .into()
}

/// A button with its key beside what it does.
pub fn act<'a, Message: Clone + 'a>(
    look: Look<'_>,
    name: &'static str,
    label: String,
    message: Option<Message>,
    role: Role,
) -> Element<'a, Message> {
    let color = if role == Role::Primary { look.palette.on_accent } else { look.palette.text };
    button(
        row![line(label, size::LABEL, color).font(font::LATIN_BOLD), cap(look, name)]
            .spacing(space::SMALL)
            .align_y(Center)
            .height(iced::Fill),
    )
    .height(space::TOUCH)
    .padding([0.0, space::GAP])
    .on_press_maybe(message)
    .style(press(look.palette, role))
    .into()
}
