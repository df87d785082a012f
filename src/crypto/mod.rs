//! One face over the crypto libraries, so that the rest of the house names jobs and not algorithms' crates.
//!
//! `aws-lc-rs` does RSA and AES; `hmac`, `sha2`, `sha1` and `md-5` (RustCrypto) do digests and message authentication;
//! `jsonwebtoken` writes and reads sessions' tokens; `x509-parser` reads certificates and `p12-keystore` the containers that UnionPay and WeChat Pay hand out.

mod aead;
mod cbc;
mod certificate;
mod digest;
mod ecb;
mod keyfile;
mod keystore;
mod os_keyring;
mod passphrase;
mod pin;
mod pkcs12;
mod policy;
mod rsa;
mod secret;
mod session;

pub use aead::{SealKey, open_aes256_gcm, seal_aes256_gcm};
pub use cbc::AesCbc;
pub use certificate::{Certificate, CertificateError, certificates};
pub use digest::{HmacSha256, constant_time_eq, md5_hex, sha1_hex, sha256, sha256_hex};
pub use ecb::{unwrap_aes256_ecb, wrap_aes256_ecb};
pub use keyfile::{KeyFileError, load_or_create_key, random_bytes, random_token};
pub use keystore::{KeepIn, KeptIn, KeyStore, KeyStoreError};
pub use os_keyring::KeyringError;
pub use pin::PinHash;
pub use pkcs12::{Identity, read_pkcs12, write_pkcs12};
pub use policy::{Algorithm, AlgorithmPolicy};
pub use rsa::{RsaPrivateKey, RsaPublicKey};
pub use secret::Secret;
pub use session::SessionKey;

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
