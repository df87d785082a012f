//! A code to be scanned: black on white with its quiet zone, every module a whole number of physical pixels.

use std::cell::Cell;

use iced::widget::canvas::{self, Cache, Canvas, Geometry, Path};
use iced::widget::image;
use iced::{Color, Element, Point, Rectangle, Renderer, Size, Theme, mouse};

use crate::qr::{Logo, Modules};

/// White modules around a QR code (ISO/IEC 18004, 9.1).
const QUIET: usize = crate::qr::QUIET_ZONE;

/// A code ready to be drawn, and the drawing kept from one frame to the next.
#[derive(Debug)]
pub struct Drawing {
    modules: Modules,
    logo: Option<image::Handle>,
    cache: Cache,
    /// Where the kept drawing was made for.
    drawn: Cell<Option<Place>>,
}

impl Drawing {
    /// Prepares a payload's code. `None` where the payload fits into no code.
    #[must_use]
    pub fn of(payload: &str) -> Option<Self> {
        Modules::of(payload).ok().map(Self::drawn)
    }

    /// The same with the shop's logo, where the code can be read with it.
    #[must_use]
    pub fn with_logo(payload: &str, logo: Option<&Logo>) -> Option<Self> {
        match logo {
            None => Self::of(payload),
            Some(logo) => Modules::with_logo(payload, logo).ok().map(Self::drawn),
        }
    }

    fn drawn(modules: Modules) -> Self {
        let logo = modules.logo().map(|placed| {
            let (width, height, pixels) = placed.logo.pixels();
            image::Handle::from_rgba(width, height, pixels.to_vec())
        });
        Self { modules, logo, cache: Cache::new(), drawn: Cell::new(None) }
    }
}

/// Where a code lies within its canvas, in logical pixels: its left and upper edge and the side of a module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From the canvas's left.
    pub left: f32,
    /// From its top.
    pub top: f32,
    /// A module's side.
    pub module: f32,
}

impl Place {
    /// The largest code of `count` modules a side, quiet zone included, within a canvas that lies at `bounds` in its
    /// window, on a screen of `scale` physical pixels per logical one. Every module's edge lies between two physical
    /// pixels, whatever the scale.
    #[must_use]
    pub fn within(bounds: Rectangle, scale: f32, count: usize) -> Self {
        let side = bounds.width.min(bounds.height);
        let module = ((side * scale) / count as f32 + 0.001).floor().max(1.0) / scale;
        // The canvas itself may begin between two physical pixels: move the code onto the next whole one.
        let snap = |origin: f32, free: f32| {
            let start = origin + (free / 2.0).max(0.0);
            (start * scale).round() / scale - origin
        };
        let used = module * count as f32;
        Self { left: snap(bounds.x, bounds.width - used), top: snap(bounds.y, bounds.height - used), module }
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
        let modules = &self.drawing.modules;
        let count = modules.size() + 2 * QUIET;
        let place = Place::within(bounds, self.scale, count);
        // The kept drawing is for one place and scale; its size alone does not tell.
        if self.drawing.drawn.replace(Some(place)) != Some(place) {
            self.drawing.cache.clear();
        }
        let geometry = self.drawing.cache.draw(renderer, bounds.size(), |frame| {
            let Place { left, top, module } = place;
            let used = module * count as f32;
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
            if let (Some(logo), Some(placed)) = (&self.drawing.logo, modules.logo()) {
                let (x, y, width, height) = placed.inner();
                let at = |origin: f32, place: f32| origin + (QUIET as f32 + place) * module;
                let field =
                    Rectangle::new(Point::new(at(left, x), at(top, y)), Size::new(width * module, height * module));
                frame.draw_image(field, canvas::Image::new(logo.clone()));
            }
        });
        vec![geometry]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_module_s_edge_lies_between_two_physical_pixels(
            x in 0.0_f32..2_000.0, y in 0.0_f32..1_200.0, side in 60.0_f32..900.0, count in 29_usize..80,
            scale in prop_oneof![Just(1.0_f32), Just(1.25), Just(1.5), Just(1.75), Just(2.0), 0.7_f32..4.0],
        ) {
            let bounds = Rectangle::new(Point::new(x, y), Size::new(side, side));
            let place = Place::within(bounds, scale, count);
            let is_whole = |pixels: f32| (pixels - pixels.round()).abs() < 0.02;
            prop_assert!(place.module * scale >= 0.99 && is_whole(place.module * scale));
            for edge in [0, 1, count / 2, count] {
                let edge = edge as f32 * place.module;
                prop_assert!(is_whole((x + place.left + edge) * scale), "{}", (x + place.left + edge) * scale);
                prop_assert!(is_whole((y + place.top + edge) * scale));
            }
            // It fits where a module of one pixel does, and no larger one would.
            if side * scale >= count as f32 {
                let used = place.module * count as f32;
                // A thousandth of a pixel that a module lacks is an error of calculation, and there are `count` of them.
                let rounding = 0.001 * count as f32 / scale + 0.01;
                prop_assert!(used <= side + rounding && (place.module + 1.0 / scale) * count as f32 > side - 0.01);
            }
        }
    }
}
