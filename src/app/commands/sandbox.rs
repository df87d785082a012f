//! `scantill sandbox`: the simulated providers alone.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{asked_to_end, print_line};
use crate::app::cli::SandboxArgs;
use crate::sandbox::{Sandbox, SandboxConfig};

pub(super) async fn run(args: SandboxArgs) -> Result<ExitCode> {
    let SandboxArgs { listen, out, seed, faults, speed_up, books } = args;
    let config = SandboxConfig { listen, out, seed, faults, speed_up, books, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await?;
    print_line(&json!({ "base_url": sandbox.base_url() }).to_string());
    eprintln!("The sandbox listens; no real money moves. Ctrl-C stops it.");
    eprintln!("A customer's wallet: {}", sandbox.phone_url());
    asked_to_end().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
