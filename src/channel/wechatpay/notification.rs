//! Reading a notification: signature and freshness first, then opening, then merchant, then meaning. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::answer::Body;
use super::credentials::Credentials;
use super::outcome::{is_ours, of_state};
use super::signature::{Distrust, check};
use crate::channel::{Notification, NotificationError, QueryOutcome, RawNotification, Told};
use crate::crypto::open_aes256_gcm;
use crate::payment::UnixMillis;

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    #[serde(default)]
    associated_data: Option<String>,
    nonce: String,
}

fn unreadable(why: &str) -> NotificationError {
    NotificationError::Unreadable(why.to_owned())
}

/// Reads what the platform posts to `notify_url`.
pub(super) fn read(
    credentials: &Credentials,
    raw: &RawNotification,
    now: UnixMillis,
) -> Result<Notification, NotificationError> {
    check(credentials, |name| raw.header(name), &raw.body, now).map_err(|distrust| match distrust {
        Distrust::Missing | Distrust::Signature | Distrust::Serial => NotificationError::BadSignature,
        Distrust::Stale => NotificationError::Stale,
    })?;
    let envelope: Envelope =
        serde_json::from_slice(&raw.body).map_err(|_| unreadable("its envelope is of another form"))?;
    if envelope.id.is_empty() {
        return Err(unreadable("it has no id"));
    }
    let body = open(credentials, &envelope.resource)?;
    if body.text("mchid") != credentials.mchid || !is_ours(credentials, &body) {
        return Err(NotificationError::OtherMerchant);
    }
    let out_trade_no = body.text("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
    let outcome = match envelope.event_type.as_str() {
        event if event.starts_with("TRANSACTION.") => of_state(&body, now),
        "REFUND.SUCCESS" if body.fen("refund").is_some() && body.fen("refund") == body.fen("total") => {
            QueryOutcome::Returned
        }
        event if event.starts_with("REFUND.") => {
            return Err(unreadable("it tells of a refund in part or one that did not succeed"));
        }
        _ => return Err(unreadable("it is not about a payment")),
    };
    Ok(Notification { id: envelope.id, out_trade_no, told: Told::Trade(outcome) })
}

fn open(credentials: &Credentials, resource: &Resource) -> Result<Body, NotificationError> {
    if resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(unreadable("it is sealed in another way than AEAD_AES_256_GCM"));
    }
    let sealed = BASE64.decode(&resource.ciphertext).map_err(|_| unreadable("its ciphertext is no base64"))?;
    let plain = open_aes256_gcm(
        credentials.api_v3_key.expose().as_bytes(),
        resource.nonce.as_bytes(),
        resource.associated_data.as_deref().unwrap_or("").as_bytes(),
        &sealed,
    )
    .map_err(|_| unreadable("it cannot be opened with the account's APIv3 key"))?;
    Body::parse(&plain).ok_or_else(|| unreadable("its content is of another form"))
}
