//! `pgassay lsp` as an editor meets it: messages over pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::repository::write_all;

/// An editor with one folder.
struct Editor {
    folder: TempDir,
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: i64,
}

impl Editor {
    fn new(files: &[(&str, &str)]) -> Editor {
        Editor::with(files, json!({}))
    }

    fn with(files: &[(&str, &str)], capabilities: Value) -> Editor {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_all(folder.path(), files);
        Editor::over(folder, capabilities)
    }

    fn over(folder: TempDir, capabilities: Value) -> Editor {
        let mut server = Command::new(env!("CARGO_BIN_EXE_pgassay"))
            .arg("lsp")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let input = server.stdin.take().expect("a pipe");
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut editor = Editor { folder, server, input, output, next: 1 };
        let root = uri(&editor.path(""));
        let started = editor.ask("initialize", json!({ "rootUri": root, "capabilities": capabilities }));
        assert_eq!(started["serverInfo"]["name"], "pgassay");
        editor.say("initialized", json!({}));
        editor
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("a path").join(name)
    }

    fn uri(&self, name: &str) -> String {
        uri(&self.path(name))
    }

    fn raw(&mut self, body: &[u8]) {
        write!(self.input, "Content-Length: {}\r\n\r\n", body.len()).expect("a server that listens");
        self.input.write_all(body).expect("a server that listens");
        self.input.flush().expect("a server that listens");
    }

    fn say(&mut self, method: &str, params: Value) {
        self.raw(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string().as_bytes());
    }

    fn send(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.raw(message.to_string().as_bytes());
        id
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("output") > 0, "the server has gone");
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().expect("a length")
                }
                _ if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// The whole response.
    fn response(&mut self, id: i64) -> Value {
        loop {
            let message = self.read();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let response = self.response(id);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    fn open(&mut self, name: &str, text: &str) {
        let document = json!({ "uri": self.uri(name), "languageId": "sql", "version": 1, "text": text });
        self.say("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, name: &str, version: i64, changes: Value) {
        let document = json!({ "uri": self.uri(name), "version": version });
        self.say("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The next diagnostics of a file, as "line:from-to severity rule".
    fn diagnostics(&mut self, name: &str) -> Vec<String> {
        let uri = self.uri(name);
        loop {
            let message = self.read();
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri.as_str() {
                let all = message["params"]["diagnostics"].as_array().expect("diagnostics").clone();
                return all.iter().map(line).collect();
            }
        }
    }

    fn at(&self, name: &str, line: u32, character: u32) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) }, "position": { "line": line, "character": character } })
    }

    fn leave(mut self) -> i32 {
        self.ask("shutdown", Value::Null);
        self.say("exit", Value::Null);
        self.server.wait().expect("an end").code().expect("no signal")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn line(diagnostic: &Value) -> String {
    let range = &diagnostic["range"];
    format!(
        "{}:{}-{} {} {}",
        range["start"]["line"],
        range["start"]["character"],
        range["end"]["character"],
        diagnostic["severity"],
        diagnostic["code"].as_str().unwrap_or_default()
    )
}

const START: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, email text);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text);\n";
const FIRST: &str = "migrations/0001_start.up.sql";
const SECOND: &str = "migrations/0002_change.up.sql";
const THIRD: &str = "migrations/0003_more.up.sql";

fn shop() -> Editor {
    Editor::new(&[(FIRST, START), (SECOND, "SELECT 1;\n")])
}

#[test]
fn diagnostics_are_those_of_the_unsaved_text_on_the_history() {
    let mut editor = shop();
    editor.open(SECOND, "SELECT 1;\n");
    assert_eq!(editor.diagnostics(SECOND), [""; 0]);
    let text =
        "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN id TYPE text;\nSELECT phone FROM customers;\n";
    editor.change(SECOND, 2, json!([{ "text": text }]));
    let found = editor.diagnostics(SECOND);
    assert!(found.iter().any(|it| it.starts_with("1:") && it.ends_with("1 blocking-rewrite")), "{found:?}");
    assert!(found.iter().any(|it| it.starts_with("2:7-12 1")), "{found:?}");
    // The column that an unsaved change of the first file makes is there.
    editor.open(FIRST, &START.replace("email text", "email text, phone text"));
    editor.diagnostics(FIRST);
    let found = editor.diagnostics(SECOND);
    assert!(!found.iter().any(|it| it.starts_with("2:7-12")), "{found:?}");
    assert_eq!(editor.leave(), 0);
}

#[test]
fn a_new_file_that_is_not_saved_has_its_place_in_the_history() {
    let mut editor = shop();
    editor.open(THIRD, "ALTER TABLE customers DROP COLUMN email;\n");
    let found = editor.diagnostics(THIRD);
    assert!(found.iter().any(|it| it.ends_with("dropped-data") || it.ends_with("breaking-change")), "{found:?}");
    assert!(!found.iter().any(|it| it.contains("missing-object")), "{found:?}");
}

#[test]
fn files_that_change_on_the_disk_are_seen_by_those_after_them() {
    let (first, second) = ("migrations/0001_a.sql", "migrations/0002_b.sql");
    let made = "CREATE TABLE a (id bigint PRIMARY KEY, n text);\n";
    let mut editor = Editor::new(&[(first, made), (second, "SELECT 1;\n")]);
    editor.open(second, "SET lock_timeout = '1s';\nALTER TABLE a ALTER COLUMN m SET NOT NULL;\n");
    assert!(editor.diagnostics(second).iter().any(|line| line.contains("missing-object")));
    std::fs::write(editor.path(first), made.replace("n text", "n text, m text")).expect("a file");
    let changed = |editor: &Editor, name: &str, kind: i32| json!({ "uri": editor.uri(name), "type": kind });
    let event = changed(&editor, first, 2);
    // What is open is known by its text.
    let own = changed(&editor, second, 2);
    editor.say("workspace/didChangeWatchedFiles", json!({ "changes": [own, event] }));
    assert!(editor.diagnostics(second).iter().any(|line| line.contains("blocking-scan")));
    std::fs::write(editor.path("migrations/0003_c.sql"), "SELECT 1;\n").expect("a file");
    std::fs::remove_file(editor.path(first)).expect("a file");
    let gone = [changed(&editor, first, 3), changed(&editor, "migrations/0003_c.sql", 1)];
    editor.say("workspace/didChangeWatchedFiles", json!({ "changes": gone }));
    assert!(!editor.diagnostics(second).iter().any(|line| line.contains("missing-object")));
    assert_eq!(editor.leave(), 0);
}

#[test]
fn a_file_outside_of_any_history_is_judged_alone() {
    let mut editor = shop();
    editor.open("queries/report.sql", "SELECT anything FROM somewhere;\nALTER TABLE somewhere ALTER a TYPE bigint;\n");
    let found = editor.diagnostics("queries/report.sql");
    assert!(found.iter().all(|it| !it.contains("missing-object")), "{found:?}");
    assert!(found.iter().any(|it| it.starts_with("1:")), "{found:?}");
    // A way back is no migration that runs.
    editor.open("migrations/0002_change.down.sql", "DROP TABLE orders;\n");
    assert_eq!(editor.diagnostics("migrations/0002_change.down.sql"), [""; 0]);
}

#[test]
fn positions_are_in_utf_16_and_edits_are_where_they_are() {
    let mut editor = shop();
    editor.open(SECOND, "/* 𝄞é */ SELECT x FROM customers;\n");
    let found = editor.diagnostics(SECOND);
    assert!(found.iter().any(|it| it.starts_with("0:17-18")), "{found:?}");
    // `x` becomes `email`: one unit of UTF-16 after two of the clef.
    let range = json!({ "start": { "line": 0, "character": 17 }, "end": { "line": 0, "character": 18 } });
    editor.change(SECOND, 2, json!([{ "range": range, "text": "email" }]));
    assert_eq!(editor.diagnostics(SECOND), [""; 0]);
}

#[test]
fn a_client_that_counts_bytes_is_answered_in_bytes() {
    let capabilities = json!({ "general": { "positionEncodings": ["utf-8", "utf-16"] } });
    let mut editor = Editor::with(&[(FIRST, START), (SECOND, "")], capabilities);
    editor.open(SECOND, "/* 𝄞é */ SELECT x FROM customers;\n");
    let found = editor.diagnostics(SECOND);
    assert!(found.iter().any(|it| it.starts_with("0:20-21")), "{found:?}");
}

#[test]
fn hover_hints_and_symbols_say_what_a_statement_does() {
    let mut editor = shop();
    editor.open(
        SECOND,
        "ALTER TABLE orders\n  ALTER COLUMN id TYPE text;\nCREATE INDEX CONCURRENTLY ON customers (email);\n",
    );
    let place = editor.at(SECOND, 1, 5);
    let hover = editor.ask("textDocument/hover", place);
    let text = hover["contents"]["value"].as_str().expect("text").to_owned();
    assert!(text.contains("ACCESS EXCLUSIVE on public.orders") && text.contains("rewrites public.orders"), "{text}");
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let document = json!({ "uri": editor.uri(SECOND) });
    let hints = editor.ask("textDocument/inlayHint", json!({ "textDocument": document, "range": whole }));
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|it| it["label"].as_str().unwrap()).collect();
    assert!(labels[0].starts_with("ACCESS EXCLUSIVE on public.orders; rewrite"), "{labels:?}");
    assert!(labels[1].starts_with("SHARE UPDATE EXCLUSIVE on public.customers; "), "{labels:?}");
    assert!(labels[1].ends_with("index build"), "{labels:?}");
    let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": document }));
    assert_eq!(symbols[0]["name"], "ALTER TABLE orders ALTER COLUMN id TYPE text");
    assert_eq!(symbols.as_array().unwrap().len(), 2);
}

#[test]
fn names_lead_to_their_definitions_and_later_changes() {
    let mut editor = Editor::new(&[
        (FIRST, START),
        (SECOND, "ALTER TABLE customers ADD COLUMN phone text;\nCREATE INDEX ON orders (note);\n"),
        (THIRD, "SELECT c.phone, c.email FROM customers c;\n"),
    ]);
    editor.open(THIRD, "SELECT c.phone, c.email FROM customers c;\n");
    let mut definition = |line, character| {
        let place = editor.at(THIRD, line, character);
        let found = editor.ask("textDocument/definition", place);
        let file = found["uri"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        format!("{file}:{}:{}", found["range"]["start"]["line"], found["range"]["start"]["character"])
    };
    assert_eq!(definition(0, 10), "0002_change.up.sql:0:33");
    assert_eq!(definition(0, 19), "0001_start.up.sql:0:47");
    assert_eq!(definition(0, 31), "0001_start.up.sql:0:13");
    let mut place = editor.at(THIRD, 0, 31);
    place["context"] = json!({ "includeDeclaration": true });
    let found = editor.ask("textDocument/references", place);
    let lines: Vec<String> = found
        .as_array()
        .expect("places")
        .iter()
        .map(|it| {
            format!("{}:{}", it["uri"].as_str().unwrap().rsplit('/').next().unwrap(), it["range"]["start"]["line"])
        })
        .collect();
    assert_eq!(lines, ["0001_start.up.sql:0", "0002_change.up.sql:0"]);
}

#[test]
fn names_are_completed_from_the_schema_at_that_point() {
    let mut editor = shop();
    editor.open(SECOND, "ALTER TABLE customers ADD COLUMN phone text;\nSELECT c. FROM customers c;\nSELECT * FROM ");
    let mut labels = |line, character| -> Vec<String> {
        let place = editor.at(SECOND, line, character);
        let found = editor.ask("textDocument/completion", place);
        let items = found.as_array().expect("items").clone();
        items.iter().map(|it| it["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(1, 9), ["id", "email", "phone"]);
    assert_eq!(labels(2, 14), ["customers", "orders"]);
}

#[test]
fn actions_write_the_steps_and_allow_with_a_comment() {
    let mut editor = Editor::new(&[(FIRST, START), (SECOND, "")]);
    editor.open(SECOND, "CREATE INDEX ON orders (note);\n");
    let found = editor.diagnostics(SECOND);
    assert!(found.iter().any(|it| it.ends_with("blocking-index-build")), "{found:?}");
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 30 } });
    let document = json!({ "uri": editor.uri(SECOND) });
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
    );
    let actions = actions.as_array().expect("actions").clone();
    let own = editor.uri(SECOND);
    let edit = |title: &str| -> String {
        let action = actions.iter().find(|it| it["title"].as_str().unwrap().starts_with(title));
        let action = action.unwrap_or_else(|| panic!("{title}: {actions:?}"));
        action["edit"]["changes"][own.as_str()][0]["newText"].as_str().expect("a text").to_owned()
    };
    assert!(edit("Do it in").contains("CONCURRENTLY"), "{actions:?}");
    assert_eq!(edit("Allow blocking-index-build"), "-- pgassay: allow(blocking-index-build)\n");
    // What the action writes is heard.
    editor.change(
        SECOND,
        2,
        json!([{ "text": "-- pgassay: allow(blocking-index-build)\nCREATE INDEX ON orders (note);\n" }]),
    );
    let found = editor.diagnostics(SECOND);
    assert!(!found.iter().any(|it| it.ends_with("blocking-index-build")), "{found:?}");
}

#[test]
fn a_configuration_holds_and_the_baseline_is_left_out() {
    let config = "[rules]\nblocking-index-build = \"off\"\n";
    let mut editor = Editor::new(&[("pgassay.toml", config), (FIRST, START), (SECOND, "")]);
    editor.open(SECOND, "CREATE INDEX ON orders (note);\n");
    let found = editor.diagnostics(SECOND);
    assert!(!found.iter().any(|it| it.ends_with("blocking-index-build")), "{found:?}");
}

#[test]
fn bad_messages_and_cancelled_requests_leave_the_server_alive() {
    let mut editor = shop();
    editor.raw(b"{ this is no JSON");
    editor.raw(&[0xff, 0xfe, 0x00]);
    editor.raw(b"[]");
    editor.say("textDocument/didChange", json!({ "textDocument": 7 }));
    editor.say(
        "textDocument/didChange",
        json!({
            "textDocument": { "uri": "file:///not/open.sql", "version": 1 }, "contentChanges": [{ "text": "x" }],
        }),
    );
    editor.say(
        "textDocument/didOpen",
        json!({
            "textDocument": { "uri": "untitled:Untitled-1", "languageId": "sql", "version": 1, "text": "SELECT '" },
        }),
    );
    let id = editor.send("textDocument/hover", json!({ "position": "nowhere" }));
    assert_eq!(editor.response(id)["error"]["code"], -32602);
    let id = editor.send("textDocument/rename", json!({}));
    assert_eq!(editor.response(id)["error"]["code"], -32601);
    editor.open(SECOND, "SELECT 1;\n");
    let place = editor.at(SECOND, 4_000_000, 4_000_000);
    editor.ask("textDocument/hover", place.clone());
    // A request that is cancelled is answered all the same, one way or the other.
    let id = editor.send("textDocument/hover", place);
    editor.say("$/cancelRequest", json!({ "id": id }));
    let response = editor.response(id);
    assert!(response.get("result").is_some() || response["error"]["code"] == -32800, "{response}");
    assert_eq!(editor.leave(), 0);
}

/// Every file below a folder of the repository's examples.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let target = to.join(entry.file_name().expect("a name"));
        match entry.is_dir() {
            true => copy(&entry, &target),
            false => std::fs::copy(&entry, &target).map(drop).expect("a file"),
        }
    }
}

/// The rules that `pgassay check` reports, by file.
fn checked(folder: &Path) -> std::collections::BTreeMap<String, Vec<String>> {
    let run = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .args(["check", "--format", "json"])
        .current_dir(folder)
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&run.stdout).unwrap_or_default();
    let mut found = std::collections::BTreeMap::<String, Vec<String>>::new();
    for statement in report["statements"].as_array().into_iter().flatten() {
        found.entry(statement["file"].as_str().expect("a file").to_owned()).or_default();
    }
    for finding in report["findings"].as_array().into_iter().flatten() {
        let rule = finding["rule"].as_str().expect("a rule").to_owned();
        found.entry(finding["file"].as_str().expect("a file").to_owned()).or_default().push(rule);
    }
    found
}

#[test]
fn the_editor_is_told_what_check_says() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations-examples");
    let tools =
        std::fs::read_dir(examples.join("frameworks")).expect("examples").map(|entry| entry.expect("one").path());
    let mut files = 0;
    for project in tools.chain([examples.join("shop")]) {
        // One transaction around all: check runs the old migrations in it too, an editor takes them to have run before.
        if project.ends_with("drizzle") {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&project, folder.path());
        std::fs::create_dir_all(folder.path().join(".git")).expect("a folder");
        let wanted = checked(folder.path());
        let mut editor = Editor::over(folder, json!({}));
        for (file, mut rules) in wanted {
            let text = std::fs::read_to_string(editor.path(&file)).expect("a file");
            editor.open(&file, text.trim_start_matches('\u{feff}'));
            let mut told: Vec<String> = editor
                .diagnostics(&file)
                .iter()
                .map(|it| it.rsplit(' ').next().unwrap_or_default().to_owned())
                .collect();
            told.sort();
            rules.sort();
            assert_eq!(told, rules, "{} {file}", project.display());
            editor.say("textDocument/didClose", json!({ "textDocument": { "uri": editor.uri(&file) } }));
            files += 1;
        }
    }
    assert!(files > 50, "{files} files");
}
