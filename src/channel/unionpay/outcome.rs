//! What an answer means, call by call. Pure; the signature was checked before.

use super::fields::Fields;
use super::meaning::{Meaning, failure, meaning};
use crate::channel::china_time;
use crate::channel::{CodeOutcome, Paid, PayOutcome, QueryOutcome, RefundOutcome, TradeRef};
use crate::money::{Currency, Money};
use crate::payment::{UnixMillis, Way};

const INCOMPLETE: &str = "UnionPay says paid, but not which transaction or how much";
pub(super) const OTHER_ORDER: &str = "the answer is about another order";

/// The answer's meaning, where the answer itself says it (and not of an original).
pub(super) fn of_answer(fields: &Fields) -> Meaning {
    meaning(fields.get("respCode"))
}

/// What a query's answer says of the transaction that was asked about.
pub(super) fn of_original(fields: &Fields) -> Meaning {
    match of_answer(fields) {
        Meaning::Done => meaning(fields.get("origRespCode")),
        Meaning::NotFound => Meaning::NotFound,
        _ => Meaning::Unknown,
    }
}

/// 01/07
pub(super) fn created(fields: &Fields) -> CodeOutcome {
    match (of_answer(fields), fields.some("qrCode")) {
        (Meaning::Done, Some(code)) => CodeOutcome::Shown { code: code.to_owned() },
        (Meaning::Refused(reason), _) => CodeOutcome::Failed(failure(fields, reason)),
        _ => CodeOutcome::Unknown(fields.words()),
    }
}

/// 01/06. `00` is no payment: the gateway has begun, and tells the end by itself or when it is asked.
pub(super) fn submitted(fields: &Fields) -> PayOutcome {
    match of_answer(fields) {
        Meaning::Done | Meaning::UnderWay => PayOutcome::CustomerConfirming,
        Meaning::Refused(reason) => PayOutcome::Failed(failure(fields, reason)),
        Meaning::NotFound | Meaning::Returned | Meaning::Unknown => PayOutcome::Unknown(fields.words()),
    }
}

/// 00/00 of a purchase. `over` says that a shown order's time is past: what is not paid then can no longer be
/// (the gateway refuses to take it, and its documents say to call it failed).
pub(super) fn queried(trade: &TradeRef, fields: &Fields, over: bool, now: UnixMillis) -> QueryOutcome {
    let shown = trade.way == Way::MerchantPresented;
    match of_original(fields) {
        Meaning::Done => {
            payment(fields, now).map_or_else(|| QueryOutcome::Unknown(INCOMPLETE.into()), QueryOutcome::Paid)
        }
        Meaning::Returned => QueryOutcome::Returned,
        Meaning::UnderWay | Meaning::NotFound | Meaning::Refused(_) if shown && over => QueryOutcome::Closed,
        // Who is refused with a shown order may try again with another card.
        Meaning::UnderWay | Meaning::Refused(_) if shown => QueryOutcome::AwaitingCustomer,
        Meaning::UnderWay => QueryOutcome::CustomerConfirming,
        Meaning::NotFound => QueryOutcome::NotFound,
        Meaning::Refused(reason) => QueryOutcome::Failed(failure(fields, reason)),
        Meaning::Unknown => QueryOutcome::Unknown(fields.words()),
    }
}

/// 00/00 of a refund.
pub(super) fn refund_queried(fields: &Fields) -> RefundOutcome {
    match of_original(fields) {
        Meaning::Done => RefundOutcome::Done,
        Meaning::UnderWay => RefundOutcome::Processing,
        Meaning::Refused(reason) => RefundOutcome::Failed(failure(fields, reason)),
        // Not received: the same refund may be asked for again.
        Meaning::NotFound => RefundOutcome::NotFound,
        Meaning::Returned | Meaning::Unknown => RefundOutcome::Unknown(fields.words()),
    }
}

/// The payment that a query's answer or a notification tells of. `now` stands in where it does not say when.
pub(super) fn payment(fields: &Fields, now: UnixMillis) -> Option<Paid> {
    let code = fields.some("origRespCode").unwrap_or_else(|| fields.get("respCode"));
    // A6: a part only was taken, and that is what is settled.
    let amount = if code == "A6" { fields.some("settleAmt") } else { None };
    let fen: i64 = digits(amount.unwrap_or_else(|| fields.get("txnAmt")))?.parse().ok()?;
    let in_yuan = fields.some("currencyCode").is_none_or(|currency| currency == "156");
    Some(Paid {
        provider_trade_no: fields.some("queryId")?.to_owned(),
        amount: Money::new(fen, Currency::CNY),
        payer: fields.some("accNo").map(masked),
        paid_at: paid_at(fields).unwrap_or(now),
    })
    .filter(|_| in_yuan)
}

fn digits(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `traceTime` is `MMDDhhmmss`; the year is that of `txnTime`, or the next where it crossed New Year.
fn paid_at(fields: &Fields) -> Option<UnixMillis> {
    let (trace, ordered) = (digits(fields.get("traceTime"))?, digits(fields.get("txnTime"))?);
    let year: i16 = ordered.get(..4)?.parse().ok()?;
    let crossed = ordered.get(4..6) == Some("12") && trace.get(..2) == Some("01");
    let part = |from: usize| trace.get(from..from + 2)?.parse::<i8>().ok();
    let day = jiff::civil::Date::new(if crossed { year.checked_add(1)? } else { year }, part(0)?, part(2)?).ok()?;
    china_time::at(day, trace.get(4..)?)
}

/// The gateway masks a card's number (`6226********0048`); one that it did not is masked here.
fn masked(account: &str) -> String {
    let mask = |account: &str| {
        let tail = account.len().checked_sub(4).filter(|tail| *tail > 6)?;
        Some(format!("{}****{}", account.get(..6)?, account.get(tail..)?))
    };
    if account.contains('*') { account.to_owned() } else { mask(account).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of_answer(text).remove(0)
    }

    #[test]
    fn a_payment_needs_a_number_an_amount_in_fen_and_yuan() {
        let paid = "queryId=7&txnAmt=100&settleAmt=60&respCode=00&traceTime=0101000001&txnTime=20261231235958";
        let payment_of = |text: &str| payment(&fields(text), 5);
        let whole = payment_of(paid).unwrap();
        assert_eq!(whole.amount.minor, 100);
        // Just after New Year in China.
        assert_eq!(whole.paid_at, 1_798_732_801_000);
        assert_eq!(payment_of(&paid.replace("=00&", "=A6&")).unwrap().amount.minor, 60);
        assert_eq!(payment_of(&paid.replace("0101000001", "")).unwrap().paid_at, 5);
        for (is, becomes) in [("queryId=7", "queryId="), ("=100", "=1.00"), ("=100", "=-100"), ("=100", "=")] {
            assert_eq!(payment_of(&paid.replace(is, becomes)), None, "{becomes}");
        }
        assert_eq!(payment_of(&format!("{paid}&currencyCode=840")), None);
        assert_eq!(masked("6226000011110048"), "622600****0048");
        assert_eq!((masked("6226****0048").as_str(), masked("622").as_str()), ("6226****0048", ""));
    }
}
