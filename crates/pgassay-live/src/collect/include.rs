//! The files that psql's `\i` and `\ir` include.
//!
//! In: a migration's file that psql runs. Out: the files that its commands name, and those that they include in turn. A file outside of
//! the repository is not opened: what it holds is nobody's business. What is not there, or not to be read, stays an unreadable statement.

use std::path::{Path, PathBuf};

use super::collector::Collector;
use super::read::{decode, read};
use super::repository;
use super::tools::Tool;
use super::variables::{Style, substitutions};
use super::{Framework, Migration, Section};
use crate::migration::Included;
use crate::source::{FileId, SourceFile, Span};
use crate::sql::{Include, includes};

/// How many files one migration includes, and how deep.
const MOST: usize = 1000;
const DEEPEST: usize = 16;

impl Collector<'_> {
    /// What the sections of a file include.
    pub(super) fn included(&mut self, tool: &dyn Tool, path: &Path, sections: &[Section]) -> Vec<Included> {
        let mut found = Vec::new();
        if tool.framework().uses_psql() {
            let mut around = vec![path.to_owned()];
            for section in sections {
                self.include(section.span, &mut around, &mut found);
            }
        }
        found
    }

    fn include(&mut self, part: Span, around: &mut Vec<PathBuf>, found: &mut Vec<Included>) {
        for include in includes(self.sources.file(part.file), part) {
            if around.len() > DEEPEST || found.len() >= MOST {
                return;
            }
            let Some(path) = around.last().cloned() else { return };
            let Some((target, file)) = self.included_file(&path, &include) else { continue };
            if around.contains(&target) {
                self.note(&path, format!("includes itself by {}", include.path));
                continue;
            }
            if let Ok(full) = target.canonicalize() {
                self.included_paths.insert(full);
            }
            found.push(Included { command: include.command, file });
            let whole = Span::new(file, 0, self.sources.file(file).text.len());
            around.push(target);
            self.include(whole, around, found);
            around.pop();
        }
    }

    fn included_file(&mut self, from: &Path, include: &Include) -> Option<(PathBuf, FileId)> {
        let beside = from.parent().unwrap_or(Path::new(""));
        let named = Path::new(&include.path);
        let target = match include.from_here {
            true => Some(beside.join(named)),
            // psql's own folder: most run it at the top of the project.
            false => {
                let history = self.history.clone().unwrap_or_else(|| beside.to_owned());
                let folders = std::iter::once(Path::new("")).chain(history.ancestors()).chain([beside]);
                folders.map(|folder| folder.join(named)).find(|target| target.is_file())
            }
        };
        let Some(target) = target.filter(|target| target.is_file()) else {
            self.note(from, format!("psql stops: the file {} that it includes is not there", include.path));
            return None;
        };
        if !is_at_home(from, &target) {
            self.note(from, format!("{} is outside of the repository, and is not read", include.path));
            return None;
        }
        let unsaved = target.canonicalize().ok().and_then(|full| self.options.contents.get(&full));
        let read = match unsaved {
            Some(text) => decode(&target, text.as_bytes().to_vec()),
            None => read(&target),
        };
        let text = match read {
            Ok(text) => text.text,
            Err(error) => {
                self.collected.errors.push(error);
                return None;
            }
        };
        let found = substitutions(&text, 0..text.len(), Style::Psql, &self.options.variables);
        let source = SourceFile::substituted(target.to_string_lossy(), text, &found);
        Some((target, self.sources.add(source)))
    }

    /// Takes out the plain files that others include: they do not run by themselves as well.
    pub(super) fn leave_out_included(&mut self) {
        if self.included_paths.is_empty() {
            return;
        }
        let included = &self.included_paths;
        let is_included = |path: &Path| path.canonicalize().is_ok_and(|full| included.contains(&full));
        let runs_alone =
            |migration: &Migration| migration.framework != Framework::Plain || !is_included(&migration.path);
        self.collected.migrations.retain(runs_alone);
        self.collected.left_out.retain(|left| !is_included(&left.path));
    }
}

/// Whether a file is in the repository of another, or, where there is none, below the folder that pgassay runs in or that file's own.
fn is_at_home(from: &Path, target: &Path) -> bool {
    let full = |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.canonicalize();
    let Ok(target) = full(target) else { return false };
    let below = |folder: &Path| full(folder).is_ok_and(|folder| target.starts_with(folder));
    match repository::root(from) {
        Some(root) => below(&root),
        None => below(Path::new("")) || below(from.parent().unwrap_or(Path::new(""))),
    }
}
