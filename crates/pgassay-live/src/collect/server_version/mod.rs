//! The server's version as the project's own files say it, where nobody told pgassay.
//!
//! In: a place in a project. Out: the major version and the file that says it. What production is made of (Terraform, Supabase, Render, Heroku)
//! outweighs what developers and CI run on; of several that weigh the same the lowest counts, for what works there works on the others.

mod image;
mod settings;
mod terraform;
mod yaml;

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use pgassay_core::version::PgVersion;

use super::project::{read_json, read_toml, read_yaml};
use super::repository;

/// A version that a file of the project says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// The closest to what the file says that is known.
    pub version: PgVersion,
    /// As the file says it: `16.3`.
    pub major: u16,
    /// Relative to the root of the repository.
    pub file: PathBuf,
    /// `image postgres:16-alpine`.
    pub text: String,
}

/// What a file says: the major version, and the words.
type Said = (u16, String);

/// What the database is, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// What developers have on their machines.
    Tools,
    /// What tests run on.
    Tests,
    /// What developers run.
    Development,
    Production,
}

/// Larger files are no settings.
const LARGEST: u64 = 1 << 20;

/// Folders of a project, besides itself, that settings of its servers are in.
const FOLDERS: [&str; 14] = [
    ".github/workflows",
    ".circleci",
    ".devcontainer",
    "supabase",
    "docker",
    "compose",
    "deploy",
    "deployment",
    "deployments",
    "dev",
    "local",
    "ops",
    "scripts",
    "config",
];

/// Folders of Terraform's files, with what is below them.
const TERRAFORM: [&str; 6] = ["terraform", "infra", "infrastructure", "iac", "deploy", "ops"];

/// What the files say that are closest to a file or folder: those in it or in the folders above, up to the root of the repository.
pub fn find(place: &Path) -> Option<FoundVersion> {
    let place = place.canonicalize().ok()?;
    let root = repository::root(&place.join("x"))?;
    let mut folder = if place.is_dir() { place.as_path() } else { place.parent()? };
    loop {
        if let Some(found) = in_folder(folder, &root) {
            return Some(found);
        }
        if folder == root {
            return None;
        }
        folder = folder.parent()?;
    }
}

fn in_folder(folder: &Path, root: &Path) -> Option<FoundVersion> {
    let mut all: Vec<(Weight, FoundVersion)> = Vec::new();
    for file in files(folder) {
        let Some((weight, said)) = read(&file) else { continue };
        all.extend(said.into_iter().filter_map(|(major, text)| {
            let version = closest(major)?;
            Some((weight, FoundVersion { version, major, file: file.clone(), text }))
        }));
    }
    let strongest = all.iter().map(|(weight, _)| *weight).max()?;
    let mut found = all.into_iter().filter(|(weight, _)| *weight == strongest).map(|(_, found)| found);
    let first = found.next()?;
    let mut lowest = found.fold(first, |lowest, other| if other.major < lowest.major { other } else { lowest });
    lowest.file = lowest.file.strip_prefix(root).map(Path::to_owned).unwrap_or(lowest.file);
    Some(lowest)
}

/// A major version as near to what a file says as is known; years and build numbers are none.
fn closest(major: u16) -> Option<PgVersion> {
    match major {
        9..=30 => Some(PgVersion::new(major.clamp(PgVersion::OLDEST.major(), PgVersion::NEWEST.major()))?),
        _ => None,
    }
}

/// The files of a folder that may say it, in a fixed order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = own_files(folder);
    files.extend(FOLDERS.iter().flat_map(|name| own_files(&folder.join(name))));
    let below = TERRAFORM.iter().map(|name| folder.join(name)).filter(|folder| folder.is_dir());
    for folder in below {
        let walk = WalkBuilder::new(&folder).max_depth(Some(5)).build();
        let mut deep: Vec<PathBuf> =
            walk.flatten().map(ignore::DirEntry::into_path).filter(|path| is_terraform(path)).collect();
        deep.sort();
        files.extend(deep);
    }
    files.sort();
    files.dedup();
    files
}

fn own_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST);
    let stays = |path: &PathBuf| repository::leaves(path).is_none();
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| kind(path).is_some())
        .filter(is_small)
        .filter(stays)
        .collect()
}

fn is_terraform(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "tf")
        && std::fs::metadata(path).is_ok_and(|file| file.len() <= LARGEST)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Terraform,
    Supabase,
    Render,
    Heroku,
    Compose,
    Workflow,
    Ci,
    ToolVersions,
    Mise,
}

fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent()?.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    Some(match name {
        _ if name.ends_with(".tf") => Kind::Terraform,
        "config.toml" if parent == "supabase" => Kind::Supabase,
        "render.yaml" => Kind::Render,
        "app.json" => Kind::Heroku,
        ".tool-versions" => Kind::ToolVersions,
        "mise.toml" | ".mise.toml" => Kind::Mise,
        ".gitlab-ci.yml" | "bitbucket-pipelines.yml" | "azure-pipelines.yml" | ".travis.yml" | ".drone.yml" => Kind::Ci,
        "config.yml" if parent == ".circleci" => Kind::Ci,
        _ if is_yaml && parent == "workflows" => Kind::Workflow,
        _ if is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose")) => Kind::Compose,
        _ => return None,
    })
}

/// What a file says; a file that cannot be read says nothing: it is another tool's, and that tool complains.
fn read(path: &Path) -> Option<(Weight, Vec<Said>)> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(match kind(path)? {
        Kind::Terraform => (Weight::Production, terraform::read(&text, path)),
        Kind::Supabase => (Weight::Production, settings::supabase(&read_toml(&text)?)),
        Kind::Render => (Weight::Production, settings::render(&read_yaml(&text)?)),
        Kind::Heroku => (Weight::Production, settings::heroku(&read_json(&text)?)),
        Kind::Compose => (Weight::Development, yaml::compose(&read_yaml(&text)?)),
        Kind::Workflow => (Weight::Tests, yaml::workflow(&read_yaml(&text)?)),
        Kind::Ci => (Weight::Tests, yaml::images(&read_yaml(&text)?)),
        Kind::ToolVersions => (Weight::Tools, settings::tool_versions(&text)),
        Kind::Mise => (Weight::Tools, settings::mise(&read_toml(&text)?)),
    })
}

#[cfg(test)]
mod tests;
