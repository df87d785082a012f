//! A code to be scanned: black on white with its quiet zone, every module a whole number of physical pixels.

use iced::widget::canvas::{self, Cache, Canvas, Geometry, Path};
use iced::{Color, Element, Point, Rectangle, Renderer, Size, Theme, mouse};

use crate::qr::Modules;

/// White modules around a QR code (ISO/IEC 18004, 9.1).
const QUIET: usize = crate::qr::QUIET_ZONE;

/// A code ready to be drawn, and the drawing kept from one frame to the next.
#[derive(Debug)]
pub struct Drawing {
    modules: Modules,
    cache: Cache,
}

impl Drawing {
    /// Prepares a payload's code. `None` where the payload fits into no code.
    #[must_use]
    pub fn of(payload: &str) -> Option<Self> {
        Modules::of(payload).ok().map(|modules| Self { modules, cache: Cache::new() })
    }
}

struct Painter<'a> {
    drawing: &'a Drawing,
    scale: f32,
}

/// The code as a square of at most `side` pixels. `scale` is physical pixels per logical pixel.
pub fn code<'a, Message: 'a>(drawing: &'a Drawing, side: f32, scale: f32) -> Element<'a, Message> {
    Canvas::new(Painter { drawing, scale }).width(side).height(side).into()
}

impl<Message> canvas::Program<Message> for Painter<'_> {
    type State = ();

    fn draw(
        &self,
        _state: &(),
        renderer: &Renderer,
        _theme: &Theme,
        bounds: Rectangle,
        _cursor: mouse::Cursor,
    ) -> Vec<Geometry> {
        let geometry = self.drawing.cache.draw(renderer, bounds.size(), |frame| {
            let modules = &self.drawing.modules;
            let count = modules.size() + 2 * QUIET;
            let side = bounds.width.min(bounds.height);
            let module = ((side * self.scale) / count as f32).floor().max(1.0) / self.scale;
            // The canvas itself may begin between two physical pixels: move the code onto the next whole one.
            let snap = |origin: f32, free: f32| {
                let start = origin + (free / 2.0).max(0.0);
                (start * self.scale).round() / self.scale - origin
            };
            let used = module * count as f32;
            let left = snap(bounds.x, bounds.width - used);
            let top = snap(bounds.y, bounds.height - used);
            frame.fill_rectangle(Point::new(left, top), Size::new(used, used), Color::WHITE);
            // One path for all: runs of dark modules in a row become one rectangle, so that no seam shows.
            let path = Path::new(|builder| {
                for y in 0..modules.size() {
                    let mut x = 0;
                    while x < modules.size() {
                        let start = x;
                        while x < modules.size() && modules.dark(x, y) {
                            x += 1;
                        }
                        if x > start {
                            builder.rectangle(
                                Point::new(left + (start + QUIET) as f32 * module, top + (y + QUIET) as f32 * module),
                                Size::new((x - start) as f32 * module, module),
                            );
                        }
                        x += 1;
                    }
                }
            });
            frame.fill(&path, Color::BLACK);
            for patch in modules.patches() {
                let at = |origin: f32, place: f32| origin + (QUIET as f32 + place) * module;
                frame.fill_rectangle(
                    Point::new(at(left, patch.x), at(top, patch.y)),
                    Size::new(patch.width * module, patch.height * module),
                    if patch.dark { Color::BLACK } else { Color::WHITE },
                );
            }
        });
        vec![geometry]
    }
}
