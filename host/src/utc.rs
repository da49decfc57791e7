//! UTC dates as text: RFC 3339 for logs, the compact form for file names.

use crosspoint_core::time::UnixMicros;
use std::fmt;

/// A moment broken into its parts.
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// Days to date after Howard Hinnant's `civil_from_days`, for dates from 1970 on.
fn civil(seconds: u64) -> Civil {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    Civil {
        year: era * 400 + year_of_era + u64::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        hour: seconds % 86_400 / 3600,
        minute: seconds % 3600 / 60,
        second: seconds % 60,
    }
}

/// Prints as `2026-01-02T03:04:05.678901Z`.
pub struct Rfc3339(pub UnixMicros);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = civil(self.0.as_secs());
        let (date, time) = ((c.year, c.month, c.day), (c.hour, c.minute, c.second));
        let us = self.0.0 % 1_000_000;
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{us:06}Z", date.0, date.1, date.2, time.0, time.1, time.2)
    }
}

/// Prints seconds since 1970 as `20260102T030405Z`, which sorts as text in the order of time.
pub struct Stamp(pub u64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = civil(self.0);
        write!(f, "{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }
}

/// The seconds since 1970 that a [`Stamp`] printed; `None` where the text is none.
pub fn parse_stamp(text: &str) -> Option<u64> {
    let digits = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    if text.len() != 16 || text.get(8..9) != Some("T") || !text.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year / 400;
    let year_of_era = shifted_year % 400;
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some((days.checked_sub(719_468)?) * 86_400 + digits(9, 11)? * 3600 + digits(11, 13)? * 60 + digits(13, 15)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (1_767_323_045, "20260102T030405Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(Stamp(seconds).to_string(), text);
            assert_eq!(parse_stamp(text), Some(seconds));
        }
        assert_eq!(Rfc3339(UnixMicros(1_767_323_045_678_901)).to_string(), "2026-01-02T03:04:05.678901Z");
    }

    #[test]
    fn stamps_survive_text_on_every_day_of_a_leap_cycle() {
        for day in 0..366 * 4 {
            let seconds = 1_700_000_000 + day * 86_400;
            assert_eq!(parse_stamp(&Stamp(seconds).to_string()), Some(seconds));
        }
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        for text in ["", "20260102", "20261302T030405Z", "2026010éT03040Z", "20260102 030405Z"] {
            assert_eq!(parse_stamp(text), None, "{text}");
        }
    }
}
