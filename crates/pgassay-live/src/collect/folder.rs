//! A folder with all that a tool may want to know of it, read once.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

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
    index: OnceCell<HashMap<PathBuf, usize>>,
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
const TOOL_FILES: [&str; 8] = [
    "metadata.toml",
    "_journal.json",
    "migration_lock.toml",
    "atlas.sum",
    "sqitch.plan",
    "sqitch.conf",
    "flyway.conf",
    "flyway.toml",
];

impl Folder {
    /// Reads a folder and all below it but hidden folders, `node_modules` and `target`.
    pub fn read(path: &Path, errors: &mut Vec<ReadError>) -> Folder {
        Folder::walk(path, WalkDir::new(path), errors)
    }

    /// The folder around a file: only what is close to it, and what cannot be read is left out.
    pub fn read_near(path: &Path) -> Folder {
        Folder::walk(path, WalkDir::new(path).max_depth(2), &mut Vec::new())
    }

    fn walk(path: &Path, walk: WalkDir, errors: &mut Vec<ReadError>) -> Folder {
        let mut found = Vec::new();
        let walk = walk.follow_links(true).into_iter().filter_entry(|entry| !is_skipped(entry));
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => errors.push(walk_error(path, &error)),
            }
        }
        let (mut files, unread): (Vec<File>, Vec<Option<ReadError>>) =
            found.into_par_iter().map(|file| File::read(path, file)).unzip();
        errors.extend(unread.into_iter().flatten());
        files.par_sort_by(|a, b| natural_path(&a.relative, &b.relative));
        Folder::new(path.to_owned(), files, Arc::new(Project::around(path)))
    }

    fn new(path: PathBuf, files: Vec<File>, project: Arc<Project>) -> Folder {
        Folder { path, files, project, index: OnceCell::new() }
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

    /// A folder as if it held but one file.
    pub fn of_file(folder: &Folder, file: File) -> Folder {
        Folder::new(folder.path.clone(), vec![file], folder.project.clone())
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
        let name = relative.file_name().and_then(|name| name.to_str()).unwrap_or_default().into();
        File {
            text: None,
            byte_order_mark: false,
            depth: relative.components().count(),
            name,
            is_sql: relative.extension().is_some_and(|found| found.eq_ignore_ascii_case("sql")),
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
        name.strip_suffix(".sql").unwrap_or(name)
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

/// Whether this is a tool's own file that says something about migrations.
pub(super) fn is_tool_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    TOOL_FILES.contains(&name) || name.ends_with(".sql.conf") || is_changelog(path)
}

/// Whether this is Liquibase's list of changelogs, by its usual name.
pub(super) fn is_changelog(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(extension, "yaml" | "yml" | "xml" | "json") && name.contains("changelog")
}

pub(super) fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let skipped = name.starts_with('.') || name == "node_modules" || name == "target";
    entry.depth() > 0 && skipped && entry.file_type().is_dir()
}

fn walk_error(folder: &Path, error: &walkdir::Error) -> ReadError {
    let path = error.path().unwrap_or(folder).to_owned();
    let message = match error.io_error() {
        Some(error) => error.to_string(),
        None => "is a link to a folder that holds it".to_owned(),
    };
    ReadError { path, position: None, message }
}
