//! The schema and the documentation of the configuration.

use super::*;

#[test]
fn the_schema_in_the_repository_is_up_to_date() {
    let kept = std::fs::read_to_string("pgassay.schema.json").unwrap();
    let made = format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap());
    assert!(kept == made, "cargo run --example develop -- generate");
}

#[test]
fn the_docs_have_every_key_with_its_default() {
    let docs = std::fs::read_to_string("docs/configuration.md").unwrap();
    let options = keys::OPTIONS.iter().map(|(rule, key)| (format!("`{}`", key.name), Some(*rule), key));
    let top = keys::TOP.iter().map(|key| (format!("`{}`", key.name), None, key));
    for (name, rule, key) in top.chain(options) {
        let row = docs.lines().find(|line| line.starts_with('|') && line.contains(&name));
        let row = row.unwrap_or_else(|| panic!("docs/configuration.md has no row for {name}"));
        assert!(row.contains(key.summary), "{row} does not say: {}", key.summary);
        assert!(key.default.is_none_or(|default| row.contains(&format!("`{default}`"))), "{row}: {:?}", key.default);
        assert!(rule.is_none_or(|rule| row.contains(rule)), "{row}: {rule:?}");
    }
    for name in keys::SECTIONS.map(|(name, _)| name).into_iter().chain(Area::ALL.map(Area::name)) {
        assert!(
            docs.contains(&format!("`{name}`"))
                || docs.contains(&format!("`[{name}]`"))
                || docs.contains(&format!("`[[{name}]]`")),
            "{name}"
        );
    }
}

/// By the JSON schema, as an editor does.
fn validate(text: &str) -> Result<(), String> {
    let value: toml::Value = toml::from_str(text).unwrap();
    let value = serde_json::to_value(value).unwrap();
    jsonschema::validator_for(&json_schema()).unwrap().validate(&value).map_err(|error| error.to_string())
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let refused = [
        "pg_version = 16",
        "pg-version = 9",
        "pg-version = \"99\"",
        "framework = \"flywya\"",
        "paths = \"db\"",
        "[rules]\ndroped-data = \"off\"",
        "[rules]\ndropped-data = \"warn\"",
        "[rules.many-locks-in-transaction]\nmax = 0",
        "[rules.dropped-data]\nmax = 3",
        "[areas]\npayments = [\"payment\"]",
        "[areas]\nintern = []",
        "[[overrides]]\npaths = [\"x\"]",
        "[[overrides]]\npaths = [\"x\"]\nrules = { nothing = \"off\" }",
        "[variables]\nx = 1",
    ];
    for text in refused {
        assert!(validate(text).is_err(), "schema: {text}");
        assert!(config::parse(text).is_err(), "reader: {text}");
    }
}

#[test]
fn the_examples_in_the_docs_are_valid() {
    let docs = std::fs::read_to_string("docs/configuration.md").unwrap();
    let mut blocks = docs.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).peekable();
    assert!(blocks.peek().is_some());
    for block in blocks {
        if let Err(problems) = config::parse(block) {
            panic!("{problems:?} in\n{block}");
        }
        validate(block).unwrap();
    }
}
