//! Indexes: CREATE INDEX and REINDEX, on tables and on partition trees.

use std::sync::Arc;

use super::predictor::Predictor;
use crate::catalog::LockMode;
use crate::catalog::LockMode::{Share, ShareUpdateExclusive};
use crate::change::{Change, CreateIndex, IndexTarget, Reindex, ReindexTarget};
use crate::schema::{Relation, RelationKind};
use crate::source::Span;

impl Predictor<'_> {
    pub fn create_index(&mut self, change: &Change, create: &CreateIndex) {
        let span = create.table.span;
        if create.concurrently {
            self.forbid_in_transaction(span, &create.table, "CREATE INDEX CONCURRENTLY");
        }
        let Some(table) = self.find(&create.table) else { return };
        let mode = if create.concurrently { ShareUpdateExclusive } else { Share };
        self.lock(&table, mode, span);
        if create.if_not_exists && self.index_exists(create, &table) {
            return;
        }
        if table.is_partitioned() && create.only {
            return;
        }
        let tables = self.family(&table, !table.is_partitioned());
        tables.iter().for_each(|part| self.lock(part, mode, span));
        let after = self.after(change);
        let reason = "CREATE INDEX reads every row";
        let at = create.name.as_ref().map_or(span, |name| name.span);
        self.build_new_indexes(&tables, &after, at, reason);
        if !table.known {
            self.build_on_unknown(create, &table, at);
        }
        if create.unique {
            self.fail_on_duplicate_index_key(create, &table, at);
        }
    }

    fn index_exists(&self, create: &CreateIndex, table: &Relation) -> bool {
        let name = create.name.as_ref().map(|it| it.name.clone());
        name.is_some_and(|name| {
            let name = crate::change::QualifiedName { schema: table.name.schema.clone(), name };
            self.schema().relation_at(&name).is_some()
        })
    }

    fn build_on_unknown(&mut self, create: &CreateIndex, table: &Relation, span: Span) {
        self.scan(table, span, "CREATE INDEX reads every row");
        if let Some(name) = &create.name {
            let name = crate::change::QualifiedName { schema: table.name.schema.clone(), name: name.name.clone() };
            self.build(table, &name, span, "CREATE INDEX reads every row");
        }
    }

    fn fail_on_duplicate_index_key(&mut self, create: &CreateIndex, table: &Relation, span: Span) {
        let elements = create.elements.iter().map(|element| match &element.target {
            IndexTarget::Column(column) => column.to_string(),
            IndexTarget::Expression(expression) => format!("({})", expression.text),
        });
        let elements: Vec<String> = elements.collect();
        self.fail_on_duplicates(table, &elements, create.predicate.as_ref(), create.nulls_not_distinct, span);
    }

    pub fn reindex(&mut self, reindex: &Reindex) {
        let mode = if reindex.concurrently { ShareUpdateExclusive } else { Share };
        match &reindex.target {
            ReindexTarget::Index(name) => {
                let Some(index) = self.find(name) else { return };
                if reindex.concurrently {
                    self.forbid_in_transaction(name.span, name, "REINDEX CONCURRENTLY");
                } else if index.as_index().is_some_and(|it| it.partitioned) {
                    self.forbid_in_transaction(name.span, name, "REINDEX INDEX");
                }
                for (at, index) in self.family(&index, false).into_iter().enumerate() {
                    // ReindexPartitions (indexcmds.c) rebuilds the leaves only.
                    if at > 0 && !index.has_storage() {
                        continue;
                    }
                    self.reindex_index(&index, mode, name.span);
                }
            }
            ReindexTarget::Table(name) => {
                let Some(table) = self.find(name) else { return };
                if reindex.concurrently {
                    self.forbid_in_transaction(name.span, name, "REINDEX CONCURRENTLY");
                } else if table.is_partitioned() {
                    self.forbid_in_transaction(name.span, name, "REINDEX TABLE");
                }
                for part in self.family(&table, !table.is_partitioned()) {
                    // ReindexPartitions (indexcmds.c) locks the partitions as plain REINDEX does.
                    let mode = if part.id == table.id { mode } else { Share };
                    self.reindex_table(&part, mode, name.span);
                }
            }
            ReindexTarget::Schema(name) => {
                self.forbid_in_transaction(name.span, name, "REINDEX SCHEMA");
                let tables: Vec<_> = self.schema().relations_in(&name.name).cloned().collect();
                self.reindex_all(&tables, mode, name.span);
            }
            ReindexTarget::Database(name) => {
                let span = name.as_ref().map_or_else(no_span, |name| name.span);
                self.forbid_in_transaction(span, "database", "REINDEX DATABASE");
                let tables: Vec<_> = self.schema().relations.values().cloned().collect();
                self.reindex_all(&tables, mode, span);
            }
            ReindexTarget::System(name) => {
                let span = name.as_ref().map_or_else(no_span, |name| name.span);
                self.forbid_in_transaction(span, "database", "REINDEX SYSTEM");
            }
        }
    }

    fn reindex_all(&mut self, tables: &[Arc<Relation>], mode: LockMode, span: Span) {
        for table in tables {
            if matches!(table.kind, RelationKind::Table | RelationKind::MaterializedView(_)) {
                self.reindex_table(table, mode, span);
            }
        }
    }

    fn reindex_table(&mut self, table: &Relation, mode: LockMode, span: Span) {
        self.lock(table, mode, span);
        let indexes: Vec<_> = self.schema().indexes_of(table.id).cloned().collect();
        if indexes.is_empty() && !table.known {
            self.scan(table, span, "REINDEX builds the indexes from every row");
            self.build_unseen(table, span, "REINDEX builds them anew");
        }
        for index in indexes {
            self.reindex_index(&index, mode, span);
        }
    }

    fn reindex_index(&mut self, index: &Relation, mode: LockMode, span: Span) {
        let Some(table) = index.as_index().and_then(|it| self.relation(it.table)) else { return };
        self.lock(table, mode, span);
        if index.has_storage() {
            self.scan(table, span, "REINDEX builds the index from every row");
            self.build(table, &index.name, span, "REINDEX builds it anew");
        }
    }
}

/// Of a statement that names nothing.
fn no_span() -> Span {
    Span::new(crate::source::FileId(0), 0, 0)
}
