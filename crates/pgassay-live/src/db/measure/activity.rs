//! What other sessions do now.

use super::super::{DbError, Session};
use super::{is_partial, unread};
use crate::change::QualifiedName;
use crate::facts::{Facts, LockWait, Prepared, Slot, Topic, Transaction};

/// Transactions of this database that are a second old, with the tables they hold; waits; and a few numbers.
const SQL: &str = r"
    SELECT 'transaction', a.pid, a.usename::text, a.application_name, a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
           ARRAY(SELECT n.nspname || E'\n' || c.relname || E'\n' || l.mode
                   FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
                    AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
                  ORDER BY 1),
           NULL::int4[], NULL::text
      FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - interval '1 second'
    UNION ALL
    SELECT 'wait', l.pid, n.nspname::text, c.relname::text, l.mode,
           extract(epoch FROM clock_timestamp() - coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start))::float8, NULL, pg_blocking_pids(l.pid), NULL
      FROM pg_locks l
      JOIN pg_stat_activity a ON a.pid = l.pid
      LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT l.granted AND a.datname = current_database()
    UNION ALL
    SELECT 'prepared', NULL, p.gid, p.owner::text, NULL, extract(epoch FROM clock_timestamp() - p.prepared)::float8, NULL, NULL, NULL
      FROM pg_prepared_xacts p WHERE p.database = current_database()
    UNION ALL
    SELECT 'slot', s.active::int4, s.slot_name::text, s.wal_status, NULL,
           extract(epoch FROM clock_timestamp() - (to_jsonb(s) ->> 'inactive_since')::timestamptz)::float8, NULL, NULL,
           greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn), 0)::int8::text
      FROM pg_replication_slots s
    UNION ALL
    SELECT 'numbers', NULL, NULL, NULL, NULL, NULL, NULL,
           ARRAY[(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                 (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active'),
                 (SELECT count(*) FROM pg_stat_replication)]::int4[], NULL
    UNION ALL
    SELECT 'build', NULL, n.nspname::text, c.relname::text, NULL, NULL, NULL, NULL, NULL
      FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid JOIN pg_namespace n ON n.oid = c.relnamespace";

pub(super) async fn activity(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    let result = session.each_in_savepoint("the activity of other sessions", SQL, None, |row| visit(row, facts)).await;
    let unchecked = "which transactions would make a migration wait, now";
    match result {
        Err(error) if is_partial(&error) => {
            let reason = error.to_string();
            facts.unread.push(unread(Topic::Activity, "the activity of other sessions", reason, unchecked, Vec::new()));
        }
        result => result?,
    }
    if !facts.server.superuser && !facts.server.reads_all_stats {
        let user = &facts.server.current_user;
        let reason =
            format!("{user} sees only its own sessions in full; GRANT pg_monitor or pg_read_all_stats would let it");
        facts.unread.push(unread(Topic::Activity, "other roles' transactions", reason, unchecked, Vec::new()));
    }
    facts.activity.transactions.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    facts.activity.prepared.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    facts.activity.slots.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(())
}

fn visit(row: &super::super::Row, facts: &mut Facts) -> Result<(), DbError> {
    let text = |at: usize| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
    let number = |at: i32| u32::try_from(at).ok();
    match row.get::<&str>(0)? {
        "transaction" => {
            let locks = row.get::<Option<Vec<String>>>(6)?.unwrap_or_default();
            let lock = |text: &String| {
                let mut parts = text.split('\n');
                let name = QualifiedName::new(parts.next()?, parts.next()?);
                Some((name, parts.next()?.to_owned()))
            };
            facts.activity.transactions.push(Transaction {
                process_id: row.get(1)?,
                user: text(2)?,
                application: text(3)?,
                state: text(4)?,
                seconds: row.get::<Option<f64>>(5)?.unwrap_or_default(),
                locks: locks.iter().filter_map(lock).collect(),
            });
        }
        "wait" => {
            let relation = match (row.get::<Option<&str>>(2)?, row.get::<Option<&str>>(3)?) {
                (Some(schema), Some(name)) => Some(QualifiedName::new(schema, name)),
                _ => None,
            };
            facts.activity.lock_waits.push(LockWait {
                process_id: row.get(1)?,
                blocked_by: row.get::<Option<Vec<i32>>>(7)?.unwrap_or_default(),
                relation,
                mode: text(4)?,
                seconds: row.get::<Option<f64>>(5)?.unwrap_or_default(),
            });
        }
        "prepared" => facts.activity.prepared.push(Prepared {
            identifier: text(2)?,
            owner: text(3)?,
            seconds: row.get::<Option<f64>>(5)?.unwrap_or_default(),
        }),
        "slot" => facts.activity.slots.push(Slot {
            name: text(2)?,
            active: row.get::<i32>(1)? == 1,
            wal_status: text(3)?,
            retained_bytes: row.get::<Option<&str>>(8)?.and_then(|bytes| bytes.parse().ok()),
            inactive_seconds: row.get(5)?,
        }),
        "build" => {
            let name = QualifiedName::new(row.get::<&str>(2)?, row.get::<&str>(3)?);
            if let Some(index) = facts.indexes.get_mut(&name) {
                index.being_built = true;
            }
        }
        _ => {
            let numbers = row.get::<Option<Vec<i32>>>(7)?.unwrap_or_default();
            let nth = |at: usize| numbers.get(at).copied().and_then(number);
            facts.activity.sessions = nth(0);
            facts.activity.active_sessions = nth(1);
            facts.activity.replicas = nth(2);
        }
    }
    Ok(())
}
