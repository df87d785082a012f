//! RSA keys that sign and verify with SHA-256 and PKCS#1 v1.5 padding (Alipay's RSA2, WeChat Pay's
//! `WECHATPAY2-SHA256-RSA2048`).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use super::CryptoError;

/// The DER inside a PEM block, or of bare base64 as Alipay's key tool prints it.
fn der_of(text: &str, what: &'static str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let body: String = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .collect();
    let body = Zeroizing::new(body);
    let unreadable = || CryptoError::Unreadable { what, hint: "expected PEM, or its base64 without the frame" };
    if body.is_empty() {
        return Err(unreadable());
    }
    BASE64.decode(body.as_bytes()).map(Zeroizing::new).map_err(|_| unreadable())
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// A private key that signs.
pub struct RsaPrivateKey(KeyPair);

impl RsaPrivateKey {
    /// Makes a 2048-bit key (some tens of milliseconds).
    ///
    /// # Errors
    /// The library refuses.
    pub fn generate() -> Result<Self, CryptoError> {
        KeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| CryptoError::Refused("RSA key generation"))
    }

    /// Reads PKCS#8 or PKCS#1, as PEM or as bare base64.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where it is neither.
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        let der = der_of(text, "private key")?;
        KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).map(Self).map_err(|_| CryptoError::Unreadable {
            what: "private key",
            hint: "expected an RSA private key of 2048 bits or more, PKCS#8 or PKCS#1",
        })
    }

    /// Reads PKCS#8 in DER.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where it is none.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, CryptoError> {
        KeyPair::from_pkcs8(der).map(Self).map_err(|_| CryptoError::Unreadable {
            what: "private key",
            hint: "expected an RSA private key of 2048 bits or more",
        })
    }

    /// SHA256withRSA over `message`.
    ///
    /// # Errors
    /// The library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| CryptoError::Refused("RSA signature"))?;
        Ok(signature)
    }

    /// [`RsaPrivateKey::sign`] in base64.
    ///
    /// # Errors
    /// The library refuses.
    pub fn sign_base64(&self, message: &[u8]) -> Result<String, CryptoError> {
        self.sign(message).map(|signature| BASE64.encode(signature))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> RsaPublicKey {
        RsaPublicKey(self.0.public_key().as_ref().to_vec())
    }

    /// The key as PKCS#8 in DER.
    ///
    /// # Errors
    /// The library refuses.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| CryptoError::Refused("PKCS#8 encoding"))?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The key as PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// The library refuses.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, CryptoError> {
        Ok(Zeroizing::new(pem("PRIVATE KEY", &self.to_pkcs8_der()?)))
    }

    /// The key as PKCS#1 PEM (`BEGIN RSA PRIVATE KEY`), which some SDKs want.
    ///
    /// # Errors
    /// The library refuses.
    pub fn to_pkcs1_pem(&self) -> Result<Zeroizing<String>, CryptoError> {
        let der = self.to_pkcs8_der()?;
        let inner = pkcs8_payload(&der).ok_or(CryptoError::Refused("PKCS#1 encoding"))?;
        Ok(Zeroizing::new(pem("RSA PRIVATE KEY", inner)))
    }
}

impl std::fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaPrivateKey(***)")
    }
}

/// The octet string inside PKCS#8's `PrivateKeyInfo` (RFC 5208): for RSA that is the PKCS#1 key.
fn pkcs8_payload(der: &[u8]) -> Option<&[u8]> {
    /// Splits one DER element: tag, content, rest.
    fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |sum, &digit| sum.checked_mul(256)?.checked_add(digit.into()));
            (length?, rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some((tag, content, rest))
    }
    let (_, info, _) = element(der)?;
    let (_, _version, rest) = element(info)?;
    let (_, _algorithm, rest) = element(rest)?;
    match element(rest)? {
        (0x04, content, _) => Some(content),
        _ => None,
    }
}

/// A public key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey(Vec<u8>);

impl RsaPublicKey {
    /// Reads `BEGIN PUBLIC KEY` (SPKI), `BEGIN RSA PUBLIC KEY` (PKCS#1) or the bare base64 of either.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where it is neither.
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        let der = der_of(text, "public key")?;
        let unreadable = CryptoError::Unreadable {
            what: "public key",
            hint: "expected an RSA public key of 2048 bits or more, SPKI or PKCS#1",
        };
        aws_lc_rs::signature::ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_slice())
            .map_err(|_| unreadable)?;
        Ok(Self(der.to_vec()))
    }

    /// The key of an X.509 certificate (PEM), and the certificate's serial number in upper-case hex.
    /// The certificate's chain and dates are not checked here.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where it is no certificate.
    pub fn from_certificate_pem(text: &str) -> Result<(Self, String), CryptoError> {
        let der = der_of(text, "certificate")?;
        let unreadable = CryptoError::Unreadable { what: "certificate", hint: "expected an X.509 certificate in PEM" };
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| unreadable)?;
        let key = Self(certificate.public_key().raw.to_vec());
        aws_lc_rs::signature::ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.0.as_slice()).map_err(|_| {
            CryptoError::Unreadable {
                what: "certificate",
                hint: "expected the certificate of an RSA key of 2048 bits or more",
            }
        })?;
        let serial = certificate.tbs_certificate.raw_serial();
        let serial = serial.strip_prefix(&[0]).unwrap_or(serial);
        Ok((key, hex::encode_upper(serial)))
    }

    /// Checks SHA256withRSA.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0)
            .verify(message, signature)
            .map_err(|_| CryptoError::BadSignature)
    }

    /// Checks a signature given in base64.
    ///
    /// # Errors
    /// [`CryptoError::BadSignature`], also where it is no base64.
    pub fn verify_base64(&self, message: &[u8], signature: &str) -> Result<(), CryptoError> {
        let signature = BASE64.decode(signature.trim()).map_err(|_| CryptoError::BadSignature)?;
        self.verify(message, &signature)
    }

    /// The key as SPKI PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// The library refuses.
    pub fn to_spki_pem(&self) -> Result<String, CryptoError> {
        let key = aws_lc_rs::signature::ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.0.clone())
            .map_err(|_| CryptoError::Refused("public key"))?;
        let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| CryptoError::Refused("SPKI encoding"))?;
        Ok(pem("PUBLIC KEY", der.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_encodings_and_signatures_bind() {
        let key = RsaPrivateKey::generate().unwrap();
        let signature = key.sign_base64(b"message").unwrap();
        for text in [key.to_pkcs8_pem().unwrap(), key.to_pkcs1_pem().unwrap()] {
            let bare: String = text.lines().filter(|line| !line.starts_with('-')).collect();
            for form in [text.as_str(), bare.as_str()] {
                let again = RsaPrivateKey::from_pem(form).unwrap();
                assert_eq!(again.sign_base64(b"message").unwrap(), signature);
            }
        }
        let public = RsaPublicKey::from_pem(&key.public_key().to_spki_pem().unwrap()).unwrap();
        assert_eq!(public.verify_base64(b"message", &signature), Ok(()));
        assert_eq!(public.verify_base64(b"massage", &signature), Err(CryptoError::BadSignature));
        assert_eq!(public.verify_base64(b"message", "not base64!"), Err(CryptoError::BadSignature));
        assert!(RsaPrivateKey::from_pem("hello").is_err());
        assert!(RsaPublicKey::from_pem("").is_err());
    }
}
