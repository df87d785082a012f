//! `scantill decode`: every code in each image.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::print_line;
use crate::app::cli::DecodeArgs;
use crate::scan::decode_file;

pub(super) fn run(args: &DecodeArgs) -> Result<ExitCode> {
    let mut all_read = true;
    for file in &args.files {
        let name = file.to_string_lossy();
        match decode_file(file, args.repeat) {
            Ok(found) if args.json => {
                let line = json!({
                    "file": name,
                    "ms": found.ms,
                    "p95_ms": found.p95_ms,
                    "worst_ms": found.worst_ms,
                    "codes": found.codes,
                });
                print_line(&line.to_string());
            }
            Ok(found) => {
                print_line(&format!("{name}: {} in {:.1} ms", counted(found.codes.len()), found.ms));
                for code in &found.codes {
                    print_line(&format!("  {}  {}", code.format, code.text));
                }
            }
            Err(error) => {
                all_read = false;
                if args.json {
                    print_line(&json!({ "file": name, "error": error.to_string() }).to_string());
                } else {
                    eprintln!("scantill: {name}: {error}");
                }
            }
        }
    }
    Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn counted(codes: usize) -> String {
    match codes {
        0 => "no code".into(),
        1 => "1 code".into(),
        n => format!("{n} codes"),
    }
}
