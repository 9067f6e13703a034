//! What scripts leave in the schema, as PostgreSQL 15 was seen to do it.

use pgassay::apply::apply;
use pgassay::change::QualifiedName;
use pgassay::schema::{Object, Schema, Session};
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;
use pgassay::version::PgVersion;

fn load(sql: &str) -> (Schema, Vec<String>) {
    let mut sources = Sources::default();
    let source = SourceFile::new("t.sql", sql);
    let script = read_script(sources.add(source.clone()), &source);
    let (mut schema, session) = (Schema::new(true), Session::default());
    let version = PgVersion::new(15).expect("15 is supported");
    let mut problems = Vec::new();
    for statement in &script.statements {
        let change = statement.change.as_ref().expect("the statement is read");
        problems.extend(apply(&mut schema, change, &session, version).problems.into_iter().map(|it| it.message));
    }
    (schema, problems)
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.relation_at(&QualifiedName::new("public", name)).is_some()
}

#[test]
fn names_are_made_up_as_the_server_does() {
    let (schema, problems) = load(
        "CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE, b text, EXCLUDE (a WITH =));
         CREATE INDEX ON t (a); CREATE INDEX ON t (a); CREATE INDEX ON t (lower(b), a) INCLUDE (id);
         CREATE INDEX ON t ((a + 1));",
    );
    assert_eq!(problems, [""; 0]);
    for name in ["t_id_seq", "t_pkey", "t_a_key", "t_a_excl", "t_a_idx", "t_a_idx1", "t_lower_a_id_idx", "t_expr_idx"] {
        assert!(has(&schema, name), "{name}");
    }
}

#[test]
fn a_drop_names_what_stands_in_its_way_and_cascade_takes_it() {
    let script =
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (t int REFERENCES t); CREATE VIEW v AS SELECT id FROM t;";
    let (_, problems) = load(&format!("{script} DROP TABLE t;"));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("view v depends on table t"), "{problems:?}");
    assert!(problems[0].contains("constraint u_t_fkey on table u depends on table t"), "{problems:?}");
    let (schema, problems) = load(&format!("{script} DROP TABLE t CASCADE;"));
    assert_eq!(problems, [""; 0]);
    assert!(!has(&schema, "v") && has(&schema, "u"));
    let u = schema.relation_at(&QualifiedName::new("public", "u")).expect("u stays");
    assert!(u.constraints.is_empty());
}

#[test]
fn partitions_get_indexes_and_keys_of_their_parent() {
    let (schema, problems) = load(
        "CREATE TABLE p (a int PRIMARY KEY, b int) PARTITION BY LIST (a);
         CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE INDEX ON p (b);
         DROP INDEX p_b_idx;",
    );
    assert_eq!(problems, [""; 0]);
    assert!(has(&schema, "p1_pkey") && !has(&schema, "p1_b_idx"));
    let p = schema.relation_at(&QualifiedName::new("public", "p")).expect("p is there");
    assert_eq!(schema.children_closure(p.id).len(), 1);
    assert!(schema.dropped_with(&[Object::Relation(p.id)]).blockers.is_empty());
}

#[test]
fn what_is_missing_or_twice_is_refused() {
    let (_, problems) =
        load("CREATE TABLE t (a int); CREATE TABLE t (a int); ALTER TABLE t DROP COLUMN b; DROP TABLE u;");
    let expected = [
        "relation \"t\" already exists",
        "column \"b\" of relation \"t\" does not exist",
        "table \"u\" does not exist",
    ];
    assert_eq!(problems, expected);
}
