//! One history, replayed once and kept at places from which it goes on: judging a migration again costs what that migration costs.
//!
//! In: the migrations of a folder, and those that take the place of some. Out: a [`Replayer`] that stands before any of them, and which
//! statements touched which relation.

use std::collections::BTreeMap;
use std::ops::Range;

use pgassay::check::{Beginning, Job, begin};
use pgassay::history::{History, MigrationRun, Replayer, read};
use pgassay::migration::Migration;
use pgassay::schema::{ColumnId, Relation, RelationId, Schema};
use pgassay::source::{Sources, Span};

/// A place is kept every so many migrations, and wherever one was asked for.
const STRIDE: usize = 32;

/// Whether a history makes everything that exists is decided again where one of so many first migrations changes. What is typed in a later one
/// hardly decides it, and deciding reads them all; when the project is read again it is decided anew.
const FIRST: usize = 32;

/// Migrations that are read at once.
const LOT: usize = 128;

/// A statement that made, changed or dropped something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    pub relation: RelationId,
    /// `None`: the relation itself.
    pub column: Option<ColumnId>,
    pub statement: Span,
}

pub struct Track {
    pub history: History,
    looked_at: usize,
    /// Before the migration of each number.
    kept: BTreeMap<usize, Replayer>,
    /// By migration; none for those from a change on.
    touches: Vec<Vec<Touch>>,
}

impl Track {
    pub fn new(history: History) -> Track {
        Track { history, looked_at: 0, kept: BTreeMap::new(), touches: Vec::new() }
    }

    /// Puts other migrations in the place of some: all that was known from there on is forgotten.
    pub fn replace(&mut self, range: Range<usize>, migrations: Vec<Migration>) {
        let from = range.start;
        self.history.migrations.splice(range, migrations);
        self.touches.truncate(from);
        self.kept.split_off(&(from + 1));
        if from < self.looked_at.min(FIRST) {
            self.kept.clear();
            self.touches.clear();
        }
    }

    /// As it is when all migrations before one have run.
    pub fn before(&mut self, index: usize, job: &Job, sources: &Sources) -> Replayer {
        if self.kept.is_empty() {
            let Beginning { replayer, looked_at } = begin(job, &self.history, sources);
            self.looked_at = looked_at;
            self.kept.insert(0, replayer);
        }
        let index = index.min(self.history.migrations.len());
        let nearest = self.kept.range(..=index).next_back().map(|(at, replayer)| (*at, replayer.clone()));
        let Some((mut at, mut replayer)) = nearest else { return Replayer::new(Schema::new(false), options(job)) };
        while at < index {
            let lot = at..index.min(at + LOT);
            for unit in read(&self.history.migrations[lot.clone()], sources, false) {
                let run = replayer.run(&unit);
                if self.touches.len() == at {
                    self.touches.push(touches(&run));
                }
                at += 1;
                if at.is_multiple_of(STRIDE) {
                    self.kept.insert(at, replayer.clone());
                }
            }
        }
        self.kept.insert(index, replayer.clone());
        replayer
    }

    /// Replays some more migrations, so that a later question finds them replayed; false where all are.
    pub fn advance(&mut self, job: &Job, sources: &Sources) -> bool {
        let known = self.kept.keys().next_back().copied().unwrap_or(0);
        let all = self.history.migrations.len();
        if known < all {
            self.before((known + LOT).min(all), job, sources);
        }
        known < all
    }

    /// As it is after all migrations.
    pub fn end(&mut self, job: &Job, sources: &Sources) -> Replayer {
        self.before(self.history.migrations.len(), job, sources)
    }

    /// The statements that made, changed or dropped a relation, or one of its columns; in order.
    pub fn touches(
        &mut self,
        relation: RelationId,
        column: Option<ColumnId>,
        job: &Job,
        sources: &Sources,
    ) -> Vec<Span> {
        let known = self.touches.len();
        if known < self.history.migrations.len() {
            // From a place at or before the first that is not known, so that each is run.
            self.kept.retain(|at, _| *at <= known);
            self.end(job, sources);
        }
        let wanted = |touch: &&Touch| {
            touch.relation == relation && (column.is_none() || touch.column == column || touch.column.is_none())
        };
        let mut places: Vec<Span> = self.touches.iter().flatten().filter(wanted).map(|touch| touch.statement).collect();
        places.dedup();
        places
    }
}

fn options(job: &Job) -> pgassay::history::Options {
    pgassay::history::Options { version: job.version, one_deploy: false, older_steps: true }
}

fn touches(run: &MigrationRun) -> Vec<Touch> {
    let mut found = Vec::new();
    for (at, step) in run.steps.iter().enumerate() {
        let after = run.steps.get(at + 1).map_or(&run.after, |next| &next.schema);
        touched(&step.schema, after, step.span(), &mut found);
    }
    found
}

fn touched(before: &Schema, after: &Schema, statement: Span, found: &mut Vec<Touch>) {
    use imbl::ordmap::DiffItem;
    for item in before.relations.diff(&after.relations) {
        let mut touch = |relation, column| found.push(Touch { relation, column, statement });
        match item {
            DiffItem::Add(id, relation) | DiffItem::Remove(id, relation) => {
                touch(*id, None);
                if let Some(index) = relation.as_index() {
                    touch(index.table, None);
                }
            }
            DiffItem::Update { old: (id, old), new: (_, new) } => match changed_columns(old, new).as_slice() {
                [] => touch(*id, None),
                columns => columns.iter().for_each(|column| touch(*id, Some(*column))),
            },
        }
    }
}

fn changed_columns(old: &Relation, new: &Relation) -> Vec<ColumnId> {
    let gone = old.columns.iter().filter(|column| new.column_by_id(column.id).is_none());
    let differs = |column: &&pgassay::schema::Column| old.column_by_id(column.id) != Some(*column);
    gone.chain(new.columns.iter().filter(differs)).map(|column| column.id).collect()
}
