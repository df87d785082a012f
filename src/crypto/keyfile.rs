//! Randomness, and keys that live in a file only their owner can read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use zeroize::Zeroizing;

/// `N` bytes from the operating system's generator.
///
/// # Panics
/// Where the operating system has no randomness to give: no key or nonce made after that could be trusted.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A token of 256 random bits in hex.
#[must_use]
pub fn random_token() -> String {
    hex::encode(random_bytes::<32>())
}

/// Why a key file cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used: {source}")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold 32 bytes in hex.
    #[error(
        "the key file {path} is damaged: it must hold 64 hex digits. Restore it from a backup; without it the books cannot be verified"
    )]
    Damaged {
        /// Where it is.
        path: PathBuf,
    },
}

/// Reads the 32-byte key in `path`, or makes one there (mode 0600) where there is no such file.
///
/// # Errors
/// [`KeyFileError`]; an existing file is never overwritten.
pub fn load_or_create_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    let key = Zeroizing::new(random_bytes::<32>());
    write_private(path, Zeroizing::new(hex::encode(key.as_slice())).as_bytes())
        .map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
    Ok(key)
}

/// Reads the 32-byte key in `path`; `None` where there is no such file.
pub(super) fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>, KeyFileError> {
    let damaged = || KeyFileError::Damaged { path: path.to_owned() };
    match fs::read_to_string(path) {
        Ok(text) => {
            let mut key = Zeroizing::new([0; 32]);
            hex::decode_to_slice(Zeroizing::new(text).trim(), key.as_mut_slice()).map_err(|_| damaged())?;
            Ok(Some(key))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(damaged()),
        Err(source) => Err(KeyFileError::Io { path: path.to_owned(), source }),
    }
}

/// Writes a new file that only its owner can read, durably.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
