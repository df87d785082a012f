//! What `scantill doctor` looks at: everything that a payment needs, each in a line with what to do about it. Nothing
//! is changed, and nobody is asked but the addresses that are configured.

mod accounts;
mod books;
mod devices;
mod folder;
mod time;

use serde::Serialize;

use super::cli::ApiArgs;
use super::config::Config;
use super::data::{DataDir, Reach};
use crate::channel;
use crate::client::Client;

/// How a check came out, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Payments do not work, or the books are not safe.
    Failure,
}

impl Verdict {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// What was looked at: a stable name.
    pub check: &'static str,
    /// Which one, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Check {
    fn new(check: &'static str, verdict: Verdict, found: impl Into<String>, cure: Option<String>) -> Self {
        Self { check, about: None, verdict, found: found.into(), cure }
    }

    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, found, None)
    }

    fn warning(check: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, found, Some(cure.into()))
    }

    fn failure(check: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failure, found, Some(cure.into()))
    }

    fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }
}

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The worst of all.
    pub verdict: Verdict,
    pub checks: Vec<Check>,
}

/// Looks at everything. With `--api` the books and accounts are that API's, and only what can be seen from here is
/// looked at.
pub(super) async fn examine(data: &DataDir, config: &Config, database: Option<String>, args: &ApiArgs) -> Report {
    let mut checks = folder::examine(data);
    let mut clocks = time::Clocks::default();
    match (&args.api, &args.key_file) {
        (Some(url), Some(key_file)) => checks.extend(elsewhere(url, key_file, &mut clocks).await),
        _ => {
            checks.extend(running(data).await);
            let found = books::examine(data, config, database).await;
            checks.extend(found.checks);
            clocks.newest_row(found.newest_row);
            checks.extend(accounts::examine(found.accounts.as_deref(), &mut clocks).await);
        }
    }
    checks.push(clocks.check());
    checks.extend(devices::examine());
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok);
    Report { verdict, checks }
}

/// Whether a till or `scantill serve` runs on this folder.
async fn running(data: &DataDir) -> Option<Check> {
    const API: &str = "api";
    let file = data.reach_file();
    if !file.exists() {
        return Some(Check::ok(API, "No till and no Payment API runs on this data folder at the moment."));
    }
    let check = match Reach::read(&file).and_then(|reach| Ok((Client::new(&reach.base_url, reach.key())?, reach))) {
        Err(error) => Check::failure(API, format!("{error:#}."), "Start the till or `scantill serve` again."),
        Ok((client, reach)) => match client.health().await {
            Ok(health) => Check::ok(
                API,
                format!(
                    "The Payment API of this data folder answers at {}, version {}{}.",
                    reach.base_url,
                    health.version,
                    if health.training { ", in training mode" } else { "" }
                ),
            ),
            Err(error) => Check::warning(
                API,
                format!("api.json names {}, and nobody answers there: {error}.", reach.base_url),
                "If the till is closed, all is well: the next start writes the file anew. If it is open, start it again.",
            ),
        },
    };
    Some(check)
}

/// A Payment API on another machine.
async fn elsewhere(url: &str, key_file: &std::path::Path, clocks: &mut time::Clocks) -> Vec<Check> {
    let mut checks = Vec::new();
    match channel::reach(url, None).await {
        Ok(reached) => {
            clocks.compared("the Payment API", reached.clock_ahead);
            checks.push(Check::ok("network", "The Payment API can be reached.").about(url));
            checks.extend(reached.certificate.map(|certificate| {
                accounts::expiry(
                    "The Payment API's certificate",
                    &certificate,
                    "Renew it on the machine that serves it.",
                )
                .about(url)
            }));
        }
        Err(unreached) => {
            let found = format!("{} ({})", unreached.fault.sentence(), unreached.words);
            checks.push(Check::failure("network", found, "Check --api, the network and the firewall.").about(url));
            return checks;
        }
    }
    let client = Reach::read(key_file).and_then(|reach| Ok(Client::new(url, reach.key())?));
    let listed = match &client {
        Ok(client) => client.channels().await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    checks.push(match listed {
        Ok(channels) if channels.is_empty() => Check::warning(
            "api",
            "The Payment API takes this till's key, and no channel is open for its store.",
            "Have an admin add or enable a merchant account.",
        ),
        Ok(channels) => {
            let names: Vec<_> = channels.iter().map(|channel| channel.channel.as_str()).collect();
            Check::ok("api", format!("The Payment API takes this till's key; open: {}.", names.join(", ")))
        }
        Err(error) => Check::failure("api", format!("{error}."), "Copy the till's api.json from the server anew."),
    });
    if let Ok(client) = &client {
        checks.extend(accounts::examine_through(client).await);
    }
    checks
}
