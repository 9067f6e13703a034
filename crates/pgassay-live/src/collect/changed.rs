//! Which migrations are new, which ran before, and which ran before with another content.
//!
//! In: migrations as they were collected, and what git says of their files. Out: the [`Age`] of each, and a [`Difference`] for every one
//! that no longer is what it was. A file is compared part by part, as its tool splits it: a changeset that is added to a file does not
//! make the others new, and a changed way back does not change the way there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::coverage::{LeftOut, Why, not_read};
use super::folder::{File, Folder, is_sql};
use super::lineage::{Histories, Own};
use super::read::{decode, read};
use super::tools::{Entry, parts_of, tool};
use super::variables::Variables;
use super::{Age, Difference, DifferenceKind, Direction, Framework, Migration, Note};
use crate::git::{Changes, FileChange, FileChangeKind, GitError, Repository, Scope};
use crate::migration::NotRead;
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::sql::{Sender, normalize, read_section};

/// What is new in a list of migrations.
#[derive(Debug, Clone, Default)]
pub struct News {
    pub differences: Vec<Difference>,
    pub notes: Vec<Note>,
    /// Files whose staged content is not what is on the disk, with what is staged, by the path with links up to the history's folder resolved.
    pub staged: HashMap<PathBuf, Arc<str>>,
    /// What will be committed and could not be judged: a sentence each.
    pub unread: Vec<String>,
}

/// Finds out what is new in `migrations`: sets the age of each, and takes out those that git ignores, and
/// where only staged ones count those that are not staged.
pub fn mark(migrations: &mut Vec<Migration>, sources: &Sources, scope: &Scope) -> Result<News, GitError> {
    let mut reader = Reader { scope, histories: Histories::of(scope, migrations)?, news: News::default() };
    reader.leave_out(migrations, sources)?;
    let mut files: Vec<Vec<usize>> = Vec::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    for (index, migration) in migrations.iter().enumerate() {
        // A file whose parts are masked in different ways is several in `sources`.
        let place = *places.entry(migration.path.clone()).or_insert(files.len());
        match files.get_mut(place) {
            Some(parts) => parts.push(index),
            None => files.push(vec![index]),
        }
    }
    for parts in &files {
        reader.mark_file(migrations, parts, sources)?;
    }
    super::changed_includes::mark(migrations, sources, scope, &mut reader.news)?;
    reader.note_deleted(migrations);
    let notes = std::mem::take(&mut reader.histories.notes);
    notes.into_iter().for_each(|(folder, note)| reader.note(&folder, note));
    Ok(reader.news)
}

/// As [`mark`], of migrations that were recorded while their source files ran. One without a file in the project comes with a library: it
/// is old, unless all are without.
pub fn mark_recorded(migrations: &mut [Migration], scope: &Scope) -> Result<Vec<Difference>, GitError> {
    let full: Vec<Option<PathBuf>> = migrations.iter().map(|migration| migration.path.canonicalize().ok()).collect();
    if full.iter().all(Option::is_none) {
        // A wrong reference must not pass for everything new.
        Repository::around(Path::new("."))?.changes(scope, &[])?;
        return Ok(Vec::new());
    }
    let changed = Files::of(scope, full.iter().flatten())?;
    let mut differences = Vec::new();
    for (index, (migration, full)) in migrations.iter_mut().zip(full).enumerate() {
        migration.age = Age::Old;
        match full.as_deref().and_then(|full| changed.kind_of(full)) {
            Some(FileChangeKind::Added) => migration.age = Age::New,
            // A file that comes from another folder, another application's, did not run in this one.
            Some(FileChangeKind::Renamed { from }) if from.parent() != full.as_deref().and_then(Path::parent) => {
                migration.age = Age::New;
            }
            Some(FileChangeKind::Changed) => {
                migration.age = Age::Changed;
                let span = migration.sections.first().map_or(Span::new(migration.file, 0, 0), |section| section.span);
                differences.push(Difference { migration: index, span, kind: DifferenceKind::Content });
            }
            _ => {}
        }
    }
    Ok(differences)
}

/// The migrations in other languages that are new or changed.
pub fn new_code(left_out: &[LeftOut], scope: &Scope) -> Result<Vec<NotRead>, GitError> {
    let code = left_out.iter().filter(|left| matches!(left.why, Why::Code(..) | Why::Unread(..)));
    let paths = |left: &LeftOut| [left.path.canonicalize().ok(), own_path(&left.path)];
    let all: Vec<PathBuf> = code.clone().flat_map(paths).flatten().collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let changed = Files::of(scope, all.iter())?;
    let is_new = |path: PathBuf| changed.kind_of(&path).is_some_and(|kind| *kind != FileChangeKind::Deleted);
    let new: Vec<LeftOut> = code.filter(|left| paths(left).into_iter().flatten().any(is_new)).cloned().collect();
    Ok(not_read(&new))
}

/// The path of a file that may be a link, in its folder without links.
fn own_path(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// What happened in the folders of some files.
pub(super) struct Files {
    repositories: BTreeMap<PathBuf, Changes>,
}

impl Files {
    pub fn of<'p>(scope: &Scope, files: impl Iterator<Item = &'p PathBuf>) -> Result<Files, GitError> {
        let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
        let all: BTreeSet<&Path> = files.filter_map(|file| file.parent()).collect();
        for folder in all {
            let root = Repository::around(folder)?.root().to_owned();
            let from_root = folder.strip_prefix(&root).unwrap_or(folder).to_owned();
            folders.entry(root).or_default().push(from_root);
        }
        let mut repositories = BTreeMap::new();
        for (root, within) in folders {
            let changes = Repository::around(&root)?.changes(scope, &within)?;
            repositories.insert(root, changes);
        }
        Ok(Files { repositories })
    }

    fn kind_of(&self, path: &Path) -> Option<&FileChangeKind> {
        self.of_file(path).map(|(_, kind)| kind)
    }

    pub fn of_file(&self, path: &Path) -> Option<(&Changes, &FileChangeKind)> {
        self.repositories.values().find_map(|changes| Some((changes, changes.of(path)?)))
    }

    /// The closest repository around a file.
    pub fn around_mut(&mut self, path: &Path) -> Option<&mut Changes> {
        self.repositories.iter_mut().rev().find(|(root, _)| path.starts_with(root)).map(|(_, changes)| changes)
    }
}

struct Reader<'a> {
    scope: &'a Scope,
    histories: Histories<'a>,
    news: News,
}

/// What git says of one file.
enum Known {
    New,
    Same,
    /// With what it held before, and where.
    Changed {
        from: PathBuf,
        before: String,
    },
}

impl Reader<'_> {
    /// What will not be in the commit: ignored files, and what is not staged where only that counts.
    fn leave_out(&mut self, migrations: &mut Vec<Migration>, sources: &Sources) -> Result<(), GitError> {
        let mut kept = Vec::with_capacity(migrations.len());
        for migration in migrations.drain(..) {
            if self.is_committed(&migration, sources)? {
                kept.push(migration);
            }
        }
        *migrations = kept;
        Ok(())
    }

    fn is_committed(&mut self, migration: &Migration, sources: &Sources) -> Result<bool, GitError> {
        let Some(own) = Own::of(migration) else { return Ok(true) };
        let changes = self.histories.changes(&own);
        let is_ignored = changes.is_some_and(|changes| changes.ignored.iter().any(|path| own.full.starts_with(path)));
        if is_ignored {
            self.note(&migration.path, "is ignored by git: it is left out".to_owned());
            return Ok(false);
        }
        if *self.scope != Scope::Staged || self.histories.is_as_staged(&own) {
            return Ok(true);
        }
        let Some(staged) = self.histories.staged(&own)? else {
            self.note(&migration.path, "is not staged: it is left out".to_owned());
            return Ok(false);
        };
        if let Ok(staged) = decode(&migration.path, staged)
            && staged.text != sources.file(migration.file).original()
        {
            let folder = own.history.canonicalize().unwrap_or(own.history);
            self.news.staged.insert(folder.join(own.rest), staged.text.into());
        }
        Ok(true)
    }

    /// `parts` are the places of the file's migrations in the list.
    fn mark_file(&mut self, migrations: &mut [Migration], parts: &[usize], sources: &Sources) -> Result<(), GitError> {
        let Some(first) = parts.first().map(|index| &migrations[*index]) else { return Ok(()) };
        let Some(own) = Own::of(first) else { return Ok(()) };
        let framework = first.framework;
        if framework.is_base() {
            return Ok(());
        }
        match self.known(&own, framework, first.direction)? {
            Known::New => {}
            Known::Same => parts.iter().for_each(|index| migrations[*index].age = Age::Old),
            Known::Changed { from, before } => {
                let text = sources.file(first.file).original().to_owned();
                let renamed = renamed_from(framework, &from, &own.history.join(&own.rest));
                let (old, new) = (Parts::of(first, &before), Parts::of(first, &text));
                let mut seen = HashMap::new();
                for index in parts {
                    let migration = &mut migrations[*index];
                    let key = next_key(migration, parts.len(), &mut seen);
                    self.mark_part(migration, *index, &key, (&old, &new), renamed.as_deref(), sources);
                }
            }
        }
        Ok(())
    }

    fn known(&mut self, own: &Own, framework: Framework, direction: Direction) -> Result<Known, GitError> {
        let earlier = self.histories.earlier(own, framework, direction)?;
        let changes = self.histories.changes(own);
        let Some(earlier) = earlier else {
            return match changes.filter(|_| framework == Framework::Sqitch) {
                Some(changes) => kept_by_rework(changes, &own.full),
                None => Ok(Known::New),
            };
        };
        if earlier.is_same {
            return Ok(Known::Same);
        }
        if changes.is_some_and(|changes| is_reworked(changes, &own.full, framework)) {
            return Ok(Known::New);
        }
        Ok(match decode(&earlier.path, earlier.bytes) {
            Ok(text) => Known::Changed { from: earlier.path, before: text.text },
            // It could not run before either.
            Err(_) => Known::New,
        })
    }

    fn mark_part(
        &mut self,
        migration: &mut Migration,
        index: usize,
        key: &Key,
        (old, new): (&Parts, &Parts),
        renamed: Option<&str>,
        sources: &Sources,
    ) {
        let (Some(before), Some(now)) = (old.parts.get(key), new.parts.get(key)) else { return };
        if is_repeatable(migration, sources) {
            migration.age = if before == now { Age::Old } else { Age::New };
            return;
        }
        let (kind, place) = match first_difference(before, now) {
            Some(place) => (DifferenceKind::Content, place),
            None => {
                migration.age = Age::Old;
                match renamed {
                    Some(from) => (DifferenceKind::Renamed { from: from.to_owned() }, 0),
                    None if old.text != new.text => (DifferenceKind::Layout, 0),
                    None => return,
                }
            }
        };
        if kind == DifferenceKind::Content {
            migration.age = Age::Changed;
        }
        self.news.differences.push(Difference {
            migration: index,
            span: statement_at(migration, place, sources),
            kind,
        });
    }

    /// A migration that is gone stays applied where it ran, and most tools say so. One that is staged and gone from the disk cannot be read.
    fn note_deleted(&mut self, migrations: &[Migration]) {
        let parents: BTreeSet<&Path> = migrations.iter().filter_map(|migration| migration.path.parent()).collect();
        let full = |folder: &Path| match folder.as_os_str().is_empty() {
            true => Path::new(".").canonicalize().ok(),
            false => folder.canonicalize().ok(),
        };
        let folders: HashMap<PathBuf, &Path> =
            parents.into_iter().filter_map(|folder| Some((full(folder)?, folder))).collect();
        let (mut notes, mut unread) = (Vec::new(), Vec::new());
        for changes in self.histories.repositories.values() {
            let shown = |path: &Path| Some(folders.get(path.parent()?)?.join(path.file_name()?));
            let is_sql = |change: &&FileChange| is_sql(&change.path);
            let gone = |change: &&FileChange| change.kind == FileChangeKind::Deleted && is_sql(change);
            notes.extend(changes.files.iter().filter(gone).filter_map(|change| shown(&change.path)));
            let comes =
                |change: &&FileChange| changes.of(&change.path).is_some_and(|kind| *kind != FileChangeKind::Deleted);
            unread.extend(changes.unstaged.iter().filter(gone).filter(comes).map(|change| {
                let path = shown(&change.path).unwrap_or_else(|| change.path.clone());
                format!("{}: is staged, is not in the working tree, and was not judged", path.display())
            }));
        }
        for path in notes {
            self.note(&path, "was deleted: it stays applied where it ran, and is missing in the history".to_owned());
        }
        self.news.unread.extend(unread);
    }

    fn note(&mut self, path: &Path, message: String) {
        let note = Note { path: path.to_owned(), span: None, message };
        if !self.news.notes.contains(&note) {
            self.news.notes.push(note);
        }
    }
}

/// `sqitch rework` keeps the old script of a change as `<change>@<tag>.sql`.
fn kept_by_rework(changes: &Changes, full: &Path) -> Result<Known, GitError> {
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((change, _)) = name.split_once('@') else { return Ok(Known::New) };
    let from = full.with_file_name(format!("{change}.sql"));
    let is_changed = changes.files.iter().any(|change| change.path == from && change.kind == FileChangeKind::Changed);
    if !is_changed {
        return Ok(Known::New);
    }
    let before = decode(&from, changes.before(&from)?).map(|text| text.text).unwrap_or_default();
    let kept = read(full).map(|text| text.text).unwrap_or_default();
    Ok(if normalize(&before) == normalize(&kept) { Known::Same } else { Known::New })
}

fn is_reworked(changes: &Changes, full: &Path, framework: Framework) -> bool {
    let prefix = format!("{}@", full.file_stem().unwrap_or_default().to_string_lossy());
    let is_kept = |path: &Path| {
        path.parent() == full.parent()
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    framework == Framework::Sqitch
        && changes.files.iter().any(|change| change.kind == FileChangeKind::Added && is_kept(&change.path))
}

/// The name before, where the tool goes by it: a file that only moved to another folder has the same.
fn renamed_from(framework: Framework, from: &Path, to: &Path) -> Option<String> {
    let levels = match framework {
        Framework::Prisma | Framework::Diesel | Framework::Hasura => 2,
        _ => 1,
    };
    let own = |path: &Path| -> PathBuf {
        let all: Vec<_> = path.components().collect();
        all[all.len().saturating_sub(levels)..].iter().collect()
    };
    (own(from) != own(to)).then(|| own(from).display().to_string())
}

/// Flyway's `R__…`, and Liquibase's changesets that say so, run again whenever they change.
fn is_repeatable(migration: &Migration, sources: &Sources) -> bool {
    match migration.framework {
        Framework::Flyway => migration.name.starts_with("R__"),
        Framework::Liquibase => {
            let source = sources.file(migration.file);
            let first = statement_at(migration, 0, sources);
            let section = migration.sections.first().map_or(first, |section| section.span);
            let of = if is_sql(&migration.path) { section } else { first };
            let start = source.original_range(of).start;
            let before = source.original().get(..start).unwrap_or_default().trim_end();
            let is_sql = is_sql(&migration.path);
            let marker = match is_sql {
                true => before.lines().next_back(),
                // Its attributes come between its name and its first change.
                false => before.rfind("changeSet").map(|at| &before[at..]),
            };
            let marker: String =
                marker.unwrap_or_default().to_ascii_lowercase().replace(['"', '\'', ' '], "").replace('=', ":");
            marker.contains("runonchange:true") || marker.contains("runalways:true")
        }
        _ => false,
    }
}

/// Finds a part of a file in another version of it: by the tool's name for it, else by its direction and number.
type Key = (Option<String>, bool, usize);

fn next_key(migration: &Migration, parts: usize, seen: &mut HashMap<(Option<String>, bool), usize>) -> Key {
    // Where the file is one migration its name is that of the file, which may have moved.
    let name = (parts > 1 || migration.framework == Framework::Liquibase).then(|| migration.name.clone());
    let is_down = migration.direction == Direction::Down;
    let name = name.filter(|_| migration.framework == Framework::Liquibase);
    let number = seen.entry((name.clone(), is_down)).or_default();
    *number += 1;
    (name, is_down, *number)
}

/// One version of a file, split as its tool does.
struct Parts {
    text: String,
    /// Every statement of each part in one spelling.
    parts: HashMap<Key, Vec<String>>,
}

impl Parts {
    fn of(migration: &Migration, text: &str) -> Parts {
        let name = migration.path.file_name().unwrap_or_default();
        let mut file = File::new(PathBuf::from(name), migration.path.clone());
        file.text = Some(text.into());
        let entry = Entry { name: migration.name.clone(), file, direction: Some(migration.direction), listed: None };
        let folder = Folder::empty(migration.path.parent().unwrap_or(Path::new("")));
        let text: Arc<str> = text.into();
        let variables = Variables::default();
        let (read, split) = parts_of(tool(migration.framework), &folder, &entry, text.clone(), &variables);
        let mut seen = HashMap::new();
        let mut parts = HashMap::new();
        for unit in split.units {
            let source = SourceFile::new("", unit.masked.as_deref().unwrap_or(&read.text));
            let statements = unit.parts.iter().flat_map(|part| statements(&source, part.range.clone())).collect();
            let own = unit.name.unwrap_or_else(|| entry.name.clone());
            let named = (migration.framework == Framework::Liquibase).then_some(own);
            let is_down = unit.direction == Direction::Down;
            let number = seen.entry((named.clone(), is_down)).or_insert(0);
            *number += 1;
            parts.insert((named, is_down, *number), statements);
        }
        Parts { text: text.replace("\r\n", "\n"), parts }
    }
}

pub(super) fn statements(source: &SourceFile, range: std::ops::Range<usize>) -> Vec<String> {
    let script = read_section(source, Span::new(FileId(0), range.start, range.end), Sender::Psql);
    let texts = script.statements.iter().map(|statement| normalize(source.slice(statement.span)));
    texts.filter(|text| !text.is_empty()).collect()
}

/// The place of the first statement that is not the same.
fn first_difference(before: &[String], now: &[String]) -> Option<usize> {
    if before == now {
        return None;
    }
    Some(before.iter().zip(now).take_while(|(before, now)| before == now).count())
}

/// The span of a statement of a migration; of the last one where there are fewer.
fn statement_at(migration: &Migration, place: usize, sources: &Sources) -> Span {
    let source = sources.file(migration.file);
    let sections = migration.sections.iter();
    let spans: Vec<Span> = sections
        .clone()
        .flat_map(|section| read_section(source, section.span, Sender::Psql).statements)
        .map(|statement| statement.span)
        .collect();
    let whole = sections.map(|section| section.span).next().unwrap_or(Span::new(migration.file, 0, 0));
    let empty = Span { end: whole.start, ..whole };
    spans.get(place).or(spans.last()).copied().unwrap_or(empty)
}
