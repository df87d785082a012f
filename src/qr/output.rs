//! Modules as pictures and as text.

use std::fmt::Write as _;
use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

use super::{Modules, QUIET_ZONE, QrError};

/// No picture has larger modules, in pixels: 177 + 8 modules then make 11,840 px.
const MAX_PX_PER_MODULE: u32 = 64;
/// Black on white from the fixed part of the 256 colours, so that a terminal's theme cannot change them.
const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
const PLAIN: &str = "\u{1b}[0m";

impl Modules {
    /// Grey pixels (0 dark, 255 light), as many in a row as there are rows, quiet zone included. `px_per_module` is taken
    /// as 1 to 64.
    #[must_use]
    pub fn to_pixels(&self, px_per_module: u32) -> GrayImage {
        let mut grey = self.to_pixels_without_logo(px_per_module);
        let px = grey.width() / self.full_size() as u32;
        self.draw_logo(&mut grey, px);
        grey
    }

    pub(super) fn to_pixels_without_logo(&self, px_per_module: u32) -> GrayImage {
        let px = px_per_module.clamp(1, MAX_PX_PER_MODULE);
        let side = self.full_size() as u32 * px;
        let patches = self.patches();
        // The pixel's middle, in modules from the code's corner; pictures have fewer pixels than f32 counts exactly.
        #[allow(clippy::cast_precision_loss)]
        let place = |at: u32| (at as f32 + 0.5) / px as f32 - QUIET_ZONE as f32;
        GrayImage::from_fn(side, side, |x, y| {
            let patch = patches.iter().rev().find(|patch| patch.covers(place(x), place(y)));
            let dark = patch
                .map_or_else(|| self.dark_with_quiet_zone((x / px) as usize, (y / px) as usize), |patch| patch.dark);
            Luma([if dark { 0 } else { 255 }])
        })
    }

    /// A PNG file, quiet zone included. `px_per_module` is taken as 1 to 64.
    ///
    /// # Errors
    /// [`QrError::Picture`] where the encoder fails.
    pub fn to_png(&self, px_per_module: u32) -> Result<Vec<u8>, QrError> {
        let mut file = Cursor::new(Vec::new());
        let written = match self.logo() {
            Some(_) => self.to_colours(px_per_module).write_to(&mut file, ImageFormat::Png),
            None => self.to_pixels(px_per_module).write_to(&mut file, ImageFormat::Png),
        };
        written.map_err(|error| QrError::Picture(error.to_string()))?;
        Ok(file.into_inner())
    }

    /// An SVG file, one unit a module, quiet zone included.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let side = self.full_size();
        let mut path = String::new();
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let run = (x..side).take_while(|x| self.dark_with_quiet_zone(*x, y)).count();
                if run > 0 {
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        #[allow(clippy::cast_precision_loss)] // A small whole number.
        let quiet = QUIET_ZONE as f32;
        let patches = self.patches().into_iter().fold(String::new(), |mut out, patch| {
            let (x, y, fill) = (patch.x + quiet, patch.y + quiet, if patch.dark { "#000" } else { "#fff" });
            let (width, height) = (patch.width, patch.height);
            let _ = write!(
                out,
                "<path fill=\"{fill}\" d=\"M{x:.3} {y:.3}h{width:.3}v{height:.3}h-{width:.3}z\" \
                 shape-rendering=\"auto\"/>"
            );
            out
        });
        let logo = self.logo_svg();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/>{patches}{logo}</svg>"
        )
    }

    /// Lines for a terminal, two modules high each, quiet zone included, in black on white whatever the terminal's
    /// colours are. Ends with a line end.
    #[must_use]
    pub fn to_terminal(&self) -> String {
        let side = self.full_size();
        let mut text = String::new();
        for y in (0..side).step_by(2) {
            text.push_str(BLACK_ON_WHITE);
            for x in 0..side {
                text.push(match (self.dark_with_quiet_zone(x, y), self.dark_with_quiet_zone(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str(PLAIN);
            text.push('\n');
        }
        text
    }
}
