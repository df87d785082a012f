//! What came of asking a provider, in our terms.

use crate::money::Money;
use crate::payment::{Failure, UnixMillis};

/// A payment as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The provider's number.
    pub provider_trade_no: String,
    /// The order's amount as the provider has it; the engine compares.
    pub amount: Money,
    /// Who paid, as the provider masks it.
    pub payer: Option<String>,
    /// When, by the provider's clock; by ours where the provider does not say.
    pub paid_at: UnixMillis,
}

/// What came of submitting a customer's payment code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayOutcome {
    /// Paid.
    Paid(Paid),
    /// The customer has to confirm: query.
    CustomerConfirming,
    /// Refused; nothing was taken and nothing will be.
    Failed(Failure),
    /// Nobody knows: query. The text says what came instead of an answer.
    Unknown(String),
}

/// What came of asking for a code to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOutcome {
    /// Show this.
    Shown {
        /// What the code says.
        code: String,
    },
    /// Refused; there is no order.
    Failed(Failure),
    /// Nobody knows; an order may exist that nobody can see.
    Unknown(String),
}

/// How an attempt stands with the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryOutcome {
    /// Paid.
    Paid(Paid),
    /// The order waits for its customer; nobody has scanned it, or it is not told apart.
    AwaitingCustomer,
    /// The customer is confirming.
    CustomerConfirming,
    /// The provider has no such order (for a shown Alipay code: nobody has scanned it yet).
    NotFound,
    /// Refused; nothing was taken and nothing will be.
    Failed(Failure),
    /// Closed unpaid.
    Closed,
    /// Paid once, and all of it returned.
    Returned,
    /// Paid, and a part of it or all returned since: the provider does not say how much.
    SomeReturned(Paid),
    /// Nobody knows; ask again.
    Unknown(String),
}

/// What came of taking an attempt back (cancel, close or reverse, as the provider has it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidOutcome {
    /// It was unpaid and can no longer be paid.
    Closed,
    /// It was paid, and the money was returned by this very call.
    Returned,
    /// It is paid, and this call cannot take it back: refund it.
    AlreadyPaid,
    /// The provider does not allow it yet (WeChat Pay: not sooner than 15 s after the payment call).
    NotYet,
    /// Refused for good.
    Failed(Failure),
    /// Nobody knows; the same call again does no harm.
    Unknown(String),
}

/// What came of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money is on its way back to the customer.
    Done,
    /// Accepted; ask again with the same number.
    Processing,
    /// Refused for good. Of a request for it only that this very request did nothing: an earlier one under the same
    /// number may have been carried out.
    Failed(Failure),
    /// The provider was asked about it, and has none under that number.
    NotFound,
    /// Nobody knows; the same call with the same number does no harm.
    Unknown(String),
}
