//! Time, as the engine has it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::payment::UnixMillis;

/// Wall-clock time that runs on a clock that is never set: a step of the machine's clock moves no deadline.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine { base: UnixMillis, started: Instant },
    Given(Arc<dyn Time>),
}

/// Time that passes as somebody else has it pass: in a simulation hours are over at once.
pub trait Time: Send + Sync {
    /// Now, as this process's clock shows it.
    fn now(&self) -> UnixMillis;

    /// Ready when so much time has passed.
    fn pass(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl Clock {
    /// A clock that begins at the machine's present time.
    #[must_use]
    pub fn system() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Source::Machine { base: millis(since), started: Instant::now() })
    }

    /// A clock that somebody else moves.
    #[must_use]
    pub fn given(time: Arc<dyn Time>) -> Self {
        Self(Source::Given(time))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        match &self.0 {
            Source::Machine { base, started } => base + millis(started.elapsed()),
            Source::Given(time) => time.now(),
        }
    }

    /// Waits so long.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::Machine { .. } => tokio::time::sleep(duration).await,
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
            Source::Machine { .. } => f.write_str("Clock(machine)"),
            Source::Given(_) => f.write_str("Clock(given)"),
        }
    }
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> UnixMillis {
    UnixMillis::try_from(duration.as_millis()).unwrap_or(UnixMillis::MAX / 4)
}
