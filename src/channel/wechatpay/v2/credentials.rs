//! What an APIv2 merchant is known by.

use zeroize::Zeroizing;

use super::sign::{SignType, is_signed};
use super::xml::Message;
use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::wechatpay::fields::{Version, identifier, merchant_certificate};
use crate::channel::{AccountError, MerchantAccount};
use crate::crypto::{Algorithm, Certificate, RsaPrivateKey, Secret};
use crate::payment::UnixMillis;

/// A key that messages are signed with.
pub(super) struct ApiKey {
    pub key: Secret<String>,
    pub sign_type: SignType,
    /// Until when it counts; `None` for the present one.
    until: Option<UnixMillis>,
}

/// `appid`, `mchid`, `api_v2_key`, `sign_type`; and `merchant_certificate` with `merchant_private_key`, which the
/// platform asks for where money goes back.
pub(in crate::channel::wechatpay) struct Credentials {
    pub(super) appid: String,
    pub(super) mchid: String,
    pub(super) key: ApiKey,
    former: Option<ApiKey>,
    merchant_private_key: RsaPrivateKey,
    pub(super) merchant_certificate: Certificate,
}

fn api_key(account: &MerchantAccount, fields: &Fields, until: Option<UnixMillis>) -> Result<ApiKey, AccountError> {
    let key = fields.text("api_v2_key")?;
    if key.len() != 32 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("api_v2_key", "is not 32 characters long, as set in the merchant platform"));
    }
    let sign_type = match fields.optional("sign_type")? {
        None | Some("HMAC-SHA256") => SignType::HmacSha256,
        Some("MD5") => SignType::Md5,
        Some(_) => return Err(wrong("sign_type", "is neither HMAC-SHA256 nor MD5")),
    };
    account.require(match sign_type {
        SignType::HmacSha256 => Algorithm::HmacSha256,
        SignType::Md5 => Algorithm::Md5,
    })?;
    Ok(ApiKey { key: Secret::new(key.to_owned()), sign_type, until })
}

impl Credentials {
    pub fn read(account: &MerchantAccount) -> Result<Self, AccountError> {
        let fields = Fields::of(account)?;
        let former = account.retiring.as_ref().and_then(|retiring| {
            let fields = Fields::read(&retiring.credentials).ok()?;
            matches!(Version::of(&fields), Ok(Version::V2)).then_some(())?;
            api_key(account, &fields, Some(retiring.until)).ok()
        });
        Ok(Self {
            appid: identifier(&fields, "appid")?,
            mchid: identifier(&fields, "mchid")?,
            key: api_key(account, &fields, None)?,
            former,
            merchant_private_key: RsaPrivateKey::from_pem(fields.text("merchant_private_key")?)
                .map_err(unreadable("merchant_private_key"))?,
            merchant_certificate: merchant_certificate(&fields)?
                .ok_or_else(|| wrong("merchant_certificate", "is missing: APIv2 asks for it when money goes back"))?,
        })
    }

    /// The keys that count at `now`, the present one first.
    pub(super) fn keys(&self, now: UnixMillis) -> impl Iterator<Item = &ApiKey> {
        let counts = move |key: &&ApiKey| key.until.is_none_or(|until| now <= until);
        std::iter::once(&self.key).chain(&self.former).filter(counts)
    }

    /// Whether the platform signed it.
    pub(super) fn believes(&self, message: &Message, now: UnixMillis) -> bool {
        self.keys(now).any(|key| is_signed(message, &key.key, key.sign_type))
    }

    /// Whether it names this merchant, and this application where it names one.
    pub(super) fn is_ours(&self, message: &Message) -> bool {
        let appid = message.text("appid");
        message.text("mch_id") == self.mchid && (appid.is_empty() || appid == self.appid)
    }

    /// Key and certificate for the connection.
    pub(in crate::channel::wechatpay) fn identity_pem(&self) -> Result<Zeroizing<String>, AccountError> {
        let key = self.merchant_private_key.to_pkcs8_pem().map_err(unreadable("merchant_private_key"))?;
        Ok(Zeroizing::new(format!("{}{}", key.as_str(), self.merchant_certificate.to_pem())))
    }
}
