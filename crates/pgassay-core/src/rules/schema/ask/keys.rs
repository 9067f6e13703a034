//! Questions about keys and indexes that several rules ask.

use std::collections::BTreeSet;

use sqlparser::ast::Expr;

use crate::rules::schema::SchemaContext;
use crate::schema::{Column, ColumnId, ConstraintKind, Index, Object, ObjectId, Relation, rewrite};

/// Columns of a table's primary key.
pub fn primary_key(table: &Relation) -> &[ColumnId] {
    match table.primary_key().map(|key| &key.kind) {
        Some(ConstraintKind::PrimaryKey { columns, .. }) => columns,
        _ => &[],
    }
}

/// Whether rows with given values in these columns are found by the index: it is valid, leads with the columns in any order or keeps
/// rows apart by some of them, and holds every row that has values there.
pub fn finds(index: &Index, columns: &[ColumnId]) -> bool {
    let ordered = index.method == "btree" || index.method == "hash" && columns.len() == 1;
    let leading: Vec<ColumnId> = index.columns.iter().take(columns.len()).flatten().copied().collect();
    let leads = leading.len() == columns.len() && columns.iter().all(|column| leading.contains(column));
    let keeps_apart = index.unique && index.columns.iter().all(|column| column.is_some_and(|it| columns.contains(&it)));
    ordered && index.valid && (leads || keeps_apart) && holds_all_with(index, columns)
}

/// Whether an index holds every row that has values in these columns: it has no predicate, or one that says no more than that.
pub fn holds_all_with(index: &Index, columns: &[ColumnId]) -> bool {
    index.predicate.as_ref().is_none_or(|predicate| {
        is_null_test(&predicate.tree) && index.mentions.iter().all(|column| columns.contains(column))
    })
}

/// Whether a unique index finds the one row that has given values in these columns, by some of them.
pub fn finds_one(index: &Index, columns: &[ColumnId]) -> bool {
    index.unique
        && index.valid
        && index.method == "btree"
        && index.predicate.is_none()
        && plain_columns(index).is_some_and(|own| own.iter().all(|id| columns.contains(id)))
}

/// Whether an index of all rows leads with one of these columns, so that fewer rows have to be looked at.
pub fn narrows(index: &Index, columns: &[ColumnId]) -> bool {
    columns.len() > 1
        && index.valid
        && index.method == "btree"
        && index.predicate.is_none()
        && index.columns.first().is_some_and(|first| first.is_some_and(|first| columns.contains(&first)))
}

/// `c IS NOT NULL`, and nothing else.
fn is_null_test(predicate: &Expr) -> bool {
    match predicate {
        Expr::Nested(inner) => is_null_test(inner),
        Expr::IsNotNull(inner) => matches!(&**inner, Expr::Identifier(_) | Expr::Nested(_)),
        _ => false,
    }
}

/// Columns of every key that keeps all rows apart: primary keys, unique constraints and indexes without a predicate.
pub fn unique_keys<'a>(
    context: &SchemaContext<'a>,
    table: &'a Relation,
) -> impl Iterator<Item = (&'a Relation, &'a Index)> {
    context.indexes(table).filter(|(_, index)| index.unique && index.valid && index.method == "btree")
}

/// Whether some of the columns of a unique index are a key already: none of them can be NULL, and another index keeps them apart.
pub fn contains_a_key(context: &SchemaContext, table: &Relation, index: &Index) -> bool {
    let Some(columns) = plain_columns(index) else { return false };
    unique_keys(context, table).any(|(_, other)| {
        other.predicate.is_none()
            && plain_columns(other).is_some_and(|inner| {
                inner.len() < columns.len()
                    && inner.iter().all(|id| {
                        columns.contains(id)
                            && (other.primary
                                || table.column_by_id(*id).is_some_and(|column| !context.is_nullable(column)))
                    })
            })
    })
}

/// The columns of an index, where all its elements are columns.
pub fn plain_columns(index: &Index) -> Option<Vec<ColumnId>> {
    index.columns.iter().copied().collect()
}

/// The foreign key that starts at a column alone.
pub fn is_foreign_key(table: &Relation, column: ColumnId) -> bool {
    table.foreign_keys().any(|(_, key)| key.columns.contains(&column))
}

/// A condition of the table that speaks of a column.
pub fn has_check(context: &SchemaContext, table: &Relation, column: ColumnId) -> bool {
    let own = table
        .constraints
        .iter()
        .any(|it| matches!(&it.kind, ConstraintKind::Check { columns, .. } if columns.contains(&column)));
    let of_domain = || {
        let Some(column) = table.column_by_id(column) else { return false };
        let crate::schema::ResolvedType::User(id) = column.data_type.resolved else { return false };
        context.schema.types.get(&id).is_some_and(|found| {
            matches!(&found.definition, crate::schema::TypeDefinition::Domain(domain) if !domain.constraints.is_empty())
        })
    };
    own || of_domain()
}

/// Whether a condition of the table says which values a column takes, and not only that there is something in it.
pub fn is_listed(context: &SchemaContext, table: &Relation, column: ColumnId) -> bool {
    let only_filled = |text: &str| {
        let text = text.to_ascii_lowercase();
        let compares = text.contains("<> ''") || text.contains("!= ''") || text.contains("length(");
        let lists =
            [" in (", "any (", "~", " like ", " similar ", " or ", "<= ", "< "].iter().any(|it| text.contains(it));
        compares && !lists && !text.contains(" = '")
    };
    let lists = |constraint: &crate::schema::Constraint| matches!(&constraint.kind, ConstraintKind::Check { columns, expression, .. } if columns.contains(&column) && !only_filled(&expression.text));
    let speaks = |constraint: &crate::schema::Constraint| matches!(&constraint.kind, ConstraintKind::Check { columns, .. } if columns.contains(&column));
    match table.constraints.iter().any(speaks) {
        true => table.constraints.iter().any(lists),
        false => has_check(context, table, column),
    }
}

/// The columns that take their numbers from a sequence: the one that owns it, and those whose default is its nextval and no more.
/// Partitions are told with their parent.
pub fn numbered_by<'a>(context: &SchemaContext<'a>, sequence: &Relation) -> Vec<(&'a Relation, &'a Column)> {
    let schema = context.schema;
    let by_default = schema.dependencies.on(ObjectId::Relation(sequence.id)).filter_map(|object| match object {
        Object::Default(table, column) => Some((*table, *column)),
        _ => None,
    });
    let all: BTreeSet<_> = schema.sequence_owner(sequence.id).into_iter().chain(by_default).collect();
    let columns = all.into_iter().filter_map(|(table, column)| {
        let table = &**schema.relation(table)?;
        Some((table, table.column_by_id(column)?))
    });
    let takes_numbers = |column: &Column| {
        column.sequence == Some(sequence.id)
            || column.default.as_ref().is_some_and(|default| rewrite::is_nextval(&default.tree))
    };
    columns.filter(|(table, column)| !table.is_partition() && takes_numbers(column)).collect()
}
