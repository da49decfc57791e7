//! The `Date` header field (RFC 3261 §20.17: RFC 1123 form, always GMT).

use crate::time::UnixMicros;
use std::fmt::{Display, Formatter, Result};

/// A moment as a `Date` value, such as `Sat, 13 Nov 2010 23:29:00 GMT`.
pub(super) struct SipDate(pub(super) UnixMicros);

const SECONDS_PER_DAY: u64 = 86_400;

impl Display for SipDate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970-01-01 was a Thursday
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let days = self.0.as_secs() / SECONDS_PER_DAY;
        let second = self.0.as_secs() % SECONDS_PER_DAY;
        let (year, month, day) = civil(days);
        let weekday = WEEKDAYS[(days % 7) as usize];
        let month = MONTHS[month as usize];
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{weekday}, {day:02} {month} {year:04} {h:02}:{m:02}:{s:02} GMT")
    }
}

/// Year, month (0 to 11) and day (1 to 31) of a number of days since 1970, in the Gregorian calendar. Years are counted
/// from March, so that the leap day comes last (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468; // from 0000-03-01
    const DAYS_PER_ERA: u64 = 146_097; // 400 years
    let days = days + DAYS_TO_1970;
    let day_of_era = days % DAYS_PER_ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = days / DAYS_PER_ERA * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(second: u64) -> String {
        SipDate(UnixMicros(second * 1_000_000)).to_string()
    }

    #[test]
    fn known_dates() {
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(1_289_690_940), "Sat, 13 Nov 2010 23:29:00 GMT"); // RFC 3261 §20.17
        assert_eq!(date(951_782_399), "Mon, 28 Feb 2000 23:59:59 GMT");
        assert_eq!(date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(date(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT"); // 2100 is no leap year
        assert_eq!(date(1_767_225_599), "Wed, 31 Dec 2025 23:59:59 GMT");
    }

    #[test]
    fn the_last_moment_that_can_be_told_has_a_date() {
        assert!(SipDate(UnixMicros(u64::MAX)).to_string().ends_with(" GMT"));
    }
}
