//! Keyboard-wedge scanners: a burst of keys ended by Enter, told from typing by its timing. Pure: time is an argument,
//! in milliseconds.
//!
//! Keys are held back while they could be a scan's, a few tens of milliseconds, and let go when they turn out to be
//! typing: so a scan never leaves a digit anywhere, and typing is never taken for a scan.

/// A key as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Enter or Tab: what scanners end with.
    End,
}

/// What tells a scan from typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The longest pause between two keys of a scan.
    pub gap_ms: u64,
    /// The fewest characters of a scan.
    pub length: usize,
}

impl Default for Timing {
    fn default() -> Self {
        // Scanners send a key each 1 to 20 ms; the fastest typists need some 60 ms, and roll over at most a few keys.
        Self { gap_ms: 40, length: 8 }
    }
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet: call [`Wedge::tick`] at this time.
    Hold {
        /// Milliseconds, on the clock of the calls.
        until: u64,
    },
    /// These were typed; do with them what they mean.
    Typed(Vec<Key>),
    /// This was scanned.
    Scanned(String),
}

/// Tells scans from typing.
#[derive(Debug, Clone, Default)]
pub struct Wedge {
    timing: Timing,
    held: Vec<(Key, u64)>,
}

impl Wedge {
    /// With the scanner's timing.
    #[must_use]
    pub const fn new(timing: Timing) -> Self {
        Self { timing, held: Vec::new() }
    }

    /// A key arrived at `now`. What was typed before it comes first, the key itself may be held.
    pub fn key(&mut self, key: Key, now: u64) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if self.held.last().is_some_and(|(_, last)| now.saturating_sub(*last) > self.timing.gap_ms) {
            verdicts.extend(self.let_go());
        }
        match key {
            Key::Char(_) => {
                self.held.push((key, now));
                verdicts.push(Verdict::Hold { until: now + self.timing.gap_ms + 1 });
            }
            Key::End if self.is_scan() => {
                let text = self.held.drain(..).filter_map(|(key, _)| match key {
                    Key::Char(character) => Some(character),
                    Key::End => None,
                });
                verdicts.push(Verdict::Scanned(text.collect()));
            }
            Key::End => {
                self.held.push((key, now));
                verdicts.extend(self.let_go());
            }
        }
        verdicts
    }

    /// Time has passed: what was held too long was typed.
    pub fn tick(&mut self, now: u64) -> Option<Verdict> {
        let waited = self.held.last().is_some_and(|(_, last)| now.saturating_sub(*last) > self.timing.gap_ms);
        if waited { self.let_go() } else { None }
    }

    /// Long enough, and not one key held down: that repeats as fast as a scanner sends.
    fn is_scan(&self) -> bool {
        let first = self.held.first().map(|(key, _)| *key);
        self.held.len() >= self.timing.length && self.held.iter().any(|(key, _)| Some(*key) != first)
    }

    fn let_go(&mut self) -> Option<Verdict> {
        if self.held.is_empty() {
            return None;
        }
        Some(Verdict::Typed(self.held.drain(..).map(|(key, _)| key).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds keys with pauses before each, ticking as the clock would.
    fn feed(wedge: &mut Wedge, keys: &[(Key, u64)], now: &mut u64) -> (Vec<Key>, Vec<String>) {
        let (mut typed, mut scanned) = (Vec::new(), Vec::new());
        let mut take = |verdict: Verdict| match verdict {
            Verdict::Typed(keys) => typed.extend(keys),
            Verdict::Scanned(text) => scanned.push(text),
            Verdict::Hold { .. } => {}
        };
        for (key, pause) in keys {
            for _ in 0..*pause {
                *now += 1;
                wedge.tick(*now).into_iter().for_each(&mut take);
            }
            wedge.key(*key, *now).into_iter().for_each(&mut take);
        }
        for _ in 0..200 {
            *now += 1;
            wedge.tick(*now).into_iter().for_each(&mut take);
        }
        (typed, scanned)
    }

    fn burst(text: &str, pause: u64) -> Vec<(Key, u64)> {
        text.chars().map(Key::Char).chain([Key::End]).map(|key| (key, pause)).collect()
    }

    proptest! {
        #[test]
        fn a_scan_leaves_no_digit_anywhere(text in "[0-9]{16,24}", pause in 0_u64..40) {
            prop_assume!(text.chars().any(|c| !text.starts_with(c)));
            let (typed, scanned) = feed(&mut Wedge::default(), &burst(&text, pause), &mut 0);
            prop_assert_eq!(typed, Vec::new());
            prop_assert_eq!(scanned, vec![text]);
        }

        #[test]
        fn typing_arrives_whole_and_in_order(keys in prop::collection::vec((prop_oneof![
            prop::char::range('0', '9').prop_map(Key::Char), Just(Key::End)], 41_u64..300), 0..30)) {
            let (typed, scanned) = feed(&mut Wedge::default(), &keys, &mut 0);
            prop_assert_eq!(scanned, Vec::<String>::new());
            prop_assert_eq!(typed, keys.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        }

        #[test]
        fn nothing_is_lost_or_doubled_whatever_the_rhythm(keys in prop::collection::vec((prop_oneof![
            prop::char::range('0', '9').prop_map(Key::Char), Just(Key::End)], 0_u64..80), 0..60)) {
            let (typed, scanned) = feed(&mut Wedge::default(), &keys, &mut 0);
            let ends = scanned.len();
            let scanned: usize = scanned.iter().map(String::len).sum();
            prop_assert_eq!(typed.len() + scanned + ends, keys.len());
        }
    }

    #[test]
    fn a_fast_hand_is_no_scanner() {
        // 1250 rolled over the keys and Enter at once, as a skilled cashier does.
        let (typed, scanned) = feed(&mut Wedge::default(), &burst("1250", 25), &mut 0);
        assert_eq!((typed.len(), scanned.len()), (5, 0));
        // One key held down repeats each 30 ms.
        let (typed, scanned) = feed(&mut Wedge::default(), &burst("000000000000", 30), &mut 0);
        assert_eq!((typed.len(), scanned.len()), (13, 0));
    }

    #[test]
    fn typing_before_a_scan_stays_typing() {
        let mut keys = vec![(Key::Char('1'), 100), (Key::Char('2'), 150), (Key::Char('5'), 120)];
        let mut scan = burst("281234567890123456", 5);
        scan[0].1 = 60;
        keys.extend(scan);
        keys.extend(burst("131234567890123456", 5));
        let (typed, scanned) = feed(&mut Wedge::default(), &keys, &mut 0);
        assert_eq!(typed, ['1', '2', '5'].map(Key::Char));
        assert_eq!(scanned, ["281234567890123456", "131234567890123456"]);
    }
}
