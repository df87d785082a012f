//! A line that tells something, in its colour and with its sign.

use iced::widget::{column, container, row};
use iced::{Element, Fill};

use super::line;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Tone, round, size, space};

/// The line; `small` stands below it for support, where there is something.
pub fn notice<'a, Message: 'a>(tone: Tone, sign: Icon, words: &str, small: &str) -> Element<'a, Message> {
    let mut told = column![line(words.to_owned(), size::LABEL, tone.text)].spacing(space::TINY);
    if !small.is_empty() {
        told = told.push(line(small.to_owned(), size::BODY, tone.text));
    }
    container(row![icon::view(sign, 24.0, tone.mark), told.width(Fill)].spacing(space::MEDIUM))
        .padding(space::GAP)
        .width(Fill)
        .style(round(tone.tint, space::CONTROL_RADIUS))
        .into()
}
