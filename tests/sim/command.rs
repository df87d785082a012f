//! `scantill-sim`: as many seeds of the simulation as are asked for. No part of what is shipped.

mod simulation;

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulation::{Report, run};

/// Small allocations by the million are a fifth of the work; this one takes half as long over them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays simulated shops and holds their books against the providers'.
#[derive(Parser)]
#[command(name = "scantill-sim")]
struct Options {
    /// The seeds to play, such as 0..1000.
    #[arg(long, value_parser = range, conflicts_with_all = ["payments", "trace"])]
    seeds: Option<Range<u64>>,
    /// Play seeds from 0 on until there were so many payments.
    #[arg(long, conflicts_with = "trace")]
    payments: Option<u64>,
    /// How many seeds are played at a time, each on a processor of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Play one seed and tell all that happens.
    #[arg(long)]
    trace: Option<u64>,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("a range is FROM..TO")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is no seed"));
    Ok(number(from)?..number(to)?)
}

#[derive(Default)]
struct Total {
    seeds: u64,
    payments: u64,
    faults: u64,
    lost: u64,
    doubled: u64,
    stuck: u64,
    bad: u64,
}

impl Total {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.payments += report.payments;
        self.faults += report.faults;
        self.lost += report.lost;
        self.doubled += report.doubled;
        self.stuck += report.stuck;
        if !report.is_good() {
            self.bad += 1;
            eprintln!("seed {} failed: replay it with scantill-sim --trace {}", report.seed, report.seed);
            for wrong in &report.wrongs {
                eprintln!("  {wrong}");
            }
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (seeds, enough) = match (options.seeds, options.payments, options.trace) {
        (Some(seeds), ..) => (seeds, u64::MAX),
        (None, Some(payments), _) => (0..u64::MAX, payments),
        (None, None, Some(seed)) => (seed..seed.saturating_add(1), u64::MAX),
        (None, None, None) => (0..200, u64::MAX),
    };
    let started = Instant::now();
    let (next, told) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let total = Mutex::new(Total::default());
    let play = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || total.lock().unwrap().payments >= enough {
                return;
            }
            let report = run(seed, options.trace.is_some());
            let mut total = total.lock().unwrap();
            total.add(&report);
            let seconds = started.elapsed().as_secs();
            if seconds >= told.load(Ordering::Relaxed) + 5 {
                told.store(seconds, Ordering::Relaxed);
                eprintln!("{} seeds, {} payments, {seconds} s", total.seeds, total.payments);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(play);
        }
    });
    let Total { seeds, payments, faults, lost, doubled, stuck, bad } = total.into_inner().unwrap();
    println!("seeds={seeds} payments={payments} faults={faults} lost={lost} doubled={doubled} stuck={stuck}");
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
