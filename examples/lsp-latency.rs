//! How long an editor waits: time from a change of the last migration to its diagnostics, and for answers, by the length of the history.
//!
//!     cargo build --release && cargo run --release --example lsp-latency -- target/release/pgassay [NUMBER …]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const ROUNDS: usize = 60;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let binary = PathBuf::from(arguments.next().unwrap_or_else(|| "target/release/pgassay".to_owned()));
    let numbers: Vec<usize> = arguments.filter_map(|number| number.parse().ok()).collect();
    let numbers = if numbers.is_empty() { vec![100, 1000, 5000] } else { numbers };
    println!(
        "migrations  first answer  change, median  change, worst  middle, median  hover  completion  references  memory"
    );
    for number in numbers {
        measure(&binary, number)?;
    }
    Ok(())
}

/// Every tenth migration makes a table, the others change one.
fn migration(number: usize) -> String {
    let table = number / 10;
    match number % 10 {
        0 => format!(
            "CREATE TABLE things_{table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, state text, at timestamptz DEFAULT now());\n"
        ),
        1 => format!("CREATE INDEX CONCURRENTLY things_{table}_name ON things_{table} (name);\n"),
        2 if table > 0 => {
            format!("ALTER TABLE things_{table} ADD COLUMN other_id bigint REFERENCES things_{};\n", table - 1)
        }
        3 => format!("CREATE VIEW named_{table} AS SELECT id, name FROM things_{table};\n"),
        more => format!("ALTER TABLE things_{table} ADD COLUMN more_{more} integer;\n"),
    }
}

fn measure(binary: &Path, number: usize) -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().canonicalize()?;
    let migrations = root.join("migrations");
    std::fs::create_dir(&migrations)?;
    let name = |number: usize| migrations.join(format!("{number:06}_step.up.sql"));
    for step in 0..number {
        std::fs::write(name(step), migration(step))?;
    }
    let mut editor = Editor::start(binary, &root)?;
    let last = name(number - 1);
    let begun = Instant::now();
    editor.open(&last, "SELECT 1;\n")?;
    editor.diagnostics(&last)?;
    let first = begun.elapsed();
    let table = (number - 1) / 10;
    let text = |round: usize| {
        format!(
            "ALTER TABLE things_{table} ALTER COLUMN id TYPE numeric({});\nSELECT name FROM things_{table};\n",
            round + 20
        )
    };
    let mut changes = editor.rounds(&last, text)?;
    let hover = editor.timed("textDocument/hover", place(&last, 0, 14))?;
    let completion = editor.timed("textDocument/completion", place(&last, 1, 8))?;
    let mut references = place(&last, 1, 20);
    references["context"] = json!({ "includeDeclaration": true });
    let references = editor.timed("textDocument/references", references)?;
    let memory = editor.memory();
    let middle = name(number / 2);
    editor.open(&middle, &migration(number / 2))?;
    editor.diagnostics(&middle)?;
    let mut inside = editor.rounds(&middle, |round| format!("{}-- {round}\n", migration(number / 2)))?;
    changes.sort();
    inside.sort();
    println!(
        "{number:>10}  {:>12}  {:>14}  {:>13}  {:>14}  {:>5}  {:>10}  {:>10}  {memory}",
        shown(first),
        shown(changes[changes.len() / 2]),
        shown(changes[changes.len() - 1]),
        shown(inside[inside.len() / 2]),
        shown(hover),
        shown(completion),
        shown(references),
    );
    editor.server.kill()?;
    editor.server.wait()?;
    Ok(())
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn place(path: &Path, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": character } })
}

struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: i64,
}

impl Editor {
    fn start(binary: &Path, root: &Path) -> std::io::Result<Editor> {
        let mut server = Command::new(binary).arg("lsp").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (server.stdin.take(), server.stdout.take()) else {
            return Err(std::io::Error::other("the server has no pipes"));
        };
        let mut editor = Editor { server, input, output: BufReader::new(output), next: 0 };
        editor.timed("initialize", json!({ "rootUri": uri(root), "capabilities": {} }))?;
        Ok(editor)
    }

    fn say(&mut self, message: &Value) -> std::io::Result<()> {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.input.flush()
    }

    fn read(&mut self) -> std::io::Result<Value> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().map_err(std::io::Error::other)?,
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }

    fn timed(&mut self, method: &str, params: Value) -> std::io::Result<Duration> {
        self.next += 1;
        let id = self.next;
        let begun = Instant::now();
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        while self.read()?["id"] != id {}
        Ok(begun.elapsed())
    }

    fn open(&mut self, path: &Path, text: &str) -> std::io::Result<()> {
        let document = json!({ "uri": uri(path), "languageId": "sql", "version": 1, "text": text });
        self.say(&json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document } }))
    }

    fn diagnostics(&mut self, path: &Path) -> std::io::Result<()> {
        loop {
            let message = self.read()?;
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri(path) {
                return Ok(());
            }
        }
    }

    /// Changes the text again and again, each time until its diagnostics are there.
    fn rounds(&mut self, path: &Path, text: impl Fn(usize) -> String) -> std::io::Result<Vec<Duration>> {
        let mut times = Vec::new();
        for round in 0..ROUNDS {
            let document = json!({ "uri": uri(path), "version": round + 2 });
            let params = json!({ "textDocument": document, "contentChanges": [{ "text": text(round) }] });
            let begun = Instant::now();
            self.say(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }))?;
            self.diagnostics(path)?;
            times.push(begun.elapsed());
        }
        Ok(times)
    }

    /// Of the server, where the system says it.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.map(|line| line.trim().to_owned()).unwrap_or_default()
    }
}
