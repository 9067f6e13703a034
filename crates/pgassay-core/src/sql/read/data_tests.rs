use crate::change::{Access, Change};
use crate::source::{FileId, SourceFile, Span};
use crate::sql::read_script;

fn change(text: &str) -> Change {
    let script = read_script(FileId(0), &SourceFile::new("t.sql", text));
    script.statements.into_iter().next().unwrap().change.unwrap()
}

fn uses(text: &str) -> Vec<(String, bool, Access)> {
    let uses = match change(text) {
        Change::Select(select) => select.uses,
        Change::Insert(insert) => insert.uses,
        Change::Update(update) => update.uses,
        Change::Delete(delete) => delete.uses,
        Change::Merge(merge) => merge.uses,
        Change::Copy(copy) => copy.uses,
        other => panic!("{other:?}"),
    };
    uses.into_iter().map(|found| (found.relation.to_string(), found.only, found.access)).collect()
}

fn span(start: u32, end: u32) -> Span {
    Span { file: FileId(0), start, end }
}

#[test]
fn update_gives_columns_and_its_condition() {
    let Change::Update(update) = change("UPDATE ONLY s.t SET a = 1, (b, c) = (2, 3) WHERE d > 1 RETURNING a") else {
        panic!()
    };
    assert_eq!((update.table.to_string().as_str(), update.only, update.table.span), ("s.t", true, span(12, 15)));
    assert_eq!(update.columns.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b", "c"]);
    let predicate = update.predicate.unwrap();
    assert_eq!((&*predicate.text, predicate.span), ("d > 1", span(49, 54)));
}

#[test]
fn insert_counts_its_rows_and_reads_its_conflict() {
    let Change::Insert(insert) =
        change("INSERT INTO t (a, b) VALUES (1, 2), (3, 4) ON CONFLICT (a) WHERE b > 0 DO UPDATE SET b = 1")
    else {
        panic!()
    };
    assert_eq!((insert.rows, insert.columns.len()), (Some(2), 2));
    let conflict = insert.on_conflict.unwrap();
    assert_eq!((conflict.columns[0].to_string().as_str(), conflict.do_update), ("a", true));
    assert!(conflict.has_predicate && !conflict.expressions);
    assert!(matches!(change("INSERT INTO t DEFAULT VALUES"), Change::Insert(insert) if insert.rows == Some(1)));
    assert!(matches!(change("INSERT INTO t SELECT 1"), Change::Insert(insert) if insert.rows.is_none()));
}

#[test]
fn what_on_conflict_infers_from_is_read() {
    for (target, columns, expressions, condition) in [
        ("(a)", 1, false, false),
        ("(a, b) WHERE c IS NOT NULL", 2, false, true),
        ("(lower(a), b)", 0, true, false),
        ("((a || b)) WHERE position(a IN b) > 0", 0, true, true),
        ("(a COLLATE \"C\" text_pattern_ops, b pg_catalog.int4_ops)", 0, false, false),
        ("(s.f(a) text_pattern_ops)", 0, true, false),
    ] {
        let text =
            format!("WITH w AS (SELECT 1) INSERT INTO t SELECT 1 ON CONFLICT {target} DO UPDATE SET d = 1 WHERE t.e");
        let Change::Insert(insert) = change(&text) else { panic!("{target}") };
        let conflict = insert.on_conflict.unwrap();
        let found = (conflict.columns.len(), conflict.expressions, conflict.has_predicate);
        assert_eq!(found, (columns, expressions, condition), "{target}");
        assert!(conflict.constraint.is_none() && conflict.do_update, "{target}");
    }
}

#[test]
fn subscripts_are_read() {
    for (text, query) in [
        ("UPDATE t SET a[(SELECT max(i) FROM u)] = 1", "u"),
        ("UPDATE t SET a[1:(SELECT 2 FROM u)].f[3] = 1", "u"),
        ("UPDATE t SET (a[1][2], b) = (SELECT 1, 2 FROM u)", "u"),
        ("INSERT INTO t (a[(SELECT 1 FROM u)], a[:], b.c) VALUES (1, '{}', 2)", "u"),
        ("MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a[u.i] = 1", "u"),
    ] {
        assert_eq!(uses(text), [(query.to_owned(), false, Access::Read)], "{text}");
    }
}

#[test]
fn names_of_with_queries_are_relations_only_where_they_are_not_seen() {
    let found =
        uses("WITH users AS (SELECT * FROM users), d AS (DELETE FROM old RETURNING *) SELECT * FROM users, d, f(1)");
    assert_eq!(found, [("users".into(), false, Access::Read), ("old".into(), false, Access::Write)]);
    assert!(uses("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r").is_empty());
}

#[test]
fn rows_are_locked_where_the_query_says_so() {
    let found = uses("SELECT * FROM ONLY a x, b WHERE EXISTS (SELECT FROM c) FOR NO KEY UPDATE OF x");
    let expected = [("a", true, Access::LockRows), ("b", false, Access::Read), ("c", false, Access::Read)];
    assert_eq!(found, expected.map(|(name, only, access)| (name.to_string(), only, access)));
}

#[test]
fn queries_that_are_something_else() {
    let Change::Set(set) = change("SELECT pg_catalog.set_config('search_path', '', false);") else { panic!() };
    assert_eq!((&*set.parameter, &*set.values, set.local), ("search_path", &["".into()][..], false));
    let Change::CreateTableAs(create) = change("SELECT a INTO TEMP n FROM t") else { panic!() };
    assert_eq!(create.name.to_string(), "n");
    assert!(matches!(change("EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t"), Change::Explain { analyze: true, .. }));
    assert!(matches!(change("EXPLAIN (ANALYZE off) SELECT 1"), Change::Explain { analyze: false, .. }));
}

#[test]
fn copy_keeps_its_rows_apart() {
    let Change::Copy(copy) = change("COPY t (a) FROM stdin;\n1\n\\.\n") else { panic!() };
    assert_eq!((copy.from, copy.data), (true, Some(span(23, 25))));
    let Change::Copy(copy) = change("COPY t FROM 'f' (FORMAT csv) WHERE a > 1") else { panic!() };
    assert_eq!(&*copy.predicate.unwrap().text, "a > 1");
    assert_eq!(uses("COPY (SELECT * FROM t) TO STDOUT WITH (FORMAT csv)")[0].0, "t");
}

#[test]
fn a_table_query_stands_wherever_a_query_does() {
    for (text, only) in [
        ("TABLE ONLY p", true),
        ("TABLE p", false),
        ("TABLE p *", false),
        ("(TABLE ONLY (p)) UNION ALL VALUES (1)", true),
        ("VALUES (1) INTERSECT TABLE p", false),
        ("SELECT (TABLE ONLY p) AS table", true),
        ("WITH a AS (TABLE p) TABLE a", false),
    ] {
        assert_eq!(uses(text), [("p".to_owned(), only, Access::Read)], "{text}");
    }
    for text in ["INSERT INTO t TABLE ONLY p", "INSERT INTO t (a) TABLE ONLY p"] {
        assert!(uses(text).contains(&("p".to_owned(), true, Access::Read)), "{text}");
    }
}

#[test]
fn table_is_a_label_too() {
    for text in ["SELECT a AS table FROM p", "SELECT p.table FROM p", "SELECT a AS only, b FROM p"] {
        assert_eq!(uses(text), [("p".to_owned(), false, Access::Read)], "{text}");
    }
}

#[test]
fn an_expression_asks_tables_by_the_same_names() {
    for query in ["TABLE ONLY p", "SELECT 1 FROM ONLY p", "TABLE p", "SELECT a AS table FROM p"] {
        let Change::CreatePolicy(policy) = change(&format!("CREATE POLICY x ON t USING (EXISTS ({query}))")) else {
            panic!("{query}")
        };
        let using = policy.using.unwrap();
        assert_eq!(&*using.text, format!("EXISTS ({query})").as_str());
        let relations = format!("{:?}", using.tree);
        assert!(relations.contains("\"p\"") && !relations.to_lowercase().contains("\"only\""), "{relations}");
    }
}
