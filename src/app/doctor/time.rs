//! This machine's clock, held against others'.

use super::super::embedded::now;
use super::Check;
use crate::payment::UnixMillis;

const CLOCK: &str = "clock";
/// Up to this a difference may be the way's.
const NEAR_MS: i64 = 15_000;
/// From this on providers and the Payment API refuse what is signed here (WeChat Pay and the Payment API: 300 s).
const FAR_MS: i64 = 240_000;

/// What other clocks said.
#[derive(Default)]
pub(super) struct Clocks {
    /// Whose, and how far ours is ahead of it in milliseconds.
    others: Vec<(String, i64)>,
    newest_row: Option<UnixMillis>,
}

impl Clocks {
    /// Ours was compared with somebody's; `None` where they do not tell their time.
    pub fn compared(&mut self, whose: &str, ahead: Option<i64>) {
        self.others.extend(ahead.map(|ahead| (whose.to_owned(), ahead)));
    }

    /// When the newest row of the journal was written, by this clock or one that shares the books.
    pub const fn newest_row(&mut self, at: Option<UnixMillis>) {
        self.newest_row = at;
    }

    pub fn check(&self) -> Check {
        let cure = "Set this machine's clock by the network (NTP): `timedatectl set-ntp true`.";
        let back = self.newest_row.map_or(0, |at| at - now());
        if back > NEAR_MS {
            let found = format!("The clock is {} behind the newest row of the books.", span(back));
            return if back > FAR_MS { Check::failure(CLOCK, found, cure) } else { Check::warning(CLOCK, found, cure) };
        }
        let Some((whose, ahead)) = self.others.iter().max_by_key(|(_, ahead)| ahead.abs()) else {
            return Check::warning(
                CLOCK,
                "The clock could not be compared: nobody who tells the time could be reached.",
                "Look at the clock yourself; providers refuse what is signed over 5 minutes off.",
            );
        };
        let way = if *ahead > 0 { "ahead of" } else { "behind" };
        let found = format!("The clock is {} {way} that of {whose}.", span(ahead.abs()));
        match ahead.abs() {
            near if near <= NEAR_MS => Check::ok(CLOCK, format!("The clock agrees with that of {whose}.")),
            far if far <= FAR_MS => Check::warning(CLOCK, found, cure),
            _ => Check::failure(CLOCK, found, cure),
        }
    }
}

/// A span of time for people.
pub(super) fn span(ms: i64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_worst_difference_counts_and_time_never_goes_back() {
        let verdict = |others: &[i64], row: Option<i64>| {
            let mut clocks = Clocks::default();
            others.iter().for_each(|ahead| clocks.compared("a gateway", Some(*ahead)));
            clocks.newest_row(row.map(|after| now() + after));
            clocks.check().verdict
        };
        assert_eq!(verdict(&[], None), Verdict::Warning);
        assert_eq!(verdict(&[900, -2_000], Some(-5_000)), Verdict::Ok);
        assert_eq!(verdict(&[900, -60_000], None), Verdict::Warning);
        assert_eq!(verdict(&[900, 700_000], None), Verdict::Failure);
        assert_eq!(verdict(&[0], Some(3_600_000)), Verdict::Failure);
    }
}
