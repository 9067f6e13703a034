//! What INSERT … ON CONFLICT may name (`infer_arbiter_indexes`, plancat.c).

use super::super::predictor::Predictor;
use crate::change::Insert;
use crate::schema::{ColumnId, ConstraintKind, Relation, RelationKind};

impl Predictor<'_> {
    pub(super) fn refuse_conflict_target(&mut self, insert: &Insert) {
        let Some(conflict) = &insert.on_conflict else { return };
        let Some(found) = self.find(&insert.table) else { return };
        let Some(table) = self.relation(found.id).filter(|it| it.known && it.is_table()).cloned() else { return };
        if matches!(table.kind, RelationKind::ForeignTable) || !self.schema().complete {
            return;
        }
        if let Some(name) = &conflict.constraint {
            match table.constraint(&name.name) {
                None => {
                    let message = format!(
                        "constraint \"{}\" for table \"{}\" does not exist",
                        name.name.as_str(),
                        table.name.name.as_str()
                    );
                    self.refused(name.span, &name.name, message);
                }
                Some(constraint) if constraint.kind.index().is_none() => {
                    self.refused(name.span, &name.name, "constraint in ON CONFLICT clause has no associated index");
                }
                Some(constraint) if conflict.do_update && matches!(constraint.kind, ConstraintKind::Exclude { .. }) => {
                    let message = "ON CONFLICT DO UPDATE not supported with exclusion constraints";
                    self.refused(name.span, &name.name, message);
                }
                Some(constraint) if constraint.deferrable => {
                    self.refused(name.span, &name.name, DEFERRABLE);
                }
                Some(_) => {}
            }
            return;
        }
        if conflict.do_update && conflict.columns.is_empty() && !names_target(insert) {
            let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
            return self.refused(insert.table.span, &table.name, message);
        }
        let columns: Vec<ColumnId> =
            conflict.columns.iter().filter_map(|it| table.column(&it.name).map(|it| it.id)).collect();
        if conflict.expressions {
            return self.refuse_without_expressions(insert, &table);
        }
        if columns.is_empty() && !conflict.do_update {
            return self.refuse_any_arbiter(insert, &table);
        }
        if columns.is_empty() || columns.len() != conflict.columns.len() {
            return;
        }
        let span = conflict.columns.first().map_or(insert.table.span, |it| it.span);
        match self.arbiter(&table, &columns, conflict.has_predicate) {
            Arbiter::Fits => {}
            // Asked when a row comes (`ExecCheckIndexConstraints`, execIndexing.c).
            Arbiter::Deferrable if matches!(insert.rows, Some(1..)) => self.refused(span, &table.name, DEFERRABLE),
            Arbiter::Deferrable => {}
            Arbiter::Missing => {
                self.refused(span, &table.name, MISSING);
            }
        }
    }

    /// A target with expressions fits none but an index of expressions.
    fn refuse_without_expressions(&mut self, insert: &Insert, table: &Relation) {
        let fits = |index: &std::sync::Arc<Relation>| {
            index.as_index().is_some_and(|it| it.unique && it.columns.iter().any(Option::is_none))
        };
        if !self.schema().indexes_of(table.id).any(fits) {
            self.refused(insert.table.span, &table.name, MISSING);
        }
    }

    /// ON CONFLICT DO NOTHING asks every unique index when a row comes, the oldest first, until one finds it
    /// (`ExecCheckIndexConstraints`, execIndexing.c).
    fn refuse_any_arbiter(&mut self, insert: &Insert, table: &Relation) {
        let expressions = names_target(insert);
        let unique = |it: &&std::sync::Arc<Relation>| it.as_index().is_some_and(|it| it.unique);
        let oldest = self.schema().indexes_of(table.id).find(unique).and_then(|it| it.as_index()?.constraint.clone());
        let checked = oldest.and_then(|name| table.constraint(&name)).is_some_and(|it| it.deferrable);
        let routed = table.is_partitioned() || !table.rules.is_empty() || !table.triggers.is_empty();
        if matches!(insert.rows, Some(1..)) && !expressions && !routed && checked {
            self.refused(insert.table.span, &table.name, DEFERRABLE);
        }
    }

    fn arbiter(&self, table: &Relation, columns: &[ColumnId], predicate: bool) -> Arbiter {
        for index in self.schema().indexes_of(table.id) {
            let Some(it) = index.as_index().filter(|it| it.unique) else { continue };
            let own: Vec<ColumnId> = it.columns.iter().flatten().copied().collect();
            // An index of expressions may have been made of nothing but the columns.
            let same = own.len() == it.columns.len()
                && columns.iter().all(|column| own.contains(column))
                && own.iter().all(|column| columns.contains(column));
            if !same || it.predicate.is_some() && !predicate {
                continue;
            }
            let deferrable = self
                .schema()
                .constraint_of_index(index.id)
                .is_some_and(|(_, it)| it.deferrable && !matches!(it.kind, ConstraintKind::ForeignKey(_)));
            // The oldest is asked first, and may find the row.
            return if deferrable { Arbiter::Deferrable } else { Arbiter::Fits };
        }
        Arbiter::Missing
    }
}

/// Whether something is written between ON CONFLICT and DO.
fn names_target(insert: &Insert) -> bool {
    match &*insert.tree.0 {
        sqlparser::ast::Statement::Insert(tree) => tree.on.as_ref().is_some_and(|on| match on {
            sqlparser::ast::OnInsert::OnConflict(conflict) => conflict.conflict_target.is_some(),
            _ => true,
        }),
        _ => true,
    }
}

enum Arbiter {
    Fits,
    Deferrable,
    Missing,
}

const MISSING: &str = "there is no unique or exclusion constraint matching the ON CONFLICT specification";

const DEFERRABLE: &str = "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
