//! Chance that follows from a seed: the same everywhere and for ever, so that counts in tests hold.

/// A stream of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// Streams of different `topic`s are independent of each other.
    pub(super) fn new(seed: u64, topic: u64) -> Self {
        let mut chance = Self(seed ^ topic.wrapping_mul(0xd6e8_feb8_6659_fd93));
        chance.next();
        chance
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// From `low` up to but not including `high`.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low).max(1) as u64) as usize
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, share: u64) -> bool {
        self.next() % 100 < share
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.whole(0, among.len())]
    }

    /// Noise with mean 0 and standard deviation 1: eight bytes' sum is near enough to normal.
    pub(super) fn normal(&mut self) -> f32 {
        let sum: u32 = self.next().to_be_bytes().into_iter().map(u32::from).sum();
        (sum as f32 - 1_020.0) / 209.0
    }
}
