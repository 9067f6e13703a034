//! Where a shadow database stands: on a throwaway server of ours, or on one that the user names.
//!
//! In: [`Place`] and the version wanted. Out: databases that are gone afterwards.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use super::ProveError;
use crate::shadow::{Access, Installation, Options, Server, Session, installed};
use crate::version::PgVersion;

/// What marks a database as one of ours: others are never dropped.
const MARK: &str = "pgassay shadow: will be dropped";

/// A database without sessions is left over when it is older than this, in seconds.
const LEFT_OVER: u64 = 60;

/// What a session must not depend on: workers' scans are not counted in the session that is watched.
const SETTINGS: &[(&str, &str)] = &[
    ("max_parallel_workers_per_gather", "0"),
    ("max_parallel_maintenance_workers", "0"),
    ("jit", "off"),
    ("timezone", "UTC"),
];

/// Where to look for a server.
#[derive(Clone, Default)]
pub struct Place {
    /// The folder of initdb and postgres; found otherwise.
    pub bin: Option<PathBuf>,
    /// A server where databases can be made, instead of a throwaway one.
    pub url: Option<String>,
}

/// A server with room for shadow databases.
pub struct Ground {
    access: Access,
    major: u16,
    version: String,
    cleanup: Cleanup,
    made: usize,
    /// Ours, if it is; dropped last.
    _server: Option<Server>,
}

impl Ground {
    /// Starts a server, or reaches the one named.
    ///
    /// # Errors
    /// [`ProveError`] if there is none, or it may not make databases.
    pub async fn start(place: &Place, version: PgVersion) -> Result<Ground, ProveError> {
        match &place.url {
            Some(url) => Ground::foreign(url).await,
            None => {
                let installation = choose(installed(place.bin.as_deref())?, version)?;
                let server = Server::start(&installation, &Options::default())?;
                Ok(Ground {
                    access: server.access(),
                    major: installation.major(),
                    version: installation.version().to_owned(),
                    cleanup: Cleanup::default(),
                    made: 0,
                    _server: Some(server),
                })
            }
        }
    }

    async fn foreign(url: &str) -> Result<Ground, ProveError> {
        let access = Access::from_url(url)?;
        let admin = access.connect(&access.database()).await?;
        let number: u32 = value(&admin, "SHOW server_version_num").await?.parse().unwrap_or(0);
        let version = value(&admin, "SHOW server_version").await?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        sweep(&admin).await?;
        admin.close().await;
        let cleanup = Cleanup { access: Some(access.clone()), ..Cleanup::default() };
        Ok(Ground { access, major: (number / 10_000) as u16, version, cleanup, made: 0, _server: None })
    }

    pub fn access(&self) -> &Access {
        &self.access
    }

    pub fn major(&self) -> u16 {
        self.major
    }

    /// `15.10`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether others use the server too: what belongs to no database is not touched there.
    pub fn is_foreign(&self) -> bool {
        self.cleanup.access.is_some()
    }

    /// What has to go when the process is told to end.
    pub fn cleanup(&self) -> Cleanup {
        self.cleanup.clone()
    }

    /// Makes an empty database, and returns its name.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] with the server's refusal.
    pub async fn create_database(&mut self) -> Result<String, ProveError> {
        let admin = self.access.connect(&self.access.database()).await?;
        self.made += 1;
        let name = format!("pgassay_shadow_{}_{}_{}", now(), std::process::id(), self.made);
        // Noted before it is there: told to end in between, we drop what may not be there yet.
        self.cleanup.note(&name);
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        admin.batch_execute(&format!("COMMENT ON DATABASE {name} IS '{MARK}'")).await?;
        for (setting, value) in SETTINGS {
            admin.batch_execute(&format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await?;
        }
        admin.close().await;
        Ok(name)
    }

    /// A role that migrations name and that is not there.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] with the server's refusal.
    pub async fn create_role(&mut self, name: &str) -> Result<(), ProveError> {
        let admin = self.access.connect(&self.access.database()).await?;
        let quoted = quote(name);
        admin.batch_execute(&format!("CREATE ROLE {quoted}")).await?;
        self.cleanup.note_role(&quoted);
        admin.close().await;
        Ok(())
    }

    /// Drops what was made.
    pub async fn end(&mut self) {
        self.cleanup.drop_all().await;
    }
}

/// The databases and roles that were made on a server of others.
#[derive(Clone, Default)]
pub struct Cleanup {
    /// `None` on a server of ours, which goes as a whole.
    access: Option<Access>,
    made: Arc<Mutex<Made>>,
    /// Who comes second waits until the first has dropped everything.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Made {
    databases: Vec<String>,
    roles: Vec<String>,
}

impl Cleanup {
    fn note(&self, database: &str) {
        if let Ok(mut made) = self.made.lock() {
            made.databases.push(database.to_owned());
        }
    }

    fn note_role(&self, role: &str) {
        if let Ok(mut made) = self.made.lock() {
            made.roles.push(role.to_owned());
        }
    }

    /// Whether anything would stay if the process just ended.
    pub fn is_needed(&self) -> bool {
        self.access.is_some()
    }

    /// Drops every database and role that was noted. What cannot be dropped stays for a later run to sweep away.
    pub async fn drop_all(&self) {
        let Some(access) = &self.access else { return };
        let _turn = self.turn.lock().await;
        let Ok(made) = self.made.lock().map(|mut made| std::mem::take(&mut *made)) else { return };
        if made.databases.is_empty() {
            return;
        }
        let Ok(admin) = access.connect(&access.database()).await else { return };
        for database in &made.databases {
            let _ = admin.batch_execute(&drop(database)).await;
        }
        for role in &made.roles {
            let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await;
        }
        admin.close().await;
    }
}

fn drop(database: &str) -> String {
    format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote(database))
}

/// Drops databases of runs that were killed; one without our mark is left alone.
async fn sweep(admin: &Session) -> Result<(), ProveError> {
    let sql = "SELECT datname::text FROM pg_catalog.pg_database d
                WHERE pg_catalog.shobj_description(oid, 'pg_database') = $1
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)";
    for row in admin.query(sql, &[&MARK]).await? {
        let name: String = row.get(0);
        let made: Option<u64> = name.split('_').nth(2).and_then(|text| text.parse().ok());
        if made.is_some_and(|made| made + LEFT_OVER < now()) {
            admin.batch_execute(&drop(&name)).await?;
        }
    }
    Ok(())
}

async fn value(session: &Session, sql: &str) -> Result<String, ProveError> {
    let row = session.query_one(sql, &[]).await?;
    Ok(row.try_get(0)?)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// An identifier in double quotes.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The version asked for; else the next newer one; else the newest.
fn choose(mut found: Vec<Installation>, version: PgVersion) -> Result<Installation, ProveError> {
    found.retain(|server| server.major() >= PgVersion::OLDEST.major());
    let at = found.iter().position(|server| server.major() >= version.major());
    match at {
        Some(at) => Ok(found.swap_remove(at)),
        None => found.pop().ok_or(ProveError::Shadow(crate::shadow::ShadowError::NoServer)),
    }
}
