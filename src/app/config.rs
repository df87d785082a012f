//! `config.toml` in the data folder: what a person sets and a program does not change.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::crypto::KeptIn;
use crate::ledger::BusinessCalendar;
use crate::money::Currency;

/// The settings. Every field may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the shop's sign says.
    pub store_name: String,
    /// What people call this till.
    pub till_name: String,
    /// The shop's logo for the codes on the customer's display, PNG; a path from the data folder on.
    pub logo: Option<PathBuf>,
    /// What the till takes, ISO 4217.
    pub currency: Currency,
    /// IANA name, such as `Asia/Shanghai`; the machine's where absent.
    pub time_zone: Option<String>,
    /// The hour (0-23, local) at which a business day begins.
    pub business_day_starts_at: i8,
    /// Where the training sandbox listens, such as `0.0.0.0:9090`: then a real phone in the same network can open its
    /// phone page. On loopback where absent.
    pub sandbox_listen: Option<SocketAddr>,
    /// Where a new data folder's key is kept that credentials are sealed under: `"keyring"`, `"passphrase"` or `"file"`.
    /// Where absent it is a file, and the keyring from the first real account on where there is one.
    pub key_store: Option<KeptIn>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store_name: "My shop".into(),
            till_name: "Till 1".into(),
            logo: None,
            currency: Currency::CNY,
            time_zone: None,
            business_day_starts_at: 0,
            sandbox_listen: None,
            key_store: None,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("the settings in {path} cannot be read: {source}")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("the settings in {path} are not right, so nothing was started: {problem}. Mend or remove the file")]
    Wrong {
        /// Where.
        path: PathBuf,
        /// What is wrong, with the line.
        problem: String,
    },
}

impl Config {
    /// Reads the file; where there is none, everything is as it comes.
    ///
    /// # Errors
    /// [`ConfigError`] names the line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        };
        Self::parse(&text).map_err(|problem| ConfigError::Wrong { path: path.to_owned(), problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            format!("line {line}: {}", error.message())
        })?;
        if !(0..=23).contains(&config.business_day_starts_at) {
            return Err("business_day_starts_at is an hour, 0 to 23".into());
        }
        if let Some(name) = &config.time_zone {
            jiff::tz::TimeZone::get(name)
                .map_err(|_| format!("time_zone {name:?} is not known: write a name such as \"Asia/Shanghai\""))?;
        }
        for (field, value) in [("store_name", &config.store_name), ("till_name", &config.till_name)] {
            if value.trim().is_empty() || value.chars().count() > 40 || value.chars().any(char::is_control) {
                return Err(format!("{field} is 1 to 40 characters"));
            }
        }
        Ok(config)
    }

    /// Which day a moment belongs to.
    #[must_use]
    pub fn calendar(&self) -> BusinessCalendar {
        BusinessCalendar { time_zone: self.time_zone.clone(), cutover_hour: self.business_day_starts_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        let told = |text: &str| Config::parse(text).unwrap_err();
        assert!(told("store_name = \"A\"\ncolour = 3").starts_with("line 2: unknown field `colour`"));
        assert!(told("store_name = ").starts_with("line 1:"));
        assert!(told("time_zone = \"Mars/Base\"").contains("Mars/Base"));
        assert!(told("business_day_starts_at = 24").contains("0 to 23"));
        assert!(told("till_name = \"\"").contains("till_name"));
        assert!(told("\u{0}").starts_with("line 1:"));
    }
}
