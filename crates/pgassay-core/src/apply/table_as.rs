//! CREATE TABLE … AS and SELECT … INTO.

use super::{Applier, ObjectId};
use crate::change::{CreateTableAs, Name, Persistence};
use crate::schema::{Relation, RelationId, RelationKind};

impl Applier<'_> {
    pub(super) fn create_table_as(&mut self, create: &CreateTableAs) {
        let mut name = self.new_name(&create.name);
        if create.persistence == Persistence::Temporary {
            name.schema = Name::from("pg_temp");
        }
        if !self.free_for_relation(&name, create.if_not_exists, create.name.span) {
            return;
        }
        let id = RelationId(self.schema.next_id());
        let mut relation = Relation::new(id, name, RelationKind::Table);
        relation.persistence = create.persistence;
        relation.owner = self.session.role.clone();
        match &create.query {
            Some(query) => {
                let analysis = self.analyze(query, &create.name);
                self.insert_query_relation(relation, &create.columns, analysis, query);
            }
            None => {
                relation.known = false;
                self.schema.insert_relation(relation);
                self.applied.created.push(ObjectId::Relation(id));
            }
        }
        if create.until_commit {
            self.schema.drop_at_commit(id);
        }
    }
}
