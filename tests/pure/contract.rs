//! What clients lose: SQL before, a migration, and the kinds of breakage that the difference holds.

use pgassay::apply::apply;
use pgassay::change::Change;
use pgassay::contract::{Breakage, diff};
use pgassay::schema::{Schema, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

fn run(schema: &mut Schema, sql: &str) {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("case.sql", sql));
    let script = read_script(file, sources.file(file));
    for statement in &script.statements {
        let change = statement.change.as_ref().unwrap_or_else(|error| panic!("{sql}: {error}"));
        let is_row = matches!(change, Change::Insert(_));
        let applied = apply(schema, change, &Session::default(), PgVersion::default());
        assert!(is_row || applied.problems.is_empty(), "{sql}: {:?}", applied.problems);
    }
}

fn lost(before: &str, migration: &str) -> Vec<Breakage> {
    let mut schema = Schema::new(true);
    run(&mut schema, before);
    let old = schema.clone();
    run(&mut schema, migration);
    diff(&old, &schema, PgVersion::default())
}

#[test]
fn every_case_loses_what_it_says() {
    let mut wrong = Vec::new();
    for case in crate::contract_cases::CASES {
        let found = lost(case.before, case.migration);
        let kinds: Vec<String> = found.iter().map(|it| format!("{:?}", it.kind)).collect();
        if kinds != case.kinds {
            wrong
                .push(format!("{}\n  {}\n  expected {:?}\n  found {kinds:?}", case.before, case.migration, case.kinds));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), crate::contract_cases::CASES.len(), wrong.join("\n"));
}

#[test]
fn an_unchanged_schema_loses_nothing() {
    for case in crate::contract_cases::CASES {
        assert!(lost(case.before, "").is_empty(), "{}", case.before);
    }
}

/// Not among the cases, which servers of all versions run: 15 has security_invoker.
#[test]
fn a_view_with_its_callers_rights_is_read_by_those_who_may_read_what_is_beneath() {
    let before = "CREATE TABLE t (a int); GRANT SELECT ON t TO writer; CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO app;";
    let turn = "ALTER VIEW v SET (security_invoker = true)";
    assert_eq!(lost(before, turn).len(), 1);
    for grant in ["GRANT writer TO app", "GRANT SELECT (a) ON t TO app", "ALTER TABLE t OWNER TO app"] {
        let found = lost(&format!("{before} {grant};"), turn);
        assert!(found.is_empty(), "{grant}: {found:?}");
    }
}
