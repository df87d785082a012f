//! What the providers' adapters share: time in China, amounts in yuan, connections that break.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::book::Millis;

/// China Standard Time, which has no summer time.
pub(super) fn china_zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

pub(super) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or_default()
}

/// China Standard Time, in the form wanted.
pub(super) fn china(at: Millis, form: &str) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(china_zone()).strftime(form).to_string()
}

/// As the header `Date` has it (RFC 9110).
pub(super) fn http_date(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Fen as yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    crate::money::Money::new(fen, crate::money::Currency::CNY).to_decimal()
}

/// An answer whose connection breaks before its body is whole.
pub(super) fn broken() -> Response {
    let cut = futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("the connection broke")) });
    Response::new(Body::from_stream(cut))
}
