//! AES-256 in ECB with PKCS#7 padding. Equal blocks look equal and blocks can be exchanged unnoticed, so it neither hides
//! nor proves anything; WeChat Pay's APIv2 wraps refund notifications in it and gives no other form. What comes out of
//! it may point at a refund and never says how it stands, which is why no policy has to allow it.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use zeroize::Zeroizing;

use super::CryptoError;

fn key(bytes: &[u8]) -> Result<UnboundCipherKey, CryptoError> {
    UnboundCipherKey::new(&AES_256, bytes)
        .map_err(|_| CryptoError::Unreadable { what: "AES key", hint: "AES-256 takes a key of 32 bytes" })
}

/// Wraps `plain`.
///
/// # Errors
/// A key that is not 32 bytes.
pub fn wrap_aes256_ecb(key_bytes: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let refused = |_| CryptoError::Refused("AES-ECB");
    let mut buffer = plain.to_vec();
    PaddedBlockEncryptingKey::ecb_pkcs7(key(key_bytes)?).map_err(refused)?.encrypt(&mut buffer).map_err(refused)?;
    Ok(buffer)
}

/// Unwraps what [`wrap_aes256_ecb`] or the provider wrapped.
///
/// # Errors
/// [`CryptoError::CannotOpen`] where length or padding show another key; most changes go unnoticed.
pub fn unwrap_aes256_ecb(key_bytes: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let opener = PaddedBlockDecryptingKey::ecb_pkcs7(key(key_bytes)?).map_err(|_| CryptoError::Refused("AES-ECB"))?;
    let mut buffer = Zeroizing::new(wrapped.to_vec());
    let plain = opener.decrypt(&mut buffer, DecryptionContext::None).map_err(|_| CryptoError::CannotOpen)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-38A, F.1.5, first block; the padding block follows it.
    #[test]
    fn aes_256_matches_the_standard() {
        let key = hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").unwrap();
        let plain = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        let wrapped = wrap_aes256_ecb(&key, &plain).unwrap();
        assert_eq!(hex::encode(&wrapped[..16]), "f3eed1bdb5d2a03c064b5a7e3db181f8");
        assert_eq!(unwrap_aes256_ecb(&key, &wrapped).unwrap().as_slice(), plain);
        assert!(unwrap_aes256_ecb(&key, &wrapped[..16]).is_err());
        assert!(unwrap_aes256_ecb(&key, &[]).is_err());
        assert!(unwrap_aes256_ecb(b"short", &wrapped).is_err());
    }
}
