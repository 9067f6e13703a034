//! The table in which the tool notes what it ran: known by its name, or learnt from the recording.

use std::collections::BTreeMap;

use super::record::Sent;
use crate::collect::{tokens, words_of};

/// Tables of tools that are known, in lower case.
const KNOWN: [&str; 23] = [
    "schema_migrations",
    "django_migrations",
    "alembic_version",
    "knex_migrations",
    "typeorm_migrations",
    "sequelizemeta",
    "__efmigrationshistory",
    "flyway_schema_history",
    "databasechangelog",
    "goose_db_version",
    "mikro_orm_migrations",
    "kysely_migration",
    "pgmigrations",
    "_prisma_migrations",
    "__drizzle_migrations",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "seaql_migrations",
    "gorp_migrations",
    "phinxlog",
    "doctrine_migration_versions",
    "_yoyo_migration",
];

/// Tables that tools keep beside: locks and settings.
const BESIDE: [&str; 12] = [
    "ar_internal_metadata",
    "databasechangeloglock",
    "knex_migrations_lock",
    "kysely_migration_lock",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "schema_lock",
    "migrations_lock",
    "typeorm_metadata",
    "__efmigrationslock",
    "schema_version",
];

/// Words in the names of such tables.
const HINTS: [&str; 8] =
    ["migrat", "changelog", "changeset", "revision", "schema_version", "evolution", "db_version", "schema_history"];

/// A row that a statement writes: the table, and values by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    /// In lower case, without its schema.
    pub table: String,
    /// In lower case, where the statement says it.
    pub schema: Option<String>,
    pub is_delete: bool,
    pub columns: Vec<(String, String)>,
}

/// What an INSERT, UPDATE or DELETE writes, as far as its text and parameters say it.
pub(super) fn write(sent: &Sent) -> Option<Write> {
    let sql = super::literal::inlined(&sent.sql, &sent.parameters);
    let parts: Vec<&str> = tokens(&sql).map(|range| &sql[range]).filter(|token| is_code(token)).collect();
    let upper = |at: usize| parts.get(at).map(|part| part.to_ascii_uppercase()).unwrap_or_default();
    let (at, is_delete) = match (upper(0).as_str(), upper(1).as_str()) {
        ("INSERT", "INTO") => (2, false),
        ("DELETE", "FROM") => (2, true),
        ("TRUNCATE", "TABLE") => (2, true),
        ("TRUNCATE", _) => (1, true),
        ("UPDATE", "ONLY") => (2, false),
        ("UPDATE", _) => (1, false),
        _ => return None,
    };
    let mut at = at;
    let (mut schema, mut table) = (None, unquoted(parts.get(at)?));
    while parts.get(at + 1) == Some(&".") {
        at += 2;
        schema = Some(table.to_lowercase());
        table = unquoted(parts.get(at)?);
    }
    let columns = if upper(0) == "UPDATE" { assigned(&parts[at + 1..]) } else { inserted(&parts[at + 1..]) };
    Some(Write { table: table.to_lowercase(), schema, is_delete, columns })
}

fn is_code(token: &str) -> bool {
    !token.trim().is_empty() && !token.starts_with("--") && !token.starts_with("/*")
}

fn unquoted(token: &str) -> String {
    match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => token.to_owned(),
    }
}

fn value(token: &str) -> String {
    let rest = token.strip_prefix(['E', 'e', 'N', 'n']).filter(|rest| rest.starts_with('\'')).unwrap_or(token);
    match rest.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(quoted) => quoted.replace("''", "'"),
        None => rest.to_owned(),
    }
}

/// The items of a list in parentheses, each by its first token, and what is after the list.
fn list<'p>(parts: &'p [&'p str]) -> (Vec<&'p str>, &'p [&'p str]) {
    let (mut items, mut depth, mut is_first) = (Vec::new(), 0, true);
    for (at, part) in parts.iter().enumerate() {
        match *part {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => is_first = true,
            part if depth >= 1 && is_first => {
                items.push(part);
                is_first = false;
            }
            _ => {}
        }
        if depth == 0 {
            return (items, &parts[at + 1..]);
        }
    }
    (items, &[])
}

fn inserted(parts: &[&str]) -> Vec<(String, String)> {
    let (names, rest) = if parts.first() == Some(&"(") { list(parts) } else { (Vec::new(), parts) };
    let Some(values) = rest.iter().position(|part| part.eq_ignore_ascii_case("VALUES")) else { return Vec::new() };
    let (values, _) = list(&rest[values + 1..]);
    let name = |at: usize| names.get(at).map(|name| unquoted(name).to_lowercase()).unwrap_or_default();
    values.iter().enumerate().map(|(at, token)| (name(at), value(token))).collect()
}

/// `SET a = 1, b = 2 WHERE …`.
fn assigned(parts: &[&str]) -> Vec<(String, String)> {
    let end = parts.iter().position(|part| part.eq_ignore_ascii_case("WHERE")).unwrap_or(parts.len());
    let triples = parts[..end].windows(3).filter(|three| three[1] == "=");
    triples.map(|three| (unquoted(three[0]).to_lowercase(), value(three[2]))).collect()
}

/// The columns that may name a migration, the most telling first.
const NAMES: [&str; 11] = [
    "migration_name",
    "migration_id",
    "name",
    "migration",
    "migrationid",
    "script",
    "filename",
    "version_num",
    "version_id",
    "version",
    "id",
];

impl Write {
    /// The tool's name for the migration.
    pub fn name(&self) -> Option<String> {
        let by_column = |wanted: &str| self.columns.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        if let (Some(author), Some(id)) = (by_column("author"), by_column("id")) {
            return Some(format!("{author}:{id}"));
        }
        let name = NAMES.iter().find_map(|wanted| by_column(wanted).filter(|value| !value.is_empty()))?;
        let qualifier = by_column("app");
        Some(qualifier.map_or(name.clone(), |qualifier| format!("{qualifier}.{name}")))
    }
}

/// What the tool wrote of a migration that it ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Note {
    /// Its name for the migration.
    pub name: Option<String>,
    /// The number of the migration, where it writes one beside the name.
    pub version: Option<String>,
    /// The SHA-256 of the migration's file.
    pub hash: Option<String>,
}

impl Note {
    pub fn of(write: &Write) -> Note {
        let value = |is: &dyn Fn(&str, &str) -> bool| {
            write.columns.iter().find(|(name, value)| is(name, value)).map(|(_, value)| value.clone())
        };
        let is_number = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_hash = |value: &str| value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        Note {
            name: write.name(),
            version: value(&|name, value| matches!(name, "version" | "version_id") && is_number(value)),
            hash: value(&|_, value| is_hash(value)).map(|hash| hash.to_lowercase()),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Note::default()
    }
}

/// Whether a table is one that a tool keeps for itself, whatever the tool.
pub(super) fn is_beside(table: &str) -> bool {
    BESIDE.contains(&table)
}

/// The table that gets a row for every migration.
pub(super) fn find(statements: &[Sent]) -> Option<String> {
    let mut written: BTreeMap<String, Written> = BTreeMap::new();
    let mut ddl = 0;
    for sent in statements.iter().filter(|sent| sent.error.is_none()) {
        match write(sent) {
            Some(found) if !found.is_delete => {
                let entry = written.entry(found.table.clone()).or_default();
                entry.rows += 1;
                entry.after_ddl += usize::from(ddl > entry.seen);
                entry.seen = ddl;
            }
            _ => ddl += usize::from(is_ddl(&sent.sql)),
        }
    }
    let known = KNOWN.iter().find(|name| written.contains_key(**name)).map(|name| (*name).to_owned());
    let hinted = || {
        let by_name = |table: &&String| HINTS.iter().any(|hint| table.contains(hint)) && !is_beside(table);
        written.keys().filter(by_name).max_by_key(|table| written[*table].after_ddl).cloned()
    };
    // Nothing in the name: one row after each piece of DDL, more than once.
    let learnt = || {
        let is_like = |(_, table): &(&String, &Written)| table.rows > 1 && table.after_ddl == table.rows;
        written.iter().filter(is_like).max_by_key(|(_, table)| table.rows).map(|(name, _)| name.clone())
    };
    known.or_else(hinted).or_else(learnt)
}

#[derive(Default)]
struct Written {
    rows: usize,
    /// Rows with DDL between them and the one before.
    after_ddl: usize,
    seen: usize,
}

/// Whether a statement, or one of a string, makes, changes or drops something.
pub(super) fn is_ddl(sql: &str) -> bool {
    words_of(sql).iter().any(|words| {
        matches!(
            words.first().map(String::as_str),
            Some("CREATE" | "ALTER" | "DROP" | "COMMENT" | "GRANT" | "REVOKE" | "DO" | "REINDEX")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(sql: &str) -> Sent {
        Sent { sql: sql.to_owned(), ..Sent::default() }
    }

    fn name(sql: &str) -> (String, Option<String>) {
        let write = write(&sent(sql)).unwrap();
        (write.table.clone(), write.name())
    }

    #[test]
    fn the_row_names_the_migration() {
        let text = |table: &str, name: &str| (table.to_owned(), Some(name.to_owned()));
        assert_eq!(
            name(r#"INSERT INTO "schema_migrations" ("version") VALUES ('20240101') RETURNING "version""#),
            text("schema_migrations", "20240101")
        );
        assert_eq!(
            name(
                r#"INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('shop', '0001_initial', '2024'::timestamptz)"#
            ),
            text("django_migrations", "shop.0001_initial")
        );
        assert_eq!(
            name("UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'"),
            text("alembic_version", "b2")
        );
        assert_eq!(
            name(r#"insert into "public"."migrations"("timestamp", "name") values (17, 'AddName17')"#),
            text("migrations", "AddName17")
        );
    }

    #[test]
    fn an_unknown_table_is_learnt() {
        let all = [
            "CREATE TABLE a (n int)",
            "INSERT INTO done VALUES ('1')",
            "CREATE TABLE b (n int)",
            "INSERT INTO b VALUES (1)",
            "INSERT INTO b VALUES (2)",
            "INSERT INTO done VALUES ('2')",
        ];
        let statements: Vec<Sent> = all.into_iter().map(sent).collect();
        assert_eq!(find(&statements).as_deref(), Some("done"));
        let rows = ["CREATE TABLE a (n int)", "INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)"];
        assert_eq!(find(&rows.into_iter().map(sent).collect::<Vec<_>>()), None);
    }
}
