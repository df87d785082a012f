//! `scantill account`: merchants' accounts, through the Payment API like everything else.

mod fields;
mod print;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use self::fields::{BadUsage, given};
use self::print::{Printed, print};
use super::print_line;
use crate::api::wire::{
    AccountFormView, AccountPolicy, AccountTestView, AccountView, Algorithm, ChangeAccount, CreateAccount, KeyKind,
    RotateAccount, RotateKey, SetPolicy, TestAccount, TestStoredAccount,
};
use crate::app::ask;
use crate::app::cli::{AccountCommand, AddArgs, ApiArgs, ChangeArgs, FieldArgs};
use crate::app::config::Config;
use crate::app::data::{DataDir, Reach};
use crate::app::keys;
use crate::app::reach::reach;
use crate::client::Client;
use crate::crypto::KeptIn;
use crate::ledger::{Ledger, LedgerConfig};
use crate::payment::{AccountId, StoreId};

pub(super) async fn run(command: AccountCommand, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let done = match command {
        AccountCommand::Rekey { to, database, common } if to.is_some() || database.is_some() => {
            return rekey(to.map(Into::into), database, common.json, data, config).await;
        }
        command => {
            let api = api_of(&command);
            let reached = reach(data, config, api).await?;
            let done = through(&reached.client, command, data).await;
            reached.stop().await;
            done
        }
    };
    match done {
        Ok(code) => Ok(code),
        Err(error) => match error.downcast_ref::<BadUsage>() {
            Some(usage) => {
                eprintln!("scantill: {usage}");
                Ok(ExitCode::from(2))
            }
            None => Err(error),
        },
    }
}

fn api_of(command: &AccountCommand) -> &ApiArgs {
    match command {
        AccountCommand::Forms { common, .. }
        | AccountCommand::List(common)
        | AccountCommand::Show { common, .. }
        | AccountCommand::Test { common, .. }
        | AccountCommand::Remove { common, .. }
        | AccountCommand::Rotate { common, .. }
        | AccountCommand::Enable { common, .. }
        | AccountCommand::Disable { common, .. }
        | AccountCommand::Policy { common, .. }
        | AccountCommand::Rekey { common, .. } => &common.api,
        AccountCommand::Add(args) => &args.common.api,
        AccountCommand::Change(args) => &args.common.api,
    }
}

async fn through(client: &Client, command: AccountCommand, data: &DataDir) -> Result<ExitCode> {
    match command {
        AccountCommand::Forms { channel, common } => {
            let forms = client.account_forms().await?;
            if let Some(channel) = &channel {
                form_of(&forms, channel)?;
            }
            for form in
                forms.iter().filter(|form| channel.as_ref().is_none_or(|wanted| wanted == form.channel.as_str()))
            {
                print(form, common.json)?;
            }
        }
        AccountCommand::List(common) => {
            let accounts = client.accounts().await?;
            if common.json {
                for account in &accounts {
                    print(account, true)?;
                }
            } else {
                print_line(&print::table(&accounts));
            }
            tell_keys(client, data).await;
        }
        AccountCommand::Show { id, common } => print(&client.account(&id_of(&id)?).await?, common.json)?,
        AccountCommand::Add(args) => return add(client, *args).await,
        AccountCommand::Change(args) => return change(client, *args).await,
        AccountCommand::Test { id, fields, common } => return test(client, id, &fields, common.json).await,
        AccountCommand::Remove { id, yes, common } => {
            let account = client.account(&id_of(&id)?).await?;
            let question = format!(
                "Remove {} ({}) and its credentials? What was paid through it can no longer be refunded from here.",
                account.id, account.name
            );
            if !yes && ask::somebody_is_there() && !ask::agrees(&question)? {
                eprintln!("Nothing was removed.");
                return Ok(ExitCode::FAILURE);
            }
            client.remove_account(&account.id).await?;
            tell(&account, common.json, "Removed", true)?;
        }
        AccountCommand::Rotate { id, fields, overlap, test, common } => {
            let id = id_of(&id)?;
            let account = client.account(&id).await?;
            let form = form_of(&client.account_forms().await?, account.channel.as_str())?;
            let credentials = Value::Object(some(given(&fields, &form)?)?);
            if test {
                let trial = TestStoredAccount { base_url: None, credentials: Some(credentials.clone()) };
                if !passed(&client.test_stored_account(&id, &trial).await?, &account.id, common.json)? {
                    return Ok(ExitCode::FAILURE);
                }
            }
            let overlap_seconds = u32::try_from(overlap.as_secs()).unwrap_or(u32::MAX);
            let account = client.rotate_account(&id, &RotateAccount { credentials, overlap_seconds }).await?;
            tell(&account, common.json, "Rotated", false)?;
        }
        AccountCommand::Enable { id, common } => switch(client, &id, true, common.json).await?,
        AccountCommand::Disable { id, common } => switch(client, &id, false, common.json).await?,
        AccountCommand::Policy { id, allow, deny, accept_weak, common } => {
            let id = id.as_deref().map(id_of).transpose()?;
            policy(client, id, &allow, &deny, accept_weak, common.json).await?;
        }
        AccountCommand::Rekey { common, .. } => {
            let wanted = RotateKey { kind: KeyKind::Seal, till: None, overlap_seconds: 0 };
            let rotated = client.rotate_key(&wanted).await?;
            if common.json {
                print_line(&serde_json::to_string(&rotated.key)?);
            } else {
                print_line("Every secret is sealed under a new key; the old one is forgotten.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(client: &Client, args: AddArgs) -> Result<ExitCode> {
    let form = form_of(&client.account_forms().await?, &args.channel)?;
    let mut credentials = given(&args.fields, &form)?;
    fields::ask_for_missing(&form, &mut credentials)?;
    let credentials = Value::Object(credentials);
    let base_url =
        if args.provider_sandbox { form.sandbox_base_url.clone() } else { args.base_url.unwrap_or_default() };
    let algorithms = (!args.allow.is_empty()).then(|| {
        let usual = Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_weak());
        usual.chain(args.allow.iter().copied()).collect::<Vec<_>>()
    });
    if args.test {
        let trial = TestAccount {
            channel: form.channel.clone(),
            base_url: base_url.clone(),
            algorithms: algorithms.clone(),
            timing: Default::default(),
            credentials: credentials.clone(),
        };
        if !passed(&client.test_account(&trial).await?, &form.title, args.common.json)? {
            eprintln!("Nothing was stored.");
            return Ok(ExitCode::FAILURE);
        }
    }
    let name = args.name.unwrap_or_else(|| form.title.clone());
    let account = CreateAccount {
        id: args.id.as_deref().map(id_of).transpose()?,
        training: args.training || args.provider_sandbox,
        enabled: !args.disabled,
        notify_base_url: args.notify_base_url,
        stores: args.stores.iter().map(|id| store_of(id)).collect::<Result<_>>()?,
        algorithms,
        accept_weak: args.accept_weak,
        ..CreateAccount::new(form.channel, name, base_url, credentials)
    };
    let account = client.create_account(&account).await?;
    tell(&account, args.common.json, "Added", false)?;
    if !args.test {
        eprintln!("Try it with: scantill account test {}", account.id);
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(client: &Client, args: ChangeArgs) -> Result<ExitCode> {
    let id = id_of(&args.id)?;
    let account = client.account(&id).await?;
    let form = form_of(&client.account_forms().await?, account.channel.as_str())?;
    let credentials = given(&args.fields, &form)?;
    let stores = match (args.every_store, args.stores.as_slice()) {
        (true, _) => Some(Vec::new()),
        (false, []) => None,
        (false, named) => Some(named.iter().map(|id| store_of(id)).collect::<Result<_>>()?),
    };
    let change = ChangeAccount {
        name: args.name,
        base_url: args.base_url,
        training: args.training,
        notify_base_url: args.notify_base_url,
        stores,
        credentials: (!credentials.is_empty()).then_some(Value::Object(credentials)),
        ..ChangeAccount::default()
    };
    tell(&client.change_account(&id, &change).await?, args.common.json, "Changed", false)?;
    Ok(ExitCode::SUCCESS)
}

async fn test(client: &Client, id: Option<String>, fields: &FieldArgs, json: bool) -> Result<ExitCode> {
    let accounts = match id {
        Some(id) => vec![client.account(&id_of(&id)?).await?],
        None => client.accounts().await?,
    };
    if accounts.is_empty() {
        bail!("there is no account yet: scantill account add --channel alipay");
    }
    let forms = client.account_forms().await?;
    let mut good = true;
    let asked = accounts.len();
    for account in accounts {
        let credentials = match form_of(&forms, account.channel.as_str()) {
            Ok(form) => given(fields, &form)?,
            Err(_) => Map::new(),
        };
        if !credentials.is_empty() && asked > 1 {
            return Err(BadUsage("name the account that these credentials are for".into()).into());
        }
        let trial = TestStoredAccount {
            base_url: None,
            credentials: (!credentials.is_empty()).then_some(Value::Object(credentials)),
        };
        good &= passed(&client.test_stored_account(&account.id, &trial).await?, &account.id, json)?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells what came of a test, and whether it was good.
fn passed(test: &AccountTestView, of: &impl ToString, json: bool) -> Result<bool> {
    if json {
        let mut line = serde_json::to_value(test)?;
        line["account"] = Value::String(of.to_string());
        print_line(&line.to_string());
    } else {
        print_line(&print::test(test, &of.to_string()));
    }
    Ok(test.ok)
}

async fn switch(client: &Client, id: &str, enabled: bool, json: bool) -> Result<()> {
    let change = ChangeAccount { enabled: Some(enabled), ..ChangeAccount::default() };
    let account = client.change_account(&id_of(id)?, &change).await?;
    tell(&account, json, if enabled { "Enabled" } else { "Disabled" }, false)
}

async fn policy(
    client: &Client,
    id: Option<AccountId>,
    allow: &[Algorithm],
    deny: &[Algorithm],
    accept_weak: bool,
    json: bool,
) -> Result<()> {
    let mut policy = client.policy().await?;
    if let Some(id) = &id {
        let Some(now) = policy.accounts.iter().find(|account| &account.account == id) else {
            bail!("there is no account {id}: scantill account list tells which there are");
        };
        if !allow.is_empty() || !deny.is_empty() {
            let wanted = Algorithm::ALL.into_iter().filter(|algorithm| {
                (now.algorithms.contains(algorithm) || allow.contains(algorithm)) && !deny.contains(algorithm)
            });
            let account = AccountPolicy { account: id.clone(), algorithms: wanted.collect() };
            policy = client.set_policy(&SetPolicy { accounts: vec![account], accept_weak }).await?;
        }
        policy.accounts.retain(|account| &account.account == id);
    }
    for account in &policy.accounts {
        if json {
            print_line(&serde_json::to_string(account)?);
        } else {
            print_line(&print::policy(account));
        }
    }
    Ok(())
}

/// Where the key is, and what a person should do about it. Not every API tells.
async fn tell_keys(client: &Client, data: &DataDir) {
    let Ok(keys) = client.keys().await else { return };
    let kept_in = keys.iter().find(|key| key.kind == KeyKind::Seal).and_then(|key| key.kept_in.as_deref());
    let places = [KeptIn::Keyring, KeptIn::Passphrase, KeptIn::File];
    if let Some(place) = places.into_iter().find(|place| Some(place.name()) == kept_in) {
        eprintln!("{}", keys::sentence(place, data));
    }
}

/// Seals everything under a fresh key, which may be kept in another place, with nobody else at work.
async fn rekey(
    to: Option<KeptIn>,
    database: Option<String>,
    json: bool,
    data: &DataDir,
    config: &Config,
) -> Result<ExitCode> {
    if let Ok(running) = Reach::read(&data.reach_file())
        && Client::new(&running.base_url, running.key())?.health().await.is_ok()
    {
        bail!("a till or `scantill serve` runs on this data folder: stop it first. Nothing was changed");
    }
    let folder = data.clone();
    let mut store = tokio::task::spawn_blocking(move || keys::open(&folder, None)).await??;
    let calendar = config.calendar();
    let ledger = Ledger::open(LedgerConfig {
        seal_key: store.current().clone(),
        ..data.ledger_config(database, calendar, false)?
    })
    .await?;
    let done = async {
        keys::finish_rotation(&ledger, &mut store).await?;
        // Whatever cannot be opened is found out before anything is moved.
        ledger.accounts().await?;
        ledger.tills().await?;
        let mut store = tokio::task::spawn_blocking(move || {
            if let Some(to) = to {
                store.move_to(keys::destination(to)?)?;
            }
            Ok::<_, anyhow::Error>(store)
        })
        .await??;
        let count = keys::rotate(&ledger, &mut store, "setup").await?;
        Ok::<_, anyhow::Error>((count, store.kept_in()))
    }
    .await;
    ledger.close().await;
    let (count, kept_in) = done?;
    if json {
        print_line(&serde_json::json!({ "kept_in": kept_in.name(), "secrets": count }).to_string());
    } else {
        print_line(&format!("{count} secrets are sealed under a new key. {}", keys::sentence(kept_in, data)));
    }
    Ok(ExitCode::SUCCESS)
}

fn form_of(forms: &[AccountFormView], channel: &str) -> Result<AccountFormView> {
    let found = forms.iter().find(|form| form.channel.as_str() == channel).cloned();
    found.ok_or_else(|| {
        let known: Vec<_> = forms.iter().map(|form| form.channel.as_str()).collect();
        BadUsage(format!("{channel:?} is no channel: write one of {}", known.join(", "))).into()
    })
}

fn some(credentials: Map<String, Value>) -> Result<Map<String, Value>> {
    if credentials.is_empty() {
        return Err(BadUsage("name the credentials that change: --field, --file or --credentials".into()).into());
    }
    Ok(credentials)
}

fn id_of(text: &str) -> Result<AccountId> {
    text.parse().map_err(|error| BadUsage(format!("{text:?} is no account's id: {error}")).into())
}

fn store_of(text: &str) -> Result<StoreId> {
    text.parse().map_err(|error| BadUsage(format!("{text:?} is no store's id: {error}")).into())
}

/// What was done to an account: the account as JSON, or a sentence.
fn tell(account: &AccountView, json: bool, verb: &str, gone: bool) -> Result<()> {
    if json {
        return print(account, true);
    }
    print_line(&format!("{verb}: {} ({})", account.id, account.name));
    if !gone {
        for line in account.notes() {
            eprintln!("{line}");
        }
    }
    Ok(())
}
