//! Which server a file or folder is for, as its name says it.

use std::path::Path;

/// Words that name another server and nothing else.
const SERVERS: [(&str, &str); 27] = [
    ("bigquery", "BigQuery"),
    ("cassandra", "Cassandra"),
    ("clickhouse", "ClickHouse"),
    ("cockroach", "CockroachDB"),
    ("cockroachdb", "CockroachDB"),
    ("crdb", "CockroachDB"),
    ("databricks", "Databricks"),
    ("duckdb", "DuckDB"),
    ("h2", "H2"),
    ("hsqldb", "HSQLDB"),
    ("mariadb", "MariaDB"),
    ("mssql", "SQL Server"),
    ("mysql", "MySQL"),
    ("mysql5", "MySQL"),
    ("mysql8", "MySQL"),
    ("libsql", "SQLite"),
    ("redshift", "Redshift"),
    ("scylla", "ScyllaDB"),
    ("scylladb", "ScyllaDB"),
    ("singlestore", "SingleStore"),
    ("sqlite", "SQLite"),
    ("sqlite3", "SQLite"),
    ("sqlserver", "SQL Server"),
    ("tidb", "TiDB"),
    ("turso", "SQLite"),
    ("db2", "Db2"),
    ("vertica", "Vertica"),
];

/// Words that name another server, and other things too: only beside words that say nothing else.
const AMBIGUOUS: [(&str, &str); 7] = [
    ("oracle", "Oracle"),
    ("derby", "Derby"),
    ("firebird", "Firebird"),
    ("hana", "SAP HANA"),
    ("snowflake", "Snowflake"),
    ("spanner", "Spanner"),
    ("sybase", "Sybase"),
];

const POSTGRES: [&str; 8] = ["postgres", "postgresql", "psql", "pgsql", "pg", "postgre", "timescale", "timescaledb"];

/// Words of a folder's name that say only that SQL or migrations are in it.
const GENERAL: [&str; 19] = [
    "migrations",
    "migration",
    "migrate",
    "sql",
    "db",
    "database",
    "databases",
    "schema",
    "schemas",
    "ddl",
    "scripts",
    "script",
    "changelog",
    "changelogs",
    "versions",
    "store",
    "storage",
    "dialect",
    "init",
];

/// The words of a name in lower case: split where it has no letter or digit, and before a capital.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> + '_ {
    name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// What a word names that begins or ends with a server's name, as `riversqlite` and `mysqlmigrations` do. Short names are parts of too
/// many other words.
fn glued(word: &str) -> Option<&'static str> {
    const SHORTEST: usize = 5;
    let is_part = |name: &str| name.len() >= SHORTEST && (word.starts_with(name) || word.ends_with(name));
    // The longest name counts: `cockroachdb` is not `cockroach` with a rest.
    let named = SERVERS.iter().filter(|(name, _)| is_part(name));
    named.max_by_key(|(name, _)| name.len()).map(|(_, server)| *server)
}

/// The other server that the name of a folder, or of one part of a file's name, says it is for.
pub(super) fn other_server(name: &str) -> Option<&'static str> {
    let words: Vec<String> = words(name).collect();
    if words.iter().any(|word| is_postgres(word)) {
        return None;
    }
    let named = |list: &[(&str, &'static str)]| {
        words.iter().find_map(|word| list.iter().find(|(name, _)| name == word).map(|(_, server)| *server))
    };
    let says_nothing_else = || {
        words.iter().all(|word| {
            AMBIGUOUS.iter().any(|(name, _)| name == word)
                || GENERAL.contains(&word.as_str())
                || word.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    named(&SERVERS)
        .or_else(|| named(&AMBIGUOUS).filter(|_| says_nothing_else()))
        .or_else(|| words.iter().find_map(|word| glued(word)))
}

/// Whether a word says that something is for PostgreSQL.
pub(super) fn is_postgres(word: &str) -> bool {
    POSTGRES.contains(&word) || word.contains("postgres") || word.ends_with("pgsql")
}

/// The other server of a file called `x.mysql.up.sql`, and of `x_mysql.sql` beside `x_postgres.sql`.
pub(super) fn of_file(name: &str, is_there: impl Fn(&str) -> bool) -> Option<&'static str> {
    let mut parts: Vec<&str> = name.split('.').collect();
    parts.pop();
    // The first part is the name itself, where others follow it.
    let named = parts.iter().skip(1).find_map(|part| is_one_word(part).then(|| other_server(part)).flatten());
    named.or_else(|| has_twin(name, is_there))
}

fn is_one_word(part: &str) -> bool {
    part.chars().all(char::is_alphanumeric)
}

/// Where the same name with PostgreSQL's in place of the other server's is there too.
fn has_twin(name: &str, is_there: impl Fn(&str) -> bool) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let all = SERVERS.iter().chain(&AMBIGUOUS);
    let mut found = all.filter(|(word, _)| words(&lower).any(|other| other == *word));
    found.find_map(|(word, server)| {
        let has_twin = POSTGRES.iter().any(|postgres| is_there(&lower.replacen(word, postgres, 1)));
        has_twin.then_some(*server)
    })
}

/// Whether a file called `x.up.sql` gives way to one for PostgreSQL alone, `x.postgres.up.sql`.
pub(super) fn gives_way(name: &str, is_there: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    if parts.len() < 2 || parts.iter().any(|part| POSTGRES.contains(&part.to_lowercase().as_str())) {
        return false;
    }
    POSTGRES.iter().any(|postgres| {
        let mut with = parts.clone();
        with.insert(1, postgres);
        is_there(&with.join(".").to_lowercase())
    })
}

/// The other server that a folder below a project is for, with the name that says so.
pub(super) fn of_folder(from_project: &Path) -> Option<&'static str> {
    let names: Vec<String> = from_project.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    // The closest name counts: `sqlite-to-x/postgres/migrations` is for PostgreSQL.
    for name in names.iter().rev() {
        if words(name).any(|word| is_postgres(&word)) {
            return None;
        }
        if let Some(server) = other_server(name) {
            return Some(server);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_name_a_server() {
        assert_eq!(of_folder(Path::new("migrations/mysql")), Some("MySQL"));
        assert_eq!(of_folder(Path::new("db/oracle")), Some("Oracle"));
        assert_eq!(of_folder(Path::new("oracle-migrations/v2")), Some("Oracle"));
        assert_eq!(of_folder(Path::new("resources/migrations/h2")), Some("H2"));
        assert_eq!(of_folder(Path::new("services/price-oracle/migrations")), None);
        assert_eq!(of_folder(Path::new("mysql-to-postgres/migrations")), None);
        assert_eq!(of_folder(Path::new("sqlite/postgres")), None);
        assert_eq!(of_folder(Path::new("derby-results/migrations")), None);
        assert_eq!(of_folder(Path::new("driver/riversqlite/migration")), Some("SQLite"));
        assert_eq!(of_folder(Path::new("mysqlmigrations")), Some("MySQL"));
        assert_eq!(of_folder(Path::new("cockroachdbschema/v1")), Some("CockroachDB"));
        assert_eq!(of_folder(Path::new("mysqltopostgresql/migrations")), None);
        assert_eq!(of_folder(Path::new("store/jdbcpostgres/migrations")), None);
        assert_eq!(of_folder(Path::new("mh2o/migrations")), None);
    }

    #[test]
    fn a_part_of_a_file_name_does_too() {
        let none = |_: &str| false;
        assert_eq!(of_file("2024_a.mysql.up.sql", none), Some("MySQL"));
        assert_eq!(of_file("2024_a.sqlite3.down.sql", none), Some("SQLite"));
        assert_eq!(of_file("2024_a.postgres.up.sql", none), None);
        assert_eq!(of_file("001_add_mysql_fdw.sql", none), None);
        assert_eq!(of_file("schema_mysql.sql", |name| name == "schema_postgres.sql"), Some("MySQL"));
        assert!(gives_way("a.up.sql", |name| name == "a.postgres.up.sql"));
        assert!(!gives_way("a.postgres.up.sql", |_| true));
    }
}
