//! Liquibase's changelogs in XML, YAML and JSON: what they include, and the changesets in them that are no SQL files.

use serde_json::Value;

use super::folder::File;
use super::project::{read_json, read_yaml};

/// What a changelog says, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changelog {
    /// Files and folders that it includes.
    pub includes: Vec<String>,
    /// Its own changesets, by author and id.
    pub changesets: Vec<Changeset>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changeset {
    pub name: String,
    /// The kinds of its changes: `createTable`, `sql`.
    pub changes: Vec<String>,
}

impl Changeset {
    /// Whether all it does stands in SQL files of its own.
    pub fn is_in_files(&self) -> bool {
        !self.changes.is_empty() && self.changes.iter().all(|change| change == "sqlFile")
    }
}

/// Elements of a changeset that are no changes.
const NO_CHANGES: [&str; 7] =
    ["preConditions", "rollback", "comment", "validCheckSum", "modifySql", "tagDatabase", "ext"];

/// Reads a changelog by its format; `None` where it cannot be read.
pub(super) fn read(file: &File) -> Option<Changelog> {
    let extension = file.relative.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "xml" => read_xml(file.text()),
        "json" => Some(read_tree(&read_json(file.text())?)),
        _ => Some(read_tree(&read_yaml(file.text())?)),
    }
}

fn read_xml(text: &str) -> Option<Changelog> {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(text, options).ok()?;
    if document.root_element().tag_name().name() != "databaseChangeLog" {
        return None;
    }
    let mut changelog = Changelog::default();
    for node in document.root_element().descendants().filter(roxmltree::Node::is_element) {
        let attribute = |name: &str| node.attribute(name).map(str::to_owned);
        match node.tag_name().name() {
            "include" => changelog.includes.extend(attribute("file")),
            "includeAll" | "sqlFile" => changelog.includes.extend(attribute("path")),
            "changeSet" => {
                let kinds = node.children().filter(roxmltree::Node::is_element).map(|child| child.tag_name().name());
                let changes = kinds.filter(|kind| !NO_CHANGES.contains(kind)).map(str::to_owned).collect();
                let name =
                    format!("{}:{}", attribute("author").unwrap_or_default(), attribute("id").unwrap_or_default());
                changelog.changesets.push(Changeset { name, changes });
            }
            _ => {}
        }
    }
    Some(changelog)
}

/// YAML and JSON say the same in the same tree.
fn read_tree(tree: &Value) -> Changelog {
    let mut changelog = Changelog::default();
    let items = tree.get("databaseChangeLog").and_then(Value::as_array);
    for item in items.into_iter().flatten() {
        changelog.includes.extend(text(item, "include", "file"));
        changelog.includes.extend(text(item, "includeAll", "path"));
        if let Some(changeset) = item.get("changeSet") {
            changelog.add_changeset(changeset);
        }
    }
    changelog
}

impl Changelog {
    fn add_changeset(&mut self, changeset: &Value) {
        let changes = changeset.get("changes").and_then(Value::as_array);
        let mut kinds = Vec::new();
        for change in changes.into_iter().flatten() {
            self.includes.extend(text(change, "sqlFile", "path"));
            kinds.extend(change.as_object().into_iter().flat_map(|change| change.keys().cloned()));
        }
        let field = |name: &str| match changeset.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        self.changesets.push(Changeset { name: format!("{}:{}", field("author"), field("id")), changes: kinds });
    }
}

fn text(item: &Value, kind: &str, field: &str) -> Option<String> {
    Some(item.get(kind)?.get(field)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn changelog(name: &str, text: &str) -> Changelog {
        let mut file = File::new(PathBuf::from(name), PathBuf::from(name));
        file.text = Some(text.into());
        read(&file).unwrap()
    }

    #[test]
    fn comments_include_nothing() {
        let xml = "<databaseChangeLog>\n<!-- <include file=\"old.sql\"/> -->\n<include file='a.sql'/><includeAll path=\"sql/\"/>\n<changeSet id=\"1\" author=\"me\"><comment>x</comment><sqlFile path=\"raw.sql\"/></changeSet>\n<changeSet id=\"2\" author=\"me\"><createTable tableName=\"t\"/></changeSet></databaseChangeLog>";
        let found = changelog("changelog.xml", xml);
        assert_eq!(found.includes, ["a.sql", "sql/", "raw.sql"]);
        let own: Vec<(&str, bool)> = found.changesets.iter().map(|it| (it.name.as_str(), it.is_in_files())).collect();
        assert_eq!(own, [("me:1", true), ("me:2", false)]);
        let yaml = "databaseChangeLog:\n  # - include: {file: old.sql}\n  - include: { file: a.sql }\n  - changeSet:\n      id: 3\n      author: me\n      changes:\n        - addColumn: { tableName: t }\n        - sqlFile: { path: raw.sql }\n";
        let found = changelog("changelog.yaml", yaml);
        assert_eq!(found.includes, ["a.sql", "raw.sql"]);
        assert_eq!(found.changesets[0].changes, ["addColumn", "sqlFile"]);
        let json = r#"{"databaseChangeLog":[{"include":{"file":"a.sql"}}]}"#;
        assert_eq!(changelog("changelog.json", json).includes, ["a.sql"]);
    }
}
