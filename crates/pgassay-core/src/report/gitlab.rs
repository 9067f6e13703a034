//! GitLab's code quality report: a JSON array with an entry a finding.
//!
//! The format has no place for files that could not be read; those are told on standard error and by the exit code.

use std::io::{self, Write};

use serde::Serialize;

use super::{Paths, Renderer, Report, fingerprints, prose};
use crate::finding::{Finding, Severity};
use crate::source::Sources;

#[derive(Default)]
pub struct Gitlab {
    pub paths: Paths,
}

#[derive(Serialize)]
struct Entry {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

impl Renderer for Gitlab {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let named = report.findings.iter().zip(fingerprints(report, sources));
        let entries: Vec<Entry> = named.map(|(finding, name)| self.entry(finding, name, sources)).collect();
        super::write_json(out, &entries)?;
        writeln!(out)
    }
}

impl Gitlab {
    fn entry(&self, finding: &Finding, fingerprint: String, sources: &Sources) -> Entry {
        let (start, end) = sources.positions(finding.span);
        Entry {
            description: description(finding),
            check_name: finding.rule.name,
            fingerprint,
            severity: severity(finding.severity),
            location: Location {
                path: self.paths.relative(&sources.file(finding.span.file).name),
                lines: Lines { begin: start.line, end: end.line },
            },
        }
    }
}

/// GitLab shows it in one line: what happens and what to do; the steps are for the other formats.
fn description(finding: &Finding) -> String {
    let advice = finding.advice.text.trim_end_matches([':', '.']);
    match advice.is_empty() {
        true => finding.message.clone(),
        false => format!("{}. {}: {advice}", finding.message, prose::advice_label(finding)),
    }
    .replace(['\n', '\r'], " ")
}

/// GitLab has five: info, minor, major, critical, blocker.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Info => "info",
    }
}
