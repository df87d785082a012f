//! The table of what a channel can do and of its provider's numbers.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::BillKind;
use crate::money::Currency;
use crate::payment::{ChannelId, CodeRule, Way};

pub use crate::payment::ConfirmedBy;

/// What a channel can do, and its provider's numbers. The engine and the till ask this and never a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Which channel.
    pub channel: ChannelId,
    /// Ways it can be paid.
    pub ways: Vec<Way>,
    /// How its customers' codes begin and how long they are.
    pub code_rules: Vec<CodeRule>,
    /// Which currencies it takes.
    pub currencies: Vec<Currency>,
    /// Who says that a shown code was paid.
    pub confirmed_by: ConfirmedBy,
    /// Whether the provider sends notifications.
    pub notifies: bool,
    /// Smallest and largest amount of one payment, in minor units.
    pub amount: RangeInclusive<i64>,
    /// How long a shown code is offered before a fresh one takes its place.
    pub code_lifetime: Duration,
    /// How long past that the old code is still awaited, for a customer who has scanned it already.
    pub code_grace: Duration,
    /// How long a customer may take to confirm a scanned payment code before it is taken back. Where the cashier
    /// confirms: how long past the offer that may still be done.
    pub confirm_patience: Duration,
    /// How long between queries while a customer confirms or a result is unknown.
    pub query_interval: Duration,
    /// How long between queries while a code is merely shown.
    pub shown_query_interval: Duration,
    /// How soon after submitting a payment code it may be taken back at the earliest.
    pub void_not_before: Duration,
    /// How long after the payment it may be taken back at the latest.
    pub void_window: Duration,
    /// How long a payment waits for its other attempts to be closed before it is called paid all the same.
    /// Zero where a shown code cannot be closed and only runs out.
    pub close_patience: Duration,
    /// How payments can be refunded through the provider; `None` where the shop pays back by hand.
    pub refund: Option<RefundRules>,
    /// Which of its files a provider gives, and when; `None` where it gives none.
    pub bill: Option<BillRules>,
    /// Time limit of one request.
    pub request_timeout: Duration,
}

/// How payments are refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundRules {
    /// How long after the payment.
    pub window: Duration,
    /// Whether a part can be refunded.
    pub partial: bool,
}

/// Which files a provider gives, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillRules {
    /// Which.
    pub kinds: Vec<BillKind>,
    /// From which hour of the next day, China time (0-23).
    pub ready_hour: i8,
}
