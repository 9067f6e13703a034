//! GRANT and REVOKE: privileges that a kind of object does not have, and objects of another kind (aclchk.c).

use super::super::predictor::Predictor;
use crate::change::{Grant, GrantObjects, Ident, ObjectKind, ObjectReference};
use crate::schema::{RelationKind, Seen};
use crate::source::Span;

impl Predictor<'_> {
    pub(super) fn refuse_grant(&mut self, grant: &Grant, span: Span) {
        let kind = match &grant.objects {
            GrantObjects::Named { kind, .. }
            | GrantObjects::AllInSchema { kind, .. }
            | GrantObjects::Future { kind, .. } => *kind,
            GrantObjects::Membership(_) => return,
        };
        if let Some(message) = grant.privileges.iter().find_map(|(name, columns)| unfit(kind, name.as_str(), columns)) {
            return self.refused(span, "", message);
        }
        if grant.with_option && !grant.revoke && grant.grantees.iter().any(|it| it.name == "public") {
            return self.refused(span, "", "grant options can only be granted to roles");
        }
        if let GrantObjects::Future { kind: ObjectKind::Schema, schemas } = &grant.objects
            && !schemas.is_empty()
        {
            return self.refused(span, "", "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS");
        }
        let GrantObjects::Named { objects, .. } = &grant.objects else { return };
        for object in objects {
            match kind {
                ObjectKind::Table => self.refuse_usage_of_table(grant, object),
                ObjectKind::Sequence => self.refuse_no_sequence_of_grant(object),
                ObjectKind::Function | ObjectKind::Procedure => self.refuse_other_routine(kind, object),
                _ => {}
            }
        }
    }

    /// USAGE is a privilege of the sequences among the relations.
    fn refuse_usage_of_table(&mut self, grant: &Grant, object: &ObjectReference) {
        let usage = grant.privileges.iter().any(|(name, _)| *name == "usage");
        let table = self.find(&object.name).is_some_and(|it| it.known && it.is_queryable());
        if usage && table {
            self.refused(object.span, &object.name, "invalid privilege type USAGE for table");
        }
    }

    fn refuse_no_sequence_of_grant(&mut self, object: &ObjectReference) {
        let Some(found) = self.find(&object.name).filter(|it| it.known) else { return };
        if !matches!(found.kind, RelationKind::Sequence(_)) {
            let message = format!("\"{}\" is not a sequence", found.name.name.as_str());
            self.refused(object.span, &object.name, message);
        }
    }

    /// A procedure is no function, and the other way round.
    fn refuse_other_routine(&mut self, kind: ObjectKind, object: &ObjectReference) {
        let procedure = kind == ObjectKind::Procedure;
        let (noun, name) = (kind.noun(), object.name.name.as_str());
        let found: Vec<_> = self.schema().find_routines(&object.name, self.context.session).cloned().collect();
        let others = found.iter().all(|it| it.procedure != procedure && it.seen == Seen::Whole);
        if let (false, true, Some(arguments)) = (found.is_empty(), others, &object.arguments)
            && found.iter().any(|it| it.inputs().count() == arguments.len())
        {
            let types: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            self.refused(object.span, &object.name, format!("{name}({}) is not a {noun}", types.join(", ")));
        }
    }
}

/// A privilege that no object of the kind has (`restrict_and_check_grant`); `privilege` in lower case.
fn unfit(kind: ObjectKind, privilege: &str, columns: &[Ident]) -> Option<String> {
    let (noun, taken): (&str, &[&str]) = match kind {
        _ if !columns.is_empty() => ("column", &["select", "insert", "update", "references", "all"]),
        ObjectKind::Table => (
            "relation",
            &["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain", "usage", "rule"],
        ),
        ObjectKind::Sequence => ("sequence", &["usage", "select", "update"]),
        ObjectKind::Function => ("function", &["execute"]),
        ObjectKind::Procedure => ("procedure", &["execute"]),
        ObjectKind::Routine => ("routine", &["execute"]),
        ObjectKind::Schema => ("schema", &["usage", "create"]),
        ObjectKind::Database => ("database", &["create", "connect", "temporary", "temp"]),
        ObjectKind::Language => ("language", &["usage"]),
        ObjectKind::Type => ("type", &["usage"]),
        ObjectKind::Domain => ("domain", &["usage"]),
        ObjectKind::Tablespace => ("tablespace", &["create"]),
        ObjectKind::LargeObject => ("large object", &["select", "update"]),
        ObjectKind::ForeignDataWrapper => ("foreign-data wrapper", &["usage"]),
        ObjectKind::Server => ("foreign server", &["usage"]),
        _ => return None,
    };
    let word = privilege.to_uppercase();
    (!taken.contains(&privilege)).then(|| match KNOWN.contains(&privilege) {
        true => format!("invalid privilege type {word} for {noun}"),
        false => format!("unrecognized privilege type \"{privilege}\""),
    })
}

/// `string_to_privilege`.
const KNOWN: &[&str] = &[
    "insert",
    "select",
    "update",
    "delete",
    "truncate",
    "references",
    "trigger",
    "execute",
    "usage",
    "create",
    "temporary",
    "temp",
    "connect",
    "set",
    "alter system",
    "maintain",
    "rule",
];
