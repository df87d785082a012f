//! AES in CBC with PKCS#7 padding: Alipay's content encryption.

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::CryptoError;

/// A key of 16 bytes (AES-128) or 32 bytes (AES-256).
#[derive(Clone)]
pub struct AesCbc(Zeroizing<Vec<u8>>);

impl AesCbc {
    /// Takes a key.
    ///
    /// # Errors
    /// [`CryptoError::Unreadable`] where it has another length.
    pub fn new(key: &[u8]) -> Result<Self, CryptoError> {
        match key.len() {
            16 | 32 => Ok(Self(Zeroizing::new(key.to_vec()))),
            _ => Err(CryptoError::Unreadable { what: "AES key", hint: "AES-CBC takes a key of 16 or 32 bytes" }),
        }
    }

    fn key(&self) -> Result<UnboundCipherKey, CryptoError> {
        let algorithm = if self.0.len() == 16 { &AES_128 } else { &AES_256 };
        UnboundCipherKey::new(algorithm, &self.0).map_err(|_| CryptoError::Refused("AES key"))
    }

    /// Encrypts.
    ///
    /// # Errors
    /// The library refuses.
    pub fn encrypt(&self, iv: [u8; 16], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let refused = |_| CryptoError::Refused("AES-CBC");
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(self.key()?).map_err(refused)?;
        let mut buffer = plain.to_vec();
        key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(FixedLength::from(iv))).map_err(refused)?;
        Ok(buffer)
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`CryptoError::CannotOpen`] where length or padding show another key or a changed text; other changes go
    /// unnoticed, so only what is signed may be believed.
    pub fn decrypt(&self, iv: [u8; 16], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(self.key()?).map_err(|_| CryptoError::Refused("AES-CBC"))?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let plain = key
            .decrypt(&mut buffer, DecryptionContext::Iv128(FixedLength::from(iv)))
            .map_err(|_| CryptoError::CannotOpen)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

impl std::fmt::Debug for AesCbc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesCbc(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-38A, F.2.1, first block; the padding block follows it.
    #[test]
    fn aes_128_matches_the_standard() {
        let key = AesCbc::new(&hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap()).unwrap();
        let iv: [u8; 16] = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap().try_into().unwrap();
        let plain = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        let sealed = key.encrypt(iv, &plain).unwrap();
        assert_eq!(hex::encode(&sealed[..16]), "7649abac8119b246cee98e9b12e9197d");
        assert_eq!(key.decrypt(iv, &sealed).unwrap().as_slice(), plain);
        assert!(key.decrypt(iv, &sealed[..20]).is_err());
        assert!(AesCbc::new(b"short").is_err());
    }
}
