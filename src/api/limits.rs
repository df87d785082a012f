//! How much the API takes from whom: sizes, times, calls a second, and how many bad signatures.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What is accepted from callers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; more wait.
    pub connections: usize,
    /// How long a request's head may take to arrive; an idle connection is closed after it too.
    pub head_time: Duration,
    /// How long a request's body may take to arrive.
    pub body_time: Duration,
    /// How long a request's head may be, in bytes; at least 8 KiB.
    pub head_bytes: usize,
    /// How many headers a request may have.
    pub headers: usize,
    /// How many calls a second a key may make over a while; four times as many at once.
    pub calls_per_second: u32,
    /// After so many bad signatures for a key from one address within [`Limits::lock_time`], that key is locked out
    /// there.
    pub bad_signatures: u32,
    /// For how long.
    pub lock_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(10),
            head_bytes: 16 * 1024,
            headers: 64,
            calls_per_second: 500,
            bad_signatures: 20,
            lock_time: Duration::from_secs(60),
        }
    }
}

/// Keys at addresses that are remembered at most; the oldest are forgotten first.
const REMEMBERED: usize = 10_000;
/// One call's worth.
const CALL: u64 = 1_000;
/// How many seconds' worth of calls may come at once.
const BURST_SECONDS: u64 = 4;

/// Calls and bad signatures as they come. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    calls: HashMap<String, Bucket>,
    bad: HashMap<(IpAddr, String), Bad>,
}

/// What is left of a key's calls, in thousandths.
#[derive(Debug)]
struct Bucket {
    left: u64,
    at: i64,
}

#[derive(Debug)]
struct Bad {
    since: i64,
    count: u32,
}

impl Pace {
    /// Counts a call of a key; the milliseconds to wait where it is one too many.
    pub fn call(&mut self, limits: &Limits, key: &str, now: i64) -> Result<(), u64> {
        let rate = u64::from(limits.calls_per_second.max(1));
        let full = rate * CALL * BURST_SECONDS;
        if !self.calls.contains_key(key) {
            self.calls.insert(key.to_owned(), Bucket { left: full, at: now });
        }
        let Some(bucket) = self.calls.get_mut(key) else { return Ok(()) };
        // A clock that was set back gives nothing.
        let passed = u64::try_from(now - bucket.at).unwrap_or(0);
        bucket.left = bucket.left.saturating_add(passed.saturating_mul(rate)).min(full);
        bucket.at = now;
        match bucket.left.checked_sub(CALL) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err((CALL - bucket.left).div_ceil(rate)),
        }
    }

    /// The milliseconds that a key is still locked out at an address.
    pub fn locked(&mut self, limits: &Limits, address: IpAddr, key: &str, now: i64) -> Option<u64> {
        let bad = self.bad.get(&(address, key.to_owned()))?;
        let until = bad.since + millis(limits.lock_time);
        if bad.count < limits.bad_signatures {
            return None;
        }
        u64::try_from(until - now).ok().filter(|left| *left > 0)
    }

    /// Counts a bad signature; true where it is the one that locks out.
    pub fn bad(&mut self, limits: &Limits, address: IpAddr, key: &str, now: i64) -> bool {
        if self.bad.len() >= REMEMBERED {
            self.bad.retain(|_, bad| bad.since + millis(limits.lock_time) > now);
        }
        if self.bad.len() >= REMEMBERED
            && let Some(oldest) = self.bad.iter().min_by_key(|(_, bad)| bad.since).map(|(who, _)| who.clone())
        {
            self.bad.remove(&oldest);
        }
        let bad = self.bad.entry((address, key.to_owned())).or_insert(Bad { since: now, count: 0 });
        if bad.since + millis(limits.lock_time) <= now {
            *bad = Bad { since: now, count: 0 };
        }
        bad.count += 1;
        if bad.count == limits.bad_signatures {
            // The lock runs from the last straw.
            bad.since = now;
        }
        bad.count == limits.bad_signatures
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

    #[test]
    fn a_key_may_burst_and_then_goes_at_its_pace() {
        let limits = Limits { calls_per_second: 5, ..Limits::default() };
        let mut pace = Pace::default();
        let burst = (0..).take_while(|_| pace.call(&limits, "a", 0).is_ok()).count();
        assert_eq!(burst, 20);
        assert_eq!(pace.call(&limits, "a", 0), Err(200));
        assert_eq!(pace.call(&limits, "a", 199), Err(1));
        assert_eq!(pace.call(&limits, "a", 200), Ok(()));
        assert!(pace.call(&limits, "b", 200).is_ok(), "others have their own");
        assert!(pace.call(&limits, "a", -5_000).is_err(), "a clock that goes back gives nothing");
    }

    #[test]
    fn bad_signatures_lock_a_key_out_where_they_came_from_and_no_longer_than_told() {
        let limits = Limits { bad_signatures: 3, lock_time: Duration::from_secs(60), ..Limits::default() };
        let mut pace = Pace::default();
        assert!(!pace.bad(&limits, HERE, "a", 0));
        assert!(!pace.bad(&limits, HERE, "a", 59_999));
        assert!(!pace.bad(&limits, HERE, "a", 60_000), "those of a minute ago are forgotten");
        assert!(!pace.bad(&limits, HERE, "a", 60_001));
        assert_eq!(pace.locked(&limits, HERE, "a", 60_001), None);
        assert!(pace.bad(&limits, HERE, "a", 60_002));
        assert_eq!(pace.locked(&limits, HERE, "a", 60_002), Some(60_000));
        assert_eq!(pace.locked(&limits, HERE, "b", 60_002), None);
        assert_eq!(pace.locked(&limits, IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), "a", 60_002), None);
        assert_eq!(pace.locked(&limits, HERE, "a", 120_002), None);
        for number in 0..u32::try_from(REMEMBERED).unwrap() + 5 {
            pace.bad(&limits, IpAddr::V4(number.into()), "a", 200_000);
        }
        assert!(pace.bad.len() <= REMEMBERED);
    }
}
