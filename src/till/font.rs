//! The fonts the window is set in. They are part of the program, so that every machine shows the same, and Chinese
//! shows where no Chinese font is installed. `packaging/fonts` makes them.
//!
//! Use only the weights named here: a weight that no face has makes the text engine look through every font of the
//! machine for another one.

use iced::Font;
use iced::font::Weight;

use crate::report;

/// Latin, digits and Chinese, for all running text. Figures are tabular.
pub const LATIN: Font = Font::with_name("Scantill Sans");

/// As [`LATIN`], for headings and whatever has to stand out.
pub const LATIN_BOLD: Font = Font { weight: Weight::Bold, ..LATIN };

/// Tabular figures, ASCII and currency signs, for amounts from 28 px on. No Chinese.
pub const FIGURES: Font = Font { weight: Weight::Medium, ..Font::with_name("Scantill Figures") };

/// As [`FIGURES`], for the one amount that matters most on a screen.
pub const FIGURES_BOLD: Font = Font { weight: Weight::Bold, ..FIGURES };

/// The font files, to be given to `iced`'s `font` setting one by one.
#[must_use]
pub fn bytes() -> Vec<&'static [u8]> {
    vec![
        report::font::REGULAR,
        report::font::BOLD,
        include_bytes!("../../assets/fonts/ScantillFigures-Medium.ttf"),
        include_bytes!("../../assets/fonts/ScantillFigures-Bold.ttf"),
    ]
}
