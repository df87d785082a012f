//! Time, as the engine has it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::payment::UnixMillis;

/// The machine's clock, which people and time servers set, and which stands still with a machine that sleeps. Where it
/// was set is told with it, so that whoever waits for a span of time waits for that span.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine(Arc<Machine>),
    Given(Arc<dyn Time>),
}

/// Time that passes as somebody else has it pass: in a simulation hours are over at once.
pub trait Time: Send + Sync {
    /// Now, as this process's clock shows it.
    fn now(&self) -> UnixMillis;

    /// By how many milliseconds that clock was set since the process began, in all.
    fn stepped(&self) -> i64 {
        0
    }

    /// Ready when so much time has passed.
    fn pass(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// What the clock shows, and by how much it was set until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub now: UnixMillis,
    /// Milliseconds since the process began, in all.
    pub stepped: i64,
}

/// How far the machine's clock may be from one that is never set before it counts as set, in ms. What a time server
/// corrects little by little stays below for hours.
const STEP_MS: i64 = 2_000;

/// The machine's clock beside one that is never set.
struct Machine {
    base: UnixMillis,
    started: Instant,
    stepped: Mutex<i64>,
}

impl Machine {
    fn beginning_at(base: UnixMillis) -> Self {
        Self { base, started: Instant::now(), stepped: Mutex::new(0) }
    }

    fn read(&self) -> Reading {
        let mut stepped = self.stepped.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.base + millis(self.started.elapsed());
        let by = shown_by_the_machine() - running - *stepped;
        if by.abs() > STEP_MS {
            *stepped += by;
            tracing::warn!(seconds = by / 1_000, "the machine's clock was set, or the machine slept");
        }
        Reading { now: running + *stepped, stepped: *stepped }
    }
}

fn shown_by_the_machine() -> UnixMillis {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::Machine(Arc::new(Machine::beginning_at(shown_by_the_machine()))))
    }

    /// A clock that somebody else moves.
    #[must_use]
    pub fn given(time: Arc<dyn Time>) -> Self {
        Self(Source::Given(time))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.read().now
    }

    pub(super) fn read(&self) -> Reading {
        match &self.0 {
            Source::Machine(machine) => machine.read(),
            Source::Given(time) => Reading { now: time.now(), stepped: time.stepped() },
        }
    }

    /// Waits so long.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::Machine(_) => tokio::time::sleep(duration).await,
            Source::Given(time) => time.pass(duration).await,
        }
    }

    /// Waits until `at`; past moments are now.
    pub async fn sleep_until(&self, at: UnixMillis) {
        let wait = u64::try_from(at.saturating_sub(self.now())).unwrap_or(0);
        self.sleep(Duration::from_millis(wait)).await;
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Source::Machine(_) => f.write_str("Clock(machine)"),
            Source::Given(_) => f.write_str("Clock(given)"),
        }
    }
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> UnixMillis {
    UnixMillis::try_from(duration.as_millis()).unwrap_or(UnixMillis::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_since_is_followed_and_told_of_once() {
        for hours in [-3, 5] {
            // As if the machine's clock had been that much behind or ahead when the process began.
            let machine = Machine::beginning_at(shown_by_the_machine() - hours * 3_600_000);
            let (first, second) = (machine.read(), machine.read());
            assert!((first.now - shown_by_the_machine()).abs() <= STEP_MS, "{first:?}");
            assert!((first.stepped - hours * 3_600_000).abs() < 1_000, "{first:?}");
            assert_eq!(first.stepped, second.stepped);
        }
        let right = Machine::beginning_at(shown_by_the_machine() + 1_000);
        assert_eq!(right.read().stepped, 0, "a second is no step");
    }
}
