//! Values for columns that make their own, and rows that are not there yet.

use sqlparser::ast;

use super::super::predictor::Predictor;
use crate::change::{Insert, Name, RelationUse, Update};
use crate::schema::{Column, IdentityKind, RelationKind};

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

fn is_default(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}
