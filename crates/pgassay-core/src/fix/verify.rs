//! Whether what takes a migration's place is no worse: it is judged in the place of the original.

use super::{Piece, Rewrites, Rewritten, Ways};
use crate::check::{Job, check};
use crate::finding::{Category, Finding, Severity};
use crate::migration::{Framework, Migration, Section, TransactionMode};
use crate::report::Report;
use crate::rules::migration::REQUIRED_COLUMN;
use crate::source::{SourceFile, Sources, Span};

/// The job with every rewritten migration replaced by what goes out now, and the texts of the pieces.
pub fn replaced(job: &Job, rewrites: &[&Rewritten], sources: &Sources) -> (Job, Sources) {
    let mut sources = sources.clone();
    let mut migrations = Vec::new();
    for (at, migration) in job.migrations.iter().enumerate() {
        match rewrites.iter().find(|it| it.migration == at) {
            None => migrations.push(migration.clone()),
            Some(own) => migrations.extend(own.pieces.iter().map(|piece| as_migration(migration, piece, &mut sources))),
        }
    }
    (Job { migrations, ..job.clone() }, sources)
}

fn as_migration(of: &Migration, piece: &Piece, sources: &mut Sources) -> Migration {
    let ways = Ways::of(of);
    let text = if ways.in_file {
        super::text::in_one_file(Framework::Plain, std::slice::from_ref(piece))
    } else {
        piece.statements.iter().map(|it| format!("{it};\n")).collect()
    };
    let usual = of.sections.first().map_or(TransactionMode::Wrapped, |section| section.transaction);
    let transaction = match (of.framework, piece.alone) {
        _ if ways.in_file => TransactionMode::None,
        (Framework::Goose | Framework::SqlMigrate | Framework::Tern | Framework::Yoyo, true) => TransactionMode::None,
        (_, true) if piece.statements.len() > 1 => usual,
        (_, true) => TransactionMode::OneString,
        (Framework::Prisma | Framework::GolangMigrate | Framework::Postgrator | Framework::Supabase, false) => {
            TransactionMode::OneString
        }
        // The file's own marker took it out of the tool's transaction.
        (_, false) if !usual.is_opened_by_tool() => TransactionMode::Wrapped,
        (_, false) => usual,
    };
    let length = text.len();
    let file = sources.add(SourceFile::new(of.path.display().to_string(), text));
    let span = Span::new(file, 0, length);
    Migration { file, sections: vec![Section { span, transaction, conditional: false }], ..of.clone() }
}

/// Takes back the rewriting of every migration that fails in its new form, or has more that blocks; the rest is judged anew.
pub fn verified(job: &Job, before: &Report, rewrites: &mut Rewrites, sources: &Sources) -> Report {
    loop {
        let chosen: Vec<&Rewritten> = rewrites.rewritten.iter().collect();
        let (job_after, texts) = replaced(job, &chosen, sources);
        let after = check(&job_after, &texts);
        if let Some((at, why)) = needed_now(job, before, &after, rewrites, (sources, &texts)) {
            leave(rewrites, at, &why);
            continue;
        }
        let worse = rewrites.rewritten.iter().position(|own| {
            job.migrations.get(own.migration).is_some_and(|migration| {
                let name = migration.path.display().to_string();
                let more = |is_one: &dyn Fn(&Finding) -> bool| {
                    count(&after, &texts, &name, is_one) > count(before, sources, &name, is_one)
                };
                more(&|it| it.category == Category::Failing)
                    || more(&|it| it.category == Category::Blocking)
                    || more(&|it| *it.rule == REQUIRED_COLUMN)
            })
        });
        let Some(at) = worse else { return after };
        if let Some((pieces, later)) = rewrites.rewritten.get_mut(at).and_then(|own| own.patient.take()) {
            if let Some(own) = rewrites.rewritten.get_mut(at) {
                (own.pieces, own.later) = (pieces, later);
            }
            continue;
        }
        let why = rewrites.rewritten.get(at).and_then(|own| job.migrations.get(own.migration)).and_then(|migration| {
            let name = migration.path.display().to_string();
            let all = after.findings.iter().filter(|it| is_bad(it) && texts.file(it.span.file).name == name);
            let is_new = |it: &&&Finding| !before.findings.iter().any(|old| old.message == it.message);
            let mut new = all.clone().filter(|it| is_new(&it));
            new.next_back()
                .or_else(|| all.clone().next_back())
                .map(|it| format!("its steps would not run here: {}", it.message))
        });
        let why = why.unwrap_or_else(|| "its steps would not run here".to_owned());
        leave(rewrites, at, &why);
    }
}

/// Its findings stay, for a reason.
fn leave(rewrites: &mut Rewrites, at: usize, why: &str) {
    let own = rewrites.rewritten.remove(at);
    rewrites.left.extend(own.fixed.iter().map(|finding| super::Left { finding: *finding, why: why.to_owned() }));
}

/// A rewriting that lets something wait which a later migration needs at once: its place, and why it cannot be.
fn needed_now(
    job: &Job,
    before: &Report,
    after: &Report,
    rewrites: &Rewrites,
    (sources, texts): (&Sources, &Sources),
) -> Option<(usize, String)> {
    let fails = |it: &&Finding| it.severity == Severity::Error && it.category == Category::Failing;
    let known: Vec<&str> = before.findings.iter().filter(fails).map(|it| it.message.as_str()).collect();
    for failure in after.findings.iter().filter(fails).filter(|it| !known.contains(&it.message.as_str())) {
        let name = &texts.file(failure.span.file).name;
        let fails_at = job.migrations.iter().position(|migration| migration.path.display().to_string() == *name)?;
        let earlier = |own: &(usize, &Rewritten)| own.1.migration < fails_at && !own.1.later.is_empty();
        for (at, _) in rewrites.rewritten.iter().enumerate().filter(earlier) {
            let others = rewrites.rewritten.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, own)| own);
            let (job, texts) = replaced(job, &others.collect::<Vec<_>>(), sources);
            let without = check(&job, &texts);
            if !without.findings.iter().filter(fails).any(|it| it.message == failure.message) {
                return Some((at, format!("a later migration needs what it does: {}: {}", name, failure.message)));
            }
        }
    }
    None
}

/// Errors that no clients' code is the answer to, and rows of theirs that would be refused sooner than the original refuses them.
fn is_bad(finding: &Finding) -> bool {
    finding.severity == Severity::Error
        && (matches!(finding.category, Category::Failing | Category::Blocking) || *finding.rule == REQUIRED_COLUMN)
}

fn count(report: &Report, sources: &Sources, name: &str, is_one: &dyn Fn(&Finding) -> bool) -> usize {
    let errors = report.findings.iter().filter(|it| it.severity == Severity::Error && is_one(it));
    errors.filter(|it| sources.file(it.span.file).name == name).count()
}
