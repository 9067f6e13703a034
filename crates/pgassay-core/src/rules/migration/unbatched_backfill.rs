//! UPDATE or DELETE of a whole table in one statement.

use sqlparser::ast::{self, BinaryOperator, Expr, Value};

use super::walked_rows;
use crate::catalog::LockMode;
use crate::change::{Change, Expression, ObjectName, PrintedName};
use crate::finding::{Advice, Category, Finding, FixStep, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};
use crate::schema::{ConstraintKind, Relation};
use crate::source::Span;
use crate::walk;

use super::listed_rows;

pub static RULE: Rule = Rule {
    name: "unbatched-backfill",
    category: Category::Blocking,
    severity: Severity::Warning,
    summary: "One statement changes all rows of a table that others write to",
    explanation: "Every changed row stays locked until the transaction ends, so writers to the same rows wait; all new row versions are written \
        at once, the old ones cannot be vacuumed away meanwhile, and replicas fall behind. Change rows in batches by key range, each in \
        its own transaction. A condition that compares a column with a constant counts as a filter; one that is always true, or true \
        for most rows (IS NULL of the column being filled), does not.",
    fires: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, state text);",
        migration: "UPDATE orders SET state = 'open' WHERE true;",
    },
    quiet: Example {
        given: "CREATE TABLE orders (id bigint PRIMARY KEY, state text);",
        migration: "UPDATE orders SET state = 'open' WHERE id BETWEEN 1 AND 5000 AND state IS NULL;",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    // Under a strong lock it is long-work-under-lock, and worse.
    if context.step.held.iter().any(|(_, held)| held.mode >= LockMode::Share) {
        return;
    }
    let Some(span) = touches_many_rows(context) else { return };
    let Some((verb, table)) = target(context) else { return };
    let name = context.step.schema.qualify(table, &context.step.session);
    // Rows that are gone for good are removed-rows.
    if verb == "deletes" && super::removed_rows::removes_all(context) {
        return;
    }
    let message = format!("{verb} rows all over {name} in one statement: writers of those rows wait until it commits");
    let mut finding = RULE.finding(span, message);
    finding.object = Some(PrintedName::from(&name));
    let relation = context.step.schema.find_relation(table, &context.step.session);
    finding.evidence.push(context.evidence_for(
        relation.map(|relation| relation.id),
        match predicate(context) {
            None => "it has no WHERE".to_owned(),
            Some(condition) => format!("WHERE {} does not limit it to few rows", condition.text),
        },
    ));
    finding.advice = batches(context, relation.map(|relation| &**relation), &name.to_string());
    finding.advice.walk = walked_rows::walked(context).map(Box::new);
    findings.push(finding);
}

/// Where the rows are named, when the statement changes an unknown, possibly large number of rows that others see.
pub(super) fn touches_many_rows(context: &StepContext) -> Option<Span> {
    let (_, table) = target(context)?;
    let relation = context.step.schema.find_relation(table, &context.step.session);
    if !context.step.is_shared(relation.map(|relation| relation.id)) {
        return None;
    }
    let limited = predicate(context).is_some_and(|condition| limits(&condition.tree));
    let limited = limited || tree(context).is_some_and(listed_rows::joins_short_list);
    (!limited).then_some(table.span)
}

fn target<'r>(context: &StepContext<'r>) -> Option<(&'static str, &'r ObjectName)> {
    match context.change()? {
        Change::Update(update) => Some(("changes", &update.table)),
        Change::Delete(delete) => Some(("deletes", &delete.table)),
        Change::Merge(merge) => Some((merged(&merge.tree.0)?, &merge.table)),
        _ => None,
    }
}

/// What MERGE does to rows that are there, where its source is not a list of values.
fn merged(tree: &ast::Statement) -> Option<&'static str> {
    let ast::Statement::Merge(merge) = tree else { return None };
    let listed = match &merge.source {
        ast::TableFactor::Derived { subquery, .. } => {
            matches!(&*subquery.body, ast::SetExpr::Values(_))
                || matches!(&*subquery.body, ast::SetExpr::Select(select) if select.from.is_empty() || select.selection.is_some())
        }
        _ => false,
    };
    let actions = merge.clauses.iter().filter(|clause| clause.predicate.is_none()).map(|clause| &clause.action);
    let mut verbs = actions.filter_map(|action| match action {
        ast::MergeAction::Update(_) => Some("changes"),
        ast::MergeAction::Delete { .. } => Some("deletes"),
        ast::MergeAction::Insert(_) | ast::MergeAction::DoNothing { .. } => None,
    });
    verbs.next().filter(|_| !listed && !limits(&merge.on))
}

fn predicate<'r>(context: &StepContext<'r>) -> Option<&'r Expression> {
    match context.change()? {
        Change::Update(update) => update.predicate.as_ref(),
        Change::Delete(delete) => delete.predicate.as_ref(),
        _ => None,
    }
}

fn tree<'r>(context: &StepContext<'r>) -> Option<&'r ast::Statement> {
    match context.change()? {
        Change::Update(update) => Some(&update.tree.0),
        Change::Delete(delete) => Some(&delete.tree.0),
        _ => None,
    }
}

/// Whether a condition compares something with constants for equality or as a range, in an AND-ed part.
fn limits(condition: &Expr) -> bool {
    match condition {
        Expr::Nested(inner) => limits(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => limits(left) || limits(right),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => limits(left) && limits(right),
        Expr::BinaryOp { left, op, right } => {
            use BinaryOperator::*;
            let compares = matches!(op, Eq | Lt | LtEq | Gt | GtEq);
            compares && (names_column(left) && is_constant(right) || names_column(right) && is_constant(left))
        }
        Expr::Between { expr, negated: false, .. } => names_column(expr),
        Expr::InList { expr, negated: false, .. } => names_column(expr),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, .. } => names_column(left),
        // What a subquery or a pattern selects is not known; it was written to select.
        Expr::InSubquery { negated: false, .. } | Expr::Exists { negated: false, .. } => true,
        Expr::Like { negated: false, .. }
        | Expr::ILike { negated: false, .. }
        | Expr::SimilarTo { negated: false, .. } => true,
        _ => false,
    }
}

fn names_column(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => names_column(inner),
        Expr::Function(_) | Expr::BinaryOp { .. } => true,
        _ => false,
    }
}

fn is_constant(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => !matches!(value.value, Value::Null),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => is_constant(inner),
        Expr::BinaryOp { left, right, .. } => is_constant(left) && is_constant(right),
        Expr::TypedString(_) | Expr::Interval(_) | Expr::Subquery(_) | Expr::Function(_) | Expr::AnyOp { .. } => true,
        // PL/pgSQL variables look like columns.
        _ => false,
    }
}

fn batches(context: &StepContext, relation: Option<&Relation>, name: &str) -> Advice {
    let text = "Change the rows in batches of a few thousand by key range, each in its own transaction.";
    let Some(key) = relation.and_then(single_key) else { return Advice::text(text) };
    let range = |first: u32, last: u32| limited(context, &format!("{key} BETWEEN {first} AND {last}"), key);
    let (Some(first), Some(second)) = (range(1, 5000), range(5001, 10_000)) else { return Advice::text(text) };
    Advice::steps(
        format!("{text} Go on with the next range until it passes the largest {key} of {name}."),
        vec![FixStep::own(first), FixStep::own(second)],
    )
}

/// The statement with one more condition. `None` where the key's name alone could mean another table's column, or the end of the
/// statement is not its WHERE.
fn limited(context: &StepContext, range: &str, key: &crate::change::Name) -> Option<String> {
    let statement = context.step.span();
    // What is a variable here has no value outside of its block.
    if predicate(context).is_some_and(|condition| names_variable(&condition.tree)) {
        return None;
    }
    let (tree, target) = match context.change()? {
        Change::Update(update) => (&update.tree, &update.table),
        Change::Delete(delete) => (&delete.tree, &delete.table),
        _ => return None,
    };
    let (tables, alias, returns) = match &*tree.0 {
        ast::Statement::Update(update) => {
            let ast::TableFactor::Table { alias, .. } = &update.table.relation else { return None };
            (update.from.is_some(), alias, update.returning.is_some())
        }
        ast::Statement::Delete(delete) => {
            let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
            let ast::TableFactor::Table { alias, .. } = &from.first()?.relation else { return None };
            (delete.using.is_some(), alias, delete.returning.is_some())
        }
        _ => return None,
    };
    let owner = match alias {
        Some(alias) => alias.name.to_string(),
        None => target.name.to_string(),
    };
    let range = if tables { range.replacen(&key.to_string(), &format!("{owner}.{key}"), 1) } else { range.to_owned() };
    let text = context.text(statement).trim_end_matches([';', ' ', '\n', '\r', '\t']);
    match predicate(context) {
        Some(condition) => {
            let before = context.text(Span { end: condition.span.start, ..statement });
            let behind = context.text(Span { start: condition.span.end, ..statement });
            Some(format!("{before}({}) AND {range}{};", condition.text, behind.trim_end_matches([';', ' ', '\n'])))
        }
        None if returns => None,
        None => Some(format!("{text} WHERE {range};")),
    }
}

fn names_variable(condition: &Expr) -> bool {
    let found = walk::visit_expressions(condition, |part| match part {
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The only column of an integer primary key.
fn single_key(relation: &Relation) -> Option<&crate::change::Name> {
    let ConstraintKind::PrimaryKey { columns, .. } = &relation.primary_key()?.kind else { return None };
    let [only] = columns.as_slice() else { return None };
    let column = relation.column_by_id(*only)?;
    matches!(column.data_type.written.name.as_str(), "int2" | "int4" | "int8" | "serial2" | "serial4" | "serial8")
        .then_some(&column.name)
}
