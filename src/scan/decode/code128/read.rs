//! From a profile to the values of a code: the likeliest row of characters for each guess at where its modules lie, and
//! whether it is beyond doubt.

use std::sync::OnceLock;

use super::anchor::{Anchors, Sums};
use super::fit::{CLEAR, Candidate, Fitted, HOPELESS};
use super::strip::Profile;
use super::symbology;
use super::waveform::{PER_MODULE, Trellis, Waves};

/// Blurs, in modules, for which waves are kept: so many, in such steps.
const BLURS: usize = 13;
pub(super) const BLUR_STEP: f32 = 0.1;
/// Quiet modules that a code must have on either side.
pub(super) const QUIET: usize = 3;
/// Rows of characters are compared so far below the likeliest, as natural logarithms.
const REACH: f32 = 30.0;
/// How much likelier a code is than any other, as a natural logarithm.
const LEAST_MARGIN: f32 = 10.0;
/// The least share of the variance that a code explains.
const LEAST_EXPLAINED: f32 = 0.85;
/// The same for a code of fewer characters than this, start and check character counted: chance makes them more easily.
const LEAST_EXPLAINED_SHORT: f32 = 0.96;
pub(super) const SHORT: usize = 8;
/// The most that may be unexplained without noise, as a share of the variance, and how much more noise allows, in units
/// of its own share.
const UNEXPLAINED: f32 = 0.06;
const NOISE_COUNTS: f32 = 6.0;
/// Samples narrower than so many pixels of the profile, half a module, share their noise.
const OWN_NOISE: f32 = 1.2;

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

/// The waves of a blur of so many modules, or the nearest there are.
pub(super) fn waves_at(blur: f32) -> &'static Waves {
    &tables().waves[blur_at(blur)]
}

/// How hard a profile is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tries {
    /// Guesses of which the likeliest row of characters is looked for.
    pub(super) guesses: usize,
    /// Of these, how many are fitted.
    pub(super) fits: usize,
}

/// What a profile says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) found: Option<Found>,
    /// Characters of the code that its ends make likeliest, start and check character counted; 0 where nothing in it looks
    /// like the ends of a code.
    pub(super) characters: usize,
}

/// The code in a profile.
pub(super) fn read(profile: &Profile, tries: Tries) -> Outcome {
    let guesses = tables().anchors.guesses(&profile.levels, profile.noise, profile.span, blur_at, tries.guesses);
    let turned: Vec<f32> = profile.levels.iter().rev().copied().collect();
    let sums = [Sums::new(&profile.levels), Sums::new(&turned)];
    let mut candidates: Vec<(f32, Candidate<'_>)> = Vec::new();
    for guess in &guesses {
        let Some(candidate) = Candidate::best(&sums[usize::from(guess.reversed)], guess) else { continue };
        let clear = candidate.0 < CLEAR;
        candidates.push(candidate);
        if clear {
            break;
        }
    }
    candidates.retain(|candidate| candidate.0 < HOPELESS);
    candidates.sort_by(|one, other| one.0.total_cmp(&other.0));
    let last = profile.levels.len() as f32 - 1.0;
    let found = candidates.into_iter().take(tries.fits).find_map(|(_, candidate)| {
        let reversed = candidate.reversed;
        let found = candidate.fit()?.read(profile.noise)?;
        let ends = if reversed { found.ends.map(|end| last - end) } else { found.ends };
        Some(Found { ends, ..found })
    });
    Outcome { found, characters: guesses.first().map_or(0, |guess| guess.characters) }
}

impl Fitted {
    /// The code, if it is beyond doubt. `noise` is the standard deviation of a level of the profile.
    fn read(self, noise: f32) -> Option<Found> {
        let waves = waves_at(self.blur);
        let quiet = QUIET * PER_MODULE;
        let inner = self.samples.get(quiet..self.samples.len().checked_sub(quiet)?)?;
        let trellis = Trellis::new(waves, inner, self.characters)?;
        let nearest = trellis.nearest();
        let model = waves.synthesise(&nearest.values, QUIET);
        let error: f32 =
            self.samples.iter().zip(&model).map(|(sample, model)| (sample - model) * (sample - model)).sum();
        let error = (error / self.samples.len() as f32).max(1e-4);
        let variance = waves.contrast * waves.contrast;
        let explained = 1.0 - error / variance;
        // What noise leaves unexplained is no doubt about the code; what else does, is.
        let width = (self.ends[1] - self.ends[0]) / inner.len() as f32;
        let noise = noise / self.contrast;
        let noise = noise * noise / width.max(1.0) / variance;
        let least = if self.characters < SHORT { LEAST_EXPLAINED_SHORT } else { LEAST_EXPLAINED };
        if explained < least.max(1.0 - UNEXPLAINED - NOISE_COUNTS * noise) {
            return None;
        }
        let reading = trellis.read(2.0 * error * REACH);
        let checked = reading.checked?;
        let nats = (width / OWN_NOISE).min(1.0) / (2.0 * error);
        let behind = (checked.distance - nearest.distance) * nats;
        let margin = (reading.margin * nats).min(REACH) - behind;
        let sure = margin > LEAST_MARGIN && symbology::checks(&checked.values);
        sure.then_some(Found { values: checked.values, ends: self.ends, explained, margin })
    }
}
