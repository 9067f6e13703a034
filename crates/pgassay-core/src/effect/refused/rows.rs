//! Values for columns that make their own, and rows that are not there yet.

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::change::{Insert, Name, RelationUse, TriggerTiming, Update};
use crate::schema::{Column, IdentityKind, RelationKind, ResolvedType, Schema, TypeDefinition};

impl Predictor<'_> {
    /// Values for generated columns, and for identity columns GENERATED ALWAYS (rewriteTargetListIU, rewriteHandler.c).
    pub(super) fn refuse_own_values(&mut self, insert: &Insert) {
        let Some(found) = self.find(&insert.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known && it.is_table()).cloned() else { return };
        let ast::Statement::Insert(tree) = &*insert.tree.0 else { return };
        let Some(source) = tree.source.as_ref().filter(|_| !insert.overrides) else { return };
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        let own = |name: &Name| table.column(name).is_some_and(makes_its_own);
        let given = match &*source.body {
            ast::SetExpr::Values(values) => values.rows.iter().find_map(|row| {
                let mut pairs = listed.iter().zip(&row.content);
                pairs.find(|(name, value)| own(name) && !is_default(value)).map(|(name, _)| name)
            }),
            // Without a list a query may give fewer columns than there are.
            _ if insert.columns.is_empty() => None,
            _ => listed.iter().find(|name| own(name)),
        };
        if let Some(name) = given {
            let message = format!("cannot insert a non-DEFAULT value into column \"{}\"", name.as_str());
            self.refused(insert.table.span, name, message);
        }
    }

    /// NULL for a column that must have a value: written, or because nothing else is given (`ExecConstraints`, execMain.c).
    pub(super) fn refuse_nulls(&mut self, insert: &Insert) {
        let Some(found) = self.find(&insert.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known && it.is_table()).cloned() else { return };
        let ast::Statement::Insert(tree) = &*insert.tree.0 else { return };
        let family = self.family(&table, false);
        let changes = |it: &crate::schema::Relation| {
            !it.rules.is_empty() || it.triggers.iter().any(|it| it.timing == TriggerTiming::Before && it.for_each_row)
        };
        let foreign = matches!(table.kind, RelationKind::ForeignTable);
        if foreign || !matches!(insert.rows, Some(1..)) || family.iter().any(|it| changes(it)) {
            return;
        }
        let rows: Vec<&[ast::Expr]> = match tree.source.as_ref().map(|source| &*source.body) {
            Some(ast::SetExpr::Values(values)) => values.rows.iter().map(|row| &row.content[..]).collect(),
            Some(_) => return,
            None => vec![&[] as &[ast::Expr]],
        };
        let listed: Vec<Name> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.clone()).collect(),
            columns => columns.iter().map(|column| column.name.clone()).collect(),
        };
        for row in rows {
            let given = |column: &Column| listed.iter().position(|it| *it == column.name).and_then(|at| row.get(at));
            let is_null = |column: &&Column| match given(column) {
                Some(value) if is_default(value) => !fills_itself(self.schema(), column),
                Some(value) => is_null(value),
                None => !fills_itself(self.schema(), column),
            };
            let null = table.columns.iter().filter(|it| it.not_null.enforced()).find(is_null);
            if let Some(column) = null {
                let message = format!(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    column.name.as_str(),
                    table.name.name.as_str()
                );
                return self.refused(insert.table.span, &column.name, message);
            }
        }
    }

    pub(super) fn refuse_own_assignments(&mut self, update: &Update) {
        let Some(found) = self.find(&update.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known && it.is_table()).cloned() else { return };
        let ast::Statement::Update(tree) = &*update.tree.0 else { return };
        for assignment in &tree.assignments {
            let ast::AssignmentTarget::ColumnName(name) = &assignment.target else { continue };
            let column = super::super::written::column(name).and_then(|name| table.column(&name).cloned());
            if let Some(column) = column.filter(|it| makes_its_own(it) && !is_default(&assignment.value)) {
                let message = format!("column \"{}\" can only be updated to DEFAULT", column.name.as_str());
                return self.refused(update.table.span, &column.name, message);
            }
        }
    }

    /// A materialized view that was made WITH NO DATA cannot be read.
    pub(super) fn refuse_unpopulated(&mut self, uses: &[RelationUse]) {
        for used in uses {
            let Some(found) = self.find(&used.relation) else { continue };
            if let RelationKind::MaterializedView(view) = &found.kind
                && !view.populated
                && found.known
            {
                let message = format!("materialized view \"{}\" has not been populated", found.name.name.as_str());
                return self.refused(used.relation.span, &found.name, message);
            }
        }
    }
}

fn makes_its_own(column: &Column) -> bool {
    column.generated.is_some() || column.identity == Some(IdentityKind::Always)
}

/// Has a value where none is given.
pub(super) fn fills_itself(schema: &Schema, column: &Column) -> bool {
    let by_domain = match column.data_type.resolved {
        ResolvedType::User(id) => {
            matches!(schema.types.get(&id).map(|it| &it.definition), Some(TypeDefinition::Domain(_)))
        }
        ResolvedType::Unknown => true,
        ResolvedType::BuiltIn | ResolvedType::Row(_) => false,
    };
    let by_default = column.default.as_ref().is_some_and(|it| !is_null(&it.tree));
    by_domain || by_default || column.identity.is_some() || column.generated.is_some() || column.sequence.is_some()
}

fn is_null(value: &ast::Expr) -> bool {
    match value {
        ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => is_null(inner),
        ast::Expr::Value(value) => value.value == ast::Value::Null,
        _ => false,
    }
}

pub(super) fn is_default(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}
