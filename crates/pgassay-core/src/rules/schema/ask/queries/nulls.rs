//! Uses that turn on NULL: what outer joins add and conditions take away, tests for NULL, and operators that return NULL.

use sqlparser::ast::{BinaryOperator, Expr};

use super::UseKind;
use super::tree::compares;
use super::walk::{Source, Walk};
use crate::change::Name;
use crate::schema::{ColumnId, RelationId};

impl<'a> Walk<'_, 'a> {
    /// The table in the query that a resolved column comes from.
    fn source_of(&self, expr: &Expr, table: RelationId) -> Option<&Source<'a>> {
        let alias = match expr {
            Expr::Nested(inner) => return self.source_of(inner, table),
            Expr::CompoundIdentifier(parts) => {
                parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(Name::of_ident)
            }
            _ => None,
        };
        self.scopes
            .iter()
            .rev()
            .flat_map(|(sources, _)| sources)
            .find(|source| source.relation.id == table && alias.as_ref().is_none_or(|alias| source.alias == *alias))
    }

    /// Whether an outer join may have made the column NULL.
    pub(super) fn is_outer(&self, expr: &Expr, (table, _): (RelationId, ColumnId)) -> bool {
        self.source_of(expr, table).is_none_or(|source| source.outer)
    }

    /// IS NULL on a table that a LEFT JOIN may leave out, by a column that neither joins it nor is its key.
    pub(super) fn is_anti_join(&self, expr: &Expr, (table, column): (RelationId, ColumnId)) -> bool {
        self.source_of(expr, table).is_some_and(|source| source.outer && !source.joined_by.contains(&column))
    }

    /// IS NULL or IS NOT NULL.
    pub(super) fn tested(&mut self, expr: &Expr, column: (RelationId, ColumnId)) {
        let kind = if self.is_outer(expr, column) { UseKind::Read } else { UseKind::TestedForNull };
        self.put(column, kind);
    }

    /// Conditions that every row has to fulfil, on tables of this query that an outer join may have left out: a comparison with NULL is
    /// not true, so the rows that the join kept are gone.
    pub(super) fn undone(&mut self, condition: &Expr) {
        match condition {
            Expr::Nested(inner) => self.undone(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.undone(left);
                self.undone(right);
            }
            Expr::BinaryOp { left, op, right } if compares(op) => {
                self.undoes(left);
                self.undoes(right);
            }
            Expr::InList { expr, .. }
            | Expr::Between { expr, .. }
            | Expr::Like { expr, .. }
            | Expr::ILike { expr, .. }
            | Expr::IsNotNull(expr)
            | Expr::IsTrue(expr)
            | Expr::IsFalse(expr) => self.undoes(expr),
            _ => {}
        }
    }

    fn undoes(&mut self, expr: &Expr) {
        let Some(column) = self.column(expr) else { return };
        let here = self.scopes.last().map(|(sources, _)| sources.as_slice()).unwrap_or_default();
        let is_here = self
            .source_of(expr, column.0)
            .is_some_and(|source| source.outer && here.iter().any(|own| std::ptr::eq(own, source)));
        if is_here {
            self.put(column, UseKind::UndoesOuterJoin);
        }
    }

    /// Two operands of which only the value matters.
    pub(super) fn operation(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        let (one, other) = (self.column(left), self.column(right));
        let kind = match op {
            BinaryOperator::StringConcat => Some(UseKind::Concatenated),
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide
                if one.is_some() && other.is_some() =>
            {
                Some(UseKind::Calculated)
            }
            _ => None,
        };
        for (expr, column) in [(left, one), (right, other)] {
            match (column, &kind) {
                (Some(column), Some(kind)) if !self.is_outer(expr, column) => self.put(column, kind.clone()),
                _ => self.value(expr),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audit::{AuditJob, audit};
    use crate::history::Completeness;
    use crate::migration::Migration;
    use crate::source::{SourceFile, Sources};

    /// What the audit says of the columns, where this query is hot.
    fn said(query: &str) -> Vec<String> {
        let sql = format!(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, nick text, points int, bonus int, team_id bigint);\n\
             CREATE TABLE teams (id bigint PRIMARY KEY, title text NOT NULL, note text);\n\
             -- measured: table public.people rows=100000 bytes=8000000\n-- measured: column public.people.nick null=0.2\n\
             -- measured: column public.people.points null=0.1\n-- measured: column public.people.bonus null=0.3\n\
             -- measured: table public.teams rows=100000 bytes=8000000\n-- measured: column public.teams.note null=0.5\n\
             -- measured: query calls=1000 mean=1: {query}"
        );
        let (facts, workload) = crate::rules::schema::measured(&sql).expect("facts");
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("people.sql", sql.as_str()));
        let job = AuditJob {
            migrations: vec![Migration::plain("people.sql", file, sql.len())],
            completeness: Completeness::Complete,
            facts: Some(facts),
            workload: Some(workload),
            ..AuditJob::default()
        };
        let report = audit(&job, &sources);
        let nulls = report.findings.iter().filter(|finding| finding.rule.name == "ambiguous-null");
        nulls.map(|finding| finding.message.replace("public.", "")).collect()
    }

    #[test]
    fn conditions_that_undo_an_outer_join() {
        let undone = "teams.title is compared after a LEFT JOIN: the rows that the join keeps are left out again";
        let join = "SELECT p.name FROM people p LEFT JOIN teams t ON t.id = p.team_id";
        assert_eq!(said(&format!("{join} WHERE t.title = $1 AND p.name > $2")), [undone]);
        assert_eq!(said(&format!("{join} JOIN people q ON q.name = t.title")), [undone]);
        for harmless in [
            join.to_owned(),
            format!("{join} AND t.title = $1"),
            format!("{join} WHERE t.id IS NULL"),
            format!("{join} WHERE t.title = $1 OR t.id IS NULL"),
            format!("{join} WHERE COALESCE(t.title, $1) = $2"),
            format!("{join} WHERE EXISTS (SELECT FROM people q WHERE q.name = t.title)"),
        ] {
            assert_eq!(said(&harmless), Vec::<String>::new(), "{harmless}");
        }
    }

    #[test]
    fn not_in_finds_nothing_with_one_null_unless_the_subquery_leaves_it_out() {
        let query =
            |condition: &str| format!("SELECT id FROM teams WHERE title NOT IN (SELECT nick FROM people{condition})");
        let told = "people.nick is what NOT IN (SELECT nick …) returns: one NULL, and the query finds nothing";
        assert_eq!(said(&query("")), [told]);
        // Of another column.
        assert_eq!(said(&query(" WHERE points IS NOT NULL")), [told]);
        for guarded in [" WHERE nick IS NOT NULL", " WHERE nick > $1 AND points = 1", " WHERE nick LIKE $1"] {
            assert_eq!(said(&query(guarded)), Vec::<String>::new(), "{guarded}");
        }
    }

    #[test]
    fn what_the_server_asks_by_itself_is_nobodys_query() {
        let check = "SELECT fk.team_id FROM ONLY public.people fk LEFT OUTER JOIN ONLY public.teams pk ON (pk.id OPERATOR(pg_catalog.=) fk.team_id) \
                     WHERE pk.id IS NULL AND (fk.team_id IS NOT NULL)";
        assert_eq!(said(check), Vec::<String>::new());
    }

    #[test]
    fn tests_for_null_that_find_nothing() {
        assert_eq!(
            said("SELECT id FROM people WHERE name IS NULL"),
            ["people.name is tested for NULL, which it cannot be"]
        );
        for harmless in [
            "SELECT id FROM people WHERE nick IS NULL",
            "SELECT p.id FROM people p LEFT JOIN teams t ON t.id = p.team_id WHERE t.id IS NULL",
            "SELECT p.id FROM teams t RIGHT JOIN people p ON t.id = p.team_id WHERE t.id IS NULL",
            "SELECT p.id FROM people p FULL JOIN teams t ON t.id = p.team_id WHERE p.id IS NULL OR t.id IS NULL",
        ] {
            assert_eq!(said(harmless), Vec::<String>::new(), "{harmless}");
        }
    }

    #[test]
    fn operators_that_return_null() {
        let of = |query| said(query).join("; ");
        assert!(
            of("SELECT name || nick FROM people").contains("nick is an operand of ||: the result is NULL for the 20 %")
        );
        assert!(of("SELECT points + bonus FROM people").contains("bonus is calculated with"));
        assert!(of("SELECT count(nick) FROM people").contains("count(nick) leaves out the 20 %"));
        for harmless in [
            "SELECT name || COALESCE(nick, $1) FROM people",
            "SELECT points + $1 FROM people",
            "SELECT count(DISTINCT nick), count(name), count(*) FROM people",
        ] {
            assert_eq!(of(harmless), "", "{harmless}");
        }
    }
}
