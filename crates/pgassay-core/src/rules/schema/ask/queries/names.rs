//! What names in a query stand for.

use sqlparser::ast::{self, Expr};

use super::walk::Walk;
use crate::change::{Name, ObjectName};
use crate::schema::{ColumnId, Relation, RelationId, Session};
use crate::source::{FileId, Span};
use crate::walk;

impl<'a> Walk<'_, 'a> {
    pub(super) fn relation(&self, name: &ast::ObjectName) -> Option<&'a Relation> {
        let parts: Vec<Name> = name.0.iter().filter_map(|part| part.as_ident()).map(Name::of_ident).collect();
        let (last, before) = parts.split_last()?;
        if before.is_empty() && self.scopes.iter().any(|(_, names)| names.contains(last)) {
            return None;
        }
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let name = ObjectName { schema: before.last().cloned(), name: last.clone(), span };
        let schema = self.context.schema;
        if let Some(found) = schema.find_relation(&name, &Session::default()) {
            return found.is_table().then_some(&**found);
        }
        if !before.is_empty() {
            return None;
        }
        // Applications have a search_path of their own: a name that only one schema has is that one.
        match self.names.get(last).map(Vec::as_slice) {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// The column that an expression is.
    pub(super) fn column(&self, expr: &Expr) -> Option<(RelationId, ColumnId)> {
        match expr {
            Expr::Nested(inner) => self.column(inner),
            Expr::Identifier(ident) => {
                let name = Name::of_ident(ident);
                for (sources, _) in self.scopes.iter().rev() {
                    let mut hits = sources
                        .iter()
                        .filter_map(|source| Some((source.relation.id, source.relation.column(&name)?.id)));
                    if let Some(hit) = hits.next() {
                        return hits.next().is_none().then_some(hit);
                    }
                }
                None
            }
            Expr::CompoundIdentifier(parts) => {
                let [.., table, column] = &parts[..] else { return None };
                let (table, column) = (Name::of_ident(table), Name::of_ident(column));
                let source =
                    self.scopes.iter().rev().flat_map(|(sources, _)| sources).find(|source| source.alias == table)?;
                Some((source.relation.id, source.relation.column(&column)?.id))
            }
            _ => None,
        }
    }

    pub(super) fn columns_in(&self, expr: &Expr) -> Vec<(RelationId, ColumnId)> {
        let mut found = Vec::new();
        let _ = walk::visit_expressions(expr, |part| {
            found.extend(self.column(part));
            std::ops::ControlFlow::<()>::Continue(())
        });
        found
    }
}
