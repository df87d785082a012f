//! Where a code begins and ends and how many modules it has: what its start and stop characters tell.

use super::symbology::{CHARACTER_MODULES, START, STOP_MODULES};
use super::waveform::{PER_MODULE, Waves};

/// Quiet modules that are matched with the start and the stop character.
const QUIET: usize = 4;
/// Samples of a start character with its quiet zone; the last module is left out, as what follows blurs it.
const START_SAMPLES: usize = (QUIET + CHARACTER_MODULES - 1) * PER_MODULE;
/// Samples of a stop character with its quiet zone; the first module is left out.
const STOP_SAMPLES: usize = (QUIET + STOP_MODULES - 1) * PER_MODULE;
/// Module widths that are tried, each so many times the one before.
const PITCH_STEP: f32 = 1.05;
/// The narrowest module, in samples of the profile.
const LEAST_PITCH: f32 = 1.1;
const PITCHES: usize = 56;
/// Blurs that are tried: standard deviations in samples of the profile.
const BLURS: [f32; 3] = [0.7, 1.4, 2.2];
/// No more edges than these are taken for an end.
const MOST_EDGES: usize = 7;
/// The least characters of a symbol, start and check character counted.
const LEAST_CHARACTERS: usize = 3;
/// The most characters of a symbol, start and check character counted.
const MOST_CHARACTERS: usize = 84;
/// Guesses so much below the best are dropped.
const SCORE_SPREAD: f32 = 60.0;
/// Start and stop character fit at least so well.
const LEAST_SCORE: f32 = 60.0;
/// How unlike the module widths at both ends may be, in steps.
const RATIO_STEPS: isize = 12;

/// A profile whose means over any stretch are at hand.
#[derive(Debug, Clone)]
pub(super) struct Sums(Vec<f64>);

impl Sums {
    pub(super) fn new(levels: &[f32]) -> Self {
        let mut sum = 0.0;
        Self(
            std::iter::once(0.0)
                .chain(levels.iter().map(|level| {
                    sum += f64::from(*level);
                    sum
                }))
                .collect(),
        )
    }

    /// The integral from the beginning; level `i` covers the stretch around `i`.
    pub(super) fn until(&self, at: f32) -> f64 {
        let last = self.0.len() - 1;
        let at = (at + 0.5).clamp(0.0, last as f32);
        let whole = (at as usize).min(last.saturating_sub(1));
        let rest = f64::from(at - whole as f32);
        self.0[whole] + rest * (self.0[(whole + 1).min(last)] - self.0[whole])
    }

    /// The mean between two places.
    pub(super) fn mean(&self, from: f32, to: f32) -> f32 {
        ((self.until(to) - self.until(from)) / f64::from((to - from).max(1e-3))) as f32
    }
}

/// A guess at where a code lies in a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guess {
    /// Whether the profile runs against the code.
    pub(super) reversed: bool,
    /// Where the first bar begins.
    pub(super) from: f32,
    /// Where the last bar ends.
    pub(super) to: f32,
    /// Characters, start and check character counted, stop character not.
    pub(super) characters: usize,
    /// Width of the first module divided by that of the last.
    pub(super) ratio: f32,
    /// Standard deviation of the blur in samples of the profile.
    pub(super) blur: f32,
    /// The greater, the better start and stop character fit.
    pub(super) score: f32,
}

impl Guess {
    /// Modules from the first bar to the last.
    pub(super) const fn modules(&self) -> usize {
        self.characters * CHARACTER_MODULES + STOP_MODULES
    }
}

/// Start and stop characters at all blurs.
#[derive(Debug, Clone)]
pub(super) struct Anchors {
    shapes: Vec<Shapes>,
}

/// Unit vectors without mean.
#[derive(Debug, Clone)]
struct Shapes {
    starts: [[f32; START_SAMPLES]; 3],
    stop: [f32; STOP_SAMPLES],
}

/// How well an end fits at one edge, by blur and module width.
type Fits = [[f32; PITCHES]; BLURS.len()];

impl Anchors {
    pub(super) fn new(waves: &[Waves]) -> Self {
        let shapes = waves
            .iter()
            .map(|waves| {
                let starts = std::array::from_fn(|set| {
                    let whole = waves.synthesise(&[START + set], QUIET);
                    let mut wave = [0.0; START_SAMPLES];
                    wave.copy_from_slice(&whole[..START_SAMPLES]);
                    unit(&mut wave);
                    wave
                });
                let whole = waves.synthesise(&[START], QUIET);
                let mut stop = [0.0; STOP_SAMPLES];
                stop.copy_from_slice(&whole[whole.len() - STOP_SAMPLES..]);
                unit(&mut stop);
                Shapes { starts, stop }
            })
            .collect();
        Self { shapes }
    }

    /// The likeliest guesses for both directions, best first, `most` of them. `levels` is brightness, `blur_at` tells
    /// which waves fit a blur of so many modules.
    pub(super) fn guesses(
        &self,
        levels: &[f32],
        noise: f32,
        span: [f32; 2],
        blur_at: impl Fn(f32) -> usize,
        most: usize,
    ) -> Vec<Guess> {
        let inside = &levels[span[0].max(0.0) as usize..(span[1] as usize).min(levels.len())];
        let (low, high) = extremes(inside);
        let least = (0.06 * (high - low)).max(4.0 * noise);
        let length = levels.len() as f32 - 1.0;
        let turned: Vec<f32> = levels.iter().rev().copied().collect();
        let turned_span = [length - span[1], length - span[0]];
        // Widths that the number of edges allows.
        let all = count_edges(levels, span[0], span[1], least).max(12) as f32;
        let wide = (span[1] - span[0]) / all * 6.0 / CHARACTER_MODULES as f32;
        let widths = step_of(wide * 0.35)..step_of(wide * 1.8) + 1;
        let ends = [(levels, span), (&turned, turned_span)]
            .map(|(levels, span)| self.ends(levels, span, widths.clone(), &blur_at));
        let mut found: Vec<Guess> = Vec::new();
        let mut best = 0.0_f32;
        for reversed in [false, true] {
            let (heads, tails) = if reversed { (&ends[1], &ends[0]) } else { (&ends[0], &ends[1]) };
            for head in heads {
                for tail in tails.iter().filter(|tail| length - tail.place > head.place + 20.0) {
                    if head.best_start + tail.best_stop < best - SCORE_SPREAD {
                        continue;
                    }
                    let to = length - tail.place;
                    let edges = count_edges(levels, head.place.min(to), to.max(head.place), least);
                    for guess in pair(head, tail, to, edges) {
                        best = best.max(guess.score);
                        found.push(Guess { reversed, ..guess });
                    }
                }
            }
        }
        found.retain(|guess| guess.score > best - SCORE_SPREAD && guess.score > LEAST_SCORE);
        found.sort_by(|one, other| other.score.total_cmp(&one.score));
        found.truncate(most);
        found
    }

    /// Dark edges near the left end of a span, and how well they begin a start character or end a stop character.
    fn ends(
        &self,
        levels: &[f32],
        span: [f32; 2],
        widths: std::ops::Range<usize>,
        blur_at: &impl Fn(f32) -> usize,
    ) -> Vec<End> {
        let sums = Sums::new(levels);
        let mut found = Vec::new();
        for place in edges(levels, span) {
            let none = Box::new([[0.0; PITCHES]; BLURS.len()]);
            let mut end = End { place, starts: none.clone(), stops: none, best_start: 0.0, best_stop: 0.0 };
            for at in widths.clone() {
                let pitch = LEAST_PITCH * PITCH_STEP.powi(at as i32);
                let step = pitch / PER_MODULE as f32;
                let from = place - QUIET as f32 * pitch;
                let mut wave = [0.0; STOP_SAMPLES];
                let mut before = sums.until(from);
                for (at, sample) in wave.iter_mut().enumerate() {
                    let next = sums.until(from + (at + 1) as f32 * step);
                    *sample = (before - next) as f32;
                    before = next;
                }
                let mut short = [0.0; START_SAMPLES];
                short.copy_from_slice(&wave[..START_SAMPLES]);
                unit(&mut short);
                wave.reverse();
                unit(&mut wave);
                for (blur, (starts, stops)) in BLURS.iter().zip(end.starts.iter_mut().zip(end.stops.iter_mut())) {
                    let shapes = &self.shapes[blur_at(blur / pitch)];
                    let start = shapes.starts.iter().map(|start| product(&short, start)).fold(0.0, f32::max);
                    starts[at] = likeness(start, START_SAMPLES);
                    stops[at] = likeness(product(&wave, &shapes.stop), STOP_SAMPLES);
                    end.best_start = end.best_start.max(starts[at]);
                    end.best_stop = end.best_stop.max(stops[at]);
                }
            }
            found.push(end);
        }
        found
    }
}

/// An edge that may be an end of a code.
struct End {
    place: f32,
    starts: Box<Fits>,
    stops: Box<Fits>,
    best_start: f32,
    best_stop: f32,
}

/// The last step of module widths that is not above `pitch`.
fn step_of(pitch: f32) -> usize {
    ((pitch / LEAST_PITCH).max(1.0).ln() / PITCH_STEP.ln()).min((PITCHES - 1) as f32) as usize
}

/// The best guesses between two edges, each with another number of characters.
fn pair(head: &End, tail: &End, to: f32, edges: usize) -> Vec<Guess> {
    let length = to - head.place;
    let mut best: Vec<Guess> = Vec::new();
    // A character has six edges, of which blur may hide some.
    let least = (edges / 7).max(LEAST_CHARACTERS);
    for characters in least..=(edges / 2).min(MOST_CHARACTERS) {
        let count = characters * CHARACTER_MODULES + STOP_MODULES;
        // The mean width is the geometric mean of the widths at both ends.
        let middle = (length / count as f32 / LEAST_PITCH).ln() / PITCH_STEP.ln();
        if middle < 0.0 {
            break;
        }
        if middle > (PITCHES - 1) as f32 {
            continue;
        }
        let twice = (2.0 * middle).round() as isize;
        let low = (twice - RATIO_STEPS) / 2;
        let mut found = (0.0, 0, 0.0);
        for (blur, (starts, stops)) in BLURS.iter().zip(head.starts.iter().zip(tail.stops.iter())) {
            for first in low..=low + RATIO_STEPS {
                let (Ok(at), Ok(last)) = (usize::try_from(first), usize::try_from(twice - first)) else { continue };
                let (Some(start), Some(stop)) = (starts.get(at), stops.get(last)) else { continue };
                let steps = (2 * first - twice) as f32;
                let score = start + stop - 0.03 * steps * steps;
                if score > found.0 {
                    found = (score, 2 * first - twice, *blur);
                }
            }
        }
        let (score, steps, blur) = found;
        if score > LEAST_SCORE {
            let ratio = PITCH_STEP.powi(steps as i32);
            best.push(Guess { reversed: false, from: head.place, to, characters, ratio, blur, score });
        }
    }
    best.sort_by(|one, other| other.score.total_cmp(&one.score));
    best.truncate(3);
    best
}

/// The logarithm of how much of a wave a shape explains, from the product of the two.
fn likeness(product: f32, samples: usize) -> f32 {
    let product = product.max(0.0);
    -(samples as f32) * (1.0 - product * product).max(1e-3).ln()
}

fn product<const N: usize>(wave: &[f32; N], shape: &[f32; N]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (waves, shapes) = (wave.chunks_exact(8), shape.chunks_exact(8));
    let rest: f32 = waves.remainder().iter().zip(shapes.remainder()).map(|(wave, shape)| wave * shape).sum();
    for (wave, shape) in waves.zip(shapes) {
        for ((sum, wave), shape) in sums.iter_mut().zip(wave).zip(shape) {
            *sum += wave * shape;
        }
    }
    sums.iter().sum::<f32>() + rest
}

fn extremes(levels: &[f32]) -> (f32, f32) {
    levels.iter().fold((f32::MAX, f32::MIN), |(low, high), level| (low.min(*level), high.max(*level)))
}

fn unit<const N: usize>(wave: &mut [f32; N]) {
    let mean = wave.iter().sum::<f32>() / N as f32;
    let square: f32 = wave.iter().map(|sample| (sample - mean) * (sample - mean)).sum();
    let scale = square.max(1e-12).sqrt().recip();
    for sample in wave {
        *sample = (*sample - mean) * scale;
    }
}

/// Places near the left end of a span where light turns dark after a stretch of even light: the likeliest first bars.
fn edges(levels: &[f32], span: [f32; 2]) -> Vec<f32> {
    let length = span[1] - span[0];
    let from = ((span[0] - 30.0).max(1.0)) as usize;
    let to = ((span[0] + 0.35 * length) as usize).min(levels.len().saturating_sub(3));
    // No space inside a code is so wide in most codes; quiet zones are.
    let quiet = ((0.03 * length) as usize).max(4);
    if from + 2 >= to {
        return Vec::new();
    }
    let slope = |at: usize| levels[at] - levels[at + 1];
    let strongest = (from..to).map(slope).fold(0.0, f32::max);
    let mut found: Vec<(f32, f32)> = (from..to)
        .filter(|at| slope(*at) > 0.15 * strongest && slope(*at) >= slope(at - 1) && slope(*at) > slope(at + 1))
        .map(|at| {
            let (before, here, after) = (slope(at - 1), slope(at), slope(at + 1));
            let bend = (before - 2.0 * here + after).min(-1e-6);
            let place = at as f32 + 0.5 + (0.5 * (before - after) / bend).clamp(-0.5, 0.5);
            // Blur rounds the shoulder of the edge itself.
            let shoulder = at.saturating_sub(2);
            let calm = &levels[shoulder.saturating_sub(quiet)..shoulder.max(1)];
            let (low, high) = extremes(calm);
            (place, here / (high - low + 0.1 * strongest))
        })
        .collect();
    found.sort_by(|one, other| other.1.total_cmp(&one.1));
    found.truncate(MOST_EDGES);
    found.into_iter().map(|(at, _)| at).collect()
}

/// How many edges the profile has that stand out of the noise.
pub(super) fn count_edges(levels: &[f32], from: f32, to: f32, least: f32) -> usize {
    let range = (from.max(0.0) as usize)..(to.max(0.0) as usize + 1).min(levels.len());
    let (mut count, mut low, mut high, mut rising) = (0, f32::MAX, f32::MIN, None);
    for level in levels.get(range).unwrap_or_default() {
        low = low.min(*level);
        high = high.max(*level);
        if rising != Some(true) && *level > low + least {
            (count, rising, high) = (count + 1, Some(true), *level);
        } else if rising != Some(false) && *level < high - least {
            (count, rising, low) = (count + 1, Some(false), *level);
        }
        if rising == Some(true) && *level >= high {
            low = *level;
        }
        if rising == Some(false) && *level <= low {
            high = *level;
        }
    }
    count
}
