//! Histograms read back from the page that Prometheus reads.

use std::collections::BTreeMap;

/// Prints, for each set of the labels that are named, how many there were and the bound under which 99 of 100 are.
pub fn print(page: &str, name: &str, labels: &[&str]) {
    let mut histograms: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    for line in page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{")) {
        let Some((pairs, count)) = line.split_once("} ") else { continue };
        let value = |label: &str| {
            let from = pairs.find(&format!("{label}=\""))? + label.len() + 2;
            pairs[from..].split('"').next()
        };
        let (Some(bound), Ok(count)) = (value("le"), count.parse::<u64>()) else { continue };
        let micros = bound.parse::<f64>().map_or(u64::MAX, |seconds| (seconds * 1e6).round() as u64);
        let key: Vec<&str> = labels.iter().filter_map(|label| value(label)).collect();
        // Calls that differ in other labels count together.
        *histograms.entry(key.join(" ")).or_default().entry(micros).or_default() += count;
    }
    for (key, buckets) in histograms {
        let all = buckets.values().last().copied().unwrap_or_default();
        let bound =
            |share: u64| buckets.iter().find(|(_, count)| **count * 100 >= all * share).map(|(bound, _)| *bound);
        let text = |bound: Option<u64>| match bound {
            Some(u64::MAX) | None => "more".to_owned(),
            Some(micros) => format!("{} ms", micros as f64 / 1e3),
        };
        println!("  {key}: {all} calls, half within {}, 99 % within {}", text(bound(50)), text(bound(99)));
    }
}
