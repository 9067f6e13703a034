//! What all databases of a server share: roles, databases, tablespaces, and settings of the server.
//!
//! In: a change. Out: whether it is about such a thing. On a server of others it is not for us to run; and what functions, triggers and
//! catalogs lead to is seen by comparing the server after with the server before.

use std::collections::BTreeMap;

use crate::change::{Change, Drop, GrantObjects, ObjectKind};
use crate::shadow::Session;

/// Whether a statement, or one in its block, changes what belongs to the whole server.
pub(in crate::prove) fn belongs_to_server(change: &Change) -> bool {
    match change {
        Change::CreateDatabase(_) | Change::Owned(_) => true,
        Change::CreateOther(create) => is_shared(create.kind),
        Change::AlterObject(alter) => is_shared(alter.kind),
        Change::Drop(Drop { kind, .. }) => is_shared(*kind),
        Change::Comment(comment) => is_shared(comment.kind),
        Change::Grant(grant) => match &grant.objects {
            GrantObjects::Named { kind, .. } => is_shared(*kind),
            GrantObjects::Membership(_) => true,
            GrantObjects::AllInSchema { .. } | GrantObjects::Future { .. } => false,
        },
        Change::Do(block) => {
            block.code.statements.iter().any(|inner| inner.change.as_ref().is_ok_and(belongs_to_server))
        }
        _ => false,
    }
}

/// Whether a statement needs what is on the database's machine: it would be refused on any other, which says nothing of the migration.
pub(in crate::prove) fn is_about_machine(change: &Change) -> bool {
    matches!(change, Change::Copy(copy) if copy.on_server)
}

fn is_shared(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Database
            | ObjectKind::Parameter
            | ObjectKind::Role
            | ObjectKind::Subscription
            | ObjectKind::Tablespace
    )
}

/// What all databases share, each thing with how it is.
pub(super) type Shared = BTreeMap<String, String>;

/// Without databases and roles of ours: this run's, and others' at the same time.
const SHARED: &str = "
SELECT 'role ' || r.rolname, pg_catalog.row_to_json(r)::text FROM pg_catalog.pg_roles r
 WHERE pg_catalog.shobj_description(r.oid, 'pg_authid') NOT LIKE 'pgassay shadow: %' OR pg_catalog.shobj_description(r.oid, 'pg_authid') IS NULL
UNION ALL
SELECT 'database ' || datname, pg_catalog.concat_ws(' ', datdba, datallowconn, datconnlimit, datistemplate, datacl)
  FROM pg_catalog.pg_database WHERE datname !~ '^pgassay_shadow_'
UNION ALL
SELECT 'members of role ' || g.rolname, pg_catalog.string_agg(m.rolname || ' ' || a.admin_option, ', ' ORDER BY m.rolname, a.admin_option)
  FROM pg_catalog.pg_roles g
  LEFT JOIN pg_catalog.pg_auth_members a ON a.roleid = g.oid
  LEFT JOIN pg_catalog.pg_roles m ON m.oid = a.member
 GROUP BY g.rolname
UNION ALL
SELECT 'settings of ' || s.setdatabase || '/' || s.setrole, s.setconfig::text FROM pg_catalog.pg_db_role_setting s
UNION ALL
SELECT 'tablespace ' || spcname, pg_catalog.concat_ws(' ', spcowner, spcacl, spcoptions) FROM pg_catalog.pg_tablespace";

/// How it is now.
///
/// # Errors
/// Those of the connection.
pub(super) async fn shared(session: &Session) -> Result<Shared, tokio_postgres::Error> {
    let rows = session.query(SHARED, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get::<_, Option<String>>(1).unwrap_or_default())).collect())
}

/// The things that were there before and are otherwise now. What came or went may be others' work: they make databases and roles too.
pub(super) fn changed(before: &Shared, after: &Shared) -> Vec<String> {
    let is_other = |(what, was): &(&String, &String)| after.get(*what).is_some_and(|now| now != *was);
    before.iter().filter(is_other).map(|(what, _)| what.clone()).collect()
}
