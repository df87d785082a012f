//! Alipay's application, and Alipay itself: in public-key mode and in certificate mode.

use serde_json::{Value, json};

use super::{Export, KeyStore, Subject, pkcs1, pkcs8, public};
use crate::crypto::{Certificate, RsaPrivateKey, md5_hex};
use crate::sandbox::SandboxError;

const APP_ID: &str = "2021000000000001";
const SELLER_ID: &str = "2088000000000001";
const ORGANIZATION: &str = "Scantill sandbox";
const UNIT: &str = "Certification Authority";

/// Ids, keys and certificates of the application and of Alipay.
pub(in crate::sandbox) struct AlipayKeys {
    pub app_id: String,
    pub seller_id: String,
    pub app: RsaPrivateKey,
    pub app_certificate: Certificate,
    /// Ran out some years ago, of the same key: for a merchant who wants to see what the gateway says.
    pub expired_app_certificate: Certificate,
    pub alipay: RsaPrivateKey,
    pub alipay_certificate: Certificate,
    /// Issued both; its own issuer is the root.
    pub intermediate_certificate: Certificate,
    pub root_certificate: Certificate,
    /// In the same bundle, as the provider's own has some; it has no number.
    pub other_root_certificate: Certificate,
    /// In base64, as the console shows it.
    pub aes_key: String,
}

impl AlipayKeys {
    pub fn load_or_make(store: &KeyStore) -> Result<Self, SandboxError> {
        let [app, alipay, root, intermediate] =
            store.keys(["alipay_app", "alipay", "alipay_root", "alipay_intermediate"])?;
        let root_subject = Subject::new(ORGANIZATION, UNIT, "Sandbox Alipay Certification Authority R1").authority();
        let middle = Subject::new(ORGANIZATION, UNIT, "Sandbox Alipay Certification Authority Class 2 R1").authority();
        let by = Some((middle, &intermediate));
        let app_subject = Subject::new(SELLER_ID, "Alipay", APP_ID);
        let expired = Subject { years: (2020, 2022), ..app_subject };
        Ok(Self {
            root_certificate: store.certificate("alipay_root", root_subject, &root, None)?,
            other_root_certificate: store.elliptic_root(
                "alipay_other_root",
                Subject::new(ORGANIZATION, UNIT, "Sandbox Alipay Certification Authority E1").authority(),
            )?,
            intermediate_certificate: store.certificate(
                "alipay_intermediate",
                middle,
                &intermediate,
                Some((root_subject, &root)),
            )?,
            app_certificate: store.certificate("alipay_app", app_subject, &app, by)?,
            expired_app_certificate: store.certificate("alipay_app_expired", expired, &app, by)?,
            alipay_certificate: store.certificate(
                "alipay",
                Subject::new(ORGANIZATION, "Alipay", "Sandbox Alipay"),
                &alipay,
                by,
            )?,
            app_id: APP_ID.into(),
            seller_id: SELLER_ID.into(),
            app,
            alipay,
            // Money that does not exist needs no secret: the same for every sandbox.
            aes_key: "c2FuZGJveC1hZXMta2V5IQ==".into(),
        })
    }

    /// Alipay's certificate as it is handed out: with the one above it, an empty line between, as clients split them.
    pub fn alipay_chain(&self) -> String {
        format!("{}\n{}", self.alipay_certificate.to_pem(), self.intermediate_certificate.to_pem())
    }

    /// The bundle of roots as it is handed out.
    fn roots(&self) -> String {
        format!("{}\n{}", self.other_root_certificate.to_pem(), self.root_certificate.to_pem())
    }

    /// The application's certificate as it is handed out.
    fn app_chain(&self) -> String {
        format!("{}\n{}", self.app_certificate.to_pem(), self.intermediate_certificate.to_pem())
    }

    /// The account in public-key mode, as the channel takes it.
    pub fn account(&self) -> Result<Value, SandboxError> {
        Ok(json!({
            "app_id": self.app_id, "seller_id": self.seller_id, "app_private_key": pkcs8(&self.app)?,
            "alipay_public_key": public(&self.alipay)?,
        }))
    }

    /// The account in certificate mode.
    pub fn certificate_account(&self) -> Result<Value, SandboxError> {
        Ok(json!({
            "app_id": self.app_id, "seller_id": self.seller_id, "app_private_key": pkcs8(&self.app)?,
            "mode": "certificate", "app_certificate": self.app_chain(),
            "alipay_certificate": self.alipay_chain(), "alipay_root_certificate": self.roots(),
        }))
    }

    pub fn export(&self) -> Result<Export, SandboxError> {
        Ok(Export {
            section: json!({
                "app_id": self.app_id, "seller_id": self.seller_id,
                "app_private_key_pkcs8": "alipay_app_private_key_pkcs8.pem",
                "app_private_key_pkcs1": "alipay_app_private_key_pkcs1.pem",
                "app_public_key": "alipay_app_public_key.pem",
                "alipay_public_key": "alipay_public_key.pem",
                "app_certificate": "appCertPublicKey.crt",
                "app_cert_sn": serial(&self.app_certificate),
                "expired_app_certificate": "appCertPublicKey_expired.crt",
                "alipay_certificate": "alipayCertPublicKey_RSA2.crt",
                "alipay_cert_sn": serial(&self.alipay_certificate),
                "alipay_root_certificate": "alipayRootCert.crt",
                "alipay_root_cert_sn": serial(&self.root_certificate),
                "aes_key": self.aes_key,
            }),
            files: vec![
                ("alipay_app_private_key_pkcs8.pem", pkcs8(&self.app)?.into_bytes()),
                ("alipay_app_private_key_pkcs1.pem", pkcs1(&self.app)?.into_bytes()),
                ("alipay_app_public_key.pem", public(&self.app)?.into_bytes()),
                ("alipay_public_key.pem", public(&self.alipay)?.into_bytes()),
                ("appCertPublicKey.crt", self.app_chain().into_bytes()),
                ("appCertPublicKey_expired.crt", self.expired_app_certificate.to_pem().into_bytes()),
                ("alipayCertPublicKey_RSA2.crt", self.alipay_chain().into_bytes()),
                ("alipayRootCert.crt", self.roots().into_bytes()),
            ],
        })
    }
}

/// The number by which the gateway names a certificate: MD5 over its issuer's name and its serial number in decimal.
pub(in crate::sandbox) fn serial(certificate: &Certificate) -> String {
    md5_hex(format!("{}{}", certificate.issuer(), certificate.serial_decimal()).as_bytes())
}
