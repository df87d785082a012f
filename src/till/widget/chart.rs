//! Bars by hour and shares by channel.

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path};
use iced::{Color, Element, Fill, Point, Rectangle, Renderer, Size, Theme, border, mouse};

use crate::till::font;
use crate::till::theme::{Palette, size};

/// Bars, one for each hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Hour, height in minor units, and what to write over the bar.
    pub hours: Vec<(u8, i64, String)>,
    /// The hour that is now, emphasised.
    pub now: Option<u8>,
    /// Colours.
    pub palette: &'static Palette,
}

/// Bars that fill the space they are given.
pub fn bars<'a, Message: 'a>(bars: Bars) -> Element<'a, Message> {
    Canvas::new(bars).width(Fill).height(Fill).into()
}

impl<Message> canvas::Program<Message> for Bars {
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
        let caption = 20.0;
        let ground = bounds.height - caption;
        let most = self.hours.iter().map(|(_, value, _)| *value).max().unwrap_or(0).max(1) as f32;
        let step = bounds.width / self.hours.len().max(1) as f32;
        let width = (step * 0.62).min(56.0);
        frame.fill_rectangle(Point::new(0.0, ground), Size::new(bounds.width, 1.0), self.palette.line);
        for (index, (hour, value, label)) in self.hours.iter().enumerate() {
            let middle = step * (index as f32 + 0.5);
            let height = (*value).max(0) as f32 / most * (ground - caption - 8.0);
            let current = self.now == Some(*hour);
            if height > 0.5 {
                let top = ground - height.max(3.0);
                frame.fill(
                    &Path::rounded_rectangle(
                        Point::new((middle - width / 2.0).round(), top),
                        Size::new(width.round(), ground - top),
                        border::Radius::default().top(4.0),
                    ),
                    if current { self.palette.accent } else { faded(self.palette.accent, 0.55) },
                );
                frame.fill_text(text(label.clone(), middle, top - 11.0, self.palette.muted));
            }
            let color = if current { self.palette.text } else { self.palette.muted };
            frame.fill_text(text(format!("{hour:02}"), middle, ground + caption / 2.0 + 2.0, color));
        }
        vec![frame.into_geometry()]
    }
}

fn text(content: String, x: f32, y: f32, color: Color) -> canvas::Text {
    canvas::Text {
        content,
        position: Point::new(x, y),
        color,
        size: size::CAPTION.into(),
        font: font::LATIN,
        align_x: iced::widget::text::Alignment::Center,
        align_y: iced::alignment::Vertical::Center,
        ..canvas::Text::default()
    }
}

fn faded(color: Color, alpha: f32) -> Color {
    Color { a: alpha, ..color }
}

/// One bar of shares, as long as the width.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// Value and colour, in order.
    pub parts: Vec<(i64, Color)>,
    /// Where there is nothing to show.
    pub track: Color,
}

/// A bar of shares.
pub fn shares<'a, Message: 'a>(shares: Shares, height: f32) -> Element<'a, Message> {
    Canvas::new(shares).width(Fill).height(height).into()
}

impl<Message> canvas::Program<Message> for Shares {
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
        let total: i64 = self.parts.iter().map(|(value, _)| (*value).max(0)).sum();
        let radius = border::Radius::from(bounds.height / 2.0);
        if total == 0 {
            frame.fill(&Path::rounded_rectangle(Point::ORIGIN, bounds.size(), radius), self.track);
        } else {
            let parts: Vec<_> = self.parts.iter().filter(|(value, _)| *value > 0).collect();
            let gap = 3.0;
            let room = bounds.width - gap * (parts.len() - 1) as f32;
            let mut x = 0.0;
            for (value, color) in &parts {
                let width = (*value as f32 / total as f32 * room).max(bounds.height);
                let width = width.min(bounds.width - x).max(0.0);
                frame.fill(
                    &Path::rounded_rectangle(Point::new(x, 0.0), Size::new(width, bounds.height), 4.0.into()),
                    *color,
                );
                x += width + gap;
            }
        }
        vec![frame.into_geometry()]
    }
}
