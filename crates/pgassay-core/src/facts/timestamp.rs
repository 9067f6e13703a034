//! A moment, as the server tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment in seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub f64);

impl Timestamp {
    /// Negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        self.0 - earlier.0
    }

    /// Whole days, rounded down.
    pub fn days_since(self, earlier: Timestamp) -> i64 {
        (self.seconds_since(earlier) / 86_400.0).floor() as i64
    }
}

/// `2026-01-31 18:00:05 UTC`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.floor() as i64;
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar. Years are counted from March on, so that
/// the leap day is the last of its year; 400 years have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        let shown = |seconds: f64| Timestamp(seconds).to_string();
        assert_eq!(shown(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(shown(951_782_400.5), "2000-02-29 00:00:00 UTC");
        assert_eq!(shown(1_735_689_599.0), "2024-12-31 23:59:59 UTC");
        assert_eq!(shown(-1.0), "1969-12-31 23:59:59 UTC");
    }
}
