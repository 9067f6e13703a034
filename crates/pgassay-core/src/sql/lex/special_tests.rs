use std::ops::ControlFlow;

use crate::walk::visit_expressions;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::change::Expression;
use crate::sql::read::testing::read;

fn expression(text: &str) -> Expression {
    let found = read(text, |reader| {
        let found = reader.expression()?;
        reader.expect_end()?;
        Ok(found)
    });
    let found = found.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(&*found.text, text);
    found
}

/// How the tree is made: operators, NULL tests and calls, outermost first.
fn shape(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let _ = visit_expressions(&*expression(text).tree, |part| {
        found.extend(match part {
            Expr::UnaryOp { op: UnaryOperator::Not, .. } => Some("NOT".to_owned()),
            Expr::IsNull(_) => Some("IS NULL".to_owned()),
            Expr::IsNotNull(_) => Some("IS NOT NULL".to_owned()),
            Expr::AnyOp { compare_op, .. } => Some(format!("{compare_op} ANY")),
            Expr::AllOp { compare_op, .. } => Some(format!("{compare_op} ALL")),
            Expr::InList { negated, list, .. } => Some(format!("IN {} {negated}", list.len())),
            Expr::BinaryOp { op: op @ BinaryOperator::Custom(_), .. } => Some(op.to_string()),
            Expr::Function(function) => Some(format!("{}()", function.name)),
            Expr::Identifier(name) => Some(name.to_string()),
            Expr::Value(value) => Some(value.to_string()),
            Expr::Trim { .. } => Some("TRIM".to_owned()),
            _ => None,
        });
        ControlFlow::<()>::Continue(())
    });
    found
}

#[test]
fn what_tests_a_form_tests_no_null() {
    assert_eq!(shape("doc IS DOCUMENT"), ["is document()", "doc"]);
    assert_eq!(shape("doc IS NOT DOCUMENT"), ["NOT", "is document()", "doc"]);
    assert_eq!(shape("a ISNULL AND b NOTNULL"), ["IS NULL", "a", "IS NOT NULL", "b"]);
    assert!(!shape("doc IS NOT JSON OBJECT WITH UNIQUE KEYS").contains(&"IS NOT NULL".to_owned()));
}

#[test]
fn an_operator_stays_itself_before_an_array() {
    assert_eq!(shape("a @> ANY (b)"), ["@> ANY", "a", "b"]);
    assert_eq!(shape("a OPERATOR(pg_catalog.*=) ALL (b)"), ["pg_catalog.*= ALL", "a", "b"]);
    assert_eq!(shape("a <> ALL (ARRAY['x']) AND TRIM(BOTH FROM b) <> ''"), ["<> ALL", "a", "'x'", "TRIM", "b", "''"]);
    assert_eq!(shape("a ~ ANY (b)")[0], "~ ANY");
    assert_eq!(shape("a LIKE ANY (b)"), ["~~ ANY", "a", "b"]);
    assert_eq!(shape("a NOT ILIKE ALL (ARRAY['x'])"), ["!~~* ALL", "a", "'x'"]);
    assert_eq!(shape("a NOT LIKE SOME (b) AND c")[0], "!~~ ANY");
    assert_eq!(shape("a LIKE all_of(b)").len(), 3);
}

#[test]
fn a_list_of_queries_has_nothing_added() {
    assert_eq!(shape("a NOT IN ((SELECT 1), 2)")[0], "IN 2 true");
    assert_eq!(shape("a IN ((1), (2), (3))")[0], "IN 3 false");
}

#[test]
fn operators_of_one_operand_are_calls_of_their_name() {
    assert_eq!(shape("@#@ a"), ["@#@()", "a"]);
    assert_eq!(shape("OPERATOR(pg_catalog.-) a"), ["-()", "a"]);
}

#[test]
fn calls_with_a_grammar_of_their_own_keep_their_values() {
    assert_eq!(shape("xmlelement(NAME foo, xmlattributes(a AS b), c)"), ["xmlelement()", "xmlattributes()", "a", "c"]);
    assert_eq!(shape("xmlserialize(CONTENT a AS text NO INDENT)"), ["xmlserialize()", "a"]);
    assert_eq!(
        shape("JSON_OBJECT('k': a FORMAT JSON, 'l' VALUE b ABSENT ON NULL RETURNING jsonb)"),
        ["json_object()", "'k'", "a", "'l'", "b"]
    );
    assert_eq!(
        shape("JSON_VALUE(a, '$.x' PASSING b AS y RETURNING int DEFAULT 0 ON EMPTY ERROR ON ERROR)"),
        ["json_value()", "a", "'$.x'", "b", "0"]
    );
    assert_eq!(shape("JSON_QUERY(a, '$' WITH CONDITIONAL WRAPPER NULL ON EMPTY)"), ["json_query()", "a", "'$'"]);
    assert_eq!(shape("JSON_ARRAYAGG(a ORDER BY b DESC NULL ON NULL)"), ["json_arrayagg()", "a", "b"]);
    assert_eq!(shape("a AT LOCAL"), ["timezone()", "a"]);
    assert_eq!(shape("COLLATION FOR (a)"), ["pg_collation_for()", "a"]);
    assert_eq!(shape("substring(a SIMILAR b ESCAPE '#')"), ["substring()", "a", "b", "'#'"]);
    assert_eq!(shape("f(VARIADIC a)"), ["f()", "a"]);
}

#[test]
fn bounds_in_either_order_say_nothing_of_one() {
    assert_eq!(shape("a NOT BETWEEN SYMMETRIC 1 AND 2"), ["NOT", "between symmetric()", "a", "1", "2"]);
    assert!(matches!(&*expression("a BETWEEN ASYMMETRIC 1 AND 2").tree, Expr::Between { negated: false, .. }));
}

#[test]
fn constants_of_every_type_keep_it() {
    for text in ["name 'x'", "s.widget E'x'", "numeric(3,2) '1'", "inet '::1'"] {
        assert!(matches!(&*expression(text).tree, Expr::TypedString(_)), "{text}");
    }
    assert!(matches!(&*expression("name 'x' = name 'y'").tree, Expr::BinaryOp { .. }));
}

#[test]
fn queries_are_read_through_parentheses() {
    assert!(matches!(&*expression("((SELECT 2) UNION SELECT 2)").tree, Expr::Subquery(_)));
    assert_eq!(shape("((SELECT 1) + a) <> ALL (VALUES (2), (3))")[0], "<> ALL");
}

#[test]
fn words_that_only_begin_a_call_name_columns() {
    assert_eq!(shape("exists"), ["exists"]);
    assert_eq!(shape("trim || json_value"), ["trim", "json_value"]);
}
