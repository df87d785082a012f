//! What the standards of bank transfers prescribe for the drawing of their codes.

/// A standard whose payloads are known by their first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standard {
    /// EPC069-12: correction level M.
    Epc,
    /// Swiss QR-bill: correction level M, and the Swiss cross in the middle.
    SwissBill,
}

impl Standard {
    pub fn of(text: &str) -> Option<Self> {
        match text.lines().next() {
            Some("BCD") => Some(Self::Epc),
            Some("SPC") => Some(Self::SwissBill),
            _ => None,
        }
    }
}

/// A rectangle that lies over the modules, measured in modules from the code's corner (without the quiet zone).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patch {
    /// From the left.
    pub x: f32,
    /// From the top.
    pub y: f32,
    /// To the right.
    pub width: f32,
    /// Down.
    pub height: f32,
    /// Whether it is dark.
    pub dark: bool,
}

impl Patch {
    /// Whether a point is within it.
    #[must_use]
    pub fn covers(&self, x: f32, y: f32) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }
}

/// A printed code has 46 mm on each side, and its cross 7.
const CROSS: f32 = 7.0 / 46.0;
/// The cross's own drawing: left, top, width, height in parts of its side, one over the other.
const PARTS: [(f32, f32, f32, f32, bool); 4] = [
    (0.0, 0.0, 1.0, 1.0, false),
    (0.07, 0.07, 0.86, 0.86, true),
    (0.42, 0.2, 0.16, 0.6, false),
    (0.2, 0.42, 0.6, 0.16, false),
];

/// What lies over a code of so many modules, to be drawn in this order.
pub(super) fn patches(standard: Option<Standard>, size: usize) -> Vec<Patch> {
    if standard != Some(Standard::SwissBill) {
        return Vec::new();
    }
    // A code has at most 177 modules: each number is exact.
    #[allow(clippy::cast_precision_loss)]
    let size = size as f32;
    let side = size * CROSS;
    let corner = (size - side) / 2.0;
    PARTS
        .into_iter()
        .map(|(x, y, width, height, dark)| Patch {
            x: corner + x * side,
            y: corner + y * side,
            width: width * side,
            height: height * side,
            dark,
        })
        .collect()
}
