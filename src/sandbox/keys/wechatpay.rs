//! WeChat Pay's merchant and platform.

use serde_json::{Value, json};

use super::{Export, KeyStore, Subject, pkcs8, public};
use crate::crypto::{Certificate, RsaPrivateKey};
use crate::sandbox::SandboxError;

const MCHID: &str = "1900000001";

/// Ids and keys of the merchant and of the platform.
pub(in crate::sandbox) struct WechatpayKeys {
    pub appid: String,
    pub mchid: String,
    pub merchant: RsaPrivateKey,
    pub merchant_certificate: Certificate,
    pub merchant_serial: String,
    pub platform: RsaPrivateKey,
    pub platform_certificate: Certificate,
    pub platform_serial: String,
    pub platform_public_key_id: String,
    pub api_v3_key: String,
    pub api_v2_key: String,
}

impl WechatpayKeys {
    pub fn load_or_make(store: &KeyStore) -> Result<Self, SandboxError> {
        let [merchant, platform] = store.keys(["wechatpay_merchant", "wechatpay_platform"])?;
        let organization = "Scantill sandbox";
        let merchant_certificate =
            store.certificate("wechatpay_merchant", Subject::new(organization, "", MCHID), &merchant, None)?;
        let platform_certificate = store.certificate(
            "wechatpay_platform",
            Subject::new(organization, "", "Tenpay.com sign"),
            &platform,
            None,
        )?;
        Ok(Self {
            appid: "wx0000000000000001".into(),
            mchid: MCHID.into(),
            merchant,
            merchant_serial: merchant_certificate.serial_hex(),
            merchant_certificate,
            platform,
            platform_serial: platform_certificate.serial_hex(),
            platform_certificate,
            platform_public_key_id: "PUB_KEY_ID_0119000000012026010100000000000001".into(),
            // Money that does not exist needs no secret: the same for every sandbox.
            api_v3_key: "sandbox-api-v3-key-0123456789abc".into(),
            api_v2_key: "sandbox-api-v2-key-0123456789abc".into(),
        })
    }

    /// The account as the channel takes it.
    pub fn account(&self) -> Result<Value, SandboxError> {
        Ok(json!({
            "appid": self.appid, "mchid": self.mchid, "merchant_private_key": pkcs8(&self.merchant)?,
            "merchant_serial": self.merchant_serial, "api_v3_key": self.api_v3_key,
            "platform_public_key_id": self.platform_public_key_id, "platform_public_key": public(&self.platform)?,
            "platform_certificate": self.platform_certificate.to_pem(),
        }))
    }

    pub fn export(&self) -> Result<Export, SandboxError> {
        Ok(Export {
            section: json!({
                "appid": self.appid, "mchid": self.mchid,
                "merchant_private_key": "wechatpay_merchant_private_key.pem",
                "merchant_certificate": "wechatpay_merchant_certificate.pem",
                "merchant_serial": self.merchant_serial,
                "platform_certificate": "wechatpay_platform_certificate.pem",
                "platform_serial": self.platform_serial,
                "platform_public_key": "wechatpay_platform_public_key.pem",
                "platform_public_key_id": self.platform_public_key_id,
                "api_v3_key": self.api_v3_key, "api_v2_key": self.api_v2_key,
            }),
            files: vec![
                ("wechatpay_merchant_private_key.pem", pkcs8(&self.merchant)?.into_bytes()),
                ("wechatpay_merchant_certificate.pem", self.merchant_certificate.to_pem().into_bytes()),
                ("wechatpay_platform_certificate.pem", self.platform_certificate.to_pem().into_bytes()),
                ("wechatpay_platform_public_key.pem", public(&self.platform)?.into_bytes()),
            ],
        })
    }
}
