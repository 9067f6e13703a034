//! Which migration of today is which one of the commit that is compared with.
//!
//! A migration is its history (the folder, and the tool that runs it) and its place in it, whatever its content is called elsewhere: a
//! file that was in the repository and in no history is new in one. In: migrations, and what git recorded. Out: for each the file that stood
//! in its place, with links followed as they were then. Knows nothing of what the files hold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::folder::{File, Folder, is_sql, is_tool_file};
use super::read::{decode, read};
use super::repository::without_dots;
use super::tools::{Tool, tool};
use super::{Direction, Framework, Migration, dialect, find, halves};
use crate::git::{Changes, FileChangeKind, GitError, Place, Repository, Scope, Side};

/// A migration's place: a history and the path in it.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// The history's folder as it was named, absolute.
    pub history: PathBuf,
    pub rest: PathBuf,
    /// The file itself, free of links.
    pub full: PathBuf,
}

/// What stood in a migration's place before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Earlier {
    /// Its path then, absolute, with the links that were on the way.
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// The bytes need not be read: they are what the file holds now.
    pub is_same: bool,
}

/// A migrations folder in its repository.
#[derive(Debug, Clone)]
struct History {
    root: PathBuf,
    framework: Framework,
    /// From the root on, as it is named; what is named by a link that git has is its own.
    folder: PathBuf,
    /// From the root on, without links.
    real: PathBuf,
    /// Where it was before, from the root on.
    before: PathBuf,
}

/// What a tool ran of a history before: directions by path, from the history's folder on. None: nothing says that it ran another list of
/// files than those that were there.
type Ran = Option<HashMap<PathBuf, Option<Direction>>>;

/// The histories of a run.
pub(super) struct Histories<'a> {
    scope: &'a Scope,
    /// What is new in each repository, by its root.
    pub repositories: BTreeMap<PathBuf, Changes>,
    histories: BTreeMap<PathBuf, History>,
    ran: HashMap<(PathBuf, Framework), Ran>,
    /// A sentence about a folder, where one has to be known.
    pub notes: Vec<(PathBuf, String)>,
}

impl Own {
    /// None for what has no path: standard input, a command.
    pub fn of(migration: &Migration) -> Option<Own> {
        let full = migration.path.canonicalize().ok()?;
        let path = named(&migration.path)?;
        let folder = migration.folder.as_deref().and_then(named).filter(|folder| path.starts_with(folder));
        let history = folder.or_else(|| path.parent().map(Path::to_owned))?;
        let rest = path.strip_prefix(&history).ok()?.to_owned();
        Some(Own { history, rest, full })
    }
}

/// The absolute path as it is written, links and all.
fn named(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    Some(without_dots(&std::path::absolute(path).ok()?))
}

impl History {
    fn of(folder: &Path, framework: Framework) -> Result<History, GitError> {
        let repository = Repository::around(folder)?;
        let root = repository.root().to_owned();
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let real = full.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        let is_root = |above: &&Path| above.canonicalize().is_ok_and(|full| full == root);
        let by_name = folder.ancestors().find(is_root).and_then(|above| folder.strip_prefix(above).ok());
        let folder = match by_name {
            Some(by_name) if by_name != real && is_tracked_link(&repository, by_name)? => by_name.to_owned(),
            _ => real.clone(),
        };
        Ok(History { root, framework, before: folder.clone(), folder, real })
    }
}

/// Whether the first link on a path is git's: one that the user made to get there is not.
fn is_tracked_link(repository: &Repository, path: &Path) -> Result<bool, GitError> {
    let mut on_the_way: Vec<&Path> = path.ancestors().collect();
    on_the_way.reverse();
    match on_the_way.into_iter().find(|path| repository.root().join(path).is_symlink()) {
        Some(link) => repository.is_tracked(link),
        None => Ok(false),
    }
}

impl<'a> Histories<'a> {
    pub fn of(scope: &'a Scope, migrations: &[Migration]) -> Result<Histories<'a>, GitError> {
        let mut found: BTreeMap<PathBuf, Framework> = BTreeMap::new();
        for migration in migrations {
            if let Some(own) = Own::of(migration) {
                found.entry(own.history).or_insert(migration.framework);
            }
        }
        Histories::new(scope, found.into_iter())
    }

    fn new(scope: &'a Scope, folders: impl Iterator<Item = (PathBuf, Framework)>) -> Result<Histories<'a>, GitError> {
        let (repositories, ran, notes) = (BTreeMap::new(), HashMap::new(), Vec::new());
        let mut all = Histories { scope, repositories, histories: BTreeMap::new(), ran, notes };
        for (folder, framework) in folders {
            let history = History::of(&folder, framework)?;
            all.histories.insert(folder, history);
        }
        let roots: HashSet<PathBuf> = all.histories.values().map(|history| history.root.clone()).collect();
        for root in roots {
            all.compare(&root)?;
            if all.follow_moved(&root)? {
                all.compare(&root)?;
            }
        }
        Ok(all)
    }

    /// Asks git what is new in the histories of a repository.
    fn compare(&mut self, root: &Path) -> Result<(), GitError> {
        let own = self.histories.values().filter(|history| history.root == root);
        let mut within: Vec<PathBuf> =
            own.flat_map(|history| [&history.folder, &history.real, &history.before]).cloned().collect();
        within.sort();
        within.dedup_by(|path, above| path.starts_with(above));
        let changes = Repository::around(root)?.changes(self.scope, &within)?;
        self.repositories.insert(root.to_owned(), changes);
        Ok(())
    }

    /// Finds out where a history was that has another folder now: nothing was in this one, and nothing is left in that one.
    fn follow_moved(&mut self, root: &Path) -> Result<bool, GitError> {
        let Some(changes) = self.repositories.get_mut(root) else { return Ok(false) };
        let mut moved = None;
        let mut any = false;
        for (named, history) in self.histories.iter_mut().filter(|(_, history)| history.root == root) {
            if !changes.below(Side::Before, &history.folder)?.is_empty() {
                continue;
            }
            if moved.is_none() {
                moved = Some(changes.repository().moved(self.scope)?);
            }
            let Some(old) = moved.as_deref().and_then(|moved| old_folder(moved, &history.real)) else { continue };
            let had_migrations = history.framework != Framework::Plain || find::is_migrations_name(&old);
            let left = changes.below(Side::Before, &old)?;
            let is_left = left.iter().any(|path| is_sql(path) && root.join(path).exists());
            if had_migrations && !is_left {
                self.notes.push((named.clone(), format!("is taken for {} under another name", old.display())));
                history.before = old;
                any = true;
            }
        }
        Ok(any)
    }

    pub fn changes(&self, own: &Own) -> Option<&Changes> {
        self.repositories.get(&self.histories.get(&own.history)?.root)
    }

    /// What stood in a migration's place before: none for a new one.
    pub fn earlier(&mut self, own: &Own, framework: Framework, to: Direction) -> Result<Option<Earlier>, GitError> {
        let Some(history) = self.histories.get(&own.history).cloned() else { return Ok(None) };
        if self.ran_before(&own.history, framework, &own.rest, to)? {
            let found = self.resolve(Side::Before, &history.root, &history.before.join(&own.rest))?;
            if let Some((path, id)) = found {
                let is_same = path == own.full && self.is_untouched(own, &history);
                let bytes = if is_same { Vec::new() } else { self.content(&path, &id)? };
                let path = history.root.join(history.before.join(&own.rest));
                return Ok(Some(Earlier { path, bytes, is_same }));
            }
        }
        let now = history.root.join(history.folder.join(&own.rest));
        let Some(changes) = self.repositories.get(&history.root) else { return Ok(None) };
        let Some(FileChangeKind::Renamed { from }) = changes.of(&now).or(changes.of(&own.full)).cloned() else {
            return Ok(None);
        };
        let Ok(from) = from.strip_prefix(&history.root).map(Path::to_owned) else { return Ok(None) };
        let Ok(rest) = from.strip_prefix(&history.before) else { return Ok(None) };
        if !self.ran_before(&own.history, framework, rest, to)? {
            return Ok(None);
        }
        let Some((path, id)) = self.resolve(Side::Before, &history.root, &from)? else { return Ok(None) };
        let bytes = self.content(&path, &id)?;
        Ok(Some(Earlier { path: history.root.join(from), bytes, is_same: false }))
    }

    /// Whether the index has a migration's file, and as it is on the disk: no link is on the way, and git names no difference.
    pub fn is_as_staged(&self, own: &Own) -> bool {
        let Some(history) = self.histories.get(&own.history) else { return false };
        let Some(changes) = self.repositories.get(&history.root) else { return false };
        let is_plain = own.full == history.root.join(history.folder.join(&own.rest));
        is_plain && !changes.is_unstaged(&own.full)
    }

    /// What the index holds in a migration's place: none for what is not staged.
    pub fn staged(&mut self, own: &Own) -> Result<Option<Vec<u8>>, GitError> {
        let Some(history) = self.histories.get(&own.history).cloned() else { return Ok(None) };
        let Some((path, id)) = self.resolve(Side::Index, &history.root, &history.folder.join(&own.rest))? else {
            return Ok(None);
        };
        self.content(&path, &id).map(Some)
    }

    /// Whether git was asked about this very file, and nothing happened to it.
    fn is_untouched(&self, own: &Own, history: &History) -> bool {
        let is_asked = own.full.starts_with(history.root.join(&history.real));
        let change = self.repositories.get(&history.root).and_then(|changes| changes.of(&own.full));
        is_asked && matches!(change, None | Some(FileChangeKind::Deleted))
    }

    fn content(&self, path: &Path, id: &str) -> Result<Vec<u8>, GitError> {
        let inner = self.repositories.iter().rev().find(|(root, _)| path.starts_with(root));
        inner.ok_or_else(|| GitError::NoRepository { path: path.to_owned() })?.1.content(id)
    }

    /// The file that a path leads to, absolute, and git's id of its content; also in submodules.
    fn resolve(&mut self, side: Side, root: &Path, path: &Path) -> Result<Option<(PathBuf, String)>, GitError> {
        let (mut root, mut path) = (root.to_owned(), path.to_owned());
        loop {
            let Some(changes) = self.repositories.get_mut(&root) else { return Ok(None) };
            match changes.resolve(side, &path)? {
                Place::Nowhere => return Ok(None),
                Place::File { path, id } => return Ok(Some((root.join(path), id))),
                Place::Beyond { submodule, rest } => {
                    root = root.join(submodule);
                    let inner = Repository::around(&root)?;
                    if inner.root() != root {
                        return Ok(None);
                    }
                    if !self.repositories.contains_key(&root) {
                        let within = rest.parent().unwrap_or(&rest).to_owned();
                        self.repositories.insert(root.clone(), inner.changes(self.scope, &[within])?);
                    }
                    path = rest;
                }
            }
        }
    }

    /// Whether the history's tool ran a file that was there, in this direction.
    fn ran_before(
        &mut self,
        history: &Path,
        framework: Framework,
        rest: &Path,
        direction: Direction,
    ) -> Result<bool, GitError> {
        let key = (history.to_owned(), framework);
        if !self.ran.contains_key(&key) {
            let ran = self.ran(history, framework)?;
            self.ran.insert(key.clone(), ran);
        }
        let Some(Some(ran)) = self.ran.get(&key) else { return Ok(true) };
        Ok(match ran.get(rest) {
            Some(found) => found.is_none_or(|found| found == direction),
            // Below a folder that is a link, whose files are not listed.
            None => self.is_below_link(history, rest)?,
        })
    }

    fn is_below_link(&mut self, history: &Path, rest: &Path) -> Result<bool, GitError> {
        let Some(history) = self.histories.get(history) else { return Ok(false) };
        let Some(changes) = self.repositories.get_mut(&history.root) else { return Ok(false) };
        let path = history.before.join(rest);
        Ok(!changes.below(Side::Before, &history.before)?.contains(&path))
    }

    /// What a tool ran of a folder as it was. Only where names or the tool's own files changed can it be another list than that of the files.
    fn ran(&mut self, history: &Path, framework: Framework) -> Result<Ran, GitError> {
        let Some(history) = self.histories.get(history) else { return Ok(None) };
        let Some(changes) = self.repositories.get_mut(&history.root) else { return Ok(None) };
        let folders = [&history.folder, &history.real, &history.before].map(|folder| history.root.join(folder));
        let is_ours = |path: &Path| folders.iter().any(|folder| path.starts_with(folder));
        let is_list = |path: &Path, kind: &FileChangeKind| is_tool_file(path) || *kind != FileChangeKind::Changed;
        if !changes.files.iter().any(|change| is_ours(&change.path) && is_list(&change.path, &change.kind)) {
            return Ok(None);
        }
        let (root, before) = (history.root.clone(), history.before.clone());
        let mut files = Vec::new();
        for path in changes.below(Side::Before, &before)? {
            let relative = path.strip_prefix(&before).unwrap_or(&path).to_owned();
            let mut file = File::new(relative, root.join(&path));
            let id = match changes.resolve(Side::Before, &path)? {
                Place::File { id, .. } => id,
                _ => continue,
            };
            // The tools' lists are read as they were; of other texts a list takes only whether a changelog's mark is in them.
            let is_changed = changes.of(&root.join(&path)).is_some();
            file.text = if is_tool_file(&path) || framework == Framework::Liquibase && is_changed {
                decode(&path, changes.content(&id)?).ok().map(|read| read.text.into())
            } else if framework == Framework::Liquibase && file.is_sql() {
                read(&root.join(&path)).ok().map(|read| read.text.into())
            } else {
                None
            };
            files.push(file);
        }
        let folder = Folder::of_files(&root.join(&before), files);
        let mut ran = HashMap::new();
        add_run(tool(framework), &folder.without(&left_out(&folder)).unwrap_or(folder), &mut ran);
        let from_history = |path: PathBuf| path.strip_prefix(root.join(&before)).map(Path::to_owned).unwrap_or(path);
        Ok(Some(ran.into_iter().map(|(path, direction)| (from_history(path), direction)).collect()))
    }
}

/// The files for other servers.
fn left_out(folder: &Folder) -> HashSet<PathBuf> {
    let key = |path: &Path| path.to_string_lossy().to_lowercase();
    let names: HashSet<String> = folder.files.iter().map(|file| key(&file.relative)).collect();
    let is_foreign = |file: &&File| {
        let beside = |name: &str| names.contains(&key(&file.relative.with_file_name(name)));
        dialect::of_file(file.name(), beside).is_some() || dialect::gives_way(file.name(), beside)
    };
    folder.files.iter().filter(|file| file.is_sql()).filter(is_foreign).map(|file| file.path.clone()).collect()
}

/// What a tool runs of a folder, and of those below it that it does not look into from here.
fn add_run(tool: &dyn Tool, folder: &Folder, ran: &mut HashMap<PathBuf, Option<Direction>>) {
    if matches!(tool.framework(), Framework::Plain | Framework::StructureSql) {
        let down = halves::down_files(&folder.files);
        let direction = |file: &File| down.contains(&file.path).then_some(Direction::Down);
        let sql = folder.files.iter().filter(|file| file.is_sql());
        ran.extend(sql.map(|file| (file.path.clone(), direction(file))));
        return;
    }
    let order = tool.order(folder);
    let is_list = folder.own().any(|file| is_tool_file(&file.relative)) || tool.framework() == Framework::Liquibase;
    ran.extend(order.entries.iter().map(|entry| (entry.file.path.clone(), entry.direction)));
    for below in folder.subfolders().iter().filter(|_| !is_list) {
        if !order.entries.iter().any(|entry| entry.file.path.starts_with(&below.path)) {
            add_run(tool, below, ran);
        }
    }
}

/// The folder that most files of a folder were in before.
fn old_folder(moved: &[(PathBuf, PathBuf)], folder: &Path) -> Option<PathBuf> {
    let mut found: BTreeMap<&Path, usize> = BTreeMap::new();
    for (from, to) in moved.iter().filter(|(_, to)| is_sql(to)) {
        let Ok(rest) = to.strip_prefix(folder) else { continue };
        if let Some(old) = from.ancestors().nth(rest.components().count()) {
            *found.entry(old).or_default() += 1;
        }
    }
    found.into_iter().max_by_key(|(_, count)| *count).map(|(old, _)| old.to_owned())
}
