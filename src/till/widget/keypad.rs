//! The keypad: keys large enough for a thumb, and the one thing to do next.

use iced::widget::{Column, Row, button, column, container};
use iced::{Element, Fill};

use super::{line, words};
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::sale::Press;
use crate::till::theme::{Look, Role, press, size, space};

/// The keypad; grows with the space it is given.
pub fn keypad<'a, Message: Clone + 'a>(
    look: Look<'a>,
    ready: bool,
    on_press: impl Fn(Press) -> Message + Copy + 'a,
) -> Element<'a, Message> {
    let digit = |label: &'static str| {
        let message = match label {
            "00" => Press::DoubleZero,
            _ => Press::Text(label.to_owned()),
        };
        key(
            look,
            container(line(label, size::HEADING, look.palette.text).font(font::FIGURES)),
            Role::Key,
            on_press(message),
        )
    };
    let columns = [["7", "4", "1", "0"], ["8", "5", "2", "00"], ["9", "6", "3", "."]];
    let digits = columns.into_iter().map(|labels| {
        Column::with_children(labels.into_iter().map(digit)).spacing(space::MEDIUM).width(Fill).height(Fill).into()
    });
    let collect_color = if ready { look.palette.on_accent } else { look.palette.muted };
    let collect = column![
        container(line(look.say("cashier-collect"), size::TITLE, collect_color).font(font::LATIN_BOLD)),
        icon::view(Icon::Enter, 28.0, collect_color),
    ]
    .spacing(space::SMALL)
    .align_x(iced::Center);
    // Two halves, so that the keys stand in the digits' rows.
    let edits = column![
        key(
            look,
            container(icon::view(Icon::Backspace, 30.0, look.palette.text)),
            Role::Key,
            on_press(Press::Backspace)
        ),
        key(look, container(words("C", size::HEADING, look.palette.text)), Role::Key, on_press(Press::Clear)),
    ]
    .spacing(space::MEDIUM)
    .height(Fill);
    let collect = button(container(collect).center(Fill))
        .on_press(on_press(Press::Enter))
        .height(Fill)
        .width(Fill)
        .style(press(look.palette, if ready { Role::Primary } else { Role::Key }));
    let edits = column![edits, collect].spacing(space::MEDIUM).width(Fill).height(Fill);
    Row::with_children(digits).push(edits).spacing(space::MEDIUM).height(Fill).into()
}

fn key<'a, Message: Clone + 'a>(
    look: Look<'a>,
    label: iced::widget::Container<'a, Message>,
    role: Role,
    message: Message,
) -> Element<'a, Message> {
    button(label.center(Fill)).on_press(message).width(Fill).height(Fill).style(press(look.palette, role)).into()
}
