//! What the characters look like after blur, and which row of characters a blurred waveform is likeliest to be.
//!
//! Half-module samples. Dark counts as one, light as nought. A character's samples depend on the last three modules of
//! the character before it and on the first three of the one after it; that is how far blur reaches. As blur is
//! linear, the samples of a character are the sum of three parts, so that all characters in all surroundings are
//! scored with few products.

use super::symbology::{CHARACTER_MODULES, CHECK, START, STOP_MODULES, VALUES, modules, stop_modules};

/// Samples to a module.
pub(super) const PER_MODULE: usize = 2;
/// Samples of a character.
pub(super) const SAMPLES: usize = CHARACTER_MODULES * PER_MODULE;
/// Samples of the stop character.
pub(super) const STOP_SAMPLES: usize = STOP_MODULES * PER_MODULE;
/// How many modules beside a character still touch its samples.
const REACH: usize = 3;
/// What a character may end with, seen from the next one: its last modules, light alone first.
const ENDS: [u16; 4] = [0b000, 0b100, 0b110, 0b010];
/// What a character may begin with.
const BEGINS: [u16; 4] = [0b111, 0b110, 0b100, 0b101];
/// How much an error of the mean brightness of a character counts, beside errors of its shape: light and shade are
/// estimated from the surroundings, not known.
const MEAN_COUNTS: f32 = 0.35;

/// Samples of a character; the rest is nought, so that whole registers are multiplied.
type Wave = [f32; LANES];
const LANES: usize = SAMPLES.next_multiple_of(8);

/// All characters at one blur.
#[derive(Debug, Clone)]
pub(super) struct Waves {
    /// Response to one dark module: sample `i` is `(i + 0.5) / 2 - REACH - 1` modules after the module's beginning.
    response: Vec<f32>,
    characters: Vec<Wave>,
    before: [Wave; 4],
    after: [Wave; 4],
    /// Sum of squares of a character with its surroundings: `[value][end][begin]`.
    squares: Vec<[[f32; 4]; 4]>,
    ends: Vec<usize>,
    begins: Vec<usize>,
    /// Root mean square of the characters about their mean.
    pub(super) contrast: f32,
}

impl Waves {
    /// For blur of so many modules (standard deviation).
    pub(super) fn new(blur: f32) -> Self {
        // A sample is the mean over half a module, which blurs a little by itself.
        let spread = (blur * blur + 0.25 / 12.0).sqrt();
        let taps = (2 * REACH + 3) * PER_MODULE;
        let response = (0..taps)
            .map(|tap| {
                let at = (tap as f32 + 0.5) / PER_MODULE as f32 - REACH as f32 - 1.0;
                normal(at / spread) - normal((at - 1.0) / spread)
            })
            .collect();
        let mut waves = Self {
            response,
            characters: Vec::with_capacity(VALUES),
            before: [[0.0; LANES]; 4],
            after: [[0.0; LANES]; 4],
            squares: Vec::with_capacity(VALUES),
            ends: (0..VALUES).map(|value| class(&ENDS, modules(value) & 0b111)).collect(),
            begins: (0..VALUES).map(|value| class(&BEGINS, modules(value) >> 8)).collect(),
            contrast: 0.0,
        };
        waves.before = ENDS.map(|bits| waves.wave(bits, REACH, -(REACH as isize)));
        waves.after = BEGINS.map(|bits| waves.wave(bits, REACH, CHARACTER_MODULES as isize));
        let mut sum = 0.0;
        for value in 0..VALUES {
            let raw = waves.wave(modules(value), CHARACTER_MODULES, 0);
            let squares = std::array::from_fn(|end| {
                std::array::from_fn(|begin| {
                    let whole: Wave =
                        std::array::from_fn(|at| raw[at] + waves.before[end][at] + waves.after[begin][at]);
                    let mean = mean(&whole);
                    sum += whole[..SAMPLES].iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f32>();
                    let whole = weighed(&whole);
                    dot(&whole, &whole)
                })
            });
            waves.characters.push(weighed(&raw));
            waves.squares.push(squares);
        }
        waves.before = waves.before.map(|wave| weighed(&wave));
        waves.after = waves.after.map(|wave| weighed(&wave));
        waves.contrast = (sum / (VALUES * 16 * SAMPLES) as f32).sqrt();
        waves
    }

    fn wave(&self, bits: u16, count: usize, from: isize) -> Wave {
        let mut wave = [0.0; LANES];
        self.draw(bits, count, from, &mut wave[..SAMPLES]);
        wave
    }

    /// Adds modules, the first at module `from`, to samples.
    fn draw(&self, bits: u16, count: usize, from: isize, samples: &mut [f32]) {
        for module in (0..count).filter(|module| bits >> (count - 1 - module) & 1 == 1) {
            let start = (from + module as isize - REACH as isize - 1) * PER_MODULE as isize;
            for (tap, level) in self.response.iter().enumerate() {
                if let Some(sample) = usize::try_from(start + tap as isize).ok().and_then(|at| samples.get_mut(at)) {
                    *sample += level;
                }
            }
        }
    }

    /// The samples of a whole symbol: quiet modules, characters, stop character, quiet modules.
    pub(super) fn synthesise(&self, values: &[usize], quiet: usize) -> Vec<f32> {
        let count = values.len() * CHARACTER_MODULES + STOP_MODULES + 2 * quiet;
        let mut samples = vec![0.0; count * PER_MODULE];
        for (at, value) in values.iter().enumerate() {
            self.draw(modules(*value), CHARACTER_MODULES, (quiet + at * CHARACTER_MODULES) as isize, &mut samples);
        }
        let from = quiet + values.len() * CHARACTER_MODULES;
        self.draw(stop_modules(), STOP_MODULES, from as isize, &mut samples);
        samples
    }

    /// Scores all characters at a place: squared distance of the samples to each, in each surroundings.
    fn distances(&self, samples: &[f32]) -> Slot {
        let mut wave = [0.0; LANES];
        wave[..SAMPLES].copy_from_slice(&samples[..SAMPLES]);
        let wave = weighed(&wave);
        let own = dot(&wave, &wave);
        let before = self.before.map(|other| dot(&wave, &other));
        let after = self.after.map(|other| dot(&wave, &other));
        let characters = self.characters.iter().map(|other| own - 2.0 * dot(&wave, other)).collect();
        Slot { before, after, characters }
    }
}

/// Products of the samples at one place with all parts.
#[derive(Debug, Clone)]
struct Slot {
    before: [f32; 4],
    after: [f32; 4],
    characters: Vec<f32>,
}

impl Slot {
    fn distance(&self, waves: &Waves, value: usize, end: usize, begin: usize) -> f32 {
        self.characters[value] + waves.squares[value][end][begin] - 2.0 * (self.before[end] + self.after[begin])
    }
}

/// A row of characters, and how far from the samples it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// From the start character to the check character.
    pub(super) values: Vec<usize>,
    /// Sum of squared differences; the stop character and quiet zones are not in it.
    pub(super) distance: f32,
}

/// What the samples may say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The nearest row of characters, whether its check character fits or not.
    pub(super) nearest: Path,
    /// The nearest whose check character fits.
    pub(super) checked: Option<Path>,
    /// How much farther the next one is whose check character fits too.
    pub(super) margin: f32,
}

/// The trellis of characters over the samples of a symbol without quiet zones.
#[derive(Debug, Clone)]
pub(super) struct Trellis<'a> {
    waves: &'a Waves,
    slots: Vec<Slot>,
    /// Least cost before each slot, by end of the character before and beginning of the slot's own.
    forward: Vec<[[f32; 4]; 4]>,
}

const FAR: f32 = 1e30;
/// States of the space between two characters: what ends, what begins.
type States = [[f32; 4]; 4];

impl<'a> Trellis<'a> {
    /// `samples`: of `count` characters and the stop character. `None` where they are too few.
    pub(super) fn new(waves: &'a Waves, samples: &[f32], count: usize) -> Option<Self> {
        if count < 3 || samples.len() < count * SAMPLES + STOP_SAMPLES {
            return None;
        }
        let slots: Vec<Slot> = (0..count).map(|slot| waves.distances(&samples[slot * SAMPLES..])).collect();
        let mut forward = Vec::with_capacity(count + 1);
        let mut states: States = [[FAR; 4]; 4];
        // The quiet zone ends light; every start character begins with a bar of two modules.
        states[0] = [0.0; 4];
        for (at, slot) in slots.iter().enumerate() {
            forward.push(states);
            let mut next: States = [[FAR; 4]; 4];
            let before = ends_first(&states, &slot.before);
            for value in allowed(at) {
                let least = least_end(&waves.squares[value], &before[waves.begins[value]]);
                let out = &mut next[waves.ends[value]];
                for (cost, least) in out.iter_mut().zip(least) {
                    *cost = cost.min(least + slot.characters[value]);
                }
            }
            for costs in &mut next {
                for (cost, after) in costs.iter_mut().zip(slot.after) {
                    *cost -= 2.0 * after;
                }
            }
            states = next;
        }
        forward.push(states);
        Some(Self { waves, slots, forward })
    }

    /// The distance of the nearest row of characters.
    pub(super) fn least(&self) -> f32 {
        let stop = class(&BEGINS, stop_modules() >> 10);
        self.forward.last().map_or(FAR, |states| states.iter().map(|begins| begins[stop]).fold(FAR, f32::min))
    }

    /// The nearest rows; characters are looked at only where a row through them is at most `within` farther than the
    /// nearest of all.
    pub(super) fn read(&self, within: f32) -> Reading {
        let stop = class(&BEGINS, stop_modules() >> 10);
        let count = self.slots.len();
        let least = self.least();
        // From the end: least cost after each state; characters off all good rows drop out.
        let mut after: States = [[FAR; 4]; 4];
        for row in &mut after {
            row[stop] = 0.0;
        }
        let mut kept: Vec<Vec<usize>> = vec![Vec::new(); count];
        for at in (0..count).rev() {
            let (slot, before) = (&self.slots[at], &self.forward[at]);
            let mut next: States = [[FAR; 4]; 4];
            let behind =
                after.map(|costs| std::array::from_fn::<f32, 4, _>(|begin| costs[begin] - 2.0 * slot.after[begin]));
            for value in allowed(at) {
                let (into, out) = (self.waves.begins[value], self.waves.ends[value]);
                let mut through = FAR;
                for end in 0..4 {
                    let squares = &self.waves.squares[value][end];
                    let rest = squares.iter().zip(&behind[out]).map(|(square, cost)| square + cost).fold(FAR, f32::min);
                    let rest = rest + slot.characters[value] - 2.0 * slot.before[end];
                    next[end][into] = next[end][into].min(rest);
                    through = through.min(before[end][into] + rest);
                }
                if through <= least + within {
                    kept[at].push(value);
                }
            }
            after = next;
        }
        let nearest = self.nearest();
        let (checked, margin) = self.checked(&kept, stop);
        Reading { nearest, checked, margin }
    }

    /// The nearest row of all, back from the stop character.
    pub(super) fn nearest(&self) -> Path {
        let stop = class(&BEGINS, stop_modules() >> 10);
        let mut values = Vec::with_capacity(self.slots.len());
        let (mut begin, mut end) = (stop, None);
        for at in (0..self.slots.len()).rev() {
            let (slot, before) = (&self.slots[at], &self.forward[at]);
            let mut best = (FAR, 0, 0);
            for value in allowed(at).filter(|value| end.is_none_or(|end| self.waves.ends[*value] == end)) {
                for (from, states) in before.iter().enumerate() {
                    let cost = states[self.waves.begins[value]] + slot.distance(self.waves, value, from, begin);
                    if cost < best.0 {
                        best = (cost, value, from);
                    }
                }
            }
            values.push(best.1);
            (begin, end) = (self.waves.begins[best.1], Some(best.2));
        }
        values.reverse();
        Path { values, distance: self.least() }
    }

    /// Rows of the characters that were kept, told apart by their check sum: the best two of each.
    fn checked(&self, kept: &[Vec<usize>], stop: usize) -> (Option<Path>, f32) {
        let Some(last) = self.slots.len().checked_sub(1) else { return (None, FAR) };
        let mut before = vec![[Step::NONE; 2]; STATES];
        for begin in 0..4 {
            before[state(0, begin, 0)][0] = Step { cost: 0.0, ..Step::NONE };
        }
        let mut history: Vec<Vec<[Step; 2]>> = Vec::with_capacity(last);
        for (at, kept) in kept.iter().enumerate().take(last) {
            let mut next = vec![[Step::NONE; 2]; STATES];
            for (from, steps) in before.iter().enumerate().filter(|(_, steps)| steps[0].cost < FAR) {
                let (end, begin, sum) = (from / 4 % 4, from % 4, from / 16);
                for &value in kept.iter().filter(|value| self.waves.begins[**value] == begin) {
                    let sum = (sum + at.max(1) * value) % CHECK;
                    for begin in 0..4 {
                        let distance = self.slots[at].distance(self.waves, value, end, begin);
                        let into = &mut next[state(self.waves.ends[value], begin, sum)];
                        for (rank, step) in steps.iter().enumerate().filter(|(_, step)| step.cost < FAR) {
                            insert(into, Step { cost: step.cost + distance, value, from, rank });
                        }
                    }
                }
            }
            history.push(std::mem::replace(&mut before, next));
        }
        let mut best = [Step::NONE; 2];
        for (from, steps) in before.iter().enumerate().filter(|(_, steps)| steps[0].cost < FAR) {
            let (end, begin, value) = (from / 4 % 4, from % 4, from / 16);
            if self.waves.begins[value] == begin {
                let distance = self.slots[last].distance(self.waves, value, end, stop);
                for (rank, step) in steps.iter().enumerate().filter(|(_, step)| step.cost < FAR) {
                    insert(&mut best, Step { cost: step.cost + distance, value, from, rank });
                }
            }
        }
        history.push(before);
        let [first, second] = best;
        if first.cost >= FAR {
            return (None, FAR);
        }
        let mut values = vec![first.value];
        let mut step = first;
        for steps in history.iter().skip(1).rev() {
            step = steps[step.from][step.rank];
            values.push(step.value);
        }
        values.reverse();
        (Some(Path { values, distance: first.cost }), second.cost - first.cost)
    }
}

/// Costs by beginning, then end, the products with what ended before included.
fn ends_first(states: &States, before: &[f32; 4]) -> States {
    std::array::from_fn(|begin| std::array::from_fn(|end| states[end][begin] - 2.0 * before[end]))
}

/// For each beginning of the next character the least cost over what ended before.
fn least_end(squares: &[[f32; 4]; 4], before: &[f32; 4]) -> [f32; 4] {
    let mut least = [FAR; 4];
    for (squares, before) in squares.iter().zip(before) {
        for (least, square) in least.iter_mut().zip(squares) {
            *least = least.min(square + before);
        }
    }
    least
}

/// States with a check sum.
const STATES: usize = 16 * CHECK;

const fn state(end: usize, begin: usize, sum: usize) -> usize {
    sum * 16 + end * 4 + begin
}

/// How a state is reached.
#[derive(Debug, Clone, Copy)]
struct Step {
    cost: f32,
    value: usize,
    from: usize,
    rank: usize,
}

impl Step {
    const NONE: Self = Self { cost: FAR, value: 0, from: 0, rank: 0 };
}

fn insert(steps: &mut [Step; 2], step: Step) {
    if step.cost < steps[0].cost {
        *steps = [step, steps[0]];
    } else if step.cost < steps[1].cost {
        steps[1] = step;
    }
}

fn allowed(slot: usize) -> std::ops::Range<usize> {
    if slot == 0 { START..VALUES } else { 0..START }
}

fn class(classes: &[u16; 4], bits: u16) -> usize {
    classes.iter().position(|class| *class == bits).unwrap_or(0)
}

fn mean(wave: &Wave) -> f32 {
    wave[..SAMPLES].iter().sum::<f32>() / SAMPLES as f32
}

/// The same wave with its mean counting less.
fn weighed(wave: &Wave) -> Wave {
    let less = mean(wave) * (1.0 - MEAN_COUNTS.sqrt());
    let mut wave = *wave;
    for sample in &mut wave[..SAMPLES] {
        *sample -= less;
    }
    wave
}

fn dot(one: &Wave, other: &Wave) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    sums.iter().sum()
}

/// The normal distribution's integral, to a few millionths (Abramowitz and Stegun, 7.1.26).
pub(super) fn normal(at: f32) -> f32 {
    let x = at.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (0.327_591_1 * x + 1.0);
    let series = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    let upper = 0.5 * series * (-x * x).exp();
    if at < 0.0 { upper } else { 1.0 - upper }
}
