//! Migrations to statements.

use rayon::prelude::*;

use super::Unit;
use crate::migration::{Migration, Section};
use crate::source::{Sources, Span};
use crate::sql::{Script, Sender, read_section};

/// Parses the sections of migrations, in parallel.
pub fn read(migrations: &[Migration], sources: &Sources, judged: bool) -> Vec<Unit> {
    let unit = |migration: &Migration| {
        let script = |section: &Section| {
            let mut script = script(migration, section.span, sources);
            script.statements.iter_mut().for_each(|statement| statement.conditional |= section.conditional);
            script
        };
        let scripts = migration.sections.iter().map(script).collect();
        Unit { migration: migration.clone(), scripts, judged: judged && migration.is_judged() }
    };
    migrations.par_iter().map(unit).collect()
}

/// A part of a file, with the statements of the files that it includes in their place.
fn script(migration: &Migration, part: Span, sources: &Sources) -> Script {
    let sender = match migration.framework {
        tool if tool.uses_psql() => Sender::Psql,
        tool if tool.sends_copy_data() => Sender::CopyData,
        _ => Sender::Plain,
    };
    let mut script = read_section(sources.file(part.file), part, sender);
    // The last one first: what is put in moves what comes behind it.
    for include in std::mem::take(&mut script.includes).into_iter().rev() {
        let Some(found) = migration.included.iter().find(|included| included.command == include.command) else {
            continue;
        };
        let whole = Span::new(found.file, 0, sources.file(found.file).text.len());
        let mut inner = self::script(migration, whole, sources);
        let conditional = script.statements.get(include.statement).is_some_and(|command| command.conditional);
        inner.statements.iter_mut().for_each(|statement| statement.conditional |= conditional);
        script.statements.splice(include.statement..=include.statement, inner.statements);
        script.comments.extend(inner.comments);
        script.meta_commands.extend(inner.meta_commands);
    }
    script
}
