//! What statements on rows depend on and return: INSERT, UPDATE, DELETE, MERGE.

use sqlparser::ast::{self, Statement};

use super::analyzer::{Analyzer, Visible};
use super::query::Output;
use super::scope::{Environment, Source};
use super::{assigned, names, readings};
use crate::change::Name;
use crate::sql::kept;

impl Analyzer<'_> {
    /// DML, or a query. The output is that of RETURNING.
    pub fn statement(&mut self, statement: &Statement, outer: Option<&Environment<'_>>) -> Output {
        match statement {
            Statement::Query(query) => self.query(query, outer),
            Statement::Insert(insert) => self.insert(insert, outer),
            Statement::Update(update) => self.update(update, outer),
            Statement::Delete(delete) => self.delete(delete, outer),
            Statement::Merge(merge) => self.merge(merge, outer),
            _ => None,
        }
    }

    pub(super) fn returning(
        &mut self,
        items: Option<&Vec<ast::SelectItem>>,
        env: &Environment<'_>,
        visible: &Visible,
    ) -> Output {
        let mut output = Vec::new();
        for item in items.into_iter().flatten() {
            output.extend(self.item(item, env, visible)?);
        }
        Some(output)
    }

    /// Columns that are written, and what says which part of them.
    pub(super) fn target_columns<'b>(
        &mut self,
        target: &Source,
        written: impl Iterator<Item = &'b ast::ObjectName>,
        env: &Environment<'_>,
    ) {
        for name in written {
            kept::subscripts(name).into_iter().for_each(|subscript| self.expression(subscript, env));
            // `column.field` assigns to a part of the column.
            let first = name.0.first().and_then(|part| part.as_ident()).map(names::name);
            match first.as_ref().and_then(|first| target.column(first)) {
                Some(column) => self.uses_column(target, column),
                None if target.known => {
                    self.analysis.unknown_columns.extend(name.0.first().and_then(|part| part.as_ident()).cloned());
                }
                None => {}
            }
        }
    }

    pub(super) fn assignments(&mut self, assignments: &[ast::Assignment], target: &Source, env: &Environment<'_>) {
        if self.judges {
            self.refuse(assigned::twice(assignments));
        }
        for assignment in assignments {
            match &assignment.target {
                ast::AssignmentTarget::ColumnName(name) => {
                    self.target_columns(target, std::iter::once(name), env);
                    if self.judges {
                        self.refuse(assigned::refused(name, &assignment.value, target, env));
                        let column = assigned::target_of(name, target).and_then(|it| it.data_type.as_ref());
                        let given = column.map(|of| readings::given(&assignment.value, of, env));
                        self.analysis.readings.extend(given.into_iter().flatten());
                    }
                }
                ast::AssignmentTarget::Tuple(names) => {
                    self.target_columns(target, names.iter(), env);
                    if self.judges {
                        self.refuse(assigned::refused_list(names, &assignment.value, env));
                    }
                }
            }
            self.expression(&assignment.value, env);
        }
    }

    pub(super) fn insert(&mut self, insert: &ast::Insert, outer: Option<&Environment<'_>>) -> Output {
        let ast::TableObject::TableName(name) = &insert.table else { return None };
        let target = self.relation(name, None);
        if insert.columns.is_empty() && insert.source.is_some() {
            target.columns.iter().for_each(|column| self.uses_column(&target, column));
        }
        let no_row = Environment { scope: self.scope, sources: &[], outer };
        self.target_columns(&target, insert.columns.iter(), &no_row);
        if let Some(source) = &insert.source {
            let output = self.query(source, outer);
            if self.judges {
                let env = Environment { scope: self.scope, sources: &[], outer };
                self.refuse(assigned::refused_rows(insert, source, &output, &target, &env));
                self.analysis.readings.extend(readings::of_rows(insert, source, &target, &env));
            }
        }
        let mut target = target;
        if let Some(alias) = &insert.table_alias {
            target.name = names::name(&alias.alias);
        }
        let excluded = Source { schema: None, name: Name::from("excluded"), ..target.clone() };
        let visible: Visible = (0..target.columns.len()).map(|column| (0, column)).collect();
        let sources = [target, excluded];
        let env = Environment { scope: self.scope, sources: &sources, outer };
        // An index is inferred from the table's own columns; EXCLUDED is none of them (transformOnConflictArbiter, parse_clause.c).
        let own = Environment { scope: self.scope, sources: &sources[..1], outer: None };
        if let Some(ast::OnInsert::OnConflict(conflict)) = &insert.on {
            if let Some(ast::ConflictTarget::Columns(columns)) = &conflict.conflict_target {
                columns.iter().for_each(|column| self.expression(&ast::Expr::Identifier(column.clone()), &own));
            }
            if let Some(inference) = kept::inference(conflict) {
                inference.elements.iter().for_each(|element| self.expression(element, &own));
                // It is not coerced to a boolean, and not refused where it is none.
                inference.predicate.iter().for_each(|condition| self.expression(condition, &own));
            }
            if let ast::OnConflictAction::DoUpdate(update) = &conflict.action {
                self.assignments(&update.assignments, &sources[0], &env);
                update.selection.iter().for_each(|condition| self.expression(condition, &env));
            }
        }
        let stored = Environment { scope: self.scope, sources: &sources[..1], outer };
        self.returning(insert.returning.as_ref(), &stored, &visible)
    }

    pub(super) fn update(&mut self, update: &ast::Update, outer: Option<&Environment<'_>>) -> Output {
        let from = match &update.from {
            Some(ast::UpdateTableFromKind::BeforeSet(from) | ast::UpdateTableFromKind::AfterSet(from)) => &from[..],
            None => &[],
        };
        let mut tables = vec![update.table.clone()];
        tables.extend(from.iter().cloned());
        let (sources, visible) = self.from(&tables, outer);
        let env = Environment { scope: self.scope, sources: &sources, outer };
        if let Some(target) = sources.first() {
            self.assignments(&update.assignments, target, &env);
        }
        update.selection.iter().for_each(|condition| self.condition(condition, "WHERE", &env));
        self.returning(update.returning.as_ref(), &env, &visible)
    }

    pub(super) fn delete(&mut self, delete: &ast::Delete, outer: Option<&Environment<'_>>) -> Output {
        let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
        let mut tables = from.clone();
        tables.extend(delete.using.iter().flatten().cloned());
        let (sources, visible) = self.from(&tables, outer);
        let env = Environment { scope: self.scope, sources: &sources, outer };
        delete.selection.iter().for_each(|condition| self.condition(condition, "WHERE", &env));
        self.returning(delete.returning.as_ref(), &env, &visible)
    }

    pub(super) fn merge(&mut self, merge: &ast::Merge, outer: Option<&Environment<'_>>) -> Output {
        let mut sources = Vec::new();
        self.factor(&merge.table, &mut sources, outer);
        self.factor(&merge.source, &mut sources, outer);
        let env = Environment { scope: self.scope, sources: &sources, outer };
        self.expression(&merge.on, &env);
        for clause in &merge.clauses {
            // A row that only one side has is seen without the other side (transformMergeStmt, parse_merge.c).
            let seen = match clause.clause_kind {
                ast::MergeClauseKind::Matched => &sources[..],
                ast::MergeClauseKind::NotMatched | ast::MergeClauseKind::NotMatchedByTarget => &sources[1..],
                ast::MergeClauseKind::NotMatchedBySource => &sources[..1],
            };
            let env = Environment { scope: self.scope, sources: seen, outer };
            clause.predicate.iter().for_each(|condition| self.expression(condition, &env));
            match &clause.action {
                ast::MergeAction::Update(update) => {
                    if let ast::MergeUpdateKind::Set(assignments) = &update.kind {
                        self.assignments(assignments, &sources[0], &env);
                    }
                }
                ast::MergeAction::Insert(insert) => {
                    self.target_columns(&sources[0], insert.columns.iter(), &env);
                    if let ast::MergeInsertKind::Values(values) = &insert.kind {
                        values
                            .rows
                            .iter()
                            .flat_map(|row| row.content.iter())
                            .for_each(|value| self.expression(value, &env));
                    }
                }
                ast::MergeAction::Delete { .. } | ast::MergeAction::DoNothing { .. } => {}
            }
        }
        None
    }
}
