//! The server, the database, settings, roles and extensions.

use super::super::{DbError, Session, rights};
use super::{is_partial, unread};
use crate::change::Name;
use crate::facts::{DatabaseFacts, ExtensionFacts, Facts, Role, ServerFacts, Setting, Timestamp, Topic};

/// Settings that a rule, the planner of a twin, or an estimate looks at.
const SETTINGS: &str = "
    SELECT name, CASE WHEN source = 'session' THEN reset_val ELSE setting END, unit, source FROM pg_settings
     WHERE name LIKE 'autovacuum%' OR name LIKE 'log\\_%' OR name LIKE '%\\_cost' OR name LIKE 'enable\\_%' OR name LIKE 'jit%'
        OR name LIKE 'geqo%' OR name LIKE 'pg_stat_statements.%' OR name LIKE 'auto_explain.%' OR name LIKE 'track\\_%'
        OR name LIKE 'vacuum\\_%' OR name LIKE 'max\\_%' OR name LIKE '%\\_limit' OR name LIKE 'min_parallel%' OR name LIKE 'ssl%'
        OR name IN ('shared_buffers', 'effective_cache_size', 'work_mem', 'hash_mem_multiplier', 'maintenance_work_mem',
                    'effective_io_concurrency', 'maintenance_io_concurrency', 'default_statistics_target', 'statement_timeout',
                    'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout',
                    'deadlock_timeout', 'wal_level', 'synchronous_commit', 'fsync', 'full_page_writes', 'checkpoint_timeout',
                    'shared_preload_libraries', 'password_encryption', 'constraint_exclusion', 'cursor_tuple_fraction',
                    'from_collapse_limit', 'join_collapse_limit', 'plan_cache_mode', 'parallel_leader_participation',
                    'recursive_worktable_factor', 'block_size', 'server_encoding', 'hot_standby_feedback', 'io_method',
                    'compute_query_id', 'default_toast_compression', 'default_transaction_isolation', 'synchronous_standby_names')
        AND name NOT IN ('ssl_passphrase_command', 'ssl_key_file', 'ssl_cert_file', 'ssl_ca_file', 'ssl_crl_file')";

/// Reads what is known of the server before anything else.
pub(in super::super) async fn server(session: &Session) -> Result<Facts, DbError> {
    let mut facts = Facts::default();
    read_server(session, &mut facts).await?;
    read_settings(session, &mut facts).await?;
    read_roles(session, &mut facts).await?;
    Ok(facts)
}

async fn read_server(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    const SQL: &str = "
        SELECT current_setting('server_version_num')::int4, current_setting('server_version'), pg_is_in_recovery(),
               extract(epoch FROM pg_postmaster_start_time())::float8, extract(epoch FROM clock_timestamp())::float8,
               current_setting('block_size')::int4, current_user::text,
               (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
               pg_has_role('pg_monitor', 'USAGE'), pg_has_role('pg_read_all_stats', 'USAGE'), pg_has_role('pg_read_all_data', 'USAGE'),
               d.datname::text, pg_get_userbyid(d.datdba)::text, pg_encoding_to_char(d.encoding)::text, d.datcollate::text,
               CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                    THEN (SELECT sum(c.relpages::int8) * current_setting('block_size')::int8 FROM pg_class c)::int8 END,
               age(d.datfrozenxid)::int8, mxid_age(d.datminmxid)::int8,
               extract(epoch FROM s.stats_reset)::float8, s.xact_commit, s.xact_rollback, s.deadlocks, s.temp_files, s.temp_bytes,
               s.blks_hit, s.blks_read, s.blk_read_time
          FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid
         WHERE d.datname = current_database()";
    let rights = rights::rights(session).await?;
    session
        .each("the server", SQL, None, |row| {
            let number = |at: usize| row.get::<Option<i64>>(at).map(|it| it.and_then(|it| u64::try_from(it).ok()));
            let moment = |at: usize| row.get::<Option<f64>>(at).map(|it| it.map(Timestamp));
            facts.server = ServerFacts {
                version_number: u32::try_from(row.get::<i32>(0)?).unwrap_or_default(),
                version: row.get(1)?,
                in_recovery: row.get(2)?,
                started_at: moment(3)?,
                read_at: Timestamp(row.get(4)?),
                block_size: u32::try_from(row.get::<i32>(5)?).unwrap_or(8192),
                current_user: row.get(6)?,
                superuser: row.get::<Option<bool>>(7)?.unwrap_or_default(),
                monitor: row.get(8)?,
                reads_all_stats: row.get(9)?,
                reads_all_data: row.get(10)?,
                rights: rights.clone(),
                pooled: session.pooled(),
            };
            facts.database = DatabaseFacts {
                name: row.get(11)?,
                owner: row.get(12)?,
                encoding: row.get(13)?,
                collation: row.get(14)?,
                bytes: number(15)?,
                transaction_id_age: number(16)?,
                multixact_id_age: number(17)?,
                stats_reset: moment(18)?,
                commits: number(19)?,
                rollbacks: number(20)?,
                deadlocks: number(21)?,
                temp_files: number(22)?,
                temp_bytes: number(23)?,
                blocks_hit: number(24)?,
                blocks_read: number(25)?,
                block_read_milliseconds: row.get(26)?,
            };
            Ok(())
        })
        .await
}

async fn read_settings(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    session
        .each("settings", SETTINGS, None, |row| {
            let source: String = row.get::<Option<String>>(3)?.unwrap_or_default();
            let setting = Setting {
                value: row.get::<Option<String>>(1)?.unwrap_or_default(),
                unit: row.get(2)?,
                // What our transaction set for itself says nothing of the server; what it would be reset to does.
                source: if source == "session" { "reset".to_owned() } else { source },
            };
            facts.settings.insert(row.get(0)?, setting);
            Ok(())
        })
        .await
}

async fn read_roles(session: &Session, facts: &mut Facts) -> Result<(), DbError> {
    const SQL: &str = r"
        SELECT 'role', r.rolname::text, r.rolsuper, r.rolcanlogin, r.rolbypassrls, r.rolinherit,
               ARRAY(SELECT x FROM pg_db_role_setting s, unnest(s.setconfig) x
                      WHERE s.setrole IN (r.oid, 0) AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                        AND split_part(x, '=', 1) NOT LIKE '%password%' AND split_part(x, '=', 1) NOT LIKE '%.%'),
               NULL, NULL, NULL,
               ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1)
          FROM pg_roles r WHERE r.rolname NOT LIKE 'pg\_%'
        UNION ALL
        SELECT 'extension', coalesce(a.name, e.extname)::text, NULL, NULL, NULL, NULL, NULL, e.extversion, n.nspname::text, a.default_version, NULL
          FROM pg_available_extensions() a FULL JOIN pg_extension e ON e.extname = a.name
          LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.oid IS NOT NULL OR a.name IN ('pg_stat_statements', 'hypopg', 'auto_explain', 'pg_trgm', 'pgstattuple', 'amcheck', 'pg_repack')";
    let result = session
        .each_in_savepoint("roles and extensions", SQL, None, |row| {
            let name = Name::new(row.get(1)?);
            if row.get::<&str>(0)? == "role" {
                let role = Role {
                    superuser: row.get(2)?,
                    login: row.get(3)?,
                    bypasses_row_security: row.get(4)?,
                    inherits: row.get(5)?,
                    settings: row.get(6)?,
                    member_of: row.get::<Vec<&str>>(10)?.into_iter().map(Name::new).collect(),
                };
                facts.roles.insert(name, role);
            } else {
                let extension = ExtensionFacts {
                    installed_version: row.get(7)?,
                    schema: row.get(8)?,
                    default_version: row.get(9)?,
                };
                facts.extensions.insert(name, extension);
            }
            Ok(())
        })
        .await;
    match result {
        Err(error) if is_partial(&error) => {
            let unchecked = "timeouts set for roles, and extensions that could be updated";
            facts.unread.push(unread(
                Topic::Settings,
                "roles and extensions",
                error.to_string(),
                unchecked,
                Vec::new(),
            ));
            Ok(())
        }
        result => result,
    }
}
