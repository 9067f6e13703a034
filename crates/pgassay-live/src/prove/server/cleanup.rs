//! What was made on a server of others, and how it goes, however the process ends.
//!
//! In: the names of databases and roles, before they are made. Out: none of them stays: they are dropped at the end, by whoever handles
//! a signal, or by a second process that waits for the first one to be gone.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ground::quote;
use crate::machine::in_group;
use crate::shadow::{Access, Session};

/// What marks a role as one of ours, with the database behind it that it was made for.
pub(super) const ROLE_MARK: &str = "pgassay shadow: stands in for ";

/// How long a session of ours may take until it is gone.
const SESSIONS_WITHIN: Duration = Duration::from_secs(5);

/// The databases and roles that were made on a server of others.
#[derive(Clone, Default)]
pub struct Cleanup {
    /// `None` on a server of ours, which goes as a whole.
    access: Option<Access>,
    made: Arc<Mutex<Made>>,
    /// Who comes second waits until the first has dropped everything.
    turn: Arc<tokio::sync::Mutex<()>>,
    told_to_end: Arc<AtomicBool>,
    guard: Arc<Mutex<Option<Guard>>>,
}

#[derive(Default)]
struct Made {
    databases: Vec<String>,
    roles: Vec<String>,
}

impl Cleanup {
    /// For a server of others, whose sessions all bear a name of ours. `guard` is a program that hands its input to [`guard`] when it is
    /// called with [`GUARD_COMMAND`]; without one, what is left by SIGKILL is dropped by a later run.
    pub(in crate::prove) fn new(access: Access, url: &str, guard: Option<&Path>) -> Cleanup {
        let guard = guard.and_then(|program| Guard::start(program, url, access.label()));
        Cleanup { access: Some(access), guard: Arc::new(Mutex::new(guard)), ..Cleanup::default() }
    }

    pub(in crate::prove) fn note(&self, database: &str) {
        self.tell_guard(&Told::Database(database.to_owned()));
        if let Ok(mut made) = self.made.lock() {
            made.databases.push(database.to_owned());
        }
    }

    pub(super) fn note_role(&self, role: &str) {
        self.tell_guard(&Told::Role(role.to_owned()));
        if let Ok(mut made) = self.made.lock() {
            made.roles.push(role.to_owned());
        }
    }

    fn tell_guard(&self, told: &Told) {
        if let Ok(mut guard) = self.guard.lock()
            && let Some(guard) = guard.as_mut()
        {
            guard.tell(told);
        }
    }

    /// Whether anything would stay if the process just ended.
    pub fn is_needed(&self) -> bool {
        self.access.is_some()
    }

    /// A signal is handled: whoever else works on the server stops.
    pub fn stop_others(&self) {
        self.told_to_end.store(true, Ordering::SeqCst);
    }

    /// Waits for the end of the process if it was told to end.
    pub(super) async fn stop_if_told(&self) {
        while self.told_to_end.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Drops every database and role that was noted.
    ///
    /// # Errors
    /// What is still there, and why.
    pub async fn drop_all(&self) -> Result<(), String> {
        let Some(access) = &self.access else { return Ok(()) };
        let _turn = self.turn.lock().await;
        let Ok(made) = self.made.lock().map(|mut made| std::mem::take(&mut *made)) else { return Ok(()) };
        let mut left = Vec::new();
        if !made.databases.is_empty() {
            match access.connect(&access.database()).await {
                Ok(admin) => {
                    end_sessions(&admin, access.label()).await;
                    for database in &made.databases {
                        left.extend(remove_database(access, &admin, database).await.err());
                    }
                    for role in &made.roles {
                        let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await;
                    }
                    let _ = sweep_roles(&admin).await;
                    admin.close().await;
                }
                Err(error) => left.push(format!("the database {}: {error}", made.databases.join(", "))),
            }
        }
        if let Ok(mut guard) = self.guard.lock()
            && let Some(guard) = guard.take()
        {
            guard.dismiss();
        }
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }
}

/// Drops a database with what holds it: transactions that were prepared in it, and a mark as a template.
pub(super) async fn remove_database(access: &Access, admin: &Session, database: &str) -> Result<(), String> {
    let there = "SELECT d.datistemplate, ARRAY(SELECT x.gid FROM pg_catalog.pg_prepared_xacts x WHERE x.database OPERATOR(pg_catalog.=) d.datname)
                   FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) $1";
    let failed = |error: &dyn std::fmt::Display| format!("the database {database}: {error}");
    let told = |error: tokio_postgres::Error| match error.as_db_error() {
        Some(server) => failed(&server.message()),
        None => failed(&error),
    };
    let Some(row) = admin.query_opt(there, &[&database]).await.map_err(told)? else { return Ok(()) };
    let (is_template, prepared): (bool, Vec<String>) = (row.get(0), row.get(1));
    if is_template {
        let sql = format!("ALTER DATABASE {} IS_TEMPLATE false", quote(database));
        admin.batch_execute(&sql).await.map_err(told)?;
    }
    if !prepared.is_empty() {
        // "It must be executed in the same database" (ROLLBACK PREPARED).
        let inside = access.connect(database).await.map_err(|error| failed(&error))?;
        for gid in prepared {
            let sql = format!("ROLLBACK PREPARED {}", crate::text::quoting::literal(&gid));
            inside.execute_typed(&sql, &[]).await.map_err(told)?;
        }
        inside.close().await;
    }
    admin.batch_execute(&drop_database(database)).await.map_err(told)
}

pub(super) fn drop_database(database: &str) -> String {
    format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote(database))
}

/// The comment on a role that was made for a database.
pub(super) fn role_mark(database: &str) -> String {
    format!("{ROLE_MARK}{database}")
}

/// Drops roles of databases that are gone. One that another run uses by now cannot be dropped, and goes with that.
pub(super) async fn sweep_roles(admin: &Session) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "SELECT pg_catalog.quote_ident(rolname) FROM pg_catalog.pg_roles r
          WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') LIKE '{ROLE_MARK}%'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_database
                             WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') = '{ROLE_MARK}' || datname)"
    );
    for row in admin.query(&sql, &[]).await? {
        let role: String = row.get(0);
        let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await;
    }
    Ok(())
}

/// Ends all other sessions of a name: one may be making a database that cannot be dropped yet.
async fn end_sessions(admin: &Session, label: &str) {
    let started = Instant::now();
    let sql = "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
                WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid()";
    while started.elapsed() < SESSIONS_WITHIN {
        match admin.query_one(sql, &[&label]).await.map(|row| row.get::<_, i64>(0)) {
            Ok(0) | Err(_) => break,
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// The argument with which a program is a guard.
pub const GUARD_COMMAND: &str = "shadow-guard";

/// What a guard is told, one line each.
#[derive(Serialize, Deserialize)]
enum Told {
    /// The connection string, which may hold a password: an argument would show it to everybody on the machine.
    Server {
        url: String,
        label: String,
    },
    Database(String),
    Role(String),
    Done,
}

/// The process that drops what we made if we are killed.
struct Guard(Child);

impl Guard {
    fn start(program: &Path, url: &str, label: &str) -> Option<Guard> {
        let mut command = Command::new(program);
        command.arg(GUARD_COMMAND).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C reaches us only.
        let child = in_group(&mut command, 0).spawn();
        let mut guard = Guard(child.ok()?);
        guard.tell(&Told::Server { url: url.to_owned(), label: label.to_owned() });
        Some(guard)
    }

    fn tell(&mut self, told: &Told) {
        if let (Some(input), Ok(line)) = (self.0.stdin.as_mut(), serde_json::to_string(told)) {
            let _ = writeln!(input, "{line}").and_then(|()| input.flush());
        }
    }

    fn dismiss(mut self) {
        self.tell(&Told::Done);
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Waits until the other side is gone, and drops what it made unless it did so itself.
///
/// # Errors
/// If the input cannot be read, or no runtime for the connection can be made.
pub fn guard(input: impl BufRead) -> std::io::Result<()> {
    let mut cleanup = Cleanup::default();
    for line in input.lines() {
        match serde_json::from_str(&line?) {
            Ok(Told::Server { url, label }) => {
                cleanup.access = Access::from_url(&url).ok().map(|access| access.named(&label));
            }
            Ok(Told::Database(name)) => cleanup.note(&name),
            Ok(Told::Role(name)) => cleanup.note_role(&name),
            Ok(Told::Done) => return Ok(()),
            Err(_) => {}
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(cleanup.drop_all()).map_err(std::io::Error::other)
}
