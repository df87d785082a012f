//! The providers' clock: China Standard Time, UTC+8 all year.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::payment::UnixMillis;

fn zone() -> TimeZone {
    TimeZone::fixed(Offset::constant(8))
}

/// `yyyy-MM-dd HH:mm:ss`
pub(super) fn plain(at: UnixMillis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// RFC 3339 with +08:00, whole seconds.
pub(super) fn rfc3339(at: UnixMillis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone()).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// `yyyyMMddHHmmss`
pub(super) fn compact(at: UnixMillis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone()).strftime("%Y%m%d%H%M%S").to_string()
}

/// The calendar day in China.
pub(super) fn day(at: UnixMillis) -> Date {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone()).date()
}

/// A moment of a day in China: `hhmmss` in six digits.
pub(super) fn at(day: Date, hhmmss: &str) -> Option<UnixMillis> {
    let two = |from: usize| hhmmss.get(from..from + 2)?.parse::<i8>().ok();
    let time = Time::new(two(0)?, two(2)?, two(4)?, 0).ok().filter(|_| hhmmss.len() == 6)?;
    day.to_datetime(time).to_zoned(zone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// Reads `yyyy-MM-dd HH:mm:ss`.
pub(super) fn read_plain(text: &str) -> Option<UnixMillis> {
    let local: DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
    local.to_zoned(zone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// Reads `yyyyMMddHHmmss`.
pub(super) fn read_compact(text: &str) -> Option<UnixMillis> {
    let (day, time) = text.trim().split_at_checked(8)?;
    let local: DateTime = format!("{day}T{time}").parse().ok().filter(|_| time.len() == 6)?;
    local.to_zoned(zone()).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// Reads RFC 3339 with any offset.
pub(super) fn read_rfc3339(text: &str) -> Option<UnixMillis> {
    text.trim().parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_what_they_write() {
        let at = 1_795_487_696_000;
        assert_eq!(read_plain(&plain(at)), Some(at));
        assert_eq!(read_rfc3339(&rfc3339(at)), Some(at));
        assert_eq!(read_compact(&compact(at)), Some(at));
        assert_eq!((compact(0).as_str(), read_compact("2026112")), ("19700101080000", None));
        assert_eq!(plain(0), "1970-01-01 08:00:00");
        assert_eq!(compact(0), "19700101080000");
        assert_eq!(super::at(day(0), "080000"), Some(0));
        assert_eq!((super::at(day(0), "8000"), super::at(day(0), "0800é")), (None, None));
        assert_eq!(read_plain("yesterday"), None);
    }
}
