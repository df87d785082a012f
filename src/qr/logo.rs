//! A shop's logo in the middle of a code. It hides modules; so the code gets the highest correction, the logo no more than
//! that bears, and the drawing is read back before it is used.

use std::io::Cursor;
use std::sync::Arc;

use base64::Engine;
use image::imageops::FilterType;
use image::{GrayImage, ImageFormat, ImageReader, Limits, Luma, Rgb, RgbImage, RgbaImage};

use super::{Modules, QUIET_ZONE, QrError};

/// A logo's picture is taken over at most so large, in pixels a side.
const MAX_SIDE: u32 = 4_096;
/// It is kept no larger than this: a code shows it smaller anyway.
const KEPT_SIDE: u32 = 256;
/// The share of all modules that may be hidden. Level H corrects 30 of 100 codewords, and a codeword's eight modules may
/// be hit by one hidden module; what a camera misreads comes on top.
const HIDDEN_SHARE: f32 = 0.07;
/// Larger codes have modules too small to give any away.
const MAX_MODULES: usize = 57;
/// A smaller logo is a blot, in modules.
const LEAST_SIDE: usize = 5;
/// The drawing is read back at these sizes, in pixels a module.
const READ_AT: [u32; 2] = [3, 8];

/// A shop's logo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo(Arc<RgbaImage>);

impl Logo {
    /// From a PNG file.
    ///
    /// # Errors
    /// [`QrError::Logo`] where it is none, or too large.
    pub fn from_png(bytes: &[u8]) -> Result<Self, QrError> {
        let failed = |error: &dyn std::fmt::Display| QrError::Logo(error.to_string());
        let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(128 << 20);
        reader.limits(limits);
        let picture = reader.decode().map_err(|error| failed(&error))?;
        Ok(Self(Arc::new(picture.resize(KEPT_SIDE, KEPT_SIDE, FilterType::Triangle).into_rgba8())))
    }

    /// Width, height and RGBA pixels.
    #[must_use]
    pub fn pixels(&self) -> (u32, u32, &[u8]) {
        (self.0.width(), self.0.height(), self.0.as_raw())
    }
}

/// A logo on a code: its white field, in modules from the code's corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The logo.
    pub logo: Logo,
    /// The field's left and upper edge.
    pub at: usize,
    /// The field's side. The logo lies within it, half a module from its edges.
    pub side: usize,
}

impl Placed {
    /// Left, top, width and height of the logo itself, in modules from the code's corner.
    #[must_use]
    pub fn inner(&self) -> (f32, f32, f32, f32) {
        let (wide, high) = self.logo.0.dimensions();
        // Small whole numbers.
        #[allow(clippy::cast_precision_loss)]
        let (at, side, wide, high) = (self.at as f32, self.side as f32 - 1.0, wide as f32, high as f32);
        let scale = side / wide.max(high);
        let (width, height) = (wide * scale, high * scale);
        (at + 0.5 + (side - width) / 2.0, at + 0.5 + (side - height) / 2.0, width, height)
    }
}

impl Modules {
    /// The code of a text with a logo in its middle, at correction level H. Where the text is too long for that, where
    /// the standard of the payload forbids it, or where the drawing cannot be read back, the code comes without a logo:
    /// see [`Modules::logo`].
    ///
    /// # Errors
    /// As [`Modules::of`].
    pub fn with_logo(text: &str, logo: &Logo) -> Result<Self, QrError> {
        let plain = Self::of(text)?;
        if plain.standard.is_some() {
            return Ok(plain);
        }
        let Some(mut code) = Self::at_highest_level(text).filter(|code| code.size <= MAX_MODULES) else {
            return Ok(plain);
        };
        let mut side = largest_side(code.size);
        while side >= LEAST_SIDE {
            code.logo = Some(Placed { logo: logo.clone(), at: (code.size - side) / 2, side });
            if READ_AT.iter().all(|px| reads_as(&code.to_pixels(*px), text)) {
                return Ok(code);
            }
            side -= 2;
        }
        Ok(plain)
    }

    /// The logo on it.
    #[must_use]
    pub const fn logo(&self) -> Option<&Placed> {
        self.logo.as_ref()
    }

    /// As [`Modules::to_pixels`], with the logo in its colours.
    #[must_use]
    pub fn to_colours(&self, px_per_module: u32) -> RgbImage {
        let grey = self.to_pixels_without_logo(px_per_module);
        let px = grey.width() / self.full_size() as u32;
        let mut picture = RgbImage::from_fn(grey.width(), grey.height(), |x, y| Rgb([grey.get_pixel(x, y).0[0]; 3]));
        if let Some(placed) = &self.logo {
            let (left, top, small) = placed.scaled(px);
            for (x, y, pixel) in small.enumerate_pixels() {
                let [r, g, b, a] = pixel.0;
                let over = |level: u8| {
                    let level = u32::from(level) * u32::from(a) + 255 * (255 - u32::from(a));
                    u8::try_from(level / 255).unwrap_or(u8::MAX)
                };
                if let Some(place) = picture.get_pixel_mut_checked(left + x, top + y) {
                    *place = Rgb([over(r), over(g), over(b)]);
                }
            }
        }
        picture
    }

    /// The logo over the modules of a grey drawing.
    pub(super) fn draw_logo(&self, grey: &mut GrayImage, px: u32) {
        if self.logo.is_some() {
            for (x, y, pixel) in self.to_colours(px).enumerate_pixels() {
                let [r, g, b] = pixel.0.map(u32::from);
                let level = u8::try_from((77 * r + 150 * g + 29 * b + 128) >> 8).unwrap_or(u8::MAX);
                grey.put_pixel(x, y, Luma([level]));
            }
        }
    }

    /// The logo as an SVG element, in modules from the corner of the quiet zone; empty without one.
    pub(super) fn logo_svg(&self) -> String {
        let Some(placed) = &self.logo else { return String::new() };
        let mut file = Cursor::new(Vec::new());
        if placed.logo.0.write_to(&mut file, ImageFormat::Png).is_err() {
            return String::new();
        }
        let data = base64::engine::general_purpose::STANDARD.encode(file.into_inner());
        let (left, top, width, height) = placed.inner();
        #[allow(clippy::cast_precision_loss)] // A small whole number.
        let quiet = QUIET_ZONE as f32;
        let (left, top) = (left + quiet, top + quiet);
        format!(
            "<image x=\"{left:.3}\" y=\"{top:.3}\" width=\"{width:.3}\" height=\"{height:.3}\" \
             href=\"data:image/png;base64,{data}\"/>"
        )
    }
}

impl Placed {
    /// Left, top and picture of the logo, in pixels, at so many pixels a module.
    fn scaled(&self, px: u32) -> (u32, u32, RgbaImage) {
        let (left, top, width, height) = self.inner();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let pixels = |modules: f32| (modules * px as f32).round().max(0.0) as u32;
        let quiet = QUIET_ZONE as u32 * px;
        let (width, height) = (pixels(width).max(1), pixels(height).max(1));
        let small = image::imageops::resize(self.logo.0.as_ref(), width, height, FilterType::Triangle);
        (pixels(left) + quiet, pixels(top) + quiet, small)
    }
}

/// The largest odd side that hides no more than its share of a code.
fn largest_side(size: usize) -> usize {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let side = (size as f32 * HIDDEN_SHARE.sqrt()) as usize;
    if side % 2 == 1 { side } else { side.saturating_sub(1) }
}

/// Whether a drawing is read as that text.
fn reads_as(picture: &GrayImage, text: &str) -> bool {
    let (width, height) = picture.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        picture.get_pixel(x as u32, y as u32).0[0]
    });
    prepared.detect_grids().iter().any(|grid| grid.decode().is_ok_and(|(_, read)| read == text))
}
