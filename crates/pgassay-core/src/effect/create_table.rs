//! CREATE TABLE and CREATE TABLE AS: what they touch of the tables that are there.

use super::predictor::Predictor;
use super::view::Depth;
use crate::catalog::LockMode::{AccessShare, ShareRowExclusive, ShareUpdateExclusive};
use crate::change::{ConstraintKind, CreateSchema, CreateTable, CreateTableAs, ObjectName};

impl Predictor<'_> {
    pub fn create_table(&mut self, create: &CreateTable) {
        if create.if_not_exists && self.exists(&create.name) {
            return;
        }
        for parent in &create.inherits {
            if let Some(relation) = self.find(parent) {
                self.lock(&relation, ShareUpdateExclusive, parent.span);
            }
        }
        for like in &create.like {
            if let Some(relation) = self.find(&like.source) {
                self.lock(&relation, AccessShare, like.source.span);
            }
        }
        if let Some((parent, bound)) = &create.partition_of {
            self.create_partition(parent, bound);
        }
        for constraint in &create.constraints {
            let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
            if key.referenced.name == create.name.name && key.referenced.schema == create.name.schema {
                continue;
            }
            let Some(referenced) = self.find(&key.referenced) else { continue };
            for part in self.family(&referenced, !referenced.is_partitioned()) {
                self.lock(&part, ShareRowExclusive, key.referenced.span);
            }
        }
    }

    fn exists(&self, name: &ObjectName) -> bool {
        let name = self.schema().qualify(name, self.context.session);
        self.schema().relation_at(&name).is_some()
    }

    pub fn create_table_as(&mut self, create: &CreateTableAs) {
        let Some(query) = &create.query else { return };
        // The query is analyzed before the look whether the table exists.
        if create.with_no_data || create.if_not_exists && self.exists(&create.name) {
            self.look_up(&query.tree, query.span);
        } else {
            self.read_query_to(query, Depth::Run);
        }
    }

    /// The elements of CREATE SCHEMA run one after the other, with the new schema in front of the search_path.
    pub fn create_schema(&mut self, create: &CreateSchema) {
        let mut session = self.context.session.clone();
        if let Some(name) = create.name.as_ref().or(create.authorization.as_ref()) {
            session.search_path.insert(0, name.name.clone());
        }
        let elements: Vec<_> = create.elements.iter().collect();
        self.run_in_sequence(&elements, &session);
    }
}
