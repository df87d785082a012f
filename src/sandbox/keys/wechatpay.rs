//! WeChat Pay's merchant and platform.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Export, KeyStore, Subject, keys_error, pkcs8, public};
use crate::crypto::{Certificate, Identity, RsaPrivateKey, write_pkcs12};
use crate::sandbox::SandboxError;
use crate::sandbox::wechatpay::{Holder, Platform};

const MCHID: &str = "1900000001";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012026010100000000000001";
const ORGANIZATION: &str = "Scantill sandbox";
const PLATFORM: &str = "Tenpay.com sign";

/// The platform's serial numbers have twenty bytes.
fn subject(common_name: &str) -> Subject<'_> {
    Subject { serial_bytes: 20, ..Subject::new(ORGANIZATION, "", common_name) }
}

/// Ids and keys of the merchant and of the platform.
pub(in crate::sandbox) struct WechatpayKeys {
    pub appid: String,
    pub mchid: String,
    pub merchant: RsaPrivateKey,
    pub merchant_certificate: Certificate,
    pub merchant_serial: String,
    /// What signs on the platform's side; it changes while the sandbox runs.
    pub platform: Platform,
    /// The platform's certificate as the merchant got it with its account.
    first_certificate: Certificate,
    pub api_v3_key: String,
    pub api_v2_key: String,
}

impl WechatpayKeys {
    pub fn load_or_make(store: &KeyStore) -> Result<Self, SandboxError> {
        let [merchant, platform, public_key] =
            store.keys(["wechatpay_merchant", "wechatpay_platform", "wechatpay_public"])?;
        let merchant_certificate = store.certificate("wechatpay_merchant", subject(MCHID), &merchant, None)?;
        let first_certificate = store.certificate("wechatpay_platform", subject(PLATFORM), &platform, None)?;
        let first = Holder { key: Arc::new(platform), certificate: first_certificate.clone() };
        Ok(Self {
            appid: "wx0000000000000001".into(),
            mchid: MCHID.into(),
            merchant,
            merchant_serial: merchant_certificate.serial_hex(),
            merchant_certificate,
            platform: Platform::new(first, public_key, PUBLIC_KEY_ID),
            first_certificate,
            // Money that does not exist needs no secret: the same for every sandbox.
            api_v3_key: "sandbox-api-v3-key-0123456789abc".into(),
            api_v2_key: "sandbox-api-v2-key-0123456789abc".into(),
        })
    }

    /// A certificate that follows the present one. It is not kept: a sandbox begins with its first again.
    pub fn new_platform_certificate() -> Result<Holder, SandboxError> {
        let store = KeyStore::open(None)?;
        let [key] = store.keys(["wechatpay_platform"])?;
        let certificate = store.certificate("wechatpay_platform", subject(PLATFORM), &key, None)?;
        Ok(Holder { key: Arc::new(key), certificate })
    }

    /// The account as the channel takes it.
    pub fn account(&self) -> Result<Value, SandboxError> {
        Ok(json!({
            "appid": self.appid, "mchid": self.mchid, "merchant_private_key": pkcs8(&self.merchant)?,
            "merchant_serial": self.merchant_serial, "api_v3_key": self.api_v3_key,
            "platform_public_key_id": self.platform.public_key_id(),
            "platform_public_key": public(self.platform.public_key())?,
            "platform_certificate": self.first_certificate.to_pem(),
        }))
    }

    /// The same account for one who still speaks APIv2.
    pub fn v2_account(&self) -> Result<Value, SandboxError> {
        Ok(json!({
            "api_version": "v2", "appid": self.appid, "mchid": self.mchid, "api_v2_key": self.api_v2_key,
            "sign_type": "HMAC-SHA256", "merchant_private_key": pkcs8(&self.merchant)?,
            "merchant_certificate": self.merchant_certificate.to_pem(),
        }))
    }

    /// The merchant's key and certificate in one container, under the merchant's number: what SDKs of APIv2 take.
    fn merchant_p12(&self) -> Result<Vec<u8>, SandboxError> {
        let key = RsaPrivateKey::from_pem(&pkcs8(&self.merchant)?).map_err(keys_error)?;
        let identity = Identity { key, chain: vec![self.merchant_certificate.clone()] };
        write_pkcs12(&identity, &self.mchid).map_err(keys_error)
    }

    pub fn export(&self) -> Result<Export, SandboxError> {
        Ok(Export {
            section: json!({
                "appid": self.appid, "mchid": self.mchid,
                // Named as the platform's own tool names them.
                "merchant_private_key": "apiclient_key.pem",
                "merchant_certificate": "apiclient_cert.pem",
                "merchant_serial": self.merchant_serial,
                "merchant_p12": "apiclient_cert.p12",
                "merchant_p12_password": self.mchid,
                "platform_certificate": "wechatpay_platform_certificate.pem",
                "platform_serial": self.first_certificate.serial_hex(),
                "platform_public_key": "wechatpay_platform_public_key.pem",
                "platform_public_key_id": self.platform.public_key_id(),
                "api_v3_key": self.api_v3_key, "api_v2_key": self.api_v2_key,
            }),
            files: vec![
                ("apiclient_key.pem", pkcs8(&self.merchant)?.into_bytes()),
                ("apiclient_cert.pem", self.merchant_certificate.to_pem().into_bytes()),
                ("apiclient_cert.p12", self.merchant_p12()?),
                ("wechatpay_platform_certificate.pem", self.first_certificate.to_pem().into_bytes()),
                ("wechatpay_platform_public_key.pem", public(self.platform.public_key())?.into_bytes()),
            ],
        })
    }
}
