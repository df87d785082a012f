//! What goes into the books and comes out of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::channel::Retiring;
use crate::crypto::Secret;
use crate::money::Currency;
use crate::payment::{
    AccountId, ChannelId, IllegalEvent, PaymentEvent, PaymentId, PaymentState, StoreId, TillId, UnixMillis,
};

/// Where the books are and how they are kept.
pub struct LedgerConfig {
    /// `sqlite:PATH` or `postgres://...`.
    pub url: String,
    /// The journal's chain key.
    pub chain_key: Zeroizing<[u8; 32]>,
    /// The key that credentials are sealed under.
    pub seal_key: Zeroizing<[u8; 32]>,
    /// Which day a moment belongs to.
    pub calendar: BusinessCalendar,
    /// Open for reading only (`takings`, `ledger verify`): nothing is created or migrated.
    pub read_only: bool,
}

/// When a business day begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessCalendar {
    /// IANA time zone name, or `None` for the machine's.
    pub time_zone: Option<String>,
    /// The hour (0-23, local) at which a new business day begins; what happens earlier belongs to the day before.
    pub cutover_hour: i8,
}

/// One write: events of one payment, and what has to be durable with them.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The payment.
    pub payment: PaymentId,
    /// The version it was decided on; `None` for a new payment.
    pub expect: Option<u64>,
    /// Who: `till:front`, `engine`, `provider:alipay`.
    pub actor: String,
    /// When.
    pub at: UnixMillis,
    /// What happened, in order.
    pub events: Vec<PaymentEvent>,
    /// The answer to give again to the same idempotency key.
    pub answer: Option<StoredAnswer>,
    /// The notification that these events come from, `account/notification id`: counts once.
    pub notification: Option<String>,
    /// Takes the lease on the payment: owner, and until when.
    pub lease: Option<(String, UnixMillis)>,
    /// Takes it though another owner's runs. That owner finds out at its next write.
    pub takes_over: bool,
}

/// An idempotent call and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Whose key it is (the API key's id).
    pub scope: String,
    /// The idempotency key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub digest: [u8; 32],
    /// HTTP status of the answer.
    pub status: u16,
    /// Body of the answer.
    pub body: String,
}

/// Which payments to list. Every `None` means any.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// Only this business day's (by creation).
    pub business_day: Option<Date>,
    /// Only this store's.
    pub store: Option<StoreId>,
    /// Only this till's.
    pub till: Option<TillId>,
    /// Only in this state.
    pub state: Option<PaymentState>,
    /// Only through this channel (paid, or latest attempt).
    pub channel: Option<ChannelId>,
    /// Only with or without real money.
    pub training: Option<bool>,
    /// Only created before this payment: the cursor to page on.
    pub before: Option<PaymentId>,
    /// At most so many.
    pub limit: u32,
}

/// The kind of the journal's rows that tell of a provider's signed notification that fits nothing in the books.
pub const NOTICE_KIND: &str = "notification_unmatched";

/// What was made of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Signed, and about a payment of ours.
    Believed,
    /// Signed by the provider, and it fits nothing in the books: a person has to look.
    Unmatched,
    /// Not signed as it should be, or out of date: nothing in it is believed.
    Refused,
}

impl Verdict {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Believed => "believed",
            Self::Unmatched => "unmatched",
            Self::Refused => "refused",
        }
    }

    /// The verdict of that name; what is not known is not believed.
    pub(super) fn named(name: &str) -> Self {
        [Self::Believed, Self::Unmatched].into_iter().find(|one| one.name() == name).unwrap_or(Self::Refused)
    }
}

/// A provider's notification as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNotification {
    /// When it first came.
    pub at: UnixMillis,
    /// The provider.
    pub channel: ChannelId,
    /// The account it was sent to.
    pub account: AccountId,
    /// The provider's id of it, where it could be read.
    pub id: Option<String>,
    /// The number that it is about, where it could be read.
    pub out_trade_no: Option<String>,
    /// What was made of it.
    pub verdict: Verdict,
    /// What a person is told of it, where one has to look. Not read back.
    pub detail: String,
    /// Its headers: the signature may be among them.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRow {
    /// Counts from 1 without a gap.
    pub seq: i64,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What kind: [`PaymentEvent::kind`], or a note's.
    pub kind: String,
    /// About which payment; `None` for a note.
    pub payment: Option<PaymentId>,
    /// Canonical JSON of the event or note.
    pub payload: serde_json::Value,
}

/// Which takings.
#[derive(Debug, Clone)]
pub struct TakingsQuery {
    /// The business day.
    pub day: Date,
    /// Only this store's.
    pub store: Option<StoreId>,
    /// Only this till's.
    pub till: Option<TillId>,
    /// With real money or without.
    pub training: bool,
    /// The currency.
    pub currency: Currency,
}

/// Sums, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sums {
    /// Money taken.
    pub gross: i64,
    /// Money returned.
    pub refunds: i64,
    /// Taken less returned.
    pub net: i64,
    /// Sales paid.
    pub count: i64,
    /// Returns made.
    pub refund_count: i64,
}

/// The takings of a business day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Takings {
    /// The business day.
    #[schema(value_type = String, example = "2026-11-24")]
    pub business_day: Date,
    /// The currency of every sum.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// Whether these are of training, with no real money.
    pub training: bool,
    /// All together.
    #[serde(flatten)]
    pub total: Sums,
    /// For each channel.
    pub by_channel: BTreeMap<String, Sums>,
    /// For each hour of the day, local time, 0-23.
    pub by_hour: BTreeMap<u8, Sums>,
    /// For each till.
    pub by_till: BTreeMap<String, Sums>,
}

/// A store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Store {
    /// Its id.
    #[schema(value_type = String)]
    pub id: StoreId,
    /// What its sign says.
    pub name: String,
}

/// A till, and the key it signs its requests with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Till {
    /// Its id; also the id of its API key.
    pub id: TillId,
    /// Where it stands.
    pub store: StoreId,
    /// What people call it.
    pub name: String,
    /// The HMAC key of its requests.
    pub secret: Secret<String>,
    /// The key before the last rotation, while it is still good. Kept sealed like the other.
    #[serde(skip)]
    pub retiring: Option<Retiring>,
    /// Whether it may act.
    pub enabled: bool,
    /// Whether it may manage accounts, stores and tills.
    pub admin: bool,
}

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Rows that are as they were written, from the first on.
    pub rows: u64,
    /// The first row that is not, and why.
    pub broken: Option<BrokenRow>,
}

/// The first row that was changed, removed or put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenRow {
    /// Its sequence.
    pub seq: i64,
    /// What is wrong with it, in words.
    pub why: String,
}

/// What the books refuse, in a sentence that says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// Another writer was first: read again and decide again.
    #[error("the payment was changed meanwhile; nothing was written, read it again")]
    Conflict,
    /// No such payment.
    #[error("there is no such payment")]
    NotFound,
    /// The event cannot happen.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// The payment code was sent before.
    #[error("this payment code was used already: ask the customer for a fresh one")]
    CodeSpent,
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    /// The idempotency key was used for this very request: give its answer again.
    #[error("this request was answered before")]
    IdempotencyReplay(Box<StoredAnswer>),
    /// The notification was counted before.
    #[error("this notification was counted before")]
    NotificationSeen,
    /// Another owner acts on the payment.
    #[error("another process is taking care of this payment")]
    LeaseHeld,
    /// Another program holds the database.
    #[error(
        "the books at {place} are in use by another program: close it, or wait, then start again. Nothing was lost"
    )]
    Locked {
        /// Where the books are.
        place: String,
    },
    /// The file or folder cannot be written.
    #[error(
        "the books at {place} cannot be written: give this user write permission to the file and its folder. Nothing was changed"
    )]
    ReadOnly {
        /// Where the books are.
        place: String,
    },
    /// A newer version of this program wrote it.
    #[error(
        "the books at {place} were written by a newer version of scantill: install that version or a later one. Nothing was changed"
    )]
    Newer {
        /// Where the books are.
        place: String,
    },
    /// There is no room left.
    #[error(
        "the disk that holds the books at {place} is full: free some space, then go on. What was not confirmed was not written"
    )]
    DiskFull {
        /// Where the books are.
        place: String,
    },
    /// The file is no database of ours.
    #[error(
        "the file at {place} is not a scantill database, or is damaged: restore it from a backup, or name another place with --data-dir"
    )]
    Damaged {
        /// Where the books are.
        place: String,
    },
    /// There are no books there (read-only opening).
    #[error("there are no books at {place} yet: take a payment first, or name another place with --data-dir")]
    Absent {
        /// Where they were looked for.
        place: String,
    },
    /// The URL is none.
    #[error("{0} is not a database: write sqlite:PATH or postgres://user@host/name")]
    BadUrl(String),
    /// The server cannot be reached or the connection broke.
    #[error("the database at {place} cannot be reached: {detail}")]
    Unreachable {
        /// Where, without a password.
        place: String,
        /// What the driver said.
        detail: String,
    },
    /// Anything else the driver said.
    #[error("the books could not be read or written: {0}")]
    Database(String),
}
