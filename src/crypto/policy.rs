//! Which algorithms an account may use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An algorithm that signs messages or hides their content. A checksum or an identifier that a provider prescribes
/// (the number of an Alipay certificate is an MD5, the hash of a WeChat Pay bill a SHA-1) proves nothing and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// RSA with SHA-256, PKCS#1 v1.5.
    RsaSha256,
    /// HMAC with SHA-256.
    HmacSha256,
    /// AES-256 in GCM.
    AesGcm,
    /// AES in CBC with PKCS#7.
    AesCbc,
    /// MD5 over a text and a key.
    Md5,
    /// RSA with SHA-1.
    RsaSha1,
    /// DES or triple DES.
    Des,
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::RsaSha256, Self::HmacSha256, Self::AesGcm, Self::AesCbc, Self::Md5, Self::RsaSha1, Self::Des];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa_sha256",
            Self::HmacSha256 => "hmac_sha256",
            Self::AesGcm => "aes_gcm",
            Self::AesCbc => "aes_cbc",
            Self::Md5 => "md5",
            Self::RsaSha1 => "rsa_sha1",
            Self::Des => "des",
        }
    }

    /// Whether it is broken: off unless an admin turns it on for a provider that has nothing else.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::RsaSha1 | Self::Des)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaSha256 => "RSA with SHA-256",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::AesGcm => "AES-GCM",
            Self::AesCbc => "AES-CBC",
            Self::Md5 => "MD5",
            Self::RsaSha1 => "RSA with SHA-1",
            Self::Des => "DES",
        })
    }
}

/// Which algorithms an account may use. By default every one that is not weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Algorithm>", into = "Vec<Algorithm>")]
pub struct AlgorithmPolicy(u8);

impl AlgorithmPolicy {
    /// Whether it may be used.
    #[must_use]
    pub const fn allows(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u8) != 0
    }

    /// With the algorithm on or off.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm, on: bool) -> Self {
        let bit = 1 << algorithm as u8;
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }

    /// The weak ones that are on: what has to be shown.
    #[must_use]
    pub fn weak(self) -> Vec<Algorithm> {
        Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_weak() && self.allows(*algorithm)).collect()
    }
}

impl Default for AlgorithmPolicy {
    fn default() -> Self {
        Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_weak()).collect()
    }
}

impl FromIterator<Algorithm> for AlgorithmPolicy {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self(0), |policy, algorithm| policy.with(algorithm, true))
    }
}

impl From<Vec<Algorithm>> for AlgorithmPolicy {
    fn from(algorithms: Vec<Algorithm>) -> Self {
        algorithms.into_iter().collect()
    }
}

impl From<AlgorithmPolicy> for Vec<Algorithm> {
    fn from(policy: AlgorithmPolicy) -> Self {
        Algorithm::ALL.into_iter().filter(|algorithm| policy.allows(*algorithm)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_ones_are_off_until_they_are_turned_on() {
        let policy = AlgorithmPolicy::default();
        assert!(policy.allows(Algorithm::RsaSha256) && policy.weak().is_empty());
        let policy = policy.with(Algorithm::Md5, true);
        assert_eq!(policy.weak(), [Algorithm::Md5]);
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<AlgorithmPolicy>(&text).unwrap(), policy);
        assert!(policy.with(Algorithm::Md5, false).weak().is_empty());
    }
}
