//! A channel's mark and name.

use iced::widget::{container, row};
use iced::{Center, Element};

use super::{line, strong};
use crate::payment::ChannelId;
use crate::till::font;
use crate::till::theme::{Look, round, size, space};

/// A channel's name in the language chosen.
#[must_use]
pub fn name(look: Look<'_>, channel: &ChannelId) -> String {
    look.words.channel(channel)
}

/// A round-cornered square in the channel's colour with the first sign of its Chinese name, which tells the three
/// apart also for those who see no colours.
pub fn mark<'a, Message: 'a>(look: Look<'_>, channel: &ChannelId, side: f32) -> Element<'a, Message> {
    let sign = match channel.as_str() {
        "alipay" => "支",
        "wechatpay" => "微",
        "unionpay" => "银",
        "bank_transfer" => "转",
        other => return strong(other.chars().take(1).collect::<String>(), side * 0.6, look.palette.muted),
    };
    container(line(sign, side * 0.58, iced::Color::WHITE).font(font::LATIN_BOLD).line_height(1.0))
        .center(side)
        .style(round(look.palette.channel(channel).mark, side * 0.24))
        .into()
}

/// Mark and name in a row.
pub fn badge<'a, Message: 'a>(look: Look<'_>, channel: &ChannelId) -> Element<'a, Message> {
    row![mark(look, channel, 24.0), strong(name(look, channel), size::LABEL, look.palette.channel(channel).text)]
        .spacing(space::SMALL)
        .align_y(Center)
        .into()
}
