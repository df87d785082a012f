//! What an APIv3 merchant is known by.

use super::keys::{KeyStore, PlatformKey};
use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::http::now;
use crate::channel::wechatpay::fields::{Version, identifier, merchant_certificate};
use crate::channel::{AccountError, MerchantAccount};
use crate::crypto::{Algorithm, Certificate, RsaPrivateKey, RsaPublicKey, Secret, certificates, open_aes256_gcm};
use crate::payment::UnixMillis;

/// A key that the platform seals with.
struct ApiKey {
    /// 32 bytes.
    key: Secret<String>,
    /// Until when it counts; `None` for the present one.
    until: Option<UnixMillis>,
}

/// `appid`, `mchid`, `merchant_private_key`, `merchant_serial`, `api_v3_key`; `merchant_certificate` where it was given;
/// and of the platform's side `platform_public_key` with `platform_public_key_id`, or `platform_certificate`, or both,
/// or neither: then the certificates are fetched, and the APIv3 key alone says that they are the platform's.
pub(in crate::channel::wechatpay) struct Credentials {
    pub(super) appid: String,
    pub(super) mchid: String,
    pub(super) merchant_private_key: RsaPrivateKey,
    pub(super) merchant_serial: String,
    pub(super) merchant_certificate: Option<Certificate>,
    /// The present one first.
    api_keys: Vec<ApiKey>,
    pub(super) platform: KeyStore,
}

/// The APIv3 key.
fn api_v3_key(fields: &Fields) -> Result<Secret<String>, AccountError> {
    let key = fields.text("api_v3_key")?;
    if key.len() != 32 {
        return Err(wrong("api_v3_key", "is not 32 characters long, as set in the merchant platform"));
    }
    Ok(Secret::new(key.to_owned()))
}

/// The platform's keys that were entered; `until` bounds those that retire.
fn platform_keys(fields: &Fields, until: Option<UnixMillis>) -> Result<Vec<PlatformKey>, AccountError> {
    let mut keys = Vec::new();
    let mut push = |serial, key: RsaPublicKey, (from, to): (UnixMillis, UnixMillis)| {
        keys.push(PlatformKey {
            serial,
            key,
            valid: (from, until.map_or(to, |until| until.min(to))),
            present: until.is_none(),
        });
    };
    if let Some(text) = fields.optional("platform_public_key")? {
        let key = RsaPublicKey::from_pem(text).map_err(unreadable("platform_public_key"))?;
        push(identifier(fields, "platform_public_key_id")?, key, (UnixMillis::MIN, UnixMillis::MAX));
    }
    if let Some(text) = fields.optional("platform_certificate")? {
        for certificate in certificates(text).map_err(unreadable("platform_certificate"))? {
            let key = certificate.key().map_err(unreadable("platform_certificate"))?;
            push(certificate.serial_hex(), key, certificate.validity());
        }
    }
    Ok(keys)
}

impl Credentials {
    pub fn read(account: &MerchantAccount) -> Result<Self, AccountError> {
        let fields = Fields::of(account)?;
        account.require(Algorithm::RsaSha256)?;
        account.require(Algorithm::AesGcm)?;
        let mut read = Self {
            appid: identifier(&fields, "appid")?,
            mchid: identifier(&fields, "mchid")?,
            merchant_private_key: RsaPrivateKey::from_pem(fields.text("merchant_private_key")?)
                .map_err(unreadable("merchant_private_key"))?,
            merchant_serial: identifier(&fields, "merchant_serial")?,
            merchant_certificate: merchant_certificate(&fields)?,
            api_keys: vec![ApiKey { key: api_v3_key(&fields)?, until: None }],
            platform: KeyStore::new(Vec::new(), 0),
        };
        let mut platform = platform_keys(&fields, None)?;
        // What retires was checked when it was entered; if it cannot be read now, it is simply not believed any more.
        if let Some(retiring) = &account.retiring
            && let Ok(fields) = Fields::read(&retiring.credentials)
            && matches!(Version::of(&fields), Ok(Version::V3))
        {
            if let Ok(key) = api_v3_key(&fields) {
                read.api_keys.push(ApiKey { key, until: Some(retiring.until) });
            }
            platform.extend(platform_keys(&fields, Some(retiring.until)).unwrap_or_default());
        }
        read.platform = KeyStore::new(platform, now());
        Ok(read)
    }

    /// Opens what the platform sealed (AEAD_AES_256_GCM), with any APIv3 key that counts at `now`.
    pub fn open(&self, nonce: &str, associated: &str, sealed: &[u8], now: UnixMillis) -> Option<Vec<u8>> {
        let counting = self.api_keys.iter().filter(|key| key.until.is_none_or(|until| now <= until));
        counting
            .map(|key| {
                let key = key.key.expose().as_bytes();
                open_aes256_gcm(key, nonce.as_bytes(), associated.as_bytes(), sealed)
            })
            .find_map(Result::ok)
    }

    /// The platform's key of that serial, where it counts at `now`.
    pub fn platform_key(&self, serial: &str, now: UnixMillis) -> Option<RsaPublicKey> {
        self.platform.key(serial, now)
    }
}

#[cfg(test)]
pub(in crate::channel::wechatpay) mod tests {
    use std::sync::LazyLock;

    use serde_json::json;

    use super::*;
    use crate::channel::TimingOverrides;
    use crate::payment::ChannelId;

    pub const PLATFORM_ID: &str = "PUB_KEY_ID_0119000000012026010100000000000001";
    pub const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
    static PLATFORM: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate().unwrap());
    static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| Credentials::read(&account()).unwrap());

    pub fn platform() -> &'static RsaPrivateKey {
        &PLATFORM
    }

    pub fn credentials() -> &'static Credentials {
        &CREDENTIALS
    }

    fn account() -> MerchantAccount {
        let merchant = RsaPrivateKey::generate().unwrap().to_pkcs8_pem().unwrap();
        let credentials = json!({
            "appid": "wxd678efh567hg6787", "mchid": "1900000001", "merchant_private_key": merchant.as_str(),
            "merchant_serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
            "api_v3_key": API_V3_KEY,
            "platform_public_key_id": PLATFORM_ID,
            "platform_public_key": platform().public_key().to_spki_pem().unwrap(),
        });
        MerchantAccount {
            id: "acc".parse().unwrap(),
            channel: ChannelId::WECHATPAY,
            name: "test".into(),
            base_url: "http://127.0.0.1:9".into(),
            training: true,
            enabled: true,
            notify_base_url: None,
            timing: TimingOverrides::default(),
            stores: Vec::new(),
            algorithms: crate::crypto::AlgorithmPolicy::default(),
            retiring: None,
            credentials: Secret::new(credentials.to_string()),
        }
    }
}
