//! Dumps that are restored on a throwaway server: what psql would run on this machine is not run, and what pg_dump writes comes whole.

use std::fs;
use std::path::Path;
use std::process::Command;

use pgassay::shadow::{Installation, Options, Refusals, ScriptError, Server};
use tokio::runtime::Runtime;

struct Target {
    runtime: Runtime,
    server: Server,
}

impl Target {
    fn on(installation: &Installation) -> Target {
        let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Target { runtime, server }
    }

    fn runs(&self, script: &[u8]) -> Result<Refusals, ScriptError> {
        self.server.run_script("postgres", script)
    }

    fn text(&self, sql: &str) -> String {
        self.runtime.block_on(async {
            let session = self.server.connect("postgres").await.expect("a session");
            let row = session.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            session.close().await;
            row.get(0)
        })
    }
}

/// psql's commands that run programs, read or write files, set its environment, or go elsewhere, in all the places where psql sees them.
const HOSTILE: &[&str] = &[
    "\\! touch BAIT",
    "\\!touch BAIT",
    "\\copy t to program 'touch BAIT'",
    "\\copy t from program 'touch BAIT'",
    "\\copy t to 'BAIT'",
    "\\copy (SELECT 1) to program 'touch BAIT'",
    "\\o |touch BAIT",
    "\\out BAIT",
    "\\g |touch BAIT",
    "SELECT 1 \\g |touch BAIT",
    "SELECT 1 \\gx BAIT",
    "\\w |touch BAIT",
    "\\w BAIT",
    "\\s BAIT",
    "\\i BAIT",
    "\\include_relative BAIT",
    "\\set x `touch BAIT`",
    "\\if `touch BAIT`",
    "\\setenv PSQL_PAGER 'touch BAIT'",
    "\\setenv PSQL_EDITOR 'touch BAIT'",
    "\\e BAIT",
    "\\ef f",
    "\\lo_import BAIT",
    "\\lo_export 1 BAIT",
    "\\c 'host=127.0.0.1 passfile=BAIT'",
    "\\connect other",
    "\\cd /",
    "\\password",
    "SELECT 'touch BAIT' \\gexec",
    "SELECT 1 \\watch",
    "\\df",
    "\\unknown",
    "\\echo a \\\\ \\! touch BAIT",
    "\\restrict x \\! touch BAIT",
    "SELECT 1; \\! touch BAIT",
    "/* ' */ \\! touch BAIT",
    "SELECT $a$\n$a$ \\g |touch BAIT",
];

#[test]
fn a_script_runs_nothing_on_this_machine() {
    let target = Target::on(&crate::support::servers::newest());
    let folder = tempfile::tempdir().expect("a folder");
    let bait = folder.path().join("bait");
    for hostile in HOSTILE {
        let script =
            format!("CREATE TABLE IF NOT EXISTS t (a int);\n{}\n", hostile.replace("BAIT", &bait.to_string_lossy()));
        // Within a line, where our reader takes it for no command, it is the server that refuses it.
        let refused = match target.runs(script.as_bytes()) {
            Err(error) => error.to_string(),
            Ok(refusals) => refusals.first.unwrap_or_default(),
        };
        assert!(refused.starts_with("line ") && refused.contains('\\'), "{hostile}: {refused}");
        assert!(!bait.exists(), "{hostile}");
    }
    // Those that psql runs in backquotes while it says or sets something of its own are not run either.
    let script = format!(
        "\\echo `touch {0}`\n\\set ECHO `touch {0}`\n\\pset title `touch {0}`\nCREATE TABLE u ();\n",
        bait.display()
    );
    assert_eq!(target.runs(script.as_bytes()).expect("it runs").count, 0);
    assert!(!bait.exists());
    assert_eq!(target.text("SELECT 'u'::regclass::text"), "u");
}

#[test]
fn a_script_is_run_as_psql_runs_it() {
    let target = Target::on(&crate::support::servers::newest());
    let script = "\\restrict abc
SET client_encoding = 'UTF8';
CREATE DATABASE shop WITH TEMPLATE = template0;
\\connect shop
-- Name: t; Type: TABLE
CREATE TABLE t (a int,
  b text DEFAULT ';');
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $_$
BEGIN
  RETURN 1; -- '
END;
$_$;
CREATE TABLE t (again int);
COPY public.t (a, b) FROM stdin;
1\tone
2\t\\\\! touch x
\\N\t;
\\.

COPY no_table (a) FROM stdin;
DROP TABLE t;
\\.
COPY t (a) FROM stdin;
many
\\.
COPY (SELECT 1) TO STDOUT;
INSERT INTO t VALUES (4, 'é
;');
\\unrestrict abc
SELECT f()";
    let refusals = target.runs(script.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(refusals.count, 3, "{refusals:?}");
    assert!(
        refusals.first.as_deref().is_some_and(|it| it.starts_with("line 13: relation \"t\" already exists")),
        "{refusals:?}"
    );
    let rows = target.text("SELECT string_agg(coalesce(a::text, '-') || b, '|' ORDER BY a) FROM t");
    assert_eq!(rows, "1one|2\\! touch x|4é\n;|-;");
    let line = |script: &[u8]| target.runs(script).expect_err("an error").to_string();
    assert!(line(b"SELECT 1;\n\\connect a\n").starts_with("line 2: \\connect"));
    assert!(line(b"SELECT 1;\n\nSELECT '\xff';\n").starts_with("line 3: not UTF-8"));
    assert!(line(b"COPY t FROM stdin; SELECT\n1\n\\.\n1;\n").starts_with("line 1: a statement begins"));
    // Rows may be in any encoding that the script has set.
    let latin = b"SET client_encoding = 'LATIN1';\nCOPY t (b) FROM stdin;\n\xe9\n\\.\n";
    assert_eq!(target.runs(latin).expect("it runs").count, 0);
    assert_eq!(target.text("SELECT count(*)::text FROM t WHERE b = U&'\\00e9'"), "1");
}

#[test]
fn many_rows_are_sent_in_lots() {
    let target = Target::on(&crate::support::servers::newest());
    let rows: String = (0..50_000).map(|i| format!("{i}\ttext of row {i}\n")).collect();
    let script = format!(
        "CREATE TABLE t (a int PRIMARY KEY, b text);\nCOPY t FROM stdin;\n{rows}\\.\nCOPY t FROM stdin;\n{rows}\\.\nCOPY t FROM stdin;\n-1\tlast\n"
    );
    let refusals = target.runs(script.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(refusals.count, 1, "{refusals:?}");
    assert_eq!(target.text("SELECT count(*)::text FROM t"), "50001");
}

fn archives(of: &Installation) -> Option<(tempfile::TempDir, [&'static str; 3])> {
    let (dump, source) = (of.bin().join("pg_dump"), Target::on(of));
    if !dump.is_file() || !of.bin().join("pg_restore").is_file() {
        return None;
    }
    source.runs(b"CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100);").expect("it runs");
    let folder = tempfile::tempdir().expect("a folder");
    let made = [("custom", "t.dump"), ("tar", "t.tar"), ("directory", "folder")];
    for (format, name) in made {
        let done = Command::new(&dump)
            .args(["--format", format, "--file"])
            .arg(folder.path().join(name))
            .arg(source.server.connection_string("postgres"))
            .output()
            .expect("pg_dump runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    Some((folder, made.map(|(_, name)| name)))
}

#[test]
fn archives_are_restored_in_the_box() {
    // Servers that were fetched have no pg_dump.
    let mut tried = 0;
    for installation in crate::support::servers::all() {
        let Some((folder, names)) = archives(&installation) else { continue };
        tried += 1;
        for name in names {
            let target = Target::on(&installation);
            let output = target.server.restore_archive(&folder.path().join(name), "postgres");
            let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(target.text("SELECT count(*)::text FROM t"), "100", "{name}");
        }
        no_file_beside_is_read(&installation, folder.path());
    }
    assert!(tried > 0, "no server has pg_dump and pg_restore beside it");
}

/// A folder's table of contents names the files of its rows, with dots if it likes; one may be a link, too.
fn no_file_beside_is_read(installation: &Installation, folder: &Path) {
    let target = Target::on(installation);
    let (archive, secret) = (folder.join("folder"), folder.join("secret"));
    fs::write(&secret, "4711\n").expect("a file");
    let rows = fs::read_dir(&archive).expect("a folder").flatten().map(|it| it.path());
    let rows = rows.into_iter().find(|path| path.extension().is_some_and(|it| it == "gz")).expect("rows");
    let contents = fs::read(archive.join("toc.dat")).expect("the table of contents");
    let name = rows.file_name().expect("a name").to_string_lossy().trim_end_matches(".gz").to_owned();
    // The same length, so that the format stays.
    let outside = format!("../secret{}", "/".repeat(name.len().saturating_sub(9)));
    fs::remove_file(&rows).expect("it is removed");
    if outside.len() == name.len() {
        let at = contents.windows(name.len()).position(|it| it == name.as_bytes()).expect("the file's name");
        let changed = [&contents[..at], outside.as_bytes(), &contents[at + name.len()..]].concat();
        fs::write(archive.join("toc.dat"), changed).expect("a file");
    }
    let output = target.server.restore_archive(&archive, "postgres").expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !said.contains("4711"), "{said}");
    assert_eq!(target.text("SELECT count(*)::text FROM t"), "0");
    std::os::unix::fs::symlink(&secret, archive.join(&name)).expect("a link");
    let refused = target.server.restore_archive(&archive, "postgres").expect_err("a link in it").to_string();
    assert!(refused.contains("is not a file"), "{refused}");
}

#[test]
fn rows_that_nobody_waits_for_are_left_out() {
    let target = Target::on(&crate::support::servers::newest());
    // The server waits for rows where our reader sees none, and the other way round.
    let script = "CREATE TABLE t (a int);
COPY no_table (a) FROM stdin;
1
\\.
COPY t (a) FROM stdin;
2
\\.
COPY t (no_column) FROM stdin;
3
\\.
SELECT 1; COPY t (a) FROM stdin;
4
\\.
";
    let refusals = target.runs(script.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(refusals.count, 2, "{refusals:?}");
    assert_eq!(target.text("SELECT string_agg(a::text, ' ' ORDER BY a) FROM t"), "2 4");
}
