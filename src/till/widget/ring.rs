//! A countdown: a ring that empties, and the seconds inside.

use std::f32::consts::{FRAC_PI_2, TAU};

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path};
use iced::{Color, Element, Point, Rectangle, Renderer, Theme, mouse};

use crate::till::font;
use crate::till::theme::Look;

/// How a ring stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ring {
    /// What is left, 0 to 1.
    pub left: f32,
    /// Whole seconds left, or gone where the ring only turns.
    pub seconds: i64,
    /// Of the part that is left.
    pub color: Color,
    /// Of the part that is gone.
    pub track: Color,
    /// Of the seconds.
    pub text: Color,
    /// Whether it waits for an unknown time: an arc at `left` around the ring instead of what is left.
    pub waiting: bool,
}

impl Ring {
    /// A ring that runs from `from` to `until` (ms since 1970).
    #[must_use]
    pub fn countdown(look: Look<'_>, from: i64, until: i64) -> Self {
        let span = (until - from).max(1);
        let left = (until - look.now).clamp(0, span);
        let palette = look.palette;
        let short = left < 30_000;
        Self {
            left: left as f32 / span as f32,
            seconds: (left + 999) / 1000,
            color: if short { palette.warning.mark } else { palette.accent },
            track: palette.line,
            text: if short { palette.warning.text } else { palette.text },
            waiting: false,
        }
    }

    /// A ring that turns once in two seconds, with the seconds since `since`.
    #[must_use]
    pub fn waiting(look: Look<'_>, since: i64, color: Color) -> Self {
        let gone = (look.now - since).max(0);
        let turn = if look.motion { (gone % 2_000) as f32 / 2_000.0 } else { 0.0 };
        Self {
            left: turn,
            seconds: gone / 1000,
            color,
            track: look.palette.line,
            text: look.palette.text,
            waiting: true,
        }
    }
}

/// The ring as a square of `size` pixels.
pub fn ring<'a, Message: 'a>(ring: Ring, size: f32) -> Element<'a, Message> {
    Canvas::new(ring).width(size).height(size).into()
}

/// A part of a ring as a filled shape: the software renderer redraws a stroke's path without its width, and would
/// leave its edge behind.
fn band(center: Point, radius: f32, width: f32, start: f32, sweep: f32) -> Path {
    let steps = ((sweep / TAU * 180.0).ceil() as usize).max(2);
    let at = |radius: f32, step: usize| {
        let angle = start + sweep * step as f32 / steps as f32;
        Point::new(center.x + radius * angle.cos(), center.y + radius * angle.sin())
    };
    let (inner, outer) = (radius - width / 2.0, radius + width / 2.0);
    Path::new(|builder| {
        builder.move_to(at(outer, 0));
        (1..=steps).for_each(|step| builder.line_to(at(outer, step)));
        (0..=steps).rev().for_each(|step| builder.line_to(at(inner, step)));
        builder.close();
    })
}

impl<Message> canvas::Program<Message> for Ring {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<Geometry> {
        let mut frame = Frame::new(renderer, bounds.size());
        let size = bounds.width.min(bounds.height);
        let width = (size / 14.0).max(3.0);
        let center = frame.center();
        let radius = (size - width) / 2.0 - 1.0;
        frame.fill(&band(center, radius, width, 0.0, TAU), self.track);
        let (start, sweep) = if self.waiting {
            (self.left * TAU - FRAC_PI_2, TAU / 5.0)
        } else {
            (-FRAC_PI_2, self.left.clamp(0.0, 1.0) * TAU)
        };
        if sweep > 0.01 {
            frame.fill(&band(center, radius, width, start, sweep), self.color);
            for end in [start, start + sweep] {
                let cap = Point::new(center.x + radius * end.cos(), center.y + radius * end.sin());
                frame.fill(&Path::circle(cap, width / 2.0), self.color);
            }
        }
        let seconds = if self.seconds >= 60 && !self.waiting {
            format!("{}:{:02}", self.seconds / 60, self.seconds % 60)
        } else {
            self.seconds.to_string()
        };
        let text_size = size * if seconds.len() > 3 { 0.26 } else { 0.34 };
        frame.fill_text(canvas::Text {
            content: seconds,
            position: Point::new(center.x, center.y),
            color: self.text,
            size: text_size.into(),
            font: font::FIGURES,
            align_x: iced::widget::text::Alignment::Center,
            align_y: iced::alignment::Vertical::Center,
            ..canvas::Text::default()
        });
        vec![frame.into_geometry()]
    }
}
