//! Stores and tills.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::payment::{StoreId, TillId};

/// `POST /v1/stores`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStore {
    /// Its id; made up where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<StoreId>,
    /// What its sign says.
    pub name: String,
}

/// `PATCH /v1/stores/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeStore {
    /// What its sign says.
    pub name: String,
}

/// `POST /v1/tills`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTill {
    /// Its id; made up where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<TillId>,
    /// Where it stands.
    #[schema(value_type = String)]
    pub store: StoreId,
    /// What people call it.
    pub name: String,
}

/// `PATCH /v1/tills/{id}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTill {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A till as the API tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TillView {
    /// Its id; also the id of its API key.
    #[schema(value_type = String)]
    pub id: TillId,
    /// Where it stands.
    #[schema(value_type = String)]
    pub store: StoreId,
    /// What people call it.
    pub name: String,
    /// Whether it may act.
    pub enabled: bool,
    /// Whether it may manage accounts, stores and tills.
    pub admin: bool,
}

/// The answer to `POST /v1/tills`: the only time its secret is told. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewTill {
    /// The till.
    #[serde(flatten)]
    pub till: TillView,
    /// The HMAC key of its requests.
    pub secret: String,
}

impl std::fmt::Debug for NewTill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewTill(***)")
    }
}
