//! The migrations folders of a project, where the user names none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folder::{Folder, is_skipped, is_tool_file};
use super::named_files::is_root;
use super::order::{leading_digits, natural_path};
use super::tools::TOOLS;

/// How deep below the project migrations are looked for: enough for a module's `src/main/resources/db/migration` in a group of
/// modules.
const LEVELS: usize = 9;

/// Folders whose SQL is not about to run on the project's database.
const NOT_THE_PROJECTS: [&str; 17] = [
    "__fixtures__",
    "__tests__",
    "build",
    "dist",
    "docs",
    "e2e",
    "example",
    "examples",
    "fixtures",
    "out",
    "seeds",
    "spec",
    "test",
    "testdata",
    "tests",
    "third_party",
    "vendor",
];

/// Words in the names of folders whose SQL is for another server.
const OTHER_SERVERS: [&str; 9] =
    ["bigquery", "cassandra", "clickhouse", "duckdb", "mariadb", "mssql", "mysql", "oracle", "sqlite"];

/// Why no folder was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error(
        "found no migrations here, nor below: no folder that a migration tool would run, none called migrations, and none of numbered SQL files; name a path"
    )]
    None,
    #[error(
        "found no SQL migrations here, only a dump of the schema, {}; migrations in another language can be given as SQL with --from-command",
        .0.display()
    )]
    OnlyDump(PathBuf),
}

/// The migrations folders of the project in or around a folder: those below it, else those below the closest folder around it that has
/// any, up to the root of the repository. Sorted; none is inside of another.
///
/// A folder counts that a tool recognises, or that is called `migrations` and holds SQL. Where there is none, a folder counts whose SQL
/// files are all numbered.
pub fn find(here: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut dump = None;
    let mut project = if here.as_os_str().is_empty() { PathBuf::from(".") } else { here.to_owned() };
    loop {
        let found = find_below(&project);
        dump = dump.or(found.dump);
        if !found.folders.is_empty() {
            return Ok(found.folders);
        }
        let is_top = project.canonicalize().map_or(true, |full| full.join(".git").exists() || full.parent().is_none());
        if is_top || !is_in_repository(here) {
            return Err(dump.map_or(FindError::None, FindError::OnlyDump));
        }
        project = if project == Path::new(".") { PathBuf::from("..") } else { project.join("..") };
    }
}

fn is_in_repository(folder: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().is_ok_and(|full| full.ancestors().any(|above| above.join(".git").exists()))
}

#[derive(Default)]
struct Found {
    folders: Vec<PathBuf>,
    /// What exists before the migrations, where it is all there is.
    dump: Option<PathBuf>,
}

fn find_below(project: &Path) -> Found {
    let mut found = Found::default();
    let mut numbered = Vec::new();
    for path in candidates(project) {
        if found.folders.iter().any(|other: &PathBuf| path.starts_with(other)) {
            continue;
        }
        // A list of changelogs may name what is far below it.
        let folder = if is_root(&path) { Folder::read(&path, &mut Vec::new()) } else { Folder::read_near(&path) };
        if is_for_another_server(&folder, project) {
            continue;
        }
        match TOOLS.into_iter().find(|tool| tool.detect(&folder)).map(|tool| tool.framework()) {
            Some(framework) if framework.is_base() => found.dump = found.dump.or_else(|| first_sql(&folder)),
            // What else is below is found when it is read.
            Some(_) if path == project => return Found { folders: vec![path], dump: None },
            Some(_) => found.folders.push(path),
            None if folder.own_sql().next().is_some() && is_called_migrations(&path) => found.folders.push(path),
            None if is_numbered(&folder) => numbered.push(path),
            None => {}
        }
    }
    if found.folders.is_empty() {
        found.folders = topmost(numbered);
    }
    found
}

/// Folders that hold SQL or a tool's own file, and those right above them, from the top down: a tool that keeps each migration in a
/// folder is recognised by the folder above.
fn candidates(project: &Path) -> Vec<PathBuf> {
    let walk = WalkDir::new(project).max_depth(LEVELS).into_iter().filter_entry(is_the_projects);
    let mut folders = BTreeSet::new();
    for entry in walk.flatten().filter(|entry| !entry.file_type().is_dir()) {
        let is_sql = entry.path().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if is_sql || is_tool_file(entry.path()) {
            let around = entry.path().ancestors().skip(1).take(2);
            folders.extend(around.filter(|folder| folder.starts_with(project)).map(Path::to_owned));
        }
    }
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|folder| below(project, &folder)).collect();
    folders.sort_by(|a, b| a.components().count().cmp(&b.components().count()).then_with(|| natural_path(a, b)));
    folders
}

fn is_the_projects(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_other = entry.depth() > 0 && entry.file_type().is_dir() && NOT_THE_PROJECTS.contains(&name.as_ref());
    !is_other && !is_skipped(entry)
}

/// Without a `./` in front, as a user would write it.
fn below(project: &Path, folder: &Path) -> PathBuf {
    match folder.strip_prefix(".") {
        Ok(rest) if project == Path::new(".") && !rest.as_os_str().is_empty() => rest.to_owned(),
        _ => folder.to_owned(),
    }
}

fn is_called_migrations(folder: &Path) -> bool {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = full.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    matches!(name.as_str(), "migrations" | "migration" | "migrate")
}

/// Whether a tool's own file says that the migrations are for another server than PostgreSQL, else a folder's name.
fn is_for_another_server(folder: &Folder, project: &Path) -> bool {
    let settings = [("migration_lock.toml", "provider"), ("meta/_journal.json", "dialect")];
    let told = settings.into_iter().find_map(|(file, key)| setting(folder.file(file)?.text(), key));
    if let Some(server) = told {
        return !server.starts_with("postgres") && server != "cockroachdb";
    }
    let from_project = folder.path.strip_prefix(project).unwrap_or(&folder.path);
    let names = from_project.iter().map(|name| name.to_string_lossy().to_lowercase());
    names.into_iter().any(|name| OTHER_SERVERS.iter().any(|server| name.contains(server)))
}

/// The value of `key = "value"` or `"key": "value"`.
fn setting<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.trim_start_matches([' ', '\t', '"']).starts_with(key))?;
    let (_, value) = line.split_once(['=', ':'])?;
    value.split('"').nth(1)
}

/// Whether the folder's own SQL files are several, and all have a number in front.
fn is_numbered(folder: &Folder) -> bool {
    let starts = |name: &str| !leading_digits(name.trim_start_matches(['v', 'V'])).is_empty();
    folder.own_sql().count() > 1 && folder.own_sql().all(|file| starts(file.name()))
}

fn topmost(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut top: Vec<PathBuf> = Vec::new();
    for folder in folders {
        if !top.iter().any(|other| folder.starts_with(other)) {
            top.push(folder);
        }
    }
    top
}

fn first_sql(folder: &Folder) -> Option<PathBuf> {
    folder.own_sql().next().map(|file| file.path.clone())
}
