//! The engine under everything that can go wrong, from seeds: see `simulation`, and README.md in this folder.

mod simulation;

use simulation::run;

/// These seeds are run every time.
const SEEDS: std::ops::Range<u64> = 0..200;

#[test]
fn nothing_is_lost_doubled_or_stuck_whatever_fails_and_whenever() {
    let bad: Vec<_> = SEEDS.map(|seed| run(seed, false)).filter(|report| !report.is_good()).collect();
    assert!(bad.is_empty(), "replay with `cargo run --bin scantill-sim -- --trace SEED`: {bad:#?}");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 2, 3, 5, 8, 13] {
        assert_eq!(run(seed, false), run(seed, false));
    }
}
