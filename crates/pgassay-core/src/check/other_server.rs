//! Which other server SQL is written for, where most of it is not PostgreSQL's.

/// What only one server's SQL has, in upper case.
const SIGNS: [(&str, &[&str]); 5] = [
    ("ClickHouse", &["MERGETREE", "ENGINE = KAFKA", "LOWCARDINALITY("]),
    ("SQL Server", &["[DBO]", "NVARCHAR(", "IDENTITY(1,1)", "IDENTITY (1,1)", "\nGO\n", "\nGO\r\n", "SP_RENAME"]),
    ("Oracle", &["VARCHAR2(", "NUMBER(", "SYSDATE", "NVARCHAR2("]),
    ("SQLite", &["AUTOINCREMENT", "PRAGMA ", "WITHOUT ROWID"]),
    ("MySQL", &["`", "AUTO_INCREMENT", "ENGINE=", "ENGINE =", "UNSIGNED", "TINYINT(", "DELIMITER ", "UNLOCK TABLES"]),
];

/// The server that a text is for, by what only its SQL has.
pub(super) fn looks_like(text: &str) -> Option<&'static str> {
    let upper = text.to_ascii_uppercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| upper.contains(sign));
    SIGNS.iter().find(|(_, signs)| has(signs)).map(|(server, _)| *server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_own_signs() {
        assert_eq!(looks_like("CREATE TABLE `a` (id int) ENGINE=InnoDB;"), Some("MySQL"));
        assert_eq!(looks_like("create table a (id integer primary key autoincrement);"), Some("SQLite"));
        assert_eq!(looks_like("CREATE TABLE [dbo].[a] (id INT IDENTITY(1,1))\nGO\n"), Some("SQL Server"));
        assert_eq!(looks_like("CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY x"), Some("ClickHouse"));
        assert_eq!(looks_like("create table a (n varchar2(10))"), Some("Oracle"));
        assert_eq!(looks_like("create tabel a (n int)"), None);
    }
}
