//! `scantill doctor`: whether everything that a payment needs is there.

use std::process::ExitCode;

use anyhow::Result;

use super::print_line;
use crate::app::cli::DoctorArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::doctor::{self, Verdict};

pub(super) async fn run(args: DoctorArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let report = doctor::examine(data, config, args.books.database, &args.api).await;
    if args.json {
        print_line(&serde_json::to_string(&report)?);
    } else {
        for check in &report.checks {
            let about = check.about.as_ref().map_or_else(String::new, |about| format!(" ({about})"));
            print_line(&format!("{:<8} {}{about}: {}", check.verdict.name(), check.check, check.found));
            if let Some(cure) = &check.cure {
                print_line(&format!("         -> {cure}"));
            }
        }
        print_line(match report.verdict {
            Verdict::Ok => "All is well.",
            Verdict::Warning => "Payments can be taken; somebody should look at the warnings.",
            Verdict::Failure => "Something has to be mended before payments are safe.",
        });
    }
    Ok(if report.verdict == Verdict::Failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
