//! Asynchronous notifications, repeated on the provider's schedule (sped up) until the merchant acknowledges. How a
//! provider words, signs and repeats them is in its own folder.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::book::{Millis, Provider, Refund, Trade, TradeState};
use super::faults::{Kind, NoticeFate};
use super::keys::Credentials;
use super::{Shared, alipay, unionpay, wechatpay};
use crate::crypto::random_bytes;

/// The longest answer that is read.
const MAX_ANSWER: usize = 4_096;

/// What a merchant is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The trade was paid.
    Paid,
    /// A part or the whole went back.
    Refunded(Refund),
}

/// A notification: the same through all its repeats.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// A merchant knows a repeat by it.
    pub id: String,
    /// What happened.
    pub event: Event,
    /// To which trade, as it stood then.
    pub trade: Trade,
    /// Where to.
    pub url: String,
    /// Somebody else signs it.
    pub forged: bool,
}

/// One delivery as it goes over the wire, by POST.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// How a provider tells its merchants.
pub(super) struct Way {
    /// Seconds before each repeat.
    pub schedule: &'static [u64],
    /// Words and signs one delivery, at that time by the provider's clock.
    pub message: fn(&Credentials, &Notice, Millis) -> Message,
    /// Whether an answer (status and body) ends the repeats of a notification.
    pub acknowledged: fn(&Notice, u16, &[u8]) -> bool,
}

const fn way(provider: Provider) -> &'static Way {
    match provider {
        Provider::Alipay => &alipay::NOTIFY,
        Provider::Wechatpay => &wechatpay::NOTIFY,
        Provider::Unionpay => &unionpay::NOTIFY,
    }
}

/// Tells the merchant that a trade was paid, where it asked to be told.
pub(super) fn paid(shared: &Arc<Shared>, trade: &Trade) {
    if let Some(url) = trade.notify_url.clone() {
        start(shared, Event::Paid, trade, url);
    }
}

/// Tells the merchant of a refund, where it asked to be told of it or of the trade.
pub(super) fn refunded(shared: &Arc<Shared>, trade: &Trade, refund: &Refund) {
    if let Some(url) = refund.notify_url.as_ref().or(trade.notify_url.as_ref()).cloned() {
        start(shared, Event::Refunded(refund.clone()), trade, url);
    }
}

/// Tells once that a trade was paid, whatever the books say; whether the merchant took it, `None` where it asked for none.
pub(super) async fn falsely(shared: &Shared, mut trade: Trade, forged: bool, now: Millis) -> Option<bool> {
    let url = trade.notify_url.clone()?;
    trade.state = TradeState::Success;
    trade.paid_at.get_or_insert(now);
    let way = way(trade.channel);
    let notice = Notice { id: hex::encode(random_bytes::<16>()), event: Event::Paid, trade, url, forged };
    let message = (way.message)(&shared.credentials, &notice, shared.wall(notice.trade.channel));
    Some(deliver(shared, way, &notice, message).await)
}

fn start(shared: &Arc<Shared>, event: Event, trade: &Trade, url: String) {
    let notice = Notice { id: hex::encode(random_bytes::<16>()), event, trade: trade.clone(), url, forged: false };
    let sender = shared.clone();
    let mut tasks = shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
    while tasks.try_join_next().is_some() {}
    tasks.spawn(async move { repeat(&sender, &notice).await });
}

/// Delivers until the merchant takes it or the schedule ends.
async fn repeat(shared: &Shared, notice: &Notice) {
    let channel = notice.trade.channel;
    let way = way(channel);
    for pause in std::iter::once(0).chain(way.schedule.iter().copied()) {
        tokio::time::sleep(Duration::from_secs(pause) / shared.speed_up).await;
        let fate = shared.faults().notice_fate(channel);
        if attempt(shared, way, notice, fate).await {
            shared.delivered.send_modify(|count| *count += 1);
            return;
        }
    }
}

/// One delivery, with what is to go wrong with it; whether the merchant took it.
async fn attempt(shared: &Shared, way: &Way, notice: &Notice, fate: NoticeFate) -> bool {
    let word = |notice: &Notice| (way.message)(&shared.credentials, notice, shared.wall(notice.trade.channel));
    match fate {
        Some((Kind::Lose, _)) => return false,
        Some((Kind::Late, wait)) => tokio::time::sleep(wait).await,
        Some((Kind::Reorder, wait)) => {
            let mut delivered = shared.delivered.subscribe();
            // Another's delivery, or the end of patience: either way this one is next.
            let _ = tokio::time::timeout(wait, delivered.changed()).await;
        }
        Some((Kind::Forge, _)) => {
            let forged = Notice { forged: true, ..notice.clone() };
            let _ = deliver(shared, way, notice, word(&forged)).await;
        }
        Some((Kind::WrongAmount, _)) => {
            let mut wrong = notice.clone();
            match &mut wrong.event {
                Event::Paid => wrong.trade.amount += 1,
                Event::Refunded(refund) => {
                    refund.amount += 1;
                    wrong.trade.refunded += 1;
                }
            }
            return deliver(shared, way, notice, word(&wrong)).await;
        }
        _ => {}
    }
    let message = word(notice);
    let taken = deliver(shared, way, notice, message.clone()).await;
    match fate {
        Some((Kind::Duplicate, _)) => {
            let again = deliver(shared, way, notice, word(notice)).await;
            taken || again
        }
        Some((Kind::Replay, wait)) if taken => {
            tokio::time::sleep(wait).await;
            let _ = deliver(shared, way, notice, message).await;
            true
        }
        _ => taken,
    }
}

/// Sends one message; whether the merchant took it.
async fn deliver(shared: &Shared, way: &Way, notice: &Notice, message: Message) -> bool {
    let Message { headers, body } = message;
    let request = shared.http.post(&notice.url);
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let Ok(mut answer) = request.body(body).send().await else { return false };
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ANSWER {
            return false;
        }
    }
    (way.acknowledged)(notice, answer.status().as_u16(), &text)
}
