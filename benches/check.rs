//! How fast migrations are read and judged: `cargo bench`.
//!
//! The history is made up, the same at every run: tables, then the usual steps on tables made before.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use pgassay::check::{Job, check};
use pgassay::migration::Migration;
use pgassay::source::{SourceFile, Sources};
use pgassay::sql::read_script;

const MIGRATIONS: usize = 400;

fn main() {
    divan::main();
}

/// The text of one migration; `number` decides what it does and to which tables.
fn migration(number: usize) -> String {
    let table = format!("table_{number}");
    // Some earlier table, in no simple order; each makes its own after the first ones.
    let old = format!("table_{}", (number * 7 + 3) % (number.max(4) / 4 * 4).max(1) / 4 * 4);
    match number % 4 {
        0 => format!(
            "BEGIN;\nCREATE TABLE {table} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    parent_id bigint,\n    \
             name text NOT NULL DEFAULT '',\n    amount numeric(12, 2) CHECK (amount >= 0),\n    made_at timestamptz NOT NULL DEFAULT now()\n);\n\
             CREATE INDEX {table}_parent_idx ON {table} (parent_id);\nCOMMENT ON TABLE {table} IS 'it''s table {number}; really';\n\
             CREATE VIEW view_{number} AS SELECT id, name FROM {table} WHERE amount > 10 ORDER BY made_at;\nCOMMIT;\n"
        ),
        1 => format!(
            "SET lock_timeout = '2s';\nALTER TABLE {old} ADD COLUMN extra_{number} text, ADD COLUMN token_{number} uuid DEFAULT gen_random_uuid();\n\
             CREATE INDEX CONCURRENTLY {old}_{number}_idx ON {old} (extra_{number}) WHERE extra_{number} IS NOT NULL;\n"
        ),
        2 => format!(
            "ALTER TABLE {old} ADD CONSTRAINT check_{number} CHECK (length(name) < {number}) NOT VALID;\n\
             ALTER TABLE {old} VALIDATE CONSTRAINT check_{number};\n\
             UPDATE {old} SET name = upper(name) WHERE id BETWEEN 1 AND 5000;\nINSERT INTO {old} (name, amount) VALUES ('a', 1), ('b', 2);\n"
        ),
        _ => format!(
            "CREATE FUNCTION function_{number}(a bigint, b text DEFAULT 'x') RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN\n    IF NEW.id > a THEN\n        RAISE NOTICE 'id %', NEW.id;\n    END IF;\n    RETURN NEW;\nEND\n$$;\n\
             DO $$ BEGIN\n    IF NOT EXISTS (SELECT FROM pg_class WHERE relname = '{old}_{number}') THEN\n        \
             CREATE INDEX {old}_{number} ON {old} (amount);\n    END IF;\nEND $$;\n"
        ),
    }
}

fn history() -> (Job, Sources, usize) {
    let mut sources = Sources::default();
    let mut bytes = 0;
    let migrations = (0..MIGRATIONS)
        .map(|number| {
            let (name, text) = (format!("{number:04}.sql"), migration(number));
            bytes += text.len();
            let file = sources.add(SourceFile::new(name.as_str(), text.as_str()));
            Migration::plain(&name, file, text.len())
        })
        .collect();
    (Job { migrations, ..Job::default() }, sources, bytes)
}

/// Splitting and parsing, one file after the other.
#[divan::bench]
fn read(bencher: Bencher) {
    let (_, sources, bytes) = history();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        for (file, source) in sources.iter() {
            black_box(read_script(file, source));
        }
    });
}

/// Everything but reading the files and writing the report.
#[divan::bench]
fn whole_check(bencher: Bencher) {
    let (job, sources, bytes) = history();
    let report = check(&job, &sources);
    assert!(
        report
            .findings
            .iter()
            .all(|finding| finding.rule.name != "unreadable-statement" && finding.rule.name != "missing-object")
    );
    bencher.counter(BytesCount::new(bytes)).bench_local(|| black_box(check(&job, &sources)));
}
