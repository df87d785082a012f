//! What the screens show again and again. Each takes a [`Look`] and plain values.

pub mod amount;
pub mod badge;
pub mod chart;
pub mod code;
pub mod ime;
pub mod keypad;
pub mod keys;
pub mod notice;
pub mod preview;
pub mod ring;
pub mod sale_row;
pub mod shape;

use iced::widget::{container, space, text};
use iced::{Color, Element, Fill, Length};

use super::font;
use super::theme::Look;

/// A line of text.
pub fn words<'a, Message: 'a>(content: impl Into<String>, size: f32, color: Color) -> Element<'a, Message> {
    line(content, size, color).into()
}

/// The same, in bold.
pub fn strong<'a, Message: 'a>(content: impl Into<String>, size: f32, color: Color) -> Element<'a, Message> {
    line(content, size, color).font(font::LATIN_BOLD).into()
}

/// A line of text that can still be aligned and wrapped.
pub fn line<'a>(content: impl Into<String>, size: f32, color: Color) -> iced::widget::Text<'a> {
    text(content.into()).size(size).color(color).line_height(1.4)
}

/// Digits and amounts in tabular figures.
pub fn figures<'a>(content: impl Into<String>, size: f32, color: Color) -> iced::widget::Text<'a> {
    text(content.into()).size(size).color(color).font(font::FIGURES).line_height(1.3)
}

/// A thin line across.
pub fn rule<'a, Message: 'a>(look: Look<'_>) -> Element<'a, Message> {
    let color = look.palette.line;
    container(space().height(1)).width(Fill).height(1).style(super::theme::ground(color, color)).into()
}

/// Nothing, so wide.
pub fn gap<'a, Message: 'a>(width: impl Into<Length>) -> Element<'a, Message> {
    space().width(width).into()
}
