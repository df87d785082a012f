//! What a process needed, as Linux tells it.

use std::time::Duration;

/// Clock ticks a second in `/proc`: 100 on every Linux that the program runs on (`USER_HZ`).
const TICKS: u64 = 100;

/// What a process needed so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor time of all its threads.
    pub processor: Duration,
    /// Resident memory now, in kB.
    pub memory_kb: u64,
    /// And at most.
    pub most_memory_kb: u64,
}

impl Usage {
    /// Of the process with that number; noughts where the system does not tell.
    pub fn of(process: u32) -> Self {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
        let stat = read("stat");
        // Behind the name in brackets, user and system time are the 12th and 13th fields (proc_pid_stat(5)).
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
        let status = read("status");
        let kilobytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        Self {
            processor: Duration::from_millis(ticks * 1_000 / TICKS),
            memory_kb: kilobytes("VmRSS:"),
            most_memory_kb: kilobytes("VmHWM:"),
        }
    }
}
