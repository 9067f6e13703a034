//! The migrations folders of a project, where the user names none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ignore::DirEntry;

use super::code::{self, CodeFolder, Language};
use super::dialect;
use super::folder::{File, Folder, is_sql, is_tool_file, other_ending, walk};
use super::named_files::is_root;
use super::order::{leading_digits, natural_path};
use super::project::{Project, crates_beside, read_json, read_toml, read_yaml};
use super::tools::TOOLS;

/// How deep below the project migrations are looked for: enough for a Java package below a module's `src/main/resources` in a group of
/// modules of modules.
const LEVELS: usize = 24;

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

/// Why no folder was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    #[error(
        "found no migrations here or below: no folder that a migration tool would run, none called migrations with SQL files, and none of numbered SQL files{}",
        others(.0)
    )]
    None(Vec<OtherServer>),
    #[error(
        "found no SQL migrations here, only a dump of the schema, {}{}",
        .0.display(),
        code_advice(.1)
    )]
    OnlyDump(PathBuf, Vec<CodeFolder>),
    #[error("found migrations, but none in SQL: {}{}{}", code_list(.0), left_out(.1), code_advice(.0))]
    OnlyCode(Vec<CodeFolder>, Vec<OtherServer>),
}

/// A folder whose migrations are for another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherServer {
    pub folder: PathBuf,
    pub server: String,
    pub files: Vec<PathBuf>,
}

fn others(found: &[OtherServer]) -> String {
    match found {
        [] => "; name a path".to_owned(),
        found => format!("{}; name a path", left_out(found)),
    }
}

fn left_out(found: &[OtherServer]) -> String {
    match found {
        [] => String::new(),
        found => format!("; left out: {}", list(found.iter().map(OtherServer::describe))),
    }
}

impl OtherServer {
    pub fn describe(&self) -> String {
        format!("{} (for {})", self.folder.display(), self.server)
    }
}

/// How many folders a message names.
const NAMED: usize = 5;

fn list(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    match all.len() {
        0..=NAMED => all.join(", "),
        many => format!("{} and {} more", all[..NAMED].join(", "), many - NAMED),
    }
}

fn code_list(folders: &[CodeFolder]) -> String {
    list(folders.iter().map(CodeFolder::describe))
}

fn code_advice(folders: &[CodeFolder]) -> String {
    match folders.first() {
        Some(first) => format!("; {}, or give it the SQL that your tool prints: --from-command", first.advice()),
        None => {
            "; migrations in another language can be run for judging with --run, or given as SQL with --from-command"
                .to_owned()
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct FoundFolders {
    /// Sorted; none is inside of another.
    pub folders: Vec<PathBuf>,
    /// Folders of migrations in other languages.
    pub code: Vec<CodeFolder>,
    /// Folders that were left out.
    pub others: Vec<OtherServer>,
}

/// The migrations folders of the project in or around a folder: those below it, else those below the closest folder around it that has
/// any, up to the root of the repository.
///
/// A folder counts that a tool recognises, or that is called `migrations` and holds SQL. Where there is none, a folder counts whose SQL
/// files, or whose folders of SQL files, are all numbered.
pub fn find(here: &Path) -> Result<FoundFolders, FindError> {
    let (mut dump, mut code, mut others) = (None, Vec::new(), Vec::new());
    let mut project = if here.as_os_str().is_empty() { PathBuf::from(".") } else { here.to_owned() };
    loop {
        let found = find_below(&project);
        if !found.folders.is_empty() {
            return Ok(FoundFolders { folders: found.folders, code: found.code, others: found.others });
        }
        dump = dump.or(found.dump);
        code = if code.is_empty() { found.code } else { code };
        others = if others.is_empty() { found.others } else { others };
        let is_top = project.canonicalize().map_or(true, |full| full.join(".git").exists() || full.parent().is_none());
        if is_top || !is_in_repository(here) {
            return Err(nothing(dump, code, others));
        }
        project = if project == Path::new(".") { PathBuf::from("..") } else { project.join("..") };
    }
}

/// As [`find`], below a folder that is named, where that is no migrations folder itself but a project's. None where the folder is to be
/// read as it is: it is one of migrations, or its SQL is all there is.
pub(super) fn find_in(folder: &Folder) -> Option<Result<FoundFolders, FindError>> {
    let is_one = TOOLS.iter().copied().any(|tool| tool.detect(folder) && !tool.order(folder).entries.is_empty())
        || (folder.has_sql() && is_called_migrations(&folder.path))
        || is_numbered(folder)
        || is_list_of_numbered(folder);
    let is_searched = folder.path == Path::new(".") || is_project(folder);
    if is_one || !is_searched {
        return None;
    }
    let found = find_below(&folder.path);
    if !found.folders.is_empty() {
        return Some(Ok(FoundFolders { folders: found.folders, code: found.code, others: found.others }));
    }
    let has_other = found.dump.is_some() || !found.code.is_empty() || !found.others.is_empty();
    has_other.then(|| Err(nothing(found.dump, found.code, found.others)))
}

/// Why nothing was found, with what is there instead.
fn nothing(dump: Option<PathBuf>, code: Vec<CodeFolder>, others: Vec<OtherServer>) -> FindError {
    match dump {
        Some(dump) => FindError::OnlyDump(dump, code),
        None if !code.is_empty() => FindError::OnlyCode(code, others),
        None => FindError::None(others),
    }
}

/// Whether a folder has the manifest of a project, or is a repository's root.
fn is_project(folder: &Folder) -> bool {
    let has = |name: &str| folder.path.join(name).exists();
    has(".git")
        || folder.own().any(|file| {
            matches!(
                file.name(),
                "Cargo.toml"
                    | "go.mod"
                    | "package.json"
                    | "composer.json"
                    | "pom.xml"
                    | "Gemfile"
                    | "pyproject.toml"
                    | "mix.exs"
            )
        })
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
    code: Vec<CodeFolder>,
    others: Vec<OtherServer>,
}

fn find_below(project: &Path) -> Found {
    let mut found = Found::default();
    let mut numbered = Vec::new();
    let (candidates, code) = candidates(project);
    for path in candidates {
        if found.folders.iter().any(|other: &PathBuf| path.starts_with(other)) {
            continue;
        }
        // A list of changelogs may name what is far below it.
        let folder = if is_root(&path) { Folder::read(&path, &mut Vec::new()) } else { Folder::read_near(&path) };
        if let Some(server) = other_server(&folder, project) {
            if is_like_migrations(&folder) && !found.others.iter().any(|other| path.starts_with(&other.folder)) {
                let sql = folder.files.iter().filter(|file| file.is_sql()).map(|file| file.path.clone());
                let files = if folder.has_sql() { sql.collect() } else { vec![path.clone()] };
                found.others.push(OtherServer { folder: path, server, files });
            }
            continue;
        }
        match TOOLS.iter().copied().find(|tool| tool.detect(&folder)).map(|tool| tool.framework()) {
            Some(framework) if framework.is_base() => found.dump = found.dump.or_else(|| first_sql(&folder)),
            // What else is below is found when it is read.
            Some(_) if path == project => return Found { folders: vec![path], ..Found::default() },
            Some(_) => found.folders.push(path),
            None if is_called_migrations(&path) && (folder.own_sql().next().is_some() || holds_pairs(&folder)) => {
                found.folders.push(path);
            }
            // Each looks like a folder of its own to the tool of its files; the numbers make them one history.
            None if is_list_of_numbered(&folder) && folder.subfolders().iter().any(is_a_tools) => {
                found.folders.push(path);
            }
            None if is_numbered(&folder) || is_list_of_numbered(&folder) => numbered.push(path),
            None => {}
        }
    }
    if found.folders.is_empty() {
        found.folders = topmost(numbered);
    }
    let (code, foreign) = of_other_servers(code, project);
    found.others.extend(foreign);
    found.code = code::folders(code, Project::around);
    found.code.retain(|code| !found.folders.iter().any(|folder| code.folder.starts_with(folder)));
    found
}

/// What of migrations in other languages is in a folder for another server, as its name says it.
fn of_other_servers(code: Vec<(PathBuf, Language)>, project: &Path) -> (Vec<(PathBuf, Language)>, Vec<OtherServer>) {
    let mut foreign: BTreeMap<PathBuf, OtherServer> = BTreeMap::new();
    let (mut ours, all) = (Vec::new(), code);
    for (path, language) in all {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        match dialect::of_folder(folder.strip_prefix(project).unwrap_or(&folder)) {
            Some(server) => {
                let server = server.to_owned();
                let other = || OtherServer { folder: folder.clone(), server, files: Vec::new() };
                foreign.entry(folder.clone()).or_insert_with(other).files.push(path);
            }
            None => ours.push((path, language)),
        }
    }
    (ours, foreign.into_values().collect())
}

/// Folders that hold SQL or a tool's own file, and those right above them, from the top down: a tool that keeps each migration in a
/// folder is recognised by the folder above. Beside them, what looks like migrations in other languages.
fn candidates(project: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, Language)>) {
    let mut walk = walk(project, Some(LEVELS), false);
    walk.filter_entry(is_the_projects);
    let (mut folders, mut code) = (BTreeSet::new(), Vec::new());
    for entry in walk.build().flatten().filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir())) {
        let path = entry.path();
        if is_sql(path) || other_ending(path).is_some() || is_tool_file(path) {
            let around = path.ancestors().skip(1).take(2);
            folders.extend(around.filter(|folder| folder.starts_with(project)).map(Path::to_owned));
        } else if let Some(language) =
            path.parent().filter(|folder| says_migrations(folder)).and_then(|_| code::language(path))
        {
            code.push((below(project, path), language));
        }
    }
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|folder| below(project, &folder)).collect();
    folders.sort_by(|a, b| a.components().count().cmp(&b.components().count()).then_with(|| natural_path(a, b)));
    (folders, code)
}

/// The files of a project that are migrations in another language than SQL, or in SQL that another tool runs, wherever they stand.
pub(crate) fn code_files(project: &Path) -> Vec<PathBuf> {
    let project = if project.as_os_str().is_empty() { Path::new(".") } else { project };
    let mut walk = walk(project, Some(LEVELS), false);
    walk.filter_entry(is_the_projects);
    let is_file = |entry: &DirEntry| entry.file_type().is_some_and(|kind| kind.is_file());
    let paths = walk.build().flatten().filter(is_file).map(DirEntry::into_path);
    let is_one = |path: &PathBuf| {
        code::language(path).is_some()
            || path.parent().is_some_and(says_migrations) && (is_sql(path) || code::is_code(path))
    };
    let mut files: Vec<PathBuf> = paths.filter(is_one).map(|path| below(project, &path)).collect();
    files.sort_by(|a, b| natural_path(a, b));
    files
}

fn says_migrations(folder: &Path) -> bool {
    folder.file_name().and_then(|name| name.to_str()).is_some_and(code::is_called_migrations)
}

fn is_the_projects(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    let is_other =
        entry.depth() > 0 && is_dir && NOT_THE_PROJECTS.contains(&name.as_ref()) && !is_in_java_package(entry.path());
    !is_other && !super::folder::is_skipped(entry)
}

/// Whether a folder stands for a part of a package's name, as `example` does in `src/main/resources/org/example/db`.
fn is_in_java_package(folder: &Path) -> bool {
    let names: Vec<&str> = folder.iter().filter_map(|name| name.to_str()).collect();
    let main = names.windows(2).position(|pair| pair == ["src", "main"]);
    main.is_some_and(|at| names.len() > at + 4)
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
    is_migrations_name(&full)
}

/// Whether a folder is called as migrations folders are.
pub(super) fn is_migrations_name(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    matches!(name.as_str(), "migrations" | "migration" | "migrate" | "evolutions")
}

fn is_a_tools(folder: &Folder) -> bool {
    TOOLS.iter().copied().any(|tool| !tool.framework().is_base() && tool.detect(folder))
}

/// Whether its folders hold the two halves of a migration each.
fn holds_pairs(folder: &Folder) -> bool {
    let is_up = |file: &&File| file.depth() == 2 && matches!(file.name(), "up.sql" | "migration.sql");
    folder.files.iter().any(|file| is_up(&file))
}

/// Whether a folder that is left out would have been read: what is no migration is not worth a word.
fn is_like_migrations(folder: &Folder) -> bool {
    folder.has_sql()
        && (is_numbered(folder)
            || is_called_migrations(&folder.path)
            || folder.path.iter().any(|name| name.to_str().is_some_and(code::is_called_migrations))
            || TOOLS.iter().copied().any(|tool| tool.detect(folder)))
}

/// The other server than PostgreSQL that migrations are for, as a tool's own file or the project's manifest says it, else a folder's
/// name.
fn other_server(folder: &Folder, project: &Path) -> Option<String> {
    let lock = folder.file("migration_lock.toml").and_then(|file| read_toml(file.text()));
    let journal = folder.file("meta/_journal.json").and_then(|file| read_json(file.text()));
    let text = |value: Option<serde_json::Value>, key: &str| Some(value?.get(key)?.as_str()?.to_owned());
    if let Some(server) = text(lock, "provider").or_else(|| text(journal, "dialect")) {
        let is_postgres = server.starts_with("postgres") || server == "cockroachdb";
        return (!is_postgres).then_some(server);
    }
    let from_project = folder.path.strip_prefix(project).unwrap_or(&folder.path);
    let by_name = dialect::of_folder(from_project).map(str::to_owned);
    by_name.or_else(|| of_cargo(folder)).or_else(|| of_jvm(folder)).or_else(|| of_sql_migrate(folder))
}

/// The only server that sql-migrate's `dbconfig.yml` names for a folder.
fn of_sql_migrate(folder: &Folder) -> Option<String> {
    let trees = folder.project.texts("dbconfig.yml").filter_map(read_yaml);
    let environments: Vec<serde_json::Value> =
        trees.filter_map(|tree| Some(tree.as_object()?.values().cloned().collect::<Vec<_>>())).flatten().collect();
    let text = |value: &serde_json::Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let is_here = |it: &&serde_json::Value| {
        let dir = text(it, "dir").unwrap_or_else(|| "migrations".to_owned());
        folder.path.ends_with(dir.trim_start_matches("./").trim_end_matches('/'))
    };
    let mut dialects = environments.iter().filter(is_here).filter_map(|it| text(it, "dialect")).peekable();
    let first = dialects.peek()?.clone();
    dialects.all(|dialect| dialect != "postgres").then_some(first)
}

/// The only server that the build of a JVM project around the folder has a driver for.
fn of_jvm(folder: &Folder) -> Option<String> {
    let drivers = [
        ("mysql", "MySQL"),
        ("mariadb", "MariaDB"),
        ("mssql-jdbc", "SQL Server"),
        ("ojdbc", "Oracle"),
        ("sqlite-jdbc", "SQLite"),
    ];
    let builds = ["pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"];
    let has = |word: &str| builds.iter().any(|build| folder.project.texts(build).any(|text| text.contains(word)));
    let found = drivers.iter().find(|(driver, _)| has(driver)).map(|(_, server)| (*server).to_owned());
    found.filter(|_| !has("postgres"))
}

/// The only server that the crate around the folder asks a database library for; where it asks for none, the crates beside it that it uses
/// do, since Cargo builds one library with the features of all.
fn of_cargo(folder: &Folder) -> Option<String> {
    let others = [("sqlite", "SQLite"), ("mysql", "MySQL"), ("mssql", "SQL Server")];
    ["sqlx", "diesel", "sea-orm"].into_iter().find_map(|library| {
        let mut features = folder.project.cargo_features(library);
        let names_none =
            !features.iter().any(|it| it.contains("postgres") || others.iter().any(|(part, _)| it.contains(part)));
        if names_none && folder.project.declares("Cargo.toml", library) {
            features = crates_beside(&folder.path).iter().flat_map(|it| it.cargo_features(library)).collect();
        }
        let has = |part: &str| features.iter().any(|feature| feature.contains(part));
        others.iter().find(|(part, _)| !has("postgres") && has(part)).map(|(_, server)| (*server).to_owned())
    })
}

fn is_numbered_name(name: &str) -> bool {
    !leading_digits(name.trim_start_matches(['v', 'V'])).is_empty()
}

/// Whether the folder's own SQL files are several, and all have a number in front; among more numbered files of a language they are
/// not what runs there.
fn is_numbered(folder: &Folder) -> bool {
    let sql = folder.own_sql().count();
    let is_numbered_code = |file: &&File| !file.is_sql() && is_numbered_name(file.name()) && code::is_code(&file.path);
    sql > 1
        && folder.own_sql().all(|file| is_numbered_name(file.name()))
        && folder.own().filter(is_numbered_code).count() <= sql
}

/// Whether a folder has no SQL files of its own but several folders that do, all called by a number or a version.
fn is_list_of_numbered(folder: &Folder) -> bool {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for file in folder.files.iter().filter(|file| file.is_sql()) {
        let first = file.relative.iter().next().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        *names.entry(first).or_default() += 1;
    }
    folder.own_sql().next().is_none() && names.len() > 1 && names.keys().all(|name| is_numbered_name(name))
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
