//! One file for each command.

mod account;
mod backup;
mod camera;
mod decode;
mod doctor;
mod ledger;
mod operator;
mod pay;
mod qr;
mod refund;
mod sandbox;
mod serve;
mod takings;
#[cfg(feature = "till")]
mod till;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;

use super::cli::{CameraCommand, Cli, Command, LedgerCommand};
use super::config::Config;
use super::data::DataDir;

/// Does what the command line says.
pub(super) fn run(cli: Cli, started: Instant) -> Result<ExitCode> {
    let open = || -> Result<(DataDir, Config)> {
        let data = DataDir::open(cli.data_dir.clone())?;
        let config = Config::read(&data.config())?;
        let key_store = cli.key_store.map(Into::into).or(config.key_store);
        Ok((data, Config { key_store, ..config }))
    };
    match cli.command {
        None => {
            let (data, config) = open()?;
            till(cli.till, data, config, started)
        }
        Some(Command::Serve(args)) => {
            let (data, config) = open()?;
            runtime()?.block_on(serve::run(&args, &data, &config))
        }
        Some(Command::Sandbox(args)) => runtime()?.block_on(sandbox::run(args)),
        Some(Command::Pay(args)) => {
            let (data, config) = open()?;
            runtime()?.block_on(pay::run(args, &data, &config))
        }
        Some(Command::Refund(args)) => {
            let (data, config) = open()?;
            runtime()?.block_on(refund::run(args, &data, &config))
        }
        Some(Command::Ledger(LedgerCommand::Verify { json, books })) => {
            let (data, config) = open()?;
            runtime()?.block_on(ledger::verify(json, books, &data, &config))
        }
        Some(Command::Ledger(LedgerCommand::Rebuild { books })) => {
            let (data, config) = open()?;
            runtime()?.block_on(ledger::rebuild(books, &data, &config))
        }
        Some(Command::Ledger(LedgerCommand::Backup { out, json, books })) => {
            let (data, config) = open()?;
            runtime()?.block_on(backup::backup(&out, json, books, &data, &config))
        }
        Some(Command::Ledger(LedgerCommand::Restore { file, replace, accept_older, json, books })) => {
            let (data, config) = open()?;
            let wish = backup::Wish { replace, accept_older, json };
            runtime()?.block_on(backup::restore(&file, wish, books, &data, &config))
        }
        Some(Command::Ledger(LedgerCommand::Accept { yes, books })) => {
            let (data, config) = open()?;
            runtime()?.block_on(backup::accept(yes, books, &data, &config))
        }
        Some(Command::Account(command)) => {
            let (data, config) = open()?;
            runtime()?.block_on(account::run(command, &data, &config))
        }
        Some(Command::Operator(command)) => {
            let (data, config) = open()?;
            runtime()?.block_on(operator::run(command, &data, &config))
        }
        Some(Command::Doctor(args)) => {
            let (data, config) = open()?;
            runtime()?.block_on(doctor::run(args, &data, &config))
        }
        Some(Command::Takings(args)) => {
            let (data, config) = open()?;
            runtime()?.block_on(takings::run(args, &data, &config))
        }
        Some(Command::Decode(args)) => decode::run(&args),
        Some(Command::Qr(args)) => qr::run(&args),
        Some(Command::Camera(CameraCommand::List { json })) => camera::list(json),
        Some(Command::Camera(CameraCommand::Test(args))) => camera::test(&args),
    }
}

fn runtime() -> Result<Runtime> {
    Runtime::new().context("no threads could be started")
}

#[cfg(feature = "till")]
fn till(args: super::cli::TillArgs, data: DataDir, config: Config, started: Instant) -> Result<ExitCode> {
    till::run(args, data, config, started)
}

#[cfg(not(feature = "till"))]
fn till(_: super::cli::TillArgs, _: DataDir, _: Config, _: Instant) -> Result<ExitCode> {
    eprintln!("scantill: this build has no window (feature `till`): see scantill --help for the commands");
    Ok(ExitCode::from(2))
}

/// Waits until the process is asked to end (Ctrl-C, or SIGTERM from a service manager).
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Writes a line to stdout. A reader that has gone away (`| head`) is no error.
fn print_line(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
