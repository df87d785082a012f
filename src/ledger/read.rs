//! What can be asked of the books.

use std::collections::BTreeMap;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Acquire, Arguments};

use super::batch::read_answer;
use super::chain::{StoredRow, Walk, read_head};
use super::derived::read_payment;
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
        let select = Select::new("SELECT doc FROM payments").with("WHERE id =", id.to_string())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// The payment that has an attempt with that number.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payment_by_out_trade_no(&self, out_trade_no: &OutTradeNo) -> Result<Option<Payment>, LedgerError> {
        let select = Select::new("SELECT payments.doc FROM attempts JOIN payments ON payments.id = attempts.payment")
            .with("WHERE attempts.out_trade_no =", out_trade_no.to_string())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// The payment that has a refund with that number.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payment_by_out_refund_no(&self, out_refund_no: &str) -> Result<Option<Payment>, LedgerError> {
        let select = Select::new("SELECT payments.doc FROM refunds JOIN payments ON payments.id = refunds.payment")
            .with("WHERE refunds.out_refund_no =", out_refund_no.to_owned())?;
        self.payments_of(select).await.map(|mut found| found.pop())
    }

    /// Payments, the latest first.
    ///
    /// # Errors
    /// The books cannot be read.
    pub async fn payments(&self, filter: &PaymentFilter) -> Result<Vec<Payment>, LedgerError> {
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
        let select = Select::new(format!("SELECT {} FROM journal", StoredRow::COLUMNS))
            .with("WHERE payment =", id.to_string())?
            .then("ORDER BY seq");
        self.journal_of(select).await
    }

    pub(super) async fn notices_after(&self, after: i64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
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
        let mut takings = Takings {
            business_day: query.day,
            currency: query.currency,
            training: query.training,
            total: Sums::default(),
            by_channel: BTreeMap::new(),
            by_hour: BTreeMap::new(),
            by_till: BTreeMap::new(),
        };
        for row in self.rows_of(select).await? {
            self.add(&mut takings, &row).map_err(|error| self.refused(error))?;
        }
        Ok(takings)
    }

    fn add(&self, takings: &mut Takings, row: &AnyRow) -> Result<(), sqlx::Error> {
        let (channel, hour, till) = (text(row, 0)?, int(row, 1)?, text(row, 2)?);
        let hour = u8::try_from(hour).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let (gross, refunds) = (int(row, 3)?, int(row, 4)?);
        let sums = Sums { gross, refunds, net: gross - refunds, count: int(row, 5)?, refund_count: int(row, 6)? };
        for sum in [
            &mut takings.total,
            takings.by_channel.entry(channel).or_default(),
            takings.by_hour.entry(hour).or_default(),
            takings.by_till.entry(till).or_default(),
        ] {
            sum.gross += sums.gross;
            sum.refunds += sums.refunds;
            sum.net += sums.net;
            sum.count += sums.count;
            sum.refund_count += sums.refund_count;
        }
        Ok(())
    }

    /// Walks the chain from its start, over the books as they are at one moment, also while they are written.
    ///
    /// # Errors
    /// The books cannot be read at all; a row that is not as it was written is no error but the finding.
    pub async fn verify(&self) -> Result<Verification, LedgerError> {
        let refused = |error| self.refused(error);
        let rules = &self.books.rules;
        let mut connection = self.books.readers.acquire().await.map_err(refused)?;
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

    async fn rows_of(&self, select: Select) -> Result<Vec<AnyRow>, LedgerError> {
        let Select { sql, arguments, .. } = select;
        sqlx::query_with(&sql, arguments).fetch_all(&self.books.readers).await.map_err(|error| self.refused(error))
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
