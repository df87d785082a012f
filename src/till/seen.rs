//! What the till makes of a code that the camera sees: taken, or why not. Pure; the preview says it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::sale::{Counter, Phase};
use crate::payment::{ChannelId, CodeRejection, CodeRule, PaymentCode, Way};

/// So many sent codes are remembered: the till sees no more customers than that before a code has long run out.
const REMEMBERED: usize = 32;

/// What the till makes of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is sent, or was this moment.
    Taken(ChannelId),
    /// It would be taken, but no amount stands.
    AmountFirst,
    /// It would be taken, but the sale was not begun.
    EnterFirst,
    /// The shop does not take that channel's codes.
    NotOpen(ChannelId),
    /// It was sent already and is worth nothing any more.
    Used(ChannelId),
    /// It is no payment code.
    Rejected(CodeRejection),
}

impl Seen {
    /// Whether the code is as it should be, now or in a moment.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Taken(_))
    }
}

impl Counter {
    /// What is made of a code in sight.
    #[must_use]
    pub fn judge(&self, text: &str) -> Seen {
        let code = match PaymentCode::classify(text, &CodeRule::published()) {
            Ok(code) => code,
            Err(rejection) => return Seen::Rejected(rejection),
        };
        let channel = code.channel().clone();
        let open = |view: &crate::api::wire::ChannelView| {
            view.channel == channel && view.ways.contains(&Way::ConsumerPresented)
        };
        if !self.channels.is_empty() && !self.channels.iter().any(open) {
            return Seen::NotOpen(channel);
        }
        let mark = fingerprint(&code);
        let sent = self.sent.contains(&mark);
        match &self.phase {
            Phase::Collecting(collecting) if collecting.submitting.is_none() && sent && collecting.view.is_some() => {
                Seen::Used(channel)
            }
            Phase::Collecting(_) => Seen::Taken(channel),
            Phase::Result(_) if self.sent.last() == Some(&mark) => Seen::Taken(channel),
            Phase::Entry | Phase::Result(_) if sent => Seen::Used(channel),
            Phase::Entry | Phase::Result(_) if self.entry.is_empty() => Seen::AmountFirst,
            Phase::Entry | Phase::Result(_) => Seen::EnterFirst,
        }
    }
}

/// A code goes out.
pub(super) fn remember(sent: &mut Vec<u64>, code: &PaymentCode) {
    let mark = fingerprint(code);
    sent.retain(|known| *known != mark);
    sent.push(mark);
    let surplus = sent.len().saturating_sub(REMEMBERED);
    sent.drain(..surplus);
}

fn fingerprint(code: &PaymentCode) -> u64 {
    let mut hasher = DefaultHasher::new();
    code.expose().hash(&mut hasher);
    hasher.finish()
}
