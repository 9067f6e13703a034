//! Deploys that wait for code: what goes out first, and what the plan keeps for later.

use super::*;

#[test]
fn what_waits_for_code_is_a_deploy_of_its_own() {
    let drop = "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text, DROP COLUMN note;\n";
    let old = [SQLX, ("migrations/0001_orders.sql", ORDERS)];
    let (repository, first) = fixed(&old, &[("migrations/0002_note.sql", drop)]);
    assert_eq!(errors(&repository), [""; 0]);
    repository.commit("first");
    let waits = pgassay(repository.path(), &["fix", "--since", "main"]);
    let second = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    let after = format!(
        "{first}\n---- again\n{}\n---- deploy 2\n{}\n{}",
        stderr(&waits),
        stderr(&second),
        written(&repository)
    );
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("fix_waits_for_code", after);
    });
    assert!(!repository.path().join("pgassay-plan.json").exists());
}

#[test]
fn a_plan_that_cannot_be_read_is_an_error() {
    let repository = branch(&[SQLX, ("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_state.sql", CHANGES)]);
    repository.write("pgassay-plan.json", "{ \"version\": 9, \"plans\": [] }");
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("it has the form 9"), "{}", stderr(&output));
    assert!(!repository.path().join("migrations/0003_state_2.sql").exists());
}

/// Expand now, contract when the code is ready; each as often as it takes.
macro_rules! expand_and_contract {
    ($test:ident, $migration:expr) => {
        #[test]
        fn $test() {
            let old = [
                SQLX,
                ("migrations/0001_orders.up.sql", ORDERS),
                ("migrations/0001_orders.down.sql", "DROP TABLE orders;\n"),
            ];
            let new = [("migrations/0002_change.up.sql", $migration), ("migrations/0002_change.down.sql", "SELECT 'back';\n")];
            let (repository, first) = fixed(&old, &new);
            assert_eq!(errors(&repository), [""; 0]);
            repository.commit("first");
            repository.git(&["branch", "-f", "main"]);
            let second = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
            assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
            assert_eq!(errors(&repository), [""; 0]);
            let text = format!("{first}\n---- deploy 2\n{}\n{}", stderr(&second), written(&repository));
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(concat!("fix_", stringify!($test)), text);
            });
        }
    };
}

expand_and_contract!(renamed_column, "SET lock_timeout = '2s';\nALTER TABLE orders RENAME COLUMN note TO remark;\n");
expand_and_contract!(renamed_table, "ALTER TABLE orders RENAME TO purchases;\n");
expand_and_contract!(dropped_table, "DROP TABLE orders;\nCREATE TABLE baskets (id bigint PRIMARY KEY);\n");
expand_and_contract!(required_column, "ALTER TABLE orders ADD COLUMN email text NOT NULL;\n");

#[test]
fn a_new_type_is_a_swap_that_nothing_is_held_against() {
    let types = "ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric;\n";
    let (repository, text) =
        fixed(&[SQLX, ("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_type.sql", types)]);
    assert!(text.contains("WHILE FOUND LOOP"), "{text}");
    let found = errors(&repository);
    assert!(found.iter().all(|it| it.starts_with("changed-type:")), "{found:?}");
    // Also where each migration is a deploy of its own.
    let output = pgassay(repository.path(), &["check", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = json["findings"].as_array().unwrap();
    assert!(!all.iter().any(|it| it["rule"] == "renamed-object" && it["severity"] == "error"));
}

/// One transaction for all pending migrations: what has to commit first is a deploy of its own.
fn shared(old: &[(&str, &str)], path: &str, up: (&str, &str)) -> (Repository, String) {
    let text = joined(&[up.0, "ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;\n", up.1]);
    let (repository, mut said) = fixed(old, &[(path, text)]);
    for deploy in ["2", "3"] {
        repository.commit("out");
        repository.git(&["branch", "-f", "main"]);
        let output = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", deploy]);
        said.push_str(&format!("\n---- deploy {deploy}\n{}{}", stderr(&output), written(&repository)));
    }
    assert!(!repository.path().join("pgassay-plan.json").exists(), "{said}");
    (repository, said)
}

#[test]
fn drizzle_gets_a_deploy_each() {
    let journal = r#"{ "version": "7", "dialect": "postgresql", "entries": [
        { "idx": 0, "version": "7", "when": 1704879000000, "tag": "0000_orders", "breakpoints": true },
        { "idx": 1, "version": "7", "when": 1704879000001, "tag": "0001_required", "breakpoints": true }] }"#;
    let old = [("drizzle/0000_orders.sql", ORDERS), ("drizzle/meta/_journal.json", journal)];
    let (repository, said) = shared(&old, "drizzle/0001_required.sql", ("", ""));
    let text = std::fs::read_to_string(repository.path().join("drizzle/meta/_journal.json")).unwrap();
    let journal: Value = serde_json::from_str(&text).unwrap();
    let tags: Vec<&str> = journal["entries"].as_array().unwrap().iter().map(|it| it["tag"].as_str().unwrap()).collect();
    assert_eq!(tags, ["0000_orders", "0001_required", "0002_required_deploy2", "0003_required_deploy3"], "{said}");
    assert!(said.contains("\n--> statement-breakpoint\nALTER TABLE orders VALIDATE CONSTRAINT"), "{said}");
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn node_pg_migrate_gets_a_deploy_each() {
    let package = ("package.json", "{ \"dependencies\": { \"node-pg-migrate\": \"8\" } }\n");
    let old = [
        package,
        (
            "migrations/1704067200000_orders.sql",
            joined(&["-- Up Migration\n", ORDERS, "\n-- Down Migration\nDROP TABLE orders;\n"]),
        ),
    ];
    let down = "\n-- Down Migration\nALTER TABLE orders ALTER COLUMN customer_id DROP NOT NULL;\n";
    let (_, said) = shared(&old, "migrations/1706745600000_required.sql", ("-- Up Migration\n", down));
    assert!(said.contains("==== migrations/1706745600001_required_deploy2.sql\n-- Up Migration\n"), "{said}");
    assert!(
        said.contains("\n-- Down Migration\nALTER TABLE orders ALTER COLUMN customer_id DROP NOT NULL;\n"),
        "{said}"
    );
}

#[test]
fn what_needs_the_drop_waits_with_it() {
    let old = [
        SQLX,
        (
            "migrations/0001_kinds.sql",
            "CREATE TYPE kind AS ENUM ('a');\nCREATE TABLE orders (id bigint PRIMARY KEY, kind kind);\nCREATE TABLE lines (id bigint PRIMARY KEY);\n",
        ),
    ];
    let new = "CREATE TABLE before_it (id bigint);\nDROP TABLE orders;\nDROP TYPE kind;\nDROP TABLE lines;\n";
    let (repository, text) = fixed(&old, &[("migrations/0002_gone.sql", new)]);
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(repository.path().join("pgassay-plan.json")).unwrap()).unwrap();
    let pieces = plan["plans"][0]["deploys"][0]["pieces"].as_array().unwrap();
    let last = |piece: &Value| piece["statements"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    let order: Vec<String> = pieces.iter().map(last).collect();
    assert_eq!(order, ["DROP TABLE orders", "DROP TYPE kind", "DROP TABLE lines"], "{text}");
    assert!(
        text.contains("==== migrations/0002_gone.sql\nSET LOCAL lock_timeout = '2s';\nCREATE TABLE before_it"),
        "{text}"
    );
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn what_a_later_migration_needs_does_not_wait() {
    let old = [SQLX, ("migrations/0001_notes.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);\n")];
    let new = [
        ("migrations/0002_again.sql", "DROP TABLE notes;\nCREATE TABLE notes (id bigint PRIMARY KEY, owner text);\n"),
        ("migrations/0003_used.sql", "INSERT INTO notes (id, owner) VALUES (1, 'a');\n"),
    ];
    let (repository, text) = fixed(&old, &new);
    assert!(!repository.path().join("pgassay-plan.json").exists(), "{text}");
    assert!(text.contains("a later migration needs what it does: migrations/0003_used.sql"), "{text}");
}

#[test]
fn a_change_of_sqitch_waits_in_its_plan() {
    let plan = "%syntax-version=1.0.0\n%project=shop\n\norders 2024-01-10T09:30:00Z Ann <ann@example.com> # orders\n";
    let old = [("sqitch.plan", plan), ("deploy/orders.sql", ORDERS), ("revert/orders.sql", "DROP TABLE orders;\n")];
    let planned = format!("{plan}gone 2024-02-10T09:30:00Z Ben <ben@example.com> # no note\n");
    let new = [
        ("sqitch.plan", joined(&[&planned])),
        ("deploy/gone.sql", "-- Deploy shop:gone to pg\n\nBEGIN;\nALTER TABLE orders DROP COLUMN note;\nCOMMIT;\n"),
        (
            "revert/gone.sql",
            "-- Revert shop:gone from pg\n\nALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';\n",
        ),
        ("verify/gone.sql", "-- Verify shop:gone on pg\n\nSELECT id FROM orders LIMIT 0;\n"),
    ];
    let (repository, text) = fixed(&old, &new);
    let read = |name: &str| std::fs::read_to_string(repository.path().join(name)).unwrap_or_default();
    assert!(read("deploy/gone.sql").contains("note DROP NOT NULL;"), "{text}");
    assert!(!read("deploy/gone.sql").contains("DROP COLUMN"), "{text}");
    assert!(!read("revert/gone.sql").contains("ADD COLUMN"), "{text}");
    let output = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    assert!(read("deploy/gone_deploy2.sql").contains("ALTER TABLE orders DROP COLUMN note;"), "{output:?}");
    assert_eq!(
        read("revert/gone_deploy2.sql"),
        "-- Revert shop:gone_deploy2 from pg\n\nALTER TABLE orders ADD COLUMN note text NOT NULL DEFAULT '';\n"
    );
    assert!(read("verify/gone_deploy2.sql").contains("SELECT id FROM orders LIMIT 0;"));
    let last = read("sqitch.plan").lines().last().unwrap().to_owned();
    assert!(last.starts_with("gone_deploy2 [gone] ") && last.contains("Z Ben <ben@example.com> # once no "), "{last}");
    assert!(!repository.path().join("pgassay-plan.json").exists());
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_changeset_that_waits_goes_to_the_end_of_its_file() {
    let old = "--liquibase formatted sql\n\n--changeset ann:1\nCREATE TABLE orders (id bigint PRIMARY KEY, note text);\n--rollback DROP TABLE orders;\n";
    let new = format!(
        "{old}\n--changeset ben:2 labels:a\nALTER TABLE orders DROP COLUMN note;\n--rollback ALTER TABLE orders ADD COLUMN note text;\n\n--changeset ben:3\nCREATE TABLE later (id bigint PRIMARY KEY);\n--rollback DROP TABLE later;\n"
    );
    let (repository, _) = fixed(&[("changelog.sql", old)], &[("changelog.sql", joined(&[&new]))]);
    pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    let text = std::fs::read_to_string(repository.path().join("changelog.sql")).unwrap();
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
    assert!(at("--changeset ben:3") < at("--changeset ben:2-deploy2 labels:a"), "{text}");
    assert!(at("DROP COLUMN note;") < at("--rollback ALTER TABLE orders ADD COLUMN note text;"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn numbers_that_older_migrations_share_are_their_own_affair() {
    let old = [
        SQLX,
        ("migrations/0001_orders.sql", ORDERS),
        ("migrations/0002_a.sql", "CREATE TABLE a (id bigint);\n"),
        ("migrations/0002_b.sql", "CREATE TABLE b (id bigint);\n"),
    ];
    let (repository, text) = fixed(&old, &[("migrations/0003_state.sql", CHANGES)]);
    assert!(text.contains("==== migrations/0004_state_2.sql"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
}

const ENTRY: &str =
    "{ \"idx\": 0, \"version\": \"7\", \"when\": 1700000000000, \"tag\": \"0000_orders\", \"breakpoints\": true }";

/// Drizzle's, where all that is pending is one transaction: each piece of a change is a deploy.
fn drizzle(new: &str) -> Repository {
    let entry =
        ENTRY.replace(": 0,", ": 1,").replace("1700000000000", "1700000001000").replace("0000_orders", "0001_new");
    let journal =
        |entries: &str| format!("{{ \"version\": \"7\", \"dialect\": \"postgresql\", \"entries\": [{entries}] }}\n");
    let old = [
        ("drizzle.config.ts", "export default { dialect: \"postgresql\", out: \"./drizzle\" };\n"),
        ("drizzle/0000_orders.sql", ORDERS),
        ("drizzle/meta/_journal.json", joined(&[&journal(ENTRY)])),
    ];
    let both = journal(&format!("{ENTRY}, {entry}"));
    branch(&old, &[("drizzle/0001_new.sql", joined(&[new])), ("drizzle/meta/_journal.json", joined(&[&both]))])
}

/// The migrations that Drizzle's journal names.
fn tags(repository: &Repository) -> Vec<String> {
    let text = std::fs::read_to_string(repository.path().join("drizzle/meta/_journal.json")).unwrap();
    let journal: Value = serde_json::from_str(&text).unwrap();
    journal["entries"].as_array().unwrap().iter().map(|it| it["tag"].as_str().unwrap().to_owned()).collect()
}

const FOUR_DEPLOYS: &str = "ALTER TABLE orders ADD COLUMN email text;\n--> statement-breakpoint\nALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (customer_id > 0);\n--> statement-breakpoint\nALTER TABLE orders DROP COLUMN note;\n";

#[test]
fn each_deploy_of_a_plan_is_taken_up_in_its_turn() {
    let repository = drizzle(FOUR_DEPLOYS);
    for deploy in 1..=5 {
        let output = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", &deploy.to_string()]);
        assert_eq!(output.status.code(), Some(0), "deploy {deploy}: {}", stderr(&output));
        assert_eq!(errors(&repository), [""; 0], "deploy {deploy}");
        repository.git(&["add", "-A"]);
        repository.commit("deploy");
        repository.git(&["branch", "-f", "main"]);
    }
    assert_eq!(
        tags(&repository),
        ["0000_orders", "0001_new", "0002_new_deploy2", "0003_new_deploy3", "0004_new_deploy4", "0005_new_deploy5"]
    );
    let last = std::fs::read_to_string(repository.path().join("drizzle/0005_new_deploy5.sql")).unwrap();
    assert!(last.contains("DROP COLUMN note"), "{last}");
    assert!(!repository.path().join("pgassay-plan.json").exists());
}

#[test]
fn the_journal_names_all_deploys_that_are_written_at_once() {
    let repository = drizzle(FOUR_DEPLOYS);
    let output = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "3"]);
    assert_eq!(tags(&repository), ["0000_orders", "0001_new", "0002_new_2", "0003_new_3"], "{}", stderr(&output));
    assert!(repository.path().join("drizzle/0003_new_3.sql").exists());
}

#[test]
fn what_a_waiting_deploy_leaves_is_said_now() {
    let repository = drizzle(
        "ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (customer_id > 0);\n--> statement-breakpoint\nALTER TABLE orders RENAME COLUMN note TO remark;\n",
    );
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("left: error[renamed-object]"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_default_goes_once_code_writes_the_column() {
    let new = "ALTER TABLE orders ADD COLUMN kind text NOT NULL DEFAULT 'a';\nUPDATE orders SET kind = note;\nALTER TABLE orders ALTER COLUMN kind DROP DEFAULT;\n";
    let (repository, text) =
        fixed(&[SQLX, ("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_kind.sql", new)]);
    assert!(text.contains("deploy 2, once all running code writes kind: 1 migration"), "{text}");
    // Nothing was to commit with it: it is the filling of a new column.
    assert!(
        text.contains("UPDATE orders SET kind = note WHERE true AND id BETWEEN batch_from.id AND batch_to.id;"),
        "{text}"
    );
    assert_eq!(errors(&repository), [""; 0]);
    repository.commit("first");
    repository.git(&["branch", "-f", "main"]);
    let second = pgassay(repository.path(), &["fix", "--since", "main", "--deploy", "2"]);
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_type_goes_with_the_last_column_of_it() {
    let given = "CREATE TYPE kind AS ENUM ('a');\nCREATE TABLE orders (id bigint PRIMARY KEY, kind kind);\nDO $$ DECLARE it text; BEGIN FOR it IN SELECT relname FROM pg_class LOOP EXECUTE it; END LOOP; END $$;\n";
    let new = "ALTER TABLE orders DROP COLUMN kind;\nDROP TYPE kind;\nALTER TABLE orders ADD COLUMN note text;\n";
    let (repository, text) =
        fixed(&[SQLX, ("migrations/0001_orders.sql", given)], &[("migrations/0002_kind.sql", new)]);
    let (files, plan) = text.split_once("pgassay-plan.json\n{").unwrap_or_else(|| panic!("{text}"));
    assert!(files.contains("ADD COLUMN note") && !files.contains("DROP TYPE"), "{text}");
    assert!(plan.contains("DROP COLUMN kind") && plan.find("DROP COLUMN kind") < plan.find("DROP TYPE kind"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn what_a_fill_reads_fills_until_it_goes() {
    let given =
        "CREATE TABLE bookings (id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'new', customer text NOT NULL);\n";
    let old = [SQLX, ("migrations/0001_bookings.sql", given)];
    let new = "ALTER TABLE bookings ADD COLUMN paid boolean NOT NULL DEFAULT false;\n\
        UPDATE bookings SET paid = true WHERE state = 'paid';\nALTER TABLE bookings DROP COLUMN state;\n";
    let (repository, text) = fixed(&old, &[("migrations/0002_paid.sql", new)]);
    for expected in [
        "IF NEW.paid IS DISTINCT FROM false THEN RETURN NEW; END IF;",
        "ELSIF ROW(NEW.state)::text = ROW(OLD.state)::text THEN RETURN NEW;",
        "IF (SELECT state = 'paid' FROM (SELECT NEW.*) AS bookings) THEN",
        "SELECT true INTO NEW.paid FROM (SELECT NEW.*) AS bookings;",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(repository.path().join("pgassay-plan.json")).unwrap()).unwrap();
    let last = &plan["plans"][0]["deploys"][0]["pieces"][0]["statements"];
    assert_eq!(last[1], "DROP TRIGGER bookings_paid_sync ON bookings", "{plan}");
    assert_eq!(last[3], "ALTER TABLE bookings DROP COLUMN state", "{plan}");
}

#[test]
fn what_reads_a_lost_column_otherwise_keeps_the_migration_whole() {
    let given = "CREATE TABLE owners (name text PRIMARY KEY);\nCREATE TABLE bookings (id bigint PRIMARY KEY, customer text, note text);\n";
    let old = [SQLX, ("migrations/0001_bookings.sql", given)];
    for reader in [
        "INSERT INTO owners SELECT DISTINCT customer FROM bookings;",
        "UPDATE bookings b SET note = o.name FROM owners o WHERE o.name = b.customer;",
        "UPDATE owners SET name = (SELECT max(customer) FROM bookings);",
    ] {
        let new = format!("{reader}\nALTER TABLE bookings DROP COLUMN customer;\n");
        let (repository, text) = fixed(&old, &[("migrations/0002_gone.sql", &new)]);
        assert!(!repository.path().join("pgassay-plan.json").exists(), "{text}");
        assert!(text.contains("what running code writes to customer after it was read here would be lost"), "{text}");
    }
    let apart = "UPDATE bookings SET note = 'x' WHERE note IS NULL;\nALTER TABLE bookings DROP COLUMN customer;\n";
    let (repository, text) = fixed(&old, &[("migrations/0002_gone.sql", apart)]);
    assert!(repository.path().join("pgassay-plan.json").exists(), "{text}");
    assert!(!text.contains("_sync"), "{text}");
}

#[test]
fn a_default_comes_before_what_asks_for_values() {
    let old =
        [SQLX, ("migrations/0001_ports.sql", "CREATE TABLE ports (id bigint PRIMARY KEY, country text, code text);\n")];
    let new = "ALTER TABLE ports ALTER COLUMN country SET DEFAULT 'XX', ALTER COLUMN country SET NOT NULL;\n";
    let (_, text) = fixed(&old, &[("migrations/0002_country.sql", new)]);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(at("SET DEFAULT 'XX'") < at("CHECK (country IS NOT NULL) NOT VALID"), "{text}");
}

#[test]
fn each_half_of_a_statement_waits_for_its_own_code() {
    let old =
        [SQLX, ("migrations/0001_ports.sql", "CREATE TABLE ports (id bigint PRIMARY KEY, name text NOT NULL);\n")];
    let new = "ALTER TABLE ports ADD COLUMN first text;\nUPDATE ports SET first = split_part(name, ' ', 1);\n\
        ALTER TABLE ports ALTER COLUMN first SET NOT NULL, DROP COLUMN name;\n";
    let (repository, text) = fixed(&old, &[("migrations/0002_first.sql", new)]);
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(repository.path().join("pgassay-plan.json")).unwrap()).unwrap();
    let deploys = plan["plans"][0]["deploys"].as_array().unwrap();
    let once: Vec<&str> = deploys.iter().map(|deploy| deploy["once"].as_str().unwrap()).collect();
    assert_eq!(once, ["all running code writes first", "no running code reads or writes name"], "{text}");
}

#[test]
fn what_breaks_when_the_waiting_deploy_runs_is_left() {
    let given = "CREATE TABLE ships (id bigint PRIMARY KEY, status text);\n\
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 'x'; RETURN NEW; END $$;\n\
        CREATE TRIGGER ships_stamp BEFORE INSERT ON ships FOR EACH ROW EXECUTE FUNCTION stamp();\n";
    let old = [SQLX, ("migrations/0001_ships.sql", given)];
    let (_, text) = fixed(&old, &[("migrations/0002_state.sql", "ALTER TABLE ships RENAME COLUMN status TO state;\n")]);
    assert!(text.contains("left: error[broken-routine] trigger ships_stamp"), "{text}");
}

#[test]
fn a_value_that_must_fit_is_not_made_up() {
    let given = "CREATE TABLE owners (id bigint PRIMARY KEY);\nCREATE TABLE boats (id bigint PRIMARY KEY);\n";
    let old = [SQLX, ("migrations/0001_given.sql", given)];
    for demand in [
        "ALTER TABLE boats ADD COLUMN owner_id bigint NOT NULL REFERENCES owners (id);\n",
        "ALTER TABLE boats ADD COLUMN owner_id bigint NOT NULL;\nALTER TABLE boats ADD CONSTRAINT fk FOREIGN KEY (owner_id) REFERENCES owners (id);\n",
        "ALTER TABLE boats ADD COLUMN owner_id bigint NOT NULL CHECK (owner_id > 0);\n",
        "ALTER TABLE boats ADD COLUMN owner_id bigint NOT NULL;\nCREATE UNIQUE INDEX boats_owner ON boats (owner_id);\n",
        "ALTER TABLE boats ADD COLUMN owner_id bigint NOT NULL UNIQUE;\n",
    ] {
        let (_, text) = fixed(&old, &[("migrations/0002_owner.sql", demand)]);
        assert!(text.contains("ADD COLUMN owner_id bigint;") && !text.contains("DEFAULT 0"), "{demand}: {text}");
        assert!(
            text.contains("once all running code writes owner_id, and the rows that are there have a value"),
            "{text}"
        );
    }
}
