//! What is kept of a PIN or a password: enough to know it again, and not the thing itself.

use serde::{Deserialize, Serialize};

use super::passphrase::Derivation;
use super::{CryptoError, constant_time_eq};

/// A PIN under Argon2id (RFC 9106) with a salt of its own. A PIN has few digits, so whoever gets hold of this finds it
/// by trying: it is stored sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinHash {
    derivation: Derivation,
    /// 32 bytes in hex.
    hash: String,
}

impl PinHash {
    /// Takes some tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// The library refuses.
    pub fn of(pin: &str) -> Result<Self, CryptoError> {
        let derivation = Derivation::fresh_for_pin();
        let hash = hex::encode(derivation.key(pin)?.as_slice());
        Ok(Self { derivation, hash })
    }

    /// Whether this is the PIN; a damaged hash fits none. Takes as long as [`PinHash::of`].
    #[must_use]
    pub fn fits(&self, pin: &str) -> bool {
        let Ok(key) = self.derivation.key(pin) else { return false };
        constant_time_eq(hex::encode(key.as_slice()).as_bytes(), self.hash.as_bytes())
    }
}

impl std::fmt::Debug for PinHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_known_again_and_no_other() {
        let kept = PinHash::of("4711").unwrap();
        assert!(kept.fits("4711"));
        assert!(!kept.fits("4712") && !kept.fits("") && !kept.fits("47110"));
        assert_ne!(kept.hash, PinHash::of("4711").unwrap().hash, "each has a salt of its own");
        assert!(!format!("{kept:?}").contains(&kept.hash));
        assert!(!PinHash { hash: String::new(), ..kept }.fits("4711"), "a damaged one fits none");
    }
}
