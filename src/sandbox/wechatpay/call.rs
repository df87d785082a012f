//! One call: who asks, the planned fault, the signed answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::HERE;
use super::authorization::{Signatory, Signed, check};
use super::platform::{Hand, request_id};
use super::refused::{Place, Refused};
use super::rules::{Letters, bytes, check_text, field, required};
use crate::sandbox::Shared;
use crate::sandbox::book::Millis;
use crate::sandbox::faults::Fate;
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::broken;

const MAX_BODY: usize = 1 << 20;
const MCHID: &str = "直连商户号";

/// What every call comes with.
pub(in crate::sandbox) struct Call {
    pub(super) shared: Arc<Shared>,
    method: Method,
    target: String,
    host: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The request came over TLS.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct OverTls;

impl axum::extract::FromRequest<Arc<Shared>> for Call {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        // As it stood on the request's first line: that is what was signed.
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = named.or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str)).unwrap_or_default();
        let scheme = if parts.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
        let host = format!("{scheme}://{host}");
        let body = axum::body::to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| plain(&Refused::new(413, "PARAM_ERROR", "请求体过大")))?;
        Ok(Self { shared: shared.clone(), method: parts.method, target, host, headers: parts.headers, body })
    }
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub(super) fn keys(&self) -> &WechatpayKeys {
        &self.shared.credentials.wechatpay
    }

    /// Scheme and host as the merchant reached them.
    pub(super) fn origin(&self) -> &str {
        &self.host
    }

    /// The key that the merchant says it checks with.
    pub(super) fn asked_serial(&self) -> Option<&str> {
        Some(self.header("wechatpay-serial")).filter(|serial| !serial.is_empty())
    }

    fn respond(&self, status: u16, body: &Value) -> Response {
        let hand = if self.shared.wechatpay.is_probe_due() { Hand::Probe } else { Hand::Own };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let asked = self.asked_serial().unwrap_or_default();
        let signature = self.keys().platform.sign(asked, body.as_bytes(), self.shared.wall(HERE), hand);
        let mut response = (status_of(status), body.clone()).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        for (name, value) in signature {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    /// Checks who asks, meets the planned fault (under any of the call's `names`), does the job, answers.
    pub(super) async fn answer(
        self,
        names: &[&str],
        job: impl FnOnce(&Self, Millis) -> Result<(u16, Value), Refused>,
    ) -> Response {
        if let Err(refused) = self.admit(true) {
            // A stranger gets no signature.
            return plain(&refused);
        }
        let fate = match self.meet(names) {
            Ok(fate) => fate,
            Err(response) => return response,
        };
        let done = job(&self, self.shared.now(HERE));
        match fate {
            Fate::LoseAnswer => return broken(),
            Fate::Delay(wait) => tokio::time::sleep(wait).await,
            _ => {}
        }
        match done {
            Ok((status, body)) => self.respond(status, &body),
            Err(refused) => self.respond(refused.status, &refused.to_json()),
        }
    }

    /// The same for a call that answers with a file, which nobody signs.
    pub(super) async fn answer_file(
        self,
        names: &[&str],
        job: impl FnOnce(&Self, Millis) -> Result<(&'static str, Bytes), Refused>,
    ) -> Response {
        if let Err(refused) = self.admit(false) {
            return plain(&refused);
        }
        let fate = match self.meet(names) {
            Ok(fate) => fate,
            Err(response) => return response,
        };
        let done = job(&self, self.shared.now(HERE));
        match fate {
            Fate::LoseAnswer => return broken(),
            Fate::Delay(wait) => tokio::time::sleep(wait).await,
            _ => {}
        }
        match done {
            Ok((kind, file)) => ([(header::CONTENT_TYPE, kind)], file).into_response(),
            Err(refused) => plain(&refused),
        }
    }

    /// What is to happen to the call; the answer where nothing is to be done.
    fn meet(&self, names: &[&str]) -> Result<Fate, Response> {
        let fate = self.shared.faults().fate_of("wechatpay", names);
        match fate {
            Fate::LoseRequest => Err(broken()),
            Fate::Http500 => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Fate::SystemError => Err(self.respond(500, &Refused::system().to_json())),
            Fate::Refuse(code) => {
                let refused = Refused::named(&code);
                Err(self.respond(refused.status, &refused.to_json()))
            }
            fate => Ok(fate),
        }
    }

    fn admit(&self, wants_json: bool) -> Result<(), Refused> {
        let accept = self.header("accept");
        let accepts = !wants_json || accept.contains("json") || accept.contains("*/*");
        if self.header("user-agent").is_empty() || !accepts {
            return Err(Refused::invalid("Http头缺少Accept或User-Agent"));
        }
        let body = std::str::from_utf8(&self.body).map_err(|_| Refused::param("请求体不是UTF-8编码"))?;
        let keys = self.keys();
        let public = keys.merchant.public_key();
        let by = Signatory { mchid: &keys.mchid, serial: &keys.merchant_serial, key: &public };
        let authorization = self.header("authorization");
        let signed = Signed { method: self.method.as_str(), target: &self.target, body, authorization };
        check(&by, signed, self.shared.wall(HERE))
    }

    /// The body, an object.
    pub(super) fn json(&self) -> Result<Value, Refused> {
        if !self.header("content-type").contains("json") {
            return Err(Refused::invalid("Http头Content-Type应为application/json"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(body @ Value::Object(_)) => Ok(body),
            _ => Err(Refused::param("请求体不是合法的JSON")),
        }
    }

    /// The body, with `mchid` (and `appid` where wanted) checked.
    pub(super) fn own_json(&self, with_appid: bool) -> Result<Value, Refused> {
        let body = self.json()?;
        let keys = self.keys();
        if required(&body, field("/mchid", MCHID), bytes(1, 32), Letters::Any)? != keys.mchid {
            return Err(other_merchant());
        }
        if with_appid && required(&body, field("/appid", "公众号ID"), bytes(1, 32), Letters::Any)? != keys.appid {
            return Err(Refused::new(400, "APPID_MCHID_NOT_MATCH", "商户号和appid不匹配"));
        }
        Ok(body)
    }

    /// A value of the address's query; empty where it is absent.
    pub(super) fn query(&self, name: &str) -> String {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default()
    }

    /// A query names the merchant in the address.
    pub(super) fn check_mchid_in_query(&self) -> Result<(), Refused> {
        let mchid = self.query("mchid");
        check_text(Place::Query, "/mchid", MCHID, &mchid, bytes(1, 32), Letters::Any)?;
        if mchid == self.keys().mchid { Ok(()) } else { Err(other_merchant()) }
    }
}

fn other_merchant() -> Refused {
    Refused::param("请求中含有mchid字段，其值与签名所用的商户号不一致")
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn plain(refused: &Refused) -> Response {
    (status_of(refused.status), [("request-id", request_id())], axum::Json(refused.to_json())).into_response()
}
