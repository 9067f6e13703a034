//! Functions, procedures and aggregates.

use super::super::{DbError, Session};
use super::damage::{self, Printing};
use super::{Catalog, Identity, Node, OURS, Oid, PG_PROC};
use crate::facts::Topic;

#[derive(Debug, Clone)]
pub(in super::super) struct Routine {
    pub identity: Identity,
    /// `f`, `p` or `w`.
    pub kind: Box<str>,
    /// The types of the arguments, as GRANT and COMMENT name the routine.
    pub arguments: Box<str>,
    /// `CREATE OR REPLACE FUNCTION …`.
    pub definition: Box<str>,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Aggregate {
    pub identity: Identity,
    pub arguments: Box<str>,
    /// What stands in the parentheses behind the arguments.
    pub options: Box<str>,
}

const OBJECTS: &str = "SELECT p.oid, quote_ident(p.proname) FROM pg_proc p WHERE p.oid >= 16384";

#[derive(Default)]
struct Found {
    routines: Vec<(Oid, Routine)>,
    aggregates: Vec<(Oid, Aggregate)>,
    missed: Vec<(Oid, String)>,
}

/// Those whose body is in standard SQL.
async fn in_standard_sql(session: &Session, routines: Vec<Oid>) -> Result<Vec<Oid>, DbError> {
    let mut found = Vec::new();
    if routines.is_empty() {
        return Ok(found);
    }
    let sql = "SELECT p.oid FROM pg_proc p WHERE p.oid = ANY($1) AND p.prosqlbody IS NOT NULL";
    session
        .each("functions", sql, Some(&routines), |row| {
            found.push(row.get(0)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

pub(super) async fn read(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    // A body in standard SQL is printed like a view: it takes locks on what it reads.
    let blocked: Vec<Oid> = catalog
        .dependencies
        .iter()
        .filter(|(_, needed)| {
            needed.iter().any(|node| matches!(node, Node::Relation(oid) if catalog.locked.contains(*oid)))
        })
        .filter_map(|(node, _)| if let Node::Routine(oid) = node { Some(*oid) } else { None })
        .collect();
    let blocked = in_standard_sql(session, blocked).await?;
    let sql = format!(
        "SELECT p.oid, n.nspname::text, p.proname::text, pg_get_userbyid(p.proowner)::text, p.proacl::text[], d.description,
                p.prokind::text, CASE WHEN p.oid = ANY($1) THEN '' ELSE pg_get_function_identity_arguments(p.oid) END,
                CASE WHEN p.prokind <> 'a' AND NOT p.oid = ANY($1) THEN pg_get_functiondef(p.oid) END,
                CASE WHEN a.aggkind = 'n' THEN concat_ws(', ', 'SFUNC = ' || a.aggtransfn::regproc, 'STYPE = ' || format_type(a.aggtranstype, NULL),
                    CASE WHEN a.aggfinalfn <> 0 THEN 'FINALFUNC = ' || a.aggfinalfn::regproc END,
                    CASE WHEN a.aggcombinefn <> 0 THEN 'COMBINEFUNC = ' || a.aggcombinefn::regproc END,
                    'INITCOND = ' || quote_literal(a.agginitval)) END
           FROM pg_proc p
           JOIN pg_namespace n ON n.oid = p.pronamespace
           LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
           LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid AND d.objsubid = 0
          WHERE {OURS}
          ORDER BY n.nspname, p.proname, p.oid"
    );
    let query = Printing { part: "functions", topic: Topic::Definitions, sql: &sql, objects: OBJECTS };
    let (found, damaged): (Found, _) = damage::each(session, query, &blocked, |row, found: &mut Found| {
        let oid: Oid = row.get(0)?;
        if catalog.is_member(PG_PROC, oid) {
            return Ok(());
        }
        let identity = Identity::of(row)?;
        let arguments: Box<str> = row.get::<&str>(7)?.into();
        match (row.get::<Option<&str>>(8)?, row.get::<Option<&str>>(9)?) {
            (Some(definition), _) => {
                let routine =
                    Routine { identity, kind: row.get::<&str>(6)?.into(), arguments, definition: definition.into() };
                found.routines.push((oid, routine));
            }
            (None, Some(options)) => {
                found.aggregates.push((oid, Aggregate { identity, arguments, options: options.into() }));
            }
            (None, None) => found.missed.push((oid, format!("{}.{}", identity.schema, identity.name))),
        }
        Ok(())
    })
    .await?;
    catalog.routines.extend(found.routines);
    catalog.aggregates.extend(found.aggregates);
    let is_damaged = |oid: Oid| damaged.iter().any(|it| it.oid == oid);
    let missed: Vec<String> =
        found.missed.into_iter().filter(|(oid, _)| !is_damaged(*oid)).map(|(_, name)| name).collect();
    catalog.note_damage("functions", damaged);
    if !missed.is_empty() {
        let fact = format!("{} functions or aggregates", missed.len());
        let reason = "they are ordered-set aggregates, or read a table that another session keeps locked";
        catalog.miss(fact, reason, missed);
    }
    Ok(())
}
