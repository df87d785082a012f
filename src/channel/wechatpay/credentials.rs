//! What a WeChat Pay merchant is known by.

use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::{AccountError, MerchantAccount};
use crate::crypto::{RsaPrivateKey, RsaPublicKey, Secret};

/// `appid`, `mchid`, `merchant_private_key`, `merchant_serial`, `api_v3_key`, and of the platform's side
/// `platform_public_key` with `platform_public_key_id`, or `platform_certificate`, or both.
pub(super) struct Credentials {
    pub appid: String,
    pub mchid: String,
    pub merchant_private_key: RsaPrivateKey,
    pub merchant_serial: String,
    /// 32 bytes.
    pub api_v3_key: Secret<String>,
    /// Serial number or public key id, and the key. Never empty.
    platform: Vec<(String, RsaPublicKey)>,
}

impl Credentials {
    pub fn read(account: &MerchantAccount) -> Result<Self, AccountError> {
        let fields = Fields::of(account)?;
        let plain = |field: &'static str| -> Result<String, AccountError> {
            let text = fields.text(field)?;
            if text.len() > 64 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
                return Err(wrong(field, "has other signs than letters and digits"));
            }
            Ok(text.to_owned())
        };
        let api_v3_key = fields.text("api_v3_key")?;
        if api_v3_key.len() != 32 {
            return Err(wrong("api_v3_key", "is not 32 characters long, as set in the merchant platform"));
        }
        let mut platform = Vec::new();
        if let Some(text) = fields.optional("platform_public_key")? {
            let key = RsaPublicKey::from_pem(text).map_err(unreadable("platform_public_key"))?;
            platform.push((plain("platform_public_key_id")?, key));
        }
        if let Some(text) = fields.optional("platform_certificate")? {
            let (key, serial) = RsaPublicKey::from_certificate_pem(text).map_err(unreadable("platform_certificate"))?;
            platform.push((serial, key));
        }
        if platform.is_empty() {
            return Err(wrong(
                "platform_public_key",
                "is missing, and so is platform_certificate: one of them is needed",
            ));
        }
        Ok(Self {
            appid: plain("appid")?,
            mchid: plain("mchid")?,
            merchant_private_key: RsaPrivateKey::from_pem(fields.text("merchant_private_key")?)
                .map_err(unreadable("merchant_private_key"))?,
            merchant_serial: plain("merchant_serial")?,
            api_v3_key: Secret::new(api_v3_key.to_owned()),
            platform,
        })
    }

    /// The serial that we ask the platform to sign with.
    pub fn preferred_serial(&self) -> &str {
        self.platform.first().map_or("", |(serial, _)| serial)
    }

    /// The platform's key of that serial.
    pub fn platform_key(&self, serial: &str) -> Option<&RsaPublicKey> {
        self.platform.iter().find(|(known, _)| known.eq_ignore_ascii_case(serial)).map(|(_, key)| key)
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
            "api_v3_key": "0123456789abcdef0123456789ABCDEF",
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
