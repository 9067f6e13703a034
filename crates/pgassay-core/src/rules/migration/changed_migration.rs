//! A migration that ran before with another content.

use crate::change::PrintedName;
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::migration::{DifferenceKind, Framework, Migration};
use crate::rules::{Example, Rule};
use crate::source::Span;

pub static RULE: Rule = Rule {
    name: "changed-migration",
    category: Category::Failing,
    severity: Severity::Error,
    summary: "A migration that was there before has another content now: tools refuse it, or never run the difference",
    explanation: "A database that ran the migration keeps what the old content made. Flyway, sqlx, refinery and Liquibase compare a checksum and refuse to go on (an \
        error); the other tools go by the name and never look at it again (a warning), so that old databases and new ones differ from then on. Restore the file, and write the \
        difference as a migration of its own. Looked for with --since and --staged. Flyway's repeatable migrations and Liquibase's runOnChange changesets are \
        meant to change.",
    fires: Example {
        given: "",
        migration: "-- V1__orders.sql ran as CREATE TABLE orders (id bigint PRIMARY KEY); on this branch it says\n\
            CREATE TABLE orders (id bigint PRIMARY KEY, note text);",
    },
    quiet: Example {
        given: "",
        migration: "-- V1__orders.sql stays as it ran; V2__order_note.sql is new\nALTER TABLE orders ADD COLUMN note text;",
    },
};

/// What a tool does about a migration that it ran with another content.
struct Answer {
    severity: Severity,
    text: &'static str,
    /// Its checksum is over the bytes: a comment or a blank makes another file of it.
    counts_layout: bool,
}

const SILENT: Answer = Answer { severity: Severity::Warning, text: "", counts_layout: false };

fn answer(framework: Framework) -> Answer {
    let refuses = |text| Answer { severity: Severity::Error, text, counts_layout: true };
    let warns = |text| Answer { text, counts_layout: true, ..SILENT };
    match framework {
        Framework::Flyway => refuses("Flyway refuses to migrate: migration checksum mismatch"),
        Framework::Sqlx => refuses("sqlx refuses to migrate: it was previously applied but has been modified"),
        Framework::Refinery => refuses("refinery refuses to migrate: the applied migration is different"),
        Framework::Liquibase => Answer {
            counts_layout: false,
            ..refuses("Liquibase refuses to update: validation failed, its checksum was another")
        },
        Framework::Postgrator => refuses("postgrator refuses to migrate: its MD5 checksum was another"),
        Framework::PostgresMigrations => refuses("postgres-migrations refuses to migrate: its hash was another"),
        Framework::Play => {
            refuses("Play takes it for another evolution: it goes back over all from there on, and forth")
        }
        Framework::Prisma => warns("prisma migrate deploy warns and does not run it again; migrate dev wants to reset"),
        Framework::Atlas => warns("Atlas refuses the folder until atlas.sum is made anew, and does not run it again"),
        _ => SILENT,
    }
}

/// What the rule says of a difference; nothing where it is one of layout only and the tool does not mind.
/// `against` names what it was compared with.
pub fn finding(migration: &Migration, span: Span, kind: &DifferenceKind, against: &str) -> Option<Finding> {
    let answer = answer(migration.framework);
    if *kind == DifferenceKind::Layout && !answer.counts_layout {
        return None;
    }
    let mut finding = match kind {
        DifferenceKind::Content => RULE.finding(span, format!("{} differs from what ran before", migration.name)),
        DifferenceKind::Layout => {
            RULE.finding(span, format!("{} has other white space or comments than when it ran", migration.name))
        }
        DifferenceKind::Renamed { from } => RULE.finding(span, format!("{} was called {from} before", migration.name)),
    };
    let consequence = match kind {
        DifferenceKind::Renamed { .. } => renamed(migration.framework),
        _ if answer.text.is_empty() => silent(migration.framework),
        _ => answer.text.to_owned(),
    };
    finding.severity = match kind {
        DifferenceKind::Renamed { .. } => Severity::Warning,
        _ => answer.severity,
    };
    finding.message = format!("{}: {consequence}", finding.message);
    finding.object = Some(PrintedName::other(migration.name.as_str()));
    finding.evidence.push(Evidence::declared(format!("compared with {against}")));
    finding.advice = Advice::text(match kind {
        DifferenceKind::Content => "Restore the file, and write the difference as a new migration.",
        DifferenceKind::Layout => "Restore the file.",
        DifferenceKind::Renamed { .. } => "Give it its name back, unless no database has run it.",
    });
    Some(finding)
}

fn silent(framework: Framework) -> String {
    match framework {
        Framework::Plain => "databases that ran it keep the old content, new ones get this one".to_owned(),
        tool => format!("{tool} goes by the name and does not run it again where it ran"),
    }
}

fn renamed(framework: Framework) -> String {
    match framework {
        Framework::Plain => "what keeps count by the name runs it again".to_owned(),
        Framework::Sqitch => "the plan must still name it".to_owned(),
        tool => format!("unless its version is the same, {tool} takes it for another one, and misses the old one"),
    }
}
