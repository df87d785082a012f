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
}

impl<'a> Level<'a> {
    pub fn of(frame: &'a GreyFrame, scale: f32) -> Self {
        Self { width: frame.width() as usize, height: frame.height() as usize, scale, luma: frame.luma() }
    }

    /// The grey value there, between pixels by bilinear interpolation; beyond the edge that of the edge.
    pub fn at(&self, place: Point) -> f32 {
        self.within([place[0] / self.scale, place[1] / self.scale])
    }

    /// The same, the place told in this level's own pixels.
    pub fn within(&self, place: Point) -> f32 {
        let (x, column) = split(place[0] - 0.5, self.width);
        let (y, row) = split(place[1] - 0.5, self.height);
        let from = row * self.width + column;
        let (above, under) = (self.luma.get(from..from + 2), self.luma.get(from + self.width..from + self.width + 2));
        // A frame of one row or column has no second one.
        let (Some(above), Some(under)) = (above, under) else {
            return self.luma.get(from).map_or(0.0, |level| f32::from(*level));
        };
        let between = |pair: &[u8]| f32::from(pair[0]) + (f32::from(pair[1]) - f32::from(pair[0])) * x;
        let above = between(above);
        above + (between(under) - above) * y
    }

    /// Whether the place is within the frame.
    pub fn contains(&self, place: Point) -> bool {
        let within = |value: f32, side: usize| value >= 0.0 && value <= side as f32 * self.scale;
        within(place[0], self.width) && within(place[1], self.height)
    }
}

/// The fraction and the whole part, so that the next pixel exists too.
fn split(value: f32, side: usize) -> (f32, usize) {
    let value = value.clamp(0.0, (side - 1) as f32);
    let whole = (value as usize).min(side.saturating_sub(2));
    (value - whole as f32, whole)
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
