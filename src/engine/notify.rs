//! A provider's notification: signature first, once only, compared with the books, and acknowledged only when durable.

use serde_json::json;

use super::decide::{self, Memory, Outcome};
use super::driver::Order;
use super::{Engine, MAX_CONFLICTS};
use crate::channel::{Acknowledgement, Notification, RawNotification, Told};
use crate::ledger::{Commit, LedgerError};
use crate::payment::{AccountId, ChannelId};

/// Of a body that nobody signed, no more than this is kept.
const KEPT_BYTES: usize = 4096;

impl Engine {
    /// Takes a provider's notification. The answer is given only after what it says is durable.
    pub async fn notify(&self, channel: &ChannelId, account: &AccountId, raw: RawNotification) -> Acknowledgement {
        let accounts = self.inner.accounts();
        let Some(entry) = accounts.get(account).filter(|entry| &entry.account.channel == channel) else {
            return Acknowledgement { status: 404, content_type: "text/plain", body: "no such account".into() };
        };
        let now = self.inner.clock.now();
        let kept = || String::from_utf8_lossy(&raw.body[..raw.body.len().min(KEPT_BYTES)]).into_owned();
        let told = match entry.channel.read_notification(&raw, now) {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%channel, %account, %error, "a notification was refused");
                let payload = json!({ "account": account, "why": error.to_string(), "body": kept() });
                if let Err(error) = self.inner.ledger.note(now, "notification", "notification_refused", payload).await {
                    tracing::error!(%error, "a refused notification could not be kept");
                }
                return entry.channel.acknowledge(false);
            }
        };
        match self.count(channel, account, &told).await {
            Ok(()) => entry.channel.acknowledge(true),
            Err(LedgerError::NotFound) => {
                // Signed by the provider, but for no order of ours: a person has to know.
                let payload =
                    json!({ "account": account, "id": told.id, "out_trade_no": told.out_trade_no, "body": kept() });
                let note = self.inner.ledger.note(now, "notification", "notification_unknown_order", payload).await;
                entry.channel.acknowledge(note.is_ok())
            }
            Err(error) => {
                tracing::error!(%channel, %account, %error, "a notification could not be written down");
                entry.channel.acknowledge(false)
            }
        }
    }

    async fn count(&self, channel: &ChannelId, account: &AccountId, told: &Notification) -> Result<(), LedgerError> {
        let inner = &self.inner;
        // The refund of a part is no state of the attempt's.
        let outcome = match &told.told {
            Told::Trade(outcome) => Outcome::Query(outcome.clone()),
            Told::Refund { .. } => return Ok(()),
        };
        for _ in 0..MAX_CONFLICTS {
            let payment =
                inner.ledger.payment_by_out_trade_no(&told.out_trade_no).await?.ok_or(LedgerError::NotFound)?;
            let attempt = payment.attempt_by_out_trade_no(&told.out_trade_no).ok_or(LedgerError::NotFound)?;
            if &attempt.account != account {
                return Err(LedgerError::NotFound);
            }
            let numbers = inner.accounts().capabilities(account).ok_or(LedgerError::NotFound)?;
            let now = inner.clock.now();
            let events = decide::events(&payment, attempt.no, &outcome, &numbers, &mut Memory::default(), now);
            let commit = Commit {
                payment: payment.id.clone(),
                expect: Some(payment.version),
                actor: format!("provider:{channel}"),
                at: now,
                events,
                answer: None,
                notification: Some(format!("{account}/{}", told.id)),
                lease: None,
            };
            match inner.ledger.commit(commit).await {
                Ok(_) => {
                    inner.order(&payment.id, Order::Wake);
                    return Ok(());
                }
                Err(LedgerError::NotificationSeen) => return Ok(()),
                Err(LedgerError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(LedgerError::Conflict)
    }
}
