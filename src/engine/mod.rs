//! Takes a payment from intent to a known end: submit, poll, race, void, refund a surplus, resume after a crash.
//!
//! What to do next is decided by pure functions on the payment; this room's tasks do it, write down what came of it,
//! and decide again.

use crate::channel::{Acknowledgement, Capabilities, RawNotification};
use crate::ledger::{Ledger, LedgerError, StoredAnswer};
use crate::money::Money;
use crate::payment::{AccountId, ChannelId, CodeRejection, IdError, Payment, PaymentId, StoreId, TillId};

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// This process among those that share the books; unique for each start.
    pub instance: String,
    /// Whether no other process can be using the books: leases of dead owners are broken at start.
    pub exclusive: bool,
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

/// The engine. Cheap to clone; every clone is the same engine.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    /// Starts: opens the accounts' channels, and resumes every payment that is not at an end.
    pub async fn start(ledger: Ledger, config: EngineConfig) -> Result<Self, EngineError> {
        todo!()
    }

    /// Begins a sale. Its state is `Created`.
    pub async fn create(&self, new: NewPayment, idempotency: Option<Idempotency>) -> Result<Answered, EngineError> {
        todo!()
    }

    /// Changes amount or description while nothing was shown or submitted.
    pub async fn change(
        &self,
        id: &PaymentId,
        actor: &str,
        amount: Option<i64>,
        description: Option<String>,
    ) -> Result<Payment, EngineError> {
        todo!()
    }

    /// Asks the channel for a code to show and waits for the provider's answer (within its time limit). Where a code of
    /// this channel is shown already, that one stays.
    pub async fn show_code(
        &self,
        id: &PaymentId,
        actor: &str,
        channel: &ChannelId,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        todo!()
    }

    /// Submits the customer's payment code: returns as soon as the intent is durable and the request is leaving; the
    /// outcome comes as events.
    pub async fn scan(
        &self,
        id: &PaymentId,
        actor: &str,
        auth_code: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        todo!()
    }

    /// Asks to cancel: returns as soon as that is durable. The provider is asked first; what came of it comes as events.
    pub async fn cancel(
        &self,
        id: &PaymentId,
        actor: &str,
        idempotency: Option<Idempotency>,
    ) -> Result<Answered, EngineError> {
        todo!()
    }

    /// Takes a provider's notification. The answer is given only after what it says is durable.
    pub async fn notify(&self, channel: &ChannelId, account: &AccountId, raw: RawNotification) -> Acknowledgement {
        todo!()
    }

    /// Opens the accounts' channels anew after a change.
    pub async fn reload_accounts(&self) -> Result<(), EngineError> {
        todo!()
    }

    /// The channels open for new payments.
    pub fn channels(&self) -> Vec<OpenChannel> {
        todo!()
    }

    /// Whether only training accounts are open.
    pub fn is_training(&self) -> bool {
        todo!()
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        todo!()
    }

    /// Stops acting, so that the process can end. What is under way is resumed at the next start.
    pub async fn stop(&self) {
        todo!()
    }
}
