//! The keys of a data folder: where they are kept, who is asked for the passphrase, and how the running Payment API
//! replaces them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use zeroize::Zeroizing;

use super::ask;
use super::data::{DataDir, Reach};
use super::embedded::now;
use crate::api::KeyKeeper;
use crate::crypto::{KeepIn, KeptIn, KeyStore, KeyStoreError};
use crate::ledger::{Ledger, Till};

/// The passphrase of the folder's keys, for programs that start without a terminal.
const PASSPHRASE: &str = "SCANTILL_PASSPHRASE";
/// The one that takes its place in `scantill account rekey --to passphrase`.
const NEW_PASSPHRASE: &str = "SCANTILL_NEW_PASSPHRASE";
/// How often a person may mistype.
const TRIES: u32 = 3;

/// Opens the folder's keys; where there are none yet, makes them where `wanted` says: else under the passphrase that
/// the environment gives, else in a file. It may wait for a person, so it is nothing for a runtime's own threads.
pub(super) fn open(data: &DataDir, wanted: Option<KeptIn>) -> Result<KeyStore> {
    let folder = data.keys();
    let Some(kept) = KeyStore::kept(&folder)? else { return create(data, wanted) };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != kept) {
        eprintln!(
            "scantill: the key is to be kept in the {}, and is in the {} still: `scantill account rekey --to {0}` moves it",
            wanted.name(),
            kept.name()
        );
    }
    let mut tries = TRIES;
    loop {
        let given = from_environment(PASSPHRASE);
        let asked = given.is_none() && ask::somebody_is_there();
        let passphrase = || match given {
            Some(given) => Some(given),
            None if asked => ask::hidden("Passphrase of this data folder's keys").ok(),
            None => None,
        };
        match KeyStore::open(&folder, passphrase) {
            Ok(Some(store)) => return Ok(store),
            Ok(None) => return create(data, wanted),
            Err(KeyStoreError::WrongPassphrase) if asked && tries > 1 => {
                tries -= 1;
                eprintln!("scantill: {}", KeyStoreError::WrongPassphrase);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn create(data: &DataDir, wanted: Option<KeptIn>) -> Result<KeyStore> {
    let given = from_environment(PASSPHRASE);
    let keep_in = match wanted {
        Some(KeptIn::Keyring) => KeepIn::Keyring { wished: true },
        Some(KeptIn::Passphrase) => KeepIn::Passphrase(match given {
            Some(given) => given,
            None => chosen_passphrase()?,
        }),
        Some(KeptIn::File) => KeepIn::File,
        None => given.map_or(KeepIn::File, KeepIn::Passphrase),
    };
    KeyStore::create(&data.keys(), keep_in).with_context(|| match wanted {
        Some(KeptIn::Keyring) => {
            "the key could not be put into the keyring; --key-store passphrase or file does without"
        }
        _ => "the keys of this data folder could not be made",
    })
}

/// Where the folder's keys are to be moved, with a new passphrase where one is needed.
pub(super) fn destination(to: KeptIn) -> Result<KeepIn> {
    Ok(match to {
        KeptIn::Keyring => KeepIn::Keyring { wished: true },
        KeptIn::File => KeepIn::File,
        KeptIn::Passphrase => KeepIn::Passphrase(match from_environment(NEW_PASSPHRASE) {
            Some(given) => given,
            None => chosen_passphrase()?,
        }),
    })
}

fn from_environment(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Zeroizing::new)
}

/// A new passphrase, typed twice.
fn chosen_passphrase() -> Result<Zeroizing<String>> {
    if !ask::somebody_is_there() {
        bail!(
            "a new passphrase is wanted: start from a terminal, or give it in {PASSPHRASE} ({NEW_PASSPHRASE} for rekey)"
        );
    }
    let chosen = ask::hidden("New passphrase for this data folder's keys")?;
    if *chosen != *ask::hidden("The same once more")? {
        bail!("the two passphrases differ. Nothing was changed");
    }
    Ok(chosen)
}

/// One sentence on where the keys are.
pub(super) fn sentence(kept_in: KeptIn, data: &DataDir) -> String {
    match kept_in {
        KeptIn::Keyring => "Credentials are sealed (AES-256-GCM) under a key kept in the system's keyring.".into(),
        KeptIn::Passphrase => {
            "Credentials are sealed (AES-256-GCM) under a key that the passphrase opens (Argon2id).".into()
        }
        KeptIn::File => format!(
            "Credentials are sealed (AES-256-GCM) under a key in a file, {}: whoever reads that folder reads them. \
             `scantill account rekey --to keyring` or `--to passphrase` is safer.",
            data.keys().display()
        ),
    }
}

/// Ends a replacement of the seal key that was broken off.
pub(super) async fn finish_rotation(ledger: &Ledger, store: &mut KeyStore) -> Result<()> {
    if let Some(next) = store.next().cloned() {
        ledger.reseal(now(), "setup", *next).await?;
        store.end_rotation()?;
    }
    Ok(())
}

/// Seals everything under a fresh key and forgets the old one.
pub(super) async fn rotate(ledger: &Ledger, store: &mut KeyStore, actor: &str) -> Result<usize> {
    let next = store.begin_rotation()?;
    let count = ledger.reseal(now(), actor, *next).await.context("the old key is still good")?;
    store.end_rotation()?;
    Ok(count)
}

/// Keeps the keys for the Payment API in this process.
pub(super) struct Keeper {
    ledger: Ledger,
    data: DataDir,
    store: Arc<tokio::sync::Mutex<KeyStore>>,
    kept_in: Mutex<KeptIn>,
    /// Nobody has chosen a place: the first real credentials may choose the keyring.
    may_choose: AtomicBool,
    reach: Mutex<Option<Reach>>,
}

impl Keeper {
    pub(super) fn new(ledger: Ledger, data: DataDir, store: KeyStore, wanted: Option<KeptIn>) -> Self {
        Self {
            ledger,
            data,
            kept_in: Mutex::new(store.kept_in()),
            may_choose: AtomicBool::new(wanted.is_none() && store.kept_in() == KeptIn::File),
            store: Arc::new(tokio::sync::Mutex::new(store)),
            reach: Mutex::default(),
        }
    }

    /// What has to be written anew when its key is replaced.
    pub(super) fn watch_over(&self, reach: Reach) {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner) = Some(reach);
    }
}

#[async_trait]
impl KeyKeeper for Keeper {
    fn kept_in(&self) -> KeptIn {
        *self.kept_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn rotate_seal_key(&self, actor: &str) -> Result<(), String> {
        if !self.ledger.is_exclusive() {
            return Err(
                "several processes may share these books, each with the keys in its own data folder: stop them \
                        all, run `scantill account rekey --database URL` on one of them, and copy its folder keys/ to \
                        the others"
                    .into(),
            );
        }
        let mut store = self.store.lock().await;
        rotate(&self.ledger, &mut store, actor).await.map(|_| ()).map_err(|error| format!("{error:#}"))
    }

    async fn before_real_credentials(&self, actor: &str) {
        if !self.ledger.is_exclusive() || !self.may_choose.swap(false, Ordering::Relaxed) {
            return;
        }
        let store = self.store.clone();
        let moving = move || store.blocking_lock().move_to(KeepIn::Keyring { wished: false });
        let moved = match tokio::task::spawn_blocking(moving).await {
            Ok(moved) => moved.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match moved {
            Ok(()) => {
                *self.kept_in.lock().unwrap_or_else(PoisonError::into_inner) = KeptIn::Keyring;
                tracing::info!("the key that credentials are sealed under is kept in the keyring from now on");
                // The key that lay bare in a file is not to open anything any more.
                let mut store = self.store.lock().await;
                if let Err(error) = rotate(&self.ledger, &mut store, actor).await {
                    tracing::warn!(error = format!("{error:#}"), "the seal key could not be replaced");
                }
            }
            Err(error) => tracing::info!(error, "the key that credentials are sealed under stays in its file"),
        }
    }

    fn till_rotated(&self, till: &Till) {
        let mut reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reach) = reach.as_mut().filter(|reach| reach.key_id == till.id.as_str()) {
            reach.secret = till.secret.clone();
            if let Err(error) = self.data.write_reach(reach) {
                tracing::error!(error = format!("{error:#}"), "the till's new key could not be written to api.json");
            }
        }
    }
}
