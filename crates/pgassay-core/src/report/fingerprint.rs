//! Names for findings that stay when lines move and SQL is laid out anew: baselines, SARIF and GitLab know a finding by them.
//!
//! A fingerprint is made of the rule, the file's own name, the object, the statement in one spelling ([`normalize`]) and, among
//! findings that agree in all of these, the number of each. The folder does not count, nor do message and severity: those get
//! better with evidence while the finding stays the same.

use std::collections::{BTreeMap, HashMap};

use super::{Report, StatementRecord};
use crate::finding::Finding;
use crate::source::{FileId, Sources, Span};
use crate::sql::normalize;

/// Changes whenever an older baseline cannot be compared any more.
pub const FINGERPRINT_VERSION: &str = "pgassay/v1";

/// The fingerprint of every finding of a report, in the order of [`Report::findings`]: 32 hexadecimal digits, all different.
///
/// Number equal findings before any of them is left out, else those that stay take the place of those that went.
pub fn fingerprints(report: &Report, sources: &Sources) -> Vec<String> {
    let statements = Statements::of(report);
    let mut texts: HashMap<Span, String> = HashMap::new();
    let mut numbers: HashMap<u128, usize> = HashMap::new();
    let mut fingerprint = |finding: &Finding| {
        // Outside of statements the place itself: a comment, a part that could not be read.
        let span = statements.around(finding.span).map_or(finding.span, |record| record.span);
        let text = texts.entry(span).or_insert_with(|| normalize(sources.slice(span)));
        let object = finding.object.as_deref().unwrap_or_default();
        let name = own_name(&sources.file(span.file).name);
        let alike = Hash::of([FINGERPRINT_VERSION, finding.rule.name, &name, object, text]);
        let number = numbers.entry(alike.0).or_default();
        let own = alike.with(&number.to_string());
        *number += 1;
        format!("{:032x}", own.0)
    };
    report.findings.iter().map(&mut fingerprint).collect()
}

/// The judged statements by their start.
pub(super) struct Statements<'r>(BTreeMap<(FileId, u32), &'r StatementRecord>);

impl<'r> Statements<'r> {
    pub fn of(report: &'r Report) -> Statements<'r> {
        Statements(report.statements.iter().map(|record| ((record.span.file, record.span.start), record)).collect())
    }

    /// The statement that a place stands in.
    pub fn around(&self, place: Span) -> Option<&'r StatementRecord> {
        let before = self.0.range(..=(place.file, place.start)).next_back();
        before.map(|(_, record)| *record).filter(|record| record.span.contains(place))
    }
}

/// The file's name; with its folder's where tools give all files the same name (`0042_orders/up.sql`).
fn own_name(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    let file = parts.next().unwrap_or_default();
    let numbered = file.contains(|character: char| character.is_ascii_digit());
    match parts.next() {
        Some(folder) if !numbered => format!("{folder}/{file}"),
        _ => file.to_owned(),
    }
}

/// FNV-1a over 128 bits: the same on every machine and in every release. Nothing here has to withstand an attacker.
#[derive(Clone, Copy)]
struct Hash(u128);

impl Hash {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    fn of<const N: usize>(parts: [&str; N]) -> Hash {
        parts.iter().fold(Hash(Hash::OFFSET_BASIS), |hash, part| hash.with(part))
    }

    /// With one more part; its end counts, so that `ab`, `c` is not `a`, `bc`.
    fn with(self, part: &str) -> Hash {
        let bytes = part.bytes().chain([0xFF]);
        Hash(bytes.fold(self.0, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(Hash::PRIME)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Job, check};
    use crate::migration::Migration;
    use crate::source::SourceFile;

    fn of(name: &str, text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new(name, text));
        let job = Job { migrations: vec![Migration::plain(name, file, text.len())], ..Job::default() };
        let report = check(&job, &sources);
        assert!(!report.findings.is_empty());
        fingerprints(&report, &sources)
    }

    const DROPS: &str = "alter table orders drop column note; alter table orders drop column total;";

    #[test]
    fn stay_when_lines_move_and_layout_changes() {
        let moved = "-- a comment\n\nALTER TABLE orders -- here\n  DROP COLUMN note;\n\nALTER TABLE orders\n  DROP COLUMN total;\n";
        assert_eq!(of("migrations/001.sql", DROPS), of("/elsewhere/001.sql", moved));
        assert_eq!(of("m/001/up.sql", DROPS), of("/x/m/001/up.sql", moved));
    }

    #[test]
    fn differ_by_file_and_statement() {
        let first = of("001.sql", DROPS);
        assert!(of("002.sql", DROPS).iter().all(|fingerprint| !first.contains(fingerprint)));
        assert!(of("002/up.sql", DROPS).iter().all(|fingerprint| !of("001/up.sql", DROPS).contains(fingerprint)));
        let changed = DROPS.replace("total", "price");
        assert!(of("001.sql", &changed).iter().any(|fingerprint| !first.contains(fingerprint)));
    }

    #[test]
    fn number_what_is_equal() {
        let twice = of("001.sql", "drop table orders; drop table orders;");
        let different: std::collections::BTreeSet<_> = twice.iter().collect();
        assert_eq!(different.len(), twice.len());
        assert!(of("001.sql", "drop table orders;").iter().all(|fingerprint| twice.contains(fingerprint)));
    }

    /// The published test value of FNV-1a 128 for an empty text is its offset basis; for "a" it is this.
    #[test]
    fn the_hash_is_fnv_1a() {
        let hash =
            "a".bytes().fold(Hash::OFFSET_BASIS, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(Hash::PRIME));
        assert_eq!(format!("{hash:032x}"), "d228cb696f1a8caf78912b704e4a8964");
    }
}
