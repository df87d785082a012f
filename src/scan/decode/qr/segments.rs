//! The frame of a symbol's data bits: whether segments, terminator and padding stand where they must
//! (ISO/IEC 18004, 7.4). Texts are decoded elsewhere; this tells data from chance.

/// What follows the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Not even the segments can be right.
    Wrong,
    /// Segments, and then something that the standard does not prescribe.
    Odd,
    /// So many bits that are what they must be.
    Right(usize),
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn left(&self) -> usize {
        self.data.len() * 8 - self.at
    }

    fn take(&mut self, count: usize) -> Option<usize> {
        if count > self.left() {
            return None;
        }
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | usize::from(self.data[self.at / 8] >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// Walks through the segments of `data`.
pub(super) fn padding(data: &[u8], version: usize) -> Padding {
    let mut reader = Reader { data, at: 0 };
    if segments(&mut reader, version).is_none() {
        return Padding::Wrong;
    }
    let left = reader.left();
    // The terminator was taken; the rest of its byte is 0.
    let rest = left % 8;
    if reader.take(rest) != Some(0) {
        return Padding::Odd;
    }
    let bytes = &data[reader.at / 8..];
    let right = bytes.iter().enumerate().all(|(at, byte)| *byte == if at % 2 == 0 { 0xec } else { 0x11 });
    if right { Padding::Right(rest + bytes.len() * 8) } else { Padding::Odd }
}

/// `None` where a segment is none.
fn segments(reader: &mut Reader<'_>, version: usize) -> Option<()> {
    let class = match version {
        0..=9 => 0,
        10..=26 => 1,
        _ => 2,
    };
    let mut any = false;
    loop {
        if reader.left() < 4 {
            // What is left of the terminator.
            let left = reader.left();
            return (reader.take(left)? == 0 && any).then_some(());
        }
        match reader.take(4)? {
            0 => return any.then_some(()),
            1 => {
                let mut count = reader.take([10, 12, 14][class])?;
                while count > 0 {
                    let digits = count.min(3);
                    if reader.take([4, 7, 10][digits - 1])? >= [10, 100, 1000][digits - 1] {
                        return None;
                    }
                    count -= digits;
                }
            }
            2 => {
                let mut count = reader.take([9, 11, 13][class])?;
                while count > 0 {
                    let signs = count.min(2);
                    if reader.take([6, 11][signs - 1])? >= [45, 45 * 45][signs - 1] {
                        return None;
                    }
                    count -= signs;
                }
            }
            mode @ (4 | 8 | 13) => {
                if mode == 13 {
                    reader.take(4)?;
                }
                let length = if mode == 4 { [8, 16, 16][class] } else { [8, 10, 12][class] };
                let count = reader.take(length)?;
                for _ in 0..count {
                    reader.take(if mode == 4 { 8 } else { 13 })?;
                }
            }
            3 => {
                reader.take(16)?;
                continue;
            }
            5 => continue,
            9 => {
                reader.take(8)?;
                continue;
            }
            7 => {
                let first = reader.take(8)?;
                match first {
                    0..=0x7f => {}
                    0x80..=0xbf => drop(reader.take(8)?),
                    0xc0..=0xdf => drop(reader.take(16)?),
                    _ => return None,
                }
                continue;
            }
            _ => return None,
        }
        any = true;
    }
}

/// The data bits of a symbol that holds a number of `digits` digits and nothing else: header, terminator and padding,
/// `None` where the digits stand. `None` for all where it does not fit into `bytes` bytes.
pub(super) fn number(digits: usize, bytes: usize, version: usize) -> Option<Vec<Option<bool>>> {
    let length = match version {
        0..=9 => 10,
        10..=26 => 12,
        _ => 14,
    };
    let body = digits / 3 * 10 + [0, 4, 7][digits % 3];
    let mut bits: Vec<Option<bool>> = Vec::with_capacity(bytes * 8);
    let mut write = |value: usize, count: usize| bits.extend((0..count).rev().map(|at| Some(value >> at & 1 == 1)));
    write(1, 4);
    write(digits, length);
    bits.extend(std::iter::repeat_n(None, body));
    let left = (bytes * 8).checked_sub(bits.len())?;
    bits.extend(std::iter::repeat_n(Some(false), left.min(4)));
    while !bits.len().is_multiple_of(8) {
        bits.push(Some(false));
    }
    for pad in [0xec_u8, 0x11].into_iter().cycle().take(bytes - bits.len() / 8) {
        bits.extend((0..8).rev().map(|at| Some(pad >> at & 1 == 1)));
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use qrcode::bits::Bits;
    use qrcode::{EcLevel, Version};

    use super::*;

    #[test]
    fn padding_is_told_from_chance() {
        let mut bits = Bits::new(Version::Normal(1));
        bits.push_numeric_data(b"281234567890123456").unwrap();
        bits.push_terminator(EcLevel::M).unwrap();
        let mut data = bits.into_bytes();
        assert_eq!(data.len(), 16);
        assert_eq!(padding(&data, 1), Padding::Right(2 + 48));
        let known = number(18, 16, 1).unwrap();
        assert_eq!(known.len(), 128);
        for (at, bit) in known.into_iter().enumerate() {
            assert!(bit.is_none_or(|bit| bit == (data[at / 8] >> (7 - at % 8) & 1 == 1)));
        }
        assert_eq!(number(40, 16, 1), None);
        data[12] ^= 1;
        assert_eq!(padding(&data, 1), Padding::Odd);
        data[0] = 0xf0;
        assert_eq!(padding(&data, 1), Padding::Wrong);
        assert_eq!(padding(&[], 1), Padding::Wrong);
        assert_eq!(padding(&[0x40, 0xff], 40), Padding::Wrong);
    }
}
