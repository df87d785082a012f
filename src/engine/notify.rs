//! A provider's notification: signature first, kept as it came, once only, compared with the books, and acknowledged
//! only when durable.

use super::decide::{self, Memory, Outcome};
use super::driver::Order;
use super::{Engine, MAX_CONFLICTS};
use tracing::Instrument;

use crate::channel::{
    Acknowledgement, Notification, NotificationError, QueryOutcome, RawNotification, RefundOutcome, Told,
};
use crate::ledger::{Commit, KeptNotification, LedgerError, Verdict};
use crate::payment::{AccountId, Attempt, AttemptState, ChannelId, Payment, PaymentEvent, UnixMillis};

/// Of a body that nobody signed, no more than this is kept.
const KEPT_UNSIGNED_BYTES: usize = 4096;
/// Of headers so many, each no longer than that.
const KEPT_HEADERS: usize = 40;
const KEPT_HEADER_BYTES: usize = 2048;

/// What a notification is about.
enum About {
    /// A try of this payment.
    Attempt(u32),
    /// A refund of it.
    Refund(u32),
    /// A refund that cannot be told from others, or of which nothing is known: asking tells.
    Something,
}

impl Engine {
    /// Takes a provider's notification. The answer is given only after what it says is durable.
    pub async fn notify(&self, channel: &ChannelId, account: &AccountId, raw: RawNotification) -> Acknowledgement {
        let accounts = self.inner.accounts();
        let Some(entry) = accounts.get(account).filter(|entry| &entry.account.channel == channel) else {
            return Acknowledgement { status: 404, content_type: "text/plain", body: "no such account".into() };
        };
        let now = self.inner.clock.now();
        let read = entry.channel.read_notification(&raw, now);
        let story = tracing::error_span!("notification", %channel, %account);
        let taken = self.take(channel, account, raw, read, now).instrument(story).await;
        if taken.is_err() {
            self.inner.metrics.notifications.add([channel.as_str(), "not_kept"]);
        }
        entry.channel.acknowledge(taken.unwrap_or_else(|error| {
            tracing::error!(%channel, %account, %error, "a notification could not be written down");
            false
        }))
    }

    /// Keeps it and lets it count; false where the provider has to say it again.
    async fn take(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        raw: RawNotification,
        read: Result<Notification, NotificationError>,
        now: UnixMillis,
    ) -> Result<bool, LedgerError> {
        let mut kept = KeptNotification {
            at: now,
            channel: channel.clone(),
            account: account.clone(),
            id: None,
            out_trade_no: None,
            verdict: Verdict::Refused,
            detail: String::new(),
            headers: headers(&raw),
            body: raw.body,
        };
        let told = match read {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%channel, %account, %error, "a notification was refused");
                match error {
                    // The provider did sign it, so something is the matter that nobody else will notice.
                    NotificationError::OtherMerchant | NotificationError::Unreadable(_) => {
                        kept.verdict = Verdict::Unmatched;
                        kept.detail = format!(
                            "{channel} sent something to the account {account} that was not understood: {error}. \
                             Look it up with the provider"
                        );
                    }
                    NotificationError::BadSignature | NotificationError::Stale | NotificationError::NotSent => {
                        kept.body.truncate(KEPT_UNSIGNED_BYTES);
                    }
                }
                self.keep(&kept).await?;
                return Ok(false);
            }
        };
        kept.id = Some(told.id.clone());
        kept.out_trade_no = Some(told.out_trade_no.to_string());
        let Some(payment) = self.payment_of(&told).await? else {
            kept.verdict = Verdict::Unmatched;
            kept.detail = format!(
                "{channel} told the account {account} of {}, which is in no books here: look it up with the provider, \
                 and return the money if it was paid",
                told.out_trade_no
            );
            self.keep(&kept).await?;
            return Ok(true);
        };
        kept.verdict = Verdict::Believed;
        self.keep(&kept).await?;
        self.count(payment, channel, account, &told).await?;
        Ok(true)
    }

    async fn keep(&self, kept: &KeptNotification) -> Result<(), LedgerError> {
        self.inner.ledger.keep_notification(kept).await?;
        self.inner.metrics.notifications.add([kept.channel.as_str(), kept.verdict.name()]);
        Ok(())
    }

    /// The payment that it is about, by the attempt's number or by the refund's.
    async fn payment_of(&self, told: &Notification) -> Result<Option<Payment>, LedgerError> {
        let ledger = &self.inner.ledger;
        if let Some(payment) = ledger.payment_by_out_trade_no(&told.out_trade_no).await? {
            return Ok(Some(payment));
        }
        let Told::Refund { out_refund_no, .. } = &told.told else { return Ok(None) };
        // Some providers tell of a refund under its own number alone.
        ledger.payment_by_out_refund_no(out_refund_no.as_deref().unwrap_or(told.out_trade_no.as_str())).await
    }

    async fn count(
        &self,
        mut payment: Payment,
        channel: &ChannelId,
        account: &AccountId,
        told: &Notification,
    ) -> Result<(), LedgerError> {
        let inner = &self.inner;
        for _ in 0..MAX_CONFLICTS {
            let now = inner.clock.now();
            let commit = Commit {
                payment: payment.id.clone(),
                expect: Some(payment.version),
                actor: format!("provider:{channel}"),
                at: now,
                events: self.told_events(&payment, channel, account, told, now),
                answer: None,
                notification: Some(format!("{account}/{}", told.id)),
                lease: None,
                takes_over: false,
            };
            match inner.commit(Some(&payment), commit).await {
                Ok(_) => {
                    inner.order(&payment.id, Order::Told);
                    return Ok(());
                }
                Err(LedgerError::NotificationSeen) => return Ok(()),
                Err(LedgerError::Conflict) => {}
                Err(error) => return Err(error),
            }
            payment = inner.ledger.payment(&payment.id).await?.ok_or(LedgerError::NotFound)?;
        }
        Err(LedgerError::Conflict)
    }

    fn told_events(
        &self,
        payment: &Payment,
        channel: &ChannelId,
        account: &AccountId,
        told: &Notification,
        now: UnixMillis,
    ) -> Vec<PaymentEvent> {
        let about = about(payment, told);
        let attempt = match about {
            About::Attempt(no) => payment.attempt(no),
            About::Refund(no) => payment.refund(no).and_then(|refund| payment.attempt(refund.attempt)),
            About::Something => payment.attempt_by_out_trade_no(&told.out_trade_no),
        };
        let mut memory = Memory::default();
        match (attempt, &told.told) {
            (Some(attempt), _) if &attempt.account != account => decide::once(
                payment,
                format!(
                    "The account {account} of {channel} was told of {}, which went through {}: check with the provider",
                    told.out_trade_no, attempt.account
                ),
            ),
            (Some(attempt), Told::Trade(outcome)) => {
                // It may have been returned since that was signed: taking it back tells.
                let stale = matches!(outcome, QueryOutcome::Paid(_) | QueryOutcome::SomeReturned(_));
                if stale && attempt.state == AttemptState::Voiding {
                    return Vec::new();
                }
                let Some(numbers) = self.inner.accounts().capabilities(account) else { return Vec::new() };
                decide::events(payment, attempt.no, &Outcome::Query(outcome.clone()), &numbers, &mut memory, now)
            }
            (Some(attempt), Told::Refund { out_refund_no, outcome }) => match about {
                About::Refund(no) => payment
                    .refund(no)
                    .map(|refund| decide::refund_events(payment, refund, outcome, &mut memory))
                    .unwrap_or_default(),
                About::Attempt(no) => surplus_events(attempt, no, outcome),
                About::Something if is_foreign(payment, attempt, out_refund_no.is_some(), outcome) => decide::once(
                    payment,
                    format!(
                        "{channel} told of a refund of {} that was not asked for here: check with the provider",
                        told.out_trade_no
                    ),
                ),
                About::Something => Vec::new(),
            },
            (None, _) => Vec::new(),
        }
    }
}

/// Which of a payment's attempts or refunds it is about.
fn about(payment: &Payment, told: &Notification) -> About {
    let attempt = payment.attempt_by_out_trade_no(&told.out_trade_no);
    let Told::Refund { out_refund_no, .. } = &told.told else {
        return attempt.map_or(About::Something, |attempt| About::Attempt(attempt.no));
    };
    let number = match (out_refund_no, attempt) {
        (Some(number), _) => number.as_str(),
        (None, None) => told.out_trade_no.as_str(),
        // Somebody else's refund of the same trade looks just like one of ours, even where one alone is under way.
        (None, Some(_)) => return About::Something,
    };
    if let Some(refund) = payment.refund_by_number(number) {
        return About::Refund(refund.no);
    }
    let surplus = payment.attempts.iter().find(|one| one.out_refund_no.as_deref() == Some(number));
    surplus.map_or(About::Something, |one| About::Attempt(one.no))
}

/// Whether a refund that is none of those known here was certainly not ours: it has a number, or nothing of the attempt
/// was asked back here.
fn is_foreign(payment: &Payment, attempt: &Attempt, numbered: bool, outcome: &RefundOutcome) -> bool {
    *outcome == RefundOutcome::Done
        && matches!(attempt.state, AttemptState::Succeeded | AttemptState::Failed | AttemptState::Closed)
        && (numbered || !payment.refunds.iter().any(|refund| refund.attempt == attempt.no))
}

/// Of a surplus only that it went back counts: until then it is asked for again.
fn surplus_events(attempt: &Attempt, no: u32, outcome: &RefundOutcome) -> Vec<PaymentEvent> {
    if attempt.state == AttemptState::SurplusRefunding && *outcome == RefundOutcome::Done {
        vec![PaymentEvent::SurplusRefunded { no }]
    } else {
        Vec::new()
    }
}

/// The headers worth keeping: a signature may be among them, and nobody's password.
fn headers(raw: &RawNotification) -> Vec<(String, String)> {
    let secret = |name: &str| matches!(name, "authorization" | "proxy-authorization" | "cookie");
    let kept = raw.headers.iter().filter(|(name, value)| !secret(name) && value.len() <= KEPT_HEADER_BYTES);
    kept.take(KEPT_HEADERS).cloned().collect()
}
