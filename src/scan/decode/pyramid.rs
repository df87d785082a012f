//! A frame at three sizes, and how hard it is looked at.

use crate::scan::GreyFrame;

/// How much work a reader may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// On every frame.
    Quick,
    /// On a frame in which nothing cheap read anything.
    Full,
}

/// A frame, and the same frame at half and at a quarter of its size; each pixel there is the mean of those it stands
/// for.
#[derive(Debug, Clone)]
pub(super) struct Pyramid<'a> {
    /// As the camera gave it.
    pub(super) full: &'a GreyFrame,
    /// Half as wide, half as high.
    pub(super) half: GreyFrame,
    /// A quarter as wide, a quarter as high.
    pub(super) quarter: GreyFrame,
}

impl<'a> Pyramid<'a> {
    pub(super) fn of(full: &'a GreyFrame) -> Self {
        let half = full.shrunk(2);
        let quarter = half.shrunk(2);
        Self { full, half, quarter }
    }
}
