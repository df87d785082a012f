//! `scantill takings`: the day's takings, read from the books.

use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::app::cli::{FormatArg, TakingsArgs};
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::embedded::now;
use crate::ledger::{Ledger, TakingsQuery};
use crate::report::{Format, TakingsReport, render};

pub(super) async fn run(args: TakingsArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let Ok(date) = args.date.as_deref().map(str::parse::<jiff::civil::Date>).transpose() else {
        eprintln!("scantill: the date is not one: write YYYY-MM-DD, such as 2026-11-24");
        return Ok(ExitCode::from(2));
    };
    let format = match args.format {
        FormatArg::Table => Format::Table,
        FormatArg::Json => Format::Json,
        FormatArg::Csv => Format::Csv,
        FormatArg::Xlsx => Format::Xlsx,
        FormatArg::Pdf => Format::Pdf,
    };
    if args.out.is_none() && matches!(format, Format::Xlsx | Format::Pdf) && stdout().is_terminal() {
        eprintln!("scantill: this format is not for a terminal: name a file with --out");
        return Ok(ExitCode::from(2));
    }
    let ledger = Ledger::open(data.ledger_config(args.books.database, config.calendar(), true)?).await?;
    let live = ledger.takes_real_money().await?;
    let day = date.unwrap_or_else(|| ledger.business_day(now()));
    let query = TakingsQuery { day, store: None, till: None, training: !live, currency: config.currency };
    let takings = ledger.takings(&query).await?;
    let store_name =
        ledger.stores().await?.into_iter().next().map_or_else(|| config.store_name.clone(), |store| store.name);
    ledger.close().await;
    let bytes = render(&TakingsReport { takings, store_name }, format)?;
    match &args.out {
        Some(path) => fs::write(path, &bytes).with_context(|| format!("{} cannot be written", path.display()))?,
        None => stdout().lock().write_all(&bytes).context("stdout cannot be written")?,
    }
    Ok(ExitCode::SUCCESS)
}
