//! What the steps of an advice do to the others: read and predicted by the same models as migrations.

use crate::apply::apply;
use crate::catalog::LockMode;
use crate::change::{Change, IndexTarget, Name};
use crate::effect::{self, Prediction, WorkKind};
use crate::finding::{FixStep, StepCost, StepWork};
use crate::rules::schema::SchemaContext;
use crate::schema::{self, ColumnId, Relation, RelationKind, Schema, Session};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// Fills in the cost of every step, each in the state that the earlier ones leave.
pub(in crate::rules::schema) fn tell_costs(steps: &mut [FixStep], context: &SchemaContext) {
    let mut schema = context.schema.clone();
    for step in steps {
        step.cost = cost(&step.sql, &mut schema, context);
    }
}

/// The strongest lock of a step, with the heaviest work done under it.
fn cost(sql: &str, schema: &mut Schema, context: &SchemaContext) -> Option<StepCost> {
    let session = Session::default();
    let source = SourceFile::new("step", sql);
    let mut worst: Option<StepCost> = None;
    for statement in read_script(FileId(0), &source).statements {
        let Ok(change) = &statement.change else { continue };
        let world = effect::Context { schema, session: &session, version: context.version };
        let prediction = effect::predict(change, world);
        if let Some(cost) = heaviest(&prediction, change, context.schema)
            && worst.as_ref().is_none_or(|worst| worst.lock < cost.lock)
        {
            worst = Some(cost);
        }
        apply(schema, change, &session, context.version);
    }
    worst
}

fn heaviest(prediction: &Prediction, change: &Change, before: &Schema) -> Option<StepCost> {
    let exists =
        |id: Option<schema::RelationId>| id.is_none_or(|id| before.relation(id).is_some_and(|it| it.is_queryable()));
    let locks = prediction.locks.iter().filter(|lock| lock.mode >= LockMode::RowShare && exists(lock.relation));
    // Of equally strong ones the first: the table that is named, before its partitions.
    let strongest = locks.reduce(|best, lock| if lock.mode > best.mode { lock } else { best })?;
    let done = |kind| prediction.work.iter().any(|work| work.kind == kind);
    let work = match change {
        Change::Insert(_) | Change::Update(_) | Change::Delete(_) | Change::Merge(_) => StepWork::Rows,
        _ if done(WorkKind::Rewrite) => StepWork::Rewrite,
        _ if done(WorkKind::IndexBuild) => StepWork::Index,
        _ if done(WorkKind::Scan) => StepWork::Scan,
        _ => StepWork::Instant,
    };
    // A foreign key takes the same lock on both tables: for the one that is referenced that is the news.
    let mut names: Vec<&str> = Vec::new();
    if matches!(strongest.mode, LockMode::ShareRowExclusive) {
        let same = prediction.locks.iter().filter(|lock| lock.mode == strongest.mode && exists(lock.relation));
        same.for_each(|lock| {
            if !names.contains(&&*lock.name) {
                names.push(&lock.name)
            }
        });
    }
    let relation = if names.len() == 2 { names.join(" and ") } else { strongest.name.to_string() };
    Some(StepCost { lock: strongest.mode, relation, work })
}

/// An index on columns or expressions, built while others work. The text says what the steps leave to do.
pub(in crate::rules::schema) fn create_index(
    context: &SchemaContext,
    table: &Relation,
    elements: &str,
    label: &str,
) -> (String, Vec<FixStep>) {
    create_index_with(context, table, elements, label, "", "")
}

/// `unique` is "UNIQUE " or nothing, `rest` what stands behind the elements.
pub(in crate::rules::schema) fn create_index_with(
    context: &SchemaContext,
    table: &Relation,
    elements: &str,
    label: &str,
    unique: &str,
    rest: &str,
) -> (String, Vec<FixStep>) {
    let plain: String = elements.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { ' ' }).collect();
    let part = plain.split_whitespace().collect::<Vec<_>>().join("_");
    let index = NewIndex { context, elements, part: &part, label, unique, rest };
    let leaves = context.schema.children_closure(table.id);
    let leaves =
        leaves.into_iter().filter_map(|id| context.schema.relation(id)).filter(|it| !it.is_partitioned()).count();
    let mut steps = Vec::new();
    index.on(table, &mut steps);
    let text = match leaves {
        many if table.is_partitioned() && many > MOST_PARTITIONS => {
            format!("Build the index on one partition after the other; the last two steps for each of the {many}:")
        }
        _ if table.is_partitioned() => {
            "Build the index on one partition after the other, while others work:".to_owned()
        }
        _ => "Build the index while others work:".to_owned(),
    };
    (text, steps)
}

/// The steps are written out for so many partitions; of more, for the first one.
const MOST_PARTITIONS: usize = 12;

struct NewIndex<'a, 'c> {
    context: &'a SchemaContext<'c>,
    elements: &'a str,
    /// Of its name.
    part: &'a str,
    label: &'a str,
    unique: &'a str,
    rest: &'a str,
}

impl NewIndex<'_, '_> {
    /// Builds it, on a partitioned table one partition after the other; the last that is attached makes it valid.
    fn on(&self, table: &Relation, steps: &mut Vec<FixStep>) -> Name {
        let NewIndex { context, elements, part, label, unique, rest } = self;
        let (index, name) = (context.free_name(table, part, label), &table.name);
        if !table.is_partitioned() {
            steps.push(FixStep::none(format!(
                "CREATE {unique}INDEX CONCURRENTLY {index} ON {name} ({elements}){rest};"
            )));
            return index;
        }
        steps.push(FixStep::own(format!("CREATE {unique}INDEX {index} ON ONLY {name} ({elements}){rest};")));
        let partitions = table.children.iter().filter_map(|id| context.schema.relation(*id)).filter(|it| it.is_table());
        let shown = if table.children.len() > MOST_PARTITIONS { 1 } else { MOST_PARTITIONS };
        for partition in partitions.take(shown) {
            let own = self.on(partition, steps);
            steps.push(FixStep::own(format!(
                "ALTER INDEX {}.{index} ATTACH PARTITION {}.{own};",
                name.schema, partition.name.schema
            )));
        }
        index
    }
}

/// What is there more than once, for somebody to look at.
pub(in crate::rules::schema) fn duplicates(table: &Relation, columns: &str, condition: Option<&str>) -> FixStep {
    let condition = condition.map(|it| format!(" WHERE {it}")).unwrap_or_default();
    FixStep::any(format!(
        "SELECT {columns}, count(*) FROM {}{condition} GROUP BY {columns} HAVING count(*) > 1;",
        table.name
    ))
}

/// Columns of the partition keys, at every level, that a unique key on these columns lacks; none for a table that takes the key. A key
/// over partitions has to contain what they are divided by (manual, Table Partitioning, Limitations).
pub(in crate::rules::schema) fn partition_columns_beside(
    context: &SchemaContext,
    table: &Relation,
    columns: &str,
) -> Option<String> {
    let named: Vec<&str> = columns.split(", ").collect();
    let mut lacking: Vec<String> = Vec::new();
    for id in std::iter::once(table.id).chain(context.schema.children_closure(table.id)) {
        let Some(RelationKind::PartitionedTable(key)) = context.schema.relation(id).map(|it| &it.kind) else {
            continue;
        };
        let name = |column: &ColumnId| context.column_name(table, *column);
        lacking.extend(key.columns.iter().map(name).filter(|name| !named.contains(&name.as_str())));
        // No key contains an expression.
        if key.elements.iter().any(|it| matches!(it.target, IndexTarget::Expression(_))) {
            lacking.push("an expression".to_owned());
        }
    }
    lacking.sort();
    lacking.dedup();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

/// A unique index on columns, with what it makes needless dropped behind it; on a table whose partitions take none, only the look at
/// what is there more than once.
pub(in crate::rules::schema) fn unique_index(
    context: &SchemaContext,
    table: &Relation,
    columns: &str,
    label: &str,
    condition: Option<&str>,
) -> Vec<FixStep> {
    let rest = condition.map(|it| format!(" WHERE {it}")).unwrap_or_default();
    let mut steps = vec![duplicates(table, columns, condition)];
    if partition_columns_beside(context, table, columns).is_some() {
        return steps;
    }
    steps.extend(create_index_with(context, table, columns, label, "UNIQUE ", &rest).1);
    let same = |index: &crate::schema::Index| {
        let plain = super::keys::plain_columns(index).map(|ids| context.column_names(table, &ids));
        index.method == "btree"
            && !index.unique
            && index.include.is_empty()
            && index.elements.iter().all(|it| it.operator_class.is_none() && it.collation.is_none() && !it.descending)
            && index.predicate.is_none()
            && plain.as_deref() == Some(columns)
    };
    if condition.is_none() && !table.is_partitioned() {
        // Of several the others are told as the first one's duplicates.
        let needless = context.indexes(table).filter(|(_, index)| same(index)).min_by_key(|(index, _)| index.id);
        steps.extend(
            needless.map(|(index, _)| FixStep::none(format!("DROP INDEX CONCURRENTLY IF EXISTS {};", index.name))),
        );
    }
    steps
}

/// NOT NULL proved by a constraint that is validated while others work; `fill` gives the rows without a value one first.
pub(in crate::rules::schema) fn not_null(
    context: &SchemaContext,
    table: &Relation,
    column: &Name,
    fill: Option<&str>,
) -> Vec<FixStep> {
    let name = &table.name;
    let backfill = fill.map(|value| {
        FixStep::batch(format!(
            "UPDATE {name} SET {column} = {value} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} WHERE {column} IS NULL LIMIT 5000));"
        ))
    });
    let constraint = context.free_name(table, column.as_str(), "not_null");
    let mut steps = Vec::new();
    if context.version.at_least(18) {
        steps
            .push(FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} NOT NULL {column} NOT VALID;")));
        steps.extend(backfill);
        steps.push(FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint};")));
        return steps;
    }
    steps.push(FixStep::own(format!(
        "ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;"
    )));
    steps.extend(backfill);
    steps.extend([
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint};")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL;")),
        FixStep::own(format!("ALTER TABLE {name} DROP CONSTRAINT {constraint};")),
    ]);
    steps
}

/// A CHECK that is validated while others work.
pub(in crate::rules::schema) fn check_constraint(
    context: &SchemaContext,
    table: &Relation,
    part: &str,
    condition: &str,
) -> Vec<FixStep> {
    let name = &table.name;
    let constraint = context.free_name(table, part, "check");
    vec![
        FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID;")),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint};")),
    ]
}
