//! Tables whose rows nothing keeps apart.

use super::ask::keys;
use super::{Discovery, SchemaContext};
use crate::change::IndexElement;
use crate::contract::Subject;
use crate::finding::{Category, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::{Index, Relation};

pub static RULE: Rule = Rule {
    name: "missing-primary-key",
    category: Category::Keys,
    severity: Severity::Warning,
    summary: "A table has no primary key",
    explanation: "Without a key the same row can be stored twice and nobody can say which one is right; logical replication refuses UPDATE and DELETE, \
        and tools that repack, copy or compare tables need a key. Where a unique index on NOT NULL columns exists, it is nearly one: it only has to be \
        named the primary key, which takes an instant. Partitions are told with their parent.",
    fires: Example { given: "", migration: "CREATE TABLE visits (at timestamptz NOT NULL, page text NOT NULL);" },
    quiet: Example {
        given: "",
        migration: "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, page text NOT NULL);",
    },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables().filter(|table| table.primary_key().is_none()) {
        let name = &table.name;
        let discovery = context.discovery(&RULE, Subject::Relation(table.id), format!("{name} has no primary key"));
        let candidate = keys::unique_keys(context, table).find(|(_, index)| could_be_primary(table, index));
        found.push(match candidate {
            Some((index, of)) => {
                let columns = of.columns.iter().flatten().copied().collect::<Vec<_>>();
                discovery
                    .severity(Severity::Info)
                    .declared(format!(
                        "unique index {} on {} keeps the rows apart, and its columns are NOT NULL",
                        index.name.name,
                        context.column_names(table, &columns)
                    ))
                    .when_new("Make its columns the primary key.")
                    .advice(
                        if table.is_partitioned() {
                            "A primary key on the same columns says it; on a partitioned table it builds its index on every partition under ACCESS EXCLUSIVE, so add it on the partitions one after the other (ADD PRIMARY KEY USING INDEX), then on the parent."
                        } else if fits_primary_key(of) {
                            "Name the unique index the primary key:"
                        } else {
                            "Its order, operator class or collation is not the default one, which a primary key needs; build an index that fits:"
                        },
                        promote(context, table, index, of),
                    )
            }
            None if partial_keys(context, table) => discovery
                .severity(Severity::Info)
                .declared("unique indexes keep its rows apart, each for some of them or with columns that may be NULL")
                .when_new(new_advice(context, table))
                .advice(advice(context, table), add_key(context, table)),
            None => discovery
                .declared("no index keeps its rows apart")
                .when_new(new_advice(context, table))
                .advice(advice(context, table), add_key(context, table)),
        });
    }
}

fn could_be_primary(table: &Relation, index: &Index) -> bool {
    index.predicate.is_none()
        && keys::plain_columns(index).is_some_and(|columns| {
            columns.iter().all(|id| table.column_by_id(*id).is_some_and(|column| column.not_null.enforced()))
        })
}

/// Two unique indexes, or one for which NULLs are equal, leave no two rows alike, though none of them can be the primary key.
fn partial_keys(context: &SchemaContext, table: &Relation) -> bool {
    let keys: Vec<&Index> = keys::unique_keys(context, table).map(|(_, index)| index).collect();
    keys.iter().any(|index| index.nulls_not_distinct && index.predicate.is_none())
        || keys.iter().any(|index| index.predicate.is_some()) && keys.len() > 1
}

/// The index takes the constraint's name; a unique constraint has to let go of it first.
fn promote(context: &SchemaContext, table: &Relation, index: &Relation, of: &Index) -> Vec<FixStep> {
    let name = &table.name;
    match &of.constraint {
        // No constraint takes an index of a partitioned table; ADD PRIMARY KEY builds one on each partition under ACCESS EXCLUSIVE.
        _ if table.is_partitioned() => Vec::new(),
        // What a foreign key goes by cannot be let go of.
        Some(_) if context.schema.foreign_keys_to(table.id).next().is_some() => Vec::new(),
        None if fits_primary_key(of) => vec![FixStep::own(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {};",
            crate::schema::make_object_name(table.name.name.as_str(), None, "pkey"),
            index.name.name
        ))],
        replaced => {
            let columns = of.columns.iter().flatten().copied().collect::<Vec<_>>();
            let new = context.free_name(table, "", "pkey");
            let drop = replaced.as_ref().map(|it| format!("DROP CONSTRAINT {it}, ")).unwrap_or_default();
            vec![
                FixStep::none(format!(
                    "CREATE UNIQUE INDEX CONCURRENTLY {new} ON {name} ({});",
                    context.column_names(table, &columns)
                )),
                FixStep::own(format!("ALTER TABLE {name} {drop}ADD CONSTRAINT {new} PRIMARY KEY USING INDEX {new};")),
            ]
        }
    }
}

/// What the server takes as the index of a primary key: the default order, operator classes and collations, and NULLs that are
/// distinct (transformIndexConstraint, parse_utilcmd.c).
fn fits_primary_key(index: &Index) -> bool {
    let is_default = |element: &IndexElement| {
        !element.descending
            && element.nulls_first != Some(true)
            && element.operator_class.is_none()
            && element.collation.is_none()
    };
    !index.nulls_not_distinct && index.elements.iter().all(is_default)
}

/// Two foreign keys and nothing that numbers rows: the pair is the key.
fn junction(table: &Relation) -> Option<Vec<crate::schema::ColumnId>> {
    let mut columns: Vec<_> =
        table.foreign_keys().filter(|(_, key)| key.columns.len() == 1).map(|(_, key)| key.columns[0]).collect();
    columns.sort();
    columns.dedup();
    (columns.len() == 2 && table.columns.len() <= 4).then_some(columns)
}

fn new_advice(context: &SchemaContext, table: &Relation) -> String {
    match junction(table) {
        Some(columns) => format!("Make the pair the key: PRIMARY KEY ({}).", context.column_names(table, &columns)),
        None => "Name the columns that tell two rows apart as the key, or number the rows: id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY.".to_owned(),
    }
}

fn advice(context: &SchemaContext, table: &Relation) -> String {
    match junction(table) {
        Some(columns) => format!(
            "Make the pair the key, once no pair is there twice: PRIMARY KEY ({}).",
            context.column_names(table, &columns)
        ),
        None => "Name the columns that tell two rows apart as the key, or number the rows. A new table takes id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY; \
            on a table with rows, adding that column rewrites it, and these steps do not (repeat the UPDATE until it changes no row):"
            .to_owned(),
    }
}

fn add_key(context: &SchemaContext, table: &Relation) -> Vec<FixStep> {
    let name = &table.name;
    let index = context.free_name(table, "", "pkey");
    if let Some(columns) = junction(table).filter(|_| !table.is_partitioned()) {
        let list = context.column_names(table, &columns);
        return vec![
            FixStep::none(format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {name} ({list});")),
            FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index};")),
        ];
    }
    if table.is_partitioned() || table.columns.iter().any(|column| column.name == "id") {
        return Vec::new();
    }
    let sequence = context.free_name(table, "id", "seq");
    let schema = &table.name.schema;
    vec![
        FixStep::own(format!("ALTER TABLE {name} ADD COLUMN id bigint;")),
        FixStep::any(format!("CREATE SEQUENCE {schema}.{sequence} OWNED BY {name}.id;")),
        FixStep::own(format!("ALTER TABLE {name} ALTER COLUMN id SET DEFAULT nextval('{schema}.{sequence}');")),
        FixStep::batch(format!(
            "UPDATE {name} SET id = DEFAULT WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} WHERE id IS NULL LIMIT 5000));"
        )),
        FixStep::none(format!("CREATE UNIQUE INDEX CONCURRENTLY {index} ON {name} (id);")),
        FixStep::own(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {name_only}_id_check CHECK (id IS NOT NULL) NOT VALID;",
            name_only = short(table)
        )),
        FixStep::own(format!("ALTER TABLE {name} VALIDATE CONSTRAINT {}_id_check;", short(table))),
        FixStep::own(format!("ALTER TABLE {name} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index};")),
        FixStep::own(format!("ALTER TABLE {name} DROP CONSTRAINT {}_id_check;", short(table))),
    ]
}

/// The table's name without quotes or schema, short enough to lead another name.
fn short(table: &Relation) -> String {
    table
        .name
        .name
        .as_str()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(40)
        .collect::<String>()
        .to_ascii_lowercase()
}
