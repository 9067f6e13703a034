use super::*;
use crate::source::FileId;
use crate::sql::lex::token::tokenize;

fn versions(text: &str) -> Vec<(u16, &str)> {
    let source = Text::whole(FileId(0), text);
    let found = newer(&source, &tokenize(&source).unwrap());
    found.iter().map(|it| (it.form.since, &text[it.span.start as usize..it.span.end as usize])).collect()
}

#[test]
fn a_form_has_its_place() {
    assert_eq!(versions("ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)"), [(15, "NULLS NOT DISTINCT")]);
    assert_eq!(versions("ALTER TABLE t ADD g int GENERATED ALWAYS AS (a + 1)"), [(18, "GENERATED ALWAYS AS (a + 1)")]);
    let both = versions("MERGE INTO t USING u ON true WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING t.id");
    assert_eq!(both, [(15, "MERGE INTO"), (17, "MATCHED BY"), (17, "RETURNING")]);
}

#[test]
fn old_forms_with_the_same_words_are_left_alone() {
    for old in [
        "CREATE TABLE t (a int CONSTRAINT c NOT NULL, storage int, strategy text, enforced boolean, merge int)",
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (a + 1) STORED)",
        "CREATE TABLE t (id int, period tstzrange)",
        "ALTER TABLE t ALTER a SET STORAGE external, ALTER a SET STATISTICS 5, ALTER CONSTRAINT c DEFERRABLE",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b) ON DELETE SET NULL",
        "CREATE TABLE s (LIKE t INCLUDING STORAGE)",
        "SELECT a AT TIME ZONE 'UTC', maintain, rules, parameter FROM t WHERE b IS NOT NULL ORDER BY c NULLS LAST",
        "GRANT SELECT, INSERT ON t TO maintain",
        "GRANT a TO b WITH ADMIN OPTION",
        "COPY t (id, \"default\") FROM stdin (FORMAT csv, HEADER)",
        "INSERT INTO t AS new VALUES (1) RETURNING new.id",
        "CREATE RULE r AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (NEW.a) RETURNING NEW.a",
        "CREATE PUBLICATION p FOR TABLE a, b WITH (publish = 'insert')",
        "SELECT json_object('{a,b}'), 0.5, 1e3",
        "REINDEX DATABASE d",
        "CREATE STATISTICS s ON a, b FROM t",
        "VACUUM (FULL, ANALYZE) t",
    ] {
        assert_eq!(versions(old), [], "{old}");
    }
}
