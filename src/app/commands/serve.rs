//! `scantill serve`: the Payment API alone.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{asked_to_end, print_line};
use crate::app::cli::ServeArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::embedded::{Embedded, Options};

pub(super) async fn run(args: &ServeArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let options = Options { listen: args.listen, database: args.database.clone(), single_machine: false };
    let embedded = Embedded::start(data, config, options).await?;
    let key_file = data.reach_file();
    print_line(&json!({ "base_url": embedded.reach().base_url, "key_file": key_file }).to_string());
    eprintln!("The Payment API listens. The first till's key is in {}. Ctrl-C stops it.", key_file.display());
    asked_to_end().await;
    embedded.stop().await;
    Ok(ExitCode::SUCCESS)
}
