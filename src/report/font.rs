//! The text fonts as files: pages embed the characters they use, and the till shows all its text in them.
//! `packaging/fonts` makes them.

/// Scantill Sans Regular: Latin, tabular figures, and the characters of GB2312.
pub static REGULAR: &[u8] = include_bytes!("../../assets/fonts/ScantillSans-Regular.ttf");

/// Scantill Sans Bold, with the same characters.
pub static BOLD: &[u8] = include_bytes!("../../assets/fonts/ScantillSans-Bold.ttf");
