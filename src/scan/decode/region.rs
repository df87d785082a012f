//! Where to look first in the next frame of a stream: around what was read in the last one.

use super::symbol::Symbol;
use crate::scan::GreyFrame;

/// How far a code may move from frame to frame, in parts of its longer side, and at least, in pixels.
const MOVES: f32 = 0.35;
const MOVES_PIXELS: f32 = 40.0;
/// A region that covers more of the frame than this saves too little.
const MOST: f32 = 0.5;

/// A part of a frame, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Region {
    /// Around symbols that were read in the frame. `None` where there are none, or where they fill it.
    pub(super) fn around(symbols: &[Symbol], frame: &GreyFrame) -> Option<Self> {
        let corners = || symbols.iter().flat_map(|symbol| symbol.corners);
        let _ = symbols.first()?;
        let ends = |axis: usize, side: u32| {
            let (low, high) = corners()
                .fold((f32::MAX, f32::MIN), |(low, high), corner| (low.min(corner[axis]), high.max(corner[axis])));
            (low, high, side as f32)
        };
        let sides = [ends(0, frame.width()), ends(1, frame.height())];
        let longest = sides.iter().map(|(low, high, _)| high - low).fold(0.0, f32::max);
        let margin = (MOVES * longest).max(MOVES_PIXELS);
        let [(left, right), (top, bottom)] =
            sides.map(|(low, high, side)| ((low - margin).clamp(0.0, side), (high + margin).clamp(0.0, side)));
        let share = (right - left) * (bottom - top) / (sides[0].2 * sides[1].2);
        (share > 0.0 && share < MOST).then_some(Self {
            left: left as u32,
            top: top as u32,
            width: (right - left) as u32,
            height: (bottom - top) as u32,
        })
    }

    /// This part of a frame; `None` where the frame is not so large.
    pub(super) fn of(self, frame: &GreyFrame) -> Option<GreyFrame> {
        if self.left + self.width > frame.width() || self.top + self.height > frame.height() {
            return None;
        }
        let stride = frame.width() as usize;
        let from = self.top as usize * stride + self.left as usize;
        GreyFrame::new(self.width, self.height, stride, frame.luma().get(from..)?).ok()
    }

    /// A symbol that was read in this part, where it lies in the frame.
    pub(super) fn placed(self, mut symbol: Symbol) -> Symbol {
        for [x, y] in &mut symbol.corners {
            *x += self.left as f32;
            *y += self.top as f32;
        }
        symbol
    }
}
