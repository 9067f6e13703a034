//! One file whose past is not known: what holds whatever the schema is, said once, and nothing that takes knowledge.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The findings of a text by itself as `severity rule`, those about lock_timeout left out.
fn check(sql: &str) -> (Vec<String>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(["check", "--no-config", "--history", "partial", "--format", "json", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = format!("SET lock_timeout = '2s';\n{sql}");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let line =
        |finding: &Value| format!("{} {}", finding["severity"].as_str().unwrap(), finding["rule"].as_str().unwrap());
    let mut lines: Vec<String> = report["findings"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    (lines, report)
}

#[test]
fn what_a_statement_takes_away_is_said_though_nothing_made_it() {
    for (sql, expected) in [
        ("DROP EXTENSION pgcrypto;", "warning dropped-object"),
        ("DROP EXTENSION pg_trgm CASCADE;", "warning dropped-object"),
        ("DROP PUBLICATION orders_out;", "warning dropped-object"),
        ("ALTER TABLE orders DROP CONSTRAINT orders_pkey;", "warning lost-constraint"),
        ("ALTER TABLE orders DROP CONSTRAINT total_positive;", "warning lost-constraint"),
        ("ALTER TABLE orders DISABLE TRIGGER ALL;", "warning lost-trigger"),
        ("ALTER TABLE orders DISABLE TRIGGER audit;", "warning lost-trigger"),
        ("DROP TRIGGER audit ON orders;", "info lost-trigger"),
        ("ALTER TABLE orders REPLICA IDENTITY NOTHING;", "warning lost-replica-identity"),
        ("ALTER TABLE orders DISABLE ROW LEVEL SECURITY;", "error exposed-rows"),
        ("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY;", "warning exposed-rows"),
        ("ALTER SEQUENCE orders_id_seq RESTART WITH 1;", "warning restarted-sequence"),
        ("ALTER TABLE orders ALTER COLUMN id RESTART;", "warning restarted-sequence"),
        ("REVOKE ALL ON orders FROM shop;", "warning revoked-privilege"),
        ("ALTER TABLE orders ADD COLUMN total amount;", "info blocking-rewrite"),
        ("REINDEX TABLE orders;", "error blocking-index-build"),
        ("REINDEX INDEX orders_total_idx;", "error blocking-index-build"),
        ("CLUSTER;", "error blocking-rewrite"),
        ("VACUUM FULL;", "error blocking-rewrite"),
        ("VACUUM FULL orders;", "error blocking-rewrite"),
    ] {
        let (lines, report) = check(sql);
        assert_eq!(lines, [expected], "{sql}: {report:#}");
        let evidence = report["findings"][0]["evidence"].to_string();
        assert!(evidence.contains("assumed"), "{sql}: {evidence}");
    }
}

#[test]
fn what_is_put_back_is_no_loss() {
    for sql in [
        "DROP EXTENSION pgcrypto;\nCREATE EXTENSION pgcrypto;",
        "DROP PUBLICATION p;\nCREATE PUBLICATION p;",
        "ALTER TABLE orders DROP CONSTRAINT total_positive, ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;",
        "BEGIN;\nALTER TABLE orders DISABLE TRIGGER ALL;\nALTER TABLE orders ENABLE TRIGGER ALL;\nCOMMIT;",
        "BEGIN;\nALTER TABLE orders DISABLE ROW LEVEL SECURITY;\nALTER TABLE orders ENABLE ROW LEVEL SECURITY;\nCOMMIT;",
        "CREATE SEQUENCE numbers;\nALTER SEQUENCE numbers RESTART WITH 5;",
        "CREATE EXTENSION pgcrypto;\nDROP EXTENSION pgcrypto;",
        "ALTER TABLE orders ADD COLUMN place geometry;",
        "ALTER TABLE orders ADD COLUMN mail citext;",
    ] {
        let (lines, report) = check(sql);
        let lines: Vec<&String> =
            lines.iter().filter(|line| !line.contains("tightened") && !line.contains("ambiguous")).collect();
        assert!(lines.is_empty(), "{sql}: {report:#}");
    }
}

#[test]
fn a_routine_that_was_only_named_is_not_compared() {
    for sql in [
        "DROP FUNCTION IF EXISTS price(int);\nCREATE FUNCTION price(item int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';",
        "DROP FUNCTION price;\nCREATE FUNCTION price(item int, day date) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';",
        "DROP FUNCTION price(int);\nCREATE FUNCTION price(item int) RETURNS TABLE (a int, b int) LANGUAGE sql AS 'SELECT 1, 2';",
        "DROP FUNCTION price(int);\nCREATE FUNCTION price(item int) RETURNS void LANGUAGE sql AS 'SELECT 1';",
        "DROP PROCEDURE IF EXISTS fill;\nCREATE PROCEDURE fill(day date) LANGUAGE sql AS 'SELECT 1';",
    ] {
        let (lines, report) = check(sql);
        assert!(lines.is_empty(), "{sql}: {report:#}");
    }
    let taken =
        "DROP FUNCTION price(text);\nCREATE FUNCTION price(item int) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0';";
    assert_eq!(check(taken).0, ["error changed-routine"]);
    assert_eq!(check("DROP FUNCTION price;").0.len(), 1);
}

#[test]
fn nothing_is_claimed_that_takes_knowledge() {
    let (_, report) = check("ALTER TABLE orders ADD CONSTRAINT n NOT NULL total NOT VALID;");
    let messages = report["findings"].to_string();
    assert!(!messages.contains("and has no default"), "{messages}");
    let (lines, report) = check("ALTER TABLE days ATTACH PARTITION monday FOR VALUES FROM (1) TO (2);");
    assert_eq!(lines, ["error blocking-scan", "info blocking-scan"], "{report:#}");
}

#[test]
fn a_known_past_is_no_guess() {
    let past =
        "CREATE TABLE orders (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, total int CHECK (total > 0));\n";
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(["check", "--no-config", "--format", "json", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = format!(
        "{past}SET lock_timeout = '2s';\nCLUSTER;\nVACUUM FULL;\nALTER TABLE orders ALTER COLUMN id RESTART WITH 9;"
    );
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let text = report["findings"].to_string();
    assert!(!text.contains("every table") && !text.contains("restarted-sequence"), "{text}");
}

#[test]
fn a_primary_key_of_another_name_takes_the_place_of_a_dropped_one() {
    let message = |sql: &str| check(sql).1["findings"][0]["message"].as_str().unwrap().to_owned();
    let dropped = "ALTER TABLE counters DROP CONSTRAINT IF EXISTS counters_pkey;";
    assert!(message(dropped).contains("logical replication need it"));
    let replaced =
        message(&format!("{dropped}\nALTER TABLE counters ADD CONSTRAINT owner_key PRIMARY KEY (owner, name);"));
    assert!(replaced.contains("owner_key is the primary key now") && !replaced.contains("replication"), "{replaced}");
}

#[test]
fn a_character_that_does_not_show_is_named() {
    for (sql, named) in [
        ("DROP TABLE IF EXISTS a;\u{a0}\n", "U+00A0, a no-break space,"),
        ("ALTER TABLE b\u{a0}ADD c int;", "U+00A0"),
        ("ALTER\u{3000}TABLE b ADD c int;", "U+3000 is in it"),
        ("CREATE\u{200b} TABLE b (c int);", "U+200B, a space of no width,"),
    ] {
        let (_, report) = check(&format!("CREATE TABLE z (id int PRIMARY KEY);\nSELECT 1;\n{sql}"));
        let unread = report["findings"].as_array().unwrap().iter().find(|it| it["rule"] == "unreadable-statement");
        let evidence = unread.unwrap_or_else(|| panic!("{sql:?}: {report:#}"))["evidence"].to_string();
        assert!(evidence.contains(named) && evidence.contains("a letter of a name"), "{sql:?}: {evidence}");
    }
    let report = check("SELECT 1;\nSELECT 1;\nALTER THING b ADD c int;").1.to_string();
    assert!(!report.contains("a letter of a name"), "{report}");
}

#[test]
fn what_a_statement_changes_is_not_all_there_was() {
    for sql in [
        "ALTER TYPE mood ADD VALUE 'glad' AFTER 'sad';",
        "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad' BEFORE 'sad';",
        "ALTER TYPE mood ADD VALUE 'glad'; ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
        "ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;",
    ] {
        let (lines, report) = check(sql);
        let fails = lines.iter().any(|line| line.contains("refused-statement") || line.contains("missing-object"));
        assert!(!fails, "{sql}: {report:#}");
    }
}

/// Whatever was there before, what the file itself drops or renames is not there afterwards.
#[test]
fn what_a_file_takes_away_is_gone_for_the_rest_of_it() {
    for (sql, missing) in [
        ("DROP TABLE orders;\nDELETE FROM orders;", true),
        ("DROP TABLE IF EXISTS orders;\nALTER TABLE orders ADD COLUMN note text;", true),
        ("ALTER TABLE orders RENAME TO sales;\nSELECT 1 FROM orders;", true),
        ("ALTER TABLE shop.orders SET SCHEMA old;\nDROP TABLE shop.orders;", true),
        ("DROP TABLE orders;\nCREATE TABLE orders (id bigint PRIMARY KEY);\nSELECT id FROM orders;", false),
        ("ALTER TABLE orders RENAME TO sales;\nALTER TABLE sales RENAME TO orders;\nSELECT 1 FROM orders;", false),
        ("DROP TABLE shop.orders;\nSELECT 1 FROM orders;", false),
        ("DROP TABLE orders;\nSET search_path = shop, public;\nSELECT 1 FROM orders;", false),
        ("BEGIN;\nDROP TABLE orders;\nROLLBACK;\nSELECT 1 FROM orders;", false),
        ("DO $$ BEGIN IF random() < 0.5 THEN DROP TABLE orders; END IF; END $$;\nSELECT 1 FROM orders;", false),
        ("DROP TABLE orders;\nDO $$ BEGIN EXECUTE current_setting('a.b'); END $$;\nSELECT 1 FROM orders;", false),
    ] {
        let (lines, report) = check(sql);
        assert_eq!(lines.contains(&"error missing-object".to_owned()), missing, "{sql}: {report:#}");
        assert!(!missing || !lines.contains(&"error removed-rows".to_owned()), "{sql}: {report:#}");
    }
}

#[test]
fn a_table_that_is_made_after_it_was_used_loses_nothing() {
    let (found, _) = check("ALTER TABLE a ADD COLUMN z int;\nCREATE TABLE a (id bigint PRIMARY KEY);");
    assert!(!found.iter().any(|line| line.contains("dropped-object")), "{found:?}");
}
