//! Reading an asynchronous notification: signature first, then merchant, then meaning. Pure.
//!
//! Its time is not compared with ours: Alipay repeats for a day, and a notification counts once by its id.

use std::collections::BTreeMap;

use super::answer::{Body, of_status};
use super::credentials::Credentials;
use crate::channel::{Notification, NotificationError};

/// Reads the form that Alipay posts to `notify_url`.
pub(super) fn read(credentials: &Credentials, raw: &[u8]) -> Result<Notification, NotificationError> {
    let unreadable = |why: &str| NotificationError::Unreadable(why.to_owned());
    let pairs: BTreeMap<String, String> =
        serde_urlencoded::from_bytes(raw).map_err(|_| unreadable("it is not a form"))?;
    let field = |name: &str| pairs.get(name).map_or("", String::as_str);
    // The one field that the signature does not cover.
    if field("sign_type") != "RSA2" {
        return Err(NotificationError::BadSignature);
    }
    let signed: Vec<_> = pairs
        .iter()
        .filter(|(name, value)| !matches!(name.as_str(), "sign" | "sign_type") && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    credentials
        .alipay_public_key
        .verify_base64(signed.join("&").as_bytes(), field("sign"))
        .map_err(|_| NotificationError::BadSignature)?;
    let other_seller = credentials.seller_id.as_ref().is_some_and(|seller| field("seller_id") != seller);
    if field("app_id") != credentials.app_id || other_seller {
        return Err(NotificationError::OtherMerchant);
    }
    let text = |name: &str| field(name).to_owned();
    let body = Body {
        trade_no: text("trade_no"),
        trade_status: text("trade_status"),
        total_amount: text("total_amount"),
        buyer_logon_id: text("buyer_logon_id"),
        gmt_payment: text("gmt_payment"),
        ..Body::default()
    };
    let id = text("notify_id");
    if id.is_empty() {
        return Err(unreadable("it has no notify_id"));
    }
    let out_trade_no = field("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
    Ok(Notification { id, out_trade_no, outcome: of_status(&body) })
}
