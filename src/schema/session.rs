//! What a session carries besides the schema: settings that change what statements mean or do.

use std::sync::Arc;

use crate::change::Name;

/// Settings in force for the statement at hand. Which of them a ROLLBACK or the end of a transaction undoes is for
/// `history` to follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Schemas in order, without `pg_catalog` and `"$user"`. `pg_temp` is left out too: temporary objects are kept under the
    /// schema name `pg_temp`, and looked up first.
    pub search_path: Vec<Name>,
    /// In milliseconds; `None` and 0 both wait for ever.
    pub lock_timeout: Option<u64>,
    /// In milliseconds; `None` and 0 both are no limit.
    pub statement_timeout: Option<u64>,
    /// TimeZone when a migration sets it; the server's own otherwise.
    pub time_zone: Option<Arc<str>>,
    /// check_function_bodies.
    pub check_function_bodies: bool,
    /// default_tablespace, default_table_access_method when set.
    pub default_tablespace: Option<Name>,
    pub default_access_method: Option<Name>,
    /// session_replication_role = replica: triggers and foreign keys do not fire.
    pub replica_role: bool,
    pub role: Option<Name>,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            search_path: vec![Name::from("pg_temp"), Name::from("public")],
            lock_timeout: None,
            statement_timeout: None,
            time_zone: None,
            check_function_bodies: true,
            default_tablespace: None,
            default_access_method: None,
            replica_role: false,
            role: None,
        }
    }
}

impl Session {
    pub fn set(&mut self, _set: &crate::change::Set) {}
    pub fn reset(&mut self, _reset: &crate::change::Reset, _defaults: &Session) {}
}
