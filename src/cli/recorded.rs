//! `check --run`: the shadow server, the command on it, and the migrations of the recording.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use pgassay::collect::{Note, changed};
use pgassay::git::Scope;
use pgassay::migration::{Difference, Migration};
use pgassay::run::{Made, RunOptions, record};
use pgassay::shadow::{Options, SUPERUSER, Server, installed};
use pgassay::source::Sources;
use pgassay::version::PgVersion;

#[derive(Debug, Args)]
pub struct RunArguments {
    /// How long the command of --run may take
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    run_timeout: u64,
}

/// The database that the command is given.
const DATABASE: &str = "pgassay";

impl RunArguments {
    /// Runs the command on a throwaway server that has what the base makes; its migrations in the order in which they ran.
    pub fn record(
        &self,
        command: &str,
        version: PgVersion,
        base: &[Migration],
        bin: Option<&Path>,
        sources: &mut Sources,
    ) -> anyhow::Result<Made> {
        let mut found = installed(bin)?;
        found.sort_by_key(|it| it.major().abs_diff(version.major()));
        let installation = found
            .into_iter()
            .next()
            .context("no PostgreSQL server is installed here, on which --run could run the command")?;
        let server = Server::start(&installation, &Options::default())?;
        super::runtime()?.block_on(prepare(&server, base, sources))?;
        let options = RunOptions {
            socket: server.socket(),
            user: SUPERUSER.to_owned(),
            database: DATABASE.to_owned(),
            limit: Duration::from_secs(self.run_timeout),
            tell: |line| say!("{line}"),
        };
        let recording = record(command, &options)?;
        Ok(recording.migrations(command, Path::new(""), sources))
    }
}

/// Makes the database, with what exists before.
async fn prepare(server: &Server, base: &[Migration], sources: &Sources) -> anyhow::Result<()> {
    let session = server.connect(SUPERUSER).await?;
    session.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
    session.close().await;
    let session = server.connect(DATABASE).await?;
    for unit in pgassay::history::read(base, sources, false) {
        let statements = unit.scripts.iter().flat_map(|script| &script.statements);
        for statement in statements.filter(|statement| !statement.is_psql_command()) {
            let source = sources.file(statement.span.file);
            let applied = session.batch_execute(source.slice(statement.span)).await;
            applied.with_context(|| {
                let at = source.position(statement.span.start);
                format!("the base could not be built for --run: {}:{}:{}", source.name, at.line, at.column)
            })?;
        }
    }
    session.close().await;
    Ok(())
}

/// Which migrations are not judged because they come with libraries.
pub fn note_libraries(made: &Made) -> Option<Note> {
    const NAMED: usize = 3;
    let names = &made.of_libraries;
    let (count, more) = (names.len(), if names.len() > NAMED { ", …" } else { "" });
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let (subject, verb) = if count == 1 { ("migration has", "builds") } else { ("migrations have", "build") };
    let message =
        format!("{count} {subject} no source file here and only {verb} the schema, as of libraries: {first}{more}");
    (count > 0).then(|| Note { path: PathBuf::from("."), span: None, message })
}

/// Finds out which of the recorded migrations are new, by their source files.
pub fn mark(made: &mut Made, scope: &Scope) -> anyhow::Result<Vec<Difference>> {
    Ok(changed::mark_recorded(&mut made.migrations, scope)?)
}
