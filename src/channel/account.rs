//! A merchant account: through which contract with which provider money is taken.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Capabilities;
use crate::crypto::{Algorithm, AlgorithmPolicy, Secret};
use crate::payment::{AccountId, ChannelId, StoreId, UnixMillis};

/// A merchant account as the books keep it. The credentials are sealed at rest and opened only to build a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MerchantAccount {
    /// Its id.
    pub id: AccountId,
    /// The provider.
    pub channel: ChannelId,
    /// What people call it.
    pub name: String,
    /// Where the provider's gateway is, without a slash at its end.
    pub base_url: String,
    /// Whether it leads to the sandbox, with no real money.
    pub training: bool,
    /// Whether new payments may go through it.
    pub enabled: bool,
    /// Where the provider's notifications reach the Payment API, without a slash at its end; `None` where they cannot.
    pub notify_base_url: Option<String>,
    /// Time limits that differ from the channel's own.
    #[serde(default)]
    pub timing: TimingOverrides,
    /// The stores that it serves; every store where empty.
    #[serde(default)]
    pub stores: Vec<StoreId>,
    /// Which algorithms it may use.
    #[serde(default)]
    pub algorithms: AlgorithmPolicy,
    /// The channel's credentials as JSON; each channel names its fields.
    pub credentials: Secret<String>,
    /// The credentials before the last rotation, while they still count. Kept sealed like the others, never among the
    /// open fields.
    #[serde(skip)]
    pub retiring: Option<Retiring>,
}

impl MerchantAccount {
    /// Asks the account's policy.
    ///
    /// # Errors
    /// [`AccountError::AlgorithmOff`].
    pub const fn require(&self, algorithm: Algorithm) -> Result<(), AccountError> {
        if self.algorithms.allows(algorithm) { Ok(()) } else { Err(AccountError::AlgorithmOff(algorithm)) }
    }
}

/// Credentials that were replaced. What the provider sent under them is still believed for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Retiring {
    /// As [`MerchantAccount::credentials`].
    pub credentials: Secret<String>,
    /// Until when they count.
    pub until: UnixMillis,
}

/// Time limits of one account, where they differ from [`Capabilities`]. All in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimingOverrides {
    /// See [`Capabilities::request_timeout`].
    pub request_timeout_ms: Option<u64>,
    /// See [`Capabilities::code_lifetime`].
    pub code_lifetime_ms: Option<u64>,
    /// See [`Capabilities::code_grace`].
    pub code_grace_ms: Option<u64>,
    /// See [`Capabilities::confirm_patience`].
    pub confirm_patience_ms: Option<u64>,
    /// See [`Capabilities::query_interval`].
    pub query_interval_ms: Option<u64>,
    /// See [`Capabilities::shown_query_interval`].
    pub shown_query_interval_ms: Option<u64>,
    /// See [`Capabilities::void_not_before`].
    pub void_not_before_ms: Option<u64>,
    /// See [`Capabilities::close_patience`].
    pub close_patience_ms: Option<u64>,
}

impl TimingOverrides {
    /// Puts the overrides into a channel's own numbers.
    pub const fn apply(&self, capabilities: &mut Capabilities) {
        const fn set(to: &mut Duration, ms: Option<u64>) {
            if let Some(ms) = ms {
                *to = Duration::from_millis(ms);
            }
        }
        set(&mut capabilities.request_timeout, self.request_timeout_ms);
        set(&mut capabilities.code_lifetime, self.code_lifetime_ms);
        set(&mut capabilities.code_grace, self.code_grace_ms);
        set(&mut capabilities.confirm_patience, self.confirm_patience_ms);
        set(&mut capabilities.query_interval, self.query_interval_ms);
        set(&mut capabilities.shown_query_interval, self.shown_query_interval_ms);
        set(&mut capabilities.void_not_before, self.void_not_before_ms);
        set(&mut capabilities.close_patience, self.close_patience_ms);
    }
}

/// Why an account cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No channel of that name is built in.
    #[error("there is no channel called {0}")]
    UnknownChannel(ChannelId),
    /// A credential is missing or of the wrong form. Never holds the value.
    #[error("the account's {field} {problem}")]
    Credential {
        /// Which field.
        field: &'static str,
        /// What is wrong with it, after the field's name: "is missing", "is not ...".
        problem: String,
    },
    /// The account's policy does not allow an algorithm that the credentials ask for.
    #[error(
        "the account's policy does not allow {0}: choose another way to sign, or let an admin turn it on for this account"
    )]
    AlgorithmOff(Algorithm),
    /// The gateway's address is none.
    #[error("the account's base_url is not an http or https address")]
    BaseUrl,
}
