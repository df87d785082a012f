//! One try to get a payment paid, with an `out_trade_no` of its own.

use serde::{Deserialize, Serialize};

use super::{AccountId, ChannelId, Failure, OutTradeNo, UnixMillis};

/// Who shows the code and who scans it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The shop shows a dynamic code and the customer scans it.
    MerchantPresented,
    /// The customer shows a payment code and the shop scans it.
    ConsumerPresented,
}

/// Who says that a shown code was paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedBy {
    /// The provider, by its answers and notifications.
    #[default]
    Provider,
    /// The cashier, who sees the money arrive on the shop's account.
    Cashier,
}

impl ConfirmedBy {
    /// Whether it is the provider: what rows of the journal that do not say mean.
    pub(super) fn is_provider(&self) -> bool {
        *self == Self::Provider
    }
}

/// Where an attempt stands with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// The intent is durable; the request may be on its way.
    Prepared,
    /// A code is shown and can be paid.
    CodeShown,
    /// The customer is entering the password.
    CustomerConfirming,
    /// The provider gave no clear answer.
    Unknown,
    /// Being cancelled, closed or reversed.
    Voiding,
    /// Paid.
    Succeeded,
    /// Refused by the provider; nothing was taken.
    Failed,
    /// Closed unpaid.
    Closed,
    /// Money that moved, or may have, was returned.
    Reversed,
    /// Paid although the payment was paid another way; being refunded.
    SurplusRefunding,
    /// That refund is done.
    SurplusRefunded,
    /// Paid although the payment was paid another way or over; a person has to pay it back by hand.
    SurplusOwed,
}

impl AttemptState {
    /// Whether nothing more will happen to the attempt by itself.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Closed | Self::Reversed | Self::SurplusRefunded | Self::SurplusOwed
        )
    }
}

/// One try to get a payment paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1 within its payment.
    pub no: u32,
    /// Who shows the code.
    pub way: Way,
    /// The provider.
    pub channel: ChannelId,
    /// The merchant account it goes through.
    pub account: AccountId,
    /// Our number for it with the provider.
    pub out_trade_no: OutTradeNo,
    /// Who says that it was paid.
    #[serde(default)]
    pub confirmed_by: ConfirmedBy,
    /// Who saw the money arrive, where the cashier says so.
    #[serde(default)]
    pub seen_by: Option<String>,
    /// Where it stands.
    pub state: AttemptState,
    /// When its intent was written.
    pub started_at: UnixMillis,
    /// When its state last changed.
    pub changed_at: UnixMillis,
    /// What the shown code says (merchant-presented), once the provider gave it.
    pub code: Option<String>,
    /// When the shown code stops being offered.
    pub code_expires_at: Option<UnixMillis>,
    /// The customer's code, masked (consumer-presented).
    pub auth_code_masked: Option<String>,
    /// The provider's own number, once known.
    pub provider_trade_no: Option<String>,
    /// Who paid, as the provider masks it.
    pub payer: Option<String>,
    /// When it was paid, by the provider's clock.
    pub paid_at: Option<UnixMillis>,
    /// Why it was refused.
    pub failure: Option<Failure>,
    /// Our number of the refund of a surplus payment.
    pub out_refund_no: Option<String>,
    /// The payment no longer waits for this attempt's end; it is brought there behind the scenes.
    pub deferred: bool,
}
