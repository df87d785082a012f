//! The commands, and how the rooms are put together into a running program.

mod anchor;
mod ask;
mod cli;
mod commands;
mod config;
mod data;
mod doctor;
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
    keep_memory_private();
    start_log(cli.verbose, cli.log_format);
    match commands::run(cli, started) {
        Ok(code) => code,
        Err(error) => {
            // The chain in one line: what was being done, and what went wrong.
            eprintln!("scantill: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A crash leaves no picture of the memory on the disk: keys and credentials are in it.
#[cfg(unix)]
fn keep_memory_private() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    // Where the system does not let us, it is as it was: nothing to stop for.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

#[cfg(not(unix))]
fn keep_memory_private() {}

/// Logs go to stderr; `RUST_LOG` decides what, else warnings, or all of ours with `--verbose`.
fn start_log(verbose: bool, format: cli::LogFormat) {
    let fallback = if verbose { "warn,scantill=debug" } else { "error,scantill=warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(fallback));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        cli::LogFormat::Text => log.compact().init(),
        cli::LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(true).init(),
    }
}
