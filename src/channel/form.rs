//! What an account with a provider consists of: the assistant and the command line are drawn from it.

use crate::payment::ChannelId;

/// The fields of an account with one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountForm {
    /// The channel.
    pub channel: ChannelId,
    /// The provider's name for people, in English.
    pub title: &'static str,
    /// Where the real gateway is; empty where there is none.
    pub default_base_url: &'static str,
    /// Where the provider's own test gateway is; empty where there is none.
    pub sandbox_base_url: &'static str,
    /// The credentials, in the order to ask for them.
    pub fields: Vec<CredentialField>,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialField {
    /// Its name in the credentials' JSON.
    pub name: &'static str,
    /// What kind of text it is.
    pub kind: FieldKind,
    /// Whether it has to be given.
    pub required: Required,
    /// What people call it, in English; the provider's own console calls it so.
    pub label: &'static str,
    /// Where to find it, in one sentence of English.
    pub hint: &'static str,
}

/// What kind of text a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A number or name that is no secret.
    Text,
    /// A secret of one line.
    Secret,
    /// A private key, PEM or its base64: a secret, often in a file.
    PrivateKey,
    /// A public key or certificate, PEM or its base64: often in a file.
    Pem,
    /// A PKCS#12 container in base64: a secret, always a file.
    Pkcs12,
    /// One of these; the first where nothing is chosen.
    Choice(&'static [&'static str]),
}

impl FieldKind {
    /// Whether it must never be shown again.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::PrivateKey | Self::Pkcs12)
    }
}

/// Whether a credential has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// It has to be.
    Always,
    /// It may be left out.
    Never,
    /// It has to be where another field has that value, and is not asked for otherwise.
    When {
        /// The other field's name.
        field: &'static str,
        /// Its value.
        is: &'static str,
    },
    /// It may be given where another field has that value, and is not asked for otherwise.
    OptionalWhen {
        /// The other field's name.
        field: &'static str,
        /// Its value.
        is: &'static str,
    },
}
