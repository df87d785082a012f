//! The strip of the frame that a region of bars covers, laid straight: all rows of it aligned along the bars and
//! averaged to one profile, which has far less noise than any line of pixels.

use std::ops::Range;

use super::locate::Region;
use crate::scan::GreyFrame;

/// No strip has more columns.
const MAX_COLUMNS: usize = 2_048;
/// No more rows than about this many are averaged.
const MAX_ROWS: usize = 96;
/// How far from the axis the first rows are by which bars are aligned, in pixels.
const FIRST_REACH: i32 = 6;
/// A row through bars changes between dark and light at least so often; the shortest code has 25 edges.
const LEAST_SWINGS: usize = 14;
/// Columns have edges where they have this share of what most have.
const ACTIVE: f32 = 0.02;

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
    /// Corners of the bars between two columns, around from the upper left one of a code that runs from the first to
    /// the second.
    pub(super) fn corners(&self, from: f32, to: f32) -> [[f32; 2]; 4] {
        let corner = |column: f32, side: usize| {
            let s = self.first + column;
            self.axis.point(s, self.sides[side].at(s))
        };
        let (above, below) = if from < to { (0, 1) } else { (1, 0) };
        [corner(from, above), corner(to, above), corner(to, below), corner(from, below)]
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

/// The part of a frame that is laid straight.
struct View<'a> {
    frame: &'a GreyFrame,
    /// `s` of the first column.
    first: f32,
    columns: usize,
    /// The columns in which the region lies.
    inner: Range<usize>,
}

impl<'a> View<'a> {
    /// What lies about the axis's middle, so far to either side, and somewhat beyond.
    fn around(frame: &'a GreyFrame, half_length: f32) -> Option<Self> {
        let reach = half_length * 1.12 + 24.0;
        let columns = (2.0 * reach) as usize;
        let margin = (reach - half_length) as usize;
        let inner = margin..columns.saturating_sub(margin);
        (inner.len() > 24 && columns <= MAX_COLUMNS).then_some(Self { frame, first: -reach, columns, inner })
    }
}

/// Rows of samples of a strip, and what is made of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Strips {
    /// Brightness times 256.
    raw: Vec<i32>,
    /// Without slow changes along the row.
    flat: Vec<f32>,
    mean: Vec<f32>,
    slope: Vec<f32>,
    /// The slope times the place, from -1 to 1.
    moment: Vec<f32>,
    sums: Vec<i32>,
}

impl Strips {
    /// The profile of a region, its bars' directions found to a fraction of a pixel; `None` where there are no bars.
    pub(super) fn profile(&mut self, frame: &GreyFrame, region: &Region) -> Option<Profile> {
        let mut axis =
            Axis { centre: region.centre, along: region.along, lean: region.lean, convergence: region.convergence };
        let mut half_length = region.half_length;
        let mut first_reach = FIRST_REACH as f32;
        for turn in 0.. {
            let wide = View::around(frame, half_length)?;
            let (middle, _) = self.band(&wide, &axis, region.half_height)?;
            axis.centre = axis.point(0.0, middle);
            let rows: Vec<f32> = (-FIRST_REACH..=FIRST_REACH).map(|row| row as f32).collect();
            for _ in 0..2 {
                self.sample_flat(&wide, &axis, &rows);
                self.refine(&wide, &mut axis, &rows)?;
            }
            // Other edges of the same direction may belong to the region; the code is the part with most of them.
            let block = self.block(&wide)?;
            let s = wide.first + 0.5 * (block.start + block.end) as f32;
            axis.centre = axis.point(s, 0.0);
            axis.lean -= axis.convergence * s;
            let view = View::around(frame, 0.5 * block.len() as f32)?;
            let (middle, half_height) = self.band(&view, &axis, region.half_height)?;
            axis.centre = axis.point(0.0, middle);
            let rows = self.align(&view, &mut axis, half_height, first_reach)?;
            let sides = self.sides(&view, &rows)?;
            let skew = 0.5 * (sides[0].slope + sides[1].slope);
            let shift = 0.5 * (sides[0].middle + sides[1].middle);
            let height = sides[1].middle - sides[0].middle;
            if turn > 0 || ((skew * half_length).abs() < 3.0 && shift.abs() < 0.3 * height) {
                return Some(self.average(&view, axis, sides));
            }
            axis = shifted(axis, skew, shift);
            // A strip that was far off the code's own axis may have left it.
            if skew.abs() < 0.15 {
                half_length = 0.5 * block.len() as f32;
            }
            first_reach *= 4.0;
        }
        None
    }

    /// Samples rows of the strip at the given distances from the axis.
    fn sample(&mut self, view: &View<'_>, axis: &Axis, rows: &[f32]) {
        self.raw.resize(view.columns * rows.len(), 0);
        let frame = view.frame;
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let luma = frame.luma();
        let last = view.first + view.columns as f32;
        for (row, &v) in self.raw.chunks_exact_mut(view.columns).zip(rows) {
            let ends = [axis.point(view.first, v), axis.point(last, v)];
            let inside = ends
                .iter()
                .all(|[x, y]| (1.0..width as f32 - 2.0).contains(x) && (1.0..height as f32 - 2.0).contains(y));
            let step = (view.columns as f32).recip();
            let [mut x, mut y] = ends[0].map(fixed);
            let (dx, dy) = (fixed((ends[1][0] - ends[0][0]) * step), fixed((ends[1][1] - ends[0][1]) * step));
            let between = |a: u8, b: u8, c: u8, d: u8, fx: i32, fy: i32| {
                let [a, b, c, d] = [a, b, c, d].map(i32::from);
                let upper = (a << 8) + (b - a) * fx;
                let lower = (c << 8) + (d - c) * fx;
                upper + (((lower - upper) * fy) >> 8)
            };
            for sample in row {
                let (column, line) = (x >> 16, y >> 16);
                let (fx, fy) = ((x & 0xFFFF) >> 8, (y & 0xFFFF) >> 8);
                *sample = if inside {
                    let at = line as usize * width + column as usize;
                    let (upper, lower) = (&luma[at..at + 2], &luma[at + width..at + width + 2]);
                    between(upper[0], upper[1], lower[0], lower[1], fx, fy)
                } else {
                    let (column, line) = (i64::from(column), i64::from(line));
                    let at = |dx: i64, dy: i64| frame.at(column + dx, line + dy);
                    between(at(0, 0), at(1, 0), at(0, 1), at(1, 1), fx, fy)
                };
                x += dx;
                y += dy;
            }
        }
    }

    /// Samples rows and takes away each row's slow changes, so that light and shade do not count.
    fn sample_flat(&mut self, view: &View<'_>, axis: &Axis, rows: &[f32]) {
        self.sample(view, axis, rows);
        let columns = view.columns;
        let radius = (columns / 24).clamp(8, 48).min(columns / 2 - 1);
        self.sums.resize(columns + 1, 0);
        self.flat.resize(columns * rows.len(), 0.0);
        let rows = self.raw.chunks_exact(columns).zip(self.flat.chunks_exact_mut(columns));
        for (raw, flat) in rows {
            let mut sum = 0;
            for (total, level) in self.sums[1..].iter_mut().zip(raw) {
                sum += level;
                *total = sum;
            }
            let whole = (radius * 2 + 1) as f32;
            let middle = self.sums[2 * radius + 1..].iter().zip(&self.sums);
            for ((flat, raw), (to, from)) in flat[radius..].iter_mut().zip(&raw[radius..]).zip(middle) {
                *flat = (*raw as f32 - (to - from) as f32 / whole) / 256.0;
            }
            for at in (0..radius).chain(columns - radius..columns) {
                let (from, to) = (at.saturating_sub(radius), (at + radius + 1).min(columns));
                flat[at] = (raw[at] as f32 - (self.sums[to] - self.sums[from]) as f32 / (to - from) as f32) / 256.0;
            }
        }
    }

    /// The band of rows in which there is most to see: its middle and half its height.
    fn band(&mut self, view: &View<'_>, axis: &Axis, half_height: f32) -> Option<(f32, f32)> {
        let step = (half_height / 16.0).max(2.0);
        let count = (half_height / step) as i32 + 1;
        let rows: Vec<f32> = (-count..=count).map(|row| row as f32 * step).collect();
        self.sample_flat(view, axis, &rows);
        let row = |at: usize| &self.flat[at * view.columns..][view.inner.clone()];
        // What two rows have in common is no noise.
        let energy: Vec<f32> = (1..rows.len()).map(|at| dot(row(at - 1), row(at))).collect();
        let smooth: Vec<f32> = (0..energy.len()).map(|at| around(&energy, at)).collect();
        let best = (0..smooth.len()).max_by(|one, other| smooth[*one].total_cmp(&smooth[*other]))?;
        let least = smooth.iter().copied().fold(f32::MAX, f32::min).max(0.0);
        let good = |at: &usize| smooth[*at] > 0.5 * (smooth[best] + least);
        let from = (0..=best).rev().take_while(good).last()?;
        let to = (best..smooth.len()).take_while(good).last()?;
        let place = |at: usize| rows[at] + 0.5 * step;
        Some((0.5 * (place(from) + place(to)), 0.5 * (place(to) - place(from)) + step))
    }

    /// The columns with most edges in the mean row, without gaps as wide as quiet zones; `None` where they are too few to
    /// be a code.
    fn block(&self, view: &View<'_>) -> Option<Range<usize>> {
        let length = view.inner.len();
        let radius = (length * 12 / 1_000).max(3);
        // What the upper and the lower rows have in common is no noise.
        let halves = [0, 1].map(|half| {
            let mut sum = vec![0.0_f32; view.columns];
            for row in self.flat.chunks_exact(view.columns).skip(half).step_by(2) {
                for (sum, level) in sum.iter_mut().zip(row) {
                    *sum += level;
                }
            }
            sum
        });
        let mut sums = vec![0.0; view.columns + 1];
        for at in 1..view.columns {
            let slope = |half: usize| halves[half][at] - halves[half][at - 1];
            sums[at + 1] = sums[at] + slope(0) * slope(1);
        }
        let activity: Vec<f32> = view
            .inner
            .clone()
            .map(|at| sums[(at + radius + 1).min(view.columns)] - sums[at.saturating_sub(radius)])
            .collect();
        let mut sorted = activity.clone();
        let (_, high, _) = sorted.select_nth_unstable_by(length * 8 / 10, f32::total_cmp);
        let least = ACTIVE * *high;
        // Edges are less than two modules apart in the mean; no space in a code is over four, a quiet zone is ten.
        let active = activity.iter().filter(|activity| **activity > least).count();
        let apart = active / swings(&self.mean[view.inner.clone()]).max(1);
        let gap = (7 * apart / 2).saturating_sub(2 * radius).max(6);
        let mut best = (0, 0..0);
        let mut at = 0;
        while at < length {
            let Some(from) = (at..length).find(|at| activity[*at] > least) else { break };
            let mut to = from;
            let mut next = from;
            while next < length && next - to <= gap {
                if activity[next] > least {
                    to = next;
                }
                next += 1;
            }
            at = next.max(to + 1);
            let columns = view.inner.start + from..view.inner.start + to + 1;
            let swings = swings(&self.mean[columns.clone()]);
            if swings > best.0 {
                best = (swings, columns);
            }
        }
        (best.0 >= LEAST_SWINGS).then_some(best.1)
    }

    /// Finds how the bars lean, first from rows near the axis, then from ever more of them. Returns the last rows.
    fn align(&mut self, view: &View<'_>, axis: &mut Axis, half_height: f32, first_reach: f32) -> Option<Vec<f32>> {
        let reach = (half_height + 12.0).max(16.0);
        let mut far = first_reach.min(reach);
        loop {
            let step = (far / 12.0).max(1.0);
            let count = (far / step) as i32;
            let rows: Vec<f32> = (-count..=count).map(|row| row as f32 * step).collect();
            self.sample_flat(view, axis, &rows);
            self.refine(view, axis, &rows)?;
            if far >= reach {
                self.sample_flat(view, axis, &rows);
                self.template(view, rows.len());
                return Some(rows);
            }
            far = (far * 2.2).min(reach);
        }
    }

    /// The mean of the rows and its slope.
    fn template(&mut self, view: &View<'_>, rows: usize) {
        let columns = view.columns;
        self.mean.clear();
        self.mean.resize(columns, 0.0);
        for row in self.flat.chunks_exact(columns) {
            for (mean, level) in self.mean.iter_mut().zip(row) {
                *mean += level;
            }
        }
        for mean in &mut self.mean {
            *mean /= rows as f32;
        }
        self.slope.clear();
        self.slope.resize(columns, 0.0);
        self.moment.clear();
        self.moment.resize(columns, 0.0);
        let scale = view.first.abs().max(1.0).recip();
        for at in view.inner.start.max(1)..view.inner.end.min(columns - 1) {
            self.slope[at] = 0.5 * (self.mean[at + 1] - self.mean[at - 1]);
            self.moment[at] = self.slope[at] * (view.first + at as f32) * scale;
        }
    }

    /// One Gauss-Newton step: rows off the axis differ from the mean as far as the lean is wrong.
    fn refine(&mut self, view: &View<'_>, axis: &mut Axis, rows: &[f32]) -> Option<()> {
        self.template(view, rows.len());
        let normal = [dot(&self.slope, &self.slope), dot(&self.slope, &self.moment), dot(&self.moment, &self.moment)];
        let own = [dot(&self.mean, &self.slope), dot(&self.mean, &self.moment)];
        let (mut squares, mut right) = (0.0, [0.0_f32; 2]);
        for (row, v) in self.flat.chunks_exact(view.columns).zip(rows) {
            squares += v * v;
            right[0] += v * (dot(row, &self.slope) - own[0]);
            right[1] += v * (dot(row, &self.moment) - own[1]);
        }
        let [a, b, c] = normal.map(|value| value * squares);
        let determinant = a * c - b * b;
        if determinant.is_nan() || determinant <= 1e-6 * a * c || a <= 0.0 {
            return None;
        }
        let scale = view.first.abs().max(1.0);
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
    fn sides(&self, view: &View<'_>, rows: &[f32]) -> Option<[Line; 2]> {
        let third = view.inner.len() / 3;
        let mut ends = [[0.0_f32; 2]; 3];
        for (part, ends) in ends.iter_mut().enumerate() {
            let from = view.inner.start + part * third;
            let mean = &self.mean[from..from + third];
            let square = dot(mean, mean).max(1e-3);
            let gains: Vec<f32> =
                self.flat.chunks_exact(view.columns).map(|row| dot(&row[from..from + third], mean) / square).collect();
            let top = gains.iter().copied().fold(0.0, f32::max);
            // From the row that is most like the mean one.
            let start = (0..rows.len()).max_by(|one, other| around(&gains, *one).total_cmp(&around(&gains, *other)))?;
            let good = |at: &usize| around(&gains, *at) > 0.45 * top;
            let up = (0..=start).rev().take_while(good).last()?;
            let down = (start..rows.len()).take_while(good).last()?;
            *ends = [rows[up], rows[down]];
        }
        let place = |part: usize| view.first + (view.inner.start + part * third + third / 2) as f32;
        let height = |part: usize| ends[part][1] - ends[part][0];
        let tallest = (0..3).map(height).fold(0.0, f32::max);
        if tallest < 4.0 {
            return None;
        }
        let sound: Vec<usize> = (0..3).filter(|part| height(*part) > 0.5 * tallest).collect();
        let (one, other) = (*sound.first()?, *sound.last()?);
        let count = sound.len() as f32;
        let middle = sound.iter().map(|part| place(*part)).sum::<f32>() / count;
        let steepest = tallest / view.inner.len() as f32;
        Some([0, 1].map(|side| {
            let mean = sound.iter().map(|part| ends[*part][side]).sum::<f32>() / count;
            let slope =
                if one == other { 0.0 } else { (ends[other][side] - ends[one][side]) / (place(other) - place(one)) };
            let slope = slope.clamp(-steepest, steepest);
            Line { middle: mean - slope * middle, slope }
        }))
    }

    /// The mean of all rows between the sides.
    fn average(&mut self, view: &View<'_>, axis: Axis, sides: [Line; 2]) -> Profile {
        let (first, columns) = (view.first, view.columns);
        let last = first + columns as f32;
        let low = sides[0].at(first).min(sides[0].at(last));
        let high = sides[1].at(first).max(sides[1].at(last));
        let step = ((high - low) / MAX_ROWS as f32).max(1.0);
        let count = ((high - low) / step) as usize + 1;
        let rows: Vec<f32> = (0..count).map(|row| low + row as f32 * step).collect();
        self.sample(view, &axis, &rows);
        let mut sums = vec![[0.0_f32; 3]; columns];
        for (row, v) in self.raw.chunks_exact(columns).zip(&rows) {
            for (at, (sum, level)) in sums.iter_mut().zip(row).enumerate() {
                let s = first + at as f32;
                let (top, bottom) = (sides[0].at(s), sides[1].at(s));
                let edge = (0.06 * (bottom - top)).min(2.0);
                if *v >= top + edge && *v <= bottom - edge {
                    let level = *level as f32 / 256.0;
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
        Profile { levels, noise, span: [view.inner.start as f32, view.inner.end as f32], axis, first, sides }
    }
}

/// The mean of a value and its neighbours.
fn around(values: &[f32], at: usize) -> f32 {
    let range = at.saturating_sub(1)..(at + 2).min(values.len());
    values[range.clone()].iter().sum::<f32>() / range.len() as f32
}

/// How often a row without slow changes swings from dark to light and back.
fn swings(row: &[f32]) -> usize {
    let square = dot(row, row) / row.len().max(1) as f32;
    let least = 0.5 * square.sqrt();
    let mut light = false;
    let mut count = 0;
    for level in row {
        if (light && *level < -least) || (!light && *level > least) {
            light = !light;
            count += 1;
        }
    }
    count
}

/// Eight sums side by side, as processors add.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f32 = ones.remainder().iter().zip(others.remainder()).map(|(one, other)| one * other).sum();
    let mut sums = [0.0_f32; 8];
    for (one, other) in ones.zip(others) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    sums.iter().sum::<f32>() + rest
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

/// Sixteen bits of fraction; far beyond any frame all places are the same.
fn fixed(value: f32) -> i32 {
    (value.clamp(-16_000.0, 16_000.0) * 65_536.0) as i32
}
