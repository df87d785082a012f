//! Finding a Payment API to speak to: one that was named, one that runs on this data folder, or one in this process.

use anyhow::{Result, anyhow, bail};

use super::ask;
use super::cli::{ApiArgs, WhoArgs};
use super::config::Config;
use super::data::{DataDir, Reach};
use super::embedded::{Embedded, Options};
use crate::client::Client;
use crate::crypto::Secret;
use crate::payment::OperatorId;

/// The PIN of whoever does it, for programs.
const PIN: &str = "SCANTILL_PIN";

/// A client, and the API behind it where it runs in this process.
pub(super) struct Reached {
    pub client: Client,
    pub sandbox_url: Option<String>,
    /// What the window calls itself.
    #[cfg(feature = "till")]
    pub store_name: String,
    #[cfg(feature = "till")]
    pub till_name: String,
    pub embedded: Option<Embedded>,
}

impl Reached {
    /// Stops what was started for it.
    pub async fn stop(self) {
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}

/// The same, with whoever `who` names signed in there.
pub(super) async fn reach_as(data: &DataDir, config: &Config, args: &ApiArgs, who: &WhoArgs) -> Result<Reached> {
    let reached = reach(data, config, args).await?;
    if let Some(operator) = &who.operator
        && let Err(error) = sign_in(&reached.client, operator).await
    {
        reached.stop().await;
        return Err(error);
    }
    Ok(reached)
}

async fn sign_in(client: &Client, operator: &OperatorId) -> Result<()> {
    let given = std::env::var(PIN).ok().filter(|pin| !pin.is_empty()).map(Secret::new);
    let pin = match given {
        Some(pin) => pin,
        None if ask::somebody_is_there() => Secret::new(ask::hidden(&format!("PIN of {operator}"))?.to_string()),
        None => bail!("the PIN of {operator} is wanted: start from a terminal, or give it in {PIN}. Nothing was done"),
    };
    client.sign_in(operator, pin).await?;
    Ok(())
}

/// The API that `args` name; else the one running on `data`; else a new one in this process.
pub(super) async fn reach(data: &DataDir, config: &Config, args: &ApiArgs) -> Result<Reached> {
    if let (Some(url), Some(key_file)) = (&args.api, &args.key_file) {
        let reach = Reach { base_url: url.clone(), ..Reach::read(key_file)? };
        let client = Client::new(&reach.base_url, reach.key())?;
        client.health().await.map_err(|error| anyhow!("{error}. Check --api and the network; no payment was begun"))?;
        return Ok(of(client, config, reach.sandbox_url, None));
    }
    if let Ok(reach) = Reach::read(&data.reach_file()) {
        let client = Client::new(&reach.base_url, reach.key())?;
        if client.health().await.is_ok() {
            return Ok(of(client, config, reach.sandbox_url, None));
        }
    }
    let embedded = Embedded::start(data, config, Options::single_machine()).await?;
    let client = Client::new(&embedded.reach().base_url, embedded.reach().key())?;
    let sandbox_url = embedded.reach().sandbox_url.clone();
    Ok(of(client, config, sandbox_url, Some(embedded)))
}

#[cfg_attr(not(feature = "till"), allow(unused_variables))] // Only a window shows the names.
fn of(client: Client, config: &Config, sandbox_url: Option<String>, embedded: Option<Embedded>) -> Reached {
    #[cfg(feature = "till")]
    let (store_name, till_name) = embedded.as_ref().map_or_else(
        || (config.store_name.clone(), config.till_name.clone()),
        |embedded| (embedded.store_name().to_owned(), embedded.till_name().to_owned()),
    );
    Reached {
        client,
        sandbox_url,
        #[cfg(feature = "till")]
        store_name,
        #[cfg(feature = "till")]
        till_name,
        embedded,
    }
}
