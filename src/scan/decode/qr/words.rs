//! From soft modules to text: format information, codewords, error correction, segments.

use rxing::qrcode::common::ErrorCorrectionLevel;
use rxing::qrcode::cpp_port::decoder::DecodeBitStream;

use super::layout::{Layout, formats, masked, table};
use super::ordered;
use super::reed_solomon::correct;
use super::segments::Padding;

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

/// Words of format information that are tried.
const FORMATS: usize = 3;
/// Least correlation of both copies with a word, of at most about 1.
const FORMAT_LIKENESS: f32 = 0.25;

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
    let likely = guesses.into_iter().take(FORMATS).filter(|guess| guess.0 > FORMAT_LIKENESS);
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
    let count = plan.getECCodewordsPerBlock() as usize;
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
    let words: Vec<&[f32]> = bits.chunks_exact(8).collect();
    let mut next = words.into_iter();
    let mut blocks: Vec<Vec<f32>> = vec![Vec::new(); lengths.len()];
    let longest = lengths.iter().copied().max()?;
    for at in 0..longest + count {
        for (block, data) in blocks.iter_mut().zip(&lengths) {
            if at < longest && at >= *data {
                continue;
            }
            block.extend_from_slice(next.next()?);
        }
    }
    let mut data = Vec::new();
    let mut effort = Effort::default();
    for (block, length) in blocks.iter().zip(&lengths) {
        let codewords = corrected(block, *length, depth, &mut effort)?;
        data.extend_from_slice(&codewords[..*length]);
    }
    let padding = super::segments::padding(&data, layout.version);
    let doubt = effort.contradicted / effort.total.max(1e-6);
    let sure = match padding {
        Padding::Wrong => false,
        Padding::Odd => !effort.deep,
        Padding::Right(bits) => !effort.deep || doubt < if bits >= 16 { 0.16 } else { 0.07 },
    };
    if !sure {
        return None;
    }
    let decoded = DecodeBitStream(&data, version, level).ok()?;
    if decoded.error().is_some() || !decoded.isValid() {
        return None;
    }
    let text = decoded.text();
    let bytes = decoded.content().bytes().to_vec();
    let confidence = (1.0 - 2.5 * doubt).clamp(0.05, 1.0);
    (!text.is_empty()).then_some(Reading { text, bytes, confidence, mirrored: false })
}

/// What correction took.
#[derive(Debug, Default)]
struct Effort {
    contradicted: f32,
    total: f32,
    deep: bool,
}

fn hard(soft: &[f32]) -> Vec<u8> {
    soft.chunks(8).map(|bits| bits.iter().fold(0, |word, bit| word << 1 | u8::from(*bit > 0.0))).collect()
}

/// The block's codewords, corrected.
fn corrected(soft: &[f32], data: usize, depth: Depth, effort: &mut Effort) -> Option<Vec<u8>> {
    let mut words = hard(soft);
    let count = words.len() - data;
    effort.total += soft.iter().map(|value| value.abs()).sum::<f32>();
    if correct(&mut words, count, &[]).is_some() {
        effort.contradicted += contradicted(soft, &words);
        return Some(words);
    }
    if depth == Depth::Plain {
        return None;
    }
    effort.deep = true;
    if let Some((words, sum)) = ordered::nearest(soft, data) {
        effort.contradicted += sum;
        return Some(words);
    }
    let (words, sum) = erased(soft, count)?;
    effort.contradicted += sum;
    Some(words)
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
