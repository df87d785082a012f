//! Control calls that are about WeChat Pay alone: its keys, its probes, and how it behaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HERE;
use super::answer::TIME;
use super::download::Downloads;
use super::notification::probe as probe_message;
use super::platform::Holder;
use super::settling::Refunds;
use crate::crypto::Certificate;
use crate::sandbox::Shared;
use crate::sandbox::control::{Body, Problem};
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::china;

/// What of WeChat Pay is neither in the books nor a key.
#[derive(Default)]
pub(in crate::sandbox) struct Desk {
    pub(super) downloads: Downloads,
    bills_next_morning: AtomicBool,
    probes: AtomicU32,
    refunds: Mutex<Refunds>,
}

impl Desk {
    /// Whether the answer that is about to leave is to be a probe; each counts once.
    pub(super) fn is_probe_due(&self) -> bool {
        let less = |due: u32| due.checked_sub(1);
        self.probes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// A day's bills are there from ten o'clock on the next day, and not as far as the day has gone.
    pub(super) fn bills_next_morning(&self) -> bool {
        self.bills_next_morning.load(Ordering::Relaxed)
    }

    pub(super) fn refunds(&self) -> Refunds {
        *self.refunds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How WeChat Pay behaves; what is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::sandbox) struct Behaviour {
    /// Whether the merchant has only the platform's public key: `/v3/certificates` has none for it, and the public key
    /// signs unless a certificate is named.
    #[serde(default)]
    public_key_only: Option<bool>,
    /// Whether a day's bills are there from ten o'clock on the next day, as in reality, and not at once.
    #[serde(default)]
    bills_next_morning: Option<bool>,
    /// What comes of refunds.
    #[serde(default)]
    refunds: Option<Refunds>,
    /// So many of the next APIv3 answers are probes: carried out, and signed by nobody (`WECHATPAY/SIGNTEST/`).
    #[serde(default)]
    probes: Option<u32>,
}

/// How WeChat Pay behaves now.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::sandbox) struct Behaves {
    public_key_only: bool,
    bills_next_morning: bool,
    refunds: Refunds,
    probes: u32,
}

/// Change how WeChat Pay behaves.
#[utoipa::path(patch, path = "/sandbox/wechatpay", request_body = Behaviour,
    responses((status = 200, body = Behaves)))]
pub(in crate::sandbox) async fn behave(
    State(shared): State<Arc<Shared>>,
    Body(wanted): Body<Behaviour>,
) -> Json<Behaves> {
    let (desk, platform) = (&shared.wechatpay, &shared.credentials.wechatpay.platform);
    if let Some(only) = wanted.public_key_only {
        platform.set_public_key_only(only);
    }
    if let Some(next_morning) = wanted.bills_next_morning {
        desk.bills_next_morning.store(next_morning, Ordering::Relaxed);
    }
    if let Some(refunds) = wanted.refunds {
        *desk.refunds.lock().unwrap_or_else(PoisonError::into_inner) = refunds;
    }
    if let Some(probes) = wanted.probes {
        desk.probes.store(probes, Ordering::Relaxed);
    }
    Json(Behaves {
        public_key_only: platform.certificates().is_empty(),
        bills_next_morning: desk.bills_next_morning(),
        refunds: desk.refunds(),
        probes: desk.probes.load(Ordering::Relaxed),
    })
}

/// A platform certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::sandbox) struct NewCertificate {
    /// Its serial number, which answers and notifications name from now on.
    serial_no: String,
    /// From when it holds, RFC 3339.
    effective_time: String,
    /// Until when.
    expire_time: String,
    /// The one that signed until now, and holds on.
    previous_serial_no: String,
}

/// A new platform certificate signs from now on; the one before it holds on for those who name it.
#[utoipa::path(post, path = "/sandbox/wechatpay/rotate", responses((status = 200, body = NewCertificate)))]
pub(in crate::sandbox) async fn rotate(State(shared): State<Arc<Shared>>) -> Result<Json<NewCertificate>, Problem> {
    let failed = |why: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "keys", why);
    // Making a key takes a while, and others wait for this thread.
    let made = tokio::task::spawn_blocking(WechatpayKeys::new_platform_certificate);
    let new: Holder =
        made.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let platform = &shared.credentials.wechatpay.platform;
    let previous = platform.certificates().first().map(Certificate::serial_hex).unwrap_or_default();
    let (from, until) = new.certificate.validity();
    let told = NewCertificate {
        serial_no: new.certificate.serial_hex(),
        effective_time: china(from, TIME),
        expire_time: china(until, TIME),
        previous_serial_no: previous,
    };
    platform.rotate(new);
    Ok(Json(told))
}

/// Where a probe goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::sandbox) struct Target {
    /// Where the merchant listens for notifications.
    url: String,
}

/// What a merchant made of a probe.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::sandbox) struct Probed {
    /// The HTTP status it answered with.
    status: u16,
    /// Whether it refused, as it must.
    refused: bool,
}

/// Send a notification whose signature is none (it begins `WECHATPAY/SIGNTEST/`): a merchant that verifies refuses it.
#[utoipa::path(post, path = "/sandbox/wechatpay/probe", request_body = Target,
    responses((status = 200, body = Probed), (status = 502, body = Problem)))]
pub(in crate::sandbox) async fn probe(
    State(shared): State<Arc<Shared>>,
    Body(target): Body<Target>,
) -> Result<Json<Probed>, Problem> {
    let message = probe_message(&shared.credentials, shared.wall(HERE));
    let request = shared.http.post(&target.url).body(message.body);
    let request = message.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let answer = request
        .send()
        .await
        .map_err(|_| Problem::new(StatusCode::BAD_GATEWAY, "no_answer", "Nobody answered at this address."))?;
    let status = answer.status();
    Ok(Json(Probed { status: status.as_u16(), refused: !status.is_success() }))
}
