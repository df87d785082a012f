//! The Payment API in this process: books, engine and server, and in training mode the sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::anchor::AnchorFile;
use super::config::Config;
use super::data::{DataDir, Reach};
use super::keys::{self, Keeper};
use crate::api::{Server, ServerConfig};
use crate::channel::{MerchantAccount, TimingOverrides};
use crate::crypto::{AlgorithmPolicy, Secret, random_token};
use crate::engine::{Engine, EngineConfig};
use crate::ledger::{Ledger, LedgerConfig, Store, Till};
use crate::payment::{AccountId, ChannelId, StoreId, TillId, UnixMillis};
use crate::sandbox::{Sandbox, SandboxConfig};

/// The store and the till that the first start makes.
const FIRST_STORE: &str = "store-1";
const FIRST_TILL: &str = "till-1";
const ACTOR: &str = "setup";

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The books; the data folder's own where absent.
    pub database: Option<String>,
    /// One machine that is till and API at once: the settings name the store, and training starts where no account is.
    pub single_machine: bool,
}

impl Options {
    /// One machine, loopback, any free port.
    #[must_use]
    pub fn single_machine() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), database: None, single_machine: true }
    }
}

/// The running Payment API.
pub struct Embedded {
    data: DataDir,
    server: Server,
    engine: Engine,
    sandbox: Option<Sandbox>,
    anchoring: (CancellationToken, JoinHandle<()>),
    reach: Reach,
    store_name: String,
    till_name: String,
}

impl Embedded {
    /// Opens the books, resumes what is unfinished, and serves.
    ///
    /// # Errors
    /// Books in use or damaged, port taken, keys unreadable: each says what to do.
    pub async fn start(data: &DataDir, config: &Config, options: Options) -> Result<Self> {
        // It may ask a person for the passphrase, or wait for the keyring.
        let (folder, wanted) = (data.clone(), config.key_store);
        let mut store = tokio::task::spawn_blocking(move || keys::open(&folder, wanted)).await??;
        let ledger = Ledger::open(LedgerConfig {
            seal_key: store.current().clone(),
            ..data.ledger_config(options.database, config.calendar(), false)?
        })
        .await?;
        let anchor = AnchorFile::of(data, &ledger);
        if let Err(error) = anchor.require(&ledger).await {
            ledger.close().await;
            return Err(error);
        }
        keys::finish_rotation(&ledger, &mut store).await?;
        let keeper = Arc::new(Keeper::new(ledger.clone(), data.clone(), store, wanted));
        let till = first_till(&ledger, config, options.single_machine).await?;
        let live = ledger.accounts().await?.iter().any(|account| account.enabled && !account.training);
        let sandbox = if options.single_machine && !live { Some(start_sandbox(data, config).await?) } else { None };
        if let Some(sandbox) = &sandbox {
            put_training_accounts(&ledger, sandbox, None).await?;
        }
        let engine = Engine::start(
            ledger.clone(),
            EngineConfig { exclusive: ledger.is_exclusive(), ..EngineConfig::new(random_token()) },
        )
        .await?;
        let server_config = ServerConfig { listen: options.listen, engine: engine.clone() };
        let server = Server::start_with(server_config, Some(keeper.clone())).await?;
        let base_url = format!("http://{}", reachable(server.local_addr()));
        if let Some(sandbox) = &sandbox {
            put_training_accounts(&ledger, sandbox, Some(&base_url)).await?;
            engine.reload_accounts().await?;
        }
        let reach = Reach {
            base_url,
            key_id: till.id.to_string(),
            secret: till.secret.clone(),
            sandbox_url: sandbox.as_ref().map(|sandbox| sandbox.base_url().to_owned()),
        };
        data.write_reach(&reach)?;
        keeper.watch_over(reach.clone());
        let store_name = ledger
            .stores()
            .await?
            .into_iter()
            .find(|store| store.id == till.store)
            .map_or_else(|| config.store_name.clone(), |store| store.name);
        let stopping = CancellationToken::new();
        let following = tokio::spawn(anchor.follow(ledger, stopping.clone()));
        Ok(Self {
            data: data.clone(),
            server,
            engine,
            sandbox,
            anchoring: (stopping, following),
            reach,
            store_name,
            till_name: till.name.clone(),
        })
    }

    /// How to reach it.
    #[must_use]
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// What the shop's sign says.
    #[must_use]
    pub fn store_name(&self) -> &str {
        &self.store_name
    }

    /// What people call the till.
    #[must_use]
    pub fn till_name(&self) -> &str {
        &self.till_name
    }

    /// Stops serving, then acting, then closes the books. What is unfinished is resumed at the next start.
    pub async fn stop(self) {
        self.data.remove_reach();
        self.server.stop().await;
        self.engine.stop().await;
        let (stopping, following) = self.anchoring;
        stopping.cancel();
        // Its own trouble is in the log; the books are closed all the same.
        let _ = following.await;
        self.engine.ledger().close().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

/// Now, by the system's clock.
pub(super) fn now() -> UnixMillis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| UnixMillis::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}

/// A server that listens on every address is reached on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address }
}

/// The first store and till, made where absent. On a single machine the settings name them.
async fn first_till(ledger: &Ledger, config: &Config, settings_name_it: bool) -> Result<Till> {
    let store_id: StoreId = FIRST_STORE.parse()?;
    let till_id: TillId = FIRST_TILL.parse()?;
    let store = ledger.stores().await?.into_iter().find(|store| store.id == store_id);
    if store.is_none_or(|store| settings_name_it && store.name != config.store_name) {
        let store = Store { id: store_id.clone(), name: config.store_name.clone() };
        ledger.put_store(now(), ACTOR, &store).await?;
    }
    let till = ledger.tills().await?.into_iter().find(|till| till.id == till_id);
    match till {
        Some(till) if !settings_name_it || till.name == config.till_name => Ok(till),
        known => {
            let (secret, retiring) =
                known.map_or_else(|| (Secret::new(random_token()), None), |till| (till.secret, till.retiring));
            let name = config.till_name.clone();
            let till = Till { id: till_id, store: store_id, name, secret, retiring, enabled: true, admin: true };
            ledger.put_till(now(), ACTOR, &till).await?;
            Ok(till)
        }
    }
}

async fn start_sandbox(data: &DataDir, config: &Config) -> Result<Sandbox> {
    let usual = SandboxConfig {
        keys_dir: Some(data.sandbox_keys()),
        books: Some(data.sandbox_books()),
        ..SandboxConfig::default()
    };
    Sandbox::start(SandboxConfig { listen: config.sandbox_listen.unwrap_or(usual.listen), ..usual })
        .await
        .context("the training sandbox did not start")
}

/// Accounts that lead to the sandbox, under its address of this start.
async fn put_training_accounts(ledger: &Ledger, sandbox: &Sandbox, notify_base_url: Option<&str>) -> Result<()> {
    for (channel, name) in [
        (ChannelId::ALIPAY, "Training Alipay"),
        (ChannelId::WECHATPAY, "Training WeChat Pay"),
        (ChannelId::UNIONPAY, "Training UnionPay"),
    ] {
        let id: AccountId = format!("training-{channel}").parse()?;
        let account = MerchantAccount {
            id,
            name: name.into(),
            base_url: sandbox.base_url().to_owned(),
            training: true,
            enabled: true,
            notify_base_url: notify_base_url.map(str::to_owned),
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: AlgorithmPolicy::default(),
            retiring: None,
            credentials: Secret::new(sandbox.credentials().account_json(channel.as_str())),
            channel,
        };
        ledger.put_account(now(), ACTOR, &account).await?;
    }
    Ok(())
}
