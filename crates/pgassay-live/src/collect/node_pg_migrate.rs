//! node-pg-migrate's SQL migrations: `<timestamp>_<name>.sql` with `-- Up Migration` and `-- Down Migration`.
//!
//! Recognised by such a line, or by a `package.json` that mentions node-pg-migrate and a numbered SQL file. The markers are found with
//! a pattern over lines, inside of literals too. All pending migrations run in one transaction unless told otherwise.

use std::cmp::Ordering;
use std::ops::Range;

use super::folder::{File, Folder};
use super::line::{lines, strip_prefix_ignoring_case};
use super::order::{leading_digits, natural, number};
use super::tools::{Entry, Input, Order, Part, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct NodePgMigrate;

/// Whether a line starts the half of that direction: `-- Up Migration`, in any case, with any number of dashes.
fn is_marker(line: &str, direction: &str) -> bool {
    let rest = line.trim_start().strip_prefix("--").map(|rest| rest.trim_start_matches(['-', ' ', '\t']));
    let rest = rest.and_then(|rest| strip_prefix_ignoring_case(rest, direction));
    rest.is_some_and(|rest| {
        rest.starts_with([' ', '\t']) && strip_prefix_ignoring_case(rest.trim_start(), "migration").is_some()
    })
}

fn marker(text: &str, direction: &str) -> Option<usize> {
    lines(text).find(|line| is_marker(line.text, direction)).map(|line| line.start)
}

impl Tool for NodePgMigrate {
    fn framework(&self) -> Framework {
        Framework::NodePgMigrate
    }

    fn fails_on_byte_order_mark(&self) -> bool {
        true
    }

    fn detect(&self, folder: &Folder) -> bool {
        let declared = folder.project.declares("package.json", "node-pg-migrate");
        folder.is_mostly(|file| {
            marker(file.text(), "up").is_some()
                || marker(file.text(), "down").is_some()
                || (declared && !leading_digits(file.name()).is_empty())
        })
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in folder.own_sql().filter(|file| !leading_digits(file.name()).is_empty()) {
            order.entries.push(Entry {
                name: file.stem().to_owned(),
                file: file.clone(),
                direction: None,
                listed: None,
            });
        }
        order.entries.sort_by(|a, b| by_prefix(a.file.name(), b.file.name()));
        order.note_ignored("node-pg-migrate", "its name does not start with a number", folder.own_sql());
        let is_script = |file: &&File| ["js", "ts", "mjs", "cjs"].iter().any(|extension| file.has_extension(extension));
        for file in folder.own().filter(is_script) {
            order.notes.push((file.path.clone(), "a migration written in JavaScript is not read".to_owned()));
        }
        order
    }

    /// Text before the first marker is part of neither half.
    fn split(&self, input: &Input<'_>) -> Split {
        let end = input.text.len();
        let (up, down) = (marker(input.text, "up"), marker(input.text, "down"));
        let until = |start: usize, other: Option<usize>| start..other.filter(|other| *other > start).unwrap_or(end);
        let part = |range: Range<usize>| vec![Part { range, transaction: TransactionMode::SharedString }];
        let mut split = Split::default().with(Direction::Up, part(up.map_or(0..end, |start| until(start, down))));
        if let (None, Some(start)) = (up, down) {
            let message =
                "no `-- Up Migration` stands above this line: node-pg-migrate runs the whole file, the way back too";
            split.notes.push((start..end, message.to_owned()));
        }
        match down {
            Some(start) => split.with(Direction::Down, part(until(start, up))),
            None => split,
        }
    }
}

/// By the number, then by name. 17 digits are a time in UTC, which sorts among numbers of milliseconds.
fn by_prefix(left: &str, right: &str) -> Ordering {
    let key = |name: &str| {
        let digits = leading_digits(name);
        if digits.len() == 17 { milliseconds(digits).unwrap_or_else(|| digits.to_owned()) } else { digits.to_owned() }
    };
    number(&key(left), &key(right)).then_with(|| natural(left, right))
}

/// `YYYYMMDDhhmmssmmm` as milliseconds since 1970.
fn milliseconds(digits: &str) -> Option<String> {
    let part = |range: Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let seconds = part(8..10)? * 3600 + part(10..12)? * 60 + part(12..14)?;
    // Days since 1970 of a date of the Gregorian calendar, with years that start in March.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = shifted_year * 365 + leap_days + (shifted_month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 86_400 + seconds) * 1000 + part(14..17)?).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_utc_sorts_among_milliseconds() {
        assert_eq!(milliseconds("20200513070724505").as_deref(), Some("1589353644505"));
        assert_eq!(by_prefix("20200513070724505_a.sql", "1589353644504_b.sql"), Ordering::Greater);
    }

    #[test]
    fn markers_may_be_long_and_in_any_case() {
        assert!(is_marker("-- Up Migration", "up"));
        assert!(is_marker("  ---- -- DOWN  migration: x", "down"));
        assert!(!is_marker("-- Upmigration", "up"));
        assert!(!is_marker("select 1; -- Up Migration", "up"));
    }
}
