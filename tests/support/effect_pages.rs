//! docs/effects-by-version.md: what usual statements lock, rewrite, read and build, by the server's version. The statements are cases of
//! tests/effects, which the server itself is held against; what is said of them is predicted.

use std::collections::BTreeSet;
use std::fmt::Write;

use pgassay::effect::{Effect, InTransactionBlock};
use pgassay::version::PgVersion;

use super::cases::{self, Case, CaseFile};
use super::world::World;

/// Headings, with the cases below them.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Columns",
        &[
            "alter_table/add column",
            "alter_table/add column with constant default",
            "alter_table/add column not null with constant default",
            "alter_table/add column default now",
            "alter_table/add column default clock_timestamp",
            "alter_table/add column default gen_random_uuid",
            "alter_table/add column serial",
            "alter_table/add column identity",
            "alter_table/add column generated stored",
            "alter_table/add column generated virtual",
            "alter_table/add column of constrained domain with default",
            "alter_table/add column with check",
            "alter_table/add column unique",
            "alter_table/add column references",
            "alter_table/add column references with default",
            "alter_table/drop column",
            "alter_table/set default",
            "alter_table/drop default",
            "alter_table/set not null",
            "alter_table/set not null proved",
            "alter_table/drop not null",
            "alter_table/set expression",
            "alter_table/drop expression",
            "alter_table/set statistics",
            "alter_table/set storage",
            "alter_table/add identity",
        ],
    ),
    (
        "Types of columns",
        &[
            "alter_type/v10 to varchar(20)",
            "alter_type/v10 to text",
            "alter_type/v10 to varchar(5)",
            "alter_type/tx to varchar(20)",
            "alter_type/i to bigint",
            "alter_type/n10 to numeric(12,2)",
            "alter_type/n10 to numeric(12,4)",
            "alter_type/ts to timestamptz",
            "alter_type/index wider varchar",
            "alter_type/index varchar to text",
            "alter_type/check varchar to text",
            "alter_type/index with collation changed",
            "alter_type/primary key referenced",
            "alter_type/foreign key column to bigint",
            "alter_type/partitioned rewrite",
        ],
    ),
    (
        "Constraints",
        &[
            "alter_table/add check",
            "alter_table/add check not valid",
            "alter_table/add check not enforced",
            "alter_table/validate check",
            "alter_table/add not null constraint",
            "alter_table/add not null constraint not valid",
            "alter_table/validate not null constraint",
            "alter_table/add foreign key",
            "alter_table/add foreign key not valid",
            "alter_table/add foreign key from partitioned",
            "alter_table/validate foreign key",
            "alter_table/alter constraint deferrable",
            "alter_table/drop foreign key",
            "alter_table/drop check",
            "alter_table/add unique",
            "alter_table/add unique using index",
            "alter_table/add primary key on not null column",
            "alter_table/add primary key on nullable column",
            "alter_table/add primary key using index nullable",
        ],
    ),
    (
        "Indexes",
        &[
            "index/create index",
            "concurrently/create index concurrently",
            "index/create index on partitioned",
            "index/create index on only partitioned",
            "concurrently/create index concurrently on a partitioned table",
            "index/attach index",
            "index/drop index",
            "concurrently/drop index concurrently",
            "index/rename index",
            "index/reindex index",
            "concurrently/reindex index concurrently",
            "index/reindex table",
            "concurrently/reindex table concurrently",
            "index/set index options",
        ],
    ),
    (
        "Partitions",
        &[
            "partition/attach with default",
            "partition/attach proven with default",
            "partition/attach list",
            "partition/attach list proven not null",
            "partition/attach to a table with a foreign key",
            "partition/detach with index",
            "concurrently/detach partition concurrently",
            "partition/detach referenced",
            "partition/set not null on partitioned",
        ],
    ),
    (
        "Views, triggers, policies",
        &[
            "view/create view",
            "view/replace view",
            "view/drop view",
            "view/create materialized view",
            "view/refresh",
            "view/refresh concurrently",
            "routine_trigger_policy/create trigger",
            "routine_trigger_policy/create trigger on partitioned",
            "routine_trigger_policy/drop trigger",
            "routine_trigger_policy/disable trigger all on referenced",
            "routine_trigger_policy/create policy",
            "routine_trigger_policy/drop policy",
            "routine_trigger_policy/enable row security",
        ],
    ),
    (
        "Maintenance",
        &[
            "maintenance/truncate",
            "maintenance/truncate cascade",
            "maintenance/analyze",
            "concurrently/vacuum",
            "concurrently/vacuum full",
            "maintenance/cluster",
        ],
    ),
];

/// The page's file and text.
pub fn by_version() -> (String, String) {
    let files = cases::all();
    let worlds: Vec<Worlds> = files.iter().map(Worlds::after_setup).collect();
    let mut text = format!(
        "<!-- Generated by `cargo run --example develop -- generate` from the model. -->\n\n# Effects by version\n\nWhat one statement locks, and for \
         how long it works, on PostgreSQL {} to {}: {}. Each line is predicted by the model that `pgassay check` \
         uses, for tables with rows; each statement is a case of `tests/effects`, which runs on every version, where what the server really did is compared with the \
         prediction. `pgassay explain \"ALTER TABLE …\"` says it of your own tables.\n\nA lock lasts until its transaction ends. *rewrites*: the \
         rows are read and written to new storage, with all indexes (TRUNCATE: to empty storage). *reads*: every row is read. *builds*: an index is built from all rows. *alone*: the \
         statement may not run in a transaction block. Where nothing of these is said, the statement changes the catalog only.\n",
        PgVersion::OLDEST,
        PgVersion::NEWEST,
        "the strongest lock on each relation that was there before, and the work done under it",
    );
    let differing = differing(&worlds);
    let differ = differing.len();
    writeln!(
        text,
        "\n## Where versions differ\n\n{differ} of the {} cases have another effect on one version than on another.\n",
        worlds.iter().map(|file| file.file.cases.len()).sum::<usize>()
    )
    .expect("a string takes all");
    table(&mut text, differing.into_iter());
    for (heading, names) in GROUPS {
        writeln!(text, "\n## {heading}\n").expect("a string takes all");
        table(&mut text, names.iter().map(|name| found(&worlds, name)));
    }
    ("effects-by-version.md".to_owned(), text)
}

/// A case file with what the model knows of its setup on each version.
struct Worlds<'f> {
    file: &'f CaseFile,
    worlds: Vec<(PgVersion, World)>,
}

impl<'f> Worlds<'f> {
    fn after_setup(file: &'f CaseFile) -> Worlds<'f> {
        let worlds = PgVersion::all().map(|version| {
            let mut world = World::new(version);
            world.run(&file.setup).unwrap_or_else(|error| panic!("{}: {error}", file.name));
            (version, world)
        });
        Worlds { file, worlds: worlds.collect() }
    }

    /// What a case does on each version that can run it, in words; versions that say the same follow each other.
    fn effects(&self, case: &Case) -> Vec<(PgVersion, String)> {
        let able = self.worlds.iter().filter(|(version, _)| case.requires.contains(&version.major()));
        able.map(|(version, world)| (*version, said(world, case))).collect()
    }
}

fn found<'w>(worlds: &'w [Worlds<'w>], name: &str) -> (&'w Worlds<'w>, &'w Case) {
    let all = worlds.iter().flat_map(|file| file.file.cases.iter().map(move |case| (file, case)));
    all.into_iter().find(|(_, case)| case.name == name).unwrap_or_else(|| panic!("no case is called {name}"))
}

/// The cases of which versions say something else, where none refuses them; one of each statement.
fn differing<'w>(worlds: &'w [Worlds<'w>]) -> Vec<(&'w Worlds<'w>, &'w Case)> {
    let mut seen = BTreeSet::new();
    let all = worlds.iter().flat_map(|file| file.file.cases.iter().map(move |case| (file, case)));
    all.filter(|(file, case)| {
        let effects = file.effects(case);
        effects.windows(2).any(|pair| pair[0].1 != pair[1].1)
            && case.differs.is_empty()
            && seen.insert((case.given.concat(), case.run.clone()))
    })
    .collect()
}

fn said(world: &World, case: &Case) -> String {
    let mut world = world.clone();
    if world.run(&case.given.concat()).is_err() || world.refuses(&case.run) {
        return "refused".to_owned();
    }
    world.predict(&case.run).map_or_else(|_| "refused".to_owned(), |effect| words(&effect))
}

fn words(effect: &Effect) -> String {
    let mut modes: Vec<_> = effect.locks.values().copied().collect();
    modes.sort_unstable();
    modes.dedup();
    let mut parts: Vec<String> = Vec::new();
    for mode in modes.into_iter().rev() {
        let relations = effect.locks.iter().filter(|(_, held)| **held == mode).map(|(relation, _)| short(relation));
        parts.push(format!("{mode} on {}", relations.collect::<Vec<_>>().join(", ")));
    }
    for (verb, relations) in
        [("rewrites", &effect.rewrites), ("reads", &effect.scans), ("builds", &effect.index_builds)]
    {
        // What gets new storage is read for it, and its indexes are built anew.
        let is_implied = |relation: &&String| match verb {
            "reads" => effect.rewrites.contains(*relation),
            "builds" => !effect.rewrites.is_empty(),
            _ => false,
        };
        let relations: Vec<&str> = relations.iter().filter(|it| !is_implied(it)).map(|it| short(it)).collect();
        if !relations.is_empty() {
            parts.push(format!("*{verb}* {}", relations.join(", ")));
        }
    }
    if effect.in_transaction_block == InTransactionBlock::Forbidden {
        parts.push("*alone*".to_owned());
    }
    if parts.is_empty() { "no lock on a table".to_owned() } else { parts.join("; ") }
}

fn short(name: &str) -> &str {
    name.strip_prefix("public.").unwrap_or(name)
}

fn table<'w>(text: &mut String, rows: impl Iterator<Item = (&'w Worlds<'w>, &'w Case)>) {
    text.push_str("| statement | version | effect |\n|---|---|---|\n");
    for (file, case) in rows {
        let effects = file.effects(case);
        let mut statement = code(&case.run);
        if !case.given.is_empty() {
            statement = format!("{statement} after {}", code(&case.given.concat()));
        }
        for same in effects.chunk_by(|one, other| one.1 == other.1) {
            let (first, last) = (same[0].0, same[same.len() - 1].0);
            let versions = match (first == PgVersion::OLDEST, last == PgVersion::NEWEST) {
                (true, true) => "all".to_owned(),
                (false, true) => format!("from {first}"),
                _ if first == last => first.to_string(),
                (true, false) => format!("to {last}"),
                (false, false) => format!("{first} to {last}"),
            };
            writeln!(text, "| {statement} | {versions} | {} |", same[0].1).expect("a string takes all");
            statement.clear();
        }
    }
}

/// SQL on one line, as a table's cell can hold it.
fn code(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", line.trim_end_matches(';').replace('|', "\\|"))
}
