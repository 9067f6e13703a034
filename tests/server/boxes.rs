//! What a hostile migration can see, reach and leave on the machine of a throwaway server: nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use pgassay::shadow::{Confinement, Installation, Options, Server, Session};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::SimpleQueryMessage;

/// A superuser on a server in a box.
struct Attacker {
    runtime: Runtime,
    session: Session,
    server: Server,
}

impl Attacker {
    /// `None` where this machine has no such box, and says why.
    fn in_box(installation: &Installation, strength: Confinement) -> Option<Attacker> {
        let options = Options { confinement: strength, ..Options::default() };
        let server = Server::start(installation, &options).unwrap_or_else(|error| panic!("{error}"));
        let (found, why) = server.confinement();
        if found != strength {
            assert!(!why.is_empty(), "{found:?} without a reason");
            return None;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let session = runtime.block_on(server.connect("postgres")).expect("a session");
        Some(Attacker { runtime, session, server })
    }

    /// All that a text of SQL answers, or the refusal.
    fn tries(&self, sql: &str) -> Result<String, String> {
        let answered = self.runtime.block_on(self.session.simple_query(sql));
        let messages = answered
            .map_err(|error| error.as_db_error().map_or(error.to_string(), |refused| refused.message().to_owned()))?;
        let column = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(messages.iter().filter_map(column).collect::<Vec<_>>().join("\n"))
    }

    /// What a program prints.
    fn runs(&self, program: &str) -> Result<String, String> {
        let program = program.replace('\'', "''");
        self.tries(&format!(
            "CREATE TEMP TABLE IF NOT EXISTS said (line text); TRUNCATE said;
             COPY said FROM PROGRAM '{program}' (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02'); SELECT line FROM said"
        ))
    }

    fn leave(self) {
        let Attacker { runtime, session, server } = self;
        runtime.block_on(session.close());
        drop(server);
    }
}

/// A file that anybody may read, in a folder that anybody may write.
fn bait() -> (TempDir, String) {
    let folder = tempfile::Builder::new().prefix("bait").tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("rights");
    let file = folder.path().join("secret.txt");
    fs::write(&file, "hunter2").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("rights");
    (folder, file.display().to_string())
}

fn processes(marker: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = all.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(marker)).collect()
}

fn is_soon(mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Reads and writes of files as the server itself does them.
fn files_are_out_of_reach(attacker: &Attacker) {
    let (folder, secret) = bait();
    let refused = |sql: String| {
        let answer = attacker.tries(&sql);
        assert!(answer.is_err(), "{sql}: {answer:?}");
    };
    refused(format!("SELECT pg_read_file('{secret}')"));
    refused(format!("SELECT lo_import('{secret}')"));
    refused(format!("CREATE TEMP TABLE read_it (line text); COPY read_it FROM '{secret}'"));
    refused("SELECT pg_read_file('/proc/' || 1 || '/environ')".to_owned());
    for own in [std::process::id().to_string(), "self/root/proc/1".to_owned()] {
        refused(format!("SELECT pg_read_file('/proc/{own}/environ')"));
        refused(format!("SELECT pg_read_file('/proc/{own}/cwd/Cargo.toml')"));
    }
    let target = folder.path().join("written");
    let _ = attacker.tries(&format!("COPY (SELECT 1) TO '{}'", target.display()));
    let _ = attacker.tries(&format!("SELECT lo_export(lo_from_bytea(0, 'x'), '{}')", target.display()));
    assert!(!target.exists());
    refused("SELECT pg_ls_dir('/root')".to_owned());
}

#[test]
fn namespaces_hide_the_machine() {
    for installation in crate::support::servers::all() {
        let Some(attacker) = Attacker::in_box(&installation, Confinement::Namespaces) else { continue };
        files_are_out_of_reach(&attacker);
        let (folder, secret) = bait();
        // Programs run, and find nothing.
        assert_eq!(attacker.runs("echo here").as_deref(), Ok("here"));
        assert!(attacker.runs(&format!("cat {secret}")).is_err());
        let environments = attacker.runs("cat /proc/[0-9]*/environ 2>/dev/null | tr '\\000' '\\n'; true");
        assert!(!environments.as_deref().unwrap_or_default().contains("CARGO"), "{environments:?}");
        let lines = attacker.runs("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '; true").unwrap_or_default();
        // Of the processes outside, this one is there for certain.
        let own = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        assert!(lines.contains("postgres") && !lines.contains(&own.expect("a name")), "{lines}");
        let own = folder.path().join("own");
        let _ = attacker
            .runs(&format!("mkdir -p {0} && touch {0}/own; touch /usr/own /own; true", folder.path().display()));
        assert!(!own.exists() && !Path::new("/usr/own").exists() && !Path::new("/own").exists());
        // Nor can they leave the box by making another.
        let out = attacker
            .runs(&format!("unshare --user --map-root-user --mount sh -c 'umount -l /; cat {secret}' 2>&1; true"));
        assert!(!out.as_deref().unwrap_or_default().contains("hunter2"), "{out:?}");
        // 14 needs loopback, which `ip` makes.
        if installation.major() > 14 || ["/sbin/ip", "/usr/sbin/ip"].iter().any(|ip| Path::new(ip).exists()) {
            let links = attacker.runs("cat /proc/net/dev").unwrap_or_default();
            assert_eq!(links.lines().filter(|line| line.contains(':')).count(), 1, "{links}");
        }
        let marker = format!("42{}", std::process::id());
        let sleep = format!("sleep {marker}");
        for stay in [
            format!("setsid {sleep} >/dev/null 2>&1 </dev/null &"),
            format!("(trap \"\" TERM QUIT INT HUP; {sleep}) >/dev/null 2>&1 &"),
        ] {
            let _ = attacker.runs(&stay);
        }
        let stayed = format!("sleep\0{marker}");
        assert!(is_soon(|| processes(&stayed).len() >= 2), "{:?}", processes(&stayed));
        attacker.leave();
        assert!(is_soon(|| processes(&stayed).is_empty()), "{:?}", processes(&stayed));
    }
}

#[test]
fn landlock_leaves_files_of_the_system_and_no_programs() {
    for installation in crate::support::servers::all() {
        let Some(attacker) = Attacker::in_box(&installation, Confinement::Landlock) else { continue };
        files_are_out_of_reach(&attacker);
        assert!(attacker.runs("echo here").is_err());
        assert!(attacker.tries("COPY (SELECT 1) TO PROGRAM 'cat > /tmp/pgassay-landlock'").is_err());
        attacker.leave();
    }
}

#[test]
fn a_server_works_in_every_box() {
    for installation in crate::support::servers::all() {
        for strength in [Confinement::Namespaces, Confinement::Landlock, Confinement::Nothing] {
            let Some(attacker) = Attacker::in_box(&installation, strength) else { continue };
            let made = "CREATE TABLE t AS SELECT n, md5(n::text) AS h FROM generate_series(1, 20000) n;
                 CREATE INDEX ON t (h); SELECT count(DISTINCT h) FROM t";
            assert_eq!(attacker.tries(made).as_deref(), Ok("20000"), "{strength:?} {installation:?}");
            // A sort that goes to files, and the names of time zones, which are files too.
            let sorted = "SET work_mem = '64kB'; SELECT max(h) IS NOT NULL FROM (SELECT h FROM t ORDER BY h) s";
            assert_eq!(attacker.tries(sorted).as_deref(), Ok("t"));
            assert_eq!(attacker.tries("SET timezone = 'Europe/Paris'; SELECT 1").as_deref(), Ok("1"));
            let extension = attacker.tries("CREATE EXTENSION plpgsql");
            assert!(extension.is_err_and(|refused| refused.contains("already exists")));
            attacker.leave();
        }
    }
}

#[test]
fn what_needs_the_databases_machine_is_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "CREATE TABLE t (a text);
COPY t FROM PROGRAM 'env';
COPY t FROM '/data/rows.csv';
COPY (SELECT 1) TO PROGRAM 'setsid sleep 300 &';
COPY t (a) FROM stdin;
one
\\.
CREATE INDEX ON t (a);
";
    fs::write(folder.path().join("1.sql"), text).expect("a file");
    let done = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .args(["check", "--no-config", "--prove", "--format", "json", "."])
        .env("GITHUB_TOKEN", "hunter2")
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    let shown = report.to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    let notes = report["proof"]["notes"].to_string();
    for line in [2, 3, 4] {
        assert!(
            notes.contains(&format!("1.sql:{line} needs a file or a program of the database's machine")),
            "{notes}"
        );
    }
    assert!(!notes.contains("1.sql:5"), "{notes}");
    let refused = report["findings"].as_array().into_iter().flatten().filter(|it| it["rule"] == "refused-by-server");
    assert_eq!(refused.count(), 0, "{shown}");
}
