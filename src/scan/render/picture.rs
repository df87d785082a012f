//! A picture under the brush: boxes, print and blur.

use super::glyph;

/// Grey levels from 0 to 255, not yet whole.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) levels: Vec<f32>,
}

/// A rectangle: left, top, right, bottom.
pub(super) type Area = [f32; 4];

impl Picture {
    pub(super) fn new(width: usize, height: usize, level: f32) -> Self {
        Self { width, height, levels: vec![level; width * height] }
    }

    /// A box; what lies outside the picture is cut off.
    pub(super) fn fill(&mut self, [left, top, right, bottom]: Area, level: f32) {
        let within = |at: f32, side: usize| at.round().clamp(0.0, side as f32) as usize;
        let (left, right) = (within(left, self.width), within(right, self.width));
        for y in within(top, self.height)..within(bottom, self.height) {
            if left < right {
                self.levels[y * self.width + left..y * self.width + right].fill(level);
            }
        }
    }

    /// A box's outline.
    pub(super) fn outline(&mut self, [left, top, right, bottom]: Area, line: f32, level: f32) {
        self.fill([left, top, right, top + line], level);
        self.fill([left, bottom - line, right, bottom], level);
        self.fill([left, top, left + line, bottom], level);
        self.fill([right - line, top, right, bottom], level);
    }

    /// Print, in letters `size` high.
    pub(super) fn print(&mut self, text: &str, [x, y]: [f32; 2], size: f32, level: f32) {
        let dot = size / glyph::ROWS as f32;
        for (place, character) in text.chars().enumerate() {
            let left = x + dot * (place * (glyph::COLUMNS + 1)) as f32;
            for (column, row) in glyph::dots(character) {
                let (dx, dy) = (left + dot * column as f32, y + dot * row as f32);
                self.fill([dx, dy, dx + dot, dy + dot], level);
            }
        }
    }

    /// Blurs with a Gaussian of that standard deviation in pixels.
    pub(super) fn blur(&mut self, sigma: f32) {
        if sigma < 0.2 {
            return;
        }
        let radius = (3.0 * sigma).ceil() as usize;
        let weights: Vec<f32> =
            (0..=2 * radius).map(|at| (-((at as f32 - radius as f32) / sigma).powi(2) / 2.0).exp()).collect();
        let sum: f32 = weights.iter().sum();
        let weights: Vec<f32> = weights.into_iter().map(|weight| weight / sum).collect();
        let mut padded = vec![0.0; self.width + 2 * radius];
        for row in self.levels.chunks_exact_mut(self.width) {
            padded[..radius].fill(row[0]);
            padded[radius..radius + row.len()].copy_from_slice(row);
            padded[radius + row.len()..].fill(row[row.len() - 1]);
            for (level, window) in row.iter_mut().zip(padded.windows(weights.len())) {
                *level = window.iter().zip(&weights).map(|(level, weight)| level * weight).sum();
            }
        }
        let before = self.levels.clone();
        for (y, row) in self.levels.chunks_exact_mut(self.width).enumerate() {
            row.fill(0.0);
            for (at, weight) in weights.iter().enumerate() {
                let from = (y + at).saturating_sub(radius).min(self.height - 1) * self.width;
                for (level, before) in row.iter_mut().zip(&before[from..]) {
                    *level += before * weight;
                }
            }
        }
    }
}
