//! The words of `scantill operator`.

use clap::{Args, Subcommand, ValueEnum};

use super::ApiArgs;
use crate::ledger::Role;
use crate::payment::{OperatorId, StoreId};

#[derive(Subcommand)]
pub(in crate::app) enum OperatorCommand {
    /// Add somebody who signs in at a till
    #[command(after_help = "Examples:
  scantill operator add anna --name \"Anna Wang\"
  scantill operator add li --name \"Li Lei\" --role supervisor --store store-1

The PIN is asked for, and not shown while it is typed; a program gives it in SCANTILL_NEW_PIN. From the first operator
on, a till asks who is there before it takes money.")]
    Add {
        /// Their id, which stands in the journal and in the takings
        id: OperatorId,
        /// What people call them
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "cashier")]
        role: RoleArg,
        /// The one store where they work [default: any]
        #[arg(long, value_name = "ID")]
        store: Option<StoreId>,
        #[command(flatten)]
        common: OperatorCommonArgs,
    },
    /// Everybody, what they may do, and who is locked out
    #[command(after_help = "Examples:\n  scantill operator list\n  scantill operator list --json")]
    List(OperatorCommonArgs),
    /// Change somebody's name, role or PIN
    #[command(after_help = "Examples:
  scantill operator change anna --role supervisor
  scantill operator change anna --new-pin

Another role or PIN ends their sessions.")]
    Change {
        /// Their id
        id: OperatorId,
        /// What people call them
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What they may do
        #[arg(long, value_enum)]
        role: Option<RoleArg>,
        /// Ask for a new PIN
        #[arg(long)]
        new_pin: bool,
        #[command(flatten)]
        common: OperatorCommonArgs,
    },
    /// Let somebody try again who was locked out because a PIN was mistyped too often
    #[command(after_help = "Examples:\n  scantill operator unlock anna")]
    Unlock {
        /// Their id
        id: OperatorId,
        #[command(flatten)]
        common: OperatorCommonArgs,
    },
    /// Let somebody sign in again
    #[command(after_help = "Examples:\n  scantill operator enable anna")]
    Enable {
        /// Their id
        id: OperatorId,
        #[command(flatten)]
        common: OperatorCommonArgs,
    },
    /// Let somebody sign in no more; what they have done stays in the books
    #[command(after_help = "Examples:\n  scantill operator disable anna")]
    Disable {
        /// Their id
        id: OperatorId,
        #[command(flatten)]
        common: OperatorCommonArgs,
    },
}

#[derive(Args)]
pub(in crate::app) struct OperatorCommonArgs {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub api: ApiArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(in crate::app) enum RoleArg {
    /// Takes payments and cancels them
    Cashier,
    /// Returns money as well
    Supervisor,
    /// Looks after merchant accounts, stores and tills as well
    Manager,
    /// Looks after operators, keys and policies as well
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Cashier => Self::Cashier,
            RoleArg::Supervisor => Self::Supervisor,
            RoleArg::Manager => Self::Manager,
            RoleArg::Admin => Self::Admin,
        }
    }
}
