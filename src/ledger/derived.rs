//! The tables that follow from the journal: payments, attempts, and the running sums of takings. The same code fills
//! them as events are written and when they are made anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::AnyConnection;

use super::LedgerError;
use super::calendar::Calendar;
use super::chain::StoredRow;
use super::place::Place;
use super::sql::{self, Param};
use crate::payment::{AttemptState, IllegalEvent, OutTradeNo, Payment, PaymentEvent, PaymentId, UnixMillis};

/// What one running sum is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SumKey {
    pub(super) day: String,
    pub(super) training: bool,
    pub(super) currency: &'static str,
    pub(super) store: String,
    pub(super) till: String,
    operator: String,
    pub(super) channel: String,
    pub(super) hour: i8,
}

/// By how much a running sum grows, in minor units and in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Growth {
    pub(super) gross: i64,
    pub(super) refunds: i64,
    pub(super) sales: i64,
    pub(super) refund_count: i64,
}

impl Growth {
    pub(super) fn add(&mut self, more: &Self) {
        self.gross = self.gross.saturating_add(more.gross);
        self.refunds = self.refunds.saturating_add(more.refunds);
        self.sales += more.sales;
        self.refund_count += more.refund_count;
    }
}

/// An attempt as its table has it.
#[derive(Debug, Clone)]
pub(super) struct AttemptRow {
    pub(super) out_trade_no: OutTradeNo,
    pub(super) auth_code_mac: Option<String>,
    pub(super) account: String,
    pub(super) payment: PaymentId,
    pub(super) started_at: UnixMillis,
}

/// What events make of a payment, worked out before anything is written.
pub(super) struct Effects {
    pub(super) payment: Payment,
    pub(super) attempts: Vec<AttemptRow>,
    refunds: Vec<(String, PaymentId)>,
    sums: Vec<(SumKey, Growth)>,
}

impl Effects {
    /// Lets `events` happen to a payment, or to none yet.
    pub(super) fn of(
        calendar: &Calendar,
        before: Option<Payment>,
        id: &PaymentId,
        at: UnixMillis,
        events: &[PaymentEvent],
    ) -> Result<Self, LedgerError> {
        let mut payment = before;
        let (mut attempts, mut refunds, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for event in events {
            let now = match payment.as_mut() {
                Some(payment) => {
                    payment.apply(at, event)?;
                    payment
                }
                None => payment.insert(Payment::create(id.clone(), at, event)?),
            };
            if let PaymentEvent::AttemptStarted { account, out_trade_no, auth_code_mac, .. } = event {
                attempts.push(AttemptRow {
                    out_trade_no: out_trade_no.clone(),
                    auth_code_mac: auth_code_mac.clone(),
                    account: account.to_string(),
                    payment: id.clone(),
                    started_at: at,
                });
            }
            if let PaymentEvent::RefundStarted { out_refund_no, .. }
            | PaymentEvent::SurplusRefundStarted { out_refund_no, .. } = event
            {
                refunds.push((out_refund_no.clone(), id.clone()));
            }
            sums.extend(growth(now, event).map(|(no, growth)| (sum_key(calendar, now, no, at), growth)));
        }
        let payment = payment.ok_or(LedgerError::NotFound)?;
        Ok(Self { payment, attempts, refunds, sums })
    }
}

/// The attempt whose money moved by `event`, and how. `payment` has taken the event already.
fn growth(payment: &Payment, event: &PaymentEvent) -> Option<(u32, Growth)> {
    let amount = payment.amount.minor;
    match event {
        PaymentEvent::AttemptSucceeded { no, .. } => {
            let surplus = payment.attempt(*no).is_some_and(|attempt| attempt.state != AttemptState::Succeeded);
            Some((*no, Growth { gross: amount, sales: i64::from(!surplus), ..Growth::default() }))
        }
        PaymentEvent::SurplusRefunded { no } => {
            Some((*no, Growth { refunds: amount, refund_count: 1, ..Growth::default() }))
        }
        PaymentEvent::AttemptReversed { no, captured: true } => {
            Some((*no, Growth { gross: amount, refunds: amount, refund_count: 1, ..Growth::default() }))
        }
        PaymentEvent::ArrivedLate { no } => Some((*no, Growth { gross: amount, ..Growth::default() })),
        PaymentEvent::RefundSucceeded { no } => payment.refund(*no).map(|refund| {
            (refund.attempt, Growth { refunds: refund.amount.minor, refund_count: 1, ..Growth::default() })
        }),
        _ => None,
    }
}

fn sum_key(calendar: &Calendar, payment: &Payment, no: u32, at: UnixMillis) -> SumKey {
    let (day, hour) = calendar.day_and_hour(at);
    SumKey {
        day: day.to_string(),
        training: payment.training,
        currency: payment.amount.currency.code(),
        store: payment.store.to_string(),
        till: payment.till.to_string(),
        operator: storable(payment.operator.as_deref().unwrap_or_default()),
        channel: payment.attempt(no).map(|attempt| attempt.channel.to_string()).unwrap_or_default(),
        hour,
    }
}

/// Text as a column can hold it: PostgreSQL takes no NUL.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Payments that were read, and what has to be written of them.
#[derive(Default)]
pub(super) struct Derived {
    payments: HashMap<PaymentId, Payment>,
    changed: BTreeSet<PaymentId>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) refunds: Vec<(String, PaymentId)>,
    pub(super) sums: BTreeMap<SumKey, Growth>,
}

impl Derived {
    /// Over payments that were read.
    pub(super) fn over(payments: Vec<Payment>) -> Self {
        let payments = payments.into_iter().map(|payment| (payment.id.clone(), payment)).collect();
        Self { payments, ..Self::default() }
    }

    /// A payment that was loaded or made.
    pub(super) fn payment(&self, id: &PaymentId) -> Option<&Payment> {
        self.payments.get(id)
    }

    /// Every payment that was loaded or made.
    pub(super) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// Every payment that has to be written.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Payment> {
        self.changed.iter().filter_map(|id| self.payments.get(id))
    }

    /// Takes over what events made of a payment.
    pub(super) fn absorb(&mut self, effects: Effects) {
        let Effects { payment, attempts, refunds, sums } = effects;
        self.attempts.extend(attempts);
        self.refunds.extend(refunds);
        for (key, growth) in sums {
            self.sums.entry(key).or_default().add(&growth);
        }
        self.changed.insert(payment.id.clone());
        self.payments.insert(payment.id.clone(), payment);
    }

    /// Writes what changed.
    pub(super) async fn write(&self, connection: &mut AnyConnection, calendar: &Calendar) -> Result<(), sqlx::Error> {
        self.write_payments(connection, calendar).await?;
        let attempts: Vec<_> = self
            .attempts
            .iter()
            .map(|attempt| {
                [
                    Param::Text(attempt.out_trade_no.as_str()),
                    Param::Text(attempt.payment.as_str()),
                    Param::Text(&attempt.account),
                    Param::Maybe(attempt.auth_code_mac.as_deref()),
                    Param::Int(attempt.started_at),
                ]
            })
            .collect();
        sql::insert(connection, "attempts (out_trade_no, payment, account, auth_code_mac, started_at)", attempts, "")
            .await?;
        let refunds =
            self.refunds.iter().map(|(number, payment)| [Param::Text(number), Param::Text(payment.as_str())]).collect();
        // A surplus may be asked back under one number more than once.
        let then = "ON CONFLICT (out_refund_no) DO NOTHING";
        sql::insert(connection, "refunds (out_refund_no, payment)", refunds, then).await?;
        let sums: Vec<_> = self
            .sums
            .iter()
            .map(|(key, sum)| {
                [
                    Param::Text(&key.day),
                    Param::Int(key.training.into()),
                    Param::Text(key.currency),
                    Param::Text(&key.store),
                    Param::Text(&key.till),
                    Param::Text(&key.operator),
                    Param::Text(&key.channel),
                    Param::Int(key.hour.into()),
                    Param::Int(sum.gross),
                    Param::Int(sum.refunds),
                    Param::Int(sum.sales),
                    Param::Int(sum.refund_count),
                ]
            })
            .collect();
        sql::insert(
            connection,
            "takings (business_day, training, currency, store, till, operator, channel, hour, gross, refunds, sales, \
             refund_count)",
            sums,
            "ON CONFLICT (business_day, training, currency, store, till, operator, channel, hour) DO UPDATE SET \
             gross = takings.gross + excluded.gross, refunds = takings.refunds + excluded.refunds, \
             sales = takings.sales + excluded.sales, refund_count = takings.refund_count + excluded.refund_count",
        )
        .await
    }

    async fn write_payments(&self, connection: &mut AnyConnection, calendar: &Calendar) -> Result<(), sqlx::Error> {
        let changed: Vec<_> = self
            .changed()
            .map(|payment| {
                let doc = serde_json::to_string(payment).map_err(|error| sqlx::Error::Encode(error.into()))?;
                Ok((payment, calendar.day_and_hour(payment.created_at).0.to_string(), doc))
            })
            .collect::<Result<_, sqlx::Error>>()?;
        let rows: Vec<_> = changed
            .iter()
            .map(|(payment, day, doc)| {
                [
                    Param::Text(payment.id.as_str()),
                    Param::Text(payment.state.name()),
                    Param::Text(day),
                    Param::Text(payment.store.as_str()),
                    Param::Text(payment.till.as_str()),
                    Param::Text(payment.channel().map_or("", |channel| channel.as_str())),
                    Param::Int(payment.training.into()),
                    Param::Int(payment.is_unfinished().into()),
                    Param::Text(doc),
                ]
            })
            .collect();
        sql::insert(
            connection,
            "payments (id, state, business_day, store, till, channel, training, unfinished, doc)",
            rows,
            "ON CONFLICT (id) DO UPDATE SET state = excluded.state, channel = excluded.channel, \
             unfinished = excluded.unfinished, doc = excluded.doc",
        )
        .await
    }
}

/// What rows of the journal make of payments that were read.
pub(super) fn replay(
    calendar: &Calendar,
    payments: Vec<Payment>,
    rows: Vec<StoredRow>,
) -> Result<Derived, LedgerError> {
    let mut derived = Derived::over(payments);
    for row in rows.into_iter().filter(|row| row.payment.is_some()) {
        let row = row.opened()?;
        let Some(id) = row.payment else { continue };
        let event: PaymentEvent = serde_json::from_value(row.payload).map_err(|error| {
            LedgerError::Database(format!("row {} of the journal tells no known event: {error}", row.seq))
        })?;
        let before = derived.payment(&id).cloned();
        derived.absorb(Effects::of(calendar, before, &id, row.at, &[event])?);
    }
    Ok(derived)
}

/// Reads these payments.
pub(super) async fn load_payments(
    connection: &mut AnyConnection,
    place: &Place,
    ids: Vec<&str>,
) -> Result<Vec<Payment>, LedgerError> {
    let rows = sql::query_in(connection, "SELECT doc FROM payments WHERE id", ids).await;
    let rows = rows.map_err(|error| place.refused(error))?;
    rows.iter().map(|row| read_payment(&sql::text(row, 0).map_err(|error| place.refused(error))?)).collect()
}

/// A payment out of its table.
pub(super) fn read_payment(doc: &str) -> Result<Payment, LedgerError> {
    serde_json::from_str(doc).map_err(|error| {
        LedgerError::Database(format!("a payment cannot be read ({error}): run `scantill ledger rebuild`"))
    })
}

/// The refusal of an `out_trade_no` that another payment has.
pub(super) fn number_taken(effects: &Effects) -> LedgerError {
    LedgerError::Illegal(IllegalEvent {
        event: "attempt_started",
        state: effects.payment.state.name(),
        why: "the out_trade_no belongs to another attempt",
    })
}
