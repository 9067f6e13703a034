//! Pull requests that attack `check --prove`: what each sees, reaches and leaves on the machine is nothing.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Each is a migration. BAIT is a path in a folder that anybody may write, SECRET a file that anybody may read, PORT a port that somebody listens
/// on, MARK what processes that stay are known by.
const ATTACKS: &[(&str, &str)] = &[
    (
        "a language that runs programs",
        "CREATE EXTENSION IF NOT EXISTS plperlu;
DO LANGUAGE plperlu $$ system('touch BAIT; (setsid sleep MARK &)'); elog(ERROR, `cat SECRET`) $$;
CREATE EXTENSION IF NOT EXISTS plpython3u;
DO LANGUAGE plpython3u $$ import os; os.system('touch BAIT'); plpy.error(open('SECRET').read()) $$;",
    ),
    (
        "the C library as a language",
        "CREATE FUNCTION run(cstring) RETURNS int LANGUAGE c STRICT AS 'libc.so.6', 'system';
SELECT run('touch BAIT');
LOAD 'BAIT';",
    ),
    (
        "commands in the server's own settings",
        "ALTER SYSTEM SET archive_mode = 'on';
ALTER SYSTEM SET archive_command = 'touch BAIT; (setsid sleep MARK &)';
ALTER SYSTEM SET ssl_passphrase_command = 'touch BAIT';
ALTER SYSTEM SET log_directory = 'BAIT';
ALTER SYSTEM SET logging_collector = 'on';
ALTER SYSTEM SET listen_addresses = '*';
SELECT pg_reload_conf(), pg_switch_wal();",
    ),
    (
        "a program from dynamic SQL, after a role of its own",
        "CREATE ROLE mallory SUPERUSER LOGIN;
SET ROLE mallory;
DO $do$ BEGIN
  EXECUTE $$COPY (SELECT 1) TO PROGRAM 'cat > BAIT; (trap \"\" TERM QUIT INT HUP; setsid sleep MARK) >/dev/null 2>&1 &'$$;
END $do$;
CREATE TABLE seen (line text);
DO $do$ BEGIN
  EXECUTE $$COPY seen FROM PROGRAM 'env; cat SECRET /proc/[0-9]*/environ; true' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')$$;
END $do$;
DO $do$ BEGIN RAISE EXCEPTION '%', (SELECT string_agg(line, ' ') FROM seen); END $do$;",
    ),
    (
        "large objects and the server's files",
        "SELECT lo_export(lo_from_bytea(0, 'ssh-ed25519 AAAA'), 'BAIT');
CREATE EXTENSION IF NOT EXISTS adminpack;
SELECT pg_file_write('BAIT', 'x', false);
SELECT convert_from(lo_get(lo_import('SECRET')), 'UTF8')::int;
SELECT pg_read_file('SECRET')::int;
SELECT pg_read_file('/proc/self/root/etc/shadow')::int;
SELECT pg_ls_dir('/root');",
    ),
    (
        "a file as a foreign table",
        "CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE secret (line text) SERVER files OPTIONS (filename 'SECRET');
CREATE TABLE leak AS SELECT line::int FROM secret;
ALTER FOREIGN TABLE secret OPTIONS (DROP filename, ADD program 'touch BAIT; cat SECRET');
INSERT INTO leak SELECT line::int FROM secret;",
    ),
    (
        "other servers on this machine",
        "CREATE EXTENSION IF NOT EXISTS dblink;
SELECT dblink_connect('host=127.0.0.1 port=PORT user=postgres dbname=postgres connect_timeout=2');
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port 'PORT', connect_timeout '2');
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (user 'postgres', password 'x');
IMPORT FOREIGN SCHEMA public FROM SERVER other INTO public;
CREATE SUBSCRIPTION pull CONNECTION 'host=127.0.0.1 port=PORT dbname=postgres connect_timeout=2' PUBLICATION p;
SELECT dblink_connect('host=/var/run/postgresql dbname=postgres connect_timeout=2');",
    ),
    (
        "the environment of whoever started the server",
        "DO $$ DECLARE found text; BEGIN
  FOR process IN 1..40000 LOOP
    BEGIN
      found := pg_read_file('/proc/' || process || '/environ', true);
    EXCEPTION WHEN OTHERS THEN found := NULL;
    END;
    IF found LIKE '%hun' || 'ter2%' THEN RAISE EXCEPTION 'seen %', found; END IF;
  END LOOP;
END $$;
DO $$ BEGIN RAISE EXCEPTION '%', pg_read_file('/proc/self/environ'); END $$;",
    ),
    (
        "traps for sessions that come later",
        "CREATE FUNCTION trap() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch BAIT''';
END $$;
CREATE EVENT TRIGGER trap ON ddl_command_end EXECUTE FUNCTION trap();
CREATE TABLE sprung (id int);
ALTER ROLE postgres SET session_preload_libraries = 'BAIT';
ALTER ROLE postgres SET search_path = traps, pg_catalog;
ALTER DATABASE postgres SET statement_timeout = 1;
CREATE SCHEMA traps;
CREATE FUNCTION traps.version() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch BAIT'''; RETURN ''; END $$;
CREATE TABLE later (id int);",
    ),
    (
        "whatever else runs is to end",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();
DO $do$ BEGIN
  EXECUTE $$COPY (SELECT 1) TO PROGRAM 'for p in /proc/[0-9]*; do kill -9 ${p#/proc/} 2>/dev/null; done'$$;
END $do$;
SELECT 1;",
    ),
];

fn processes(mark: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.map(|line| line.replace('\0', " ")).filter(|line| line.contains(&format!("sleep {mark}"))).collect()
}

fn proved(text: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("1.sql"), text).expect("a file");
    Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .args(["check", "--no-config", "--prove", "--pg-version", "18", "--format", "json", "."])
        .env("GITHUB_TOKEN", "hunter2")
        .current_dir(folder.path())
        .output()
        .expect("the binary runs")
}

/// A folder that anybody may write, with a file that anybody may read.
fn bait() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("bait").tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("rights");
    fs::write(folder.path().join("secret"), "hunter2\n").expect("a file");
    fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o644)).expect("rights");
    folder
}

fn leaves_nothing(name: &str, bait: &Path, mark: &str) {
    let left: Vec<String> = fs::read_dir(bait)
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "secret")
        .collect();
    assert!(left.is_empty(), "{name}: {left:?}");
    let started = Instant::now();
    while !processes(mark).is_empty() && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(processes(mark).is_empty(), "{name}: {:?}", processes(mark));
}

#[test]
fn hostile_migrations_see_reach_and_leave_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let port = listener.local_addr().expect("an address").port().to_string();
    for (number, (name, attack)) in ATTACKS.iter().enumerate() {
        let folder = bait();
        let mark = format!("{}{number}", std::process::id());
        let (path, secret) = (folder.path().join("made"), folder.path().join("secret"));
        let text = attack
            .replace("BAIT", &path.display().to_string())
            .replace("SECRET", &secret.display().to_string())
            .replace("PORT", &port)
            .replace("MARK", &mark);
        let started = Instant::now();
        let output = proved(&text);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.code().is_some_and(|code| code <= 2), "{name}: {:?} {said}", output.status);
        assert!(started.elapsed() < Duration::from_secs(100), "{name}: {:?}", started.elapsed());
        assert!(!said.contains("hunter2") && !said.contains("root:"), "{name}: {said}");
        leaves_nothing(name, folder.path(), &mark);
        if let Ok((mut reached, _)) = listener.accept() {
            let mut first = [0; 8];
            let _ = reached.read(&mut first);
            panic!("{name}: reached 127.0.0.1:{port} and sent {first:?}");
        }
    }
}
