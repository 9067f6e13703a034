//! A check of a long past in a screenful or two: how many findings there are of each rule, what matters most, and how to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use annotate_snippets::Renderer as Snippets;

use super::{Text, View};
use crate::finding::{Finding, Severity};
use crate::migration::Coverage;
use crate::report::{Report, priority};
use crate::source::{FileId, Sources};
use crate::text::{layout, plain};

/// So many findings are read one by one.
const LONG: usize = 40;

impl Text {
    /// Whether findings are left out: asked for, or there are many and all of them are of what was judged for the first time. Where older
    /// migrations were only read, what is found is about the new ones, and all of it is shown.
    pub(super) fn is_shortened(&self, report: &Report) -> bool {
        let reads_old = report.coverage.as_ref().is_some_and(Coverage::past_is_set_aside);
        match self.view {
            View::Full => false,
            View::Summary => !report.findings.is_empty(),
            View::Auto => report.findings.len() > LONG && !self.verbose && !reads_old,
        }
    }

    pub(super) fn shortened(
        &self,
        report: &Report,
        sources: &Sources,
        snippets: &Snippets,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let first: Vec<&Finding> = priority::first_of_check(report).into_iter().map(|it| it.finding).collect();
        let heading = format!("The {} that matter most", first.len());
        if first.len() > 1 {
            writeln!(out, "{heading}\n{}\n", "─".repeat(heading.chars().count()))?;
        }
        for finding in &first {
            match self.view {
                View::Summary => writeln!(out, "{}", self.place_and_message(finding, sources))?,
                View::Auto | View::Full => writeln!(out, "{}", self.statement(&[finding], sources, snippets))?,
            }
        }
        if self.view == View::Summary {
            writeln!(out)?;
        }
        self.rules(report, out)?;
        self.how_to_go_on(report, first.len(), out)
    }

    fn place_and_message(&self, finding: &Finding, sources: &Sources) -> String {
        let line = sources.positions(finding.span).0.line;
        let path = plain::one_line(&sources.file(finding.span.file).name);
        let message = plain::one_line(&finding.message);
        let text = format!("{}[{}] {path}:{line}: {message}", finding.severity, finding.rule);
        plain::cut(&text, usize::from(self.width).max(60))
    }

    fn rules(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut files: BTreeMap<&str, BTreeSet<FileId>> = BTreeMap::new();
        for finding in &report.findings {
            files.entry(finding.rule.name).or_default().insert(finding.span.file);
        }
        let mut table = layout::table(self.width);
        table.set_header(["rule", "errors", "warnings", "infos", "files"]);
        let number = |number: usize| if number == 0 { String::new() } else { number.to_string() };
        for (rule, counts) in priority::by_rule(report) {
            let [errors, warnings, infos] = counts.map(number);
            let files = files.get(rule).map_or(0, BTreeSet::len).to_string();
            table.add_row([rule.to_owned(), errors, warnings, infos, files]);
        }
        layout::write_table(&table, out)?;
        writeln!(out)
    }

    fn how_to_go_on(&self, report: &Report, shown: usize, out: &mut dyn Write) -> io::Result<()> {
        let more = report.findings.len() - shown;
        let hidden = match (self.view, more) {
            (View::Summary, _) | (_, 0) => "all findings, with reasons and steps".to_owned(),
            (_, more) => format!("the other {more} findings too"),
        };
        let errors = report.findings.iter().any(|finding| finding.severity == Severity::Error);
        let branch = report.coverage.as_ref().and_then(|coverage| coverage.main_branch.as_deref());
        let since = format!("pgassay check --since {}", branch.unwrap_or("origin/main"));
        let ways = [
            ("pgassay check --full", hidden.as_str()),
            (since.as_str(), "only what is new against a branch: the past builds the schema"),
            (
                "pgassay check --write-baseline pgassay-baseline.json",
                "accept what is there; later runs with --baseline",
            ),
            ("pgassay rules NAME", "why a rule exists, and what to do instead"),
        ];
        let ways = ways.iter().filter(|(command, _)| errors || !command.contains("baseline"));
        let width = ways.clone().map(|(command, _)| command.len()).max().unwrap_or_default();
        for (command, what) in ways {
            writeln!(out, "  {command:width$}  {what}")?;
        }
        writeln!(out)
    }
}
