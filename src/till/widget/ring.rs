//! A countdown: a ring that empties, and the seconds inside.

use std::f32::consts::{FRAC_PI_2, TAU};

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path, Stroke, path};
use iced::{Color, Element, Point, Radians, Rectangle, Renderer, Theme, mouse};

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
        let stroke =
            |color| Stroke::default().with_color(color).with_width(width).with_line_cap(canvas::LineCap::Round);
        frame.stroke(&Path::circle(center, radius), stroke(self.track));
        let (start, sweep) = if self.waiting {
            (self.left * TAU - FRAC_PI_2, TAU / 5.0)
        } else {
            (-FRAC_PI_2, self.left.clamp(0.0, 1.0) * TAU)
        };
        if sweep > 0.01 {
            let arc = Path::new(|builder| {
                builder.arc(path::Arc {
                    center,
                    radius,
                    start_angle: Radians(start),
                    end_angle: Radians(start + sweep.min(TAU - 0.001)),
                });
            });
            frame.stroke(&arc, stroke(self.color));
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
