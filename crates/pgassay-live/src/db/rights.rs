//! What the role that looks at a database could do besides.
//!
//! A session that is READ ONLY can still run programs, read and write files of the server, and end other sessions, if its role may: and what
//! the planner calls on the way to a plan runs with the role's rights.

use super::{DbError, Session};

/// Roles that reach out of the database (manual, "Predefined Roles").
const REACHING: &str = "'pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'";

/// What the role has that a look at a database does not need: `superuser`, or roles that it is a member of.
///
/// # Errors
/// [`DbError`] if the connection is lost.
pub async fn rights(session: &Session) -> Result<Vec<String>, DbError> {
    let sql = format!(
        "SELECT 'superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper
         UNION ALL
         SELECT 'a member of ' || r.rolname FROM pg_roles r JOIN pg_roles own ON own.rolname = current_user AND NOT own.rolsuper
          WHERE r.rolname IN ({REACHING}) AND pg_has_role(r.oid, 'MEMBER')"
    );
    session.ask("the role's rights", &sql, &[]).await
}

/// What to say of a role with such rights.
pub fn warning(user: &str, rights: &[String]) -> Option<String> {
    if rights.is_empty() {
        return None;
    }
    Some(format!(
        "connected as {user}, which is {}: what a user left in the database to be run by whoever looks could do more than read. \
         `pgassay init --role` prints a role that is enough",
        rights.join(" and ")
    ))
}

/// SQL that makes a role for looking at a database, to be run by a superuser in that database.
pub const ROLE: &str = "\
-- A role for pgassay: it sees statistics, activity and queries, and can change nothing. Run this as a superuser, in the database to look at.
CREATE ROLE pgassay LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5;
-- In psql: \\password pgassay
ALTER ROLE pgassay SET default_transaction_read_only = on;
-- Other roles' activity and queries, and all settings.
GRANT pg_monitor TO pgassay;
-- Statistics of columns, and which migrations ran. Without it, only what SELECT is granted on; rows are read with `audit --sample` only.
GRANT pg_read_all_data TO pgassay;
-- Not these: pg_read_server_files, pg_write_server_files, pg_execute_server_program, pg_signal_backend.
";
