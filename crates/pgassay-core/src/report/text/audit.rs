//! An audit: what to do first, then the findings by table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use annotate_snippets::Renderer as Snippets;

use super::Text;
use crate::finding::{Category, Finding, Severity};
use crate::report::since::Since;
use crate::report::{Report, priority, prose};
use crate::source::Sources;
use crate::text::{layout, plain};

impl Text {
    /// Findings by table, ranked as they come.
    pub(super) fn audit(
        &self,
        report: &Report,
        sources: &Sources,
        snippets: &Snippets,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let whole = self.verbose || report.details || report.findings.len() <= SHORT;
        if report.findings.len() > SHORT {
            self.summary(report, out)?;
        }
        let mut table: Option<&Option<String>> = None;
        let mut in_lines = false;
        let mut in_full: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &report.findings {
            if table != Some(&finding.table) {
                if std::mem::take(&mut in_lines) {
                    writeln!(out)?;
                }
                table = Some(&finding.table);
                let name = finding.table.as_deref().unwrap_or("the database");
                let about = report.tables.get(name).filter(|about| !about.is_empty());
                let about = about.map(|about| format!(" ({about})")).unwrap_or_default();
                let heading = format!("{}{about}", plain::one_line(name));
                writeln!(out, "{heading}\n{}\n", "─".repeat(heading.chars().count().min(self.width.into())))?;
            }
            let told = in_full.entry(finding.rule.name).or_default();
            *told += 1;
            if !whole && (finding.severity == Severity::Info || *told > IN_FULL) {
                writeln!(out, "{}", self.one_line(finding))?;
                in_lines = true;
                continue;
            }
            if std::mem::take(&mut in_lines) {
                writeln!(out)?;
            }
            // What is said of the server as a whole has no place in a text.
            let has_place = finding.table.is_some() || finding.category != Category::Operations;
            let text = match has_place {
                true => self.statement(&[finding], sources, snippets),
                false => self.of_server(finding, sources, snippets),
            };
            writeln!(out, "{text}")?;
        }
        if in_lines {
            writeln!(out)?;
        }
        self.overview(report, out)?;
        if !whole {
            writeln!(
                out,
                "Infos are one line each, and so are more than {IN_FULL} findings of one rule: --verbose shows all with their reasons and steps, --table NAME or --rule NAME those of one.\n"
            )?;
        }
        if let Some(since) = &report.since {
            self.since(since, out)?;
        }
        for note in report.unchecked.iter().chain(&report.accepted) {
            writeln!(out, "note: {}", plain::one_line(note))?;
        }
        for error in &report.errors {
            writeln!(out, "error: {}", plain::one_line(error))?;
        }
        writeln!(out, "{}", prose::summary(report))
    }

    /// What to do first, how each area does, and what there is of each rule.
    fn summary(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "Fix first\n─────────\n")?;
        let room = usize::from(self.width).saturating_sub(4).max(60);
        for (at, priority) in priority::first(report).iter().enumerate() {
            let finding = priority.finding;
            let about = format!(" [{}, {}]", finding.rule, priority.effort);
            let message =
                plain::cut(&plain::one_line(&finding.message), room.saturating_sub(about.chars().count()).max(40));
            writeln!(out, "{:>2}. {message}{about}", at + 1)?;
        }
        writeln!(out)?;
        let mut table = layout::table(self.width);
        table.set_header(["area", "grade", "errors", "warnings", "infos", "moved most by"]);
        let number = |number: usize| if number == 0 { String::new() } else { number.to_string() };
        for grade in priority::grades(report) {
            let [errors, warnings, infos] = grade.counts.map(number);
            let moved: Vec<String> = grade.moved_by.iter().map(|(rule, number)| format!("{rule} ({number})")).collect();
            table.add_row([
                grade.category.to_string(),
                grade.letter.to_string(),
                errors,
                warnings,
                infos,
                moved.join(", "),
            ]);
        }
        layout::write_table(&table, out)?;
        writeln!(out)?;
        let mut table = layout::table(self.width);
        table.set_header(["rule", "errors", "warnings", "infos"]);
        for (rule, counts) in priority::by_rule(report) {
            let [errors, warnings, infos] = counts.map(number);
            table.add_row([rule.to_owned(), errors, warnings, infos]);
        }
        layout::write_table(&table, out)?;
        writeln!(out)
    }

    /// What came, went and got worse since an earlier audit.
    fn since(&self, since: &Since, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", plain::one_line(&since.to_string()))?;
        let width = usize::from(self.width).max(60);
        for (word, list) in [("new", &since.new), ("worse", &since.worse), ("fixed", &since.fixed)] {
            for known in list.iter().take(if self.verbose { usize::MAX } else { 20 }) {
                let line = format!("  {word}: {}[{}]: {}", known.severity, known.rule, plain::one_line(&known.message));
                writeln!(out, "{}", plain::cut(&line, width))?;
            }
        }
        writeln!(out)
    }

    /// An info, or the next of many alike: what it is, and nothing else.
    fn one_line(&self, finding: &Finding) -> String {
        format!("{}[{}]: {}", finding.severity, finding.rule, plain::one_line(&finding.message))
    }

    /// The tables in their order, where they are too many to keep in mind: the end of a long output is what a terminal shows.
    fn overview(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut rows: Vec<(&str, [usize; 3])> = Vec::new();
        for finding in &report.findings {
            let name = finding.table.as_deref().unwrap_or("the database");
            if rows.last().is_none_or(|(last, _)| *last != name) {
                rows.push((name, [0; 3]));
            }
            if let Some((_, counts)) = rows.last_mut() {
                counts[Severity::Error as usize - finding.severity as usize] += 1;
            }
        }
        if rows.len() < OVERVIEW_FROM {
            return Ok(());
        }
        let mut table = layout::table(self.width);
        table.set_header(["table", "errors", "warnings", "infos", "about"]);
        for (name, counts) in rows.iter().take(OVERVIEW_TO) {
            let number = |at: usize| if counts[at] == 0 { String::new() } else { counts[at].to_string() };
            let about = report.tables.get(*name).cloned().unwrap_or_default();
            table.add_row([plain::one_line(name), number(0), number(1), number(2), about]);
        }
        layout::write_table(&table, out)?;
        match rows.len().saturating_sub(OVERVIEW_TO) {
            0 => writeln!(out),
            more => writeln!(out, "and {more} more tables\n"),
        }
    }
}

/// An audit with no more findings than this shows all there is to each, and needs no summary.
const SHORT: usize = 10;

/// Errors and warnings of one rule that are shown with all there is to them, where nobody asked for more.
const IN_FULL: usize = 5;

/// So many tables are listed, worst first, and from so many on.
const OVERVIEW_FROM: usize = 4;
const OVERVIEW_TO: usize = 20;
