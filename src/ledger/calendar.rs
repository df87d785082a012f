//! Which business day and hour a moment belongs to.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{BusinessCalendar, LedgerError};
use crate::payment::UnixMillis;

/// A [`BusinessCalendar`] with its time zone looked up.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    zone: TimeZone,
    cutover_hour: i8,
}

impl Calendar {
    pub(super) fn new(settings: &BusinessCalendar) -> Result<Self, LedgerError> {
        if !(0..=23).contains(&settings.cutover_hour) {
            return Err(LedgerError::Database(format!(
                "{} is no hour of the day: the business day begins at an hour from 0 to 23",
                settings.cutover_hour
            )));
        }
        let zone = match &settings.time_zone {
            None => TimeZone::system(),
            Some(name) => TimeZone::get(name).map_err(|_| {
                LedgerError::Database(format!(
                    "the time zone {name} is not known: write an IANA name such as Asia/Shanghai"
                ))
            })?,
        };
        Ok(Self { zone, cutover_hour: settings.cutover_hour })
    }

    /// The business day, and the hour of the local clock (0-23).
    pub(super) fn day_and_hour(&self, at: UnixMillis) -> (Date, i8) {
        let end_of_time = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let local = self.zone.to_datetime(Timestamp::from_millisecond(at).unwrap_or(end_of_time));
        let date = local.date();
        let day = if local.hour() < self.cutover_hour { date.yesterday().unwrap_or(date) } else { date };
        (day, local.hour())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn millis(text: &str) -> UnixMillis {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_day_begins_at_the_cutover_of_the_local_clock() {
        let shanghai = BusinessCalendar { time_zone: Some("Asia/Shanghai".to_owned()), cutover_hour: 4 };
        let calendar = Calendar::new(&shanghai).unwrap();
        assert_eq!(calendar.day_and_hour(millis("2026-11-23T19:59:59.999Z")), (date(2026, 11, 23), 3));
        assert_eq!(calendar.day_and_hour(millis("2026-11-23T20:00:00Z")), (date(2026, 11, 24), 4));
        assert_eq!(calendar.day_and_hour(millis("2026-11-24T15:59:59Z")), (date(2026, 11, 24), 23));
        assert_eq!(calendar.day_and_hour(millis("2026-12-31T16:30:00Z")), (date(2026, 12, 31), 0));
    }

    #[test]
    fn a_moment_out_of_all_range_still_has_a_day() {
        let calendar = Calendar::new(&BusinessCalendar { time_zone: Some("UTC".to_owned()), cutover_hour: 0 }).unwrap();
        assert_eq!(calendar.day_and_hour(i64::MAX).0.year(), 9999);
        assert_eq!(calendar.day_and_hour(i64::MIN).0.year(), -9999);
    }

    #[test]
    fn settings_that_are_none_are_named() {
        let bad = |zone: &str, hour| {
            Calendar::new(&BusinessCalendar { time_zone: Some(zone.to_owned()), cutover_hour: hour }).unwrap_err()
        };
        assert!(bad("Mars/Olympus", 0).to_string().contains("Mars/Olympus"));
        assert!(bad("UTC", 24).to_string().contains("24"));
    }
}
