//! Workflow commands of GitHub Actions: annotations at the lines of a pull request.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step. The worst findings take these; what is beyond stands as a
//! plain line in the log, so that nothing is lost.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Paths, Renderer, Report, place, proof_text, prose};
use crate::finding::{Finding, Severity};
use crate::source::{Sources, Span};
use crate::text::plain;

/// Annotations of one level that GitHub shows of a step ("Workflow commands", limits of annotations).
const ANNOTATIONS: usize = 10;

#[derive(Default)]
pub struct Github {
    pub paths: Paths,
}

impl Renderer for Github {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let mut shown: BTreeMap<Severity, usize> = BTreeMap::new();
        for error in &report.errors {
            let number = shown.entry(Severity::Error).or_default();
            *number += 1;
            match *number > ANNOTATIONS {
                true => writeln!(out, "  error: {}", plain(error))?,
                false => writeln!(out, "::error title=pgassay::{}", data(error))?,
            }
        }
        let mut findings: Vec<&Finding> = report.findings.iter().collect();
        findings.sort_by_key(|finding| Reverse(finding.severity));
        let mut rest = Vec::new();
        for finding in findings {
            let number = shown.entry(finding.severity).or_default();
            *number += 1;
            if *number > ANNOTATIONS {
                rest.push(finding);
            } else {
                writeln!(out, "{}", self.command(finding, sources))?;
            }
        }
        if !rest.is_empty() {
            writeln!(out, "{} without an annotation:", plain::counted(rest.len(), "more finding"))?;
        }
        for finding in rest {
            writeln!(out, "{}", self.log_line(finding, sources))?;
        }
        if let Some(proof) = &report.proof {
            let room = ANNOTATIONS.saturating_sub(shown.get(&Severity::Warning).copied().unwrap_or(0));
            for difference in proof.differences.iter().take(room) {
                let (place, text) = (self.place(difference.span, sources), proof_text::difference(difference));
                let title = property("pgassay: not as predicted");
                writeln!(out, "::warning {place}title={title}::{}", data(&text))?;
            }
            for line in proof_text::text(proof, sources)?.lines() {
                writeln!(out, "{}", plain(line))?;
            }
        }
        for line in prose::unread(report) {
            writeln!(out, "::notice title=pgassay::{}", data(&line))?;
        }
        writeln!(out, "{}", plain(&prose::summary(report)))?;
        prose::assumed(report).map_or(Ok(()), |line| writeln!(out, "{}", plain(&line)))
    }
}

impl Github {
    fn command(&self, finding: &Finding, sources: &Sources) -> String {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let title = property(&format!("pgassay: {}", finding.rule));
        format!("::{level} {}title={title}::{}", self.place(finding.span, sources), data(&prose::full_text(finding)))
    }

    /// Columns are told only of places on one line: GitHub refuses others.
    fn place(&self, span: Span, sources: &Sources) -> String {
        let name = &sources.file(span.file).name;
        if !place::is_file(name) {
            return String::new();
        }
        let (start, end) = sources.positions(span);
        let columns = match start.line == end.line {
            true => format!("col={},endColumn={},", start.column, end.column),
            false => String::new(),
        };
        let file = property(&self.paths.relative(name));
        format!("file={file},line={},endLine={},{columns}", start.line, end.line)
    }

    fn log_line(&self, finding: &Finding, sources: &Sources) -> String {
        let (start, _) = sources.positions(finding.span);
        let name = self.paths.relative(&sources.file(finding.span.file).name);
        plain(&format!(
            "  {name}:{}:{}: {}[{}]: {}",
            start.line, start.column, finding.severity, finding.rule, finding.message
        ))
    }
}

/// A line that is no command. The runner obeys `##[…]` anywhere in a line, and `::` behind blanks at its start.
fn plain(text: &str) -> String {
    plain::one_line(text).replace("##[", "## [")
}

/// The text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
