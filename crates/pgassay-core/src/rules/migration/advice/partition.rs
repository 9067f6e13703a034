//! New partitions whose rows, and those of the default partition, are proved to fit before the lock is taken.

use super::index;
use super::table::{Table, print_relation, schema_after};
use crate::change::{CreateTable, Name, ObjectName, PartitionBound};
use crate::finding::{Advice, FixStep};
use crate::rules::context::StepContext;
use crate::schema::{Relation, bound_condition, make_object_name};

pub(super) fn attach(table: &Table, partition: &ObjectName, bound: &PartitionBound) -> Advice {
    let context = &table.context;
    let child = print_relation(context, partition);
    let Some(condition) = table.relation.and_then(|parent| bound_condition(parent, bound)) else {
        return Advice::text(format!(
            "Add a CHECK to {child} that repeats the bound (and IS NOT NULL for the key's columns) with NOT VALID, validate it, attach the partition to {}, then drop the CHECK: \
             ATTACH PARTITION takes the proof and reads nothing. A default partition is read too, unless a CHECK of its own excludes the new bound.",
            table.name
        ));
    };
    let found = context.step.schema.find_relation(partition, &context.step.session);
    let mut steps = missing_indexes(table, found.map(|found| &**found));
    let check = proof(&mut steps, &child, &partition.name, &condition);
    let default = default_partition(context, table.relation);
    let excluded = default.map(|default| exclude(&mut steps, default, &partition.name, &condition));
    steps.push(FixStep::own(format!(
        "ALTER TABLE {} ATTACH PARTITION {child} {};",
        table.name,
        bound_text(context, partition)
    )));
    steps.push(FixStep::own(format!("ALTER TABLE {child} DROP CONSTRAINT {check};")));
    steps.extend(excluded);
    Advice::steps(
        "Prove the bound first with a CHECK that is added without a scan and validated while reads and writes go on; ATTACH PARTITION then takes the proof and reads nothing.",
        steps,
    )
}

/// CREATE TABLE … PARTITION OF beside a default partition.
pub(super) fn create(context: &StepContext, create: &CreateTable) -> Advice {
    let told = "The default partition is read to prove that none of its rows belongs to the new one. Add a CHECK to the default partition that excludes the new bound, \
         NOT VALID, validate it, then create the partition, then drop the CHECK.";
    let Some((parent, bound)) = &create.partition_of else { return super::window() };
    let parent = context.step.schema.find_relation(parent, &context.step.session).map(|parent| &**parent);
    let (Some(default), Some(condition)) =
        (default_partition(context, parent), parent.and_then(|parent| bound_condition(parent, bound)))
    else {
        return Advice::text(told);
    };
    let mut steps = Vec::new();
    let drop = exclude(&mut steps, default, &create.name.name, &condition);
    steps.push(FixStep::own(format!("{};", context.text(context.step.span()).trim_end_matches([';', ' ', '\n']))));
    steps.push(drop);
    Advice::steps(told, steps)
}

/// A validated CHECK; its name is returned.
fn proof(steps: &mut Vec<FixStep>, table: &str, partition: &Name, condition: &str) -> Name {
    let check = make_object_name(partition.as_str(), Some("partition"), "bound");
    steps.push(FixStep::own(format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({condition}) NOT VALID;")));
    steps.push(FixStep::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check};")));
    check
}

/// The same for the default partition, which must hold none of the new one's rows. The step that drops it is returned.
fn exclude(steps: &mut Vec<FixStep>, default: &Relation, partition: &Name, condition: &str) -> FixStep {
    let table = default.name.to_string();
    let check = proof(steps, &table, partition, &format!("NOT ({condition})"));
    FixStep::own(format!("ALTER TABLE {table} DROP CONSTRAINT {check};"))
}

fn default_partition<'r>(context: &StepContext<'r>, parent: Option<&Relation>) -> Option<&'r Relation> {
    let mut children = parent?.children.iter().filter_map(|id| context.relation(Some(*id)));
    children.find(|child| child.bound == Some(PartitionBound::Default))
}

/// What the parent's indexes need of the new partition, built before.
fn missing_indexes(table: &Table, child: Option<&Relation>) -> Vec<FixStep> {
    let Some(child) = child.filter(|child| child.has_storage()) else { return Vec::new() };
    let after = schema_after(&table.context);
    let new = after.indexes_of(child.id).filter(|index| !child.indexes.contains(&index.id));
    let copies = new.filter_map(|made| {
        let index = made.as_index()?;
        // A constraint's index cannot be had without the constraint.
        if index.constraint.is_some() {
            return None;
        }
        let include = index.include.iter().filter_map(|id| child.column_by_id(*id)).map(|it| it.name.clone());
        let copy = index::Copy {
            like: made,
            index,
            name: made.name.name.clone(),
            table: child.name.to_string(),
            include: include.collect(),
            renamed: None,
        };
        Some(FixStep::none(copy.sql()))
    });
    copies.collect()
}

/// `FOR VALUES …` or `DEFAULT`, as written.
fn bound_text<'r>(context: &StepContext<'r>, partition: &ObjectName) -> &'r str {
    let rest = context.text(crate::source::Span { start: partition.span.end, ..context.step.span() });
    rest.trim_end_matches([';', ' ', '\n', '\r', '\t']).trim_start()
}
