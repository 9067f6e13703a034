//! Which migrations are new, which ran before, and which ran before with another content.
//!
//! In: migrations as they were collected, and what git says of their files. Out: the [`Age`] of each, and a [`Difference`] for every one
//! that no longer is what it was. A file is compared part by part, as its tool splits it: a changeset that is added to a file does not
//! make the others new, and a changed way back does not change the way there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::coverage::{LeftOut, Why, not_read};
use super::folder::{File, Folder};
use super::read::{decode, read};
use super::tools::{Entry, Input, tool};
use super::{Age, Difference, DifferenceKind, Direction, Framework, Migration, Note};
use crate::git::{Changes, FileChangeKind, GitError, Repository, Scope};
use crate::migration::NotRead;
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::sql::{normalize, read_section};

/// What is new in a list of migrations.
#[derive(Debug, Clone, Default)]
pub struct News {
    pub differences: Vec<Difference>,
    pub notes: Vec<Note>,
    /// Files whose staged content is not what is on the disk, with what is staged.
    pub staged: HashMap<PathBuf, Arc<str>>,
}

/// Finds out what is new in `migrations`: sets the age of each, and takes out those that git ignores, and
/// where only staged ones count those that are not staged.
pub fn mark(migrations: &mut Vec<Migration>, sources: &Sources, scope: &Scope) -> Result<News, GitError> {
    let mut reader = Reader { scope, repositories: BTreeMap::new(), roots: HashMap::new(), news: News::default() };
    reader.leave_out(migrations)?;
    let mut files: Vec<(FileId, Vec<usize>)> = Vec::new();
    for (index, migration) in migrations.iter().enumerate() {
        // A file whose parts are masked in different ways is several in `sources`.
        match files.iter_mut().find(|(_, parts)| migrations[parts[0]].path == migration.path) {
            Some((_, parts)) => parts.push(index),
            None => files.push((migration.file, vec![index])),
        }
    }
    for (_, parts) in &files {
        reader.mark_file(migrations, parts, sources)?;
    }
    reader.note_deleted(migrations);
    Ok(reader.news)
}

/// As [`mark`], of migrations that were recorded while their source files ran. One without a file in the project comes with a library: it
/// is old, unless all are without.
pub fn mark_recorded(migrations: &mut [Migration], scope: &Scope) -> Result<Vec<Difference>, GitError> {
    let mut reader = Reader { scope, repositories: BTreeMap::new(), roots: HashMap::new(), news: News::default() };
    let full: Vec<Option<PathBuf>> = migrations.iter().map(|migration| Reader::full(&migration.path)).collect();
    if full.iter().all(Option::is_none) {
        // A wrong reference must not pass for everything new.
        Repository::around(Path::new("."))?.changes(scope)?;
        return Ok(Vec::new());
    }
    let mut differences = Vec::new();
    for (index, (migration, full)) in migrations.iter_mut().zip(full).enumerate() {
        migration.age = Age::Old;
        let Some(full) = full else { continue };
        let changes = reader.changes(&full)?;
        match changes.files.iter().rev().find(|change| change.path == full).map(|change| &change.kind) {
            Some(FileChangeKind::Added) => migration.age = Age::New,
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
    let mut reader = Reader { scope, repositories: BTreeMap::new(), roots: HashMap::new(), news: News::default() };
    let mut new = Vec::new();
    for left in left_out.iter().filter(|left| matches!(left.why, Why::Code(..) | Why::Unread(..))) {
        let Some(full) = Reader::full(&left.path) else { continue };
        let changes = reader.changes(&full)?;
        if changes.files.iter().any(|change| change.path == full && change.kind != FileChangeKind::Deleted) {
            new.push(left.clone());
        }
    }
    Ok(not_read(&new))
}

struct Reader<'a> {
    scope: &'a Scope,
    /// What is new in each repository, by its root.
    repositories: BTreeMap<PathBuf, Changes>,
    /// The root of the repository around a folder.
    roots: HashMap<PathBuf, PathBuf>,
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
    fn changes(&mut self, path: &Path) -> Result<&Changes, GitError> {
        let folder = path.parent().unwrap_or(path).to_owned();
        let root = match self.roots.get(&folder) {
            Some(root) => root.clone(),
            None => {
                let repository = Repository::around(&folder)?;
                let root = repository.root().to_owned();
                if !self.repositories.contains_key(&root) {
                    self.repositories.insert(root.clone(), repository.changes(self.scope)?);
                }
                self.roots.insert(folder, root.clone());
                root
            }
        };
        self.repositories.get(&root).ok_or(GitError::NoRepository { path: path.to_owned() })
    }

    /// With the whole path, free of links; `None` for what has no path (standard input, a command).
    fn full(path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }

    /// What will not be in the commit: ignored files, and what is not staged where only that counts.
    fn leave_out(&mut self, migrations: &mut Vec<Migration>) -> Result<(), GitError> {
        let mut kept = Vec::with_capacity(migrations.len());
        for migration in migrations.drain(..) {
            let Some(full) = Reader::full(&migration.path) else {
                kept.push(migration);
                continue;
            };
            let changes = self.changes(&full)?;
            if changes.ignored.iter().any(|ignored| full.starts_with(ignored)) {
                self.note(&migration.path, "is ignored by git: it is left out".to_owned());
                continue;
            }
            match changes.unstaged.iter().find(|change| change.path == full).map(|change| &change.kind) {
                Some(FileChangeKind::Added) => {
                    self.note(&migration.path, "is not staged: it is left out".to_owned());
                }
                Some(_) => {
                    let staged = changes.staged(&full)?;
                    if let Ok(text) = decode(&migration.path, staged) {
                        self.news.staged.insert(full, text.text.into());
                    }
                    kept.push(migration);
                }
                None => kept.push(migration),
            }
        }
        *migrations = kept;
        Ok(())
    }

    /// `parts` are the places of the file's migrations in the list.
    fn mark_file(&mut self, migrations: &mut [Migration], parts: &[usize], sources: &Sources) -> Result<(), GitError> {
        let Some(first) = parts.first().map(|index| &migrations[*index]) else { return Ok(()) };
        let Some(full) = Reader::full(&first.path) else { return Ok(()) };
        let framework = first.framework;
        if framework.is_base() {
            return Ok(());
        }
        match self.known(&full, framework)? {
            Known::New => {}
            Known::Same => parts.iter().for_each(|index| migrations[*index].age = Age::Old),
            Known::Changed { from, before } => {
                let text = sources.file(first.file).original().to_owned();
                let renamed = renamed_from(framework, &from, &full);
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

    fn known(&mut self, full: &Path, framework: Framework) -> Result<Known, GitError> {
        let changes = self.changes(full)?;
        let found = changes.files.iter().rev().find(|change| change.path == *full);
        let from = match found.map(|change| &change.kind) {
            None | Some(FileChangeKind::Deleted) => return Ok(Known::Same),
            Some(FileChangeKind::Added) if framework == Framework::Sqitch => return kept_by_rework(changes, full),
            Some(FileChangeKind::Added) => return Ok(Known::New),
            Some(FileChangeKind::Changed) if is_reworked(changes, full, framework) => return Ok(Known::New),
            Some(FileChangeKind::Changed) => full.to_owned(),
            Some(FileChangeKind::Renamed { from }) => from.clone(),
        };
        let before = changes.before(&from)?;
        Ok(match decode(&from, before) {
            Ok(text) => Known::Changed { from, before: text.text },
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

    /// A migration that is gone stays applied where it ran, and most tools say so.
    fn note_deleted(&mut self, migrations: &[Migration]) {
        let folders: Vec<(PathBuf, &Path)> = migrations
            .iter()
            .filter_map(|migration| Some((Reader::full(migration.path.parent()?)?, migration.path.parent()?)))
            .collect();
        let mut notes = Vec::new();
        for change in self.repositories.values().flat_map(|changes| &changes.files) {
            let is_sql = change.path.extension().is_some_and(|extension| extension == "sql");
            let folder = folders.iter().find(|(full, _)| change.path.parent() == Some(full.as_path()));
            if let (FileChangeKind::Deleted, true, Some((_, shown)), Some(name)) =
                (&change.kind, is_sql, folder, change.path.file_name())
            {
                notes.push(shown.join(name));
            }
        }
        for path in notes {
            self.note(&path, "was deleted: it stays applied where it ran, and is missing in the history".to_owned());
        }
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
            let start = migration.sections.first().map_or(0, |section| source.original_range(section.span).start);
            let before = source.original().get(..start).unwrap_or_default().trim_end();
            let marker = before.lines().next_back().unwrap_or_default().to_ascii_lowercase();
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
        let entry = Entry { name: migration.name.clone(), file, direction: Some(migration.direction) };
        let folder = Folder::empty(migration.path.parent().unwrap_or(Path::new("")));
        let split = tool(migration.framework).split(&Input { entry: &entry, text, folder: &folder });
        let mut seen = HashMap::new();
        let mut parts = HashMap::new();
        for unit in split.units {
            let text = unit.masked.as_deref().or(split.masked.as_deref()).unwrap_or(text);
            let source = SourceFile::new("", text);
            let statements = unit.parts.iter().flat_map(|part| statements(&source, part.range.clone())).collect();
            let named = unit.name.filter(|_| migration.framework == Framework::Liquibase);
            let is_down = unit.direction == Direction::Down;
            let number = seen.entry((named.clone(), is_down)).or_insert(0);
            *number += 1;
            parts.insert((named, is_down, *number), statements);
        }
        Parts { text: text.replace("\r\n", "\n"), parts }
    }
}

fn statements(source: &SourceFile, range: std::ops::Range<usize>) -> Vec<String> {
    let script = read_section(source, Span::new(FileId(0), range.start, range.end));
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
        .flat_map(|section| read_section(source, section.span).statements)
        .map(|statement| statement.span)
        .collect();
    let whole = sections.map(|section| section.span).next().unwrap_or(Span::new(migration.file, 0, 0));
    let empty = Span { end: whole.start, ..whole };
    spans.get(place).or(spans.last()).copied().unwrap_or(empty)
}
