//! From a profile to the values of a code: guesses at where its modules lie, the likeliest row of characters for each,
//! then modules, light and blur fitted to what was read, and read again.

use std::sync::OnceLock;

use super::anchor::{Anchors, Guess, Sums};
use super::strip::Profile;
use super::symbology;
use super::waveform::{PER_MODULE, SAMPLES, Trellis, Waves};

/// Blurs, in modules, for which waves are kept: so many, in such steps.
const BLURS: usize = 13;
const BLUR_STEP: f32 = 0.1;
/// Quiet modules that a code must have on either side.
const QUIET: usize = 3;
/// Modules over which light and contrast are taken to change little.
const LIGHT_MODULES: usize = 10;
/// Corrections of the places of modules: polynomials up to the third degree.
const PLACES: usize = 4;
/// Sections of a code in which light and contrast change linearly.
const SECTIONS: usize = 5;
/// Places, blur, light and contrast at the sections' ends.
const UNKNOWNS: usize = PLACES + 1 + 2 * (SECTIONS + 1);

/// A row of characters nearer than this to a profile, as a share of its variance, is no chance.
const CLEAR: f32 = 0.06;
/// A code is fitted so many times at most.
const ROUNDS: usize = 4;
/// Rows of characters are compared so far below the likeliest, as natural logarithms.
const REACH: f32 = 30.0;
/// The least share of the variance that a code explains.
const LEAST_EXPLAINED: f32 = 0.8;

/// A code that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// From the start character to the check character.
    pub(super) values: Vec<usize>,
    /// The columns of the profile where the code begins and where it ends.
    pub(super) ends: [f32; 2],
    /// Share of the variance that the code explains.
    pub(super) explained: f32,
    /// How much likelier it is than any other code, as a natural logarithm; less by what it is less likely than the
    /// likeliest row of characters without a check.
    pub(super) margin: f32,
}

/// The waves of all blurs, and the start and stop characters in them.
struct Tables {
    waves: Vec<Waves>,
    anchors: Anchors,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let waves: Vec<Waves> = (1..=BLURS).map(|blur| Waves::new(blur as f32 * BLUR_STEP)).collect();
        let anchors = Anchors::new(&waves);
        Tables { waves, anchors }
    })
}

fn blur_at(blur: f32) -> usize {
    ((blur / BLUR_STEP).round() as usize).clamp(1, BLURS) - 1
}

/// How hard a profile is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    /// Guesses of which the likeliest row of characters is looked for.
    pub(super) guesses: usize,
    /// Of these, how many are fitted.
    pub(super) fits: usize,
}

/// The code in a profile.
pub(super) fn read(profile: &Profile, tries: Tries) -> Option<Found> {
    let tables = tables();
    let guesses = tables.anchors.guesses(&profile.levels, profile.noise, profile.span, blur_at, tries.guesses);
    let turned: Vec<f32> = profile.levels.iter().rev().copied().collect();
    let sums = [Sums::new(&profile.levels), Sums::new(&turned)];
    let length = profile.levels.len() as f32 - 1.0;
    let mut candidates: Vec<(f32, Candidate<'_>)> = Vec::new();
    for guess in &guesses {
        let Some(candidate) = Candidate::best(&sums[usize::from(guess.reversed)], guess) else { continue };
        let clear = candidate.0 < CLEAR;
        candidates.push(candidate);
        if clear {
            break;
        }
    }
    candidates.sort_by(|one, other| one.0.total_cmp(&other.0));
    candidates.into_iter().take(tries.fits).find_map(|(_, candidate)| {
        let reversed = candidate.reversed;
        let found = candidate.fit().filter(Found::sound)?;
        let ends = if reversed { found.ends.map(|end| length - end) } else { found.ends };
        Some(Found { ends, ..found })
    })
}

impl Found {
    /// Whether it is beyond doubt.
    fn sound(&self) -> bool {
        let least = if self.values.len() < 8 { 0.96 } else { 0.85 };
        self.explained > least && self.margin > 10.0 && symbology::checks(&self.values)
    }
}

/// Where modules lie in a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grid {
    from: f32,
    pitch: f32,
    shrink: f32,
    modules: f32,
    bends: [f32; PLACES],
}

impl Grid {
    fn new(guess: &Guess, ratio: f32) -> Self {
        let modules = guess.modules() as f32;
        let length = guess.to - guess.from;
        let root = ratio.sqrt();
        // Perspective along a line: from + pitch m / (1 + shrink m).
        Self {
            from: guess.from,
            pitch: length / modules * root,
            shrink: (root - 1.0) / modules,
            modules,
            bends: [0.0; PLACES],
        }
    }

    fn at(&self, module: f32) -> f32 {
        let [a, b, c, d] = self.bends;
        let [p, q, r, s] = polynomials(2.0 * module / self.modules - 1.0);
        self.from + self.pitch * module / (1.0 + self.shrink * module) + a * p + b * q + c * r + d * s
    }

    /// Means over half modules, `quiet` modules beyond either end included.
    fn samples(&self, sums: &Sums, quiet: usize) -> Vec<f32> {
        let count = (self.modules as usize + 2 * quiet) * PER_MODULE;
        let mut before = self.at(-(quiet as f32));
        (1..=count)
            .map(|sample| {
                let next = self.at(sample as f32 / PER_MODULE as f32 - quiet as f32);
                let mean = sums.mean(before.min(next), before.max(next));
                before = next;
                mean
            })
            .collect()
    }
}

fn polynomials(t: f32) -> [f32; PLACES] {
    [1.0, t, 1.5 * t * t - 0.5, 2.5 * t * t * t - 1.5 * t]
}

/// A guess, worked out.
struct Candidate<'a> {
    sums: &'a Sums,
    grid: Grid,
    characters: usize,
    blur: f32,
    reversed: bool,
}

impl<'a> Candidate<'a> {
    /// The best of the guess's neighbours, and how far its nearest row of characters is from the profile: 0 is a perfect
    /// match.
    fn best(sums: &'a Sums, guess: &Guess) -> Option<(f32, Self)> {
        let mut best: Option<(f32, Self)> = None;
        for step in [0, -1, 1, -2, 2] {
            let grid = Grid::new(guess, guess.ratio * 1.02_f32.powi(step));
            let blur = guess.blur * guess.modules() as f32 / (guess.to - guess.from);
            let candidate = Self { sums, grid, characters: guess.characters, blur, reversed: guess.reversed };
            let waves = candidate.waves();
            let samples = normalised(&candidate.grid.samples(sums, 0), waves.contrast);
            let trellis = Trellis::new(waves, &samples, guess.characters)?;
            let energy = waves.contrast * waves.contrast * (guess.characters * SAMPLES) as f32;
            let distance = trellis.least() / energy;
            if best.as_ref().is_none_or(|best| distance < best.0) {
                best = Some((distance, candidate));
            }
            if distance < CLEAR {
                break;
            }
        }
        best
    }

    fn waves(&self) -> &'static Waves {
        &tables().waves[blur_at(self.blur)]
    }

    /// Fits places, light and blur to what was read and reads again, until nothing changes.
    fn fit(mut self) -> Option<Found> {
        let waves = self.waves();
        let raw = self.grid.samples(self.sums, 0);
        let mut trellis = Trellis::new(waves, &normalised(&raw, waves.contrast), self.characters)?;
        let mut path = trellis.nearest();
        for round in 0..ROUNDS {
            self.adjust(&path.values)?;
            let light = self.adjust(&path.values)?;
            let quiet = QUIET * PER_MODULE;
            let raw = self.grid.samples(self.sums, QUIET);
            let flat: Vec<f32> = raw.iter().enumerate().map(|(at, level)| light.flat(at, raw.len(), *level)).collect();
            let waves = self.waves();
            trellis = Trellis::new(waves, &flat[quiet..flat.len() - quiet], self.characters)?;
            let nearest = trellis.nearest();
            if round == 0 || (nearest.values != path.values && round + 1 < ROUNDS) {
                path = nearest;
                continue;
            }
            let model = waves.synthesise(&path.values, QUIET);
            let error: f32 = flat.iter().zip(&model).map(|(flat, model)| (flat - model) * (flat - model)).sum();
            let error = (error / flat.len() as f32).max(1e-4);
            let explained = 1.0 - error / (waves.contrast * waves.contrast);
            if explained < LEAST_EXPLAINED {
                return None;
            }
            let reading = trellis.read(2.0 * error * REACH);
            let checked = reading.checked?;
            let behind = (checked.distance - reading.nearest.distance) / (2.0 * error);
            return Some(Found {
                values: checked.values,
                ends: [self.grid.at(0.0), self.grid.at(self.grid.modules)],
                explained,
                margin: (reading.margin / (2.0 * error)).min(REACH) - behind,
            });
        }
        None
    }

    /// One least-squares step of places, blur, light and contrast for given values.
    fn adjust(&mut self, values: &[usize]) -> Option<Light> {
        let waves = self.waves();
        let model = waves.synthesise(values, QUIET);
        let wider = tables().waves[blur_at(self.blur + BLUR_STEP)].synthesise(values, QUIET);
        let raw = self.grid.samples(self.sums, QUIET);
        let count = raw.len();
        let contrast = deviation(&raw) / deviation(&model).max(1e-3);
        let mut normal = [[0.0_f64; UNKNOWNS]; UNKNOWNS];
        let mut right = [0.0_f64; UNKNOWNS];
        let span = self.grid.modules;
        for at in 1..count - 1 {
            let module = (at as f32 + 0.5) / PER_MODULE as f32 - QUIET as f32;
            // A place too far right sees what belongs to its right: brightness changes by the model's slope.
            let slope = -contrast * 0.5 * (model[at + 1] - model[at - 1]) * PER_MODULE as f32;
            let pitch = self.grid.at(module + 0.5) - self.grid.at(module - 0.5);
            let mut row = [0.0_f32; UNKNOWNS];
            for (place, polynomial) in row.iter_mut().zip(polynomials(2.0 * module / span - 1.0)) {
                *place = -slope / pitch * polynomial;
            }
            row[PLACES] = -contrast * (wider[at] - model[at]) / BLUR_STEP;
            let (section, rest) = section(at, count);
            row[PLACES + 1 + section] = 1.0 - rest;
            row[PLACES + 2 + section] = rest;
            row[PLACES + 2 + SECTIONS + section] = (rest - 1.0) * model[at];
            row[PLACES + 3 + SECTIONS + section] = -rest * model[at];
            for (i, one) in row.iter().enumerate().filter(|(_, one)| **one != 0.0) {
                right[i] += f64::from(one * raw[at]);
                for (j, other) in row.iter().enumerate().skip(i) {
                    normal[i][j] += f64::from(one * other);
                }
            }
        }
        for (at, row) in normal.iter_mut().enumerate() {
            row[at] += 1e-3 * row[at] + 1e-6;
        }
        // Blur is known only roughly where noise hides it.
        normal[PLACES][PLACES] *= 1.5;
        let solved = solve(normal, right)?;
        for (bend, change) in self.grid.bends.iter_mut().zip(&solved) {
            *bend += (*change as f32).clamp(-self.grid.pitch, self.grid.pitch);
        }
        self.blur = (self.blur + (solved[PLACES] as f32).clamp(-0.15, 0.15)).clamp(0.1, 1.3);
        let level = |from: usize| std::array::from_fn(|at| solved[from + at] as f32);
        Some(Light { light: level(PLACES + 1), contrast: level(PLACES + 2 + SECTIONS) })
    }
}

/// Brightness of light modules and how much darker dark ones are, at the ends of sections.
#[derive(Debug, Clone, Copy)]
struct Light {
    light: [f32; SECTIONS + 1],
    contrast: [f32; SECTIONS + 1],
}

impl Light {
    /// A sample as a share of dark.
    fn flat(&self, at: usize, count: usize, level: f32) -> f32 {
        let (section, rest) = section(at, count);
        let between = |ends: &[f32]| ends[section] * (1.0 - rest) + ends[section + 1] * rest;
        let most = self.contrast.iter().copied().fold(1.0, f32::max);
        (between(&self.light) - level) / between(&self.contrast).max(0.15 * most)
    }
}

/// The section in which a sample lies, and how far in it.
fn section(at: usize, count: usize) -> (usize, f32) {
    let place = (at as f32 + 0.5) / count as f32 * SECTIONS as f32;
    let section = (place as usize).min(SECTIONS - 1);
    (section, place - section as f32)
}

/// Samples as shares of dark, by the mean and the deviation of their surroundings.
fn normalised(samples: &[f32], contrast: f32) -> Vec<f32> {
    let radius = LIGHT_MODULES * PER_MODULE;
    let mut sums = vec![[0.0_f32; 2]];
    let mut total = [0.0_f32; 2];
    let offset = samples.first().copied().unwrap_or_default();
    for sample in samples {
        let level = sample - offset;
        total = [total[0] + level, total[1] + level * level];
        sums.push(total);
    }
    let deviation = |from: usize, to: usize| {
        let count = (to - from) as f32;
        let mean = (sums[to][0] - sums[from][0]) / count;
        let square = (sums[to][1] - sums[from][1]) / count;
        (mean, (square - mean * mean).max(0.0).sqrt())
    };
    let (_, whole) = deviation(0, samples.len());
    samples
        .iter()
        .enumerate()
        .map(|(at, sample)| {
            let (mean, deviation) = deviation(at.saturating_sub(radius), (at + radius + 1).min(samples.len()));
            (mean + offset - sample) * contrast / deviation.max(0.25 * whole).max(1e-3) + 0.5
        })
        .collect()
}

fn deviation(samples: &[f32]) -> f32 {
    let mean = samples.iter().sum::<f32>() / samples.len() as f32;
    (samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f32>() / samples.len() as f32).sqrt()
}

/// Solves linear equations with a symmetric positive definite matrix, of which the upper half is given; `None` where they
/// say too little.
fn solve(mut matrix: [[f64; UNKNOWNS]; UNKNOWNS], mut right: [f64; UNKNOWNS]) -> Option<[f64; UNKNOWNS]> {
    for column in 0..UNKNOWNS {
        let pivot_row = matrix[column];
        let pivot = pivot_row[column];
        if pivot.is_nan() || pivot <= 1e-12 {
            return None;
        }
        for row in column + 1..UNKNOWNS {
            let factor = pivot_row[row] / pivot;
            if factor != 0.0 {
                for (entry, above) in matrix[row].iter_mut().zip(&pivot_row).skip(row) {
                    *entry -= factor * above;
                }
                right[row] -= factor * right[column];
            }
        }
    }
    for row in (0..UNKNOWNS).rev() {
        let known: f64 = matrix[row].iter().zip(&right).skip(row + 1).map(|(entry, value)| entry * value).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}
