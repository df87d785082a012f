//! `scantill sandbox`: the simulated providers alone.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{asked_to_end, print_line};
use crate::app::cli::SandboxArgs;
use crate::sandbox::{Sandbox, SandboxConfig};

pub(super) async fn run(args: SandboxArgs) -> Result<ExitCode> {
    let SandboxArgs { listen, out, seed, faults, speed_up, books, tls_listen } = args;
    let config = SandboxConfig { listen, out, seed, faults, speed_up, books, tls_listen, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await?;
    let mut told = json!({ "base_url": sandbox.base_url() });
    if let Some(url) = sandbox.tls_url() {
        told["tls_base_url"] = json!(url);
    }
    print_line(&told.to_string());
    eprintln!("The sandbox listens; no real money moves. Ctrl-C stops it.");
    eprintln!("A customer's wallet: {}", sandbox.phone_url());
    asked_to_end().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
