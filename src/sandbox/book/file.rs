//! The books on disk: one JSON file, written whole and put in place at once.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::types::{Details, Trade, Wallet};
use super::{Book, Millis};

/// So many trades are kept, the latest: a training sandbox is no archive.
const MAX_TRADES: usize = 2_000;
/// A larger file is none of ours.
const MAX_BYTES: u64 = 64 << 20;
const FORMAT: u32 = 1;

/// What the file says.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    /// How many trades there were before the first that is kept.
    earlier: usize,
    wallets: Vec<Wallet>,
    trades: Vec<KeptTrade>,
}

/// A trade with what the control calls do not tell of it.
#[derive(Serialize, Deserialize)]
struct KeptTrade {
    trade: Trade,
    payload: Option<String>,
    attach: Option<String>,
    notify_url: Option<String>,
    notify_serial: Option<String>,
    #[serde(default)]
    details: Details,
    /// Of each refund, in order.
    #[serde(default)]
    refunds: Vec<(Option<String>, Details)>,
}

impl KeptTrade {
    fn of(trade: &Trade) -> Self {
        Self {
            trade: trade.clone(),
            payload: trade.payload.clone(),
            attach: trade.attach.clone(),
            notify_url: trade.notify_url.clone(),
            notify_serial: trade.notify_serial.clone(),
            details: trade.details.clone(),
            refunds: trade.refunds.iter().map(|refund| (refund.notify_url.clone(), refund.details.clone())).collect(),
        }
    }

    fn whole(self) -> Trade {
        let Self { mut trade, payload, attach, notify_url, notify_serial, details, refunds } = self;
        for (refund, (notify_url, details)) in trade.refunds.iter_mut().zip(refunds) {
            refund.notify_url = notify_url;
            refund.details = details;
        }
        Trade { payload, attach, notify_url, notify_serial, details, ..trade }
    }
}

impl Book {
    /// The books as the file has them; new ones where there is none.
    ///
    /// # Errors
    /// What is wrong with the file, for people.
    pub fn open(path: &Path, seed: u64, opened_at: Millis) -> Result<Self, String> {
        let mut book = Self::new(seed, opened_at);
        let size = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(book),
            Err(error) => return Err(error.to_string()),
        };
        let damaged = |what: &str| {
            format!(
                "the sandbox's books are damaged ({what}). Remove the file to begin with full wallets and no trades"
            )
        };
        if size > MAX_BYTES {
            return Err(damaged("the file is too large"));
        }
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| damaged(&error.to_string()))?;
        if kept.format != FORMAT {
            return Err(damaged("another version wrote it"));
        }
        for wallet in &mut book.wallets {
            if let Some(known) = kept.wallets.iter().find(|known| known.id == wallet.id) {
                wallet.balance = known.balance;
                wallet.ask_always = known.ask_always;
            }
        }
        book.earlier = kept.earlier;
        for trade in kept.trades {
            book.put(trade.whole());
        }
        Ok(book)
    }

    /// Writes the books beside the file and puts them in its place, durably.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let skipped = self.trades.len().saturating_sub(MAX_TRADES);
        let kept = Kept {
            format: FORMAT,
            earlier: self.earlier + skipped,
            wallets: self.wallets.clone(),
            trades: self.trades.iter().skip(skipped).map(KeptTrade::of).collect(),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| error.to_string())?;
        let beside = path.with_extension("new");
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&beside)?;
            file.write_all(&text)?;
            file.sync_data()?;
            fs::rename(&beside, path)
        };
        write().map_err(|error: std::io::Error| error.to_string())
    }
}
