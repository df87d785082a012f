//! The chain: how a row is written down, and the walk that finds the first one that was touched.

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use super::{BrokenRow, JournalRow, Verification};
use crate::crypto::HmacSha256;
use crate::payment::{PaymentId, UnixMillis};

/// JSON with its keys sorted and no space: the same value gives the same bytes, whoever writes it.
pub(super) fn canonical(value: &Value) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(map) => {
                let mut keys: Vec<_> = map.iter().collect();
                keys.sort_by_key(|(key, _)| *key);
                out.push('{');
                for (index, (key, value)) in keys.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            plain => out.push_str(&plain.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// The chain's end: the last row's number and MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub seq: i64,
    pub mac: String,
}

/// A row to be: everything but its place in the chain.
pub(super) struct Entry<'a> {
    pub at: UnixMillis,
    pub actor: &'a str,
    pub kind: &'a str,
    pub payment: Option<&'a PaymentId>,
    /// Canonical already.
    pub payload: String,
}

/// Hex of HMAC-SHA256(key, previous MAC || canonical row).
fn mac(key: &HmacSha256, prev: &str, seq: i64, entry: &Entry<'_>) -> String {
    let payment = entry.payment.map_or(Value::Null, |payment| payment.as_str().into());
    let head = Value::Array(vec![seq.into(), entry.at.into(), entry.actor.into(), entry.kind.into(), payment]);
    hex::encode(key.sign(&[prev.as_bytes(), head.to_string().as_bytes(), entry.payload.as_bytes()]))
}

/// Appends a row and moves `head` on; the caller writes the head down.
pub(super) async fn append(
    connection: &mut AnyConnection,
    key: &HmacSha256,
    head: &mut Head,
    entry: &Entry<'_>,
) -> Result<i64, sqlx::Error> {
    let seq = head.seq + 1;
    let mac = mac(key, &head.mac, seq, entry);
    sqlx::query(
        "INSERT INTO journal (seq, at, actor, kind, payment, payload, prev_mac, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(seq)
    .bind(entry.at)
    .bind(entry.actor)
    .bind(entry.kind)
    .bind(entry.payment.map(PaymentId::as_str))
    .bind(entry.payload.as_str())
    .bind(head.mac.as_str())
    .bind(mac.as_str())
    .execute(connection)
    .await?;
    *head = Head { seq, mac };
    Ok(seq)
}

/// A row as callers see it.
pub(super) fn row_of(row: &AnyRow) -> Result<JournalRow, sqlx::Error> {
    let payment: Option<String> = row.try_get("payment")?;
    let payload: String = row.try_get("payload")?;
    Ok(JournalRow {
        seq: row.try_get("seq")?,
        at: row.try_get("at")?,
        actor: row.try_get("actor")?,
        kind: row.try_get("kind")?,
        payment: payment.and_then(|id| id.parse().ok()),
        payload: serde_json::from_str(&payload).map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}

/// Walks the chain from its start.
pub(super) async fn verify(pool: &AnyPool, key: &HmacSha256) -> Result<Verification, sqlx::Error> {
    // The end first: rows written while we walk are past it and not looked at.
    let row = sqlx::query("SELECT seq, mac FROM journal_head WHERE id = 1").fetch_one(pool).await?;
    let end = Head { seq: row.try_get("seq")?, mac: row.try_get("mac")? };
    let mut last = Head { seq: 0, mac: String::new() };
    let mut rows =
        sqlx::query("SELECT seq, at, actor, kind, payment, payload, prev_mac, mac FROM journal ORDER BY seq")
            .fetch(pool);
    let broken = |seq, why: &str, found: i64| Verification {
        rows: u64::try_from(found).unwrap_or_default(),
        broken: Some(BrokenRow { seq, why: why.to_owned() }),
    };
    while let Some(row) = rows.try_next().await? {
        let seq: i64 = row.try_get("seq")?;
        if seq != last.seq + 1 {
            return Ok(broken(last.seq + 1, "it was removed", last.seq));
        }
        let actor: String = row.try_get("actor")?;
        let kind: String = row.try_get("kind")?;
        let payment: Option<String> = row.try_get("payment")?;
        let payment: Option<PaymentId> = match payment.map(|id| id.parse()) {
            Some(Err(_)) => return Ok(broken(seq, "its payment was changed", last.seq)),
            Some(Ok(id)) => Some(id),
            None => None,
        };
        let entry = Entry {
            at: row.try_get("at")?,
            actor: &actor,
            kind: &kind,
            payment: payment.as_ref(),
            payload: row.try_get("payload")?,
        };
        let prev: String = row.try_get("prev_mac")?;
        let written: String = row.try_get("mac")?;
        if prev != last.mac {
            return Ok(broken(seq, "it does not follow the row before it: it was put in, moved or changed", last.seq));
        }
        if mac(key, &prev, seq, &entry) != written {
            return Ok(broken(seq, "it was changed, or it was not written with this chain's key", last.seq));
        }
        last = Head { seq, mac: written };
        if seq == end.seq && last.mac != end.mac {
            return Ok(broken(seq, "the chain's end is another row than the one written last", last.seq - 1));
        }
    }
    if last.seq < end.seq {
        return Ok(broken(last.seq + 1, "it was removed from the end, with what followed", last.seq));
    }
    Ok(Verification { rows: u64::try_from(last.seq).unwrap_or_default(), broken: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_does_not_depend_on_the_order_of_keys() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"z": null, "a": "é\n"}], "a": 2}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a": 2, "b": [1, {"a": "é\n", "z": null}]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&two));
        assert_eq!(canonical(&one), "{\"a\":2,\"b\":[1,{\"a\":\"é\\n\",\"z\":null}]}");
    }
}
