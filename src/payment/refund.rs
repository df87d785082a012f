//! Money that goes back to the customer after a sale was paid.

use serde::{Deserialize, Serialize};

use super::{AttemptState, Failure, Payment, PaymentEvent, UnixMillis};
use crate::money::Money;

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for; the provider has not said what came of it.
    Pending,
    /// The money is on its way back.
    Succeeded,
    /// Refused for good; nothing went back.
    Failed,
}

impl RefundState {
    /// Whether nothing more will happen to the refund.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Pending)
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// One return of money, in part or in whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Counts from 1 within its payment.
    pub no: u32,
    /// The attempt whose money goes back.
    pub attempt: u32,
    /// Our number for it with the provider.
    pub out_refund_no: String,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// Who wanted it.
    pub by: String,
    /// Paid back by a person, past the provider.
    pub by_hand: bool,
    /// Where it stands.
    pub state: RefundState,
    /// When its intent was written.
    pub started_at: UnixMillis,
    /// When its state last changed.
    pub changed_at: UnixMillis,
    /// Why it was refused.
    pub failure: Option<Failure>,
}

impl Payment {
    /// The refund with that number.
    #[must_use]
    pub fn refund(&self, no: u32) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.no == no)
    }

    /// The refund with that number with the provider.
    #[must_use]
    pub fn refund_by_number(&self, out_refund_no: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.out_refund_no == out_refund_no)
    }

    /// Refunds whose end is not known.
    pub fn open_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(|refund| !refund.state.is_end())
    }

    /// How much of what was paid went back, in minor units. A surplus that went back is not counted.
    #[must_use]
    pub fn refunded(&self) -> i64 {
        self.sum_of_refunds(|state| state == RefundState::Succeeded)
    }

    /// How much can still be asked back: what was paid less what went back or is on its way.
    #[must_use]
    pub fn refundable(&self) -> i64 {
        if self.state.is_paid() {
            self.amount.minor - self.sum_of_refunds(|state| state != RefundState::Failed)
        } else {
            0
        }
    }

    fn sum_of_refunds(&self, counts: impl Fn(RefundState) -> bool) -> i64 {
        let of_sale = self.refunds.iter().filter(|refund| Some(refund.attempt) == self.paid_by);
        of_sale.filter(|refund| counts(refund.state)).map(|refund| refund.amount.minor).sum()
    }

    /// Lets an event about a refund happen.
    pub(super) fn take_refund(&mut self, at: UnixMillis, event: &PaymentEvent) -> Result<(), &'static str> {
        match event {
            PaymentEvent::RefundStarted { no, attempt, out_refund_no, amount, reason, by, by_hand } => {
                if usize::try_from(*no) != Ok(self.refunds.len() + 1) {
                    return Err("refunds are numbered in order");
                }
                if self.refund_by_number(out_refund_no).is_some() {
                    return Err("the out_refund_no was used already");
                }
                self.check_refund(*attempt, *amount, *by_hand)?;
                self.refunds.push(Refund {
                    no: *no,
                    attempt: *attempt,
                    out_refund_no: out_refund_no.clone(),
                    amount: *amount,
                    reason: reason.clone(),
                    by: by.clone(),
                    by_hand: *by_hand,
                    state: RefundState::Pending,
                    started_at: at,
                    changed_at: at,
                    failure: None,
                });
                Ok(())
            }
            PaymentEvent::RefundSucceeded { no } => {
                let attempt = self.end_refund(*no, at, RefundState::Succeeded, None)?;
                if self.attempt(attempt).is_some_and(|one| one.state == AttemptState::SurplusOwed) {
                    self.moved(attempt, at, AttemptState::SurplusRefunded)?;
                }
                Ok(())
            }
            PaymentEvent::RefundFailed { no, failure } => {
                self.end_refund(*no, at, RefundState::Failed, Some(failure.clone())).map(|_| ())
            }
            _ => Err("it is about no refund"),
        }
    }

    fn check_refund(&self, attempt: u32, amount: Money, by_hand: bool) -> Result<(), &'static str> {
        if amount.currency != self.amount.currency || amount.minor <= 0 {
            return Err("the amount is out of range or of another currency");
        }
        if Some(attempt) == self.paid_by {
            if !self.state.is_paid() {
                return Err("nothing of it can be refunded");
            }
            return if amount.minor > self.refundable() {
                Err("more would go back than is left of it")
            } else {
                Ok(())
            };
        }
        let owed = self.attempt(attempt).is_some_and(|one| one.state == AttemptState::SurplusOwed);
        if !owed || !by_hand {
            return Err("that attempt has no money that a person has to pay back");
        }
        if amount != self.amount || self.open_refunds().any(|refund| refund.attempt == attempt) {
            return Err("a surplus goes back as a whole and once");
        }
        Ok(())
    }

    fn end_refund(
        &mut self,
        no: u32,
        at: UnixMillis,
        state: RefundState,
        failure: Option<Failure>,
    ) -> Result<u32, &'static str> {
        let refund = self.refunds.iter_mut().find(|refund| refund.no == no).ok_or("it has no such refund")?;
        if refund.state.is_end() {
            return Err("the refund is at its end");
        }
        refund.state = state;
        refund.changed_at = at;
        refund.failure = failure;
        Ok(refund.attempt)
    }
}
