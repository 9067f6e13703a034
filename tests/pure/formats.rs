//! Every format: a snapshot of what it looks like, and that it stays valid whatever stands in names and texts.

mod page;
mod sarif_fix;

use std::path::Path;
use std::process::{Command, Output};

use pgassay::check::{Job, check};
use pgassay::contract::Witness;
use pgassay::finding::{Advice, Evidence, EvidenceKind, Finding, FixStep, Severity};
use pgassay::migration::Migration;
use pgassay::report::*;
use pgassay::rules;
use pgassay::source::{SourceFile, Sources, Span};
use serde_json::Value;

/// A report about files of these names and texts; the statements are read from them, the findings are made by the test.
fn report(files: &[(&str, &str)]) -> (Report, Sources) {
    let mut sources = Sources::default();
    let migrations = files.iter().map(|(name, text)| {
        let file = sources.add(SourceFile::new(*name, *text));
        Migration::plain(name, file, text.len())
    });
    let job = Job { migrations: migrations.collect(), ..Job::default() };
    let mut report = check(&job, &sources);
    report.findings.clear();
    (report, sources)
}

/// The first place of a text in the files.
fn place(sources: &Sources, text: &str) -> Span {
    let found = sources
        .iter()
        .find_map(|(id, file)| Some(Span::new(id, file.text.find(text)?, file.text.find(text)? + text.len())));
    found.unwrap()
}

fn finding(rule: &str, severity: Severity, span: Span, message: &str) -> Finding {
    Finding { severity, ..rules::find(rule).unwrap().finding(span, message) }
}

/// Every severity, a witness, related places, steps, a place over several lines, and a file that could not be read.
fn fixed() -> (Report, Sources) {
    let orders = "-- Größe\nALTER TABLE orders\n  ALTER COLUMN total\n  TYPE numeric(12,2);\nDROP TABLE notes;\n";
    let (mut report, sources) = report(&[
        ("./migrations/001_orders.sql", orders),
        ("migrations/002_add.sql", "ALTER TABLE orders ADD COLUMN n json;\n"),
    ]);
    let rewrite = "ALTER COLUMN total\n  TYPE numeric(12,2)";
    let mut error = finding(
        "blocking-rewrite",
        Severity::Error,
        place(&sources, rewrite),
        "rewrites orders: reads and writes wait",
    );
    error.object = Some("public.orders".into());
    error.related.push((place(&sources, "DROP TABLE notes"), "in the same transaction".into()));
    error.evidence.push(Evidence::declared("the table is rewritten because 100% of `total` changes"));
    error.evidence.push(Evidence { kind: EvidenceKind::Measured, text: "41 GB, 300 million rows".into() });
    let steps = vec![
        FixStep::own("ALTER TABLE orders ADD COLUMN total_new numeric(12,2);"),
        FixStep::none("CREATE INDEX CONCURRENTLY ON orders (total_new);"),
    ];
    error.advice = Advice::steps("Fill a new column in batches:", steps);
    let mut warning = finding(
        "dropped-object",
        Severity::Warning,
        place(&sources, "notes"),
        "drops the table notes, which clients may read",
    );
    warning.witness = Some(Witness {
        sql: "SELECT * FROM notes".into(),
        after: "ERROR 42P01: relation \"notes\" does not exist".into(),
    });
    let info = finding(
        "discouraged-types",
        Severity::Info,
        place(&sources, "n json"),
        "json keeps the text; jsonb is indexed and compared",
    );
    report.findings = vec![error, warning, info];
    report.errors.push("migrations/003.sql:2:9: is not UTF-8: byte 0xE9".into());
    report.count(sources.iter().map(|(file, _)| file));
    (report, sources)
}

/// Names and texts that break formats which trust them.
fn nasty() -> (Report, Sources) {
    let name = "migrations/a\"b'<c>&|`d`,e:f%\n::error::g\u{1b}[31m]]>\u{FFFD}\u{0}.sql";
    let (mut report, sources) = report(&[(name, "DROP TABLE \"x]]>``` </details> | \u{1b}\n\nq\";\r\n-- ```\n")]);
    let text = "drops </summary><b> `x` | @everyone ]]> & \u{1}\u{FFFF}\r\n::warning::y ##[error]z";
    let mut found = finding("dropped-data", Severity::Error, place(&sources, "DROP TABLE"), text);
    found.object = Some(text.into());
    found.evidence.push(Evidence::assumed(text));
    found.witness = Some(Witness { sql: format!("SELECT '```\n````{text}'"), after: text.into() });
    found.advice = Advice::steps(text, vec![FixStep::own(text)]);
    found.related.push((place(&sources, "```"), text.into()));
    report.findings = vec![found];
    report.errors.push(text.into());
    report.count(sources.iter().map(|(file, _)| file));
    (report, sources)
}

/// A file with so many statements, and a finding about each: one in ten is an error.
fn many(number: usize) -> (Report, Sources) {
    let text: String = (0..number).map(|index| format!("DROP TABLE table_{index};\n")).collect();
    let (mut report, sources) = report(&[("001.sql", &text)]);
    let severity = |index: usize| if index % 10 == 9 { Severity::Error } else { Severity::Warning };
    let spans: Vec<Span> = report.statements.iter().map(|record| record.span).collect();
    let found = |(index, span): (usize, &Span)| {
        finding("dropped-data", severity(index), *span, &format!("drops table_{index}"))
    };
    report.findings = spans.iter().enumerate().map(found).collect();
    report.count(sources.iter().map(|(file, _)| file));
    (report, sources)
}

fn render(renderer: &dyn Renderer, (report, sources): &(Report, Sources)) -> String {
    let mut out = Vec::new();
    renderer.render(report, sources, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(renderer: &dyn Renderer, input: &(Report, Sources)) -> Value {
    serde_json::from_str(&render(renderer, input)).unwrap()
}

fn junit() -> Junit {
    Junit { fail_on: Some(Severity::Error), ..Junit::default() }
}

#[test]
fn text() {
    let (report, sources) = fixed();
    let mut out = Vec::new();
    Text { verbose: false, width: 110, styled: false, pages: None, view: View::Full }
        .render(&report, &sources, &mut out)
        .unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn text_keeps_names_and_sentences_on_one_line() {
    let mut input = nasty();
    // SQL may have several lines.
    input.0.findings[0].witness = None;
    input.0.findings[0].advice = Advice::default();
    let text = render(&Text { verbose: true, width: 110, styled: false, pages: None, view: View::Full }, &input);
    assert!(text.contains("a\"b'<c>"), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert!(!text.contains(['\0', '\u{1}']));
}

#[test]
fn json_format() {
    let mut value = json(&Json, &fixed());
    value["version"] = "[version]".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn sarif() {
    let mut value = json(&Sarif::default(), &fixed());
    let driver = &mut value["runs"][0]["tool"]["driver"];
    driver["semanticVersion"] = "[version]".into();
    driver["rules"] = "[all rules]".into();
    // Which number a rule has is not the point.
    for result in value["runs"][0]["results"].as_array_mut().unwrap() {
        result["ruleIndex"] = "[index]".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn github() {
    insta::assert_snapshot!(render(&Github::default(), &fixed()));
}

#[test]
fn gitlab() {
    insta::assert_snapshot!(render(&Gitlab::default(), &fixed()));
}

#[test]
fn junit_format() {
    insta::assert_snapshot!(render(&junit(), &fixed()));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(render(&Markdown::default(), &fixed()));
}

#[test]
fn sarif_is_valid_against_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../data/sarif-schema-2.1.0.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for input in [report(&[]), report(&[("a.sql", "SELECT 1;")]), fixed(), nasty(), many(50)] {
        let log = json(&Sarif::default(), &input);
        let errors: Vec<String> =
            schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let broken = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": {} } }] });
    assert!(!schema.is_valid(&broken), "the schema is really asked");
}

#[test]
fn a_failed_run_is_a_whole_document_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("001.sql"), "SELECT 1;").unwrap();
    for arguments in
        [["--since=main", "001.sql"], ["--baseline=gone.json", "001.sql"], ["--config=gone.toml", "001.sql"]]
    {
        let outputs =
            ["--format=json", "--output=sarif=out.sarif", "--output=junit=out.xml", "--output=gitlab=out.json"];
        let output = run(folder.path(), &[&arguments[..], &outputs[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["errors"].as_array().map(Vec::len), Some(1), "{printed}");
        let sarif: Value = serde_json::from_str(&read(folder.path().join("out.sarif"))).unwrap();
        assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
        let junit = read(folder.path().join("out.xml"));
        assert!(roxmltree::Document::parse(&junit).unwrap().descendants().any(|node| node.has_tag_name("error")));
        assert_eq!(read(folder.path().join("out.json")).trim(), "[]");
    }
}

#[test]
fn sarif_refers_to_its_rules() {
    let log = json(&Sarif::default(), &fixed());
    let run = &log["runs"][0];
    let described = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(described.len(), rules::ALL.len());
    for result in run["results"].as_array().unwrap() {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(described[index]["id"], result["ruleId"]);
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn github_escapes_what_would_end_a_command() {
    let text = render(&Github::default(), &nasty());
    let commands: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("::")).collect();
    assert_eq!(commands.len(), 2, "{text}");
    assert!(
        commands[1].contains(",e%3Af%25%0A%3A%3Aerror") || commands[1].contains("%2Ce%3Af%25%0A%3A%3Aerror"),
        "{text}"
    );
    assert!(commands[1].ends_with("##[error]z") && commands[1].contains("%0D%0A::warning::y"), "{text}");
}

#[test]
fn github_annotates_the_worst_and_lists_the_rest() {
    let text = render(&Github::default(), &many(300));
    let number = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((number("::error "), number("::warning "), number("::")), (10, 10, 20));
    assert!(text.contains("\n280 more findings without an annotation:\n"));
    assert_eq!(number("  001.sql:"), 280);
}

#[test]
fn github_counts_unreadable_files_as_errors() {
    let mut input = many(30);
    input.0.errors = vec!["a.sql: no\n::error::b ##[error]c".into(); 12];
    let text = render(&Github::default(), &input);
    assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert_eq!(text.lines().filter(|line| *line == "  error: a.sql: no ::error::b ## [error]c").count(), 2);
}

#[test]
fn gitlab_has_what_its_importer_needs() {
    for input in [fixed(), nasty(), many(50)] {
        let entries = json(&Gitlab::default(), &input);
        let entries = entries.as_array().unwrap();
        assert_eq!(entries.len(), input.0.findings.len());
        let mut fingerprints = std::collections::BTreeSet::new();
        for entry in entries {
            assert!(entry["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
            assert!(["info", "minor", "major", "critical", "blocker"].contains(&entry["severity"].as_str().unwrap()));
            assert!(fingerprints.insert(entry["fingerprint"].as_str().unwrap()));
        }
    }
    assert_eq!(json(&Gitlab::default(), &report(&[])), serde_json::json!([]));
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    for input in [report(&[]), fixed(), nasty(), many(50)] {
        let text = render(&junit(), &input);
        let document = roxmltree::Document::parse(&text).unwrap();
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
        let root = document.root_element();
        assert_eq!(root.attribute("tests"), Some(count("testcase").as_str()));
        assert_eq!(root.attribute("failures"), Some(count("failure").as_str()));
        assert_eq!(root.attribute("errors"), Some(count("error").as_str()));
    }
    let nothing_fails = render(&Junit::default(), &fixed());
    assert!(!nothing_fails.contains("<failure"));
}

#[test]
fn junit_keeps_names() {
    let text = render(&junit(), &nasty());
    let document = roxmltree::Document::parse(&text).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let name = suite.attribute("name").unwrap();
    assert!(name.starts_with("migrations/a\"b'<c>&|`d`,e:f%\n::error::g\u{FFFD}[31m]]>"), "{name}");
}

#[test]
fn markdown_keeps_its_structure() {
    let text = render(&Markdown::default(), &nasty());
    assert_eq!(text.lines().filter(|line| line.starts_with("| ")).count(), 3, "{text}");
    assert_eq!(text.matches("<details>").count(), 1);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{0}'));
    // The summary is one line: nothing in the message closes it early.
    let summary = text.lines().find(|line| line.starts_with("<details>")).unwrap();
    assert!(summary.ends_with("</summary>") && summary.matches("</summary>").count() == 1, "{summary}");
    // Every fence that opens is closed by one of its length.
    let mut open: Option<&str> = None;
    for line in text.lines() {
        match open {
            None if line.starts_with("```") => open = line.strip_suffix("sql"),
            Some(ticks) if line == ticks => open = None,
            _ => {}
        }
    }
    assert_eq!(open, None, "{text}");
}

#[test]
fn markdown_is_cut_and_says_so() {
    let input = many(5_000);
    let text = render(&Markdown::default(), &input);
    assert!(text.chars().count() <= LONGEST_COMMENT, "{}", text.chars().count());
    assert!(text.chars().count() > LONGEST_COMMENT - 1_000, "room is used: {}", text.chars().count());
    let shown = text.matches("<details>").count();
    assert_eq!(shown, text.matches("</details>").count());
    assert!(text.contains(&format!("**{} findings are left out**", 5_000 - shown)), "{}", &text[text.len() - 300..]);
    // 500 errors: no warning is shown while one of them is left out.
    assert!(shown >= 500 || !text.contains("<b>warning</b>"));
    assert!(!render(&Markdown::default(), &many(5)).contains("left out"));
}

#[test]
fn markdown_is_cut_with_thousands_of_files_and_long_texts() {
    let names: Vec<String> = (0..300).map(|index| format!("{}/{index}.sql", "ü`|".repeat(100))).collect();
    let sql = format!("SELECT '{}';", "&`".repeat(9_000));
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), sql.as_str())).collect();
    let (mut report, sources) = report(&files);
    let spans: Vec<Span> = report.statements.iter().map(|record| record.span).collect();
    report.findings =
        spans.iter().map(|span| finding("removed-rows", Severity::Error, *span, &"<&@".repeat(3_000))).collect();
    report.errors = vec!["`<&@".repeat(3_000); 3_000];
    let text = render(&Markdown::default(), &(report, sources));
    assert!(text.chars().count() <= LONGEST_COMMENT, "{}", text.chars().count());
    assert!(text.contains("left out") && text.contains("2950 more"));
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).arg("check").args(arguments).env("GITHUB_ACTIONS", "true").output().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn several_outputs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".git")).unwrap();
    let service = folder.path().join("service");
    std::fs::create_dir_all(&service).unwrap();
    std::fs::write(service.join("001.sql"), "DROP TABLE orders;").unwrap();
    std::fs::write(service.join("002 bad.sql"), b"SELECT '\xE9';").unwrap();
    let formats = ["text", "json", "sarif", "github", "gitlab", "junit", "markdown"];
    let outputs: Vec<String> = formats.iter().map(|format| format!("--output={format}=out.{format}")).collect();
    let arguments: Vec<&str> = outputs.iter().map(String::as_str).chain(["001.sql", "002 bad.sql"]).collect();
    let output = run(&service, &arguments);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("is not UTF-8") && !printed.contains("::error"), "text also in GitHub Actions: {printed}");

    assert!(!read(service.join("out.text")).contains('\u{1b}'));
    let sarif: Value = serde_json::from_str(&read(service.join("out.sarif"))).unwrap();
    let uri = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "service/001.sql", "names are relative to the repository");
    assert!(read(service.join("out.github")).contains("file=service/001.sql,"));
    assert!(roxmltree::Document::parse(&read(service.join("out.junit"))).is_ok());
    let left: Vec<_> = std::fs::read_dir(&service).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2 + formats.len(), "no temporary file stays: {left:?}");
}

#[test]
fn no_format_shows_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let migration = "CREATE ROLE app LOGIN PASSWORD 'hunter2';\nCREATE ROL app PASSWORD 'hunter2';\n\
        DO $$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''hunter2'''; END $$;\n\
        CREATE SUBSCRIPTION s CONNECTION 'host=db user=a password=hunter2' PUBLICATION p;\n";
    std::fs::write(folder.path().join("a.sql"), migration).unwrap();
    for format in ["text", "json", "sarif", "github", "gitlab", "junit", "markdown"] {
        let output = run(folder.path(), &["check", "a.sql", "--verbose", "--format", format]);
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(shown.contains("secret-in-migration"), "{format}: {shown}");
        assert!(!shown.contains("hunter2"), "{format}: {shown}");
    }
}

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("001.sql"), "SELECT 1;").unwrap();
    let failing = |arguments: &[&str], part: &str| {
        let output = run(folder.path(), arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(part), "{error}");
    };
    failing(
        &["001.sql", "--output=json=missing/a.json", "--output=json=b.json"],
        "\"missing/a.json\" could not be written: ",
    );
    assert!(folder.path().join("b.json").exists(), "the other file is written");
    failing(&["001.sql", "--output=json=."], "\".\" could not be written: ");
    failing(&["001.sql", "--output=json=c", "--output=sarif=c"], "\"c\" is the file of two --output options");
    failing(&["001.sql", "--output=xml=c"], "known formats are text, json, sarif");
    failing(&["001.sql", "--output=json"], "write FORMAT=FILE");
}

#[cfg(unix)]
#[test]
fn an_output_keeps_links_and_permissions_and_writes_to_pipes() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("001.sql"), "SELECT 1;").unwrap();
    std::fs::write(path("real.json"), "earlier").unwrap();
    std::fs::set_permissions(path("real.json"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.json", path("link.json")).unwrap();
    let output = run(folder.path(), &["001.sql", "--output=json=link.json", "--output=gitlab=/dev/stderr"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(path("link.json").is_symlink());
    assert!(read(path("real.json")).starts_with('{'));
    assert_eq!(path("real.json").metadata().unwrap().mode() & 0o777, 0o640);
    assert_eq!(String::from_utf8(output.stderr).unwrap().trim(), "[]");
}
