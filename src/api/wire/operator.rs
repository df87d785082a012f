//! The people at the tills, and their sessions. A PIN goes in and never comes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::crypto::Secret;
pub use crate::ledger::Role;
use crate::payment::{OperatorId, StoreId};

/// `POST /v1/operators`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOperator {
    /// Their id, which stands in the journal and in the takings; made up where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<OperatorId>,
    /// What people call them, 1 to 40 characters.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The one store where they work; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub store: Option<StoreId>,
    /// 4 to 12 digits that are no row of digits, or a password of 8 to 64 characters.
    #[schema(value_type = String)]
    pub pin: Secret<String>,
}

/// `PATCH /v1/operators/{id}`. Any change but that of the name ends their sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOperator {
    /// What people call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether they may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// A new PIN or password; it also unlocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub pin: Option<Secret<String>>,
    /// `false` lets somebody who was locked out try again at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

/// `GET /v1/operators`: query parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct OperatorQuery {
    /// Only those who may sign in at this till.
    #[serde(default)]
    pub here: bool,
}

/// An operator as the API tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperatorView {
    /// Their id.
    #[schema(value_type = String, example = "anna")]
    pub id: OperatorId,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The one store where they work; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub store: Option<StoreId>,
    /// Whether they may sign in.
    pub enabled: bool,
    /// Until when no PIN of theirs is looked at, because it was mistyped too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub locked_until: Option<Timestamp>,
}

/// `POST /v1/sessions`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Who.
    #[schema(value_type = String, example = "anna")]
    pub operator: OperatorId,
    /// Their PIN or password.
    #[schema(value_type = String)]
    pub pin: Secret<String>,
}

/// The answer to `POST /v1/sessions`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// A JSON Web Token (ES256); it goes with calls signed by this till's key, as `session=` in `Authorization`.
    #[schema(value_type = String)]
    pub token: Secret<String>,
    /// When it counts no more.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
    /// Who is signed in.
    pub operator: OperatorView,
}
