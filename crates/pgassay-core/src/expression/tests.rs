//! Expectations come from real servers of 14 to 18.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::names::built_in;
use super::scope::built_in_type;
use super::*;
use crate::change::{
    Argument, ArgumentMode, Expression, IndexElement, IndexTarget, PartitionStrategy, Persistence, QualifiedName,
    ReplicaIdentity, TypeName,
};
use crate::schema::*;

fn parse(sql: &str) -> ast::Expr {
    Parser::new(&PostgreSqlDialect {})
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_expr())
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn expression(sql: &str) -> Expression {
    Expression { span: names::NOWHERE, text: sql.into(), tree: Arc::new(parse(sql)) }
}

fn ident(name: &str) -> crate::change::Ident {
    crate::change::Ident { name: name.into(), span: names::NOWHERE }
}

/// `a int4, b _text`.
fn table(id: u32, name: &str, columns: &str) -> Relation {
    let column = |(index, text): (usize, &str)| {
        let (name, of) = text.trim().split_once(' ').unwrap();
        Column {
            id: ColumnId(index as u16 + 1),
            name: name.into(),
            data_type: built_in_type(of),
            collation: None,
            not_null: NotNull::No,
            default: None,
            identity: None,
            generated: None,
            sequence: None,
            local: true,
            inherited: 0,
            comment: None,
            statistics_target: None,
            storage: None,
            compression: None,
            options: BTreeMap::new(),
        }
    };
    Relation {
        id: RelationId(id),
        name: QualifiedName::new("public", name),
        kind: RelationKind::Table,
        persistence: Persistence::Permanent,
        known: true,
        owner: None,
        columns: columns.split(',').enumerate().map(column).collect(),
        next_column: 99,
        constraints: crate::schema::List::default(),
        indexes: Vec::new(),
        referenced_by: Vec::new(),
        parents: Vec::new(),
        children: Vec::new(),
        bound: None,
        triggers: crate::schema::List::default(),
        system_triggers_off: false,
        rules: crate::schema::List::default(),
        policies: crate::schema::List::default(),
        row_security: false,
        force_row_security: false,
        replica_identity: ReplicaIdentity::Default,
        options: BTreeMap::new(),
        access_method: None,
        tablespace: None,
        privileges: crate::schema::List::default(),
        comment: None,
        of_type: None,
        clustered_on: None,
    }
}

fn routine(id: u32, name: &str, arguments: &[(&str, Option<&str>)], returns: &str, volatility: Volatility) -> Routine {
    let argument = |(of, default): &(&str, Option<&str>)| Argument {
        mode: if of.starts_with('_') { ArgumentMode::Variadic } else { ArgumentMode::In },
        name: None,
        data_type: built_in(of),
        default: default.map(expression),
    };
    Routine {
        id: RoutineId(id),
        name: QualifiedName::new("public", name),
        seen: crate::schema::Seen::Whole,
        procedure: false,
        arguments: arguments.iter().map(argument).collect(),
        returns: Some(built_in(returns)),
        returns_table: Vec::new(),
        language: "plpgsql".into(),
        volatility,
        strict: false,
        security_definer: false,
        settings: Vec::new(),
        may_change_schema: false,
        body: "".into(),
        statements: Arc::from([]),
        atomic: false,
        uses: Vec::new(),
        owner: None,
        privileges: crate::schema::List::default(),
        comment: None,
    }
}

/// A function in language SQL with the body `SELECT expression`.
fn sql_routine(id: u32, name: &str, body: &str, volatility: Volatility) -> Routine {
    let tree = Parser::parse_sql(&PostgreSqlDialect {}, body).unwrap().remove(0);
    let select =
        crate::change::Select { span: names::NOWHERE, uses: Vec::new(), tree: crate::change::Tree(Arc::new(tree)) };
    let statement = crate::change::Statement {
        span: names::NOWHERE,
        change: Ok(crate::change::Change::Select(select)),
        conditional: false,
        newer: Vec::new(),
    };
    Routine {
        language: "sql".into(),
        statements: Arc::from([statement]),
        ..routine(id, name, &[], "float8", volatility)
    }
}

fn schema() -> Schema {
    use Volatility::{Immutable, Stable, Volatile};
    let mut schema = Schema::new(true);
    schema.put_relation(table(1, "orders", "id int4, total numeric, placed timestamptz, customer_id int4"));
    schema.put_relation(table(2, "customers", "id int4, name text, tags _text"));
    for extension in ["hstore", "uuid-ossp", "pgcrypto", "citext"] {
        schema.extensions.insert(extension.into(), Extension { schema: "public".into() });
    }
    schema.put_type(Type {
        id: TypeId(1),
        name: QualifiedName::new("public", "mood"),
        definition: TypeDefinition::Enum(vec!["a".into(), "b".into()]),
        owner: None,
        privileges: crate::schema::List::default(),
        comment: None,
    });
    schema.put_routine(routine(1, "now", &[], "timestamptz", Volatile));
    schema.put_routine(routine(2, "user_volatile", &[], "int4", Volatile));
    schema.put_routine(routine(3, "user_stable", &[], "int4", Stable));
    schema.put_routine(routine(4, "user_immutable", &[("int4", None)], "int4", Immutable));
    schema.put_routine(routine(5, "user_immutable", &[("text", None)], "int4", Volatile));
    schema.put_routine(sql_routine(6, "user_sql_inlined", "SELECT 1", Volatile));
    schema.put_routine(sql_routine(7, "user_sql_volatile", "SELECT random()", Volatile));
    schema.put_routine(sql_routine(8, "user_sql_lies", "SELECT random()", Stable));
    schema.put_routine(routine(
        9,
        "user_default_arg",
        &[("timestamptz", Some("clock_timestamp()"))],
        "int4",
        Immutable,
    ));
    schema.put_routine(routine(10, "user_default_const", &[("int4", Some("3"))], "int4", Immutable));
    schema.put_routine(routine(11, "user_variadic", &[("_int4", None)], "int4", Stable));
    schema
}

fn with_scope<T>(relation: Option<&str>, test: impl Fn(Scope) -> T) -> T {
    let schema = schema();
    let session = Session::default();
    let relation = relation.map(|name| schema.relation_at(&QualifiedName::new("public", name)).unwrap().clone());
    test(Scope {
        schema: &schema,
        session: &session,
        version: PgVersion::NEWEST,
        relation: relation.as_deref(),
        value: None,
    })
}

/// Whether ADD COLUMN … DEFAULT rewrote the table.
#[rustfmt::skip]
const DEFAULTS: &[(&str, bool)] = &[
    ("now()", false),
    ("public.now()", true),
    ("pg_catalog.now()", false),
    (r#""now"()"#, false),
    ("clock_timestamp()", true),
    ("CURRENT_TIMESTAMP", false),
    ("CURRENT_TIMESTAMP(3)", false),
    ("CURRENT_DATE", false),
    ("LOCALTIMESTAMP", false),
    ("CURRENT_USER", false),
    ("SESSION_USER", false),
    ("current_schema()", false),
    ("current_setting('TimeZone')", false),
    ("statement_timestamp()", false),
    ("transaction_timestamp()", false),
    ("timeofday()", true),
    ("random()", true),
    ("(random() * 10)::int", true),
    ("floor(random() * 10)::int", true),
    ("gen_random_uuid()", true),
    ("uuid_generate_v4()", true),
    ("uuid_generate_v5(uuid_ns_dns(), 'x')", false),
    ("gen_random_uuid()::text", true),
    ("replace(gen_random_uuid()::text, '-', '')", true),
    ("nextval('sq')", true),
    ("nextval('sq'::regclass)", true),
    ("md5('x')", false),
    ("md5(random()::text)", true),
    ("encode(gen_random_bytes(8), 'hex')", true),
    ("gen_salt('bf')", true),
    ("crypt('x', gen_salt('bf'))", true),
    ("encode(digest('x', 'sha256'), 'hex')", false),
    ("age(timestamptz '2020-01-01')", false),
    ("age(timestamptz '2020-01-01', timestamptz '2019-01-01')", false),
    ("now() + interval '1 day'", false),
    ("now() - '1 day'::interval", false),
    ("clock_timestamp() + interval '1 day'", true),
    ("'now'::timestamptz", false),
    ("'now'::timestamp", false),
    ("timezone('utc', now())", false),
    ("(clock_timestamp() at time zone 'utc')", true),
    ("extract(epoch from now())", false),
    ("date_part('epoch', now())", false),
    ("date_part('epoch', clock_timestamp())", true),
    ("(extract(epoch from clock_timestamp()) * 1000)::bigint", true),
    ("to_char(now(), 'YYYY')", false),
    ("to_char(clock_timestamp(), 'YYYY')", true),
    ("date_trunc('day', now())", false),
    ("to_timestamp(0)", false),
    ("to_timestamp('2020', 'YYYY')", false),
    ("'{}'::jsonb", false),
    ("jsonb_build_object('a', 1)", false),
    ("jsonb_build_object('a', random())", true),
    ("to_jsonb(now())", false),
    ("ARRAY[]::text[]", false),
    ("'{}'", false),
    ("ARRAY[1, random()]", true),
    ("CASE WHEN true THEN 1 ELSE 2 END", false),
    ("CASE WHEN random() > 0.5 THEN 1 ELSE 2 END", true),
    ("CASE WHEN now() > '2020-01-01' THEN 1 ELSE 2 END", false),
    ("COALESCE(random(), 1)", true),
    ("COALESCE(NULL, 1)", false),
    ("NULLIF(random(), 1)", true),
    ("GREATEST(1, random())", true),
    ("lower('X') || upper('y')", false),
    ("concat('a', now())", false),
    ("concat('a', clock_timestamp())", true),
    ("format('%s', 1)", false),
    ("'a' || random()", true),
    ("random()::text", true),
    ("user_volatile()", true),
    ("user_stable()", false),
    ("user_immutable(1)", false),
    ("user_immutable('x')", true),
    ("user_immutable('x'::text)", true),
    ("user_immutable(1::smallint)", false),
    ("user_sql_inlined()", false),
    ("user_sql_volatile()", true),
    ("user_sql_lies()", false),
    ("user_default_arg()", true),
    ("user_default_arg(now())", false),
    ("user_default_const()", false),
    ("user_variadic(1, 2, 3)", false),
    ("'a'", false),
    ("'a'::mood", false),
    ("3", false),
    ("''::hstore", false),
    ("hstore('a', 'b')", false),
    ("'x'::citext", false),
    ("txid_current()::text", false),
    ("pg_backend_pid()::text", false),
    ("version()", false),
    ("inet_client_addr()::text", false),
    ("make_interval(days => 3)", false),
    ("make_interval(secs => random())", true),
    ("make_timestamptz(2020, 1, 1, 0, 0, 0)", false),
    ("random(1, 10)", true),
    ("uuidv7()", true),
    ("uuidv4()", true),
    ("- random()", true),
    ("substring(random()::text from 1 for 3)", true),
    ("trim(random()::text)", true),
    ("position('a' in 'b')", false),
    ("overlay('abc' placing random()::text from 1 for 2)", true),
    ("(ARRAY[random()])[1]", true),
    ("(ROW(random())).f1", true),
    ("tsrange(now()::timestamp, null)", false),
    ("tstzrange(clock_timestamp(), null)", true),
    ("set_config('a.b', 'c', false)", true),
    ("cardinality(string_to_array('a,b', ','))", false),
    ("(nextval('sq') * 1000 + 3)", true),
    ("pg_current_xact_id()::text::bigint", false),
    ("user_immutable(user_volatile())", true),
];

#[test]
fn defaults_rewrite_where_the_server_rewrites() {
    with_scope(None, |scope| {
        let wrong: Vec<_> = DEFAULTS
            .iter()
            .filter(|(sql, rewrites)| (volatility(&parse(sql), scope) == Volatility::Volatile) != *rewrites)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(DEFAULTS.len() > 90);
    });
}

#[test]
fn stable_is_told_from_immutable() {
    let cases = [
        ("age(timestamptz '2020-01-01')", Volatility::Stable),
        ("age(timestamptz '2020-01-01', timestamptz '2019-01-01')", Volatility::Immutable),
        ("placed + interval '1 day'", Volatility::Stable),
        ("placed > '2020-01-01'", Volatility::Immutable),
        ("placed::date", Volatility::Stable),
        ("placed::text", Volatility::Stable),
        ("id::text", Volatility::Immutable),
        ("total * 2 + id", Volatility::Immutable),
        ("timezone('utc', placed)", Volatility::Immutable),
        ("to_char(placed, 'YYYY')", Volatility::Stable),
        ("date_trunc('day', placed)", Volatility::Stable),
        ("no_such_function(id)", Volatility::Volatile),
        ("'2020-01-01'::text::timestamptz", Volatility::Stable),
    ];
    with_scope(Some("orders"), |scope| {
        for (sql, expected) in cases {
            assert_eq!(volatility(&parse(sql), scope), expected, "{sql}");
        }
    });
}

#[test]
fn types_follow_operators_functions_and_casts() {
    let cases = [
        ("id", Some("integer")),
        ("id + 1", Some("integer")),
        ("id + total", Some("numeric")),
        ("id::bigint + 1", Some("bigint")),
        ("total > 3 AND NOT false", Some("boolean")),
        ("CASE WHEN true THEN id ELSE total END", Some("numeric")),
        ("coalesce(total, 0)", Some("numeric")),
        ("sum(id)", Some("bigint")),
        ("avg(id)", Some("numeric")),
        ("array_agg(id)", Some("integer[]")),
        ("max(placed)", Some("timestamp with time zone")),
        ("placed - placed", Some("interval")),
        ("ARRAY[id, 2]", Some("integer[]")),
        ("(ARRAY[id])[1]", Some("integer")),
        ("'x' || id", Some("text")),
        ("lower('X')", Some("text")),
        ("count(*)", Some("bigint")),
        ("EXISTS (SELECT 1)", Some("boolean")),
        ("(SELECT name FROM customers)", Some("text")),
        ("'x'", None),
        ("no_such_function(id)", None),
        ("current_user", Some("name")),
        ("extract(year from placed)", Some("numeric")),
        ("'a'::mood", Some("public.mood")),
    ];
    with_scope(Some("orders"), |scope| {
        for (sql, expected) in cases {
            let found = type_of(&parse(sql), scope).map(|found| found.written.to_string());
            assert_eq!(found.as_deref(), expected, "{sql}");
        }
    });
}

#[test]
fn columns_are_found_by_any_name() {
    let orders = table(1, "orders", "id int4, total numeric, placed timestamptz");
    let ids = |sql| columns_named(&parse(sql), &orders).into_iter().map(|id| id.0).collect::<Vec<_>>();
    assert_eq!(ids("total > 0 AND orders.id < public.orders.total"), [1, 2]);
    assert_eq!(ids("row_to_json(orders) IS NOT NULL"), [1, 2, 3]);
    assert_eq!(ids("new.placed IS DISTINCT FROM old.placed"), [3]);
    assert_eq!(ids("EXISTS (SELECT 1 FROM x WHERE id = orders.total)"), [2]);
    assert_eq!(ids("elsewhere.id = 3"), Vec::<u16>::new());
}

#[test]
fn routines_are_those_of_the_schema() {
    with_scope(None, |scope| {
        let ids = |sql| routines(&parse(sql), scope).into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids("now()"), Vec::<u32>::new());
        assert_eq!(ids("public.now()"), [1]);
        assert_eq!(ids("user_immutable(1) + user_stable()"), [4, 3]);
        assert_eq!(ids("user_immutable('x'::text)"), [5]);
    });
}

#[test]
fn not_null_is_proved_where_the_server_skips_its_scan() {
    let proofs = [
        "c IS NOT NULL",
        "c IS NOT NULL AND d > 0",
        "d > 0 AND (c IS NOT NULL AND e > 0)",
        "NOT (c IS NULL)",
        "(c IS NOT NULL) = true",
        "c IS NOT NULL OR c IS NOT NULL",
        "c IS DISTINCT FROM NULL",
        "NOT (c IS NULL OR d IS NULL)",
        "(c, d) IS NOT NULL",
        "true AND c IS NOT NULL",
        "NOT NOT (c IS NOT NULL)",
        "(c IS NULL) = false",
        "nn.c IS NOT NULL",
        "(c IS NOT NULL AND d > 0) OR (c IS NOT NULL AND e < 0)",
        "(c IS NOT NULL) <> false",
        "NOT (c IS NULL AND true)",
        "(c IS NOT NULL) OR false",
    ];
    let none = [
        "c > 0",
        "coalesce(c, 0) > 0",
        "(c IS NOT NULL) IS TRUE",
        "c IS NOT NULL OR d IS NOT NULL",
        "num_nonnulls(c) = 1",
        "(c IS NOT NULL) IS NOT FALSE",
        "(c IS NULL) IS FALSE",
        "c = c",
        "c IN (1, 2)",
        "c + 0 IS NOT NULL",
        "(c > 0) IS TRUE",
        "CASE WHEN c IS NULL THEN false ELSE true END",
        "(c > 0) IS NOT NULL",
        "c::bigint IS NOT NULL",
        "(c > 0) IS NOT UNKNOWN",
        "NOT (c IS NULL AND d IS NULL)",
        "c BETWEEN 1 AND 3",
        "d IS NOT NULL",
        "c IS NULL",
    ];
    let wrong = |list: &[&'static str], expected| -> Vec<&'static str> {
        list.iter().filter(|sql| proves_not_null(&parse(sql), &Name::from("c")) != expected).copied().collect()
    };
    assert_eq!(wrong(&proofs, true), Vec::<&str>::new());
    assert_eq!(wrong(&none, false), Vec::<&str>::new());
}

fn partition_bound(sql: &str) -> PartitionBound {
    let values = |text: &str| -> Vec<Expression> {
        let text = text.trim().trim_start_matches('(').trim_end_matches(')');
        text.split(',').map(|value| expression(value.trim())).collect()
    };
    match (sql.split_once("in "), sql.split_once(" to ")) {
        (Some(("", list)), _) => PartitionBound::List(values(list)),
        (_, Some((from, to))) => {
            PartitionBound::Range { from: values(from.trim_start_matches("from ")), to: values(to) }
        }
        _ => PartitionBound::Hash { modulus: 1, remainder: 0 },
    }
}

/// Whether ATTACH PARTITION took the checks and NOT NULL columns for proof: key, bound, checks, NOT NULL columns, proved.
#[rustfmt::skip]
const BOUNDS: &[(&str, &str, &[&str], &str, bool)] = &[
    ("a", "in (1)", &["a = 1"], "", false),
    ("a", "in (1)", &["a = 1"], "a", true),
    ("a", "in (1)", &["a = 1", "a IS NOT NULL"], "", true),
    ("a", "in (1)", &["a = 1 AND a IS NOT NULL"], "", true),
    ("a", "in (1)", &["a IN (1) AND a IS NOT NULL"], "", true),
    ("a", "in (1,2)", &["a IN (1,2) AND a IS NOT NULL"], "", true),
    ("a", "in (1,2)", &["a IN (2,1)"], "a", true),
    ("a", "in (1,2,3)", &["a IN (1,2)"], "a", true),
    ("a", "in (1,2,3)", &["a = 2"], "a", true),
    ("a", "in (1,2)", &["a = 1 OR a = 2"], "a", true),
    ("a", "in (1,2)", &["a = ANY (ARRAY[1,2])"], "a", true),
    ("a", "in (1,2)", &["a = ANY ('{1,2}')"], "a", true),
    ("a", "in (1,2)", &["a = ANY ('{1,2}'::int[])"], "a", true),
    ("a", "in (1,2)", &["a IN (1,2,3)"], "a", false),
    ("a", "in (1,2)", &["a >= 1 AND a <= 2"], "a", false),
    ("a", "in (1,null)", &["a = 1 OR a IS NULL"], "", true),
    ("a", "in (1,null)", &["a = 1"], "", true),
    ("a", "in (1,null)", &["a = 1"], "a", true),
    ("a", "in (null)", &["a IS NULL"], "", true),
    ("a", "in (1,2,null)", &["a IN (1,2) OR a IS NULL"], "", true),
    ("a", "in (1,2,null)", &["a IN (1,2)"], "a", true),
    ("a", "in (1,2,null)", &["a IS NULL OR a IN (1,2)"], "", true),
    ("t", "in ('x')", &["t = 'x'"], "t", true),
    ("t", "in ('x','y')", &["t IN ('x','y')"], "t", true),
    ("t", "in ('x')", &["t = 'x'::text"], "t", true),
    ("v", "in ('x')", &["v = 'x'"], "v", true),
    ("v", "in ('x','y')", &["v IN ('x','y')"], "v", true),
    ("a", "in (1)", &["1 = a"], "a", true),
    ("a", "in (1)", &["a IS NOT DISTINCT FROM 1"], "a", false),
    ("a", "in (1)", &["a = 1::int"], "a", true),
    ("a", "in (1)", &["a = 1::bigint"], "a", true),
    ("a", "in (1)", &["a = '1'"], "a", true),
    ("a", "in (1)", &["a BETWEEN 1 AND 1"], "a", false),
    ("a", "in (1)", &["NOT (a <> 1)"], "a", true),
    ("a", "from (1) to (10)", &["a >= 1 AND a < 10"], "a", true),
    ("a", "from (1) to (10)", &["a >= 1 AND a < 10"], "", false),
    ("a", "from (1) to (10)", &["a >= 1", "a < 10", "a IS NOT NULL"], "", true),
    ("a", "from (1) to (10)", &["a IS NOT NULL AND a >= 1 AND a < 10"], "", true),
    ("a", "from (1) to (10)", &["a >= 2 AND a < 9"], "a", true),
    ("a", "from (1) to (10)", &["a > 1 AND a < 9"], "a", true),
    ("a", "from (1) to (10)", &["a > 0 AND a < 9"], "a", false),
    ("a", "from (1) to (10)", &["a >= 1 AND a <= 9"], "a", true),
    ("a", "from (1) to (10)", &["a >= 1 AND a <= 10"], "a", false),
    ("a", "from (1) to (10)", &["a BETWEEN 1 AND 9"], "a", true),
    ("a", "from (1) to (10)", &["a = 5"], "a", true),
    ("a", "from (1) to (10)", &["a IN (5,6)"], "a", true),
    ("a", "from (1) to (10)", &["a = 5 OR a = 6"], "a", true),
    ("a", "from (1) to (10)", &["(a >= 1 AND a < 3) OR (a >= 5 AND a < 7)"], "a", true),
    ("a", "from (1) to (10)", &["1 <= a AND 10 > a"], "a", true),
    ("a", "from (minvalue) to (10)", &["a < 10"], "a", true),
    ("a", "from (minvalue) to (10)", &["a < 10"], "", false),
    ("a", "from (1) to (maxvalue)", &["a >= 1"], "a", true),
    ("a", "from (minvalue) to (maxvalue)", &["a IS NOT NULL"], "", true),
    ("a", "from (minvalue) to (maxvalue)", &[], "a", true),
    ("a", "from (minvalue) to (maxvalue)", &[], "", false),
    ("a", "from (1) to (10)", &["NOT (a < 1 OR a >= 10)"], "a", true),
    ("a", "from (1) to (10)", &["a >= 1::int AND a < 10::int"], "a", true),
    ("a", "from (1) to (10)", &["a >= 1::bigint AND a < 10::bigint"], "a", true),
    ("a", "from (-5) to (10)", &["a >= -5 AND a < 10"], "a", true),
    ("a", "from (1) to (10)", &["a >= 0.5 + 1 AND a < 10"], "a", false),
    ("ts", "from ('2020-01-01') to ('2020-02-01')", &["ts >= '2020-01-01' AND ts < '2020-02-01'"], "ts", true),
    ("ts", "from ('2020-01-01') to ('2020-02-01')", &["ts >= '2020-01-01'::timestamptz AND ts < '2020-02-01'::timestamptz"], "ts", true),
    ("ts", "from ('2020-01-01') to ('2020-02-01')", &["ts >= '2020-01-01 00:00:00+00' AND ts < '2020-02-01 00:00+00'"], "ts", true),
    ("ts", "from ('2020-01-01') to ('2020-02-01')", &["ts >= '2020-01-01'::date AND ts < '2020-02-01'::date"], "ts", false),
    ("ts", "from ('2020-01-01') to ('2020-02-01')", &["ts >= '2020-01-01'::timestamp AND ts < '2020-02-01'::timestamp"], "ts", false),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d >= '2020-01-01' AND d < '2020-02-01'"], "d", true),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d >= DATE '2020-01-01' AND d < DATE '2020-02-01'"], "d", true),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d >= '2020-01-05' AND d < '2020-01-20'"], "d", true),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d BETWEEN '2020-01-01' AND '2020-01-31'"], "d", true),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d >= '2020-01-01' AND d <= '2020-01-31'"], "d", true),
    ("d", "from ('2020-01-01') to ('2020-02-01')", &["d >= '2020-01-01'::timestamp AND d < '2020-02-01'::timestamp"], "d", true),
    ("t", "from ('a') to ('f')", &["t >= 'a' AND t < 'f'"], "t", true),
    ("t", "from ('a') to ('f')", &["t >= 'b' AND t < 'c'"], "t", true),
    ("a,b", "from (1,1) to (10,1)", &["a >= 1 AND a < 10"], "a,b", false),
    ("a,b", "from (1,1) to (1,10)", &["a = 1 AND b >= 1 AND b < 10"], "a,b", true),
    ("a,b", "from (1,1) to (10,1)", &["a >= 2 AND a < 10"], "a,b", true),
    ("a,b", "from (1,1) to (10,1)", &["a > 1 AND a < 10"], "a,b", true),
    ("a,b", "from (1,1) to (10,1)", &["(a > 1 OR (a = 1 AND b >= 1)) AND (a < 10 OR (a = 10 AND b < 1))"], "a,b", true),
    ("a,b", "from (1,1) to (10,1)", &["a > 1 OR (a = 1 AND b >= 1)", "a < 10 OR (a = 10 AND b < 1)"], "a,b", true),
    ("a,b", "from (1,minvalue) to (10,minvalue)", &["a >= 1 AND a < 10"], "a,b", true),
    ("a,b", "from (1,minvalue) to (10,minvalue)", &["a >= 1 AND a < 10"], "a", false),
    ("a,b", "from (1,5) to (2,5)", &["a = 1 AND b >= 5"], "a,b", true),
    ("a,b", "from (1,5) to (2,5)", &["a = 1 AND b = 7"], "a,b", true),
    ("a,b", "from (1,5) to (1,8)", &["a = 1 AND b = 7"], "a,b", true),
    ("lower(t)", "from ('a') to ('f')", &["lower(t) >= 'a' AND lower(t) < 'f' AND lower(t) IS NOT NULL"], "", true),
    ("lower(t)", "in ('a')", &["lower(t) = 'a' AND lower(t) IS NOT NULL"], "", true),
];

/// What the server proves and we do not: arrays in text form, order of text (the collation decides), other forms of time.
const UNPROVED: &[&str] = &[
    "a = ANY('{1,2}')",
    "a = ANY('{1,2}'::INT[])",
    "ts >= '2020-01-01 00:00:00+00' AND ts < '2020-02-01 00:00+00'",
    "d >= '2020-01-01'::TIMESTAMP AND d < '2020-02-01'::TIMESTAMP",
    "t >= 'b' AND t < 'c'",
];

#[test]
fn partition_bounds_are_proved_where_the_server_skips_its_scan() {
    with_scope(None, |scope| {
        let mut wrong = Vec::new();
        for (columns, bound, checks, not_null, proved) in BOUNDS {
            let parent = table(10, "p", "a int4, b int4, t text, ts timestamptz, d date, v varchar");
            let mut child = parent.clone();
            for column in &mut child.columns {
                if not_null.split(',').any(|name| column.name == *name) {
                    column.not_null = NotNull::Yes;
                }
            }
            let element = |name: &str| IndexElement {
                target: match name.contains('(') {
                    true => IndexTarget::Expression(expression(name)),
                    false => IndexTarget::Column(ident(name)),
                },
                collation: None,
                operator_class: None,
                descending: false,
                nulls_first: None,
                span: names::NOWHERE,
            };
            let key = PartitionKey {
                strategy: PartitionStrategy::List,
                elements: columns.split(',').map(element).collect(),
                columns: Vec::new(),
            };
            let checks: Vec<_> = checks.iter().map(|check| parse(check)).collect();
            let checks: Vec<_> = checks.iter().collect();
            let ours = proves_partition_bound(&checks, &child, &parent, &key, &partition_bound(bound), scope);
            let text = checks.iter().map(|check| check.to_string()).collect::<Vec<_>>().join("; ");
            assert!(!ours || *proved, "{columns} {bound}: {text} proves nothing on the server");
            if ours != *proved {
                wrong.push(text);
            }
        }
        assert_eq!(wrong, UNPROVED);
    });
}

fn analyze(sql: &str) -> (String, String) {
    with_scope(None, |scope| {
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let analysis = analyze_statement(&statement, scope);
        let mut uses: Vec<_> = analysis
            .uses
            .iter()
            .map(|(id, columns)| format!("{}{:?}", id.0, columns.iter().map(|c| c.0).collect::<Vec<_>>()))
            .collect();
        uses.sort();
        let output = analysis.output.map_or("unknown".to_owned(), |output| {
            let column = |(name, of): &(Name, Option<ColumnType>)| {
                format!("{}:{}", name.as_str(), of.as_ref().map_or("?".to_owned(), |of| of.written.to_string()))
            };
            output.iter().map(column).collect::<Vec<_>>().join(" ")
        });
        (uses.join(" "), output)
    })
}

#[test]
fn queries_use_the_columns_they_name_and_no_others() {
    let cases = [
        ("SELECT * FROM customers", "2[1, 2, 3]", "id:integer name:text tags:text[]"),
        ("SELECT count(*) FROM orders", "1[]", "count:bigint"),
        (
            "SELECT o.id, c.name AS who FROM orders o JOIN customers c ON c.id = o.customer_id",
            "1[1, 4] 2[1, 2]",
            "id:integer who:text",
        ),
        (
            "SELECT total::text, 1, 'x', total > 1 FROM orders",
            "1[2]",
            "total:text ?column?:integer ?column?:text ?column?:boolean",
        ),
        ("WITH x AS (SELECT id AS k FROM orders) SELECT k FROM x WHERE k > 1", "1[1]", "k:integer"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", "", "n:integer"),
        (
            "SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer_id = customers.id)",
            "1[4] 2[1, 2]",
            "name:text",
        ),
        ("SELECT s.a FROM (SELECT id AS a, total FROM orders) s", "1[1, 2]", "a:integer"),
        (
            "SELECT * FROM orders JOIN customers USING (id)",
            "1[1, 2, 3, 4] 2[1, 2, 3]",
            "id:integer total:numeric placed:timestamp with time zone customer_id:integer name:text tags:text[]",
        ),
        (
            "SELECT c.id, t.tag FROM customers c, LATERAL (SELECT unnest(c.tags) AS tag) t",
            "2[1, 3]",
            "id:integer tag:text",
        ),
        ("SELECT id FROM orders UNION SELECT id FROM customers", "1[1] 2[1]", "id:integer"),
        ("SELECT row_to_json(orders) FROM orders", "1[]", "row_to_json:json"),
        (
            "SELECT orders.* FROM orders, customers",
            "1[1, 2, 3, 4] 2[]",
            "id:integer total:numeric placed:timestamp with time zone customer_id:integer",
        ),
        ("SELECT g FROM generate_series(1, 3) g", "", "g:integer"),
        ("SELECT key, value FROM json_each('{}')", "", "key:text value:json"),
        ("VALUES (1, 'a'), (2, 'b')", "", "column1:integer column2:text"),
        ("SELECT sum(total) AS s FROM orders GROUP BY customer_id ORDER BY s", "1[2, 4]", "s:numeric"),
        (
            "SELECT CASE WHEN true THEN 1 END, coalesce(id, 0), now()::date FROM orders",
            "1[1]",
            "case:integer coalesce:integer now:date",
        ),
        ("SELECT * FROM nowhere", "", "unknown"),
        ("UPDATE orders SET total = 0 WHERE id = 1 RETURNING placed", "1[1, 2, 3]", "placed:timestamp with time zone"),
        ("INSERT INTO customers (name) SELECT 'x' RETURNING id", "2[1, 2]", "id:integer"),
        ("DELETE FROM orders USING customers c WHERE c.id = customer_id", "1[4] 2[1]", ""),
    ];
    for (sql, uses, output) in cases {
        assert_eq!(analyze(sql), (uses.to_owned(), output.to_owned()), "{sql}");
    }
}

#[test]
fn missing_relations_are_named_once_and_system_ones_are_not() {
    with_scope(None, |scope| {
        let sql = "SELECT * FROM nowhere a, nowhere b, pg_class, information_schema.columns";
        let statement = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0);
        let missing: Vec<_> =
            analyze_statement(&statement, scope).missing.iter().map(|name| name.to_string()).collect();
        assert_eq!(missing, ["nowhere"]);
    });
}

#[test]
fn type_names_are_the_catalogs() {
    let name = |sql: &str| {
        let ast::Expr::Cast { data_type, .. } = parse(&format!("x::{sql}")) else { unreachable!() };
        type_name(&data_type).map(|found: TypeName| (found.name.to_string(), found.modifiers, found.array_dimensions))
    };
    assert_eq!(name("varchar(20)"), Some(("\"varchar\"".into(), vec![20], 0)));
    assert_eq!(name("numeric(10,2)[]"), Some(("\"numeric\"".into(), vec![10, 2], 1)));
    assert_eq!(name("timestamp with time zone"), Some(("timestamptz".into(), vec![], 0)));
    assert_eq!(name("hstore"), Some(("hstore".into(), vec![], 0)));
}
