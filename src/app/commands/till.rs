//! The till: the window, and behind it the Payment API in this process or elsewhere.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use futures::FutureExt;

use super::runtime;
use crate::app::cli::{LanguageArg, ThemeArg, TillArgs};
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::embedded::Embedded;
use crate::app::reach::reach;
use crate::qr::Logo;
use crate::scan::SourceSpec;
use crate::till::text::Language;
use crate::till::{Connection, Launch};

pub(super) fn run(args: TillArgs, data: DataDir, config: Config, started: Instant) -> Result<ExitCode> {
    let currency = config.currency;
    let camera = args.camera.as_deref().map(SourceSpec::parse).transpose()?;
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let running: Arc<Mutex<Option<Embedded>>> = Arc::default();
    let kept = running.clone();
    // A logo that cannot be used is no reason not to open the shop.
    let logo = config.logo.as_ref().and_then(|file| {
        let read = std::fs::read(data.config().with_file_name(file)).map_err(|error| error.to_string());
        let logo = read.and_then(|bytes| Logo::from_png(&bytes).map_err(|error| error.to_string()));
        logo.inspect_err(|error| tracing::warn!(%error, file = %file.display(), "the logo is left out")).ok()
    });
    let settings_file = Some(data.till_settings());
    // The books are opened while the window is already coming up, on a runtime that outlives it.
    let connect = move || {
        let task = handle.spawn(async move {
            let mut reached = reach(&data, &config, &args.api).await.map_err(|error| format!("{error:#}"))?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = reached.embedded.take();
            Ok(Connection {
                client: reached.client.clone(),
                sandbox_url: reached.sandbox_url.clone(),
                store_name: reached.store_name.clone(),
                till_name: reached.till_name.clone(),
            })
        });
        async move { task.await.unwrap_or_else(|error| Err(format!("the start was broken off: {error}"))) }.boxed()
    };
    let launch = Launch {
        connect: Box::new(connect),
        customer_display: !args.no_customer_display,
        camera,
        language: args.language.map(|language| match language {
            LanguageArg::ZhCn => Language::ZhCn,
            LanguageArg::En => Language::En,
        }),
        dark: args.theme.map(|theme| theme == ThemeArg::Dark),
        settings_file,
        window_size: args.window,
        logo,
        currency,
        started,
    };
    let result = crate::till::run(launch);
    let embedded = running.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(embedded) = embedded {
        runtime.block_on(embedded.stop());
    }
    result.context("the window could not be opened")?;
    Ok(ExitCode::SUCCESS)
}
