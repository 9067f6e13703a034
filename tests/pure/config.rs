//! `pgassay.toml`: what it may say, what wins, what its mistakes look like, and what it does to findings.

use std::path::Path;
use std::process::{Command, Output};

use pgassay::area::Area;
use pgassay::config::{self, json_schema, keys};
use pgassay::rules;

/// A project folder; `.git` keeps the search for a configuration file inside of it.
struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let project = Project(folder);
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run_in(&self, folder: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
        command.args(arguments).current_dir(self.0.path().join(folder)).env("NO_COLOR", "1").output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_in("", arguments)
    }

    /// `rule severity area`, a line for each finding.
    fn findings(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(&[&["check", "--format", "json"], arguments].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let line = |finding: &serde_json::Value| {
            format!("{} {} {}", word(&finding["rule"]), word(&finding["severity"]), word(&finding["area"]))
        };
        report["findings"].as_array().unwrap().iter().map(line).collect()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Base and migration of one table, `public.accounts` unless renamed.
const BASE: &str = "CREATE TABLE public.accounts (id bigint PRIMARY KEY, note text, state text);\n";
const REWRITE: &str =
    "SET lock_timeout = '2s';\nALTER TABLE accounts ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();\n";
const NO_TIMEOUT: &str = "ALTER TABLE accounts ADD COLUMN token uuid;\n";
const DROP: &str = "SET lock_timeout = '2s';\nALTER TABLE accounts DROP COLUMN note;\n";

fn with(config: &str, migration: &str) -> Project {
    let config = format!("base = [\"base.sql\"]\npaths = [\"m\"]\n{config}");
    Project::new(&[("pgassay.toml", &config), ("base.sql", BASE), ("m/1.sql", migration)])
}

mod precedence {
    use super::*;

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_default() {
        let file = "pg-version = 16\nfail-on = \"never\"\n[variables]\nschema = \"app\"\nother = \"x\"\n[rules]\nnot-rerunnable = \"off\"\n";
        let project = with(file, REWRITE);
        let output = project.run(&["config", "--fail-on", "warning", "--var", "schema=test", "--format", "json"]);
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let find = |key: &str| {
            let lines = printed["values"].as_array().unwrap();
            let line = lines.iter().find(|line| line["key"] == key).unwrap_or_else(|| panic!("no {key}"));
            format!("{} ({})", line["value"], line["from"].as_str().unwrap())
        };
        assert_eq!(find("pg-version"), "16 (pgassay.toml:3)");
        assert_eq!(find("fail-on"), "\"warning\" (command line)");
        assert_eq!(find("history"), "\"auto\" (default)");
        assert_eq!(find("variables.schema"), "\"test\" (command line)");
        assert_eq!(find("variables.other"), "\"x\" (pgassay.toml:7)");
        assert_eq!(find("rules.not-rerunnable"), "\"off\" (pgassay.toml:9)");
        assert_eq!(find("rules.blocking-rewrite"), "\"error\" (default)");
    }

    #[test]
    fn every_key_is_printed() {
        let printed = stdout(&Project::new(&[]).run(&["config"]));
        let names: Vec<&str> = printed.lines().skip(2).filter_map(|line| line.split_whitespace().next()).collect();
        let top: Vec<&str> = keys::TOP.iter().map(|key| key.name).collect();
        assert_eq!(names[..top.len()], top);
        for rule in rules::ALL {
            assert!(names.contains(&format!("rules.{}", rule.name).as_str()), "{}", rule.name);
        }
    }

    #[test]
    fn values_that_are_secret_by_their_names_are_not_printed() {
        let project = Project::new(&[("pgassay.toml", "[variables]\napp_password = \"hunter2\"\nschema = \"app\"\n")]);
        for format in ["text", "json"] {
            let output = project.run(&["config", "--var", "API_KEY=hunter2", "--format", format]);
            let text = stdout(&output) + &stderr(&output);
            assert!(text.contains("app_password") && text.contains("API_KEY") && text.contains("app"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn check_does_what_config_prints() {
        let project = with("fail-on = \"never\"\nformat = \"json\"\n", REWRITE);
        let quiet = project.run(&["check"]);
        assert_eq!(quiet.status.code(), Some(0));
        assert!(stdout(&quiet).starts_with('{'), "{}", stdout(&quiet));
        assert_eq!(project.run(&["check", "--fail-on", "error"]).status.code(), Some(1));
        assert!(!stdout(&project.run(&["check", "--format", "text"])).starts_with('{'));
    }

    #[test]
    fn the_file_is_found_upwards_and_its_paths_count_from_it() {
        let project = with("", REWRITE);
        project.write("a/b/readme", "");
        let output = project.run_in("a/b", &["check"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stdout(&output).contains("../../m/1.sql:2:"), "{}", stdout(&output));
        assert!(stdout(&project.run_in("a/b", &["config"])).contains("../../pgassay.toml:2"));
    }

    #[test]
    fn no_config_and_config_choose_the_file() {
        let project = with("[rules]\nblocking-rewrite = \"off\"\n", REWRITE);
        project.write("ci/strict.toml", "paths = [\"../m\"]\nbase = [\"../base.sql\"]\nfail-on = \"info\"\n");
        assert_eq!(project.findings(&[]), [""; 0]);
        assert_eq!(project.findings(&["--no-config", "--base", "base.sql", "m"]), ["blocking-rewrite error -"]);
        assert_eq!(project.findings(&["--config", "ci/strict.toml"]), ["blocking-rewrite error -"]);
        let missing = project.run(&["check", "--config", "none.toml"]);
        assert_eq!(missing.status.code(), Some(2));
        assert!(stderr(&missing).contains("none.toml"), "{}", stderr(&missing));
    }

    #[test]
    fn the_search_ends_at_the_root_of_the_repository() {
        let project = with("", REWRITE);
        std::fs::create_dir_all(project.0.path().join("nested/.git")).unwrap();
        assert!(stdout(&project.run_in("nested", &["config"])).starts_with("configuration file: none"));
    }

    #[test]
    fn printed_for_reading() {
        let file = "pg-version = \"15.4\"\n[rules.many-locks-in-transaction]\nmax = 4\n[[overrides]]\npaths = [\"legacy/**\"]\nrules = { not-rerunnable = \"off\" }\n[areas]\npayments = [\"public.payment*\", \"billing.*\"]\n";
        let text = stdout(&with(file, REWRITE).run(&["config", "--strict"]));
        let trimmed: Vec<&str> = text.lines().map(str::trim_end).collect();
        insta::assert_snapshot!("config_text", trimmed.join("\n"));
    }
}

mod mistakes {
    use super::*;

    #[test]
    fn are_shown_at_their_places() {
        let file = "pg_version = 16\n\
            pg-version = 99\n\
            framework = \"flywya\"\n\
            paths = \"db\"\n\
            strict = \"yes\"\n\
            [rules]\n\
            droped-data = \"off\"\n\
            not-rerunnable = \"warn\"\n\
            [rules.many-locks-in-transaction]\n\
            max = 0\n\
            maximum = 2\n\
            [rules.discouraged-types]\n\
            allow = [\"jsonn\"]\n\
            [areas]\n\
            payments = [\"payment*\"]\n\
            paymnts = []\n\
            [[overrides]]\n\
            paths = [\"a/**b\"]\n\
            [[overrides]]\n\
            paths = [\"x\"]\n\
            rules = { missing-lock-timeout = { assume-timeout = true } }\n";
        let project = Project::new(&[("pgassay.toml", file)]);
        let output = project.run(&["check"]);
        assert_eq!(output.status.code(), Some(2));
        insta::assert_snapshot!("mistakes", stderr(&output));
    }

    #[test]
    fn of_syntax_too() {
        let project = Project::new(&[("pgassay.toml", "# ä\npaths = [\"a\"\nstrict = true\n")]);
        insta::assert_snapshot!("syntax", stderr(&project.run(&["config"])));
    }

    #[test]
    fn do_not_stop_at_odd_text() {
        for text in [
            "",
            "\u{feff}strict = true",
            "[[rules]]",
            "rules = 1",
            "areas = []",
            "overrides = {}",
            "a.b.c = 1",
            "ä = 1",
        ] {
            let _ = config::parse(text);
        }
    }

    #[test]
    fn have_a_line_for_machines() {
        let project = Project::new(&[("pgassay.toml", "\nstric = true\n")]);
        let error = pgassay::collect::config_file::load(Path::new("pgassay.toml"), project.0.path()).unwrap_err();
        assert_eq!(error.to_string(), "pgassay.toml:2:1: unknown key \"stric\"; did you mean strict?");
    }
}

mod severities {
    use super::*;

    #[test]
    fn by_rule() {
        assert_eq!(with("[rules]\nblocking-rewrite = \"info\"\n", REWRITE).findings(&[]), ["blocking-rewrite info -"]);
        assert_eq!(with("[rules]\nblocking-rewrite = \"off\"\n", REWRITE).findings(&[]), [""; 0]);
        let table = "[rules.missing-lock-timeout]\nseverity = \"error\"\n";
        assert_eq!(with(table, NO_TIMEOUT).findings(&[]), ["missing-lock-timeout error -"]);
    }

    #[test]
    fn by_path_the_last_that_matches_counts() {
        let file = "[rules]\nblocking-rewrite = \"warning\"\n\
            [[overrides]]\npaths = [\"m/legacy/**\"]\nrules = { blocking-rewrite = \"off\" }\n\
            [[overrides]]\npaths = [\"m/*/2.sql\"]\nrules = { blocking-rewrite = { severity = \"info\" } }\n";
        let project = with(file, REWRITE);
        let other = REWRITE.replace("token", "token2");
        project.write("m/legacy/1.sql", &other);
        project.write("m/legacy/2.sql", &REWRITE.replace("token", "token3"));
        assert_eq!(project.findings(&[]), ["blocking-rewrite warning -", "blocking-rewrite info -"]);
    }

    #[test]
    fn a_comment_for_a_rule_that_is_off_is_not_unused() {
        let migration = REWRITE.replace("ALTER", "-- pgassay: allow(blocking-rewrite) small\nALTER");
        assert_eq!(with("[rules]\nblocking-rewrite = \"off\"\n", &migration).findings(&[]), [""; 0]);
    }

    #[test]
    fn strict_wins_over_a_rule_that_is_off() {
        let project = with("[rules]\nunreadable-statement = \"off\"\n", "ALTER TABEL x;\n");
        assert_eq!(project.findings(&[]), [""; 0]);
        assert_eq!(project.findings(&["--strict"]), ["unreadable-statement error -"]);
    }
}

mod options {
    use super::*;

    #[test]
    fn assume_timeout() {
        let file = "[rules.missing-lock-timeout]\nassume-timeout = true\n";
        assert_eq!(with("", NO_TIMEOUT).findings(&[]), ["missing-lock-timeout warning -"]);
        assert_eq!(with(file, NO_TIMEOUT).findings(&[]), [""; 0]);
        let off = format!("SET lock_timeout = 0;\n{NO_TIMEOUT}");
        assert_eq!(with(file, &off).findings(&[]), ["missing-lock-timeout warning -"]);
    }

    #[test]
    fn most_tables_of_a_transaction() {
        let tables = "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY); CREATE TABLE c (id bigint PRIMARY KEY);";
        let migration = "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE a ADD COLUMN x int;\n\
            ALTER TABLE b ADD COLUMN x int;\nALTER TABLE c ADD COLUMN x int;\nCOMMIT;";
        let many = |file: &str| {
            let project = with(file, migration);
            project.write("base.sql", tables);
            project.findings(&[])
        };
        assert_eq!(many(""), ["many-locks-in-transaction warning -"]);
        assert_eq!(many("[rules.many-locks-in-transaction]\nmax = 3\n"), ["many-locks-in-transaction info -"]);
    }

    #[test]
    fn types_used_on_purpose() {
        let migration = "CREATE TABLE visits (id serial PRIMARY KEY, at timestamp NOT NULL);\n";
        let found = |allow: &str| {
            let file = format!("[rules.discouraged-types]\nallow = [{allow}]\n");
            with(&file, migration).findings(&[])
        };
        assert_eq!(found("\"timestamp\""), ["discouraged-types info -"]);
        assert_eq!(found("\"timestamp\", \"serial\""), [""; 0]);
    }

    /// An option that does nothing is a defect: each changes the options from their default.
    #[test]
    fn each_does_something() {
        for (rule, key) in keys::OPTIONS {
            let value = match key.kind {
                keys::Kind::Boolean => "true",
                keys::Kind::Count => "7",
                _ => "[\"json\"]",
            };
            let config = config::parse(&format!("[rules.{rule}]\n{} = {value}\n", key.name)).unwrap();
            assert_ne!(config.settings.options, rules::RuleOptions::default(), "{rule}: {}", key.name);
        }
    }
}

mod areas {
    use super::*;

    fn area(area: &str, rest: &str) -> String {
        format!("[areas]\n{area} = [\"public.acc*\"]\n{rest}")
    }

    #[test]
    fn protected_ones_are_never_lowered() {
        for name in ["payments", "permissions", "personal-data"] {
            let found = [format!("blocking-rewrite error {name}")];
            assert_eq!(with(&area(name, ""), REWRITE).findings(&[]), found);
            assert_eq!(with(&area(name, "[rules]\nblocking-rewrite = \"off\"\n"), REWRITE).findings(&[]), found);
            let by_path = "[[overrides]]\npaths = [\"**\"]\nrules = { blocking-rewrite = \"info\" }\n";
            assert_eq!(with(&area(name, by_path), REWRITE).findings(&[]), found);
            assert_eq!(with(&area(name, "experiment = [\"*.*\"]\n"), REWRITE).findings(&[]), found);
        }
    }

    #[test]
    fn protected_ones_may_be_raised() {
        let file = area("payments", "[rules]\nmissing-lock-timeout = \"error\"\n");
        assert_eq!(with(&file, NO_TIMEOUT).findings(&[]), ["missing-lock-timeout error payments"]);
    }

    #[test]
    fn internal_and_experiment_are_lowered_but_for_correctness() {
        for name in ["internal", "experiment"] {
            let file = area(name, "");
            assert_eq!(with(&file, REWRITE).findings(&[]), [format!("blocking-rewrite warning {name}")]);
            assert_eq!(with(&file, NO_TIMEOUT).findings(&[]), [format!("missing-lock-timeout info {name}")]);
            assert!(with(&file, DROP).findings(&[]).contains(&format!("dropped-data error {name}")));
            let failing = "SET lock_timeout = '2s';\nALTER TABLE accounts DROP COLUMN nothing;\n";
            assert_eq!(with(&file, failing).findings(&[]), [format!("missing-object error {name}")]);
        }
    }

    #[test]
    fn an_allow_comment_needs_a_reason_where_it_matters() {
        let allowed =
            |comment: &str| REWRITE.replace("ALTER", &format!("-- pgassay: allow(blocking-rewrite){comment}\nALTER"));
        let bare = ["allow-without-reason warning payments", "blocking-rewrite error payments"];
        let file = area("payments", "");
        assert_eq!(with(&file, &allowed("")).findings(&[]), bare);
        assert_eq!(with(&file, &allowed(" -- ")).findings(&[]), bare);
        assert_eq!(with(&file, &allowed(" the table has 40 rows")).findings(&[]), [""; 0]);
        assert_eq!(with(&area("internal", ""), &allowed("")).findings(&[]), [""; 0]);
        assert_eq!(with("", &allowed("")).findings(&[]), [""; 0]);
        let off = area("payments", "[rules]\nallow-without-reason = \"off\"\n");
        assert_eq!(with(&off, &allowed("")).findings(&[]), bare);
        let whole_file = format!("-- pgassay: allow-file(blocking-rewrite)\n{REWRITE}");
        assert_eq!(with(&file, &whole_file).findings(&[]), bare);
    }

    #[test]
    fn an_index_is_its_tables_and_a_list_of_tables_counts_by_its_worst() {
        let file = "[areas]\npayments = [\"public.accounts\"]\ninternal = [\"public.jobs\"]\n";
        let project = with(file, "ALTER TABLE jobs ADD COLUMN x int;\nALTER TABLE accounts ADD COLUMN x int;\n");
        project.write(
            "base.sql",
            &format!("{BASE}CREATE TABLE jobs (id bigint PRIMARY KEY);\nCREATE INDEX note_idx ON accounts (note);\n"),
        );
        assert!(project.findings(&[]).contains(&"missing-lock-timeout warning payments".to_owned()));
        project.write(
            "m/1.sql",
            "SET lock_timeout = '2s';\nDROP INDEX note_idx;\nCREATE INDEX new_idx ON accounts (note);\n",
        );
        assert!(project.findings(&[]).contains(&"blocking-index-build error payments".to_owned()));
    }

    #[test]
    fn a_renamed_table_and_a_partition_stay_protected() {
        let renamed = REWRITE.replace("ALTER TABLE accounts", "ALTER TABLE accounts RENAME TO a2;\nALTER TABLE a2");
        let found = with(&area("payments", ""), &renamed).findings(&[]);
        assert!(found.contains(&"blocking-rewrite error payments".to_owned()), "{found:?}");

        let project = with("[areas]\npayments = [\"public.pay\"]\n", "");
        let base = "CREATE TABLE pay (id bigint PRIMARY KEY) PARTITION BY RANGE (id);\n\
            CREATE TABLE p2024 PARTITION OF pay FOR VALUES FROM (1) TO (9);\n";
        project.write("base.sql", base);
        project.write("m/1.sql", "SET lock_timeout = '2s';\nCREATE INDEX p2024_id_idx ON p2024 (id);\n");
        assert_eq!(project.findings(&[]), ["blocking-index-build error payments"]);
    }

    #[test]
    fn are_told_in_the_text() {
        let project = with(&area("personal-data", ""), REWRITE);
        let text = stdout(&project.run(&["check"]));
        assert!(text.contains("area: personal-data: never lowered, and allowed only with a reason"), "{text}");
    }
}

mod documents {
    use super::*;

    #[test]
    fn the_schema_in_the_repository_is_up_to_date() {
        let kept = std::fs::read_to_string("pgassay.schema.json").unwrap();
        let made = format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap());
        assert!(kept == made, "cargo run -- config --schema > pgassay.schema.json");
    }

    #[test]
    fn the_docs_have_every_key_with_its_default() {
        let docs = std::fs::read_to_string("docs/configuration.md").unwrap();
        let options = keys::OPTIONS.iter().map(|(rule, key)| (format!("`{}`", key.name), Some(*rule), key));
        let top = keys::TOP.iter().map(|key| (format!("`{}`", key.name), None, key));
        for (name, rule, key) in top.chain(options) {
            let row = docs.lines().find(|line| line.starts_with('|') && line.contains(&name));
            let row = row.unwrap_or_else(|| panic!("docs/configuration.md has no row for {name}"));
            assert!(row.contains(key.summary), "{row} does not say: {}", key.summary);
            assert!(
                key.default.is_none_or(|default| row.contains(&format!("`{default}`"))),
                "{row}: {:?}",
                key.default
            );
            assert!(rule.is_none_or(|rule| row.contains(rule)), "{row}: {rule:?}");
        }
        for name in keys::SECTIONS.map(|(name, _)| name).into_iter().chain(Area::ALL.map(Area::name)) {
            assert!(
                docs.contains(&format!("`{name}`"))
                    || docs.contains(&format!("`[{name}]`"))
                    || docs.contains(&format!("`[[{name}]]`")),
                "{name}"
            );
        }
    }

    /// By the JSON schema, as an editor does.
    fn validate(text: &str) -> Result<(), String> {
        let value: toml::Value = toml::from_str(text).unwrap();
        let value = serde_json::to_value(value).unwrap();
        jsonschema::validator_for(&json_schema()).unwrap().validate(&value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_schema_refuses_what_the_reader_refuses() {
        let refused = [
            "pg_version = 16",
            "pg-version = 9",
            "pg-version = \"99\"",
            "framework = \"flywya\"",
            "paths = \"db\"",
            "[rules]\ndroped-data = \"off\"",
            "[rules]\ndropped-data = \"warn\"",
            "[rules.many-locks-in-transaction]\nmax = 0",
            "[rules.dropped-data]\nmax = 3",
            "[areas]\npayments = [\"payment\"]",
            "[areas]\nintern = []",
            "[[overrides]]\npaths = [\"x\"]",
            "[[overrides]]\npaths = [\"x\"]\nrules = { nothing = \"off\" }",
            "[variables]\nx = 1",
        ];
        for text in refused {
            assert!(validate(text).is_err(), "schema: {text}");
            assert!(config::parse(text).is_err(), "reader: {text}");
        }
    }

    #[test]
    fn the_examples_in_the_docs_are_valid() {
        let docs = std::fs::read_to_string("docs/configuration.md").unwrap();
        let mut blocks = docs.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).peekable();
        assert!(blocks.peek().is_some());
        for block in blocks {
            if let Err(problems) = config::parse(block) {
                panic!("{problems:?} in\n{block}");
            }
            validate(block).unwrap();
        }
    }
}

#[test]
fn an_own_runners_marker_keeps_a_migration_out_of_a_transaction() {
    let build = "CREATE INDEX CONCURRENTLY accounts_note ON accounts (note);\n";
    let without = with("transaction = \"per-file\"\n", &format!("-- NO TRANSACTION\n{build}"));
    assert!(without.findings(&[]).contains(&"transaction-forbidden error -".to_owned()));
    let config = "transaction = \"per-file\"\nno-transaction = \"-- NO TRANSACTION\"\n";
    for marker in ["-- NO TRANSACTION\n", "\n  -- no transaction  \r\n", "-- why\n-- NO TRANSACTION\n"] {
        let project = with(config, &format!("{marker}{build}"));
        assert!(!project.findings(&[]).iter().any(|line| line.starts_with("transaction-forbidden")), "{marker:?}");
    }
    for other in ["", "-- NO TRANSACTIONS\n", "SELECT '-- NO TRANSACTION';\n"] {
        let project = with(config, &format!("{other}{build}"));
        assert!(project.findings(&[]).contains(&"transaction-forbidden error -".to_owned()), "{other:?}");
    }
    for wrong in ["no-transaction = \"\"\n", "no-transaction = true\n", "no-transaction = \"a\\nb\"\n"] {
        let output = with(wrong, build).run(&["check"]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(stderr(&output).contains("one line of text"), "{wrong}: {}", stderr(&output));
    }
}
