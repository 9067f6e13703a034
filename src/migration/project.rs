//! What the project around a folder says about its tools: its manifests, from the folder upwards.

use std::path::Path;

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
            for name in MANIFESTS {
                manifests.extend(std::fs::read_to_string(ancestor.join(name)).ok().map(|text| (name, text)));
            }
            if ancestor.join(".git").exists() {
                break;
            }
        }
        Project { manifests }
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
