//! `scantill camera`: which cameras there are, and whether one reads codes.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::{print_line, runtime};
use crate::payment::{CodeRule, PaymentCode};
use crate::scan::{ScanEvent, Scanner, SourceSpec};

#[cfg(feature = "till")]
pub(super) fn list(json: bool) -> Result<ExitCode> {
    let cameras = crate::scan::list_cameras()?;
    for camera in &cameras {
        if json {
            let line = json!({ "index": camera.index, "name": camera.name, "description": camera.description });
            print_line(&line.to_string());
        } else {
            print_line(&format!("{}  {}  {}", camera.index, camera.name, camera.description));
        }
    }
    if cameras.is_empty() && !json {
        eprintln!("No camera was found. The till works with a scanner or typed codes; plug one in and look again.");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "till"))]
pub(super) fn list(_: bool) -> Result<ExitCode> {
    anyhow::bail!("this build reads no cameras (feature `till`); frames:DIR and video:FILE can be tested")
}

/// Counts frames by their previews and codes by their texts. A payment code is masked.
pub(super) fn test(source: &str, seconds: u64, json: bool) -> Result<ExitCode> {
    let spec = match SourceSpec::parse(source) {
        Ok(spec) => spec,
        Err(error) => {
            eprintln!("scantill: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    let (scanner, mut events) = Scanner::start(Some(spec));
    scanner.want_preview(true);
    let rules = CodeRule::published();
    let runtime = runtime()?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut frames, mut codes, mut ready) = (0_u64, 0_u64, false);
    let mut last = String::new();
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let event = runtime.block_on(async { tokio::time::timeout(left, events.recv()).await });
        match event {
            Err(_) | Ok(None) => break,
            Ok(Some(ScanEvent::Preview(_))) => frames += 1,
            Ok(Some(ScanEvent::Ready)) => {
                ready = true;
                eprintln!("The camera gives frames.");
            }
            Ok(Some(ScanEvent::Absent(why) | ScanEvent::Lost(why))) => eprintln!("scantill: {why}. Trying again."),
            Ok(Some(ScanEvent::Seen(symbol))) => {
                codes += 1;
                let told = match PaymentCode::classify(&symbol.text, &rules) {
                    Ok(code) => format!("{} payment code {}", code.channel(), code.masked()),
                    Err(rejection) => rejection.to_string(),
                };
                if told != last {
                    if json {
                        let corners = symbol.corners;
                        print_line(&json!({ "format": symbol.format, "code": told, "corners": corners }).to_string());
                    } else {
                        print_line(&format!("{}  {told}", symbol.format));
                    }
                    last = told;
                }
            }
        }
    }
    if json {
        print_line(&json!({ "previews": frames, "codes": codes, "seconds": seconds }).to_string());
    } else {
        print_line(&format!("{frames} previews and {codes} readings in {seconds} s."));
    }
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
