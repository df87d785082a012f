//! One call: who asks, the planned fault, the signed answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::HERE;
use super::answer::Refused;
use crate::crypto::{RsaPrivateKey, random_bytes};
use crate::sandbox::Shared;
use crate::sandbox::book::Millis;
use crate::sandbox::faults::Fate;
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::broken;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
/// How far a merchant's clock may be from the platform's, in seconds.
const CLOCK: u64 = 300;
const MAX_BODY: usize = 1 << 20;

/// What every call comes with.
pub(in crate::sandbox) struct Call {
    pub(super) shared: Arc<Shared>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl axum::extract::FromRequest<Arc<Shared>> for Call {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        // As it stood on the request's first line: that is what was signed.
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let body = axum::body::to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| plain(&Refused::new(413, "PARAM_ERROR", "请求体过大")))?;
        Ok(Self { shared: shared.clone(), method: parts.method, path, headers: parts.headers, body })
    }
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The serial that the merchant says it checks with, where it is one of ours.
    pub(super) fn asked_serial(&self) -> Option<&str> {
        let credentials = &self.shared.credentials.wechatpay;
        let asked = self.header("wechatpay-serial");
        [&credentials.platform_public_key_id, &credentials.platform_serial]
            .into_iter()
            .find(|own| own.eq_ignore_ascii_case(asked))
            .map(String::as_str)
    }

    fn respond(&self, status: u16, body: &Value) -> Response {
        let credentials = &self.shared.credentials.wechatpay;
        let serial = self.asked_serial().unwrap_or(&credentials.platform_serial);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut response = (status_of(status), body.clone()).into_response();
        let headers = response.headers_mut();
        headers.remove("content-type");
        if !body.is_empty() {
            headers.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        }
        for (name, value) in signature(credentials, serial, body.as_bytes(), self.shared.wall(HERE)) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
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
        if let Err(refused) = self.admit() {
            // A stranger gets no signature.
            return plain(&refused);
        }
        let fate = self.shared.faults().fate_of("wechatpay", names);
        match fate {
            Fate::LoseRequest => return broken(),
            Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Fate::SystemError => {
                let refused = Refused::new(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用");
                return self.respond(500, &refused.to_json());
            }
            Fate::Refuse(ref code) => {
                return self.respond(400, &json!({ "code": code, "message": "业务处理失败" }));
            }
            Fate::Fine | Fate::LoseAnswer | Fate::Delay(_) => {}
        }
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

    fn admit(&self) -> Result<(), Refused> {
        if self.header("user-agent").is_empty() {
            return Err(Refused::param("Http头缺少User-Agent"));
        }
        let accept = self.header("accept");
        if !(accept.contains("json") || accept.contains("*/*")) {
            return Err(Refused::param("Http头Accept应为application/json"));
        }
        let body = std::str::from_utf8(&self.body).map_err(|_| Refused::param("请求体不是UTF-8编码"))?;
        let message =
            |timestamp: &str, nonce: &str| format!("{}\n{}\n{timestamp}\n{nonce}\n{body}\n", self.method, self.path);
        check(&self.shared.credentials.wechatpay, self.header("authorization"), message, self.shared.wall(HERE))
    }

    /// The body, an object.
    pub(super) fn json(&self) -> Result<Value, Refused> {
        if !self.header("content-type").contains("json") {
            return Err(Refused::param("Http头Content-Type应为application/json"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(body @ Value::Object(_)) => Ok(body),
            _ => Err(Refused::param("请求体不是合法的JSON")),
        }
    }

    /// The body, with `mchid` (and `appid` where wanted) checked.
    pub(super) fn own_json(&self, with_appid: bool) -> Result<Value, Refused> {
        let body = self.json()?;
        let credentials = &self.shared.credentials.wechatpay;
        match body["mchid"].as_str() {
            None | Some("") => return Err(Refused::param("缺少参数mchid")),
            Some(mchid) if mchid != credentials.mchid => return Err(other_merchant()),
            Some(_) => {}
        }
        match body["appid"].as_str() {
            _ if !with_appid => {}
            None | Some("") => return Err(Refused::param("缺少参数appid")),
            Some(appid) if appid != credentials.appid => {
                return Err(Refused::new(400, "APPID_MCHID_NOT_MATCH", "商户号和appid不匹配"));
            }
            Some(_) => {}
        }
        Ok(body)
    }

    /// A query names the merchant in the address.
    pub(super) fn check_mchid_in_query(&self) -> Result<(), Refused> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        match pairs.iter().find(|(name, _)| name == "mchid") {
            None => Err(Refused::param("缺少参数mchid")),
            Some((_, mchid)) if *mchid != self.shared.credentials.wechatpay.mchid => Err(other_merchant()),
            Some(_) => Ok(()),
        }
    }
}

fn other_merchant() -> Refused {
    Refused::param("请求中含有mchid字段，其值与签名所用的商户号不一致")
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn plain(refused: &Refused) -> Response {
    (status_of(refused.status), axum::Json(refused.to_json())).into_response()
}

/// Checks an `Authorization` header over the message that it makes of timestamp and nonce. Pure.
fn check(
    credentials: &WechatpayKeys,
    header: &str,
    message: impl FnOnce(&str, &str) -> String,
    now: Millis,
) -> Result<(), Refused> {
    let wrong = |what: &str| Refused::new(401, "SIGN_ERROR", what);
    let fields = header
        .strip_prefix(SCHEME)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or_else(|| wrong("Http头Authorization认证类型不正确"))?;
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim_matches('"'))
            .filter(|value| !value.is_empty())
            .ok_or_else(|| wrong(&format!("Http头Authorization缺少{name}")))
    };
    if field("mchid")? != credentials.mchid {
        return Err(wrong("商户号不存在，请检查Http头Authorization中的mchid"));
    }
    if !field("serial_no")?.eq_ignore_ascii_case(&credentials.merchant_serial) {
        return Err(wrong("商户证书序列号有误，请使用签名私钥匹配的证书序列号"));
    }
    let (timestamp, nonce) = (field("timestamp")?, field("nonce_str")?);
    let seconds: i64 = timestamp.parse().map_err(|_| wrong("Http头Authorization中的timestamp不是Unix时间戳"))?;
    if seconds.abs_diff(now / 1_000) > CLOCK {
        return Err(wrong("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
    }
    let message = message(timestamp, nonce);
    credentials.merchant.public_key().verify_base64(message.as_bytes(), field("signature")?).map_err(|_| {
        let mut refused = wrong("错误的签名，验签失败");
        refused.detail = Some(json!({
            "field": "signature",
            "issue": "sign not match",
            "location": "authorization",
            "sign_information": {
                "method": message.split('\n').next(),
                "sign_message_length": message.len(),
                "truncated_sign_message": message.split_inclusive('\n').take(4).collect::<String>(),
                "url": message.split('\n').nth(1),
            },
        }));
        refused
    })
}

/// The `Wechatpay-*` headers over a body.
pub(super) fn signature(
    credentials: &WechatpayKeys,
    serial: &str,
    body: &[u8],
    now: Millis,
) -> [(&'static str, String); 6] {
    signed_by(&credentials.platform, serial, body, now)
}

/// The same from somebody who is not the platform.
pub(super) fn forged_signature(
    credentials: &WechatpayKeys,
    serial: &str,
    body: &[u8],
    now: Millis,
) -> [(&'static str, String); 6] {
    signed_by(&credentials.merchant, serial, body, now)
}

fn signed_by(key: &RsaPrivateKey, serial: &str, body: &[u8], now: Millis) -> [(&'static str, String); 6] {
    let stamp = now / 1_000;
    let nonce = hex::encode(random_bytes::<16>());
    let mut message = format!("{stamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = key.sign_base64(&message).unwrap_or_default();
    [
        ("wechatpay-timestamp", stamp.to_string()),
        ("wechatpay-nonce", nonce),
        ("wechatpay-serial", serial.to_owned()),
        ("wechatpay-signature", signature),
        ("wechatpay-signature-type", SCHEME.to_owned()),
        ("request-id", hex::encode_upper(random_bytes::<16>())),
    ]
}
