//! `cargo run --example develop` keeps up with the lists that it adds to. That what it writes compiles is tried by hand
//! (docs/contributing.md).

use std::path::Path;

use crate::scaffold::{Files, new_rule, new_tool};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines that a file has more than the one in the repository, all of them where there is none.
fn added<'f>(files: &'f Files, path: &str) -> Vec<&'f str> {
    let old = std::fs::read_to_string(repository().join(path)).unwrap_or_default();
    let new = files.get(path).unwrap_or_else(|| panic!("{path} is not among {:?}", files.keys()));
    assert!(new.lines().count() > old.lines().count(), "{path}");
    let old: Vec<&str> = old.lines().collect();
    new.lines().filter(|line| !old.contains(line)).collect()
}

#[test]
fn a_rule_begins_with_its_file_and_its_line_in_the_registry() {
    for (schema, folder, entry) in [
        (false, "migration", "    Entry::step(&made_up_rule::RULE, made_up_rule::check),"),
        (true, "schema", "    Entry::schema(&made_up_rule::RULE, Needs::Schema, made_up_rule::check),"),
    ] {
        let files = new_rule(repository(), "made-up-rule", schema).expect("a rule");
        let folder = format!("crates/pgassay-core/src/rules/{folder}");
        assert_eq!(files.len(), 2);
        assert_eq!(added(&files, &format!("{folder}/mod.rs")), ["mod made_up_rule;", entry]);
        assert!(added(&files, &format!("{folder}/made_up_rule.rs")).contains(&"    name: \"made-up-rule\","));
    }
}

#[test]
fn a_tool_begins_with_a_line_in_every_list() {
    let files = new_tool(repository(), "made-up").expect("a tool");
    for (path, lines) in [
        ("crates/pgassay-core/src/migration/mod.rs", 2),
        ("crates/pgassay-core/src/migration/own_tables.rs", 2),
        ("crates/pgassay-core/src/migration/outside.rs", 1),
        ("crates/pgassay-core/src/rules/migration/out_of_order_migration.rs", 1),
        ("crates/pgassay-live/src/collect/mod.rs", 1),
        ("crates/pgassay-live/src/collect/tools.rs", 2),
        ("tests/pure/frameworks.rs", 1),
    ] {
        let named =
            added(&files, path).iter().filter(|line| line.contains("MadeUp") || line.contains("made_up")).count();
        assert_eq!(named, lines, "{path}");
    }
    assert!(files.contains_key("migrations-examples/frameworks/made-up/migrations/1_customers.sql"));
}

#[test]
fn a_name_that_is_taken_or_is_not_kebab_case_is_refused() {
    let refused = |result: Result<Files, String>| result.expect_err("no such name");
    assert_eq!(refused(new_rule(repository(), "blocking-scan", false)), "there is a rule blocking-scan");
    assert_eq!(refused(new_rule(repository(), "Made_up", false)), "\"Made_up\" isn't kebab-case");
    assert_eq!(refused(new_rule(repository(), "made--up", true)), "\"made--up\" isn't kebab-case");
    assert_eq!(refused(new_tool(repository(), "goose")), "there is a tool goose");
    assert_eq!(
        refused(new_rule(repository(), "advice", false)),
        "crates/pgassay-core/src/rules/migration/advice exists"
    );
}
