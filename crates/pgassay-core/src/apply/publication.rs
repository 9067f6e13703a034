//! Publications.

use super::{Applier, ProblemKind};
use crate::change::{
    AlterPublication, AlterPublicationAction, CreatePublication, Persistence, PublicationObjects, PublicationTable,
    Published,
};
use crate::schema::{Publication, PublishedPart, RelationId, RelationKind};

impl Applier<'_> {
    pub(super) fn create_publication(&mut self, create: &CreatePublication) {
        let name = &create.name;
        if self.schema.publications.contains_key(&name.name) {
            return self.duplicate(name.span, name, format!("publication \"{}\" already exists", name.name.as_str()));
        }
        let publication = Publication { updates: create.updates, ..self.published(&create.objects) };
        self.schema.publications.insert(name.name.clone(), publication);
    }

    /// What is added is not there yet, what is dropped is (publication_add_relation, PublicationDropTables, publicationcmds.c).
    fn refuse_members(&mut self, alter: &AlterPublication, objects: &PublicationObjects) {
        let PublicationObjects::Named { tables, .. } = objects else { return };
        let publication = &alter.name.name;
        let Some(found) = self.schema.publications.get(publication) else { return };
        if found.all_tables {
            let message = format!("publication \"{}\" is defined as FOR ALL TABLES", publication.as_str());
            return self.problem(ProblemKind::Invalid, alter.name.span, publication, message);
        }
        let members = found.tables.clone();
        for listed in tables {
            let Some(table) = self.schema.find_relation(&listed.table, self.session) else { continue };
            let (member, relation) = (members.contains(&table.id), table.name.name.clone());
            let (relation, publication) = (relation.as_str(), publication.as_str());
            match alter.action {
                AlterPublicationAction::Add(_) if member => {
                    let message = format!("relation \"{relation}\" is already member of publication \"{publication}\"");
                    self.duplicate(listed.table.span, &listed.table, message);
                }
                AlterPublicationAction::Drop(_) if !member && self.schema.complete => {
                    let message = format!("relation \"{relation}\" is not part of the publication");
                    self.missing(listed.table.span, &listed.table, message);
                }
                _ => {}
            }
        }
    }

    /// check_publication_add_relation (pg_publication.c).
    fn refuse_unpublishable(&mut self, listed: &PublicationTable) {
        let Some(found) = self.schema.find_relation(&listed.table, self.session).filter(|it| it.known) else { return };
        let is_table = found.is_table() && !matches!(found.kind, RelationKind::ForeignTable);
        let name = found.name.name.as_str();
        let message = match self.version.at_least(15) {
            _ if is_table && found.persistence == Persistence::Permanent => return,
            true => format!("cannot add relation \"{name}\" to publication"),
            false if is_table => format!("table \"{name}\" cannot be replicated"),
            false => format!("\"{name}\" is not a table"),
        };
        self.problem(ProblemKind::Invalid, listed.table.span, &listed.table, message);
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
                tables.iter().for_each(|listed| self.refuse_unpublishable(listed));
                publication.tables = tables.iter().flat_map(|it| self.members(it)).collect();
                publication.parts = tables.iter().filter_map(|it| self.published_part(it)).collect();
                publication.schemas = schemas.iter().map(|schema| schema.name.clone()).collect();
            }
        }
        publication
    }

    /// A listed table, and without ONLY the children that it has now (OpenTableList, publicationcmds.c).
    fn members(&mut self, listed: &PublicationTable) -> Vec<RelationId> {
        let Some(table) = self.relation(&listed.table, false) else { return Vec::new() };
        let descends = !listed.only && self.schema.relation(table).is_some_and(|it| !it.is_partitioned());
        let children = if descends { self.schema.children_closure(table) } else { Vec::new() };
        std::iter::once(table).chain(children).collect()
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
        self.refuse_members(alter, objects);
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
