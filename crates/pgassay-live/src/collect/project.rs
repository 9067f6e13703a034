//! What the project around a folder says about its tools: its manifests, from the folder upwards.

use std::path::Path;
use std::sync::Arc;

/// The manifests that name dependencies or settings, by file name.
#[derive(Debug, Clone, Default)]
pub(super) struct Project {
    manifests: Vec<(&'static str, String)>,
}

const MANIFESTS: [&str; 20] = [
    "Cargo.toml",
    "diesel.toml",
    "sqlx.toml",
    "go.mod",
    "package.json",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "flyway.conf",
    "flyway.toml",
    "sqitch.conf",
    "config.yaml",
    "liquibase.properties",
    "application.properties",
    "application.yml",
    "application.yaml",
    "yoyo.ini",
    "dbconfig.yml",
];

/// How many folders upwards a project's root is looked for.
const LEVELS: usize = 8;

impl Project {
    /// Reads the manifests of the folder and those above it, up to the root of the repository.
    pub fn around(folder: &Path) -> Project {
        let mut manifests = Vec::new();
        let Ok(folder) = folder.canonicalize() else { return Project::default() };
        for ancestor in folder.ancestors().take(LEVELS) {
            manifests.extend(manifests_in(ancestor, |_| true));
            if ancestor.join(".git").exists() {
                break;
            }
        }
        Project { manifests }
    }

    /// The project of a folder below: with the manifests that stand in it, if any do.
    pub fn below(self: &Arc<Project>, folder: &Path, is_there: impl Fn(&str) -> bool) -> Arc<Project> {
        let mut manifests: Vec<(&'static str, String)> = manifests_in(folder, is_there).collect();
        if manifests.is_empty() {
            return self.clone();
        }
        manifests.extend(self.manifests.iter().cloned());
        Arc::new(Project { manifests })
    }

    /// Whether there is a manifest of that name.
    pub fn has(&self, manifest: &str) -> bool {
        self.texts(manifest).next().is_some()
    }

    /// Whether a manifest has an entry of this name: a dependency, a setting, or a section.
    pub fn declares(&self, manifest: &str, name: &str) -> bool {
        self.texts(manifest).any(|text| match manifest.rsplit_once('.') {
            Some((_, "json")) => read_json(text).is_some_and(|json| has_key(&json, name)),
            Some((_, "toml")) => read_toml(text).is_some_and(|toml| has_key(&toml, name)),
            Some((_, "yaml")) => read_yaml(text).is_some_and(|yaml| has_key(&yaml, name)),
            // What only a dependency needs says nothing about this project.
            Some((_, "mod")) => text.lines().any(|line| !line.ends_with("// indirect") && has_word(line, name)),
            _ => text.lines().any(|line| has_word(line, name)),
        })
    }

    /// The version of a package that the closest `package.json` that has it asks for.
    pub fn npm_version(&self, package: &str) -> Option<String> {
        let kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
        self.texts("package.json").filter_map(read_json).find_map(|manifest| {
            kinds.iter().find_map(|kind| Some(manifest.get(kind)?.get(package)?.as_str()?.to_owned()))
        })
    }

    /// The features of a dependency that the closest `Cargo.toml` that has it asks for.
    pub fn cargo_features(&self, dependency: &str) -> Vec<String> {
        let features = |text: &str| {
            let manifest = read_toml(text)?;
            let found = find_key(&manifest, dependency)?;
            let list = found.get("features")?.as_array()?;
            Some(list.iter().filter_map(|feature| Some(feature.as_str()?.to_owned())).collect())
        };
        self.texts("Cargo.toml").find_map(features).unwrap_or_default()
    }

    /// The texts of the manifests of that name, the closest first.
    pub fn texts(&self, manifest: &str) -> impl Iterator<Item = &str> {
        self.manifests.iter().filter(move |(name, _)| *name == manifest).map(|(_, text)| text.as_str())
    }
}

/// The crates that the one around a folder depends on by their paths.
pub(super) fn crates_beside(folder: &Path) -> Vec<Project> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    let own = folder.ancestors().take(LEVELS).find_map(|above| {
        let manifest = read_toml(&std::fs::read_to_string(above.join("Cargo.toml")).ok()?)?;
        manifest.get("package")?;
        Some((above, manifest))
    });
    let Some((root, manifest)) = own else { return Vec::new() };
    let dependencies = manifest.get("dependencies").and_then(|all| all.as_object()).into_iter().flatten();
    let paths = dependencies.filter_map(|(_, dependency)| Some(root.join(dependency.get("path")?.as_str()?)));
    paths.map(|path| Project { manifests: manifests_in(&path, |name| name == "Cargo.toml").collect() }).collect()
}

fn has_word(line: &str, wanted: &str) -> bool {
    line.split_whitespace().any(|word| word == wanted)
}

/// JSON, YAML and TOML are all read into the same tree.
pub(super) fn read_json(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

pub(super) fn read_yaml(text: &str) -> Option<serde_json::Value> {
    serde_yaml_ng::from_str(text).ok()
}

pub(super) fn read_toml(text: &str) -> Option<serde_json::Value> {
    let table = text.parse::<toml::Table>().ok()?;
    serde_json::to_value(table).ok()
}

/// Whether an object, or one close below it, has this key. Only as deep as dependencies and settings stand: a value of the same name
/// further down is something else.
fn has_key(value: &serde_json::Value, name: &str) -> bool {
    find_key(value, name).is_some()
}

fn find_key<'v>(value: &'v serde_json::Value, name: &str) -> Option<&'v serde_json::Value> {
    find_key_to(value, name, KEY_DEPTH)
}

/// `target.'cfg(unix)'.dependencies.sqlx`.
const KEY_DEPTH: usize = 4;

fn find_key_to<'v>(value: &'v serde_json::Value, name: &str, depth: usize) -> Option<&'v serde_json::Value> {
    let object = value.as_object()?;
    let deeper = || depth.checked_sub(1).and_then(|depth| object.values().find_map(|it| find_key_to(it, name, depth)));
    object.get(name).or_else(deeper)
}

fn manifests_in(folder: &Path, is_there: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, String)> {
    let names = MANIFESTS.into_iter().filter(move |name| is_there(name));
    names.filter_map(move |name| Some((name, std::fs::read_to_string(folder.join(name)).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(name: &'static str, text: &str) -> Project {
        Project { manifests: vec![(name, text.to_owned())] }
    }

    #[test]
    fn manifests_are_read_by_their_format() {
        let package = project("package.json", r#"{"name":"x","devDependencies":{"node-pg-migrate":"^7"}}"#);
        assert!(package.declares("package.json", "node-pg-migrate"));
        let mention = project("package.json", r#"{"description": "node-pg-migrate", "keywords": ["knex"]}"#);
        assert!(!mention.declares("package.json", "node-pg-migrate"));
        let module = project("go.mod", "require (\n\tgithub.com/pressly/goose/v3 v3.1.0\n)\n");
        assert!(module.declares("go.mod", "github.com/pressly/goose/v3"));
        let indirect = project("go.mod", "require (\n\tgithub.com/ory/pop/v6 v6.4.1 // indirect\n)\n");
        assert!(!indirect.declares("go.mod", "github.com/ory/pop/v6"));
    }

    #[test]
    fn features_are_those_of_the_dependency() {
        let manifest = "[dependencies]\nsqlx = { version = \"0.8\", features = [\"sqlite\", \"runtime-tokio\"] }\n";
        assert_eq!(project("Cargo.toml", manifest).cargo_features("sqlx"), ["sqlite", "runtime-tokio"]);
        let commented = "[dependencies]\n# sqlx = { features = [\"sqlite\"] }\n";
        assert!(!project("Cargo.toml", commented).declares("Cargo.toml", "sqlx"));
    }
}
