//! The books' time: the machine's, and as far ahead as a test has put it.

use std::sync::atomic::{AtomicI64, Ordering};

use super::book::Millis;
use super::wire;

/// The furthest ahead: a hundred years.
const FURTHEST: Millis = 100 * 365 * 86_400_000;

/// Signatures go by the machine's clock alone; codes, orders and windows go by this one.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    pub fn now(&self) -> Millis {
        wire::now() + self.0.load(Ordering::Relaxed)
    }

    /// Lets time pass at once.
    pub fn advance(&self, by: Millis) {
        let ahead = self.0.load(Ordering::Relaxed).saturating_add(by.max(0)).min(FURTHEST);
        self.0.store(ahead, Ordering::Relaxed);
    }
}
