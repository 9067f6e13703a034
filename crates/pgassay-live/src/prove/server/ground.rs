//! Where a shadow database stands: on a throwaway server of ours, or on one that the user names.
//!
//! In: [`Place`] and the version wanted. Out: databases that are gone afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::cleanup::{Cleanup, ROLE_MARK, drop_database, remove_database, role_mark, sweep_roles};
use super::shared::{Shared, changed, shared};
use crate::prove::ProveError;
use crate::shadow::{Access, Confinement, Installation, Options, Server, Session, installed, refusal};
use crate::version::PgVersion;

/// What marks a database as one of ours: others are never dropped.
const MARK: &str = "pgassay shadow: will be dropped";

/// The same from the moment that a database is there: its comment comes a moment later.
const MARKED_LIMIT: u32 = 7261;

/// A database without sessions is left over when it is older than this, in seconds.
const LEFT_OVER: u64 = 60;

/// What a session must not depend on: workers' scans are not counted in the session that is watched.
const SETTINGS: &[(&str, &str)] = &[
    ("max_parallel_workers_per_gather", "0"),
    ("max_parallel_maintenance_workers", "0"),
    ("jit", "off"),
    // Not UTC, where timestamp and timestamptz have the same bytes: nothing is known of the zone of other servers.
    ("timezone", "<+01>-01"),
];

/// Where to look for a server.
#[derive(Clone, Default)]
pub struct Place {
    /// The folder of initdb and postgres; found otherwise.
    pub bin: Option<PathBuf>,
    /// A server where databases can be made, instead of a throwaway one.
    pub url: Option<String>,
    /// The role there may be a superuser.
    pub superuser: bool,
    /// The program that drops what is left there if this process is killed: see [`guard`](crate::prove::guard).
    pub guard: Option<PathBuf>,
}

/// A server with room for shadow databases.
pub struct Ground {
    access: Access,
    major: u16,
    version: String,
    cleanup: Cleanup,
    /// What the databases of a server of others shared before; `None` on ours.
    before: Option<Shared>,
    /// The one in use.
    database: Option<String>,
    /// Ours, if it is; dropped last.
    server: Option<Server>,
}

impl Ground {
    /// Starts a server, or reaches the one named.
    ///
    /// # Errors
    /// [`ProveError`] if there is none, or it may not make databases.
    pub async fn start(place: &Place, version: PgVersion) -> Result<Ground, ProveError> {
        match &place.url {
            Some(url) => Ground::foreign(url, place.superuser, place.guard.as_deref()).await,
            None => {
                let installation = choose(installed(place.bin.as_deref())?, version)?;
                let server = Server::start(&installation, &Options::default())?;
                Ok(Ground {
                    access: server.access(),
                    major: installation.major(),
                    version: installation.version().to_owned(),
                    cleanup: Cleanup::default(),
                    before: None,
                    database: None,
                    server: Some(server),
                })
            }
        }
    }

    async fn foreign(url: &str, superuser: bool, guard: Option<&Path>) -> Result<Ground, ProveError> {
        let access = Access::from_url(url)?.named(&unique("pgassay_shadow"));
        let admin = access.connect(&access.database()).await?;
        if !superuser && value(&admin, "SHOW is_superuser").await? == "on" {
            let role = value(&admin, "SELECT session_user::text").await?;
            return Err(ProveError::Superuser(role));
        }
        let number: u32 = value(&admin, "SHOW server_version_num").await?.parse().unwrap_or(0);
        let version = value(&admin, "SHOW server_version").await?;
        let version = version.split_whitespace().next().unwrap_or_default().to_owned();
        sweep(&admin).await?;
        let before = Some(shared(&admin).await?);
        admin.close().await;
        let cleanup = Cleanup::new(access.clone(), url, guard);
        Ok(Ground { access, major: (number / 10_000) as u16, version, cleanup, before, database: None, server: None })
    }

    /// A plain word where whoever writes the migrations may do on this machine what the server's user may.
    pub fn unconfined(&self) -> Option<String> {
        let (confinement, hindrances) = self.server.as_ref()?.confinement();
        let why = hindrances.join("; ");
        (confinement == Confinement::Nothing)
            .then(|| format!("the server is not kept from this machine's files and programs ({why}): prove only migrations of people who may use it"))
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
        self.cleanup.is_needed()
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
        self.cleanup.stop_if_told().await;
        let admin = self.access.connect(&self.access.database()).await?;
        // What an earlier history needed goes now: a folder of many would fill the disk.
        if let Some(earlier) = self.database.take() {
            remove_database(&self.access, &admin, &earlier).await.map_err(ProveError::LeftBehind)?;
        }
        let name = unique("pgassay_shadow");
        // Noted before it is there: told to end in between, we drop what may not be there yet.
        self.cleanup.note(&name);
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 CONNECTION LIMIT {MARKED_LIMIT}"))
            .await?;
        admin.batch_execute(&format!("COMMENT ON DATABASE {name} IS '{MARK}'")).await?;
        for (setting, value) in SETTINGS {
            admin.batch_execute(&format!("ALTER DATABASE {name} SET {setting} = '{value}'")).await?;
        }
        admin.close().await;
        self.database = Some(name.clone());
        Ok(name)
    }

    /// A database that migrations name and that is not there, on a server of our own.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] with the server's refusal.
    pub async fn create_stand_in(&self, name: &str) -> Result<(), ProveError> {
        let admin = self.access.connect(&self.access.database()).await?;
        refusal(admin.batch_execute(&format!("CREATE DATABASE {} TEMPLATE template0", quote(name))).await)?;
        admin.close().await;
        Ok(())
    }

    /// A role that migrations name and that is not there.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] with the server's refusal.
    pub async fn create_role(&mut self, name: &str) -> Result<(), ProveError> {
        let admin = self.access.connect(&self.access.database()).await?;
        let quoted = quote(name);
        // Together, which is one transaction: a role of ours is never without its mark.
        let mark = match &self.database {
            Some(database) if self.is_foreign() => {
                format!("; COMMENT ON ROLE {quoted} IS '{}'", role_mark(database))
            }
            _ => String::new(),
        };
        match refusal(admin.batch_execute(&format!("CREATE ROLE {quoted}{mark}")).await)? {
            None => self.cleanup.note_role(&quoted),
            // Another run on this server was quicker: duplicate_object, or unique_violation while it is at it.
            Some(error) if matches!(error.code.as_str(), "42710" | "23505") => {}
            Some(error) => {
                return Err(ProveError::Refused { what: format!("the role {name}"), error: Box::new(error) });
            }
        }
        admin.close().await;
        Ok(())
    }

    /// Roles that stand in, made by this run or another one, and that something in the database rests on.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] if the server is gone.
    pub async fn stand_in_roles(&self, session: &Session) -> Result<Vec<String>, ProveError> {
        if !self.is_foreign() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT r.rolname::text FROM pg_catalog.pg_roles r
              WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE '{ROLE_MARK}%'
                AND EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_database b ON b.oid = d.dbid
                             WHERE b.datname = pg_catalog.current_database() AND d.refobjid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass)
              ORDER BY 1"
        );
        Ok(session.query(&sql, &[]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// Notes the roles that a transaction made: it sees them, and others do not yet.
    ///
    /// # Errors
    /// [`ProveError::Shadow`] if the server is gone.
    pub async fn note_roles_of(&self, session: &Session) -> Result<(), ProveError> {
        let sql = "SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles";
        let read = async |session: &Session| -> Result<BTreeSet<String>, ProveError> {
            Ok(session.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
        };
        let inside = read(session).await?;
        let admin = self.access.connect(&self.access.database()).await?;
        let outside = read(&admin).await?;
        admin.close().await;
        inside.difference(&outside).for_each(|role| self.cleanup.note_role(role));
        Ok(())
    }

    /// Drops what was made, and looks whether the rest is as it was.
    ///
    /// # Errors
    /// [`ProveError::LeftBehind`] with what is still there, [`ProveError::Changed`] with what is otherwise.
    pub async fn end(&mut self) -> Result<(), ProveError> {
        self.cleanup.stop_if_told().await;
        self.cleanup.drop_all().await.map_err(ProveError::LeftBehind)?;
        let Some(before) = self.before.take() else { return Ok(()) };
        let admin = self.access.connect(&self.access.database()).await?;
        let changed = changed(&before, &shared(&admin).await?);
        admin.close().await;
        if changed.is_empty() { Ok(()) } else { Err(ProveError::Changed(changed.join(", "))) }
    }
}

/// Drops databases of runs that were killed; one without our mark is left alone.
async fn sweep(admin: &Session) -> Result<(), ProveError> {
    let sql = format!(
        "SELECT datname::text FROM pg_catalog.pg_database d
          WHERE (pg_catalog.shobj_description(oid, 'pg_database') = '{MARK}'
                 OR datconnlimit = {MARKED_LIMIT} AND pg_catalog.shobj_description(oid, 'pg_database') IS NULL)
            AND datname ~ '^pgassay_shadow_[0-9]+_'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)"
    );
    for row in admin.query(&sql, &[]).await? {
        let name: String = row.get(0);
        let made: Option<u64> = name.split('_').nth(2).and_then(|text| text.parse().ok());
        if made.is_some_and(|made| made + LEFT_OVER < now()) {
            // Another run may sweep the same one, and one that we may not drop is not in our way.
            refusal(admin.batch_execute(&drop_database(&name)).await)?;
        }
    }
    Ok(sweep_roles(admin).await?)
}

async fn value(session: &Session, sql: &str) -> Result<String, ProveError> {
    let row = session.query_one(sql, &[]).await?;
    Ok(row.try_get(0)?)
}

/// A name that no other run has, on whatever machine it is.
fn unique(prefix: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    format!("{prefix}_{}_{}_{nanoseconds}_{number}", now(), std::process::id())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// An identifier in double quotes.
pub(in crate::prove) fn quote(name: &str) -> String {
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
