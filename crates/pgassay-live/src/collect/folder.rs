//! A folder with all that a tool may want to know of it, read once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ignore::{DirEntry, WalkBuilder};
use rayon::prelude::*;

use super::order::natural_path;
use super::project::Project;
use super::read::{ReadError, read};

/// A folder and the files in it and below it, in natural order.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// As the user would write it.
    pub path: PathBuf,
    pub files: Vec<File>,
    pub project: Arc<Project>,
    /// Places in `files`, by the path from the folder on; put together when a file is first asked for that is no tool's own.
    index: OnceLock<HashMap<PathBuf, usize>>,
}

/// One file of a folder.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// From the folder's path on.
    pub relative: PathBuf,
    /// As the user would write it.
    pub path: PathBuf,
    /// Of SQL files and of the tools' own files; without the byte order mark. The others are known by name only.
    pub text: Option<Arc<str>>,
    pub byte_order_mark: bool,
    /// What every tool asks of every file, told once.
    depth: usize,
    name: Arc<str>,
    is_sql: bool,
    is_tool_file: bool,
}

/// The tools' own files that say something about migrations.
const TOOL_FILES: [&str; 10] = [
    "metadata.toml",
    "_journal.json",
    "migration_lock.toml",
    "atlas.sum",
    "sqitch.plan",
    "sqitch.conf",
    "tern.conf",
    "yoyo.ini",
    "flyway.conf",
    "flyway.toml",
];

impl Folder {
    /// Reads a folder and all below it but hidden folders, `node_modules`, `target`, and folders that git ignores.
    pub fn read(path: &Path, errors: &mut Vec<ReadError>) -> Folder {
        Folder::walk(path, None, errors)
    }

    /// The folder around a file: only what is close to it, and what cannot be read is left out.
    pub fn read_near(path: &Path) -> Folder {
        Folder::walk(path, Some(2), &mut Vec::new())
    }

    fn walk(path: &Path, depth: Option<usize>, errors: &mut Vec<ReadError>) -> Folder {
        let mut found = Vec::new();
        for entry in walk(path, depth, true).build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => found.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => errors.extend(Some(walk_error(path, &error)).filter(is_about_migrations)),
            }
        }
        let (mut files, unread): (Vec<File>, Vec<Option<ReadError>>) =
            found.into_par_iter().map(|file| File::read(path, file)).unzip();
        errors.extend(unread.into_iter().flatten());
        take_own_endings(&mut files, errors);
        files.par_sort_by(|a, b| natural_path(&a.relative, &b.relative));
        Folder::new(path.to_owned(), files, Arc::new(Project::around(path)))
    }

    fn new(path: PathBuf, files: Vec<File>, project: Arc<Project>) -> Folder {
        Folder { path, files, project, index: OnceLock::new() }
    }

    /// A folder of which only the project around it matters.
    pub fn empty(path: &Path) -> Folder {
        Folder::new(path.to_owned(), Vec::new(), Arc::new(Project::around(path)))
    }

    /// The folder as if these files, given by their paths below it, were there with these texts.
    pub fn with(mut self, unsaved: impl IntoIterator<Item = (PathBuf, Arc<str>)>) -> Folder {
        for (relative, text) in unsaved {
            if !self.files.iter().any(|file| file.relative == relative) {
                let path = self.path.join(&relative);
                self.files.push(File { text: Some(text), ..File::new(relative, path) });
            }
        }
        self.files.sort_by(|a, b| natural_path(&a.relative, &b.relative));
        Folder::new(self.path, self.files, self.project)
    }

    /// A folder of files that need not be on the disk.
    pub fn of_files(path: &Path, mut files: Vec<File>) -> Folder {
        files.sort_by(|a, b| natural_path(&a.relative, &b.relative));
        Folder::new(path.to_owned(), files, Arc::new(Project::around(path)))
    }

    /// A folder as if it held but one file.
    pub fn of_file(folder: &Folder, file: File) -> Folder {
        Folder::new(folder.path.clone(), vec![file], folder.project.clone())
    }

    /// The folder without some files; none where it has none of them.
    pub fn without(&self, paths: &HashSet<PathBuf>) -> Option<Folder> {
        if paths.is_empty() || !self.files.iter().any(|file| paths.contains(&file.path)) {
            return None;
        }
        let files = self.files.iter().filter(|file| !paths.contains(&file.path)).cloned().collect();
        Some(Folder::new(self.path.clone(), files, self.project.clone()))
    }

    /// The folder with no files but the tools' own.
    pub fn settings(&self) -> Folder {
        let files = self.files.iter().filter(|file| file.is_tool_file).cloned().collect();
        Folder::new(self.path.clone(), files, self.project.clone())
    }

    /// Adds the SQL files below it that are not on the disk; `full` is the folder's path without links.
    pub fn add_unwritten(&mut self, full: &Path, contents: &HashMap<PathBuf, Arc<str>>) {
        let below = |path: &PathBuf| path.strip_prefix(full).ok().map(Path::to_owned);
        let missing = contents.iter().filter_map(|(path, text)| Some((below(path)?, text)));
        let mut added = false;
        for (relative, text) in missing.filter(|(relative, _)| !full.join(relative).exists()).collect::<Vec<_>>() {
            let mut file = File::new(relative.clone(), self.path.join(&relative));
            if file.is_sql && self.files.iter().all(|known| known.relative != relative) {
                file.text = Some(text.clone());
                self.files.push(file);
                added = true;
            }
        }
        if added {
            self.files.sort_by(|a, b| natural_path(&a.relative, &b.relative));
            self.index = OnceLock::new();
        }
    }

    pub fn file(&self, relative: impl AsRef<Path>) -> Option<&File> {
        let relative = relative.as_ref();
        if is_tool_file(relative) {
            return self.files.iter().find(|file| file.is_tool_file && file.relative == relative);
        }
        let places = || self.files.iter().enumerate().map(|(place, file)| (file.relative.clone(), place)).collect();
        self.index.get_or_init(places).get(relative).map(|place| &self.files[*place])
    }

    /// The files that stand in the folder itself.
    pub fn own(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.depth == 1)
    }

    /// The SQL files that stand in the folder itself.
    pub fn own_sql(&self) -> impl Iterator<Item = &File> {
        self.own().filter(|file| file.is_sql())
    }

    /// Whether this holds of at least half of the SQL files in the folder itself: one file does not decide whose the others are.
    pub fn is_mostly(&self, is_one: impl Fn(&File) -> bool) -> bool {
        let (those, all) =
            self.own_sql().fold((0, 0), |(those, all), file| (those + usize::from(is_one(file)), all + 1));
        those > 0 && those * 2 >= all
    }

    pub fn has_sql(&self) -> bool {
        self.files.iter().any(File::is_sql)
    }

    /// The folders that stand in the folder itself, in natural order.
    pub fn subfolders(&self) -> Vec<Folder> {
        let mut folders: Vec<(PathBuf, Vec<File>)> = Vec::new();
        for file in &self.files {
            let mut components = file.relative.components();
            let (Some(first), rest) = (components.next(), components.as_path()) else { continue };
            if rest.as_os_str().is_empty() {
                continue;
            }
            let path = self.path.join(first);
            if folders.last().is_none_or(|(last, _)| *last != path) {
                folders.push((path, Vec::new()));
            }
            if let Some((_, files)) = folders.last_mut() {
                files.push(file.below(rest.to_owned()));
            }
        }
        let folder = |(path, files): (PathBuf, Vec<File>)| {
            let is_own = |name: &str| files.iter().any(|file| file.depth == 1 && *file.name == *name);
            let project = self.project.below(&path, is_own);
            Folder::new(path, files, project)
        };
        folders.into_iter().map(folder).collect()
    }
}

impl File {
    pub fn new(relative: PathBuf, path: PathBuf) -> File {
        let name: Arc<str> = relative.file_name().and_then(|name| name.to_str()).unwrap_or_default().into();
        File {
            text: None,
            byte_order_mark: false,
            depth: relative.components().count(),
            name,
            is_sql: is_sql(&relative),
            is_tool_file: is_tool_file(&relative),
            relative,
            path,
        }
    }

    /// The same file under another name in its folder.
    pub fn called(&self, name: &str) -> File {
        let (text, byte_order_mark) = (self.text.clone(), self.byte_order_mark);
        File { text, byte_order_mark, ..File::new(PathBuf::from(name), self.path.clone()) }
    }

    /// The same file, seen from the next folder on the way to it.
    fn below(&self, relative: PathBuf) -> File {
        let (text, name) = (self.text.clone(), self.name.clone());
        File { relative, path: self.path.clone(), depth: self.depth - 1, text, name, ..*self }
    }

    /// The file, and what kept its text from being read.
    fn read(folder: &Path, path: PathBuf) -> (File, Option<ReadError>) {
        let relative = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        let mut file = File::new(relative, path);
        if !file.is_sql && !file.is_tool_file {
            return (file, None);
        }
        match read(&file.path) {
            Ok(read) => {
                (file.text, file.byte_order_mark) = (Some(read.text.into()), read.byte_order_mark);
                (file, None)
            }
            Err(error) => (file, Some(error)),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name without `.sql`.
    pub fn stem(&self) -> &str {
        let name = self.name();
        name.rsplit_once(".sql").filter(|_| self.is_sql).map_or(name, |(stem, _)| stem)
    }

    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub fn has_extension(&self, extension: &str) -> bool {
        self.relative.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
    }

    pub fn is_sql(&self) -> bool {
        self.is_sql
    }

    /// 1 for a file of the folder itself.
    pub fn depth(&self) -> usize {
        self.depth
    }

    pub fn is_changelog(&self) -> bool {
        is_changelog(&self.relative)
    }
}

/// Endings of files that hold SQL and that migration tools do not read unless told to.
const OTHER_ENDINGS: [&str; 6] = ["pgsql", "psql", "plpgsql", "ddl", "pks", "pkb"];

/// The ending of a file that holds SQL but is not called `x.sql`.
pub(super) fn other_ending(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?;
    OTHER_ENDINGS.into_iter().find(|other| ending.eq_ignore_ascii_case(other))
}

/// Takes files of another ending for SQL where no file beside them ends in `.sql`: the project writes its own so.
fn take_own_endings(files: &mut [File], errors: &mut Vec<ReadError>) {
    let parent = |file: &File| file.relative.parent().map(Path::to_owned);
    if !files.iter().any(|file| other_ending(&file.relative).is_some()) {
        return;
    }
    let usual: HashSet<Option<PathBuf>> = files.iter().filter(|file| file.is_sql).map(parent).collect();
    for file in files.iter_mut().filter(|file| other_ending(&file.relative).is_some()) {
        if usual.contains(&parent(file)) {
            continue;
        }
        match read(&file.path) {
            Ok(read) => (file.text, file.byte_order_mark) = (Some(read.text.into()), read.byte_order_mark),
            Err(error) => errors.push(error),
        }
        file.is_sql = true;
    }
}

/// `x.sql`, and `x.sql.postgres` where a project writes the server behind it.
pub(super) fn is_sql(path: &Path) -> bool {
    let ends = |path: &Path, ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    ends(path, "sql")
        || (ends(path, "postgres") || ends(path, "postgresql"))
            && path.file_stem().is_some_and(|stem| ends(Path::new(stem), "sql"))
}

/// Whether this is a tool's own file that says something about migrations.
pub(super) fn is_tool_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    TOOL_FILES.contains(&name) || name.ends_with(".sql.conf") || is_changelog(path)
}

/// Whether this is one of Liquibase's changelogs, by its usual name or that of its folder.
pub(super) fn is_changelog(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !matches!(extension, "yaml" | "yml" | "xml" | "json") {
        return false;
    }
    let name = |part: Option<&std::ffi::OsStr>| part.and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let (own, folder) = (name(path.file_name()), name(path.parent().and_then(Path::file_name)));
    ["changelog", "liquibase"].iter().any(|word| own.contains(word) || folder.contains(word))
        || own.starts_with("master.")
        || own.starts_with("migrations.")
}

/// A walk over a folder and all below it, without hidden folders, `node_modules` and `target`. What git ignores below a folder is left
/// out, unless the folder itself is ignored: then somebody named it.
pub(super) fn walk(path: &Path, depth: Option<usize>, follow_links: bool) -> WalkBuilder {
    let mut walk = WalkBuilder::new(path);
    let respects_git = !is_ignored(path);
    walk.standard_filters(false).max_depth(depth).follow_links(follow_links);
    walk.git_ignore(respects_git).git_global(respects_git).git_exclude(respects_git).parents(respects_git);
    walk.filter_entry(|entry| !is_skipped(entry));
    walk
}

/// Whether git is told to ignore a folder: a walk from its repository's root would not reach it.
fn is_ignored(path: &Path) -> bool {
    let Ok(full) = path.canonicalize() else { return false };
    let Some(root) = full.ancestors().find(|above| above.join(".git").exists()) else { return false };
    let on_the_way: Vec<&Path> = full.ancestors().take_while(|above| *above != root).collect();
    let mut rules = ignore::gitignore::GitignoreBuilder::new(root);
    for folder in full.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
        // What cannot be read ignores nothing.
        let _ = rules.add(folder.join(".gitignore"));
    }
    let _ = rules.add(root.join(".git/info/exclude"));
    let Ok(rules) = rules.build() else { return false };
    on_the_way.iter().any(|folder| rules.matched(folder, true).is_ignore())
}

pub(super) fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let skipped = name.starts_with('.') || name == "node_modules" || name == "target";
    entry.depth() > 0 && skipped && entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// Whether what the walk could not read may hold migrations: a link to nothing that is called like another kind of file does not.
fn is_about_migrations(error: &ReadError) -> bool {
    let is_dangling = error.path.is_symlink() && !error.path.exists();
    !is_dangling || is_sql(&error.path) || is_tool_file(&error.path) || error.path.extension().is_none()
}

fn walk_error(folder: &Path, error: &ignore::Error) -> ReadError {
    let (path, message) = match error {
        ignore::Error::WithPath { path, err } => (Some(path.clone()), err.to_string()),
        ignore::Error::WithDepth { err, .. } => return walk_error(folder, err),
        ignore::Error::Loop { child, .. } => (Some(child.clone()), "is a link to a folder that holds it".to_owned()),
        error => (None, error.io_error().map_or_else(|| error.to_string(), ToString::to_string)),
    };
    ReadError { path: path.unwrap_or(folder.to_owned()), position: None, message }
}
