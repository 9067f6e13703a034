//! Publications.

use super::Applier;
use crate::change::{
    AlterPublication, AlterPublicationAction, CreatePublication, PublicationObjects, PublicationTable, Published,
};
use crate::schema::{Publication, PublishedPart};

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
        let mut publication = Publication {
            all_tables: false,
            tables: Vec::new(),
            schemas: Vec::new(),
            updates: Published::BOTH,
            parts: Vec::new(),
        };
        match objects {
            PublicationObjects::None => {}
            PublicationObjects::AllTables => publication.all_tables = true,
            PublicationObjects::Named { tables, schemas } => {
                publication.tables = tables.iter().filter_map(|it| self.relation(&it.table, false)).collect();
                publication.parts = tables.iter().filter_map(|it| self.published_part(it)).collect();
                publication.schemas = schemas.iter().map(|schema| schema.name.clone()).collect();
            }
        }
        publication
    }

    /// What a column list and a row filter name.
    fn published_part(&self, listed: &PublicationTable) -> Option<PublishedPart> {
        let table = self.schema.find_relation(&listed.table, self.session)?;
        let columns = listed.columns.iter().filter_map(|it| table.column(&it.name).map(|it| it.id)).collect();
        let filter = listed.filter.as_ref().map(|it| self.expression_columns(table.id, it)).unwrap_or_default();
        let whole = listed.columns.is_empty() && listed.filter.is_none();
        (!whole).then_some(PublishedPart { table: table.id, columns, filter })
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
                publication.parts.retain(|part| !named.tables.contains(&part.table));
                publication.schemas.retain(|schema| !named.schemas.contains(schema));
            }
            _ => {
                publication.tables.extend(named.tables);
                publication.parts.extend(named.parts);
                publication.schemas.extend(named.schemas);
            }
        }
    }
}
