//! Reading a back-notify (后台通知): signature first, then merchant, then meaning. Pure.
//!
//! It brings no time of its sending to compare with ours: the gateway repeats it for some minutes with the same content.
//! That it counts once is for the books; what it says can be said twice without harm.

use super::credentials::Credentials;
use super::fields::Fields;
use super::meaning::{Meaning, failure};
use super::outcome::{of_answer, payment};
use crate::channel::{Notification, NotificationError, QueryOutcome, RefundOutcome, Told};
use crate::payment::UnixMillis;

/// Reads the form that the gateway posts to `backUrl`.
pub(super) fn read(credentials: &Credentials, raw: &[u8], now: UnixMillis) -> Result<Notification, NotificationError> {
    let unreadable = |why: &str| NotificationError::Unreadable(why.to_owned());
    let pairs = serde_urlencoded::from_bytes(raw).map_err(|_| unreadable("it is not a form"))?;
    let fields = Fields::of_form(pairs).ok_or_else(|| unreadable("its fields make no sense"))?;
    let fields = credentials.trust.believed(vec![fields], now).map_err(|_| NotificationError::BadSignature)?;
    if fields.get("merId") != credentials.mer_id {
        return Err(NotificationError::OtherMerchant);
    }
    let order_id = fields.some("orderId").ok_or_else(|| unreadable("it has no orderId"))?;
    let (number, told) = match (fields.get("txnType"), fields.get("txnSubType")) {
        ("01", "06") => (order_id, Told::Trade(purchase(&fields, now, false))),
        ("01", "07") => (order_id, Told::Trade(purchase(&fields, now, true))),
        // Refunds and voids have numbers of their own, and tell the payment's beside it.
        ("04", _) => {
            let told = Told::Refund { out_refund_no: Some(order_id.to_owned()), outcome: refund(&fields) };
            (original(&fields).ok_or_else(|| unreadable("it does not say which payment"))?, told)
        }
        ("31", _) => {
            let number = original(&fields).ok_or_else(|| unreadable("it does not say which payment"))?;
            let told = match of_answer(&fields) {
                Meaning::Done => QueryOutcome::Returned,
                _ => QueryOutcome::Unknown(fields.words()),
            };
            (number, Told::Trade(told))
        }
        ("99", _) => {
            let told = match of_answer(&fields) {
                Meaning::Done | Meaning::Returned => QueryOutcome::Returned,
                _ => QueryOutcome::Unknown(fields.words()),
            };
            (order_id, Told::Trade(told))
        }
        _ => return Err(unreadable("it is about a kind of transaction that this channel never asks for")),
    };
    let out_trade_no = number.parse().map_err(|_| unreadable("its number is none of ours"))?;
    // There is no id of the notification: what it is about and what it says make one.
    let about = fields.some("queryId").unwrap_or(order_id);
    let id = format!("{about}-{}-{}", fields.get("txnType"), fields.get("respCode"));
    Ok(Notification { id, out_trade_no, told })
}

/// The payment that a refund or a void takes back: the gateway names it, or our own field that it passes on does.
fn original(fields: &Fields) -> Option<&str> {
    fields.some("origOrderId").or_else(|| fields.some("reqReserved"))
}

fn purchase(fields: &Fields, now: UnixMillis, shown: bool) -> QueryOutcome {
    match of_answer(fields) {
        Meaning::Done => payment(fields, now)
            .map_or_else(|| QueryOutcome::Unknown("paid, but not how much".into()), QueryOutcome::Paid),
        Meaning::Returned => QueryOutcome::Returned,
        // A shown order can be paid with another card until its time is over.
        Meaning::Refused(_) | Meaning::UnderWay if shown => QueryOutcome::AwaitingCustomer,
        Meaning::UnderWay => QueryOutcome::CustomerConfirming,
        Meaning::Refused(reason) => QueryOutcome::Failed(failure(fields, reason)),
        Meaning::NotFound | Meaning::Unknown => QueryOutcome::Unknown(fields.words()),
    }
}

fn refund(fields: &Fields) -> RefundOutcome {
    match of_answer(fields) {
        Meaning::Done => RefundOutcome::Done,
        Meaning::UnderWay => RefundOutcome::Processing,
        Meaning::Refused(reason) => RefundOutcome::Failed(failure(fields, reason)),
        Meaning::NotFound | Meaning::Returned | Meaning::Unknown => RefundOutcome::Unknown(fields.words()),
    }
}
