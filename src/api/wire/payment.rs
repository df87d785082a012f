//! Payments: what is asked of them, and how they are told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::Currency;
use crate::payment::{
    AccountId, AttemptState, ChannelId, ConfirmedBy, FailureReason, OutTradeNo, PaymentId, PaymentState, PendingReason,
    RefundState, StoreId, TillId, Way,
};

/// `POST /v1/payments`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePayment {
    /// What is due, in minor units (fen for CNY); more than 0, at most 10,000,000,000.
    #[schema(example = 1234)]
    pub amount: i64,
    /// ISO 4217.
    #[serde(default = "cny")]
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What for, at most 128 characters; the customer's wallet shows it. The shop's name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who takes it; whoever is signed in where somebody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// How many seconds the customer has to pay; 300 where absent, 15 to 3,600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_seconds: Option<u32>,
}

const fn cny() -> Currency {
    Currency::CNY
}

/// `PATCH /v1/payments/{id}`: possible while nothing was shown or submitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePayment {
    /// What is due, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `POST /v1/payments/{id}/code`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowCode {
    /// Which channel's code.
    #[schema(value_type = String, example = "alipay")]
    pub channel: ChannelId,
}

/// `POST /v1/payments/{id}/scan`. `Debug` hides the code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitScan {
    /// The digits of the customer's payment code.
    #[schema(example = "280000000000000000")]
    pub auth_code: String,
}

impl std::fmt::Debug for SubmitScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubmitScan(***)")
    }
}

impl Drop for SubmitScan {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.auth_code);
    }
}

/// `POST /v1/payments/{id}/confirm`: the cashier saw the money of a shown code on the shop's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPayment {
    /// Which channel's code, where codes of several such channels were shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "bank_transfer")]
    pub channel: Option<ChannelId>,
    /// Which try, where there were several through one channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Who saw it; the till where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// `POST /v1/payments/{id}/refunds`: return money of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// How much, in minor units; all that is left where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 500)]
    pub amount: Option<i64>,
    /// Why, at most 128 characters. Needed where it was paid back by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A person has paid it back (cash, transfer) and only writes it down: where the provider cannot return it.
    #[serde(default)]
    pub by_hand: bool,
    /// The attempt whose surplus was paid back by hand; the attempt that paid the payment where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Who wants it; the till where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// A payment as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: PaymentId,
    /// Where it stands.
    #[schema(value_type = String, example = "succeeded")]
    pub state: PaymentState,
    /// What it waits for, while pending.
    #[schema(value_type = Option<String>, example = "awaiting_scan")]
    pub pending: Option<PendingReason>,
    /// What is due, in minor units.
    pub amount: i64,
    /// ISO 4217.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// What for.
    pub description: String,
    /// The store.
    #[schema(value_type = String)]
    pub store: StoreId,
    /// The till.
    #[schema(value_type = String)]
    pub till: TillId,
    /// Who took it.
    pub operator: Option<String>,
    /// Whether no real money moves.
    pub training: bool,
    /// When it was created.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String)]
    pub changed_at: Timestamp,
    /// When the offer to pay ends by itself.
    #[schema(value_type = String)]
    pub collect_until: Timestamp,
    /// The channel that paid it, or that is being tried.
    #[schema(value_type = Option<String>)]
    pub channel: Option<ChannelId>,
    /// Our number with the provider, of the attempt that paid or of the latest.
    #[schema(value_type = Option<String>)]
    pub out_trade_no: Option<OutTradeNo>,
    /// The provider's number.
    pub provider_trade_no: Option<String>,
    /// Who paid, as the provider masks it.
    pub payer: Option<String>,
    /// When it was paid, by the provider's clock.
    #[schema(value_type = Option<String>)]
    pub paid_at: Option<Timestamp>,
    /// Why it was not paid, or why the latest try was refused.
    #[schema(value_type = Option<String>, example = "code_expired")]
    pub reason: Option<FailureReason>,
    /// The provider's code for that, for support.
    pub reason_code: Option<String>,
    /// The provider's words for that.
    pub reason_message: Option<String>,
    /// Every try, in order.
    pub attempts: Vec<AttemptView>,
    /// Every return of its money, in order.
    #[serde(default)]
    pub refunds: Vec<RefundView>,
    /// How much of it went back, in minor units.
    #[serde(default)]
    pub refunded: i64,
    /// How much can still be asked back: what was paid less what went back or is on its way.
    #[serde(default)]
    pub refundable: i64,
    /// What a person has to look at.
    pub attention: Vec<String>,
    /// Counts the events so far.
    pub version: u64,
}

/// One try to get a payment paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    /// Counts from 1.
    pub no: u32,
    /// Who shows the code.
    #[schema(value_type = String, example = "consumer_presented")]
    pub way: Way,
    /// The provider.
    #[schema(value_type = String)]
    pub channel: ChannelId,
    /// The merchant account.
    #[schema(value_type = String)]
    pub account: AccountId,
    /// Our number.
    #[schema(value_type = String)]
    pub out_trade_no: OutTradeNo,
    /// Who says that it was paid: where it is the cashier, `POST .../confirm` does.
    #[serde(default)]
    pub confirmed_by: ConfirmedBy,
    /// Who saw the money arrive, where the cashier said so.
    #[serde(default)]
    pub seen_by: Option<String>,
    /// Where it stands.
    #[schema(value_type = String, example = "code_shown")]
    pub state: AttemptState,
    /// When it began.
    #[schema(value_type = String)]
    pub started_at: Timestamp,
    /// What the shown code says.
    pub code: Option<String>,
    /// When the shown code stops being offered.
    #[schema(value_type = Option<String>)]
    pub code_expires_at: Option<Timestamp>,
    /// The customer's code, masked.
    pub auth_code: Option<String>,
    /// The provider's number.
    pub provider_trade_no: Option<String>,
    /// Who paid.
    pub payer: Option<String>,
    /// When.
    #[schema(value_type = Option<String>)]
    pub paid_at: Option<Timestamp>,
    /// Why it was refused.
    #[schema(value_type = Option<String>)]
    pub reason: Option<FailureReason>,
    /// The provider's code for that.
    pub reason_code: Option<String>,
    /// The provider's words for that.
    pub reason_message: Option<String>,
    /// Paid although the sale was paid another way or over; it is refunded by itself, or by hand where the state is
    /// `surplus_owed`.
    pub surplus: bool,
    /// The payment no longer waits for this attempt's end.
    pub deferred: bool,
}

/// One return of a payment's money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundView {
    /// Counts from 1.
    pub no: u32,
    /// The attempt whose money goes back.
    pub attempt: u32,
    /// Our number with the provider.
    pub out_refund_no: String,
    /// How much, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: Option<String>,
    /// Who wanted it.
    pub by: String,
    /// Paid back by a person, past the provider.
    pub by_hand: bool,
    /// Where it stands.
    #[schema(value_type = String, example = "succeeded")]
    pub state: RefundState,
    /// When it was asked for.
    #[schema(value_type = String)]
    pub started_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String)]
    pub changed_at: Timestamp,
    /// Why it was refused.
    #[schema(value_type = Option<String>)]
    pub failure: Option<FailureReason>,
    /// The provider's code for that.
    pub failure_code: Option<String>,
    /// The provider's words for that.
    pub failure_message: Option<String>,
}

/// `GET /v1/payments`: query parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PaymentQuery {
    /// Business day, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// A state's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub state: Option<PaymentState>,
    /// A channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub channel: Option<ChannelId>,
    /// A till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub till: Option<TillId>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /v1/payments`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentPage {
    /// The latest first.
    pub payments: Vec<PaymentView>,
    /// Give it as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// One step of a payment's story: `GET /v1/payments/{id}/history` gives a list of them, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoryStep {
    /// The journal's sequence.
    pub seq: i64,
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What: an event's kind, such as `attempt_succeeded`.
    pub kind: String,
    /// Its particulars.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
}
