//! A provider's own list of a day's business: what the books are reconciled with.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::payment::{Failure, UnixMillis};

/// Which of a provider's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillKind {
    /// Every payment and refund.
    Trades,
    /// Every movement on the merchant's balance, fees and settlement among them.
    FundFlow,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillLineKind {
    /// Money taken.
    Payment,
    /// Money returned.
    Refund,
    /// Anything else: a fee, a settlement, a correction.
    Other,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    /// What it is about.
    pub kind: BillLineKind,
    /// Our number of the payment as the provider has it; empty where the line is about none.
    pub out_trade_no: String,
    /// The provider's number.
    pub provider_trade_no: String,
    /// Our number of the refund.
    pub out_refund_no: Option<String>,
    /// How much moved; never negative: `kind` says which way.
    pub amount: Money,
    /// What the provider keeps for it (negative where it gives a fee back), where the file says so.
    pub fee: Option<Money>,
    /// When.
    pub at: Option<UnixMillis>,
}

/// A provider's file, checked and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The file as it came, unpacked where one file was packed alone; to be kept.
    pub raw: Vec<u8>,
    /// A name for it.
    pub file_name: String,
    /// Its lines in order.
    pub lines: Vec<BillLine>,
}

/// Why there is no bill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// The provider has not made it yet.
    #[error("the provider's bill of that day is not ready yet: try again after the hour that the provider names")]
    NotReady,
    /// This channel gives no such file.
    #[error("this channel gives no such bill")]
    Unsupported,
    /// The provider refused.
    #[error("the provider refused the bill ({} {})", .0.provider_code, .0.provider_message)]
    Refused(Failure),
    /// It could not be fetched. The text says why.
    #[error("the bill could not be fetched: {0}. Nothing was changed: try again")]
    Unreachable(String),
    /// It is not what the provider said it would be, or cannot be read.
    #[error("the bill cannot be used: {0}")]
    Damaged(String),
}
