//! The command line end to end: the binary on real files, and what the user sees of it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

struct Run {
    code: i32,
    out: String,
    err: String,
}

/// Runs pgassay in a folder; standard input is `input`.
fn run_in(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A run that does not read its input closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let done = child.wait_with_output().expect("the binary ends");
    let text =
        |bytes| String::from_utf8(bytes).expect("output is UTF-8").replace(env!("CARGO_PKG_VERSION"), "[version]");
    Run { code: done.status.code().expect("no signal"), out: text(done.stdout), err: text(done.stderr) }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

/// `pgassay check <arguments>` on the text as standard input.
fn check(arguments: &[&str], sql: &str) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run_in(folder.path(), ["check", "-"].iter().chain(arguments), sql.as_bytes())
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", run.out, run.err))
}

/// The findings of a text, as "line:column-line:column severity rule".
fn findings(arguments: &[&str], sql: &str) -> Vec<String> {
    let mut all = vec!["--format", "json"];
    all.extend(arguments);
    list(&json(&check(&all, sql)))
}

fn list(report: &Value) -> Vec<String> {
    let shown = |finding: &Value| {
        let text = |field: &str| finding[field].as_str().expect("a text").to_owned();
        let place = [&finding["line"], &finding["column"], &finding["end_line"], &finding["end_column"]];
        let [line, column, end_line, end_column] = place;
        format!("{line}:{column}-{end_line}:{end_column} {} {}", text("severity"), text("rule"))
    };
    let all = report["findings"].as_array().expect("findings").iter();
    // Every file of several statements without a transaction has this one; it is not what these tests are about.
    all.filter(|finding| finding["rule"] != "not-rerunnable").map(shown).collect()
}

/// All that a run shows.
fn shown(run: &Run) -> String {
    let mut text = format!("exit code {}\n", run.code);
    if !run.out.is_empty() {
        text.push_str(&format!("\nstandard output:\n{}", run.out));
    }
    if !run.err.is_empty() {
        text.push_str(&format!("\nstandard error:\n{}", run.err));
    }
    text
}

const QUIET: &str = "CREATE TABLE a (id bigint PRIMARY KEY);\n";
const WARNS: &str = "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE VIEW v AS SELECT id FROM b;\n";

// What the shop's history shows.

#[test]
fn shop_as_text() {
    let run = run_in(repository(), ["check", "migrations-examples/shop"], b"");
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn shop_as_json() {
    let run = run_in(repository(), ["check", "--format", "json", "migrations-examples/shop"], b"");
    assert_eq!((run.code, run.err.as_str()), (1, ""));
    insta::assert_snapshot!(run.out);
}

#[test]
fn shop_verbose_has_a_table_for_every_file() {
    let run = run_in(repository(), ["check", "--verbose", "migrations-examples/shop"], b"");
    for file in std::fs::read_dir(repository().join("migrations-examples/shop")).expect("the shop") {
        let name = file.expect("a file").file_name().into_string().expect("UTF-8");
        assert!(run.out.contains(&format!("migrations-examples/shop/{name}\n─")), "no table for {name}");
    }
}

#[test]
fn histories_of_different_folders_do_not_meet() {
    let run = run_in(repository(), ["check", "--format", "json", "migrations-examples"], b"");
    let report = json(&run);
    assert_eq!(list(&report).iter().filter(|finding| finding.contains("duplicate-object")).count(), 0);
    let same = b"CREATE TABLE t (id bigint PRIMARY KEY);";
    let project = folder(&[]);
    for (service, text) in [("a", same.as_slice()), ("b", same)] {
        std::fs::create_dir(project.path().join(service)).expect("a folder");
        std::fs::write(project.path().join(service).join("1.sql"), text).expect("a file");
    }
    assert_eq!(run_in(project.path(), ["check", "."], b"").code, 0);
    // Also where a shell's pattern names them one after the other.
    assert_eq!(run_in(project.path(), ["check", "a", "b"], b"").code, 0);
    let run = run_in(project.path(), ["check", "--format", "json", "--base", "a", "b"], b"");
    assert_eq!(list(&json(&run)), ["1:14-1:15 error duplicate-object"]);
}

// Exit codes.

#[test]
fn exit_codes_follow_the_worst_finding_and_fail_on() {
    let error = "CREATE TABLE a (id bigint PRIMARY KEY); DROP TABLE b;";
    let cases = [
        (QUIET, None, 0),
        (QUIET, Some("info"), 0),
        (error, None, 1),
        (error, Some("warning"), 1),
        (error, Some("never"), 0),
        ("CREATE THING a (id bigint PRIMARY KEY);", None, 0),
        ("CREATE THING a (id bigint PRIMARY KEY);", Some("error"), 0),
        ("CREATE THING a (id bigint PRIMARY KEY);", Some("warning"), 1),
        ("CREATE TABLE a (at timestamp PRIMARY KEY);", Some("warning"), 0),
        ("CREATE TABLE a (at timestamp PRIMARY KEY);", Some("info"), 1),
        (WARNS, Some("never"), 0),
    ];
    for (sql, fail_on, code) in cases {
        let arguments: Vec<&str> = fail_on.iter().flat_map(|limit| ["--fail-on", limit]).collect();
        let run = check(&arguments, sql);
        assert_eq!(run.code, code, "{sql} with {fail_on:?}\n{}", run.out);
    }
}

#[test]
fn strict_makes_an_unreadable_statement_an_error() {
    let sql = "CREATE THING a (id bigint PRIMARY KEY);";
    assert_eq!(findings(&[], sql), ["1:8-1:13 warning unreadable-statement"]);
    assert_eq!(findings(&["--strict"], sql), ["1:8-1:13 error unreadable-statement"]);
    assert_eq!(check(&["--strict"], sql).code, 1);
}

#[test]
fn bad_arguments() {
    let runs: &[&[&str]] = &[
        &[],
        &["chek"],
        &["check", "--pg-version", "9", "-"],
        &["check", "--fail-on", "sometimes", "-"],
        &["check", "--framework", "alembic", "-"],
        &["check", "--var", "novalue", "-"],
        &["rules", "unknwon"],
        &["rules", "blocking-rewritte"],
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut all = String::new();
    for arguments in runs {
        let run = run_in(folder.path(), *arguments, b"");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        all.push_str(&format!("$ pgassay {}\n{}\n", arguments.join(" "), run.err));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_missing_path_fails_the_run_and_the_rest_is_judged() {
    let folder = folder(&[("good.sql", b"CREATE TABLE a (at timestamp PRIMARY KEY);")]);
    let run = run_in(folder.path(), ["check", "gone.sql", "good.sql"], b"");
    insta::assert_snapshot!(shown(&run));
    let run = run_in(folder.path(), ["check", "--format", "json", "gone", "good.sql"], b"");
    assert_eq!(run.code, 2);
    assert_eq!(json(&run)["summary"]["files"], 1);
    assert_eq!(json(&run)["errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn no_migrations_here() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = run_in(folder.path(), ["check"], b"");
    insta::assert_snapshot!(shown(&run));
}

// Bytes.

#[test]
fn bytes_that_are_not_utf8_are_an_error_with_the_place_and_other_files_are_judged() {
    let latin =
        b"CREATE TABLE a (id bigint PRIMARY KEY);\n-- \xc3\xa9t\xc3\xa9\nCOMMENT ON TABLE a IS '\xc3\xa9\xe9';\n";
    let folder = folder(&[("1.sql", latin), ("2.sql", b"CREATE TABLE b (at timestamp PRIMARY KEY);\n")]);
    let run = run_in(folder.path(), ["check", "--format", "json", "1.sql", "2.sql"], b"");
    assert_eq!(run.code, 2);
    let report = json(&run);
    let error = report["errors"][0].as_str().expect("an error");
    assert!(error.starts_with("1.sql:3:25: "), "{error}");
    assert_eq!(list(&report), ["1:20-1:29 info discouraged-types"]);
    assert_eq!(report["findings"][0]["file"], "2.sql");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    assert_eq!(
        findings(&[], "\u{feff}CREATE TABLE a (at timestamp PRIMARY KEY);"),
        ["1:20-1:29 info discouraged-types"]
    );
}

#[test]
fn lines_may_end_with_carriage_return() {
    let sql = "-- one\r\nCREATE TABLE a (\r\n    at timestamp PRIMARY KEY\r\n);\r\n";
    assert_eq!(findings(&[], sql), ["3:8-3:17 info discouraged-types"]);
    let run = check(&[], sql);
    assert!(!run.out.contains('\r'), "{:?}", run.out);
}

#[test]
fn columns_count_characters_and_both_ends_are_given() {
    let sql = "/* é 🐘 漢 */ CREATE TABLE \"bücher 🐘\" (at timestamp PRIMARY KEY);";
    let report = json(&check(&["--format", "json"], sql));
    let column = sql.find("timestamp").map(|at| sql[..at].chars().count() + 1).expect("there");
    assert_eq!(list(&report), [format!("1:{column}-1:{} info discouraged-types", column + 9)]);
    let run = check(&[], sql);
    insta::assert_snapshot!(run.out);
}

#[test]
fn texts_without_statements_are_clean() {
    for sql in ["", "\n\n", ";;\n;", "-- nothing\n", "/* nothing /* at */ all */", "\u{feff}"] {
        let run = check(&["--fail-on", "info"], sql);
        assert_eq!(run.code, 0, "{sql:?}: {}", run.out);
        assert!(
            run.out.starts_with("0 statements in 1 file, for PostgreSQL 14: 0 errors, 0 warnings, 0 infos\n"),
            "{sql:?}"
        );
    }
}

// psql and what else stands in files.

#[test]
fn psql_meta_commands_and_copy_data_are_stepped_over() {
    let sql = "\\set ON_ERROR_STOP on\n\\echo 'hello; DROP TABLE a'\nCREATE TABLE a (id bigint PRIMARY KEY, note text);\n\
        COPY a (id, note) FROM stdin;\n1\tit's; DROP TABLE a;\n2\t\\N\n\\.\n\n\\connect shop\nCREATE TABLE b (at timestamp PRIMARY KEY);\n";
    let report = json(&check(&["--format", "json"], sql));
    // From \connect on psql is in another database.
    assert_eq!(list(&report), ["9:1-9:14 warning unreadable-statement", "10:20-10:29 info discouraged-types"]);
    assert_eq!(report["summary"]["statements"], 4);
}

#[test]
fn a_typo_in_the_middle_hides_nothing() {
    let sql = "CREATE TABLE a (at timestamp PRIMARY KEY);\nALTER THING a ADD COLUMN b int;\nCREATE TABLE c (at timestamp PRIMARY KEY);\n";
    assert_eq!(
        findings(&[], sql),
        [
            "1:20-1:29 info discouraged-types",
            "2:7-2:12 warning unreadable-statement",
            "3:20-3:29 info discouraged-types"
        ]
    );
}

#[test]
fn an_open_quote_is_told_and_the_text_before_it_is_judged() {
    let found = findings(&[], "CREATE TABLE a (at timestamp PRIMARY KEY);\nSELECT 'open;\nSELECT 1;\n");
    assert_eq!(found.first().map(String::as_str), Some("1:20-1:29 info discouraged-types"));
    assert!(found[1].contains("refused-statement"), "{found:?}");
}

// Suppression.

#[test]
fn an_allow_comment_covers_the_statement_before_or_behind_it() {
    let before = "-- pgassay: allow(discouraged-types) local time is meant\nCREATE TABLE a (at timestamp PRIMARY KEY);";
    let behind = "CREATE TABLE a (at timestamp PRIMARY KEY); -- pgassay: allow(discouraged-types) local time is meant";
    let inside = "CREATE TABLE a (\n    -- pgassay: allow(discouraged-types) local time is meant\n    at timestamp PRIMARY KEY\n);";
    let file = "CREATE TABLE a (at timestamp PRIMARY KEY);\nCREATE TABLE b (at timestamp PRIMARY KEY);\n-- pgassay: allow-file(discouraged-types) local times";
    for sql in [before, behind, inside, file] {
        assert_eq!(findings(&[], sql), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn an_allow_comment_before_the_semicolon_is_inside_the_statement() {
    let sql = "CREATE TABLE a (at timestamp PRIMARY KEY)\n-- pgassay: allow(discouraged-types) local time\n/* ; */ ;\n\
        CREATE TABLE b (at timestamp PRIMARY KEY);";
    assert_eq!(findings(&[], sql), ["4:20-4:29 info discouraged-types"]);
}

#[test]
fn an_allow_comment_in_a_block_covers_a_statement_of_it() {
    let block = |tag: &str, behind: &str| {
        format!(
            "SET lock_timeout = '2s';\nDO {tag} BEGIN\n  -- pgassay: allow(dropped-data) empty\n  ALTER TABLE a DROP COLUMN b;\n  \
             ALTER TABLE a DROP COLUMN c;{behind}\nEND {tag};\n"
        )
    };
    let about = |sql: &str| -> Vec<String> {
        let all = findings(&["--history", "partial"], sql);
        all.into_iter().filter(|line| line.contains("dropped-data") || line.contains("suppression")).collect()
    };
    for tag in ["$$", "$body$", "'"] {
        let found = about(&block(tag, ""));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("5:") && found[0].ends_with("dropped-data"), "{found:?}");
        let found = about(&block(tag, " -- pgassay: allow(dropped-data, dropped-object) empty"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("5:") && found[0].ends_with("unused-suppression"), "{found:?}");
    }
}

#[test]
fn an_allow_comment_covers_nothing_else() {
    let sql = "-- pgassay: allow(discouraged-types) local time\nCREATE TABLE a (at timestamp PRIMARY KEY);\nCREATE TABLE b (at timestamp PRIMARY KEY);";
    assert_eq!(findings(&[], sql), ["3:20-3:29 info discouraged-types"]);
}

#[test]
fn unused_and_unknown_allow_comments_are_told() {
    let sql = "-- pgassay: allow(dropped-data) no reason\nCREATE TABLE a (id bigint PRIMARY KEY);\n\
        -- pgassay: allow(droped-data) no reason\nCREATE TABLE b (id bigint PRIMARY KEY);\n";
    let run = check(&[], sql);
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn an_allow_comment_in_a_string_is_text() {
    let sql = "CREATE TABLE notes (body text PRIMARY KEY DEFAULT '\n-- pgassay: allow-file(discouraged-types) not a comment\n');\n\
        COMMENT ON TABLE notes IS '-- pgassay: allow(discouraged-types)';\nCREATE TABLE a (at timestamp PRIMARY KEY);";
    assert_eq!(findings(&[], sql), ["5:20-5:29 info discouraged-types"]);
}

#[test]
fn an_allow_comment_covers_only_the_rules_it_names() {
    let sql = "CREATE TABLE a (id bigint PRIMARY KEY, b text);\n-- pgassay: allow(missing-lock-timeout, dropped-data) both\nDROP TABLE c;";
    let found = findings(&["--history", "complete"], sql);
    assert_eq!(
        found,
        [
            "2:19-2:39 warning unused-suppression",
            "2:41-2:53 warning unused-suppression",
            "3:12-3:13 error missing-object"
        ]
    );
}

// What exists before, and transactions.

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\nSET lock_timeout = 0;\n\
    SELECT pg_catalog.set_config('search_path', '', false);\n\n\
    CREATE TABLE public.orders (\n    id bigint NOT NULL,\n    note text\n);\n\n\
    ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n\n\\unrestrict abc\n";

#[test]
fn a_dump_as_base_says_what_exists_and_is_not_judged() {
    let folder = folder(&[
        ("dump.sql", DUMP.as_bytes()),
        ("new.sql", b"SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\nALTER TABLE orderz ADD COLUMN a int;\n"),
    ]);
    let run = run_in(folder.path(), ["check", "--base", "dump.sql", "--format", "json", "new.sql"], b"");
    let report = json(&run);
    assert_eq!(report["summary"]["files"], 1);
    let found = list(&report);
    assert!(found.contains(&"3:13-3:19 error missing-object".to_owned()), "{found:?}");
    let scan =
        report["findings"].as_array().expect("findings").iter().find(|finding| finding["rule"] == "blocking-scan");
    assert_eq!(scan.expect("a scan")["evidence"][0]["kind"], "declared");
    // Without the base nothing says that the tables are missing.
    let run = run_in(folder.path(), ["check", "--format", "json", "new.sql"], b"");
    let found = list(&json(&run));
    assert!(!found.iter().any(|finding| finding.contains("missing-object")), "{found:?}");
}

#[test]
fn a_base_that_cannot_be_read_fails_the_run() {
    let folder = folder(&[("new.sql", QUIET.as_bytes())]);
    let run = run_in(folder.path(), ["check", "--base", "gone.sql", "new.sql"], b"");
    assert_eq!(run.code, 2);
    insta::assert_snapshot!(shown(&run));
}

#[test]
fn transaction_modes_decide_what_fails() {
    let sql = "CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE INDEX CONCURRENTLY a_id ON a (id);";
    let forbidden =
        |arguments: &[&str]| findings(arguments, sql).iter().any(|found| found.contains("transaction-forbidden"));
    assert!(!forbidden(&[]) && !forbidden(&["--transaction", "none"]));
    assert!(forbidden(&["--transaction", "per-file"]));
}

#[test]
fn the_version_decides_what_is_done() {
    // A partition key's index is built for each partition only from where PARTITION BY is known; virtual columns came with 18.
    let sql = "CREATE TABLE a (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);";
    let version =
        |version: &str| json(&check(&["--pg-version", version, "--format", "json"], sql))["pg_version"].clone();
    assert_eq!((version("14"), version("18")), (14.into(), 18.into()));
}

// Output.

#[test]
fn pipes_get_no_escape_codes() {
    let run = run_in(repository(), ["check", "migrations-examples/shop"], b"");
    assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'));
    let run = run_in(repository(), ["rules", "blocking-rewrite"], b"");
    assert!(!run.out.contains('\u{1b}'));
}

#[test]
fn colours_can_be_asked_for_and_no_color_goes_before() {
    let coloured = |no_color: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        command.args(["check", "migrations-examples/shop"]).current_dir(repository()).env_remove("NO_COLOR");
        command.env("CLICOLOR_FORCE", "1").envs(no_color.map(|value| ("NO_COLOR", value)));
        command.output().expect("the binary runs").stdout.contains(&0x1b)
    };
    assert!(coloured(None));
    assert!(!coloured(Some("1")));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [["check", "migrations-examples/shop"].as_slice(), &["rules"], &["rules", "blocking-scan"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pgassay"))
            .args(arguments)
            .current_dir(repository())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("the binary ends");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{arguments:?}");
        assert!(done.status.code().is_some_and(|code| code < 2), "{arguments:?}: {}", done.status);
    }
}

#[test]
fn help() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut all = String::new();
    for arguments in [["--help"].as_slice(), &["check", "--help"], &["rules", "--help"]] {
        let run = run_in(folder.path(), arguments, b"");
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        all.push_str(&format!("$ pgassay {}\n{}\n", arguments.join(" "), run.out));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn version() {
    let run = run_in(repository(), ["--version"], b"");
    assert_eq!((run.code, run.out.as_str()), (0, "pgassay [version]\n"));
}

#[test]
fn list_of_rules() {
    let run = run_in(repository(), ["rules"], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(run.out);
}

#[test]
fn one_rule_explained() {
    let run = run_in(repository(), ["rules", "validate-in-same-transaction"], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    insta::assert_snapshot!(run.out);
}

#[test]
fn standard_input_goes_by_the_name_of_a_file_and_follows_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("a folder");
    std::fs::write(migrations.join("000001_t.up.sql"), "CREATE TABLE t (id bigint PRIMARY KEY, v text);")
        .expect("a file");
    let text = b"SET lock_timeout = '2s';\nALTER TABLE t DROP COLUMN v;\nALTER TABLE t DROP COLUMN nope;";
    let name = "migrations/000002_v.up.sql";
    let told = |saved: bool| {
        if saved {
            std::fs::write(folder.path().join(name), "SELECT 1;").expect("a file");
        }
        let arguments = ["check", "--no-config", "--format", "json", "--history", "complete", "--stdin-filename", name];
        let run = run_in(folder.path(), arguments, text);
        let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.err));
        let findings = report["findings"].as_array().expect("findings").iter();
        let errors = findings.filter(|finding| finding["severity"] == "error");
        errors.map(|finding| format!("{} {}", finding["rule"], finding["file"]).replace('"', "")).collect::<Vec<_>>()
    };
    let both = [format!("dropped-data {name}"), format!("missing-object {name}")];
    assert_eq!(told(false), both, "not saved yet");
    assert_eq!(told(true), both, "saved with another text");
}
