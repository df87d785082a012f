//! The providers. Each has a folder of its own behind the one trait [`Channel`]; nothing above this room knows a
//! provider's name.
//!
//! A channel talks to its provider and says in our terms what came of it. It keeps no books, decides nothing and
//! repeats nothing: the engine does.

mod account;
mod alipay;
mod china_time;
mod credentials;
mod http;
mod text;
mod wechatpay;

pub use account::{AccountError, MerchantAccount, TimingOverrides};

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::money::Money;
use crate::payment::{AccountId, ChannelId, CodeRule, Failure, OutTradeNo, UnixMillis, Way};

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

/// A payment as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The provider's number.
    pub provider_trade_no: String,
    /// The order's amount as the provider has it; the engine compares.
    pub amount: Money,
    /// Who paid, as the provider masks it.
    pub payer: Option<String>,
    /// When, by the provider's clock; by ours where the provider does not say.
    pub paid_at: UnixMillis,
}

/// What came of submitting a customer's payment code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayOutcome {
    /// Paid.
    Paid(Paid),
    /// The customer has to confirm: query.
    CustomerConfirming,
    /// Refused; nothing was taken and nothing will be.
    Failed(Failure),
    /// Nobody knows: query. The text says what came instead of an answer.
    Unknown(String),
}

/// What came of asking for a code to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeOutcome {
    /// Show this.
    Shown {
        /// What the code says.
        code: String,
    },
    /// Refused; there is no order.
    Failed(Failure),
    /// Nobody knows; an order may exist that nobody can see.
    Unknown(String),
}

/// How an attempt stands with the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryOutcome {
    /// Paid.
    Paid(Paid),
    /// The order waits for its customer; nobody has scanned it, or it is not told apart.
    AwaitingCustomer,
    /// The customer is confirming.
    CustomerConfirming,
    /// The provider has no such order (for a shown Alipay code: nobody has scanned it yet).
    NotFound,
    /// Refused; nothing was taken and nothing will be.
    Failed(Failure),
    /// Closed unpaid.
    Closed,
    /// Paid once, and all of it returned.
    Returned,
    /// Nobody knows; ask again.
    Unknown(String),
}

/// What came of taking an attempt back (cancel, close or reverse, as the provider has it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoidOutcome {
    /// It was unpaid and can no longer be paid.
    Closed,
    /// It was paid, and the money was returned by this very call.
    Returned,
    /// It is paid, and this call cannot take it back: refund it.
    AlreadyPaid,
    /// The provider does not allow it yet (WeChat Pay: not sooner than 15 s after the payment call).
    NotYet,
    /// Refused for good.
    Failed(Failure),
    /// Nobody knows; the same call again does no harm.
    Unknown(String),
}

/// What came of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money is on its way back to the customer.
    Done,
    /// Accepted; ask again with the same number.
    Processing,
    /// Refused for good.
    Failed(Failure),
    /// Nobody knows; the same call with the same number does no harm.
    Unknown(String),
}

/// A notification as it came: the raw body is what is signed.
#[derive(Debug, Clone)]
pub struct RawNotification {
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl RawNotification {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A notification whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The provider's id of the notification: it counts once.
    pub id: String,
    /// Which attempt it is about.
    pub out_trade_no: OutTradeNo,
    /// What it says.
    pub outcome: QueryOutcome,
}

/// Why a notification was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// No signature, or one that does not fit.
    #[error("the notification's signature is missing or wrong")]
    BadSignature,
    /// Its time is too far from ours (300 s).
    #[error("the notification's time is too far from this machine's clock")]
    Stale,
    /// Signed, but not for this merchant account.
    #[error("the notification is for another merchant")]
    OtherMerchant,
    /// Signed, but not of a shape we know.
    #[error("the notification cannot be read: {0}")]
    Unreadable(String),
    /// This channel sends none.
    #[error("this channel sends no notifications")]
    NotSent,
}

/// The exact HTTP answer a provider expects to its notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

/// What a channel can do, and its provider's numbers. The engine and the till ask this and never a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Which channel.
    pub channel: ChannelId,
    /// Ways it can be paid.
    pub ways: Vec<Way>,
    /// How its customers' codes begin and how long they are.
    pub code_rules: Vec<CodeRule>,
    /// Smallest and largest amount of one payment, in minor units.
    pub amount: RangeInclusive<i64>,
    /// How long a shown code is offered before a fresh one takes its place.
    pub code_lifetime: Duration,
    /// How long past that the old code is still awaited, for a customer who has scanned it already.
    pub code_grace: Duration,
    /// How long a customer may take to confirm a scanned payment code before it is taken back.
    pub confirm_patience: Duration,
    /// How long between queries while a customer confirms or a result is unknown.
    pub query_interval: Duration,
    /// How long between queries while a code is merely shown.
    pub shown_query_interval: Duration,
    /// How soon after submitting a payment code it may be taken back at the earliest.
    pub void_not_before: Duration,
    /// How long after the payment it may be taken back at the latest.
    pub void_window: Duration,
    /// How long a payment waits for its other attempts to be closed before it is called paid all the same.
    pub close_patience: Duration,
    /// How long a payment can be refunded.
    pub refund_window: Duration,
    /// Time limit of one request.
    pub request_timeout: Duration,
}

/// A provider, through one merchant account.
///
/// Every call makes at most one HTTP request, within [`Capabilities::request_timeout`] (a refund may make a second, to
/// ask what became of the first), and returns an outcome and never an error: what cannot be told is `Unknown`. The
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

    /// Returns `amount` of a paid attempt. `out_refund_no` makes it happen once, however often it is asked.
    async fn refund(&self, trade: &TradeRef, out_refund_no: &str, amount: Money) -> RefundOutcome;

    /// Asks how a refund stands.
    async fn query_refund(&self, trade: &TradeRef, out_refund_no: &str) -> RefundOutcome;

    /// Reads a notification: signature and freshness first, then merchant, then meaning. `now` is our clock.
    ///
    /// # Errors
    /// [`NotificationError`]; nothing in the notification may be believed then.
    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError>;

    /// The answer that makes the provider stop repeating (`accepted`), or repeat later.
    fn acknowledge(&self, accepted: bool) -> Acknowledgement;
}

/// Builds the channel of an account: one line for each provider.
///
/// # Errors
/// [`AccountError`] where the channel is unknown or a credential does not fit it.
pub fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    match account.channel.as_str() {
        "alipay" => alipay::open(account),
        "wechatpay" => wechatpay::open(account),
        _ => Err(AccountError::UnknownChannel(account.channel.clone())),
    }
}
