//! The migrations of a history as statements, some at a time: what is judged is let go, and the next are read meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::finding::Finding;
use crate::history::{Decision, Unit, read};
use crate::migration::Migration;
use crate::rules::{Suppressions, read_suppressions};
use crate::schema::Schema;
use crate::source::{FileId, Sources};
use crate::version::PgVersion;

/// Bytes of SQL that are read at once. Statements take some forty times the room of their text.
const LOT: usize = 64 * 1024;

pub(super) struct Lots<'a> {
    /// What is not read yet.
    rest: &'a [Migration],
    sources: &'a Sources,
    /// Read ahead of their turn, to see what the history is.
    ahead: VecDeque<Vec<Unit>>,
    /// The files whose allow comments are wanted, with those that were read.
    allowed: BTreeMap<FileId, Suppressions>,
}

impl<'a> Lots<'a> {
    /// The migrations that are not old will be judged. Allow comments are wanted of their files, and of those of `around`.
    pub fn new(migrations: &'a [Migration], around: &[Finding], sources: &'a Sources) -> Lots<'a> {
        let judged = migrations.iter().filter(|migration| migration.is_judged()).map(|migration| migration.file);
        let wanted: BTreeSet<FileId> = judged.chain(around.iter().map(|finding| finding.span.file)).collect();
        let allowed = wanted.into_iter().map(|file| (file, Suppressions::default())).collect();
        Lots { rest: migrations, sources, ahead: VecDeque::new(), allowed }
    }

    /// Whether the history starts from nothing: as much of it is read as that takes.
    pub fn decide_completeness(&mut self, base: &Schema, version: PgVersion) -> bool {
        let mut decision = Decision::new(base, version);
        while let Some(units) = self.read() {
            let decided = decision.see(&units);
            self.ahead.push_back(units);
            if let Some(complete) = decided {
                return complete;
            }
        }
        decision.end()
    }

    /// How many migrations were read ahead of their turn.
    pub fn ahead(&self) -> usize {
        self.ahead.iter().map(Vec::len).sum()
    }

    /// The next migrations; none at the end.
    pub fn next(&mut self) -> Option<Vec<Unit>> {
        self.ahead.pop_front().or_else(|| self.read())
    }

    /// The allow comments of everything that was handed out.
    pub fn suppressions(self) -> BTreeMap<FileId, Suppressions> {
        self.allowed
    }

    fn read(&mut self) -> Option<Vec<Unit>> {
        let bytes = |migration: &Migration| -> usize {
            migration.sections.iter().map(|section| (section.span.end - section.span.start) as usize).sum()
        };
        let mut room = LOT;
        let fits = |migration: &&Migration| {
            let fits = room > 0;
            room = room.saturating_sub(bytes(migration));
            fits
        };
        let (lot, rest) = self.rest.split_at(self.rest.iter().take_while(fits).count());
        self.rest = rest;
        if lot.is_empty() {
            return None;
        }
        let units = read(lot, self.sources, true);
        for unit in &units {
            let file = unit.migration.file;
            if let Some(suppressions) = self.allowed.get_mut(&file) {
                suppressions.extend(read_suppressions(self.sources, &unit.scripts));
            }
        }
        Some(units)
    }
}
