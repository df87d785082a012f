//! Where in a frame long patches of parallel edges are, at any angle.
//!
//! Each cell of the frame has a structure tensor. Noise adds the same to both of its axes, so that the difference of
//! the axes tells edges of one direction from noise, however faint they are. Cells of like direction that touch form a
//! region; a region that is long across its edges may be a bar code.

use super::super::pyramid::Pyramid;
use crate::scan::GreyFrame;

/// Side of a cell in pixels of the full frame.
const CELL: usize = 16;
/// A region is at least so long across its edges, in pixels of the full frame.
const MIN_LENGTH: f32 = 70.0;
/// Cells of a region have at least this share of the strength of its strongest cell.
const RELATIVE: f32 = 0.18;

/// A patch of parallel edges. Lengths in pixels of the full frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    /// Its middle.
    pub(super) centre: [f32; 2],
    /// Unit vector along the code: across the bars, more or less.
    pub(super) along: [f32; 2],
    /// From the middle to either end.
    pub(super) half_length: f32,
    /// From the middle to either side.
    pub(super) half_height: f32,
    /// How far a bar leans along the code for each pixel across it, in the middle.
    pub(super) lean: f32,
    /// How much less it leans for each pixel along the code.
    pub(super) convergence: f32,
    /// The greater, the more it looks like bars.
    pub(super) score: f32,
}

/// Structure tensor of a cell: `difference` and `twist` are its direction at twice the angle, times its strength.
#[derive(Debug, Clone, Copy, Default)]
struct Tensor {
    difference: f32,
    twist: f32,
    trace: f32,
}

impl Tensor {
    fn add(&mut self, other: Self, weight: f32) {
        self.difference += other.difference * weight;
        self.twist += other.twist * weight;
        self.trace += other.trace * weight;
    }

    fn strength(self) -> f32 {
        (self.difference * self.difference + self.twist * self.twist).sqrt()
    }
}

/// Scratch memory of the search.
#[derive(Debug, Clone, Default)]
pub(super) struct Locator {
    cells: Vec<Tensor>,
    smooth: Vec<Tensor>,
    coarse: Vec<Tensor>,
    traces: Vec<f32>,
    labels: Vec<u32>,
    open: Vec<usize>,
}

impl Locator {
    /// The regions that look most like bars, the best first, `most` of them.
    pub(super) fn find(&mut self, pyramid: &Pyramid<'_>, most: usize) -> Vec<Region> {
        let columns = pyramid.half.width() as usize / (CELL / 2);
        let rows = pyramid.half.height() as usize / (CELL / 2);
        if columns < 3 || rows < 2 {
            return Vec::new();
        }
        tensors(&pyramid.half, CELL / 2, columns, rows, &mut self.cells);
        tensors(&pyramid.quarter, CELL / 4, columns, rows, &mut self.coarse);
        let noise = [self.floor_of(false), self.floor_of(true)];
        // Either scale alone sees some codes: fine modules are gone in the quarter, noise hides coarse ones in the half.
        for (cell, coarse) in self.cells.iter_mut().zip(&self.coarse) {
            let fine = *cell;
            *cell = Tensor::default();
            cell.add(fine, 1.0 / noise[0]);
            cell.add(*coarse, 0.5 / noise[1]);
        }
        self.smooth(columns, rows);
        self.regions(columns, rows, most)
    }

    /// What the quiet part of the frame has by way of gradients: its noise.
    fn floor_of(&mut self, coarse: bool) -> f32 {
        let cells = if coarse { &self.coarse } else { &self.cells };
        self.traces.clear();
        self.traces.extend(cells.iter().map(|cell| cell.trace));
        let at = self.traces.len() / 4;
        let (_, low, _) = self.traces.select_nth_unstable_by(at, f32::total_cmp);
        // Frames without noise still come in whole grey levels.
        let least = if coarse { 8.0 } else { 32.0 };
        low.max(least)
    }

    fn smooth(&mut self, columns: usize, rows: usize) {
        self.smooth.clear();
        self.smooth.resize(columns * rows, Tensor::default());
        for y in 0..rows {
            for x in 0..columns {
                let mut sum = Tensor::default();
                for (row, down) in (y.saturating_sub(1)..(y + 2).min(rows)).map(|row| (row, weight(row, y))) {
                    for column in x.saturating_sub(1)..(x + 2).min(columns) {
                        sum.add(self.cells[row * columns + column], down * weight(column, x));
                    }
                }
                self.smooth[y * columns + x] = sum;
            }
        }
    }

    fn regions(&mut self, columns: usize, rows: usize, most: usize) -> Vec<Region> {
        self.labels.clear();
        self.labels.extend(self.smooth.iter().map(|cell| {
            let strength = cell.strength();
            // The floor of noise is 1.5 in the units of a cell, four cells' weight in all.
            u32::from(strength > 1.6 && strength > 0.45 * (cell.trace - 6.0)) * UNSEEN
        }));
        // From the strongest cell down: bars are stronger than the single edges they touch.
        let mut seeds: Vec<usize> = (0..self.labels.len()).filter(|at| self.labels[*at] == UNSEEN).collect();
        seeds.sort_by(|one, other| self.smooth[*other].strength().total_cmp(&self.smooth[*one].strength()));
        let mut found = Vec::new();
        for seed in seeds {
            if self.labels[seed] == UNSEEN
                && let Some(region) = self.grow(seed, columns, rows)
            {
                found.push(region);
            }
        }
        found.sort_by(|one: &Region, other: &Region| other.score.total_cmp(&one.score));
        found.truncate(most);
        found
    }

    /// All cells of like direction that hang together with the seed; `None` where they are no bars.
    fn grow(&mut self, seed: usize, columns: usize, rows: usize) -> Option<Region> {
        self.open.clear();
        self.open.push(seed);
        self.labels[seed] = SEEN;
        let least = RELATIVE * self.smooth[seed].strength();
        let mut next = 0;
        while let Some(&at) = self.open.get(next) {
            next += 1;
            let (x, y) = (at % columns, at / columns);
            let here = self.smooth[at];
            for (nx, ny) in [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)] {
                if nx >= columns || ny >= rows || self.labels[ny * columns + nx] != UNSEEN {
                    continue;
                }
                let there = self.smooth[ny * columns + nx];
                let like = here.difference * there.difference + here.twist * there.twist;
                if there.strength() > least && like > 0.8 * here.strength() * there.strength() {
                    self.labels[ny * columns + nx] = SEEN;
                    self.open.push(ny * columns + nx);
                }
            }
        }
        (self.open.len() >= 4).then(|| self.measure(columns)).flatten()
    }

    fn measure(&self, columns: usize) -> Option<Region> {
        let mut sum = Tensor::default();
        let mut moments = Moments::default();
        for &at in &self.open {
            let cell = self.smooth[at];
            sum.add(cell, 1.0);
            moments.add(place(at, columns), cell.strength().sqrt());
        }
        let across = 0.5 * sum.twist.atan2(sum.difference);
        let normal = [across.cos(), across.sin()];
        let (centre, axis, elongation) = moments.axis();
        // A code that is not longer than high has no axis of its own; bars lean away from square by perspective only.
        let cosine = axis[0] * normal[0] + axis[1] * normal[1];
        let along = if elongation > 1.7 && cosine.abs() > 0.87 {
            if cosine < 0.0 { [-axis[0], -axis[1]] } else { axis }
        } else {
            normal
        };
        let side = [-along[1], along[0]];
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for &at in &self.open {
            let [x, y] = place(at, columns);
            let (dx, dy) = (x - centre[0], y - centre[1]);
            for (axis, [ax, ay]) in [along, side].into_iter().enumerate() {
                let far = dx * ax + dy * ay;
                low[axis] = low[axis].min(far);
                high[axis] = high[axis].max(far);
            }
        }
        let (length, height) = (high[0] - low[0] + cells(1), high[1] - low[1] + cells(1));
        // An edge by itself is long, but not across.
        if length < MIN_LENGTH || length < 0.5 * height {
            return None;
        }
        let (u, v) = (0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]));
        let centre = [centre[0] + u * along[0] + v * side[0], centre[1] + u * along[1] + v * side[1]];
        let (lean, convergence) = self.lean(columns, centre, along);
        let strength: f32 = self.open.iter().map(|at| self.smooth[*at].strength().sqrt()).sum();
        Some(Region {
            centre,
            along,
            half_length: 0.5 * length,
            half_height: 0.5 * height,
            lean,
            convergence,
            score: strength * length,
        })
    }

    /// How bars lean: a line fitted through the cells' own directions.
    fn lean(&self, columns: usize, centre: [f32; 2], along: [f32; 2]) -> (f32, f32) {
        let turn = along[1].atan2(along[0]);
        let (mut weights, mut first, mut second, mut leans, mut mixed) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &at in &self.open {
            let cell = self.smooth[at];
            let [x, y] = place(at, columns);
            let u = (x - centre[0]) * along[0] + (y - centre[1]) * along[1];
            let mut angle = 0.5 * cell.twist.atan2(cell.difference) - turn;
            angle -= (angle / std::f32::consts::PI).round() * std::f32::consts::PI;
            let lean = -angle.clamp(-1.0, 1.0).tan();
            let weight = cell.strength();
            weights += weight;
            first += weight * u;
            second += weight * u * u;
            leans += weight * lean;
            mixed += weight * lean * u;
        }
        let determinant = weights * second - first * first;
        if determinant <= f32::EPSILON * weights * second {
            return (leans / weights.max(f32::MIN_POSITIVE), 0.0);
        }
        let slope = (weights * mixed - first * leans) / determinant;
        let lean = (leans - slope * first) / weights;
        (lean, -slope.clamp(-0.003, 0.003))
    }
}

const UNSEEN: u32 = 1;
const SEEN: u32 = 2;

/// Sums for the middle and the longest axis of a set of points.
#[derive(Debug, Default)]
struct Moments {
    weight: f32,
    first: [f32; 2],
    second: [f32; 3],
}

impl Moments {
    fn add(&mut self, [x, y]: [f32; 2], weight: f32) {
        self.weight += weight;
        self.first = [self.first[0] + weight * x, self.first[1] + weight * y];
        self.second =
            [self.second[0] + weight * x * x, self.second[1] + weight * x * y, self.second[2] + weight * y * y];
    }

    /// The middle, the longest axis, and how many times longer it is than the other.
    fn axis(&self) -> ([f32; 2], [f32; 2], f32) {
        let centre = self.first.map(|sum| sum / self.weight);
        let xx = self.second[0] / self.weight - centre[0] * centre[0];
        let xy = self.second[1] / self.weight - centre[0] * centre[1];
        let yy = self.second[2] / self.weight - centre[1] * centre[1];
        let angle = 0.5 * (2.0 * xy).atan2(xx - yy);
        let (mean, spread) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
        let long = ((mean + spread) / (mean - spread).max(1.0)).max(1.0).sqrt();
        (centre, [angle.cos(), angle.sin()], long)
    }
}

fn weight(at: usize, middle: usize) -> f32 {
    if at == middle { 1.0 } else { 0.5 }
}

fn cells(count: usize) -> f32 {
    (count * CELL) as f32
}

fn place(at: usize, columns: usize) -> [f32; 2] {
    [cells(at % columns) + 0.5 * cells(1), cells(at / columns) + 0.5 * cells(1)]
}

/// The structure tensors of all cells of `side` pixels, from differences over each four pixels that touch.
fn tensors(frame: &GreyFrame, side: usize, columns: usize, rows: usize, into: &mut Vec<Tensor>) {
    into.clear();
    into.resize(columns * rows, Tensor::default());
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let luma = frame.luma();
    // Differences and sums of neighbours in two rows at a time.
    let used = (columns * side).min(width - 1);
    let mut across = vec![0_i16; used];
    let mut down = vec![0_i16; used];
    for (row, cells) in into.chunks_exact_mut(columns).enumerate() {
        let mut sums = vec![[0_i32; 3]; columns];
        // Rows in pairs: no pixel is used twice, so that noise is independent.
        for y in (row * side..((row + 1) * side).min(height - 1)).step_by(2) {
            let upper = &luma[y * width..y * width + used + 1];
            let lower = &luma[(y + 1) * width..(y + 1) * width + used + 1];
            for x in 0..used {
                let (a, b) = (i16::from(upper[x]), i16::from(upper[x + 1]));
                let (c, d) = (i16::from(lower[x]), i16::from(lower[x + 1]));
                across[x] = (b + d) - (a + c);
                down[x] = (c + d) - (a + b);
            }
            for ((sum, across), down) in sums.iter_mut().zip(across.chunks(side)).zip(down.chunks(side)) {
                for (gx, gy) in across.iter().zip(down) {
                    let (gx, gy) = (i32::from(*gx), i32::from(*gy));
                    sum[0] += gx * gx;
                    sum[1] += gy * gy;
                    sum[2] += gx * gy;
                }
            }
        }
        for (cell, [xx, yy, xy]) in cells.iter_mut().zip(sums) {
            let (xx, yy, xy) = (xx as f32, yy as f32, xy as f32);
            *cell = Tensor { difference: xx - yy, twist: 2.0 * xy, trace: xx + yy };
        }
    }
}
