//! Reading an asynchronous notification: signature first, then merchant, then meaning. Pure.
//!
//! Its time (`notify_time`) is not compared with ours: Alipay repeats for over 25 hours with the same content, so an
//! honest repeat is old. That it counts once is for the books, by its `notify_id`; what it says can be said twice
//! without harm.

use std::collections::{BTreeMap, HashMap};

use super::answer::Body;
use super::credentials::Credentials;
use super::outcome::of_status;
use crate::channel::{Notification, NotificationError, QueryOutcome, RefundOutcome, Told};
use crate::payment::UnixMillis;

/// Reads the form that Alipay posts to `notify_url`.
pub(super) fn read(credentials: &Credentials, raw: &[u8], now: UnixMillis) -> Result<Notification, NotificationError> {
    let unreadable = |why: &str| NotificationError::Unreadable(why.to_owned());
    let pairs: BTreeMap<String, String> =
        serde_urlencoded::from_bytes(raw).map_err(|_| unreadable("it is not a form"))?;
    if !is_signed(credentials, &pairs, now) {
        return Err(NotificationError::BadSignature);
    }
    let body = Body::from(pairs.into_iter().collect::<HashMap<_, _>>());
    let other_seller = credentials.seller_id.as_deref().is_some_and(|seller| body.get("seller_id") != seller);
    if body.get("app_id") != credentials.app_id || other_seller {
        return Err(NotificationError::OtherMerchant);
    }
    let id = body.get("notify_id");
    if id.is_empty() {
        return Err(unreadable("it has no notify_id"));
    }
    let out_trade_no = body.get("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
    Ok(Notification { id: id.to_owned(), out_trade_no, told: told(&body, now) })
}

/// Payment and refund come as the same message, to the address that the payment gave. A refund's has the time of it
/// (`gmt_refund`) and what went back so far (`refund_fee`); `out_biz_no` is our number of it, or the trade's where the
/// refund had none. A part returned leaves the trade a success, and the whole closes it.
fn told(body: &Body, now: UnixMillis) -> Told {
    let outcome = of_status(body, now);
    let is_refund = !body.get("gmt_refund").is_empty();
    let number = body.get("out_biz_no");
    let own_number = !number.is_empty() && number != body.get("trade_no") && number != body.get("out_trade_no");
    match (is_refund, outcome) {
        (true, QueryOutcome::Paid(_)) if body.get("trade_status") == "TRADE_SUCCESS" => {
            Told::Refund { out_refund_no: own_number.then(|| number.to_owned()), outcome: RefundOutcome::Done }
        }
        (true, QueryOutcome::Returned) if own_number => {
            Told::Refund { out_refund_no: Some(number.to_owned()), outcome: RefundOutcome::Done }
        }
        (_, outcome) => Told::Trade(outcome),
    }
}

/// The signature covers every parameter but `sign` and `sign_type`. Alipay's documents count parameters without a value
/// among them and its SDKs differ, as they do about the certificate's number where one is given, so all are tried: an
/// empty value says nothing, and the number only which key has to fit.
fn is_signed(credentials: &Credentials, pairs: &BTreeMap<String, String>, now: UnixMillis) -> bool {
    let Some(sign) = pairs.get("sign") else { return false };
    // The one field that the signature does not cover.
    if pairs.get("sign_type").is_none_or(|kind| kind != "RSA2") {
        return false;
    }
    let number = pairs.get("alipay_cert_sn").map(String::as_str).filter(|number| !number.is_empty());
    let content = |keep_empty: bool, keep_number: bool| {
        let unsigned = |name: &str| matches!(name, "sign" | "sign_type") || (name == "alipay_cert_sn" && !keep_number);
        let kept: Vec<_> = pairs
            .iter()
            .filter(|(name, value)| !unsigned(name) && (keep_empty || !value.is_empty()))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        kept.join("&")
    };
    let mut readings = vec![content(true, true), content(false, true)];
    if number.is_some() {
        readings.extend([content(true, false), content(false, false)]);
    }
    let readings: Vec<&str> = readings.iter().map(String::as_str).collect();
    credentials.trust.check(&readings, sign, number, now).is_ok()
}
