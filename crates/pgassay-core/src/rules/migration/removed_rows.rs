//! TRUNCATE, and DELETE of everything.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, SelectItem, SetExpr, TableFactor,
    UnaryOperator, Value,
};

use crate::change::{Change, Name, ObjectName, PrintedName, RuleEvent};
use crate::effect::WorkKind;
use crate::finding::{Advice, Category, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};
use crate::schema::{Column, NotNull, Relation};

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
    if !context.step.is_shared(relation) {
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
        None => delete.uses.is_empty(),
        Some(condition) => {
            let of = Rows { table: table.map(|table| &**table), name: &delete.table };
            delete.uses.iter().all(own) && of.holds(&condition.tree) == Some(true)
        }
    }
}

/// The rows that a condition is asked of.
struct Rows<'a> {
    table: Option<&'a Relation>,
    name: &'a ObjectName,
}

impl Rows<'_> {
    /// Whether the condition holds for every row, or for none.
    fn holds(&self, condition: &Expr) -> Option<bool> {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        match condition {
            Expr::Nested(inner) => self.holds(inner),
            Expr::Value(value) => match value.value {
                Value::Boolean(truth) => Some(truth),
                _ => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.holds(expr).map(|holds| !holds),
            Expr::BinaryOp { left, op: And, right } => match (self.holds(left), self.holds(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expr::BinaryOp { left, op: Or, right } => match (self.holds(left), self.holds(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => is_null_or_not(left, right).then_some(true),
            },
            Expr::BinaryOp { left, op: op @ (Eq | NotEq | Lt | LtEq | Gt | GtEq), right } => {
                if let (Expr::Value(one), Expr::Value(other)) = (&**left, &**right) {
                    let same = one.value == other.value;
                    return match op {
                        _ if matches!(one.value, Value::Null) || matches!(other.value, Value::Null) => None,
                        Eq => Some(same),
                        NotEq => Some(!same),
                        _ => None,
                    };
                }
                let itself = left == right && self.is_never_null(left);
                itself.then_some(matches!(op, Eq | LtEq | GtEq))
            }
            Expr::IsTrue(inner) => self.holds(inner),
            Expr::IsFalse(inner) | Expr::IsNotTrue(inner) => self.holds(inner).map(|holds| !holds),
            Expr::IsNotFalse(inner) => self.holds(inner),
            Expr::IsNotNull(inner) => self.is_never_null(inner).then_some(true),
            Expr::IsNull(inner) => self.is_never_null(inner).then_some(false),
            Expr::Exists { subquery, negated } => is_one_row(subquery).then_some(!negated),
            Expr::InSubquery { expr, subquery, negated: false } => {
                (self.is_never_null(expr) && self.is_all_of(expr, subquery)).then_some(true)
            }
            Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("coalesce") => {
                let FunctionArguments::List(list) = &function.args else { return None };
                match list.args.first()? {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(first)) => self.holds(first),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn column(&self, expression: &Expr) -> Option<&Column> {
        let name = match expression {
            Expr::Nested(inner) => return self.column(inner),
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(path) => path.last()?,
            _ => return None,
        };
        self.table?.column(&Name::of_ident(name))
    }

    fn is_never_null(&self, expression: &Expr) -> bool {
        self.column(expression).is_some_and(|column| column.not_null == NotNull::Yes)
    }

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
        let (one, other) = (self.column(column), self.column(shown));
        plain && table.joins.is_empty() && same_table && one.is_some() && one.map(|it| it.id) == other.map(|it| it.id)
    }
}

/// `a IS NULL OR a IS NOT NULL`.
fn is_null_or_not(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::IsNull(one), Expr::IsNotNull(other)) | (Expr::IsNotNull(one), Expr::IsNull(other)) => one == other,
        _ => false,
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
