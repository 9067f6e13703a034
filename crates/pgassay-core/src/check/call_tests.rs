//! What a migration does by calling functions and procedures of its history, and which way the code goes.

use super::judged;
use crate::finding::{Finding, Severity};

/// The findings on a migration as "rule line", each in a line of the migration, which has its timeouts.
fn judged(given: &str, migration: &str, wanted: impl Fn(&Finding) -> bool) -> Vec<String> {
    let (report, sources, file) = judged::judged(given, migration);
    let line = |finding: &Finding| {
        assert_eq!(finding.span.file, file, "{}: {}", finding.rule, finding.message);
        format!("{} {}", finding.rule, sources.positions(finding.span).0.line)
    };
    report.findings.iter().filter(|finding| wanted(finding)).map(line).collect()
}

fn found(given: &str, migration: &str, rules: &[&str]) -> Vec<String> {
    judged(given, migration, |finding| rules.contains(&finding.rule.name))
}

/// What is said to fail.
fn failing(given: &str, migration: &str) -> Vec<String> {
    judged(given, migration, |finding| finding.severity == Severity::Error && finding.message.starts_with("fails"))
}

const BIG: &str = "CREATE TABLE big (id int PRIMARY KEY, v text); ";

/// A function that runs statements.
fn function(name: &str, body: &str) -> String {
    format!("CREATE FUNCTION {name} RETURNS void LANGUAGE plpgsql AS $$ BEGIN {body} END $$;")
}

#[test]
fn the_work_of_a_called_function_is_reported_at_the_call() {
    let mig = function("mig()", "ALTER TABLE big ALTER COLUMN v SET NOT NULL;");
    let scan = &["blocking-scan"];
    assert_eq!(found(BIG, &format!("{mig}\nSELECT mig();"), scan), ["blocking-scan 2"]);
    let given = format!("{BIG}{mig}");
    assert_eq!(found(&given, "\nSELECT mig();", scan), ["blocking-scan 2"]);
    assert_eq!(found(&given, "\nSELECT * FROM mig();", scan), ["blocking-scan 2"]);
    assert_eq!(found(&given, "\nDO $$ BEGIN\nPERFORM mig(); END $$;", scan), ["blocking-scan 3"]);
}

#[test]
fn what_a_called_routine_drops_is_lost() {
    let lost = &["dropped-data", "removed-rows"];
    let drop = format!("{BIG}CREATE FUNCTION mig() RETURNS void LANGUAGE sql AS 'DROP TABLE big';");
    assert_eq!(found(&drop, "\nSELECT mig();", lost), ["dropped-data 2"]);
    let column = format!("{BIG}{}", function("mig()", "ALTER TABLE big DROP COLUMN v;"));
    assert_eq!(found(&column, "\nSELECT mig();", lost), ["dropped-data 2"]);
    let procedure = "CREATE PROCEDURE clean() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM big; END $$;";
    assert_eq!(found(&format!("{BIG}{procedure}"), "\nCALL clean();", lost), ["removed-rows 2"]);
    let nested = format!("{column}{}", function("outer_one()", "PERFORM mig();"));
    assert_eq!(found(&nested, "\nSELECT outer_one();", lost), ["dropped-data 2"]);
}

#[test]
fn the_schema_goes_on_as_the_call_left_it() {
    let given = format!("{BIG}{}", function("mig()", "ALTER TABLE big DROP COLUMN v; CREATE TABLE made (id int);"));
    assert_eq!(failing(&given, "SELECT mig();\nALTER TABLE big ALTER COLUMN v SET NOT NULL;"), ["missing-object 2"]);
    assert!(failing(&given, "SELECT mig();\nALTER TABLE big ADD COLUMN v int; DROP TABLE made;").is_empty());
}

#[test]
fn a_trigger_function_runs_when_rows_are_written() {
    let body = "BEGIN DELETE FROM big; RETURN NEW; END";
    let trigger = format!(
        "{BIG}CREATE TABLE t (id int); CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;
         CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tr();"
    );
    assert_eq!(found(&trigger, "\nINSERT INTO t VALUES (1);", &["removed-rows"]), ["removed-rows 2"]);
}

#[test]
fn constant_arguments_are_followed_into_execute() {
    let rules = &["blocking-index-build", "dropped-data", "dynamic-statement"];
    let run = format!("{BIG}{}", function("run(what text, tbl text DEFAULT 'big')", "EXECUTE what;"));
    let unique = "\nSELECT run('ALTER TABLE big ADD UNIQUE (v)');";
    assert_eq!(found(&run, unique, rules), ["blocking-index-build 2"]);
    assert_eq!(found(&run, "\nSELECT run(what => 'DROP TABLE big');", rules), ["dropped-data 2"]);
    assert_eq!(found(&run, "\nSELECT run(current_setting('x'));", rules), ["dynamic-statement 2"]);
    let column = "DECLARE s text; BEGIN s := format('ALTER TABLE %2$I DROP COLUMN %1$I', c, t); EXECUTE s; END;";
    let format = format!("{BIG}{}", function("lose(t text, c text)", column));
    assert_eq!(found(&format, "\nSELECT lose('big', 'v');", rules), ["dropped-data 2"]);
    // What is assigned on one way only is not known after it.
    let maybe =
        "DECLARE s text := 'SELECT 1'; BEGIN IF random() > 0.5 THEN s := 'DROP TABLE big'; END IF; EXECUTE s; END;";
    let maybe = format!("{BIG}{}", function("maybe()", maybe));
    assert_eq!(found(&maybe, "\nSELECT maybe();", rules), ["dynamic-statement 2"]);
}

#[test]
fn what_a_handler_takes_does_not_fail() {
    let block = |body: &str| format!("\nDO $$ BEGIN {body} END $$;");
    let handled = "BEGIN ALTER TABLE big ADD COLUMN v text; EXCEPTION WHEN duplicate_column THEN NULL; END;";
    assert!(failing(BIG, &block(handled)).is_empty());
    assert_eq!(failing(BIG, &block("ALTER TABLE big ADD COLUMN v text;")), ["duplicate-object 2"]);
    let undone = "BEGIN ALTER TABLE big ADD COLUMN w int; ALTER TABLE big DROP COLUMN nope; EXCEPTION WHEN OTHERS THEN NULL; END;";
    // The column went with the block.
    let then = "\nALTER TABLE big DROP COLUMN w;";
    assert_eq!(failing(BIG, &format!("{}{then}", block(undone))), ["missing-object 3"]);
}

#[test]
fn what_an_early_return_skips_does_not_fail() {
    let guarded = |guard: &str| format!("\nDO $$ BEGIN {guard} DROP INDEX nope; END $$;");
    let unknown = "IF current_setting('x') = 'y' THEN RETURN; END IF;";
    assert!(failing(BIG, &guarded(unknown)).is_empty());
    let known = "IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'nope') THEN RETURN; END IF;";
    assert!(failing(BIG, &guarded(known)).is_empty());
    let passes = "IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'big') THEN RETURN; END IF;";
    assert_eq!(failing(BIG, &guarded(passes)), ["missing-object 2"]);
    let labelled = "<<work>> BEGIN EXIT work WHEN random() > 0; DROP INDEX nope; END;";
    assert!(failing(BIG, &format!("\nDO $$ BEGIN {labelled} END $$;")).is_empty());
}

#[test]
fn guards_on_the_catalog_are_decided_on_the_model() {
    let given = "CREATE TABLE t (id int PRIMARY KEY, v int); ALTER TABLE t ADD CONSTRAINT c CHECK (v > 0);
                 CREATE INDEX i ON t (v); CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE SCHEMA other;";
    let adds = |guard: &str| format!("\nDO $$ BEGIN IF {guard} THEN ALTER TABLE t ADD COLUMN id int; END IF; END $$;");
    let holds = [
        "EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'c' AND conrelid = 't'::regclass)",
        "NOT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid WHERE r.relname = 't' AND c.conname = 'd')",
        "to_regclass('public.t') IS NOT NULL AND to_regclass('i') IS NOT NULL",
        "(SELECT count(*) FROM information_schema.columns WHERE table_name = 't' AND column_name = 'w') = 0",
        "EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = 'mood' AND n.nspname = 'public')",
        "EXISTS (SELECT FROM pg_enum WHERE enumlabel = 'ok' AND enumtypid = 'mood'::regtype)",
        "NOT EXISTS (SELECT FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'j')",
        "EXISTS (SELECT FROM information_schema.schemata WHERE schema_name IN ('other', 'more'))",
    ];
    for guard in holds {
        assert_eq!(failing(given, &adds(guard)), ["duplicate-object 2"], "{guard}");
        let otherwise = format!("NOT ({guard})");
        assert!(failing(given, &adds(&otherwise)).is_empty(), "{otherwise}");
    }
    for unknown in ["EXISTS (SELECT FROM t)", "EXISTS (SELECT FROM pg_roles WHERE rolname = 'app')", "random() > 0.5"] {
        assert!(failing(given, &adds(unknown)).is_empty(), "{unknown}");
    }
}

#[test]
fn nothing_is_said_to_fail_on_what_an_unknown_text_may_have_changed() {
    let given = "CREATE TABLE t (id int PRIMARY KEY, k int);";
    let dynamic = "\nDO $$ DECLARE s text; BEGIN SELECT string_agg('ALTER TABLE t DROP CONSTRAINT ' || conname, ';') INTO s FROM pg_constraint;
        EXECUTE s; ALTER TABLE t ADD PRIMARY KEY (k); END $$;";
    assert!(failing(given, dynamic).is_empty());
    // A text that begins as a write of rows changes no table.
    let rows = "\nDO $$ BEGIN EXECUTE 'INSERT INTO t SELECT ' || random(); ALTER TABLE t ADD PRIMARY KEY (k); END $$;";
    assert!(!failing(given, rows).is_empty());
}

#[test]
fn what_may_not_have_run_is_no_ground_for_a_refusal() {
    let drop = "\nDO $$ BEGIN IF random() > 0.5 THEN DROP TABLE big; END IF; END $$;";
    assert!(failing(BIG, &format!("{drop}\nALTER TABLE big ADD COLUMN w int;")).is_empty());
    assert!(failing(BIG, &format!("{drop}\nCREATE TABLE big (id int);")).is_empty());
    // Now it is certain that it is there.
    let anew = format!("{drop}\nDROP TABLE IF EXISTS big;\nCREATE TABLE big (id int);\nCREATE TABLE big (id int);");
    assert_eq!(failing(BIG, &anew), ["duplicate-object 5"]);
}

#[test]
fn a_variable_is_a_value() {
    let given = "CREATE TABLE execution (id bigint PRIMARY KEY, state text);";
    let by_key = "\nDO $$ DECLARE exec record; BEGIN FOR exec IN SELECT id FROM execution LOOP
        UPDATE execution SET state = 'x' WHERE id = exec.id; END LOOP; END $$;";
    assert!(found(given, by_key, &["unbatched-backfill"]).is_empty());
    let all = "\nDO $$ DECLARE exec record; BEGIN FOR exec IN SELECT id FROM execution LOOP
        UPDATE execution SET state = 'x' WHERE state <> 'y'; END LOOP; END $$;";
    assert_eq!(found(given, all, &["unbatched-backfill"]), ["unbatched-backfill 3"]);
}

#[test]
fn writes_inside_other_statements_are_seen() {
    let lost = &["removed-rows"];
    let cases = [
        "\nWITH gone AS (DELETE FROM big RETURNING *) SELECT count(*) FROM gone;",
        "\nEXPLAIN ANALYZE DELETE FROM big;",
        "\nCOPY (DELETE FROM big RETURNING *) TO STDOUT;",
    ];
    for sql in cases {
        assert_eq!(found(BIG, sql, lost), ["removed-rows 2"], "{sql}");
    }
    assert_eq!(found(BIG, "\nPREPARE p AS DELETE FROM big;\nEXECUTE p;", lost), ["removed-rows 3"]);
    assert!(found(BIG, "\nEXPLAIN DELETE FROM big;\nPREPARE p AS DELETE FROM big;", lost).is_empty());
}

#[test]
fn a_commit_inside_a_block_needs_a_transaction_of_the_blocks_own() {
    let block = "DO $$ BEGIN FOR i IN 0..9 LOOP UPDATE big SET v = 'x' WHERE id = i; COMMIT; END LOOP; END $$;";
    assert!(failing(BIG, &format!("\n{block}")).is_empty());
    assert_eq!(failing(BIG, &format!("\nBEGIN;\n{block}\nCOMMIT;")), ["ended-transaction 3"]);
}
