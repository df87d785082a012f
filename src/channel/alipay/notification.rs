//! Reading an asynchronous notification: signature first, then merchant, then meaning. Pure.
//!
//! Its time (`notify_time`) is not compared with ours: Alipay repeats for over 25 hours with the same content, so an
//! honest repeat is old. That it counts once is for the books, by its `notify_id`; what it says can be said twice
//! without harm.

use std::collections::{BTreeMap, HashMap};

use super::answer::Body;
use super::credentials::Credentials;
use super::outcome::of_status;
use crate::channel::{Notification, NotificationError, Told};
use crate::payment::UnixMillis;

/// Reads the form that Alipay posts to `notify_url`.
pub(super) fn read(credentials: &Credentials, raw: &[u8], now: UnixMillis) -> Result<Notification, NotificationError> {
    let unreadable = |why: &str| NotificationError::Unreadable(why.to_owned());
    let pairs: BTreeMap<String, String> =
        serde_urlencoded::from_bytes(raw).map_err(|_| unreadable("it is not a form"))?;
    if !is_signed(credentials, &pairs) {
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
    Ok(Notification { id: id.to_owned(), out_trade_no, told: Told::Trade(of_status(&body, now)) })
}

/// The signature covers every parameter but `sign` and `sign_type`. Alipay's documents count parameters without a
/// value among them and its SDKs differ, so both are tried; an empty value says nothing either way.
fn is_signed(credentials: &Credentials, pairs: &BTreeMap<String, String>) -> bool {
    let Some(sign) = pairs.get("sign") else { return false };
    // The one field that the signature does not cover.
    if pairs.get("sign_type").is_none_or(|kind| kind != "RSA2") {
        return false;
    }
    let content = |keep_empty: bool| {
        let kept: Vec<_> = pairs
            .iter()
            .filter(|(name, value)| !matches!(name.as_str(), "sign" | "sign_type") && (keep_empty || !value.is_empty()))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        kept.join("&")
    };
    [true, false]
        .into_iter()
        .any(|keep_empty| credentials.alipay_public_key.verify_base64(content(keep_empty).as_bytes(), sign).is_ok())
}
