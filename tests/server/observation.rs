//! Well-known facts, to prove that the observation itself can be trusted.

use std::collections::BTreeMap;

use crate::support::{cases, runner, servers};
use pgassay::catalog::LockMode::*;
use pgassay::effect::InTransactionBlock;
use pgassay::shadow::Observation;

const CASES: &str = "
CREATE TABLE customers (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, customer int, note text);
INSERT INTO customers SELECT generate_series(1, 2000);
INSERT INTO orders SELECT n, n, 'x' FROM generate_series(1, 2000) n;

-- case: fast column
ALTER TABLE orders ADD COLUMN a int DEFAULT 1;
-- case: rewritten column
ALTER TABLE orders ADD COLUMN a float8 DEFAULT random();
-- case: set not null
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
-- case: foreign key
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers;
-- case: given locks are not the statement's
-- given:
ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID;
-- run:
ALTER TABLE orders VALIDATE CONSTRAINT c;
-- case: index
CREATE INDEX orders_note ON orders (note);
-- case: concurrent index
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
-- case: vacuum full
VACUUM FULL orders;
-- case: refused
ALTER TABLE orders ADD CHECK (id > 100);
-- case: nothing
SELECT 1;
";

fn observe() -> BTreeMap<String, Observation> {
    let file = cases::parse("facts", CASES).expect("cases");
    let mut seen = BTreeMap::new();
    runner::observe_all(&servers::newest(), &[file], |case, outcome| {
        let name = case.name.trim_start_matches("facts/").to_owned();
        seen.insert(name, outcome.expect("an observation"));
    });
    seen
}

#[test]
fn well_known_statements_do_what_the_manual_says() {
    let seen = observe();
    let orders = "public.orders";
    let effect = |case: &str| &seen[case].effect;

    assert_eq!(effect("fast column").locks[orders], AccessExclusive);
    assert!(effect("fast column").rewrites.is_empty() && effect("fast column").scans.is_empty());
    assert!(effect("rewritten column").rewrites.contains(orders));
    assert!(effect("rewritten column").index_builds.contains("public.orders_pkey"));
    assert!(effect("set not null").scans.contains(orders) && effect("set not null").rewrites.is_empty());
    assert_eq!(effect("foreign key").locks[orders], ShareRowExclusive);
    assert_eq!(effect("foreign key").locks["public.customers"], ShareRowExclusive);
    assert_eq!(effect("given locks are not the statement's").locks[orders], ShareUpdateExclusive);
    assert_eq!(effect("index").locks[orders], Share);
    assert_eq!(effect("index").in_transaction_block, InTransactionBlock::Allowed);
    assert_eq!(effect("concurrent index").locks[orders], ShareUpdateExclusive);
    assert!(effect("concurrent index").index_builds.contains("public.orders_note"));
    assert_eq!(effect("concurrent index").in_transaction_block, InTransactionBlock::Forbidden);
    assert_eq!(effect("vacuum full").locks[orders], AccessExclusive);
    assert!(effect("vacuum full").rewrites.contains(orders));
    assert_eq!(seen["refused"].error.as_ref().map(|error| error.code.as_str()), Some("23514"));
    assert_eq!(seen["nothing"], Observation::default());
}

#[test]
fn a_case_file_names_the_line_of_a_mistake() {
    let wrong = cases::parse("f", "-- case: a\nSELECT 1;\n-- case: a\n").expect_err("a second case of that name");
    assert!(wrong.starts_with("line 3:"), "{wrong}");
}
