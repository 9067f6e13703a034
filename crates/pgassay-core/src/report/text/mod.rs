//! Text for a terminal: every finding with its source excerpt, then a table a file, then a summary line.

mod audit;
mod excerpt;
mod shortened;

use std::collections::BTreeMap;
use std::io::{self, Write};

use annotate_snippets::Renderer as Snippets;
use rayon::prelude::*;

use super::statement::{strongest_lock, verdict, work};
use super::{Renderer, Report, StatementPlaces, StatementRecord, proof_text, prose};
use crate::finding::Finding;
use crate::source::{FileId, Sources};
use crate::text::{layout, plain};

pub struct Text {
    /// A table for files without findings too.
    pub verbose: bool,
    /// Columns of the terminal, or a sensible number for a pipe.
    pub width: u16,
    /// With colours.
    pub styled: bool,
    /// Where the pages of the rules are, for a terminal that follows links (OSC 8).
    pub pages: Option<&'static str>,
    pub view: View,
}

/// How much of the findings of a check is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// All; of a long past that is judged for the first time, what matters most.
    #[default]
    Auto,
    /// How many there are of each rule, and what matters most in a line each.
    Summary,
    /// Every finding.
    Full,
}

impl Renderer for Text {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let snippets = if self.styled { Snippets::styled() } else { Snippets::plain() };
        let snippets = snippets.term_width(self.width.into());
        if report.summary.tables.is_some() {
            return self.audit(report, sources, &snippets, out);
        }
        if self.is_shortened(report) {
            self.shortened(report, sources, &snippets, out)?;
            return self.end(report, sources, out);
        }
        let files: Vec<(FileId, Parts)> = by_file(report).into_iter().collect();
        let places = StatementPlaces::of(report);
        // A lot at a time, so that a large report is never in memory as a whole.
        for files in files.chunks(FILES_AT_ONCE) {
            let texts: Vec<io::Result<Vec<u8>>> =
                files.par_iter().map(|(file, parts)| self.file(*file, parts, &places, sources, &snippets)).collect();
            for text in texts {
                out.write_all(&text?)?;
            }
        }
        self.end(report, sources, out)
    }
}

impl Text {
    /// What the run as a whole has to say.
    fn end(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        if let Some(proof) = &report.proof {
            proof_text::write(proof, sources, self.verbose, out)?;
        }
        for line in prose::unread(report) {
            writeln!(out, "note: {line}")?;
        }
        for error in &report.errors {
            writeln!(out, "error: {}", plain::one_line(error))?;
        }
        writeln!(out, "{}", prose::summary(report))?;
        prose::assumed(report).map_or(Ok(()), |line| writeln!(out, "{line}"))
    }
}

/// What a report says of one file.
#[derive(Default)]
struct Parts<'r> {
    findings: Vec<&'r Finding>,
    statements: Vec<&'r StatementRecord>,
}

fn by_file(report: &Report) -> BTreeMap<FileId, Parts<'_>> {
    let mut files: BTreeMap<FileId, Parts> = BTreeMap::new();
    for finding in &report.findings {
        files.entry(finding.span.file).or_default().findings.push(finding);
    }
    for record in &report.statements {
        files.entry(record.span.file).or_default().statements.push(record);
    }
    // A way back runs the last part of a file first.
    files.values_mut().for_each(|parts| parts.statements.sort_by_key(|record| record.span.start));
    files
}

impl Text {
    /// What is said of one file.
    fn file(
        &self,
        file: FileId,
        parts: &Parts,
        places: &StatementPlaces,
        sources: &Sources,
        snippets: &Snippets,
    ) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let same_statement = |one: &&Finding, other: &&Finding| {
            places.around(one.span).is_some_and(|at| places.around(other.span) == Some(at))
        };
        for findings in parts.findings.chunk_by(same_statement) {
            writeln!(out, "{}", self.statement(findings, sources, snippets))?;
        }
        if !parts.statements.is_empty() && (self.verbose || !parts.findings.is_empty()) {
            self.table(file, parts, sources, &mut out)?;
        }
        Ok(out)
    }

    fn table(&self, file: FileId, parts: &Parts, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let mut table = layout::table(self.width);
        table.set_header(["line", "statement", "strongest lock", "work", "verdict"]);
        for record in &parts.statements {
            table.add_row([
                sources.positions(record.span).0.line.to_string(),
                prose::first_words(&plain::one_line(sources.slice(record.span))),
                plain::one_line(&strongest_lock(record)),
                plain::one_line(&work(record)),
                verdict(record, &parts.findings),
            ]);
        }
        writeln!(out, "{}", plain::one_line(&sources.file(file).name))?;
        layout::write_table(&table, out)?;
        writeln!(out)
    }
}

/// Files whose texts are made in parallel before they are written.
const FILES_AT_ONCE: usize = 64;
