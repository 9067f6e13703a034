//! `pgassay mcp` as a coding agent meets it: a line of JSON a message.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::repository::write_all;

struct Agent {
    folder: TempDir,
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: i64,
}

impl Agent {
    fn new(files: &[(&str, &str)]) -> Agent {
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_all(folder.path(), files);
        let mut server = Command::new(env!("CARGO_BIN_EXE_pgassay"))
            .arg("mcp")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let input = server.stdin.take().expect("a pipe");
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut agent = Agent { folder, server, input, output, next: 1 };
        let client = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let started = agent.ask("initialize", client);
        assert_eq!(started["result"]["serverInfo"]["name"], "pgassay");
        agent.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn say(&mut self, message: Value) {
        writeln!(self.input, "{message}").expect("a server that listens");
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.say(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("output") > 0, "the server has gone");
            let message: Value = serde_json::from_str(&line).expect("JSON");
            if message["id"] == id {
                return message;
            }
        }
    }

    /// The result of a tool.
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    fn answer(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        result["structuredContent"].clone()
    }

    fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

const START: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, email varchar(100), note text);\nCREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, price real);\n";

fn shop() -> Agent {
    Agent::new(&[
        ("migrations/0001_start.up.sql", START),
        ("migrations/0001_start.down.sql", "DROP TABLE orders, customers;"),
    ])
}

fn rules(answer: &Value) -> Vec<String> {
    let findings = answer["findings"].as_array().expect("findings");
    findings.iter().map(|it| it["rule"].as_str().expect("a rule").to_owned()).collect()
}

#[test]
fn the_tools_are_read_only_and_described() {
    let mut agent = shop();
    let listed = agent.ask("tools/list", json!({}));
    let tools = listed["result"]["tools"].as_array().expect("tools").clone();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["audit_table", "check_migration", "explain_statement", "read_plan", "rules", "safe_plan", "schema_at"]
    );
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert!(tool["description"].as_str().unwrap().len() > 30, "{tool}");
    }
}

#[test]
fn a_migration_that_is_not_written_is_judged_in_its_place() {
    let mut agent = shop();
    let path = "migrations/0002_change.up.sql";
    let sql = "ALTER TABLE customers ALTER COLUMN email TYPE integer USING length(email);";
    let answer = agent.answer("check_migration", json!({ "sql": sql, "path": path }));
    assert!(answer["verdict"].as_str().unwrap().starts_with("error"), "{answer}");
    assert!(rules(&answer).contains(&"blocking-rewrite".to_owned()), "{answer}");
    assert_eq!(answer["findings"][0]["file"], path);
    assert_eq!(answer["judgedOn"]["histories"][0]["tool"], "golang-migrate");
    assert!(!agent.folder.path().join(path).exists());
    let clean =
        agent.answer("check_migration", json!({ "sql": "CREATE TABLE notes (id bigint PRIMARY KEY);", "path": path }));
    assert_eq!(clean["verdict"], "clean", "{clean}");
}

#[test]
fn files_are_judged_as_they_are_and_what_was_not_looked_at_is_said() {
    let mut agent = Agent::new(&[("migrations/0001_start.up.sql", START), ("other/x.sql", "DROP TABLE a;")]);
    let answer = agent.answer("check_migration", json!({ "files": ["migrations/0001_start.up.sql", "other/x.sql"] }));
    let missing = answer["notLookedAt"].as_array().expect("lines").clone();
    assert!(missing.iter().any(|line| line.as_str().unwrap().contains("other/x.sql")), "{missing:?}");
    assert!(agent.refusal("check_migration", json!({ "files": ["nothing.sql"] })).contains("nothing.sql"));
    assert!(agent.refusal("check_migration", json!({})).contains("sql"));
}

#[test]
fn plans_have_ordered_steps_with_their_transactions() {
    let mut agent = shop();
    let plan = agent.answer("safe_plan", json!({ "intent": "make_not_null", "table": "customers", "column": "note" }));
    assert_eq!(plan["naiveStatement"], "ALTER TABLE customers ALTER COLUMN note SET NOT NULL;");
    let steps: Vec<&str> = plan["steps"].as_array().unwrap().iter().map(|it| it["sql"].as_str().unwrap()).collect();
    let position = |wanted: &str| steps.iter().position(|step| step.contains(wanted));
    assert!(position("NOT VALID") < position("VALIDATE CONSTRAINT"), "{steps:?}");
    assert!(position("VALIDATE CONSTRAINT") < position("SET NOT NULL"), "{steps:?}");
    let index = agent.answer("safe_plan", json!({ "intent": "add_index", "table": "orders", "column": "customer_id" }));
    assert!(index["steps"][0]["sql"].as_str().unwrap().contains("CONCURRENTLY"), "{index}");
    assert!(index["steps"][0]["transaction"].as_str().unwrap().starts_with("outside"), "{index}");
    let widen = agent.answer(
        "safe_plan",
        json!({ "intent": "change_type", "table": "customers", "column": "email", "data_type": "varchar(200)" }),
    );
    assert!(widen["verdict"].as_str().unwrap().starts_with("safe"), "{widen}");
    let missing =
        agent.answer("safe_plan", json!({ "intent": "drop_column", "table": "customers", "column": "phone" }));
    assert_eq!(missing["verdict"], "the server refuses it");
    let sneaky = json!({ "intent": "add_check", "table": "orders", "check": "true); DROP TABLE orders; SELECT (1" });
    assert!(agent.refusal("safe_plan", sneaky).contains("not one statement"));
}

#[test]
fn statements_the_schema_and_the_audit_are_answered() {
    let mut agent = shop();
    let explained = agent.answer("explain_statement", json!({ "sql": "TRUNCATE orders" }));
    assert_eq!(explained["statements"][0]["locks"][0]["mode"], "ACCESS EXCLUSIVE");
    let list = agent.answer("schema_at", json!({}));
    let names: Vec<&str> =
        list["relations"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["public.customers", "public.orders"]);
    let table = agent.answer("schema_at", json!({ "table": "customers" }));
    let email = &table["tables"][0]["columns"][1];
    assert_eq!((email["name"].as_str(), email["type"].as_str()), (Some("email"), Some("character varying(100)")));
    assert_eq!(email["definedAt"], "migrations/0001_start.up.sql:1");
    assert!(agent.refusal("schema_at", json!({ "table": "custommers" })).contains("did you mean customers?"));
    let audit = agent.answer("audit_table", json!({ "table": "orders" }));
    assert!(rules(&audit).iter().any(|rule| rule.contains("money")), "{audit}");
    assert!(agent.refusal("audit_table", json!({ "table": "nothing" })).contains("no table"));
}

#[test]
fn plans_and_rules_are_read() {
    let mut agent = shop();
    let plan = "Seq Scan on orders  (cost=0.00..35811.00 rows=1 width=16) (actual time=200.1..403.2 rows=1 loops=1)\n  Filter: (customer_id = 7)\n  Rows Removed by Filter: 1999999\nExecution Time: 403.5 ms\n";
    let read = agent.answer("read_plan", json!({ "plan": plan }));
    assert!(!read["plans"][0]["tips"].as_array().unwrap().is_empty(), "{read}");
    assert!(agent.refusal("read_plan", json!({ "plan": "hello" })).contains("plan"));
    let rules = agent.answer("rules", json!({}));
    assert!(rules["rules"].as_array().unwrap().len() > 50);
    let one = agent.answer("rules", json!({ "rule": "blocking-rewrite" }));
    assert!(one["fires"]["migration"].as_str().unwrap().contains("ALTER TABLE"), "{one}");
    assert!(agent.refusal("rules", json!({ "rule": "blocking-rewrit" })).contains("blocking-rewrite"));
}

#[test]
fn nothing_outside_of_the_roots_is_read() {
    let mut agent = shop();
    for path in ["../secret.sql", "/etc/passwd", "migrations/../../x.sql"] {
        let refused = agent.refusal("check_migration", json!({ "files": [path] }));
        assert!(refused.contains("not below"), "{refused}");
    }
    assert!(agent.refusal("schema_at", json!({ "project": "/" })).contains("not below"));
    std::fs::write(agent.folder.path().join("pgassay.toml"), "base = [\"/etc/passwd\"]\n").expect("a file");
    assert!(agent.refusal("schema_at", json!({})).contains("not below"));
}

#[test]
fn a_bad_call_leaves_the_server_alive() {
    let mut agent = shop();
    agent.say(json!({ "jsonrpc": "2.0", "id": 77 }));
    let unknown = agent.ask("tools/call", json!({ "name": "run_sql", "arguments": { "sql": "SELECT 1" } }));
    assert!(unknown.get("error").is_some() || unknown["result"]["isError"] == true, "{unknown}");
    let wrong = agent.ask("tools/call", json!({ "name": "safe_plan", "arguments": { "intent": "destroy" } }));
    assert!(wrong.get("error").is_some() || wrong["result"]["isError"] == true, "{wrong}");
    assert!(agent.answer("rules", json!({}))["rules"].is_array());
}
