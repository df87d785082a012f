//! AES-256-GCM: the providers' sealed fields, and our own values at rest.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{CryptoError, random_bytes};

fn key(bytes: &[u8]) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| CryptoError::Unreadable { what: "AES key", hint: "AES-256 takes a key of 32 bytes" })
}

fn nonce(bytes: &[u8]) -> Result<Nonce, CryptoError> {
    Nonce::try_assume_unique_for_key(bytes)
        .map_err(|_| CryptoError::Unreadable { what: "nonce", hint: "AES-GCM takes a nonce of 12 bytes" })
}

/// Seals `plain`; the 16-byte tag stands at the end. `nonce_bytes` (12) must never serve twice under one key.
///
/// # Errors
/// A key that is not 32 bytes, a nonce that is not 12.
pub fn seal_aes256_gcm(
    key_bytes: &[u8],
    nonce_bytes: &[u8],
    associated: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let mut sealed = plain.to_vec();
    key(key_bytes)?
        .seal_in_place_append_tag(nonce(nonce_bytes)?, Aad::from(associated), &mut sealed)
        .map_err(|_| CryptoError::Refused("seal"))?;
    Ok(sealed)
}

/// Opens what [`seal_aes256_gcm`] or a provider sealed (tag at the end).
///
/// # Errors
/// [`CryptoError::CannotOpen`] where a byte of the ciphertext, the nonce, the associated data or the key differs.
pub fn open_aes256_gcm(
    key_bytes: &[u8],
    nonce_bytes: &[u8],
    associated: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let mut buffer = sealed.to_vec();
    let plain = key(key_bytes)?
        .open_in_place(nonce(nonce_bytes)?, Aad::from(associated), &mut buffer)
        .map_err(|_| CryptoError::CannotOpen)?;
    Ok(plain.to_vec())
}

/// The key under which credentials lie at rest. The sealed form is nonce, ciphertext, tag.
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Seals `plain` under a fresh random nonce; `context` (say, the row's id) must be given again to open.
    ///
    /// # Errors
    /// The library refuses.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let nonce_bytes: [u8; NONCE_LEN] = random_bytes();
        let mut sealed = nonce_bytes.to_vec();
        sealed.extend(seal_aes256_gcm(self.0.as_slice(), &nonce_bytes, context.as_bytes(), plain)?);
        Ok(sealed)
    }

    /// Opens what [`SealKey::seal`] made with the same context.
    ///
    /// # Errors
    /// [`CryptoError::CannotOpen`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (nonce_bytes, body) = sealed.split_at_checked(NONCE_LEN).ok_or(CryptoError::CannotOpen)?;
        open_aes256_gcm(self.0.as_slice(), nonce_bytes, context.as_bytes(), body).map(Zeroizing::new)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_values_open_only_in_their_context_and_unchanged() {
        let key = SealKey::new([7; 32]);
        let sealed = key.seal("account a", b"secret").unwrap();
        assert_eq!(key.open("account a", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("account b", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open("account a", &changed).is_err());
        }
        assert!(key.open("account a", &sealed[..5]).is_err());
    }
}
