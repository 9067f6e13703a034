//! What hangs on tables: constraints, triggers, policies, rules, extended statistics.

use std::collections::HashMap;

use super::super::{DbError, Session};
use super::damage::Printing;
use super::relations::miss_locked;
use super::{Catalog, OURS, Oid};
use crate::facts::Topic;

#[derive(Debug, Clone)]
pub(in super::super) struct Constraint {
    pub name: Box<str>,
    /// `contype`: c, f, n, p, u, x.
    pub kind: char,
    pub definition: Box<str>,
    pub validated: bool,
    pub local: bool,
    pub inherited: bool,
    /// Columns by number.
    pub columns: Vec<i16>,
    /// NOT NULL of 18: NO INHERIT.
    pub no_inherit: bool,
}

/// Something with a table, a name and a definition.
#[derive(Debug, Clone)]
pub(in super::super) struct Part {
    pub table: Oid,
    pub name: Box<str>,
    pub definition: Box<str>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Trigger {
    pub part: Part,
    /// `tgenabled`: O, D, R, A.
    pub mode: char,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Rule {
    pub part: Part,
    /// `ev_enabled`.
    pub mode: char,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Policy {
    pub table: Oid,
    pub name: Box<str>,
    pub permissive: bool,
    /// SELECT, INSERT …, or ALL.
    pub command: &'static str,
    /// Quoted; PUBLIC for all.
    pub roles: Vec<String>,
    pub using: Option<Box<str>>,
    pub with_check: Option<Box<str>>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Statistics {
    pub schema: Box<str>,
    pub part: Part,
    pub owner: Box<str>,
}

pub(super) async fn read(session: &Session, catalog: &mut Catalog, major: u16) -> Result<(), DbError> {
    read_constraints(session, catalog, major).await?;
    read_policies(session, catalog).await?;
    read_definitions(session, catalog).await
}

const CONSTRAINTS: &str = "SELECT k.oid, quote_ident(k.conname) || ' of ' || k.conrelid::regclass FROM pg_constraint k WHERE k.conrelid >= 16384";
const POLICIES: &str = "SELECT p.oid, quote_ident(p.polname) || ' of ' || p.polrelid::regclass FROM pg_policy p";
const DEFINITIONS: &str = "
    SELECT t.oid, quote_ident(t.tgname) || ' of ' || t.tgrelid::regclass FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL SELECT r.oid, quote_ident(r.rulename) || ' of ' || r.ev_class::regclass FROM pg_rewrite r WHERE r.oid >= 16384
    UNION ALL SELECT s.oid, quote_ident(s.stxname) || ' of ' || s.stxrelid::regclass FROM pg_statistic_ext s";

async fn read_constraints(session: &Session, catalog: &mut Catalog, major: u16) -> Result<(), DbError> {
    // A partition's part of its parent's foreign key comes with the parent's. A virtual foreign key's own trigger functions too.
    let kinds = if major >= 18 { "'c', 'f', 'n', 'p', 'u', 'x'" } else { "'c', 'f', 'p', 'u', 'x'" };
    let sql = format!(
        "SELECT k.conrelid, k.conname::text, k.contype::text,
                CASE WHEN NOT (k.contype IN ('c', 'x') AND k.conrelid = ANY($1)) AND NOT k.oid = ANY($1) THEN pg_get_constraintdef(k.oid) END,
                k.convalidated, k.conislocal, k.coninhcount > 0, coalesce(k.conkey, '{{}}'), k.connoinherit
           FROM pg_constraint k
           JOIN pg_class c ON c.oid = k.conrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE {OURS} AND k.contype IN ({kinds}) AND NOT (k.contype = 'f' AND k.conparentid <> 0)
          ORDER BY k.conrelid, k.contype = 'p' DESC, k.contype = 'u' DESC, k.conname"
    );
    let mut locked = std::mem::take(&mut catalog.locked);
    type Found = (HashMap<Oid, Vec<Constraint>>, Vec<Oid>);
    let (constraints, missed): Found = locked
        .each(
            session,
            Printing { part: "constraints", topic: Topic::Definitions, sql: &sql, objects: CONSTRAINTS },
            |row, found: &mut Found| {
                let table: Oid = row.get(0)?;
                if !catalog.relations.contains_key(&table) {
                    return Ok(());
                }
                let Some(definition) = row.get::<Option<&str>>(3)? else {
                    found.1.push(table);
                    return Ok(());
                };
                let constraint = Constraint {
                    name: row.get::<&str>(1)?.into(),
                    kind: row.get::<&str>(2)?.chars().next().unwrap_or(' '),
                    definition: definition.into(),
                    validated: row.get(4)?,
                    local: row.get(5)?,
                    inherited: row.get(6)?,
                    columns: row.get(7)?,
                    no_inherit: row.get(8)?,
                };
                found.0.entry(table).or_default().push(constraint);
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    catalog.constraints = constraints;
    miss_locked(catalog, "check and exclusion constraints", missed);
    Ok(())
}

async fn read_policies(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    const SQL: &str = "
        SELECT p.polrelid, p.polname::text, p.polpermissive, p.polcmd::text,
               ARRAY(SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END FROM unnest(p.polroles) r),
               CASE WHEN NOT p.polrelid = ANY($1) AND NOT p.oid = ANY($1) THEN pg_get_expr(p.polqual, p.polrelid) END,
               CASE WHEN NOT p.polrelid = ANY($1) AND NOT p.oid = ANY($1) THEN pg_get_expr(p.polwithcheck, p.polrelid) END,
               p.polrelid = ANY($1) OR p.oid = ANY($1)
          FROM pg_policy p
         ORDER BY p.polrelid, p.polname";
    let mut locked = std::mem::take(&mut catalog.locked);
    type Found = (Vec<Policy>, Vec<Oid>);
    let (policies, missed): Found = locked
        .each(
            session,
            Printing { part: "policies", topic: Topic::Definitions, sql: SQL, objects: POLICIES },
            |row, found: &mut Found| {
                let table: Oid = row.get(0)?;
                if !catalog.relations.contains_key(&table) {
                    return Ok(());
                }
                if row.get(7)? {
                    found.1.push(table);
                    return Ok(());
                }
                let command = match row.get::<&str>(3)? {
                    "r" => "SELECT",
                    "a" => "INSERT",
                    "w" => "UPDATE",
                    "d" => "DELETE",
                    _ => "ALL",
                };
                found.0.push(Policy {
                    table,
                    name: row.get::<&str>(1)?.into(),
                    permissive: row.get(2)?,
                    command,
                    roles: row.get(4)?,
                    using: row.get::<Option<&str>>(5)?.map(Into::into),
                    with_check: row.get::<Option<&str>>(6)?.map(Into::into),
                });
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    catalog.policies = policies;
    miss_locked(catalog, "policies", missed);
    Ok(())
}

/// Triggers, rules and extended statistics: what the server prints as one statement.
async fn read_definitions(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = format!(
        "SELECT 'trigger', t.oid, t.tgrelid, t.tgname::text, t.tgenabled::text,
                CASE WHEN NOT (t.tgqual IS NOT NULL AND t.tgrelid = ANY($1)) AND NOT t.oid = ANY($1) THEN pg_get_triggerdef(t.oid) END, NULL, NULL
           FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0
         UNION ALL
         SELECT 'rule', r.oid, r.ev_class, r.rulename::text, r.ev_enabled::text,
                CASE WHEN NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                                         AND d.refobjid = ANY($1)) AND NOT r.oid = ANY($1) THEN pg_get_ruledef(r.oid) END, NULL, NULL
           FROM pg_rewrite r WHERE r.rulename <> '_RETURN' AND r.oid >= 16384
         UNION ALL
         SELECT 'statistics', s.oid, s.stxrelid, s.stxname::text, ' ',
                CASE WHEN NOT s.stxrelid = ANY($1) AND NOT s.oid = ANY($1) THEN pg_get_statisticsobjdef(s.oid) END, n.nspname::text, pg_get_userbyid(s.stxowner)::text
           FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {OURS}
          ORDER BY 1, 3, 4"
    );
    #[derive(Default)]
    struct Found {
        triggers: Vec<Trigger>,
        rules: Vec<Rule>,
        statistics: HashMap<Oid, Statistics>,
        missed: Vec<Oid>,
    }
    let mut locked = std::mem::take(&mut catalog.locked);
    let found: Found = locked
        .each(
            session,
            Printing {
                part: "triggers, rules and extended statistics",
                topic: Topic::Definitions,
                sql: &sql,
                objects: DEFINITIONS,
            },
            |row, found: &mut Found| {
                let table: Oid = row.get(2)?;
                if !catalog.relations.contains_key(&table) {
                    return Ok(());
                }
                let Some(definition) = row.get::<Option<&str>>(5)? else {
                    found.missed.push(table);
                    return Ok(());
                };
                let part = Part { table, name: row.get::<&str>(3)?.into(), definition: definition.into() };
                let mode = row.get::<&str>(4)?.chars().next().unwrap_or('O');
                match row.get::<&str>(0)? {
                    "trigger" => found.triggers.push(Trigger { part, mode }),
                    "rule" => found.rules.push(Rule { part, mode }),
                    _ => {
                        let (schema, owner) = (row.get::<&str>(6)?.into(), row.get::<&str>(7)?.into());
                        found.statistics.insert(row.get(1)?, Statistics { schema, part, owner });
                    }
                }
                Ok(())
            },
        )
        .await?;
    catalog.locked = locked;
    (catalog.triggers, catalog.rules, catalog.statistics) = (found.triggers, found.rules, found.statistics);
    miss_locked(catalog, "triggers, rules or extended statistics", found.missed);
    Ok(())
}
