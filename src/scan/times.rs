//! When a frame went through the scanner, and how such times are spread. Pure.

use std::time::{Duration, Instant};

use serde::Serialize;

/// When a frame went through the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameTimes {
    /// How old it was when it arrived, by the driver's clock, where the driver tells.
    pub age: Option<Duration>,
    /// The driver handed it over.
    pub arrived: Instant,
    /// Its luma stood ready for the decoder.
    pub ready: Instant,
    /// The decoder took it.
    pub begun: Instant,
    /// The decoder was done with it.
    pub done: Instant,
}

impl FrameTimes {
    /// From the frame's arrival to its symbols.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.done - self.arrived
    }

    /// Turning it to luma.
    #[must_use]
    pub fn luma(&self) -> Duration {
        self.ready - self.arrived
    }

    /// Waiting for the decoder.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.begun - self.ready
    }

    /// Decoding alone.
    #[must_use]
    pub fn decoding(&self) -> Duration {
        self.done - self.begun
    }
}

/// How times are spread, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are shorter.
    pub median: f64,
    /// 95 of 100 are shorter.
    pub p95: f64,
    /// The longest.
    pub worst: f64,
}

impl Spread {
    /// Of these times; `None` where there are none.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let at = |share: usize| {
            let ms = times.get((times.len() * share / 100).min(times.len().checked_sub(1)?))?.as_secs_f64() * 1_000.0;
            Some((ms * 100.0).round() / 100.0)
        };
        Some(Self { median: at(50)?, p95: at(95)?, worst: at(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_by_rank() {
        assert_eq!(Spread::of(Vec::new()), None);
        let one = Spread::of(vec![Duration::from_micros(1_500)]);
        assert_eq!(one, Some(Spread { median: 1.5, p95: 1.5, worst: 1.5 }));
        let hundred = Spread::of((0..100).rev().map(Duration::from_millis).collect());
        assert_eq!(hundred, Some(Spread { median: 50.0, p95: 95.0, worst: 99.0 }));
    }
}
