//! The operating system's keyring: the Secret Service on Linux, the Keychain on macOS, the Credential Manager on
//! Windows.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use keyring::Entry;
use zeroize::Zeroizing;

/// The name under which a person finds our entries there.
const SERVICE: &str = "scantill";

/// Why the keyring does not give or take a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no keyring in this session.
    #[error("this session has no keyring: {0}")]
    Absent(String),
    /// It is there and lets nobody in.
    #[error("the keyring is locked or refuses: {0}. Unlock it and start again")]
    Locked(String),
    /// It holds nothing under that name.
    #[error("the keyring of this user holds no key for this data folder (service scantill, name {0})")]
    NoEntry(String),
    /// It did not answer; perhaps it waits for a person to unlock it.
    #[error("the keyring did not answer within {0} s: unlock it and start again")]
    Silent(u64),
    /// Something else.
    #[error("the keyring failed: {0}")]
    Failed(String),
}

/// The secret under `name`. A keyring that is locked may ask the person at the screen: it has `patience`.
pub(super) fn get(name: &str, patience: Duration) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    within(name, patience, |entry| entry.get_secret().map(Zeroizing::new))
}

/// Keeps `secret` under `name`, and makes sure that it can be had again.
pub(super) fn put(name: &str, secret: &[u8], patience: Duration) -> Result<(), KeyringError> {
    let kept = Zeroizing::new(secret.to_vec());
    let read_back = within(name, patience, move |entry| {
        entry.set_secret(&kept)?;
        entry.get_secret().map(Zeroizing::new)
    })?;
    if read_back.as_slice() == secret {
        Ok(())
    } else {
        Err(KeyringError::Failed("it gave back something else than it was given".into()))
    }
}

/// Forgets what is under `name`.
pub(super) fn remove(name: &str, patience: Duration) -> Result<(), KeyringError> {
    within(name, patience, Entry::delete_credential)
}

/// Asks on a thread of its own, which is left behind where the keyring stays silent.
fn within<T: Send + 'static>(
    name: &str,
    patience: Duration,
    job: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, KeyringError> {
    let (send, receive) = channel();
    let asked = name.to_owned();
    thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            let answer =
                Entry::store_status().as_ref().map_err(|error| KeyringError::Absent(error.to_string())).and_then(
                    |()| Entry::new(SERVICE, &asked).and_then(|entry| job(&entry)).map_err(|e| meaning(e, &asked)),
                );
            // Whoever asked may have lost patience.
            let _ = send.send(answer);
        })
        .map_err(|error| KeyringError::Failed(error.to_string()))?;
    receive.recv_timeout(patience).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => KeyringError::Silent(patience.as_secs()),
            RecvTimeoutError::Disconnected => KeyringError::Failed("it broke off".into()),
        })
    })
}

#[allow(clippy::needless_pass_by_value)] // An error may carry what was read; it ends here.
fn meaning(error: keyring::Error, name: &str) -> KeyringError {
    use keyring::Error as E;
    match error {
        E::NoEntry => KeyringError::NoEntry(name.to_owned()),
        E::NoDefaultStore => KeyringError::Absent("it could not be set up".into()),
        E::NoStorageAccess(cause) => KeyringError::Locked(cause.to_string()),
        E::PlatformFailure(cause) => KeyringError::Failed(cause.to_string()),
        E::BadEncoding(_) | E::BadDataFormat(..) => KeyringError::Failed("what it holds is not ours".into()),
        E::Ambiguous(_) => KeyringError::Failed("it holds several entries of that name".into()),
        other => KeyringError::Failed(other.to_string()),
    }
}
