//! Enums, domains, composite and range types, and the smaller kinds of objects.

use super::super::{DbError, Session};
use super::damage::{self, Printing};
use super::{Catalog, Identity, OURS, Oid, PG_TYPE};
use crate::facts::Topic;

#[derive(Debug, Clone)]
pub(in super::super) struct Type {
    pub identity: Identity,
    pub kind: TypeKind,
}

#[derive(Debug, Clone)]
pub(in super::super) enum TypeKind {
    Enum(Vec<String>),
    Domain(Domain),
    /// The columns are those of this relation.
    Composite(Oid),
    /// `SUBTYPE = integer, …`.
    Range(Box<str>),
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Domain {
    pub base: Box<str>,
    pub collation: Option<Box<str>>,
    pub default: Option<Box<str>>,
    pub not_null: bool,
    /// Name and definition, those that are not valid last.
    pub constraints: Vec<(Box<str>, Box<str>)>,
}

/// An object of a smaller kind, as the statement that makes it.
#[derive(Debug, Clone)]
pub(in super::super) struct OtherObject {
    pub statement: String,
    /// Made before the types and tables; else at the end.
    pub early: bool,
}

/// The name of an object of a schema, quoted where it has to be.
pub(super) const QUALIFIED: &str = "quote_ident(n.nspname) || '.' || quote_ident";

pub(super) async fn read(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = format!(
        "SELECT t.oid, n.nspname::text, t.typname::text, pg_get_userbyid(t.typowner)::text, t.typacl::text[], d.description,
                t.typtype::text, t.typrelid, t.typnotnull,
                CASE t.typtype WHEN 'e' THEN (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END,
                CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                     WHEN 'r' THEN (SELECT concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
                                       CASE WHEN NOT o.opcdefault THEN 'SUBTYPE_OPCLASS = ' || quote_ident(o_n.nspname) || '.' || quote_ident(o.opcname) END,
                                       CASE WHEN r.rngcollation <> 0 AND r.rngcollation <> s.typcollation THEN 'COLLATION = ' || r.rngcollation::regcollation::text END,
                                       CASE WHEN r.rngcanonical <> 0 THEN 'CANONICAL = ' || r.rngcanonical::regproc::text END,
                                       CASE WHEN r.rngsubdiff <> 0 THEN 'SUBTYPE_DIFF = ' || r.rngsubdiff::regproc::text END,
                                       'MULTIRANGE_TYPE_NAME = ' || r.rngmultitypid::regtype::text)
                                      FROM pg_range r
                                      JOIN pg_type s ON s.oid = r.rngsubtype
                                      JOIN pg_opclass o ON o.oid = r.rngsubopc
                                      JOIN pg_namespace o_n ON o_n.oid = o.opcnamespace
                                     WHERE r.rngtypid = t.oid) END,
                CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END,
                CASE WHEN t.typtype = 'd' THEN t.typdefault END,
                CASE WHEN t.typtype = 'd' THEN (SELECT array_agg(k.conname::text ORDER BY k.convalidated DESC, k.conname)
                     FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND NOT k.oid = ANY($1)) END,
                CASE WHEN t.typtype = 'd' THEN (SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY k.convalidated DESC, k.conname)
                     FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND NOT k.oid = ANY($1)) END
           FROM pg_type t
           JOIN pg_namespace n ON n.oid = t.typnamespace
           LEFT JOIN pg_class c ON c.oid = t.typrelid
           LEFT JOIN pg_type b ON b.oid = t.typbasetype
           LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid AND d.objsubid = 0
          WHERE {OURS}
            AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c' OR t.typtype IN ('b', 'p') AND t.typelem = 0)
          ORDER BY n.nspname, t.typname"
    );
    const OBJECTS: &str = "SELECT k.oid, quote_ident(k.conname) || ' of ' || k.contypid::regtype FROM pg_constraint k WHERE k.contypid <> 0";
    let query = Printing { part: "types", topic: Topic::Definitions, sql: &sql, objects: OBJECTS };
    type Found = (Vec<(Oid, Type)>, Vec<String>);
    let ((types, base), damaged): (Found, _) = damage::each(session, query, &[], |row, found: &mut Found| {
        let oid: Oid = row.get(0)?;
        if catalog.is_member(PG_TYPE, oid) {
            return Ok(());
        }
        let identity = Identity::of(row)?;
        let text = |at: usize| row.get::<Option<&str>>(at).map(|text| text.map(Box::<str>::from));
        let kind = match row.get::<&str>(6)? {
            "e" => TypeKind::Enum(row.get::<Option<Vec<String>>>(9)?.unwrap_or_default()),
            "c" => TypeKind::Composite(row.get(7)?),
            "r" => TypeKind::Range(text(10)?.unwrap_or_default()),
            "d" => {
                let names: Vec<String> = row.get::<Option<Vec<String>>>(13)?.unwrap_or_default();
                let definitions: Vec<String> = row.get::<Option<Vec<String>>>(14)?.unwrap_or_default();
                let constraints = names.into_iter().zip(definitions);
                TypeKind::Domain(Domain {
                    base: text(10)?.unwrap_or_default(),
                    collation: text(11)?,
                    default: text(12)?,
                    not_null: row.get(8)?,
                    constraints: constraints.map(|(name, definition)| (name.into(), definition.into())).collect(),
                })
            }
            _ => {
                found.1.push(format!("{}.{}", identity.schema, identity.name));
                return Ok(());
            }
        };
        found.0.push((oid, Type { identity, kind }));
        Ok(())
    })
    .await?;
    catalog.types.extend(types);
    catalog.note_damage("constraints of domains", damaged);
    if !base.is_empty() {
        catalog.miss(format!("{} base types", base.len()), "they are made of functions in C", base);
    }
    Ok(())
}

/// Each object with its class, when its statement runs, what it is, and the statement; NULL where none is written.
fn others() -> String {
    format!(
        "SELECT 'pg_collation'::regclass::oid, l.oid, 'early', 'collation ' || {QUALIFIED}(l.collname),
                'CREATE COLLATION ' || {QUALIFIED}(l.collname) || ' (' || CASE l.collprovider
                    WHEN 'c' THEN 'PROVIDER = libc, LC_COLLATE = ' || quote_literal(l.collcollate) || ', LC_CTYPE = ' || quote_literal(l.collctype)
                    WHEN 'i' THEN 'PROVIDER = icu, LOCALE = ' || quote_literal(coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale', l.collcollate))
                    ELSE 'PROVIDER = builtin, LOCALE = ' || quote_literal(to_jsonb(l) ->> 'colllocale') END
                || CASE WHEN l.collisdeterministic THEN '' ELSE ', DETERMINISTIC = false' END || ')'
           FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE {OURS}
         UNION ALL
         SELECT 'pg_foreign_server'::regclass, s.oid, 'early', 'server ' || quote_ident(s.srvname),
                'CREATE SERVER ' || quote_ident(s.srvname) || ' FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)
           FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
         UNION ALL
         SELECT 'pg_event_trigger'::regclass, e.oid, 'late', 'event trigger ' || quote_ident(e.evtname),
                'CREATE EVENT TRIGGER ' || quote_ident(e.evtname) || ' ON ' || e.evtevent
                || coalesce(' WHEN TAG IN (' || (SELECT string_agg(quote_literal(tag), ', ') FROM unnest(e.evttags) tag) || ')', '')
                || ' EXECUTE FUNCTION ' || e.evtfoid::regproc || '()'
           FROM pg_event_trigger e WHERE e.evtenabled <> 'D'
         UNION ALL
         SELECT 'pg_default_acl'::regclass, a.oid, 'late', 'default privileges',
                'ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(pg_get_userbyid(a.defaclrole))
                || coalesce(' IN SCHEMA ' || quote_ident(n.nspname), '') || ' GRANT ' || x.privilege_type || ' ON '
                || CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END
                || ' TO ' || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
           FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
                CROSS JOIN LATERAL aclexplode(a.defaclacl) x
          WHERE x.grantee <> a.defaclrole AND a.defaclobjtype IN ('r', 'S', 'f', 'T', 'n')
         UNION ALL
         SELECT 'pg_cast'::regclass, c.oid, 'late', 'cast from ' || format_type(c.castsource, NULL) || ' to ' || format_type(c.casttarget, NULL),
                'CREATE CAST (' || format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) || ') '
                || CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END
                || CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END
           FROM pg_cast c WHERE c.oid >= 16384
         UNION ALL
         SELECT 'pg_publication'::regclass, p.oid, 'late', 'publication ' || quote_ident(p.pubname),
                'CREATE PUBLICATION ' || quote_ident(p.pubname) || CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE coalesce(
                    ' FOR TABLE ' || (SELECT string_agg('ONLY ' || {QUALIFIED}(c.relname), ', ' ORDER BY n.nspname, c.relname)
                        FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE r.prpubid = p.oid), '') END
                || CASE WHEN p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate THEN '' ELSE ' WITH (publish = ' || quote_literal(concat_ws(', ',
                    CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                    CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END)) || ')' END
           FROM pg_publication p
         UNION ALL
         SELECT 'pg_operator'::regclass, o.oid, NULL, 'operator ' || {QUALIFIED}(o.oprname), NULL
           FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {OURS}
         UNION ALL
         SELECT 'pg_opclass'::regclass, o.oid, NULL, 'operator class ' || {QUALIFIED}(o.opcname), NULL
           FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE {OURS}
         UNION ALL
         SELECT 'pg_ts_config'::regclass, o.oid, NULL, 'text search configuration ' || {QUALIFIED}(o.cfgname), NULL
           FROM pg_ts_config o JOIN pg_namespace n ON n.oid = o.cfgnamespace WHERE {OURS}
         UNION ALL
         SELECT 'pg_ts_dict'::regclass, o.oid, NULL, 'text search dictionary ' || {QUALIFIED}(o.dictname), NULL
           FROM pg_ts_dict o JOIN pg_namespace n ON n.oid = o.dictnamespace WHERE {OURS}
         UNION ALL
         SELECT 'pg_language'::regclass, o.oid, NULL, 'language ' || quote_ident(o.lanname), NULL
           FROM pg_language o WHERE o.oid >= 16384
          ORDER BY 4, 5"
    )
}

/// Kinds that have no model of their own: those whose statement is easily put together are, the others are told of.
pub(super) async fn read_others(session: &Session, catalog: &mut Catalog) -> Result<(), DbError> {
    let sql = others();
    let mut missed = Vec::new();
    session
        .each("smaller objects", &sql, None, |row| {
            let (class, oid): (Oid, Oid) = (row.get(0)?, row.get(1)?);
            if catalog.is_member(class, oid) {
                return Ok(());
            }
            match (row.get::<Option<&str>>(2)?, row.get::<Option<&str>>(4)?) {
                (Some(when), Some(statement)) => {
                    catalog.others.push(OtherObject { statement: statement.to_owned(), early: when == "early" });
                }
                _ => missed.push(row.get::<&str>(3)?.to_owned()),
            }
            Ok(())
        })
        .await?;
    if !missed.is_empty() {
        let fact = format!("{} operators, operator classes, text search objects or languages", missed.len());
        catalog.miss(fact, "pgassay does not write their definitions", missed);
    }
    Ok(())
}
