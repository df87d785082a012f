//! APIv3: JSON, `WECHATPAY2-SHA256-RSA2048` both ways, content sealed with the APIv3 key.

mod answer;
mod bill;
mod certificates;
mod credentials;
mod keys;
mod notification;
mod outcome;
mod probe;
mod refresh;
mod request;
mod signature;

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use self::answer::Reply;
pub(super) use self::credentials::Credentials;
use self::notification::Refusal;
use self::signature::Distrust;
use super::{is_too_soon_to_reverse, meaning};
use crate::channel::http::{Answer, Lost, NetworkFault, Sender, now, unreachable};
use crate::channel::{
    Capabilities, CodeOutcome, Notification, NotificationError, PayOutcome, QueryOutcome, RawNotification,
    RefundOutcome, RefundRef, TradeDetails, TradeRef, VoidOutcome,
};
use crate::payment::{UnixMillis, Way};

/// An account that speaks APIv3.
pub(super) struct V3 {
    credentials: Credentials,
    sender: Sender,
    /// Whoever looks at the platform's certificates; the others wait and take what was found.
    turn: tokio::sync::Mutex<Option<refresh::Failed>>,
}

/// The path of an order.
fn order_path(trade: &TradeRef) -> String {
    format!("/v3/pay/transactions/out-trade-no/{}", trade.out_trade_no)
}

impl V3 {
    pub fn new(credentials: Credentials, sender: Sender) -> Self {
        Self { credentials, sender, turn: tokio::sync::Mutex::new(None) }
    }

    /// One signed request, and what came of it.
    async fn send(&self, method: Method, path: &str, body: String) -> Result<Answer, Lost> {
        let url = self.sender.request(method.clone(), path);
        self.sender.send(self.signed(url, &method, path, body)?).await
    }

    /// Puts on what every request carries. `path` is what is signed: with its query, without the host.
    fn signed(
        &self,
        request: reqwest::RequestBuilder,
        method: &Method,
        path: &str,
        body: String,
    ) -> Result<reqwest::RequestBuilder, Lost> {
        let moment = now();
        let authorization = signature::authorize(&self.credentials, method.as_str(), path, &body, moment / 1_000)
            .map_err(|error| Lost { maybe_sent: false, fault: NetworkFault::Broken, words: error.to_string() })?;
        let mut request = request
            .header("Authorization", authorization)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json");
        // The provider signs with the key that we say we hold.
        if let Some(serial) = self.credentials.platform.preferred(moment) {
            request = request.header("Wechatpay-Serial", serial);
        }
        Ok(request.body(body))
    }

    /// Whether the answer's signature is to be believed at `moment`.
    fn check(&self, answer: &Answer, moment: UnixMillis) -> Result<(), Distrust> {
        let key = |serial: &str| self.credentials.platform_key(serial, moment);
        signature::check(key, |name| answer.header(name), &answer.body, moment)
    }

    /// One call: signed, sent, its answer's signature checked.
    async fn call(self: &Arc<Self>, method: Method, path: &str, body: Option<&Value>) -> Reply {
        // What comes back could not be believed without a key: then nothing is asked.
        if let Err(reply) = self.hold_a_key().await {
            return reply;
        }
        let answer = match self.send(method, path, body.map(Value::to_string).unwrap_or_default()).await {
            Ok(answer) => answer,
            Err(lost) if lost.maybe_sent => return Reply::Unknown(lost.words),
            Err(lost) => return Reply::NotSent(lost.words),
        };
        let moment = now();
        let mut checked = self.check(&answer, moment);
        if let Err(Distrust::Serial(serial)) = &checked
            && self.learn(serial).await
        {
            checked = self.check(&answer, moment);
        }
        answer::read(checked, &answer, self.sender.knows_its_peer())
    }

    pub async fn create_code(self: &Arc<Self>, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        let order = request::native(&self.credentials, trade, details);
        match self.call(Method::POST, "/v3/pay/transactions/native", Some(&order)).await {
            Reply::NotSent(words) => CodeOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => CodeOutcome::Unknown(words),
            Reply::Signed(body) => outcome::created(&body),
            Reply::Refused(error) => meaning::creation_refused(&error),
        }
    }

    pub async fn pay(self: &Arc<Self>, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let order = request::codepay(&self.credentials, trade, details, auth_code);
        match self.call(Method::POST, "/v3/pay/transactions/codepay", Some(&order)).await {
            Reply::NotSent(words) => PayOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => PayOutcome::Unknown(words),
            Reply::Signed(body) => outcome::paid(&self.credentials, trade, &body, now()),
            Reply::Refused(error) => meaning::payment_refused(&error),
        }
    }

    /// Asks by our number; where the platform does not know it and its own is known, by that.
    pub async fn query(self: &Arc<Self>, trade: &TradeRef) -> QueryOutcome {
        let outcome = self.query_at(trade, &order_path(trade)).await;
        let number = trade.provider_trade_no.as_deref().filter(|number| is_number(number));
        match (outcome, number) {
            (QueryOutcome::NotFound, Some(number)) => {
                self.query_at(trade, &format!("/v3/pay/transactions/id/{number}")).await
            }
            (outcome, _) => outcome,
        }
    }

    async fn query_at(self: &Arc<Self>, trade: &TradeRef, path: &str) -> QueryOutcome {
        let path = format!("{path}?mchid={}", self.credentials.mchid);
        match self.call(Method::GET, &path, None).await {
            Reply::NotSent(words) | Reply::Unknown(words) => QueryOutcome::Unknown(words),
            Reply::Signed(body) => outcome::queried(&self.credentials, trade, &body, now()),
            Reply::Refused(error) => meaning::query_refused(&error),
        }
    }

    pub async fn void(self: &Arc<Self>, trade: &TradeRef, numbers: &Capabilities) -> VoidOutcome {
        // Only a payment by code can be reversed; a shown order is closed.
        let (job, body) = match trade.way {
            Way::MerchantPresented => ("close", json!({ "mchid": self.credentials.mchid })),
            Way::ConsumerPresented => {
                ("reverse", json!({ "appid": self.credentials.appid, "mchid": self.credentials.mchid }))
            }
        };
        match self.call(Method::POST, &format!("{}/{job}", order_path(trade)), Some(&body)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => VoidOutcome::Unknown(words),
            Reply::Signed(body) => outcome::voided(&self.credentials, trade, &body),
            Reply::Refused(error) => meaning::void_refused(&error, is_too_soon_to_reverse(numbers, trade)),
        }
    }

    pub async fn refund(self: &Arc<Self>, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let body = request::refund(trade, refund);
        match self.call(Method::POST, "/v3/refund/domestic/refunds", Some(&body)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(body) => outcome::refunded(trade, refund, &body),
            Reply::Refused(error) => meaning::refund_refused(&error),
        }
    }

    pub async fn query_refund(self: &Arc<Self>, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        if !is_number(&refund.out_refund_no) {
            return RefundOutcome::Unknown("the refund's number has signs that WeChat Pay does not take".into());
        }
        let path = format!("/v3/refund/domestic/refunds/{}", refund.out_refund_no);
        match self.call(Method::GET, &path, None).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(body) => outcome::refunded(trade, refund, &body),
            Reply::Refused(error) => meaning::refund_query_refused(&error),
        }
    }

    /// Reads a notification. One that is signed with a key that is not held is refused, and the certificates are looked
    /// at: the platform repeats it after some seconds.
    pub fn read_notification(
        self: &Arc<Self>,
        raw: &RawNotification,
        now: UnixMillis,
    ) -> Result<Notification, NotificationError> {
        notification::read(&self.credentials, raw, now).map_err(|refusal| match refusal {
            Refusal::Of(error) => error,
            Refusal::UnknownSerial(serial) => {
                self.look_behind(serial);
                NotificationError::BadSignature
            }
        })
    }
}

impl Credentials {
    /// Reads a notification of an account that spoke APIv3 and does no more: no certificate is fetched for it.
    pub fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        notification::read(self, raw, now).map_err(|refusal| match refusal {
            Refusal::Of(error) => error,
            Refusal::UnknownSerial(_) => NotificationError::BadSignature,
        })
    }
}

/// Whether a number can stand in an address as it is.
fn is_number(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}
