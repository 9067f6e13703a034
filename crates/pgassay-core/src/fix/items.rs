//! A migration, statement by statement: what stays as it is, and what the advice puts in its place.

use super::{Left, Ways};
use crate::change::{Change, Set, TransactionControl};
use crate::effect::InTransactionBlock;
use crate::finding::{Finding, FixStep, PlanOfChange, Rule, StepTransaction};
use crate::migration::{Framework, Migration, TransactionMode};
use crate::report::{Report, StatementRecord};
use crate::rules::migration::{
    BLOCKING_INDEX_BUILD, BLOCKING_REWRITE, BLOCKING_SCAN, DROPPED_DATA, ENUM_VALUE_BEFORE_COMMIT, FAILS_ON_ROWS,
    LONG_WORK_UNDER_LOCK, MISSING_LOCK_TIMEOUT, RENAMED_OBJECT, TRANSACTION_FORBIDDEN, UNREADABLE_STATEMENT,
    VALIDATE_IN_SAME_TRANSACTION,
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

/// The rule that is answered by a limit in every transaction.
static TIMEOUT: &Rule = &MISSING_LOCK_TIMEOUT;

/// The rule that is answered by committing a label before it is used.
static LABEL: &Rule = &ENUM_VALUE_BEFORE_COMMIT;

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
    Steps(String, &'a [FixStep]),
}

struct Reader<'a> {
    migration: &'a Migration,
    ways: Ways,
    findings: Vec<(usize, &'a Finding)>,
    source: &'a SourceFile,
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
    let mut reader = Reader {
        migration,
        ways: Ways::of(migration),
        findings: findings.iter().filter_map(|at| Some((*at, report.findings.get(*at)?))).collect(),
        source,
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
        end = Some(record.span.end);
        let is_border = whole && (at == 0 || at + 1 == records.len());
        match &changes[at] {
            Some(Change::Transaction(_)) if is_border || is_outer(&changes, at) => continue,
            change => reader.statement(record, change.as_ref(), start),
        }
    }
    reader.label(&records, &changes);
    reader.limit();
    Ok(reader.items)
}

fn change_of(sql: &str) -> Option<Change> {
    let source = SourceFile::new("statement", sql);
    read_script(FileId(0), &source).statements.into_iter().next()?.change.ok()
}

/// Whether the file opens a transaction of its own around all that it does. What it does with transactions otherwise is its own affair.
fn own_block(changes: &[Option<Change>]) -> Result<bool, String> {
    use TransactionControl::{Begin, Characteristics, Commit, Constraints};
    let controls: Vec<&TransactionControl> = changes
        .iter()
        .filter_map(|change| match change {
            Some(Change::Transaction(Characteristics | Constraints { .. })) => None,
            Some(Change::Transaction(control)) => Some(control),
            _ => None,
        })
        .collect();
    match controls.as_slice() {
        [] => Ok(false),
        [Begin, Commit { chain: false }] => Ok(true),
        _ => Err("the file opens and ends transactions itself: take it apart by hand".to_owned()),
    }
}

/// The only BEGIN and COMMIT of a file, wherever they are: what is before and after them are settings, or commits by itself.
fn is_outer(changes: &[Option<Change>], at: usize) -> bool {
    matches!(
        changes.get(at),
        Some(Some(Change::Transaction(TransactionControl::Begin | TransactionControl::Commit { .. })))
    )
}

impl<'a> Reader<'a> {
    /// Where the text of the first statement begins: with the comments before it.
    fn section_start(&self, record: &StatementRecord) -> u32 {
        let mut sections = self.migration.sections.iter();
        sections.find(|section| section.span.contains(record.span)).map_or(record.span.start, |it| it.span.start)
    }

    fn statement(&mut self, record: &StatementRecord, change: Option<&Change>, start: u32) {
        let text = self.text(Span { start, ..record.span });
        if let Some(Change::Set(set)) = change {
            return self.items.items.push(Item::Setting(text, set.clone()));
        }
        let here: Vec<(usize, &'a Finding)> =
            self.findings.iter().filter(|(_, it)| record.span.contains(it.span)).copied().collect();
        if let Some((unread, _)) = here.iter().find(|(_, it)| it.rule == UNREAD) {
            self.leave(*unread, "it could not be read, and stays as written".to_owned());
        }
        if let Some(steps) = self.instead(record, change, &here) {
            self.items.is_changed = true;
            let comments = self.text(Span { start, end: record.span.start, ..record.span }).trim().to_owned();
            return self.items.items.push(Item::Steps(comments, steps));
        }
        let forbidden = record.effect.in_transaction_block == InTransactionBlock::Forbidden;
        let alone: Vec<usize> = here.iter().filter(|(_, it)| it.rule.is_one_of(&ALONE)).map(|(at, _)| *at).collect();
        if forbidden && self.ways.alone {
            self.items.is_changed |= !alone.is_empty();
            self.items.fixed.extend(alone);
            return self.items.items.push(Item::Alone(text));
        }
        for finding in alone {
            self.leave(finding, self.no_way_out());
        }
        let apart: Vec<usize> = here.iter().filter(|(_, it)| it.rule.is_one_of(&APART)).map(|(at, _)| *at).collect();
        if !apart.is_empty() && !record.conditional {
            self.items.is_changed = true;
            self.items.fixed.extend(apart);
            return self.items.items.push(Item::Apart(text));
        }
        self.items.items.push(Item::Keep(text));
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
        } else if needs_no_transaction(steps) && !self.ways.alone {
            Some(self.no_way_out())
        } else {
            None
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
        for item in &mut self.items.items {
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

fn needs_no_transaction(steps: &[FixStep]) -> bool {
    let plan = PlanOfChange::of(steps);
    plan.migrations().any(|it| it.repeat || it.transaction == StepTransaction::None)
}

/// Whether each statement commits by itself.
fn sends_apart(migration: &Migration) -> bool {
    sends_each(migration) || Ways::of(migration).in_file && is_one_by_one(migration)
}

fn is_one_by_one(migration: &Migration) -> bool {
    migration.sections.iter().any(|section| section.transaction == TransactionMode::None)
}

/// Whether each statement of the file commits by itself, as its own marker wants it.
fn sends_each(migration: &Migration) -> bool {
    let is_alone = migration.sections.iter().all(|section| !section.transaction.is_opened_by_tool());
    is_alone && Ways::of(migration).unwrapped && (is_one_by_one(migration) || migration.framework == Framework::Goose)
}

/// Without the lines that say something to the tool about the file: each new file gets its own.
fn without_markers(text: &str, framework: Framework) -> String {
    let is_marker = |line: &str| match framework {
        Framework::Sqlx => line.trim_end() == "-- no-transaction",
        Framework::Atlas => line.starts_with("-- atlas:txmode"),
        Framework::Goose => line.starts_with("--") && line.contains("+goose"),
        Framework::SqlMigrate => line.starts_with("-- +migrate"),
        Framework::Tern => line == "---- tern: disable-tx ----",
        Framework::PostgresMigrations => line.contains("-- postgres-migrations disable-transaction"),
        Framework::Yoyo => {
            let words = line.trim_start_matches('-').trim_start();
            line.starts_with("--") && ["transactional:", "depends:"].iter().any(|name| words.starts_with(name))
        }
        Framework::Mybatis => line.contains("@UNDO"),
        Framework::Rambler => line.starts_with("-- rambler"),
        Framework::Drizzle => line.trim() == "--> statement-breakpoint",
        _ => false,
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_marker(line)).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
