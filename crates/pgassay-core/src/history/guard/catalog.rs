//! The rows that the system catalogs and the information schema have of the model.

use std::collections::BTreeMap;

use sqlparser::ast;

use super::value::{World, oid, oid_of};
use crate::change::QualifiedName;
use crate::expression::Value;
use crate::schema::{ConstraintKind, Relation, RelationKind, TypeDefinition};

/// One row, under the name by which the query calls its table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub table: String,
    pub columns: BTreeMap<&'static str, Value>,
    /// Not one that may be gone or made by what nobody could read.
    pub certain: bool,
}

/// The rows of a catalog that `conditions`, all of which have to hold, do not exclude by name; `None` for tables that are no catalog, and
/// catalogs that the model does not keep.
pub(super) fn rows(
    name: &ast::ObjectName,
    alias: Option<&ast::TableAlias>,
    conditions: &[&ast::Expr],
    world: &World,
) -> Option<Vec<Row>> {
    let parts: Vec<String> =
        name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.to_ascii_lowercase()).collect();
    let (schema, table) = match &parts[..] {
        [table] => (None, table.as_str()),
        [schema, table] => (Some(schema.as_str()), table.as_str()),
        _ => return None,
    };
    let called = alias.map_or_else(|| table.to_owned(), |alias| alias.name.value.to_ascii_lowercase());
    let relation = name_column(table).and_then(|column| relation_asked(&called, column, conditions));
    let world = Asked { world, relation };
    let found = match schema {
        Some("information_schema") => information_schema(table, &world)?,
        None | Some("pg_catalog") => pg_catalog(table, &world)?,
        Some(_) => return None,
    };
    let row =
        |(certain, columns): Found| Row { table: called.clone(), columns: columns.into_iter().collect(), certain };
    Some(found.into_iter().map(row).collect())
}

/// Whether it is certain, and the columns that are known of it.
type Found = (bool, Vec<(&'static str, Value)>);

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn of_schema(name: &QualifiedName) -> Value {
    text(oid_of(&QualifiedName::new("schema", name.schema.clone())))
}

/// The world, and the one relation that is asked for, where it is.
struct Asked<'w, 'a> {
    world: &'w World<'a>,
    relation: Option<&'w str>,
}

impl<'a> std::ops::Deref for Asked<'_, 'a> {
    type Target = World<'a>;

    fn deref(&self) -> &World<'a> {
        self.world
    }
}

/// The column of a catalog that holds the name of the relation that a row is about.
fn name_column(table: &str) -> Option<&'static str> {
    Some(match table {
        "pg_class" => "relname",
        "pg_tables" => "tablename",
        "pg_views" => "viewname",
        "pg_matviews" => "matviewname",
        "pg_sequences" => "sequencename",
        "pg_indexes" => "indexname",
        "tables" | "views" | "columns" | "table_constraints" => "table_name",
        "triggers" => "event_object_table",
        _ => return None,
    })
}

/// The name that the relation of every row must have, by a condition such as `relname = 'orders'`: without it, each question would go
/// through all relations.
fn relation_asked<'c>(called: &str, name: &str, conditions: &[&'c ast::Expr]) -> Option<&'c str> {
    let is_its = |part: &ast::Expr| {
        let (table, column) = match part {
            ast::Expr::Identifier(column) => (None, column),
            ast::Expr::CompoundIdentifier(parts) => match &parts[..] {
                [table, column] => (Some(table), column),
                _ => return false,
            },
            _ => return false,
        };
        table.is_none_or(|table| table.value.to_ascii_lowercase() == called)
            && column.value.to_ascii_lowercase() == name
    };
    conditions.iter().find_map(|condition| match condition {
        ast::Expr::Nested(inner) => relation_asked(called, name, &[inner]),
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            relation_asked(called, name, &[left, right])
        }
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => {
            let value = match (is_its(left), is_its(right)) {
                (true, false) => right,
                (false, true) => left,
                _ => return None,
            };
            match &**value {
                ast::Expr::Value(value) => match &value.value {
                    ast::Value::SingleQuotedString(text) => Some(text.as_str()),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    })
}

fn relations<'w>(
    world: &'w Asked<'w, '_>,
    of: impl Fn(&Relation) -> bool + 'w,
) -> impl Iterator<Item = (bool, &'w Relation)> + 'w {
    let schema = world.world.schema;
    let all = world.relation.is_none().then(|| schema.relations.values());
    let named = world.relation.into_iter().flat_map(|name| schema.relations_named(name));
    let found = all.into_iter().flatten().chain(named).map(|relation| &**relation);
    found.filter(move |relation| of(relation)).map(|relation| (!schema.is_doubtful(relation), relation))
}

/// The tables of the information schema.
fn information_schema(table: &str, world: &Asked) -> Option<Vec<Found>> {
    let named = |relation: &Relation| {
        vec![("table_schema", text(relation.name.schema.as_str())), ("table_name", text(relation.name.name.as_str()))]
    };
    let is_seen =
        |relation: &Relation| relation.is_queryable() && !matches!(relation.kind, RelationKind::MaterializedView(_));
    Some(match table {
        "tables" => relations(world, is_seen)
            .map(|(certain, relation)| {
                let kind = match relation.kind {
                    RelationKind::View(_) => "VIEW",
                    RelationKind::ForeignTable => "FOREIGN",
                    _ => "BASE TABLE",
                };
                (certain, [named(relation), vec![("table_type", text(kind))]].concat())
            })
            .collect(),
        "views" => relations(world, |it| matches!(it.kind, RelationKind::View(_)))
            .map(|(certain, relation)| (certain, named(relation)))
            .collect(),
        "columns" => relations(world, is_seen)
            .flat_map(|(certain, relation)| {
                let row = move |column: &crate::schema::Column| {
                    let own = vec![
                        ("column_name", text(column.name.as_str())),
                        ("is_nullable", text(if column.not_null.enforced() { "NO" } else { "YES" })),
                    ];
                    (certain, [named(relation), own].concat())
                };
                relation.columns.iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
        "table_constraints" | "referential_constraints" => relations(world, Relation::is_table)
            .flat_map(|(certain, relation)| {
                let row = move |constraint: &crate::schema::Constraint| {
                    let kind = match constraint.kind {
                        ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
                        ConstraintKind::Unique { .. } => "UNIQUE",
                        ConstraintKind::ForeignKey(_) => "FOREIGN KEY",
                        ConstraintKind::Check { .. } => "CHECK",
                        ConstraintKind::NotNull(_) | ConstraintKind::Exclude { .. } => return None,
                    };
                    let own = vec![
                        ("constraint_schema", text(relation.name.schema.as_str())),
                        ("constraint_name", text(constraint.name.as_str())),
                        ("constraint_type", text(kind)),
                    ];
                    Some((certain, [named(relation), own].concat()))
                };
                relation.constraints.iter().filter_map(row).collect::<Vec<_>>()
            })
            .filter(|(_, columns)| {
                table == "table_constraints" || columns.contains(&("constraint_type", text("FOREIGN KEY")))
            })
            .collect(),
        "triggers" => relations(world, |_| true)
            .flat_map(|(certain, relation)| {
                let row = move |trigger: &crate::schema::Trigger| {
                    let columns = vec![
                        ("trigger_schema", text(relation.name.schema.as_str())),
                        ("trigger_name", text(trigger.name.as_str())),
                        ("event_object_schema", text(relation.name.schema.as_str())),
                        ("event_object_table", text(relation.name.name.as_str())),
                    ];
                    (certain, columns)
                };
                relation.triggers.iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
        "sequences" => relations(world, |it| matches!(it.kind, RelationKind::Sequence(_)))
            .map(|(certain, it)| {
                let names = vec![
                    ("sequence_schema", text(it.name.schema.as_str())),
                    ("sequence_name", text(it.name.name.as_str())),
                ];
                (certain, names)
            })
            .collect(),
        "schemata" => {
            world.schema.namespaces.keys().map(|name| (true, vec![("schema_name", text(name.as_str()))])).collect()
        }
        "routines" if world.schema.extensions.is_empty() => routines(world, "routine_schema", "routine_name"),
        _ => return None,
    })
}

fn routines(world: &Asked, schema: &'static str, name: &'static str) -> Vec<Found> {
    let row = |routine: &std::sync::Arc<crate::schema::Routine>| {
        let certain = !world.schema.is_disturbed() && !world.schema.is_doubtful_name(routine.name.name.as_str());
        let columns = vec![
            (schema, text(routine.name.schema.as_str())),
            (name, text(routine.name.name.as_str())),
            ("pronamespace", of_schema(&routine.name)),
        ];
        (certain, columns)
    };
    world.schema.routines.values().map(row).collect()
}

fn pg_catalog(table: &str, world: &Asked) -> Option<Vec<Found>> {
    let listed = |schema: &'static str, name: &'static str, of: fn(&Relation) -> bool| -> Vec<Found> {
        let row = |(certain, it): (bool, &Relation)| {
            (certain, vec![(schema, text(it.name.schema.as_str())), (name, text(it.name.name.as_str()))])
        };
        relations(world, of).map(row).collect()
    };
    Some(match table {
        "pg_class" => relations(world, |_| true).map(|(certain, it)| (certain, class(it))).collect(),
        "pg_tables" => listed("schemaname", "tablename", |it| it.is_table() && it.kind != RelationKind::ForeignTable),
        "pg_views" => listed("schemaname", "viewname", |it| matches!(it.kind, RelationKind::View(_))),
        "pg_matviews" => listed("schemaname", "matviewname", |it| matches!(it.kind, RelationKind::MaterializedView(_))),
        "pg_sequences" => listed("schemaname", "sequencename", |it| matches!(it.kind, RelationKind::Sequence(_))),
        "pg_indexes" => of_indexes(world, |index, table| {
            vec![
                ("schemaname", text(index.name.schema.as_str())),
                ("tablename", text(table.name.name.as_str())),
                ("indexname", text(index.name.name.as_str())),
            ]
        }),
        "pg_index" => of_indexes(world, |index, table| {
            let valid = index.as_index().is_some_and(|it| it.valid);
            vec![("indexrelid", text(oid(index))), ("indrelid", text(oid(table))), ("indisvalid", text(valid))]
        }),
        "pg_namespace" => {
            let row = |name: &crate::change::Name| {
                let own = oid_of(&QualifiedName::new("schema", name.clone()));
                (true, vec![("nspname", text(name.as_str())), ("oid", text(own))])
            };
            world.schema.namespaces.keys().map(row).collect()
        }
        "pg_constraint" => relations(world, Relation::is_table).flat_map(|(c, it)| constraints(c, it, world)).collect(),
        "pg_attribute" => relations(world, |_| true)
            .flat_map(|(certain, it)| {
                let row = move |column: &crate::schema::Column| {
                    let columns = vec![
                        ("attrelid", text(oid(it))),
                        ("attname", text(column.name.as_str())),
                        ("attisdropped", text(false)),
                        ("attnotnull", text(column.not_null.enforced())),
                    ];
                    (certain, columns)
                };
                it.columns.iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
        "pg_trigger" => relations(world, |_| true)
            .flat_map(|(certain, it)| {
                let row = move |trigger: &crate::schema::Trigger| {
                    let columns = vec![
                        ("tgname", text(trigger.name.as_str())),
                        ("tgrelid", text(oid(it))),
                        ("tgisinternal", text(false)),
                    ];
                    (certain, columns)
                };
                it.triggers.iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
        "pg_policies" | "pg_policy" => relations(world, |_| true)
            .flat_map(|(certain, it)| {
                let row = move |policy: &crate::schema::Policy| {
                    let columns = vec![
                        ("schemaname", text(it.name.schema.as_str())),
                        ("tablename", text(it.name.name.as_str())),
                        ("policyname", text(policy.name.as_str())),
                        ("polname", text(policy.name.as_str())),
                        ("polrelid", text(oid(it))),
                    ];
                    (certain, columns)
                };
                it.policies.iter().map(row).collect::<Vec<_>>()
            })
            .collect(),
        // Extensions bring types and functions of their own.
        "pg_type" if world.schema.extensions.is_empty() => types(world),
        "pg_enum" => labels(world),
        "pg_proc" if world.schema.extensions.is_empty() => routines(world, "nspname", "proname"),
        "pg_extension" => {
            world.schema.extensions.keys().map(|name| (true, vec![("extname", text(name.as_str()))])).collect()
        }
        "pg_publication" => {
            world.schema.publications.keys().map(|name| (true, vec![("pubname", text(name.as_str()))])).collect()
        }
        _ => return None,
    })
}

fn class(relation: &Relation) -> Vec<(&'static str, Value)> {
    let kind = match &relation.kind {
        RelationKind::Table => "r",
        RelationKind::PartitionedTable(_) => "p",
        RelationKind::ForeignTable => "f",
        RelationKind::View(_) => "v",
        RelationKind::MaterializedView(_) => "m",
        RelationKind::Index(index) if index.partitioned => "I",
        RelationKind::Index(_) => "i",
        RelationKind::Sequence(_) => "S",
    };
    vec![
        ("oid", text(oid(relation))),
        ("relname", text(relation.name.name.as_str())),
        ("relnamespace", of_schema(&relation.name)),
        ("relkind", text(kind)),
        ("relrowsecurity", text(relation.row_security)),
        ("relforcerowsecurity", text(relation.force_row_security)),
    ]
}

fn of_indexes(world: &Asked, row: impl Fn(&Relation, &Relation) -> Vec<(&'static str, Value)>) -> Vec<Found> {
    let found = relations(world, |it| it.as_index().is_some()).filter_map(|(certain, index)| {
        let table = world.schema.relation(index.as_index()?.table)?;
        Some((certain && !world.schema.is_doubtful(table), row(index, table)))
    });
    found.collect()
}

fn constraints(certain: bool, relation: &Relation, world: &Asked) -> Vec<Found> {
    let row = |constraint: &crate::schema::Constraint| {
        let kind = match &constraint.kind {
            ConstraintKind::PrimaryKey { .. } => "p",
            ConstraintKind::Unique { .. } => "u",
            ConstraintKind::ForeignKey(_) => "f",
            ConstraintKind::Check { .. } => "c",
            ConstraintKind::Exclude { .. } => "x",
            // Rows of their own only on 18.
            ConstraintKind::NotNull(_) => return None,
        };
        let referenced = match &constraint.kind {
            ConstraintKind::ForeignKey(key) => world.schema.relation(key.referenced).map(|it| text(oid(it))),
            _ => None,
        };
        let columns = vec![
            ("conname", text(constraint.name.as_str())),
            ("conrelid", text(oid(relation))),
            ("confrelid", referenced.unwrap_or(Value::Unknown)),
            ("contype", text(kind)),
            ("convalidated", text(constraint.validated)),
            ("connamespace", of_schema(&relation.name)),
        ];
        Some((certain, columns))
    };
    relation.constraints.iter().filter_map(row).collect()
}

fn types(world: &Asked) -> Vec<Found> {
    let row = |of: &std::sync::Arc<crate::schema::Type>| {
        let certain = !world.schema.is_disturbed() && !world.schema.is_doubtful_name(of.name.name.as_str());
        let kind = match of.definition {
            TypeDefinition::Enum(_) => "e",
            TypeDefinition::Domain(_) => "d",
            TypeDefinition::Composite(_) => "c",
            TypeDefinition::Range { .. } => "r",
            TypeDefinition::Base | TypeDefinition::Shell => "b",
        };
        let columns = vec![
            ("oid", text(oid_of(&of.name))),
            ("typname", text(of.name.name.as_str())),
            ("typtype", text(kind)),
            ("typnamespace", of_schema(&of.name)),
        ];
        (certain, columns)
    };
    // Every relation has a row type.
    let of_relation = |(certain, it): (bool, &Relation)| {
        let columns = vec![
            ("typname", text(it.name.name.as_str())),
            ("typtype", text("c")),
            ("typnamespace", of_schema(&it.name)),
        ];
        (certain, columns)
    };
    let own = world.schema.types.values().map(row);
    own.chain(relations(world, Relation::is_queryable).map(of_relation)).collect()
}

fn labels(world: &Asked) -> Vec<Found> {
    let rows = world.schema.types.values().flat_map(|of| {
        let certain = !world.schema.is_disturbed() && !world.schema.is_doubtful_name(of.name.name.as_str());
        let labels = match &of.definition {
            TypeDefinition::Enum(labels) => &labels[..],
            _ => &[],
        };
        let row = move |label: &std::sync::Arc<str>| {
            (certain, vec![("enumlabel", text(label)), ("enumtypid", text(oid_of(&of.name)))])
        };
        labels.iter().map(row).collect::<Vec<_>>()
    });
    rows.collect()
}
