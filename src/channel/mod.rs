//! The providers. Each has a folder of its own behind the one trait [`Channel`]; nothing above this room knows a
//! provider's name.
//!
//! A channel talks to its provider and says in our terms what came of it. It keeps no books, decides nothing and
//! repeats nothing: the engine does.

mod account;
mod account_test;
mod alipay;
mod bank_transfer;
mod bill;
mod capabilities;
mod china_time;
mod credentials;
mod form;
mod http;
mod notification;
mod outcome;
mod reach;
mod text;
mod unionpay;
mod unpack;
mod validity;
mod wechatpay;

pub use account::{AccountError, MerchantAccount, Retiring, TimingOverrides};
pub use account_test::{AccountFault, AccountTest};
pub use bill::{Bill, BillError, BillKind, BillLine, BillLineKind};
pub use capabilities::{BillRules, Capabilities, ConfirmedBy, RefundRules};
pub use form::{AccountForm, CredentialField, FieldKind, Required};
pub use notification::{Acknowledgement, Notification, NotificationError, RawNotification, Told};
pub use outcome::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, VoidOutcome};
pub use reach::{Reached, Unreached, reach, reach_gateway};
pub use validity::{DatedCertificate, dated_certificates};

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;

use crate::money::Money;
use crate::payment::{AccountId, ChannelId, OutTradeNo, UnixMillis, Way};

/// What a provider sees of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRef {
    /// Our number.
    pub out_trade_no: OutTradeNo,
    /// What is due.
    pub amount: Money,
    /// Who showed the code.
    pub way: Way,
    /// When the intent was written.
    pub started_at: UnixMillis,
    /// The provider's number, where it is known.
    pub provider_trade_no: Option<String>,
    /// When it was paid, by the provider's clock, where it is known.
    pub paid_at: Option<UnixMillis>,
}

/// What a provider sees of one refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRef {
    /// Our number; it makes the refund happen once, however often it is asked.
    pub out_refund_no: String,
    /// How much goes back; never more than is left of the payment.
    pub amount: Money,
    /// Why, for the customer; providers that take none leave it out.
    pub reason: Option<String>,
    /// When the intent was written.
    pub started_at: UnixMillis,
    /// Where notifications reach us; `None` where the provider cannot reach us.
    pub notify_url: Option<String>,
}

/// What every request to pay carries beside its [`TradeRef`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeDetails {
    /// What for; the customer's wallet shows it. Never empty.
    pub description: String,
    /// The store's id with us.
    pub store: String,
    /// The till's id with us.
    pub till: String,
    /// Who takes the payment.
    pub operator: Option<String>,
    /// When the provider has to let the trade run out.
    pub expires_at: UnixMillis,
    /// Where notifications reach us; `None` where the provider cannot reach us.
    pub notify_url: Option<String>,
}

/// A provider, through one merchant account.
///
/// Every call makes at most one request to pay or to take back, within [`Capabilities::request_timeout`] (a refund may
/// make a second, to ask what became of the first; a certificate may be fetched on the way), and returns an outcome and never an error: what cannot be told is `Unknown`. The
/// provider's answer is believed only if its signature is good.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The merchant account it goes through.
    fn account(&self) -> &AccountId;

    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Asks for a code to show (merchant-presented).
    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome;

    /// Submits a customer's payment code (consumer-presented). `auth_code` goes on the wire and nowhere else.
    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome;

    /// Asks how the attempt stands.
    async fn query(&self, trade: &TradeRef) -> QueryOutcome;

    /// Takes the attempt back, so that it can no longer be paid: cancel, close or reverse, as the provider has it.
    async fn void(&self, trade: &TradeRef) -> VoidOutcome;

    /// Returns a paid attempt's money, in part or in whole.
    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome;

    /// Asks how a refund stands.
    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome;

    /// Fetches the provider's file of a day (China time), checks it and reads it. A day without business is a bill
    /// without lines.
    ///
    /// # Errors
    /// [`BillError`] tells a file that is not there yet from one that is damaged.
    async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError>;

    /// Reads a file of the provider's that a person has fetched by hand.
    ///
    /// # Errors
    /// [`BillError::Damaged`] where it is no such file, or does not agree with its own totals.
    fn read_bill(&self, kind: BillKind, file: &[u8]) -> Result<Bill, BillError>;

    /// Makes one signed call that moves nothing, and says what is wrong with the account if it fails.
    async fn test(&self) -> AccountTest;

    /// Reads a notification: signature and freshness first, then merchant, then meaning. `now` is our clock.
    ///
    /// # Errors
    /// [`NotificationError`]; nothing in the notification may be believed then.
    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError>;

    /// The answer that makes the provider stop repeating (`accepted`), or repeat later.
    fn acknowledge(&self, accepted: bool) -> Acknowledgement;
}

/// A provider as the rest of the house finds it.
pub struct Provider {
    /// Its id.
    pub channel: ChannelId,
    /// What an account with it consists of.
    pub form: fn() -> AccountForm,
    /// Builds the channel of an account.
    pub open: fn(&MerchantAccount) -> Result<Arc<dyn Channel>, AccountError>,
}

/// Every provider: one line each.
pub static PROVIDERS: &[Provider] =
    &[alipay::PROVIDER, wechatpay::PROVIDER, unionpay::PROVIDER, bank_transfer::PROVIDER];

/// What an account with each provider consists of.
#[must_use]
pub fn forms() -> Vec<AccountForm> {
    PROVIDERS.iter().map(|provider| (provider.form)()).collect()
}

/// Builds the channel of an account.
///
/// # Errors
/// [`AccountError`] where the channel is unknown or a credential does not fit it.
pub fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let provider = PROVIDERS.iter().find(|provider| provider.channel == account.channel);
    (provider.ok_or_else(|| AccountError::UnknownChannel(account.channel.clone()))?.open)(account)
}
