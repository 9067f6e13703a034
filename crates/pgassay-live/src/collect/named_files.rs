//! Files given by path: which tool runs them, in which order, and what of their folder comes before them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::collected::FoundFramework;
use super::collector::{Collector, STDIN};
use super::folder::{File, Folder, is_changelog};
use super::halves;
use super::liquibase;
use super::read::{ReadError, decode};
use super::tools::{Entry, Listed, TOOLS, Tool, tool};
use super::{Age, Direction, Framework};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// How far above a file the folder is looked for that its tool would be pointed at.
const ROOT_LEVELS: usize = 4;

/// Whether a tool that looks into folders below would be pointed at this one: Flyway's default place, Liquibase's changelog, or what
/// graphile-migrate committed.
pub(super) fn is_root(folder: &Path) -> bool {
    let has_changelog = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| is_changelog(&path))
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.ends_with("db/migration") || has_changelog(folder) || folder.join("committed").is_dir()
}

/// Whether a file is the way back of another one beside it.
fn goes_back(folder: &Folder, file: &File) -> bool {
    let Ok(full) = file.path.canonicalize() else { return false };
    halves::down_files(&folder.files).iter().any(|down| down.canonicalize().is_ok_and(|down| down == full))
}

fn is_named(file: &File, named: &HashSet<PathBuf>) -> bool {
    // Standard input has no path; nobody but the user gives it.
    file.path == Path::new(STDIN) || full_path(&file.path).is_none_or(|path| named.contains(&path))
}
/// The folder around files that were given by path.
pub(super) struct Home {
    folder: Folder,
    /// Whose migrations folder it is.
    owner: Option<&'static dyn Tool>,
    /// What the owner runs from it, in order.
    entries: Vec<Entry>,
    /// Places in that order, by the file's full path.
    ranks: HashMap<PathBuf, usize>,
}

impl Home {
    fn new(folder: Folder, told: Option<Framework>) -> Home {
        let owner = told.map(tool).or_else(|| TOOLS.iter().copied().find(|tool| tool.detect(&folder)));
        let entries = owner.map(|tool| tool.order(&folder).entries).unwrap_or_default();
        let full = |entry: &Entry| full_path(&entry.file.path);
        let ranks = entries.iter().enumerate().filter_map(|(rank, entry)| Some((full(entry)?, rank))).collect();
        Home { folder, owner, entries, ranks }
    }
}

/// The path without links; of a file that is not there yet, in its folder.
pub(super) fn full_path(path: &Path) -> Option<PathBuf> {
    let in_folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(in_folder)
}

/// A file given by path, and who runs it.
struct Placed {
    tool: &'static dyn Tool,
    home: Rc<Home>,
    /// Its place in the tool's order; none where the tool has none for it.
    rank: Option<usize>,
    entry: Entry,
}

impl Collector<'_> {
    /// Files given by path: as they are, but those of one tool's folder in the tool's order.
    pub(super) fn add_files(&mut self, paths: &[&Path]) {
        let files: Vec<File> = paths.iter().filter_map(|path| self.read_file(path)).collect();
        let mut placed: Vec<(usize, Placed)> = Vec::new();
        let mut last: HashMap<PathBuf, usize> = HashMap::new();
        let mut named: HashSet<PathBuf> = files.iter().filter_map(|file| full_path(&file.path)).collect();
        let mut firsts: HashMap<PathBuf, usize> = HashMap::new();
        for (position, file) in files.into_iter().enumerate() {
            if self.is_no_sql(&file) {
                continue;
            }
            let led_to = self.led_to(&file);
            let all = led_to.unwrap_or_else(|| vec![self.place(file)]);
            named.extend(all.iter().filter_map(|file| full_path(&file.entry.file.path)));
            for file in all {
                let group = file.rank.map(|_| *firsts.entry(file.home.folder.path.clone()).or_insert(position));
                if let Some(rank) = file.rank {
                    let last = last.entry(file.home.folder.path.clone()).or_default();
                    *last = rank.max(*last);
                }
                placed.push((group.unwrap_or(position), file));
            }
        }
        if self.options.with_older {
            self.place_older(&last, &firsts, &named, &mut placed);
        }
        placed.sort_by_key(|(group, file)| (*group, file.rank));
        for (_, file) in &placed {
            self.history = file.rank.map(|_| file.home.folder.path.clone());
            self.age = if self.options.with_older && !is_named(&file.entry.file, &named) { Age::Old } else { Age::New };
            self.add_placed(file);
        }
        (self.history, self.age) = (None, Age::New);
    }

    /// Whether a file that is not called SQL, and that no tool runs, reads as none. Its text is not shown, which may be meant for nobody: who
    /// calls us may take the names of files from somebody else.
    fn is_no_sql(&mut self, file: &File) -> bool {
        if file.is_sql() || file.path == Path::new(STDIN) || liquibase::is_changelog(file) {
            return false;
        }
        let home = self.home(&file.path);
        if full_path(&file.path).is_some_and(|path| home.ranks.contains_key(&path)) {
            return false;
        }
        let source = SourceFile::new(file.name(), file.text.as_deref().unwrap_or_default());
        let statements = read_script(FileId(0), &source).statements;
        let is_none = !statements.is_empty() && statements.iter().all(|statement| statement.change.is_err());
        if is_none {
            let message = "is not SQL: no statement in it could be read, and its text is not shown".to_owned();
            self.collected.errors.push(ReadError { path: file.path.clone(), position: None, message });
        }
        is_none
    }

    /// The files of each home that come before the last one that was named.
    fn place_older(
        &self,
        last: &HashMap<PathBuf, usize>,
        firsts: &HashMap<PathBuf, usize>,
        named: &HashSet<PathBuf>,
        placed: &mut Vec<(usize, Placed)>,
    ) {
        for (folder, last) in last {
            let (Some(home), Some(group)) = (self.homes.get(folder), firsts.get(folder)) else { continue };
            let Some(tool) = home.owner else { continue };
            for (rank, entry) in home.entries.iter().enumerate().take(*last) {
                if entry.direction != Some(Direction::Down) && !is_named(&entry.file, named) {
                    let entry = entry.clone();
                    placed.push((*group, Placed { tool, home: home.clone(), rank: Some(rank), entry }));
                }
            }
        }
    }

    fn add_placed(&mut self, file: &Placed) {
        let found = FoundFramework { framework: file.tool.framework(), folder: file.home.folder.path.clone() };
        if !self.collected.frameworks.contains(&found) {
            self.collected.frameworks.push(found);
        }
        if file.entry.direction == Some(Direction::Down) && !self.options.down {
            self.note(&file.entry.file.path, "is a down migration: it is read with --down".to_owned());
        }
        self.add(file.tool, &file.home.folder, &file.entry);
    }

    fn read_file(&mut self, path: &Path) -> Option<File> {
        let is_stdin = path == Path::new("-");
        let read = if is_stdin {
            let bytes = self.options.stdin.clone().unwrap_or_default();
            decode(Path::new(STDIN), bytes)
        } else if let Some(text) = full_path(path).and_then(|path| self.options.contents.get(&path)) {
            decode(path, text.as_bytes().to_vec())
        } else {
            super::read::read(path)
        };
        let read = read.map_err(|error| self.collected.errors.push(error)).ok()?;
        let path = if is_stdin { Path::new(STDIN) } else { path };
        let relative = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
        let mut file = File::new(relative, path.to_owned());
        (file.text, file.byte_order_mark) = (Some(read.text.into()), read.byte_order_mark);
        Some(file)
    }

    /// What a changelog of Liquibase that was given by path leads to, as if Liquibase were pointed at it; none where it leads to nothing,
    /// or its text is an editor's, who asks about this file alone.
    fn led_to(&mut self, file: &File) -> Option<Vec<Placed>> {
        let is_liquibase = self.options.framework.is_none_or(|told| told == Framework::Liquibase);
        let is_unsaved = full_path(&file.path).is_some_and(|path| self.options.contents.contains_key(&path));
        if !is_liquibase || is_unsaved || !liquibase::is_changelog(file) {
            return None;
        }
        let home = self.home(&file.path);
        let order = liquibase::led_to(&home.folder, file);
        let is_silent = order.errors.is_empty() && order.unread.is_empty() && order.notes.is_empty();
        if order.entries.is_empty() && is_silent {
            return None;
        }
        let tool = tool(Framework::Liquibase);
        let entries = self.take_notes(tool, order);
        let is_same = |known: &Entry, entry: &Entry| {
            known.listed == entry.listed && full_path(&known.file.path) == full_path(&entry.file.path)
        };
        let place = |entry: Entry| {
            let rank = home.entries.iter().position(|known| is_same(known, &entry));
            Placed { tool, home: home.clone(), rank, entry }
        };
        Some(entries.into_iter().map(place).collect())
    }

    /// Who runs a file: the tool of the folder that it stands in, or the one whose markers it has.
    fn place(&mut self, file: File) -> Placed {
        let home = self.home(&file.path);
        let rank = full_path(&file.path).and_then(|path| home.ranks.get(&path).copied());
        if let (Some(tool), Some(rank)) = (home.owner, rank) {
            let known = &home.entries[rank];
            let mut entry = known.clone();
            entry.file.path = file.path;
            // All of its own, whatever it names in between.
            entry.listed = entry.listed.filter(|listed| !matches!(listed, Listed::Run(_)));
            return Placed { tool, home, rank: Some(rank), entry };
        }
        // Markers are looked for in SQL files, and the user says that this is one.
        let marked = if file.is_sql() { file.clone() } else { file.called("file.sql") };
        let alone = Folder::of_file(&home.folder, marked);
        let own = || TOOLS.iter().copied().find(|tool| tool.detect(&alone));
        let is_base = super::structure_sql::is_structure(&file);
        let fallback = if is_base { Framework::StructureSql } else { Framework::Plain };
        let told = self.options.framework.map(tool);
        let tool = told.or_else(own).unwrap_or(tool(fallback));
        let goes_back = tool.framework() == Framework::Plain && goes_back(&home.folder, &file);
        let entry = tool.order(&alone).entries.pop().filter(|_| file.is_sql());
        let mut entry =
            entry.unwrap_or_else(|| Entry { name: file.name().to_owned(), file, direction: None, listed: None });
        entry.direction = entry.direction.or(goes_back.then_some(Direction::Down));
        Placed { tool, home, rank: None, entry }
    }

    fn is_root(&mut self, folder: &Path) -> bool {
        let known = self.roots.get(folder).copied();
        known.unwrap_or_else(|| {
            let found = is_root(folder);
            self.roots.insert(folder.to_owned(), found);
            found
        })
    }

    /// The folder that a tool would be pointed at to run this file.
    fn home(&mut self, path: &Path) -> Rc<Home> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let above = matches!(name(path).as_str(), "up.sql" | "down.sql" | "migration.sql")
            || matches!(name(parent).as_str(), "deploy" | "revert" | "verify");
        let root = path.ancestors().skip(1).take(ROOT_LEVELS).find(|ancestor| self.is_root(ancestor));
        let home = if above { parent.parent().unwrap_or(parent) } else { root.unwrap_or(parent) };
        let home = if home.as_os_str().is_empty() { Path::new(".") } else { home };
        let known = self.homes.get(home).cloned();
        known.unwrap_or_else(|| {
            let whole = || Folder::read(home, &mut Vec::new());
            let folder = match root {
                _ if path == Path::new(STDIN) => Folder::empty(home),
                Some(_) => whole(),
                None => Folder::read_near(home),
            };
            // A file that its editor has not saved yet is where it will be.
            let full = home.canonicalize().unwrap_or_else(|_| home.to_owned());
            let unsaved = self
                .options
                .contents
                .iter()
                .filter_map(|(path, text)| Some((path.strip_prefix(&full).ok()?.to_owned(), text.clone())));
            let folder = folder.with(unsaved);
            let found = Rc::new(Home::new(folder, self.options.framework));
            self.homes.insert(home.to_owned(), found.clone());
            found
        })
    }
}
