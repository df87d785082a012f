//! Reading a notification: signature and freshness first, then opening, then merchant, then meaning. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::answer::{Body, of_state};
use super::credentials::Credentials;
use super::signature::{Distrust, check};
use crate::channel::{Notification, NotificationError, RawNotification};
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
    associated_data: String,
    nonce: String,
}

/// Reads what the platform posts to `notify_url`.
pub(super) fn read(
    credentials: &Credentials,
    raw: &RawNotification,
    now: UnixMillis,
) -> Result<Notification, NotificationError> {
    check(credentials, |name| raw.header(name), &raw.body, now).map_err(|distrust| match distrust {
        Distrust::Signature | Distrust::Serial => NotificationError::BadSignature,
        Distrust::Stale => NotificationError::Stale,
    })?;
    let unreadable = |why: &str| NotificationError::Unreadable(why.to_owned());
    let envelope: Envelope =
        serde_json::from_slice(&raw.body).map_err(|_| unreadable("its envelope is of another form"))?;
    if envelope.resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(unreadable("it is sealed in another way than AEAD_AES_256_GCM"));
    }
    let sealed = BASE64.decode(&envelope.resource.ciphertext).map_err(|_| unreadable("its ciphertext is no base64"))?;
    let plain = open_aes256_gcm(
        credentials.api_v3_key.expose().as_bytes(),
        envelope.resource.nonce.as_bytes(),
        envelope.resource.associated_data.as_bytes(),
        &sealed,
    )
    .map_err(|_| unreadable("it cannot be opened with the account's APIv3 key"))?;
    if !envelope.event_type.starts_with("TRANSACTION.") {
        return Err(unreadable("it is not about a payment"));
    }
    let body: Body = serde_json::from_slice(&plain).map_err(|_| unreadable("its content is of another form"))?;
    if body.mchid != credentials.mchid {
        return Err(NotificationError::OtherMerchant);
    }
    let out_trade_no = body.out_trade_no.parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
    Ok(Notification { id: envelope.id, out_trade_no, outcome: of_state(&body) })
}
