//! What checks prove: of columns that are not null, and of the rows of partitions.

use super::*;

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
