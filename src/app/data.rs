//! The data folder: where books, keys and settings are.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::client::ApiKey;
use crate::crypto::{Secret, load_or_create_key, random_bytes};
use crate::ledger::{BusinessCalendar, LedgerConfig};

/// The data folder, made if absent, readable by its owner only.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

/// How a Payment API that runs on this folder is reached: `api.json`, mode 0600.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reach {
    /// Where it is.
    pub base_url: String,
    /// The key's id.
    pub key_id: String,
    /// The HMAC key.
    pub secret: Secret<String>,
    /// The sandbox beside it, in training mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox_url: Option<String>,
}

impl Reach {
    /// The key alone.
    #[must_use]
    pub fn key(&self) -> ApiKey {
        ApiKey { id: self.key_id.clone(), secret: self.secret.clone() }
    }

    /// Reads the file that `scantill serve` or the till wrote.
    ///
    /// # Errors
    /// The file is absent or of another form.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("the key file {} cannot be read", path.display()))?;
        // The parser's own words could repeat a part of the secret.
        serde_json::from_str(&text).ok().with_context(|| {
            format!("the key file {} is damaged: it must be an api.json as `scantill serve` writes it", path.display())
        })
    }
}

impl DataDir {
    /// The folder named, or the platform's own for this program.
    ///
    /// # Errors
    /// It cannot be made, or there is no home folder to put it in.
    pub fn open(named: Option<PathBuf>) -> Result<Self> {
        let path = match named {
            Some(path) => path,
            None => directories::ProjectDirs::from("", "", "scantill")
                .context("there is no home folder here: name a data folder with --data-dir")?
                .data_dir()
                .to_owned(),
        };
        make_private(&path).with_context(|| {
            format!("the data folder {} cannot be used: name another with --data-dir", path.display())
        })?;
        Ok(Self(path))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The till's settings as last chosen on its screens.
    #[must_use]
    pub fn till_settings(&self) -> PathBuf {
        self.0.join("till.json")
    }

    /// The settings that a person writes.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The sandbox's wallets and trades.
    #[must_use]
    pub fn sandbox_books(&self) -> PathBuf {
        self.sandbox_keys().join("books.json")
    }

    /// The sandbox's keys.
    #[must_use]
    pub fn sandbox_keys(&self) -> PathBuf {
        self.0.join("sandbox")
    }

    /// How a running Payment API is reached.
    #[must_use]
    pub fn reach_file(&self) -> PathBuf {
        self.0.join("api.json")
    }

    /// The books' URL where none is given.
    #[must_use]
    pub fn default_database(&self) -> String {
        format!("sqlite:{}", self.0.join("scantill.db").display())
    }

    /// The keys of the books.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// How to open the books where no secret is needed: the seal key is any, and opens nothing.
    ///
    /// # Errors
    /// A key file is damaged, or cannot be read or made.
    pub fn ledger_config(
        &self,
        url: Option<String>,
        calendar: BusinessCalendar,
        read_only: bool,
    ) -> Result<LedgerConfig> {
        Ok(LedgerConfig {
            url: url.unwrap_or_else(|| self.default_database()),
            chain_key: load_or_create_key(&self.keys().join("chain.key"))?,
            seal_key: Zeroizing::new(random_bytes()),
            calendar,
            read_only,
        })
    }

    /// Tells others on this machine how to reach this process's Payment API.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_reach(&self, reach: &Reach) -> Result<()> {
        let path = self.reach_file();
        let fresh = self.0.join("api.json.new");
        let write = || -> io::Result<()> {
            if fresh.exists() {
                fs::remove_file(&fresh)?;
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            serde_json::to_writer(options.open(&fresh)?, reach)?;
            fs::rename(&fresh, &path)
        };
        write().with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Takes that back.
    pub fn remove_reach(&self) {
        if let Err(error) = fs::remove_file(self.reach_file())
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "api.json could not be removed");
        }
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
