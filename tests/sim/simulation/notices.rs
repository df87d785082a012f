//! What providers tell by themselves, and how badly it travels. The word at the beginning stands for the signature.

use std::sync::Arc;

use scantill::channel::{Notification, NotificationError, Paid, QueryOutcome, RawNotification, RefundOutcome, Told};
use scantill::money::{Currency, Money};
use scantill::sandbox::book::{Provider, Trade};

use super::providers::Providers;
use super::world::Fault;

const SIGNED: &str = "signed";
/// After how long a notification that nobody acknowledged is said again.
const AGAIN: [i64; 8] = [15_000, 15_000, 30_000, 180_000, 600_000, 1_200_000, 1_800_000, 3_600_000];

/// What a notification says.
#[derive(Debug, Clone)]
pub enum Says {
    Paid(i64),
    Refunded(String),
}

#[derive(Debug, Clone)]
pub struct Notice {
    who: Provider,
    id: String,
    out_trade_no: String,
    provider_trade_no: String,
    paid_at: i64,
    says: Says,
}

impl Notice {
    pub fn about(trade: &Trade, says: Says) -> Self {
        let id = match &says {
            Says::Paid(_) => format!("n-{}", trade.provider_trade_no),
            Says::Refunded(number) => format!("n-{number}"),
        };
        Self {
            who: trade.channel,
            id,
            out_trade_no: trade.out_trade_no.clone(),
            provider_trade_no: trade.provider_trade_no.clone(),
            paid_at: trade.paid_at.unwrap_or_default(),
            says,
        }
    }

    fn body(&self, signature: &str) -> String {
        let Self { id, out_trade_no, provider_trade_no, paid_at, .. } = self;
        match &self.says {
            Says::Paid(amount) => {
                format!("{signature} {id} {out_trade_no} paid {amount} {provider_trade_no} {paid_at}")
            }
            Says::Refunded(number) => format!("{signature} {id} {out_trade_no} refunded {number}"),
        }
    }
}

/// Reads a notification as a channel does.
pub fn read(raw: &RawNotification) -> Result<Notification, NotificationError> {
    let text = String::from_utf8_lossy(&raw.body).into_owned();
    let fields: Vec<_> = text.split(' ').collect();
    let unreadable = |what: &str| NotificationError::Unreadable(what.into());
    let (id, number, told) = match fields.as_slice() {
        [SIGNED, id, number, "paid", amount, provider_trade_no, paid_at] => {
            let paid = Paid {
                provider_trade_no: (*provider_trade_no).to_owned(),
                amount: Money::new(amount.parse().map_err(|_| unreadable("amount"))?, Currency::CNY),
                payer: None,
                paid_at: paid_at.parse().map_err(|_| unreadable("time"))?,
            };
            (id, number, Told::Trade(QueryOutcome::Paid(paid)))
        }
        [SIGNED, id, number, "refunded", refund] => {
            let out_refund_no = Some((*refund).to_owned());
            (id, number, Told::Refund { out_refund_no, outcome: RefundOutcome::Done })
        }
        [SIGNED, ..] => return Err(unreadable("shape")),
        _ => return Err(NotificationError::BadSignature),
    };
    let out_trade_no = number.parse().map_err(|_| unreadable("number"))?;
    Ok(Notification { id: (*id).to_owned(), out_trade_no, told })
}

/// Tells it until somebody acknowledges, and whatever else may happen to it on its way.
pub fn send(providers: &Arc<Providers>, notice: Notice) {
    let world = providers.world.clone();
    let (providers, busy) = (providers.clone(), world.busy());
    tokio::spawn(async move {
        let _busy = busy;
        let body = notice.body(SIGNED);
        let wait = if world.hit(Fault::NoticeLate) { world.some(5_000, 900_000) } else { world.some(1, 3_000) };
        world.pass(wait).await;
        if let (true, Says::Paid(amount)) = (world.hit(Fault::NoticeWrongAmount), &notice.says) {
            let says = Says::Paid(amount + 1);
            let other = Notice { id: format!("{}x", notice.id), says, ..notice.clone() };
            deliver(&providers, notice.who, other.body(SIGNED)).await;
        }
        for again in AGAIN {
            if !world.hit(Fault::NoticeLost) && deliver(&providers, notice.who, body.clone()).await {
                break;
            }
            world.pass(again).await;
        }
        if world.hit(Fault::NoticeTwice) {
            world.pass(world.some(0, 20_000)).await;
            deliver(&providers, notice.who, body.clone()).await;
        }
        if world.hit(Fault::NoticeReplayed) {
            world.pass(world.some(60_000, 7_200_000)).await;
            deliver(&providers, notice.who, body).await;
        }
    });
}

/// Somebody who is not the provider says that an attempt was paid.
pub async fn forge(providers: &Arc<Providers>, who: Provider, out_trade_no: &str, amount: i64) {
    let body = format!("forged n-forged {out_trade_no} paid {amount} 4200 1");
    deliver(providers, who, body).await;
}

/// Whether it was acknowledged.
async fn deliver(providers: &Arc<Providers>, who: Provider, body: String) -> bool {
    let Some(house) = providers.house() else { return false };
    let name = who.name();
    let path = format!("/v1/notifications/{name}/{name}");
    let answer = house.call(None, "POST", &path, body.into_bytes(), None).await;
    providers.world.tell(format_args!("notice to {name}: {:?}", answer.as_ref().map(|(status, _)| *status)));
    matches!(answer, Ok((200, _)))
}
