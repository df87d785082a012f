//! What the camera sees, with an outline around a code that was found.

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path, Stroke};
use iced::widget::{column, container, image, row, space, stack};
use iced::{Center, Color, Element, Fill, Point, Rectangle, Renderer, Theme, mouse};

use super::line;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::theme::{Look, round, size, space as distance};

/// What the camera is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CameraState {
    /// Being opened.
    #[default]
    Starting,
    /// It gives frames.
    Live,
    /// There is none, and none was chosen.
    None,
    /// It was there and is gone; it comes back by itself.
    Lost,
    /// Switched off in the settings.
    Off,
}

/// What is seen.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// What the camera is doing.
    pub state: CameraState,
    /// The latest frame, small, with its width and height.
    pub frame: Option<(image::Handle, u32, u32)>,
    /// Corners of a code found, as shares of width and height; and whether it is a payment code.
    pub outline: Option<(Vec<(f32, f32)>, bool)>,
}

struct Outline {
    corners: Vec<(f32, f32)>,
    color: Color,
    guides: Color,
    aspect: f32,
}

/// The preview, 16:9, of a given width.
pub fn preview<'a, Message: 'a>(look: Look<'a>, sight: &Sight, width: f32, wanted: bool) -> Element<'a, Message> {
    let palette = look.palette;
    let height = (width * 9.0 / 16.0).round();
    let radius = distance::CARD_RADIUS;
    let dark = iced::color!(0x10151D);
    let content: Element<'a, Message> = match (sight.state, &sight.frame) {
        (_, Some((handle, frame_width, frame_height))) => {
            let (corners, good) = sight.outline.clone().unwrap_or_default();
            let outline = Outline {
                corners,
                color: if good { palette.success.mark } else { palette.warning.mark },
                guides: if wanted { Color::WHITE } else { Color { a: 0.35, ..Color::WHITE } },
                aspect: *frame_width as f32 / (*frame_height).max(1) as f32,
            };
            // A pixel's rounding must not show as a dark edge; only pictures of another shape get bars.
            let wide = (outline.aspect - 16.0 / 9.0).abs() < 0.05;
            let fit = if wide { iced::ContentFit::Fill } else { iced::ContentFit::Contain };
            let hint = sight.outline.is_none().then(|| {
                let words = container(line(look.say("camera-hold-here"), size::BODY, Color::WHITE))
                    .padding([4.0, 12.0])
                    .style(round(Color { a: 0.62, ..Color::BLACK }, 14.0));
                container(words).center_x(Fill).align_bottom(Fill).padding(10.0)
            });
            stack![
                image(handle.clone()).width(Fill).height(Fill).content_fit(fit).border_radius(distance::CARD_RADIUS),
                Canvas::new(outline).width(Fill).height(Fill),
            ]
            .push(hint)
            .width(Fill)
            .height(Fill)
            .into()
        }
        (state, _) => {
            let (title, body) = match state {
                CameraState::Starting | CameraState::Live => ("camera-starting", "camera-starting-hint"),
                CameraState::None => ("camera-none", "camera-none-hint"),
                CameraState::Lost => ("camera-lost", "camera-lost-hint"),
                CameraState::Off => ("camera-off", "camera-off-hint"),
            };
            let light = iced::color!(0xC9D2DF);
            let glyph =
                if matches!(state, CameraState::Starting | CameraState::Live) { Icon::Camera } else { Icon::CameraOff };
            let texts = column![
                line(look.say(title), size::LABEL, Color::WHITE).font(font::LATIN_BOLD),
                line(look.say(body), size::BODY, light),
            ]
            .spacing(distance::TINY);
            container(row![icon::view(glyph, 36.0, light), texts.width(Fill)].spacing(distance::GAP).align_y(Center))
                .padding(distance::GROUP)
                .center_y(Fill)
                .into()
        }
    };
    column![container(content).width(width).height(height).clip(true).style(round(dark, radius)), space().height(0)]
        .into()
}

impl<Message> canvas::Program<Message> for Outline {
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
        // Where the frame lies within the preview.
        let (width, height) = if bounds.width / bounds.height > self.aspect {
            (bounds.height * self.aspect, bounds.height)
        } else {
            (bounds.width, bounds.width / self.aspect)
        };
        let (left, top) = ((bounds.width - width) / 2.0, (bounds.height - height) / 2.0);
        if self.corners.len() >= 2 {
            let at = |(x, y): (f32, f32)| Point::new(left + x * width, top + y * height);
            let path = Path::new(|builder| {
                let mut corners = self.corners.iter().copied().map(at);
                if let Some(first) = corners.next() {
                    builder.move_to(first);
                    corners.for_each(|corner| builder.line_to(corner));
                    builder.close();
                }
            });
            let stroke =
                Stroke::default().with_color(self.color).with_width(4.0).with_line_join(canvas::LineJoin::Round);
            frame.stroke(&path, stroke);
        } else {
            // Four corners where the code is to be held.
            let (w, h) = (bounds.height * 0.62, bounds.height * 0.62);
            let (x, y) = ((bounds.width - w) / 2.0, (bounds.height - h) / 2.0 - bounds.height * 0.05);
            let arm = h * 0.16;
            let path = Path::new(|builder| {
                for (cx, cy, dx, dy) in
                    [(x, y, 1.0, 1.0), (x + w, y, -1.0, 1.0), (x, y + h, 1.0, -1.0), (x + w, y + h, -1.0, -1.0)]
                {
                    builder.move_to(Point::new(cx + dx * arm, cy));
                    builder.line_to(Point::new(cx, cy));
                    builder.line_to(Point::new(cx, cy + dy * arm));
                }
            });
            let stroke = Stroke::default()
                .with_color(self.guides)
                .with_width(3.0)
                .with_line_cap(canvas::LineCap::Round)
                .with_line_join(canvas::LineJoin::Round);
            frame.stroke(&path, stroke);
        }
        vec![frame.into_geometry()]
    }
}
