//! `pgassay fix`: what is written for each tool, and that a second check finds no error that it could have answered.

mod together;
mod waiting;

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::since::Repository;

/// What every project starts with.
const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text NOT NULL);\n";

/// A new migration with something to keep, an index, a proof, and something to keep again.
const CHANGES: &str = "ALTER TABLE orders ADD COLUMN state text;\n\n-- Looked up by the shop.\nCREATE INDEX orders_customer_id_idx ON orders (customer_id);\nALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;\nCREATE TABLE refunds (id bigint PRIMARY KEY);\n";

const BACK: &str = "DROP TABLE refunds;\nALTER TABLE orders ALTER COLUMN customer_id DROP NOT NULL;\nDROP INDEX orders_customer_id_idx;\nALTER TABLE orders DROP COLUMN state;\n";

/// A branch with files that are new; what is on main ran.
fn branch(old: &[(&str, &str)], new: &[(&str, &str)]) -> Repository {
    let repository = Repository::new();
    old.iter().for_each(|(path, text)| repository.write(path, text));
    repository.commit("old");
    repository.git(&["checkout", "-q", "-b", "branch"]);
    new.iter().for_each(|(path, text)| repository.write(path, text));
    repository.commit("new");
    repository
}

fn pgassay(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pgassay")).current_dir(folder).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files that differ from main, with their texts.
fn written(repository: &Repository) -> String {
    let path = repository.path();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(path).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    repository.git(&["add", "-A"]);
    let mut text = String::new();
    for line in git(&["diff", "--cached", "--name-status", "--no-renames", "main"]).lines() {
        let (status, name) = line.split_once('\t').unwrap();
        writeln!(text, "==== {name}{}", if status == "D" { " (gone)" } else { "" }).unwrap();
        if status != "D" {
            text.push_str(&std::fs::read_to_string(path.join(name)).unwrap());
        }
    }
    text
}

/// The rules of the errors that a check of the branch finds.
fn errors(repository: &Repository) -> Vec<String> {
    let output = pgassay(repository.path(), &["check", "--format", "json", "--since", "main"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let mut found: Vec<String> = json["errors"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let all = json["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    found.extend(all.map(|finding| format!("{}: {}", finding["rule"].as_str().unwrap(), finding["message"])));
    found
}

/// Runs `fix` on a branch, dry first; what it says and what it leaves.
fn fixed(old: &[(&str, &str)], new: &[(&str, &str)]) -> (Repository, String) {
    let repository = branch(old, new);
    let before = written(&repository);
    let dry = pgassay(repository.path(), &["fix", "--since", "main", "--dry-run"]);
    assert_eq!(written(&repository), before, "a dry run writes nothing");
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert_eq!(dry.status.code(), output.status.code());
    assert_eq!(stderr(&dry), stderr(&output));
    let shown = String::from_utf8(dry.stdout).unwrap();
    assert!(shown.lines().any(|line| line.starts_with("+++ ")) || shown.is_empty(), "{shown}");
    let after = written(&repository);
    let again = pgassay(repository.path(), &["fix", "--since", "main", "--dry-run"]);
    let again = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(again, "", "a second run has nothing left to write");
    (repository, format!("{}\n{after}", stderr(&output)))
}

/// A tool for which everything is written, and a second check has nothing to say.
macro_rules! tool {
    ($test:ident, [$($old:expr),* $(,)?], [$($new:expr),* $(,)?]) => {
        #[test]
        fn $test() {
            let (repository, text) = fixed(&[$($old),*], &[$($new),*]);
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(concat!("fix_", stringify!($test)), text);
            });
            assert_eq!(errors(&repository), [""; 0]);
        }
    };
}

fn joined(parts: &[&str]) -> &'static str {
    Box::leak(parts.concat().into_boxed_str())
}

const SQLX: (&str, &str) = ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nsqlx = \"0.8\"\n");

tool!(
    sqlx,
    [
        SQLX,
        ("migrations/20240101000000_orders.up.sql", ORDERS),
        ("migrations/20240101000000_orders.down.sql", "DROP TABLE orders;\n")
    ],
    [("migrations/20240201000000_state.up.sql", CHANGES), ("migrations/20240201000000_state.down.sql", BACK)]
);

tool!(
    sqlx_one_way,
    [SQLX, ("migrations/0001_orders.sql", ORDERS)],
    [
        ("migrations/0002_state.sql", CHANGES),
        ("migrations/0003_later.sql", "CREATE TABLE later (id bigint PRIMARY KEY);\n")
    ]
);

tool!(
    diesel,
    [
        ("diesel.toml", "[print_schema]\nfile = \"src/schema.rs\"\n"),
        ("migrations/2024-01-10-093000_orders/up.sql", ORDERS),
        ("migrations/2024-01-10-093000_orders/down.sql", "DROP TABLE orders;\n"),
    ],
    [("migrations/2024-02-10-235959_state/up.sql", CHANGES), ("migrations/2024-02-10-235959_state/down.sql", BACK)]
);

tool!(
    golang_migrate,
    [
        ("go.mod", "module a\n"),
        ("db/migrations/000001_orders.up.sql", ORDERS),
        ("db/migrations/000001_orders.down.sql", "DROP TABLE orders;\n"),
    ],
    [("db/migrations/000002_state.up.sql", CHANGES), ("db/migrations/000002_state.down.sql", BACK)]
);

tool!(
    goose,
    [("migrations/00001_orders.sql", joined(&["-- +goose Up\n", ORDERS, "-- +goose Down\nDROP TABLE orders;\n"]))],
    [(
        "migrations/00002_state.sql",
        joined(&["-- The state of an order.\n-- +goose Up\n", CHANGES, "\n-- +goose Down\n", BACK])
    )]
);

tool!(
    dbmate,
    [(
        "db/migrations/20240110093000_orders.sql",
        joined(&["-- migrate:up\n", ORDERS, "\n-- migrate:down\nDROP TABLE orders;\n"])
    )],
    [("db/migrations/20240210235959_state.sql", joined(&["-- migrate:up\n", CHANGES, "\n-- migrate:down\n", BACK]))]
);

tool!(
    sql_migrate,
    [("migrations/1_orders.sql", joined(&["-- +migrate Up\n", ORDERS, "\n-- +migrate Down\nDROP TABLE orders;\n"]))],
    [("migrations/2_state.sql", joined(&["-- +migrate Up\n", CHANGES, "\n-- +migrate Down\n", BACK]))]
);

tool!(
    tern,
    [("migrations/001_orders.sql", joined(&[ORDERS, "\n---- create above / drop below ----\n\nDROP TABLE orders;\n"]))],
    [("migrations/002_state.sql", joined(&[CHANGES, "\n---- create above / drop below ----\n\n", BACK]))]
);

tool!(
    postgres_migrations,
    [
        ("package.json", "{ \"dependencies\": { \"postgres-migrations\": \"^5\" } }\n"),
        ("migrations/1_orders.sql", ORDERS)
    ],
    [("migrations/2_state.sql", CHANGES)]
);

tool!(
    postgrator,
    [("migrations/001.do.orders.sql", ORDERS), ("migrations/001.undo.orders.sql", "DROP TABLE orders;\n")],
    [("migrations/002.do.state.sql", CHANGES), ("migrations/002.undo.state.sql", BACK)]
);

tool!(
    yoyo,
    [("migrations/0001.orders.sql", joined(&["-- depends:\n\n", ORDERS]))],
    [
        ("migrations/0002.state.sql", joined(&["-- depends: 0001.orders\n\n", CHANGES])),
        ("migrations/0002.state.rollback.sql", BACK)
    ]
);

const SHMIG: &str = "-- ====  UP  ====\n\n";

tool!(
    shmig,
    [("migrations/1-orders.sql", joined(&[SHMIG, ORDERS, "\n-- ==== DOWN ====\n\nDROP TABLE orders;\n"]))],
    [("migrations/2-state.sql", joined(&[SHMIG, "BEGIN;\n", CHANGES, "COMMIT;\n\n-- ==== DOWN ====\n\n", BACK]))]
);

tool!(
    rambler,
    [("migrations/1_orders.sql", joined(&["-- rambler up\n\n", ORDERS, "\n-- rambler down\n\nDROP TABLE orders;\n"]))],
    [("migrations/2_state.sql", joined(&["-- rambler up\n\n", CHANGES, "\n-- rambler down\n\n", BACK]))]
);

tool!(
    play,
    [("conf/evolutions/default/1.sql", joined(&["# --- !Ups\n", ORDERS, "\n# --- !Downs\nDROP TABLE orders;\n"]))],
    [("conf/evolutions/default/2.sql", joined(&["# --- !Ups\n", CHANGES, "\n# --- !Downs\n", BACK]))]
);

tool!(
    flyway,
    [
        ("db/migration/V1__orders.sql", ORDERS),
        ("db/migration/V1.1__lines.sql", "CREATE TABLE lines (id bigint PRIMARY KEY);\n")
    ],
    [
        ("db/migration/V2__state.sql", CHANGES),
        ("db/migration/V3__later.sql", "CREATE TABLE later (id bigint PRIMARY KEY);\n")
    ]
);

tool!(
    prisma,
    [
        ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
        ("prisma/migrations/20240110093000_orders/migration.sql", ORDERS),
    ],
    [("prisma/migrations/20240210093000_state/migration.sql", CHANGES)]
);

tool!(
    supabase,
    [("supabase/migrations/20240110093000_orders.sql", ORDERS)],
    [("supabase/migrations/20240210093000_state.sql", CHANGES)]
);

tool!(
    atlas,
    [("migrations/20240110093000_orders.sql", ORDERS), ("migrations/atlas.sum", "h1:x\n")],
    [("migrations/20240210093000_state.sql", CHANGES)]
);

tool!(
    liquibase,
    [(
        "changes/orders.sql",
        joined(&["--liquibase formatted sql\n\n--changeset ann:orders\n", ORDERS, "--rollback DROP TABLE orders;\n"])
    )],
    [(
        "changes/state.sql",
        joined(&[
            "--liquibase formatted sql\n\n--changeset ann:state labels:shop\n",
            CHANGES,
            "--rollback DROP TABLE refunds;\n--rollback ALTER TABLE orders DROP COLUMN state;\n\n--changeset ann:more\nCREATE TABLE more (id bigint PRIMARY KEY);\n"
        ])
    )]
);

tool!(
    plain,
    [("migrations/001_orders.sql", ORDERS)],
    [
        ("migrations/002_state.sql", CHANGES),
        (
            "migrations/003_block.sql",
            joined(&[
                "BEGIN;\nSET LOCAL lock_timeout = '3s';\nCREATE INDEX orders_state_idx ON orders (state);\nALTER TABLE orders ADD COLUMN a int;\nCOMMIT;\n"
            ])
        )
    ]
);

#[test]
fn refinery_is_told_what_it_cannot_do() {
    let cargo = ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nrefinery = \"0.8\"\n");
    let old = [cargo, ("migrations/V1__orders.sql", ORDERS)];
    let (_, text) = fixed(&old, &[("migrations/V2__state.sql", CHANGES)]);
    assert!(text.contains("refinery has no way to run it outside of a transaction"), "{text}");
    assert!(text.contains("left: error[blocking-index-build]"), "{text}");
    assert!(text.contains("VALIDATE CONSTRAINT orders_customer_id_not_null;\n==== migrations/V"), "{text}");
    assert!(text.contains("==== migrations/V5__state_4.sql"), "{text}");
}

#[test]
fn what_ran_before_is_never_touched() {
    let old = [SQLX, ("migrations/0001_orders.sql", ORDERS), ("migrations/0002_state.sql", CHANGES)];
    let repository = branch(&old, &[("migrations/0003_more.sql", "CREATE TABLE more (id bigint PRIMARY KEY);\n")]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "nothing to fix in 1 new migration\n");
    assert!(!written(&repository).contains("0002"));
}

#[test]
fn numbers_that_are_taken_are_not_taken_twice() {
    let repository = branch(
        &[
            SQLX,
            ("migrations/0001_orders.sql", ORDERS),
            ("migrations/0003_late.sql", "CREATE TABLE late (id bigint);\n"),
        ],
        &[("migrations/0002_state.sql", CHANGES)],
    );
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("no number is left before it, and it ran before"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_chain_of_hashes_is_left_alone() {
    let head = "--! Previous: -\n--! Hash: sha1:aa\n\n";
    let old = [("migrations/committed/000001.sql", joined(&[head, ORDERS]))];
    let next = joined(&["--! Previous: sha1:aa\n--! Hash: sha1:bb\n\n", CHANGES]);
    let repository = branch(&old, &[("migrations/committed/000002.sql", next)]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("write the steps into current.sql"), "{}", stderr(&output));
    assert!(!written(&repository).contains("CONCURRENTLY"), "{}", written(&repository));
}

#[test]
fn a_do_block_stays_whole() {
    let block = "SET lock_timeout = '2s';\nDO $$ BEGIN\n    UPDATE orders SET customer_id = 0 WHERE customer_id IS NULL;\n    ALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;\nEND $$;\n";
    let guarded = "SET lock_timeout = '2s';\nDO $$ BEGIN IF (SELECT count(*) FROM orders) > 5 THEN CREATE INDEX ON orders (customer_id); END IF; END $$;\n";
    for text in [block, guarded] {
        let repository = branch(&[("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_block.sql", text)]);
        let output = pgassay(repository.path(), &["fix", "--since", "main"]);
        assert!(stderr(&output).contains("DO block") || stderr(&output).contains("condition"), "{}", stderr(&output));
        assert!(written(&repository).contains(text), "{}", written(&repository));
    }
}

#[test]
fn what_cannot_be_read_is_left_and_said() {
    let text = "SET lock_timeout = '2s';\nALTER TABLE orders FROB;\nALTER TABLE orders ALTER COLUMN customer_id SET NOT NULL;\n";
    let repository = branch(&[("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_frob.sql", text)]);
    let output = pgassay(repository.path(), &["fix", "--since", "main"]);
    assert!(stderr(&output).contains("could not be read"), "{}", stderr(&output));
    assert!(written(&repository).contains("ALTER TABLE orders FROB;"), "{}", written(&repository));
}

#[test]
fn it_asks_what_is_new() {
    let repository = branch(&[SQLX, ("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_state.sql", CHANGES)]);
    let output = pgassay(repository.path(), &["fix"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("give --since REF, name their files, or --all"), "{}", stderr(&output));
    let output = pgassay(repository.path(), &["fix", "migrations/0002_state.sql"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(repository.path().join("migrations/0003_state_2.sql").exists());
    assert!(
        written(&repository).contains("-- Looked up by the shop.\nCREATE INDEX CONCURRENTLY orders_customer_id_idx")
    );
}

#[test]
fn a_limit_alone_is_a_line_and_the_rest_stays() {
    let goose = "-- +goose Up\n-- +goose NO TRANSACTION\n\n-- Two at once.\n-- +goose StatementBegin\nALTER TABLE orders ADD COLUMN a int;\nALTER TABLE orders ADD COLUMN b int;\n-- +goose StatementEnd\n\n-- +goose Down\n-- +goose NO TRANSACTION\nSELECT 1;\n";
    let old = [("migrations/00001_orders.sql", joined(&["-- +goose Up\n", ORDERS]))];
    let (repository, text) = fixed(&old, &[("migrations/00002_two.sql", goose)]);
    let limited = goose.replacen("\n\n-- Two", "\nSET lock_timeout = '2s';\n\n-- Two", 1);
    assert!(text.ends_with(&limited), "{text}");
    assert_eq!(errors(&repository), [""; 0]);

    let alone = "-- no-transaction\n-- Why.\nALTER TABLE orders ADD COLUMN a int;\n";
    let (_, text) = fixed(&[SQLX, ("migrations/0001_orders.sql", ORDERS)], &[("migrations/0002_a.sql", alone)]);
    assert!(
        text.ends_with(
            "-- no-transaction\nSET LOCAL lock_timeout = '2s';\n-- Why.\nALTER TABLE orders ADD COLUMN a int;\n"
        ),
        "{text}"
    );
}

#[test]
fn what_was_outside_a_transaction_stays_there() {
    let goose = "-- +goose NO TRANSACTION\n-- +goose Up\nALTER TABLE orders ADD COLUMN a int;\nCREATE INDEX orders_a_idx ON orders (customer_id);\nALTER TABLE orders ADD COLUMN b int;\n";
    let old = [("migrations/00001_orders.sql", joined(&["-- +goose Up\n", ORDERS]))];
    let (repository, text) = fixed(&old, &[("migrations/00002_two.sql", goose)]);
    assert_eq!(text.matches("-- +goose NO TRANSACTION").count(), 3, "{text}");
    assert_eq!(text.matches("SET lock_timeout = '2s';\n").count(), 2, "{text}");
    assert_eq!(text.matches("RESET lock_timeout;\n").count(), 2, "{text}");
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn the_names_of_flyways_settings_go_on() {
    let old = [
        ("flyway.conf", "flyway.sqlMigrationPrefix=M\nflyway.locations=filesystem:db/migration\n"),
        ("db/migration/M20240101__orders.sql", ORDERS),
    ];
    let (repository, text) = fixed(&old, &[("db/migration/M20240102__new.sql", CHANGES)]);
    assert!(text.contains("==== db/migration/M20240102.1__new_2.sql"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
}

#[test]
fn a_byte_order_mark_is_in_no_file_that_is_written() {
    let with_mark = |text: &str| joined(&["\u{feff}", text]);
    let old =
        [SQLX, ("migrations/0001_orders.up.sql", ORDERS), ("migrations/0001_orders.down.sql", "DROP TABLE orders;\n")];
    let new = [("migrations/0002_new.up.sql", with_mark(CHANGES)), ("migrations/0002_new.down.sql", with_mark(BACK))];
    let (repository, text) = fixed(&old, &new);
    let files = text.split_once("====").map_or("", |(_, files)| files);
    assert!(!files.contains('\u{feff}') && files.contains("DROP TABLE refunds"), "{text}");
    assert_eq!(errors(&repository), [""; 0]);
    let (_, text) =
        fixed(&old, &[("migrations/0002_new.up.sql", with_mark("ALTER TABLE orders ADD COLUMN a int;\r\n"))]);
    assert!(text.contains("up.sql\nSET LOCAL lock_timeout = '2s';\r\nALTER TABLE"), "{text:?}");
}
