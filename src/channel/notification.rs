//! Messages that a provider sends by itself.

use super::{QueryOutcome, RefundOutcome};
use crate::payment::OutTradeNo;

/// A notification as it came: the raw body is what is signed.
#[derive(Debug, Clone)]
pub struct RawNotification {
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl RawNotification {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A notification whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The provider's id of the notification: it counts once.
    pub id: String,
    /// Which attempt it is about.
    pub out_trade_no: OutTradeNo,
    /// What it says.
    pub told: Told,
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// How the attempt stands.
    Trade(QueryOutcome),
    /// How a refund of it stands.
    Refund {
        /// Our number of the refund, where the provider repeats it.
        out_refund_no: Option<String>,
        /// How it stands.
        outcome: RefundOutcome,
    },
}

/// Why a notification was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// No signature, or one that does not fit.
    #[error("the notification's signature is missing or wrong")]
    BadSignature,
    /// Its time is too far from ours (300 s).
    #[error("the notification's time is too far from this machine's clock")]
    Stale,
    /// Signed, but not for this merchant account.
    #[error("the notification is for another merchant")]
    OtherMerchant,
    /// Signed, but not of a shape we know.
    #[error("the notification cannot be read: {0}")]
    Unreadable(String),
    /// This channel sends none.
    #[error("this channel sends no notifications")]
    NotSent,
}

/// The exact HTTP answer a provider expects to its notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}
