//! A code is accepted once until it has been taken away. Pure: time is an argument, in milliseconds.

/// How long a code has to be out of sight before it counts as taken away.
const TAKEN_AWAY_MS: u64 = 1_500;

/// Lets each code through once.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    seen: Option<(String, u64)>,
}

impl Gate {
    /// A gate that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { seen: None }
    }

    /// A code is in sight at `now`; true where it is to be taken.
    pub fn pass(&mut self, text: &str, now: u64) -> bool {
        let known =
            self.seen.as_ref().is_some_and(|(held, last)| held == text && now.saturating_sub(*last) < TAKEN_AWAY_MS);
        self.seen = Some((text.to_owned(), now));
        !known
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
        assert!(gate.pass("a", 5_100));
        assert!(!gate.pass("a", 5_100 + TAKEN_AWAY_MS - 1));
        assert!(gate.pass("a", 5_100 + 2 * TAKEN_AWAY_MS), "taken away and shown again");
    }
}
