//! A guess at where a code lies, worked out: places of modules, light and blur fitted to what is read, and read again.

use super::anchor::{Guess, Sums};
use super::read::{BLUR_STEP, QUIET, waves_at};
use super::waveform::{PER_MODULE, SAMPLES, Trellis, Waves};

/// Modules over which light and contrast are taken to change little.
const LIGHT_MODULES: usize = 10;
/// Corrections of the places of modules: polynomials up to the third degree.
const PLACES: usize = 4;
/// Sections of a code in which light and contrast change linearly.
const SECTIONS: usize = 5;
/// Places, blur, light and contrast at the sections' ends.
const UNKNOWNS: usize = PLACES + 1 + 2 * (SECTIONS + 1);
/// A row of characters nearer than this to a profile, as a share of its variance, is no chance.
pub(super) const CLEAR: f32 = 0.09;
/// No row of characters farther than this is fitted.
pub(super) const HOPELESS: f32 = 0.36;
/// A code is fitted so many times at most.
const ROUNDS: usize = 4;

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

/// What a code looks like, module for module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// Start and check character counted, stop character not.
    pub(super) characters: usize,
    /// Where in the profile the code begins and where it ends.
    pub(super) ends: [f32; 2],
    /// Share of dark of each half module, quiet modules included.
    pub(super) samples: Vec<f32>,
    /// Standard deviation of the blur in modules.
    pub(super) blur: f32,
    /// How much darker dark modules are than light ones, in grey levels.
    pub(super) contrast: f32,
}

/// A guess, worked out.
pub(super) struct Candidate<'a> {
    sums: &'a Sums,
    grid: Grid,
    characters: usize,
    blur: f32,
    pub(super) reversed: bool,
}

impl<'a> Candidate<'a> {
    /// The best of the guess's neighbours, and how far its nearest row of characters is from the profile: 0 is a perfect
    /// match.
    pub(super) fn best(sums: &'a Sums, guess: &Guess) -> Option<(f32, Self)> {
        let mut best: Option<(f32, Self)> = None;
        let steps = [0, -1, 1, -2, 2];
        for (step, blurred) in [1.0, 0.7].into_iter().flat_map(|blurred| steps.map(|step| (step, blurred))) {
            if blurred < 1.0 && best.as_ref().is_none_or(|best| best.0 > HOPELESS) {
                break;
            }
            let grid = Grid::new(guess, guess.ratio * 1.02_f32.powi(step));
            let blur = blurred * guess.blur * guess.modules() as f32 / (guess.to - guess.from);
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
        waves_at(self.blur)
    }

    /// Fits places, light and blur to what was read and reads again, until nothing changes. `None` where nothing fits.
    pub(super) fn fit(mut self) -> Option<Fitted> {
        let waves = self.waves();
        let raw = self.grid.samples(self.sums, 0);
        let mut path = Trellis::new(waves, &normalised(&raw, waves.contrast), self.characters)?.nearest();
        let (mut samples, mut contrast) = (Vec::new(), 1.0);
        for round in 0..ROUNDS {
            self.adjust(&path.values)?;
            let light = self.adjust(&path.values)?;
            let raw = self.grid.samples(self.sums, QUIET);
            samples = raw.iter().enumerate().map(|(at, level)| light.flat(at, raw.len(), *level)).collect();
            contrast = light.mean_contrast();
            let quiet = QUIET * PER_MODULE;
            let nearest =
                Trellis::new(self.waves(), &samples[quiet..samples.len() - quiet], self.characters)?.nearest();
            let settled = nearest.values == path.values;
            path = nearest;
            if round > 0 && settled {
                break;
            }
        }
        Some(Fitted {
            characters: self.characters,
            ends: [self.grid.at(0.0), self.grid.at(self.grid.modules)],
            samples,
            blur: self.blur,
            contrast,
        })
    }

    /// One least-squares step of places, blur, light and contrast for given values.
    fn adjust(&mut self, values: &[usize]) -> Option<Light> {
        let waves = self.waves();
        let model = waves.synthesise(values, QUIET);
        let wider = waves_at(self.blur + BLUR_STEP).synthesise(values, QUIET);
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
    fn mean_contrast(&self) -> f32 {
        (self.contrast.iter().sum::<f32>() / self.contrast.len() as f32).max(1.0)
    }

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
