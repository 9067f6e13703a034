//! Index problems, each with its table, its query and what an expert would do; and advice that would do harm. All are asked at once, of one database.

use std::process::{Command, Output};

use crate::support::servers;
use pgassay::shadow::{Options, Server};
use serde_json::Value;

const SETUP: &str = include_str!("indexes/setup.sql");
const QUERIES: &str = include_str!("indexes/queries.sql");

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.args(arguments).env("NO_COLOR", "1");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") && name != "PGASSAY_SERVERS") {
        command.env_remove(name);
    }
    command.output().expect("pgassay runs")
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[&["queries", "--format", "json"], arguments].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).expect("JSON")
}

/// A statement of the file with what is wanted: `-- want: orders (a, b)`, `-- want: nothing`, `-- want: observed page-by-offset`.
struct Case {
    query: String,
    wanted: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    for part in QUERIES.split(";\n").filter(|part| !part.trim().is_empty()) {
        let wanted = part.lines().filter_map(|line| line.strip_prefix("-- want: "));
        let query: Vec<&str> = part.lines().filter(|line| !line.starts_with("--") && !line.trim().is_empty()).collect();
        found.push(Case { query: query.join("\n"), wanted: wanted.map(str::to_owned).collect() });
    }
    found
}

#[test]
fn what_an_expert_would_index_is_advised_and_nothing_else() {
    let installation = servers::of_versions(&[15]).remove(0);
    // The same statistics for every run of this test.
    let settings = [("max_parallel_workers_per_gather", "0"), ("autovacuum", "off")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let server = Server::start(&installation, &Options { settings, ..Options::default() }).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        for statement in SETUP.split(";\n").filter(|it| !it.trim().is_empty()) {
            session.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        session.close().await;
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("queries.sql");
    std::fs::write(&file, QUERIES).expect("a file");
    let file = file.display().to_string();
    let url = format!("host={} user=postgres dbname=postgres", server.data().parent().expect("a folder").display());
    let asked = ["--db", &url, "--queries", &file, "--planner", "twin"];
    let report = json(&asked);
    every_case_is_answered(&report);
    more_room_is_never_worse(&asked);
    nothing_planned_is_a_failure(&url, folder.path());
    first_things_come_first(&asked);
    let count = |database: &str| -> i64 {
        runtime.block_on(async {
            let session = server.connect(database).await.expect("a session");
            let row = session.query_one("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'", &[]).await;
            let count = row.expect("a count").get(0);
            session.close().await;
            count
        })
    };
    runtime.block_on(async {
        let session = server.connect("template1").await.expect("a session");
        session.batch_execute("CREATE DATABASE copy TEMPLATE postgres").await.expect("a copy");
        session.close().await;
    });
    let copy = url.replace("dbname=postgres", "dbname=copy");
    let before = count("copy");
    advice_is_measured_on_a_copy(&asked, &url, &copy);
    advice_is_measured_on_a_dump(&asked, &url, folder.path());
    assert_eq!(count("copy"), before, "what was made for measuring is dropped");
    assert_eq!(count("postgres"), before);
}

/// A dump stands in for a copy.
fn advice_is_measured_on_a_dump(asked: &[&str], url: &str, folder: &std::path::Path) {
    for (format, name) in [("plain", "shop.sql"), ("custom", "shop.dump")] {
        let file = folder.join(name).display().to_string();
        let dumped = Command::new("pg_dump").args(["--format", format, "--file", &file, "-d", url]).output();
        let dumped = dumped.expect("pg_dump runs");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let report = json(&[asked, &["--verify", &file]].concat());
        let number = |name: &str| report["verified"][name].as_f64().expect("a number");
        assert!(number("milliseconds_after") < number("milliseconds_before") * 0.7, "{:#}", report["verified"]);
    }
    let nothing = folder.join("nothing.sql");
    std::fs::write(&nothing, "SELECT no_table;\n").expect("a file");
    let output = run(&[&["queries"], asked, &["--verify", &nothing.display().to_string()]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no table could be restored"));
}

fn advice_is_measured_on_a_copy(asked: &[&str], url: &str, copy: &str) {
    let report = json(&[asked, &["--verify", copy, "--verify-writes"]].concat());
    let verified = &report["verified"];
    let number = |name: &str| verified[name].as_f64().expect("a number");
    assert!(number("milliseconds_after") < number("milliseconds_before") * 0.7, "{verified:#}");
    let list = |name: &str| verified[name].as_array().expect("a list").clone();
    assert_eq!(list("indexes").len(), report["indexes"].as_array().expect("indexes").len());
    assert!(
        list("indexes").iter().all(|it| it["refused"].is_null() && it["bytes"].as_f64() > Some(0.0)),
        "{verified:#}"
    );
    let lost = |part: &str| {
        let of = |it: &Value| it["name"].as_str().is_some_and(|name| name.starts_with(part));
        let index = list("indexes").into_iter().find(of).unwrap_or_else(|| panic!("no index {part}"));
        index["without"].as_array().is_some_and(|queries| !queries.is_empty())
    };
    assert!(lost("ledger") && lost("parcels") && lost("visits") && lost("bookings"), "{verified:#}");
    let reasons: Vec<String> =
        list("left_out").iter().map(|it| it["reason"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(reasons.iter().all(|it| !it.contains("writes")), "{reasons:?}");
    let output = run(&[&["queries"], asked, &["--verify", url]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("names the database itself"));
}

fn every_case_is_answered(report: &Value) {
    let mut wrong = Vec::new();
    for case in cases() {
        let of = |it: &&Value| plain(it["query"].as_str().unwrap_or_default()) == plain(&case.query);
        let query = report["queries"].as_array().expect("queries").iter().find(of);
        let query = query.unwrap_or_else(|| panic!("{} is not in the report", case.query));
        let place = report["queries"].as_array().expect("queries").iter().position(|it| it == query).expect("a place");
        let advised: Vec<String> = report["indexes"]
            .as_array()
            .expect("indexes")
            .iter()
            .filter(|it| it["gains"].as_array().expect("gains").iter().any(|gain| gain["query"] == place))
            .map(|it| it["statements"][0].as_str().unwrap_or_default().to_owned())
            .collect();
        let observed: Vec<&str> =
            query["observations"].as_array().expect("a list").iter().filter_map(|it| it["kind"].as_str()).collect();
        for wanted in &case.wanted {
            let right = match wanted.as_str() {
                "nothing" => advised.is_empty() && query["error"].is_null(),
                "planned" => query["error"].is_null(),
                other => match other.strip_prefix("observed ") {
                    Some(kind) => observed.contains(&kind),
                    None => advised.iter().any(|it| {
                        it.ends_with(&format!(" ON public.{other}"))
                            || it.ends_with(&format!(" ON ONLY public.{other}"))
                    }),
                },
            };
            if !right {
                wrong.push(format!(
                    "{}\n  wanted {wanted}, advised {advised:?}, observed {observed:?}, {}",
                    case.query, query["error"]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Parameters are numbered in the report.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(":kind", "$1").replace(":since", "$2")
}

fn more_room_is_never_worse(asked: &[&str]) {
    let share = |report: &Value| report["saved_share"].as_f64().expect("a share");
    let mut last = 0.0;
    for megabytes in ["1", "2", "4", "8", "1000"] {
        let report = json(&[asked, &["--size-budget", megabytes]].concat());
        let bytes: f64 = report["indexes"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| it["estimate"]["bytes"].as_f64().expect("bytes"))
            .sum();
        assert!(bytes <= megabytes.parse::<f64>().expect("a number") * 1e6, "{bytes} in {megabytes} MB");
        assert!(share(&report) >= last - 1e-9, "{megabytes} MB: {} after {last}", share(&report));
        last = share(&report);
        if megabytes == "1000" {
            let statements = |report: &Value| -> Vec<Value> {
                report["indexes"].as_array().expect("a list").iter().map(|it| it["statements"].clone()).collect()
            };
            let more = json(&[asked, &["--size-budget", "2000"]].concat());
            assert_eq!(statements(&report), statements(&more), "a size that does not bind changes nothing");
        }
    }
}

fn nothing_planned_is_a_failure(url: &str, folder: &std::path::Path) {
    let file = folder.join("foreign.sql");
    std::fs::write(&file, "SELECT * FROM nowhere WHERE a = $1;\n").expect("a file");
    let output = run(&["queries", "--db", url, "--queries", &file.display().to_string(), "--planner", "twin"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("could be planned") && told.contains("nowhere"), "{told}");
    assert!(!told.contains("pg_stat_statements"), "what a file replaces is not missed: {told}");
}

fn first_things_come_first(asked: &[&str]) {
    let first = |period: &[&str]| -> Vec<String> {
        let output = run(&[&["queries"], asked, period].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let table = text.lines().skip_while(|line| *line != "What to do first").skip(1);
        let first: Vec<String> = table.take_while(|line| !line.is_empty()).map(str::to_owned).collect();
        assert!((2..=11).contains(&first.len()), "{text}");
        first
    };
    let told = &first(&["--period", "2 days"])[0];
    assert!(told.contains("saves") && told.contains("writing") && told.contains("a day"), "{told}");
    let told = &first(&[])[0];
    assert!(told.contains("over all calls") && !told.contains("a day"), "nothing says how long: {told}");
}
