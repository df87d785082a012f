//! Chance that follows from a seed alone, on every machine and for ever: a failing seed has to stay one.

/// SplitMix64.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Dice of somebody's own, so that what one does shifts no other's chance.
    pub const fn split(&mut self) -> Self {
        Self(self.next())
    }

    /// From 0 to `end - 1`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From `from` to `until - 1`.
    pub fn within(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.below(until.abs_diff(from))).unwrap()
    }

    /// True so many times in a hundred.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}
