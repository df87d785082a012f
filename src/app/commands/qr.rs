//! `scantill qr`: a code as a file, or in the terminal.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::app::cli::QrArgs;
use crate::qr::{Logo, Modules};

pub(super) fn run(args: &QrArgs) -> Result<ExitCode> {
    let Some(out) = &args.out else {
        print!("{}", Modules::of(&args.text)?.to_terminal());
        return Ok(ExitCode::SUCCESS);
    };
    let svg = match ending(out).as_str() {
        "svg" => true,
        "png" => false,
        _ => {
            eprintln!("scantill: {} is neither SVG nor PNG: write a name that ends in .svg or .png", out.display());
            return Ok(ExitCode::from(2));
        }
    };
    let code = match &args.logo {
        None => Modules::of(&args.text)?,
        Some(file) => {
            let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let code = Modules::with_logo(&args.text, &Logo::from_png(&bytes)?)?;
            if code.logo().is_none() {
                eprintln!("The logo was left out: with it the code could not be read.");
            }
            code
        }
    };
    let bytes = if svg { code.to_svg().into_bytes() } else { code.to_png(args.px)? };
    std::fs::write(out, bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn ending(file: &Path) -> String {
    file.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}
