//! Colours by role, light and dark.

use iced::{Color, color};

use crate::payment::ChannelId;

/// A state's colours: for its shape, for text on its tint, and the tint itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Of shapes and thin lines.
    pub mark: Color,
    /// Of text, at least 4.5:1 on the tint and on a surface.
    pub text: Color,
    /// Of the ground behind.
    pub tint: Color,
}

/// Colours by role.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Whether this is the dark one.
    pub dark: bool,
    /// Behind everything.
    pub background: Color,
    /// Of panels and cards.
    pub surface: Color,
    /// Of keys and fields on a surface.
    pub raised: Color,
    /// The same, under the pointer.
    pub hovered: Color,
    /// The same, pressed.
    pub pressed: Color,
    /// Of thin lines between things.
    pub line: Color,
    /// Of text.
    pub text: Color,
    /// Of text that matters less.
    pub muted: Color,
    /// Of digits that were not typed.
    pub faint: Color,
    /// Of the one thing to do next.
    pub accent: Color,
    /// The same, under the pointer.
    pub accent_hovered: Color,
    /// Text on the accent.
    pub on_accent: Color,
    /// Of the soft rim around what floats.
    pub rim: Color,
    /// Paid.
    pub success: Tone,
    /// Not paid.
    pub danger: Tone,
    /// Not known yet; look here.
    pub warning: Tone,
    /// Advice, and what is under way.
    pub info: Tone,
    /// Cancelled, closed.
    pub neutral: Tone,
    /// Returned.
    pub refund: Tone,
}

/// For a lit shop.
pub static LIGHT: Palette = Palette {
    dark: false,
    background: color!(0xEDEFF3),
    surface: color!(0xFFFFFF),
    raised: color!(0xF4F6F9),
    hovered: color!(0xE9EDF3),
    pressed: color!(0xDCE2EB),
    line: color!(0xDDE2EA),
    text: color!(0x131A26),
    muted: color!(0x586375),
    faint: color!(0xB4BCC9),
    accent: color!(0x22357A),
    accent_hovered: color!(0x2C4396),
    on_accent: color!(0xFFFFFF),
    rim: color!(0xC9D0DC),
    success: Tone { mark: color!(0x12924F), text: color!(0x0B6A38), tint: color!(0xE2F5E9) },
    danger: Tone { mark: color!(0xD2322D), text: color!(0xA81F1C), tint: color!(0xFCE9E7) },
    warning: Tone { mark: color!(0xE08600), text: color!(0x855000), tint: color!(0xFFF1D3) },
    info: Tone { mark: color!(0x2C6BC9), text: color!(0x1F559F), tint: color!(0xE7F0FC) },
    neutral: Tone { mark: color!(0x6B7687), text: color!(0x4A5466), tint: color!(0xE8EBF0) },
    refund: Tone { mark: color!(0x7A4DBB), text: color!(0x623A9B), tint: color!(0xF1EAFB) },
};

/// For a dim bar.
pub static DARK: Palette = Palette {
    dark: true,
    background: color!(0x0D1016),
    surface: color!(0x161B23),
    raised: color!(0x1F2630),
    hovered: color!(0x28313D),
    pressed: color!(0x33404F),
    line: color!(0x2A323E),
    text: color!(0xF1F4F8),
    muted: color!(0x9DA8B8),
    faint: color!(0x4D5766),
    accent: color!(0xA9BBFF),
    accent_hovered: color!(0xBECBFF),
    on_accent: color!(0x101936),
    rim: color!(0x3A4453),
    success: Tone { mark: color!(0x3FCB82), text: color!(0x6BE0A3), tint: color!(0x12291D) },
    danger: Tone { mark: color!(0xFF6C64), text: color!(0xFF9690), tint: color!(0x33191B) },
    warning: Tone { mark: color!(0xFFB340), text: color!(0xFFC772), tint: color!(0x33270F) },
    info: Tone { mark: color!(0x6CA5FF), text: color!(0x95BEFF), tint: color!(0x152439) },
    neutral: Tone { mark: color!(0x8793A5), text: color!(0xB3BDCB), tint: color!(0x222933) },
    refund: Tone { mark: color!(0xB48CF2), text: color!(0xCBAFF8), tint: color!(0x271D38) },
};

impl Palette {
    /// A channel's colours; the mark is the provider's own.
    #[must_use]
    pub fn channel(&self, channel: &ChannelId) -> Tone {
        let tone = |mark, light_text, light_tint, dark_text, dark_tint| {
            if self.dark {
                Tone { mark, text: dark_text, tint: dark_tint }
            } else {
                Tone { mark, text: light_text, tint: light_tint }
            }
        };
        if *channel == ChannelId::ALIPAY {
            tone(color!(0x1677FF), color!(0x0E5FD8), color!(0xE8F1FF), color!(0x6FADFF), color!(0x13243F))
        } else if *channel == ChannelId::WECHATPAY {
            tone(color!(0x07C160), color!(0x057A3D), color!(0xE3F7EC), color!(0x3BD983), color!(0x0F2A1C))
        } else if *channel == ChannelId::UNIONPAY {
            tone(color!(0xD81E3B), color!(0xC01732), color!(0xFDE8EB), color!(0xFF7388), color!(0x371820))
        } else {
            self.neutral
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two opaque colours (WCAG 2.2, 1.4.3).
    fn contrast(one: Color, other: Color) -> f32 {
        let luminance = |color: Color| {
            let channel = |c: f32| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
            0.2126 * channel(color.r) + 0.7152 * channel(color.g) + 0.0722 * channel(color.b)
        };
        let (high, low) = {
            let (a, b) = (luminance(one), luminance(other));
            if a > b { (a, b) } else { (b, a) }
        };
        (high + 0.05) / (low + 0.05)
    }

    #[test]
    fn text_can_be_read_and_amounts_from_afar() {
        for palette in [&LIGHT, &DARK] {
            for ground in [palette.background, palette.surface, palette.raised, palette.hovered] {
                assert!(contrast(palette.text, ground) >= 7.0, "text on {ground:?}");
                assert!(contrast(palette.muted, ground) >= 4.5, "muted on {ground:?}");
            }
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
            let channels = [ChannelId::ALIPAY, ChannelId::WECHATPAY, ChannelId::UNIONPAY];
            let tones =
                [palette.success, palette.danger, palette.warning, palette.info, palette.neutral, palette.refund];
            for tone in tones.into_iter().chain(channels.iter().map(|channel| palette.channel(channel))) {
                assert!(contrast(tone.text, tone.tint) >= 4.5, "{tone:?}");
                assert!(contrast(tone.text, palette.surface) >= 4.5, "{tone:?}");
                assert!(contrast(palette.text, tone.tint) >= 7.0, "amount on {tone:?}");
            }
        }
    }
}
