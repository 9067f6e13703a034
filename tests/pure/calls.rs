//! What routines, triggers and rules do when a migration runs them, and what stands in the way of that: conditions, loops, clauses.

use pgassay::check::{Job, check};
use pgassay::finding::Category;
use pgassay::history::Completeness;
use pgassay::migration::Migration;
use pgassay::source::{SourceFile, Sources};
use pgassay::version::PgVersion;

const GIVEN: &str = "
CREATE TABLE t (id int PRIMARY KEY, v text, n int);
CREATE TABLE u (id int PRIMARY KEY, v text);
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; RETURN 1; END $$;
CREATE FUNCTION clear() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN 1; END $$;
";

/// Failures and lost data, as `rule object`.
fn found(given: &str, migration: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let base = vec![plain("given.sql", &format!("{GIVEN}{given}"))];
    let job = Job {
        base,
        migrations: vec![plain("migration.sql", migration)],
        completeness: Completeness::Complete,
        version: PgVersion::NEWEST,
        ..Job::default()
    };
    let report = check(&job, &sources);
    let told = report.findings.iter().filter(|it| {
        let about = matches!(it.rule.category, Category::DataLoss | Category::Failing | Category::Breaking);
        // `clear` needs the table, and is reported wherever that goes.
        about && !matches!(it.rule.name, "not-rerunnable" | "changed-type" | "broken-routine")
    });
    told.map(|it| format!("{} {}", it.rule.name, it.object.as_deref().unwrap_or_default()).trim_end().to_owned())
        .collect()
}

fn assert_found(cases: &[(&str, &str, &[&str])]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(given, migration, expected)| {
            let found = found(given, migration);
            (found != *expected).then(|| format!("{given}\n{migration}\n    {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const DROPPED: &[&str] = &["dropped-data public.t"];
const EMPTIED: &[&str] = &["removed-rows public.t"];
const NOTHING: &[&str] = &[];

#[test]
fn a_trigger_is_told_what_fired_it() {
    let on_delete = "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' THEN DELETE FROM t; END IF; RETURN NULL; END $$;
        CREATE TRIGGER a AFTER INSERT OR DELETE ON u FOR EACH STATEMENT EXECUTE FUNCTION g();";
    let by_case = on_delete.replace(
        "IF TG_OP = 'DELETE' THEN DELETE FROM t; END IF;",
        "CASE TG_OP WHEN 'DELETE' THEN DELETE FROM t; ELSE NULL; END CASE;",
    );
    let of_level =
        on_delete.replace("TG_OP = 'DELETE'", "TG_LEVEL = 'ROW' OR TG_WHEN = 'BEFORE' OR TG_TABLE_NAME = 't'");
    let named = "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NULL; END $$;
        CREATE TRIGGER a AFTER INSERT ON u FOR EACH STATEMENT EXECUTE FUNCTION g('t');";
    assert_found(&[
        (on_delete, "INSERT INTO u VALUES (1);", NOTHING),
        (on_delete, "DELETE FROM u WHERE id = 1;", EMPTIED),
        (&by_case, "INSERT INTO u VALUES (1);", NOTHING),
        (&by_case, "DELETE FROM u WHERE id = 1;", EMPTIED),
        (&of_level, "INSERT INTO u VALUES (1);", NOTHING),
        (named, "INSERT INTO u VALUES (1);", EMPTIED),
    ]);
}

#[test]
fn what_never_runs_does_nothing() {
    let dry = "CREATE FUNCTION g(dry boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        IF dry THEN RETURN; END IF; DROP TABLE t; END $$;";
    let many = "CREATE FUNCTION g(n int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF n > 3 THEN DROP TABLE t; END IF; END $$;";
    assert_found(&[
        (dry, "SELECT g();", NOTHING),
        (dry, "SELECT g(false);", DROPPED),
        (many, "SELECT g(2);", NOTHING),
        (many, "SELECT g(20);", DROPPED),
        ("", "DO $$ BEGIN WHILE false LOOP DROP TABLE t; END LOOP; END $$;", NOTHING),
        ("", "SELECT f() WHERE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'u');", NOTHING),
        ("", "SELECT f() WHERE EXISTS (SELECT FROM pg_class WHERE relname = 'u');", DROPPED),
        ("", "SELECT 1 WHERE false AND f() = 1;", NOTHING),
    ]);
}

#[test]
fn after_what_may_have_run_nothing_is_said_to_be_missing() {
    assert_found(&[
        ("", "SELECT CASE WHEN count(*) > 5 THEN f() END FROM u; SELECT id FROM t;", DROPPED),
        (
            "",
            "DO $$ BEGIN IF (SELECT count(*) FROM u) > 5 THEN DROP TABLE t; END IF; END $$; SELECT id FROM t;",
            DROPPED,
        ),
        (
            "",
            "DO $$ BEGIN IF (SELECT count(*) FROM u) > 5 THEN ALTER TABLE t DROP COLUMN v; END IF; END $$; UPDATE t SET v = 'x' WHERE id = 1;",
            &["dropped-data public.t.v"],
        ),
        ("", "DROP TABLE t; SELECT id FROM t;", &["dropped-data public.t", "missing-object t"]),
    ]);
}

#[test]
fn calls_are_followed_wherever_they_stand() {
    let view = "CREATE VIEW w AS SELECT clear() AS c; CREATE VIEW x AS SELECT c FROM w;";
    assert_found(&[
        (view, "SELECT * FROM w;", EMPTIED),
        (view, "SELECT * FROM x;", EMPTIED),
        ("CREATE MATERIALIZED VIEW m AS SELECT clear() AS c WITH NO DATA;", "REFRESH MATERIALIZED VIEW m;", EMPTIED),
        ("CREATE MATERIALIZED VIEW m AS SELECT clear() AS c;", "SELECT * FROM m;", NOTHING),
        ("", "BEGIN; DECLARE c CURSOR FOR SELECT clear(); FETCH c; COMMIT;", EMPTIED),
        ("", "COPY (SELECT clear()) TO STDOUT;", EMPTIED),
        (
            "",
            "ALTER TABLE u ALTER COLUMN v TYPE int USING clear();",
            &["removed-rows public.t", "narrowed-data public.u.v"],
        ),
        ("", "MERGE INTO u USING (SELECT clear() AS id) s ON s.id = u.id WHEN MATCHED THEN DO NOTHING;", EMPTIED),
    ]);
}

#[test]
fn a_loop_over_constants_is_run_for_each() {
    let both = &["dropped-data public.t.v", "dropped-data public.u.v"][..];
    assert_found(&[
        (
            "",
            "DO $$ DECLARE x text; BEGIN FOREACH x IN ARRAY ARRAY['t', 'u'] LOOP EXECUTE format('ALTER TABLE %I DROP COLUMN v', x); END LOOP; END $$;",
            both,
        ),
        (
            "",
            "DO $$ DECLARE x text; all_of text[] := ARRAY['t', 'u']; BEGIN FOREACH x IN ARRAY all_of LOOP EXECUTE 'ALTER TABLE ' || x || ' DROP COLUMN v'; END LOOP; END $$;",
            both,
        ),
        (
            "",
            "DO $$ DECLARE x text; all_of text[] := ARRAY['t']; BEGIN all_of := all_of || current_user; FOREACH x IN ARRAY all_of LOOP EXECUTE 'ALTER TABLE ' || x || ' DROP COLUMN v'; END LOOP; END $$;",
            &["dynamic-statement"],
        ),
    ]);
}

#[test]
fn a_text_that_begins_as_one_that_removes_is_a_warning() {
    let loops = "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP EXECUTE 'DROP TABLE ' || r.tablename; END LOOP; END $$;";
    assert_eq!(found("", loops), ["dynamic-statement"]);
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("m.sql", loops));
    let report =
        check(&Job { migrations: vec![Migration::plain("m.sql", file, loops.len())], ..Job::default() }, &sources);
    let message = &report.findings.iter().find(|it| it.rule.name == "dynamic-statement").expect("a finding").message;
    assert!(message.ends_with("begins with DROP TABLE"), "{message}");
}

#[test]
fn a_condition_that_every_row_meets_is_none() {
    for condition in [
        "NOT false",
        "true AND 1 <> 2",
        "coalesce(true, false)",
        "id = id",
        "t.id IS NOT NULL",
        "v IS NULL OR v IS NOT NULL",
        "id IN (SELECT id FROM t)",
        "EXISTS (SELECT 1)",
    ] {
        assert_eq!(found("", &format!("DELETE FROM t WHERE {condition};")), EMPTIED, "{condition}");
    }
    for condition in [
        "v = v",
        "v IS NOT NULL",
        "id IN (SELECT id FROM u)",
        "id IN (SELECT id FROM t WHERE n = 1)",
        "id IN (SELECT n FROM t)",
        "v IN (SELECT v FROM t)",
        "EXISTS (SELECT 1 FROM u)",
        "NOT true",
        "1 = 2",
    ] {
        assert_eq!(found("", &format!("DELETE FROM t WHERE {condition};")), NOTHING, "{condition}");
    }
}

#[test]
fn a_rule_may_run_in_place_of_the_write() {
    assert_found(&[
        ("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;", "DELETE FROM t;", NOTHING),
        ("CREATE RULE r AS ON DELETE TO t WHERE old.n = 1 DO INSTEAD NOTHING;", "DELETE FROM t;", EMPTIED),
        ("CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING;", "DELETE FROM t;", EMPTIED),
        (
            "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE r;",
            "DELETE FROM t;",
            EMPTIED,
        ),
    ]);
}

#[test]
fn the_body_of_a_new_routine_is_read() {
    let plpgsql = "CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SELEC 1; RETURN 1; END $$;";
    let refused = &["refused-statement"][..];
    assert_found(&[
        ("", plpgsql, refused),
        ("", "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELEC 1';", refused),
        ("", &format!("SET check_function_bodies = off; {plpgsql}"), NOTHING),
        (
            "",
            "CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM t); END $$;",
            NOTHING,
        ),
    ]);
}

#[test]
fn a_name_means_the_schema_of_the_role() {
    let given = "CREATE SCHEMA app; CREATE TABLE app.t (id int, w text);";
    assert_found(&[
        (given, "SET ROLE app; ALTER TABLE t DROP COLUMN w;", &["dropped-data app.t.w"]),
        (given, "SET SESSION AUTHORIZATION app; ALTER TABLE t DROP COLUMN w;", &["dropped-data app.t.w"]),
        (given, "SET ROLE app; RESET ROLE; ALTER TABLE t DROP COLUMN v;", &["dropped-data public.t.v"]),
        (given, "SET ROLE other; ALTER TABLE t DROP COLUMN v;", &["dropped-data public.t.v"]),
    ]);
}

#[test]
fn a_routine_is_dropped_by_its_argument_types() {
    let given = "CREATE FUNCTION g(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT 1';";
    assert_found(&[
        (given, "DROP FUNCTION g(bigint, int); SELECT g('1', '2');", &["missing-object g"]),
        (given, "DROP FUNCTION g(int);", &["missing-object g"]),
        (given, "DROP FUNCTION IF EXISTS g(int);", NOTHING),
        (given, "DROP FUNCTION g(int4, integer);", &["dropped-object public.g"]),
    ]);
}

#[test]
fn search_and_cycle_add_columns() {
    let walk = "WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 9)";
    assert_found(&[
        ("", &format!("{walk} CYCLE n SET is_cycle USING path SELECT n, path FROM q WHERE NOT is_cycle;"), NOTHING),
        ("", &format!("{walk} SEARCH DEPTH FIRST BY n SET ord SELECT n FROM q ORDER BY ord;"), NOTHING),
        (
            "",
            &format!(
                "{walk} SEARCH BREADTH FIRST BY n SET ord CYCLE n SET c TO 'y' DEFAULT 'n' USING p SELECT ord, c, p FROM q;"
            ),
            NOTHING,
        ),
        ("", &format!("{walk} SEARCH DEPTH FIRST BY n SET ord SELECT other FROM q;"), &["missing-object other"]),
    ]);
}

#[test]
fn operators_of_ones_own_are_not_missing() {
    let given = "CREATE FUNCTION g(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE OPERATOR @#@ (RIGHTARG = int, FUNCTION = g);";
    assert_found(&[(given, "SELECT @#@ 1;", NOTHING)]);
}
