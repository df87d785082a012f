//! The commands, and how the rooms are put together into a running program.

mod ask;
mod cli;
mod commands;
mod config;
mod data;
mod embedded;
mod keys;
mod reach;
mod usage;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

pub use config::{Config, ConfigError};
pub use data::DataDir;
pub use embedded::Embedded;

/// Reads the command line and does the job. 0 on success, 2 on bad usage, 1 otherwise.
#[must_use]
pub fn main() -> ExitCode {
    let started = Instant::now();
    let cli = cli::Cli::parse();
    start_log(cli.verbose);
    match commands::run(cli, started) {
        Ok(code) => code,
        Err(error) => {
            // The chain in one line: what was being done, and what went wrong.
            eprintln!("scantill: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to stderr; `RUST_LOG` decides what, else warnings, or all of ours with `--verbose`.
fn start_log(verbose: bool) {
    let fallback = if verbose { "warn,scantill=debug" } else { "error,scantill=warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(fallback));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).compact().init();
}
