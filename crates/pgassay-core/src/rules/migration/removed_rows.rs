//! TRUNCATE, and DELETE of everything.

use sqlparser::ast::{Expr, Query, SelectItem, SetExpr, TableFactor};

use crate::change::{Change, Name, ObjectName, PrintedName, RuleEvent};
use crate::effect::WorkKind;
use crate::expression::{AnyRow, Known, truth};
use crate::finding::{Advice, Category, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "removed-rows",
    category: Category::DataLoss,
    severity: Severity::Error,
    summary: "TRUNCATE, or DELETE without an effective WHERE, on a table that existed before",
    explanation: "All rows are gone once the transaction commits. TRUNCATE … CASCADE empties every table that refers to it as well. If the rows \
        are meant to go, say so with an allow comment; if the table is only a cache or a queue, put it into the configuration.",
    fires: Example {
        given: "CREATE TABLE sessions (id bigint PRIMARY KEY);",
        migration: "DELETE FROM sessions WHERE true;",
    },
    quiet: Example {
        given: "CREATE TABLE sessions (id bigint PRIMARY KEY, expires_at timestamptz);",
        migration: "DELETE FROM sessions WHERE expires_at < '2020-01-01';",
    },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    match context.change() {
        Some(Change::Truncate(truncate)) => {
            for (table, _) in &truncate.tables {
                report(context, table, "empties", findings);
            }
        }
        Some(Change::Delete(delete)) if removes_all(context) => {
            report(context, &delete.table, "deletes every row of", findings)
        }
        _ => {}
    }
}

fn report(context: &StepContext, table: &ObjectName, verb: &str, findings: &mut Vec<Finding>) {
    let relation = context.step.schema.find_relation(table, &context.step.session).map(|relation| relation.id);
    // What is refused takes nothing.
    if !context.step.is_shared(relation) || context.step.is_refused() {
        return;
    }
    let name = context.step.schema.qualify(table, &context.step.session);
    let mut finding = RULE.finding(table.span, format!("{verb} {name}"));
    finding.object = Some(PrintedName::from(&name));
    finding
        .evidence
        .push(context.evidence_for(relation, "the table existed before this migration, and nothing limits the rows"));
    let others: Vec<&str> = context
        .shared_work()
        .filter(|work| work.kind == WorkKind::Rewrite && work.relation.is_some() && work.relation != relation)
        .map(|work| &*work.name)
        .collect();
    if !others.is_empty() && matches!(context.change(), Some(Change::Truncate(truncate)) if truncate.cascade) {
        finding.message.push_str(&format!(", and by CASCADE also {}", others.join(", ")));
    }
    finding.advice = Advice::text("Keep a copy of the rows, or limit the statement to those that are meant to go.");
    findings.push(finding);
}

/// DELETE without WHERE, or with one that is always true.
pub(super) fn removes_all(context: &StepContext) -> bool {
    let Some(Change::Delete(delete)) = context.change() else { return false };
    let step = context.step;
    let table = step.schema.find_relation(&delete.table, &step.session);
    if table.is_some_and(|table| table.is_replaced(RuleEvent::Delete, step.session.replica_role)) {
        return false;
    }
    let own = |used: &crate::change::RelationUse| {
        (&used.relation.schema, &used.relation.name) == (&delete.table.schema, &delete.table.name)
    };
    match &delete.predicate {
        // Of USING without a condition one row is enough.
        None => true,
        Some(condition) => {
            let rows = Rows { table: AnyRow(table.map(|table| &**table)), name: &delete.table };
            delete.uses.iter().all(own) && truth(&condition.tree, &rows) == Some(true)
        }
    }
}

/// The rows that a condition of DELETE is asked of.
struct Rows<'a> {
    table: AnyRow<'a>,
    name: &'a ObjectName,
}

impl Known for Rows<'_> {
    fn holds(&self, part: &Expr) -> Option<bool> {
        match part {
            Expr::Exists { subquery, negated } => is_one_row(subquery).then_some(!negated),
            Expr::InSubquery { expr, subquery, negated: false } => {
                (self.is_never_null(expr) && self.is_all_of(expr, subquery)).then_some(true)
            }
            _ => None,
        }
    }

    fn is_never_null(&self, part: &Expr) -> bool {
        self.table.is_never_null(part)
    }
}

impl Rows<'_> {
    /// `SELECT id FROM the same table`, all its rows.
    fn is_all_of(&self, column: &Expr, query: &Query) -> bool {
        let SetExpr::Select(select) = &*query.body else { return false };
        let plain = query.with.is_none()
            && query.limit_clause.is_none()
            && query.fetch.is_none()
            && select.selection.is_none()
            && select.having.is_none();
        let (Some(SelectItem::UnnamedExpr(shown)), [table]) = (select.projection.first(), &select.from[..]) else {
            return false;
        };
        let same_table = match &table.relation {
            TableFactor::Table { name, args: None, sample: None, .. } => {
                let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident()).map(Name::of_ident);
                parts.next().as_ref() == Some(&self.name.name) && parts.next() == self.name.schema
            }
            _ => false,
        };
        let (one, other) = (self.table.column(column), self.table.column(shown));
        plain && table.joins.is_empty() && same_table && one.is_some() && one.map(|it| it.id) == other.map(|it| it.id)
    }
}

/// `SELECT 1`.
fn is_one_row(query: &Query) -> bool {
    match &*query.body {
        SetExpr::Select(select) => {
            let limited = query.limit_clause.is_some() || query.fetch.is_some() || select.having.is_some();
            select.from.is_empty() && select.selection.is_none() && !limited
        }
        _ => false,
    }
}
