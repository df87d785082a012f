//! Counting, and writing what was counted in Prometheus' text form (version 0.0.4). Pure: no clock, no I/O.
//!
//! Labels take few values by design: channels, states, routes. Never an id, an amount or a code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The content type of [`Page`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The upper bounds of a histogram's buckets, in microseconds: from a quick commit to a provider's time limit.
const BOUNDS: [u64; 13] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 2_500_000, 10_000_000, 30_000_000];

/// Counters that differ in `N` labels.
pub struct Counters<const N: usize> {
    labels: [&'static str; N],
    values: Mutex<BTreeMap<[String; N], u64>>,
}

impl<const N: usize> Counters<N> {
    /// None counted yet.
    #[must_use]
    pub const fn new(labels: [&'static str; N]) -> Self {
        Self { labels, values: Mutex::new(BTreeMap::new()) }
    }

    /// Counts one more.
    pub fn add(&self, values: [&str; N]) {
        let mut counted = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.entry(values.map(str::to_owned)).or_default() += 1;
    }
}

/// Durations that differ in `N` labels, as histograms.
pub struct Durations<const N: usize> {
    labels: [&'static str; N],
    values: Mutex<BTreeMap<[String; N], Spread>>,
}

/// One histogram. Each bucket holds what fell into it alone; sums are made when it is written.
#[derive(Default)]
struct Spread {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    micros: u64,
}

impl<const N: usize> Durations<N> {
    /// None measured yet.
    #[must_use]
    pub const fn new(labels: [&'static str; N]) -> Self {
        Self { labels, values: Mutex::new(BTreeMap::new()) }
    }

    /// One more that took `time`.
    pub fn add(&self, values: [&str; N], time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut measured = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let spread = measured.entry(values.map(str::to_owned)).or_default();
        spread.count += 1;
        spread.micros = spread.micros.saturating_add(micros);
        if let Some(bucket) = BOUNDS.iter().position(|bound| micros <= *bound) {
            spread.buckets[bucket] += 1;
        }
    }
}

/// What a scrape gets.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.line(name, "", value);
    }

    /// A number that is always 1, with labels that say something.
    pub fn info(&mut self, name: &str, help: &str, label: &str, value: &str) {
        self.head(name, "gauge", help);
        self.line(name, &pair(label, value), 1);
    }

    /// Counters; the name ends in `_total`.
    pub fn counters<const N: usize>(&mut self, name: &str, help: &str, counters: &Counters<N>) {
        self.head(name, "counter", help);
        for (values, count) in &*counters.values.lock().unwrap_or_else(PoisonError::into_inner) {
            self.line(name, &pairs(&counters.labels, values), count);
        }
    }

    /// Durations; the name ends in `_seconds`.
    pub fn durations<const N: usize>(&mut self, name: &str, help: &str, durations: &Durations<N>) {
        self.head(name, "histogram", help);
        for (values, spread) in &*durations.values.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = pairs(&durations.labels, values);
            let comma = if labels.is_empty() { "" } else { "," };
            let mut below = 0;
            for (bound, bucket) in BOUNDS.iter().zip(spread.buckets) {
                below += bucket;
                self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{}\"", seconds(*bound)), below);
            }
            self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"+Inf\""), spread.count);
            self.line(&format!("{name}_sum"), &labels, seconds(spread.micros));
            self.line(&format!("{name}_count"), &labels, spread.count);
        }
    }
}

/// Microseconds as seconds in decimal, without zeros at the end.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn pairs(labels: &[&str], values: &[String]) -> String {
    let pairs: Vec<_> = labels.iter().zip(values).map(|(label, value)| pair(label, value)).collect();
    pairs.join(",")
}

fn pair(label: &str, value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{label}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_written_as_prometheus_reads_it() {
        let sales = Counters::new(["channel", "state"]);
        sales.add(["alipay", "succeeded"]);
        sales.add(["alipay", "succeeded"]);
        sales.add(["a\"\\\n", "failed"]);
        let mut page = Page::default();
        page.counters("sales_total", "Sales.", &sales);
        page.gauge("open", "Open.", 3);
        assert_eq!(
            page.into_text(),
            "# HELP sales_total Sales.\n# TYPE sales_total counter\n\
             sales_total{channel=\"a\\\"\\\\\\n\",state=\"failed\"} 1\n\
             sales_total{channel=\"alipay\",state=\"succeeded\"} 2\n\
             # HELP open Open.\n# TYPE open gauge\nopen 3\n"
        );
    }

    #[test]
    fn buckets_hold_all_that_took_no_longer() {
        let calls = Durations::new(["call"]);
        for millis in [0, 1, 3, 40, 31_000] {
            calls.add(["pay"], Duration::from_millis(millis));
        }
        let mut page = Page::default();
        page.durations("calls_seconds", "Calls.", &calls);
        let text = page.into_text();
        for line in [
            "calls_seconds_bucket{call=\"pay\",le=\"0.0005\"} 1",
            "calls_seconds_bucket{call=\"pay\",le=\"0.001\"} 2",
            "calls_seconds_bucket{call=\"pay\",le=\"0.05\"} 4",
            "calls_seconds_bucket{call=\"pay\",le=\"30\"} 4",
            "calls_seconds_bucket{call=\"pay\",le=\"+Inf\"} 5",
            "calls_seconds_sum{call=\"pay\"} 31.044",
            "calls_seconds_count{call=\"pay\"} 5",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
        }
    }
}
