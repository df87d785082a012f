//! The version that a symbol tells of itself, from version 7 on, beside two of its finder patterns
//! (ISO/IEC 18004, 7.10).

use rxing::qrcode::common::VERSION_DECODE_INFO;

use super::group::Trio;
use super::level::Level;

/// The first version that tells.
pub(super) const FIRST: usize = 7;
/// Bits of version information.
const BITS: usize = 18;
/// Least correlation of both copies with a version's word.
const LIKENESS: f32 = 0.45;
/// Versions that the distance of the finder patterns may be wrong by, at most a quarter.
const WRONG: f32 = 2.5;

/// The version drawn, near the guess.
pub(super) fn drawn(level: &Level<'_>, trio: &Trio, guess: f32) -> Option<usize> {
    let mut seen = [0.0_f32; BITS];
    for (bit, value) in seen.iter_mut().enumerate() {
        let (step, line) = ((bit % 3) as f32 - 7.0, (bit / 3) as f32 - 3.0);
        *value = -level.at(trio.right.at(step, line)) - level.at(trio.below.at(line, step));
    }
    let mean = seen.iter().sum::<f32>() / BITS as f32;
    let spread = seen.iter().map(|value| (value - mean).powi(2)).sum::<f32>().sqrt();
    let likeness = |word: u32| {
        let ones = word.count_ones() as f32;
        let product: f32 = (0..BITS).filter(|bit| word >> bit & 1 == 1).map(|bit| seen[bit] - mean).sum();
        product / (spread * (ones * (1.0 - ones / BITS as f32)).sqrt()).max(1.0)
    };
    (FIRST..)
        .zip(VERSION_DECODE_INFO)
        .filter(|(version, _)| (*version as f32 - guess).abs() < WRONG.max(guess / 4.0))
        .map(|(version, word)| (likeness(word), version))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(most, _)| *most > LIKENESS)
        .map(|(_, version)| version)
}
