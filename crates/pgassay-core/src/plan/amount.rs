//! Numbers as people read them.

use crate::text::numbers;

/// `1,234,567`; a fraction only below ten, as averages over loops have.
pub(crate) fn count(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digit != '-' && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `950`, `12.3k`, `4.5M`: at most five characters below 10¹⁵.
pub(super) fn short(number: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // 999,950 is 1M, not 1000k.
    match units.iter().find(|(unit, _)| number >= unit * 0.99995 && number >= 9_999.5) {
        Some((unit, letter)) => {
            let scaled = number / unit;
            let text = if scaled < 99.95 { format!("{scaled:.1}") } else { format!("{scaled:.0}") };
            format!("{}{letter}", text.strip_suffix(".0").unwrap_or(&text))
        }
        None => format!("{number:.0}"),
    }
}

/// `0.012 ms`, `12.3 ms`, `1.24 s`, `3 min 2 s`.
pub(super) fn time(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 0.0995 => format!("{ms:.3} ms"),
        ms if ms < 0.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_995.0 => format!("{:.2} s", ms / 1e3),
        ms => {
            let seconds = (ms / 1e3).round();
            format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
    }
}

/// Of blocks of 8 kB.
pub(super) fn blocks(blocks: f64) -> String {
    kilobytes(blocks * 8.0)
}

pub(super) fn kilobytes(kilobytes: f64) -> String {
    numbers::bytes((kilobytes * 1024.0) as u64)
}

pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 1.0 => "<1%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

/// A factor of at least 1: `12×`, `1.5×`, `>1M×`.
pub(super) fn factor(factor: f64) -> String {
    match factor {
        f if f < 9.95 => format!("{f:.1}×").replace(".0×", "×"),
        f => format!("{}×", short(f)),
    }
}

/// A plural where there is not one.
pub(super) fn counted(number: f64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1.0 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_what_matters() {
        assert_eq!(["0", "950", "1234567", "2.5"].map(|n| count(n.parse().unwrap())), ["0", "950", "1,234,567", "2.5"]);
        let shorts = [0.0, 999.0, 9999.0, 10_000.0, 12_345.0, 999_960.0, 1.5e6, 2e13].map(short);
        assert_eq!(shorts, ["0", "999", "9999", "10k", "12.3k", "1M", "1.5M", "20T"]);
        let times = [0.0, 0.5, 12.34, 999.7, 1240.0, 182_000.0].map(time);
        assert_eq!(times, ["0.000 ms", "0.50 ms", "12.3 ms", "1.00 s", "1.24 s", "3 min 2 s"]);
        assert_eq!([1.0, 128.0, 131_072.0, 5_000_000.0].map(blocks), ["8 kB", "1 MB", "1 GB", "38 GB"]);
        assert_eq!([0.0, 0.001, 0.5].map(percent), ["0%", "<1%", "50%"]);
        assert_eq!([1.5, 3.0, 12.4, 2e6].map(factor), ["1.5×", "3×", "12×", "2M×"]);
    }
}
