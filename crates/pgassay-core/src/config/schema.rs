//! The JSON schema of `pgassay.toml`, for editors: made from the same table of keys that the reader uses.

use serde_json::{Map, Value, json};

use super::keys::{self, Key, Kind};
use crate::area::Area;
use crate::rules::{self, Rule};
use crate::version::PgVersion;

/// JSON schema, draft 7: what editors with TOML support read.
pub fn json_schema() -> Value {
    let mut properties: Map<String, Value> = keys::TOP.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    for (name, summary) in keys::SECTIONS {
        let mut section = match name {
            "variables" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            "rules" => object(rules::ALL.iter().map(|rule| (rule.name, rule_property(rule)))),
            "overrides" => json!({ "type": "array", "items": override_item() }),
            "modules" => json!({ "type": "object", "additionalProperties": module() }),
            "accepted" => json!({ "type": "array", "items": accepted() }),
            _ => object(Area::ALL.into_iter().map(|area| (area.name(), area_property(area)))),
        };
        section["description"] = summary.into();
        properties.insert(name.to_owned(), section);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pgassay.toml",
        "description": "Configuration of pgassay, which gates PostgreSQL migrations",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn object<'n>(properties: impl Iterator<Item = (&'n str, Value)>) -> Value {
    let properties: Map<String, Value> = properties.map(|(name, value)| (name.to_owned(), value)).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer", "minimum": 1 }),
        Kind::Version => version(),
        Kind::Paths => strings(),
        Kind::Path | Kind::Text => json!({ "type": "string" }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words() }),
        Kind::Choices(words) => json!({ "type": "array", "items": { "type": "string", "enum": words() } }),
    };
    property["description"] = key.summary.into();
    // A default is written as JSON writes it, too.
    if let Some(default) = key.default.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        property["default"] = default;
    }
    property
}

fn version() -> Value {
    let (oldest, newest) = (PgVersion::OLDEST.major(), PgVersion::NEWEST.major());
    let majors: Vec<String> = PgVersion::all().map(|version| version.to_string()).collect();
    json!({ "anyOf": [
        { "type": "integer", "minimum": oldest, "maximum": newest },
        { "type": "string", "pattern": format!("^({})(\\.[0-9]+)?$", majors.join("|")) },
    ] })
}

fn strings() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn level() -> Value {
    json!({ "type": "string", "enum": keys::levels() })
}

fn rule_property(rule: &Rule) -> Value {
    let options = keys::options_of(rule.name).chain([&keys::SEVERITY]).map(|key| (key.name, property(key)));
    json!({ "description": rule.summary, "default": rule.severity, "anyOf": [level(), object(options)] })
}

fn override_item() -> Value {
    let severity = object([(keys::SEVERITY.name, property(&keys::SEVERITY))].into_iter());
    let names: Vec<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    let levels = json!({
        "type": "object",
        "propertyNames": { "enum": names },
        "additionalProperties": { "anyOf": [level(), severity] },
    });
    let mut item = object(keys::OVERRIDE.into_iter().map(|(name, summary)| {
        let mut property = if name == "paths" { strings() } else { levels.clone() };
        property["description"] = summary.into();
        (name, property)
    }));
    item["required"] = json!(keys::OVERRIDE.map(|(name, _)| name));
    item
}

fn module() -> Value {
    let mut item = object(keys::MODULE.into_iter().map(|(name, summary)| {
        let mut property = strings();
        property["description"] = summary.into();
        (name, property)
    }));
    item["required"] = json!(["tables"]);
    item
}

fn accepted() -> Value {
    let rules: Vec<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    let mut item = object(keys::ACCEPTED.into_iter().map(|(name, summary)| {
        let mut property = match name {
            "rule" => json!({ "type": "string", "enum": rules }),
            "until" => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
            _ => json!({ "type": "string" }),
        };
        property["description"] = summary.into();
        (name, property)
    }));
    item["required"] = json!(["object", "rule", "reason"]);
    item
}

fn area_property(area: Area) -> Value {
    json!({
        "type": "array",
        "items": { "type": "string", "pattern": "^.+\\..+$" },
        "description": keys::area_summary(area),
    })
}
