//! Reading a notification, and answering it. Pure.
//!
//! A payment's is signed; it carries no time, and counts once by the platform's number. A refund's is not signed but
//! wrapped with the API key, in a way that lets blocks be exchanged: it says which refund to ask about, and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::credentials::Credentials;
use super::outcome::payment;
use super::xml::Message;
use crate::channel::wechatpay::meaning;
use crate::channel::{
    Acknowledgement, Notification, NotificationError, QueryOutcome, RawNotification, RefundOutcome, Told,
};
use crate::crypto::{md5_hex, unwrap_aes256_ecb};
use crate::payment::UnixMillis;

/// No true notification is longer.
const MAX_BYTES: usize = 64 << 10;

fn unreadable(why: impl Into<String>) -> NotificationError {
    NotificationError::Unreadable(why.into())
}

impl Credentials {
    /// Reads what the platform posts to `notify_url`.
    pub fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        if raw.body.len() > MAX_BYTES {
            return Err(unreadable("it is too long"));
        }
        // What cannot be read cannot be signed either.
        let message = Message::parse(&raw.body).map_err(|_| NotificationError::BadSignature)?;
        if message.text("req_info").is_empty() { self.of_payment(&message, now) } else { self.of_refund(&message, now) }
    }

    fn of_payment(&self, message: &Message, now: UnixMillis) -> Result<Notification, NotificationError> {
        if !self.believes(message, now) {
            return Err(NotificationError::BadSignature);
        }
        if !self.is_ours(message) {
            return Err(NotificationError::OtherMerchant);
        }
        let out_trade_no =
            message.text("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
        let outcome = match (message.text("return_code"), message.text("result_code")) {
            ("SUCCESS", "SUCCESS") => meaning::of_state("SUCCESS", "", || payment(message, now)),
            // The customer may try again: the query tells.
            _ => QueryOutcome::Unknown(format!("WeChat Pay says {}", message.text("err_code"))),
        };
        let number = message.text("transaction_id");
        if number.is_empty() {
            return Err(unreadable("it has no transaction_id"));
        }
        let id = format!("{number}/{}", message.text("result_code"));
        Ok(Notification { id, out_trade_no, told: Told::Trade(outcome) })
    }

    fn of_refund(&self, message: &Message, now: UnixMillis) -> Result<Notification, NotificationError> {
        if !self.is_ours(message) {
            return Err(NotificationError::OtherMerchant);
        }
        let wrapped = BASE64.decode(message.text("req_info")).map_err(|_| unreadable("its req_info is no base64"))?;
        // Who cannot wrap with the API key is nobody.
        let content = self.unwrap(&wrapped, now).ok_or(NotificationError::BadSignature)?;
        let out_trade_no =
            content.text("out_trade_no").parse().map_err(|_| unreadable("its out_trade_no is none of ours"))?;
        let (refund, number) = (content.text("out_refund_no"), content.text("refund_id"));
        if refund.is_empty() || number.is_empty() {
            return Err(unreadable("it does not say which refund it is about"));
        }
        let outcome = match content.text("refund_status") {
            "SUCCESS" | "CHANGE" | "REFUNDCLOSE" => RefundOutcome::Processing,
            other => return Err(unreadable(format!("it says {}", other.chars().take(32).collect::<String>()))),
        };
        let id = format!("{number}/{}", content.text("refund_status"));
        Ok(Notification { id, out_trade_no, told: Told::Refund { out_refund_no: Some(refund.to_owned()), outcome } })
    }

    fn unwrap(&self, wrapped: &[u8], now: UnixMillis) -> Option<Message> {
        self.keys(now).find_map(|key| {
            // MD5 turns the key into 32 letters, as the platform has it; no message is signed with it here.
            let key = zeroize::Zeroizing::new(md5_hex(key.key.expose().as_bytes()));
            Message::parse(&unwrap_aes256_ecb(key.as_bytes(), wrapped).ok()?).ok()
        })
    }
}

/// The answer that makes the platform stop repeating, or repeat later.
pub(in crate::channel::wechatpay) fn acknowledgement(accepted: bool) -> Acknowledgement {
    let body = |code: &str, words: &str| {
        format!("<xml><return_code><![CDATA[{code}]]></return_code><return_msg><![CDATA[{words}]]></return_msg></xml>")
    };
    let (status, body) = if accepted { (200, body("SUCCESS", "OK")) } else { (500, body("FAIL", "send it again")) };
    Acknowledgement { status, content_type: "text/xml", body }
}
