//! One page for people, whole and offline: what to do first; of a check the deploy as a timeline of locks, of an audit the areas and charts of
//! what is measured; then every finding, to be searched, and what was read.
//!
//! Nothing is loaded from anywhere. All text is escaped: names in a database are what somebody typed.

mod deploy;
mod findings;
mod panel;

use std::io::{self, Write};

use super::charts::{Bar, Chart};
use super::{Renderer, Report, priority, proof_text, prose};
use crate::source::Sources;
use crate::text::{page, plain};

pub struct Html;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Renderer for Html {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("pgassay: {}", prose::verdict(report));
        page::begin(&title, STYLE, out)?;
        writeln!(
            out,
            "<main>\n<h1>{}</h1>\n<p class=\"dim\">{}. Written by pgassay {}.</p>",
            plain::html(&title),
            plain::html(&prose::summary(report)),
            env!("CARGO_PKG_VERSION")
        )?;
        for error in &report.errors {
            writeln!(out, "<p class=\"note error\">{}</p>", plain::html(error))?;
        }
        for gap in report.coverage.iter().flat_map(|coverage| coverage.gaps()) {
            writeln!(out, "<p class=\"note warning\">{}</p>", plain::html(&gap.line()))?;
        }
        since(report, out)?;
        first(report, out)?;
        if report.summary.tables.is_some() {
            areas(report, out)?;
            charts(report, out)?;
        } else {
            deploy::write(report, sources, out)?;
            proof(report, sources, out)?;
        }
        by_rule(report, out)?;
        findings::write(report, sources, out)?;
        coverage(report, out)?;
        if !report.unchecked.is_empty() || !report.accepted.is_empty() {
            writeln!(out, "<h2>Not judged, or accepted</h2>")?;
            for unchecked in report.unchecked.iter().chain(&report.accepted) {
                writeln!(out, "<p class=\"note\">{}</p>", plain::html(unchecked))?;
            }
        }
        writeln!(out, "</main>")?;
        page::end(SCRIPT, out)
    }
}

/// What has changed since an earlier audit.
fn since(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(since) = &report.since else { return Ok(()) };
    writeln!(out, "<h2>Since</h2><p>{}</p>", plain::html(&since.to_string()))?;
    for (word, list) in [("new", &since.new), ("worse", &since.worse), ("fixed", &since.fixed)] {
        for known in list {
            let (message, rule) = (plain::html(&known.message), plain::html(&known.rule));
            writeln!(out, "<p class=\"note\"><b>{word}</b> {message} <code>{rule}</code></p>")?;
        }
    }
    Ok(())
}

/// What a shadow server showed.
fn proof(report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let Some(proof) = &report.proof else { return Ok(()) };
    writeln!(out, "<h2>Proved</h2>\n<pre>{}</pre>", plain::html(&proof_text::text(proof, sources)?))
}

/// What was read, what was not, and what was assumed.
fn coverage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(coverage) = &report.coverage else { return Ok(()) };
    writeln!(out, "<h2>What was read</h2>")?;
    if !coverage.read.is_empty() {
        writeln!(
            out,
            "<div class=\"wide\"><table><tr><th>tool</th><th>folder</th><th class=\"n\">judged</th><th class=\"n\">only read, ran before</th></tr>"
        )?;
        for history in &coverage.read {
            let (tool, folder) = (plain::html(history.tool), plain::html(&history.folder));
            writeln!(
                out,
                "<tr><td>{tool}</td><td>{folder}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                history.judged, history.only_read
            )?;
        }
        writeln!(out, "</table></div>")?;
    }
    let assumed = (!coverage.assumed.is_empty()).then(|| coverage.assumed.clone());
    for line in assumed.into_iter().chain(coverage.nothing_new.clone()).chain(coverage.lines()) {
        writeln!(out, "<p class=\"note\">{}</p>", plain::html(&line))?;
    }
    Ok(())
}

fn first(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let list = match report.summary.tables {
        Some(_) => priority::first(report),
        None => priority::first_of_check(report),
    };
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Fix first</h2>\n<ol class=\"first\">")?;
    for priority in list {
        let finding = priority.finding;
        writeln!(
            out,
            "<li><span class=\"what\"><a href=\"#f{}\"><span class=\"s {1}\">{1}</span> {2}</a></span><span class=\"tag\">{3} · {4}</span></li>",
            priority.number,
            finding.severity,
            plain::html(&finding.message),
            finding.rule,
            priority.effort
        )?;
    }
    writeln!(out, "</ol>")
}

fn areas(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    let number = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    writeln!(
        out,
        "<h2>By area</h2>\n<table><tr><th>area</th><th>grade</th><th class=\"n\">errors</th><th class=\"n\">warnings</th><th class=\"n\">infos</th><th>moved most by</th></tr>"
    )?;
    for grade in priority::grades(report) {
        let [errors, warnings, infos] = grade.counts.map(number);
        let moved: Vec<String> = grade
            .moved_by
            .iter()
            .map(|(rule, number)| format!("<a href=\"#all\" data-rule=\"{rule}\">{rule}</a> ({number})"))
            .collect();
        writeln!(
            out,
            "<tr><td>{}</td><td><span class=\"grade g{1}\">{1}</span></td><td class=\"n\">{errors}</td><td class=\"n\">{warnings}</td><td class=\"n\">{infos}</td><td>{2}</td></tr>",
            grade.category,
            grade.letter,
            moved.join(", ")
        )?;
    }
    writeln!(out, "</table>")
}

fn by_rule(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    let number = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    writeln!(
        out,
        "<h2>By rule</h2>\n<table><tr><th>rule</th><th class=\"n\">errors</th><th class=\"n\">warnings</th><th class=\"n\">infos</th></tr>"
    )?;
    for (rule, counts) in priority::by_rule(report) {
        let [errors, warnings, infos] = counts.map(number);
        writeln!(
            out,
            "<tr><td><a href=\"#all\" data-rule=\"{rule}\">{rule}</a></td><td class=\"n\">{errors}</td><td class=\"n\">{warnings}</td><td class=\"n\">{infos}</td></tr>"
        )?;
    }
    writeln!(out, "</table>")
}

fn charts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.charts.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Measured</h2>\n<div class=\"charts\">")?;
    for chart in &report.charts {
        draw(chart, out)?;
    }
    writeln!(out, "</div>")
}

/// Rows of bars that add up; the longest fills its row.
fn draw(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<figure><figcaption>{}</figcaption>", plain::html(&chart.title))?;
    let total = |bar: &Bar| bar.parts.iter().sum::<f64>();
    let longest = chart.full.unwrap_or_else(|| chart.bars.iter().map(total).fold(0.0, f64::max)).max(f64::MIN_POSITIVE);
    for bar in &chart.bars {
        let parts: String = bar
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| **part > 0.0)
            .map(|(at, part)| {
                format!("<i class=\"b{}\" style=\"width:{:.2}%\"></i>", at + 1, (part / longest * 100.0).min(100.0))
            })
            .collect();
        writeln!(
            out,
            "<div class=\"row\" title=\"{0}: {1}\"><span class=\"name\"><bdi>{0}</bdi></span><span class=\"track\">{parts}</span><span class=\"v\">{1}</span></div>",
            plain::html(&bar.name),
            plain::html(&bar.value)
        )?;
    }
    if chart.parts.len() > 1 {
        let keys: String = chart
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| !part.is_empty())
            .map(|(at, part)| format!("<span><i class=\"b{}\"></i>{}</span>", at + 1, plain::html(part)))
            .collect();
        writeln!(out, "<div class=\"key\">{keys}</div>")?;
    }
    writeln!(out, "</figure>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use crate::source::{FileId, Span};
    use crate::version::PgVersion;

    #[test]
    fn what_somebody_typed_is_text() {
        let mut report = Report::new(PgVersion::default());
        report.summary.tables = Some(1);
        let rule = rules::find("plaintext-secret").unwrap_or_else(|| panic!("a rule"));
        let mut finding = rule.finding(Span::new(FileId(0), 0, 0), "\"<script>alert(1)</script>\".x is plain");
        finding.table = Some("public.\"<img src=x>\"".to_owned());
        report.findings.push(finding);
        let mut page = Vec::new();
        Html.render(&report, &Sources::default(), &mut page).unwrap_or_else(|error| panic!("{error}"));
        let page = String::from_utf8(page).unwrap_or_default();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("id=\"f0\""));
        assert!(!page.contains("http://") && !page.contains("https://"), "nothing is loaded from anywhere");
    }
}
