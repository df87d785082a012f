//! Ordered statistics decoding (Fossorier and Lin, 1995) of one Reed-Solomon block taken as a binary code: from the most
//! reliable bits that determine a codeword, with up to three of them turned over, the codeword that contradicts the soft
//! values least. It finds what no decoder by symbols can, and it always finds something: whoever asks must judge.

use super::reed_solomon::{multiply, unit_checks};

/// Bits of the longest block that is decoded so, and of its check codewords.
const MAX_BITS: usize = 384;
const WORDS: usize = MAX_BITS / 64;
/// Sets of three bits that are turned over, at most.
const TRIPLES: usize = 6_000;

type Bits = [u64; WORDS];

/// The codeword nearest to `soft` (positive for 1) among those whose data bits are as `known` tells, from the first one on
/// where it tells, and the sum of the soft values that it contradicts. `None` where the block is too long.
pub(super) fn nearest(soft: &[f32], data: usize, known: &[Option<bool>]) -> Option<(Vec<u8>, f32)> {
    let count = soft.len();
    let words = count / 8;
    if count > MAX_BITS || data >= words || data == 0 {
        return None;
    }
    let mut ranks: Vec<usize> = (0..count).collect();
    ranks.sort_by(|a, b| soft[*b].abs().total_cmp(&soft[*a].abs()));
    let mut place = [0_usize; MAX_BITS];
    for (rank, bit) in ranks.iter().enumerate() {
        place[*bit] = rank;
    }
    // Bits by rank: what the codeword of the known data bits alone, all others 0, contradicts, and what each costs.
    let cost: Vec<f32> = ranks.iter().map(|bit| soft[*bit].abs()).collect();
    let hard = ranks.iter().enumerate().fold([0_u64; WORDS], |mut bits, (rank, bit)| {
        bits[rank / 64] |= u64::from(soft[*bit] > 0.0) << (rank % 64);
        bits
    });
    let mut apart = hard;
    let mut rows = Vec::with_capacity(data * 8);
    for (bit, row) in generator(words, data, &place).into_iter().enumerate() {
        match known.get(bit).copied().flatten() {
            Some(true) => add(&mut apart, &row),
            Some(false) => {}
            None => rows.push(row),
        }
    }
    let pivots = eliminated(&mut rows, count)?;
    // The codeword that agrees with the hard decisions at the pivots.
    for (row, pivot) in rows.iter().zip(&pivots) {
        if apart[pivot / 64] >> (pivot % 64) & 1 == 1 {
            add(&mut apart, row);
        }
    }
    let costs = Costs::of(&cost, &pivots);
    let (least, turned) = search(&rows, &pivots, &cost, &apart, &costs);
    for index in turned.into_iter().flatten() {
        add(&mut apart, &rows[index]);
    }
    let mut codeword = vec![0_u8; words];
    for (rank, bit) in ranks.iter().enumerate() {
        let value = (hard[rank / 64] ^ apart[rank / 64]) >> (rank % 64) & 1;
        codeword[bit / 8] |= u8::from(value == 1) << (7 - bit % 8);
    }
    Some((codeword, least))
}

fn add(to: &mut Bits, row: &Bits) {
    for (a, b) in to.iter_mut().zip(row) {
        *a ^= b;
    }
}

/// The code's binary generator, its columns by rank.
fn generator(words: usize, data: usize, place: &[usize; MAX_BITS]) -> Vec<Bits> {
    let mut rows = Vec::with_capacity(data * 8);
    for (word, unit) in unit_checks(data, words - data).into_iter().enumerate() {
        for value in (0..8).map(|bit| 0x80_u8 >> bit) {
            let mut row = [0_u64; WORDS];
            let mut set = |word: usize, value: u8| {
                for bit in (0..8).filter(|bit| value >> (7 - bit) & 1 == 1) {
                    let rank = place[word * 8 + bit];
                    row[rank / 64] |= 1 << (rank % 64);
                }
            };
            set(word, value);
            for (index, check) in unit.iter().enumerate() {
                set(data + index, multiply(*check, value));
            }
            rows.push(row);
        }
    }
    rows
}

/// Gauss and Jordan's elimination along the ranks: each row gets a pivot that no other row has.
fn eliminated(rows: &mut [Bits], count: usize) -> Option<Vec<usize>> {
    let mut pivots = Vec::with_capacity(rows.len());
    for rank in 0..count {
        let done = pivots.len();
        if done == rows.len() {
            break;
        }
        let has = |row: &Bits| row[rank / 64] >> (rank % 64) & 1 == 1;
        let Some(found) = (done..rows.len()).find(|row| has(&rows[*row])) else { continue };
        rows.swap(done, found);
        let pivot = rows[done];
        for (at, row) in rows.iter_mut().enumerate() {
            if at != done && has(row) {
                add(row, &pivot);
            }
        }
        pivots.push(rank);
    }
    (pivots.len() == rows.len()).then_some(pivots)
}

/// What contradicting bits costs, eight at a time, the dearest first.
struct Costs {
    bytes: Vec<[f32; 256]>,
}

impl Costs {
    /// `cost` by rank; what stands at pivots is free here.
    fn of(cost: &[f32], pivots: &[usize]) -> Self {
        let mut cost = cost.to_vec();
        for pivot in pivots {
            cost[*pivot] = 0.0;
        }
        let bytes = cost
            .chunks(8)
            .map(|eight| {
                let mut sums = [0.0; 256];
                for value in 1..256_usize {
                    let lowest = value.trailing_zeros() as usize;
                    sums[value] = sums[value & (value - 1)] + eight.get(lowest).copied().unwrap_or(0.0);
                }
                sums
            })
            .collect();
        Self { bytes }
    }

    /// The cost of these bits, or something not below `most` where it is not below `most`.
    fn sum(&self, bits: &Bits, most: f32) -> f32 {
        let mut sum = 0.0;
        for (tables, word) in self.bytes.chunks(8).zip(bits) {
            for (table, byte) in tables.iter().zip(word.to_le_bytes()) {
                sum += table[usize::from(byte)];
            }
            if sum >= most {
                return sum;
            }
        }
        sum
    }
}

/// The pivots to turn over, as rows, for the least contradiction.
fn search(rows: &[Bits], pivots: &[usize], cost: &[f32], apart: &Bits, costs: &Costs) -> (f32, [Option<usize>; 3]) {
    let mut best = (costs.sum(apart, f32::MAX), [None; 3]);
    // The pivots stand by rank: the last one costs least, and is turned over first.
    let price: Vec<f32> = pivots.iter().rev().map(|pivot| cost[*pivot]).collect();
    let rows: Vec<&Bits> = rows.iter().rev().collect();
    let with = |bits: &Bits, row: usize| {
        let mut sum = *bits;
        add(&mut sum, rows[row]);
        sum
    };
    let index = |row: usize| Some(rows.len() - 1 - row);
    let mut attempt = |bits: &Bits, price: f32, turned: [Option<usize>; 3]| {
        let sum = price + costs.sum(bits, best.0 - price);
        if sum < best.0 {
            best = (sum, turned);
        }
        best.0
    };
    let mut least = f32::MAX;
    for (a, first) in price.iter().enumerate() {
        if *first >= least {
            break;
        }
        least = attempt(&with(apart, a), *first, [index(a), None, None]);
    }
    for (a, first) in price.iter().enumerate() {
        let one = with(apart, a);
        for (b, second) in price.iter().enumerate().take(a) {
            if first + second >= least {
                break;
            }
            least = attempt(&with(&one, b), first + second, [index(a), index(b), None]);
        }
    }
    let mut tried = 0;
    for a in 2..price.len() {
        let one = with(apart, a);
        for b in 1..a {
            if price[a] + price[b] >= least || tried >= TRIPLES {
                break;
            }
            let two = with(&one, b);
            for c in 0..b {
                let sum = price[a] + price[b] + price[c];
                if sum >= least {
                    break;
                }
                tried += 1;
                least = attempt(&with(&two, c), sum, [index(a), index(b), index(c)]);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::reed_solomon::checks;
    use super::*;

    #[test]
    fn bits_beyond_the_symbols_bound_are_found() {
        let mut state = 7_u64;
        let mut chance = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32
        };
        for (data, count) in [(16, 10), (19, 7), (13, 13), (34, 10)] {
            let message: Vec<u8> = (0..data).map(|_| (chance() * 255.0) as u8).collect();
            let mut sent = message.clone();
            sent.extend(checks(&message, count));
            let bits = sent.len() * 8;
            let mut soft: Vec<f32> =
                (0..bits).map(|bit| if sent[bit / 8] >> (7 - bit % 8) & 1 == 1 { 1.0 } else { -1.0 }).collect();
            // More codewords are hit than errors by symbols could ever be corrected, each in one doubtful bit.
            for word in 0..count / 2 + 2 {
                soft[word * 8 + 3] *= -0.2 - 0.1 * chance();
            }
            for value in &mut soft {
                *value *= 0.8 + 0.4 * chance();
            }
            let (found, _) = nearest(&soft, data, &[]).unwrap();
            assert_eq!(found, sent);
        }
        assert!(nearest(&[1.0; 400], 10, &[]).is_none() && nearest(&[], 0, &[]).is_none());
    }
}
