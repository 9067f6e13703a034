//! Every finding on a page, by table or by file, with the place, the reasons and the plan of change.

use std::io::{self, Write};

use crate::finding::{Category, Finding, PlanOfChange, Severity};
use crate::report::window::{clipped, first_line, window};
use crate::report::{Report, prose};
use crate::source::Sources;
use crate::text::plain;

pub(super) fn write(report: &Report, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<h2 id=\"all\">All findings</h2>\n<div class=\"bar\"><input id=\"search\" type=\"search\" placeholder=\"table, column, rule, word\" aria-label=\"search\">\
         <select id=\"severity\" aria-label=\"severity\"><option value=\"\">all severities</option><option value=\"error\">errors</option><option value=\"warning\">errors and warnings</option><option value=\"info\">infos</option></select>\
         <select id=\"rule\" aria-label=\"rule\"><option value=\"\">all rules</option>"
    )?;
    let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.name).collect();
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
        one(number, finding, report.summary.tables.is_none(), sources, out)?;
    }
    if open.is_some() {
        writeln!(out, "</section>")?;
    }
    Ok(())
}

/// `in_file`: it is about a place in a file that somebody wrote.
fn one(number: usize, finding: &Finding, in_file: bool, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let open = if finding.severity == Severity::Error { " open" } else { "" };
    writeln!(
        out,
        "<details id=\"f{number}\" data-s=\"{0}\" data-r=\"{1}\"{open}><summary><span class=\"s {0}\">{0}</span> {2} <code class=\"dim\">{1}</code></summary><div class=\"in\">",
        finding.severity,
        finding.rule,
        plain::html(&finding.message)
    )?;
    if in_file {
        excerpt(finding, sources, out)?;
    }
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
        steps(finding, out)?;
    }
    writeln!(out, "</div></details>")
}

/// The lines around the place, with the place marked.
fn excerpt(finding: &Finding, sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    let file = sources.file(finding.span.file);
    let window = window(finding, sources);
    let window = clipped(window, finding, sources).unwrap_or(window);
    let place = first_line(finding.span, sources);
    let cut = |at: u32| (at.clamp(window.start, window.end) - window.start) as usize;
    let text = file.slice(window);
    let (before, rest) = text.split_at(cut(place.start));
    let (marked, after) = rest.split_at(cut(place.end).saturating_sub(before.len()));
    let at = sources.positions(finding.span).0;
    writeln!(
        out,
        "<p class=\"dim\">{}:{}:{}</p>\n<pre>{}<mark>{}</mark>{}</pre>",
        plain::html(&file.name),
        at.line,
        at.column,
        plain::html(before),
        plain::html(marked),
        plain::html(after)
    )?;
    for (span, label) in finding.related.iter().filter(|(span, _)| !window.contains(*span)) {
        let name = plain::html(&sources.file(span.file).name);
        writeln!(out, "<p class=\"dim\">{name}:{}: {}</p>", sources.positions(*span).0.line, plain::html(label))?;
    }
    Ok(())
}

/// The plan of change: deploys, the migrations of each, and what each needs.
fn steps(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let plan = PlanOfChange::of(&finding.advice.steps);
    if finding.category == Category::Operations || plan.migrations().nth(1).is_none() && plan.deploys.len() < 2 {
        return writeln!(out, "<pre>{}</pre>", plain::html(&prose::steps_of(finding)));
    }
    writeln!(out, "<ol class=\"plan\">")?;
    let mut number = 0;
    for (at, deploy) in plan.deploys.iter().enumerate() {
        let code = deploy.code_before.map(|code| format!(", once {}", plain::html(code))).unwrap_or_default();
        writeln!(out, "<li><b>Deploy {}</b>{code}", at + 1)?;
        for migration in &deploy.migrations {
            number += 1;
            let needs: String = prose::needs(migration).map(|need| format!(", {need}")).collect();
            let lines: Vec<String> = migration.steps.iter().map(|step| prose::step(step)).collect();
            writeln!(out, "<p>migration {number}{needs}</p><pre>{}</pre>", plain::html(&lines.join("\n")))?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ol>")
}
