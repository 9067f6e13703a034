//! Columns that name another table's row, and nothing makes sure that it exists.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext, mistyped_reference as mistyped};
use crate::change::Name;
use crate::contract::Subject;
use crate::facts::Reference;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Column, Relation, RelationId, RelationKind, Schema};
use crate::text::words;

pub static RULE: Rule = Rule {
    name: "missing-foreign-key",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A column is named after another table, and no foreign key makes sure that the row exists",
    explanation: "Without a foreign key rows can outlive what they reference, and nothing shows it. The rule goes by name and type (order_id and orders.id), \
        never speaks of polymorphic columns (with a …_type beside it), and only where the schema has foreign keys by habit: a warning where most columns of that \
        kind have one, an info where some have, silence where none has. What more than five tables leave unbound is told once for the table that they name. \
        A column of another type than the key, such as varchar for a bigint, cannot have a foreign key and is cast in every join: told where its values, as far as they are known, are the key's. The foreign key is added NOT VALID, which is instant, and validated while others work.",
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
};

/// Columns named after a table, with its key's type and without a foreign key.
fn candidates<'a>(context: &SchemaContext<'a>, tables: &Tables<'a>) -> Vec<(&'a Relation, &'a Column, &'a Relation)> {
    context
        .tables()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(table, column)| !keys::is_foreign_key(table, column.id) && !was_there(context, table, column))
        .filter_map(|(table, column)| {
            tables.target_in_a_role(context, table, column).map(|target| (table, column, target))
        })
        .filter(|(table, column, _)| !is_polymorphic(table, column) && !partitions_have_it(context, table, column))
        .collect()
}

/// Partitions have the key each: where one lacks it, that one is told.
fn partitions_have_it(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    table.is_partitioned()
        && table
            .children
            .iter()
            .filter_map(|id| context.schema.relation(*id))
            .any(|part| part.column(&column.name).is_some_and(|own| keys::is_foreign_key(part, own.id)))
}

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let tables = Tables::of(context);
    let candidates = candidates(context, &tables);
    let mistyped = mistyped::columns(context, &tables);
    if candidates.is_empty() && mistyped.is_empty() {
        return;
    }
    let Habit { with, without, unbound: elsewhere } = habit(context, &tables);
    if with == 0 {
        return;
    }
    if with > without {
        let tell = |(table, column, target)| mistyped::discovery(context, table, column, target);
        found.extend(mistyped.into_iter().filter_map(tell));
    }
    let mut unbound: HashMap<_, usize> = HashMap::new();
    for (table, ..) in &candidates {
        *unbound.entry(table.id).or_default() += 1;
    }
    let habits = habits(context, &candidates);
    for (table, column, target) in candidates.iter().copied() {
        if let Some(columns) = habits.get(&target.id).filter(|_| !is_sampled(context, table, column)) {
            if columns.first().is_some_and(|(_, first)| std::ptr::eq(*first, column)) {
                found.push(habit_of(context, target, columns));
            }
            continue;
        }
        // A migration that goes on as the others did is no news.
        let others = elsewhere.get(&target.id).map_or(0, |tables| tables.iter().filter(|it| **it != table.id).count());
        if context.scope.is_some() && others > HABIT {
            continue;
        }
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
                    "Settle the rows that the first step counts, then add the foreign key without a scan and validate it while others work:",
                    add(context, table, column, target, key),
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

/// References to a table that more tables than this leave unbound are a habit of the schema: nobody forgot one.
const HABIT: usize = 5;

type Unbound<'a> = Vec<(&'a Relation, &'a Column)>;

/// By what they are named after, where it is a habit. Only a whole schema shows one; what was measured is told by itself.
fn habits<'a>(
    context: &SchemaContext<'a>,
    candidates: &[(&'a Relation, &'a Column, &'a Relation)],
) -> HashMap<RelationId, Unbound<'a>> {
    let mut habits: HashMap<RelationId, Unbound> = HashMap::new();
    let unsampled = candidates.iter().filter(|(table, column, _)| !is_sampled(context, table, column));
    for (table, column, target) in unsampled.filter(|_| context.scope.is_none()) {
        habits.entry(target.id).or_default().push((table, column));
    }
    habits.retain(|_, columns| columns.iter().map(|(table, _)| table.id).collect::<BTreeSet<_>>().len() > HABIT);
    habits
}

fn is_sampled(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
    let sampled = context.samples.and_then(|it| it.references.get(&(table.name.clone(), column.name.clone())));
    sampled.is_some_and(|sample| sample.values >= FEWEST_VALUES)
}

/// One finding for all of them, at the first.
fn habit_of(context: &SchemaContext, target: &Relation, columns: &Unbound) -> Discovery {
    let (first, column) = columns[0];
    let tables: BTreeSet<_> = columns.iter().map(|(table, _)| table.id).collect();
    let bound = context.schema.foreign_keys_to(target.id).map(|(from, _)| from).collect::<BTreeSet<_>>().len();
    let shown: Vec<String> =
        columns.iter().take(6).map(|(table, column)| format!("{}.{}", table.name, column.name)).collect();
    let more = if columns.len() > shown.len() { " …" } else { "" };
    let message = format!(
        "{} columns of {} tables look like references to {}, and nothing makes sure that the rows exist",
        columns.len(),
        tables.len(),
        target.name
    );
    let mut discovery = context
        .discovery(&RULE, Subject::Column(first.id, column.id), message)
        .severity(Severity::Info)
        .confidence(Confidence::Medium)
        .declared(format!("{}{more}; {bound} tables have a foreign key to {}", shown.join(", "), target.name))
        .advice(
            "If it is on purpose (rows outlive what they name, or writes must not wait for it), nothing is to be done; audit --sample measures each column, and gives each its steps.",
            Vec::new(),
        );
    for (table, column) in columns.iter().skip(1).take(5) {
        discovery = discovery.related(Subject::Column(table.id, column.id), "");
    }
    discovery
}

/// Rows without a counterpart, the index that its checks need, and the foreign key.
fn add(context: &SchemaContext, table: &Relation, column: &Column, target: &Relation, key: &Column) -> Vec<FixStep> {
    let (at, name) = (&table.name, context.free_name(table, column.name.as_str(), "fkey"));
    let (own, other) = (&column.name, &key.name);
    let mut steps = vec![FixStep::any(format!(
        "SELECT count(*) FROM {at} AS t WHERE {own} IS NOT NULL AND NOT EXISTS (SELECT FROM {} AS r WHERE r.{other} = t.{own});",
        target.name
    ))];
    if !context.indexes(table).any(|(_, index)| keys::finds(index, &[column.id])) {
        steps.extend(steps::create_index(context, table, &own.to_string(), "idx").1);
    }
    let add = |at: &Relation, name: &Name, rest: &str| {
        let at = &at.name;
        FixStep::own(format!(
            "ALTER TABLE {at} ADD CONSTRAINT {name} FOREIGN KEY ({own}) REFERENCES {} ({other}){rest};",
            target.name
        ))
    };
    let validate = |at: &Relation| FixStep::own(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name};", at.name));
    // Before 18 a partitioned table takes none that is NOT VALID, and makes that of a partition its own.
    if table.is_partitioned() && !context.version.at_least(18) {
        let leaves = context.schema.children_closure(table.id);
        let leaves = leaves.into_iter().filter_map(|id| context.schema.relation(id)).filter(|it| !it.is_partitioned());
        for leaf in leaves {
            steps.extend([add(leaf, &name, " NOT VALID"), validate(leaf)]);
        }
        steps.push(add(table, &name, ""));
        return steps;
    }
    steps.extend([add(table, &name, " NOT VALID"), validate(table)]);
    steps
}

/// The migration found the column as it is: that its other keys make a habit plain is not its doing.
pub(super) fn was_there(context: &SchemaContext, table: &Relation, column: &Column) -> bool {
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

/// What the schema does with columns named after a table.
struct Habit {
    /// How many have a foreign key, and how many have none.
    with: usize,
    without: usize,
    /// Tables that name a table without a foreign key.
    unbound: HashMap<RelationId, BTreeSet<RelationId>>,
}

fn habit<'a>(context: &SchemaContext<'a>, tables: &Tables<'a>) -> Habit {
    let whole = SchemaContext { scope: None, ..*context };
    let mut habit = Habit { with: 0, without: 0, unbound: HashMap::new() };
    for table in whole.tables() {
        for column in &table.columns {
            if keys::is_foreign_key(table, column.id) {
                habit.with += 1;
            } else if let Some(target) =
                tables.target(context, table, column).filter(|_| !is_polymorphic(table, column))
            {
                habit.without += 1;
                habit.unbound.entry(target.id).or_default().insert(table.id);
            }
        }
    }
    habit
}

/// `subject_id` beside `subject_type`.
pub(super) fn is_polymorphic(table: &Relation, column: &Column) -> bool {
    let name = column.name.as_str();
    let stem = stem(column).or_else(|| name.rsplit_once('_').map(|(stem, _)| stem));
    let Some(stem) = stem else { return false };
    let is_sibling = |other: &Column| {
        let parts = other.name.as_str().split_at_checked(stem.len());
        parts.is_some_and(|(start, end)| {
            start.eq_ignore_ascii_case(stem) && ["_type", "Type", "_kind"].iter().any(|it| end.eq_ignore_ascii_case(it))
        })
    };
    table.columns.iter().any(is_sibling)
}

fn stem(column: &Column) -> Option<&str> {
    let name = column.name.as_str();
    let by_end = |end: &&str| name.strip_suffix(end).filter(|stem| !stem.is_empty());
    // CustomerID without quotes is customerid to the server.
    let folded = || {
        let plain = !name.contains('_') && name.chars().all(|c| !c.is_uppercase());
        name.strip_suffix("id").filter(|stem| plain && stem.len() > 2)
    };
    ["_id", "Id", "ID", "_uuid"].iter().find_map(by_end).or_else(folded)
}

/// Tables by schema and by what a column that names one of their rows is called: order for `orders`, `Orders` and `order`.
/// Put together when the first such column is met: most migrations add none.
pub(super) struct Tables<'a> {
    schema: &'a Schema,
    by_name: OnceCell<HashMap<&'a Name, HashMap<String, &'a Relation>>>,
}

impl<'a> Tables<'a> {
    pub(super) fn of(context: &SchemaContext<'a>) -> Tables<'a> {
        Tables { schema: context.schema, by_name: OnceCell::new() }
    }

    fn all(schema: &'a Schema) -> HashMap<&'a Name, HashMap<String, &'a Relation>> {
        let mut tables: HashMap<&Name, HashMap<String, &Relation>> = HashMap::new();
        let all = schema.relations.values().map(|relation| &**relation);
        for relation in all.filter(|it| matches!(it.kind, RelationKind::Table) && !it.is_partition()) {
            let words = words::joined(relation.name.name.as_str());
            if words.is_empty() {
                continue;
            }
            let last = words.rfind('_').map_or(0, |at| at + 1);
            let singular = format!("{}{}", &words[..last], words::singular(&words[last..]));
            let of_schema = tables.entry(&relation.name.schema).or_default();
            // pay.pay_runs is the runs of pay.
            let prefix = format!("{}_", words::joined(relation.name.schema.as_str()));
            let within = singular.strip_prefix(&prefix).filter(|rest| !rest.is_empty()).map(str::to_owned);
            for name in [Some(singular), Some(words), within].into_iter().flatten() {
                of_schema.entry(name).or_insert(relation);
            }
        }
        tables
    }

    /// As [`Tables::target`], with what a row is for in front of the table's name: `from_account_id`; or of the only schema that has
    /// such a table.
    fn target_in_a_role(
        &self,
        context: &SchemaContext<'a>,
        table: &'a Relation,
        column: &'a Column,
    ) -> Option<&'a Relation> {
        let plain = self.target(context, table, column);
        if plain.is_some() || keys::primary_key(table) == [column.id] || super::idempotency::is_from_outside(column) {
            return plain;
        }
        let type_name = context.type_name(column)?;
        let fits = |target: &&'a Relation| {
            let key = single_key(target).and_then(|key| context.type_name(key));
            let typed = key.is_some_and(|key| key == type_name || is_whole(key) && is_whole(type_name));
            target.id != table.id && typed && matches!(type_name, "int4" | "int8" | "uuid")
        };
        let stem = words::joined(stem(column)?);
        let all = self.by_name.get_or_init(|| Tables::all(self.schema));
        let ends = stem.match_indices('_').map(|(at, _)| &stem[at + 1..]);
        let own = all.get(&table.name.schema);
        let in_a_role = || ends.clone().find_map(|end| own?.get(end).copied().filter(fits));
        let elsewhere = || {
            let mut found = all.values().filter_map(|of_schema| of_schema.get(&stem).copied());
            found.next().filter(|_| found.next().is_none()).filter(fits)
        };
        in_a_role().or_else(elsewhere)
    }

    /// The table of a schema that a name with an underscore between its words stands for.
    pub(super) fn named(&self, schema: &Name, words: &str) -> Option<&'a Relation> {
        self.by_name.get_or_init(|| Tables::all(self.schema)).get(schema)?.get(words).copied()
    }

    /// The table of the same schema that the column is named after, whose one-column key has the column's type.
    pub(super) fn target(
        &self,
        context: &SchemaContext<'a>,
        table: &'a Relation,
        column: &'a Column,
    ) -> Option<&'a Relation> {
        if keys::primary_key(table) == [column.id] {
            return None;
        }
        let type_name = context.type_name(column)?;
        if !matches!(type_name, "int2" | "int4" | "int8" | "uuid" | "text" | "varchar" | "serial4" | "serial8") {
            return None;
        }
        let named = |stem: &str| self.named(&table.name.schema, stem);
        let fits = |target: &&'a Relation| {
            let key = single_key(target).and_then(|key| context.type_name(key));
            target.id != table.id && key.is_some_and(|key| key == type_name || is_whole(key) && is_whole(type_name))
        };
        // order_id: the table's name, and what stands for a key.
        let by_ending = || named(&words::joined(stem(column)?)).filter(fits);
        // account_no, country_code: the table's name, and its key's.
        let by_key = || {
            let words = words::joined(column.name.as_str());
            words.match_indices('_').find_map(|(at, _)| {
                let target = named(&words[..at]).filter(fits)?;
                (words::joined(single_key(target)?.name.as_str()) == words[at + 1..]).then_some(target)
            })
        };
        by_ending().or_else(by_key)
    }
}

/// Whole numbers reference whole numbers, however wide.
fn is_whole(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8")
}

/// The column of a primary key of one.
pub(super) fn single_key(table: &Relation) -> Option<&Column> {
    let [key] = keys::primary_key(table) else { return None };
    table.column_by_id(*key)
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
        assert!(report.findings.iter().all(|finding| *finding.rule != RULE), "{:?}", report.findings);
    }
}
