//! A frame in black and white, for `rxing`'s QR reader. The rule is that of zxing's hybrid binariser: each patch of eight by
//! eight pixels is compared with the mean of the patches around it, where one without contrast counts as light. `rxing`'s
//! own goes pixel by pixel and takes most of its reader's time; this one goes row by row.

use std::borrow::Cow;

use rxing::common::{BitArray, BitMatrix, LineOrientation};
use rxing::{Binarizer, Exceptions, Luma8Source, LuminanceSource};

use crate::scan::GreyFrame;

/// Side of a patch in pixels.
const PATCH: usize = 8;
/// Patches whose mean a patch is compared with, each way.
const AROUND: usize = 5;
/// Grey levels between the darkest and the lightest pixel of a patch up to which it has no contrast.
const FLAT: u8 = 24;
const WORD: usize = usize::BITS as usize;

/// A frame and the same frame in black and white.
pub(super) struct Binarised<'a> {
    source: Luma8Source<'a>,
    matrix: BitMatrix,
}

impl<'a> Binarised<'a> {
    /// `None` where the frame has no pixels.
    pub(super) fn of(frame: &'a GreyFrame) -> Option<Self> {
        let source = Luma8Source::new_with_slice(frame.luma(), frame.width(), frame.height()).ok()?;
        Some(Self { source, matrix: black(frame)? })
    }
}

impl<'a> Binarizer for Binarised<'a> {
    type Source = Luma8Source<'a>;

    fn get_luminance_source(&self) -> &Self::Source {
        &self.source
    }

    fn get_black_row(&self, y: usize) -> Result<Cow<'_, BitArray>, Exceptions> {
        self.get_black_line(y, LineOrientation::Row)
    }

    fn get_black_row_from_matrix(&self, y: usize) -> Result<Cow<'_, BitArray>, Exceptions> {
        self.get_black_row(y)
    }

    fn get_black_matrix(&self) -> Result<&BitMatrix, Exceptions> {
        Ok(&self.matrix)
    }

    fn get_black_line(&self, line: usize, orientation: LineOrientation) -> Result<Cow<'_, BitArray>, Exceptions> {
        let (index, lines) = (u32::try_from(line).unwrap_or(u32::MAX), [self.matrix.height(), self.matrix.width()]);
        Ok(Cow::Owned(match orientation {
            LineOrientation::Row if index < lines[0] => self.matrix.getRow(index),
            LineOrientation::Column if index < lines[1] => self.matrix.getCol(index),
            _ => return Err(Exceptions::NOT_FOUND),
        }))
    }

    fn create_binarizer(&self, source: Self::Source) -> Self {
        let frame = u32::try_from(source.get_width()).ok().zip(u32::try_from(source.get_height()).ok());
        let frame =
            frame.and_then(|(width, height)| GreyFrame::new(width, height, width as usize, &source.get_matrix()).ok());
        let matrix = frame.as_ref().and_then(black).unwrap_or_else(|| self.matrix.clone());
        Self { source, matrix }
    }

    fn get_width(&self) -> usize {
        self.source.get_width()
    }

    fn get_height(&self) -> usize {
        self.source.get_height()
    }
}

/// The dark pixels.
fn black(frame: &GreyFrame) -> Option<BitMatrix> {
    let (width, luma) = (frame.width() as usize, frame.luma());
    let mut matrix = BitMatrix::new(frame.width(), frame.height()).ok()?;
    let points = Points::of(width, luma);
    let mut thresholds = vec![0_u8; width];
    let mut line = BitArray::with_size(width);
    for (patch, rows) in luma.chunks(PATCH * width).enumerate() {
        for (column, threshold) in thresholds.chunks_mut(PATCH).enumerate() {
            threshold.fill(points.around(column, patch));
        }
        for (row, levels) in rows.chunks_exact(width).enumerate() {
            for (word, (levels, thresholds)) in levels.chunks(WORD).zip(thresholds.chunks(WORD)).enumerate() {
                line.setBulk(word * WORD, packed(levels, thresholds));
            }
            matrix.setRow((patch * PATCH + row) as u32, &line);
        }
    }
    Some(matrix)
}

/// A bit for each pixel, the first one the lowest, set where it is dark.
fn packed(levels: &[u8], thresholds: &[u8]) -> usize {
    let mut flags = [0_u8; WORD];
    for ((flag, level), threshold) in flags.iter_mut().zip(levels).zip(thresholds) {
        *flag = u8::from(level <= threshold);
    }
    flags.chunks_exact(8).enumerate().fold(0, |word, (at, eight)| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(eight);
        // The product moves bit 8 i to bit 56 + i.
        let bits = u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word | (bits as usize) << (8 * at)
    })
}

/// The grey value that parts dark from light in each patch.
struct Points {
    columns: usize,
    rows: usize,
    values: Vec<u8>,
}

impl Points {
    fn of(width: usize, luma: &[u8]) -> Self {
        let columns = width.div_ceil(PATCH);
        let rows = luma.len().div_ceil(PATCH * width);
        let mut values: Vec<u8> = Vec::with_capacity(columns * rows);
        let (mut sums, mut least, mut most) = (vec![0_u16; width], vec![0_u8; width], vec![0_u8; width]);
        for band in luma.chunks(PATCH * width) {
            sums.fill(0);
            least.fill(u8::MAX);
            most.fill(0);
            for levels in band.chunks_exact(width) {
                for (((sum, least), most), level) in sums.iter_mut().zip(&mut least).zip(&mut most).zip(levels) {
                    *sum += u16::from(*level);
                    *least = (*least).min(*level);
                    *most = (*most).max(*level);
                }
            }
            let height = band.len() / width;
            let patches = sums.chunks(PATCH).zip(least.chunks(PATCH)).zip(most.chunks(PATCH));
            for (column, ((sums, least), most)) in patches.enumerate() {
                let darkest = least.iter().fold(u8::MAX, |one, other| one.min(*other));
                let lightest = most.iter().fold(0, |one: u8, other| one.max(*other));
                let value = if lightest - darkest > FLAT {
                    let sum: usize = sums.iter().map(|sum| usize::from(*sum)).sum();
                    (sum / (sums.len() * height)) as u8
                } else {
                    let at = values.len();
                    let beside = (column > 0 && at > columns).then(|| {
                        let [above, left, corner] =
                            [at - columns, at - 1, at - columns - 1].map(|at| u16::from(values[at]));
                        ((above + 2 * left + corner) / 4) as u8
                    });
                    // Light, unless it is as dark as what is dark beside it.
                    beside.filter(|point| darkest < *point).unwrap_or(darkest / 2)
                };
                values.push(value);
            }
        }
        Self { columns, rows, values }
    }

    /// The mean over the patches around one; at the frame's edges over those next to it that are whole.
    fn around(&self, column: usize, row: usize) -> u8 {
        let range = |middle: usize, count: usize| {
            let from = middle.saturating_sub(AROUND / 2).min(count.saturating_sub(AROUND));
            from..(from + AROUND).min(count)
        };
        let (columns, rows) = (range(column, self.columns), range(row, self.rows));
        let count = columns.len() * rows.len();
        let sum: usize = rows
            .flat_map(|row| &self.values[row * self.columns..][columns.clone()])
            .map(|value| usize::from(*value))
            .sum();
        (sum / count.max(1)) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rxing::common::HybridBinarizer;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn pixels_are_as_dark_as_the_library_finds_them(columns in 5_u32..20, rows in 5_u32..20, noise in 0_u64..60, seed: u64) {
            let (width, height) = (columns * PATCH as u32, rows * PATCH as u32);
            let mut state = seed | 1;
            let mut chance = |bound: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) % bound
            };
            // Tiles of even grey, so that there are patches without contrast too.
            let tiles: Vec<u64> = (0..64).map(|_| chance(195)).collect();
            let luma: Vec<u8> = (0..width * height).map(|at| {
                let (x, y) = (at % width * 8 / width, at / width * 8 / height);
                (tiles[(y * 8 + x) as usize] + chance(noise + 1)) as u8
            }).collect();
            let frame = GreyFrame::new(width, height, width as usize, &luma).unwrap();
            let source = Luma8Source::new_with_slice(frame.luma(), width, height).unwrap();
            let theirs = HybridBinarizer::new(source);
            let ours = Binarised::of(&frame).unwrap();
            prop_assert_eq!(ours.get_black_matrix().unwrap(), theirs.get_black_matrix().unwrap());
        }

        #[test]
        fn frames_of_any_size_are_parted(width in 1_u32..150, height in 1_u32..20, level: u8) {
            let luma = vec![level; (width * height) as usize];
            let frame = GreyFrame::new(width, height, width as usize, &luma).unwrap();
            let binarised = Binarised::of(&frame).unwrap();
            let matrix = binarised.get_black_matrix().unwrap();
            prop_assert_eq!((matrix.width(), matrix.height()), (width, height));
            prop_assert_eq!(matrix.get(width - 1, height - 1), level == 0, "an even frame is light");
        }
    }
}
