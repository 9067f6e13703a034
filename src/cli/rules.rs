//! `pgassay rules`: what is looked for, and why.

use std::io::Write;

use clap::{Args, ValueEnum};
use pgassay::report::{Renderer, Text, View};
use pgassay::rules::{self, Example, Rule};
use pgassay::text::layout;

use super::{Outcome, output};

/// List the rules, or explain one
#[derive(Debug, Args)]
pub struct Arguments {
    /// The rule to explain, with an example that fires and a close one that does not
    rule: Option<String>,

    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// An array with the name, category, severity, summary, explanation and examples of each rule
    Json,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let mut out = anstream::stdout();
    match (arguments.rule, arguments.format) {
        (None, Format::Text) => list(&mut out)?,
        (None, Format::Json) => json(rules::ALL, &mut out)?,
        (Some(name), format) => match (rules::find(&name), format) {
            (Some(rule), Format::Text) => explain(rule, &mut out)?,
            (Some(rule), Format::Json) => json(&[rule], &mut out)?,
            (None, _) => {
                let hint = rules::nearest(&name).map_or_else(
                    || "pgassay rules lists them".to_owned(),
                    |nearest| format!("did you mean {nearest}?"),
                );
                anyhow::bail!("there is no rule {name:?}; {hint}");
            }
        },
    }
    Ok(Outcome::Clean)
}

fn list(out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = layout::table(output::width());
    table.set_header(["rule", "category", "severity", "finds"]);
    for rule in rules::ALL {
        table.add_row([rule.name, rule.category.name(), rule.severity.name(), rule.summary]);
    }
    layout::write_table(&table, out)?;
    Ok(())
}

fn json(rules: &[&Rule], out: &mut dyn Write) -> anyhow::Result<()> {
    let example = |example: &Example| serde_json::json!({ "given": example.given, "migration": example.migration });
    let rules: Vec<serde_json::Value> = rules
        .iter()
        .map(|rule| {
            serde_json::json!({
                "name": rule.name,
                "category": rule.category.name(),
                "severity": rule.severity.name(),
                "summary": rule.summary,
                "explanation": rule.explanation,
                "audit_only": rule.is_audit_only(),
                "fires": example(&rule.fires),
                "quiet": example(&rule.quiet),
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &rules)?;
    Ok(writeln!(out)?)
}

fn explain(rule: &Rule, out: &mut dyn Write) -> anyhow::Result<()> {
    let explanation = layout::wrap(rule.explanation, output::width().into());
    writeln!(out, "{} ({}, {})\n\n{}.\n\n{explanation}\n", rule.name, rule.category, rule.severity, rule.summary)?;
    writeln!(out, "Fires:\n")?;
    show(&rule.fires, Some(rule).filter(|rule| rule.runs_examples()), out)?;
    writeln!(out, "Does not fire:\n")?;
    show(&rule.quiet, None, out)
}

/// The example's SQL, and for one that fires what pgassay says of it.
fn show(example: &Example, rule: Option<&Rule>, out: &mut dyn Write) -> anyhow::Result<()> {
    for line in example.given.lines() {
        writeln!(out, "    {line}  -- exists before")?;
    }
    for line in example.migration.lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)?;
    if let Some(rule) = rule {
        let (mut report, sources) = rule.judge(example);
        report.findings.retain(|finding| finding.rule == rule);
        report.statements.clear();
        let mut text = Vec::new();
        Text { verbose: false, width: output::width(), styled: output::is_styled(), pages: None, view: View::Full }
            .render(&report, &sources, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        let findings = text.trim_end().rsplit_once('\n').map_or("", |(findings, _summary)| findings);
        writeln!(out, "{findings}")?;
    }
    Ok(())
}
