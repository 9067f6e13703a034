//! Columns that name another table's row, and nothing makes sure that it exists.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{Discovery, Needs, SchemaContext, keys, words};
use crate::change::Name;
use crate::contract::Subject;
use crate::facts::Reference;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Check, Example, Rule};
use crate::schema::{Column, Relation, RelationKind, Schema};

pub const RULE: Rule = Rule {
    name: "missing-foreign-key",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A column is named after another table and has its key's type, but no foreign key",
    explanation: "Without a foreign key rows can outlive what they reference, and nothing tells. The rule goes by name and type (order_id and orders.id), \
        never speaks of polymorphic columns (with a …_type beside it), and only where the schema has foreign keys by habit: a warning where most columns of that \
        kind have one, an info where some have, silence where none has. The foreign key is added NOT VALID, which is instant, and validated while others work.",
    fires: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);\n\
            CREATE INDEX ON orders (customer_id);",
        migration: "CREATE TABLE refunds (id bigint PRIMARY KEY, order_id bigint NOT NULL);",
    },
    quiet: Example {
        given: "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);\n\
            CREATE INDEX ON orders (customer_id);",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, order_id bigint NOT NULL, order_type text NOT NULL);",
    },
    check: Check::Schema(check, Needs::Schema),
};

/// Columns named after a table, with its key's type and without a foreign key.
fn candidates<'a>(context: &SchemaContext<'a>, tables: &Tables<'a>) -> Vec<(&'a Relation, &'a Column, &'a Relation)> {
    context
        .tables()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(table, column)| !keys::is_foreign_key(table, column.id) && !is_polymorphic(table, column))
        .filter(|(table, column)| !was_there(context, table, column))
        .filter_map(|(table, column)| tables.target(context, table, column).map(|target| (table, column, target)))
        .collect()
}

fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let tables = Tables::of(context);
    let candidates = candidates(context, &tables);
    if candidates.is_empty() {
        return;
    }
    let (with, without) = habit(context, &tables);
    if with == 0 {
        return;
    }
    let mut unbound: HashMap<_, usize> = HashMap::new();
    for (table, ..) in &candidates {
        *unbound.entry(table.id).or_default() += 1;
    }
    for (table, column, target) in candidates.iter().copied() {
        let Some(key) = keys::primary_key(target).first().and_then(|id| target.column_by_id(*id)) else { continue };
        // A table that names several others and references none may keep what outlives them: a log, an archive.
        let has_others = table.foreign_keys().next().is_some() || unbound[&table.id] < 2;
        let severity = if has_others && with > without && with >= 3 { Severity::Warning } else { Severity::Info };
        let sampled = context.samples.and_then(|it| it.references.get(&(table.name.clone(), column.name.clone())));
        let sampled = sampled.filter(|sample| sample.values >= FEWEST_VALUES);
        let missing = sampled.map(|sample| sample.missing as f64 / sample.values as f64);
        // Most values are found nowhere: it is named after something else.
        if missing.is_some_and(|share| share > 0.5) {
            continue;
        }
        let message = format!(
            "{}.{} looks like a reference to {}, and nothing makes sure that the row exists",
            table.name, column.name, target.name
        );
        let name = context.free_name(table, column.name.as_str(), "fkey");
        let mut discovery = context
                .discovery(&RULE, Subject::Column(table.id, column.id), message)
                .severity(severity)
                .confidence(if has_others { Confidence::Medium } else { Confidence::Low })
                .declared(format!(
                    "{} of {} columns named after a table have a foreign key; the types agree ({})",
                    with,
                    with + without,
                    column.data_type.written
                ))
                .related(Subject::Relation(target.id), "the table it is named after")
                .when_new(format!("Add REFERENCES {} to the column.", target.name))
                .advice(
                    "Look for rows without a counterpart first (SELECT … WHERE NOT EXISTS), then add the foreign key without a scan and validate it while others work:",
                    vec![
                        FixStep::own(format!(
                            "ALTER TABLE {} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID;",
                            table.name, column.name, target.name, key.name
                        )),
                        FixStep::own(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name};", table.name)),
                    ],
                );
        if let (Some(sample), Some(share)) = (sampled, missing) {
            discovery =
                discovery.confidence(if share < 0.05 { Confidence::High } else { Confidence::Medium }).measured(
                    format!("{} of {} sampled values have no row in {}", sample.missing, sample.values, target.name),
                );
        }
        found.push(discovery);
    }
}

/// The migration found the column as it is: that its other keys make a habit plain is not its doing.
fn was_there(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let before = context.earlier.and_then(|earlier| earlier.relation(table.id));
    context.scope.is_some()
        && before
            .is_some_and(|before| before.column_by_id(column.id).is_some() && !keys::is_foreign_key(before, column.id))
}

/// So many values show whether they are references.
const FEWEST_VALUES: u64 = 100;

/// The columns that the rule tells of, for a sample to look whether they are references.
pub fn references(context: &SchemaContext) -> Vec<Reference> {
    let tables = Tables::of(context);
    let one = |(table, column, target): (&Relation, &Column, &Relation)| {
        let key = keys::primary_key(target).first().and_then(|id| target.column_by_id(*id))?;
        Some(Reference {
            table: table.name.clone(),
            column: column.name.clone(),
            referenced: target.name.clone(),
            key: key.name.clone(),
        })
    };
    candidates(context, &tables).into_iter().filter_map(one).collect()
}

/// How many columns named after a table have a foreign key, and how many have none.
fn habit<'a>(context: &SchemaContext<'a>, tables: &Tables<'a>) -> (usize, usize) {
    let whole = SchemaContext { scope: None, ..*context };
    let mut with = 0;
    let mut without = 0;
    for table in whole.tables() {
        for column in &table.columns {
            if keys::is_foreign_key(table, column.id) {
                with += 1;
            } else if !is_polymorphic(table, column) && tables.target(context, table, column).is_some() {
                without += 1;
            }
        }
    }
    (with, without)
}

/// `subject_id` beside `subject_type`.
fn is_polymorphic(table: &Relation, column: &Column) -> bool {
    let Some(stem) = stem(column) else { return false };
    let sibling =
        |end: &str| table.columns.iter().any(|other| other.name.as_str().eq_ignore_ascii_case(&format!("{stem}{end}")));
    sibling("_type") || sibling("Type") || sibling("_kind")
}

fn stem(column: &Column) -> Option<&str> {
    let name = column.name.as_str();
    ["_id", "Id", "_uuid"].iter().find_map(|end| name.strip_suffix(end)).filter(|stem| !stem.is_empty())
}

/// Tables by schema and by what a column that names one of their rows is called: order for `orders`, `Orders` and `order`.
/// Put together when the first such column is met: most migrations add none.
struct Tables<'a> {
    schema: &'a Schema,
    by_name: OnceCell<HashMap<(&'a Name, String), &'a Relation>>,
}

impl<'a> Tables<'a> {
    fn of(context: &SchemaContext<'a>) -> Tables<'a> {
        Tables { schema: context.schema, by_name: OnceCell::new() }
    }

    fn all(schema: &'a Schema) -> HashMap<(&'a Name, String), &'a Relation> {
        let mut tables = HashMap::new();
        let all = schema.relations.values().map(|relation| &**relation);
        for relation in all.filter(|it| matches!(it.kind, RelationKind::Table) && !it.is_partition()) {
            let words = words::words(relation.name.name.as_str());
            let Some((last, first)) = words.split_last() else { continue };
            let mut singular: Vec<String> = first.to_vec();
            singular.push(words::singular(last).into_owned());
            for name in [singular.join("_"), words.join("_")] {
                tables.entry((&relation.name.schema, name)).or_insert(relation);
            }
        }
        tables
    }

    /// The table of the same schema that the column is named after, whose one-column key has the column's type.
    fn target(&self, context: &SchemaContext<'a>, table: &'a Relation, column: &'a Column) -> Option<&'a Relation> {
        let stem = words::words(stem(column)?).join("_");
        if stem.is_empty() || keys::primary_key(table) == [column.id] {
            return None;
        }
        let type_name = context.type_name(column)?;
        if !matches!(type_name, "int2" | "int4" | "int8" | "uuid" | "text" | "varchar" | "serial4" | "serial8") {
            return None;
        }
        let by_name = self.by_name.get_or_init(|| Tables::all(self.schema));
        let target = *by_name.get(&(&table.name.schema, stem))?;
        let [key] = keys::primary_key(target) else { return None };
        let key = target.column_by_id(*key)?;
        (target.id != table.id && context.type_name(key) == Some(type_name)).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::Example;

    #[test]
    fn columns_that_a_migration_left_alone_are_not_its_doing() {
        let (report, _) = RULE.judge(&Example {
            given: "CREATE TABLE users (id int PRIMARY KEY);
                CREATE TABLE posts (id int PRIMARY KEY, user_id int); CREATE TABLE likes (id int PRIMARY KEY, post_id int);",
            migration: "ALTER TABLE likes ADD FOREIGN KEY (post_id) REFERENCES posts;",
        });
        assert!(report.findings.iter().all(|finding| finding.rule != RULE.name), "{:?}", report.findings);
    }
}
