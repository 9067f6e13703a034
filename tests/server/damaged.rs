//! A catalog with objects that the server cannot print: each costs itself, and the report says which.

use std::collections::BTreeSet;
use std::process::Command;

use pgassay::db::{self, Limits, Parameters, Reading, Wanted};
use pgassay::facts::Values;
use pgassay::shadow::{Options, Server};
use tokio::runtime::Runtime;

const SCHEMA: &str = include_str!("damaged/schema.sql");

/// What is done to the catalog, and what of the DDL and of the report then names the object.
const DAMAGES: &[(&str, &str)] = &[
    ("DELETE FROM pg_proc WHERE proname = 'low'", "users_low"),
    ("DELETE FROM pg_proc WHERE proname = 'low'", "orders.note"),
    ("DELETE FROM pg_proc WHERE proname = 'low'", "public.v"),
    ("DELETE FROM pg_proc WHERE proname = 'okay'", "okay_c"),
    ("DELETE FROM pg_proc WHERE proname = 'okay'", "pol of public.orders"),
    ("DELETE FROM pg_proc WHERE proname = 'okay'", "r of public.orders"),
    ("DELETE FROM pg_proc WHERE proname = 'trg'", "t of public.users"),
    ("DELETE FROM pg_proc WHERE proname = 'cond'", "users_cond"),
    ("DELETE FROM pg_proc WHERE proname = 'domf'", "of public.dcheck"),
    ("DELETE FROM pg_proc WHERE proname = 'partf'", "public.parts"),
    ("DELETE FROM pg_operator WHERE oprname = '==='", "t of public.users"),
    ("DELETE FROM pg_type WHERE typname = 'color'", "public.users.c"),
    ("DELETE FROM pg_type WHERE typname = 'pair'", "public.users.p"),
    ("DELETE FROM pg_class WHERE relname = 'users'", "users_low"),
    ("DELETE FROM pg_class WHERE relname = 'v'", "public.vv"),
    ("DELETE FROM pg_attribute WHERE attrelid = 'v'::regclass", "public.v"),
    ("DELETE FROM pg_index WHERE indexrelid = 'users_pkey'::regclass", "users_pkey"),
    ("UPDATE pg_constraint SET confkey = '{77}' WHERE conname = 'orders_user_id_fkey'", "orders_user_id_fkey"),
    ("UPDATE pg_constraint SET conbin = NULL WHERE conname = 'okay_c'", "okay_c"),
    ("UPDATE pg_proc SET prolang = 999999 WHERE proname = 'okay'", "okay"),
    ("UPDATE pg_proc SET prorettype = 999999 WHERE proname = 'okay'", "okay"),
    ("UPDATE pg_proc SET proargtypes = '999999' WHERE proname = 'okay'", "okay"),
    ("UPDATE pg_class SET relam = 999999 WHERE relname = 'users_low'", "users_low"),
    ("UPDATE pg_trigger SET tgfoid = 999999 WHERE tgname = 't'", "t of public.users"),
    ("DELETE FROM pg_opclass WHERE opcname = 'oc'", "plain_oc"),
    ("DELETE FROM pg_enum", "users"),
];

struct Place {
    server: Server,
    runtime: Runtime,
}

impl Place {
    fn run(&self, database: &str, sql: &str) {
        self.runtime.block_on(async {
            let session = self.server.connect(database).await.expect("a session");
            session.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql:.200}"));
            session.close().await;
        });
    }

    fn read(&self, database: &str) -> Result<Reading, db::DbError> {
        let parameters = Parameters::read(&self.server.connection_string(database)).expect("parameters");
        let wanted = Wanted { values: Values::None, limits: Limits::default(), ..Wanted::default() };
        self.runtime.block_on(db::read(&parameters, wanted))
    }
}

fn started(installation: &pgassay::shadow::Installation) -> Place {
    let settings = vec![("allow_system_table_mods".to_owned(), "on".to_owned())];
    let server = Server::start(installation, &Options { settings, ..Options::default() })
        .unwrap_or_else(|error| panic!("{error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let place = Place { server, runtime };
    place.run("postgres", "CREATE DATABASE whole");
    place.run("whole", SCHEMA);
    place
}

#[test]
fn a_damaged_object_costs_itself() {
    for installation in crate::support::servers::of_versions(&[14, 18]) {
        let place = started(&installation);
        let version = installation.version();
        let lines = |ddl: &str| -> BTreeSet<String> { ddl.split(";\n").skip(1).map(str::to_owned).collect() };
        let whole = lines(&place.read("whole").unwrap_or_else(|error| panic!("{error}")).ddl);
        let mut missing = Vec::new();
        let kinds: BTreeSet<&str> = DAMAGES.iter().map(|(sql, _)| *sql).collect();
        for sql in kinds {
            place.run("postgres", "DROP DATABASE IF EXISTS damaged");
            place.run("postgres", "CREATE DATABASE damaged TEMPLATE whole");
            place.run("damaged", sql);
            let reading = place.read("damaged").unwrap_or_else(|error| panic!("{version}, {sql}: {error}"));
            let unread: Vec<String> = reading.facts.unread.iter().map(|it| format!("{it:?}")).collect();
            for (_, named) in DAMAGES.iter().filter(|(of, _)| *of == sql) {
                if !unread.iter().any(|it| it.contains(named)) {
                    missing.push(format!("{version}, {sql}: {named} is not in {unread:#?}"));
                }
            }
            let lost: Vec<&String> = {
                let left = lines(&reading.ddl);
                whole.iter().filter(|line| !left.contains(*line)).collect()
            };
            // The tables of others are all there, and most of what is on this one.
            assert!(lost.len() < 20 && !lost.iter().any(|it| it.contains("TABLE public.plain")), "{sql}: {lost:#?}");
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
    }
}

#[test]
fn commands_say_what_is_damaged() {
    let place = started(&crate::support::servers::newest());
    place.run("whole", "DELETE FROM pg_proc WHERE proname = 'low'");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("1.sql"), "ALTER TABLE plain ADD COLUMN x int;\n").expect("a file");
    let url = place.server.connection_string("whole");
    let commands: [&[&str]; 3] =
        [&["audit", "--no-config"], &["check", "--no-config", "1.sql"], &["snapshot", "--output", "it.snapshot"]];
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_pgassay"))
            .current_dir(folder.path())
            .args(command)
            .args(["--db", &url])
            .output()
            .expect("pgassay runs");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.code().is_some_and(|code| code < 2), "{command:?}: {said}");
        assert!(said.contains("damaged"), "{command:?}: {said}");
    }
}
