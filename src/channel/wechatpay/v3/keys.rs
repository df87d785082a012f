//! The platform's keys that an account holds: those entered with it, and the certificates fetched since. Pure but for
//! the lock around them.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use crate::crypto::RsaPublicKey;
use crate::payment::UnixMillis;

/// The platform asks for a look at its certificates at least this often.
const REFRESH_AFTER: UnixMillis = 12 * 3_600_000;
/// Serials that nobody knows lead to no more looks than this in [`PER`]: anyone can post a notification with one.
const LOOKS: usize = 5;
const PER: UnixMillis = 60_000;
/// How the id of a public key begins; anything else is a certificate's serial number.
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// One of the platform's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlatformKey {
    /// The certificate's serial number or the public key's id.
    pub serial: String,
    pub key: RsaPublicKey,
    /// From when and until when it is valid. A public key has no such times of its own.
    pub valid: (UnixMillis, UnixMillis),
    /// Whether it was taken from the account's present credentials; those that retire are believed but not asked for.
    pub present: bool,
}

impl PlatformKey {
    fn counts(&self, now: UnixMillis) -> bool {
        // A certificate that begins to hold in the minutes that two clocks may differ by counts already.
        self.valid.0.saturating_sub(300_000) <= now && now <= self.valid.1
    }

    fn is_public_key(&self) -> bool {
        self.serial.starts_with(PUBLIC_KEY_ID)
    }
}

#[derive(Debug, Default)]
struct Fetched {
    keys: Vec<PlatformKey>,
    /// When the list was last taken over.
    at: Option<UnixMillis>,
    /// When it was asked for because of an unknown serial.
    looks: VecDeque<UnixMillis>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct KeyStore {
    entered: Vec<PlatformKey>,
    opened_at: UnixMillis,
    fetched: RwLock<Fetched>,
}

impl KeyStore {
    pub fn new(entered: Vec<PlatformKey>, now: UnixMillis) -> Self {
        Self { entered, opened_at: now, fetched: RwLock::default() }
    }

    fn read<T>(&self, job: impl FnOnce(&Fetched) -> T) -> T {
        job(&self.fetched.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn find<T>(&self, now: UnixMillis, job: impl FnOnce(&mut dyn Iterator<Item = &PlatformKey>) -> T) -> T {
        self.read(|fetched| job(&mut self.entered.iter().chain(&fetched.keys).filter(|key| key.counts(now))))
    }

    /// The key of that serial, where it counts at `now`.
    pub fn key(&self, serial: &str, now: UnixMillis) -> Option<RsaPublicKey> {
        self.find(now, |keys| {
            keys.filter(|key| key.serial.eq_ignore_ascii_case(serial)).map(|key| key.key.clone()).next()
        })
    }

    /// Whether nothing that the platform signs could be checked.
    pub fn is_empty(&self, now: UnixMillis) -> bool {
        self.find(now, |keys| keys.next().is_none())
    }

    /// Which the platform is asked to sign with: the public key where there is one, or else the youngest certificate.
    pub fn preferred(&self, now: UnixMillis) -> Option<String> {
        self.find(now, |keys| {
            keys.filter(|key| key.present)
                .max_by_key(|key| (key.is_public_key(), key.valid.0))
                .map(|key| key.serial.clone())
        })
    }

    /// Whether the certificates are to be looked at again. With a public key in hand there may be none to look at.
    pub fn is_stale(&self, now: UnixMillis) -> bool {
        if self.entered.iter().any(|key| key.present && key.is_public_key()) {
            return false;
        }
        let at = self.read(|fetched| fetched.at).unwrap_or(self.opened_at);
        now.saturating_sub(at) >= REFRESH_AFTER
    }

    /// Whether an unknown serial may lead to a look now; counts it.
    pub fn may_look(&self, now: UnixMillis) -> bool {
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        while fetched.looks.front().is_some_and(|at| now.saturating_sub(*at) >= PER) {
            fetched.looks.pop_front();
        }
        let may = fetched.looks.len() < LOOKS;
        if may {
            fetched.looks.push_back(now);
        }
        may
    }

    /// Takes over the platform's list: what is no longer on it is no longer believed.
    pub fn put(&self, keys: Vec<PlatformKey>, now: UnixMillis) {
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        fetched.keys = keys;
        fetched.at = Some(now);
    }

    /// Puts off the next look: this one failed.
    pub fn put_off(&self, until: UnixMillis) {
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        fetched.at = Some(until.saturating_sub(REFRESH_AFTER));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::RsaPrivateKey;

    const HOUR: UnixMillis = 3_600_000;

    fn key(serial: &str, valid: (UnixMillis, UnixMillis)) -> PlatformKey {
        static KEY: std::sync::LazyLock<RsaPublicKey> =
            std::sync::LazyLock::new(|| RsaPrivateKey::generate().unwrap().public_key());
        PlatformKey { serial: serial.into(), key: KEY.clone(), valid, present: true }
    }

    #[test]
    fn old_and_new_overlap_and_the_youngest_is_asked_for() {
        let store = KeyStore::new(vec![key("AA", (0, 20 * HOUR))], 0);
        assert!(store.key("aa", HOUR).is_some() && store.key("BB", HOUR).is_none());
        store.put(vec![key("AA", (0, 20 * HOUR)), key("BB", (10 * HOUR, 99 * HOUR))], HOUR);
        assert_eq!(store.preferred(HOUR).as_deref(), Some("AA"));
        assert!(store.key("BB", 10 * HOUR - 300_001).is_none());
        for now in [10 * HOUR - 300_000, 15 * HOUR] {
            assert!(store.key("AA", now).is_some() && store.key("BB", now).is_some(), "{now}");
            assert_eq!(store.preferred(now).as_deref(), Some("BB"));
        }
        assert!(store.key("AA", 20 * HOUR + 1).is_none());
        assert!(store.is_empty(100 * HOUR));
    }

    #[test]
    fn a_public_key_is_asked_for_before_any_certificate() {
        let id = "PUB_KEY_ID_1";
        let store = KeyStore::new(vec![key("AA", (5, i64::MAX)), key(id, (i64::MIN, i64::MAX))], 0);
        assert_eq!(store.preferred(HOUR).as_deref(), Some(id));
        assert!(!store.is_stale(1_000 * HOUR));
    }

    #[test]
    fn certificates_are_looked_at_again_after_twelve_hours_and_not_before() {
        let store = KeyStore::new(vec![key("AA", (0, i64::MAX))], 0);
        assert!(!store.is_stale(12 * HOUR - 1) && store.is_stale(12 * HOUR));
        store.put(vec![key("AA", (0, i64::MAX))], 12 * HOUR);
        assert!(!store.is_stale(24 * HOUR - 1) && store.is_stale(24 * HOUR));
        store.put_off(24 * HOUR + 600_000);
        assert!(!store.is_stale(24 * HOUR + 599_999) && store.is_stale(24 * HOUR + 600_000));
    }

    #[test]
    fn unknown_serials_lead_to_few_looks() {
        let store = KeyStore::new(Vec::new(), 0);
        assert!((0..5).all(|at| store.may_look(at)));
        assert!(!store.may_look(5) && !store.may_look(59_999));
        assert!(store.may_look(60_000));
    }
}
