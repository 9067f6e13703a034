//! Runs cases on a server and observes them.

use std::collections::VecDeque;
use std::time::Duration;

use pgassay::effect::InTransactionBlock;
use pgassay::shadow::{
    Installation, Observation, Options, Server, Session, ShadowError, observe_in_block, observe_outside_block,
};

use super::cases::{Case, CaseFile};

/// No case takes long unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// Roles, a tablespace and nothing else: what cases may use that belongs to no database.
const CLUSTER_WIDE: &[&str] = &[
    "CREATE ROLE app",
    "CREATE ROLE reader",
    "SET allow_in_place_tablespaces = on",
    "CREATE TABLESPACE side LOCATION ''",
];

/// Observes all cases of the files that this version can run, in order, and hands each to `report`.
///
/// A case whose `given` or whose watching fails is reported with that error.
///
/// # Panics
/// If the server does not start, or the setup of a file fails.
pub fn observe_all(
    installation: &Installation,
    files: &[CaseFile],
    mut report: impl FnMut(&Case, Result<Observation, ShadowError>),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(async {
        let admin = server.connect("postgres").await.expect("a session");
        for sql in CLUSTER_WIDE {
            admin.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
        let mut databases = Databases { server: &server, admin, made: 0, old: VecDeque::new() };
        for file in files {
            databases.run_file(file, &mut report).await;
        }
    });
}

/// Makes databases, and drops them some time after they were last used: dropping one at once would wait for its
/// sessions to end.
struct Databases<'a> {
    server: &'a Server,
    admin: Session,
    made: usize,
    old: VecDeque<String>,
}

impl Databases<'_> {
    async fn run_file(&mut self, file: &CaseFile, report: &mut impl FnMut(&Case, Result<Observation, ShadowError>)) {
        let template = self.create("template1").await.expect("a database");
        let session = self.server.connect(&template).await.expect("a session");
        session.batch_execute(&file.setup).await.unwrap_or_else(|error| panic!("setup of {}: {error:?}", file.name));
        session.batch_execute("ANALYZE").await.expect("statistics");
        session.close().await;
        self.old.retain(|name| *name != template);
        let shared = self.create(&template).await.expect("a database");
        self.old.retain(|name| *name != shared);
        let major = self.server.installation().major();
        for case in file.cases.iter().filter(|case| case.requires.contains(&major)) {
            report(case, self.observe(case, &template, &shared).await);
        }
        self.old.extend([shared, template]);
    }

    async fn observe(&mut self, case: &Case, template: &str, shared: &str) -> Result<Observation, ShadowError> {
        let database = if leaves_nothing(&case.given) { shared.to_owned() } else { self.create(template).await? };
        let session = self.server.connect(&database).await?;
        for given in &case.given {
            session.batch_execute(given).await?;
        }
        let in_block = observe_in_block(&session, &case.run, LIMIT).await?;
        session.close().await;
        let allowed = in_block.effect.in_transaction_block;
        if allowed == InTransactionBlock::Allowed && !case.outside_block {
            return Ok(in_block);
        }
        let database = self.create(template).await?;
        let mut outside = observe_outside_block(self.server, &database, &case.given, &case.run, LIMIT).await?;
        outside.effect.in_transaction_block = allowed;
        Ok(outside)
    }

    async fn create(&mut self, template: &str) -> Result<String, ShadowError> {
        if self.old.len() > 8
            && let Some(name) = self.old.pop_front()
        {
            self.admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        self.made += 1;
        let name = format!("case_{}", self.made);
        // With durability off, copying files takes half the time of copying through the write-ahead log.
        let strategy = if self.server.installation().major() >= 15 { "STRATEGY file_copy" } else { "" };
        self.admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}")).await?;
        self.old.push_back(name.clone());
        Ok(name)
    }
}

/// Whether these statements are settings of the session, which end with it.
fn leaves_nothing(given: &[String]) -> bool {
    given.iter().flat_map(|text| text.split(';')).map(str::trim).all(|text| text.is_empty() || text.starts_with("SET "))
}
