//! Databases in Terraform's files.

use std::path::Path;

use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Block, Body};

use super::{Said, settings};

/// The databases of a file; a variable has the default that the files of the folder declare.
pub(super) fn read(text: &str, path: &Path) -> Vec<Said> {
    let Ok(body) = text.parse::<Body>() else { return Vec::new() };
    body.blocks().filter_map(|block| version(block, &body, path)).collect()
}

fn version(block: &Block, body: &Body, path: &Path) -> Option<Said> {
    let kind = block.labels.first().map(|label| label.as_str()).unwrap_or_default();
    let is_postgres = |attribute: &str| {
        let engine = block.body.get_attribute(attribute).and_then(|it| value(&it.value, body, path));
        engine.is_some_and(|engine| engine.contains("postgres"))
    };
    let attribute = match (block.ident.as_str(), kind) {
        ("resource", "google_sql_database_instance") => "database_version",
        (
            "resource",
            "azurerm_postgresql_flexible_server" | "azurerm_postgresql_server" | "digitalocean_database_cluster",
        ) => "version",
        ("resource", "aws_db_instance" | "aws_rds_cluster" | "aws_rds_global_cluster") if is_postgres("engine") => {
            "engine_version"
        }
        // Modules of the registry call it as AWS does.
        ("module", _) if is_postgres("engine") => "engine_version",
        _ => return None,
    };
    if kind == "digitalocean_database_cluster"
        && block.body.get_attribute("engine").and_then(|it| value(&it.value, body, path)).as_deref() != Some("pg")
    {
        return None;
    }
    let text = value(&block.body.get_attribute(attribute)?.value, body, path)?;
    if kind == "google_sql_database_instance" && !text.starts_with("POSTGRES_") {
        return None;
    }
    Some((settings::major(&text)?, format!("{attribute} = \"{text}\"")))
}

/// A text or a number, or the default of a variable.
fn value(expression: &Expression, body: &Body, path: &Path) -> Option<String> {
    if let Some(text) = expression.as_str() {
        return Some(text.to_owned());
    }
    if let Some(number) = expression.as_number() {
        return Some(number.to_string());
    }
    let traversal = expression.as_traversal()?;
    let is_variable = traversal.expr.as_variable().is_some_and(|name| name.as_str() == "var");
    let [operator] = traversal.operators.as_slice() else { return None };
    let TraversalOperator::GetAttr(name) = operator.value() else { return None };
    is_variable.then(|| default(name.as_str(), body).or_else(|| elsewhere(name.as_str(), path))).flatten()
}

fn default(name: &str, body: &Body) -> Option<String> {
    let declares = |block: &&Block| {
        block.ident.as_str() == "variable" && block.labels.first().is_some_and(|label| label.as_str() == name)
    };
    let default = &body.blocks().find(declares)?.body.get_attribute("default")?.value;
    default.as_str().map(str::to_owned).or_else(|| Some(default.as_number()?.to_string()))
}

/// The default in another file of the folder.
fn elsewhere(name: &str, path: &Path) -> Option<String> {
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|other| super::is_terraform(other) && other != path)
        .collect();
    files.sort();
    files.into_iter().find_map(|file| default(name, &std::fs::read_to_string(file).ok()?.parse().ok()?))
}
