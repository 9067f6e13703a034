//! JUnit XML: a test suite a file, a test case a statement.
//!
//! A statement fails when it has a finding at or above the limit of the run; milder findings are its output. A file that could
//! not be read is a test case with an error.

use std::io::{self, Write};

use super::{Paths, Proof, Renderer, Report, StatementRecord, proof_text, prose};
use crate::finding::{Finding, Severity};
use crate::source::{FileId, Sources};

#[derive(Default)]
pub struct Junit {
    pub paths: Paths,
    /// The least severity that fails; `None`: nothing does.
    pub fail_on: Option<Severity>,
}

/// What becomes a test case: a statement, or a place outside of all statements.
struct Case<'r> {
    name: String,
    line: u32,
    findings: Vec<&'r Finding>,
}

impl Renderer for Junit {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let suites: Vec<(FileId, Vec<Case>)> = sources
            .iter()
            .map(|(file, _)| (file, cases(file, report, sources)))
            .filter(|(_, cases)| !cases.is_empty())
            .collect();
        let all = || suites.iter().flat_map(|(_, cases)| cases);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"pgassay\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
            all().count() + report.errors.len() + report.proof.iter().flat_map(|proof| &proof.migrations).count(),
            self.failed(all()),
            report.errors.len(),
        )?;
        for (file, cases) in &suites {
            self.suite(&self.paths.relative(&sources.file(*file).name), cases, out)?;
        }
        if let Some(proof) = &report.proof {
            self.proved(proof, sources, out)?;
        }
        unreadable(&report.errors, out)?;
        coverage(report, out)?;
        writeln!(out, "</testsuites>")
    }
}

/// What was not read, as properties of a suite without cases.
fn coverage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<String> = prose::unread(report).into_iter().chain(prose::assumed(report)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "  <testsuite name=\"coverage\" tests=\"0\" failures=\"0\" errors=\"0\">\n    <properties>")?;
    for line in lines {
        let (name, value) = line.strip_prefix("read: ").map_or(("not read", line.as_str()), |read| ("read", read));
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", attribute(value))?;
    }
    writeln!(out, "    </properties>\n  </testsuite>")
}

/// The statements of a file with their findings, in the order of the text.
fn cases<'r>(file: FileId, report: &'r Report, sources: &Sources) -> Vec<Case<'r>> {
    let mut statements: Vec<&StatementRecord> =
        report.statements.iter().filter(|record| record.span.file == file).collect();
    statements.sort_by_key(|record| record.span.start);
    let line = |span| sources.positions(span).0.line;
    let mut cases: Vec<Case> = statements
        .iter()
        .map(|record| Case {
            name: prose::first_words(sources.slice(record.span)),
            line: line(record.span),
            findings: Vec::new(),
        })
        .collect();
    for finding in report.findings.iter().filter(|finding| finding.span.file == file) {
        match prose::statement_of(finding, &statements) {
            Some(index) => cases[index].findings.push(finding),
            None => cases.push(Case {
                name: prose::first_words(sources.slice(finding.span)),
                line: line(finding.span),
                findings: vec![finding],
            }),
        }
    }
    cases.sort_by_key(|case| case.line);
    cases
}

impl Junit {
    fn fails(&self, finding: &Finding) -> bool {
        self.fail_on.is_some_and(|limit| finding.severity >= limit)
    }

    fn failed<'c>(&self, cases: impl Iterator<Item = &'c Case<'c>>) -> usize {
        cases.filter(|case| case.findings.iter().any(|finding| self.fails(finding))).count()
    }

    fn suite(&self, name: &str, cases: &[Case], out: &mut dyn Write) -> io::Result<()> {
        let name = attribute(name);
        let failures = self.failed(cases.iter());
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">", cases.len())?;
        for case in cases {
            let title = attribute(&format!("{} (line {})", case.name, case.line));
            write!(
                out,
                "    <testcase name=\"{title}\" classname=\"{name}\" file=\"{name}\" line=\"{}\" time=\"0\"",
                case.line
            )?;
            if case.findings.is_empty() {
                writeln!(out, "/>")?;
                continue;
            }
            writeln!(out, ">")?;
            self.findings(case, out)?;
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")
    }

    /// A test case for each migration that was run on a shadow server. What went otherwise than predicted is its output.
    fn proved(&self, proof: &Proof, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let (suite, number) = (attribute(&format!("proved on {}", proof.server)), proof.migrations.len());
        writeln!(out, "  <testsuite name=\"{suite}\" tests=\"{number}\" failures=\"0\" errors=\"0\">")?;
        for one in &proof.migrations {
            let (name, file) = (attribute(&one.name), attribute(&self.paths.relative(&one.file)));
            let seconds = one.milliseconds as f64 / 1000.0;
            let here = proof.differences.iter().filter(|it| sources.file(it.span.file).name == one.file);
            let lines =
                here.map(|it| format!("line {}: {}", sources.positions(it.span).0.line, proof_text::difference(it)));
            let lines: Vec<String> = lines.collect();
            write!(out, "    <testcase name=\"{name}\" classname=\"{suite}\" file=\"{file}\" time=\"{seconds:.3}\"")?;
            match lines.is_empty() {
                true => writeln!(out, "/>")?,
                false => writeln!(out, "><system-out>{}</system-out></testcase>", escape(&lines.join("\n")))?,
            }
        }
        writeln!(out, "  </testsuite>")
    }

    /// One failure a test case, as the readers of JUnit expect; it holds all findings that fail.
    fn findings(&self, case: &Case, out: &mut dyn Write) -> io::Result<()> {
        let (failing, others): (Vec<&Finding>, Vec<&Finding>) =
            case.findings.iter().copied().partition(|finding| self.fails(finding));
        if let Some(worst) = failing.iter().min_by_key(|finding| std::cmp::Reverse(finding.severity)) {
            let message = attribute(&worst.message);
            let text = escape(&texts(&failing));
            writeln!(out, "      <failure type=\"{}\" message=\"{message}\">{text}</failure>", worst.rule)?;
        }
        if !others.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", escape(&texts(&others)))?;
        }
        Ok(())
    }
}

fn texts(findings: &[&Finding]) -> String {
    let texts: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}[{}]: {}", finding.severity, finding.rule, prose::full_text(finding)))
        .collect();
    texts.join("\n\n")
}

fn unreadable(errors: &[String], out: &mut dyn Write) -> io::Result<()> {
    if errors.is_empty() {
        return Ok(());
    }
    let number = errors.len();
    writeln!(out, "  <testsuite name=\"unreadable files\" tests=\"{number}\" failures=\"0\" errors=\"{number}\">")?;
    for error in errors {
        let error = attribute(error);
        writeln!(out, "    <testcase name=\"{error}\" classname=\"unreadable files\" time=\"0\">")?;
        writeln!(out, "      <error message=\"{error}\"/>\n    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")
}

/// Text for an element. What XML 1.0 cannot hold (section 2.2, Char) becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(character),
            '\0'..'\x20' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
    out
}

/// Text for an attribute in double quotes, which would read line ends and tabs as spaces (section 3.3.3).
fn attribute(text: &str) -> String {
    escape(text).replace('\n', "&#10;").replace('\t', "&#9;")
}
