//! Watching a statement that cannot run in a transaction block: CREATE INDEX CONCURRENTLY, VACUUM and the like.
//!
//! In: a server, a database to spoil, a statement. Out: an [`Observation`].
//!
//! Such a statement commits on its own, several times even, and its locks are gone when it answers. So it is made to
//! wait for every lock it asks for: before it starts, one session for each table (a *holder*) takes all lock modes on
//! it, weak to strong, each under a savepoint. A third session (the *watcher*) sees in `pg_locks` which mode the
//! statement waits for, and the holder rolls back to the strongest mode that lets it go on. The weaker modes that stay
//! stop the statement again if it comes back for a stronger lock. So the modes seen are exact, whatever the timing.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::observe::{cancel, refusal, send};
use super::relations::{self, Counters, Relations, effect_between, row};
use super::{Access, Observation, Server, Session, ShadowError};
use crate::catalog::LockMode;
use crate::effect::{Effect, InTransactionBlock};

/// How often the watcher looks.
const INTERVAL: Duration = Duration::from_millis(1);

/// How long a session's scan counters may take to reach the others: PostgreSQL 14 sends and reads them twice a second.
const COUNTERS_WITHIN: Duration = Duration::from_secs(10);

/// Runs a statement outside a transaction block and watches it. The database keeps what it did.
///
/// `given` is run before, one string after the other, in the same session, so that it can set parameters. The effect
/// says that a transaction block is forbidden: ask [`observe_in_block`](super::observe_in_block) first.
///
/// Locks that a statement takes only if they are free (VACUUM with SKIP_LOCKED, or to give back empty pages at the
/// end of a table) are not seen, nor are locks on views and foreign tables.
///
/// # Errors
/// [`ShadowError::Connection`] if the server is gone or refuses `given`, [`ShadowError::TooSlow`] past the limit.
pub async fn observe_outside_block(
    server: &Server,
    database: &str,
    given: &[String],
    sql: &str,
    limit: Duration,
) -> Result<Observation, ShadowError> {
    // The second limit is for the watcher: REINDEX SYSTEM can lock the catalogs that it reads.
    let watched = observe(server, database, given, sql, limit);
    tokio::time::timeout(limit * 2, watched).await.unwrap_or(Err(ShadowError::TooSlow { after: limit * 2 }))
}

async fn observe(
    server: &Server,
    database: &str,
    given: &[String],
    sql: &str,
    limit: Duration,
) -> Result<Observation, ShadowError> {
    let access = server.access();
    let session = access.connect(database).await?;
    for text in given {
        session.batch_execute(text).await?;
    }
    let place = Place { access: &access, database, major: server.installation().major() };
    watch_all(place, &session, None, sql, limit).await
}

/// Where a statement is watched.
#[derive(Clone, Copy)]
struct Place<'a> {
    access: &'a Access,
    database: &'a str,
    major: u16,
}

/// As [`observe_outside_block`], in a session that goes on afterwards. Where a database has more tables than sessions can
/// hold, only those named in `expected` are held: of the others, a lock is seen only if it is held long enough to be met.
///
/// # Errors
/// As [`observe_outside_block`].
pub async fn observe_outside_block_in(
    access: &Access,
    database: &str,
    major: u16,
    session: &Session,
    expected: &BTreeSet<String>,
    sql: &str,
    limit: Duration,
) -> Result<Observation, ShadowError> {
    let watched = watch_all(Place { access, database, major }, session, Some(expected), sql, limit);
    tokio::time::timeout(limit * 2, watched).await.unwrap_or(Err(ShadowError::TooSlow { after: limit * 2 }))
}

/// More tables than this, and only those that are expected to be locked are held.
const MOST_HOLDERS: usize = 40;

async fn watch_all(
    place: Place<'_>,
    session: &Session,
    expected: Option<&BTreeSet<String>>,
    sql: &str,
    limit: Duration,
) -> Result<Observation, ShadowError> {
    let watcher = place.access.connect(place.database).await?;
    let scans = scan_marker(session, &watcher).await?;
    report_counters(session, &watcher, scans, place.major).await?;
    let before = relations::read(&watcher, Counters::Reported).await?;
    let mut held = before.clone();
    if let Some(expected) = expected
        && held.values().filter(|relation| matches!(relation.kind, 'r' | 'p' | 'm')).count() > MOST_HOLDERS
    {
        held.retain(|_, relation| expected.contains(&relation.name));
    }
    let mut holders = Holders::hold_all(place, &held).await?;
    let (outcome, locks) = watch(session, &watcher, &mut holders, sql, limit).await?;
    drop(holders);
    let error = refusal(outcome)?;
    let scans = scan_marker(session, &watcher).await?;
    report_counters(session, &watcher, scans, place.major).await?;
    let mut effect = Effect::default();
    if error.is_none() {
        let after = relations::read(&watcher, Counters::Reported).await?;
        effect = effect_between(&before, &after, &locks);
    }
    effect.in_transaction_block = InTransactionBlock::Forbidden;
    watcher.close().await;
    Ok(Observation { effect, error })
}

type Locks = BTreeSet<(u32, LockMode)>;

/// Runs the statement, letting it past one holder after the other, and collects the locks it had or waited for.
async fn watch(
    session: &Session,
    watcher: &Client,
    holders: &mut Holders,
    sql: &str,
    limit: Duration,
) -> Result<(Result<(), tokio_postgres::Error>, Locks), ShadowError> {
    let pid = backend_pid(session).await?;
    let started = Instant::now();
    let mut seen = Locks::new();
    let mut running = pin!(send(session, sql));
    loop {
        if let Ok(outcome) = tokio::time::timeout(INTERVAL, running.as_mut()).await {
            return Ok((outcome, seen));
        }
        match look(watcher, pid, &mut seen).await? {
            Waiting::No => {}
            Waiting::For(relation, mode) => holders.let_past(relation, mode).await?,
            Waiting::ForTransaction => holders.restart(&blockers(watcher, pid).await?).await?,
        }
        if started.elapsed() > limit {
            holders.sessions.clear();
            cancel(session, running).await?;
            return Err(ShadowError::TooSlow { after: limit });
        }
    }
}

/// What the statement waits for.
enum Waiting {
    No,
    For(u32, LockMode),
    /// The end of transactions that it found holding a lock.
    ForTransaction,
}

/// Looks at the locks of the session with that process id, and adds those on relations to `seen`.
async fn look(watcher: &Client, pid: i32, seen: &mut Locks) -> Result<Waiting, ShadowError> {
    let sql = format!("SELECT locktype, relation, mode, granted FROM pg_catalog.pg_locks WHERE pid = {pid}");
    let mut waiting = Waiting::No;
    for row in watcher.simple_query(&sql).await?.iter().filter_map(row) {
        let granted = row.get(3) == Some("t");
        let relation = row.get(1).and_then(|text| text.parse::<u32>().ok());
        match (row.get(0), relation, row.get(2).and_then(LockMode::from_pg_locks)) {
            (Some("relation"), Some(relation), Some(mode)) => {
                seen.insert((relation, mode));
                if !granted {
                    waiting = Waiting::For(relation, mode);
                }
            }
            (Some("virtualxid" | "transactionid"), ..) if !granted => waiting = Waiting::ForTransaction,
            _ => {}
        }
    }
    Ok(waiting)
}

/// The process ids of the sessions that the one with that process id waits for.
async fn blockers(watcher: &Client, pid: i32) -> Result<BTreeSet<i32>, ShadowError> {
    let sql = format!("SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid}))");
    let messages = watcher.simple_query(&sql).await?;
    Ok(messages.iter().filter_map(row).filter_map(|row| row.get(0)?.parse().ok()).collect())
}

/// The sessions that hold locks, by the relation they hold them on.
struct Holders {
    sessions: BTreeMap<u32, Holder>,
}

impl Holders {
    async fn hold_all(place: Place<'_>, relations: &Relations) -> Result<Holders, ShadowError> {
        let mut sessions = BTreeMap::new();
        for (oid, relation) in relations {
            if let Some(levels) = levels(*oid, relation.kind, &relation.name) {
                let session = place.access.connect(place.database).await?;
                let mut holder = Holder { pid: backend_pid(&session).await?, session, levels };
                holder.hold(LockMode::AccessExclusive).await?;
                sessions.insert(*oid, holder);
            }
        }
        Ok(Holders { sessions })
    }

    async fn let_past(&mut self, relation: u32, mode: LockMode) -> Result<(), ShadowError> {
        match self.sessions.get_mut(&relation) {
            Some(holder) => holder.let_past(mode).await,
            // A system catalog, or a relation made by the statement itself: nobody of ours holds it for long.
            None => Ok(()),
        }
    }

    /// Ends the transactions of these sessions, because the statement waits for their end, and holds the two weakest
    /// modes anew: they conflict with nothing that a concurrent build holds meanwhile.
    async fn restart(&mut self, pids: &BTreeSet<i32>) -> Result<(), ShadowError> {
        for holder in self.sessions.values_mut().filter(|holder| pids.contains(&holder.pid)) {
            holder.session.batch_execute("ROLLBACK").await?;
            holder.hold(LockMode::RowShare).await?;
        }
        Ok(())
    }
}

struct Holder {
    session: Session,
    pid: i32,
    levels: Vec<Level>,
}

/// A mode, and the statement that takes it.
struct Level {
    mode: LockMode,
    sql: String,
}

impl Holder {
    /// Takes the levels up to `strongest`, each under a savepoint that bears its number. Where that fails, because the
    /// statement has a lock that conflicts by now, none is held.
    async fn hold(&mut self, strongest: LockMode) -> Result<(), ShadowError> {
        let mut batch = "BEGIN; SET LOCAL lock_timeout = '50ms'".to_owned();
        for (number, level) in self.levels.iter().filter(|level| level.mode <= strongest).enumerate() {
            batch.push_str(&format!("; SAVEPOINT s{number}; {}", level.sql));
        }
        if self.session.batch_execute(&batch).await.is_err() {
            self.session.batch_execute("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Gives up all levels from the weakest that conflicts with the mode.
    async fn let_past(&mut self, mode: LockMode) -> Result<(), ShadowError> {
        let sql = match self.levels.iter().position(|level| level.mode.conflicts_with(mode)) {
            Some(0) | None => "ROLLBACK".to_owned(),
            Some(number) => format!("ROLLBACK TO SAVEPOINT s{number}"),
        };
        if self.session.batch_execute(&sql).await.is_err() {
            // The savepoint is gone with an earlier transaction.
            self.session.batch_execute("ROLLBACK").await?;
        }
        Ok(())
    }
}

/// How to hold a relation in one mode after the other; `None` for kinds that cannot be held.
fn levels(oid: u32, kind: char, name: &str) -> Option<Vec<Level>> {
    let level = |mode: LockMode, sql: String| Level { mode, sql };
    match kind {
        'r' | 'p' => {
            let lock = |mode: LockMode| level(mode, format!("LOCK TABLE ONLY {name} IN {mode} MODE"));
            Some(LockMode::ALL.into_iter().map(lock).collect())
        }
        // LOCK TABLE refuses a materialized view. EXPLAIN reads one that has no rows yet, too.
        'm' => Some(vec![
            level(LockMode::AccessShare, format!("EXPLAIN SELECT FROM {name}")),
            level(LockMode::ShareUpdateExclusive, format!("COMMENT ON MATERIALIZED VIEW {name} IS 'held'")),
            level(LockMode::AccessExclusive, format!("ALTER MATERIALIZED VIEW {name} RENAME TO held_{oid}")),
        ]),
        _ => None,
    }
}

async fn backend_pid(client: &Client) -> Result<i32, ShadowError> {
    Ok(read_number(client, "SELECT pg_catalog.pg_backend_pid()").await?.unwrap_or(0))
}

async fn read_number<T: std::str::FromStr>(client: &Client, sql: &str) -> Result<Option<T>, ShadowError> {
    let messages = client.simple_query(sql).await?;
    Ok(messages.iter().find_map(row).and_then(|row| row.get(0)?.parse().ok()))
}

/// A catalog that nothing else scans: once its scan is reported, so is all that the session did before.
const MARKER: &str = "pg_catalog.pg_ts_parser";

async fn marker_scans(watcher: &Client) -> Result<i64, ShadowError> {
    let sql = format!("SELECT pg_catalog.pg_stat_get_numscans('{MARKER}'::pg_catalog.regclass)");
    Ok(read_number(watcher, &sql).await?.unwrap_or(0))
}

/// Scans the marker in the session, and returns how often it had been scanned before.
async fn scan_marker(session: &Client, watcher: &Client) -> Result<i64, ShadowError> {
    let scans = marker_scans(watcher).await?;
    let sql = format!(
        "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
         SELECT pg_catalog.count(*) FROM {MARKER};
         RESET enable_indexscan; RESET enable_indexonlyscan; RESET enable_bitmapscan"
    );
    session.batch_execute(&sql).await?;
    Ok(scans)
}

/// Makes a session that stays open report its counters.
async fn report_counters(session: &Client, watcher: &Client, scans: i64, major: u16) -> Result<(), ShadowError> {
    if major >= 15 {
        session.batch_execute("SELECT pg_catalog.pg_stat_force_next_flush()").await?;
    } else {
        // PGSTAT_STAT_INTERVAL (src/include/pgstat.h) must pass before the next report.
        tokio::time::sleep(Duration::from_millis(550)).await;
        session.batch_execute("SELECT 1").await?;
    }
    wait_for_marker(watcher, scans).await
}

async fn wait_for_marker(watcher: &Client, scans: i64) -> Result<(), ShadowError> {
    let started = Instant::now();
    while marker_scans(watcher).await? <= scans {
        if started.elapsed() > COUNTERS_WITHIN {
            return Err(ShadowError::TooSlow { after: COUNTERS_WITHIN });
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}
