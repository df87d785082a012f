//! The journal's chain: each row is authenticated together with the one before it, so that nothing can be changed,
//! removed or put in without the key.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{BrokenRow, JournalRow, LedgerError};
use crate::crypto::HmacSha256;
use crate::payment::UnixMillis;

/// What stands before the first row.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How many rows are read at a time.
const STEP: i64 = 1_000;

/// A row as it lies in the journal; `payload` is the very text that was authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredRow {
    pub(super) seq: i64,
    pub(super) at: UnixMillis,
    pub(super) actor: String,
    pub(super) kind: String,
    pub(super) payment: Option<String>,
    pub(super) payload: String,
    pub(super) prev: String,
    pub(super) mac: String,
}

impl StoredRow {
    pub(super) const COLUMNS: &str = "seq, at, actor, kind, payment, payload, prev, mac";

    pub(super) fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get(0)?,
            at: row.try_get(1)?,
            actor: row.try_get(2)?,
            kind: row.try_get(3)?,
            payment: row.try_get(4)?,
            payload: row.try_get(5)?,
            prev: row.try_get(6)?,
            mac: row.try_get(7)?,
        })
    }

    /// HMAC-SHA256 over the bytes of `prev` and the row in canonical JSON, in hex.
    pub(super) fn mac(&self, key: &HmacSha256) -> String {
        let text = |value: &str| Value::from(value).to_string();
        let canonical = format!(
            r#"{{"actor":{},"at":{},"kind":{},"payload":{},"payment":{},"seq":{}}}"#,
            text(&self.actor),
            self.at,
            text(&self.kind),
            self.payload,
            self.payment.as_deref().map_or_else(|| "null".to_owned(), text),
            self.seq,
        );
        let prev = hex::decode(&self.prev).unwrap_or_default();
        hex::encode(key.sign(&[&prev, canonical.as_bytes()]))
    }

    /// The row as the rest of the house sees it.
    pub(super) fn opened(self) -> Result<JournalRow, LedgerError> {
        let seq = self.seq;
        let damaged =
            || LedgerError::Database(format!("row {seq} of the journal is damaged: run `scantill ledger verify`"));
        Ok(JournalRow {
            seq,
            at: self.at,
            actor: self.actor,
            kind: self.kind,
            payment: self.payment.map(|id| id.parse()).transpose().map_err(|_| damaged())?,
            payload: serde_json::from_str(&self.payload).map_err(|_| damaged())?,
        })
    }
}

/// JSON with sorted keys and no spaces, so that one value has one text.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

/// The journal's end as its own table tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) mac: String,
}

impl Head {
    /// What shows that the end was written by one who has the key.
    pub(super) fn seal(&self, key: &HmacSha256) -> String {
        hex::encode(key.sign(&[b"head", &self.seq.to_be_bytes(), self.mac.as_bytes()]))
    }
}

/// Where a walk along the chain stands.
pub(super) struct Walk {
    last: Head,
    rows: u64,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self { last: Head { seq: 0, mac: GENESIS.to_owned() }, rows: 0 }
    }

    /// How many rows were as they were written.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    fn broken(seq: i64, why: impl Into<String>) -> BrokenRow {
        BrokenRow { seq, why: why.into() }
    }

    /// The next rows, checked; none at the journal's end.
    pub(super) async fn step(
        &mut self,
        connection: &mut AnyConnection,
        key: &HmacSha256,
    ) -> Result<Result<Vec<StoredRow>, BrokenRow>, sqlx::Error> {
        let sql = format!("SELECT {} FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2", StoredRow::COLUMNS);
        // A row put in before the first would have a sequence of 0 or less.
        let after = if self.rows == 0 { i64::MIN } else { self.last.seq };
        let fetched = match sqlx::query(&sql).bind(after).bind(STEP).fetch_all(&mut *connection).await {
            Err(sqlx::Error::AnyDriverError(_) | sqlx::Error::ColumnDecode { .. }) => {
                return Ok(Err(Self::broken(
                    self.last.seq + 1,
                    "it, or a row soon after it, was changed: it cannot be read",
                )));
            }
            other => other?,
        };
        let mut rows = Vec::with_capacity(fetched.len());
        for row in &fetched {
            let Ok(row) = StoredRow::read(row) else {
                return Ok(Err(Self::broken(self.last.seq + 1, "it was changed: it cannot be read")));
            };
            if let Err(broken) = self.take(&row, key) {
                return Ok(Err(broken));
            }
            rows.push(row);
        }
        Ok(Ok(rows))
    }

    pub(super) fn take(&mut self, row: &StoredRow, key: &HmacSha256) -> Result<(), BrokenRow> {
        let expected = self.last.seq + 1;
        if row.seq < expected {
            return Err(Self::broken(row.seq, "it was put in: the journal counts from 1"));
        }
        if row.seq > expected {
            return Err(Self::broken(expected, "it was removed"));
        }
        let genuine = row.mac(key) == row.mac;
        if genuine && row.prev != self.last.mac {
            return Err(Self::broken(
                row.seq,
                "it does not follow the row before it: rows were removed, put in or moved",
            ));
        }
        if !genuine {
            return Err(Self::broken(row.seq, "it was changed, put in or moved: it does not fit its MAC"));
        }
        self.last = Head { seq: row.seq, mac: row.mac.clone() };
        self.rows += 1;
        Ok(())
    }

    /// Compares the journal's end with what the head tells, after the last row.
    pub(super) fn end(&self, head: &Head, seal: &str, key: &HmacSha256) -> Option<BrokenRow> {
        if head.seq > 0 && head.seal(key) != seal {
            return Some(Self::broken(
                self.last.seq + 1,
                "the note of the journal's end was changed: rows may be missing",
            ));
        }
        if head.seq > self.last.seq {
            return Some(Self::broken(self.last.seq + 1, "it was removed, with all that followed"));
        }
        if head.seq < self.last.seq {
            return Some(Self::broken(head.seq + 1, "it was put in after the journal's end"));
        }
        (head.mac != self.last.mac).then(|| Self::broken(self.last.seq, "it is not the row that ended the journal"))
    }
}

/// The head with its seal.
pub(super) async fn read_head(connection: &mut AnyConnection) -> Result<(Head, String), sqlx::Error> {
    let row = sqlx::query("SELECT seq, mac, seal FROM journal_head WHERE id = 1").fetch_one(connection).await?;
    Ok((Head { seq: row.try_get(0)?, mac: row.try_get(1)? }, row.try_get(2)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_has_one_text() {
        let value = json!({"b": [1, {"z": null, "a": "é\"\n"}], "a": {"ä": true, "A": -7}, "": []});
        assert_eq!(canonical(&value), r#"{"":[],"a":{"A":-7,"ä":true},"b":[1,{"a":"é\"\n","z":null}]}"#);
    }

    #[test]
    fn every_field_of_a_row_is_under_its_mac() {
        let key = HmacSha256::new(&[1; 32]);
        let row = StoredRow {
            seq: 1,
            at: 5,
            actor: "a".to_owned(),
            kind: "k".to_owned(),
            payment: None,
            payload: "{}".to_owned(),
            prev: GENESIS.to_owned(),
            mac: String::new(),
        };
        let mac = row.mac(&key);
        let changes: [fn(&mut StoredRow); 7] = [
            |row| row.seq = 2,
            |row| row.at = 6,
            |row| row.actor.push(' '),
            |row| row.kind.push('"'),
            |row| row.payment = Some("null".to_owned()),
            |row| row.payload.push(' '),
            |row| row.prev.replace_range(..1, "1"),
        ];
        for change in changes {
            let mut changed = row.clone();
            change(&mut changed);
            assert_ne!(changed.mac(&key), mac, "{changed:?}");
        }
        assert_ne!(row.mac(&HmacSha256::new(&[2; 32])), mac);
    }
}
