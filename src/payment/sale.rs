//! The payment itself: a sale, its attempts, and the state they amount to.

use serde::{Deserialize, Serialize};

use super::{
    Attempt, AttemptState, ChannelId, ConfirmedBy, Failure, OutTradeNo, PaymentEvent, PaymentId, PaymentState,
    PendingReason, Refund, StoreId, TillId, UnixMillis, VoidReason, Way,
};
use crate::money::Money;

/// An event that cannot happen to the payment as it stands. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot happen to a payment that is {state}: {why}")]
pub struct IllegalEvent {
    /// The event's kind.
    pub event: &'static str,
    /// The payment's state.
    pub state: &'static str,
    /// Which rule it breaks.
    pub why: &'static str,
}

/// One sale that has to be paid once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// What is due.
    pub amount: Money,
    /// What for.
    pub description: String,
    /// Where.
    pub store: StoreId,
    /// At which till.
    pub till: TillId,
    /// Who took it.
    pub operator: Option<String>,
    /// When it was created.
    pub created_at: UnixMillis,
    /// When the offer to pay ends by itself.
    pub collect_until: UnixMillis,
    /// Whether no real money moves.
    pub training: bool,
    /// Where it stands.
    pub state: PaymentState,
    /// What it waits for; `Some` exactly while pending.
    pub pending: Option<PendingReason>,
    /// Every try, in order.
    pub attempts: Vec<Attempt>,
    /// The attempt that paid it.
    pub paid_by: Option<u32>,
    /// Every return of its money, in order.
    #[serde(default)]
    pub refunds: Vec<Refund>,
    /// The cashier asked to cancel.
    pub cancel_requested: bool,
    /// The time to pay ran out.
    pub expired: bool,
    /// What a person has to look at, the latest last.
    pub attention: Vec<String>,
    /// How many events it has seen; a write names the version it was decided on.
    pub version: u64,
    /// When the last event happened.
    pub changed_at: UnixMillis,
}

impl Payment {
    /// The payment that a [`PaymentEvent::Created`] makes.
    ///
    /// # Errors
    /// Any other event, or an amount that no sale may have.
    pub fn create(id: PaymentId, at: UnixMillis, event: &PaymentEvent) -> Result<Self, IllegalEvent> {
        let PaymentEvent::Created { amount, description, store, till, operator, collect_until, training } = event
        else {
            return Err(IllegalEvent { event: event.kind(), state: "absent", why: "it was never created" });
        };
        if amount.check_sale().is_err() {
            return Err(IllegalEvent { event: event.kind(), state: "absent", why: "its amount is out of range" });
        }
        Ok(Self {
            id,
            amount: *amount,
            description: description.clone(),
            store: store.clone(),
            till: till.clone(),
            operator: operator.clone(),
            created_at: at,
            collect_until: *collect_until,
            training: *training,
            state: PaymentState::Created,
            pending: None,
            attempts: Vec::new(),
            paid_by: None,
            refunds: Vec::new(),
            cancel_requested: false,
            expired: false,
            attention: Vec::new(),
            version: 1,
            changed_at: at,
        })
    }

    /// Lets `event` happen at `at`. On an error nothing has changed.
    ///
    /// # Errors
    /// [`IllegalEvent`] names the rule it breaks.
    pub fn apply(&mut self, at: UnixMillis, event: &PaymentEvent) -> Result<(), IllegalEvent> {
        let mut next = self.clone();
        next.take(at, event).map_err(|why| IllegalEvent { event: event.kind(), state: self.state.name(), why })?;
        let (state, pending) = next.derive();
        if !self.state.may_become(state) {
            return Err(IllegalEvent { event: event.kind(), state: self.state.name(), why: "no such transition" });
        }
        next.state = state;
        next.pending = pending;
        next.version += 1;
        next.changed_at = at;
        *self = next;
        Ok(())
    }

    /// The attempt with that number.
    #[must_use]
    pub fn attempt(&self, no: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.no == no)
    }

    /// The attempt with that number with the provider.
    #[must_use]
    pub fn attempt_by_out_trade_no(&self, out_trade_no: &OutTradeNo) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| &attempt.out_trade_no == out_trade_no)
    }

    /// The attempt that paid, or else the latest: the one a person asks about.
    #[must_use]
    pub fn leading_attempt(&self) -> Option<&Attempt> {
        self.paid_by.and_then(|no| self.attempt(no)).or_else(|| self.attempts.last())
    }

    /// Why it failed: the latest attempt's failure.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.attempts.iter().rev().find_map(|attempt| attempt.failure.as_ref())
    }

    /// The channel it was paid through, or is being paid through.
    #[must_use]
    pub fn channel(&self) -> Option<&ChannelId> {
        self.leading_attempt().map(|attempt| &attempt.channel)
    }

    /// Attempts that are not at an end.
    pub fn open_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| !attempt.state.is_end())
    }

    /// Whether the engine still has work to do: the payment, an attempt or a refund of it is not at an end.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        !self.state.is_end() || self.open_attempts().next().is_some() || self.open_refunds().next().is_some()
    }

    /// Whether a new attempt may begin.
    #[must_use]
    pub fn accepts_attempts(&self) -> bool {
        !self.state.is_end() && self.paid_by.is_none() && !self.cancel_requested && !self.expired
    }

    fn take(&mut self, at: UnixMillis, event: &PaymentEvent) -> Result<(), &'static str> {
        match event {
            PaymentEvent::Created { .. } => Err("it exists already"),
            PaymentEvent::Changed { amount, description } => {
                if self.state != PaymentState::Created {
                    return Err("something was shown or submitted already");
                }
                if amount.currency != self.amount.currency || amount.check_sale().is_err() {
                    return Err("the new amount is out of range or of another currency");
                }
                self.amount = *amount;
                self.description.clone_from(description);
                Ok(())
            }
            PaymentEvent::AttemptStarted {
                no,
                way,
                channel,
                account,
                out_trade_no,
                auth_code_masked,
                confirmed_by,
                auth_code_mac: _,
            } => {
                if !self.accepts_attempts() {
                    return Err("it takes no more attempts");
                }
                if usize::try_from(*no) != Ok(self.attempts.len() + 1) {
                    return Err("attempts are numbered in order");
                }
                if self.attempt_by_out_trade_no(out_trade_no).is_some() {
                    return Err("the out_trade_no was used already");
                }
                self.attempts.push(Attempt {
                    no: *no,
                    way: *way,
                    channel: channel.clone(),
                    account: account.clone(),
                    out_trade_no: out_trade_no.clone(),
                    confirmed_by: *confirmed_by,
                    seen_by: None,
                    state: AttemptState::Prepared,
                    started_at: at,
                    changed_at: at,
                    code: None,
                    code_expires_at: None,
                    auth_code_masked: auth_code_masked.clone(),
                    provider_trade_no: None,
                    payer: None,
                    paid_at: None,
                    failure: None,
                    out_refund_no: None,
                    deferred: false,
                });
                Ok(())
            }
            PaymentEvent::CodeShown { no, code, code_expires_at } => {
                let attempt = self.moved(*no, at, AttemptState::CodeShown)?;
                attempt.code = Some(code.clone());
                attempt.code_expires_at = Some(*code_expires_at);
                Ok(())
            }
            PaymentEvent::CustomerConfirming { no } => {
                self.moved(*no, at, AttemptState::CustomerConfirming).map(|_| ())
            }
            PaymentEvent::ResultUnknown { no, .. } => self.moved(*no, at, AttemptState::Unknown).map(|_| ()),
            PaymentEvent::VoidStarted { no, reason } => {
                if *reason == VoidReason::PaidOtherwise && self.paid_by.is_none() {
                    return Err("nothing else has paid it");
                }
                self.moved(*no, at, AttemptState::Voiding).map(|_| ())
            }
            PaymentEvent::AttemptSucceeded { no, provider_trade_no, payer, paid_at } => {
                if self
                    .attempt(*no)
                    .is_some_and(|one| one.confirmed_by == ConfirmedBy::Cashier && one.seen_by.is_none())
                {
                    return Err("the cashier has not confirmed it");
                }
                // The sale is paid otherwise, or was over before the money came.
                let surplus = self.paid_by.is_some() || self.state.is_end();
                let to = if surplus { AttemptState::SurplusRefunding } else { AttemptState::Succeeded };
                let attempt = self.moved(*no, at, to)?;
                attempt.provider_trade_no = Some(provider_trade_no.clone());
                attempt.payer.clone_from(payer);
                attempt.paid_at = Some(*paid_at);
                if surplus {
                    attempt.deferred = true;
                } else {
                    self.paid_by = Some(*no);
                }
                Ok(())
            }
            PaymentEvent::AttemptFailed { no, failure } => {
                self.moved(*no, at, AttemptState::Failed)?.failure = Some(failure.clone());
                Ok(())
            }
            PaymentEvent::AttemptClosed { no } => self.moved(*no, at, AttemptState::Closed).map(|_| ()),
            PaymentEvent::AttemptReversed { no, .. } => self.moved(*no, at, AttemptState::Reversed).map(|_| ()),
            PaymentEvent::SurplusRefundStarted { no, out_refund_no } => {
                if self.attempt(*no).is_none_or(|attempt| attempt.state != AttemptState::SurplusRefunding) {
                    return Err("the attempt is no surplus");
                }
                let attempt = self.moved(*no, at, AttemptState::SurplusRefunding)?;
                attempt.out_refund_no = Some(out_refund_no.clone());
                Ok(())
            }
            PaymentEvent::SurplusRefunded { no } => {
                if self.attempt(*no).is_none_or(|attempt| attempt.state != AttemptState::SurplusRefunding) {
                    return Err("the attempt is no surplus that is being refunded");
                }
                self.moved(*no, at, AttemptState::SurplusRefunded).map(|_| ())
            }
            PaymentEvent::SurplusOwed { no } => {
                if self.attempt(*no).is_none_or(|attempt| attempt.state != AttemptState::SurplusRefunding) {
                    return Err("the attempt is no surplus that is being refunded");
                }
                self.moved(*no, at, AttemptState::SurplusOwed).map(|_| ())
            }
            PaymentEvent::CashierConfirmed { no, by } => {
                let attempt = self.attempts.iter_mut().find(|attempt| attempt.no == *no);
                let attempt = attempt.ok_or("it has no such attempt")?;
                if attempt.confirmed_by != ConfirmedBy::Cashier || attempt.code.is_none() {
                    return Err("no code was shown whose payment the cashier confirms");
                }
                if attempt.seen_by.is_some() {
                    return Err("it was confirmed already");
                }
                attempt.seen_by = Some(by.clone());
                Ok(())
            }
            PaymentEvent::ArrivedLate { no } => {
                if self.attempt(*no).is_none_or(|one| one.state != AttemptState::Closed || one.seen_by.is_none()) {
                    return Err("the attempt was not closed, or the cashier has not confirmed it");
                }
                let attempt = self.moved(*no, at, AttemptState::SurplusOwed)?;
                attempt.paid_at = Some(at);
                Ok(())
            }
            PaymentEvent::RefundStarted { .. }
            | PaymentEvent::RefundSucceeded { .. }
            | PaymentEvent::RefundFailed { .. } => self.take_refund(at, event),
            PaymentEvent::OthersDeferred => {
                if self.paid_by.is_none() {
                    return Err("it is not paid");
                }
                if self.open_attempts().all(|attempt| attempt.deferred) {
                    return Err("it waits for no other attempt");
                }
                for attempt in &mut self.attempts {
                    attempt.deferred |= !attempt.state.is_end();
                }
                Ok(())
            }
            PaymentEvent::AttemptDeferred { no } => {
                if self.paid_by.is_some() || !(self.cancel_requested || self.expired) {
                    return Err("it is not being ended");
                }
                let attempt = self.attempts.iter_mut().find(|attempt| attempt.no == *no);
                let attempt = attempt.ok_or("it has no such attempt")?;
                if attempt.state != AttemptState::Voiding || attempt.way != Way::MerchantPresented || attempt.deferred {
                    return Err("the attempt is no shown code that is being closed");
                }
                attempt.deferred = true;
                Ok(())
            }
            PaymentEvent::CancelRequested { .. } => {
                if self.state.is_end() || self.paid_by.is_some() {
                    return Err("it is paid or at its end");
                }
                self.cancel_requested = true;
                Ok(())
            }
            PaymentEvent::Expired => {
                if self.state.is_end() || self.paid_by.is_some() {
                    return Err("it is paid or at its end");
                }
                self.expired = true;
                Ok(())
            }
            PaymentEvent::AttentionRaised { detail } => {
                self.attention.push(detail.clone());
                Ok(())
            }
        }
    }

    pub(super) fn moved(&mut self, no: u32, at: UnixMillis, to: AttemptState) -> Result<&mut Attempt, &'static str> {
        let attempt = self.attempts.iter_mut().find(|attempt| attempt.no == no).ok_or("it has no such attempt")?;
        if !may_move(attempt.state, to) {
            return Err("the attempt is not in a state for it");
        }
        attempt.state = to;
        attempt.changed_at = at;
        Ok(attempt)
    }

    fn derive(&self) -> (PaymentState, Option<PendingReason>) {
        use AttemptState as A;
        let pending = |reason| (PaymentState::Pending, Some(reason));
        let waiting = || self.open_attempts().filter(|attempt| !attempt.deferred);
        if self.paid_by.is_some() {
            return match self.refunded() {
                // Nothing is refunded before the others are closed.
                0 if waiting().next().is_some() => pending(PendingReason::ClosingOthers),
                0 => (PaymentState::Succeeded, None),
                refunded if refunded < self.amount.minor => (PaymentState::PartiallyRefunded, None),
                _ => (PaymentState::Refunded, None),
            };
        }
        let any = |state| waiting().any(|attempt| attempt.state == state);
        let ending = self.cancel_requested || self.expired;
        let for_cashier = self.expired
            && !self.cancel_requested
            && waiting().any(|one| one.confirmed_by == ConfirmedBy::Cashier && one.state == A::CodeShown);
        if any(A::Unknown) {
            pending(PendingReason::ResultUnknown)
        } else if for_cashier {
            pending(PendingReason::AwaitingCashier)
        } else if waiting().next().is_some() && ending {
            pending(PendingReason::Reversing)
        } else if any(A::CustomerConfirming) {
            pending(PendingReason::CustomerConfirming)
        } else if any(A::CodeShown) && !any(A::Prepared) {
            pending(PendingReason::AwaitingScan)
        } else if any(A::Prepared) {
            pending(PendingReason::Submitting)
        } else if any(A::Voiding) {
            pending(PendingReason::Reversing)
        } else {
            // A sale that is over stays what it was, whatever becomes of the attempts that it did not wait for.
            let reversed = self.attempts.iter().any(|one| one.state == A::Reversed && !one.deferred);
            let scanned = self.attempts.iter().rev().find(|attempt| attempt.way == Way::ConsumerPresented);
            match scanned.map(|attempt| attempt.state) {
                _ if reversed => (PaymentState::Reversed, None),
                _ if ending => (PaymentState::Closed, None),
                Some(A::Failed) => (PaymentState::Failed, None),
                Some(_) => (PaymentState::Closed, None),
                None if self.attempts.is_empty() => (PaymentState::Created, None),
                // A code that could not be shown, or ran out, leaves the other ways open.
                None => pending(PendingReason::AwaitingScan),
            }
        }
    }
}

/// The attempts' legal moves. Ends are ends, but for the one that a provider may force: money that arrives on an
/// attempt we took for refused or closed is a matter for [`PaymentEvent::AttentionRaised`], not for a move.
const fn may_move(from: AttemptState, to: AttemptState) -> bool {
    use AttemptState as A;
    matches!(
        (from, to),
        (A::Prepared | A::CodeShown, A::CodeShown | A::CustomerConfirming | A::Unknown | A::Voiding)
            | (A::CustomerConfirming, A::Unknown | A::Voiding)
            | (A::Unknown, A::CustomerConfirming | A::CodeShown | A::Voiding)
            | (
                A::Prepared | A::CodeShown | A::CustomerConfirming | A::Unknown | A::Voiding,
                A::Succeeded | A::SurplusRefunding | A::Failed | A::Closed | A::Reversed,
            )
            | (A::SurplusRefunding, A::SurplusRefunding | A::SurplusRefunded | A::SurplusOwed)
            // A person saw the money arrive after all, and a person pays it back.
            | (A::Closed, A::SurplusOwed)
            | (A::SurplusOwed, A::SurplusRefunded)
    )
}
