//! What nodes take for themselves, calculated by hand.

use pgassay::plan::{self, Shares};

/// Own times of a plan in the text format, in its order.
fn own_times(text: &str) -> Vec<f64> {
    let plan = plan::read(text).expect("a plan").remove(0);
    let shares = Shares::of(&plan);
    let times = plan.ids().map(|id| shares[id].own_time.unwrap_or(0.0));
    times.map(|time| (time * 1000.0).round() / 1000.0).collect()
}

#[test]
fn loops_are_multiplied() {
    let times = own_times(
        "Nested Loop  (actual time=0.1..50.0 rows=10 loops=1)
  ->  Seq Scan on a  (actual time=0.1..10.0 rows=10 loops=1)
  ->  Index Scan using i on b  (actual time=0.1..3.0 rows=1 loops=10)",
    );
    assert_eq!(times, [10.0, 10.0, 30.0]);
}

#[test]
fn processes_side_by_side_are_waited_for_once() {
    // Three processes: the leader takes part. The hash was built by each of them.
    let times = own_times(
        "Gather  (actual time=1.0..100.0 rows=10 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  ->  Hash Join  (actual time=1.0..90.0 rows=3 loops=3)
        ->  Parallel Seq Scan on a  (actual time=0.1..60.0 rows=33 loops=3)
        ->  Hash  (actual time=5.0..5.0 rows=1 loops=3)
              ->  Seq Scan on b  (actual time=0.1..4.0 rows=1 loops=3)",
    );
    assert_eq!(times, [10.0, 25.0, 60.0, 1.0, 4.0]);
    // One of three never ran the second part of an Append: the others' time is shared by all.
    let times = own_times(
        "Gather  (actual time=1.0..40.0 rows=10 loops=1)
  ->  Parallel Append  (actual time=1.0..30.0 rows=3 loops=3)
        ->  Seq Scan on a  (actual time=0.1..30.0 rows=33 loops=1)
        ->  Parallel Seq Scan on b  (actual time=0.1..15.0 rows=1 loops=2)",
    );
    assert_eq!(times, [10.0, 10.0, 10.0, 10.0]);
}

#[test]
fn a_cte_runs_where_it_is_scanned() {
    // The first scan waited for all of it; the second found the rows ready.
    let times = own_times(
        "Hash Join  (actual time=1.0..100.0 rows=10 loops=1)
  CTE c
    ->  Seq Scan on a  (actual time=0.1..60.0 rows=33 loops=1)
  ->  CTE Scan on c  (actual time=0.1..70.0 rows=33 loops=1)
  ->  Hash  (actual time=9.0..9.0 rows=33 loops=1)
        ->  CTE Scan on c d  (actual time=0.1..5.0 rows=33 loops=1)",
    );
    assert_eq!(times, [21.0, 60.0, 10.0, 4.0, 5.0]);
    // Each of two scans pulled a part of it.
    let times = own_times(
        "Append  (actual time=1.0..70.0 rows=10 loops=1)
  CTE c
    ->  Seq Scan on a  (actual time=0.1..60.0 rows=33 loops=1)
  ->  CTE Scan on c  (actual time=0.1..40.0 rows=33 loops=1)
  ->  CTE Scan on c d  (actual time=0.1..25.0 rows=33 loops=1)",
    );
    assert_eq!(times, [5.0, 60.0, 0.0, 5.0]);
}

#[test]
fn an_init_plan_runs_where_its_value_is_needed() {
    for (name, value) in [("InitPlan 1 (returns $0)", "$0"), ("InitPlan 1", "(InitPlan 1).col1")] {
        let times = own_times(&format!(
            "Aggregate  (actual time=1.0..100.0 rows=1 loops=1)
  {name}
    ->  Seq Scan on a  (actual time=0.1..60.0 rows=1 loops=1)
  ->  Seq Scan on b  (actual time=61.0..90.0 rows=33 loops=1)
        Filter: (x = {value})"
        ));
        assert_eq!(times, [10.0, 60.0, 30.0], "{name}");
    }
    // $1 is not $12.
    let times = own_times(
        "Aggregate  (actual time=1.0..100.0 rows=1 loops=1)
  InitPlan 1 (returns $1)
    ->  Seq Scan on a  (actual time=0.1..60.0 rows=1 loops=1)
  ->  Seq Scan on b  (actual time=1.0..30.0 rows=33 loops=1)
        Filter: (x = $12)",
    );
    assert_eq!(times, [10.0, 60.0, 30.0]);
}

#[test]
fn a_subplan_runs_in_the_node_it_stands_below() {
    let times = own_times(
        "Seq Scan on a  (actual time=1.0..100.0 rows=1 loops=1)
  SubPlan 1
    ->  Index Scan using i on b  (actual time=0.1..0.5 rows=1 loops=100)",
    );
    assert_eq!(times, [50.0, 50.0]);
}

#[test]
fn costs_below_a_limit_are_those_that_it_pays() {
    let plan = plan::read(
        "Limit  (cost=0.00..10.00 rows=1 width=4)
  ->  Nested Loop  (cost=0.00..1000.00 rows=100 width=4)
        ->  Seq Scan on a  (cost=0.00..200.00 rows=100 width=4)
        ->  Index Scan using i on b  (cost=0.00..6.00 rows=1 width=4)",
    )
    .expect("a plan")
    .remove(0);
    let shares = Shares::of(&plan);
    let own: Vec<f64> = plan.ids().map(|id| (shares[id].own_cost * 1000.0).round() / 1000.0).collect();
    assert_eq!(own, [0.0, 2.0, 2.0, 6.0]);
}
