//! What all databases of a server share: roles, databases, tablespaces, and settings of the server.
//!
//! In: a change. Out: whether it is about such a thing. On a server of others it is not for us to run.

use crate::change::{Change, Drop, GrantObjects, ObjectKind};

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
