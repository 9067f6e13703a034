//! The text of `pgassay.toml` to a [`Config`]: every mistake is told, not only the first.

use std::path::PathBuf;

use glob::Pattern;
use toml::Spanned;
use toml::de::{DeString, DeTable};

use super::accepted::Accepted;
use super::keys::{self, Key, Kind};
use super::problem::Problem;
use super::settings::{Level, Levels, Override, Settings};
use super::value::{Reader, Value};
use super::{Config, FailOn, Located, OptionValue};
use crate::area::Module;
use crate::area::{Area, TablePattern};
use crate::rules::{self, Rule};

type KeyName<'i> = Spanned<DeString<'i>>;

/// Reads the text of a configuration file. The mistakes come in the order of the text.
pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    // Behind the first, errors of the syntax are often only its consequences.
    if let Some(error) = errors.first() {
        reader.refuse(error.span().unwrap_or(0..0), error.message(), None);
        return Err(reader.problems);
    }
    let config = read(&mut reader, table.get_ref());
    if reader.problems.is_empty() {
        return Ok(config);
    }
    reader.problems.sort_by_key(|problem| problem.span.start);
    Err(reader.problems)
}

fn read(reader: &mut Reader, table: &DeTable) -> Config {
    let mut config = Config::default();
    for (key, value) in table {
        match &**key.get_ref() {
            "variables" => variables(reader, value, &mut config),
            "rules" => rules_table(reader, value, &mut config.settings),
            "overrides" => overrides(reader, value, &mut config.settings),
            "areas" => areas(reader, value, &mut config.settings),
            "modules" => modules(reader, value, &mut config.settings),
            "accepted" => accepted(reader, value, &mut config.settings),
            name => top(reader, name, key.span(), value, &mut config),
        }
    }
    config
}

fn top(reader: &mut Reader, name: &str, span: std::ops::Range<usize>, value: &Value, config: &mut Config) {
    let Some(key) = keys::TOP.iter().find(|key| key.name == name) else {
        let sections = keys::SECTIONS.iter().map(|(name, _)| *name);
        return reader.unknown("key", name, span, keys::TOP.iter().map(|key| key.name).chain(sections));
    };
    match key.name {
        "pg-version" => config.pg_version = reader.version(value).map(|read| reader.locate(read, &span)),
        "paths" => config.paths = paths(reader, value).map(|read| reader.locate(read, &span)),
        "base" => config.base = paths(reader, value).map(|read| reader.locate(read, &span)),
        "baseline" => {
            config.baseline = reader.text(value).map(|read| reader.locate(PathBuf::from(read), &span));
        }
        "no-transaction" => {
            config.no_transaction = reader.marker(value).map(|read| reader.locate(read, &span));
        }
        "run" => config.run = reader.text(value).map(|read| reader.locate(read, &span)),
        "strict" => config.strict = reader.boolean(value).map(|read| reader.locate(read, &span)),
        _ => {
            let Kind::Choice(words) = key.kind else { return };
            let Some(word) = reader.word(value, &words()) else { return };
            choice(key.name, reader.locate(word, &span), config);
        }
    }
}

/// A word that is known to be one of the key's.
fn choice(key: &str, word: Located<&'static str>, config: &mut Config) {
    let Located { value: name, line } = word;
    match key {
        "framework" => config.framework = name.parse().ok().map(|value| Located { value, line }),
        "transaction" => config.transaction = named(&keys::TRANSACTIONS, name).map(|value| Located { value, line }),
        "history" => config.history = named(&keys::HISTORIES, name).map(|value| Located { value, line }),
        "fail-on" => {
            let limit = FailOn::ALL.into_iter().find(|limit| limit.name() == name);
            config.fail_on = limit.map(|value| Located { value, line });
        }
        "format" => config.format = Some(word),
        _ => {}
    }
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn paths(reader: &mut Reader, value: &Value) -> Option<Vec<PathBuf>> {
    reader.list(value, "a list of paths", |reader, item| reader.text(item).map(PathBuf::from))
}

fn variables(reader: &mut Reader, value: &Value, config: &mut Config) {
    let Some(table) = reader.table(value, "a table of names and values") else { return };
    for (name, value) in table {
        if let Some(text) = reader.text(value) {
            config.variables.insert(name.get_ref().to_string(), reader.locate(text, &name.span()));
        }
    }
}

fn rules_table(reader: &mut Reader, value: &Value, settings: &mut Settings) {
    let Some(table) = reader.table(value, "a table of rules") else { return };
    for (name, value) in table {
        let Some(rule) = rule(reader, name) else { continue };
        let Some(options) = value.get_ref().as_table() else {
            settings.levels.extend(level(reader, value).map(|level| (rule.name, reader.locate(level, &name.span()))));
            continue;
        };
        for (key, value) in options {
            rule_key(reader, rule, key, value, settings);
        }
    }
}

fn rule(reader: &mut Reader, name: &KeyName) -> Option<&'static Rule> {
    let found = rules::find(name.get_ref());
    if found.is_none() {
        reader.unknown("rule", name.get_ref(), name.span(), rules::ALL.iter().map(|rule| rule.name));
    }
    found
}

fn level(reader: &mut Reader, value: &Value) -> Option<Level> {
    reader.word(value, &keys::levels()).and_then(Level::find)
}

/// A key of `[rules.<name>]`.
fn rule_key(reader: &mut Reader, rule: &Rule, key: &KeyName, value: &Value, settings: &mut Settings) {
    let name = &**key.get_ref();
    if name == keys::SEVERITY.name {
        settings.levels.extend(level(reader, value).map(|level| (rule.name, reader.locate(level, &key.span()))));
        return;
    }
    let Some(option) = keys::options_of(rule.name).find(|option| option.name == name) else {
        let known = keys::options_of(rule.name).map(|option| option.name).chain([keys::SEVERITY.name]);
        return reader.unknown(&format!("option of {}", rule.name), name, key.span(), known);
    };
    if let Some(value) = option_value(reader, option, value) {
        keys::set_option(&mut settings.options, rule.name, option.name, &value);
        settings.given_options.insert((rule.name, option.name), reader.locate(value, &key.span()));
    }
}

fn option_value(reader: &mut Reader, option: &Key, value: &Value) -> Option<OptionValue> {
    match option.kind {
        Kind::Boolean => reader.boolean(value).map(OptionValue::Boolean),
        Kind::Count => reader.count(value).map(OptionValue::Count),
        Kind::Choices(words) => {
            let words = words();
            let read = reader
                .list(value, &format!("a list of {}", words.join(", ")), |reader, item| reader.word(item, &words));
            read.map(OptionValue::Words)
        }
        Kind::Version | Kind::Paths | Kind::Path | Kind::Text | Kind::Choice(_) => None,
    }
}

fn overrides(reader: &mut Reader, value: &Value, settings: &mut Settings) {
    let read = reader.list(value, "a list of tables: [[overrides]]", |reader, item| {
        reader.table(item, "a table with paths and rules").and_then(|table| one_override(reader, item, table))
    });
    settings.overrides = read.unwrap_or_default();
}

fn one_override(reader: &mut Reader, value: &Value, table: &DeTable) -> Option<Override> {
    let (mut patterns, mut levels) = (None, None);
    for (key, value) in table {
        match &**key.get_ref() {
            "paths" => patterns = Some(reader.list(value, "a list of patterns", path_pattern)),
            "rules" => levels = Some(override_levels(reader, value)),
            name => reader.unknown("key", name, key.span(), keys::OVERRIDE.map(|(name, _)| name)),
        }
    }
    for (is_there, (name, _)) in [patterns.is_some(), levels.is_some()].into_iter().zip(keys::OVERRIDE) {
        if !is_there {
            reader.refuse(value.span(), format!("an override needs {name}"), None);
        }
    }
    Some(Override { patterns: patterns??, levels: levels?? })
}

fn path_pattern(reader: &mut Reader, value: &Value) -> Option<Pattern> {
    let text = reader.text(value)?;
    let read = Pattern::new(text.strip_prefix("./").unwrap_or(&text));
    read.map_err(|error| reader.refuse(value.span(), format!("{text:?} is not a pattern: {}", error.msg), None)).ok()
}

/// Severities only: a rule's options are the same for all paths.
fn override_levels(reader: &mut Reader, value: &Value) -> Option<Levels> {
    let mut levels = Levels::new();
    for (name, value) in reader.table(value, "a table of rules and severities")? {
        let Some(rule) = rule(reader, name) else { continue };
        let Some(options) = value.get_ref().as_table() else {
            levels.extend(level(reader, value).map(|level| (rule.name, reader.locate(level, &name.span()))));
            continue;
        };
        for (key, value) in options {
            if &**key.get_ref() == keys::SEVERITY.name {
                levels.extend(level(reader, value).map(|level| (rule.name, reader.locate(level, &key.span()))));
            } else {
                let help = format!("options are the same for all paths: write it under [rules.{}]", rule.name);
                reader.refuse(key.span(), format!("an override cannot set {:?}", key.get_ref()), Some(help));
            }
        }
    }
    Some(levels)
}

fn areas(reader: &mut Reader, value: &Value, settings: &mut Settings) {
    let Some(table) = reader.table(value, "a table of areas") else { return };
    for (name, value) in table {
        let Some(area) = Area::ALL.into_iter().find(|area| area.name() == &**name.get_ref()) else {
            reader.unknown("area", name.get_ref(), name.span(), Area::ALL.iter().map(|area| area.name()));
            continue;
        };
        if let Some(patterns) = reader.list(value, "a list of schema.table patterns", table_pattern) {
            settings.areas.patterns.push((area, reader.locate(patterns, &name.span())));
        }
    }
    settings.areas.patterns.sort_by_key(|(area, _)| *area);
}

fn modules(reader: &mut Reader, value: &Value, settings: &mut Settings) {
    let Some(table) = reader.table(value, "a table of modules: [modules.<name>]") else { return };
    // In the order of the file: of several that match a table the first counts.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let names: Vec<String> = entries.iter().map(|(name, _)| name.get_ref().to_string()).collect();
    for (name, value) in entries {
        let Some(keys) = reader.table(value, "a table with tables and may-use") else { continue };
        let line = reader.locate((), &name.span()).line;
        let mut module = Module { name: name.get_ref().to_string(), tables: Vec::new(), may_use: Vec::new(), line };
        let mut is_complete = false;
        for (key, value) in keys {
            match &**key.get_ref() {
                "tables" => {
                    is_complete = true;
                    let read = reader.list(value, "a list of schema.table patterns", table_pattern);
                    module.tables = read.unwrap_or_default();
                }
                "may-use" => {
                    let read =
                        reader.list(value, "a list of modules", |reader, item| module_name(reader, item, &names));
                    module.may_use = read.unwrap_or_default();
                }
                name => reader.unknown("key", name, key.span(), keys::MODULE.map(|(name, _)| name)),
            }
        }
        if !is_complete {
            reader.refuse(name.span(), "a module needs tables", None);
        }
        settings.options.modules.all.push(module);
    }
}

fn module_name(reader: &mut Reader, value: &Value, known: &[String]) -> Option<String> {
    let name = reader.text(value)?;
    if !known.contains(&name) {
        reader.unknown("module", &name, value.span(), known.iter().map(String::as_str));
        return None;
    }
    Some(name)
}

fn accepted(reader: &mut Reader, value: &Value, settings: &mut Settings) {
    let read = reader.list(value, "a list of tables: [[accepted]]", |reader, item| {
        reader.table(item, "a table with object, rule and reason").and_then(|table| one_accepted(reader, item, table))
    });
    settings.accepted = read.unwrap_or_default();
}

fn one_accepted(reader: &mut Reader, value: &Value, table: &DeTable) -> Option<Accepted> {
    let (mut object, mut of_rule, mut reason, mut until) = (None, None, None, None);
    for (key, value) in table {
        match &**key.get_ref() {
            "object" => object = Some(object_pattern(reader, value)),
            "rule" => {
                let name = reader.text(value);
                of_rule = Some(name.and_then(|name| {
                    let found = rules::find(&name);
                    if found.is_none() {
                        reader.unknown("rule", &name, value.span(), rules::ALL.iter().map(|rule| rule.name));
                    }
                    found
                }));
            }
            "reason" => {
                let text = reader.text(value);
                if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                    reader.refuse(value.span(), "the reason is empty", None);
                }
                reason = Some(text.filter(|text| !text.trim().is_empty()));
            }
            "until" => {
                let text = reader.text(value)?;
                if !Accepted::is_day(&text) {
                    reader.refuse(value.span(), format!("{text:?} is not a day such as 2027-03-31"), None);
                }
                until = Some(text);
            }
            name => reader.unknown("key", name, key.span(), keys::ACCEPTED.map(|(name, _)| name)),
        }
    }
    let there = [object.is_some(), of_rule.is_some(), reason.is_some()];
    for (is_there, (name, _)) in there.into_iter().zip(keys::ACCEPTED) {
        if !is_there {
            reader.refuse(value.span(), format!("an accepted finding needs {name}"), None);
        }
    }
    let rule = of_rule??.name;
    Some(Accepted { object: object??, rule, reason: reason??, until, line: reader.locate((), &value.span()).line })
}

fn object_pattern(reader: &mut Reader, value: &Value) -> Option<Pattern> {
    let text = reader.text(value)?;
    let read = Pattern::new(&text);
    read.map_err(|error| reader.refuse(value.span(), format!("{text:?} is not a pattern: {}", error.msg), None)).ok()
}

fn table_pattern(reader: &mut Reader, value: &Value) -> Option<TablePattern> {
    let text = reader.text(value)?;
    TablePattern::new(&text).map_err(|message| reader.refuse(value.span(), message, None)).ok()
}
