//! What was read.

use std::fmt;

use serde::Serialize;

/// A kind of symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// QR code (ISO/IEC 18004).
    #[serde(rename = "QR")]
    Qr,
    /// Micro QR code (ISO/IEC 18004, one finder pattern).
    #[serde(rename = "MICRO_QR")]
    MicroQr,
    /// Code 128 (ISO/IEC 15417).
    #[serde(rename = "CODE_128")]
    Code128,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qr => "QR",
            Self::MicroQr => "MICRO_QR",
            Self::Code128 => "CODE_128",
        })
    }
}

/// A symbol that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Symbol {
    /// Its kind.
    pub format: Format,
    /// What it says.
    pub text: String,
    /// What it says, as bytes: before a character set was applied, where the reader tells; else the text in UTF-8.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// Its corners in pixels of the frame, around it from its own upper left corner. Where a reader sees a Code 128
    /// along one line only: the ends of that line, there and back.
    pub corners: [[f32; 2]; 4],
    /// How sure the reading is, from 0 to 1.
    pub confidence: f32,
}

impl Symbol {
    /// Whether both are readings of one symbol.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.format == other.format && self.text == other.text
    }

    /// The same symbol in a frame `factor` times as large.
    pub(super) fn scaled(mut self, factor: f32) -> Self {
        for corner in &mut self.corners {
            *corner = corner.map(|value| value * factor);
        }
        self
    }
}

/// Adds what is not among them yet.
pub(super) fn merge(found: &mut Vec<Symbol>, more: impl IntoIterator<Item = Symbol>) {
    for symbol in more {
        if !found.iter().any(|known| known.is_same(&symbol)) {
            found.push(symbol);
        }
    }
}
