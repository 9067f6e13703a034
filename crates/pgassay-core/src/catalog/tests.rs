use super::*;

fn version(major: u16) -> PgVersion {
    PgVersion::new(major).unwrap()
}

#[test]
fn tables_are_sorted_for_the_search() {
    assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
    assert!(OPERATORS.is_sorted_by_key(|operator| operator.name));
    assert!(TYPES.is_sorted_by_key(|built_in| built_in.name));
    assert!(CASTS.is_sorted_by_key(|row| (row.source, row.target)));
    assert!(RELATIONS.is_sorted());
    assert!(FUNCTIONS.len() > 2500 && OPERATORS.len() > 700 && TYPES.len() > 150 && CASTS.len() > 200);
}

#[test]
fn volatility_differs_between_overloads() {
    let mut age: Vec<_> = functions("age", version(16))
        .iter()
        .filter(|f| f.arguments.iter().all(|argument| *argument == "timestamptz"))
        .map(|f| (f.arguments.len(), f.volatility))
        .collect();
    age.sort();
    assert_eq!(age, [(1, Volatility::Stable), (2, Volatility::Immutable)]);
    assert_eq!(functions("clock_timestamp", version(14))[0].volatility, Volatility::Volatile);
    assert_eq!(functions("now", version(14))[0].volatility, Volatility::Stable);
}

#[test]
fn versions_bound_what_exists() {
    assert!(functions("uuidv7", version(17)).is_empty());
    assert_eq!(functions("uuidv7", version(18)).len(), 2);
    assert_eq!(functions("random", version(16)).len(), 1);
    assert_eq!(functions("random", version(17)).len(), 4);
    assert!(functions("no_such_function", version(17)).is_empty());
}

#[test]
fn functions_carry_defaults_variadic_and_columns() {
    let make_interval = functions("make_interval", version(15))[0];
    assert_eq!((make_interval.arguments.len(), make_interval.defaults), (7, 7));
    assert!(functions("format", version(15)).iter().any(|f| f.variadic));
    let json_each = functions("json_each", version(15))[0];
    assert_eq!(json_each.columns, [("key", "text"), ("value", "json")]);
    assert!(json_each.returns_set && functions("count", version(15))[0].aggregate);
}

#[test]
fn types_and_casts_are_those_of_the_server() {
    let text = built_in_type("text").unwrap();
    assert!(text.preferred && text.category == 'S' && text.input == Volatility::Immutable);
    assert_eq!(built_in_type("timestamptz").unwrap().input, Volatility::Stable);
    assert_eq!(built_in_type("_int4").unwrap().element, Some("int4"));
    assert_eq!(built_in_type("int4range").unwrap().element, Some("int4"));
    let wider = cast("int4", "int8").unwrap();
    assert_eq!(wider, Cast { context: CastContext::Implicit, method: CastMethod::Function(Volatility::Immutable) });
    assert_eq!(cast("varchar", "text").unwrap().method, CastMethod::Binary);
    assert_eq!(cast("date", "timestamptz").unwrap().method, CastMethod::Function(Volatility::Stable));
    assert_eq!(cast("text", "int4"), None);
}

#[test]
fn default_operator_classes_follow_binary_coercion() {
    assert_eq!(default_operator_class("btree", "varchar"), Some(("text_ops", "text")));
    assert_eq!(default_operator_class("btree", "bpchar"), Some(("bpchar_ops", "bpchar")));
    assert_eq!(default_operator_class("btree", "cidr"), Some(("inet_ops", "inet")));
    assert_eq!(default_operator_class("btree", "_text"), Some(("array_ops", "anyarray")));
    assert_eq!(default_operator_class("btree", "json"), None);
    assert_ne!(default_operator_class("btree", "int4"), default_operator_class("btree", "int8"));
}

#[test]
fn extensions_say_whether_they_are_complete() {
    let pgcrypto = extension("pgcrypto").unwrap();
    assert!(pgcrypto.complete && !pgcrypto.functions_named("gen_salt").is_empty());
    assert!(extension("citext").unwrap().type_named("citext").is_some());
    assert!(extension("hstore").unwrap().cast("_text", "hstore").is_some());
    assert!(extension("pg_stat_statements").unwrap().relations.contains(&"pg_stat_statements"));
    assert!(!extension("postgis").unwrap().complete && extension("postgis").unwrap().type_named("geometry").is_some());
    assert_eq!(extension("uuid-ossp").unwrap().functions_named("uuid_generate_v4")[0].volatility, Volatility::Volatile);
    assert!(extension("nobody_knows").is_none());
}

#[test]
fn system_relations_need_their_schema_only_outside_pg_catalog() {
    assert!(is_system_relation(None, "pg_class") && is_system_relation(Some("information_schema"), "columns"));
    assert!(!is_system_relation(None, "columns") && !is_system_relation(Some("public"), "pg_class"));
}

/// A table that takes long to parse would slow every run of the program.
#[test]
fn all_tables_load_at_once_in_a_moment() {
    let start = std::time::Instant::now();
    assert!(data::functions(include_str!("functions.tsv")).len() > 2500);
    assert!(extension("citext").is_some());
    assert!(start.elapsed().as_millis() < 200);
}
