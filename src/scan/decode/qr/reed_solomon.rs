//! Reed-Solomon codes over GF(256) as QR uses them (ISO/IEC 18004, 7.5.2 and annex A): errors and erasures.

use std::sync::LazyLock;

/// x^8 + x^4 + x^3 + x^2 + 1.
const PRIMITIVE: u16 = 0x11d;
/// No block of a QR code has more check codewords than this.
const MAX_CHECKS: usize = 30;

struct Tables {
    exp: [u8; 512],
    log: [u16; 256],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables { exp: [0; 512], log: [0; 256] };
    let mut value = 1_u16;
    for power in 0..255_u16 {
        let byte = value.to_le_bytes()[0];
        tables.exp[usize::from(power)] = byte;
        tables.exp[usize::from(power) + 255] = byte;
        tables.log[usize::from(byte)] = power;
        value <<= 1;
        if value > 255 {
            value ^= PRIMITIVE;
        }
    }
    tables
});

pub(super) fn multiply(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    TABLES.exp[usize::from(TABLES.log[usize::from(a)]) + usize::from(TABLES.log[usize::from(b)])]
}

fn power(exponent: usize) -> u8 {
    TABLES.exp[exponent % 255]
}

fn inverse(a: u8) -> u8 {
    TABLES.exp[255 - usize::from(TABLES.log[usize::from(a)])]
}

/// The polynomial's value; its coefficients begin with the constant.
fn evaluate(polynomial: &[u8], at: u8) -> u8 {
    polynomial.iter().rev().fold(0, |sum, coefficient| multiply(sum, at) ^ coefficient)
}

fn syndromes(block: &[u8], checks: usize) -> [u8; MAX_CHECKS] {
    let mut all = [0; MAX_CHECKS];
    for (exponent, syndrome) in all.iter_mut().enumerate().take(checks) {
        let at = power(exponent);
        *syndrome = block.iter().fold(0, |sum, word| multiply(sum, at) ^ word);
    }
    all
}

/// The check codewords of a block of `data` data codewords all 0 but one, which is 1: for each place of that one. Those of
/// every other block are sums of their multiples.
pub(super) fn unit_checks(data: usize, count: usize) -> Vec<Vec<u8>> {
    let generator = generator(count);
    let mut units = vec![generator.clone(); data];
    for place in (0..data.saturating_sub(1)).rev() {
        let mut next = units[place + 1].clone();
        let factor = next[0];
        next.rotate_left(1);
        next[count - 1] = 0;
        for (check, coefficient) in next.iter_mut().zip(&generator) {
            *check ^= multiply(*coefficient, factor);
        }
        units[place] = next;
    }
    units
}

/// The generator's coefficients from the highest power but one; that of the highest is 1.
fn generator(count: usize) -> Vec<u8> {
    let mut generator = vec![0_u8; count];
    generator[count - 1] = 1;
    for exponent in 0..count {
        let root = power(exponent);
        for index in 0..count {
            generator[index] = multiply(generator[index], root) ^ generator.get(index + 1).copied().unwrap_or(0);
        }
    }
    generator
}

/// The check codewords that belong to `data`.
#[cfg(test)]
pub(super) fn checks(data: &[u8], count: usize) -> Vec<u8> {
    let generator = generator(count);
    let mut rest = vec![0_u8; count];
    for word in data {
        let factor = word ^ rest[0];
        rest.rotate_left(1);
        rest[count - 1] = 0;
        for (check, coefficient) in rest.iter_mut().zip(&generator) {
            *check ^= multiply(*coefficient, factor);
        }
    }
    rest
}

/// Corrects a block whose last `checks` codewords are check codewords; what stands at `erased` places is not believed.
/// The number of codewords changed, or `None` (and the block as it was) where it lies beyond what the code corrects:
/// twice the errors and once the erasures are at most `checks`.
pub(super) fn correct(block: &mut [u8], checks: usize, erased: &[usize]) -> Option<usize> {
    if checks > MAX_CHECKS || block.len() > 255 || checks >= block.len() || erased.len() > checks {
        return None;
    }
    let syndromes = syndromes(block, checks);
    let syndromes = &syndromes[..checks];
    if syndromes.iter().all(|syndrome| *syndrome == 0) {
        return Some(0);
    }
    let last = block.len() - 1;
    let locator = locator(syndromes, erased.iter().map(|place| power(last - place)));
    let degree = locator.iter().rposition(|coefficient| *coefficient != 0)?;
    if 2 * degree > checks + erased.len() {
        return None;
    }
    let mut evaluator = [0_u8; MAX_CHECKS];
    for (index, value) in evaluator.iter_mut().enumerate().take(checks) {
        *value = (0..=index.min(degree)).fold(0, |sum, at| sum ^ multiply(locator[at], syndromes[index - at]));
    }
    let mut fixes = [(0_usize, 0_u8); MAX_CHECKS];
    let mut found = 0;
    for place in 0..block.len() {
        let root = power(last - place);
        let reciprocal = inverse(root);
        if evaluate(&locator[..=degree], reciprocal) != 0 {
            continue;
        }
        // The formal derivative keeps the odd powers.
        let square = multiply(reciprocal, reciprocal);
        let slope = locator[1..=degree].iter().step_by(2).rev().fold(0, |sum, odd| multiply(sum, square) ^ odd);
        if slope == 0 || found == degree {
            return None;
        }
        let value = multiply(root, multiply(evaluate(&evaluator[..checks], reciprocal), inverse(slope)));
        fixes[found] = (place, value);
        found += 1;
    }
    if found != degree {
        return None;
    }
    let apply = |block: &mut [u8]| fixes[..found].iter().for_each(|(place, value)| block[*place] ^= value);
    apply(block);
    if self::syndromes(block, checks)[..checks].iter().any(|syndrome| *syndrome != 0) {
        apply(block);
        return None;
    }
    Some(fixes[..found].iter().filter(|(_, value)| *value != 0).count())
}

/// Berlekamp and Massey's algorithm begun with the erasures' locator (Blahut).
fn locator(syndromes: &[u8], erased: impl Iterator<Item = u8>) -> [u8; MAX_CHECKS + 1] {
    let mut locator = [0_u8; MAX_CHECKS + 1];
    locator[0] = 1;
    let mut erasures = 0;
    for root in erased {
        erasures += 1;
        for index in (1..=erasures).rev() {
            locator[index] ^= multiply(locator[index - 1], root);
        }
    }
    let mut support = locator;
    let mut length = erasures;
    for step in erasures..syndromes.len() {
        let discrepancy = (0..=step).fold(0, |sum, at| sum ^ multiply(locator[at], syndromes[step - at]));
        support.copy_within(0..MAX_CHECKS, 1);
        support[0] = 0;
        if discrepancy == 0 {
            continue;
        }
        let before = locator;
        for (coefficient, shifted) in locator.iter_mut().zip(&support) {
            *coefficient ^= multiply(discrepancy, *shifted);
        }
        if 2 * length <= step + erasures {
            length = step + 1 + erasures - length;
            let factor = inverse(discrepancy);
            support = before.map(|coefficient| multiply(coefficient, factor));
        }
    }
    locator
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_the_code_bears_is_corrected(
            data in proptest::collection::vec(any::<u8>(), 1..120),
            count in 2_usize..=30,
            seed in any::<u64>(),
            erasures in 0_usize..30,
        ) {
            let erasures = erasures.min(count);
            let errors = (count - erasures) / 2;
            let mut sent = data.clone();
            sent.extend(checks(&data, count));
            let mut places: Vec<usize> = (0..sent.len()).collect();
            let mut state = seed | 1;
            let mut chance = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::from(state.to_be_bytes()[0])
            };
            for at in (1..places.len()).rev() {
                places.swap(at, chance() % (at + 1));
            }
            let damaged = (erasures + errors).min(sent.len());
            let mut received = sent.clone();
            for place in &places[..damaged] {
                received[*place] ^= u8::try_from(chance() % 255).unwrap() + 1;
            }
            let fixed = correct(&mut received, count, &places[..erasures.min(damaged)]);
            prop_assert_eq!(fixed, Some(damaged));
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn checks_are_sums_of_those_of_single_codewords(data in proptest::collection::vec(any::<u8>(), 1..60), count in 2_usize..=30) {
            let mut sum = vec![0; count];
            for (word, unit) in data.iter().zip(unit_checks(data.len(), count)) {
                for (total, check) in sum.iter_mut().zip(unit) {
                    *total ^= multiply(*word, check);
                }
            }
            prop_assert_eq!(sum, checks(&data, count));
        }

        #[test]
        fn noise_is_left_as_it_was_or_becomes_a_codeword(
            noise in proptest::collection::vec(any::<u8>(), 2..255),
            count in 1_usize..=40,
        ) {
            let mut block = noise.clone();
            match correct(&mut block, count, &[]) {
                None => prop_assert_eq!(block, noise),
                Some(fixed) => {
                    prop_assert!(2 * fixed <= count);
                    let data = block.len() - count;
                    prop_assert_eq!(&checks(&block[..data], count)[..], &block[data..]);
                }
            }
        }
    }
}
