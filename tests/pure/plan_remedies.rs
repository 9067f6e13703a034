//! Whether what a tip says to do is what the server takes and uses: the index for a condition, or why there is none; memory; vacuum.

use crate::plan_advice::tips;

#[test]
fn one_index_serves_the_condition_and_the_order() {
    let limit = "Limit  (cost=9000.00..9000.05 rows=20 width=80) (actual time=90.0..90.1 rows=20 loops=1)\n";
    let sort = |loops: &str| {
        format!(
            "  ->  Sort  (cost=9000.00..9050.00 rows=20000 width=80) (actual time=90.0..90.0 rows=20 loops={loops})
        Sort Key: t.arrived DESC
        Sort Method: top-N heapsort  Memory: 35kB
        ->  Parallel Seq Scan on t  (cost=0.00..8000.00 rows=20000 width=80) (actual time=0.1..80.0 rows=20000 loops={loops})
              Filter: (t.yard = 4)
              Rows Removed by Filter: 380000
"
        )
    };
    let gather = "  ->  Gather Merge  (cost=9000.00..9400.00 rows=40000 width=80) (actual time=90.0..90.1 rows=20 loops=1)\n        Workers Planned: 2\n        Workers Launched: 2\n";
    let deeper: String = sort("3").lines().map(|line| format!("      {line}\n")).collect();
    for text in [format!("{limit}{}", sort("1")), format!("{limit}{gather}{deeper}")] {
        let sql: Vec<String> = tips(&text).into_iter().flat_map(|tip| tip.sql).collect();
        assert_eq!(sql, ["CREATE INDEX CONCURRENTLY ON t (yard, arrived DESC);"], "{text}");
    }
    // What is not NULL in few rows is the condition of a partial index.
    let scan = "Seq Scan on t  (cost=0.00..9000.00 rows=50 width=8) (actual time=0.1..90.0 rows=50 loops=1)
  Filter: ((rejected IS NOT NULL) AND (yard = 3))
  Rows Removed by Filter: 400000
";
    let sql: Vec<String> = tips(scan).into_iter().flat_map(|tip| tip.sql).collect();
    assert_eq!(sql, ["CREATE INDEX CONCURRENTLY ON t (yard) WHERE rejected IS NOT NULL;"]);
    // In the order of an index, as max() reads it, it is the column to keep after the filter's.
    let ends = "Limit  (cost=0.42..9.00 rows=1 width=8) (actual time=90.0..90.0 rows=1 loops=1)
  ->  Index Scan Backward using t_arrived on t  (cost=0.42..9000.00 rows=900 width=8) (actual time=90.0..90.0 rows=1 loops=1)
        Index Cond: (arrived IS NOT NULL)
        Filter: (yard = 4)
        Rows Removed by Filter: 380000
";
    let sql: Vec<String> = tips(ends).into_iter().flat_map(|tip| tip.sql).collect();
    assert_eq!(sql, ["CREATE INDEX CONCURRENTLY ON t (yard, arrived);"]);
}

#[test]
fn what_stands_in_the_way_of_an_index_is_named() {
    let scan = |filter: &str| {
        tips(&format!(
            "Seq Scan on t  (cost=0.00..9000.00 rows=50 width=8) (actual time=0.1..90.0 rows=50 loops=1)
  Filter: {filter}
  Rows Removed by Filter: 400000
"
        ))
    };
    let sql = |filter: &str| -> Vec<String> { scan(filter).into_iter().flat_map(|tip| tip.sql).collect() };
    let advice = |filter: &str| scan(filter).into_iter().map(|tip| tip.advice).collect::<Vec<_>>().join("\n");
    // A path of jsonb has a dollar, and no subquery.
    assert_eq!(
        sql("(payload @? '$.\"k\"?(@ == 17)'::jsonpath)"),
        ["CREATE INDEX CONCURRENTLY ON t USING gin (payload);"]
    );
    assert_eq!(sql("(path <@ 'root.d3'::ltree)"), ["CREATE INDEX CONCURRENTLY ON t USING gist (path);"]);
    let optional = advice("((($1 IS NULL) OR (surname = $1)) AND (($2 IS NULL) OR (postcode = $2)))");
    assert!(optional.contains("surname, or on postcode") && !optional.contains("subquery"), "{optional}");
    // A text that only begins with a digit is compared with a varchar.
    assert_eq!(sql("((name)::text = '1_test'::text)"), ["CREATE INDEX CONCURRENTLY ON t (name);"]);
    assert!(advice("((id)::text = '2950'::text)").contains("its own type"));
    // A month of every year is no range.
    let month = advice("(EXTRACT(month FROM born) = '2'::numeric)");
    assert!(month.contains("No range says the same"), "{month}");
    assert!(advice("(EXTRACT(year FROM born) = '1999'::numeric)").contains("as a range"));
    // Beside an expression that no index takes, a plain column keeps its index, with less confidence.
    let besides = scan("((ward_id = 4) AND (COALESCE(discharged, now()) > (now() - '1 day'::interval)))");
    let index = besides.iter().find(|tip| tip.kind == "sequential-scan-filter").expect("the plain column's");
    assert_eq!((index.sql.len(), index.confidence.name()), (1, "low"), "{besides:?}");
    assert!(besides.iter().any(|tip| tip.kind == "column-in-expression"), "{besides:?}");
}

#[test]
fn dead_rows_are_no_code_and_no_rows() {
    let bloated =
        "Seq Scan on heapy  (cost=0.00..3468.00 rows=2000 width=104) (actual time=0.1..18.4 rows=2000 loops=1)
  Buffers: shared hit=3448
Execution Time: 18.5 ms
";
    let kinds: Vec<_> = tips(bloated).into_iter().map(|tip| tip.kind).collect();
    assert_eq!(kinds, ["bloated-table"]);
    let fetched = "Index Only Scan using t_id on t  (cost=0.42..900.00 rows=15000 width=8) (actual time=0.1..90.0 rows=14999 loops=1)
  Index Cond: (id < 150000)
  Heap Fetches: 149999
";
    let message = tips(fetched).remove(0).message;
    assert!(message.contains("149,999 entries") && message.contains("deleted or updated"), "{message}");
}

#[test]
fn time_of_a_write_that_is_in_no_node_is_named() {
    let update = |total: f64| {
        format!(
            "Update on ordr  (cost=0.00..900.00 rows=0 width=0) (actual time=99.0..99.0 rows=0 loops=1)
  ->  Seq Scan on ordr  (cost=0.00..900.00 rows=20000 width=10) (actual time=0.1..40.0 rows=20000 loops=1)
Execution Time: {total} ms
"
        )
    };
    let tip = tips(&update(1160.0)).into_iter().find(|tip| tip.kind == "trigger-time").expect("a tip");
    assert!(tip.message.starts_with("1.06 s of 1.16 s") && tip.advice.contains("log_triggers"), "{tip:?}");
    assert!(tips(&update(101.0)).iter().all(|tip| tip.kind != "trigger-time"));
}

#[test]
fn memory_of_groups_is_bounded_by_the_groups() {
    let text = "HashAggregate  (cost=900.00..9000.00 rows=5002 width=12) (actual time=9.0..900.0 rows=5000 loops=1)
  Group Key: patient
  Batches: 21  Memory Usage: 113kB  Disk Usage: 17000kB
  Buffers: shared hit=500, temp read=9000 written=9000
  ->  Seq Scan on visits  (cost=0.00..900.00 rows=600000 width=8) (actual time=0.1..60.0 rows=600000 loops=1)
        Buffers: shared hit=500
Execution Time: 901.0 ms
";
    let tip = tips(text).into_iter().find(|tip| tip.kind == "aggregate-on-disk").expect("a tip");
    assert!(tip.advice.starts_with("About 1.5 MB"), "{tip:?}");
}

#[test]
fn memory_is_advised_where_the_disk_takes_time() {
    let sort = |disk: &str, buffers: &str| {
        format!(
            "Sort  (cost=60000.00..61000.00 rows=400000 width=80) (actual time=3900.0..4000.0 rows=400000 loops=1)
  Sort Key: t.remark
  Sort Method: external merge  Disk: {disk}kB
{buffers}  ->  Seq Scan on t  (cost=0.00..9000.00 rows=400000 width=80) (actual time=0.1..50.0 rows=400000 loops=1)
Execution Time: 4000.0 ms
"
        )
    };
    let told =
        |text: &str| tips(text).into_iter().find(|tip| tip.kind == "sort-on-disk").map(|tip| tip.confidence.name());
    // 2 MB are written and read within a hundredth of a second from any disk.
    assert_eq!(told(&sort("2000", "")), None);
    // Where nothing tells what the files cost, they may have been cached.
    assert_eq!(told(&sort("40000", "")), Some("low"));
    // A setting that may do nothing, or harm, is not given.
    assert!(tips(&sort("40000", "")).iter().all(|tip| tip.sql.is_empty()));
    let waited =
        |ms: f64| format!("  Buffers: temp read=5000 written=5000\n  I/O Timings: temp read={ms} write={ms}\n");
    assert_eq!(told(&sort("40000", &waited(1500.0))), Some("high"));
    // Most of the time is the sorting itself.
    assert_eq!(told(&sort("40000", &waited(400.0))), Some("low"));
    assert_eq!(told(&sort("40000", &waited(9.0))), None);
}

#[test]
fn an_index_is_not_promised_for_the_rest_of_a_condition() {
    let scan = |filter: &str| {
        format!(
            "Seq Scan on t  (cost=0.00..9000.00 rows=50 width=8) (actual time=0.1..90.0 rows=50 loops=1)
  Filter: ({filter})
  Rows Removed by Filter: 400000
"
        )
    };
    let distinct = tips(&scan("(NOT (moisture IS DISTINCT FROM 33.3)) AND (yard = 3)"));
    assert!(distinct.iter().all(|tip| tip.sql.is_empty()), "{distinct:?}");
    let search = tips(&scan("(body ~~* '%abcdef%'::text) AND (lang = 'sv'::text)"));
    assert!(search.iter().all(|tip| tip.confidence.name() == "low"), "{search:?}");
    let plain = tips(&scan("(yard = 3) AND (from_yard <> to_yard)"));
    assert!(plain.iter().any(|tip| tip.confidence.name() == "high" && !tip.sql.is_empty()), "{plain:?}");
}

#[test]
fn what_removes_the_rows_gets_the_index() {
    let scan = |estimate: u32, kept: u32, filter: &str| {
        tips(&format!(
            "Seq Scan on visits  (cost=0.00..9000.00 rows={estimate} width=8) (actual time=0.1..90.0 rows={kept} loops=1)
  Filter: {filter}
  Rows Removed by Filter: {}
",
            600_000 - kept
        ))
    };
    let sql = |tips: Vec<pgassay::plan::Tip>| -> Vec<String> { tips.into_iter().flat_map(|tip| tip.sql).collect() };
    // The planner guesses one row in two hundred for the expression, and knows that of the states; both together keep what those do.
    let parity = scan(6, 1200, "((status <> 'done'::text) AND ((id % '2'::bigint) = 0))");
    assert_eq!(sql(parity), ["CREATE INDEX CONCURRENTLY ON visits (status) WHERE status <> 'done'::text;"]);
    // Here the expression is what keeps few.
    let flags = scan(2985, 30, "((status <> 'gone'::text) AND ((number % '40000'::bigint) = 3))");
    assert!(sql(flags)[0].contains("((number % '40000'::bigint))"));
    // The other condition is true of every row: a third is expected, which is the guess for the expression.
    let shifted = scan(200_000, 1439, "((id > 0) AND ((at + '1 day'::interval) > now()))");
    assert_eq!(shifted.len(), 1, "{shifted:?}");
    assert!(shifted[0].advice.contains("to the other side"), "{shifted:?}");
    // And where it is not, it has its index.
    let narrow = scan(30, 20, "((id > 599000) AND ((at + '1 day'::interval) > now()))");
    assert_eq!(sql(narrow), ["CREATE INDEX CONCURRENTLY ON visits (id);"]);
}
