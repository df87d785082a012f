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
        let half = halved(full);
        let quarter = halved(&half);
        Self { full, half, quarter }
    }
}

/// The frame at half its size. An odd last row or column is left out; a side of one pixel stays.
fn halved(frame: &GreyFrame) -> GreyFrame {
    let (width, height) = (frame.width() / 2, frame.height() / 2);
    if width == 0 || height == 0 {
        return frame.clone();
    }
    let mut luma = Vec::with_capacity(width as usize * height as usize);
    for rows in frame.luma().chunks_exact(2 * frame.width() as usize) {
        let (upper, lower) = rows.split_at(frame.width() as usize);
        luma.extend(upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(|(upper, lower)| {
            let sum = u16::from(upper[0]) + u16::from(upper[1]) + u16::from(lower[0]) + u16::from(lower[1]);
            (sum / 4) as u8
        }));
    }
    GreyFrame::new(width, height, width as usize, &luma).unwrap_or_else(|_| frame.clone())
}
