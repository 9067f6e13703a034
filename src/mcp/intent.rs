//! An intended change, written the naive way, judged, and answered with the steps of the advice.

use std::collections::HashMap;

use anyhow::{Context, bail};
use pgassay::change::Name;
use pgassay::finding::{Finding, Severity};
use pgassay::rules::migration::MISSING_LOCK_TIMEOUT;
use pgassay::source::{FileId, Span};
use pgassay::sql::{SourceTokenKind, source_tokens};
use rmcp::schemars;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Desk, basis, finding, not_looked_at, steps};

/// What to change.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Intent {
    intent: Kind,
    /// The table: orders, shop.orders, "Orders".
    table: String,
    /// The column, where the change is of one.
    column: Option<String>,
    /// The columns of an index, a unique constraint or a foreign key, where they are several.
    #[serde(default)]
    columns: Vec<String>,
    /// The name afterwards, of a rename.
    new_name: Option<String>,
    /// The type of a new column, with NOT NULL and DEFAULT if wanted; or the new type of a column.
    data_type: Option<String>,
    /// The table that a foreign key refers to, with its columns if they are not the primary key: customers, or customers (id).
    references: Option<String>,
    /// The condition of a check constraint.
    check: Option<String>,
    /// The project's folder, if it is not the one that the server was started in.
    project: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars")]
enum Kind {
    RenameColumn,
    RenameTable,
    DropColumn,
    DropTable,
    AddColumn,
    MakeNotNull,
    DropNotNull,
    ChangeType,
    AddForeignKey,
    AddIndex,
    AddUnique,
    AddCheck,
    AddPrimaryKey,
}

impl Intent {
    /// The statement that a newcomer would write.
    fn naive(&self) -> anyhow::Result<String> {
        let table = name(&self.table).context("table")?;
        let alter = |action: String| format!("ALTER TABLE {table} {action};");
        let column = || one(self.column.as_deref(), "column");
        let columns = || -> anyhow::Result<String> {
            let all: Vec<&str> = self.columns.iter().map(String::as_str).chain(self.column.as_deref()).collect();
            if all.is_empty() {
                bail!("this change needs column, or columns");
            }
            let mut quoted: Vec<String> = Vec::new();
            for column in all {
                let column = one(Some(column), "column")?;
                if !quoted.contains(&column) {
                    quoted.push(column);
                }
            }
            Ok(quoted.join(", "))
        };
        let part = |part: &Option<String>, what: &str| {
            part.clone().filter(|part| !part.trim().is_empty()).with_context(|| format!("this change needs {what}"))
        };
        Ok(match self.intent {
            Kind::RenameColumn => {
                alter(format!("RENAME COLUMN {} TO {}", column()?, one(self.new_name.as_deref(), "new_name")?))
            }
            Kind::RenameTable => alter(format!("RENAME TO {}", one(self.new_name.as_deref(), "new_name")?)),
            Kind::DropColumn => alter(format!("DROP COLUMN {}", column()?)),
            Kind::DropTable => format!("DROP TABLE {table};"),
            Kind::AddColumn => alter(format!("ADD COLUMN {} {}", column()?, part(&self.data_type, "data_type")?)),
            Kind::MakeNotNull => alter(format!("ALTER COLUMN {} SET NOT NULL", column()?)),
            Kind::DropNotNull => alter(format!("ALTER COLUMN {} DROP NOT NULL", column()?)),
            Kind::ChangeType => {
                alter(format!("ALTER COLUMN {} TYPE {}", column()?, part(&self.data_type, "data_type")?))
            }
            Kind::AddForeignKey => {
                alter(format!("ADD FOREIGN KEY ({}) REFERENCES {}", columns()?, part(&self.references, "references")?))
            }
            Kind::AddIndex => format!("CREATE INDEX ON {table} ({});", columns()?),
            Kind::AddUnique => alter(format!("ADD UNIQUE ({})", columns()?)),
            Kind::AddPrimaryKey => alter(format!("ADD PRIMARY KEY ({})", columns()?)),
            Kind::AddCheck => alter(format!("ADD CHECK ({})", part(&self.check, "check")?)),
        })
    }
}

/// One name, as SQL writes it.
fn one(written: Option<&str>, what: &str) -> anyhow::Result<String> {
    let written = written.with_context(|| format!("this change needs {what}"))?;
    match names(written)?.as_slice() {
        [one] => Ok(one.to_string()),
        _ => bail!("{what}: {written:?} is not one name"),
    }
}

/// A name with or without its schema.
fn name(written: &str) -> anyhow::Result<String> {
    match names(written)?.as_slice() {
        [name] => Ok(name.to_string()),
        [schema, name] => Ok(format!("{schema}.{name}")),
        _ => bail!("{written:?} is not a name, with or without a schema"),
    }
}

fn names(written: &str) -> anyhow::Result<Vec<Name>> {
    let mut found = Vec::new();
    let whole = Span::new(FileId(0), 0, written.len());
    for (at, lexeme) in source_tokens(whole, written).into_iter().enumerate() {
        match lexeme.kind {
            SourceTokenKind::Word { name, .. } if at % 2 == 0 => found.push(name),
            SourceTokenKind::Sign(sign) if at % 2 == 1 && sign == "." => {}
            _ => bail!("{written:?} is not a name"),
        }
    }
    Ok(found)
}

pub fn plan(desk: &Desk, question: Intent) -> anyhow::Result<Value> {
    let naive = question.naive()?;
    let mut project = desk.project(question.project.as_deref(), HashMap::new())?;
    let judged = project.judge_text("<plan>", &naive);
    let [at] = judged.statements.as_slice() else {
        bail!("{naive:?} is not one statement: give parts of one");
    };
    let explanation = &at.explanation;
    if let Some(unread) = &explanation.unread {
        bail!("{naive:?} could not be read: {unread}");
    }
    let findings = &judged.report.findings;
    let chosen = chosen(findings);
    let others = findings.iter().filter(|other| !chosen.is_some_and(|chosen| std::ptr::eq(*other, chosen)));
    let (verdict, instead, plan) = match chosen {
        _ if !explanation.problems.is_empty() => ("the server refuses it", Value::Null, json!([])),
        Some(chosen) => {
            ("not as one statement: take the steps", json!(chosen.advice.text), steps(&chosen.advice.steps))
        }
        None => match findings.iter().find(|finding| finding.severity == Severity::Error) {
            Some(worst) => ("not as one statement: do what instead says", json!(worst.advice.text), json!([])),
            None => {
                let step = json!({ "sql": naive, "transaction": "as any migration" });
                ("safe as one statement, but for what otherFindings say", Value::Null, json!([step]))
            }
        },
    };
    Ok(json!({
        "naiveStatement": naive,
        "verdict": verdict,
        "problems": explanation.problems,
        "whatItWouldDo": { "locks": explanation.locks, "work": explanation.work, "failures": explanation.failures, "clientsLose": explanation.clients_lose },
        "instead": instead,
        "steps": plan,
        "why": chosen.map(|chosen| chosen.message.clone()),
        "otherFindings": others.map(|other| finding(other, &project, desk)).collect::<Vec<_>>(),
        "judgedOn": basis(&project, desk),
        "notLookedAt": not_looked_at(&project, explanation.not_known.clone()),
    }))
}

/// The finding whose steps make the plan: the worst that has any, and of those the one with most. A timeout alone is no plan.
fn chosen(findings: &[Finding]) -> Option<&Finding> {
    let with_steps = findings.iter().filter(|it| !it.advice.steps.is_empty() && *it.rule != MISSING_LOCK_TIMEOUT);
    with_steps.max_by_key(|finding| (finding.severity, finding.advice.steps.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(question: Value) -> anyhow::Result<String> {
        serde_json::from_value::<Intent>(question)?.naive()
    }

    #[test]
    fn intents_become_statements_with_names_quoted_where_they_need_it() {
        let rename =
            json!({ "intent": "rename_column", "table": "shop.\"Orders\"", "column": "note", "new_name": "\"Note\"" });
        assert_eq!(naive(rename).unwrap(), "ALTER TABLE shop.\"Orders\" RENAME COLUMN note TO \"Note\";");
        let key = json!({ "intent": "add_foreign_key", "table": "orders", "columns": ["a", "b"], "references": "pairs (a, b)" });
        assert_eq!(naive(key).unwrap(), "ALTER TABLE orders ADD FOREIGN KEY (a, b) REFERENCES pairs (a, b);");
        let index = json!({ "intent": "add_index", "table": "Orders", "column": "user" });
        assert_eq!(naive(index).unwrap(), "CREATE INDEX ON orders (\"user\");");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for table in ["orders; DROP TABLE x", "a.b.c", "", "orders o", "'x'"] {
            assert!(naive(json!({ "intent": "drop_table", "table": table })).is_err(), "{table}");
        }
        assert!(naive(json!({ "intent": "drop_column", "table": "orders" })).is_err());
    }
}
