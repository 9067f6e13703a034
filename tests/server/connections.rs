//! Ways to a server: TLS, password and service files, several hosts, a standby, a pooler; and what refuses to be reached.
//!
//! Certificates are made by openssl. The pooler's test says so, and is passed over, where pgbouncer is not installed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::servers;
use pgassay::shadow::{Installation, Options, Server};

const PASSWORD: &str = "s3cret-pass";

/// A server that also listens on a port of 127.0.0.1.
struct Place {
    server: Server,
    port: u16,
    runtime: tokio::runtime::Runtime,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn options(port: u16, more: &[(&str, &str)]) -> Options {
    let port = port.to_string();
    let fixed = [("listen_addresses", "127.0.0.1"), ("port", port.as_str())];
    let settings = fixed.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Options { settings, ..Options::default() }
}

impl Place {
    fn start(installation: &Installation, more: &[(&str, &str)]) -> Place {
        let port = free_port();
        let server = Server::start(installation, &options(port, more)).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Place { server, port, runtime }
    }

    fn folder(&self) -> PathBuf {
        self.server.data().parent().expect("a folder").to_owned()
    }

    fn run(&self, database: &str, sql: &str) {
        let mut config = self.server.config(database);
        config.port(self.port);
        self.runtime.block_on(async {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a session");
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in {sql:.200}"));
            drop(client);
            let _ = connection.await;
        });
    }

    fn shop(&self) {
        self.run("postgres", "CREATE DATABASE shop");
        self.run("shop", "CREATE TABLE orders (id bigint PRIMARY KEY, total float8); CREATE TABLE visits (page text)");
    }

    /// Who may come in, and how; the socket stays open to the superuser.
    fn allow(&self, lines: &str) {
        let file = self.server.data().join("pg_hba.conf");
        fs::write(file, format!("local all postgres trust\n{lines}\n")).expect("written");
        self.run("postgres", "SELECT pg_reload_conf()");
        // The postmaster reads it when its signal arrives.
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn pgassay(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("HOME", folder).envs(environment.iter().copied());
    command.output().expect("pgassay runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What an audit says; the password is in none of it.
fn audit(url: &str, folder: &Path, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = pgassay(&["audit", "--db", url, "--format", "json"], folder, environment);
    let said = text(&output);
    assert!(!said.contains(PASSWORD), "{said}");
    (output.status.code(), said)
}

#[track_caller]
fn works((code, said): (Option<i32>, String)) -> String {
    assert!(matches!(code, Some(0 | 1)) && said.contains("public.visits has no primary key"), "{code:?}: {said}");
    said
}

#[track_caller]
fn fails((code, said): (Option<i32>, String), with: &str) {
    assert!(code == Some(2) && said.contains(with), "{with}: {code:?}: {said}");
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output();
    let output = output.expect("this test needs openssl to make certificates");
    assert!(output.status.success(), "openssl {arguments:?}: {}", text(&output));
}

/// A root, a certificate that it signed for `shop.test`, and another root.
fn certificates(folder: &Path) {
    for root in ["root", "other"] {
        let (key, certificate) = (format!("{root}.key"), format!("{root}.crt"));
        let subject = format!("/CN=pgassay {root}");
        openssl(
            folder,
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                &subject,
                "-keyout",
                &key,
                "-out",
                &certificate,
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign",
            ],
        );
    }
    openssl(
        folder,
        &[
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=ignored",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ],
    );
    fs::write(folder.join("names"), "subjectAltName=DNS:shop.test\n").expect("written");
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "root.crt",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            "server.crt",
        ],
    );
}

#[test]
fn tls_verifies_the_name_and_the_root_and_binds_the_password_to_the_channel() {
    let place = Place::start(&servers::newest(), &[]);
    place.shop();
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let data = place.server.data();
    let owner = fs::metadata(&data).expect("the cluster");
    for (file, mode) in [("server.key", 0o600), ("server.crt", 0o644)] {
        let to = data.join(file);
        fs::copy(folder.path().join(file), &to).expect("copied");
        fs::set_permissions(&to, fs::Permissions::from_mode(mode)).expect("permissions");
        chown(&to, Some(owner.uid()), Some(owner.gid())).expect("an owner");
    }
    place.run("postgres", "ALTER SYSTEM SET ssl = on");
    place.run(
        "postgres",
        &format!("CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor, pg_read_all_data TO ann"),
    );
    place.allow("hostssl all ann 127.0.0.1/32 scram-sha-256");

    let root = folder.path().join("root.crt").display().to_string();
    let other = folder.path().join("other.crt").display().to_string();
    let at = |host: &str, rest: &str| {
        let url = format!(
            "host={host} hostaddr=127.0.0.1 port={} user=ann password={PASSWORD} dbname=shop {rest}",
            place.port
        );
        audit(&url, folder.path(), &[])
    };
    works(at("shop.test", &format!("sslmode=verify-full sslrootcert={root} channel_binding=require")));
    works(at("shop.test", "sslmode=require"));
    works(at("elsewhere.test", &format!("sslmode=verify-ca sslrootcert={root}")));
    fails(at("elsewhere.test", &format!("sslmode=verify-full sslrootcert={root}")), "elsewhere.test");
    fails(at("shop.test", &format!("sslmode=verify-full sslrootcert={other}")), "certificate");
    fails(at("shop.test", &format!("sslmode=verify-full sslrootcert={root}.gone")), "root.crt.gone");
    fails(at("shop.test", "sslmode=disable"), "no encryption");
    fails(at("shop.test", "sslmode=disable channel_binding=require"), "user \"ann\"");
    let wrong = format!(
        "host=shop.test hostaddr=127.0.0.1 port={} user=ann password={PASSWORD}x dbname=shop sslmode=require",
        place.port
    );
    fails(audit(&wrong, folder.path(), &[]), "password authentication failed");
}

#[test]
fn files_name_the_server_and_hold_the_password() {
    let place = Place::start(&servers::newest(), &[]);
    place.shop();
    place.run(
        "postgres",
        &format!("CREATE ROLE ann LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE bob LOGIN PASSWORD '{PASSWORD}'"),
    );
    place.run("postgres", "CREATE DATABASE closed");
    place.run("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC; CREATE ROLE nobody_here");
    place.allow("host all all 127.0.0.1/32 scram-sha-256");
    let folder = tempfile::tempdir().expect("a folder");
    let (port, folder) = (place.port, folder.path());
    let services = folder.join("services");
    fs::write(
        &services,
        format!("[other]\nhost=nowhere.invalid\n[shop]\nhost=127.0.0.1\nport={port}\ndbname=shop\nuser=ann\n"),
    )
    .expect("written");
    let passwords = folder.join(".pgpass");
    fs::write(&passwords, format!("# the team's\n127.0.0.1:{port}:shop:bob:no\n127.0.0.1:{port}:*:ann:{PASSWORD}\n"))
        .expect("written");
    let mode = |mode| fs::set_permissions(&passwords, fs::Permissions::from_mode(mode)).expect("permissions");
    mode(0o600);
    let services = services.display().to_string();
    let environment = [("PGSERVICEFILE", services.as_str())];
    works(audit("service=shop", folder, &environment));
    works(audit("", folder, &[environment[0], ("PGSERVICE", "shop")]));
    works(audit("env:DATABASE", folder, &[("DATABASE", &format!("postgresql://ann@127.0.0.1:{port}/shop"))]));
    fails(audit("service=gone", folder, &environment), "gone");
    fails(audit("service=shop user=bob", folder, &environment), "password authentication failed");

    // Others could read it.
    mode(0o644);
    fails(audit("service=shop", folder, &environment), "group or world access");
    works(audit("service=shop", folder, &[environment[0], ("PGPASSWORD", PASSWORD)]));
    mode(0o600);

    fails(audit("service=shop dbname=closed", folder, &environment), "permission denied for database \"closed\"");
    fails(audit("service=shop dbname=gone", folder, &environment), "database \"gone\" does not exist");
    let nobody = format!("host=127.0.0.1 port={port} user=nobody_here password={PASSWORD} dbname=shop");
    fails(audit(&nobody, folder, &[]), "nobody_here");

    // The first host does not answer.
    let several = format!("host=127.0.0.1,127.0.0.1 port={},{port} user=ann dbname=shop", free_port());
    works(audit(&several, folder, &[]));
    fails(audit(&format!("{several} target_session_attrs=standby"), folder, &[]), "no standby");
    fails(
        audit(&format!("host=127.0.0.1,127.0.0.1,127.0.0.1 port={port},{port} user=ann dbname=shop"), folder, &[]),
        "3 hosts have 2 ports",
    );
}

#[test]
fn a_standby_is_read_and_told() {
    for installation in [servers::all().swap_remove(0), servers::newest()] {
        let logical = [("wal_level", "replica"), ("max_wal_senders", "4"), ("hot_standby", "on")];
        let mut primary = Place::start(&installation, &logical);
        primary.shop();
        let mut standby = Place::start(&installation, &logical);
        let conninfo = format!("host={} port={} user=postgres", primary.folder().display(), primary.port);
        let following = options(standby.port, &[&logical[..], &[("primary_conninfo", &conninfo)]].concat());
        // Both are down while one is copied.
        let again = options(primary.port, &logical);
        let standby_server = &mut standby.server;
        primary
            .server
            .restart(&again, |from| {
                standby_server
                    .restart(&following, |to| {
                        fs::remove_dir_all(to).expect("removed");
                        let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
                        assert!(copied.success());
                        let owner = fs::metadata(to).expect("the copy");
                        fs::write(to.join("standby.signal"), "").expect("written");
                        chown(to.join("standby.signal"), Some(owner.uid()), Some(owner.gid())).expect("an owner");
                    })
                    .unwrap_or_else(|error| panic!("{error}"));
            })
            .unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::tempdir().expect("a folder");
        let (socket, other) = (standby.folder().display().to_string(), primary.folder().display().to_string());
        let url = format!("host={socket} port={} user=postgres dbname=shop", standby.port);
        let said = works(audit(&url, folder.path(), &[]));
        assert!(said.contains("this server is a standby"), "{said}");
        let sampled = pgassay(&["audit", "--db", &url, "--sample"], folder.path(), &[]);
        assert!(text(&sampled).contains("has no primary key"), "{}", text(&sampled));
        let kept = folder.path().join("snapshot").display().to_string();
        fs::write(folder.path().join("1.sql"), "ALTER TABLE orders ADD COLUMN note text;").expect("written");
        fs::write(folder.path().join("queries.sql"), "SELECT id FROM orders WHERE total = 3;").expect("written");
        for command in [
            &["check", "--db", &url, "1.sql"][..],
            &["queries", "--db", &url, "--queries", "queries.sql"],
            &["plan", "--db", &url, "SELECT id FROM orders WHERE total = 3"],
            &["snapshot", "--db", &url, "-o", &kept],
        ] {
            let output = pgassay(command, folder.path(), &[]);
            assert_ne!(output.status.code(), Some(2), "{command:?}: {}", text(&output));
        }
        // Of two hosts the wanted one.
        let both = format!("host={other},{socket} port={},{} user=postgres dbname=shop", primary.port, standby.port);
        let said = works(audit(&format!("{both} target_session_attrs=standby"), folder.path(), &[]));
        assert!(said.contains("this server is a standby"), "{said}");
        let said = works(audit(&format!("{both} target_session_attrs=primary"), folder.path(), &[]));
        assert!(!said.contains("standby"), "{said}");
        fails(audit(&format!("{url} target_session_attrs=primary"), folder.path(), &[]), "is a standby");
    }
}

/// A pooler, which ends with the test.
struct Pooler(Child);

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn pgbouncer() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.exists())
}

#[test]
fn a_pooler_by_transaction_is_found_out_and_does_no_harm() {
    let Some(program) = pgbouncer() else {
        println!("passed over: pgbouncer is not installed");
        return;
    };
    let place = Place::start(&servers::newest(), &[]);
    place.shop();
    let owner = fs::metadata(place.server.data()).expect("the cluster");
    for ignored in ["", "ignore_startup_parameters = options\n"] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        let port = free_port();
        let ini = folder.path().join("pgbouncer.ini");
        let configuration = format!(
            "[databases]\nshop = host={} port={} user=postgres dbname=shop\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n{ignored}",
            place.folder().display(),
            place.port
        );
        fs::write(&ini, configuration).expect("written");
        let mut command = Command::new(&program);
        command.arg("-q").arg(&ini).stdout(Stdio::null()).stderr(Stdio::null());
        // It refuses root, as the server does.
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let _pooler = Pooler(command.spawn().expect("pgbouncer runs"));
        let url = format!("host=127.0.0.1 port={port} user=postgres dbname=shop");
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "pgbouncer does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        works(audit(&url, folder.path(), &[]));
        let parameters = pgassay::db::Parameters::read(&url).expect("parameters");
        let reading = place.runtime.block_on(pgassay::db::read(&parameters, pgassay::db::Wanted::default()));
        let facts = reading.unwrap_or_else(|error| panic!("{error}")).facts;
        assert!(facts.server.pooled, "{ignored:?}");
        // The one session behind the pooler is as it was: not read-only, without our limits.
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(port).user("postgres").dbname("shop");
        let left = place.runtime.block_on(async {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a session");
            tokio::spawn(connection);
            let sql = "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')";
            let rows = client.simple_query(sql).await.expect("settings");
            rows.into_iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => {
                    Some((row.get(0).map(str::to_owned), row.get(1).map(str::to_owned)))
                }
                _ => None,
            })
        });
        assert_eq!(left, Some((Some("0".to_owned()), Some("off".to_owned()))), "{ignored:?}");
    }
}
