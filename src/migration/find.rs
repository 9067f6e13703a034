//! The migrations folder of a project, where the user names none.

use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::tools::TOOLS;

/// Where the tools keep migrations unless told otherwise, from a project's root. A `*` is any folder.
const PLACES: [&str; 17] = [
    ".",
    "migrations",
    "migration",
    "db/migrations",
    "db/migration",
    "db/migrate",
    "database/migrations",
    "sql/migrations",
    "internal/db/migrations",
    "prisma/migrations",
    "supabase/migrations",
    "drizzle",
    "drizzle/migrations",
    "src/main/resources/db/migration",
    "src/main/resources/db/changelog",
    "db/changelog",
    "migrations/*",
];

/// Why no folder was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error("found no migrations here; looked in {}: name a path", PLACES.join(", "))]
    None,
    #[error("found several migrations folders: {}; name the one to check", list(.0))]
    Several(Vec<PathBuf>),
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The one migrations folder below `project`.
///
/// The project's own root counts only for a tool that keeps its list there (Sqitch), every other place if a tool recognises it or if
/// it is called after migrations and holds SQL. A folder inside of one that was found is not another one.
pub fn find(project: &Path) -> Result<PathBuf, FindError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for place in PLACES {
        for folder in folders(project, place) {
            if !found.iter().any(|other| folder.starts_with(other)) && holds_migrations(project, &folder, place) {
                found.push(folder);
            }
        }
    }
    match found.len() {
        0 => Err(FindError::None),
        1 => Ok(found.swap_remove(0)),
        _ => Err(FindError::Several(found)),
    }
}

fn folders(project: &Path, place: &str) -> Vec<PathBuf> {
    let Some(parent) = place.strip_suffix("/*") else {
        let folder = if place == "." { project.to_owned() } else { project.join(place) };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        return if folder.is_dir() { vec![folder] } else { Vec::new() };
    };
    let entries = std::fs::read_dir(project.join(parent)).into_iter().flatten().flatten();
    let mut below: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    below.sort();
    below
}

fn holds_migrations(project: &Path, folder: &Path, place: &str) -> bool {
    if place == "." {
        return project.join("sqitch.plan").is_file() || project.join("atlas.sum").is_file();
    }
    let folder = Folder::read_near(folder);
    let is_tools = TOOLS.into_iter().any(|tool| tool.detect(&folder));
    let is_named = place.contains("migration") && !place.ends_with('*') && folder.own_sql().next().is_some();
    is_tools || is_named
}
