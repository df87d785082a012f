//! The anchor's file: the journal's end as this data folder last saw it, beside the keys. It is written after what it
//! tells is durable, so the database may be ahead of it and is never behind, unless somebody put it back.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result, bail};
use tokio_util::sync::CancellationToken;

use super::data::DataDir;
use crate::crypto::sha256_hex;
use crate::ledger::{Anchor, BrokenRow, Ledger};

/// The file is written at most this often: a busy shop's commits share one.
const PAUSE: Duration = Duration::from_millis(200);
/// How many digits of the place's digest name the file.
const DIGITS: usize = 16;

/// The file for one database.
#[derive(Debug, Clone)]
pub(super) struct AnchorFile(PathBuf);

/// What the anchor says of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing was anchored here yet.
    Nothing,
    /// The journal has the anchored row, and perhaps more.
    Whole(Anchor),
    /// It has not.
    Broken(BrokenRow),
}

impl AnchorFile {
    /// The file for the books that are open.
    pub fn of(data: &DataDir, ledger: &Ledger) -> Self {
        Self::of_place(data, ledger.place())
    }

    /// The file for books that are at [`Ledger::place`].
    pub fn of_place(data: &DataDir, place: String) -> Self {
        // Books in the data folder stay the same books when the folder is moved.
        let folder = fs::canonicalize(data.path()).unwrap_or_else(|_| data.path().to_owned());
        let inside = PathBuf::from(&place).strip_prefix(&folder).map(|path| path.display().to_string());
        let digest = sha256_hex(inside.unwrap_or(place).as_bytes());
        let name = digest.get(..DIGITS).unwrap_or(&digest);
        Self(data.keys().join(format!("anchor-{name}.json")))
    }

    /// What was anchored last; `None` where nothing was.
    pub fn read(&self) -> Result<Option<Anchor>> {
        match fs::read(&self.0) {
            Ok(text) => {
                let anchor = serde_json::from_slice(&text);
                anchor.map(Some).with_context(|| format!("the anchor {} is damaged", self.0.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("the anchor {} cannot be read", self.0.display())),
        }
    }

    /// Writes it durably, whole or not at all.
    pub fn write(&self, anchor: &Anchor) -> Result<()> {
        let fresh = self.0.with_extension("new");
        let write = || -> io::Result<()> {
            if let Some(folder) = self.0.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&fresh)?;
            serde_json::to_writer(&file, anchor)?;
            file.sync_all()?;
            fs::rename(&fresh, &self.0)
        };
        write().with_context(|| format!("the anchor {} cannot be written", self.0.display()))
    }

    /// Holds the books against it.
    pub async fn held(&self, ledger: &Ledger) -> Result<Held> {
        let Some(anchor) = self.read()? else { return Ok(Held::Nothing) };
        Ok(match ledger.holds(&anchor).await? {
            None => Held::Whole(anchor),
            Some(broken) => Held::Broken(broken),
        })
    }

    /// Refuses books that are behind what was written here: what they have lost would never be noticed again.
    ///
    /// # Errors
    /// A sentence that says what to do. An anchor that cannot be read stops nobody: it is told in the log.
    pub async fn require(&self, ledger: &Ledger) -> Result<()> {
        match self.held(ledger).await {
            Ok(Held::Nothing | Held::Whole(_)) => Ok(()),
            Ok(Held::Broken(broken)) => bail!(
                "the books at {} are not those that were written here: from row {} on, {}. Nothing was changed. Put \
                 the right database back, or the newest backup with `scantill ledger restore`; if this state is the \
                 right one, say so with `scantill ledger accept`",
                ledger.place(),
                broken.seq,
                broken.why
            ),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the books cannot be held against their anchor");
                Ok(())
            }
        }
    }

    /// Follows the journal's end until told to stop, and writes it a last time then.
    pub async fn follow(self, ledger: Ledger, stopping: CancellationToken) {
        let mut ends = ledger.watch();
        let mut written = None;
        loop {
            let stopped = stopping.is_cancelled();
            ends.borrow_and_update();
            match ledger.anchor().await {
                Ok(anchor) if written.as_ref() == Some(&anchor) => {}
                Ok(anchor) => {
                    let (file, taken) = (self.clone(), anchor.clone());
                    match tokio::task::spawn_blocking(move || file.write(&taken)).await {
                        Ok(Ok(())) => written = Some(anchor),
                        Ok(Err(error)) => tracing::error!(error = format!("{error:#}"), "the journal is not anchored"),
                        Err(error) => tracing::error!(%error, "the journal is not anchored"),
                    }
                }
                Err(error) => tracing::error!(%error, "the journal's end cannot be read to anchor it"),
            }
            if stopped {
                return;
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                changed = ends.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    tokio::select! {
                        () = stopping.cancelled() => {}
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            }
        }
    }
}
