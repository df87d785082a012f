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
use super::view::{MARGIN, Model, SAMPLES, View};

/// Where they lie from its centre.
const OFFSETS: [f32; SAMPLES] = [-0.23, 0.23];
const PLACES: [Point; SAMPLES * SAMPLES] =
    [[OFFSETS[0], OFFSETS[0]], [OFFSETS[1], OFFSETS[0]], [OFFSETS[0], OFFSETS[1]], [OFFSETS[1], OFFSETS[1]]];

/// Places tried for the fourth corner, each way, and their distance in modules.
const CORNERS: i32 = 4;
const CORNER_STEP: f32 = 0.55;
/// Grids that are followed further.
const HYPOTHESES: usize = 3;

/// A symbol placed in the frame.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub layout: &'static Layout,
    /// From -1 to 1 across the symbol both ways to pixels of the frame.
    pub map: Projection,
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
    fn bent(&self, u: f32, v: f32) -> Option<Self> {
        let size = self.layout.size as f32;
        let fourth = self.at(size + u, size + v);
        let [a, b, _, d] = self.corners();
        let pairs = [([-1.0, -1.0], a), ([1.0, -1.0], b), ([1.0, 1.0], fourth), ([-1.0, 1.0], d)];
        Some(Self { layout: self.layout, map: Projection::through(&pairs)? })
    }

    fn look(&self, level: &Level<'_>) -> View {
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

    /// The grid moved towards what every symbol of its version has; where `guess` is set, towards the other modules as
    /// they look, too.
    pub fn fitted(mut self, level: &Level<'_>, guess: bool, rounds: usize) -> Self {
        for _ in 0..rounds {
            let view = self.look(level);
            let model = view.model(self.layout, guess);
            match self.moved(&view, &model) {
                Some(moved) => self = moved,
                None => break,
            }
        }
        self
    }

    /// Grids whose fourth corner, which has no finder pattern, lies elsewhere: those on which modules are clearest.
    pub fn hypotheses(&self, level: &Level<'_>) -> Vec<Self> {
        let clear = |place: [i32; 2]| {
            let [u, v] = place.map(|steps| steps as f32 * CORNER_STEP);
            let bent = self.bent(u, v)?;
            Some((bent.glance(level).clearness(self.layout), place, bent))
        };
        // Every other place, as on a board's black squares; then those beside the clearest ones.
        let board = (-CORNERS..=CORNERS).flat_map(|u| (-CORNERS..=CORNERS).map(move |v| [u, v]));
        let mut all: Vec<(f32, [i32; 2], Self)> = board.filter(|[u, v]| (u + v) % 2 == 0).filter_map(clear).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let beside: Vec<[i32; 2]> = apart(&all).into_iter().flat_map(|at| neighbours(all[at].1)).collect();
        for place in beside {
            if all.iter().all(|(_, known, _)| *known != place) {
                all.extend(clear(place));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        apart(&all).into_iter().map(|at| all[at].2.clone()).collect()
    }

    /// One step towards the model.
    fn moved(&self, view: &View, model: &Model) -> Option<Self> {
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

/// Of grids sorted by clearness the first ones that are not beside each other.
fn apart(all: &[(f32, [i32; 2], Grid)]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    for (at, (_, [u, v], _)) in all.iter().enumerate() {
        let is_new = |other: &usize| {
            let [a, b] = all[*other].1;
            (a - u).abs().max((b - v).abs()) > 1
        };
        if chosen.len() < HYPOTHESES && chosen.iter().all(is_new) {
            chosen.push(at);
        }
    }
    chosen
}

/// The places next to one, within bounds.
fn neighbours([u, v]: [i32; 2]) -> impl Iterator<Item = [i32; 2]> {
    let places = [[u - 1, v], [u + 1, v], [u, v - 1], [u, v + 1]];
    places.into_iter().filter(|place| place.iter().all(|steps| steps.abs() <= CORNERS))
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
