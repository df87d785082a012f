//! An amount of money: the sign smaller than the digits, digits that were not typed fainter than those that were.

use iced::widget::{rich_text, span};
use iced::{Color, Element};

use crate::money::Money;
use crate::till::font;

/// An amount of `size` pixels.
pub fn amount<'a, Message: 'a>(money: Money, size: f32, color: Color) -> Element<'a, Message> {
    typed(money.currency.sign(), money.to_grouped(), String::new(), size, color, color, color)
}

/// An amount whose last digits were not typed yet. It shrinks a little where it would not fit.
pub fn typed<'a, Message: 'a>(
    sign: &'static str,
    typed: String,
    rest: String,
    size: f32,
    color: Color,
    faint: Color,
    sign_color: Color,
) -> Element<'a, Message> {
    let sign_size = size * if size < 32.0 { 0.75 } else { 0.5 };
    let spans: Vec<iced::widget::text::Span<'a, ()>> = vec![
        span(format!("{sign}\u{2009}")).size(sign_size).color(sign_color),
        // The line is as high as its highest span that names its size: each does.
        span(typed).size(size).color(color),
        span(rest).size(size).color(faint),
    ];
    rich_text(spans)
        .size(size)
        .font(font::FIGURES)
        .line_height(if size >= 96.0 { 1.05 } else { 1.15 })
        .wrapping(iced::widget::text::Wrapping::None)
        .into()
}

/// The size at which an amount of so many characters still fits into `width`, at most `size`.
#[must_use]
pub fn fitting(size: f32, characters: usize, width: f32) -> f32 {
    // A tabular digit is about 0.6 of its size wide; the sign takes about half a digit.
    let needed = 0.6 * (characters as f32 + 0.8);
    size.min(width / needed).max(16.0)
}
