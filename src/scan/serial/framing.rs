//! From bytes to codes. Pure: time is an argument, in milliseconds.

use super::{Ending, SerialSettings};

/// No code is longer; a port that sends on and on is no scanner.
const LONGEST: usize = 8 * 1024;

/// What came of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// A code.
    Code(String),
    /// Bytes whose ending or beginning did not come, or that are too many.
    Dropped(Vec<u8>),
}

/// Cuts what arrives into codes.
#[derive(Debug, Clone)]
pub struct Framing {
    settings: SerialSettings,
    held: Vec<u8>,
    last: u64,
}

impl Framing {
    /// With a scanner's settings.
    #[must_use]
    pub fn new(settings: SerialSettings) -> Self {
        Self { settings: settings.sane(), held: Vec::new(), last: 0 }
    }

    /// Bytes arrived at `now`.
    pub fn bytes(&mut self, bytes: &[u8], now: u64) -> Vec<Framed> {
        let mut framed: Vec<Framed> = self.tick(now).into_iter().collect();
        self.last = now;
        for byte in bytes {
            if self.settings.ending.is_end(*byte) {
                framed.extend(self.code());
            } else if self.held.len() == LONGEST {
                framed.push(Framed::Dropped(std::mem::take(&mut self.held)));
            } else {
                self.held.push(*byte);
            }
        }
        framed
    }

    /// Time has passed: a pause ends what has no ending.
    pub fn tick(&mut self, now: u64) -> Option<Framed> {
        if self.held.is_empty() || now.saturating_sub(self.last) < self.settings.pause_ms {
            return None;
        }
        match self.settings.ending {
            Ending::Pause => self.code(),
            Ending::Line | Ending::Tab => Some(Framed::Dropped(std::mem::take(&mut self.held))),
        }
    }

    /// In how many milliseconds [`Framing::tick`] has something to do; `None` where nothing is held.
    #[must_use]
    pub fn wait(&self, now: u64) -> Option<u64> {
        (!self.held.is_empty()).then(|| (self.last + self.settings.pause_ms).saturating_sub(now))
    }

    fn code(&mut self) -> Option<Framed> {
        let bytes = std::mem::take(&mut self.held);
        if bytes.is_empty() {
            // The second of a carriage return and a line feed, or a blank line.
            return None;
        }
        Some(match bytes.strip_prefix(self.settings.prefix.as_bytes()) {
            Some(code) => Framed::Code(String::from_utf8_lossy(code).into_owned()),
            None => Framed::Dropped(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framing(ending: Ending, prefix: &str) -> Framing {
        Framing::new(SerialSettings { ending, prefix: prefix.into(), pause_ms: 50, ..SerialSettings::default() })
    }

    fn code(text: &str) -> Framed {
        Framed::Code(text.into())
    }

    #[test]
    fn each_ending_cuts_whatever_pieces_the_bytes_come_in() {
        for (ending, sent) in [
            (Ending::Line, &b"2812\r1311\r"[..]),
            (Ending::Line, b"2812\n1311\n"),
            (Ending::Line, b"2812\r\n1311\r\n"),
            (Ending::Tab, b"2812\t1311\t"),
        ] {
            for piece in 1..sent.len() {
                let mut framing = framing(ending, "");
                let framed: Vec<_> = sent.chunks(piece).flat_map(|bytes| framing.bytes(bytes, 0)).collect();
                assert_eq!(framed, [code("2812"), code("1311")], "{ending:?} by {piece}");
                assert_eq!(framing.wait(0), None);
            }
        }
    }

    #[test]
    fn a_pause_ends_a_code_without_an_ending_and_no_other() {
        let mut paused = framing(Ending::Pause, "");
        assert_eq!(paused.bytes(b"28", 0), []);
        assert_eq!(paused.bytes(b"12", 40), []);
        assert_eq!((paused.wait(60), paused.tick(89)), (Some(30), None));
        assert_eq!(paused.tick(90), Some(code("2812")));
        assert_eq!(paused.bytes(b"1", 100), []);
        assert_eq!(paused.bytes(b"3", 300), [code("1")], "the pause counts although nobody ticked");
        let mut line = framing(Ending::Line, "");
        assert_eq!(line.bytes(b"28", 0), []);
        assert_eq!(line.bytes(b"1311\r", 300), [Framed::Dropped(b"28".to_vec()), code("1311")]);
    }

    #[test]
    fn a_prefix_is_taken_off_and_what_lacks_it_is_dropped() {
        let mut framing = framing(Ending::Line, "]Q1");
        assert_eq!(framing.bytes(b"]Q12812\r2812\r", 0), [code("2812"), Framed::Dropped(b"2812".to_vec())]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_without_loss(pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0_u64..200), 0..40)) {
            let mut framing = framing(Ending::Line, "");
            let (mut now, mut sent, mut got) = (0, 0, 0);
            let length = |framed: Framed| match framed {
                Framed::Code(text) => { assert!(!text.is_empty()); 0 }
                Framed::Dropped(bytes) => bytes.len(),
            };
            for (bytes, pause) in pieces {
                now += pause;
                sent += bytes.len();
                got += framing.bytes(&bytes, now).into_iter().map(length).sum::<usize>();
            }
            prop_assert!(got <= sent);
            let _ = framing.tick(now + 1_000);
            prop_assert_eq!(framing.wait(now + 1_000), None);
        }

        #[test]
        fn a_port_that_never_ends_holds_a_bounded_memory(rounds in 1_usize..40) {
            let mut framing = framing(Ending::Line, "");
            for _ in 0..rounds {
                let _ = framing.bytes(&[b'x'; 1_000], 0);
                prop_assert!(framing.held.len() <= LONGEST);
            }
        }
    }
}
