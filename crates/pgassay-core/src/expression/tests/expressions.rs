//! What is worked out of one expression: volatility, types, the columns and routines that it names.

use super::*;

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
