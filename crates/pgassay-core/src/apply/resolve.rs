//! What names mean, and what there is to say when they mean nothing.

use std::sync::Arc;

use super::{Applier, Problem, ProblemKind};
use crate::catalog;
use crate::change::{Expression, Ident, Name, ObjectName, PrintedName, QualifiedName, TypeName};
use crate::expression::{self, Scope};
use crate::schema::{
    Column, ColumnId, ColumnType, NotNull, ObjectId, Relation, RelationId, RelationKind, ResolvedType, RoutineId,
    columns_named,
};
use crate::source::Span;

/// Schemas that every database has without making them.
const SYSTEM_SCHEMAS: &[&str] = &["pg_catalog", "information_schema", "pg_toast", "pg_temp"];

impl Applier<'_> {
    pub(super) fn problem(
        &mut self,
        kind: ProblemKind,
        span: Span,
        object: impl Into<PrintedName>,
        message: impl Into<String>,
    ) {
        self.applied.problems.push(Problem { kind, span, object: object.into(), message: message.into() });
    }

    pub(super) fn invalid(&mut self, span: Span, object: impl Into<PrintedName>, message: impl Into<String>) {
        self.problem(ProblemKind::Invalid, span, object, message);
    }

    /// Something of that name exists: refused, where all is known.
    pub(super) fn duplicate(&mut self, span: Span, object: impl Into<PrintedName>, message: impl Into<String>) {
        if self.schema.complete {
            self.problem(ProblemKind::Duplicate, span, object, message);
        }
    }

    /// Nothing of that name exists: refused, where all is known.
    pub(super) fn missing(&mut self, span: Span, object: impl Into<PrintedName>, message: impl Into<String>) {
        if self.schema.complete {
            self.problem(ProblemKind::Missing, span, object, message);
        }
    }

    pub(super) fn missing_type(&mut self, span: Span, object: impl Into<PrintedName>, name: &str) {
        self.missing(span, object, format!("type \"{name}\" does not exist"));
        self.applied.missing_types += usize::from(self.schema.complete);
    }

    pub(super) fn scope<'s>(&'s self, relation: Option<&'s Relation>) -> Scope<'s> {
        Scope { schema: self.schema, session: self.session, version: self.version, relation, value: None }
    }

    /// Whether a schema exists, or may.
    pub(super) fn namespace_exists(&self, name: &Name) -> bool {
        !self.schema.complete
            || self.schema.namespaces.contains_key(name)
            || SYSTEM_SCHEMAS.contains(&name.as_str())
            || self.schema.extensions.values().any(|extension| extension.schema == *name)
            || self.opaque_extension()
    }

    /// An extension whose contents are not known: what is missing may come from it.
    pub(super) fn opaque_extension(&self) -> bool {
        self.schema.extensions.keys().any(|name| catalog::extension(name.as_str()).is_none())
    }

    fn extension_has(&self, test: impl Fn(&catalog::ExtensionContents) -> bool) -> bool {
        let mut extensions = self.schema.extensions.keys();
        extensions.any(|name| catalog::extension(name.as_str()).is_none_or(&test))
    }

    /// A relation of pg_catalog or information_schema, or one that an extension or the migration tool may have made.
    pub(super) fn is_foreign_relation(&self, name: &ObjectName) -> bool {
        let schema = name.schema.as_ref().map(Name::as_str);
        matches!(schema, Some("pg_catalog" | "information_schema" | "pg_toast"))
            || catalog::is_system_relation(schema, name.name.as_str())
            || schema.is_none() && name.name.as_str().starts_with("pg_")
            || self.schema.outside.contains(&name.name)
            || self.extension_has(|contents| contents.relations.contains(&name.name.as_str()))
    }

    /// A routine of pg_catalog, or one that an extension may have made.
    pub(super) fn is_foreign_routine(&self, name: &ObjectName) -> bool {
        let known = !catalog::functions("now", self.version).is_empty();
        let built_in = name.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog")
            && (!known || !catalog::functions(name.name.as_str(), self.version).is_empty());
        built_in || self.extension_has(|contents| contents.functions.iter().any(|it| it.name == name.name.as_str()))
    }

    /// CALL of a procedure that is not there.
    pub(super) fn call(&mut self, procedure: &ObjectName) {
        let namespace = procedure.schema.as_ref().is_none_or(|schema| self.schema.namespaces.contains_key(schema));
        let known = !self.find_routines(procedure).is_empty() || self.is_foreign_routine(procedure);
        if self.schema.complete && self.schema.vouched && namespace && !known && !self.opaque_extension() {
            let message = format!("procedure {}() does not exist", plain(procedure));
            self.missing(procedure.span, procedure, message);
        }
    }

    /// The relation a statement changes. When it is missing, that is said, and a partial history gets a stub.
    pub(super) fn relation(&mut self, name: &ObjectName, if_exists: bool) -> Option<RelationId> {
        self.relation_or_stub(name, if_exists, RelationKind::Table)
    }

    pub(super) fn relation_or_stub(
        &mut self,
        name: &ObjectName,
        if_exists: bool,
        stub: RelationKind,
    ) -> Option<RelationId> {
        if let Some(found) = self.schema.find_relation(name, self.session) {
            return Some(found.id);
        }
        if self.is_foreign_relation(name) {
            return None;
        }
        if self.schema.lacks(name, self.session) {
            if !if_exists {
                self.missing_relation(name);
            }
            return None;
        }
        (!if_exists).then(|| self.stub(name, stub))
    }

    pub(super) fn missing_relation(&mut self, name: &ObjectName) {
        match &name.schema {
            Some(schema) if !self.namespace_exists(schema) => {
                self.missing(name.span, name, format!("schema \"{}\" does not exist", schema.as_str()));
            }
            _ if self.schema.lacks(name, self.session) => {
                let message = format!("relation \"{}\" does not exist", plain(name));
                self.problem(ProblemKind::Missing, name.span, name, message);
            }
            _ => {}
        }
    }

    /// A relation of which only the name is known.
    fn stub(&mut self, name: &ObjectName, kind: RelationKind) -> RelationId {
        let id = RelationId(self.schema.next_id());
        let mut relation = Relation::new(id, self.schema.qualify(name, self.session), kind);
        relation.known = false;
        self.schema.insert_relation(relation)
    }

    /// Looks a relation up for a statement that does not change it; a stub is not made.
    pub(super) fn tables_named<'n>(&mut self, names: impl IntoIterator<Item = &'n ObjectName>) {
        for name in names {
            if self.schema.lacks(name, self.session)
                && self.schema.find_relation(name, self.session).is_none()
                && !self.is_foreign_relation(name)
            {
                self.missing_relation(name);
            }
        }
    }

    pub(super) fn is_known(&self, id: RelationId) -> bool {
        self.schema.relation(id).is_some_and(|relation| relation.known)
    }

    /// A column of a relation that a statement names; a stub learns of it.
    pub(super) fn column(&mut self, id: RelationId, column: &Ident) -> Option<ColumnId> {
        if let Some(found) = self.column_id(id, &column.name) {
            return Some(found);
        }
        if is_system_column(&column.name) {
            return None;
        }
        if self.is_known(id) {
            let table = self.short_name(id);
            let message = format!("column \"{}\" of relation \"{table}\" does not exist", column.name.as_str());
            self.problem(ProblemKind::Missing, column.span, self.column_path(id, &column.name), message);
            return None;
        }
        let mut learnt = Column::new(column.name.clone(), ColumnType::unknown(column.span));
        learnt.not_null = NotNull::Unknown;
        self.schema.edit(id).map(|relation| relation.push_column(learnt))
    }

    pub(super) fn columns<'n>(
        &mut self,
        id: RelationId,
        columns: impl IntoIterator<Item = &'n Ident>,
    ) -> Vec<ColumnId> {
        columns.into_iter().filter_map(|column| self.column(id, column)).collect()
    }

    pub(super) fn column_id(&self, id: RelationId, name: &Name) -> Option<ColumnId> {
        self.schema.relation(id)?.column(name).map(|column| column.id)
    }

    /// `public.t.a`, for the object of a problem.
    pub(super) fn column_path(&self, id: RelationId, column: &Name) -> PrintedName {
        PrintedName::part(&self.full_name(id), column)
    }

    /// The relation's name without its schema and quotes, as most messages give it.
    pub(super) fn short_name(&self, id: RelationId) -> String {
        self.schema.relation(id).map(|relation| relation.name.name.as_str().to_owned()).unwrap_or_default()
    }

    pub(super) fn full_name(&self, id: RelationId) -> QualifiedName {
        let unnamed = || QualifiedName::new("public", "");
        self.schema.relation(id).map(|relation| relation.name.clone()).unwrap_or_else(unnamed)
    }

    /// Columns that an expression over a table names.
    pub(super) fn expression_columns(&self, id: RelationId, expression: &Expression) -> Vec<ColumnId> {
        self.schema.relation(id).map(|it| columns_named(&expression.tree, it)).unwrap_or_default()
    }

    /// What a default, check or index expression depends on: routines, and sequences that it names by a literal.
    pub(super) fn expression_targets(&self, relation: Option<RelationId>, expression: &Expression) -> Vec<ObjectId> {
        let relation = relation.and_then(|id| self.schema.relation(id)).map(|relation| &**relation);
        let routines = expression::routines(&expression.tree, self.scope(relation));
        let sequences = crate::schema::rewrite::sequences(&expression.tree);
        let sequences = sequences.into_iter().filter_map(|(schema, name)| {
            let name = ObjectName { schema, name, span: expression.span };
            self.schema.find_relation(&name, self.session).map(|sequence| ObjectId::Relation(sequence.id))
        });
        routines.into_iter().map(ObjectId::Routine).chain(sequences).collect()
    }

    /// Resolves a type as a column's; a type that is missing for certain is said.
    pub(super) fn column_type(&mut self, written: &TypeName) -> ColumnType {
        let resolved = self.resolve_type(written);
        if resolved.resolved == ResolvedType::Unknown && !self.may_exist(written) {
            let schema = written.schema.as_ref().map(|schema| format!("{}.", schema.as_str())).unwrap_or_default();
            let name = format!("{schema}{}", written.name.as_str());
            let object = PrintedName::from(&*written.to_string());
            self.missing_type(written.span, object, &name);
        }
        resolved
    }

    /// Built-in types come first, unless the search_path says otherwise.
    pub(super) fn resolve_type(&self, written: &TypeName) -> ColumnType {
        let resolved = |resolved| ColumnType { written: Arc::new(written.clone()), resolved };
        let in_catalog = written.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
        let hidden = written.schema.is_none() && expression::hides_catalog_type(&written.name, self.scope(None));
        if in_catalog && !hidden && catalog::built_in_type(written.name.as_str()).is_some() {
            return resolved(ResolvedType::BuiltIn);
        }
        if let Some(found) = self.user_type(written) {
            return found;
        }
        let from_extension = self.schema.extensions.keys().filter_map(|name| catalog::extension(name.as_str()));
        let mut extension_types = from_extension.flat_map(|contents| contents.types);
        if extension_types.any(|it| it.name == written.name.as_str()) {
            return resolved(ResolvedType::BuiltIn);
        }
        // Without the catalog's list every unqualified name may be built in.
        let listed = catalog::built_in_type("int4").is_some();
        resolved(if in_catalog && !listed { ResolvedType::BuiltIn } else { ResolvedType::Unknown })
    }

    fn user_type(&self, written: &TypeName) -> Option<ColumnType> {
        let with_schema = |schema: &Name, resolved| {
            let written = TypeName { schema: Some(schema.clone()), ..written.clone() };
            ColumnType { written: written.into(), resolved }
        };
        if let Some(found) = self.schema.find_type(&written.schema, &written.name, self.session) {
            return Some(with_schema(&found.name.schema, ResolvedType::User(found.id)));
        }
        let name = ObjectName { schema: written.schema.clone(), name: written.name.clone(), span: written.span };
        let relation = self.schema.find_relation(&name, self.session).filter(|relation| relation.is_queryable())?;
        Some(with_schema(&relation.name.schema, ResolvedType::Row(relation.id)))
    }

    /// Whether a type that was not found may exist all the same.
    fn may_exist(&self, written: &TypeName) -> bool {
        let of_system = written.schema.as_ref().is_some_and(|schema| SYSTEM_SCHEMAS.contains(&schema.as_str()));
        // Array types may be named by their underscore; `%TYPE` is no name.
        let special = written.name.as_str().starts_with('_') || written.name.as_str().contains('%');
        let listed = catalog::built_in_type("int4").is_some();
        !listed || of_system || special || self.opaque_extension()
    }

    pub(super) fn find_routines(&self, name: &ObjectName) -> Vec<RoutineId> {
        self.schema.find_routines(name, self.session).map(|routine| routine.id).collect()
    }

    /// The schema a new object goes to; refused when it does not exist.
    pub(super) fn new_name(&mut self, name: &ObjectName) -> QualifiedName {
        let qualified = self.schema.qualify(name, self.session);
        if !self.namespace_exists(&qualified.schema) {
            let message = format!("schema \"{}\" does not exist", qualified.schema.as_str());
            self.missing(name.span, &qualified.schema, message);
        }
        qualified
    }
}

/// A name as the server's messages print it: no quotes, the schema only as written.
pub(super) fn plain(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.as_str(), name.name.as_str()),
        None => name.name.as_str().to_owned(),
    }
}

fn is_system_column(name: &Name) -> bool {
    matches!(name.as_str(), "ctid" | "tableoid" | "xmin" | "xmax" | "cmin" | "cmax")
}
