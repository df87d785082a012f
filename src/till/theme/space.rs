//! Distances in pixels at 1x: multiples of 4.

/// Between a thing and its caption.
pub const TINY: f32 = 4.0;
/// Inside controls.
pub const SMALL: f32 = 8.0;
/// Between lines of a list.
pub const MEDIUM: f32 = 12.0;
/// Between controls.
pub const GAP: f32 = 16.0;
/// Around groups.
pub const GROUP: f32 = 24.0;
/// Around the page.
pub const PAGE: f32 = 32.0;

/// Corners of cards.
pub const CARD_RADIUS: f32 = 12.0;
/// Corners of controls.
pub const CONTROL_RADIUS: f32 = 8.0;

/// The least height of a touch target.
pub const TOUCH: f32 = 48.0;
/// The least height of a keypad's key.
pub const KEY: f32 = 72.0;
