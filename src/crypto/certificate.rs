//! X.509 certificates as the providers use them: who, until when, of whom, with which key.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

use super::{CryptoError, RsaPublicKey};

/// A chain is never longer; a loop of certificates ends here.
const MAX_CHAIN: usize = 8;
/// Every algorithm that signs with RSA lies under it (PKCS#1).
const WITH_RSA: &str = "1.2.840.113549.1.1.";
const SHA1_WITH_RSA: &str = "1.2.840.113549.1.1.5";
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The clock is past its end, or before its beginning.
    #[error("the certificate of {subject} is not valid at this time: it has expired, or is not valid yet")]
    OutOfTime {
        /// Whose.
        subject: String,
    },
    /// No chain of signatures leads to a root that is trusted.
    #[error("the certificate of {subject} was not issued under the provider's root certificate")]
    Untrusted {
        /// Whose.
        subject: String,
    },
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    common_name: String,
    serial: Vec<u8>,
    not_before: i64,
    not_after: i64,
    algorithm: String,
    is_authority: bool,
}

/// Reads every certificate of a PEM text; also the bare base64 of one alone.
///
/// # Errors
/// [`CryptoError::Unreadable`] where there is none, or one of them is none.
pub fn certificates(text: &str) -> Result<Vec<Certificate>, CryptoError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let unreadable = CryptoError::Unreadable { what: "certificate", hint: "expected X.509 certificates in PEM" };
    let decode = |body: &str| {
        let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        BASE64.decode(body).ok().filter(|der| !der.is_empty()).ok_or_else(|| unreadable.clone())
    };
    if !text.contains(BEGIN) {
        return Ok(vec![Certificate::from_der(&decode(text)?)?]);
    }
    text.split(BEGIN)
        .skip(1)
        .map(|part| {
            let (body, _) = part.split_once(END).ok_or_else(|| unreadable.clone())?;
            Certificate::from_der(&decode(body)?)
        })
        .collect()
}

impl Certificate {
    /// Reads the DER form.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`].
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        let unreadable = CryptoError::Unreadable { what: "certificate", hint: "expected an X.509 certificate" };
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| unreadable.clone())?;
        if !rest.is_empty() {
            return Err(unreadable);
        }
        let common_name = parsed.subject().iter_common_name().find_map(|name| name.as_str().ok());
        let serial = parsed.tbs_certificate.raw_serial();
        Ok(Self {
            subject: rfc2253(parsed.subject()),
            issuer: rfc2253(parsed.issuer()),
            common_name: common_name.unwrap_or_default().to_owned(),
            serial: serial.strip_prefix(&[0]).unwrap_or(serial).to_vec(),
            not_before: parsed.validity().not_before.timestamp().saturating_mul(1_000),
            not_after: parsed.validity().not_after.timestamp().saturating_mul(1_000),
            algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            is_authority: parsed.basic_constraints().ok().flatten().is_some_and(|basic| basic.value.ca),
            der: der.to_vec(),
        })
    }

    /// The DER form.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The PEM form.
    #[must_use]
    pub fn to_pem(&self) -> String {
        super::rsa::pem("CERTIFICATE", &self.der)
    }

    /// Whose it is, as RFC 2253 writes a name: the last part first, commas without spaces.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who issued it, written in the same way.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject's common name; empty where it has none.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// The serial number in upper-case hex without leading zeros' bytes.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex::encode_upper(&self.serial)
    }

    /// The serial number in decimal.
    #[must_use]
    pub fn serial_decimal(&self) -> String {
        // Long division by hand: a serial has up to 20 bytes, more than any integer type.
        let mut digits = vec![0_u8];
        for byte in &self.serial {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                let value = u32::from(*digit) * 256 + carry;
                *digit = u8::try_from(value % 10).unwrap_or_default();
                carry = value / 10;
            }
            while carry > 0 {
                digits.push(u8::try_from(carry % 10).unwrap_or_default());
                carry /= 10;
            }
        }
        digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
    }

    /// From when and until when it is valid, in milliseconds since 1970.
    #[must_use]
    pub const fn validity(&self) -> (i64, i64) {
        (self.not_before, self.not_after)
    }

    /// Whether it was signed with RSA, whatever the digest.
    #[must_use]
    pub fn is_signed_with_rsa(&self) -> bool {
        self.algorithm.starts_with(WITH_RSA)
    }

    /// Whether it was signed with RSA and SHA-1.
    #[must_use]
    pub fn is_signed_with_sha1(&self) -> bool {
        self.algorithm == SHA1_WITH_RSA
    }

    /// Its RSA key.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where the key is another kind's, or shorter than 2048 bits.
    pub fn key(&self) -> Result<RsaPublicKey, CryptoError> {
        RsaPublicKey::from_certificate_pem(&BASE64.encode(&self.der)).map(|(key, _)| key)
    }

    /// Checks that `at` (milliseconds since 1970) is within its time.
    ///
    /// # Errors
    /// [`CertificateError::OutOfTime`].
    pub fn check_time(&self, at: i64) -> Result<(), CertificateError> {
        if (self.not_before..=self.not_after).contains(&at) {
            Ok(())
        } else {
            Err(CertificateError::OutOfTime { subject: self.subject.clone() })
        }
    }

    /// Checks that at `at` (milliseconds since 1970) a chain of valid signatures leads from it, over any of
    /// `intermediates`, to one of `roots`. RSA with SHA-256 or better only; every issuer has to be an authority.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn check_chain(&self, intermediates: &[Self], roots: &[Self], at: i64) -> Result<(), CertificateError> {
        self.chain(intermediates, roots, at, false)
    }

    /// As [`Certificate::check_chain`], and signatures with SHA-1 count too: only where an account's policy allows it.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn check_chain_with_sha1(
        &self,
        intermediates: &[Self],
        roots: &[Self],
        at: i64,
    ) -> Result<(), CertificateError> {
        self.chain(intermediates, roots, at, true)
    }

    fn chain(&self, intermediates: &[Self], roots: &[Self], at: i64, sha1: bool) -> Result<(), CertificateError> {
        let untrusted = || CertificateError::Untrusted { subject: self.subject.clone() };
        let mut current = self;
        for _ in 0..MAX_CHAIN {
            current.check_time(at)?;
            if roots.iter().any(|root| root == current) {
                return Ok(());
            }
            let issuer = roots.iter().chain(intermediates).find(|issuer| {
                issuer.subject == current.issuer && issuer.is_authority && current.is_signed_by(issuer, sha1)
            });
            current = issuer.ok_or_else(untrusted)?;
        }
        Err(untrusted())
    }

    fn is_signed_by(&self, issuer: &Self, sha1: bool) -> bool {
        let (Ok((_, parsed)), Ok((_, by))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&issuer.der))
        else {
            return false;
        };
        let algorithm: &RsaParameters = match self.algorithm.as_str() {
            SHA1_WITH_RSA if sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            SHA256_WITH_RSA => &RSA_PKCS1_2048_8192_SHA256,
            "1.2.840.113549.1.1.12" => &RSA_PKCS1_2048_8192_SHA384,
            "1.2.840.113549.1.1.13" => &RSA_PKCS1_2048_8192_SHA512,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, by.public_key().raw)
            .verify(parsed.tbs_certificate.as_ref(), &parsed.signature_value.data)
            .is_ok()
    }
}

/// A name as RFC 2253 writes it, which is also how Go and Java print an issuer.
fn rfc2253(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = name
        .iter_rdn()
        .map(|rdn| {
            let values: Vec<String> = rdn
                .iter()
                .map(|value| {
                    let oid = value.attr_type().to_id_string();
                    let key = match oid.as_str() {
                        "2.5.4.3" => "CN",
                        "2.5.4.5" => "SERIALNUMBER",
                        "2.5.4.6" => "C",
                        "2.5.4.7" => "L",
                        "2.5.4.8" => "ST",
                        "2.5.4.9" => "STREET",
                        "2.5.4.10" => "O",
                        "2.5.4.11" => "OU",
                        "2.5.4.17" => "POSTALCODE",
                        other => other,
                    };
                    format!("{key}={}", escaped(value.as_str().unwrap_or_default()))
                })
                .collect();
            values.join("+")
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (index, c) in value.chars().enumerate() {
        let special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';');
        if special || (index == 0 && matches!(c, ' ' | '#')) || (index == last && c == ' ') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
        SerialNumber,
    };

    use super::*;
    use crate::crypto::RsaPrivateKey;

    const NOW: i64 = 1_795_000_000_000;

    fn pair() -> KeyPair {
        let pem = RsaPrivateKey::generate().unwrap().to_pkcs8_pem().unwrap();
        KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_RSA_SHA256).unwrap()
    }

    fn params(name: &str, authority: bool) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "CN");
        params.distinguished_name.push(DnType::OrganizationName, "A, B");
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from_slice(&[0x01, 0x00, 0xff]));
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params
    }

    #[test]
    fn a_chain_is_followed_to_its_root_and_no_further() {
        let (root_key, middle_key, leaf_key) = (pair(), pair(), pair());
        let root_params = params("root", true);
        let root_pem = root_params.self_signed(&root_key).unwrap().pem();
        let root_issuer = Issuer::new(root_params, &root_key);
        let middle_params = params("middle", true);
        let middle_pem = middle_params.signed_by(&middle_key, &root_issuer).unwrap().pem();
        let middle_issuer = Issuer::new(middle_params, &middle_key);
        let leaf_pem = params("leaf", false).signed_by(&leaf_key, &middle_issuer).unwrap().pem();
        let one = |pem: &str| certificates(pem).unwrap().remove(0);
        let (root, middle, leaf) = (one(&root_pem), one(&middle_pem), one(&leaf_pem));
        let (roots, middles) = ([root.clone()], [middle.clone()]);
        assert_eq!(leaf.check_chain(&middles, &roots, NOW), Ok(()));
        assert!(matches!(leaf.check_chain(&[], &roots, NOW), Err(CertificateError::Untrusted { .. })));
        assert!(matches!(leaf.check_chain(&middles, &[], NOW), Err(CertificateError::Untrusted { .. })));
        assert!(matches!(leaf.check_chain(&middles, &roots, 0), Err(CertificateError::OutOfTime { .. })));
        // A leaf is no authority, and a root of the same name with another key signed nothing.
        let forged = params("other", false).signed_by(&pair(), &Issuer::new(params("leaf", false), &leaf_key)).unwrap();
        let with_leaf = [middle, leaf.clone()];
        assert!(one(&forged.pem()).check_chain(&with_leaf, &roots, NOW).is_err());
        let false_root = [one(&params("root", true).self_signed(&pair()).unwrap().pem())];
        assert!(leaf.check_chain(&middles, &false_root, NOW).is_err());

        assert_eq!(leaf.issuer(), "CN=middle,O=A\\, B,C=CN");
        assert_eq!((leaf.common_name(), leaf.serial_decimal().as_str()), ("leaf", "65791"));
        assert_eq!(leaf.serial_hex(), "0100FF");
        assert_eq!(certificates(&format!("{root_pem}{leaf_pem}")).unwrap().len(), 2);
        assert_eq!(certificates(&leaf.to_pem()).unwrap(), [leaf]);
        assert!(certificates("").is_err() && certificates("-----BEGIN CERTIFICATE-----").is_err());
    }
}
