//! What must hold once everything is over: the shop's books against the providers'.

use std::collections::{BTreeMap, HashMap};

use scantill::ledger::{JournalRow, Ledger, LedgerError, PaymentFilter, Sums, TakingsQuery};
use scantill::money::Currency;
use scantill::payment::{Attempt, AttemptState, Payment, PaymentEvent, PaymentId, RefundState, Way};
use scantill::sandbox::book::{Trade, TradeState};

use super::listener::Listener;
use super::process::House;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub payments: u64,
    /// Money was taken that the books do not have.
    pub lost: u64,
    /// More was taken than is due.
    pub doubled: u64,
    /// No end was reached.
    pub stuck: u64,
    pub wrongs: Vec<String>,
}

pub async fn check(house: &House, listeners: &[std::sync::Arc<Listener>]) -> Result<Found, LedgerError> {
    let ledger = house.ledger();
    let mut found = Found { wrongs: house.world.wrongs(), ..Found::default() };
    let payments = ledger.payments(&PaymentFilter { limit: u32::MAX, ..PaymentFilter::default() }).await?;
    let now = house.world.now();
    let trades: HashMap<String, Trade> =
        house.providers.book().trades(now).iter().map(|trade| (trade.out_trade_no.clone(), trade.clone())).collect();
    let mut known = 0;
    for payment in &payments {
        one_owner(&mut found, payment, house);
    }
    for payment in &payments {
        known += payment.attempts.iter().filter(|one| trades.contains_key(one.out_trade_no.as_str())).count();
        compare(&mut found, payment, &trades);
    }
    if known != trades.len() {
        found.lost += 1;
        found.wrongs.push("a provider has a trade that is in no books".into());
    }
    found.payments = payments.len() as u64;
    let rows = ledger.rows_after(0, u32::MAX).await?;
    let net = trades.values().map(net).sum();
    takings(&mut found, &ledger, &rows, net).await?;
    let verified = ledger.verify().await?;
    if let Some(broken) = verified.broken {
        found.wrongs.push(format!("the chain is broken: {broken:?}"));
    }
    for listener in listeners {
        heard(&mut found, &listener.heard(), &rows);
    }
    Ok(found)
}

/// One process at a time acts on a payment. It goes to another where somebody begins an attempt or a refund there, or a
/// lease runs out under a slow disk, and both ask until the one before finds out; two that never do go on all the time.
fn one_owner(found: &mut Found, payment: &Payment, house: &House) {
    let Some(first) = payment.attempts.first() else { return };
    let changes = house.providers.changes_of_owner(first.out_trade_no.as_str());
    let begun = payment.attempts.len() + payment.refunds.len();
    if changes as usize > 20 * begun + 4 {
        found.wrongs.push(format!("{} changed hands {changes} times, of {begun} attempts and refunds", payment.id));
    }
}

/// What a provider still has of a trade.
fn net(trade: &Trade) -> i64 {
    if trade.paid_at.is_some() { trade.amount - trade.refunded } else { 0 }
}

fn compare(found: &mut Found, payment: &Payment, trades: &HashMap<String, Trade>) {
    let id = &payment.id;
    if payment.is_unfinished() {
        found.stuck += 1;
        let open: Vec<_> = payment.open_attempts().map(|one| (one.no, one.state)).collect();
        found.wrongs.push(format!("{id} has no end: {:?}, {open:?}", payment.state));
        return;
    }
    let taken: i64 = payment.attempts.iter().filter_map(|one| trades.get(one.out_trade_no.as_str())).map(net).sum();
    let due = if payment.paid_by.is_some() { payment.amount.minor - payment.refunded() } else { 0 };
    if taken > due {
        if payment.paid_by.is_some() {
            found.doubled += 1;
        } else {
            found.lost += 1;
        }
        found.wrongs.push(format!("{id} is {:?}: {due} is due, and the providers have {taken}", payment.state));
    } else if taken < due {
        found.wrongs.push(format!("{id} is {:?}: {due} is due, and the providers have only {taken}", payment.state));
    }
    for attempt in &payment.attempts {
        let trade = trades.get(attempt.out_trade_no.as_str());
        let paid = trade.is_some_and(|trade| trade.paid_at.is_some());
        let open = trade.is_some_and(|trade| matches!(trade.state, TradeState::Created | TradeState::WaitBuyerPay));
        let fits = match attempt.state {
            AttemptState::Succeeded => paid && trade.is_some_and(|trade| trade.amount == payment.amount.minor) && !open,
            AttemptState::SurplusRefunded => paid && trade.is_none_or(|trade| net(trade) == 0),
            AttemptState::Failed | AttemptState::Closed => !paid && (!open || was_never_seen(attempt)),
            // What was taken in another amount than is due is reversed like any other.
            AttemptState::Reversed => trade.is_none_or(|trade| net(trade) == 0) && !open,
            _ => false,
        };
        if !fits {
            found.wrongs.push(format!("attempt {} of {id} is {:?}, but {trade:?}", attempt.no, attempt.state));
        }
    }
    for refund in payment.refunds.iter().filter(|refund| !refund.by_hand) {
        let attempt = payment.attempt(refund.attempt);
        let trade = attempt.and_then(|attempt| trades.get(attempt.out_trade_no.as_str()));
        let mut done = trade.into_iter().flat_map(|trade| &trade.refunds);
        let done = done.find(|one| one.out_refund_no == refund.out_refund_no);
        let fits = match refund.state {
            RefundState::Succeeded => done.is_some_and(|done| done.amount == refund.amount.minor),
            RefundState::Failed => done.is_none(),
            RefundState::Pending => false,
        };
        if !fits {
            found.wrongs.push(format!("refund {} of {id} is {:?}, but {done:?}", refund.no, refund.state));
        }
    }
    let returned: i64 =
        payment.refunds.iter().filter(|one| one.state != RefundState::Failed).map(|one| one.amount.minor).sum();
    if returned > payment.amount.minor {
        found.wrongs.push(format!("{id}: {returned} is returned of {}", payment.amount.minor));
    }
}

/// The running sums against the journal, added up anew, and against what providers have.
async fn takings(found: &mut Found, ledger: &Ledger, rows: &[JournalRow], net: i64) -> Result<(), LedgerError> {
    let mut payments: HashMap<PaymentId, Payment> = HashMap::new();
    let mut days: BTreeMap<jiff::civil::Date, (i64, i64)> = BTreeMap::new();
    for row in rows {
        let Some(id) = &row.payment else { continue };
        let event: PaymentEvent = serde_json::from_value(row.payload.clone()).expect("an event");
        let applied = match payments.get_mut(id) {
            Some(payment) => payment.apply(row.at, &event),
            None => Payment::create(id.clone(), row.at, &event).map(|payment| {
                payments.insert(id.clone(), payment);
            }),
        };
        if let Err(error) = applied {
            found.wrongs.push(format!("row {} of the journal cannot have happened: {error}", row.seq));
            return Ok(());
        }
        let payment = &payments[id];
        let amount = payment.amount.minor;
        let (gross, refunds) = match &event {
            PaymentEvent::AttemptSucceeded { .. } => (amount, 0),
            PaymentEvent::SurplusRefunded { .. } => (0, amount),
            PaymentEvent::AttemptReversed { captured: true, .. } => (amount, amount),
            PaymentEvent::RefundSucceeded { no } => (0, payment.refund(*no).map_or(0, |refund| refund.amount.minor)),
            _ => (0, 0),
        };
        let day = days.entry(ledger.business_day(row.at)).or_default();
        *day = (day.0 + gross, day.1 + refunds);
    }
    let running = all_takings(ledger, days.keys()).await?;
    let sums: Vec<_> = running.iter().map(|sums| (sums.gross, sums.refunds)).collect();
    if sums != days.values().copied().collect::<Vec<_>>() {
        found.wrongs.push(format!("the takings are {sums:?}, and the journal says {days:?}"));
    }
    let total: i64 = running.iter().map(|sums| sums.net).sum();
    if total != net {
        found.wrongs.push(format!("the takings are {total}, and the providers have {net}"));
    }
    ledger.rebuild().await?;
    if all_takings(ledger, days.keys()).await? != running {
        found.wrongs.push("made anew from the journal, the takings are others".into());
    }
    Ok(())
}

async fn all_takings(
    ledger: &Ledger,
    days: impl Iterator<Item = &jiff::civil::Date>,
) -> Result<Vec<Sums>, LedgerError> {
    let mut sums = Vec::new();
    for day in days {
        let query = TakingsQuery { day: *day, store: None, till: None, training: false, currency: Currency::CNY };
        sums.push(ledger.takings(&query).await?.total);
    }
    Ok(sums)
}

/// Every event at least once, and each for the first time after all before it.
fn heard(found: &mut Found, heard: &[i64], rows: &[JournalRow]) {
    let mut told = rows.iter().filter(|row| row.payment.is_some() || row.kind == scantill::ledger::NOTICE_KIND);
    let mut last = 0;
    for seq in heard.iter().copied() {
        if seq <= last {
            continue;
        }
        let next = told.next().map_or(0, |row| row.seq);
        if seq != next {
            found.wrongs.push(format!("a listener heard event {seq} where {next} was the next"));
            return;
        }
        last = seq;
    }
    if let Some(missed) = told.next() {
        found.wrongs.push(format!("a listener never heard event {}", missed.seq));
    }
}

/// Whether it asked for a code of which nobody ever heard: an order that its provider keeps all the same is paid by
/// nobody, and runs out.
fn was_never_seen(attempt: &Attempt) -> bool {
    attempt.way == Way::MerchantPresented && attempt.code.is_none()
}
