//! Text for a terminal: every finding with its source excerpt, then a table a file, then a summary line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer as Snippets, Snippet};
use rayon::prelude::*;

use super::{Renderer, Report, StatementRecord, priority, proof_text, prose};
use crate::catalog::LockMode;
use crate::effect::InTransactionBlock;
use crate::finding::{Category, Finding, Severity};
use crate::source::{FileId, Sources, Span};
use crate::text::{layout, plain};

pub struct Text {
    /// A table for files without findings too.
    pub verbose: bool,
    /// Columns of the terminal, or a sensible number for a pipe.
    pub width: u16,
    /// With colours.
    pub styled: bool,
}

impl Renderer for Text {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let snippets = if self.styled { Snippets::styled() } else { Snippets::plain() };
        let snippets = snippets.term_width(self.width.into());
        if report.summary.tables.is_some() {
            return self.audit(report, sources, &snippets, out);
        }
        let files: Vec<(FileId, Parts)> = by_file(report).into_iter().collect();
        // A lot at a time, so that a large report is never in memory as a whole.
        for files in files.chunks(FILES_AT_ONCE) {
            let texts: Vec<io::Result<Vec<u8>>> =
                files.par_iter().map(|(file, parts)| self.file(*file, parts, sources, &snippets)).collect();
            for text in texts {
                out.write_all(&text?)?;
            }
        }
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
    fn file(&self, file: FileId, parts: &Parts, sources: &Sources, snippets: &Snippets) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for finding in &parts.findings {
            let advice = self.advice(finding);
            writeln!(out, "{}\n", self.excerpt(finding, advice, true, sources, snippets))?;
        }
        if !parts.statements.is_empty() && (self.verbose || !parts.findings.is_empty()) {
            self.table(file, parts, sources, &mut out)?;
        }
        Ok(out)
    }

    /// Findings by table, ranked as they come.
    fn audit(&self, report: &Report, sources: &Sources, snippets: &Snippets, out: &mut dyn Write) -> io::Result<()> {
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
            let told = in_full.entry(finding.rule).or_default();
            *told += 1;
            if !whole && (finding.severity == Severity::Info || *told > IN_FULL) {
                writeln!(out, "{}", self.one_line(finding))?;
                in_lines = true;
                continue;
            }
            if std::mem::take(&mut in_lines) {
                writeln!(out)?;
            }
            let advice = self.fix(finding);
            // What is said of the server as a whole has no place in a text.
            let has_place = finding.table.is_some() || finding.category != Category::Operations;
            writeln!(out, "{}\n", self.excerpt(finding, advice, has_place, sources, snippets))?;
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
    fn since(&self, since: &super::since::Since, out: &mut dyn Write) -> io::Result<()> {
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

    /// The text in lines that fit beside the gutter and the note's name.
    fn wrapped(&self, text: &str) -> String {
        let width = usize::from(self.width).saturating_sub(NOTE_INDENT).max(40);
        layout::wrap(text, width)
    }

    /// The source excerpt with what happens, how it is known and what to do.
    fn excerpt(
        &self,
        finding: &Finding,
        advice: String,
        has_place: bool,
        sources: &Sources,
        snippets: &Snippets,
    ) -> String {
        let level = match finding.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let file = sources.file(finding.span.file);
        let window = window(finding, sources);
        let clip = clipped(window, finding, sources);
        let window = clip.unwrap_or(window);
        let place =
            |span: Span| (span.start - window.start) as usize..(span.end.min(window.end) - window.start) as usize;
        let mut annotations: Vec<Annotation> =
            vec![AnnotationKind::Primary.span(place(first_line(finding.span, sources)))];
        for (span, label) in &finding.related {
            if window.contains(*span) {
                annotations.push(
                    AnnotationKind::Context.span(place(first_line(*span, sources))).label(plain::one_line(label)),
                );
            }
        }
        let snippet = Snippet::source(file.slice(window))
            .line_start(sources.positions(window).0.line as usize)
            .fold(true)
            .annotations(annotations);
        let title = level.primary_title(plain::one_line(&finding.message)).id(finding.rule);
        let path = plain::one_line(&file.name);
        let mut group = match clip {
            _ if !has_place => Group::with_title(title),
            None => title.element(snippet.path(path)),
            Some(_) => {
                let at = sources.positions(finding.span).0;
                let origin = Origin::path(path).line(at.line as usize).char_column(at.column as usize);
                title.element(origin).element(snippet)
            }
        };
        for evidence in &finding.evidence {
            group = group.element(
                Level::NOTE
                    .with_name(Some(prose::kind_name(evidence.kind)))
                    .message(self.wrapped(&plain::one_line(&evidence.text))),
            );
        }
        if let Some(confidence) = finding.confidence {
            group = group.element(Level::NOTE.with_name(Some("confidence")).message(confidence.to_string()));
        }
        if let Some(area) = finding.area {
            group = group.element(Level::NOTE.with_name(Some("area")).message(format!("{area}: {}", area.meaning())));
        }
        if let Some(witness) = &finding.witness {
            group = group.element(
                Level::NOTE
                    .with_name(Some("for example"))
                    .message(plain::visible(&format!("{}\n{}", witness.sql, witness.after))),
            );
        }
        if !finding.advice.text.is_empty() {
            let label = prose::advice_label(finding).to_lowercase();
            group = group.element(Level::HELP.with_name(Some(label)).message(advice));
        }
        let report: [Group; 1] = [group];
        snippets.render(&report)
    }

    /// The advice of an audit: each step below what it locks, so that it can be copied whole.
    fn fix(&self, finding: &Finding) -> String {
        let mut text = self.wrapped(&plain::visible(&finding.advice.text));
        for step in &finding.advice.steps {
            if let Some(needs) = prose::needs(step) {
                text.push_str(&format!("\n    -- {needs}"));
            }
            text.push_str("\n    ");
            text.push_str(&plain::visible(&step.sql).replace('\n', "\n    "));
        }
        text
    }

    fn advice(&self, finding: &Finding) -> String {
        let mut text = self.wrapped(&plain::visible(&finding.advice.text));
        for line in finding.advice.steps.iter().map(prose::step) {
            text.push_str("\n    ");
            text.push_str(&plain::visible(&line).replace('\n', "\n    "));
        }
        text
    }
}

/// Files whose texts are made in parallel before they are written.
const FILES_AT_ONCE: usize = 64;

/// An audit with no more findings than this shows all there is to each, and needs no summary.
const SHORT: usize = 10;

/// Errors and warnings of one rule that are shown with all there is to them, where nobody asked for more.
const IN_FULL: usize = 5;

/// So many tables are listed, worst first, and from so many on.
const OVERVIEW_FROM: usize = 4;
const OVERVIEW_TO: usize = 20;

/// Columns of "  = instead: ", with a gutter of some digits.
const NOTE_INDENT: usize = 18;

/// More lines than this between two places, and only the finding's own is shown.
const WINDOW_LINES: u32 = 40;

/// Bytes of source that an excerpt may have; statements that a tool wrote can stand on one line of many thousands.
const LONGEST_WINDOW: usize = 16 * 1024;

/// Bytes on either side of the finding that are left of a longer one.
const CLIPPED_TO: usize = 200;

/// Whole lines around the finding, and around the related places that are near.
fn window(finding: &Finding, sources: &Sources) -> Span {
    let file = sources.file(finding.span.file);
    let line = |offset: u32| file.position(offset).line;
    let mut span = first_line(finding.span, sources);
    for (related, _) in &finding.related {
        let related = first_line(*related, sources);
        let joined = span.to(related);
        if related.file == span.file && line(joined.end).saturating_sub(line(joined.start)) <= WINDOW_LINES {
            span = joined;
        }
    }
    let start = file.text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let end = file.text[span.end as usize..].find('\n').map_or(file.text.len(), |at| span.end as usize + at);
    let end = start + file.text[start..end].trim_end_matches('\r').len();
    Span::new(span.file, start, end.max(span.end as usize))
}

/// Of a window that is too long to be laid out: what is near the finding.
fn clipped(window: Span, finding: &Finding, sources: &Sources) -> Option<Span> {
    if (window.end - window.start) as usize <= LONGEST_WINDOW {
        return None;
    }
    let text = &sources.file(window.file).text;
    let place = first_line(finding.span, sources);
    let mut start = (place.start as usize).saturating_sub(CLIPPED_TO).max(window.start as usize);
    let mut end = (place.end as usize).min(place.start as usize + CLIPPED_TO) + CLIPPED_TO;
    end = end.min(window.end as usize);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    // Only the line itself.
    start += text[start..place.start as usize].rfind('\n').map_or(0, |at| at + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(Span::new(window.file, start, end))
}

/// A span of several lines is shown by its first.
fn first_line(span: Span, sources: &Sources) -> Span {
    let text = sources.slice(span);
    match text.find('\n') {
        Some(at) => Span { end: span.start + text[..at].trim_end().len() as u32, ..span },
        None => span,
    }
}

fn strongest_lock(record: &StatementRecord) -> String {
    let Some(mode) = record.effect.strongest() else { return String::new() };
    if mode < LockMode::ShareUpdateExclusive {
        return String::new();
    }
    let relations: Vec<&str> =
        record.effect.locks.iter().filter(|(_, held)| *held == mode).map(|(relation, _)| &**relation).collect();
    match relations.as_slice() {
        [one] => format!("{mode} on {one}"),
        [one, rest @ ..] => format!("{mode} on {one} and {} more", rest.len()),
        [] => mode.to_string(),
    }
}

fn work(record: &StatementRecord) -> String {
    let effect = &record.effect;
    let mut parts = Vec::new();
    let mut part = |verb: &str, names: &mut dyn Iterator<Item = &Box<str>>| {
        let names: Vec<&str> = names.map(|name| &**name).collect();
        match names.as_slice() {
            [] => {}
            [one] => parts.push(format!("{verb} {one}")),
            [one, rest @ ..] => parts.push(format!("{verb} {one} and {} more", rest.len())),
        }
    };
    part("rewrites", &mut effect.rewrites.iter());
    let indexed = !effect.index_builds.is_empty();
    part("scans", &mut effect.scans.iter().filter(|table| !effect.rewrites.contains(*table) && !indexed));
    part("builds", &mut effect.index_builds.iter().filter(|_| effect.rewrites.is_empty()));
    if effect.in_transaction_block == InTransactionBlock::Forbidden {
        parts.push("not in a transaction".to_owned());
    }
    parts.join("; ")
}

/// The first of the worst findings, and how many there are besides.
fn verdict(record: &StatementRecord, findings: &[&Finding]) -> String {
    // In the order of the text.
    let from = findings.partition_point(|finding| finding.span.start < record.span.start);
    let behind = findings[from..].iter().take_while(|finding| finding.span.start <= record.span.end);
    let here: Vec<&&Finding> = behind.filter(|finding| record.span.contains(finding.span)).collect();
    let Some(worst) = here.iter().rev().max_by_key(|finding| finding.severity) else { return "ok".to_owned() };
    match here.len() {
        1 => format!("{}: {}", worst.severity, worst.rule),
        many => format!("{}: {} and {} more", worst.severity, worst.rule, many - 1),
    }
}
