//! Reading an answer: signature first, then merchant, then what it says. Pure.

use super::credentials::Credentials;
use super::xml::Message;
use crate::channel::http::Answer;
use crate::channel::wechatpay::meaning::ApiError;
use crate::payment::UnixMillis;

/// An answer after its signature was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// `result_code` SUCCESS, signed.
    Signed(Message),
    /// An error that the platform tells: signed, or unsigned where it could not tell who asks.
    Refused(ApiError, Message),
    /// No connection was made.
    NotSent(String),
    /// Nobody knows.
    Unknown(String),
}

/// Reads an answer.
///
/// `return_code` FAIL comes without a signature: the platform did not take the request. It is believed where it tells
/// of the merchant's own credentials or of the request's form, which could not be mistaken for a payment; anything
/// else without a signature is unknown, whatever it says.
pub(super) fn read(credentials: &Credentials, answer: &Answer, now: UnixMillis) -> Reply {
    if answer.status != 200 {
        return Reply::Unknown(format!("WeChat Pay answered HTTP {}", answer.status));
    }
    let message = match Message::parse(&answer.body) {
        Ok(message) => message,
        Err(error) => return Reply::Unknown(format!("the answer is not the XML of WeChat Pay: {error}")),
    };
    if message.text("return_code") != "SUCCESS" {
        return untaken(&message);
    }
    if !credentials.believes(&message, now) {
        return Reply::Unknown("the answer's signature does not fit the account's API key".into());
    }
    if !credentials.is_ours(&message) {
        return Reply::Unknown("the answer is for another merchant".into());
    }
    match message.text("result_code") {
        "SUCCESS" => Reply::Signed(message),
        "FAIL" if !message.text("err_code").is_empty() => {
            let (code, words) = (message.text("err_code").to_owned(), message.text("err_code_des").to_owned());
            Reply::Refused(ApiError { code, message: words }, message)
        }
        other => Reply::Unknown(format!("WeChat Pay says {other}")),
    }
}

/// `return_code` FAIL.
fn untaken(message: &Message) -> Reply {
    let words = message.text("return_msg");
    match stranger(words) {
        Some(code) => Reply::Refused(ApiError { code: code.into(), message: words.to_owned() }, message.clone()),
        None => Reply::Unknown(format!("WeChat Pay answered {} {words}", message.text("return_code"))),
    }
}

/// The code that goes with the words of a request that was not taken: there are words only.
pub(super) fn stranger(words: &str) -> Option<&'static str> {
    let says = |parts: &[&str]| parts.iter().any(|part| words.to_lowercase().contains(part));
    if says(&["签名", "sign error", "signature"]) {
        Some("SIGNERROR")
    } else if says(&["证书", "certificate"]) {
        Some("CERT_ERROR")
    } else if says(&["不匹配", "not match"]) && says(&["appid"]) {
        Some("APPID_MCHID_NOT_MATCH")
    } else if says(&["appid"]) {
        Some("APPID_NOT_EXIST")
    } else if says(&["mch_id", "mchid", "商户号"]) {
        Some("MCHID_NOT_EXIST")
    } else if says(&["无权限", "没有权限", "未开通"]) {
        Some("NOAUTH")
    } else if says(&["参数", "缺少", "格式", "xml", "post"]) {
        Some("PARAM_ERROR")
    } else {
        None
    }
}
