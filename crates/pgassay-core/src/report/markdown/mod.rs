//! Markdown for the comment of a pull request: a table of the files, then every finding, folded, below its file.
//!
//! Code hosts refuse comments that are too long (GitHub: 65,536 characters). What does not fit is left out, the mildest first,
//! and a line says how many. An audit is a page of its own, for a wiki: nothing is left out of it.

mod whole;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::text::markdown::{code, fence, html, prose as text, table_code};

use super::{Paths, Renderer, Report, StatementPlaces, proof_text, prose};
use crate::finding::{Finding, Severity};
use crate::source::{FileId, Sources};
use crate::text::plain;

#[derive(Default)]
pub struct Markdown {
    pub paths: Paths,
}

/// Characters of a comment, at most.
pub const LONGEST_COMMENT: usize = 60_000;

/// What a job may look for to replace its earlier comment.
const MARKER: &str = "<!-- pgassay -->";

/// Room for the line about what is left out.
const CLOSING: usize = 300;

/// Rows of the table, and files that could not be read.
const ROWS: usize = 50;

/// Characters of a name, of a sentence and of a piece of SQL; what is longer is cut.
const NAME: usize = 120;
const SENTENCE: usize = 1_000;
const SQL: usize = 2_000;

/// Characters about what a shadow server showed.
const PROOF: usize = 6_000;

impl Renderer for Markdown {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        if report.summary.tables.is_some() {
            return whole::render(report, sources, out);
        }
        let files = files(report);
        let mut comment = self.head(report, &files, sources);
        let blocks = self.chosen(report, sources, LONGEST_COMMENT - CLOSING - comment.chars().count());
        let left_out = report.findings.len() - blocks.values().map(Vec::len).sum::<usize>();
        for (file, blocks) in &blocks {
            comment.push_str(&self.heading(*file, sources));
            comment.extend(blocks.iter().map(String::as_str));
        }
        if left_out > 0 {
            let _ = writeln!(
                comment,
                "**{} left out**, the mildest ones: a comment cannot be longer. The log of the job has all of them.",
                match left_out {
                    1 => "1 finding is".to_owned(),
                    many => format!("{many} findings are"),
                },
            );
        }
        write!(out, "{comment}")
    }
}

/// How many errors, warnings and infos each file has.
fn files(report: &Report) -> BTreeMap<FileId, [usize; 3]> {
    let mut files: BTreeMap<FileId, [usize; 3]> = BTreeMap::new();
    for finding in &report.findings {
        files.entry(finding.span.file).or_default()[column(finding.severity)] += 1;
    }
    files
}

fn column(severity: Severity) -> usize {
    match severity {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    }
}

impl Markdown {
    /// The title, the table, and what could not be read.
    fn head(&self, report: &Report, files: &BTreeMap<FileId, [usize; 3]>, sources: &Sources) -> String {
        let verdict = if files.is_empty() { "nothing found".to_owned() } else { prose::verdict(report) };
        let mut head = format!("{MARKER}\n## pgassay: {verdict}\n\n");
        if !files.is_empty() {
            head.push_str("| file | errors | warnings | infos |\n| --- | ---: | ---: | ---: |\n");
        }
        // The worst files first; the order of the run among equals.
        let mut rows: Vec<(&FileId, &[usize; 3])> = files.iter().collect();
        rows.sort_by(|one, other| other.1.cmp(one.1));
        for (file, [errors, warnings, infos]) in rows.iter().take(ROWS) {
            let _ = writeln!(head, "| {} | {errors} | {warnings} | {infos} |", table_code(&self.name(**file, sources)));
        }
        if let Some(more) = rows.len().checked_sub(ROWS).filter(|more| *more > 0) {
            let _ = writeln!(head, "| and {} | | | |", plain::counted(more, "more file"));
        }
        let _ = writeln!(head, "\n{}.\n", prose::summary(report));
        for line in prose::unread(report) {
            let _ = writeln!(head, "- {}", text(&plain::cut(&line, PROOF)));
        }
        if let Some(line) = prose::assumed(report) {
            let _ = writeln!(head, "- {}\n", text(&plain::cut(&line, PROOF)));
        }
        for error in report.errors.iter().take(ROWS) {
            let _ = writeln!(head, "- error: {}", text(&plain::cut(error, NAME)));
        }
        if let Some(more) = report.errors.len().checked_sub(ROWS).filter(|more| *more > 0) {
            let _ = writeln!(head, "- {more} more errors");
        }
        if !report.errors.is_empty() {
            head.push('\n');
        }
        if let Some(proof) = &report.proof {
            // Writing to memory does not fail.
            let seen = proof_text::text(proof, sources).unwrap_or_default();
            let (title, rest) = seen.split_once('\n').unwrap_or((&seen, ""));
            let lines = fence(&plain::cut(rest, PROOF));
            let _ = write!(head, "<details><summary>{}</summary>\n\n{lines}\n</details>\n\n", html(title));
        }
        head
    }

    /// The worst findings that fit into so many characters, by file.
    fn chosen(&self, report: &Report, sources: &Sources, mut room: usize) -> BTreeMap<FileId, Vec<String>> {
        let mut order: Vec<usize> = (0..report.findings.len()).collect();
        order.sort_by_key(|index| Reverse(report.findings[*index].severity));
        let mut headed = BTreeSet::new();
        let mut chosen: Vec<&Finding> = Vec::new();
        for index in order {
            let finding = &report.findings[index];
            let block = block(finding, sources);
            let heading = match headed.insert(finding.span.file) {
                true => self.heading(finding.span.file, sources).chars().count(),
                false => 0,
            };
            match room.checked_sub(block.chars().count() + heading) {
                Some(left) => room = left,
                None => break,
            }
            chosen.push(finding);
        }
        in_order(&chosen, report, sources)
    }

    fn heading(&self, file: FileId, sources: &Sources) -> String {
        format!("### {}\n\n", code(&self.name(file, sources)))
    }

    /// The end of a long name tells more than its beginning.
    fn name(&self, file: FileId, sources: &Sources) -> String {
        let name = self.paths.relative(&sources.file(file).name);
        match name.char_indices().nth_back(NAME) {
            Some((start, dropped)) => format!("…{}", &name[start + dropped.len_utf8()..]),
            None => name,
        }
    }
}

/// By file and statement, the worst of each statement first.
fn in_order(chosen: &[&Finding], report: &Report, sources: &Sources) -> BTreeMap<FileId, Vec<String>> {
    let places = StatementPlaces::of(report);
    let mut chosen = chosen.to_vec();
    chosen.sort_by_key(|finding| {
        let start = places.around(finding.span).map_or(finding.span.start, |at| report.statements[at].span.start);
        (finding.span.file, start, Reverse(finding.severity), finding.span.start)
    });
    let mut by_file: BTreeMap<FileId, Vec<String>> = BTreeMap::new();
    for finding in chosen {
        by_file.entry(finding.span.file).or_default().push(block(finding, sources));
    }
    by_file
}

/// One finding: its message, and folded below it the SQL, how it is known, an example and what to do instead.
fn block(finding: &Finding, sources: &Sources) -> String {
    let (start, _) = sources.positions(finding.span);
    let mut block = format!(
        "<details><summary><b>{}</b> <code>{}</code> line {}: {}</summary>\n\n{}",
        finding.severity,
        finding.rule,
        start.line,
        html(&plain::cut(&finding.message, SENTENCE)),
        fence(&plain::cut(prose::lines_of(finding.span, sources), SQL)),
    );
    for evidence in &finding.evidence {
        let known = text(&plain::cut(&evidence.text, SENTENCE));
        let _ = write!(block, "\n**{}**: {known}\n", prose::kind_name(evidence.kind));
    }
    if let Some(area) = finding.area {
        let _ = write!(block, "\n**area**: {area}: {}\n", area.meaning());
    }
    if let Some(witness) = &finding.witness {
        let after = text(&plain::cut(&witness.after, SENTENCE));
        let _ = write!(block, "\n**For example**\n\n{}\n{after}\n", fence(&plain::cut(&witness.sql, SQL)));
    }
    let advice = &finding.advice;
    if !advice.text.is_empty() {
        let label = prose::advice_label(finding);
        let _ = write!(block, "\n**{label}**: {}\n", text(&plain::cut(&advice.text, SENTENCE)));
    }
    if !advice.steps.is_empty() {
        let _ = write!(block, "\n{}", fence(&plain::cut(&prose::steps_of(finding), SQL)));
    }
    block.push_str("\n</details>\n\n");
    block
}
