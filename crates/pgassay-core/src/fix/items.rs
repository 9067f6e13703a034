//! A migration, statement by statement: what stays as it is, and what the advice puts in its place.

mod own;
mod transaction;

use std::borrow::Cow;

use own::column_of;
use transaction::{is_outer, own_block, sends_apart};

use super::original::without_markers;
use super::pieces::is_of_session;
use super::refill::Fill;
use super::{Left, Ways, held, in_step, refill, unqualified};
use crate::change::{AlterTableActionKind, Change, Set};
use crate::effect::InTransactionBlock;
use crate::finding::{Finding, FixStep, PlanOfChange, Rule, StepTransaction};
use crate::migration::{Framework, Migration};
use crate::report::{Report, StatementRecord};
use crate::rules::migration::{
    BLOCKING_INDEX_BUILD, BLOCKING_REWRITE, BLOCKING_SCAN, DROPPED_DATA, ENUM_VALUE_BEFORE_COMMIT, FAILS_ON_ROWS,
    LONG_WORK_UNDER_LOCK, MISSING_LOCK_TIMEOUT, RENAMED_OBJECT, REQUIRED_COLUMN, TRANSACTION_FORBIDDEN,
    UNBATCHED_BACKFILL, UNREADABLE_STATEMENT, VALIDATE_IN_SAME_TRANSACTION,
};
use crate::source::FileId;
use crate::source::{SourceFile, Sources, Span};
use crate::sql::read_script;

/// Rules whose steps do what the statement does.
const INSTEAD: [&Rule; 6] =
    [&BLOCKING_REWRITE, &BLOCKING_SCAN, &BLOCKING_INDEX_BUILD, &FAILS_ON_ROWS, &DROPPED_DATA, &RENAMED_OBJECT];

/// Rules whose statement only has to be outside of the transaction.
const ALONE: [&Rule; 1] = [&TRANSACTION_FORBIDDEN];

/// Rules whose statement only has to be in a transaction of its own.
const APART: [&Rule; 2] = [&VALIDATE_IN_SAME_TRANSACTION, &LONG_WORK_UNDER_LOCK];

/// Rules whose statement changes all rows at once.
const AT_ONCE: [&Rule; 2] = [&UNBATCHED_BACKFILL, &LONG_WORK_UNDER_LOCK];

/// The rule that is answered by a limit in every transaction.
static TIMEOUT: &Rule = &MISSING_LOCK_TIMEOUT;

/// The rule that is answered by committing a label before it is used.
static LABEL: &Rule = &ENUM_VALUE_BEFORE_COMMIT;

/// The rule about a column that running code does not write.
static REQUIRED: &Rule = &REQUIRED_COLUMN;

/// The rule about what no parser of ours reads.
static UNREAD: &Rule = &UNREADABLE_STATEMENT;

pub(super) struct Items<'a> {
    pub items: Vec<Item<'a>>,
    /// What it keeps is in one transaction.
    pub together: bool,
    /// Transactions want a lock_timeout, and nothing sets one: the statement that the finding names.
    pub limit: Option<String>,
    /// Nothing else is to be done.
    pub is_limit_only: bool,
    /// What it keeps is outside of the tool's transaction.
    pub unwrapped: bool,
    pub fixed: Vec<usize>,
    pub left: Vec<Left>,
    pub is_changed: bool,
}

pub(super) enum Item<'a> {
    Keep(String),
    /// SET: it holds for what comes after it.
    Setting(String, Set),
    Alone(String),
    Apart(String),
    /// With the comments before the statement that they replace.
    Steps(String, Cow<'a, [FixStep]>),
}

/// An item, and the record of the statement that it comes from.
pub(super) struct Placed<'a> {
    pub record: usize,
    pub item: Item<'a>,
}

/// Whether a finding is answered by commits between what the migration does in one.
pub(super) fn takes_apart(finding: &Finding) -> bool {
    finding.rule.is_one_of(&INSTEAD) && !finding.advice.steps.is_empty()
        || finding.rule.is_one_of(&ALONE)
        || finding.rule.is_one_of(&APART)
        || finding.rule.is_one_of(&AT_ONCE) && finding.advice.walk.is_some()
}

struct Reader<'a, 'c> {
    migration: &'a Migration,
    ways: Ways,
    findings: Vec<(usize, &'a Finding)>,
    source: &'a SourceFile,
    placed: Vec<Placed<'a>>,
    /// The record of the statement at hand.
    at: usize,
    /// The comment after its semicolon, on the same line.
    trailing: String,
    /// Where the text of each statement begins.
    starts: Vec<u32>,
    changes: &'c [Option<Change>],
    items: Items<'a>,
}

/// Takes a migration apart. The error says why it cannot be.
pub(super) fn read<'a>(
    migration: &'a Migration,
    report: &'a Report,
    findings: &[usize],
    sources: &'a Sources,
) -> Result<Items<'a>, String> {
    let source = sources.file(migration.file);
    let in_sections = |span: Span| migration.sections.iter().any(|section| section.span.contains(span));
    let records: Vec<&StatementRecord> = report.statements.iter().filter(|record| in_sections(record.span)).collect();
    let changes: Vec<Option<Change>> = records.iter().map(|record| change_of(sources.slice(record.span))).collect();
    let whole = own_block(&changes)?;
    if matches!(migration.framework, Framework::Atlas | Framework::Mybatis) {
        records.iter().try_for_each(|record| ends_at_semicolon(source, record))?;
    }
    let mut reader = Reader {
        migration,
        ways: Ways::of(migration),
        findings: findings.iter().filter_map(|at| Some((*at, report.findings.get(*at)?))).collect(),
        source,
        placed: Vec::new(),
        at: 0,
        trailing: String::new(),
        starts: Vec::new(),
        changes: &changes,
        items: Items {
            items: Vec::new(),
            together: whole || !sends_apart(migration),
            limit: None,
            is_limit_only: false,
            unwrapped: Ways::of(migration).unwrapped,
            fixed: Vec::new(),
            left: Vec::new(),
            is_changed: false,
        },
    };
    let mut end = None;
    for (at, record) in records.iter().enumerate() {
        let start = end.unwrap_or_else(|| reader.section_start(record));
        let (trailing, next) = reader.trailing(record.span.end);
        reader.trailing = trailing;
        end = Some(next);
        reader.at = at;
        reader.starts.push(start);
        let is_border = whole && (at == 0 || at + 1 == records.len());
        match &changes[at] {
            Some(Change::Transaction(_)) if is_border || is_outer(&changes, at) => continue,
            change => reader.statement(record, change.as_ref(), start),
        }
    }
    reader.label(&records, &changes);
    held::after_triggers(&mut reader.placed, &changes);
    reader.refill(&records, &changes);
    let mut placed = std::mem::take(&mut reader.placed);
    let text = |record: usize| records.get(record).map(|it| reader.text(it.span)).unwrap_or_default();
    in_step::keep(&mut placed, &changes, text)?;
    reader.placed = placed;
    held::hold(&mut reader.placed, &records, &changes).map_err(|(_, why)| why)?;
    reader.lone_in_batches(&records);
    reader.limit();
    reader.items.items = reader.placed.into_iter().map(|placed| placed.item).collect();
    Ok(reader.items)
}

/// Its own delimiter would be taken for a part of the next statement.
fn ends_at_semicolon(source: &SourceFile, record: &StatementRecord) -> Result<(), String> {
    let end = source.original_range(record.span).end;
    let rest = source.original().get(end..).unwrap_or_default().trim_start();
    match rest.is_empty() || rest.starts_with(';') {
        true => Ok(()),
        false => Err("its statements end at a delimiter of its own: take it apart by hand".to_owned()),
    }
}

pub(super) fn change_of(sql: &str) -> Option<Change> {
    let source = SourceFile::new("statement", sql);
    read_script(FileId(0), &source).statements.into_iter().next()?.change.ok()
}

impl<'a> Reader<'a, '_> {
    /// Where the text of the first statement begins: with the comments before it.
    fn section_start(&self, record: &StatementRecord) -> u32 {
        let mut sections = self.migration.sections.iter();
        sections.find(|section| section.span.contains(record.span)).map_or(record.span.start, |it| it.span.start)
    }

    /// A comment that follows a statement on its line, and where it ends. It is the statement's, not that of the next one.
    fn trailing(&self, end: u32) -> (String, u32) {
        let inside = |at: u32| self.migration.sections.iter().any(|it| it.span.start <= at && at < it.span.end);
        let rest = self.source.text.get(end as usize..).filter(|_| inside(end)).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let after = line.trim_start().strip_prefix(';').unwrap_or_default().trim();
        if !after.starts_with("--") || after.starts_with("-- +") || after.starts_with("-->") {
            return (String::new(), end);
        }
        (after.to_owned(), end + u32::try_from(line.trim_end_matches('\r').len()).unwrap_or_default())
    }

    fn statement(&mut self, record: &StatementRecord, change: Option<&Change>, start: u32) {
        let trailing = std::mem::take(&mut self.trailing);
        let with_trailing = |text: String| match (trailing.is_empty(), text.is_empty()) {
            (true, _) => text,
            (_, true) => trailing.clone(),
            _ => format!("{trailing}\n{text}"),
        };
        let text = with_trailing(self.text(Span { start, ..record.span }));
        if let Some(Change::Set(set)) = change {
            return self.push(Item::Setting(text, set.clone()));
        }
        let here: Vec<(usize, &'a Finding)> =
            self.findings.iter().filter(|(_, it)| record.span.contains(it.span)).copied().collect();
        if let Some((unread, _)) = here.iter().find(|(_, it)| it.rule == UNREAD) {
            self.leave(*unread, "it could not be read, and stays as written".to_owned());
        }
        let own = self.in_batches(record, change, &here).or_else(|| self.default_goes(record, change, &here));
        if let Some(own) = own {
            self.items.is_changed = true;
            let comments = self.text(Span { start, end: record.span.start, ..record.span });
            return self.push(Item::Steps(with_trailing(comments.trim().to_owned()), vec![own].into()));
        }
        if let Some(steps) = self.instead(record, change, &here) {
            self.items.is_changed = true;
            let comments = self.text(Span { start, end: record.span.start, ..record.span });
            let comments = with_trailing(comments.trim().to_owned());
            return self.push(Item::Steps(comments, unqualified::as_written(steps, change, &self.text(record.span))));
        }
        let forbidden = record.effect.in_transaction_block == InTransactionBlock::Forbidden;
        let alone: Vec<usize> = here.iter().filter(|(_, it)| it.rule.is_one_of(&ALONE)).map(|(at, _)| *at).collect();
        if let Some(setting) = self.setting_out_of_reach().filter(|_| forbidden && !alone.is_empty()) {
            let why = format!(
                "it runs by itself, where {setting} does not reach: write it with the names and the role it needs"
            );
            alone.iter().for_each(|finding| self.leave(*finding, why.clone()));
            return self.push(Item::Keep(text));
        }
        if forbidden && self.ways.alone {
            self.items.is_changed |= !alone.is_empty();
            self.items.fixed.extend(alone);
            return self.push(Item::Alone(text));
        }
        for finding in alone {
            self.leave(finding, self.no_way_out());
        }
        let apart: Vec<usize> = here.iter().filter(|(_, it)| it.rule.is_one_of(&APART)).map(|(at, _)| *at).collect();
        if !apart.is_empty() && !record.conditional {
            self.items.is_changed = true;
            self.items.fixed.extend(apart);
            return self.push(Item::Apart(text));
        }
        self.push(Item::Keep(text));
    }

    /// The steps that take the statement's place.
    fn instead(
        &mut self,
        record: &StatementRecord,
        change: Option<&Change>,
        here: &[(usize, &'a Finding)],
    ) -> Option<&'a [FixStep]> {
        let with_steps = |(_, it): &&(usize, &'a Finding)| it.rule.is_one_of(&INSTEAD) && !it.advice.steps.is_empty();
        let (first, finding) = *here.iter().find(with_steps)?;
        let steps: &'a [FixStep] = &finding.advice.steps;
        let why = if record.conditional {
            Some("it runs under a condition".to_owned())
        } else if matches!(change, Some(Change::Do(_))) {
            // The steps are those of one statement of it; loops, handlers and the other statements would be lost.
            Some("it is part of a DO block: take the block apart by hand".to_owned())
        } else if self.is_substituted(record.span) {
            Some("it contains a placeholder: the steps would have its value".to_owned())
        } else if change.is_some_and(adds_generated) {
            Some("its steps make a column that a trigger fills, or a virtual one, in place of a stored generated column: write them by hand where that will do".to_owned())
        } else if needs_no_transaction(steps) && !self.ways.alone {
            Some(self.no_way_out())
        } else {
            self.setting_out_of_reach().filter(|_| needs_no_transaction(steps)).map(|setting| {
                format!("its steps run by themselves, where {setting} does not reach: write them with the names and the role they need")
            })
        };
        if let Some(why) = why {
            self.leave(first, why);
            return None;
        }
        for (at, it) in here
            .iter()
            .filter(|(_, it)| it.rule.is_one_of(&INSTEAD) || it.rule.is_one_of(&ALONE) || it.rule.is_one_of(&APART))
        {
            if it.advice.steps == *steps || !it.rule.is_one_of(&INSTEAD) || it.advice.steps.is_empty() {
                self.items.fixed.push(*at);
            } else {
                self.leave(*at, "another finding of the statement has other steps: those were taken".to_owned());
            }
        }
        Some(steps)
    }

    /// A role or search_path that the file sets before, and that another file would not have.
    fn setting_out_of_reach(&self) -> Option<&'static str> {
        if self.ways.in_file {
            return None;
        }
        let mut found = None;
        for change in self.changes.get(..self.at)?.iter().flatten() {
            match change {
                Change::Set(set) if is_of_session(set) => {
                    found = Some(if &*set.parameter == "search_path" { "SET search_path" } else { "SET ROLE" });
                }
                Change::Reset(_) => found = None,
                _ => {}
            }
        }
        found
    }

    fn no_way_out(&self) -> String {
        let tool = self.migration.framework;
        match tool {
            Framework::NodePgMigrate => {
                format!("{tool} runs SQL files in a transaction: write it in JavaScript, with pgm.noTransaction()")
            }
            Framework::Plain => "each file runs in a transaction here: it has to run outside of one".to_owned(),
            _ => format!("{tool} has no way to run it outside of a transaction: run it by hand, before the migration"),
        }
    }

    fn push(&mut self, item: Item<'a>) {
        self.placed.push(Placed { record: self.at, item });
    }

    /// What gives rows their values runs once more, after the constraint that refuses others; and where running code gives none yet, the
    /// constraint waits for it.
    fn refill(&mut self, records: &[&StatementRecord], changes: &[Option<Change>]) {
        let mut placed = std::mem::take(&mut self.placed);
        let required = |record: usize| {
            let span = records.get(record)?.span;
            let (at, finding) = self.findings.iter().find(|(_, it)| it.rule == REQUIRED && span.contains(it.span))?;
            let column = changes.get(record)?.as_ref().and_then(|change| column_of(change, finding))?;
            Some((*at, column))
        };
        let text = |record: usize| records.get(record).map(|it| self.text(it.span)).unwrap_or_default();
        let waits = |record: usize| required(record).map(|(_, column)| column);
        let is_told = |record: usize| {
            let span = records.get(record).map(|it| it.span);
            self.findings
                .iter()
                .any(|(_, it)| it.rule.is_one_of(&AT_ONCE) && span.is_some_and(|own| own.contains(it.span)))
        };
        let fill = |record: usize, update| Fill { text: text(record), update, is_told: is_told(record) };
        let obstacles = refill::refill(&mut placed, changes, fill, waits);
        let answered =
            placed.iter().filter(|it| matches!(it.item, Item::Steps(..))).filter_map(|it| required(it.record));
        let answered: Vec<usize> = answered.map(|(at, _)| at).collect();
        self.items.fixed.extend(answered);
        self.placed = placed;
        for (record, why) in obstacles {
            self.keep_as_written(record, records, &why);
        }
    }

    /// The statement stays, and so do its findings.
    fn keep_as_written(&mut self, record: usize, records: &[&StatementRecord], why: &str) {
        let (Some(span), Some(start)) = (records.get(record).map(|it| it.span), self.starts.get(record)) else {
            return;
        };
        let text = self.text(Span { start: *start, ..span });
        for placed in self.placed.iter_mut().filter(|it| it.record == record) {
            placed.item = Item::Keep(text.clone());
        }
        let here: Vec<usize> =
            self.findings.iter().filter(|(_, it)| span.contains(it.span)).map(|(at, _)| *at).collect();
        let left: Vec<usize> = self.items.fixed.iter().filter(|at| here.contains(at)).copied().collect();
        self.items.fixed.retain(|at| !here.contains(at));
        left.into_iter().for_each(|finding| self.leave(finding, why.to_owned()));
    }

    fn leave(&mut self, finding: usize, why: String) {
        self.items.left.push(Left { finding, why });
    }

    /// The text as it was written, without the semicolon.
    fn text(&self, span: Span) -> String {
        let range = self.source.original_range(span);
        let written = self.source.original().get(range).unwrap_or_default();
        // The statement before it ended in front of its semicolon.
        let text = written.trim_start_matches([';', ' ', '\t', '\r']).trim_end_matches([';', ' ', '\n', '\r', '\t']);
        let text = text.strip_prefix('\n').unwrap_or(text);
        without_markers(text, self.migration.framework)
    }

    fn is_substituted(&self, span: Span) -> bool {
        self.source.original().get(self.source.original_range(span)) != self.source.text.get(span.range())
    }

    /// Every transaction gets a limit where one of them had none.
    fn limit(&mut self) {
        let missing = self.findings.iter().find(|(_, it)| it.rule == TIMEOUT);
        if let Some((at, finding)) = missing {
            self.items.limit = finding.advice.steps.first().map(|step| step.sql.trim_end_matches(';').to_owned());
            self.items.is_limit_only = !self.items.is_changed;
            self.items.is_changed = true;
            self.items.fixed.push(*at);
        }
    }

    /// New labels commit before what uses them.
    fn label(&mut self, records: &[&StatementRecord], changes: &[Option<Change>]) {
        let used: Vec<usize> = self.findings.iter().filter(|(_, it)| it.rule == LABEL).map(|(at, _)| *at).collect();
        if used.is_empty() {
            return;
        }
        let labels: Vec<String> = records
            .iter()
            .zip(changes)
            .filter(|(_, change)| matches!(change, Some(Change::AlterEnum(_))))
            .map(|(record, _)| self.text(record.span))
            .collect();
        for Placed { item, .. } in &mut self.placed {
            if let Item::Keep(text) = item
                && labels.iter().any(|label| text.ends_with(label.as_str()))
            {
                *item = Item::Apart(std::mem::take(text));
            }
        }
        self.items.is_changed = true;
        self.items.fixed.extend(used);
    }
}

/// Whether it adds a generated column, which no steps leave as it is written.
fn adds_generated(change: &Change) -> bool {
    let Change::AlterTable(alter) = change else { return false };
    alter.actions.iter().any(
        |action| matches!(&action.kind, AlterTableActionKind::AddColumn { column, .. } if column.generated.is_some()),
    )
}

/// Items of a migration with joined commands, with the findings of the migration as it was written.
pub(super) fn of_original<'a>(items: Items<'a>, joined: &Report, report: &Report, findings: &[usize]) -> Items<'a> {
    let own = |at: &usize| {
        let told = joined.findings.get(*at)?;
        let like = |same: bool| {
            findings.iter().copied().find(|at| {
                report.findings.get(*at).is_some_and(|it| it.rule == told.rule && (!same || it.message == told.message))
            })
        };
        like(true).or_else(|| like(false)).or_else(|| findings.first().copied())
    };
    let left: Vec<Left> = items
        .left
        .iter()
        .filter_map(|left| Some(Left { finding: own(&left.finding)?, why: left.why.clone() }))
        .collect();
    let rules: Vec<&Rule> = items.fixed.iter().filter_map(|at| joined.findings.get(*at)).map(|it| it.rule).collect();
    let is_fixed = |at: &usize| {
        let finding = report.findings.get(*at);
        finding.is_some_and(|it| rules.contains(&it.rule)) && !left.iter().any(|it| it.finding == *at)
    };
    let fixed = findings.iter().copied().filter(is_fixed).collect();
    Items { left, fixed, ..items }
}

fn needs_no_transaction(steps: &[FixStep]) -> bool {
    let plan = PlanOfChange::of(steps);
    plan.migrations().any(|it| it.repeat || it.transaction == StepTransaction::None)
}
