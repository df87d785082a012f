//! The merchant's and the providers' keys and ids, and what a third-party SDK needs of them.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, SerialNumber};
use serde_json::json;

use super::SandboxError;
use super::book::Millis;
use crate::crypto::{RsaPrivateKey, RsaPublicKey, random_bytes};

/// The sandbox's merchant and the providers' keys for it.
pub struct Credentials {
    pub(super) app_id: String,
    pub(super) seller_id: String,
    pub(super) alipay_app: RsaPrivateKey,
    pub(super) alipay: RsaPrivateKey,
    pub(super) appid: String,
    pub(super) mchid: String,
    pub(super) merchant: RsaPrivateKey,
    pub(super) merchant_certificate: String,
    pub(super) merchant_serial: String,
    pub(super) platform: RsaPrivateKey,
    pub(super) platform_certificate: String,
    pub(super) platform_serial: String,
    /// From when and until when the platform's certificate holds.
    pub(super) platform_valid: (Millis, Millis),
    pub(super) platform_public_key_id: String,
    pub(super) api_v3_key: String,
    api_v2_key: String,
    aes_key: String,
}

const MCHID: &str = "1900000001";
const NAMES: [&str; 4] = ["alipay_app", "alipay", "wechatpay_merchant", "wechatpay_platform"];

fn keys_error(error: impl std::fmt::Display) -> SandboxError {
    SandboxError::Keys(error.to_string())
}

fn file_error(path: &Path) -> impl Fn(String) -> SandboxError {
    move |problem| SandboxError::File { path: path.to_owned(), problem }
}

fn make_folder(folder: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|error| file_error(folder)(error.to_string()))
}

fn write(path: &Path, text: &str) -> Result<(), SandboxError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = file_error(path);
    let mut file = options.open(path).map_err(|error| failed(error.to_string()))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| failed(error.to_string()))
}

/// The key in `folder/name.pem`; made and kept there where absent.
fn key(folder: Option<&Path>, name: &str) -> Result<RsaPrivateKey, SandboxError> {
    let path = folder.map(|folder| folder.join(format!("{name}.pem")));
    if let Some(path) = path.as_deref().filter(|path| path.exists()) {
        let failed = file_error(path);
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        return RsaPrivateKey::from_pem(&text).map_err(|error| failed(error.to_string()));
    }
    let key = RsaPrivateKey::generate().map_err(keys_error)?;
    if let Some(path) = path {
        write(&path, &key.to_pkcs8_pem().map_err(keys_error)?)?;
    }
    Ok(key)
}

/// A self-made certificate.
struct Certificate {
    pem: String,
    serial: String,
    valid: (Millis, Millis),
}

/// The certificate in `folder/name_certificate.pem` for a key; made and kept there where absent.
fn certificate(
    folder: Option<&Path>,
    name: &str,
    subject: &str,
    key: &RsaPrivateKey,
) -> Result<Certificate, SandboxError> {
    let path = folder.map(|folder| folder.join(format!("{name}_certificate.pem")));
    if let Some(path) = path.as_deref().filter(|path| path.exists()) {
        let failed = file_error(path);
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        return read_certificate(text, key).map_err(failed);
    }
    let pem = key.to_pkcs8_pem().map_err(keys_error)?;
    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).map_err(keys_error)?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, subject);
    params.distinguished_name.push(DnType::OrganizationName, "Scantill sandbox");
    // It must outlive any test; a platform's own holds for five years.
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2120, 1, 1));
    let mut serial: [u8; 20] = random_bytes();
    // Positive and of full length, as the platform's own are.
    serial[0] = 0x50 | (serial[0] & 0x0f);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let text = params.self_signed(&pair).map_err(keys_error)?.pem();
    if let Some(path) = path {
        write(&path, &text)?;
    }
    read_certificate(text, key).map_err(SandboxError::Keys)
}

fn read_certificate(pem: String, key: &RsaPrivateKey) -> Result<Certificate, String> {
    let (certified, serial) = RsaPublicKey::from_certificate_pem(&pem).map_err(|error| error.to_string())?;
    let spki = |key: &RsaPublicKey| key.to_spki_pem().map_err(|error| error.to_string());
    if spki(&certified)? != spki(&key.public_key())? {
        return Err("the certificate is of another key: delete it, and it is made anew".to_owned());
    }
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|error| error.to_string())?;
    let validity = block.parse_x509().map_err(|error| error.to_string())?.tbs_certificate.validity;
    let valid = (validity.not_before.timestamp() * 1_000, validity.not_after.timestamp() * 1_000);
    Ok(Certificate { pem, serial, valid })
}

impl Credentials {
    /// The keys in `folder`, or new ones.
    pub(super) fn load_or_make(folder: Option<&Path>) -> Result<Self, SandboxError> {
        if let Some(folder) = folder {
            make_folder(folder)?;
        }
        // Making a key takes a while; the four are made side by side.
        let mut keys: Vec<_> = std::thread::scope(|scope| {
            let makers = NAMES.map(|name| scope.spawn(move || key(folder, name)));
            makers
                .map(|maker| maker.join().unwrap_or_else(|_| Err(keys_error("a thread failed"))))
                .into_iter()
                .collect()
        });
        let mut next = || keys.pop().unwrap_or_else(|| Err(keys_error("one is missing")));
        let (platform, merchant, alipay, alipay_app) = (next()?, next()?, next()?, next()?);
        let merchant_certificate = certificate(folder, "wechatpay_merchant", MCHID, &merchant)?;
        let platform_certificate = certificate(folder, "wechatpay_platform", "Tenpay.com sign", &platform)?;
        Ok(Self {
            app_id: "2021000000000001".into(),
            seller_id: "2088000000000001".into(),
            alipay_app,
            alipay,
            appid: "wx0000000000000001".into(),
            mchid: MCHID.into(),
            merchant,
            merchant_certificate: merchant_certificate.pem,
            merchant_serial: merchant_certificate.serial,
            platform,
            platform_certificate: platform_certificate.pem,
            platform_serial: platform_certificate.serial,
            platform_valid: platform_certificate.valid,
            platform_public_key_id: "PUB_KEY_ID_0119000000012026010100000000000001".into(),
            // Money that does not exist needs no secret: the same for every sandbox.
            api_v3_key: "sandbox-api-v3-key-0123456789abc".into(),
            api_v2_key: "sandbox-api-v2-key-0123456789abc".into(),
            aes_key: "c2FuZGJveC1hZXMta2V5IQ==".into(),
        })
    }

    /// The credentials of a merchant account as our channels take them, in JSON; an empty object for another channel.
    #[must_use]
    pub fn account_json(&self, channel: &str) -> String {
        let pem = |key: &RsaPrivateKey| key.to_pkcs8_pem().map(|pem| pem.as_str().to_owned()).unwrap_or_default();
        let public = |key: &RsaPrivateKey| key.public_key().to_spki_pem().unwrap_or_default();
        match channel {
            "alipay" => json!({
                "app_id": self.app_id, "seller_id": self.seller_id,
                "app_private_key": pem(&self.alipay_app), "alipay_public_key": public(&self.alipay),
            }),
            "wechatpay" => json!({
                "appid": self.appid, "mchid": self.mchid, "merchant_private_key": pem(&self.merchant),
                "merchant_serial": self.merchant_serial, "api_v3_key": self.api_v3_key,
                "platform_public_key_id": self.platform_public_key_id, "platform_public_key": public(&self.platform),
                "platform_certificate": self.platform_certificate,
            }),
            _ => json!({}),
        }
        .to_string()
    }

    /// Writes `credentials.json` and the files that it names.
    pub(super) fn write_out(&self, folder: &Path, base_url: &str) -> Result<(), SandboxError> {
        make_folder(folder)?;
        let pkcs8 = |key: &RsaPrivateKey| key.to_pkcs8_pem().map(|pem| pem.as_str().to_owned()).map_err(keys_error);
        let pkcs1 = |key: &RsaPrivateKey| key.to_pkcs1_pem().map(|pem| pem.as_str().to_owned()).map_err(keys_error);
        let public = |key: &RsaPrivateKey| key.public_key().to_spki_pem().map_err(keys_error);
        for (name, text) in [
            ("alipay_app_private_key_pkcs8.pem", pkcs8(&self.alipay_app)?),
            ("alipay_app_private_key_pkcs1.pem", pkcs1(&self.alipay_app)?),
            ("alipay_app_public_key.pem", public(&self.alipay_app)?),
            ("alipay_public_key.pem", public(&self.alipay)?),
            ("wechatpay_merchant_private_key.pem", pkcs8(&self.merchant)?),
            ("wechatpay_merchant_certificate.pem", self.merchant_certificate.clone()),
            ("wechatpay_platform_certificate.pem", self.platform_certificate.clone()),
            ("wechatpay_platform_public_key.pem", public(&self.platform)?),
        ] {
            write(&folder.join(name), &text)?;
        }
        let told = json!({
            "base_url": base_url,
            "alipay": {
                "app_id": self.app_id, "seller_id": self.seller_id,
                "app_private_key_pkcs8": "alipay_app_private_key_pkcs8.pem",
                "app_private_key_pkcs1": "alipay_app_private_key_pkcs1.pem",
                "app_public_key": "alipay_app_public_key.pem",
                "alipay_public_key": "alipay_public_key.pem", "aes_key": self.aes_key,
            },
            "wechatpay": {
                "appid": self.appid, "mchid": self.mchid,
                "merchant_private_key": "wechatpay_merchant_private_key.pem",
                "merchant_certificate": "wechatpay_merchant_certificate.pem",
                "merchant_serial": self.merchant_serial,
                "platform_certificate": "wechatpay_platform_certificate.pem",
                "platform_serial": self.platform_serial,
                "platform_public_key": "wechatpay_platform_public_key.pem",
                "platform_public_key_id": self.platform_public_key_id,
                "api_v3_key": self.api_v3_key, "api_v2_key": self.api_v2_key,
            },
        });
        let text = serde_json::to_string_pretty(&told).map_err(keys_error)?;
        write(&folder.join("credentials.json"), &text)
    }
}
