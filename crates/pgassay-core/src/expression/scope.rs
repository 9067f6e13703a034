//! What names mean: columns of the relations in scope, and types.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Scope;
use super::names::built_in;
use crate::catalog;
use crate::change::{Name, QualifiedName, TypeName};
use crate::schema::{ColumnId, ColumnType, Relation, RelationId, ResolvedType, TypeDefinition};

/// One relation, function, subquery or CTE of a FROM clause, with the columns it offers.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub schema: Option<Name>,
    /// The alias, or the relation's own name.
    pub name: Name,
    pub relation: Option<RelationId>,
    pub columns: Vec<SourceColumn>,
    /// Whether `columns` lists them all.
    pub known: bool,
}

#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub name: Name,
    pub data_type: Option<ColumnType>,
    /// The column of the relation behind it; none for a subquery's.
    pub id: Option<ColumnId>,
    /// Merged into an equal column by USING or NATURAL: reached only with a qualifier.
    pub merged: bool,
}

/// The sources that an expression sees: those of its own query, then those of the queries around it.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    pub scope: Scope<'a>,
    pub sources: &'a [Source],
    pub outer: Option<&'a Environment<'a>>,
}

/// What a column name means.
#[derive(Clone, Copy)]
pub(super) enum Meaning<'a> {
    Column(&'a Source, &'a SourceColumn),
    WholeRow(&'a Source),
}

impl Source {
    pub fn of_relation(relation: &Relation, alias: Option<Name>) -> Source {
        let column = |column: &crate::schema::Column| SourceColumn {
            name: column.name.clone(),
            data_type: Some(column.data_type.clone()),
            id: Some(column.id),
            merged: false,
        };
        Source {
            schema: alias.is_none().then(|| relation.name.schema.clone()),
            name: alias.unwrap_or_else(|| relation.name.name.clone()),
            relation: Some(relation.id),
            columns: relation.columns.iter().map(column).collect(),
            // A sequence has columns of its own (last_value, log_cnt, is_called).
            known: relation.known && relation.is_queryable(),
        }
    }

    /// Whether it is another name of the table of that name.
    pub fn is_alias_of(&self, name: &Name, scope: Scope) -> bool {
        let relation = self.relation.and_then(|id| scope.schema.relation(id));
        self.name != *name && relation.is_some_and(|relation| relation.name.name == *name)
    }

    pub fn column(&self, name: &Name) -> Option<&SourceColumn> {
        self.columns.iter().find(|column| column.name == *name)
    }
}

impl<'a> Environment<'a> {
    /// `a`, `t.a`, `s.t.a`, or a whole row `t`. `None` when no relation in scope is known to have it.
    pub fn resolve(&self, path: &[Name]) -> Option<Meaning<'a>> {
        self.resolve_here(path).or_else(|| self.outer.and_then(|outer| outer.resolve(path)))
    }

    fn resolve_here(&self, path: &[Name]) -> Option<Meaning<'a>> {
        match path {
            [name] => {
                let mut found = self.sources.iter().filter_map(|source| {
                    source.column(name).filter(|column| !column.merged).map(|column| Meaning::Column(source, column))
                });
                found.next().or_else(|| self.source(None, name).map(Meaning::WholeRow))
            }
            [qualifier, name, ..] => {
                if let Some(source) = self.source(None, qualifier) {
                    return source.column(name).map(|column| Meaning::Column(source, column));
                }
                let source = self.source(Some(qualifier), name)?;
                match path.get(2) {
                    Some(column) => source.column(column).map(|column| Meaning::Column(source, column)),
                    None => Some(Meaning::WholeRow(source)),
                }
            }
            [] => None,
        }
    }

    /// Whether every column in sight is known, here and further out.
    pub fn is_known(&self) -> bool {
        self.sources.iter().all(|source| source.known) && self.outer.is_none_or(|outer| outer.is_known())
    }

    pub fn source(&self, schema: Option<&Name>, name: &Name) -> Option<&'a Source> {
        self.sources
            .iter()
            .find(|source| source.name == *name && schema.is_none_or(|schema| source.schema.as_ref() == Some(schema)))
    }

    /// The source that a qualified wildcard names, here or further out.
    pub fn source_anywhere(&self, schema: Option<&Name>, name: &Name) -> Option<&'a Source> {
        self.source(schema, name).or_else(|| self.outer.and_then(|outer| outer.source_anywhere(schema, name)))
    }
}

/// The type that a name means to this session: pg_catalog first, then the search_path, then installed extensions.
pub fn resolve_type(written: &TypeName, scope: Scope) -> ColumnType {
    let in_catalog = written.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
    let hidden = written.schema.is_none() && is_hidden(&written.name, scope);
    if in_catalog && !hidden && catalog::built_in_type(written.name.as_str()).is_some() {
        let written = TypeName { schema: None, ..written.clone() };
        return ColumnType { written: written.into(), resolved: ResolvedType::BuiltIn };
    }
    let user = scope.schema.find_type(&written.schema, &written.name, scope.session);
    if let Some(user) = user {
        let written = TypeName { schema: Some(user.name.schema.clone()), ..written.clone() };
        return ColumnType { written: written.into(), resolved: ResolvedType::User(user.id) };
    }
    let name =
        crate::change::ObjectName { schema: written.schema.clone(), name: written.name.clone(), span: written.span };
    if let Some(relation) = scope.schema.find_relation(&name, scope.session) {
        let written = TypeName { schema: Some(relation.name.schema.clone()), ..written.clone() };
        return ColumnType { written: written.into(), resolved: ResolvedType::Row(relation.id) };
    }
    let resolved = if extension_type(written.name.as_str(), scope).is_some() {
        ResolvedType::BuiltIn
    } else {
        ResolvedType::Unknown
    };
    ColumnType { written: written.clone().into(), resolved }
}

/// Whether a schema that the search_path puts before pg_catalog has a type of this name.
pub(super) fn is_hidden(name: &Name, scope: Scope) -> bool {
    let before = scope.session.search_path.iter().take_while(|schema| **schema != "pg_catalog");
    let qualified = |schema: &Name| QualifiedName { schema: schema.clone(), name: name.clone() };
    !scope.session.catalog_is_first() && before.map(qualified).any(|name| scope.schema.type_at(&name).is_some())
}

/// A type of an installed extension.
pub(super) fn extension_type(name: &str, scope: Scope) -> Option<&'static catalog::BuiltInType> {
    let installed = scope.schema.extensions.keys().filter_map(|extension| catalog::extension(extension.as_str()));
    installed.into_iter().find_map(|contents| contents.type_named(name))
}

/// A type of pg_catalog by its name there; those of the catalog's own tables are made once.
pub(super) fn built_in_type(name: &str) -> ColumnType {
    static MADE: LazyLock<HashMap<String, ColumnType>> = LazyLock::new(|| {
        let names = catalog::type_names().flat_map(|name| [name.to_owned(), format!("_{name}")]);
        names.map(|name| (name.clone(), made(&name))).collect()
    });
    fn made(name: &str) -> ColumnType {
        ColumnType { written: built_in(name).into(), resolved: ResolvedType::BuiltIn }
    }
    MADE.get(name).cloned().unwrap_or_else(|| made(name))
}

/// The type under a domain, through domains over domains.
pub(super) fn base_type(data_type: &ColumnType, scope: Scope) -> ColumnType {
    let mut base = data_type.clone();
    // Domains cannot be circular on a server; a wrong model must not hang the program.
    for _ in 0..32 {
        let ResolvedType::User(id) = base.resolved else { break };
        if base.written.array_dimensions > 0 {
            break;
        }
        match scope.schema.types.get(&id).map(|user| &user.definition) {
            Some(TypeDefinition::Domain(domain)) => base = domain.base.clone(),
            _ => break,
        }
    }
    base
}
