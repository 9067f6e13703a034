//! What takes a statement's place where a check has no steps for it, because they are those of a whole migration: rows that are changed in
//! batches, and the default of a new column, which goes when code writes the column.

use super::{AT_ONCE, Item, Placed, REQUIRED, Reader, UNBATCHED_BACKFILL};
use crate::change::{AlterTableAction, AlterTableActionKind, Change, ConstraintKind, Name, ObjectName};
use crate::finding::{Finding, FixStep, Walk};
use crate::fix::joined::is_same;
use crate::report::StatementRecord;
use crate::source::Span;

impl<'a> Reader<'a, '_> {
    /// A change of all rows as a script that commits a few thousand at a time. Only of what nothing else of the migration was to commit
    /// with: columns that are new here, or a statement that is alone.
    pub(super) fn in_batches(
        &mut self,
        record: &StatementRecord,
        change: Option<&Change>,
        here: &[(usize, &'a Finding)],
    ) -> Option<FixStep> {
        // Of a block or a call it is one statement among others.
        if !matches!(change, Some(Change::Update(_) | Change::Delete(_))) {
            return None;
        }
        let of_it = || here.iter().filter(|(_, it)| it.rule.is_one_of(&AT_ONCE));
        let walk = of_it().find_map(|(_, it)| it.advice.walk.clone())?;
        if record.conditional || self.is_substituted(record.span) || !self.ways.alone || !self.is_by_itself() {
            return None;
        }
        self.items.fixed.extend(of_it().map(|(at, _)| *at));
        Some(in_batches(&walk))
    }

    /// The same of a change that what the migration is taken apart into leaves to a transaction of its own; why not, of others.
    pub(super) fn lone_in_batches(&mut self, records: &[&StatementRecord]) {
        let waiting: Vec<(usize, &'a Finding)> = self
            .findings
            .iter()
            .filter(|(at, it)| *it.rule == UNBATCHED_BACKFILL && !self.items.fixed.contains(at))
            .copied()
            .collect();
        for (at, finding) in waiting {
            let of_it = |it: &Placed| records.get(it.record).is_some_and(|record| record.span.contains(finding.span));
            let Some(place) = self.placed.iter().position(of_it) else { continue };
            let record = self.placed[place].record;
            let is_change = matches!(self.changes.get(record), Some(Some(Change::Update(_) | Change::Delete(_))));
            let why = match (&self.placed[place].item, &finding.advice.walk) {
                (Item::Keep(text), Some(walk)) if is_change && self.ways.alone && self.commits_alone(place) => {
                    let comments = self.text(records[record].span);
                    let comments = text.strip_suffix(comments.as_str()).unwrap_or_default().trim().to_owned();
                    self.placed[place].item = Item::Steps(comments, vec![in_batches(walk)].into());
                    self.items.is_changed = true;
                    self.items.fixed.push(at);
                    continue;
                }
                (_, None) => "it cannot be walked through in batches: that takes a primary key, and values that a second run leaves as they are".to_owned(),
                (_, Some(_)) if !self.ways.alone => self.no_way_out(),
                (_, Some(_)) if !is_change => "it is part of a block or a call: take it apart by hand".to_owned(),
                _ => "it commits with what stands beside it: give it a migration of its own".to_owned(),
            };
            self.leave(at, why);
        }
    }

    /// Whether an item shares its transaction with nothing that does something.
    fn commits_alone(&self, place: usize) -> bool {
        let (before, after) = (&self.placed[..place], &self.placed[place + 1..]);
        let does_something = |it: &&Placed| !matches!(it.item, Item::Setting(..));
        let beside = [before.iter().rev().find(does_something), after.iter().find(does_something)];
        !self.items.together || !beside.into_iter().flatten().any(|it| matches!(it.item, Item::Keep(_)))
    }

    /// The default of a new column that is required: it only goes once code writes the column.
    pub(super) fn default_goes(
        &mut self,
        record: &StatementRecord,
        change: Option<&Change>,
        here: &[(usize, &'a Finding)],
    ) -> Option<FixStep> {
        let Some(Change::AlterTable(alter)) = change else { return None };
        let mut columns: Vec<String> = Vec::new();
        let mut answered: Vec<usize> = Vec::new();
        for action in &alter.actions {
            let AlterTableActionKind::DropDefault { column } = &action.kind else { return None };
            // The statement was read by itself.
            let start = record.span.start + action.span.start;
            let span = Span { start, end: record.span.start + action.span.end, ..record.span };
            let of_it = |(_, it): &&(usize, &'a Finding)| it.rule == REQUIRED && span.contains(it.span);
            answered.push(here.iter().find(of_it)?.0);
            columns.push(column.to_string());
        }
        if record.conditional || columns.is_empty() {
            return None;
        }
        self.items.fixed.extend(answered);
        let sql = format!("{};", self.text(record.span));
        Some(FixStep::own(sql).once(format!("all running code writes {}", columns.join(", "))))
    }

    fn is_by_itself(&self) -> bool {
        let does_something = |it: &&Option<Change>| !matches!(it, Some(Change::Set(_) | Change::Transaction(_)));
        if self.changes.iter().filter(does_something).count() == 1 {
            return true;
        }
        let Some(Some(Change::Update(update))) = self.changes.get(self.at) else { return false };
        let before = self.changes.get(..self.at).unwrap_or_default();
        let is_new = |name: &Name| before.iter().flatten().any(|change| adds_column(change, &update.table, name));
        update.columns.iter().all(|column| is_new(&column.name))
    }
}

fn in_batches(walk: &Walk) -> FixStep {
    FixStep { walk: Some(walk.clone()), ..FixStep::batch(walk.change.clone()) }
}

fn adds_column(change: &Change, table: &ObjectName, name: &Name) -> bool {
    let Change::AlterTable(alter) = change else { return false };
    let adds = |action: &AlterTableAction| matches!(&action.kind, AlterTableActionKind::AddColumn { column, .. } if column.name.name == *name);
    is_same(&alter.relation, table) && alter.actions.iter().any(adds)
}

/// The column that a required-column finding of a statement is about.
pub(super) fn column_of(change: &Change, finding: &Finding) -> Option<String> {
    let object = finding.object.as_ref()?.to_string();
    let Change::AlterTable(alter) = change else { return None };
    let columns = alter.actions.iter().flat_map(|action| match &action.kind {
        AlterTableActionKind::SetNotNull { column } => vec![column.to_string()],
        AlterTableActionKind::AddConstraint(added) => match &added.kind {
            ConstraintKind::NotNull(column) => vec![column.to_string()],
            ConstraintKind::Check(_) => {
                object.rsplit_once('.').map(|(_, column)| column.to_owned()).into_iter().collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    });
    columns.into_iter().find(|column| object.ends_with(&format!(".{column}")))
}
