//! `pgassay mcp`: what a coding agent asks before it ships a change of a schema.
//!
//! In: calls of tools, over standard input and output. Out: short structured answers that also say what was not looked at. Reads files below
//! the roots; writes none, connects to no database and runs no SQL.

mod answer;
mod check;
mod intent;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt, tool, tool_handler, tool_router};
use serde_json::Value;

use crate::project::Setup;
use answer::Desk;

/// Finds out what a folder's configuration says, from within it.
pub type Opener = Box<dyn Fn(&Path) -> anyhow::Result<Setup> + Send>;

/// Serves one agent until it closes the pipe. Only files below the roots are read; the first root is where questions start.
pub async fn serve(opener: Opener, roots: Vec<PathBuf>) -> anyhow::Result<()> {
    let desk = Arc::new(Mutex::new(Desk { opener, roots }));
    let server = Server { desk, tool_router: Server::tool_router() };
    server.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}

#[derive(Clone)]
struct Server {
    desk: Arc<Mutex<Desk>>,
    tool_router: ToolRouter<Server>,
}

impl Server {
    /// An answer, or why there is none. One question at a time: a question reads from its project's folder.
    fn ask(&self, work: impl FnOnce(&Desk) -> anyhow::Result<Value>) -> CallToolResult {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        match work(&desk) {
            Ok(answer) => CallToolResult::structured(answer),
            Err(error) => CallToolResult::error(vec![ContentBlock::text(format!("{error:#}"))]),
        }
    }
}

#[tool_router(router = tool_router)]
impl Server {
    /// Judge a migration against the project's migration history before writing or committing it: locks that block reads or writes, table
    /// rewrites, statements that will fail, clients that break, data that is lost; each with what to do instead. Give `sql` for a migration
    /// that is not written yet (with `path`, where it will be written, so that the migration tool's rules hold), or `files` that exist.
    #[tool(annotations(title = "Check a migration", read_only_hint = true, open_world_hint = false))]
    async fn check_migration(&self, Parameters(question): Parameters<check::Check>) -> CallToolResult {
        self.ask(|desk| check::check(desk, question))
    }

    /// Say what SQL statements would do to this project's database: every lock with the statements that wait for it, rewrites, scans and
    /// index builds, ways to fail, and what clients lose. Nothing is run.
    #[tool(annotations(title = "Explain statements", read_only_hint = true, open_world_hint = false))]
    async fn explain_statement(&self, Parameters(question): Parameters<check::Explain>) -> CallToolResult {
        self.ask(|desk| check::explain(desk, question))
    }

    /// Get the safe way for an intended change, as ordered steps with the transaction and deploy that each needs: rename or drop a column or
    /// table, make a column NOT NULL, change a type, add a column, foreign key, index, unique constraint or check.
    #[tool(annotations(title = "Plan a change", read_only_hint = true, open_world_hint = false))]
    async fn safe_plan(&self, Parameters(question): Parameters<intent::Intent>) -> CallToolResult {
        self.ask(|desk| intent::plan(desk, question))
    }

    /// The schema that the project's migrations make: the list of relations, or one table with its columns, constraints, indexes and where
    /// each is defined; at the end of the history, or after a given file.
    #[tool(annotations(title = "Read the schema", read_only_hint = true, open_world_hint = false))]
    async fn schema_at(&self, Parameters(question): Parameters<schema::SchemaAt>) -> CallToolResult {
        self.ask(|desk| schema::schema_at(desk, question))
    }

    /// Audit one table as it is: missing keys and indexes, nullable columns without meaning, JSON without a shape, wrong types, money and
    /// personal data without a guard.
    #[tool(annotations(title = "Audit a table", read_only_hint = true, open_world_hint = false))]
    async fn audit_table(&self, Parameters(question): Parameters<schema::Audit>) -> CallToolResult {
        self.ask(|desk| schema::audit(desk, question))
    }

    /// Read a query plan, the output of EXPLAIN in text or JSON: what is slow or estimated wrongly, and what to do about it.
    #[tool(annotations(title = "Read a plan", read_only_hint = true, open_world_hint = false))]
    async fn read_plan(&self, Parameters(question): Parameters<schema::ReadPlan>) -> CallToolResult {
        self.ask(|_| schema::read_plan(&question))
    }

    /// List the rules, or explain one with an example that fires and a close one that does not.
    #[tool(annotations(title = "Rules", read_only_hint = true, open_world_hint = false))]
    async fn rules(&self, Parameters(question): Parameters<schema::Rules>) -> CallToolResult {
        self.ask(|_| schema::rules(&question))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("pgassay", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "Judges changes of PostgreSQL schemas against this project's migration history. Before you write a migration ask safe_plan; \
                 before you finish, check_migration, and fix what it calls an error. Do not write allow comments unless the user said so.",
            )
    }
}
