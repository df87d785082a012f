//! What can be asked of the books.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Acquire, Arguments};

use super::batch_sql::read_answer;
use super::chain::{StoredRow, Walk, read_head};
use super::derived::{Growth, SumKey, read_payment};
use super::disk::Tables;
use super::place::Place;
use super::sql::{int, text};
use super::{
    JournalRow, Ledger, LedgerError, NOTICE_KIND, PaymentFilter, StoredAnswer, Sums, Takings, TakingsQuery,
    Verification,
};
use crate::payment::{OutTradeNo, Payment, PaymentId, UnixMillis};

/// A SELECT with the conditions that a filter asks for.
struct Select {
    sql: String,
    arguments: AnyArguments<'static>,
    count: usize,
}

impl Select {
    fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), arguments: AnyArguments::default(), count: 0 }
    }

    /// Adds ` {before} $n` and the value for it.
    fn with<T>(mut self, before: &str, value: T) -> Result<Self, LedgerError>
    where
        T: 'static + sqlx::Type<sqlx::Any> + sqlx::Encode<'static, sqlx::Any>,
    {
        self.arguments.add(value).map_err(|error| LedgerError::Database(error.to_string()))?;
        self.count += 1;
        self.sql.push_str(&format!(" {before} ${}", self.count));
        Ok(self)
    }

    /// The same where there is a value.
    fn with_some<T>(self, before: &str, value: Option<T>) -> Result<Self, LedgerError>
    where
        T: 'static + sqlx::Type<sqlx::Any> + sqlx::Encode<'static, sqlx::Any>,
    {
        match value {
            Some(value) => self.with(before, value),
            None => Ok(self),
        }
    }

    fn then(mut self, end: &str) -> Self {
        self.sql.push(' ');
        self.sql.push_str(end);
        self
    }
}

impl Ledger {
    /// A payment as it stands.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Payment>, LedgerError> {
        if let Some(found) = self.in_memory(|tables| tables.payments.get(id).cloned()).await {
            return found;
        }
        let select = Select::new("SELECT doc FROM payments").with("WHERE id =", id.to_string())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// The payment that has an attempt with that number.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payment_by_out_trade_no(&self, out_trade_no: &OutTradeNo) -> Result<Option<Payment>, LedgerError> {
        let of_attempt = |tables: &Tables| {
            let attempt = tables.attempts.get(out_trade_no.as_str());
            attempt.and_then(|attempt| tables.payments.get(&attempt.payment)).cloned()
        };
        if let Some(found) = self.in_memory(of_attempt).await {
            return found;
        }
        let select = Select::new("SELECT payments.doc FROM attempts JOIN payments ON payments.id = attempts.payment")
            .with("WHERE attempts.out_trade_no =", out_trade_no.to_string())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// The payment that has a refund with that number.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payment_by_out_refund_no(&self, out_refund_no: &str) -> Result<Option<Payment>, LedgerError> {
        let of_refund =
            |tables: &Tables| tables.refunds.get(out_refund_no).and_then(|id| tables.payments.get(id)).cloned();
        if let Some(found) = self.in_memory(of_refund).await {
            return found;
        }
        let select = Select::new("SELECT payments.doc FROM refunds JOIN payments ON payments.id = refunds.payment")
            .with("WHERE refunds.out_refund_no =", out_refund_no.to_owned())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// Payments, the latest first.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<Payment>, LedgerError> {
        let day = |payment: &Payment| self.business_day(payment.created_at);
        let listed = |tables: &Tables| {
            let payments = tables.payments.values().rev().filter(|payment| filter.takes(payment, day));
            payments.take(filter.limit as usize).cloned().collect()
        };
        if let Some(found) = self.in_memory(listed).await {
            return found;
        }
        let select = Select::new("SELECT doc FROM payments WHERE 1 = 1")
            .with_some("AND business_day =", filter.business_day.map(|day| day.to_string()))?
            .with_some("AND store =", filter.store.as_ref().map(ToString::to_string))?
            .with_some("AND till =", filter.till.as_ref().map(ToString::to_string))?
            .with_some("AND state =", filter.state.map(|state| state.name().to_owned()))?
            .with_some("AND channel =", filter.channel.as_ref().map(ToString::to_string))?
            .with_some("AND training =", filter.training.map(i64::from))?
            .with_some("AND id <", filter.before.as_ref().map(ToString::to_string))?
            .with("ORDER BY id DESC LIMIT", i64::from(filter.limit))?;
        self.payments_of(select).await
    }

    /// The stored answer to an idempotency key, with the digest of the body it was given for.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn idempotent(&self, scope: &str, key: &str) -> Result<Option<StoredAnswer>, LedgerError> {
        if let Some(found) = self.in_memory(|tables| tables.answer(scope, key)).await {
            return found;
        }
        let select = Select::new("SELECT scope, answer_key, digest, status, body FROM answers")
            .with("WHERE scope =", scope.to_owned())?
            .with("AND answer_key =", key.to_owned())?;
        let row = self.rows_of(select).await?.pop();
        row.map(|row| read_answer(&row)).transpose().map_err(|error| self.refused(error))
    }

    /// Payments that are unfinished and on which no other owner's lease runs at `now`.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn unfinished(&self, owner: &str, now: UnixMillis) -> Result<Vec<PaymentId>, LedgerError> {
        if let Some(found) = self.in_memory(|tables| tables.unfinished(owner, now)).await {
            return found;
        }
        let select = Select::new("SELECT payments.id FROM payments LEFT JOIN leases ON leases.payment = payments.id")
            .with("AND leases.owner <>", owner.to_owned())?
            .with("AND leases.until_at >", now)?
            .then("WHERE payments.unfinished = 1 AND leases.payment IS NULL ORDER BY payments.id");
        let rows = self.rows_of(select).await?;
        rows.iter()
            .map(|row| {
                text(row, 0)?.parse().map_err(|error: crate::payment::IdError| sqlx::Error::Decode(error.into()))
            })
            .collect::<Result<_, _>>()
            .map_err(|error| self.refused(error))
    }

    /// The whole story of a payment, oldest first.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<JournalRow>, LedgerError> {
        let of_payment = |row: &&StoredRow| row.payment.as_deref() == Some(id.as_str());
        if let Some(rows) = self.journal_in_memory(0, u32::MAX, of_payment).await {
            return rows;
        }
        let select = Select::new(format!("SELECT {} FROM journal", StoredRow::COLUMNS))
            .with("WHERE payment =", id.to_string())?
            .then("ORDER BY seq");
        self.journal_of(select).await
    }

    pub(super) async fn notices_after(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
        let is_notice = |row: &&StoredRow| row.payment.is_none() && row.kind == NOTICE_KIND;
        if let Some(rows) = self.journal_in_memory(after, limit, is_notice).await {
            return rows;
        }
        let select = Select::new(format!("SELECT {} FROM journal WHERE payment IS NULL", StoredRow::COLUMNS))
            .with("AND kind =", NOTICE_KIND.to_owned())?
            .with("AND seq >", after)?
            .with("ORDER BY seq LIMIT", i64::from(limit))?;
        self.journal_of(select).await
    }

    /// Journal rows about payments, and notices about none, with a sequence over `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn rows_after(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
        let is_told = |row: &&StoredRow| row.payment.is_some() || row.kind == NOTICE_KIND;
        if let Some(rows) = self.journal_in_memory(after, limit, is_told).await {
            return rows;
        }
        let select = Select::new(format!("SELECT {} FROM journal WHERE (payment IS NOT NULL", StoredRow::COLUMNS))
            .with("OR kind =", NOTICE_KIND.to_owned())?
            .with(") AND seq >", after)?
            .with("ORDER BY seq LIMIT", i64::from(limit))?;
        self.journal_of(select).await
    }

    /// The takings of a business day, from running sums: no payment is read.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn takings(&self, query: &TakingsQuery) -> Result<Takings, LedgerError> {
        let mut takings = Takings {
            business_day: query.day,
            currency: query.currency,
            training: query.training,
            total: Sums::default(),
            by_channel: BTreeMap::new(),
            by_hour: BTreeMap::new(),
            by_till: BTreeMap::new(),
        };
        if let Some(sums) = self.in_memory(|tables| tables.takings.clone()).await {
            for (key, sum) in sums?.iter().filter(|(key, _)| query.takes(key)) {
                let hour = u8::try_from(key.hour).unwrap_or_default();
                takings.add(key.channel.clone(), hour, key.till.clone(), sum);
            }
            return Ok(takings);
        }
        let select = Select::new(
            "SELECT channel, hour, till, CAST(SUM(gross) AS BIGINT), CAST(SUM(refunds) AS BIGINT), \
             CAST(SUM(sales) AS BIGINT), CAST(SUM(refund_count) AS BIGINT) FROM takings",
        )
        .with("WHERE business_day =", query.day.to_string())?
        .with("AND training =", i64::from(query.training))?
        .with("AND currency =", query.currency.code().to_owned())?
        .with_some("AND store =", query.store.as_ref().map(ToString::to_string))?
        .with_some("AND till =", query.till.as_ref().map(ToString::to_string))?
        .then("GROUP BY channel, hour, till");
        for row in self.rows_of(select).await? {
            takings.add_row(&row).map_err(|error| self.refused(error))?;
        }
        Ok(takings)
    }

    /// Walks the chain from its start, over the books as they are at one moment, also while they are written.
    ///
    /// # Errors
    /// The books cannot be read at all; a row that is not as it was written is no error but the finding.
    pub async fn verify(&self) -> Result<Verification, LedgerError> {
        let refused = |error| self.refused(error);
        let rules = &self.books.rules;
        if let Some(found) = self.in_memory(|tables| tables.verify(rules)).await {
            return found;
        }
        let mut connection = self.readers()?.acquire().await.map_err(refused)?;
        let connection = connection.acquire().await.map_err(refused)?;
        let mut snapshot =
            sqlx::Connection::begin_with(connection, rules.place.begin_snapshot()).await.map_err(refused)?;
        let (head, seal) = read_head(&mut snapshot).await.map_err(refused)?;
        let mut walk = Walk::new();
        let broken = loop {
            match walk.step(&mut snapshot, &rules.chain_key).await.map_err(refused)? {
                Err(broken) => break Some(broken),
                Ok(rows) if rows.is_empty() => break walk.end(&head, &seal, &rules.chain_key),
                Ok(_) => {}
            }
        };
        snapshot.rollback().await.map_err(refused)?;
        Ok(Verification { rows: walk.rows(), broken })
    }

    pub(super) fn refused(&self, error: sqlx::Error) -> LedgerError {
        self.books.rules.place.refused(error)
    }

    /// Reads books in memory; `None` where they are in a database.
    pub(super) async fn in_memory<T>(&self, read: impl FnOnce(&Tables) -> T + Send) -> Option<Result<T, LedgerError>> {
        match &self.books.rules.place {
            Place::Memory(disk) => Some(disk.read(read).await),
            Place::Sqlite(_) | Place::Postgres { .. } => None,
        }
    }

    async fn journal_in_memory(
        &self,
        after: i64,
        limit: u32,
        wanted: impl Fn(&&StoredRow) -> bool + Send,
    ) -> Option<Result<Vec<JournalRow>, LedgerError>> {
        let read = |tables: &Tables| -> Vec<StoredRow> {
            // The journal counts from 1 without a gap.
            let rows = tables.journal.get(usize::try_from(after).unwrap_or_default()..).unwrap_or_default();
            rows.iter().filter(wanted).take(limit as usize).cloned().collect()
        };
        let rows = self.in_memory(read).await?;
        Some(rows.and_then(|rows| rows.into_iter().map(StoredRow::opened).collect()))
    }

    async fn rows_of(&self, select: Select) -> Result<Vec<AnyRow>, LedgerError> {
        let Select { sql, arguments, .. } = select;
        sqlx::query_with(&sql, arguments).fetch_all(self.readers()?).await.map_err(|error| self.refused(error))
    }

    async fn payments_of(&self, select: Select) -> Result<Vec<Payment>, LedgerError> {
        let rows = self.rows_of(select).await?;
        rows.iter().map(|row| read_payment(&text(row, 0).map_err(|error| self.refused(error))?)).collect()
    }

    async fn journal_of(&self, select: Select) -> Result<Vec<JournalRow>, LedgerError> {
        let rows = self.rows_of(select).await?;
        rows.iter().map(|row| StoredRow::read(row).map_err(|error| self.refused(error))?.opened()).collect()
    }
}

impl PaymentFilter {
    fn takes(&self, payment: &Payment, day: impl Fn(&Payment) -> Date) -> bool {
        self.business_day.is_none_or(|wanted| day(payment) == wanted)
            && self.store.as_ref().is_none_or(|store| payment.store == *store)
            && self.till.as_ref().is_none_or(|till| payment.till == *till)
            && self.state.is_none_or(|state| payment.state == state)
            && self.channel.as_ref().is_none_or(|channel| payment.channel() == Some(channel))
            && self.training.is_none_or(|training| payment.training == training)
            && self.before.as_ref().is_none_or(|before| payment.id < *before)
    }
}

impl TakingsQuery {
    fn takes(&self, key: &SumKey) -> bool {
        key.day == self.day.to_string()
            && key.training == self.training
            && key.currency == self.currency.code()
            && self.store.as_ref().is_none_or(|store| key.store == store.as_str())
            && self.till.as_ref().is_none_or(|till| key.till == till.as_str())
    }
}

impl Takings {
    fn add_row(&mut self, row: &AnyRow) -> Result<(), sqlx::Error> {
        let hour = u8::try_from(int(row, 1)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let growth =
            Growth { gross: int(row, 3)?, refunds: int(row, 4)?, sales: int(row, 5)?, refund_count: int(row, 6)? };
        self.add(text(row, 0)?, hour, text(row, 2)?, &growth);
        Ok(())
    }

    fn add(&mut self, channel: String, hour: u8, till: String, growth: &Growth) {
        for sum in [
            &mut self.total,
            self.by_channel.entry(channel).or_default(),
            self.by_hour.entry(hour).or_default(),
            self.by_till.entry(till).or_default(),
        ] {
            sum.gross += growth.gross;
            sum.refunds += growth.refunds;
            sum.net += growth.gross - growth.refunds;
            sum.count += growth.sales;
            sum.refund_count += growth.refund_count;
        }
    }
}
