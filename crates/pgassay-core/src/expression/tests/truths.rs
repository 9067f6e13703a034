//! Each line was a WHERE over a table with rows: `true` kept all of them, `false` none; the rest depends on the rows.

use super::super::{AnyRow, truth};
use super::*;

fn of(condition: &str) -> Option<bool> {
    let mut with_key = table(1, "t", "id int4, note text");
    with_key.columns.iter_mut().find(|column| column.name == "id").unwrap().not_null = NotNull::Yes;
    truth(&parse(condition), &AnyRow(Some(&with_key)))
}

#[test]
fn conditions_that_every_row_meets() {
    for condition in [
        "1 = 1.0",
        "'01' = 1",
        "9007199254740993 > 9007199254740992",
        "-1 < 0",
        "NOT (1 > 2)",
        "id = id",
        "id <= id AND id IS NOT NULL",
        "note IS NULL OR note IS NOT NULL",
        "note IS NOT DISTINCT FROM note",
        "coalesce(NULL, true)",
        "'yes'::boolean",
        "5 BETWEEN 1 AND 10",
        "'a' IN ('b', 'a')",
        "'abc' LIKE 'a%'",
        "CASE WHEN 1 = 2 THEN false WHEN true THEN 3 > 2 ELSE false END",
        "(note = 'x') IS NOT TRUE OR true",
    ] {
        assert_eq!(of(condition), Some(true), "{condition}");
    }
}

#[test]
fn conditions_that_no_row_meets() {
    for condition in [
        "1 = 2",
        "id <> id",
        "id IS NULL",
        "false AND note = 'x'",
        "'a' NOT IN ('a')",
        "NOT ('t'::bool)",
        "2 NOT BETWEEN 1 AND 3",
    ] {
        assert_eq!(of(condition), Some(false), "{condition}");
    }
}

#[test]
fn what_rows_or_collations_decide_stays_open() {
    for condition in [
        "note = note",
        "note IS NULL",
        "'a' < 'B'",
        "NULL",
        "NOT NULL::boolean",
        "coalesce(note, 'x') = 'x'",
        "random() IS NULL OR random() IS NOT NULL AND random() < 0.5",
        "9007199254740993.0 = 9007199254740992.0",
        "note LIKE '%'",
    ] {
        assert_eq!(of(condition), None, "{condition}");
    }
}
