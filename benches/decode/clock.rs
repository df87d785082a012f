//! Processor time of this thread, and memory of this process.

use std::fs;
use std::time::Instant;

/// Time spent since a start.
pub struct Spent {
    cpu_ns: Option<u64>,
    wall: Instant,
}

impl Spent {
    pub fn start() -> Self {
        Self { cpu_ns: thread_ns(), wall: Instant::now() }
    }

    pub fn ms(&self) -> f64 {
        match (self.cpu_ns, thread_ns()) {
            (Some(before), Some(after)) if after > before => (after - before) as f64 / 1e6,
            _ => self.wall.elapsed().as_secs_f64() * 1e3,
        }
    }
}

/// Nanoseconds that the scheduler has counted for this thread; none where it keeps no such statistics.
fn thread_ns() -> Option<u64> {
    // A thread that gives way is accounted for up to now.
    std::thread::yield_now();
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// Memory that the process holds, 0 where the system does not tell.
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
