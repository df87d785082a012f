//! Sizes of type in pixels at 1x.

/// Small print: codes for support, times.
pub const CAPTION: f32 = 12.0;
/// Running text.
pub const BODY: f32 = 14.0;
/// Labels and rows.
pub const LABEL: f32 = 16.0;
/// Titles of panels, sentences that matter.
pub const TITLE: f32 = 20.0;
/// Headings, keys.
pub const HEADING: f32 = 28.0;
/// Figures, and the word of a result.
pub const FIGURE: f32 = 48.0;
/// The amount.
pub const AMOUNT: f32 = 96.0;
/// The amount on the customer's display.
pub const DUE: f32 = 120.0;
