//! A batch as a database reads and writes it: one statement for each table. The transaction is the caller's.

use std::collections::HashSet;

use sqlx::AnyConnection;

use super::batch::{Batch, NONCE};
use super::chain::{Head, StoredRow};
use super::derived::load_payments;
use super::found::{Found, Wanted};
use super::place::Place;
use super::sql::{self, Param, int, text};
use super::{LedgerError, StoredAnswer, notifications, seal};
use crate::payment::PaymentId;

impl Found {
    /// Takes the journal's lock and reads what is wanted.
    pub(super) async fn read(
        connection: &mut AnyConnection,
        place: &Place,
        wanted: Wanted<'_>,
    ) -> Result<Self, LedgerError> {
        let head = lock_head(connection).await.map_err(|error| place.refused(error))?;
        let payments = load_payments(connection, place, wanted.payments.clone()).await?;
        let mut found = Self { payments, ..Self::at(head) };
        found.look_up(connection, wanted).await.map_err(|error| place.refused(error))?;
        Ok(found)
    }

    async fn look_up(&mut self, connection: &mut AnyConnection, wanted: Wanted<'_>) -> Result<(), sqlx::Error> {
        let select = "SELECT scope, answer_key, digest, status, body FROM answers WHERE";
        let keys = wanted.answers.iter().map(|(scope, key)| [scope.as_str(), key.as_str()]).collect();
        for row in sql::query_pairs(connection, select, ["scope", "answer_key"], keys).await? {
            self.answers.push(read_answer(&row)?);
        }
        let select = "SELECT id FROM notifications WHERE id";
        let heard = wanted.notifications.iter().map(String::as_str).collect();
        self.notifications = texts(connection, select, heard).await?;
        self.numbers =
            texts(connection, "SELECT out_trade_no FROM attempts WHERE out_trade_no", wanted.numbers).await?;
        let select = "SELECT auth_code_mac, started_at FROM attempts WHERE auth_code_mac";
        for row in sql::query_in(connection, select, wanted.codes).await? {
            self.codes.push((text(&row, 0)?, int(&row, 1)?));
        }
        let select = "SELECT payment, owner, until_at FROM leases WHERE payment";
        for row in sql::query_in(connection, select, wanted.leases).await? {
            if let Ok(payment) = text(&row, 0)?.parse() {
                self.leases.insert(payment, (text(&row, 1)?, int(&row, 2)?));
            }
        }
        self.kept = notifications::load(connection, wanted.kept).await?;
        self.known_accounts = texts(connection, "SELECT id FROM accounts WHERE id", wanted.removed.clone()).await?;
        let select = "SELECT DISTINCT attempts.account FROM attempts JOIN payments ON payments.id = attempts.payment \
                      WHERE payments.unfinished = 1 AND attempts.account";
        self.busy_accounts = texts(connection, select, wanted.removed).await?;
        Ok(())
    }
}

async fn texts(
    connection: &mut AnyConnection,
    select: &str,
    values: Vec<&str>,
) -> Result<HashSet<String>, sqlx::Error> {
    sql::query_in(connection, select, values).await?.iter().map(|row| text(row, 0)).collect()
}

impl Batch<'_> {
    /// Writes all that was granted.
    pub(super) async fn write(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                [
                    Param::Int(row.seq),
                    Param::Int(row.at),
                    Param::Text(&row.actor),
                    Param::Text(&row.kind),
                    Param::Maybe(row.payment.as_deref()),
                    Param::Text(&row.payload),
                    Param::Text(&row.prev),
                    Param::Text(&row.mac),
                ]
            })
            .collect();
        sql::insert(connection, &format!("journal ({})", StoredRow::COLUMNS), rows, "").await?;
        self.derived.write(connection, &self.rules().calendar).await?;
        self.write_heard(connection).await?;
        self.write_leases(connection).await?;
        notifications::write(connection, &self.kept).await?;
        for (table, id, put) in &self.records {
            let table = table.name();
            match put {
                Some((doc, sealed)) => {
                    let row = [Param::Text(id), Param::Text(doc), Param::Text(sealed)];
                    let then = "ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, sealed = excluded.sealed";
                    sql::insert(connection, &format!("{table} (id, doc, sealed)"), vec![row], then).await?;
                }
                None => {
                    let delete = format!("DELETE FROM {table} WHERE id = $1");
                    sql::execute(connection, &delete, [Param::Text(id)]).await?;
                }
            }
        }
        seal::write(connection, &self.resealed).await?;
        if self.rows.is_empty() {
            return Ok(());
        }
        let seal = self.head.seal(&self.rules().chain_key);
        let head = [Param::Int(self.head.seq), Param::Text(&self.head.mac), Param::Text(&seal)];
        sql::execute(connection, "UPDATE journal_head SET seq = $1, mac = $2, seal = $3 WHERE id = 1", head).await?;
        Ok(())
    }

    async fn write_heard(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let digests: Vec<_> = self.new_answers.iter().map(|(answer, _)| hex::encode(answer.digest)).collect();
        let answers: Vec<_> = self
            .new_answers
            .iter()
            .zip(&digests)
            .map(|((answer, at), digest)| {
                [
                    Param::Text(&answer.scope),
                    Param::Text(&answer.key),
                    Param::Text(digest),
                    Param::Int(answer.status.into()),
                    Param::Text(&answer.body),
                    Param::Int(*at),
                ]
            })
            .collect();
        sql::insert(connection, "answers (scope, answer_key, digest, status, body, at)", answers, "").await?;
        let heard = self.new_notifications.iter().map(|(id, at)| [Param::Text(id), Param::Int(*at)]).collect();
        sql::insert(connection, "notifications (id, at)", heard, "").await?;
        if let Some(before) = self.nonces_until {
            let (like, delete) = (format!("{NONCE}%"), "DELETE FROM notifications WHERE id LIKE $1 AND at < $2");
            sql::execute(connection, delete, [Param::Text(&like), Param::Int(before)]).await?;
        }
        Ok(())
    }

    async fn write_leases(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for owner in &self.sole_owners {
            sql::execute(connection, "DELETE FROM leases WHERE owner <> $1", [Param::Text(owner)]).await?;
        }
        let freed = self.freed.iter().map(PaymentId::as_str).collect();
        sql::query_in(connection, "DELETE FROM leases WHERE payment", freed).await?;
        let leases = self
            .new_leases()
            .map(|(payment, (owner, until))| [Param::Text(payment.as_str()), Param::Text(owner), Param::Int(*until)])
            .collect();
        let then = "ON CONFLICT (payment) DO UPDATE SET owner = excluded.owner, until_at = excluded.until_at";
        sql::insert(connection, "leases (payment, owner, until_at)", leases, then).await
    }
}

/// Takes the journal's lock until the transaction ends (PostgreSQL locks the row, SQLite is locked already) and tells
/// where the journal ends.
pub(super) async fn lock_head(connection: &mut AnyConnection) -> Result<Head, sqlx::Error> {
    let row =
        sqlx::query("UPDATE journal_head SET seq = seq WHERE id = 1 RETURNING seq, mac").fetch_one(connection).await?;
    Ok(Head { seq: sql::int(&row, 0)?, mac: sql::text(&row, 1)? })
}

/// An answer from `scope, answer_key, digest, status, body`.
pub(super) fn read_answer(row: &sqlx::any::AnyRow) -> Result<StoredAnswer, sqlx::Error> {
    let mut digest = [0; 32];
    hex::decode_to_slice(sql::text(row, 2)?, &mut digest).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(StoredAnswer {
        scope: sql::text(row, 0)?,
        key: sql::text(row, 1)?,
        digest,
        status: u16::try_from(sql::int(row, 3)?).map_err(|error| sqlx::Error::Decode(error.into()))?,
        body: sql::text(row, 4)?,
    })
}
