//! A state's shape, colour and word, always together.

use iced::Element;

use crate::api::wire::PaymentView;
use crate::payment::{ChannelId, PaymentState, PendingReason};
use crate::till::icon::{self, Icon};
use crate::till::sale::EndKind;
use crate::till::theme::{Palette, Tone};

/// How a payment's state is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Paid: a tick in a circle.
    Paid,
    /// Refused: a cross in an octagon.
    NotPaid,
    /// Not known yet: an hourglass.
    Unknown,
    /// Under way: an hourglass too, but calm.
    UnderWay,
    /// Cancelled: a bar.
    Cancelled,
    /// Run out: a bar.
    Expired,
    /// Taken back: an arrow back.
    Reversed,
    /// Returned: an arrow back.
    Refunded,
}

impl Standing {
    /// How a payment stands.
    #[must_use]
    pub fn of(view: &PaymentView) -> Self {
        match (view.state, view.pending) {
            (
                PaymentState::Pending,
                Some(PendingReason::ResultUnknown | PendingReason::Reversing | PendingReason::AwaitingCashier),
            ) => Self::Unknown,
            (PaymentState::Created | PaymentState::Pending, _) => Self::UnderWay,
            _ => Self::of_end(EndKind::of(view)),
        }
    }

    /// How a payment ended.
    #[must_use]
    pub const fn of_end(kind: EndKind) -> Self {
        match kind {
            EndKind::Paid => Self::Paid,
            EndKind::NotPaid => Self::NotPaid,
            EndKind::Cancelled => Self::Cancelled,
            EndKind::Expired => Self::Expired,
            EndKind::Reversed => Self::Reversed,
            EndKind::Refunded => Self::Refunded,
        }
    }

    /// Its colours.
    #[must_use]
    pub const fn tone(self, palette: &Palette) -> Tone {
        match self {
            Self::Paid => palette.success,
            Self::NotPaid => palette.danger,
            Self::Unknown => palette.warning,
            Self::UnderWay => palette.info,
            Self::Cancelled | Self::Expired => palette.neutral,
            Self::Reversed | Self::Refunded => palette.refund,
        }
    }

    /// Its shape.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Paid => Icon::Success,
            Self::NotPaid => Icon::Failure,
            Self::Unknown | Self::UnderWay => Icon::Unknown,
            Self::Cancelled | Self::Expired => Icon::Cancelled,
            Self::Reversed | Self::Refunded => Icon::Refund,
        }
    }

    /// The key of its word.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Paid => "result-paid",
            Self::NotPaid => "result-not-paid",
            Self::Unknown => "result-unknown",
            Self::UnderWay => "state-pending",
            Self::Cancelled => "result-cancelled",
            Self::Expired => "result-run-out",
            Self::Reversed => "result-reversed",
            Self::Refunded => "result-refunded",
        }
    }
}

/// The channel that paid or refused a sale. While codes are shown, and where nobody paid, there is none to name.
#[must_use]
pub fn channel_of(view: &PaymentView) -> Option<&ChannelId> {
    let named = match Standing::of(view) {
        Standing::Paid | Standing::NotPaid | Standing::Unknown | Standing::Reversed | Standing::Refunded => true,
        Standing::UnderWay => view.pending == Some(PendingReason::CustomerConfirming),
        Standing::Cancelled | Standing::Expired => false,
    };
    view.channel.as_ref().filter(|_| named)
}

/// The shape in its colour.
pub fn shape<'a, Message: 'a>(palette: &Palette, standing: Standing, side: f32) -> Element<'a, Message> {
    icon::view(standing.icon(), side, standing.tone(palette).mark).into()
}
