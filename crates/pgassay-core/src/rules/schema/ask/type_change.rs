//! Another type for a column of a table that is in use: what `check` advises instead of ALTER COLUMN … TYPE.

use crate::effect::WorkKind;
use crate::finding::Advice;
use crate::history::{self, Options};
use crate::migration::Migration;
use crate::rules::context::RunContext;
use crate::rules::migration::advice;
use crate::rules::schema::SchemaContext;
use crate::schema::{Column, Relation};
use crate::source::{SourceFile, Sources};

/// The way to give a column another type while others work; none where the server changes it in an instant.
pub(in crate::rules::schema) fn advice(
    context: &SchemaContext,
    table: &Relation,
    column: &Column,
    data_type: &str,
) -> Option<Advice> {
    let sql = format!("ALTER TABLE {} ALTER COLUMN {} TYPE {data_type};", table.name, column.name);
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("another type", sql.as_str()));
    let units = history::read(&[Migration::plain("another type", file, sql.len())], &sources, true);
    let options = Options { version: context.version, one_deploy: false, older_steps: false };
    let mut found = None;
    history::replay(&units, context.schema.clone(), options, |run| {
        let seen = RunContext { run: &run, sources: &sources, options: context.options, live: None };
        let rewrite = seen.steps().find_map(|step| {
            let work = step.shared_work().find(|work| work.kind == WorkKind::Rewrite)?;
            Some(advice::instead_of(&step, work))
        });
        found = rewrite;
    });
    found
}
