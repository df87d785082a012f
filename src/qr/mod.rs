//! Payload text to code modules, and modules to SVG, PNG and the terminal. Pure.

mod render;

use qrcode::{EcLevel, QrCode};

/// Light modules around a code, as ISO/IEC 18004 wants them.
pub const QUIET_ZONE: usize = 4;
/// Payment payloads are far shorter; longer ones give codes too dense to scan from a screen.
const MAX_BYTES: usize = 512;

/// A text that no code can show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// Nothing to show.
    #[error("there is nothing to show")]
    Empty,
    /// Too long to be scanned from a screen.
    #[error("the text has {0} bytes, too many for a code on a screen (at most 512)")]
    TooLong(usize),
    /// A picture of this size cannot be made.
    #[error("a picture of this size cannot be made")]
    Picture,
}

/// The modules of a code, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    size: usize,
    dark: Vec<bool>,
}

impl Modules {
    /// The code that says `text`. Short texts get level Q, so that glare on a screen costs nothing; longer ones level M.
    ///
    /// # Errors
    /// [`QrError::Empty`], [`QrError::TooLong`].
    pub fn encode(text: &str) -> Result<Self, QrError> {
        if text.is_empty() {
            return Err(QrError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(QrError::TooLong(text.len()));
        }
        let level = if text.len() <= 64 { EcLevel::Q } else { EcLevel::M };
        let code = QrCode::with_error_correction_level(text, level).map_err(|_| QrError::TooLong(text.len()))?;
        let dark = code.to_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect();
        Ok(Self { size: code.width(), dark })
    }

    /// Modules along a side, without the quiet zone.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether the module in that column and row is dark; the quiet zone and all beyond is light.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark.get(y * self.size + x).copied().unwrap_or(false)
    }
}
