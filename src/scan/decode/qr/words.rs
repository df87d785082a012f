//! From soft modules to text: format information, codewords, error correction, segments.

use rxing::qrcode::common::ErrorCorrectionLevel;
use rxing::qrcode::cpp_port::decoder::DecodeBitStream;

use super::layout::{Layout, formats, masked, table};
use super::ordered;
use super::reed_solomon::correct;
use super::segments::{self, Padding};

/// What a symbol says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub text: String,
    pub bytes: Vec<u8>,
    /// From 0 to 1.
    pub confidence: f32,
    /// Rows and columns had changed places: a mirror image.
    pub mirrored: bool,
}

/// How far decoding goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Each codeword as it looks.
    Plain,
    /// Doubtful codewords are given up, doubtful bits turned over.
    Deep,
}

/// Words of format information that are tried. Where much is doubtful only the likeliest is worth the work.
const FORMATS: usize = 2;
/// Least correlation of both copies with a word, of at most about 1.
const FORMAT_LIKENESS: f32 = 0.3;

/// Reads the symbol; `soft` is positive where a module is dark, around 1 where it is clear.
pub(super) fn read(layout: &Layout, soft: &[f32], depth: Depth) -> Option<Reading> {
    let size = layout.size;
    let transposed: Vec<f32> = (0..soft.len()).map(|at| soft[at % size * size + at / size]).collect();
    let mut guesses: Vec<(f32, usize, bool)> = Vec::with_capacity(64);
    for (values, mirrored) in [(soft, false), (&transposed, true)] {
        let copies = layout.format();
        let seen: [f32; 15] =
            std::array::from_fn(|bit| copies.iter().map(|copy| values[copy[bit]].clamp(-1.0, 1.0)).sum());
        for (index, word) in formats().iter().enumerate() {
            let likeness: f32 =
                seen.iter().enumerate().map(|(bit, value)| if word >> bit & 1 == 1 { *value } else { -value }).sum();
            guesses.push((likeness / 30.0, index, mirrored));
        }
    }
    guesses.sort_by(|a, b| b.0.total_cmp(&a.0));
    let likely = guesses
        .into_iter()
        .take(if depth == Depth::Deep { 1 } else { FORMATS })
        .filter(|guess| guess.0 > FORMAT_LIKENESS);
    for (_, format, mirrored) in likely {
        let values = if mirrored { &transposed } else { soft };
        if let Some(reading) = words(layout, values, format, depth) {
            return Some(Reading { mirrored, ..reading });
        }
    }
    None
}

/// Reads with one word of format information.
fn words(layout: &Layout, soft: &[f32], format: usize, depth: Depth) -> Option<Reading> {
    let level = ErrorCorrectionLevel::forBits((format >> 3) as u8).ok()?;
    let mask = (format & 7) as u16;
    let version = table(layout.version)?;
    let plan = version.getECBlocksForLevel(level);
    let checks = plan.getECCodewordsPerBlock() as usize;
    let lengths: Vec<usize> = plan
        .getECBlocks()
        .iter()
        .flat_map(|block| std::iter::repeat_n(block.getDataCodewords() as usize, block.getCount() as usize))
        .collect();
    let bits: Vec<f32> = layout
        .order
        .iter()
        .map(|at| if masked(mask, at % layout.size, at / layout.size) { -soft[*at] } else { soft[*at] })
        .collect();
    let mut words = bits.chunks_exact(8);
    let mut blocks: Vec<Vec<f32>> = vec![Vec::new(); lengths.len()];
    let longest = lengths.iter().copied().max()?;
    for at in 0..longest + checks {
        for (block, data) in blocks.iter_mut().zip(&lengths) {
            if at < longest && at >= *data {
                continue;
            }
            block.extend_from_slice(words.next()?);
        }
    }
    let mut found = Corrected::default();
    let all = blocks.iter().zip(&lengths).all(|(block, length)| found.add(block, *length, depth).is_some());
    let total: f32 = blocks.iter().flatten().map(|value| value.abs()).sum();
    let doubt = found.contradicted / total.max(1e-6);
    let chance = by_chance(1.0 - checks as f32 / (longest + checks) as f32);
    let is_sure = all
        && match segments::padding(&found.data, layout.version) {
            Padding::Wrong => false,
            Padding::Odd => !found.deep,
            Padding::Right(bits) if bits >= PADDING => true,
            Padding::Right(_) => !found.deep || doubt < CLEAR * chance,
        };
    let (data, doubt) = if is_sure {
        (found.data, doubt)
    } else if let ([block], [length], Depth::Deep) = (&blocks[..], &lengths[..], depth) {
        digits(block, *length, layout.version)?
    } else {
        return None;
    };
    let decoded = DecodeBitStream(&data, version, level).ok()?;
    if decoded.error().is_some() || !decoded.isValid() {
        return None;
    }
    let text = decoded.text();
    let bytes = decoded.content().bytes().to_vec();
    let confidence = (1.0 - 2.5 * doubt).clamp(0.05, 1.0);
    (!text.is_empty()).then_some(Reading { text, bytes, confidence, mirrored: false })
}

/// Bits of right padding that tell a reading from chance.
const PADDING: usize = 16;
/// Where there are fewer, doubt must be less than this part of what chance brings.
const CLEAR: f32 = 0.62;

/// The share of all soft values that the nearest codeword contradicts where there is no code at all, only chance, at the
/// rate of data bits to all bits (measured).
fn by_chance(rate: f32) -> f32 {
    0.29 * (1.0 - rate).powi(2)
}

/// Digits that a payment code may have.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=24;
/// Lengths that are tried.
const LENGTHS: usize = 2;

/// Reads a block on the assumption that it says what a wallet's code says, a number of usual length and nothing else: its
/// header, terminator and padding are known then, and what is left to find is little against what is seen. The data, and
/// the share of soft values contradicted.
fn digits(soft: &[f32], data: usize, version: usize) -> Option<(Vec<u8>, f32)> {
    let total = soft.iter().map(|value| value.abs()).sum::<f32>().max(1e-6);
    let mut lengths: Vec<(f32, Vec<Option<bool>>)> = DIGITS
        .filter_map(|count| segments::number(count, data, version))
        .map(|known| {
            let likeness = known.iter().zip(soft).map(|(bit, value)| match bit {
                Some(true) => *value,
                Some(false) => -value,
                None => 0.0,
            });
            (likeness.sum(), known)
        })
        .collect();
    lengths.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best: Option<(Vec<u8>, f32, f32)> = None;
    for (_, known) in lengths.into_iter().take(LENGTHS) {
        let open = known.iter().filter(|bit| bit.is_none()).count();
        let chance = by_chance(open as f32 / soft.len() as f32);
        let Some((words, sum)) = ordered::nearest(soft, data, &known) else { continue };
        let doubt = sum / total;
        if doubt < CLEAR_DIGITS * chance && best.as_ref().is_none_or(|(_, least, _)| doubt < *least) {
            best = Some((words[..data].to_vec(), doubt, chance));
        }
    }
    let (data, doubt, _) = best?;
    matches!(segments::padding(&data, version), Padding::Right(_)).then_some((data, doubt))
}

/// Doubt of a number, as part of what chance brings, at most.
const CLEAR_DIGITS: f32 = 0.6;

/// Blocks that were corrected, and what it took.
#[derive(Debug, Default)]
struct Corrected {
    data: Vec<u8>,
    contradicted: f32,
    /// Whether more was done than the code vouches for.
    deep: bool,
}

impl Corrected {
    fn add(&mut self, soft: &[f32], data: usize, depth: Depth) -> Option<()> {
        let mut words = hard(soft);
        let checks = words.len() - data;
        let (words, contradicted) = if correct(&mut words, checks, &[]).is_some() {
            let sum = contradicted(soft, &words);
            (words, sum)
        } else if depth == Depth::Deep {
            self.deep = true;
            ordered::nearest(soft, data, &[]).or_else(|| erased(soft, checks))?
        } else {
            return None;
        };
        self.contradicted += contradicted;
        self.data.extend_from_slice(&words[..data]);
        Some(())
    }
}

fn hard(soft: &[f32]) -> Vec<u8> {
    soft.chunks(8).map(|bits| bits.iter().fold(0, |word, bit| word << 1 | u8::from(*bit > 0.0))).collect()
}

/// Gives up the least reliable codewords, two more each time, and takes the outcome that contradicts least (Forney's
/// generalised minimum distance).
fn erased(soft: &[f32], count: usize) -> Option<(Vec<u8>, f32)> {
    let words = hard(soft);
    let mut doubtful: Vec<(usize, f32)> =
        soft.chunks(8).map(|bits| bits.iter().fold(f32::MAX, |least, bit| least.min(bit.abs()))).enumerate().collect();
    doubtful.sort_by(|a, b| a.1.total_cmp(&b.1));
    let places: Vec<usize> = doubtful.iter().map(|(place, _)| *place).collect();
    let mut best: Option<(Vec<u8>, f32)> = None;
    for erasures in (2..count.saturating_sub(1)).step_by(2) {
        let mut attempt = words.clone();
        if correct(&mut attempt, count, &places[..erasures]).is_some() {
            let sum = contradicted(soft, &attempt);
            if best.as_ref().is_none_or(|(_, least)| sum < *least) {
                best = Some((attempt, sum));
            }
        }
    }
    best
}

/// The soft values that the codewords contradict.
fn contradicted(soft: &[f32], words: &[u8]) -> f32 {
    let bit = |at: usize| words[at / 8] >> (7 - at % 8) & 1 == 1;
    soft.iter().enumerate().filter(|(at, value)| bit(*at) != (**value > 0.0)).map(|(_, value)| value.abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modules that say nothing under every format and in two versions, clear ones and doubtful ones.
    #[test]
    fn chance_says_nothing() {
        let mut state = 11_u64;
        let mut chance = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32 * 2.0 - 1.0
        };
        for round in 0..24 {
            let layout = Layout::of(1 + round % 2).unwrap();
            let mut soft: Vec<f32> = (0..layout.size * layout.size)
                .map(|_| if round % 3 == 0 { chance().signum() * (1.0 + 0.1 * chance()) } else { chance() + chance() })
                .collect();
            for copy in layout.format() {
                for (bit, at) in copy.into_iter().enumerate() {
                    soft[at] = if formats()[round % 32] >> bit & 1 == 1 { 1.0 } else { -1.0 };
                }
            }
            assert_eq!(read(layout, &soft, Depth::Deep), None, "round {round}");
        }
    }
}
