//! What the string literals of a statement are read as, where a rule has to know.

use crate::apply::apply;
use crate::change::{AlterTableActionKind, Change, Constraint, ConstraintKind, Expression, IndexTarget, ObjectName};
use crate::expression::{self, Reading, Scope};
use crate::history::Step;
use crate::schema::{Relation, Schema};
use crate::version::PgVersion;

/// The literals of which the type is known; any other may be read as anything.
pub(super) fn readings(step: &Step, version: PgVersion) -> Vec<Reading> {
    step.change().map(|change| of_change(change, step, version)).unwrap_or_default()
}

fn of_change(change: &Change, step: &Step, version: PgVersion) -> Vec<Reading> {
    let scope = Scope { schema: &step.schema, session: &step.session, version, relation: None, value: None };
    let tree = match change {
        Change::Insert(it) => &it.tree,
        Change::Update(it) => &it.tree,
        Change::Delete(it) => &it.tree,
        Change::Merge(it) => &it.tree,
        Change::Select(it) => &it.tree,
        Change::CreateView(it) => return expression::judge_query(&it.query.tree, scope).readings,
        Change::CreateMaterializedView(it) => return expression::judge_query(&it.query.tree, scope).readings,
        Change::CreateTableAs(it) => {
            let query = it.query.iter().map(|query| expression::judge_query(&query.tree, scope).readings);
            return query.flatten().collect();
        }
        // A body in SQL is analysed when the function is made (fmgr_sql_validator, pg_proc.c); any other when it runs.
        Change::CreateRoutine(create) if step.session.check_function_bodies => {
            let inner = create.statements.iter().filter_map(|statement| statement.change.as_ref().ok());
            return inner.flat_map(|change| of_change(change, step, version)).collect();
        }
        _ => return of_definition(change, step, version),
    };
    expression::judge_statement(&tree.0, scope).readings
}

/// Expressions over one table, with the columns that the statement itself adds.
fn of_definition(change: &Change, step: &Step, version: PgVersion) -> Vec<Reading> {
    let Some(parts) = Parts::of(change) else { return Vec::new() };
    let mut after = Schema::clone(&step.schema);
    apply(&mut after, change, &step.session, version);
    let Some(relation) = after.find_relation(parts.table, &step.session) else { return Vec::new() };
    let scope = Scope { schema: &after, session: &step.session, version, relation: Some(&**relation), value: None };
    let conditions = parts.expressions.iter().flat_map(|it| expression::judge_expression(&it.tree, scope).readings);
    let defaults = parts.defaults.iter().flat_map(|(column, default)| given(relation, column, default, scope));
    conditions.chain(defaults).collect()
}

fn given(relation: &Relation, column: &crate::change::Name, default: &Expression, scope: Scope) -> Vec<Reading> {
    let mut found = expression::judge_expression(&default.tree, scope).readings;
    let column = relation.column(column);
    found.extend(column.into_iter().flat_map(|it| expression::readings_of_value(&default.tree, &it.data_type, scope)));
    found
}

/// What a definition brings: conditions and the like, and the defaults of columns.
struct Parts<'c> {
    table: &'c ObjectName,
    expressions: Vec<&'c Expression>,
    defaults: Vec<(&'c crate::change::Name, &'c Expression)>,
}

impl<'c> Parts<'c> {
    fn of(change: &'c Change) -> Option<Parts<'c>> {
        let mut parts = Parts { table: table_of(change)?, expressions: Vec::new(), defaults: Vec::new() };
        match change {
            Change::CreateTable(create) => {
                create.columns.iter().for_each(|column| parts.column(column));
                create.constraints.iter().for_each(|constraint| parts.constraint(constraint));
            }
            Change::AlterTable(alter) => alter.actions.iter().for_each(|action| parts.action(&action.kind)),
            Change::CreateIndex(create) => {
                parts.expressions.extend(&create.predicate);
                parts.expressions.extend(create.elements.iter().filter_map(|element| match &element.target {
                    IndexTarget::Expression(expression) => Some(expression),
                    IndexTarget::Column(_) => None,
                }));
            }
            Change::CreatePolicy(policy) => parts.expressions.extend(policy.using.iter().chain(&policy.with_check)),
            Change::AlterPolicy(policy) => parts.expressions.extend(policy.using.iter().chain(&policy.with_check)),
            _ => {}
        }
        Some(parts)
    }

    fn column(&mut self, column: &'c crate::change::ColumnDefinition) {
        self.defaults.extend(column.default.iter().map(|default| (&column.name.name, default)));
        self.defaults.extend(column.generated.iter().map(|it| (&column.name.name, &it.expression)));
    }

    fn constraint(&mut self, constraint: &'c Constraint) {
        match &constraint.kind {
            ConstraintKind::Check(check) => self.expressions.push(check),
            ConstraintKind::Exclude { predicate, .. } => self.expressions.extend(predicate),
            ConstraintKind::NotNull(_)
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKey(_)
            | ConstraintKind::UsingIndex { .. }
            | ConstraintKind::ForeignKey(_) => {}
        }
    }

    fn action(&mut self, action: &'c AlterTableActionKind) {
        match action {
            AlterTableActionKind::AddColumn { column, .. } => self.column(column),
            AlterTableActionKind::SetDefault { column, default } => self.defaults.push((&column.name, default)),
            AlterTableActionKind::AddConstraint(constraint) => self.constraint(constraint),
            _ => {}
        }
    }
}

fn table_of(change: &Change) -> Option<&ObjectName> {
    match change {
        Change::CreateTable(create) => Some(&create.name),
        Change::AlterTable(alter) => Some(&alter.relation),
        Change::CreateIndex(create) => Some(&create.table),
        Change::CreatePolicy(policy) => Some(&policy.table),
        Change::AlterPolicy(policy) => Some(&policy.table),
        _ => None,
    }
}
