//! The engine under everything that can go wrong, from seeds: see `simulation`, and README.md in this folder.

mod simulation;

use simulation::{Report, run};

/// These seeds are run every time.
const SEEDS: std::ops::Range<u64> = 0..200;

/// Plays seeds on every processor; each world has a thread to itself.
fn play(seeds: std::ops::Range<u64>) -> Vec<Report> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let part = |first| {
            let seeds = seeds.clone().skip(first).step_by(threads);
            scope.spawn(move || seeds.map(|seed| run(seed, false)).collect::<Vec<_>>())
        };
        let playing: Vec<_> = (0..threads).map(part).collect();
        playing.into_iter().flat_map(|part| part.join().expect("a world that holds")).collect()
    })
}

#[test]
fn nothing_is_lost_doubled_or_stuck_whatever_fails_and_whenever() {
    let bad: Vec<_> = play(SEEDS).into_iter().filter(|report| !report.is_good()).collect();
    assert!(bad.is_empty(), "replay with `cargo run --bin scantill-sim -- --trace SEED`: {bad:#?}");
}

#[test]
fn a_seed_replays_exactly() {
    // In the last three several listeners wait for the same row.
    for seed in [1, 2, 3, 5, 8, 13, 56, 86, 91] {
        assert_eq!(run(seed, false), run(seed, false));
    }
}
