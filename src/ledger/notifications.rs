//! What providers sent by themselves, kept as it came: for disputes, and for whoever has to find out what happened.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::batch::{Granted, Note, Request};
use super::chain::canonical;
use super::derived::storable;
use super::sql::{self, Param, int, text};
use super::{JournalRow, KeptNotification, Ledger, LedgerError, NOTICE_KIND, Verdict};
use crate::crypto::sha256;
use crate::payment::UnixMillis;

/// Of what nobody signed so many are kept for each account: a stranger must not fill the disk.
const REFUSED_KEPT: i64 = 1_000;

/// A notification to keep, ready for its row.
pub(super) struct Keep {
    pub(super) account: String,
    pub(super) digest: String,
    channel: String,
    notification: String,
    out_trade_no: String,
    verdict: Verdict,
    at: UnixMillis,
    headers: String,
    encoding: &'static str,
    body: String,
    /// Written too where this very body was never kept before.
    pub(super) notice: Option<Note>,
}

impl Ledger {
    /// Keeps a notification, and raises it to a person where nothing in the books fits it. Durable when it returns; true
    /// where this very body was not kept before.
    ///
    /// # Errors
    /// The books cannot be written.
    pub async fn keep_notification(&self, kept: &KeptNotification) -> Result<bool, LedgerError> {
        let digest = hex::encode(sha256(&kept.body));
        let headers: Value = kept.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let (encoding, body) = match std::str::from_utf8(&kept.body) {
            Ok(text) if !text.contains('\0') => ("text", text.to_owned()),
            _ => ("base64", BASE64.encode(&kept.body)),
        };
        let notice = (kept.verdict == Verdict::Unmatched).then(|| Note {
            at: kept.at,
            actor: format!("provider:{}", kept.channel),
            kind: NOTICE_KIND.to_owned(),
            payload: canonical(&json!({
                "detail": kept.detail,
                "channel": kept.channel,
                "account": kept.account,
                "notification": kept.id,
                "out_trade_no": kept.out_trade_no,
                // The body itself can be removed; this shows whether a copy of it is the one that came.
                "sha256": digest,
            })),
        });
        let keep = Keep {
            account: kept.account.to_string(),
            digest,
            channel: kept.channel.to_string(),
            notification: storable(kept.id.as_deref().unwrap_or_default()),
            out_trade_no: storable(kept.out_trade_no.as_deref().unwrap_or_default()),
            verdict: kept.verdict,
            at: kept.at,
            headers: storable(&headers.to_string()),
            encoding,
            body,
            notice,
        };
        match self.ask(Request::Keep(Box::new(keep))).await? {
            Granted::Done(new) => Ok(new),
            Granted::Payment(_) | Granted::Seq(_) => Err(super::unanswered()),
        }
    }

    /// The notifications kept for an account, the latest first.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn kept_notifications(
        &self,
        account: &crate::payment::AccountId,
        limit: u32,
    ) -> Result<Vec<KeptNotification>, LedgerError> {
        let select = "SELECT channel, notification, out_trade_no, verdict, at, headers, encoding, body FROM \
                      notification_bodies WHERE account = $1 ORDER BY last_at DESC, digest LIMIT $2";
        let rows = sqlx::query(select).bind(account.to_string()).bind(i64::from(limit));
        let rows = rows.fetch_all(self.readers()?).await.map_err(|error| self.refused(error))?;
        let read = |row: &sqlx::any::AnyRow| -> Result<KeptNotification, sqlx::Error> {
            let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
            let given = |text: String| Some(text).filter(|text| !text.is_empty());
            let headers: serde_json::Map<String, Value> =
                serde_json::from_str(&text(row, 5)?).map_err(|error| decode(error.into()))?;
            let body = text(row, 7)?;
            Ok(KeptNotification {
                at: int(row, 4)?,
                channel: text(row, 0)?.parse().map_err(|error: crate::payment::IdError| decode(error.into()))?,
                account: account.clone(),
                id: given(text(row, 1)?),
                out_trade_no: given(text(row, 2)?),
                verdict: Verdict::named(&text(row, 3)?),
                detail: String::new(),
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
                    .collect(),
                body: if text(row, 6)? == "base64" {
                    BASE64.decode(body).map_err(|error| decode(error.into()))?
                } else {
                    body.into_bytes()
                },
            })
        };
        rows.iter().map(|row| read(row).map_err(|error| self.refused(error))).collect()
    }

    /// Rows about no payment that a person has to look at, with a sequence over `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn notices(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
        self.notices_after(after, limit).await
    }
}

/// Which of these bodies, told by account and digest, were kept before.
pub(super) async fn load(
    connection: &mut AnyConnection,
    bodies: Vec<[&str; 2]>,
) -> Result<HashSet<(String, String)>, sqlx::Error> {
    let select = "SELECT account, digest FROM notification_bodies WHERE";
    let rows = sql::query_pairs(connection, select, ["account", "digest"], bodies).await?;
    rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?))).collect()
}

/// Writes the rows, and lets go of the oldest that nobody signed.
pub(super) async fn write(connection: &mut AnyConnection, kept: &[&Keep]) -> Result<(), sqlx::Error> {
    for keep in kept {
        let row = [
            Param::Text(&keep.account),
            Param::Text(&keep.digest),
            Param::Text(&keep.channel),
            Param::Text(&keep.notification),
            Param::Text(&keep.out_trade_no),
            Param::Text(keep.verdict.name()),
            Param::Int(keep.at),
            Param::Int(keep.at),
            Param::Int(1),
            Param::Text(&keep.headers),
            Param::Text(keep.encoding),
            Param::Text(&keep.body),
        ];
        let into = "notification_bodies (account, digest, channel, notification, out_trade_no, verdict, at, last_at, \
                    times, headers, encoding, body)";
        // What was refused once may be believed later (a key was put right), and never the other way round.
        let then = "ON CONFLICT (account, digest) DO UPDATE SET last_at = excluded.last_at, \
                    times = notification_bodies.times + 1, \
                    verdict = CASE WHEN excluded.verdict = 'refused' THEN notification_bodies.verdict \
                    ELSE excluded.verdict END, \
                    headers = CASE WHEN excluded.verdict = 'refused' THEN notification_bodies.headers \
                    ELSE excluded.headers END";
        sql::insert(connection, into, vec![row], then).await?;
        if keep.verdict == Verdict::Refused {
            let delete = "DELETE FROM notification_bodies WHERE account = $1 AND verdict = 'refused' AND last_at < \
                          (SELECT last_at FROM notification_bodies WHERE account = $2 AND verdict = 'refused' \
                          ORDER BY last_at DESC LIMIT 1 OFFSET $3)";
            let params = [Param::Text(&keep.account), Param::Text(&keep.account), Param::Int(REFUSED_KEPT - 1)];
            sql::execute(connection, delete, params).await?;
        }
    }
    Ok(())
}
