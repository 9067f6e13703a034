//! From paths to migrations: who owns each folder, and what its tool makes of it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::collected::{CollectOptions, Collected, FoundFramework, Note};
use super::coverage::{LeftOut, Why, beside, not_read};
use super::find::{FoundFolders, find, find_in};
use super::folder::{File, Folder};
use super::named_files::Home;
use super::order::natural;
use super::reread::Reader;
use super::tools::{Entry, Listed, Order, Part, Split, TOOLS, Tool, parts_of, tool};
use super::{Age, Direction, Framework, Migration, Section, TransactionMode, TransactionOverride};
use super::{aside, code, dialect, flyway_settings, halves};
use crate::change::Name;
use crate::migration::NotRead;
use crate::source::{SourceFile, Sources, Span};

/// Reads the migrations in `paths` (files, folders, `-`) and adds their texts to `sources`. Without paths, looks for the project's
/// migrations folders (see [`find`]).
pub fn collect(paths: &[PathBuf], options: &CollectOptions, sources: &mut Sources) -> Collected {
    let mut collector = Collector::new(options, sources);
    if paths.is_empty() {
        match find(Path::new("")) {
            Ok(found) => collector.add_found(&found, true),
            Err(error) => collector.collected.empty.push((PathBuf::from("."), error.to_string())),
        }
    }
    let mut paths = paths.iter().peekable();
    while let Some(path) = paths.next() {
        if path.is_dir() {
            collector.add_folder(path);
            continue;
        }
        let mut files = vec![path.as_path()];
        while let Some(file) = paths.next_if(|path| !path.is_dir()) {
            files.push(file);
        }
        collector.add_files(&files);
    }
    collector.finish()
}

/// Whether a tool that recognises a folder would run it: one that runs none of the SQL there was not pointed at it.
fn runs_most(tool: &dyn Tool, folder: &Folder) -> bool {
    let order = tool.order(folder);
    !order.entries.is_empty() || !order.unread.is_empty() || folder.own_sql().next().is_none()
}

/// Names for one line: the first of many.
fn shortened(names: &[String]) -> String {
    const MOST: usize = 8;
    match names.len() {
        0..=MOST => names.join(", "),
        many => format!("{} and {} more", names[..MOST].join(", "), many - MOST),
    }
}

/// The name that standard input is shown by.
pub(super) const STDIN: &str = "<stdin>";

/// Whether a folder holds no files of its own but folders whose names start with a number or a version: years, releases.
fn is_numbered(folder: &Folder) -> bool {
    let first = |file: &File| file.relative.iter().next().map(|name| name.to_string_lossy().into_owned());
    let numbered = |name: String| name.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
    let mut names = folder.files.iter().filter(|file| file.is_sql()).filter_map(first).peekable();
    names.peek().is_some() && names.all(numbered)
}

pub(super) struct Collector<'a> {
    pub(super) options: &'a CollectOptions,
    pub(super) sources: &'a mut Sources,
    pub(super) collected: Collected,
    pub(super) down: Vec<Migration>,
    /// The folder whose history is read: a tool's, or the top one of plain folders.
    pub(super) history: Option<PathBuf>,
    /// The history is a list of numbered folders: each may look like a tool's, and all are parts of it.
    pub(super) in_numbered: bool,
    pub(super) age: Age,
    /// The ways back of no tool that is known, by path.
    pub(super) down_files: HashSet<PathBuf>,
    /// Files for another server, by path.
    foreign: HashSet<PathBuf>,
    /// Of folders, without links.
    full_paths: HashMap<PathBuf, PathBuf>,
    /// Files that are in already, with the part of each that is run by itself.
    pub(super) seen: BTreeSet<(PathBuf, usize)>,
    /// Folders around files that were given by path.
    pub(super) homes: HashMap<PathBuf, Rc<Home>>,
    /// Which folders above files are the roots of a tool.
    pub(super) roots: HashMap<PathBuf, bool>,
    /// Files that others include, without links.
    pub(super) included_paths: HashSet<PathBuf>,
    /// What readers remember of folders, by path.
    pub(super) settings: HashMap<PathBuf, Arc<Folder>>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(options: &'a CollectOptions, sources: &'a mut Sources) -> Collector<'a> {
        let (collected, down) = (Collected::default(), Vec::new());
        Collector {
            options,
            sources,
            collected,
            down,
            history: None,
            in_numbered: false,
            age: Age::New,
            full_paths: HashMap::new(),
            down_files: HashSet::new(),
            foreign: HashSet::new(),
            included_paths: HashSet::new(),
            seen: BTreeSet::new(),
            homes: HashMap::new(),
            roots: HashMap::new(),
            settings: HashMap::new(),
        }
    }

    pub(super) fn finish(mut self) -> Collected {
        self.leave_out_included();
        let (ups, downs) = (&self.collected.migrations, &self.down);
        let read: HashSet<&Path> = ups.iter().chain(downs).map(|migration| migration.path.as_path()).collect();
        self.collected
            .left_out
            .retain(|left| !matches!(left.why, Why::Ending(_)) || !read.contains(left.path.as_path()));
        self.collected.migrations.extend(self.down.into_iter().rev());
        self.collected
    }

    /// Folders that the user did not name: where they are several, or not here, a note says which.
    fn add_found(&mut self, found: &FoundFolders, says_where: bool) {
        let folders = &found.folders;
        if says_where && (folders.len() > 1 || folders.iter().any(|folder| folder.starts_with(".."))) {
            let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            self.note(
                Path::new("."),
                format!("found these migrations: {}; name a path to read others", shortened(&names)),
            );
        }
        for other in &found.others {
            let left = |path: &PathBuf| LeftOut { path: path.clone(), why: Why::OtherServer(other.server.clone()) };
            self.collected.left_out.extend(other.files.iter().map(left));
        }
        for code in &found.code {
            let left = |path: &PathBuf| LeftOut { path: path.clone(), why: Why::Code(code.language, code.tool) };
            self.collected.left_out.extend(code.files.iter().map(left));
        }
        let (before, empty) = (self.collected.migrations.len(), self.collected.empty.len());
        let mut joined: HashSet<&PathBuf> = HashSet::new();
        for (at, path) in folders.iter().enumerate() {
            if joined.contains(path) {
                continue;
            }
            let mut folder = self.read_folder(path);
            let others = flyway_settings::of_one_history(&folder, &folders[at + 1..]);
            if !others.is_empty() {
                let mut files = std::mem::take(&mut folder.files);
                files.extend(others.iter().flat_map(|other| self.read_folder(other).files));
                folder = Folder::of_files(path, files);
            }
            joined.extend(others);
            self.add_migrations(&folder);
        }
        // Nobody named those of them that a tool prepared and nothing is in yet.
        if self.collected.migrations.len() > before {
            for (path, message) in self.collected.empty.split_off(empty) {
                self.note(&path, message);
            }
        }
    }

    fn add_folder(&mut self, path: &Path) {
        let folder = self.read_folder(path);
        // A project is searched as if nobody had named it.
        match find_in(&folder).filter(|_| self.options.framework.is_none()) {
            Some(Ok(found)) => self.add_found(&found, true),
            Some(Err(error)) => self.collected.empty.push((folder.path, error.to_string())),
            None => self.add_migrations(&folder),
        }
    }

    /// What is on the disk, and what is not yet.
    fn read_folder(&mut self, path: &Path) -> Folder {
        let mut folder = Folder::read(path, &mut self.collected.errors);
        folder.add_unwritten(&self.full(path), &self.options.contents);
        folder
    }

    fn add_migrations(&mut self, folder: &Folder) {
        let count = |collected: &Collected| (collected.migrations.len(), collected.errors.len());
        let (before, left) = (count(&self.collected), self.collected.left_out.len());
        self.note_code(folder);
        self.collected.left_out.extend(beside(folder));
        self.find_halves(folder);
        self.assign(folder);
        if before == count(&self.collected) {
            let of = self.options.framework.map(|framework| format!(" of {framework}")).unwrap_or_default();
            let instead: Vec<String> = not_read(&self.collected.left_out[left..]).iter().map(NotRead::line).collect();
            let found = if instead.is_empty() { String::new() } else { format!(": {}", instead.join("; ")) };
            self.collected.empty.push((folder.path.clone(), format!("contains no SQL migrations{of}{found}")));
        }
    }

    /// Migrations in other languages.
    fn note_code(&mut self, folder: &Folder) {
        let is_there =
            |file: &&File| code::language(&file.relative).is_some() && !super::db_migrate::is_only_sql(folder, file);
        let other = |file: &File| dialect::of_folder(file.relative.parent().unwrap_or(Path::new("")));
        let (foreign, ours): (Vec<&File>, Vec<&File>) =
            folder.files.iter().filter(is_there).partition(|file| other(file).is_some());
        for file in foreign {
            let why = Why::OtherServer(other(file).unwrap_or_default().to_owned());
            self.collected.left_out.push(LeftOut { path: file.path.clone(), why });
        }
        let with_language = |file: &File| Some((file.path.clone(), code::language(&file.relative)?));
        let found = code::folders(ours.into_iter().filter_map(with_language), super::project::Project::around);
        for code in found {
            let left = |path: PathBuf| LeftOut { path, why: Why::Code(code.language, code.tool) };
            self.collected.left_out.extend(code.files.into_iter().map(left));
        }
    }

    /// What of a folder is for another server, and what goes back where no tool says so.
    fn find_halves(&mut self, folder: &Folder) {
        self.down_files.extend(halves::down_files(&folder.files));
        let key = |path: &Path| path.to_string_lossy().to_lowercase();
        let names: HashSet<String> =
            folder.files.iter().filter(|file| file.is_sql()).map(|file| key(&file.relative)).collect();
        for file in folder.files.iter().filter(|file| file.is_sql()) {
            let beside = |name: &str| names.contains(&key(&file.relative.with_file_name(name)));
            let why = match dialect::of_file(file.name(), beside) {
                Some(server) => Why::OtherServer(server.to_owned()),
                None if dialect::gives_way(file.name(), beside) => Why::GivesWay,
                None => continue,
            };
            self.foreign.insert(file.path.clone());
            self.collected.left_out.push(LeftOut { path: file.path.clone(), why });
        }
    }

    /// Gives a folder to the tool that it belongs to.
    fn assign(&mut self, folder: &Folder) {
        let without = folder.without(&self.foreign);
        let folder = without.as_ref().unwrap_or(folder);
        if !folder.has_sql() && !folder.own().any(File::is_changelog) {
            return;
        }
        let owner = match self.options.framework {
            Some(Framework::Plain) => None,
            Some(told) => Some(tool(told)).filter(|tool| !tool.order(folder).entries.is_empty()),
            None => TOOLS.iter().copied().find(|tool| tool.detect(folder) && runs_most(*tool, folder)),
        };
        match owner {
            Some(tool) => {
                let around = self.history.clone();
                if !self.in_numbered {
                    self.history = Some(folder.path.clone());
                }
                self.claim(tool, folder);
                self.history = around;
            }
            None => self.add_plain(folder),
        }
    }

    /// A tool's migrations folder.
    fn claim(&mut self, tool: &'static dyn Tool, folder: &Folder) {
        let found = FoundFramework { framework: tool.framework(), folder: folder.path.clone() };
        self.collected.frameworks.push(found);
        let mut order = tool.order(folder);
        let known = std::mem::take(&mut order.known);
        let entries = self.take_notes(tool, order);
        for entry in &entries {
            self.add(tool, folder, entry);
        }
        let first = |entry: &Entry| entry.file.relative.iter().next().map(|name| folder.path.join(name));
        let run: HashSet<PathBuf> = entries.iter().filter_map(first).collect();
        for below in folder.subfolders() {
            if run.contains(&below.path) || known.contains(&below.path) || !below.has_sql() {
                continue;
            }
            let name = below.path.file_name().unwrap_or_default().to_string_lossy();
            if aside::why(&name).is_none()
                && self.options.framework.is_none()
                && TOOLS.iter().copied().any(|tool| tool.detect(&below))
            {
                self.assign(&below);
            } else {
                self.note(&below.path, format!("{} does not run what is in this folder", tool.framework()));
            }
        }
    }

    /// What a tool runs; what else there is to say of its files is kept.
    pub(super) fn take_notes(&mut self, tool: &'static dyn Tool, order: Order) -> Vec<Entry> {
        self.collected.errors.extend(order.errors);
        for (path, message) in order.notes {
            self.note(&path, message);
        }
        let left = |path: PathBuf| LeftOut { path, why: Why::NotRun(tool.framework()) };
        self.collected.left_out.extend(order.not_run.into_iter().map(left));
        for (path, what) in order.unread {
            self.collected.left_out.push(LeftOut { path, why: Why::Unread(tool.framework(), what) });
        }
        order.entries
    }

    /// A folder of no tool: its SQL files in natural order, and what is below it. The top one of such folders that has SQL files of
    /// its own, or is a list of numbered folders, is one history with all that is below.
    fn add_plain(&mut self, folder: &Folder) {
        let around = (self.history.clone(), self.in_numbered);
        if self.history.is_none() && (folder.own_sql().next().is_some() || is_numbered(folder)) {
            self.history = Some(folder.path.clone());
            self.in_numbered = is_numbered(folder);
        }
        self.add_plain_files(folder);
        (self.history, self.in_numbered) = around;
    }

    fn add_plain_files(&mut self, folder: &Folder) {
        let mut below = folder.subfolders();
        let mut files: Vec<&File> = folder.own_sql().collect();
        self.collected.left_out.extend(aside::take(&mut files));
        self.collected.left_out.extend(aside::take_folders(&mut below));
        let mut found = FoundFramework { framework: Framework::Plain, folder: folder.path.clone() };
        if files.is_empty() || self.options.framework.is_some_and(|told| told != Framework::Plain) {
            files.clear();
        } else {
            if let Some(parent) = self.collected.frameworks.iter().find(|found| folder.path.starts_with(&found.folder))
            {
                found.folder.clone_from(&parent.folder);
            }
            if !self.collected.frameworks.contains(&found) {
                self.collected.frameworks.push(found);
            }
        }
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut files = files.into_iter().peekable();
        for sub in below.drain(..) {
            let sub_name = name(&sub.path);
            while let Some(file) = files.next_if(|file| natural(file.name(), &sub_name).is_lt()) {
                self.add_plain_file(folder, file);
            }
            self.assign(&sub);
        }
        for file in files {
            self.add_plain_file(folder, file);
        }
    }

    fn add_plain_file(&mut self, folder: &Folder, file: &File) {
        let direction = self.down_files.contains(&file.path).then_some(Direction::Down);
        let entry = Entry { name: file.name().to_owned(), file: file.clone(), direction, listed: None };
        let is_base = super::structure_sql::is_structure(file);
        let framework = if is_base { Framework::StructureSql } else { Framework::Plain };
        self.add(tool(framework), folder, &entry);
    }

    /// Reads one file as its tool does.
    pub(super) fn add(&mut self, tool: &'static dyn Tool, folder: &Folder, entry: &Entry) {
        let is_down = entry.direction == Some(Direction::Down);
        // A link is a migration of its own, whatever else leads to its target.
        let identity = self.own_path(&entry.file.path);
        let mut entry = entry.clone();
        let contents = &self.options.contents;
        let full = |path: &Path| path.canonicalize().ok().filter(|_| !contents.is_empty());
        if let Some(text) = contents.get(&identity).or_else(|| contents.get(&full(&entry.file.path)?)) {
            entry.file.text = Some(text.clone());
        }
        let entry = &entry;
        if is_down && !self.options.down {
            self.collected.left_out.push(LeftOut { path: entry.file.path.clone(), why: Why::Down });
            return;
        }
        let Some(text) = entry.file.text.clone() else { return };
        let run = if let Some(Listed::Run(run)) = entry.listed { run } else { 0 };
        if !self.seen.insert((identity.clone(), run)) {
            return;
        }
        if self.options.remembers && entry.file.is_sql() {
            let reader = Reader::new(tool, folder, entry, self);
            self.collected.readers.insert(identity, reader);
        }
        let (source, split) = parts_of(tool, folder, entry, text, &self.options.variables);
        self.note_byte_order_mark(tool, entry);
        self.add_split(tool, entry, source, split);
    }

    /// The path in its history, whose folder is free of links. Asks the system once for every folder.
    fn own_path(&mut self, path: &Path) -> PathBuf {
        let parent = path.parent().unwrap_or(Path::new(""));
        let folder = self.history.as_deref().filter(|history| path.starts_with(history)).unwrap_or(parent).to_owned();
        let Ok(rest) = path.strip_prefix(&folder) else { return path.to_owned() };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        let full = self
            .full_paths
            .entry(folder)
            .or_insert_with_key(|folder| folder.canonicalize().unwrap_or_else(|_| folder.clone()));
        full.join(rest)
    }

    /// A folder without links.
    fn full(&self, folder: &Path) -> PathBuf {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    fn add_split(&mut self, tool: &dyn Tool, entry: &Entry, source: SourceFile, split: Split) {
        let file = self.sources.add(source.clone());
        let path = &entry.file.path;
        for (range, message) in split.notes {
            let span = Some(Span::new(file, range.start, range.end));
            self.collected.notes.push(Note { path: path.clone(), span, message });
        }
        let schema = split.schema.as_deref().map(Name::new);
        for unit in split.units {
            if unit.direction == Direction::Down && !self.options.down {
                if tool.framework() == Framework::Plain {
                    self.collected.left_out.push(LeftOut { path: path.clone(), why: Why::Down });
                }
                continue;
            }
            let mut source = source.clone();
            if let Some(masked) = unit.masked {
                source.text = masked.into();
            }
            let is_own = !Arc::ptr_eq(&source.text, &self.sources.file(file).text);
            let parts = self.overridden(unit.parts, &source.text);
            let file = if is_own { self.sources.add(source) } else { file };
            let section = |part: Part| {
                let span = Span::new(file, part.range.start, part.range.end);
                Section { span, transaction: part.transaction, conditional: unit.conditional }
            };
            let sections: Vec<Section> = parts.into_iter().map(section).collect();
            let included = self.included(tool, path, &sections);
            let is_dump = tool.framework().is_base();
            let migration = Migration {
                name: unit.name.unwrap_or_else(|| entry.name.clone()),
                path: path.clone(),
                folder: if is_dump { path.parent().map(Path::to_owned) } else { self.history.clone() },
                file,
                sections,
                included,
                direction: unit.direction,
                framework: tool.framework(),
                age: self.age,
                schema: schema.clone(),
            };
            match migration.direction {
                Direction::Up => self.collected.migrations.push(migration),
                Direction::Down => self.down.push(migration),
            }
        }
    }

    /// `--transaction` goes before what the tool does; parts with only blank between them become one.
    fn overridden(&self, parts: Vec<Part>, text: &str) -> Vec<Part> {
        let transaction = match self.options.transaction {
            _ if self.has_marker(text) => TransactionMode::None,
            TransactionOverride::Auto => return parts,
            TransactionOverride::PerFile => TransactionMode::Wrapped,
            TransactionOverride::None => TransactionMode::None,
        };
        let mut merged: Vec<Part> = Vec::new();
        for part in parts {
            match merged.last_mut() {
                Some(last) if text[last.range.end..part.range.start].trim().is_empty() => {
                    last.range.end = part.range.end
                }
                _ => merged.push(Part { transaction, ..part }),
            }
        }
        merged
    }

    /// Whether a line says, as the project's own runner reads it, that the file runs outside of a transaction.
    fn has_marker(&self, text: &str) -> bool {
        let Some(marker) = self.options.no_transaction.as_deref() else { return false };
        text.lines().any(|line| line.trim().eq_ignore_ascii_case(marker))
    }

    fn note_byte_order_mark(&mut self, tool: &dyn Tool, entry: &Entry) {
        if entry.file.byte_order_mark && tool.fails_on_byte_order_mark() {
            let message = format!("starts with a byte order mark, on which {} fails", tool.framework());
            self.note(&entry.file.path, message);
        }
    }

    pub(super) fn note(&mut self, path: &Path, message: String) {
        self.collected.notes.push(Note { path: path.to_owned(), span: None, message });
    }
}
