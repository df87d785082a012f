//! APIv2, for merchants that are not on APIv3 yet: XML, HMAC-SHA256 or MD5 over the sorted fields and the API key both
//! ways, and the merchant's certificate on the connection where money goes back.
//!
//! Its answers carry no time: only the connection tells a fresh one from an old one, so that there is none without TLS.

mod answer;
mod bill;
mod credentials;
mod notification;
mod outcome;
mod probe;
mod request;
mod sign;
mod xml;

use reqwest::{Method, RequestBuilder};

use self::answer::Reply;
pub(super) use self::credentials::Credentials;
pub(super) use self::notification::acknowledgement;
use self::sign::SignType;
use self::xml::Message;
use super::{is_too_soon_to_reverse, meaning};
use crate::channel::http::{Sender, now, unreachable};
use crate::channel::{
    Capabilities, CodeOutcome, PayOutcome, QueryOutcome, RefundOutcome, RefundRef, TradeDetails, TradeRef, VoidOutcome,
};
use crate::payment::Way;

/// An account that speaks APIv2.
pub(super) struct V2 {
    credentials: Credentials,
    /// It shows the merchant's certificate wherever it is asked for one.
    sender: Sender,
}

impl V2 {
    pub const fn new(credentials: Credentials, sender: Sender) -> Self {
        Self { credentials, sender }
    }

    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn request(&self, path: &str, message: Message, sign_type: SignType) -> RequestBuilder {
        let message = request::signed(&self.credentials, message, sign_type);
        self.sender.request(Method::POST, path).header("Content-Type", "text/xml; charset=utf-8").body(message.to_xml())
    }

    /// One call: signed, sent, its answer's signature checked.
    async fn call(&self, path: &str, message: Message) -> Reply {
        match self.sender.send(self.request(path, message, self.credentials.key.sign_type)).await {
            Ok(answer) => answer::read(&self.credentials, &answer, now()),
            Err(lost) if lost.maybe_sent => Reply::Unknown(lost.words),
            Err(lost) => Reply::NotSent(lost.words),
        }
    }

    pub async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        match self.call("/pay/unifiedorder", request::unifiedorder(trade, details)).await {
            Reply::NotSent(words) => CodeOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => CodeOutcome::Unknown(words),
            Reply::Signed(message) => outcome::created(&message),
            Reply::Refused(error, _) => meaning::creation_refused(&error),
        }
    }

    pub async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        match self.call("/pay/micropay", request::micropay(trade, details, auth_code)).await {
            Reply::NotSent(words) => PayOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => PayOutcome::Unknown(words),
            Reply::Signed(message) => outcome::paid(trade, &message, now()),
            Reply::Refused(error, _) => meaning::payment_refused(&error),
        }
    }

    /// Asks by our number; where the platform does not know it and its own is known, by that.
    pub async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let outcome = self.query_with(trade, request::about(trade)).await;
        match (outcome, trade.provider_trade_no.as_deref().filter(|number| !number.is_empty())) {
            (QueryOutcome::NotFound, Some(number)) => {
                let mut message = Message::new();
                message.set("transaction_id", number);
                self.query_with(trade, message).await
            }
            (outcome, _) => outcome,
        }
    }

    async fn query_with(&self, trade: &TradeRef, message: Message) -> QueryOutcome {
        match self.call("/pay/orderquery", message).await {
            Reply::NotSent(words) | Reply::Unknown(words) => QueryOutcome::Unknown(words),
            Reply::Signed(message) => outcome::queried(trade, &message, now()),
            Reply::Refused(error, _) => meaning::query_refused(&error),
        }
    }

    pub async fn void(&self, trade: &TradeRef, numbers: &Capabilities) -> VoidOutcome {
        let path = match trade.way {
            Way::MerchantPresented => "/pay/closeorder",
            Way::ConsumerPresented => "/secapi/pay/reverse",
        };
        match self.call(path, request::about(trade)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => VoidOutcome::Unknown(words),
            Reply::Signed(message) => outcome::voided(&message),
            // It says by `recall` whether the same call would do better.
            Reply::Refused(error, message) if message.text("recall") == "Y" => VoidOutcome::Unknown(error.words()),
            Reply::Refused(error, _) => meaning::void_refused(&error, is_too_soon_to_reverse(numbers, trade)),
        }
    }

    pub async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        match self.call("/secapi/pay/refund", request::refund(trade, refund)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(message) => outcome::refunded(trade, refund, &message),
            Reply::Refused(error, _) => meaning::refund_refused(&error),
        }
    }

    pub async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let mut message = Message::new();
        message.set("out_refund_no", refund.out_refund_no.as_str());
        match self.call("/pay/refundquery", message).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(message) => outcome::refund_queried(trade, refund, &message),
            Reply::Refused(error, _) => meaning::refund_query_refused(&error),
        }
    }
}
