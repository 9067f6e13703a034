//! A change of many rows as a script that commits a few thousand at a time: it can be stopped at any time, and run again.

use crate::finding::{FixStep, Walk};

/// The script, without a semicolon at its end.
pub(super) fn script(step: &FixStep) -> String {
    match &step.walk {
        Some(walk) if walk.key.is_empty() => by_page(walk),
        Some(walk) => by_key(walk),
        None => again_and_again(step.sql.trim_end().trim_end_matches(';')),
    }
}

/// Each batch starts where the last one ended: no row is read twice, however large the table is.
fn by_key(walk: &Walk) -> String {
    let Walk { table, change, key, row } = walk;
    let list = key.join(", ");
    let of = |record: &str| key.iter().map(|it| format!("{record}.{it}")).collect::<Vec<_>>().join(", ");
    let last_first = key.iter().map(|it| format!("{it} DESC")).collect::<Vec<_>>().join(", ");
    let (tuple, from, to) = match key.as_slice() {
        [only] => (only.clone(), of("batch_from"), of("batch_to")),
        _ => (format!("({list})"), format!("({})", of("batch_from")), format!("({})", of("batch_to"))),
    };
    let of_row = |column: &String| row.as_ref().map_or_else(|| column.clone(), |row| format!("{row}.{column}"));
    let range = match key.as_slice() {
        [only] => format!("{} BETWEEN {from} AND {to}", of_row(only)),
        // The first column by itself says that the statement is limited, to readers and to the planner.
        [first, ..] => {
            let own = format!("({})", key.iter().map(of_row).collect::<Vec<_>>().join(", "));
            let named = of_row(first);
            format!("{named} BETWEEN batch_from.{first} AND batch_to.{first} AND {own} >= {from} AND {own} <= {to}")
        }
        [] => String::new(),
    };
    format!(
        "DO $batches$\nDECLARE\n    batch_from record;\n    batch_to record;\nBEGIN\n    \
         SELECT {list} INTO batch_from FROM {table} ORDER BY {list} LIMIT 1;\n    \
         WHILE FOUND LOOP\n        \
         SELECT {list} INTO batch_to FROM (SELECT {list} FROM {table} WHERE {tuple} >= {from} ORDER BY {list} LIMIT 5000) AS batch ORDER BY {last_first} LIMIT 1;\n        \
         {change} AND {range};\n        \
         COMMIT;\n        \
         SELECT {list} INTO batch_from FROM {table} WHERE {tuple} > {to} ORDER BY {list} LIMIT 1;\n    \
         END LOOP;\nEND\n$batches$"
    )
}

/// Rows that move to later pages while it runs were filled by whoever wrote them.
fn by_page(walk: &Walk) -> String {
    let Walk { table, change, .. } = walk;
    let literal = crate::text::quoting::literal(table);
    format!(
        "DO $batches$\nDECLARE\n    batch_page bigint := 0;\n    batch_pages bigint := pg_relation_size({literal}) / current_setting('block_size')::bigint;\nBEGIN\n    \
         WHILE batch_page <= batch_pages LOOP\n        \
         {change} AND ctid >= format('(%s,0)', batch_page)::tid AND ctid < format('(%s,0)', batch_page + 100)::tid;\n        \
         COMMIT;\n        \
         batch_page := batch_page + 100;\n    \
         END LOOP;\nEND\n$batches$"
    )
}

/// A batch that finds its rows itself.
fn again_and_again(batch: &str) -> String {
    format!(
        "DO $batches$\nDECLARE\n    batch_rows bigint;\nBEGIN\n    LOOP\n        {batch};\n        GET DIAGNOSTICS batch_rows = ROW_COUNT;\n        \
         EXIT WHEN batch_rows = 0;\n        COMMIT;\n    END LOOP;\nEND\n$batches$"
    )
}
