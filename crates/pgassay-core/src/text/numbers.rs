//! Numbers in sentences.

/// `41 GB`, `1.5 MB`, `96 kB`, in powers of 1024 as `pg_size_pretty` has them; at most three digits.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let text = if unit > 0 && size < 9.95 { format!("{size:.1}") } else { format!("{size:.0}") };
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// `12,400,000`.
pub fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.5 %`, `0.02 %`, `0 %`. What is not all is never said to be 100 %.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        p if (99.99..100.0).contains(&p) => "over 99.99 %".to_owned(),
        p if (99.5..100.0).contains(&p) => format!("{:.2} %", (p * 100.0).floor() / 100.0),
        p if p >= 10.0 => format!("{p:.0} %"),
        p if p >= 1.0 => format!("{p:.1} %"),
        p if p >= 0.01 => format!("{p:.2} %"),
        _ => "under 0.01 %".to_owned(),
    }
}

/// A rate: `0.25`, `120`.
pub fn per_second(rate: f64) -> String {
    match rate {
        0.0 => "0".to_owned(),
        rate if rate < 0.01 => "under 0.01".to_owned(),
        rate if rate < 10.0 => format!("{rate:.2}"),
        rate => format!("{rate:.0}"),
    }
}

/// `3 days`, `2 years`.
pub fn duration(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 120.0 => (s, "second"),
        s if s < 7200.0 => (s / 60.0, "minute"),
        s if s < 172_800.0 => (s / 3600.0, "hour"),
        s if s < 86_400.0 * 730.0 => (s / 86_400.0, "day"),
        s => (s / 86_400.0 / 365.25, "year"),
    };
    let number = number.round();
    if number == 1.0 { format!("1 {unit}") } else { format!("{} {unit}s", count(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_for_readers() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1000), "1 kB");
        assert_eq!(bytes(41_300_000_000), "38 GB");
        assert_eq!(bytes(1_500_000), "1.4 MB");
        assert_eq!(bytes(1_023_000_000), "976 MB");
        assert_eq!(count(12_400_000.0), "12,400,000");
        assert_eq!(count(7.0), "7");
        assert_eq!(percent(0.333), "33 %");
        assert_eq!(percent(0.00001), "under 0.01 %");
        assert_eq!(percent(0.9991), "99.91 %");
        assert_eq!((percent(0.999999), percent(1.0)), ("over 99.99 %".to_owned(), "100 %".to_owned()));
        assert_eq!(duration(86_400.0 * 30.0), "30 days");
        assert_eq!(duration(60.0), "60 seconds");
    }
}
