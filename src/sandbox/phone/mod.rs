//! The phone page: a customer's wallet in a browser, upon the sandbox's own control calls.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use crate::qr::{Bars, Modules};
use crate::scan::decode_picture;

/// A phone's own photographs are smaller; the page makes them smaller still.
const MAX_PICTURE_BYTES: usize = 16 << 20;
/// No code of a wallet or a shop says more.
const MAX_TEXT_BYTES: usize = 512;

const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) fn routes() -> Router<Arc<Shared>> {
    let file = |content_type, text: &'static str| get(move || async move { page(content_type, text) });
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/phone") }))
        .route("/phone", file("text/html; charset=utf-8", include_str!("../../../assets/phone/index.html")))
        .route("/phone/phone.css", file("text/css; charset=utf-8", include_str!("../../../assets/phone/phone.css")))
        .route("/phone/phone.js", file(SCRIPT, include_str!("../../../assets/phone/phone.js")))
        .route("/phone/camera.js", file(SCRIPT, include_str!("../../../assets/phone/camera.js")))
        .route("/phone/sandbox.js", file(SCRIPT, include_str!("../../../assets/phone/sandbox.js")))
        .route("/phone/words.js", file(SCRIPT, include_str!("../../../assets/phone/words.js")))
        .route("/phone/font.ttf", get(font))
        .route("/phone/qr.svg", get(qr))
        .route("/phone/bars.svg", get(bars))
        .route("/phone/read", post(read).layer(DefaultBodyLimit::max(MAX_PICTURE_BYTES)))
}

/// What the browser may load: this sandbox's own files and nothing else.
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'";

fn page(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, text).into_response()
}

/// Where others in the network reach who listens at `listening`; `None` where they cannot.
pub(super) fn address(listening: SocketAddr) -> Option<SocketAddr> {
    if !listening.ip().is_unspecified() {
        return None;
    }
    // Nothing is sent: the system only says from which of its addresses it would be.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then(|| SocketAddr::new(own, listening.port()))
}

/// What a code is to say.
#[derive(Deserialize)]
struct Text {
    text: String,
}

fn picture(text: &str, svg: impl FnOnce(&str) -> Option<String>) -> Response {
    // What a wallet shows is good for a minute and belongs to nobody else.
    let headers = [(header::CONTENT_TYPE, SVG), (header::CACHE_CONTROL, "no-store")];
    match (text.len() <= MAX_TEXT_BYTES).then(|| svg(text)).flatten() {
        Some(svg) => (headers, svg).into_response(),
        None => (StatusCode::BAD_REQUEST, "this text has no such code").into_response(),
    }
}

/// For a browser whose machine has no Chinese letters of its own.
async fn font() -> Response {
    let headers = [(header::CONTENT_TYPE, "font/ttf"), (header::CACHE_CONTROL, "public, max-age=86400")];
    (headers, crate::report::font::REGULAR).into_response()
}

async fn qr(Query(Text { text }): Query<Text>) -> Response {
    picture(&text, |text| Modules::of(text).ok().map(|modules| modules.to_svg()))
}

async fn bars(Query(Text { text }): Query<Text>) -> Response {
    picture(&text, |text| Bars::of(text).map(|bars| bars.to_svg()))
}

/// Reads the codes in a picture: the browser's own reader is not everywhere.
async fn read(body: Bytes) -> Response {
    // Reading takes a while, and others wait for this thread.
    match tokio::task::spawn_blocking(move || decode_picture(&body)).await {
        Ok(Ok(codes)) => {
            let codes: Vec<_> =
                codes.iter().map(|code| json!({ "format": code.format.to_string(), "text": code.text })).collect();
            Json(json!({ "codes": codes })).into_response()
        }
        Ok(Err(error)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": error.to_string() }))).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
