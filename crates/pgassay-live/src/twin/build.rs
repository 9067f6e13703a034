//! Building a twin: schema, statistics, files.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::after::{self, Inventory};
use super::carry::carry;
use super::files::{Head, Shape};
use super::locale::{self, DATABASE, refused};
use super::metapage::Heights;
use super::{TwinError, metapage, restore};
use crate::db::server_message;
use crate::facts::planner::{RelationStatistics, Statistics};
use crate::shadow::{Installation, Options, Server, Session, ShadowError};
use crate::source::{SourceFile, Sources};
use crate::sql::read_script;

/// Something of the database that the twin does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub what: String,
    pub reason: String,
}

/// A running twin. Dropping it removes it.
pub struct Twin {
    pub(super) server: Server,
    /// Where plans may be other than the database's, and why.
    pub gaps: Vec<Gap>,
    /// What pg_class says of each relation, by schema and name.
    pub(super) relations: HashMap<(String, String), RelationStatistics>,
}

impl Twin {
    /// Builds a twin from DDL and statistics. The installation should have the database's major version: planners differ.
    ///
    /// # Errors
    /// [`TwinError::Shadow`] if no server can be started, [`TwinError::BlockSize`], [`TwinError::File`]. What the twin cannot take
    /// over is no error but a [`Gap`].
    pub async fn build(installation: &Installation, ddl: &str, statistics: Statistics) -> Result<Twin, TwinError> {
        Twin::build_after(installation, ddl, &[], statistics).await
    }

    /// The twin as the database would be behind these statements, once its tables are analyzed again.
    ///
    /// # Errors
    /// As [`Twin::build`]; statements that are refused are gaps.
    pub async fn build_after(
        installation: &Installation,
        ddl: &str,
        statements: &[String],
        mut statistics: Statistics,
    ) -> Result<Twin, TwinError> {
        if statistics.block_size != super::btree::PAGE as u32 {
            return Err(TwinError::BlockSize(statistics.block_size));
        }
        let options = options();
        let mut server = Server::start(installation, &options)?;
        let mut gaps: Vec<Gap> = statistics.unread.iter().map(|what| unread(what)).collect();
        let major = statistics.version_number / 10_000;
        if u32::from(installation.major()) != major {
            let what = format!("the planner of PostgreSQL {major}");
            gaps.push(Gap { what, reason: format!("the twin runs PostgreSQL {}", installation.major()) });
        }
        gaps.extend(locale::create_database(&server, &statistics.locale).await?);
        let session = server.connect(DATABASE).await?;
        let built = fill(&session, ddl, statements, &mut statistics).await;
        session.close().await;
        let (found, shapes) = built?;
        gaps.extend(found);
        server.restart(&options, |data| shapes.iter().try_for_each(|shape| shape.write(data)))??;
        let key = |it: &RelationStatistics| ((it.schema.clone(), it.name.clone()), it.clone());
        let relations = statistics.relations.iter().map(key).collect();
        Ok(Twin { server, gaps, relations })
    }

    /// Opens a session. Only EXPLAIN makes sense in it: never ANALYZE.
    ///
    /// # Errors
    /// [`TwinError::Shadow`] if the server is gone.
    pub async fn connect(&self) -> Result<Session, TwinError> {
        Ok(self.server.connect(DATABASE).await?)
    }

    /// Opens a session that reads catalogs: no name of ours is found in a schema that the database's search_path has first.
    ///
    /// # Errors
    /// As [`Twin::connect`].
    pub async fn connect_to_read(&self) -> Result<Session, TwinError> {
        let session = self.connect().await?;
        session.batch_execute(READS_CATALOGS).await.map_err(ShadowError::from)?;
        Ok(session)
    }
}

/// For what we look up ourselves.
pub(super) const READS_CATALOGS: &str = "SET search_path = pg_catalog, pg_temp";

/// Catalogs may be written; everything the twin starts with is overridden for its database by the real one's settings.
fn options() -> Options {
    let settings = [("allow_system_table_mods", "on"), ("track_counts", "off"), ("max_wal_size", "4GB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Options { settings: settings.to_vec(), ..Options::default() }
}

fn unread(what: &str) -> Gap {
    let (what, reason) = what.split_once(": ").unwrap_or((what, "the role may not read them"));
    Gap { what: what.to_owned(), reason: reason.to_owned() }
}

async fn fill(
    session: &Session,
    ddl: &str,
    statements: &[String],
    statistics: &mut Statistics,
) -> Result<(Vec<Gap>, Vec<Shape>), TwinError> {
    let mut gaps = run_ddl(session, ddl).await?;
    if !statements.is_empty() {
        let before = Inventory::read(session).await?;
        let search_path = statistics.settings.get("search_path").map_or("public", String::as_str);
        gaps.extend(after::run(session, search_path, statements).await?);
        *statistics = carry(statistics, &before, &Inventory::read(session).await?);
    }
    let statistics = &*statistics;
    gaps.extend(restore::restore(session, statistics).await?);
    gaps.extend(settings(session, &statistics.settings).await);
    let paths = paths(session).await?;
    let here = |it: &&RelationStatistics| paths.contains_key(&(it.schema.clone(), it.name.clone()));
    let missing = statistics.relations.iter().filter(|it| !here(it));
    gaps.extend(missing.map(|it| Gap {
        what: format!("{}.{}", it.schema, it.name),
        reason: "its definition could not be run in the twin".to_owned(),
    }));
    gaps.extend(restore::sizes(session, statistics.relations.iter().filter(here)).await?);
    Ok((gaps, shapes(statistics, &paths)))
}

type Paths = BTreeMap<(String, String), Option<PathBuf>>;

/// Files of all relations, as far as they have one.
async fn paths(session: &Session) -> Result<Paths, TwinError> {
    let sql = "SELECT n.nspname::text, c.relname::text, pg_relation_filepath(c.oid)::text
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
    let rows = session.query(sql, &[]).await.map_err(|error| refused("its files", &error))?;
    Ok(rows.iter().map(|row| ((row.get(0), row.get(1)), row.get::<_, Option<String>>(2).map(PathBuf::from))).collect())
}

fn shapes(statistics: &Statistics, paths: &Paths) -> Vec<Shape> {
    let heights = Heights::of(statistics);
    let blocks: HashMap<(&str, &str), u64> =
        statistics.relations.iter().map(|it| ((it.schema.as_str(), it.name.as_str()), it.blocks)).collect();
    let shape = |it: &RelationStatistics| {
        let path = paths.get(&(it.schema.clone(), it.name.clone()))?.clone()?;
        let table = it.table.as_deref().and_then(|table| blocks.get(&(it.schema.as_str(), table)));
        let head = match it.access_method.as_deref() {
            Some("btree") => Head::BTree { height: heights.height(it) },
            Some("gin") => metapage::read(it).map_or(Head::AsItIs, Head::Gin),
            Some("brin") => Head::Brin { table_blocks: table.copied().unwrap_or_default() },
            _ => Head::AsItIs,
        };
        Some(Shape { path, blocks: it.blocks, head })
    };
    statistics.relations.iter().filter_map(shape).collect()
}

/// Runs the DDL statement by statement; what fails is a gap, unless it cannot change a plan.
async fn run_ddl(session: &Session, ddl: &str) -> Result<Vec<Gap>, TwinError> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("twin.sql", ddl.to_owned()));
    let source = sources.file(file);
    let script = read_script(file, source);
    let mut gaps = Vec::new();
    for statement in &script.statements {
        let text = source.slice(statement.span);
        if let Err(error) = session.batch_execute(text).await {
            let (code, reason) = server_message(&error);
            match code.as_deref() {
                None => return Err(refused("its schema", &error)),
                // A role that is not here: owners and privileges do not change plans.
                // Or one that the server began with.
                Some("42704" | "42710") if reason.starts_with("role ") => {}
                Some(_) => {
                    let what = text.lines().next().unwrap_or_default().chars().take(80).collect();
                    gaps.push(Gap { what, reason });
                }
            }
        }
    }
    Ok(gaps)
}

/// The database's settings, where this version knows them.
async fn settings(session: &Session, settings: &BTreeMap<String, String>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (name, value) in settings {
        // A list of schemas is written as it is shown.
        let written = if name == "search_path" { value.clone() } else { crate::text::quoting::literal(value) };
        let sql = format!("ALTER DATABASE {DATABASE} SET {} = {written}", restore::identifier(name));
        if let Err(error) = session.batch_execute(&sql).await {
            let (_, reason) = server_message(&error);
            gaps.push(Gap { what: format!("the setting {name} = {value}"), reason });
        }
    }
    gaps
}
