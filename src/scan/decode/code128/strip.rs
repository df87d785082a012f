//! The strip of the frame that a region of bars covers, laid straight: all rows of it aligned along the bars and
//! averaged to one profile, which has far less noise than any line of pixels.

use super::locate::Region;
use crate::scan::GreyFrame;

/// No strip has more columns.
const MAX_COLUMNS: usize = 2_048;
/// No more rows than about this many are averaged.
const MAX_ROWS: usize = 96;

/// Coordinates along a code. A bar that crosses the axis at `s` passes through `u = s (1 - h v) + k v` at a distance `v`
/// from the axis, where `k` is the lean and `h` the convergence: exact for a plane seen in perspective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    centre: [f32; 2],
    along: [f32; 2],
    lean: f32,
    convergence: f32,
}

impl Axis {
    /// The point of the frame where the bar at `s` is `v` pixels from the axis.
    pub(super) fn point(&self, s: f32, v: f32) -> [f32; 2] {
        let u = s * (1.0 - self.convergence * v) + self.lean * v;
        let [x, y] = self.along;
        [self.centre[0] + u * x - v * y, self.centre[1] + u * y + v * x]
    }
}

/// One row of brightness along a code, a sample to a pixel.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) levels: Vec<f32>,
    /// Standard deviation of the noise of a level.
    pub(super) noise: f32,
    /// The likely first and last column of the code.
    pub(super) span: [f32; 2],
    axis: Axis,
    first: f32,
    sides: [Line; 2],
}

impl Profile {
    /// Corners of the bars between two columns: the first column's upper end, the last column's, and back below.
    pub(super) fn corners(&self, from: f32, to: f32) -> [[f32; 2]; 4] {
        let corner = |column: f32, side: usize| {
            let s = self.first + column;
            self.axis.point(s, self.sides[side].at(s))
        };
        [corner(from, 0), corner(to, 0), corner(to, 1), corner(from, 1)]
    }
}

/// `v` of a side as a linear function of `s`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    middle: f32,
    slope: f32,
}

impl Line {
    fn at(self, s: f32) -> f32 {
        self.slope * s + self.middle
    }
}

/// Rows of samples of a strip.
#[derive(Debug, Clone, Default)]
pub(super) struct Strips {
    samples: Vec<f32>,
    mean: Vec<f32>,
    slope: Vec<f32>,
    scratch: Vec<f32>,
}

impl Strips {
    /// The profile of a region, its bars' directions found to a fraction of a pixel; `None` where nothing is aligned.
    pub(super) fn profile(&mut self, frame: &GreyFrame, region: &Region) -> Option<Profile> {
        let mut axis =
            Axis { centre: region.centre, along: region.along, lean: region.lean, convergence: region.convergence };
        let reach = region.half_length * 1.12 + 24.0;
        let columns = (2.0 * reach) as usize;
        if !(16..=MAX_COLUMNS).contains(&columns) {
            return None;
        }
        let first = -reach;
        let inner = ((reach - region.half_length) as usize, columns - (reach - region.half_length) as usize);
        let mut sides = None;
        let (middle, half_height) = self.band(frame, &axis, first, columns, inner, region.half_height);
        axis.centre = axis.point(0.0, middle);
        for turn in 0..2 {
            let rows = self.align(frame, &mut axis, first, columns, inner, half_height, turn)?;
            let found = self.sides(&rows, first, columns, inner, region.half_length)?;
            let skew = 0.5 * (found[0].slope + found[1].slope);
            let shift = 0.5 * (found[0].middle + found[1].middle);
            sides = Some(found);
            if turn == 0
                && (skew * region.half_length).abs() < 3.0
                && shift.abs() < 0.3 * (found[1].middle - found[0].middle)
            {
                break;
            }
            if turn == 0 {
                axis = shifted(axis, skew, shift);
            }
        }
        let sides = sides?;
        Some(self.average(frame, axis, first, columns, sides, inner))
    }

    /// Samples rows of the strip at the given distances from the axis.
    fn sample(&mut self, frame: &GreyFrame, axis: &Axis, first: f32, columns: usize, rows: &[f32]) {
        self.samples.clear();
        self.samples.reserve(columns * rows.len());
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let luma = frame.luma();
        for &v in rows {
            let [x0, y0] = axis.point(first, v);
            let [x1, y1] = axis.point(first + 1.0, v);
            let (mut x, mut y, dx, dy) = (fixed(x0), fixed(y0), fixed(x1 - x0), fixed(y1 - y0));
            for _ in 0..columns {
                let (column, row) = ((x >> 16) as usize, (y >> 16) as usize);
                let (fx, fy) = ((x & 0xFFFF) >> 8, (y & 0xFFFF) >> 8);
                let quad = if x >= 0 && y >= 0 && column + 1 < width && row + 1 < height {
                    let at = row * width + column;
                    let (upper, lower) = (&luma[at..at + 2], &luma[at + width..at + width + 2]);
                    [upper[0], upper[1], lower[0], lower[1]]
                } else {
                    let (column, row) = (x >> 16, y >> 16);
                    [
                        frame.at(column, row),
                        frame.at(column + 1, row),
                        frame.at(column, row + 1),
                        frame.at(column + 1, row + 1),
                    ]
                };
                let [a, b, c, d] = quad.map(i64::from);
                let upper = (a << 8) + (b - a) * fx;
                let lower = (c << 8) + (d - c) * fx;
                self.samples.push(((upper << 8) + (lower - upper) * fy) as f32 / 65_536.0);
                x += dx;
                y += dy;
            }
        }
    }

    /// The band of rows in which there is most to see: its middle and half its height.
    fn band(
        &mut self,
        frame: &GreyFrame,
        axis: &Axis,
        first: f32,
        columns: usize,
        inner: (usize, usize),
        half_height: f32,
    ) -> (f32, f32) {
        let step = (half_height / 24.0).max(2.0);
        let count = (half_height / step) as i32 + 1;
        let rows: Vec<f32> = (-count..=count).map(|row| row as f32 * step).collect();
        self.sample(frame, axis, first, columns, &rows);
        self.flatten(columns, rows.len());
        let rows_of = |at: usize| &self.samples[at * columns + inner.0..at * columns + inner.1];
        // What two rows have in common is no noise.
        let energy: Vec<f32> = (1..rows.len())
            .map(|at| rows_of(at - 1).iter().zip(rows_of(at)).map(|(one, other)| one * other).sum())
            .collect();
        let smooth: Vec<f32> = (0..energy.len())
            .map(|at| {
                let range = at.saturating_sub(1)..(at + 2).min(energy.len());
                energy[range.clone()].iter().sum::<f32>() / range.len() as f32
            })
            .collect();
        let Some(best) = (0..smooth.len()).max_by(|one, other| smooth[*one].total_cmp(&smooth[*other])) else {
            return (0.0, half_height);
        };
        let least = smooth.iter().copied().fold(f32::MAX, f32::min).max(0.0);
        let good = |at: &usize| smooth[*at] > 0.5 * (smooth[best] + least);
        let from = (0..=best).rev().take_while(good).last().unwrap_or(best);
        let to = (best..smooth.len()).take_while(good).last().unwrap_or(best);
        let place = |at: usize| rows[at] + 0.5 * step;
        (0.5 * (place(from) + place(to)), 0.5 * (place(to) - place(from)) + step)
    }

    /// Finds how the bars lean, first from rows near the axis, then from ever more of them. Returns the last rows.
    #[allow(clippy::too_many_arguments)]
    fn align(
        &mut self,
        frame: &GreyFrame,
        axis: &mut Axis,
        first: f32,
        columns: usize,
        inner: (usize, usize),
        half_height: f32,
        turn: usize,
    ) -> Option<Vec<f32>> {
        let reach = (half_height + 12.0).max(16.0);
        let mut far = if turn == 0 { 6.0_f32.min(reach) } else { reach.min(24.0) };
        loop {
            let step = (far / 20.0).max(1.0);
            let count = (far / step) as i32;
            let rows: Vec<f32> = (-count..=count).map(|row| row as f32 * step).collect();
            for _ in 0..2 {
                self.sample(frame, axis, first, columns, &rows);
                self.flatten(columns, rows.len());
                self.refine(axis, first, columns, inner, &rows)?;
            }
            if far >= reach {
                self.sample(frame, axis, first, columns, &rows);
                self.flatten(columns, rows.len());
                self.template(columns, rows.len());
                return Some(rows);
            }
            far = (far * 2.0).min(reach);
        }
    }

    /// Takes away each row's slow changes, so that light and shade do not count.
    fn flatten(&mut self, columns: usize, rows: usize) {
        let radius = (columns / 24).clamp(8, 48);
        self.scratch.resize(columns + 1, 0.0);
        for row in self.samples.chunks_exact_mut(columns).take(rows) {
            let mut sum = 0.0;
            for (total, level) in self.scratch[1..].iter_mut().zip(row.iter()) {
                sum += level;
                *total = sum;
            }
            for (at, level) in row.iter_mut().enumerate() {
                let (from, to) = (at.saturating_sub(radius), (at + radius + 1).min(columns));
                *level -= (self.scratch[to] - self.scratch[from]) / (to - from) as f32;
            }
        }
    }

    /// The mean of the rows and its slope.
    fn template(&mut self, columns: usize, rows: usize) {
        self.mean.clear();
        self.mean.resize(columns, 0.0);
        for row in self.samples.chunks_exact(columns) {
            for (mean, level) in self.mean.iter_mut().zip(row) {
                *mean += level;
            }
        }
        for mean in &mut self.mean {
            *mean /= rows as f32;
        }
        self.slope.clear();
        self.slope.resize(columns, 0.0);
        for at in 1..columns - 1 {
            self.slope[at] = 0.5 * (self.mean[at + 1] - self.mean[at - 1]);
        }
    }

    /// One Gauss-Newton step: rows off the axis differ from the mean as far as the lean is wrong.
    fn refine(
        &mut self,
        axis: &mut Axis,
        first: f32,
        columns: usize,
        inner: (usize, usize),
        rows: &[f32],
    ) -> Option<()> {
        self.template(columns, rows.len());
        let (from, to) = inner;
        let scale = first.abs().max(1.0);
        let position = |at: usize| (first + at as f32) / scale;
        let mut normal = [0.0_f32; 3];
        for at in from..to {
            let square = self.slope[at] * self.slope[at];
            let s = position(at);
            normal = [normal[0] + square, normal[1] + square * s, normal[2] + square * s * s];
        }
        let (mut squares, mut right) = (0.0, [0.0_f32; 2]);
        for (row, v) in self.samples.chunks_exact(columns).zip(rows) {
            let (mut even, mut odd) = (0.0, 0.0);
            for (at, level) in row.iter().enumerate().take(to).skip(from) {
                let product = (level - self.mean[at]) * self.slope[at];
                even += product;
                odd += product * position(at);
            }
            squares += v * v;
            right = [right[0] + v * even, right[1] + v * odd];
        }
        let [a, b, c] = normal.map(|value| value * squares);
        let determinant = a * c - b * b;
        if determinant.is_nan() || determinant <= 1e-6 * a * c || a <= 0.0 {
            return None;
        }
        let lean = (c * right[0] - b * right[1]) / determinant;
        let convergence = (a * right[1] - b * right[0]) / determinant / scale;
        // Far steps are beyond what is linear.
        let far = rows.last().copied().unwrap_or(1.0).max(1.0);
        axis.lean = (axis.lean - lean.clamp(-2.0 / far, 2.0 / far)).clamp(-1.5, 1.5);
        let most = 2.0 / (far * scale);
        axis.convergence = (axis.convergence + convergence.clamp(-most, most)).clamp(-0.004, 0.004);
        Some(())
    }

    /// Where the bars end above and below: rows beyond are unlike the mean row.
    fn sides(
        &mut self,
        rows: &[f32],
        first: f32,
        columns: usize,
        inner: (usize, usize),
        half_length: f32,
    ) -> Option<[Line; 2]> {
        let (from, to) = inner;
        let third = (to - from) / 3;
        let mut ends = [[0.0_f32; 2]; 3];
        for (part, ends) in ends.iter_mut().enumerate() {
            let range = from + part * third..from + (part + 1) * third;
            let square: f32 = self.mean[range.clone()].iter().map(|level| level * level).sum();
            let gains: Vec<f32> = self
                .samples
                .chunks_exact(columns)
                .map(|row| {
                    let product: f32 =
                        row[range.clone()].iter().zip(&self.mean[range.clone()]).map(|(row, mean)| row * mean).sum();
                    product / square.max(1e-3)
                })
                .collect();
            let top = gains.iter().copied().fold(0.0, f32::max);
            let smooth = |at: usize| {
                let range = at.saturating_sub(1)..(at + 2).min(gains.len());
                gains[range.clone()].iter().sum::<f32>() / range.len() as f32
            };
            // From the row that is most like the mean one.
            let start = (0..rows.len()).max_by(|one, other| smooth(*one).total_cmp(&smooth(*other)))?;
            let good = |at: &usize| smooth(*at) > 0.45 * top;
            let up = (0..=start).rev().take_while(good).last()?;
            let down = (start..rows.len()).take_while(good).last()?;
            *ends = [rows[up], rows[down]];
        }
        let place = |part: usize| first + (from + part * third + third / 2) as f32;
        let height = |part: usize| ends[part][1] - ends[part][0];
        let tallest = (0..3).map(height).fold(0.0, f32::max);
        if tallest < 4.0 {
            return None;
        }
        let sound: Vec<usize> = (0..3).filter(|part| height(*part) > 0.5 * tallest).collect();
        let (one, other) = (*sound.first()?, *sound.last()?);
        Some([0, 1].map(|side| {
            let mean = sound.iter().map(|part| ends[*part][side]).sum::<f32>() / sound.len() as f32;
            if one == other {
                return Line { middle: mean, slope: 0.0 };
            }
            let slope = (ends[other][side] - ends[one][side]) / (place(other) - place(one));
            let slope = slope.clamp(-0.5 * half_length.recip() * tallest, 0.5 * half_length.recip() * tallest);
            let middle = sound.iter().map(|part| place(*part)).sum::<f32>() / sound.len() as f32;
            Line { middle: mean - slope * middle, slope }
        }))
    }

    /// The mean of all rows between the sides.
    fn average(
        &mut self,
        frame: &GreyFrame,
        axis: Axis,
        first: f32,
        columns: usize,
        sides: [Line; 2],
        inner: (usize, usize),
    ) -> Profile {
        let last = first + columns as f32;
        let low = sides[0].at(first).min(sides[0].at(last));
        let high = sides[1].at(first).max(sides[1].at(last));
        let step = ((high - low) / MAX_ROWS as f32).max(1.0);
        let count = ((high - low) / step) as usize + 1;
        let rows: Vec<f32> = (0..count).map(|row| low + row as f32 * step).collect();
        self.sample(frame, &axis, first, columns, &rows);
        let mut sums = vec![[0.0_f32; 3]; columns];
        for (row, v) in self.samples.chunks_exact(columns).zip(&rows) {
            for (at, (sum, level)) in sums.iter_mut().zip(row).enumerate() {
                let s = first + at as f32;
                let (top, bottom) = (sides[0].at(s), sides[1].at(s));
                let edge = (0.06 * (bottom - top)).min(2.0);
                if *v >= top + edge && *v <= bottom - edge {
                    *sum = [sum[0] + 1.0, sum[1] + level, sum[2] + level * level];
                }
            }
        }
        let mut levels = Vec::with_capacity(columns);
        let (mut variance, mut counted) = (0.0, 0.0);
        for [count, level, square] in sums {
            let mean = if count > 0.0 { level / count } else { levels.last().copied().unwrap_or(0.0) };
            levels.push(mean);
            if count > 2.0 {
                variance += (square / count - mean * mean).max(0.0) / count;
                counted += 1.0;
            }
        }
        let noise = (variance / f32::max(counted, 1.0)).sqrt();
        Profile { levels, noise, span: [inner.0 as f32, inner.1 as f32], axis, first, sides }
    }
}

/// The same bars on an axis that runs through their middle.
fn shifted(axis: Axis, skew: f32, shift: f32) -> Axis {
    let centre = axis.point(0.0, shift);
    let [ahead, back] = [100.0, -100.0].map(|s| axis.point(s, skew * s + shift));
    let length = (ahead[0] - back[0]).hypot(ahead[1] - back[1]).max(1.0);
    let along = [(ahead[0] - back[0]) / length, (ahead[1] - back[1]) / length];
    let above = axis.point(0.0, shift + 1.0);
    let (dx, dy) = (above[0] - centre[0], above[1] - centre[1]);
    let lean = (dx * along[0] + dy * along[1]) / (dy * along[0] - dx * along[1]).max(0.1);
    Axis { centre, along, lean, convergence: axis.convergence }
}

fn fixed(value: f32) -> i64 {
    (value * 65_536.0) as i64
}
