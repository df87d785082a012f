//! Why an attempt was not paid.

use serde::{Deserialize, Serialize};

/// The reason in our own terms, the same for every channel. Screens and commands choose their sentence by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The payment code is out of date or was used: ask for a fresh one.
    CodeExpired,
    /// The provider does not know the payment code.
    CodeInvalid,
    /// Balance or card has not enough.
    InsufficientFunds,
    /// The customer said no, or the wallet could not be opened for the password.
    CustomerRefused,
    /// The customer let the time run out.
    TimedOut,
    /// A limit of the customer, the merchant or the provider.
    LimitExceeded,
    /// The customer's wallet or card may not pay this (blocked, same person as the merchant, ...).
    CustomerAccount,
    /// Our merchant account: keys, permissions, contract. The manager has to act.
    MerchantAccount,
    /// The provider refused the request as malformed: a fault of ours or of the settings.
    RequestRefused,
    /// Nothing was sent: the provider could not be reached at all.
    ProviderUnreachable,
    /// Any other refusal; the provider's own words are kept beside.
    ProviderRefused,
}

impl FailureReason {
    /// The stable name: translation key and API value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeExpired => "code_expired",
            Self::CodeInvalid => "code_invalid",
            Self::InsufficientFunds => "insufficient_funds",
            Self::CustomerRefused => "customer_refused",
            Self::TimedOut => "timed_out",
            Self::LimitExceeded => "limit_exceeded",
            Self::CustomerAccount => "customer_account",
            Self::MerchantAccount => "merchant_account",
            Self::RequestRefused => "request_refused",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::ProviderRefused => "provider_refused",
        }
    }

    /// The sentence in English, money first, then what to do.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::CodeExpired => "Not paid. The customer's code has expired or was used. Ask for a fresh code.",
            Self::CodeInvalid => "Not paid. The provider does not know this code. Ask the customer to show it again.",
            Self::InsufficientFunds => "Not paid. The customer's balance is not enough. Ask for another way to pay.",
            Self::CustomerRefused => "Not paid. The customer did not confirm. Ask whether to try again.",
            Self::TimedOut => "Not paid. The customer did not confirm in time. Try again.",
            Self::LimitExceeded => "Not paid. The amount is over a limit. Ask for another way to pay.",
            Self::CustomerAccount => "Not paid. The customer's wallet cannot pay this. Ask for another way to pay.",
            Self::MerchantAccount => "Not paid. The shop's account with the provider has a problem. Tell the manager.",
            Self::RequestRefused => "Not paid. The provider refused the request. Tell the manager.",
            Self::ProviderUnreachable => {
                "Not paid. The provider cannot be reached. Check the network or take another way."
            }
            Self::ProviderRefused => "Not paid. The provider refused. Ask for another way to pay.",
        }
    }
}

/// A failure with what the provider said, for support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Our reason.
    pub reason: FailureReason,
    /// The provider's code, such as `ACQ.PAYMENT_AUTH_CODE_INVALID`; empty where there is none.
    pub provider_code: String,
    /// The provider's words; empty where there are none.
    pub provider_message: String,
}

impl Failure {
    /// A failure with no words of a provider's.
    #[must_use]
    pub const fn new(reason: FailureReason) -> Self {
        Self { reason, provider_code: String::new(), provider_message: String::new() }
    }
}
