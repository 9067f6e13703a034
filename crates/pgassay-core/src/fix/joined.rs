//! ALTER TABLEs of one migration that belong together: what one takes away, a later one puts back in another form.
//!
//! They committed together, so nobody saw the table without either. Before the migration is taken apart they become one command: the
//! advice for a command builds the new form first, and takes the old one away in the transaction that puts the new one in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::change::{AlterTable, AlterTableActionKind, Change, ConstraintKind, ObjectKind, ObjectName};
use crate::check::Job;
use crate::finding::Finding;
use crate::migration::{Migration, Section};
use crate::report::{Report, StatementRecord};
use crate::source::{SourceFile, Sources, Span};

/// The job with the joined commands in the place of the original ones.
pub(super) struct Joined {
    pub job: Job,
    pub sources: Sources,
    /// The migrations that have some, by their places in the job.
    pub migrations: BTreeSet<usize>,
    /// Those in which something is in between, and why that is in the way.
    pub refused: BTreeMap<usize, String>,
}

/// Looks through the migrations at those places. `None` where nothing belongs together.
pub(super) fn joined(
    job: &Job,
    report: &Report,
    sources: &Sources,
    places: impl IntoIterator<Item = usize>,
) -> Option<Joined> {
    let mut joined = Joined {
        job: Job { migrations: Vec::new(), ..job.clone() },
        sources: sources.clone(),
        migrations: BTreeSet::new(),
        refused: BTreeMap::new(),
    };
    let mut migrations = job.migrations.clone();
    for place in places {
        let Some(migration) = migrations.get_mut(place) else { continue };
        let statements = Statements::of(migration, report, sources);
        match statements.groups() {
            Err(why) => drop(joined.refused.insert(place, why)),
            Ok(groups) if groups.is_empty() => {}
            Ok(groups) => match statements.written(migration, &groups, sources) {
                Some((file, sections)) => {
                    migration.file = joined.sources.add(file);
                    migration.sections = sections;
                    for section in &mut migration.sections {
                        section.span.file = migration.file;
                    }
                    joined.migrations.insert(place);
                }
                None => {
                    let why = "what it takes away and puts back belongs together, and has placeholders in it or stands in several parts";
                    joined.refused.insert(place, format!("{why}: take it apart by hand"));
                }
            },
        }
    }
    joined.job.migrations = migrations;
    (!joined.migrations.is_empty() || !joined.refused.is_empty()).then_some(joined)
}

struct Statement {
    span: Span,
    change: Option<Change>,
    conditional: bool,
    /// A finding's steps are put in its place, or it has to commit before what comes after it.
    is_apart: bool,
}

struct Statements(Vec<Statement>);

impl Statements {
    fn of(migration: &Migration, report: &Report, sources: &Sources) -> Statements {
        let is_inside = |span: Span| migration.sections.iter().any(|section| section.span.contains(span));
        let apart: Vec<&Finding> = report.findings.iter().filter(|it| super::items::takes_apart(it)).collect();
        let statement = |record: &StatementRecord| Statement {
            span: record.span,
            change: super::items::change_of(sources.slice(record.span)),
            conditional: record.conditional,
            is_apart: apart.iter().any(|finding| record.span.contains(finding.span)),
        };
        Statements(report.statements.iter().filter(|it| is_inside(it.span)).map(statement).collect())
    }

    fn alter(&self, at: usize) -> Option<&AlterTable> {
        match self.0.get(at) {
            Some(Statement { change: Some(Change::AlterTable(alter)), conditional: false, .. }) => Some(alter),
            _ => None,
        }
    }

    /// The places of statements that become one.
    fn groups(&self) -> Result<Vec<Vec<usize>>, String> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for first in 0..self.0.len() {
            if groups.iter().flatten().any(|at| *at == first) {
                continue;
            }
            let Some(group) = self.group(first) else { continue };
            let last = group.last().copied().unwrap_or(first);
            let is_taken_apart = self.0.get(first..=last).is_some_and(|all| all.iter().any(|it| it.is_apart));
            if !is_taken_apart {
                continue;
            }
            let Some(alter) = self.alter(first) else { continue };
            let between = (first..last).filter(|at| !group.contains(at)).filter_map(|at| self.0[at].change.as_ref());
            if between.clone().any(|change| changes_rows(change, &alter.relation)) {
                return Err(format!(
                    "rows of {} change between what it takes away and what it puts in its place, which others would see without either: take it apart by hand",
                    alter.relation
                ));
            }
            let is_of_constraints =
                kinds(alter).any(|kind| matches!(kind, AlterTableActionKind::DropConstraint { .. }));
            let referenced: Vec<&ObjectName> =
                group.iter().filter_map(|at| self.alter(*at)).flat_map(references).collect();
            if is_of_constraints && between.clone().any(|change| needs_them_gone(change, &referenced)) {
                return Err(format!(
                    "a statement between what it takes away of {} and what it puts in its place may need that to be gone: take it apart by hand",
                    alter.relation
                ));
            }
            groups.push(group);
        }
        Ok(groups)
    }

    /// What takes away first, then all of the same table that follows on it.
    fn group(&self, first: usize) -> Option<Vec<usize>> {
        let alter = self.alter(first).filter(|alter| takes_away(alter))?;
        let mut gone: Vec<&AlterTableActionKind> = kinds(alter).collect();
        let (mut group, mut pass, mut puts_back) = (vec![first], 0, false);
        for at in first + 1..self.0.len() {
            if matches!(self.0[at].change, Some(Change::Transaction(_))) {
                break;
            }
            let same = |other: &&AlterTable| {
                is_same(&other.relation, &alter.relation)
                    && (other.only, other.object, other.if_exists) == (alter.only, alter.object, alter.if_exists)
            };
            let Some(next) = self.alter(at).filter(same) else { continue };
            if takes_away(next) && pass == 0 {
                gone.extend(kinds(next));
                group.push(at);
                continue;
            }
            let follows = kinds(next).any(|kind| gone.iter().any(|gone| follows(kind, gone)));
            // The server does the parts of a command pass by pass: only what is in that order anyway is the same as one.
            let passes: Vec<u8> = kinds(next).filter_map(pass_of).collect();
            let fits = passes.len() == next.actions.len() && passes.first() >= Some(&pass) && passes.is_sorted();
            if follows && fits {
                (pass, puts_back) = (passes.last().copied().unwrap_or(pass), true);
                group.push(at);
            }
        }
        puts_back.then_some(group)
    }

    /// The file with each group as one statement, in the place of the last of it.
    fn written(
        &self,
        migration: &Migration,
        groups: &[Vec<usize>],
        sources: &Sources,
    ) -> Option<(SourceFile, Vec<Section>)> {
        let source = sources.file(migration.file);
        // What is only masked has the same length; a placeholder's value is not to be written down.
        let is_written = |at: &usize| {
            let span = self.0.get(*at).map(|it| it.span);
            span.is_some_and(|span| source.original().get(source.original_range(span)) == source.text.get(span.range()))
        };
        let is_same_length = source.original().len() == source.text.len();
        if !is_same_length || !groups.iter().flatten().all(is_written) || !migration.included.is_empty() {
            return None;
        }
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for group in groups {
            edits.extend(self.edits(group, &source.text)?);
        }
        edits.sort_by_key(|(range, _)| range.start);
        let section = |section: &Section| {
            let (start, end) = (moved(&edits, section.span.start), moved(&edits, section.span.end));
            Section { span: Span { start, end, ..section.span }, ..*section }
        };
        let one = |range: &Range<usize>| {
            migration.sections.iter().any(|it| it.span.range().start <= range.start && range.end <= it.span.range().end)
        };
        if !edits.iter().all(|(range, _)| one(range)) {
            return None;
        }
        let sections = migration.sections.iter().map(section).collect();
        let mut text = source.text.to_string();
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        Some((SourceFile::new(source.name.clone(), text), sections))
    }

    fn edits(&self, group: &[usize], text: &str) -> Option<Vec<(Range<usize>, String)>> {
        let (last, before) = group.split_last()?;
        let mut actions: Vec<&str> = Vec::new();
        let mut head = "";
        for at in group {
            let (span, alter) = (self.0.get(*at)?.span, self.alter(*at)?);
            // The statement was read by itself.
            let first = span.start + alter.actions.first()?.span.start;
            if head.is_empty() {
                head = text.get(span.start as usize..first as usize)?;
            }
            actions.push(text.get(first as usize..span.end as usize)?.trim_end_matches([';', ' ', '\n', '\r', '\t']));
        }
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for at in before {
            let range = self.0.get(*at)?.span.range();
            let rest = text.get(range.end..)?;
            let end = range.end + if rest.starts_with(';') { 1 } else { 0 };
            edits.push((range.start..end, String::new()));
        }
        // A comment at the end of a part would swallow the comma.
        edits.push((self.0.get(*last)?.span.range(), format!("{head}{}", actions.join("\n, "))));
        Some(edits)
    }
}

/// Where an offset is after the edits.
fn moved(edits: &[(Range<usize>, String)], offset: u32) -> u32 {
    let mut moved = i64::from(offset);
    for (range, new) in edits.iter().filter(|(range, _)| range.end <= offset as usize) {
        moved += new.len() as i64 - range.len() as i64;
    }
    u32::try_from(moved).unwrap_or_default()
}

fn kinds(alter: &AlterTable) -> impl Iterator<Item = &AlterTableActionKind> {
    alter.actions.iter().map(|action| &action.kind)
}

pub(super) fn is_same(a: &ObjectName, b: &ObjectName) -> bool {
    (&a.schema, &a.name) == (&b.schema, &b.name)
}

/// Whether it does nothing else.
fn takes_away(alter: &AlterTable) -> bool {
    !alter.actions.is_empty() && kinds(alter).all(|kind| pass_of(kind) == Some(0))
}

/// When the server does it (`AlterTablePass`, tablecmds.c); `None` for what is not joined.
fn pass_of(kind: &AlterTableActionKind) -> Option<u8> {
    use AlterTableActionKind::*;
    match kind {
        DropColumn { .. } | DropConstraint { .. } | DropDefault { .. } | DropNotNull { .. } => Some(0),
        DropIdentity { .. } | DropExpression { .. } => Some(0),
        SetDataType { .. } => Some(1),
        AddColumn { .. } => Some(2),
        AddConstraint(_) | SetDefault { .. } | SetNotNull { .. } | AddIdentity { .. } => Some(3),
        _ => None,
    }
}

/// Whether a part of a command puts something in the place of what is gone.
fn follows(kind: &AlterTableActionKind, gone: &AlterTableActionKind) -> bool {
    use AlterTableActionKind::*;
    let property = match gone {
        DropDefault { column } | DropNotNull { column } => Some(&column.name),
        DropIdentity { column, .. } | DropExpression { column, .. } => Some(&column.name),
        _ => None,
    };
    match (kind, gone) {
        (AddConstraint(_), DropConstraint { .. }) => true,
        (SetDataType { .. }, DropConstraint { .. }) => true,
        (AddColumn { column, .. }, DropColumn { column: gone, .. }) => column.name.name == gone.name,
        (SetDataType { column, .. } | SetDefault { column, .. } | SetNotNull { column }, _) => {
            property == Some(&column.name)
        }
        (AddIdentity { column, .. }, _) => property == Some(&column.name),
        _ => false,
    }
}

/// The tables that new foreign keys reference.
fn references(alter: &AlterTable) -> impl Iterator<Item = &ObjectName> {
    kinds(alter).filter_map(|kind| match kind {
        AlterTableActionKind::AddConstraint(added) => match &added.kind {
            ConstraintKind::ForeignKey(key) => Some(&key.referenced),
            _ => None,
        },
        _ => None,
    })
}

/// Whether the server may refuse it while the old constraints are there.
fn needs_them_gone(change: &Change, referenced: &[&ObjectName]) -> bool {
    match change {
        Change::Drop(drop) => drop.kind == ObjectKind::Table,
        Change::AlterTable(alter) => {
            let changes = |kind: &AlterTableActionKind| {
                matches!(pass_of(kind), Some(0 | 1)) || matches!(kind, AlterTableActionKind::RenameRelation { .. })
            };
            referenced.iter().any(|table| is_same(table, &alter.relation)) && kinds(alter).any(changes)
        }
        _ => false,
    }
}

/// Whether it writes rows of the table, or does what cannot be told.
pub(super) fn changes_rows(change: &Change, table: &ObjectName) -> bool {
    match change {
        Change::Update(it) => it.table.name == table.name,
        Change::Insert(it) => it.table.name == table.name,
        Change::Delete(it) => it.table.name == table.name,
        Change::Merge(it) => it.table.name == table.name,
        Change::Copy(_) | Change::Do(_) => true,
        _ => false,
    }
}
