//! The deploy as it passes: which locks each migration holds from which statement to which, who waits for them and how long.
//!
//! In: the statements of a report. Out: a [`Panel`] per migration. A lock is held from the statement that takes it to the end of its
//! transaction (manual, "Explicit Locking"), or to a ROLLBACK TO a savepoint before it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Measured, Report, StatementRecord};
use crate::catalog::LockMode;
use crate::facts::Span;
use crate::source::FileId;

/// One migration.
#[derive(Debug)]
pub struct Panel<'r> {
    pub migration: &'r str,
    pub file: FileId,
    pub statements: Vec<&'r StatementRecord>,
    /// In the order in which they are locked first.
    pub lanes: Vec<Lane<'r>>,
}

/// The locks on one relation.
#[derive(Debug)]
pub struct Lane<'r> {
    pub relation: &'r str,
    pub table: Option<&'r Measured>,
    /// One after the other; a stronger mode ends the weaker one.
    pub held: Vec<Held>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pub mode: LockMode,
    /// The statement that takes it, and the last during which it is held, as indexes of the panel's.
    pub from: usize,
    pub to: usize,
    /// The transaction goes on in the next migration.
    pub goes_on: bool,
    pub time: Time,
}

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Time {
    /// What is known of it.
    pub known: Span,
    /// There is work besides of whose size nothing is known.
    pub more: bool,
}

/// Who waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    /// VACUUM, ANALYZE and changes of the schema.
    Maintenance,
    /// Writers of the same rows.
    Rows,
    Writes,
    ReadsAndWrites,
}

impl Waits {
    pub fn of(mode: LockMode) -> Waits {
        match mode {
            mode if mode.blocks_reads() => Waits::ReadsAndWrites,
            mode if mode.blocks_writes() => Waits::Writes,
            LockMode::RowExclusive => Waits::Rows,
            _ => Waits::Maintenance,
        }
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Waits::Maintenance => "reads and writes go on",
            Waits::Rows => "writers of the same rows wait",
            Waits::Writes => "writes wait",
            Waits::ReadsAndWrites => "reads and writes wait",
        })
    }
}

impl Time {
    pub fn plus(self, other: Time) -> Time {
        Time { known: self.known.plus(other.known), more: self.more || other.more }
    }

    /// Takes no time that anybody could notice.
    pub fn is_instant(self) -> bool {
        !self.more && self.known.most == 0.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.known.most > 0.0, self.more) {
            (false, false) => f.write_str("an instant"),
            (true, false) => self.known.fmt(f),
            (false, true) => f.write_str("grows with the table"),
            (true, true) => write!(f, "{}, and work of unknown length", self.known),
        }
    }
}

impl StatementRecord {
    /// How long it takes.
    pub fn time(&self) -> Time {
        let times = self.impact.work.iter().map(|work| match work.duration {
            Some(known) => Time { known, more: false },
            None => Time { known: Span::default(), more: true },
        });
        times.fold(Time::default(), Time::plus)
    }
}

impl Panel<'_> {
    /// The worst that somebody meets, and the longest time of it on one relation.
    pub fn worst(&self) -> Option<(Waits, Time)> {
        let all = self.lanes.iter().flat_map(|lane| &lane.held);
        let longer = |one: &(Waits, Time), other: &(Waits, Time)| {
            let key = |it: &(Waits, Time)| (it.0, it.1.more);
            key(one).cmp(&key(other)).then(one.1.known.most.total_cmp(&other.1.known.most))
        };
        all.map(|held| (Waits::of(held.mode), held.time)).max_by(longer)
    }
}

/// The migrations of a report in the order in which they run.
pub fn panels(report: &Report) -> Vec<Panel<'_>> {
    let mut rest = report.statements.as_slice();
    let mut panels = Vec::new();
    for number in &report.histories {
        let (history, others) = rest.split_at((*number).min(rest.len()));
        rest = others;
        panels.extend(of_history(history));
    }
    panels.extend(of_history(rest));
    panels
}

fn of_history(records: &[StatementRecord]) -> Vec<Panel<'_>> {
    let same = |one: &StatementRecord, other: &StatementRecord| {
        one.migration == other.migration && one.span.file == other.span.file
    };
    let mut panels: Vec<Panel> = Vec::new();
    // What the open transaction holds: from the panels before too.
    let mut open = Open::new();
    let mut before: Option<&StatementRecord> = None;
    for records in records.chunk_by(same) {
        let Some(first) = records.first() else { continue };
        let mut drawing = Drawing { records, lanes: Vec::new(), at: BTreeMap::new() };
        for (at, record) in records.iter().enumerate() {
            let goes_on = before.is_some_and(|before| in_one_transaction(before, record));
            if !goes_on {
                drawing.end(&open, at);
                open.clear();
            } else if at == 0 {
                panels.last_mut().into_iter().for_each(go_on);
                open.iter().for_each(|(relation, (mode, table))| drawing.begin(relation, *mode, *table, 0));
            }
            drawing.step(record, at, &mut open);
            before = Some(record);
        }
        drawing.end(&open, records.len());
        let statements = records.iter().collect();
        panels.push(Panel { migration: &first.migration, file: first.span.file, statements, lanes: drawing.lanes });
    }
    panels
}

fn in_one_transaction(one: &StatementRecord, other: &StatementRecord) -> bool {
    let number = |record: &StatementRecord| record.transaction.map(|(number, _)| number);
    number(one).is_some() && number(one) == number(other)
}

/// The next migration is in the transaction that is open at the end of this one.
fn go_on(panel: &mut Panel) {
    let end = panel.statements.len().saturating_sub(1);
    let held = panel.lanes.iter_mut().flat_map(|lane| &mut lane.held);
    held.filter(|held| held.to == end).for_each(|held| held.goes_on = true);
}

/// What a transaction holds, by relation.
type Open<'r> = BTreeMap<&'r str, (LockMode, Option<&'r Measured>)>;

/// A panel in the making.
struct Drawing<'r> {
    records: &'r [StatementRecord],
    lanes: Vec<Lane<'r>>,
    at: BTreeMap<&'r str, usize>,
}

impl<'r> Drawing<'r> {
    fn step(&mut self, record: &'r StatementRecord, at: usize, open: &mut Open<'r>) {
        for (relation, left) in &record.impact.released {
            let Some((mode, table)) = open.remove(&**relation) else { continue };
            if left.is_some_and(|left| left >= mode) {
                open.insert(relation, (mode, table));
                continue;
            }
            self.close(relation, at);
            if let Some(left) = left.filter(|left| *left >= LockMode::ShareUpdateExclusive) {
                open.insert(relation, (left, table));
                self.begin(relation, left, table, at);
            }
        }
        for lock in &record.impact.locks {
            let known = open.get(&*lock.relation).map(|(mode, _)| *mode);
            if known.is_some_and(|known| known >= lock.mode) {
                continue;
            }
            if known.is_some() {
                self.close(&lock.relation, at);
            }
            let table = lock.table.as_deref();
            self.begin(&lock.relation, lock.mode, table, at);
            open.insert(&lock.relation, (lock.mode, table));
        }
    }

    fn begin(&mut self, relation: &'r str, mode: LockMode, table: Option<&'r Measured>, at: usize) {
        let lane = *self.at.entry(relation).or_insert_with(|| {
            self.lanes.push(Lane { relation, table: None, held: Vec::new() });
            self.lanes.len() - 1
        });
        let lane = &mut self.lanes[lane];
        lane.table = lane.table.or(table);
        lane.held.push(Held { mode, from: at, to: usize::MAX, goes_on: false, time: Time::default() });
    }

    /// The lock is no longer held when a statement begins.
    fn close(&mut self, relation: &str, at: usize) {
        let Some(held) = self.at.get(relation).and_then(|lane| self.lanes[*lane].held.last_mut()) else { return };
        if held.to == usize::MAX && at > held.from {
            held.to = at - 1;
            held.time = self.records[held.from..at].iter().map(StatementRecord::time).fold(Time::default(), Time::plus);
        }
    }

    fn end(&mut self, open: &Open<'r>, at: usize) {
        open.keys().for_each(|relation| self.close(relation, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Job, check};
    use crate::history::Completeness;
    use crate::migration::Migration;
    use crate::source::{SourceFile, Sources};

    const GIVEN: &str = "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE other (id int);";

    /// The locks of the last migration: `public.t SHARE 1-3`, statements counted from 0; `+` where the work's length is not known.
    fn held(migrations: &[&str]) -> Vec<String> {
        let mut sources = Sources::default();
        let mut plain = |name: &str, text: &str| {
            let file = sources.add(SourceFile::new(name, text));
            Migration::plain(name, file, text.len())
        };
        let base = vec![plain("given.sql", GIVEN)];
        let migrations = migrations.iter().enumerate().map(|(at, text)| plain(&format!("{at}.sql"), text)).collect();
        let job = Job { base, migrations, completeness: Completeness::Complete, ..Job::default() };
        let report = check(&job, &sources);
        let panels = panels(&report);
        let panel = panels.last().unwrap_or_else(|| panic!("a migration"));
        let line = |lane: &Lane, held: &Held| {
            let more = if held.time.more { "+" } else { "" };
            format!("{} {} {}-{}{more}", lane.relation, held.mode, held.from, held.to)
        };
        panel.lanes.iter().flat_map(|lane| lane.held.iter().map(|held| line(lane, held)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn a_lock_is_held_to_the_end_of_its_transaction() {
        let all = "BEGIN; ALTER TABLE t ADD COLUMN a int; UPDATE t SET a = v; COMMIT; ALTER TABLE t DROP COLUMN a;";
        assert_eq!(held(&[all]), ["public.t ACCESS EXCLUSIVE 1-3+", "public.t ACCESS EXCLUSIVE 4-4"]);
    }

    #[test]
    fn what_commits_by_itself_holds_nothing_after_it() {
        let all = "CREATE INDEX a ON t (v); CREATE INDEX CONCURRENTLY b ON t (v); SELECT 1; UPDATE t SET v = 1;";
        let wanted = ["public.t SHARE 0-0+", "public.t SHARE UPDATE EXCLUSIVE 1-1+", "public.t ROW EXCLUSIVE 3-3+"];
        assert_eq!(held(&[all]), wanted);
    }

    #[test]
    fn a_stronger_mode_takes_over_and_a_rollback_gives_back() {
        let stronger = "BEGIN; CREATE INDEX a ON t (v); ALTER TABLE t ADD COLUMN a int; SELECT 1; COMMIT;";
        assert_eq!(held(&[stronger]), ["public.t SHARE 1-1+", "public.t ACCESS EXCLUSIVE 2-4"]);
        let back = "BEGIN; LOCK TABLE other IN SHARE MODE; SAVEPOINT s; ALTER TABLE t ADD COLUMN a int; ROLLBACK TO s; SELECT 1; COMMIT;";
        assert_eq!(held(&[back]), ["public.other SHARE 1-6", "public.t ACCESS EXCLUSIVE 3-4"]);
    }

    #[test]
    fn nobody_waits_for_what_nobody_has() {
        assert!(
            held(&["CREATE TABLE n (id int); CREATE INDEX i ON n (id); ALTER TABLE n ADD COLUMN v int NOT NULL;"])
                .is_empty()
        );
    }
}
