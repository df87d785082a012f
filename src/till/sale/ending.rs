//! How a sale ended, as the till shows it.

use crate::api::wire::{AttemptView, PaymentView};
use crate::payment::{AttemptState, ChannelId, PaymentState, UnixMillis};

/// How a sale ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndKind {
    /// Paid.
    Paid,
    /// Refused.
    NotPaid,
    /// Cancelled by the cashier, nothing was taken.
    Cancelled,
    /// The time ran out, nothing was taken.
    Expired,
    /// Money that moved, or may have, was returned.
    Reversed,
    /// Paid, and returned since.
    Refunded,
}

/// Something a result says beside its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The cashier cancelled, but the customer had paid already.
    PaidDespiteCancel,
    /// Paid twice; the second is returned by itself.
    PaidTwice {
        /// Through which channel the second came.
        channel: ChannelId,
        /// Whether it is back already.
        returned: bool,
    },
    /// The sale is over, and its shown code can still be paid for a while; what comes in goes back by itself.
    CodeRunsOut {
        /// Whose code.
        channel: ChannelId,
    },
    /// What a person has to look at, in the API's words.
    Attention(String),
}

/// The end of a sale, on the screen until the next key.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The payment.
    pub view: PaymentView,
    /// How it ended.
    pub kind: EndKind,
    /// What else there is to say.
    pub notices: Vec<Notice>,
    /// When it ended, by this till's clock.
    pub at: UnixMillis,
}

impl Ending {
    pub(super) fn new(view: PaymentView, cancelled: bool, at: UnixMillis) -> Self {
        let kind = EndKind::of(&view);
        let mut notices = Vec::new();
        if cancelled && kind == EndKind::Paid {
            notices.push(Notice::PaidDespiteCancel);
        }
        let surplus = view.attempts.iter().filter(|attempt| attempt.surplus && kind == EndKind::Paid);
        notices.extend(surplus.map(|attempt| Notice::PaidTwice {
            channel: attempt.channel.clone(),
            returned: attempt.state == AttemptState::SurplusRefunded,
        }));
        let runs_out = |one: &&AttemptView| one.deferred && one.state == AttemptState::Voiding && kind != EndKind::Paid;
        let watched = view.attempts.iter().filter(runs_out);
        notices.extend(watched.map(|attempt| Notice::CodeRunsOut { channel: attempt.channel.clone() }));
        notices.extend(view.attention.iter().cloned().map(Notice::Attention));
        Self { view, kind, notices, at }
    }
}

impl EndKind {
    /// How a payment that is at its end has ended. A payment under way counts as expired; ask only at its end.
    #[must_use]
    pub fn of(view: &PaymentView) -> Self {
        match view.state {
            PaymentState::Succeeded => Self::Paid,
            PaymentState::PartiallyRefunded | PaymentState::Refunded => Self::Refunded,
            PaymentState::Failed => Self::NotPaid,
            PaymentState::Reversed => Self::Reversed,
            PaymentState::Created | PaymentState::Pending | PaymentState::Closed => {
                if view.changed_at >= view.collect_until { Self::Expired } else { Self::Cancelled }
            }
        }
    }
}
