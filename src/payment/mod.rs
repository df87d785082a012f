//! What a payment is. Pure: no I/O; time comes in as an argument.
//!
//! A [`Payment`] is one sale that has to be paid once. Every try to get it paid (a code shown, a code scanned) is an
//! [`Attempt`] with an `out_trade_no` of its own. All that happens to a payment is a [`PaymentEvent`]; the state is
//! what the events so far make of it, so the journal alone can rebuild it.

mod attempt;
mod card_code;
mod code;
mod event;
mod failure;
mod ids;
mod refund;
mod sale;
mod state;

pub use attempt::{Attempt, AttemptState, ConfirmedBy, Way};
pub use card_code::{CardApplication, CardCode, CardCodeError, CardScheme};
pub use code::{CodeRejection, CodeRule, KnownCodes, PaymentCode};
pub use event::{PaymentEvent, VoidReason};
pub use failure::{Failure, FailureReason};
pub use ids::{AccountId, ChannelId, IdError, OperatorId, OutTradeNo, PaymentId, StoreId, TillId};
pub use refund::{Refund, RefundState};
pub use sale::{IllegalEvent, Payment};
pub use state::{PaymentState, PendingReason};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
pub type UnixMillis = i64;
