//! How much processor time the scanner's threads have used, where the system tells (Linux).

use std::time::Duration;

/// Processor time used by the threads of the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// By the thread that decodes.
    pub decoding: Duration,
    /// By the threads that wait for the camera and turn what it sends to luma.
    pub capturing: Duration,
}

impl Usage {
    /// So far; nothing where the system does not tell.
    pub fn now() -> Self {
        let mut usage = Self::default();
        for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let used = || run_time(&read("schedstat")).unwrap_or_default();
            match read("comm").trim_end() {
                "scan" => usage.decoding += used(),
                "camera" => usage.capturing += used(),
                _ => {}
            }
        }
        usage
    }

    /// What was used since then; `None` where the system does not tell.
    pub fn since(self, before: &Self) -> Option<Self> {
        let used = Self {
            decoding: self.decoding.saturating_sub(before.decoding),
            capturing: self.capturing.saturating_sub(before.capturing),
        };
        (used != Self::default()).then_some(used)
    }
}

/// The first field of /proc/PID/task/TID/schedstat: nanoseconds on a processor.
fn run_time(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_s_run_time_is_read_and_nonsense_is_not() {
        assert_eq!(run_time("1500000 22 3\n"), Some(Duration::from_micros(1_500)));
        assert_eq!((run_time(""), run_time("x 1 2")), (None, None));
    }
}
