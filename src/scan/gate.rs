//! A code is accepted once until it has been taken away. Pure: time is an argument, in milliseconds.

/// How long a code has to be out of sight before it counts as taken away.
const TAKEN_AWAY_MS: u64 = 1_500;

/// Lets each code through once; several may be in sight at a time.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    seen: Vec<(String, u64)>,
}

impl Gate {
    /// A gate that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { seen: Vec::new() }
    }

    /// A code is in sight at `now`; true where it is to be taken.
    pub fn pass(&mut self, text: &str, now: u64) -> bool {
        self.seen.retain(|(_, last)| now.saturating_sub(*last) < TAKEN_AWAY_MS);
        if let Some((_, last)) = self.seen.iter_mut().find(|(held, _)| held == text) {
            *last = now;
            return false;
        }
        self.seen.push((text.to_owned(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_held_up_counts_once_until_it_was_taken_away() {
        let mut gate = Gate::new();
        assert!(gate.pass("a", 0));
        assert!((1..50).all(|frame| !gate.pass("a", frame * 100)), "held up for five seconds");
        assert!(gate.pass("b", 5_000), "another code counts at once");
        assert!(!gate.pass("a", 4_900 + TAKEN_AWAY_MS - 1));
        assert!(gate.pass("a", 4_900 + 3 * TAKEN_AWAY_MS), "taken away and shown again");
    }

    #[test]
    fn two_codes_in_one_frame_count_once_each() {
        let mut gate = Gate::new();
        let taken: Vec<_> = (0..90).flat_map(|frame| ["a", "b"].map(|code| (code, frame * 33))).collect();
        let taken: Vec<_> = taken.into_iter().filter(|(code, now)| gate.pass(code, *now)).collect();
        assert_eq!(taken, [("a", 0), ("b", 0)]);
    }
}
