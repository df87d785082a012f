//! A sale that is being collected: what each channel waits for, and the codes that can be shown.

use std::collections::BTreeMap;

use crate::api::wire::{AttemptView, ChannelView, PaymentView};
use crate::money::Money;
use crate::payment::{
    AttemptState, ChannelId, ConfirmedBy, FailureReason, PaymentCode, PendingReason, UnixMillis, Way,
};

/// What one channel is doing for the open sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// Its code is being asked for.
    Preparing,
    /// Its code is shown when it is asked for: once shown it cannot be closed, only run out.
    OnRequest,
    /// Its code is on the customer's display.
    CodeShown,
    /// Its code is on the customer's display, and the cashier watches the shop's account.
    CashierWatches,
    /// A scanned code was sent.
    Submitted,
    /// The customer is entering the password or confirming.
    Confirming,
    /// The provider gave no clear answer and is being asked.
    Asking,
    /// Being taken back.
    Voiding,
    /// It has paid.
    Paid,
    /// It refused the latest try.
    Refused(FailureReason),
    /// Closed; nothing is awaited of it.
    Closed,
    /// The amount is outside of what it takes.
    OutsideLimits,
    /// It gave no code to show; scanning the customer's code still works.
    NoCode(String),
    /// It shows no codes; the customer's code can be scanned.
    ScanOnly,
}

/// One row of the collecting page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// Which channel.
    pub channel: ChannelId,
    /// What is awaited of it.
    pub awaited: Awaited,
}

/// A sale under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Collecting {
    /// What is due.
    pub amount: Money,
    /// The note.
    pub note: Option<String>,
    /// The payment, once it exists.
    pub view: Option<PaymentView>,
    /// The cashier asked to cancel.
    pub cancelling: bool,
    /// The cashier is asked whether the money of this channel's code has really arrived.
    pub sure: Option<ChannelId>,
    /// A code that came before the payment existed.
    pub(super) early_scan: Option<PaymentCode>,
    /// A code is on its way to the API.
    pub submitting: Option<ChannelId>,
    /// The number of the latest attempt whose refusal was told.
    pub(super) told: u32,
    /// Why channels gave no code.
    pub(super) no_code: BTreeMap<ChannelId, String>,
    /// When the result became unknown.
    pub unknown_since: Option<UnixMillis>,
}

impl Collecting {
    /// When the offer to pay began and when it ends, once known.
    #[must_use]
    pub fn span(&self) -> Option<(UnixMillis, UnixMillis)> {
        self.view.as_ref().map(|view| (view.created_at.as_millisecond(), view.collect_until.as_millisecond()))
    }

    /// What the payment waits for.
    #[must_use]
    pub fn pending(&self) -> Option<PendingReason> {
        self.view.as_ref().and_then(|view| view.pending)
    }

    /// The channel whose customer is confirming, or whose answer is unknown.
    #[must_use]
    pub fn busy_channel(&self, state: AttemptState) -> Option<&ChannelId> {
        self.view.as_ref()?.attempts.iter().rev().find(|attempt| attempt.state == state).map(|attempt| &attempt.channel)
    }

    pub(super) fn awaited(&self, channel: &ChannelView) -> Awaited {
        use AttemptState as A;
        if !takes(channel, self.amount.minor) {
            return Awaited::OutsideLimits;
        }
        let of_channel = || self.view.iter().flat_map(|view| &view.attempts).filter(|a| a.channel == channel.channel);
        let rank = |attempt: &AttemptView| match attempt.state {
            A::Succeeded => 7,
            A::Unknown => 6,
            A::CustomerConfirming => 5,
            A::Prepared if attempt.way == Way::ConsumerPresented => 4,
            A::CodeShown => 3,
            A::Prepared => 2,
            A::Voiding | A::SurplusRefunding => 1,
            A::Failed | A::Closed | A::Reversed | A::SurplusRefunded | A::SurplusOwed => 0,
        };
        let Some(attempt) = of_channel().max_by_key(|attempt| (rank(attempt), attempt.no)) else {
            return match self.no_code.get(&channel.channel) {
                Some(why) => Awaited::NoCode(why.clone()),
                None if self.submitting.as_ref() == Some(&channel.channel) => Awaited::Submitted,
                None if channel.ways.contains(&Way::MerchantPresented) && !self.cancelling => {
                    if channel.closes_codes {
                        Awaited::Preparing
                    } else {
                        Awaited::OnRequest
                    }
                }
                None if self.cancelling => Awaited::Closed,
                None => Awaited::ScanOnly,
            };
        };
        match attempt.state {
            A::Succeeded => Awaited::Paid,
            A::Unknown => Awaited::Asking,
            A::CustomerConfirming => Awaited::Confirming,
            A::Prepared if attempt.way == Way::ConsumerPresented => Awaited::Submitted,
            _ if self.submitting.as_ref() == Some(&channel.channel) => Awaited::Submitted,
            A::CodeShown if channel.confirmed_by == ConfirmedBy::Cashier => Awaited::CashierWatches,
            A::CodeShown => Awaited::CodeShown,
            A::Prepared => Awaited::Preparing,
            A::Voiding | A::SurplusRefunding => Awaited::Voiding,
            A::Failed => Awaited::Refused(attempt.reason.unwrap_or(FailureReason::ProviderRefused)),
            A::Closed | A::Reversed | A::SurplusRefunded | A::SurplusOwed => Awaited::Closed,
        }
    }

    /// The codes to show, in the API's order of attempts, the latest of each channel.
    #[must_use]
    pub fn shown_codes(&self, channels: &[ChannelView]) -> Vec<ShownCode> {
        let Some(view) = &self.view else { return Vec::new() };
        if self.cancelling {
            return Vec::new();
        }
        channels
            .iter()
            .filter_map(|channel| {
                let attempt =
                    view.attempts.iter().rev().find(|a| {
                        a.channel == channel.channel && a.state == AttemptState::CodeShown && a.code.is_some()
                    })?;
                Some(ShownCode {
                    channel: channel.channel.clone(),
                    text: attempt.code.clone()?,
                    from: attempt.started_at.as_millisecond(),
                    until: attempt.code_expires_at.unwrap_or(view.collect_until).as_millisecond(),
                })
            })
            .collect()
    }
}

/// A code on the customer's display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// Whose.
    pub channel: ChannelId,
    /// What it says.
    pub text: String,
    /// When it was first offered.
    pub from: UnixMillis,
    /// When a fresh one takes its place.
    pub until: UnixMillis,
}

pub(super) const fn takes(channel: &ChannelView, amount: i64) -> bool {
    channel.min_amount <= amount && amount <= channel.max_amount
}

pub(super) fn latest_refused(view: &PaymentView, after: u32) -> Option<&AttemptView> {
    view.attempts.iter().rev().find(|attempt| attempt.no > after && attempt.state == AttemptState::Failed)
}
