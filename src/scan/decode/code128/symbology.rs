//! The alphabet of Code 128 (ISO/IEC 15417): widths of bars and spaces, and what the values say.

/// Modules of a character.
pub(super) const CHARACTER_MODULES: usize = 11;
/// Modules of the stop character.
pub(super) const STOP_MODULES: usize = 13;
/// Data values, those that start a symbol included.
pub(super) const VALUES: usize = 106;
/// The first of the three values that start a symbol: sets A, B, C.
pub(super) const START: usize = 103;
/// What the check character counts modulo.
pub(super) const CHECK: usize = 103;

/// Widths in modules, from the leading bar to the trailing space, by value.
const WIDTHS: [u32; VALUES] = [
    212_222, 222_122, 222_221, 121_223, 121_322, 131_222, 122_213, 122_312, 132_212, 221_213, 221_312, 231_212,
    112_232, 122_132, 122_231, 113_222, 123_122, 123_221, 223_211, 221_132, 221_231, 213_212, 223_112, 312_131,
    311_222, 321_122, 321_221, 312_212, 322_112, 322_211, 212_123, 212_321, 232_121, 111_323, 131_123, 131_321,
    112_313, 132_113, 132_311, 211_313, 231_113, 231_311, 112_133, 112_331, 132_131, 113_123, 113_321, 133_121,
    313_121, 211_331, 231_131, 213_113, 213_311, 213_131, 311_123, 311_321, 331_121, 312_113, 312_311, 332_111,
    314_111, 221_411, 431_111, 111_224, 111_422, 121_124, 121_421, 141_122, 141_221, 112_214, 112_412, 122_114,
    122_411, 142_112, 142_211, 241_211, 221_114, 413_111, 241_112, 134_111, 111_242, 121_142, 121_241, 114_212,
    124_112, 124_211, 411_212, 421_112, 421_211, 212_141, 214_121, 412_121, 111_143, 111_341, 131_141, 114_113,
    114_311, 411_113, 411_311, 113_141, 114_131, 311_141, 411_131, 211_412, 211_214, 211_232,
];
/// The stop character, its last bar included.
const STOP_WIDTHS: u32 = 2_331_112;

/// The modules of a value, first module in the highest of eleven bits; dark is set.
pub(super) fn modules(value: usize) -> u16 {
    WIDTHS.get(value).map_or(0, |widths| drawn(*widths, 6))
}

/// The modules of the stop character, first module in the highest of thirteen bits.
pub(super) fn stop_modules() -> u16 {
    drawn(STOP_WIDTHS, 7)
}

fn drawn(widths: u32, elements: u32) -> u16 {
    let mut bits = 0;
    for element in 0..elements {
        let width = widths / 10_u32.pow(elements - 1 - element) % 10;
        for _ in 0..width {
            bits = bits << 1 | u16::from(element % 2 == 0);
        }
    }
    bits
}

/// Whether the last of the values, the check character, fits those before it; the first starts the symbol.
pub(super) fn checks(values: &[usize]) -> bool {
    let Some((check, data)) = values.split_last() else { return false };
    let sum: usize = data.iter().enumerate().map(|(at, value)| at.max(1) * value).sum();
    data.len() > 1 && sum % CHECK == *check
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    A,
    B,
    C,
}

/// The text in ISO/IEC 8859-1, from the start character to the last before the check character; `None` where the values
/// cannot stand in that order, or say nothing.
pub(super) fn text(values: &[usize]) -> Option<Vec<u8>> {
    let (start, data) = values.split_first()?;
    let mut set = match start.checked_sub(START)? {
        0 => Set::A,
        1 => Set::B,
        2 => Set::C,
        _ => return None,
    };
    let mut said = Vec::new();
    // FNC4 once lifts one character into the upper half, twice all that follow until it comes twice again.
    let (mut lifted, mut lifts) = (false, false);
    let mut shifted = false;
    for (at, value) in data.iter().enumerate() {
        let now = match (set, shifted) {
            (Set::A, true) => Set::B,
            (Set::B, true) => Set::A,
            _ => set,
        };
        let shift_before = std::mem::take(&mut shifted);
        let mut say = |byte: usize| {
            let upper = lifted != lifts;
            lifts = false;
            said.push(u8::try_from(byte).unwrap_or(b'?') | if upper { 0x80 } else { 0 });
        };
        match (now, *value) {
            (Set::C, pair @ 0..=99) => {
                said.extend([b'0' + u8::try_from(pair / 10).ok()?, b'0' + u8::try_from(pair % 10).ok()?]);
            }
            (Set::C, 100) => set = Set::B,
            (Set::C, 101) => set = Set::A,
            (Set::A | Set::B, low @ 0..=63) => say(low + 32),
            (Set::A, low @ 64..=95) => say(low - 64),
            (Set::B, low @ 64..=95) => say(low + 32),
            // FNC3 (for the reader itself) and FNC2 (goes before the next symbol) are not part of the text.
            (Set::A | Set::B, 96 | 97) => {}
            (Set::A | Set::B, 98) if !shift_before => shifted = true,
            (Set::A | Set::B, 99) => set = Set::C,
            (Set::A, 101) | (Set::B, 100) => {
                if lifts {
                    lifted = !lifted;
                }
                lifts = !lifts;
            }
            (Set::A, 100) => set = Set::B,
            (Set::B, 101) => set = Set::A,
            // FNC1 in the first place says that the data follow GS1; elsewhere it separates fields.
            (_, 102) => {
                if at > 0 {
                    said.push(0x1D);
                }
            }
            _ => return None,
        }
    }
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_eleven_modules_with_an_even_number_dark() {
        let mut seen = std::collections::HashSet::new();
        for value in 0..VALUES {
            let bits = modules(value);
            assert!(bits >> 10 == 1 && bits & 1 == 0, "{value}");
            assert_eq!(bits.count_ones() % 2, 0, "{value}");
            assert!(seen.insert(bits), "{value}");
        }
        assert_eq!(stop_modules(), 0b1_1000_1110_1011);
    }

    #[test]
    fn values_say_what_the_standard_says() {
        let latin =
            |values: &[usize]| text(values).map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
        assert_eq!(latin(&[105, 28, 12, 0, 99]).as_deref(), Some("28120099"));
        assert_eq!(latin(&[104, 33, 66, 99, 12, 100, 34]).as_deref(), Some("Ab12B"));
        assert_eq!(latin(&[103, 33, 64, 98, 65, 33]).as_deref(), Some("A\0aA"));
        assert_eq!(latin(&[105, 102, 1, 102, 2]).as_deref(), Some("01\u{1d}02"));
        assert_eq!(latin(&[104, 100, 33, 33]).as_deref(), Some("ÁA"));
        assert_eq!(latin(&[104, 100, 100, 33, 33, 100, 33, 100, 100, 33]).as_deref(), Some("ÁÁAA"));
        assert_eq!(latin(&[105, 104]), None);
        assert_eq!(latin(&[105]), None);
        assert_eq!(latin(&[12, 13]), None);
    }

    #[test]
    fn the_check_character_counts() {
        assert!(checks(&[105, 28, 12, (105 + 28 + 24) % 103]));
        assert!(!checks(&[105, 12, 28, (105 + 28 + 24) % 103]));
        assert!(!checks(&[105, 2]) && !checks(&[]));
    }
}
