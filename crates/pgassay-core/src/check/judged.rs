//! A migration judged after another, for the tests beside this file.

use super::{Job, check};
use crate::history::Completeness;
use crate::migration::Migration;
use crate::report::Report;
use crate::source::{FileId, SourceFile, Sources};

/// What is said of a migration, which has its timeouts, after `given`; with its file.
pub(super) fn judged(given: &str, migration: &str) -> (Report, Sources, FileId) {
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let base = vec![plain("given.sql", given)];
    let migrations = vec![plain("migration.sql", &format!("SET lock_timeout = '2s'; {migration}"))];
    let file = migrations[0].file;
    let job = Job { base, migrations, completeness: Completeness::Complete, ..Job::default() };
    (check(&job, &sources), sources, file)
}
