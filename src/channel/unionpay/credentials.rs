//! What a UnionPay account is known by.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::trust::{Anchor, Trust};
use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::{AccountError, MerchantAccount};
use crate::crypto::{Algorithm, Certificate, RsaPrivateKey, certificates, read_pkcs12};
use crate::payment::UnixMillis;

/// The name that UnionPay's signing certificates bear.
const UNIONPAY: &str = "中国银联股份有限公司";
/// A PKCS#12 file with one key and a chain is some kilobytes long.
const MAX_P12: usize = 64 << 10;

/// `mer_id`, `sign_p12` (base64), `sign_p12_password`, `middle_certificate`, `root_certificate`, and optional
/// `common_name` and `file_base_url`.
pub(super) struct Credentials {
    pub mer_id: String,
    pub key: RsaPrivateKey,
    /// The signing certificate's serial number in decimal: the gateway finds the certificate by it.
    pub cert_id: String,
    pub certificate: Certificate,
    pub trust: Trust,
    /// Where the settlement files are, if it is not the gateway's own.
    pub file_base_url: Option<String>,
}

impl Credentials {
    pub fn read(account: &MerchantAccount) -> Result<Self, AccountError> {
        account.require(Algorithm::RsaSha256)?;
        let fields = Fields::of(account)?;
        let mer_id = fields.text("mer_id")?;
        if mer_id.len() != 15 || !mer_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(wrong("mer_id", "is not the merchant's number of 15 digits"));
        }
        let (key, certificate) = signing_pair(&fields)?;
        let sha1 = account.algorithms.allows(Algorithm::RsaSha1);
        let mut anchors = vec![anchor(&fields, None)?];
        if !sha1 && anchors.iter().flat_map(|anchor| &anchor.middle).any(Certificate::is_signed_with_sha1) {
            return Err(AccountError::AlgorithmOff(Algorithm::RsaSha1));
        }
        // What comes under the certificates before the last rotation is believed until then.
        anchors.extend(retiring(account));
        Ok(Self {
            mer_id: mer_id.to_owned(),
            key,
            cert_id: certificate.serial_decimal(),
            certificate,
            trust: Trust::new(anchors, sha1),
            file_base_url: fields.optional("file_base_url")?.map(str::to_owned),
        })
    }
}

fn signing_pair(fields: &Fields) -> Result<(RsaPrivateKey, Certificate), AccountError> {
    let text: String = fields.text("sign_p12")?.chars().filter(|c| !c.is_whitespace()).collect();
    let file = BASE64.decode(text).ok().filter(|file| !file.is_empty() && file.len() <= MAX_P12);
    let file = file.ok_or_else(|| wrong("sign_p12", "is not a .p12 or .pfx file (base64)"))?;
    let password = fields.text("sign_p12_password")?;
    // A container that is none begins in another way; one that is and does not open has another password.
    if file.first() != Some(&0x30) {
        return Err(wrong("sign_p12", "is not a .p12 or .pfx file"));
    }
    let identity = read_pkcs12(&file, password).map_err(|_| {
        wrong("sign_p12_password", "does not open sign_p12: it is the password that was set for the file")
    })?;
    let certificate = identity.chain.into_iter().next().ok_or_else(|| wrong("sign_p12", "holds no certificate"))?;
    let fits = identity.key.sign(b"fits").ok().zip(certificate.key().ok());
    match fits {
        Some((signature, public)) if public.verify(b"fits", &signature).is_ok() => Ok((identity.key, certificate)),
        _ => Err(wrong("sign_p12", "holds a key that does not belong to its certificate")),
    }
}

fn anchor(fields: &Fields, until: Option<UnixMillis>) -> Result<Anchor, AccountError> {
    let read = |field: &'static str| certificates(fields.text(field)?).map_err(unreadable(field));
    let (middle, root) = (read("middle_certificate")?, read("root_certificate")?);
    Ok(Anchor { middle, root, name: fields.optional("common_name")?.unwrap_or(UNIONPAY).to_owned(), until })
}

fn retiring(account: &MerchantAccount) -> Option<Anchor> {
    let retiring = account.retiring.as_ref()?;
    let before = MerchantAccount { credentials: retiring.credentials.clone(), retiring: None, ..account.clone() };
    anchor(&Fields::of(&before).ok()?, Some(retiring.until)).ok()
}
