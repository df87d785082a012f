//! Every parser that meets the outside, fed with damaged samples: none may panic, hang or believe what it should not.
//!
//! Each target gets a bounded number of inputs (`SCANTILL_FUZZ_INPUTS`, 2,000 where absent) that follow from a fixed
//! seed; `PROPTEST_RNG_SEED` gives others. A failing input is shrunk and printed.

mod files;
mod house;
mod messages;
mod mutate;
mod sandbox;
mod texts;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs a target over its inputs.
fn run<S: proptest::strategy::Strategy>(inputs: &S, target: impl Fn(S::Value)) {
    let cases = std::env::var("SCANTILL_FUZZ_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(3);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(inputs, |input| {
        target(input);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
