//! What a scanner sends, sign by sign with the pauses between, and which settings it asks for. Pure: time is an argument,
//! in milliseconds.

#[cfg(feature = "till")]
use super::serial::{Ending, SerialSettings};
use super::wedge::{Suffix, WedgeSettings};

/// A longer pause begins a new burst.
const BURST_GAP: u64 = 400;
/// So many signs in a row, this close together, come from no hand.
const SCANNER_SIGNS: usize = 4;
const SCANNER_GAP: u64 = 120;
/// A burst that says something about settings.
const TELLING: usize = 6;
/// No more signs of a burst are kept.
const KEPT: usize = 512;

/// A sign that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A character.
    Char(char),
    /// A control character, by its code in ASCII.
    Control(u8),
    /// The key Enter.
    Enter,
    /// The key Tab.
    Tab,
}

/// The names of the control characters in ASCII.
const CONTROLS: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE",
    "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
];

impl Sign {
    /// Of a byte from a serial port; `0x80` and above are no characters by themselves.
    #[must_use]
    pub fn of_byte(byte: u8) -> Self {
        if byte.is_ascii_graphic() || byte == b' ' { Self::Char(byte.into()) } else { Self::Control(byte) }
    }

    /// What is shown for it: the character, or a name.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Char(' ') => "SP".into(),
            Self::Char(character) => character.to_string(),
            Self::Control(code) => match CONTROLS.get(usize::from(code)) {
                Some(name) => (*name).to_owned(),
                None if code == 0x7f => "DEL".into(),
                None => format!("{code:02X}"),
            },
            Self::Enter => "Enter".into(),
            Self::Tab => "Tab".into(),
        }
    }

    /// Whether it is an end rather than a part of a code.
    const fn is_end(self) -> bool {
        matches!(self, Self::Enter | Self::Tab | Self::Control(b'\r' | b'\n' | b'\t'))
    }
}

/// A sign, and how long after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The sign.
    pub sign: Sign,
    /// Milliseconds since the one before; `None` for the first of a burst.
    pub gap_ms: Option<u64>,
}

/// The latest burst.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    burst: Vec<Arrival>,
    last: Option<u64>,
}

impl Arrivals {
    /// A sign arrived at `now`; whether a new burst begins with it.
    pub fn push(&mut self, sign: Sign, now: u64) -> bool {
        let gap_ms = self.last.map(|last| now.saturating_sub(last)).filter(|gap| *gap <= BURST_GAP);
        self.last = Some(now);
        if gap_ms.is_none() {
            self.burst.clear();
        }
        if self.burst.len() < KEPT {
            self.burst.push(Arrival { sign, gap_ms });
        }
        gap_ms.is_none()
    }

    /// The latest burst, sign by sign.
    #[must_use]
    pub fn burst(&self) -> &[Arrival] {
        &self.burst
    }

    /// Whether the latest burst comes from a scanner rather than from a hand.
    #[must_use]
    pub fn is_scanner(&self) -> bool {
        self.burst.len() >= SCANNER_SIGNS && self.longest_gap() <= SCANNER_GAP
    }

    /// The longest pause within the burst, in milliseconds.
    #[must_use]
    pub fn longest_gap(&self) -> u64 {
        self.burst.iter().filter_map(|arrival| arrival.gap_ms).max().unwrap_or(0)
    }

    /// The burst's characters, without the signs that end it.
    #[must_use]
    pub fn text(&self) -> String {
        let ends = self.burst.iter().rev().take_while(|arrival| arrival.sign.is_end()).count();
        let code = &self.burst[..self.burst.len() - ends];
        code.iter()
            .map(|arrival| match arrival.sign {
                Sign::Char(character) => character,
                Sign::Control(code) if code < 0x80 => code.into(),
                Sign::Control(_) => char::REPLACEMENT_CHARACTER,
                Sign::Enter => '\r',
                Sign::Tab => '\t',
            })
            .collect()
    }

    /// The settings under which this burst, from a keyboard-wedge scanner, is taken as a scan. `None` where it says
    /// nothing: too short, or typed by hand.
    #[must_use]
    pub fn wedge_settings(&self) -> Option<WedgeSettings> {
        if self.burst.len() < TELLING || !self.is_scanner() {
            return None;
        }
        let text = self.text();
        let prefix = prefix_of(&text);
        let suffix = match self.burst.last().map(|arrival| arrival.sign) {
            Some(Sign::Enter) => Suffix::Enter,
            Some(Sign::Tab) => Suffix::Tab,
            _ => Suffix::None,
        };
        // Twice what was seen, since no two scans have the same pauses; never so long that typing is slow to appear.
        let gap_ms = (self.longest_gap() * 2).next_multiple_of(5).clamp(20, 150);
        let length = (text.chars().count() - prefix.chars().count()).min(8);
        Some(WedgeSettings { gap_ms, length, prefix, suffix }.sane())
    }

    /// The settings under which this burst, from a serial scanner set as `now`, is taken as a code.
    #[must_use]
    #[cfg(feature = "till")]
    pub fn serial_settings(&self, now: &SerialSettings) -> Option<SerialSettings> {
        if self.burst.len() < TELLING || self.is_garbled() {
            return None;
        }
        let ending = match self.burst.last()?.sign {
            Sign::Control(b'\r' | b'\n') => Ending::Line,
            Sign::Control(b'\t') => Ending::Tab,
            _ => Ending::Pause,
        };
        let pause_ms = (self.longest_gap() * 2).next_multiple_of(10).clamp(50, 500);
        Some(SerialSettings { prefix: prefix_of(&self.text()), ending, pause_ms, ..now.clone() })
    }

    /// Whether these are no characters: what a wrong speed makes of them.
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        let strange = |arrival: &&Arrival| matches!(arrival.sign, Sign::Control(code) if code >= 0x80 || code == 0);
        self.burst.iter().filter(strange).count() * 4 >= self.burst.len().max(1)
    }

    /// Why a burst was not taken as a scan under these settings; `None` where it was.
    #[must_use]
    pub fn why_typing(&self, settings: &WedgeSettings) -> Option<WhyTyping> {
        let text = self.text();
        let ends = self.burst.last().map(|arrival| arrival.sign);
        let ended = match settings.suffix {
            Suffix::Any => matches!(ends, Some(Sign::Enter | Sign::Tab)),
            Suffix::Enter => ends == Some(Sign::Enter),
            Suffix::Tab => ends == Some(Sign::Tab),
            Suffix::None => true,
        };
        let code = text.strip_prefix(settings.prefix.as_str());
        let count = code.unwrap_or(&text).chars().count();
        if self.longest_gap() > settings.gap_ms {
            Some(WhyTyping::TooSlow { gap_ms: self.longest_gap() })
        } else if code.is_none() {
            Some(WhyTyping::NoPrefix)
        } else if count < settings.length {
            Some(WhyTyping::TooShort { count })
        } else if !ended {
            Some(WhyTyping::NoSuffix)
        } else {
            None
        }
    }
}

/// Why a burst of keys was not taken as a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyTyping {
    /// A pause within it is longer than is set.
    TooSlow {
        /// The longest pause.
        gap_ms: u64,
    },
    /// It does not begin as is set.
    NoPrefix,
    /// It has fewer characters than are set.
    TooShort {
        /// How many it has.
        count: usize,
    },
    /// It does not end as is set.
    NoSuffix,
}

/// What stands before a payment code: signs that are no digits, up to three, such as `~`, or an AIM identifier such as
/// `]Q1`, which tells the kind of code.
fn prefix_of(text: &str) -> String {
    let is_code = |text: &str| text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let aim = text.starts_with(']') && text.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic());
    let first = if aim { 3 } else { text.chars().take_while(|c| !c.is_ascii_digit()).count() };
    let at = text.char_indices().nth(first).map_or(text.len(), |(at, _)| at);
    let (prefix, code) = text.split_at(at);
    if first <= 3 && is_code(code) { prefix.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{Key, Verdict, Wedge};

    fn arrived(text: &str, end: Option<Sign>, gap: u64) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for (index, sign) in text.chars().map(Sign::Char).chain(end).enumerate() {
            arrivals.push(sign, 1_000 + index as u64 * gap);
        }
        arrivals
    }

    #[test]
    fn control_characters_have_names() {
        let labels = [0x1d, b'\r', 0x7f, 0xe9, b'8', b' '].map(|byte| Sign::of_byte(byte).label());
        assert_eq!(labels, ["GS", "CR", "DEL", "E9", "8", "SP"]);
    }

    #[test]
    fn a_pause_begins_a_new_burst_and_a_hand_is_no_scanner() {
        let mut arrivals = arrived("2812", Some(Sign::Enter), 8);
        assert!(arrivals.is_scanner());
        assert_eq!((arrivals.text().as_str(), arrivals.longest_gap()), ("2812", 8));
        assert!(arrivals.push(Sign::Char('1'), 5_000));
        assert_eq!(arrivals.burst(), [Arrival { sign: Sign::Char('1'), gap_ms: None }]);
        assert!(!arrived("12.50", Some(Sign::Enter), 180).is_scanner());
    }

    #[test]
    fn the_ending_beginning_and_speed_are_taken_from_what_arrived() {
        let settings = arrived("281234567890123456", Some(Sign::Tab), 22).wedge_settings().unwrap();
        assert_eq!(settings, WedgeSettings { gap_ms: 45, length: 8, prefix: String::new(), suffix: Suffix::Tab });
        let settings = arrived("]Q1281234567890123456", None, 4).wedge_settings().unwrap();
        assert_eq!((settings.prefix.as_str(), settings.suffix, settings.gap_ms), ("]Q1", Suffix::None, 20));
        assert_eq!(arrived("12.50", Some(Sign::Enter), 180).wedge_settings(), None);
        assert_eq!(arrived("https://example.com", Some(Sign::Enter), 4).wedge_settings().unwrap().prefix, "");
    }

    #[test]
    fn it_is_told_why_a_burst_is_typing() {
        let settings = WedgeSettings { suffix: Suffix::Tab, ..WedgeSettings::default() };
        let why = |arrivals: Arrivals, settings: &WedgeSettings| arrivals.why_typing(settings);
        assert_eq!(why(arrived("281234567890", Some(Sign::Enter), 5), &settings), Some(WhyTyping::NoSuffix));
        assert_eq!(
            why(arrived("281234567890", Some(Sign::Tab), 60), &settings),
            Some(WhyTyping::TooSlow { gap_ms: 60 })
        );
        assert_eq!(why(arrived("2812", Some(Sign::Tab), 5), &settings), Some(WhyTyping::TooShort { count: 4 }));
        assert_eq!(why(arrived("281234567890", Some(Sign::Tab), 5), &settings), None);
        let settings = WedgeSettings { prefix: "~".into(), ..settings };
        assert_eq!(why(arrived("281234567890", Some(Sign::Tab), 5), &settings), Some(WhyTyping::NoPrefix));
    }

    #[cfg(feature = "till")]
    #[test]
    fn a_serial_scanner_s_ending_is_taken_and_a_wrong_speed_is_seen() {
        let sent = |bytes: &[u8]| {
            let mut arrivals = Arrivals::default();
            for byte in bytes {
                let _ = arrivals.push(Sign::of_byte(*byte), 7);
            }
            arrivals
        };
        let now = SerialSettings { port: "COM3".into(), speed: 115_200, ..SerialSettings::default() };
        let ending = |bytes| sent(bytes).serial_settings(&now).map(|settings| settings.ending);
        assert_eq!(ending(b"281234567890123456\r\n"), Some(Ending::Line));
        assert_eq!(ending(b"281234567890123456\t"), Some(Ending::Tab));
        assert_eq!(ending(b"281234567890123456"), Some(Ending::Pause));
        assert_eq!(ending(b"\xe6\x80\x1e\x00\xf8\x98\x7e"), None);
        assert!(sent(b"\xe6\x80\x1e\x00\xf8\x98\x7e").is_garbled() && !sent(b"2812\r").is_garbled());
    }

    proptest! {
        /// Whatever a scanner sends, the settings made of it take the same as a scan.
        #[test]
        fn suggested_settings_take_what_they_were_made_of(
            prefix in prop_oneof![Just(""), Just("~"), Just("]Q1")],
            code in "[0-9]{8,24}",
            end in prop_oneof![Just(None), Just(Some(Sign::Enter)), Just(Some(Sign::Tab))],
            gap in 0_u64..70,
        ) {
            prop_assume!(code.chars().any(|c| !code.starts_with(c)));
            let arrivals = arrived(&format!("{prefix}{code}"), end, gap);
            let settings = arrivals.wedge_settings().unwrap();
            prop_assert_eq!(arrivals.why_typing(&settings), None);
            let mut wedge = Wedge::new(settings);
            let mut scanned = Vec::new();
            let mut take = |verdict: Verdict| if let Verdict::Scanned(text) = verdict { scanned.push(text) };
            let mut now = 0;
            for arrival in arrivals.burst() {
                now += arrival.gap_ms.unwrap_or(0);
                let key = match arrival.sign {
                    Sign::Char(character) => Key::Char(character),
                    Sign::Enter => Key::Enter,
                    _ => Key::Tab,
                };
                wedge.key(key, now).into_iter().for_each(&mut take);
            }
            wedge.tick(now + 1_000).into_iter().for_each(&mut take);
            prop_assert_eq!(scanned, vec![code]);
        }
    }
}
