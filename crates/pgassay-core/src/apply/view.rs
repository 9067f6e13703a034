//! Views and materialized views.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Visitor};

use super::{Applier, ObjectId};
use crate::change::{CreateMaterializedView, CreateView, Ident, Name, ObjectName, Query, RefreshMaterializedView};
use crate::expression::{self, QueryAnalysis};
use crate::schema::{
    Column, ColumnType, Index, Object, ObjectId as Target, Relation, RelationId, RelationKind, ResolvedType, View,
};
use crate::source::Span;
use crate::sql::tree_span;

/// The options; WITH CHECK OPTION is one of them (`DefineView`, view.c).
fn options_of(create: &CreateView) -> std::collections::BTreeMap<std::sync::Arc<str>, Option<std::sync::Arc<str>>> {
    let written = create.options.iter().map(|it| (it.name.clone(), it.value.clone()));
    written.chain(create.check_option.then(|| ("check_option".into(), None))).collect()
}

/// Where a query names a relation first.
fn place_of(query: &Query, name: &ObjectName) -> Option<Span> {
    struct First<'n>(&'n ObjectName);
    impl Visitor for First<'_> {
        type Break = sqlparser::tokenizer::Span;
        fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<Self::Break> {
            let mut parts = relation.0.iter().rev().filter_map(|part| part.as_ident());
            let (last, schema) = (parts.next(), parts.next());
            let is_it = last.is_some_and(|last| Name::of_ident(last) == self.0.name)
                && schema.map(Name::of_ident) == self.0.schema;
            match last.filter(|_| is_it) {
                Some(last) => ControlFlow::Break(schema.map_or(last.span, |schema| schema.span.union(&last.span))),
                None => ControlFlow::Continue(()),
            }
        }
    }
    match crate::walk::walk(&*query.tree, &mut First(name)) {
        ControlFlow::Break(span) => tree_span(query.span.file, span),
        ControlFlow::Continue(()) => None,
    }
}

impl Applier<'_> {
    pub(super) fn create_view(&mut self, create: &CreateView) {
        let analysis = self.analyze(&create.query, &create.name);
        let mut name = self.new_name(&create.name);
        if create.temporary || self.uses_temporary(&analysis) {
            name.schema = Name::from("pg_temp");
        }
        let existing = self.schema.relation_at(&name).filter(|_| create.or_replace).cloned();
        if let Some(existing) = existing {
            return self.replace_view(&existing, create, analysis);
        }
        if !self.free_for_relation(&name, false, create.name.span) {
            return;
        }
        let id = RelationId(self.schema.next_id());
        let mut relation = Relation::new(id, name, RelationKind::View(view_of(&create.query, &analysis)));
        relation.options = options_of(create);
        relation.owner = self.session.role.clone();
        self.insert_query_relation(relation, &create.columns, analysis, &create.query);
    }

    fn uses_temporary(&self, analysis: &QueryAnalysis) -> bool {
        let mut used = analysis.uses.iter().filter_map(|(id, _)| self.schema.relation(*id));
        used.any(|relation| relation.name.schema == "pg_temp")
    }

    /// What a query depends on; relations that are missing for certain are said.
    pub(super) fn analyze(&mut self, query: &Query, made: &ObjectName) -> QueryAnalysis {
        let analysis = expression::analyze_query(&query.tree, self.scope(None));
        for name in &analysis.missing {
            let recursive = name.schema.is_none() && name.name == made.name;
            if !recursive && !self.is_foreign_relation(name) {
                let span = place_of(query, name).unwrap_or(query.span);
                self.missing_relation(&ObjectName { span, ..name.clone() });
            }
        }
        self.missing_columns(&analysis.unknown_columns, query.span.file, query.span);
        analysis
    }

    /// A view, materialized view or table whose columns are those of a query.
    pub(super) fn insert_query_relation(
        &mut self,
        mut relation: Relation,
        names: &[Ident],
        analysis: QueryAnalysis,
        query: &Query,
    ) {
        let id = relation.id;
        relation.known = analysis.output.is_some();
        for column in output_columns(&analysis, names, query) {
            relation.push_column(column);
        }
        let depends = relation.as_view().is_some();
        let columns: Vec<_> = relation.columns.iter().map(|column| column.id).collect();
        self.schema.insert_relation(relation);
        columns.into_iter().for_each(|column| self.schema.link_column(id, column));
        if depends {
            self.schema.dependencies.set(Object::Relation(id), targets(&analysis));
        }
        self.applied.created.push(ObjectId::Relation(id));
    }

    fn replace_view(&mut self, existing: &Relation, create: &CreateView, analysis: QueryAnalysis) {
        if existing.known && !matches!(existing.kind, RelationKind::View(_)) {
            let message = format!("\"{}\" is not a view", create.name.name.as_str());
            return self.invalid(create.name.span, &create.name, message);
        }
        let columns = output_columns(&analysis, &create.columns, &create.query);
        let known = analysis.output.is_some();
        if known && existing.known {
            self.compare_view_columns(existing, &columns, create);
        }
        let id = existing.id;
        self.edit_relation(id, |relation| {
            relation.kind = RelationKind::View(view_of(&create.query, &analysis));
            relation.options = options_of(create);
            relation.known = known;
            let old = std::mem::take(&mut relation.columns);
            relation.next_column = 1;
            for mut column in columns {
                column.comment = old.iter().find(|it| it.name == column.name).and_then(|it| it.comment.clone());
                relation.push_column(column);
            }
        });
        let columns: Vec<_> = self.schema.relation(id).into_iter().flat_map(|it| &it.columns).map(|it| it.id).collect();
        columns.into_iter().for_each(|column| self.schema.link_column(id, column));
        self.schema.dependencies.set(Object::Relation(id), targets(&analysis));
    }

    /// Columns may only be added at the end (`checkViewColumns`, view.c).
    fn compare_view_columns(&mut self, existing: &Relation, columns: &[Column], create: &CreateView) {
        if columns.len() < existing.columns.len() {
            return self.invalid(create.query.span, &existing.name, "cannot drop columns from view");
        }
        for (old, new) in existing.columns.iter().zip(columns) {
            let built_in = |it: &Column| it.data_type.resolved == ResolvedType::BuiltIn;
            if old.name != new.name {
                let (old, new) = (old.name.as_str(), new.name.as_str());
                let message = format!("cannot change name of view column \"{old}\" to \"{new}\"");
                return self.invalid(create.query.span, &existing.name, message);
            }
            if built_in(old) && built_in(new) && old.data_type.written.name != new.data_type.written.name {
                let (name, from, to) = (old.name.as_str(), &old.data_type.written, &new.data_type.written);
                let message = format!("cannot change data type of view column \"{name}\" from {from} to {to}");
                return self.invalid(create.query.span, &existing.name, message);
            }
        }
    }

    pub(super) fn create_materialized_view(&mut self, create: &CreateMaterializedView) {
        let name = self.new_name(&create.name);
        if !self.free_for_relation(&name, create.if_not_exists, create.name.span) {
            return;
        }
        let analysis = self.analyze(&create.query, &create.name);
        let id = RelationId(self.schema.next_id());
        let mut view = view_of(&create.query, &analysis);
        view.populated = !create.with_no_data;
        let mut relation = Relation::new(id, name, RelationKind::MaterializedView(view));
        relation.owner = self.session.role.clone();
        self.insert_query_relation(relation, &create.columns, analysis, &create.query);
    }

    pub(super) fn refresh_materialized_view(&mut self, refresh: &RefreshMaterializedView) {
        let Some(found) = self.schema.find_relation(&refresh.name, self.session).cloned() else {
            return self.tables_named([&refresh.name]);
        };
        if found.known && !matches!(found.kind, RelationKind::MaterializedView(_)) {
            let message = format!("\"{}\" is not a materialized view", refresh.name.name.as_str());
            return self.invalid(refresh.name.span, &found.name, message);
        }
        if refresh.concurrently {
            self.refuse_refresh(refresh, &found);
        }
        self.edit_relation(found.id, |relation| {
            if let RelationKind::MaterializedView(view) = &mut relation.kind {
                view.populated = !refresh.with_no_data;
            }
        });
    }
}

impl Applier<'_> {
    /// CONCURRENTLY compares old and new rows by a unique index on plain columns (`RefreshMatViewByOid`, matview.c).
    fn refuse_refresh(&mut self, refresh: &RefreshMaterializedView, view: &Relation) {
        let span = refresh.name.span;
        if refresh.with_no_data {
            let message = "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together";
            return self.invalid(span, &view.name, message);
        }
        if !view.known || !self.schema.complete {
            return;
        }
        let usable = self.schema.indexes_of(view.id).filter_map(|index| index.as_index()).any(Index::identifies_rows);
        if view.as_view().is_some_and(|it| !it.populated) {
            let message = "CONCURRENTLY cannot be used when the materialized view is not populated";
            self.invalid(span, &view.name, message);
        } else if !usable {
            let message = format!(
                "cannot refresh materialized view \"{}\" concurrently: it has no unique index on plain columns without WHERE",
                view.name
            );
            self.invalid(span, &view.name, message);
        }
    }
}

fn view_of(query: &Query, analysis: &QueryAnalysis) -> View {
    View {
        query: query.clone(),
        uses: analysis.uses.clone(),
        routines: analysis.routines.clone(),
        types: analysis.types.clone(),
        populated: true,
    }
}

/// What a query depends on, as edges.
pub(super) fn targets(analysis: &QueryAnalysis) -> Vec<Target> {
    let relations = analysis.uses.iter().map(|(id, _)| Target::Relation(*id));
    let routines = analysis.routines.iter().map(|id| Target::Routine(*id));
    let keys = analysis.keys.iter().map(|index| Target::Relation(*index));
    relations.chain(keys).chain(routines).chain(analysis.types.iter().map(|id| Target::Type(*id))).collect()
}

/// The query's output under the names that the statement gives.
fn output_columns(analysis: &QueryAnalysis, names: &[Ident], query: &Query) -> Vec<Column> {
    let unknown = || ColumnType::unknown(query.span);
    match &analysis.output {
        Some(output) => output
            .iter()
            .enumerate()
            .map(|(at, (name, data_type))| {
                let name = names.get(at).map_or(name, |given| &given.name);
                Column::new(name.clone(), data_type.clone().unwrap_or_else(unknown))
            })
            .collect(),
        None => names.iter().map(|given| Column::new(given.name.clone(), unknown())).collect(),
    }
}
