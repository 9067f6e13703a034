//! From a recording to migrations: the tool's own statements left out, the rest cut where it notes what it ran, in the transactions in
//! which it was sent.

use std::collections::{BTreeMap, BTreeSet};

use super::own_table::{self, Note, Write};
use super::record::{Recording, Sent};
use crate::collect::{tokens, words_of};
use crate::migration::TransactionMode;

/// One migration of a recording.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Piece {
    /// What the tool noted of it, if anything.
    pub note: Note,
    pub runs: Vec<Run>,
}

/// Statements that were sent in one way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub transaction: TransactionMode,
    pub statements: Vec<String>,
}

/// A statement that counts, and the transaction block that it was sent in.
struct Counted<'r> {
    place: usize,
    sent: &'r Sent,
    block: Option<usize>,
}

/// Cuts a recording into migrations.
pub(super) fn cut(recording: &Recording) -> Vec<Piece> {
    let own = own_table::find(&recording.statements);
    let blocks = Blocks::of(recording);
    let mut cutter = Cutter::new(own.as_deref(), recording);
    let is_before = cutter.notes_before(recording);
    for (place, sent) in recording.statements.iter().enumerate() {
        let block = blocks.of_statement[place];
        if sent.error.is_some() || block.is_some_and(|block| blocks.undone.contains(&block)) {
            continue;
        }
        match cutter.note(sent) {
            Some(note) if is_before => cutter.starts(&note),
            Some(note) => cutter.ends(&note),
            None if cutter.is_the_tools(sent) => {}
            None => cutter.open.push(Counted { place, sent, block }),
        }
    }
    cutter.finish()
}

struct Cutter<'r> {
    own: Option<&'r str>,
    /// The schema that the tool's own table is in, where that is not where everybody's are.
    own_schema: Option<String>,
    pieces: Vec<(Note, Vec<Counted<'r>>)>,
    /// What was sent since the last cut.
    open: Vec<Counted<'r>>,
    /// What was noted before what is open.
    pending: Note,
}

impl<'r> Cutter<'r> {
    fn new(own: Option<&'r str>, recording: &Recording) -> Cutter<'r> {
        let mut cutter =
            Cutter { own, own_schema: None, pieces: Vec::new(), open: Vec::new(), pending: Note::default() };
        let schema = recording.statements.iter().find_map(|sent| cutter.note(sent)?.schema);
        cutter.own_schema = schema.filter(|schema| schema != "public");
        cutter
    }

    /// What the statement notes in the tool's own table.
    fn note(&self, sent: &Sent) -> Option<Write> {
        own_table::write(sent).filter(|write| Some(write.table.as_str()) == self.own && !write.is_delete)
    }

    /// Whether the tool notes a migration only before it runs it: nothing of the migrations comes before the first note, and something
    /// after the last.
    fn notes_before(&self, recording: &Recording) -> bool {
        let mut kinds = recording.statements.iter().filter(|sent| sent.error.is_none()).filter_map(|sent| {
            let is_note = self.note(sent).is_some();
            (is_note || (!self.is_the_tools(sent) && own_table::is_ddl(&sent.sql))).then_some(is_note)
        });
        let first = kinds.next();
        first == Some(true) && kinds.next_back() == Some(false)
    }

    fn starts(&mut self, note: &Write) {
        let before = std::mem::replace(&mut self.pending, Note::of(note));
        self.close(before);
    }

    /// A note after the migration. A tool may have noted it before too, with another state: the last note counts.
    fn ends(&mut self, note: &Write) {
        let before = std::mem::take(&mut self.pending);
        let note = Some(Note::of(note)).filter(|note| !note.is_empty()).unwrap_or(before);
        match self.open.is_empty() {
            true => self.pending = note,
            false => self.close(note),
        }
    }

    fn close(&mut self, note: Note) {
        if !self.open.is_empty() {
            self.pieces.push((note, std::mem::take(&mut self.open)));
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        let rest = std::mem::take(&mut self.pending);
        // After the last migration a tool or the application may write rows of its own, such as Django's permissions.
        let is_no_migration = rest.is_empty()
            && self.pieces.iter().any(|(note, _)| !note.is_empty())
            && !self.open.iter().any(|counted| own_table::is_ddl(&counted.sent.sql));
        if !is_no_migration {
            self.close(rest);
        }
        let pieces = self.pieces;
        let mut users: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (index, (_, statements)) in pieces.iter().enumerate() {
            for block in statements.iter().filter_map(|statement| statement.block) {
                users.entry(block).or_default().insert(index);
            }
        }
        let is_shared = |block: usize| users.get(&block).is_some_and(|users| users.len() > 1);
        pieces
            .into_iter()
            .map(|(note, statements)| Piece { note, runs: runs(&statements, is_shared) })
            .filter(|piece| !piece.runs.is_empty())
            .collect()
    }

    /// Whether a statement is the tool's own business: looking around, locks, settings of its session, and its own tables.
    fn is_the_tools(&self, sent: &Sent) -> bool {
        let all = words_of(&sent.sql);
        all.iter().all(|words| self.is_own(words, &sent.sql)) || (all.len() == 1 && self.is_about_own(&sent.sql))
    }

    fn is_own(&self, words: &[String], sql: &str) -> bool {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "START", ..] => !words.contains(&"TO"),
            ["SHOW" | "DEALLOCATE" | "LISTEN" | "UNLISTEN" | "FETCH" | "CLOSE" | "EXPLAIN" | "DISCARD", ..] => true,
            ["SET" | "RESET", rest @ ..] => is_neutral_setting(rest),
            ["SELECT" | "WITH", ..] => looks_around(sql),
            ["CREATE", "SCHEMA", ..] => self.is_own_schema(sql),
            [] => true,
            _ => false,
        }
    }

    /// `CREATE SCHEMA drizzle`, for `drizzle.__drizzle_migrations`.
    fn is_own_schema(&self, sql: &str) -> bool {
        let is_it = |name: &str| Some(name.trim_matches('"').to_lowercase()) == self.own_schema;
        tokens(sql).any(|range| is_it(&sql[range]))
    }

    /// Its own tables: made, altered, locked, read or written.
    fn is_about_own(&self, sql: &str) -> bool {
        let is_own = |name: &str| {
            let name = name.trim_matches('"').to_lowercase();
            Some(name.as_str()) == self.own || own_table::is_beside(&name)
        };
        let mut names = tokens(sql).map(|range| &sql[range]);
        names.any(is_own)
    }
}

/// Settings of a session that change nothing about what is judged.
fn is_neutral_setting(words: &[&str]) -> bool {
    let name = words.iter().find(|word| !matches!(**word, "SESSION" | "LOCAL" | "TIME" | "CHARACTERISTICS" | "AS"));
    matches!(
        name,
        Some(
            &("CLIENT_MIN_MESSAGES"
                | "CLIENT_ENCODING"
                | "STANDARD_CONFORMING_STRINGS"
                | "APPLICATION_NAME"
                | "TIMEZONE"
                | "ZONE"
                | "DATESTYLE"
                | "INTERVALSTYLE"
                | "EXTRA_FLOAT_DIGITS"
                | "NAMES"
                | "INTERVAL"
                | "TRANSACTION"
                | "BYTEA_OUTPUT")
        )
    )
}

/// A query of the catalog, of the session, or for a lock; one that calls a function of the user's may do anything.
fn looks_around(sql: &str) -> bool {
    let lower = sql.to_lowercase();
    const SIGNS: [&str; 16] = [
        "pg_catalog",
        "information_schema",
        "pg_class",
        "pg_type",
        "pg_attribute",
        "pg_namespace",
        "pg_advisory",
        "pg_try_advisory",
        "version()",
        "current_schema",
        "current_database",
        "current_setting",
        "pg_constraint",
        "pg_tables",
        "pg_indexes",
        "to_regclass",
    ];
    SIGNS.iter().any(|sign| lower.contains(sign)) || !lower.contains('(')
}

/// The transaction blocks of every session.
struct Blocks {
    of_statement: Vec<Option<usize>>,
    /// Rolled back: what they did is not there.
    undone: BTreeSet<usize>,
}

impl Blocks {
    fn of(recording: &Recording) -> Blocks {
        let mut blocks = Blocks { of_statement: Vec::new(), undone: BTreeSet::new() };
        let mut open: BTreeMap<usize, usize> = BTreeMap::new();
        let mut last = 0;
        for sent in &recording.statements {
            let before = open.get(&sent.session).copied();
            let mut here = before;
            let all = words_of(&sent.sql);
            for words in all.iter().filter(|_| sent.error.is_none()) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match words.as_slice() {
                    ["BEGIN", ..] | ["START", "TRANSACTION", ..] => {
                        last += 1;
                        open.insert(sent.session, last);
                        here = Some(last);
                    }
                    ["ROLLBACK" | "ABORT", rest @ ..] if !rest.contains(&"TO") => {
                        blocks.undone.extend(open.remove(&sent.session));
                    }
                    ["COMMIT" | "END", ..] => {
                        open.remove(&sent.session);
                    }
                    _ => {}
                }
            }
            // A string that begins or ends a block itself says so in its text.
            blocks.of_statement.push(if all.len() > 1 { before } else { here });
        }
        // What was never committed is gone with its session.
        blocks.undone.extend(open.into_values());
        blocks
    }
}

/// The statements of one migration, together as they were sent.
fn runs(statements: &[Counted<'_>], is_shared: impl Fn(usize) -> bool) -> Vec<Run> {
    let mut runs: Vec<(Run, Option<usize>, usize)> = Vec::new();
    for (index, counted) in statements.iter().enumerate() {
        let sent = counted.sent;
        let text = super::literal::inlined(&sent.sql, &sent.parameters);
        let is_string = sent.is_simple && words_of(&text).len() > 1;
        let same_batch = |other: Option<&Counted<'_>>| {
            other.is_some_and(|other| {
                !other.sent.is_simple && other.sent.session == sent.session && other.sent.batch == sent.batch
            })
        };
        let is_batch = !sent.is_simple
            && (same_batch(statements.get(index + 1)) || index > 0 && same_batch(statements.get(index - 1)));
        let transaction = match counted.block {
            Some(block) if is_shared(block) => TransactionMode::Shared,
            Some(_) => TransactionMode::Wrapped,
            None if is_string || is_batch => TransactionMode::OneString,
            None => TransactionMode::None,
        };
        let unit = match transaction {
            TransactionMode::OneString if is_string => usize::MAX - counted.place,
            TransactionMode::OneString => sent.batch,
            _ => 0,
        };
        match runs.last_mut() {
            Some((run, block, of)) if run.transaction == transaction && *block == counted.block && *of == unit => {
                run.statements.push(text);
            }
            _ => runs.push((Run { transaction, statements: vec![text] }, counted.block, unit)),
        }
    }
    runs.into_iter().map(|(run, _, _)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(all: &[&str]) -> Recording {
        let sent = |sql: &&str| Sent { sql: (*sql).to_owned(), is_simple: true, ..Sent::default() };
        Recording { statements: all.iter().map(sent).collect(), sessions: 1 }
    }

    fn shown(all: &[&str]) -> Vec<String> {
        cut(&recording(all))
            .into_iter()
            .map(|piece| {
                let runs: Vec<String> = piece
                    .runs
                    .iter()
                    .map(|run| format!("{:?}[{}]", run.transaction, run.statements.join("; ")))
                    .collect();
                format!("{}: {}", piece.note.name.unwrap_or_default(), runs.join(" "))
            })
            .collect()
    }

    #[test]
    fn a_note_after_each_migration_cuts() {
        let all = [
            "SET client_min_messages TO warning",
            "SELECT pg_try_advisory_lock(1)",
            r#"CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY)"#,
            "BEGIN",
            "CREATE TABLE a (n int)",
            r#"INSERT INTO "schema_migrations" ("version") VALUES ('1')"#,
            "COMMIT",
            "CREATE INDEX CONCURRENTLY i ON a (n)",
            r#"INSERT INTO "schema_migrations" ("version") VALUES ('2')"#,
        ];
        assert_eq!(
            shown(&all),
            ["1: Wrapped[CREATE TABLE a (n int)]", "2: None[CREATE INDEX CONCURRENTLY i ON a (n)]"]
        );
    }

    #[test]
    fn one_transaction_around_all_is_shared() {
        let all = [
            "BEGIN",
            "CREATE TABLE a (n int)",
            "INSERT INTO alembic_version (version_num) VALUES ('a1')",
            "ALTER TABLE a ADD b int",
            "UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'",
            "COMMIT",
        ];
        assert_eq!(shown(&all), ["a1: Shared[CREATE TABLE a (n int)]", "b2: Shared[ALTER TABLE a ADD b int]"]);
    }

    #[test]
    fn notes_before_and_after_are_one() {
        let all = [
            "INSERT INTO schema_migrations (version, dirty) VALUES (1, true)",
            "CREATE TABLE a (n int); CREATE TABLE b (n int)",
            "TRUNCATE schema_migrations",
            "INSERT INTO schema_migrations (version, dirty) VALUES (1, false)",
            "INSERT INTO schema_migrations (version, dirty) VALUES (2, true)",
            "ALTER TABLE a ADD m int",
            "INSERT INTO schema_migrations (version, dirty) VALUES (2, false)",
        ];
        assert_eq!(
            shown(&all),
            ["1: OneString[CREATE TABLE a (n int); CREATE TABLE b (n int)]", "2: None[ALTER TABLE a ADD m int]"]
        );
    }

    #[test]
    fn rows_after_the_last_migration_are_none() {
        let all = [
            "CREATE TABLE a (n int)",
            "INSERT INTO django_migrations (app, name) VALUES ('shop', '0001_a')",
            "INSERT INTO auth_permission (name) VALUES ('Can add a')",
        ];
        assert_eq!(shown(&all), ["shop.0001_a: None[CREATE TABLE a (n int)]"]);
        let with_ddl = [&all[..], &["CREATE VIEW v AS SELECT 1"]].concat();
        assert_eq!(shown(&with_ddl).len(), 2);
    }

    #[test]
    fn the_schema_of_the_tools_table_is_the_tools() {
        let all = [
            "CREATE SCHEMA IF NOT EXISTS \"drizzle\"",
            "CREATE TABLE IF NOT EXISTS \"drizzle\".\"__drizzle_migrations\" (id serial, hash text)",
            "BEGIN",
            "CREATE SCHEMA shop",
            "INSERT INTO \"drizzle\".\"__drizzle_migrations\" (\"hash\") VALUES ('a')",
            "COMMIT",
        ];
        assert_eq!(shown(&all), [": Wrapped[CREATE SCHEMA shop]"]);
    }

    #[test]
    fn what_was_rolled_back_is_not_there() {
        let all = ["BEGIN", "CREATE TABLE a (n int)", "ROLLBACK", "CREATE TABLE b (n int)"];
        assert_eq!(shown(&all), [": None[CREATE TABLE b (n int)]"]);
    }
}
