//! Payload text to code modules, and modules to SVG, PNG and terminal text. Pure.
//!
//! Whatever draws a code has to keep two rules: a module is a whole number of pixels, and [`QUIET_ZONE`] light modules
//! stand around it. All outputs here do.

mod bars;
pub mod emvco;
mod logo;
mod output;
mod standard;

pub use bars::Bars;
pub use logo::{Logo, Placed};
pub use standard::Patch;

use self::standard::Standard;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

/// How many light modules stand on each side (ISO/IEC 18004, 9.1).
pub const QUIET_ZONE: usize = 4;

/// Longer texts take the least error correction: smaller modules lose more to a camera than correction wins back.
const DENSE_FROM_BYTES: usize = 300;

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There is nothing to say.
    #[error("there is no text to make a code of")]
    Empty,
    /// More than the largest code holds.
    #[error("the text has {bytes} bytes, more than a QR code holds (2,953)")]
    TooLong {
        /// How many it has.
        bytes: usize,
    },
    /// The logo cannot be used.
    #[error("the logo is no PNG that can be used: {0}")]
    Logo(String),
    /// The picture could not be encoded.
    #[error("the code's picture could not be made: {0}")]
    Picture(String),
}

/// A QR code as dark and light modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    size: usize,
    dark: Vec<bool>,
    standard: Option<Standard>,
    logo: Option<Placed>,
}

impl Modules {
    /// The code of a text: the smallest that has correction level M (L for long texts), at the highest level that this
    /// size holds. Bank transfers by EPC069-12 and Swiss QR-bills have level M, as their standards prescribe.
    ///
    /// # Errors
    /// [`QrError::Empty`] or [`QrError::TooLong`].
    pub fn of(text: &str) -> Result<Self, QrError> {
        if text.is_empty() {
            return Err(QrError::Empty);
        }
        let standard = Standard::of(text);
        let levels: &[EcLevel] = match standard {
            Some(_) => &[EcLevel::M],
            None if text.len() < DENSE_FROM_BYTES => &[EcLevel::M, EcLevel::L],
            None => &[EcLevel::L],
        };
        let version = levels
            .iter()
            .find_map(|level| (1..=40).map(Version::Normal).find(|version| segments(text, *version, *level).is_some()))
            .ok_or(QrError::TooLong { bytes: text.len() })?;
        let best: &[EcLevel] = match standard {
            Some(_) => &[EcLevel::M],
            None => &[EcLevel::H, EcLevel::Q, EcLevel::M, EcLevel::L],
        };
        let code = best
            .iter()
            .copied()
            .find_map(|level| QrCode::with_bits(segments(text, version, level)?, level).ok())
            .ok_or(QrError::TooLong { bytes: text.len() })?;
        Ok(Self::drawn(code, standard))
    }

    /// The smallest code of a text at correction level H; `None` for one that no code holds at that level.
    fn at_highest_level(text: &str) -> Option<Self> {
        let version = (1..=40).map(Version::Normal).find(|version| segments(text, *version, EcLevel::H).is_some())?;
        let code = QrCode::with_bits(segments(text, version, EcLevel::H)?, EcLevel::H).ok()?;
        Some(Self::drawn(code, None))
    }

    fn drawn(code: QrCode, standard: Option<Standard>) -> Self {
        Self {
            size: code.width(),
            dark: code.into_colors().into_iter().map(|color| color == Color::Dark).collect(),
            standard,
            logo: None,
        }
    }

    /// What lies over the modules, to be drawn in this order: the Swiss cross of a QR-bill, nothing on other codes. The
    /// error correction makes up for what it hides.
    #[must_use]
    pub fn patches(&self) -> Vec<Patch> {
        standard::patches(self.standard, self.size)
    }

    /// Modules on each side, without the quiet zone.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Modules on each side, with the quiet zone.
    #[must_use]
    pub const fn full_size(&self) -> usize {
        self.size + 2 * QUIET_ZONE
    }

    /// Whether the module in column `x` of row `y` is dark, from the top left; what lies outside, or under a logo's
    /// field, is light.
    #[must_use]
    pub fn dark(&self, x: usize, y: usize) -> bool {
        let hidden = self.logo.as_ref().is_some_and(|placed| {
            let field = placed.at..placed.at + placed.side;
            field.contains(&x) && field.contains(&y)
        });
        !hidden && x < self.size && y < self.size && self.dark.get(y * self.size + x).copied().unwrap_or(false)
    }

    /// As [`Modules::dark`], counted from the corner of the quiet zone.
    #[must_use]
    pub fn dark_with_quiet_zone(&self, x: usize, y: usize) -> bool {
        match (x.checked_sub(QUIET_ZONE), y.checked_sub(QUIET_ZONE)) {
            (Some(x), Some(y)) => self.dark(x, y),
            _ => false,
        }
    }

    /// The largest whole number of pixels for a module so that the code with its quiet zone fits into `pixels`;
    /// at least 1.
    #[must_use]
    pub const fn px_per_module_within(&self, pixels: u32) -> u32 {
        let px = pixels / self.full_size() as u32;
        if px == 0 { 1 } else { px }
    }
}

/// The text as data bits of a code of that version and level, or `None` where it does not fit.
fn segments(text: &str, version: Version, level: EcLevel) -> Option<Bits> {
    let mut bits = Bits::new(version);
    if text.is_ascii() {
        bits.push_optimal_data(text.as_bytes()).ok()?;
    } else {
        // The optimiser would take some UTF-8 bytes for Shift JIS and write them in kanji mode, which readers turn
        // into other characters.
        bits.push_byte_data(text.as_bytes()).ok()?;
    }
    bits.push_terminator(level).ok()?;
    Some(bits)
}
