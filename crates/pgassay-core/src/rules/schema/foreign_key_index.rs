//! Foreign keys whose rows cannot be found from the other side.

use super::ask::{keys, steps};
use super::{Discovery, SchemaContext, hot};
use crate::change::ReferentialAction;
use crate::contract::Subject;
use crate::finding::{Category, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{ForeignKey, Relation};

pub static RULE: Rule = Rule {
    name: "foreign-key-without-index",
    category: Category::Indexes,
    severity: Severity::Warning,
    summary: "A foreign key has no index that finds its rows",
    explanation: "DELETE of a referenced row, or UPDATE of its key, looks for the rows that reference it: without an index that is a scan of the whole table, \
        for every row deleted, while the deleted row stays locked. Joins from the other side scan too. An index serves if it is valid, leads with the columns \
        in any order, and is not partial but for IS NOT NULL; a unique one that has only some of the columns finds the one row. An info where nothing is deleted by the key itself, \
        or an index leads with one of the columns, and silence where the referenced \
        table is measured to be a short list of which no row was ever deleted.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE order_lines (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE);",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        migration: "CREATE TABLE order_lines (order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, line int NOT NULL, PRIMARY KEY (order_id, line));",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    let hot = hot::unserved(context);
    for table in context.tables() {
        for (constraint, key) in table.foreign_keys().filter(|(constraint, _)| constraint.local) {
            // A key that is there twice needs one index.
            let is_second = table
                .foreign_keys()
                .take_while(|(other, _)| other.name != constraint.name)
                .any(|(_, other)| other.columns == key.columns && other.on_delete == key.on_delete);
            if is_second || is_found(context, table, key) || was_there(context, table, key) {
                continue;
            }
            let Some(referenced) = context.schema.relation(key.referenced) else { continue };
            let columns = context.column_names(table, &key.columns);
            let acts = acts(key.on_delete);
            let query = key.columns.first().and_then(|first| hot.get(&(table.id, *first)));
            let query = query
                .zip(context.workload)
                .map(|((number, _), workload)| hot::told(&workload.statements[*number], workload));
            if acts.is_none() && query.is_none() && is_list(context, referenced) {
                continue;
            }
            let narrowed = context.indexes(table).find(|(_, index)| keys::narrows(index, &key.columns));
            let near = match narrowed {
                Some((index, of)) => format!(
                    "; {} narrows the search by {}",
                    index.name.name,
                    context.column_names(table, &of.columns.iter().flatten().take(1).copied().collect::<Vec<_>>())
                ),
                None => near_miss(context, table, &key.columns),
            };
            let message = match query {
                Some(_) => format!(
                    "a hot query looks rows of {} up by {columns}, which no index leads with; so does a DELETE from {}",
                    table.name, referenced.name
                ),
                None => message(table, referenced, &columns, acts, narrowed.is_some()),
            };
            let mut discovery = context
                .discovery(&RULE, Subject::Part(table.id, constraint.name.clone()), message)
                .declared(format!("foreign key {} references {}{near}", constraint.name, referenced.name));
            match query {
                Some(query) => discovery = discovery.measured(query),
                None if acts.is_none() || narrowed.is_some() => {
                    discovery = discovery.severity(Severity::Info);
                    discovery.habit = Some("a foreign key has no index that leads with it".to_owned());
                }
                None => {}
            }
            let (text, steps) = steps::create_index(context, table, &columns, "idx");
            found.push(discovery.advice(text, steps));
        }
    }
}

/// What a DELETE from the other table does; `narrowed`: an index serves some of the columns.
fn message(table: &Relation, referenced: &Relation, columns: &str, acts: Option<&str>, narrowed: bool) -> String {
    match acts {
        Some(verb) => format!(
            "deleting from {} {verb} rows of {} found by {columns}, which no index leads with",
            referenced.name, table.name
        ),
        None if narrowed => format!(
            "no index leads with {columns} of {}: a DELETE from {} scans more of it than it needs",
            table.name, referenced.name
        ),
        None => format!(
            "no index leads with {columns} of {}: a DELETE from {} scans the whole table",
            table.name, referenced.name
        ),
    }
}

fn is_found(context: &SchemaContext, table: &Relation, key: &ForeignKey) -> bool {
    context.indexes(table).any(|(_, index)| keys::finds(index, &key.columns) || keys::finds_one(index, &key.columns))
}

/// The migration found the key so, perhaps under another name.
fn was_there(context: &SchemaContext, table: &Relation, key: &ForeignKey) -> bool {
    context.before(table).is_some_and(|(earlier, before)| {
        let at_the_time = SchemaContext { schema: earlier, ..*context };
        before.foreign_keys().any(|(_, other)| other == key) && !is_found(&at_the_time, before, key)
    })
}

/// A short list of values that nobody takes anything from, as far as the counters go: an index on such a column holds few different
/// values and finds most of the table.
fn is_list(context: &SchemaContext, referenced: &Relation) -> bool {
    const LONGEST: f64 = 20.0;
    let Some(facts) = context.table_facts(referenced) else { return false };
    let Some(activity) = &facts.activity else { return false };
    let rows = facts.row_estimate().unwrap_or(activity.live_rows as f64);
    rows > 0.0 && rows <= LONGEST && activity.deletes == 0
}

/// What ON DELETE does to the rows that reference.
fn acts(action: ReferentialAction) -> Option<&'static str> {
    match action {
        ReferentialAction::Cascade => Some("deletes"),
        ReferentialAction::SetNull | ReferentialAction::SetDefault => Some("changes"),
        ReferentialAction::NoAction | ReferentialAction::Restrict => None,
    }
}

/// An index that has the columns and still does not serve.
fn near_miss(context: &SchemaContext, table: &Relation, columns: &[crate::schema::ColumnId]) -> String {
    let miss =
        context.indexes(table).find(|(_, index)| columns.iter().all(|column| index.columns.contains(&Some(*column))));
    let Some((relation, index)) = miss else { return String::new() };
    let why = if !index.valid {
        "is not valid"
    } else if index.predicate.is_none() || keys::holds_all_with(index, columns) {
        "does not lead with them"
    } else {
        "holds only some rows"
    };
    format!("; {} has the columns, but {why}", relation.name.name)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::Example;

    fn is_told(given: &'static str, migration: &'static str) -> bool {
        let (report, _) = RULE.judge(&Example { given, migration });
        report.findings.iter().any(|finding| *finding.rule == RULE)
    }

    #[test]
    fn a_unique_index_on_some_of_the_columns_finds_the_row() {
        let scopes = "CREATE TABLE methods (scope int, id int, UNIQUE (scope, id));
            CREATE TABLE scopes (id int PRIMARY KEY, method int); CREATE TABLE plain (id int, method int); CREATE INDEX ON plain (id);";
        assert!(!is_told(scopes, "ALTER TABLE scopes ADD FOREIGN KEY (id, method) REFERENCES methods (scope, id);"));
        assert!(is_told(scopes, "ALTER TABLE plain ADD FOREIGN KEY (id, method) REFERENCES methods (scope, id);"));
    }

    #[test]
    fn a_key_that_was_there_is_nothing_new_under_another_name() {
        let given = "CREATE TABLE orders (id bigint PRIMARY KEY);
            CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint CONSTRAINT a REFERENCES orders);
            CREATE INDEX by_order ON lines (order_id);";
        assert!(is_told(given, "DROP INDEX by_order;"));
        assert!(!is_told(
            "CREATE TABLE orders (id bigint PRIMARY KEY);
            CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint CONSTRAINT a REFERENCES orders);",
            "ALTER TABLE lines RENAME CONSTRAINT a TO b; ALTER TABLE lines RENAME COLUMN order_id TO of_order;"
        ));
    }
}
