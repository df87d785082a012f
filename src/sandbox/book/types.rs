//! What the providers' books are made of: wallets, orders, trades, refunds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Milliseconds since 1970.
pub type Millis = i64;

/// What a provider's own folder wants to find again with a trade or a refund: terminal, operator, trace number, form of
/// notification. The books keep it and do not look into it.
pub type Details = BTreeMap<String, String>;

const SECOND: Millis = 1_000;
const HOUR: Millis = 3_600 * SECOND;
const DAY: Millis = 24 * HOUR;

/// Whose books a trade is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Alipay.
    Alipay,
    /// WeChat Pay.
    Wechatpay,
    /// UnionPay.
    Unionpay,
}

/// What differs between the providers' books.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// What a payment code begins with.
    pub code_prefix: &'static str,
    /// How many digits it has in all.
    pub code_length: usize,
    /// How long a customer may take over the password after a payment code was scanned, where the trade itself does
    /// not say; the order's own end otherwise.
    pub confirm_lifetime: Option<Millis>,
    /// A trade can be taken back until so long after it was made.
    pub take_back_window: Millis,
    /// And not sooner than this.
    pub take_back_wait: Millis,
    /// Only trades by payment code can be taken back; a shown order is closed instead.
    pub take_back_by_code_only: bool,
    /// A shown order belongs to the first wallet that scans it.
    pub first_scanner_keeps: bool,
}

impl Provider {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Alipay, Self::Wechatpay, Self::Unionpay];

    /// The name on the wire, in faults and in the control calls.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Wechatpay => "wechatpay",
            Self::Unionpay => "unionpay",
        }
    }

    /// Whose path it is; `None` where it is the sandbox's own.
    pub fn of_path(path: &str) -> Option<Self> {
        const PATHS: [(&str, Provider); 7] = [
            ("/gateway.do", Provider::Alipay),
            ("/downloadBillFile.resource", Provider::Alipay),
            ("/v3/", Provider::Wechatpay),
            ("/pay/", Provider::Wechatpay),
            ("/secapi/", Provider::Wechatpay),
            ("/payitil/", Provider::Wechatpay),
            ("/gateway/api/", Provider::Unionpay),
        ];
        PATHS.iter().find(|(start, _)| path.starts_with(start)).map(|(_, provider)| *provider)
    }

    pub(super) const fn rules(self) -> Rules {
        match self {
            Self::Alipay => Rules {
                code_prefix: "28",
                code_length: 18,
                confirm_lifetime: None,
                take_back_window: DAY,
                take_back_wait: 0,
                take_back_by_code_only: false,
                first_scanner_keeps: true,
            },
            Self::Wechatpay => Rules {
                code_prefix: "13",
                code_length: 18,
                confirm_lifetime: Some(60 * SECOND),
                take_back_window: 7 * DAY,
                take_back_wait: 15 * SECOND,
                take_back_by_code_only: true,
                first_scanner_keeps: false,
            },
            Self::Unionpay => Rules {
                code_prefix: "62",
                code_length: 19,
                confirm_lifetime: Some(60 * SECOND),
                take_back_window: DAY,
                take_back_wait: 0,
                take_back_by_code_only: false,
                first_scanner_keeps: true,
            },
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Alipay => "Alipay",
            Self::Wechatpay => "WeChat Pay",
            Self::Unionpay => "UnionPay",
        }
    }
}

/// A customer's wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wallet {
    /// Its id.
    pub id: String,
    /// Whose wallet app it is.
    pub channel: Provider,
    /// Whose money it is.
    pub name: String,
    /// In fen.
    pub balance: i64,
    /// ISO 4217.
    pub currency: String,
    /// Whether it asks for confirmation of every payment by code, not only of large ones.
    pub ask_always: bool,
}

/// Where a trade stands with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TradeState {
    /// A shown order that nobody has scanned.
    Created,
    /// A customer has to confirm.
    WaitBuyerPay,
    /// Paid; a part may have gone back.
    Success,
    /// Closed unpaid.
    Closed,
    /// Taken back by the merchant's cancel or reverse.
    Reversed,
    /// Paid, and all of it returned.
    Refunded,
}

/// A return of a part or of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refund {
    /// The merchant's number of it.
    pub out_refund_no: String,
    /// The provider's number of it.
    pub refund_id: String,
    /// In fen.
    pub amount: i64,
    /// When, in milliseconds since 1970.
    pub at: Millis,
    /// Where the merchant wants to be told of it; the trade's own place where absent.
    #[serde(skip)]
    pub notify_url: Option<String>,
    /// What the provider's folder keeps with it.
    #[serde(skip)]
    pub details: Details,
}

/// A refund as a merchant asks for it.
#[derive(Debug, Clone, Default)]
pub struct Refunding {
    /// The merchant's number of it.
    pub out_refund_no: String,
    /// In fen.
    pub amount: i64,
    /// Where the merchant wants to be told of it.
    pub notify_url: Option<String>,
    /// What the provider's folder keeps with it.
    pub details: Details,
}

/// Something that moved money, as a bill lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Millis,
    /// What.
    pub movement: Movement,
    /// Of which trade, as it stands now.
    pub trade: Trade,
}

/// What moved money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// The customer paid the whole.
    Paid,
    /// A part or the whole went back.
    Refunded(Refund),
    /// The merchant took the trade back, and the whole went back.
    Reversed,
}

/// A trade as its provider has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trade {
    /// The sandbox's id of it, for the control calls.
    pub id: String,
    /// In whose books.
    pub channel: Provider,
    /// The merchant's number.
    pub out_trade_no: String,
    /// The provider's number.
    pub provider_trade_no: String,
    /// What for.
    pub subject: String,
    /// In fen.
    pub amount: i64,
    /// Fen returned.
    pub refunded: i64,
    /// Where it stands.
    pub state: TradeState,
    /// Whether the customer's code was scanned (else a code was shown).
    pub by_code: bool,
    /// Who pays, or is asked to.
    pub wallet: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: Millis,
    /// When it was paid.
    pub paid_at: Option<Millis>,
    /// When a merchant took it back.
    pub reversed_at: Option<Millis>,
    /// When it can no longer be paid.
    pub expires_at: Millis,
    /// Every return.
    pub refunds: Vec<Refund>,
    /// The customer said no.
    pub refused: bool,
    /// What the shown code says.
    #[serde(skip)]
    pub payload: Option<String>,
    /// What the merchant wants back with every answer about it.
    #[serde(skip)]
    pub attach: Option<String>,
    /// Where the merchant wants to be told.
    #[serde(skip)]
    pub notify_url: Option<String>,
    /// Which of the provider's keys the merchant checks with.
    #[serde(skip)]
    pub notify_serial: Option<String>,
    /// What the provider's folder keeps with it.
    #[serde(skip)]
    pub details: Details,
}

impl Trade {
    /// Whether a customer has ever had to do with it. Alipay knows no trade before.
    pub const fn is_begun(&self) -> bool {
        self.by_code || self.wallet.is_some()
    }

    /// Whether it is open to be paid.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, TradeState::Created | TradeState::WaitBuyerPay)
    }
}

/// An order as a merchant sends it.
#[derive(Debug, Clone)]
pub struct Order {
    /// With whom.
    pub channel: Provider,
    /// The merchant's number.
    pub out_trade_no: String,
    /// What for.
    pub subject: String,
    /// In fen.
    pub amount: i64,
    /// When it can no longer be paid.
    pub expires_at: Millis,
    /// What comes back with every answer about it.
    pub attach: Option<String>,
    /// Where the merchant wants to be told.
    pub notify_url: Option<String>,
    /// Which of the provider's keys the merchant checks with.
    pub notify_serial: Option<String>,
    /// What the provider's folder keeps with it.
    pub details: Details,
}

/// Names a trade: by the merchant's number or by the provider's.
#[derive(Debug, Clone, Copy)]
pub enum Number<'a> {
    /// `out_trade_no`.
    Merchant(&'a str),
    /// `trade_no`, `transaction_id`.
    Provider(&'a str),
}

/// Why the books refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The payment code is none of this provider's.
    CodeInvalid,
    /// The payment code counted once already.
    CodeUsed,
    /// The payment code is out of date.
    CodeExpired,
    /// The wallet has not enough.
    Balance,
    /// This trade is paid.
    Paid,
    /// This trade is closed.
    Closed,
    /// This number has another amount, subject or way.
    Inconsistent,
    /// There is no such trade.
    Absent,
    /// There is no such wallet.
    NoWallet,
    /// No order has this shown code.
    NoSuchCode,
    /// The shown code is another provider's.
    OtherProvider(Provider),
    /// Another customer has scanned it.
    OtherPayer,
    /// The trade is not in a state for it.
    WrongState,
    /// A trade of this kind cannot be taken back.
    WrongWay,
    /// A part went back already: no cancelling any more.
    RefundBegun,
    /// The refund is over what is left.
    TooMuch,
    /// The same refund number with another amount or trade.
    OtherRefund,
    /// Taking back is asked for too soon.
    TooSoon,
    /// Taking back is asked for too late.
    TooLate,
}

/// What cancelling came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// It was unpaid.
    Closed,
    /// It was paid, and the money went back.
    Returned,
}
