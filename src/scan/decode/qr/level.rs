//! A frame at one of its sizes, and grey values between its pixels.

use super::geometry::Point;
use crate::scan::GreyFrame;

/// A frame, `scale` times smaller than the one the camera gave. Places are told in pixels of the camera's frame, whose
/// first pixel reaches from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level<'a> {
    pub width: usize,
    pub height: usize,
    pub scale: f32,
    pub luma: &'a [u8],
    /// The last column and row.
    last: [f32; 2],
    /// The last ones that have another after them, or 0.
    edge: [i32; 2],
    /// Pixels from a row to the next, or 0 where there is one row.
    below: usize,
}

impl<'a> Level<'a> {
    pub fn of(frame: &'a GreyFrame, scale: f32) -> Self {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let sides = [width, height];
        Self {
            width,
            height,
            scale,
            luma: frame.luma(),
            last: sides.map(|side| side.saturating_sub(1) as f32),
            edge: sides.map(|side| side.saturating_sub(2) as i32),
            below: if height > 1 { width } else { 0 },
        }
    }

    /// The grey value there, between pixels by bilinear interpolation; beyond the edge that of the edge.
    pub fn at(&self, place: Point) -> f32 {
        self.within([place[0] / self.scale, place[1] / self.scale])
    }

    /// The same, the place told in this level's own pixels.
    pub fn within(&self, place: Point) -> f32 {
        let [x, y] = [0, 1].map(|axis| (place[axis] - 0.5).clamp(0.0, self.last[axis]));
        // The whole part, so that the next pixel exists too; 32 bits, as machines convert no others fast.
        let (column, row) = ((x as i32).min(self.edge[0]), (y as i32).min(self.edge[1]));
        let from = row as usize * self.width + column as usize;
        // A frame of one row or column has no second one.
        let (next, under) = (from + usize::from(self.width > 1), from + self.below);
        let (Some(above), Some(under)) = (self.luma.get(from..=next), self.luma.get(under..=under + next - from))
        else {
            return 0.0;
        };
        let (x, y) = (x - column as f32, y - row as f32);
        let between = |pair: &[u8]| {
            let [left, right] = [pair[0], pair[pair.len() - 1]].map(f32::from);
            left + (right - left) * x
        };
        let above = between(above);
        above + (between(under) - above) * y
    }

    /// Whether the place is within the frame.
    pub fn contains(&self, place: Point) -> bool {
        let within = |value: f32, side: usize| value >= 0.0 && value <= side as f32 * self.scale;
        within(place[0], self.width) && within(place[1], self.height)
    }
}

/// Each pixel with its neighbours, by weights 1, 2, 1 both ways: the pixels' own noise goes, shapes stay.
pub(super) fn smoothed(level: &Level<'_>, into: &mut Vec<u8>) {
    let (width, height) = (level.width, level.height);
    into.clear();
    into.resize(width * height, 0);
    if width < 3 || height < 3 {
        into.copy_from_slice(level.luma);
        return;
    }
    let mut sums = vec![0_u16; width];
    for (y, target) in into.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &level.luma[y * width..(y + 1) * width];
        let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        for (((sum, a), h), b) in sums.iter_mut().zip(above).zip(here).zip(below) {
            *sum = u16::from(*a) + 2 * u16::from(*h) + u16::from(*b);
        }
        for (((pixel, left), middle), right) in target[1..].iter_mut().zip(&sums).zip(&sums[1..]).zip(&sums[2..]) {
            *pixel = ((left + 2 * middle + right + 8) >> 4) as u8;
        }
        target[0] = ((3 * sums[0] + sums[1] + 8) >> 4) as u8;
        target[width - 1] = ((3 * sums[width - 1] + sums[width - 2] + 8) >> 4) as u8;
    }
}

/// The level on which a module has between two and four and a half pixels.
pub(super) fn level_for<'a, 'b>(levels: &'a [Level<'b>], module: f32) -> &'a Level<'b> {
    let at = levels.iter().rposition(|level| module / level.scale >= 2.2).unwrap_or(0);
    &levels[at]
}
