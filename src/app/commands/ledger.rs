//! `scantill ledger`: the books themselves.

use std::process::ExitCode;

use anyhow::Result;

use super::print_line;
use crate::app::anchor::{AnchorFile, Held};
use crate::app::cli::BooksArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::ledger::Ledger;

pub(super) async fn verify(json: bool, books: BooksArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let ledger = Ledger::open(data.ledger_config(books.database, config.calendar(), true)?).await?;
    // The anchor first: the journal may grow while it is walked.
    let held = AnchorFile::of(data, &ledger).held(&ledger).await;
    let mut found = ledger.verify().await?;
    ledger.close().await;
    let anchor = match held {
        Ok(Held::Nothing) => "absent",
        Ok(Held::Whole(_)) => "held",
        Ok(Held::Broken(broken)) => {
            // A break that the chain shows by itself comes first.
            found.broken.get_or_insert(broken);
            "broken"
        }
        Err(error) => {
            eprintln!("scantill: {error:#}");
            "unreadable"
        }
    };
    if json {
        let mut told = serde_json::to_value(&found)?;
        told["anchor"] = anchor.into();
        print_line(&told.to_string());
    } else {
        match &found.broken {
            None => {
                print_line(&format!("The journal is whole: {} rows, each as it was written.", found.rows));
                print_line(match anchor {
                    "held" => "It holds the end that was anchored outside of the database.",
                    _ => "There is no anchor here to hold its end against.",
                });
            }
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
