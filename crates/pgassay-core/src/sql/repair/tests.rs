use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

#[test]
fn what_postgresql_accepts_is_read() {
    for text in [
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (lower(a), b) WHERE c DO NOTHING",
        "UPDATE t SET a[1] = 2, b.c[2].d = 3 WHERE CURRENT OF cur",
        "SELECT (f(x)).*, (g(VARIADIC ARRAY[1])).* FROM ROWS FROM (f(1), g(2)) AS r",
        "SELECT a OPERATOR(pg_catalog.+) b COLLATE \"C\" FROM t TABLESAMPLE system (10) REPEATABLE (1+2)",
        "SELECT JSON_OBJECT('a': x FORMAT JSON, 'b' VALUE y ABSENT ON NULL RETURNING jsonb) FROM t",
        "SELECT 1 GROUP BY GROUPING SETS ((a), GROUPING SETS ((b), (c)))",
        "SELECT * FROM a JOIN b USING (i) AS j WHERE x ISNULL AND y === 1",
        "SELECT xmlelement(name foo, xmlattributes(a AS b), (SELECT c FROM d))",
        "SELECT * FROM t FOR KEY SHARE OF t SKIP LOCKED",
        "SELECT * FROM f() AS x (a int, b text)",
        "SELECT sum(a) OVER (ORDER BY b RANGE BETWEEN '1 day'::interval PRECEDING AND UNBOUNDED FOLLOWING) FROM t",
        "WITH RECURSIVE r (f) AS (SELECT 1 UNION ALL SELECT f FROM r) SEARCH DEPTH FIRST BY f SET s CYCLE f SET c USING p SELECT 1",
        "SELECT OPERATOR(public.!!) 'y'::text, OPERATOR(pg_catalog.-) 1",
        "UPDATE t SET a = 1 RETURNING WITH (OLD AS o, NEW AS \"N\") o.a, \"N\".a, (SELECT o.b FROM u)",
        "WITH w AS (DELETE FROM t RETURNING WITH (OLD AS o) o.a) SELECT a FROM w",
        "MERGE INTO t USING a INNER JOIN b ON a.i = b.i ON t.i = a.i WHEN MATCHED THEN DELETE",
        "MERGE INTO t USING (SELECT 1 AS i) AS q LEFT JOIN b USING (i) ON t.i = q.i AND (b.x OR b.y) WHEN MATCHED THEN DO NOTHING",
        "CREATE INDEX ON t ((a::text COLLATE \"C\") text_pattern_ops) WHERE b::text > 'x' COLLATE \"C\"",
        "CREATE POLICY p ON t USING (a < ('x'::text COLLATE \"C\"))",
        "ALTER TABLE t ADD CHECK (lower(a) COLLATE pg_catalog.\"C\" <> '' AND b IS NOT NULL)",
        "CREATE TABLE u (a text DEFAULT 'x'::text COLLATE \"C\", b text COLLATE \"C\" NOT NULL)",
    ] {
        let script = read_script(FileId(0), &SourceFile::new("t.sql", text));
        assert!(script.statements[0].change.is_ok(), "{text}: {:?}", script.statements[0].change);
    }
}

#[test]
fn an_error_stays_an_error() {
    for (text, message) in [
        ("SELECT 1 FROM", None),
        ("SELECT a b c", Some("expected the end of the statement, found 'c'")),
        ("UPDATE t SET a[1]", None),
        ("SELECT (1", None),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a", None),
        ("CAST 1", Some("expected a statement, found 'CAST'")),
    ] {
        let script = read_script(FileId(0), &SourceFile::new("t.sql", text));
        let error = script.statements[0].change.as_ref().expect_err(text);
        assert!(message.is_none_or(|message| error.message == message), "{text}: {}", error.message);
    }
}
