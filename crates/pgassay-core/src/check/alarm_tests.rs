//! Migrations that run without harm, each beside one that does not.

use super::judged::judged;

/// Which of the findings of a rule the migration has: their messages.
fn told(rule: &str, given: &str, migration: &str) -> Vec<String> {
    let report = judged(given, migration).0;
    report.findings.iter().filter(|it| it.rule.name == rule).map(|it| it.message.clone()).collect()
}

const MOOD: &str = "CREATE TYPE mood AS ENUM ('calm', 'glad'); CREATE DOMAIN temper AS mood;
    CREATE TABLE guest (id bigint PRIMARY KEY, now mood, past mood[], t temper, note varchar);";

fn in_one_transaction(migration: &str) -> Vec<String> {
    let migration = format!("BEGIN; ALTER TYPE mood ADD VALUE 'sad'; {migration}; COMMIT;");
    told("enum-value-before-commit", MOOD, &migration)
}

#[test]
fn a_literal_of_another_type_is_no_label() {
    for migration in [
        "UPDATE guest SET note = 'sad' WHERE now = 'glad'",
        "INSERT INTO guest (id, now, note) VALUES (1, 'glad', 'sad')",
        "INSERT INTO guest (id, note) SELECT id, 'sad' FROM guest",
        "DELETE FROM guest WHERE note IN ('sad', 'other')",
        "DELETE FROM guest WHERE now::text = 'sad'",
        "UPDATE guest SET note = upper(note) || 'sad', now = coalesce(now, 'glad')",
        "UPDATE guest SET note = CASE WHEN now = 'glad' THEN 'sad' ELSE 'x' END",
        "CREATE VIEW v AS SELECT id FROM guest WHERE note = 'sad'",
        "ALTER TABLE guest ALTER note SET DEFAULT 'sad'",
        "ALTER TABLE guest ADD COLUMN word text DEFAULT 'sad', ADD CHECK (word <> 'sad')",
        "CREATE TABLE other (m mood, note text DEFAULT 'sad' CHECK (note <> 'sad'))",
        "CREATE INDEX i ON guest (id) WHERE note = 'sad'",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM guest WHERE note = 'sad' $$",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM guest WHERE now = 'sad'); END $$",
        "COMMENT ON TYPE mood IS 'sad'",
    ] {
        assert_eq!(in_one_transaction(migration), [""; 0], "{migration}");
    }
}

#[test]
fn a_literal_of_the_type_is_the_label() {
    for migration in [
        "UPDATE guest SET note = 'sad' WHERE now = 'sad'",
        "INSERT INTO guest (id, now) VALUES (1, 'sad')",
        "INSERT INTO guest (id, t) VALUES (1, 'sad')",
        "UPDATE guest SET past = '{calm,sad}'",
        "DELETE FROM guest WHERE now IN ('calm', 'sad')",
        "UPDATE guest SET now = CASE WHEN note = 'x' THEN 'sad' ELSE now END",
        "SELECT 'sad'::mood",
        "CREATE VIEW v AS SELECT id FROM guest WHERE now = 'sad'",
        "ALTER TABLE guest ALTER now SET DEFAULT 'sad'",
        "ALTER TABLE guest ADD CHECK (now <> 'sad')",
        "CREATE TABLE other (m mood DEFAULT 'sad')",
        "CREATE INDEX i ON guest (id) WHERE now = 'sad'",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM guest WHERE now = 'sad' $$",
    ] {
        let found = in_one_transaction(migration);
        assert_eq!(found, ["fails: uses 'sad' of public.mood before it is committed"], "{migration}");
    }
}

#[test]
fn few_rows_are_looked_up_one_by_one() {
    const USERS: &str =
        "CREATE TABLE users (id bigint PRIMARY KEY); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';";
    let scans = |between: &str| {
        let migration = format!(
            "CREATE TABLE level (id int PRIMARY KEY, made_by bigint); INSERT INTO level VALUES (1, 1), (2, NULL); {between}
             ALTER TABLE level ADD FOREIGN KEY (made_by) REFERENCES users;"
        );
        told("blocking-scan", USERS, &migration)
    };
    assert_eq!(scans(""), [""; 0]);
    assert_eq!(scans("INSERT INTO level VALUES (3, 1); SELECT max(id) FROM level;"), [""; 0]);
    let reads = ["reads all of public.users under SHARE ROW EXCLUSIVE: writes wait until it is done"];
    assert_eq!(scans("INSERT INTO level SELECT id, id FROM users;"), reads);
    assert_eq!(scans("SELECT f();"), reads);
    assert_eq!(scans("DO $$ BEGIN FOR i IN 1..1000000 LOOP INSERT INTO level VALUES (i, i); END LOOP; END $$;"), reads);
    assert_eq!(
        told(
            "may-fail-on-rows",
            USERS,
            "CREATE TABLE a (u bigint); INSERT INTO a VALUES (1); ALTER TABLE a ADD FOREIGN KEY (u) REFERENCES users;"
        )
        .len(),
        1
    );
}

#[test]
fn a_joined_batch_is_a_batch() {
    const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, prefs jsonb);";
    let warned = |migration: &str| told("unbatched-backfill", USERS, migration).len();
    for batch in [
        "WITH b AS (SELECT id FROM users WHERE prefs IS NULL LIMIT 50 FOR UPDATE SKIP LOCKED) UPDATE users u SET prefs = '{}' FROM b WHERE b.id = u.id",
        "UPDATE users u SET prefs = '{}' FROM (SELECT id FROM users WHERE prefs IS NULL FETCH FIRST 50 ROWS ONLY) b WHERE u.id = b.id AND u.prefs IS NULL",
        "UPDATE users u SET prefs = v.prefs::jsonb FROM (VALUES (1, '{}'), (2, '[]')) AS v (id, prefs) WHERE v.id = u.id",
        "WITH gone AS (SELECT id FROM users LIMIT 9) DELETE FROM users USING gone g WHERE users.id = g.id",
    ] {
        assert_eq!(warned(batch), 0, "{batch}");
    }
    for all in [
        "WITH b AS (SELECT id FROM users WHERE prefs IS NULL) UPDATE users u SET prefs = '{}' FROM b WHERE b.id = u.id",
        "WITH b AS (SELECT id FROM users LIMIT 50) UPDATE users u SET prefs = '{}' FROM b WHERE u.prefs IS NULL",
        "WITH b AS (SELECT id FROM users LIMIT 50) UPDATE users u SET prefs = '{}' FROM b WHERE b.id = b.id",
        "UPDATE users u SET prefs = '{}' FROM users b WHERE b.id = u.id",
    ] {
        assert_eq!(warned(all), 1, "{all}");
    }
}

#[test]
fn the_default_collation_is_the_one_that_strings_have() {
    let builds = |given: &str, collation: &str| {
        let given = format!("CREATE TABLE product (sku varchar(32) {given} UNIQUE);");
        let migration = format!("ALTER TABLE product ALTER COLUMN sku TYPE varchar(32) {collation};");
        told("blocking-index-build", &given, &migration).len()
    };
    assert_eq!(builds("", "COLLATE \"default\""), 0);
    assert_eq!(builds("COLLATE \"default\"", ""), 0);
    assert_eq!(builds("", "COLLATE \"C\""), 1);
    assert_eq!(builds("COLLATE \"C\"", "COLLATE \"default\""), 1);
}
