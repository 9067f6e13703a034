//! An audit as a page: what to do first, the areas, the rules, then every finding under its table.

use std::io::{self, Write};

use super::{Report, prose};
use crate::report::priority;
use crate::source::Sources;
use crate::text::markdown::{block, code, html, prose as text, table_code};

pub(super) fn render(report: &Report, _: &Sources, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# pgassay audit: {}\n\n{}.\n", prose::verdict(report), text(&prose::summary(report)))?;
    for error in &report.errors {
        writeln!(out, "- **error**: {}", text(error))?;
    }
    for unchecked in &report.unchecked {
        writeln!(out, "- not judged: {}", text(unchecked))?;
    }
    first(report, out)?;
    tables(report, out)?;
    let mut table: Option<&Option<String>> = None;
    for finding in &report.findings {
        if table != Some(&finding.table) {
            table = Some(&finding.table);
            let name = finding.table.as_deref().unwrap_or("the database");
            let about = report.tables.get(name).filter(|about| !about.is_empty());
            writeln!(out, "## {}\n", code(name))?;
            if let Some(about) = about {
                writeln!(out, "{}\n", text(about))?;
            }
        }
        writeln!(
            out,
            "<details><summary><b>{}</b> <code>{}</code> {}</summary>\n",
            finding.severity,
            finding.rule,
            html(&finding.message)
        )?;
        for evidence in &finding.evidence {
            writeln!(out, "- {}: {}", prose::kind_name(evidence.kind), text(&evidence.text))?;
        }
        if let Some(confidence) = finding.confidence {
            writeln!(out, "- confidence: {confidence}")?;
        }
        if !finding.advice.text.is_empty() {
            writeln!(out, "\n**{}**: {}\n", prose::advice_label(finding), text(&finding.advice.text))?;
        }
        if !finding.advice.steps.is_empty() {
            writeln!(out, "{}\n", block("sql", &prose::steps_of(finding)))?;
        }
        writeln!(out, "</details>\n")?;
    }
    Ok(())
}

fn first(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let list = priority::first(report);
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Fix first\n")?;
    for (at, priority) in list.iter().enumerate() {
        let finding = priority.finding;
        writeln!(out, "{}. {} ({}, {})", at + 1, text(&finding.message), code(finding.rule.name), priority.effort)?;
    }
    writeln!(out)
}

fn tables(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "## By area\n\n| area | grade | errors | warnings | infos | moved most by |\n| --- | --- | ---: | ---: | ---: | --- |"
    )?;
    for grade in priority::grades(report) {
        let [errors, warnings, infos] = grade.counts;
        let moved: Vec<String> = grade.moved_by.iter().map(|(rule, number)| format!("{rule} ({number})")).collect();
        writeln!(
            out,
            "| {} | {} | {errors} | {warnings} | {infos} | {} |",
            grade.category,
            grade.letter,
            moved.join(", ")
        )?;
    }
    writeln!(out, "\n## By rule\n\n| rule | errors | warnings | infos |\n| --- | ---: | ---: | ---: |")?;
    for (rule, [errors, warnings, infos]) in priority::by_rule(report) {
        writeln!(out, "| {} | {errors} | {warnings} | {infos} |", table_code(rule))?;
    }
    writeln!(out)
}
