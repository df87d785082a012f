//! What a test call says of an account: cause and cure, in plain words.

use std::borrow::Cow;

/// What came of a harmless signed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTest {
    /// What is wrong; `None` where the provider answered as it should.
    pub fault: Option<AccountFault>,
    /// The provider's code for it; empty where there is none.
    pub provider_code: String,
    /// The provider's or the network's words for it; empty where there are none.
    pub provider_message: String,
}

impl AccountTest {
    /// Everything fits.
    #[must_use]
    pub const fn good() -> Self {
        Self { fault: None, provider_code: String::new(), provider_message: String::new() }
    }

    /// Something is wrong, and the provider or the network said so in these words.
    #[must_use]
    pub fn bad(fault: AccountFault, provider_code: impl Into<String>, provider_message: impl Into<String>) -> Self {
        Self { fault: Some(fault), provider_code: provider_code.into(), provider_message: provider_message.into() }
    }
}

/// What is wrong with an account, as a new merchant meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountFault {
    /// The gateway's host name does not exist, or there is no name service.
    HostUnknown,
    /// No connection to the gateway.
    Unreachable,
    /// The secure connection failed: a certificate that is not the provider's, or one of ours that it does not take.
    Tls,
    /// No answer in time.
    Timeout,
    /// This machine's clock differs from the provider's.
    ClockSkew {
        /// By so many seconds; positive where ours is ahead; 0 where the provider does not say.
        seconds: i64,
    },
    /// Our signature is refused: the private key is not the one that belongs to the account, or its serial is another.
    WrongKey,
    /// The provider does not know the application's id.
    WrongAppId,
    /// The provider does not know the merchant's number, or it does not belong to the application.
    WrongMerchant,
    /// A certificate of ours has expired or is not valid yet.
    CertificateExpired,
    /// The provider does not know our certificate, or its chain does not lead to the provider's root.
    CertificateUnknown,
    /// The provider's answer does not fit the public key or certificate of the provider's that we hold.
    ProviderKeyWrong,
    /// The API key (WeChat Pay's APIv3 or APIv2 key, Alipay's AES key) is another.
    ApiKeyWrong,
    /// The account has no permission or contract for this product.
    NoPermission,
    /// The provider is out of order.
    ProviderDown,
    /// The provider refused for another reason: see its words.
    Refused,
}

impl AccountFault {
    /// The stable name: API value and translation key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostUnknown => "host_unknown",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::ClockSkew { .. } => "clock_skew",
            Self::WrongKey => "wrong_key",
            Self::WrongAppId => "wrong_app_id",
            Self::WrongMerchant => "wrong_merchant",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateUnknown => "certificate_unknown",
            Self::ProviderKeyWrong => "provider_key_wrong",
            Self::ApiKeyWrong => "api_key_wrong",
            Self::NoPermission => "no_permission",
            Self::ProviderDown => "provider_down",
            Self::Refused => "refused",
        }
    }

    /// What is wrong, in English.
    #[must_use]
    pub fn sentence(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::HostUnknown => "The gateway's address cannot be found.",
            Self::Unreachable => "The gateway cannot be reached.",
            Self::Tls => "The secure connection to the gateway failed.",
            Self::Timeout => "The gateway did not answer in time.",
            Self::ClockSkew { seconds: 0 } => "The provider refuses this machine's clock.",
            Self::ClockSkew { seconds } => {
                let way = if seconds > 0 { "ahead of" } else { "behind" };
                let (minutes, rest) = (seconds.unsigned_abs() / 60, seconds.unsigned_abs() % 60);
                return Cow::Owned(format!("This machine's clock is {minutes} min {rest} s {way} the provider's."));
            }
            Self::WrongKey => "The provider refuses our signature: the private key is not this account's.",
            Self::WrongAppId => "The provider does not know this application id.",
            Self::WrongMerchant => {
                "The provider does not know this merchant number, or it belongs to another application."
            }
            Self::CertificateExpired => "The certificate has expired, or is not valid yet.",
            Self::CertificateUnknown => {
                "The provider does not know the certificate, or it is not of the provider's chain."
            }
            Self::ProviderKeyWrong => "The provider's answer does not fit the provider's key that was entered here.",
            Self::ApiKeyWrong => "The API key does not open what the provider sealed with it.",
            Self::NoPermission => "The account has no permission for this kind of payment.",
            Self::ProviderDown => "The provider is out of order at the moment.",
            Self::Refused => "The provider refused the call.",
        })
    }

    /// What to do, in English.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::HostUnknown => "Check the gateway's address and this machine's network and name service (DNS).",
            Self::Unreachable => {
                "Check the network, the proxy and the firewall, and the gateway's address; then test again."
            }
            Self::Tls => {
                "Check the address, a proxy that opens secure connections, this machine's clock, and the merchant's certificate."
            }
            Self::Timeout => "Check the network and test again.",
            Self::ClockSkew { .. } => "Set this machine's clock, best by the network (NTP), and test again.",
            Self::WrongKey => {
                "Paste the private key whose public half (or certificate and serial) was uploaded at the provider's console."
            }
            Self::WrongAppId => {
                "Copy the application id from the provider's console; test and live have different ones."
            }
            Self::WrongMerchant => {
                "Copy the merchant number from the provider's console, and bind it to the application there."
            }
            Self::CertificateExpired => "Get a fresh certificate at the provider's console and enter it here.",
            Self::CertificateUnknown => {
                "Download the certificates from the provider's console again and enter all of them."
            }
            Self::ProviderKeyWrong => {
                "Copy the PROVIDER's public key or certificate from its console; it is not the one you made yourself."
            }
            Self::ApiKeyWrong => {
                "Copy the API key that is set at the provider's console, or set a new one and enter it here."
            }
            Self::NoPermission => {
                "Sign the contract for in-store payment at the provider's console, or ask its support."
            }
            Self::ProviderDown => "Wait and test again; the provider's status page tells more.",
            Self::Refused => "Read the provider's words below; its support knows the code.",
        }
    }
}
