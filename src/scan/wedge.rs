//! Keyboard-wedge scanners: a burst of keys, told from typing by its timing, its beginning and its end. Pure: time is an
//! argument, in milliseconds.
//!
//! Keys are held back while they could be a scan's, a few tens of milliseconds, and let go when they turn out to be
//! typing: so a scan never leaves a digit anywhere, and typing is never taken for a scan.

use serde::{Deserialize, Serialize};

/// A key as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Enter.
    Enter,
    /// Tab.
    Tab,
}

/// What a scan ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suffix {
    /// Enter or Tab, whichever comes.
    #[default]
    Any,
    /// Enter.
    Enter,
    /// Tab.
    Tab,
    /// Nothing: a pause ends it.
    None,
}

impl Suffix {
    /// Every suffix, in the order that settings show them.
    pub const ALL: [Self; 4] = [Self::Any, Self::Enter, Self::Tab, Self::None];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Enter => "enter",
            Self::Tab => "tab",
            Self::None => "none",
        }
    }

    /// Whether a key ends a scan.
    #[must_use]
    pub const fn is(self, key: Key) -> bool {
        matches!((self, key), (Self::Any, Key::Enter | Key::Tab) | (Self::Enter, Key::Enter) | (Self::Tab, Key::Tab))
    }
}

/// What tells a scan from typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WedgeSettings {
    /// The longest pause between two keys of a scan.
    pub gap_ms: u64,
    /// The fewest characters of a scan, its prefix not counted.
    pub length: usize,
    /// What a scan begins with and is no part of the code.
    pub prefix: String,
    /// What a scan ends with.
    pub suffix: Suffix,
}

impl Default for WedgeSettings {
    fn default() -> Self {
        // Scanners send a key each 1 to 20 ms; the fastest typists need some 60 ms, and roll over at most a few keys.
        Self { gap_ms: 40, length: 8, prefix: String::new(), suffix: Suffix::Any }
    }
}

impl WedgeSettings {
    /// The pauses that can be set, in milliseconds.
    pub const GAPS: std::ops::RangeInclusive<u64> = 10..=250;
    /// The least lengths that can be set.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = 4..=32;

    /// The same with every value in its range.
    #[must_use]
    pub fn sane(mut self) -> Self {
        self.gap_ms = self.gap_ms.clamp(*Self::GAPS.start(), *Self::GAPS.end());
        self.length = self.length.clamp(*Self::LENGTHS.start(), *Self::LENGTHS.end());
        self
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
    settings: WedgeSettings,
    held: Vec<(Key, u64)>,
}

impl Wedge {
    /// With the scanner's settings.
    #[must_use]
    pub fn new(settings: WedgeSettings) -> Self {
        Self { settings: settings.sane(), held: Vec::new() }
    }

    /// A key arrived at `now`. What came before it and is over comes first, the key itself may be held.
    pub fn key(&mut self, key: Key, now: u64) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = self.tick(now).into_iter().collect();
        match key {
            Key::Char(_) => {
                self.held.push((key, now));
                verdicts.push(Verdict::Hold { until: now + self.settings.gap_ms + 1 });
            }
            Key::Enter | Key::Tab => {
                let code = if self.settings.suffix.is(key) { self.code() } else { None };
                if let Some(code) = code {
                    self.held.clear();
                    verdicts.push(Verdict::Scanned(code));
                } else {
                    self.held.push((key, now));
                    verdicts.extend(self.let_go());
                }
            }
        }
        verdicts
    }

    /// Time has passed: what was held too long was typed, or is a scan that ends with a pause.
    pub fn tick(&mut self, now: u64) -> Option<Verdict> {
        let waited = self.held.last().is_some_and(|(_, last)| now.saturating_sub(*last) > self.settings.gap_ms);
        if !waited {
            return None;
        }
        let code = if self.settings.suffix == Suffix::None { self.code() } else { None };
        if let Some(code) = code {
            self.held.clear();
            return Some(Verdict::Scanned(code));
        }
        self.let_go()
    }

    /// What is held, if it is a scan: it begins as one, is long enough, and is not one key held down, which repeats as
    /// fast as a scanner sends.
    fn code(&self) -> Option<String> {
        let text: String = self
            .held
            .iter()
            .filter_map(|(key, _)| match key {
                Key::Char(character) => Some(*character),
                Key::Enter | Key::Tab => None,
            })
            .collect();
        let code = text.strip_prefix(self.settings.prefix.as_str())?;
        let first = code.chars().next()?;
        let is_scan = code.chars().count() >= self.settings.length && code.chars().any(|c| c != first);
        is_scan.then(|| code.to_owned())
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
        text.chars().map(Key::Char).chain([Key::Enter]).map(|key| (key, pause)).collect()
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
            prop::char::range('0', '9').prop_map(Key::Char), Just(Key::Enter)], 41_u64..300), 0..30)) {
            let (typed, scanned) = feed(&mut Wedge::default(), &keys, &mut 0);
            prop_assert_eq!(scanned, Vec::<String>::new());
            prop_assert_eq!(typed, keys.iter().map(|(key, _)| *key).collect::<Vec<_>>());
        }

        #[test]
        fn nothing_is_lost_or_doubled_whatever_the_rhythm(keys in prop::collection::vec((prop_oneof![
            prop::char::range('0', '9').prop_map(Key::Char), Just(Key::Enter)], 0_u64..80), 0..60)) {
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
    fn each_suffix_ends_a_scan_and_the_others_do_not() {
        let scan = |suffix, end: Option<Key>| {
            let mut wedge = Wedge::new(WedgeSettings { suffix, ..WedgeSettings::default() });
            let keys = "281234567890123456".chars().map(Key::Char).chain(end).map(|key| (key, 5));
            let (typed, scanned) = feed(&mut wedge, &keys.collect::<Vec<_>>(), &mut 0);
            assert_eq!(typed.is_empty(), !scanned.is_empty(), "{suffix:?} {end:?}");
            !scanned.is_empty()
        };
        use Suffix as S;
        let ends = [Some(Key::Enter), Some(Key::Tab), None];
        assert_eq!(ends.map(|end| scan(S::Any, end)), [true, true, false]);
        assert_eq!(ends.map(|end| scan(S::Enter, end)), [true, false, false]);
        assert_eq!(ends.map(|end| scan(S::Tab, end)), [false, true, false]);
        assert!(scan(S::None, None), "a pause ends it");
    }

    #[test]
    fn a_prefix_marks_a_scan_and_is_taken_off() {
        let mut wedge = Wedge::new(WedgeSettings { prefix: "~".into(), length: 4, ..WedgeSettings::default() });
        let (typed, scanned) = feed(&mut wedge, &burst("~281234567890123456", 5), &mut 0);
        assert_eq!((typed.len(), scanned), (0, vec!["281234567890123456".to_owned()]));
        let (typed, scanned) = feed(&mut wedge, &burst("281234567890123456", 5), &mut 0);
        assert_eq!((typed.len(), scanned.len()), (19, 0), "without it, it is typing");
    }

    #[test]
    fn settings_out_of_range_are_brought_into_it() {
        let wild = WedgeSettings { gap_ms: 0, length: 1_000, ..WedgeSettings::default() }.sane();
        assert_eq!((wild.gap_ms, wild.length), (10, 32));
        let read: WedgeSettings = serde_json::from_str(r#"{"suffix": "tab"}"#).unwrap();
        assert_eq!(read, WedgeSettings { suffix: Suffix::Tab, ..WedgeSettings::default() });
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
