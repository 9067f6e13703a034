//! Pieces to files: numbers in the order in which the tool runs them, and the text of each file.
//!
//! What ran before keeps its name and its text. New migrations after one that is taken apart move up where their numbers are taken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::code::{self, CodeTool};
use super::journal::{add_sums, add_to_journal};
use super::limit::with_limit;
use super::number::Number;
use super::original::Original;
use super::place::Place;
use super::plan_file::Waiting;
use super::text::{Down, in_one_file, texts};
use super::{Piece, Rewritten, Ways, Written, liquibase, sqitch};
use crate::check::Job;
use crate::migration::{Direction, Framework, Migration};
use crate::source::Sources;

/// The texts of the files in a folder of migrations, by their paths as the migrations have them.
pub type Folder = BTreeMap<PathBuf, String>;

/// A file that is written, changed or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: PathBuf,
    /// `None` where it is new.
    pub old: Option<String>,
    /// `None` where it is taken away.
    pub new: Option<String>,
}

/// What one folder's migrations become. The error says why they cannot be written.
pub(super) struct Writer<'a> {
    pub job: &'a Job,
    pub sources: &'a Sources,
    pub folder: &'a Folder,
    pub(super) changes: BTreeMap<PathBuf, Option<String>>,
    /// Texts that only got a limit, and may yet move.
    pub(super) limited: BTreeMap<PathBuf, String>,
    pub(super) paths: Vec<PathBuf>,
    pub(super) waiting: Vec<Waiting>,
    /// Migrations by whose name others may say that they depend on them, and the name that those have to say now.
    pub(super) renamed: BTreeMap<String, String>,
}

/// Writes the migrations of one folder; what has to wait comes back beside the files.
pub fn write(
    job: &Job,
    sources: &Sources,
    rewritten: &[&Rewritten],
    folder: &Folder,
) -> Result<(Written, Vec<Waiting>), String> {
    let Some(first) = rewritten.first().and_then(|it| job.migrations.get(it.migration)) else {
        return Ok((Written { changes: Vec::new(), paths: Vec::new() }, Vec::new()));
    };
    let mut writer = Writer {
        job,
        sources,
        folder,
        changes: BTreeMap::new(),
        limited: BTreeMap::new(),
        paths: Vec::new(),
        waiting: Vec::new(),
        renamed: BTreeMap::new(),
    };
    if first.framework == Framework::Liquibase {
        writer.changesets(rewritten)?;
    } else {
        writer.numbered(first, rewritten)?;
    }
    writer.sums(first);
    writer.journal(first, rewritten)?;
    let Writer { changes, paths, waiting, .. } = writer;
    Ok((Written { changes: changed(changes, folder), paths }, waiting))
}

/// Only what differs.
pub(super) fn changed(changes: BTreeMap<PathBuf, Option<String>>, folder: &Folder) -> Vec<FileChange> {
    let change = |(path, new): (PathBuf, Option<String>)| {
        let old = folder.get(&path).cloned();
        (old != new).then_some(FileChange { path, old, new })
    };
    changes.into_iter().filter_map(change).collect()
}

impl Writer<'_> {
    /// In the order in which they run: those of the folder, that go forward.
    fn history(&self, of: &Migration) -> Vec<usize> {
        let all = self.job.migrations.iter().enumerate();
        all.filter(|(_, it)| it.folder == of.folder && it.framework == of.framework && it.direction == Direction::Up)
            .map(|(at, _)| at)
            .collect()
    }

    fn numbered(&mut self, first: &Migration, rewritten: &[&Rewritten]) -> Result<(), String> {
        let mut taken: Option<Number> = None;
        for at in self.history(first) {
            let Some(migration) = self.job.migrations.get(at) else { continue };
            let own = rewritten.iter().find(|it| it.migration == at);
            match own {
                Some(own) if CodeTool::of(migration).is_some() => self.in_code(migration, own)?,
                Some(Rewritten { limit: Some(limit), .. }) => {
                    let text = with_limit(self.sources, migration, limit);
                    self.limited.insert(migration.path.clone(), text);
                    self.place(migration, None, &mut taken)?;
                    if let Some(text) = self.limited.remove(&migration.path) {
                        self.changes.insert(migration.path.clone(), Some(text));
                        self.paths.push(migration.path.clone());
                    }
                }
                Some(own) if Ways::of(migration).in_file => self.in_place(migration, own)?,
                _ => self.place(migration, own.copied(), &mut taken)?,
            }
        }
        Ok(())
    }

    /// Code, in the file that it is.
    fn in_code(&mut self, migration: &Migration, own: &Rewritten) -> Result<(), String> {
        let shown = migration.path.display();
        let Some(tool) = CodeTool::of(migration) else { return Ok(()) };
        if own.limit.is_some() {
            return Err(format!("{shown}: set lock_timeout where the tool connects"));
        }
        let text = self.folder.get(&migration.path).ok_or_else(|| format!("{shown}: its file was not found"))?;
        let (text, back) = match own.later.is_empty() {
            true => (text.clone(), String::new()),
            false => code::without_back(tool, text),
        };
        let new = code::written(tool, &text, &own.pieces).map_err(|why| format!("{shown}: {why}"))?;
        self.wait(migration, own, &Down { text: back, alone: false });
        self.changes.insert(migration.path.clone(), Some(new));
        self.paths.push(migration.path.clone());
        Ok(())
    }

    /// All in the file that it is.
    fn in_place(&mut self, migration: &Migration, own: &Rewritten) -> Result<(), String> {
        let source = self.sources.file(migration.file);
        let sections = || migration.sections.iter().map(|section| source.original_range(section.span));
        let start = sections().map(|range| range.start).min().unwrap_or_default();
        let end = sections().map(|range| range.end).max().unwrap_or_default();
        let text = source.original();
        let around = [text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default()];
        let is_whole = around.iter().all(|text| text.trim().is_empty());
        if !is_whole && migration.sections.len() > 1 && migration.framework != Framework::Rambler {
            return Err(format!("{}: its way there is in several parts", migration.path.display()));
        }
        let [before, after] = around;
        let is_listed = super::is_listed(migration);
        let new = match is_whole {
            _ if own.pieces.is_empty() && is_listed => Some(sqitch::WAITS.to_owned()),
            _ if own.pieces.is_empty() => None,
            true => Some(in_one_file(migration.framework, &own.pieces)),
            false => Some(format!(
                "{before}{}\n{}",
                in_one_file(migration.framework, &own.pieces),
                after.trim_start_matches('\n')
            )),
        };
        self.changes.insert(migration.path.clone(), new);
        if !own.pieces.is_empty() || is_listed {
            self.paths.push(migration.path.clone());
        }
        let change = sqitch::Change::of(&migration.path).filter(|_| migration.framework == Framework::Sqitch);
        let Some(change) = change.filter(|_| !own.later.is_empty()) else {
            self.wait(migration, own, &Down::default());
            return Ok(());
        };
        let (changes, down, verify) = sqitch::halves(&change, &own.pieces, self.folder);
        self.changes.extend(changes);
        self.wait(migration, own, &down);
        if let Some(waiting) = self.waiting.last_mut() {
            waiting.verify = verify;
        }
        Ok(())
    }

    /// The pieces of one migration; the last number that they take.
    pub(super) fn pieces(
        &mut self,
        migration: &Migration,
        own: &Rewritten,
        place: &Place,
        number: Number,
    ) -> Result<Option<Number>, String> {
        let framework = migration.framework;
        let text = self.sources.file(migration.file).original();
        let original = Original::of(migration, text);
        let back = self.way_back(migration, place, &original);
        for path in [Some(place.up()), place.down(framework), place.settings(framework)].into_iter().flatten() {
            if self.folder.contains_key(&path) {
                self.changes.insert(path, None);
            }
        }
        self.wait(migration, own, &back);
        let mut number = Some(number);
        let mut last = None;
        // What the tool's list names has to be there.
        let nothing = [Piece {
            statements: vec![sqitch::WAITS.trim_end_matches([';', '\n']).to_owned()],
            alone: false,
            together: true,
            down: Vec::new(),
        }];
        let pieces = match own.pieces.as_slice() {
            [] if super::is_listed(migration) => nothing.as_slice(),
            pieces => pieces,
        };
        let mut before: Option<String> = None;
        for (at, piece) in pieces.iter().enumerate() {
            let Some(here) = number.take() else {
                return Err(format!("{}: there is no number left after it", migration.path.display()));
            };
            let more = if at == 0 { String::new() } else { format!("_{}", at + 1) };
            let named = place.with(here.clone(), &more);
            let is_last = at + 1 == pieces.len() && own.later.is_empty();
            let down = if is_last { back.clone() } else { Down::of(piece) };
            let goes_back = !back.is_empty() || self.has_way_back(place, framework);
            let down = if goes_back { or_filler(framework, down) } else { down };
            let head = match (framework, &before) {
                (Framework::Yoyo, Some(before)) => format!("-- depends: {before}\n"),
                (Framework::Yoyo, None) => original.head.split_inclusive('\n').map(|line| self.depends(line)).collect(),
                (_, None) => original.head.clone(),
                (_, Some(_)) => String::new(),
            };
            let around = Around { head: &head, down: &down, goes_back, crlf: original.crlf };
            self.file(framework, &named, piece, around);
            before = Some(named.stem());
            number = if at == 0 { here.below().or_else(|| here.next()) } else { here.next() };
            last = Some(here);
        }
        if let Some(name) = before.filter(|name| framework == Framework::Yoyo && *name != place.stem()) {
            self.rename(&place.stem(), &name)?;
        }
        Ok(last)
    }

    fn file(&mut self, framework: Framework, place: &Place, piece: &Piece, around: Around) {
        let Around { head, down, goes_back, crlf } = around;
        let texts = texts(framework, piece, head, down);
        self.changes.insert(place.up(), Some(with_line_ends(&texts.up, crlf)));
        if let Some(path) = place.down(framework).filter(|_| goes_back) {
            self.changes.insert(path, Some(with_line_ends(&or_nothing(texts.down), crlf)));
        }
        if let (Some(path), Some(settings)) = (place.settings(framework), texts.settings) {
            self.changes.insert(path, Some(settings));
        }
        self.paths.push(place.up());
    }

    fn has_way_back(&self, place: &Place, framework: Framework) -> bool {
        place.down(framework).is_some_and(|path| self.folder.contains_key(&path))
    }

    /// What takes the whole migration back, as it is written.
    fn way_back(&self, migration: &Migration, place: &Place, original: &Original) -> Down {
        let apart = place.down(migration.framework).and_then(|path| self.folder.get(&path));
        match (&original.down, apart) {
            (Some(down), _) => Down { text: format!("{}\n", down.trim_matches('\n')), alone: original.down_alone },
            (None, Some(text)) => {
                // A byte order mark would be in the middle of what is written.
                let text = text.trim_start_matches('\u{feff}');
                let alone = migration.framework == Framework::Sqlx && text.starts_with("-- no-transaction");
                let text = if alone { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
                Down { text: text.to_owned(), alone }
            }
            (None, None) => Down::default(),
        }
    }

    fn wait(&mut self, migration: &Migration, own: &Rewritten, back: &Down) {
        if own.later.is_empty() {
            return;
        }
        self.waiting.push(Waiting {
            migration: migration.path.clone(),
            tool: migration.framework.name().to_owned(),
            next: 2,
            deploys: own.later.clone(),
            down: back.text.clone(),
            down_alone: back.alone,
            verify: String::new(),
            header: String::new(),
        });
    }

    /// Changesets are replaced where they stand, the last of a file first, so that the places of the others hold.
    fn changesets(&mut self, rewritten: &[&Rewritten]) -> Result<(), String> {
        let mut all: Vec<(&Migration, &Rewritten)> =
            rewritten.iter().filter_map(|own| Some((self.job.migrations.get(own.migration)?, *own))).collect();
        all.sort_by_key(|(migration, _)| std::cmp::Reverse(migration.sections.first().map(|it| it.span.start)));
        for (migration, own) in all {
            let Some(section) = migration.sections.first() else { continue };
            let source = self.sources.file(migration.file);
            let at = source.original_range(section.span).start;
            let text = match self.changes.get(&migration.path) {
                Some(Some(text)) => text.clone(),
                _ => source.original().to_owned(),
            };
            let missing = || format!("{}: its changeset was not found", migration.path.display());
            let (header, back) = liquibase::found(&text, at).ok_or_else(missing)?;
            let new = liquibase::replace(&text, at, &own.pieces, own.later.is_empty()).ok_or_else(missing)?;
            self.wait(migration, own, &Down { text: back, alone: false });
            if let Some(waiting) = self.waiting.last_mut().filter(|_| !own.later.is_empty()) {
                waiting.header = header;
            }
            self.changes.insert(migration.path.clone(), Some(new));
            if !self.paths.contains(&migration.path) {
                self.paths.push(migration.path.clone());
            }
        }
        Ok(())
    }

    /// Drizzle runs what its journal names: the pieces of its last migration come after it. Others would have to be put in between, where
    /// the times of the journal have no room.
    fn journal(&mut self, first: &Migration, rewritten: &[&Rewritten]) -> Result<(), String> {
        if first.framework != Framework::Drizzle {
            return Ok(());
        }
        let known = |path: &PathBuf| self.job.migrations.iter().any(|it| it.path == *path);
        let new: Vec<PathBuf> = self.paths.iter().filter(|path| !known(path)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let last = self.history(first).pop();
        let wide = rewritten.iter().find(|own| own.pieces.len() > 1);
        if let Some(migration) =
            wide.filter(|own| Some(own.migration) != last).and_then(|own| self.job.migrations.get(own.migration))
        {
            return Err(format!(
                "{}: its deploys go out one by one, each after the migrations that are there: ask for the next one",
                migration.path.display()
            ));
        }
        let around = first.path.parent().unwrap_or(Path::new(""));
        add_to_journal(around, &new, self.folder, &mut self.changes)
    }

    fn sums(&mut self, first: &Migration) {
        add_sums(first.framework, first.path.parent().unwrap_or(Path::new("")), self.folder, &mut self.changes);
    }
}

/// What a piece's file holds besides its statements.
struct Around<'a> {
    head: &'a str,
    down: &'a Down,
    /// Its tool keeps a way back, and the original has one.
    goes_back: bool,
    crlf: bool,
}

/// Tools that take a file without its second half for one that cannot be taken back.
pub(super) fn or_filler(framework: Framework, down: Down) -> Down {
    let is_one = matches!(framework, Framework::Tern | Framework::NodePgMigrate | Framework::Mybatis);
    if is_one && down.is_empty() { Down { text: or_nothing(down.text), ..down } } else { down }
}

/// Every line ended as the original's lines are.
fn with_line_ends(text: &str, crlf: bool) -> String {
    let text = text.replace("\r\n", "\n");
    if crlf { text.replace('\n', "\r\n") } else { text }
}

/// Some tools refuse an empty file.
pub(super) fn or_nothing(down: String) -> String {
    if down.trim().is_empty() { "-- Nothing to take back here.\nSELECT 1;\n".to_owned() } else { down }
}
