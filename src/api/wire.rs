//! What goes over the wire: JSON bodies of requests and answers. The till and the client know these and nothing
//! else of the API.

mod account;
mod operator;
mod payment;
mod security;
mod store;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use account::*;
pub use operator::*;
pub use payment::*;
pub use security::*;
pub use store::*;

pub use crate::channel::TimingOverrides;
pub use crate::ledger::{Store, Sums, Takings};
use crate::money::Currency;
use crate::payment::{AccountId, ChannelId, ConfirmedBy, TillId, Way};

const fn yes() -> bool {
    true
}

/// `GET /v1/events`: the data of one server-sent event. Its `id` is `seq`, its `event` is `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The journal's sequence.
    pub seq: i64,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// The payment as it stands now, which may be further on than this event.
    pub payment: PaymentView,
}

/// Something about no payment of ours that a person has to look at: `GET /v1/notices` lists them, and the event stream
/// tells them under the event `notice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    /// The journal's sequence.
    pub seq: i64,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What kind: `notification_unmatched`, a provider's signed notification that fits nothing in the books.
    pub kind: String,
    /// What, in words, and what to do.
    pub detail: String,
    /// The provider.
    pub channel: Option<String>,
    /// Through which account.
    pub account: Option<String>,
    /// The number that it is about.
    pub out_trade_no: Option<String>,
}

/// `GET /v1/notices`: query parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoticeQuery {
    /// Only those after this sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// At most so many, 1 to 200; 50 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /v1/channels`: what this till can be paid through now. A channel is listed once for each account that takes
/// currencies of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelView {
    /// Which.
    #[schema(value_type = String, example = "wechatpay")]
    pub channel: ChannelId,
    /// Through which account.
    #[schema(value_type = String)]
    pub account: AccountId,
    /// Which ways.
    #[schema(value_type = Vec<String>)]
    pub ways: Vec<Way>,
    /// Smallest amount, minor units.
    pub min_amount: i64,
    /// Largest amount, minor units.
    pub max_amount: i64,
    /// How many seconds a shown code is offered before a fresh one takes its place.
    pub code_lifetime_seconds: u64,
    /// Whether a shown code can be closed. One that cannot only runs out: it is best shown when it is asked for.
    #[serde(default = "yes")]
    pub closes_codes: bool,
    /// Whether no real money moves.
    pub training: bool,
    /// Which currencies it takes here.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub currencies: Vec<Currency>,
    /// Who says that a shown code was paid. The cashier's word is `POST /v1/payments/{id}/confirm`.
    #[serde(default)]
    pub confirmed_by: ConfirmedBy,
    /// How its customers' codes begin and how long they are.
    #[serde(default)]
    pub code_rules: Vec<CodeRuleView>,
    /// How payments are refunded through it; absent where the shop pays back by hand.
    #[serde(default)]
    pub refund: Option<RefundRulesView>,
}

/// Which digits are a customer's code of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CodeRuleView {
    /// The least number that the first two digits make.
    pub first_prefix: u8,
    /// The greatest.
    pub last_prefix: u8,
    /// The least number of digits.
    pub min_length: usize,
    /// The greatest.
    pub max_length: usize,
}

/// How payments are refunded through a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundRulesView {
    /// How many seconds after the payment.
    pub window_seconds: u64,
    /// Whether a part can be refunded.
    pub partial: bool,
}

/// `GET /healthz`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or what is wrong.
    pub status: String,
    /// This program's version.
    pub version: String,
    /// The server's clock, for a client whose requests are refused as stale.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// Whether only training accounts are open.
    pub training: bool,
}

/// `GET /v1/takings`: query parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct TakingsParams {
    /// Business day, `YYYY-MM-DD`; today where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Only this till's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub till: Option<TillId>,
    /// With or without real money; by the open accounts where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<bool>,
    /// ISO 4217; CNY where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub currency: Option<Currency>,
}

/// An error as `application/problem+json` (RFC 9457), with a stable `code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the code tells the kind.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened (to the money first) and what to do now, for a person.
    pub detail: String,
    /// Stable, for programs: `amount_invalid`, `auth_code_rejected`, `not_found`, ...
    pub code: String,
    /// Which field of the request, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A finer stable name: what a scanned code is instead (`web_address`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind_of_code: Option<String>,
    /// After how many seconds it is worth trying again, where waiting is the cure; also in `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// How many tries of a PIN are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u32>,
}
