//! The merchant's and the providers' keys and ids, and what a third-party SDK needs of them. Each provider's are in a
//! file of its own.

pub(super) mod alipay;
mod store;
mod unionpay;
mod wechatpay;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

pub(super) use self::alipay::AlipayKeys;
pub(super) use self::store::{KeyStore, Subject};
pub(super) use self::unionpay::UnionpayKeys;
pub(super) use self::wechatpay::WechatpayKeys;

use super::SandboxError;
use crate::crypto::RsaPrivateKey;

/// The sandbox's merchant and the providers' keys for it.
pub struct Credentials {
    pub(super) alipay: AlipayKeys,
    pub(super) wechatpay: WechatpayKeys,
    pub(super) unionpay: UnionpayKeys,
}

/// A provider's part of `credentials.json`.
pub(super) struct Export {
    /// The object under the provider's name; files by relative path.
    pub section: Value,
    /// The files that it names.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

fn keys_error(error: impl std::fmt::Display) -> SandboxError {
    SandboxError::Keys(error.to_string())
}

fn file_error(path: &Path) -> impl Fn(String) -> SandboxError {
    move |problem| SandboxError::File { path: path.to_owned(), problem }
}

fn make_folder(folder: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|error| file_error(folder)(error.to_string()))
}

/// Writes a file that only its owner can read.
fn write(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = file_error(path);
    let mut file = options.open(path).map_err(|error| failed(error.to_string()))?;
    std::io::Write::write_all(&mut file, bytes).map_err(|error| failed(error.to_string()))
}

fn pkcs8(key: &RsaPrivateKey) -> Result<String, SandboxError> {
    key.to_pkcs8_pem().map(|pem| pem.as_str().to_owned()).map_err(keys_error)
}

fn pkcs1(key: &RsaPrivateKey) -> Result<String, SandboxError> {
    key.to_pkcs1_pem().map(|pem| pem.as_str().to_owned()).map_err(keys_error)
}

fn public(key: &RsaPrivateKey) -> Result<String, SandboxError> {
    key.public_key().to_spki_pem().map_err(keys_error)
}

impl Credentials {
    /// The keys in `folder`, or new ones.
    pub(super) fn load_or_make(folder: Option<&Path>) -> Result<Self, SandboxError> {
        let store = KeyStore::open(folder)?;
        std::thread::scope(|scope| {
            let alipay = scope.spawn(|| AlipayKeys::load_or_make(&store));
            let unionpay = scope.spawn(|| UnionpayKeys::load_or_make(&store));
            let wechatpay = WechatpayKeys::load_or_make(&store)?;
            let alipay = alipay.join().unwrap_or_else(|_| Err(keys_error("a thread failed")))?;
            let unionpay = unionpay.join().unwrap_or_else(|_| Err(keys_error("a thread failed")))?;
            Ok(Self { alipay, wechatpay, unionpay })
        })
    }

    /// The credentials of a merchant account as our channels take them, in JSON; an empty object for another channel.
    #[must_use]
    pub fn account_json(&self, channel: &str) -> String {
        let account = match channel {
            "alipay" => self.alipay.account(),
            "wechatpay" => self.wechatpay.account(),
            "unionpay" => Ok(self.unionpay.account()),
            _ => Ok(json!({})),
        };
        account.unwrap_or_else(|_| json!({})).to_string()
    }

    /// The Alipay account in certificate mode, as [`Credentials::account_json`] gives it in public-key mode.
    #[must_use]
    pub fn alipay_certificate_account_json(&self) -> String {
        self.alipay.certificate_account().unwrap_or_else(|_| json!({})).to_string()
    }

    /// The WeChat Pay account of a merchant who still speaks APIv2.
    #[must_use]
    pub fn wechatpay_v2_account_json(&self) -> String {
        self.wechatpay.v2_account().unwrap_or_else(|_| json!({})).to_string()
    }

    /// Writes `credentials.json` and the files that it names.
    /// `tls` is the base URL of the listener that speaks TLS, and the certificate of its authority.
    pub(super) fn write_out(
        &self,
        folder: &Path,
        base_url: &str,
        tls: Option<(&str, &str)>,
    ) -> Result<(), SandboxError> {
        const AUTHORITY: &str = "tls_ca_certificate.pem";
        make_folder(folder)?;
        let mut told = json!({ "base_url": base_url });
        if let Some((url, authority)) = tls {
            told["tls_base_url"] = json!(url);
            told["tls_ca_certificate"] = json!(AUTHORITY);
            write(&folder.join(AUTHORITY), authority.as_bytes())?;
        }
        let exports = [
            ("alipay", self.alipay.export()?),
            ("wechatpay", self.wechatpay.export()?),
            ("unionpay", self.unionpay.export()),
        ];
        for (name, export) in exports {
            told[name] = export.section;
            for (file, bytes) in export.files {
                write(&folder.join(file), &bytes)?;
            }
        }
        let text = serde_json::to_string_pretty(&told).map_err(keys_error)?;
        write(&folder.join("credentials.json"), text.as_bytes())
    }
}
