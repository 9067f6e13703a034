//! What the project around a folder says about its tools: its manifests, from the folder upwards.

use std::path::Path;
use std::sync::Arc;

/// The manifests that name dependencies or settings, by file name.
#[derive(Debug, Clone, Default)]
pub(super) struct Project {
    manifests: Vec<(&'static str, String)>,
}

const MANIFESTS: [&str; 12] = [
    "Cargo.toml",
    "diesel.toml",
    "sqlx.toml",
    "go.mod",
    "package.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "flyway.conf",
    "flyway.toml",
    "sqitch.conf",
    "config.yaml",
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

    /// Whether a manifest has a line for this name: a dependency, a setting, or a section of it.
    pub fn declares(&self, manifest: &str, name: &str) -> bool {
        let is_entry = |line: &str| line.trim_start_matches([' ', '\t', '"', '\'']).starts_with(name);
        let is_section = |line: &str| line.starts_with('[') && line.contains(name);
        self.texts(manifest).flat_map(str::lines).any(|line| is_entry(line) || is_section(line))
    }

    /// The texts of the manifests of that name, the closest first.
    pub fn texts(&self, manifest: &str) -> impl Iterator<Item = &str> {
        self.manifests.iter().filter(move |(name, _)| *name == manifest).map(|(_, text)| text.as_str())
    }
}

fn manifests_in(folder: &Path, is_there: impl Fn(&str) -> bool) -> impl Iterator<Item = (&'static str, String)> {
    let names = MANIFESTS.into_iter().filter(move |name| is_there(name));
    names.filter_map(move |name| Some((name, std::fs::read_to_string(folder.join(name)).ok()?)))
}
