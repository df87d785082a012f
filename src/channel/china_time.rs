//! The providers' clock: China Standard Time, UTC+8 all year.

use jiff::Timestamp;
use jiff::civil::DateTime;
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

/// Reads `yyyy-MM-dd HH:mm:ss`.
pub(super) fn read_plain(text: &str) -> Option<UnixMillis> {
    let local: DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
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
        assert_eq!(plain(0), "1970-01-01 08:00:00");
        assert_eq!(read_plain("yesterday"), None);
    }
}
