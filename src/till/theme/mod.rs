//! How things look: palette, sizes and spaces, and the styles made of them. Screens take colours from here only.

pub mod palette;
pub mod size;
pub mod space;

use iced::widget::{button, container, scrollable};
use iced::{Background, Border, Color, Shadow, Theme};

use super::text::{Text, Value};
pub use palette::{Palette, Tone};

/// What a view needs beside its state: colours, words, the local time zone and the clock.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Colours.
    pub palette: &'static Palette,
    /// Words in the language chosen.
    pub words: Text,
    /// The shop's time zone.
    pub zone: &'a jiff::tz::TimeZone,
    /// Now, in ms since 1970.
    pub now: i64,
    /// Physical pixels per logical pixel, for what has to be crisp.
    pub scale: f32,
    /// Whether things may move.
    pub motion: bool,
}

impl Look<'_> {
    /// A text.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// A text with values in it.
    #[must_use]
    pub fn say_with(&self, key: &str, args: &[(&str, Value<'_>)]) -> String {
        self.words.ta(key, args)
    }

    /// Hours and minutes of a moment, local time.
    #[must_use]
    pub fn time(&self, millis: i64) -> String {
        self.strftime(millis, "%H:%M")
    }

    /// Hours, minutes and seconds.
    #[must_use]
    pub fn time_exact(&self, millis: i64) -> String {
        self.strftime(millis, "%H:%M:%S")
    }

    fn strftime(&self, millis: i64, format: &str) -> String {
        jiff::Timestamp::from_millisecond(millis)
            .map(|at| at.to_zoned(self.zone.clone()).strftime(format).to_string())
            .unwrap_or_default()
    }
}

/// The iced theme of a palette, for the few things that widgets draw by themselves.
#[must_use]
pub fn iced_theme(palette: &Palette) -> Theme {
    Theme::custom(
        "Scantill",
        iced::theme::Palette {
            background: palette.background,
            text: palette.text,
            primary: palette.accent,
            success: palette.success.mark,
            warning: palette.warning.mark,
            danger: palette.danger.mark,
        },
    )
}

/// A flat ground.
pub fn ground(color: Color, text: Color) -> impl Fn(&Theme) -> container::Style {
    move |_| container::Style {
        background: Some(Background::Color(color)),
        text_color: Some(text),
        ..container::Style::default()
    }
}

/// A colour that no eye tells from `color`, another one for each `step` (0 to 15). The software renderer compares
/// what it drew with what it is to draw, and misses a strip now and then where one page takes another's place; a
/// ground that has changed makes it draw the whole page.
#[must_use]
pub fn nudged(color: Color, step: u8) -> Color {
    let shift = f32::from(step % 4) / 255.0;
    let other = f32::from(step / 4 % 4) / 255.0;
    let away = |channel: f32, by: f32| if channel > 0.5 { channel - by } else { channel + by };
    Color { b: away(color.b, shift), r: away(color.r, other), ..color }
}

/// A card.
pub fn card(palette: &'static Palette) -> impl Fn(&Theme) -> container::Style {
    boxed(palette, palette.surface, space::CARD_RADIUS)
}

/// A ground with round corners and no line.
pub fn round(color: Color, radius: f32) -> impl Fn(&Theme) -> container::Style {
    move |_| container::Style {
        background: Some(Background::Color(color)),
        border: Border { radius: radius.into(), ..Border::default() },
        ..container::Style::default()
    }
}

/// A ground with round corners and a thin line.
pub fn boxed(palette: &'static Palette, color: Color, radius: f32) -> impl Fn(&Theme) -> container::Style {
    move |_| container::Style {
        background: Some(Background::Color(color)),
        text_color: Some(palette.text),
        border: Border { radius: radius.into(), width: 1.0, color: palette.line },
        ..container::Style::default()
    }
}

/// A card that floats over the page. The elevation is a soft rim and not a shadow: the software renderer draws
/// shadows beyond the part of the window that it redraws.
pub fn floating(palette: &'static Palette, radius: f32) -> impl Fn(&Theme) -> container::Style {
    move |_| container::Style {
        background: Some(Background::Color(palette.surface)),
        text_color: Some(palette.text),
        border: Border { radius: radius.into(), width: 3.0, color: palette.rim },
        ..container::Style::default()
    }
}

/// What a button is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one thing to do next.
    Primary,
    /// A key of the keypad.
    Key,
    /// Anything else.
    Plain,
    /// A button with no ground of its own, in a bar or a list.
    Quiet,
    /// Chosen among several.
    Chosen,
}

/// A button's style.
pub fn press(palette: &'static Palette, role: Role) -> impl Fn(&Theme, button::Status) -> button::Style {
    move |_, status| {
        let (ground, over, down, text) = match role {
            Role::Primary => (Some(palette.accent), palette.accent_hovered, palette.accent_hovered, palette.on_accent),
            Role::Key | Role::Plain => (Some(palette.raised), palette.hovered, palette.pressed, palette.text),
            Role::Quiet => (None, palette.hovered, palette.pressed, palette.text),
            Role::Chosen => (Some(palette.hovered), palette.pressed, palette.pressed, palette.text),
        };
        let color = match status {
            button::Status::Active => ground,
            button::Status::Hovered => Some(over),
            button::Status::Pressed => Some(down),
            button::Status::Disabled => ground.map(|_| palette.raised),
        };
        let line = match role {
            Role::Key | Role::Plain => Border { radius: space::CONTROL_RADIUS.into(), width: 1.0, color: palette.line },
            _ => Border { radius: space::CONTROL_RADIUS.into(), ..Border::default() },
        };
        button::Style {
            background: color.map(Background::Color),
            text_color: if matches!(status, button::Status::Disabled) { palette.muted } else { text },
            border: if role == Role::Key { Border { radius: space::CARD_RADIUS.into(), ..line } } else { line },
            shadow: Shadow::default(),
            snap: true,
        }
    }
}

/// A scroll bar along the right side, thin.
#[must_use]
pub fn rail() -> scrollable::Direction {
    scrollable::Direction::Vertical(scrollable::Scrollbar::new().width(6).scroller_width(6).margin(2))
}

/// A thin, quiet scroll bar.
pub fn scroll(palette: &'static Palette) -> impl Fn(&Theme, scrollable::Status) -> scrollable::Style {
    move |theme, status| {
        let mut style = scrollable::default(theme, status);
        let rail = scrollable::Rail {
            background: None,
            border: Border::default(),
            scroller: scrollable::Scroller {
                background: Background::Color(palette.faint),
                border: Border { radius: 2.0.into(), ..Border::default() },
            },
        };
        style.vertical_rail = rail;
        style.horizontal_rail = rail;
        style.gap = None;
        style
    }
}
