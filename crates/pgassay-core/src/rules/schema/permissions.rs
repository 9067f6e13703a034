//! Who may do what: row security, functions that run as their owner, what everybody may do.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::ask::keys;
use super::{Discovery, SchemaContext};
use crate::change::{GrantObjects, Name, ObjectKind, PrintedName};
use crate::contract::Subject;
use crate::finding::{Category, Confidence, FixStep, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;

pub static ROW_SECURITY: Rule = Rule {
    name: "missing-row-security",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A table has no row security where the others of its schema have it, or has policies that are not in force",
    explanation: "Where most tables of a schema have row level security, roles are given access to all of them in the belief that policies decide: a table without is open \
        to every such role. Policies of a table on which row security was never enabled do nothing at all. Reported where at least half of three or more tables have it.",
    fires: Example {
        given: "CREATE TABLE a (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON a USING (owner = current_user);\n\
            CREATE TABLE b (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON b USING (owner = current_user);",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);",
    },
    quiet: Example {
        given: "CREATE TABLE a (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON a USING (owner = current_user);\n\
            CREATE TABLE b (id bigint PRIMARY KEY, owner text NOT NULL); ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON b USING (owner = current_user);",
        migration: "CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON notes USING (owner = current_user);",
    },
};

pub static SECURITY_DEFINER: Rule = Rule {
    name: "security-definer-search-path",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "A SECURITY DEFINER function does not set its search_path",
    explanation: "It runs with its owner's rights and looks up names in the caller's search_path: a caller who may create objects in some schema, or temporary ones, puts a table \
        or function of his own in front and has it run as the owner (manual, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely). By default everybody may call it.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, locked boolean NOT NULL);",
        migration: "CREATE FUNCTION unlock(account bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'UPDATE accounts SET locked = false WHERE id = account';",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY, locked boolean NOT NULL);",
        migration: "CREATE FUNCTION unlock(account bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp\n\
            AS 'UPDATE accounts SET locked = false WHERE id = account';",
    },
};

pub static PUBLIC: Rule = Rule {
    name: "public-grant",
    category: Category::Safety,
    severity: Severity::Warning,
    summary: "Everybody may write a table, read a protected one, or create objects in a schema",
    explanation: "A grant to PUBLIC holds for every role that there is and every one to come, whatever it is for. Grant to a role, and make users members of it. \
        SELECT is only reported for tables in a protected area; CREATE on a schema lets everybody put functions where others look them up.",
    fires: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY);",
        migration: "GRANT SELECT, UPDATE ON accounts TO PUBLIC;",
    },
    quiet: Example {
        given: "CREATE TABLE accounts (id bigint PRIMARY KEY); CREATE ROLE app;",
        migration: "GRANT SELECT, UPDATE ON accounts TO app;",
    },
};

pub(super) fn row_security(context: &SchemaContext, found: &mut Vec<Discovery>) {
    unprotected_parts(context, found);
    let counts = LazyCell::new(|| secured(context));
    let owners = LazyCell::new(|| owner_columns(context));
    let owner = context.scope.is_none();
    for table in context.tables().filter(|table| !table.row_security) {
        let enable = FixStep::own(format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;", table.name));
        let subject = Subject::Relation(table.id);
        if let Some(policy) = table.policies.first() {
            found.push(
                context
                    .discovery(
                        &ROW_SECURITY,
                        subject,
                        format!("the policies of {} do nothing: row security is not enabled", table.name),
                    )
                    .declared(format!("policy {} exists, and ENABLE ROW LEVEL SECURITY was never run", policy.name))
                    .advice(
                        "Enable it, once it is clear that the policies let everybody see what they need:",
                        vec![enable],
                    ),
            );
            continue;
        }
        if let Some(discovery) = owner.then(|| unlike_its_owner(context, table, &owners)).flatten() {
            found.push(discovery);
            continue;
        }
        let (with, all) = counts.get(&table.name.schema).copied().unwrap_or_default();
        if with >= 2 && with * 2 >= all && !is_out_of_reach(context, table, &owners) {
            found.push(
                context
                    .discovery(
                        &ROW_SECURITY,
                        subject,
                        format!(
                            "{} has no row security, which {with} of the {all} tables of its schema have",
                            table.name
                        ),
                    )
                    .confidence(Confidence::Medium)
                    .declared(format!("{with} of {all} tables of {} have row security enabled", table.name.schema))
                    .advice(
                        "Make the policies first, then enable it: without a policy nobody but the owner sees a row.",
                        vec![enable],
                    ),
            );
        }
    }
}

/// A partition, or a table that inherits, is protected by its own policies alone when it is named (manual, Row Security Policies): a role
/// that may read it sees what the parent hides.
fn unprotected_parts(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables().filter(|table| table.row_security) {
        let parts = context.schema.children_closure(table.id);
        let parts = parts.iter().filter(|id| **id != table.id).filter_map(|id| context.schema.relation(*id));
        let open: Vec<(&Relation, BTreeSet<&Name>)> = parts
            .filter(|part| part.is_table() && !part.row_security)
            .map(|part| (&**part, readers(part)))
            .filter(|(_, roles)| !roles.is_empty())
            .collect();
        let Some((first, roles)) = open.first() else { continue };
        let names: Vec<String> = open.iter().take(6).map(|(part, _)| part.name.to_string()).collect();
        let more = if open.len() > names.len() { " …" } else { "" };
        let listed = |roles: &BTreeSet<&Name>| roles.iter().map(|role| role.to_string()).collect::<Vec<_>>().join(", ");
        let mut discovery = context
            .discovery(
                &ROW_SECURITY,
                Subject::Relation(first.id),
                format!(
                    "{}{more} may be read without the policies of {}: a query that names the part goes past them",
                    names.join(", "),
                    table.name
                ),
            )
            .confidence(Confidence::High)
            .declared(format!(
                "privileges on {} are granted to {}, and row security is not enabled on it",
                first.name,
                listed(roles)
            ))
            .related(Subject::Relation(table.id), "the table with row security")
            .advice(
                "Queries of the parent need no privileges on its parts: take them back.",
                open.iter()
                    .map(|(part, roles)| FixStep::any(format!("REVOKE ALL ON {} FROM {};", part.name, listed(roles))))
                    .collect(),
            );
        discovery.table = Some(table.id);
        found.push(discovery);
    }
}

/// Who may see or change rows, but for the owner.
fn readers(table: &Relation) -> BTreeSet<&Name> {
    let of_rows = |privilege: &str| ["select", "insert", "update", "delete"].contains(&privilege);
    let granted = table.privileges.iter().filter(|it| of_rows(it.privilege.as_str()));
    granted.map(|it| &it.grantee).filter(|grantee| table.owner.as_ref() != Some(*grantee)).collect()
}

/// The columns by which policies say whose a row is, by their name: how many tables with row security have it, and how many tables.
fn owner_columns<'a>(context: &SchemaContext<'a>) -> BTreeMap<&'a Name, (usize, usize)> {
    let whole = SchemaContext { scope: None, ..*context };
    let mut owners: BTreeMap<&Name, (usize, usize)> = BTreeMap::new();
    for table in whole.tables().filter(|table| table.row_security) {
        let own = table.policies.iter().flat_map(|policy| &policy.uses).filter(|(of, _)| *of == table.id);
        let used: BTreeSet<_> = own.flat_map(|(_, columns)| columns).collect();
        for column in used.into_iter().filter_map(|id| table.column_by_id(*id)) {
            owners.entry(&column.name).or_default().0 += 1;
        }
    }
    if owners.is_empty() {
        return owners;
    }
    // One policy says whose the rows of a column are; other tables with row security that have it may say so in another way.
    owners.values_mut().for_each(|count| *count = (0, 0));
    for (table, column) in whole.tables().flat_map(|table| table.columns.iter().map(move |column| (table, column))) {
        if let Some((with, all)) = owners.get_mut(&column.name) {
            *all += 1;
            *with += usize::from(table.row_security);
        }
    }
    owners
}

/// A table with the column by which the policies of most tables that have it say whose a row is. A key of one column with that name is the
/// list of owners itself.
fn unlike_its_owner(
    context: &SchemaContext,
    table: &Relation,
    owners: &BTreeMap<&Name, (usize, usize)>,
) -> Option<Discovery> {
    let (column, with, all) = table.columns.iter().find_map(|column| {
        let (with, all) = owners.get(&column.name).copied()?;
        let is_row_id = keys::primary_key(table) == [column.id];
        (with >= 3 && with * 3 >= all * 2 && !is_row_id && column.name != "id").then_some((column, with, all))
    })?;
    Some(
        context
            .discovery(
                &ROW_SECURITY,
                Subject::Relation(table.id),
                format!(
                    "{} has no row security, which {with} of the {all} tables with {} have",
                    table.name, column.name
                ),
            )
            .confidence(Confidence::Medium)
            .declared(format!("policies say by {} whose a row is", column.name))
            .advice(
                "Make the policies first, then enable it: without a policy nobody but the owner sees a row.",
                vec![FixStep::own(format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;", table.name))],
            ),
    )
}

/// Where privileges were read: nobody but the owner has one, and nothing in the table says whose a row is.
fn is_out_of_reach(context: &SchemaContext, table: &Relation, owners: &BTreeMap<&Name, (usize, usize)>) -> bool {
    let has_owner = table.columns.iter().any(|column| owners.contains_key(&column.name));
    let of_protected = table
        .foreign_keys()
        .any(|(_, key)| context.schema.relation(key.referenced).is_some_and(|parent| parent.row_security));
    context.facts.is_some() && readers(table).is_empty() && !has_owner && !of_protected
}

/// How many tables of each schema have row security enabled, of how many.
fn secured<'a>(context: &SchemaContext<'a>) -> BTreeMap<&'a Name, (usize, usize)> {
    let whole = SchemaContext { scope: None, ..*context };
    let mut schemas: BTreeMap<&Name, (usize, usize)> = BTreeMap::new();
    if !whole.tables().any(|table| table.row_security) {
        return schemas;
    }
    for table in whole.tables() {
        let (with, all) = schemas.entry(&table.name.schema).or_default();
        *all += 1;
        *with += usize::from(table.row_security);
    }
    schemas
}

pub(super) fn security_definer(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for routine in context.schema.routines.values().filter(|routine| routine.security_definer) {
        let known =
            context.earlier.and_then(|earlier| earlier.routines.get(&routine.id)).is_some_and(|old| **old == **routine);
        if known && context.scope.is_some() || routine.settings.iter().any(|(name, _)| &**name == "search_path") {
            continue;
        }
        let word = if routine.procedure { "procedure" } else { "function" };
        let arguments: Vec<String> = routine.inputs().map(|argument| argument.data_type.to_string()).collect();
        let mut discovery = context
            .discovery(
                &SECURITY_DEFINER,
                Subject::Routine(routine.id),
                format!("{word} {} runs with its owner's rights and the caller's search_path", routine.name),
            )
            .declared("SECURITY DEFINER, and no SET search_path")
            .advice(
                "Fix the path to the schemas it needs, with pg_temp last:",
                vec![FixStep::any(format!(
                    "ALTER {} {}({}) SET search_path = {}, pg_temp;",
                    word.to_uppercase(),
                    routine.name,
                    arguments.join(", "),
                    routine.name.schema
                ))],
            );
        discovery.table = None;
        found.push(discovery);
    }
}

const READS: &[&str] = &["select"];
const WRITES: &[&str] = &["insert", "update", "delete", "truncate", "trigger", "references", "maintain"];

pub(super) fn public_grants(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.any_tables() {
        if let Some(discovery) = table_grant(context, table) {
            found.push(discovery);
        }
    }
    if context.scope.is_none() {
        found.extend(default_grants(context));
    }
    let earlier = |name: &Name| context.earlier.and_then(|it| it.namespaces.get(name));
    for (name, namespace) in context.schema.namespaces.iter().filter(|(name, now)| earlier(name) != Some(now)) {
        let create = namespace.privileges.iter().any(|it| it.grantee == "public" && it.privilege == "create");
        if create {
            let mut discovery = context
                .discovery(
                    &PUBLIC,
                    Subject::Schema(name.clone()),
                    format!("everybody may create objects in schema {name}"),
                )
                .declared("CREATE is granted to PUBLIC")
                .advice(
                    "Revoke it, and grant it to the roles that make tables:",
                    vec![FixStep::any(format!("REVOKE CREATE ON SCHEMA {name} FROM PUBLIC;"))],
                );
            let place = context.places.of(&discovery.subject);
            discovery.place = place.or_else(|| context.first_place());
            found.push(discovery);
        }
    }
}

/// What ALTER DEFAULT PRIVILEGES grants to everybody on tables to come, by the schema; no schema is all of them.
fn default_grants(context: &SchemaContext) -> Vec<Discovery> {
    let mut granted: BTreeMap<Option<&Name>, BTreeSet<&str>> = BTreeMap::new();
    for grant in context.schema.default_privileges.iter().filter(|grant| !grant.option_only) {
        let GrantObjects::Future { kind: ObjectKind::Table, schemas } = &grant.objects else { continue };
        if !grant.grantees.iter().any(|it| it.name == "public") {
            continue;
        }
        let named: Vec<&str> = grant.privileges.iter().map(|(name, _)| name.as_str()).collect();
        // MAINTAIN came with 17.
        let is_there = |privilege: &&str| *privilege != "maintain" || context.version.at_least(17);
        let named = if named.is_empty() { READS.iter().chain(WRITES).copied().collect() } else { named };
        let listed: Vec<&str> = named.into_iter().filter(is_there).collect();
        let places: Vec<Option<&Name>> =
            if schemas.is_empty() { vec![None] } else { schemas.iter().map(|it| Some(&it.name)).collect() };
        for place in places {
            let known = granted.entry(place).or_default();
            match grant.revoke {
                true => known.retain(|it| !listed.contains(it)),
                false => known.extend(listed.iter().copied()),
            }
        }
    }
    granted.retain(|_, privileges| !privileges.is_empty());
    granted.into_iter().map(|(schema, privileges)| default_grant(context, schema, &privileges)).collect()
}

fn default_grant(context: &SchemaContext, schema: Option<&Name>, privileges: &BTreeSet<&str>) -> Discovery {
    let list = privileges.iter().copied().collect::<Vec<_>>().join(", ").to_uppercase();
    let place = schema.map(|schema| format!(" in schema {schema}")).unwrap_or_default();
    let within = schema.map(|schema| format!(" IN SCHEMA {schema}")).unwrap_or_default();
    let subject = Subject::Schema(schema.cloned().unwrap_or_else(|| Name::from("public")));
    let writes = privileges.iter().any(|it| WRITES.contains(it));
    let mut discovery = context
        .discovery(&PUBLIC, subject, format!("every role gets {list} on every table made{place} from now on"))
        .severity(if writes { Severity::Warning } else { Severity::Info })
        .declared(format!("ALTER DEFAULT PRIVILEGES{within} GRANT {list} ON TABLES TO PUBLIC"))
        .advice(
            "Take it back as the role that it was said for (FOR ROLE names another), and revoke it from the tables that have it:",
            vec![FixStep::any(format!("ALTER DEFAULT PRIVILEGES{within} REVOKE {list} ON TABLES FROM PUBLIC;"))],
        );
    // A schema in which everybody may create has a finding of its own.
    discovery.finding.object = Some(PrintedName::other(format!("default privileges{place}")));
    discovery.table = None;
    let place = context.places.of(&discovery.subject);
    discovery.place = place.or_else(|| context.first_place());
    discovery
}

fn table_grant(context: &SchemaContext, table: &Relation) -> Option<Discovery> {
    let protected = context.area(table).filter(|area| area.is_protected());
    let mut granted: Vec<&str> = table
        .privileges
        .iter()
        .filter(|it| it.grantee == "public")
        .map(|it| it.privilege.as_str())
        .filter(|privilege| WRITES.contains(privilege) || protected.is_some())
        .collect();
    granted.sort_unstable();
    granted.dedup();
    if granted.is_empty() {
        return None;
    }
    let list = granted.join(", ").to_uppercase();
    // A constraint's name cannot have a line break in it, so nothing else has this subject.
    let subject = Subject::Part(table.id, Name::from("\ngrant to public"));
    let mut discovery = context
        .discovery(&PUBLIC, subject, format!("every role has {list} on {}", table.name))
        .declared(format!("{list} granted to PUBLIC"))
        .advice(
            "Grant it to the roles that need it, then revoke it from everybody:",
            vec![FixStep::any(format!("REVOKE {list} ON {} FROM PUBLIC;", table.name))],
        )
        .at(context.places.last_grant(table.id));
    discovery.finding.object = Some(PrintedName::from(&table.name));
    discovery.habit = Some(format!("every role has {list} on them"));
    Some(discovery)
}
