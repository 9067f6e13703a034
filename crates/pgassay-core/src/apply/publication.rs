//! Publications.

use super::Applier;
use crate::change::{AlterPublication, AlterPublicationAction, CreatePublication, PublicationObjects};
use crate::schema::Publication;

impl Applier<'_> {
    pub(super) fn create_publication(&mut self, create: &CreatePublication) {
        let name = &create.name;
        if self.schema.publications.contains_key(&name.name) {
            return self.duplicate(name.span, name, format!("publication \"{}\" already exists", name.name.as_str()));
        }
        let publication = Publication { updates: create.updates, ..self.published(&create.objects) };
        self.schema.publications.insert(name.name.clone(), publication);
    }

    fn published(&mut self, objects: &PublicationObjects) -> Publication {
        let mut publication = Publication { all_tables: false, tables: Vec::new(), schemas: Vec::new(), updates: true };
        match objects {
            PublicationObjects::None => {}
            PublicationObjects::AllTables => publication.all_tables = true,
            PublicationObjects::Named { tables, schemas } => {
                publication.tables = tables.iter().filter_map(|it| self.relation(&it.table, false)).collect();
                publication.schemas = schemas.iter().map(|schema| schema.name.clone()).collect();
            }
        }
        publication
    }

    pub(super) fn alter_publication(&mut self, alter: &AlterPublication) {
        let name = &alter.name.name;
        if !self.schema.publications.contains_key(name) {
            return self.missing(alter.name.span, name, format!("publication \"{}\" does not exist", name.as_str()));
        }
        if let AlterPublicationAction::Options { updates: Some(updates) } = alter.action
            && let Some(publication) = self.schema.publications.get_mut(name)
        {
            publication.updates = updates;
        }
        let (AlterPublicationAction::Add(objects)
        | AlterPublicationAction::Set(objects)
        | AlterPublicationAction::Drop(objects)) = &alter.action
        else {
            return;
        };
        let named = self.published(objects);
        let Some(publication) = self.schema.publications.get_mut(name) else { return };
        match &alter.action {
            AlterPublicationAction::Set(_) => *publication = Publication { updates: publication.updates, ..named },
            AlterPublicationAction::Drop(_) => {
                publication.tables.retain(|table| !named.tables.contains(table));
                publication.schemas.retain(|schema| !named.schemas.contains(schema));
            }
            _ => {
                publication.tables.extend(named.tables);
                publication.schemas.extend(named.schemas);
            }
        }
    }
}
