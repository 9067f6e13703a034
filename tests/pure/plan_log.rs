//! Many plans in one log: what each query took, which plans are the slowest, and sums within one plan.

use std::fmt::Write as _;

use pgassay::plan::draw::{self, Assayed, Options};
use pgassay::plan::{self, Log};

/// A log of auto_explain: forty orders by constants, and one slow report in the middle.
fn log() -> String {
    let mut text = String::new();
    for n in 1..=41 {
        let (query, time) = match n {
            20 => ("SELECT count(*) FROM reports".to_owned(), 5000.0),
            _ => (format!("SELECT * FROM orders WHERE id = {n} AND state = 'it''s {n}'"), f64::from(n)),
        };
        write!(
            text,
            "2026-03-01 10:00:{n:02}.000 UTC [7] LOG:  duration: {time:.3} ms  plan:\n\tQuery Text: {query}\n\tSeq Scan on orders  (cost=0.00..10.00 rows=1 width=4) (actual time=0.010..{time:.3} rows=1 loops=1)\n"
        )
        .expect("written");
    }
    text
}

fn read(keep: usize, slowest: usize) -> Log {
    let mut log = Log::keeping(keep, slowest);
    plan::each(&self::log(), |plan| log.add(plan.expect("every plan is read")));
    log
}

#[test]
fn queries_are_summed_up_without_their_constants() {
    let log = read(10, 3);
    assert_eq!(log.count, 41);
    let queries = log.queries();
    assert_eq!(queries.len(), 2, "{queries:?}");
    assert_eq!(queries[0].query, "SELECT count(*) FROM reports");
    assert_eq!((queries[1].count, queries[1].worst), (40, 41.0));
    assert_eq!(queries[1].query, "SELECT * FROM orders WHERE id = ? AND state = ?");
    assert!((queries[1].total - f64::from((1..=41).sum::<i32>() - 20)).abs() < 0.001, "{queries:?}");
}

#[test]
fn the_slowest_plans_are_kept_with_their_places() {
    let mut log = read(10, 3);
    assert!(log.all().is_none(), "more came than are kept");
    let slowest: Vec<(usize, Option<f64>)> =
        log.into_slowest().into_iter().map(|(place, plan)| (place, plan.total_time())).collect();
    assert_eq!(slowest, [(20, Some(5000.0)), (41, Some(41.0)), (40, Some(40.0))]);
    assert_eq!(read(100, 0).all().map(|plans| plans.len()), Some(41));
}

#[test]
fn the_summary_fits_the_terminal() {
    for width in [40, 80, 120] {
        let options = Options { width, verbose: false, ..Options::default() };
        let mut out = Vec::new();
        draw::log(&read(0, 3), options, &mut out).expect("written");
        let plan = plan::read(&log()).expect("plans").swap_remove(19);
        draw::sums(&Assayed::new(plan), options, &mut out).expect("written");
        let out = anstream::adapter::strip_bytes(&out).into_vec();
        let out = String::from_utf8(out).expect("UTF-8");
        assert!(out.contains("41 plans of 2 queries") && (width < 80 || out.contains("orders")), "{out}");
        let longest = out.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(width), "{width}: {longest:?}\n{out}");
    }
}
