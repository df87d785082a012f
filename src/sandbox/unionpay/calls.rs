//! What each transaction does in the books and answers.

use std::sync::Arc;

use super::HERE;
use super::answer::{Refused, payment, repeated, return_of, settlement_day, state, with_code, words};
use super::file;
use super::message::Fields;
use super::request::{Identity, Request};
use crate::sandbox::book::{Details, Millis, Number, Order, Refunding, Refusal, Trade, TradeState};
use crate::sandbox::wire::china_zone;
use crate::sandbox::{Shared, notify};

const MINUTE: Millis = 60_000;
/// A shown code is good for so long unless the merchant says otherwise.
const SHOWN_LIFETIME: Millis = 120 * MINUTE;
/// Eleven months.
const REFUND_WINDOW: Millis = 330 * 24 * 60 * MINUTE;

/// The transactions that the gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// 01/06: the customer's code was scanned.
    Pay,
    /// 01/07: a code to show.
    Precreate,
    /// 31/00
    Void,
    /// 04/00
    Refund,
    /// 99/01
    Reverse,
    /// 00/00, and 00/02 by the gateway's own number.
    Query,
    /// 76/01
    File,
}

impl Call {
    pub fn of(txn_type: &str, txn_sub_type: &str) -> Option<Self> {
        Some(match (txn_type, txn_sub_type) {
            ("01", "06") => Self::Pay,
            ("01", "07") => Self::Precreate,
            ("31", "00") => Self::Void,
            ("04", "00") => Self::Refund,
            ("99", "01") => Self::Reverse,
            ("00", "00" | "02") => Self::Query,
            ("76", "01") => Self::File,
            _ => return None,
        })
    }

    /// What faults call it.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Pay => &["pay"],
            Self::Precreate => &["precreate"],
            Self::Void => &["cancel", "void"],
            Self::Refund => &["refund"],
            Self::Reverse => &["cancel", "reverse"],
            Self::Query => &["query"],
            Self::File => &["bill"],
        }
    }
}

pub(super) fn perform(shared: &Arc<Shared>, call: Call, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    match call {
        Call::Pay => pay(shared, request, now),
        Call::Precreate => precreate(shared, request, now),
        Call::Void => void(shared, request, now),
        Call::Refund => refund(shared, request, now),
        Call::Reverse => reverse(shared, request, now),
        Call::Query => query(shared, request, now),
        Call::File => settlement(shared, request, now),
    }
}

fn accepted(request: &Request<'_>) -> Fields {
    with_code(repeated(request.fields()), "00")
}

/// A number serves once, for whatever transaction.
fn unused(shared: &Shared, order_id: &str, now: Millis) -> Result<(), Refused> {
    let mut book = shared.book();
    let known = book.query(HERE, Number::Merchant(order_id), now).is_ok() || book.find_refund(HERE, order_id).is_ok();
    if known { Err(Refused::new("12")) } else { Ok(()) }
}

fn order(request: &Request<'_>, own: &Identity<'_>, expires_at: Millis) -> Result<Order, Refused> {
    let subject = request.optional("orderDesc").unwrap_or("消费");
    Ok(Order {
        channel: HERE,
        out_trade_no: own.order_id.to_owned(),
        subject: subject.to_owned(),
        amount: request.amount()?,
        expires_at,
        attach: request.optional("reqReserved").map(str::to_owned),
        notify_url: request.back_url()?,
        notify_serial: None,
        details: request.details(),
    })
}

/// Accepted is not paid: what came of it is told by the query and the notification, a refusal too.
fn pay(shared: &Arc<Shared>, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let own = request.identity(now)?;
    let code = request.need("qrNo")?;
    if code.len() > 20 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refused::malformed());
    }
    request.need("termId")?;
    unused(shared, own.order_id, now)?;
    let order = order(request, &own, now + SHOWN_LIFETIME)?;
    let paid = shared.book().pay_by_code(order.clone(), code, now);
    let trade = paid.unwrap_or_else(|refusal| failed(shared, order, refusal, now));
    if trade.state == TradeState::Success {
        notify::paid(shared, &trade);
    }
    let mut told = accepted(request);
    told.insert("queryId".into(), trade.provider_trade_no);
    Ok(told)
}

/// Keeps what a query has to say of a payment that came to nothing.
fn failed(shared: &Shared, mut order: Order, refusal: Refusal, now: Millis) -> Trade {
    order.details.insert("failed".into(), Refused::from(refusal).0);
    shared.book().add_failed(order, now)
}

fn precreate(shared: &Shared, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let own = request.identity(now)?;
    unused(shared, own.order_id, now)?;
    let expires_at = match request.optional("payTimeout") {
        None => now + SHOWN_LIFETIME,
        Some(text) => super::request::china_time(text).filter(|at| *at > now).ok_or_else(Refused::malformed)?,
    };
    let order = order(request, &own, expires_at)?;
    let trade = shared.book().create_order(order, now)?;
    let mut told = accepted(request);
    told.insert("qrCode".into(), trade.payload.unwrap_or_default());
    Ok(told)
}

/// The payment that a later transaction is about: by the gateway's number, or by the merchant's number and time.
fn original(shared: &Shared, request: &Request<'_>, now: Millis) -> Result<Trade, Refused> {
    let mut book = shared.book();
    let found = match (request.optional("origQryId"), request.optional("origOrderId")) {
        (Some(number), _) => book.query(HERE, Number::Provider(number), now),
        (None, Some(number)) => {
            let time = request.need("origTxnTime")?;
            book.query(HERE, Number::Merchant(number), now).and_then(|trade| of_time(trade, time))
        }
        (None, None) => return Err(Refused::missing()),
    };
    let trade = found.map_err(|_| Refused::new("35"))?;
    match trade.state {
        TradeState::Success => Ok(trade),
        TradeState::Refunded => Err(Refused::new("45")),
        TradeState::Reversed => Err(Refused::new("46")),
        TradeState::Created | TradeState::WaitBuyerPay | TradeState::Closed => Err(Refused::new("35")),
    }
}

/// A merchant's number means an order together with its time.
fn of_time(trade: Trade, time: &str) -> Result<Trade, Refusal> {
    if trade.details.get("txnTime").is_some_and(|own| own == time) { Ok(trade) } else { Err(Refusal::Absent) }
}

/// The whole goes back, within the settlement in which it was paid.
fn void(shared: &Arc<Shared>, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let own = request.identity(now)?;
    unused(shared, own.order_id, now)?;
    let trade = original(shared, request, now)?;
    if request.amount()? != trade.amount {
        return Err(Refused::new("36"));
    }
    if trade.refunded > 0 {
        return Err(Refused::new("45"));
    }
    let day = |at| settlement_day(at, "%Y%m%d");
    if trade.paid_at.is_none_or(|paid_at| day(paid_at) != day(now)) {
        return Err(Refused::new("39"));
    }
    give_back(shared, request, &own, &trade, now)
}

fn refund(shared: &Arc<Shared>, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let own = request.identity(now)?;
    unused(shared, own.order_id, now)?;
    let trade = original(shared, request, now)?;
    if trade.paid_at.is_none_or(|paid_at| now - paid_at > REFUND_WINDOW) {
        return Err(Refused::new("39"));
    }
    give_back(shared, request, &own, &trade, now)
}

fn give_back(
    shared: &Arc<Shared>,
    request: &Request<'_>,
    own: &Identity<'_>,
    trade: &Trade,
    now: Millis,
) -> Result<Fields, Refused> {
    let mut details: Details = request.details();
    details.insert("txnType".into(), request.need("txnType")?.to_owned());
    if let Some(attach) = request.optional("reqReserved") {
        details.insert("reqReserved".into(), attach.to_owned());
    }
    let wanted = Refunding {
        out_refund_no: own.order_id.to_owned(),
        amount: request.amount()?,
        notify_url: request.back_url()?,
        details,
    };
    let number = Number::Provider(&trade.provider_trade_no);
    let (trade, refund, _) = shared.book().refund(HERE, number, &wanted, now)?;
    // The payment's own place is told of the payment alone.
    if refund.notify_url.is_some() {
        notify::refunded(shared, &trade, &refund);
    }
    let mut told = accepted(request);
    told.insert("queryId".into(), refund.refund_id);
    told.insert("origQryId".into(), trade.provider_trade_no);
    Ok(told)
}

/// Takes a payment back whose end the merchant does not know; it goes by the payment's own number and time.
fn reverse(shared: &Shared, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let own = request.identity(now)?;
    let mut book = shared.book();
    let number = Number::Merchant(own.order_id);
    let trade = book.query(HERE, number, now).and_then(|trade| of_time(trade, own.txn_time))?;
    let (trade, _) = book.take_back(HERE, number, now).map(|(_, done)| (trade, done))?;
    let mut told = accepted(request);
    told.insert("queryId".into(), trade.provider_trade_no);
    Ok(told)
}

fn query(shared: &Shared, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let mut book = shared.book();
    let mut told = accepted(request);
    let mut stands = |code: &str| {
        told.insert("origRespCode".into(), code.to_owned());
        told.insert("origRespMsg".into(), words(code).to_owned());
    };
    if let Some(number) = request.optional("queryId") {
        let trade = book.query(HERE, Number::Provider(number), now)?;
        stands(state(&trade).ok_or(Refusal::Absent)?);
        return Ok(payment(told, &trade));
    }
    let (order_id, time) = (request.need("orderId")?, request.need("txnTime")?);
    if let Ok((trade, refund)) = book.find_refund(HERE, order_id) {
        if refund.details.get("txnTime").is_none_or(|own| own != time) {
            return Err(Refusal::Absent.into());
        }
        stands("00");
        return Ok(return_of(told, &trade, &refund));
    }
    let trade = book.query(HERE, Number::Merchant(order_id), now).and_then(|trade| of_time(trade, time))?;
    stands(state(&trade).ok_or(Refusal::Absent)?);
    Ok(payment(told, &trade))
}

/// A day's file is there when its settlement is over.
fn settlement(shared: &Shared, request: &Request<'_>, now: Millis) -> Result<Fields, Refused> {
    let absent = || Refused::new("98");
    if request.need("fileType")? != "00" {
        return Err(absent());
    }
    let day = file::day_of(request.need("settleDate")?, now).ok_or_else(absent)?;
    // From 23:00 of the day before until 23:00.
    let end = day.at(23, 0, 0, 0).to_zoned(china_zone()).map_err(|_| absent())?.timestamp().as_millisecond();
    if now < end {
        return Err(absent());
    }
    let entries = shared.book().between(HERE, end - 24 * 60 * MINUTE, end);
    let (name, content) = file::content(&shared.credentials.unionpay.mer_id, day, &entries).ok_or_else(absent)?;
    let mut told = accepted(request);
    told.insert("fileName".into(), name);
    told.insert("fileContent".into(), content);
    Ok(told)
}
