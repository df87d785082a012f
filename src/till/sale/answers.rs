//! What the Payment API answers and tells while a sale is collected.

use super::collecting::{latest_refused, takes};
use super::{Collecting, Counter, Cue, Effect, EndKind, Ending, Entry, Focus, Hint, Notice, Phase};
use crate::api::wire::PaymentView;
use crate::client::ClientError;
use crate::money::Money;
use crate::payment::{ChannelId, FailureReason, PaymentId, PendingReason, UnixMillis, Way};

impl Counter {
    /// The answer to [`Effect::Create`].
    pub fn created(&mut self, answer: Result<PaymentView, ClientError>, now: UnixMillis) -> Vec<Effect> {
        let Phase::Collecting(collecting) = &mut self.phase else { return Vec::new() };
        if collecting.view.is_some() {
            return Vec::new();
        }
        let view = match answer {
            Ok(view) => view,
            Err(error) => {
                self.entry = Entry::of(collecting.amount);
                self.phase = Phase::Entry;
                self.hint = Some(Hint::of(error));
                return vec![Effect::Sound(Cue::Attention)];
            }
        };
        let id = view.id.clone();
        collecting.view = Some(view.clone());
        if collecting.cancelling {
            return vec![Effect::Cancel(id)];
        }
        let mut effects: Vec<_> = self
            .channels
            .iter()
            .filter(|channel| channel.ways.contains(&Way::MerchantPresented) && takes(channel, view.amount))
            .filter(|channel| channel.closes_codes)
            .map(|channel| Effect::ShowCode(id.clone(), channel.channel.clone()))
            .collect();
        if let Some(code) = collecting.early_scan.take() {
            collecting.submitting = Some(code.channel().clone());
            effects.push(Effect::Submit(id, code));
        }
        effects.extend(self.moved(view, now));
        effects
    }

    /// The sale being collected, where it is that one.
    pub(super) fn collecting_of(&mut self, id: &PaymentId) -> Option<&mut Collecting> {
        match &mut self.phase {
            Phase::Collecting(collecting) if collecting.view.as_ref().is_some_and(|view| view.id == *id) => {
                Some(collecting)
            }
            _ => None,
        }
    }

    /// The answer to [`Effect::ShowCode`].
    pub fn code_shown(
        &mut self,
        id: &PaymentId,
        channel: &ChannelId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        match answer {
            Ok(view) => self.moved(view, now),
            Err(error) => {
                if let Some(collecting) = self.collecting_of(id) {
                    let _ = collecting.no_code.insert(channel.clone(), error.to_string());
                }
                Vec::new()
            }
        }
    }

    /// The answer to [`Effect::Submit`].
    pub fn submitted(
        &mut self,
        id: &PaymentId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        if let Some(collecting) = self.collecting_of(id) {
            collecting.submitting = None;
            if let Err(error) = &answer {
                self.hint = Some(Hint::of(error.clone()));
                return vec![Effect::Sound(Cue::Attention)];
            }
        }
        answer.map_or_else(|_| Vec::new(), |view| self.moved(view, now))
    }

    /// The answer to [`Effect::Cancel`].
    pub fn cancelled(
        &mut self,
        id: &PaymentId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        match answer {
            Ok(view) => self.moved(view, now),
            Err(error) => {
                if let Some(collecting) = self.collecting_of(id) {
                    collecting.cancelling = false;
                    self.hint = Some(match error {
                        ClientError::Refused(_) | ClientError::BadAnswer(_) => Hint::of(error),
                        ClientError::Unreachable(_) | ClientError::NoAnswer => Hint::CancelNotSent,
                    });
                }
                vec![Effect::Sound(Cue::Attention)]
            }
        }
    }

    /// A payment has changed, by an event or an answer. Foreign and older views change nothing here.
    pub fn moved(&mut self, view: PaymentView, now: UnixMillis) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Entry => return Vec::new(),
            Phase::Result(ending) => {
                if ending.view.id == view.id && ending.view.version < view.version {
                    let cancelled = ending.notices.contains(&Notice::PaidDespiteCancel);
                    let new = Ending::new(view, cancelled, ending.at);
                    let told = new.notices.len() > ending.notices.len();
                    **ending = new;
                    return if told { vec![Effect::Sound(Cue::Attention)] } else { Vec::new() };
                }
                return Vec::new();
            }
            Phase::Collecting(collecting) => {
                let Some(before) = &collecting.view else { return Vec::new() };
                if before.id != view.id || before.version > view.version {
                    return Vec::new();
                }
                collecting.view = Some(view.clone());
            }
        }
        if view.state.is_end() {
            return self.end(view, now);
        }
        let mut effects = Vec::new();
        let Phase::Collecting(collecting) = &mut self.phase else { return effects };
        if view.pending == Some(PendingReason::ResultUnknown) {
            if collecting.unknown_since.is_none() {
                collecting.unknown_since = Some(now);
                effects.push(Effect::Sound(Cue::Attention));
            }
        } else {
            collecting.unknown_since = None;
        }
        if let Some(failed) = latest_refused(&view, collecting.told) {
            collecting.told = failed.no;
            collecting.submitting = None;
            self.hint = Some(Hint::TryFailed {
                channel: failed.channel.clone(),
                reason: failed.reason.unwrap_or(FailureReason::ProviderRefused),
                code: failed.reason_code.clone(),
            });
            effects.push(Effect::Sound(Cue::Failure));
        }
        effects
    }

    pub(super) fn end(&mut self, view: PaymentView, now: UnixMillis) -> Vec<Effect> {
        let cancelling = self.collecting().is_some_and(|collecting| collecting.cancelling);
        let ending = Ending::new(view, cancelling, now);
        let cue = match ending.kind {
            EndKind::Paid => {
                Cue::Success(ending.view.channel.clone(), Money::new(ending.view.amount, ending.view.currency))
            }
            EndKind::NotPaid => Cue::Failure,
            EndKind::Expired | EndKind::Reversed | EndKind::Cancelled | EndKind::Refunded => Cue::Attention,
        };
        self.hint = None;
        self.focus = Focus::Amount;
        self.typed_code.clear();
        self.phase = Phase::Result(Box::new(ending));
        vec![Effect::Sound(cue), Effect::Refresh]
    }
}
