//! Settings of hosts and of tools that install programs.

use serde_json::Value;

use super::Said;

/// `[db] major_version = 15` of supabase/config.toml.
pub(super) fn supabase(file: &Value) -> Vec<Said> {
    let version = file.get("db").and_then(|db| number(db.get("major_version")?));
    version.map(|version| (version, format!("major_version = {version}"))).into_iter().collect()
}

/// `databases: - postgresMajorVersion: "16"` of render.yaml.
pub(super) fn render(file: &Value) -> Vec<Said> {
    let databases = file.get("databases").and_then(Value::as_array).into_iter().flatten();
    let versions = databases.filter_map(|database| number(database.get("postgresMajorVersion")?));
    versions.map(|version| (version, format!("postgresMajorVersion: {version}"))).collect()
}

/// `addons: [{ plan: "heroku-postgresql", options: { version: "16" } }]` of app.json, in its environments too.
pub(super) fn heroku(file: &Value) -> Vec<Said> {
    let environments = file.get("environments").and_then(Value::as_object);
    let places = environments.into_iter().flat_map(|all| all.values()).chain([file]);
    let addons = places.filter_map(|place| place.get("addons")?.as_array()).flatten();
    let is_server = |addon: &&Value| {
        addon.get("plan").and_then(Value::as_str).is_some_and(|plan| plan.starts_with("heroku-postgresql"))
    };
    let versions = addons.filter(is_server).filter_map(|addon| number(addon.get("options")?.get("version")?));
    versions.map(|version| (version, format!("heroku-postgresql {version}"))).collect()
}

/// `postgres 16.4` of asdf: a name and versions on each line, `#` begins a comment.
pub(super) fn tool_versions(text: &str) -> Vec<Said> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let entries = lines.filter_map(|line| line.trim().split_once(char::is_whitespace));
    let own = entries.filter(|(name, _)| matches!(*name, "postgres" | "postgresql"));
    own.filter_map(|(name, version)| Some((major(version)?, format!("{name} {}", version.trim())))).collect()
}

/// `[tools] postgres = "16"` of mise, where the value may be a list or a table with `version`.
pub(super) fn mise(file: &Value) -> Vec<Said> {
    let tools = file.get("tools").and_then(Value::as_object);
    let is_server = |name: &str| matches!(name.rsplit(':').next(), Some("postgres" | "postgresql" | "asdf-postgres"));
    let own = tools.into_iter().flatten().filter(|(name, _)| is_server(name));
    own.filter_map(|(name, value)| {
        let value = value.get("version").or_else(|| value.get(0)).unwrap_or(value);
        number(value).map(|version| (version, format!("{name} = {version}")))
    })
    .collect()
}

/// A major version, written as a number or as a text.
pub(super) fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => major(&number.to_string()),
        Value::String(text) => major(text),
        _ => None,
    }
}

/// `16`, `16.4`, `POSTGRES_16`.
pub(super) fn major(text: &str) -> Option<u16> {
    let text = text.trim();
    let text = text.strip_prefix("POSTGRES_").unwrap_or(text);
    text.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}
