//! The window: cashier, customer's display, takings.

pub mod font;
pub mod icon;
pub mod sound;
pub mod text;
