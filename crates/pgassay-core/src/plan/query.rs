//! The statement that a plan is asked for: whether running it would change anything, and which parameters it has.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::walk::{visit_expressions, visit_relations};
use sqlparser::ast::{self, Expr};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::change::{Access, Change, RelationUse, Tree};
use crate::source::{SourceFile, Sources};
use crate::sql::read_script;

/// A statement as far as EXPLAIN has to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Without the semicolon and comments around it.
    pub sql: String,
    /// Why running it would change something, in words that follow "it".
    pub writes: Option<String>,
    /// The greatest n of `$n`.
    pub parameters: usize,
    /// Functions that it calls, in lower case unless quoted, without their schema: which of them are volatile, the server knows.
    pub functions: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("there is no statement to plan")]
    Empty,
    #[error("one statement can be planned at a time, and these are {0}")]
    Several(usize),
    #[error("leave EXPLAIN out: pgassay asks for the plan itself (--analyze runs the statement)")]
    Explain,
}

/// Built-in functions that write although a SELECT calls them. Sequences are not rolled back.
const WRITING: &[&str] =
    &["nextval", "setval", "pg_notify", "lo_create", "lo_import", "lo_export", "lo_unlink", "lo_put"];

impl Query {
    /// Reads one statement. One that pgassay cannot read may still be planned; it counts as writing.
    ///
    /// # Errors
    /// When it is none, several, or an EXPLAIN.
    pub fn read(text: &str) -> Result<Query, QueryError> {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("query", text));
        let script = read_script(file, sources.file(file));
        let statement = match &script.statements[..] {
            [] => return Err(QueryError::Empty),
            [one] => one,
            several => return Err(QueryError::Several(several.len())),
        };
        let sql = sources.slice(statement.span).to_owned();
        let mut query = Query { parameters: parameters(&sql), sql, ..Query::default() };
        match &statement.change {
            Ok(Change::Explain { .. }) => return Err(QueryError::Explain),
            Ok(change) => {
                if let Some(tree) = tree(change) {
                    query.functions = functions(&tree.0);
                }
                query.writes = writes(change, &query.functions);
            }
            Err(unreadable) => query.writes = Some(format!("could not be read, so it may write ({unreadable})")),
        }
        Ok(query)
    }
}

fn tree(change: &Change) -> Option<&Tree> {
    match change {
        Change::Select(select) => Some(&select.tree),
        Change::Insert(insert) => Some(&insert.tree),
        Change::Update(update) => Some(&update.tree),
        Change::Delete(delete) => Some(&delete.tree),
        Change::Merge(merge) => Some(&merge.tree),
        _ => None,
    }
}

fn writes(change: &Change, functions: &BTreeSet<String>) -> Option<String> {
    match change {
        Change::Select(select) => {
            let first = |access: Access| select.uses.iter().find(|used: &&RelationUse| used.access == access);
            let written = first(Access::Write).map(|used| format!("writes {} in WITH", used.relation));
            let locked = || first(Access::LockRows).map(|used| format!("locks rows of {}", used.relation));
            let calls = || {
                functions
                    .iter()
                    .find(|name| WRITING.contains(&name.as_str()))
                    .map(|name| format!("calls {name}, which writes"))
            };
            written.or_else(locked).or_else(calls)
        }
        Change::Insert(insert) => Some(format!("inserts into {}", insert.table)),
        Change::Update(update) => Some(format!("updates {}", update.table)),
        Change::Delete(delete) => Some(format!("deletes from {}", delete.table)),
        Change::Merge(merge) => Some(format!("merges into {}", merge.table)),
        other => Some(format!("is not a query ({})", other.names().first().copied().unwrap_or("unknown"))),
    }
}

fn functions(statement: &ast::Statement) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _: ControlFlow<()> = visit_expressions(statement, |expression| {
        if let Expr::Function(function) = expression
            && let Some(ast::ObjectNamePart::Identifier(name)) = function.name.0.last()
        {
            names.insert(if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() });
        }
        ControlFlow::Continue(())
    });
    // Functions in FROM are no expressions.
    let _: ControlFlow<()> = visit_relations(statement, |relation| {
        if let Some(ast::ObjectNamePart::Identifier(name)) = relation.0.last() {
            names.insert(name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    });
    names
}

fn parameters(sql: &str) -> usize {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let numbers = tokens.iter().filter_map(|token| match token {
        Token::Placeholder(name) => name.strip_prefix('$')?.parse().ok(),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(sql: &str) -> Option<String> {
        Query::read(sql).expect("one statement").writes
    }

    #[test]
    fn what_only_reads_is_told_from_what_writes() {
        for sql in [
            "SELECT * FROM orders WHERE id = $1",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1)",
            "SELECT 'nextval(1)', \"delete\" FROM t",
        ] {
            assert_eq!(writes(sql), None, "{sql}");
        }
        for (sql, why) in [
            ("INSERT INTO t VALUES (1)", "inserts into t"),
            ("UPDATE t SET a = 1", "updates t"),
            ("DELETE FROM t", "deletes from t"),
            ("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "merges into t"),
            ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "writes t in WITH"),
            ("SELECT * FROM t FOR UPDATE", "locks rows of t"),
            ("SELECT * FROM (SELECT * FROM t FOR SHARE) s", "locks rows of t"),
            ("SELECT nextval('s')", "calls nextval, which writes"),
            ("SELECT * INTO n FROM t", "is not a query (create-table-as)"),
            ("CREATE TABLE n AS SELECT 1", "is not a query (create-table-as)"),
            ("SELEC 1", "could not be read"),
        ] {
            let found = writes(sql).unwrap_or_else(|| panic!("{sql} writes"));
            assert!(found.starts_with(why), "{sql}: {found}");
        }
    }

    #[test]
    fn parameters_are_counted_outside_of_strings() {
        let query = Query::read("SELECT '$9', $2, $1 FROM f($3) -- $7\n;").expect("one statement");
        assert_eq!(query.parameters, 3);
        assert!(query.functions.contains("f"));
        assert!(query.sql.ends_with("f($3)"), "{}", query.sql);
    }

    #[test]
    fn what_cannot_be_planned_says_why() {
        assert_eq!(Query::read(" -- nothing"), Err(QueryError::Empty));
        assert_eq!(Query::read("SELECT 1; SELECT 2"), Err(QueryError::Several(2)));
        assert_eq!(Query::read("EXPLAIN ANALYZE SELECT 1"), Err(QueryError::Explain));
    }
}
