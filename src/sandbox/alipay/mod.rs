//! Alipay's gateway: reads signed calls, answers with signed JSON.

mod answer;
mod bill;
mod calls;
mod form;
mod notification;
mod request;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) use self::bill::download;
pub(super) use self::notification::NOTIFY;

use self::answer::{Refused, business};
use self::form::Parameters;
use self::request::Manner;
use super::Shared;
use super::book::Provider;
use super::faults::Fate;
use super::keys::AlipayKeys;
use super::keys::alipay::serial;
use super::wire::broken;

const HERE: Provider = Provider::Alipay;

/// The method's name on the wire, and what a fault is planned for.
const CALLS: [(&str, &str); 9] = [
    ("alipay.trade.pay", "pay"),
    ("alipay.trade.precreate", "precreate"),
    ("alipay.trade.query", "query"),
    ("alipay.trade.cancel", "cancel"),
    ("alipay.trade.close", "close"),
    ("alipay.trade.refund", "refund"),
    ("alipay.trade.fastpay.refund.query", "refund_query"),
    ("alipay.data.dataservice.bill.downloadurl.query", "bill"),
    ("alipay.open.app.alipaycert.download", "certificates"),
];

/// What faults may call the gateway's calls beside the names that all providers share.
pub(super) const CALL_NAMES: &[&str] = &[];

/// `/gateway.do`: parameters in the query, in a form, or in both.
pub(super) async fn gateway(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let parameters = Parameters::read(query.as_deref().unwrap_or(""), header("content-type"), &body);
    let method = parameters.plain("method");
    let call = CALLS.iter().find(|(name, _)| *name == method).map(|(_, call)| *call);
    let key = match call {
        Some(_) => format!("{}_response", method.replace('.', "_")),
        None => "error_response".to_owned(),
    };
    let keys = &shared.credentials.alipay;
    let look = Look { keys, key: &key, manner: request::manner(&parameters) };
    let (request, manner) = match request::admit(&parameters, keys, shared.wall(HERE)) {
        Ok(admitted) => admitted,
        // The gateway signs only for an application it knows: for another it could not say with which key.
        Err(refused) if parameters.plain("app_id") == keys.app_id => return look.signed(&refused.to_json()),
        Err(refused) => return look.unsigned(&refused.to_json()),
    };
    let look = Look { manner, ..look };
    let Some(call) = call else {
        return look.signed(&answer::invalid("isv.invalid-method", "不存在的方法名").to_json());
    };
    let fate = shared.faults().fate("alipay", call);
    match &fate {
        Fate::LoseRequest => return broken(),
        Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fate::SystemError => {
            let mut told = business("ACQ.SYSTEM_ERROR", "接口返回错误").to_json();
            if call == "cancel" {
                told["retry_flag"] = json!("Y");
            }
            return look.signed(&told);
        }
        Fate::Refuse(code) => return look.signed(&Refused::named(code).to_json()),
        Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => {}
    }
    let now = shared.now(HERE);
    let told = match call {
        "bill" => bill::url(&shared, &request, header("host"), now),
        _ => calls::perform(&shared, call, &request, now),
    };
    let told = told.unwrap_or_else(|refused| refused.to_json());
    match fate {
        Fate::LoseAnswer => return broken(),
        Fate::Delay(wait) => tokio::time::sleep(wait).await,
        _ => {}
    }
    // A client fetches a certificate because it cannot check signatures yet: it checks this answer by the chain.
    if call == "certificates" { look.unsigned(&told) } else { look.signed(&told) }
}

/// How an answer goes over the wire.
#[derive(Clone, Copy)]
struct Look<'a> {
    keys: &'a AlipayKeys,
    key: &'a str,
    manner: Manner,
}

impl Look<'_> {
    /// The signature covers the response value's own bytes, as they stand in the body.
    fn signed(self, told: &Value) -> Response {
        let value = self.value(told);
        let signed = self.manner.charset.encode(&value);
        let mut rest = String::new();
        if self.manner.by_certificate {
            rest.push_str(&format!(",\"alipay_cert_sn\":\"{}\"", serial(&self.keys.alipay_certificate)));
        }
        if let Ok(sign) = self.keys.alipay.sign_base64(&signed) {
            rest.push_str(&format!(",\"sign\":\"{sign}\""));
        }
        self.body(&value, &rest)
    }

    fn unsigned(self, told: &Value) -> Response {
        self.body(&self.value(told), "")
    }

    fn value(self, told: &Value) -> String {
        // The gateway writes slashes escaped. A client that serialises anew before it verifies finds out.
        let told = told.to_string().replace('/', "\\/");
        match self.manner.encrypted.then(|| request::seal(&self.keys.aes_key, &told)).flatten() {
            Some(sealed) => format!("\"{sealed}\""),
            None => told,
        }
    }

    fn body(self, value: &str, rest: &str) -> Response {
        let charset = self.manner.charset;
        let text = format!("{{\"{}\":{value}{rest}}}", self.key);
        let content_type = format!("text/html;charset={}", charset.name());
        ([("content-type", content_type)], charset.encode(&text).into_owned()).into_response()
    }
}
