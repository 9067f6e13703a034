//! Which node is blamed and what is advised: plans of the kinds that experts explain, with what they say.

use std::fmt::Write as _;

use pgassay::plan::draw::Assayed;
use pgassay::plan::{self, Tip};

fn assayed(text: &str) -> Assayed {
    Assayed::new(plan::read(text).unwrap_or_else(|error| panic!("{error}\n{text}")).remove(0))
}

pub(crate) fn tips(text: &str) -> Vec<Tip> {
    assayed(text).tips
}

fn kinds(text: &str) -> Vec<&'static str> {
    tips(text).iter().map(|tip| tip.kind).collect()
}

/// A scan of so many rows that keeps a few.
fn scan(filter: &str, expected: u32) -> String {
    format!(
        "Seq Scan on ev  (cost=0.00..19000.00 rows={expected} width=200) (actual time=0.100..165.000 rows=968 loops=1)
  Filter: {filter}
  Rows Removed by Filter: 399032
Planning Time: 0.100 ms
Execution Time: 165.200 ms
"
    )
}

fn sql(filter: &str) -> Vec<String> {
    let tips = tips(&scan(filter, 900));
    tips.into_iter().flat_map(|tip| tip.sql).collect()
}

#[test]
fn partitions_are_judged_together() {
    for partitions in [3, 12, 25, 300] {
        let mut text = format!(
            "Append  (cost=0.00..250000.00 rows=120 width=40) (actual time=0.1..{}.0 rows=275 loops=1)\n",
            100 * partitions + 5
        );
        for n in 1..=partitions {
            write!(text, "  ->  Seq Scan on o_{n:02} o_{n}  (cost=0.00..10000.00 rows=10 width=40) (actual time=0.100..100.000 rows=11 loops=1)\n        Filter: (c = 42)\n        Rows Removed by Filter: 400000\n").expect("written");
        }
        let tips = tips(&text);
        let of_scans: Vec<&Tip> = tips.iter().filter(|tip| tip.kind == "sequential-scan-filter").collect();
        assert_eq!(of_scans.len(), 1, "{partitions}: {tips:?}");
        assert!(of_scans[0].share > 0.95, "{tips:?}");
        assert_eq!(of_scans[0].sql, ["CREATE INDEX ON o (c);"]);
        assert!(of_scans[0].message.contains(&format!("{partitions} partitions of o")), "{}", of_scans[0].message);
    }
    // Tables that have nothing to do with each other stay apart.
    let tables = "Append  (cost=0.00..2.00 rows=2 width=4) (actual time=0.1..300.0 rows=2 loops=1)
  ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..150.0 rows=1 loops=1)
        Filter: (c = 1)
        Rows Removed by Filter: 400000
  ->  Seq Scan on b  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..150.0 rows=1 loops=1)
        Filter: (c = 1)
        Rows Removed by Filter: 400000
";
    assert_eq!(kinds(tables), ["sequential-scan-filter", "sequential-scan-filter"]);
}

#[test]
fn rounded_rows_prove_nothing() {
    let text = "Nested Loop  (cost=0.10..9000.00 rows=40000 width=8) (actual time=1.000..50300.000 rows=42332 loops=1)
  ->  Seq Scan on m  (cost=0.00..2000.00 rows=91000 width=8) (actual time=0.010..300.000 rows=91314 loops=1)
  ->  Index Scan using title_pkey on title t  (cost=0.01..0.06 rows=1 width=4) (actual time=0.537..0.537 rows=0 loops=91314)
        Index Cond: (id = m.title_id)
        Filter: ((y >= 2000) AND (y <= 2010))
        Rows Removed by Filter: 1
";
    let tips = tips(text);
    assert!(tips.iter().all(|tip| tip.sql.is_empty() && tip.kind != "filter-behind-index"), "{tips:?}");
}

#[test]
fn the_root_of_a_misestimate_is_named() {
    let inner = "Nested Loop  (cost=0.57..1000.00 rows=10 width=8) (actual time=0.100..9000.000 rows=900000 loops=1)
  ->  Index Scan using a_x on a  (cost=0.29..8.30 rows=1 width=4) (actual time=0.050..300.000 rows=90000 loops=1)
        Index Cond: (x = 1)
  ->  Index Scan using b_a on b  (cost=0.28..8.30 rows=1 width=4) (actual time=0.090..0.095 rows=10 loops=90000)
        Index Cond: (a_id = a.id)
";
    let found = tips(inner);
    let wrong: Vec<(&str, Option<usize>)> =
        found.iter().map(|tip| (tip.kind, tip.node.map(|id| id.number()))).collect();
    assert!(wrong.contains(&("rows-misestimated", Some(2))), "{wrong:?}");
    assert!(found.iter().all(|tip| tip.sql != ["ANALYZE b;"]), "{found:?}");
    assert!(found.iter().any(|tip| tip.kind == "many-loops" && tip.advice.contains("node 2 (a)")), "{found:?}");
    let join = "Nested Loop  (cost=0.10..1253.06 rows=153 width=54) (actual time=23.000..69767.000 rows=42332 loops=1)
  ->  Hash Join  (cost=0.05..483.66 rows=1708 width=10) (actual time=0.190..911.000 rows=121572 loops=1)
        Hash Cond: (x.type_id = i.id)
        ->  Seq Scan on x  (cost=0.00..467.71 rows=192955 width=14) (actual time=0.060..765.000 rows=192967 loops=1)
        ->  Hash  (cost=0.05..0.05 rows=1 width=4) (actual time=0.060..0.060 rows=1 loops=1)
              ->  Seq Scan on i  (cost=0.00..0.05 rows=1 width=4) (actual time=0.045..0.051 rows=1 loops=1)
                    Filter: (info = 'rating'::text)
                    Rows Removed by Filter: 112
  ->  Index Scan using m_x on m  (cost=0.01..0.25 rows=1 width=8) (actual time=0.560..0.566 rows=1 loops=121572)
        Index Cond: (x_id = x.id)
";
    let found = tips(join);
    let named = found.iter().find(|tip| tip.kind == "rows-misestimated").expect("the join is named");
    assert_eq!(named.node.map(|id| id.number()), Some(2));
    assert!(named.advice.contains("skew"), "{named:?}");
}

#[test]
fn what_stopped_early_is_not_misjudged() {
    let window = "WindowAgg  (cost=0.30..4000.00 rows=50000 width=16) (actual time=0.020..20.000 rows=10 loops=1)
  Run Condition: (row_number() OVER (?) <= 10)
  ->  Index Scan using t_v on t  (cost=0.29..3000.00 rows=50000 width=8) (actual time=0.010..15.000 rows=11 loops=1)
";
    assert!(kinds(window).is_empty(), "{:?}", tips(window));
    // A LIMIT that was not reached ran its input to the end.
    let limit = |came: u32| {
        format!(
            "Limit  (cost=0.43..900.00 rows=3000 width=8) (actual time=0.1..900.0 rows={came} loops=1)
  ->  Index Scan using t_pkey on t  (cost=0.43..9000.00 rows=115181 width=8) (actual time=0.1..899.0 rows={came} loops=1)
        Index Cond: (a = 1)
"
        )
    };
    assert!(kinds(&limit(2479)).contains(&"rows-misestimated"), "{:?}", tips(&limit(2479)));
    assert!(!kinds(&limit(3000)).contains(&"rows-misestimated"), "{:?}", tips(&limit(3000)));
}

#[test]
fn statistics_are_not_asked_for_where_nothing_depends_on_them() {
    // Of 400,000 rows half a percent, shared by two workers and the leader, is what the planner takes where it knows nothing.
    let parallel = "Gather  (cost=1000.00..15990.00 rows=2000 width=8) (actual time=20.0..90.0 rows=3 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  ->  Parallel Seq Scan on trunk  (cost=0.00..14790.00 rows=833 width=8) (actual time=40.0..60.0 rows=1 loops=3)
        Filter: ((supplier_id)::text = '2950'::text)
        Rows Removed by Filter: 133332
";
    assert!(!kinds(parallel).contains(&"rows-misestimated"), "{:?}", tips(parallel));
    let alone = "Seq Scan on plank  (cost=0.00..19250.00 rows=91 width=8) (actual time=0.1..60.0 rows=3500 loops=1)
  Filter: ((NOT packed) AND (kiln_id = 0))
  Rows Removed by Filter: 696500
";
    assert!(!kinds(alone).contains(&"correlated-columns"), "{:?}", tips(alone));
    let inserted = "Insert on t  (cost=0.00..10.00 rows=0 width=0) (actual time=500.0..500.0 rows=0 loops=1)
  ->  Function Scan on generate_series i  (cost=0.00..10.00 rows=1000 width=4) (actual time=9.0..60.0 rows=100000 loops=1)
";
    assert!(!kinds(inserted).contains(&"rows-misestimated"), "{:?}", tips(inserted));
}

#[test]
fn what_a_cut_plan_lost_is_not_blamed_on_what_is_left() {
    let text = "GroupAggregate  (cost=1.00..9.00 rows=9 width=8) (actual time=900.0..5000.0 rows=9 loops=1)
  Group Key: a
  Buffers: shared hit=9 read=40000, temp read=32000 written=32000
  ->  Sort  (cost=1.00..9.00 rows=900000 width=8) (actual time=900.0..4000.0 rows=900000 loops=1)
        Sort Key: a
        Sort Method: quicksort  Memory: 9000kB
";
    assert!(kinds(text).is_empty(), "{:?}", tips(text));
}

#[test]
fn a_recursion_is_not_the_fault_of_statistics() {
    let text = "Aggregate  (cost=6000.00..6000.01 rows=1 width=8) (actual time=150.000..150.000 rows=1 loops=1)
  CTE t
    ->  Recursive Union  (cost=0.29..5800.00 rows=301 width=4) (actual time=0.010..140.000 rows=70000 loops=1)
          ->  Index Only Scan using tree_pkey on tree  (cost=0.29..4.31 rows=1 width=4) (actual time=0.010..0.010 rows=1 loops=1)
                Index Cond: (id = 1)
                Heap Fetches: 0
          ->  Hash Join  (cost=0.33..570.00 rows=30 width=4) (actual time=3.000..11.000 rows=6400 loops=11)
                Hash Cond: (c.parent = t_1.id)
                ->  Seq Scan on tree c  (cost=0.00..500.00 rows=30000 width=8) (actual time=0.010..4.000 rows=100000 loops=11)
                ->  Hash  (cost=0.20..0.20 rows=10 width=4) (actual time=1.000..1.000 rows=6400 loops=11)
                      ->  WorkTable Scan on t t_1  (cost=0.00..0.20 rows=10 width=4) (actual time=0.001..0.500 rows=6400 loops=11)
  ->  CTE Scan on t  (cost=0.00..6.02 rows=301 width=0) (actual time=0.010..148.000 rows=70000 loops=1)
";
    assert!(!kinds(text).contains(&"rows-misestimated"), "{:?}", tips(text));
}

#[test]
fn what_the_server_refuses_is_not_advised() {
    // Not immutable, or not for every type that the column may have.
    for filter in [
        "((created_at)::date = (CURRENT_DATE - 7))",
        "(date_trunc('day'::text, created_at) = '2025-01-01 00:00:00+00'::timestamp with time zone)",
        "(EXTRACT(month FROM created_at) = '7'::numeric)",
        "(to_char(created_at, 'YYYY'::text) = '2025'::text)",
        "((now() - created_at) < '7 days'::interval)",
        "((at)::text ~~ '2025-11%'::text)",
        "((user_id)::text = '77'::text)",
        "(my_function(a) = 1)",
        "(random() < '1e-05'::double precision)",
        "(a IS NOT DISTINCT FROM 5)",
        "(NOT (hashed SubPlan 1))",
    ] {
        let sql = sql(filter);
        assert!(sql.iter().all(|sql| !sql.starts_with("CREATE INDEX")), "{filter}: {sql:?}");
    }
    let range = tips(&scan("((created_at)::date = (CURRENT_DATE - 7))", 900));
    assert!(range.iter().any(|tip| tip.advice.contains("created_at >=")), "{range:?}");
}

#[test]
fn indexes_fit_the_condition() {
    for (filter, wanted) in [
        ("(kind = 5)", "CREATE INDEX CONCURRENTLY ON ev (kind);"),
        (
            "((delete_at IS NULL) AND approved AND (tenant_id = 7) AND (status = 2))",
            "CREATE INDEX CONCURRENTLY ON ev (tenant_id, status) WHERE delete_at IS NULL AND approved;",
        ),
        ("(77 = ANY (tags))", "CREATE INDEX CONCURRENTLY ON ev USING gin (tags);"),
        ("('{77}'::integer[] <@ tags)", "CREATE INDEX CONCURRENTLY ON ev USING gin (tags);"),
        ("(tags @> '{77}'::integer[])", "CREATE INDEX CONCURRENTLY ON ev USING gin (tags);"),
        ("(lower(email) = 'a'::text)", "CREATE INDEX CONCURRENTLY ON ev (lower(email));"),
        ("((meta ->> 'sku'::text) = 'x'::text)", "CREATE INDEX CONCURRENTLY ON ev ((meta ->> 'sku'::text));"),
        ("((name)::text ~~ 'abc%'::text)", "CREATE INDEX CONCURRENTLY ON ev (name text_pattern_ops);"),
        ("(5 < amount)", "CREATE INDEX CONCURRENTLY ON ev (amount);"),
    ] {
        let sql = sql(filter);
        let plain = |text: &str| text.replace(['(', ')'], "");
        assert!(sql.iter().any(|sql| plain(sql) == plain(wanted)), "{filter}: {sql:?}");
    }
    assert_eq!(
        sql("((a = 1) OR (b = 2))"),
        ["CREATE INDEX CONCURRENTLY ON ev (a);", "CREATE INDEX CONCURRENTLY ON ev (b);"]
    );
    let assumed = tips(&scan("((name)::text = 'abc'::text)", 900));
    assert!(assumed[0].advice.contains("varchar"), "{assumed:?}");
}

/// What the planner assumes of conditions that it knows nothing of, no ANALYZE can mend.
#[test]
fn default_selectivities_are_not_the_fault_of_statistics() {
    for (filter, expected) in
        [("((user_id)::text = '77'::text)", 2000), ("(my_function(a) > 5)", 133_333), ("(random() < 0.5)", 133_333)]
    {
        let found = tips(&scan(filter, expected));
        assert!(found.iter().all(|tip| !tip.sql.contains(&"ANALYZE ev;".to_owned())), "{filter}: {found:?}");
    }
}

#[test]
fn further_causes_are_found() {
    let bitmap = "Nested Loop  (cost=170.21..3563.24 rows=33 width=54) (actual time=1.295..248.900 rows=28 loops=1)
  ->  Function Scan on generate_series g  (cost=0.00..0.20 rows=20 width=4) (actual time=0.007..0.014 rows=20 loops=1)
  ->  Bitmap Heap Scan on foo  (cost=170.21..178.13 rows=2 width=50) (actual time=12.380..12.400 rows=1 loops=20)
        Recheck Cond: ((i = g.i) AND (x && '[2019-08-09,2019-08-11)'::daterange))
        ->  BitmapAnd  (cost=170.21..170.21 rows=2 width=0) (actual time=12.340..12.340 rows=0 loops=20)
              ->  Bitmap Index Scan on foo_i_idx  (cost=0.00..6.92 rows=333 width=0) (actual time=0.031..0.031 rows=327 loops=20)
                    Index Cond: (i = g.i)
              ->  Bitmap Index Scan on foo_x_idx  (cost=0.00..161.78 rows=5000 width=0) (actual time=11.830..11.830 rows=3670 loops=20)
                    Index Cond: (x && '[2019-08-09,2019-08-11)'::daterange)
";
    assert!(kinds(bitmap).contains(&"bitmap-rebuilt"), "{:?}", tips(bitmap));
    let bloat =
        "Seq Scan on queue  (cost=0.00..200010.00 rows=1000 width=40) (actual time=850.000..900.000 rows=1000 loops=1)
  Buffers: shared hit=200000
";
    assert_eq!(kinds(bloat), ["bloated-table"]);
    let limit = "Limit  (cost=0.00..41.23 rows=100 width=188)
  ->  Seq Scan on files  (cost=0.00..39701380.16 rows=96291513 width=188)
        Filter: ((updated_at < '2025-11-01 00:00:00'::timestamp without time zone) AND (status = 'gone'::text))
";
    assert_eq!(kinds(limit), ["limit-of-filtered-scan"]);
    let disabled = "Seq Scan on t  (cost=10000000000.00..10000000145.00 rows=10000 width=4)\n";
    assert!(kinds(disabled).contains(&"disabled-node"), "{:?}", tips(disabled));
    let parallel = "Gather  (cost=1000.00..20000.00 rows=10 width=8) (actual time=1.0..900.0 rows=9 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  ->  Hash Join  (cost=8.00..19000.00 rows=4 width=8) (actual time=1.0..890.0 rows=3 loops=3)
        Hash Cond: (i.order_id = o.id)
        ->  Parallel Seq Scan on items i  (cost=0.00..15000.00 rows=400000 width=8) (actual time=0.1..800.0 rows=333333 loops=3)
        ->  Hash  (cost=7.00..7.00 rows=5 width=4) (actual time=0.1..0.1 rows=5 loops=3)
              ->  Seq Scan on orders o  (cost=0.00..7.00 rows=5 width=4) (actual time=0.1..0.1 rows=5 loops=3)
";
    let found = tips(parallel);
    assert!(found.iter().any(|tip| tip.sql == ["CREATE INDEX CONCURRENTLY ON items (order_id);"]), "{found:?}");
}

#[test]
fn all_is_well_only_with_a_reason() {
    let slow = assayed(
        "Function Scan on pg_sleep  (cost=0.00..0.01 rows=1 width=4) (actual time=2000.0..2000.0 rows=1 loops=1)\n",
    );
    assert!(matches!(plan::verdict(&slow.plan, &slow.shares), plan::Verdict::OneNode(..)), "{:?}", slow.tips);
    let fast = assayed("Result  (cost=0.00..0.01 rows=1 width=4) (actual time=0.01..0.01 rows=1 loops=1)\n");
    assert!(matches!(plan::verdict(&fast.plan, &fast.shares), plan::Verdict::Fast(_)));
}

#[test]
fn an_anonymized_plan_keeps_its_shape_and_no_name() {
    let text = "Nested Loop  (cost=0.57..1000.00 rows=10 width=8) (actual time=0.1..90.0 rows=9 loops=1)
  ->  Index Scan using secret_idx on secrets s  (cost=0.29..8.30 rows=1 width=4) (actual time=0.05..3.0 rows=9 loops=1)
        Index Cond: ((s.owner = 'Alice'::text) AND (s.age > 42))
        Filter: (private_check(s.payload) AND (lower(s.email) = 'a@example.org'::text))
  ->  Seq Scan on payroll  (cost=0.28..8.30 rows=1 width=4) (actual time=0.09..9.0 rows=10 loops=9)
        Filter: (amount > 100000)
";
    let plain = assayed(text);
    let mut plan = plan::read(text).expect("a plan").remove(0);
    plan::Anonymizer::default().plan(&mut plan);
    let hidden = Assayed::new(plan);
    let mut out = Vec::new();
    plan::draw::json(std::slice::from_ref(&hidden), &mut out).expect("written");
    let out = String::from_utf8(out).expect("UTF-8");
    for word in [
        "secret",
        "payroll",
        "Alice",
        "owner",
        "age",
        "private_check",
        "payload",
        "email",
        "42",
        "100000",
        "amount",
        "example",
    ] {
        let found = out.match_indices(word).any(|(at, _)| {
            !out[..at].ends_with(|c: char| c.is_alphanumeric())
                && !out[at + word.len()..].starts_with(|c: char| c.is_alphanumeric())
        });
        assert!(!found, "{word} is left:\n{out}");
    }
    let kinds = |assayed: &Assayed| assayed.tips.iter().map(|tip| (tip.kind, tip.node)).collect::<Vec<_>>();
    assert_eq!(kinds(&plain), kinds(&hidden));
    assert!(out.contains("lower("), "{out}");
}

#[test]
fn html_is_one_file_that_needs_nothing_else() {
    let text = scan("((name)::text = '<script>alert(1)</script>'::text)", 900);
    let mut out = Vec::new();
    plan::draw::html(&[assayed(&text)], &mut out).expect("written");
    let out = String::from_utf8(out).expect("UTF-8");
    assert!(!out.contains("<script") && !out.contains("http") && !out.contains("src="), "{out}");
    let open = out.matches("<details").count();
    assert_eq!(open, out.matches("</details>").count());
    assert!(out.contains("id=\"n1\"") && out.contains("&lt;script&gt;"), "{out}");
}

/// A check of an inserted row finds it by the key that it refers to: no index is missing.
#[test]
fn checks_of_foreign_keys_are_told_apart() {
    let trigger = |write: &str, time: u32, calls: u32| {
        format!(
            "{write} on parts  (cost=0.00..100.00 rows=0 width=0) (actual time=900.0..900.0 rows=0 loops=1)
  ->  Seq Scan on stock  (cost=0.00..100.00 rows=1000 width=8) (actual time=0.1..50.0 rows=1000 loops=1)
Planning Time: 0.1 ms
Trigger for constraint parts_box_fkey: time={time}.000 calls={calls}
Execution Time: 3000.0 ms
"
        )
    };
    let advice = |text: String| {
        let tips = tips(&text);
        tips.into_iter().find(|tip| tip.kind == "trigger-time").expect("a tip").advice
    };
    assert!(advice(trigger("Insert", 2000, 200_000)).contains("NOT VALID"));
    assert!(advice(trigger("Insert", 2000, 200)).contains("NOT VALID"));
    assert!(advice(trigger("Delete", 2000, 200_000)).contains("NOT VALID"));
    assert!(advice(trigger("Delete", 2000, 200)).contains("has no index"));
}

#[test]
fn dead_rows_are_told_from_work_for_each_row() {
    let visited = "Limit  (cost=0.43..52.28 rows=100 width=16) (actual time=345.3..345.4 rows=1000 loops=1)
  Buffers: shared hit=50155
  ->  Index Scan using jobs_due_idx on jobs  (cost=0.43..93372.27 rows=1800808 width=16) (actual time=345.3..345.4 rows=1000 loops=1)
        Index Cond: (due > 10000)
        Buffers: shared hit=50155
Execution Time: 345.500 ms
";
    assert_eq!(kinds(visited), ["many-blocks-per-row"]);
    let bitmap = "Bitmap Heap Scan on jobs  (cost=3000.00..90000.00 rows=324712 width=16) (actual time=40.0..380.0 rows=12 loops=1)
  Recheck Cond: (queue = ANY ('{3,4}'::integer[]))
  Heap Blocks: exact=9000
  ->  Bitmap Index Scan on jobs_queue_idx  (cost=0.00..2900.00 rows=324712 width=0) (actual time=19.0..19.0 rows=325733 loops=1)
        Index Cond: (queue = ANY ('{3,4}'::integer[]))
Execution Time: 380.500 ms
";
    assert_eq!(kinds(bitmap), ["dead-entries"]);
    // With a filter that removes them, the rows are alive.
    let filtered =
        bitmap.replace("  Heap Blocks", "  Filter: (tries > 3)\n  Rows Removed by Filter: 325000\n  Heap Blocks");
    assert!(!kinds(&filtered).contains(&"dead-entries"), "{:?}", tips(&filtered));
    // A plan that somebody shortened has no blocks at its scan.
    let short = "Gather  (cost=0.00..10.00 rows=10 width=4) (actual time=0.1..90000.0 rows=1000 loops=1)
  Buffers: shared read=90000
  ->  Seq Scan on jobs  (cost=0.00..10.00 rows=10 width=4) (actual time=0.1..89000.0 rows=1000 loops=1)
Execution Time: 90000.0 ms
";
    assert!(!kinds(short).contains(&"code-per-row"), "{:?}", tips(short));
}

#[test]
fn two_ranges_share_an_index_that_is_used_already() {
    let text = "Index Scan using posts_likes_idx on posts  (cost=0.43..90000.00 rows=500 width=16) (actual time=1.0..900.0 rows=142 loops=1)
  Index Cond: (likes > 10)
  Filter: (created > '2019-10-01'::date)
  Rows Removed by Filter: 170975
";
    let found = tips(text);
    assert_eq!(found[0].sql, ["CREATE INDEX CONCURRENTLY ON posts (likes, created);"], "{found:?}");
    assert_eq!(sql("((a > 1) AND (b > 2))"), ["CREATE INDEX CONCURRENTLY ON ev (a);"]);
}

#[test]
fn an_order_by_an_expression_is_indexed() {
    let sorted = |key: &str| {
        format!(
            "Limit  (cost=9000.00..9000.01 rows=1 width=40) (actual time=413.0..413.0 rows=1 loops=1)
  ->  Sort  (cost=9000.00..9200.00 rows=97000 width=40) (actual time=413.0..413.0 rows=1 loops=1)
        Sort Key: {key}
        Sort Method: top-N heapsort  Memory: 25kB
        ->  Seq Scan on wares  (cost=0.00..8000.00 rows=97000 width=40) (actual time=0.1..376.0 rows=100000 loops=1)
Execution Time: 413.100 ms
"
        )
    };
    let sql = |key: &str| tips(&sorted(key)).into_iter().flat_map(|tip| tip.sql).collect::<Vec<_>>();
    assert_eq!(
        sql("(((doc ->> 'price'::text))::numeric) DESC"),
        ["CREATE INDEX CONCURRENTLY ON wares ((((doc ->> 'price'::text))::numeric) DESC);"]
    );
    assert_eq!(sql("lower(name)"), ["CREATE INDEX CONCURRENTLY ON wares ((lower(name)));"]);
    // No index takes these.
    assert!(sql("(random())").is_empty() && sql("(age(now(), born))").is_empty());
}

#[test]
fn values_beyond_a_column_and_generic_plans_are_named() {
    let beyond = tips(&scan("((hash)::numeric = '17143204889554916181'::numeric)", 900));
    assert!(beyond[0].sql.is_empty() && beyond[0].advice.contains("no row can match"), "{beyond:?}");
    let sent = tips(&scan("((hash)::numeric = '17'::numeric)", 900));
    assert!(sent[0].advice.contains("a value of its own type"), "{sent:?}");

    let generic = tips(&scan("(made_on > $1)", 133_000));
    assert!(generic.iter().all(|tip| tip.advice.contains("plan_cache_mode")), "{generic:?}");
    assert!(!generic.iter().any(|tip| tip.sql.contains(&"ANALYZE ev;".to_owned())), "{generic:?}");
    // What an InitPlan returns was printed the same way before 17.
    let returned =
        "Seq Scan on ev  (cost=0.00..19000.00 rows=900 width=200) (actual time=0.100..165.000 rows=968 loops=1)
  Filter: (made_on > $0)
  Rows Removed by Filter: 399032
  InitPlan 1 (returns $0)
    ->  Result  (cost=0.00..1.00 rows=1 width=4) (actual time=0.1..0.1 rows=1 loops=1)
";
    assert!(!tips(returned)[0].advice.contains("plan_cache_mode"), "{:?}", tips(returned));
}

#[test]
fn statistics_are_not_blamed_where_they_cannot_help() {
    // Of similarity, ANALYZE knows nothing.
    let similar = "Bitmap Heap Scan on pictures  (cost=60.00..4000.00 rows=986 width=40) (actual time=446.0..2046.0 rows=200000 loops=1)
  Recheck Cond: (parts % '{1,2}'::integer[])
  ->  Bitmap Index Scan on pictures_parts_idx  (cost=0.00..60.00 rows=986 width=0) (actual time=440.0..440.0 rows=200000 loops=1)
        Index Cond: (parts % '{1,2}'::integer[])
";
    assert!(tips(similar).iter().all(|tip| tip.sql.is_empty()), "{:?}", tips(similar));
    // A table that is read in full whatever is expected, with nothing above that was chosen for it.
    for (filter, expected) in [("((doc ->> 'a'::text) = 'x'::text)", 2000), ("(a = 5)", 9)] {
        let found = tips(&scan(filter, expected));
        assert!(found.iter().all(|tip| tip.kind != "rows-misestimated"), "{filter}: {found:?}");
    }
    // A query of less than a millisecond has nothing to gain.
    let fast = "Index Only Scan using app_idx on app  (cost=0.43..300.00 rows=151 width=16) (actual time=0.1..0.73 rows=2360 loops=1)
  Index Cond: (name > 'a'::text)
Execution Time: 0.74 ms
";
    assert!(kinds(fast).is_empty(), "{:?}", tips(fast));
}

#[test]
fn ranges_and_shapes_get_an_index_that_serves_them() {
    for (filter, index) in [
        ("(stay @> '2024-05-01'::date)", "USING gist (stay)"),
        ("(stay @> now())", "USING gist (stay)"),
        ("(numbers @> 5)", "USING gist (numbers)"),
        ("(stay && '[2024-05-01,2024-05-08)'::daterange)", "USING gist (stay)"),
        ("(place <@ '((1,1),(0,0))'::box)", "USING gist (place)"),
        ("(at <@ '[2024-05-01,2024-05-08)'::tsrange)", ""),
        ("('[2024-05-01,2024-05-08)'::daterange <@ stay)", "USING gist (stay)"),
        ("(tags @> '{a,b}'::text[])", "USING gin (tags)"),
        ("(tags && ARRAY['a'::text])", "USING gin (tags)"),
        ("(doc @> '{\"a\": 1}'::jsonb)", "USING gin (doc)"),
    ] {
        let found = sql(filter);
        assert_eq!(found.iter().any(|sql| sql.contains("USING")), !index.is_empty(), "{filter}: {found:?}");
        assert!(index.is_empty() || found[0].contains(index), "{filter}: {found:?}");
    }
}

#[test]
fn a_table_read_for_few_groups_is_named() {
    let groups = |filter: &str, output: &str, found: u32| {
        format!(
            "HashAggregate  (cost=9000.00..9000.05 rows=5 width=4) (actual time=900.0..900.1 rows={found} loops=1)
{output}  Group Key: state
  Batches: 1  Memory Usage: 24kB
  ->  Seq Scan on ev  (cost=0.00..8000.00 rows=400000 width=4) (actual time=0.1..500.0 rows=400000 loops=1)
{filter}Execution Time: 900.200 ms
"
        )
    };
    let advice = |text: String| tips(&text).into_iter().find(|tip| tip.kind == "few-groups").map(|tip| tip.advice);
    let both = advice(groups("", "", 5)).expect("a tip");
    assert!(both.contains("recursive") && both.contains("materialized view"), "{both}");
    let sums = advice(groups("", "  Output: state, count(*)\n", 5)).expect("a tip");
    assert!(!sums.contains("recursive"), "{sums}");
    let values = advice(groups("", "  Output: state\n", 5)).expect("a tip");
    assert!(!values.contains("materialized"), "{values}");
    assert_eq!(advice(groups("", "", 50_000)), None);
    assert_eq!(advice(groups("        Filter: (a > 1)\n", "", 5)), None);
}
