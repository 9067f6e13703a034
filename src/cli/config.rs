//! `pgassay config`: what is in force, and where each value came from.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use pgassay::config::{Level, OptionValue, json_schema, keys};
use serde::Serialize;

use super::in_force::{InForce, Origin, Resolved, Settable};
use super::{Outcome, output};

/// Print the configuration in force, and where each value came from
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    settable: Settable,

    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Print the JSON schema of pgassay.toml instead, for editors
    #[arg(long)]
    schema: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// One value in force.
#[derive(Serialize)]
struct Line {
    key: String,
    value: serde_json::Value,
    from: String,
}

pub fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let mut out = anstream::stdout();
    if arguments.schema {
        writeln!(out, "{:#}", json_schema())?;
        return Ok(Outcome::Clean);
    }
    let in_force = arguments.settable.resolve(None)?;
    let lines: Vec<Line> = top(&in_force)
        .into_iter()
        .chain(variables(&in_force))
        .chain(rules(&in_force))
        .chain(options(&in_force))
        .chain(overrides(&in_force))
        .chain(areas(&in_force))
        .chain(modules(&in_force))
        .chain(accepted(&in_force))
        .collect();
    match arguments.format {
        Format::Text => table(&in_force, &lines, &mut out)?,
        Format::Json => {
            let document = serde_json::json!({ "file": in_force.file, "values": lines });
            writeln!(out, "{document:#}")?;
        }
    }
    Ok(Outcome::Clean)
}

fn table(in_force: &InForce, lines: &[Line], out: &mut dyn Write) -> anyhow::Result<()> {
    match &in_force.file {
        Some(path) => writeln!(out, "configuration file: {}", path.display())?,
        None => writeln!(out, "configuration file: none")?,
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(output::width());
    table.set_header(["key", "value", "from"]);
    for line in lines {
        table.add_row([line.key.as_str(), &shown(&line.value), &line.from]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn line<T>(key: impl Into<String>, resolved: &Resolved<T>, value: impl Into<serde_json::Value>) -> Line {
    Line { key: key.into(), value: value.into(), from: resolved.origin.to_string() }
}

/// The keys at the top of the file, in the order of [`keys::TOP`].
fn top(in_force: &InForce) -> Vec<Line> {
    let framework = in_force.framework.value.map(|framework| framework.name());
    vec![
        line("pg-version", &in_force.pg_version, in_force.pg_version.value.major()),
        line("paths", &in_force.paths, paths(&in_force.paths.value)),
        line("base", &in_force.base, paths(&in_force.base.value)),
        line("baseline", &in_force.baseline, in_force.baseline.value.as_ref().map(|path| path.display().to_string())),
        line("run", &in_force.run, in_force.run.value.clone()),
        line("framework", &in_force.framework, framework),
        line("transaction", &in_force.transaction, keys::word_for(&keys::TRANSACTIONS, &in_force.transaction.value)),
        line("no-transaction", &in_force.no_transaction, in_force.no_transaction.value.clone()),
        line("history", &in_force.history, keys::word_for(&keys::HISTORIES, &in_force.history.value)),
        line("strict", &in_force.strict, in_force.strict.value),
        line("fail-on", &in_force.fail_on, in_force.fail_on.value.name()),
        line("format", &in_force.format, in_force.format.value),
    ]
}

fn paths(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// A placeholder that by its name is filled with something that nobody should read.
fn names_a_secret(name: &str) -> bool {
    const WORDS: &[&str] =
        &["password", "passwd", "pass", "pwd", "pw", "secret", "secrets", "token", "key", "credential", "credentials"];
    pgassay::text::words::has_word(name, WORDS)
}

fn variables(in_force: &InForce) -> impl Iterator<Item = Line> {
    in_force.variables.iter().map(|(name, resolved)| {
        let value = if names_a_secret(name) { "(not shown)" } else { resolved.value.as_str() };
        line(format!("variables.{name}"), resolved, value)
    })
}

fn rules(in_force: &InForce) -> impl Iterator<Item = Line> {
    in_force.levels().map(|(rule, level)| line(format!("rules.{rule}"), &level, level.value.name()))
}

fn options(in_force: &InForce) -> impl Iterator<Item = Line> {
    keys::OPTIONS.iter().map(|(rule, key)| {
        let name = format!("rules.{rule}.{}", key.name);
        match in_force.settings.given_options.get(&(*rule, key.name)) {
            Some(located) => {
                let value = match &located.value {
                    OptionValue::Boolean(value) => (*value).into(),
                    OptionValue::Count(number) => (*number).into(),
                    OptionValue::Words(words) => words.clone().into(),
                };
                Line { key: name, value, from: in_force.place(located.line).to_string() }
            }
            None => {
                let default = key.default.and_then(|text| serde_json::from_str(text).ok());
                Line { key: name, value: default.unwrap_or_default(), from: Origin::Default.to_string() }
            }
        }
    })
}

/// A line for every rule that some paths have another severity for.
fn overrides(in_force: &InForce) -> Vec<Line> {
    let mut lines = Vec::new();
    for over in &in_force.settings.overrides {
        let patterns: Vec<&str> = over.patterns.iter().map(|pattern| pattern.as_str()).collect();
        let patterns = patterns.join(", ");
        lines.extend(over.levels.iter().map(|(rule, located)| Line {
            key: format!("rules.{rule} in {patterns}"),
            value: Level::name(located.value).into(),
            from: in_force.place(located.line).to_string(),
        }));
    }
    lines
}

fn modules(in_force: &InForce) -> impl Iterator<Item = Line> {
    in_force.settings.options.modules.all.iter().flat_map(|module| {
        let patterns: Vec<&str> = module.tables.iter().map(|pattern| pattern.text()).collect();
        let line = |key: &str, value: serde_json::Value| Line {
            key: format!("modules.{}.{key}", module.name),
            value,
            from: in_force.place(module.line).to_string(),
        };
        [line("tables", patterns.into()), line("may-use", module.may_use.clone().into())]
    })
}

fn accepted(in_force: &InForce) -> impl Iterator<Item = Line> {
    in_force.settings.accepted.iter().map(|accepted| {
        let until = accepted.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
        Line {
            key: format!("accepted.{} on {}", accepted.rule, accepted.object),
            value: format!("{}{until}", accepted.reason).into(),
            from: in_force.place(accepted.line).to_string(),
        }
    })
}

fn areas(in_force: &InForce) -> impl Iterator<Item = Line> {
    in_force.settings.areas.patterns.iter().map(|(area, located)| {
        let patterns: Vec<&str> = located.value.iter().map(|pattern| pattern.text()).collect();
        Line { key: format!("areas.{area}"), value: patterns.into(), from: in_force.place(located.line).to_string() }
    })
}
