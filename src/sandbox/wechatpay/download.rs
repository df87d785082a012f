//! The bills: a signed call gives an address that is good for five minutes, and what lies there is not signed.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::HERE;
use super::bill::{Kind, Merchant, fund_flow, trade_bill};
use super::call::Call;
use super::refused::Refused;
use crate::crypto::{random_token, sha1_hex};
use crate::sandbox::Shared;
use crate::sandbox::book::Millis;
use crate::sandbox::wire::china_zone;

const GOOD_FOR: Millis = 5 * 60_000;
/// So many files wait to be fetched.
const MAX_WAITING: usize = 64;
/// The hour from which a day's bills are there, on the next day.
const READY_AT: i8 = 10;

/// Files that wait to be fetched.
#[derive(Default)]
pub(super) struct Downloads(Mutex<VecDeque<Waiting>>);

struct Waiting {
    token: String,
    until: Millis,
    kind: &'static str,
    file: Bytes,
}

impl Downloads {
    fn keep(&self, kind: &'static str, file: Bytes, now: Millis) -> String {
        let token = random_token();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(Waiting { token: token.clone(), until: now + GOOD_FOR, kind, file });
        while waiting.len() > MAX_WAITING {
            waiting.pop_front();
        }
        token
    }

    fn fetch(&self, token: &str, now: Millis) -> Option<(&'static str, Bytes)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|file| now < file.until);
        waiting.iter().find(|file| file.token == token).map(|file| (file.kind, file.file.clone()))
    }
}

/// Why there is no bill of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoBill {
    /// The day is none that bills are given of.
    Day,
    /// It is being made.
    NotYet,
    /// Nothing happened.
    Nothing,
}

/// A day in the past three months whose bills are there. In reality that is the next morning; here, unless
/// `as_in_reality`, the present day can be asked for as far as it has gone.
fn check_day(day: Date, now: Millis, as_in_reality: bool) -> Result<(), NoBill> {
    let now = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(china_zone());
    let today = now.date();
    let oldest = today.checked_sub(3.months()).unwrap_or(today);
    let last = if as_in_reality { today.yesterday().unwrap_or(today) } else { today };
    if day < oldest || day > last {
        return Err(NoBill::Day);
    }
    let morning = as_in_reality && day == last && now.hour() < READY_AT;
    if morning { Err(NoBill::NotYet) } else { Ok(()) }
}

/// The trade bill of a day.
pub(super) fn trades(shared: &Shared, day: Date, kind: Kind, now: Millis) -> Result<String, NoBill> {
    check_day(day, now, shared.wechatpay.bills_next_morning())?;
    let entries = shared.book().day(HERE, day);
    let keys = &shared.credentials.wechatpay;
    trade_bill(Merchant { appid: &keys.appid, mchid: &keys.mchid }, kind, &entries, now).ok_or(NoBill::Nothing)
}

/// The fund flow of a day. The merchant has no other account than the basic one.
pub(super) fn flow(shared: &Shared, day: Date, basic: bool, now: Millis) -> Result<String, NoBill> {
    check_day(day, now, shared.wechatpay.bills_next_morning())?;
    let midnight = |day: Date| day.to_zoned(china_zone()).map_or(Millis::MAX, |at| at.timestamp().as_millisecond());
    let entries = shared.book().between(HERE, 0, day.tomorrow().map_or(Millis::MAX, midnight));
    let told = fund_flow(&shared.credentials.wechatpay.mchid, &entries, midnight(day));
    told.filter(|_| basic).ok_or(NoBill::Nothing)
}

/// Compresses as the platform does where `tar_type` says so.
pub(super) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

impl From<NoBill> for Refused {
    fn from(why: NoBill) -> Self {
        match why {
            NoBill::Day => Self::invalid("bill_date不合法：仅支持三个月内、且已出账日期的账单下载申请"),
            NoBill::NotYet => Self::new(400, "STATEMENT_CREATING", "账单生成中，请稍后再试"),
            NoBill::Nothing => Self::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"),
        }
    }
}

fn one_of(call: &Call, name: &str, known: &[&str]) -> Result<String, Refused> {
    let value = call.query(name);
    match value.is_empty() || known.contains(&value.as_str()) {
        true => Ok(value),
        false => Err(Refused::param(format!("参数{name}的取值不合法")).with(json!({
            "field": name, "value": value, "issue": "not one of the known values", "location": "query",
        }))),
    }
}

fn asked_day(call: &Call) -> Result<Date, Refused> {
    let text = call.query("bill_date");
    Date::strptime("%Y-%m-%d", &text).ok().filter(|_| text.len() == 10).ok_or_else(|| {
        Refused::param("参数bill_date的格式应为yyyy-MM-dd").with(json!({
            "field": "bill_date", "value": text, "issue": "not a date", "location": "query",
        }))
    })
}

fn told(call: &Call, text: &str, gzipped: bool, now: Millis) -> (u16, Value) {
    let (kind, file) = match gzipped {
        true => ("application/gzip", gzip(text)),
        false => ("text/plain; charset=utf-8", text.as_bytes().to_vec()),
    };
    let token = call.shared.wechatpay.downloads.keep(kind, file.into(), now);
    let told = json!({
        "hash_type": "SHA1",
        // Of the text, whether it is fetched compressed or not.
        "hash_value": sha1_hex(text.as_bytes()),
        "download_url": format!("{}/v3/billdownload/file?token={token}", call.origin()),
    });
    (200, told)
}

/// `GET /v3/bill/tradebill`
pub(super) async fn trade_bills(call: Call) -> Response {
    call.answer(&["bill"], |call, now| {
        let day = asked_day(call)?;
        let kind = one_of(call, "bill_type", &["ALL", "SUCCESS", "REFUND"])?;
        let gzipped = one_of(call, "tar_type", &["GZIP"])? == "GZIP";
        let text = trades(&call.shared, day, Kind::read(&kind).unwrap_or(Kind::All), now)?;
        Ok(told(call, &text, gzipped, now))
    })
    .await
}

/// `GET /v3/bill/fundflowbill`
pub(super) async fn fund_flow_bills(call: Call) -> Response {
    call.answer(&["bill"], |call, now| {
        let day = asked_day(call)?;
        let account = one_of(call, "account_type", &["BASIC", "OPERATION", "FEES"])?;
        let gzipped = one_of(call, "tar_type", &["GZIP"])? == "GZIP";
        let text = flow(&call.shared, day, matches!(account.as_str(), "" | "BASIC"), now)?;
        Ok(told(call, &text, gzipped, now))
    })
    .await
}

/// `GET /v3/billdownload/file`
pub(super) async fn file(call: Call) -> Response {
    call.answer_file(&["bill_file"], |call, now| {
        let found = call.shared.wechatpay.downloads.fetch(&call.query("token"), now);
        found.ok_or_else(|| Refused::invalid("账单下载地址不合法或已过期，请重新申请账单"))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_bills_are_there_on_the_next_morning_or_at_once() {
        let now = |text: &str| format!("{text}+08:00").parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let ask = |day: &str, at: &str, strict| check_day(day.parse().unwrap(), now(at), strict);
        assert_eq!(ask("2026-11-25", "2026-11-25T08:00:00", false), Ok(()));
        assert_eq!(ask("2026-11-25", "2026-11-25T23:00:00", true), Err(NoBill::Day));
        assert_eq!(ask("2026-11-25", "2026-11-26T09:59:59", true), Err(NoBill::NotYet));
        assert_eq!(ask("2026-11-25", "2026-11-26T10:00:00", true), Ok(()));
        assert_eq!(ask("2026-11-26", "2026-11-25T23:00:00", false), Err(NoBill::Day));
        assert_eq!(ask("2026-08-25", "2026-11-25T23:00:00", false), Ok(()));
        assert_eq!(ask("2026-08-24", "2026-11-25T23:00:00", false), Err(NoBill::Day));
    }

    #[test]
    fn an_address_is_good_for_five_minutes_and_there_are_not_many() {
        let downloads = Downloads::default();
        let first = downloads.keep("text/plain", Bytes::from_static(b"a"), 0);
        assert!(downloads.fetch(&first, GOOD_FOR - 1).is_some() && downloads.fetch("other", 0).is_none());
        for _ in 0..MAX_WAITING {
            downloads.keep("text/plain", Bytes::new(), 0);
        }
        assert!(downloads.fetch(&first, 0).is_none(), "the oldest makes room");
        let last = downloads.keep("text/plain", Bytes::new(), 0);
        assert!(downloads.fetch(&last, GOOD_FOR).is_none());
    }
}
