//! Which migrations ran before: what the frameworks' own tables say.
//!
//! Whoever may create a table may give it one of these names. So only ordinary tables are read, only columns of PostgreSQL's own types,
//! and only so many rows: nothing that is read runs code of a user's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;

use super::connect::Rows;
use super::{DbError, Session};
use crate::change::{Name, QualifiedName};
use crate::facts::{Facts, Topic, Unread};
use crate::migration::{Age, Direction, Framework, Migration};

/// The rows of a framework's table, as far as they say that something ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedMigrations {
    pub table: QualifiedName,
    /// Versions or names, as the framework writes them there, in the order of the table.
    pub versions: Vec<String>,
    /// The table has one row, the newest version: all up to it ran.
    pub newest_only: bool,
}

/// A framework's table: where it is unless the schema is free, and how a row is read.
struct Table {
    schema: Option<&'static str>,
    name: &'static str,
    frameworks: &'static [Framework],
    /// The version of a row that says that it ran.
    version: fn(&Row) -> Option<String>,
}

impl Table {
    /// Whether its one row is the newest version.
    fn has_newest_only(&self, rows: &[Row]) -> bool {
        let has_dirty = || rows.iter().any(|row| row.contains_key("dirty"));
        self.frameworks == [Framework::Tern] || self.name == "schema_migrations" && has_dirty()
    }
}

const TABLES: &[Table] = &[
    Table { schema: None, name: "_sqlx_migrations", frameworks: &[Framework::Sqlx], version: sqlx },
    Table { schema: None, name: "__diesel_schema_migrations", frameworks: &[Framework::Diesel], version },
    Table { schema: None, name: "refinery_schema_history", frameworks: &[Framework::Refinery], version },
    Table { schema: None, name: "flyway_schema_history", frameworks: &[Framework::Flyway], version: flyway },
    Table { schema: None, name: "databasechangelog", frameworks: &[Framework::Liquibase], version: liquibase },
    Table { schema: None, name: "_prisma_migrations", frameworks: &[Framework::Prisma], version: prisma },
    Table { schema: None, name: "__drizzle_migrations", frameworks: &[Framework::Drizzle], version: drizzle },
    Table { schema: None, name: "goose_db_version", frameworks: &[Framework::Goose], version: goose },
    Table { schema: None, name: "atlas_schema_revisions", frameworks: &[Framework::Atlas], version },
    Table { schema: Some("sqitch"), name: "changes", frameworks: &[Framework::Sqitch], version: sqitch },
    Table { schema: None, name: "pgmigrations", frameworks: &[Framework::NodePgMigrate], version: named },
    Table {
        schema: Some("supabase_migrations"),
        name: "schema_migrations",
        frameworks: &[Framework::Supabase],
        version,
    },
    Table { schema: Some("hdb_catalog"), name: "schema_migrations", frameworks: &[Framework::Hasura], version },
    Table { schema: None, name: "gorp_migrations", frameworks: &[Framework::SqlMigrate], version: id },
    Table { schema: None, name: "schema_version", frameworks: &[Framework::Tern], version },
    Table {
        schema: Some("graphile_migrate"),
        name: "migrations",
        frameworks: &[Framework::GraphileMigrate],
        version: filename,
    },
    Table {
        schema: None,
        name: "migrations",
        frameworks: &[Framework::PostgresMigrations, Framework::Rambler, Framework::DbMigrate],
        version: of_migrations,
    },
    Table { schema: None, name: "changelog", frameworks: &[Framework::Mybatis], version: id },
    Table { schema: None, name: "shmig_version", frameworks: &[Framework::Shmig], version },
    Table { schema: None, name: "play_evolutions", frameworks: &[Framework::Play], version: play },
    Table { schema: None, name: "schemaversion", frameworks: &[Framework::Postgrator], version },
    Table { schema: None, name: "_yoyo_migration", frameworks: &[Framework::Yoyo], version: yoyo },
    Table { schema: None, name: "schema_migration", frameworks: &[Framework::Pop], version },
    Table {
        schema: None,
        name: "schema_migrations",
        frameworks: &[Framework::Dbmate, Framework::GolangMigrate, Framework::Plain],
        version,
    },
];

/// Columns that tell what ran.
const COLUMNS: &[&str] = &[
    "version",
    "success",
    "script",
    "id",
    "author",
    "migration_name",
    "finished_at",
    "rolled_back_at",
    "created_at",
    "version_id",
    "is_applied",
    "name",
    "change",
    "dirty",
    "filename",
    "hash",
    "migration",
    "migration_id",
    "state",
];

/// More rows than a project has migrations: a table of another kind.
const MOST_ROWS: usize = 100_000;

/// Those of the columns that the table has, as their types print them.
type Row = BTreeMap<String, Option<String>>;

fn text(row: &Row, key: &str) -> Option<String> {
    row.get(key)?.clone()
}

/// A boolean.
fn says(row: &Row, key: &str, value: &str) -> bool {
    row.get(key).is_some_and(|found| found.as_deref() == Some(value))
}

fn version(row: &Row) -> Option<String> {
    text(row, "version")
}

fn named(row: &Row) -> Option<String> {
    text(row, "name")
}

fn id(row: &Row) -> Option<String> {
    text(row, "id")
}

fn filename(row: &Row) -> Option<String> {
    text(row, "filename")
}

/// Three tools call their table so: postgres-migrations notes a number and a hash, rambler a file, db-migrate a path.
fn of_migrations(row: &Row) -> Option<String> {
    match row.contains_key("hash") {
        true => id(row),
        false => text(row, "migration").or_else(|| named(row)),
    }
}

/// One that failed half way stays `applying_up`.
fn play(row: &Row) -> Option<String> {
    id(row).filter(|_| says(row, "state", "applied"))
}

fn yoyo(row: &Row) -> Option<String> {
    text(row, "migration_id")
}

fn sqitch(row: &Row) -> Option<String> {
    text(row, "change")
}

fn sqlx(row: &Row) -> Option<String> {
    text(row, "version").filter(|_| !says(row, "success", "f"))
}

/// A script's file name; a row that failed does not count, and one without a script is a baseline.
fn flyway(row: &Row) -> Option<String> {
    text(row, "script").filter(|_| says(row, "success", "t"))
}

fn liquibase(row: &Row) -> Option<String> {
    Some(format!("{}:{}", text(row, "author")?, text(row, "id")?))
}

fn prisma(row: &Row) -> Option<String> {
    let is_set = |key: &str| row.get(key).is_some_and(Option::is_some);
    text(row, "migration_name").filter(|_| is_set("finished_at") && !is_set("rolled_back_at"))
}

fn drizzle(row: &Row) -> Option<String> {
    text(row, "created_at")
}

/// Version 0 is the table's own first row.
fn goose(row: &Row) -> Option<String> {
    text(row, "version_id").filter(|version| version != "0" && says(row, "is_applied", "t"))
}

/// Reads the tables that are there.
pub(super) async fn read(session: &Session, facts: &mut Facts) -> Result<Vec<AppliedMigrations>, DbError> {
    let there: Vec<(QualifiedName, &Table)> =
        facts.relations.keys().filter_map(|name| Some((name.clone(), table_of(name)?))).collect();
    let mut found = Vec::new();
    for (name, table) in there {
        match rows(session, &name).await {
            Err(error @ DbError::Query { .. }) => facts.unread.push(Unread {
                topic: Topic::AppliedMigrations,
                fact: format!("which migrations ran, of {name}"),
                reason: error.to_string(),
                unchecked: "all migrations are taken for new, on a schema that has them already".to_owned(),
                objects: vec![name.to_string()],
            }),
            Err(error) => return Err(error),
            Ok(rows) => found.push(AppliedMigrations {
                newest_only: table.has_newest_only(&rows),
                versions: rows.iter().filter_map(table.version).collect(),
                table: name,
            }),
        }
    }
    Ok(found)
}

async fn rows(session: &Session, name: &QualifiedName) -> Result<Vec<Row>, DbError> {
    const PART: &str = "the framework's table";
    let columns = session
        .ask(
            PART,
            "SELECT a.attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = $1::text AND c.relname = $2::text AND a.attname = ANY ($3::text[]) AND a.attnum > 0 AND NOT a.attisdropped
                AND t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b'
              ORDER BY a.attnum",
            &[(&name.schema.as_str(), Type::TEXT), (&name.name.as_str(), Type::TEXT), (&COLUMNS, Type::TEXT_ARRAY)],
        )
        .await?;
    if columns.is_empty() {
        return Err(
            session.wrong_object(PART, format!("{name} has no column of PostgreSQL's own types that says what ran"))
        );
    }
    // The output functions of types, and not casts to text, which a user may have made.
    let list: Vec<String> = columns
        .iter()
        .map(|column| format!("CASE WHEN t.{0} IS NOT NULL THEN concat(t.{0}) END", Name::new(column)))
        .collect();
    let sql = format!("SELECT ARRAY[{}] FROM ONLY {name} t ORDER BY 1 LIMIT {}", list.join(", "), MOST_ROWS + 1);
    let mut rows: Vec<Row> = Vec::new();
    session
        .each_of_tables(PART, &[Rows::of(name)], &sql, |row| {
            let values = row.get::<Vec<Option<String>>>(0)?;
            rows.push(columns.iter().cloned().zip(values).collect());
            Ok(())
        })
        .await?;
    if rows.len() > MOST_ROWS {
        return Err(session.wrong_object(PART, format!("{name} has more than {MOST_ROWS} rows")));
    }
    Ok(rows)
}

fn table_of(name: &QualifiedName) -> Option<&'static Table> {
    TABLES.iter().find(|table| name.name == *table.name && table.schema.is_none_or(|schema| name.schema == *schema))
}

impl AppliedMigrations {
    /// Whether this is the table of a framework.
    pub fn is_of(&self, framework: Framework) -> bool {
        table_of(&self.table).is_some_and(|table| table.frameworks.contains(&framework))
    }

    /// Whether the table says that the migration ran. `position` counts the framework's migrations from 0, in its order.
    pub fn has(&self, migration: &Migration, position: usize) -> bool {
        let file = migration.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let name = migration.name.as_str();
        let is_one = |version: &str| self.versions.iter().any(|found| found == version);
        match migration.framework {
            Framework::GolangMigrate | Framework::Tern if self.newest_only => {
                let newest = self.versions.iter().filter_map(|version| version.parse::<u64>().ok()).max();
                leading(name).parse::<u64>().is_ok_and(|number| newest.is_some_and(|newest| number <= newest))
            }
            // The table has a hash and a time, but no name: so many of the journal ran.
            Framework::Drizzle => position < self.versions.len(),
            Framework::Sqlx
            | Framework::Goose
            | Framework::GolangMigrate
            | Framework::Hasura
            | Framework::PostgresMigrations
            | Framework::Mybatis
            | Framework::Shmig
            | Framework::Play
            | Framework::Postgrator => leading(name).parse::<u64>().is_ok_and(|number| self.has_number(number)),
            Framework::Refinery => {
                let number = leading(name.trim_start_matches(['V', 'U'])).parse::<u64>();
                number.is_ok_and(|number| self.has_number(number))
            }
            Framework::SqlMigrate | Framework::GraphileMigrate | Framework::Rambler => is_one(&file),
            Framework::DbMigrate => is_one(&format!("/{name}")),
            Framework::Pop => is_one(leading(name)),
            Framework::Diesel => is_one(&name.split('_').next().unwrap_or_default().replace('-', "")),
            Framework::Atlas | Framework::Supabase => {
                is_one(name) || is_one(name.split('_').next().unwrap_or_default())
            }
            Framework::Dbmate | Framework::Plain => is_one(leading(name)) && !leading(name).is_empty(),
            // Scripts may stand in folders below.
            Framework::Flyway => {
                self.versions.iter().any(|script| script.rsplit(['/', '\\']).next() == Some(file.as_ref()))
            }
            _ => is_one(name),
        }
    }

    fn has_number(&self, number: u64) -> bool {
        self.versions.iter().any(|version| version.parse() == Ok(number))
    }
}

/// The digits at the start.
fn leading(name: &str) -> &str {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    &name[..end]
}

/// Marks the migrations that ran before, and returns how many they are. The live schema holds what they made: none of their statements
/// is left to run.
pub fn mark(migrations: &mut [Migration], applied: &[AppliedMigrations]) -> usize {
    let mut marked = 0;
    let mut positions: std::collections::HashMap<(Framework, Option<std::path::PathBuf>), usize> = Default::default();
    for migration in migrations.iter_mut().filter(|it| it.direction == Direction::Up) {
        let position = positions.entry((migration.framework, migration.folder.clone())).or_default();
        let ran = applied.iter().any(|table| table.is_of(migration.framework) && table.has(migration, *position));
        *position += 1;
        if ran {
            if migration.age == Age::New {
                migration.age = Age::Old;
            }
            migration.sections.clear();
            marked += 1;
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn ran(framework: Framework, table: &str, rows: &[&str], names: &[&str]) -> Vec<bool> {
        let table: QualifiedName = table.parse().unwrap();
        let rows: Vec<Row> = rows.iter().map(|row| printed(row)).collect();
        let read = table_of(&table).unwrap().version;
        let newest_only = table_of(&table).unwrap().has_newest_only(&rows);
        let applied = AppliedMigrations { table, versions: rows.iter().filter_map(read).collect(), newest_only };
        let migration = |name: &&str| Migration { framework, ..Migration::plain(name, FileId(0), 0) };
        let mut migrations: Vec<Migration> = names.iter().map(migration).collect();
        mark(&mut migrations, &[applied]);
        migrations.iter().map(|migration| migration.age == Age::Old).collect()
    }

    /// A row as PostgreSQL prints its values.
    fn printed(row: &str) -> Row {
        let object: BTreeMap<String, serde_json::Value> = serde_json::from_str(row).unwrap();
        let print = |value: serde_json::Value| match value {
            serde_json::Value::Null => None,
            serde_json::Value::Bool(value) => Some(if value { "t" } else { "f" }.to_owned()),
            serde_json::Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        object.into_iter().map(|(key, value)| (key, print(value))).collect()
    }

    #[test]
    fn each_framework_has_its_own_words() {
        use Framework::*;
        let version = |version: &str| format!(r#"{{"version": {version}}}"#);
        assert_eq!(
            ran(
                Sqlx,
                "public._sqlx_migrations",
                &[r#"{"version": 1, "success": true}"#, r#"{"version": 2, "success": false}"#],
                &["0001_a", "0002_b"]
            ),
            [true, false]
        );
        assert_eq!(
            ran(
                Diesel,
                "public.__diesel_schema_migrations",
                &[&version("\"20240101120000\"")],
                &["2024-01-01-120000_a", "2024-02-01-120000_b"]
            ),
            [true, false]
        );
        assert_eq!(
            ran(
                GolangMigrate,
                "public.schema_migrations",
                &[r#"{"version": 2, "dirty": false}"#],
                &["000001_a", "000002_b", "000003_c"]
            ),
            [true, true, false]
        );
        assert_eq!(ran(Dbmate, "public.schema_migrations", &[&version("\"2\"")], &["1_a", "2_b"]), [false, true]);
        assert_eq!(
            ran(
                Flyway,
                "public.flyway_schema_history",
                &[r#"{"script": "sub/V1__a.sql", "success": true}"#],
                &["V1__a.sql", "V2__b.sql"]
            ),
            [true, false]
        );
        assert_eq!(
            ran(
                Prisma,
                "public._prisma_migrations",
                &[
                    r#"{"migration_name": "1_a", "finished_at": "x", "rolled_back_at": null}"#,
                    r#"{"migration_name": "2_b", "finished_at": null}"#
                ],
                &["1_a", "2_b"]
            ),
            [true, false]
        );
        assert_eq!(
            ran(Drizzle, "drizzle.__drizzle_migrations", &[r#"{"created_at": 5}"#], &["0000_a", "0001_b"]),
            [true, false]
        );
        assert_eq!(
            ran(Goose, "public.goose_db_version", &[r#"{"version_id": 1, "is_applied": true}"#], &["001_a", "002_b"]),
            [true, false]
        );
        assert_eq!(
            ran(Liquibase, "public.databasechangelog", &[r#"{"id": "7", "author": "ann"}"#], &["ann:7", "bob:7"]),
            [true, false]
        );
        assert_eq!(
            ran(Refinery, "public.refinery_schema_history", &[&version("1")], &["V1__a", "V2__b"]),
            [true, false]
        );
        assert_eq!(ran(NodePgMigrate, "public.pgmigrations", &[r#"{"name": "1_a"}"#], &["1_a", "2_b"]), [true, false]);
        assert_eq!(ran(Sqitch, "sqitch.changes", &[r#"{"change": "a"}"#], &["a", "b"]), [true, false]);
        let two = [true, false];
        assert_eq!(ran(SqlMigrate, "public.gorp_migrations", &[r#"{"id": "1_a.sql"}"#], &["1_a.sql", "2_b.sql"]), two);
        assert_eq!(ran(Tern, "public.schema_version", &[&version("1")], &["001_a", "002_b"]), two);
        let graphile = [r#"{"filename": "000001-a.sql", "hash": "sha1:x"}"#];
        assert_eq!(
            ran(GraphileMigrate, "graphile_migrate.migrations", &graphile, &["000001-a.sql", "current.sql"]),
            two
        );
        let hashed = [r#"{"id": 1, "name": "a", "hash": "x"}"#];
        assert_eq!(ran(PostgresMigrations, "public.migrations", &hashed, &["1_a", "2_b"]), two);
        assert_eq!(ran(Rambler, "public.migrations", &[r#"{"migration": "1_a.sql"}"#], &["1_a.sql", "2_b.sql"]), two);
        assert_eq!(ran(DbMigrate, "public.migrations", &[r#"{"id": 7, "name": "/1-a"}"#], &["1-a", "2-b"]), two);
        assert_eq!(ran(Mybatis, "public.changelog", &[r#"{"id": "20240101"}"#], &["20240101_a", "20240102_b"]), two);
        let evolutions = [r#"{"id": 1, "state": "applied"}"#, r#"{"id": 2, "state": "applying_up"}"#];
        assert_eq!(ran(Play, "public.play_evolutions", &evolutions, &["1", "2"]), two);
        assert_eq!(
            ran(Postgrator, "public.schemaversion", &[&version("0"), &version("1")], &["001.do.a", "2.do"]),
            two
        );
        assert_eq!(ran(Yoyo, "public._yoyo_migration", &[r#"{"migration_id": "0001.a"}"#], &["0001.a", "0002.b"]), two);
        assert_eq!(
            ran(Pop, "public.schema_migration", &[&version("\"20240101\"")], &["20240101_a", "20240102_b"]),
            two
        );
        assert_eq!(
            ran(Supabase, "supabase_migrations.schema_migrations", &[&version("\"1\"")], &["1_a", "2_b"]),
            [true, false]
        );
    }
}
