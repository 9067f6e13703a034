//! What CASCADE takes along, names that mean another thing afterwards, and statements that deferred triggers stand in the way of.

use super::judged::judged;
use crate::finding::{Finding, Severity};

/// "severity rule: message", with the evidence that tells of more.
fn told(given: &str, migration: &str, rules: &[&str]) -> Vec<String> {
    let line = |finding: &Finding| {
        let more: Vec<&str> =
            finding.evidence.iter().map(|it| &*it.text).filter(|it| it.starts_with("it takes along")).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        format!("{} {}: {}{more}", finding.severity.name(), finding.rule, finding.message)
    };
    judged(given, migration).0.findings.iter().filter(|it| rules.contains(&it.rule.name)).map(line).collect()
}

fn cascade(given: &str, migration: &str) -> Vec<String> {
    told(given, migration, &["dropped-data", "dropped-object", "dependent-object"])
}

#[test]
fn columns_that_cascade_takes_are_lost_data() {
    let given = "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE guest (id bigint PRIMARY KEY, now mood, past mood[]);";
    let lost = cascade(given, "DROP TYPE mood CASCADE;");
    assert_eq!(
        lost[0],
        "error dropped-data: drops public.guest.now, public.guest.past and every value in them: CASCADE takes them along \
         (it takes along: column now of table public.guest, column past of table public.guest)"
    );
    let given = "CREATE COLLATION de (provider = icu, locale = 'de'); CREATE TABLE city (id int PRIMARY KEY, name text COLLATE de);";
    let lost = cascade(given, "DROP COLLATION de CASCADE;");
    assert!(lost[0].starts_with("error dropped-data: drops public.city.name and every value in it"), "{lost:?}");
    let refused = cascade(given, "DROP COLLATION de;");
    assert!(refused[0].contains("cannot drop collation de because other objects depend on it"), "{refused:?}");
    let given = "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'; \
                 CREATE TABLE m (id int PRIMARY KEY, n int, t int GENERATED ALWAYS AS (twice(n)) STORED);";
    let lost = cascade(given, "DROP FUNCTION twice CASCADE;");
    assert!(lost[0].starts_with("error dropped-data: drops public.m.t and every value in it"), "{lost:?}");
    let given = "CREATE TYPE line AS (a int, b int); CREATE TABLE lines OF line;";
    let lost = cascade(given, "DROP TYPE line CASCADE;");
    assert!(lost[0].starts_with("error dropped-data: drops public.lines and every value in it"), "{lost:?}");
}

#[test]
fn tables_of_another_schema_lose_columns_by_drop_schema() {
    let given = "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('calm'); CREATE TABLE app.own (m app.mood); \
                 CREATE TABLE guest (id int PRIMARY KEY, m app.mood);";
    let lost = cascade(given, "DROP SCHEMA app CASCADE;");
    assert!(lost[0].starts_with("error dropped-data: drops the schema app and a table with its rows"), "{lost:?}");
    assert_eq!(lost[1], "error dropped-data: drops public.guest.m and every value in it: CASCADE takes it along");
    assert_eq!(lost.len(), 2, "{lost:?}");
}

#[test]
fn what_holds_no_rows_is_named() {
    let given = "CREATE EXTENSION pg_trgm; CREATE TABLE t (id int PRIMARY KEY, v text); \
                 CREATE INDEX t_v ON t USING gin (v gin_trgm_ops);";
    let lost = cascade(given, "DROP EXTENSION pg_trgm CASCADE;");
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].ends_with("(it takes along: index public.t_v)"), "{lost:?}");
    let given = "CREATE COLLATION de (provider = icu, locale = 'de'); CREATE TABLE t (id int PRIMARY KEY, v text); \
                 CREATE INDEX t_v ON t (v COLLATE de);";
    assert_eq!(
        cascade(given, "DROP COLLATION de CASCADE;"),
        ["warning dropped-object: CASCADE takes along: index public.t_v"]
    );
    // Made again, or of a table that goes itself.
    assert!(cascade(given, "DROP COLLATION de CASCADE; CREATE INDEX t_v ON t (v);").is_empty());
    let given = "CREATE ROLE clerk; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO clerk;";
    assert!(cascade(given, "DROP ROLE clerk;")[0].contains("role \"clerk\" cannot be dropped"));
}

#[test]
fn columns_that_take_each_others_names() {
    let given = "CREATE TABLE t (id int PRIMARY KEY, a text, b text);";
    let swap = "ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b;";
    let lost = told(given, swap, &["renamed-object"]);
    assert!(lost.iter().any(|it| it.contains("public.t.a is another column now: the values are in b")), "{lost:?}");
    // The end of the swap of a column is none.
    let ends = "ALTER TABLE t RENAME a TO a_old; ALTER TABLE t RENAME b TO a;";
    assert!(!told(given, ends, &["renamed-object"]).iter().any(|it| it.contains("another column now")));
}

#[test]
fn a_policy_for_writes_that_reads_its_table_meets_the_policies_for_reads() {
    let given = "CREATE TABLE a (id int PRIMARY KEY, who text); ALTER TABLE a ENABLE ROW LEVEL SECURITY; \
                 CREATE POLICY s ON a FOR SELECT USING (true);";
    let policy = |command: &str| {
        format!("CREATE POLICY x ON a FOR {command} USING (id IN (SELECT id FROM a WHERE who = current_user));")
    };
    assert!(told(given, &policy("UPDATE"), &["row-security"]).is_empty());
    assert!(told(given, &policy("SELECT"), &["row-security"])[0].contains("infinite recursion"));
    assert!(told(given, &policy("ALL"), &["row-security"])[0].contains("infinite recursion"));
}

const DEFERRED: &str = "CREATE TABLE plan (id bigint PRIMARY KEY); CREATE TABLE robot (id bigint PRIMARY KEY, \
    plan_id bigint CONSTRAINT robot_plan REFERENCES plan DEFERRABLE INITIALLY DEFERRED, state text);";

/// What is said to fail because of triggers that wait: "severity rule".
fn waiting(migration: &str) -> Vec<String> {
    let found = judged(DEFERRED, migration).0.findings;
    let pending = found.iter().filter(|it| it.message.contains("pending trigger events"));
    pending.map(|it| format!("{} {}", it.severity.name(), it.rule)).collect()
}

#[test]
fn deferred_triggers_that_wait_stand_in_the_way() {
    let refused = ["error refused-statement"];
    let insert = "BEGIN; INSERT INTO robot VALUES (1, 1, 'new');";
    for ddl in [
        "ALTER TABLE robot ADD COLUMN note text;",
        "CREATE INDEX robot_state ON robot (state);",
        "TRUNCATE robot;",
        "DROP TABLE robot;",
        "DROP TABLE plan, robot;",
        "DO $$ BEGIN ALTER TABLE robot ALTER state SET DEFAULT 'x'; END $$;",
    ] {
        assert_eq!(waiting(&format!("{insert} {ddl} COMMIT;")), refused, "{ddl}");
    }
    // Each alone, renamed, of the other table, fired, not deferred, undone.
    for quiet in [
        "INSERT INTO robot VALUES (1, 1, 'new'); ALTER TABLE robot ADD COLUMN note text;",
        "BEGIN; INSERT INTO robot VALUES (1, 1, 'new'); ALTER TABLE robot RENAME state TO mood; COMMIT;",
        "BEGIN; INSERT INTO robot VALUES (1, 1, 'new'); ALTER TABLE plan ADD COLUMN note text; COMMIT;",
        "BEGIN; INSERT INTO robot VALUES (1, 1, 'new'); SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE robot ADD COLUMN n int; COMMIT;",
        "BEGIN; SET CONSTRAINTS robot_plan IMMEDIATE; INSERT INTO robot VALUES (1, 1, 'x'); ALTER TABLE robot ADD COLUMN n int; COMMIT;",
        "BEGIN; SAVEPOINT s; INSERT INTO robot VALUES (1, 1, 'x'); ROLLBACK TO s; ALTER TABLE robot ADD COLUMN n int; COMMIT;",
        "BEGIN; UPDATE robot SET state = 'old'; ALTER TABLE robot ADD COLUMN n int; COMMIT;",
        "BEGIN; INSERT INTO robot VALUES (1, 1, 'x'); COMMIT; ALTER TABLE robot ADD COLUMN n int;",
    ] {
        assert!(waiting(quiet).is_empty(), "{quiet}");
    }
}

#[test]
fn what_only_the_rows_can_tell_has_the_query_that_tells() {
    let delete = "BEGIN; DELETE FROM plan WHERE id > 7; ALTER TABLE plan ADD COLUMN note text; COMMIT;";
    assert_eq!(waiting(delete), ["info may-fail-on-rows"]);
    let found = judged(DEFERRED, delete).0.findings;
    let query = found.iter().flat_map(|it| &it.advice.steps).find(|it| it.sql.starts_with("SELECT"));
    assert_eq!(query.map(|it| it.sql.as_str()), Some("SELECT * FROM public.plan WHERE id > 7 LIMIT 1"));
    let all = "BEGIN; DELETE FROM plan; ALTER TABLE plan ADD COLUMN note text; COMMIT;";
    assert_eq!(waiting(all), ["error fails-on-rows"]);
}

#[test]
fn a_function_that_is_called_without_being_written_is_followed() {
    let given = "CREATE TABLE big (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, n int); \
                 CREATE FUNCTION next_n() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM big; RETURN 1; END $$; \
                 ALTER TABLE t ALTER n SET DEFAULT next_n();";
    let removed = |migration: &str| told(given, migration, &["removed-rows"]).len();
    assert_eq!(removed("INSERT INTO t (id) VALUES (1);"), 1);
    assert_eq!(removed("INSERT INTO t (id, n) VALUES (1, 2);"), 0);
    assert_eq!(removed("ALTER TABLE t ADD COLUMN m int DEFAULT next_n();"), 1);
}

#[test]
fn a_trigger_that_fires_for_certain_fails_what_fires_it() {
    let given = "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE log (id int); \
                 CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$; \
                 CREATE TRIGGER note AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();";
    let missing = |migration: &str| told(given, migration, &["missing-object"]).len();
    assert_eq!(missing("DROP TABLE log; INSERT INTO t VALUES (1);"), 1);
    assert_eq!(missing("DROP TABLE log; INSERT INTO t SELECT 1 WHERE false;"), 0);
    assert_eq!(missing("INSERT INTO t VALUES (1);"), 0);
}

#[test]
fn the_end_of_a_transaction_in_a_procedure_that_stands_alone() {
    let given = "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE PROCEDURE fill() LANGUAGE plpgsql AS \
                 $$ BEGIN UPDATE t SET v = 1 WHERE id < 9; COMMIT; UPDATE t SET v = 2 WHERE id = 9; END $$;";
    let fails = |migration: &str| {
        let found = judged(given, migration).0.findings;
        found.iter().filter(|it| it.severity == Severity::Error && it.message.starts_with("fails")).count()
    };
    assert_eq!(fails("CALL fill();"), 0);
    assert_eq!(fails("DO $$ BEGIN CALL fill(); END $$;"), 0);
    assert!(fails("BEGIN; CALL fill(); COMMIT;") > 0);
    assert!(fails("DO $$ BEGIN CALL fill(); EXCEPTION WHEN unique_violation THEN NULL; END $$;") > 0);
}
