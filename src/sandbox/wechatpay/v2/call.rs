//! One call of APIv2: reads the message, checks its signature, meets the planned fault, answers with a signed message.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::HERE;
use super::refused::Refused;
use super::sign::{SignType, is_signed, sign};
use super::xml::{Fields, Malformed, read, write};
use crate::crypto::random_bytes;
use crate::sandbox::Shared;
use crate::sandbox::book::Millis;
use crate::sandbox::faults::Fate;
use crate::sandbox::keys::WechatpayKeys;
use crate::sandbox::wire::broken;

const MAX_BODY: usize = 1 << 20;

/// What every call comes with.
pub(in crate::sandbox) struct Call {
    pub shared: Arc<Shared>,
    method: Method,
    body: Bytes,
}

impl axum::extract::FromRequest<Arc<Shared>> for Call {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, shared: &Arc<Shared>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| fail(&Refused::message("XML格式错误")))?;
        Ok(Self { shared: shared.clone(), method: parts.method, body })
    }
}

/// A message that was signed by the merchant.
#[derive(Debug)]
pub(super) struct Request {
    fields: Fields,
    pub sign_type: SignType,
}

impl Request {
    /// A value; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// What a call is answered with.
#[derive(Debug)]
pub(super) enum Answer {
    /// A message, beside what every message has.
    Message(Vec<(&'static str, String)>),
    /// The same, with names that are made.
    Numbered(Vec<(String, String)>),
    /// A file.
    File { bytes: Vec<u8>, kind: &'static str, digest: Option<String> },
}

impl Call {
    pub fn keys(&self) -> &WechatpayKeys {
        &self.shared.credentials.wechatpay
    }

    fn admit(&self) -> Result<Request, Refused> {
        if self.method != Method::POST {
            return Err(Refused::message("请使用post方法"));
        }
        let fields = read(&self.body).map_err(|why| {
            Refused::message(match why {
                Malformed::Empty => "post数据为空",
                Malformed::NotUtf8 => "编码格式错误",
                Malformed::Xml => "XML格式错误",
            })
        })?;
        let keys = self.keys();
        let text = |name: &str| fields.get(name).map_or("", String::as_str);
        for name in ["appid", "mch_id", "nonce_str", "sign"] {
            if text(name).is_empty() {
                return Err(Refused::message(format!("缺少参数{name}")));
            }
        }
        // Whose key it should be signed with is not known of a stranger.
        let own = text("mch_id") == keys.mchid;
        let sign_type = is_signed(&fields, &keys.api_v2_key).filter(|_| own);
        let sign_type = sign_type.ok_or_else(|| Refused::message("签名错误"))?;
        if text("appid") != keys.appid {
            return Err(Refused::message("appid和mch_id不匹配"));
        }
        if text("nonce_str").len() > 32 {
            return Err(Refused::message("nonce_str参数长度有误"));
        }
        Ok(Request { fields, sign_type })
    }

    /// Checks who asks, meets the planned fault (under any of the call's `names`), does the job, answers.
    pub async fn answer(
        self,
        names: &[&str],
        job: impl FnOnce(&Self, &Request, Millis) -> Result<Answer, Refused>,
    ) -> Response {
        let request = match self.admit() {
            Ok(request) => request,
            Err(refused) => return fail(&refused),
        };
        let fate = self.shared.faults().fate_of("wechatpay", names);
        match fate {
            Fate::LoseRequest => return broken(),
            Fate::Http500 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Fate::SystemError => return self.respond(&request, Err(Refused::system())),
            Fate::Refuse(ref code) => return self.respond(&request, Err(Refused::business(code, "业务处理失败"))),
            _ => {}
        }
        let done = job(&self, &request, self.shared.now(HERE));
        match fate {
            Fate::LoseAnswer => return broken(),
            Fate::Delay(wait) => tokio::time::sleep(wait).await,
            _ => {}
        }
        self.respond(&request, done)
    }

    fn respond(&self, request: &Request, done: Result<Answer, Refused>) -> Response {
        let keys = self.keys();
        let mut fields = vec![
            ("return_code".to_owned(), "SUCCESS".to_owned()),
            ("return_msg".to_owned(), "OK".to_owned()),
            ("appid".to_owned(), keys.appid.clone()),
            ("mch_id".to_owned(), keys.mchid.clone()),
            ("device_info".to_owned(), request.text("device_info").to_owned()),
            ("nonce_str".to_owned(), hex::encode(random_bytes::<8>())),
        ];
        let (code, more) = match done {
            Ok(Answer::File { bytes, kind, digest }) => {
                let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
                if let Some(digest) = digest.and_then(|digest| format!("SHA={digest}").parse().ok()) {
                    response.headers_mut().insert("digest", digest);
                }
                return response;
            }
            Err(refused @ Refused::Message { .. }) => return fail(&refused),
            Err(Refused::Business { code, what, recall }) => {
                let mut more = vec![("err_code".to_owned(), code), ("err_code_des".to_owned(), what)];
                more.extend(recall.map(|again| ("recall".to_owned(), if again { "Y" } else { "N" }.to_owned())));
                ("FAIL", more)
            }
            Ok(Answer::Numbered(more)) => ("SUCCESS", more),
            Ok(Answer::Message(more)) => {
                ("SUCCESS", more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }
        };
        fields.push(("result_code".to_owned(), code.to_owned()));
        fields.extend(more);
        fields.retain(|(_, value)| !value.is_empty());
        let signature = sign(&fields.iter().cloned().collect(), &keys.api_v2_key, request.sign_type);
        fields.push(("sign".to_owned(), signature));
        xml(write("xml", &fields))
    }
}

fn fail(refused: &Refused) -> Response {
    let (what, number) = match refused {
        Refused::Message { what, number } => (what.as_str(), *number),
        Refused::Business { what, .. } => (what.as_str(), None),
    };
    let mut fields = vec![("return_code".to_owned(), "FAIL".to_owned()), ("return_msg".to_owned(), what.to_owned())];
    fields.extend(number.map(|number| ("error_code".to_owned(), number.to_owned())));
    xml(write("xml", &fields))
}

/// Whatever comes of a call, its status is 200.
fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain")], text).into_response()
}
