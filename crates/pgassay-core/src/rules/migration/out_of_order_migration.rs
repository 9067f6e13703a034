//! A new migration that sorts before one that ran.

use crate::change::PrintedName;
use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::migration::{Age, Direction, Framework, Migration};
use crate::rules::{Example, Rule};
use crate::source::Span;

pub static RULE: Rule = Rule {
    name: "out-of-order-migration",
    category: Category::Failing,
    severity: Severity::Warning,
    summary: "A new migration sorts before one that ran: tools skip it, refuse it, or run it late",
    explanation: "It happens when two branches add migrations and the later name is merged first. golang-migrate and Drizzle only go forward from where a \
        database is and never run it; Flyway, refinery, goose, Atlas, Supabase, Sqitch and node-pg-migrate refuse (both are errors); the others run it after the ones \
        that follow it, so that databases get the same changes in different orders. Name it anew, behind the last one. Looked for with --since and --staged.",
    fires: Example {
        given: "",
        migration: "-- 0041_note.sql is new, and 0042_total.sql ran before\nALTER TABLE orders ADD COLUMN note text;",
    },
    quiet: Example {
        given: "",
        migration: "-- 0043_note.sql is new, and 0042_total.sql ran before\nALTER TABLE orders ADD COLUMN note text;",
    },
};

/// What the tool does with it; `None` where order is not its concern.
fn answer(framework: Framework) -> Option<(Severity, &'static str)> {
    let skips = (Severity::Error, "never runs it where the later one ran");
    let refuses = (Severity::Error, "refuses to migrate where the later one ran");
    let runs = (Severity::Warning, "runs it after the later one where that one ran, and before it elsewhere");
    match framework {
        Framework::GolangMigrate
        | Framework::Drizzle
        | Framework::Mybatis
        | Framework::Shmig
        | Framework::Postgrator => Some(skips),
        Framework::Flyway
        | Framework::Refinery
        | Framework::Goose
        | Framework::Atlas
        | Framework::Supabase
        | Framework::Sqitch
        | Framework::NodePgMigrate
        | Framework::Tern
        | Framework::GraphileMigrate
        | Framework::PostgresMigrations
        | Framework::Rambler => Some(refuses),
        Framework::Sqlx
        | Framework::Diesel
        | Framework::Prisma
        | Framework::Dbmate
        | Framework::SqlMigrate
        | Framework::Hasura
        | Framework::Liquibase
        | Framework::DbMigrate
        | Framework::Yoyo
        | Framework::Pop => Some(runs),
        // A number in between is another text of that number: it goes back over what comes after, and forth again.
        Framework::Play => Some((Severity::Error, "goes back over the later one where that one ran")),
        Framework::Plain => Some((Severity::Warning, "")),
        Framework::StructureSql => None,
    }
}

/// What the rule says of one history, in the order in which it runs on an empty database.
pub fn check(history: &[Migration]) -> Vec<Finding> {
    let is_counted = |migration: &&Migration| migration.direction == Direction::Up && !is_unordered(migration);
    let up: Vec<&Migration> = history.iter().filter(is_counted).collect();
    let last_old = up.iter().rposition(|migration| migration.age != Age::New);
    let Some((last_old, later)) = last_old.and_then(|at| Some((at, *up.get(at)?))) else { return Vec::new() };
    let new = up[..last_old].iter().filter(|migration| migration.age == Age::New);
    new.filter_map(|migration| finding(migration, later)).collect()
}

/// Flyway's repeatable migrations and refinery's unversioned ones have no place among the others.
fn is_unordered(migration: &Migration) -> bool {
    match migration.framework {
        Framework::Flyway => migration.name.starts_with("R__"),
        Framework::Refinery => migration.name.starts_with('U'),
        _ => false,
    }
}

fn finding(migration: &Migration, later: &Migration) -> Option<Finding> {
    let (severity, text) = answer(migration.framework)?;
    let consequence = match migration.framework {
        Framework::Plain => "databases that ran that one get it late, or never".to_owned(),
        tool => format!("{tool} {text}"),
    };
    let start = migration.sections.first().map_or(0, |section| section.span.start as usize);
    let mut finding = RULE.finding(
        Span::new(migration.file, start, start),
        format!("{} is new and sorts before {}, which is not: {consequence}", migration.name, later.name),
    );
    finding.severity = severity;
    finding.object = Some(PrintedName::other(migration.name.as_str()));
    finding.evidence.push(Evidence::declared(format!("{} was there before", later.path.display())));
    finding.advice = Advice::text(format!("Give it a name that sorts after {}.", later.name));
    Some(finding)
}
