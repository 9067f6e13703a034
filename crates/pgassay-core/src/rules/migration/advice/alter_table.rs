//! Safe steps for ALTER TABLE: the whole statement taken apart, each part that blocks replaced, the others kept as written.

use super::column::{self, NewColumn};
use super::replaced::{self, Gone};
use super::table::Table;
use super::{constraint, partition, type_change, window};
use crate::apply::apply;
use crate::change::{AlterTable, AlterTableAction, AlterTableActionKind, Change, ConstraintKind, Name};
use crate::effect::{self, Context, FailsWhen, Work};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::rules::migration::dropped_data::drop_last;
use crate::schema::Schema;
use crate::source::Span;

pub(super) fn instead_of(context: &StepContext, alter: &AlterTable, work: &Work) -> Advice {
    instead_of_part(context, alter, work.span)
}

/// What to do instead of the whole statement; the text tells of the part that a place belongs to.
pub(super) fn instead_of_part(context: &StepContext, alter: &AlterTable, span: Span) -> Advice {
    let table = Table::new(context, &alter.relation);
    let mut groups = groups(context, alter, span);
    let swapped = replaced::swapped(&groups);
    groups.retain(|group| !group.actions.iter().any(|it| replaced::carried_by_swap(&table, alter, &swapped, it)));
    defaults_first(&mut groups);
    let drops = lost_columns(&mut groups);
    let gone = Gone::of(&groups);
    if !gone.is_empty() {
        let mut advice = replaced::instead_of(&table, alter, &groups, &gone);
        if !drops.is_empty() && !advice.steps.is_empty() {
            advice.steps.extend(drop_last(context, &drops, table.relation, &table.name));
        }
        return advice;
    }
    let mut told: Option<Advice> = None;
    let mut steps: Vec<FixStep> = Vec::new();
    let mut plain: Vec<&str> = Vec::new();
    let mut complete = true;
    for Group { actions, blocks, causes } in groups {
        let Some(first) = actions.first() else { continue };
        if !blocks && !causes {
            plain.push(context.text(first.span));
            continue;
        }
        keep(&table, &mut plain, &mut steps);
        let advice = replace(&table, alter, actions);
        complete &= !advice.steps.is_empty();
        steps.extend(advice.steps.iter().cloned());
        if causes || told.is_none() {
            told = Some(advice);
        }
    }
    keep(&table, &mut plain, &mut steps);
    if !drops.is_empty() {
        steps.extend(drop_last(context, &drops, table.relation, &table.name));
    }
    let told = told.unwrap_or_else(window);
    if complete { Advice { steps, ..told } } else { told }
}

/// Takes out the columns that go, and that nothing of the statement puts back: code has to do without them first.
fn lost_columns<'a>(groups: &mut Vec<Group<'a>>) -> Vec<&'a AlterTableAction> {
    let added: Vec<&Name> = groups
        .iter()
        .flat_map(|group| group.actions)
        .filter_map(|action| match &action.kind {
            AlterTableActionKind::AddColumn { column, .. } => Some(&column.name.name),
            _ => None,
        })
        .collect();
    let is_lost = |group: &Group<'a>| match group.actions {
        [AlterTableAction { kind: AlterTableActionKind::DropColumn { column, .. }, .. }] => {
            !group.blocks && !added.contains(&&column.name)
        }
        _ => false,
    };
    let lost = groups.iter().filter(|group| is_lost(group)).flat_map(|group| group.actions).collect();
    groups.retain(|group| !is_lost(group));
    lost
}

/// A default is there before what asks rows for values: others add rows between the steps. It stays behind what makes its column, or gives
/// it a type.
fn defaults_first(groups: &mut [Group]) {
    for at in 1..groups.len() {
        let Some(column) = groups[at].actions.first().and_then(|action| match &action.kind {
            AlterTableActionKind::SetDefault { column, .. } => Some(&column.name),
            _ => None,
        }) else {
            continue;
        };
        let makes = |action: &AlterTableAction| match &action.kind {
            AlterTableActionKind::AddColumn { column: made, .. } => made.name.name == *column,
            AlterTableActionKind::SetDataType { column: typed, .. }
            | AlterTableActionKind::SetDefault { column: typed, .. }
            | AlterTableActionKind::DropExpression { column: typed, .. } => typed.name == *column,
            _ => false,
        };
        let last = groups[..at].iter().rposition(|group| group.actions.iter().any(makes));
        let first = last.map_or(0, |last| last + 1);
        groups[first..=at].rotate_right(1);
    }
}

/// What can stay one statement as it was written.
fn keep(table: &Table, plain: &mut Vec<&str>, steps: &mut Vec<FixStep>) {
    if !plain.is_empty() {
        steps.push(FixStep::own(format!("ALTER TABLE {} {};", table.name, plain.join(", "))));
        plain.clear();
    }
}

/// An action with the inline constraints that belong to it.
pub(super) struct Group<'a> {
    pub actions: &'a [AlterTableAction],
    /// Does long work alone, or fails on rows.
    pub blocks: bool,
    /// The finding is about it.
    pub causes: bool,
}

fn groups<'a>(context: &StepContext, alter: &'a AlterTable, span: Span) -> Vec<Group<'a>> {
    let inline = |next: &AlterTableAction| matches!(&next.kind, AlterTableActionKind::AddConstraint(it) if it.inline);
    let mut schema = context.step.schema.clone();
    let mut chunks: Vec<&[AlterTableAction]> = alter.actions.chunk_by(|_, next| inline(next)).collect();
    chunks.sort_by_key(|actions| actions.first().map_or((0, 0), |first| place(&first.kind)));
    let judged = chunks.into_iter().map(|actions| {
        let part = AlterTable { actions: actions.to_vec(), ..alter.clone() };
        let blocks = blocks(context, &schema, &part);
        apply(&mut schema, &Change::AlterTable(part), &context.step.session, context.run.version);
        Group { actions, blocks, causes: actions.iter().any(|action| action.span.contains(span)) }
    });
    judged.collect()
}

/// Where an action goes among steps that run apart: as the server orders them in one command, but a default is there before anything is
/// required of the rows that take it.
fn place(kind: &AlterTableActionKind) -> (u8, u8) {
    match kind {
        AlterTableActionKind::SetDefault { .. } => (3, 1),
        other => (other.pass(), 0),
    }
}

/// Whether a part of the statement alone does long work, or fails on rows.
fn blocks(context: &StepContext, schema: &Schema, part: &AlterTable) -> bool {
    let world = Context { schema, session: &context.step.session, version: context.run.version };
    let prediction = effect::predict(&Change::AlterTable(part.clone()), world);
    prediction.work.iter().any(|work| work.under.blocks_writes())
        || prediction.failures.iter().any(|failure| failure.when == FailsWhen::AnyRow)
}

pub(super) fn replace(table: &Table, alter: &AlterTable, group: &[AlterTableAction]) -> Advice {
    let Some(first) = group.first() else { return window() };
    match &first.kind {
        AlterTableActionKind::AddColumn { column: definition, .. } => {
            let constraints = group.iter().filter_map(|action| match &action.kind {
                AlterTableActionKind::AddConstraint(constraint) => Some(constraint),
                _ => None,
            });
            column::add(&NewColumn { table, alter, definition, constraints: constraints.collect() })
        }
        AlterTableActionKind::SetNotNull { column } => Advice::steps(
            "Prove it first with a CHECK that is added without a scan and validated while reads and writes go on; SET NOT NULL then takes the proof and reads nothing.",
            column::not_null(table, &column.name, None),
        ),
        AlterTableActionKind::AddConstraint(added) => match &added.kind {
            ConstraintKind::NotNull(column) => Advice::steps(
                "Add it NOT VALID, which checks new rows only and reads nothing, and validate it in a later transaction, while reads and writes go on.",
                column::not_null(table, &column.name, added.name.as_ref().map(|name| &name.name)),
            ),
            _ => constraint::add(table, alter, added),
        },
        AlterTableActionKind::SetDataType { column, data_type, collation, using } => {
            type_change::instead_of(table, column, data_type, collation.as_ref(), using.as_ref())
        }
        AlterTableActionKind::AttachPartition { partition, bound } => partition::attach(table, partition, bound),
        AlterTableActionKind::SetExpression { column, .. } => Advice::text(format!(
            "Add a second column that a trigger keeps at the new expression, fill it in batches, and move the readers from {column} to it."
        )),
        _ => window(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Example;
    use crate::rules::migration::BLOCKING_INDEX_BUILD;

    #[test]
    fn a_key_is_made_before_what_refers_to_it() {
        let example = Example {
            given: "CREATE TABLE parts (id bigint PRIMARY KEY, code text NOT NULL, whole text);",
            migration: "ALTER TABLE parts ADD CONSTRAINT whole_fkey FOREIGN KEY (whole) REFERENCES parts (code), ADD CONSTRAINT code_key UNIQUE (code);",
        };
        let (report, _) = BLOCKING_INDEX_BUILD.judge(&example);
        let steps: Vec<&str> = report
            .findings
            .iter()
            .filter(|finding| *finding.rule == BLOCKING_INDEX_BUILD)
            .flat_map(|finding| finding.advice.steps.iter().map(|step| step.sql.as_str()))
            .collect();
        let at = |words: &str| steps.iter().position(|sql| sql.contains(words));
        assert!(at("UNIQUE USING INDEX").is_some() && at("UNIQUE USING INDEX") < at("FOREIGN KEY"), "{steps:#?}");
    }
}
