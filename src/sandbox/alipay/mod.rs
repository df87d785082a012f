//! Alipay's gateway: reads signed calls, answers with signed JSON.

mod answer;
mod calls;
mod notification;
mod request;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) use self::notification::form as notification;

use self::answer::business;
use super::Shared;
use super::faults::Fate;
use super::wire::broken;

/// What a fault is planned for, and the method's name on the wire.
const CALLS: [(&str, &str); 7] = [
    ("alipay.trade.pay", "pay"),
    ("alipay.trade.precreate", "precreate"),
    ("alipay.trade.query", "query"),
    ("alipay.trade.cancel", "cancel"),
    ("alipay.trade.close", "close"),
    ("alipay.trade.refund", "refund"),
    ("alipay.trade.fastpay.refund.query", "refund_query"),
];

/// `/gateway.do`: parameters in the query, in a form, or in both.
pub(super) async fn gateway(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let body: &[u8] = if form.contains("json") || form.contains("multipart") { b"" } else { &body };
    let parameters = request::parameters(query.as_deref().unwrap_or(""), body);
    let method = parameters.get("method").map_or("", String::as_str);
    let call = CALLS.iter().find(|(name, _)| *name == method).map(|(_, call)| *call);
    let key = match call {
        Some(_) => format!("{}_response", method.replace('.', "_")),
        None => "error_response".to_owned(),
    };
    let credentials = &shared.credentials;
    let app = credentials.alipay_app.public_key();
    let request = match request::admit(&parameters, &credentials.app_id, &app) {
        Ok(request) => request,
        // The gateway signs only for an application it knows: for another it could not say with which key.
        Err(refused) if parameters.get("app_id") == Some(&credentials.app_id) => {
            return respond(&key, &refused.to_json(), Some(&shared));
        }
        Err(refused) => return respond(&key, &refused.to_json(), None),
    };
    let Some(call) = call else {
        return respond(&key, &answer::invalid("isv.invalid-method", "不存在的方法名").to_json(), Some(&shared));
    };
    let fate = shared.faults().fate("alipay", call);
    match fate {
        Fate::LoseRequest => return broken(),
        Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fate::SystemError => {
            let mut told = business("ACQ.SYSTEM_ERROR", "接口返回错误").to_json();
            if call == "cancel" {
                told["retry_flag"] = json!("Y");
            }
            return respond(&key, &told, Some(&shared));
        }
        Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => {}
    }
    let told = calls::perform(&shared, call, &request, shared.clock.now()).unwrap_or_else(|refused| refused.to_json());
    match fate {
        Fate::LoseAnswer => return broken(),
        Fate::Delay(wait) => tokio::time::sleep(wait).await,
        _ => {}
    }
    respond(&key, &told, Some(&shared))
}

/// The signature covers the response value's own bytes, as they stand in the body.
fn respond(key: &str, told: &Value, signer: Option<&Shared>) -> Response {
    // The gateway writes slashes escaped. A client that serialises anew before it verifies finds out.
    let told = told.to_string().replace('/', "\\/");
    let sign = signer.and_then(|shared| shared.credentials.alipay.sign_base64(told.as_bytes()).ok());
    let body = match sign {
        Some(sign) => format!("{{\"{key}\":{told},\"sign\":\"{sign}\"}}"),
        None => format!("{{\"{key}\":{told}}}"),
    };
    ([("content-type", "text/html;charset=utf-8")], body).into_response()
}
