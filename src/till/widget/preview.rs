//! What the camera sees, with an outline around each code that was found, and what the till makes of it.

use iced::widget::canvas::{self, Canvas, Frame, Geometry, Path, Stroke};
use iced::widget::{column, container, image, row, space, stack};
use iced::{Center, Color, Element, Fill, Point, Rectangle, Renderer, Theme, mouse};

use super::line;
use crate::till::font;
use crate::till::icon::{self, Icon};
use crate::till::seen::Seen;
use crate::till::theme::{Look, round, size, space as distance};

/// What the camera is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CameraState {
    /// Being opened.
    #[default]
    Starting,
    /// It gives frames.
    Live,
    /// There is none, or not the one that was chosen.
    None,
    /// Another program has it.
    Busy,
    /// The system keeps it from this user.
    Forbidden,
    /// It is there and gives no picture.
    Failed,
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
    /// The codes in it.
    pub found: Vec<Found>,
}

/// A code in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its corners, as shares of width and height.
    pub corners: Vec<(f32, f32)>,
    /// What the till makes of it.
    pub seen: Seen,
}

struct Outline {
    found: Vec<(Vec<(f32, f32)>, Color)>,
    guides: Color,
    aspect: f32,
}

/// What the till makes of a code, in a few words.
#[must_use]
pub fn seen_words(look: Look<'_>, seen: &Seen) -> String {
    let with = |key: &str, channel| look.say_with(key, &[("channel", look.words.channel(channel).into())]);
    match seen {
        Seen::Taken(channel) => with("seen-taken", channel),
        Seen::NotOpen(channel) => with("seen-not-open", channel),
        Seen::Used(channel) => with("seen-used", channel),
        Seen::AmountFirst => look.say("seen-amount-first"),
        Seen::EnterFirst => look.say("seen-enter-first"),
        Seen::Rejected(rejection) => look.words.named("seen", rejection.kind()),
    }
}

/// A strip along the picture's lower edge: a glyph and a few words, on a ground that can be read over any picture.
fn strip<'a, Message: 'a>(glyph: Option<(Icon, Color)>, words: String, ground: Color) -> Element<'a, Message> {
    let content = row![
        glyph.map(|(glyph, color)| icon::view(glyph, 18.0, color)),
        line(words, size::BODY, Color::WHITE).font(font::LATIN_BOLD),
    ]
    .spacing(distance::SMALL)
    .align_y(Center);
    let chip = container(content).padding([4.0, 12.0]).style(round(ground, 14.0));
    container(chip).center_x(Fill).align_bottom(Fill).padding(10.0).into()
}

/// The preview, 16:9, of a given width.
pub fn preview<'a, Message: 'a>(look: Look<'a>, sight: &Sight, width: f32, wanted: bool) -> Element<'a, Message> {
    let palette = look.palette;
    let height = (width * 9.0 / 16.0).round();
    let radius = distance::CARD_RADIUS;
    let dark = iced::color!(0x10151D);
    let content: Element<'a, Message> = match (sight.state, &sight.frame) {
        (_, Some((handle, frame_width, frame_height))) => {
            let color = |seen: &Seen| if seen.is_good() { palette.success.mark } else { palette.warning.mark };
            let outline = Outline {
                found: sight.found.iter().map(|found| (found.corners.clone(), color(&found.seen))).collect(),
                guides: if wanted { Color::WHITE } else { Color { a: 0.35, ..Color::WHITE } },
                aspect: *frame_width as f32 / (*frame_height).max(1) as f32,
            };
            // A pixel's rounding must not show as a dark edge; only pictures of another shape get bars.
            let wide = (outline.aspect - 16.0 / 9.0).abs() < 0.05;
            let fit = if wide { iced::ContentFit::Fill } else { iced::ContentFit::Contain };
            let dark_ground = Color { a: 0.78, ..Color::BLACK };
            let told = sight.found.iter().find(|found| found.seen.is_good()).or_else(|| sight.found.first());
            let hint = match told {
                None => strip(None, look.say("camera-hold-here"), Color { a: 0.62, ..Color::BLACK }),
                Some(found) => {
                    let glyph = if found.seen.is_good() { Icon::Check } else { Icon::Warning };
                    // Bright on the dark ground, whichever theme is on.
                    let tint = if found.seen.is_good() { iced::color!(0x6FE3A1) } else { iced::color!(0xFFC766) };
                    strip(Some((glyph, tint)), seen_words(look, &found.seen), dark_ground)
                }
            };
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
                CameraState::Busy => ("camera-busy", "camera-busy-hint"),
                CameraState::Forbidden => ("camera-no-permission", "camera-no-permission-hint"),
                CameraState::Failed => ("camera-failed", "camera-failed-hint"),
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
        if !self.found.is_empty() {
            let at = |(x, y): (f32, f32)| Point::new(left + x * width, top + y * height);
            for (corners, color) in &self.found {
                let path = Path::new(|builder| {
                    let mut corners = corners.iter().copied().map(at);
                    if let Some(first) = corners.next() {
                        builder.move_to(first);
                        corners.for_each(|corner| builder.line_to(corner));
                        builder.close();
                    }
                });
                let stroke = Stroke::default().with_width(4.0).with_line_join(canvas::LineJoin::Round);
                frame.stroke(&path, stroke.with_color(*color));
            }
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
