//! What the project says of Flyway: `flyway.conf`, `flyway.toml`, Spring's `application.*`, the plugins of Gradle and Maven.
//!
//! In: the manifests around a folder. Out: one list of settings, whatever file they are from; the closest file says it first.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::Folder;
use super::project::{Project, read_toml, read_yaml};
use super::variables::Variables;

/// Flyway's settings, as far as they say what of a folder runs, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub versioned: String,
    pub undo: String,
    pub repeatable: String,
    pub baseline: String,
    pub separator: String,
    /// The ends of the names of migrations, the one that is taken first in front.
    pub suffixes: Vec<String>,
    pub mixed: bool,
    pub group: bool,
    pub execute_in_transaction: bool,
    /// What begins and ends a placeholder.
    pub placeholder: (String, String),
    pub placeholders: Variables,
    /// The schema that it makes and works in, where it is told.
    pub schema: Option<String>,
    /// The folders whose migrations are one history, without `filesystem:` and `classpath:`.
    pub locations: Vec<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            versioned: "V".to_owned(),
            undo: "U".to_owned(),
            repeatable: "R".to_owned(),
            baseline: "B".to_owned(),
            separator: "__".to_owned(),
            suffixes: vec![".sql".to_owned()],
            mixed: false,
            group: false,
            execute_in_transaction: true,
            placeholder: ("${".to_owned(), "}".to_owned()),
            placeholders: Variables::default(),
            schema: None,
            locations: Vec::new(),
        }
    }
}

impl Settings {
    pub fn of(folder: &Folder) -> Settings {
        let mut settings = Settings::default();
        let mut schema = "public".to_owned();
        // The closest is the last to speak.
        for (key, value) in entries(&folder.project).into_iter().rev() {
            let key = key.strip_prefix("spring.").unwrap_or(&key);
            settings.set(key.strip_prefix("flyway.").unwrap_or(key), &value, &mut schema);
        }
        let own = Variables::from_iter([("flyway:defaultSchema", schema.as_str())]);
        settings.placeholders = settings.placeholders.or(&own);
        settings.schema = Some(schema).filter(|schema| schema != "public");
        settings
    }

    fn set(&mut self, key: &str, value: &str, schema: &mut String) {
        if let Some(name) = key.strip_prefix("placeholders.") {
            return self.placeholders.set(name, value);
        }
        let value = value.to_owned();
        let is = |word: &str| value.eq_ignore_ascii_case(word);
        // Spring writes them with hyphens.
        match key.replace('-', "").to_lowercase().as_str() {
            "sqlmigrationprefix" => self.versioned = value,
            "undosqlmigrationprefix" => self.undo = value,
            "repeatablesqlmigrationprefix" => self.repeatable = value,
            "baselinemigrationprefix" => self.baseline = value,
            "sqlmigrationseparator" if !value.is_empty() => self.separator = value,
            "sqlmigrationsuffixes" if !value.is_empty() => {
                self.suffixes = value.split(',').map(|suffix| suffix.trim().to_owned()).collect();
            }
            "placeholderprefix" if !value.is_empty() => self.placeholder.0 = value,
            "placeholdersuffix" if !value.is_empty() => self.placeholder.1 = value,
            "locations" => self.locations = value.split(',').map(location).collect(),
            "mixed" => self.mixed = is("true"),
            "group" => self.group = is("true"),
            "executeintransaction" => self.execute_in_transaction = !is("false"),
            "defaultschema" => *schema = value,
            "schemas" if schema == "public" => {
                value.split(',').next().unwrap_or("public").trim().clone_into(schema);
            }
            _ => {}
        }
    }
}

fn location(written: &str) -> String {
    let path = written.trim().trim_start_matches("filesystem:").trim_start_matches("classpath:");
    path.trim_start_matches("./").trim_matches('/').to_owned()
}

/// Which of some folders are locations of the same Flyway as a folder.
pub(super) fn of_one_history<'p>(folder: &Folder, others: &'p [PathBuf]) -> Vec<&'p PathBuf> {
    let Settings { locations, .. } = Settings::of(folder);
    let is_one = |path: &Path| locations.iter().any(|it| !it.is_empty() && path.ends_with(it));
    if locations.len() < 2 || !is_one(&folder.path) {
        return Vec::new();
    }
    others.iter().filter(|path| is_one(path)).collect()
}

/// Keys with their values, the closest file first.
fn entries(project: &Project) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in ["flyway.conf", "application.properties"] {
        for text in project.texts(name) {
            let own = properties(text).map(|(key, value)| (key.to_owned(), value.to_owned()));
            found.extend(own.filter(|(key, _)| key.starts_with("flyway.") || key.starts_with("spring.flyway.")));
        }
    }
    let trees = project.texts("flyway.toml").filter_map(read_toml).filter_map(|tree| tree.get("flyway").cloned());
    trees.for_each(|tree| flatten("", &tree, &mut found));
    for name in ["application.yml", "application.yaml"] {
        let trees = project.texts(name).filter_map(read_yaml);
        let trees = trees.filter_map(|tree| tree.get("spring")?.get("flyway").cloned());
        trees.for_each(|tree| flatten("", &tree, &mut found));
    }
    for name in ["build.gradle", "build.gradle.kts"] {
        project.texts(name).filter_map(block).for_each(|block| found.extend(assignments(block)));
    }
    for text in project.texts("pom.xml") {
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        if let Ok(document) = roxmltree::Document::parse_with_options(text, options) {
            configured(&document, &mut found);
        }
    }
    found
}

pub(super) fn properties(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

fn flatten(prefix: &str, tree: &Value, found: &mut Vec<(String, String)>) {
    match tree {
        Value::Object(all) => {
            for (key, value) in all {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, found);
            }
        }
        Value::Array(all) => {
            let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            found.push((prefix.to_owned(), texts.join(",")));
        }
        Value::String(text) => found.push((prefix.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => found.push((prefix.to_owned(), tree.to_string())),
        Value::Null => {}
    }
}

/// What is in the braces of `flyway { … }`.
fn block(text: &str) -> Option<&str> {
    let starts = text.match_indices("flyway").map(|(at, word)| at + word.len());
    let open = starts.into_iter().find_map(|at| {
        let rest = text.get(at..)?;
        let body = rest.trim_start();
        body.starts_with('{').then(|| at + rest.len() - body.len() + 1)
    })?;
    let mut depth = 1;
    for (at, letter) in text.get(open..)?.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(open..open + at);
        }
    }
    None
}

/// `key = 'value'` and `placeholders = [name: 'value']`, in Groovy's words and in Kotlin's. What is not written out as a text is not known.
fn assignments(block: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = block;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.trim_end().rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        let after = after.trim_start();
        let list = ["[", "mapOf(", "listOf(", "arrayOf("].iter().find_map(|open| after.strip_prefix(open));
        let (value, next) = match list {
            Some(inside) => {
                inside.split_at_checked(inside.find([']', ')']).unwrap_or(inside.len())).unwrap_or((inside, ""))
            }
            None => after.split_at_checked(after.find('\n').unwrap_or(after.len())).unwrap_or((after, "")),
        };
        match key {
            "placeholders" => found.extend(pairs(value)),
            _ => {
                let texts: Vec<&str> = quoted(value).map(|(_, text, _)| text).collect();
                found.extend((!texts.is_empty()).then(|| (key.to_owned(), texts.join(","))));
            }
        }
        rest = next;
    }
    found
}

/// `name: 'value'`, `'name': 'value'`, `"name" to "value"`.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in text.split(',') {
        let Some((name, value)) = item.split_once(" to ").or_else(|| item.split_once(':')) else { continue };
        let name = name.trim().trim_matches(['\'', '"']);
        if let Some((_, value, _)) = quoted(value).next() {
            found.push((format!("placeholders.{name}"), value.to_owned()));
        }
    }
    found
}

/// The texts in quotes, each with what is before and after it.
fn quoted(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.find(['\'', '"'])?;
        let (before, from) = rest.split_at_checked(at)?;
        let quote = from.chars().next()?;
        let (inside, after) = from.get(1..)?.split_once(quote)?;
        rest = after;
        Some((before, inside, after))
    })
}

/// The `<configuration>` of Maven's plugin.
fn configured(document: &roxmltree::Document, found: &mut Vec<(String, String)>) {
    let text = |node: roxmltree::Node| node.text().unwrap_or_default().trim().to_owned();
    // Of another plugin it says nothing.
    let is_flyways = |node: &roxmltree::Node| {
        let beside = node.parent().into_iter().flat_map(|parent| parent.children());
        let mut named = beside.filter(|it| it.tag_name().name() == "artifactId").map(text);
        named.next().is_none_or(|name| name == "flyway-maven-plugin")
    };
    let settings = document.descendants().filter(|it| it.tag_name().name() == "configuration").filter(is_flyways);
    for setting in settings.flat_map(|it| it.children()).filter(roxmltree::Node::is_element) {
        let name = setting.tag_name().name();
        found.push((name.to_owned(), text(setting)));
        let inside: Vec<String> = setting.children().filter(roxmltree::Node::is_element).map(text).collect();
        if name == "locations" {
            found.push((name.to_owned(), inside.join(",")));
        }
        for inner in setting.children().filter(roxmltree::Node::is_element) {
            found.push((format!("{name}.{}", inner.tag_name().name()), text(inner)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradle_writes_settings_in_two_languages() {
        let groovy = "plugins { id 'x' }\nflyway { locations = ['filesystem:db']\n placeholders = [ t: 'a', 'u': \"b\" ]\n sqlMigrationPrefix = 'M' }\n";
        let found = assignments(block(groovy).unwrap_or_default());
        let expected = [
            ("locations", "filesystem:db"),
            ("placeholders.t", "a"),
            ("placeholders.u", "b"),
            ("sqlMigrationPrefix", "M"),
        ];
        assert_eq!(found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
        let kotlin = "configure<X> {}\nflyway {\n    placeholders = mapOf(\"t\" to \"a\")\n    url = System.getenv(\"URL\") + x\n}\n";
        let found = assignments(block(kotlin).unwrap_or_default());
        assert_eq!(found.first(), Some(&("placeholders.t".to_owned(), "a".to_owned())));
    }

    #[test]
    fn trees_are_one_list() {
        let tree = read_yaml("locations: [a, b]\nplaceholders: {t: x}\nmixed: true\n").unwrap_or_default();
        let mut found = Vec::new();
        flatten("", &tree, &mut found);
        found.sort();
        let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(found, [text("locations", "a,b"), text("mixed", "true"), text("placeholders.t", "x")]);
    }
}
