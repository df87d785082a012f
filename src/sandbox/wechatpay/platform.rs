//! The platform's own keys: certificates that follow one another with overlap, and the public key that takes their
//! place for newer merchants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::SCHEME;
use crate::crypto::{Certificate, RsaPrivateKey, random_bytes};
use crate::sandbox::book::Millis;

/// So many certificates hold at the same time: the present one and the one before it.
const OVERLAP: usize = 2;
/// What the signature of a probe begins with: the platform sends one now and then, to see whether it is refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// A platform certificate with its key.
#[derive(Clone)]
pub(in crate::sandbox) struct Holder {
    pub key: Arc<RsaPrivateKey>,
    pub certificate: Certificate,
}

/// Whose hand signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Hand {
    /// The platform's.
    Own,
    /// Somebody else's.
    Forged,
    /// Nobody's: a probe.
    Probe,
}

/// The platform's keys.
pub(in crate::sandbox) struct Platform {
    /// The newest first; never empty.
    certificates: RwLock<Vec<Holder>>,
    public_key: Arc<RsaPrivateKey>,
    public_key_id: String,
    /// The merchant has only the platform's public key and no certificates.
    public_key_only: AtomicBool,
}

impl Platform {
    pub fn new(first: Holder, public_key: RsaPrivateKey, public_key_id: &str) -> Self {
        Self {
            certificates: RwLock::new(vec![first]),
            public_key: Arc::new(public_key),
            public_key_id: public_key_id.to_owned(),
            public_key_only: AtomicBool::new(false),
        }
    }

    /// Every certificate that holds, the newest first; none for a merchant who has only the public key.
    pub fn certificates(&self) -> Vec<Certificate> {
        if self.public_key_only.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let held = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        held.iter().map(|holder| holder.certificate.clone()).collect()
    }

    /// A new certificate signs from now on. The one before it holds on; those before that are withdrawn.
    pub fn rotate(&self, new: Holder) {
        let mut held = self.certificates.write().unwrap_or_else(PoisonError::into_inner);
        held.insert(0, new);
        held.truncate(OVERLAP);
    }

    /// Whether the merchant has only the public key.
    pub fn set_public_key_only(&self, only: bool) {
        self.public_key_only.store(only, Ordering::Relaxed);
    }

    pub fn public_key(&self) -> &RsaPrivateKey {
        &self.public_key
    }

    pub fn public_key_id(&self) -> &str {
        &self.public_key_id
    }

    /// The key that a merchant names by its serial number or id, where it is one of those that hold; the one that signs
    /// by default otherwise.
    fn signer(&self, asked: &str) -> (String, Arc<RsaPrivateKey>) {
        let held = self.certificates.read().unwrap_or_else(PoisonError::into_inner);
        let by_public_key = self.public_key_only.load(Ordering::Relaxed) || asked == self.public_key_id;
        let of = |holder: &Holder| (holder.certificate.serial_hex(), holder.key.clone());
        let named = held.iter().map(of).find(|(serial, _)| serial.eq_ignore_ascii_case(asked));
        match named.or_else(|| held.first().map(of)) {
            Some(signer) if !by_public_key => signer,
            _ => (self.public_key_id.clone(), self.public_key.clone()),
        }
    }

    /// The headers that sign a body; `asked` is the key that the merchant says it checks with.
    pub fn sign(&self, asked: &str, body: &[u8], now: Millis, hand: Hand) -> [(&'static str, String); 6] {
        let (serial, key) = self.signer(asked);
        let stamp = now / 1_000;
        let nonce = hex::encode(random_bytes::<16>());
        let mut message = format!("{stamp}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = match hand {
            Hand::Own => key.sign_base64(&message).unwrap_or_default(),
            Hand::Forged => BASE64.encode(random_bytes::<256>()),
            Hand::Probe => format!("{PROBE}{}", BASE64.encode(random_bytes::<240>())),
        };
        [
            ("wechatpay-timestamp", stamp.to_string()),
            ("wechatpay-nonce", nonce),
            ("wechatpay-serial", serial),
            ("wechatpay-signature", signature),
            ("wechatpay-signature-type", SCHEME.to_owned()),
            ("request-id", request_id()),
        ]
    }
}

/// What the platform asks for when a merchant complains.
pub(super) fn request_id() -> String {
    format!("{}-268435464", hex::encode_upper(random_bytes::<20>()))
}
