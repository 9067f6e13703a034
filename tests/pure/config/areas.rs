//! What the areas of the configuration change.

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
    project
        .write("m/1.sql", "SET lock_timeout = '2s';\nDROP INDEX note_idx;\nCREATE INDEX new_idx ON accounts (note);\n");
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
