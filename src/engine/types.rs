//! What goes into the engine and comes out of it.

use super::Clock;
use crate::channel::Capabilities;
use crate::ledger::{LedgerError, StoredAnswer};
use crate::money::Money;
use crate::payment::{AccountId, ChannelId, CodeRejection, IdError, Payment, StoreId, TillId};

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// This process among those that share the books; unique for each start.
    pub instance: String,
    /// Whether no other process can be using the books: leases of dead owners are broken at start.
    pub exclusive: bool,
    /// Time.
    pub clock: Clock,
}

impl EngineConfig {
    /// A process of that name, alone on its books, by the machine's clock.
    #[must_use]
    pub fn new(instance: String) -> Self {
        Self { instance, exclusive: true, clock: Clock::system() }
    }
}

/// A sale to be.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// What is due.
    pub amount: Money,
    /// What for; the store's name where absent.
    pub description: Option<String>,
    /// Where.
    pub store: StoreId,
    /// At which till.
    pub till: TillId,
    /// Who takes it.
    pub operator: Option<String>,
    /// How many seconds the customer has to pay.
    pub collect_seconds: u32,
}

/// Makes a call idempotent: the answer that `render` makes of the payment is stored with the events that led to it.
pub struct Idempotency {
    /// Whose key it is.
    pub scope: String,
    /// The key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub digest: [u8; 32],
    /// HTTP status and body for the payment as it then stands.
    pub render: fn(&Payment) -> (u16, String),
}

/// What an idempotent call gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// Done now; the payment as it stands.
    Fresh(Box<Payment>),
    /// Done before: this was the answer.
    Replayed(Box<StoredAnswer>),
}

/// A channel that is open.
#[derive(Debug, Clone)]
pub struct OpenChannel {
    /// Which.
    pub channel: ChannelId,
    /// Through which account.
    pub account: AccountId,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Whether no real money moves.
    pub training: bool,
}

/// What the engine refuses.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The books refuse.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The scanned text is no payment code.
    #[error(transparent)]
    NotAPaymentCode(#[from] CodeRejection),
    /// The channel has no enabled account.
    #[error("no account is open for {0}: choose another way to pay, or have the manager add an account")]
    ChannelClosed(ChannelId),
    /// No account at all.
    #[error("no merchant account is configured: add one, or start in training mode")]
    NoAccount,
    /// The channel does not take this amount.
    #[error("{channel} does not take this amount: it takes {min} to {max}")]
    AmountOutOfRange {
        /// Which channel.
        channel: ChannelId,
        /// The least it takes.
        min: Money,
        /// The most it takes.
        max: Money,
    },
    /// A payment code is being worked on already.
    #[error("a payment code is being worked on: wait for its result before scanning another")]
    Busy,
    /// The payment is paid or over.
    #[error("this payment is {state}: begin a new one")]
    Over {
        /// Its state's name.
        state: &'static str,
    },
    /// No number is left for another attempt, or the id is foreign.
    #[error("this payment had too many attempts: cancel it and begin a new one")]
    TooManyAttempts,
    /// An identifier is malformed.
    #[error(transparent)]
    Id(#[from] IdError),
}
