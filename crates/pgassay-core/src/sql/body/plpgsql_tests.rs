use crate::change::Change;
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// The statements of the DO block as (text in the file, kind, conditional), and the texts of the dynamic ones.
fn read(text: &str) -> (Vec<(String, String, bool)>, Vec<String>) {
    let source = SourceFile::new("t.sql", text);
    let script = read_script(FileId(0), &source);
    let Ok(Change::Do(block)) = &script.statements[0].change else { panic!("{:?}", script.statements[0].change) };
    let shown = block.code.statements.iter().map(|statement| {
        let kind = match &statement.change {
            Ok(change) => change.names().join(","),
            Err(error) => error.to_string(),
        };
        (source.slice(statement.span).to_string(), kind, statement.conditional)
    });
    (shown.collect(), block.code.dynamic.iter().map(|span| source.slice(*span).to_string()).collect())
}

fn row(text: &str, kind: &str, conditional: bool) -> (String, String, bool) {
    (text.into(), kind.into(), conditional)
}

#[test]
fn statements_are_found_with_their_places() {
    let (found, dynamic) = read(
        "DO $é$ DECLARE n int := 1; BEGIN
           PERFORM f(1);
           SELECT count(*) INTO STRICT n FROM t WHERE a = 1;
           IF n > CASE WHEN true THEN 1 END THEN UPDATE t SET a = 2; ELSIF false THEN NULL; ELSE DELETE FROM t; END IF;
           FOR r IN SELECT * FROM u LOOP INSERT INTO v VALUES (1) RETURNING id INTO n; END LOOP;
           FOR i IN 1..10 LOOP EXECUTE 'DELETE FROM x' || i; END LOOP;
           n := (SELECT max(a) FROM w);
         EXCEPTION WHEN others THEN TRUNCATE_IT(); END $é$;"
            .replace("TRUNCATE_IT()", "COMMIT")
            .as_str(),
    );
    assert_eq!(
        found,
        [
            row("PERFORM f(1)", "select", false),
            row("SELECT count(*) INTO STRICT n FROM t WHERE a = 1", "select", false),
            row("UPDATE t SET a = 2", "update", true),
            row("DELETE FROM t", "delete", true),
            row("SELECT * FROM u", "select", false),
            row("INSERT INTO v VALUES (1) RETURNING id INTO n", "insert", true),
            row("(SELECT max(a) FROM w)", "select", false),
            row("COMMIT", "commit", true),
        ]
    );
    assert_eq!(dynamic, ["EXECUTE 'DELETE FROM x' || i"]);
}

#[test]
fn text_of_literals_is_read_where_it_stands() {
    let (found, dynamic) = read(
        "DO 'BEGIN EXECUTE ''DELETE FROM a''; EXECUTE format(''DELETE FROM %I.b WHERE c = %L'', ''My'', ''x''); END'",
    );
    assert_eq!(found[0], row("DELETE FROM a", "delete", false));
    assert_eq!((found[1].1.as_str(), found[1].0.starts_with("DELETE FROM %I.b")), ("delete", true));
    assert!(dynamic.is_empty());
}

#[test]
fn a_broken_body_is_told() {
    let (found, _) = read("DO $$ BEGIN DELETE FROM a; IF x THEN DELETE FROM b; END $$");
    assert_eq!(found.last().unwrap().1, "expected IF, found 'END'".replace("'END'", "the end of the statement"));
}
