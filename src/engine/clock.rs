//! Time, as the engine has it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::payment::UnixMillis;

/// Wall-clock time that runs on tokio's clock: where a test pauses that, this stands still with it, and a step of the
/// machine's clock moves no deadline.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: UnixMillis,
    started: Instant,
}

impl Clock {
    /// A clock that begins at the machine's present time.
    #[must_use]
    pub fn system() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(millis(since))
    }

    /// A clock that begins at `base`.
    #[must_use]
    pub fn starting_at(base: UnixMillis) -> Self {
        Self { base, started: Instant::now() }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.base + millis(self.started.elapsed())
    }

    /// The instant of `at`; past moments are now.
    #[must_use]
    pub fn instant(&self, at: UnixMillis) -> Instant {
        let wait = u64::try_from(at - self.now()).unwrap_or(0);
        Instant::now() + Duration::from_millis(wait)
    }
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> UnixMillis {
    UnixMillis::try_from(duration.as_millis()).unwrap_or(UnixMillis::MAX / 4)
}
