//! The journal's end, kept outside of the database: what shows that the database was put back to an older state as a
//! whole, note of its end and all.

use serde::{Deserialize, Serialize};

use super::chain::{Head, read_head};
use super::disk::Tables;
use super::place::Place;
use super::sql::text;
use super::{BrokenRow, Ledger, LedgerError};

/// Where a journal ended at some moment, sealed with the chain's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The last row's sequence.
    pub seq: i64,
    /// The last row's MAC, in hex.
    pub mac: String,
    /// Shows that it was written by one who has the chain's key, in hex.
    pub seal: String,
}

impl Ledger {
    /// Where the journal ends now.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn anchor(&self) -> Result<Anchor, LedgerError> {
        if let Some(end) = self.in_memory(Tables::end).await {
            return end.map(|(head, seal)| Anchor { seq: head.seq, mac: head.mac, seal });
        }
        let mut connection = self.readers()?.acquire().await.map_err(|error| self.refused(error))?;
        let (head, seal) = read_head(&mut connection).await.map_err(|error| self.refused(error))?;
        Ok(Anchor { seq: head.seq, mac: head.mac, seal })
    }

    /// Holds the journal against an anchor that was taken earlier: the first row that is missing or another, if any is.
    /// The journal may have grown since.
    ///
    /// # Errors
    /// The books cannot be read, or the anchor is of other books.
    pub async fn holds(&self, anchor: &Anchor) -> Result<Option<BrokenRow>, LedgerError> {
        if anchor.seq == 0 {
            return Ok(None);
        }
        let head = Head { seq: anchor.seq, mac: anchor.mac.clone() };
        if head.seal(&self.books.rules.chain_key) != anchor.seal {
            return Err(LedgerError::Database("the anchor was changed, or is of other books".to_owned()));
        }
        match self.mac_of(anchor.seq).await? {
            Some(mac) if mac == anchor.mac => Ok(None),
            Some(_) => {
                let why =
                    "it is another than the one that was written here: the journal was written anew from before it";
                Ok(Some(BrokenRow { seq: anchor.seq, why: why.to_owned() }))
            }
            None => {
                let end = self.anchor().await?.seq;
                let why = format!(
                    "rows up to {} were written here and are gone: the database was put back to an older state, or its \
                     tail was cut off",
                    anchor.seq
                );
                Ok(Some(BrokenRow { seq: end + 1, why }))
            }
        }
    }

    async fn mac_of(&self, seq: i64) -> Result<Option<String>, LedgerError> {
        let of_row = |tables: &Tables| tables.journal.iter().find(|row| row.seq == seq).map(|row| row.mac.clone());
        if let Some(found) = self.in_memory(of_row).await {
            return found;
        }
        let refused = |error| self.refused(error);
        let found = sqlx::query("SELECT mac FROM journal WHERE seq = $1").bind(seq);
        let found = found.fetch_optional(self.readers()?).await.map_err(refused)?;
        found.map(|row| text(&row, 0)).transpose().map_err(refused)
    }

    /// Where the books are, without a password: the same for every name of the same file.
    #[must_use]
    pub fn place(&self) -> String {
        self.books.rules.place.settled_name()
    }

    /// The same for books that are not open.
    ///
    /// # Errors
    /// The URL is none.
    pub fn place_of(url: &str) -> Result<String, LedgerError> {
        Place::parse(url).map(|place| place.settled_name())
    }
}
