//! The states of a payment.

use serde::{Deserialize, Serialize};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Exists; nothing was shown or submitted yet.
    Created,
    /// Under way; [`PendingReason`] says what is awaited.
    Pending,
    /// Paid, once.
    Succeeded,
    /// Not paid: the provider refused.
    Failed,
    /// Not paid: cancelled or run out, and closed with the provider.
    Closed,
    /// Not paid: money that moved, or may have, was returned by the provider.
    Reversed,
    /// Paid, and a part returned.
    PartiallyRefunded,
    /// Paid, and all of it returned.
    Refunded,
}

impl PaymentState {
    /// Whether the payment has come to its end (a refund may still follow a success).
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Created | Self::Pending)
    }

    /// Whether the shop has the money, or part of it.
    #[must_use]
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Succeeded | Self::PartiallyRefunded)
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Closed => "closed",
            Self::Reversed => "reversed",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }

    /// The legal moves, from the diagram in the README. A state may always stay as it is.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Created, Self::Pending | Self::Closed | Self::Failed)
            | (Self::Pending, Self::Succeeded | Self::Failed | Self::Closed | Self::Reversed)
            | (Self::Succeeded | Self::PartiallyRefunded, Self::PartiallyRefunded | Self::Refunded) => true,
            _ => self as u8 == next as u8,
        }
    }
}

/// What a pending payment waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingReason {
    /// A request is on its way to the provider.
    Submitting,
    /// Codes are shown; nobody has scanned, or the customer's code has yet to come.
    AwaitingScan,
    /// The customer is entering the password or confirming.
    CustomerConfirming,
    /// The provider gave no clear answer: it is being asked.
    ResultUnknown,
    /// Money came in one way; the other ways are being closed.
    ClosingOthers,
    /// The payment is being cancelled, closed or reversed with the provider.
    Reversing,
    /// The time to pay ran out on a code whose payment only the cashier can see: the cashier has to look at the shop's
    /// account, and confirm or cancel.
    AwaitingCashier,
}

impl PendingReason {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::AwaitingScan => "awaiting_scan",
            Self::CustomerConfirming => "customer_confirming",
            Self::ResultUnknown => "result_unknown",
            Self::ClosingOthers => "closing_others",
            Self::Reversing => "reversing",
            Self::AwaitingCashier => "awaiting_cashier",
        }
    }
}
