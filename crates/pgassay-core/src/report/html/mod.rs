//! One page for people, whole and offline: what to do first, the areas, charts of what is measured, then every finding, to be searched.
//!
//! Nothing is loaded from anywhere. All text is escaped: names in a database are what somebody typed.

use std::io::{self, Write};

use super::charts::{Bar, Chart};
use super::{Renderer, Report, priority, prose};
use crate::finding::{Finding, Severity};
use crate::source::Sources;
use crate::text::plain;

pub struct Html;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Renderer for Html {
    fn render(&self, report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("pgassay: {}", prose::verdict(report));
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{0}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n<h1>{0}</h1>\n<p class=\"dim\">{1}. Written by pgassay {2}.</p>\n",
            plain::html(&title),
            plain::html(&prose::summary(report)),
            env!("CARGO_PKG_VERSION")
        )?;
        for error in &report.errors {
            writeln!(out, "<p class=\"note error\">{}</p>", plain::html(error))?;
        }
        if let Some(since) = &report.since {
            writeln!(out, "<h2>Since</h2><p>{}</p>", plain::html(&since.to_string()))?;
            for (word, list) in [("new", &since.new), ("worse", &since.worse), ("fixed", &since.fixed)] {
                for known in list {
                    writeln!(
                        out,
                        "<p class=\"note\"><b>{word}</b> {} <code>{}</code></p>",
                        plain::html(&known.message),
                        plain::html(&known.rule)
                    )?;
                }
            }
        }
        first(report, out)?;
        areas(report, out)?;
        charts(report, out)?;
        findings(report, sources, out)?;
        if !report.unchecked.is_empty() || !report.accepted.is_empty() {
            writeln!(out, "<h2>Not judged, or accepted</h2>")?;
            for unchecked in report.unchecked.iter().chain(&report.accepted) {
                writeln!(out, "<p class=\"note\">{}</p>", plain::html(unchecked))?;
            }
        }
        write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body></html>\n")
    }
}

fn first(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let list = priority::first(report);
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
    writeln!(
        out,
        "</table>\n<h2>By rule</h2>\n<table><tr><th>rule</th><th class=\"n\">errors</th><th class=\"n\">warnings</th><th class=\"n\">infos</th></tr>"
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

fn findings(report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<h2 id=\"all\">All findings</h2>\n<div class=\"bar\"><input id=\"search\" type=\"search\" placeholder=\"table, column, rule, word\" aria-label=\"search\">\
         <select id=\"severity\" aria-label=\"severity\"><option value=\"\">all severities</option><option value=\"error\">errors</option><option value=\"warning\">errors and warnings</option><option value=\"info\">infos</option></select>\
         <select id=\"rule\" aria-label=\"rule\"><option value=\"\">all rules</option>"
    )?;
    let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        write!(out, "<option>{rule}</option>")?;
    }
    writeln!(out, "</select><span id=\"count\" class=\"dim\"></span></div>")?;
    let heading = |finding: &Finding| match report.summary.tables {
        Some(_) => finding.table.clone().unwrap_or_else(|| "the database".to_owned()),
        None => sources.file(finding.span.file).name.clone(),
    };
    let mut open: Option<String> = None;
    for (number, finding) in report.findings.iter().enumerate() {
        let name = heading(finding);
        if open.as_ref() != Some(&name) {
            if open.is_some() {
                writeln!(out, "</section>")?;
            }
            let about =
                report.tables.get(&name).map(|about| format!(" <span class=\"dim\">{}</span>", plain::html(about)));
            writeln!(
                out,
                "<section class=\"t\" data-name=\"{}\"><h3>{}{}</h3>",
                plain::html(&name.to_lowercase()),
                plain::html(&name),
                about.unwrap_or_default()
            )?;
            open = Some(name);
        }
        one(number, finding, out)?;
    }
    if open.is_some() {
        writeln!(out, "</section>")?;
    }
    Ok(())
}

fn one(number: usize, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let open = if finding.severity == Severity::Error { " open" } else { "" };
    writeln!(
        out,
        "<details id=\"f{number}\" data-s=\"{0}\" data-r=\"{1}\"{open}><summary><span class=\"s {0}\">{0}</span> {2} <code class=\"dim\">{1}</code></summary><div class=\"in\">",
        finding.severity,
        finding.rule,
        plain::html(&finding.message)
    )?;
    for evidence in &finding.evidence {
        writeln!(
            out,
            "<p><span class=\"dim\">{}</span> {}</p>",
            prose::kind_name(evidence.kind),
            plain::html(&evidence.text)
        )?;
    }
    if let Some(confidence) = finding.confidence {
        writeln!(out, "<p><span class=\"dim\">confidence</span> {confidence}</p>")?;
    }
    if let Some(area) = finding.area {
        writeln!(out, "<p><span class=\"dim\">area</span> {area}: {}</p>", plain::html(area.meaning()))?;
    }
    if let Some(witness) = &finding.witness {
        writeln!(
            out,
            "<p><span class=\"dim\">for example</span></p><pre>{}\n{}</pre>",
            plain::html(&witness.sql),
            plain::html(&witness.after)
        )?;
    }
    if !finding.advice.text.is_empty() {
        writeln!(out, "<p><b>{}</b> {}</p>", prose::advice_label(finding), plain::html(&finding.advice.text))?;
    }
    if !finding.advice.steps.is_empty() {
        writeln!(out, "<pre>{}</pre>", plain::html(&prose::steps_of(finding)))?;
    }
    writeln!(out, "</div></details>")
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
