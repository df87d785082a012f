//! What the cashier does, what is to be done about it, and what the cashier is told meanwhile.

use crate::client::ClientError;
use crate::money::{Money, MoneyError};
use crate::payment::{ChannelId, CodeRejection, FailureReason, PaymentCode, PaymentId};
use crate::till::entry::Refusal;

/// A key that the counter knows. The window makes these of key events and of pressed buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// A typed character, or several at once from an input method.
    Text(String),
    /// Pasted text.
    Paste(String),
    /// The keypad's `00`.
    DoubleZero,
    /// Takes back.
    Backspace,
    /// The keypad's C.
    Clear,
    /// Begin, or the next sale.
    Enter,
    /// Back, or cancel.
    Escape,
    /// To the note and back.
    Note,
    /// To the typed code and back.
    TypeCode,
    /// The money of a shown code has arrived, where the cashier is the one who sees it.
    Arrived,
}

/// What the program has to do for the counter.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Create the payment.
    Create {
        /// What is due.
        amount: Money,
        /// The note.
        note: Option<String>,
    },
    /// Ask for a channel's code.
    ShowCode(PaymentId, ChannelId),
    /// Submit the customer's code.
    Submit(PaymentId, PaymentCode),
    /// Ask to cancel.
    Cancel(PaymentId),
    /// Say that the money of a channel's shown code is on the shop's account.
    Confirm(PaymentId, ChannelId),
    /// Make a sound.
    Sound(Cue),
    /// Sales and takings have changed.
    Refresh,
}

/// What is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// A code was read.
    Read,
    /// Paid.
    Success(Option<ChannelId>, Money),
    /// Not paid.
    Failure,
    /// Look here.
    Attention,
}

/// A line that tells the cashier something about what was just done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// A key was not taken.
    Refused(Refusal),
    /// Enter on an amount that no sale can be made of.
    Amount(MoneyError),
    /// A payment code came while no sale is open.
    AmountFirst,
    /// A payment code came while an amount stands, but was not begun.
    EnterFirst,
    /// What was scanned is no payment code.
    NotACode(CodeRejection),
    /// The latest try was refused.
    TryFailed {
        /// The channel that refused.
        channel: ChannelId,
        /// Why.
        reason: FailureReason,
        /// The provider's code, for support.
        code: Option<String>,
    },
    /// The API cannot be reached; nothing was sent.
    Offline,
    /// The API did not answer: the sale has to be looked up.
    NoAnswer,
    /// The API refused and says why.
    Api {
        /// Its stable code.
        code: String,
        /// Its sentence.
        detail: String,
    },
    /// The cancellation did not reach the API; the sale is still open.
    CancelNotSent,
}

impl Hint {
    /// Whether the line is about something that went wrong, rather than advice.
    #[must_use]
    pub const fn is_problem(&self) -> bool {
        matches!(self, Self::TryFailed { .. } | Self::Offline | Self::NoAnswer | Self::Api { .. } | Self::CancelNotSent)
    }
}

impl Hint {
    pub(super) fn of(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problem) => Self::Api { code: problem.code, detail: problem.detail },
            ClientError::Unreachable(_) => Self::Offline,
            ClientError::NoAnswer => Self::NoAnswer,
            ClientError::BadAnswer(detail) => Self::Api { code: "bad_answer".to_owned(), detail },
        }
    }
}
