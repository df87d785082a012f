//! Modules as SVG, as PNG and as text for a terminal: always whole pixels, always with the quiet zone.

use std::fmt::Write as _;
use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

use super::{Modules, QUIET_ZONE, QrError};

/// Pixels along a side of the largest picture made.
const MAX_PIXELS: usize = 8_192;

impl Modules {
    /// Whether the module is dark, counted from the quiet zone's corner.
    fn framed(&self, x: usize, y: usize) -> bool {
        match (x.checked_sub(QUIET_ZONE), y.checked_sub(QUIET_ZONE)) {
            (Some(x), Some(y)) => self.is_dark(x, y),
            _ => false,
        }
    }

    /// Modules along a side with the quiet zone.
    const fn framed_size(&self) -> usize {
        self.size() + 2 * QUIET_ZONE
    }

    /// An SVG whose unit is one module.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let side = self.framed_size();
        let mut path = String::new();
        for y in 0..side {
            for x in (0..side).filter(|x| self.framed(*x, y)) {
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{path}\"/></svg>"
        )
    }

    /// The code in grey, `scale` pixels to a module.
    ///
    /// # Errors
    /// [`QrError::Picture`] where that is 0 or too large.
    pub fn to_image(&self, scale: u32) -> Result<GrayImage, QrError> {
        let scale = usize::try_from(scale).map_err(|_| QrError::Picture)?;
        let side = self.framed_size().checked_mul(scale).filter(|side| (1..=MAX_PIXELS).contains(side));
        let side = side.and_then(|side| u32::try_from(side).ok()).ok_or(QrError::Picture)?;
        Ok(GrayImage::from_fn(side, side, |x, y| {
            let dark = self.framed(x as usize / scale, y as usize / scale);
            Luma([if dark { 0 } else { 255 }])
        }))
    }

    /// The code as PNG, `scale` pixels to a module.
    ///
    /// # Errors
    /// [`QrError::Picture`] where that is 0 or too large.
    pub fn to_png(&self, scale: u32) -> Result<Vec<u8>, QrError> {
        let mut png = Cursor::new(Vec::new());
        self.to_image(scale)?.write_to(&mut png, ImageFormat::Png).map_err(|_| QrError::Picture)?;
        Ok(png.into_inner())
    }

    /// The code in half blocks, black on white whatever the terminal's colours are.
    #[must_use]
    pub fn to_terminal(&self) -> String {
        let side = self.framed_size();
        let mut text = String::new();
        for y in (0..side).step_by(2) {
            // Black on bright white, by the standard colour sequences (ECMA-48).
            text.push_str("\u{1b}[30;107m");
            for x in 0..side {
                text.push(match (self.framed(x, y), self.framed(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push_str("\u{1b}[0m\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(image: &GrayImage) -> Option<String> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            image.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0]
        });
        prepared.detect_grids().first().and_then(|grid| grid.decode().ok()).map(|(_, text)| text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_shown_reads_back(text in "[ -~]{1,120}", scale in 3_u32..8) {
            let modules = Modules::encode(&text).unwrap();
            prop_assert_eq!(read(&modules.to_image(scale).unwrap()), Some(text));
        }
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        assert_eq!(Modules::encode(""), Err(QrError::Empty));
        assert_eq!(Modules::encode(&"x".repeat(513)), Err(QrError::TooLong(513)));
        let modules = Modules::encode("https://qr.alipay.com/bax").unwrap();
        assert_eq!(modules.to_image(0), Err(QrError::Picture));
        assert_eq!(modules.to_image(10_000), Err(QrError::Picture));
        assert!(modules.to_png(4).unwrap().starts_with(b"\x89PNG"));
        assert!(modules.to_svg().starts_with("<svg"));
        assert_eq!(modules.to_terminal().lines().count(), (modules.size() + 2 * QUIET_ZONE).div_ceil(2));
    }
}
