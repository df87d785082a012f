//! A key from a passphrase or a PIN: Argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CryptoError, random_bytes};

/// What RFC 9106 recommends where memory is scarce: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What OWASP's password storage cheat sheet asks of a server at least: 19 MiB, two passes, one lane.
const PIN_MEMORY_KIB: u32 = 19 * 1024;
const PIN_PASSES: u32 = 2;
const PIN_LANES: u32 = 1;
/// A damaged file must not make us take all of the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;
const MAX_LANES: u32 = 64;

/// How a key is derived; kept beside what it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derivation {
    function: Function,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// 16 random bytes in hex.
    salt: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Argon2id,
}

impl Derivation {
    /// With a salt of its own.
    pub(super) fn fresh() -> Self {
        let salt = hex::encode(random_bytes::<16>());
        Self { function: Function::Argon2id, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt }
    }

    /// With a salt of its own, and cheap enough for a server that many people sign in to.
    pub(super) fn fresh_for_pin() -> Self {
        Self { memory_kib: PIN_MEMORY_KIB, passes: PIN_PASSES, lanes: PIN_LANES, ..Self::fresh() }
    }

    /// The key.
    pub(super) fn key(&self, passphrase: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let damaged = CryptoError::Unreadable { what: "key derivation", hint: "its numbers are out of range" };
        let salt = hex::decode(&self.salt).map_err(|_| damaged.clone())?;
        if self.memory_kib > MAX_MEMORY_KIB || self.passes > MAX_PASSES || self.lanes > MAX_LANES {
            return Err(damaged);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| damaged.clone())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut_slice())
            .map_err(|_| damaged)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_the_reference_implementation() {
        // argon2-cffi 25.1: hash_secret_raw(b"correct horse", b"0123456789abcdef", 3, 64 * 1024, 4, 32, Type.ID)
        let derivation = Derivation { salt: hex::encode(b"0123456789abcdef"), ..Derivation::fresh() };
        assert_eq!(
            hex::encode(derivation.key("correct horse").unwrap().as_slice()),
            "2f56f5363a695288ff28810e46ad69a1fe3068bc6494cd26a8a673b7d9c2b0a2"
        );
        assert_ne!(derivation.key("correct horse").unwrap(), derivation.key("correct horsf").unwrap());
    }

    #[test]
    fn damaged_numbers_take_no_memory() {
        for damaged in [
            Derivation { memory_kib: u32::MAX, ..Derivation::fresh() },
            Derivation { passes: u32::MAX, ..Derivation::fresh() },
            Derivation { lanes: u32::MAX, ..Derivation::fresh() },
            Derivation { passes: 0, ..Derivation::fresh() },
            Derivation { salt: "xyz".into(), ..Derivation::fresh() },
        ] {
            assert!(damaged.key("correct horse").is_err(), "{damaged:?}");
        }
    }
}
