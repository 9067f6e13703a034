//! How long work on a table takes: bytes by a rate, always as a range.
//!
//! The rates are assumed: what one process does on servers from small cloud volumes to local disks with warm caches. Where the server
//! times its reads (track_io_timing), the slow end of scans is what it measured.

use std::fmt;

use super::{Facts, RelationFacts};
use crate::effect::WorkKind;

/// Bytes a second, from slow to fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub slow: f64,
    pub fast: f64,
}

/// The rates of one server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Reading a table and looking at every row.
    pub scan: Rate,
    /// Reading a table and writing it anew, with its WAL.
    pub rewrite: Rate,
    /// Sorting and writing an index, by the index's bytes.
    pub index: Rate,
    /// The slow end of `scan` is measured.
    pub calibrated: bool,
}

/// So many reads make an average.
const ENOUGH_BLOCKS: u64 = 100_000;

const MEGABYTE: f64 = 1e6;

impl Rates {
    pub const ASSUMED: Rates = Rates {
        scan: Rate { slow: 100.0 * MEGABYTE, fast: 1500.0 * MEGABYTE },
        rewrite: Rate { slow: 40.0 * MEGABYTE, fast: 250.0 * MEGABYTE },
        index: Rate { slow: 15.0 * MEGABYTE, fast: 100.0 * MEGABYTE },
        calibrated: false,
    };

    /// The rates of the server that the facts are of.
    pub fn of(facts: &Facts) -> Rates {
        let mut rates = Rates::ASSUMED;
        let database = &facts.database;
        if let (Some(blocks), Some(milliseconds)) = (database.blocks_read, database.block_read_milliseconds)
            && blocks >= ENOUGH_BLOCKS
            && milliseconds > 0.0
        {
            let measured = blocks as f64 * f64::from(facts.server.block_size) / milliseconds * 1000.0;
            rates.scan.slow = measured.min(rates.scan.fast);
            // What is read slowly is not rewritten faster.
            rates.rewrite.slow = rates.rewrite.slow.min(measured);
            rates.calibrated = true;
        }
        rates
    }

    /// How long one piece of work on a table takes; `None` where its size is not known.
    pub fn duration(&self, kind: WorkKind, table: &RelationFacts, index_bytes: Option<u64>) -> Option<Span> {
        let heap = table.table_bytes()? as f64;
        let indexes = table.index_bytes.unwrap_or(0) as f64;
        Some(match kind {
            WorkKind::Scan => Span::of(heap, self.scan),
            WorkKind::Rewrite => Span::of(heap, self.rewrite).plus(Span::of(indexes, self.index)),
            // A new index is taken to be as large as an average one, or a fifth of the table.
            WorkKind::IndexBuild => {
                let made = index_bytes.map_or(heap / 5.0, |bytes| bytes as f64);
                Span::of(heap, self.scan).plus(Span::of(made, self.index))
            }
        })
    }
}

/// A range of time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Span {
    pub least: f64,
    pub most: f64,
}

impl Span {
    fn of(bytes: f64, rate: Rate) -> Span {
        Span { least: bytes / rate.fast, most: bytes / rate.slow }
    }

    /// One after the other.
    pub fn plus(self, other: Span) -> Span {
        Span { least: self.least + other.least, most: self.most + other.most }
    }
}

/// `less than 10 ms`, `about 3 to 12 min`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.most < 0.01 {
            return f.write_str("less than 10 ms");
        }
        let (unit, name) = match self.most {
            most if most < 1.0 => (0.001, "ms"),
            most if most < 120.0 => (1.0, "s"),
            most if most < 7200.0 => (60.0, "min"),
            _ => (3600.0, "h"),
        };
        let (least, most) = (round(self.least / unit), round(self.most / unit));
        if least == "0" {
            write!(f, "up to {most} {name}")
        } else if least == most {
            write!(f, "about {most} {name}")
        } else {
            write!(f, "about {least} to {most} {name}")
        }
    }
}

/// Two digits are as much as an estimate knows.
fn round(number: f64) -> String {
    if number < 10.0 {
        let text = format!("{number:.1}");
        return text.strip_suffix(".0").map(str::to_owned).unwrap_or(text);
    }
    let scale = 10f64.powi(number.log10().floor() as i32 - 1);
    format!("{:.0}", (number / scale).round() * scale)
}

/// `300`, `12 thousand`, `1.2 million`.
pub fn rows(number: f64) -> String {
    match number {
        n if n < 10_000.0 => format!("{n:.0}"),
        n if n < 1e6 => format!("{} thousand", round(n / 1e3)),
        n if n < 1e9 => format!("{} million", round(n / 1e6)),
        n => format!("{} billion", round(n / 1e9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rows_are_shown_with_two_digits() {
        let shown = |least, most| Span { least, most }.to_string();
        assert_eq!(shown(0.0, 0.003), "less than 10 ms");
        assert_eq!(shown(0.01, 0.25), "about 10 to 250 ms");
        assert_eq!(shown(164.0, 1025.0), "about 2.7 to 17 min");
        assert_eq!(shown(4.0, 4.02), "about 4 s");
        assert_eq!(shown(0.0001, 5.0), "up to 5 s");
        assert_eq!(
            (rows(300.0).as_str(), rows(12_345.0).as_str(), rows(1.25e6).as_str()),
            ("300", "12 thousand", "1.2 million")
        );
    }

    #[test]
    fn a_rewrite_takes_longer_than_a_scan_and_measured_reads_slow_it_down() {
        let table = RelationFacts { heap_bytes: Some(1 << 30), index_bytes: Some(1 << 28), ..RelationFacts::default() };
        let duration = |rates: &Rates, kind| rates.duration(kind, &table, None).unwrap();
        let (scan, rewrite) = (duration(&Rates::ASSUMED, WorkKind::Scan), duration(&Rates::ASSUMED, WorkKind::Rewrite));
        assert!(scan.least < rewrite.least && scan.most < rewrite.most);
        let mut facts = Facts::default();
        facts.server.block_size = 8192;
        facts.database.blocks_read = Some(1_000_000);
        facts.database.block_read_milliseconds = Some(1_000_000.0);
        let measured = Rates::of(&facts);
        assert!(measured.calibrated && duration(&measured, WorkKind::Scan).most > 100.0);
    }
}
