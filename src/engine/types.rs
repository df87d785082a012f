//! What goes into the engine and comes out of it.

use std::sync::Arc;

use super::Clock;
use crate::channel::Capabilities;
use crate::ledger::{LedgerError, StoredAnswer};
use crate::money::{Currency, Money};
use crate::payment::{AccountId, ChannelId, CodeRejection, IdError, Payment, PaymentId, StoreId, TillId, UnixMillis};

/// Where the ids of new payments come from.
#[derive(Clone, Default)]
pub struct Ids(Option<Arc<dyn Fn(UnixMillis) -> PaymentId + Send + Sync>>);

impl Ids {
    /// From a function of the engine's time, for whoever wants the same ids again.
    #[must_use]
    pub fn from_fn(next: impl Fn(UnixMillis) -> PaymentId + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(next)))
    }

    /// The next id; from the machine's time and chance where nothing else was set.
    #[must_use]
    pub fn next(&self, now: UnixMillis) -> PaymentId {
        self.0.as_ref().map_or_else(PaymentId::generate, |next| next(now))
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Ids(given)" } else { "Ids(random)" })
    }
}

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// This process among those that share the books; unique for each start.
    pub instance: String,
    /// Whether no other process can be using the books: leases of dead owners are broken at start.
    pub exclusive: bool,
    /// Time.
    pub clock: Clock,
    /// The ids of new payments.
    pub ids: Ids,
}

impl EngineConfig {
    /// A process of that name, alone on its books, by the machine's clock.
    #[must_use]
    pub fn new(instance: String) -> Self {
        Self { instance, exclusive: true, clock: Clock::system(), ids: Ids::default() }
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

/// Money to return.
#[derive(Debug, Clone, Default)]
pub struct NewRefund {
    /// How much, in minor units; all that is left where absent.
    pub amount: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Who wants it; the actor where absent.
    pub operator: Option<String>,
    /// A person has paid it back already.
    pub by_hand: bool,
    /// The attempt whose surplus was paid back by hand; the attempt that paid where absent.
    pub attempt: Option<u32>,
}

/// Which code's money the cashier saw arrive.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Through which channel; needed where codes of several were shown.
    pub channel: Option<ChannelId>,
    /// Which attempt; needed where there were several.
    pub attempt: Option<u32>,
    /// Who saw it; the actor where absent.
    pub operator: Option<String>,
}

/// Makes a call idempotent: the answer that `render` makes of the payment is stored with the events that led to it.
#[derive(Clone)]
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
    /// The stores that it serves; every store where empty.
    pub stores: Vec<StoreId>,
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
    /// The channel takes other currencies.
    #[error("{channel} does not take {currency} here: choose another way to pay")]
    CurrencyNotTaken {
        /// Which channel.
        channel: ChannelId,
        /// The sale's currency.
        currency: Currency,
    },
    /// The channel cannot be paid that way.
    #[error("{channel} cannot be paid in this way: {instead}")]
    WayNotOffered {
        /// Which channel.
        channel: ChannelId,
        /// What to do instead.
        instead: &'static str,
    },
    /// No code was shown whose payment the cashier confirms.
    #[error("no code was shown whose payment the cashier confirms: what the provider confirms needs no word of yours")]
    NothingToConfirm,
    /// The provider says by itself whether it was paid.
    #[error("{0} says by itself whether it was paid: the cashier cannot confirm it")]
    NotConfirmedByCashier(ChannelId),
    /// Codes of several such channels were shown.
    #[error("several codes were shown whose payment the cashier confirms: name the channel or the attempt")]
    ConfirmWhich,
    /// Nothing of it is left, or nothing came in.
    #[error("this payment is {state}: there is nothing of it left to return")]
    NothingToRefund {
        /// Its state's name.
        state: &'static str,
    },
    /// The amount is none, or more than is left.
    #[error("at most {left} of this payment is left to return, and a refund is more than zero")]
    RefundOutOfRange {
        /// What is left.
        left: Money,
    },
    /// The channel returns no money.
    #[error("{channel} cannot return money: pay it back by hand, and record it as paid back by hand")]
    RefundByHand {
        /// Which channel.
        channel: ChannelId,
    },
    /// The channel can return it, so a person must not.
    #[error("{channel} returns the money itself: ask it to, so that it goes back where it came from")]
    RefundByProvider {
        /// Which channel.
        channel: ChannelId,
    },
    /// Who pays back by hand says why.
    #[error("say why it was paid back by hand: the books keep the reason")]
    RefundReason,
    /// The provider's time for refunds is over.
    #[error(
        "{channel} returns money for {days} days after the payment, which are over: pay it back by hand, and record that"
    )]
    RefundTooLate {
        /// Which channel.
        channel: ChannelId,
        /// For how long it can be asked.
        days: u64,
    },
    /// The channel returns whole payments only.
    #[error("{channel} returns whole payments only: {amount}")]
    RefundInPart {
        /// Which channel.
        channel: ChannelId,
        /// The whole.
        amount: Money,
    },
    /// The account that took the money cannot be used any more.
    #[error("the account {account} that took this payment cannot be used: put its credentials right, then try again")]
    AccountGone {
        /// Which account.
        account: AccountId,
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
