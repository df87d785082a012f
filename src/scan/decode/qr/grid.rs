//! A symbol's modules in the frame: where they lie, and how light each one is.
//!
//! The three finder patterns say roughly where; then the map is moved (Gauss and Newton) until the picture agrees with
//! what is known of the symbol, first with the patterns that every symbol of its version has, then with the modules as
//! they look, so that the fourth corner, which has no finder pattern, is held by the data.

use super::geometry::{Equations, Point, Projection, Sums, cross, distance, sub};
use super::group::Trio;
use super::layout::Layout;
use super::level::Level;
use super::soft;

/// Rows of the light zone around a symbol that are looked at.
pub(super) const MARGIN: usize = 2;
/// Samples of a module along each side.
const SAMPLES: usize = 2;
/// Where they lie from its centre.
const OFFSETS: [f32; SAMPLES] = [-0.23, 0.23];
const PLACES: [Point; SAMPLES * SAMPLES] =
    [[OFFSETS[0], OFFSETS[0]], [OFFSETS[1], OFFSETS[0]], [OFFSETS[0], OFFSETS[1]], [OFFSETS[1], OFFSETS[1]]];
/// Modules around one whose brightness is compared.
const NEAR: usize = 4;

/// A symbol placed in the frame.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub layout: &'static Layout,
    /// From -1 to 1 across the symbol both ways to pixels of the frame.
    pub map: Projection,
}

/// What is seen on a grid, module by module, with [`MARGIN`] more on each side.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub side: usize,
    /// The samples of each module.
    samples: Vec<[f32; SAMPLES * SAMPLES]>,
    /// Their mean.
    pub grey: Vec<f32>,
}

/// What the modules are taken for, and under what light.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// From -1, dark, to 1, light; 0 where nothing is known.
    pub value: Vec<f32>,
    /// The grey value between dark and light, and how far both are from it.
    pub middle: Vec<f32>,
    pub contrast: Vec<f32>,
}

impl Grid {
    /// The grid through three finder patterns.
    pub fn through(trio: &Trio, layout: &'static Layout) -> Option<Self> {
        let size = layout.size as f32;
        let across = |module: f32| 2.0 * module / size - 1.0;
        let far = size - 3.5;
        let mut pairs = Vec::with_capacity(15);
        for (finder, [u, v]) in [(&trio.corner, [3.5, 3.5]), (&trio.right, [far, 3.5]), (&trio.below, [3.5, far])] {
            for [du, dv] in [[0.0, 0.0], [3.5, 3.5], [-3.5, 3.5], [3.5, -3.5], [-3.5, -3.5]] {
                pairs.push(([across(u + du), across(v + dv)], finder.at(du, dv)));
            }
        }
        Some(Self { layout, map: Projection::through(&pairs)? })
    }

    /// The place of a point told in modules from the symbol's corner.
    pub fn at(&self, u: f32, v: f32) -> Point {
        let factor = 2.0 / self.layout.size as f32;
        self.map.apply(u * factor - 1.0, v * factor - 1.0)
    }

    /// Side of a module in the middle, in pixels.
    pub fn module(&self) -> f32 {
        let middle = self.layout.size as f32 / 2.0;
        let [a, b, c] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|[u, v]| self.at(middle + u, middle + v));
        cross(sub(b, a), sub(c, a)).abs().sqrt()
    }

    /// The symbol's corners, from the upper left one around.
    pub fn corners(&self) -> [Point; 4] {
        [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]].map(|[x, y]| self.map.apply(x, y))
    }

    /// Whether it lies in the frame and looks like a square that somebody holds up.
    pub fn is_sound(&self, level: &Level<'_>) -> bool {
        let corners = self.corners();
        let turns = (0..4).all(|at| {
            let [a, b, c] = [corners[at], corners[(at + 1) % 4], corners[(at + 2) % 4]];
            cross(sub(b, a), sub(c, b)) > 0.0
        });
        let sides: Vec<f32> = (0..4).map(|at| distance(corners[at], corners[(at + 1) % 4])).collect();
        let (long, short) =
            (sides.iter().fold(0.0_f32, |a, b| a.max(*b)), sides.iter().fold(f32::MAX, |a, b| a.min(*b)));
        let inside = corners.iter().filter(|corner| level.contains(**corner)).count();
        turns && inside >= 3 && long < 4.0 * short && short > 1.2 * self.layout.size as f32
    }

    /// The same grid with its fourth corner so many modules further right and down.
    pub fn bent(&self, u: f32, v: f32) -> Option<Self> {
        let size = self.layout.size as f32;
        let fourth = self.at(size + u, size + v);
        let [a, b, _, d] = self.corners();
        let pairs = [([-1.0, -1.0], a), ([1.0, -1.0], b), ([1.0, 1.0], fourth), ([-1.0, 1.0], d)];
        Some(Self { layout: self.layout, map: Projection::through(&pairs)? })
    }

    pub fn look(&self, level: &Level<'_>) -> View {
        let mut view = View::empty(self.layout.size + 2 * MARGIN);
        view.samples.reserve(view.side * view.side);
        self.visit(level, &PLACES, |values| {
            view.grey.push(values.iter().sum::<f32>() / values.len() as f32);
            view.samples.push(*values);
        });
        view
    }

    /// The same with one sample for each module: enough to compare grids by.
    pub fn glance(&self, level: &Level<'_>) -> View {
        let mut view = View::empty(self.layout.size + 2 * MARGIN);
        self.visit(level, &[[0.0, 0.0]], |[value]| view.grey.push(*value));
        view
    }

    /// The grey values at places around each module's centre, module by module.
    fn visit<const N: usize>(&self, level: &Level<'_>, places: &[Point; N], mut take: impl FnMut(&[f32; N])) {
        let size = self.layout.size;
        let unit = 2.0 / size as f32;
        // Homogeneous coordinates in pixels of the level, told in modules.
        let scale = f64::from(level.scale);
        let h = self.map.0.map(|value| value as f32);
        let row = |at: usize, factor: f32| {
            [h[at] * unit * factor, h[at + 1] * unit * factor, (h[at + 2] - h[at] - h[at + 1]) * factor]
        };
        let factor = (1.0 / scale) as f32;
        let [x, y, depth] = [row(0, factor), row(3, factor), row(6, 1.0)];
        let offset = 0.5 - MARGIN as f32;
        for line in 0..size + 2 * MARGIN {
            for column in 0..size + 2 * MARGIN {
                let (u, v) = (column as f32 + offset, line as f32 + offset);
                let values = places.map(|[du, dv]| {
                    let (u, v) = (u + du, v + dv);
                    let inverse = 1.0 / (depth[0] * u + depth[1] * v + depth[2]);
                    level.within([(x[0] * u + x[1] * v + x[2]) * inverse, (y[0] * u + y[1] * v + y[2]) * inverse])
                });
                take(&values);
            }
        }
    }

    /// How dark each module is, as [`soft::values`] tells it.
    pub fn soft(&self, level: &Level<'_>) -> Vec<f32> {
        let view = self.look(level);
        let model = view.model(self.layout, true);
        soft::values(&view, &model, self.layout)
    }

    /// One step towards the model.
    pub fn moved(&self, view: &View, model: &Model) -> Option<Self> {
        let side = view.side;
        let mut equations = Equations::<10>::new();
        let half = self.layout.size as f32 / 2.0;
        for row in 1..side - 1 {
            let mut sums = Sums::<10>::new();
            for column in 1..side - 1 {
                let at = row * side + column;
                let weight = model.value[at].abs();
                if weight < 0.2 {
                    continue;
                }
                for (sample, grey) in view.samples[at].iter().enumerate() {
                    let (value, slope) = softened(&model.value, side, at, sample % SAMPLES, sample / SAMPLES);
                    let seen = (grey - model.middle[at]) / model.contrast[at];
                    let place = |index: usize, offset: f32| (index as f32 + 0.5 - MARGIN as f32 + offset - half) / half;
                    let x = place(column, OFFSETS[sample % SAMPLES]);
                    let y = place(row, OFFSETS[sample / SAMPLES]);
                    let [a, b] = slope.map(|value| value * half);
                    let bend = a * x + b * y;
                    sums.add(&[1.0, value, a, a * x, a * y, b, b * x, b * y, bend * x, bend * y], seen, weight);
                }
            }
            equations.gather(&sums);
        }
        let found = equations.solve(1e-4)?;
        let contrast = found[1];
        if contrast < 0.15 {
            return None;
        }
        // A module and a half at most.
        let most = 1.5 / f64::from(half);
        let step = |index: usize| (found[index] / contrast).clamp(-most, most);
        let change =
            Projection([1.0 + step(3), step(4), step(2), step(6), 1.0 + step(7), step(5), -step(8), -step(9), 1.0]);
        Some(Self { layout: self.layout, map: self.map.after(&change.inverse()?) })
    }
}

/// Standard deviation of the blur that edges are taken to have, in modules.
const BLUR: f32 = 0.38;

/// The share of a module and its two neighbours in a sample, and how these change along the axis.
fn shares() -> [([f32; 3], [f32; 3]); SAMPLES] {
    // The logistic curve is close enough to the integral of a Gaussian.
    let step = |x: f32| 1.0 / (1.0 + (-1.702 * x / BLUR).exp());
    let bell = |x: f32| 1.702 / BLUR * step(x) * (1.0 - step(x));
    OFFSETS.map(|offset| {
        let edges = [-1.5, -0.5, 0.5, 1.5].map(|edge| edge - offset);
        let share = std::array::from_fn(|at| step(edges[at + 1]) - step(edges[at]));
        let slope = std::array::from_fn(|at| bell(edges[at]) - bell(edges[at + 1]));
        (share, slope)
    })
}

fn softened(value: &[f32], side: usize, at: usize, x: usize, y: usize) -> (f32, [f32; 2]) {
    static SHARES: std::sync::LazyLock<[([f32; 3], [f32; 3]); SAMPLES]> = std::sync::LazyLock::new(shares);
    let (across, across_slope) = &SHARES[x];
    let (down, down_slope) = &SHARES[y];
    let mut sums = (0.0, [0.0; 2]);
    for row in 0..3 {
        let from = at + row * side - side - 1;
        let three = &value[from..from + 3];
        let sum = three[0] * across[0] + three[1] * across[1] + three[2] * across[2];
        let slope = three[0] * across_slope[0] + three[1] * across_slope[1] + three[2] * across_slope[2];
        sums.0 += down[row] * sum;
        sums.1[0] += down[row] * slope;
        sums.1[1] += down_slope[row] * sum;
    }
    sums
}

/// Sums over squares of modules.
struct Boxes {
    side: usize,
    sums: Vec<f64>,
}

impl Boxes {
    fn of(side: usize, value: impl Fn(usize) -> f32) -> Self {
        let mut sums = vec![0.0; (side + 1) * (side + 1)];
        for row in 0..side {
            let mut line = 0.0;
            for column in 0..side {
                line += f64::from(value(row * side + column));
                sums[(row + 1) * (side + 1) + column + 1] = sums[row * (side + 1) + column + 1] + line;
            }
        }
        Self { side, sums }
    }

    /// Over the modules at most `radius` away.
    fn around(&self, at: usize, radius: usize) -> f32 {
        let (row, column) = (at / self.side, at % self.side);
        let bounds = |middle: usize| (middle.saturating_sub(radius), (middle + radius + 1).min(self.side));
        let ((top, bottom), (left, right)) = (bounds(row), bounds(column));
        let sum = |row: usize, column: usize| self.sums[row * (self.side + 1) + column];
        (sum(bottom, right) + sum(top, left) - sum(top, right) - sum(bottom, left)) as f32
    }
}

impl View {
    fn empty(side: usize) -> Self {
        Self { side, samples: Vec::new(), grey: Vec::with_capacity(side * side) }
    }

    fn is_margin(&self, at: usize) -> bool {
        let inside = |index: usize| (MARGIN..self.side - MARGIN).contains(&index);
        !(inside(at / self.side) && inside(at % self.side))
    }

    /// What every symbol of this layout has here, the light zone included.
    pub fn known(&self, layout: &Layout, at: usize) -> f32 {
        if self.is_margin(at) {
            return 1.0;
        }
        let (row, column) = (at / self.side - MARGIN, at % self.side - MARGIN);
        f32::from(layout.known[row * layout.size + column])
    }

    /// The known modules; with `guess` the others too, as they look beside their neighbours.
    pub fn model(&self, layout: &Layout, guess: bool) -> Model {
        let count = self.grey.len();
        let mut value: Vec<f32> = (0..count).map(|at| self.known(layout, at)).collect();
        if guess {
            let inside = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { 1.0 });
            let grey = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { self.grey[at] });
            let mean: Vec<f32> =
                (0..count).map(|at| grey.around(at, NEAR) / inside.around(at, NEAR).max(1.0)).collect();
            let apart =
                Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { (self.grey[at] - mean[at]).abs() });
            for at in 0..count {
                if value[at] == 0.0 {
                    let spread = apart.around(at, NEAR) / inside.around(at, NEAR).max(1.0);
                    value[at] = ((self.grey[at] - mean[at]) / spread.max(0.5) * 1.4).clamp(-1.0, 1.0);
                }
            }
        }
        self.lit(value)
    }

    /// A model with the light that the picture tells of it: around each module the regression of grey on value, drawn
    /// towards that of the whole symbol where there is little to go by.
    fn lit(&self, value: Vec<f32>) -> Model {
        let weight = |at: usize| if self.is_margin(at) { 0.3 } else { 1.0 } * value[at].abs();
        let boxes = [
            Boxes::of(self.side, weight),
            Boxes::of(self.side, |at| weight(at) * value[at]),
            Boxes::of(self.side, |at| weight(at) * value[at] * value[at]),
            Boxes::of(self.side, |at| weight(at) * self.grey[at]),
            Boxes::of(self.side, |at| weight(at) * self.grey[at] * value[at]),
        ];
        let regression = |[n, x, xx, y, xy]: [f32; 5], prior: [f32; 3]| {
            let [pull, middle, contrast] = prior;
            let (n, xx) = (n + pull, xx + pull);
            let (y, xy) = (y + pull * middle, xy + pull * contrast);
            let determinant = (n * xx - x * x).max(1e-3);
            [(y * xx - xy * x) / determinant, (n * xy - x * y) / determinant]
        };
        let middle_at = self.grey.len() / 2;
        let [middle, contrast] = regression(std::array::from_fn(|b| boxes[b].around(middle_at, self.side)), [0.0; 3]);
        let contrast = contrast.max(1.0);
        let (mut middles, mut contrasts) = (Vec::with_capacity(value.len()), Vec::with_capacity(value.len()));
        for at in 0..value.len() {
            let sums = std::array::from_fn(|b| boxes[b].around(at, NEAR));
            let [here, apart] = regression(sums, [8.0, middle, contrast]);
            middles.push(here);
            contrasts.push(apart.max(0.2 * contrast));
        }
        Model { value, middle: middles, contrast: contrasts }
    }

    /// How clearly the modules are dark or light, and as the layout wants them where it knows, the light rows around the
    /// symbol among them; in grey levels.
    pub fn clearness(&self, layout: &Layout) -> f32 {
        let inside = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { 1.0 });
        let grey = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { self.grey[at] });
        // A last row or column without any dark module is not a clear one, it is the light beyond the symbol.
        let last = self.side - MARGIN - 1;
        let line = |step: usize, from: usize| {
            let data = (MARGIN + 9..=last).map(|at| self.grey[from + at * step]);
            data.sum::<f32>() / (last - MARGIN - 8) as f32
        };
        let (row_mean, column_mean) = (line(1, last * self.side), line(self.side, last));
        let mut sum = 0.0;
        for row in MARGIN - 1..=last + 1 {
            for column in MARGIN - 1..=last + 1 {
                let at = row * self.side + column;
                let known = self.known(layout, at);
                let mean = match (row == last, column == last) {
                    (true, _) if known == 0.0 => row_mean,
                    (_, true) if known == 0.0 => column_mean,
                    _ => grey.around(at, NEAR) / inside.around(at, NEAR).max(1.0),
                };
                let apart = self.grey[at] - mean;
                sum += if known == 0.0 { apart.abs() } else { apart * known };
            }
        }
        sum / (layout.size * layout.size) as f32
    }

    /// Correlation of the known modules with what they should be.
    pub fn agreement(&self, layout: &Layout) -> f32 {
        let (mut n, mut x, mut xx, mut y, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for at in 0..self.grey.len() {
            let known = self.known(layout, at);
            if known == 0.0 {
                continue;
            }
            let grey = self.grey[at];
            n += 1.0;
            x += known;
            xx += known * known;
            y += grey;
            yy += grey * grey;
            xy += known * grey;
        }
        (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).max(1.0).sqrt()
    }
}
