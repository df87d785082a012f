//! The day's running sums: what an event adds to them, and which day it belongs to.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use sqlx::{AnyConnection, AnyPool, Row};

use super::{BusinessCalendar, LedgerError, Sums, Takings, TakingsQuery};
use crate::payment::{Payment, PaymentEvent, UnixMillis};

/// A calendar with its time zone found.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    zone: TimeZone,
    cutover_hour: i8,
}

impl Calendar {
    pub fn new(calendar: &BusinessCalendar) -> Result<Self, LedgerError> {
        let zone = match &calendar.time_zone {
            None => TimeZone::system(),
            Some(name) => {
                TimeZone::get(name).map_err(|_| LedgerError::Database(format!("the time zone {name} is not known")))?
            }
        };
        if !(0..=23).contains(&calendar.cutover_hour) {
            return Err(LedgerError::Database("the business day begins at an hour from 0 to 23".into()));
        }
        Ok(Self { zone, cutover_hour: calendar.cutover_hour })
    }

    /// The business day and the local hour of a moment.
    pub fn place(&self, at: UnixMillis) -> (Date, i8) {
        let local = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
        let date = local.date();
        let day = if local.hour() < self.cutover_hour { date.checked_sub(1.day()).unwrap_or(date) } else { date };
        (day, local.hour())
    }
}

/// What an event adds to the sums; `None` where it moves no money. `payment` is as it stands after the event.
pub(super) fn effect(payment: &Payment, event: &PaymentEvent) -> Option<(u32, Sums)> {
    let minor = payment.amount.minor;
    match event {
        PaymentEvent::AttemptSucceeded { no, .. } => {
            // A surplus is money taken too, until it is refunded; but it is no second sale.
            let sale = payment.paid_by == Some(*no);
            Some((*no, Sums { gross: minor, net: minor, count: i64::from(sale), ..Sums::default() }))
        }
        PaymentEvent::SurplusRefunded { no } => {
            Some((*no, Sums { refunds: minor, net: -minor, refund_count: 1, ..Sums::default() }))
        }
        PaymentEvent::AttemptReversed { no, captured: true } => {
            Some((*no, Sums { gross: minor, refunds: minor, refund_count: 1, ..Sums::default() }))
        }
        _ => None,
    }
}

/// Adds what an event moved.
pub(super) async fn add(
    connection: &mut AnyConnection,
    calendar: &Calendar,
    at: UnixMillis,
    payment: &Payment,
    event: &PaymentEvent,
) -> Result<(), sqlx::Error> {
    let Some((no, sums)) = effect(payment, event) else { return Ok(()) };
    let (day, hour) = calendar.place(at);
    let channel = payment.attempt(no).map_or("", |attempt| attempt.channel.as_str());
    sqlx::query(
        "INSERT INTO takings (business_day, store, till, operator, channel, hour, training, currency, gross, refunds, sales, refund_count) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (business_day, store, till, operator, channel, hour, training, currency) DO UPDATE SET \
         gross = takings.gross + excluded.gross, refunds = takings.refunds + excluded.refunds, \
         sales = takings.sales + excluded.sales, refund_count = takings.refund_count + excluded.refund_count",
    )
    .bind(day.to_string())
    .bind(payment.store.as_str())
    .bind(payment.till.as_str())
    .bind(payment.operator.as_deref().unwrap_or(""))
    .bind(channel)
    .bind(i64::from(hour))
    .bind(i64::from(payment.training))
    .bind(payment.amount.currency.code())
    .bind(sums.gross)
    .bind(sums.refunds)
    .bind(sums.count)
    .bind(sums.refund_count)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Reads a day from the sums.
pub(super) async fn read(pool: &AnyPool, query: &TakingsQuery) -> Result<Takings, sqlx::Error> {
    let mut takings = Takings {
        business_day: query.day,
        currency: query.currency,
        training: query.training,
        total: Sums::default(),
        by_channel: BTreeMap::new(),
        by_hour: BTreeMap::new(),
        by_till: BTreeMap::new(),
    };
    let rows = sqlx::query(
        "SELECT till, channel, hour, gross, refunds, sales, refund_count FROM takings \
         WHERE business_day = $1 AND training = $2 AND currency = $3 AND ($4 = '' OR store = $4) AND ($5 = '' OR till = $5)",
    )
    .bind(query.day.to_string())
    .bind(i64::from(query.training))
    .bind(query.currency.code())
    .bind(query.store.as_ref().map_or("", |store| store.as_str()))
    .bind(query.till.as_ref().map_or("", |till| till.as_str()))
    .fetch_all(pool)
    .await?;
    for row in rows {
        let (gross, refunds): (i64, i64) = (row.try_get("gross")?, row.try_get("refunds")?);
        let sums = Sums {
            gross,
            refunds,
            net: gross - refunds,
            count: row.try_get("sales")?,
            refund_count: row.try_get("refund_count")?,
        };
        let hour: i64 = row.try_get("hour")?;
        takings.total.add(&sums);
        takings.by_channel.entry(row.try_get("channel")?).or_default().add(&sums);
        takings.by_hour.entry(u8::try_from(hour).unwrap_or_default()).or_default().add(&sums);
        takings.by_till.entry(row.try_get("till")?).or_default().add(&sums);
    }
    Ok(takings)
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.gross += other.gross;
        self.refunds += other.refunds;
        self.net += other.net;
        self.count += other.count;
        self.refund_count += other.refund_count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_the_cutover_hour() {
        let calendar =
            Calendar::new(&BusinessCalendar { time_zone: Some("Asia/Shanghai".into()), cutover_hour: 4 }).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(calendar.place(at("2026-11-24T03:59:59.999+08:00")), (jiff::civil::date(2026, 11, 23), 3));
        assert_eq!(calendar.place(at("2026-11-24T04:00:00+08:00")), (jiff::civil::date(2026, 11, 24), 4));
        assert!(Calendar::new(&BusinessCalendar { time_zone: Some("Mars/Base".into()), cutover_hour: 0 }).is_err());
        assert!(Calendar::new(&BusinessCalendar { time_zone: None, cutover_hour: 24 }).is_err());
    }
}
