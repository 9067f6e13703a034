//! Objects as the server's messages describe them (`getObjectDescription`, objectaddress.c).

use super::{ColumnId, Object, RelationId, RoutineId, Schema, Session};
use crate::change::QualifiedName;

impl Schema {
    /// As the server's messages describe an object: `default value for column id of table t`; the schema is left out where
    /// the search_path finds it.
    pub fn describe(&self, object: &Object, session: &Session) -> String {
        let relation = |id: &RelationId| self.describe_relation(*id, session);
        match object {
            Object::Relation(id) => relation(id),
            Object::Column(id, column) => format!("column {} of {}", self.column_name(*id, *column), relation(id)),
            Object::Default(id, column) => {
                format!("default value for column {} of {}", self.column_name(*id, *column), relation(id))
            }
            Object::Constraint(id, name) => format!("constraint {name} on {}", relation(id)),
            Object::Trigger(id, name) => format!("trigger {name} on {}", relation(id)),
            Object::Rule(id, name) => format!("rule {name} on {}", relation(id)),
            Object::Policy(id, name) => format!("policy {name} on {}", relation(id)),
            Object::Type(id) => match self.types.get(id) {
                Some(found) => {
                    let visible = self.find_type(&None, &found.name.name, session).is_some_and(|it| it.id == *id);
                    format!("type {}", short_name(&found.name, visible))
                }
                None => "type".to_owned(),
            },
            Object::Attribute(id, name) => {
                let of = self.describe(&Object::Type(*id), session);
                format!("column {name} of composite {of}")
            }
            Object::Routine(id) => self.describe_routine(*id, session),
            Object::Namespace(name) => format!("schema {name}"),
            Object::Statistics(name) => format!("statistics object {name}"),
            Object::EventTrigger(name) => format!("event trigger {name}"),
        }
    }

    fn describe_relation(&self, id: RelationId, session: &Session) -> String {
        let Some(relation) = self.relation(id) else { return "relation".to_owned() };
        // getObjectDescription knows no partitioned tables: they are tables.
        let noun = if relation.is_partitioned() { "table" } else { relation.noun() };
        format!("{noun} {}", short_name(&relation.name, self.is_visible(relation, session)))
    }

    fn describe_routine(&self, id: RoutineId, session: &Session) -> String {
        let Some(routine) = self.routines.get(&id) else { return "function".to_owned() };
        let visible = session.search_path.contains(&routine.name.schema);
        let arguments: Vec<String> = routine.inputs().map(|argument| argument.data_type.to_string()).collect();
        let noun = if routine.procedure { "procedure" } else { "function" };
        format!("{noun} {}({})", short_name(&routine.name, visible), arguments.join(","))
    }

    fn column_name(&self, id: RelationId, column: ColumnId) -> String {
        let relation = self.relation(id);
        relation.and_then(|relation| relation.column_by_id(column)).map(|it| it.name.to_string()).unwrap_or_default()
    }
}

fn short_name(name: &QualifiedName, visible: bool) -> String {
    if visible { name.name.to_string() } else { name.to_string() }
}
