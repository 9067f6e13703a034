//! What was compared, and what differed.

use std::collections::BTreeMap;

/// What to run.
pub struct Arguments {
    pub seed: u64,
    pub histories: u64,
    pub versions: Vec<u16>,
    /// Statements of one history.
    pub length: usize,
    /// Differences that are shown, of each kind.
    pub show: usize,
}

/// How a difference shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Called refused, and it runs.
    FalseRefusal,
    /// Refused for a reason that no rows give, and nothing was said.
    Missed,
    Locks,
    Rewrites,
    Scans,
    IndexBuilds,
    Catalog,
}

/// One difference with the history that shows it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub kind: Kind,
    /// What tells alike differences together: SQLSTATE and message without names.
    pub key: String,
    pub detail: String,
    pub statements: Vec<String>,
}

#[derive(Default)]
pub struct Tally {
    pub statements: u64,
    pub ran: u64,
    pub refused: u64,
    /// Refused because of rows, as was said that it may be.
    pub by_rows: u64,
    pub told: u64,
    pub effects: u64,
    pub catalogs: u64,
    pub broken: u64,
    pub differences: Vec<Difference>,
}

impl Tally {
    pub fn false_refusals(&self) -> usize {
        self.count(Kind::FalseRefusal)
    }

    fn count(&self, kind: Kind) -> usize {
        self.differences.iter().filter(|it| it.kind == kind).count()
    }

    pub fn print(&self, major: u16, arguments: &Arguments) {
        let mut groups: BTreeMap<(Kind, &str), Vec<&Difference>> = BTreeMap::new();
        for difference in &self.differences {
            groups.entry((difference.kind, difference.key.as_str())).or_default().push(difference);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((kind, _), found)| (*kind, usize::MAX - found.len()));
        let mut shown: BTreeMap<Kind, usize> = BTreeMap::new();
        for ((kind, key), found) in groups {
            let shown = shown.entry(kind).or_default();
            *shown += 1;
            if *shown > arguments.show {
                continue;
            }
            let Some(shortest) = found.iter().min_by_key(|it| it.statements.len()) else { continue };
            println!("{major} {kind:?} x{} {key}\n    {}", found.len(), shortest.detail);
            shortest.statements.iter().for_each(|statement| println!("    > {statement};"));
        }
        let share = |right: u64, of: u64| if of == 0 { 100.0 } else { 100.0 * right as f64 / of as f64 };
        let (missed, wrong) = (self.count(Kind::Missed) as u64, self.count(Kind::FalseRefusal) as u64);
        let outcomes = share(self.statements - missed - wrong, self.statements);
        let effects: u64 =
            [Kind::Locks, Kind::Rewrites, Kind::Scans, Kind::IndexBuilds].iter().map(|it| self.count(*it) as u64).sum();
        println!(
            "{major}: seed {}, {} histories, {} statements ({} ran, {} refused, {} of those by rows); outcomes right {outcomes:.2} %; \
             refusals told {:.1} % ({missed} missed), {wrong} false; effects right {:.2} % ({effects} differ); catalogs equal {:.2} % ({} differ); {} not compared",
            arguments.seed,
            arguments.histories,
            self.statements,
            self.ran,
            self.refused,
            self.by_rows,
            share(self.told, self.told + missed),
            share(self.effects.saturating_sub(effects), self.effects),
            share(self.catalogs - self.count(Kind::Catalog) as u64, self.catalogs),
            self.count(Kind::Catalog),
            self.broken,
        );
    }
}
