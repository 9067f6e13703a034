//! What was compared, and what differed.

use std::collections::BTreeMap;

use super::compare::{self, Step};

/// What to run.
pub struct Arguments {
    pub seed: u64,
    pub histories: u64,
    pub versions: Vec<u16>,
    /// Texts of one history.
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
    /// A client's statement fails, and no loss was reported.
    Clients,
}

const EFFECTS: [Kind; 4] = [Kind::Locks, Kind::Rewrites, Kind::Scans, Kind::IndexBuilds];

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
    /// Refusals whose reason is another one in the server's words, by both words without names: how many, and one of them.
    pub reasons: BTreeMap<(String, String), (u64, String)>,
    pub catalogs: u64,
    pub broken: u64,
    pub differences: Vec<Difference>,
}

impl Tally {
    /// Takes in how one text went.
    pub fn count(&mut self, step: &Step) {
        self.statements += 1;
        let Some(error) = &step.observed.error else {
            self.ran += 1;
            return;
        };
        let told = !step.said.refusals.is_empty();
        self.refused += 1;
        self.by_rows += u64::from(!told && compare::is_of_rows(error));
        self.told += u64::from(told);
        if let Some((server, model)) = compare::of_reasons(step) {
            let key = (compare::shape(&server), compare::shape(&model));
            self.reasons.entry(key).or_insert_with(|| (0, format!("{server}; the model: {model}"))).0 += 1;
        }
    }

    pub fn false_refusals(&self) -> usize {
        self.number(Kind::FalseRefusal)
    }

    fn number(&self, kind: Kind) -> usize {
        self.differences.iter().filter(|it| it.kind == kind).count()
    }

    pub fn print(&self, major: u16, arguments: &Arguments) {
        self.print_differences(major, arguments.show);
        self.print_reasons(major, arguments.show);
        self.print_shares(major, arguments);
    }

    fn print_differences(&self, major: u16, show: usize) {
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
            if *shown > show {
                continue;
            }
            let Some(shortest) = found.iter().min_by_key(|it| it.statements.len()) else { continue };
            println!("{major} {kind:?} x{} {key}\n    {}", found.len(), shortest.detail);
            shortest.statements.iter().for_each(|statement| println!("    > {statement};"));
        }
    }

    fn print_reasons(&self, major: u16, show: usize) {
        let mut reasons: Vec<_> = self.reasons.values().collect();
        reasons.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        reasons.iter().take(show).for_each(|(number, example)| println!("{major} Reason x{number} {example}"));
    }

    fn print_shares(&self, major: u16, arguments: &Arguments) {
        let share = |right: u64, of: u64| if of == 0 { 100.0 } else { 100.0 * right as f64 / of as f64 };
        let number = |kind| self.number(kind) as u64;
        let (missed, wrong, lost) = (number(Kind::Missed), number(Kind::FalseRefusal), number(Kind::Clients));
        let effects: u64 = EFFECTS.into_iter().map(number).sum();
        let others: u64 = self.reasons.values().map(|(number, _)| number).sum();
        let catalogs = number(Kind::Catalog);
        println!(
            "{major}: seed {}, {} histories, {} texts ({} ran, {} refused, {} of those by rows)",
            arguments.seed, arguments.histories, self.statements, self.ran, self.refused, self.by_rows,
        );
        println!(
            "{major}: outcomes right {:.2} %, {wrong} false, refusals reported {:.1} % ({missed} missed), for the server's reason {:.1} %",
            share(self.statements - missed - wrong, self.statements),
            share(self.told, self.told + missed),
            share(self.told.saturating_sub(others), self.told),
        );
        println!(
            "{major}: effects right {:.2} % ({effects} differ), catalogs equal {:.2} % ({catalogs} differ), lost clients not reported after {lost} texts ({:.2} %), {} not compared",
            share(self.ran.saturating_sub(effects), self.ran),
            share(self.catalogs - catalogs, self.catalogs),
            100.0 - share(self.ran.saturating_sub(lost), self.ran),
            self.broken,
        );
    }
}
