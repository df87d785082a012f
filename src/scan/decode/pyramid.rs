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

    /// The noise's standard deviation in grey levels, as far as a few thousand pixels tell: edges are rare among them,
    /// so that the middle one of their differences from the pixels beside them speaks of noise alone.
    pub(super) fn noise(&self) -> f32 {
        let (width, luma) = (self.full.width() as usize, self.full.luma());
        let mut counts = [0_u32; 512];
        // A step that shares no factor with usual widths wanders over all columns.
        for at in (1..luma.len().saturating_sub(1)).step_by(211).filter(|at| (at + 1) % width.max(1) > 1) {
            let bend = (2 * i32::from(luma[at]) - i32::from(luma[at - 1]) - i32::from(luma[at + 1])).unsigned_abs();
            counts[bend.min(511) as usize] += 1;
        }
        let half = counts.iter().sum::<u32>() / 2;
        let mut below = 0;
        let middle = counts.iter().position(|count| {
            below += count;
            below > half
        });
        // The middle of |a normal variable| is 0.6745 of its deviation, and this sum's is that of a pixel times root 6.
        middle.unwrap_or_default() as f32 / (0.6745 * 6.0_f32.sqrt())
    }

    /// Whether something moved since the frame whose quarter `before` is: a patch of eight by eight pixels there differs
    /// by more than noise and flicker make it.
    pub(super) fn moved_since(&self, before: &GreyFrame) -> bool {
        const PATCH: usize = 8;
        const LEVELS: u32 = 6;
        let now = &self.quarter;
        if (now.width(), now.height()) != (before.width(), before.height()) {
            return true;
        }
        let width = now.width() as usize;
        let rows = now.luma().chunks_exact(PATCH * width).zip(before.luma().chunks_exact(PATCH * width));
        let sum = |rows: &[u8], left: usize| -> u32 {
            rows.chunks_exact(width).flat_map(|row| &row[left..left + PATCH]).map(|level| u32::from(*level)).sum()
        };
        rows.into_iter().any(|(now, before)| {
            (0..width / PATCH).any(|patch| {
                sum(now, patch * PATCH).abs_diff(sum(before, patch * PATCH)) > LEVELS * (PATCH * PATCH) as u32
            })
        })
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
