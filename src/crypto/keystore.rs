//! Where the seal key is kept: wrapped by a master key that the operating system's keyring holds or a passphrase gives,
//! or, where there is neither, in a file that only its owner can read.
//!
//! In the folder lies `seal.json`, which names the place and holds the wrapped keys, or the bare `seal.key`. While the
//! seal key is being replaced both the old and the new one are there, so that whatever the books hold can be opened
//! after a power cut at any moment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keyfile::{load_or_create_key, read_key, write_private};
use super::os_keyring::{self, KeyringError};
use super::passphrase::Derivation;
use super::{CryptoError, KeyFileError, SealKey, random_bytes};

const DOCUMENT: &str = "seal.json";
const BARE: &str = "seal.key";
const BARE_NEXT: &str = "seal.key.next";
const VERSION: u32 = 1;
/// What a wrapped key is bound to.
const CONTEXT: &str = "scantill seal key";
/// How long a keyring may ask the person at the screen to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take that is asked without anybody having wished it.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);
/// A shorter passphrase is guessed too soon.
const MIN_PASSPHRASE: usize = 8;

type Key = Zeroizing<[u8; 32]>;

/// Where the key is kept under which credentials are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptIn {
    /// The operating system's keyring.
    Keyring,
    /// Nowhere: it is derived from a passphrase.
    Passphrase,
    /// A file that only its owner can read.
    File,
}

impl KeptIn {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::File => "file",
        }
    }
}

/// Where a key is to be kept.
pub enum KeepIn {
    /// The operating system's keyring. Where nobody wished it, it is not waited for long.
    Keyring {
        /// Whether a person asked for it.
        wished: bool,
    },
    /// Under this passphrase.
    Passphrase(Zeroizing<String>),
    /// A file that only its owner can read.
    File,
}

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The bare key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A file cannot be read or written.
    #[error("the keys in {path} cannot be used: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The document is not one of ours.
    #[error(
        "{path} is damaged: restore it from a backup; without it the merchants' credentials have to be entered again"
    )]
    Damaged {
        /// Where.
        path: PathBuf,
    },
    /// Written by a newer version.
    #[error("{path} was written by a newer version of scantill: install that version")]
    Newer {
        /// Where.
        path: PathBuf,
    },
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The passphrase is another.
    #[error(
        "this is not the passphrase of this data folder's keys. Nothing was opened and nothing was changed: try again"
    )]
    WrongPassphrase,
    /// Nobody is there to be asked.
    #[error(
        "the keys of this data folder are kept under a passphrase: start from a terminal, or give it in the environment variable SCANTILL_PASSPHRASE"
    )]
    NoPassphrase,
    /// The passphrase is too short to protect anything.
    #[error("a passphrase has at least {MIN_PASSPHRASE} characters")]
    ShortPassphrase,
    /// The library refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What guards the keys.
enum Guard {
    Keyring { name: String, master: Key },
    Passphrase { derivation: Derivation, master: Key },
    File,
}

/// `seal.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    kept_in: KeptIn,
    /// The entry's name in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyring_name: Option<String>,
    /// How the passphrase becomes the master key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    derivation: Option<Derivation>,
    /// The seal key, AES-256-GCM under the master key, in hex.
    current: String,
    /// The one that is to take its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The seal key and where it is kept.
pub struct KeyStore {
    folder: PathBuf,
    guard: Guard,
    current: Key,
    next: Option<Key>,
}

impl KeyStore {
    /// Where the keys in `folder` are kept; `None` where there are none yet.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    pub fn kept(folder: &Path) -> Result<Option<KeptIn>, KeyStoreError> {
        if let Some(document) = read_document(&folder.join(DOCUMENT))? {
            return Ok(Some(document.kept_in));
        }
        Ok(folder.join(BARE).exists().then_some(KeptIn::File))
    }

    /// Opens the keys in `folder`; `None` where there are none yet. `passphrase` is asked only where one is needed.
    ///
    /// # Errors
    /// [`KeyStoreError`]; nothing was changed.
    pub fn open(
        folder: &Path,
        passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
    ) -> Result<Option<Self>, KeyStoreError> {
        let path = folder.join(DOCUMENT);
        let Some(document) = read_document(&path)? else {
            let Some(current) = read_key(&folder.join(BARE))? else { return Ok(None) };
            let next = read_key(&folder.join(BARE_NEXT))?;
            return Ok(Some(Self { folder: folder.to_owned(), guard: Guard::File, current, next }));
        };
        let damaged = || KeyStoreError::Damaged { path: path.clone() };
        let (guard, wrong) = match document.kept_in {
            KeptIn::Keyring => {
                let name = document.keyring_name.clone().ok_or_else(damaged)?;
                let held = os_keyring::get(&name, PATIENCE)?;
                let master = <[u8; 32]>::try_from(held.as_slice()).map(Zeroizing::new).map_err(|_| damaged())?;
                (Guard::Keyring { name, master }, damaged())
            }
            KeptIn::Passphrase => {
                let derivation = document.derivation.clone().ok_or_else(damaged)?;
                let passphrase = passphrase().ok_or(KeyStoreError::NoPassphrase)?;
                let master = derivation.key(&passphrase).map_err(|_| damaged())?;
                (Guard::Passphrase { derivation, master }, KeyStoreError::WrongPassphrase)
            }
            KeptIn::File => return Err(damaged()),
        };
        let Some(current) = guard.unwrap_key(&document.current) else { return Err(wrong) };
        let next = match &document.next {
            Some(next) => Some(guard.unwrap_key(next).ok_or_else(damaged)?),
            None => None,
        };
        let store = Self { folder: folder.to_owned(), guard, current, next };
        // Left over from a move that was broken off after its last step that counts.
        store.remove_bare()?;
        Ok(Some(store))
    }

    /// Makes a first key in `folder`.
    ///
    /// # Errors
    /// [`KeyStoreError`]; nothing is left behind.
    pub fn create(folder: &Path, keep_in: KeepIn) -> Result<Self, KeyStoreError> {
        fs::create_dir_all(folder).map_err(|source| KeyStoreError::Io { path: folder.to_owned(), source })?;
        let guard = Guard::new(keep_in)?;
        if matches!(guard, Guard::File) {
            let current = load_or_create_key(&folder.join(BARE))?;
            return Ok(Self { folder: folder.to_owned(), guard, current, next: None });
        }
        let store = Self { folder: folder.to_owned(), guard, current: Zeroizing::new(random_bytes()), next: None };
        store.write()?;
        Ok(store)
    }

    /// Where the key is kept.
    #[must_use]
    pub const fn kept_in(&self) -> KeptIn {
        match self.guard {
            Guard::Keyring { .. } => KeptIn::Keyring,
            Guard::Passphrase { .. } => KeptIn::Passphrase,
            Guard::File => KeptIn::File,
        }
    }

    /// The key that seals.
    #[must_use]
    pub const fn current(&self) -> &Key {
        &self.current
    }

    /// The key that is taking its place, where that was begun and not ended.
    #[must_use]
    pub const fn next(&self) -> Option<&Key> {
        self.next.as_ref()
    }

    /// Makes the key that is to take the current one's place, and is durable when it returns. One that was begun before
    /// goes on.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    pub fn begin_rotation(&mut self) -> Result<Key, KeyStoreError> {
        if let Some(next) = &self.next {
            return Ok(next.clone());
        }
        let next: Key = Zeroizing::new(random_bytes());
        self.next = Some(next.clone());
        if let Err(error) = self.write() {
            self.next = None;
            return Err(error);
        }
        Ok(next)
    }

    /// Everything is sealed under the new key: the old one is forgotten.
    ///
    /// # Errors
    /// [`KeyStoreError`]; both keys are kept.
    pub fn end_rotation(&mut self) -> Result<(), KeyStoreError> {
        let Some(next) = self.next.take() else { return Ok(()) };
        let old = std::mem::replace(&mut self.current, next);
        let ended = match self.guard {
            Guard::File => rename(&self.folder.join(BARE_NEXT), &self.folder.join(BARE)),
            Guard::Keyring { .. } | Guard::Passphrase { .. } => self.write(),
        };
        if ended.is_err() {
            self.next = Some(std::mem::replace(&mut self.current, old));
        }
        ended
    }

    /// Keeps the keys somewhere else from now on.
    ///
    /// # Errors
    /// [`KeyStoreError`]; they are still kept where they were.
    pub fn move_to(&mut self, keep_in: KeepIn) -> Result<(), KeyStoreError> {
        let guard = Guard::new(keep_in)?;
        let old = std::mem::replace(&mut self.guard, guard);
        if let Err(error) = self.write() {
            let failed = std::mem::replace(&mut self.guard, old);
            failed.forget();
            return Err(error);
        }
        if matches!(self.guard, Guard::File) {
            remove(&self.folder.join(DOCUMENT))?;
        } else {
            self.remove_bare()?;
        }
        old.forget();
        Ok(())
    }

    fn write(&self) -> Result<(), KeyStoreError> {
        let document = match &self.guard {
            Guard::File => {
                replace(&self.folder.join(BARE), &Zeroizing::new(hex::encode(self.current.as_slice())))?;
                return match &self.next {
                    Some(next) => replace(&self.folder.join(BARE_NEXT), &Zeroizing::new(hex::encode(next.as_slice()))),
                    None => remove(&self.folder.join(BARE_NEXT)),
                };
            }
            Guard::Keyring { name, .. } => (Some(name.clone()), None),
            Guard::Passphrase { derivation, .. } => (None, Some(derivation.clone())),
        };
        let document = Document {
            version: VERSION,
            kept_in: self.kept_in(),
            keyring_name: document.0,
            derivation: document.1,
            current: self.guard.wrap_key(&self.current)?,
            next: self.next.as_ref().map(|next| self.guard.wrap_key(next)).transpose()?,
        };
        let path = self.folder.join(DOCUMENT);
        let text =
            serde_json::to_string_pretty(&document).map_err(|_| KeyStoreError::Damaged { path: path.clone() })?;
        replace(&path, &text)
    }

    fn remove_bare(&self) -> Result<(), KeyStoreError> {
        remove(&self.folder.join(BARE_NEXT))?;
        remove(&self.folder.join(BARE))
    }
}

impl Guard {
    fn new(keep_in: KeepIn) -> Result<Self, KeyStoreError> {
        match keep_in {
            KeepIn::File => Ok(Self::File),
            KeepIn::Keyring { wished } => {
                let name = format!("seal-{}", hex::encode(random_bytes::<8>()));
                let master: Key = Zeroizing::new(random_bytes());
                os_keyring::put(&name, master.as_slice(), if wished { PATIENCE } else { SHORT_PATIENCE })?;
                Ok(Self::Keyring { name, master })
            }
            KeepIn::Passphrase(passphrase) => {
                if passphrase.chars().count() < MIN_PASSPHRASE {
                    return Err(KeyStoreError::ShortPassphrase);
                }
                let derivation = Derivation::fresh();
                let master = derivation.key(&passphrase)?;
                Ok(Self::Passphrase { derivation, master })
            }
        }
    }

    fn master(&self) -> Option<SealKey> {
        match self {
            Self::Keyring { master, .. } | Self::Passphrase { master, .. } => Some(SealKey::new(**master)),
            Self::File => None,
        }
    }

    fn wrap_key(&self, key: &Key) -> Result<String, KeyStoreError> {
        let master = self.master().ok_or(CryptoError::CannotOpen)?;
        Ok(hex::encode(master.seal(CONTEXT, key.as_slice())?))
    }

    fn unwrap_key(&self, wrapped: &str) -> Option<Key> {
        let key = self.master()?.open(CONTEXT, &hex::decode(wrapped).ok()?).ok()?;
        <[u8; 32]>::try_from(key.as_slice()).map(Zeroizing::new).ok()
    }

    /// Takes the master key out of the keyring. One that stays there opens nothing any more.
    fn forget(self) {
        if let Self::Keyring { name, .. } = self
            && let Err(error) = os_keyring::remove(&name, SHORT_PATIENCE)
        {
            tracing::warn!(%error, "the old key could not be taken out of the keyring; it opens nothing any more");
        }
    }
}

fn read_document(path: &Path) -> Result<Option<Document>, KeyStoreError> {
    let damaged = || KeyStoreError::Damaged { path: path.to_owned() };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged()),
        Err(source) => return Err(KeyStoreError::Io { path: path.to_owned(), source }),
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|_| damaged())?;
    if value.get("version").and_then(serde_json::Value::as_u64).is_some_and(|version| version > VERSION.into()) {
        return Err(KeyStoreError::Newer { path: path.to_owned() });
    }
    serde_json::from_value(value).map(Some).map_err(|_| damaged())
}

/// Puts a file in the place of another at once, durably.
fn replace(path: &Path, text: &str) -> Result<(), KeyStoreError> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    remove(&fresh)?;
    write_private(&fresh, text.as_bytes()).map_err(|source| KeyStoreError::Io { path: fresh.clone(), source })?;
    rename(&fresh, path)
}

fn rename(from: &Path, to: &Path) -> Result<(), KeyStoreError> {
    let io = |source| KeyStoreError::Io { path: to.to_owned(), source };
    fs::rename(from, to).map_err(io)?;
    settle(to).map_err(io)
}

fn remove(path: &Path) -> Result<(), KeyStoreError> {
    match fs::remove_file(path) {
        Ok(()) => settle(path).map_err(|source| KeyStoreError::Io { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(KeyStoreError::Io { path: path.to_owned(), source }),
    }
}

/// Makes a folder's new entries durable, where the system can.
fn settle(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> KeepIn {
        KeepIn::Passphrase(Zeroizing::new(text.into()))
    }

    fn open(folder: &Path, text: &str) -> Result<KeyStore, KeyStoreError> {
        KeyStore::open(folder, || Some(Zeroizing::new(text.into()))).map(|store| store.expect("keys are there"))
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_key_moves_from_place_to_place_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(KeyStore::open(folder, || None).unwrap().is_none());
        let mut store = KeyStore::create(folder, KeepIn::File).unwrap();
        let key = store.current().clone();
        assert_eq!(files(folder), ["seal.key"]);

        store.move_to(passphrase("correct horse")).unwrap();
        assert_eq!(files(folder), ["seal.json"]);
        assert_eq!(KeyStore::kept(folder).unwrap(), Some(KeptIn::Passphrase));
        let text = fs::read_to_string(folder.join("seal.json")).unwrap();
        assert!(!text.contains(&hex::encode(key.as_slice())) && !text.contains("horse"), "{text}");
        assert_eq!(open(folder, "correct horse").unwrap().current(), &key);

        let mut store = open(folder, "correct horse").unwrap();
        store.move_to(passphrase("battery staple")).unwrap();
        assert!(matches!(open(folder, "correct horse"), Err(KeyStoreError::WrongPassphrase)));
        let mut store = open(folder, "battery staple").unwrap();
        store.move_to(KeepIn::File).unwrap();
        assert_eq!(files(folder), ["seal.key"]);
        assert_eq!(open(folder, "").unwrap().current(), &key);
    }

    #[test]
    fn a_rotation_that_is_broken_off_keeps_both_keys_wherever_they_are() {
        for keep_in in [KeepIn::File, passphrase("correct horse")] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let mut store = KeyStore::create(folder, keep_in).unwrap();
            let (old, next) = (store.current().clone(), store.begin_rotation().unwrap());
            assert_ne!(old, next);
            drop(store);

            let mut store = open(folder, "correct horse").unwrap();
            assert_eq!((store.current(), store.next()), (&old, Some(&next)));
            assert_eq!(store.begin_rotation().unwrap(), next, "the same one goes on");
            store.end_rotation().unwrap();
            drop(store);
            let store = open(folder, "correct horse").unwrap();
            assert_eq!((store.current(), store.next()), (&next, None));
        }
    }

    #[test]
    fn a_move_in_the_middle_of_a_rotation_takes_both_keys_along() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut store = KeyStore::create(folder, KeepIn::File).unwrap();
        let (old, next) = (store.current().clone(), store.begin_rotation().unwrap());
        store.move_to(passphrase("correct horse")).unwrap();
        let mut store = open(folder, "correct horse").unwrap();
        assert_eq!((store.current(), store.next()), (&old, Some(&next)));
        store.move_to(KeepIn::File).unwrap();
        assert_eq!(open(folder, "").unwrap().next(), Some(&next));
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(matches!(KeyStore::create(folder, passphrase("short")), Err(KeyStoreError::ShortPassphrase)));
        assert_eq!(files(folder), [""; 0]);
        KeyStore::create(folder, passphrase("correct horse")).unwrap();
        let whole = fs::read_to_string(folder.join("seal.json")).unwrap();
        assert!(matches!(open(folder, "correct horsf"), Err(KeyStoreError::WrongPassphrase)));
        assert!(matches!(KeyStore::open(folder, || None), Err(KeyStoreError::NoPassphrase)));
        assert_eq!(fs::read_to_string(folder.join("seal.json")).unwrap(), whole);

        fs::write(folder.join("seal.json"), whole.replace("\"version\": 1", "\"version\": 2")).unwrap();
        assert!(matches!(open(folder, "correct horse"), Err(KeyStoreError::Newer { .. })));
        for damaged in ["", "{", "[]", "{\"version\":1}", &whole.replace("salt", "pepper"), &whole[..whole.len() / 2]] {
            fs::write(folder.join("seal.json"), damaged).unwrap();
            assert!(matches!(open(folder, "correct horse"), Err(KeyStoreError::Damaged { .. })), "{damaged}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_any_of_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut store = KeyStore::create(folder, KeepIn::File).unwrap();
        store.begin_rotation().unwrap();
        let private = |name: &str| {
            assert_eq!(fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        };
        private("seal.key");
        private("seal.key.next");
        store.move_to(passphrase("correct horse")).unwrap();
        private("seal.json");
    }
}
