//! All that can happen to a payment. Each is one row of the journal.

use serde::{Deserialize, Serialize};

use super::{AccountId, ChannelId, ConfirmedBy, Failure, OutTradeNo, StoreId, TillId, UnixMillis, Way};
use crate::money::Money;

/// Why an attempt is being taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The cashier cancelled.
    Cancelled,
    /// The time to pay ran out.
    Expired,
    /// The payment was paid another way.
    PaidOtherwise,
    /// A fresh code took this one's place.
    Renewed,
    /// The provider could not say in time whether it was paid.
    StayedUnknown,
}

/// Something that happened to a payment. `no` is the attempt's number, or the refund's where it is about a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PaymentEvent {
    /// The sale exists.
    Created {
        /// What is due.
        amount: Money,
        /// What for; shown to the customer by the wallet.
        description: String,
        /// Where.
        store: StoreId,
        /// At which till.
        till: TillId,
        /// Who took it.
        operator: Option<String>,
        /// When the offer to pay ends by itself.
        collect_until: UnixMillis,
        /// Whether it goes through the sandbox, with no real money.
        training: bool,
    },
    /// Amount or description was changed, while nothing was shown or submitted.
    Changed {
        /// What is due now.
        amount: Money,
        /// What for.
        description: String,
    },
    /// The intent of an attempt; the request leaves only after this is durable.
    AttemptStarted {
        /// Its number.
        no: u32,
        /// Who shows the code.
        way: Way,
        /// The provider.
        channel: ChannelId,
        /// The merchant account.
        account: AccountId,
        /// Our number with the provider.
        out_trade_no: OutTradeNo,
        /// The customer's code, masked.
        auth_code_masked: Option<String>,
        /// HMAC-SHA256 of the customer's code in hex, so that a spent code is known again.
        auth_code_mac: Option<String>,
        /// Who says that it was paid; the provider where a row does not tell.
        #[serde(default, skip_serializing_if = "ConfirmedBy::is_provider")]
        confirmed_by: ConfirmedBy,
    },
    /// The provider gave a code to show.
    CodeShown {
        /// Which attempt.
        no: u32,
        /// What the code says.
        code: String,
        /// When it stops being offered.
        code_expires_at: UnixMillis,
    },
    /// The customer has to enter the password or confirm.
    CustomerConfirming {
        /// Which attempt.
        no: u32,
    },
    /// The provider gave no clear answer.
    ResultUnknown {
        /// Which attempt.
        no: u32,
        /// What came instead of one.
        detail: String,
    },
    /// The attempt is being cancelled, closed or reversed.
    VoidStarted {
        /// Which attempt.
        no: u32,
        /// Why.
        reason: VoidReason,
    },
    /// Paid. Where the payment is paid already, this one is a surplus and has to be refunded.
    AttemptSucceeded {
        /// Which attempt.
        no: u32,
        /// The provider's number.
        provider_trade_no: String,
        /// Who paid, as the provider masks it.
        payer: Option<String>,
        /// When, by the provider's clock.
        paid_at: UnixMillis,
    },
    /// Refused; nothing was taken.
    AttemptFailed {
        /// Which attempt.
        no: u32,
        /// Why.
        failure: Failure,
    },
    /// Closed unpaid.
    AttemptClosed {
        /// Which attempt.
        no: u32,
    },
    /// Taken back by the provider after money had moved, or may have.
    AttemptReversed {
        /// Which attempt.
        no: u32,
        /// Whether money is known to have moved both ways: the provider's bill then lists both.
        captured: bool,
    },
    /// The refund of a surplus was asked for; intent before the request.
    SurplusRefundStarted {
        /// Which attempt.
        no: u32,
        /// Our number for the refund.
        out_refund_no: String,
    },
    /// That refund is done.
    SurplusRefunded {
        /// Which attempt.
        no: u32,
    },
    /// The channel cannot return a surplus: a person has to pay it back by hand.
    SurplusOwed {
        /// Which attempt.
        no: u32,
    },
    /// The cashier saw the attempt's money on the shop's account. What follows from it is the next event.
    CashierConfirmed {
        /// Which attempt.
        no: u32,
        /// Who saw it.
        by: String,
    },
    /// Money that the cashier saw arrive on an attempt that was closed: a person has to pay it back by hand.
    ArrivedLate {
        /// Which attempt.
        no: u32,
    },
    /// A refund was asked for; intent before the request.
    RefundStarted {
        /// Its number.
        no: u32,
        /// The attempt whose money goes back.
        attempt: u32,
        /// Our number for it with the provider.
        out_refund_no: String,
        /// How much.
        amount: Money,
        /// Why.
        reason: Option<String>,
        /// Who wanted it.
        by: String,
        /// Paid back by a person, past the provider.
        by_hand: bool,
    },
    /// The refund's money is on its way back to the customer.
    RefundSucceeded {
        /// Which refund.
        no: u32,
    },
    /// The refund was refused for good; nothing went back.
    RefundFailed {
        /// Which refund.
        no: u32,
        /// Why.
        failure: Failure,
    },
    /// The payment is called paid though other attempts could not be closed yet; that goes on.
    OthersDeferred,
    /// The sale ends without waiting for this attempt: its shown code is unpaid and can only run out. That is seen to
    /// behind the scenes, and what is paid by it after all goes back.
    AttemptDeferred {
        /// Which attempt.
        no: u32,
    },
    /// The cashier asked to cancel.
    CancelRequested {
        /// Who asked.
        by: String,
    },
    /// The time to pay ran out.
    Expired,
    /// Something a person has to look at; no state was changed by it.
    AttentionRaised {
        /// What, in words.
        detail: String,
    },
}

impl PaymentEvent {
    /// The stable name: the journal's kind and the event stream's.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Changed { .. } => "changed",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::CodeShown { .. } => "code_shown",
            Self::CustomerConfirming { .. } => "customer_confirming",
            Self::ResultUnknown { .. } => "result_unknown",
            Self::VoidStarted { .. } => "void_started",
            Self::AttemptSucceeded { .. } => "attempt_succeeded",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::AttemptClosed { .. } => "attempt_closed",
            Self::AttemptReversed { .. } => "attempt_reversed",
            Self::SurplusRefundStarted { .. } => "surplus_refund_started",
            Self::SurplusRefunded { .. } => "surplus_refunded",
            Self::SurplusOwed { .. } => "surplus_owed",
            Self::CashierConfirmed { .. } => "cashier_confirmed",
            Self::ArrivedLate { .. } => "arrived_late",
            Self::RefundStarted { .. } => "refund_started",
            Self::RefundSucceeded { .. } => "refund_succeeded",
            Self::RefundFailed { .. } => "refund_failed",
            Self::OthersDeferred => "others_deferred",
            Self::AttemptDeferred { .. } => "attempt_deferred",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::Expired => "expired",
            Self::AttentionRaised { .. } => "attention_raised",
        }
    }
}
