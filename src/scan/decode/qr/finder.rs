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
    /// Correlation that a place must have with the turned and sized pattern to be fitted, and the fitted one to be kept.
    pub likeness: [f32; 2],
}

/// A pixel darker than a ring around it.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: usize,
    y: usize,
    /// Which of [`RINGS`] it may be.
    rings: [usize; 2],
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
                    let mean = ((u16::from(*a) + u16::from(*b) + 1) >> 1) as u8;
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
        .map(|(x, y, _)| {
            let ring = |pairs: &[(isize, isize); 4]| {
                let mean = |dx: &isize, dy: &isize| {
                    let one = smooth(x.wrapping_add_signed(*dx), y.wrapping_add_signed(*dy));
                    let other = smooth(x.wrapping_add_signed(-dx), y.wrapping_add_signed(-dy));
                    u16::midpoint(u16::from(one), u16::from(other))
                };
                pairs.iter().map(|(dx, dy)| mean(dx, dy)).min().unwrap_or(0).saturating_sub(u16::from(smooth(x, y)))
            };
            let contrasts = RINGS.map(|(pairs, _)| ring(&pairs));
            let clearest = (0..RINGS.len()).max_by_key(|at| contrasts[*at]).unwrap_or(0);
            // Beyond a small pattern it is light too, and lighter than in its narrow ring.
            let smallest = contrasts.iter().position(|contrast| 5 * contrast >= 2 * contrasts[clearest]);
            Place { x, y, rings: [clearest, smallest.unwrap_or(clearest)] }
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

/// Spokes of the ring-shaped grid, and circles on each, half a module apart.
const SPOKES: usize = 16;
const CIRCLES: usize = 9;
const GRID: usize = SPOKES * CIRCLES;
/// A quarter turn brings the pattern onto itself; between two spokes there is another turn.
const TURNS: usize = SPOKES / 2;
/// Places that tell the pattern from others: as a quarter turn changes nothing, those of a quarter of the spokes.
const FOLDED: usize = GRID / 4;
const SIZES: [f32; 5] = [0.8, 0.9, 1.0, 1.12, 1.25];

/// The pattern, sized and turned by so much, on a quarter of the ring-shaped grid: weighted by area, on the whole grid of
/// mean 0 and norm 1.
struct Turned {
    size: f32,
    angle: f32,
    pattern: [f32; FOLDED],
}

static TURNED: LazyLock<Vec<Turned>> = LazyLock::new(|| {
    let turned = |size: f32, turn: usize| {
        let angle = std::f32::consts::FRAC_PI_2 * turn as f32 / TURNS as f32;
        let (sin, cos) = (-angle).sin_cos();
        let mut pattern: [f32; GRID] = std::array::from_fn(|at| {
            let [x, y] = polar(at);
            ideal((x * cos - y * sin) / size, (x * sin + y * cos) / size)
        });
        let total: f32 = (0..GRID).map(weight).sum();
        let sum = |value: &dyn Fn(usize) -> f32| (0..GRID).map(|at| weight(at) * value(at)).sum::<f32>();
        let mean = sum(&|at| pattern[at]) / total;
        let norm = sum(&|at| (pattern[at] - mean).powi(2)).sqrt();
        for (at, value) in pattern.iter_mut().enumerate() {
            *value = (*value - mean) / norm * weight(at);
        }
        Turned { size, angle, pattern: std::array::from_fn(|at| pattern[unfolded(at)]) }
    };
    SIZES.iter().flat_map(|size| (0..TURNS).map(|turn| turned(*size, turn))).collect()
});

/// The grid's place, in modules.
fn polar(at: usize) -> Point {
    let radius = weight(at);
    let (sin, cos) = (std::f32::consts::TAU * (at % SPOKES) as f32 / SPOKES as f32).sin_cos();
    [radius * cos, radius * sin]
}

/// The place on the whole grid of a place on its first quarter.
const fn unfolded(at: usize) -> usize {
    at / (SPOKES / 4) * SPOKES + at % (SPOKES / 4)
}

/// Its distance from the centre, and its share of the area.
fn weight(at: usize) -> f32 {
    0.5 + 0.5 * (at / SPOKES) as f32
}

/// A place of the grid around a pixel's centre, in pixels of the level that is twice as fine: the pixel before it both
/// ways, and how much each of the four around it counts, of 256.
#[derive(Debug, Clone, Copy)]
struct Tap {
    dx: isize,
    dy: isize,
    shares: [i32; 4],
}

/// For each of [`RINGS`].
static TAPS: LazyLock<[[Tap; GRID]; RINGS.len()]> = LazyLock::new(|| {
    RINGS.map(|(_, module)| {
        std::array::from_fn(|at| {
            // The centre of a pixel is a corner of four of the finer level.
            let [x, y] = polar(at).map(|value| value * module * 2.0 - 0.5);
            let (left, top) = (x.floor(), y.floor());
            let part = |value: f32| (value * 16.0).round() as i32;
            let (x, y) = (part(x - left), part(y - top));
            Tap {
                dx: left as isize,
                dy: top as isize,
                shares: [(16 - x) * (16 - y), x * (16 - y), (16 - x) * y, x * y],
            }
        })
    })
});

/// The best turn and size at a place of the level that is half as fine, and how well they fit. `None` at the edge.
fn compare(fine: &Level<'_>, place: &Place, ring: usize) -> Option<Finder> {
    let (x, y) = (2 * place.x + 1, 2 * place.y + 1);
    let module = RINGS[ring].1 * 2.0;
    let reach = (module * weight(GRID - 1)) as usize + 2;
    if x < reach || y < reach || x + reach >= fine.width || y + reach >= fine.height {
        return None;
    }
    let mut seen = [0.0_f32; GRID];
    let (mut mean, mut total) = (0.0, 0.0);
    for (at, (value, tap)) in seen.iter_mut().zip(&TAPS[ring]).enumerate() {
        let from = y.wrapping_add_signed(tap.dy) * fine.width + x.wrapping_add_signed(tap.dx);
        let (above, under) = (&fine.luma[from..from + 2], &fine.luma[from + fine.width..from + fine.width + 2]);
        let four = [above[0], above[1], under[0], under[1]];
        let sum: i32 = four.iter().zip(&tap.shares).map(|(level, share)| i32::from(*level) * share).sum();
        *value = sum as f32 / 256.0;
        mean += *value * weight(at);
        total += weight(at);
    }
    mean /= total;
    let spread: f32 = seen.iter().enumerate().map(|(at, value)| weight(at) * (value - mean).powi(2)).sum();
    let folded: [f32; FOLDED] = std::array::from_fn(|at| {
        let quarters = unfolded(at)..;
        seen[quarters].iter().step_by(SPOKES / 4).take(4).sum()
    });
    let (product, turned) =
        TURNED.iter().map(|turned| (dot(&turned.pattern, &folded), turned)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    let (sin, cos) = turned.angle.sin_cos();
    let module = module * fine.scale * turned.size;
    Some(Finder {
        centre: [x as f32 * fine.scale, y as f32 * fine.scale],
        axes: [[module * cos, module * sin], [-module * sin, module * cos]],
        score: product / spread.max(1.0).sqrt(),
    })
}

/// In lanes, so that the machine adds several at once.
fn dot(a: &[f32; FOLDED], b: &[f32; FOLDED]) -> f32 {
    let mut lanes = [0.0_f32; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

/// Samples along each side of the fitted pattern, two for each module from the separator's far edge to the other's.
const SIDE: usize = 2 * MODULES;
/// The pattern with its separator has so many modules on each side.
const MODULES: usize = 9;
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

/// Correlation below which a fit is given up.
const HOPELESS: f32 = 0.38;

/// Moves, turns, sizes and shears the pattern until it lies as well as it can (Gauss and Newton, the pattern's own slopes
/// standing for the picture's, which noise would spoil).
pub(super) fn fit(level: &Level<'_>, mut finder: Finder, rounds: usize) -> Option<Finder> {
    let fit = &*FIT;
    let mut seen = [0.0_f32; SIDE * SIDE];
    for round in 0..=rounds {
        for (value, [u, v]) in seen.iter_mut().zip(&fit.places) {
            *value = level.at(finder.at(*u, *v));
        }
        if round == rounds {
            break;
        }
        // What looks like nothing after two rounds will not do so later.
        if round == 2 && correlation(&seen, &fit.ideal) < HOPELESS {
            return None;
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

/// How much a pattern there looks like one: correlation with the ideal, one sample for each module.
pub(super) fn likeness(level: &Level<'_>, finder: &Finder) -> f32 {
    let mut seen = [0.0_f32; MODULES * MODULES];
    let mut wanted = [0.0_f32; MODULES * MODULES];
    for (at, (value, wanted)) in seen.iter_mut().zip(&mut wanted).enumerate() {
        let [u, v] = [at % MODULES, at / MODULES].map(|index| index.abs_diff(MODULES / 2));
        let ring = u.max(v);
        *wanted = if ring == 2 || ring == 4 { 1.0 } else { -1.0 };
        let steps = |index: usize| index as f32 - (MODULES / 2) as f32;
        *value = level.at(finder.at(steps(at % MODULES), steps(at / MODULES)));
    }
    correlation(&seen, &wanted)
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

/// The finder patterns that are seen on these levels (each half of the one before), the clearest first. Places are looked
/// for on the second and later ones, and looked at on the one before.
pub(super) fn finders(levels: &[Level<'_>], limits: Limits, scratch: &mut Scratch) -> Vec<Finder> {
    let mut likely: Vec<(Finder, usize)> = Vec::new();
    for (fine, pair) in levels.windows(2).enumerate() {
        for place in places(&pair[1], limits.places, scratch) {
            let [clearest, smallest] = place.rings;
            let mut finder = compare(&pair[0], &place, clearest);
            if smallest != clearest {
                let other = compare(&pair[0], &place, smallest);
                finder = finder.into_iter().chain(other).max_by(|a, b| a.score.total_cmp(&b.score));
            }
            likely.extend(finder.filter(|finder| finder.score > limits.likeness[0]).map(|finder| (finder, fine)));
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
        if finder.score < limits.likeness[1] {
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
