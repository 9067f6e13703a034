//! What a database, a role or a pooler sets changes no answer, and lets nothing be called or written.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Output;

use super::{Place, TRAPS, pgassay};
use pgassay::db::{self, Parameters};

/// Values whose text depends on a setting, and names that would be read otherwise.
const TABLES: &str = r"
    CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, born date DEFAULT '2024-02-03', seen timestamptz DEFAULT '2024-02-03 04:05:06+00',
        price numeric(10, 2) DEFAULT 1.5, picture bytea DEFAULT '\x00ff', note text DEFAULT 'it''s \ back', wait interval DEFAULT '1 day 02:00',
        score float8 DEFAULT 0.1, page xml);
    CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, total float8, state text CHECK (state IN ('new', 'a\b')));
    CREATE INDEX ON orders (state) WHERE total > 0.3;
    CREATE TABLE days (day date, n int) PARTITION BY RANGE (day);
    CREATE TABLE february PARTITION OF days FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON orders USING (customer_id > 10);
    INSERT INTO customers (id, email) SELECT i, 'a' || i || '@example.org' FROM generate_series(1, 500) i;
    INSERT INTO orders SELECT i, 1 + i % 500, i / 3.0, 'new' FROM generate_series(1, 2000) i;
    ANALYZE";

/// Each by itself, for the whole database.
const ODD: &[&[&str]] = &[
    &["standard_conforming_strings = off", "escape_string_warning = off", "backslash_quote = off"],
    &["search_path = hostile, public, pg_catalog"],
    &[
        "default_transaction_read_only = on",
        "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
    ],
    &[
        "statement_timeout = 1",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 1",
        "idle_session_timeout = 1",
    ],
    &[
        "bytea_output = escape",
        "extra_float_digits = -10",
        "xmloption = document",
        "xmlbinary = hex",
        "array_nulls = off",
    ],
    &["\"IntervalStyle\" = sql_standard", "\"DateStyle\" = 'SQL, DMY'", "\"TimeZone\" = 'Asia/Kathmandu'"],
    &["client_encoding = 'SQL_ASCII'", "quote_all_identifiers = on", "client_min_messages = debug5"],
    &[
        "client_encoding = 'LATIN1'",
        "row_security = off",
        "session_replication_role = replica",
        "transform_null_equals = on",
    ],
];

/// What is found, without what time and use make of it.
fn findings(output: &Output) -> BTreeSet<(String, String)> {
    let error = String::from_utf8_lossy(&output.stderr);
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|wrong| panic!("{wrong}: {error}"));
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(0), "{document:#}");
    let text = |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let all = document["findings"].as_array().expect("findings").iter();
    let all = all.filter(|it| !text(it, "message").contains("timeout") && !text(it, "object").contains("hostile"));
    all.map(|it| (text(it, "rule"), text(it, "object"))).collect()
}

fn reads(place: &Place) -> String {
    let parameters = Parameters::read(&place.url("postgres")).expect("parameters");
    let reading = place.runtime.block_on(db::read(&parameters, db::Wanted::default()));
    let ddl = reading.unwrap_or_else(|error| panic!("{error}")).ddl;
    // The first line says when.
    ddl.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

fn files(folder: &Path) -> (String, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    fs::create_dir(path("migrations")).expect("a folder");
    fs::write(path("migrations/1.sql"), "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);")
        .expect("a file");
    let queries = "-- calls: 100, mean: 20 ms\nSELECT * FROM orders WHERE customer_id = $1 AND state = 'a\\b';\n";
    fs::write(path("queries.sql"), queries).expect("a file");
    (path("migrations"), path("queries.sql"))
}

/// Every command that looks at a database.
fn commands<'a>(url: &'a str, migrations: &'a str, queries: &'a str, snapshot: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["audit", "--no-config", "--format", "json", "--db", url],
        vec!["audit", "--no-config", "--format", "json", "--sample", "--db", url],
        vec!["check", "--no-config", "--format", "json", "--db", url, migrations],
        vec!["queries", "--db", url, "--queries", queries, "--planner", "twin"],
        vec!["plan", "--db", url, "SELECT id FROM public.orders WHERE state = 'a\\b'"],
        vec!["snapshot", "--db", url, "-o", snapshot],
    ]
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn settings_change_no_answer() {
    for major in [15, 17] {
        let place = Place::on(major, &[], &["CREATE TABLE bait (i int)", TABLES]);
        let url = place.url("postgres");
        let folder = tempfile::tempdir().expect("a folder");
        let (migrations, queries) = files(folder.path());
        let snapshot = folder.path().join("snapshot").display().to_string();
        let all = commands(&url, &migrations, &queries, &snapshot);
        let plain = reads(&place);
        let found: Vec<_> = all[..3].iter().map(|it| findings(&pgassay(it))).collect();
        assert!(plain.contains("'2024-02-03'::date") && found.iter().all(|it| !it.is_empty()), "{plain}");
        // The limit counts from BEGIN on, and what lifts it takes a moment on a busy machine.
        let newer: &[&[&str]] = if major >= 17 { &[&["transaction_timeout = 20"]] } else { &[] };
        for settings in ODD.iter().chain(newer) {
            settings.iter().for_each(|it| place.run("postgres", &format!("ALTER DATABASE shop SET {it}")));
            let from = place.log_length();
            assert_eq!(reads(&place), plain, "{major}: {settings:?}");
            for (command, found) in all.iter().zip(&found) {
                assert_eq!(findings(&pgassay(command)), *found, "{major}: {settings:?}: {command:?}");
            }
            for command in &all[3..] {
                let output = pgassay(command);
                assert_eq!(output.status.code(), Some(0), "{major}: {settings:?}: {command:?}: {}", said(&output));
            }
            place.was_only_read(from);
            place.run("postgres", "ALTER DATABASE shop RESET ALL");
        }
    }
}

/// Names of its own are not found in a schema that the database's search_path has first.
#[test]
fn a_twin_reads_its_own_catalogs() {
    let hostile = "CREATE SCHEMA hostile;
        CREATE DOMAIN hostile.text AS pg_catalog.text CHECK (VALUE = 'no'); CREATE DOMAIN hostile.regclass AS pg_catalog.text CHECK (VALUE = 'no');
        CREATE FUNCTION hostile.never(oid, oid) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
        CREATE OPERATOR hostile.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = hostile.never);
        CREATE VIEW hostile.pg_class AS SELECT 1 AS oid";
    let place = Place::on(15, &[], &["CREATE TABLE bait (i int)", TABLES, hostile]);
    let folder = tempfile::tempdir().expect("a folder");
    let (_, queries) = files(folder.path());
    let url = place.url("postgres");
    let suggested = |settings: &str| {
        place.run("postgres", &format!("ALTER DATABASE shop {settings}"));
        let output =
            pgassay(&["queries", "--db", &url, "--queries", &queries, "--planner", "twin", "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        let indexes = report["indexes"].as_array().expect("indexes");
        indexes.iter().map(|index| index["definition"].to_string()).collect::<Vec<_>>()
    };
    let plain = suggested("RESET ALL");
    assert!(!plain.is_empty());
    assert_eq!(suggested("SET search_path = hostile, public, pg_catalog"), plain);
}

#[test]
fn a_login_trigger_that_writes_is_named() {
    let trigger = "CREATE TABLE logins (who text);
        CREATE FUNCTION note_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.logins VALUES (session_user); END $$;
        CREATE EVENT TRIGGER logins ON login EXECUTE FUNCTION note_login()";
    for major in [17, 18] {
        let place = Place::on(major, &[], &["CREATE TABLE bait (i int)", TABLES, trigger]);
        let folder = tempfile::tempdir().expect("a folder");
        let (migrations, queries) = files(folder.path());
        let snapshot = folder.path().join("snapshot").display().to_string();
        let url = place.url("postgres");
        for command in commands(&url, &migrations, &queries, &snapshot) {
            let output = pgassay(&command);
            let all = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stdout));
            assert_eq!(output.status.code(), Some(2), "{command:?}: {all}");
            assert!(all.contains("a login event trigger of the database writes"), "{command:?}: {all}");
        }
        let without = format!("{url} options='-c event_triggers=off'");
        for command in commands(&without, &migrations, &queries, &snapshot) {
            let output = pgassay(&command);
            assert_ne!(output.status.code(), Some(2), "{command:?}: {}", said(&output));
        }
        // Those who came to set this up, and to ask.
        let only_ours =
            "SELECT CASE WHEN bool_and(who = session_user) AND count(*) < 6 THEN 'yes' ELSE 'no' END FROM logins";
        assert_eq!(place.value(only_ours), "yes");
    }
}

/// Hands sessions on to a server, but takes the options out of their first packet.
fn forgetful_pooler(socket: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let socket = socket.clone();
            std::thread::spawn(move || drop(hand_on(client, &socket)));
        }
    });
    port
}

fn hand_on(mut client: TcpStream, socket: &Path) -> io::Result<()> {
    const ASKS_FOR_TLS: [u8; 4] = 80_877_103_u32.to_be_bytes();
    let mut body = Vec::new();
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        body.resize(u32::from_be_bytes(length) as usize - 4, 0);
        client.read_exact(&mut body)?;
        if body != ASKS_FOR_TLS {
            break;
        }
        client.write_all(b"N")?;
    }
    let (version, parameters) = body.split_at(4);
    let parameters: Vec<&[u8]> = parameters.split(|byte| *byte == 0).collect();
    let kept = parameters.chunks_exact(2).take_while(|pair| !pair[0].is_empty()).filter(|pair| pair[0] != b"options");
    let kept: Vec<u8> = kept.flat_map(|pair| [pair[0], b"\0", pair[1], b"\0"].concat()).collect();
    let length = (kept.len() + 9) as u32;
    let mut server = UnixStream::connect(socket)?;
    server.write_all(&[&length.to_be_bytes()[..], version, &kept, b"\0"].concat())?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Both)
}

#[test]
fn a_pooler_that_forgets_what_a_session_starts_with_changes_nothing() {
    let place = Place::start(&["CREATE EXTENSION pg_stat_statements; CREATE TABLE bait (i int)", TRAPS]);
    let database = "ALTER DATABASE shop SET search_path = public, pg_catalog; ALTER DATABASE shop SET standard_conforming_strings = off;
        ALTER DATABASE shop SET default_transaction_read_only = off; ALTER DATABASE shop SET escape_string_warning = off";
    database.split(';').for_each(|sql| place.run("postgres", sql));
    let port = forgetful_pooler(&place.folder().join(".s.PGSQL.5432"));
    let url = format!("host=127.0.0.1 port={port} user=postgres dbname=shop");
    let folder = tempfile::tempdir().expect("a folder");
    let (migrations, queries) = files(folder.path());
    let snapshot = folder.path().join("snapshot").display().to_string();
    let parameters = Parameters::read(&url).expect("parameters");
    let reading = place.runtime.block_on(db::read(&parameters, db::Wanted::default()));
    assert!(reading.unwrap_or_else(|error| panic!("{error}")).facts.server.pooled);
    for command in commands(&url, &migrations, &queries, &snapshot) {
        let from = place.log_length();
        let output = pgassay(&command);
        // The constraint and the query are about columns that these tables do not have.
        let refused = said(&output).contains("--run-functions") || said(&output).contains("does not exist");
        assert!(output.status.code() != Some(2) || refused, "{command:?}: {}", said(&output));
        place.was_only_read(from);
        place.is_untouched(&format!("{command:?}"), from);
    }
}
