//! `pgassay.toml`: what it may say, what wins, what its mistakes look like, and what it does to findings.

mod areas;
mod documents;

use std::path::Path;
use std::process::{Command, Output};

use pgassay::area::Area;
use pgassay::config::{self, json_schema, keys};
use pgassay::rules;

use crate::repository::{repository, write_all};

/// A project folder; `.git` keeps the search for a configuration file inside of it.
struct Project(tempfile::TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        Project(repository(files))
    }

    fn write(&self, path: &str, text: &str) {
        write_all(self.0.path(), &[(path, text)]);
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
        let project = with("[rules]\nunreadable-statement = \"off\"\n", "ALTER THING x;\n");
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
