//! Old migrations whose included files are new or changed: what psql's `\i` reads is a part of what ran.
//!
//! In: migrations with their ages, and what git says of the files that they include. Out: a [`Difference`] at the command that includes
//! such a file, and the staged text of files that are not on the disk as they are staged.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::changed::{Files, News, statements};
use super::read::decode;
use super::{Age, Difference, DifferenceKind, Migration, Note};
use crate::git::{FileChangeKind, GitError, Place, Scope, Side};
use crate::migration::Included;
use crate::source::{SourceFile, Sources, Span};

/// Sets the age of old migrations that include what is new, unless a new migration includes the same file: by that one it reaches every
/// database.
pub(super) fn mark(
    migrations: &mut [Migration],
    sources: &Sources,
    scope: &Scope,
    news: &mut News,
) -> Result<(), GitError> {
    let full = |included: &Included| Path::new(&sources.file(included.file).name).canonicalize().ok();
    let of = |migration: &Migration| migration.included.iter().filter_map(full).collect::<Vec<_>>();
    let all: HashSet<PathBuf> = migrations.iter().flat_map(of).collect();
    if all.is_empty() {
        return Ok(());
    }
    let mut files = Files::of(scope, all.iter())?;
    if *scope == Scope::Staged {
        for path in &all {
            stage(path, &mut files, sources, news)?;
        }
    }
    let by_new: HashSet<PathBuf> = migrations.iter().filter(|it| it.age == Age::New).flat_map(of).collect();
    for (index, migration) in migrations.iter_mut().enumerate().filter(|(_, migration)| migration.age == Age::Old) {
        for included in &migration.included {
            let Some(path) = full(included).filter(|path| !by_new.contains(path)) else { continue };
            let now = sources.file(included.file).original();
            if differs(&path, now, &files)? {
                migration.age = Age::Changed;
                let kind = DifferenceKind::Content;
                news.differences.push(Difference { migration: index, span: own_command(migration, included), kind });
                break;
            }
        }
    }
    Ok(())
}

/// The command in the migration's own file that leads to an included one.
fn own_command(migration: &Migration, included: &Included) -> Span {
    let mut command = included.command;
    // No file includes itself, so this ends.
    while command.file != migration.file {
        let Some(around) = migration.included.iter().find(|around| around.file == command.file) else { break };
        command = around.command;
    }
    command
}

/// Whether the statements of a file are not those that it had.
fn differs(path: &Path, now: &str, files: &Files) -> Result<bool, GitError> {
    let Some((changes, kind)) = files.of_file(path) else { return Ok(false) };
    let before = match kind {
        FileChangeKind::Added => return Ok(true),
        FileChangeKind::Deleted => return Ok(false),
        FileChangeKind::Changed => path.to_owned(),
        FileChangeKind::Renamed { from } => from.clone(),
    };
    let before = decode(&before, changes.before(&before)?).map(|read| read.text).unwrap_or_default();
    let all = |text: &str| {
        let source = SourceFile::new("", text);
        statements(&source, 0..source.text.len())
    };
    Ok(all(&before) != all(now))
}

/// Takes the staged text of a file, where it is another one than that of the disk.
fn stage(path: &Path, files: &mut Files, sources: &Sources, news: &mut News) -> Result<(), GitError> {
    let Some(changes) = files.around_mut(path).filter(|changes| changes.is_unstaged(path)) else { return Ok(()) };
    let from_root = path.strip_prefix(changes.root()).unwrap_or(path).to_owned();
    match changes.resolve(Side::Index, &from_root)? {
        Place::File { id, .. } => {
            let staged = decode(path, changes.content(&id)?).map(|read| read.text).unwrap_or_default();
            let is_read = sources.iter().any(|(_, file)| {
                Path::new(&file.name).canonicalize().is_ok_and(|full| full == path) && file.original() == staged
            });
            if !is_read {
                news.staged.insert(path.to_owned(), staged.into());
            }
        }
        Place::Nowhere | Place::Beyond { .. } => {
            let message = "is included, and is not staged".to_owned();
            news.notes.push(Note { path: path.to_owned(), span: None, message });
        }
    }
    Ok(())
}
