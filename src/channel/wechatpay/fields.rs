//! The fields of an account: the form that asks for them, and how those that both interfaces share are read.

use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::{AccountError, AccountForm, CredentialField, FieldKind, Required};
use crate::crypto::{Certificate, certificates};
use crate::payment::ChannelId;

/// Which of WeChat Pay's interfaces an account speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V3,
    V2,
}

impl Version {
    /// `api_version`; v3 where it is absent.
    pub fn of(fields: &Fields) -> Result<Self, AccountError> {
        match fields.optional("api_version")? {
            None | Some("v3") => Ok(Self::V3),
            Some("v2") => Ok(Self::V2),
            Some(_) => Err(wrong("api_version", "is neither v3 nor v2")),
        }
    }
}

/// A number or name that goes into headers and addresses as it is.
pub(super) fn identifier(fields: &Fields, field: &'static str) -> Result<String, AccountError> {
    let text = fields.text(field)?;
    if text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        return Err(wrong(field, "has other signs than letters and digits"));
    }
    Ok(text.to_owned())
}

/// `merchant_certificate`, where it was given.
pub(super) fn merchant_certificate(fields: &Fields) -> Result<Option<Certificate>, AccountError> {
    let Some(text) = fields.optional("merchant_certificate")? else { return Ok(None) };
    let found = certificates(text).map_err(unreadable("merchant_certificate"))?;
    found.into_iter().next().map(Some).ok_or_else(|| wrong("merchant_certificate", "holds no certificate"))
}

/// What an account consists of.
pub(super) fn form() -> AccountForm {
    const V3: Required = Required::When { field: "api_version", is: "v3" };
    const V2: Required = Required::When { field: "api_version", is: "v2" };
    let field = |name, kind, required, label, hint| CredentialField { name, kind, required, label, hint };
    AccountForm {
        channel: ChannelId::WECHATPAY,
        title: "WeChat Pay",
        default_base_url: "https://api.mch.weixin.qq.com",
        sandbox_base_url: "",
        fields: vec![
            field(
                "api_version",
                FieldKind::Choice(&["v3", "v2"]),
                Required::Never,
                "API version",
                "v3, unless the merchant platform has only an API key of APIv2.",
            ),
            field(
                "appid",
                FieldKind::Text,
                Required::Always,
                "Application id (APPID)",
                "The application that is bound to the merchant number.",
            ),
            field(
                "mchid",
                FieldKind::Text,
                Required::Always,
                "Merchant number",
                "The number at the top of the merchant platform.",
            ),
            field(
                "merchant_serial",
                FieldKind::Text,
                V3,
                "Certificate serial number",
                "The serial number of the merchant API certificate.",
            ),
            field(
                "merchant_private_key",
                FieldKind::PrivateKey,
                Required::Always,
                "Merchant API private key",
                "The file apiclient_key.pem.",
            ),
            field(
                "merchant_certificate",
                FieldKind::Pem,
                V2,
                "Merchant API certificate",
                "The file apiclient_cert.pem; APIv2 asks for it when money goes back.",
            ),
            field("api_v3_key", FieldKind::Secret, V3, "APIv3 key", "The 32 characters set under API security."),
            field(
                "platform_public_key",
                FieldKind::Pem,
                Required::Never,
                "WeChat Pay public key",
                "The file pub_key.pem, downloaded under API security; older merchants have none.",
            ),
            field("platform_public_key_id", FieldKind::Text, Required::Never, "Public key id", "Begins PUB_KEY_ID_."),
            field(
                "platform_certificate",
                FieldKind::Pem,
                Required::Never,
                "Platform certificate",
                "Not needed: it is fetched and renewed by itself where there is no public key.",
            ),
            field("api_v2_key", FieldKind::Secret, V2, "API key (APIv2)", "The 32 characters set under API security."),
            field(
                "sign_type",
                FieldKind::Choice(&["HMAC-SHA256", "MD5"]),
                V2,
                "Signature",
                "HMAC-SHA256; MD5 is weak, and an admin has to allow it for this account.",
            ),
            field(
                "gateway_root_certificate",
                FieldKind::Pem,
                Required::Never,
                "Root certificate of the connection",
                "Only where the gateway is reached through a proxy with a certificate of its own.",
            ),
        ],
    }
}
