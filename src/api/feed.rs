//! What event streams tell: each row of the journal is read, and its payment looked up, once for all streams.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::view;
use super::wire::EventView;
use crate::ledger::{JournalRow, Ledger, LedgerError, NOTICE_KIND};
use crate::payment::StoreId;

/// Rows read at once.
const PAGE: u32 = 100;
/// Events that are kept for streams that are a little behind; those farther behind read for themselves.
const KEPT: usize = 1_024;

/// An event as streams tell it.
#[derive(Debug)]
pub(super) struct Told {
    /// The journal's row.
    pub seq: i64,
    /// What it is called in the stream.
    pub name: String,
    /// JSON.
    pub data: String,
    /// Whose business it is; what fits no payment belongs to no store.
    pub store: Option<StoreId>,
}

/// The newest events.
#[derive(Debug, Default)]
pub(super) struct Feed {
    recent: Mutex<Recent>,
}

/// All events of the rows after `from`, as far as rows were read.
#[derive(Debug, Default)]
struct Recent {
    from: i64,
    until: i64,
    told: VecDeque<Arc<Told>>,
}

impl Feed {
    /// Events of the rows after `last`, oldest first, as many as are at hand; none only where there is none up to the row
    /// `newest`.
    ///
    /// # Errors
    /// The books cannot be read; what was read before is kept.
    pub async fn after(&self, ledger: &Ledger, last: i64, newest: i64) -> Result<Vec<Arc<Told>>, LedgerError> {
        if last >= newest {
            // Also where a caller names a row that never was: nobody else's events are lost over it.
            return Ok(Vec::new());
        }
        let mut recent = self.recent.lock().await;
        if last < recent.from {
            drop(recent);
            let mut own = Recent { from: last, until: last, told: VecDeque::new() };
            while own.told.is_empty() && own.until < newest {
                own.read(ledger, newest).await?;
            }
            return Ok(own.told.into());
        }
        if last > recent.until {
            *recent = Recent { from: last, until: last, told: VecDeque::new() };
        }
        loop {
            let first = recent.told.partition_point(|told| told.seq <= last);
            if first < recent.told.len() || recent.until >= newest {
                return Ok(recent.told.iter().skip(first).cloned().collect());
            }
            recent.read(ledger, newest).await?;
        }
    }
}

impl Recent {
    /// Reads the next page of rows, of which `newest` is known to be one.
    async fn read(&mut self, ledger: &Ledger, newest: i64) -> Result<(), LedgerError> {
        let rows = ledger.rows_after(self.until, PAGE).await?;
        let is_all = rows.len() < PAGE as usize;
        for row in rows {
            let told = told(ledger, &row).await?;
            self.until = row.seq;
            self.told.extend(told.map(Arc::new));
        }
        if is_all {
            self.until = self.until.max(newest);
        }
        while self.told.len() > KEPT {
            self.from = self.told.pop_front().map_or(self.from, |told| told.seq);
        }
        Ok(())
    }
}

async fn told(ledger: &Ledger, row: &JournalRow) -> Result<Option<Told>, LedgerError> {
    if row.kind == NOTICE_KIND {
        let data = serde_json::to_string(&view::notice(row)).ok();
        return Ok(data.map(|data| Told { seq: row.seq, name: "notice".to_owned(), data, store: None }));
    }
    let Some(id) = &row.payment else { return Ok(None) };
    let Some(payment) = ledger.payment(id).await? else { return Ok(None) };
    let event = EventView {
        seq: row.seq,
        at: Timestamp::from_millisecond(row.at).unwrap_or(Timestamp::UNIX_EPOCH),
        kind: row.kind.clone(),
        payment: view::payment(&payment),
    };
    let data = serde_json::to_string(&event).ok();
    Ok(data.map(|data| Told { seq: row.seq, name: row.kind.clone(), data, store: Some(payment.store) }))
}
