//! Numbers and queries for people.

use pgassay::text::numbers;

/// On one line, cut.
pub fn shortened(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(width.max(20)) {
        Some(_) => line.chars().take(width.max(20) - 1).collect::<String>() + "…",
        None => line,
    }
}

pub fn percent(share: f64) -> String {
    match share * 100.0 {
        it if it > 99.5 && it < 100.0 => format!("{it:.1} %"),
        it => format!("{it:.0} %"),
    }
}

/// `1,234,567`, or with decimals below 10.
pub fn count(number: f64) -> String {
    if number < 10.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    numbers::count(number)
}

/// `1 query`, `3 queries`.
pub fn queries(number: usize) -> String {
    if number == 1 { "1 query".to_owned() } else { format!("{} queries", count(number as f64)) }
}

/// `3 min`, of days.
pub fn time(days: f64) -> String {
    if days >= 2.0 { format!("{days:.0} days") } else { duration(days * 86_400_000.0) }
}

pub fn bytes(bytes: f64) -> String {
    numbers::bytes(bytes as u64)
}

pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        it if it < 1.0 => format!("{it:.2} ms"),
        it if it < 1000.0 => format!("{it:.0} ms"),
        it if it < 120_000.0 => format!("{:.1} s", it / 1000.0),
        it if it < 7_200_000.0 => format!("{:.0} min", it / 60_000.0),
        it => format!("{:.0} h", it / 3_600_000.0),
    }
}
