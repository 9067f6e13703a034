//! Migrations to statements.

use rayon::prelude::*;

use super::Unit;
use crate::migration::Migration;
use crate::source::Sources;
use crate::sql::read_section;

/// Parses the sections of migrations, in parallel.
pub fn read(migrations: &[Migration], sources: &Sources, judged: bool) -> Vec<Unit> {
    let unit = |migration: &Migration| {
        let source = sources.file(migration.file);
        let scripts = migration.sections.iter().map(|section| read_section(source, section.span)).collect();
        Unit { migration: migration.clone(), scripts, judged: judged && migration.is_judged() }
    };
    migrations.par_iter().map(unit).collect()
}
