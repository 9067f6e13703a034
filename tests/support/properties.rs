//! What holds for every text. The tests ask it of made-up texts, and the fuzz targets of theirs.
//!
//! In: a text. Out: nothing; a property that does not hold is a panic that shows the text.
#![allow(dead_code)]

use pgassay::check::{Job, check};
use pgassay::finding::{Finding, Severity};
use pgassay::migration::Migration;
use pgassay::source::{FileId, SourceFile, Sources, Span};
use pgassay::sql::{Cut, Cutter, read_script, source_tokens};

/// Statements are in order, inside the text, and cut between characters.
pub fn statements_are_in_order(text: &str) {
    let source = SourceFile::new("text.sql", text);
    let script = read_script(FileId(0), &source);
    let mut end = 0;
    for statement in &script.statements {
        let (from, to) = (statement.span.start as usize, statement.span.end as usize);
        assert!(end <= from && from < to && to <= text.len(), "{from}..{to} after {end} in {text:?}");
        assert!(text.is_char_boundary(from) && text.is_char_boundary(to), "{from}..{to} in {text:?}");
        end = to;
    }
}

/// The tokens of a text are in order, and nothing but spaces and comments is between them.
pub fn tokens_are_in_order(text: &str) {
    let mut end = 0;
    for token in source_tokens(Span::new(FileId(0), 0, 0), text) {
        let (from, to) = (token.span.start as usize, token.span.end as usize);
        assert!(end <= from && from < to && to <= text.len(), "{from}..{to} after {end} in {text:?}");
        let between = text.get(end..from);
        assert!(between.is_some(), "{end}..{from} cuts a character in {text:?}");
        end = to;
    }
}

/// A text that is cut line by line is cut into its own parts, in order and between characters.
pub fn parts_are_in_order(text: &str) {
    let look_at = |cut: Option<Cut>| {
        let Some(cut) = cut else { return };
        assert!(text.contains(&cut.text), "{:?} is not in {text:?}", cut.text);
        let mut end = 0;
        for part in &cut.parts {
            let range = part.range();
            assert!(end <= range.start && range.start < range.end, "{range:?} after {end} in {:?}", cut.text);
            assert!(cut.text.get(range.clone()).is_some(), "{range:?} in {:?}", cut.text);
            end = range.end;
        }
    };
    let mut cutter = Cutter::default();
    for line in text.split_inclusive('\n') {
        look_at(cutter.line(line));
    }
    look_at(cutter.end());
}

/// What is said of a text, in the order of the text, without its places.
pub fn verdict(given: &str, text: &str) -> Vec<(&'static str, Severity, String)> {
    let (sources, job) = job(given, text);
    check(&job, &sources).findings.into_iter().map(said).collect()
}

fn said(finding: Finding) -> (&'static str, Severity, String) {
    (finding.rule.name, finding.severity, finding.object.as_deref().unwrap_or_default().to_owned())
}

pub fn job(given: &str, text: &str) -> (Sources, Job) {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let (base, migrations) = (vec![plain("given.sql", given)], vec![plain("text.sql", text)]);
    (sources, Job { base, migrations, ..Job::default() })
}

/// The same tokens, laid out otherwise.
pub fn laid_out(text: &str) -> String {
    let mut out = String::new();
    for token in source_tokens(Span::new(FileId(0), 0, 0), text) {
        out.push_str(text.get(token.span.range()).unwrap_or_default());
        // A dot and what follows a `$` or a quote stay where they are.
        out.push_str("\n /* ';$$ */ ");
    }
    out
}

/// Reads and judges whatever the text is, as a history and as a plan, and as a configuration.
pub fn nothing_panics(text: &str) {
    statements_are_in_order(text);
    tokens_are_in_order(text);
    let (sources, job) = job("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);", text);
    let report = check(&job, &sources);
    for finding in &report.findings {
        let file = sources.file(finding.span.file);
        let (first, _) = sources.positions(finding.span);
        assert!(first.line >= 1 && first.column >= 1 && finding.span.end as usize <= file.text.len(), "{text:?}");
    }
}
