//! Liquibase's changelogs in XML, YAML and JSON: what they include, and their own changesets.

use super::change::FileOf;
use super::choice::{Choice, Precondition, is_for_postgresql, precondition};
use super::tree::{Element, TreeError, read_xml, read_yaml};
use super::values::{Quoting, Values};
use crate::collect::folder::File;
use crate::collect::variables::Variables;

/// What a changelog says, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changelog {
    pub items: Vec<Item>,
    /// Values for placeholders; the first one of a name counts.
    pub properties: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Include(Include),
    Changeset(Changeset),
}

/// Another changelog, or all those of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Include {
    pub path: String,
    pub is_relative: bool,
    /// Of a folder: how deep it is read, and what its files' names end with.
    pub all: Option<(usize, String)>,
    pub context: String,
    pub labels: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changeset {
    /// Author and id.
    pub name: String,
    pub element: Element,
    pub quoting: Quoting,
}

/// Parts of a changeset that are not changes.
const NO_CHANGES: [&str; 7] = ["preConditions", "rollback", "comment", "comments", "validCheckSum", "modifySql", "ext"];

/// Attributes of a changeset, which YAML and JSON keep beside the list of changes.
const ATTRIBUTES: [&str; 14] = [
    "id",
    "author",
    "context",
    "contextFilter",
    "labels",
    "dbms",
    "runAlways",
    "runOnChange",
    "runInTransaction",
    "failOnError",
    "objectQuotingStrategy",
    "logicalFilePath",
    "ignore",
    "runOrder",
];

impl Changeset {
    /// What it does, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Element> {
        let listed = self.element.children.iter().filter(|child| child.name == "changes").flat_map(|it| &it.children);
        let own = self.element.children.iter().filter(|child| {
            let name = child.name.as_str();
            !child.is_attribute && name != "changes" && !NO_CHANGES.contains(&name) && !ATTRIBUTES.contains(&name)
        });
        own.chain(listed)
    }

    /// Why it does not run on PostgreSQL, or in the runs that the project's settings choose.
    pub fn is_passed_over(&self, choice: &Choice) -> Option<&'static str> {
        let says = |name: &str| self.element.value(name).unwrap_or_default();
        if self.element.says("ignore") == Some(true) {
            return Some("it is ignored");
        }
        if !is_for_postgresql(says("dbms")) {
            return Some("its dbms is another");
        }
        if precondition(&self.element) == Precondition::Never {
            return Some("its precondition asks for another server");
        }
        if !choice.runs_context(self.context()) {
            return Some("its context is not among those that are run");
        }
        (!choice.runs_labels(says("labels"))).then_some("its labels are not among those that are run")
    }

    pub fn context(&self) -> &str {
        self.element.value("contextFilter").or_else(|| self.element.value("context")).unwrap_or_default()
    }

    pub fn runs_in_transaction(&self) -> bool {
        self.element.says("runInTransaction") != Some(false)
    }

    pub fn may_be_passed_over(&self) -> bool {
        precondition(&self.element) == Precondition::MayRun
    }

    /// The file that is all it does.
    pub fn only_file(&self) -> Option<FileOf> {
        let mut changes = self.changes();
        let (Some(only), None) = (changes.next(), changes.next()) else { return None };
        let variables = Variables::default();
        let values = Values { variables: &variables, quoting: self.quoting };
        if only.name != "sqlFile" {
            return None;
        }
        match super::change::sql(only, values) {
            Ok(super::change::Sql::Parts(parts)) => match parts.into_iter().next() {
                Some(super::change::Part::File(file)) => Some(file),
                _ => None,
            },
            _ => None,
        }
    }

    /// The kinds of its changes that are not SQL.
    pub fn unknown(&self) -> Vec<&str> {
        let variables = Variables::default();
        let values = Values { variables: &variables, quoting: self.quoting };
        let is_unknown = |change: &&Element| super::change::sql(change, values) == Ok(super::change::Sql::Unknown);
        let own = self.changes().filter(is_unknown).map(|change| change.name.as_str());
        let rewrites =
            self.element.children.iter().filter(|child| {
                child.name == "modifySql" && is_for_postgresql(child.value("dbms").unwrap_or_default())
            });
        own.chain(rewrites.map(|it| it.name.as_str())).collect()
    }
}

/// Whether a file, by its text, is a changelog in one of the three formats.
pub(in crate::collect) fn is_one(file: &File) -> bool {
    ["xml", "yaml", "yml", "json"].iter().any(|it| file.has_extension(it)) && file.text().contains("databaseChangeLog")
}

/// Reads a changelog by its format.
pub(super) fn read(name: &str, text: &str) -> Result<Changelog, TreeError> {
    let root = match name.to_ascii_lowercase().ends_with(".xml") {
        true => read_xml(text)?,
        false => read_yaml(text)?,
    };
    let log = if root.name == "databaseChangeLog" { Some(&root) } else { root.child("databaseChangeLog") };
    let Some(log) = log else {
        return Err(TreeError { at: 0, message: "has no databaseChangeLog".to_owned() });
    };
    let quoting = quoting(log, Quoting::default());
    let mut found = Changelog::default();
    for child in log.children.iter().filter(|child| !child.is_attribute) {
        match child.name.as_str() {
            "include" => found.items.extend(include(child, "file").map(Item::Include)),
            "includeAll" => found.items.extend(include(child, "path").map(Item::Include)),
            "changeSet" => found.items.push(Item::Changeset(changeset(child, quoting))),
            "property" if is_for_postgresql(child.value("dbms").unwrap_or_default()) => {
                let value = child.child("value").and_then(|value| value.text.as_ref()).map(|text| text.value.clone());
                let pair = child.value("name").map(str::to_owned).zip(value);
                found.properties.extend(pair);
            }
            _ => {}
        }
    }
    Ok(found)
}

fn quoting(of: &Element, around: Quoting) -> Quoting {
    match of.value("objectQuotingStrategy") {
        Some("QUOTE_ALL_OBJECTS") => Quoting::All,
        Some("QUOTE_ONLY_RESERVED_WORDS") => Quoting::OnlyReserved,
        Some("LEGACY") => Quoting::Legacy,
        _ => around,
    }
}

fn include(element: &Element, path: &str) -> Option<Include> {
    let says = |name: &str| element.value(name).unwrap_or_default().to_owned();
    let depth = element.value("maxDepth").and_then(|depth| depth.parse().ok()).unwrap_or(usize::MAX);
    let context = element.value("contextFilter").or_else(|| element.value("context")).unwrap_or_default();
    Some(Include {
        path: element.value(path)?.to_owned(),
        is_relative: element.says("relativeToChangelogFile") == Some(true),
        all: (element.name == "includeAll").then(|| (depth, says("endsWithFilter"))),
        context: context.to_owned(),
        labels: says("labels"),
    })
}

fn changeset(element: &Element, around: Quoting) -> Changeset {
    let says = |name: &str| element.value(name).unwrap_or_default();
    Changeset {
        name: format!("{}:{}", says("author"), says("id")),
        quoting: quoting(element, around),
        element: element.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> Vec<String> {
        let item = |item: Item| match item {
            Item::Include(include) => include.path,
            Item::Changeset(changeset) => {
                let changes: Vec<&str> = changeset.changes().map(|change| change.name.as_str()).collect();
                format!("{} {}", changeset.name, changes.join("+"))
            }
        };
        read(name, text).unwrap().items.into_iter().map(item).collect()
    }

    #[test]
    fn comments_include_nothing() {
        let xml = "<databaseChangeLog>\n<!-- <include file=\"old.sql\"/> -->\n<include file='a.sql'/><includeAll path=\"sql/\"/>\n<changeSet id=\"1\" author=\"me\"><comment>x</comment><sqlFile path=\"raw.sql\"/></changeSet>\n<changeSet id=\"2\" author=\"me\"><createTable tableName=\"t\"/></changeSet></databaseChangeLog>";
        assert_eq!(shown("changelog.xml", xml), ["a.sql", "sql/", "me:1 sqlFile", "me:2 createTable"]);
        let yaml = "databaseChangeLog:\n  # - include: {file: old.sql}\n  - include: { file: a.sql }\n  - changeSet:\n      id: 3\n      author: me\n      runInTransaction: false\n      changes:\n        - addColumn: { tableName: t }\n        - sqlFile: { path: raw.sql }\n";
        assert_eq!(shown("changelog.yaml", yaml), ["a.sql", "me:3 addColumn+sqlFile"]);
        assert_eq!(shown("changelog.json", r#"{"databaseChangeLog":[{"include":{"file":"a.sql"}}]}"#), ["a.sql"]);
        assert!(read("x.yaml", "a: 1").is_err());
    }
}
