//! `scantill operator`: the people at the tills, through the Payment API like everything else.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::print_line;
use crate::api::wire::{ChangeOperator, CreateOperator, OperatorView};
use crate::app::ask;
use crate::app::cli::{ApiArgs, OperatorCommand};
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::reach::reach;
use crate::client::Client;
use crate::crypto::Secret;

/// A new PIN, for programs.
const NEW_PIN: &str = "SCANTILL_NEW_PIN";

pub(super) async fn run(command: OperatorCommand, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let reached = reach(data, config, api_of(&command)).await?;
    let done = through(&reached.client, command).await;
    reached.stop().await;
    done
}

fn api_of(command: &OperatorCommand) -> &ApiArgs {
    match command {
        OperatorCommand::List(common)
        | OperatorCommand::Add { common, .. }
        | OperatorCommand::Change { common, .. }
        | OperatorCommand::Unlock { common, .. }
        | OperatorCommand::Enable { common, .. }
        | OperatorCommand::Disable { common, .. } => &common.api,
    }
}

async fn through(client: &Client, command: OperatorCommand) -> Result<ExitCode> {
    let (id, json, change) = match command {
        OperatorCommand::List(common) => {
            let operators = client.operators().await?;
            if operators.is_empty() && !common.json {
                eprintln!("No operators: a till takes money without asking who is there.");
            }
            for operator in &operators {
                print(operator, common.json)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        OperatorCommand::Add { id, name, role, store, common } => {
            let new = CreateOperator { id: Some(id), name, role: role.into(), store, pin: new_pin()? };
            print(&client.create_operator(&new).await?, common.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        OperatorCommand::Change { id, name, role, new_pin: wants_pin, common } => {
            if name.is_none() && role.is_none() && !wants_pin {
                eprintln!("scantill: nothing to change: give --name, --role or --new-pin");
                return Ok(ExitCode::from(2));
            }
            let pin = if wants_pin { Some(new_pin()?) } else { None };
            let change = ChangeOperator { name, role: role.map(Into::into), pin, ..ChangeOperator::default() };
            (id, common.json, change)
        }
        OperatorCommand::Unlock { id, common } => {
            (id, common.json, ChangeOperator { locked: Some(false), ..ChangeOperator::default() })
        }
        OperatorCommand::Enable { id, common } => {
            (id, common.json, ChangeOperator { enabled: Some(true), ..ChangeOperator::default() })
        }
        OperatorCommand::Disable { id, common } => {
            (id, common.json, ChangeOperator { enabled: Some(false), ..ChangeOperator::default() })
        }
    };
    print(&client.change_operator(&id, &change).await?, json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(operator: &OperatorView, json: bool) -> Result<()> {
    if json {
        print_line(&serde_json::to_string(operator)?);
        return Ok(());
    }
    let store = operator.store.as_ref().map_or("every store", |store| store.as_str());
    let state = match (&operator.locked_until, operator.enabled) {
        (_, false) => "may not sign in".to_owned(),
        (Some(until), true) => format!("locked out until {until}"),
        (None, true) => "may sign in".to_owned(),
    };
    print_line(&format!("{}  {}  {}  {store}  {state}", operator.id, operator.name, operator.role.name()));
    Ok(())
}

/// A new PIN: typed twice, or what the environment gives.
fn new_pin() -> Result<Secret<String>> {
    if let Some(given) = from_environment(NEW_PIN) {
        return Ok(given);
    }
    if !ask::somebody_is_there() {
        bail!("a PIN is wanted: start from a terminal, or give it in {NEW_PIN}. Nothing was changed");
    }
    let chosen = ask::hidden("New PIN (4 to 12 digits) or password (8 characters or more)")?;
    if *chosen != *ask::hidden("The same once more")? {
        bail!("the two differ. Nothing was changed");
    }
    Ok(Secret::new(chosen.to_string()))
}

fn from_environment(name: &str) -> Option<Secret<String>> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new)
}
