//! `scantill ledger`: the books themselves.

use std::process::ExitCode;

use anyhow::Result;

use super::print_line;
use crate::app::cli::BooksArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::ledger::Ledger;

pub(super) async fn verify(json: bool, books: BooksArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let ledger = Ledger::open(data.ledger_config(books.database, config.calendar(), true)?).await?;
    let found = ledger.verify().await?;
    ledger.close().await;
    if json {
        print_line(&serde_json::to_string(&found)?);
    } else {
        match &found.broken {
            None => print_line(&format!("The journal is whole: {} rows, each as it was written.", found.rows)),
            Some(broken) => print_line(&format!(
                "The journal is broken at row {}: {}. The {} rows before it are as they were written.",
                broken.seq, broken.why, found.rows
            )),
        }
    }
    Ok(if found.broken.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn rebuild(books: BooksArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let ledger = Ledger::open(data.ledger_config(books.database, config.calendar(), false)?).await?;
    let rows = ledger.rebuild().await?;
    ledger.close().await;
    print_line(&format!("The derived tables were made anew from {rows} rows of the journal."));
    Ok(ExitCode::SUCCESS)
}
