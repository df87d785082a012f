//! One face over the crypto libraries, so that the rest of the house names jobs and not algorithms' crates.
//!
//! `aws-lc-rs` does RSA and AES; `hmac` and `sha2` (RustCrypto) do digests and message authentication.

mod aead;
mod digest;
mod keyfile;
mod rsa;
mod secret;

pub use aead::{SealKey, open_aes256_gcm, seal_aes256_gcm};
pub use digest::{HmacSha256, constant_time_eq, sha256, sha256_hex};
pub use keyfile::{KeyFileError, load_or_create_key, random_bytes, random_token};
pub use rsa::{RsaPrivateKey, RsaPublicKey};
pub use secret::Secret;

/// What can go wrong with a key, a signature or a ciphertext. Never says more than a person may see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The text is no PEM, base64 or DER of the kind wanted.
    #[error("the {what} cannot be read: {hint}")]
    Unreadable {
        /// Which key, certificate or value.
        what: &'static str,
        /// What the reader expected.
        hint: &'static str,
    },
    /// The signature was not made by that key over those bytes.
    #[error("the signature does not fit the message and the key")]
    BadSignature,
    /// The ciphertext was changed, or the key is another.
    #[error("the sealed value cannot be opened: it was changed, or the key is not the one that sealed it")]
    CannotOpen,
    /// The library refused.
    #[error("the key was refused by the crypto library ({0})")]
    Refused(&'static str),
}
