//! Finder patterns: dark squares in light rings in dark rings, at any size and angle.
//!
//! First, on each level of the pyramid, places that are darker than a ring around them (a handful of comparisons for each
//! pixel); the clearest of them are compared with turned and sized patterns on a ring-shaped grid; the best of these are
//! fitted as affine pictures of the pattern.

use std::sync::LazyLock;

use super::geometry::{Equations, Point, cross, distance};
use super::level::{Level, smoothed};

/// A finder pattern: its centre, and the steps of one module along its two sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finder {
    pub centre: Point,
    pub axes: [Point; 2],
    /// How well it is one: correlation with the ideal, at most 1.
    pub score: f32,
}

impl Finder {
    /// The place so many modules away from the centre.
    pub fn at(&self, u: f32, v: f32) -> Point {
        let [a, b] = self.axes;
        [self.centre[0] + a[0] * u + b[0] * v, self.centre[1] + a[1] * u + b[1] * v]
    }

    /// The vector in steps of modules.
    pub fn steps(&self, vector: Point) -> Point {
        let area = cross(self.axes[0], self.axes[1]);
        [cross(vector, self.axes[1]) / area, cross(self.axes[0], vector) / area]
    }

    /// Side of a module, in pixels.
    pub fn module(&self) -> f32 {
        cross(self.axes[0], self.axes[1]).abs().sqrt()
    }
}

/// How much work finding may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Dark places looked at closely, on each level.
    pub places: usize,
    /// Patterns fitted.
    pub fits: usize,
    /// Patterns kept.
    pub kept: usize,
}

/// A place darker than a ring around it.
#[derive(Debug, Clone, Copy)]
struct Place {
    centre: Point,
    module: f32,
    contrast: u8,
}

/// Rings around a pixel, each as four pairs of opposite places, with the module's side that it fits: 2.3 modules from
/// the centre the pattern is light all around, however it is turned.
const RINGS: [([(isize, isize); 4], f32); 4] = [
    ([(2, 1), (1, -2), (2, -1), (1, 2)], 0.97),
    ([(3, 0), (0, 3), (2, 2), (2, -2)], 1.26),
    ([(3, 2), (2, -3), (3, -2), (2, 3)], 1.57),
    ([(4, 0), (0, 4), (3, 3), (3, -3)], 1.80),
];
const REACH: usize = 4;
/// The ring's contrast to the centre that is worth a look, in grey levels.
const CONTRAST: u8 = 5;

/// Places of one level.
fn places(level: &Level<'_>, most: usize, scratch: &mut Scratch) -> Vec<Place> {
    let (width, height) = (level.width, level.height);
    if width < 4 * REACH || height < 4 * REACH {
        return Vec::new();
    }
    smoothed(level, &mut scratch.smooth);
    let smooth = &scratch.smooth;
    let contrasts = &mut scratch.contrasts;
    contrasts.clear();
    contrasts.resize(width * height, 0);
    let inner = width - 2 * REACH;
    let slice = |y: usize, dx: isize, dy: isize| {
        let from = y.wrapping_add_signed(dy) * width + REACH.wrapping_add_signed(dx);
        &smooth[from..from + inner]
    };
    let mut darkest = vec![0_u8; inner];
    for y in REACH..height - REACH {
        let target = &mut contrasts[y * width + REACH..][..inner];
        let centre = slice(y, 0, 0);
        for (pairs, _) in &RINGS {
            darkest.fill(u8::MAX);
            for (dx, dy) in pairs {
                let (one, other) = (slice(y, *dx, *dy), slice(y, -dx, -dy));
                for ((least, a), b) in darkest.iter_mut().zip(one).zip(other) {
                    let mean = (u16::from(*a) + u16::from(*b)).div_ceil(2) as u8;
                    *least = mean.min(*least);
                }
            }
            for ((most, least), middle) in target.iter_mut().zip(&darkest).zip(centre) {
                *most = least.saturating_sub(*middle).max(*most);
            }
        }
    }
    let mut places = Vec::new();
    for y in REACH..height - REACH {
        let row = &contrasts[y * width..(y + 1) * width];
        for (block, values) in row.chunks(32).enumerate() {
            if values.iter().fold(0, |most, value| *value.max(&most)) < CONTRAST {
                continue;
            }
            for (at, value) in values.iter().enumerate() {
                let x = block * 32 + at;
                if *value < CONTRAST || x < REACH || x >= width - REACH || !is_peak(contrasts, width, x, y) {
                    continue;
                }
                places.push((x, y, *value));
            }
        }
    }
    if places.len() > most {
        places.select_nth_unstable_by(most, |a, b| b.2.cmp(&a.2));
        places.truncate(most);
    }
    let smooth = |x: usize, y: usize| smooth[y * width + x];
    places
        .into_iter()
        .map(|(x, y, contrast)| {
            let ring = |pairs: &[(isize, isize); 4]| {
                pairs
                    .iter()
                    .map(|(dx, dy)| {
                        let one = smooth(x.wrapping_add_signed(*dx), y.wrapping_add_signed(*dy));
                        let other = smooth(x.wrapping_add_signed(-dx), y.wrapping_add_signed(-dy));
                        u16::from(one) + u16::from(other)
                    })
                    .min()
            };
            let module = RINGS.iter().max_by_key(|(pairs, _)| ring(pairs)).map_or(1.0, |(_, module)| *module);
            let centre = [(x as f32 + 0.5) * level.scale, (y as f32 + 0.5) * level.scale];
            Place { centre, module: module * level.scale, contrast }
        })
        .collect()
}

/// Whether no neighbour is higher; of equal ones the first counts.
fn is_peak(values: &[u8], width: usize, x: usize, y: usize) -> bool {
    let at = y * width + x;
    let value = values[at];
    let before = [at - width - 1, at - width, at - width + 1, at - 1];
    let after = [at + 1, at + width - 1, at + width, at + width + 1];
    before.iter().all(|other| values[*other] < value) && after.iter().all(|other| values[*other] <= value)
}

/// Buffers that are kept from frame to frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    smooth: Vec<u8>,
    contrasts: Vec<u8>,
}

/// The ideal: -1 dark, 1 light, softened at its edges; `u`, `v` in modules from the centre.
fn ideal(u: f32, v: f32) -> f32 {
    let (dark, _) = dark_part(u, v);
    1.0 - 2.0 * dark
}

/// Softness of edges, in modules.
const SOFTNESS: f32 = 0.32;

/// How dark the ideal is there, from 0 to 1, and how that changes along `u` and `v`.
fn dark_part(u: f32, v: f32) -> (f32, Point) {
    let edge = |x: f32, half: f32| {
        let value = 1.0 / (1.0 + (-(half - x.abs()) * 1.7 / SOFTNESS).exp());
        (value, -x.signum() * 1.7 / SOFTNESS * value * (1.0 - value))
    };
    let mut dark = 0.0;
    let mut slope = [0.0; 2];
    for (half, sign) in [(3.5, 1.0), (2.5, -1.0), (1.5, 1.0)] {
        let ((a, da), (b, db)) = (edge(u, half), edge(v, half));
        dark += sign * a * b;
        slope[0] += sign * da * b;
        slope[1] += sign * a * db;
    }
    (dark, slope)
}

const SPOKES: usize = 32;
const CIRCLES: usize = 9;
/// A quarter turn brings the pattern onto itself.
const TURNS: usize = SPOKES / 4;
const SIZES: [f32; 5] = [0.8, 0.9, 1.0, 1.12, 1.25];

type Polar = [[f32; SPOKES]; CIRCLES];

/// The pattern, turned and sized, on the ring-shaped grid: weighted by area, of mean 0 and norm 1.
static POLAR: LazyLock<Vec<(usize, usize, Polar)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (size, factor) in SIZES.iter().enumerate() {
        for turn in 0..TURNS {
            let mut pattern = [[0.0_f32; SPOKES]; CIRCLES];
            for (circle, row) in pattern.iter_mut().enumerate() {
                for (spoke, value) in row.iter_mut().enumerate() {
                    let [x, y] = polar(circle, spoke);
                    let (sin, cos) = (-angle(turn)).sin_cos();
                    *value = ideal((x * cos - y * sin) / factor, (x * sin + y * cos) / factor);
                }
            }
            let total: f32 = (0..CIRCLES).map(weight).sum::<f32>() * SPOKES as f32;
            let sum = |of: &dyn Fn(f32) -> f32| {
                let rows = pattern.iter().enumerate();
                rows.map(|(circle, row)| weight(circle) * row.iter().map(|value| of(*value)).sum::<f32>()).sum::<f32>()
            };
            let mean = sum(&|value| value) / total;
            let norm = sum(&|value| (value - mean).powi(2)).sqrt();
            for (circle, row) in pattern.iter_mut().enumerate() {
                for value in row {
                    *value = (*value - mean) / norm * weight(circle);
                }
            }
            all.push((size, turn, pattern));
        }
    }
    all
});

fn angle(spoke: usize) -> f32 {
    std::f32::consts::TAU * spoke as f32 / SPOKES as f32
}

/// The grid's place, in modules.
fn polar(circle: usize, spoke: usize) -> Point {
    let radius = 0.5 + 0.5 * circle as f32;
    let (sin, cos) = angle(spoke).sin_cos();
    [radius * cos, radius * sin]
}

/// Its share of the area.
fn weight(circle: usize) -> f32 {
    0.5 + 0.5 * circle as f32
}

/// The best turn and size at a place, and how well they fit.
fn compare(level: &Level<'_>, place: &Place) -> Finder {
    static GRID: LazyLock<[[Point; SPOKES]; CIRCLES]> =
        LazyLock::new(|| std::array::from_fn(|circle| std::array::from_fn(|spoke| polar(circle, spoke))));
    let mut seen = [[0.0_f32; SPOKES]; CIRCLES];
    let (mut mean, mut total) = (0.0, 0.0);
    for (circle, row) in seen.iter_mut().enumerate() {
        let mut sum = 0.0;
        for (value, [x, y]) in row.iter_mut().zip(&GRID[circle]) {
            *value = level.at([place.centre[0] + x * place.module, place.centre[1] + y * place.module]);
            sum += *value;
        }
        mean += sum * weight(circle);
        total += weight(circle) * SPOKES as f32;
    }
    mean /= total;
    let spread: f32 = seen
        .iter()
        .enumerate()
        .map(|(circle, row)| weight(circle) * row.iter().map(|value| (value - mean).powi(2)).sum::<f32>())
        .sum();
    let mut best = (f32::MIN, 0, 0);
    for (size, turn, pattern) in POLAR.iter() {
        let product: f32 = pattern.iter().zip(&seen).map(|(a, b)| dot(a, b)).sum();
        if product > best.0 {
            best = (product, *size, *turn);
        }
    }
    let (sin, cos) = angle(best.2).sin_cos();
    let module = place.module * SIZES[best.1];
    Finder {
        centre: place.centre,
        axes: [[module * cos, module * sin], [-module * sin, module * cos]],
        score: best.0 / spread.max(1.0).sqrt(),
    }
}

/// In lanes, so that the machine adds several at once.
fn dot(a: &[f32; SPOKES], b: &[f32; SPOKES]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

/// Samples along each side of the fitted pattern, two for each module from the separator's far edge to the other's.
const SIDE: usize = 18;
/// What is solved for: brightness, contrast, shift, and the four of the affine map.
const UNKNOWNS: usize = 8;

struct Fit {
    places: Vec<Point>,
    ideal: Vec<f32>,
    /// Times the grey values this gives the unknowns.
    solution: Vec<[f32; UNKNOWNS]>,
}

static FIT: LazyLock<Fit> = LazyLock::new(|| {
    let mut places = Vec::new();
    for row in 0..SIDE {
        for column in 0..SIDE {
            places.push([column, row].map(|at| (at as f32 + 0.5) / 2.0 - 4.5));
        }
    }
    let rows: Vec<[f64; UNKNOWNS]> = places
        .iter()
        .map(|[u, v]| {
            let (_, slope) = dark_part(*u, *v);
            let [a, b] = slope.map(|value| -2.0 * value);
            [1.0, ideal(*u, *v), a, b, a * u, a * v, b * u, b * v].map(f64::from)
        })
        .collect();
    let mut normal = Equations::<UNKNOWNS>::new();
    for row in &rows {
        normal.add(*row, 0.0, 1.0);
    }
    let solution = rows
        .iter()
        .map(|row| {
            let mut equations = normal.clone();
            equations.right_hand(*row);
            equations.solve(0.0).unwrap_or([0.0; UNKNOWNS]).map(|value| value as f32)
        })
        .collect();
    Fit { ideal: places.iter().map(|[u, v]| ideal(*u, *v)).collect(), places, solution }
});

/// Moves, turns, sizes and shears the pattern until it lies as well as it can (Gauss and Newton, the pattern's own slopes
/// standing for the picture's, which noise would spoil).
fn fit(level: &Level<'_>, mut finder: Finder, rounds: usize) -> Option<Finder> {
    let fit = &*FIT;
    let mut seen = [0.0_f32; SIDE * SIDE];
    for round in 0..=rounds {
        for (value, [u, v]) in seen.iter_mut().zip(&fit.places) {
            *value = level.at(finder.at(*u, *v));
        }
        if round == rounds {
            break;
        }
        let mut unknowns = [0.0_f32; UNKNOWNS];
        for (value, row) in seen.iter().zip(&fit.solution) {
            for (sum, factor) in unknowns.iter_mut().zip(row) {
                *sum += value * factor;
            }
        }
        let contrast = unknowns[1];
        if contrast < 1.0 {
            return None;
        }
        let step = |value: f32, most: f32| (value / contrast).clamp(-most, most);
        let shift = [step(unknowns[2], 1.0), step(unknowns[3], 1.0)];
        // The pattern's places move by `shift` and this matrix; the picture's by the inverse.
        let [a, b, c, d] = [
            1.0 + step(unknowns[4], 0.2),
            step(unknowns[5], 0.2),
            step(unknowns[6], 0.2),
            1.0 + step(unknowns[7], 0.2),
        ];
        let determinant = a * d - b * c;
        if determinant < 0.3 {
            return None;
        }
        let inverse = [d / determinant, -b / determinant, -c / determinant, a / determinant];
        let [x, y] = finder.axes;
        let mixed = |p: f32, q: f32| [x[0] * p + y[0] * q, x[1] * p + y[1] * q];
        finder.axes = [mixed(inverse[0], inverse[2]), mixed(inverse[1], inverse[3])];
        finder.centre = finder.at(-shift[0], -shift[1]);
    }
    finder.score = correlation(&seen, &fit.ideal);
    let [a, b] = finder.axes;
    let (long, short) = (distance(a, [0.0; 2]), distance(b, [0.0; 2]));
    // No hand holds a code so flat that one side of a module is three times the other, or its corners that sharp.
    let square = long.max(short) < 3.0 * long.min(short) && cross(a, b).abs() > 0.5 * long * short;
    (square && finder.module() > 0.8).then_some(finder)
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let count = a.len() as f32;
    let (mean_a, mean_b) = (a.iter().sum::<f32>() / count, b.iter().sum::<f32>() / count);
    let (mut ab, mut aa, mut bb) = (0.0, 1.0, 1e-6);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / (aa * bb).sqrt()
}

/// Correlation that a place must have with the turned and sized pattern to be fitted, and the fitted one to be kept.
const WORTH_FITTING: f32 = 0.4;
const WORTH_KEEPING: f32 = 0.55;

/// The finder patterns that are seen on these levels (each half of the one before), the clearest first. Places are looked
/// for on the second and later ones, and looked at on the one before.
pub(super) fn finders(levels: &[Level<'_>], limits: Limits, scratch: &mut Scratch) -> Vec<Finder> {
    let mut likely: Vec<(Finder, usize)> = Vec::new();
    for (fine, pair) in levels.windows(2).enumerate() {
        for place in places(&pair[1], limits.places, scratch) {
            let finder = compare(&pair[0], &place);
            if finder.score > WORTH_FITTING {
                likely.push((finder, fine));
            }
        }
    }
    likely.sort_by(|a, b| b.0.score.total_cmp(&a.0.score));
    let mut kept: Vec<Finder> = Vec::new();
    let mut fitted = 0;
    let same = |a: &Finder, b: &Finder| distance(a.centre, b.centre) < 2.0 * a.module().max(b.module());
    for (candidate, fine) in likely {
        if fitted == limits.fits || kept.len() >= 2 * limits.kept {
            break;
        }
        if kept.iter().any(|known| known.score > 0.85 && distance(known.centre, candidate.centre) < known.module()) {
            continue;
        }
        fitted += 1;
        let Some(finder) = fit(&levels[fine], candidate, 5) else { continue };
        if finder.score < WORTH_KEEPING {
            continue;
        }
        match kept.iter_mut().find(|known| same(known, &finder)) {
            Some(known) if known.score < finder.score => *known = finder,
            Some(_) => {}
            None => kept.push(finder),
        }
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score));
    kept.truncate(limits.kept);
    kept
}
