//! Whether what takes a migration's place is no worse: it is judged in the place of the original.

use super::walk::settle;
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

pub(super) fn as_migration(of: &Migration, piece: &Piece, sources: &mut Sources) -> Migration {
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

/// The report of the job with the rewritings that hold.
pub fn verified(job: &Job, before: &Report, rewrites: &mut Rewrites, sources: &Sources) -> Report {
    settle(job, before, rewrites, sources);
    let chosen: Vec<&Rewritten> = rewrites.rewritten.iter().collect();
    let (job_after, texts) = replaced(job, &chosen, sources);
    check(&job_after, &texts)
}

/// Its findings stay, for a reason.
pub(super) fn leave(rewrites: &mut Rewrites, at: usize, why: &str) {
    let own = rewrites.rewritten.remove(at);
    rewrites.left.extend(own.fixed.iter().map(|finding| super::Left { finding: *finding, why: why.to_owned() }));
}

/// Errors that no clients' code is the answer to, and rows of theirs that would be refused sooner than the original refuses them.
pub(super) fn is_bad(finding: &Finding) -> bool {
    finding.severity == Severity::Error
        && (matches!(finding.category, Category::Failing | Category::Blocking) || *finding.rule == REQUIRED_COLUMN)
}
