//! Which algorithms accounts may use, and the keys of the house.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::crypto::Algorithm;
use crate::payment::{AccountId, TillId};

impl std::fmt::Debug for RotatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RotatedKey(***)")
    }
}

/// `GET /v1/policy`: which algorithms each account may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Every algorithm there is.
    pub algorithms: Vec<AlgorithmView>,
    /// What each account may use.
    pub accounts: Vec<AccountPolicy>,
}

/// An algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlgorithmView {
    /// Which.
    pub name: Algorithm,
    /// For people.
    pub title: String,
    /// Whether it is broken, and off unless it is turned on for one account.
    pub weak: bool,
}

/// What one account may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPolicy {
    /// Which account.
    #[schema(value_type = String)]
    pub account: AccountId,
    /// The algorithms that are on; all others are off.
    pub algorithms: Vec<Algorithm>,
}

/// `PUT /v1/policy`. Accounts that are not named stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// What each account may use.
    pub accounts: Vec<AccountPolicy>,
    /// Says that weak algorithms are turned on knowingly, for a provider that has nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_weak: bool,
}

/// Which kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// The key that a till signs its requests to this API with.
    Till,
    /// The key under which credentials lie in the books.
    Seal,
}

/// `GET /v1/keys`: a key of the house, never the key itself. Merchants' keys are in the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Which kind.
    pub kind: KeyKind,
    /// The till's id; `seal` for the seal key.
    pub id: String,
    /// Whether it may act.
    pub enabled: bool,
    /// Whether it may manage accounts, stores and tills.
    pub admin: bool,
    /// Where the seal key is kept: `keyring`, `passphrase` or `file`; absent for a till's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
    /// Until when the key before the last rotation is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retiring_until: Option<Timestamp>,
}

/// `POST /v1/keys/rotate`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Which kind.
    pub kind: KeyKind,
    /// Which till's; not for the seal key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub till: Option<TillId>,
    /// For how many seconds a till's old key stays good; 0 to 7,776,000 (90 days), 86,400 where absent. A seal key has
    /// no overlap: everything is sealed anew in one transaction.
    #[serde(default = "super::account::day")]
    pub overlap_seconds: u32,
}

/// The answer to `POST /v1/keys/rotate`. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RotatedKey {
    /// The key as it now stands.
    pub key: KeyView,
    /// The till's new secret, told this once; absent for the seal key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}
