//! Merchant accounts, what they may use, and the keys of the house. Credentials go in and never come out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TimingOverrides;
use crate::channel::{AccountForm, AccountTest, CredentialField, FieldKind, Required};
pub use crate::crypto::Algorithm;
use crate::payment::{AccountId, ChannelId, StoreId};

macro_rules! hide_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )*};
}
hide_debug!(CreateAccount, ChangeAccount, TestAccount, TestStoredAccount, RotateAccount);

/// `GET /v1/account-forms`: what an account with one provider consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountFormView {
    /// The channel.
    #[schema(value_type = String, example = "alipay")]
    pub channel: ChannelId,
    /// The provider's name for people, in English.
    pub title: String,
    /// Where the real gateway is; empty where there is none.
    pub default_base_url: String,
    /// Where the provider's own test gateway is; empty where there is none.
    pub sandbox_base_url: String,
    /// The credentials, in the order to ask for them.
    pub fields: Vec<CredentialFieldView>,
}

/// One credential of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialFieldView {
    /// Its name in `credentials`.
    pub name: String,
    /// What kind of text it is.
    pub kind: CredentialKind,
    /// For a choice: what can be chosen; the first where nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Whether it is typed blindly and never shown again.
    pub secret: bool,
    /// Whether it has to be given whatever else is.
    pub required: bool,
    /// It has to be given where another field has a value, and is asked for only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_when: Option<RequiredWhen>,
    /// It is asked for only where another field has that value, and may be left out all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional_when: Option<RequiredWhen>,
    /// What people call it, in English.
    pub label: String,
    /// Where to find it, in English.
    pub hint: String,
}

/// A condition on another field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequiredWhen {
    /// The other field's name.
    pub field: String,
    /// Its value.
    pub is: String,
}

/// What kind of text a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A number or name that is no secret.
    Text,
    /// A secret of one line.
    Secret,
    /// A private key, PEM or its base64.
    PrivateKey,
    /// A public key or certificate, PEM or its base64.
    Pem,
    /// A PKCS#12 container in base64.
    Pkcs12,
    /// One of a few words.
    Choice,
}

impl AccountFormView {
    /// Whether a field is asked for, given what the other fields hold (absent and empty are the same).
    #[must_use]
    pub fn asks_for<'a>(&self, field: &CredentialFieldView, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        let Some(when) = field.required_when.as_ref().or(field.optional_when.as_ref()) else { return true };
        let chosen = value_of(&when.field).filter(|value| !value.is_empty());
        let first = || self.fields.iter().find(|other| other.name == when.field)?.choices.first().map(String::as_str);
        chosen.or_else(first) == Some(when.is.as_str())
    }
}

impl From<&AccountForm> for AccountFormView {
    fn from(form: &AccountForm) -> Self {
        Self {
            channel: form.channel.clone(),
            title: form.title.to_owned(),
            default_base_url: form.default_base_url.to_owned(),
            sandbox_base_url: form.sandbox_base_url.to_owned(),
            fields: form.fields.iter().map(CredentialFieldView::from).collect(),
        }
    }
}

impl From<&CredentialField> for CredentialFieldView {
    fn from(field: &CredentialField) -> Self {
        let choices = match field.kind {
            FieldKind::Choice(choices) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
            FieldKind::Text | FieldKind::Secret | FieldKind::PrivateKey | FieldKind::Pem | FieldKind::Pkcs12 => {
                Vec::new()
            }
        };
        Self {
            name: field.name.to_owned(),
            kind: field.kind.into(),
            choices,
            secret: field.kind.is_secret(),
            required: field.required == Required::Always,
            required_when: match field.required {
                Required::When { field, is } => Some(RequiredWhen { field: field.to_owned(), is: is.to_owned() }),
                Required::Always | Required::Never | Required::OptionalWhen { .. } => None,
            },
            optional_when: match field.required {
                Required::OptionalWhen { field, is } => {
                    Some(RequiredWhen { field: field.to_owned(), is: is.to_owned() })
                }
                Required::Always | Required::Never | Required::When { .. } => None,
            },
            label: field.label.to_owned(),
            hint: field.hint.to_owned(),
        }
    }
}

impl From<FieldKind> for CredentialKind {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Text => Self::Text,
            FieldKind::Secret => Self::Secret,
            FieldKind::PrivateKey => Self::PrivateKey,
            FieldKind::Pem => Self::Pem,
            FieldKind::Pkcs12 => Self::Pkcs12,
            FieldKind::Choice(_) => Self::Choice,
        }
    }
}

/// `POST /v1/accounts`. `Debug` hides the credentials.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// Its id; made up where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub id: Option<AccountId>,
    /// The provider.
    #[schema(value_type = String, example = "alipay")]
    pub channel: ChannelId,
    /// What people call it.
    pub name: String,
    /// The provider's gateway, such as `https://openapi.alipay.com`; the form's default where empty.
    #[serde(default)]
    pub base_url: String,
    /// Whether it leads to a sandbox.
    #[serde(default)]
    pub training: bool,
    /// Whether new payments may go through it at once.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Where notifications reach this API from the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_base_url: Option<String>,
    /// Time limits that differ from the channel's own.
    #[serde(default)]
    pub timing: TimingOverrides,
    /// The stores that it serves; every store where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub stores: Vec<StoreId>,
    /// The algorithms that it may use; all but the weak ones where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Says that weak algorithms are turned on knowingly, for a provider that has nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_weak: bool,
    /// The provider's credentials; each channel names its fields. Never given back.
    #[schema(value_type = Object)]
    pub credentials: serde_json::Value,
}

const fn yes() -> bool {
    true
}

impl CreateAccount {
    /// An account as it usually is: live, enabled, for every store.
    #[must_use]
    pub fn new(channel: ChannelId, name: String, base_url: String, credentials: serde_json::Value) -> Self {
        Self {
            id: None,
            channel,
            name,
            base_url,
            training: false,
            enabled: true,
            notify_base_url: None,
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: None,
            accept_weak: false,
            credentials,
        }
    }
}

/// `PATCH /v1/accounts/{id}`. What is absent stays. `Debug` hides the credentials.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The provider's gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Whether it leads to a sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<bool>,
    /// Whether new payments may go through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Where notifications reach this API; empty for nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_base_url: Option<String>,
    /// Time limits, all of them anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<TimingOverrides>,
    /// The stores that it serves, all of them anew; every store where empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub stores: Option<Vec<StoreId>>,
    /// The algorithms that it may use, all of them anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Says that weak algorithms are turned on knowingly, for a provider that has nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_weak: bool,
    /// Those of the provider's credentials that change, at once and without overlap; the others stay, and `null` takes
    /// one away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub credentials: Option<serde_json::Value>,
}

/// `POST /v1/accounts/{id}/rotate`. `Debug` hides the credentials.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateAccount {
    /// Those of the provider's credentials that change; the others stay.
    #[schema(value_type = Object)]
    pub credentials: serde_json::Value,
    /// For how many seconds what the provider sends under the old ones is still believed; 0 to 7,776,000 (90 days),
    /// 86,400 where absent.
    #[serde(default = "day")]
    pub overlap_seconds: u32,
}

pub(super) const fn day() -> u32 {
    24 * 60 * 60
}

/// `POST /v1/accounts/test`: credentials that are not stored. `Debug` hides them.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestAccount {
    /// The provider.
    #[schema(value_type = String, example = "alipay")]
    pub channel: ChannelId,
    /// The provider's gateway; the form's default where empty.
    #[serde(default)]
    pub base_url: String,
    /// The algorithms that it may use; all but the weak ones where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Time limits that differ from the channel's own.
    #[serde(default)]
    pub timing: TimingOverrides,
    /// The provider's credentials.
    #[schema(value_type = Object)]
    pub credentials: serde_json::Value,
}

/// `POST /v1/accounts/{id}/test`: what is absent is as it is stored. Nothing is changed. `Debug` hides the credentials.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestStoredAccount {
    /// The provider's gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Credentials that would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub credentials: Option<serde_json::Value>,
}

/// What came of a harmless signed call: cause and cure in plain words, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountTestView {
    /// Whether the provider answered as it should.
    pub ok: bool,
    /// The stable name of what is wrong: `wrong_key`, `wrong_app_id`, `clock_skew`, `tls`, ...; `credential` where the
    /// credentials cannot even be read, `algorithm_off` where the policy stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What is wrong, in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// What to do, in English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cure: String,
    /// Which credential to look at, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How many seconds this machine's clock is ahead of the provider's (negative: behind), where that is the fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_seconds: Option<i64>,
    /// The provider's code for it, for its support.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider_code: String,
    /// The provider's or the network's words for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider_message: String,
}

impl From<AccountTest> for AccountTestView {
    fn from(test: AccountTest) -> Self {
        use crate::channel::AccountFault;
        let fault = test.fault;
        Self {
            ok: fault.is_none(),
            fault: fault.map(|fault| fault.name().to_owned()),
            cause: fault.map(|fault| fault.sentence().into_owned()).unwrap_or_default(),
            cure: fault.map(|fault| fault.cure().to_owned()).unwrap_or_default(),
            field: None,
            clock_ahead_seconds: match fault {
                Some(AccountFault::ClockSkew { seconds }) if seconds != 0 => Some(seconds),
                _ => None,
            },
            provider_code: test.provider_code,
            provider_message: test.provider_message,
        }
    }
}

/// A merchant account as the API tells it: no credential, but which ones are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: AccountId,
    /// The provider.
    #[schema(value_type = String)]
    pub channel: ChannelId,
    /// What people call it.
    pub name: String,
    /// The provider's gateway.
    pub base_url: String,
    /// Whether it leads to a sandbox.
    pub training: bool,
    /// Whether new payments may go through it.
    pub enabled: bool,
    /// Where notifications reach this API.
    pub notify_base_url: Option<String>,
    /// Time limits that differ from the channel's own.
    pub timing: TimingOverrides,
    /// The stores that it serves; every store where empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub stores: Vec<StoreId>,
    /// The algorithms that it may use.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// The names of the credentials that are set.
    pub credential_fields: Vec<String>,
    /// The same with what may be shown of each.
    #[serde(default)]
    pub credentials: Vec<CredentialView>,
    /// Until when what the provider sends under the credentials before the last rotation is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retiring_until: Option<Timestamp>,
    /// What a person has to know though it works.
    #[serde(default)]
    pub warnings: Vec<AccountWarning>,
    /// Why it cannot be used, in words.
    pub problem: Option<String>,
}

/// What may be shown of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CredentialView {
    /// Its name.
    pub name: String,
    /// Of a secret nothing; of a public key or certificate the begin of its SHA-256; of a number its last characters;
    /// of a choice the word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// What a person has to know of an account though it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountWarning {
    /// Stable: `weak_algorithm`, `not_encrypted` (real credentials go to a plain http address), `key_in_file` (real
    /// credentials are sealed under a key that lies in a file beside them).
    pub code: String,
    /// The weak algorithm that is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// In English.
    pub sentence: String,
}
