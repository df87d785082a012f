//! Reading a notification: signature and freshness first, then opening, then merchant, then meaning. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use super::answer::Body;
use super::credentials::Credentials;
use super::outcome::{is_ours, of_state};
use super::signature::{Distrust, check};
use crate::channel::wechatpay::meaning::of_refund_state;
use crate::channel::{Notification, NotificationError, RawNotification, RefundOutcome, Told};
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

/// Why nothing in a notification may be believed.
pub(super) enum Refusal {
    /// It is signed with a key that is not held: to be repeated when the certificates were looked at.
    UnknownSerial(String),
    /// Anything else.
    Of(NotificationError),
}

impl From<NotificationError> for Refusal {
    fn from(error: NotificationError) -> Self {
        Self::Of(error)
    }
}

/// Reads what the platform posts to `notify_url`.
pub(super) fn read(credentials: &Credentials, raw: &RawNotification, now: UnixMillis) -> Result<Notification, Refusal> {
    let key = |serial: &str| credentials.platform_key(serial, now);
    check(key, |name| raw.header(name), &raw.body, now).map_err(|distrust| match distrust {
        Distrust::Missing | Distrust::Signature => Refusal::Of(NotificationError::BadSignature),
        Distrust::Serial(serial) => Refusal::UnknownSerial(serial),
        Distrust::Stale => Refusal::Of(NotificationError::Stale),
    })?;
    let envelope: Envelope =
        serde_json::from_slice(&raw.body).map_err(|_| unreadable("its envelope is of another form"))?;
    if envelope.id.is_empty() {
        return Err(unreadable("it has no id").into());
    }
    let body = open(credentials, &envelope.resource, now)?;
    if body.text("mchid") != credentials.mchid || !is_ours(credentials, &body) {
        return Err(NotificationError::OtherMerchant.into());
    }
    let out_trade_no = body.text("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
    let told = match envelope.event_type.split_once('.') {
        Some(("TRANSACTION", _)) => Told::Trade(of_state(&body, now)),
        Some(("REFUND", event)) => of_refund(&body, event)?,
        _ => return Err(unreadable("it is not about a payment").into()),
    };
    Ok(Notification { id: envelope.id, out_trade_no, told })
}

fn of_refund(body: &Body, event: &str) -> Result<Told, NotificationError> {
    // The envelope and what is sealed in it say the same, or somebody is wrong.
    if body.text("refund_status") != event {
        return Err(unreadable("its refund_status is not what its event_type says"));
    }
    match (body.text("out_refund_no"), of_refund_state(event)) {
        ("", _) => Err(unreadable("it does not say which refund it is about")),
        (_, RefundOutcome::Unknown(_)) => Err(unreadable("it tells of an event of refunds that is not known here")),
        (number, outcome) => Ok(Told::Refund { out_refund_no: Some(number.to_owned()), outcome }),
    }
}

fn open(credentials: &Credentials, resource: &Resource, now: UnixMillis) -> Result<Body, NotificationError> {
    if resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(unreadable("it is sealed in another way than AEAD_AES_256_GCM"));
    }
    let sealed = BASE64.decode(&resource.ciphertext).map_err(|_| unreadable("its ciphertext is no base64"))?;
    let plain = credentials
        .open(&resource.nonce, resource.associated_data.as_deref().unwrap_or(""), &sealed, now)
        .ok_or_else(|| unreadable("it cannot be opened with the account's APIv3 key"))?;
    Body::parse(&plain).ok_or_else(|| unreadable("its content is of another form"))
}
