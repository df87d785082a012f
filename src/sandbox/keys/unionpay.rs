//! UnionPay's merchant, and UnionPay itself with its chain of certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::{Export, KeyStore, Subject, keys_error};
use crate::crypto::{Certificate, Identity, RsaPrivateKey, read_pkcs12, write_pkcs12};
use crate::sandbox::SandboxError;

const MER_ID: &str = "777290058110048";
const ORGANIZATION: &str = "Scantill sandbox";
/// Every test container of UnionPay's has this password.
const PASSWORD: &str = "000000";
/// What SDKs look for in the name of the certificate that an answer is signed with.
const COMMON_NAME: &str = "041@Z12@中国银联股份有限公司@00000001";

/// Ids, keys and certificates of the merchant and of UnionPay.
pub(in crate::sandbox) struct UnionpayKeys {
    pub mer_id: String,
    /// The merchant's signing certificate; requests name it by its serial number.
    pub merchant_certificate: Certificate,
    /// Its key: UnionPay would not have it. It signs what somebody else forges.
    pub merchant: RsaPrivateKey,
    pub signer: RsaPrivateKey,
    pub signer_certificate: Certificate,
    sign_p12: Vec<u8>,
    middle_certificate: Certificate,
    root_certificate: Certificate,
}

impl UnionpayKeys {
    pub fn load_or_make(store: &KeyStore) -> Result<Self, SandboxError> {
        let [merchant, signer, root, middle] =
            store.keys(["unionpay_merchant", "unionpay_signer", "unionpay_root", "unionpay_middle"])?;
        let root_subject = Subject::new(ORGANIZATION, "", "Sandbox UnionPay Root CA").authority();
        let middle_subject = Subject::new(ORGANIZATION, "", "Sandbox UnionPay OCA1").authority();
        let by = Some((middle_subject, &middle));
        let merchant_subject = Subject::new(ORGANIZATION, "Enterprises", MER_ID);
        let merchant_certificate = store.certificate("unionpay_merchant", merchant_subject, &merchant, by)?;
        let middle_certificate =
            store.certificate("unionpay_middle", middle_subject, &middle, Some((root_subject, &root)))?;
        let signer_subject = Subject::new(ORGANIZATION, "Enterprises", COMMON_NAME);
        let (merchant, sign_p12) = container(store, merchant, &merchant_certificate)?;
        Ok(Self {
            mer_id: MER_ID.into(),
            signer_certificate: store.certificate("unionpay_signer", signer_subject, &signer, by)?,
            root_certificate: store.certificate("unionpay_root", root_subject, &root, None)?,
            middle_certificate,
            merchant_certificate,
            merchant,
            signer,
            sign_p12,
        })
    }

    /// The account as the channel takes it.
    pub fn account(&self) -> Value {
        json!({
            "mer_id": self.mer_id, "sign_p12": BASE64.encode(&self.sign_p12), "sign_p12_password": PASSWORD,
            "middle_certificate": self.middle_certificate.to_pem(),
            "root_certificate": self.root_certificate.to_pem(),
        })
    }

    pub fn export(&self) -> Export {
        Export {
            section: json!({
                "mer_id": self.mer_id,
                "sign_p12": "unionpay_sign.p12", "sign_p12_password": PASSWORD,
                "cert_id": self.merchant_certificate.serial_decimal(),
                "sign_certificate": "unionpay_sign_certificate.pem",
                "middle_certificate": "unionpay_middle_certificate.pem",
                "root_certificate": "unionpay_root_certificate.pem",
                "common_name": COMMON_NAME,
            }),
            files: vec![
                ("unionpay_sign.p12", self.sign_p12.clone()),
                ("unionpay_sign_certificate.pem", self.merchant_certificate.to_pem().into_bytes()),
                ("unionpay_middle_certificate.pem", self.middle_certificate.to_pem().into_bytes()),
                ("unionpay_root_certificate.pem", self.root_certificate.to_pem().into_bytes()),
            ],
        }
    }
}

/// The merchant's key and certificate as UnionPay hands them out, kept so that they stay the same file.
fn container(
    store: &KeyStore,
    key: RsaPrivateKey,
    certificate: &Certificate,
) -> Result<(RsaPrivateKey, Vec<u8>), SandboxError> {
    let identity = Identity { key, chain: vec![certificate.clone()] };
    let make = || write_pkcs12(&identity, PASSWORD).map_err(keys_error);
    let file = store.kept("unionpay_merchant.p12", make, |bytes| {
        let kept = read_pkcs12(bytes, PASSWORD).map_err(|error| error.to_string())?;
        if kept.chain.first() != Some(certificate) {
            return Err("the container is of another certificate: delete it, and it is made anew".to_owned());
        }
        Ok(bytes.to_vec())
    })?;
    Ok((identity.key, file))
}
