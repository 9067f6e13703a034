//! How long the calls of a file took to come: as the user says it, or by the times of a log.

/// `7d`, `24 h`, `90min`, `2 weeks`: in days.
pub fn days(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "s" | "second" | "seconds" => 1.0 / 86_400.0,
        "m" | "min" | "minute" | "minutes" => 1.0 / 1440.0,
        "h" | "hour" | "hours" => 1.0 / 24.0,
        "d" | "day" | "days" => 1.0,
        "w" | "week" | "weeks" => 7.0,
        _ => return Err("write a number and a unit: s, min, h, d or w, such as 7d".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 => Ok(number * unit),
        _ => Err(format!("{number:?} is not a number above 0")),
    }
}

/// `2024-01-31 10:00:00` at the beginning of a line of a log, with any fraction and time zone after it: in days since some day.
pub fn moment(text: &str) -> Option<f64> {
    let (date, rest) = (text.get(..10)?, text.get(11..19)?);
    let numbers = |text: &str, by: char| -> Option<[u32; 3]> {
        let parts: Vec<u32> = text.split(by).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(rest, ':')?);
    // Months from March on, so that the day that a leap year has more is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some(f64::from(days) + f64::from(hour * 3600 + minute * 60 + second) / 86_400.0)
}

/// From the first moment to the last.
#[derive(Debug, Default)]
pub struct Window(Option<(f64, f64)>);

impl Window {
    pub fn add(&mut self, at: Option<f64>) {
        let Some(at) = at else { return };
        let (first, last) = self.0.unwrap_or((at, at));
        self.0 = Some((first.min(at), last.max(at)));
    }

    /// `None` if there are not two moments.
    pub fn days(&self) -> Option<f64> {
        self.0.map(|(first, last)| last - first).filter(|days| *days > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_with_a_unit() {
        assert_eq!(days("7d"), Ok(7.0));
        assert_eq!(days("36 hours"), Ok(1.5));
        assert_eq!(days("2w"), Ok(14.0));
        assert!(days("7").is_err() && days("d").is_err() && days("0d").is_err() && days("-1d").is_err());
    }

    #[test]
    fn moments_of_a_log_are_read() {
        let of = |text| moment(text).expect("a moment");
        assert_eq!(of("2024-03-01 00:00:00 UTC") - of("2024-02-28T12:00:00.5Z"), 1.5);
        assert_eq!(of("2023-01-01 06:00:00") - of("2022-12-31 18:00:00"), 0.5);
        assert_eq!(moment("User Load (1.2ms)  SELECT 1"), None);
        assert_eq!(moment("2024-01-xx 00:00:00"), None);
    }
}
