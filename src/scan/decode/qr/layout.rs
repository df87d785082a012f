//! Which module of a QR code stands for what (ISO/IEC 18004, 6.3 and 7.7 to 7.9).

use std::sync::OnceLock;

use rxing::qrcode::common::{VERSION_DECODE_INFO, Version, VersionRef};

/// The largest version.
pub(super) const MAX_VERSION: usize = 40;

/// The plan of one version.
#[derive(Debug)]
pub(super) struct Layout {
    /// From 1 to [`MAX_VERSION`].
    pub version: usize,
    /// Modules on each side.
    pub size: usize,
    /// Row by row: 1 where the module is light in every symbol of this version, -1 where it is dark, 0 where it may be
    /// either.
    pub known: Vec<i8>,
    /// The modules of the codewords' bits, in their order.
    pub order: Vec<usize>,
}

impl Layout {
    /// The plan of `version`; `None` where there is no such version.
    pub fn of(version: usize) -> Option<&'static Self> {
        static LAYOUTS: [OnceLock<Layout>; MAX_VERSION + 1] = [const { OnceLock::new() }; MAX_VERSION + 1];
        let table = table(version)?;
        Some(LAYOUTS[version].get_or_init(|| Self::draw(version, table.getAlignmentPatternCenters())))
    }

    fn draw(version: usize, centres: &[u32]) -> Self {
        let size = 17 + 4 * version;
        // 2 stands for a data module until the end.
        let mut known = vec![2_i8; size * size];
        let mut set = |x: usize, y: usize, value: i8| known[y * size + x] = value;
        // Timing patterns first; finder patterns lie over their ends.
        for at in 0..size {
            let value = if at % 2 == 0 { -1 } else { 1 };
            set(at, 6, value);
            set(6, at, value);
        }
        for (left, top) in [(0, 0), (size - 7, 0), (0, size - 7)] {
            for y in top.saturating_sub(1)..(top + 8).min(size) {
                for x in left.saturating_sub(1)..(left + 8).min(size) {
                    let ring = x.abs_diff(left + 3).max(y.abs_diff(top + 3));
                    set(x, y, if ring == 2 || ring == 4 { 1 } else { -1 });
                }
            }
        }
        // Format information and the module that is always dark.
        for at in 0..9 {
            if at != 6 {
                set(at, 8, 0);
                set(8, at, 0);
            }
        }
        for at in 0..8 {
            set(size - 1 - at, 8, 0);
            set(8, size - 1 - at, 0);
        }
        set(8, size - 8, -1);
        let last = centres.len().saturating_sub(1);
        for (column, x) in centres.iter().enumerate() {
            for (row, y) in centres.iter().enumerate() {
                if (column == 0 || column == last) && row == 0 || column == 0 && row == last {
                    continue;
                }
                for dy in 0..5_usize {
                    for dx in 0..5_usize {
                        let ring = dx.abs_diff(2).max(dy.abs_diff(2));
                        let value = if ring == 1 { 1 } else { -1 };
                        set(*x as usize + dx - 2, *y as usize + dy - 2, value);
                    }
                }
            }
        }
        if let Some(information) = version.checked_sub(7).and_then(|index| VERSION_DECODE_INFO.get(index)) {
            for bit in 0..18 {
                let value = if information >> bit & 1 == 1 { -1 } else { 1 };
                set(size - 11 + bit % 3, bit / 3, value);
                set(bit / 3, size - 11 + bit % 3, value);
            }
        }
        let order = order(size, |index| known[index] == 2);
        for value in &mut known {
            *value = if *value == 2 { 0 } else { *value };
        }
        Self { version, size, known, order }
    }

    /// The modules of format information's bits, lowest bit first, in both copies.
    pub fn format(&self) -> [[usize; 15]; 2] {
        let size = self.size;
        let at = |x: usize, y: usize| y * size + x;
        let first = std::array::from_fn(|bit| match bit {
            0..=5 => at(8, bit),
            6 | 7 => at(8, bit + 1),
            8 => at(7, 8),
            _ => at(14 - bit, 8),
        });
        let second = std::array::from_fn(|bit| if bit < 8 { at(size - 1 - bit, 8) } else { at(8, size - 15 + bit) });
        [first, second]
    }
}

/// The data modules from the lower right corner, two columns at a time, up and down in turn.
fn order(size: usize, is_data: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut order = Vec::new();
    let mut upwards = true;
    let mut right = size - 1;
    loop {
        for step in 0..size {
            let y = if upwards { size - 1 - step } else { step };
            order.extend([right, right - 1].map(|x| y * size + x).into_iter().filter(|index| is_data(*index)));
        }
        upwards = !upwards;
        right = match right {
            8 => 5,
            1 => return order,
            _ => right - 2,
        };
    }
}

/// `rxing`'s table of a version.
pub(super) fn table(version: usize) -> Option<VersionRef> {
    Version::getVersionForNumber(u32::try_from(version).ok()?).ok()
}

/// Whether mask pattern `mask` turns the module over.
pub(super) const fn masked(mask: u16, x: usize, y: usize) -> bool {
    0 == match mask {
        0 => (y + x) % 2,
        1 => y % 2,
        2 => x % 3,
        3 => (y + x) % 3,
        4 => (y / 2 + x / 3) % 2,
        5 => (y * x) % 2 + (y * x) % 3,
        6 => ((y * x) % 2 + (y * x) % 3) % 2,
        _ => ((y * x) % 3 + (y + x) % 2) % 2,
    }
}

/// The 32 words of format information as they are drawn; their highest five bits before drawing are the index.
pub(super) fn formats() -> [u16; 32] {
    std::array::from_fn(|data| {
        let data = u16::try_from(data).unwrap_or_default();
        let mut rest = data << 10;
        for bit in (10..15).rev() {
            if rest >> bit & 1 == 1 {
                rest ^= 0x537 << (bit - 10);
            }
        }
        (data << 10 | rest) ^ 0x5412
    })
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode, Version as Drawn};

    use super::*;

    #[test]
    fn every_version_is_laid_out_as_it_is_drawn() {
        for version in 1..=MAX_VERSION {
            let layout = Layout::of(version).unwrap();
            let drawn = Drawn::Normal(i16::try_from(version).unwrap());
            let code = QrCode::with_version(b"1", drawn, EcLevel::M).unwrap();
            for (index, color) in code.to_colors().into_iter().enumerate() {
                let dark = color == Color::Dark;
                match layout.known[index] {
                    0 => assert!(
                        !code.is_functional(index % layout.size, index / layout.size)
                            || layout.format().concat().contains(&index)
                    ),
                    value => assert_eq!(value < 0, dark, "version {version}, module {index}"),
                }
            }
            assert_eq!(layout.order.len() / 8, table(version).unwrap().getTotalCodewords() as usize);
            let format = layout.format().map(|copy| {
                copy.iter()
                    .rev()
                    .fold(0_u16, |word, index| word << 1 | u16::from(code.to_colors()[*index] == Color::Dark))
            });
            assert_eq!(format[0], format[1]);
            assert!(formats().contains(&format[0]));
        }
        assert!(Layout::of(0).is_none() && Layout::of(41).is_none());
    }
}
